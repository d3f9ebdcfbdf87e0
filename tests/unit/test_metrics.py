"""Parts of a classifier, weighed against each other."""

import numpy as np
import torch
from scipy.special import softmax
from sklearn.metrics import f1_score

from pinzhi.evaluation.metrics import expected_calibration_error, fit_loudness, fit_scales, macro_f1
from pinzhi.heads.modules import TextClassifier
from pinzhi.heads.ngrams import hash_ngrams
from pinzhi.training.settings import WideSettings
from pinzhi.training.wide import Examples, fit_wide


def test_macro_f1_is_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(4)
    for truth, guess in (
        (chance.integers(-1, 2, 200), chance.integers(-1, 2, 200)),
        (chance.choice(["真", "假"], 50), chance.choice(["真", "假", "疑"], 50)),  # a class that was only guessed
        (np.array([0, 0, 1]), np.array([2, 2, 2])),
    ):
        assert np.isclose(macro_f1(truth, guess), f1_score(truth, guess, average="macro", zero_division=0))


def test_a_part_that_is_too_sure_is_tempered_and_noise_is_silenced() -> None:
    chance = np.random.default_rng(1)
    truth = chance.integers(0, 3, 3000)
    honest = 1.5 * np.eye(3)[truth] + chance.normal(0, 1.0, (3000, 3))
    noise = chance.normal(0, 5.0, (3000, 3))
    sure, silent = fit_scales([6 * honest, noise], truth)
    assert 0.1 < sure < 0.5 and silent < 0.02
    p = softmax(sure * 6 * honest + silent * noise, axis=1)
    assert expected_calibration_error(p.argmax(1) == truth, p.max(1)) < 0.03


def test_what_has_grown_loud_is_brought_back_without_a_label() -> None:
    chance = np.random.default_rng(3)
    calibrated = chance.normal(0, 1.0, (500, 3))
    louder = 4 * calibrated + chance.normal(0, 0.1, (500, 3)) + chance.normal(0, 9.0, (500, 1))
    assert 0.24 < fit_loudness(louder, calibrated) < 0.26
    assert fit_loudness(np.zeros((5, 3)), calibrated[:5]) == fit_loudness(-louder, calibrated) == 1.0


def test_two_views_say_more_than_either() -> None:
    chance = np.random.default_rng(2)
    truth = chance.integers(0, 2, 4000)
    views = [np.eye(2)[truth] + chance.normal(0, 1.0, (4000, 2)) for _ in range(2)]
    factors = fit_scales(views, truth)
    both = np.tensordot(factors, np.stack(views), 1).argmax(1)
    assert (both == truth).mean() > max((view.argmax(1) == truth).mean() for view in views) + 0.02


def test_scaling_multiplies_what_each_part_says() -> None:
    head = TextClassifier(8, 2).eval()
    words = Examples(2, ["好吃", "真好吃", "难吃", "真难吃"], [(1,), (1,), (0,), (0,)])
    head.wide = fit_wide(words, WideSettings(strength=4.0))
    hidden, mask, grams = torch.randn(2, 3, 8), torch.ones(2, 3), hash_ngrams(["好吃", "难吃"])
    with torch.no_grad():
        deep, wide = head.deep(hidden, mask), head.wide(grams)
        head.scale(0.25, 3.0)
        assert torch.allclose(head(hidden, mask, grams), 0.25 * deep + 3.0 * wide, atol=1e-5)
