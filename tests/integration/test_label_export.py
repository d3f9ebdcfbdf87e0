"""What is worth labelling goes out, and comes back labelled."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pinzhi.brand import BrandProfile
from pinzhi.cli import main
from pinzhi.labels import ORIGINALITY_CLASSES, Authenticity, Grade, Sentiment
from pinzhi.training.label_export import CHINESE, Unlabelled, choose, labelling_page
from pinzhi.training.label_files import SPELLINGS, LabelTask, read_labels
from tests.conftest import ROOT, small_archive

BRAND = ["--brand", str(ROOT / "configs" / "brands" / "lvye.yaml")]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PINZHI_KEY_FILE", str(folder / "key"))
        assert main(["run", str(small_archive(folder)), *BRAND, "--out", str(folder / "out"), "-q"]) == 0
    return folder / "out"


@pytest.mark.parametrize("task", list(LabelTask))
def test_a_label_studio_file_comes_back_labelled(scored: Path, tmp_path: Path, task: LabelTask) -> None:
    path = tmp_path / "tasks.json"
    assert main(["label", "export", task.value, "--on", str(scored), "--out", str(path), "--n", "3", "-q"]) == 0
    tasks = json.loads(path.read_text("utf-8"))
    assert len(tasks) == (3 if task in (LabelTask.SENTIMENT, LabelTask.AUTHENTICITY) else 1)
    assert all(one["predictions"][0]["model_version"] for one in tasks)
    assert all(0 < one["predictions"][0].get("score", 1) <= 1 for one in tasks)
    unlabelled, problems = read_labels([path], task)
    assert unlabelled.num_rows == 0 and all("found none" in problem.reason for problem in problems)
    assert len(problems) == len(tasks)
    for one in tasks:
        one["annotations"] = [{"result": one["predictions"][0]["result"]}]
        if task is LabelTask.ORIGINALITY:
            one["annotations"][0]["result"] = [{"from_name": "originality", "value": {"choices": ["原创"]}}]
        if task is LabelTask.COHERENCE:
            one["annotations"][0]["result"] = [{"from_name": "coherence", "value": {"choices": ["体现"]}},
                                               {"from_name": "expresses", "value": {"choices": ["environment", "farmers"]}}]  # fmt: skip
    path.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    labelled, problems = read_labels([path], task)
    assert labelled.num_rows == len(tasks) and not problems
    assert set(labelled["label"].to_pylist()) <= set(SPELLINGS[task])
    if task is LabelTask.COHERENCE:
        assert labelled["expresses"].to_pylist() == [["environment", "farmers"]]
        assert labelled["brand"].to_pylist() == ["lvye"]
    again = ["label", "export", task.value, "--on", str(scored), "--out", str(tmp_path / "more.json"), "-q"]
    more = main([*again, "--labelled", str(path)])
    if task in (LabelTask.SENTIMENT, LabelTask.AUTHENTICITY):
        others = json.loads((tmp_path / "more.json").read_text("utf-8"))
        assert more == 0 and len(others) == 2
        assert not {one["data"]["text"] for one in others} & set(labelled["text"].to_pylist())
    else:
        assert more == 2 and not (tmp_path / "more.json").exists()


def test_a_folder_of_labels_is_left_out_and_unlabelled_tasks_are_not(scored: Path, tmp_path: Path) -> None:
    labels, command = tmp_path / "labels", ["label", "export", "sentiment", "--on", str(scored), "-q"]
    assert main([*command, "--out", str(labels / "old" / "tasks.json")]) == 0
    (labels / "b.csv").write_text("text,label\n种子 哪里买,中性\n支持，一直喝你们家的 @某人,1\n", "utf-8")
    assert main([*command, "--out", str(tmp_path / "new.json"), "--labelled", str(labels)]) == 0
    texts = {one["data"]["text"] for one in json.loads((tmp_path / "new.json").read_text("utf-8"))}
    assert len(texts) == 3 and not any("种子" in text or "支持" in text for text in texts)


def test_the_page_of_coherence_shows_brand_and_values_in_words_and_gives_ids_back(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tasks.json"
    command = ["label", "export", "coherence", "--on", str(scored), "--out", str(path), "-q"]
    assert main([*command, *BRAND]) == 0
    profile = BrandProfile.load(Path(BRAND[1]))
    (shown,) = (one["data"] for one in json.loads(path.read_text("utf-8")))
    assert shown["brand_name"] == "绿野" and shown["brand"] == "lvye"
    assert all(f"{value.name}（{value.id}）：{value.statement}" in shown["values"] for value in profile.values)
    assert shown["options"] == [{"value": value.id, "html": value.name} for value in profile.values]
    page = ElementTree.fromstring((tmp_path / "tasks.json.xml").read_text("utf-8"))
    assert {"$brand_name", "$values", "$text"} <= {text.get("value") for text in page.iter("Text")}
    lists = [one for one in page.iter("Choices") if one.get("value") == "$options"]
    assert [one.get("name") for one in lists] == ["expresses", "contradicts", "touches"]
    assert all(one.get("choice") == "multiple" for one in lists)
    assert main([*command, "--force", "--brand", str(ROOT / "configs" / "brands" / "langang.yaml")]) == 2
    assert "profile of lvye" in capsys.readouterr().err


def test_no_file_is_overwritten_unasked(scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tasks.json"
    command = ["label", "export", "sentiment", "--on", str(scored), "--out", str(path), "-q"]
    path.write_text("labelled by hand", "utf-8")
    assert main(command) == 2 and path.read_text("utf-8") == "labelled by hand"
    assert "--force" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0 and path.read_text("utf-8").startswith("[")
    path.unlink()
    assert main(command) == 2, "its page would have been overwritten"


@pytest.mark.parametrize(
    ("form", "name", "wanted"), [("doccano", "a.json", ".jsonl"), ("label-studio", "a.jsonl", ".json"), ("label-studio", "a", ".json")]
)  # fmt: skip
def test_a_name_that_would_not_be_read_again_is_refused(
    form: str, name: str, wanted: str, scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["label", "export", "sentiment", "--on", str(scored), "--out", str(tmp_path / name), "--format", form]
    assert main(command) == 2 and not list(tmp_path.iterdir())
    assert f"ends in {wanted}," in capsys.readouterr().err


def test_doccano_lines_carry_predictions_that_are_no_labels(scored: Path, tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    command = ["label", "export", "sentiment", "--on", str(scored), "--out", str(path), "--format", "doccano", "-q"]
    assert main(command) == 0
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) == 5 and all(row["label"] == [] and row["prediction"] for row in rows)
    assert all(row["post"].startswith("三号地") for row in rows)
    assert read_labels([path], LabelTask.SENTIMENT)[0].num_rows == 0
    path.write_text("".join(json.dumps({**row, "label": ["正面"]}, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    table, problems = read_labels([path], LabelTask.SENTIMENT)
    assert table["label"].to_pylist() == ["1"] * 5 and not problems


def test_no_author_leaves_the_archive(scored: Path, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    main(["label", "export", "authenticity", "--on", str(scored), "--out", str(path), "-q"])
    said = path.read_text("utf-8")
    assert "某某" not in said and "author" not in said and "@朋友" not in said and "@…" in said
    assert len({one["data"]["group"] for one in json.loads(said)}) == 1 and '"group": "a"' not in said


def test_the_unsure_come_first_and_the_alike_once() -> None:
    def row(text: str, doubt: float) -> Unlabelled:
        return Unlabelled({"text": text}, "0", 0.5, doubt, "v")

    alike = [row(f"这家店的蛋糕太甜了吃不完{i}", 0.9) for i in range(5)]
    other, sure = row("物流三天还没动，问客服没人回", 0.6), row("不错", 0.01)
    chosen = choose([sure, *alike, other], 2)
    assert chosen[0] in alike and chosen[1] is other
    assert choose([], 3) == [] and len(choose([sure, other], 9)) == 2


def test_the_page_offers_the_labels_of_the_guideline() -> None:
    n = {LabelTask.SENTIMENT: Sentiment, LabelTask.AUTHENTICITY: Authenticity, LabelTask.COHERENCE: Grade}
    for task in LabelTask:
        assert len(CHINESE[task]) == len(n.get(task, ORIGINALITY_CLASSES))
        assert all(f'"{label}"' in labelling_page(task) for label in CHINESE[task])


def test_bad_requests_are_said(scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "a.json")]
    assert main(["label", "export", "mood", "--on", str(scored), *out]) == 2
    assert main(["label", "export", "sentiment", "--on", str(tmp_path), *out]) == 2
    assert main(["label", "export", "coherence", "--on", str(scored), *out, "--format", "doccano"]) == 2
    assert main(["label", "export", "sentiment", "--on", str(scored), *out, *BRAND]) == 2
    assert main(["label", "export", "sentiment", "--on", str(scored), *out, "--labelled", str(tmp_path / "none")]) == 2
    assert main(["label", "export", "sentiment", "--on", str(scored), *out, "--n", "0"]) == 2
    assert "expected 1 to" in capsys.readouterr().err
