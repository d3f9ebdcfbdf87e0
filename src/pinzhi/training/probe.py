"""How much an encoder knows: task by task, a classifier on its frozen states beside linear models on n-grams."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from pinzhi.evaluation.evaluate import accuracy, linear_baseline, macro_f1
from pinzhi.evaluation.metrics import bootstrap
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import TextClassifier, masked_mean
from pinzhi.text import letters, normalise
from pinzhi.training.classifier import fit, logits
from pinzhi.training.data import Target
from pinzhi.training.settings import ProbeSettings

Report = dict[str, Any]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class _Texts:
    """A set of single texts and its metric."""

    path: str
    columns: tuple[str, ...] = ("text",)
    metric: Callable[[np.ndarray, np.ndarray], float] = macro_f1


TEXTS = (
    _Texts("sentiment/online_shopping_10_cats", metric=accuracy),
    _Texts("sentiment/chnsenticorp_htl", metric=accuracy),
    _Texts("sentiment/waimai_10k", metric=accuracy),
    _Texts("sentiment/weibo2018", metric=accuracy),
    _Texts("emotion/smp2020_ewect"),
    _Texts("emotion/weibo_moods8"),
    _Texts("emotion/covid19_weibo_7emo"),
    _Texts("spam/group_chat_ads"),
    _Texts("spam/game_chat_ads"),
    _Texts("rumor/weibo_rumor"),
    _Texts("clickbait/hancd_clickbait", ("title", "content")),
    _Texts("topic/thucnews_titles"),
    _Texts("topic/nlpcc2017_headline"),
)
PAIRS = ("lcqmc", "bq_corpus", "afqmc", "atec", "pawsx_zh")


def probe(encoder: Encoder, data: Path, settings: ProbeSettings, progress: Progress = lambda task: None) -> Report:
    """Figures with bootstrap intervals for every public task under `data`, each trained on its train and judged on its dev
    rows, the linear model on the same rows. Single texts: accuracy for two-class sentiment, else macro-F1. Pairs: accuracy
    beside the best threshold on Jaccard. stsb_zh: Spearman's correlation."""
    report: Report = {}
    for task in TEXTS:
        progress(task.path)
        report[task.path] = _texts(encoder, data / task.path, task, settings)
    for name in PAIRS:
        progress(name)
        report[f"paraphrase/{name}"] = _pairs(encoder, data / "paraphrase" / name, settings)
    progress("stsb_zh")
    report["similarity/stsb_zh"] = _similarity(encoder, data / "similarity" / "stsb_zh")
    return report


def _texts(encoder: Encoder, folder: Path, task: _Texts, settings: ProbeSettings) -> Report:
    (train, train_labels), (dev, dev_labels) = (
        _read(folder / f"{part}.parquet", task.columns) for part in ("train", "dev")
    )
    rows = np.random.default_rng(settings.seed).permutation(len(train))[: settings.max_rows]
    train, train_labels = [train[row] for row in rows], train_labels[rows]
    classes = np.unique(train_labels)
    known = np.isin(dev_labels, classes)
    dev, truth = [text for text, kept in zip(dev, known, strict=True) if kept], dev_labels[known]
    torch.manual_seed(settings.seed)
    head = TextClassifier(encoder.hidden_size, len(classes))
    among = tuple(range(len(classes)))
    targets = [Target((int(label),), among) for label in np.searchsorted(classes, train_labels)]
    fit(
        head, train, _pooled(encoder, head, train), targets, epochs=settings.epochs,
        batch_size=settings.batch_size, learning_rate=settings.learning_rate,
        wide_learning_rate=settings.wide_learning_rate, seed=settings.seed,
    )  # fmt: skip
    guess = classes[logits(head, dev, _pooled(encoder, head, dev)).argmax(1)]
    baseline = linear_baseline().fit(train, train_labels)
    return {
        "metric": task.metric.__name__, "n_train": len(train), "n_dev": len(dev),
        "pinzhi": bootstrap(task.metric, truth, guess),
        "tfidf": bootstrap(task.metric, truth, baseline.predict(dev)),
    }  # fmt: skip


