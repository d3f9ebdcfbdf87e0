import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from pinzhi.readers.mediacrawler_columns import KNOWN_COLUMNS
from tests.conftest import ROOT
from tests.unit.readers.helpers import WEIBO, by_id, jsonl, read, utc

ARCHIVE = ROOT / "tests/data/archives/mediacrawler"
HASHED = ARCHIVE / "2026-08_hashed_ids"


@pytest.mark.parametrize("version", ["2026-05_full_ids", "2026-08_hashed_ids"])
def test_a_database_and_the_files_beside_it_hold_the_same_rows(version: str) -> None:
    database = read(ARCHIVE / version / "sqlite_tables.db")
    whole = read(ARCHIVE / version)
    for table, key in (("posts", "post_id"), ("comments", "comment_id")):
        files = by_id([row for row in whole[table] if row not in database[table]], key)
        assert files.keys() == by_id(database[table], key).keys()
        for id_, row in by_id(database[table], key).items():
            assert {**row, "fetched_at": None} == {**files[id_], "fetched_at": None}


def test_a_post_of_every_platform() -> None:
    posts = by_id(read(HASHED)["posts"], "post_id")
    note = posts["66f0a1b2000000001e01c3d4"]
    assert (note["platform"], note["kind"], note["title"]) == (
        "xiaohongshu",
        "normal",
        "青屿茶铺桂花乌龙测评｜冷泡一夜真的不涩",
    )
    assert (
        note["text"].startswith("姐妹们！")
        and note["text"].endswith("#平价好茶[话题]#")
        and note["text"].count("\n") == 2
    )
    assert [note[c] for c in ("likes", "collects", "comments", "reposts", "reads")] == [12000, 3456, 412, 88, None]
    assert note["published_at"] == utc("2026-09-12T12:15:31") and note["time_precision"] == "second"
    assert posts["66f2b7c9000000002a03e5f6"]["reposts"] is None
    assert posts["3xabcd7efgh9jkm"]["reads"] == 126_000
    video = posts["113200000000001"]
    assert [video[c] for c in ("likes", "reads", "collects", "reposts", "comments")] == [
        51230,
        1023456,
        20111,
        3301,
        2210,
    ]
    assert posts["2900000001"]["text"] == "先说结论：不值。我拆了两台小鹿豆浆机，电机是同一家代工……"
    assert posts["9500000001"]["published_at"] == utc("2026-05-04T02:11:12") and posts["9500000001"]["comments"] == 38
    assert posts["7545012345678901234"]["account_id"] == "eaf44040fbc9685b"


def test_parents_and_times_of_comments() -> None:
    comments = by_id(read(HASHED)["comments"], "comment_id")
    parents = {"66f0c2e4000000001d0155ac": "66f0c1a7000000001d0155ab", "66f0c001000000001d0155aa": None, "230000000003": "230000000002",
               "7545020000000000001": None, "150000000090": "150000000002", "10900000001": None, "900100200301": None}  # fmt: skip
    assert {id_: comments[id_]["parent_id"] for id_ in parents} == parents
    assert (comments["150000000090"]["created_at"], comments["150000000090"]["time_precision"]) == (
        utc("2026-05-04T02:45"),
        "minute",
    )
    assert (
        comments["900100200301"]["created_at"] == utc("2026-07-18T16:12:09")
        and comments["900100200301"]["likes"] is None
    )


@pytest.mark.parametrize(
    ("record", "expected"),
    [({"last_modify_ts": 1785340799000}, "2026-08-31T17:30"),  # a second before the mend: create_time is 8 h late
     ({"last_modify_ts": 1785340800000}, "2026-09-01T01:30"),
     ({"last_modify_ts": 1789995609590, "user_id": "17"}, "2026-08-31T17:30"),  # an old version used late
     ({"create_date_time": "2026-09-01 09:30:00+08:00", "user_id": "17"}, "2026-09-01T01:30"),
     ({"create_date_time": "坏的", "last_modify_ts": 1789995609590}, "2026-09-01T01:30")],
)  # fmt: skip
def test_the_late_clock_of_weibo(record: dict[str, Any], expected: str, tmp_path: Path) -> None:
    jsonl(tmp_path / "weibo.jsonl", {**WEIBO, "create_time": 1788226200, **record})
    assert read(tmp_path)["posts"][0]["published_at"] == utc(expected)


