"""How many of an account's followers are real: genuine interactions per follower on a scale with two fixed points."""

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from pinzhi.config import AccountsConfig, ScoreConfig

_LEAST = 0.02  # genuine interactions a post below which less is not told apart


def real_share(followers: float, interactions: float, settings: AccountsConfig) -> float:
    """Share of real followers of an account with `interactions` genuine comments and reposts a post.

    A logistic curve in log interactions, whose middle moves with log followers (larger accounts are answered less per
    follower). It passes exactly through both published anchors, rises with interactions and falls with followers.
    """
    (f_low, i_low, s_low), (f_high, i_high, s_high) = settings.anchor_low, settings.anchor_high
    e = settings.size_elasticity

    def position(f: float, i: float) -> float:
        return math.log10(max(i, _LEAST)) - e * math.log10(max(f, 1))

    low, high = position(f_low, i_low), position(f_high, i_high)
    slope = (_logit(s_high) - _logit(s_low)) / (high - low)
    return 1 / (1 + math.exp(-(_logit(s_low) + slope * (position(followers, interactions) - low))))


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def aggregate_accounts(posts: pa.Table, accounts: pa.Table, config: ScoreConfig) -> pa.Table:
    """One row per account that posted or is known, sorted by key: real_share with interval, reach, counts, reasons.

    `posts` are decided posts, `accounts` canonical observations over time (the newest counts, all form the history).
    """
    history: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in accounts.to_pylist():
        history.setdefault((row["platform"], row["account_id"]), []).append(row)
    columns = ["platform", "account_id", "n_comments", "n_genuine", "comments", "reposts", "reads", "quality"]
    published: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in posts.select(columns).to_pylist():
        if row["account_id"] is not None:
            published.setdefault((row["platform"], row["account_id"]), []).append(row)
    rows = [
        _account(key, history.get(key, []), published.get(key, []), config) for key in sorted({*history, *published})
    ]
    names = ("platform", "account_id", "name", "followers", "real_share", "real_share_low", "real_share_high",
             "real_followers", "n_posts", "n_comments", "genuine_share", "genuine_per_post", "quality", "reach",
             "reasons")  # fmt: skip
    from pinzhi.schemas import SCORED_ACCOUNTS

    return pa.Table.from_pylist(rows, schema=pa.schema([SCORED_ACCOUNTS.field(name) for name in names]))


def _account(
    key: tuple[str, str], seen: Sequence[dict[str, Any]], posts: Sequence[dict[str, Any]], config: ScoreConfig
) -> dict[str, Any]:
    ordered = sorted(seen, key=lambda row: (row["fetched_at"] is not None, row["fetched_at"]))
    newest = ordered[-1] if ordered else {}
    followers = newest.get("followers")
    n_comments = sum(post["n_comments"] for post in posts)
    n_genuine = sum(post["n_genuine"] for post in posts)
    share = n_genuine / n_comments if n_comments >= config.interaction.min_comments else None
    row: dict[str, Any] = {
        "platform": key[0], "account_id": key[1], "name": newest.get("name"), "followers": followers,
        "n_posts": len(posts), "n_comments": n_comments, "genuine_share": share,
        "quality": _mean([post["quality"] for post in posts]), "reasons": [],
        "reach": _reach([post["reads"] for post in posts], followers),
    }  # fmt: skip
    missing = _why_not(followers, len(posts), share)
    if missing:
        return row | {"reasons": [missing]}
    assert share is not None and followers is not None
    # The archive may hold a sample of the comments; the platform's own count says how many there were.
    each = np.array(
        [share * (max(post["comments"] or 0, post["n_comments"]) + (post["reposts"] or 0)) for post in posts]
    )
    error = 1.645 * float(each.std(ddof=1)) / math.sqrt(len(each)) if len(each) > 1 else 0.5 * float(each.mean())
    doubt = 1.645 * math.sqrt(share * (1 - share) / n_comments) * float(each.mean()) / max(share, 1e-3)
    spread = math.hypot(error, doubt)
    mean = float(each.mean())
    bought = _has_burst(ordered, config.accounts)
    factor = config.accounts.burst_cost if bought else 1.0
    point, low, high = (
        factor * real_share(followers, value, config.accounts)
        for value in (mean, max(0.0, mean - spread), mean + spread)
    )
    return row | {
        "real_share": round(point, 4), "real_share_low": round(low, 4), "real_share_high": round(high, 4),
        "real_followers": round(followers * point), "genuine_per_post": round(mean, 3),
        "reasons": ["follower_burst"] if bought else [],
    }  # fmt: skip


def _why_not(followers: int | None, n_posts: int, share: float | None) -> str | None:
    """Why nothing can be said of an account; None when something can."""
    if n_posts == 0:
        return "no_posts"
    if followers is None:
        return "hidden_followers"
    if followers <= 0:
        return "zero_followers"
    return "too_few_comments" if share is None else None


def _has_burst(ordered: Sequence[dict[str, Any]], settings: AccountsConfig) -> bool:
    """Whether followers jumped between two looks within 30 days."""
    known = [row for row in ordered if row["followers"] and row["fetched_at"]]
    return any(
        after["followers"] > before["followers"] * (1 + settings.burst_growth)
        and after["fetched_at"] - before["fetched_at"] <= timedelta(days=30)
        for before, after in pairwise(known)
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 2) if known else None


def _reach(reads: Sequence[int | None], followers: int | None) -> float | None:
    mean = _mean(reads)
    return None if mean is None or not followers else round(mean / followers, 4)
