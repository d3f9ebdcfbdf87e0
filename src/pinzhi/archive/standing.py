"""Where accounts stand: what is usual for their size, month by month among the others, and what their money bought. SQL over the
tables of a run; sums are of decimals, so that the order of rows does not show."""

from typing import TYPE_CHECKING

import pyarrow as pa

from pinzhi.config import ScoreConfig
from pinzhi.decide import TIERS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIRST = 5  # accounts that a reader keeps in mind of a week


def tier_of(followers: str, config: ScoreConfig) -> str:
    """SQL for the name of the tier of as many `followers`, an SQL expression."""
    whens = " ".join(
        f"WHEN {followers} < {limit} THEN '{name}'" for name, limit in zip(TIERS, config.accounts.tiers, strict=False)
    )
    return f"CASE WHEN {followers} IS NULL THEN NULL {whens} ELSE '{TIERS[-1]}' END"


def register_usual(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    """Table usual: for each post of the table posts its likes and reposts a comment, times what is usual for the account and, over
    the accounts that are there, for its tier on the platform; null where too few posts or accounts show what is usual."""
    settings = config.interaction

    def ratio(count: str) -> str:
        hidden = "comments IS NULL OR list_contains(coalesce(count_floors, []), 'comments')"
        return f"CASE WHEN {hidden} THEN NULL ELSE ln((p.{count} + 1) / (p.comments + 1)) END AS {count}"

    def times(count: str) -> str:
        own = f"CASE WHEN a.n_{count} >= {settings.usual_posts} THEN exp(r.{count} - a.{count}) END"
        tier = f"CASE WHEN t.n_{count} >= {settings.usual_accounts} THEN exp(r.{count} - t.{count}) END"
        return ", ".join(
            f"CAST(round({value}, 3) AS FLOAT) AS {count}_vs_{name}" for name, value in (("own", own), ("tier", tier))
        )

    usual = ", ".join(f"median({count}) AS {count}, count({count}) AS n_{count}" for count in ("likes", "reposts"))
    db.execute(
        "CREATE OR REPLACE TEMP TABLE usual AS WITH "
        f"newest AS (SELECT platform, account_id, {tier_of('arg_max(followers, coalesce(epoch_ms(fetched_at), -1))', config)} AS tier "
        "FROM accounts GROUP BY platform, account_id), "
        f"ratios AS (SELECT platform, account_id, post_id, tier, {ratio('likes')}, {ratio('reposts')} "
        "FROM posts p LEFT JOIN newest USING (platform, account_id) WHERE account_id IS NOT NULL), "
        f"of_account AS (SELECT platform, account_id, any_value(tier) AS tier, {usual} FROM ratios GROUP BY platform, account_id), "
        f"of_tier AS (SELECT platform, tier, {usual} FROM of_account WHERE tier IS NOT NULL GROUP BY platform, tier) "
        f"SELECT r.platform, r.post_id, {times('likes')}, {times('reposts')} FROM ratios r "
        "JOIN of_account a USING (platform, account_id) LEFT JOIN of_tier t ON t.platform = r.platform AND t.tier = r.tier"
    )


def register_standing(db: "DuckDBPyConnection", posts: str, accounts: pa.Table) -> None:
    """Tables standing_posts, of `posts` (SQL over scored posts) whose account is known, with whether something was paid for each and
    what it was answered by, and standing_accounts."""
    db.register("scored_accounts", accounts)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE standing_accounts AS SELECT platform, account_id, name, followers, tier FROM scored_accounts"
    )
    db.unregister("scored_accounts")
    exact = "DECIMAL(18, 2)"
    db.execute(
        "CREATE OR REPLACE TEMP TABLE standing_posts AS SELECT platform, account_id, published_at, campaign, currency, reads, "
        f"n_comments, n_genuine, CAST(quality AS {exact}) AS quality, CAST(nullif(cost, 0) AS {exact}) AS cost, "
        f"CAST(genuine_interactions AS {exact}) AS genuine, CAST(genuine_comments AS {exact}) AS genuine_comments, "
        "CAST(pow(genuine_interactions - genuine_interactions_low, 2) AS DECIMAL(30, 4)) AS below, "
        "CAST(pow(genuine_interactions_high - genuine_interactions, 2) AS DECIMAL(30, 4)) AS above, "
        "coalesce(cost > 0, false) OR (campaign IS NOT NULL AND "
        "coalesce(bool_or(cost > 0) OVER (PARTITION BY platform, account_id, campaign), false)) AS is_paid "
        f"FROM {posts} WHERE account_id IS NOT NULL"
    )


def _sums(where: str = "true") -> str:
    """Genuine interactions of the posts `where`, with the bounds of their sum: doubts of posts are each post's own, so that their
    squares add up."""
    total = f"CAST(sum(genuine) FILTER ({where}) AS DOUBLE)"
    below, above = (f"sqrt(CAST(sum({name}) FILTER ({where}) AS DOUBLE))" for name in ("below", "above"))
    return f"{total} AS genuine, greatest(0, {total} - {below}) AS genuine_low, {total} + {above} AS genuine_high"


