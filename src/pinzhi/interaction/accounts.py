"""How many of an account's followers are real: genuine interactions per follower on a scale with two fixed points."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from pinzhi.config import AccountsConfig, ScoreConfig
from pinzhi.interaction.posts import INTERACTIONS, beta_interval
from pinzhi.labels import Originality
from pinzhi.schemas import ACCOUNT_MONTHS, SCORED_ACCOUNTS

# Of decided posts, what accounts are made of.
POST_COLUMNS = ("platform", "account_id", "n_comments", "genuine_comments", *INTERACTIONS, "reads", "quality", "originality",
                "originality_label")  # fmt: skip
# And, where they are known, what else is told of the account.
MORE_COLUMNS = {"published_at": None, "n_incentive": 0, "evidence": None}
EVIDENCE = ("text", "time", "author", "profile")
MONTH_COLUMNS = ("platform", "account_id", "published_at", "originality", "originality_label", "p_template")
_RESAMPLES = 400  # of the posts of one account, for the interval
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


def aggregate_accounts(
    posts: pa.Table, accounts: pa.Table, config: ScoreConfig, looked: Mapping[tuple[str, str], datetime] | None = None
) -> pa.Table:
    """One row per account that posted or is known, sorted by key: real_share with interval, reach, counts, reasons.

    `posts` are decided posts, `accounts` canonical observations over time (the newest counts, all form the history);
    `looked` says when the posts of an account were last looked at, by (platform, account_id).
    """
    history: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in accounts.to_pylist():
        history.setdefault((row["platform"], row["account_id"]), []).append(row)
    published: dict[tuple[str, str], list[dict[str, Any]]] = {}
    more = [name for name in MORE_COLUMNS if name in posts.column_names]
    for known in posts.select([*POST_COLUMNS, *more]).to_pylist():
        row = MORE_COLUMNS | known
        if row["account_id"] is not None:
            published.setdefault((row["platform"], row["account_id"]), []).append(row)
    rows = [
        _account(key, history.get(key, []), published.get(key, []), config, (looked or {}).get(key))
        for key in sorted({*history, *published})
    ]
    names = ("platform", "account_id", "name", "followers", "real_share", "real_share_low", "real_share_high",
             "real_followers", "n_posts", "n_comments", "genuine_share", "genuine_per_post", "quality", "template_share",
             "reach", "evidence", "growth", "growth_at", "lottery_share", "reasons")  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([SCORED_ACCOUNTS.field(name) for name in names]))


def aggregate_months(posts: pa.Table, config: ScoreConfig) -> pa.Table:
    """Share of templates among the posts with words of each account and month (UTC), with its interval; `posts` are decided ones.
    A row for each month in which the account published, sorted by key."""
    said: dict[tuple[str, str, datetime], list[tuple[bool, float]]] = {}
    for row in posts.select(MONTH_COLUMNS).to_pylist():
        if None not in (row["account_id"], row["published_at"], row["originality"]):
            month = row["published_at"].replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            is_template = row["originality_label"] == Originality.TEMPLATE
            said.setdefault((row["platform"], row["account_id"], month), []).append((is_template, row["p_template"]))
    rows = []
    for key in sorted(said):
        labels, p = (np.array(column) for column in zip(*said[key], strict=True))
        interval = beta_interval(
            len(labels), int(labels.sum()), float((p * (1 - p)).sum()), config.interaction.interval
        )
        share, low, high = (round(one, 4) for one in interval)
        names = ("platform", "account_id", "month_at", "n_posts", "n_templates", "template_share",
                 "template_share_low", "template_share_high")  # fmt: skip
        values = (*key, len(labels), int(labels.sum()), share, low, high)
        rows.append(dict(zip(names, values, strict=True)))
    return pa.Table.from_pylist(rows, schema=ACCOUNT_MONTHS)


def _account(
    key: tuple[str, str], seen: Sequence[dict[str, Any]], posts: Sequence[dict[str, Any]], config: ScoreConfig,
    looked: datetime | None,
) -> dict[str, Any]:  # fmt: skip
    ordered = sorted(seen, key=lambda row: (row["fetched_at"] is not None, row["fetched_at"]))
    newest = ordered[-1] if ordered else {}
    followers = newest.get("followers")
    n_comments = sum(post["n_comments"] for post in posts)
    n_genuine = sum(post["genuine_comments"] or 0.0 for post in posts)
    share = round(n_genuine / n_comments, 4) if n_comments >= config.interaction.min_comments else None
    row: dict[str, Any] = {
        "platform": key[0], "account_id": key[1], "name": newest.get("name"), "followers": followers,
        "n_posts": len(posts), "n_comments": n_comments, "genuine_share": share,
        "quality": _mean([post["quality"] for post in posts]), "reasons": [],
        "template_share": _mean([float(post["originality_label"] == Originality.TEMPLATE) for post in posts
                                 if post["originality"] is not None]),
        "reach": _reach([post["reads"] for post in posts], followers),
        "evidence": [name for name in EVIDENCE if any(name in (post["evidence"] or ()) for post in posts)],
        "lottery_share": _mean([float(_is_lottery(post)) for post in posts if post["n_comments"] >= config.interaction.min_comments]),
    }  # fmt: skip
    steps = _growth(ordered)
    fastest = max(steps, key=lambda step: step.growth, default=None)
    if fastest:
        row |= {"growth": round(fastest.growth, 4), "growth_at": fastest.end}
    missing = _why_not(newest, posts, share, looked, config.accounts)
    if missing:
        return row | {"reasons": [missing]}
    assert followers is not None
    typical, few, many = _genuine_per_post(posts, config)
    jumps = [step for step in steps if step.growth > config.accounts.burst_growth]
    factor = config.accounts.burst_cost if jumps else 1.0
    point, low, high = (factor * real_share(followers, value, config.accounts) for value in (typical, few, many))
    return row | {
        "real_share": round(point, 4), "real_share_low": round(low, 4), "real_share_high": round(high, 4),
        "real_followers": round(followers * point), "genuine_per_post": round(typical, 3),
        "reasons": [_jump_reason(jumps, posts)] if jumps else [],
    }  # fmt: skip


def _genuine_per_post(posts: Sequence[dict[str, Any]], config: ScoreConfig) -> tuple[float, float, float]:
    """Genuine comments and reposts of a typical post, with the interval.

    The median over posts: one lottery or one bought avalanche says nothing about the followers.
    """
    point, low, high = (np.array([post[name] for post in posts], dtype=float) for name in INTERACTIONS)
    typical = float(np.median(point))
    if len(posts) == 1:  # it shows no spread; twice and half are honest bounds
        return typical, min(0.5 * typical, float(low[0])), max(2.0 * typical, float(high[0]))
    chance = np.random.default_rng(0)  # the same tables give the same interval
    chosen = chance.integers(0, len(posts), (_RESAMPLES, len(posts)))
    tail = (1 - config.interaction.interval) / 2
    off = chance.standard_normal(chosen.shape) / NormalDist().inv_cdf(1 - tail)  # of its point, in bounds
    drawn = point[chosen] + off * np.where(off > 0, (high - point)[chosen], (point - low)[chosen])
    few, many = np.quantile(np.median(np.maximum(drawn, 0), axis=1), [tail, 1 - tail])
    return typical, min(typical, float(few)), max(typical, float(many))


def _why_not(
    newest: dict[str, Any], posts: Sequence[dict[str, Any]], share: float | None, looked: datetime | None,
    settings: AccountsConfig,
) -> str | None:  # fmt: skip
    """Why nothing can be said of an account, from the `newest` look at it and its posts; None when something can."""
    followers, published = newest.get("followers"), newest.get("posts")
    if not posts:
        return "no_posts"
    if followers is None:
        return "hidden_followers"
    if followers <= 0:
        return "zero_followers"
    if published is not None and max(published, len(posts)) < settings.new_below:
        return "new_account"
    last = max((post["published_at"] for post in posts if post["published_at"] is not None), default=None)
    if looked is not None and last is not None and looked - last > timedelta(days=settings.dormant_days):
        return "dormant_account"
    return "too_few_comments" if share is None else None


@dataclass(frozen=True)
class _Step:
    """Between two looks at an account: how much its followers grew, as a share of those before."""

    start: datetime
    end: datetime
    growth: float


def _growth(ordered: Sequence[dict[str, Any]]) -> list[_Step]:
    """Steps of at most 30 days; over longer ones any growth may have come by itself."""
    known = [row for row in ordered if row["followers"] and row["fetched_at"]]
    return [
        _Step(before["fetched_at"], after["fetched_at"], after["followers"] / before["followers"] - 1)
        for before, after in pairwise(known)
        if after["fetched_at"] - before["fetched_at"] <= timedelta(days=30)
    ]


def _is_lottery(post: dict[str, Any]) -> bool:
    """Whether most of the comments read are entries."""
    return post["n_incentive"] > 0.5 * post["n_comments"]


def _jump_reason(jumps: Sequence[_Step], posts: Sequence[dict[str, Any]]) -> str:
    """Whether a lottery ran during every jump of followers; else they look bought."""
    draws = [post["published_at"] for post in posts if _is_lottery(post) and post["published_at"] is not None]
    drawn = all(any(jump.start <= at <= jump.end for at in draws) for jump in jumps)
    return "lottery_burst" if drawn else "follower_burst"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 2) if known else None


def _reach(reads: Sequence[int | None], followers: int | None) -> float | None:
    mean = _mean(reads)
    return None if mean is None or not followers else round(mean / followers, 4)
