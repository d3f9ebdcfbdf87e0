"""whusnoopy/renrenBackup: sqlite of statuses, blogs, photos, messages on the board and comments of Renren."""

from collections.abc import Iterator
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Cell, Expand, Layout, Note, Part, Shape
from pinzhi.readers.raw import Raw


def _kind(raw: Raw) -> str | None:
    return None if str(raw.get("rootUid")).strip() in ("", "0", "None") else "repost"


def _layout(name: str, **columns: Cell) -> Layout:
    cells: dict[str, Cell] = {"post_id": "id", "account_id": "uid", "published_at": "t", "kind": lambda _: name,
                              "likes": "like", "comments": "comment", **columns}  # fmt: skip
    return Layout(f"renren {name}", "posts", {column: (cell,) for column, cell in cells.items()}, "renren")


STATUSES = _layout("status", text="content", kind=_kind, quoted_text="rootContent", reposts="repeat")
PHOTOS = _layout("photo", text="title", reposts="share", reads="view")
GOSSIP = Layout(
    "renren gossip", "posts",
    {"post_id": ("id",), "account_id": ("guestId",), "published_at": ("t",), "text": ("content",), "kind": (lambda _: "gossip",)},
    "renren",
)  # fmt: skip
BLOGS = Layout(
    "renren blog", "posts",
    {"post_id": ("id",), "account_id": ("uid",), "published_at": ("t",), "title": (lambda raw: values.text(raw.get("title")),),
     "text": (lambda raw: values.body(raw.get("content")),), "kind": (lambda _: "blog",), "likes": ("like",),
     "reposts": ("share",), "comments": ("comment",), "reads": ("read",)},
    "renren", is_clean=True,
)  # fmt: skip
COMMENTS = Layout(
    "renren comments", "comments",
    {"comment_id": ("id",), "post_id": ("entry_id",), "author_id": ("authorId",), "author_name": ("authorName",),
     "created_at": ("t",), "text": ("content",)},
    "renren",
)  # fmt: skip
ACCOUNTS = Layout("renren accounts", "accounts", {"account_id": ("uid",), "name": ("name",)}, "renren")
_NOT_READ = {"album": "albums have no words of their own", "like": "lists of who liked what are not read"}


def _gossip(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    if _is_private(raw.get("whisper")):
        yield Note("whisper", "not read: a private message")
    else:
        yield GOSSIP, raw


def _is_private(cell: Any) -> bool:
    return str(cell).strip() not in ("", "0", "None", "False")


_TABLES: dict[str, tuple[frozenset[str], Layout, Expand | None]] = {
    "status": (frozenset({"id", "uid", "t", "content", "repeat", "rootContent"}), STATUSES, None),
    "blog": (frozenset({"id", "uid", "t", "title", "content", "share", "read"}), BLOGS, None),
    "gossip": (frozenset({"id", "uid", "t", "guestId", "whisper", "content"}), GOSSIP, _gossip),
    "photo": (frozenset({"id", "uid", "t", "album_id", "title", "view"}), PHOTOS, None),
    "comment": (frozenset({"id", "t", "entry_id", "entry_type", "authorId", "content"}), COMMENTS, None),
}
_ACCOUNTS = ("fetcheduser", "user")


class RenrenReader:
    """Every table with words; clocks are of Beijing, and answers do not say to whom."""

    name = "renrenBackup"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Tables by their names and columns; tables of users only beside others, as they have no marks of their own."""
        if shape.kind != "sqlite":
            return ()
        found = [
            Part(layout, name, expand)
            for name, (marks, layout, expand) in _TABLES.items()
            if shape.columns(name) >= marks
        ]
        users = (name for name in _ACCOUNTS if {"uid", "name", "headPic"} <= shape.columns(name))
        return (*found, *(Part(ACCOUNTS, name) for name in users)) if found else ()

    def ignored(self, section: str) -> str | None:
        """Tables without words."""
        return _NOT_READ.get(section)
