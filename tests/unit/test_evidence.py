"""What is shown of a copy: passages of both texts, whatever their length."""

import random

import pytest

from pinzhi.originality.evidence import MAX_LETTERS, MIN_BLOCK, blocks, shared_spans

WORDS = "山城早市的豆花摊今年换了新铺面老板娘还是那位说话慢手很快清晨五点磨豆七点收摊"


def article(seed: int, n: int) -> str:
    """Prose of `n` characters that repeats nothing."""
    chance = random.Random(seed)
    return "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(n))


def test_equal_runs_are_blocks_of_both_texts() -> None:
    later, earlier = "开头不同" + WORDS[:12] + "中间改了" + WORDS[20:30], WORDS
    found = blocks(later, earlier)
    assert [later[a : a + size] for a, _, size in found] == [WORDS[:12], WORDS[20:30]]
    assert [earlier[b : b + size] for _, b, size in found] == [WORDS[:12], WORDS[20:30]]


def test_runs_that_are_too_short_are_none() -> None:
    assert blocks(WORDS[: MIN_BLOCK - 1], WORDS) == [] and blocks("", WORDS) == [] and blocks(WORDS, "") == []
    assert blocks(WORDS[:MIN_BLOCK], WORDS) == [(0, 0, MIN_BLOCK)]


def test_blocks_never_overlap_in_either_text() -> None:
    chance = random.Random(3)
    for _ in range(300):
        later, earlier = ("".join(chance.choices("天地人和风", k=60)) for _ in range(2))
        end = source_end = 0
        for start, source_start, size in blocks(later, earlier):
            assert start >= end and source_start >= source_end and size >= MIN_BLOCK
            assert later[start : start + size] == earlier[source_start : source_start + size]
            end, source_end = start + size, source_start + size


@pytest.mark.parametrize("n", [1_400, 6_000, MAX_LETTERS - 2])
def test_a_long_article_is_shown_as_copied_to_its_end(n: int) -> None:
    source = article(1, n)
    (span,) = shared_spans(source, "转载：" + source)
    assert (span.start, span.end) == (3, 3 + n) and (span.source_start, span.source_end) == (0, n)


def test_paragraphs_of_a_long_article_are_found_behind_others() -> None:
    source, own = article(1, 6_000), article(2, 3_000)
    spans = shared_spans(source, own + source[4_000:5_500])
    assert [(span.start, span.end, span.source_start, span.source_end) for span in spans] == [
        (3_000, 4_500, 4_000, 5_500)
    ]


def test_what_repeats_itself_without_end_is_still_a_copy_of_its_like() -> None:
    assert sum(size for *_, size in blocks("哈" * 9_000, "哈" * 8_000)) == 8_000
