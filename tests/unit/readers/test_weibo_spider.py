import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pinzhi.readers import discover
from pinzhi.readers.values import BadValue
from pinzhi.readers.weibo import post_number
from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc, written

ARCHIVE = ROOT / "tests/data/archives/weiboSpider"
NAME = "weibo/光圈老韩/1700000001"


def _rows() -> list[list[str]]:
    """Header, original, header, repost."""
    with (ARCHIVE / f"{NAME}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("name", [f"{NAME}.csv", f"{NAME}.json", "weibo.db"])
def test_csv_json_and_database_agree(name: str) -> None:
    tables = read(ARCHIVE / name)
    assert [row["post_id"] for row in tables["posts"]] == ["5227606869348609", "5227606869348617"]
    original, repost = tables["posts"]
    assert original == {
        **dict.fromkeys(original), "platform": "weibo", "post_id": "5227606869348609", "account_id": "1700000001",
        "published_at": utc("2026-09-01T01:30"), "time_precision": "minute", "kind": "original",
        "text": "#栗光相机# 新固件的夜景对焦终于不拉风箱了样张在图里，随便放大",
        "likes": 5518, "reposts": 1_000_000, "comments": 822, "count_floors": ["reposts"],
    }  # fmt: skip
    assert (repost["text"], repost["quoted_text"]) == (
        "说得好//@等等党小秦:等一个黑五价",
        "#黑五#大家准备买啥@光圈老韩",
    )
    assert (repost["kind"], repost["account_id"], repost["reposted_post_id"]) == ("repost", "1700000001", None)
    assert (repost["published_at"], repost["likes"], repost["reposts"]) == (utc("2026-08-30T14:10"), 12, 1)
    assert tables["rejects"] == [] and tables["comments"] == []


@pytest.mark.parametrize("name", [f"{NAME}.json", "weibo.db"])
def test_the_user(name: str) -> None:
    [account] = read(ARCHIVE / name)["accounts"]
    assert account == {"platform": "weibo", "account_id": "1700000001", "name": "光圈老韩", "followers": 664000, "following": 201,
                       "posts": 3021, "verified": True, "fetched_at": None}  # fmt: skip


def test_text_without_ids_is_named_as_not_read(tmp_path: Path) -> None:
    text = (ARCHIVE / f"{NAME}.txt").read_text("utf-8")
    for encoding in ("utf-8", "gb18030"):
        (tmp_path / "1700000001.txt").write_text(text, encoding)
        assert "weiboSpider has no ids" in read(tmp_path)["rejects"][0]["reason"]


@pytest.mark.parametrize(
    ("short", "number"),
    [("z0JH2lOMb", "3501756485200075"), ("LqlZNhJFm", "4762810834227120"), ("Mb15BDYR0", "4826257999528718"),
     ("QaFav0003\t", "5225415350000003"), ("5211000000000001", "5211000000000001"), (5211000000000001, "5211000000000001"),
     ("短", "短"), ("", None), (None, None)],
)  # fmt: skip
def test_numbers_of_posts(short: Any, number: str | None) -> None:
    assert post_number(short) == number


def test_numbers_that_a_spreadsheet_has_spoilt() -> None:
    with pytest.raises(BadValue, match="last digits"):
        post_number(5.211e18)


def test_only_originals_have_no_flag_and_the_folder_may_name_the_author(tmp_path: Path) -> None:
    header, first, _, second = ([cell for at, cell in enumerate(row) if at not in (4, 5)] for row in _rows())
    (tmp_path / "1700000001").mkdir()
    posts = read(written(tmp_path / "1700000001" / "摄影.csv", [header, first, second]))["posts"]
    assert {row["account_id"] for row in posts} == {"1700000001"} and {row["kind"] for row in posts} == {"original"}
    assert posts[1]["text"].endswith("转发内容: #黑五#大家准备买啥@光圈老韩")


def test_a_run_with_other_columns_brings_its_header(tmp_path: Path) -> None:
    rows = _rows()
    narrow = [[cell for at, cell in enumerate(row) if at not in (4, 5)] for row in rows[:2]]
    narrow[1][0], narrow[1][-1] = "QbAbcDe02", "7"
    tables = read(written(tmp_path / "1700000001.csv", rows + narrow))
    assert [row["comments"] for row in tables["posts"]] == [822, 3, 7] and tables["rejects"] == []


def test_words_of_the_page_around_a_text(tmp_path: Path) -> None:
    header, first, _, second = _rows()
    first[1] = "[置顶]样张来了&gt;&gt;[泪]\u200b\xa0[组图共9张]\xa0原图\xa0"
    second[1] = "转发理由:转发微博\xa0\xa0\n转发内容: 抱歉，此微博已被作者删除。查看帮助：http://t.cn/x\xa0"
    third = [
        "QbAbcDe03",
        "转发理由:两行\n话\xa0\xa0\n原始用户: 某\n转发内容: 原文\n转发内容: 引用[组图共2张]\xa0原图\xa0",
        *second[2:],
    ]
    own, silent, long = read(written(tmp_path / "1700000001.csv", [header, first, second, third]))["posts"]
    assert own["text"] == "样张来了>>[泪]"
    assert (silent["text"], silent["quoted_text"], silent["kind"]) == ("", None, "repost")
    assert (long["text"], long["quoted_text"]) == ("两行\n话", "原文\n转发内容: 引用")


def test_rows_that_do_not_fit_and_cells_that_cannot_be_read(tmp_path: Path) -> None:
    header, first, _, second = _rows()
    first[8], first[10] = "刚刚", "很多"
    tables = read(written(tmp_path / "1700000001.csv", [header, first, second[:7], ["", *second[1:]]], "gb18030"))
    assert [(row["published_at"], row["likes"], row["reposts"]) for row in tables["posts"]] == [(None, None, 1_000_000)]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [
        (2, "发布时间"),
        (2, "点赞数"),
        (3, None),
        (6, "post_id"),
    ]


def test_authors_of_a_file_of_any_name(tmp_path: Path) -> None:
    data = json.loads((ARCHIVE / f"{NAME}.json").read_text("utf-8"))
    data["weibo"][1]["user_id"] = "1700000002"
    path = tmp_path / "导出.json"
    path.write_text(json.dumps(data, ensure_ascii=False, indent=4), "utf-8")
    assert [row["account_id"] for row in read(path)["posts"]] == ["1700000001", "1700000002"]


def test_flags_and_unknown_tables_of_a_database(tmp_path: Path) -> None:
    path = tmp_path / "weibo.db"
    path.write_bytes((ARCHIVE / "weibo.db").read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE weibo SET original = 'False', user_id = NULL, up_num = '1.2万' WHERE original = 0")
        connection.execute("CREATE TABLE notes (a)")
        connection.execute("INSERT INTO notes VALUES (1)")
    connection.close()
    tables = read(path)
    repost = by_id(tables["posts"], "post_id")["5227606869348617"]
    assert (repost["kind"], repost["account_id"], repost["likes"]) == ("repost", None, 12000)
    assert [row["field"] for row in tables["rejects"]] == ["notes"]


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    for name in (f"{NAME}.csv", f"{NAME}.json", "weibo.db"):
        (tmp_path / f"{Path(name).suffix[1:]}.dat").write_bytes((ARCHIVE / name).read_bytes())
    assert {source.reader for source in discover([tmp_path])[0]} == {"weiboSpider"}


def test_its_csv_as_a_workbook(tmp_path: Path) -> None:
    (path,) = ARCHIVE.rglob("1700000001.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert read(written(tmp_path / "1700000001.xlsx", list(csv.reader(file)))) == read(path)
