"""Our own tables as CSV, JSON lines, JSON or Parquet: `posts.*`, `comments.*`, `accounts.*`."""

from collections.abc import Iterator
from typing import Any

from pinzhi import schemas
from pinzhi.readers import files
from pinzhi.readers.base import CanonicalRow, Fields, RejectRow, Sniff, raw_json, whole

_KNOWN = {
    "comments": {"platform", "comment_id", "text"},
    "posts": {"platform", "post_id", "text"},
    "accounts": {"platform", "account_id", "name"},
}
_NEEDED = {
    "comments": ("platform", "comment_id", "text"),
    "posts": ("platform", "post_id", "text"),
    "accounts": ("platform", "account_id"),
}
_COUNTS = {
    "posts": ("likes", "reposts", "comments", "reads", "collects"),
    "comments": ("author_followers", "author_following", "author_posts", "likes"),
    "accounts": ("followers", "following", "posts"),
}
_TIMES = {"posts": "published_at", "comments": "created_at", "accounts": "fetched_at"}


class CanonicalReader:
    """Tables that already have the canonical columns; unknown columns are ignored."""

    name = "canonical"

    def recognises(self, sniff: Sniff) -> str | None:
        """The table whose key columns are there."""
        columns = set(sniff.columns)
        return next((table for table, needed in _KNOWN.items() if needed <= columns), None)

    def read(self, sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
        """Rows of the table."""
        table = self.recognises(sniff)
        assert table is not None
        for record in _records(sniff):
            if isinstance(record, files.Broken):
                yield RejectRow(record.line, None, record.reason, record.raw)
            else:
                fields = Fields(record.line, record.data)
                yield from whole(fields, table, _row(table, fields), _NEEDED[table])


def _records(sniff: Sniff) -> Iterator[files.Record | files.Broken]:
    if sniff.kind == "csv":
        rows = files.csv_rows(sniff.path)
        next(rows)
        for row in rows:
            if isinstance(row, files.Broken):
                yield row
            elif len(row.cells) != len(sniff.columns):
                reason = f"expected {len(sniff.columns)} cells, found {len(row.cells)}"
                yield files.Broken(row.line, reason, ",".join(row.cells)[:2000])
            else:
                yield files.Record(row.line, dict(zip(sniff.columns, row.cells, strict=True)))
    elif sniff.kind == "json":
        yield from files.json_array(sniff.path)
    elif sniff.kind == "jsonl":
        yield from files.json_lines(sniff.path)
    else:
        yield from files.parquet_rows(sniff.path)


def _row(table: str, fields: Fields) -> dict[str, Any]:
    schema = schemas.CANONICAL[table]
    counts = fields.counts(**{name: name for name in _COUNTS[table]})
    floors = [*(counts.pop("count_floors") or ()), *(_list(fields.data.get("count_floors")))]
    row: dict[str, Any] = {**counts}
    for name in schema.names:
        if name in row or name in ("count_floors", "time_precision", "fetched_at", _TIMES[table]):
            continue
        if name in ("author_verified", "verified"):
            row[name] = fields.flag(name)
        elif name == "cost":
            row[name] = _number(fields, name)
        elif name in ("text", "title", "quoted_text", "name", "author_name"):
            row[name] = fields.text(name) or None
        else:
            row[name] = fields.id(name)
    moment, precision = fields.time(_TIMES[table])
    row["fetched_at"], _ = fields.time("fetched_at")
    row[_TIMES[table]] = moment
    if "time_precision" in schema.names:
        row["time_precision"] = fields.id("time_precision") or precision
    if table == "posts":
        row["count_floors"] = floors or None
    return row


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [part for part in str(value).strip("[]").replace('"', "").split(",") if part.strip()] if value else []


def _number(fields: Fields, name: str) -> float | None:
    value = fields.data.get(name)
    if value in (None, ""):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        fields.rejects.append(
            RejectRow(fields.line, name, f"expected a number, found {value!r}", raw_json(fields.data))
        )
        return None
