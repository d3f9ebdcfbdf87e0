"""dataabc/weiboSpider: csv, json and sqlite of one account's posts; its text files have no ids."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from pinzhi.readers import values, weibo
from pinzhi.readers.base import Layout, Note, Part, Shape
from pinzhi.readers.raw import Raw


def _number(raw: Raw) -> str | None:
    return weibo.post_number(raw.get("微博id") or raw.get("id"))


def _is_verified(raw: Raw) -> bool | None:
    """A reason says that somebody is verified; without one nothing is known."""
    return None if values.is_null(raw.get("verified_reason")) else True


POSTS = weibo.Posts(weibo.posts_layout(
    post_id=_number, account_id="user_id", published_at=("发布时间", "publish_time"), text="text",
    likes=("点赞数", "up_num"), reposts=("转发数", "retweet_num"), comments=("评论数", "comment_num"),
))  # fmt: skip
USERS = Layout(
    "weibo users", "accounts",
    {"account_id": ("id",), "name": ("nickname",), "followers": ("followers",), "following": ("following",),
     "posts": ("weibo_num",), "verified": (_is_verified,)},
    "weibo",
)  # fmt: skip
_MARKS = {
    "weibo": frozenset({"id", "content", "publish_time", "up_num"}),
    "user": frozenset({"id", "nickname", "weibo_num"}),
}

_REPOST = re.compile(r"(?:\A|\n)(?:原始用户[:：][^\n]*\n)?转发内容[:：]")
_PICTURES = re.compile(r"\[组图共\d{1,3}张\]\Z")


class WeiboSpiderReader:
    """Every file that weiboSpider writes, but its text, which repeats them."""

    name = "weiboSpider"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Posts, and the user whose they are."""
        if shape.kind in ("csv", "xlsx"):
            rows = partial(_posts, weibo.account_of(shape))
            return tuple(
                Part(POSTS.layout, name, rows)
                for name in shape.sections
                if {"微博id", "微博正文"} <= shape.columns(name)
            )
        known = [name for name, marks in _MARKS.items() if marks <= shape.columns(name)]
        if shape.kind == "sqlite":
            return tuple(_part(name, None) for name in known)
        if shape.kind == "object" and known:
            users = [record.get("id") for record in shape.sections.get("user", ())]
            return tuple(_part(name, users[0] if users else weibo.account_of(shape)) for name in _MARKS)
        return ()

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _part(section: str, account: Any) -> Part:
    return Part(USERS, section) if section == "user" else Part(POSTS.layout, section, partial(_posts, account))


def _posts(account: Any, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """A post; one cell holds the words of a repost, the name of the original's author and its text."""
    own = values.plain(raw.get("微博正文") or raw.get("content"))
    quoted: str | None = None
    is_original = str(raw.get("是否为原创微博", raw.get("original", True))).strip().lower() not in ("false", "0", "否")
    found = None if is_original else _REPOST.search(own)
    if found:
        own, quoted = own[: found.start()], _own_words(own[found.end() :])
        quoted = None if weibo.is_notice(values.text(quoted)) else quoted
    author = account if values.is_null(raw.get("user_id")) else raw["user_id"]
    yield from POSTS.read({**raw, "user_id": author, "text": _own_words(own), "quoted_text": quoted,
                           "kind": "original" if is_original else "repost"})  # fmt: skip


def _own_words(text: str) -> str:
    """A text without the labels and links that stand around it on the page, which the tool takes along."""
    text = text.strip().removeprefix("[置顶]").removeprefix("转发理由:")
    text = text.removesuffix("\xa0原图").rstrip()
    return _PICTURES.sub("", text).rstrip()
