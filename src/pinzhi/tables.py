"""Parquet that is whole or not there: schema-checked, atomic, hive-partitioned."""

import errno
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pinzhi.errors import InputError, StorageError

TEMPORARY = ".tmp-"
PART = "part-0.parquet"
_PLATFORM = "platform="


def storage_error(path: Path, error: OSError) -> StorageError:
    """What to tell a user whose disk refused `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(f"{path}: the disk is full; free some space and run the same command again, it will resume")
    return StorageError(f"{path}: cannot be written ({error.strerror}); choose a writable folder with --out")


def check(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """`table` with exactly the columns of `schema`, cast where nothing is lost. Raises InputError naming the column."""
    missing = [field.name for field in schema if field.name not in table.column_names and not field.nullable]
    if missing:
        raise InputError(
            f"expected column {missing[0]} of table {_name(schema)}, found {', '.join(table.column_names)}"
        )
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table[field.name]
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(f"column {field.name}: expected {field.type}, found {column.type} ({error})") from error
        if not field.nullable and columns[-1].null_count:
            raise InputError(f"column {field.name} of table {_name(schema)}: expected no nulls, found some")
    return pa.Table.from_arrays(columns, schema=schema)


def _name(schema: pa.Schema) -> str:
    return (schema.metadata or {}).get(b"pinzhi.table", b"?").decode()


def write_parquet(data: pa.Table | Iterable[pa.Table | pa.RecordBatch], path: Path, schema: pa.Schema) -> None:
    """Write `data` to `path` in one move: temporary file, fsync, rename, fsync of the folder. Raises StorageError."""
    batches = [data] if isinstance(data, pa.Table) else data
    temporary = path.with_name(f"{TEMPORARY}{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for batch in batches:
                    table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
                    writer.write_table(check(table, schema))
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error


def write_text(text: str, path: Path) -> None:
    """Write `text` to `path` in one move. Raises StorageError."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename a synced file or folder and sync the folder above it."""
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in `folder` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(root: Path) -> None:
    """Remove what a killed run left half written under `root`."""
    for path in sorted(root.rglob(f"{TEMPORARY}*")) if root.is_dir() else []:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def month_of(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """`YYYY-MM` in UTC, "unknown" where the time is null."""
    return pc.fill_null(pc.strftime(times, format="%Y-%m"), "unknown")


def _folder_name(value: str) -> str:
    """A partition value as part of a plain folder name, percent-encoded where it needs be, as Hive does."""
    return re.sub(r"[^\w-]", lambda odd: quote(odd[0], safe="").replace(".", "%2E"), value)


def partition_path(root: Path, platform: str, month: str, number: int = 0) -> Path:
    """Where the rows of a hive partition lie, or the rows of its file `number`."""
    return root / f"{_PLATFORM}{_folder_name(platform)}" / f"month={month}" / f"part-{number}.parquet"


def remove_others(root: Path, kept: Collection[Path]) -> None:
    """Remove the partition files under `root` that are not among `kept`."""
    for path in sorted(root.rglob("part-*.parquet")) if root.is_dir() else []:
        if path not in kept:
            path.unlink()


def write_partition(rows: pa.Table, path: Path, schema: pa.Schema) -> None:
    """Write the rows of one partition. The platform is told by the folder alone: readers disagree about the type of
    what stands in both places."""
    write_parquet(rows, path, schema.remove(schema.get_field_index("platform")))


def write_partitions(table: pa.Table, root: Path, schema: pa.Schema, time_column: str | None) -> list[Path]:
    """Write `table` under `root`/platform=/month=/part-0.parquet; partitions that are no longer there are removed.

    Without a time column the month is "all". An equal partition is left untouched. Returns all partition files.
    """
    months = month_of(table[time_column]) if time_column else pa.chunked_array([pa.array(["all"] * table.num_rows)])
    platforms = table["platform"]
    keys = sorted(set(zip(platforms.to_pylist(), months.to_pylist(), strict=True)))
    written = []
    for platform, month in keys:
        part = table.filter(pc.and_(pc.equal(platforms, platform), pc.equal(months, month)))
        path = partition_path(root, platform, month)
        checked = check(part, schema)
        if not path.exists() or not read_file(path, schema).equals(checked):
            write_partition(checked, path, schema)
        written.append(path)
    written += keep_schema(root, schema, written)
    remove_others(root, written)
    return written


def keep_schema(root: Path, schema: pa.Schema, written: Collection[Path]) -> list[Path]:
    """A table without rows is still a table: its one file, empty, with every column. None where rows were `written`."""
    path = root / PART
    if written:
        return []
    if not path.exists():
        write_parquet(schema.empty_table(), path, schema)
    return [path]


def read_file(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """One Parquet file as `schema` has it; columns that an older version lacks are null. Raises InputError."""
    folder = path.parent.parent.name
    inside = columns and [name for name in columns if name != "platform" or not folder.startswith(_PLATFORM)]
    try:
        table = pq.ParquetFile(path).read(columns=inside)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: expected Parquet, found {error}; restore it or remove it and run again") from error
    if folder.startswith(_PLATFORM) and "platform" not in table.column_names:
        platform = unquote(folder.removeprefix(_PLATFORM))
        table = table.append_column("platform", pa.array([platform] * table.num_rows, pa.string()))
    wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns], schema.metadata)
    return check(table, wanted)


def iter_tables(root: Path, schema: pa.Schema, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The partitions under `root`, one table each, in path order."""
    for path in sorted(root.rglob("*.parquet")) if root.is_dir() else []:
        if not path.name.startswith(TEMPORARY):
            yield read_file(path, schema, columns)


def stream_tables(root: Path, schema: pa.Schema, columns: list[str]) -> pa.RecordBatchReader:
    """Everything under `root`, one partition in memory at a time; can be read once."""
    wanted = pa.schema([schema.field(name) for name in columns], schema.metadata)
    batches = (batch for table in iter_tables(root, schema, columns) for batch in table.to_batches())
    return pa.RecordBatchReader.from_batches(wanted, batches)


def read_table(root: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """Everything under `root` as one table; empty when there is nothing."""
    wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns], schema.metadata)
    parts = list(iter_tables(root, schema, columns))
    return pa.concat_tables(parts) if parts else wanted.empty_table()