def test_deleted_posts_have_no_text(tmp_path: Path) -> None:
    notice = "抱歉，此微博已被作者删除。查看帮助：http://t.cn/x"
    jsonl(tmp_path / "w.jsonl", {**WEIBO, "content": notice, "user_id": ""}, {**WEIBO, "content": notice, "user_id": "17"},
          {**WEIBO, "content": "很长的话...全文"}, {**WEIBO, "content": "转发微博"})  # fmt: skip
    tables = read(tmp_path)
    assert [(row["text"], row["kind"]) for row in tables["posts"]] == [
        ("", "deleted"),
        (notice, None),
        ("很长的话...", None),
        ("", None),
    ]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(1, "content")]
    assert notice in tables["rejects"][0]["raw"]


@pytest.mark.parametrize("label", sorted(KNOWN_COLUMNS))
def test_rows_of_a_newer_version_under_an_older_header(label: str, tmp_path: Path) -> None:
    older, newer = KNOWN_COLUMNS[label][0], KNOWN_COLUMNS[label][-1]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(older)
    for number, columns in enumerate((older, newer), 1):
        writer.writerow([_cell(name, number) for name in columns])
    writer.writerow(["乱", *["行"] * (len(newer) - 1)])
    (tmp_path / "search.csv").write_text(out.getvalue(), "utf-8-sig", newline="")
    tables = read(tmp_path)
    table, key, author = (
        ("comments", "comment_id", "author_id") if "comments" in label else ("posts", "post_id", "account_id")
    )
    assert [row[key] for row in tables[table]] == ["100001", "100002"]
    assert [row["platform"] for row in tables[table]] == [label.split(maxsplit=1)[0]] * 2
    assert tables[table][1][author] == "0123456789abcdef" and tables[table][1]["text"] == "正文"
    assert [row["line"] for row in tables["rejects"]] == [4]


def _cell(name: str, number: int) -> str:
    if name in ("create_time", "time", "created_time", "last_modify_ts"):
        return "1788226200000"
    known = {"publish_time": "2026-09-01 09:30:00", "create_date_time": "2026-09-01 09:30:00+08:00", "creator_hash": "0123456789abcdef",
             "content": "正文", "content_text": "正文", "desc": "正文", "parent_comment_id": "0", "user_id": f"u{number}"}  # fmt: skip
    if name in known:
        return known[name]
    return (
        f"10000{number}"
        if name.endswith("_id") and "user" not in name
        else "1"
        if "count" in name or "num" in name or "video_" in name
        else ""
    )


def test_creators_of_a_platform_known_by_id_or_folder(tmp_path: Path) -> None:
    base = {"nickname": "某", "follows": "3", "fans": "4.6万", "last_modify_ts": 1779368402740}
    for folder, id_ in (
        ("a", "MS4wLjABAAAAx"),
        ("b", "5f3c9a7e0000000001006b21"),
        ("kuaishou", "998877665"),
        ("weibo", "1700000001"),
        ("x", "1700000002.0"),
    ):
        (tmp_path / folder).mkdir()
        jsonl(tmp_path / folder / "creators.jsonl", {"user_id": id_, **base})
    accounts = read(tmp_path)["accounts"]
    assert [row["platform"] for row in accounts] == ["douyin", "xiaohongshu", "kuaishou", "weibo", "weibo"]
    assert {row["followers"] for row in accounts} == {46000}


