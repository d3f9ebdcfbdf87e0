from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.readers.helpers import jsonl, read, utc, written

ARCHIVE = ROOT / "tests/data/archives/tb_comment/comment.xlsx"
HEADER = ["商品名", "销量", "商品类型", "评论", "评论日期", "追评"]


def _written(path: Path, *rows: list[str]) -> Path:
    return written(path, [HEADER, *rows])


def test_reviews() -> None:
    tables = read(ARCHIVE)
    first, second = tables["comments"]
    assert first == {
        **dict.fromkeys(first), "platform": "taobao", "comment_id": first["comment_id"], "post_id": "小鹿豆浆机破壁免滤家用小型",
        "created_at": utc("2026-08-18T13:09:33"), "time_precision": "second", "text": "声音比想象中小，出浆细，就是盖子有点难装",
    }  # fmt: skip
    assert (second["text"], second["created_at"]) == ("用了一个月，刀头松了", utc("2026-08-19T00:00"))
    assert first["comment_id"] != second["comment_id"]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(3, "评论")]


def test_a_second_review_and_more_sales_are_the_same_record(tmp_path: Path) -> None:
    row = ["锅", "2万+", "黑", "不错&hellip;", "2026-08-18 21:09:33", ""]
    [first] = read(_written(tmp_path / "a.xlsx", row))["comments"]
    [later] = read(_written(tmp_path / "a.xlsx", [row[0], "3万+", *row[2:5], "还是不错"]))["comments"]
    assert first["comment_id"] == later["comment_id"]
    assert (first["text"], later["text"]) == ("不错…", "不错…\n还是不错")


@pytest.mark.parametrize(
    "words",
    ["此用户没有填写评论!", "此用户没有填写评价。", "15天内买家未作出评价", "评价方未及时做出评价,系统默认好评!"],
)
def test_words_of_the_platform_are_no_review(words: str, tmp_path: Path) -> None:
    tables = read(_written(tmp_path / "a.xlsx", ["锅", "1", "", words, "2026-08-18 21:09:33", ""]))
    assert [row["text"] for row in tables["comments"]] == [""]
    assert [row["field"] for row in tables["rejects"]] == ["评论"]


def test_csv_in_gbk(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{','.join(HEADER)}\n锅,2万+,黑,好锅,2026-08-18 21:09:33,\n", "gb18030")
    assert [row["text"] for row in read(tmp_path)["comments"]] == ["好锅"]


def test_reviews_with_commas_that_nobody_quoted(tmp_path: Path) -> None:
    lines = (
        "auctionSku,rateContent,rateDate",
        "白,好,用,2026-08-18 21:09:33",
        "白,好,2026-08-18 21:09:33",
        "白,好,昨天,买的",
    )
    (tmp_path / "rates.csv").write_text("\n".join(lines), "gb18030")
    tables = read(tmp_path)
    assert [row["text"] for row in tables["comments"]] == ["好,用", "好"]
    assert [row["line"] for row in tables["rejects"]] == [4]


def test_fields_of_the_platform_itself(tmp_path: Path) -> None:
    header = ("rateContent", "rateDate", "auctionSku", "displayUserNick")
    rows = [
        ("好茶", "2026-09-12 10:00:00", "规格:一罐", "张***三"),
        ("此用户没有填写评论!", "2026-09-12 10:00:01", "规格:一罐", "李***四"),
    ]
    tables = read(written(tmp_path / "rates.csv", [header, *rows], "gb18030"), pseudonymise=True)
    assert [(row["text"], row["author_name"]) for row in tables["comments"]] == [("好茶", "张***"), ("", "李***")]
    assert "李" not in tables["rejects"][0]["raw"]
    second = {
        "id": 11,
        "rateContent": "好",
        "rateDate": "2026-09-12 10:00:00",
        "appendComment": {"content": "一月后还好"},
    }
    (row,) = read(jsonl(tmp_path / "rates.jsonl", second))["comments"]
    assert (row["comment_id"], row["text"], row["created_at"]) == ("11", "好\n一月后还好", utc("2026-09-12T02:00:00"))