_COMMON = (
    "CAST(count(*) AS INTEGER) AS n_posts, CAST(count(*) FILTER (is_paid) AS INTEGER) AS n_paid, "
    "CAST(sum(n_comments) AS INTEGER) AS n_comments, CAST(sum(n_genuine) AS INTEGER) AS n_genuine, CAST(sum(genuine_comments) AS DOUBLE) AS genuine_comments, "
    "round(CAST(sum(quality) AS DOUBLE) / count(quality), 2) AS quality, "
    "CAST(sum(cost) AS DOUBLE) AS paid, "
    "count(DISTINCT coalesce(currency, '')) FILTER (cost IS NOT NULL) AS n_currencies, min(currency) FILTER (cost IS NOT NULL) AS one_currency, "
    "bool_or(is_paid AND reads IS NULL) AS hides_reads, sum(reads) FILTER (is_paid) AS reads_paid, "
)


def _money(genuine: str, config: ScoreConfig) -> str:
    """The columns of money and shares, from those of _COMMON and the genuine interactions under paid posts, `genuine`."""
    cost = "CASE WHEN n_currencies = 1 THEN paid END"
    return (
        f"CASE WHEN n_comments >= {config.interaction.min_comments} THEN round(genuine_comments / n_comments, 4) END AS genuine_share, "
        f"{cost} AS cost, CASE WHEN n_currencies > 1 THEN 'mixed' ELSE one_currency END AS currency, "
        f"CASE WHEN NOT hides_reads AND reads_paid > 0 THEN round(1000 * {cost} / reads_paid, 2) END AS cost_per_1000_reads, "
        + ", ".join(
            f"CASE WHEN {genuine}{bound} > 0 THEN round({cost} / {genuine}{bound}, 2) END AS cost_per_genuine{name}"
            for name, bound in (("", ""), ("_low", "_high"), ("_high", "_low"))
        )
    )


_ROUNDED = ", ".join(f"round(genuine{bound}, 2) AS genuine_interactions{bound}" for bound in ("", "_low", "_high"))


def campaigns(db: "DuckDBPyConnection", config: ScoreConfig) -> pa.Table:
    """Schema CAMPAIGNS without run_id. The cost of a whole campaign may stand at one of its posts."""
    return db.sql(
        f"SELECT platform, account_id, campaign, n_posts, first_at, last_at, reads, n_comments, n_genuine, quality, {_ROUNDED}, "
        f"{_money('genuine', config)} FROM ("
        f"SELECT platform, account_id, campaign, {_COMMON} min(published_at) AS first_at, max(published_at) AS last_at, "
        f"CAST(sum(reads) AS BIGINT) AS reads, {_sums()} FROM standing_posts WHERE campaign IS NOT NULL OR is_paid "
        "GROUP BY platform, account_id, campaign)"
    ).to_arrow_table()


def months(db: "DuckDBPyConnection", config: ScoreConfig) -> pa.Table:
    """Schema MONTHS without run_id: every account in every month in which it posted."""
    paid = _sums("is_paid").replace("AS genuine", "AS bought")
    ranked = "row_number() OVER (PARTITION BY m.month_start{} ORDER BY round(genuine, 2) DESC NULLS LAST, m.platform, m.account_id)"
    at_all = "count(genuine) OVER (PARTITION BY m.month_start{})"
    return db.sql(
        "WITH of_month AS ("
        f"SELECT platform, account_id, date_trunc('month', published_at) AS month_start, {_COMMON} {_sums()}, {paid}, "
        "CAST(sum(reads) FILTER (NOT is_paid) AS BIGINT) AS reads_earned, sum(reads) / count(reads) AS mean_reads "
        "FROM standing_posts WHERE published_at IS NOT NULL GROUP BY ALL), "
        "of_week AS ("
        "SELECT platform, account_id, date_trunc('week', published_at) AS week, sum(genuine) AS genuine "
        "FROM standing_posts WHERE published_at IS NOT NULL GROUP BY ALL HAVING sum(genuine) IS NOT NULL), "
        "seen AS (SELECT *, count(*) OVER w AS n_there, row_number() OVER (w ORDER BY genuine DESC, platform, account_id) AS place "
        "FROM of_week WINDOW w AS (PARTITION BY week)), "
        "weeks AS (SELECT platform, account_id, date_trunc('month', week) AS month_start, "
        f"CAST(count(*) AS INTEGER) AS n_weeks, CAST(count(*) FILTER (place <= {FIRST}) AS INTEGER) AS n_weeks_first_five "
        f"FROM seen WHERE n_there > {FIRST} GROUP BY ALL) "
        f"SELECT m.platform, m.account_id, a.name, CAST(m.month_start AS TIMESTAMPTZ) AS month_start, n_posts, n_paid, n_comments, n_genuine, quality, {_ROUNDED}, "
        "CAST(reads_paid AS BIGINT) AS reads_paid, reads_earned, "
        "CASE WHEN a.followers > 0 THEN round(mean_reads / a.followers, 4) END AS reach, "
        f"{_money('bought', config)}, a.tier, "
        f"CASE WHEN genuine IS NOT NULL THEN CAST({ranked.format('')} AS INTEGER) END AS rank, CAST({at_all.format('')} AS INTEGER) AS n_ranked, "
        f"CASE WHEN genuine IS NOT NULL AND a.tier IS NOT NULL THEN CAST({ranked.format(', a.tier')} AS INTEGER) END AS rank_in_tier, "
        f"CASE WHEN a.tier IS NOT NULL THEN CAST({at_all.format(', a.tier')} AS INTEGER) END AS n_in_tier, n_weeks, n_weeks_first_five "
        "FROM of_month m JOIN standing_accounts a USING (platform, account_id) "
        "LEFT JOIN weeks w ON w.platform = m.platform AND w.account_id = m.account_id AND w.month_start = m.month_start"
    ).to_arrow_table()
