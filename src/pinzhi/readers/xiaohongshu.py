"""What Xiaohongshu means, whichever tool exported it."""

from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Cell, Layout
from pinzhi.readers.raw import Raw

_KINDS = {"图文": "normal", "图集": "normal", "图片": "normal", "normal": "normal", "image": "normal", "视频": "video",
          "video": "video"}  # fmt: skip
_NO_TITLE = "无标题"


def posts_layout(*, kind: tuple[str, ...], title: tuple[str, ...], **columns: tuple[Cell, ...]) -> Layout:
    """Where the columns of a note are."""

    def is_kind(raw: Raw) -> Any:
        """The kind in the platform's own words; tools have others."""
        name = str(_first(raw, kind) or "").strip()
        return _KINDS.get(name.lower(), None if values.is_null(name) else name)

    def has_title(raw: Raw) -> Any:
        """The title; one that says that there is none is no title."""
        found = _first(raw, title)
        return None if isinstance(found, str) and found.strip() == _NO_TITLE else found

    return Layout("xiaohongshu posts", "posts", {"kind": (is_kind,), "title": (has_title,), **columns}, "xiaohongshu")


def authors_layout(**columns: tuple[Cell, ...]) -> Layout:
    """Where a note names its author; without followers it is no look at them that could outdo another."""
    return Layout("xiaohongshu authors", "accounts", columns, "xiaohongshu")


def _first(raw: Raw, fields: tuple[str, ...]) -> Any:
    return next((raw[field] for field in fields if raw.get(field) not in (None, "")), None)
