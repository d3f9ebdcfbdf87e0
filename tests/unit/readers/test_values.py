from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinzhi.readers import values
from pinzhi.readers.values import BadValue


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("１．２万", (12_000, False)), ("1.2w", (12_000, False)), ("3 万+", (30_000, True)), ("1.3億", (130_000_000, False)),
     ("100万+", (1_000_000, True)), ("1,024,000", (1_024_000, False)), ("1，024", (1024, False)), ("2k+", (2000, True)), (float("nan"), (None, False)), (12.0, (12, False)),
     ("暂无", (None, False)), ("N/A", (None, False)), ("\\N", (None, False)), ("-1.0", (None, False)), ("——", (None, False)),
     ({"$numberLong": "12"}, (12, False)), (Decimal("12.00"), (12, False)),
     ("未知", (None, False)), ("-", (None, False)), (-1, (None, False)), ("12.0", (12, False)), (None, (None, False))],
)  # fmt: skip
def test_counts_as_platforms_write_them(cell: object, expected: tuple[int | None, bool]) -> None:
    assert values.count(cell) == expected


@pytest.mark.parametrize("cell", ["赞", " 点赞", "赞同", "评论", "转发\n", "分享", "收藏", "Like"])
def test_the_word_of_a_button_says_nothing_of_its_figure(cell: str) -> None:
    assert values.count(cell) == (None, False)


@pytest.mark.parametrize("cell", ["很赞", "-5", "1.5", "1,02", "1.2.3万", True, -7, 1.5, "9" * 30, {}])
def test_what_is_no_count_is_refused_and_shown(cell: object) -> None:
    with pytest.raises(BadValue, match=r"expected a .*count"):
        values.count(cell)


@given(st.integers(0, 2**62))
def test_plain_counts_survive(number: int) -> None:
    assert values.count(number) == values.count(str(number)) == values.count(f"{number:,}") == (number, False)


@given(st.integers(1, 99_999), st.integers(0, 9))
def test_ten_thousands_are_exact(whole: int, tenth: int) -> None:
    assert values.count(f"{whole}.{tenth}万+") == (whole * 10_000 + tenth * 1_000, True)


@pytest.mark.parametrize(
    "cell",
    ["#N/A", "#REF!", "#NAME?", "#SPILL!", "########", "TRUE", "False", True, "1.23E+18", "=A2", "=VLOOKUP(A2,B:C,2)"],
)
def test_what_a_spreadsheet_leaves_in_place_of_an_id_is_refused(cell: object) -> None:
    with pytest.raises(BadValue, match="expected an id"):
        values.identifier(cell)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.integers()), st.binary()))
def test_no_cell_raises_anything_but_bad_value(cell: object) -> None:
    for parse in (values.count, values.time, values.identifier, values.flag, values.number, values.text, values.names):
        try:
            parse(cell)
        except BadValue as error:
            assert "expected" in str(error) and "found" in str(error)
    assert values.time_told(cell, (None, None)) == (None, None)
    values.time_told(cell, (1789995604658, "day"))


