"""cooderl/wewe-rss: sqlite of the accounts that are followed and their articles' titles; feeds, with texts where asked for."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pinzhi.readers import values, wechat
from pinzhi.readers.base import Layout, Note, Part, Shape
from pinzhi.readers.feeds import feed_time
from pinzhi.readers.raw import Raw


def _seen(raw: Raw) -> Any:
    """When a row was written last; a clock of SQLite itself is UTC."""
    moment = raw.get("updated_at") or raw.get("created_at")
    return f"{moment}Z" if isinstance(moment, str) and re.fullmatch(r"[0-9-]{10} [0-9:]{8}", moment) else moment


def _published(raw: Raw) -> Any:
    names = ("publish_time", "date_published", "published", "pubDate", "date_modified", "updated")
    return feed_time(values.filled(raw, names))


POSTS = wechat.posts_layout(
    post_id="article", account_id="account", published_at=_published, url=lambda raw: raw.get("link"), fetched_at=_seen,
)  # fmt: skip
_ACCOUNT = re.compile(r"MP_WXS_[0-9]{1,20}")
_GENERATOR = "WeWe-RSS"
_BODIES = ("content_html", "encoded", "content", "content_text", "summary", "description")  # the fullest first
_NOT_READ = {
    "accounts": "accounts with which the tool logs in are not read",
    "_prisma_migrations": "the tool's own bookkeeping",
}


class WeweRssReader:
    """The database of wewe-rss, and its feeds as JSON, RSS or Atom."""

    name = "wewe-rss"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Accounts and articles of the database, or articles of a feed."""
        if shape.kind == "sqlite":
            return tuple(_tables(shape))
        if shape.kind == "object" and _is_own(shape.facts, shape.sections.get("items", ())):
            return (Part(POSTS, "items", _items_of(shape)), Part(wechat.ACCOUNTS, "author", _nothing))
        if shape.kind == "feed" and _is_own(shape.facts, shape.sections[""]):
            return (Part(POSTS, "", _items_of(shape)),)
        if shape.kind == "jsonl" and any(_is_whole(record) for record in shape.sections[""]):
            return (Part(POSTS, "", partial(_feed, shape.hints)),)
        return ()

    def ignored(self, section: str) -> str | None:
        """Tables that are not for readers of articles."""
        return _NOT_READ.get(section)


def _tables(shape: Shape) -> Iterator[Part]:
    if shape.columns("feeds") >= {"id", "mp_name", "mp_intro"}:
        yield Part(wechat.ACCOUNTS, "feeds", _account)
    if shape.columns("articles") >= {"id", "mp_id", "title", "publish_time"}:
        yield Part(POSTS, "articles", _article)


def _account(raw: Raw) -> Iterator[tuple[Layout, Raw]]:
    yield wechat.ACCOUNTS, {"account": raw.get("id"), "account_name": raw.get("mp_name")}


def _article(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    id_ = raw.get("id")
    link = None if values.is_null(id_) else f"https://mp.weixin.qq.com/s/{id_}"
    record = {**raw, "article": id_, "account": raw.get("mp_id"), "link": link}
    yield from wechat.read(POSTS, record, raw.get("title"), None, "")


def _is_own(facts: Any, items: Sequence[Raw]) -> bool:
    """Whether a feed is of this tool: it says so, or its entries lead to articles."""
    if any(isinstance(fact, str) and (_ACCOUNT.search(fact) or fact == _GENERATOR) for fact in facts.values()):
        return True
    return any(wechat.is_article_link(_link(item)) for item in items)


def _is_whole(raw: Raw) -> bool:
    items = raw.get("items")
    return isinstance(items, list) and _is_own(raw, [item for item in items[:20] if isinstance(item, dict)])


def _items_of(shape: Shape) -> partial[Iterator[tuple[Layout, Raw] | Note]]:
    return partial(_item, *_owner(shape.facts, shape.hints))


def _owner(facts: Any, hints: Sequence[str]) -> tuple[str | None, Any]:
    """The account of a feed, by its address or the name of its file, and its name."""
    places = (*(fact for fact in facts.values() if isinstance(fact, str)), *hints[:1])
    found = next((found for place in places if (found := _ACCOUNT.search(place[:2000]))), None)
    return (found[0], facts.get("title")) if found else (None, None)


def _link(raw: Raw) -> Any:
    return next((raw[name] for name in ("url", "link", "guid", "id") if wechat.is_article_link(raw.get(name))), None)


def _item(account: str | None, name: Any, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """An entry; a feed of all accounts names that of an entry, and not by its id."""
    link = _link(raw)
    article = wechat.short_id(link) or wechat.post_id(wechat.account_of(link), wechat.article_of(link))
    field = next((one for one in _BODIES if not values.is_null(raw.get(one))), _BODIES[0])
    record = {**raw, "article": article or raw.get("id") or raw.get("guid"), "link": link or raw.get("url"), "account": account,
              "account_name": name, "kind": None}  # fmt: skip
    yield from wechat.read(POSTS, record, raw.get("title"), raw.get(field), field)


def _feed(hints: Sequence[str], raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """The entries of a JSON feed on one line."""
    items = raw.get("items")
    if not isinstance(items, list):
        yield Note("items", "expected the entries of a feed, found none")
        return
    account, name = _owner(raw, hints)
    for item in items:
        if isinstance(item, dict):
            yield from _item(account, name, item)
        else:
            yield Note("items", "expected an entry, found none; it was left out")


def _nothing(_: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """The name of a feed's account stands in its title too."""
    yield from ()
