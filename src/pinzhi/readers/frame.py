"""Finds the reader of each file, batches what it yields, pseudonymises, and loses nothing."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from pinzhi import schemas
from pinzhi.errors import UsageError
from pinzhi.readers import files, values
from pinzhi.readers.base import CanonicalRow, Reader, RejectRow, Sniff
from pinzhi.readers.canonical import CanonicalReader
from pinzhi.readers.mediacrawler import MediaCrawlerReader
from pinzhi.readers.pseudonym import Pseudonymiser
from pinzhi.readers.weibo_crawler import WeiboCrawlerReader

READERS: tuple[Reader, ...] = (MediaCrawlerReader(), WeiboCrawlerReader(), CanonicalReader())
VERSION = "1"  # part of every source digest: a reader that reads differently reads again
BATCH = 5000
_KINDS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".db": "sqlite", ".sqlite": "sqlite",
          ".sqlite3": "sqlite", ".parquet": "parquet"}  # fmt: skip
_LATER = {".xlsx": "Excel workbooks are not read yet; export the same data as csv or jsonl",
          ".xls": "Excel workbooks are not read yet; export the same data as csv or jsonl"}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A file of an archive and who reads it; `name` is its path relative to the archive, `digest` changes with its
    content, its name and its reader."""

    path: Path
    name: str
    reader: str
    format: str
    digest: str


@dataclass(frozen=True)
class Reject:
    """A file or record that could not be read."""

    source: str
    line: int | None
    field: str | None
    reason: str
    raw: str | None


def discover(inputs: Sequence[Path]) -> tuple[list[Source], list[Reject]]:
    """Files of `inputs` (files or folders) that a reader recognises, sorted by name, and a reject for every other.

    Links that lead out of a folder are not followed. Raises UsageError when an input does not exist.
    """
    sources: list[Source] = []
    rejects: list[Reject] = []
    for root in inputs:
        if not root.exists():
            raise UsageError(f"{root}: no such file or folder; name an archive that a crawler wrote")
        paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in paths:
            name = path.name if root.is_file() else f"{root.name}/{path.relative_to(root).as_posix()}"
            found = _recognise(path, name, root)
            (sources if isinstance(found, Source) else rejects).append(found)  # type: ignore[arg-type]
    return sorted(sources, key=lambda s: (s.name, s.digest)), rejects


def _recognise(path: Path, name: str, root: Path) -> Source | Reject:
    def reject(reason: str) -> Reject:
        return Reject(name, None, None, reason, None)

    if root.is_dir() and not path.resolve().is_relative_to(root.resolve()):
        return reject("a link that leads out of the archive is not followed")
    try:
        if path.stat().st_size == 0:
            return reject("the file is empty")
        sniff = sniff_file(path)
    except OSError as error:
        return reject(f"the file cannot be opened ({error.strerror}); check its permissions")
    if sniff is None:
        return reject(_LATER.get(path.suffix.lower(), "not an archive format (csv, json, jsonl, sqlite, parquet)"))
    for reader in READERS:
        format_ = reader.recognises(sniff)
        if format_:
            return Source(path, name, reader.name, format_, _digest(path, name, reader.name))
    shown = ", ".join(sniff.columns[:8] or sniff.object_keys[:8] or tuple(sniff.tables)[:8]) or "nothing readable"
    return reject(f"no reader knows this {sniff.kind} file; its fields begin {shown[:200]}; see docs/formats.md")


def _digest(path: Path, name: str, reader: str) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256")
    return hashlib.sha256(f"{content.hexdigest()}\n{name}\n{reader}\n{VERSION}".encode("utf-8", "replace")).hexdigest()[
        :32
    ]


def sniff_file(path: Path) -> Sniff | None:
    """Kind and columns of a file, by its content first and its suffix second; None for what is no archive format."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head.startswith(b"SQLite format 3\x00"):
        return Sniff(path, "sqlite", tables=files.sqlite_tables(path))
    kind = _KINDS.get(path.suffix.lower())
    if head.startswith(b"PAR1"):
        kind = "parquet"
    if kind in (None, "sqlite"):
        return None
    if kind == "parquet":
        first = next(files.parquet_rows(path), None)
        return Sniff(path, kind, tuple(first.data) if isinstance(first, files.Record) else ())
    if kind == "csv":
        row = next(files.csv_rows(path), None)
        cells = row.cells if isinstance(row, files.Row) else []
        return Sniff(path, kind, tuple(cell.strip().lstrip("\ufeff") for cell in cells))
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[":
        first = next(files.json_array(path), None)
        return Sniff(path, "json", tuple(first.data) if isinstance(first, files.Record) else ())
    lines = (record for _, record in zip(range(5), files.json_lines(path), strict=False))
    first = next((record for record in lines if isinstance(record, files.Record)), None)
    if first is not None and not (kind == "json" and _is_one_object(path)):
        return Sniff(path, "jsonl", tuple(first.data))
    return Sniff(path, "json", object_keys=_object_keys(path))


def _is_one_object(path: Path) -> bool:
    return "weibo" in _object_keys(path)


def _object_keys(path: Path) -> tuple[str, ...]:
    """Top-level keys of a JSON object, whole files only; the marker keys of a cut one."""
    if path.stat().st_size <= 1 << 26:
        try:
            data = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
            return tuple(data) if isinstance(data, dict) else ()
        except orjson.JSONDecodeError:
            pass
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return tuple(key for key in ("user", "weibo") if f'"{key}"'.encode() in head)


def read_source(source: Source, pseudonymise: Pseudonymiser | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Canonical batches of `source`, each with its table name, in the schemas of `schemas.CANONICAL`."""
    reader = next(reader for reader in READERS if reader.name == source.reader)
    sniff = sniff_file(source.path)
    assert sniff is not None  # it was recognised
    waiting: dict[str, list[dict[str, Any]]] = {name: [] for name in schemas.CANONICAL}
    for row in reader.read(sniff):
        if isinstance(row, RejectRow):
            table = "rejects"
            waiting[table].append(
                {"source": source.name, "line": row.line, "field": row.field, "reason": row.reason,
                 "raw": None if row.raw is None else values.text(row.raw)}
            )  # fmt: skip
        else:
            table = row.table
            waiting[table].append(_private(row, pseudonymise))
        if len(waiting[table]) >= BATCH:
            yield table, _batch(table, waiting[table])
            waiting[table] = []
    for table, rows in waiting.items():
        if rows:
            yield table, _batch(table, rows)


def _private(row: CanonicalRow, pseudonymise: Pseudonymiser | None) -> dict[str, Any]:
    if row.table != "comments" or pseudonymise is None:
        return row.values
    private = dict(row.values)
    if private.get("author_id"):
        private["author_id"] = pseudonymise.id(private["platform"], private["author_id"])
    if private.get("author_name"):
        private["author_name"] = pseudonymise.name(private["author_name"])
    return private


def _batch(table: str, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=schemas.CANONICAL[table])
