"""One raw record to one canonical row, by a layout."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pinzhi import schemas
from pinzhi.readers import values
from pinzhi.readers.base import Cell, Layout, Note
from pinzhi.readers.raw import Raw, is_summary

_IDS = frozenset({"post_id", "comment_id", "account_id", "reposted_post_id", "parent_id", "author_id"})
_TEXTS = frozenset({"text", "title", "quoted_text"})
_MOMENT = {"posts": "published_at", "comments": "created_at"}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    cells: tuple[Cell, ...]
    parse: Callable[[Any], Any]
    kind: str  # count, moment, other
    has_marks: (
        bool  # of several cells, one that says that nothing is known gives way to the next; words and names may mean it
    )

    def says_nothing(self, value: Any) -> bool:
        """Whether a cell is one of the marks of "unknown"; an epoch of 0 is one too, a count of 0 is not."""
        return values.is_null(value) or (self.kind == "moment" and value in (0, "0"))


class Rows:
    """Canonical rows of one layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._keys = schemas.KEYS[layout.table]
        self._moment = _MOMENT.get(layout.table)
        # A time may rest on when the record was fetched.
        fields = sorted(schemas.CANONICAL[layout.table], key=lambda field: field.name != "fetched_at")
        self._columns = [
            _Column(field.name, cells, *_parser(field, is_clean=layout.is_clean), _may_choose(field, cells))
            for field in fields
            if (cells := layout.columns.get(field.name))
        ]

    def row(self, raw: Raw) -> tuple[Raw | None, list[Note]]:
        """The canonical row, or None when its key is missing; and what could not be read of it."""
        notes: list[Note] = []
        row: Raw = {"platform": self.layout.platform} if self.layout.platform else {}
        floors: list[str] = []
        seen: tuple[int | None, str | None] = (None, None)
        for column in self._columns:
            cell: Cell = column.name
            value = None
            try:
                for cell in column.cells:
                    value = raw.get(cell) if isinstance(cell, str) else cell(raw)
                    if value is not None and value != "" and not (column.has_marks and column.says_nothing(value)):
                        break
                found = column.parse(value)
            except values.BadValue as error:
                found = values.time_told(value, seen) if column.name == self._moment else (None, None)
                if found[0] is None:
                    notes.append(Note(cell if isinstance(cell, str) else column.name, str(error)))
                    continue
            if column.kind == "count":
                row[column.name], is_floor = found
                if is_floor or (found[0] is not None and found[0] == self.layout.cell_floor):
                    floors.append(column.name)
            elif column.kind == "moment":
                row[column.name] = found[0]
                if column.name == self._moment:
                    row["time_precision"] = found[1]
                elif column.name == "fetched_at":
                    seen = found
            elif found is not None or column.name not in row:
                row[column.name] = found
        summary = _summary(row, raw) if self.layout.table == "posts" else None
        return (None, [summary]) if summary else self._finish(row, floors, notes)

    def _finish(self, row: Raw, floors: list[str], notes: list[Note]) -> tuple[Raw | None, list[Note]]:
        for key in self._keys:
            if row.get(key) in (None, ""):
                if not any(self._is_cell(key, note.field) for note in notes):
                    notes.append(Note(key, f"expected {key}, found nothing; the record was left out"))
                return None, notes
        if self.layout.table == "posts":
            row["count_floors"] = sorted({*floors, *(row.get("count_floors") or ())}) or None
            self._drop_no_id(row, "reposted_post_id")
            self._drop_no_id(row, "account_id")
        elif self.layout.table == "comments":
            self._drop_no_id(row, "post_id")
            self._drop_no_id(row, "parent_id", row["comment_id"])
            self._drop_no_id(row, "author_id")
        row["text"] = row.get("text") or ""
        for name in ("title", "quoted_text"):
            row[name] = row.get(name) or None
        return row, notes

    @staticmethod
    def _drop_no_id(row: Raw, name: str, own: str | None = None) -> None:
        """Null for the marks of "none", and for a root that names itself."""
        if values.is_null(row.get(name)) or row[name] in ("0", own):
            row[name] = None

    def _is_cell(self, column: str, field: str | None) -> bool:
        return field == column or field in self.layout.columns.get(column, ())


def _summary(row: Raw, raw: Raw) -> Note | None:
    """The note for a row that sums others up: it says so, has no time, and no id from its source but that word."""
    id_ = row.get("post_id") or ""
    is_known = row.get("published_at") is not None or (id_ and not id_.startswith(values.MADE) and not is_summary(id_))
    for field, cell in () if is_known else raw.items():
        if isinstance(cell, str) and is_summary(cell):
            return Note(field, "expected a post, found a row that sums others up; the row was left out")
    return None


def _may_choose(field: pa.Field, cells: tuple[Cell, ...]) -> bool:
    return len(cells) > 1 and (field.name in _IDS or field.type in (pa.int64(), schemas.TIME))


def _parser(field: pa.Field, *, is_clean: bool) -> tuple[Callable[[Any], Any], str]:
    if field.name in _IDS:
        return values.identifier, "other"
    if field.name in _TEXTS:
        return values.plain if is_clean else values.text, "other"
    if field.type == schemas.TIME:
        return values.time, "moment"
    if field.type == pa.int64():
        return values.count, "count"
    by_type = {pa.bool_(): values.flag, pa.float64(): values.number, pa.list_(pa.string()): values.names}
    return by_type.get(field.type, _word), "other"


def _word(value: Any) -> str | None:
    found = values.plain(value).strip()
    return None if found in ("", r"\N") else found
