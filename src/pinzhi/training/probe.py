"""How much an encoder knows: task by task, a classifier on its frozen states beside linear models on n-grams."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from pinzhi.errors import ConfigError
from pinzhi.evaluation.baselines import linear_baseline
from pinzhi.evaluation.metrics import Metric, accuracy, bootstrap, fit_scales, macro_f1
from pinzhi.evaluation.sentence_pairs import SIMILARITY, jaccard, read_sentence_pairs, spearman
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import DeepClassifier, TextClassifier, masked_mean
from pinzhi.text import without_emoticons
from pinzhi.training.accounts import ACCOUNTS, evaluate_accounts
from pinzhi.training.classifier import fit_deep, logits, pool_texts
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
from pinzhi.training.tuning import tune
from pinzhi.training.wide import Examples, all_varied, fit_wide

Report = dict[str, Any]

# Pairs of sentences and the label of those that are the most alike.
PAIRS = {
    **{f"paraphrase/{name}": 1 for name in ("lcqmc", "bq_corpus", "afqmc", "atec", "pawsx_zh")},
    SIMILARITY: 5,
}
_AT_ONCE = 512  # pairs whose tokens are held


def probe(
    encoder: Encoder, data: Path, settings: ProbeSettings, only: Collection[str] | None = None
) -> Iterator[tuple[str, Report]]:
    """Task by task, figures with bootstrap intervals for every public task under `data` (or `only` those), each trained on its train and
    judged on its dev rows, the linear model on the same rows. Single texts: accuracy for two-class sentiment, else macro-F1, with emoji and
    emoji codes and ("masked") without. Pairs: accuracy beside the best threshold on Jaccard; where likeness is graded,
    Spearman's correlation. Accounts do without the encoder."""
    tasks: dict[str, Callable[[], Report]] = {
        **{one.path: partial(_texts, encoder, data, one, settings) for one in PUBLIC_SETS},
        **{path: partial(_pairs, encoder, data / path, most, settings) for path, most in PAIRS.items()},
        ACCOUNTS: partial(evaluate_accounts, data / ACCOUNTS, settings.seed),
    }
    if unknown := set(only or ()) - tasks.keys():
        raise ConfigError(f"expected tasks of {', '.join(tasks)}, found {sorted(unknown)[0]}; see configs/train/")
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
    n_classes, n = len(one.labels), int(len(train) * (1 - settings.held_back))
    counted = settings.wide.model_copy(update={"is_balanced": metric is macro_f1})  # accuracy counts rows, not classes
    examples = [Examples(n_classes, train[:m], [(label,) for label in labels[:m]]) for m in (n, len(train))]
    head = TextClassifier(encoder.hidden_size, n_classes)
    reader, head.deep = _fit_deep(encoder, examples[0], settings)
    head.wide = fit_wide(examples[0], counted)
    held = logits(head, train[n:], pool_texts(reader, head.deep, _sequences(reader, train[n:])))
    scales = fit_scales(held, np.array(labels[n:]))
    # Rows by which the two parts were weighed are learnt from too, as the linear model does, where that takes seconds.
    head.wide = fit_wide(examples[1], counted)
    if settings.tuning is None:
        _, head.deep = _fit_deep(encoder, examples[1], settings)
    head.scale(*scales)
    baseline = linear_baseline().fit(train, labels)
    report: Report = {"metric": metric.__name__, "n_train": len(train), "n_dev": len(dev)}
    masked = [without_emoticons(text) for text in dev]
    for suffix, texts in (("", dev), ("_masked", masked)) if masked != dev else (("", dev),):
        deep, wide = logits(head, texts, pool_texts(reader, head.deep, _sequences(reader, texts)))
        guesses = {"pinzhi": deep + wide, "deep": deep}
        report |= {name + suffix: bootstrap(metric, np.array(truth), one.argmax(1)) for name, one in guesses.items()}
        report["tfidf" + suffix] = bootstrap(metric, np.array(truth), baseline.predict(texts))
    return report


def _fit_deep(encoder: Encoder, examples: Examples, settings: ProbeSettings) -> tuple[Encoder, DeepClassifier]:
    """A classifier that has learnt `examples` and the encoder that it reads with: with `tuning` a copy that has learnt them
    too, in part without their emoji and emoji codes."""
    torch.manual_seed(settings.seed)
    head, n_classes = DeepClassifier(encoder.hidden_size, examples.n_classes), examples.n_classes
    labels = [label for (label,) in examples.labels]
    if settings.tuning is None:
        fit_deep(
            head, pool_texts(encoder, head, _sequences(encoder, examples.texts)),
            [Target((label,), tuple(range(n_classes))) for label in labels], n_classes=n_classes, epochs=settings.epochs,
            batch_size=settings.batch_size, learning_rate=settings.learning_rate, seed=settings.seed,
        )  # fmt: skip
        return encoder, head
    sequences = _sequences(encoder, all_varied(examples.texts, settings.wide))
    return tune(encoder, head, sequences, np.eye(n_classes)[labels], settings.tuning, settings.seed), head


