"""Platforms by the names that the tables know them by."""

_CALLED = {
    "微博": "weibo", "新浪微博": "weibo", "wb": "weibo", "小红书": "xiaohongshu", "xhs": "xiaohongshu", "red": "xiaohongshu",
    "抖音": "douyin", "dy": "douyin", "快手": "kuaishou", "ks": "kuaishou", "b站": "bilibili", "哔哩哔哩": "bilibili",
    "bili": "bilibili", "贴吧": "tieba", "百度贴吧": "tieba", "知乎": "zhihu", "微信": "wechat", "公众号": "wechat",
    "weixin": "wechat", "淘宝": "taobao", "天猫": "taobao", "tmall": "taobao", "qzone": "qq", "人人": "renren",
}  # fmt: skip
PLATFORMS = frozenset({*_CALLED.values(), "zhihu", "site", "tiktok"})  # of which a reader writes rows


def platform_name(said: str | None) -> str | None:
    """A platform as people call it (微博, XHS) under its name in the tables; another stays, None for nothing."""
    name = (said or "").strip().lower()
    return _CALLED.get(name, name) or None
