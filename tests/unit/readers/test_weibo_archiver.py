import json
from pathlib import Path
from typing import Any

import pytest

from pinzhi.readers import discover
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc

ARCHIVE = ROOT / "tests/data/archives/weibo-archiver/weibo-data-光圈老韩.json"
OLD = {"id": 5211000000000001, "mblogid": "QbAbcDe01", "text": "样张[img://https://wx1.sinaimg.cn/a.jpg]来了", "like_count": 5518,
       "created_at": "Tue Sep 01 09:30:00 +0800 2026", "reposts_count": 3, "comments_count": 822, "imgs": [],
       "user": {"id": "1700000001", "screen_name": "光圈老韩"},
       "retweeted_status": {"id": 5210400000000007, "mblogid": "QbXyz0007", "text": "原文", "created_at": "Sun Aug 30 12:00:00 +0800 2026",
                            "like_count": 2, "reposts_count": 1, "comments_count": 1, "user": {"id": 1700000002, "screen_name": "秦"}},
       "comments": [{"id": 5211000100000001, "text": "好", "created_at": "Tue Sep 01 09:41:10 +0800 2026", "like_count": 45,
                     "user": {"id": 1700000003, "screen_name": "暗房里的猫"}}]}  # fmt: skip


def _data() -> dict[str, Any]:
    return json.loads(ARCHIVE.read_text("utf-8"))


def _written(path: Path, data: Any, indent: int | None = None) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent), "utf-8")
    return path


def test_posts_reposts_originals_and_favourites() -> None:
    tables = read(ARCHIVE)
    posts = by_id(tables["posts"], "post_id")
    assert len(tables["posts"]) == len(posts) == 4 and tables["rejects"] == []
    own = posts["5211000000000001"]
    assert own == {
        **dict.fromkeys(own), "platform": "weibo", "post_id": "5211000000000001", "account_id": "1700000001", "kind": "original",
        "published_at": utc("2026-09-01T01:30"), "time_precision": "second", "likes": 5518, "reposts": 1_000_000, "comments": 822,
        "text": "#栗光相机# 新固件的夜景对焦终于不拉风箱了[泪]\n样张：https://photo.example.com/1", "count_floors": ["reposts"],
    }  # fmt: skip
    repost, original = posts["5210500000000009"], posts["5210400000000007"]
    assert (repost["text"], repost["kind"]) == ("说得好//@等等党小秦:等一个黑五价", "repost")
    assert (repost["reposted_post_id"], repost["quoted_text"]) == ("5210400000000007", "#黑五#大家准备买啥@光圈老韩")
    assert (repost["account_id"], repost["published_at"]) == ("1700000001", utc("2026-08-30T14:10:05"))
    assert (original["account_id"], original["likes"], original["reposts"], original["comments"]) == (
        "1700000002",
        12000,
        880,
        2001,
    )
    favourite = posts["5201000000000003"]
    assert (favourite["account_id"], favourite["text"]) == ("1700000009", "采茶第三天[打call]")
    assert (favourite["published_at"], favourite["reposts"]) == (utc("2026-04-03T22:00"), 0)


def test_comments_belong_to_the_post_that_holds_them() -> None:
    [comment] = read(ARCHIVE)["comments"]
    assert comment == {
        **dict.fromkeys(comment), "platform": "weibo", "comment_id": "5211000100000001", "post_id": "5211000000000001",
        "author_id": "1700000003", "author_name": "暗房里的猫", "created_at": utc("2026-09-01T01:41:10"), "time_precision": "second",
        "text": "老韩这张[赞]暗部好干净", "likes": 45,
    }  # fmt: skip


def test_the_user_whom_it_follows_and_authors() -> None:
    accounts = read(ARCHIVE)["accounts"]
    assert [row["account_id"] for row in accounts] == ["1700000002", "1700000009", "1700000002", "1700000001"]
    followed, user = accounts[2:]
    assert (followed["name"], followed["followers"], followed["following"]) == ("等等党小秦", 87, 88)
    assert user == {"platform": "weibo", "account_id": "1700000001", "name": "光圈老韩", "followers": 664000, "following": 201,
                    "posts": 3021, "verified": None, "fetched_at": utc("2026-09-21T13:00")}  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("key", ["weibo", "posts"])
def test_sections_behind_the_first_records(key: str, indent: int | None, tmp_path: Path) -> None:
    data = _data()
    posts = [{**data["weibo"][0], "id": str(5211000000000100 + at)} for at in range(40)]
    _written(tmp_path / "a", {key: posts, **{name: data[name] for name in ("favorites", "followings", "user")}}, indent)
    tables = read(tmp_path)
    assert [len(tables[table]) for table in ("posts", "comments", "accounts", "rejects")] == [41, 40, 3, 0]


def test_lists_of_an_unfinished_run(tmp_path: Path) -> None:
    data = _data()
    pages = "".join(json.dumps([post], ensure_ascii=False) + "\n" for post in data["weibo"])
    (tmp_path / "weibo.jsonl").write_text(pages, "utf-8")  # a page is a line with an array
    _written(tmp_path / "data-user.json", data["user"], 2)
    _written(tmp_path / "data-followings-1789995607000.json", data["followings"])
    _written(tmp_path / "data-favorites-1789995607000.json", data["favorites"])
    parts, whole = read(tmp_path), read(ARCHIVE)
    for table in ("posts", "comments", "accounts"):
        assert sorted(map(repr, parts[table])) == sorted(map(repr, whole[table]))
    assert parts["rejects"] == []


