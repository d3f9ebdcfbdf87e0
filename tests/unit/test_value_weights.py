"""How loud the parts of the matcher speak: so that what is known of values and of grades is likeliest."""

import numpy as np
import pytest
import torch

from pinzhi.decide import any_value
from pinzhi.heads.modules import ValueMatcher
from pinzhi.training.data import Target
from pinzhi.training.value_weights import SaidOfValues, fit_weights, of_grades

EVERY = (0, 1, 2, 3)
PARTS = {part: at for at, part in enumerate(ValueMatcher.PARTS)}


def said(parts: np.ndarray, truth: np.ndarray, grade: np.ndarray) -> SaidOfValues:
    """Of posts that have as many values each."""
    known = [Target((int(one),), EVERY) for one in truth.ravel()]
    return SaidOfValues(parts, np.repeat(np.arange(len(grade)), len(parts) // max(1, len(grade))), known, grade)


def silent(m: int) -> np.ndarray:
    return np.zeros((m, len(PARTS), len(EVERY)), np.float32)


NOTHING = said(silent(0), np.zeros(0), np.zeros(0, int))


def test_the_relevance_is_heard_under_all_brands_and_the_probabilities_are_meant_for_the_own() -> None:
    chance = np.random.default_rng(3)
    n = 2000
    truth = np.where(chance.random(n) < 0.4, 2, 0)
    own, other = silent(n), silent(n)
    own[:, PARTS["relevance"]] = chance.normal(np.where(truth == 2, 1.5, 0.5), 1.0)[:, None]
    other[:, PARTS["relevance"]] = chance.normal(-1.0, 1.0, (n, 1))
    nothing = np.zeros(n, int)
    found = fit_weights(said(own, truth, truth), said(other, nothing, nothing))
    relevance = found.weights[PARTS["relevance"]]
    assert relevance[2] > relevance[0] + 0.5
    assert abs(found.probabilities(own)[:, 2].mean() - 0.4) < 0.02, "as often as it is so under the own brand"
    assert found.probabilities(other)[:, 2].mean() < 0.15


def test_a_part_that_knows_the_grade_and_no_value_is_heard_by_the_grade() -> None:
    """It knows that one of five values is contradicted, another part knows a little of which, a third knows nothing."""
    chance = np.random.default_rng(4)
    n, n_values = 600, 5
    is_breach = np.arange(n) % 2 == 0
    truth = np.zeros((n, n_values), int)
    truth[is_breach, chance.integers(0, n_values, n)[is_breach]] = 3
    parts = silent(n * n_values)
    parts[:, PARTS["wide"], 3] = np.repeat(chance.normal(2.0 * is_breach, 1.0), n_values)
    parts[:, PARTS["nearness"]] = chance.normal(2.0 * (truth.ravel() == 3), 1.0)[:, None]
    parts[:, PARTS["deep"], 3] = np.repeat(chance.normal(0.0, 1.0, n), n_values)
    own = said(parts, truth, np.where(is_breach, 3, 0))
    found = fit_weights(own, NOTHING)
    wide, deep = (found.weights[PARTS[part], 3] for part in ("wide", "deep"))
    assert wide > 0.5 > 0.2 > abs(deep)
    p = torch.from_numpy(found.probabilities(parts))
    likely = of_grades(p, torch.from_numpy(own.post_of), n).exp().numpy()
    assert abs(likely[:, 3].mean() - 0.5) < 0.06, "nearly as many violations as there are"
    assert likely[is_breach, 3].mean() > 0.75 > 0.25 > likely[~is_breach, 3].mean()


def test_grades_are_made_of_values_as_the_product_makes_them() -> None:
    p = torch.tensor([[0.5, 0.2, 0.2, 0.1], [0.6, 0.1, 0.1, 0.2], [0.7, 0.3, 0.0, 0.0]])
    one, two = of_grades(p, torch.tensor([0, 0, 1]), 2).exp().numpy()
    asked = any_value([{"p_touches": x[1], "p_expresses": x[2], "p_contradicts": x[3]} for x in p[:2].tolist()])
    assert one.sum() == pytest.approx(1) and two == pytest.approx([0.7, 0.3, 0, 0], abs=1e-5)
    assert one[3] == pytest.approx(asked.contradicts, abs=1e-6)
    assert one[2] == pytest.approx(asked.expresses, abs=1e-6)
    assert one[0] == pytest.approx(1 - asked.related, abs=1e-6), "neither value has to do with it"


def test_what_nobody_knows_weighs_nothing_and_posts_are_chosen_whole() -> None:
    parts = silent(40)
    parts[:, PARTS["reader"], 1] = 1.0
    own = SaidOfValues(
        parts, np.repeat(np.arange(20), 2), [Target((0,), EVERY), Target((0, 1), EVERY)] * 20, np.zeros(20, int)
    )
    assert fit_weights(own, NOTHING).probabilities(parts)[:, 0].min() > 0.9
    some = own.of(np.arange(20) % 5 == 3)
    assert some.post_of.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and len(some.grade) == 4
    assert [one.allowed for one in some.known] == [(0,), (0, 1)] * 4 and some.parts.shape == (8, 5, 4)
