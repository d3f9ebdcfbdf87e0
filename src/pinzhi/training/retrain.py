"""`pinzhi train`: heads anew from their active weights, on our own labels and a user's, behind a gate."""

import dataclasses
import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from torch import nn

from pinzhi.brand import BrandProfile
from pinzhi.errors import InputError, UsageError
from pinzhi.evaluation.gate import Verdict, judge, lowered
from pinzhi.evaluation.metrics import Metric
from pinzhi.heads.predict import Heads
from pinzhi.heads.store import active_versions, promote_all
from pinzhi.segment import Segmenter
from pinzhi.training.cards import SOURCES
from pinzhi.training.label_files import LabelTask, Problem, read_labels
from pinzhi.training.publish import Described, save_version
from pinzhi.training.settings import RetrainSettings


@dataclass(frozen=True)
class Retrained:
    """What came of it: head -> version. `n_new` new rows were trained on, `n_frozen_repeats` were left out because they
    repeat frozen ones. The figures are those of `metric`."""

    task: LabelTask
    versions: dict[str, str]
    is_promoted: bool
    metric: str
    verdict: Verdict
    n_new: int
    n_frozen_repeats: int
    problems: tuple[Problem, ...]

    @property
    def version(self) -> str:
        """Of the head that the task is named after."""
        return self.versions[self.task.value]


@dataclass(frozen=True)
class OfTraining(Described):
    """What a manifest says of a head that was trained here; those of one `training` are promoted and gone back from together."""

    training: str


class Training(Protocol):
    """How one task is trained and judged. `n_new`, `n_repeats` and `problems` say what became of the label rows."""

    n_new: int
    n_repeats: int
    problems: list[Problem]
    metric: Metric
    data: str  # what was trained on, for the card
    seen: Sequence[str]  # texts of other sets than `base` that are trained on or judged by

    def fit(self, active: Heads, work: Path) -> Mapping[str, tuple[nn.Module, float]]:
        """Head -> trained module and its temperature. `work` is a folder of this very training: what a killed one left
        there is gone on with."""

    def truth(self) -> np.ndarray:
        """Labels of the frozen rows."""

    def predict(self, heads: Heads) -> np.ndarray:
        """What `heads` say of the frozen rows: probabilities, scores or classes; the costly part."""

    def guess(self, said: np.ndarray) -> np.ndarray:
        """What the metric compares with the truth, from what was predicted."""

    def main(self) -> np.ndarray:
        """Mask of the frozen rows on which a gain counts; the others must only not fall."""

    def slices(self) -> dict[str, np.ndarray]:
        """Parts of the frozen rows, as masks."""

    def found(self, said: np.ndarray) -> Mapping[str, np.ndarray]:
        """Rows of a table of which no part may be lost beyond chance: by name, which of its frozen rows are found (masks)."""

    def report(self, said: np.ndarray) -> dict[str, Any]:
        """More figures for the card, from what was predicted."""


