"""Danmaku of Bilibili as XML, streamed; a record has the columns of those who keep danmaku in a database."""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TextIO

from pinzhi.readers.lines import encoding_of
from pinzhi.readers.packed_xml import Items, first_records, streamed_items
from pinzhi.readers.raw import MAX_LINE, Broken, Raw, Record

_ROOT = re.compile(r"<i(?:\s[^<>]*)?>")
_MARK = re.compile(r"<chat(?:server|id)>|<d\s[^<>]*\bp=")
_HEAD = 4096  # characters before the root: declarations and comments
_P = ("progress", "mode", "fontsize", "color", "ctime", "pool", "mid_hash", "id_str")
_PIECE = 64  # bytes that a piece of text takes beside its characters
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)?")
_MAX_REFERENCE = 12  # characters of the longest


def is_danmaku(text: str) -> bool:
    """Whether a file that begins with `text` is XML of danmaku."""
    return text.startswith("<") and _ROOT.search(text, 0, _HEAD) is not None and _MARK.search(text) is not None


def danmaku_head(path: Path, most: int) -> list[Raw]:
    """The first danmaku. Raises Damaged, OSError."""
    return first_records(_items(path), most, "expected danmaku, found a file without any; export it again")


def danmaku_items(path: Path) -> Iterator[Record | Broken]:
    """All danmaku; a fault ends them with a broken one."""
    yield from _items(path)


def _items(path: Path) -> "Generator[Record | Broken, None, None]":
    with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
        yield from streamed_items(_Mended(file), _Danmaku(), "whole danmaku (XML)", "danmaku", "utf-8")


class _Mended:
    """XML as parsers take it: people type control characters, and some tools write `&` as it is."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._rest = ""
        self._is_first = True

    def read(self, size: int, /) -> bytes:
        """The next bytes, in UTF-8."""
        while True:
            read = self._file.read(size)
            text = self._rest + read
            at = text.rfind("&", max(0, len(text) - _MAX_REFERENCE)) if read else -1
            text, self._rest = (text, "") if at < 0 or ";" in text[at:] else (text[:at], text[at:])
            if self._is_first:
                text = text.lstrip("\ufeff \t\r\n\x00")
                self._is_first = not text
            text = _REFERENCE.sub(_reference, _INVALID.sub("", text))
            if text or not read:
                return text.encode()


def _reference(found: re.Match[str]) -> str:
    name = found[1]
    if name is None:
        return "&amp;"
    if name[0] != "#":
        return found[0]
    code = int(name[2:], 16) if name[1] == "x" else int(name[1:])
    return found[0] if code < 0x110000 and _INVALID.match(chr(code)) is None else ""


class _Danmaku(Items):
    """Danmaku as their XML goes by."""

    def __init__(self) -> None:
        super().__init__()
        self._chat = ""
        self._p: str | None = None  # of the danmaku that goes by
        self._is_chat = False
        self._parts: list[str] = []
        self._size = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._p is None and name in ("d", "chatid"):
            self._parts, self._size = [], 0
            self._is_chat = name == "chatid"
            self._p = None if self._is_chat else attributes.get("p", "")

    def text(self, data: str) -> None:
        if self._p is not None or self._is_chat:
            self._size += len(data) + _PIECE
            if self._size <= MAX_LINE:
                self._parts.append(data)

    def end(self, name: str) -> None:
        if name == "d" and self._p is not None:
            self.items.append(self._record(self._p) if self._size <= MAX_LINE else None)
            self._p, self._parts = None, []
        elif name == "chatid" and self._is_chat:
            self._chat, self._is_chat = "".join(self._parts).strip()[:40], False

    def _record(self, p: str) -> Raw:
        return {**dict(zip(_P, p[:1000].split(","), strict=False)), "content": "".join(self._parts), "cid": self._chat}
