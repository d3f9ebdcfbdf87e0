"""What tells an account that somebody feeds from one that somebody lives in: its posts and how they are answered."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pinzhi.text import CODE

# Followers and the number of posts at hand are left out on purpose: in the labelled accounts the real ones are large and
# crawled deeper, which would make every small account of a real person look bought.
FEATURES = (
    "following", "published", "reposts_mean", "comments_mean", "likes_mean", "reposts_most", "comments_most", "likes_most",
    "share_commented", "share_liked", "share_reposted", "length_mean", "length_spread", "share_of_reposts", "share_with_topic",
    "share_distinct", "share_with_link", "share_with_mention", "share_promoting", "variety", "share_with_emoji_code",
)  # fmt: skip
PROFILE = FEATURES[:2]  # told by the profile alone, which archives often lack
# Topics, mentions and codes of emoji were cut out of the labelled texts: they teach nothing of them.
TAUGHT = tuple(
    name for name in FEATURES if name not in ("share_with_topic", "share_with_mention", "share_with_emoji_code")
)
TAUGHT_PLATFORM = "weibo"  # what the counts of one platform are worth says nothing of those of another
# The newest posts that are looked at, as many as of a labelled account: variety falls with more.
MOST_POSTS = 25
_LINK = re.compile(r"https?:[\x21-\x7e]*|t\.cn/[0-9A-Za-z]*|网页链接|的微博视频")
_PROMOTION = re.compile(r"红包|抽奖|转发.{0,6}[抽送赢]|优惠|免费|加微信|加我")
_NOT_WORDS = re.compile(rf"{_LINK.pattern}|#[^#\n]{{1,40}}#|@[\w-]+|{CODE}")
_SAYS_NOTHING = frozenset({"转发微博", "Repost"})


@dataclass(frozen=True)
class SeenPost:
    """A post of an account and how it was answered."""

    text: str
    reposts: int
    comments: int
    likes: int
    is_repost: bool


@dataclass(frozen=True)
class SeenAccount:
    """An account, at least one of whose posts is at hand; how many it follows and has published, None where unknown."""

    following: int | None
    published: int | None
    posts: Sequence[SeenPost]


def account_features(following: int | None, published: int | None, posts: Sequence[SeenPost]) -> np.ndarray:
    """Features [FEATURES] of an account that follows `following` others and has `published` posts (None where unknown: NaN),
    of which `posts`, at least one, are at hand. Raises ValueError when there are none."""
    if not posts:
        raise ValueError("expected at least one post of the account, found none")
    texts = [post.text for post in posts]
    words = [_words(text) for text in texts]
    counts = np.log1p([[post.reposts, post.comments, post.likes] for post in posts])
    lengths = np.array([len(text) for text in words])
    joined = "".join(words)

    def share(flags: Sequence[bool]) -> float:
        return float(np.mean(flags))

    return np.array([
        *(math.nan if count is None else np.log1p(count) for count in (following, published)),
        *counts.mean(0), *counts.max(0),
        *(counts[:, [1, 2, 0]] > 0).mean(0), lengths.mean(), lengths.std(),
        share([post.is_repost for post in posts]), share(["#" in text for text in texts]),
        len(set(words)) / len(words), share([bool(_LINK.search(text)) for text in texts]),
        share(["@" in text for text in texts]), share([bool(_PROMOTION.search(text)) for text in texts]),
        len(set(joined)) / max(1, len(joined)), share(["[" in text for text in texts]),
    ])  # fmt: skip


def taught_features(accounts: Sequence[SeenAccount]) -> np.ndarray:
    """Features [n, TAUGHT] of accounts."""
    columns = [FEATURES.index(name) for name in TAUGHT]
    rows = [account_features(one.following, one.published, one.posts)[columns] for one in accounts]
    return np.stack(rows) if rows else np.zeros((0, len(TAUGHT)))


def _words(text: str) -> str:
    """`text` without links, topics, mentions, codes of emoji and what the platform says itself: exports differ in all of
    them, and the labelled texts have been cut so."""
    words = _NOT_WORDS.sub("", text).strip()
    return "" if words in _SAYS_NOTHING else words
