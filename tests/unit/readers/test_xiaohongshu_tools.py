"""XHS-Downloader and Spider_XHS: the same notes, each in its own words."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pinzhi.convert import convert
from pinzhi.readers import discover
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, jsonl, read, utc

DOWNLOADER = ROOT / "tests/data/archives/XHS-Downloader/Download/ExploreData.db"
SPIDER = ROOT / "tests/data/archives/Spider_XHS"
NOTES, COMMENTS = SPIDER / "青屿茶铺.xlsx", SPIDER / "comments.xlsx"
[INFO] = SPIDER.rglob("info.json")
TEXT = """姐妹们！青屿茶铺的桂花乌龙我回购第三次了[笑哭R]
冷泡8小时，茶汤清亮，没有那种齁甜的香精味～
#冷泡茶[话题]# #青屿茶铺[话题]# #平价好茶[话题]#"""
NOTE = {
    "platform": "xiaohongshu", "post_id": "66f0a1b2000000001e01c3d4", "account_id": "5f3c9a7e0000000001006b21",
    "title": "青屿茶铺桂花乌龙测评｜冷泡一夜真的不涩", "text": TEXT, "kind": "normal", "published_at": utc("2026-09-12T12:15:31"),
    "time_precision": "second", "likes": 12000, "collects": 3456, "comments": 412, "reposts": 88,
    "url": "https://www.xiaohongshu.com/explore/66f0a1b2000000001e01c3d4",
}  # fmt: skip


def _book(path: Path, *records: dict[str, Any]) -> Path:
    book = openpyxl.Workbook()
    book.worksheets[0].append(list(records[0]))
    for record in records:
        book.worksheets[0].append(list(record.values()))
    book.save(path)
    return path


def _records(path: Path) -> list[dict[str, Any]]:
    header, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def test_notes_of_xhs_downloader() -> None:
    tables = read(DOWNLOADER)
    note, video = tables["posts"]
    assert note == {**dict.fromkeys(note), **NOTE, "fetched_at": utc("2026-09-21T13:00")}
    assert (video["post_id"], video["title"], video["kind"]) == ("66f2b7c9000000002a03e5f6", None, "video")
    assert (video["likes"], video["collects"], video["comments"], video["reposts"]) == (386, 129, 57, None)
    assert (video["account_id"], video["published_at"]) == ("60a1d2e30000000001009f10", utc("2026-09-19T23:42:10"))
    assert video["text"] == "云脊户外这款雨衣，暴雨里站十分钟的结果……自己看吧 #徒步[话题]#"
    assert [(row["account_id"], row["name"]) for row in tables["accounts"]] == [
        ("5f3c9a7e0000000001006b21", "阿沅的下午茶"),
        ("60a1d2e30000000001009f10", "老周爬野山"),
    ]
    assert tables["rejects"] == []


def test_notes_of_spider_xhs() -> None:
    tables = read(NOTES)
    note, video = tables["posts"]
    assert note == {**dict.fromkeys(note), **NOTE} and read(INFO)["posts"] == [note]
    assert (video["post_id"], video["title"], video["kind"], video["reposts"]) == (
        "66f2b7c9000000002a03e5f6",
        None,
        "video",
        None,
    )
    assert (video["likes"], video["published_at"]) == (386, utc("2026-09-19T23:42:10"))
    assert tables["rejects"] == [] and read(INFO)["rejects"] == []


def test_comments_of_spider_xhs_have_no_parent() -> None:
    tables = read(COMMENTS)
    first = tables["comments"][0]
    assert first == {
        **dict.fromkeys(first), "platform": "xiaohongshu", "comment_id": "66f0c001000000001d0155aa",
        "post_id": "66f0a1b2000000001e01c3d4", "author_id": "61b2c3d40000000010008a01", "author_name": "小满不满",
        "created_at": utc("2026-09-12T13:03"), "time_precision": "second", "text": "求链接！我喝的桂花乌龙都好苦[哭惹R]", "likes": 23,
    }  # fmt: skip
    assert [(row["comment_id"], row["likes"]) for row in tables["comments"][1:]] == [
        ("66f0c1a7000000001d0155ab", 5),
        ("66f0c2e4000000001d0155ac", 0),
    ]
    assert tables["rejects"] == []


