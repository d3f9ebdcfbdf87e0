"""Label files of every tool: what is read, and that nothing vanishes."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pinzhi.errors import InputError
from pinzhi.training.label_files import LabelTask, Problem, read_labels


def answer(name: str, kind: str, given: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: given}}


def annotation(label: str, who: int = 1, name: str = "sentiment", **more: Any) -> dict[str, Any]:
    result = [answer(name, "choices", [label])]
    return {"id": who, "completed_by": who, "was_cancelled": False, "ground_truth": False, "result": result, **more}


def read(
    tmp_path: Path, content: Any, name: str = "labels.json", task: LabelTask = LabelTask.SENTIMENT
) -> tuple[list[dict[str, Any]], list[Problem]]:
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content, "utf-8")
    else:
        lines = [json.dumps(one, ensure_ascii=False) for one in content]
        path.write_text("\n".join(lines) if name.endswith("l") else f"[{','.join(lines)}]", "utf-8")
    table, problems = read_labels([path], task)
    return table.to_pylist(), problems


def test_label_studio_votes_are_settled_and_skipped_tasks_reported(tmp_path: Path) -> None:
    tasks = [
        {"id": 1, "data": {"text": "番茄真甜", "post": "新番茄上市", "account_id": "a1"}, "annotations": [annotation("positive")]},
        {"id": 2, "data": {"text": "盖子坏了"}, "annotations": [annotation("negative"), annotation("negative", 2), annotation("neutral", 3)]},
        {"id": 3, "data": {"text": "还行吧"}, "annotations": [annotation("negative"), annotation("neutral", 2, ground_truth=True)]},
        {"id": 4, "data": {"text": "不好说"}, "annotations": [annotation("negative"), annotation("positive", 2)]},
        {"id": 5, "data": {"text": "跳过的"}, "annotations": [annotation("positive", was_cancelled=True)]},
        {"id": 6, "data": {"text": "没人看过"}, "annotations": [], "predictions": [annotation("positive")]},
    ]  # fmt: skip
    rows, problems = read(tmp_path, tasks)
    assert [(row["text"], row["label"]) for row in rows] == [("番茄真甜", "1"), ("盖子坏了", "-1"), ("还行吧", "0")]
    assert (rows[0]["context"], rows[0]["group"], rows[1]["n_annotators"]) == ("新番茄上市", "a1", 3)
    assert [(problem.row, "equally" in problem.reason) for problem in problems] == [(4, True), (5, False), (6, False)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("doccano.jsonl", [{"id": 7, "text": "好喝", "label": ["正面"], "account_id": "x"}]),
        ("old.jsonl", [{"id": 7, "text": "好喝", "labels": ["positive"], "group": "x"}]),
        ("min.json", [{"id": 7, "text": "好喝", "sentiment": "positive", "annotator": 1, "annotation_id": 3, "group": "x"}]),
        ("plain.csv", "\ufefftext,label,group\n好喝,1,x\n"),
        ("plain.tsv", "content\tsentiment\taccount_id\n好喝\t1\tx\n"),
    ],
)  # fmt: skip
def test_every_tool_says_the_same(name: str, content: Any, tmp_path: Path) -> None:
    rows, problems = read(tmp_path, content, name)
    assert [(row["text"], row["label"], row["group"]) for row in rows] == [("好喝", "1", "x")] and not problems


def test_parquet_with_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["好喝", "难喝"], "label": [1, -1]}), tmp_path / "a.parquet")
    table, problems = read_labels([tmp_path / "a.parquet"], LabelTask.SENTIMENT)
    assert table["label"].to_pylist() == ["1", "-1"] and not problems


def test_unknown_labels_empty_texts_and_conflicts_are_reported_with_their_rows(tmp_path: Path) -> None:
    content = "text,label\n好喝,赞\n,1\n真甜,1\n真甜！,1\n真 甜,1\n一般,0\n一般,-1\n两个,1;0\n"
    rows, problems = read(tmp_path, content, "a.csv")
    assert [row["text"] for row in rows] == ["真甜"]
    assert [(problem.row, problem.is_repeat) for problem in problems] == [
        (2, False), (3, False), (5, True), (6, True), (7, False), (8, False), (9, False),
    ]  # fmt: skip
    assert "赞" in str(problems[0]) and str(problems[0]).startswith(f"{tmp_path / 'a.csv'}, row 2")


def test_coherence_needs_its_brand_and_values_and_pairs_their_source(tmp_path: Path) -> None:
    graded = [
        {"text": "稻草还田", "brand": "lvye", "grade": 3, "expresses": ["environment"]},
        {"text": "稻草烧了", "brand": "lvye", "grade": 0, "expresses": []},
        {"text": "早安", "grade": 1},
    ]
    rows, problems = read(tmp_path, graded, "a.jsonl", LabelTask.COHERENCE)
    assert [(row["label"], row["expresses"]) for row in rows] == [("3", ["environment"])]
    assert ["contradicts" in problems[0].reason, "brand" in problems[1].reason] == [True, True]
    pairs = [
        {"a_text": "原文在此", "b_text": "改过的文", "class": "洗稿"},
        {"b_text": "改过的文", "class": "duplicate"},
    ]
    rows, problems = read(tmp_path, pairs, "b.jsonl", LabelTask.ORIGINALITY)
    assert [(row["context"], row["label"]) for row in rows] == [("原文在此", "rewrite")] and len(problems) == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("a.txt", "好", "label file"), ("a.json", "[", "JSON"), ("a.json", "9" * 5000, "JSON"), ("a.parquet", "好", "Parquet"),
     ("a.csv", "", "no rows"), ("a.csv", "text,label\n", "no rows"), ("a.jsonl", "\n", "no rows"), ("a.json", "[]", "no rows")],
)  # fmt: skip
def test_what_is_no_label_file_is_said(name: str, content: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, content, name)


def test_a_missing_file_and_another_encoding_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found none"):
        read_labels([tmp_path / "none.csv"], LabelTask.SENTIMENT)
    (tmp_path / "gbk.json").write_bytes('[{"text": "好", "label": 1}]'.encode("gbk"))
    with pytest.raises(InputError, match="UTF-8"):
        read_labels([tmp_path / "gbk.json"], LabelTask.SENTIMENT)


def test_a_table_saved_by_a_chinese_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\r\n好喝，回购了,正面\r\n".encode("gb18030"))
    table, problems = read_labels([tmp_path / "a.csv"], LabelTask.SENTIMENT)
    assert table["text"].to_pylist() == ["好喝，回购了"] and not problems


@pytest.mark.parametrize(
    ("task", "given", "label"),
    [(LabelTask.SENTIMENT, given, "1") for given in ("Positive", "POSITIVE", "1.0", "+1", "１", 1.0, " 正面 ", "好评")]
    + [(LabelTask.SENTIMENT, given, "-1") for given in ("Negative", "-1.0", "−1", -1.0, "負面", "负面", "差评")]
    + [(LabelTask.SENTIMENT, given, "0") for given in ("Neutral", "0.0", -0.0, "中性", "中立")]
    + [(LabelTask.AUTHENTICITY, given, "water_army") for given in ("water-army", "Water Army", "water army", "水军")]
    + [(LabelTask.ORIGINALITY, "Original", "original"), (LabelTask.COHERENCE, "Unrelated", "1")],
)
def test_a_label_may_be_written_in_many_ways(task: LabelTask, given: Any, label: str, tmp_path: Path) -> None:
    rows, problems = read(tmp_path, [{"text": "好喝", "brand": "b", "label": given}], "a.jsonl", task)
    assert [row["label"] for row in rows] == [label], problems


def test_parquet_with_fractional_numbers(tmp_path: Path) -> None:
    table = {"text": ["好喝", "难喝", "没填"], "label": [1.0, -1.0, None], "account_id": [1234567890.0, None, 2.0]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    rows, problems = read_labels([tmp_path / "a.parquet"], LabelTask.SENTIMENT)
    assert rows["label"].to_pylist() == ["1", "-1"] and rows["group"].to_pylist() == ["1234567890", ""]
    assert [problem.row for problem in problems] == [3]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("full.json", [{"data": {"text": "好喝"}, "annotations": [{"result": [answer("sentiment", "rating", 1)]}]}]),
        ("min.json", [{"id": 1, "text": "好喝", "sentiment": [{"rating": 1}], "annotator": 1, "annotation_id": 1}]),
        ("table.csv", 'id,text,sentiment,annotation_id\n1,好喝,"[{""rating"": 1}]",1\n'),
    ],
)  # fmt: skip
def test_stars_are_no_labels(name: str, content: Any, tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, content, name)
    assert not rows and "found a rating of 1 stars" in problem.reason


def test_rows_of_one_task_are_the_votes_of_its_annotators(tmp_path: Path) -> None:
    votes = [(1, "盖子坏了", "Negative"), (1, "盖子坏了", "Negative"), (1, "盖子坏了", "Neutral"), (2, "还行吧", "Positive"),
             (2, "还行吧", "Negative"), (3, "好喝", None), (3, "好喝", "Positive")]  # fmt: skip
    flat = [
        {"id": i, "text": text, "annotator": n, "annotation_id": n} | ({"sentiment": label} if label else {})
        for n, (i, text, label) in enumerate(votes)
    ]
    table = "id,text,sentiment,annotator,annotation_id,was_cancelled\n" + "".join(
        f"{row['id']},{row['text']},{row.get('sentiment', '')},{n},{n},False\n" for n, row in enumerate(flat)
    )
    for name, content in (("min.json", flat), ("table.csv", table + "3,好喝,Negative,9,9,True\n")):
        rows, (tie,) = read(tmp_path, content, name)
        found = [(row["text"], row["label"], row["n_annotators"]) for row in rows]
        assert found == [("盖子坏了", "-1", 3), ("好喝", "1", 1)]
        assert "equally" in tie.reason and tie.row == (4 if name == "min.json" else 5)


def test_a_ground_truth_settles_what_others_called_by_an_unknown_name(tmp_path: Path) -> None:
    truth = annotation("Positive", 2, ground_truth=True)
    rows, problems = read(tmp_path, [{"data": {"text": "好喝"}, "annotations": [annotation("赞"), truth]}])
    assert [row["label"] for row in rows] == ["1"] and not problems


def test_a_control_of_another_name_is_named(tmp_path: Path) -> None:
    filled = [answer("mood", "choices", ["Positive"]), answer("note", "text", ["很确定"])]
    tasks = [{"data": {"text": "好喝"}, "annotations": [{"result": filled}]},
             {"data": {"text": "难喝"}, "annotations": [{"result": filled[:1]}]},
             {"data": {"text": "真甜"}, "annotations": [{"result": filled[1:] * 2}, annotation("Positive")]}]  # fmt: skip
    rows, problems = read(tmp_path, tasks)
    assert [row["text"] for row in rows] == ["难喝"]
    assert "under the name sentiment or label, found mood, note" in problems[0].reason
    rows, (problem,) = read(tmp_path, [{"text": "好喝", "mood": "Positive", "note": "很确定"}], "min.json")
    assert not rows and "sentiment or label, found text, mood, note" in problem.reason


@pytest.mark.parametrize(
    ("annotations", "where"),
    [(5, "annotations"), ([5], "annotations.0"), ([{"result": 5}], "annotations.0.result"), ([{"result": ["x"]}], "annotations.0.result.0"),
     ([{"result": [{"from_name": ["a"]}]}], "annotations.0.result.0.from_name")],
)  # fmt: skip
def test_an_odd_export_of_label_studio_is_a_problem_of_its_row(annotations: Any, where: str, tmp_path: Path) -> None:
    fine = {"data": {"text": "真甜"}, "annotations": [annotation("Positive")]}
    rows, (problem,) = read(tmp_path, [{"data": {"text": "好喝"}, "annotations": annotations}, fine])
    assert [row["text"] for row in rows] == ["真甜"]
    assert problem.row == 1 and f"Label Studio's {where}," in problem.reason


@pytest.mark.parametrize("given", [{}, 5, [5, None], {"choices": 7}, {"choices": [["好", "真好"]]}, [[]], True])
def test_an_odd_answer_is_a_problem_of_its_row(given: Any, tmp_path: Path) -> None:
    odd = {"data": {"text": "好喝"}, "annotations": [{"result": [{"from_name": "sentiment", "value": given}]}]}
    for name, record in (("full.json", odd), ("flat.jsonl", {"text": "好喝", "label": given})):
        rows, problems = read(tmp_path, [record], name)
        assert not rows and len(problems) == 1


def test_a_broken_line_costs_itself_alone(tmp_path: Path) -> None:
    content = '{"text": "好喝", "label": 1}\n{"text": "难喝", \n\n[1]\n{"text": "真甜\\ud83d", "label": 1}\n'
    rows, problems = read(tmp_path, content, "a.jsonl")
    assert [row["text"] for row in rows] == ["好喝", "真甜\ufffd"]
    assert [problem.row for problem in problems] == [2, 4]
    assert "JSON" in problems[0].reason and "line 1" not in problems[0].reason and "object" in problems[1].reason


def test_a_quote_that_is_never_closed_costs_its_line_and_long_texts_nothing(tmp_path: Path) -> None:
    long = "好喝" * 80_000  # above the 128 KiB that Python's csv takes
    content = f'text,label\n"{long}",1\n"没有收尾,1\n' + "难喝,-1\n" + "x" * 150_000 + ",0\n"
    rows, (problem,) = read(tmp_path, content, "a.csv")
    assert [(row["text"][:2], row["label"]) for row in rows] == [("好喝", "1"), ("难喝", "-1"), ("xx", "0")]
    assert problem.row == 3 and "quot" in problem.reason


def test_a_text_with_bare_separators_is_not_cut_short(tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, "label,text\n1,好喝,真的\n1,真甜,\n", "a.csv")
    assert [row["text"] for row in rows] == ["真甜"]
    assert problem.row == 2 and "expected 2 cells" in problem.reason


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "a.csv" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("text,label\n好喝,赞\n", "utf-8")
    _, problems = read_labels(paths, LabelTask.SENTIMENT)
    assert [problem.source for problem in problems] == list(map(str, paths))


def test_one_comment_with_two_labels_is_a_conflict_under_any_brand(tmp_path: Path) -> None:
    content = "text,post,brand,label\n好喝,,a,1\n好喝,,b,-1\n真甜,番茄上市,a,1\n真甜,番茄上市,b,-1\n真甜,蛋糕上市,a,1\n"
    rows, problems = read(tmp_path, content, "a.csv")
    assert [(row["text"], row["context"]) for row in rows] == [("真甜", "蛋糕上市")]
    assert [problem.row for problem in problems] == [2, 3, 4, 5]


def graded(grade: int, text: str = "稻草还田", brand: str = "lvye", **values: list[str]) -> dict[str, Any]:
    return {"text": text, "brand": brand, "grade": grade, **values}


def test_equal_grades_with_other_values_are_a_conflict(tmp_path: Path) -> None:
    content = [
        graded(3, expresses=["environment"]), graded(3, expresses=["farmers"]), graded(1, brand="langang"),
        graded(3, "尾款到账", expresses=["farmers", "honest_food"]), graded(3, "尾款到账", expresses=["honest_food", "farmers"], touches=[]),
        graded(0, "稻草烧了", contradicts=["environment"]), graded(0, "稻草烧了", contradicts=["environment"], expresses=["farmers"]),
    ]  # fmt: skip
    rows, problems = read(tmp_path, content, "a.jsonl", LabelTask.COHERENCE)
    assert [(row["text"], row["brand"]) for row in rows] == [("稻草还田", "langang"), ("尾款到账", "lvye")]
    assert [(problem.row, problem.is_repeat) for problem in problems] == [
        (1, False), (2, False), (5, True), (6, False), (7, False),
    ]  # fmt: skip
    assert "3 (expresses environment) and 3 (expresses farmers)" in problems[0].reason
    assert str(problems[0]).startswith(str(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (graded(0, contradicts=["a"], expresses=["b"], touches=["c"]), None),
        (graded(0, expresses=["b"]), "contradicts"),
        (graded(1), None),
        (graded(1, expresses=["a"]), "expresses"),
        (graded(1, contradicts=["a"]), "contradicts"),
        (graded(1, touches=["a"]), "touches"),
        (graded(2, touches=["a"]), None),
        (graded(2, expresses=["a"]), "expresses"),
        (graded(2, contradicts=["a"]), "contradicts"),
        (graded(3, expresses=["a"], touches=["b"]), None),
        (graded(3, expresses=["a"], contradicts=["b"]), "contradicts"),
        (graded(3, touches=["a"]), "expresses"),
    ],
)
def test_values_belong_to_their_grade(row: dict[str, Any], wrong: str | None, tmp_path: Path) -> None:
    rows, problems = read(tmp_path, [row], "a.jsonl", LabelTask.COHERENCE)
    assert len(rows) == (wrong is None)
    assert [f"that the post {wrong} (grade {row['grade']})" in problem.reason for problem in problems] == [True] * (
        wrong is not None
    )


def test_touched_values_are_read_where_somebody_said_which(tmp_path: Path) -> None:
    content = [
        graded(2, "一", touches=["environment"]),
        graded(2, "二", touches=[]),
        graded(2, "三"),
        graded(3, "四", expresses=["a"], touches=[]),
    ]
    rows, problems = read(tmp_path, content, "a.jsonl", LabelTask.COHERENCE)
    assert [row["touches"] for row in rows] == [["environment"], None, None, []] and not problems


def test_values_are_those_that_most_annotators_list(tmp_path: Path) -> None:
    def votes(*lists: Any) -> list[dict[str, Any]]:
        return [
            {"result": [answer("coherence", "choices", ["体现"]), answer("expresses", "choices", one)]} for one in lists
        ]

    tasks = [
        {"data": {"text": "稻草还田", "brand": "lvye"}, "annotations": votes(["a", "b"], ["a"], ["a", "b"], ["c"])}
    ]
    rows, problems = read(tmp_path, tasks, task=LabelTask.COHERENCE)
    assert [row["expresses"] for row in rows] == [["a"]] and not problems
    table = 'id,text,brand,coherence,expresses,annotation_id\n1,稻草还田,lvye,体现,"{""choices"": [""a"", ""b""]}",1\n'
    rows, problems = read(tmp_path, table, "a.csv", LabelTask.COHERENCE)
    assert [row["expresses"] for row in rows] == [["a", "b"]] and not problems


TABLE = [
    ["text", "label", "group"],
    ["好喝，回购了", "正面", "a"],
    ["难喝；退了", "负面", "b"],
    ["怎么卖", "中性", "b"],
    ["真甜", "正面", "c"],
]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8"), ("\t", "utf-8"), ("\t", "utf-16"), (",", "utf-8"), (";", "gb18030")]
)
def test_a_table_is_read_whatever_separates_its_cells(name: str, delimiter: str, encoding: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(TABLE)
    table, problems = read_labels([tmp_path / name], LabelTask.SENTIMENT)
    assert table["text"].to_pylist() == [row[0] for row in TABLE[1:]] and not problems
    assert table["group"].to_pylist() == ["a", "b", "b", "c"]


def test_no_row_of_a_table_is_taken_for_a_banner_or_a_header(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, "好喝\n难喝\n真甜\n一般\n", "a.csv")
    assert not rows and [problem.row for problem in problems] == [2, 3, 4]
    assert all(problem.reason.endswith("found 好喝") for problem in problems)
    with pytest.raises(InputError, match="expected a header, found a broken line 1"):
        read(tmp_path, '"text,label\n好喝,1\n难喝,-1\n', "b.csv")


@pytest.mark.parametrize("header", ["text,label,label", "text,label,Label", "文本,文本,标签"])
def test_a_column_that_hides_another_is_refused(header: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected each field once, found (label|文本) twice"):
        read(tmp_path, f"{header}\n好喝,1,-1\n", "a.csv")
    table = pa.table([["好喝"], ["1"], ["-1"]], names=["text", "label", "Label"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match="found label twice"):
        read_labels([tmp_path / "a.parquet"], LabelTask.SENTIMENT)
    rows, (problem,) = read(tmp_path, [{"text": "好喝", "label": 1, "Label": -1}], "a.jsonl")
    assert not rows and "found label twice" in problem.reason


def test_equal_repeats_are_reported_with_the_row_that_they_repeat(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text,label\n真甜,正面\n难喝,负面\n真甜！,正面\n", "utf-8")
    table, problems = read_labels([tmp_path / "a.csv", tmp_path / "b.csv"], LabelTask.SENTIMENT)
    assert table["text"].to_pylist() == ["真甜", "难喝"]
    assert [(Path(one.source).name, one.row, one.is_repeat) for one in problems] == [
        ("a.csv", 4, True), ("b.csv", 2, True), ("b.csv", 3, True), ("b.csv", 4, True),
    ]  # fmt: skip
    assert f"found that of {tmp_path / 'a.csv'}, row 2 again" in problems[1].reason


def test_texts_that_differ_in_signs_alone_are_one_and_may_conflict(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, "text,label\n真甜,1\n真甜！,-1\n", "a.csv")
    assert not rows and [problem.row for problem in problems] == [2, 3]
    assert all("expected one label for one text, found -1 and 1" in problem.reason for problem in problems)


@pytest.mark.parametrize(
    "record",
    [
        {"id": 0, "text": "好喝", "cats": ["正面"], "entities": [], "group": "x"},
        {"id": 1, "data": "好喝", "label": ["positive"], "group": "x"},
        {"text": "好喝", "annotations": [{"label": "positive", "user": 1}, {"label": "positive", "user": 2}], "meta": {"group": "x"}},
        {"text": "好喝", "labels": ["positive"], "meta": {"account_id": "x", "label": "negative"}},
        {"Text": "好喝", "Label": "Positive", "Group": "x"},
        {"文本": "好喝", "标签": "褒义", "分组": "x"},
        {"內容": "好喝", "情感": "正面", "分组": "x"},
        {"评论 内容": "好喝", "情感倾向": "正面", "品牌": "x"},
    ],
)  # fmt: skip
def test_fields_are_known_by_many_names(record: dict[str, Any], tmp_path: Path) -> None:
    rows, problems = read(tmp_path, [record], "a.jsonl")
    assert [(row["text"], row["label"], row["group"]) for row in rows] == [("好喝", "1", "x")] and not problems


def test_what_a_file_calls_its_text_is_said_and_by_which_names_it_is_known(tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, "原文,标签\n好喝,1\n", "a.csv")
    assert (
        not rows and "under one of the names text, content," in problem.reason and "found 原文, 标签" in problem.reason
    )
    rows, (problem,) = read(tmp_path, "内容,评论,标签\n三号地休耕,好喝,1\n", "a.csv")
    assert not rows and "found one under 内容 and one under 评论" in problem.reason


def test_posts_in_the_meta_of_doccano_are_read(tmp_path: Path) -> None:
    meta = {"post": "番茄上市", "group": "a1", "platform": "weibo", "text": "别的"}
    rows, problems = read(tmp_path, [{"text": "真甜", "label": ["正面"], "meta": meta}], "a.jsonl")
    (row,) = rows
    assert (row["text"], row["context"], row["group"], row["platform"]) == ("真甜", "番茄上市", "a1", "weibo")
    assert not problems


def test_numbers_of_labels_that_only_doccano_knows_are_no_labels(tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, [{"text": "真甜", "annotations": [{"label": 1, "user": 1}]}], "a.jsonl")
    assert not rows and "expected annotations with the names of labels" in problem.reason


@pytest.mark.parametrize(
    ("task", "given", "label"),
    [(LabelTask.SENTIMENT, "褒义", "1"), (LabelTask.SENTIMENT, "贬义", "-1"), (LabelTask.ORIGINALITY, "模版", "template")],
)  # fmt: skip
def test_synonyms_of_the_guideline_are_known(task: LabelTask, given: str, label: str, tmp_path: Path) -> None:
    rows, _ = read(tmp_path, [{"text": "好喝", "label": given}], "a.jsonl", task)
    assert [row["label"] for row in rows] == [label]


@pytest.mark.parametrize(
    ("task", "given", "says"),
    [(LabelTask.ORIGINALITY, "抄袭", "may be duplicate or rewrite"), (LabelTask.ORIGINALITY, "转载", "may be quote or duplicate"),
     (LabelTask.AUTHENTICITY, "正常", "may be genuine or"), (LabelTask.SENTIMENT, True, "a label of -1, 0, 1, found True")],
)  # fmt: skip
def test_what_may_be_several_labels_is_asked_back(task: LabelTask, given: Any, says: str, tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, [{"text": "好喝", "label": given}], "a.jsonl", task)
    assert not rows and says in problem.reason


@pytest.mark.parametrize(
    "given", ["environment|farmers", "environment｜farmers", "environment, farmers", ["environment|farmers"]]
)
def test_several_values_may_be_typed_in_one_line(given: Any, tmp_path: Path) -> None:
    rows, problems = read(tmp_path, [graded(3, expresses=given)], "a.jsonl", LabelTask.COHERENCE)
    assert [row["expresses"] for row in rows] == [["environment", "farmers"]] and not problems


VOTES = [
    ("盖子坏了", "Negative", "甲"),
    ("盖子坏了", "Negative", "乙"),
    ("盖子坏了", "Neutral", "丙"),
    ("好喝", "Positive", "甲"),
    ("好喝", "Positive", "甲"),
]


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("column.jsonl", [{"text": t, "label": said, "annotator": who} for t, said, who in VOTES]),
        ("ids.jsonl", [{"id": i, "text": t, "label": said, "annotator": who} for i, (t, said, who) in enumerate(VOTES)]),
        ("tasks.json", [{"id": i, "data": {"text": t}, "annotations": [annotation(said, completed_by=who)]} for i, (t, said, who) in enumerate(VOTES)]),
        ("mail.json", [{"data": {"text": t}, "annotations": [annotation(said, completed_by={"id": who})]} for t, said, who in VOTES]),
        ("old.jsonl", [{"text": t, "annotations": [{"label": said, "user": who}]} for t, said, who in VOTES]),
    ],
)  # fmt: skip
def test_annotators_of_one_text_vote_wherever_their_votes_stand(name: str, records: Any, tmp_path: Path) -> None:
    rows, (repeat,) = read(tmp_path, records, name)
    found = [(row["text"], row["label"], row["n_annotators"]) for row in rows]
    assert found == [("盖子坏了", "-1", 3), ("好喝", "1", 1)]
    assert repeat.is_repeat and repeat.row == 5, "one annotator has one vote"


def test_annotators_may_have_a_file_each_and_a_fault_names_its_own(tmp_path: Path) -> None:
    for who, label in (("甲", "正面"), ("乙", "赞")):
        (tmp_path / f"{who}.csv").write_text(f"text,label,annotator\n好喝,{label},{who}\n", "utf-8")
    table, (problem,) = read_labels([tmp_path / "甲.csv", tmp_path / "乙.csv"], LabelTask.SENTIMENT)
    assert not table.num_rows and f"{tmp_path / '乙.csv'}, row 2: expected a label" in problem.reason


def test_what_one_annotators_row_leaves_out_another_may_tell(tmp_path: Path) -> None:
    lines = "好喝,1,甲,,\n好喝,1,乙,a1,weibo\n好喝,1,丙,a2,douyin\n"
    rows, problems = read(tmp_path, f"text,label,annotator,group,platform\n{lines}", "a.csv")
    (row,) = rows
    assert (row["group"], row["platform"], row["n_annotators"]) == ("a1", "weibo", 3) and not problems


@pytest.mark.parametrize("user", [[1], {"id": 1}])
def test_an_annotator_is_known_whatever_its_kind(user: Any, tmp_path: Path) -> None:
    rows, problems = read(tmp_path, [{"text": "真甜", "annotations": [{"label": "正面", "user": user}]}], "a.jsonl")
    assert [(row["label"], row["n_annotators"]) for row in rows] == [("1", 1)] and not problems


def test_the_task_of_number_zero_is_a_task(tmp_path: Path) -> None:
    flat = [
        {"id": 0, "text": "盖子坏了", "sentiment": label, "annotation_id": n}
        for n, label in enumerate(("负面", "负面", "中性"))
    ]
    rows, problems = read(tmp_path, flat, "min.json")
    assert [(row["label"], row["n_annotators"]) for row in rows] == [("-1", 3)] and not problems


@pytest.mark.parametrize("given", ["5.21E+15", "inf", "-inf", float("inf"), 5.21e15 * 2, 1.5, True, "#NAME?", ["a"]])
def test_a_damaged_id_is_no_group(given: Any, tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, [{"text": "好喝", "label": 1, "group": given}], "a.jsonl")
    assert not rows and problem.reason.startswith("group: expected an id")


@pytest.mark.parametrize("given", ["nan", float("nan"), "None", "", None])
def test_what_was_not_filled_in_is_no_group_and_no_post(given: Any, tmp_path: Path) -> None:
    rows, problems = read(tmp_path, [{"text": "好喝", "label": 1, "group": given, "post": given}], "a.jsonl")
    assert [(row["group"], row["context"]) for row in rows] == [("", None)] and not problems


@pytest.mark.parametrize("given", ["nan", float("nan"), "NaN", "null", "#NAME?", "#N/A", " #REF! ", "\u200b", 7])
def test_what_no_person_wrote_is_no_text(given: Any, tmp_path: Path) -> None:
    rows, (problem,) = read(tmp_path, [{"text": given, "label": 1}], "a.jsonl")
    assert not rows and problem.reason.startswith("expected ") and repr(given)[:7] in problem.reason


@pytest.mark.parametrize("given", ["=_=", "#番茄#", "无", "-1"])
def test_short_texts_of_people_stay(given: str, tmp_path: Path) -> None:
    rows, _ = read(tmp_path, [{"text": given, "label": 1}], "a.jsonl")
    assert [row["text"] for row in rows] == [given]


def test_sentiment_of_two_classes_is_asked_back(tmp_path: Path) -> None:
    for labels in (("0", "1"), ("0.0", "1.0")):
        with pytest.raises(InputError, match="found 0 and 1 alone; write -1 or neutral instead of 0"):
            read(tmp_path, "text,label\n" + "".join(f"文{one},{one}\n" for one in labels), "a.csv")
    for labels in (("0", "1", "-1"), ("中性", "1"), ("0", "negative"), ("1",), ("0",)):
        rows, problems = read(
            tmp_path, "text,label\n" + "".join(f"文{n},{one}\n" for n, one in enumerate(labels)), "a.csv"
        )
        assert len(rows) == len(labels) and not problems


def test_annotators_who_agree_on_a_grade_and_not_on_a_value_are_told_so(tmp_path: Path) -> None:
    votes = [
        {"result": [answer("coherence", "choices", ["体现"]), answer("expresses", "choices", [one])]}
        for one in ("a", "b")
    ]
    tasks = [{"data": {"text": "稻草还田", "brand": "lvye"}, "annotations": votes}]
    rows, (problem,) = read(tmp_path, tasks, task=LabelTask.COHERENCE)
    assert not rows and "found a and b, none of them from more than half of the annotators" in problem.reason
