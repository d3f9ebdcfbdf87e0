"""Values-coherence on brands that were never seen: grades, values, and how much of it is read from the profile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, cohen_kappa_score, roc_auc_score

from pinzhi.decide import AnyValue, any_value
from pinzhi.evaluation.baselines import Likeness, embedding_cosine, keyword_overlap, linear_baseline, tfidf_cosine
from pinzhi.evaluation.metrics import bootstrap, expected_calibration_error
from pinzhi.evaluation.slices import coherence_slices
from pinzhi.heads.modules import ValueMatcher
from pinzhi.heads.predict import Heads
from pinzhi.labels import Grade
from pinzhi.segment import Segmenter
from pinzhi.training.data import CoherenceRow, Target, Value, joined, read_coherence, split_posts
from pinzhi.training.multitask import grade_class, value_target
from pinzhi.training.value_weights import SaidOfValues, fit_weights

Report = dict[str, Any]
Scored = list[dict[str, np.ndarray]]  # by post: value id -> probabilities [4], or what a baseline has in their place
N_EXAMPLES = (0, 4, 8, 16)  # posts of a brand that its profile shows
_READ_WHOLE = 240  # characters of a text that no model cuts
NEVER = 2.0  # no probability: nothing is explained


def score_coherence(
    heads: Heads, rows: Sequence[CoherenceRow], values: dict[str, list[Value]],
    examples: Sequence[CoherenceRow] = (),
) -> Scored:  # fmt: skip
    """For each row, value id -> probabilities [4]; `examples` are posts that the profiles show for the values they name."""

    def score(brand: str, texts: list[str]) -> np.ndarray:
        shown = [
            [row.text for row in examples if row.brand == brand and value.key in (*row.expresses, *row.contradicts)]
            for value in values[brand]
        ]
        encoded = heads.encode_values([value.text for value in values[brand]], shown)
        return heads.coherence(texts, encoded, NEVER)[0]

    return _by_brand(rows, values, score)


def _by_brand(
    rows: Sequence[CoherenceRow], values: Mapping[str, list[Value]], score: Callable[[str, list[str]], np.ndarray]
) -> Scored:
    """For each row, value id -> what `score` makes of it, of a brand and its posts [n, v, ...]."""
    scored: Scored = [{} for _ in rows]
    for brand in sorted({row.brand for row in rows}):
        at = [i for i, row in enumerate(rows) if row.brand == brand]
        for i, p in zip(at, score(brand, [rows[i].text for i in at]), strict=True):
            scored[i] = {value.key: p[v] for v, value in enumerate(values[brand])}
    return scored


def likely_any(p: dict[str, np.ndarray]) -> AnyValue:
    """What the probabilities of the values of one post make of it."""
    return any_value(
        [{"p_touches": float(x[1]), "p_expresses": float(x[2]), "p_contradicts": float(x[3])} for x in p.values()]
    )


def weighted_kappa(truth: np.ndarray, guess: np.ndarray) -> float:
    """Agreement of grades beyond chance, 1 at best; a miss weighs by its square."""
    return float(cohen_kappa_score(truth, guess, weights="quadratic"))


def said_of_values(
    heads: Heads, rows: Sequence[CoherenceRow], values: Mapping[str, list[Value]]
) -> tuple[SaidOfValues, SaidOfValues]:
    """What the parts of the matcher say of every value of every post under the profile of its own brand, and under that of another."""

    def say(brand: str, texts: list[str]) -> np.ndarray:
        return heads.value_parts(texts, heads.encode_values([value.text for value in values[brand]]))

    def said(rows: Sequence[CoherenceRow], known: Callable[[CoherenceRow, Value], Target]) -> SaidOfValues:
        parts = [one for row in _by_brand(rows, values, say) for one in row.values()]
        shape = len(ValueMatcher.PARTS), len(ValueMatcher.CLASSES)
        return SaidOfValues(
            np.stack(parts) if parts else np.zeros((0, *shape), np.float32),
            np.array([at for at, row in enumerate(rows) for _ in values[row.brand]], dtype=int),
            [known(row, value) for row in rows for value in values[row.brand]],
            np.array([grade_class(row) for row in rows], dtype=int),
        )

    own = said(rows, lambda row, value: value_target(row, value.key, True))
    return own, said(under_another_brand(rows), lambda row, value: Target((0,), (0, 1, 2, 3)))


def evaluate_cross_fitted(heads: Heads, rows: Sequence[CoherenceRow], values: Mapping[str, list[Value]]) -> Report:
    """Figures where the parts of the matcher are weighed on one half of the brands and asked about the other: the shipped weights are
    fitted on all dev rows."""
    own, other = said_of_values(heads, rows, values)
    groups = np.array([row.group for row in rows])  # brands that are shown the same texts stay together
    half = np.isin(groups, np.unique(groups)[::2])
    if half.all() or not len(other.grade):
        return {}
    scored: Scored = [{} for _ in rows]
    for chosen in (half, ~half):
        asked = own.of(chosen)
        p = fit_weights(own.of(~chosen), other.of(~chosen)).probabilities(asked.parts)
        for post, at in enumerate(np.flatnonzero(chosen).tolist()):
            keys = [value.key for value in values[rows[at].brand]]
            scored[at] = dict(zip(keys, p[asked.post_of == post], strict=True))
    likely = [likely_any(one) for one in scored]
    return {
        "auroc_expresses": bootstrap(roc_auc_score, _is(rows, Grade.EXPRESSES), np.array([one.expresses for one in likely])),
        "contradiction_ap": bootstrap(average_precision_score, _is(rows, Grade.CONTRADICTS), np.array([one.contradicts for one in likely])),
        "qwk": bootstrap(weighted_kappa, np.array([row.grade for row in rows]), _grades(likely)),
        "value_named_first": _named_first(rows, scored),
        **_ordered(rows, np.array([one.score for one in likely])),
    }  # fmt: skip


def _is(rows: Sequence[CoherenceRow], grade: Grade) -> np.ndarray:
    return np.array([row.grade == grade for row in rows])


def _grades(likely: Sequence[AnyValue]) -> np.ndarray:
    return np.array([int(one.grade) for one in likely])


def _named_first(rows: Sequence[CoherenceRow], scored: Scored) -> Report:
    """How often the value that is likeliest expressed (contradicted) is one that is, in posts where some but not all are;
    beside chance. This is what is read from the profile: nothing in the post alone tells it. Of values that are equally
    likely one is drawn."""
    report: Report = {}
    for name, side in (("expresses", 2), ("contradicts", 3)):
        posts = [
            (p, listed) for row, p in zip(rows, scored, strict=True) if 0 < len(listed := getattr(row, name)) < len(p)
        ]
        if not posts:
            continue
        likeliest = [[key for key in p if p[key][side] == max(one[side] for one in p.values())] for p, _ in posts]
        hits = np.array(
            [np.mean([key in listed for key in keys]) for keys, (_, listed) in zip(likeliest, posts, strict=True)]
        )
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


def _of_values(rows: Sequence[CoherenceRow], scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Whether each value of each post is expressed, and how likely that was said to be."""
    truth = np.array([key in row.expresses for row, p in zip(rows, scored, strict=True) for key in p])
    return truth, np.array([p[key][2] for p in scored for key in p])


