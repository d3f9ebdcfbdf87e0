"""Our own tables as CSV, JSON lines, JSON or Parquet: `posts.*`, `comments.*`, `accounts.*`."""

from pinzhi import schemas
from pinzhi.readers.base import Layout, Part, Shape
from pinzhi.readers.raw import Raw

_MARKS = {
    "comments": {"comment_id", "text"},
    "posts": {"post_id", "text"},
    "accounts": {"account_id", "platform"},
}
PLATFORMS = {
    "微博": "weibo", "新浪微博": "weibo", "wb": "weibo", "小红书": "xiaohongshu", "xhs": "xiaohongshu", "red": "xiaohongshu",
    "抖音": "douyin", "dy": "douyin", "快手": "kuaishou", "ks": "kuaishou", "b站": "bilibili", "哔哩哔哩": "bilibili",
    "bili": "bilibili", "贴吧": "tieba", "百度贴吧": "tieba", "知乎": "zhihu", "微信": "wechat", "公众号": "wechat",
    "weixin": "wechat", "淘宝": "taobao", "天猫": "taobao", "tmall": "taobao", "qzone": "qq", "人人": "renren",
}  # fmt: skip


def _platform(raw: Raw) -> str | None:
    name = str(raw.get("platform") or "").strip().lower()
    return PLATFORMS.get(name, name) or None


def _layout(table: str) -> Layout:
    names = schemas.CANONICAL[table].names
    return Layout(
        table, table, {name: (_platform,) if name == "platform" else (name,) for name in names}, is_clean=True
    )


_LAYOUTS = {table: _layout(table) for table in _MARKS}


class CanonicalReader:
    """Tables that already have the canonical columns; other columns are not read."""

    name = "canonical"
    version = "2"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """The table whose key columns are there."""
        for record in shape.sections.get("", ()):
            table = next((table for table, marks in _MARKS.items() if marks <= record.keys()), None)
            if table is not None:
                return (Part(_LAYOUTS[table]),)
        return ()

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None
