"""Advocates to thank, critics to answer, lottery hunters: each with the comments that show it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pinzhi import schemas
from pinzhi.config import ScoreConfig

_SHOWN = 50  # people of one kind and account
_COLUMNS = schemas.COMMUNITY.names[:-1]


def community(comments: pa.Table, posts: pa.Table, config: ScoreConfig) -> pa.Table:
    """Schema COMMUNITY without run_id, from decided comments and the (platform, post_id, account_id) of their posts.

    Advocates spoke well, genuinely, under at least two posts. Critics are genuine negative comments without a reply by
    the account; in a masked archive each comment stands for itself. Lottery hunters entered at least twice and said
    little else.
    """
    del config  # the kinds have no thresholds of their own yet; labels were decided before
    owner = {
        (platform, post): account
        for platform, post, account in zip(
            *(posts[name].to_pylist() for name in ("platform", "post_id", "account_id")), strict=True
        )
    }
    rows = comments.to_pylist()
    answered = {(row["platform"], row["parent_id"]) for row in rows if row["is_owner"] and row["parent_id"]}
    people: dict[tuple[str, str | None, str], list[dict[str, Any]]] = {}
    critics: dict[tuple[str, str | None, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row["is_owner"]:
            continue
        account = owner.get((row["platform"], row["post_id"]))
        if row["author_id"] is not None:
            people.setdefault((row["platform"], account, row["author_id"]), []).append(row)
        critical = row["authenticity"] == "genuine" and row["sentiment"] < 0
        if critical and (row["platform"], row["comment_id"]) not in answered:
            critics.setdefault((row["platform"], account, row["author_id"] or row["comment_id"]), []).append(row)
    found = [_person("critic", key, said, said) for key, said in critics.items()]
    for key, said in people.items():
        praise = [row for row in said if row["authenticity"] == "genuine" and row["sentiment"] > 0]
        entries = [row for row in said if row["authenticity"] == "incentive"]
        if len({row["post_id"] for row in praise}) >= 2:
            found.append(_person("advocate", key, said, praise))
        if len(entries) >= 2 and len(entries) >= 0.6 * len(said):
            found.append(_person("lottery_hunter", key, said, entries))
    return pa.Table.from_pylist(_ranked(found), schema=pa.schema([schemas.COMMUNITY.field(name) for name in _COLUMNS]))


def _person(
    kind: str, key: tuple[str, str | None, str], said: Sequence[dict[str, Any]], shown: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    times = [row["created_at"] for row in shown if row["created_at"] is not None]
    best = max(shown, key=lambda row: (row["likes"] or 0, len(row["text"]), row["comment_id"]))
    return {
        "platform": key[0], "account_id": key[1], "kind": kind, "author_id": best["author_id"],
        "author_name": best["author_name"], "n_comments": len(said),
        "n_genuine": sum(row["authenticity"] == "genuine" for row in said),
        "likes": sum(row["likes"] or 0 for row in shown),
        "first_at": min(times, default=None), "last_at": max(times, default=None), "text": best["text"],
        "comment_ids": sorted(row["comment_id"] for row in shown),
        "post_ids": sorted({row["post_id"] for row in shown if row["post_id"]}),
    }  # fmt: skip


def _ranked(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By account and kind; those who said most (critics: most liked, then longest waiting) first."""

    def weight(row: dict[str, Any]) -> tuple[Any, ...]:
        first = row["first_at"].timestamp() if row["first_at"] else 0.0
        said = len(row["comment_ids"])
        return (-row["likes"], first) if row["kind"] == "critic" else (-said, -row["likes"])

    ordered = sorted(
        found, key=lambda r: (r["platform"], r["account_id"] or "", r["kind"], weight(r), r["comment_ids"][0])
    )
    ranked: list[dict[str, Any]] = []
    group: tuple[Any, ...] | None = None
    rank = 0
    for row in ordered:
        here = (row["platform"], row["account_id"], row["kind"])
        rank = 1 if here != group else rank + 1
        group = here
        if rank <= _SHOWN:
            ranked.append({**row, "rank": rank})
    return ranked
