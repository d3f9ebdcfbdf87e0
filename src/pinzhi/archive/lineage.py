"""Who copied whom: the clusters of posts that derive from each other, and the copies of what a brand's accounts published."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pinzhi.archive.store import register_claimed
from pinzhi.brand import BrandProfile
from pinzhi.interaction.graph import component_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def clustered(connection: "DuckDBPyConnection", posts: str) -> str:
    """SQL over `posts` (SQL) with their clusters: derived posts and their sources, all that hang together, named by the
    earliest of them."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE nodes AS SELECT platform, post_id, "
        "row_number() OVER (ORDER BY published_at NULLS LAST, platform, post_id) - 1 AS node "
        f"FROM {posts} SEMI JOIN ("
        f"SELECT platform, post_id FROM {posts} WHERE source_post_id IS NOT NULL UNION "
        f"SELECT source_platform, source_post_id FROM {posts} WHERE source_post_id IS NOT NULL) USING (platform, post_id)"
    )
    links = connection.execute(
        f"SELECT n.node AS later, s.node AS earlier FROM {posts} p JOIN nodes n USING (platform, post_id) "
        "JOIN nodes s ON s.platform = p.source_platform AND s.post_id = p.source_post_id"
    ).fetchnumpy()
    ((n,),) = connection.execute("SELECT count(*) FROM nodes").fetchall()
    cluster = component_of(np.column_stack([links["later"], links["earlier"]]), n)
    _, first, which, size = np.unique(cluster, return_index=True, return_inverse=True, return_counts=True)
    connection.register(
        "node_clusters", pa.table({"node": np.arange(n), "first": first[which], "size": size[which].astype(np.int32)})
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE clusters AS SELECT n.platform, n.post_id, "
        "f.platform || '/' || f.post_id AS cluster_id, c.size AS cluster_size "
        "FROM nodes n JOIN node_clusters c USING (node) JOIN nodes f ON f.node = c.first"
    )
    return (
        "(SELECT p.* REPLACE (c.cluster_id AS cluster_id, c.cluster_size AS cluster_size) "
        f"FROM {posts} p LEFT JOIN clusters c USING (platform, post_id))"
    )


def copies_of(connection: "DuckDBPyConnection", posts: str, brands: Sequence[BrandProfile]) -> str:
    """SQL over the copies (schema COPIES) that others than a brand's own accounts made of what those published; `posts` is SQL
    over decided posts with their clusters.

    A post copies what it names as its source; what it names beside that one, unless this is a copy itself, for both may
    then go back to a third; and, through copies of copies, what its cluster goes back to.
    """
    register_claimed(connection, brands)
    return (
        "(WITH links AS ("
        "SELECT platform, post_id, source_platform || '/' || source_post_id AS name, 1 AS rank "
        f"FROM {posts} WHERE source_post_id IS NOT NULL UNION ALL "
        f"SELECT platform, post_id, unnest(other_sources), 2 FROM {posts} WHERE source_post_id IS NOT NULL UNION ALL "
        f"SELECT platform, post_id, cluster_id, 3 FROM {posts} WHERE source_post_id IS NOT NULL), "
        "nearest AS (SELECT platform, post_id, name, min(rank) AS rank FROM links GROUP BY ALL), "
        "ours AS (SELECT o.brand, p.* "
        f"FROM {posts} p JOIN claimed o USING (platform, account_id)) "
        "SELECT p.platform, p.post_id, p.account_id, p.published_at, p.originality_label, o.brand, "
        "o.platform AS source_platform, o.post_id AS source_post_id, o.account_id AS source_account_id, "
        "o.published_at AS source_published_at, "
        "CASE l.rank WHEN 1 THEN 'source' WHEN 2 THEN 'other_source' ELSE 'cluster' END AS relation, "
        "p.p_duplicate + p.p_rewrite AS p_derived, "
        "CASE WHEN l.rank = 1 THEN p.source_similarity END AS source_similarity, "
        "CASE WHEN l.rank = 1 THEN p.spans END AS spans, p.cluster_id, p.cluster_size, p.run_id "
        f"FROM {posts} p JOIN nearest l USING (platform, post_id) "
        "JOIN ours o ON o.platform || '/' || o.post_id = l.name "
        "WHERE NOT (l.rank = 2 AND o.source_post_id IS NOT NULL) AND NOT EXISTS ("
        "SELECT 1 FROM claimed w WHERE w.brand = o.brand AND w.platform = p.platform AND w.account_id = p.account_id))"
    )
