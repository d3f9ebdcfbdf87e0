"""Comments that act together: one wording, or nearly one, by different hands, over several posts or within minutes."""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
import pyarrow as pa

from pinzhi.config import ScoreConfig
from pinzhi.interaction.near import own_wording, passages, said_alike
from pinzhi.text import letters, normalise

_ASKING = re.compile(r"[?？吗呢么]|求|怎么|哪里|多少")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _Comment:
    row: int
    platform: str
    text: str
    wording: str
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


def coordinate(comments: pa.Table, config: ScoreConfig, posts: pa.Table | None = None) -> pa.Table:
    """Append coordination_id and coordination_evidence (null for most) to comments, account by account.

    Needs is_owner and account_id, the account that was answered, beside the canonical columns; `posts` (platform, post_id,
    text) are those that they answer, whose words are nobody's wording. Evidence says which
    signals were there: a masked archive is judged by text and time alone, and says so. Questions and one person
    repeating themselves under one post are not coordination; short wordings repeat by nature and count only where
    they flood a post within a minute. Wordings that are nearly the same count together where they are long and as many hands
    as `coordinated_from` left them; such a group has the id of its commonest wording.
    """
    groups: dict[tuple[str, str | None, str], list[_Comment]] = {}
    long: dict[tuple[str, str | None], list[_Comment]] = {}  # comments of an account that may be nearly the same
    under: dict[tuple[str, str | None], list[float]] = {}  # when a post was commented on
    names = ("platform", "account_id", "post_id", "author_id", "created_at", "time_precision", "text", "is_owner")
    for row, ((platform, account, post_id, author_id, at, precision, text, is_owner), profile) in enumerate(
        zip(zip(*(comments[name].to_pylist() for name in names), strict=True), profiles(comments), strict=True)
    ):
        if is_owner:
            continue
        hollow = is_hollow(*profile, config)
        key = wording(text)
        comment = _Comment(row, platform, text, key, post_id, author_id, seconds(at, precision), hollow)
        if comment.at is not None:
            under.setdefault((platform, post_id), []).append(comment.at)
        if key and not _ASKING.search(text):
            groups.setdefault((platform, account, key), []).append(comment)
            if len(key) > config.comments.near_pairs:
                long.setdefault((platform, account), []).append(comment)
    for times in under.values():
        times.sort()
    ids: list[str | None] = [None] * comments.num_rows
    evidence: list[str | None] = [None] * comments.num_rows

    def found(members: Sequence[_Comment], said: str) -> None:
        if what := _evidence(members, config):
            name = hashlib.blake2b(f"{members[0].platform}/{said}".encode(), digest_size=6).hexdigest()
            for member in members:
                ids[member.row], evidence[member.row] = name, what

    for (*_, key), members in groups.items():
        found(_flood(members, under, config) if len(key) < config.comments.min_letters else members, key)
    texts = {} if posts is None else _texts(posts)
    for members in long.values():
        for alike in _nearly_the_same(members, texts, config):
            counts = Counter(member.wording for member in alike)
            found(alike, min(counts, key=lambda said: (-counts[said], said)))
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


def _texts(posts: pa.Table) -> dict[tuple[str, str | None], str]:
    """Text by platform and post_id."""
    names = ("platform", "post_id", "text")
    rows = zip(*(posts[name].to_pylist() for name in names), strict=True)
    return {(platform, post_id): text or "" for platform, post_id, text in rows}


def _nearly_the_same(
    members: Sequence[_Comment], texts: Mapping[tuple[str, str | None], str], config: ScoreConfig
) -> Iterator[list[_Comment]]:
    """Groups of comments of one account that hang together by several wordings that are nearly the same."""
    if len(members) < config.comments.coordinated_from:
        return
    members = sorted(members, key=lambda member: (member.post_id or "", member.row))
    said: list[str] = []
    number: list[int] = []
    for count, (post_id, some) in enumerate(groupby(members, key=lambda member: member.post_id)):
        words = passages(texts.get((members[0].platform, post_id), ""))
        said.extend(own_wording(member.text, words) for member in some)
        number.extend([count] * (len(said) - len(number)))
    at = np.array([np.nan if member.at is None else member.at for member in members])
    part = said_alike(said, at, np.array(number), config).tolist()
    alike: dict[int, list[_Comment]] = {}
    for one, member in zip(part, members, strict=True):
        alike.setdefault(one, []).append(member)
    yield from (group for group in alike.values() if len({member.wording for member in group}) > 1)


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
    """What a group of equal or nearly equal wordings has in common, None when it is too small or explains itself."""
    authors = {m.author_id for m in members if m.author_id is not None}
    masked = sum(m.author_id is None for m in members)
    hands = len(authors) + masked  # a masked comment may be anybody's
    posts = {m.post_id for m in members}
    wordings = len({m.wording for m in members})
    need = config.comments.coordinated_from
    if len(members) < need or (hands < need if wordings > 1 else hands < 2 and len(posts) < need):
        return None
    times = sorted(m.at for m in members if m.at is not None)
    window = config.comments.burst_minutes * 60
    burst = any(times[i + need - 1] - times[i] <= window for i in range(len(times) - need + 1))
    if len(posts) < 2 and not burst:
        return None
    parts = (
        [f"same_wording={len(members)}"] if wordings == 1 else [f"near_wording={len(members)}", f"wordings={wordings}"]
    )
    parts.append(f"posts={len(posts)}")
    parts.append("authors=masked" if not authors else f"authors={len(authors)}")
    if burst:
        parts.append(f"burst_minutes<={config.comments.burst_minutes}")
    known = [m.is_hollow for m in members if m.is_hollow is not None]
    if any(known):
        parts.append(f"hollow_profiles={sum(known)}/{len(known)}")
    return ";".join(parts)
