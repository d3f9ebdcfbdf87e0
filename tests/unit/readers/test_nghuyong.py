import json
from pathlib import Path
from typing import Any

import pytest

from pinzhi.readers import discover
from tests.conftest import ROOT
from tests.unit.readers.helpers import jsonl, read, utc

ARCHIVE = ROOT / "tests/data/archives/nghuyong-WeiboSpider/output"
POSTS = ARCHIVE / "tweet_spider_by_keyword_20260921210000.jsonl"
COMMENTS = ARCHIVE / "comment_20260921213000.jsonl"
USERS = ARCHIVE / "user_spider_20260921220000.jsonl"
FAN = {"crawl_time": 1789995607, "_id": "1700000001_5968044974", "follower_id": "1700000001",
       "fan_info": {"_id": "5968044974", "nick_name": "暗房里的猫", "followers_count": 3, "statuses_count": 9}}  # fmt: skip


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_posts() -> None:
    tables = read(POSTS)
    own, repost = tables["posts"]
    assert own == {
        **dict.fromkeys(own), "platform": "weibo", "post_id": "5211000000000001", "account_id": "1700000001", "kind": "original",
        "published_at": utc("2026-09-01T01:30"), "time_precision": "second", "fetched_at": utc("2026-09-21T13:00:07"),
        "text": "#栗光相机# 新固件的夜景对焦终于不拉风箱了[泪]\n样张在图里，随便放大", "url": "https://weibo.com/1700000001/QbAbcDe01",
        "likes": 5518, "reposts": 1_000_000, "comments": 822, "reads": 1_250_000, "count_floors": ["reposts"],
    }  # fmt: skip
    assert (repost["post_id"], repost["kind"], repost["reposted_post_id"]) == (
        "5211000000000002",
        "repost",
        "5211000000000001",
    )
    assert (repost["account_id"], repost["published_at"]) == ("1700000002", utc("2026-09-01T03:02:33"))
    assert repost["text"] == "说得对，等一个黑五价//@光圈老韩:新固件的夜景对焦终于不拉风箱了"
    assert (repost["likes"], repost["reposts"], repost["comments"], repost["reads"]) == (0, 0, 1, None)
    assert tables["rejects"] == []


def test_authors_of_posts_are_a_look_at_them_when_their_followers_are_known() -> None:
    known, unknown = read(POSTS)["accounts"]
    assert (known["account_id"], known["followers"], known["fetched_at"]) == (
        "1700000001",
        664000,
        utc("2026-09-21T13:00:07"),
    )
    assert (unknown["account_id"], unknown["name"], unknown["verified"]) == ("1700000002", "等等党小秦", False)
    assert (unknown["followers"], unknown["fetched_at"]) == (None, None)


def test_comments_have_parents_and_no_post() -> None:
    tables = read(COMMENTS)
    root, answer = tables["comments"]
    assert root == {
        **dict.fromkeys(root), "platform": "weibo", "comment_id": "5211000100000001", "author_id": "1700000003",
        "author_name": "暗房里的猫", "author_verified": False, "created_at": utc("2026-09-01T01:41:10"), "time_precision": "second",
        "text": "老韩这张[赞]暗部好干净", "likes": 45, "fetched_at": utc("2026-09-21T13:30:07"),
    }  # fmt: skip
    assert (answer["comment_id"], answer["parent_id"]) == ("5211000100000002", "5211000100000001")
    assert (answer["text"], answer["likes"], answer["author_id"], answer["author_followers"]) == (
        "ISO 3200直出", 3, "1700000001", 664000
    )  # fmt: skip
    assert answer["created_at"] == utc("2026-09-01T02:00") and answer["author_verified"] is True
    assert tables["rejects"] == [] and tables["posts"] == [] and tables["accounts"] == []


