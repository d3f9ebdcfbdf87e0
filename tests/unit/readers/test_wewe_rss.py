import json
import sqlite3
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinzhi.convert import convert
from pinzhi.readers import Pseudonymiser, discover, read_source
from pinzhi.readers.feeds import feed_time
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import KEY, read, utc

ARCHIVE = ROOT / "tests/data/archives/wewe-rss"
FEED, DATABASE = ARCHIVE / "feed.json", ARCHIVE / "wewe-rss.db"
ID, ACCOUNT = "AbCdEfGhIjKlMnOpQrSt01", "MP_WXS_3900000001"
TEXT = "十年前，我们只想开一间不卖奶茶的茶铺。"
ARTICLE = {
    "platform": "wechat", "post_id": ID, "account_id": ACCOUNT, "title": "十年前我们只想开一间不卖奶茶的茶铺", "text": TEXT,
    "published_at": utc("2026-06-18T12:00:01"), "time_precision": "second", "url": f"https://mp.weixin.qq.com/s/{ID}",
}  # fmt: skip
HTML = f"<style> .rich_media_content {{color: #222;}}</style><div class=rich_media_content><p>{TEXT}</p></div>"


def _rss(*items: str, link: str = f"http://localhost:4000/feeds/{ACCOUNT}.rss") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>青屿茶铺</title><link>{link}</link><generator>WeWe-RSS</generator><image><title>图</title></image>{''.join(items)}"
        "</channel></rss>"
    )


def _rss_item(id_: str = ID, body: str = HTML, date: str = "Thu, 18 Jun 2026 12:00:01 GMT") -> str:
    return (
        f"<item><title><![CDATA[{ARTICLE['title']}]]></title><link>https://mp.weixin.qq.com/s/{id_}</link>"
        f"<guid isPermaLink='false'>https://mp.weixin.qq.com/s/{id_}</guid><pubDate>{date}</pubDate><description/>"
        f"<content:encoded><![CDATA[{body}]]></content:encoded></item>"
    )


def _atom(body: str = f'<content type="html">{escape(HTML)}</content>') -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>http://localhost:4000/feeds/{ACCOUNT}.atom</id><title>青屿茶铺</title><author><name>青屿茶铺</name></author>"
        f'<entry><title type="html"><![CDATA[{ARTICLE["title"]}]]></title><id>{ID}</id><link href="https://mp.weixin.qq.com/s/{ID}"/>'
        f"<updated>2026-06-18T12:00:01.000Z</updated>{body}</entry></feed>"
    )


def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FEED.read_text("utf-8"))
    return found


def _written(path: Path, data: Any, indent: int | None = 4) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent), "utf-8")
    return path


def test_the_database_has_titles_alone() -> None:
    tables = read(DATABASE)
    [row] = tables["posts"]
    assert row == {**dict.fromkeys(row), **ARTICLE, "text": "", "fetched_at": utc("2026-09-10T00:26:40")}
    [account] = tables["accounts"]
    assert (account["platform"], account["account_id"], account["name"]) == ("wechat", ACCOUNT, "青屿茶铺")
    assert tables["rejects"] == []


@pytest.mark.parametrize("indent", [None, 4])
def test_a_json_feed(indent: int | None, tmp_path: Path) -> None:
    tables = read(_written(tmp_path / "feed.json", _data(), indent))
    [row] = tables["posts"]
    assert row == {**dict.fromkeys(row), **ARTICLE} and tables == read(FEED)
    assert [(one["account_id"], one["name"]) for one in tables["accounts"]] == [(ACCOUNT, "青屿茶铺")]
    assert tables["rejects"] == []


