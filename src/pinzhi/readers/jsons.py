"""JSON files, streamed: one object a line, arrays, or one object whose keys hold arrays."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from pinzhi.readers.lines import BROKEN_ENCODING, byte_lines, encoding_of, is_lost, shown, text_lines
from pinzhi.readers.raw import MAX_LINE, MAX_RAW, Broken, Record

_CHUNK = 1 << 20
_DECODER = json.JSONDecoder(strict=False)  # raw control characters in strings are common in exports
_SPACE = re.compile(r"[\s,\x00\ufeff]*")
_FIRST_KEY = re.compile(r"\{\s*\"[^\"\\]{1,40}\"\s*:")
_KEY = re.compile(r"\"([^\"\\]{1,40})\"\s*:")
_ALIKE = 3  # keys by which the object behind a cut one is told from one within it
_NEXT_ITEM = re.compile(r"\}[\s\x00]*,?[\s\x00]*(?=\{\s*\")")
_BRACKET = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|[\[\]{}]", re.DOTALL)  # or a text, whose brackets mean nothing
_BEHIND_ITEM = re.compile(r"[\s\x00]*(?:,[\s\x00]*\{|\])")
_PATIENCE = 20  # broken items that may turn out not to close
_MAX_NAMED = 20  # keys around the records that are named
MAX_WRAPS = 4  # objects around an array of records
_AROUND = frozenset({  # what answers of interfaces say beside their records
    "code", "msg", "message", "success", "status", "ok", "error", "errno", "errcode", "errmsg", "total", "count", "page", "pages",
    "size", "limit", "offset", "cursor", "has_more", "hasMore", "next", "ts", "time", "timestamp", "request_id", "requestId", "logid",
})  # fmt: skip


def json_lines(path: Path) -> Iterator[Record | Broken]:
    """One JSON object a line; a cut last line is broken, not fatal. Of a line that holds more (an array, several objects, one that
    was appended to a cut one) all that is whole is read."""
    encoding = encoding_of(path)
    lines = text_lines(path) if encoding == "utf-16" else byte_lines(path)
    for number, line in lines:
        if line is None:
            yield Broken(number, f"expected lines below {MAX_LINE >> 20} MiB, found a longer one")
        elif line.strip():
            data = _plain(line, encoding)
            if isinstance(data, dict):
                yield Record(number, data)
            else:
                yield from _in_line(number, line, encoding)


def _plain(line: bytes | str, encoding: str) -> Any:
    """The value of a line as it should be; None for any other."""
    try:
        return orjson.loads(line if encoding == "utf-8" or isinstance(line, str) else line.decode(encoding))
    except (orjson.JSONDecodeError, UnicodeDecodeError):
        return None


def _in_line(number: int, line: bytes | str, encoding: str) -> Iterator[Record | Broken]:
    """The objects of a line that orjson refuses, or that is no object: the standard library reads lone surrogates, NaN and control
    characters."""
    text = line if isinstance(line, str) else line.decode(encoding, "surrogateescape")
    if is_lost(text):
        yield Broken(number, BROKEN_ENCODING, shown(text).strip()[:MAX_RAW])
        return
    text = text.replace("\x00", "").strip()
    begins = _FIRST_KEY.match(text)
    at = 0
    while (at := _behind_space(text, at)) < len(text):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            end = _appended(text, at, begins[0]) if begins else len(text)
            yield Broken(
                number, f"expected a whole JSON object, found a fault: {_fault(error)}", text[at:end][:MAX_RAW]
            )
        else:
            for item in value if isinstance(value, list) and value else [value]:
                yield _object(number, item)
        at = end


def _appended(text: str, at: int, begins: str) -> int:
    """Where in a line that is cut from `at` on the next run of the tool went on: an object that `begins` like the line and has the
    first keys of what was cut, for one that stands within it may begin alike. The end of the line where there is none."""
    start = at
    for _ in range(_PATIENCE):
        start = text.find(begins, start + 1)
        if start < 0:
            break
        try:
            value, _ = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if all(key in value for key in (found[1] for found in islice(_KEY.finditer(text, at, start), _ALIKE))):
            return start
    return len(text)


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _object(number: int, data: Any) -> Record | Broken:
    if isinstance(data, dict):
        return Record(number, data)
    found = json.dumps(data, ensure_ascii=False)[:MAX_RAW]
    return Broken(number, f"expected a JSON object, found {_kind(data)}", shown(found))


def _fault(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error)[:120]


def _kind(value: Any) -> str:
    return {list: "an array", str: "a text", type(None): "null", bool: "true or false"}.get(type(value), "a number")


class _Text:
    """A window on a JSON text: `buffer[at:]` is what comes next."""

    def __init__(self, path: Path) -> None:
        encoding = encoding_of(path)
        self._file = path.open(encoding=encoding, errors="replace" if encoding == "utf-16" else "surrogateescape")
        self.buffer, self.at, self.ended = "", 0, False
        self._patience = _PATIENCE

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def more(self) -> bool:
        """Read on; False at the end of the file."""
        rest = self.buffer[self.at :]
        chunk = self._file.read(max(_CHUNK, len(rest)))
        self.buffer, self.at, self.ended = rest + chunk, 0, not chunk
        return not self.ended

    def peek(self) -> str:
        """The next character that is no space or comma; "" at the end."""
        while True:
            self.at = _behind_space(self.buffer, self.at)
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.more():
                return ""

    def value(self) -> Any:
        """The next JSON value. Raises ValueError where it is broken or cut, RecursionError where it is too deep."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer, self.at)
                if end < len(self.buffer) or isinstance(value, dict | list | str) or not self.more():
                    self.at = end
                    return value
            except json.JSONDecodeError as error:
                is_certain = error.pos < len(self.buffer) - 64 and not error.msg.startswith("Unterminated")
                if is_certain or len(self.buffer) - self.at > MAX_LINE or not self.more():
                    raise

    def skip_all(self) -> None:
        """Go to the end of the file."""
        self.at = len(self.buffer)
        while self.more():
            self.at = len(self.buffer)

    def skip_item(self) -> bool:
        """Go behind a broken item, or to what looks like the next object; False when there is none."""
        if self._closes():
            return True
        self.at = min(self.at + 1, len(self.buffer))
        while True:
            found = _NEXT_ITEM.search(self.buffer, self.at)
            if found:
                self.at = found.end()
                return True
            self.at = max(self.at, len(self.buffer) - 256)
            if not self.more():
                self.at = len(self.buffer)
                return False

    def _closes(self) -> bool:
        """Go to where the brackets of a broken item close, if they do so within a chunk and another item or the end of
        the array follows: objects within it are no items."""
        if self._patience and len(self.buffer) - self.at < 2 * _CHUNK:
            self.more()
        depth = 0
        for found in _BRACKET.finditer(self.buffer, self.at, self.at + _CHUNK) if self._patience else ():
            depth += (found[0] in "{[") - (found[0] in "}]")
            if depth <= 0:
                if _BEHIND_ITEM.match(self.buffer, found.end()):
                    self.at = found.end()
                    return True
                break
        self._patience = max(0, self._patience - 1)
        return False


