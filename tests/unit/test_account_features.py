"""Accounts: what their posts tell, and groups that a split must not cut."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pinzhi import Scorer, schemas
from pinzhi.archive.fed import seen_accounts, with_fed
from pinzhi.config import ScoreConfig
from pinzhi.decide import REASONS, decide_accounts
from pinzhi.errors import InputError, ModelError
from pinzhi.heads.account import AccountModel, load_account_model
from pinzhi.heads.store import active_versions
from pinzhi.interaction import aggregate_accounts
from pinzhi.interaction.account_features import (
    FEATURES,
    MOST_POSTS,
    PROFILE,
    TAUGHT,
    SeenAccount,
    SeenPost,
    account_features,
    taught_features,
)
from pinzhi.interaction.accounts import INTERACTIONS
from pinzhi.paths import models
from pinzhi.training.accounts import ACCOUNTS, account_model, evaluate_accounts, fit_accounts, shared_post_groups
from pinzhi.training.publish import publish_accounts
from tests.conftest import at

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


def test_words_are_counted_without_what_exports_write_in_their_own_way() -> None:
    plain = [SeenPost("今天的面揉得太湿了", 0, 0, 0, False), SeenPost("", 0, 0, 0, True)]
    dressed = [
        SeenPost("#厨房日记#今天的面[笑cry]揉得太湿了 @小满面馆 http://t.cn/A6xYz1", 0, 0, 0, False), SeenPost("转发微博", 0, 0, 0, True),
    ]  # fmt: skip
    for name in ("length_mean", "length_spread", "variety", "share_distinct"):
        assert of(name, dressed) == of(name, plain), name
    assert of("share_with_link", dressed) == 0.5
    for link in ("网页链接", "小满面馆的微博视频"):
        assert of("share_with_link", [SeenPost(f"看这里 {link}", 0, 0, 0, False)]) == 1.0


def test_what_a_profile_hides_is_unknown_and_nothing_else() -> None:
    known, hidden = account_features(0, 12, LIVED_IN), account_features(None, None, LIVED_IN)
    assert np.isnan(hidden[: len(PROFILE)]).all() and known[0] == 0.0
    np.testing.assert_array_equal(known[len(PROFILE) :], hidden[len(PROFILE) :])


def weibo_posts(account: str, said: list[SeenPost], **more: Any) -> list[dict[str, Any]]:
    """Canonical posts, the first the newest."""
    return [
        {"platform": "weibo", "post_id": f"{account}{i:03d}", "account_id": account, "published_at": at(28) - timedelta(hours=i),
         "text": one.text, "reposts": one.reposts, "comments": one.comments, "likes": one.likes,
         "kind": "repost" if one.is_repost else "original", **more}
        for i, one in enumerate(said)
    ]  # fmt: skip


def database(posts: list[dict[str, Any]], accounts: list[dict[str, Any]]) -> "duckdb.DuckDBPyConnection":
    """The canonical tables of a run."""
    connection = duckdb.connect()
    connection.register("posts", pa.Table.from_pylist(posts, schema=schemas.POSTS))
    connection.register("accounts", pa.Table.from_pylist(accounts, schema=schemas.ACCOUNTS))
    return connection


def said(n: int) -> list[SeenPost]:
    """Posts of which none is like another."""
    return [SeenPost(f"第{i}天 {'面包' * (i % 5)} @小满 #早餐# [笑]", i, 2 * i, 3 * i, i % 3 == 0) for i in range(n)]


def test_an_archive_shows_the_model_what_the_labelled_accounts_show_it() -> None:
    many, few = said(MOST_POSTS + 9), said(6)
    profile = {"platform": "weibo", "account_id": "many", "following": 40, "posts": 900, "fetched_at": at(28)}
    before = profile | {"following": 10, "posts": 100, "fetched_at": at(1)}
    rows = [*weibo_posts("many", many), *weibo_posts("few", few), *weibo_posts("bare", said(2)), *weibo_posts("other", few, platform="zhihu"),
            *weibo_posts("hidden", few, likes=None), *weibo_posts("gone", few, kind="deleted")]  # fmt: skip
    seen = dict(seen_accounts(database(rows[::-1], [profile, before]), 5))
    assert seen.keys() == {"many", "few"}
    assert (seen["many"].following, seen["many"].published) == (40, 900)
    assert seen["few"].following is seen["few"].published is None
    wanted = [SeenAccount(40, 900, many[:MOST_POSTS]), SeenAccount(None, None, few)]
    np.testing.assert_array_equal(taught_features([seen["many"], seen["few"]]), taught_features(wanted))


def test_reposts_are_known_by_what_they_repost_where_no_kind_is_told() -> None:
    rows = weibo_posts(
        "a", [SeenPost("说得对//@小满:面要醒透", 0, 0, 0, False), SeenPost("面醒透了", 0, 0, 0, False)], kind=None
    )
    rows[1]["reposted_post_id"] = "9"
    rows += weibo_posts("b", [SeenPost("面醒透了", 0, 0, 0, False)] * 2, kind=None)
    seen = dict(seen_accounts(database(rows, []), 1))
    assert [[post.is_repost for post in seen[account].posts] for account in "ab"] == [[True, True], [False, False]]


def scored(rows: list[dict[str, Any]], scorer: Scorer, config: ScoreConfig) -> dict[str, dict[str, Any]]:
    """Accounts of an archive as a run has them."""
    decided = [
        {"n_comments": 0, "genuine_comments": None, **dict.fromkeys(INTERACTIONS), "quality": None, "reads": None, "originality": None, "originality_label": "original", **row}
        for row in rows
    ]  # fmt: skip
    nobody = schemas.ACCOUNTS.empty_table()
    accounts = aggregate_accounts(pa.Table.from_pylist(decided), nobody, config)
    accounts = decide_accounts(with_fed(accounts, database(rows, []), scorer.measure_accounts, config), config)
    return {row["account_id"]: row for row in accounts.to_pylist()}


def test_a_fed_account_is_told_from_a_lived_in_one_and_what_cannot_be_told_has_its_reason(
    config: ScoreConfig, store: Path
) -> None:
    advert = SeenPost("红包免费领，优惠多多，加我 http://t.cn/A6xYz1", 0, 0, 0, False)
    lived = [SeenPost(f"{one.text}，第{i}炉", i % 2, 3 + i, 12 + 2 * i, False) for i, one in enumerate(LIVED_IN * 4)]
    rows = [
        *weibo_posts("fed", [advert] * 8), *weibo_posts("lived", lived), *weibo_posts("few", lived[:4]),
        *weibo_posts("hidden", lived, comments=None), *weibo_posts("other", [advert] * 8, platform="zhihu"),
    ]  # fmt: skip
    found = scored(rows, Scorer.load(config), config)
    assert found["fed"]["p_fed"] > config.accounts.fed_from and "looks_fed" in found["fed"]["reasons"]
    assert found["lived"]["p_fed"] < 0.1 and "looks_fed" not in found["lived"]["reasons"]
    assert found["fed"]["verdict"] == found["lived"]["verdict"] == "unknown", "nothing is known of their followers"
    why = {account: row["p_fed_reason"] for account, row in found.items()}
    assert why == {"fed": None, "lived": None, "few": "too_few_posts", "hidden": "hidden_counts", "other": "not_weibo"}
    assert all(found[account]["p_fed"] is None for account in ("few", "hidden", "other"))
    assert set(why.values()) - {None} <= REASONS.keys()
    always = config.model_copy(update={"accounts": config.accounts.model_copy(update={"fed_from": 0.0})})
    assert "looks_fed" not in scored(rows, Scorer.load(config), always)["few"]["reasons"], "a null is no zero"

    switch = (store / "active.toml").read_text("utf-8")
    (store / "active.toml").write_text(switch.replace("[account]", "[other]"), "utf-8")
    of_before = scored(rows, Scorer.load(config, store), config)
    assert of_before["fed"]["p_fed"] is None and of_before["fed"]["p_fed_reason"] == "no_account_model"


def labelled_accounts(data: Path) -> None:
    """Sixty accounts, in the form of the public set."""
    chance = np.random.default_rng(5)
    rows = []
    for i in range(60):
        is_fed, n = i % 2 == 1, int(chance.integers(6, 20))
        counts = [
            [0, -1, 0, int(chance.poisson(0.2 if is_fed else 3)), int(chance.poisson(0.3 if is_fed else 9))]
            for _ in range(n)
        ]
        rows.append({
            "label": int(is_fed), "follow_count": int(chance.integers(1, 500)), "statuses_count": int(chance.integers(20, 5000)),
            "posts": [f"账号{i}的第{k if not is_fed else k % 2}条，说说今天的面包" for k in range(n)], "post_counts": counts,
            "retweet_features": ["" if is_fed and k % 2 else "noretweet" for k in range(n)],
        })  # fmt: skip
    (data / ACCOUNTS).mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), data / ACCOUNTS / "train.parquet")


def test_the_stored_model_says_what_was_fitted_and_is_switched_without_the_encoder(tmp_path: Path, store: Path) -> None:
    labelled_accounts(tmp_path)
    before = active_versions(store)
    version = publish_accounts(tmp_path, store, date="20990101", seed=1)
    assert active_versions(store) == before | {"account": version}
    fitted, loaded = fit_accounts(tmp_path / ACCOUNTS), load_account_model(store, TAUGHT, len(PROFILE))
    seen = [SeenAccount(following, 300, LIVED_IN) for following in (5, None)] + [SeenAccount(9, None, FED)]
    features = taught_features(seen)
    p = loaded.p_fed(features)
    np.testing.assert_allclose(p, fitted.double().p_fed(features), atol=0.01)  # weights are stored in half precision
    np.testing.assert_allclose(p, [1 / 62, 1 / 62, 61 / 62], atol=1e-3)  # sixty accounts bear no more certainty
    np.testing.assert_array_equal(p[1:2], loaded.p_fed(features[1:2]))
    with pytest.raises(ModelError, match="train it anew"):
        load_account_model(store, FEATURES, len(PROFILE))


def test_where_the_profile_is_unknown_other_weights_speak() -> None:
    model = AccountModel(3, 2).double()
    for part, weights in ((model.whole, [1.0, 0.0, 0.0]), (model.posts_alone, [-2.0])):
        part.layer.weight.data[:] = torch.tensor([weights])
        part.layer.bias.data.zero_()
    features = np.array([[1.0, 0.0, 1.0], [1.0, np.nan, 1.0], [np.nan, np.nan, 1.0]])
    np.testing.assert_allclose(model.p_fed(features), 1 / (1 + np.exp([-1.0, 2.0, 2.0])), atol=1e-6)
    model.least.fill_(0.3)
    np.testing.assert_allclose(model.p_fed(features), [0.7, 0.3, 0.3], atol=1e-6)


def test_figures_are_of_accounts_that_were_not_learnt(tmp_path: Path) -> None:
    labelled_accounts(tmp_path)
    report = evaluate_accounts(tmp_path / ACCOUNTS, seed=1)
    assert report["pinzhi"]["value"] > 0.9 and report["n_dev"] == 60
    assert sum(one["n"] for one in report["reliability"].values()) == 60
    assert report["by_2_posts"]["value"] <= report["pinzhi"]["value"] and 0 <= report["ece"] < 0.2
    with pytest.raises(InputError, match="expected labelled accounts"):
        evaluate_accounts(tmp_path / "nowhere", seed=1)


def test_the_shipped_model_is_calibrated_and_reaches_what_was_asked() -> None:
    import json

    report = json.loads(
        (models() / "account" / active_versions(models())["account"] / "metrics.json").read_text("utf-8")
    )
    assert report["accuracy"]["value"] >= 0.92 and report["by_5_posts"]["value"] >= 0.92
    assert report["ece"] < 0.05 and report["posts_alone_ece"] < 0.05
    assert report["accuracy"]["value"] > max(report["forest"]["value"], report["tfidf"]["value"])
