"""Who acts together over a whole archive: groups of comments and authors with their evidence, commenters that accounts share, and
the graph of both for Gephi. SQL over the scored comments of a run."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pinzhi.config import ScoreConfig
from pinzhi.interaction.graph import Edge, Node, components, gexf

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEIGHBOURS = 20  # comments after one, under its post, that are looked at: the work stays in proportion to the comments
_ACCOUNTS = 200  # accounts of one commenter beyond which it says nothing of two of them
GRAPH_GROUPS = 2000  # the largest groups; a graph of more nobody can look at
_LABEL = 40  # characters


def register_spoken(db: "DuckDBPyConnection", comments: str, posts: str) -> None:
    """Table spoken: scored comments (SQL over `comments`) that are not an account's own, with the account whose post they answer and,
    where it is known to the minute, its `second` since 1970."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE spoken AS SELECT s.platform, s.comment_id, s.post_id, s.author_id, s.created_at, s.text, "
        "s.authenticity, s.coordination_id, s.coordination_evidence, p.account_id, "
        "CASE WHEN c.time_precision IS DISTINCT FROM 'day' THEN epoch_ms(s.created_at) // 1000 END AS second "
        f"FROM {comments} s JOIN comments c USING (platform, comment_id) "
        f"LEFT JOIN {posts} p ON p.platform = s.platform AND p.post_id = s.post_id WHERE NOT s.is_owner"
    )


def coordination(db: "DuckDBPyConnection", config: ScoreConfig) -> tuple[pa.Table, Iterator[str]]:
    """Schema COORDINATION without run_id, and the lines of the graph. `wording`: comments of one wording, as `coordinate` found them.
    `together`: authors who stood within minutes of each other under one post after the other; of them `mostly` says whether
    they are an army or only readers who are quick."""
    meetings, pairs = _together(db, config)
    db.register("meetings", meetings)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE grouped AS "
        "SELECT platform, coordination_id, 'wording' AS kind, comment_id, coordination_evidence AS evidence FROM spoken "
        "WHERE coordination_id IS NOT NULL UNION ALL "
        "SELECT platform, coordination_id, 'together', comment_id, evidence FROM meetings"
    )
    db.unregister("meetings")

    def listed(name: str) -> str:
        return f"list_sort(list(DISTINCT {name}) FILTER ({name} IS NOT NULL))"

    lists = {"author_ids": "author_id", "account_ids": "account_id", "post_ids": "post_id", "comment_ids": "comment_id"}
    found = db.sql(
        "WITH m AS (SELECT g.*, s.author_id, s.account_id, s.post_id, s.created_at, s.text, s.authenticity "
        "FROM grouped g JOIN spoken s USING (platform, comment_id)), "
        "counted AS (SELECT platform, coordination_id, authenticity, count(*) AS n FROM m GROUP BY ALL), "
        "most AS (SELECT platform, coordination_id, authenticity AS mostly FROM counted "
        "QUALIFY row_number() OVER (PARTITION BY platform, coordination_id ORDER BY n DESC, authenticity) = 1), "
        "groups AS (SELECT platform, coordination_id, any_value(kind) AS kind, CAST(count(*) AS INTEGER) AS n_comments, "
        "min(created_at) AS first_at, max(created_at) AS last_at, min(text) AS text, "
        f"array_to_string({listed('evidence')}, ' | ') AS evidence, "
        + ", ".join(f"coalesce({listed(one)}, []) AS {name}" for name, one in lists.items())
        + " FROM m GROUP BY platform, coordination_id) "
        "SELECT g.*, t.mostly, CAST(len(author_ids) AS INTEGER) AS n_authors, CAST(len(post_ids) AS INTEGER) AS n_posts, "
        "CAST(len(account_ids) AS INTEGER) AS n_accounts FROM groups g JOIN most t USING (platform, coordination_id) "
        "ORDER BY platform, coordination_id"
    ).to_arrow_table()
    return found, _graph(db, found, pairs)


