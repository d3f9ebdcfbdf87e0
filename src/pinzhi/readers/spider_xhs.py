"""cv-cat/Spider_XHS: workbooks of notes, comments and users, and one JSON file for each note."""

from collections.abc import Iterator

from pinzhi.readers import values, xiaohongshu
from pinzhi.readers.base import Layout, Note, Part, Shape
from pinzhi.readers.raw import Raw

# A workbook has the Chinese names, JSON the English ones.
POSTS = xiaohongshu.posts_layout(
    post_id=("笔记id", "note_id"), account_id=("用户id", "user_id"), published_at=("上传时间", "upload_time"),
    title=("标题", "title"), text=("描述", "desc"), kind=("笔记类型", "note_type"), likes=("点赞数量", "liked_count"),
    reposts=("分享数量", "share_count"), comments=("评论数量", "comment_count"), collects=("收藏数量", "collected_count"),
    url=("笔记url", "note_url"),
)  # fmt: skip
AUTHORS = xiaohongshu.authors_layout(account_id=("用户id", "user_id"), name=("昵称", "nickname"))
COMMENTS = Layout(
    "xiaohongshu comments", "comments",
    {"comment_id": ("评论id", "comment_id"), "post_id": ("笔记id", "note_id"), "author_id": ("用户id", "user_id"),
     "author_name": ("昵称", "nickname"), "created_at": ("上传时间", "upload_time"), "text": ("评论内容", "content"),
     "likes": ("点赞数量", "like_count")},
    "xiaohongshu",
)  # fmt: skip
USERS = Layout(
    "xiaohongshu users", "accounts",
    {"account_id": ("用户id", "user_id"), "name": ("用户名", "nickname"), "followers": ("粉丝数量", "fans"),
     "following": ("关注数量", "follows")},
    "xiaohongshu",
)  # fmt: skip
_MARKS = (
    (frozenset({"笔记id", "评论id", "评论内容"}), COMMENTS),
    (frozenset({"comment_id", "note_id", "content", "upload_time"}), COMMENTS),
    (frozenset({"笔记id", "笔记类型", "描述"}), POSTS),
    (frozenset({"note_id", "note_type", "desc", "upload_time"}), POSTS),
    (frozenset({"用户id", "用户名", "小红书号", "粉丝数量"}), USERS),
    (frozenset({"user_id", "red_id", "fans", "follows"}), USERS),
)


class SpiderXhsReader:
    """Every file that Spider_XHS writes, but its labelled text, which repeats the JSON beside it."""

    name = "Spider_XHS"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Sheets and files by their columns."""
        found = ((name, _layout(shape.columns(name))) for name in shape.sections)
        return tuple(Part(layout, name, _posts if layout is POSTS else None) for name, layout in found if layout)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _layout(columns: set[str]) -> Layout | None:
    return next((layout for marks, layout in _MARKS if marks <= columns), None)


def _posts(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    yield POSTS, raw
    if any(not values.is_null(raw.get(field)) for field in ("用户id", "user_id")):
        yield AUTHORS, raw
