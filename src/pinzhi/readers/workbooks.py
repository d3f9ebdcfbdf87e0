"""Excel workbooks, streamed: sheets row by row, shared texts on disk, and no more XML in memory than one row.

Rows are read with expat, because libraries hold all shared texts or a whole sheet, and round long ids to floats;
what the numbers, formats and column letters of Excel mean is taken from openpyxl.
"""

import posixpath
import re
import tempfile
import zipfile
from array import array
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO

from pinzhi.readers.packed_xml import FAULTS, MAX_RATIO, Damaged, Handler, Tags, found_in, parsed, unpacked
from pinzhi.readers.raw import MAX_BANNERS, MAX_LINE, Broken, Raw, Row, is_banner

_MAX_ROWS, _MAX_COLUMNS = 1 << 20, 1000  # Excel's own rows; no exporter has a hundred columns
_MAX_SETTINGS = 8 << 20  # bytes of the lists of sheets, relations and formats
_IN_MEMORY = 16 << 20  # bytes of shared texts that need no file
_MAX_TEXTS = 1 << 24  # shared texts; their places stay in memory
_MAX_TEXT = 1 << 16  # characters of a shared text; a cell of Excel holds half as many
_FREE_TEXTS = 1 << 28  # bytes of shared texts that may always be given out, however often one is named
_PIECE = 64  # bytes that a piece of text takes beside its characters
_HEAD_ROWS = 6
_MEND = "open it in Excel or WPS and save it as xlsx without a password or as CSV (UTF-8), or export it again"
_ASIAN_DATES = (*range(27, 37), *range(50, 59))  # formats such as 2026年9月1日, which files do not spell out
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def workbook_heads(path: Path) -> dict[str, list[Raw]]:
    """Sheet name -> its first rows under the header, for sheets that have one. Raises Damaged."""
    heads: dict[str, list[Raw]] = {}
    faults: list[str] = []
    for sheet, rows in workbook_sheets(path):
        with closing(rows):
            first = list(islice(rows, _HEAD_ROWS))
        cells = [row.cells for row in first if isinstance(row, Row)]
        faults += [row.reason for row in first if isinstance(row, Broken)]
        if cells:
            header = [cell.strip("\ufeff \t") for cell in cells[0]]
            heads[sheet] = [*(dict(zip(header, row, strict=False)) for row in cells[1:]), dict.fromkeys(header, "")]
    if not heads:
        raise Damaged(faults[0] if faults else f"expected records, found a workbook without rows; {_MEND}")
    return heads


def workbook_sheets(path: Path) -> Iterator[tuple[str, "Generator[Row | Broken, None, None]"]]:
    """Every sheet with its rows, which are to be read before the next sheet. Raises Damaged."""
    try:
        with unpacked(path) as archive, closing(_Texts(max(_FREE_TEXTS, MAX_RATIO * path.stat().st_size))) as texts:
            book = _Book(archive, texts)
            for part, sheet in book.sheets.items():
                yield sheet, _rows(archive, part, book)
    except FAULTS as error:
        raise Damaged(f"expected a whole Excel workbook (xlsx), found {found_in(error)}; {_MEND}") from error


def _rows(archive: zipfile.ZipFile, part: str, book: "_Book") -> "Generator[Row | Broken, None, None]":
    """Rows of a sheet that hold anything; a fault ends them with a broken one."""
    sheet = _Sheet(book)
    fault: Exception | None = None
    chunks = parsed(archive, part, sheet)
    while fault is None:
        try:
            next(chunks)
        except StopIteration:
            return
        except FAULTS as error:
            fault = error
            sheet.finish()
        yield from sheet.rows
        sheet.rows.clear()
    yield Broken(sheet.number, f"expected a whole sheet, found {found_in(fault)}; {_MEND}")


