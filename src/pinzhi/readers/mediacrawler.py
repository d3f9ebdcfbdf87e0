"""NanmiCoder/MediaCrawler: seven platforms; csv, json, jsonl, sqlite and xlsx; raw and hashed ids, 2024 to 2026."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pinzhi.readers import values, weibo
from pinzhi.readers.base import Cell, Expand, Kinds, Layout, Note, Part, Shape, as_header, unknown
from pinzhi.readers.mediacrawler_columns import KNOWN_COLUMNS
from pinzhi.readers.raw import Raw

_NOBODY = "e3b0c44298fc1c14"  # the hash of an empty id
_NAME = ("nickname", "user_nickname", "user_name")
_SEEN = ("last_modify_ts", "add_ts")
_WEIBO_MENDED = values.milliseconds(datetime(2026, 7, 30, tzinfo=values.BEIJING))  # before: create_time is 8 h late
_EIGHT_HOURS = 8 * 3600 * 1000


def _hash(raw: Raw) -> Any:
    return None if raw.get("creator_hash") == _NOBODY else raw.get("creator_hash")


def _linked_person(raw: Raw) -> Any:
    """The id within a profile link of Tieba, whose older exports have no other, or the link; that of an anonymous person of Zhihu
    leads to nobody."""
    link = raw.get("user_link")
    found = re.search(r"[?&](?:id|portrait)=([^&#]+)", str(link or ""))
    if found is None and str(link or "").rstrip("/").endswith("/people"):
        return None
    return found[1] if found else link


_AUTHOR = ("user_id", _hash, _linked_person)


def _weibo_time(raw: Raw) -> Any:
    """`create_date_time` is right in every version; `create_time` is eight hours late in the older ones."""
    if values.is_time(raw.get("create_date_time")):
        return raw["create_date_time"]
    created = raw.get("create_time")
    moment = values.time(created)[0] if values.is_time(created) else None
    if moment is None:
        return created
    seen, _ = values.time(raw.get("last_modify_ts"))
    is_late = "user_id" in raw or (seen is not None and seen < _WEIBO_MENDED)
    return moment - _EIGHT_HOURS if is_late else moment


def _bilibili_words(raw: Raw) -> Any:
    """The description of a video; the platform gives `-` where there is none."""
    return None if values.is_null(raw.get("desc")) else raw["desc"]


def _is_official(raw: Raw) -> bool | None:
    found = str(raw.get("is_official", "")).strip()
    return int(found) >= 0 if re.fullmatch(r"-?\d{1,3}", found) else None


def _post(platform: str, id_: str, *, time: Any, text: tuple[Cell, ...], **columns: Any) -> Layout:
    return Layout(
        f"{platform} posts", "posts",
        {"post_id": (id_,), "account_id": _AUTHOR, "published_at": (time,), "text": text, "fetched_at": _SEEN,
         **{name: cell if isinstance(cell, tuple) else (cell,) for name, cell in columns.items()}},
        platform,
    )  # fmt: skip


def _comment(platform: str, post: str, *, time: Any = "create_time", likes: str | None = "like_count") -> Layout:
    return Layout(
        f"{platform} comments", "comments",
        {"comment_id": ("comment_id",), "post_id": (post,), "parent_id": ("parent_comment_id",), "author_id": _AUTHOR,
         "author_name": _NAME, "created_at": (time,), "text": ("content",), "fetched_at": _SEEN,
         **({"likes": (likes,)} if likes else {})},
        platform,
    )  # fmt: skip


def _creator(platform: str, **columns: Any) -> Layout:
    cells = {"account_id": ("user_id", "creator_hash"), "name": _NAME, "followers": ("fans",), "following": ("follows",),
             "posts": ("videos_count",), "fetched_at": _SEEN, **columns}  # fmt: skip
    return Layout(f"{platform} creators", "accounts", cells, platform)


POSTS = {
    "xiaohongshu": _post("xiaohongshu", "note_id", time="time", text=("desc",), title="title", kind="type", url="note_url",
                         likes="liked_count", collects="collected_count", comments="comment_count", reposts="share_count"),
    "douyin": _post("douyin", "aweme_id", time="create_time", text=("desc", "title"), title="title", kind="aweme_type",
                    url="aweme_url", likes="liked_count", collects="collected_count", comments="comment_count",
                    reposts="share_count"),
    "kuaishou": _post("kuaishou", "video_id", time="create_time", text=("desc", "title"), title="title",
                      kind="video_type", url="video_url", likes="liked_count", reads="viewd_count"),
    "bilibili": _post("bilibili", "video_id", time="create_time", text=(_bilibili_words,), title="title", kind="video_type",
                      url="video_url", likes="liked_count", reads="video_play_count", collects="video_favorite_count",
                      reposts="video_share_count", comments="video_comment"),
    "weibo": _post("weibo", "note_id", time=_weibo_time, text=("content",), kind="kind", url="note_url",
                   likes="liked_count", comments="comments_count", reposts="shared_count"),
    "tieba": _post("tieba", "note_id", time="publish_time", text=("desc",), title="title", url="note_url",
                   comments="total_replay_num"),
    "zhihu": _post("zhihu", "content_id", time="created_time", text=("content_text", "desc"), title="title",
                   kind="content_type", url="content_url", likes="voteup_count", comments="comment_count"),
}  # fmt: skip
_WEIBO = weibo.Posts(POSTS["weibo"], text="content", authors=("author",))
COMMENTS = {
    "xiaohongshu": _comment("xiaohongshu", "note_id"),
    "douyin": _comment("douyin", "aweme_id"),
    "kuaishou": _comment("kuaishou", "video_id", likes=None),
    "bilibili": _comment("bilibili", "video_id"),
    "weibo": _comment("weibo", "note_id", time=_weibo_time, likes="comment_like_count"),
    "tieba": _comment("tieba", "note_id", time="publish_time", likes=None),
    "zhihu": _comment("zhihu", "content_id", time="publish_time"),
}
CREATORS = {
    **{platform: _creator(platform) for platform in ("xiaohongshu", "douyin", "kuaishou", "weibo", "tieba", "zhihu")},
    "bilibili": _creator("bilibili", followers=("total_fans",), verified=(_is_official,)),
}
AUTHORS = {  # of posts; without followers it is no look at them that could outdo another
    platform: Layout(f"{platform} authors", "accounts", {"account_id": _AUTHOR, "name": _NAME}, platform)
    for platform in POSTS
}
DYNAMICS = _post("bilibili", "dynamic_id", time="pub_ts", text=("text",), kind="type", likes="total_liked",
                 comments="total_comments", reposts="total_forwards")  # fmt: skip

# The columns that betray a table, most telling first.
_MARKS: tuple[tuple[str, Layout], ...] = (
    ("comment_id note_id publish_time tieba_name", COMMENTS["tieba"]),
    ("comment_id note_id content comment_like_count", COMMENTS["weibo"]),
    ("comment_id note_id content create_date_time", COMMENTS["weibo"]),
    ("comment_id note_id content create_time", COMMENTS["xiaohongshu"]),
    ("comment_id aweme_id content create_time", COMMENTS["douyin"]),
    ("comment_id video_id content create_time", COMMENTS["bilibili"]),  # or kuaishou
    ("comment_id content_id content publish_time", COMMENTS["zhihu"]),
    ("note_id publish_time tieba_name", POSTS["tieba"]),
    ("note_id content create_time shared_count", POSTS["weibo"]),
    ("note_id content create_time create_date_time", POSTS["weibo"]),
    ("note_id desc time liked_count", POSTS["xiaohongshu"]),
    ("aweme_id desc create_time", POSTS["douyin"]),
    ("video_id create_time viewd_count", POSTS["kuaishou"]),
    ("video_id create_time video_play_count", POSTS["bilibili"]),
    ("content_id content_text created_time", POSTS["zhihu"]),
    ("dynamic_id text pub_ts", DYNAMICS),
    ("user_id total_fans", CREATORS["bilibili"]),
    ("user_id follows fans registration_duration", CREATORS["tieba"]),
    ("user_id follows fans url_token", CREATORS["zhihu"]),
    ("user_id follows fans get_voteup_count", CREATORS["zhihu"]),
    ("user_id nickname follows fans", CREATORS["weibo"]),  # or xiaohongshu, douyin, kuaishou
)
_KINDS = Kinds(*((marks.split(), layout) for marks, layout in _MARKS))
_NAMES = {"xhs": "xiaohongshu", "xiaohongshu": "xiaohongshu", "douyin": "douyin", "dy": "douyin", "kuaishou": "kuaishou",
          "ks": "kuaishou", "weibo": "weibo", "wb": "weibo", "bili": "bilibili", "bilibili": "bilibili", "tieba": "tieba",
          "zhihu": "zhihu"}  # fmt: skip
_SHARED_VIDEO = ("bilibili", "kuaishou")
_SHARED_CREATOR = ("xiaohongshu", "douyin", "kuaishou", "weibo")


@dataclass(frozen=True)
class _Known:
    """Column orders that one table has had; a row may follow another version's header in one file."""

    layout: Layout

    def align(self, header: Sequence[str], cells: Sequence[str]) -> Raw | None:
        """Cells under their header, or, when the tool was upgraded between two runs, under the columns they fit."""
        for columns in () if len(cells) == len(header) else KNOWN_COLUMNS.get(self.layout.label, ()):
            if len(columns) == len(cells) and _fits(raw := dict(zip(columns, cells, strict=True)), self.layout):
                return raw
        return as_header(header, cells)


