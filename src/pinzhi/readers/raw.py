"""What comes out of a file before it has a meaning: records, CSV rows, and what is broken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Raw = dict[str, Any]
MAX_LINE = 16 * 1024 * 1024  # bytes or characters; longer is no record of any exporter
MAX_RAW = 4000  # characters of a rejected record that are kept
MAX_BANNERS = 3  # rows above a header


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


def is_banner(cells: Sequence[str]) -> bool:
    """Whether a row is no more than one text, in one cell or in all: what platforms say above the header."""
    return len({cell for cell in cells if cell.strip()}) <= 1