def json_array(path: Path) -> Iterator[Record | Broken]:
    """Items of JSON arrays and bare objects, one after another; the whole items before and after a broken one are read."""
    text = _Text(path)
    number = 0
    try:
        while char := text.peek():
            for item in _items(text, number) if char == "[" else _bare(text, number):
                number += 1
                yield item
    finally:
        text.close()


def _bare(text: _Text, number: int) -> Iterator[Record | Broken]:
    """The value that comes next, outside of any array; what follows a broken one is lost with it."""
    try:
        value = text.value()
    except (ValueError, RecursionError) as error:
        raw = shown(text.buffer[text.at : text.at + MAX_RAW])
        yield Broken(number + 1, f"expected a JSON array or object, found a fault from here on: {_fault(error)}", raw)
        text.skip_all()
    else:
        yield _item(number + 1, value)


def json_wrapped(path: Path) -> Iterator[Record | Broken]:
    """Items of the arrays of objects that stand within nothing but objects, as in `{"code": 0, "data": {"list": [{...}]}}`; several
    such answers may follow one another or stand in an array. What else they hold is named at the end."""
    text = _Text(path)
    number, around = 0, dict[str, None]()
    try:
        while char := text.peek():
            if char in "[]":
                text.at += 1
                continue
            for item in _wrapped(text, around, MAX_WRAPS) if char == "{" else _bare(text, number):
                number += 1
                yield Record(number, item.data) if isinstance(item, Record) else item
    except (ValueError, RecursionError) as error:
        yield Broken(number + 1, f"expected a whole JSON object, found a fault from here on: {_fault(error)}")
    finally:
        text.close()
    if around:
        yield Broken(None, f"not read: what stands around the records: {', '.join(around)[:200]}")


