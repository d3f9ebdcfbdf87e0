"""Genuine share of a post's comments, with an interval and the courage to abstain."""

import numpy as np
import pyarrow as pa
from scipy.stats import beta

from pinzhi.config import ScoreConfig


def share_interval(labelled: np.ndarray, p_genuine: np.ndarray, interval: float) -> tuple[float, float, float]:
    """Share of genuine comments with its credible interval, from labels [n] (bool) and probabilities [n].

    The share of the labels is the point.
    """
    return beta_interval(len(labelled), int(labelled.sum()), float((p_genuine * (1 - p_genuine)).sum()), interval)


def beta_interval(n: int, k: int, doubt: float, interval: float) -> tuple[float, float, float]:
    """Share of `k` in `n` > 0 labelled rows with its credible interval, `interval` wide.

    Two doubts widen it: these rows are a sample of those that could have come (binomial), and each label may be wrong;
    `doubt` is the sum of their p(1-p). Both variances go into one Beta distribution.
    """
    mean = (k + 0.5) / (n + 1)
    variance = mean * (1 - mean) / (n + 2) + doubt / (n + 1) ** 2
    strength = max(1e-3, mean * (1 - mean) / variance - 1)
    low, high = beta.ppf([(1 - interval) / 2, (1 + interval) / 2], mean * strength, (1 - mean) * strength)
    share = k / n
    return share, min(share, float(low)), max(share, float(high))


def aggregate_posts(posts: pa.Table, comments: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append genuine_share, genuine_share_low, genuine_share_high, n_comments, n_genuine and sentiment to `posts`.

    `comments` are decided comments of these posts; the account's own replies are not counted. Below
    `interaction.min_comments` the share is null.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    keys = zip(comments["platform"].to_pylist(), comments["post_id"].to_pylist(), strict=True)
    for row, (key, is_owner) in enumerate(zip(keys, comments["is_owner"].to_pylist(), strict=True)):
        if not is_owner:
            rows.setdefault(key, []).append(row)
    genuine = np.array([label == "genuine" for label in comments["authenticity"].to_pylist()], dtype=bool)
    p_genuine = comments["p_genuine"].to_numpy().astype(float)
    sentiment = comments["sentiment"].to_numpy().astype(float)
    columns: dict[str, list[float | int | None]] = {name: [] for name in _COLUMNS}
    for key in zip(posts["platform"].to_pylist(), posts["post_id"].to_pylist(), strict=True):
        at = np.array(rows.get(key, []), dtype=int)
        share: tuple[float | None, float | None, float | None] = (None, None, None)
        if len(at) >= config.interaction.min_comments:
            share = share_interval(genuine[at], p_genuine[at], config.interaction.interval)
        kept = at[genuine[at]] if len(at) else at
        values = (*share, len(at), len(kept), float(sentiment[kept].mean()) if len(kept) else None)
        for name, value in zip(columns, values, strict=True):
            columns[name].append(round(value, 4) if isinstance(value, float) else value)
    for name, column in columns.items():
        posts = posts.append_column(name, pa.array(column, _COLUMNS[name]))
    return posts


_COLUMNS = {
    "genuine_share": pa.float32(),
    "genuine_share_low": pa.float32(),
    "genuine_share_high": pa.float32(),
    "n_comments": pa.int32(),
    "n_genuine": pa.int32(),
    "sentiment": pa.float32(),
}
