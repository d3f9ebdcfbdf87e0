"""Accounts: what their posts tell, and groups that a split must not cut."""

import numpy as np
import pytest

from pinzhi.interaction.account_features import FEATURES, SeenPost, account_features
from pinzhi.training.accounts import account_model, shared_post_groups

LIVED_IN = [
    SeenPost("今天的面揉得太湿了，将就烤吧", 0, 3, 12, False),
    SeenPost("[笑cry]孩子把面粉撒了一地", 1, 6, 30, False),
]
FED = [SeenPost("转发抽奖，免费领红包，加我 http://t.cn/x", 0, 0, 0, True)] * 4


def of(name: str, posts: list[SeenPost]) -> float:
    return float(account_features(100, 200, posts)[FEATURES.index(name)])


def test_features_say_what_their_names_say() -> None:
    assert len(account_features(1, 2, FED)) == len(FEATURES)
    for name, high, low in (
        ("share_of_reposts", FED, LIVED_IN), ("share_promoting", FED, LIVED_IN), ("share_with_link", FED, LIVED_IN),
        ("share_commented", LIVED_IN, FED), ("share_liked", LIVED_IN, FED), ("share_distinct", LIVED_IN, FED),
        ("comments_most", LIVED_IN, FED), ("likes_mean", LIVED_IN, FED), ("variety", LIVED_IN, FED),
        ("share_with_emoji_code", LIVED_IN, FED), ("share_reposted", LIVED_IN, FED),
    ):  # fmt: skip
        assert of(name, high) > of(name, low), name
    assert of("share_commented", LIVED_IN) == 1.0 and of("share_reposted", LIVED_IN) == 0.5


def test_an_account_without_posts_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one post"):
        account_features(1, 2, [])


def test_accounts_that_share_a_post_through_others_are_one_group() -> None:
    long = "这一条很长的帖子有很多账号在发"
    groups = shared_post_groups(
        [[long], [long, "另一条也很长很长的帖子"], ["另一条也很长很长的帖子"], ["早安"], ["早安"]]
    )
    assert groups[0] == groups[1] == groups[2] and len(set(groups[2:])) == 3
    assert len(set(shared_post_groups([[], ["早安"]]))) == 2


def test_the_model_tells_them_apart() -> None:
    chance = np.random.default_rng(3)
    rows = [
        account_features(chance.integers(1, 900), chance.integers(1, 900), posts)
        for posts in [LIVED_IN, FED, LIVED_IN[:1], FED[:1]] * 6
    ]
    model = account_model().fit(rows, [0, 1] * 12)
    assert model.predict([account_features(50, 60, FED[:2]), account_features(50, 60, LIVED_IN)]).tolist() == [1, 0]