def test_users_of_spider_xhs(tmp_path: Path) -> None:
    user = {"用户id": "5f3c9a7e0000000001006b21", "用户主页url": "https://x", "用户名": "阿沅的下午茶", "头像url": "https://x", "小红书号": "ayuan", "性别": "女",
            "ip地址": "浙江", "介绍": "喝茶", "关注数量": "120", "粉丝数量": "4.6万", "作品被赞和收藏数量": "1千+", "标签": "[]"}  # fmt: skip
    [row] = read(_book(tmp_path / "user.xlsx", user))["accounts"]
    assert (row["account_id"], row["name"], row["followers"], row["following"]) == (
        "5f3c9a7e0000000001006b21", "阿沅的下午茶", 46000, 120,
    )  # fmt: skip
    named = {
        "user_id": "5f3c9a7e0000000001006b21",
        "nickname": "阿沅的下午茶",
        "red_id": "ayuan",
        "fans": "4.6万",
        "follows": "120",
    }
    assert read(jsonl(tmp_path / "user.json", named))["accounts"] == [row]


def test_both_tools_together_know_each_note_once(tmp_path: Path) -> None:
    convert([DOWNLOADER.parent, SPIDER], tmp_path, None)
    posts = read_table(tmp_path / "posts", CANONICAL["posts"]).to_pylist()
    assert [(row["post_id"], row["kind"]) for row in posts] == [
        ("66f0a1b2000000001e01c3d4", "normal"),
        ("66f2b7c9000000002a03e5f6", "video"),
    ]
    assert read_table(tmp_path / "comments", CANONICAL["comments"]).num_rows == 3


def test_labelled_text_repeats_what_stands_beside_it() -> None:
    [reject] = read(INFO.with_name("detail.txt"))["rejects"]
    assert "Spider_XHS" in reject["reason"] and "skipped" in reject["reason"]


@pytest.mark.parametrize(
    ("cell", "expected", "floors"),
    [("1.2万", 12000, None), ("1千+", 1000, ["likes"]), ("10万+", 100_000, ["likes"]), ("-1", None, None), ("", None, None), ("0", 0, None)],
)  # fmt: skip
def test_counts_as_the_page_shows_them(
    cell: str, expected: int | None, floors: list[str] | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(DOWNLOADER.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE explore_data SET 点赞数量 = ?, 发布时间 = '未知', 作品类型 = '未知', 作品标题 = '无标题'", (cell,)
        )
    connection.close()
    tables = read(path)
    assert {(row["likes"], row["published_at"], row["kind"], row["title"]) for row in tables["posts"]} == {
        (expected, None, None, None)
    }
    assert [row["count_floors"] for row in tables["posts"]] == [floors] * 2 and tables["rejects"] == []


def test_records_of_the_interface_of_xhs_downloader(tmp_path: Path) -> None:
    note = {"作品ID": "66f0a1b2000000001e01c3d4", "作品标题": "茶", "作品描述": "好茶", "作者ID": "5f3c", "作者昵称": "阿沅", "发布时间": "2026-09-12_20:15:31",
            "时间戳": 1789215331.0, "点赞数量": "3", "下载地址": ["https://x"]}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps([note], ensure_ascii=False, indent=2), "utf-8")
    jsonl(tmp_path / "b.jsonl", note)
    tables = read(tmp_path)
    assert [(row["post_id"], row["published_at"]) for row in tables["posts"]] == [
        ("66f0a1b2000000001e01c3d4", utc("2026-09-12T12:15:31"))
    ] * 2


