"""What the public accounts of WeChat do to articles, whichever tool exported them."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from pinzhi.readers import values
from pinzhi.readers.base import Cell, Layout, Note
from pinzhi.readers.raw import Raw

CAP = 100_001  # the most that the platform tells; readers see 10万+
KINDS = {0: "普通图文", 5: "视频分享", 6: "音乐分享", 7: "音频分享", 8: "图片分享", 10: "文本分享", 11: "文章分享", 17: "短文"}  # fmt: skip
_NOTICE = re.compile(
    r"(?:该|此)(?:内容|文章|公众号|帐号|账号)[^\n]{0,40}(?:无法查看|发布者删除|已迁移)|获取全文失败，请重试"  # the last by wewe-rss
)
_BIZ = re.compile(r"[?&;]__biz=([A-Za-z0-9+/=%]{4,60})")
_ACCOUNT = re.compile(r"[MNO][A-Za-z0-9+/]{9,23}={0,2}")
_NUMBERS = re.compile(r"[?&;]mid=([0-9]{1,12}).{0,40}?[?&;]idx=([0-9]{1,2})(?![0-9])")
_SHORT = re.compile(r"mp\.weixin\.qq\.com/s/([A-Za-z0-9_-]{6,64})(?![A-Za-z0-9_-])")
_MAX_LINK = 4000


def is_notice(text: str) -> bool:
    """Whether the platform, or a tool, speaks here in place of an article that cannot be had."""
    return len(text) < 80 and _NOTICE.match(text.strip()) is not None


def is_article_link(link: Any) -> bool:
    """Whether an address leads to an article of a public account."""
    return isinstance(link, str) and re.match(r"https?://mp\.weixin\.qq\.com/(?:s[/?]|mp/appmsg)", link) is not None


def account_of(link: Any) -> str | None:
    """The account in the address of an article: a number in base 64, which begins with M, N or O; what stands in its place and is no
    account names nobody."""
    found = _BIZ.search(str(link or "")[:_MAX_LINK])
    account = unquote(found[1]) if found else ""
    return account if _ACCOUNT.fullmatch(account) else None


def short_id(link: Any) -> str | None:
    """The id in the short address of an article, which no other article has."""
    found = _SHORT.search(str(link or "")[:_MAX_LINK])
    return found[1] if found else None


def article_of(link: Any) -> str | None:
    """The place of an article in what its account has sent, such as `2650000001_1`, by its long address."""
    found = _NUMBERS.search(str(link or "")[:_MAX_LINK])
    return f"{found[1]}_{found[2]}" if found else None


def post_id(account: Any, article: str | None) -> str | None:
    """The id of an article. Accounts number what they send each for itself, so the account's number goes before."""
    number = _number(account)
    return f"{number}_{article}" if number and article else article


def _number(account: Any) -> str | None:
    """The number that an account id such as `MzkwMDAwMDAwMQ==` stands for: 3900000001."""
    try:
        found = base64.b64decode(str(account or "")[:60], validate=True)
    except (binascii.Error, ValueError):
        return None
    return found.decode() if 5 <= len(found) <= 15 and found.isdigit() else None


def posts_layout(**columns: Cell | tuple[Cell, ...]) -> Layout:
    """Where the columns of an article are; `read` has cleaned `title` and `text`."""
    cells = {name: cell if isinstance(cell, tuple) else (cell,) for name, cell in columns.items()}
    added: dict[str, tuple[Cell, ...]] = {"title": ("title",), "text": ("text",), "kind": ("kind",)}
    return Layout("wechat posts", "posts", added | cells, "wechat", is_clean=True, cell_floor=CAP)


ACCOUNTS = Layout("wechat accounts", "accounts", {"account_id": ("account",), "name": ("account_name",)}, "wechat")


def read(layout: Layout, raw: Raw, title: Any, body: Any, field: str) -> Iterator[tuple[Layout, Raw] | Note]:
    """An article; `field` is where its body was. The words of the platform are nobody's text."""
    text = values.body(body)
    if is_notice(text):
        yield Note(field, "expected the text of an article, found the notice that it cannot be had; text left empty")
        text = ""
    yield layout, {**raw, "title": values.text(title), "text": text}
    if not any(values.is_null(raw.get(name)) for name in ("account", "account_name")):
        yield ACCOUNTS, raw
