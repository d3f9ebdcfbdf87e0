"""JoeanAmier/TikTokDownloader (DouK-Downloader): csv, xlsx and sqlite of works, comments and users of Douyin and TikTok."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Expand, Layout, Note, Part, Shape, as_header
from pinzhi.readers.raw import Raw
from pinzhi.readers.tiktok_columns import KNOWN_COLUMNS

_LINKS = ("作品链接", "账号链接", "下载地址")
_NO_NAMES = frozenset({"已注销账号", "无效账号昵称", "无效昵称"})  # in place of a name
_UID = ("UID", "账号UID", "uid", "SEC_UID", "sec_uid")
_NAME = ("昵称昵称", "账号昵称", "用户昵称", "昵称")
_POST = re.compile(r"(?<![0-9])[0-9]{15,20}(?![0-9])")


def _platform(raw: Raw) -> str:
    return "tiktok" if any("tiktok" in str(raw.get(link) or "")[:200] for link in _LINKS) else "douyin"


def _account(raw: Raw) -> Any:
    """Who published a work; for TikTok by the id that its users have in every table."""
    names = ("SEC_UID", *_UID) if _platform(raw) == "tiktok" else _UID
    return values.filled(raw, names)


def _moment(field: str) -> Callable[[Raw], Any]:
    """A time, whose format is a setting of the tool."""
    return lambda raw: values.clock(raw.get(field))


def _caption(raw: Raw) -> Any:
    """What was written under a work; the tool puts the id where there was nothing."""
    text = raw.get("作品描述")
    return "" if isinstance(text, str) and text.strip() == str(raw.get("作品ID")).strip() else text


def _parent(raw: Raw) -> Any:
    """The comment that is answered: an answer to another where there is one, else the one at the top."""
    found = (raw.get(name) for name in ("回复对象", "回复ID"))
    return next((id_ for id_ in found if not values.is_nobody(id_)), None)


def _name(raw: Raw) -> Any:
    found = next((raw[name] for name in _NAME if raw.get(name) not in (None, "")), None)
    return None if found in _NO_NAMES else found


def _is_verified(raw: Raw) -> bool | None:
    """Whether anything verifies an account; TikTok says so itself, for Douyin there is a reason or `无`."""
    reasons = [str(raw[name]).strip() for name in ("标签", "企业") if raw.get(name) not in (None, "")]
    if reasons and reasons[0] in ("True", "False", "1", "0"):
        return reasons[0] in ("True", "1")
    return any(not values.is_null(reason) for reason in reasons) if reasons else None


POSTS = Layout(
    "douyin posts", "posts",
    {"platform": (_platform,), "post_id": ("作品ID",), "account_id": (_account,), "published_at": (_moment("发布时间"),),
     "text": (_caption,), "kind": ("作品类型",), "likes": ("点赞数量",), "reposts": ("分享数量",), "comments": ("评论数量",),
     "reads": ("播放数量",), "collects": ("收藏数量",), "url": ("作品链接",), "fetched_at": (_moment("采集时间"),)},
)  # fmt: skip
COMMENTS = Layout(
    "douyin comments", "comments",
    {"comment_id": ("评论ID",), "post_id": ("post_id",), "parent_id": (_parent,), "author_id": _UID, "author_name": (_name,),
     "created_at": (_moment("评论时间"),), "text": ("评论内容",), "likes": ("点赞数量",), "fetched_at": (_moment("采集时间"),)},
    "douyin",
)  # fmt: skip
AUTHORS = Layout("douyin authors", "accounts", {"platform": (_platform,), "account_id": (_account,), "name": (_name,)})
USERS = Layout(
    "douyin users", "accounts",
    {"platform": (_platform,), "account_id": (_account,), "name": (_name,), "followers": ("粉丝数量",), "following": ("关注数量",),
     "posts": ("作品数量",), "verified": (_is_verified,), "fetched_at": (_moment("采集时间"),)},
)  # fmt: skip
_MARKS = (
    (frozenset({"评论ID", "评论时间", "评论内容", "回复ID"}), COMMENTS),
    (frozenset({"作品ID", "作品描述", "发布时间", "账号昵称"}), POSTS),
    (frozenset({"采集时间", "SEC_UID", "粉丝数量"}), USERS),
    (frozenset({"采集时间", "sec_uid", "粉丝数量"}), USERS),
)


class TikTokDownloaderReader:
    """Every table that TikTokDownloader writes, but those of live streams and trends."""

    name = "TikTokDownloader"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Tables by their columns, whatever their job was called."""
        found = ((name, _layout(shape.columns(name))) for name in shape.sections)
        return tuple(_part(shape, name, layout) for name, layout in found if layout is not None)

    def ignored(self, section: str) -> str | None:
        """Lists of searches that hold no works and no users."""
        return "live streams and trends are not read" if "直播" in section or "榜" in section else None


def _layout(columns: set[str]) -> Layout | None:
    return next((layout for marks, layout in _MARKS if marks <= columns), None)


def _part(shape: Shape, section: str, layout: Layout) -> Part:
    expands: dict[str, Expand] = {"posts": _posts}
    if layout is COMMENTS:
        expands["comments"] = partial(_comments, _post_of(section if shape.kind == "sqlite" else shape.path.stem))
    return Part(layout, section, expands.get(layout.table), _Known(layout).align)


def _post_of(name: str) -> str | None:
    """The work of a list of comments, which the name of the list alone tells: `作品7545012345678901234_评论数据`."""
    found = set(_POST.findall(name))
    return found.pop() if len(found) == 1 else None


def _posts(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield POSTS, raw
    if _account(raw) is not None:
        yield AUTHORS, raw


def _comments(post: str | None, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield COMMENTS, {**raw, "post_id": post}


@dataclass(frozen=True)
class _Known:
    """Column orders that one table has had; a file goes on under its first header when the tool has been updated."""

    layout: Layout

    def align(self, header: Sequence[str], cells: Sequence[str]) -> Raw | None:
        """Cells under their header, or under that of another version that they fit.

        Their number does not tell: the last column is mostly empty, and rows of a workbook are as wide as its header
        and end with their last text.
        """
        raw = as_header(header, cells)
        fits = _FITS[self.layout.table]
        if raw is not None and fits(raw):
            return raw
        for columns in KNOWN_COLUMNS[self.layout.table]:
            found = dict(zip_longest(columns, cells[: len(columns)], fillvalue=""))
            if not any(cells[len(columns) :]) and fits(found):
                return found
        return raw


def _is_number(raw: Raw, *fields: str) -> bool:
    return all(re.fullmatch(r"-?[0-9]{1,20}", str(raw.get(field, "0")).strip()) for field in fields)


def _is_post(raw: Raw) -> bool:
    counts = _is_number(raw, "年龄", "点赞数量", "评论数量", "收藏数量", "分享数量", "播放数量")
    return counts and _is_long(raw, "作品ID") and str(raw.get("作品链接", "")).strip()[:4] in ("", "http")


def _is_comment(raw: Raw) -> bool:
    return _is_number(raw, "年龄", "点赞数量", "回复数量", "回复ID") and _is_long(raw, "评论ID")


def _is_user(raw: Raw) -> bool:
    return _is_number(raw, "年龄", "粉丝数量", "获赞数量") and str(raw.get("SEC_UID", "")).startswith("MS4wLjAB")


def _is_long(raw: Raw, field: str) -> bool:
    return _POST.fullmatch(str(raw.get(field, "")).strip()) is not None


_FITS: dict[str, Callable[[Raw], bool]] = {"posts": _is_post, "comments": _is_comment, "accounts": _is_user}
