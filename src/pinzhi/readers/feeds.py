"""RSS and Atom, streamed: an entry is a record of the texts of its elements, by their names without prefix."""

import re
from collections.abc import Generator, Iterator
from email.utils import parsedate_to_datetime
from html import escape
from pathlib import Path
from typing import Any

from pinzhi.readers.packed_xml import Items, first_records, streamed_items
from pinzhi.readers.raw import MAX_LINE, Broken, Raw, Record

_ROOT = re.compile(r"<(?:rss|feed|rdf:RDF)[\s>]")
_HEAD = 4096  # characters before the root: declarations and comments
_GROUPS = ("comment",)  # elements with elements of their own, as WordPress exports them; each is a list of records
_ELEMENT = 64  # characters that an element counts as, beside its text
_MAX_FACTS, _MAX_FACT = 50, 2000  # texts of a feed, and the characters of one


def is_feed(text: str) -> bool:
    """Whether a file that begins with `text` is RSS or Atom."""
    return text.startswith("<") and _ROOT.search(text, 0, _HEAD) is not None


def feed_head(path: Path, most: int) -> tuple[dict[str, str], list[Raw]]:
    """What a feed says of itself, and its first entries. Raises Damaged, OSError."""
    feed = _Feed()
    first = first_records(_items(path, feed), most, "expected entries, found a feed without any; export it again")
    return feed.facts, first


def feed_items(path: Path) -> Iterator[Record | Broken]:
    """Entries of a feed; a fault ends them with a broken one."""
    yield from _items(path, _Feed())


def feed_time(value: Any) -> Any:
    """A time of RSS, such as `Thu, 18 Jun 2026 12:00:01 GMT`; what is none stays."""
    try:
        return (
            parsedate_to_datetime(value) if isinstance(value, str) and "," in value[:5] and len(value) < 64 else value
        )
    except (ValueError, TypeError, OverflowError, IndexError):
        return value


def _items(path: Path, feed: "_Feed") -> "Generator[Record | Broken, None, None]":
    with path.open("rb") as file:
        yield from streamed_items(file, feed, "a whole feed (RSS or Atom)", "entries")


class _Feed(Items):
    """Entries as their XML goes by; what stands outside of them is a fact of the feed."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, str] = {}
        self._item: Raw | None = None
        self._depth = 0  # elements within the entry
        self._field = ""
        self._parts: list[str] = []
        self._size = 0
        self._is_markup = False  # an element whose own elements are HTML
        self._within: Raw = {}  # texts of the elements of one of _GROUPS

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._item is None:
            self._start_outside(name, attributes)
            return
        self._depth += 1
        self._size += _ELEMENT
        if self._depth == 1:
            self._field, self._parts, self._within = name, [], {}
            self._is_markup = attributes.get("type") == "xhtml"
            if name == "link" and "href" in attributes and attributes.get("rel", "alternate") == "alternate":
                self._item.setdefault("link", attributes["href"])
        elif self._is_markup:
            self._add(f"<{name}>")
        elif self._depth == 2 and self._field in _GROUPS:
            self._parts = []

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("item", "entry"):
            self._item, self._depth, self._size = {}, 0, 0
            return
        self._field, self._parts, self._size = name, [], 0
        if name == "link" and "href" in attributes:
            self._fact(attributes.get("rel", "link"), attributes["href"])

    def text(self, data: str) -> None:
        if self._item is None or self._depth:
            self._add(escape(data, quote=False) if self._is_markup else data)

    def _add(self, data: str) -> None:
        self._size += len(data)
        if self._size <= (_MAX_FACT if self._item is None else MAX_LINE):
            self._parts.append(data)

    def end(self, name: str) -> None:
        if self._item is None:
            self._fact(self._field, "".join(self._parts).strip())
            self._field, self._parts = "", []
        elif self._depth == 0:
            self.items.append(self._item if self._size <= MAX_LINE else None)
            self._item, self._field, self._parts = None, "", []
        else:
            self._close_element(name)

    def _close_element(self, name: str) -> None:
        self._depth -= 1
        if self._depth and self._is_markup:
            self._add(f"</{name}>")
        elif self._depth == 1 and self._field in _GROUPS:
            self._within[name] = "".join(self._parts).strip()
            self._parts = []
        elif not self._depth and self._within and self._item is not None:
            group = self._item.get(self._field)
            if not isinstance(group, list):  # RSS has an element of that name too, an address
                group = self._item[self._field] = []
            if self._size <= MAX_LINE:
                group.append(self._within)
            self._parts = []
        elif not self._depth and self._item is not None:
            value = "".join(self._parts).strip()
            if value:
                self._item.setdefault(self._field, value)
            self._parts, self._is_markup = [], False

    def _fact(self, name: str, value: str) -> None:
        if value and name and len(self.facts) < _MAX_FACTS:
            self.facts.setdefault(name, value[:_MAX_FACT])