class _Book:
    """Sheets, shared texts and the formats that mean a date."""

    def __init__(self, archive: zipfile.ZipFile, texts: "_Texts") -> None:
        self._archive = archive
        self.texts = texts
        workbook = next(iter(self._relations("", "officeDocument").values()), "xl/workbook.xml")
        named: list[tuple[str, str]] = []
        self.is_1904 = False
        for name, attributes in self._tags(workbook, "sheet", "workbookPr"):
            if name == "sheet":
                named.append((attributes.get("name", ""), attributes.get("id", "")))
            else:
                self.is_1904 = attributes.get("date1904") in ("1", "true")
        parts = self._relations(workbook, "worksheet")
        self.sheets: dict[str, str] = {}  # part -> name: a part is read once
        for name, id_ in named:
            if id_ in parts:
                self.sheets.setdefault(parts[id_], name)
        self.dates = frozenset(self._dates(workbook))
        for part in self._present(workbook, "sharedStrings"):
            for _ in parsed(archive, part, texts):
                pass

    def _tags(self, part: str, *names: str) -> list[tuple[str, dict[str, str]]]:
        if self._archive.getinfo(part).file_size > _MAX_SETTINGS:
            raise Damaged(f"{part} of more than {_MAX_SETTINGS >> 20} MiB")
        tags = Tags(*names)
        for _ in parsed(self._archive, part, tags):
            pass
        return tags.found

    def _relations(self, part: str, kind: str) -> dict[str, str]:
        """Id -> part, for the parts of a kind that `part` refers to."""
        folder, name = posixpath.split(part)
        try:
            tags = self._tags(posixpath.join(folder, "_rels", f"{name}.rels"), "Relationship")
        except KeyError:
            return {}
        return {
            one.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
            for _, one in tags
            if one.get("Type", "").endswith(f"/{kind}")
        }

    def _present(self, workbook: str, kind: str) -> list[str]:
        """The part of a kind that a workbook can do without, if it is there; however often it is named, it is read once."""
        present = set(self._archive.namelist())
        return [part for part in self._relations(workbook, kind).values() if part in present][:1]

    def _dates(self, workbook: str) -> Iterator[str]:
        """Cell styles whose format is a date, as cells name them."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

        for part in self._present(workbook, "styles"):
            formats = {str(id_): code for id_, code in {**dict.fromkeys(_ASIAN_DATES, "y"), **BUILTIN_FORMATS}.items()}
            at = -1
            is_cell = False
            for name, one in self._tags(part, "numFmt", "cellXfs", "xf", "cellStyles"):
                if name == "numFmt":
                    formats[one.get("numFmtId", "")] = one.get("formatCode", "")[:255]
                elif name == "xf" and is_cell:
                    at += 1
                    code = formats.get(one.get("numFmtId", "0"), "")
                    if is_date_format(code) and not is_timedelta_format(code):
                        yield str(at)
                else:
                    is_cell = name == "cellXfs"


class _Texts(Handler):
    """The shared texts of a workbook, in a file when they are many."""

    def __init__(self, most: int) -> None:
        self._left = most  # bytes that may still be given out
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="pinzhi-")  # noqa: SIM115
        self._ends = array("Q", [0])
        self._parts: list[str] = []
        self._n = 0
        self._is_text = False
        self._hidden = 0

    def __getitem__(self, at: int) -> str:
        if not 0 <= at < len(self._ends) - 1:
            raise IndexError(at)
        size = self._ends[at + 1] - self._ends[at]
        self._left -= size
        if self._left < 0:
            raise Damaged("texts shared far more often than in a table")
        self._file.seek(self._ends[at])
        return self._file.read(size).decode("utf-8", "replace")

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def start(self, name: str, _: dict[str, str]) -> None:
        self._hidden += name == "rPh"  # phonetic hints
        self._is_text = name == "t" and not self._hidden

    def text(self, data: str) -> None:
        if self._is_text:
            self._n += len(data)
            if self._n > _MAX_TEXT:
                raise Damaged(f"a text of more than {_MAX_TEXT:,} characters, which no cell holds")
            self._parts.append(data)

    def end(self, name: str) -> None:
        self._hidden -= name == "rPh"
        self._is_text = False
        if name == "si":
            if len(self._ends) > _MAX_TEXTS:
                raise Damaged(f"more than {_MAX_TEXTS:,} shared texts")
            n = self._file.write("".join(self._parts).encode("utf-8", "replace"))
            self._ends.append(self._ends[-1] + n)
            self._parts.clear()
            self._n = 0


class _Sheet(Handler):
    """Rows of a sheet as its XML goes by; cells become text as in a CSV file of the same rows."""

    def __init__(self, book: _Book) -> None:
        self.rows: list[Row | Broken] = []
        self.number = 1  # of the row that goes by, or is next
        self.is_over = False
        self._book = book
        self._width = self._banners = 0  # columns of the header, rows above it
        self._held: Row | None = None  # the header, or a banner: the row below it tells
        self._cells: dict[int, str] = {}
        self._fault: str | None = None
        self._size = self._column = self._hidden = 0
        self._cell: dict[str, str] = {}
        self._value: list[str] = []
        self._formula: list[str] = []
        self._into: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("v", "t"):
            self._into = None if self._hidden else self._value
        elif name == "c":
            self._cell, self._value, self._formula = attributes, [], []
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
        elif name == "f":
            self._into = self._formula
        elif name == "row":
            self.number = int(attributes.get("r", self.number))
            if not 0 < self.number <= _MAX_ROWS:
                raise Damaged(f"a row beyond {_MAX_ROWS:,}")
            self._cells, self._fault, self._size, self._column = {}, None, 0, 0
        elif name == "rPh":
            self._hidden += 1

    def text(self, data: str) -> None:
        if self._into is not None and self._fits(len(data) + _PIECE):
            self._into.append(data)

    def _fits(self, n: int) -> bool:
        self._size += n
        if self._size > MAX_LINE:
            self._fault = f"expected rows below {MAX_LINE >> 20} MiB, found a longer one"
        return self._size <= MAX_LINE

    def end(self, name: str) -> None:
        if name in ("v", "t", "f"):
            self._into = None
        elif name == "c":
            self._close_cell()
        elif name == "row":
            self._close_row()
        elif name == "rPh":
            self._hidden -= 1
        elif name == "sheetData":
            self.is_over = True
            self.finish()

    def _close_cell(self) -> None:
        value = "".join(self._value)
        kind = self._cell.get("t", "n")
        if kind == "s" and value:
            try:
                value = self._book.texts[int(value)]
                value = value if self._fits(len(value)) else ""
            except (IndexError, ValueError):
                self._fault = f"expected a shared text, found {value[:20]!r}, which the workbook does not hold; {_MEND}"
        elif kind == "b":
            value = {"0": "False", "1": "True"}.get(value, value)
        elif kind == "n" and value and self._cell.get("s") in self._book.dates:
            value = _date(value, is_1904=self._book.is_1904)
        formula = "".join(self._formula)
        if formula and (not value or kind == "e"):  # the tool's way to write a text that begins with =
            value = f"={formula}"
        if "_x" in value:
            value = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
        if value and not 0 < self._column <= _MAX_COLUMNS:
            self._fault = f"expected at most {_MAX_COLUMNS} columns, found more"
        elif value:
            self._cells[self._column] = value

    def _close_row(self) -> None:
        width = max(self._width, *self._cells) if self._cells else 0
        cells = [self._cells.get(at, "") for at in range(1, width + 1)]
        if self._fault is not None:
            self.rows.append(Broken(self.number, self._fault, cells))
        elif cells and self._width:
            self.rows.append(Row(self.number, cells))
        elif cells:
            self._open(Row(self.number, cells))
        self.number += 1

    def _open(self, row: Row) -> None:
        """Take a row before the header is known: it is the one above, unless that is a banner."""
        above, self._held = self._held, row
        if above is None:
            return
        if self._banners < MAX_BANNERS and is_banner(above.cells, row.cells):
            self._banners += 1
            return
        self._held, self._width = None, len(above.cells)
        self.rows += [above, Row(row.line, row.cells + [""] * (self._width - len(row.cells)))]

    def finish(self) -> None:
        """Give out the row that waits for one below it."""
        if self._held is not None and not (self._banners < MAX_BANNERS and is_banner(self._held.cells)):
            self.rows.append(self._held)
        self._held = None


@lru_cache(maxsize=4096)
def _letters(letters: str) -> int:
    from openpyxl.utils import column_index_from_string

    return int(column_index_from_string(letters))


def _column(place: str) -> int:
    """3 for `C17`."""
    return _letters(place.rstrip("0123456789"))


def _date(value: str, *, is_1904: bool) -> str:
    """A day, with its clock when there is one, of Excel's count of days; a number that is none stays as it is."""
    from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

    with suppress(ValueError, OverflowError):
        days = float(value)
        if days >= 1:
            moment = from_excel(days, MAC_EPOCH if is_1904 else WINDOWS_EPOCH)
            return str(moment.date()) if days == int(days) else str(moment)
    return value
