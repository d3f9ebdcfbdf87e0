"""Measures to the tables that people read: decide, aggregate, write; one bounded group of accounts at a time."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil, log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi import interaction, schemas
from pinzhi.archive.brand_values import brand_values, register_stances, value_months
from pinzhi.archive.fed import Measure, with_fed
from pinzhi.archive.lineage import clustered, copies_of
from pinzhi.archive.measure import Inputs
from pinzhi.archive.standing import campaigns, months, register_standing, register_usual
from pinzhi.archive.store import Store, parquet_list
from pinzhi.archive.together import coordination, overlap, register_spoken
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.decide import decide_accounts, decide_comments, decide_posts
from pinzhi.memory import hand_back
from pinzhi.tables import (
    PART,
    check,
    keep_schema,
    partition_path,
    read_file,
    remove_others,
    write_parquet,
    write_partition,
    write_partitions,
    write_text,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

GROUP = 20_000  # comments of as many accounts as fit into one group
FILE = 50_000  # rows of one file; a partition of more is cut by a hash of the key
_POST_COLUMNS = [
    name for name in schemas.SCORED_POSTS.names if name in schemas.POSTS.names
]  # what a scored post takes over from the canonical one
_USUAL = ("likes_vs_own", "likes_vs_tier", "reposts_vs_own", "reposts_vs_tier")


class Finishing:
    """The last stage of a run. `stamp` are the columns that say which models and which run made a row."""

    def __init__(
        self, connection: "DuckDBPyConnection", store: Store, config: ScoreConfig, *, segmenter: str,
        models: Mapping[str, str], run_id: str, pseudonym: Callable[[str, str], str], measure_accounts: Measure,
    ) -> None:  # fmt: skip
        self._db, self._store, self._config = connection, store, config
        self._segmenter, self._models, self._run_id = segmenter, sorted(models.items()), run_id
        self._pseudonym, self._measure_accounts = pseudonym, measure_accounts

    def tables(self, inputs: Inputs, brands: Sequence[BrandProfile]) -> dict[str, int]:
        """Write the tables of schemas.OUTPUT, and the graph of those who act together; returns rows written by table."""
        self._views(inputs, brands)
        as_of = self._as_of()
        scratch = {name: self._store.scratch / f"{name}.parquet" for name in ("posts", "comments")}
        community: list[pa.Table] = []
        posts_schema, comments_schema = schemas.SCORED_POSTS, schemas.SCORED_COMMENTS
        self._store.scratch.mkdir(parents=True, exist_ok=True)
        with (
            pq.ParquetWriter(scratch["posts"], posts_schema) as posts_out,
            pq.ParquetWriter(scratch["comments"], comments_schema) as comments_out,
        ):
            for number in range(self._group_accounts()):
                posts, comments = self._group(number)
                community.append(interaction.community(comments, posts, self._config, as_of))
                posts_out.write_table(self._stamped(posts, posts_schema))
                comments_out.write_table(self._stamped(comments, comments_schema))
                hand_back()
        posts_sql = clustered(self._db, parquet_list([scratch["posts"]]))
        counts = {
            "posts": self._partition("posts", posts_sql, "published_at", "post_id"),
            "comments": self._partition("comments", parquet_list([scratch["comments"]]), "created_at", "comment_id"),
        }
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE copies AS FROM {copies_of(self._db, posts_sql, brands)}")
        counts["copies"] = self._partition(
            "copies", "copies", "published_at", "post_id, source_platform, source_post_id, brand"
        )
        accounts = interaction.aggregate_accounts(
            pq.read_table(scratch["posts"], columns=[*interaction.POST_COLUMNS, *interaction.MORE_COLUMNS]),
            self._db.sql("SELECT * FROM accounts").to_arrow_table(),
            self._config,
            self._looked(),
        )
        accounts = with_fed(accounts, self._db, self._measure_accounts, self._config)
        accounts = decide_accounts(accounts, self._config)
        counts["accounts"] = self._write("accounts", self._stamped(accounts, schemas.SCORED_ACCOUNTS), ("account_id",))
        months = interaction.aggregate_months(
            pq.read_table(scratch["posts"], columns=list(interaction.MONTH_COLUMNS)), self._config
        )
        self._db.register("months", self._stamped(months.drop_columns(["run_id"]), schemas.ACCOUNT_MONTHS))
        counts["account_months"] = self._partition("account_months", "months", "month_at", "account_id")
        people = pa.concat_tables(community) if community else schemas.COMMUNITY.empty_table()
        people = self._stamped(people, schemas.COMMUNITY)
        counts["community"] = self._write("community", people, ("account_id", "kind", "rank", "author_id", "text"))
        register_stances(self._db, parquet_list([scratch["posts"]]), parquet_list([scratch["comments"]]), brands)
        order = ("account_id", "brand", "value_id", "first_at")
        counts["value_months"] = self._write("value_months", value_months(self._db), order, "first_at")
        values = self._stamped(brand_values(self._db, self._config), schemas.BRAND_VALUES)
        _replace(values, self._store.out / "brand_values" / PART, schemas.BRAND_VALUES)
        counts["brand_values"] = values.num_rows
        counts |= self._together(scratch) | self._standing(scratch, accounts)
        counts["rejects"] = self._rejects()
        for path in scratch.values():
            path.unlink()
        return counts

    def _as_of(self) -> datetime | None:
        """The last moment that the archive knows of: `now` would change the tables of the same archive from day to day."""
        seen = "greatest({}, fetched_at)"
        (row,) = self._db.sql(
            f"SELECT greatest((SELECT max({seen.format('published_at')}) FROM posts), "
            f"(SELECT max({seen.format('created_at')}) FROM comments)) AS last"
        ).to_arrow_table().to_pylist()  # fmt: skip
        return row["last"]

    def _looked(self) -> dict[tuple[str, str], datetime]:
        """When the posts of each account were last looked at."""
        found = self._db.sql(
            "SELECT platform, account_id, max(fetched_at) AS looked FROM posts "
            "WHERE account_id IS NOT NULL AND fetched_at IS NOT NULL GROUP BY ALL"
        ).to_arrow_table()
        return {(row["platform"], row["account_id"]): row["looked"] for row in found.to_pylist()}

    def _together(self, scratch: Mapping[str, Path]) -> dict[str, int]:
        """Write coordination, overlap and the graph."""
        register_spoken(self._db, parquet_list([scratch["comments"]]), parquet_list([scratch["posts"]]))
        groups, graph = coordination(self._db, self._config)
        written = {
            "coordination": self._write("coordination", self._stamped(groups, schemas.COORDINATION), ("coordination_id",)),
            "overlap": self._write(
                "overlap", self._stamped(overlap(self._db, self._config), schemas.OVERLAP), ("account_id", "other_account_id")
            ),
        }  # fmt: skip
        write_text("\n".join(graph) + "\n", self._store.out / schemas.GRAPH)
        return written

    def _standing(self, scratch: Mapping[str, Path], accounts: pa.Table) -> dict[str, int]:
        """Write months and campaigns."""
        register_standing(self._db, parquet_list([scratch["posts"]]), accounts)
        return {
            "months": self._write(
                "months", self._stamped(months(self._db, self._config), schemas.MONTHS), ("account_id", "month_start"),
                "month_start",
            ),
            "campaigns": self._write(
                "campaigns", self._stamped(campaigns(self._db, self._config), schemas.CAMPAIGNS), ("account_id", "campaign")
            ),
        }  # fmt: skip

    def _views(self, inputs: Inputs, brands: Sequence[BrandProfile]) -> None:
        """Decided inputs: posts and comments beside their current measures."""
        coherence = " UNION ALL ".join(
            f'SELECT c.platform, c.post_id, m.brand, m."values" FROM ({inputs.coherence(brand)}) c '
            "JOIN m_coherence m USING (platform, post_id, input)"
            for brand in brands
        )
        names = ", ".join(f"o.{name}" for name in schemas.ORIGINALITY_MEASURES.names[2:])
        columns = ", ".join([*(f"p.{name}" for name in _POST_COLUMNS), *(f"u.{name}" for name in _USUAL)])
        register_usual(self._db, self._config)
        self._db.execute(
            f'CREATE OR REPLACE TEMP VIEW measured_posts AS SELECT {columns}, {names}, v.brand, v."values" '
            f"FROM ({inputs.originality()}) p JOIN m_originality o USING (platform, post_id, input) "
            f"LEFT JOIN ({coherence}) v ON v.platform = p.platform AND v.post_id = p.post_id "
            "LEFT JOIN usual u ON u.platform = p.platform AND u.post_id = p.post_id"
        )
        p_columns = ", ".join(f"m.{name}" for name in (*schemas.P_SENTIMENT, *schemas.P_AUTHENTICITY))
        self._db.execute(
            "CREATE OR REPLACE TEMP VIEW measured_comments AS SELECT c.*, coalesce(p.account_id, '') AS account_id, "
            f"{p_columns} FROM comments c "
            f"JOIN (SELECT platform, comment_id, input FROM ({inputs.comments()})) i USING (platform, comment_id) "
            "JOIN m_comments m USING (platform, comment_id, input) "
            "LEFT JOIN posts p ON p.platform = c.platform AND p.post_id = c.post_id"
        )

    def _group_accounts(self) -> int:
        """Table account_group: every account (as the owner of posts and comments) and its group; returns the groups."""
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE account_group AS WITH owners AS ("
            "SELECT platform, account_id, sum(n) AS n FROM ("
            "SELECT platform, coalesce(account_id, '') AS account_id, 1 AS n FROM posts UNION ALL "
            "SELECT c.platform, coalesce(p.account_id, ''), 1 FROM comments c "
            "LEFT JOIN posts p ON p.platform = c.platform AND p.post_id = c.post_id) GROUP BY ALL) "
            f"SELECT platform, account_id, CAST(floor((sum(n) OVER w - n) / {GROUP}) AS INTEGER) AS number "
            "FROM owners WINDOW w AS (ORDER BY platform, account_id)"
        )
        ((last,),) = self._db.execute("SELECT max(number) FROM account_group").fetchall()
        return 0 if last is None else int(last) + 1

    def _group(self, number: int) -> tuple[pa.Table, pa.Table]:
        """Decided posts and comments of one group of accounts."""
        comments = self._db.sql(
            "SELECT c.* FROM measured_comments c JOIN account_group g USING (platform, account_id) "
            f"WHERE g.number = {number} ORDER BY c.platform, c.account_id, c.comment_id"
        ).to_arrow_table()
        comments = comments.append_column("is_owner", self._owners(comments))
        posts = self._db.sql(
            "SELECT p.* FROM measured_posts p JOIN account_group g ON g.platform = p.platform "
            f"AND g.account_id = coalesce(p.account_id, '') WHERE g.number = {number} ORDER BY p.platform, p.post_id"
        ).to_arrow_table()
        comments = decide_comments(interaction.coordinate(comments, self._config, posts), self._config)
        posts = interaction.aggregate_posts(posts, comments, self._config)
        posts = interaction.count_genuine(posts, comments, self._config)
        return decide_posts(posts, self._config), comments

    def _owners(self, comments: pa.Table) -> pa.Array:
        """Whether each comment is the account's own."""
        mark: dict[tuple[str, str], str] = {}
        flags = []
        for platform, account, author in zip(
            *(comments[name].to_pylist() for name in ("platform", "account_id", "author_id")), strict=True
        ):
            if (platform, account) not in mark:
                mark[platform, account] = self._pseudonym(platform, account) if account else ""
            flags.append(bool(account) and author in (account, mark[platform, account]))
        return pa.array(flags, pa.bool_())

    def _stamped(self, table: pa.Table, schema: pa.Schema) -> pa.Table:
        n = table.num_rows
        stamps: dict[str, Any] = {"segmenter": self._segmenter, "models": self._models, "run_id": self._run_id}
        for name, value in stamps.items():
            if name in schema.names:
                table = table.append_column(name, pa.array([value] * n, schema.field(name).type))
        return check(table, schema)

    def _partition(self, name: str, source: str, time: str, key: str) -> int:
        """Rows of `source` to hive partitions; one file of a partition is in memory at a time."""
        schema, root = schemas.OUTPUT[name], self._store.out / name
        month = f"coalesce(strftime({time}, '%Y-%m'), 'unknown')"
        parts = self._db.execute(
            f"SELECT platform, {month} AS month, count(*) FROM {source} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        kept = set()
        for platform, month_value, n in parts:
            n_files = 1 << max(0, ceil(log2(n / FILE)))
            for number in range(n_files):
                rows = self._db.sql(
                    f"SELECT * FROM {source} WHERE platform = ? AND {month} = ? AND hash({key}) % {n_files} = {number} "
                    f"ORDER BY {key}",
                    params=[platform, month_value],
                ).to_arrow_table()
                path = partition_path(root, platform, month_value, number)
                kept.add(path)
                _replace(rows, path, schema)
        remove_others(root, kept.union(keep_schema(root, schema, kept)))
        return sum(n for *_, n in parts)

    def _rejects(self) -> int:
        unread = parquet_list([self._store.out / "canonical" / "unread.parquet"])
        columns = ", ".join(schemas.REJECTS.names)
        every = f"SELECT {columns} FROM rejects UNION ALL SELECT {columns} FROM {unread}"
        rows = self._db.sql(
            f"SELECT * FROM ({every}) ORDER BY source, line NULLS FIRST, field NULLS FIRST, reason, raw"
        )
        path = self._store.out / "rejects" / PART
        write_parquet(rows.to_arrow_reader(5000), path, schemas.REJECTS)
        return pq.read_metadata(path).num_rows

    def _write(self, name: str, table: pa.Table, keys: Sequence[str], time: str | None = None) -> int:
        table = table.sort_by([(key, "ascending") for key in ("platform", *keys)])
        write_partitions(table, self._store.out / name, schemas.OUTPUT[name], time)
        return table.num_rows


def _replace(rows: pa.Table, path: Any, schema: pa.Schema) -> None:
    """Write `rows`, keeping the run of every row that says what it said before."""
    rows = check(rows, schema)
    if path.exists():
        before = read_file(path, schema)
        rows = _keep_runs(rows, before)
        if rows.equals(before):
            return
    if "platform" in schema.names:
        write_partition(rows, path, schema)
    else:
        write_parquet(rows, path, schema)


def _keep_runs(rows: pa.Table, before: pa.Table) -> pa.Table:
    """`rows` with the run_id that an equal row had `before`."""
    known = dict(zip(_row_digests(before), before["run_id"].to_pylist(), strict=True))
    runs = [known.get(row, run) for row, run in zip(_row_digests(rows), rows["run_id"].to_pylist(), strict=True)]
    return rows.set_column(
        rows.schema.get_field_index("run_id"), rows.schema.field("run_id"), pa.array(runs, pa.string())
    )


def _row_digests(table: pa.Table) -> Iterator[bytes]:
    """A digest of each row without its run."""
    for batch in table.drop_columns(["run_id"]).to_batches(1000):
        for row in batch.to_pylist():
            yield hashlib.blake2b(repr(row).encode(), digest_size=12).digest()
