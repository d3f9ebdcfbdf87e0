"""Any known format to the canonical tables as Parquet, the newest observation of every key."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi import schemas
from pinzhi.archive.ingest import ingest, newest_by_bucket
from pinzhi.archive.store import Store, parquet_list
from pinzhi.errors import InputError
from pinzhi.readers import Pseudonymiser, Reject, Source, discover
from pinzhi.tables import PART, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH = 5000


def convert(inputs: Sequence[Path], out: Path, pseudonymise: Pseudonymiser | None) -> dict[str, int]:
    """Write `out`/posts, comments, accounts and rejects; returns rows by table. Memory does not grow with the archive.

    Raises UsageError, InputError, StorageError.
    """
    sources, unread = discover(inputs)
    if not sources:
        reasons = "; ".join(f"{reject.source}: {reject.reason}" for reject in unread[:3]) or "no files at all"
        raise InputError(f"expected an archive that a reader knows, found none ({reasons}); try `pinzhi inspect`")
    store = Store(out / ".convert")
    with store.held():
        shutil.rmtree(store.files, ignore_errors=True)  # what a killed run left may be of other inputs
        for source in sources:
            ingest(source, store, pseudonymise)
        connection = store.connect()
        try:
            counts = {table: _write(connection, store, table, sources, unread, out) for table in schemas.CANONICAL}
        finally:
            connection.close()
    shutil.rmtree(store.out)
    return counts


def _write(
    connection: "DuckDBPyConnection",
    store: Store,
    table: str,
    sources: Sequence[Source],
    unread: Sequence[Reject],
    out: Path,
) -> int:
    schema = schemas.CANONICAL[table]
    order = {source.digest: rank for rank, source in enumerate(sources)}
    paths = sorted(store.files.glob(f"*/{table}.parquet"), key=lambda path: order[path.parent.name])
    written = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal written
        found = _rejects(paths, unread) if table == "rejects" else _merged(connection, paths, table)
        for batch in found:
            written += batch.num_rows
            yield batch

    write_parquet(batches(), out / table / PART, schema)
    return written


def _merged(connection: "DuckDBPyConnection", paths: list[Path], table: str) -> Iterator[pa.RecordBatch]:
    """One row per key, bucket by bucket; `paths` are in the order in which later files outdo earlier ones."""
    if not paths:
        return
    connection.execute("CREATE OR REPLACE TEMP TABLE source_order (file VARCHAR, source_rank INTEGER)")
    ranks = [(str(path), rank) for rank, path in enumerate(paths)]
    connection.executemany("INSERT INTO source_order VALUES (?, ?)", ranks)
    rows = f"SELECT r.*, o.source_rank FROM {parquet_list(paths)} r JOIN source_order o ON o.file = r.filename"
    key = ", ".join(schemas.KEYS[table])
    suffix = ", fetched_at NULLS FIRST" if table == "accounts" else ""
    for merged in newest_by_bucket(rows, table, paths):
        yield from connection.sql(f"{merged} ORDER BY {key}{suffix}").to_arrow_reader(_BATCH)


def _rejects(paths: list[Path], unread: Sequence[Reject]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(_BATCH)
    yield from pa.Table.from_pylist([vars(reject) for reject in unread], schemas.REJECTS).to_batches()
