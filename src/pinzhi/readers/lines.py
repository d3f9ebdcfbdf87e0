"""Text files, streamed: encodings, lines, CSV rows. Nothing here raises for what a file holds."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from pinzhi.readers.raw import MAX_BANNERS, MAX_LINE, Broken, Row, is_banner

csv.field_size_limit(MAX_LINE)
DELIMITERS = ",\t;"
_HEAD = 1 << 20
_MAX_ROW_LINES = 2000  # a quoted cell with more lines is a quote that was never closed
_LOST = re.compile("[\udc80-\udcff]")
BROKEN_ENCODING = "expected text in the encoding of the file, found broken bytes; export it again as UTF-8"


def encoding_of(path: Path) -> str:
    """Encoding by the first MiB: UTF-16 by its BOM; UTF-8 when half of the lines are; else GB18030 or Big5."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    whole = head if len(head) < _HEAD else head.rpartition(b"\n")[0]
    lines = [line for line in whole.removeprefix(codecs.BOM_UTF8).split(b"\n") if not line.isascii()]
    read = {name: sum(_decodes(line, name) for line in lines) for name in ("utf-8", "gb18030", "big5")}
    if 2 * read["utf-8"] >= len(lines):
        return "utf-8"
    return max(read, key=lambda name: read[name])


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def byte_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without BOM; None for a line longer than MAX_LINE, which is passed over."""
    with path.open("rb") as file:
        number, line = 1, file.readline(MAX_LINE).removeprefix(codecs.BOM_UTF8)
        while line:
            if len(line) >= MAX_LINE - 3 and not line.endswith(b"\n"):
                while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                    pass
                yield number, None
            else:
                yield number, line
            number, line = number + 1, file.readline(MAX_LINE)


def text_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Numbered lines with their ends, which are carriage returns where there is nothing else; bytes that cannot be decoded come as
    lone surrogates, a giant line as None."""
    encoding = encoding_of(path)
    end = "\r" if _ends_in_returns(path) else "\n"
    if encoding != "utf-16" and end == "\n":
        for number, line in byte_lines(path):
            yield number, None if line is None else line.decode(encoding, "surrogateescape")
        return
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    with path.open(encoding=encoding, errors=errors, newline=end) as file:
        number = 0
        while text := file.readline(MAX_LINE):
            number += 1
            yield number, None if len(text) == MAX_LINE else text


def _ends_in_returns(path: Path) -> bool:
    """Whether lines end as those of old Macintoshes, by the first MiB."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return b"\r" in head and b"\n" not in head


def is_lost(text: str) -> bool:
    """Whether bytes were lost in decoding."""
    return _LOST.search(text) is not None


def shown(text: str) -> str:
    """Text with lost bytes as U+FFFD."""
    return _LOST.sub("\ufffd", text)


class _Lines:
    """Lines for `csv.reader`, which can be given back when a row turns out to be broken."""

    def __init__(self, lines: Iterator[tuple[int, str | None]]) -> None:
        self._lines = lines
        self._waiting: list[tuple[int, str]] = []
        self.taken: list[tuple[int, str]] = []
        self.giants: list[int] = []
        self.ran_out = self.has_bare = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MAX_ROW_LINES:
            raise csv.Error("a quoted cell is never closed")
        self.taken.append(self._waiting.pop() if self._waiting else self._read())
        return self.taken[-1][1]

    def _read(self) -> tuple[int, str]:
        for number, line in self._lines:
            if line is not None:
                return number, self._plain(line)
            self.giants.append(number)
        self.ran_out = True
        raise StopIteration

    def _plain(self, line: str) -> str:
        """A line as `csv.reader` takes it: writers that end lines with a line feed do not quote a carriage return within one."""
        line = line.replace("\x00", "")
        if "\r" in line and "\r" in (words := line.rstrip("\r\n")):
            self.has_bare = True
            line = words.replace("\r", "\u2028") + line[len(words) :]
        return line

    def give_back(self) -> None:
        """Everything taken but the first line is to be read again."""
        self._waiting.extend(reversed(self.taken[1:]))
        self.ran_out = False


def csv_rows(path: Path, delimiter: str = ",") -> Iterator[Row | Broken]:
    """Rows of a CSV file from its header on; quoted cells may span lines. A quote that is never closed costs one line."""
    yield from _below_banners(_rows(_Lines(text_lines(path)), delimiter))


def csv_table(path: Path) -> Iterator[Row | Broken]:
    """Rows of a CSV file that begins with its header, which also tells by what its cells are separated."""
    header = next((line for _, line in text_lines(path) if line and line.strip()), "")
    yield from _rows(_Lines(text_lines(path)), likely_delimiter(header))


def likely_delimiter(header: str) -> str:
    """What separates the cells of a header line; a comma where nothing does."""
    return max(DELIMITERS, key=header.count)


def csv_head(text: str, delimiter: str) -> list[list[str]]:
    """The first rows of a CSV text, as far as they can be read."""
    rows = _below_banners(_rows(_Lines(iter(enumerate(io.StringIO(text, newline="\n"), 1))), delimiter))
    return [row.cells for row, _ in zip(rows, range(5), strict=False) if isinstance(row, Row)]


def _below_banners(rows: Iterator[Row | Broken]) -> Iterator[Row | Broken]:
    head = list(islice(rows, MAX_BANNERS + 2))
    at = 0
    while at < min(len(head), MAX_BANNERS) and isinstance(row := head[at], Row):
        below = next((one.cells for one in head[at + 1 : at + 2] if isinstance(one, Row)), ())
        if not is_banner(row.cells, below):
            break
        at += 1
    return chain(head[at:], rows)


def _rows(lines: _Lines, delimiter: str) -> Iterator[Row | Broken]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.taken = []
        fault: str | None = None
        cells: list[str] = []
        try:
            cells = next(reader)
            if lines.ran_out:
                fault = "the file ends within a quoted cell"
        except StopIteration:
            cells = []
        except csv.Error as error:
            fault = f"expected CSV, found a fault: {error}"
        yield from (
            Broken(number, f"expected lines below {MAX_LINE >> 20} MiB, found a longer one") for number in lines.giants
        )
        lines.giants = []
        if not lines.taken:
            return
        number, first = lines.taken[0]
        if fault is not None:
            lines.give_back()
            reader = csv.reader(lines, delimiter=delimiter)
            yield Broken(number, fault, shown(first).rstrip("\r\n"))
        elif any(map(is_lost, cells)):
            yield Broken(number, BROKEN_ENCODING, [shown(cell) for cell in cells])
        elif cells:
            yield Row(number, [cell.replace("\u2028", "\n") for cell in cells] if lines.has_bare else cells)
