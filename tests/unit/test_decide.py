from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinzhi import interaction
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.decide import REASONS, coherence, decide_accounts, decide_comments, decide_posts
from pinzhi.errors import BrandError, ConfigError
from pinzhi.interaction import real_share, share_interval
from pinzhi.labels import Grade
from pinzhi.schemas import ACCOUNTS, P_AUTHENTICITY, P_ORIGINALITY, P_SENTIMENT
from tests.conftest import ROOT, at, comments


def measured(**given: object) -> pa.Table:
    row = {
        "platform": "weibo", **dict(zip(P_ORIGINALITY, (1.0, 0.0, 0.0, 0.0, 0.0), strict=True)), "source_platform": None,
        "source_post_id": None, "source_account_id": None, "source_published_at": None, "source_similarity": 0.5, "spans": [{"start": 0, "end": 2}], "text": "番茄红了", "title": None,
        "other_sources": ["weibo/t"], "is_self": False, "is_undetermined": False, "n_frame_accounts": 0, "genuine_share": None, "n_comments": 0,
        "values": [{"value_id": "environment", "p_expresses": 0.9, "p_touches": 0.05, "p_contradicts": 0.0, "spans": []}],
        **given,
    }  # fmt: skip
    table = pa.Table.from_pylist([row])
    for name, type_ in (("genuine_share", pa.float32()), ("title", pa.string()), ("source_post_id", pa.string())):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(type_))
    return table


def decided(config: ScoreConfig, **given: object) -> dict[str, object]:
    return decide_posts(measured(**given), config).to_pylist()[0]


def test_an_original_post_that_lives_a_value_is_published(config: ScoreConfig) -> None:
    row = decided(config)
    assert (row["verdict"], row["originality_label"], row["coherence_grade"]) == ("publish", "original", 3)
    assert row["reasons"] == ["expresses_values"] and row["interaction"] is None


def test_contradiction_beats_expression_and_holds(config: ScoreConfig) -> None:
    values = [{"value_id": "a", "p_expresses": 0.9, "p_touches": 0.0, "p_contradicts": 0.0, "spans": []},
              {"value_id": "b", "p_expresses": 0.0, "p_touches": 0.0, "p_contradicts": 0.8, "spans": []}]  # fmt: skip
    row = decided(config, values=values)
    assert (row["verdict"], row["coherence_grade"]) == ("hold", 0) and "contradicts_values" in row["reasons"]


def test_only_a_derived_post_names_a_source(config: ScoreConfig) -> None:
    for p, label in (((0.1, 0.2, 0.1, 0.6, 0.0), "template"), ((0.1, 0.1, 0.1, 0.0, 0.7), "quote")):
        row = decided(config, **dict(zip(P_ORIGINALITY, p, strict=True)), source_platform="weibo", source_post_id="s")
        assert row["originality_label"] == label
        assert (
            row["source_post_id"]
            is row["source_platform"]
            is row["source_similarity"]
            is row["spans"]
            is row["other_sources"]
            is None
        )
    copy = dict(zip(P_ORIGINALITY, (0.0, 1.0, 0.0, 0.0, 0.0), strict=True))
    assert decided(config, **copy, source_platform="weibo", source_post_id="s")["source_post_id"] == "s"


def test_a_rewrite_wants_a_passage_to_show_or_near_certainty(config: ScoreConfig) -> None:
    span = [{"start": 0, "end": 9, "source_start": 0, "source_end": 9}]
    likely = dict(zip(P_ORIGINALITY, (0.3, 0.0, 0.7, 0.0, 0.0), strict=True))
    shown, unshown = decided(config, **likely, spans=span), decided(config, **likely, spans=[])
    assert shown["originality_label"] == "rewrite" and unshown["originality_label"] == "original"
    assert shown["originality"] < unshown["originality"] < 100
    mixed = dict(zip(P_ORIGINALITY, (0.2, 0.3, 0.5, 0.0, 0.0), strict=True))
    assert decided(config, **mixed, spans=[])["originality_label"] == "rewrite"
    sure = dict(zip(P_ORIGINALITY, (0.0, 0.0, 1.0, 0.0, 0.0), strict=True))
    assert decided(config, **sure, spans=[])["originality_label"] == "rewrite"