def test_a_log_of_downloads_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(DOWNLOADER.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE explore_id (ID TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO explore_id VALUES ('66f0a1b2000000001e01c3d4')")
    connection.close()
    assert [(row["field"], row["reason"]) for row in read(path)["rejects"]] == [
        ("explore_id", "not read: a log of downloads")
    ]


def test_cells_and_rows_that_cannot_be_read(tmp_path: Path) -> None:
    first, second = _records(NOTES)
    tables = read(
        _book(
            tmp_path / "a.xlsx",
            {**first, "点赞数量": "很多", "上传时间": "昨天"},
            {**second, "笔记id": "6.6E+23"},
            {**second, "笔记id": None},
        )
    )
    assert [(row["post_id"], row["likes"], row["published_at"]) for row in tables["posts"]] == [
        ("66f0a1b2000000001e01c3d4", None, None)
    ]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [
        (2, "上传时间"), (2, "点赞数量"), (3, "笔记id"), (4, "post_id")
    ]  # fmt: skip


def test_commenters_are_hidden_in_rows_and_rejects(tmp_path: Path) -> None:
    first, *_ = _records(COMMENTS)
    tables = read(_book(tmp_path / "a.xlsx", first, {**first, "点赞数量": "很多"}), pseudonymise=True)
    assert {row["author_id"][:2] for row in tables["comments"]} == {"a_"} and tables["comments"][0][
        "author_name"
    ] == "小***"
    [reject] = tables["rejects"]
    assert not any(secret in reject["raw"] for secret in ("61b2c3d40000000010008a01", "小满不满", "江苏", "avatar"))
    assert "桂花乌龙" in reject["raw"]


def test_records_of_odd_types(tmp_path: Path) -> None:
    info = json.loads(INFO.read_text("utf-8"))
    jsonl(tmp_path / "a.jsonl", {**info, "title": ["x"], "desc": {"a": 1}, "note_type": 7, "liked_count": [], "user_id": {}},
          {**info, "note_id": 6.6e23}, {"note_id": "7", "其他": 1})  # fmt: skip
    tables = read(tmp_path)
    assert [(row["post_id"], row["kind"], row["account_id"]) for row in tables["posts"]] == [
        ("66f0a1b2000000001e01c3d4", "7", None),
        ("7", None, None),
    ]
    assert {(row["line"], row["field"]) for row in tables["rejects"]} >= {
        (1, "user_id"),
        (1, "liked_count"),
        (2, "note_id"),
    }


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    for path in (NOTES, COMMENTS, INFO):
        (tmp_path / f"{path.stem}.dat").write_bytes(path.read_bytes())
    (tmp_path / "notes").write_bytes(DOWNLOADER.read_bytes())
    assert sorted(source.reader for source in discover([tmp_path])[0]) == ["Spider_XHS"] * 3 + ["XHS-Downloader"]
    assert by_id(read(tmp_path)["posts"], "post_id").keys() == {"66f0a1b2000000001e01c3d4", "66f2b7c9000000002a03e5f6"}


def test_values_of_an_english_xhs_downloader(tmp_path: Path) -> None:
    note = {"作品ID": "66", "作品标题": "", "作品描述": "好", "作者ID": "5f", "点赞数量": "1千+", "发布时间": "Unknown"}
    rows = [
        {**note, "作品类型": "Video"},
        {**note, "作品ID": "67", "作品类型": "Image"},
        {**note, "作品ID": "68", "作品类型": "Unknown"},
    ]
    tables = read(jsonl(tmp_path / "notes.jsonl", *rows))
    assert [row["kind"] for row in tables["posts"]] == ["video", "normal", None]
    assert all(row["published_at"] is None and row["count_floors"] == ["likes"] for row in tables["posts"])
    assert tables["rejects"] == []


def test_a_name_that_looks_like_a_mark_of_nothing_stays(tmp_path: Path) -> None:
    user = {"用户id": "5f", "用户名": "无", "小红书号": "1", "粉丝数量": "无"}
    (account,) = read(jsonl(tmp_path / "users.jsonl", user))["accounts"]
    assert (account["name"], account["followers"]) == ("无", None)
