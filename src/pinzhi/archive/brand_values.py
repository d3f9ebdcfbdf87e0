"""What a brand's posts make of its values, over a whole archive: coverage by month and account, promises kept and broken, and what readers
answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pinzhi import schemas
from pinzhi.archive.store import register_claimed
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.decide import LEAST_POSTS, STANCES
from pinzhi.interaction import beta_interval

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 20  # ids that are kept as evidence of one value
_COUNTS = ", ".join(f"CAST(count(*) FILTER ({stance}) AS INTEGER) AS n_{stance}" for stance in STANCES)


def register_stances(
    connection: "DuckDBPyConnection", posts: str, comments: str, brands: Sequence[BrandProfile]
) -> None:
    """View `stances`: every graded post of the table `posts` beside each value of its brand; `answers`: its genuine `comments`. Both names
    are SQL."""
    declared = [
        {"brand": brand.id, "value_id": value.id, "value_name": value.name, "rank": rank}
        for brand in brands
        for rank, value in enumerate(brand.values)
    ]
    connection.register("declared", pa.Table.from_pylist(declared))
    register_claimed(connection, brands)
    stances = ", ".join(f"list_contains(p.{stance}, d.value_id) AS {stance}" for stance in STANCES)
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW stances AS SELECT p.platform, p.post_id, p.account_id, p.published_at, d.*, "
        "(p.brand, p.platform, p.account_id) IN (SELECT (brand, platform, account_id) FROM claimed) "
        f"OR p.brand NOT IN (SELECT brand FROM claimed) AS is_own, {stances}, "
        'list_filter(p."values", lambda v: v.value_id = d.value_id)[1] AS measure '
        f"FROM {posts} p JOIN declared d ON d.brand = p.brand WHERE p.coherence_grade IS NOT NULL"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW answers AS SELECT platform, post_id, comment_id, likes, sentiment < 0 AS is_negative, p_negative "
        f"FROM {comments} WHERE authenticity = 'genuine' AND NOT is_owner AND post_id IS NOT NULL"
    )


def value_months(connection: "DuckDBPyConnection") -> pa.Table:
    """VALUE_MONTHS: what the posts of each account make of each value of its brand, month by month."""
    return connection.sql(
        "SELECT platform, account_id, brand, value_id, coalesce(is_own, false) AS is_own, CAST(count(*) AS INTEGER) AS n_posts, "
        f"{_COUNTS}, min(published_at) AS first_at, max(published_at) AS last_at "
        "FROM stances GROUP BY platform, account_id, brand, value_id, is_own, strftime(published_at, '%Y-%m')"
    ).to_arrow_table()


def brand_values(connection: "DuckDBPyConnection", config: ScoreConfig) -> pa.Table:
    """BRAND_VALUES without run_id: what the brands' own posts make of each of their values.

    Readers doubt a value where they answer the posts that express it more negatively than the brand's other posts: the lower bound of the
    share of negative ones among the genuine comments lies above the share elsewhere, and they stand under two posts at least. What exactly a
    comment objects to is not read; its id is given instead.
    """
    # Decimals are summed exactly: the order in which rows come must not change a digit.
    doubt = "CAST(sum(CAST({p} * (1 - {p}) AS DECIMAL(18, 6))) FILTER ({where}) AS DOUBLE)"
    posts = (
        f"SELECT brand, value_id, CAST(count(*) AS INTEGER) AS n_posts, {_COUNTS}, "
        f"{doubt.format(p='measure.p_expresses', where='true')} AS doubt, "
        "min(published_at) FILTER (expresses) AS first_expressed_at, max(published_at) FILTER (expresses) AS last_expressed_at, "
        "min(published_at) FILTER (contradicts) AS first_contradicted_at, max(published_at) FILTER (contradicts) AS last_contradicted_at, "
        "list(platform || '/' || post_id ORDER BY measure.p_contradicts DESC, platform, post_id) FILTER (contradicts)"
        f"[:{SHOWN}] AS contradicting_posts FROM stances WHERE is_own GROUP BY brand, value_id"
    )
    comments = (
        "SELECT brand, value_id, CAST(count(*) FILTER (expresses) AS INTEGER) AS n_genuine, "
        "CAST(count(*) FILTER (expresses AND is_negative) AS INTEGER) AS n_negative, "
        f"{doubt.format(p='p_negative', where='expresses')} AS negative_doubt, "
        "count(DISTINCT (platform, post_id)) FILTER (expresses AND is_negative) AS n_posts_doubted, "
        "count(*) FILTER (NOT expresses) AS n_elsewhere, "
        "count(*) FILTER (NOT expresses AND is_negative) AS n_negative_elsewhere, "
        "list(platform || '/' || comment_id ORDER BY likes DESC NULLS LAST, platform, comment_id) FILTER (expresses AND is_negative)"
        f"[:{SHOWN}] AS negative_comments FROM stances JOIN answers USING (platform, post_id) WHERE is_own GROUP BY brand, value_id"
    )
    rows = connection.sql(
        f"SELECT d.*, p.* EXCLUDE (brand, value_id), c.* EXCLUDE (brand, value_id) FROM declared d "
        f"LEFT JOIN ({posts}) p USING (brand, value_id) LEFT JOIN ({comments}) c USING (brand, value_id) ORDER BY d.brand, d.rank"
    ).to_arrow_table()
    found = [_judged(row, config) for row in rows.to_pylist()]
    return pa.Table.from_pylist(found, schema=schemas.BRAND_VALUES.remove(len(schemas.BRAND_VALUES) - 1))


def _judged(row: dict[str, Any], config: ScoreConfig) -> dict[str, Any]:
    """A row with its shares and what follows from the counts."""
    counts = ("n_posts", *(f"n_{stance}" for stance in STANCES), "n_genuine", "n_negative")
    row |= {name: row[name] or 0 for name in counts}
    row |= {name: row[name] or [] for name in ("contradicting_posts", "negative_comments")}
    least, interval = config.interaction.min_comments, config.interaction.interval
    if row["n_posts"]:
        shares = beta_interval(row["n_posts"], row["n_expresses"], row["doubt"], interval)
        row |= _shares("expresses_share", shares)
    row["never_expressed"] = None if not row["n_expresses"] and row["n_posts"] < LEAST_POSTS else not row["n_expresses"]
    row["claimed_and_contradicted"] = row["n_contradicts"] > 0 and row["n_expresses"] + row["n_touches"] > 0
    elsewhere = row["n_elsewhere"] or 0
    if elsewhere >= least:
        row["negative_share_elsewhere"] = round(row["n_negative_elsewhere"] / elsewhere, 4)
    if row["n_genuine"] >= least:
        row |= _shares(
            "negative_share", beta_interval(row["n_genuine"], row["n_negative"], row["negative_doubt"], interval)
        )
        if elsewhere >= least:
            is_more = row["negative_share_low"] > row["negative_share_elsewhere"]
            row["doubted_by_readers"] = is_more and row["n_posts_doubted"] >= 2
    return row


def _shares(name: str, shares: tuple[float, float, float]) -> dict[str, float]:
    return {f"{name}{end}": round(share, 4) for end, share in zip(("", "_low", "_high"), shares, strict=True)}