@given(st.datetimes(datetime(1972, 1, 1), datetime(2099, 12, 31)), st.integers(-12 * 60, 14 * 60))
def test_a_time_is_the_same_however_it_is_written(naive: datetime, offset: int) -> None:
    moment = naive.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    expected = values.milliseconds(moment)
    assert values.time(moment.isoformat())[0] == expected
    assert values.time(moment.strftime("%a %b %d %H:%M:%S %z %Y"))[0] == expected
    assert values.time(moment.astimezone(values.BEIJING).strftime("%Y-%m-%d %H:%M:%S")) == (expected, "second")
    if expected // 1000 >= 10**8:
        assert values.time(expected // 1000) == values.time(str(expected // 1000)) == (expected, "second")


@pytest.mark.parametrize(
    ("cell", "iso", "precision"),
    [("2026-09-01T09:30:00.250+08:00", "2026-09-01T01:30:00.250", "millisecond"),
     ("2026-09-01T01:30:00.000Z", "2026-09-01T01:30:00", "second"), ("2026/9/1 9:30", "2026-09-01T01:30:00", "minute"),
     ("2026-09-01 09:30:00+0800", "2026-09-01T01:30:00", "second"), (1788226200.5, "2026-09-01T01:30:00.500", "millisecond"),
     ("1788226200000", "2026-09-01T01:30:00", "second"), (1788226200000000, "2026-09-01T01:30:00", "second"),
     ("1788226200250000000", "2026-09-01T01:30:00.250", "millisecond"), ("2026年9月1日 9:30", "2026-09-01T01:30:00", "minute"),
     ("1.7882262E+12", "2026-09-01T01:30:00", "second"), ("1.78822620025e+12", "2026-09-01T01:30:00.250", "millisecond"),
     ({"$date": "2026-09-01T01:30:00Z"}, "2026-09-01T01:30:00", "second"), ({"$date": {"$numberLong": "1788226200000"}}, "2026-09-01T01:30:00", "second"),
     ("2026-09-01", "2026-08-31T16:00:00", "day"), ("编辑于 2026-09-01 上海", "2026-08-31T16:00:00", "day"), ("2026-09-01 09:30 来自 iPhone 17 Pro", "2026-09-01T01:30:00", "minute"),
     ("发布于 2026年9月1日 9:30 · 内蒙古", "2026-09-01T01:30:00", "minute"), ("2026-09-01 09:30:00 IP属地：四川", "2026-09-01T01:30:00", "second"),
     (46266, "2026-08-31T16:00:00", "day"), ("46266.3958333333", "2026-09-01T01:30:00", "second"), (46266.395833, "2026-09-01T01:30:00", "second")],
)  # fmt: skip
def test_times_and_their_precision(cell: object, iso: str, precision: str) -> None:
    assert values.time(cell) == (values.milliseconds(datetime.fromisoformat(iso).replace(tzinfo=UTC)), precision)


@pytest.mark.parametrize(
    "cell",
    [
        "昨天 10:40",
        "10:40",
        "2026-13-01",
        "2026-02-30",
        "5小时前",
        "1.78823E+12",
        12,
        "5211000000000001",
        True,
        "12345",
        99999,
        "编辑于 上海",
        "2026-09-01 第3章",
        "2026-09-01 三天前",
    ],
)
def test_what_is_no_time_is_refused(cell: object) -> None:
    with pytest.raises(BadValue, match="expected a time"):
        values.time(cell)


@pytest.mark.parametrize(
    ("cell", "seen", "iso", "precision"),
    [("昨天 12:30", "2026-09-21 21:00", "2026-09-20T04:30:00", "minute"), ("今天 20:59:01", "2026-09-21 21:00:00", "2026-09-21T12:59:01", "second"),
     ("前天8:05", "2026-09-21", "2026-09-19T00:05:00", "minute"), ("2天前", "2026-09-01 00:10:00", "2026-08-29T16:00:00", "day"),
     ("09-21", "2026-09-21 00:00:01", "2026-09-20T16:00:00", "day"), ("9月21日 20：15", "2026-09-21", "2026-09-21T12:15:00", "minute"),
     ("12-31 23:50", "2027-01-01 00:10:00", "2026-12-31T15:50:00", "minute"), ("02-29", "2024-03-01", "2024-02-28T16:00:00", "day"),
     ("3小时前", "2026-09-21 21:00:00", "2026-09-20T16:00:00", "day"), ("22 小时前", "2026-09-21 21:00:00", "2026-09-19T16:00:00", "day"),
     ("59分钟前", "2026-09-21 01:00:00", "2026-09-20T16:00:00", "day"), ("刚刚", "2026-09-20 16:00:00Z", None, None),
     ("刚刚", "2026-09-21 00:01:00", "2026-09-20T16:00:00", "day"), ("3小时前", "2026-09-21 03:20:00", None, None), ("3小时前", "2026-09-21", None, None),
     ("刚刚", "2026-09-21 23:59", "2026-09-20T16:00:00", "day"), ("今天 22:00", "2026-09-21 21:00:00", None, None), ("10:40", "2026-09-21 21:00:00", None, None),
     ("昨天 12:30 广东", "2026-09-21 21:00", "2026-09-20T04:30:00", "minute"), ("编辑于 09-20 北京", "2026-09-21", "2026-09-19T16:00:00", "day"), ("2天前 · 上海", "2026-09-01 00:10:00", "2026-08-29T16:00:00", "day"),
     ("02-29", "2026-03-01", None, None), ("13-01", "2026-09-21", None, None), ("昨天", None, None, None), ("周三", "2026-09-21", None, None)],
)  # fmt: skip
def test_times_that_a_page_tells_from_now(cell: str, seen: str | None, iso: str | None, precision: str | None) -> None:
    expected = iso and values.milliseconds(datetime.fromisoformat(iso).replace(tzinfo=UTC))
    assert values.time_told(cell, values.time(seen)) == (expected, precision)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [(" 5211000000000001\t", "5211000000000001"), ('="5211000000000001"', "5211000000000001"), (7545012345678901234, "7545012345678901234"),
     ("'0012", "0012"), (' ="0012"', "0012"), ("=5211000000000001", "5211000000000001"), ("true", "true"), ("#a", "#a"), ("None", None), ("", None), (5211000000000001.0, "5211000000000001"), ("5211000000000001.0", "5211000000000001"),
     ({"$oid": "66f0a1b2"}, "66f0a1b2"), ({"$numberLong": "7545012345678901234"}, "7545012345678901234"), (b"3xab", "3xab"),
     (Decimal("7545012345678901234"), "7545012345678901234"), ("5211000000000001.000", "5211000000000001"),
     (float("nan"), None), ("3xabcd7efgh9jkm", "3xabcd7efgh9jkm")],
)  # fmt: skip
def test_ids_digit_for_digit(cell: object, expected: str | None) -> None:
    assert values.identifier(cell) == expected


