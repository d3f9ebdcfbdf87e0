"""Back-offices of the platforms: lists of one's own notes (Xiaohongshu), works (Douyin) and articles (WeChat) with their counts."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from pinzhi.readers import values, wechat, xiaohongshu
from pinzhi.readers.base import Expand, Layout, Note, Part, Shape
from pinzhi.readers.raw import Raw, is_banner


def _made_id(*fields: str) -> Callable[[Raw], Any]:
    """The lists have no ids: one is made of what never changes of a post."""
    return lambda raw: values.made_id(*(raw.get(field) for field in fields))


def _moment(field: str) -> Callable[[Raw], Any]:
    return lambda raw: values.clock(raw.get(field))


NOTES = xiaohongshu.posts_layout(
    post_id=(_made_id("笔记标题", "首次发布时间"),), published_at=(_moment("首次发布时间"),), title=("笔记标题",), kind=("体裁",),
    likes=("点赞",), reposts=("分享",), comments=("评论",), reads=("观看量",), collects=("收藏",),
)  # fmt: skip
WORKS = Layout(
    "douyin posts", "posts",
    {"post_id": (_made_id("作品名称", "发布时间"),), "published_at": (_moment("发布时间"),), "text": ("作品名称",), "kind": ("体裁",),
     "likes": ("点赞量",), "reposts": ("分享量",), "comments": ("评论量",), "reads": ("播放量",), "collects": ("收藏量",)},
    "douyin",
)  # fmt: skip
ARTICLES = wechat.posts_layout(
    post_id=("article", _made_id("内容标题", "发表时间")), account_id="account", published_at=_moment("发表时间"), url="内容url",
    reposts=("总分享次数", "总分享人数"), reads=("总阅读次数", "总阅读人数"),
)  # fmt: skip


def _articles(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    link = raw.get("内容url")
    account = wechat.account_of(link)
    article = wechat.short_id(link) or wechat.post_id(account, wechat.article_of(link))
    record = {**raw, "account": account, "article": article, "kind": None}
    yield from wechat.read(ARTICLES, record, raw.get("内容标题"), None, "")


def _plain(layout: Layout) -> Expand:
    return lambda raw: iter(((layout, raw),))


_LISTS: tuple[tuple[frozenset[str], Layout, Expand], ...] = (
    (frozenset({"笔记标题", "首次发布时间", "观看量", "点赞"}), NOTES, _plain(NOTES)),
    (frozenset({"作品名称", "发布时间", "播放量", "点赞量"}), WORKS, _plain(WORKS)),
    (frozenset({"内容标题", "发表时间", "总阅读次数"}), ARTICLES, _articles),
    (frozenset({"内容标题", "发表时间", "总阅读人数"}), ARTICLES, _articles),
)


class BackOfficeReader:
    """The lists that Xiaohongshu, Douyin and WeChat give their own authors; what else they count has no column here."""

    name = "back-office"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Sheets and files by their columns."""
        found = ((name, _list_of(shape.columns(name))) for name in shape.sections)
        return tuple(Part(one[0], name, _below(one[1])) for name, one in found if one is not None)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


_UNIT = re.compile(r"\s*[(（](?:次|人|条|个|秒|元|%)[)）]\Z")  # which labels have had at times


def _label(column: str) -> str:
    return _UNIT.sub("", column.strip())


def _list_of(columns: set[str]) -> tuple[Layout, Expand] | None:
    labels = set(map(_label, columns))
    return next(((layout, expand) for marks, layout, expand in _LISTS if marks <= labels), None)


def _below(expand: Expand) -> Expand:
    """Rows without what the platform says between them, as where lists were joined."""

    def rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
        if is_banner([str(cell) for cell in raw.values() if cell is not None]):
            yield Note(None, "expected a post, found one text alone; the row was left out")
        else:
            yield from expand({_label(column): cell for column, cell in raw.items()})

    return rows
