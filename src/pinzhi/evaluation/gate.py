"""Whether a retrained model may replace the active one: better with confidence, and nowhere much worse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pinzhi.evaluation.metrics import Metric

FALSE_SHARE = 0.05  # of independent pairs that may lie above the threshold at which rewrites count as found
CHANCE = 0.05  # of a fall to be told of a row that has not changed; all rows together
_FEW = 20  # rows of a slice below which no fall is sure


def length_bands(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Masks of the shorter, middle and longer third of the texts."""
    lengths = np.array([len(text) for text in texts])
    low, high = (int(np.quantile(lengths, share)) for share in (1 / 3, 2 / 3))
    return {
        f"up to {low} characters": lengths <= low,
        f"{low + 1} to {high} characters": (lengths > low) & (lengths <= high),
        f"more than {high} characters": lengths > high,
    }


def by_name(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Masks of the rows of each name; a row without one is in none."""
    return {name: np.array(names) == name for name in sorted(set(names) - {""})}


@dataclass(frozen=True)
class Slice:
    """The metric on a part of the frozen rows."""

    name: str
    n: int
    before: float
    after: float


def rewrites_found(is_independent: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Mask [n] of the pairs that are found to be derived by their `score` [n], where FALSE_SHARE of the independent ones
    (mask [n]) are taken for such too."""
    return score > np.quantile(score[is_independent], 1 - FALSE_SHARE)


def lowered(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> tuple[Slice, ...]:
    """The rows of a table of which `after` finds less than `before`, beyond what chance would do: by the exact test of those
    that one alone has found. Both say by name of the row which of its pairs are found (masks [n])."""
    from scipy.stats import binomtest

    fallen = []
    for name, old in before.items():
        new = after[name]
        lost, won = int((old & ~new).sum()), int((new & ~old).sum())
        if lost > won and binomtest(lost, lost + won, alternative="greater").pvalue < CHANCE / len(before):
            fallen.append(Slice(name, len(old), round(float(old.mean()), 4), round(float(new.mean()), 4)))
    return tuple(fallen)


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
    main: np.ndarray | None = None, fallen: Sequence[Slice] = (),
) -> Verdict:  # fmt: skip
    """Compare two guesses [n] of one `truth` [n] by a paired bootstrap.

    The new guess is better when `confidence` of the samples gain, and no slice (mask [n]) loses more than `margin`: one of at
    least `least_rows` rows as measured, a smaller one where `confidence` of its samples say so. With `main` (mask [n]) the gain is that on these rows alone; the others are there for the slices.
    `fallen` are slices of another measure of which it is known that they fall.
    """
    chance = np.random.default_rng(seed)
    of_main = np.arange(len(truth)) if main is None else np.flatnonzero(main)

    def bounds(of: np.ndarray) -> tuple[float, float]:
        """Of the gain on the rows `of`."""
        gains = []
        for _ in range(n_samples):
            rows = chance.choice(of, len(of))
            if len(np.unique(truth[rows])) > 1:
                gains.append(metric(truth[rows], after[rows]) - metric(truth[rows], before[rows]))
        low, high = np.quantile(gains, [1 - confidence, confidence]) if gains else (np.nan, np.nan)
        return float(low), float(high)

    low, high = bounds(of_main)
    parts = tuple(
        Slice(
            name,
            int(mask.sum()),
            round(metric(truth[mask], before[mask]), 4),
            round(metric(truth[mask], after[mask]), 4),
        )
        for name, mask in sorted(slices.items())
        if mask.sum() >= min(_FEW, least_rows) and len(np.unique(truth[mask])) > 1  # one label alone cannot be ranked
    )
    falling = [*fallen] + [
        part
        for part in parts
        if part.before - part.after > margin
        and (part.n >= least_rows or bounds(np.flatnonzero(slices[part.name]))[1] < -margin)
    ]
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