@pytest.mark.parametrize("cell", [7545012345678901234.0, "5.211E+15", "7.545e+18", "7545012345678901234.0"])
def test_ids_that_lost_digits_are_refused(cell: object) -> None:
    with pytest.raises(BadValue, match="last digits"):
        values.identifier(cell)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [("好&gt;&gt;&nbsp;茶&hellip;", "好>> 茶…"), ("a<br/>b<p>c</p>d", "a\nbc\nd"), ("<a href='/n/x'>@小秦</a>说", "@小秦说"),
     ("买<iPhone 15>吗 <3", "买<iPhone 15>吗 <3"), ("零\u200b宽\ufeff", "零宽"), ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
     ("半\ud83d个", "半\ufffd个"), ("空\x00字\x07", "空字"), ("行\r\n行", "行\n行"), ("&lt;b&gt;", "<b>"), ("茶&amp;gt;水&amp;nbsp;&amp;#39;R&amp;amp;D&amp;#39;", "茶>水 'R&D'"), ("A&amp;B;", "A&B;"),
     ("#栗光#好[泪]//@小秦:嗯", "#栗光#好[泪]//@小秦:嗯"), ("<script>x()</script>好", "好")],
)  # fmt: skip
def test_text_is_what_a_reader_saw(raw: str, clean: str) -> None:
    assert values.text(raw) == clean


@pytest.mark.parametrize("cell", [None, float("nan"), "\\N", ""])
def test_cells_without_a_text(cell: object) -> None:
    assert values.text(cell) == values.body(cell) == ""


@given(st.text(st.characters(), max_size=200))
def test_any_text_can_be_stored(raw: str) -> None:
    values.text(raw).encode("utf-8")
    values.plain(raw).encode("utf-8")
