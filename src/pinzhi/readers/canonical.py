"""Our own tables as CSV, JSON lines, JSON or Parquet: `posts.*`, `comments.*`, `accounts.*`."""

from pinzhi import schemas
from pinzhi.platforms import platform_name
from pinzhi.readers import values
from pinzhi.readers.base import Layout, Part, Shape

_MARKS = (  # columns by which a table is known; the first that fits counts
    ("comments", {"comment_id", "text"}),
    ("posts", {"post_id", "text"}),
    ("posts", {"post_id", "cost"}),  # what was paid for posts that other files hold
    ("accounts", {"account_id", "platform"}),
)


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


_LAYOUTS = {table: _layout(table) for table, _ in _MARKS}


class CanonicalReader:
    """Tables that already have the canonical columns; other columns are not read."""

    name = "canonical"
    version = "2"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """The table whose key columns are there."""
        for record in shape.sections.get("", ()):
            table = next((table for table, marks in _MARKS if marks <= record.keys()), None)
            if table is not None:
                return (Part(_LAYOUTS[table]),)
        return ()

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None
