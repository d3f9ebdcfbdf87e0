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
N_EXAMPLES = (0, 4, 8, 16)  # posts of a brand that its profile shows
NEVER = 2.0  # no probability: nothing is explained
_THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 18))


def score_coherence(
    heads: Heads, rows: Sequence[CoherenceRow], values: dict[str, list[Value]],
    examples: Sequence[CoherenceRow] = (),
) -> list[dict[str, np.ndarray]]:  # fmt: skip
    """For each row, value id -> probabilities [4]; `examples` are posts that the profiles show for the values they name."""
    scored: list[dict[str, np.ndarray]] = [{} for _ in rows]
    for brand in sorted({row.brand for row in rows}):
        at = [i for i, row in enumerate(rows) if row.brand == brand]
        shown = [
            [row.text for row in examples if row.brand == brand and value.key in (*row.expresses, *row.contradicts)]
            for value in values[brand]
        ]
        encoded = heads.encode_values([value.text for value in values[brand]], shown)
        p, _ = heads.coherence([rows[i].text for i in at], encoded, NEVER)
        for i, row_p in zip(at, p, strict=True):
            scored[i] = {value.key: row_p[v] for v, value in enumerate(values[brand])}
    return scored


def likely_any(p: dict[str, np.ndarray]) -> AnyValue:
    """What the probabilities of the values of one post make of it."""
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
    groups = np.array([row.group for row in rows])  # brands that are shown the same texts choose together
    names = sorted(set(groups))
    guess, chosen = np.zeros(len(rows), int), {}
    for half, listed in (("even", names[::2]), ("odd", names[1::2])):
        mine = np.isin(groups, listed)
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
        if not posts:
            continue
        hits = np.array([max(p, key=lambda key: p[key][side]) in listed for p, listed in posts], float)
        report[name] = {
            **bootstrap(lambda _, hit: float(hit.mean()), hits, hits),
            "chance": round(float(np.mean([len(listed) / len(p) for p, listed in posts])), 4),
        }
    return report


def _ordered(rows: Sequence[CoherenceRow], score: np.ndarray) -> Report:
    """How often the better of two posts scores higher: minimal pairs, which are two texts for one brand, and twins, which are one
    text shown to two brands, so that only what is read of the profile can order them."""
    of_pair: dict[str, list[tuple[int, float, str]]] = {}
    for row, said in zip(rows, score, strict=True):
        if row.pair_id:
            of_pair.setdefault(row.pair_id, []).append((row.grade, said, row.text))
    ordered: dict[str, list[bool]] = {"minimal_pairs_ordered": [], "twins_ordered": []}
    for pair in of_pair.values():
        if len(pair) == 2 and pair[0][0] != pair[1][0]:
            low, high = sorted(pair, key=lambda one: one[0])
            ordered["twins_ordered" if low[2] == high[2] else "minimal_pairs_ordered"].append(high[1] > low[1])
    return {name: {"value": round(float(np.mean(hits)), 4), "n": len(hits)} for name, hits in ordered.items() if hits}


def evaluate_examples(heads: Heads, rows: Sequence[CoherenceRow], values: dict[str, list[Value]]) -> Report:
    """What a few labelled posts in the profile of a brand add, with no training: figures on the other posts of every brand
    that has enough, by how many of its posts are shown as examples."""
    most = N_EXAMPLES[-1]
    shown: list[list[CoherenceRow]] = []
    asked: list[CoherenceRow] = []
    for brand in sorted({row.brand for row in rows}):
        own = [row for row in rows if row.brand == brand]
        order = [own[at] for at in np.random.default_rng(len(own)).permutation(len(own))]
        named = [row for row in order if row.expresses or row.contradicts][:most]
        if len(named) == most and len(own) >= 2 * most:
            texts = {row.text for row in named}
            shown.append(named)
            asked += [row for row in own if row.text not in texts]
    report: Report = {"brands": len(shown), "n": len(asked)}
    for n in N_EXAMPLES if asked else ():
        scored = score_coherence(heads, asked, values, [row for named in shown for row in named[:n]])
        named_first = _named_first(asked, scored)
        report[str(n)] = {
            "auroc_value_expresses": bootstrap(roc_auc_score, *_of_values(asked, scored)),
            **{side: named_first[side]["value"] for side in named_first},
        }
    return report


def _of_values(rows: Sequence[CoherenceRow], scored: Sequence[dict[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each value of each post is expressed, and how likely that was said to be."""
    truth = np.array([key in row.expresses for row, p in zip(rows, scored, strict=True) for key in p])
    return truth, np.array([p[key][2] for p in scored for key in p])


def evaluate_coherence(heads: Heads, labels: Path) -> Report:
    """Grade and values on brands that were never seen, beside a text-only model and TF-IDF cosine."""
    rows, values = read_coherence(labels)
    train, dev = split_posts(rows)
    scored = score_coherence(heads, dev, values)
    likely = [likely_any(p) for p in scored]
    expresses = np.array([one.expresses for one in likely])
    contradicts = np.array([one.contradicts for one in likely])
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
    value_truth, value_guess = _of_values(dev, scored)
    return {
        "auroc_expresses": bootstrap(roc_auc_score, grade == 3, expresses),
        "ece_value_expresses": round(expected_calibration_error(value_truth, value_guess), 4),
        "auroc_value_expresses": bootstrap(roc_auc_score, value_truth, value_guess),
        **evaluate_thresholds(dev, likely),
        "value_named_first": _named_first(dev, scored),
        "by_examples_shown": evaluate_examples(heads, dev, values),
        "contradiction_ap": bootstrap(average_precision_score, grade == 0, contradicts),
        **_ordered(dev, np.array([one.score for one in likely])),
        "text_only_auroc": bootstrap(roc_auc_score, grade == 3, only),
        "tfidf_cosine_auroc": bootstrap(roc_auc_score, grade == 3, cosine),
        "brands": len({row.brand for row in dev}),
    }