@pytest.mark.parametrize("text", ["", " \u200b\n"])
def test_a_post_without_text_gets_no_score(text: str, config: ScoreConfig) -> None:
    row = decided(config, text=text)
    assert row["originality"] is row["coherence"] is row["quality"] is row["verdict"] is None
    assert row["reasons"] == ["no_text"] and row["originality_label"] == "undetermined"
    titled = decided(config, text=text, title="新茶上市")
    assert titled["originality"] is None and titled["coherence_grade"] == 3 and "no_text" in titled["reasons"]


def test_a_copy_is_held_but_syndication_costs_nothing(config: ScoreConfig) -> None:
    copy = dict(zip(P_ORIGINALITY, (0.02, 0.9, 0.08, 0.0, 0.0), strict=True))
    foreign = decided(config, **copy, source_platform="weibo")
    own = decided(config, **copy, source_platform="douyin", is_self=True)
    recycled = decided(config, **copy, source_platform="weibo", is_self=True)
    assert foreign["verdict"] == "hold" and foreign["originality"] < 5
    assert own["verdict"] == "publish" and own["originality"] > 95 and "syndication" in own["reasons"]
    assert recycled["verdict"] == "hold" and "recycled" in recycled["reasons"]


def test_what_many_accounts_fill_in_is_copied_from_nobody(config: ScoreConfig) -> None:
    copy = dict(zip(P_ORIGINALITY, (0.02, 0.7, 0.08, 0.2, 0.0), strict=True)) | {"source_platform": "weibo"}
    least = config.originality.template_accounts
    few, many = (decided(config, **copy, n_frame_accounts=n) for n in (least - 1, least))
    assert (few["originality_label"], few["verdict"]) == ("duplicate", "hold")
    assert (many["originality_label"], many["verdict"], many["source_post_id"]) == ("template", "revise", None)
    news = dict(zip(P_ORIGINALITY, (0.9, 0.05, 0.05, 0.0, 0.0), strict=True))
    assert decided(config, **news, n_frame_accounts=99)["originality_label"] == "original"
    own = decided(config, **copy | {"source_platform": "douyin"}, is_self=True, n_frame_accounts=99)
    assert "syndication" in own["reasons"]
    assert decided(config, **copy, n_frame_accounts=None)["originality_label"] == "duplicate"


def test_undetermined_is_no_accusation(config: ScoreConfig) -> None:
    assert decided(config, is_undetermined=True)["originality_label"] == "undetermined"


@given(p=st.floats(0, 1), more=st.floats(0, 1))
def test_contradiction_never_raises_coherence(p: float, more: float) -> None:
    low, high = sorted((p, more))

    def score(contradicts: float) -> float:
        value = {"value_id": "a", "p_expresses": 0.3, "p_touches": 0.3, "p_contradicts": contradicts}
        found, _ = coherence([value])
        assert found is not None
        return found

    assert score(high) <= score(low) + 1  # the touch that a contradiction also is may weigh a little


def test_every_reason_has_both_languages() -> None:
    assert all(reason.zh and reason.en for reason in REASONS.values())


def test_anchors_are_reproduced_and_the_scale_is_monotone(config: ScoreConfig) -> None:
    assert real_share(3_000_000, 3, config.accounts) == pytest.approx(0.10)
    assert real_share(100_000, 30, config.accounts) == pytest.approx(0.90)
    by_interaction = [real_share(50_000, i, config.accounts) for i in (0, 1, 5, 50, 500)]
    by_followers = [real_share(f, 10, config.accounts) for f in (1_000, 10_000, 1e6, 1e7)]
    assert by_interaction == sorted(by_interaction) and by_followers == sorted(by_followers, reverse=True)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=60))
