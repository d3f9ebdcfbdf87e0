"""dataabc/weibo-crawler: csv of every header version, json, sqlite, users.csv and comment csv."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pinzhi.readers import weibo
from pinzhi.readers.base import Expand, Layout, Note, Part, Shape, as_header
from pinzhi.readers.raw import Raw


def _likes(raw: Raw) -> Any:
    """The tool writes 0 likes as an empty cell."""
    return 0 if raw.get("like_count") == "" else raw.get("like_count")


POSTS = weibo.Posts(weibo.posts_layout(
    post_id="id", account_id="user_id", published_at=("full_created_at", "created_at"), text="text",
    likes="attitudes_count", reposts="reposts_count", comments="comments_count",
))  # fmt: skip
COMMENTS = Layout(
    "weibo comments", "comments",
    {"comment_id": ("id",), "post_id": ("weibo_id",), "parent_id": ("root_id",), "author_id": ("user_id",),
     "author_name": ("user_screen_name",), "created_at": ("created_at",), "text": ("text",), "likes": (_likes,)},
    "weibo",
)  # fmt: skip
USERS = Layout(
    "weibo users", "accounts",
    {"account_id": ("用户id", "id"), "name": ("昵称", "screen_name", "nick_name"),
     "followers": ("粉丝数", "followers_count", "follower_count"), "following": ("关注数", "follow_count"),
     "posts": ("微博数", "statuses_count"), "verified": ("是否认证", "verified")},
    "weibo",
)  # fmt: skip

_CSV_MARKS = (
    (frozenset({"id", "bid", "正文", "点赞数"}), POSTS.layout),
    (frozenset({"用户id", "昵称", "粉丝数"}), USERS),
    (frozenset({"id", "weibo_id", "created_at", "user_screen_name", "text"}), COMMENTS),
)
_TABLE = frozenset(
    {"id", "bid", "user_id", "screen_name", "text", "attitudes_count"}
)  # of posts, as MySQL and MongoDB export it
_SECTIONS = {
    "user": (frozenset({"id"}), USERS),
    "weibo": (frozenset({"id", "text", "attitudes_count"}), POSTS.layout),
    "comments": (frozenset({"id", "weibo_id", "text"}), COMMENTS),
    "reposts": (frozenset({"id", "weibo_id", "text"}), POSTS.layout),
}


class WeiboCrawlerReader:
    """Every file that weibo-crawler writes, but its Markdown, which repeats them."""

    name = "weibo-crawler"
    version = "3"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Posts, users or comments."""
        if shape.kind in ("csv", "json", "jsonl") and any(record.keys() >= _TABLE for record in shape.sections[""]):
            return (Part(POSTS.layout, "", _posts),)
        if shape.kind in ("csv", "xlsx"):
            return tuple(part for name in shape.sections for part in _csv_part(shape, name))
        if shape.kind == "object":
            known = {"user", "weibo"} <= shape.sections.keys()
            return tuple(_section_parts(shape, ("user", "weibo"))) if known else ()
        if shape.kind == "sqlite" and {"bid", "attitudes_count"} <= shape.columns("weibo"):
            return tuple(_section_parts(shape, tuple(_SECTIONS)))
        return ()

    def ignored(self, section: str) -> str | None:
        """Pictures and videos in the database."""
        return "pictures and videos are not read" if section == "bins" else None


def _csv_part(shape: Shape, section: str) -> Iterator[Part]:
    columns = shape.columns(section)
    layout = next((layout for marks, layout in _CSV_MARKS if marks <= columns), None)
    if layout is POSTS.layout:
        yield Part(layout, section, partial(_csv_posts, weibo.account_of(shape)), _align_post)
    elif layout is not None:
        yield Part(layout, section, None, _align_user if layout is USERS else as_header)


