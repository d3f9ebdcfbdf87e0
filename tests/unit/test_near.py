"""Wordings that are nearly the same: who is joined by them, and who must not be."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pinzhi import interaction
from pinzhi.config import ScoreConfig
from pinzhi.decide import decide_comments
from pinzhi.interaction import near
from pinzhi.interaction.near import own_wording, passages
from tests.conftest import ROOT, comments, posts
from tests.unit.test_decide import scored_comments

WAVE = ("茶底清爽不腻，一口就爱上了，已经回购三次", "一口就爱上了，茶底清爽不腻，已经回购3次👍👍",
        "茶底清爽不腻，一口就喜欢上了，已经回购三次 @小满", "#好物分享# 茶底真清爽不腻，一口就爱上了，已经回购三次哦")  # fmt: skip


def groups(table: pa.Table, config: ScoreConfig, *texts: str) -> list[str | None]:
    """coordination_id of each comment; the post p0 says `texts`."""
    said = posts(*({"text": text} for text in texts)) if texts else None
    return interaction.coordinate(table, config, said)["coordination_id"].to_pylist()


def test_a_wave_in_varied_wordings_is_one_group_and_says_why(config: ScoreConfig) -> None:
    other = "第一次喝，有点甜，冰块放太多了"
    table = interaction.coordinate(scored_comments(*WAVE, other), config)
    assert len(set(table["coordination_id"].to_pylist()[:4])) == 1 and table["coordination_id"][4].as_py() is None
    evidence = "near_wording=4;wordings=4;posts=1;authors=4;burst_minutes<=15"
    assert table["coordination_evidence"].to_pylist() == [evidence] * 4 + [None]
    assert decide_comments(table, config)["authenticity"].to_pylist() == ["water_army"] * 4 + ["genuine"]


def test_a_masked_wave_is_found_and_says_that_it_is_masked(config: ScoreConfig) -> None:
    table = interaction.coordinate(scored_comments(*WAVE, author=False), config)
    assert (
        table["coordination_evidence"][0].as_py()
        == "near_wording=4;wordings=4;posts=1;authors=masked;burst_minutes<=15"
    )


def test_a_group_takes_the_id_of_its_commonest_wording(config: ScoreConfig) -> None:
    equal = groups(scored_comments(*[WAVE[1]] * 3), config)
    assert set(groups(scored_comments(WAVE[0], *[WAVE[1]] * 3, WAVE[2]), config)) == set(equal) != {None}


def test_fewer_hands_than_the_settings_ask_for_are_no_group(config: ScoreConfig) -> None:
    one = scored_comments(*WAVE)
    one = one.set_column(one.schema.get_field_index("author_id"), "author_id", pa.array(["a", "a", "b", "b"]))
    assert groups(one, config) == [None] * 4
    assert groups(scored_comments(*WAVE[:2]), config) == [None] * 2


def test_people_who_come_at_other_times_say_the_same_by_chance(config: ScoreConfig) -> None:
    slow = scored_comments(*WAVE[:3], minutes=16)
    assert groups(slow, config) == [None] * 3
    by_day = slow.set_column(slow.schema.get_field_index("time_precision"), "time_precision", pa.array(["day"] * 3))
    assert groups(by_day, config) == [None] * 3


def test_only_a_long_wording_joins_posts_at_any_time(config: ScoreConfig) -> None:
    assert groups(scored_comments(*WAVE[:3], minutes=16, posts=3), config) == [None] * 3
    long = [f"{one}，包装也很用心，冷藏一晚上更好喝，办公室的同事都来问我" for one in WAVE[:3]]
    joined = groups(scored_comments(*long, minutes=16, posts=3), config)
    assert None not in joined and len(set(joined)) == 1
    assert groups(scored_comments(*long, minutes=16), config) == [None] * 3


@pytest.mark.parametrize("texts", [
    ("好看", "好看！", "真好看", "好看的"), ("支持国货", "支持国货！！", "支持国货啊", "国货支持"),
    ("加油加油加油加油加油加油", "加油加油加油加油", "加油加油加油加油加油加油加油加油啊", "加油，加油加油加油加油加油"),
    ("哈哈哈哈哈哈哈哈哈哈哈哈", "哈哈哈哈哈哈哈哈哈哈哈笑死", "哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈嗝"),
    ("good morning everyone here", "good morning to everyone here", "good morning everyone over here"),
    ("怎么茶底清爽不腻，一口就爱上了", "茶底怎么清爽不腻，一口就爱上了", "茶底清爽不腻，怎么一口就爱上了"),
])  # fmt: skip
def test_what_everybody_says_joins_nobody(texts: tuple[str, ...], config: ScoreConfig) -> None:
    assert groups(scored_comments(*texts), config) == [None] * len(texts)


POST = "青芦茶事：今年的明前茶只有去年六成，我们没有涨价，每人限购一罐，卖完就等清明后。"
STORM = ("等了二十天还没发货", "客服说查不到我的单号", "罐子是瘪的，茶叶撒了一箱", "申请退款被拒两次了", "一打开一股霉味，没法喝", "少了两罐，没人理")  # fmt: skip
FANS = ("路演那天我在第三排，哭湿两包纸", "妈妈也被圈粉了，天天单曲循环", "陪他从地下室唱到体育馆", "今天考完试第一件事就是来看你", "高音那段我起了一身鸡皮疙瘩")  # fmt: skip


@pytest.mark.parametrize("shared", [
    "#青芦茶事虚假发货道歉退款赔偿# {}", "{} #青芦茶事欺骗消费者必须给说法#", "青芦茶事，{}", "「我们没有涨价，每人限购一罐，卖完就等清明后」{}",
    "今年的明前茶只有去年六成，我们没有涨价，每人限购一罐，{}", "{}//@阿茶:青芦茶事的客服从来都是这样敷衍我们的，大家一起投诉",
    "@青芦茶事官方旗舰店 @消费者保护协会 {}", "{}[怒][怒][怒][怒]😡😡😡",
])  # fmt: skip
@pytest.mark.parametrize("voices", [STORM, FANS])
def test_a_storm_of_people_in_their_own_words_is_genuine(
    shared: str, voices: tuple[str, ...], config: ScoreConfig
) -> None:
    assert groups(scored_comments(*map(shared.format, voices)), config, POST) == [None] * len(voices)


def test_the_text_of_the_post_is_nobodys_wording(config: ScoreConfig) -> None:
    echoes = [f"今年的明前茶只有去年六成，我们没有涨价{end}" for end in ("哭了", "，良心啊", "，支持", "！冲冲冲")]
    assert groups(scored_comments(*echoes), config, POST) == [None] * 4
    assert None not in groups(scored_comments(*echoes), config, "春天来了"), "the post alone explains them"


@pytest.mark.parametrize(("text", "own"), [
    ("茶好//@阿茶:好喝//@小满:转发", "茶好"), ("@阿茶：好喝的茶", ""), ("回复@阿茶:好喝的茶", "回复好喝的茶"), ("回复 @阿茶 :好喝的茶", "回复好喝的茶"),
    ("#a#茶好3次，[心]👍", "茶好次"), ("他说“不好喝”，我说好", "他说我说好"), ("推荐《【攻略】去喝茶》给你", "推荐给你"), ("##", ""), ("「" * 50_000, ""),
])  # fmt: skip
def test_own_words(text: str, own: str) -> None:
    assert own_wording(text, passages("")) == own


def test_the_order_of_comments_changes_nothing(config: ScoreConfig) -> None:
    rows = scored_comments(*WAVE, *STORM, *FANS)
    found = dict(zip(rows["text"].to_pylist(), groups(rows, config), strict=True))
    for seed in range(5):
        mixed = rows.take(random.Random(seed).sample(range(rows.num_rows), rows.num_rows))
        assert dict(zip(mixed["text"].to_pylist(), groups(mixed, config), strict=True)) == found


def test_the_work_stays_in_proportion_to_the_comments(config: ScoreConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    clauses = ["包装很用心", "发货特别快", "味道很清爽", "价格也实惠", "客服有耐心", "家人都喜欢", "颜色挺好看", "分量非常足", "口感很细腻", "已经回购了"]  # fmt: skip
    looked = {}
    for n in (500, 2000):
        chance = random.Random(7)
        rows = scored_comments(
            *("".join(chance.sample(clauses, 4)) for _ in range(n))
        )  # every one shares clauses with most
        seen: list[int] = []
        compare = near._similarity
        monkeypatch.setattr(
            near, "_similarity", lambda a, b, seen=seen, compare=compare: seen.append(1) or compare(a, b)
        )
        groups(rows, config)
        monkeypatch.undo()
        looked[n] = len(seen) / n
    assert 0 < looked[2000] < 2 * looked[500]


@pytest.mark.parametrize(("key", "value"), [("near_similarity", 0.1), ("near_similarity", 1.1), ("near_pairs", 3), ("near_pairs_apart", 0)])  # fmt: skip
def test_settings_that_would_join_everybody_are_refused(key: str, value: float, config: ScoreConfig) -> None:
    said = config.model_dump()
    said["comments"][key] = value
    with pytest.raises(ValidationError, match=key):
        ScoreConfig.model_validate(said)


# Labelled comments, and waves that are made of the water army among them by rule.

_SYNONYMS = {"喜欢": "中意", "好用": "好使", "推荐": "安利", "真的": "确实", "非常": "特别", "已经": "早就", "朋友": "闺蜜", "支持": "力挺", "大家": "各位",
             "放心": "安心", "性价比": "价效比", "服务": "接待", "千万": "务必", "专业": "内行", "便宜": "实惠", "好吃": "美味", "质量": "品质", "孩子": "娃娃"}  # fmt: skip
_EMOJI = ("👍", "[心]", "✨", "😍", "[鼓掌]", "🔥")
_TAILS = ("冲", "真的", "姐妹们", "不骗你", "哦", "啊啊啊")


def synonym(text: str, chance: random.Random) -> str:
    known = [word for word in _SYNONYMS if word in text]
    return text.replace(word := chance.choice(known), _SYNONYMS[word]) if known else text


def order(text: str, chance: random.Random) -> str:
    clauses = [clause for clause in re.split(r"[，。！!,、～~\s]+", text) if clause]
    return "，".join(chance.sample(clauses, len(clauses)))


def emoji(text: str, chance: random.Random) -> str:
    for _ in range(3):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(_EMOJI) + text[place:]
    return text


def tail(text: str, chance: random.Random) -> str:
    return f"{text}，{chance.choice(_TAILS)} @{chance.choice('阿茶小满初一')}{chance.randrange(99)}"


def labelled() -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Posts of our labelled sets with the comments of others."""
    for part in sorted((ROOT / "data" / "labels" / "comments").iterdir()):
        said = defaultdict(list)
        for line in (part / "comments.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            said[row["post_id"]].append(row | {"created_at": datetime.fromisoformat(row["created_at"])})
        for line in (part / "posts.jsonl").read_text("utf-8").splitlines():
            post = json.loads(line)
            post["post_id"] = f"{part.name}/{post['post_id']}"
            rows = said[post["post_id"].removeprefix(f"{part.name}/")]
            yield post, [row for row in rows if row["author_id"] != post["account_id"]]


def joined(
    rows: Sequence[tuple[dict[str, Any], dict[str, Any]]], config: ScoreConfig
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The groups that are found among (comment, post)."""
    table = comments(*(
        {"comment_id": str(n), "post_id": post["post_id"], "author_id": row["author_id"], "text": row["text"], "created_at": row["created_at"]}
        for n, (row, post) in enumerate(rows)
    ))  # fmt: skip
    for name, values in (("is_owner", [False] * len(rows)), ("account_id", [post["account_id"] for _, post in rows])):
        table = table.append_column(name, pa.array(values))
    said = posts(*({"post_id": key, "text": text} for key, text in {post["post_id"]: post["text"] for _, post in rows}.items()))  # fmt: skip
    found = defaultdict(list)
    for (row, post), group in zip(rows, interaction.coordinate(table, config, said)["coordination_id"].to_pylist(), strict=True):  # fmt: skip
        if group is not None:
            found[post["account_id"], group].append(row)
    return found


def equal_only(config: ScoreConfig) -> ScoreConfig:
    return config.model_copy(update={"comments": config.comments.model_copy(update={"near_pairs": 10**6})})


def test_of_labelled_comments_only_the_water_army_is_joined(config: ScoreConfig) -> None:
    rows = [(row, post) for post, said in labelled() for row in said]
    found = [row["authenticity"] for group in joined(rows, config).values() for row in group]
    assert joined(rows, equal_only(config)) == {}, "no wave among them repeats itself word by word"
    assert len(found) >= 70 and set(found) == {"water_army"}


@pytest.mark.parametrize(("vary", "least", "equal"), [
    ((emoji,), 0.95, 0.75), ((tail,), 0.95, 0.05), ((order,), 0.95, 0.1), ((synonym,), 0.95, 0.75), ((synonym, order, emoji, tail), 0.94, 0.01),
])  # fmt: skip
def test_a_wave_that_varies_its_words_by_rule_is_found(
    vary: Sequence[Callable[[str, random.Random], str]], least: float, equal: float, config: ScoreConfig
) -> None:
    chance = random.Random(11)
    rows = []
    n_waves = 0
    for post, said in labelled():
        rows += [(row | {"wave": None}, post) for row in said if row["authenticity"] != "water_army"]
        army = [
            row
            for row in said
            if row["authenticity"] == "water_army" and len(own_wording(row["text"], passages(post["text"]))) > 14
        ]
        for row in army[:1]:
            n_waves += 1
            for hand in range(5):
                text = row["text"]
                for rule in vary if hand else ():
                    text = rule(text, chance)
                at = row["created_at"] + timedelta(minutes=2 * hand)
                rows.append(
                    ({"text": text, "author_id": f"w{hand}", "created_at": at, "wave": row["comment_id"]}, post)
                )
    found = {}
    for name, settings in (("near", config), ("equal", equal_only(config))):
        pairs = [(a["wave"], b["wave"]) for group in joined(rows, settings).values() for a, b in combinations(group, 2)]
        right = sum(a == b is not None for a, b in pairs)
        found[name] = (round(right / (10 * n_waves), 3), right / max(1, len(pairs)))
        print([rule.__name__ for rule in vary], name, n_waves, found[name])
    assert found["near"][0] >= least and found["near"][1] == 1
    assert found["equal"][0] <= equal
