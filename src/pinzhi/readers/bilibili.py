"""Bilibili: the comments of linyuye/Bilibili_crawler, and danmaku as XML (of the site, BBDown and others) or sqlite."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Layout, Note, Part, Shape, as_header
from pinzhi.readers.raw import Raw

_CLOCK = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[T\s]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?")
_WIDTHS = (
    ("昵称", "性别", "时间", "点赞", "评论", "IP属地", "二级评论条数", "等级", "uid", "rpid"),
    ("昵称", "性别", "时间", "点赞", "评论", "IP属地", "等级", "uid", "rpid"),
)
_MARKS = frozenset({"昵称", "时间", "点赞", "评论", "uid", "rpid"})


def _time(raw: Raw) -> Any:
    """The time of a comment. The tool writes UTC, also where it writes 北京时间 behind it."""
    cell = raw.get("时间")
    text = str(cell).replace("北京时间", "").strip() if cell is not None else ""
    return f"{text}Z" if _CLOCK.fullmatch(text) else text


COMMENTS = Layout(
    "bilibili comments", "comments",
    {"comment_id": ("rpid",), "author_id": ("uid",), "author_name": ("昵称",), "created_at": (_time,), "text": ("评论",),
     "likes": ("点赞",)},
    "bilibili",
)  # fmt: skip


class BilibiliCrawlerReader:
    """The csv of Bilibili_crawler: comments at the top, answers, and both; none names its video or its parent."""

    name = "Bilibili_crawler"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Tables by their columns."""
        return tuple(Part(COMMENTS, name, None, _align) for name in shape.sections if shape.columns(name) >= _MARKS)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _align(header: Sequence[str], cells: Sequence[str]) -> Raw | None:
    """Cells under their header, or under the columns of their number: one name in a header of the tool holds a comma,
    which is two columns once quotes are lost."""
    raw = as_header(header, cells)
    return raw or next((dict(zip(names, cells, strict=True)) for names in _WIDTHS if len(names) == len(cells)), None)


def _danmaku_id(raw: Raw) -> Any:
    """The id of a danmaku; tools that convert those of other sites may have none."""
    found = (raw.get(name) for name in ("id_str", "id"))
    id_ = next((id_ for id_ in found if not values.is_nobody(id_)), None)
    return id_ or values.made_id(*(raw.get(name) for name in ("cid", "progress", "ctime", "mid_hash", "content")))


DANMAKU = Layout(
    "bilibili danmaku", "comments",
    {"comment_id": (_danmaku_id,), "post_id": ("cid",), "author_id": ("mid_hash",), "created_at": ("ctime",), "text": ("text",)},
    "bilibili",
)  # fmt: skip


class DanmakuReader:
    """Danmaku; the video is known by its cid alone, and likes by nobody."""

    name = "danmaku"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """The file, or tables by their columns."""
        if shape.kind == "danmaku":
            return (Part(DANMAKU, "", _danmaku),)
        if shape.kind != "sqlite":
            return ()
        marks = {"progress", "mode", "content", "ctime", "mid_hash"}
        return tuple(Part(DANMAKU, name, _danmaku) for name in shape.sections if shape.columns(name) >= marks)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _danmaku(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    content, mode = raw.get("content"), str(raw.get("mode")).strip()
    if mode == "7":
        content = _placed(content)
    elif mode in ("8", "9"):
        yield Note("content", "expected words, found the code of an animation; text left empty")
        content = ""
    if isinstance(content, str) and "\ufffd" in content:
        yield Note("content", "expected text in the encoding of the file, found broken characters; they stay as \ufffd")
    yield DANMAKU, {**raw, "text": content}


def _placed(content: Any) -> Any:
    """The words of a danmaku that says where it stands: the fifth of a list."""
    try:
        found = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        return content
    return found[4] if isinstance(found, list) and len(found) > 4 else content
