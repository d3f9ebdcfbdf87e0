"""Cells as exporters write them, to canonical values: one place each for counts, times, ids, flags and text."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pinzhi.readers import markup

BEIJING = timezone(timedelta(hours=8))
EXACT_FLOAT = 2**53  # above, a float no longer holds every integer
_NULLS = frozenset({
    "", "none", "null", "nan", "nat", "n/a", "undefined", "-", "--", "—", "——", "-1", "-1.0", "未知", "unknown", "无", "暂无",
    "\\n",  # \N of MySQL
})  # fmt: skip
_BUTTONS = frozenset({  # what a page shows in place of a figure
    "赞", "点赞", "讚", "赞同", "喜欢", "在看", "评论", "添加评论", "抢首评", "回复", "转发", "分享", "收藏", "like", "comment", "share",
})  # fmt: skip
_MAX_COUNT = 2**63
_COUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,19})(?:\.(\d{1,9}))?\s*([千kK万萬wW亿億]?)\s*(\+?)")
_UNITS = {"": 1, "千": 10**3, "k": 10**3, "万": 10**4, "萬": 10**4, "w": 10**4, "亿": 10**8, "億": 10**8}

_EPOCH = re.compile(r"(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.(\d+))?")  # in s, ms, µs or ns
_LONG_EXPONENT = re.compile(r"[1-9]\.\d{6,18}[eE]\+?(?:0?9|1[0-8])")  # with fewer digits the time is lost
_ISO = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})"
    r"(?:(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_ANY_CLOCK = re.compile(  # two digits each, as strftime writes them; a zone would be lost, and is in none of the formats
    r"(\d{4})[-/._年 ]?(\d{2})[-/._月 ]?(\d{2})(?:日?[ _T-]{0,3}(\d{2})[-:：._时点 ]?(\d{2})(?:[-:：._分 ]?(\d{2})秒?(?:[.,](\d{1,6}))?|分)?|日)?"
)
_CHINESE_CLOCK = re.compile(
    r"(\d{4})年(\d{1,2})月(\d{1,2})日?(?:\s{0,3}(\d{1,2})[时点:：](\d{1,2})(?:[分:：](\d{1,2})秒?()|分)?)?"
)
_WEIBO = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) ([+-]\d{4}) (\d{4})")
_MONTHS = {"Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10,
           "Nov": 11, "Dec": 12}  # fmt: skip
_AGO = re.compile(r"(\d{1,3}) ?个?(秒|分|小时|天)钟?[之以]?前")
_UNITS_AGO = {"秒": 1000, "分": 60_000, "小时": 3_600_000}
_LATELY = re.compile(r"(?:([今昨前])[天日]|(\d{1,2})[-/月](\d{1,2})日?)(?: ?(\d{1,2}:\d{2}(?::\d{2})?))?")
_SERIAL = re.compile(r"(\d{5})(?:\.(\d{1,15}))?")
_SERIALS = range(36_526, 73_051)  # 2000 to 2099, in days since _SERIAL_ZERO
_SERIAL_ZERO = datetime(1899, 12, 30)
_TOLD = re.compile(r"(?:发布|编辑|发表)于\s{0,3}")  # what a page puts before a time, and behind it
_PLACE = re.compile(
    r"(?:\s{1,3}|\s{0,3}·\s{0,3})(?:来自\s{0,3}.{1,40}|(?:IP)?属地[:：]?\s{0,3}.{1,20}|[一-鿿]{1,7}[^前\W\d_])"
)
_WITHIN = {"day": 86_399_999, "minute": 59_999}  # how much later a moment may be than what is written of it
_YEARS = range(1971, 2101)  # 1970-01-01 08:00:00 is how an unknown time is written

_MILLISECONDS = tuple(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (_YEARS[0], _YEARS[-1]))

_LOSSY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_UNCLEAN = re.compile(r"[<&\r\x00-\x08\x0b\x0c\x0e-\x1f\xa0\u200b\u2060\ufeff\ud800-\udfff]")
_TWICE = re.compile(r"&amp;(?=#?[A-Za-z0-9]{1,31};)")  # how a reference begins that a tool has escaped once more
_SPACES = re.compile(" {2,}")
_ZERO_WIDTH = re.compile(r"[\u200b\u2060\ufeff]")
_BREAK = re.compile(r"<br\s*/?>|</p\s*>|</div\s*>", re.IGNORECASE)
# Tags of HTML alone: people write <iPhone> and <3 too.
_TAG = re.compile(
    r"</?(?:a|abbr|article|audio|b|big|blockquote|body|br|button|center|cite|code|col|dd|del|div|dl|dt|em|fig(?:caption|ure)"
    r"|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|li|link|mark|meta|nav|nobr|noscript|ol|p"
    r"|path|picture|pre|q|s|section|small|source|span|strike|strong|sub|sup|svg|table|tbody|td|tfoot|th|thead|tr|tt|u|ul"
    r"|video|wbr|[a-z]+(?:-[a-z0-9]+)+)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)


def filled(raw: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of the fields `names` of a record that says something, None where none does."""
    return next((raw[name] for name in names if not is_null(raw.get(name))), None)


