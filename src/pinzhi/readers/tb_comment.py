"""Reviews of Taobao and Tmall: the workbooks of WinterWaterWarm/tb_comment, without ids and authors, and tables with the
platform's own names of fields (`rateContent`, `rateDate`), which people's scripts write."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Layout, Note, Part, Shape, as_header
from pinzhi.readers.raw import Raw

_DEFAULT = re.compile(  # what the platform says where a buyer said nothing
    r"(?:此用户(?:没有|未)(?:及时)?填写评[论价](?:内容)?|(?:\d{1,3}\s*天内)?买家未(?:及时)?[作做]出评价"
    r"|(?:评价方未及时做出评价[,，]?)?系统默认好?评价?)[!！。.]?"
)


def _id(raw: Raw) -> str | None:
    """Made of what never changes of a review: sales grow, and a second review comes later."""
    if "rateContent" not in raw:
        return values.made_id(*(raw.get(name) for name in ("商品名", "商品类型", "评论日期", "评论")))
    own = values.identifier(values.filled(raw, ("id", "rateId")))
    return own or values.made_id(
        *(raw.get(name) for name in ("displayUserNick", "auctionSku", "rateDate", "rateContent"))
    )


COMMENTS = Layout(
    "taobao comments", "comments",
    {"comment_id": (_id,), "post_id": ("商品名", "auctionNumId", "itemId"), "author_name": ("displayUserNick",),
     "created_at": ("评论日期", "rateDate"), "text": ("text",)},
    "taobao", personal=frozenset({"displayUserNick"}),
)  # fmt: skip
_MARKS = (frozenset({"商品名", "评论", "评论日期"}), frozenset({"rateContent", "rateDate"}))
_WORDS = ("评论", "追评", "rateContent", "appendComment")


class TbCommentReader:
    """Reviews, which stand under the name of their product; a second review follows the first on a line of its own."""

    name = "tb_comment"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Sheets and files by their columns."""
        found = (name for name in shape.sections if any(marks <= shape.columns(name) for marks in _MARKS))
        return tuple(Part(COMMENTS, name, _rows, _align) for name in found)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _align(header: Sequence[str], cells: Sequence[str]) -> Raw | None:
    """Cells under their header; scripts that quote nothing have split a review at its commas, whose date tells where it ends."""
    n = len(cells) - len(header)
    if n > 0 and {"rateContent", "rateDate"} <= set(header):
        at = list(header).index("rateContent")
        raw = dict(zip(header, [*cells[:at], ",".join(cells[at : at + n + 1]), *cells[at + n + 1 :]], strict=True))
        if values.is_time(raw["rateDate"]):
            return raw
    return as_header(header, cells)


def _rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    words = []
    for field in _WORDS:
        text = _written(raw.get(field))
        if _DEFAULT.fullmatch(text):
            yield Note(field, "expected a review, found what the platform writes where there is none; it was left out")
        elif text:
            words.append(text)
    yield COMMENTS, {**raw, "text": "\n".join(words)}


def _written(cell: Any) -> str:
    if isinstance(cell, dict):  # a second review, as the platform gives it
        cell = cell.get("content")
    return "" if values.is_null(cell) else values.plain(cell).strip()