def _read(path: Path, columns: Sequence[str]) -> tuple[list[str], np.ndarray]:
    table = pq.read_table(path, columns=[*columns, "label"])
    texts = ["\n".join(filter(None, row)) for row in zip(*(table[c].to_pylist() for c in columns), strict=True)]
    return texts, np.array([str(label) for label in table["label"].to_pylist()])


@torch.no_grad()
def _pooled(encoder: Encoder, head: TextClassifier, texts: Sequence[str]) -> Tensor:
    sequences = [encoder.single(ids, "comment") for ids in encoder.token_ids(texts, 160)]
    pooled = torch.zeros((len(texts), 3 * encoder.hidden_size))
    for batch in encoder.batches(sequences):
        pooled[torch.from_numpy(batch.rows)] = head.pool(encoder.hidden(batch.ids, batch.mask), batch.mask)
    return pooled


@torch.no_grad()
def _vectors(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    """Mean hidden states [n, h], of length 1."""
    vectors = np.zeros((len(texts), encoder.hidden_size), np.float32)
    for batch in encoder.batches([encoder.single(ids, "post") for ids in encoder.token_ids(texts)]):
        vectors[batch.rows] = masked_mean(encoder.hidden(batch.ids, batch.mask), batch.mask).numpy()
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _read_pairs(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    table = pq.read_table(path, columns=["text_a", "text_b", "label"])
    return (
        table["text_a"].to_pylist(),
        table["text_b"].to_pylist(),
        np.array([float(x) for x in table["label"].to_pylist()]),
    )


def _grams(text: str) -> set[str]:
    spoken = letters(normalise(text).text)
    return {spoken[i : i + n] for n in (1, 2) for i in range(len(spoken) - n + 1)}


def _jaccard(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    sets = [(_grams(a), _grams(b)) for a, b in zip(left, right, strict=True)]
    return np.array([len(a & b) / max(1, len(a | b)) for a, b in sets])


def _of_pairs(encoder: Encoder, left: Sequence[str], right: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Features [n, f] of pairs, and their Jaccard."""
    a, b = _vectors(encoder, left), _vectors(encoder, right)
    shared = _jaccard(left, right)
    cosine = (a * b).sum(1)
    scale = np.sqrt(a.shape[1])
    plain = np.stack([cosine, cosine**2, shared, shared**2, cosine * shared], axis=1)
    return np.concatenate([plain, np.abs(a - b) * scale, a * b * scale], axis=1), shared


def _pairs(encoder: Encoder, folder: Path, settings: ProbeSettings) -> Report:
    left, right, labels = _read_pairs(folder / "train.parquet")
    rows = np.random.default_rng(settings.seed).permutation(len(left))[: settings.max_rows]
    learnt, shared = _of_pairs(encoder, [left[row] for row in rows], [right[row] for row in rows])
    model = LogisticRegression(C=1.0, max_iter=300).fit(learnt, labels[rows])
    left, right, truth = _read_pairs(folder / "dev.parquet")
    features, overlap = _of_pairs(encoder, left, right)
    steps = np.unique(np.quantile(shared, np.linspace(0, 1, 200)))
    threshold = max(steps, key=lambda step: accuracy(labels[rows], (shared >= step).astype(float)))
    return {
        "metric": "accuracy", "n_train": len(rows), "n_dev": len(truth), "majority": round(float(max(truth.mean(), 1 - truth.mean())), 4),
        "pinzhi": bootstrap(accuracy, truth, model.predict(features)),
        "jaccard": bootstrap(accuracy, truth, (overlap >= threshold).astype(float)),
    }  # fmt: skip


def _similarity(encoder: Encoder, folder: Path) -> Report:
    left, right, truth = _read_pairs(folder / "dev.parquet")

    def spearman(one: np.ndarray, two: np.ndarray) -> float:
        return float(spearmanr(one, two).statistic)

    cosine = (_vectors(encoder, left) * _vectors(encoder, right)).sum(1)
    return {
        "metric": "spearman", "n_dev": len(truth), "pinzhi": bootstrap(spearman, truth, cosine),
        "jaccard": bootstrap(spearman, truth, _jaccard(left, right)),
    }  # fmt: skip
