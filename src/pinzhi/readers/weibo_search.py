"""dataabc/weibo-search: csv and sqlite of what a search found; counts are texts as the page shows them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pinzhi.readers import values, weibo
from pinzhi.readers.base import Layout, Note, Part, Shape, as_header
from pinzhi.readers.raw import Raw

_COLUMNS = ("id", "bid", "user_id", "用户昵称", "微博正文", "头条文章url", "发布位置", "艾特用户", "话题", "转发数", "评论数", "点赞数",
            "发布时间", "发布工具", "微博图片url", "微博视频url", "retweet_id", "ip", "user_authentication", "会员类型", "会员等级")  # fmt: skip
_OLDEST = tuple(column for column in _COLUMNS if column != "头条文章url")
_MIN_COLUMNS = 15  # an original of the first version, which had no retweet_id
_CLOCK = re.compile(r"\d{4}([-/])\d{1,2}\1\d{1,2} \d{1,2}:\d{2}(?::\d{2})?")
_COUNT = re.compile(r"\d[\d.,]*[万亿]?\+?")
_VERIFIED = {"蓝V": True, "黄V": True, "红V": True, "金V": True, "普通用户": False}


def _time(raw: Raw) -> Any:
    """The time of a post without the words of the page that may stick to it, such as `转赞人数超过100`."""
    cell = raw.get("发布时间") or raw.get("created_at")
    found = _CLOCK.match(str(cell).strip())
    return found[0] if found else cell


def _is_verified(raw: Raw) -> bool | None:
    return _VERIFIED.get(str(raw.get("user_authentication") or "").strip())


POSTS = weibo.Posts(weibo.posts_layout(
    post_id="id", account_id="user_id", published_at=_time, text="text",
    likes=("点赞数", "attitudes_count"), reposts=("转发数", "reposts_count"), comments=("评论数", "comments_count"),
))  # fmt: skip
ACCOUNTS = Layout(
    "weibo accounts", "accounts",
    {"account_id": ("user_id",), "name": ("用户昵称", "screen_name"), "verified": (_is_verified,)},
    "weibo",
)  # fmt: skip
_MARKS = frozenset({"id", "bid", "用户昵称", "微博正文"})
_OTHER_TABLES = frozenset({"user", "comments", "reposts", "bins"})  # weibo-crawler's, beside posts of the same columns


class WeiboSearchReader:
    """Every file that weibo-search writes."""

    name = "weibo-search"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Posts with their authors."""
        if shape.kind in ("csv", "xlsx"):
            return tuple(
                Part(POSTS.layout, name, _posts, _align) for name in shape.sections if shape.columns(name) >= _MARKS
            )
        columns = shape.columns("weibo") if shape.kind == "sqlite" else set()
        if not {"bid", "screen_name", "text", "attitudes_count", "topics"} <= columns:
            return ()
        is_own = "user_authentication" in columns or _OTHER_TABLES.isdisjoint(shape.sections)
        return (Part(POSTS.layout, "weibo", _posts),) if is_own else ()

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _align(header: Sequence[str], cells: Sequence[str]) -> Raw | None:
    """Cells under their header, or under the columns of the version that wrote them.

    Later versions add columns and the header stays that of the first run; originals found in a repost had fewer
    cells than other rows for a while.
    """
    for columns in () if len(cells) == len(header) else (_COLUMNS, _OLDEST):
        if _MIN_COLUMNS <= len(cells) <= len(columns) and _fits(raw := dict(zip(columns, cells, strict=False))):
            return raw
    return as_header(header, cells)


def _fits(raw: Raw) -> bool:
    """Whether likes and time are where these columns say."""
    moment = raw["发布时间"].strip()
    return _COUNT.fullmatch(raw["点赞数"].strip()) is not None and (not moment or _CLOCK.match(moment) is not None)


def _posts(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    text = raw["微博正文"] if "微博正文" in raw else raw.get("text")
    kind = {} if "retweet_id" in raw else {"kind": None}  # the first versions do not tell
    yield from POSTS.read({**raw, **kind, "text": text})
    if not values.is_null(raw.get("user_id")):
        yield ACCOUNTS, raw
