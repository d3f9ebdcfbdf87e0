"""Comments that act together: one wording by different hands, over several posts or within minutes."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from pinzhi.config import ScoreConfig
from pinzhi.text import letters, normalise

_ASKING = re.compile(r"[?？吗呢么]|求|怎么|哪里|多少")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Comment:
    row: int
    platform: str
    post_id: str | None
    author_id: str | None
    at: float | None  # seconds
    is_hollow: bool | None  # None: the profile is not known


def wording(text: str) -> str:
    """What stays of a comment when decoration and numbers are taken away."""
    return _DIGITS.sub("", letters(normalise(text).text))


def is_hollow(followers: int | None, following: int | None, posts: int | None, config: ScoreConfig) -> bool | None:
    """Whether a profile with these counts is new, empty or follows masses; None where the counts do not tell."""
    said_little = None if posts is None else posts <= config.comments.hollow_posts
    if followers is None or following is None:
        return said_little
    return bool(said_little) or following >= config.comments.mass_following * max(1, followers)


def coordinate(comments: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append coordination_id and coordination_evidence (null for most) to comments, account by account.

    Needs is_owner and account_id, the account that was answered, beside the canonical columns. Evidence says which
    signals were there: a masked archive is judged by text and time alone, and says so. Questions and one person
    repeating themselves under one post are not coordination; short wordings repeat by nature and count only where
    they flood a post within a minute.
    """
    groups: dict[tuple[str, str | None, str], list[_Comment]] = {}
    under: dict[tuple[str, str | None], list[float]] = {}  # when a post was commented on
    names = ("platform", "account_id", "post_id", "author_id", "created_at", "time_precision", "text", "is_owner")
    for row, ((platform, account, post_id, author_id, at, precision, text, is_owner), profile) in enumerate(
        zip(zip(*(comments[name].to_pylist() for name in names), strict=True), profiles(comments), strict=True)
    ):
        if is_owner:
            continue
        hollow = is_hollow(*profile, config)
        comment = _Comment(row, platform, post_id, author_id, seconds(at, precision), hollow)
        if comment.at is not None:
            under.setdefault((platform, post_id), []).append(comment.at)
        key = wording(text)
        if key and not _ASKING.search(text):
            groups.setdefault((platform, account, key), []).append(comment)
    for times in under.values():
        times.sort()
    ids: list[str | None] = [None] * comments.num_rows
    evidence: list[str | None] = [None] * comments.num_rows
    for (platform, _, key), members in groups.items():
        if len(key) < config.comments.min_letters:
            members = _flood(members, under, config)
        found = _evidence(members, config)
        if found:
            name = hashlib.blake2b(f"{platform}/{key}".encode(), digest_size=6).hexdigest()
            for member in members:
                ids[member.row], evidence[member.row] = name, found
    return comments.append_column("coordination_id", pa.array(ids, pa.string())).append_column(
        "coordination_evidence", pa.array(evidence, pa.string())
    )


def profiles(comments: pa.Table) -> Iterator[tuple[int | None, int | None, int | None]]:
    """Followers, following and posts of the author of each comment."""
    names = ("author_followers", "author_following", "author_posts")
    return zip(*(comments[name].to_pylist() for name in names), strict=True)


def seconds(at: datetime | None, precision: str | None) -> float | None:
    """A moment since 1970; None where it is not known to the minute, for a day says nothing of who came together."""
    return at.timestamp() if at is not None and precision != "day" else None


def _flood(
    members: Sequence[_Comment], under: Mapping[tuple[str, str | None], Sequence[float]], config: ScoreConfig
) -> list[_Comment]:
    """Those of `members` that stand in a minute in which many hands left this wording under one post and few left
    another; sorted times of all comments are in `under`."""
    by_post: dict[tuple[str, str | None], list[tuple[float, _Comment]]] = {}
    for member in members:
        if member.at is not None:
            by_post.setdefault((member.platform, member.post_id), []).append((member.at, member))
    found: dict[int, _Comment] = {}
    for post, timed in by_post.items():
        timed.sort(key=lambda pair: (pair[0], pair[1].row))
        hands: Counter[str | int] = Counter()  # of the comments first:end, those within a minute of the first
        end = taken = 0
        for first, (at, member) in enumerate(timed):
            while end < len(timed) and timed[end][0] <= at + 60:
                hands[_hand(timed[end][1])] += 1
                end += 1
            everybody = bisect_right(under[post], at + 60) - bisect_left(under[post], at)
            if len(hands) >= config.comments.flood_from and end - first >= config.comments.flood_share * everybody:
                found.update({one.row: one for _, one in timed[max(first, taken) : end]})
                taken = end
            hands[_hand(member)] -= 1
            if not hands[_hand(member)]:
                del hands[_hand(member)]
    return [found[row] for row in sorted(found)]


def _hand(comment: _Comment) -> str | int:
    """Who wrote it; a masked comment may be anybody's."""
    return comment.author_id or comment.row


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
    known = [m.is_hollow for m in members if m.is_hollow is not None]
    if any(known):
        parts.append(f"hollow_profiles={sum(known)}/{len(known)}")
    return ";".join(parts)
