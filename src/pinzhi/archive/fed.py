"""Which accounts of an archive look as if somebody fed them: their newest posts, streamed account by account."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pinzhi.config import ScoreConfig
from pinzhi.interaction.account_features import MOST_POSTS, TAUGHT_PLATFORM, SeenAccount, SeenPost
from pinzhi.schemas import SCORED_ACCOUNTS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Measure = Callable[[Sequence[SeenAccount]], np.ndarray | None]  # None: the store has no model of accounts
_AT_ONCE = 256  # accounts whose posts are held


def with_fed(accounts: pa.Table, db: "DuckDBPyConnection", measure: Measure, config: ScoreConfig) -> pa.Table:
    """Scored `accounts` with p_fed and p_fed_reason, from the canonical tables posts and accounts of `db`."""
    p_fed: dict[str, float] = {}
    has_model = True
    seen = seen_accounts(db, config.accounts.fed_posts)
    while some := list(islice(seen, _AT_ONCE)):
        found = measure([one for _, one in some])
        if found is None:
            has_model = False
            break
        p_fed.update(zip((account for account, _ in some), found.tolist(), strict=True))
    told = [
        (p_fed[account], None) if platform == TAUGHT_PLATFORM and account in p_fed
        else (None, _why_not(platform, n_posts, has_model, config))
        for platform, account, n_posts in zip(*(accounts[name].to_pylist() for name in ("platform", "account_id", "n_posts")), strict=True)
    ]  # fmt: skip
    for at, name in enumerate(("p_fed", "p_fed_reason")):
        field = SCORED_ACCOUNTS.field(name)
        accounts = accounts.append_column(field, pa.array([one[at] for one in told], field.type))
    return accounts


def _why_not(platform: str, n_posts: int, has_model: bool, config: ScoreConfig) -> str:
    """Why it is not told whether an account is fed."""
    if platform != TAUGHT_PLATFORM:
        return "not_weibo"
    if n_posts < config.accounts.fed_posts:
        return "too_few_posts" if n_posts else "no_posts"
    return "hidden_counts" if has_model else "no_account_model"


def seen_accounts(db: "DuckDBPyConnection", least: int) -> Iterator[tuple[str, SeenAccount]]:
    """Ids of the accounts of which `least` posts with all their counts are at hand, and what is seen of them: their newest
    posts, and how many they follow and have published as last known. Ids and posts are in order."""
    # Chosen by key first: a window over the texts would hold them all.
    db.execute(
        "CREATE OR REPLACE TEMP TABLE newest_posts AS SELECT account_id, post_id FROM posts "
        f"WHERE platform = '{TAUGHT_PLATFORM}' AND account_id IS NOT NULL AND kind IS DISTINCT FROM 'deleted' "
        "AND reposts IS NOT NULL AND comments IS NOT NULL AND likes IS NOT NULL "
        f"QUALIFY count(*) OVER (PARTITION BY account_id) >= {least} AND "
        f"row_number() OVER (PARTITION BY account_id ORDER BY published_at DESC NULLS LAST, post_id DESC) <= {MOST_POSTS}"
    )
    known = ", ".join(
        f"arg_max({name}, coalesce(epoch_ms(fetched_at), -1)) AS {name}" for name in ("following", "posts")
    )
    rows = db.sql(
        f"WITH profiles AS (SELECT account_id, {known} FROM accounts WHERE platform = '{TAUGHT_PLATFORM}' GROUP BY account_id) "
        "SELECT n.account_id, a.following, a.posts AS published, p.text, p.reposts, p.comments, p.likes, "
        "coalesce(p.kind = 'repost', false) OR p.reposted_post_id IS NOT NULL OR p.quoted_text IS NOT NULL "
        "OR contains(p.text, '//@') AS is_repost "
        f"FROM newest_posts n JOIN posts p ON p.platform = '{TAUGHT_PLATFORM}' AND p.post_id = n.post_id "
        "LEFT JOIN profiles a ON a.account_id = n.account_id ORDER BY n.account_id, n.post_id"
    ).to_arrow_reader(5000)
    of_posts = (row for batch in rows for row in batch.to_pylist())
    for account, posts in groupby(of_posts, key=lambda row: row["account_id"]):
        seen = list(posts)
        yield account, SeenAccount(
            seen[0]["following"], seen[0]["published"],
            [SeenPost(*(row[name] for name in ("text", "reposts", "comments", "likes", "is_repost"))) for row in seen],
        )  # fmt: skip