def test_json_of_several_kinds_and_the_authors_of_posts(tmp_path: Path) -> None:
    comment = {"comment_id": "7", "create_time": 1788226200, "note_id": WEIBO["note_id"], "content": "好", "user_id": "9",
               "create_date_time": "2026-09-01 09:30:00", "nickname": "路人", "last_modify_ts": 1779368402740}  # fmt: skip
    creator = {
        "user_id": "17",
        "nickname": "光圈老韩",
        "follows": "3",
        "fans": "4.6万",
        "last_modify_ts": 1779368402740,
    }
    post = {**WEIBO, "user_id": "17", "nickname": "光圈老韩"}
    lacking = {name: value for name, value in comment.items() if name not in ("content", "create_date_time")}
    jsonl(tmp_path / "weibo.jsonl", post, comment, creator, lacking, {**post, "note_id": "8", "user_id": ""})
    tables = read(tmp_path)
    assert [(row["post_id"], row["account_id"]) for row in tables["posts"]] == [(WEIBO["note_id"], "17"), ("8", None)]
    assert [(row["comment_id"], row["author_id"]) for row in tables["comments"]] == [("7", "9")]
    assert [(row["account_id"], row["name"], row["followers"]) for row in tables["accounts"]] == [
        ("17", "光圈老韩", None), ("17", "光圈老韩", 46000)
    ]  # fmt: skip
    assert tables["accounts"][0]["fetched_at"] is None
    assert [row["line"] for row in tables["rejects"]] == [4]


def test_fans_of_bilibili_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript(
        "CREATE TABLE bilibili_up_info (user_id, nickname, total_fans, is_official); INSERT INTO bilibili_up_info VALUES (1, 'a', 9, -1);"
        "CREATE TABLE bilibili_contact_info (up_id, fan_id); INSERT INTO bilibili_contact_info VALUES (1, 2);"
    )
    connection.close()
    tables = read(tmp_path)
    assert [(row["account_id"], row["verified"]) for row in tables["accounts"]] == [("1", False)]
    assert [(row["field"], row["reason"]) for row in tables["rejects"]] == [
        ("bilibili_contact_info", "not read: lists of fans are not read")
    ]


def test_old_bilibili_and_kuaishou_comments_share_columns(tmp_path: Path) -> None:
    shared = {
        "comment_id": "1",
        "content": "好",
        "user_id": "2",
        "sub_comment_count": "0",
        "last_modify_ts": 1779368402740,
    }
    jsonl(tmp_path / "a.jsonl", {**shared, "video_id": "113200000000001", "create_time": 1780308312})
    jsonl(tmp_path / "b.jsonl", {**shared, "video_id": "3xabc", "create_time": 1780308312000})
    assert [row["platform"] for row in read(tmp_path)["comments"]] == ["bilibili", "kuaishou"]


def test_null_marks_and_a_hash_of_nobody(tmp_path: Path) -> None:
    record = json.loads((HASHED / "douyin/json/search_contents_2026-09-21.json").read_text("utf-8"))[0]
    jsonl(
        tmp_path / "a.jsonl", {**record, "liked_count": "None", "share_count": "", "creator_hash": "e3b0c44298fc1c14"}
    )
    row = read(tmp_path)["posts"][0]
    assert (row["likes"], row["reposts"], row["account_id"], row["collects"]) == (None, None, None, 4102)


def test_the_notice_of_a_deleted_post_is_one_only_where_nobody_wrote_it(tmp_path: Path) -> None:
    newer = {**WEIBO, "nickname": "阿***茶", "last_modify_ts": 1789995604658}
    posts = read(
        jsonl(
            tmp_path / "search_contents.jsonl",
            {**newer, "note_id": "1", "content": "此微博已被作者删除", "creator_hash": "e3b0c44298fc1c14"},
            {**newer, "note_id": "2", "content": "微博不存在的三大理由", "creator_hash": "0123456789abcdef"},
        )
    )["posts"]
    assert [(row["text"], row["kind"]) for row in posts] == [("", "deleted"), ("微博不存在的三大理由", None)]


@pytest.mark.parametrize("mark", ["", "0", "-1", None, 0, 0.0, "0.0", "7"])
def test_marks_of_a_comment_that_answers_nobody(mark: object, tmp_path: Path) -> None:
    comment = {
        "comment_id": "7",
        "create_time": 1788226200,
        "aweme_id": "9",
        "content": "好",
        "parent_comment_id": mark,
    }
    (row,) = read(jsonl(tmp_path / "search_comments.jsonl", comment))["comments"]
    assert row["parent_id"] is None


