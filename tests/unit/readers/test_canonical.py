from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pinzhi import schemas
from pinzhi.convert import convert
from tests.unit.readers.helpers import jsonl, post, read

FULL = post(
    "5211000000000001", account_id="17", published_at="2026-09-01T09:30:00", title="茶", kind="note", reposted_post_id="0",
    likes="1.2万", reposts="10万+", comments=0, reads=None, url="https://x", fetched_at=1789995609590, campaign="秋", cost="12.5",
    currency="CNY",
)  # fmt: skip


def test_every_column_of_a_post(tmp_path: Path) -> None:
    row = read(jsonl(tmp_path / "posts.jsonl", {**FULL, "count_floors": ["reads"]}))["posts"][0]
    assert row == {
        "platform": "weibo", "post_id": "5211000000000001", "account_id": "17", "text": "今天的茶很好喝", "title": "茶", "kind": "note",
        "published_at": datetime(2026, 9, 1, 1, 30, tzinfo=UTC), "time_precision": "second", "reposted_post_id": None, "quoted_text": None,
        "likes": 12000, "reposts": 100000, "comments": 0, "reads": None, "collects": None, "count_floors": ["reads", "reposts"],
        "url": "https://x", "fetched_at": datetime(2026, 9, 21, 13, 0, 9, 590000, tzinfo=UTC), "campaign": "秋", "cost": 12.5, "currency": "CNY",
    }  # fmt: skip


@pytest.mark.parametrize("table", ["posts", "comments", "accounts"])
def test_what_convert_wrote_reads_back_as_it_was(table: str, tmp_path: Path) -> None:
    jsonl(tmp_path / "posts.jsonl", {**FULL, "text": "<b> &gt; 原样 #话题#"}, post("2", published_at="2026-09-01"))
    jsonl(tmp_path / "comments.jsonl", {"platform": "微博", "comment_id": 3, "post_id": 2, "parent_id": 3, "author_id": "9", "text": "好",
                                        "author_verified": "true", "created_at": "2026-09-01 10:00", "author_followers": "3万"})  # fmt: skip
    jsonl(
        tmp_path / "accounts.jsonl",
        {"platform": "weibo", "account_id": "17", "name": "韩", "followers": 9, "fetched_at": "2026-09-01"},
    )
    first, second = tmp_path / "first", tmp_path / "second"
    assert convert([tmp_path], first, None)[table] > 0
    convert([first], second, None)
    assert pq.read_table(first / table).equals(pq.read_table(second / table))
    comment = pq.read_table(first / "comments").to_pylist()[0]
    assert (comment["platform"], comment["parent_id"], comment["author_verified"], comment["author_followers"]) == (
        "weibo",
        None,
        True,
        30000,
    )


def test_parquet_of_other_tools_with_float_ids_and_naive_times(tmp_path: Path) -> None:
    table = pa.table({"platform": ["wb", "wb"], "post_id": [5211000000000001.0, 7545012345678901234.0], "text": ["好", "好"],
                      "published_at": pa.array([datetime(2026, 9, 1, 9, 30)] * 2, pa.timestamp("ns"))})  # fmt: skip
    pq.write_table(table, tmp_path / "posts.parquet")
    tables = read(tmp_path)
    assert [(row["post_id"], row["published_at"]) for row in tables["posts"]] == [
        ("5211000000000001", datetime(2026, 9, 1, 1, 30, tzinfo=UTC))
    ]
    assert "last digits are lost" in tables["rejects"][0]["reason"] and tables["rejects"][0]["field"] == "post_id"


def test_json_of_several_tables(tmp_path: Path) -> None:
    comment = {"platform": "weibo", "comment_id": "3", "post_id": "1", "text": "好"}
    account = {"platform": "weibo", "account_id": "17", "name": "韩"}
    jsonl(
        tmp_path / "all.jsonl",
        post("1"),
        comment,
        account,
        {"platform": "weibo", "post_id": "2", "account_id": "17"},
        {**comment, "text": None},
    )
    jsonl(tmp_path / "all.json", {"posts": [post("4")], "comments": [comment], "accounts": [account]})
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["4", "1", "2"]
    assert [row["comment_id"] for row in tables["comments"]] == ["3", "3", "3"]
    assert [row["account_id"] for row in tables["accounts"]] == ["17", "17"] and tables["rejects"] == []


def test_missing_platform_is_a_reject_that_names_it(tmp_path: Path) -> None:
    jsonl(tmp_path / "posts.jsonl", {"post_id": "1", "text": "好"})
    assert [(row["field"], row["line"]) for row in read(tmp_path)["rejects"]] == [("platform", 1)]


def test_batches_are_bounded(tmp_path: Path) -> None:
    from pinzhi.readers import discover, read_source

    jsonl(tmp_path / "posts.jsonl", *[post(str(i)) for i in range(12_001)])
    sizes = [batch.num_rows for _, batch in read_source(discover([tmp_path])[0][0], None)]
    assert sizes == [5000, 5000, 2001]
    assert schemas.CANONICAL.keys() == {"posts", "comments", "accounts", "rejects"}


@pytest.mark.parametrize("mark", ["", "0", "-", "-1", "未知", "无", "\\N", None])
def test_marks_of_nobody_and_of_no_original(mark: str | None, tmp_path: Path) -> None:
    (row,) = read(jsonl(tmp_path / "posts.jsonl", post(account_id=mark, reposted_post_id=mark)))["posts"]
    assert (row["account_id"], row["reposted_post_id"]) == (None, None)