def test_interval_holds_its_point_and_narrows_with_n(p: list[float]) -> None:
    labels, shares = np.array([x > 0.5 for x in p]), np.array(p)
    share, low, high = share_interval(labels, shares, 0.9)
    _, low_4, high_4 = share_interval(np.tile(labels, 9), np.tile(shares, 9), 0.9)
    assert 0 <= low <= share <= high <= 1 and high_4 - low_4 <= high - low + 1e-9


def scored_comments(*texts: str, minutes: int = 1, posts: int = 1, author: bool = True, p: int = 0) -> pa.Table:
    rows = comments(*({"text": t, "created_at": at(1, 8, (i * minutes) % 60), "post_id": f"p{i % posts}",
                       "author_id": f"a{i}" if author else None} for i, t in enumerate(texts)))  # fmt: skip
    for names, top in ((P_SENTIMENT, 2), (P_AUTHENTICITY, p)):
        for i, name in enumerate(names):
            rows = rows.append_column(name, pa.array([0.9 if i == top else 0.02] * len(texts), pa.float32()))
    for name, values in (("is_owner", [False] * len(texts)), ("account_id", ["acc"] * len(texts))):
        rows = rows.append_column(name, pa.array(values))
    return rows


def test_equal_praise_by_many_hands_within_minutes_is_water_army(config: ScoreConfig) -> None:
    table = interaction.coordinate(scored_comments(*["真的太好用了强烈推荐大家"] * 5, "这个盖子怎么拧不紧"), config)
    labels = decide_comments(table, config)["authenticity"].to_pylist()
    assert labels == ["water_army"] * 5 + ["genuine"]
    assert "burst" in table["coordination_evidence"][0].as_py()


def test_a_masked_archive_says_that_it_is_masked(config: ScoreConfig) -> None:
    table = interaction.coordinate(scored_comments(*["真的太好用了强烈推荐大家"] * 4, author=False), config)
    assert "authors=masked" in table["coordination_evidence"][0].as_py()


@pytest.mark.parametrize("text", ["哈哈哈", "求链接在哪里买", "这个盖子怎么拧不紧呢？"])
def test_questions_and_short_reactions_are_no_coordination(text: str, config: ScoreConfig) -> None:
    assert interaction.coordinate(scored_comments(*[text] * 6), config)["coordination_id"].null_count == 6


def flood(config: ScoreConfig, *texts: str, posts: int = 1) -> list[str | None]:
    """Coordination ids of comments two seconds apart."""
    rows = scored_comments(*texts, posts=posts)
    times = pa.array([at(1, 8, 0, 2 * i) for i in range(len(texts))], rows["created_at"].type)
    rows = rows.set_column(rows.schema.get_field_index("created_at"), "created_at", times)
    return interaction.coordinate(rows, config)["coordination_id"].to_pylist()


def test_a_short_wording_is_water_army_when_it_floods_a_post_within_a_minute(config: ScoreConfig) -> None:
    wave = flood(config, *["好用！"] * 15)
    assert None not in wave and len(set(wave)) == 1
    assert flood(config, "好用！", *[f"第{'一二三四五六七八九'[i]}次买了" for i in range(9)]) == [None] * 10
    lively = [text for i in range(10) for text in ("哈哈", "甲乙丙丁戊己庚辛壬癸"[i] * 3 + "也这么想")]
    assert flood(config, *lively, "笑死", "真行", "太难了") == [None] * 23  # half the crowd says something else
    assert flood(config, *["好用！"] * 15, posts=5) == [None] * 15


