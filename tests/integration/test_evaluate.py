"""Figures of the heads: what a label owes to emoticons is shown beside what it is worth."""

import runpy
import sys
from pathlib import Path

import pytest

from pinzhi.evaluation.evaluate import evaluate_comments, masked
from pinzhi.evaluation.metrics import macro_f1
from pinzhi.heads.predict import Heads
from pinzhi.paths import models
from pinzhi.segment import Segmenter
from pinzhi.training.data import read_comments, split
from tests.conftest import ROOT


def test_comments_are_measured_with_emoticons_and_without(base: Path) -> None:
    comments = base / "comments" / "a" / "comments.jsonl"
    comments.write_text(comments.read_text("utf-8").replace('", "likes"', '[怒][怒][怒]", "likes"'), "utf-8")
    heads = Heads.load(models(), Segmenter())
    report = evaluate_comments(heads, base, None)
    rows = read_comments(base)
    _, dev = split(rows, [row.group for row in rows])
    said = heads.comments(masked([row.text for row in dev]), [row.post for row in dev])
    for task, p in zip(("sentiment", "authenticity"), said, strict=True):
        truth = [getattr(row, task).allowed[0] for row in dev]
        assert report[task]["masked_macro_f1"]["value"] == round(macro_f1(truth, p.argmax(1)), 4)
        assert {"macro_f1", "tfidf_macro_f1", "masked_tfidf_macro_f1"} < report[task].keys()
    assert report["sentiment"]["masked_macro_f1"] != report["sentiment"]["macro_f1"]
    assert masked(["好吃😂[赞]", "😂"]) == ["好吃", "。"]


def test_every_pipeline_is_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted((ROOT / "pipelines").glob("[!_]*.py")):
        monkeypatch.setattr(sys, "argv", [path.stem, "--help"])
        with pytest.raises(SystemExit, match="0"):
            runpy.run_path(str(path), run_name="__main__")
        assert f"usage: {path.stem}" in capsys.readouterr().out, f"{path.name} tells no usage"
