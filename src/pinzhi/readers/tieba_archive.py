"""283375/tieba-thread-archive: YAML of one thread of Tieba with its floors and the answers below each."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pinzhi.readers import values
from pinzhi.readers.base import Layout, Note, Part, Shape, inside
from pinzhi.readers.raw import Raw, Record
from pinzhi.readers.yamls import KEY, yaml_sections

_MAX_NAMES = 200_000  # people of one thread whose names are kept
_SAID, _ANSWERS = frozenset({"id", "author_id", "contents"}), ("dict_subposts", "subposts")
_IMAGE, _EMOTICON = "3", "2"  # types of what stands in a text

POSTS = Layout(
    "tieba posts", "posts",
    {"post_id": ("thread",), "account_id": ("author",), "published_at": ("created", "time"), "title": ("title",), "text": ("text",),
     "likes": (inside("agree", "agree_num"),), "fetched_at": ("seen",)},
    "tieba",
)  # fmt: skip
COMMENTS = Layout(
    "tieba comments", "comments",
    {"comment_id": ("id",), "post_id": ("thread",), "parent_id": ("parent",), "author_id": ("author_id",), "author_name": ("author_name",),
     "created_at": ("time",), "text": ("text",), "likes": (inside("agree", "agree_num"),), "fetched_at": ("seen",)},
    "tieba",
)  # fmt: skip
ACCOUNTS = Layout("tieba accounts", "accounts", {"account_id": ("id",), "name": ("name_show", "name")}, "tieba")


class TiebaArchiveReader:
    """The file of a thread; those beside it hold settings and the addresses of pictures."""

    name = "tieba-thread-archive"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Floors and answers; what the thread is and who speaks stands anywhere in the file, and is read before them."""
        if shape.kind != "yaml" or not any(shape.columns(name) >= _SAID for name in ("posts", *_ANSWERS)):
            return ()
        thread = _Thread(shape.path)
        return (Part(POSTS, "posts", thread.floor), *(Part(COMMENTS, name, thread.answer) for name in _ANSWERS),
                Part(ACCOUNTS, "thread_info", thread.author))  # fmt: skip

    def ignored(self, section: str) -> str | None:
        """What is read with the floors, or holds no words."""
        found = {
            "users": "names of users are read with what they say",
            "": "the time of archiving is read with what it is of",
        }
        return found.get(
            section,
            "addresses of pictures and sounds are not read" if section in ("images", "audios", "videos") else None,
        )


class _Thread:
    """What a file says of its thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _facts(self) -> Raw:
        facts: Raw = {"names": {}, "info": {}, "seen": None, "first": None}
        for section, item in yaml_sections(self._path):
            if not isinstance(item, Record):
                continue
            if section == "users" and len(facts["names"]) < _MAX_NAMES:
                facts["names"][str(item.data.get("id"))] = values.filled(item.data, ("name_show", "name"))
            elif section == "thread_info":
                facts["info"] = item.data
            elif section == "posts" and item.data.get("floor") == "1":
                facts["first"] = item.data.get("id")
            elif section == "":
                facts["seen"] = item.data.get("archive_time")
        return facts

    def floor(self, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
        """The first floor is the post, every other a comment on it."""
        if raw.get("floor") != "1":
            yield from self._comment(raw, None)
            return
        info = self._facts["info"]
        author = info.get("author")
        known = {"thread": info.get("id"), "title": values.filled(info, ("title",)) or raw.get("title"), "created": info.get("create_time"),
                 "author": values.filled(author if isinstance(author, dict) else {}, ("id",)) or raw.get("author_id")}  # fmt: skip
        yield POSTS, {**raw, **known, "seen": self._facts["seen"], "text": _words(raw.get("contents"))}

    def answer(self, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
        """An answer to a floor; those to the first are comments like the floors themselves."""
        floor = raw.get(KEY)
        yield from self._comment(raw, None if floor == self._facts["first"] else floor)

    def _comment(self, raw: Raw, parent: Any) -> Iterator[tuple[Layout, Raw] | Note]:
        name = self._facts["names"].get(str(raw.get("author_id")))
        yield COMMENTS, {**raw, "thread": self._facts["info"].get("id"), "parent": parent, "author_name": name,
                         "seen": self._facts["seen"], "text": _words(raw.get("contents"))}  # fmt: skip

    def author(self, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
        """Whoever opened the thread; the others are people who comment."""
        author = raw.get("author")
        if isinstance(author, dict) and not values.is_null(author.get("id")):
            yield ACCOUNTS, author


def _words(contents: Any) -> str:
    """The text of a floor, whose pieces have types; an emoticon becomes its code, such as `[滑稽]`, and a picture nothing."""
    pieces = (piece for piece in (contents if isinstance(contents, list) else ()) if isinstance(piece, dict))
    return "".join(map(_piece, pieces))


def _piece(piece: Raw) -> str:
    kind, code = str(piece.get("type")), piece.get("c")
    if kind == _EMOTICON and not values.is_null(code):
        return f"[{code}]"
    return "" if kind == _IMAGE else values.plain(piece.get("text"))
