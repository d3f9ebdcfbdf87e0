"""Label files of every tool: what is read, and that nothing vanishes."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pinzhi.errors import InputError
from pinzhi.training.label_files import LabelTask, Problem, read_labels


def annotation(label: str, who: int = 1, name: str = "sentiment", **more: Any) -> dict[str, Any]:
    result = [{"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
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
    assert [row["text"] for row in rows] == ["真甜", "真甜！"]
    assert [problem.row for problem in problems] == [2, 3, 7, 8, 9]
    assert "赞" in str(problems[0]) and str(problems[0]).startswith("a.csv, row 2")


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
    [("a.txt", "好", "label file"), ("a.json", "[", "JSON"), ("a.jsonl", '{"text": "好"}\n{', "JSON"), ("a.jsonl", "[1]", "object"),
     ("a.parquet", "好", "Parquet")],
)  # fmt: skip
def test_what_is_no_label_file_is_said(name: str, content: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, content, name)


def test_a_missing_file_and_another_encoding_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found none"):
        read_labels([tmp_path / "none.csv"], LabelTask.SENTIMENT)
    (tmp_path / "gbk.csv").write_bytes("text,label\n好,1\n".encode("gbk"))
    with pytest.raises(InputError, match="UTF-8"):
        read_labels([tmp_path / "gbk.csv"], LabelTask.SENTIMENT)
