"""What comes out of a file before it has a meaning: records, CSV rows, and what is broken."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Raw = dict[str, Any]
MAX_LINE = 16 * 1024 * 1024  # bytes or characters; longer is no record of any exporter
MAX_RAW = 4000  # characters of a rejected record that are kept
MAX_BANNERS = 3  # rows above a header
_WIDE = 5  # columns of a header below which something else may stand
_SUMMARY = re.compile(
    r"(?:本页|全部|数据)?(?:合计|总计|汇总|小计|总和|平均值?|均值)\s*(?:[:：(（].*)?|(?:grand |sub)?total|sum|average",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One raw record; `line` is its line, row or item number, 1-based."""

    line: int
    data: Raw


@dataclass(frozen=True, slots=True)
class Row:
    """One CSV row, not yet matched with a header; `line` is where it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Broken:
    """What could not be read; `raw` is the text of it, or the cells of a CSV row."""

    line: int | None
    reason: str
    raw: str | list[str] | None = None


def is_banner(cells: Sequence[str], below: Sequence[str] = ()) -> bool:
    """Whether a row stands above the header: no more than one text, in one cell or in all, or a few above many, as names of groups
    of columns or the day of an export."""
    if len({cell for cell in cells if cell.strip()}) <= 1:
        return True
    n_below = sum(bool(cell.strip()) for cell in below)
    return n_below >= _WIDE and 2 * sum(bool(cell.strip()) for cell in cells) < n_below


def is_summary(cell: str) -> bool:
    """Whether a cell says that its row sums others up, such as `合计`."""
    return _SUMMARY.fullmatch(cell.strip()) is not None
