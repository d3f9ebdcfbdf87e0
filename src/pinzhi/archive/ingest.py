"""Files to canonical Parquet, each once; and the newest observation of every key over all of them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi import schemas
from pinzhi.archive.forget import Forgotten
from pinzhi.archive.store import Store, parquet_list
from pinzhi.readers import Pseudonymiser, Source, in_order, read_source
from pinzhi.readers.frame import Reject
from pinzhi.readers.newest import newest
from pinzhi.tables import TEMPORARY, put_in_place, write_parquet, write_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BUCKET = 100_000  # rows that are merged at once; more are split by a hash of their key


def ingest(
    source: Source, store: Store, pseudonymise: Pseudonymiser | None, forgotten: Forgotten | None = None,
    sequence: int = 0,
) -> Path:  # fmt: skip
    """Read `source`, but for what is `forgotten`, into its folder of canonical tables; a folder that is there is whole and stays.
    `sequence` is that of the run."""
    target = store.files / source.digest
    if target.exists():
        return target
    temporary = store.files / f"{TEMPORARY}{source.digest}"
    temporary.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    counts = dict.fromkeys(schemas.CANONICAL, 0)
    for table, batch in _remembered(source, pseudonymise, forgotten):
        if table not in writers:
            writers[table] = pq.ParquetWriter(
                temporary / f"{table}.parquet", schemas.CANONICAL[table], compression="zstd"
            )
        writers[table].write_batch(batch)
        counts[table] += batch.num_rows
    for writer in writers.values():
        writer.close()
    described = {
        "name": source.name, "reader": source.reader, "format": source.format, "rows": counts, "content": source.content,
        "sequence": sequence,
    }  # fmt: skip
    write_text(json.dumps(described, ensure_ascii=False) + "\n", temporary / "source.json")
    put_in_place(temporary, target)
    return target


def _remembered(
    source: Source, pseudonymise: Pseudonymiser | None, forgotten: Forgotten | None
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Batches of `source` without what is `forgotten`; a reject says how much that was."""
    lost: Counter[str] = Counter()
    for table, batch in read_source(source, pseudonymise):
        if forgotten is None:
            yield table, batch
            continue
        kept = forgotten.without(table, pa.Table.from_batches([batch]))
        lost[table] += batch.num_rows - kept.num_rows
        yield from ((table, one) for one in kept.to_batches())
    for table, n in lost.items():
        if n:
            reject = Reject(source.name, None, None, f"left out: {n} {table} of people who are to be forgotten")
            yield "rejects", pa.RecordBatch.from_pylist([vars(reject)], schemas.REJECTS)


def write_rejects(rejects: Sequence[Reject], store: Store) -> None:
    """Files that no reader knows, for the reject table."""
    rows = [vars(reject) for reject in rejects]
    write_parquet(
        pa.Table.from_pylist(rows, schemas.REJECTS), store.out / "canonical" / "unread.parquet", schemas.REJECTS
    )


def register(connection: "DuckDBPyConnection", store: Store) -> None:
    """Tables posts, comments, accounts and rejects: canonical rows, merged by `readers.newest`.

    Merged bucket by bucket and kept where the database may spill, so that later queries need not merge again.
    """
    order = [  # by name, and of one name the one that was read later last
        (in_order(told["name"]), told.get("sequence", -1), digest) for digest, told in store.sources().items()
    ]
    connection.execute("CREATE TEMP TABLE source_order (digest VARCHAR, rank INTEGER)")
    ranked = [(digest, rank) for rank, (*_, digest) in enumerate(sorted(order))]
    if ranked:
        connection.executemany("INSERT INTO source_order VALUES (?, ?)", ranked)
    for table, schema in schemas.CANONICAL.items():
        paths = sorted(store.files.glob(f"*/{table}.parquet"))
        columns = ", ".join(f'"{name}"' for name in schema.names)
        if not paths:
            connection.register(table, schema.empty_table())
            continue
        rows = (
            f"SELECT r.*, o.rank AS source_rank FROM {parquet_list(paths)} r "
            "JOIN source_order o ON o.digest = parse_path(r.filename)[-2]"
        )
        if table == "rejects":
            connection.execute(f"CREATE VIEW {table} AS SELECT {columns} FROM ({rows})")
            continue
        connection.register(table + "_columns", schema.empty_table())
        connection.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {table}_columns")
        connection.unregister(table + "_columns")
        for merged in newest_by_bucket(rows, table, paths):
            connection.execute(f"INSERT INTO {table} {merged}")


def newest_by_bucket(rows: str, table: str, paths: Sequence[Path]) -> Iterator[str]:
    """Queries that together give one row per key out of the query `rows` over the Parquet files `paths`; each merges
    no more rows than memory holds."""
    key = ", ".join(schemas.KEYS[table])
    n_buckets = 1 + sum(pq.read_metadata(path).num_rows for path in paths) // BUCKET
    for bucket in range(n_buckets):
        yield newest(f"{rows} WHERE hash({key}) % {n_buckets} = {bucket}", table)