def test_too_few_comments_is_an_answer(config: ScoreConfig) -> None:
    few = decide_comments(interaction.coordinate(scored_comments("味道很正", "已经回购"), config), config)
    post = pa.Table.from_pylist([{"platform": "weibo", "post_id": "p0"}])
    row = interaction.aggregate_posts(post, few, config).to_pylist()[0]
    assert row["genuine_share"] is None and row["n_comments"] == 2


PUBLISHED = {"platform": "weibo", "account_id": "acc", "reads": None, "quality": 50.0, "originality": 90.0,
             "originality_label": "original"}  # fmt: skip


def test_the_share_of_templates_leaves_out_posts_without_words(config: ScoreConfig) -> None:
    said = [{}, {"originality_label": "template"}, {"originality": None, "originality_label": "undetermined"}, {}, {}]
    posts = counted(
        config, *[PUBLISHED | {"n_comments": 0, "n_genuine": 0, "comments": 0, "reposts": 0} | one for one in said]
    )
    (row,) = interaction.aggregate_accounts(posts, ACCOUNTS.empty_table(), config).to_pylist()
    assert row["template_share"] == 0.25


def test_templates_are_told_by_account_and_month_with_their_doubt(config: ScoreConfig) -> None:
    template = {"originality_label": "template", "p_template": 0.9}
    said = [{"p_template": 0.0}, template, template | {"published_at": at(30, 23)}, template | {"account_id": "b"},
            template | {"published_at": None}, template | {"originality": None}, template | {"account_id": None}]  # fmt: skip
    posts = pa.Table.from_pylist([PUBLISHED | {"published_at": at(1)} | one for one in said])
    (ours, theirs) = interaction.aggregate_months(posts, config).to_pylist()
    assert (ours["n_posts"], ours["n_templates"], ours["month_at"]) == (3, 2, at(1, 0))
    assert ours["template_share_low"] < ours["template_share"] < ours["template_share_high"] < 1
    assert theirs["template_share"] == 1 and theirs["template_share_low"] < 0.6  # of a single post


def counted(config: ScoreConfig, *posts: dict[str, Any]) -> pa.Table:
    """Posts with what `count_genuine` finds of `n_comments` read, of which the models are sure that `n_genuine` are genuine."""
    said = [
        {"platform": "weibo", "post_id": f"p{i}", "is_owner": False, "authenticity": "genuine" if j < post["n_genuine"] else "spam",
         "p_genuine": 0.99 if j < post["n_genuine"] else 0.01}
        for i, post in enumerate(posts) for j in range(post["n_comments"])
    ]  # fmt: skip
    kinds = {
        "platform": pa.string(),
        "post_id": pa.string(),
        "is_owner": pa.bool_(),
        "authenticity": pa.string(),
        "p_genuine": pa.float32(),
    }
    rows = pa.Table.from_pylist([{"post_id": f"p{i}"} | post for i, post in enumerate(posts)])
    rows = rows.append_column("burst_share", pa.nulls(len(posts), pa.float32()))
    return interaction.count_genuine(rows, pa.Table.from_pylist(said, schema=pa.schema(kinds)), config)


@pytest.mark.parametrize(("followers", "reason"), [(None, "hidden_followers"), (0, "zero_followers")])
def test_hidden_and_zero_followers_give_null_with_the_reason(
    followers: int | None, reason: str, config: ScoreConfig
) -> None:
    posts = counted(config, PUBLISHED | {"n_comments": 9, "n_genuine": 9, "comments": 9, "reposts": 0})
    seen = pa.Table.from_pylist([{"platform": "weibo", "account_id": "acc", "followers": followers}], schema=ACCOUNTS)
    (row,) = decide_accounts(interaction.aggregate_accounts(posts, seen, config), config).to_pylist()
    assert row["real_share"] is None and row["reasons"] == [reason] and row["verdict"] == "unknown"


