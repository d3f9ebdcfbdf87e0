"""`pinzhi train` on a small base: what is learnt, what is refused, and the gate."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pinzhi.cli import main
from pinzhi.evaluation.evaluate import macro_f1
from pinzhi.evaluation.gate import judge
from pinzhi.heads.store import active_versions, open_active
from tests.conftest import ROOT

N_POSTS = 14


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "models", tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The first posts of the bundled set, with their comments."""
    source, target = ROOT / "data" / "labels" / "comments" / "a", tmp_path / "base" / "comments" / "a"
    target.mkdir(parents=True)
    posts = [json.loads(line) for line in (source / "posts.jsonl").read_text("utf-8").splitlines()][:N_POSTS]
    ids = {post["post_id"] for post in posts}
    lines = (source / "comments.jsonl").read_text("utf-8").splitlines()
    (target / "posts.jsonl").write_text("\n".join(map(json.dumps, posts)), "utf-8")
    (target / "comments.jsonl").write_text(
        "\n".join(one for one in lines if json.loads(one)["post_id"] in ids), "utf-8"
    )
    return tmp_path / "base"


def write(path: Path, *rows: tuple[str, str]) -> Path:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), "utf-8")
    return path


def train(capsys: pytest.CaptureFixture[str], *arguments: Any) -> dict[str, Any]:
    assert main(["train", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_labels_are_learnt_reported_and_kept_or_promoted(
    store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "new.csv", ("茶汤清亮，回甘很久", "1"), ("客服三天不理人", "负面"), ("怎么卖", "赞"))
    before = active_versions(store)["sentiment"]
    first = train(capsys, "sentiment", labels, "--models", store, "--base", base)
    assert first["n_new"] == 2 and [problem["row"] for problem in first["problems"]] == [4]
    assert active_versions(store)["sentiment"] == (first["version"] if first["is_promoted"] else before)
    assert first["is_promoted"] == first["verdict"]["is_better"] and first["verdict"]["reason"]
    card = json.loads((store / "sentiment" / first["version"] / "metrics.json").read_text("utf-8"))
    assert np.array(card["confusion"]).sum() == first["verdict"]["n"] and 0 <= card["ece"] <= 1
    if first["is_promoted"]:
        assert open_active(store, "sentiment").version == first["version"]
        assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 0
        capsys.readouterr()
    again = train(capsys, "sentiment", labels, "--models", store, "--base", base)
    assert again["version"] == first["version"], "equal data and seed, other weights"


def test_rows_of_the_frozen_set_are_not_trained_on(store: Path, base: Path, tmp_path: Path) -> None:
    from pinzhi.training.data import read_comments, split

    rows = read_comments(base)
    _, frozen = split(rows, [row.group for row in rows])
    assert frozen, "the small base has no frozen rows"
    labels = write(tmp_path / "a.csv", *((row.text.replace(",", "，"), "1") for row in frozen[:3]))
    assert main(["train", "sentiment", str(labels), "--models", str(store), "--base", str(base)]) == 2


@pytest.mark.parametrize(
    ("task", "says"), [("mood", "expected a task of"), ("coherence", "pipelines.retrain"), ("sentiment", "found none")]
)
def test_what_cannot_be_trained_is_said(
    task: str, says: str, store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "a.csv", ("怎么卖", "赞"))
    assert main(["train", task, str(labels), "--models", str(store), "--base", str(base)]) == 2
    assert says in capsys.readouterr().err


def guesses(truth: np.ndarray, n_wrong: int, among: np.ndarray) -> np.ndarray:
    wrong = truth.copy()
    at = np.flatnonzero(among)[:n_wrong]
    wrong[at] = 1 - wrong[at]
    return wrong


def test_the_gate_wants_a_sure_gain_and_no_slice_that_falls() -> None:
    truth = np.tile([0, 1], 200)
    everywhere, half = np.ones(400, dtype=bool), np.arange(400) < 60

    def gate(before: np.ndarray, after: np.ndarray) -> tuple[bool, str]:
        found = judge(
            macro_f1,
            truth,
            before,
            after,
            {"wide": everywhere, "small": half},
            margin=0.03,
            least_rows=25,
            n_samples=200,
        )
        return found.is_better, found.reason

    poor, good = guesses(truth, 80, ~half), guesses(truth, 20, ~half)
    assert gate(poor, good)[0]
    assert not gate(good, poor)[0] and "not sure" in gate(good, poor)[1]
    assert not gate(good, good)[0]
    uneven = guesses(truth, 10, half)
    better_but = gate(poor, uneven)
    assert not better_but[0] and "small" in better_but[1]
