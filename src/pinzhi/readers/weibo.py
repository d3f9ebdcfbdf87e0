"""What Weibo itself does to texts, whichever tool exported them."""

import re

_NOTICE = re.compile(
    r"(抱歉，)?(此|该|这条)?微博(已被作者删除|已被删除|已不可见|因被多人投诉|不存在|暂时没有)"
    r"|抱歉，(由于)?作者(已)?设置|抱歉，(你|您)暂时没有这条微博的查看权限|抱歉，此微博"
)
_CUT = re.compile(r"(\.{3}|…+)\s*全文$")
EMPTY_REPOSTS = frozenset({"转发微博", "轉發微博", "Repost", "//转发微博"})


def is_notice(text: str) -> bool:
    """Whether the platform speaks here in place of a deleted or hidden post."""
    return len(text) < 80 and _NOTICE.match(text.strip()) is not None


def without_link(text: str) -> str:
    """A long post that was cut, without the words of the link that would unfold it."""
    return _CUT.sub(r"\1", text)
