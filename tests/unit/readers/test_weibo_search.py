import csv
import shutil
import sqlite3
from pathlib import Path

import pytest

from pinzhi.convert import convert
from pinzhi.readers import discover
from pinzhi.schemas import ACCOUNTS, POSTS
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc, written

ARCHIVE = ROOT / "tests/data/archives/weibo-search/结果文件"
CSV = ARCHIVE / "栗光相机/栗光相机.csv"


def _rows() -> list[list[str]]:
    """Header, original, thinner copy of it, repost."""
    with CSV.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_rows_of_the_csv() -> None:
    tables = read(CSV)
    full, thin, repost = tables["posts"]
    assert full == {
        **dict.fromkeys(full), "platform": "weibo", "post_id": "5211000000000001", "account_id": "1700000001", "kind": "original",
        "published_at": utc("2026-09-01T01:30"), "time_precision": "minute", "likes": 5518, "reposts": 12000, "comments": 822,
        "text": "#栗光相机#新固件的夜景对焦终于不拉风箱了样张在图里，随便放大",
    }  # fmt: skip
    assert thin == {**full, "text": "#栗光相机#新固件的夜景对焦终于不拉风箱了"}
    assert (repost["post_id"], repost["kind"], repost["reposted_post_id"]) == (
        "5211000000000002",
        "repost",
        "5211000000000001",
    )
    assert repost["text"] == "说得对，等一个黑五价//@光圈老韩:新固件的夜景对焦终于不拉风箱了"
    assert (repost["likes"], repost["reposts"], repost["comments"]) == (0, 0, 1)
    assert [(row["account_id"], row["name"], row["verified"]) for row in tables["accounts"]] == [
        ("1700000001", "光圈老韩", True),
        ("1700000001", "光圈老韩", None),
        ("1700000002", "等等党小秦", False),
    ]
    assert tables["rejects"] == []


def test_the_database_holds_the_same_rows() -> None:
    tables = read(ARCHIVE / "weibo.db")
    assert tables["posts"] == read(CSV)["posts"][1:] and tables["rejects"] == []


def test_a_thinner_copy_takes_nothing_that_it_does_not_know(tmp_path: Path) -> None:
    convert([ARCHIVE], tmp_path, None)
    assert read_table(tmp_path / "posts", POSTS).num_rows == 2
    accounts = by_id(read_table(tmp_path / "accounts", ACCOUNTS).to_pylist(), "account_id")
    assert {id_: row["verified"] for id_, row in accounts.items()} == {"1700000001": True, "1700000002": False}


@pytest.mark.parametrize("columns", [17, 18, 19, 21])
def test_every_version_under_every_header(columns: int, tmp_path: Path) -> None:
    header, full, _, repost = _rows()
    widths = (17, 18, 19, 21)  # an original within a repost has had fewer cells than its header
    rows = [[f"52110000000001{at}", *(full if at % 2 else repost)[1:width]] for at, width in enumerate(widths, 10)]
    tables = read(written(tmp_path / "a.csv", [header[:columns], *rows]))
    assert [row["likes"] for row in tables["posts"]] == [0, 5518, 0, 5518] and tables["rejects"] == []
    assert [row["reposted_post_id"] for row in tables["posts"]] == ["5211000000000001", None] * 2


@pytest.mark.parametrize("columns", [15, 16, 17])
def test_the_first_versions_had_no_article_column(columns: int, tmp_path: Path) -> None:
    header, full, _, repost = _rows()
    old = [[cell for at, cell in enumerate(row) if at != 5] for row in (header, full, repost)]
    rows = [old[0][: min(columns, 16)], old[1][:15], old[2][:16], repost[:17]]
    tables = read(written(tmp_path / "a.csv", rows, "utf-8"))
    assert [(row["likes"], row["comments"], row["published_at"]) for row in tables["posts"]] == [
        (5518, 822, utc("2026-09-01T01:30")),
        (0, 1, utc("2026-09-01T03:02")),
        (0, 1, utc("2026-09-01T03:02")),
    ]
    assert [row["reposted_post_id"] for row in tables["posts"]] == [None, "5211000000000001", "5211000000000001"]


@pytest.mark.parametrize(
    ("cell", "expected", "precision"),
    [("2026-09-01 09:30转赞人数超过100", "2026-09-01T01:30", "minute"), (" 2026-09-01 09:30 ", "2026-09-01T01:30", "minute"),
     ("", None, None), ("2026-月1-日0 9:30", None, None)],
)  # fmt: skip
def test_times_with_words_of_the_page(cell: str, expected: str | None, precision: str | None, tmp_path: Path) -> None:
    header, full, *_ = _rows()
    full[12] = cell
    tables = read(written(tmp_path / "a.csv", [header, full]))
    assert tables["posts"][0]["published_at"] == (utc(expected) if expected else None)
    assert tables["posts"][0]["time_precision"] == precision
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == ([(2, "published_at")] if "月" in cell else [])


