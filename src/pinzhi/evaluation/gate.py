"""Whether a retrained model may replace the active one: better with confidence, and nowhere much worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pinzhi.evaluation.metrics import Metric

LENGTHS = {"up to 8 characters": (0, 8), "9 to 25 characters": (9, 25), "more than 25 characters": (26, 10**9)}


def length_bands(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Masks of the texts by their length."""
    lengths = np.array([len(text) for text in texts])
    return {name: (lengths >= low) & (lengths <= high) for name, (low, high) in LENGTHS.items()}


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
    main: np.ndarray | None = None,
) -> Verdict:  # fmt: skip
    """Compare two guesses [n] of one `truth` [n] by a paired bootstrap.

    The new guess is better when `confidence` of the samples gain, and no slice (mask [n]) of at least `least_rows` rows
    loses more than `margin`. With `main` (mask [n]) the gain is that on these rows alone; the others are there for the slices.
    """
    chance = np.random.default_rng(seed)
    of_main = np.arange(len(truth)) if main is None else np.flatnonzero(main)
    gains = []
    for _ in range(n_samples):
        rows = chance.choice(of_main, len(of_main))
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
        if mask.sum() >= least_rows and len(np.unique(truth[mask])) > 1  # one label alone cannot be ranked
    )
    falling = [part for part in parts if part.before - part.after > margin]
    n, old, new = len(of_main), metric(truth[of_main], before[of_main]), metric(truth[of_main], after[of_main])
    gain = new - old
    if not low > 0:  # nor where it is undefined
        reason = f"the gain of {gain:+.3f} on {n} frozen rows is not sure ({low:+.3f} to {high:+.3f})"
    elif falling:
        worst = max(falling, key=lambda part: part.before - part.after)
        reason = f"it falls from {worst.before:.3f} to {worst.after:.3f} on {worst.name} ({worst.n} rows)"
    else:
        reason = f"it gains {gain:+.3f} on {n} frozen rows ({low:+.3f} to {high:+.3f}) and falls nowhere by more than {margin}"
    return Verdict(
        n, round(old, 4), round(new, 4), round(low, 4), round(high, 4), parts, low > 0 and not falling, reason,
    )  # fmt: skip
