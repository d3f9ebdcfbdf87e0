"""JoeanAmier/XHS-Downloader: sqlite of the notes that it has downloaded; JSON of its interface has the same fields."""

from collections.abc import Iterator

from pinzhi.readers import values, xiaohongshu
from pinzhi.readers.base import Layout, Note, Part, Shape
from pinzhi.readers.raw import Raw

POSTS = xiaohongshu.posts_layout(
    post_id=("作品ID",), account_id=("作者ID",), published_at=(lambda raw: values.clock(raw.get("发布时间")),),
    title=("作品标题",), text=("作品描述",), kind=("作品类型",), likes=("点赞数量",), reposts=("分享数量",), comments=("评论数量",),
    collects=("收藏数量",), url=("作品链接",), fetched_at=(lambda raw: values.clock(raw.get("采集时间")),),
)  # fmt: skip
AUTHORS = xiaohongshu.authors_layout(account_id=("作者ID",), name=("作者昵称",))
_MARKS = frozenset({"作品ID", "作品标题", "作品描述", "作者ID"})


class XhsDownloaderReader:
    """Every record that XHS-Downloader keeps."""

    name = "XHS-Downloader"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Notes with their authors."""
        return tuple(Part(POSTS, name, _posts) for name in shape.sections if shape.columns(name) >= _MARKS)

    def ignored(self, section: str) -> str | None:
        """Lists of what was downloaded."""
        return "a log of downloads" if section in ("explore_id", "mapping_data") else None


def _posts(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield POSTS, raw
    if not values.is_null(raw.get("作者ID")):
        yield AUTHORS, raw
