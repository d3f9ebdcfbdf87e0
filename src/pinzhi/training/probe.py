"""How much an encoder knows: task by task, a classifier on its frozen states beside linear models on n-grams."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from pinzhi.errors import ConfigError
from pinzhi.evaluation.baselines import linear_baseline
from pinzhi.evaluation.metrics import accuracy, bootstrap, fit_scales, macro_f1
from pinzhi.evaluation.sentence_pairs import SIMILARITY, jaccard, read_sentence_pairs, spearman
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import TextClassifier, masked_mean
from pinzhi.training.accounts import evaluate_accounts
from pinzhi.training.classifier import fit_deep, logits
from pinzhi.training.data import (
    POLAR,
    PUBLIC_LABELS,
    PUBLIC_SETS,
    CommentRow,
    PublicSet,
    Target,
    read_public,
)
from pinzhi.training.settings import ProbeSettings
from pinzhi.training.wide import Examples, fit_wide

Report = dict[str, Any]

PAIRS = tuple(f"paraphrase/{name}" for name in ("lcqmc", "bq_corpus", "afqmc", "atec", "pawsx_zh"))
ACCOUNTS = "accounts/weibo_568"
_AT_ONCE = 512  # pairs whose tokens are held


def probe(
    encoder: Encoder, data: Path, settings: ProbeSettings, only: Collection[str] | None = None
) -> Iterator[tuple[str, Report]]:
    """Task by task, figures with bootstrap intervals for every public task under `data` (or `only` those), each trained on its train and
    judged on its dev rows, the linear model on the same rows. Single texts: accuracy for two-class sentiment, else macro-F1. Pairs: accuracy
    beside the best threshold on Jaccard. stsb_zh: Spearman's correlation. Accounts do without the encoder."""
    tasks: dict[str, Callable[[], Report]] = {
        **{one.path: partial(_texts, encoder, data, one, settings) for one in PUBLIC_SETS},
        **{path: partial(_pairs, encoder, data / path, settings) for path in PAIRS},
        SIMILARITY: partial(_similarity, encoder, data / SIMILARITY),
        ACCOUNTS: partial(evaluate_accounts, data / ACCOUNTS, settings.seed),
    }
    if unknown := set(only or ()) - tasks.keys():
        raise ConfigError(
            f"expected tasks of {', '.join(tasks)}, found {sorted(unknown)[0]}; see configs/train/comparison.toml"
        )
    for path, measure in tasks.items():
        if only is None or path in only:
            yield path, measure()


def _texts(encoder: Encoder, data: Path, one: PublicSet, settings: ProbeSettings) -> Report:
    metric = accuracy if one.among == POLAR and len(one.labels) == 2 else macro_f1
    rows = read_public(data, "train", [one])
    order = np.random.default_rng(settings.seed).permutation(len(rows))[: settings.max_rows]
    (train, labels), (dev, truth) = (
        _labelled([rows[i] for i in order], one),
        _labelled(read_public(data, "dev", [one]), one),
    )
    n_classes = len(one.labels)
    torch.manual_seed(settings.seed)
    head = TextClassifier(encoder.hidden_size, n_classes)
    targets = [Target((label,), tuple(range(n_classes))) for label in labels]
    pooled, n = _pooled(encoder, head, train), int(len(train) * (1 - settings.held_back))
    fit_deep(
        head.deep, pooled[:n], targets[:n], n_classes=n_classes, epochs=settings.epochs,
        batch_size=settings.batch_size, learning_rate=settings.learning_rate, seed=settings.seed,
    )  # fmt: skip
    counted = settings.wide.model_copy(update={"is_balanced": metric is macro_f1})  # accuracy counts rows, not classes
    head.wide = fit_wide(Examples(n_classes, train[:n], [(label,) for label in labels[:n]]), counted)
    head.scale(*fit_scales(logits(head, train[n:], pooled[n:]), np.array(labels[n:])))
    deep, wide = logits(head, dev, _pooled(encoder, head, dev))
    baseline = linear_baseline().fit(train, labels)
    return {
        "metric": metric.__name__, "n_train": len(train), "n_dev": len(dev),
        "pinzhi": bootstrap(metric, np.array(truth), (deep + wide).argmax(1)),
        "deep": bootstrap(metric, np.array(truth), deep.argmax(1)),
        "tfidf": bootstrap(metric, np.array(truth), baseline.predict(dev)),
    }  # fmt: skip


def _labelled(rows: Sequence[CommentRow], one: PublicSet) -> tuple[list[str], list[int]]:
    """Texts, and their labels by their place in those of the set."""
    first = PUBLIC_LABELS.index((one.name, one.labels[0]))
    return [row.text for row in rows], [row.public.allowed[0] - first for row in rows if row.public]


