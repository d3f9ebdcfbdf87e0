"""What becomes of a training once it has ended: what is promoted, what is gone back from, what is noted, what is left."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from pinzhi.cli import main
from pinzhi.errors import UsageError
from pinzhi.heads.predict import Heads
from pinzhi.heads.store import Version, active_versions, open_active, promote, rollback, show, write_version
from pinzhi.training.label_files import LabelTask, Problem
from pinzhi.training.retrain import Retrained, retrain
from pinzhi.training.settings import RetrainSettings
from tests.conftest import ROOT


def share_right(truth: np.ndarray, guess: np.ndarray) -> float:
    return float((truth == guess).mean())


class Rehearsal:
    """A training that is over at once: the active weights of `heads`, said to be right where those in use are wrong, or the
    reverse. `during` is done while it trains, with its folder. With `loses` they miss what those in use find."""

    n_new, n_repeats, data, metric = 3, 0, "rows", staticmethod(share_right)
    problems: Sequence[Problem] = ()
    seen: Sequence[str] = ()

    def __init__(
        self, heads: Sequence[str], is_better: bool = True, during: Callable[[Path], object] = lambda work: None,
        loses: str = "",
    ) -> None:  # fmt: skip
        self._heads, self._is_better, self._during, self._loses = heads, is_better, during, loses

    def fit(self, active: Heads, work: Path) -> dict[str, tuple[nn.Module, float]]:
        self._active = active
        self._during(work)
        return {head: (active.copy(head), 1.5) for head in self._heads}

    def truth(self) -> np.ndarray:
        return np.tile([0, 1], 50)

    def predict(self, heads: Heads) -> np.ndarray:
        is_right = self._is_better == (heads is not self._active)
        return self.truth() if is_right else 1 - self.truth()

    def guess(self, said: np.ndarray) -> np.ndarray:
        return said

    def main(self) -> np.ndarray:
        return self.truth() >= 0

    def slices(self) -> dict[str, np.ndarray]:
        return {}

    def found(self, said: np.ndarray) -> dict[str, np.ndarray]:
        return {self._loses: said != self.truth()} if self._loses else {}

    def report(self, said: np.ndarray) -> dict[str, Any]:
        return {}


def rehearse(
    monkeypatch: pytest.MonkeyPatch, store: Path, base: Path, task: LabelTask, training: Rehearsal
) -> Retrained:
    monkeypatch.setattr("pinzhi.training.retrain._training", lambda *_: training)
    settings = RetrainSettings.load(ROOT / "configs" / "train" / "retrain.toml")
    return retrain(task, [], models=store, base=base, settings=settings, day="20990101")


def test_what_was_trained_together_is_promoted_and_gone_back_from_together(
    store: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, pair = active_versions(store), ("manner", "originality")
    done = rehearse(monkeypatch, store, base, LabelTask.ORIGINALITY, Rehearsal(pair))
    assert done.is_promoted and active_versions(store) == before | done.versions and set(done.versions) == set(pair)
    rollback(store, "originality")
    assert active_versions(store) == before
    refused = rehearse(monkeypatch, store, base, LabelTask.ORIGINALITY, Rehearsal(pair, is_better=False))
    assert not refused.is_promoted and active_versions(store) == before
    assert show(store, "manner", refused.versions["manner"]).kept_back() == refused.verdict.reason
    promote(store, "manner", refused.versions["manner"])
    assert active_versions(store) == before | refused.versions
    rollback(store, "manner")
    assert active_versions(store) == before


def test_what_is_better_on_the_whole_is_kept_back_where_it_loses_a_row_of_the_table(
    store: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = rehearse(
        monkeypatch, store, base, LabelTask.SENTIMENT, Rehearsal(["sentiment"], loses="rewrites of grade 4")
    )
    assert done.verdict.after > done.verdict.before and not done.is_promoted
    assert done.verdict.reason == "it falls from 1.000 to 0.000 on rewrites of grade 4 (100 rows)"


@pytest.mark.parametrize(("meanwhile", "is_promoted"), [("sentiment", True), ("authenticity", False)])
def test_a_training_minds_only_what_it_would_replace(
    meanwhile: str, is_promoted: bool, store: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = open_active(store, meanwhile)
    described = {k: v for k, v in found.manifest.items() if k not in ("head", "files")}
    other = write_version(store, meanwhile, found.folder, described | {"seed": 99}, "20990101")
    training = Rehearsal(["authenticity"], during=lambda work: promote(store, meanwhile, other))
    done = rehearse(monkeypatch, store, base, LabelTask.AUTHENTICITY, training)
    assert done.is_promoted == is_promoted and active_versions(store)[meanwhile] == other
    assert (active_versions(store)["authenticity"] == done.version) == is_promoted
    assert is_promoted or "promoted meanwhile" in done.verdict.reason


def test_a_version_says_what_it_was_made_of(store: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = active_versions(store)
    done = rehearse(monkeypatch, store, base, LabelTask.SENTIMENT, Rehearsal(["sentiment"]))
    version = open_active(store, "sentiment")
    told, seed = version.manifest, RetrainSettings.load(ROOT / "configs" / "train" / "retrain.toml").seed
    assert (told["date"], told["seed"], told["encoder"], told["temperature"]) == (
        "20990101", seed, before["encoder"], 1.5,
    )  # fmt: skip
    assert f"goes on from {before['sentiment']}" in told["data"] and "rows and 3 new rows" in told["data"]
    card = (version.folder / "README.md").read_text("utf-8")
    assert told["data"] in card and done.verdict.reason in card
    (base / "comments" / "a" / "posts.jsonl").write_text("", "utf-8")
    rollback(store, "sentiment")
    rehearse(monkeypatch, store, base, LabelTask.SENTIMENT, Rehearsal(["sentiment"]))
    assert digest_of(open_active(store, "sentiment")) != digest_of(version), "other rows, the same digest"


def digest_of(version: Version) -> str:
    """Of all that it was trained on."""
    found = re.search("digest ([0-9a-f]{12});", version.manifest["data"])
    assert found
    return found[1]


def test_a_training_leaves_its_folder_only_where_it_did_not_end(
    store: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(work: Path) -> None:
        (work / "checkpoint").touch()

    def fail(work: Path) -> None:
        leave(work)
        raise KeyboardInterrupt

    def start_again(work: Path) -> None:
        assert (work / "checkpoint").exists(), "what the killed one left is gone"
        with pytest.raises(UsageError, match="expected to train alone"):
            rehearse(monkeypatch, store, base, LabelTask.SENTIMENT, Rehearsal(["sentiment"]))

    with pytest.raises(KeyboardInterrupt):
        rehearse(monkeypatch, store, base, LabelTask.SENTIMENT, Rehearsal(["sentiment"], during=fail))
    assert list((store / ".training").glob("sentiment-*/checkpoint"))
    assert main(["models", "list", "--models", str(store)]) == 0
    rehearse(monkeypatch, store, base, LabelTask.SENTIMENT, Rehearsal(["sentiment"], during=start_again))
    assert not list((store / ".training").iterdir())
