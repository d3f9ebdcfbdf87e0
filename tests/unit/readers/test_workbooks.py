"""Excel workbooks of MediaCrawler: the same rows as its other files, and hostile ones that cost neither time nor memory."""

import json
import sqlite3
import tracemalloc
import zipfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinzhi.convert import convert
from pinzhi.readers import discover
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import WEIBO, jsonl, read

ARCHIVE = ROOT / "tests/data/archives/mediacrawler"
_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DATES = (
    '<styleSheet><numFmts><numFmt numFmtId="170" formatCode="yyyy/m/d h:mm;@"/></numFmts><cellStyleXfs><xf numFmtId="14"/>'
    '</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="46"/><xf numFmtId="31"/></cellXfs></styleSheet>'
)
COMMENT = {"comment_id": "900100200301", "note_id": "5211000000000001", "content": "好", "create_time": 1788226200,
           "create_date_time": "2026-09-01 09:30:00+08:00", "comment_like_count": "3", "nickname": "某人",
           "last_modify_ts": 1789995621920}  # fmt: skip


def written(path: Path, **sheets: Sequence[Mapping[str, Any]]) -> Path:
    """A workbook as the tool writes it: nothing as an empty text, lists as their text."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, records in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(records[0]))
        for record in records:
            sheet.append([str(v) if isinstance(v, list) else "" if v is None else v for v in record.values()])
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def packed(path: Path, rows: str = "", **parts: str | bytes) -> Path:
    """A workbook with one sheet, Comments, of these rows; `parts` replace others, by the stem of their names."""
    content: dict[str, str | bytes] = {
        "workbook": f'<workbook {_NS}><sheets><sheet name="Comments" sheetId="1" r:id="r1" xmlns:r="{_R}"/></sheets></workbook>',
        "sheet1": f"<worksheet {_NS}><sheetData>{_row(1, COMMENT)}{rows}</sheetData></worksheet>",
        "rels": '<Relationships><Relationship Id="r1" Type="x/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
        '<Relationship Id="r2" Type="x/styles" Target="styles.xml"/>'
        '<Relationship Id="r3" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        **parts,
    }  # fmt: skip
    names = {"workbook": "xl/workbook.xml", "sheet1": "xl/worksheets/sheet1.xml", "rels": "xl/_rels/workbook.xml.rels",
             "styles": "xl/styles.xml", "texts": "xl/sharedStrings.xml"}  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(names[name], part)
    return path


def _row(number: int, cells: Mapping[str, Any] | Sequence[Any]) -> str:
    """A row of texts, of cells given as XML, and of None for cells that are not there."""
    inner = "".join(
        "" if cell is None else cell if str(cell).startswith("<c") else f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for at, cell in enumerate(cells)
    )  # fmt: skip
    return f'<row r="{number}">{inner}</row>'


def _comment(number: int, **cells: Any) -> str:
    return _row(number, list({**COMMENT, **cells}.values()))


def _as_crawled(row: sqlite3.Row) -> dict[str, Any]:
    """A row of the database before it was stored: ids are texts."""
    return {key: str(row[key]) if isinstance(row[key], int) and row[key] > 10**14 else row[key] for key in row.keys()}  # noqa: SIM118


def _values(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted(({**row, "fetched_at": None} for row in rows), key=lambda row: [str(cell) for cell in row.values()])


@pytest.mark.parametrize("path", sorted(ARCHIVE.rglob("*.xlsx")), ids=lambda path: path.stem)
def test_a_workbook_and_the_database_beside_it_hold_the_same_rows(path: Path) -> None:
    found, database = read(path), read(path.parents[1] / "sqlite_tables.db")
    assert found["rejects"] == [] and found["comments"]
    for table in ("posts", "comments", "accounts"):
        platforms = {row["platform"] for row in found["posts"]}
        assert _values(found[table]) == _values([row for row in database[table] if row["platform"] in platforms])


@pytest.mark.parametrize("version", ["2026-05_full_ids", "2026-08_hashed_ids"])
def test_workbooks_of_all_seven_platforms(version: str, tmp_path: Path) -> None:
    sheets: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    connection = sqlite3.connect(ARCHIVE / version / "sqlite_tables.db")
    connection.row_factory = sqlite3.Row
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        records = [_as_crawled(row) for row in connection.execute(f"SELECT * FROM {table}")]
        kinds = {"comment": "Comments", "creator": "Creators", "up_info": "Creators"}
        if records and not table.startswith("sqlite_"):
            sheet = next((name for word, name in kinds.items() if word in table), "Contents")
            sheets[{"dy": "douyin"}.get(found := table.partition("_")[0], found)][sheet] = records
    connection.close()
    for platform, named in sheets.items():
        written(tmp_path / platform / f"{platform}_search_20260521_210000.xlsx", **named)
    found, database = read(tmp_path), read(ARCHIVE / version / "sqlite_tables.db")
    assert len({row["platform"] for row in found["posts"]}) == 7 and found["rejects"] == []
    for table in ("posts", "comments", "accounts"):
        assert _values(found[table]) == _values(database[table])


def test_dynamics_are_read_and_fans_are_not(tmp_path: Path) -> None:
    dynamic = {"dynamic_id": "1035544332211009988", "user_id": "40010001", "user_name": "拆解研究室", "text": "明天发新视频", "type": "DYNAMIC_TYPE_WORD",
               "pub_ts": 1780308000, "total_comments": 7, "total_forwards": "1.2万", "total_liked": 35, "last_modify_ts": 1789995621920}  # fmt: skip
    written(
        tmp_path / "bilibili" / "bilibili_creator_20260921_210000.xlsx",
        Dynamics=[dynamic],
        Contacts=[{"up_id": "1", "fan_id": "2"}],
    )
    tables = read(tmp_path)
    [row] = tables["posts"]
    assert (row["platform"], row["post_id"], row["likes"], row["reposts"]) == (
        "bilibili",
        "1035544332211009988",
        35,
        12000,
    )
    assert row["published_at"] == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert [(r["field"], r["reason"]) for r in tables["rejects"]] == [
        ("Contacts", "not read: lists of fans are not read")
    ]


def test_texts_that_openpyxl_takes_for_something_else_come_back(tmp_path: Path) -> None:
    texts = ["=_=", "=1+1", "#N/A", "=", "逗,号\n第二行", "<b>粗</b> &lt;", "  空  格 ", "1e5", "😀𠮷"]
    written(
        tmp_path / "weibo.xlsx",
        Comments=[{**COMMENT, "comment_id": f"10000{n}", "content": t} for n, t in enumerate(texts)],
    )
    jsonl(
        tmp_path / "weibo.jsonl", *({**COMMENT, "comment_id": f"10000{n}", "content": t} for n, t in enumerate(texts))
    )
    rows = read(tmp_path)["comments"]
    assert [row["text"] for row in rows[len(texts) :]] == [row["text"] for row in rows[: len(texts)]]
    assert [row["text"] for row in rows[:4]] == ["=_=", "=1+1", "#N/A", "="]


def test_a_workbook_saved_again_by_excel(tmp_path: Path) -> None:
    """Shared texts, numbers, dates, formulas with values, cells left out, merged cells."""
    texts = (
        f"<sst {_NS}><si><t>好</t><phoneticPr/></si><si><r><rPr/><t>第一段</t></r><r><t xml:space='preserve'> 第二段</t></r>"
        "<rPh><t>hao</t></rPh></si><si><t>换_x000D_\n行 _x005F_x000D_</t></si></sst>"
    )
    rows = (
        _comment(2, content='<c r="C2" t="s"><v>1</v></c>', comment_like_count='<c r="F2"><v>3</v></c>')
        + _row(3, ["900100200302", None, '<c r="C3" t="s"><v>2</v></c>', None, '<c r="E3" s="1"><v>46266.395833333336</v></c>',
                   '<c r="F3"><f>2+2</f><v>4</v></c>'])
        + '<row r="4"/>' + _row(9, ['<c r="A9" s="2"/>', '<c r="B9" t="inlineStr"/>'])
        + _comment(12, comment_id='<c r="A12"><v>900100200303</v></c>', create_date_time='<c r="E12" s="3"><v>46266</v></c>')
        + '</sheetData><mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells><sheetData>'
    )  # fmt: skip
    tables = read(packed(tmp_path / "weibo.xlsx", rows, texts=texts, styles=_DATES))
    assert tables["rejects"] == []
    assert [(r["comment_id"], r["text"], r["likes"]) for r in tables["comments"]] == [
        ("900100200301", "第一段 第二段", 3), ("900100200302", "换\n行 _x000D_", 4), ("900100200303", "好", 3),
    ]  # fmt: skip
    assert [(str(r["created_at"])[:19], r["time_precision"]) for r in tables["comments"]] == [
        ("2026-09-01 01:30:00", "second"), ("2026-09-01 01:30:00", "second"), ("2026-08-31 16:00:00", "day"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("<v>1.23E+18</v>", "dropped its last digits"), ("<v>7.545012345678901e+18</v>", "dropped its last digits"),
     ('t="e"><v>#N/A</v>', "'#N/A': a spreadsheet"), ('t="e"><f>VLOOKUP(A2,B:C,2)</f><v>#N/A</v>', "'=VLOOKUP(A2,B:C,2)': a spreadsheet"), ('t="b"><v>1</v>', "'True': a spreadsheet"), ("", "found nothing"),
     ('t="s"><v>99</v>', "does not hold")],
)  # fmt: skip
def test_ids_that_a_spreadsheet_has_damaged_are_rejected_with_sheet_and_row(
    cell: str, reason: str, tmp_path: Path
) -> None:
    cell = f'<c r="A3" {cell}</c>' if cell.startswith("t=") else f'<c r="A3">{cell}</c>'
    rows = _comment(2) + _comment(3, comment_id=cell, nickname="某人甲") + _comment(4, comment_id="900100200304")
    tables = read(packed(tmp_path / "weibo.xlsx", rows), pseudonymise=True)
    assert [row["comment_id"] for row in tables["comments"]] == ["900100200301", "900100200304"]
    [reject] = tables["rejects"]
    assert (reject["source"], reject["line"]) == ("weibo.xlsx", 3) and reject["reason"].startswith("sheet Comments: ")
    assert reason in reject["reason"] and "某人甲" not in reject["raw"]


def test_a_damaged_author_id_is_not_shown_by_its_reject(tmp_path: Path) -> None:
    record = {**COMMENT, "user_id": "7.545012345678901e+18"}
    jsonl(tmp_path / "weibo.jsonl", record)
    [reject] = read(tmp_path, pseudonymise=True)["rejects"]
    assert (
        reject["reason"] == "expected an id digit for digit, found none (not shown: it may name a person)"
        and "7.545" not in reject["raw"]
    )
    assert "7.545" in read(tmp_path)["rejects"][0]["reason"]


def test_bad_cells_are_null_and_named(tmp_path: Path) -> None:
    rows = _comment(2, comment_like_count="很多", create_date_time='<c r="E2" t="e"><v>#REF!</v></c>')
    tables = read(packed(tmp_path / "weibo.xlsx", rows))
    assert [(r["likes"], r["created_at"]) for r in tables["comments"]] == [
        (None, datetime(2026, 9, 1, 1, 30, tzinfo=UTC))
    ]
    assert [(r["line"], r["field"]) for r in tables["rejects"]] == [(2, "comment_like_count")]


def test_wide_rows_and_other_sheets(tmp_path: Path) -> None:
    books = packed(
        tmp_path / "weibo.xlsx", _comment(2) + _row(3, [*COMMENT.values(), "", ""]) + _row(4, [*COMMENT.values(), "多"])
    )
    tables = read(books)
    assert len(tables["comments"]) == 2
    assert [(r["line"], "9 that fit no known version" in r["reason"]) for r in tables["rejects"]] == [(4, True)]
    written(tmp_path / "more.xlsx", Comments=[COMMENT], 说明=[{"甲": 1, "乙": 2}])
    assert [r["field"] for r in read(tmp_path / "more.xlsx")["rejects"]] == ["说明"]


def test_the_newest_copy_wins_whatever_its_format(tmp_path: Path) -> None:
    archive = tmp_path / "in"
    archive.mkdir()
    for name, moment, likes in (("a", 1779368402740, 1), ("b", 1779368402990, 7), ("c", 1779368402800, 3)):
        record = {**WEIBO, "liked_count": str(likes), "last_modify_ts": moment}
        _ = written(archive / "b.xlsx", Contents=[record]) if name == "b" else jsonl(archive / f"{name}.jsonl", record)
    convert([archive], tmp_path / "out", None)
    assert [row["likes"] for row in read_table(tmp_path / "out/posts", CANONICAL["posts"]).to_pylist()] == [7]


def test_shared_texts_lie_in_a_file_when_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinzhi.readers.workbooks._IN_MEMORY", 1000)
    texts = "".join(f"<si><t>第{n}杯茶</t></si>" for n in range(2000))
    cells = (
        _comment(n + 2, comment_id=f"9001002{n:05d}", content=f'<c r="C{n + 2}" t="s"><v>{1999 - n}</v></c>')
        for n in range(2000)
    )
    rows = read(packed(tmp_path / "weibo.xlsx", "".join(cells), texts=f"<sst {_NS}>{texts}</sst>"))["comments"]
    assert [row["text"] for row in rows] == [f"第{1999 - n}杯茶" for n in range(2000)]


def test_other_workbooks_are_not_read_yet(tmp_path: Path) -> None:
    columns = ["笔记标题", "首次发布时间", "体裁"]
    written(tmp_path / "backoffice.xlsx", Sheet1=[dict.fromkeys(columns, "1")])
    [reject] = read(tmp_path)["rejects"]
    for words in ("no reader knows", "xlsx", f"Sheet1 ({', '.join(columns)})", "save it as CSV"):
        assert words in reject["reason"]


JUNK = [b"", b"<", b"</row>", b"<row>", b'<c r="ZZZZ1">', b'<c r="1A">', b'r="-1"', b't="s"', b't="x"', b"&#0;", b"&x;", b"\xff\xfe", b"<v>x",
        b'<?xml version="1.0" encoding="odd"?>', b"<![CDATA[", b"9" * 40]  # fmt: skip
_BOMB = b"<worksheet><sheetData>" + b"<row/>" * (5 << 20)
_LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "' + "&a;" * 100 + '">]>'
_ENDLESS = "<row " + "a" * (3 << 20)
_NAMES = "".join(f"<{'a' * 5000}{n}/>" for n in range(2000))
_SHEET = '<Relationship Id="r1" Type="x/worksheet" Target="/xl/worksheets/sheet1.xml"/>'


@pytest.mark.parametrize(
    ("make", "reason"),
    [(lambda path: packed(path, sheet1=_BOMB), "far more than a table"),
     (lambda path: packed(path, workbook=_LAUGHS + f"<workbook {_NS}>&b;</workbook>"), "declares entities"),
     (lambda path: packed(path, sheet1=_LAUGHS + "<worksheet><sheetData>&b;</sheetData></worksheet>"), "declares entities"),
     (lambda path: packed(path, sheet1="<worksheet><sheetData>" + "<row>" * 500), "nested too deep"),
     (lambda path: packed(path, sheet1="<worksheet><sheetData>" + _ENDLESS), "a tag beyond 128 KiB"),
     (lambda path: packed(path, sheet1="<worksheet><sheetData>" + _NAMES), "more names than an export has"),
     (lambda path: packed(path, texts=f"<sst {_NS}><si><t>{'a' * 70_000}</t></si></sst>"), "which no cell holds"),
     (lambda path: packed(path, sheet1='<worksheet><sheetData><row r="99999999999"/>'), "a row beyond"),
     (lambda path: packed(path, sheet1=f"<worksheet {_NS}><sheetData/></worksheet>"), "without rows"),
     (lambda path: packed(path, workbook="<workbook/>"), "without rows"),
     (lambda path: packed(path, workbook="no XML"), "damaged or cut"),
     (lambda path: packed(path, rels="<Relationships><Relationship Id='r1' Type='x/worksheet' Target='gone.xml'/></Relationships>"),
      "without a part"),
     (lambda path: path.write_bytes(packed(path, _comment(2)).read_bytes()[:-40]), "damaged or cut"),
     (lambda path: path.write_bytes(_encrypted(packed(path, _comment(2)).read_bytes())), "a password"),
     (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000)), "a password"),
     (lambda path: path.write_bytes(b"PK\x05\x06" + bytes(18)), "expected an Excel workbook")],
)  # fmt: skip
def test_hostile_workbooks_get_a_sentence(make: Callable[[Path], Any], reason: str, tmp_path: Path) -> None:
    make(tmp_path / "weibo.xlsx")
    tracemalloc.start()
    try:
        [reject] = read(tmp_path)["rejects"]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reason in reject["reason"] and ("again" in reject["reason"] or "save it" in reject["reason"])
    assert peak < 24 << 20


def test_a_list_of_parts_that_no_table_needs_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "weibo.xlsx", _comment(2))
    with zipfile.ZipFile(path, "a") as archive:
        for n in range(2000):
            archive.writestr(f"{n:0100}", b"")
    assert len(read(path)["comments"]) == 1
    monkeypatch.setattr("pinzhi.readers.packed_xml._MAX_LIST", 1 << 17)
    assert "a list of parts" in read(path)["rejects"][0]["reason"]


def test_shared_texts_are_read_once_however_often_they_are_named(tmp_path: Path) -> None:
    named = "".join(f'<Relationship Id="t{n}" Type="x/sharedStrings" Target="sharedStrings.xml"/>' for n in range(1000))
    texts = f"<sst {_NS}><si><t>好</t></si>{'<si/>' * 20_000}</sst>"
    rows = _comment(2, content='<c t="s"><v>0</v></c>')
    path = packed(tmp_path / "weibo.xlsx", rows, rels=f"<Relationships>{_SHEET}{named}</Relationships>", texts=texts)
    assert [row["text"] for row in read(path)["comments"]] == ["好"]


def test_more_shared_texts_than_a_table_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinzhi.readers.workbooks._MAX_TEXTS", 100)
    path = packed(tmp_path / "weibo.xlsx", _comment(2), texts=f"<sst {_NS}>{'<si/>' * 101}</sst>")
    assert "more than 100 shared texts" in read(path)["rejects"][0]["reason"]


def test_texts_shared_without_end_cost_their_row_and_then_the_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = '<c t="s"><v>0</v></c>'
    rows = (
        _comment(2)
        + _row(3, [long] * 500)
        + "".join(_comment(n, comment_id=f"90010020{n}", content=long) for n in range(4, 2000))
    )
    path = packed(tmp_path / "weibo.xlsx", rows, texts=f"<sst {_NS}><si><t>{'a' * 60_000}</t></si></sst>")
    monkeypatch.setattr("pinzhi.readers.workbooks._FREE_TEXTS", 20 << 20)
    tables = read(path)
    assert 10 < len(tables["comments"]) < 200
    assert [(r["line"], r["reason"][:100].rpartition("found ")[2][:20]) for r in tables["rejects"]] == [
        (3, "a longer one"), (len(tables["comments"]) + 3, "texts shared far mor"),
    ]  # fmt: skip


def _encrypted(content: bytes) -> bytes:
    """The same archive with the mark of a password on every part."""
    out = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(magic)
        while at >= 0:
            out[at + offset] |= 1
            at = out.find(magic, at + 1)
    return bytes(out)


def test_a_damaged_sheet_costs_what_comes_after_and_no_other_sheet(tmp_path: Path) -> None:
    written(tmp_path / "whole.xlsx", Contents=[WEIBO], Comments=[COMMENT, {**COMMENT, "comment_id": "900100200302"}])
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as cut:
        for name in whole.namelist():
            content = whole.read(name)
            if name.endswith("sheet2.xml"):
                content = content[: content.index(b"900100200302")]
            cut.writestr(name, b"<" if name.endswith("sheet1.xml") else content)
    tables = read(tmp_path / "cut.xlsx")
    assert tables["posts"] == [] and [row["comment_id"] for row in tables["comments"]] == ["900100200301"]
    assert [(r["line"], r["reason"][:40]) for r in tables["rejects"]] == [
        (1, "sheet Contents: expected a whole sheet, "), (3, "sheet Comments: expected a whole sheet, "),
    ]  # fmt: skip


def test_a_false_checksum_is_told(tmp_path: Path) -> None:
    path = packed(tmp_path / "weibo.xlsx", _comment(2))
    with zipfile.ZipFile(path) as archive:
        crc = archive.getinfo("xl/worksheets/sheet1.xml").CRC.to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(crc, b"\x01\x02\x03\x04"))
    assert ["CRC" in row["reason"] for row in read(path)["rejects"]] == [True]


def test_empty_rows_and_endless_columns_take_no_memory(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}" s="1"><c r="A{n}" s="1"/></row>' for n in range(2, 50_000))
    wide = f'<row r="50001"><c r="A50001"><v>1</v></c>{"<c/>" * 100_000}<c><v>1</v></c></row>'
    packed(tmp_path / "weibo.xlsx", rows + wide + _comment(50_002))
    tracemalloc.start()
    try:
        tables = read(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(tables["comments"]) == 1 and peak < 24 << 20
    assert [(r["line"], "1000 columns" in r["reason"]) for r in tables["rejects"]] == [(50_001, True)]


def test_a_giant_row_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinzhi.readers.workbooks.MAX_LINE", 2000)
    rows = _comment(2) + _comment(3, content="长" * 3000) + _comment(4, comment_id="900100200304")
    tables = read(packed(tmp_path / "weibo.xlsx", rows))
    assert [row["comment_id"] for row in tables["comments"]] == ["900100200301", "900100200304"]
    assert [(r["line"], "a longer one" in r["reason"]) for r in tables["rejects"]] == [(3, True)]


@settings(max_examples=60, deadline=4000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from(sorted(ARCHIVE.parent.rglob("*.xlsx"))),
    at=st.integers(0, 10),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(JUNK)), min_size=1, max_size=4),
)
def test_no_damaged_part_breaks_a_reader(
    tmp_path: Path, seed: Path, at: int, cuts: list[tuple[float, int, bytes]]
) -> None:
    with zipfile.ZipFile(seed) as whole, zipfile.ZipFile(tmp_path / seed.name, "w") as broken:
        damaged = whole.namelist()[at % len(whole.namelist())]
        for name in whole.namelist():
            content = whole.read(name)
            for where, length, junk in cuts if name == damaged else ():
                begin = int(where * len(content))
                content = content[:begin] + junk + content[begin + length :]
            broken.writestr(name, content)
    tables = read(tmp_path)
    assert any(tables.values())
    (tmp_path / seed.name).unlink()


def test_a_workbook_is_told_by_its_content(tmp_path: Path) -> None:
    written(tmp_path / "数据", Comments=[COMMENT])
    [source] = discover([tmp_path])[0]
    assert (source.reader, source.format) == ("mediacrawler", "xlsx: weibo comments")
    assert json.loads(json.dumps(read(tmp_path)["rejects"])) == []
