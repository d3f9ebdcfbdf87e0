"""YAML, streamed: what a tool has dumped as one object of lists. No more of it is in memory than one item of a list.

Nothing is constructed: a scalar is its text, digit for digit, or None. Aliases repeat small values alone, so that no few lines stand
for millions.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, Any

import yaml

from pinzhi.readers.lines import encoding_of
from pinzhi.readers.raw import MAX_LINE, MAX_RAW, Broken, Raw, Record

_MAX_DEPTH = 32
_MAX_NAMED, _MAX_REPEATED = 100_000, 2000  # values that have a name, and the characters of one that may be repeated
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KEY = "_key"  # the name under which an item of a list within an object finds the key of that list


class _Bounded:
    """Text that ends with an error where one item takes more than any item of an export."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.taken = 0

    def read(self, size: int = 1 << 14) -> str:
        """The next characters."""
        text = self._file.read(min(size, 1 << 14))
        self.taken += len(text)
        if self.taken > MAX_LINE:
            raise yaml.YAMLError(f"an item of more than {MAX_LINE >> 20} MiB")
        return text


def yaml_sections(path: Path) -> Iterator[tuple[str, Record | Broken]]:
    """Values of one YAML object: the items of its lists, those of the lists of its objects with their KEY, and its objects, each
    with the section that it stands under; single values are collected under "". A fault ends them with a broken one."""
    section = ""
    with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
        text = _Bounded(file)
        try:
            for section, number, data in _Yaml(text).sections():
                text.taken = 0
                yield section, Record(number, data)
        except (yaml.YAMLError, RecursionError, UnicodeError) as error:
            found = " ".join(str(error).split())[:200]
            yield section, Broken(None, f"expected whole YAML, found a fault: {found}"[:MAX_RAW])


def yaml_heads(path: Path, most: int) -> dict[str, list[Raw]]:
    """Section -> its first records, of the first `most` of the file."""
    heads: dict[str, list[Raw]] = {}
    items = yaml_sections(path)
    with closing(items):  # type: ignore[type-var]
        for section, item in islice(items, most):
            if isinstance(item, Record):
                heads.setdefault(section, []).append(item.data)
    return heads


class _Yaml:
    """The first document of a text as it goes by."""

    def __init__(self, text: _Bounded) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._named: Raw = {}  # small values that an alias may repeat
        self._n_aliases = 0

    def event(self) -> Any:
        """The next event."""
        return next(self._events, None)

    def sections(self) -> Iterator[tuple[str, int, Raw]]:
        """Records with their sections and numbers."""
        while isinstance(event := self.event(), yaml.StreamStartEvent | yaml.DocumentStartEvent):
            pass
        if not isinstance(event, yaml.MappingStartEvent):
            raise yaml.YAMLError("no object")
        facts: Raw = {}
        while not isinstance(event := self.event(), yaml.MappingEndEvent):
            section, event = self._word(event), self.event()
            if isinstance(event, yaml.SequenceStartEvent):
                yield from ((section, number, item) for number, item in enumerate(self._items(), 1))
            elif isinstance(event, yaml.MappingStartEvent):
                yield from ((section, number, item) for number, item in enumerate(self._lists(), 1))
            else:
                facts[section] = self._value(event)
        if facts:
            yield "", 1, facts

    def _lists(self) -> Iterator[Raw]:
        """The items of the lists of an object, and what else it holds."""
        own: Raw = {}
        while not isinstance(event := self.event(), yaml.MappingEndEvent):
            key, event = self._word(event), self.event()
            if isinstance(event, yaml.SequenceStartEvent):
                yield from ({**item, KEY: key} for item in self._items())
            else:
                own[key] = self._value(event)
        if own:
            yield own

    def _items(self) -> Iterator[Raw]:
        while not isinstance(event := self.event(), yaml.SequenceEndEvent):
            value = self._value(event)
            yield value if isinstance(value, dict) else {"": value}

    def _word(self, event: Any) -> str:
        return str(self._value(event))[:200]

    def _value(self, event: Any, depth: int = 0) -> Any:
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError("YAML that is nested too deep")
        if isinstance(event, yaml.AliasEvent):
            self._n_aliases += 1
            if event.anchor not in self._named:
                raise yaml.YAMLError("an alias of nothing, or of more than an export repeats")
            return self._named[event.anchor]
        n_aliases = self._n_aliases
        value = self._whole(event, depth)
        is_small = event.anchor and len(self._named) < _MAX_NAMED and n_aliases == self._n_aliases
        if (
            is_small and len(str(value)) <= _MAX_REPEATED
        ):  # without aliases of its own, or a few lines would stand for millions
            self._named[event.anchor] = value
        return value

    def _whole(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            found: Raw = {}
            while not isinstance(event := self.event(), yaml.MappingEndEvent):
                key = str(self._value(event, depth + 1))[:200]
                found[key] = self._value(self.event(), depth + 1)
            return found
        if isinstance(event, yaml.SequenceStartEvent):
            listed = []
            while not isinstance(event := self.event(), yaml.SequenceEndEvent):
                listed.append(self._value(event, depth + 1))
            return listed
        is_plain = event.implicit[0] and not event.style
        return None if is_plain and event.value in _NULLS else event.value
