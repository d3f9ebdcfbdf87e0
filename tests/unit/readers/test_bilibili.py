import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinzhi.convert import convert
from pinzhi.readers import discover
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc

ARCHIVES = ROOT / "tests/data/archives"
COMMENTS = ARCHIVES / "bilibili_crawler/comments"
DANMAKU = ARCHIVES / "bilibili_danmaku/【硬核】登山杖.xml"
ROOT_COMMENT = {
    "platform": "bilibili", "comment_id": "230000000001", "author_id": "50020001", "author_name": "不爱登山的鱼",
    "created_at": utc("2026-06-01T10:05:12"), "time_precision": "second", "text": "第二根断的时候我人都傻了[doge]", "likes": 1203,
}  # fmt: skip
ANSWER = {
    "platform": "bilibili", "comment_id": "230000000002", "author_id": "50020002", "author_name": "材料学在逃研究生",
    "created_at": utc("2026-06-01T10:09:00"), "time_precision": "second", "text": "碳纤维就是这样，过载直接脆断", "likes": 350,
}  # fmt: skip
FIRST = '<d p="12.34500,1,25,16777215,1780308600,0,a1b2c3d4,1500000000000000001,10">前方高能！！</d>'


def _xml(path: Path, inner: str | bytes, chat: str = "113200001") -> Path:
    head = f'<?xml version="1.0" encoding="UTF-8"?><i><chatserver>chat.bilibili.com</chatserver><chatid>{chat}</chatid>'
    path.write_bytes(head.encode() + (inner.encode() if isinstance(inner, str) else inner) + b"</i>")
    return path


@pytest.mark.parametrize(("number", "rows"), [(1, [ROOT_COMMENT]), (2, [ANSWER]), (3, [ROOT_COMMENT, ANSWER])])
def test_comments_have_their_times_in_utc_whatever_they_say(number: int, rows: list[dict[str, object]]) -> None:
    tables = read(COMMENTS / f"登山杖破坏测试_{number}.csv")
    assert tables["comments"] == [{**dict.fromkeys(CANONICAL["comments"].names), **row} for row in rows]
    assert tables["rejects"] == [] and tables["posts"] == []


def test_three_lists_are_one_set(tmp_path: Path) -> None:
    convert([COMMENTS], tmp_path, None)
    assert read_table(tmp_path / "comments", CANONICAL["comments"]).num_rows == 2


def test_a_comma_in_the_header_without_quotes_and_the_narrow_version(tmp_path: Path) -> None:
    text = (COMMENTS / "登山杖破坏测试_2.csv").read_text("utf-8-sig").replace('"', "")
    (tmp_path / "a.csv").write_text(text, "gb18030")
    (tmp_path / "b.csv").write_text(
        "昵称,性别,时间,点赞,评论,IP属地,等级,uid,rpid\n甲,男,2026-06-01 18:05,1.2万,好,,5,9,230000000003\t\n",
        "utf-8-sig",
    )
    found = by_id(read(tmp_path)["comments"], "comment_id")
    assert found["230000000002"]["created_at"] == ANSWER["created_at"]
    assert (found["230000000003"]["likes"], found["230000000003"]["created_at"]) == (12000, utc("2026-06-01T18:05"))
    assert found["230000000003"]["time_precision"] == "minute"


def test_ids_that_a_spreadsheet_damaged_are_rejects(tmp_path: Path) -> None:
    text = (COMMENTS / "登山杖破坏测试_3.csv").read_text("utf-8-sig").replace("230000000001", "2.3E+11")
    (tmp_path / "a.csv").write_text(text, "utf-8")
    tables = read(tmp_path)
    assert [row["comment_id"] for row in tables["comments"]] == ["230000000002"]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(2, "rpid")]


def test_danmaku() -> None:
    tables = read(DANMAKU)
    first, second = tables["comments"]
    assert first == {
        **dict.fromkeys(first), "platform": "bilibili", "comment_id": "1500000000000000001", "post_id": "113200001",
        "author_id": "a1b2c3d4", "created_at": utc("2026-06-01T10:10"), "time_precision": "second", "text": "前方高能！！",
    }  # fmt: skip
    assert (second["comment_id"], second["author_id"], second["text"]) == (
        "1500000000000000002",
        "0badf00d",
        "碳纤维<铝 & 钢",
    )
    assert second["created_at"] == utc("2026-06-01T10:11") and tables["rejects"] == []


