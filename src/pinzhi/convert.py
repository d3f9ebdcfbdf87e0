"""Any known format to the canonical tables as Parquet, the newest observation of every key."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from pinzhi import schemas
from pinzhi.archive.ingest import ingest, register, write_rejects
from pinzhi.archive.store import Store
from pinzhi.errors import InputError
from pinzhi.readers import Pseudonymiser, discover
from pinzhi.tables import PART, read_file, write_parquet


def convert(inputs: Sequence[Path], out: Path, pseudonymise: Pseudonymiser | None) -> dict[str, int]:
    """Write `out`/posts, comments, accounts and rejects; returns rows by table. Raises UsageError, InputError,
    StorageError."""
    sources, unread = discover(inputs)
    if not sources:
        reasons = "; ".join(f"{reject.source}: {reject.reason}" for reject in unread[:3]) or "no files at all"
        raise InputError(f"expected an archive that a reader knows, found none ({reasons}); try `pinzhi inspect`")
    store = Store(out / ".convert")
    counts: dict[str, int] = {}
    with store.held():
        for source in sources:
            ingest(source, store, pseudonymise)
        write_rejects(unread, store)
        connection = store.connect()
        register(connection, store)
        for table, schema in schemas.CANONICAL.items():
            order = ", ".join(schemas.KEYS.get(table, ("source", "line", "field")))
            reader = connection.sql(f"SELECT * FROM {table} ORDER BY {order}").to_arrow_reader(5000)
            path = out / table / PART
            batches = list(reader)
            if table == "rejects":
                batches += read_file(store.out / "canonical" / "unread.parquet", schemas.REJECTS).to_batches()
            counts[table] = sum(batch.num_rows for batch in batches)
            write_parquet(batches, path, schema)
        connection.close()
    shutil.rmtree(store.out)
    return counts
