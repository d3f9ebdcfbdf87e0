import csv
import os
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pinzhi.convert import convert
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.unit.readers.helpers import read, utc, written

ARCHIVE = ROOT / "tests/data/archives/backoffice"
NOTES, WORKS, ARTICLES = (
    ARCHIVE / name for name in ("xiaohongshu/笔记列表明细表.xlsx", "douyin/作品列表.xlsx", "wechat/已通知内容.xlsx")
)
BANNER = "最多导出排序后前1000条笔记"


def _rows(path: Path) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_notes_of_xiaohongshu() -> None:
    tables = read(NOTES)
    first, second = tables["posts"]
    assert first == {
        **dict.fromkeys(first), "platform": "xiaohongshu", "post_id": first["post_id"], "title": "青屿茶铺桂花乌龙测评｜冷泡一夜真的不涩",
        "text": "", "kind": "normal", "published_at": utc("2026-09-12T12:15:31"), "time_precision": "second", "likes": 1203,
        "comments": 412, "collects": 3456, "reposts": 88, "reads": 23110,
    }  # fmt: skip
    assert (second["title"], second["kind"], second["published_at"]) == (
        "云脊户外雨衣实测",
        "video",
        utc("2026-09-19T23:42:10"),
    )
    assert [second[name] for name in ("likes", "comments", "collects", "reposts", "reads")] == [386, 57, 129, 12, 1200]
    assert tables["rejects"] == []


def test_works_of_douyin() -> None:
    tables = read(WORKS)
    [row] = tables["posts"]
    assert row == {
        **dict.fromkeys(row), "platform": "douyin", "post_id": row["post_id"], "kind": "1-3min视频", "time_precision": "minute",
        "text": "小鹿豆浆机清洗到底麻不麻烦？三分钟看完 #小家电 #小鹿豆浆机", "published_at": utc("2026-08-30T04:01"), "likes": 25831,
        "reposts": 1207, "comments": 963, "collects": 4102, "reads": 1203456,
    }  # fmt: skip
    assert tables["rejects"] == []


def test_articles_of_wechat() -> None:
    tables = read(ARTICLES)
    [row] = tables["posts"]
    assert row == {
        **dict.fromkeys(row), "platform": "wechat", "post_id": "2650000001_1", "title": "十年前我们只想开一间不卖奶茶的茶铺", "text": "",
        "published_at": utc("2026-06-17T16:00"), "time_precision": "day", "reads": 150233, "reposts": 2210,
        "url": "http://mp.weixin.qq.com/s?__biz=MzFake&mid=2650000001&idx=1&sn=abc#rd",
    }  # fmt: skip
    assert tables["rejects"] == []


def test_articles_have_the_ids_of_other_tools(tmp_path: Path) -> None:
    header, row = _rows(ARTICLES)
    rows = [
        header,
        *(
            [*row[:-1], link]
            for link in (
                "https://mp.weixin.qq.com/s?__biz=MzkwMDAwMDAwMQ==&mid=2650000001&idx=2",
                "https://mp.weixin.qq.com/s/AbCdEfGhIjKlMnOpQrSt01",
                None,
            )
        ),
    ]
    found = [row["post_id"] for row in read(written(tmp_path / "a.xlsx", rows))["posts"]]
    assert found[:2] == ["3900000001_2650000001_2", "AbCdEfGhIjKlMnOpQrSt01"] and found[2].startswith("x_")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