def test_danmaku_of_a_database(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute(
        "CREATE TABLE danmaku (id INTEGER, progress INTEGER, mode INTEGER, content TEXT, ctime INTEGER, mid_hash TEXT, id_str TEXT)"
    )
    connection.execute(
        "INSERT INTO danmaku VALUES (1500000000000000001, 12345, 1, '前方高能！！', 1780308600, 'a1b2c3d4', '1500000000000000001')"
    )
    connection.commit()
    connection.close()
    [row] = read(tmp_path)["comments"]
    assert row == {**read(DANMAKU)["comments"][0], "post_id": None}


def test_what_is_typed_into_danmaku_is_read(tmp_path: Path) -> None:
    p = "1,{mode},25,0,1780308600,0,a,{id}"
    texts = ["控\x01制\x0b", "A&B &nbsp;", "&#20;&#x4e00;&#xD800;", "<![CDATA[1<2]]>"]
    rows = [f'<d p="{p.format(mode=1, id=10 + at)}">{text}</d>' for at, text in enumerate(texts)]
    rows.append(f'<d p="{p.format(mode=7, id=20)}">["0","0","1-1","4","站住","0"]</d>')
    rows.append(f'<d p="{p.format(mode=7, id=21)}">{"[" * 5000}</d>')
    rows.append(f'<d p="{p.format(mode=8, id=22)}">trace(1)</d>')
    tables = read(_xml(tmp_path / "a.xml", "\n".join(rows)))
    found = {row["comment_id"]: row["text"] for row in tables["comments"]}
    assert [found[str(at)] for at in range(10, 14)] == ["控制", "A&B", "一", "1<2"]
    assert found["20"] == "站住" and found["22"] == "" and len(found) == 7
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(7, "content")]


def test_references_across_chunks(tmp_path: Path) -> None:
    for shift in range(12):
        text = "好" * (16_300 + shift) + "&lt;" * 40
        [row] = read(_xml(tmp_path / "a.xml", f'<d p="1,1,25,0,1780308600,0,a,7">{text}</d>'))["comments"]
        assert row["text"] == "好" * (16_300 + shift) + "<" * 40


def test_danmaku_without_ids_are_kept_apart(tmp_path: Path) -> None:
    rows = (
        "".join(f'<d p="{at},1,25,0,1780308600,0,,0">{text}</d>' for at, text in ((1, "好"), (1, "坏"), (2, "好")))
        + "<d>无</d>"
    )
    found = read(_xml(tmp_path / "a.xml", rows))["comments"]
    assert len({row["comment_id"] for row in found}) == 4
    assert found[-1]["created_at"] is None and found[0]["author_id"] is None


def test_a_cut_file_and_broken_bytes_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(f"<i><chatid>1</chatid>{FIRST}{FIRST[:40]}", "utf-8")
    _xml(tmp_path / "b.xml", b'<d p="1,1,25,0,1780308600,0,a,5">\xff</d>')
    tables = read(tmp_path)
    assert [row["comment_id"] for row in tables["comments"]] == ["1500000000000000001", "5"]
    assert [(row["source"], row["line"], row["field"]) for row in tables["rejects"]] == [
        ("a.xml", 2, None),
        ("b.xml", 1, "content"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('<!DOCTYPE i [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><i><chatid>1</chatid><d p="1">&b;</d></i>', "entities"),
        (f"<i><chatid>1</chatid>{'<a>' * 500}", "nested too deep"),
        (f"<i><chatid>1</chatid><d p='{'1' * 400_000}", "tag beyond"),
        (f"<i><chatid>1</chatid>{''.join(f'<n{at:0>20}/>' for at in range(9000))}</i>", "more names"),
        ("<i><chatid>1</chatid></i>", "without any"),
    ],
)
def test_hostile_xml_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(content, "utf-8")
    sources, rejects = discover([tmp_path])
    assert sources == [] and [reason in reject.reason for reject in rejects] == [True]


def test_danmaku_too_long_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinzhi.readers.danmaku.MAX_LINE", 1000)
    tables = read(_xml(tmp_path / "a.xml", f'<d p="1,1,25,0,1780308600,0,a,5">{"长" * 2000}</d>{FIRST}'))
    assert [row["text"] for row in tables["comments"]] == ["前方高能！！"]
    assert [row["line"] for row in tables["rejects"]] == [1]


@settings(max_examples=40, deadline=4000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_any_text_comes_through(tmp_path: Path, text: str) -> None:
    inner = text.encode("utf-8", "replace").replace(b"<", b"&lt;").replace(b"]]>", b"")
    tables = read(_xml(tmp_path / "a.xml", b'<d p="1,1,25,0,1780308600,0,a,5">' + inner + b"</d>" + FIRST.encode()))
    assert [row["comment_id"] for row in tables["comments"]] == ["5", "1500000000000000001"]


def test_authors_are_hidden(tmp_path: Path) -> None:
    _xml(tmp_path / "a.xml", '<d p="1,8,25,0,1780308600,0,a1b2c3d4,5">x</d>')
    tables = read(tmp_path, pseudonymise=True)
    assert tables["comments"][0]["author_id"].startswith("a_") and "a1b2c3d4" not in tables["rejects"][0]["raw"]
