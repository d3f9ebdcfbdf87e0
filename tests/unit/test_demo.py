"""The bundled archive is large, varied and labelled; no text of it stands there twice."""

import json
from collections import Counter
from typing import Any

from tests.conftest import ROOT


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROOT / "data" / path).read_text("utf-8").splitlines()]


def test_the_archive_is_as_large_as_promised() -> None:
    posts, comments = lines("demo/posts.jsonl"), lines("demo/comments.jsonl")
    assert len(posts) >= 300 and len(comments) >= 2000
    assert len({(p["platform"], p["account_id"]) for p in posts}) >= 6 and len({p["platform"] for p in posts}) == 3
    keys = Counter((p["platform"], p["post_id"]) for p in posts)
    assert max(keys.values()) == 1 and all((c["platform"], c["post_id"]) in keys for c in comments)
    assert max(Counter((c["platform"], c["comment_id"]) for c in comments).values()) == 1


def test_every_kind_of_content_is_there_with_its_label() -> None:
    labels = lines("labels/demo.jsonl")
    posts = {(p["platform"], p["post_id"]): p for p in lines("demo/posts.jsonl")}
    of_posts = [row for row in labels if row["kind"] == "post"]
    kinds = Counter(row["originality"] for row in of_posts)
    assert {"original", "duplicate", "rewrite", "template", "quote"} <= kinds.keys()
    assert {row["grade"] for row in of_posts if "grade" in row} == {0, 1, 2, 3}
    manners = Counter(row.get("authenticity") for row in labels if row["kind"] == "comment")
    assert all(manners[name] >= 50 for name in ("genuine", "incentive", "water_army", "spam", "empty"))
    for row in of_posts:
        if row.get("source_post_id"):
            source = posts[row["source_platform"], row["source_post_id"]]
            assert source["published_at"] < posts[row["platform"], row["post_id"]]["published_at"]


def test_no_text_repeats_but_declared_copies() -> None:
    texts = Counter(post["text"] for post in lines("demo/posts.jsonl"))
    assert sum(n - 1 for n in texts.values()) <= 3
