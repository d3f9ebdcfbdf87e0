"""Advocates to thank, critics to answer, voices that carry far, lottery hunters: each with the comments that show it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from pinzhi import schemas
from pinzhi.config import ScoreConfig
from pinzhi.interaction.coordination import wording
from pinzhi.interaction.topics import topic

_SHOWN = 50  # people of one kind and account
_COLUMNS = schemas.COMMUNITY.names[:-1]
_FRIEND = re.compile(r"@[\w·-]+")


def community(comments: pa.Table, posts: pa.Table, config: ScoreConfig, as_of: datetime | None = None) -> pa.Table:
    """Schema COMMUNITY without run_id, from decided comments and the (platform, post_id, account_id) of their posts.

    Advocates spoke well, genuinely, under at least two posts, at least once in words of their own; those who bring
    friends come first among equals. Critics are genuine negative comments without a reply by the account, with the days
    that they have waited until `as_of`; in a masked archive each comment stands for itself. Voices are genuine
    comments of authors whom many follow, or that many liked. Lottery hunters entered at least twice and said little
    else.
    """
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
    voices: dict[tuple[str, str | None, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row["is_owner"]:
            continue
        account = owner.get((row["platform"], row["post_id"]))
        key = (row["platform"], account, row["author_id"] or row["comment_id"])
        if row["author_id"] is not None:
            people.setdefault(key, []).append(row)
        if row["authenticity"] != "genuine":
            continue
        if row["sentiment"] < 0 and (row["platform"], row["comment_id"]) not in answered:
            critics.setdefault(key, []).append(row)
        if _carries_far(row, config):
            voices.setdefault(key, []).append(row)
    found = [_critic(key, said, as_of) for key, said in critics.items()]
    found += [_person("voice", key, people.get(key, said), said) for key, said in voices.items()]
    for key, said in people.items():
        praise = [row for row in said if row["authenticity"] == "genuine" and row["sentiment"] > 0]
        entries = [row for row in said if row["authenticity"] == "incentive"]
        own_words = any(len(wording(row["text"])) >= config.comments.min_letters for row in praise)
        if own_words and len({row["post_id"] for row in praise}) >= 2:
            found.append(_person("advocate", key, said, praise))
        if len(entries) >= 2 and len(entries) >= 0.6 * len(said):
            found.append(_person("lottery_hunter", key, said, entries))
    return pa.Table.from_pylist(_ranked(found), schema=pa.schema([schemas.COMMUNITY.field(name) for name in _COLUMNS]))


def _carries_far(row: dict[str, Any], config: ScoreConfig) -> bool:
    return (row["author_followers"] or 0) >= config.community.voice_followers or (
        row["likes"] or 0
    ) >= config.community.voice_likes


def _critic(key: tuple[str, str | None, str], said: Sequence[dict[str, Any]], as_of: datetime | None) -> dict[str, Any]:
    row = _person("critic", key, said, said)
    waiting = (as_of - row["first_at"]).days if as_of is not None and row["first_at"] is not None else None
    return row | {"topic": topic(" ".join(one["text"] for one in said)), "waiting_days": waiting}


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
        "n_friends": len({name for row in shown for name in _FRIEND.findall(row["text"])}),
        "author_followers": max((n for row in said if (n := row["author_followers"]) is not None), default=None),
    }  # fmt: skip


def _ranked(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By account and kind; those who said most, then who bring friends, first. Critics: most liked, then longest waiting.
    Voices: most followed, then most liked."""

    def weight(row: dict[str, Any]) -> tuple[Any, ...]:
        first = row["first_at"].timestamp() if row["first_at"] else 0.0
        said = len(row["comment_ids"])
        if row["kind"] == "critic":
            return (-row["likes"], first)
        if row["kind"] == "voice":
            return (-(row["author_followers"] or 0), -row["likes"])
        return (-said, -row["n_friends"], -row["likes"])

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
