"""Sentiment and authenticity: the encoder stays as it is, so each comment is read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.metrics import confusion_matrix
from torch import nn

from pinzhi.evaluation.evaluate import masked
from pinzhi.evaluation.gate import by_name, length_bands
from pinzhi.evaluation.metrics import Metric, bootstrap, expected_calibration_error, fit_loudness, macro_f1
from pinzhi.heads.modules import TextClassifier
from pinzhi.heads.predict import Heads
from pinzhi.training.classifier import fit_deep, logits, pool_comments
from pinzhi.training.corpus import held_out_keys, text_key
from pinzhi.training.data import (
    FRESH,
    POLAR,
    PUBLIC_SETS,
    CommentRow,
    Target,
    read_comments,
    read_public,
    split,
)
from pinzhi.training.fresh import without_frozen
from pinzhi.training.label_files import SPELLINGS, LabelTask, Problem
from pinzhi.training.settings import RetrainSettings
from pinzhi.training.wide import Examples, all_varied, fit_wide

_CLASSES = {task: list(SPELLINGS[task]) for task in (LabelTask.SENTIMENT, LabelTask.AUTHENTICITY)}


@dataclass(frozen=True)
class _Rows:
    texts: list[str]
    posts: list[str]
    targets: list[Target]
    groups: list[str]
    platforms: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def labels(self) -> np.ndarray:
        return np.array([target.allowed[0] for target in self.targets], dtype=np.int64)

    def take(self, at: Iterable[int]) -> "_Rows":
        rows = list(at)
        return _Rows(*([column[i] for i in rows] for column in vars(self).values()))


class CommentTraining:
    """Rows of `base` without its dev accounts, and label rows that repeat none of theirs."""

    metric: Metric = staticmethod(macro_f1)
    data = "labels/comments (train accounts)"

    def __init__(
        self, task: LabelTask, table: pa.Table, base: Path, public: Path | None, settings: RetrainSettings
    ) -> None:
        self._task, self._settings = task, settings
        own = read_comments(base)
        train, self._frozen = (_of_comments(part, task) for part in split(own, [row.group for row in own]))
        accounts = {group.removeprefix("comments/") for group in self._frozen.groups}
        table, self.problems = without_frozen(table, self._frozen.texts, groups=accounts)
        self.n_repeats = len(self.problems)
        fresh = _of_labels(_agreeing(table, train, task, self.problems), task)
        self.n_new, self._rows = len(fresh), _joined(train, fresh)
        self._n_own = len(self._frozen)
        self.seen: Sequence[str] = ()
        if public is not None:
            replayed, watched = (_of_public(public, part) for part in ("train", "dev"))
            asked = held_out_keys(public)
            replayed = replayed.take(i for i, text in enumerate(replayed.texts) if text_key(text) not in asked)
            chosen = np.random.default_rng(settings.seed).permutation(len(replayed))[: settings.replay_rows]
            self._rows = _joined(self._rows, replayed.take(chosen.tolist()))
            self._frozen = _joined(self._frozen, watched)
            self.seen = [*replayed.take(chosen.tolist()).texts, *watched.texts]
            self.data += f", {len(chosen)} public rows"

    def fit(self, active: Heads, work: Path) -> Mapping[str, tuple[nn.Module, float]]:
        """The head on the train rows. Each part is then made as loud on those of `base` as the active one: that has learnt
        them, so how often it is right there does not tell how sure it may be, and the frozen rows judge."""
        settings, rows = self._settings, self._rows
        head = active.copy(self._task.value)
        assert isinstance(head, TextClassifier)
        texts = all_varied(rows.texts, settings.wide)
        (pooled,) = pool_comments(active, [head], texts, rows.posts)
        whole = max(len(target.among) for target in rows.targets)  # public rows know two of three classes
        ours = [i for i, target in enumerate(rows.targets) if len(target.among) == whole]
        others = sorted(set(range(len(rows))) - set(ours))
        known = [i for i in ours if FRESH not in rows.groups[i]]
        shown = [texts[i] for i in known]
        before = logits(head, shown, pooled[known])
        fit_deep(
            head.deep, pooled, rows.targets, n_classes=whole, epochs=settings.epochs, batch_size=settings.batch_size,
            learning_rate=settings.learning_rate, seed=settings.seed, checkpoints=work / "checkpoints",
            save_steps=settings.save_steps,
        )  # fmt: skip
        head.wide = fit_wide(
            Examples(
                whole, rows.take(ours).texts, [rows.targets[i].allowed for i in ours], rows.take(others).texts,
                rows.take(others).labels.tolist(),
            ),
            settings.wide,
        )  # fmt: skip
        head.scale(*map(fit_loudness, logits(head, shown, pooled[known]), before))
        return {self._task.value: (head, active.temperature(self._task.value))}

    def truth(self) -> np.ndarray:
        """Classes."""
        return self._frozen.labels

    def predict(self, heads: Heads) -> np.ndarray:
        """Probabilities of all, then of our own without their emoticons."""
        own = self._frozen.take(range(self._n_own))
        shown = _joined(self._frozen, replace(own, texts=masked(own.texts)))
        sentiment, authenticity = heads.comments(shown.texts, shown.posts)
        return sentiment if self._task is LabelTask.SENTIMENT else authenticity

    def guess(self, said: np.ndarray) -> np.ndarray:
        """Classes; public sets know praise and blame alone."""
        said = said[: len(self._frozen)]
        guess, public = said.argmax(1), said[self._n_own :]
        guess[self._n_own :] = np.where(public[:, POLAR[1]] > public[:, POLAR[0]], POLAR[1], POLAR[0])
        return guess

    def main(self) -> np.ndarray:
        """Our own comments."""
        return np.arange(len(self._frozen)) < self._n_own

    def slices(self) -> dict[str, np.ndarray]:
        """Length bands of our own comments, platforms, accounts (which stand for brands) and public sets."""
        own = length_bands(self._frozen.texts[: self._n_own])
        return (
            {name: np.pad(mask, (0, len(self._frozen) - self._n_own)) for name, mask in own.items()}
            | by_name(self._frozen.platforms)
            | by_name(self._frozen.groups)
        )

    def found(self, said: np.ndarray) -> dict[str, np.ndarray]:
        """Nothing: the metric and its slices tell all."""
        return {}

    def report(self, said: np.ndarray) -> dict[str, Any]:
        """Without emoticons, calibration and confusion."""
        p, truth = said[: self._n_own], self._frozen.labels[: self._n_own]
        classes = _CLASSES[self._task]
        return {
            "masked_macro_f1": bootstrap(macro_f1, truth, said[len(self._frozen) :].argmax(1)),
            "ece": round(expected_calibration_error(p.argmax(1) == truth, p.max(1)), 4),
            "labels": list(classes),
            "confusion": confusion_matrix(truth, p.argmax(1), labels=range(len(classes))).tolist(),
        }


def _of_comments(rows: Sequence[CommentRow], task: LabelTask) -> _Rows:
    known = [(row, target) for row in rows if (target := getattr(row, task.value)) is not None]
    return _Rows(
        [row.text for row, _ in known], [row.post for row, _ in known], [target for _, target in known],
        [row.group for row, _ in known], [row.platform for row, _ in known],
    )  # fmt: skip


def _of_public(data: Path, part: str) -> _Rows:
    """Rows of the public sets that say praise or blame and nothing else."""
    return _of_comments(
        read_public(data, part, [one for one in PUBLIC_SETS if one.among == POLAR]), LabelTask.SENTIMENT
    )


def _agreeing(table: pa.Table, own: _Rows, task: LabelTask, problems: list[Problem]) -> pa.Table:
    """Label rows that call no comment otherwise than `own` rows do, under the same post or under none; the others go to `problems`."""
    said: dict[tuple[bytes, bytes], set[str]] = {}
    for text, post, label in zip(own.texts, own.posts, own.labels, strict=True):
        for under in (post, ""):
            said.setdefault((text_key(text), text_key(under)), set()).add(_CLASSES[task][label])
    kept = []
    for row in table.to_pylist():
        known = said.get((text_key(row["text"]), text_key(row["context"] or "")))
        kept.append(known is None or row["label"] in known)
        if known is not None and not kept[-1]:
            reason = f"expected {' or '.join(sorted(known))}, as the labelled sets call this comment, found {row['label']}; change one of them"
            problems.append(Problem(row["source"], row["row"], reason))
    return table.filter(pa.array(kept, pa.bool_()))


def _of_labels(table: pa.Table, task: LabelTask) -> _Rows:
    classes = _CLASSES[task]
    among = tuple(range(len(classes)))
    rows = table.to_pylist()
    return _Rows(
        [row["text"] for row in rows], [row["context"] or "" for row in rows],
        [Target((classes.index(row["label"]),), among) for row in rows],
        [f"{FRESH}{row['group'] or row['text']}" for row in rows], [row["platform"] or "" for row in rows],
    )  # fmt: skip


def _joined(one: _Rows, two: _Rows) -> _Rows:
    return _Rows(*(first + second for first, second in zip(vars(one).values(), vars(two).values(), strict=True)))
