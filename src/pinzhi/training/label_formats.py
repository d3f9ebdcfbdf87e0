"""Records of a label file, whatever its format: JSON, JSON lines, CSV, TSV, Parquet. A record that is broken costs itself alone."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi.errors import InputError
from pinzhi.readers.jsons import json_lines
from pinzhi.readers.lines import csv_rows
from pinzhi.readers.raw import Broken, Record


def read_records(path: Path) -> Iterator[Record | Broken]:
    """Records of `path`, numbered by line, item or table row, and those that cannot be read. Raises InputError for a file
    that is no label file, or holds no rows."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: expected a label file ({', '.join(_READERS)}), found {path.suffix or 'no ending'}"
        )  # fmt: skip
    is_empty = True
    try:
        for record in reader(path):
            is_empty = False
            yield record
    except OSError as error:
        raise InputError(f"{path}: expected a label file, found none ({error.strerror})") from error
    if is_empty:
        raise InputError(
            f"{path}: expected labelled rows, found no rows; export the labels again or leave the file out"
        )


def files_within(paths: Sequence[Path]) -> list[Path]:
    """`paths`, each folder among them replaced by the label files within, by name."""
    return [
        file
        for path in paths
        for file in (sorted(one for one in path.rglob("*") if one.suffix.lower() in _READERS) if path.is_dir() else [path])
    ]  # fmt: skip


def _json(path: Path) -> Iterator[Record | Broken]:
    """Items of an array, or the one object; a file that was cut is refused as a whole."""
    try:
        content = json.loads(path.read_text("utf-8-sig"), strict=False)  # raw control characters are common in exports
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8, found byte {error.start} of another encoding; save as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON, found a fault: {error}; export the labels again") from error
    for number, item in enumerate(content if isinstance(content, list) else [content], 1):
        if isinstance(item, dict):
            yield Record(number, item)
        else:
            yield Broken(number, f"expected an object, found {type(item).__name__}")


def _json_lines(path: Path) -> Iterator[Record | Broken]:
    """One object a line. The parser counts lines within the record, which is on one."""
    for record in json_lines(path):
        if isinstance(record, Broken):
            record = replace(record, reason=record.reason.replace("line 1 column", "column"))
        yield record


def _table(path: Path) -> Iterator[Record | Broken]:
    """Rows of a CSV or TSV file under its header."""
    header: list[str] = []
    for row in csv_rows(path, "\t" if path.suffix.lower() == ".tsv" else ","):
        if isinstance(row, Broken):
            is_quoted = isinstance(row.raw, str)  # it could not be cut into cells
            yield Broken(row.line, row.reason + "; close or double its quotation marks" * is_quoted)
        elif not header:
            header = [cell.strip() for cell in row.cells]
        elif any(row.cells[len(header) :]):
            found = f"expected {len(header)} cells as the header has, found {len(row.cells)}"
            yield Broken(row.line, f"{found}; put texts that hold separators into quotation marks")
        else:
            yield Record(row.line, dict(zip(header, row.cells, strict=False)))


def _parquet(path: Path) -> Iterator[Record | Broken]:
    try:
        rows = pq.read_table(path).to_pylist()
    except pa.ArrowException as error:
        raise InputError(f"{path}: expected Parquet, found {error}; export the labels again") from error
    yield from (Record(number, row) for number, row in enumerate(rows, 1))


_READERS: dict[str, Callable[[Path], Iterable[Record | Broken]]] = {
    ".json": _json, ".jsonl": _json_lines, ".csv": _table, ".tsv": _table, ".parquet": _parquet,
}  # fmt: skip
