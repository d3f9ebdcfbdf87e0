import csv
import sqlite3
from pathlib import Path

import pytest

from pinzhi.convert import convert
from pinzhi.readers import discover
from pinzhi.readers.tiktok_columns import KNOWN_COLUMNS
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc, written

ARCHIVE = ROOT / "tests/data/archives/DouK-Downloader/Data"
WORKS, COMMENTS, USERS = "UID98765432101_罗罗在家_发布作品", "作品7545012345678901234_评论数据", "UserData"


def _rows(name: str) -> list[list[str]]:
    """Header and rows."""
    with (ARCHIVE / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def _records(name: str) -> list[dict[str, str]]:
    header, *rows = _rows(name)
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize("name", [f"{WORKS}.csv", f"{WORKS}.xlsx", "DetailData.db"])
def test_works(name: str) -> None:
    tables = read(ARCHIVE / name)
    [row] = tables["posts"]
    assert row == {
        **dict.fromkeys(row), "platform": "douyin", "post_id": "7545012345678901234", "account_id": "98765432101", "kind": "视频",
        "published_at": utc("2026-08-30T04:01:05"), "time_precision": "second", "fetched_at": utc("2026-09-21T13:00"),
        "text": "小鹿豆浆机清洗到底麻不麻烦？三分钟看完 #小家电 #小鹿豆浆机", "url": "https://www.douyin.com/video/7545012345678901234",
        "likes": 25831, "comments": 963, "collects": 4102, "reposts": 1207, "reads": None,
    }  # fmt: skip
    assert [(one["account_id"], one["name"], one["fetched_at"]) for one in tables["accounts"]] == [
        ("98765432101", "罗罗在家", None)
    ]
    assert tables["rejects"] == []


@pytest.mark.parametrize("name", [f"{COMMENTS}.csv", f"{COMMENTS}.xlsx", "CommentData.db"])
def test_comments_belong_to_the_work_in_the_name_of_their_table(name: str) -> None:
    tables = read(ARCHIVE / name)
    root, answer = tables["comments"]
    assert root == {
        **dict.fromkeys(root), "platform": "douyin", "comment_id": "7545020000000000001", "post_id": "7545012345678901234",
        "author_id": "11122233301", "author_name": "豆香四溢", "created_at": utc("2026-08-30T05:22:40"), "time_precision": "second",
        "text": "用了半年，刀头底下真的会藏渣[泪奔]", "likes": 310, "fetched_at": utc("2026-09-21T13:05"),
    }  # fmt: skip
    assert (answer["comment_id"], answer["parent_id"]) == ("7545020000000000002", "7545020000000000001")
    assert (answer["author_id"], answer["likes"], answer["text"]) == ("98765432101", 0, "热水泡两分钟再刷就好了")
    assert tables["rejects"] == []


@pytest.mark.parametrize("name", [f"{USERS}.csv", f"{USERS}.xlsx", "UserData.db"])
def test_users(name: str) -> None:
    tables = read(ARCHIVE / name)
    assert tables["accounts"] == [
        {"platform": "douyin", "account_id": "98765432101", "name": "罗罗在家", "followers": 126000, "following": 88, "posts": 214,
         "verified": False, "fetched_at": utc("2026-09-21T13:00")}
    ]  # fmt: skip
    assert tables["rejects"] == []


def test_three_formats_of_the_same_rows_are_one_set(tmp_path: Path) -> None:
    convert([ARCHIVE], tmp_path, None)
    counts = {name: read_table(tmp_path / name, CANONICAL[name]).num_rows for name in ("posts", "comments", "rejects")}
    assert counts == {"posts": 1, "comments": 2, "rejects": 0}


def test_answers_to_answers_and_comments_of_an_unknown_work(tmp_path: Path) -> None:
    header, root, answer = _rows(COMMENTS)
    deeper = [
        "7545020000000000003" if at == 1 else "7545020000000000002" if at == 15 else cell
        for at, cell in enumerate(answer)
    ]
    tables = read(written(tmp_path / "评论.csv", [header, root, answer, deeper], "utf-8"))
    assert [row["parent_id"] for row in tables["comments"]] == [None, "7545020000000000001", "7545020000000000002"]
    assert [row["post_id"] for row in tables["comments"]] == [None, None, None]
    read_again = read(written(tmp_path / "作品7545012345678901234_评论数据 (1).csv", [header, root], "utf-8"))
    assert read_again["comments"][0]["post_id"] == "7545012345678901234"


def test_a_zero_that_pandas_made_a_float_answers_nobody(tmp_path: Path) -> None:
    header, root, answer = _rows(COMMENTS)
    written_again = ["0.0" if at == 15 else cell for at, cell in enumerate(answer)]
    tables = read(written(tmp_path / "评论.csv", [header, root, written_again], "utf-8"))
    assert [row["parent_id"] for row in tables["comments"]] == [None, "7545020000000000001"]


def test_nothing_written_and_nothing_known(tmp_path: Path) -> None:
    header, row = _rows(WORKS)
    blank = {"作品描述": "7545012345678901234", "点赞数量": "-1", "账号昵称": "已注销账号", "评论数量": "0"}
    tables = read(
        written(tmp_path / "a.csv", [header, [blank.get(name, cell) for name, cell in zip(header, row, strict=True)]])
    )
    [post] = tables["posts"]
    assert (post["text"], post["likes"], post["comments"], post["reads"]) == ("", None, 0, None)
    assert tables["accounts"][0]["name"] is None and tables["rejects"] == []


@pytest.mark.parametrize(
    ("cell", "moment", "precision"),
    [("2026-08-30 12.01.05", "2026-08-30T04:01:05", "second"), ("2026-08-30_12-01-05", "2026-08-30T04:01:05", "second"),
     ("20260830120105", "2026-08-30T04:01:05", "second"), ("20260830 1201", "2026-08-30T04:01", "minute"),
     ("2026年08月30日 12时01分05秒", "2026-08-30T04:01:05", "second"), ("2026.08.30", "2026-08-29T16:00", "day"),
     ("1788062465", "2026-08-30T04:01:05", "second"), ("2026-08-30T04:01:05Z", "2026-08-30T04:01:05", "second"),
     ("30/08/26", None, None), ("2026-08-30 25:01:05", None, None), ("", None, None)],
)  # fmt: skip
def test_times_in_the_format_of_the_user(cell: str, moment: str | None, precision: str | None, tmp_path: Path) -> None:
    header, row = _rows(WORKS)
    row[header.index("发布时间")] = cell
    tables = read(written(tmp_path / "a.csv", [header, row]))
    [post] = tables["posts"]
    assert (post["published_at"], post["time_precision"]) == (utc(moment) if moment else None, precision)
    assert [(one["line"], one["field"]) for one in tables["rejects"]] == (
        [(2, "published_at")] if cell and not moment else []
    )


def test_tiktok_is_another_platform(tmp_path: Path) -> None:
    header, row = _rows(WORKS)
    row[header.index("作品链接")] = "https://www.tiktok.com/@luoluo/video/7545012345678901234"
    written(tmp_path / "a.csv", [header, row])
    users = {"采集时间": "2026-09-21 21:00:00", "昵称昵称": "luoluo", "账号链接": "https://www.tiktok.com/luoluo", "抖音号": "luoluo",
             "SEC_UID": "MS4wLjABAAAAfakeSecUid01", "作品数量": "3", "粉丝数量": "12", "关注数量": "-1", "标签": "True"}  # fmt: skip
    written(tmp_path / "b.csv", [list(users), list(users.values())])
    tables = read(tmp_path)
    assert [(row["platform"], row["account_id"]) for row in tables["posts"]] == [("tiktok", "MS4wLjABAAAAfakeSecUid01")]
    user = tables["accounts"][1]
    assert (user["platform"], user["account_id"], user["followers"], user["following"], user["verified"]) == (
        "tiktok", "MS4wLjABAAAAfakeSecUid01", 12, None, True,
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize(("name", "table"), [(WORKS, "posts"), (COMMENTS, "comments"), (USERS, "accounts")])
def test_rows_of_every_version_under_every_header(name: str, table: str, suffix: str, tmp_path: Path) -> None:
    """An update goes on in the file of before, whose header stays."""
    [record, *_] = _records(name)
    record |= {
        "账号UID": record["UID"],
        "用户昵称": "罗",
        "视频分辨率": "1080p",
        "抖音号": "luo",
        "作品地址": "https://v/1",
    }
    versions = KNOWN_COLUMNS[table]
    rows = [[record.get(column, "") for column in columns] for columns in versions]
    expected = read(ARCHIVE / f"{name}.csv")[table][0]
    key = {"posts": "likes", "comments": "likes", "accounts": "followers"}[table]
    for at, columns in enumerate(versions):
        path = written(tmp_path / f"{at}_{name}.{suffix}", [list(columns), *rows])
        tables = read(path)
        found = [
            (row[key], row.get("author_id", row.get("account_id"))) for row in tables[table] if row[key] is not None
        ]
        assert found == [(expected[key], expected.get("author_id", expected.get("account_id")))] * len(versions), (
            columns
        )
        assert tables["rejects"] == []


def test_what_a_spreadsheet_has_spoilt(tmp_path: Path) -> None:
    header, row = _rows(WORKS)
    rounded = [
        [f"75450123456789{at:02d}000" if name == "作品ID" else cell for name, cell in zip(header, row, strict=True)]
        for at in range(10, 15)
    ]
    spoilt = ["7.54501E+18" if name == "作品ID" else cell for name, cell in zip(header, row, strict=True)]
    tables = read(written(tmp_path / "a.csv", [header, *rounded, spoilt, row[:9]], "gb18030"), pseudonymise=True)
    assert len(tables["posts"]) == 5
    assert [(one["line"], one["field"]) for one in tables["rejects"]] == [(7, "作品ID"), (8, None), (None, None)]
    assert "spreadsheet" in tables["rejects"][0]["reason"] and "spreadsheet" in tables["rejects"][2]["reason"]
    assert not any("罗罗在家" in (one["raw"] or "") or "98765432101" in (one["raw"] or "") for one in tables["rejects"])


def test_searches_and_odd_cells_of_a_database(tmp_path: Path) -> None:
    path = tmp_path / "SearchData.db"
    path.write_bytes((ARCHIVE / "DetailData.db").read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute(
            f"UPDATE {WORKS} SET 点赞数量 = '很多', 评论数量 = X'ff', 发布时间 = NULL, UID = NULL, 作品描述 = 7"
        )
        connection.execute("CREATE TABLE 直播搜索_豆浆机 (采集时间 TEXT, 直播ID TEXT, UID TEXT)")
        connection.execute("INSERT INTO 直播搜索_豆浆机 VALUES ('2026', '1', '2')")
        connection.execute(
            "CREATE TABLE 用户搜索_豆浆机 (采集时间, UID, SEC_UID, 账号昵称, 抖音号, 粉丝数量, 获赞数量)"
        )
        connection.execute("INSERT INTO 用户搜索_豆浆机 VALUES ('2026-09-21 21:00:00', '7', 'MS4w', '豆', 'd', 5, -1)")
    connection.close()
    tables = read(path)
    [post] = tables["posts"]
    assert (post["account_id"], post["likes"], post["comments"], post["text"]) == (
        "MS4wLjABAAAAfakeSecUid01",
        None,
        None,
        "7",
    )
    assert by_id(tables["accounts"], "account_id")["7"]["followers"] == 5
    assert {row["field"] for row in tables["rejects"]} == {"点赞数量", "评论数量", "直播搜索_豆浆机"}


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    for path in ARCHIVE.iterdir():
        (tmp_path / f"{path.stem}{path.suffix[1:]}").write_bytes(path.read_bytes())
    sources, unread = discover([tmp_path])
    assert {source.reader for source in sources} == {"TikTokDownloader"} and len(sources) == 9 and unread == []