def _wrapped(text: _Text, around: dict[str, None], depth: int) -> Iterator[Record | Broken]:
    """Items of the arrays within the object that comes next; the names of other values are added to `around`. Raises ValueError."""
    for key in _keys(text):
        char = text.peek()
        if char == "[":
            text.at += 1
            is_empty = text.peek() == "]"
            if is_empty or text.peek() == "{":
                yield from _rest_of_items(text, 0)
                continue
            while text.peek() not in ("]", ""):
                text.value()
            text.at += 1
        elif char == "{" and depth:
            yield from _wrapped(text, around, depth - 1)
            continue
        else:
            text.value()
        if key not in _AROUND and len(around) < _MAX_NAMED:
            around[shown(key)] = None


def _keys(text: _Text) -> Iterator[str]:
    """Keys of the object that comes next; who takes one reads its value before the next. Raises ValueError."""
    text.at += 1
    while (char := text.peek()) != "}":
        if not char:
            raise ValueError("the file ends within it: it was cut")
        key = str(text.value())
        if text.peek() != ":":
            raise ValueError(f"expected a colon after {key[:40]!r}")
        text.at += 1
        yield key
    text.at += 1


def _items(text: _Text, number: int = 0) -> Iterator[Record | Broken]:
    """Items of the array that comes next; `number` were read before."""
    text.at += 1
    yield from _rest_of_items(text, number)


def _rest_of_items(text: _Text, number: int) -> Iterator[Record | Broken]:
    while (char := text.peek()) != "]":
        number += 1
        if not char:
            yield Broken(number, "expected the end of the JSON array, found the end of the file: it was cut")
            return
        try:
            item = text.value()
        except (ValueError, RecursionError) as error:
            raw = shown(text.buffer[text.at : text.at + MAX_RAW])
            goes_on = text.skip_item()
            where = "a fault" if goes_on else "the array cut or broken from here on"
            yield Broken(number, f"expected a whole JSON object, found {where}: {_fault(error)}", raw)
            if not goes_on:
                return
            continue
        yield _item(number, item)
    text.at += 1


def _item(number: int, item: Any) -> Record | Broken:
    if isinstance(item, dict) and not all(map(_is_whole, item.values())):
        return Broken(number, BROKEN_ENCODING, shown(json.dumps(item, ensure_ascii=False, default=str))[:MAX_RAW])
    return _object(number, item)


def _is_whole(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() or not is_lost(value)
    return all(map(_is_whole, value.values())) if isinstance(value, dict) else True


def json_sections(path: Path) -> Iterator[tuple[str, Record | Broken]]:
    """Values of one JSON object: the items of its arrays and its objects, each with its key."""
    text = _Text(path)
    try:
        if text.peek() != "{":
            yield "", Broken(None, "expected a JSON object, found none", shown(text.buffer[:200]))
            return
        try:
            for key in _keys(text):
                if text.peek() == "[":
                    yield from ((key, item) for item in _items(text))
                else:
                    value = text.value()
                    if isinstance(value, dict):
                        yield key, Record(1, value)
            if text.peek():
                yield (
                    "",
                    Broken(None, "expected the end of the file behind a JSON object, found more, which was not read"),
                )
        except (ValueError, RecursionError) as error:
            yield "", Broken(None, f"expected a whole JSON object, found a fault: {_fault(error)}")
    finally:
        text.close()


def json_facts(path: Path) -> dict[str, Any]:
    """The texts and numbers of one JSON object that stand before its first array."""
    text = _Text(path)
    facts: dict[str, Any] = {}
    try:
        if text.peek() != "{":
            return facts
        for key in _keys(text):
            if text.peek() == "[":
                break
            value = text.value()
            if not isinstance(value, dict):
                facts[key] = value
    except (ValueError, RecursionError):
        pass  # whoever reads the records says so
    finally:
        text.close()
    return facts
