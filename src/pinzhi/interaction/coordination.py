"""Comments that act together: one wording by different hands, over several posts or within minutes."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pinzhi.config import ScoreConfig
from pinzhi.text import letters, normalise

_ASKING = re.compile(r"[?？吗呢么]|求|怎么|哪里|多少")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Comment:
    row: int
    platform: str
    comment_id: str
    post_id: str | None
    author_id: str | None
    at: float | None  # seconds


def wording(text: str) -> str:
    """What stays of a comment when decoration and numbers are taken away."""
    return _DIGITS.sub("", letters(normalise(text).text))


def coordinate(comments: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append coordination_id and coordination_evidence (null for most) to the comments of one account.

    Evidence says which signals were there: a masked archive is judged by text and time alone, and says so. Questions,
    short wordings and one person repeating themselves under one post are not coordination.
    """
    groups: dict[str, list[_Comment]] = {}
    names = ("platform", "comment_id", "post_id", "author_id", "created_at", "text", "is_owner")
    for row, (platform, comment_id, post_id, author_id, at, text, is_owner) in enumerate(
        zip(*(comments[name].to_pylist() for name in names), strict=True)
    ):
        key = wording(text)
        if is_owner or len(key) < config.comments.min_letters or _ASKING.search(text):
            continue
        comment = _Comment(row, platform, comment_id, post_id, author_id, at.timestamp() if at else None)
        groups.setdefault(key, []).append(comment)
    ids: list[str | None] = [None] * comments.num_rows
    evidence: list[str | None] = [None] * comments.num_rows
    for key, members in groups.items():
        found = _evidence(members, config)
        if found:
            name = hashlib.blake2b(f"{members[0].platform}/{key}".encode(), digest_size=6).hexdigest()
            for member in members:
                ids[member.row], evidence[member.row] = name, found
    return comments.append_column("coordination_id", pa.array(ids, pa.string())).append_column(
        "coordination_evidence", pa.array(evidence, pa.string())
    )


def _evidence(members: Sequence[_Comment], config: ScoreConfig) -> str | None:
    """What a group of equal wordings has in common, None when it is too small or explains itself."""
    authors = {m.author_id for m in members if m.author_id is not None}
    masked = sum(m.author_id is None for m in members)
    hands = len(authors) + masked  # a masked comment may be anybody's
    posts = {m.post_id for m in members}
    if len(members) < config.comments.coordinated_from or (hands < 2 and len(posts) < config.comments.coordinated_from):
        return None
    times = sorted(m.at for m in members if m.at is not None)
    window = config.comments.burst_minutes * 60
    need = config.comments.coordinated_from
    burst = any(times[i + need - 1] - times[i] <= window for i in range(len(times) - need + 1))
    if len(posts) < 2 and not burst:
        return None
    parts = [f"same_wording={len(members)}", f"posts={len(posts)}"]
    parts.append("authors=masked" if not authors else f"authors={len(authors)}")
    if burst:
        parts.append(f"burst_minutes<={config.comments.burst_minutes}")
    return ";".join(parts)
