"""What a file is, by its content; its name only helps."""

import codecs
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from pinzhi.readers.base import Shape
from pinzhi.readers.danmaku import danmaku_head, is_danmaku
from pinzhi.readers.feeds import feed_head, is_feed
from pinzhi.readers.jsons import MAX_WRAPS, json_array, json_facts, json_lines, json_sections, json_wrapped
from pinzhi.readers.lines import DELIMITERS, csv_head, encoding_of, likely_delimiter
from pinzhi.readers.packed_xml import Damaged, is_workbook
from pinzhi.readers.raw import MAX_BANNERS, Broken, Raw, Record
from pinzhi.readers.stores import parquet_head, sqlite_tables
from pinzhi.readers.workbooks import workbook_heads
from pinzhi.readers.yamls import yaml_heads

_HEAD = 1 << 18
_SAMPLE = 20  # first records that are looked at
_SCAN = 10_000  # records of a JSON object among which its sections are looked for
_PICTURE, _MEDIA, _PROGRAM = "skipped: a picture", "skipped: sound or video", "skipped: a program or web page"
_PACKED = "a packed file: unpack it and name the folder"
_XLS = (
    "an old Excel or Word file, or one with a password, is not read; save it as xlsx or CSV (UTF-8) without a password"
)
_MAGIC = (
    (b"\x89PNG", _PICTURE), (b"\xff\xd8\xff", _PICTURE), (b"GIF8", _PICTURE), (b"RIFF", _MEDIA), (b"ID3", _MEDIA),
    (b"%PDF", "skipped: a PDF document"), (b"PK\x03\x04", _PACKED), (b"\x1f\x8b", _PACKED), (b"7z\xbc\xaf", _PACKED), (b"Rar!", _PACKED),
    (b"\xd0\xcf\x11\xe0", _XLS),
)  # fmt: skip
_SUFFIXES = {
    ".md": "skipped: Markdown is not read; it repeats what the tool's csv, json and sqlite hold",
    ".log": "skipped: a log",
    ".xlsx": "expected an Excel workbook (xlsx), found something else; copy it again, or export it again",
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic", ".bmp", ".ico", ".svg"), _PICTURE),
    **dict.fromkeys((".mp4", ".mov", ".m4a", ".mp3", ".flv", ".mkv", ".avi", ".m3u8", ".webm"), _MEDIA),
    **dict.fromkeys((".py", ".css", ".js", ".html", ".htm", ".ipynb"), _PROGRAM),
}  # fmt: skip
_LABELLED = (  # how tools begin a text that repeats their other files
    (("用户信息", "微博内容", "原创微博内容"), "skipped: text of weiboSpider has no ids; it repeats what the tool's csv, json and sqlite hold"),
    (("笔记id: ", "用户id: "), "skipped: text of Spider_XHS; it repeats what the tool's json and xlsx hold"),
)  # fmt: skip
_THREAD = re.compile(r"^(?:thread_info|posts|dict_subposts|subposts|images):", re.MULTILINE)  # of tieba-thread-archive
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")
_WIDE = 5  # columns below a banner; fewer are lines of prose with commas
_SIDE_FILES = ("-wal", "-shm", "-journal")


class Unreadable(Exception):
    """A file that no reader can take; the message says why and what to do."""


def sniff(path: Path, name: str) -> Shape:
    """Kind and first records of a file. Raises Unreadable, OSError."""
    if path.name.endswith(_SIDE_FILES):
        raise Unreadable("skipped: belongs to a database and is read with it")
    if path.stat().st_size == 0:
        raise Unreadable("expected records, found an empty file; export it again or remove it")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"SQLite format 3\x00"):
        return _sqlite(path, name)
    if head.startswith(b"PAR1"):
        return _parquet(path, name)
    if head.startswith(b"PK\x03\x04") and is_workbook(path):
        return _workbook(path, name)
    _refuse(path, head)
    text = head.removeprefix(codecs.BOM_UTF8).decode(encoding_of(path), "replace").lstrip("\ufeff \t\r\n\x00")
    if "\n" not in text:  # lines of old Macintoshes
        text = text.replace("\r", "\n")
    if text.startswith("["):
        return _with_records(Shape(path, name, "json", {"": _records(json_array(path))}))
    if text.startswith("{"):
        return _object_or_lines(path, name, text)
    if is_feed(text):
        return _feed(path, name)
    if is_danmaku(text):
        return _danmaku(path, name)
    if path.suffix.lower() in (".yaml", ".yml") and _THREAD.search(text):
        return _yaml(path, name)
    return _table(path, name, text)


def seen_as(path: Path, name: str) -> Iterator[Shape]:
    """What a file may be, likeliest first: as it is; an object as one record, which others may follow; and JSON as the records that
    answers of an interface wrap, such as `{"code": 0, "data": [...]}`. Raises Unreadable, OSError."""
    shape = sniff(path, name)
    yield shape
    if shape.kind == "object" and (whole := _records(json_array(path))):
        yield replace(shape, kind="json", sections={"": whole}, facts={})
    records = [record for one in shape.sections.values() for record in one]
    if shape.kind == "object" or (shape.kind in ("json", "jsonl") and any(map(_wraps, records))):
        first = _records(json_wrapped(path))
        if first:
            yield replace(shape, kind="json", sections={"": first}, facts={}, is_wrapped=True)


def _wraps(value: Any, depth: int = MAX_WRAPS) -> bool:
    """Whether an array of objects stands within a value, in nothing but objects."""
    if isinstance(value, dict):
        return depth >= 0 and any(_wraps(one, depth - 1) for one in value.values())
    return isinstance(value, list) and isinstance(next(iter(value), None), dict)