def overlap(db: "DuckDBPyConnection", config: ScoreConfig) -> pa.Table:
    """Schema OVERLAP without run_id: pairs of accounts of a platform whom the same people answer, from `coordinated_from` on."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE answered AS SELECT platform, account_id, "
        "CAST(row_number() OVER (ORDER BY platform, account_id) AS INTEGER) AS account FROM ("
        "SELECT DISTINCT platform, account_id FROM spoken WHERE account_id IS NOT NULL)"
    )
    db.execute(  # numbers in the place of ids, as one author may have answered hundreds of accounts
        "CREATE OR REPLACE TEMP TABLE answerers AS SELECT account, hash(platform, author_id) AS author, "
        "bool_or(authenticity IN ('water_army', 'spam')) AS is_bought FROM spoken JOIN answered USING (platform, account_id) "
        "WHERE author_id IS NOT NULL GROUP BY ALL"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE several AS SELECT * FROM answerers SEMI JOIN (SELECT author FROM answerers "
        f"GROUP BY author HAVING count(*) BETWEEN 2 AND {_ACCOUNTS}) USING (author)"
    )
    found = db.sql(
        "WITH commenters AS (SELECT account, count(*) AS n FROM answerers GROUP BY account), "
        "shared AS (SELECT a.account AS a, b.account AS b, count(*) AS n, count(*) FILTER (a.is_bought OR b.is_bought) AS n_bought "
        "FROM several a JOIN several b ON a.author = b.author AND a.account < b.account GROUP BY ALL "
        f"HAVING count(*) >= {config.comments.coordinated_from}) "
        "SELECT x.platform, x.account_id, y.account_id AS other_account_id, CAST(s.n AS INTEGER) AS n_shared, "
        "CAST(p.n AS INTEGER) AS n_commenters, CAST(q.n AS INTEGER) AS n_other_commenters, "
        "CAST(round(s.n / least(p.n, q.n), 4) AS FLOAT) AS share, CAST(s.n_bought AS INTEGER) AS n_shared_bought FROM shared s "
        "JOIN answered x ON x.account = s.a JOIN answered y ON y.account = s.b "
        "JOIN commenters p ON p.account = s.a JOIN commenters q ON q.account = s.b"
    ).to_arrow_table()
    for table in ("answered", "answerers", "several"):
        db.execute(f"DROP TABLE {table}")
    return found


_MEETINGS = pa.schema([(name, pa.string()) for name in ("platform", "coordination_id", "comment_id", "evidence")])


def _together(db: "DuckDBPyConnection", config: ScoreConfig) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Comments of the groups of authors that stand together, and the pairs (platform, a, b, n posts) that make them."""
    settings = config.comments
    db.execute(  # numbers in the place of ids: what is beside what is twenty rows a comment
        "CREATE OR REPLACE TEMP TABLE busy AS SELECT platform, author_id, count(DISTINCT post_id) AS n_posts, "
        "CAST(row_number() OVER (ORDER BY platform, author_id) AS INTEGER) AS author FROM spoken "
        "WHERE author_id IS NOT NULL AND post_id IS NOT NULL AND second IS NOT NULL GROUP BY platform, author_id "
        f"HAVING count(DISTINCT post_id) >= {settings.together_posts}"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE placed AS SELECT b.author, s.second, s.comment_id, "
        "CAST(dense_rank() OVER (ORDER BY s.platform, s.post_id) AS INTEGER) AS post, "
        "CAST(row_number() OVER (PARTITION BY s.platform, s.post_id ORDER BY s.second, s.comment_id) AS INTEGER) AS place "
        "FROM spoken s JOIN busy b USING (platform, author_id) WHERE s.post_id IS NOT NULL AND s.second IS NOT NULL"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE beside AS "
        "SELECT DISTINCT x.post, least(x.author, y.author) AS a, greatest(x.author, y.author) AS b "
        f"FROM (SELECT *, unnest(range(place + 1, place + {_NEIGHBOURS + 1})) AS next FROM placed) x "
        "JOIN placed y ON y.post = x.post AND y.place = x.next "
        f"WHERE x.author <> y.author AND y.second - x.second <= {60 * settings.burst_minutes}"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE pairs AS SELECT m.a, m.b, m.n FROM ("
        f"SELECT a, b, count(*) AS n FROM beside GROUP BY a, b HAVING count(*) >= {settings.together_posts}) m "
        f"JOIN busy x ON x.author = m.a JOIN busy y ON y.author = m.b WHERE m.n >= {settings.together_share} * least(x.n_posts, y.n_posts)"
    )
    pairs = db.sql(
        "SELECT x.platform, x.author_id AS a, y.author_id AS b, n FROM pairs JOIN busy x ON x.author = a "
        "JOIN busy y ON y.author = b ORDER BY ALL"
    ).to_arrow_table()
    rows = pairs.to_pylist()
    group_of: dict[tuple[str, str], tuple[str, str]] = {}
    for platform, some in groupby(rows, key=lambda row: row["platform"]):
        for members in components([(row["a"], row["b"]) for row in some]):
            digest = hashlib.blake2b("/".join((platform, *members)).encode(), digest_size=6).hexdigest()
            evidence = (
                f"together_posts>={settings.together_posts};authors={len(members)};minutes<={settings.burst_minutes}"
            )
            group_of.update({(platform, member): (f"t{digest}", evidence) for member in members})
    meetings = db.sql(
        "WITH met AS (SELECT post, a, b FROM beside JOIN pairs USING (a, b)) "
        "SELECT DISTINCT u.platform, u.author_id AS a, p.comment_id FROM placed p JOIN busy u USING (author) "
        "SEMI JOIN (SELECT post, a AS author FROM met UNION SELECT post, b FROM met) m ON m.post = p.post AND m.author = p.author"
    ).to_arrow_table().to_pylist()  # fmt: skip
    for table in ("placed", "beside", "pairs", "busy"):
        db.execute(f"DROP TABLE {table}")
    told = [(row["platform"], *group_of[row["platform"], row["a"]], row["comment_id"]) for row in meetings]
    listed = [
        dict(zip(("platform", "coordination_id", "evidence", "comment_id"), one, strict=True))
        for one in sorted(set(told))
    ]
    return pa.Table.from_pylist(listed, schema=_MEETINGS), rows


def _graph(db: "DuckDBPyConnection", groups: pa.Table, pairs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Wordings with the authors (masked: the posts) that they come from, and authors with those whom they stand beside."""
    shown = sorted(
        groups.select(["platform", "coordination_id", "kind", "mostly", "n_comments", "text"]).to_pylist(),
        key=lambda row: (-row["n_comments"], row["platform"], row["coordination_id"]),
    )[:GRAPH_GROUPS]
    wordings = {(row["platform"], row["coordination_id"]): row for row in shown if row["kind"] == "wording"}
    links = db.sql(
        "SELECT s.platform, s.coordination_id, coalesce(s.author_id, s.post_id) AS hand, s.author_id IS NULL AS is_masked, "
        "count(*) AS n FROM spoken s WHERE s.coordination_id IS NOT NULL AND coalesce(s.author_id, s.post_id) IS NOT NULL "
        "GROUP BY ALL ORDER BY ALL"
    ).to_arrow_table().to_pylist()  # fmt: skip
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for row in links:
        key = (row["platform"], row["coordination_id"])
        if key not in wordings:
            continue
        group = wordings[key]
        wording = _node(nodes, "wording", *key, group["text"], group["mostly"])
        hand = _node(nodes, "post" if row["is_masked"] else "author", row["platform"], row["hand"])
        edges.append(Edge(wording, hand, row["n"], "wording"))
    for row in pairs[: 10 * GRAPH_GROUPS]:
        ends = [_node(nodes, "author", row["platform"], row[end]) for end in ("a", "b")]
        edges.append(Edge(ends[0], ends[1], row["n"], "together"))
    return gexf([nodes[name] for name in sorted(nodes)], edges)


def _node(
    nodes: dict[str, Node], kind: str, platform: str, name: str, text: str = "", mostly: str | None = None
) -> str:
    """The id of a node, which is added where it is new."""
    node = f"{kind}/{platform}/{name}"
    nodes.setdefault(
        node, Node(node, text[:_LABEL] or name, {"kind": kind, "platform": platform, "mostly": mostly or ""})
    )
    return node