@dataclass(frozen=True)
class Said:
    """What a model makes of n posts: by value, and how likely any value is expressed [n] and any contradicted [n]."""

    scored: Scored
    expresses: np.ndarray
    contradicts: np.ndarray

    def of(self, at: Sequence[int] | np.ndarray) -> "Said":
        """The same of the posts of the numbers `at`."""
        return Said([self.scored[i] for i in at], self.expresses[at], self.contradicts[at])


Model = Callable[[Sequence[CoherenceRow]], Said]
OURS, TEXT_ONLY = "pinzhi", "text_only"


def models_compared(
    heads: Heads, train: Sequence[CoherenceRow], values: dict[str, list[Value]], segmenter: Segmenter
) -> dict[str, Model]:
    """Ours, and what could be used instead, by name."""
    texts = [row.text for row in train]
    text_only = {
        grade: linear_baseline().fit(texts, [row.grade == grade for row in train])
        for grade in (Grade.EXPRESSES, Grade.CONTRADICTS)
    }

    def ours(rows: Sequence[CoherenceRow]) -> Said:
        scored = score_coherence(heads, rows, values)
        likely = [likely_any(p) for p in scored]
        return Said(scored, np.array([x.expresses for x in likely]), np.array([x.contradicts for x in likely]))

    def baseline(score: Callable[[str, list[str]], np.ndarray]) -> Model:
        def say(rows: Sequence[CoherenceRow]) -> Said:
            scored = _by_brand(rows, values, score)
            return Said(scored, *(np.array([max(x[side] for x in p.values()) for p in scored]) for side in (2, 3)))

        return say

    def of_likeness(like: Likeness) -> Model:
        # it says that a value is spoken of, not on which side
        return baseline(lambda brand, posts: like(posts, [v.text for v in values[brand]])[..., None].repeat(4, -1))

    def of_text(brand: str, posts: list[str]) -> np.ndarray:
        sides = np.zeros((len(posts), len(values[brand]), 4))
        for side, grade in ((2, Grade.EXPRESSES), (3, Grade.CONTRADICTS)):
            sides[..., side] = text_only[grade].decision_function(posts)[:, None]
        return sides

    return {
        OURS: ours,
        "keyword_overlap": of_likeness(keyword_overlap(segmenter)),
        "tfidf_cosine": of_likeness(tfidf_cosine(texts)),
        "embedding_cosine": of_likeness(embedding_cosine(heads)),
        TEXT_ONLY: baseline(of_text),
    }