def test_records_as_mongodb_exports_them(tmp_path: Path) -> None:
    wrapped = {"_id": {"$oid": "5f"}, **WEIBO, "note_id": {"$numberLong": "5211000000000001"}, "liked_count": {"$numberInt": "3"},
               "create_date_time": {"$date": "2026-09-01T01:30:00Z"}}  # fmt: skip
    (post,) = read(jsonl(tmp_path / "weibo_note.json", wrapped))["posts"]
    assert (post["post_id"], post["likes"], post["published_at"]) == ("5211000000000001", 3, utc("2026-09-01T01:30:00"))


def test_a_time_told_from_the_moment_of_reading(tmp_path: Path) -> None:
    def at(id_: str, time: str, seen: object) -> dict[str, Any]:
        return {
            "note_id": "9",
            "comment_id": id_,
            "publish_time": time,
            "content": "好",
            "tieba_name": "茶吧",
            "last_modify_ts": seen,
        }

    seen = 1789995604658  # 2026-09-21 21:00:04 in Beijing
    rows = [at("1", "昨天 12:30", seen), at("2", "3小时前", seen), at("3", "昨天 12:30", ""), at("4", "10:40", seen)]
    tables = read(jsonl(tmp_path / "search_comments.jsonl", *rows))
    assert [(row["created_at"], row["time_precision"]) for row in tables["comments"]] == [
        (utc("2026-09-20T04:30:00"), "minute"), (utc("2026-09-20T16:00:00"), "day"), (None, None), (None, None)
    ]  # fmt: skip
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(3, "publish_time"), (4, "publish_time")]


def test_a_weibo_post_that_a_page_tells_the_time_of(tmp_path: Path) -> None:
    seen = {"last_modify_ts": 1789995604658}
    posts = read(jsonl(tmp_path / "weibo.jsonl", {**WEIBO, **seen, "create_time": "昨天 12:30"}))["posts"]
    assert [(row["published_at"], row["time_precision"]) for row in posts] == [(utc("2026-09-20T04:30:00"), "minute")]


def test_a_video_without_description(tmp_path: Path) -> None:
    (record, *_) = json.loads(
        (ARCHIVE / "2026-05_full_ids/bili/json/search_contents_2026-05-21.json").read_text("utf-8")
    )
    posts = read(jsonl(tmp_path / "a.jsonl", {**record, "desc": "-"}, {**record, "desc": "- 茶"}))["posts"]
    assert [row["text"] for row in posts] == ["", "- 茶"]


def test_anonymous_people_of_zhihu_are_nobody(tmp_path: Path) -> None:
    nobody = {"user_link": "https://www.zhihu.com/people/", "user_nickname": "匿名用户"}
    post = {
        "content_id": "2900000091", "content_type": "answer", "content_text": "一", "content_url": "u", "question_id": "6", "title": "题",
        "desc": "", "created_time": 1775920200, "updated_time": 1775955600, "voteup_count": 1, "comment_count": 0, "user_id": "0",
        "last_modify_ts": 1779368422605, **nobody,
    }  # fmt: skip
    comment = {
        "comment_id": "10900000091", "parent_comment_id": 0, "content": "好", "publish_time": 1775959200, "sub_comment_count": 0,
        "like_count": 0, "dislike_count": 0, "content_id": "2900000091", "content_type": "answer", "user_id": "",
        "last_modify_ts": 1779368422605, **nobody,
    }  # fmt: skip
    for kind, row in (("contents", post), ("comments", comment)):
        folder = tmp_path / "zhihu" / "jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"search_{kind}_2026-04-01.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    tables = read(tmp_path)
    assert [row["account_id"] for row in tables["posts"]] == [None] and tables["accounts"] == []
    assert [row["author_id"] for row in tables["comments"]] == [None]
