"""What Weibo itself does to posts, whichever tool exported them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Cell, Layout, Note, Shape
from pinzhi.readers.raw import Raw

CAP = 1_000_000  # Weibo shows 100万+, its API and most tools give the number
EMPTY_REPOSTS = frozenset({"转发微博", "轉發微博", "Repost", "//转发微博"})
_NOTICE = re.compile(
    r"(抱歉，)?(此|该|这条)?微博(已被作者删除|已被删除|已不可见|因被多人投诉|不存在|暂时没有)"
    r"|抱歉，(由于)?作者(已)?设置|抱歉，(你|您)暂时没有这条微博的查看权限|抱歉，此微博"
)
_SHORT_ID = re.compile(r"[0-9A-Za-z]{5,12}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DAY = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"  # which names folders too
_ACCOUNT = re.compile(
    rf"(?!{_DAY}(?![0-9]))([0-9]{{5,12}})(?: ?\([0-9]{{1,4}}\)| - 副本)?"
)  # of a file, or of a copy of it


def is_notice(text: str) -> bool:
    """Whether the platform speaks here in place of a deleted or hidden post."""
    return len(text) < 80 and _NOTICE.match(text.strip()) is not None


def without_link(text: str) -> str:
    """A long post that was cut, without the words of the link that would unfold it."""
    words = text.removesuffix("全文").rstrip()
    return words if text.endswith("全文") and words.endswith(("...", "…")) else text


def post_number(value: Any) -> str | None:
    """The number of a post by the short id of its address: `z0JH2lOMb` is 3501756485200075; a number stays.

    Four characters, counted from the right, are seven digits. Raises BadValue.
    """
    found = values.identifier(value)
    if found is None or _SHORT_ID.fullmatch(found) is None:
        return found
    number = ""
    for end in range(len(found), 0, -4):
        group = 0
        for character in found[max(0, end - 4) : end]:
            group = group * 62 + _DIGITS.index(character)
        number = f"{group:07d}{number}"
    return number.lstrip("0") or "0"


def account_of(shape: Shape) -> str | None:
    """The author of a csv file, whom its name alone tells, or its folder's."""
    path = PurePosixPath(shape.path.as_posix())
    return next((found[1] for name in (path.stem, path.parent.name) if (found := _ACCOUNT.fullmatch(name))), None)


def posts_layout(**columns: Cell | tuple[Cell, ...]) -> Layout:
    """Where the columns of a post are; those that `Posts` adds to a record need not be named."""
    cells = {name: cell if isinstance(cell, tuple) else (cell,) for name, cell in columns.items()}
    added: dict[str, tuple[Cell, ...]] = {
        "kind": ("kind",), "reposted_post_id": ("retweet_id",), "quoted_text": ("quoted_text",),
    }  # fmt: skip
    return Layout("weibo posts", "posts", added | cells, "weibo", cell_floor=CAP)


@dataclass(frozen=True)
class Posts:
    """Posts of one tool; `text` is its field of the text, `authors` are those that may hold the author's id."""

    layout: Layout
    text: str = "text"
    authors: tuple[str, ...] = ("user_id",)

    def read(self, raw: Raw, original: Any = None) -> Iterator[tuple[Layout, Raw] | Note]:
        """A post, and the original that it reposts, when the record holds it."""
        if not isinstance(original, dict) or not original:
            original_id = raw.get("retweet_id")
            kind = "original" if values.is_null(original_id) or str(original_id).strip() == "0" else "repost"
            yield from self.one({"kind": kind, **raw})
            return
        quoted = original.get(self.text)
        yield from self.one({**raw, "kind": "repost", "retweet_id": original.get("id"),
                             "quoted_text": None if is_notice(values.text(quoted)) else quoted})  # fmt: skip
        if values.is_null(str(original.get("id", "")).strip()):
            yield Note("retweet", "expected the original of a repost, found one without id: deleted at the source")
        else:
            yield from self.one({**original, "kind": "original"})

    def one(self, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
        """A post with what its author wrote; the words of the platform are no text of anybody's."""
        text = values.text(raw.get(self.text))
        if is_notice(text) and values.filled(raw, self.authors) is None:
            reason = "expected the text of a post, found the notice of a deleted or hidden one; text left empty"
            yield Note(self.text, reason)
            yield self.layout, {**raw, self.text: "", "kind": "deleted"}
            return
        own = "" if text in EMPTY_REPOSTS else without_link(text)
        yield self.layout, raw if own == text else {**raw, self.text: own}
