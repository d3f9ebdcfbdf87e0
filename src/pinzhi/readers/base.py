"""What a reader is: it says which parts of a file it knows, and where each canonical value is in a raw record."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pinzhi.readers.raw import Raw

_MAX_SEEN = 1000  # orders of columns whose layout is kept

Cell = str | Callable[[Raw], Any]  # a raw field, or a function of the raw record that may raise BadValue


def inside(outer: str, inner: str) -> Callable[[Raw], Any]:
    """A cell: the field `inner` of the object `outer`, None where there is none."""

    def cell(raw: Raw) -> Any:
        found = raw.get(outer)
        return found.get(inner) if isinstance(found, dict) else None

    return cell


@dataclass(frozen=True)
class Shape:
    """What is known of a file before it is read.

    `sections` maps a table of a database, a sheet of a workbook, a key of a JSON object, or "" for the whole file, to
    its first raw records; a CSV file has one record of its header and first row.
    """

    path: Path
    name: str  # path relative to the archive
    kind: str  # csv, json, jsonl, object, sqlite, parquet, xlsx, feed, danmaku, yaml
    sections: Mapping[str, Sequence[Raw]]
    delimiter: str = ","
    facts: Mapping[str, Any] = field(default_factory=dict)  # what an object or feed says of itself before its records
    is_wrapped: bool = False  # JSON whose records stand within the answers of an interface

    @property
    def hints(self) -> tuple[str, ...]:
        """Folder names and the file's own, nearest first."""
        return tuple(reversed((*self.path.parts[-5:-1], self.path.stem)))

    def columns(self, section: str) -> set[str]:
        """Fields of the first records of a section."""
        return {column for record in self.sections.get(section, ()) for column in record}


@dataclass(frozen=True)
class Layout:
    """Where the canonical columns of one table are in a raw record; the first field that is there and not empty wins."""

    label: str  # for people, such as `xiaohongshu comments`
    table: str  # posts, comments, accounts
    columns: Mapping[str, tuple[Cell, ...]]
    platform: str | None = None  # None: a column of the record
    is_clean: bool = False  # texts are canonical already
    cell_floor: int | None = None  # a count that the tool writes for "this or more"
    personal: frozenset[str] = frozenset()  # raw fields that name a person, beside those that are known by their names


class Kinds:
    """Layouts by the columns that betray them, most telling first; JSON may hold records of several kinds in one file."""

    def __init__(self, *marks: tuple[Iterable[str], Layout]) -> None:
        self._marks = tuple((frozenset(columns), layout) for columns, layout in marks)
        self._seen: dict[tuple[str, ...], Layout | None] = {}

    def of(self, raw: Raw) -> Layout | None:
        """The first layout whose columns a record has; looked for once for each order of columns."""
        columns = tuple(raw)
        if columns not in self._seen:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[columns] = next((layout for marks, layout in self._marks if marks <= raw.keys()), None)
        return self._seen[columns]


@dataclass(frozen=True)
class Note:
    """Something about a record that goes to the rejects while the record is read on."""

    field: str | None
    reason: str
    record: Raw | None = None  # the part of the record that it is about, where that is not all of it


Expand = Callable[[Raw], Iterable[tuple[Layout, Raw] | Note]]
Align = Callable[[Sequence[str], Sequence[str]], Raw | None]


def unknown(raw: Raw, expected: str) -> Note:
    """The note for a record that is none of `expected`."""
    return Note(None, f"expected {expected}, found the fields {', '.join(list(raw)[:8])[:200]}")


def as_header(header: Sequence[str], cells: Sequence[str]) -> Raw | None:
    """CSV cells under their header, or None when their number differs; empty cells too many at the end are no harm."""
    if len(cells) == len(header):
        return dict(zip(header, cells, strict=True))
    if len(cells) > len(header) and not any(cells[len(header) :]):
        return dict(zip(header, cells, strict=False))
    return None


@dataclass(frozen=True)
class Part:
    """A section of a file that a reader knows."""

    layout: Layout
    section: str = ""
    expand: Expand | None = None  # one raw record to several rows
    align: Align = field(default=as_header)


class Reader(Protocol):
    """One exporter; `version` is part of every source digest, so that a changed reader reads again."""

    name: str
    version: str

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """The sections that it knows; none when the file is not of this exporter."""

    def ignored(self, section: str) -> str | None:
        """Why a section is known and not read, or None."""