def _fits(raw: Raw, layout: Layout) -> bool:
    """Whether id, time and crawl stamp are where these columns say."""
    key, moment = ("comment_id", "created_at") if layout.table == "comments" else ("post_id", "published_at")
    if not re.fullmatch(r"[0-9A-Za-z_-]{5,40}", str(raw.get(str(layout.columns[key][0]), ""))):
        return False
    cell = layout.columns[moment][0]
    try:
        values.time(cell(raw) if callable(cell) else raw.get(cell))
        return values.time(raw.get("last_modify_ts"))[0] is not None
    except values.BadValue:
        return False


class MediaCrawlerReader:
    """Every file that MediaCrawler writes."""

    name = "mediacrawler"
    version = "4"

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Tables by their columns; where two platforms share them, by the ids and times, then by the names of folders."""
        is_json = shape.kind in ("json", "jsonl", "object")
        return tuple(
            Part(layout, name, _expand(layout, hints if is_json else None), _Known(layout).align)
            for name, records in shape.sections.items()
            if (layout := _layout(records, hints := (name, *shape.hints))) is not None
        )

    def ignored(self, section: str) -> str | None:
        """Lists of fans are not read."""
        return "lists of fans are not read" if section in ("bilibili_contact_info", "Contacts") else None


def _layout(records: Sequence[Raw], hints: Sequence[str]) -> Layout | None:
    for record in records:
        layout = _KINDS.of(record)
        if layout is COMMENTS["bilibili"]:
            return COMMENTS[_video_platform(record, hints)]
        if layout is CREATORS["weibo"]:
            return CREATORS[_creator_platform(record, hints)]
        if layout is not None:
            return layout
    return None


def _expand(layout: Layout, hints: Sequence[str] | None) -> Expand | None:
    """What a record becomes: `hints` are those of JSON, which may hold several kinds of records."""
    if hints is not None:
        return partial(_any, layout, hints)
    return partial(_post_of, layout) if layout.table == "posts" else None


def _any(first: Layout, hints: Sequence[str], raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """A record of any kind; one that lacks columns is of that of the `first` in its file."""
    layout = _layout((raw,), hints)
    if layout is None and "comment_id" in raw and first.table != "comments":
        yield unknown(raw, "a post, comment or creator")
    else:
        layout = layout or first
        yield from _post_of(layout, raw) if layout.table == "posts" else ((layout, raw),)


def _post_of(layout: Layout, raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
    """A post and its author; on Weibo a deleted one has none, and another's notice is a text."""
    author = values.filled(raw, ("user_id",)) or _hash(raw) or _linked_person(raw)
    yield from _WEIBO.one({**raw, "author": author}) if layout is POSTS["weibo"] else ((layout, raw),)
    if not values.is_nobody(author) and values.filled(raw, _NAME):
        yield AUTHORS[str(layout.platform)], raw


