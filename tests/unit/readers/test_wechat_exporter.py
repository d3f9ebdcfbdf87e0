import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pinzhi.convert import convert
from pinzhi.readers import discover, wechat
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc

ARCHIVE = ROOT / "tests/data/archives/wechat-article-exporter"
JSON, XLSX = ARCHIVE / "微信公众号文章.json", ARCHIVE / "微信公众号文章.xlsx"
ONE, OTHER = "MzkwMDAwMDAwMQ==", "MzkwMDAwMDAwMg=="  # accounts 3900000001 and 3900000002
ARTICLE = {
    "platform": "wechat", "post_id": "2650000001_1", "title": "十年前我们只想开一间不卖奶茶的茶铺", "kind": "普通图文",
    "text": "十年前，我们只想开一间不卖奶茶的茶铺。\n\n那时候路口还没有地铁。", "published_at": utc("2026-06-18T12:05"),
    "time_precision": "second", "likes": 812, "reposts": 2210, "comments": 63, "reads": 100_001, "count_floors": ["reads"],
    "url": "http://mp.weixin.qq.com/s?__biz=MzFake&mid=2650000001&idx=1&sn=abc#rd",
}  # fmt: skip


def _data() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(JSON.read_text("utf-8"))
    return found


def _written(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False), "utf-8")
    return path


def _link(account: str, mid: int = 2650000001, idx: int = 1) -> str:
    return f"http://mp.weixin.qq.com/s?__biz={account}&mid={mid}&idx={idx}&sn=abc#rd"


def test_articles() -> None:
    tables = read(JSON)
    first, second = tables["posts"]
    assert first == {**dict.fromkeys(first), **ARTICLE, "account_id": "MzFakeBiz01=="}
    assert second == {
        **dict.fromkeys(second), "platform": "wechat", "post_id": "2650000001_2", "account_id": "MzFakeBiz01==", "text": "",
        "title": "本周上新：桂花乌龙冷泡瓶", "kind": "图片分享", "published_at": utc("2026-06-18T12:00:01"), "time_precision": "second",
        "url": "http://mp.weixin.qq.com/s?__biz=MzFake&mid=2650000001&idx=2&sn=abc#rd",
    }  # fmt: skip
    assert {(row["account_id"], row["name"], row["followers"]) for row in tables["accounts"]} == {
        ("MzFakeBiz01==", "青屿茶铺", None)
    }
    assert tables["rejects"] == []


def test_the_workbook_holds_the_same_articles_without_their_account() -> None:
    tables = read(XLSX)
    assert tables["posts"] == [{**row, "account_id": None} for row in read(JSON)["posts"]]
    assert tables["accounts"] == [] and tables["rejects"] == []


def test_comments_and_the_account_that_answers() -> None:
    comment, answer = read(JSON)["comments"]
    assert comment == {
        **dict.fromkeys(comment), "platform": "wechat", "comment_id": "11510000001", "post_id": "2650000001_1",
        "author_id": "oFake11510000001", "author_name": "老茶客", "created_at": utc("2026-06-18T13:00"), "time_precision": "second",
        "text": "第一家店的门牌还在吗[玫瑰]", "likes": 188,
    }  # fmt: skip
    assert answer == {
        **dict.fromkeys(answer), "platform": "wechat", "comment_id": "11510000001_1", "post_id": "2650000001_1",
        "parent_id": "11510000001", "author_id": "MzFakeBiz01==", "author_name": "青屿茶铺", "created_at": utc("2026-06-18T13:30"),
        "time_precision": "second", "text": "在的，挂在仓库里", "likes": 0,
    }  # fmt: skip


def test_both_files_are_one_set(tmp_path: Path) -> None:
    convert([ARCHIVE], tmp_path, None)
    posts = read_table(tmp_path / "posts", CANONICAL["posts"]).to_pylist()
    assert [(row["post_id"], row["account_id"]) for row in posts] == [
        ("2650000001_1", "MzFakeBiz01=="),
        ("2650000001_2", "MzFakeBiz01=="),
    ]


