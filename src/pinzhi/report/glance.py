"""Each brand at a glance: is its content its own, does it live its values, do people answer; as a whole and by month."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinzhi.config import InteractionConfig

Row = dict[str, Any]
Query = Callable[[str], list[Row]]

# The accounts that speak for a brand; posts with it, null for everybody else's; those to speak of, all where nobody is ours.
VIEWS = (
    "CREATE VIEW own AS SELECT platform, account_id, min(brand) AS own_brand FROM value_months WHERE is_own GROUP BY ALL",
    "CREATE VIEW told AS SELECT p.*, o.own_brand FROM posts p LEFT JOIN own o "
    "ON o.platform = p.platform AND o.account_id IS NOT DISTINCT FROM p.account_id",
    "CREATE VIEW ours AS SELECT * FROM told WHERE own_brand IS NOT NULL OR NOT EXISTS (SELECT 1 FROM own)",
)
QUESTIONS = ("original", "coherent", "genuine")

_SYNDICATED = (
    "(coalesce(is_self, false) AND source_platform <> platform AND originality_label IN ('duplicate', 'rewrite'))"
)
_JUDGED = "(originality IS NOT NULL AND originality_label <> 'undetermined')"
_P_OWN = f"(p_original + CASE WHEN {_SYNDICATED} THEN p_duplicate + p_rewrite ELSE 0 END)"
_NEVER = "coalesce(list_aggregate(list_transform(\"values\", lambda v: 1 - v.{0}), 'product'), 1)"
_P_EXPRESSES = f"((1 - {_NEVER.format('p_expresses')}) * {_NEVER.format('p_contradicts')})"


def _doubt(p: str, where: str) -> str:
    """Sum of p(1-p), in decimals: they are summed exactly, so that the order of rows changes no digit."""
    return f"CAST(sum(CAST(greatest(0, {p} * (1 - {p})) AS DECIMAL(18, 6))) FILTER ({where}) AS DOUBLE)"


_POSTS = (
    "SELECT own_brand AS brand, strftime(published_at, '%Y-%m') AS month, count(*) AS n_posts, min(published_at) AS first_at, "
    f"max(published_at) AS last_at, count(*) FILTER ({_JUDGED}) AS n_original, count(*) FILTER ({_JUDGED} AND "
    f"(originality_label = 'original' OR {_SYNDICATED})) AS k_original, {_doubt(_P_OWN, _JUDGED)} AS doubt_original, "
    "count(coherence_grade) AS n_coherent, count(*) FILTER (coherence_grade = 3) AS k_coherent, "
    f"{_doubt(_P_EXPRESSES, 'coherence_grade IS NOT NULL')} AS doubt_coherent, "
    "count(*) FILTER (coherence_grade = 0) AS n_contradicts, count(quality) AS n_quality, "
    "CAST(sum(CAST(quality AS DECIMAL(18, 4))) AS DOUBLE) AS quality FROM told GROUP BY ALL ORDER BY ALL"
)
_COMMENTS = (
    "SELECT own_brand AS brand, strftime(p.published_at, '%Y-%m') AS month, authenticity = 'genuine' AS is_genuine, "
    "round(100 * p_genuine) / 100 AS p, count(*) AS n FROM comments c JOIN told p "
    "ON p.platform = c.platform AND p.post_id = c.post_id WHERE NOT is_owner AND authenticity IS NOT NULL GROUP BY ALL ORDER BY ALL"
)


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] of `n` rows with its credible interval; null for too few rows."""

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Change:
    """A share of the last month beside the month before; `direction` is up or down where the intervals lie apart, same where
    they do not, unknown where one is null."""

    before: Share
    now: Share

    @property
    def direction(self) -> str:
        a, b = self.before, self.now
        if a.low is None or b.low is None or a.high is None or b.high is None:
            return "unknown"
        return "up" if b.low > a.high else "down" if b.high < a.low else "same"


def glance(query: Query, settings: InteractionConfig) -> list[Row]:
    """One row a brand, and one with brand null for the accounts that speak for none: `n_posts`, `first_at`, `last_at`, mean
    `quality`, `n_contradicts`, a Share for each of QUESTIONS, `months` (label -> the same shares) and `changes` of the last one."""
    posts, comments = query(_POSTS), query(_COMMENTS)
    found = []
    for brand in sorted({row["brand"] for row in posts}, key=lambda name: (name is None, name)):
        own = [row for row in posts if row["brand"] == brand]
        said = [row for row in comments if row["brand"] == brand]
        labels = sorted({row["month"] for row in own if row["month"]})
        months = {
            label: _shares((r for r in own if r["month"] == label), (r for r in said if r["month"] == label), settings)
            for label in labels
        }
        n = sum(row["n_quality"] for row in own)
        times = [row[end] for row in own for end in ("first_at", "last_at") if row[end]]
        found.append({
            "brand": brand, "n_posts": sum(row["n_posts"] for row in own), "first_at": min(times, default=None),
            "last_at": max(times, default=None), "quality": sum(row["quality"] or 0 for row in own) / n if n else None,
            "n_contradicts": sum(row["n_contradicts"] for row in own), **_shares(own, said, settings), "months": months,
            "before": labels[-2] if len(labels) > 1 else None, "now": labels[-1] if labels else None,
            "changes": {name: Change(months[labels[-2]][name], months[labels[-1]][name]) for name in QUESTIONS}
            if len(labels) > 1 else {},
        })  # fmt: skip
    return found


def _shares(posts: Iterable[Row], comments: Iterable[Row], settings: InteractionConfig) -> dict[str, Share]:
    from pinzhi.interaction.posts import beta_interval, share_interval

    rows, said = list(posts), list(comments)
    found = {}
    for name in ("original", "coherent"):
        n, k = sum(row[f"n_{name}"] for row in rows), sum(row[f"k_{name}"] for row in rows)
        doubt = sum(row[f"doubt_{name}"] or 0 for row in rows)
        found[name] = Share(n, *beta_interval(n, k, doubt, settings.interval)) if n else Share(0)
    counts = [row["n"] for row in said]
    n = sum(counts)
    if n < settings.min_comments:
        return found | {"genuine": Share(n)}
    is_genuine = np.repeat([row["is_genuine"] for row in said], counts)
    p = np.repeat([row["p"] for row in said], counts)
    return found | {"genuine": Share(n, *share_interval(is_genuine, p, settings.interval))}