class BadValue(ValueError):
    """A cell that cannot be read; the message says what was expected and what was found."""


def _shown(value: Any) -> str:
    return repr(plain(value)[:40])


def is_null(value: Any) -> bool:
    """Whether a cell says that nothing is known."""
    if isinstance(value, str):
        return value in _NULLS or value.strip().lower() in _NULLS
    return value is None or (isinstance(value, float) and math.isnan(value)) or (value == -1 and value is not True)


def is_nobody(id_: Any) -> bool:
    """Whether an id names nobody and nothing: an empty cell, or the zero that tools write for none, which pandas makes a float."""
    return is_null(id_) or str(id_).strip() in ("0", "0.0")


_WRAPPERS = frozenset({"$oid", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$date"})


def _unwrapped(value: Any) -> Any:
    """What MongoDB wraps in its exports, `{"$numberLong": "5211000000000001"}`, `{"$date": …}`; any other value stays."""
    for _ in range(2):  # a date may hold a number
        if isinstance(value, dict) and len(value) == 1 and value.keys() <= _WRAPPERS:
            (value,) = value.values()
    return value


def count(value: Any) -> tuple[int | None, bool]:
    """A count and whether it is only a floor: `1.2万` is (12000, False), `10万+` (100000, True), `None` (None, False).

    The word of a button, such as `赞`, stands where a page shows no figure, be it zero or hidden: nothing is known. Raises
    BadValue for what is no count.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value), False
    if is_null(value):
        return None, False
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value < _MAX_COUNT and value == int(value):
            return int(value), False
        raise BadValue(f"expected a count of 0 or more, found {value!r}")
    if (inner := _unwrapped(value)) is not value:
        return count(inner)
    said = unicodedata.normalize("NFKC", str(value)).strip()
    if said.lower() in _BUTTONS:
        return None, False
    match = _COUNT.fullmatch(said)
    if match is None:
        raise BadValue(f"expected a count such as 12, 1,024, 1.2万 or 10万+, found {_shown(value)}")
    whole, fraction, unit, plus = match.groups()
    scale = _UNITS[unit.lower()]
    number = int(whole.replace(",", "")) * scale
    if fraction:
        part, rest = divmod(int(fraction) * scale, 10 ** len(fraction))
        if rest and scale == 1:
            raise BadValue(f"expected a whole count, found {_shown(value)}")
        number += part
    if number >= _MAX_COUNT:
        raise BadValue(f"expected a count below 2^63, found {_shown(value)}")
    return number, bool(plus)


MADE = "x_"  # how an id begins that no source gave


def made_id(*parts: Any) -> str | None:
    """An id for a record whose source has none, the same for the same parts: `x_` and 16 hex digits."""
    words = [plain(part).strip() for part in parts]
    if not any(words):
        return None
    return MADE + hashlib.blake2b("\x1f".join(words).encode("utf-8", "replace"), digest_size=8).hexdigest()


_WHOLE_FLOAT = re.compile(r"([0-9]{1,40})\.0{1,6}")
_EXPONENT = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
# Errors, cells too narrow, formulas but not `="52"`; `true` in small letters may be a name.
_NO_ID = re.compile(r"#N/A|#[A-Z/0]+[!?]|##+|TRUE|FALSE|True|False|=(?!\"|\d+$).*")
_ID_EDGES = " \t\r\n\"'\u3000\xa0\u200b\ufeff"


def identifier(value: Any) -> str | None:
    """An id, digit for digit; TABs, spaces and quotes around it are dropped, empty marks are null.

    Raises BadValue for a float that has lost digits and for what a spreadsheet made of an id (`5.211E+15`).
    """
    if isinstance(value, str):
        if value.isascii() and value.isdigit():
            return value
        text = plain(value).strip(_ID_EDGES)
        if _NO_ID.fullmatch(text):
            raise BadValue(f"expected an id digit for digit, found {text[:40]!r}: a spreadsheet has put it there")
        text = text.removeprefix("=").strip(_ID_EDGES)
        if _EXPONENT.fullmatch(text):
            raise BadValue(f"expected an id digit for digit, found {text!r}: a spreadsheet has dropped its last digits")
        if (found := _WHOLE_FLOAT.fullmatch(text)) is not None:
            if int(found[1]) >= EXACT_FLOAT:
                raise BadValue(f"expected an id digit for digit, found the float {text}: its last digits are lost")
            return found[1]
        return text if text and text.lower() not in ("none", "null", "nan", r"\n") else None
    if value is None:
        return None
    if (inner := plain(value) if isinstance(value, bytes) else _unwrapped(value)) is not value:
        return identifier(inner)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"expected an id as text or integer, found {_shown(value)}")
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if not (0 <= value < EXACT_FLOAT and value == int(value)):
            raise BadValue(f"expected an id as text or integer, found the float {value!r}: its last digits are lost")
    return str(int(value))


def time(value: Any) -> tuple[int | None, str | None]:
    """A time as milliseconds since 1970 UTC, and its precision: day, minute, second or millisecond.

    Epochs in seconds to nanoseconds, ISO 8601 with or without zone, `Tue Sep 01 09:41:10 +0800 2026`, `2026年9月1日 9:41`, the days of a
    spreadsheet (`46266.395833`); words of a page around it (`编辑于 2026-09-01 上海`) are passed over. A clock without zone is Beijing
    time. Raises BadValue.
    """
    if is_null(value) or value in (0, "0", "0.0"):
        return None, None
    if isinstance(value, date):
        return _moment(value)
    if isinstance(value, dict) and (inner := _unwrapped(value)) is not value:
        return time(inner)
    text = str(value).strip()
    if _LONG_EXPONENT.fullmatch(text):
        text = f"{Decimal(text):f}"
    if match := _EPOCH.fullmatch(text):
        return _epoch(match[1], match[2])
    if match := _ISO.fullmatch(text):
        return _iso(match)
    if _CHINESE_CLOCK.fullmatch(text):
        return time(clock(text))
    if match := _WEIBO.fullmatch(text):
        month, day, hour, minute, second, zone, year = match.groups()
        if month in _MONTHS:
            return _clock(
                text, (int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second)), zone
            ), "second"
    if is_serial(text) and (match := _SERIAL.fullmatch(text)):
        return _serial(match[1], match[2])
    if len(text) <= 80 and (bare := _bare(text)) != text:
        return time(bare)
    raise BadValue(f"expected a time such as 2026-09-01 09:30:00 or an epoch, found {_shown(value)}")


def _bare(text: str) -> str:
    """A time without the words of a page around it."""
    start = told.end() if (told := _TOLD.match(text)) else 0
    ends = (found.start() for found in re.finditer(r"[\s·]", text) if found.start() > start)
    end = next((at for at in ends if _PLACE.fullmatch(text, at)), len(text))
    return text[start:end].strip()


def _serial(days: str, fraction: str | None) -> tuple[int | None, str | None]:
    """A time as a spreadsheet keeps it: days, of which seconds are the smallest that it shows."""
    if not int(fraction or 0):
        return _moment((_SERIAL_ZERO + timedelta(int(days))).date())
    return _moment(_SERIAL_ZERO + timedelta(seconds=round(float(f"{days}.{fraction}") * 86_400)))


def time_told(value: Any, seen: tuple[int | None, str | None]) -> tuple[int | None, str | None]:
    """A time as a page told it when it was `seen`, such as `昨天 12:30`, `09-21`, `2天前` or `3小时前`; both are pairs as of `time`.

    Of hours and minutes ago the day is told; (None, None) where not even that is certain, as for `3小时前` at 3:20.
    """
    moment, precision = seen
    if moment is None or precision is None:
        return None, None
    text = _bare(unicodedata.normalize("NFKC", str(value)[:80]).strip())
    today, latest = _day(moment), moment + _WITHIN.get(precision, 0)
    if match := _AGO.fullmatch("0分钟前" if text == "刚刚" else text):
        n, unit = int(match[1]), _UNITS_AGO.get(match[2])
        days = {_day(moment - (n + 1) * unit), _day(latest - n * unit)} if unit else {today - timedelta(n)}
        return _moment(days.pop()) if len(days) == 1 else (None, None)
    if match := _LATELY.fullmatch(text):
        word, month, day, hours = match.groups()
        last = [f"{year}-{month}-{day}" for year in (today.year, today.year - 1)]
        for one in [today - timedelta("今昨前".index(word))] if word else last:
            with suppress(BadValue):
                found = time(f"{one} {hours or ''}")
                if found[0] is not None and found[0] <= latest:
                    return found
    return None, None


def _day(moment: int) -> date:
    return datetime.fromtimestamp(moment / 1000, BEIJING).date()


def is_time(value: Any) -> bool:
    """Whether a cell tells a time."""
    try:
        return time(value)[0] is not None
    except BadValue:
        return False


def is_serial(value: Any) -> bool:
    """Whether a cell may be the days of a spreadsheet; it may as well be a count."""
    match = _SERIAL.fullmatch(str(value).strip())
    return match is not None and int(match[1]) in _SERIALS


def clock(value: Any) -> Any:
    """A time in the format that a user has chosen for a tool, such as `2026-09-12_20:15:31` or `20260912 201531`, in one
    that `time` reads; what is no year with a month and a day stays."""
    text = value.strip() if isinstance(value, str) else ""
    found = _ANY_CLOCK.fullmatch(text) or _CHINESE_CLOCK.fullmatch(text)
    if found is None:
        return value
    year, month, day, hour, minute, second, fraction = found.groups()
    hours = "" if hour is None else f" {hour}:{minute:0>2}" + ("" if second is None else f":{second:0>2}")
    return f"{year}-{month}-{day}{hours}" + (f".{fraction}" if fraction else "")


def _moment(value: date) -> tuple[int | None, str | None]:
    if not isinstance(value, datetime):
        return _moment(datetime(value.year, value.month, value.day, tzinfo=BEIJING))[0], "day"
    if value.year not in _YEARS:
        return None, None
    moment = milliseconds(value if value.tzinfo else value.replace(tzinfo=BEIJING))
    return moment, "millisecond" if moment % 1000 else "second"


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of a time with a zone."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _epoch(digits: str, fraction: str | None) -> tuple[int, str]:
    if len(digits) >= 12:
        moment = int(digits) // 1000 ** (len(digits) // 3 - 4)
        if len(digits) > 13 and not _MILLISECONDS[0] <= moment < _MILLISECONDS[1]:
            raise BadValue(f"expected a time, found {digits}, which may be an id")
        return moment, "millisecond" if moment % 1000 else "second"
    thousandths = int((fraction or "0").ljust(3, "0")[:3])
    return int(digits) * 1000 + thousandths, "millisecond" if thousandths else "second"


def _iso(match: re.Match[str]) -> tuple[int | None, str | None]:
    year, _, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = _clock(
        match.group(), (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0)), zone
    )
    if moment is None:
        return None, None
    thousandths = int((fraction or "0").ljust(3, "0")[:3])
    precision = "day" if hour is None else "minute" if second is None else "millisecond" if thousandths else "second"
    return moment + thousandths, precision


def _clock(text: str, parts: tuple[int, int, int, int, int, int], zone: str | None) -> int | None:
    try:
        moment = datetime(*parts, tzinfo=BEIJING)
    except ValueError as error:
        raise BadValue(f"expected a time, found {_shown(text)}: {error}") from error
    if moment.year not in _YEARS:
        return None
    if zone:
        moment = moment.replace(tzinfo=_zone(zone))
    return milliseconds(moment)


def _zone(zone: str) -> timezone:
    if zone[0] not in "+-":
        return UTC
    minutes = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    if minutes >= 24 * 60:
        raise BadValue(f"expected a time zone within a day, found {zone!r}")
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))


def text(value: Any) -> str:
    """Text as a reader of the platform saw it: entities decoded, also where they were escaped twice, tags removed (an emoji picture becomes its code such as
    `[赞]`), zero-width space and what Arrow cannot hold dropped; `#topics#`, `//@name:` and `[emoji]` stay."""
    if value is None or value == r"\N" or value != value:  # NULL of MySQL, NaN of pandas
        return ""
    raw = value if isinstance(value, str) else plain(value)
    if _UNCLEAN.search(raw) is None:
        return raw.strip()
    if "<" in raw:
        raw = _TAG.sub("", _BREAK.sub("\n", markup.with_emoticons(markup.without_unseen(raw))))
    if "&" in raw:
        raw = markup.without_references(_TWICE.sub("&", raw))
    return _visible(raw)


def body(value: Any) -> str:
    """The text of an article, which tools give as HTML, whose empty lines are space between pictures, or as text."""
    raw = value if isinstance(value, str) else plain(value)
    if not markup.is_body(raw):
        return text(value)
    lines = _visible(markup.body_text(raw)).split("\n")
    return "\n".join(line for one in lines if (line := _SPACES.sub(" ", one).strip()))


def _visible(raw: str) -> str:
    return _ZERO_WIDTH.sub("", plain(raw)).replace("\xa0", " ").strip()


def plain(value: Any) -> str:
    """Text as it is, but for what Arrow cannot hold: lone surrogates become U+FFFD, control characters vanish."""
    if value is None:
        return ""
    raw = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if _LOSSY.search(raw):
        raw = _LOSSY.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", raw)
    return raw.replace("\r\n", "\n").replace("\r", "\n") if "\r" in raw else raw


def flag(value: Any) -> bool | None:
    """True or false; null where nothing is known. Raises BadValue."""
    if isinstance(value, bool) or is_null(value):
        return value if isinstance(value, bool) else None
    found = _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise BadValue(f"expected true or false, found {_shown(value)}")
    return found


_FLAGS = {"true": True, "1": True, "1.0": True, "是": True, "yes": True,
          "false": False, "0": False, "0.0": False, "否": False, "no": False}  # fmt: skip


def number(value: Any) -> float | None:
    """A number such as a cost. Raises BadValue."""
    if is_null(value):
        return None
    try:
        found = float(str(value).replace(",", ""))
    except ValueError as error:
        raise BadValue(f"expected a number, found {_shown(value)}") from error
    if not math.isfinite(found):
        raise BadValue(f"expected a finite number, found {_shown(value)}")
    return found


def names(value: Any) -> list[str] | None:
    """A list of names, from a list or from `likes,reads`."""
    if is_null(value):
        return None
    items = value if isinstance(value, list | tuple) else re.split(r"[,;|\s]+", str(value).strip("[]"))
    return [name for item in items if (name := plain(item).strip(" \"'"))] or None
