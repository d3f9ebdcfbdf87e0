"""Who is really there, beside whom, and what it cost."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from pinzhi import interaction, schemas
from pinzhi.archive.standing import campaigns, months, register_standing, register_usual
from pinzhi.archive.together import coordination, overlap, register_spoken
from pinzhi.config import ScoreConfig
from pinzhi.decide import decide_comments, decide_posts
from pinzhi.evaluation import simulation
from pinzhi.interaction.graph import Edge, Node, components, gexf
from pinzhi.interaction.topics import topic
from pinzhi.report.build import evidence_words
from tests.conftest import at, comments, posts
from tests.unit.test_decide import PUBLISHED, counted, measured, scored_comments

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@pytest.fixture
def db() -> Iterator["DuckDBPyConnection"]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def usual(db: "DuckDBPyConnection", config: ScoreConfig, rows: pa.Table, *followers: int) -> dict[str, dict[str, Any]]:
    seen = [{"platform": "weibo", "account_id": f"a{i}", "followers": n} for i, n in enumerate(followers)]
    db.register("posts", rows)
    db.register("accounts", pa.Table.from_pylist(seen, schema=schemas.ACCOUNTS))
    register_usual(db, config)
    return {row["post_id"]: row for row in db.sql("SELECT * FROM usual").to_arrow_table().to_pylist()}


def test_bought_likes_stand_out_against_the_own_history(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    plain = [{"likes": 99, "reposts": 9, "comments": 9}] * 6
    rows = posts(*plain, {"likes": 50_000, "reposts": 9, "comments": 9}, {"likes": 7, "reposts": 1, "comments": None})
    found = usual(db, config, rows)
    assert found["p6"]["likes_vs_own"] == pytest.approx(500, rel=0.01) and found["p6"]["reposts_vs_own"] == 1
    assert found["p0"]["likes_vs_own"] == 1 and found["p7"]["likes_vs_own"] is None
    assert found["p6"]["likes_vs_tier"] is None, "nobody else is there to compare with"
    few = usual(db, config, posts(*plain[:3], {"likes": 50_000, "reposts": 9, "comments": 9}))
    assert few["p3"]["likes_vs_own"] is None, "four posts make no habit"


def test_an_account_that_always_buys_stands_out_in_its_tier(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    rows = [
        {"account_id": f"a{i % 4}", "likes": 20_000 if i % 4 == 0 else 100, "reposts": 9, "comments": 9}
        for i in range(24)
    ]
    found = usual(db, config, posts(*rows), 20_000, 30_000, 40_000, 50_000)
    assert found["p0"]["likes_vs_own"] == 1 and found["p0"]["likes_vs_tier"] > 100 > 2 > found["p1"]["likes_vs_tier"]
    alone = usual(db, config, posts(*rows), 20_000, 3_000_000, 400_000, 5)
    assert alone["p0"]["likes_vs_tier"] is None


@pytest.mark.parametrize(("likes", "times", "is_odd"), [(5_000, 40.0, True), (50, 40.0, False), (5_000, 4.0, False), (5_000, None, False)])  # fmt: skip
def test_odd_likes_are_a_reason(likes: int, times: float | None, is_odd: bool, config: ScoreConfig) -> None:
    given = {
        "likes": likes,
        "likes_vs_own": times,
        "likes_vs_tier": None,
        "reposts": None,
        "reposts_vs_own": None,
        "reposts_vs_tier": None,
    }
    rows = measured(**given)
    for name in given:
        rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast(pa.float64()))
    assert ("likes_without_comments" in decide_posts(rows, config)["reasons"][0].as_py()) is is_odd


def judged(
    config: ScoreConfig, *, published: int | None = None, posted: datetime | None = None, looked: datetime | None = None,
    history: tuple[tuple[datetime, int], ...] = (), n_incentive: int = 0,
) -> dict[str, Any]:  # fmt: skip
    table = counted(config, PUBLISHED | {"n_comments": 9, "n_genuine": 4, "comments": 9, "reposts": 0, "published_at": posted,
                                         "n_incentive": n_incentive, "evidence": ["text", "time"]})  # fmt: skip
    looks = history or ((at(28), 1_000),)
    seen = [
        {"platform": "weibo", "account_id": "acc", "followers": n, "posts": published, "fetched_at": day}
        for day, n in looks
    ]
    crawled = {("weibo", "acc"): looked} if looked else {}
    (row,) = interaction.aggregate_accounts(
        table, pa.Table.from_pylist(seen, schema=schemas.ACCOUNTS), config, crawled
    ).to_pylist()
    return row


def test_new_and_dormant_accounts_are_a_reasoned_null(config: ScoreConfig) -> None:
    new, old = judged(config, published=2), judged(config, published=200)
    assert (new["real_share"], new["reasons"]) == (None, ["new_account"]) and old["real_share"] is not None
    asleep = judged(config, posted=at(1).replace(year=2025), looked=at(1))
    awake = judged(config, posted=at(1).replace(month=7), looked=at(1))
    assert (asleep["real_share"], asleep["reasons"]) == (None, ["dormant_account"]) and awake["real_share"] is not None


def test_followers_that_came_for_a_prize_are_told_from_bought_ones(config: ScoreConfig) -> None:
    jump = ((at(1), 1_000), (at(20), 2_500))
    lottery = judged(config, history=jump, posted=at(10), n_incentive=7)
    bought = judged(config, history=jump, posted=at(10))
    assert lottery["reasons"] == ["lottery_burst"] and bought["reasons"] == ["follower_burst"]
    assert lottery["growth"] == 1.5 and lottery["growth_at"] == at(20) and lottery["lottery_share"] == 1
    slow = judged(config, history=((at(1).replace(month=5), 1_000), (at(20), 2_500)))
    assert slow["reasons"] == [] and slow["growth"] is None, "over months it may have come by itself"


def told(config: ScoreConfig, rows: pa.Table) -> dict[str, Any]:
    decided = decide_comments(interaction.coordinate(rows, config), config)
    post = pa.Table.from_pylist(
        [{"platform": "weibo", "post_id": "p0", "account_id": "acc", "comments": 40, "reposts": None}]
    )
    aggregated = interaction.aggregate_posts(post.set_column(4, "reposts", pa.nulls(1, pa.int64())), decided, config)
    (row,) = interaction.count_genuine(aggregated, decided, config).to_pylist()
    return row


def test_a_post_says_by_what_it_was_judged(config: ScoreConfig) -> None:
    words = [f"第{n}次买了还是好吃" for n in "一二三四五六"]
    assert told(config, scored_comments(*words))["evidence"] == ["text", "time", "author"]
    assert told(config, scored_comments(*words, author=False))["evidence"] == ["text", "time"]
    profiles = scored_comments(*words).to_pylist()
    for number, row in enumerate(profiles):
        row |= {
            "author_followers": 3,
            "author_following": 900 if number < 2 else 20,
            "author_posts": 50 if number else 0,
        }
    known = told(config, pa.Table.from_pylist(profiles, schema=scored_comments(*words).schema))
    assert known["evidence"][-1] == "profile" and (known["n_profiles"], known["n_hollow"]) == (6, 2)
    none = told(config, scored_comments("好", posts=1).slice(0, 0))
    assert none["evidence"] == [] and none["genuine_interactions"] is None


def test_genuine_interactions_rest_on_the_count_of_the_platform(config: ScoreConfig) -> None:
    row = told(config, scored_comments(*[f"第{n}次买了还是好吃" for n in "一二三四五六"]))
    assert row["genuine_interactions_low"] < row["genuine_interactions"] <= 40 and row["genuine_interactions"] > 30
    assert told(config, scored_comments("第一次买", "还行"))["genuine_interactions"] is None
    assert row["burst_share"] == 1 and row["burst_usual"] is None


def people(config: ScoreConfig, *rows: dict[str, Any], feeling: int = 2) -> list[dict[str, Any]]:
    plain = scored_comments(*(row["text"] for row in rows))
    table = pa.Table.from_pylist(
        [one | row for one, row in zip(plain.to_pylist(), rows, strict=True)], schema=plain.schema
    )
    for i, name in enumerate(schemas.P_SENTIMENT):
        column = pa.array([0.9 if i == feeling else 0.05] * len(rows), pa.float32())
        table = table.set_column(table.schema.get_field_index(name), name, column)
    owner = pa.table({"platform": ["weibo"] * 3, "post_id": ["p0", "p1", "p2"], "account_id": ["acc"] * 3})
    table = decide_comments(interaction.coordinate(table, config), config)
    return interaction.community(table, owner, config, at(11)).to_pylist()


def test_advocates_speak_in_words_of_their_own_and_bring_friends(config: ScoreConfig) -> None:
    said = [{"author_id": "a", "post_id": "p0", "text": "自带饭盒第三年了真省心"}, {"author_id": "a", "post_id": "p1", "text": "又来了，番茄很甜"},
            {"author_id": "b", "post_id": "p0", "text": "@小满 快来看这家的番茄"}, {"author_id": "b", "post_id": "p1", "text": "@阿May 一起拼单吧"},
            {"author_id": "c", "post_id": "p0", "text": "哈哈"}, {"author_id": "c", "post_id": "p1", "text": "喜欢"}]  # fmt: skip
    found = [row for row in people(config, *said) if row["kind"] == "advocate"]
    assert [(row["author_id"], row["n_friends"]) for row in found] == [("b", 2), ("a", 0)]
    assert found[0]["comment_ids"] == ["c2", "c3"]


def test_voices_carry_far_and_critics_wait_with_their_topic(config: ScoreConfig) -> None:
    said = [{"author_id": "a", "text": "快递半个月没到", "author_followers": 50_000}, {"author_id": "b", "text": "杯子一股怪味儿，失望", "likes": 900},
            {"author_id": "c", "text": "客服一直不理人", "likes": 3}]  # fmt: skip
    found = people(config, *said, feeling=0)
    critics = [(row["author_id"], row["topic"], row["waiting_days"]) for row in found if row["kind"] == "critic"]
    assert critics == [("b", None, 10), ("c", "service", 10), ("a", "delivery", 10)]
    voices = [(row["author_id"], row["author_followers"]) for row in found if row["kind"] == "voice"]
    assert voices == [("a", 50_000), ("b", None)]
    assert topic("") is None


def together(
    db: "DuckDBPyConnection", config: ScoreConfig, said: list[dict[str, Any]], *, precision: str = "second"
) -> tuple[list[dict[str, Any]], str]:
    base = {
        "platform": "weibo",
        "is_owner": False,
        "authenticity": "water_army",
        "text": "好",
        "account_id": "acc",
        "time_precision": precision,
    }
    rows = [base | {"comment_id": f"c{i:03d}"} | row for i, row in enumerate(said)]
    scored = pa.Table.from_pylist(rows, schema=schemas.SCORED_COMMENTS)
    owners = {(row["platform"], row["post_id"]): row["account_id"] for row in rows}
    db.register("scored", scored)
    db.register("comments", pa.Table.from_pylist(rows, schema=schemas.COMMENTS))
    db.register(
        "owners", pa.Table.from_pylist([{"platform": p, "post_id": i, "account_id": a} for (p, i), a in owners.items()])
    )
    register_spoken(db, "scored", "owners")
    table, lines = coordination(db, config)
    return table.to_pylist(), "\n".join(lines)


def meeting(*authors: str, n: int = 3, minutes: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Comments of `authors` one after the other under `n` posts."""
    return [{"post_id": f"p{day}", "author_id": author, "created_at": at(1 + day, 8 + number * minutes // 60, number * minutes % 60), **more}
            for day in range(n) for number, author in enumerate(authors)]  # fmt: skip


def test_authors_who_always_turn_up_together_are_a_group(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    passer_by = [{"post_id": "p0", "author_id": "x", "created_at": at(1, 8, 1)}]
    (group,), graph = together(db, config, meeting("a", "b", "c") + passer_by)
    assert group["kind"] == "together" and group["author_ids"] == ["a", "b", "c"] and group["n_posts"] == 3
    assert group["n_comments"] == 9 and group["mostly"] == "water_army" and "together_posts>=3" in group["evidence"]
    assert 'weight="3"' in graph and "author/weibo/x" not in graph
    assert together(db, config, meeting("a", "b", "c", n=2))[0] == []
    assert together(db, config, meeting("a", "b", minutes=40))[0] == [], (
        "under the same posts, but not at the same time"
    )
    assert together(db, config, meeting("a", "b"), precision="day")[0] == [], "a day says nothing of minutes"
    assert together(db, config, meeting(*[None] * 3))[0] == [], "nobody is known in a masked archive"  # type: ignore[list-item]


def test_quick_regulars_are_told_from_an_army(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    (group,), _ = together(db, config, meeting("a", "b", authenticity="genuine"))
    assert group["mostly"] == "genuine"
    busy = [{"post_id": f"q{i}", "author_id": name, "created_at": at(9, i)} for i in range(9) for name in ("a",)]
    busy += [{"post_id": f"r{i}", "author_id": "b", "created_at": at(9, i)} for i in range(9)]
    assert together(db, config, meeting("a", "b") + busy)[0] == [], "three of twelve posts is chance"


def test_wordings_are_groups_and_masked_ones_hang_on_their_posts(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    said = [{"post_id": f"p{i % 2}", "author_id": "a" if i == 0 else None, "coordination_id": "w", "coordination_evidence": "same_wording=4",
             "text": "<闭眼入>&\u0000\"好\""} for i in range(4)]  # fmt: skip
    (group,), graph = together(db, config, said)
    assert (group["kind"], group["n_comments"], group["n_authors"], group["comment_ids"]) == (
        "wording",
        4,
        1,
        ["c000", "c001", "c002", "c003"],
    )
    root = ElementTree.fromstring(graph)
    space = "{http://gexf.net/1.3}"
    nodes = {node.get("id"): node.get("label") for node in root.iter(f"{space}node")}
    assert set(nodes) == {"wording/weibo/w", "author/weibo/a", "post/weibo/p0", "post/weibo/p1"}
    assert nodes["wording/weibo/w"] == '<闭眼入>& "好"'
    edges = list(root.iter(f"{space}edge"))
    assert len(edges) == 3 and all(edge.get("source") in nodes and edge.get("target") in nodes for edge in edges)


def test_components_and_an_empty_graph() -> None:
    assert components([("c", "d"), ("a", "b"), ("b", "e")]) == [["a", "b", "e"], ["c", "d"]] and components([]) == []
    ElementTree.fromstring("\n".join(gexf([], [])))
    ElementTree.fromstring("\n".join(gexf([Node("a", "\ud800", {"n": 1})], [Edge("a", "a", 1, "x")])))


def test_accounts_share_commenters(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    said = [{"post_id": f"p{account}", "account_id": account, "author_id": author, "authenticity": "genuine" if author < "b" else "spam"}
            for account, authors in (("x", "abcd"), ("y", "abcdefgh"), ("z", "ab")) for author in authors]  # fmt: skip
    together(db, config, said)
    (row,) = overlap(db, config).to_pylist()
    assert (row["account_id"], row["other_account_id"], row["n_shared"], row["n_shared_bought"]) == ("x", "y", 4, 3)
    assert row["share"] == 1 and (row["n_commenters"], row["n_other_commenters"]) == (4, 8)


def stand(
    db: "DuckDBPyConnection", config: ScoreConfig, *rows: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    base = {"platform": "weibo", "account_id": "a", "published_at": at(1), "text": "正文", "n_comments": 10, "n_genuine": 8, "genuine_comments": 7.5, "quality": 50.0,
            "genuine_interactions": 100.0, "genuine_interactions_low": 70.0, "genuine_interactions_high": 140.0}  # fmt: skip
    table = pa.Table.from_pylist(
        [base | {"post_id": f"p{i}"} | row for i, row in enumerate(rows)], schema=schemas.SCORED_POSTS
    )
    names = sorted({row["account_id"] for row in table.to_pylist()})
    accounts = [{"platform": "weibo", "account_id": name, "followers": 1_000, "tier": "nano"} for name in names]
    db.register("scored_posts", table)
    register_standing(db, "scored_posts", pa.Table.from_pylist(accounts, schema=schemas.SCORED_ACCOUNTS))
    ordered = sorted(months(db, config).to_pylist(), key=lambda row: (row["month_start"], row["account_id"]))
    return ordered, sorted(campaigns(db, config).to_pylist(), key=lambda row: str(row["campaign"]))


def test_money_is_set_against_reads_and_genuine_interaction(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    spent = {"campaign": "春", "currency": "CNY"}
    (month,), (paid,) = stand(
        db, config, spent | {"cost": 1_000.0, "reads": 4_000}, spent | {"reads": 6_000}, {"reads": 500}
    )
    assert paid["cost"] == 1_000 and paid["n_posts"] == 2 and paid["cost_per_1000_reads"] == 100
    assert paid["cost_per_genuine"] == 5 and paid["cost_per_genuine_low"] < 5 < paid["cost_per_genuine_high"]
    assert paid["genuine_interactions_low"] == pytest.approx(200 - np.hypot(30, 30), abs=0.01), (
        "doubts of posts are their own"
    )
    assert paid["genuine_share"] == month["genuine_share"] == 0.75, "by probabilities, not by labels"
    assert (month["reads_paid"], month["reads_earned"], month["n_paid"], month["reach"]) == (10_000, 500, 2, 3.5)
    assert month["cost_per_genuine"] == 5, "posts that nobody paid for are no part of it"


def test_what_cannot_be_told_of_money_is_null(db: "DuckDBPyConnection", config: ScoreConfig) -> None:
    _, (hidden,) = stand(
        db, config, {"cost": 10.0, "currency": "CNY", "reads": 5}, {"cost": 10.0, "currency": "CNY", "reads": None}
    )
    assert hidden["campaign"] is None and hidden["cost"] == 20 and hidden["cost_per_1000_reads"] is None
    _, (mixed,) = stand(db, config, {"cost": 10.0, "currency": "CNY"}, {"cost": 10.0, "currency": "USD"})
    assert (mixed["cost"], mixed["currency"], mixed["cost_per_genuine"]) == (None, "mixed", None)
    _, (vague,) = stand(db, config, {"cost": 10.0, "genuine_interactions_low": 0.0})
    assert vague["cost_per_genuine_high"] is None and vague["cost_per_genuine"] == 0.1, "there may be none at all"
    _, (unread,) = stand(db, config, {"cost": 10.0, "genuine_interactions": None, "n_comments": 2})
    assert unread["cost_per_genuine"] is None and unread["genuine_share"] is None
    (free,), nothing = stand(db, config, {"cost": 0.0})
    assert nothing == [] and free["cost"] is None


def test_an_account_knows_its_rank_by_month_and_in_how_many_weeks_it_is_seen(
    db: "DuckDBPyConnection", config: ScoreConfig
) -> None:
    rows = [
        {"account_id": f"a{i}", "genuine_interactions": 10.0 * i, "published_at": at(day)}
        for i in range(1, 7)
        for day in (8, 15)
    ]
    later = {"account_id": "a1", "published_at": at(1).replace(month=10)}
    found, _ = stand(db, config, *rows, later, {"account_id": "b", "genuine_interactions": None, "published_at": at(8)})
    ranks = [(row["account_id"], row["rank"], row["n_ranked"], row["n_weeks_first_five"]) for row in found[:7]]
    assert ranks[0] == ("a1", 6, 6, 0) and ranks[5] == ("a6", 1, 6, 2) and ranks[6] == ("b", None, 6, None)
    assert found[7]["rank"] == 1 and found[7]["n_weeks"] is None, "alone, nobody is among the first five"


def test_the_interval_covers_the_truth_in_nine_of_ten_posts(
    config: ScoreConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(3)
    p = chance.beta(1.2, 0.6, 4_000)  # models that know what they know, and take two of three comments for genuine
    pool = simulation.Pool(chance.random(4_000) < p, p > 0.5, p)
    monkeypatch.setattr(simulation, "_POSTS", 200)
    found = simulation.coverage(pool, config, chance)
    assert 0.86 <= found["covered"] <= 0.97
    assert (
        found["n_100"]["error"] < found["n_100"]["error_of_labels"] and found["n_100"]["width"] < found["n_10"]["width"]
    )


def test_honest_accounts_rank_above_bought_ones(config: ScoreConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.arange(1_000) % 3 > 0
    monkeypatch.setattr(simulation, "_ACCOUNTS", 60)
    found = simulation.ranking(simulation.Pool(truth, truth, truth * 0.9 + 0.05), config, np.random.default_rng(4))
    assert found["auroc"] > 0.9 and found["auroc"] > found["genuine_share"] and found["abstained"] == 0


def test_what_the_context_turned_round_counts_as_turned_round() -> None:
    sure, turned = np.full(20, 0.97), np.zeros(20, dtype=bool)
    share, low, high = interaction.share_interval(turned, sure, 0.9)
    assert share == low == 0 and high < 0.2 < 0.8 < interaction.share_interval(~turned, sure, 0.9)[1]


def test_evidence_is_told_in_words() -> None:
    code = "same_wording=7;posts=4;authors=masked;burst_minutes<=15;hollow_profiles=7/7"
    assert evidence_words(code, "en") == (
        "7 comments in the same words, under 4 posts, authors are hidden: judged by text and time alone, all within 15 minutes, "
        "profiles that are new, empty or follow masses: 7/7"
    )
    assert "同一出现" not in evidence_words(
        "together_posts>=3;authors=2;minutes<=15 | x", "zh"
    ) and "3" in evidence_words("together_posts>=3", "zh")
    assert evidence_words("odd<thing>", "en") == "odd<thing>"


def test_hollow_profiles_are_evidence_of_a_group(config: ScoreConfig) -> None:
    rows = comments(
        *(
            {"text": "真的太好用了强烈推荐大家", "author_id": f"u{i}", "author_posts": 0, "created_at": at(1, 8, i)}
            for i in range(4)
        )
    )
    for name, value in (("is_owner", False), ("account_id", "acc")):
        rows = rows.append_column(name, pa.array([value] * 4))
    assert "hollow_profiles=4/4" in interaction.coordinate(rows, config)["coordination_evidence"][0].as_py()
