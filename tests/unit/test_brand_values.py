"""What becomes of a brand's values over an archive."""

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pinzhi import schemas
from pinzhi.archive.brand_values import brand_values, register_stances, value_months
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.decide import LEAST_POSTS, named_values
from pinzhi.labels import Grade
from tests.conftest import at

VALUES = ("environment", "farmers", "honest_food", "in_season", "no_waste")


def scored(number: int, account: str = "9840217365", **named: str) -> dict[str, Any]:
    values = [
        {"value_id": one, "p_expresses": 0.1, "p_touches": 0.1, "p_contradicts": 0.1 * number, "spans": []}
        for one in VALUES
    ]
    return {"platform": "weibo", "post_id": f"p{number}", "account_id": account, "published_at": at(1 + number % 28), "text": "正文",
            "coherence_grade": 1, "values": values, "brand": "lvye",
            **{stance: [named[stance]] if stance in named else [] for stance in ("expresses", "touches", "contradicts")}}  # fmt: skip


def said(number: int, post: int, sentiment: int, **more: Any) -> dict[str, Any]:
    return {"platform": "weibo", "comment_id": f"c{number}", "post_id": f"p{post}", "text": "说得好", "likes": number, "sentiment": sentiment,
            "p_negative": 0.5 - sentiment * 0.4, "authenticity": "genuine", "is_owner": False, **more}  # fmt: skip


def tables(
    brand: BrandProfile, config: ScoreConfig, posts: list[dict[str, Any]], comments: list[dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    connection = duckdb.connect()
    connection.register("posts", pa.Table.from_pylist(posts, schemas.SCORED_POSTS))
    connection.register("comments", pa.Table.from_pylist(comments, schemas.SCORED_COMMENTS))
    register_stances(connection, "posts", "comments", [brand])
    rows = brand_values(connection, config).to_pylist()
    assert [row["value_id"] for row in rows] == list(VALUES)
    return {row["value_id"]: row for row in rows}, value_months(connection).to_pylist()


def test_kept_and_broken_promises(brand: BrandProfile, config: ScoreConfig) -> None:
    posts = [scored(i, expresses="environment") for i in range(3)] + [
        scored(i, contradicts="environment") for i in (3, 4)
    ]
    posts += [scored(i, account="rival", expresses="farmers") for i in range(5, 9)]
    posts += [scored(i) for i in range(9, 9 + LEAST_POSTS - 5)]
    values, months = tables(brand, config, posts, [])
    kept, never = values["environment"], values["farmers"]
    assert (kept["n_posts"], kept["n_expresses"], kept["n_contradicts"]) == (LEAST_POSTS, 3, 2)
    assert kept["claimed_and_contradicted"] and kept["contradicting_posts"] == ["weibo/p4", "weibo/p3"]
    assert kept["first_expressed_at"] == at(1) and kept["last_expressed_at"] == at(3)
    assert kept["expresses_share_low"] < kept["expresses_share"] < kept["expresses_share_high"]
    assert (
        never["never_expressed"] is True and not never["claimed_and_contradicted"]
    )  # the rival's posts are not the brand's
    assert {row["account_id"]: row["n_expresses"] for row in months if row["value_id"] == "farmers"} == {
        "9840217365": 0,
        "rival": 4,
    }
    assert {row["account_id"]: row["is_own"] for row in months} == {"9840217365": True, "rival": False}


def test_of_few_posts_nobody_says_never(brand: BrandProfile, config: ScoreConfig) -> None:
    values, _ = tables(brand, config, [scored(0, expresses="environment")], [])
    assert values["farmers"]["never_expressed"] is None and values["environment"]["never_expressed"] is False
    empty, months = tables(brand, config, [], [])
    assert empty["farmers"]["never_expressed"] is None and empty["farmers"]["n_posts"] == 0 and months == []


@pytest.mark.parametrize(
    ("sentiment", "posts_answered", "doubted"), [(-1, 2, True), (-1, 1, False), (1, 2, False)], ids=("doubted", "one post", "praised")
)  # fmt: skip
def test_readers_doubt_what_they_answer_worse_than_the_rest(
    brand: BrandProfile, config: ScoreConfig, sentiment: int, posts_answered: int, doubted: bool
) -> None:
    posts = [scored(0, expresses="environment"), scored(1, expresses="environment"), scored(2), scored(3)]
    here = [said(i, i % posts_answered, sentiment) for i in range(12)]
    elsewhere = [said(20 + i, 2 + i % 2, 1 if i else -1) for i in range(12)]
    ignored = [said(40, 0, -1, is_owner=True), said(41, 1, -1, authenticity="water_army")]
    row = tables(brand, config, posts, [*here, *elsewhere, *ignored])[0]["environment"]
    assert row["n_genuine"] == 12 and row["n_negative"] == (12 if sentiment < 0 else 0)
    assert row["negative_share_elsewhere"] == pytest.approx(1 / 12, abs=1e-4)
    assert row["doubted_by_readers"] is doubted
    assert row["negative_comments"][:2] == (["weibo/c11", "weibo/c10"] if sentiment < 0 else [])


def test_too_few_comments_say_nothing(brand: BrandProfile, config: ScoreConfig) -> None:
    row = tables(brand, config, [scored(0, expresses="environment")], [said(1, 0, -1)])[0]["environment"]
    assert row["negative_share"] is None and row["doubted_by_readers"] is None and row["n_negative"] == 1


def test_a_grade_names_the_values_that_lead_it() -> None:
    values = [{"value_id": name, "p_expresses": p, "p_touches": 0.0, "p_contradicts": q} for name, p, q in (("a", 0.6, 0.1), ("b", 0.3, 0.4), ("c", 0.2, 0.0))]  # fmt: skip
    assert named_values(values, Grade.EXPRESSES) == {"expresses": ["a", "b"], "touches": [], "contradicts": []}
    assert named_values(values, Grade.CONTRADICTS)["contradicts"] == ["b"]
    assert not any(named_values(values, Grade.UNRELATED).values()) and not any(named_values(None, None).values())
