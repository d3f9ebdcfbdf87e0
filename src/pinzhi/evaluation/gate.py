"""Whether a retrained model may replace the active one: better with confidence, and nowhere much worse."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pinzhi.evaluation.metrics import Metric


@dataclass(frozen=True)
class Slice:
    """The metric on a part of the frozen rows."""

    name: str
    n: int
    before: float
    after: float


@dataclass(frozen=True)
class Verdict:
    """`low` and `high` bound the gain `after - before`; `reason` says why the model is promoted or kept back."""

    n: int
    before: float
    after: float
    low: float
    high: float
    slices: tuple[Slice, ...]
    is_better: bool
    reason: str


def judge(
    metric: Metric, truth: np.ndarray, before: np.ndarray, after: np.ndarray, slices: Mapping[str, np.ndarray], *,
    margin: float, least_rows: int, confidence: float = 0.95, n_samples: int = 1000, seed: int = 0,
) -> Verdict:  # fmt: skip
    """Compare two guesses [n] of one `truth` [n] by a paired bootstrap.

    The new guess is better when `confidence` of the samples gain, and no slice (mask [n]) of at least `least_rows` rows
    loses more than `margin`.
    """
    chance = np.random.default_rng(seed)
    gains = []
    for _ in range(n_samples):
        rows = chance.integers(0, len(truth), len(truth))
        gains.append(metric(truth[rows], after[rows]) - metric(truth[rows], before[rows]))
    low, high = (float(x) for x in np.quantile(gains, [1 - confidence, confidence]))
    parts = tuple(
        Slice(
            name,
            int(mask.sum()),
            round(metric(truth[mask], before[mask]), 4),
            round(metric(truth[mask], after[mask]), 4),
        )
        for name, mask in sorted(slices.items())
        if mask.sum() >= least_rows
    )
    falling = [part for part in parts if part.before - part.after > margin]
    gain = metric(truth, after) - metric(truth, before)
    if low <= 0:
        reason = f"the gain of {gain:+.3f} on {len(truth)} frozen rows is not sure ({low:+.3f} to {high:+.3f})"
    elif falling:
        worst = max(falling, key=lambda part: part.before - part.after)
        reason = f"it falls from {worst.before:.3f} to {worst.after:.3f} on {worst.name} ({worst.n} rows)"
    else:
        reason = f"it gains {gain:+.3f} on {len(truth)} frozen rows ({low:+.3f} to {high:+.3f}) and falls nowhere by more than {margin}"
    return Verdict(
        len(truth), round(metric(truth, before), 4), round(metric(truth, after), 4), round(low, 4), round(high, 4), parts,
        low > 0 and not falling, reason,
    )  # fmt: skip
