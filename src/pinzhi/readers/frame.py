"""Raw records to canonical batches: one way for every reader. What cannot be read becomes a reject with its place."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pinzhi import schemas
from pinzhi.readers import values
from pinzhi.readers.base import Note, Part, Reader, Shape
from pinzhi.readers.danmaku import danmaku_items
from pinzhi.readers.feeds import feed_items
from pinzhi.readers.jsons import json_array, json_lines, json_sections, json_wrapped
from pinzhi.readers.lines import csv_rows
from pinzhi.readers.packed_xml import Damaged
from pinzhi.readers.pseudonym import Pseudonymiser, Redactor, mask_private
from pinzhi.readers.raw import MAX_RAW, Broken, Raw, Record, Row
from pinzhi.readers.rows import Rows
from pinzhi.readers.stores import parquet_rows, sqlite_rows
from pinzhi.readers.workbooks import workbook_sheets
from pinzhi.readers.yamls import yaml_sections

BATCH = 5000
_WORDS = ("text", "title", "quoted_text")
_LONG_ID = 16  # digits; spreadsheets keep fifteen
_MIN_ROUND_IDS = 3  # one id in a thousand ends in 000 by chance


@dataclass(frozen=True)
class Source:
    """A file of an archive and who reads it; `name` is its path relative to the archive, `digest` changes with its
    content, its name and its reader."""

    path: Path
    name: str
    format: str
    digest: str
    content: str  # digest of its name and content alone
    by: Reader

    @property
    def reader(self) -> str:
        """The name of who reads it."""
        return self.by.name


@dataclass(frozen=True)
class Reject:
    """A file or record that could not be read, or not whole; `line` is null for the whole file."""

    source: str
    line: int | None
    field: str | None
    reason: str
    raw: str | None = None


class _Batches:
    """Rows and rejects of one file, given out in batches in the canonical schemas."""

    def __init__(self, source: str, pseudonymise: Pseudonymiser | None, redactor: Redactor) -> None:
        self.place = ""  # within the file, such as its sheet
        self._source = source
        self._pseudonymise = pseudonymise
        self._redactor = redactor
        self._rows: dict[str, list[Raw]] = {name: [] for name in schemas.CANONICAL}
        self._long_ids = 0
        self._round_ids: set[str] = set()

    def add(self, table: str, row: Raw) -> None:
        """A canonical row."""
        key = row[schemas.KEYS[table][1]]
        if len(key) >= _LONG_ID and key.isdigit():
            self._long_ids += 1
            if key.endswith("000") and len(self._round_ids) < BATCH:
                self._round_ids.add(key)
        if self._pseudonymise is not None:
            self._hide(table, row, self._pseudonymise)
        self._rows[table].append(row)

    @staticmethod
    def _hide(table: str, row: Raw, pseudonymise: Pseudonymiser) -> None:
        if table == "comments":
            for name in ("comment_id", "parent_id"):
                if (row.get(name) or "").startswith(values.MADE):
                    row[name] = pseudonymise.made(row[name])
            if row.get("author_id"):
                row["author_id"] = pseudonymise.id(row["platform"], row["author_id"])
            if row.get("author_name"):
                row["author_name"] = pseudonymise.name(row["author_name"])
        for name in _WORDS:
            if row.get(name):
                row[name] = mask_private(row[name])

    def note(self, line: int | None, note: Note, data: Raw | None = None) -> None:
        """A reject, with the raw record."""
        raw = None
        if data is not None:
            shown = data if self._pseudonymise is None else self._redactor.record(data)
            raw = json.dumps(shown, ensure_ascii=False, default=str)
            if shown is not data and note.field in self._redactor.fields:
                note = replace(
                    note, reason=f"{note.reason.partition(', found ')[0]}, found none (not shown: it may name a person)"
                )
        self._reject(line, note, raw)

    def broken(self, item: Broken, header: Sequence[str]) -> None:
        """What could not be read at all; `header` is the one of a CSV file."""
        raw = item.raw
        if self._pseudonymise is not None and raw is not None:
            if isinstance(raw, list):
                raw = self._redactor.cells(raw, header)
            else:
                raw = ",".join(self._redactor.cells(raw.split(","), header)) if header else self._redactor.text(raw)
        self._reject(item.line, Note(None, item.reason), ",".join(raw) if isinstance(raw, list) else raw)

    def _reject(self, line: int | None, note: Note, raw: str | None) -> None:
        reason = self.place + note.reason
        if self._pseudonymise is not None:
            reason = mask_private(reason)
            raw = None if raw is None else mask_private(raw[: 2 * MAX_RAW])
        self._rows["rejects"].append(
            {"source": self._source, "line": line, "field": None if note.field is None else values.plain(note.field),
             "reason": values.plain(reason), "raw": None if raw is None else values.plain(raw)[:MAX_RAW]}
        )  # fmt: skip

    def full(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Batches that have enough rows."""
        for table, rows in self._rows.items():
            if len(rows) >= BATCH:
                yield self._take(table)

    def rest(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """What is left, with a warning when the ids look rounded."""
        n = len(self._round_ids)
        if n >= _MIN_ROUND_IDS and 2 * n >= self._long_ids:
            reason = (
                f"expected ids digit for digit, found {n} of {self._long_ids} long ids ending in 000: a spreadsheet seems "
                "to have rounded them; export again and do not save the file in a spreadsheet"
            )
            self.note(None, Note(None, reason))
        for table, rows in self._rows.items():
            if rows:
                yield self._take(table)

    def _take(self, table: str) -> tuple[str, pa.RecordBatch]:
        schema, rows = schemas.CANONICAL[table], self._rows[table]
        self._rows[table] = []
        arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
        return table, pa.RecordBatch.from_arrays(arrays, schema=schema)


def read_parts(
    reader: Reader, shape: Shape, pseudonymise: Pseudonymiser | None
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Canonical batches of a file, each with its table name, in the schemas of `schemas.CANONICAL`."""
    parts = {part.section: part for part in reader.parts(shape)}
    tables: dict[str, Rows] = {}
    personal = frozenset[str]().union(*(part.layout.personal for part in parts.values()))
    batches = _Batches(shape.name, pseudonymise, Redactor(personal))
    for section in shape.sections:
        if section not in parts:
            reason = reader.ignored(section) or f"no table that {reader.name} is known to write"
            batches.note(None, Note(section, f"not read: {reason}"))
    for part, header, item in _items(shape, parts):
        batches.place = f"sheet {part.section}: " if shape.kind == "xlsx" and part.section else ""
        if isinstance(item, Broken):
            batches.broken(item, header)
        else:
            _add(part, item, tables, batches)
        yield from batches.full()
    batches.place = ""
    yield from batches.rest()


def _add(part: Part, record: Record, tables: dict[str, Rows], batches: _Batches) -> None:
    found = ((part.layout, record.data),) if part.expand is None else part.expand(record.data)
    for one in found:
        if isinstance(one, Note):
            batches.note(record.line, one, one.record or record.data)
            continue
        layout, raw = one
        if layout.label not in tables:
            tables[layout.label] = Rows(layout)
        row, notes = tables[layout.label].row(raw)
        for note in notes:
            batches.note(record.line, note, raw)
        if row is not None:
            batches.add(layout.table, row)


def _items(shape: Shape, parts: dict[str, Part]) -> Iterator[tuple[Part, Sequence[str], Record | Broken]]:
    """Records of the known sections, and the header of a CSV file or sheet for those that are broken."""
    if shape.kind == "csv":
        yield from _under_header(csv_rows(shape.path, shape.delimiter), parts[""])
    elif shape.kind == "xlsx":
        yield from _sheet_records(shape, parts)
    elif shape.kind in ("object", "yaml"):
        first = next(iter(parts.values()))
        known = {"", *shape.sections}
        for section, item in (json_sections if shape.kind == "object" else yaml_sections)(shape.path):
            if section in parts or isinstance(item, Broken):
                yield parts.get(section, first), (), item
            elif section not in known:
                known.add(section)
                yield (
                    first,
                    (),
                    Broken(None, f"not read: {values.plain(section)[:80]}: it begins too far behind to be known"),
                )
    elif shape.kind == "sqlite":
        for section, part in parts.items():
            yield from ((part, _columns(shape, section), item) for item in sqlite_rows(shape.path, section))
    else:
        read = {
            "json": json_wrapped if shape.is_wrapped else json_array,
            "jsonl": json_lines,
            "parquet": parquet_rows,
            "feed": feed_items,
            "danmaku": danmaku_items,
        }[shape.kind]
        yield from ((parts[""], (), item) for item in read(shape.path))


def _columns(shape: Shape, section: str) -> tuple[str, ...]:
    return tuple(shape.sections[section][0])


def _sheet_records(shape: Shape, parts: dict[str, Part]) -> Iterator[tuple[Part, Sequence[str], Record | Broken]]:
    """Records of the known sheets, and of the others what they lost."""
    anyone = next(iter(parts.values()))
    try:
        for sheet, rows in workbook_sheets(shape.path):
            if sheet in parts:
                yield from _under_header(rows, parts[sheet])
            else:
                lost = (row for row in islice(rows, 1) if isinstance(row, Broken))
                yield from ((replace(anyone, section=sheet), (), replace(row, raw=None)) for row in lost)
    except Damaged as error:
        yield replace(anyone, section=""), (), Broken(None, str(error))


def _under_header(rows: Iterable[Row | Broken], part: Part) -> Iterator[tuple[Part, Sequence[str], Record | Broken]]:
    header: list[str] = []
    for row in rows:
        if isinstance(row, Broken):
            yield part, header, row
        elif not header or _is_header(row, header):
            header = [cell.strip("\ufeff \t") for cell in row.cells]
        else:
            yield part, header, _aligned(part, row, header)


def _is_header(row: Row, header: Sequence[str]) -> bool:
    """Whether a header stands here again, as when files were joined or a run began anew."""
    return row.cells[0].strip("\ufeff \t") == header[0] and len(set(row.cells) & set(header)) * 2 > len(header)


def _aligned(part: Part, row: Row, header: Sequence[str]) -> Record | Broken:
    data = part.align(header, row.cells)
    too_many = len(row.cells) > len(header) and not any(row.cells[len(header) :])
    if data is not None and (not too_many or _is_sound(part, data)):
        return Record(row.line, data)
    reason = f"expected {len(header)} cells as the header has, found {len(row.cells)} that fit no known version"
    return Broken(row.line, reason, row.cells)


def _is_sound(part: Part, data: Raw) -> bool:
    """Whether all cells can be read. Empty cells too many at the end are no harm, but a comma that was not quoted looks the same
    where the last cell is empty, and has shifted the others."""
    rows = ((part.layout, data),) if part.expand is None else part.expand(data)
    return not any(Rows(one[0]).row(one[1])[1] for one in rows if not isinstance(one, Note))
