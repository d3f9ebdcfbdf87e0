"""The tables of docs/sources: which column of a file becomes which of ours, found by experiment and not by hand.

Every field of the bundled samples is changed, one at a time, and what changes in the rows that come out is what it is for; a field
that counts only where another is missing is found the same way, without the other. `python -m tests.source_pages` writes the tables
into the pages anew; a test compares. What stands around them is written by hand.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pinzhi.readers import discover
from pinzhi.readers.base import Part, Shape
from pinzhi.readers.detect import sniff
from pinzhi.readers.frame import Source, _items
from pinzhi.readers.raw import Raw, Record
from pinzhi.readers.rows import Rows
from pinzhi.schemas import CANONICAL

ROOT = Path(__file__).resolve().parents[1]
SAMPLES, PAGES = ROOT / "tests/data/archives", ROOT / "docs/sources"
BEGIN, END = "<!-- fields: {} -->", "<!-- end -->"
_BLOCK = re.compile(r"<!-- fields: (.*?) -->.*?<!-- end -->", re.DOTALL)
_RECORDS = 6  # of a section, that are looked at
_BLANK = ("7", "字", True, [{"": ""}])  # what is tried in place of nothing
Rowed = dict[str, list[Raw]]  # table -> rows
_FOLLOW = {f"{table}.{name}" for table in CANONICAL for name in ("time_precision", "count_floors")}


def table(samples: str) -> str:
    """What the files of some samples (folders or files, separated by spaces) become, as Markdown."""
    found: dict[str, dict[str, list[str]]] = {}  # what -> our column -> fields
    unused: dict[str, dict[str, bool]] = {}  # what -> field -> whether it is used
    for source in discover([SAMPLES / name for name in samples.split()])[0]:
        for part, data in _records(source):
            _learn(part, data, found.setdefault(part.layout.label, {}), unused.setdefault(part.layout.label, {}))
    lines: list[str] = []
    for label, columns in found.items():
        is_one = len({ours.partition(".")[0] for ours in columns}) == 1
        rows = (
            f"| {', '.join(f'`{field}`' for field in fields)} | `{ours.partition('.')[2] if is_one else ours}` |"
            for ours, fields in sorted(columns.items(), key=_order)
        )
        left = [field for field, is_used in unused[label].items() if not is_used]
        lines += [f"**{label}**", "", "| 文件中的列 in the file | 我们的列 ours |", "| --- | --- |", *rows, ""]
        lines += [f"不读 not read: {', '.join(f'`{field}`' for field in left)}", ""] if left else []
    return "\n".join(lines)


def written(page: str) -> str:
    """A page with its tables as they are now."""
    return _BLOCK.sub(lambda found: f"{BEGIN.format(found[1])}\n{table(found[1])}{END}", page)


def _order(item: tuple[str, list[str]]) -> tuple[int, int]:
    name, _, column = item[0].partition(".")
    names = CANONICAL[name].names
    return list(CANONICAL).index(name), names.index(column)


def _records(source: Source) -> Iterator[tuple[Part, Raw]]:
    """The first records of every section; a row of a table as its header and cells."""
    shape: Shape = sniff(source.path, source.name)
    parts = {part.section: part for part in source.by.parts(shape)}
    raw = {
        name: replace(part, align=lambda header, cells: {"": (list(header), list(cells))})
        for name, part in parts.items()
    }
    n = dict.fromkeys(parts, 0)
    for part, _, item in _items(shape, raw):
        if isinstance(item, Record) and n[part.section] < _RECORDS:
            n[part.section] += 1
            yield parts[part.section], item.data


def _learn(part: Part, data: Raw, found: dict[str, list[str]], used: dict[str, bool]) -> None:
    base = _rows(part, data)
    fields = list(_fields(data)) if base else []
    for field in fields:
        columns = _changed(part, data, field, base)
        used[_name(data, field)] = used.get(_name(data, field), False) or bool(columns)
        for column in columns - {""}:
            _note(found, column, _name(data, field))
        if not columns:
            continue
        without = _with(data, field, "" if "" in data else None)
        rest = _rows(part, without)
        for other in fields:
            for column in _changed(part, without, other, rest) & columns - {""} if other != field else ():
                used[_name(data, other)] = True
                _note(found, column, _name(data, other))


def _note(found: dict[str, list[str]], column: str, name: str) -> None:
    if name not in found.setdefault(column, []):
        found[column].append(name)


def _changed(part: Part, data: Raw, field: tuple[Any, ...], base: Rowed) -> set[str]:
    """Our columns that change with a field."""
    changed: set[str] = set()
    for value in _others(_get(data, field)):
        rows = _rows(part, _with(data, field, value))
        for name, olds in base.items():
            if len(rows.get(name, ())) != len(olds):
                changed.add("")  # a field that decides whether and as what a record is read
            else:
                for row, old in zip(rows[name], olds, strict=True):
                    changed |= {
                        f"{name}.{ours}" for ours in CANONICAL[name].names if row.get(ours) != old.get(ours)
                    } - _FOLLOW
                    if row.get("comment_id") != old.get("comment_id") and not old.get("parent_id"):
                        changed.discard("comments.parent_id")  # a root that named itself
        if changed:
            return changed
    return changed


def _rows(part: Part, data: Raw) -> Rowed:
    """What a record becomes; nothing where the reader refuses it."""
    raw = part.align(*data[""]) if "" in data else data
    made = [] if raw is None else [(part.layout, raw)] if part.expand is None else list(part.expand(raw))
    rows: Rowed = {}
    for one in made:
        if isinstance(one, tuple) and (row := Rows(one[0]).row(one[1])[0]) is not None:
            rows.setdefault(one[0].table, []).append(row)
    return rows


def _others(value: Any) -> tuple[Any, ...]:
    if value in (None, "", []):
        return _BLANK if value is None else _BLANK[:2] if value == "" else _BLANK[3:]
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int | float):
        return (value + 1, -value)
    if value in ("True", "False", "TRUE", "FALSE"):
        return ("False" if value.upper() == "TRUE" else "True",)
    at = max((at for at, character in enumerate(value) if character in "0123456789"), default=None)
    bumped = () if at is None else (f"{value[:at]}{(int(value[at]) + 1) % 10}{value[at + 1 :]}",)
    return (*bumped, f"{value}字", "")


def _fields(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of a record are; of a list the first item that there is."""
    if not path and "" in data:
        yield from (("", 1, at) for at in range(len(data[""][1])) if at < len(data[""][0]))
    elif isinstance(data, dict) and data:
        for name, value in data.items():
            yield from _fields(value, (*path, name))
    elif isinstance(data, list) and data:
        yield from _fields(data[0], (*path, 0))
    elif isinstance(data, str | int | float | bool | list | None):
        yield path


def _name(data: Raw, field: tuple[Any, ...]) -> str:
    if field[0] == "":
        return str(data[""][0][field[2]])
    return ".".join(str(name) for name in field if name != 0)


def _get(data: Any, field: tuple[Any, ...]) -> Any:
    for name in field:
        data = data[name]
    return data


def _with(data: Any, field: tuple[Any, ...], value: Any) -> Any:
    if not field:
        return value
    copy = list(data) if isinstance(data, list | tuple) else dict(data)
    copy[field[0]] = _with(data[field[0]], field[1:], value)
    return copy


def main() -> None:
    """Write the tables of all pages."""
    for page in sorted(PAGES.glob("*.md")):
        page.write_text(written(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
