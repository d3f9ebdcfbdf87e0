"""Records of a label file, whatever its format: JSON, JSON lines, CSV, TSV, Parquet. A record that is broken costs itself alone."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi.errors import InputError
from pinzhi.readers.jsons import json_lines
from pinzhi.readers.lines import csv_table
from pinzhi.readers.raw import Broken, Raw, Record
from pinzhi.readers.values import BadValue
from pinzhi.text import normalise

_WHOLE = re.compile(r"\+?(-?\d+)(?:\.0*)?")
_JOINTS = re.compile(r"[\s-]+")


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


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name of a field or a label, whatever its case, width and script, its spaces and hyphens; 1.0 and +1 are 1."""
    clean = normalise(name).text.replace("−", "-")
    whole = _WHOLE.fullmatch(clean)
    return str(int(whole[1])) if whole else _JOINTS.sub("_", clean)


def by_name(fields: Mapping[str, Any]) -> Raw:
    """`fields` under their folded names. Raises BadValue where two have one name."""
    if fault := _doubled(fields):
        raise BadValue(fault)
    return {folded(name): value for name, value in fields.items()}


def _doubled(names: Iterable[str]) -> str | None:
    """Why `names` are no names of fields, where two of them are one."""
    doubled = [name for name, n in Counter(map(folded, names)).items() if name and n > 1]
    return f"expected each field once, found {', '.join(doubled)} twice; rename or remove one" if doubled else None


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
    """Rows of a CSV or TSV file under its header, whose names must differ: else one column would hide another."""
    header: list[str] = []
    for row in csv_table(path):
        if isinstance(row, Broken):
            is_quoted = isinstance(row.raw, str)  # it could not be cut into cells
            reason = row.reason + "; close or double its quotation marks" * is_quoted
            if not header:
                raise InputError(f"{path}: expected a header, found a broken line {row.line}: {reason}")
            yield Broken(row.line, reason)
        elif not header:
            header = row.cells if any(map(str.strip, row.cells)) else []
            if fault := _doubled(header):
                raise InputError(f"{path}: {fault}")
        elif any(row.cells[len(header) :]):
            found = f"expected {len(header)} cells as the header has, found {len(row.cells)}"
            yield Broken(row.line, f"{found}; put texts that hold separators into quotation marks")
        else:
            yield Record(row.line, dict(zip(header, row.cells, strict=False)))


def _parquet(path: Path) -> Iterator[Record | Broken]:
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise InputError(f"{path}: expected Parquet, found {error}; export the labels again") from error
    if fault := _doubled(table.column_names):
        raise InputError(f"{path}: {fault}")
    yield from (Record(number, row) for number, row in enumerate(table.to_pylist(), 1))


_READERS: dict[str, Callable[[Path], Iterable[Record | Broken]]] = {
    ".json": _json, ".jsonl": _json_lines, ".csv": _table, ".tsv": _table, ".parquet": _parquet,
}  # fmt: skip
