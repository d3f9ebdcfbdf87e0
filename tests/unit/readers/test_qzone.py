import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.unit.readers.helpers import read, utc

ARCHIVE = ROOT / "tests/data/archives/qzoneexport/QQ空间备份_1000/Messages/messages.json"
ITEM = {"id": "9001", "uin": 10000002, "nickname": "大强", "htmlContent": "<div>来踩踩 &amp; 祝好</div>", "pubtime": "2012-06-01 08:00:00", "secret": 0,
        "replyList": [{"uin": 10000001, "nick": "林小舟", "content": "谢谢", "time": 1338508800}]}  # fmt: skip


def _message() -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(ARCHIVE.read_text("utf-8"))
    return found[0]


def _written(path: Path, data: Any, indent: int | None = None) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent), "utf-8")
    return path


def test_messages_with_comments_and_answers() -> None:
    tables = read(ARCHIVE)
    [post] = tables["posts"]
    assert post == {
        **dict.fromkeys(post), "platform": "qq", "post_id": "ff00aa01", "account_id": "10000001", "comments": 1,
        "published_at": utc("2012-05-20T05:14"), "time_precision": "second", "text": "毕业第一年[em]e100[/em]",
    }  # fmt: skip
    comment, answer = tables["comments"]
    assert comment == {
        **dict.fromkeys(comment), "platform": "qq", "comment_id": "ff00aa01_1", "post_id": "ff00aa01", "author_id": "10000002",
        "author_name": "大强", "created_at": utc("2012-05-20T05:20"), "time_precision": "second", "text": "想你们@阿May",
    }  # fmt: skip
    assert (answer["comment_id"], answer["parent_id"], answer["text"]) == ("ff00aa01_1_1", "ff00aa01_1", "@大强 周末聚")
    assert answer["created_at"] == utc("2012-05-20T05:30")
    assert [(row["account_id"], row["name"]) for row in tables["accounts"]] == [("10000001", "林小舟")]
    assert tables["rejects"] == []


def test_forwards_visitors_and_likes(tmp_path: Path) -> None:
    data = {
        **_message(),
        "rt_tid": "ff00aa00",
        "rt_con": {"content": "原话"},
        "likes": [{}, {}],
        "custom_visitor": {"viewCount": 12},
    }
    [post] = read(_written(tmp_path / "a.json", [data]))["posts"]
    assert (post["reposted_post_id"], post["quoted_text"], post["kind"]) == ("ff00aa00", "原话", "repost")
    assert (post["likes"], post["reads"]) == (2, 12)


@pytest.mark.parametrize("indent", [None, 2])
def test_the_board(indent: int | None, tmp_path: Path) -> None:
    data = {
        "items": [ITEM, {**ITEM, "id": "9002", "secret": 1}],
        "authorInfo": {"message": "欢迎", "sign": ""},
        "total": 2,
    }
    tables = read(_written(tmp_path / "boards.json", data, indent))
    [post] = tables["posts"]
    assert (post["post_id"], post["account_id"], post["text"], post["kind"]) == (
        "9001",
        "10000002",
        "来踩踩 & 祝好",
        "board",
    )
    assert post["published_at"] == utc("2012-06-01T00:00")
    [answer] = tables["comments"]
    assert (answer["post_id"], answer["parent_id"], answer["text"]) == ("9001", None, "谢谢")
    assert "not read: a private message" in [row["reason"] for row in tables["rejects"]]


def test_odd_comments_cost_themselves_alone(tmp_path: Path) -> None:
    data = _message()
    data["custom_comments"] += [
        "x",
        None,
        {"content": "没有编号", "list_3": "x"},
        {"tid": 4, "list_3": [7, {"content": "回"}]},
    ]
    tables = read(_written(tmp_path / "a.json", [data, {**data, "tid": 1.5e18}, {"tid": "x"}]))
    ids = [row["comment_id"] for row in tables["comments"]]
    assert ids == ["ff00aa01_1", "ff00aa01_1_1", "ff00aa01_r3", "ff00aa01_4", "ff00aa01_4_r1"]
    assert len(tables["posts"]) == 1
    assert {row["line"] for row in tables["rejects"]} == {1, 2, 3}


def test_no_reject_names_an_author(tmp_path: Path) -> None:
    data = {**_message(), "created_time": "昨天", "custom_create_time": ""}
    tables = read(_written(tmp_path / "a.json", [data]), pseudonymise=True)
    assert tables["rejects"] and all(row["author_id"].startswith("a_") for row in tables["comments"])
    assert not any(secret in tables["rejects"][0]["raw"] for secret in ('大强"', "林小舟", '10000002"', '"uin": 1'))
