"""What is worth labelling goes out, and comes back labelled."""

import json
from pathlib import Path

import pytest

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
        extra = [
            {"from_name": name, "value": {"text": ["environment；farmers"]}} for name in ("expresses", "contradicts")
        ]
        one["annotations"] = [{"result": one["predictions"][0]["result"] + extra * (task is LabelTask.COHERENCE)}]
        if task is LabelTask.ORIGINALITY:
            one["annotations"][0]["result"] = [{"from_name": "originality", "value": {"choices": ["原创"]}}]
    path.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    labelled, problems = read_labels([path], task)
    assert labelled.num_rows == len(tasks) and not problems
    assert set(labelled["label"].to_pylist()) <= set(SPELLINGS[task])
    if task is LabelTask.COHERENCE:
        assert labelled["expresses"].to_pylist() == [["environment", "farmers"]]
        assert "environment" in tasks[0]["data"]["values"].split(";")


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
    assert main(["label", "export", "sentiment", "--on", str(scored), *out, "--n", "0"]) == 2
    assert "expected 1 to" in capsys.readouterr().err
