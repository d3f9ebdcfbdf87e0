"""nghuyong/WeiboSpider: JSON lines of posts, comments and users, as it writes them since October 2022 and as MongoDB exports those
of before, from weibo.cn: they name posts by the short id of an address."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pinzhi.readers import values, weibo
from pinzhi.readers.base import Layout, Note, Part, Shape, inside, unknown
from pinzhi.readers.raw import Raw

_LINK = re.compile(r"weibo\.c(?:om|n)/(?:repost|comment|u?/?[0-9]{5,12})/([0-9A-Za-z]{5,16})")


def _linked(field: str) -> Callable[[Raw], str | None]:
    """The number of the post that an address leads to."""

    def number(raw: Raw) -> str | None:
        found = _LINK.search(str(raw.get(field) or "")[:500])
        return weibo.post_number(found[1]) if found else None

    return number


def _marked(raw: Raw) -> str | None:
    """The id of a comment as weibo.cn writes it, `C_4355000000000001`."""
    id_ = raw.get("_id")
    return id_[2:] if isinstance(id_, str) and id_.startswith("C_") else None


POSTS = weibo.Posts(weibo.posts_layout(
    post_id=(_linked("weibo_url"), "_id"), account_id=(inside("user", "_id"), "user_id"), published_at="created_at", text="content",
    likes=("attitudes_count", "like_num"), reposts=("reposts_count", "repost_num"), comments=("comments_count", "comment_num"),
    reads="reads_count", url=("url", "weibo_url"), fetched_at="crawl_time",
), text="content", authors=("user", "user_id"))  # fmt: skip
COMMENTS = Layout(
    "weibo comments", "comments",
    {"comment_id": (_marked, "_id"), "post_id": (_linked("weibo_url"), "weibo_id"),
     "parent_id": (inside("reply_comment", "_id"),), "author_id": (inside("comment_user", "_id"), "comment_user_id"),
     "author_name": (inside("comment_user", "nick_name"),), "author_followers": (inside("comment_user", "followers_count"),),
     "author_following": (inside("comment_user", "friends_count"),), "author_posts": (inside("comment_user", "statuses_count"),),
     "author_verified": (inside("comment_user", "verified"),), "created_at": ("created_at",), "text": ("content",),
     "likes": ("like_counts", "like_num"), "fetched_at": ("crawl_time",)},
    "weibo",
)  # fmt: skip
USERS = Layout(
    "weibo users", "accounts",
    {"account_id": ("_id",), "name": ("nick_name",), "followers": ("followers_count", "fans_num"),
     "following": ("friends_count", "follows_num"), "posts": ("statuses_count", "tweets_num"), "verified": ("verified",), "fetched_at": ("crawl_time",)},
    "weibo",
)  # fmt: skip

_MARKS = (  # a file holds what one spider found, or several joined
    (frozenset({"_id", "mblogid", "content"}), POSTS.layout),
    (frozenset({"_id", "weibo_url", "content", "user_id"}), POSTS.layout),
    (frozenset({"_id", "comment_user", "content"}), COMMENTS),
    (frozenset({"_id", "comment_user_id", "content"}), COMMENTS),
    (frozenset({"_id", "nick_name", "statuses_count"}), USERS),
    (frozenset({"_id", "nick_name", "tweets_num"}), USERS),
    (frozenset({"_id", "follower_info"}), USERS),
    (frozenset({"_id", "fan_info"}), USERS),
)


class NghuyongReader:
    """Every file that WeiboSpider writes, and its collections in MongoDB as JSON."""

    name = "nghuyong-WeiboSpider"
    version = "2"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """One part, whose records tell by their fields what they are."""
        if shape.kind not in ("jsonl", "json"):
            return ()
        layout = next((layout for record in shape.sections[""] if (layout := _layout(record))), None)
        return (Part(layout, "", _rows),) if layout else ()

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _layout(raw: Raw) -> Layout | None:
    return next((layout for marks, layout in _MARKS if marks <= raw.keys()), None)


def _rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    layout = _layout(raw)
    if layout is POSTS.layout:
        yield from POSTS.read(_with_kind(raw))
        yield from _author(raw)
    elif layout is COMMENTS:
        yield COMMENTS, raw
    elif "fan_info" in raw:
        yield Note(None, "not read: lists of fans are not read")
    elif "follower_info" in raw:
        yield from _account(raw["follower_info"], raw)
    elif layout is USERS:
        yield USERS, raw
    else:
        yield unknown(raw, "a post, comment or user")


def _with_kind(raw: Raw) -> Raw:
    """Until January 2024 nothing says whether a post is a repost; before October 2022 it had the address of its original."""
    if "weibo_url" in raw:
        is_original = values.is_null(raw.get("origin_weibo"))
        return {**raw, "kind": "original" if is_original else "repost", "retweet_id": _linked("origin_weibo")(raw)}
    if values.is_null(raw.get("retweet_id")) and "is_retweet" not in raw:
        return {**raw, "kind": None}
    return {**raw, "kind": "repost"} if raw.get("is_retweet") is True else raw


def _author(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """Whoever wrote a post; without followers it is no look at them that could outdo another."""
    user = raw.get("user")
    if isinstance(user, dict) and not values.is_null(user.get("_id")):
        is_look = not values.is_null(user.get("followers_count"))
        yield USERS, {**user, "crawl_time": raw.get("crawl_time") if is_look else None}


def _account(info: Any, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    if isinstance(info, dict):
        yield USERS, {**info, "crawl_time": raw.get("crawl_time")}
    else:
        yield Note("follower_info", "expected a user, found none; the record was left out")