def retrain(
    task: LabelTask, labels: Sequence[Path], *, models: Path, base: Path, settings: RetrainSettings,
    brands: Sequence[BrandProfile] = (), public: Path | None = None, day: str | None = None, progress: Callable[[str], None] = lambda stage: None,
) -> Retrained:  # fmt: skip
    """Train the heads of `task` on the labelled sets under `base` and the label files `labels` (none: `base` alone has
    grown); the better model is promoted, the other kept as a candidate. Equal data, seed and machine give equal weights.

    Frozen rows are the dev rows of `base`, which no model was trained on. Coherence wants the `brands` that the labels
    name. With `public`, the folder of the public sets, sentiment replays some of their rows and must not fall on their dev
    rows. Raises InputError when no label can be used.
    """
    progress("read")
    if brands and task is not LabelTask.COHERENCE:
        raise UsageError(f"expected brand profiles for coherence alone, found some for {task}; leave out --brand")
    if public is not None and task is not LabelTask.SENTIMENT:
        raise UsageError(f"expected public sets for sentiment alone, found some for {task}; leave out --public")
    table, problems = read_labels(labels, task)
    training = _training(task, table, base, brands, public, settings)
    if labels and not training.n_new:
        found = "; ".join(map(str, [*problems, *training.problems][:3]))
        raise InputError(f"expected labels of {task} that can be used, found none ({found})")
    truth, main = training.truth(), training.main()
    if len(np.unique(truth[main])) < 2:
        raise InputError(
            f"{base}: expected frozen rows of several labels to judge by, found {int(main.sum())} of "
            f"{len(np.unique(truth[main]))}; name larger sets with --base"
        )
    before = active_versions(models)
    active = Heads.load(models, Segmenter())
    digest = _digest(table, base, brands, settings, before, training.seen)
    with _alone(models / ".training" / f"{task}-{digest}") as work:
        progress("train")
        fitted = training.fit(active, work)
    progress("evaluate")
    new = active.replaced({k: v for k, (v, _) in fitted.items()}, {k: t for k, (_, t) in fitted.items()})
    known, said = training.predict(active), training.predict(new)
    verdict = judge(
        training.metric, truth, training.guess(known), training.guess(said), training.slices(),
        seed=settings.seed, margin=settings.gate.margin, least_rows=settings.gate.least_rows,
        confidence=settings.gate.confidence, main=main, fallen=lowered(training.found(known), training.found(said)),
    )  # fmt: skip
    now = active_versions(models)
    if verdict.is_better and any(now.get(head) != before[head] for head in ("encoder", *fitted)):
        reason = "another model was promoted meanwhile; train again to compare with it"
        verdict = dataclasses.replace(verdict, is_better=False, reason=reason)
    report = {
        training.metric.__name__: {"value": verdict.after, "n": verdict.n},
        "active": verdict.before,
        "gain": {"low": verdict.low, "high": verdict.high},
        "is_better": verdict.is_better,
        "reason": verdict.reason,
        "slices": [vars(part) for part in verdict.slices],
        **training.report(said),
    }
    versions = {}
    day = day or date.today().strftime("%Y%m%d")
    # Of equal rows another machine may make other heads, of which none belongs to these.
    made = hashlib.sha256(json.dumps([day, digest, report]).encode()).hexdigest()[:12]
    for head, (module, temperature) in fitted.items():
        data = f"{training.data} and {training.n_new} new rows, digest {digest}; goes on from {before[head]} ({SOURCES[head]})"
        described = OfTraining(before["encoder"], active.encoder.segmenter.id, temperature, data, settings.seed, made)
        versions[head] = save_version(models, head, module, described, report, day)
    if verdict.is_better:
        promote_all(models, versions)
    return Retrained(
        task, versions, verdict.is_better, training.metric.__name__, verdict, training.n_new, training.n_repeats,
        (*problems, *training.problems),
    )  # fmt: skip


def _digest(
    table: pa.Table, base: Path, brands: Sequence[BrandProfile], settings: RetrainSettings, versions: Mapping[str, str],
    seen: Sequence[str],
) -> str:  # fmt: skip
    """Digest of everything that a training depends on; `seen` are texts of other sets."""
    hashed = hashlib.sha256()
    for row in table.drop_columns(["source", "row"]).to_pylist():
        hashed.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode())
    for path in sorted(base.rglob("*")):
        if path.is_file():
            hashed.update(f"{path.relative_to(base)}".encode() + path.read_bytes())
    parts = [
        *(brand.digest for brand in brands),
        settings.model_dump_json(),
        json.dumps(dict(versions), sort_keys=True),
        *seen,
    ]
    hashed.update("\n".join(parts).encode())
    return hashed.hexdigest()[:12]


@contextmanager
def _alone(work: Path) -> Iterator[Path]:
    """The folder of one training, held by one process; gone once the training has ended, kept when it was killed."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"{work}: expected to train alone, found another training of the same; wait for it"
            ) from error
        yield work
        shutil.rmtree(work, ignore_errors=True)


def _training(
    task: LabelTask, table: pa.Table, base: Path, brands: Sequence[BrandProfile], public: Path | None,
    settings: RetrainSettings,
) -> Training:  # fmt: skip
    from pinzhi.training.retrain_comments import CommentTraining
    from pinzhi.training.retrain_posts import CoherenceTraining, OriginalityTraining

    if task is LabelTask.COHERENCE:
        return CoherenceTraining(table, base, brands, settings)
    if task is LabelTask.ORIGINALITY:
        return OriginalityTraining(table, base, settings)
    return CommentTraining(task, table, base, public, settings)