@pytest.mark.parametrize("spread", [1, 13])
def test_banners_above_the_header_in_workbooks_and_csv(spread: int, encoding: str, tmp_path: Path) -> None:
    _, *rows = _rows(NOTES)
    banner = [BANNER] * spread + [None] * (13 - spread)
    short = [cell if at < 11 else None for at, cell in enumerate(rows[1])]
    written(tmp_path / "a.xlsx", [banner, rows[0], short, rows[2]])
    with (tmp_path / "b.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([banner, rows[0], short, rows[2], banner, rows[0], rows[2]])
    tables = read(tmp_path)
    expected = read(NOTES)["posts"]
    assert tables["posts"] == [*expected, *expected, expected[1]]
    assert [(row["source"], row["line"]) for row in tables["rejects"]] == [("b.csv", 5)]


@pytest.mark.parametrize(
    "above",
    [[["数据来源概况 2026-06-01至2026-06-30"]], [["数据来源概况", "2026-06-01", "2026-06-30"]],
     [["导出"], ["内容", "", "", "", "阅读"]]],
)  # fmt: skip
@pytest.mark.parametrize("name", ["total_1_2.csv", "total.xlsx"])
def test_an_introduction_of_a_few_cells(name: str, above: list[list[str]], tmp_path: Path) -> None:
    header, row = _rows(ARTICLES)
    short = [row[0], row[1], *[None] * (len(header) - 3), row[-1]]
    tables = read(written(tmp_path / name, [*above, header, row, short[:4]], "utf-8"))
    first, second = tables["posts"] if name.endswith("xlsx") else (*tables["posts"], None)
    assert first == read(ARTICLES)["posts"][0]
    assert second is None or (second["title"], second["reads"]) == (row[0], None)
    assert [row["line"] for row in tables["rejects"]] == ([] if second else [len(above) + 3])


def test_texts_for_numbers_missing_figures_and_short_dates(tmp_path: Path) -> None:
    banner, header, first, _ = _rows(NOTES)
    cells = {
        "点赞": "1.2万",
        "评论": "-",
        "收藏": "0",
        "观看量": "10万+",
        "首次发布时间": "2026年9月2日8时05分1秒",
        "分享": "很多",
    }
    row = [cells.get(name, cell) for name, cell in zip(header, first, strict=True)]
    tables = read(written(tmp_path / "a.xlsx", [banner, header, row]))
    [post] = tables["posts"]
    assert [post[name] for name in ("likes", "comments", "collects", "reads")] == [12000, None, 0, 100000]
    assert (post["count_floors"], post["published_at"]) == (["reads"], utc("2026-09-02T00:05:01"))
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(3, "分享")]


def test_a_later_download_of_the_same_list_is_newer(tmp_path: Path) -> None:
    header, row = _rows(WORKS)
    for name, likes in (
        ("作品列表.xlsx", "1"),
        ("作品列表 (2).xlsx", "3"),
        ("作品列表 (1).xlsx", "2"),
        ("作品列表 (10).xlsx", "4"),
    ):
        written(
            tmp_path / name,
            [header, [likes if column == "点赞量" else cell for column, cell in zip(header, row, strict=True)]],
        )
    convert([tmp_path], tmp_path / "out", None)
    assert [row["likes"] for row in read_table(tmp_path / "out/posts", CANONICAL["posts"]).to_pylist()] == [4]


def test_nothing_but_banners(tmp_path: Path) -> None:
    written(tmp_path / "a.xlsx", [[BANNER], [BANNER]])
    (tmp_path / "b.csv").write_text("一行\n两行, 有逗号\n三行\n", "utf-8")
    (tmp_path / "c.csv").write_bytes(b"," * 1000 + b"\n" + os.linesep.encode() * 5)
    tables = read(tmp_path)
    assert len(tables["rejects"]) == 3 and tables["posts"] == []


def test_labels_with_their_units_and_a_figure_that_is_missing(tmp_path: Path) -> None:
    header = ("内容标题", "发表时间", "总阅读人数(人)", "总阅读次数（次）", "总分享次数(次)", "内容url")
    path = written(tmp_path / "已通知内容.xlsx", [header, ("桂花", 20260912, "100,001", "-", "2", "")])
    (post,) = read(path)["posts"]
    assert (post["reads"], post["count_floors"], post["reposts"]) == (100_001, ["reads"], 2)
    assert (post["published_at"], post["time_precision"]) == (utc("2026-09-11T16:00:00"), "day")


@pytest.mark.parametrize("said", ["合计", "总计：", "汇总（共3篇）", "Total", "本页合计"])
@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_a_row_that_sums_others_up_is_no_post(name: str, at: int, said: str, tmp_path: Path) -> None:
    _, header, first, _ = _rows(NOTES)
    sums = ["", "", "", *first[3:]]
    sums[at] = said
    titled = [said, *first[1:]]
    tables = read(written(tmp_path / name, [header, first, sums, titled]))
    assert [row["title"] for row in tables["posts"]] == [first[0], said]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(3, header[at])]
    assert "sums others up" in tables["rejects"][0]["reason"]
