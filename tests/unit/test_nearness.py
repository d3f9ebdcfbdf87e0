"""Nearness of the words of a post to those of values, on vectors made by hand."""

import numpy as np
import pytest

from pinzhi.heads.nearness import Nearness

# Tokens 0 to 9 speak of soil, 10 to 19 of prices, 20 to 29 of neither; 30 is a mark.
SOIL, PRICE, OTHER, MARK = range(10), range(10, 20), range(20, 30), 30
VALUES = ([0, 1, 2, 20], [10, 11, 12, 21])


@pytest.fixture(scope="module")
def nearness() -> Nearness:
    chance = np.random.default_rng(3)
    topics = np.repeat(8 * np.eye(3, 24), 10, axis=0)
    vectors = np.concatenate([topics + chance.normal(size=(30, 24)), chance.normal(size=(1, 24))])
    common = 40 * chance.normal(size=(31, 3)) @ np.linalg.qr(chance.normal(size=(24, 3)))[0].T
    weights = np.append(np.full(30, 0.5), 0).astype(np.float32)
    return Nearness((vectors + common).astype(np.float32), weights)


def all_of(post: list[int]) -> np.ndarray:
    return np.ones((1, len(post)), bool)


def test_a_post_is_nearer_to_the_value_it_speaks_of_in_other_words(nearness: Nearness) -> None:
    soil, price = [5, 6, 7, 25, MARK], [15, 16, 17, 25, MARK]
    (of_soil,), (of_price,) = (nearness(VALUES, post, all_of(post)) for post in (soil, price))
    assert of_soil[0] > 0.1 > -0.1 > of_soil[1] and of_price[1] > 0.1 > -0.1 > of_price[0]
    assert of_soil[0] == pytest.approx(-of_soil[1]), "of two values, one is as much nearer as the other is farther"


def test_only_what_is_shown_counts_and_repetition_does_not(nearness: Nearness) -> None:
    post = [5, 6, 7, 15, 16, 17]
    shown = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]], bool)
    soil, price, none = nearness(VALUES, post, shown)
    np.testing.assert_allclose(soil, nearness(VALUES, post[:3], all_of(post[:3]))[0], rtol=1e-5)
    assert soil[0] > 0 > price[0] and not none.any()
    thrice = post * 3
    np.testing.assert_allclose(
        nearness(VALUES, thrice, all_of(thrice)), nearness(VALUES, post, all_of(post)), rtol=1e-5
    )


def test_where_nothing_can_be_compared_no_value_is_nearer(nearness: Nearness) -> None:
    for values, post in ((VALUES[:1], [5, 6]), (VALUES, [MARK]), (VALUES, [])):
        assert not nearness(values, post, all_of(post)).any()
    (found,) = nearness(([0, 1], [MARK]), [5, 6], all_of([5, 6]))
    assert np.isfinite(found).all() and found[0] > found[1], "a value without words is near to nothing"


def test_an_example_draws_what_is_like_it_to_its_value(nearness: Nearness) -> None:
    post = [25, 26, 27, 5, 15]
    (before,), (after,) = (
        nearness(VALUES, post, all_of(post), examples) for examples in ((), [[[27, 28, 29]], [[12, 13, 14]]])
    )
    assert after[0] > before[0] + 0.02 and after[1] < before[1] - 0.02
    lone = nearness(VALUES, post, all_of(post), [[[27, 28, 29]], []])
    np.testing.assert_allclose(lone, [before], err_msg="one value's examples have nothing to be compared with")
