"""Genuine share of a post's comments, with an interval and the courage to abstain; and what else its comments tell."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import xlogy
from scipy.stats import beta

from pinzhi.config import ScoreConfig
from pinzhi.interaction.coordination import is_hollow, profiles, seconds

INTERACTIONS = ("genuine_interactions", "genuine_interactions_low", "genuine_interactions_high")
Key = tuple[str, str | None]


_BASE = (
    0.66  # mean p_genuine of the dev comments: what the models take for granted of a comment of which they know nothing
)
_INDEPENDENT = 200  # comments beyond which more narrow nothing: the models err alike on all of them (measured: evaluation.simulation)
_SHARES = np.linspace(0, 1, 1001)
_P = np.linspace(0, 1, 101).clip(0.005, 0.995)
with np.errstate(divide="ignore"):  # no share of 0 has a comment that is surely genuine
    _LIKELIHOOD = np.log(np.outer(_P / _BASE, _SHARES) + np.outer((1 - _P) / (1 - _BASE), 1 - _SHARES))


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


def share_interval(labelled: np.ndarray, p_genuine: np.ndarray, interval: float) -> tuple[float, float, float]:
    """Share of genuine comments with its credible interval, from labels [n] (bool) and probabilities [n].

    Labels lean to what is common, so that a share of labels is too high where water armies are; how sure the models are of
    each comment says more. The likelihood of every share follows from the probabilities, freed of what the models take for
    granted; the most likely share is the point. Where the context turned a label round, it turns the probability too.
    """
    return _estimate(_likelihood(labelled, p_genuine), interval)


def _likelihood(labelled: np.ndarray, p_genuine: np.ndarray) -> np.ndarray:
    """Logarithm of how likely each of _SHARES makes these comments [n]; all alike where there are none."""
    p = np.where(~labelled & (p_genuine > 0.5), 1 - p_genuine, p_genuine)
    counts = np.bincount(np.rint(100 * p).astype(int), minlength=len(_P))
    return (counts @ _LIKELIHOOD) * min(1.0, _INDEPENDENT / max(1, len(p)))


def _estimate(likelihood: np.ndarray, interval: float) -> tuple[float, float, float]:
    """The most likely of _SHARES with its credible interval, under an even prior."""
    weight = np.exp(likelihood - likelihood.max())
    below = np.concatenate([[0.0], np.cumsum(weight[1:] + weight[:-1])])
    tail = (1 - interval) / 2
    low, high = np.interp([tail, 1 - tail], below / below[-1], _SHARES)
    share = float(_SHARES[likelihood.argmax()])
    return share, min(share, float(low)), max(share, float(high))


def aggregate_posts(posts: pa.Table, comments: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append to `posts` what their comments tell: genuine_share with _low and _high, n_comments, n_genuine, n_incentive,
    sentiment, evidence, n_profiles, n_hollow and burst_share.

    `comments` are decided comments of these posts; the account's own replies are not counted. Below
    `interaction.min_comments` the shares are null.
    """
    rows = _rows_of_posts(comments)
    entries = np.array([label == "incentive" for label in comments["authenticity"].to_pylist()], dtype=bool)
    genuine, p_genuine = _judged(comments)
    sentiment = comments["sentiment"].to_numpy().astype(float)
    authors = comments["author_id"].to_pylist()
    times = [
        seconds(*one)
        for one in zip(comments["created_at"].to_pylist(), comments["time_precision"].to_pylist(), strict=True)
    ]
    hollow = [is_hollow(*profile, config) for profile in profiles(comments)]
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for key in zip(posts["platform"].to_pylist(), posts["post_id"].to_pylist(), strict=True):
        here = rows.get(key, [])
        at = np.array(here, dtype=int)
        share: tuple[float | None, float | None, float | None] = (None, None, None)
        if len(at) >= config.interaction.min_comments:
            share = share_interval(genuine[at], p_genuine[at], config.interaction.interval)
        kept = at[genuine[at]] if len(at) else at
        timed = sorted(time for row in here if (time := times[row]) is not None)
        known = [flag for row in here if (flag := hollow[row]) is not None]
        there = {
            "text": bool(here), "time": bool(timed), "author": any(authors[row] is not None for row in here),
            "profile": bool(known),
        }  # fmt: skip
        values = (
            *share, len(at), len(kept), int(entries[at].sum()) if len(at) else 0,
            float(sentiment[kept].mean()) if len(kept) else None, [name for name, is_there in there.items() if is_there],
            len(known), sum(known), _burst(timed, config),
        )  # fmt: skip
        for name, value in zip(columns, values, strict=True):
            columns[name].append(round(value, 4) if isinstance(value, float) else value)
    for name, column in columns.items():
        posts = posts.append_column(name, pa.array(column, _COLUMNS[name]))
    return posts


