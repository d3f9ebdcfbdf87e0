"""Our own tables as CSV, JSON lines, JSON or Parquet: `posts.*`, `comments.*`, `accounts.*`."""

from collections.abc import Iterator
from functools import partial

from pinzhi import schemas
from pinzhi.platforms import platform_name
from pinzhi.readers import values
from pinzhi.readers.base import Kinds, Layout, Part, Shape
from pinzhi.readers.raw import Raw


def _layout(table: str) -> Layout:
    names = schemas.CANONICAL[table].names
    return Layout(
        table,
        table,
        {
            name: (lambda raw: platform_name(values.plain(raw.get("platform"))),) if name == "platform" else (name,)
            for name in names
        },
        is_clean=True,
    )


_POSTS, _COMMENTS, _ACCOUNTS = map(_layout, ("posts", "comments", "accounts"))
_KINDS = Kinds(
    ({"comment_id", "text"}, _COMMENTS),
    ({"post_id", "text"}, _POSTS),
    ({"post_id", "cost"}, _POSTS),  # what was paid for posts that other files hold
    ({"account_id", "platform"}, _ACCOUNTS),
)


class CanonicalReader:
    """Tables that already have the canonical columns; other columns are not read."""

    name = "canonical"
    version = "3"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Sections whose key columns are there."""
        found = (
            (name, next(filter(None, map(_KINDS.of, records)), None))
            for name, records in shape.sections.items()
            if not name or "platform" in shape.columns(name)
        )
        is_json = shape.kind in ("json", "jsonl", "object")
        return tuple(Part(one, name, partial(_rows, one) if is_json else None) for name, one in found if one)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _rows(first: Layout, raw: Raw) -> Iterator[tuple[Layout, Raw]]:
    """One record of JSON, which may lack columns and be of another table than the first; its innermost key tells."""
    yield _COMMENTS if raw.get("comment_id") else _POSTS if raw.get("post_id") else _KINDS.of(raw) or first, raw
