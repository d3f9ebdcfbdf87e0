"""Cells as exporters write them, to canonical values: one place each for counts, times, ids and text."""

import html
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

BEIJING = timezone(timedelta(hours=8))
_NULLS = {"", "none", "null", "nan", "-", "--", "-1", "未知", "无"}
_COUNT = re.compile(r"(\d+(?:,\d{3})+|\d+)(\.\d+)?\s*([千kK万wW亿]?)\s*(\+?)")
_UNITS = {"": 1, "千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000, "亿": 100_000_000}
_EMOTICON_IMAGE = re.compile(r"<img\b[^>]*?\balt=[\"']?(\[[^\]<>]{1,12}\])[^>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>|</p>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ZERO_WIDTH = re.compile(r"[\u200b\u2060\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?"
)


class BadValue(ValueError):
    """A cell that cannot be read; the message says what was found."""


def is_null(value: Any) -> bool:
    """Whether a cell says that nothing is known."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _NULLS) or value == -1


def count(value: Any) -> tuple[int | None, bool]:
    """A count and whether it is only a floor: `1.2万` is (12000, False), `10万+` (100000, True), `None` (None, False)."""
    if is_null(value) or isinstance(value, bool):
        return None, False
    if isinstance(value, int):
        return (value, False) if 0 <= value < 2**63 else (None, False)
    if isinstance(value, float):
        return (int(value), False) if value >= 0 and value == int(value) else (None, False)
    match = _COUNT.fullmatch(str(value).strip())
    if not match:
        raise BadValue(f"expected a count such as 12, 1,024 or 1.2万, found {str(value)[:40]!r}")
    whole, fraction, unit, plus = match.groups()
    scale = _UNITS[unit.lower()]
    number = int(whole.replace(",", "")) * scale
    if fraction:
        number += round(int(fraction[1:]) * scale / 10 ** (len(fraction) - 1))
    return (number, bool(plus)) if number < 2**63 else (None, False)


def identifier(value: Any) -> str | None:
    """An id, digit for digit; never by way of a float. Empty marks are null."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        raise BadValue(f"expected an id as text or integer, found the float {value!r}; its last digits are lost")
    text = str(value).strip(" \t\r\n\"'")
    return text if text and text.lower() not in ("none", "null") else None


def time(value: Any) -> tuple[datetime | None, str | None]:
    """A time in UTC and its precision (day, minute, second, millisecond); naive clocks are Beijing time."""
    if is_null(value) or value == 0 or value == "0":
        return None, None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=BEIJING)
        return aware.astimezone(UTC), "millisecond" if aware.microsecond else "second"
    text = str(value).strip()
    if re.fullmatch(r"\d{9,11}|\d{12,14}(?:\.0)?|\d{9,11}\.\d+", text):
        return _epoch(text)
    match = _ISO.match(text)
    if match:
        return _iso(match)
    try:
        parsed = datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    except ValueError as error:
        raise BadValue(f"expected a time, found {text[:40]!r}") from error
    return parsed.astimezone(UTC), "second"


def _epoch(text: str) -> tuple[datetime, str]:
    if len(text.split(".", maxsplit=1)[0]) >= 12:
        number = int(text.split(".", maxsplit=1)[0])
        moment = datetime.fromtimestamp(number // 1000, UTC) + timedelta(milliseconds=number % 1000)
        return moment, "millisecond" if number % 1000 else "second"
    return datetime.fromtimestamp(int(text.split(".", maxsplit=1)[0]), UTC), "second"


def _iso(match: re.Match[str]) -> tuple[datetime | None, str | None]:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=BEIJING
        )
    except ValueError as error:
        raise BadValue(f"expected a time, found {match.group()!r}") from error
    if fraction:
        moment += timedelta(microseconds=int(fraction.ljust(6, "0")))
    if zone:
        moment = moment.replace(tzinfo=UTC if zone == "Z" else datetime.strptime(zone, "%z").tzinfo)
    if moment.year < 1971:  # 1970-01-01 08:00:00 is how an unknown time is written
        return None, None
    precision = "day" if hour is None else "minute" if second is None else "millisecond" if fraction else "second"
    return moment.astimezone(UTC), precision


def text(value: Any) -> str:
    """Text as a reader saw it: entities decoded, tags removed (emoji pictures become their codes), zero-width space and
    what Arrow cannot hold dropped."""
    if value is None:
        return ""
    raw = str(value)
    if "<" in raw:
        raw = _TAG.sub("", _BREAK.sub("\n", _EMOTICON_IMAGE.sub(r"\1", raw)))
    raw = html.unescape(raw) if "&" in raw else raw
    return _SURROGATE.sub("\ufffd", _ZERO_WIDTH.sub("", raw)).replace("\x00", "").strip()


def flag(value: Any) -> bool | None:
    """True or false, null where nothing is known."""
    if isinstance(value, bool):
        return value
    if is_null(value):
        return None
    return {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}.get(
        str(value).strip().lower()
    )
