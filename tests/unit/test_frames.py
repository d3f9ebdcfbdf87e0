"""Boilerplate by its frame: many accounts, each with fillings of its own; a copied story is none, however it is disguised."""

import pytest

from pinzhi.brand import BrandProfile
from pinzhi.originality.frames import Account, Framed, users_of_frame
from pinzhi.scoring import Scorer
from tests.conftest import at, posts

NAMES = ["梧桐里", "望江苑", "银杏湾", "听泉居", "白鹭洲", "百合园", "橡树台", "松涛阁"]
FRAME = "{}精装两居，{}平，南北通透，拎包入住，楼下就是菜场和小学，业主诚心出售，随时看房，先到先得"
STORY = "巷口老周的面包房今早贴了告示：面粉涨价，吐司从12块调到14块，切片不另收钱。老板娘说再不涨连电费都保不住了。"
AROUND = ["转需", "真的假的", "心疼", "我们这边也是", "早安", "看哭了", "唉", "支持老周"]


def users(text: str, *others: str) -> int:
    """Accounts, of one post each, that use the frame of `text`."""
    return users_of_frame(Framed(text), [(("weibo", f"a{i}"), Framed(other)) for i, other in enumerate(others)])


def test_a_frame_with_other_names_and_numbers_is_counted_by_account() -> None:
    filled = ["【急售】" + FRAME.format(name, 80 + i) for i, name in enumerate(NAMES)]
    assert users(filled[0], *filled[1:]) == 7
    same: list[tuple[Account, Framed]] = [(("weibo", "a"), Framed(text)) for text in filled[1:]]
    assert users_of_frame(Framed(filled[0]), same) == 1
    assert users(filled[0], *[filled[1]] * 5) == 1  # copied from one that filled it in
    assert users(FRAME.format("梧桐里", 80), *(FRAME.format("梧桐里", n) for n in (81, 82, 83))) == 3


@pytest.mark.parametrize("disguise", ["{1}", "{0}，{1}", "#{0}#{1}", "{1}{0}", "{1} @{0}", "{1}🍞"])
def test_a_copied_story_is_no_frame(disguise: str) -> None:
    assert users(STORY, *(disguise.format(one, STORY) for one in AROUND)) == 0


def test_another_text_has_another_frame() -> None:
    assert users(STORY, *(FRAME.format(name, 90) for name in NAMES)) == 0
    assert users("", "", "12", "13") <= 2  # nothing but numbers


def test_copies_of_boilerplate_are_templates_and_copies_of_a_story_are_not(brand: BrandProfile) -> None:
    """Only what came before counts: the first ones stay what they were."""
    scorer = Scorer.load()
    rows = [
        {"account_id": f"a{i}", "published_at": at(1 + i), "text": "【急售】" + FRAME.format(name, 80 + i)}
        for i, name in enumerate(NAMES)
    ]
    rows += [{"account_id": f"a{i}", "published_at": at(11 + i), "text": f"{around}，{STORY}"} for i, around in enumerate(AROUND)]  # fmt: skip
    scored = scorer.score_posts(posts(*rows), brand=brand).to_pylist()
    frames, stories = scored[:8], scored[8:]
    assert [row["n_frame_accounts"] for row in frames] == [0, 0, 0, 3, 4, 5, 6, 7]
    assert [row["originality_label"] for row in frames[5:]] == ["template"] * 3
    assert all(row["source_post_id"] is None and row["originality"] < 20 for row in frames[5:])
    assert {row["n_frame_accounts"] for row in stories} == {0}
    assert [(row["originality_label"], row["source_post_id"]) for row in stories[1:]] == [("duplicate", "p8")] * 7
    earlier = scorer.score_posts(posts(*rows[:6]), brand=brand).to_pylist()
    assert earlier == frames[:6]
