"""What a reader is: it recognises a file and turns raw records into canonical rows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pinzhi.readers import values
from pinzhi.readers.values import BadValue

AUTHOR_FIELDS = frozenset(
    {"author_id", "author_name", "user_id", "sec_uid", "short_user_id", "user_unique_id", "user_signature", "nickname",
     "user_nickname", "user_screen_name", "user_link", "user_avatar", "user_avatar_url", "avatar", "profile_url",
     "user_url_token", "creator_hash", "ip_location", "sign"}
)  # fmt: skip


@dataclass(frozen=True)
class Sniff:
    """What is known of a file before it is read: `columns` of a header, first object or each SQLite table."""

    path: Path
    kind: str  # csv, json, jsonl, sqlite, parquet
    columns: tuple[str, ...] = ()
    tables: Mapping[str, list[str]] = field(default_factory=dict)
    object_keys: tuple[str, ...] = ()  # top-level keys when a JSON file is one object


@dataclass(frozen=True)
class CanonicalRow:
    """One row for a canonical table; `values` holds canonical names only."""

    table: str
    line: int | None
    values: dict[str, Any]


@dataclass(frozen=True)
class RejectRow:
    """One reject, without its source, which the frame knows."""

    line: int | None
    field: str | None
    reason: str
    raw: str | None


class Reader(Protocol):
    """One exporter."""

    name: str

    def recognises(self, sniff: Sniff) -> str | None:
        """A short name of the format found, e.g. `xiaohongshu comments`, or None."""

    def read(self, sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
        """Canonical rows and rejects of the file."""


class Fields:
    """Cells of one raw record, read by canonical kind; a bad cell becomes null and is remembered as a reject."""

    def __init__(self, line: int | None, data: Mapping[str, Any]) -> None:
        self.line = line
        self.data = data
        self.rejects: list[RejectRow] = []

    def _read(self, names: tuple[str, ...], parse: Any, missing: Any) -> Any:
        for name in names:
            if name in self.data:
                try:
                    return parse(self.data[name])
                except (BadValue, OverflowError) as error:
                    self.rejects.append(RejectRow(self.line, name, str(error), raw_json(self.data)))
                    return missing
        return missing

    def id(self, *names: str) -> str | None:
        """The first of the cells that are there, as an id."""
        return self._read(names, values.identifier, None)

    def text(self, *names: str) -> str:
        """The first of the cells that are there, as text; "" for none."""
        return self._read(names, values.text, "")

    def time(self, *names: str) -> tuple[Any, str | None]:
        """Time and precision."""
        return self._read(names, values.time, (None, None))

    def flag(self, *names: str) -> bool | None:
        """True, false or null."""
        return self._read(names, values.flag, None)

    def counts(self, **names: str | tuple[str, ...]) -> dict[str, Any]:
        """Counts under canonical names, with `count_floors` for those given as 10万+."""
        found: dict[str, Any] = {}
        floors = []
        for name, cells in names.items():
            cells = (cells,) if isinstance(cells, str) else cells
            found[name], is_floor = self._read(cells, values.count, (None, False))
            if is_floor:
                floors.append(name)
        return {**found, "count_floors": floors or None}


def raw_json(data: Mapping[str, Any]) -> str:
    """A raw record for the reject table, without the cells that name its author."""
    kept = {key: value for key, value in data.items() if key not in AUTHOR_FIELDS}
    return json.dumps(kept, ensure_ascii=False, default=str)[:4000]


def whole(
    fields: Fields, table: str, row: dict[str, Any], needed: tuple[str, ...]
) -> Iterator[CanonicalRow | RejectRow]:
    """`row` when everything needed is there, else a reject naming the first missing field; bad cells come along."""
    yield from fields.rejects
    missing = next((name for name in needed if row.get(name) in (None, "")), None)
    if missing:
        reason = f"expected {missing}, found nothing; the row was left out"
        yield RejectRow(fields.line, missing, reason, raw_json(fields.data))
    else:
        yield CanonicalRow(table, fields.line, row)
