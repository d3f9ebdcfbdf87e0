"""wechat-article-exporter: a workbook of articles, and JSON of the same with comments."""

from collections.abc import Iterator
from typing import Any

from pinzhi.readers import values, wechat
from pinzhi.readers.base import Layout, Note, Part, Shape
from pinzhi.readers.raw import Raw


def _article(raw: Raw) -> str | None:
    """Which article of its account, by its own id, its parts, or its address. Raises BadValue."""
    found = values.identifier(raw.get("aid", raw.get("ID")))
    if found is None and not values.is_null(raw.get("appmsgid")):
        found = f"{values.identifier(raw['appmsgid'])}_{values.identifier(raw.get('itemidx')) or 1}"
    return found or wechat.article_of(_link(raw))


def _link(raw: Raw) -> Any:
    return raw.get("link") or raw.get("链接")


def _post_id(raw: Raw) -> str | None:
    return wechat.post_id(raw.get("account"), _article(raw))


# A workbook has the Chinese names, JSON the English ones. 在看 (likeNum, 喜欢) has no column among ours.
POSTS = wechat.posts_layout(
    post_id=_post_id, account_id="account", published_at=("update_time", "发布时间", "create_time", "创建时间"), url=("link", "链接"),
    likes=("oldLikeNum", "点赞"), reposts=("shareNum", "分享"), comments=("commentNum", "留言"), reads=("readNum", "阅读"),
)  # fmt: skip
COMMENTS = Layout(
    "wechat comments", "comments",
    {"comment_id": ("comment_id",), "post_id": ("post_id",), "parent_id": ("parent_id",), "author_id": ("author_id", "openid"),
     "author_name": ("nick_name",), "created_at": ("create_time",), "text": ("content",),
     "likes": ("like_num", "reply_like_num")},
    "wechat",
)  # fmt: skip
_MARKS = (frozenset({"aid", "title", "link", "itemidx"}), frozenset({"ID", "链接", "标题", "发布时间", "是否原创"}))


class WechatExporterReader:
    """The workbooks and JSON of wechat-article-exporter; its other files hold one article each, without id and time."""

    name = "wechat-article-exporter"
    version = "1"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Articles with their accounts and comments."""
        known = (name for name in shape.sections if any(marks <= shape.columns(name) for marks in _MARKS))
        return tuple(Part(POSTS, name, _rows) for name in known)

    def ignored(self, section: str) -> str | None:
        """No section is."""
        return None


def _rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    fakeid = raw.get("fakeid")
    account = wechat.account_of(_link(raw)) if values.is_null(fakeid) else fakeid
    name = raw.get("_accountName", raw.get("公众号"))
    field = "content" if "content" in raw else "文章内容"
    record = {**raw, "account": account, "account_name": name, "kind": _kind(raw)}
    yield from wechat.read(POSTS, record, raw.get("title", raw.get("标题")), raw.get(field), field)
    yield from _comments(record)


def _kind(raw: Raw) -> Any:
    if raw.get("is_deleted") in (True, "True", "true"):
        return "deleted"
    kind = raw.get("item_show_type", raw.get("文章类型"))
    if isinstance(kind, int):
        return wechat.KINDS.get(kind, str(kind))
    return kind if isinstance(kind, str) else None


def _comments(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """Comments of an article, and the answers to each."""
    comments = raw.get("comments")
    if not isinstance(comments, list) or not comments:
        return
    try:
        post = _post_id(raw)
    except values.BadValue:
        post = None  # the reject of the article says so
    for comment in comments:
        if not isinstance(comment, dict):
            yield Note("comments", "expected a comment, found none; it was left out")
            continue
        yield COMMENTS, {**_authored(comment, raw), "comment_id": comment.get("content_id"), "post_id": post}
        root = _root(comment)
        for key, answer in _answers(comment).items():
            id_ = f"{root}_{key}" if root else None
            yield COMMENTS, {**_authored(answer, raw), "comment_id": id_, "post_id": post, "parent_id": root}


def _root(comment: Raw) -> str | None:
    try:
        return values.identifier(comment.get("content_id"))
    except values.BadValue:
        return None  # the reject of the comment says so


def _answers(comment: Raw) -> dict[str, Raw]:
    """Answers by their ids, which count within the comment alone; those that the tool has fetched come first."""
    found: dict[str, Raw] = {}
    for holder in (comment, comment.get("reply_new"), comment.get("reply")):
        listed = holder.get("$reply_list" if holder is comment else "reply_list") if isinstance(holder, dict) else None
        for at, answer in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(answer, dict):
                own = answer.get("reply_id")
                found.setdefault(f"r{at}" if values.is_null(own) else str(own), answer)
    return found


def _authored(comment: Raw, raw: Raw) -> Raw:
    """A comment whose author is the account where it carries the account's name: its openid there is of another kind."""
    name = raw["account_name"]
    is_own = isinstance(name, str) and name.strip() and comment.get("nick_name") == name
    return {**comment, "author_id": raw["account"] if is_own else None}