@pytest.mark.parametrize(
    ("cell", "expected", "floors"),
    [("1.2万", 12000, None), ("1万+", 10000, ["reposts"]), ("100万+", 1_000_000, ["reposts"]), ("0", 0, None), ("", None, None)],
)  # fmt: skip
def test_counts_as_the_page_shows_them(
    cell: str, expected: int | None, floors: list[str] | None, tmp_path: Path
) -> None:
    header, full, *_ = _rows()
    full[9] = cell
    row = read(written(tmp_path / "a.csv", [header, full]))["posts"][0]
    assert (row["reposts"], row["count_floors"]) == (expected, floors)


def test_numbers_and_texts_in_one_column_of_a_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    shutil.copyfile(ARCHIVE / "weibo.db", path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE weibo SET attitudes_count = '100万+', comments_count = X'ff', created_at = NULL")
    connection.close()
    tables = read(path)
    assert {(row["likes"], row["comments"], row["published_at"]) for row in tables["posts"]} == {
        (1_000_000, None, None)
    }
    assert {row["field"] for row in tables["rejects"]} == {"comments_count"}


def test_what_a_spreadsheet_has_spoilt(tmp_path: Path) -> None:
    header, full, *_ = _rows()
    rounded = [[f"52110000000{at}000", *full[1:]] for at in range(10, 15)]
    tables = read(written(tmp_path / "a.csv", [header, *rounded, ["5.211E+15", *full[1:]]], "gb18030"))
    assert len(tables["posts"]) == 5
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(7, "id"), (None, None)]
    assert "spreadsheet" in tables["rejects"][1]["reason"]


def test_rows_of_no_version_are_rejects_without_names(tmp_path: Path) -> None:
    header, full, *_ = _rows()
    tables = read(written(tmp_path / "a.csv", [header, full[:9], [*full, "多"], full[3:]]), pseudonymise=True)
    assert tables["posts"] == [] and [row["line"] for row in tables["rejects"]] == [2, 3, 4]
    assert not any("光圈老韩" in row["raw"] or "1700000001" in row["raw"] for row in tables["rejects"])


def test_weibo_crawler_keeps_its_own_database(tmp_path: Path) -> None:
    crawler = ROOT / "tests/data/archives/weibo-crawler/2022-03_date_only/weibo/weibodata.db"
    shutil.copyfile(crawler, tmp_path / "a.db")
    shutil.copyfile(ARCHIVE / "weibo.db", tmp_path / "b.db")
    assert [source.reader for source in discover([tmp_path])[0]] == ["weibo-crawler", "weibo-search"]


def test_a_csv_that_a_spreadsheet_has_saved(tmp_path: Path) -> None:
    header = ("id", "bid", "user_id", "用户昵称", "微博正文", "发布时间", "点赞数")
    row = ("5211000000000001", "Q", "17", "n", "好", "2026/9/1 9:30转赞人数超过100", "1.2万")
    (post,) = read(written(tmp_path / "a.csv", [header, row]))["posts"]
    assert (post["published_at"], post["time_precision"], post["likes"]) == (
        utc("2026-09-01T01:30:00"),
        "minute",
        12_000,
    )


@pytest.mark.parametrize(("original", "kind"), [("", "original"), ("0", "original"), ("9", "repost"), (None, None)])
def test_who_reposts_whom(original: str | None, kind: str | None, tmp_path: Path) -> None:
    header, full, *_ = _rows()
    record = {**dict(zip(header, full, strict=True)), "user_id": "17", "微博正文": "转发微博", "retweet_id": original}
    if original is None:  # the first versions had no such column
        del record["retweet_id"]
    (post,) = read(written(tmp_path / "a.csv", [list(record), list(record.values())]))["posts"]
    known = post["account_id"], post["text"], post["kind"], post["reposted_post_id"]
    assert known == ("17", "", kind, "9" if kind == "repost" else None)


def test_its_csv_as_a_workbook(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.xlsx", _rows())) == read(CSV)


def test_ids_that_a_workbook_has_rounded_are_warned_of(tmp_path: Path) -> None:
    header, full, *_ = _rows()
    rows = [[id_, *full[1:]] for id_ in (5211000000001000, 5211000000002000, 5211000000003000)]
    (warning,) = read(written(tmp_path / "a.xlsx", [header, *rows]))["rejects"]
    assert "3 of 3 long ids ending in 000" in warning["reason"]
