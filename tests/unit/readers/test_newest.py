"""One row a key: the newest known value of every column."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pinzhi.archive import ingest as module
from pinzhi.convert import convert
from tests.conftest import ROOT
from tests.unit.readers.helpers import jsonl, post


def merged(tmp_path: Path, *records: dict[str, Any], table: str = "posts") -> list[dict[str, Any]]:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    jsonl(folder / f"{table}.jsonl", *records)
    convert([folder], tmp_path / "out", None)
    return pq.read_table(tmp_path / "out" / table).to_pylist()


def test_the_last_fetched_wins_wherever_it_stands(tmp_path: Path) -> None:
    new, old = post(likes=9, fetched_at="2026-09-02"), post(likes=5, fetched_at="2026-09-01")
    assert [row["likes"] for row in merged(tmp_path, new, old, post(likes=1))] == [9]


def test_without_a_time_the_last_row_wins(tmp_path: Path) -> None:
    assert [row["likes"] for row in merged(tmp_path, post(likes=9), post(likes=5))] == [5]


def test_what_the_newest_leaves_out_is_kept(tmp_path: Path) -> None:
    full = post(likes="10万+", reads=7, title="茶", published_at="2026-09-01 09:30:05", fetched_at="2026-09-01")
    thin = post(likes=100_500, published_at="2026-09-01", fetched_at="2026-09-02", text="")
    row = merged(tmp_path, full, thin)[0]
    assert (row["likes"], row["count_floors"], row["reads"], row["title"], row["text"]) == (
        100_500,
        None,
        7,
        "茶",
        "今天的茶很好喝",
    )
    assert (row["published_at"], row["time_precision"]) == (datetime(2026, 9, 1, 1, 30, 5, tzinfo=UTC), "second")
    floor = merged(tmp_path, post(likes=3, fetched_at="2026-09-01"), post(likes="10万+", fetched_at="2026-09-02"))[0]
    assert (floor["likes"], floor["count_floors"]) == (100_000, ["likes"])


def test_accounts_keep_one_row_a_day(tmp_path: Path) -> None:
    rows = [{"platform": "weibo", "account_id": "1", "name": "韩", "followers": n, "fetched_at": at}
            for n, at in ((5, "2026-09-01 08:00"), (6, "2026-09-01 23:00"), (9, "2026-09-02 00:30"))]  # fmt: skip
    assert [row["followers"] for row in merged(tmp_path, *rows, table="accounts")] == [6, 9]


def test_buckets_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [post(str(i % 50), likes=i) for i in range(200)]
    one = merged(tmp_path, *rows)
    monkeypatch.setattr(module, "BUCKET", 17)
    assert sorted(merged(tmp_path, *rows), key=lambda row: row["post_id"]) == one


def test_three_versions_of_one_tool_are_one_set(tmp_path: Path) -> None:
    counts = convert([ROOT / "tests/data/archives/mediacrawler"], tmp_path, None)
    assert (counts["posts"], counts["comments"]) == (10, 17)
    posts = {row["post_id"]: row for row in pq.read_table(tmp_path / "posts").to_pylist()}
    assert posts["5211000000000001"]["account_id"] == "b03c94ef74953171"  # the newest version knows the hash alone


def test_what_a_killed_run_left_is_not_taken_in(tmp_path: Path) -> None:
    merged(tmp_path, post("1"))
    left = tmp_path / "out" / ".convert" / "canonical" / "files" / "left"
    left.mkdir(parents=True)
    (left / "posts.parquet").write_bytes((tmp_path / "out/posts/part-0.parquet").read_bytes())
    assert [row["post_id"] for row in merged(tmp_path, post("2"))] == ["2"]
