"""XML, packed as in Excel workbooks or plain: it goes by as events, and no more of it is in memory than one chunk and one tag.

What is no table is refused before it takes time or memory: archives that unpack to far more than they are, entities,
endless tags and names, depth, passwords.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from xml.parsers import expat

from pinzhi.readers.raw import MAX_LINE, Broken, Raw, Record

MAX_RATIO = 100  # bytes for each of the file; rows of exporters pack about 10 to 1
_CHUNK = 1 << 14
_MAX_TAG = 1 << 17  # bytes of one tag or comment, which expat reads anew with every chunk
_MAX_NAMES = 1 << 16  # characters of all names together, which expat keeps
_MAX_DEPTH = 64  # elements within each other
_MAX_LIST = 4 << 20  # bytes of the list of parts, about 50,000 of them
_FREE = 16 << 20  # bytes that may always be unpacked
_MAX_UNPACKED = 16 << 30
_MAX_TAGS = 1 << 16  # sheets, relations and formats that are looked at


class Damaged(Exception):
    """Packed XML that cannot be read, or not read on; the message says what was found."""


FAULTS = (Damaged, expat.ExpatError, zipfile.BadZipFile, zlib.error, struct.error, OSError,
          EOFError, ValueError, LookupError, RuntimeError, OverflowError)  # fmt: skip


def found_in(error: Exception) -> str:
    """What a fault of the file means to its owner."""
    if isinstance(error, Damaged):
        return str(error)
    if isinstance(error, KeyError):
        return "one without a part that it names"
    if isinstance(error, OSError) and error.strerror:
        return f"none that can be read ({error.strerror})"
    return f"a damaged or cut one ({str(error)[:120] or type(error).__name__})"


class _File(io.FileIO):
    """A file that is never read by more at once than the list of parts, which zipfile takes whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_LIST:
            raise Damaged("a list of parts that no table needs")
        return super().read(size)


@contextmanager
def unpacked(path: Path) -> Iterator[zipfile.ZipFile]:
    """The parts, once it is certain that their list and their sizes are those of tables. Raises one of FAULTS."""
    with _File(path) as file, zipfile.ZipFile(file) as archive:
        size, n = path.stat().st_size, sum(part.file_size for part in archive.infolist())
        if n > min(_MAX_UNPACKED, max(_FREE, MAX_RATIO * size)):
            raise Damaged(f"one of {size:,} bytes that unpacks to {n:,}, far more than a table would")
        yield archive


def is_workbook(path: Path) -> bool:
    """Whether a packed file is a workbook, or seems to have been one."""
    try:
        with unpacked(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except FAULTS:
        return path.suffix.lower() in (".xlsx", ".xlsm")


def _local(name: str) -> str:
    """The name of a tag without its prefix; that of Media RSS stays, whose titles and contents are of pictures."""
    return name if name.startswith("media:") else name.rpartition(":")[2]


class Handler:
    """What becomes of XML as it goes by."""

    is_over = False  # whether the rest does not matter

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A tag opens."""

    def text(self, data: str) -> None:
        """Characters within the last tag."""

    def end(self, name: str) -> None:
        """A tag closes."""


def parsed(archive: zipfile.ZipFile, part: str, handler: Handler) -> Iterator[None]:
    """Hand the XML of a part to `handler`, stopping after every chunk. Raises one of FAULTS."""
    info = archive.getinfo(part)
    if info.flag_bits & 1:
        raise Damaged("one that is protected by a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Damaged("one packed in a way that Excel does not use")
    with archive.open(info) as file:
        yield from streamed(file, handler)


class Readable(Protocol):
    """Where the bytes of XML come from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""


def streamed(file: Readable, handler: Handler, encoding: str | None = None) -> Iterator[None]:
    """Hand XML to `handler`, stopping after every chunk; `encoding` outdoes what it says of itself. Raises one of FAULTS."""
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise Damaged("XML that is nested too deep")
        handler.start(_local(name), attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(_local(name))

    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_entities
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, handler.text
    n = 0
    while chunk := file.read(_CHUNK):  # to the end, where the checksum is
        if not handler.is_over:
            parser.Parse(chunk, False)
            n += len(chunk)
            if n - parser.CurrentByteIndex > _MAX_TAG:
                raise Damaged(f"XML with a tag beyond {_MAX_TAG >> 10} KiB")
            if sum(map(len, parser.intern)) > _MAX_NAMES:
                raise Damaged("XML with more names than an export has")
            yield
    if not handler.is_over:
        parser.Parse(b"", True)


def _refuse_entities(*_: Any) -> None:
    raise Damaged("XML that declares entities, which no export needs")


class Items(Handler):
    """Records that XML holds; None stands for one that is too long."""

    def __init__(self) -> None:
        self.items: list[Raw | None] = []


def streamed_items(
    file: Readable, handler: Items, whole: str, one: str, encoding: str | None = None
) -> "Generator[Record | Broken, None, None]":
    """Records as `handler` finds them; a fault ends them with a broken one. `whole` and `one` name file and record."""
    number = 0
    fault: Exception | None = None
    chunks = streamed(file, handler, encoding)
    is_over = False
    while not is_over and fault is None:
        try:
            next(chunks)
        except StopIteration:
            is_over = True
        except FAULTS as error:
            fault = error
        for item in handler.items:
            number += 1
            long = f"expected {one} below {MAX_LINE >> 20} MiB, found a longer one"
            yield Record(number, item) if item is not None else Broken(number, long)
        handler.items.clear()
    if fault is not None:
        yield Broken(number + 1, f"expected {whole}, found {found_in(fault)}; export it again")


def first_records(items: "Generator[Record | Broken, None, None]", most: int, none: str) -> list[Raw]:
    """The first records of a file, or Damaged with `none` or with why there are none."""
    with closing(items):
        found = list(islice(items, most))
    if not found:
        raise Damaged(none)
    first = [item.data for item in found if isinstance(item, Record)]
    if not first:
        raise Damaged(next(item.reason for item in found if isinstance(item, Broken)))
    return first


class Tags(Handler):
    """The tags of some names, with their attributes."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.found: list[tuple[str, dict[str, str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in self._names:
            if len(self.found) >= _MAX_TAGS:
                raise Damaged(f"more than {_MAX_TAGS:,} settings")
            self.found.append((name, {_local(key): value for key, value in attributes.items()}))