def test_accounts_that_number_their_articles_alike_are_told_apart(tmp_path: Path) -> None:
    first, _ = _data()
    articles = [{**first, "fakeid": account, "link": _link(account)} for account in (ONE, OTHER)]
    _written(tmp_path / "a.json", articles)
    book = openpyxl.load_workbook(XLSX)
    sheet = book.worksheets[0]
    sheet.delete_rows(3)
    sheet["C2"] = _link(ONE).replace("==", "%3D%3D")
    book.save(tmp_path / "b.xlsx")
    tables = read(tmp_path)
    assert [(row["post_id"], row["account_id"]) for row in tables["posts"]] == [
        ("3900000001_2650000001_1", ONE),
        ("3900000002_2650000001_1", OTHER),
        ("3900000001_2650000001_1", ONE),
    ]
    assert {row["post_id"] for row in tables["comments"]} == {"3900000001_2650000001_1", "3900000002_2650000001_1"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [({"aid": ""}, "2650000001_1"), ({"aid": None, "appmsgid": 2650000009, "itemidx": 3}, "2650000009_3"),
     ({"aid": "", "appmsgid": "", "link": _link(ONE, 2650000004, 2)}, "2650000004_2"), ({"fakeid": ONE}, "3900000001_2650000001_1"),
     ({"fakeid": "", "link": _link(ONE)}, "3900000001_2650000001_1"), ({"fakeid": "MzFake"}, "2650000001_1")],
)  # fmt: skip
def test_ids(record: dict[str, Any], expected: str, tmp_path: Path) -> None:
    first, _ = _data()
    assert read(_written(tmp_path / "a.json", [{**first, **record}]))["posts"][0]["post_id"] == expected


@pytest.mark.parametrize(
    ("link", "account", "article", "short"),
    [(_link(ONE), ONE, "2650000001_1", None), (_link(ONE).replace("&", "&amp;"), ONE, "2650000001_1", None),
     ("https://mp.weixin.qq.com/s/AbCdEfGhIjKlMnOpQrSt01", None, None, "AbCdEfGhIjKlMnOpQrSt01"), (None, None, None, None),
     (_link("notanaccount"), None, "2650000001_1", None), ("&mid=1" * 100_000, None, None, None), ({"a": 1}, None, None, None)],
)  # fmt: skip
def test_what_an_address_tells(link: Any, account: str | None, article: str | None, short: str | None) -> None:
    assert (wechat.account_of(link), wechat.article_of(link), wechat.short_id(link)) == (account, article, short)


def test_metadata_that_was_not_fetched_is_unknown_and_nothing_is_nothing(tmp_path: Path) -> None:
    first, second = _data()
    tables = read(
        _written(
            tmp_path / "a.json", [{**first, "readNum": 0, "oldLikeNum": 0, "shareNum": 99, "commentNum": None}, second]
        )
    )
    zero, unknown = ([row[name] for name in ("reads", "likes", "reposts", "comments")] for row in tables["posts"])
    assert (zero, unknown) == ([0, 0, 99, None], [None] * 4)
    assert [row["count_floors"] for row in tables["posts"]] == [None, None]


def test_html_bodies_become_text(tmp_path: Path) -> None:
    first, _ = _data()
    html = "<div id='js_article'><section><p>一&nbsp;&amp;&nbsp;二</p><p><img src='x'/></p></section><section>三<br>四</section></div>"
    [post] = read(_written(tmp_path / "a.json", [{**first, "content": html, "title": "茶 &amp; 水"}]))["posts"]
    assert (post["text"], post["title"]) == ("一 & 二\n三\n四", "茶 & 水")


@pytest.mark.parametrize("notice", ["该内容已被发布者删除", "此内容因违规无法查看", "此帐号已自主注销，内容无法查看"])
def test_the_words_of_the_platform_are_no_text(notice: str, tmp_path: Path) -> None:
    first, second = _data()
    deleted = {**second, "is_deleted": True}
    tables = read(_written(tmp_path / "a.json", [{**first, "content": notice}, deleted]))
    assert [(row["text"], row["kind"]) for row in tables["posts"]] == [("", "普通图文"), ("", "deleted")]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(1, "content")]
    assert tables["posts"][1]["title"] == "本周上新：桂花乌龙冷泡瓶"