@pytest.mark.parametrize("kind", ["array", "lines"])
def test_older_versions(kind: str, tmp_path: Path) -> None:
    content = json.dumps([OLD]) if kind == "array" else json.dumps(OLD) + "\n" + json.dumps({**OLD, "id": 1})
    (tmp_path / "a.json").write_text(content, "utf-8")
    tables = read(tmp_path)
    posts = by_id(tables["posts"], "post_id")
    own, original = posts["5211000000000001"], posts["5210400000000007"]
    assert (own["text"], own["likes"], own["account_id"], own["kind"]) == ("样张来了", 5518, "1700000001", "repost")
    assert (own["quoted_text"], own["reposted_post_id"]) == ("原文", "5210400000000007")
    assert (original["account_id"], original["published_at"]) == ("1700000002", utc("2026-08-30T04:00"))
    assert (tables["comments"][0]["author_id"], tables["comments"][0]["post_id"]) == ("1700000003", "5211000000000001")
    assert tables["rejects"] == []


def test_an_original_that_cannot_be_seen(tmp_path: Path) -> None:
    data = _data()
    repost = data["weibo"][1]
    gone = {key: value for key, value in repost["retweet"].items() if key != "user"}
    repost["retweet"] = {**gone, "text": "抱歉，此微博已被作者删除。查看帮助：https://weibo.com/x"}
    tables = read(_written(tmp_path / "a.json", data))
    posts = by_id(tables["posts"], "post_id")
    assert (posts["5210400000000007"]["text"], posts["5210400000000007"]["kind"]) == ("", "deleted")
    assert posts["5210400000000007"]["account_id"] is None and posts["5210500000000009"]["quoted_text"] is None
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(2, "text")]


def test_a_cut_archive_gives_its_whole_posts(tmp_path: Path) -> None:
    content = ARCHIVE.read_text("utf-8")
    (tmp_path / "a.json").write_text(content[: content.index("QbXyz0007")], "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["5211000000000001"]
    assert any("cut" in row["reason"] for row in tables["rejects"])


def test_no_comment_is_taken_for_a_post_behind_a_fault(tmp_path: Path) -> None:
    data = _data()
    comment = data["weibo"][0]["comments"][0]
    data["weibo"][0]["comments"] = [comment, {**comment, "id": "2"}, {**comment, "id": "3"}]
    content = json.dumps(data, ensure_ascii=False).replace('"mblogid": "QbAbcDe01"', '"mblogid" "QbAbcDe01"')
    (tmp_path / "a.json").write_text(content, "utf-8")
    tables = read(tmp_path, pseudonymise=True)
    assert {row["post_id"] for row in tables["posts"]} >= {"5210500000000009", "5201000000000003"}
    assert not {"2", "3", "5211000100000001"} & {row["post_id"] for row in tables["posts"]}
    raws = [row["raw"] or "" for row in tables["rejects"]]
    assert raws and not any("暗房里的猫" in raw or "1700000003" in raw for raw in raws)


def test_records_of_odd_types(tmp_path: Path) -> None:
    post, repost = _data()["weibo"]
    odd = [
        {**post, "userId": {"a": 1}, "text": ["x"], "comments": "无", "likesCount": "很多", "retweet": "x"},
        {**post, "id": "2", "comments": [7, None, {"id": "", "user": []}], "createdAt": "昨天"},
        {**repost, "id": "3", "retweet": {"id": "", "text": None, "user": "x"}, "user": {"uid": None}},
    ]
    tables = read(_written(tmp_path / "a.json", {"weibo": odd, "followings": [{"uid": "4"}, 5], "user": None}))
    assert [row["post_id"] for row in tables["posts"]] == ["5211000000000001", "2", "3"] and tables["comments"] == []
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [
        (1, "userId"), (1, "likesCount"), (2, "createdAt"), (2, "comments"), (2, "comments"), (2, "comment_id"),
        (3, "retweet"), (1, None), (2, None),
    ]  # fmt: skip


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    _written(tmp_path / "a", {**_data(), "settings": [{"a": 1}]})
    _written(tmp_path / "b", [OLD])
    (tmp_path / "imgs-光圈老韩.csv").write_text("https://wx1.sinaimg.cn/a.jpg,\nhttps://wx1.sinaimg.cn/b.jpg", "utf-8")
    sources, unread = discover([tmp_path])
    assert [source.reader for source in sources] == ["Weibo-archiver"] * 2 and len(unread) == 1
    assert [row["field"] for row in read(tmp_path / "a")["rejects"]] == ["settings"]


def test_one_indented_post_that_holds_its_author(tmp_path: Path) -> None:
    author = {"uid": 17, "name": "n", "followers": 3, "followings": 4}
    record = {"id": 5, "mblogid": "Q", "text": "好", "likesCount": 1, "user": author, "comments": []}
    (tmp_path / "a.json").write_text(json.dumps(record, indent=2), "utf-8")
    tables = read(tmp_path)
    assert [(row["post_id"], row["account_id"]) for row in tables["posts"]] == [("5", "17")]
    assert [(row["account_id"], row["followers"]) for row in tables["accounts"]] == [("17", 3)]