@pytest.mark.parametrize(
    "content",
    [_rss(_rss_item()), _atom(), _atom(f"<summary>{escape(HTML)}</summary><content/>"),
     _atom(f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>{TEXT}</p></div></content>')],
)  # fmt: skip
def test_feeds_in_xml(content: str, tmp_path: Path) -> None:
    (tmp_path / "feed").write_text(content, "utf-8")
    tables = read(tmp_path)
    [row] = tables["posts"]
    assert row == {**dict.fromkeys(row), **ARTICLE}
    assert [(one["account_id"], one["name"]) for one in tables["accounts"]] == [(ACCOUNT, "青屿茶铺")]
    assert tables["rejects"] == []


def test_database_and_feed_are_one_set(tmp_path: Path) -> None:
    convert([ARCHIVE], tmp_path, None)
    [row] = read_table(tmp_path / "posts", CANONICAL["posts"]).to_pylist()
    assert (row["post_id"], row["text"]) == (ID, TEXT)


@pytest.mark.parametrize("indent", [None, 4])
def test_a_text_that_could_not_be_fetched(indent: int | None, tmp_path: Path) -> None:
    data = _data()
    data["items"].append({**data["items"][0], "id": "BbCdEfGhIjKlMnOpQrSt02", "url": "https://mp.weixin.qq.com/s/BbCdEfGhIjKlMnOpQrSt02",
                          "content_html": "获取全文失败，请重试~"})  # fmt: skip
    tables = read(_written(tmp_path / "feed.json", data, indent))
    assert [(row["post_id"], row["text"]) for row in tables["posts"]] == [(ID, TEXT), ("BbCdEfGhIjKlMnOpQrSt02", "")]
    assert [row["field"] for row in tables["rejects"]] == ["content_html"]


def test_a_feed_of_all_accounts_names_none_by_its_id(tmp_path: Path) -> None:
    data = _data() | {"title": "WeWe-RSS All", "home_page_url": "http://localhost:4000/feeds/all.json"}
    data["items"][0]["author"] = {"name": "-"}
    tables = read(_written(tmp_path / "all.json", data))
    assert [(row["post_id"], row["account_id"]) for row in tables["posts"]] == [(ID, None)] and tables["accounts"] == []
    data["home_page_url"] = "https://x"
    tables = read(_written(tmp_path / f"{ACCOUNT}.json", data))  # the name of the file tells
    assert [row["account_id"] for row in tables["posts"]] == [ACCOUNT]


def test_other_tables_of_the_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(DATABASE.read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO accounts (id, token, name) VALUES ('1', 'secret', '某人')")
        connection.execute("CREATE TABLE _prisma_migrations (id)")
        connection.execute("INSERT INTO _prisma_migrations VALUES (1)")
        connection.execute("UPDATE articles SET updated_at = '2026-09-10 00:26:40', publish_time = 0, title = X'ff'")
    connection.close()
    tables = read(path)
    [row] = tables["posts"]
    assert (row["fetched_at"], row["published_at"], row["title"]) == (utc("2026-09-10T00:26:40"), None, "\ufffd")
    assert [row["field"] for row in tables["rejects"]] == ["accounts", "_prisma_migrations"]
    assert "secret" not in str(tables)


def test_feeds_of_others_are_not_taken_for_this_tool(tmp_path: Path) -> None:
    other = _rss("<item><title>x</title><link>https://example.org/1</link></item>", link="https://example.org")
    (tmp_path / "a.rss").write_text(other.replace("WeWe-RSS", "其他"), "utf-8")
    _written(
        tmp_path / "b.json",
        {
            "version": "https://jsonfeed.org/version/1",
            "title": "x",
            "items": [{"id": "1", "url": "https://example.org/1"}],
        },
    )
    sources, unread = discover([tmp_path])
    assert [source.reader for source in sources] == ["site"]
    assert ["no reader knows" in reject.reason for reject in unread] == [True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [("<rss><channel><title>x</title></channel></rss>", "without any"), ('<rss><!DOCTYPE x [<!ENTITY a "ha">]>', "whole feed"),
     ('<!DOCTYPE rss [<!ENTITY a "ha">]><rss><channel><item><title>&a;</title></item></channel></rss>', "declares entities"),
     ("<rss><channel><item>" + "<a>" * 500, "nested too deep"), ("<feed " + "a" * (3 << 20), "a tag beyond 128 KiB"),
     ("<feed><entry>" + "".join(f"<{'a' * 5000}{n}/>" for n in range(2000)), "more names than an export"), ("<rss><channel></rss>", "damaged")],
)  # fmt: skip
def test_hostile_feeds_get_a_sentence(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(content, "utf-8")
    [reject] = read(tmp_path)["rejects"]
    assert reason in reject["reason"] and reject["raw"] is None


def test_a_cut_feed_gives_its_whole_entries(tmp_path: Path) -> None:
    content = _rss(_rss_item(), _rss_item("BbCdEfGhIjKlMnOpQrSt02"))
    (tmp_path / "a.xml").write_text(content[: content.index("BbCdEfGhIjKlMnOpQrSt02") + 60], "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == [ID]
    assert [(row["line"], "whole feed" in row["reason"]) for row in tables["rejects"]] == [(2, True)]


def test_a_giant_entry_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinzhi.readers.feeds.MAX_LINE", 2000)
    long = _rss_item("BbCdEfGhIjKlMnOpQrSt02", "<p>" + "长" * 3000 + "</p>")
    (tmp_path / "a.xml").write_text(_rss(_rss_item(), long, _rss_item("CbCdEfGhIjKlMnOpQrSt03")), "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == [ID, "CbCdEfGhIjKlMnOpQrSt03"]
    assert [(row["line"], "longer one" in row["reason"]) for row in tables["rejects"]] == [(2, True)]


def test_entries_of_odd_types(tmp_path: Path) -> None:
    item = _data()["items"][0]
    odd = [
        {**item, "id": {"a": 1}, "url": 7, "title": ["x"], "content_html": {"a": 1}, "date_modified": "昨天"},
        {"title": "x"},
        5,
    ]
    for indent in (None, 4):
        tables = read(_written(tmp_path / "feed.json", {**_data(), "items": [item, *odd]}, indent))
        assert [row["post_id"] for row in tables["posts"]] == [ID]
        assert len(tables["rejects"]) >= 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Thu, 18 Jun 2026 20:00:01 +0800", utc("2026-06-18T12:00:01")), ("Thu, 99 Jun 2026 20:00:01 GMT", None), ("Thu, " + "1" * 50, None), ("x", None), (7, None)],
)  # fmt: skip
def test_times_of_rss(text: Any, expected: Any) -> None:
    assert feed_time(text) == (text if expected is None else expected)


JUNK = [b"", b"<", b"</item>", b"<entry>", b"]]>", b"<![CDATA[", b"&x;", b"&#0;", b"\xff\xfe", b'type="xhtml"', b"<!DOCTYPE a>", b'<?xml version="1.0" encoding="odd"?>']  # fmt: skip


@settings(max_examples=40, deadline=4000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from([_rss(_rss_item(), _rss_item("BbCdEfGhIjKlMnOpQrSt02")), _atom()]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(JUNK)), min_size=1, max_size=4),
)
def test_no_damaged_feed_breaks_the_reader(tmp_path: Path, seed: str, cuts: list[tuple[float, int, bytes]]) -> None:
    content = seed.encode()
    for where, length, junk in cuts:
        at = int(where * len(content))
        content = content[:at] + junk + content[at + length :]
    (tmp_path / "a.xml").write_bytes(content)
    sources, rejects = discover([tmp_path])
    assert sources or rejects
    for source in sources:
        for table, batch in read_source(source, Pseudonymiser(KEY)):
            assert batch.schema.equals(CANONICAL[table])