def slice_figures(rows: Sequence[CoherenceRow], said: Mapping[str, Said]) -> Report:
    """Figures of one slice, each by model, as far as the labels in it allow; an interval for ours."""
    grade = np.array([row.grade for row in rows])
    expressed, contradicted = grade == Grade.EXPRESSES, grade == Grade.CONTRADICTS
    of_values = {name: _of_values(rows, one.scored) for name, one in said.items()}
    named = {name: _named_first(rows, one.scored) for name, one in said.items()}
    report: Report = {"n": len(rows)}
    if 0 < expressed.sum() < len(rows):
        report["auroc_expresses"] = {
            name: round(float(roc_auc_score(expressed, one.expresses)), 4) for name, one in said.items()
        }
        report["auroc_expresses"][OURS] = bootstrap(roc_auc_score, expressed, said[OURS].expresses)
    if of_values[OURS][0].any():
        report["auroc_value_expresses"] = {
            name: round(float(roc_auc_score(*one)), 4) for name, one in of_values.items()
        }
    for side, ours in named[OURS].items():
        report[f"named_first_{side}"] = {
            **{name: one[side]["value"] for name, one in named.items()},
            "chance": ours["chance"],
            "n": ours["n"],
        }
    if 0 < contradicted.sum() < len(rows):
        report["contradiction_ap"] = {
            **{
                name: round(float(average_precision_score(contradicted, one.contradicts)), 4)
                for name, one in said.items()
            },
            "chance": round(float(contradicted.mean()), 4),
        }
    return report


def by_slice(rows: Sequence[CoherenceRow], said: Mapping[str, Said], slices: Mapping[str, np.ndarray]) -> Report:
    """`slice_figures` of every slice (mask [n]) that is not empty."""
    report: Report = {}
    for name, mask in slices.items():
        at = np.flatnonzero(mask)
        if len(at):
            report[name] = slice_figures(
                [row for row, is_in in zip(rows, mask, strict=True) if is_in],
                {model: one.of(at) for model, one in said.items()},
            )
    return report


def under_another_brand(rows: Sequence[CoherenceRow]) -> list[CoherenceRow]:
    """The rows under the profile of another brand of another group, each brand under the same; none where there is one group."""
    group = {row.brand: row.group for row in rows}
    brands = sorted(group)
    swapped = {}
    for at, brand in enumerate(brands):
        start = at + len(brands) // 2  # neighbours in the order were often written together
        others = [brands[(start + step) % len(brands)] for step in range(len(brands))]
        other = next((other for other in others if group[other] != group[brand]), None)
        if other is None:
            return []
        swapped[brand] = other
    return [replace(row, brand=swapped[row.brand]) for row in rows]


def evaluate_swapped(rows: Sequence[CoherenceRow], said: Mapping[str, Said], models: Mapping[str, Model]) -> Report:
    """What the profile is worth: the posts of grade 3 under their own brand against the same under another, whose values some
    of them live too; and how many of all posts get another grade by it. A model that reads no profile has 0.5 and 0."""
    swapped = under_another_brand(rows)
    if not swapped:
        return {}
    at = np.flatnonzero([row.grade == Grade.EXPRESSES for row in rows])
    others = {name: model(swapped) for name, model in models.items()}
    own, other = ([likely_any(p) for p in one[OURS].scored] for one in (said, others))
    gains = {name: one.expresses[at] - others[name].expresses[at] for name, one in said.items()}
    grades = np.array([_grades(each) for each in (own, other)])
    return {
        "n": len(at),
        "auroc_own_against_other": {
            name: bootstrap(
                roc_auc_score,
                np.repeat([True, False], len(at)),
                np.concatenate([one.expresses[at], others[name].expresses[at]]),
            )
            for name, one in said.items()
        },
        "likelier_under_own": {  # the same post twice; no difference counts half
            name: round(float((np.sign(gain).mean() + 1) / 2), 4) for name, gain in gains.items()
        },
        "mean_score_own": round(float(np.mean([own[i].score for i in at])), 2),
        "mean_score_other": round(float(np.mean([other[i].score for i in at])), 2),
        "called_grade_3_own": round(float((grades[0, at] == Grade.EXPRESSES).mean()), 4),
        "called_grade_3_other": round(float((grades[1, at] == Grade.EXPRESSES).mean()), 4),
        "grade_changes": round(float((grades[0] != grades[1]).mean()), 4),
        "n_grade_changes": len(rows),
    }


