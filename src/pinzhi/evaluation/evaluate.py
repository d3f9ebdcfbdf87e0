"""Every head on its dev rows, beside its baselines trained on the same train rows."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score, roc_auc_score

from pinzhi.config import ScoreConfig
from pinzhi.evaluation.baselines import linear_baseline
from pinzhi.evaluation.coherence import evaluate_coherence
from pinzhi.evaluation.gate import rewrites_found
from pinzhi.evaluation.metrics import accuracy, bootstrap, expected_calibration_error, macro_f1
from pinzhi.evaluation.sentence_pairs import evaluate_similarity
from pinzhi.evaluation.slices import comment_slices
from pinzhi.heads.modules import PairJudge
from pinzhi.heads.predict import MANNERS, Heads
from pinzhi.labels import Authenticity
from pinzhi.originality.evidence import FEATURES, aligned_clauses, pair_features, shared_spans
from pinzhi.originality.words import WordReader
from pinzhi.segment import Segmenter
from pinzhi.text import without_emoticons
from pinzhi.training.classifier import COMMENT_HEADS, comment_logits
from pinzhi.training.data import (
    AUTHENTICITIES,
    PUBLIC_SETS,
    CommentRow,
    PairRow,
    read_comments,
    read_pairs,
    read_public,
    split,
)

Report = dict[str, Any]
_MAX_BASELINE_ROWS = 40000


def _single(rows: Sequence[CommentRow], task: str) -> np.ndarray:
    return np.array([getattr(row, task).allowed[0] for row in rows])


def masked(texts: Sequence[str]) -> list[str]:
    """`texts` without emoji and emoji codes, and a full stop where nothing else was said."""
    return [without_emoticons(text) or "。" for text in texts]


def evaluate_comments(heads: Heads, labels: Path, data: Path | None) -> Report:
    """Sentiment and authenticity on our own comments (grouped by account) and, with `data`, on public dev sets, with
    emoticons kept and masked."""
    rows = read_comments(labels)
    train, dev = split(rows, [row.group for row in rows])
    texts, posts = [row.text for row in dev], [row.post for row in dev]
    hidden = masked(texts)
    said = zip(COMMENT_HEADS, heads.comments(texts, posts), heads.comments(hidden, posts), strict=True)
    parts = comment_logits(heads, COMMENT_HEADS, texts, posts)
    report: Report = {}
    guesses: dict[str, dict[str, np.ndarray]] = {}
    for task, p, p_masked in said:
        truth = _single(dev, task)
        baseline = linear_baseline().fit([row.text for row in train], _single(train, task))
        guesses[task] = {"pinzhi": p.argmax(1), "tfidf": baseline.predict(texts)}
        deep, wide = parts[task]
        report[task] = {
            "macro_f1": bootstrap(macro_f1, truth, guesses[task]["pinzhi"]),
            "deep_macro_f1": bootstrap(macro_f1, truth, deep.argmax(1)),
            "wide_macro_f1": bootstrap(macro_f1, truth, wide.argmax(1)),
            "tfidf_macro_f1": bootstrap(macro_f1, truth, guesses[task]["tfidf"]),
            "masked_macro_f1": bootstrap(macro_f1, truth, p_masked.argmax(1)),
            "masked_tfidf_macro_f1": bootstrap(macro_f1, truth, baseline.predict(hidden)),
            "per_class_f1": [round(float(x), 4) for x in f1_score(truth, p.argmax(1), average=None)],
            "ece": round(expected_calibration_error(p.argmax(1) == truth, p.max(1)), 4),
        }
    report["public_sentiment"] = evaluate_public(heads, data) if data else {}
    report["slices"] = slices_of_comments(dev, guesses)
    return report


def slices_of_comments(rows: Sequence[CommentRow], guesses: Mapping[str, Mapping[str, np.ndarray]]) -> Report:
    """What `guesses` [n], by task and model, are worth on each slice, the text and its post alone being read; and how many genuine
    comments of it they take for water army."""
    truth = {task: _single(rows, task) for task in guesses}
    genuine, water_army = (AUTHENTICITIES.index(one) for one in (Authenticity.GENUINE, Authenticity.WATER_ARMY))
    report: Report = {}
    for name, mask in comment_slices(rows).items():
        if not mask.any():
            continue
        report[name] = {"n": int(mask.sum())}
        for task, models in guesses.items():
            for metric in (macro_f1, accuracy):
                report[name][f"{task}_{metric.__name__}"] = {
                    model: bootstrap(metric, truth[task][mask], guess[mask])
                    if metric is macro_f1 and model == "pinzhi"
                    else round(metric(truth[task][mask], guess[mask]), 4)
                    for model, guess in models.items()
                }
        at = mask & (truth["authenticity"] == genuine)
        if at.any():
            report[name]["genuine_called_water_army"] = {
                **{
                    model: round(float((guess[at] == water_army).mean()), 4)
                    for model, guess in guesses["authenticity"].items()
                },
                "n": int(at.sum()),
            }
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
            ("emoticons_masked", masked([row.text for row in chosen])),
        ):
            p, _ = heads.comments(texts, [""] * len(texts))
            report[source][kept] = {
                "accuracy": bootstrap(accuracy, truth, p[:, 2] > p[:, 0]),
                "tfidf": bootstrap(accuracy, truth, baseline.predict(texts)),
            }
        snow = np.array([SnowNLP(row.text).sentiments > 0.5 for row in chosen])
        report[source]["emoticons_kept"]["snownlp"] = bootstrap(accuracy, truth, snow)
    return report


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


def _called(rows: Sequence[PairRow], p: np.ndarray, read: WordReader) -> Report:
    """Derived and independent pairs that are called derived under the thresholds of the settings when the pair is read, whatever
    else the archive holds; a rewrite of which no passage can be shown weighs less."""
    settings = ScoreConfig.load().originality

    def is_shown(row: PairRow, is_rewrite: bool) -> bool:
        if shared_spans(row.earlier, row.later):
            return True
        earlier, later = read([row.earlier, row.later])
        return is_rewrite and bool(aligned_clauses(earlier, later, read))

    rewrite = p.argmax(1) == PairJudge.CLASSES.index("rewrite")
    shown = [is_shown(row, is_rewrite) for row, is_rewrite in zip(rows, rewrite, strict=True)]
    weight = np.where(shown, 1.0, settings.unshown_weight)
    called = p[:, 1] + weight * p[:, 2] >= settings.derived_from
    derived = np.array([row.label != "original" for row in rows])
    return {
        name: {"value": round(float(called[at].mean()), 4), "n": int(at.sum())}
        for name, at in (("of_derived", derived), ("of_independent", ~derived))
    }


def dev_pairs(labels: Path) -> list[PairRow]:
    """Pairs of the dev groups that are derived or independent."""
    pairs, _ = read_pairs(labels)
    _, dev = split(pairs, [row.group for row in pairs])
    return [row for row in dev if row.label != "quote"]


def _is_far(row: PairRow) -> bool:
    """Whether it is a rewrite that shares hardly a word with its source."""
    return (row.grade or 0) >= 4


def _told_by_later_alone(train: Sequence[PairRow], rows: Sequence[PairRow]) -> np.ndarray:
    """How much [n] the later texts of `rows` look like those of far rewrites, to char TF-IDF and a linear SVM that see no source."""
    learnt = [row for row in train if _is_far(row) or row.label == "original"]
    model = linear_baseline().fit([row.later for row in learnt], [_is_far(row) for row in learnt])
    return np.asarray(model.decision_function([row.later for row in rows]))


def _own_against_other(heads: Heads, read: WordReader, rows: Sequence[PairRow]) -> Report:
    """AUROC of what the judge says of each later text beside its own source against beside another earlier post of its topic."""
    pairs = [(row.earlier, row.later) for row in rows] + [(row.same_topic[0], row.later) for row in rows]
    p = heads.judge(pair_evidence(heads, read, pairs), pairs)
    is_own = np.arange(len(pairs)) < len(rows)
    return bootstrap(roc_auc_score, is_own, p[:, 1] + p[:, 2])


def evaluate_originality(heads: Heads, read: WordReader, labels: Path) -> Report:
    """Derived against independent pairs of the same topic, rewrites by grade, beside MinHash's Jaccard, TF-IDF and a model that reads
    the later text alone: rewriting has a manner, which must not pass for derivation. So the same rewrites also stand beside another
    post of their topic."""
    pairs, manners = read_pairs(labels)
    train, _ = split(pairs, [row.group for row in pairs])
    dev = dev_pairs(labels)
    texts = [(row.earlier, row.later) for row in dev]
    features = pair_evidence(heads, read, texts)
    p, alone = heads.judge(features, texts), heads.judge(features)
    derived = np.array([row.label in ("duplicate", "rewrite") for row in dev])
    far = ~derived | np.array([_is_far(row) for row in dev])
    score, of_evidence = p[:, 1] + p[:, 2], alone[:, 1] + alone[:, 2]
    segmenter = Segmenter()
    vectorizer = TfidfVectorizer(analyzer=lambda text: segmenter.cut(text)).fit([row.earlier for row in dev])
    tfidf = np.array([(vectorizer.transform([r.earlier]) @ vectorizer.transform([r.later]).T).sum() for r in dev])
    found = rewrites_found(~derived, score)
    by_grade = {
        str(g): {"value": round(float(found[at].mean()), 4), "n": int(at.sum())}
        for g in range(1, 6)
        if (at := np.array([row.grade == g for row in dev])).any()
    }
    rewrite = np.array([row.label == "rewrite" for row in dev]) | ~derived
    _, manner_dev = split(manners, [row.group for row in manners])
    _, manner_p = heads.posts([row.text for row in manner_dev])
    manner = np.array([MANNERS.index(row.label) for row in manner_dev])
    return {
        "derived_auroc": bootstrap(roc_auc_score, derived, score),
        "called_derived": _called(dev, p, read),
        "derived_auroc_by_evidence_alone": bootstrap(roc_auc_score, derived, of_evidence),
        "far_rewrite_auroc": bootstrap(roc_auc_score, derived[far], score[far]),
        "far_rewrite_auroc_by_evidence_alone": bootstrap(roc_auc_score, derived[far], of_evidence[far]),
        "far_rewrite_auroc_by_later_text_alone": bootstrap(
            roc_auc_score,
            derived[far],
            _told_by_later_alone(train, [row for row, is_far in zip(dev, far, strict=True) if is_far]),
        ),
        "far_rewrite_own_against_other_source": _own_against_other(
            heads, read, [row for row in dev if _is_far(row) and row.same_topic]
        ),
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


def evaluate_all(models: Path, labels: Path, data: Path | None = None, is_short: bool = False) -> Report:
    """Every report, by head: our own sets under `labels` and, with `data`, the public ones; with `is_short` by models that
    multiply short floats. Raises InputError when a named folder is not there."""
    from pinzhi.errors import InputError

    if data is not None and not (data / "sentiment").is_dir():
        raise InputError(f"{data}: expected a folder of the public sets (sentiment/, ...), found none; name it as DATA")
    heads = Heads.load(models, Segmenter(), is_short)
    read = word_reader(heads)
    reports: list[tuple[str, Callable[[], Report]]] = [
        ("comments", lambda: evaluate_comments(heads, labels, data)),
        ("coherence", lambda: evaluate_coherence(heads, labels)),
        ("originality", lambda: evaluate_originality(heads, read, labels)),
    ]
    if data is not None:
        reports.append(("encoder", lambda: {"stsb_zh": evaluate_similarity(heads.encoder, data)}))
    return {name: report() for name, report in reports}


def word_reader(heads: Heads) -> WordReader:
    """The word reader over the vectors of the heads' encoder."""
    return WordReader(heads.encoder.token_ids, heads.encoder.word_vectors.numpy(), heads.encoder.token_weights)