def account(config: ScoreConfig, followers: int, *posts: tuple[int, int, int, int]) -> dict[str, Any]:
    """The scored account behind posts of (comments, reposts, comments read, genuine of those)."""
    columns = ("comments", "reposts", "n_comments", "n_genuine")
    table = counted(config, *[PUBLISHED | dict(zip(columns, post, strict=True)) for post in posts])
    seen = pa.Table.from_pylist([{"platform": "weibo", "account_id": "acc", "followers": followers}], schema=ACCOUNTS)
    return decide_accounts(interaction.aggregate_accounts(table, seen, config), config).to_pylist()[0]


def test_an_avalanche_of_bought_reposts_and_one_lottery_lift_nobody(config: ScoreConfig) -> None:
    plain = [(12, 5, 12, 3)] * 6
    calm = account(config, 3_000_000, *plain)
    loud = account(config, 3_000_000, *plain, (21, 100_000, 20, 2), (9_000, 400, 30, 2))
    assert calm["real_share"] < 0.3 and loud["real_share"] < 1.5 * calm["real_share"]
    assert loud["real_share_low"] <= loud["real_share"] <= loud["real_share_high"]


def test_the_published_anchors_hold_from_comments_to_real_share(config: ScoreConfig) -> None:
    low = [account(config, 3_000_000, *[(3, 0, 3, genuine)] * 8)["real_share"] for genuine in (2, 3)]
    high = [account(config, 100_000, *[(20, 10, 20, genuine)] * 8)["real_share"] for genuine in (10, 18, 20)]
    assert low[-1] == pytest.approx(0.10, abs=1e-4) and high[-1] == pytest.approx(0.90, abs=1e-4)
    assert low[0] < low[1] < high[0] < high[1] < high[2]


def test_shares_of_posts_and_accounts_follow_the_probabilities_not_the_labels(config: ScoreConfig) -> None:
    p = [0.9] * 4 + [0.55] * 12  # sixteen labels say genuine, of most of which the models are unsure
    rows = pa.table(
        {
            "platform": ["weibo"] * 16,
            "post_id": ["p0"] * 16,
            "is_owner": [False] * 16,
            "authenticity": ["genuine"] * 16,
            "p_genuine": p,
        }
    )
    posts = pa.Table.from_pylist([PUBLISHED | {"post_id": "p0", "n_comments": 16, "comments": 32, "reposts": None}])
    posts = posts.append_column("burst_share", pa.nulls(1, pa.float32()))
    posts = interaction.count_genuine(
        posts.set_column(posts.schema.get_field_index("reposts"), "reposts", pa.nulls(1, pa.int64())), rows, config
    )
    (post,) = posts.to_pylist()
    share, *bounds = share_interval(np.ones(16, dtype=bool), np.array(p), config.interaction.interval)
    (row,) = interaction.aggregate_accounts(posts, ACCOUNTS.empty_table(), config).to_pylist()
    assert share < 0.95 and post["genuine_interactions"] == pytest.approx(32 * share, abs=0.01)
    assert [post["genuine_interactions_low"], post["genuine_interactions_high"]] == pytest.approx(
        [32 * one for one in bounds], abs=0.01
    )
    assert row["genuine_share"] == pytest.approx(share, abs=0.001)


def test_a_post_of_which_little_was_read_takes_after_its_account(config: ScoreConfig) -> None:
    plain = PUBLISHED | {"n_comments": 20, "n_genuine": 5, "comments": 20, "reposts": 0}
    rows = counted(
        config, plain, plain, plain | {"n_comments": 1, "n_genuine": 1}, plain | {"n_comments": 0}
    ).to_pylist()
    full, _, little, unread = (row["genuine_interactions"] / 20 for row in rows)
    assert unread == pytest.approx(full, abs=0.05) and full < little < 0.6
    widths = [row["genuine_interactions_high"] - row["genuine_interactions_low"] for row in rows]
    assert widths[0] < widths[2] < widths[3] + 1, "what was hardly read is less sure"