def beside_deeds(rows: Sequence[CoherenceRow]) -> list[tuple[int, CoherenceRow]]:
    """Numbers of the posts of grade 0 or 3, each with what it becomes before or behind another of grade 3 that expresses none of the values which it
    contradicts; where its brand has none, it is left out."""
    deeds: dict[str, list[CoherenceRow]] = {}
    for row in rows:
        if row.grade == Grade.EXPRESSES:
            deeds.setdefault(row.brand, []).append(row)
    pairs = []
    for number, row in enumerate(rows):
        others = [
            deed for deed in deeds.get(row.brand, ())
            if deed is not row and not {*deed.expresses} & {*row.contradicts} and len(deed.text) + len(row.text) <= _READ_WHOLE
        ]  # fmt: skip
        if others and row.grade in (Grade.CONTRADICTS, Grade.EXPRESSES):
            deed = others[number % len(others)]
            pairs.append((number, joined(row, deed) if number % 2 else joined(deed, row)))
    return pairs


def evaluate_joined(rows: Sequence[CoherenceRow], said: Mapping[str, Said], models: Mapping[str, Model]) -> Report:
    """Whether a violation is seen among good deeds: contradictions against posts of grade 3, alone and as one text with another post of
    their brand that lives its values; and how many of either kind the settings call contradictions."""
    pairs = beside_deeds(rows)
    contradicts = np.array([rows[number].grade == Grade.CONTRADICTS for number, _ in pairs])
    if not 0 < contradicts.sum() < len(pairs):
        return {}
    numbers, both = map(list, zip(*pairs, strict=True))
    alone = {name: one.of(numbers) for name, one in said.items()}
    report: Report = {"n": int(contradicts.sum()), "n_deeds": int((~contradicts).sum())}
    for name, shown in (("alone", alone), ("joined", {name: model(both) for name, model in models.items()})):
        called = _grades([likely_any(p) for p in shown[OURS].scored]) == Grade.CONTRADICTS
        report[name] = {
            "auroc_contradicts": {
                model: bootstrap(roc_auc_score, contradicts, one.contradicts) for model, one in shown.items()
            },
            "called_contradiction": round(float(called[contradicts].mean()), 4),
            "deeds_called_contradiction": round(float(called[~contradicts].mean()), 4),
        }
    return report


def evaluate_coherence(heads: Heads, labels: Path) -> Report:
    """Grade and values on brands that were never seen, by slice, beside what could be used instead."""
    rows, values = read_coherence(labels)
    train, dev = split_posts(rows)
    segmenter = Segmenter()
    models = models_compared(heads, train, values, segmenter)
    said = {name: model(dev) for name, model in models.items()}
    ours = said[OURS]
    likely = [likely_any(p) for p in ours.scored]
    grade = np.array([row.grade for row in dev])
    value_truth, value_guess = _of_values(dev, ours.scored)
    return {
        "auroc_expresses": bootstrap(roc_auc_score, grade == 3, ours.expresses),
        "ece_value_expresses": round(expected_calibration_error(value_truth, value_guess), 4),
        "auroc_value_expresses": bootstrap(roc_auc_score, value_truth, value_guess),
        "qwk": bootstrap(weighted_kappa, grade, _grades(likely)),
        "cross_fitted": evaluate_cross_fitted(heads, dev, values),
        "value_named_first": _named_first(dev, ours.scored),
        "by_examples_shown": evaluate_examples(heads, dev, values),
        "contradiction_ap": bootstrap(average_precision_score, grade == 0, ours.contradicts),
        **_ordered(dev, np.array([one.score for one in likely])),
        **{
            f"{name}_auroc": bootstrap(roc_auc_score, grade == 3, one.expresses)
            for name, one in said.items()
            if name != OURS
        },
        "brands": len({row.brand for row in dev}),
        "under_another_brand": evaluate_swapped(dev, said, models),
        "among_deeds": evaluate_joined(dev, said, models),
        "slices": by_slice(dev, said, coherence_slices(dev, values, segmenter)),
    }
