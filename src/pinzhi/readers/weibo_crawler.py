"""dataabc/weibo-crawler: csv of every header version, json, sqlite, users.csv and comment csv."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from pinzhi.readers import files, values
from pinzhi.readers.base import CanonicalRow, Fields, RejectRow, Sniff, raw_json, whole

# Blocks of cells that describe one post, oldest first. Twice the tool's rows grew before its header did, so the cells of
# a row tell which block it is, not the header.
_OLD = [
    "id",
    "bid",
    "正文",
    "头条文章url",
    "原始图片url",
    "视频url",
    "位置",
    "日期",
    "工具",
    "点赞数",
    "评论数",
    "转发数",
    "话题",
    "@用户",
]
_FULL = [*_OLD, "完整日期"]
_LIVE = [*_FULL[:6], "Live Photo视频url", *_FULL[6:]]
_EDITED = [*_LIVE, "是否编辑过", "编辑次数"]


def _with_analysis(block: list[str]) -> list[str]:
    at = block.index("完整日期")
    return [*block[:at], "llm_analysis", *block[at:]]


# Longest first: the marks of an edit would pass for 是否原创 of a shorter block.
_BLOCKS = (_EDITED, _LIVE, _FULL, _OLD, *map(_with_analysis, (_EDITED, _LIVE, _FULL)))
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
_COUNT = re.compile(r"\d*")
_FLAG = re.compile(r"(?i)true|false")
_CELLS = {"日期": _DATE, "点赞数": _COUNT, "评论数": _COUNT, "转发数": _COUNT, "完整日期": _DATETIME, "是否编辑过": _FLAG,
          "编辑次数": re.compile(r"\d{0,6}")}  # fmt: skip
_DELETED = "抱歉，此微博已被作者删除"
_COMMENT_COLUMNS = {"id", "weibo_id", "created_at", "user_screen_name", "text"}


class WeiboCrawlerReader:
    """Every file that weibo-crawler writes, but its Markdown, which repeats them."""

    name = "weibo-crawler"

    def recognises(self, sniff: Sniff) -> str | None:
        """Posts, users or comments."""
        if sniff.kind == "sqlite":
            return "sqlite" if {"id", "bid", "text", "attitudes_count"} <= set(sniff.tables.get("weibo", ())) else None
        if sniff.kind == "csv":
            columns = set(sniff.columns)
            if {"id", "bid", "正文", "点赞数"} <= columns:
                return "posts"
            if {"用户id", "昵称", "粉丝数"} <= columns:
                return "users"
            return "comments" if columns >= _COMMENT_COLUMNS else None
        return "json" if {"user", "weibo"} <= set(sniff.object_keys) else None

    def read(self, sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
        """Rows of the file."""
        format_ = self.recognises(sniff)
        reads = {"posts": _read_posts, "users": _read_users, "comments": _read_comments, "json": _read_json}
        yield from _read_sqlite(sniff) if sniff.kind == "sqlite" else reads[format_ or ""](sniff)


def _fits(block: Sequence[str], cells: Sequence[str]) -> bool:
    if len(cells) < len(block):
        return False
    if len(cells) > len(block) and not _FLAG.fullmatch(cells[len(block)].strip()):
        return False
    return all(_CELLS[name].fullmatch(cell.strip()) for name, cell in zip(block, cells, strict=False) if name in _CELLS)


def _read_posts(sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
    account = _account_of(sniff)
    rows = files.csv_rows(sniff.path)
    next(rows)
    for row in rows:
        if isinstance(row, files.Broken):
            yield RejectRow(row.line, None, row.reason, row.raw)
            continue
        if row.cells[:2] == list(sniff.columns[:2]):
            continue
        block = next((block for block in _BLOCKS if _fits(block, row.cells)), None)
        if block is None:
            reason = f"the {len(row.cells)} cells fit no known version of weibo-crawler"
            yield RejectRow(row.line, None, reason, ",".join(row.cells)[:2000])
            continue
        own = dict(zip(block, row.cells, strict=False))
        source = row.cells[len(block) + 3 :]  # after 是否原创, 源用户id, 源用户昵称
        quoted = dict(zip(block, source, strict=False)) if len(source) > 2 and source[0].strip() else None
        if quoted:
            quoted["用户id"] = row.cells[len(block) + 1]
        yield from _post(Fields(row.line, own), account, quoted)
        if quoted:
            yield from _post(Fields(row.line, quoted), values.identifier(quoted["用户id"]), None)


def _account_of(sniff: Sniff) -> str | None:
    """The author of a posts file is its name."""
    return sniff.path.stem if sniff.path.stem.isdigit() else None


_NAMES = {
    "id": "id",
    "正文": "text",
    "点赞数": "attitudes_count",
    "评论数": "comments_count",
    "转发数": "reposts_count",
}


def _post(fields: Fields, account: str | None, quoted: dict[str, Any] | None) -> Iterator[CanonicalRow | RejectRow]:
    cells = {english: chinese for chinese, english in _NAMES.items()}
    moment, precision = fields.time("完整日期")
    if moment is None:
        moment, precision = fields.time("日期")
    yield from _weibo(
        fields, account, moment, precision, text=fields.text(cells["text"]), counts=(
            cells["attitudes_count"], cells["reposts_count"], cells["comments_count"]),
        quoted_id=values.identifier(quoted["id"]) if quoted else None,
        quoted_text=values.text(quoted["正文"]) if quoted else None,
    )  # fmt: skip


def _weibo(
    fields: Fields, account: str | None, moment: Any, precision: str | None, *, text: str,
    counts: tuple[str, str, str], quoted_id: str | None, quoted_text: str | None,
) -> Iterator[CanonicalRow | RejectRow]:  # fmt: skip
    likes, reposts, comments = counts
    row = {
        "platform": "weibo", "post_id": fields.id("id"), "account_id": account, "published_at": moment,
        "time_precision": precision, "text": text, "reposted_post_id": quoted_id, "quoted_text": quoted_text or None,
        "kind": "deleted" if text.startswith(_DELETED) else "repost" if quoted_id else "original",
        **fields.counts(likes=likes, reposts=reposts, comments=comments),
    }  # fmt: skip
    yield from whole(fields, "posts", row, ("post_id",))


def _read_users(sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
    header = list(sniff.columns)
    wider = [*header[:5], "IP属地", *header[5:]] if "IP属地" not in header else header
    rows = files.csv_rows(sniff.path)
    next(rows)
    for row in rows:
        if isinstance(row, files.Broken):
            yield RejectRow(row.line, None, row.reason, row.raw)
            continue
        names = next((names for names in (header, wider) if len(names) == len(row.cells)), None)
        if names is None:
            reason = f"expected {len(header)} cells, found {len(row.cells)}; a line break in a profile may have cut it"
            yield RejectRow(row.line, None, reason, None)
            continue
        yield from _account(
            Fields(row.line, dict(zip(names, row.cells, strict=True))),
            "用户id",
            "昵称",
            "粉丝数",
            "关注数",
            "微博数",
            "是否认证",
        )


def _account(
    fields: Fields, id_: str, name: str, followers: str, following: str, posts: str, verified: str
) -> Iterator[CanonicalRow | RejectRow]:
    counts = fields.counts(followers=followers, following=following, posts=posts)
    counts.pop("count_floors")
    row = {"platform": "weibo", "account_id": fields.id(id_), "name": fields.text(name) or None,
           "verified": fields.flag(verified), **counts}  # fmt: skip
    yield from whole(fields, "accounts", row, ("account_id",))


def _read_comments(sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
    header = list(sniff.columns)
    rows = files.csv_rows(sniff.path)
    next(rows)
    for row in rows:
        if isinstance(row, files.Broken):
            yield RejectRow(row.line, None, row.reason, row.raw)
        elif row.cells == header:
            continue
        elif len(row.cells) != len(header):
            reason = f"expected {len(header)} cells, found {len(row.cells)}"
            yield RejectRow(row.line, None, reason, ",".join(row.cells)[:2000])
        else:
            yield from _comment(Fields(row.line, dict(zip(header, row.cells, strict=True))))


def _comment(fields: Fields) -> Iterator[CanonicalRow | RejectRow]:
    own, root = fields.id("id"), fields.id("root_id")
    moment, precision = fields.time("created_at")
    likes = (
        0 if fields.data.get("like_count") == "" else fields.counts(likes="like_count")["likes"]
    )  # it writes 0 as ''
    row = {
        "platform": "weibo", "comment_id": own, "post_id": fields.id("weibo_id"),
        "parent_id": None if root in (None, "0", own) else root, "author_id": fields.id("user_id"),
        "author_name": fields.text("user_screen_name") or None, "created_at": moment, "time_precision": precision,
        "text": fields.text("text"), "likes": likes,
    }  # fmt: skip
    yield from whole(fields, "comments", row, ("comment_id",))


def _read_json(sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
    user = _user_of(sniff)
    if user:
        yield from _account(
            Fields(None, user), "id", "screen_name", "followers_count", "follow_count", "statuses_count", "verified"
        )
    for record in files.json_array(sniff.path, after="weibo"):
        if isinstance(record, files.Broken):
            yield RejectRow(record.line, None, record.reason, record.raw)
            continue
        quoted = record.data.get("retweet")
        quoted = quoted if isinstance(quoted, dict) and quoted.get("id") else None
        yield from _json_post(Fields(record.line, record.data), quoted)
        if quoted:
            yield from _json_post(Fields(record.line, quoted), None)


def _user_of(sniff: Sniff) -> dict[str, Any] | None:
    """The `user` object before the array."""
    with sniff.path.open("rb") as file:
        head = file.read(1 << 20).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    match = re.match(r'\s*\{\s*"user"\s*:\s*(\{.*?\})\s*,\s*"weibo"', head, re.DOTALL)
    if not match:
        return None
    try:
        user = orjson.loads(match[1])
    except orjson.JSONDecodeError:
        return None
    return user if isinstance(user, dict) else None


def _json_post(fields: Fields, quoted: dict[str, Any] | None) -> Iterator[CanonicalRow | RejectRow]:
    moment, precision = fields.time("full_created_at")
    if moment is None:
        moment, precision = fields.time("created_at")
    account = fields.id("user_id")
    yield from _weibo(
        fields, None if account == "0" else account, moment, precision, text=fields.text("text"),
        counts=("attitudes_count", "reposts_count", "comments_count"),
        quoted_id=values.identifier(quoted["id"]) if quoted else None,
        quoted_text=values.text(quoted.get("text")) if quoted else None,
    )  # fmt: skip


def _read_sqlite(sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
    for record in files.sqlite_rows(sniff.path, "weibo"):
        if isinstance(record, files.Broken):
            yield RejectRow(record.line, None, record.reason, record.raw)
            continue
        fields = Fields(record.line, record.data)
        moment, precision = fields.time("created_at")
        yield from _weibo(
            fields, fields.id("user_id"), moment, precision, text=fields.text("text"),
            counts=("attitudes_count", "reposts_count", "comments_count"),
            quoted_id=fields.id("retweet_id"), quoted_text=None,
        )  # fmt: skip
    if "user" in sniff.tables:
        for record in files.sqlite_rows(sniff.path, "user"):
            if isinstance(record, files.Record):
                fields = Fields(record.line, record.data)
                yield from _account(fields, "id", "nick_name", "follower_count", "follow_count", "", "")
    if "comments" in sniff.tables:
        for record in files.sqlite_rows(sniff.path, "comments"):
            if isinstance(record, files.Record):
                yield from _comment(Fields(record.line, record.data))
    if "reposts" in sniff.tables:
        for record in files.sqlite_rows(sniff.path, "reposts"):
            if isinstance(record, files.Record):
                reason = "reposts by others are not read: the tool cuts their text"
                yield RejectRow(record.line, None, reason, raw_json(record.data))