def test_users() -> None:
    assert read(USERS)["accounts"] == [
        {"platform": "weibo", "account_id": "1700000001", "name": "光圈老韩", "followers": 664000, "following": 201, "posts": 3021,
         "verified": True, "fetched_at": utc("2026-09-21T14:00:07")}
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_joined_files_are_read_record_by_record(kind: str, tmp_path: Path) -> None:
    records = [record for path in (COMMENTS, USERS, POSTS) for record in _records(path)]
    path = tmp_path / "全部.txt"
    path.write_text("\n".join(map(json.dumps, records)) if kind == "jsonl" else json.dumps(records), "utf-8")
    assert read(path) == {
        table: [row for one in (COMMENTS, USERS, POSTS) for row in read(one)[table]]
        for table in ("posts", "comments", "accounts", "rejects")
    }


def test_a_file_of_one_line(tmp_path: Path) -> None:
    for name, path in (("a", POSTS), ("b", COMMENTS), ("c", USERS)):
        jsonl(tmp_path / f"{name}.jsonl", _records(path)[-1])
    tables = read(tmp_path)
    assert [len(tables[table]) for table in ("posts", "comments", "accounts", "rejects")] == [1, 1, 2, 0]


@pytest.mark.parametrize(
    ("record", "kind", "reposted"),
    [({}, "repost", "5211000000000001"), ({"retweet_id": None}, "repost", None), ({"is_retweet": False, "retweet_id": ""}, "original", None)],
)  # fmt: skip
def test_kinds(record: dict[str, Any], kind: str, reposted: str | None, tmp_path: Path) -> None:
    row = read(jsonl(tmp_path / "a.jsonl", {**_records(POSTS)[1], **record}))["posts"][0]
    assert (row["kind"], row["reposted_post_id"]) == (kind, reposted)


def test_until_2024_nothing_told_reposts_from_originals(tmp_path: Path) -> None:
    old = {key: value for key, value in _records(POSTS)[1].items() if key not in ("is_retweet", "retweet_id")}
    row = read(jsonl(tmp_path / "a.jsonl", old))["posts"][0]
    assert (row["kind"], row["reposted_post_id"]) == (None, None)


def test_collections_of_before_2022(tmp_path: Path) -> None:
    url = "https://weibo.com/1700000001/Mb15BDYR0"
    post = {"_id": "Mb15BDYR0", "weibo_url": url, "user_id": "1700000001", "content": "新固件[泪]", "created_at": "2019-04-20 10:22",
            "like_num": 12, "repost_num": 3, "comment_num": 0, "tool": "iPhone", "crawl_time": 1555727000}  # fmt: skip
    jsonl(
        tmp_path / "all.json", post,
        {**post, "_id": "1700000001_z0JH2lOMb", "weibo_url": "https://weibo.com/1700000001/z0JH2lOMb",
         "origin_weibo": "https://weibo.cn/repost/Mb15BDYR0?uid=1700000002"},
        {"_id": "C_4355000000000001", "comment_user_id": "1700000003", "content": "好", "weibo_url": url, "like_num": 2,
         "created_at": "2019-04-20 10:30", "crawl_time": 1555727000},
        {"_id": "1700000001", "nick_name": "光圈老韩", "tweets_num": 3021, "follows_num": 201, "fans_num": 664000, "crawl_time": 1555727000},
    )  # fmt: skip
    tables = read(tmp_path)
    assert [(row["post_id"], row["kind"], row["reposted_post_id"]) for row in tables["posts"]] == [
        ("4826257999528718", "original", None), ("3501756485200075", "repost", "4826257999528718")
    ]  # fmt: skip
    row = tables["posts"][0]
    assert (row["account_id"], row["likes"], row["reposts"], row["comments"]) == ("1700000001", 12, 3, 0)
    assert (row["published_at"], row["time_precision"]) == (utc("2019-04-20T02:22"), "minute")
    [comment] = tables["comments"]
    assert (comment["comment_id"], comment["post_id"], comment["author_id"], comment["likes"]) == (
        "4355000000000001", "4826257999528718", "1700000003", 2
    )  # fmt: skip
    assert [(row["followers"], row["following"], row["posts"]) for row in tables["accounts"]] == [(664000, 201, 3021)]
    assert tables["rejects"] == []


def test_placeholders_are_no_texts(tmp_path: Path) -> None:
    own, repost = _records(POSTS)
    notice = "抱歉，作者已设置仅展示半年内微博，此微博已不可见。"
    jsonl(
        tmp_path / "a.jsonl",
        {**repost, "content": "转发微博"},
        {**own, "content": notice, "user": None},
        {**own, "content": "长...全文"},
    )
    tables = read(tmp_path)
    assert [(row["text"], row["kind"]) for row in tables["posts"]] == [
        ("", "repost"),
        ("", "deleted"),
        ("长...", "original"),
    ]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(2, "content")]


def test_whom_somebody_follows_is_read_and_fans_are_not(tmp_path: Path) -> None:
    followed = {"_id": "1700000001_1700000002", "fan_id": "1700000001", "crawl_time": 1789995607,
                "follower_info": {"_id": "1700000002", "nick_name": "等等党小秦", "followers_count": 87, "friends_count": 88}}  # fmt: skip
    jsonl(tmp_path / "a.jsonl", FAN, followed, {**followed, "follower_info": "x"})
    tables = read(tmp_path, pseudonymise=True)
    assert [(row["account_id"], row["followers"], row["following"]) for row in tables["accounts"]] == [
        ("1700000002", 87, 88)
    ]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(1, None), (3, "follower_info")]
    assert "5968044974" not in tables["rejects"][0]["raw"] and "暗房里的猫" not in tables["rejects"][0]["raw"]


def test_commenters_are_hidden_in_rows_and_rejects(tmp_path: Path) -> None:
    comment = _records(COMMENTS)[1]
    whole = json.dumps(comment, ensure_ascii=False)
    damaged = json.dumps({**comment, "like_counts": "很多"}, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_text(f"{whole}\n{damaged}\n{whole[:-60]}\n{whole[:230]}", "utf-8")
    tables = read(tmp_path, pseudonymise=True)
    assert {row["author_id"][:2] for row in tables["comments"]} == {"a_"}
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(2, "like_counts"), (3, None), (4, None)]
    for row in tables["rejects"]:
        assert not any(secret in row["raw"] for secret in ("1700000003", "1700000001", "暗房", "光圈", "sinaimg")), row
        assert "ISO 3200直出" in row["raw"]


def test_records_of_odd_types(tmp_path: Path) -> None:
    own = _records(POSTS)[0]
    comment = _records(COMMENTS)[0]
    jsonl(
        tmp_path / "a.jsonl", {**own, "user": [], "content": {"a": 1}, "created_at": [], "reads_count": -5},
        {**comment, "comment_user": "匿名", "reply_comment": 7, "_id": 5211000100000001.0},
        {**own, "_id": 5.2e18}, {"_id": "1", "其他": 1},
    )  # fmt: skip
    tables = read(tmp_path)
    assert [(row["account_id"], row["published_at"], row["reads"]) for row in tables["posts"]] == [(None, None, None)]
    assert [(row["comment_id"], row["author_id"], row["parent_id"]) for row in tables["comments"]] == [
        ("5211000100000001", None, None)
    ]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [
        (1, "created_at"), (1, "reads_count"), (3, "_id"), (4, None)
    ]  # fmt: skip


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    for path in (POSTS, COMMENTS, USERS):
        (tmp_path / path.stem).write_bytes(path.read_bytes())
    jsonl(tmp_path / "fan", FAN)
    assert {source.reader for source in discover([tmp_path])[0]} == {"nghuyong-WeiboSpider"}
