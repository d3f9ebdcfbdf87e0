"""Whose words a text is made of: its author's own, or those that it openly takes from somebody who is named.

Chains of reposts (`//@name:`) and closing source notes tell where own words end; the other forms in which Chinese posts name a
source only say that there is one. Nobody in particular (听说, 网友说, 来源于网络) is no source.
"""

import re
from functools import lru_cache

from pinzhi.text import letters, normalise, to_simplified

_CHAIN = re.compile(r"//\s*@[^:：\s]{1,40}\s*[:：]")

_OWN = r"(?!\s*(?:自[家己]|我们?|本[店人]|无|网))"
_CLOSING_NOTE = re.compile(
    rf"(?:^|[\s（(【\[。！？\n])(?:转自|来源|出处|via)\s*[:：@]{_OWN}.*$", re.IGNORECASE | re.DOTALL
)
_BEGINS = r"(?:^|[\s（(【\[。！？，,!?：:“|｜/·])"
_NOBODY = r"(?!网|其|有人|别人|大家|悉|说[^，。]|了解|统计|我|[他她它]|一些|很多|传)"
_CLAUSE = r"[^，。！？\n“”]"
_SOURCE = re.compile(
    "|".join(
        (
            # 转自妈妈朋友圈 · 摘自《城西街坊报》 · 来自「饭盒公司」
            rf"(?:{_BEGINS}|以下|本文|文章|原文|内容|文字|全文|段子|公众?号|仅)(?:转|转载|摘|摘编|摘录|引|抄|节选)自(?![己然由我于网家动驾行来助带山])",
            r"(?:选|搬运|出|来|抄|摘|引)自\s*[@《“「『]",
            # 【转】 · 文/阿蒙 · via @name · 来源｜豆瓣小组 · 首发于“慢工” · 原文@name
            rf"{_BEGINS}(?:转|转发|转载|原文|原帖|原?作者|来源|出处|文|via|from|cr|by|rt)\s*(?:[:：/|｜.】\])）]{_OWN}|@)",
            rf"(?:来源|出处|原作者|原帖|原文|首发|刊|载)(?:于(?!网)|见|作者?\s*@|[:：｜]{_OWN}|[|@《“「])",
            r"(?:内容|文字|文章|信息|故事|段子|笑料|菜谱|方子|数据|攻略)(?:来|出)自(?!网)",
            # 据城市频道昨晚报道 · 据@name · 据“摊位二十三号”自述
            rf"(?:^|[，。！？\s（(])据\s*(?:[@《“「]|{_NOBODY}[^，。！？\n]{{1,20}}?(?:报道|消息|通报|介绍|转述|自述|公告|披露|透露|说|称|讲|的))",
            # ……。——豆垄豆浆公众号 · （砚川文具《一支断铅笔》）
            r"[。！？”」』】\s](?:——|--)\s*[@《「“\w][^，。！？\n]{1,24}$",
            r"[（(][^（）()]{0,12}《[^》]{2,30}》[^（）()]{0,8}[）)]",
            # @name 说 · 公众号“湖边闲人”写了 · 柳河小学的许老师说：“…… · ……”某某写道
            r"@(?!所有人|全体|[\d一两三四五几多]+[位名个])[\w\-·]{1,30}\s*(?:说|写|讲|称|反映|拍到|总结|提醒|复盘|爆料|吐槽|分享|回忆|记录|晒|的(?!小伙伴|朋友|那)|给|跑|原|昨|今(?!晚|天))",
            r"(?<!在)(?<!关注)(?:公众?号|专栏|栏目|小红书|短视频|微博|知乎|豆瓣|日报|晚报|周刊|内刊|自述|口述)(?:里|上|的|“|《|「)[^，。！？\n]{0,22}?[说写讲](?!说)",
            rf"(?:^|[，。！？\s]){_NOBODY}{_CLAUSE}{{2,16}}(?:说|写道?|讲|发的|原话|留言)[:：]\s*[“「『\"]",
            rf"[”」』\"]\s*{_CLAUSE}{{2,16}}(?:写道|说道|如是说|引自)",
            r"侵删|版?权归原作者|转载已获|已授权|作者授权|有删节",
        )
    ),
    re.IGNORECASE,
)


def own_words(raw: str) -> tuple[int, int]:
    """Span of the author's own words in `raw`: what stands before the first `//@name:` or a closing source note."""
    end = len(raw)
    for pattern in (_CHAIN, _CLOSING_NOTE):
        found = pattern.search(raw)
        if found:
            end = min(end, found.start())
    return 0, end


def judged_words(raw: str) -> str:
    """What of `raw` an author answers for: where a `//@name:` chain hands on fewer words than stand before it, those alone, which
    may be a copy of their own; else all of it."""
    chain = _CHAIN.search(raw)
    if chain is None:
        return raw
    own, handed_on = (len(letters(normalise(part).text)) for part in (raw[: chain.start()], raw[chain.start() :]))
    return raw[: chain.start()] if own > handed_on else raw


@lru_cache(maxsize=64)  # a post is asked for each of the others that it is compared with
def is_attributed(raw: str) -> bool:
    """Whether `raw` openly names where it, or a part of it, comes from.

    >>> is_attributed("据《城西街坊报》报道，浴池要关了"), is_attributed("听说浴池要关了")
    (True, False)
    """
    return own_words(raw)[1] < len(raw) or _SOURCE.search(to_simplified(raw)) is not None
