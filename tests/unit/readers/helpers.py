"""Reading small files in tests."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl

from pinzhi.readers import Pseudonymiser, discover, read_source

KEY = b"k" * 32
Tables = dict[str, list[dict[str, Any]]]


def read(path: Path, *, pseudonymise: bool = False) -> Tables:
    """Rows and rejects of every file under `path`, in the order in which they were read; no merge."""
    tables: Tables = {"posts": [], "comments": [], "accounts": [], "rejects": []}
    sources, unread = discover([path])
    for source in sources:
        for table, batch in read_source(source, Pseudonymiser(KEY) if pseudonymise else None):
            tables[table] += batch.to_pylist()
    tables["rejects"] += [vars(reject) for reject in unread]
    return tables


def utc(text: str) -> datetime:
    """A time in ISO 8601, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def by_id(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    """Rows by their id; the last of each counts."""
    return {row[key]: row for row in rows}


def post(post_id: str = "1", **columns: Any) -> dict[str, Any]:
    """A canonical post."""
    return {"platform": "weibo", "post_id": post_id, "text": "今天的茶很好喝", **columns}


def jsonl(path: Path, *records: Any) -> Path:
    """Write records as JSON lines; texts are written as they are."""
    lines = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def written(path: Path, rows: Iterable[Sequence[Any]], encoding: str = "utf-8-sig") -> Path:
    """A csv, or a workbook of one sheet, with these cells."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(path)
    else:
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows(rows)
    return path


WEIBO = {"note_id": "5211000000000001", "content": "好茶", "create_time": 1788255000, "liked_count": "3",
         "comments_count": "1", "shared_count": "0", "last_modify_ts": 1779368402740}  # fmt: skip
