"""Packed XML, as in Excel workbooks: parts go by as events, and no more of them is in memory than one chunk and one tag.

What is no table is refused before it takes time or memory: archives that unpack to far more than they are, entities,
endless tags, depth, passwords.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.parsers import expat

_CHUNK = 1 << 16
_MAX_TAG = 1 << 20  # bytes of one tag or comment
_MAX_DEPTH = 64  # elements within each other
_MAX_LIST = 4 << 20  # bytes of the list of parts, about 50,000 of them
_FREE, _MAX_RATIO = 16 << 20, 100  # bytes that may always be unpacked; rows of exporters pack about 10 to 1
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


def unpacked(path: Path) -> zipfile.ZipFile:
    """The parts, once it is certain that their list and their sizes are those of tables. Raises one of FAULTS."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end >= 0 and int.from_bytes(tail[end + 12 : end + 16], "little") > _MAX_LIST:
        raise Damaged("a list of parts that no table needs")
    archive = zipfile.ZipFile(path)
    n = sum(part.file_size for part in archive.infolist())
    if n > min(_MAX_UNPACKED, max(_FREE, _MAX_RATIO * size)):
        archive.close()
        raise Damaged(f"one of {size:,} bytes that unpacks to {n:,}, far more than a table would")
    return archive


def is_workbook(path: Path) -> bool:
    """Whether a packed file is a workbook, or seems to have been one."""
    try:
        with unpacked(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except FAULTS:
        return path.suffix.lower() in (".xlsx", ".xlsm")


@lru_cache(maxsize=1024)
def _local(name: str) -> str:
    """The name of a tag without its prefix."""
    return name.rpartition(":")[2]


class Handler:
    """What becomes of a part of a workbook as its XML goes by."""

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

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_entities
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, handler.text
    with archive.open(info) as file:
        n = 0
        while chunk := file.read(_CHUNK):  # to the end, where the checksum is
            if not handler.is_over:
                parser.Parse(chunk, False)
                n += len(chunk)
                if n - parser.CurrentByteIndex > _MAX_TAG:
                    raise Damaged("XML with a tag beyond 1 MiB")
                yield
        if not handler.is_over:
            parser.Parse(b"", True)


def _refuse_entities(*_: Any) -> None:
    raise Damaged("XML that declares entities, which no workbook needs")


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
