"""NanmiCoder/MediaCrawler: seven platforms, csv, json, jsonl and sqlite, full and hashed ids, 2024 to 2026."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pinzhi.readers import files
from pinzhi.readers.base import CanonicalRow, Fields, RejectRow, Sniff, whole

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """One table of one platform: the columns that betray it, and where the canonical values are."""

    platform: str
    table: str
    marks: frozenset[str]
    id: str
    post: str = ""
    text: Cells = ("content",)
    title: Cells = ()
    time: Cells = ("create_time",)
    counts: Mapping[str, Cells] | None = None
    kind: str = ""
    url: str = ""
    parent: str = "parent_comment_id"


def _post(platform: str, marks: str, id: str, **rest: Any) -> Shape:
    return Shape(platform, "posts", frozenset(marks.split()), id, **rest)


def _comment(platform: str, marks: str, post: str, **rest: Any) -> Shape:
    return Shape(platform, "comments", frozenset(marks.split()), "comment_id", post, **rest)


SHAPES: tuple[Shape, ...] = (
    _post("xiaohongshu", "note_id desc time liked_count collected_count", "note_id", text=("desc",), title=("title",),
          time=("time",), kind="type", url="note_url", counts={"likes": ("liked_count",), "collects": ("collected_count",),
          "comments": ("comment_count",), "reposts": ("share_count",)}),
    _post("douyin", "aweme_id desc liked_count", "aweme_id", text=("desc", "title"), title=("title",), kind="aweme_type",
          url="aweme_url", counts={"likes": ("liked_count",), "collects": ("collected_count",),
          "comments": ("comment_count",), "reposts": ("share_count",)}),
    _post("kuaishou", "video_id desc viewd_count", "video_id", text=("desc", "title"), title=("title",), kind="video_type",
          url="video_url", counts={"likes": ("liked_count",), "reads": ("viewd_count",)}),
    _post("bilibili", "video_id desc video_play_count", "video_id", text=("desc",), title=("title",), kind="video_type",
          url="video_url", counts={"likes": ("liked_count",), "reads": ("video_play_count",),
          "collects": ("video_favorite_count",), "reposts": ("video_share_count",), "comments": ("video_comment",)}),
    _post("weibo", "note_id content comments_count shared_count", "note_id", time=("create_date_time", "create_time"),
          url="note_url", counts={"likes": ("liked_count",), "comments": ("comments_count",), "reposts": ("shared_count",)}),
    _post("tieba", "note_id desc total_replay_num", "note_id", text=("desc",), title=("title",), time=("publish_time",),
          url="note_url", counts={"comments": ("total_replay_num",)}),
    _post("zhihu", "content_id content_text voteup_count", "content_id", text=("content_text",), title=("title",),
          time=("created_time",), kind="content_type", url="content_url",
          counts={"likes": ("voteup_count",), "comments": ("comment_count",)}),
    _comment("weibo", "comment_id note_id content comment_like_count", "note_id", time=("create_date_time", "create_time"),
             counts={"likes": ("comment_like_count", "like_count")}),
    _comment("douyin", "comment_id aweme_id content", "aweme_id", counts={"likes": ("like_count",)}),
    _comment("bilibili", "comment_id video_id content like_count", "video_id", counts={"likes": ("like_count",)}),
    _comment("kuaishou", "comment_id video_id content", "video_id", counts={}),
    _comment("tieba", "comment_id note_id content tieba_name", "note_id", time=("publish_time",), counts={}),
    _comment("zhihu", "comment_id content_id content dislike_count", "content_id", time=("publish_time",),
             counts={"likes": ("like_count",)}),
    _comment("xiaohongshu", "comment_id note_id content sub_comment_count", "note_id", counts={"likes": ("like_count",)}),
    Shape("bilibili", "accounts", frozenset(["user_id", "total_fans", "is_official"]), "user_id"),
    Shape("?", "accounts", frozenset(["user_id", "follows", "fans"]), "user_id"),
)  # fmt: skip
_TABLES = {
    "xhs_note": 0, "douyin_aweme": 1, "kuaishou_video": 2, "bilibili_video": 3, "weibo_note": 4, "tieba_note": 5,
    "zhihu_content": 6, "weibo_note_comment": 7, "douyin_aweme_comment": 8, "bilibili_video_comment": 9,
    "kuaishou_video_comment": 10, "tieba_comment": 11, "zhihu_comment": 12, "xhs_note_comment": 13,
    "bilibili_up_info": 14, "xhs_creator": 15, "dy_creator": 15, "weibo_creator": 15, "kuaishou_creator": 15,
}  # fmt: skip
_FOLDERS = {"xhs": "xiaohongshu", "douyin": "douyin", "dy": "douyin", "kuaishou": "kuaishou", "ks": "kuaishou",
            "weibo": "weibo", "bili": "bilibili", "bilibili": "bilibili", "tieba": "tieba", "zhihu": "zhihu"}  # fmt: skip
# Columns since 2026-07-01; such rows may follow an older, wider header in one csv.
_HASHED: tuple[str, ...] = (
    "note_id,type,title,desc,video_url,time,last_update_time,creator_hash,nickname,liked_count,collected_count,comment_count,share_count,image_list,tag_list,last_modify_ts,note_url,source_keyword,xsec_token",
    "comment_id,create_time,note_id,content,creator_hash,nickname,sub_comment_count,pictures,parent_comment_id,last_modify_ts,like_count",
    "aweme_id,aweme_type,title,desc,create_time,creator_hash,nickname,liked_count,collected_count,comment_count,share_count,last_modify_ts,aweme_url,cover_url,video_download_url,music_download_url,note_download_url,source_keyword",
    "comment_id,create_time,aweme_id,content,creator_hash,nickname,sub_comment_count,like_count,last_modify_ts,parent_comment_id,pictures",
    "video_id,video_type,title,desc,create_time,creator_hash,nickname,liked_count,viewd_count,last_modify_ts,video_url,video_cover_url,video_play_url,source_keyword",
    "comment_id,create_time,video_id,content,creator_hash,nickname,sub_comment_count,last_modify_ts",
    "video_id,video_type,title,desc,create_time,creator_hash,nickname,liked_count,disliked_count,video_play_count,video_favorite_count,video_share_count,video_coin_count,video_danmaku,video_comment,last_modify_ts,video_url,video_cover_url,source_keyword",
    "comment_id,parent_comment_id,create_time,video_id,content,creator_hash,nickname,sub_comment_count,like_count,last_modify_ts",
    "note_id,content,create_time,create_date_time,liked_count,comments_count,shared_count,last_modify_ts,note_url,creator_hash,nickname,source_keyword",
    "comment_id,create_time,create_date_time,note_id,content,sub_comment_count,comment_like_count,last_modify_ts,parent_comment_id,creator_hash,nickname",
    "note_id,title,desc,note_url,publish_time,creator_hash,user_nickname,tieba_name,tieba_link,total_replay_num,total_replay_page,source_keyword,last_modify_ts",
    "comment_id,parent_comment_id,content,creator_hash,user_nickname,publish_time,sub_comment_count,note_id,note_url,tieba_id,tieba_name,tieba_link,last_modify_ts",
    "content_id,content_type,content_text,content_url,question_id,title,desc,created_time,updated_time,voteup_count,comment_count,source_keyword,creator_hash,user_nickname,last_modify_ts",
    "comment_id,parent_comment_id,content,publish_time,sub_comment_count,like_count,dislike_count,content_id,content_type,creator_hash,user_nickname,last_modify_ts",
)  # fmt: skip
_WEIBO_CLOCK_MENDED = datetime(2026, 7, 30, tzinfo=UTC)  # before, Weibo's create_time is eight hours late
_DELETED = ("抱歉，此微博已被作者删除", "该微博因被多人投诉", "抱歉，由于作者设置")


class MediaCrawlerReader:
    """Every file that MediaCrawler writes, but its Excel workbooks."""

    name = "mediacrawler"

    def recognises(self, sniff: Sniff) -> str | None:
        """Platform and table, by columns; creators need the folder name to tell their platform."""
        if sniff.kind == "sqlite":
            known = sorted(table for table in sniff.tables if table in _TABLES)
            return f"sqlite {', '.join(known)}" if known else None
        shape = _shape(sniff.columns)
        if shape is None or (shape.platform == "?" and _platform(sniff) is None):
            return None
        return f"{_platform(sniff) if shape.platform == '?' else shape.platform} {shape.table}"

    def read(self, sniff: Sniff) -> Iterator[CanonicalRow | RejectRow]:
        """Rows of the file, or of all known tables of the database."""
        if sniff.kind == "sqlite":
            for table in sorted(sniff.tables):
                if table in _TABLES:
                    known = SHAPES[_TABLES[table]]
                    platform = _FOLDERS[table.split("_")[0]] if known.platform == "?" else known.platform
                    yield from _rows(known, platform, files.sqlite_rows(sniff.path, table))
            return
        shape = _shape(sniff.columns)
        assert shape is not None
        platform = shape.platform if shape.platform != "?" else _platform(sniff) or ""
        records = {"csv": lambda: _csv_records(sniff), "json": lambda: files.json_array(sniff.path),
                   "jsonl": lambda: files.json_lines(sniff.path)}[sniff.kind]()  # fmt: skip
        yield from _rows(shape, platform, records)


def _shape(columns: Sequence[str]) -> Shape | None:
    return next((shape for shape in SHAPES if shape.marks <= set(columns)), None)


def _platform(sniff: Sniff) -> str | None:
    """Platform of a creators file, from the folders above it."""
    return next((_FOLDERS[part] for part in reversed(sniff.path.parts[:-1]) if part in _FOLDERS), None)


def _csv_records(sniff: Sniff) -> Iterator[files.Record | files.Broken]:
    header = list(sniff.columns)
    newer = next((h.split(",") for h in _HASHED if _shape(h.split(",")) is _shape(header)), None)
    rows = files.csv_rows(sniff.path)
    next(rows)
    for row in rows:
        if isinstance(row, files.Broken):
            yield row
        elif [cell.lstrip("\ufeff") for cell in row.cells] == header:
            continue  # a header written again at the start of a run
        elif len(row.cells) == len(header):
            yield files.Record(row.line, dict(zip(header, row.cells, strict=True)))
        elif newer is not None and len(row.cells) == len(newer):
            yield files.Record(row.line, dict(zip(newer, row.cells, strict=True)))
        else:
            reason = f"expected {len(header)} cells as the header has, found {len(row.cells)}"
            yield files.Broken(row.line, reason, ",".join(row.cells)[:2000])


def _rows(
    shape: Shape, platform: str, records: Iterator[files.Record | files.Broken]
) -> Iterator[CanonicalRow | RejectRow]:
    build = {"posts": _post_row, "comments": _comment_row, "accounts": _account_row}[shape.table]
    key = {"posts": "post_id", "comments": "comment_id", "accounts": "account_id"}[shape.table]
    for record in records:
        if isinstance(record, files.Broken):
            yield RejectRow(record.line, None, record.reason, record.raw)
            continue
        fields = Fields(record.line, record.data)
        row = {"platform": platform, **build(shape, fields)}
        row["fetched_at"], _ = fields.time("last_modify_ts")
        yield from whole(fields, shape.table, row, (key,))


def _author(fields: Fields) -> str | None:
    return fields.id("user_id", "creator_hash") or fields.id("creator_hash") or _tieba_id(fields)


def _tieba_id(fields: Fields) -> str | None:
    link = fields.id("user_link")
    return link.split("id=")[-1].split("&")[0] if link else None


def _moment(shape: Shape, fields: Fields) -> tuple[datetime | None, str | None]:
    for name in shape.time:
        moment, precision = fields.time(name)
        if moment is None:
            continue
        if shape.platform == "weibo" and name == "create_time":
            crawled, _ = fields.time("last_modify_ts")
            if crawled is not None and crawled < _WEIBO_CLOCK_MENDED:
                moment -= timedelta(hours=8)
        return moment, precision
    return None, None


def _post_row(shape: Shape, fields: Fields) -> dict[str, Any]:
    text = next((found for name in shape.text if (found := fields.text(name))), "")
    title = fields.text(*shape.title) if shape.title else ""
    if title and (title == text or (len(title) >= 255 and text.startswith(title))):
        title = ""  # the tool copies the text into an empty title
    moment, precision = _moment(shape, fields)
    deleted = text.startswith(_DELETED)
    return {
        "post_id": fields.id(shape.id), "account_id": _author(fields), "published_at": moment,
        "time_precision": precision, "title": title or None, "text": text or title,
        "kind": "deleted" if deleted else fields.id(shape.kind) if shape.kind else None,
        "url": fields.id(shape.url) if shape.url else None, **fields.counts(**dict(shape.counts or {})),
    }  # fmt: skip


def _comment_row(shape: Shape, fields: Fields) -> dict[str, Any]:
    moment, precision = _moment(shape, fields)
    own = fields.id(shape.id)
    parent = fields.id(shape.parent)
    counts = fields.counts(**dict(shape.counts or {}))
    return {
        "comment_id": own, "post_id": fields.id(shape.post),
        "parent_id": None if parent in (None, "0", own) else parent, "author_id": _author(fields),
        "author_name": fields.text("nickname", "user_nickname") or None, "created_at": moment,
        "time_precision": precision, "text": fields.text(*shape.text), "likes": counts.get("likes"),
    }  # fmt: skip


def _account_row(shape: Shape, fields: Fields) -> dict[str, Any]:
    counts = fields.counts(followers=("fans", "total_fans"), following="follows", posts="videos_count")
    official = fields.data.get("is_official")
    verified = None if official in (None, "") else str(official).lstrip("-").isdigit() and int(official) >= 0
    return {
        "account_id": fields.id(shape.id), "name": fields.text("nickname") or None, "followers": counts["followers"],
        "following": counts["following"], "posts": counts["posts"], "verified": verified,
    }  # fmt: skip
