"""A run keeps what an older observation knew and a newer one left out."""

import json
from pathlib import Path

from pinzhi.archive.ingest import ingest, register
from pinzhi.archive.store import Store
from pinzhi.readers import discover


def test_a_narrow_newer_file_erases_nothing(tmp_path: Path) -> None:
    wide = {"platform": "weibo", "comment_id": "1", "post_id": "9", "author_id": "7", "text": "好", "likes": 1}
    narrow = {"platform": "weibo", "comment_id": "1", "post_id": "9", "text": "好", "likes": 5}
    archive = tmp_path / "in"
    archive.mkdir()
    (archive / "a_comments.jsonl").write_text(json.dumps(wide | {"fetched_at": "2026-01-01T00:00:00+08:00"}) + "\n")
    (archive / "b_comments.jsonl").write_text(json.dumps(narrow | {"fetched_at": "2026-02-01T00:00:00+08:00"}) + "\n")
    store = Store(tmp_path / "out")
    with store.held():
        sources, unread = discover([archive])
        assert not unread
        for source in sources:
            ingest(source, store, None)
        connection = store.connect()
        register(connection, store)
        found = connection.sql("SELECT author_id, likes FROM comments").fetchall()
        connection.close()
    assert found == [("7", 5)]
