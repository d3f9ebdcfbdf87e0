"""`pinzhi train`: one comment head anew from its active weights, on our own labels and a user's, behind a gate."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from scipy.special import softmax
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn
from torch.nn import functional

from pinzhi.errors import InputError, UsageError
from pinzhi.evaluation.evaluate import macro_f1
from pinzhi.evaluation.gate import Verdict, judge
from pinzhi.evaluation.metrics import expected_calibration_error, fit_temperature
from pinzhi.heads.modules import TextClassifier, hash_ngrams
from pinzhi.heads.predict import Heads, build_head
from pinzhi.heads.store import open_active, promote
from pinzhi.segment import Segmenter
from pinzhi.training.corpus import text_key
from pinzhi.training.data import AUTHENTICITIES, SENTIMENTS, CommentRow, is_dev, read_comments, split
from pinzhi.training.label_files import LabelTask, Problem, read_labels
from pinzhi.training.publish import Described, save_version
from pinzhi.training.settings import RetrainSettings

TASKS = (LabelTask.SENTIMENT, LabelTask.AUTHENTICITY)
_CLASSES: Mapping[LabelTask, Sequence[str]] = {
    LabelTask.SENTIMENT: [str(int(one)) for one in SENTIMENTS],
    LabelTask.AUTHENTICITY: [one.value for one in AUTHENTICITIES],
}
LENGTHS = {"up to 8 characters": (0, 8), "9 to 25 characters": (9, 25), "more than 25 characters": (26, 10**9)}


@dataclass(frozen=True)
class Retrained:
    """What came of it. `n_new` new rows were trained on, `n_frozen_repeats` were left out because they repeat frozen ones."""

    task: LabelTask
    version: str
    is_promoted: bool
    verdict: Verdict
    n_new: int
    n_frozen_repeats: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Rows:
    texts: list[str]
    posts: list[str]
    labels: np.ndarray
    groups: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, at: Sequence[int]) -> "_Rows":
        return _Rows(
            [self.texts[i] for i in at],
            [self.posts[i] for i in at],
            self.labels[list(at)],
            [self.groups[i] for i in at],
        )


def retrain(
    task: LabelTask, labels: Sequence[Path], *, models: Path, base: Path, settings: RetrainSettings,
    day: str | None = None, progress: Callable[[str], None] = lambda stage: None,
) -> Retrained:  # fmt: skip
    """Train the head of `task` on the labelled sets under `base` and the label files `labels` (none: `base` alone has
    grown); the better model is promoted, the other kept as a candidate. Equal data, seed and machine give equal weights.

    Frozen rows are those of the dev accounts of `base`, which no model was trained on. Raises UsageError for a task that
    cannot be retrained alone, InputError when no label can be used.
    """
    if task not in TASKS:
        raise UsageError(
            f"expected {' or '.join(TASKS)}, found {task}: it is trained with the encoder; use `python -m pipelines.retrain DATA`"
        )
    progress("read")
    table, problems = read_labels(labels, task)
    own = read_comments(base)
    train, frozen = (_of_comments(part, task) for part in split(own, [row.group for row in own]))
    known = {text_key(text) for text in frozen.texts}
    fresh = _of_labels(table, task)
    kept = [i for i, text in enumerate(fresh.texts) if text_key(text) not in known]
    if labels and not kept:
        shown = "; ".join(map(str, problems[:3])) or f"all {len(fresh)} repeat rows of the frozen set"
        raise InputError(f"expected labels of {task} that can be used, found none ({shown})")
    repeats, fresh = len(fresh) - len(kept), fresh.take(kept)
    rows = _joined(train, fresh)

    active = Heads.load(models, Segmenter())
    progress("encode")
    everything = _joined(rows, frozen)
    pooled = _pooled(active, everything)
    progress("train")
    held = np.array([is_dev(f"temperature/{group}", settings.held_back) for group in rows.groups])
    head = _fit(active, task, rows, pooled[: len(rows)], np.flatnonzero(~held), settings)
    progress("evaluate")
    logits = _logits(head, everything, pooled)
    on_held = logits[: len(rows)][held]
    temperature = (
        fit_temperature(softmax(on_held, axis=1), rows.labels[held]) if held.any() else active.temperature(task)
    )
    after = softmax(logits[len(rows) :] / temperature, axis=1)
    before = dict(zip(TASKS, active.comments(frozen.texts, frozen.posts), strict=True))[task]
    verdict = judge(
        macro_f1, frozen.labels, before.argmax(1), after.argmax(1), _slices(frozen), seed=settings.seed,
        margin=settings.gate.margin, least_rows=settings.gate.least_rows, confidence=settings.gate.confidence,
    )  # fmt: skip
    encoder = open_active(models, "encoder")
    digest = hashlib.sha256(str(sorted(zip(fresh.texts, fresh.labels.tolist(), strict=True))).encode()).hexdigest()[:12]
    described = Described(
        encoder.version, active.encoder.segmenter.id, temperature,
        f"labels/comments (train accounts) and {len(fresh)} new rows, digest {digest}", settings.seed,
    )  # fmt: skip
    version = save_version(
        models,
        task.value,
        head,
        described,
        _report(task, verdict, frozen.labels, after),
        day or date.today().strftime("%Y%m%d"),
    )
    if verdict.is_better:
        promote(models, task.value, version)
    return Retrained(task, version, verdict.is_better, verdict, len(fresh), repeats, tuple(problems))


def _of_comments(rows: Sequence[CommentRow], task: LabelTask) -> _Rows:
    targets = [row.sentiment if task is LabelTask.SENTIMENT else row.authenticity for row in rows]
    labels = np.array([target.allowed[0] for target in targets if target is not None], dtype=np.int64)
    return _Rows([row.text for row in rows], [row.post for row in rows], labels, [row.group for row in rows])


def _of_labels(table: pa.Table, task: LabelTask) -> _Rows:
    classes = _CLASSES[task]
    labels = np.array([classes.index(label) for label in table["label"].to_pylist()], dtype=np.int64)
    groups = [
        f"labels/{group or text}"
        for group, text in zip(table["group"].to_pylist(), table["text"].to_pylist(), strict=True)
    ]
    return _Rows(table["text"].to_pylist(), [post or "" for post in table["context"].to_pylist()], labels, groups)


def _joined(one: _Rows, two: _Rows) -> _Rows:
    return _Rows(
        one.texts + two.texts, one.posts + two.posts, np.concatenate([one.labels, two.labels]), one.groups + two.groups
    )


@torch.no_grad()
def _pooled(heads: Heads, rows: _Rows) -> Tensor:
    """What the deep part reads of each comment [n, 3h]; the encoder stays as it is, so this is computed once."""
    sequences = heads.comment_sequences(rows.texts, rows.posts)
    pooled = torch.zeros((len(rows), 3 * heads.encoder.hidden_size))
    for batch in heads.encoder.batches(sequences):
        pooled[torch.from_numpy(batch.rows)] = TextClassifier.pool(
            heads.encoder.hidden(batch.ids, batch.mask), batch.mask
        )
    return pooled


class _Trained(nn.Module):
    """A head on what the encoder said once: `Trainer` wants a loss."""

    def __init__(self, head: TextClassifier) -> None:
        super().__init__()
        self.head = head

    def forward(self, pooled: Tensor, ngrams: tuple[Tensor, Tensor], labels: Tensor) -> dict[str, Tensor]:
        return {"loss": functional.cross_entropy(self.head.classify(pooled, ngrams), labels)}


def _fit(
    active: Heads, task: LabelTask, rows: _Rows, pooled: Tensor, at: np.ndarray, settings: RetrainSettings
) -> TextClassifier:
    """A copy of the active head, trained on the rows `at`."""
    from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

    set_seed(settings.seed)
    head = build_head(task.value, active.encoder.hidden_size)
    assert isinstance(head, TextClassifier)
    head.load_state_dict(active.weights(task.value))
    items = [{"row": int(row)} for row in at]

    def batch(chosen: list[dict[str, int]]) -> dict[str, Any]:
        numbers = [one["row"] for one in chosen]
        return {"pooled": pooled[numbers], "ngrams": hash_ngrams([rows.texts[i] for i in numbers]),
                "labels": torch.from_numpy(rows.labels[numbers])}  # fmt: skip

    optimizer = torch.optim.AdamW(
        [{"params": head.deep.parameters(), "lr": settings.learning_rate, "weight_decay": 0.01},
         {"params": head.wide.parameters(), "lr": settings.wide_learning_rate, "weight_decay": 0.0}]
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, per_device_train_batch_size=settings.batch_size, num_train_epochs=settings.epochs,
            lr_scheduler_type="linear", warmup_steps=20, save_strategy="no", logging_steps=10**9, report_to="none",
            seed=settings.seed, remove_unused_columns=False, dataloader_pin_memory=False, disable_tqdm=True,
        )  # fmt: skip
        trainer = Trainer(
            model=_Trained(head), args=arguments, train_dataset=items, data_collator=batch, optimizers=(optimizer, None)
        )
        trainer.remove_callback(PrinterCallback)  # stdout belongs to the caller
        trainer.train()
    return head.eval()


@torch.inference_mode()
def _logits(head: TextClassifier, rows: _Rows, pooled: Tensor) -> np.ndarray:
    return head.classify(pooled, hash_ngrams(rows.texts)).numpy()


def _slices(rows: _Rows) -> dict[str, np.ndarray]:
    """Length bands and accounts, as masks [n]."""
    lengths = np.array([len(text) for text in rows.texts])
    groups = np.array(rows.groups)
    return {name: (lengths >= low) & (lengths <= high) for name, (low, high) in LENGTHS.items()} | {
        group: groups == group for group in sorted(set(rows.groups))
    }


def _report(task: LabelTask, verdict: Verdict, truth: np.ndarray, p: np.ndarray) -> dict[str, Any]:
    guess = p.argmax(1)
    return {
        "macro_f1": {"value": verdict.after, "n": verdict.n},
        "active_macro_f1": verdict.before,
        "gain": {"low": verdict.low, "high": verdict.high},
        "reason": verdict.reason,
        "slices": [vars(part) for part in verdict.slices],
        "ece": round(expected_calibration_error(guess == truth, p.max(1)), 4),
        "labels": list(_CLASSES[task]),
        "confusion": confusion_matrix(truth, guess, labels=range(len(_CLASSES[task]))).tolist(),
    }
