import csv
import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.unit.readers.helpers import jsonl, read, written

ARCHIVE = ROOT / "tests/data/archives/weibo-crawler"
VERSIONS = ["2022-03_date_only", "2023-12_shifted_header", "2025-07_shifted_header", "2026-06"]


def _rows(version: str) -> list[list[str]]:
    path = next((ARCHIVE / version).rglob("1700000001.csv"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def _write(path: Path, rows: list[list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _posts(tables: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {row["post_id"]: row for row in tables["posts"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_csv_json_and_database_agree(version: str) -> None:
    read_posts = [_posts(read(path)) for path in sorted((ARCHIVE / version).rglob("1700000001.*"))]
    read_posts += [_posts(read(path)) for path in (ARCHIVE / version).rglob("*.db")]
    for posts in read_posts:
        assert posts.keys() == {"5211000000000001", "5210500000000009", "5210400000000007"}
        for id_, post in posts.items():
            for name in (
                "account_id",
                "text",
                "likes",
                "comments",
                "reposts",
                "reposted_post_id",
                "published_at",
                "count_floors",
            ):
                assert post[name] == read_posts[0][id_][name], (id_, name)
    post = read_posts[0]["5211000000000001"]
    assert post["account_id"] == "1700000001" and post["count_floors"] == ["reposts"]
    expected = (
        datetime(2026, 8, 31, 16, tzinfo=UTC) if version.startswith("2022") else datetime(2026, 9, 1, 1, 30, tzinfo=UTC)
    )
    assert post["published_at"] == expected
    assert read_posts[0]["5210500000000009"]["quoted_text"] == "#黑五#大家准备买啥@光圈老韩"


def test_every_version_under_every_header(tmp_path: Path) -> None:
    for header in VERSIONS:
        rows = [_rows(header)[0]] + [row for version in VERSIONS for row in _rows(version)[1:]]
        tables = read(_write(tmp_path / header / "1700000001.csv", rows))
        assert len(tables["posts"]) == 12 and tables["rejects"] == []
        assert {(p["post_id"], p["likes"], p["reposts"]) for p in tables["posts"]} == {
            ("5211000000000001", 5518, 1000000), ("5210500000000009", 12, 1), ("5210400000000007", 12000, 880)
        }  # fmt: skip


def test_an_analysis_cell_without_a_header(tmp_path: Path) -> None:
    header, first, second = _rows("2026-06")
    first.insert(15, "情感：正面，True")
    second.insert(15, "情感：中性")
    tables = read(_write(tmp_path / "1700000001.csv", [header, first, second]))
    assert {p["post_id"]: p["published_at"].hour for p in tables["posts"]}["5210500000000009"] == 14
    assert _posts(tables)["5210500000000009"]["reposted_post_id"] == "5210400000000007"


def test_only_originals_have_no_original_flag(tmp_path: Path) -> None:
    header, first, _ = _rows("2026-06")
    tables = read(_write(tmp_path / "1700000001.csv", [header[:18], first[:18]]))
    assert [p["post_id"] for p in tables["posts"]] == ["5211000000000001"] and tables["rejects"] == []


def test_rows_that_no_version_wrote_are_rejects_without_names(tmp_path: Path) -> None:
    header, first, second = _rows("2026-06")
    _write(tmp_path / "1700000001.csv", [header, first[:9], [*second[:8], "没有日期", *second[9:]]])
    tables = read(tmp_path, pseudonymise=True)
    assert tables["posts"] == [] and [row["line"] for row in tables["rejects"]] == [2, 4]
    assert "光圈老韩" not in tables["rejects"][1]["raw"].replace("@光圈老韩", "")
    assert "1700000002" not in tables["rejects"][1]["raw"] and "等等党小秦,521" not in tables["rejects"][1]["raw"]


@pytest.mark.parametrize("version", ["2022-03_date_only", "2025-07_shifted_header", "2026-06"])
def test_users_of_either_header(version: str) -> None:
    account = read(next((ARCHIVE / version).rglob("users.csv")))["accounts"]
    expected = {
        "account_id": "1700000001",
        "name": "光圈老韩",
        "followers": 664000,
        "following": 201,
        "posts": 3021,
        "verified": True,
    }
    assert [{name: row[name] for name in expected} for row in account] == [expected]


def test_comments_of_csv_and_database() -> None:
    path = next((ARCHIVE / "2026-06").rglob("光圈老韩_comments.csv"))
    csv_rows = {row["comment_id"]: row for row in read(path)["comments"]}
    assert (
        csv_rows["5211000100000001"]["author_id"] is None
        and csv_rows["5211000100000001"]["author_name"] == "暗房里的猫"
    )
    assert csv_rows["5211000100000001"]["created_at"] == datetime(2026, 9, 1, 1, 41, 10, tzinfo=UTC)
    rows = {row["comment_id"]: row for row in read(ARCHIVE / "2026-06/weibodata.db")["comments"]}
    assert (rows["5211000100000001"]["parent_id"], rows["5211000100000002"]["parent_id"]) == (None, "5211000100000001")
    old = read(ARCHIVE / "2022-03_date_only/weibo/weibodata.db")["comments"]
    assert [row["text"] for row in old] == ["老韩这张[赞]暗部好干净"]


def test_no_likes_are_written_as_an_empty_cell(tmp_path: Path) -> None:
    header = ["id", "weibo_id", "created_at", "user_screen_name", "text", "pic_url", "like_count"]
    row = ["5211000100000001", "5211000000000001", "Tue Sep 01 09:41:10 +0800 2026", "某", "好", "", ""]
    assert read(_write(tmp_path / "某_comments.csv", [header, row]))["comments"][0]["likes"] == 0


def test_reposts_by_others_and_pictures_are_named_as_not_read(tmp_path: Path) -> None:
    path = tmp_path / "weibodata.db"
    path.write_bytes((ARCHIVE / "2026-06/weibodata.db").read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO bins (ext, data) VALUES ('jpg', X'00ff')")
    connection.close()
    rejects = read(path, pseudonymise=True)["rejects"]
    assert [(row["field"], row["line"]) for row in rejects] == [("bins", None), (None, 1)]
    assert (
        "器材党阿鲁" not in rejects[1]["raw"] and "1700000004" not in rejects[1]["raw"] and "买！" in rejects[1]["raw"]
    )


def test_deleted_originals(tmp_path: Path) -> None:
    path = next((ARCHIVE / "2026-06").rglob("1700000001.json"))
    data = json.loads(path.read_text("utf-8"))
    gone = {
        **data["weibo"][1]["retweet"],
        "user_id": "",
        "screen_name": "",
        "text": "抱歉，此微博已被作者删除。查看帮助",
    }
    data["weibo"] = [
        {**data["weibo"][1], "id": 5210500000000001, "retweet": gone},
        {**data["weibo"][1], "retweet": {**gone, "id": ""}},
    ]
    (tmp_path / "a.json").write_text(json.dumps(data, ensure_ascii=False, indent=4), "utf-8")
    tables = read(tmp_path)
    posts = _posts(tables)
    assert (posts["5210400000000007"]["text"], posts["5210400000000007"]["kind"]) == ("", "deleted")
    assert (
        posts["5210500000000001"]["reposted_post_id"] == "5210400000000007"
        and posts["5210500000000001"]["quoted_text"] is None
    )
    assert posts["5210500000000009"]["reposted_post_id"] is None and posts["5210500000000009"]["kind"] == "repost"
    assert [row["field"] for row in tables["rejects"]] == ["text", "retweet"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_its_table_of_posts_from_another_database(kind: str, tmp_path: Path) -> None:
    with sqlite3.connect(ARCHIVE / "2026-06/weibodata.db") as connection:
        cursor = connection.execute("SELECT * FROM weibo")
        header = [column[0] for column in cursor.description]
        rows = [dict(zip(header, row, strict=True)) for row in cursor]
    connection.close()
    if kind == "csv":
        _write(tmp_path / "weibo.csv", [header, *(list(map(str, row.values())) for row in rows)])
    else:
        jsonl(tmp_path / "weibo.json", *({"_id": {"$oid": "5f"}, **row} for row in rows))
    assert _posts(read(tmp_path)) == _posts(read(ARCHIVE / "2026-06/weibodata.db"))


def test_a_csv_row_whose_original_is_gone(tmp_path: Path) -> None:
    header, _, second = _rows("2026-06")
    at = header.index("是否原创")
    gone = [*second[: at + 1], "", "", "5210400000000007\t", "", "抱歉，此微博已被作者删除。查看帮助", *[""] * 6]
    nameless = ["5210500000000010\t", *gone[1 : at + 3], "", "", "抱歉，由于作者设置，你暂时没有这条微博的查看权限哦"]
    tables = read(_write(tmp_path / "1700000001.csv", [header, gone, nameless]))
    posts = _posts(tables)
    assert {id_: (row["kind"], row["reposted_post_id"], row["likes"]) for id_, row in posts.items()} == {
        "5210500000000009": ("repost", "5210400000000007", 12), "5210400000000007": ("deleted", None, None),
        "5210500000000010": ("repost", None, 12),
    }  # fmt: skip
    assert [row["field"] for row in tables["rejects"]] == ["text", "retweet"]


def test_sections_of_an_indented_file_in_any_order(tmp_path: Path) -> None:
    data = json.loads(next((ARCHIVE / "2026-06").rglob("1700000001.json")).read_text("utf-8"))
    posts = [{**data["weibo"][0], "id": 5211000000000001 + at} for at in range(30)]
    (tmp_path / "a.json").write_text(json.dumps({"weibo": posts, "user": data["user"]}, indent=4), "utf-8")
    tables = read(tmp_path)
    assert (len(tables["posts"]), len(tables["accounts"]), tables["rejects"]) == (30, 1, [])


def test_a_csv_that_a_spreadsheet_has_saved(tmp_path: Path) -> None:
    header, first, second = _rows("2026-06")
    for row in (first, second):
        row[:] = [
            "2026/9/1 9:30" if cell == row[15] else {"True": "TRUE", "False": "FALSE"}.get(cell, cell) for cell in row
        ]
        row[8] = "2026/9/1 9:30"
    tables = read(_write(tmp_path / "1700000001 (1).csv", [header, first, second]))
    posts = _posts(tables)
    assert posts.keys() == {"5211000000000001", "5210500000000009", "5210400000000007"} and tables["rejects"] == []
    post = posts["5211000000000001"]
    assert (post["published_at"], post["time_precision"]) == (datetime(2026, 9, 1, 1, 30, tzinfo=UTC), "minute")
    assert post["account_id"] == "1700000001"  # whose file this is a copy of
    assert posts["5210500000000009"]["reposted_post_id"] == "5210400000000007"


@pytest.mark.parametrize(
    ("name", "account"),
    [("1700000001/微博.csv", "1700000001"), ("20260901/微博.csv", None), ("光圈老韩/20260901.csv", None), ("20260901/1700000001.csv", "1700000001"),
     ("光圈老韩/20269901.csv", "20269901")],
)  # fmt: skip
def test_the_day_of_an_export_is_nobody(name: str, account: str | None, tmp_path: Path) -> None:
    posts = _posts(read(_write(tmp_path / name, _rows("2026-06"))))
    assert {id_: post["account_id"] for id_, post in posts.items()} == {
        "5211000000000001": account, "5210500000000009": account, "5210400000000007": "1700000002"
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_its_csv_as_workbooks(version: str, tmp_path: Path) -> None:
    for kind in ("csv", "xlsx"):
        (tmp_path / kind).mkdir()
    for path in (ARCHIVE / version).rglob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            written(tmp_path / "xlsx" / path.with_suffix(".xlsx").name, list(csv.reader(file)))
        shutil.copy(path, tmp_path / "csv")
    assert read(tmp_path / "xlsx") == read(tmp_path / "csv")
