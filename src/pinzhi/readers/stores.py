"""SQLite databases and Parquet files, streamed and opened for reading alone."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from pinzhi.readers.lines import BROKEN_ENCODING
from pinzhi.readers.raw import MAX_LINE, Broken, Raw, Record

_PARQUET_BATCH = 5000
_MAX_GIANTS = 20  # rows that are passed over; finding the next costs a look at all before it


@contextmanager
def _connected(path: Path, broken: list[bytes]) -> Iterator[sqlite3.Connection]:
    """A connection that leaves nothing beside the file; cells that are no UTF-8 are added to `broken`."""

    def decode(cell: bytes) -> str:
        try:
            return cell.decode()
        except UnicodeDecodeError:
            broken.append(cell)
            return cell.decode("utf-8", "replace")

    with tempfile.TemporaryDirectory(prefix="pinzhi-") as folder:
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:  # rows not yet in the file itself: read them from a copy
            copy = Path(folder) / "copy.db"
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name("copy.db-wal"))
            address = f"{copy.as_uri()}?mode=rw"
        else:
            address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True)
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE)
            connection.text_factory = decode
            yield connection
        except MemoryError as error:  # a damaged header asks for any amount
            raise sqlite3.DatabaseError("it asks for more memory than a table needs") from error
        except UnicodeDecodeError as error:  # names in the schema do not pass through the text factory
            raise sqlite3.DatabaseError("a name of a table or column is not UTF-8") from error
        finally:
            connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sqlite_tables(path: Path) -> dict[str, list[Raw]]:
    """Table name -> its first rows, for tables that have any. Raises sqlite3.Error when the file is damaged."""
    with _connected(path, []) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
        tables: dict[str, list[Raw]] = {}
        for (name,) in found:
            if not name.startswith("sqlite_"):
                tables[name] = [row for row in islice(_walk(connection, name), 5) if row is not None]
    return {name: rows for name, rows in tables.items() if rows}


def sqlite_rows(path: Path, table: str) -> Iterator[Record | Broken]:
    """Rows of a table; a damaged page ends it with a broken one, a giant row is passed over."""
    number = 0
    broken: list[bytes] = []
    try:
        with _connected(path, broken) as connection:
            for number, row in enumerate(_walk(connection, table), 1):
                if row is None:
                    yield Broken(number, f"expected rows below {MAX_LINE >> 20} MiB, found a longer one")
                elif broken:
                    broken.clear()
                    yield Broken(number, BROKEN_ENCODING, [str(cell) for cell in row.values()])
                else:
                    yield Record(number, row)
    except (sqlite3.Error, OSError) as error:
        yield Broken(number + 1, f"expected a whole SQLite table {table}, found a damaged one: {error}")


def _walk(connection: sqlite3.Connection, table: str) -> Iterator[Raw | None]:
    """Rows of a table, None for one that is too long. A cursor looks a row ahead and loses the one in hand with a giant behind
    it, so rows are then asked for one by one until the giant is passed. Raises sqlite3.Error."""
    at = n_giants = 0
    is_single = False
    while n_giants < _MAX_GIANTS:
        before = at
        try:
            cursor = connection.execute(f"SELECT * FROM {_quoted(table)} LIMIT {1 if is_single else -1} OFFSET {at}")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                at += 1
                yield dict(zip(names, row, strict=True))
            if at == before or not is_single:
                return
        except sqlite3.DataError:
            if is_single:
                at, n_giants = at + 1, n_giants + 1
                yield None
            is_single = not is_single
    raise sqlite3.DataError(f"{_MAX_GIANTS} rows beyond {MAX_LINE >> 20} MiB")


def parquet_head(path: Path) -> list[Raw]:
    """The first rows, or one of nulls when there are none. Raises pa.ArrowException, OSError."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        first = next(file.iter_batches(batch_size=5), None)
        rows = first.to_pylist() if first is not None else []
        return rows or [dict.fromkeys(file.schema_arrow.names)]


def parquet_rows(path: Path) -> Iterator[Record | Broken]:
    """Rows of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_PARQUET_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield Record(number, row)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        yield Broken(number + 1, f"expected a whole Parquet file, found a damaged one: {str(error)[:200]}")
