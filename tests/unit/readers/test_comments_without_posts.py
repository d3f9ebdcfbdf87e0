"""A comment whose post nobody names is a row without `post_id`, whichever tool wrote it."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.readers.helpers import jsonl, read, written

_XHS = {"comment_id": "7", "create_time": 1788226200, "content": "好", "last_modify_ts": 1789995604658}
_BOTH = {**_XHS, "publish_time": "2026-09-01 09:30", "tieba_name": "茶吧"}
_ARCHIVER = {"id": "5", "mblogid": "a", "text": "茶", "likesCount": 1, "createdAt": "Tue Sep 01 09:30:00 +0800 2026",
             "comments": [{"id": "7", "text": "好", "createdAt": "Tue Sep 01 09:41:10 +0800 2026"}]}  # fmt: skip
_ARTICLE = {
    "aid": "2650000001_1",
    "title": "茶",
    "link": "",
    "itemidx": 1,
    "comments": [{"content_id": "7", "content": "好"}],
}
RECORDS: dict[str, tuple[str, dict[str, Any]]] = {  # tool -> the field that names the post, a record
    "mediacrawler xhs": ("note_id", _XHS),
    "mediacrawler douyin": ("aweme_id", _XHS),
    "mediacrawler kuaishou or bili": ("video_id", _XHS),
    "mediacrawler weibo": ("note_id", {**_XHS, "comment_like_count": "1"}),
    "mediacrawler tieba": ("note_id", _BOTH),
    "mediacrawler zhihu": ("content_id", _BOTH),
    "canonical": ("post_id", {"platform": "weibo", "comment_id": "7", "text": "好"}),
    "nghuyong": ("weibo_url", {"_id": 7, "comment_user": {"_id": "1"}, "content": "好", "created_at": "2026-09-01 09:30:00"}),
    "nghuyong of before 2022-10": ("weibo_id", {"_id": "7", "comment_user_id": "1", "content": "好"}),
    "Spider_XHS": ("note_id", {"comment_id": "7", "content": "好", "upload_time": "2026-09-01 09:30:00"}),
    "Weibo-archiver": ("id", _ARCHIVER),
    "wechat-article-exporter": ("aid", _ARTICLE),
    "rateContent": ("itemId", {"id": "7", "rateContent": "好", "rateDate": "2026-09-01 09:30:00"}),
}  # fmt: skip


@pytest.mark.parametrize("nothing", ["", None, "0", "None"])
@pytest.mark.parametrize("tool", RECORDS)
def test_json(tool: str, nothing: object, tmp_path: Path) -> None:
    field, record = RECORDS[tool]
    known, unknown = {**record, field: "5"}, {**record, field: nothing}
    rows = read(jsonl(tmp_path / "comments.jsonl", known, unknown))["comments"]
    assert [row["text"] for row in rows] == ["好", "好"]
    assert rows[1]["post_id"] is None


@pytest.mark.parametrize("nothing", ["", "0", "None"])
@pytest.mark.parametrize(
    "header",
    ["id created_at user_screen_name text weibo_id", "评论id 上传时间 昵称 评论内容 笔记id", "评论 评论日期 商品名"],
)
def test_csv(header: str, nothing: str, tmp_path: Path) -> None:
    names = header.split()
    row = ["2026-09-01 09:30:00" if name in ("created_at", "上传时间", "评论日期") else "7" for name in names]
    rows = read(written(tmp_path / "comments.csv", [names, row, [*row[:-1], nothing]]))["comments"]
    assert [row["post_id"] for row in rows] == ["7", None]