@torch.no_grad()
def _pooled(encoder: Encoder, head: TextClassifier, texts: Sequence[str]) -> Tensor:
    sequences = [encoder.single(ids, "comment") for ids in encoder.token_ids(texts, 160)]
    pooled = torch.zeros((len(texts), 3 * encoder.hidden_size))
    for batch in encoder.batches(sequences):
        pooled[torch.from_numpy(batch.rows)] = head.deep.pool(encoder.hidden(batch.ids, batch.mask), batch.mask)
    return pooled


@torch.no_grad()
def _compared(encoder: Encoder, left: Sequence[str], right: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """How well two texts find each other [n, 7] and their unit vectors [n, 2, h]. Each text is encoded once, a few hundred
    pairs at a time. Of the seven, the first is the cosine of the vectors; the others are mean, least and spread of the best
    cosine of tokens, both ways."""
    found = np.zeros((len(left), 7), np.float32)
    vectors = np.zeros((len(left), 2, encoder.hidden_size), np.float32)
    common = _token_mean(encoder, left)
    for start in range(0, len(left), _AT_ONCE):
        chosen = slice(start, start + _AT_ONCE)
        sides = []
        for side, texts in enumerate((left[chosen], right[chosen])):
            tokens: list[Tensor] = [torch.zeros(0)] * len(texts)
            for batch in encoder.batches([encoder.single(ids, "post") for ids in encoder.token_ids(texts)]):
                states = encoder.hidden(batch.ids, batch.mask)
                means = nn.functional.normalize(masked_mean(states, batch.mask), dim=-1)
                vectors[start + batch.rows, side] = means.numpy()
                for row, one, mask in zip(batch.rows, states, batch.mask, strict=True):
                    tokens[row] = nn.functional.normalize(one[mask > 0][2:-1] - common, dim=-1)
            sides.append(tokens)
        for row, (a, b) in enumerate(zip(*sides, strict=True)):
            if len(a) and len(b):
                cosine = a @ b.T
                for way, best in enumerate((cosine.amax(1), cosine.amax(0))):
                    found[start + row, 1 + 3 * way : 4 + 3 * way] = (
                        float(best.mean()), float(best.min()), float(best.std(correction=0))
                    )  # fmt: skip
    found[:, 0] = (vectors[:, 0] * vectors[:, 1]).sum(1)
    return found, vectors


@torch.no_grad()
def _token_mean(encoder: Encoder, texts: Sequence[str]) -> Tensor:
    """Mean hidden state [h] of the tokens of some of `texts`: what all have in common says nothing."""
    sequences = [encoder.single(ids, "post") for ids in encoder.token_ids(texts[:500])]
    states = [encoder.hidden(batch.ids, batch.mask)[batch.mask > 0] for batch in encoder.batches(sequences)]
    return torch.cat(states).mean(0)


def _of_pairs(encoder: Encoder, left: Sequence[str], right: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Features [n, f] of pairs, and their Jaccard. The first ten compare, the others are vectors."""
    found, vectors = _compared(encoder, left, right)
    a, b = vectors[:, 0], vectors[:, 1]
    shared = jaccard(left, right)
    longer = np.log1p([[len(x), abs(len(x) - len(y))] for x, y in zip(left, right, strict=True)])
    scale = np.sqrt(a.shape[1])
    return np.concatenate(
        [np.column_stack([found, shared, longer]), np.abs(a - b) * scale, a * b * scale], axis=1
    ), shared


def _pairs(encoder: Encoder, folder: Path, settings: ProbeSettings) -> Report:
    left, right, labels = read_sentence_pairs(folder / "train.parquet")
    rows = np.random.default_rng(settings.seed).permutation(len(left))[: settings.max_pairs]
    learnt, shared = _of_pairs(encoder, [left[row] for row in rows], [right[row] for row in rows])
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=300)).fit(learnt, labels[rows])
    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.07, random_state=settings.seed)
    trees.fit(learnt[:, :10], labels[rows])
    left, right, truth = read_sentence_pairs(folder / "dev.parquet")
    features, overlap = _of_pairs(encoder, left, right)
    p = linear.predict_proba(features)[:, 1] + trees.predict_proba(features[:, :10])[:, 1]
    steps = np.unique(np.quantile(shared, np.linspace(0, 1, 200)))
    threshold = max(steps, key=lambda step: accuracy(labels[rows], (shared >= step).astype(float)))
    return {
        "metric": "accuracy", "n_train": len(rows), "n_dev": len(truth), "majority": round(float(max(truth.mean(), 1 - truth.mean())), 4),
        "pinzhi": bootstrap(accuracy, truth, (p > 1).astype(float)),
        "jaccard": bootstrap(accuracy, truth, (overlap >= threshold).astype(float)),
    }  # fmt: skip


def _similarity(encoder: Encoder, folder: Path) -> Report:
    left, right, truth = read_sentence_pairs(folder / "dev.parquet")
    found, _ = _compared(encoder, left, right)
    return {
        "metric": "spearman", "n_dev": len(truth), "pinzhi": bootstrap(spearman, truth, found[:, 0]),
        "jaccard": bootstrap(spearman, truth, jaccard(left, right)),
    }  # fmt: skip