def _section_parts(shape: Shape, names: Sequence[str]) -> Iterator[Part]:
    expands: dict[str, Expand] = {"weibo": _posts, "reposts": _repost}
    for name in names:
        marks, layout = _SECTIONS[name]
        if marks <= shape.columns(name):
            yield Part(layout, name, expands.get(name))


# -- csv rows whose header does not tell -----------------------------------------------------------------------------

# With slashes and without seconds, and flags in capitals, where the file was saved in a spreadsheet.
_DATE = re.compile(r"\d{4}([-/])\d{1,2}\1\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?")
_FULL_DATE = re.compile(r"\d{4}([-/])\d{1,2}\1\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2})?")
_FLAGS = frozenset({"True", "False", "TRUE", "FALSE"})
_HEAD = ("id", "bid", "text", "article_url", "pics", "video_url")
_TAIL = ("created_at", "source", "attitudes_count", "comments_count", "reposts_count", "topics", "at_users")


@dataclass(frozen=True)
class _Block:
    """One post within a row, and the cells after it."""

    raw: Raw
    rest: Sequence[str]


def _block(cells: Sequence[str]) -> _Block | None:
    """The post that `cells` begin with, by what the cells hold; None when no version of the tool wrote them.

    Rows grew before their header did (a full date in 2022, a Live Photo cell in 2025, an analysis cell where the
    option is on), and rows of a newer version follow the header of an older one: only the cells can tell.
    """
    at = next((at for at in (7, 8) if at < len(cells) and _DATE.fullmatch(cells[at].strip())), None)
    if at is None or len(cells) < at + len(_TAIL):
        return None
    raw: Raw = {**dict(zip(_HEAD, cells, strict=False)), **dict(zip(_TAIL, cells[at:], strict=False))}
    rest = list(cells[at + len(_TAIL) :])
    for skipped in (0, 1):  # with the option on, an analysis stands before the full date
        if skipped < len(rest) and _FULL_DATE.fullmatch(rest[skipped].strip()):
            raw["full_created_at"] = rest[skipped]
            rest = rest[skipped + 1 :]
            break
    is_edit = len(rest) >= 2 and rest[0] in _FLAGS and re.fullmatch(r"\d{0,5}", rest[1]) is not None
    if is_edit and (len(rest) == 2 or rest[2] in _FLAGS):
        rest = rest[2:]  # 是否编辑过, 编辑次数
    return _Block(raw, rest)


def _align_post(header: Sequence[str], cells: Sequence[str]) -> Raw | None:
    block = _block(cells)
    if block is None:
        return None
    rest = block.rest
    if not any(rest):  # only originals were asked for
        return block.raw
    if rest[0] not in _FLAGS:
        return None
    if not any(rest[1:]):
        return block.raw
    source = _block(rest[3:])
    if source is not None:
        return {**block.raw, "retweet": {**source.raw, "user_id": rest[1], "screen_name": rest[2]}}
    original = dict(zip(_HEAD, rest[3:], strict=False))  # one that is gone may have no date
    return {**block.raw, "retweet": original} if weibo.is_notice(original.get("text", "")) else None


def _align_user(header: Sequence[str], cells: Sequence[str]) -> Raw | None:
    """Rows of users.csv gained the place of the IP before the header did; those of a workbook are no wider than it."""
    if "所在地" in header and "IP属地" not in header:
        at = list(header).index("所在地") + 1
        wider = [*header[:at], "IP属地", *header[at:]]
        fits = [dict(zip(names, cells, strict=False)).get("是否认证") in _FLAGS for names in (header, wider)]
        if len(cells) == len(wider) or fits == [False, True]:
            return dict(zip(wider, cells, strict=False))
    return as_header(header, cells)


# -- records to posts ------------------------------------------------------------------------------------------------


def _csv_posts(account: str | None, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield from _posts({**raw, "user_id": account})


def _posts(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield from POSTS.read(raw, raw.get("retweet"))


def _repost(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield Note(None, "not read: a repost by somebody else, whose text the tool has cut")
