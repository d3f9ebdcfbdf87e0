"""Every head on its dev rows, beside its baselines trained on the same train rows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, average_precision_score, cohen_kappa_score, f1_score, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from pinzhi.config import ScoreConfig
from pinzhi.decide import coherence as decide_coherence
from pinzhi.evaluation.metrics import bootstrap, expected_calibration_error
from pinzhi.heads.predict import MANNERS, Heads
from pinzhi.originality.evidence import FEATURES, pair_features
from pinzhi.originality.words import WordReader
from pinzhi.segment import Segmenter
from pinzhi.text import without_emoticons
from pinzhi.training.classifier import comment_logits
from pinzhi.training.data import (
    PUBLIC_SETS,
    CoherenceRow,
    CommentRow,
    Value,
    read_coherence,
    read_comments,
    read_pairs,
    read_public,
    split,
)

Report = dict[str, Any]
_MAX_BASELINE_ROWS = 40000


def linear_baseline() -> Pipeline:
    """Character 1-4-gram TF-IDF and a linear support vector machine."""
    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=300_000),
        LinearSVC(C=0.5),
    )


def macro_f1(truth: np.ndarray, guess: np.ndarray) -> float:
    """Unweighted mean of the F1 of all classes."""
    return float(f1_score(truth, guess, average="macro", zero_division=0))


def accuracy(truth: np.ndarray, guess: np.ndarray) -> float:
    """Share of equal labels."""
    return float(accuracy_score(truth, guess))


def _single(rows: Sequence[CommentRow], task: str) -> np.ndarray:
    return np.array([getattr(row, task).allowed[0] for row in rows])


def evaluate_comments(heads: Heads, labels: Path, data: Path | None) -> Report:
    """Sentiment and authenticity on our own comments (grouped by account) and, with `data`, on public dev sets, masked and
    not."""
    rows = read_comments(labels)
    train, dev = split(rows, [row.group for row in rows])
    sentiment, authenticity = heads.comments([row.text for row in dev], [row.post for row in dev])
    report: Report = {}
    for task, p in (("sentiment", sentiment), ("authenticity", authenticity)):
        truth = _single(dev, task)
        baseline = linear_baseline().fit([row.text for row in train], _single(train, task))
        deep, wide = comment_logits(heads, task, [row.text for row in dev], [row.post for row in dev])
        report[task] = {
            "macro_f1": bootstrap(macro_f1, truth, p.argmax(1)),
            "deep_macro_f1": bootstrap(macro_f1, truth, deep.argmax(1)),
            "wide_macro_f1": bootstrap(macro_f1, truth, wide.argmax(1)),
            "tfidf_macro_f1": bootstrap(macro_f1, truth, baseline.predict([row.text for row in dev])),
            "per_class_f1": [round(float(x), 4) for x in f1_score(truth, p.argmax(1), average=None)],
            "ece": round(expected_calibration_error(p.argmax(1) == truth, p.max(1)), 4),
        }
    report["public_sentiment"] = evaluate_public(heads, data) if data else {}
    return report


def evaluate_public(heads: Heads, data: Path) -> Report:
    """Two-class sentiment, accuracy, with emoticons kept and masked."""
    from snownlp import SnowNLP

    report: Report = {}
    for source in ("online_shopping_10_cats", "chnsenticorp_htl", "waimai_10k", "weibo2018"):
        one = next(one for one in PUBLIC_SETS if one.name == source)
        chosen = read_public(data, "dev", [one])
        learn = read_public(data, "train", [one])[:_MAX_BASELINE_ROWS]
        truth = _single(chosen, "sentiment") == 2
        baseline = linear_baseline().fit([row.text for row in learn], _single(learn, "sentiment") == 2)
        report[source] = {}
        for kept, texts in (
            ("emoticons_kept", [row.text for row in chosen]),
            ("emoticons_masked", [without_emoticons(row.text) or "。" for row in chosen]),
        ):
            p, _ = heads.comments(texts, [""] * len(texts))
            report[source][kept] = {
                "accuracy": bootstrap(accuracy, truth, p[:, 2] > p[:, 0]),
                "tfidf": bootstrap(accuracy, truth, baseline.predict(texts)),
            }
        snow = np.array([SnowNLP(row.text).sentiments > 0.5 for row in chosen])
        report[source]["emoticons_kept"]["snownlp"] = bootstrap(accuracy, truth, snow)
    return report


def score_coherence(
    heads: Heads, rows: Sequence[CoherenceRow], values: dict[str, list[Value]]
) -> list[dict[str, np.ndarray]]:
    """For each row, value id -> probabilities [4]."""
    scored: list[dict[str, np.ndarray]] = [{} for _ in rows]
    for brand in sorted({row.brand for row in rows}):
        at = [i for i, row in enumerate(rows) if row.brand == brand]
        encoded = heads.encode_values([value.text for value in values[brand]])
        p, _ = heads.coherence([rows[i].text for i in at], encoded, explain_from=2.0)
        for i, row_p in zip(at, p, strict=True):
            scored[i] = {value.key: row_p[v] for v, value in enumerate(values[brand])}
    return scored


def post_grade(p: dict[str, np.ndarray], config: ScoreConfig) -> int:
    """Grade of a post from the probabilities of its values, under the thresholds of `config`."""
    values = [{"p_touches": float(x[1]), "p_expresses": float(x[2]), "p_contradicts": float(x[3])} for x in p.values()]
    _, grade = decide_coherence(values, config)
    return 1 if grade is None else int(grade)


def evaluate_coherence(heads: Heads, labels: Path) -> Report:
    """Grade and values on brands that were never seen, beside a text-only model and TF-IDF cosine."""
    rows, values = read_coherence(labels)
    train, dev = split(rows, [row.brand for row in rows])
    scored = score_coherence(heads, dev, values)
    expresses = np.array([max(p[2] for p in row.values()) for row in scored])
    contradicts = np.array([max(p[3] for p in row.values()) for row in scored])
    grade = np.array([row.grade for row in dev])
    text_only = linear_baseline().fit([row.text for row in train], [row.grade == 3 for row in train])
    only = text_only.decision_function([row.text for row in dev])
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit([row.text for row in train])
    cosine = np.array(
        [
            (vectorizer.transform([row.text]) @ vectorizer.transform([v.text for v in values[row.brand]]).T).max()
            for row in dev
        ]
    )
    value_truth = np.array([key in row.expresses for row, p in zip(dev, scored, strict=True) for key in p])
    value_guess = np.array([p[key][2] for p in scored for key in p])
    order: dict[str, list[tuple[int, float]]] = {}
    for row, p in zip(dev, expresses - contradicts, strict=True):
        if row.pair_id:
            order.setdefault(row.pair_id, []).append((row.grade, p))
    pairs = [sorted(pair, key=lambda x: x[0]) for pair in order.values() if len(pair) == 2]
    ordered = [high[1] > low[1] for low, high in pairs if low[0] != high[0]]
    config = ScoreConfig.load()
    top = np.array([post_grade(p, config) for p in scored])
    return {
        "auroc_expresses": bootstrap(roc_auc_score, grade == 3, expresses),
        "auroc_value_expresses": bootstrap(roc_auc_score, value_truth, value_guess),
        "qwk": bootstrap(lambda t, g: float(cohen_kappa_score(t, g, weights="quadratic")), grade, top),
        "contradiction_ap": bootstrap(average_precision_score, grade == 0, contradicts),
        "minimal_pairs_ordered": {"value": round(float(np.mean(ordered)), 4), "n": len(ordered)},
        "text_only_auroc": bootstrap(roc_auc_score, grade == 3, only),
        "tfidf_cosine_auroc": bootstrap(roc_auc_score, grade == 3, cosine),
        "brands": len({row.brand for row in dev}),
    }


def pair_evidence(heads: Heads, read: WordReader, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    """Features [n, f] of (earlier, later) pairs."""
    texts = sorted({text for pair in pairs for text in pair})
    vectors, _ = heads.posts(texts)
    at = {text: i for i, text in enumerate(texts)}
    words = dict(zip(texts, read(texts), strict=True))
    rows = [
        pair_features(words[earlier], words[later], float(vectors[at[earlier]] @ vectors[at[later]]))
        for earlier, later in pairs
    ]
    return np.stack(rows) if rows else np.zeros((0, len(FEATURES)), np.float32)


def evaluate_originality(heads: Heads, read: WordReader, labels: Path) -> Report:
    """Derived against independent pairs of the same topic, rewrites by grade, beside MinHash's Jaccard and TF-IDF."""
    pairs, manners = read_pairs(labels)
    _, dev = split(pairs, [row.group for row in pairs])
    dev = [row for row in dev if row.label != "quote"]
    features = pair_evidence(heads, read, [(row.earlier, row.later) for row in dev])
    p = heads.judge(features)
    derived = np.array([row.label in ("duplicate", "rewrite") for row in dev])
    score = p[:, 1] + p[:, 2]
    segmenter = Segmenter()
    vectorizer = TfidfVectorizer(analyzer=lambda text: segmenter.cut(text)).fit([row.earlier for row in dev])
    tfidf = np.array([(vectorizer.transform([r.earlier]) @ vectorizer.transform([r.later]).T).sum() for r in dev])
    threshold = np.quantile(score[~derived], 0.95)
    by_grade = {
        str(g): {"value": round(float((score[at] > threshold).mean()), 4), "n": int(at.sum())}
        for g in range(1, 6)
        if (at := np.array([row.grade == g for row in dev])).any()
    }
    rewrite = np.array([row.label == "rewrite" for row in dev]) | ~derived
    _, manner_dev = split(manners, [row.group for row in manners])
    _, manner_p = heads.posts([row.text for row in manner_dev])
    manner = np.array([MANNERS.index(row.label) for row in manner_dev])
    return {
        "derived_auroc": bootstrap(roc_auc_score, derived, score),
        "rewrite_auroc": bootstrap(roc_auc_score, derived[rewrite], score[rewrite]),
        "minhash_jaccard_auroc": bootstrap(roc_auc_score, derived, features[:, FEATURES.index("jaccard_4")]),
        "tfidf_auroc": bootstrap(roc_auc_score, derived, tfidf),
        "embedding_auroc": bootstrap(roc_auc_score, derived, features[:, FEATURES.index("embedding_cosine")]),
        "recall_by_grade_at_5_percent_false": by_grade,
        "duplicate_f1": bootstrap(
            lambda t, g: float(f1_score(t, g)), np.array([r.label == "duplicate" for r in dev]), p.argmax(1) == 1
        ),
        "manner_f1": {
            name: round(float(f1_score(manner == i, manner_p.argmax(1) == i)), 4) for i, name in enumerate(MANNERS)
        },
    }


def evaluate_all(models: Path, labels: Path, data: Path | None = None) -> Report:
    """Every report, by head: our own sets under `labels` and, with `data`, the public ones. Raises InputError when a named
    folder is not there."""
    from pinzhi.errors import InputError

    if data is not None and not (data / "sentiment").is_dir():
        raise InputError(f"{data}: expected a folder of the public sets (sentiment/, ...), found none; name it as DATA")
    heads = Heads.load(models, Segmenter())
    read = word_reader(heads)
    reports: list[tuple[str, Callable[[], Report]]] = [
        ("comments", lambda: evaluate_comments(heads, labels, data)),
        ("coherence", lambda: evaluate_coherence(heads, labels)),
        ("originality", lambda: evaluate_originality(heads, read, labels)),
    ]
    return {name: report() for name, report in reports}


def word_reader(heads: Heads) -> WordReader:
    """The word reader over the vectors of the heads' encoder."""
    return WordReader(heads.encoder.token_ids, heads.encoder.word_vectors.numpy(), heads.encoder.token_weights())