def test_a_small_honest_account_is_real_and_the_interval_narrows_with_posts(config: ScoreConfig) -> None:
    one, many = (account(config, 100_000, *[(20, 10, 20, 19), (16, 9, 16, 16), (22, 14, 22, 20)] * n) for n in (1, 12))
    assert many["real_share"] == pytest.approx(0.9, abs=0.05) and many["verdict"] == "genuine"
    assert many["real_share_high"] - many["real_share_low"] <= one["real_share_high"] - one["real_share_low"]


def test_critics_are_the_unanswered(config: ScoreConfig) -> None:
    table = scored_comments("盖子三天就坏了客服不理人", "漏水漏了一包")
    for i, name in enumerate(P_SENTIMENT):
        table = table.set_column(
            table.schema.get_field_index(name), name, pa.array([0.9 if i == 0 else 0.05] * 2, pa.float32())
        )
    reply = table.slice(0, 1).to_pylist()[0] | {
        "comment_id": "c9",
        "parent_id": "c0",
        "is_owner": True,
        "author_id": "acc",
    }
    table = pa.concat_tables([table, pa.Table.from_pylist([reply], schema=table.schema)])
    table = decide_comments(interaction.coordinate(table, config), config)
    owner = pa.table({"platform": ["weibo"], "post_id": ["p0"], "account_id": ["acc"]})
    rows = interaction.community(table, owner, config).to_pylist()
    assert [(row["kind"], row["comment_ids"]) for row in rows] == [("critic", ["c1"])]


BRAND = (ROOT / "configs" / "brands" / "lvye.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [("id: a\nname: 甲\nvalues: []\n", "values"), ("- a\n", "mapping"), ("id: [\n", "YAML"),
     (BRAND + "\nid: again\n", "twice"), (BRAND + "\ncolour: green\n", "colour"),
     (BRAND.replace("id: environment", "name2: x"), "values.0"), ("", "mapping"),
     (BRAND + "\n? [a, b]\n: c\n", "plain word"), (BRAND.replace("tone: ", "tone: 2026-99-99 #"), "month"), ("好\n", "value")],
)  # fmt: skip
def test_a_broken_brand_profile_names_file_and_field(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "brand.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(BrandError, match=message) as caught:
        BrandProfile.load(path)
    assert str(path) in str(caught.value)


def test_a_duplicate_value_id_is_refused(tmp_path: Path) -> None:
    values = "".join(f"  - {{id: {i}, name: 名, statement: 说明文字}}\n" for i in ("a", "b", "a"))
    (tmp_path / "b.yaml").write_text(f"id: x\nname: 甲\nvalues:\n{values}", "utf-8")
    with pytest.raises(BrandError, match="found a twice"):
        BrandProfile.load(tmp_path / "b.yaml")


def test_unknown_configuration_keys_are_refused(tmp_path: Path) -> None:
    text = (ROOT / "configs" / "score.toml").read_text("utf-8")
    (tmp_path / "c.toml").write_text(text + "\nfast = true\n", "utf-8")
    with pytest.raises(ConfigError, match="fast"):
        ScoreConfig.load(tmp_path / "c.toml")


def test_grades_have_their_order() -> None:
    assert [int(g) for g in Grade] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("p", "label"),
    [
        ((0.0, 0.37, 0.18, 0.0, 0.45), "quote"),
        ((0.01, 0.59, 0.0, 0.4, 0.0), "duplicate"),
        ((0.3, 0.1, 0.4, 0.1, 0.1), "rewrite"),
        ((0.6, 0.1, 0.1, 0.1, 0.1), "original"),
    ],
)
def test_what_is_surely_not_original_is_not_called_so(p: tuple[float, ...], label: str, config: ScoreConfig) -> None:
    row = decided(config, **dict(zip(P_ORIGINALITY, p, strict=True)), source_platform="weibo", source_post_id="t")
    assert row["originality_label"] == label
    assert row["source_post_id"] == ("t" if label in ("duplicate", "rewrite") else None)
