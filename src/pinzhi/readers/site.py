"""The brand's own site: RSS and Atom feeds, and the exports of WordPress (WXR), which hold comments too."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pinzhi.readers import values
from pinzhi.readers.base import Layout, Note, Part, Shape
from pinzhi.readers.feeds import feed_time
from pinzhi.readers.raw import Raw

PLATFORM = "site"
_BODIES = ("encoded", "content", "summary", "description")  # the fullest first
_WRITTEN = (
    "post",
    "page",
    "product",
)  # kinds of WordPress entries that people write; others are pictures, menus, drafts of old
_NO_TIME = "0000-00-00 00:00:00"


def _published(raw: Raw) -> Any:
    return _utc(raw, "post_date_gmt") or feed_time(values.filled(raw, ("pubDate", "published", "date", "updated")))


def _utc(raw: Raw, name: str) -> Any:
    """A clock of WordPress that is UTC and does not say so."""
    found = raw.get(name)
    return None if values.is_null(found) or found == _NO_TIME else f"{found}Z"


POSTS = Layout(
    "site posts", "posts",
    {"post_id": ("post",), "account_id": ("site",), "published_at": (_published,), "text": ("body",),
     "title": (lambda raw: values.text(raw.get("title")),), "kind": ("post_type",), "url": ("link",)},
    PLATFORM, is_clean=True,
)  # fmt: skip
COMMENTS = Layout(
    "site comments", "comments",
    {"comment_id": ("comment_id",), "post_id": ("post",), "parent_id": ("comment_parent",), "author_id": ("author",),
     "author_name": ("comment_author",), "created_at": (lambda raw: _utc(raw, "comment_date_gmt"), "comment_date"),
     "text": (lambda raw: values.body(raw.get("comment_content")),)},
    PLATFORM, is_clean=True,
)  # fmt: skip
ACCOUNTS = Layout("site accounts", "accounts", {"account_id": ("site",), "name": ("site_name",)}, PLATFORM)


class SiteReader:
    """Entries of any feed that no other reader knows; the account is the site's host."""

    name = "site"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """The entries of a feed."""
        if shape.kind != "feed":
            return ()
        return (Part(POSTS, "", partial(_entry, _host(shape), shape.facts.get("title"), [])),)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _host(shape: Shape) -> str | None:
    """The host that the feed, or else its first entry, names."""
    names = ("link", "base_blog_url", "base_site_url", "alternate", "self", "id")
    links = [shape.facts.get(name) for name in names] + [raw.get("link") for raw in shape.sections[""]]
    return next((host for link in links if (host := _host_of(link))), None)


def _host_of(link: Any) -> str | None:
    try:
        return urlsplit(link).hostname if isinstance(link, str) and "//" in link[:9] else None
    except ValueError:
        return None


def _entry(host: str | None, title: Any, seen: list[str], raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """An entry, its comments, and with the first one the site."""
    kind = raw.get("post_type")
    if kind is not None and kind not in _WRITTEN:
        yield Note("post_type", f"not read: an entry of the kind {values.plain(kind)[:40]}")
        return
    if raw.get("status") not in (None, "publish"):
        yield Note("status", f"not read: not published ({values.plain(raw['status'])[:40]})")
        return
    site = host or _host_of(raw.get("link"))
    if site and not seen:
        seen.append(site)
        yield ACCOUNTS, {"site": site, "site_name": title}
    post = (
        _of(site, raw.get("post_id"))
        or raw.get("guid")
        or raw.get("id")
        or raw.get("link")
        or values.made_id(raw.get("title"), _published(raw))
    )
    body = values.body(values.filled(raw, _BODIES))
    yield POSTS, {**raw, "comment": None, "post": post, "site": site, "body": body}
    comments = raw.get("comment")
    for comment in comments if isinstance(comments, list) else ():
        yield from _comment(site, post, comment)


def _of(site: str | None, number: Any) -> str | None:
    """A number of WordPress, which each site gives anew, under the name of its site."""
    if values.is_null(number) or number == "0":
        return None
    return f"{site}_{number}" if site else str(number)


def _comment(site: str | None, post: Any, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    if raw.get("comment_approved", "1") != "1":
        yield Note("comment_approved", "not read: a comment that the site does not show", raw)
    elif raw.get("comment_type") not in (None, "", "comment", "review"):
        yield Note("comment_type", f"not read: no comment but a {values.plain(raw['comment_type'])[:40]}", raw)
    else:
        author = _of(site, raw.get("comment_user_id")) or raw.get("comment_author_email")
        ids = {name: _of(site, raw.get(name)) for name in ("comment_id", "comment_parent")}
        yield COMMENTS, {**raw, **ids, "post": post, "author": author}
