"""What tells an account that somebody feeds from one that somebody lives in: its posts and how they are answered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Followers and the number of posts at hand are left out on purpose: in the labelled accounts the real ones are large and
# crawled deeper, which would make every small account of a real person look bought.
FEATURES = (
    "following", "published", "reposts_mean", "comments_mean", "likes_mean", "reposts_most", "comments_most", "likes_most",
    "share_commented", "share_liked", "share_reposted", "length_mean", "length_spread", "share_of_reposts", "share_with_topic",
    "share_distinct", "share_with_link", "share_with_mention", "share_promoting", "variety", "share_with_emoji_code",
)  # fmt: skip
_LINK = re.compile(r"https?:|t\.cn/|网页链接")
_PROMOTION = re.compile(r"红包|抽奖|转发.{0,6}[抽送赢]|优惠|免费|加微信|加我")


@dataclass(frozen=True)
class SeenPost:
    """A post of an account and how it was answered."""

    text: str
    reposts: int
    comments: int
    likes: int
    is_repost: bool


def account_features(following: int, published: int, posts: Sequence[SeenPost]) -> np.ndarray:
    """Features [FEATURES] of an account that follows `following` others and has `published` posts, of which `posts`, at
    least one, are at hand. Raises ValueError when there are none."""
    if not posts:
        raise ValueError("expected at least one post of the account, found none")
    texts = [post.text for post in posts]
    counts = np.log1p([[post.reposts, post.comments, post.likes] for post in posts])
    lengths = np.array([len(text) for text in texts])
    joined = "".join(texts)

    def share(flags: Sequence[bool]) -> float:
        return float(np.mean(flags))

    return np.array([
        np.log1p(following), np.log1p(published), *counts.mean(0), *counts.max(0),
        *(counts[:, [1, 2, 0]] > 0).mean(0), lengths.mean(), lengths.std(),
        share([post.is_repost for post in posts]), share(["#" in text for text in texts]),
        len(set(texts)) / len(texts), share([bool(_LINK.search(text)) for text in texts]),
        share(["@" in text for text in texts]), share([bool(_PROMOTION.search(text)) for text in texts]),
        len(set(joined)) / max(1, len(joined)), share(["[" in text for text in texts]),
    ])  # fmt: skip
