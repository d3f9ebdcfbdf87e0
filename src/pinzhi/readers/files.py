"""Files to raw records, streamed: CSV, JSON arrays, JSON lines, SQLite, Parquet. What is broken comes out as `Broken`."""

import codecs
import csv
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

csv.field_size_limit(16 * 1024 * 1024)
MAX_LINE = 16 * 1024 * 1024  # characters; a longer line is no record of any exporter
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Record:
    """One raw record; `line` is its line, row or item number, 1-based."""

    line: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One CSV row, not yet matched with a header."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Broken:
    """What could not be read."""

    line: int | None
    reason: str
    raw: str


def encoding_of(path: Path) -> str:
    """Encoding of a text file, judged by its first MiB: UTF-8 (with or without BOM), UTF-16 by BOM, else GB18030."""
    with path.open("rb") as file:
        head = file.read(_CHUNK)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for name in ("utf-8-sig", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(head, final=False)
            return name
        except UnicodeDecodeError:
            continue
    return "utf-8-sig"


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; undecodable bytes come as lone surrogates."""
    encoding = encoding_of(path)
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            yield number, line


def is_broken(text: str) -> bool:
    """Whether bytes were lost in decoding."""
    return any("\udc80" <= char <= "\udcff" for char in text)


def csv_rows(path: Path) -> Iterator[Row | Broken]:
    """Rows of a CSV file, header included; quoted cells may span lines."""

    def plain() -> Iterator[str]:
        for _, line in lines(path):
            yield line.replace("\x00", "")

    reader = csv.reader(plain())
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Broken(line, f"not CSV: {error}", "")
            continue
        if not cells:
            continue
        if any(is_broken(cell) for cell in cells):
            raw = ",".join(cells).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            yield Broken(line, "broken encoding: neither UTF-8 nor GB18030", raw)
        else:
            yield Row(line, cells)


def json_lines(path: Path) -> Iterator[Record | Broken]:
    """One JSON object a line; a cut last line is broken, not fatal."""
    for number, line in lines(path):
        stripped = line.strip().lstrip("\ufeff")
        if not stripped:
            continue
        if is_broken(stripped):
            yield Broken(
                number, "broken encoding", stripped.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            )
            continue
        try:
            data = orjson.loads(stripped)
        except orjson.JSONDecodeError as error:
            yield Broken(number, f"not a whole JSON object: {error}", stripped[:2000])
            continue
        if isinstance(data, dict):
            yield Record(number, data)
        else:
            yield Broken(number, f"expected a JSON object, found {type(data).__name__}", stripped[:2000])


def json_array(path: Path, after: str | None = None) -> Iterator[Record | Broken]:
    """Items of a JSON array, one at a time; with `after`, of the array that follows the key `after` in an object.
    The whole items before a cut are read."""
    decoder = json.JSONDecoder()
    with path.open(encoding=encoding_of(path), errors="replace") as file:
        buffer = file.read(_CHUNK)
        start = 0
        if after is not None:
            start = buffer.find(f'"{after}"')
            if start < 0:
                yield Broken(None, f"expected a key {after!r} in the first MiB, found none", buffer[:200])
                return
        start = buffer.find("[", start)
        if start < 0:
            yield Broken(None, "expected a JSON array, found none", buffer[:200])
            return
        position, number = start + 1, 0
        while True:
            while position < len(buffer) and buffer[position] in " \r\n\t,":
                position += 1
            if position < len(buffer) and buffer[position] == "]":
                return
            try:
                item, end = decoder.raw_decode(buffer, position)
                if end >= len(buffer) - 1 and not isinstance(item, dict | list):
                    raise json.JSONDecodeError("cut", buffer, position)
            except (json.JSONDecodeError, RecursionError) as error:
                more = file.read(max(_CHUNK, len(buffer) - position))
                if not more or len(buffer) - position > MAX_LINE:
                    rest = buffer[position : position + 2000]
                    yield Broken(number + 1, f"the array is cut or broken here: {error}"[:200], rest)
                    return
                buffer, position = buffer[position:] + more, 0
                continue
            number += 1
            position = end
            if isinstance(item, dict):
                yield Record(number, item)
            else:
                yield Broken(number, f"expected a JSON object, found {type(item).__name__}", str(item)[:2000])


def sqlite_connection(path: Path) -> sqlite3.Connection:
    """A read-only connection that writes nothing beside the file."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def sqlite_tables(path: Path) -> dict[str, list[str]]:
    """Table name -> column names; empty when the file is no whole database."""
    connection = sqlite_connection(path)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(name)})")] for name in names}
    except (sqlite3.Error, UnicodeDecodeError):
        return {}
    finally:
        connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sqlite_rows(path: Path, table: str) -> Iterator[Record | Broken]:
    """Rows of a table."""
    connection = sqlite_connection(path)
    number = 0
    try:
        cursor = connection.execute(f"SELECT * FROM {_quoted(table)}")
        names = [column[0] for column in cursor.description]
        for number, row in enumerate(cursor, 1):
            yield Record(number, dict(zip(names, row, strict=True)))
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        yield Broken(number + 1, f"table {table} cannot be read further: {error}", "")
    finally:
        connection.close()


def parquet_rows(path: Path) -> Iterator[Record | Broken]:
    """Rows of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=5000):
            for row in batch.to_pylist():
                number += 1
                yield Record(number, row)
    except (pa.ArrowInvalid, OSError) as error:
        yield Broken(number + 1, f"not readable as Parquet: {error}", "")
