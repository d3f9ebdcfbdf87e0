"""Chilfish/Weibo-archiver: JSON of one account's posts with comments, its favourites and whom it follows."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pinzhi.readers import values, weibo
from pinzhi.readers.base import Layout, Note, Part, Shape, inside, unknown
from pinzhi.readers.raw import Raw

_LIKES = ("likesCount", "like_count", "attitudes_count")  # by version, the newest first
POSTS = weibo.Posts(weibo.posts_layout(
    post_id="id", account_id="userId", published_at=("createdAt", "created_at"), text="text", likes=_LIKES,
    reposts=("repostsCount", "reposts_count"), comments=("commentsCount", "comments_count"),
), authors=("userId",))  # fmt: skip
COMMENTS = Layout(
    "weibo comments", "comments",
    {"comment_id": ("id",), "post_id": ("post_id",), "author_id": (inside("user", "uid"), inside("user", "id")),
     "author_name": (inside("user", "name"), inside("user", "screen_name")), "created_at": ("createdAt", "created_at"),
     "text": ("text",), "likes": _LIKES},
    "weibo",
)  # fmt: skip
ACCOUNTS = Layout(
    "weibo accounts", "accounts",
    {"account_id": ("uid", "id"), "name": ("name", "screen_name"), "followers": ("followers",), "following": ("followings",),
     "posts": ("postCount",), "fetched_at": ("exportedAt",)},
    "weibo",
)  # fmt: skip
_ACCOUNT = frozenset({"uid", "name", "followers", "followings"})
_AUTHOR: tuple[Callable[[Raw], Any], ...] = (lambda raw: raw.get("userId"), inside("user", "uid"), inside("user", "id"))
_PICTURE = re.compile(r"\[img://[^\s\[\]]*\]")


class WeiboArchiverReader:
    """Every JSON file that Weibo-archiver writes; its csv lists pictures alone."""

    name = "Weibo-archiver"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Sections of a whole archive, or the one list that a file holds."""
        is_known = any(
            _is_post(record) or record.keys() >= _ACCOUNT for one in shape.sections.values() for record in one
        )
        if not is_known or "mblogid" in shape.facts:  # one post is no archive, though it holds its author
            return ()
        if shape.kind in ("json", "jsonl"):
            is_posts = any(map(_is_post, shape.sections[""]))
            return (Part(POSTS.layout if is_posts else ACCOUNTS, "", _rows),)
        return tuple(_SECTIONS.values()) if shape.kind == "object" and _SECTIONS.keys() & shape.sections.keys() else ()

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _is_post(raw: Raw) -> bool:
    return {"id", "mblogid", "text"} <= raw.keys() and not raw.keys().isdisjoint(_LIKES)


def _rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    if _is_post(raw):
        yield from _post(raw)
    elif raw.keys() >= _ACCOUNT:
        yield ACCOUNTS, raw
    else:
        yield unknown(raw, "a post or an account")


_SECTIONS = {
    **{name: Part(POSTS.layout, name, _rows) for name in ("weibo", "posts", "favorites")},
    **{name: Part(ACCOUNTS, name, _rows) for name in ("followings", "user")},
}


def _post(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """A post, the original that it reposts, the authors named with either, and its comments."""
    original = raw.get("retweet") or raw.get("retweeted_status")
    if isinstance(original, dict):
        original = _authored(original)
        yield from _named(original)
    yield from POSTS.read(_authored(raw), original)
    yield from _named(raw)
    comments = raw.get("comments")
    for comment in comments if isinstance(comments, list) else ():
        if isinstance(comment, dict):
            yield COMMENTS, {**_without_pictures(comment), "post_id": raw.get("id")}
        else:
            yield Note("comments", "expected a comment, found none; it was left out")


def _named(raw: Raw) -> Iterator[tuple[Layout, Raw]]:
    user = raw.get("user")
    if isinstance(user, dict) and not all(values.is_null(user.get(key)) for key in ("uid", "id")):
        yield ACCOUNTS, user


def _authored(raw: Raw) -> Raw:
    """A post with its author's id where the newest version has that of its own posts."""
    author = next((found for cell in _AUTHOR if not values.is_null(found := cell(raw))), None)
    return {**_without_pictures(raw), "userId": author}


def _without_pictures(raw: Raw) -> Raw:
    """A record whose text has no links to pictures, which the tool has put there."""
    text = raw.get("text")
    return {**raw, "text": _PICTURE.sub("", text)} if isinstance(text, str) and "[img://" in text else raw
