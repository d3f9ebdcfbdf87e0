"""Clusters of posts that derive from each other, and the copies of a brand's own posts."""

from typing import Any

import duckdb
import pyarrow as pa

from pinzhi.archive.lineage import clustered, copies_of
from pinzhi.brand import AccountRef, BrandProfile
from pinzhi.schemas import COPIES, SCORED_POSTS
from pinzhi.tables import check
from tests.conftest import at

SPAN = {"start": 0, "end": 2, "source_start": 1, "source_end": 3}


def decided(day: int, post: str, account: str | None, source: str | None = None, *others: str) -> dict[str, Any]:
    """A post of the platform w; one with a source is a rewrite."""
    row = {
        "platform": "w",
        "post_id": post,
        "account_id": account,
        "published_at": at(day),
        "text": post,
        "run_id": "r",
    }
    if source is None:
        return row | {"originality_label": "original"}
    return row | {"originality_label": "rewrite", "source_platform": "w", "source_post_id": source, "p_duplicate": 0.25,
                  "p_rewrite": 0.5, "source_similarity": 0.5, "spans": [SPAN], "other_sources": [f"w/{one}" for one in others]}  # fmt: skip


def asked(rows: list[dict[str, Any]], brands: list[BrandProfile]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Posts with their clusters, and copies, both by key."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("decided", pa.Table.from_pylist(rows, schema=SCORED_POSTS))
        sql = clustered(connection, "decided")
        posts = connection.sql(f"FROM {sql} ORDER BY post_id").to_arrow_table()
        copies = connection.sql(f"FROM {copies_of(connection, sql, brands)} ORDER BY post_id, source_post_id, brand")
        return check(posts, SCORED_POSTS).to_pylist(), check(copies.to_arrow_table(), COPIES).to_pylist()


def with_accounts(brand: BrandProfile, *accounts: str, name: str = "b") -> BrandProfile:
    refs = tuple(AccountRef(platform="w", account_id=account) for account in accounts)
    return brand.model_copy(update={"id": name, "accounts": refs})


def test_a_cluster_is_named_by_its_earliest_post_however_long_the_chain(brand: BrandProfile) -> None:
    chain = [decided(1 + i // 24, f"p{i:03d}", "a", f"p{i - 1:03d}" if i else None) for i in range(300)]
    for i, row in enumerate(chain):
        row["published_at"] = at(1 + i // 24, i % 24)
    alone = decided(1, "x", "a")
    posts, _ = asked([alone, *reversed(chain)], [brand])
    assert [(row["cluster_id"], row["cluster_size"]) for row in posts] == [("w/p000", 300)] * 300 + [(None, None)]


def test_who_copied_us_and_who_only_copied_the_same(brand: BrandProfile) -> None:
    rows = [
        decided(1, "ours", "us"),
        decided(2, "copy", "thief", "ours"),
        decided(3, "copy of the copy", None, "copy"),
        decided(3, "ours again", "us too", "ours"),  # another account of the brand
        decided(1, "theirs", "x"),
        decided(2, "we copied it", "us", "theirs"),
        decided(4, "copied it too", "y", "theirs", "we copied it"),
        decided(5, "merge", "z", "theirs", "ours"),
    ]
    _, copies = asked(rows, [with_accounts(brand, "us", "us too")])
    assert [(row["post_id"], row["account_id"], row["source_post_id"], row["relation"]) for row in copies] == [
        ("copy", "thief", "ours", "source"),
        ("copy of the copy", None, "ours", "cluster"),
        ("merge", "z", "ours", "other_source"),
    ]
    assert copies[0]["p_derived"] == 0.75 and copies[0]["source_similarity"] == 0.5 and copies[0]["spans"] == [SPAN]
    assert copies[0]["source_published_at"] == at(1) and copies[0]["cluster_id"] == "w/ours"
    assert copies[1]["source_similarity"] is None and copies[1]["spans"] is None


def test_a_brand_that_copies_another_is_listed_for_that_one_alone(brand: BrandProfile) -> None:
    brands = [with_accounts(brand, "us"), with_accounts(brand, "them", "us", name="c")]
    rows = [decided(1, "p", "us"), decided(2, "q", "them", "p"), decided(3, "r", "n", "p")]
    _, copies = asked(rows, brands)
    assert [(row["post_id"], row["brand"]) for row in copies] == [("q", "b"), ("r", "b"), ("r", "c")]
    assert asked(rows, [brand.model_copy(update={"accounts": ()})])[1] == []


def test_nothing_derived_is_no_cluster(brand: BrandProfile) -> None:
    posts, copies = asked([decided(1, "p", "us")], [with_accounts(brand, "us")])
    assert posts[0]["cluster_id"] is None and copies == []
