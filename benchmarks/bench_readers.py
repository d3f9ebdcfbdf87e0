"""Rows per second and peak memory of the readers, kind of file by kind, beside pandas reading the same file raw.

Run: python -m benchmarks.bench_readers [ROWS] [KIND...]
"""

import csv
import json
import multiprocessing
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi.readers import Pseudonymiser, discover, read_source

_AT_ONCE = 50_000  # records held while a file is written
_XLSX_ROWS = 100_000  # of which a workbook is enough: it takes a minute to write a million


def records(rows: int) -> Iterator[dict[str, Any]]:
    """Comments as MediaCrawler writes them."""
    for number in range(rows):
        yield {
            "comment_id": str(7545020000000000000 + number), "create_time": 1788067360 + number,
            "aweme_id": str(7545012345678901234 + number % 1000), "content": f"用了半年，刀头底下真的会藏渣[泪奔]，第{number}次洗",
            "creator_hash": f"{number % 5000:016x}", "nickname": "豆***溢", "sub_comment_count": "1",
            "like_count": number % 300, "last_modify_ts": 1789995604658, "parent_comment_id": "0", "pictures": "",
        }  # fmt: skip


def write_jsonl(path: Path, rows: int) -> None:
    """One record a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records(rows))


def write_json(path: Path, rows: int) -> None:
    """One array."""
    with path.open("w", encoding="utf-8") as file:
        for number, record in enumerate(records(rows)):
            file.write(("[" if number == 0 else ",\n") + json.dumps(record, ensure_ascii=False))
        file.write("]")


def write_csv(path: Path, rows: int) -> None:
    """A header and rows."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(next(records(1))))
        writer.writeheader()
        writer.writerows(records(rows))


def write_sqlite(path: Path, rows: int) -> None:
    """The tool's table of comments."""
    names = list(next(records(1)))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(f"CREATE TABLE douyin_aweme_comment ({', '.join(names)})")
        places = ", ".join("?" * len(names))
        connection.executemany(
            f"INSERT INTO douyin_aweme_comment VALUES ({places})", (tuple(one.values()) for one in records(rows))
        )
    connection.close()


def write_parquet(path: Path, rows: int) -> None:
    """Canonical comments, in groups of rows."""
    names = {"comment_id": "comment_id", "aweme_id": "post_id", "content": "text", "like_count": "likes"}
    writer = None
    batch: list[dict[str, Any]] = []
    for number, record in enumerate(records(rows), 1):
        batch.append({"platform": "douyin", **{ours: record[name] for name, ours in names.items()}})
        if len(batch) == _AT_ONCE or number == rows:
            table = pa.Table.from_pylist(batch)
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
            batch = []
    assert writer is not None
    writer.close()


def write_xlsx(path: Path, rows: int) -> None:
    """The sheet of comments."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Comments")
    sheet.append(list(next(records(1))))
    for record in records(rows):
        sheet.append(list(record.values()))
    book.save(path)


def _sql(path: Path) -> pd.DataFrame:
    connection = sqlite3.connect(path)
    try:
        return pd.read_sql("SELECT * FROM douyin_aweme_comment", connection)
    finally:
        connection.close()


# kind -> name of the file, how it is written, how pandas reads it
KINDS: dict[str, tuple[str, Callable[[Path, int], None], Callable[[Path], pd.DataFrame]]] = {
    "jsonl": ("search_comments.jsonl", write_jsonl, lambda path: pd.read_json(path, lines=True)),
    "json": ("search_comments.json", write_json, pd.read_json),
    "csv": ("search_comments.csv", write_csv, pd.read_csv),
    "sqlite": ("sqlite_tables.db", write_sqlite, _sql),
    "parquet": ("comments.parquet", write_parquet, pd.read_parquet),
    "xlsx": ("douyin_search.xlsx", write_xlsx, lambda path: pd.read_excel(path, sheet_name="Comments")),
}


def read(path: Path) -> int:
    """The readers, pseudonyms included."""
    pseudonymise = Pseudonymiser(b"k" * 32)
    sources, _ = discover([path])
    return sum(
        batch.num_rows
        for source in sources
        for table, batch in read_source(source, pseudonymise)
        if table == "comments"
    )


def measured(kind: str, is_ours: bool, path: Path) -> tuple[int, float, int]:
    """Rows, seconds and MiB at most."""
    start = time.perf_counter()
    rows = read(path) if is_ours else len(KINDS[kind][2](path))
    return rows, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def apart(kind: str, is_ours: bool, path: Path) -> tuple[int, float, int]:
    """What `measured` tells from a fresh process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, kind, is_ours, path).result()


def main() -> None:
    """Print both speeds, their ratio, and the memory of each."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    print(f"{'':8} {'MiB':>6} {'rows/s':>9} {'pandas':>9} {'ratio':>6} {'peak MiB':>9} {'pandas':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in sys.argv[2:] or KINDS:
            name, write, _ = KINDS[kind]
            path, n = Path(folder) / name, min(rows, _XLSX_ROWS) if kind == "xlsx" else rows
            write(path, n)
            (found, ours, peak), (_, theirs, their_peak) = apart(kind, True, path), apart(kind, False, path)
            if found != n:
                raise SystemExit(f"{kind}: expected {n} rows, found {found}")
            size = path.stat().st_size >> 20
            print(
                f"{kind:8} {size:>6,} {n / ours:>9,.0f} {n / theirs:>9,.0f} {theirs / ours:>6.2f} {peak:>9,} {their_peak:>7,}"
            )
            path.unlink()


if __name__ == "__main__":
    main()