def _hinted(hints: Sequence[str], platforms: Sequence[str]) -> str | None:
    words = (word for hint in hints for word in re.split(r"[^a-z]+", hint.lower()))
    return next((name for word in words if (name := _NAMES.get(word, "")) in platforms), None)


def _video_platform(raw: Raw, hints: Sequence[str]) -> str:
    """Bilibili counts in seconds and numbers its videos; Kuaishou counts in milliseconds."""
    if not raw.keys().isdisjoint({"like_count", "parent_comment_id"}):
        return "bilibili"
    if str(raw.get("video_id", "")).startswith("3x"):
        return "kuaishou"
    stamp = str(raw.get("create_time", ""))
    if stamp.isdigit() and len(stamp) in (10, 13):
        return "kuaishou" if len(stamp) == 13 else "bilibili"
    return _hinted(hints, _SHARED_VIDEO) or "bilibili"


def _creator_platform(raw: Raw, hints: Sequence[str]) -> str:
    id_ = str(raw.get("user_id", "")).removesuffix(".0")
    if id_.startswith("MS4wLjAB"):
        return "douyin"
    if re.fullmatch(r"[0-9a-f]{24}", id_):
        return "xiaohongshu"
    if id_.startswith("3x"):
        return "kuaishou"
    return _hinted(hints, _SHARED_CREATOR) or ("weibo" if id_.isdigit() else "kuaishou")