def _labelled(rows: Sequence[CommentRow], one: PublicSet) -> tuple[list[str], list[int]]:
    """Texts, and their labels by their place in those of the set."""
    first = PUBLIC_LABELS.index((one.name, one.labels[0]))
    return [row.text for row in rows], [row.public.allowed[0] - first for row in rows if row.public]


def _sequences(encoder: Encoder, texts: Sequence[str]) -> list[list[int]]:
    return [encoder.single(ids, "comment") for ids in encoder.token_ids(texts, 160)]


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


def _joined(encoder: Encoder, left: Sequence[str], right: Sequence[str]) -> list[list[int]]:
    """Both texts of every pair in one sequence."""
    sides = [encoder.token_ids(texts, 80) for texts in (left, right)]
    return [
        [*encoder.single(one, "post"), *two, encoder.tokenizer.sep_token_id] for one, two in zip(*sides, strict=True)
    ]


def _shared(likeness: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers, classes and weights by which a classifier of two classes learns `likeness` [n], 0-1: a pair that is alike
    by half is shown as both."""
    rows = np.repeat(np.arange(len(likeness)), 2)
    classes = np.tile([1, 0], len(likeness))
    weights = np.where(classes == 1, likeness[rows], 1 - likeness[rows])
    shown = weights > 0
    return rows[shown], classes[shown], weights[shown]


def _pairs(encoder: Encoder, folder: Path, most: int, settings: ProbeSettings) -> Report:
    every_left, every_right, labels = read_sentence_pairs(folder / "train.parquet")
    rows = np.random.default_rng(settings.seed).permutation(len(labels))[: settings.max_pairs]
    left, right, likeness = [every_left[row] for row in rows], [every_right[row] for row in rows], labels[rows] / most
    n = int(len(rows) * (1 - settings.held_back)) if settings.tuning else len(rows)
    learnt, shared = _of_pairs(encoder, left, right)
    at, classes, weights = _shared(likeness[:n])
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=300))
    linear.fit(learnt[at], classes, logisticregression__sample_weight=weights)
    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.07, random_state=settings.seed)
    trees.fit(learnt[at, :10], classes, sample_weight=weights)

    def frozen(features: np.ndarray) -> np.ndarray:
        return (linear.predict_proba(features)[:, 1] + trees.predict_proba(features[:, :10])[:, 1]) / 2

    dev_left, dev_right, truth = read_sentence_pairs(folder / "dev.parquet")
    features, overlap = _of_pairs(encoder, dev_left, dev_right)
    p = frozen(features)
    is_graded = most > 1
    metric: Metric = spearman if is_graded else accuracy
    report: Report = {"metric": metric.__name__, "n_train": len(rows), "n_dev": len(truth)}
    if is_graded:
        baseline = overlap
    else:
        steps = np.unique(np.quantile(shared, np.linspace(0, 1, 200)))
        threshold = max(steps, key=lambda step: accuracy(likeness, (shared >= step).astype(float)))
        baseline = (overlap >= threshold).astype(float)
        report["majority"] = round(float(max(truth.mean(), 1 - truth.mean())), 4)
    if settings.tuning:
        torch.manual_seed(settings.seed)
        head = DeepClassifier(encoder.hidden_size, 2)
        shares = np.column_stack([1 - likeness, likeness])[:n]
        tuned = tune(encoder, head, _joined(encoder, left[:n], right[:n]), shares, settings.tuning, settings.seed)
        held, asked = (
            np.column_stack([_odds(tuned, head, *sides), logit(np.clip(known, 1e-4, 1 - 1e-4))])
            for sides, known in (((left[n:], right[n:]), frozen(learnt[n:])), ((dev_left, dev_right), p))
        )
        at, classes, weights = _shared(likeness[n:])
        p = LogisticRegression().fit(held[at], classes, weights).predict_proba(asked)[:, 1]
        deep = asked[:, 0] if is_graded else (asked[:, 0] > 0).astype(float)
        report["deep"] = bootstrap(metric, truth, deep)
    return {
        **report, "pinzhi": bootstrap(metric, truth, p if is_graded else (p > 0.5).astype(float)),
        "jaccard": bootstrap(metric, truth, baseline),
    }  # fmt: skip


@torch.no_grad()
def _odds(encoder: Encoder, head: DeepClassifier, left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """Log odds [n] that both say the same."""
    said = head.layers(pool_texts(encoder, head, _joined(encoder, left, right)))
    return (said[:, 1] - said[:, 0]).numpy()
