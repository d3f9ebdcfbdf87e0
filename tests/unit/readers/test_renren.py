import shutil
import sqlite3
from pathlib import Path

from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc

ARCHIVE = ROOT / "tests/data/archives/renrenBackup/renren.db"


def _changed(path: Path, *statements: str) -> Path:
    shutil.copyfile(ARCHIVE, path)
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def test_every_table() -> None:
    tables = read(ARCHIVE)
    posts = by_id(tables["posts"], "post_id")
    assert list(posts) == ["4400000001", "4400000002", "800001", "700001"]
    status = posts["4400000001"]
    assert status == {
        **dict.fromkeys(status), "platform": "renren", "post_id": "4400000001", "account_id": "230001", "likes": 5, "reposts": 1,
        "comments": 2, "published_at": utc("2011-06-18T14:10"), "time_precision": "second", "text": "毕业快乐，407的兄弟们(哭)",
    }  # fmt: skip
    forward = posts["4400000002"]
    assert (forward["text"], forward["quoted_text"], forward["kind"]) == (
        "转自大强:我也是醉了",
        "散伙饭吃了三顿",
        "repost",
    )
    assert forward["likes"] == 0 and forward["reposted_post_id"] is None
    blog = posts["800001"]
    assert (blog["title"], blog["text"], blog["kind"]) == ("国庆骑行记", "第一天 120km", "blog")
    assert [blog[name] for name in ("likes", "reposts", "comments", "reads")] == [2, 3, 0, 156]
    assert blog["published_at"] == utc("2010-09-30T16:00")
    gossip = posts["700001"]
    assert (gossip["account_id"], gossip["text"], gossip["kind"]) == ("230009", "来踩踩", "gossip")
    [comment] = tables["comments"]
    assert comment == {
        **dict.fromkeys(comment), "platform": "renren", "comment_id": "9900001", "post_id": "4400000001", "author_id": "230009",
        "author_name": "王大强", "created_at": utc("2011-06-18T14:15"), "time_precision": "second", "text": "回复林小舟：明年今日再聚",
    }  # fmt: skip
    assert {(row["account_id"], row["name"]) for row in tables["accounts"]} == {("230001", "林小舟")}
    assert [(row["field"], row["line"]) for row in tables["rejects"]] == [("like", None)]


def test_private_messages_are_not_read(tmp_path: Path) -> None:
    tables = read(_changed(tmp_path / "a.db", "UPDATE gossip SET whisper = 1"))
    assert "700001" not in by_id(tables["posts"], "post_id")
    assert ("whisper", "not read: a private message") in [(row["field"], row["reason"]) for row in tables["rejects"]]


def test_photos_are_posts(tmp_path: Path) -> None:
    row = "INSERT INTO photo VALUES (7100000001, 230001, 5, 0, 0, 0, '2011-06-18 09:00:00', '散伙&amp;饭', 'x.jpg', 1, 0, 3, 40)"
    photo = by_id(read(_changed(tmp_path / "a.db", row))["posts"], "post_id")["7100000001"]
    assert (photo["text"], photo["kind"], photo["likes"], photo["reads"]) == ("散伙&饭", "photo", 3, 40)


def test_odd_cells_cost_themselves_alone(tmp_path: Path) -> None:
    tables = read(
        _changed(
            tmp_path / "a.db",
            "UPDATE status SET like = X'ff', t = 'x' WHERE id = 4400000001",
            "UPDATE blog SET read = '很多'",
            "UPDATE comment SET entry_id = 1.5e300, authorName = ''",
        )
    )
    assert len(tables["posts"]) == 4
    assert {row["field"] for row in tables["rejects"]} >= {"like", "t", "read", "entry_id"}