def _rows_of_posts(comments: pa.Table) -> dict[Key, list[int]]:
    """Rows of the comments under each post, the account's own replies left out."""
    rows: dict[Key, list[int]] = {}
    keys = zip(comments["platform"].to_pylist(), comments["post_id"].to_pylist(), strict=True)
    for row, (key, is_owner) in enumerate(zip(keys, comments["is_owner"].to_pylist(), strict=True)):
        if not is_owner:
            rows.setdefault(key, []).append(row)
    return rows


def _judged(comments: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Whether each comment [n] is labelled genuine, and how likely the models find it so."""
    is_genuine = np.array([label == "genuine" for label in comments["authenticity"].to_pylist()], dtype=bool)
    return is_genuine, comments["p_genuine"].to_numpy().astype(float)


_COLUMNS = {
    "genuine_share": pa.float32(),
    "genuine_share_low": pa.float32(),
    "genuine_share_high": pa.float32(),
    "n_comments": pa.int32(),
    "n_genuine": pa.int32(),
    "n_incentive": pa.int32(),
    "sentiment": pa.float32(),
    "evidence": pa.list_(pa.string()),
    "n_profiles": pa.int32(),
    "n_hollow": pa.int32(),
    "burst_share": pa.float32(),
}


def _burst(times: Sequence[float], config: ScoreConfig) -> float | None:
    """Share of the sorted `times` that fall into the busiest `burst_minutes`; None for too few."""
    if len(times) < config.interaction.min_comments:
        return None
    window = config.comments.burst_minutes * 60
    return max(bisect_right(times, time + window) - first for first, time in enumerate(times)) / len(times)


def _answered(posts: pa.Table, config: ScoreConfig) -> np.ndarray:
    """Comments and reposts of each post [n] that count.

    The archive may hold a sample of the comments; the platform's own count says how many there were. Reposts beyond
    `reposts_per_comment` are not counted: a crowd that passes a post on without a word is no audience.
    """

    def counts(name: str) -> np.ndarray:
        return np.array([value or 0 for value in posts[name].to_pylist()], dtype=float)

    comments = np.maximum(counts("comments"), counts("n_comments"))
    return comments + np.minimum(counts("reposts"), config.accounts.reposts_per_comment * comments)


def count_genuine(posts: pa.Table, comments: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append genuine_comments, genuine_interactions with _low and _high, and burst_usual, to aggregated `posts` with their decided
    `comments`; an account's are all there. Null where the account has too few comments to tell.

    The share of each post is estimated as its `genuine_share` is; where few comments of it were read, up to `min_comments` of the
    account's others, split as the account's share says, speak beside them.
    """
    rows_of = _rows_of_posts(comments)
    genuine, p_genuine = _judged(comments)
    settings, n = config.interaction, posts.num_rows
    platforms = posts["platform"].to_pylist()
    read = [
        np.array(rows_of.get(key, []), dtype=int) for key in zip(platforms, posts["post_id"].to_pylist(), strict=True)
    ]
    shares = np.full((n, 3), np.nan)
    usual = np.full(n, np.nan)
    bursts = posts["burst_share"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    of_account: dict[Key, list[int]] = {}
    for row, key in enumerate(zip(platforms, posts["account_id"].to_pylist(), strict=True)):
        of_account.setdefault(key, []).append(row)
    for rows in of_account.values():
        known = bursts[rows][~np.isnan(bursts[rows])]
        if len(known) >= settings.usual_posts:
            usual[rows] = np.median(known)
        every = np.concatenate([read[row] for row in rows])
        if len(every) < settings.min_comments:
            continue
        share, _, _ = _estimate(_likelihood(genuine[every], p_genuine[every]), settings.interval)
        shares[rows] = _estimate(_pull(settings.min_comments, share), settings.interval)  # nothing was read of them
        for row in rows:
            if len(at := read[row]):
                pull = _pull(min(settings.min_comments, len(every) - len(at)), share)
                shares[row] = _estimate(_likelihood(genuine[at], p_genuine[at]) + pull, settings.interval)
    interactions = _answered(posts, config)[:, None] * shares
    columns = {"genuine_comments": np.array([len(at) for at in read]) * shares[:, 0],
               **dict(zip(INTERACTIONS, interactions.T, strict=True)), "burst_usual": usual}  # fmt: skip
    for name, values in columns.items():
        digits = 4 if name == "burst_usual" else 2
        posts = posts.append_column(name, pa.array(np.round(values, digits), pa.float32(), from_pandas=True))
    return posts


def _pull(n: int, share: float) -> np.ndarray:
    """Logarithm of how likely each of _SHARES makes `n` comments of which `share` are surely genuine."""
    return xlogy(n * share, _SHARES) + xlogy(n * (1 - share), 1 - _SHARES)