def _refuse(path: Path, head: bytes) -> None:
    """Raise Unreadable for what is no archive by its first bytes or its suffix."""
    reason = next((reason for magic, reason in _MAGIC if head.startswith(magic)), None)
    reason = reason or _SUFFIXES.get(path.suffix.lower())
    if reason is not None:
        raise Unreadable(reason)
    is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not is_utf16 and 10 * (len(head) - len(head.translate(None, _CONTROL))) > len(head):
        raise Unreadable("expected csv, json, jsonl, sqlite or parquet, found binary data; see docs/formats.md")


def _workbook(path: Path, name: str) -> Shape:
    try:
        return Shape(path, name, "xlsx", workbook_heads(path))
    except Damaged as error:
        raise Unreadable(str(error)) from error


def _sqlite(path: Path, name: str) -> Shape:
    try:
        tables = sqlite_tables(path)
    except sqlite3.Error as error:
        raise Unreadable(f"expected a SQLite database, found a damaged one: {error}; copy it again") from error
    if not tables:
        raise Unreadable("expected records, found a database without rows; export it again")
    return Shape(path, name, "sqlite", tables)


def _feed(path: Path, name: str) -> Shape:
    try:
        facts, records = feed_head(path, _SAMPLE)
    except Damaged as error:
        raise Unreadable(str(error)) from error
    return Shape(path, name, "feed", {"": records}, facts=facts)


def _danmaku(path: Path, name: str) -> Shape:
    try:
        return Shape(path, name, "danmaku", {"": danmaku_head(path, _SAMPLE)})
    except Damaged as error:
        raise Unreadable(str(error)) from error


def _yaml(path: Path, name: str) -> Shape:
    heads = yaml_heads(path, _SAMPLE)
    if heads.keys().isdisjoint({"posts", "dict_subposts", "subposts"}):
        raise Unreadable(
            "skipped: settings or pictures of tieba-thread-archive; thread.yaml beside it holds the thread"
        )
    return Shape(path, name, "yaml", heads)


def _parquet(path: Path, name: str) -> Shape:
    try:
        return Shape(path, name, "parquet", {"": parquet_head(path)})
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Unreadable(f"expected a Parquet file, found a damaged one: {str(error)[:120]}; write it again") from error


def _records(items: Iterator[Record | Broken]) -> list[Raw]:
    return [item.data for item in islice(items, _SAMPLE) if isinstance(item, Record) and item.data]


def _with_records(shape: Shape) -> Shape:
    if shape.sections[""]:
        return shape
    found = "JSON array" if shape.kind == "json" else "JSON text"
    raise Unreadable(f"expected records, found a {found} without a whole object at its start; export it again")


def _object_or_lines(path: Path, name: str, text: str) -> Shape:
    """One object a line, one that holds the arrays of the whole file, or one record for the whole file."""
    lines = _records(json_lines(path))
    is_single = not text.partition("\n")[2].strip()
    if lines and not (is_single and _holds_all(lines[0])):
        return Shape(path, name, "jsonl", {"": lines})
    sections: dict[str, list[Raw]] = {key: [] for key in lines[0]} if lines else {}
    for section, item in islice(json_sections(path), _SCAN):
        first = sections.setdefault(section, []) if isinstance(item, Record) else None
        if isinstance(item, Record) and first is not None and len(first) < _SAMPLE:
            first.append(item.data)
    if sections:
        return Shape(path, name, "object", sections, facts=json_facts(path))
    return _with_records(Shape(path, name, "json", {"": _records(json_array(path))}))


def _holds_all(data: Raw) -> bool:
    """Whether an object has nothing of its own, only arrays and objects."""
    return all(value is None or isinstance(value, dict | list) for value in data.values())


def _table(path: Path, name: str, text: str) -> Shape:
    """CSV, or JSON lines whose first line is cut."""
    if '{"' in text or "{ " in text:
        records = _records(json_lines(path))
        if records:
            return Shape(path, name, "jsonl", {"": records})
    for beginnings, reason in _LABELLED:
        if text.startswith(beginnings):
            raise Unreadable(reason)
    lines = text.split("\n", MAX_BANNERS + 1)[: MAX_BANNERS + 1]
    top = next((at for at, line in enumerate(lines) if not set(DELIMITERS).isdisjoint(line)), 0)
    delimiter = likely_delimiter(lines[top])
    rows = csv_head(text, delimiter)
    header = [cell.strip("\ufeff \t") for cell in rows[0]] if rows else []
    if len(header) < (_WIDE if top else 2):
        raise Unreadable("expected csv, json, jsonl, sqlite or parquet, found plain text; see docs/formats.md")
    first = [dict(zip(header, row, strict=False)) for row in rows[1:] if len(row) >= len(header)]
    return Shape(path, name, "csv", {"": [*first, dict.fromkeys(header, "")]}, delimiter)


def described(shape: Shape) -> str:
    """The fields of a file, for the reject of one that no reader knows."""
    if shape.kind == "xlsx":
        sheets = (f"{sheet} ({', '.join(list(records[0])[:8])})" for sheet, records in shape.sections.items())
        return (
            f"an Excel workbook (xlsx) with the sheets {', '.join(islice(sheets, 4))[:200]}; export the same data as csv, "
            "json or jsonl, or save it as CSV (UTF-8)"
        )
    if shape.kind in ("sqlite", "object", "yaml"):
        return f"{shape.kind} with {', '.join(list(shape.sections)[:8])[:200]}"
    return f"{shape.kind} with the fields {', '.join(list(shape.sections[''][0])[:8])[:200]}"
