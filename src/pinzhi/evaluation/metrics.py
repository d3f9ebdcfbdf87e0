"""Metrics that come with an interval."""

from collections.abc import Callable, Sequence

import numpy as np

Metric = Callable[[np.ndarray, np.ndarray], float]


def macro_f1(truth: np.ndarray, guess: np.ndarray) -> float:
    """Unweighted mean of the F1 of all classes that stand in either. Counted here, for a bootstrap asks a thousand times and
    scikit-learn takes 3 ms to look at what it is given."""
    classes, at = np.unique(np.concatenate([truth, guess]), return_inverse=True)
    true, guessed = at[: len(truth)], at[len(truth) :]
    hits, *either = (np.bincount(rows, minlength=len(classes)) for rows in (true[true == guessed], true, guessed))
    return float((2 * hits / sum(either)).mean())


def accuracy(truth: np.ndarray, guess: np.ndarray) -> float:
    """Share of equal labels."""
    return float((truth == guess).mean())


def bootstrap(metric: Metric, truth: np.ndarray, guess: np.ndarray, *, n: int = 300, seed: int = 0) -> dict[str, float]:
    """`metric` with its 95% bootstrap interval: {"value", "low", "high", "n"}; samples of one class only are skipped."""
    chance = np.random.default_rng(seed)
    samples = []
    for _ in range(n):
        rows = chance.integers(0, len(truth), len(truth))
        if len(np.unique(truth[rows])) > 1:
            samples.append(metric(truth[rows], guess[rows]))
    low, high = np.percentile(samples, [2.5, 97.5]) if samples else (np.nan, np.nan)
    return {
        "value": round(float(metric(truth, guess)), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(truth),
    }


def expected_calibration_error(correct: np.ndarray, confidence: np.ndarray, n_bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over bins of confidence, weighted by their size."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [
        abs(correct[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in range(n_bins)
        if (bins == b).any()
    ]
    return float(sum(gaps))


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Temperature that minimises the negative log-likelihood of `truth` [n] under `probabilities` [n, c]."""
    from scipy.optimize import minimize_scalar

    logits = np.log(np.clip(probabilities, 1e-9, 1))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(1, keepdims=True)
        log_sum = top[:, 0] + np.log(np.exp(scaled - top).sum(1))
        return float((log_sum - scaled[np.arange(len(truth)), truth]).mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded").x)), 4)


def fit_loudness(logits: np.ndarray, known: np.ndarray) -> float:
    """Factor by which `logits` [n, c] come nearest to the `known` ones of the same rows; what is added to a whole row is
    nothing. What has learnt more than a calibrated model then speaks as loud as it, and no label is asked. 1 where
    nothing is said, or the opposite."""
    ours, theirs = (one - one.mean(1, keepdims=True) for one in (logits, known))
    likeness = float((ours * theirs).sum())
    return round(likeness / float((ours * ours).sum()), 4) if likeness > 0 else 1.0


def fit_scales(parts: Sequence[np.ndarray], truth: np.ndarray) -> list[float]:
    """Factors, none below 0, by which the sum of `parts`, logits [n, c] each, minimises the negative log-likelihood of
    `truth` [n]."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    stacked = np.stack(parts)

    def loss(factors: np.ndarray) -> float:
        return float(-log_softmax(np.tensordot(factors, stacked, 1), axis=1)[np.arange(len(truth)), truth].mean())

    found = minimize(loss, np.full(len(parts), 1 / len(parts)), bounds=[(0.0, 10.0)] * len(parts), method="L-BFGS-B")
    return [round(float(factor), 4) for factor in found.x]
