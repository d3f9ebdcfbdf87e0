"""What has to be measured, in shards that are the same however often a run is interrupted."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pinzhi.archive.store import MEASURES, Store, parquet_list
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.memory import hand_back
from pinzhi.originality.index import PostIndex
from pinzhi.originality.rows import keys_of
from pinzhi.originality.search import RULES
from pinzhi.tables import write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pinzhi.scoring import Scorer

Progress = Callable[[str, int, int], None]  # stage, rows done, rows in all
_KEY = {"fingerprints": "post_id", "comments": "comment_id", "coherence": "post_id", "originality": "post_id"}
_DISTINCT = {kind: f"platform, {key}, input" for kind, key in _KEY.items()}


def register_measures(connection: "DuckDBPyConnection", store: Store) -> None:
    """Tables m_<kind>: for each key and input the measure of the last run."""
    for kind, schema in MEASURES.items():
        paths = sorted(store.measures(kind).glob("*.parquet")) if store.measures(kind).is_dir() else []
        if not paths:
            connection.register(f"m_{kind}", schema.empty_table())
            continue
        columns = ", ".join(f'"{name}"' for name in schema.names)
        connection.execute(
            f"CREATE OR REPLACE VIEW m_{kind} AS SELECT {columns} FROM {parquet_list(paths)} "
            f"QUALIFY row_number() OVER (PARTITION BY {_DISTINCT[kind]} ORDER BY filename DESC) = 1"
        )


class Inputs:
    """SQL that gives every row to be measured with the digest `input` of what its measure depends on."""

    def __init__(self, scorer: "Scorer", brands: Sequence[BrandProfile], config: ScoreConfig) -> None:
        search = config.originality
        own = repr(sorted(sorted((one.platform, one.account_id) for one in brand.accounts) for brand in brands))
        self._comment_tag = scorer.digest_of(("encoder", "sentiment", "authenticity"))
        self._print_tag = scorer.index_id
        self._original_tag = scorer.digest_of(
            ("originality",), own, scorer.index_id, RULES, f"{search.max_candidates}/{search.max_read}"
        )  # fmt: skip
        self._scorer, self._explain_from = scorer, config.coherence.explain_from

    def comments(self) -> str:
        """Comments with the text of their post."""
        return (
            "SELECT c.platform, c.comment_id, c.post_id, c.text, p.text AS post_text, "
            f"{_digest('c.text', 'p.text', repr(self._comment_tag))} AS input "
            "FROM comments c LEFT JOIN posts p ON p.platform = c.platform AND p.post_id = c.post_id"
        )

    def fingerprints(self) -> str:
        """Posts as the index knows them."""
        known = ("text", "account_id", "published_at", "time_precision")
        return f"SELECT p.*, {_digest(*(f'p.{name}' for name in known), repr(self._print_tag))} AS input FROM posts p"

    def originality(self) -> str:
        """Posts as the search reads them."""
        known = ("text", "account_id", "published_at", "time_precision")
        return (
            f"SELECT p.*, {_digest(*(f'p.{name}' for name in known), repr(self._original_tag))} AS input FROM posts p"
        )

    def coherence(self, brand: BrandProfile) -> str:
        """Posts that are read against `brand`."""
        stamp = repr(self._scorer.digest_of(("encoder", "coherence"), brand.digest, f"{self._explain_from}"))
        return (
            f"SELECT p.*, {_digest('p.text', 'p.title', stamp)} AS input FROM posts p "
            f"JOIN brand_of b ON b.platform = p.platform AND b.post_id = p.post_id AND b.brand = {brand.id!r}"
        )


def _digest(*columns: str) -> str:
    return f"md5(concat_ws(chr(31), {', '.join(f'coalesce(CAST({c} AS VARCHAR), chr(30))' for c in columns)}))"


class Measuring:
    """The measuring stages of one run; `counts` says how many rows each had to measure."""

    def __init__(
        self, connection: "DuckDBPyConnection", store: Store, scorer: "Scorer", config: ScoreConfig,
        sequence: int, run_id: str, progress: Progress,
    ) -> None:  # fmt: skip
        self._db, self._store, self._scorer, self._config = connection, store, scorer, config
        self._sequence, self._run_id, self._progress = sequence, run_id, progress
        self.counts = dict.fromkeys(MEASURES, 0)
        self._numbers = dict.fromkeys(MEASURES, 0)

    def comments(self, inputs: Inputs) -> None:
        """Sentiment and authenticity of new comments."""
        for path, rows in self._pending("comments", inputs.comments(), self._config.batch.comments):
            posts = rows.select(["platform", "post_id", "post_text"]).rename_columns(["platform", "post_id", "text"])
            self._write("comments", path, rows, self._scorer.measure_comments(rows, posts))

    def fingerprints(self, inputs: Inputs) -> None:
        """Index rows of new posts; the index segment first, then the mark that it is there."""
        index = self._scorer.open_index(self._store.index)
        for path, rows in self._pending("fingerprints", inputs.fingerprints(), self._config.batch.posts):
            index.append(self._scorer.fingerprint(rows), path.stem)
            self._write("fingerprints", path, rows, rows.select(["platform", "post_id"]))

    def originality(self, inputs: Inputs, brands: Sequence[BrandProfile]) -> None:
        """Originality of new posts, and of older ones that new but earlier posts now stand before."""
        index = self._scorer.open_index(self._store.index)
        again = self._affected(index)
        for path, rows in self._pending("originality", inputs.originality(), self._config.batch.posts, again):
            self._write("originality", path, rows, self._scorer.measure_originality(rows, index, brands=brands))

    def coherence(self, inputs: Inputs, brands: Sequence[BrandProfile]) -> None:
        """Values of new posts, brand by brand."""
        for brand in brands:
            for path, rows in self._pending("coherence", inputs.coherence(brand), self._config.batch.posts):
                self._write("coherence", path, rows, self._scorer.measure_coherence(rows, brand))

    def _affected(self, index: PostIndex) -> pa.Table:
        """Keys of posts measured by earlier runs that have a near match among this run's earlier posts."""
        keys = pa.schema([("platform", pa.string()), ("post_id", pa.string())])
        if self._sequence == 0:
            return keys.empty_table()
        import pyarrow.parquet as pq

        fresh = sorted(self._store.measures("fingerprints").glob(f"{self._sequence:06d}-*.parquet"))
        parts = [self._scorer.affected(keys_of(pq.read_table(path)), index) for path in fresh]
        return pa.concat_tables(parts) if parts else keys.empty_table()

    def _before(self, kind: str) -> str:
        """SQL over the measures of earlier, whole runs; a run's own shards must not change what it has to do. Measures are
        kept by what they were made of, whatever came later; the index keeps the last row of each post alone."""
        folder = self._store.measures(kind)
        mine = f"{self._sequence:06d}-"
        paths = [p for p in sorted(folder.glob("*.parquet")) if not p.name.startswith(mine)] if folder.is_dir() else []
        if not paths:
            return f"(SELECT '' AS platform, '' AS {_KEY[kind]}, '' AS input WHERE false)"
        last = f"QUALIFY row_number() OVER (PARTITION BY platform, {_KEY[kind]} ORDER BY filename DESC) = 1"
        return f"(SELECT {_DISTINCT[kind]} FROM {parquet_list(paths)} {last if kind == 'fingerprints' else ''})"

    def _pending(
        self, kind: str, inputs: str, size: int, again: pa.Table | None = None
    ) -> Iterator[tuple[Path, pa.Table]]:
        """Shards of at most `size` rows of the query `inputs` that no whole run has measured (or that are named in
        `again`), sorted by key, each with its path; shards that are there are passed over."""
        key = _KEY[kind]
        query = f"SELECT i.* FROM ({inputs}) i ANTI JOIN {self._before(kind)} m USING ({_DISTINCT[kind]})"
        if again is not None and again.num_rows:
            self._db.register("again", again)
            query += f" UNION SELECT i.* FROM ({inputs}) i SEMI JOIN again a USING (platform, {key})"
        ((total,),) = self._db.execute(f"SELECT count(*) FROM ({query})").fetchall()
        self.counts[kind] += total
        keys = self._db.sql(
            f"SELECT platform, {key} FROM ({query}) ORDER BY platform, {key}"
        ).to_arrow_table()  # keys alone, a few bytes a row; the texts come shard by shard
        for start in range(0, total, size):
            path = self._store.shard(kind, self._sequence, self._run_id, self._numbers[kind])
            self._numbers[kind] += 1
            if not path.exists():
                self._db.register("shard_keys", keys.slice(start, size))
                rows = self._db.sql(
                    f"SELECT i.* FROM ({inputs}) i SEMI JOIN shard_keys s USING (platform, {key}) ORDER BY platform, {key}"
                ).to_arrow_table()
                yield path, rows
            self._progress(kind, min(start + size, total), total)

    def _write(self, kind: str, path: Path, rows: pa.Table, measures: pa.Table) -> None:
        write_parquet(measures.append_column("input", rows["input"]), path, MEASURES[kind])
        hand_back()
