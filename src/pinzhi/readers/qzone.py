"""ShunCai/QZoneExport: JSON of the messages of a Qzone with their comments, and of its board."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Layout, Note, Part, Shape, inside, unknown
from pinzhi.readers.raw import Raw

_MENTION = re.compile(r"@\{uin:[0-9]{1,20},nick:([^{}]{0,100}?),who:[0-9]{1,3}[^{}]{0,100}\}(?=(\S)?)")


def _words(value: Any) -> Any:
    """Text with mentions as readers see them: `@name`, and a space where words follow."""
    if not isinstance(value, str) or "@{" not in value:
        return value
    return _MENTION.sub(lambda found: f"@{found[1]}{' ' if found[2] else ''}", value)


def _quoted(raw: Raw) -> Any:
    found = raw.get("rt_con")
    return _words(found.get("content") if isinstance(found, dict) else found)


def _likes(raw: Raw) -> Any:
    """Likes; a list without anybody may never have been asked for."""
    likes = raw.get("likes")
    return raw.get("likeTotal") or (len(likes) if isinstance(likes, list) and likes else None)


POSTS = Layout(
    "qq posts", "posts",
    {"post_id": ("tid",), "account_id": ("uin",), "published_at": ("created_time", "custom_create_time"),
     "text": (lambda raw: _words(raw.get("content")),), "kind": ("kind",), "reposted_post_id": ("rt_tid",),
     "quoted_text": (_quoted,), "likes": (_likes,), "comments": ("commenttotal",),
     "reads": (inside("custom_visitor", "viewCount"),)},
    "qq",
)  # fmt: skip
BOARD = Layout(
    "qq board", "posts",
    {"post_id": ("id",), "account_id": ("uin",), "published_at": ("pubtime", "modifytime"), "kind": (lambda _: "board",),
     "text": (lambda raw: _words(raw.get("htmlContent") or raw.get("ubbContent")),)},
    "qq",
)  # fmt: skip
COMMENTS = Layout(
    "qq comments", "comments",
    {"comment_id": ("comment_id",), "post_id": ("post_id",), "parent_id": ("parent_id",), "author_id": ("uin",),
     "author_name": ("name", "nick"), "created_at": ("create_time", "time"), "text": (lambda raw: _words(raw.get("content")),)},
    "qq",
)  # fmt: skip
ACCOUNTS = Layout("qq accounts", "accounts", {"account_id": ("uin",), "name": ("name",)}, "qq")


class QzoneReader:
    """Messages and the board; its other files have no layout that is known here."""

    name = "QZoneExport"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Messages, or the messages of visitors on the board."""
        if shape.kind == "object":
            return (Part(BOARD, "items", _board),) if shape.columns("items") >= {"uin", "htmlContent"} else ()
        records = shape.sections.get("", ()) if shape.kind in ("json", "jsonl") else ()
        if any(map(_is_message, records)):
            return (Part(POSTS, "", _rows),)
        return (Part(BOARD, "", _rows),) if any(map(_is_board, records)) else ()

    def ignored(self, section: str) -> str | None:
        """What the owner says of the board."""
        return "the board's greeting is no message" if section == "authorInfo" else None


def _is_message(raw: Raw) -> bool:
    return {"tid", "uin", "content"} <= raw.keys() and not {"commenttotal", "custom_comments"}.isdisjoint(raw)


def _is_board(raw: Raw) -> bool:
    items = raw.get("items")
    return "authorInfo" in raw and isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    if _is_message(raw):
        yield POSTS, {**raw, "kind": None if values.is_null(raw.get("rt_tid")) else "repost"}
        if not values.is_null(raw.get("uin")):
            yield ACCOUNTS, raw
        yield from _comments(raw)
    elif _is_board(raw):
        for item in raw["items"]:
            yield from _board(item)
    else:
        yield unknown(raw, "a message of Qzone")


def _comments(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """Comments of a message, and the answers to each. Both are numbered within what they answer alone."""
    post = _id(raw.get("tid"))
    for own, comment in _numbered(raw.get("custom_comments") or raw.get("commentlist")):
        if comment is None:
            yield _LEFT_OUT
            continue
        root = f"{post}_{own}" if post else None
        yield COMMENTS, {**comment, "comment_id": root, "post_id": post, "parent_id": None}
        for number, answer in _numbered(comment.get("list_3")):
            if answer is None:
                yield _LEFT_OUT
            else:
                id_ = f"{root}_{number}" if root else None
                yield COMMENTS, {**answer, "comment_id": id_, "post_id": post, "parent_id": root}


def _board(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """A message of a visitor, and the answers to it."""
    if str(raw.get("secret")).strip() in ("1", "True"):
        yield Note("secret", "not read: a private message")
        return
    yield BOARD, raw
    post = _id(raw.get("id"))
    for number, answer in _numbered(raw.get("replyList")):
        if answer is None:
            yield _LEFT_OUT
        else:
            yield (
                COMMENTS,
                {**answer, "comment_id": f"{post}_{number}" if post else None, "post_id": post, "parent_id": None},
            )


_LEFT_OUT = Note("comments", "expected a comment, found none; it was left out")


def _numbered(listed: Any) -> Iterable[tuple[str, Raw | None]]:
    """Comments with their numbers; one without has that of its place."""
    for at, comment in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(comment, dict):
            yield _id(comment.get("tid")) or f"r{at}", comment
        else:
            yield "", None


def _id(value: Any) -> str | None:
    try:
        return values.identifier(value)
    except values.BadValue:
        return None  # the reject of the message says so