def test_answers_of_every_kind(tmp_path: Path) -> None:
    first, _ = _data()
    [comment] = first["comments"]
    answers = [
        {"reply_id": 1, "content": "旧", "nick_name": "甲"},
        {"reply_id": 2, "content": "乙说", "nick_name": "乙", "openid": "oB", "reply_like_num": 3},
    ]
    first["comments"] = [
        {**comment, "reply_new": {"reply_list": answers}},
        {
            **comment,
            "content_id": "9",
            "$reply_list": None,
            "reply": {"reply_list": [{"content": "老结构", "create_time": 1781789400}]},
        },
        {**comment, "content_id": None},
    ]
    tables = read(_written(tmp_path / "a.json", [first]))
    assert [(row["comment_id"], row["parent_id"], row["text"]) for row in tables["comments"]] == [
        ("11510000001", None, "第一家店的门牌还在吗[玫瑰]"), ("11510000001_1", "11510000001", "在的，挂在仓库里"),
        ("11510000001_2", "11510000001", "乙说"), ("9", None, "第一家店的门牌还在吗[玫瑰]"), ("9_r0", "9", "老结构"),
    ]  # fmt: skip
    assert tables["comments"][2]["author_id"] == "oB" and tables["comments"][2]["likes"] == 3
    assert [row["field"] for row in tables["rejects"]] == ["comment_id", "comment_id"]  # a comment and its answer


def test_commenters_are_hidden_in_rows_and_rejects(tmp_path: Path) -> None:
    first, _ = _data()
    first["comments"].append({**first["comments"][0], "content_id": "8", "like_num": "很多"})
    tables = read(_written(tmp_path / "a.json", [{**first, "readNum": "很多"}]), pseudonymise=True)
    assert {row["author_id"][:2] for row in tables["comments"]} == {"a_"}
    assert [row["field"] for row in tables["rejects"]] == ["readNum", "like_num"]
    for row in tables["rejects"]:
        assert not any(secret in row["raw"] for secret in ("oFake11510000001", "老茶客", "wx.qlogo", "浙江")), row


def test_records_of_odd_types(tmp_path: Path) -> None:
    first, second = _data()
    odd = [
        {
            **first,
            "fakeid": {"a": 1},
            "content": ["x"],
            "title": None,
            "comments": "无",
            "item_show_type": [],
            "update_time": "昨天",
        },
        {**second, "comments": [7, None, {}], "oldLikeNum": -5, "_accountName": []},
        {**second, "aid": 1.5e30},
        {**second, "aid": "", "appmsgid": None, "link": None},
    ]
    tables = read(_written(tmp_path / "a.json", odd))
    assert [(row["post_id"], row["account_id"], row["kind"]) for row in tables["posts"]] == [
        ("2650000001_1", None, None),
        ("2650000001_2", "MzFakeBiz01==", "图片分享"),
    ]
    assert tables["comments"] == []
    fields = [(row["line"], row["field"]) for row in tables["rejects"]]
    assert {
        (1, "account"),
        (1, "update_time"),
        (2, "oldLikeNum"),
        (2, "comments"),
        (2, "comment_id"),
        (3, "post_id"),
        (4, "post_id"),
    } <= set(fields)


def test_a_cut_file_gives_its_whole_articles(tmp_path: Path) -> None:
    content = JSON.read_text("utf-8")
    (tmp_path / "a.json").write_text(content[: content.index("2650000001_2") + 40], "utf-8")
    tables = read(tmp_path, pseudonymise=True)
    assert [row["post_id"] for row in tables["posts"]] == ["2650000001_1"] and len(tables["comments"]) == 2
    assert any("cut" in row["reason"] for row in tables["rejects"])


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    for path in (JSON, XLSX):
        (tmp_path / path.suffix[1:]).write_bytes(path.read_bytes())
    book = openpyxl.load_workbook(XLSX)
    rows = [
        "\t".join("" if cell is None else str(cell).replace("\n", " ") for cell in row)
        for row in book.worksheets[0].values
    ]
    (tmp_path / "tsv").write_text("\n".join(rows), "utf-16")
    assert [source.reader for source in discover([tmp_path])[0]] == ["wechat-article-exporter"] * 3
    assert by_id(read(tmp_path / "tsv")["posts"], "post_id").keys() == {"2650000001_1", "2650000001_2"}


def test_the_link_names_the_account_even_where_it_hides_no_number(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(XLSX)
    book.worksheets[0]["C2"] = _link("MzFakeBiz03==")
    book.save(tmp_path / "微信公众号文章.xlsx")
    tables = read(tmp_path)
    assert [(row["post_id"], row["account_id"]) for row in tables["posts"]] == [
        ("2650000001_1", "MzFakeBiz03=="),
        ("2650000001_2", None),
    ]
    assert [row["account_id"] for row in tables["accounts"]] == ["MzFakeBiz03=="]
