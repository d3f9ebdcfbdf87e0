import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinzhi.segment import Segmenter
from pinzhi.text import letters, normalise, skeleton

SAMPLES = ["自带饭盒上班第100天！", "這個禮盒真的很環保", "自 带\u200b饭 盒", "ＡＢＣ１２３", "笑死[泪][泪]", "加V：weixin12345678 http://t.cn/A6x",
           "//@张三:转发微博", "", "👨‍👩‍👧全家出动", "iPhone 17 Pro Max 开箱", "。", "哈哈"]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("這個禮盒真的很環保", "这个礼盒真的很环保"),
        ("自 带\u200b饭 盒", "自带饭盒"),
        ("ＡＢＣ１２３", "abc123"),
        ("加我 13812345678", "加我[num]"),
        ("看 http://t.cn/A6x 吧", "看[url]吧"),
        ("@小王 好用", "[at]好用"),
        ("аррle", "apple"),
        ("自\u0336带\u20dd饭\U000e0100盒\u3164装\u2800汤", "自带饭盒装汤"),
        ("自·带·饭·盒·装·汤，很香", "自带饭盒装汤,很香"),
        ("自🌟带🌟饭🔥盒✨装🌟汤", "自带饭盒装汤"),
        ("好吃、不贵、春、夏、秋", "好吃、不贵、春、夏、秋"),
        ("".join(f"[{c}带饭盒]" for c in "自又再也还都就才"), "".join(f"{c}带饭盒" for c in "自又再也还都就才")),
        ("[泪][泪][笑]太好了[心][赞][花]", "[泪][泪][笑]太好了[心][赞][花]"),
    ],
)
def test_tricks_are_folded(raw: str, clean: str) -> None:
    assert normalise(raw).text == clean


def test_spaces_between_latin_words_stay() -> None:
    assert normalise("iPhone 17 Pro开箱").text == "iphone 17 pro开箱"


@given(st.text(max_size=60) | st.sampled_from(SAMPLES))
def test_every_clean_character_points_into_the_raw_text(raw: str) -> None:
    clean = normalise(raw)
    assert len(clean.text) == len(clean.starts) == len(clean.ends)
    assert all(0 <= a < b <= len(raw) for a, b in zip(clean.starts, clean.ends, strict=True))
    assert list(clean.starts) == sorted(clean.starts)


def test_spans_lead_back_to_the_words_that_were_written() -> None:
    raw = "今天 自 帶 飯 盒 上班"
    clean = normalise(raw)
    at = clean.text.index("自带饭盒")
    start, end = clean.raw_span(at, at + 4)
    assert raw[start:end] == "自 帶 飯 盒"


def test_skeleton_ignores_numbers_topics_and_codes() -> None:
    assert skeleton("#早安#第12天打卡[太阳]") == skeleton("#晚安#第13天打卡!")
    assert letters("好[泪]的!1") == "好的1"


@pytest.mark.parametrize("raw", SAMPLES)
def test_both_engines_cut_alike(raw: str) -> None:
    clean = normalise(raw).text
    assert Segmenter().cut(clean) == Segmenter(engine="jieba").cut(clean)


def test_codes_stay_whole_and_words_change_the_id() -> None:
    assert Segmenter().cut("笑死[泪]") == ["笑", "死", "[泪]"]
    assert Segmenter(["绝绝子"]).cut("绝绝子") == ["绝绝子"]
    assert Segmenter(["绝绝子"]).id != Segmenter().id


def test_an_endless_run_of_letters_is_read_once() -> None:
    """It would take hours where every letter could begin an address."""
    assert normalise("x" * 1_000_000).text == "x" * 1_000_000
