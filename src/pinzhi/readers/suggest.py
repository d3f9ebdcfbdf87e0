"""A mapping proposed for a file that no reader knows, from the names of its columns and from what stands in them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import linear_sum_assignment

from pinzhi.errors import InputError
from pinzhi.readers import values
from pinzhi.readers.base import Shape
from pinzhi.readers.detect import Unreadable, sniff
from pinzhi.readers.mapping import TABLES, Mapping, field_of
from pinzhi.readers.raw import Raw

# Words that columns of each kind are called by, likeliest first; compared without case, spaces and punctuation.
_CALLED: dict[str, dict[str, tuple[str, ...]]] = {
    "posts": {
        "post_id": ("postid", "帖子id", "作品id", "笔记id", "视频id", "文章id", "微博id", "动态id", "回答id", "noteid", "videoid", "itemid", "articleid", "threadid", "vid", "aid", "bvid", "answerid", "编号", "id", "帖子编号", "作品编号", "话题id", "bv号", "mid"),
        "account_id": ("accountid", "账号id", "作者id", "用户id", "频道id", "博主id", "达人id", "发布者id", "userid", "authorid", "channelid", "uid", "mid", "账号", "作者", "发布者", "发布人", "博主昵称", "博主", "达人昵称", "达人", "回答者", "楼主", "频道", "店铺", "up主", "uname"),
        "published_at": ("publishedat", "发布时间", "发表时间", "上传时间", "发帖时间", "发布于", "publishtime", "pubtime", "createtime", "createdat", "发布日期", "时间", "日期", "time", "date", "发帖日期", "publishdate", "created", "ctime"),
        "title": ("标题", "title", "题目", "问题", "subject"),
        "text": ("正文", "内容", "文案", "简介", "描述", "text", "content", "body", "desc", "description", "caption"),
        "likes": ("点赞数", "点赞", "获赞", "赞同数", "赞数", "赞", "likes", "likecount", "diggcount", "upcount", "voteup", "like", "up", "顶", "点赞量", "赞同", "喜欢数", "likenum", "praisenum", "praisecount", "praise"),
        "reposts": ("转发数", "转发", "分享数", "分享", "转帖数", "reposts", "repostcount", "sharecount", "shares", "forwardcount", "转发量", "分享量", "repostnum", "sharenum", "share", "repost"),
        "comments": ("评论数", "评论量", "回复数", "评论", "comments", "commentcount", "commentnum", "replycount", "replies", "reply", "回应数", "commentsnum", "replynum", "comment"),
        "reads": ("阅读数", "阅读量", "播放量", "播放数", "播放次数", "浏览量", "浏览数", "曝光", "reads", "readcount", "viewcount", "views", "playcount", "view", "play", "pv", "点击数", "点击量", "readnum", "viewnum", "playnum", "hits"),
        "collects": ("收藏数", "收藏量", "收藏", "collects", "collectcount", "favoritecount", "favcount", "favorites", "collectnum", "favnum", "collect"),
        "url": ("链接", "网址", "url", "link", "地址"),
        "kind": ("类型", "体裁", "type", "kind", "category"),
        "cost": ("费用", "投放费用", "花费", "金额", "cost", "spend"),
        "campaign": ("活动", "投放计划", "campaign"),
        "fetched_at": ("抓取时间", "采集时间", "crawltime", "fetchedat", "updatetime", "更新时间"),
    },
    "comments": {
        "comment_id": ("commentid", "评论id", "点评id", "评价id", "留言id", "弹幕id", "reviewid", "rpid", "cid", "评论编号", "编号", "id"),
        "post_id": ("postid", "帖子id", "作品id", "笔记id", "视频id", "文章id", "商品id", "酒店id", "noteid", "videoid", "itemid", "productid", "hotelid", "商品名称", "商品标题", "酒店名称", "景点名称", "产品名称", "店铺名称", "作品标题", "视频标题", "文章标题", "笔记标题", "帖子标题", "商品", "酒店", "景点", "店铺", "帖子编号", "作品编号", "话题id", "店铺id", "shopid"),
        "parent_id": ("parentid", "上级评论id", "父评论id", "回复id", "replyto", "parentcommentid", "rootid", "回复对象id", "上级评论", "父评论", "回复对象", "parent"),
        "author_id": ("authorid", "评论者id", "用户id", "买家id", "会员id", "userid", "memberid", "uid"),
        "author_name": ("用户名", "用户昵称", "买家昵称", "会员名", "昵称", "评论者", "评论人", "评论用户", "留言人", "留言者", "发布人", "买家", "网名", "用户", "nickname", "nick", "username", "screenname", "authorname", "author", "membername", "user"),
        "created_at": ("评论时间", "点评时间", "评价时间", "留言时间", "评论日期", "评价日期", "发表时间", "发布时间", "createdat", "createtime", "commenttime", "ctime", "时间", "日期", "time", "date"),
        "text": ("评论内容", "点评内容", "评价内容", "留言内容", "弹幕内容", "评论正文", "评论", "评价", "点评", "内容", "留言", "comment", "content", "text", "review", "message"),
        "likes": ("点赞数", "有用数", "赞数", "点赞", "赞", "likes", "likecount", "upcount", "usefulcount", "diggcount", "like", "up", "点赞量", "赞同", "有用", "likenum", "praisenum", "praisecount"),
        "author_followers": ("粉丝数", "粉丝", "followers", "fans"),
        "fetched_at": ("抓取时间", "采集时间", "爬取时间", "crawltime", "fetchedat"),
    },
    "accounts": {
        "account_id": ("accountid", "账号id", "用户id", "博主id", "达人id", "userid", "uid", "mid", "id", "账号"),
        "name": ("账号名称", "昵称", "博主昵称", "达人昵称", "名称", "账号名", "name", "nickname", "screenname", "username"),
        "followers": ("粉丝数", "粉丝", "粉丝量", "followers", "followercount", "fans", "fanscount"),
        "following": ("关注数", "关注", "following", "followingcount", "follows", "friendscount"),
        "posts": ("作品数", "微博数", "帖子数", "发文数", "笔记数", "视频数", "posts", "postcount", "statusescount"),
        "verified": ("是否认证", "认证", "verified"),
        "fetched_at": ("抓取时间", "采集时间", "日期", "统计日期", "fetchedat", "crawltime", "date"),
    },
}  # fmt: skip
_WHOLE = ("id", "编号", "uid", "mid", "cid", "up", "like", "user", "play", "view")  # they say something only alone
_SAID_BY_READERS = re.compile(
    "评论|评价|点评|留言|弹幕|comment|review", re.IGNORECASE
)  # what a column of comments is called by
_ESSENTIAL = {"posts": ("text", "title"), "comments": ("text",), "accounts": ("followers",)}
_TELLING = {"posts": ("reads", "reposts", "collects", "title", "comments"), "comments": ("parent_id", "author_name", "comment_id"), "accounts": ("followers", "following")}  # fmt: skip
_PLATFORMS = {
    "weibo": ("weibo", "微博"), "xiaohongshu": ("xiaohongshu", "xhslink", "小红书", "xhs"), "douyin": ("douyin", "抖音"),
    "kuaishou": ("kuaishou", "快手"), "bilibili": ("bilibili", "哔哩", "b站"), "wechat": ("mp.weixin", "weixin", "微信", "公众号"),
    "zhihu": ("zhihu", "知乎"), "tieba": ("tieba", "贴吧"), "taobao": ("taobao", "淘宝"), "tmall": ("tmall", "天猫"), "douban": ("douban", "豆瓣"),
    "jd": ("jd.com", "京东"), "youku": ("youku", "优酷"), "tudou": ("tudou", "土豆"), "qunar": ("qunar", "去哪儿"), "kaixin": ("kaixin", "开心网"),
    "dianping": ("dianping", "点评网", "大众点评"), "baidu": ("baidu", "百度"), "qq": ("qzone", "qq空间"), "renren": ("renren", "人人"),
}  # fmt: skip
_SHARE = 0.8  # of the filled cells must be of a kind
_LEAST = 0.35  # likelihood under which a column stays unmapped
_UNKNOWN = "platform-name"
_LAST_DAY = "2100-12-31 12:00"  # from which any day without a year is past


@dataclass
class Suggestion:
    """A proposed mapping of one section of a file; `score` says how sure it is, table by table the best is chosen."""

    table: str
    columns: dict[str, str]  # canonical -> raw
    unmapped: list[str]
    score: float
    made_of: list[str]  # columns of which an id is made, where there is none


def suggest(path: Path) -> str:
    """A mapping as YAML for one file, to be looked over and saved as `*.mapping.yaml`. Raises InputError."""
    try:
        shape = sniff(path, path.name)
    except (Unreadable, OSError) as error:
        raise InputError(f"{path}: expected a table, found none to map: {error}") from error
    sections = {name: records for name, records in shape.sections.items() if records}
    best = {name: _best(_flat(records)) for name, records in sections.items()}
    found = {name: one for name, one in best.items() if one is not None}
    if not found:
        columns = ", ".join(dict.fromkeys(c for name in sections for c in shape.columns(name)))[:300]
        raise InputError(
            f"{path}: expected columns with posts, comments or accounts, found none that look like it ({columns}); "
            "see docs/formats.md on how to write a mapping by hand"
        )
    section = max(found, key=lambda name: found[name].score)
    proposed = _as_yaml(shape, section if len(shape.sections) > 1 else None, found[section], _platform(shape, section))
    if not Mapping.model_validate(yaml.safe_load(proposed)).fits(shape, section):
        raise InputError(f"{path}: expected columns that a mapping can name, found others; see docs/formats.md")
    return proposed


def _flat(records: Sequence[Raw]) -> dict[str, list[Any]]:
    """Columns with the cells of `records`; those of an object within a record are `outer.inner`."""
    names: dict[str, None] = {}
    for record in records:
        for name, value in record.items():
            if isinstance(value, dict):
                names.update(
                    dict.fromkeys(f"{name}.{inner}" for inner, one in value.items() if not isinstance(one, dict | list))
                )
            elif not isinstance(value, list):
                names[name] = None
    return {name: [field_of(record, name) for record in records] for name in names if name.strip()}


def _best(columns: dict[str, list[Any]]) -> Suggestion | None:
    told = [one for table in TABLES if (one := _propose(table, columns)) is not None]
    return max(told, key=lambda one: one.score, default=None)


def _propose(table: str, columns: dict[str, list[Any]]) -> Suggestion | None:
    """The likeliest columns of one table, each raw column used once."""
    wanted, raw = list(_CALLED[table]), list(columns)
    if not raw:
        return None
    likely = np.array([[_likelihood(table, name, one, columns[one]) for one in raw] for name in wanted])
    chosen = {
        wanted[row]: raw[column] for row, column in zip(*linear_sum_assignment(-likely), strict=True)
        if likely[row, column] >= _LEAST
    }  # fmt: skip
    if not any(name in chosen for name in _ESSENTIAL[table]):
        return None
    of = {name: likely[wanted.index(name), raw.index(one)] for name, one in chosen.items()}
    score = sum(of.values()) + sum(of[name] for name in _TELLING[table] if name in of)
    if "text" in chosen and _SAID_BY_READERS.search(chosen["text"]):
        score += 2.0 if table == "comments" else -2.0
    if table == "posts":
        chosen.setdefault("text", chosen.get("title", ""))
        address = columns.get(chosen.get("url", ""), ())
        if "post_id" not in chosen and address and len(set(map(str, address))) == len(address):
            chosen["post_id"] = chosen["url"]
    key = {"posts": "post_id", "comments": "comment_id", "accounts": "account_id"}[table]
    made_of: list[str] = []
    if key not in chosen:
        if table == "accounts":
            return None
        names = ("post_id", "author_id", "author_name", "title", "text", "published_at", "created_at")
        made_of = list(dict.fromkeys(chosen[name] for name in names if name in chosen))
    listed = {name: chosen[name] for name in wanted if name in chosen}
    return Suggestion(table, listed, [one for one in raw if one not in chosen.values()], float(score), made_of)


def _likelihood(table: str, name: str, column: str, cells: Sequence[Any]) -> float:
    """How likely a raw column is the canonical one, 0-1: by what it is called, where its cells do not speak against it."""
    filled = [cell for cell in cells if not values.is_null(cell)]
    if filled and not _IS[_KIND.get(name, "word")](filled):
        return 0.0
    if (table, name) in (("posts", "post_id"), ("comments", "comment_id")) and len(set(map(str, filled))) < len(filled):
        return 0.0  # one key, one record
    return max(_called_like(column, word, place) for place, word in enumerate(_CALLED[table][name]))


def _called_like(column: str, word: str, place: int) -> float:
    """Likeness of a name to one of the known words, of which earlier ones count a little more."""
    plain = re.sub(r"[\W_]+", "", column.rpartition(".")[2].lower())
    whole = re.sub(r"[\W_]+", "", column.lower())
    rank = 1 - 0.01 * place
    if word in (plain, whole):
        return rank
    if word in _WHOLE:
        return 0.0
    if len(word) > 1 and (plain.endswith(word) or plain.startswith(word)):
        return 0.7 * rank * (0.6 + 0.4 * len(word) / len(plain))
    return 0.5 * rank * len(word) / len(plain) if len(word) > 1 and word in plain else 0.0


def _readable(parse: Callable[[Any], Any], cells: Sequence[Any]) -> bool:
    """Whether `parse` reads most of the cells; those that say nothing do not count."""
    n = n_broken = 0
    for cell in cells:
        try:
            n += parse(cell) is not None
        except values.BadValue:
            n_broken += 1
    return n > 0 and n >= _SHARE * (n + n_broken)


def _moment(cell: Any) -> Any:
    if values.is_serial(cell):
        raise values.BadValue(f"expected a time, found {cell}, which may be a count")
    try:
        return values.time(values.clock(cell))[0]
    except values.BadValue:
        found, _ = values.time_told(cell, values.time(_LAST_DAY))
        if found is None:
            raise
        return found


def _is_id(cells: Sequence[Any]) -> bool:
    return all(not isinstance(cell, float) and len(str(cell)) <= 200 and "\n" not in str(cell) for cell in cells)


def _is_who(cells: Sequence[Any]) -> bool:
    """Whether cells may be ids or names of people: no sentences, no addresses."""
    return _is_id(cells) and all(
        len(str(cell)) <= 40 and not re.search(r"//|[，。！？!?\s]\S", str(cell)) for cell in cells
    )


_KIND = {
    **dict.fromkeys(("published_at", "created_at", "fetched_at"), "time"),
    **dict.fromkeys(("likes", "reposts", "comments", "reads", "collects", "followers", "following", "posts", "author_followers"), "count"),
    **dict.fromkeys(("text", "title"), "text"), **dict.fromkeys(("post_id", "comment_id", "parent_id"), "id"), **dict.fromkeys(("account_id", "author_id", "author_name", "name"), "who"),
    "url": "url", "verified": "flag", "cost": "number",
}  # fmt: skip
_IS: dict[str, Callable[[Sequence[Any]], bool]] = {
    "time": lambda cells: _readable(_moment, cells),
    "count": lambda cells: _readable(lambda cell: values.count(cell)[0], cells),
    "flag": lambda cells: _readable(values.flag, cells),
    "number": lambda cells: _readable(values.number, cells),
    "url": lambda cells: sum("//" in str(cell) or "www." in str(cell) for cell in cells) >= _SHARE * len(cells),
    "text": lambda cells: not _readable(lambda cell: values.count(cell)[0], cells) and not _readable(_moment, cells),
    "id": _is_id,
    "who": _is_who,
    "word": lambda cells: all(len(str(cell)) <= 100 for cell in cells),
}


def _platform(shape: Shape, section: str) -> str:
    """The platform that the addresses in a file, or its name, speak of."""
    cells = " ".join(str(cell) for record in shape.sections[section] for cell in record.values() if "//" in str(cell))
    for said in (cells.lower(), " ".join((section, *shape.hints)).lower()):
        counted = {name: sum(said.count(word) for word in words) for name, words in _PLATFORMS.items()}
        best = max(counted, key=lambda name: counted[name])
        if counted[best]:
            return best
    return _UNKNOWN


def _as_yaml(shape: Shape, section: str | None, one: Suggestion, platform: str) -> str:
    def word(text: str) -> str:
        return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**6).strip()

    there = (
        shape.columns(section)
        if section is not None
        else {name for part in shape.sections for name in shape.columns(part)}
    )
    needed = dict.fromkeys(name if name in there else name.partition(".")[0] for name in one.columns.values())
    stem = re.sub(r"[^\w-]+", "-", shape.path.stem).strip("-") or "table"
    lines = [
        "# 由列名和内容推测，请核对后保存为 某某.mapping.yaml，放在档案旁边或与档案一起写在命令里。",
        "# Guessed from names and cells: look it over, save it as NAME.mapping.yaml, and put it beside the archive or name it with it.",
        f"name: {word(stem)}",
        f"platform: {platform}" + ("  # 请改成平台名 name the platform here" if platform == _UNKNOWN else ""),
        "when:",
        f"  columns: [{', '.join(map(word, needed))}]",
    ]
    if section is not None:
        lines.append(f"  section: {word(section)}")
    lines += ["tables:", f"  {one.table}:"]
    if one.made_of:
        key = {"posts": "post_id", "comments": "comment_id"}[one.table]
        lines.append(f"    {key}: {{id_of: [{', '.join(map(word, one.made_of))}]}}  # 没有编号列 no column of ids")
    lines += [f"    {name}: {word(column)}" for name, column in one.columns.items()]
    if one.unmapped:
        lines.append(f"# 未用到的列 columns not used: {', '.join(map(word, one.unmapped))}")
    return "\n".join(lines) + "\n"
