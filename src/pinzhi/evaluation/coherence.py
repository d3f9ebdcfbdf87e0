"""Values-coherence on brands that were never seen: grades, values, and how much of it is read from the profile."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score, cohen_kappa_score, roc_auc_score

from pinzhi.config import CoherenceConfig, ScoreConfig
from pinzhi.decide import AnyValue, any_value, grade_of
from pinzhi.evaluation.baselines import linear_baseline
from pinzhi.evaluation.metrics import bootstrap, expected_calibration_error
from pinzhi.heads.predict import Heads
from pinzhi.training.data import CoherenceRow, Value, read_coherence, split_posts

Report = dict[str, Any]
NEVER = 2.0  # no probability: nothing is explained
_THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(16))


def score_coherence(
    heads: Heads, rows: Sequence[CoherenceRow], values: dict[str, list[Value]]
) -> list[dict[str, np.ndarray]]:
    """For each row, value id -> probabilities [4]."""
    scored: list[dict[str, np.ndarray]] = [{} for _ in rows]
    for brand in sorted({row.brand for row in rows}):
        at = [i for i, row in enumerate(rows) if row.brand == brand]
        encoded = heads.encode_values([value.text for value in values[brand]])
        p, _ = heads.coherence([rows[i].text for i in at], encoded, NEVER)
        for i, row_p in zip(at, p, strict=True):
            scored[i] = {value.key: row_p[v] for v, value in enumerate(values[brand])}
    return scored


def _likely(p: dict[str, np.ndarray]) -> AnyValue:
    return any_value(
        [{"p_touches": float(x[1]), "p_expresses": float(x[2]), "p_contradicts": float(x[3])} for x in p.values()]
    )


def weighted_kappa(truth: np.ndarray, guess: np.ndarray) -> float:
    """Agreement of grades beyond chance, 1 at best; a miss weighs by its square."""
    return float(cohen_kappa_score(truth, guess, weights="quadratic"))


def choose_thresholds(likely: Sequence[AnyValue], grade: np.ndarray) -> CoherenceConfig:
    """The thresholds under which the grades agree best."""

    def agreement(settings: CoherenceConfig) -> float:
        return weighted_kappa(grade, np.array([grade_of(one, settings) for one in likely]))

    best = ScoreConfig.load().coherence
    for _ in range(2):  # one threshold after the other, twice
        for name in ("expresses_from", "contradicts_from", "touches_from"):
            best = max((best.model_copy(update={name: value}) for value in _THRESHOLDS), key=agreement)
    return best


def evaluate_thresholds(rows: Sequence[CoherenceRow], likely: Sequence[AnyValue]) -> Report:
    """Grades under the thresholds of the settings, and under thresholds that the other half of the brands chose."""
    grade = np.array([row.grade for row in rows])
    brands = np.array([row.brand for row in rows])
    names = sorted(set(brands))
    guess, chosen = np.zeros(len(rows), int), {}
    for half, listed in (("even", names[::2]), ("odd", names[1::2])):
        mine = np.isin(brands, listed)
        settings = choose_thresholds([one for one, other in zip(likely, ~mine, strict=True) if other], grade[~mine])
        guess[mine] = [int(grade_of(one, settings)) for one, own in zip(likely, mine, strict=True) if own]
        chosen[half] = settings.model_dump()
    known = ScoreConfig.load().coherence
    return {
        "qwk": bootstrap(weighted_kappa, grade, np.array([int(grade_of(one, known)) for one in likely])),
        "qwk_thresholds_of_other_brands": bootstrap(weighted_kappa, grade, guess),
        "thresholds": {**chosen, "all": choose_thresholds(likely, grade).model_dump()},
    }


def _named_first(rows: Sequence[CoherenceRow], scored: Sequence[dict[str, np.ndarray]]) -> Report:
    """How often the value that is likeliest expressed (contradicted) is one that is, in posts where some but not all are;
    beside chance. This is what is read from the profile: nothing in the post alone tells it."""
    report: Report = {}
    for name, side in (("expresses", 2), ("contradicts", 3)):
        posts = [
            (p, listed) for row, p in zip(rows, scored, strict=True) if 0 < len(listed := getattr(row, name)) < len(p)
        ]
        hits = np.array([max(p, key=lambda key: p[key][side]) in listed for p, listed in posts], float)
        report[name] = {
            **bootstrap(lambda _, hit: float(hit.mean()), hits, hits),
            "chance": round(float(np.mean([len(listed) / len(p) for p, listed in posts])), 4),
        }
    return report


def evaluate_coherence(heads: Heads, labels: Path) -> Report:
    """Grade and values on brands that were never seen, beside a text-only model and TF-IDF cosine."""
    rows, values = read_coherence(labels)
    train, dev = split_posts(rows)
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
    return {
        "auroc_expresses": bootstrap(roc_auc_score, grade == 3, expresses),
        "ece_value_expresses": round(expected_calibration_error(value_truth, value_guess), 4),
        "auroc_value_expresses": bootstrap(roc_auc_score, value_truth, value_guess),
        **evaluate_thresholds(dev, [_likely(p) for p in scored]),
        "value_named_first": _named_first(dev, scored),
        "contradiction_ap": bootstrap(average_precision_score, grade == 0, contradicts),
        "minimal_pairs_ordered": {"value": round(float(np.mean(ordered)), 4), "n": len(ordered)},
        "text_only_auroc": bootstrap(roc_auc_score, grade == 3, only),
        "tfidf_cosine_auroc": bootstrap(roc_auc_score, grade == 3, cosine),
        "brands": len({row.brand for row in dev}),
    }
