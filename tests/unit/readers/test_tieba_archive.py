from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.readers.helpers import by_id, read, utc

THREAD = ROOT / "tests/data/archives/tieba-thread-archive/9101234567"
FILE = THREAD / "thread.yaml"


def test_the_first_floor_is_the_post() -> None:
    tables = read(FILE)
    (post,) = tables["posts"]
    assert (post["post_id"], post["account_id"], post["title"]) == ("9101234567", "910010001", "栗光 X2 夜景对焦实测")
    assert post["text"] == "新固件终于不拉风箱了[滑稽]\n样张在楼下"
    assert (post["likes"], post["comments"]) == (57, None)  # an archive may be cut, and its floors are not counted
    assert post["published_at"] == utc("2026-09-14T13:07:00") and post["time_precision"] == "second"
    assert [(a["account_id"], a["name"]) for a in tables["accounts"]] == [("910010001", "栗光老罗")]


def test_floors_and_answers_have_parents_names_and_words() -> None:
    comments = by_id(read(FILE)["comments"], "comment_id")
    assert {id_: row["parent_id"] for id_, row in comments.items()} == {
        "151000000002": None, "151000000004": None, "151000000011": None, "151000000021": "151000000002",
        "151000000022": "151000000002",
    }  # fmt: skip
    assert {row["post_id"] for row in comments.values()} == {"9101234567"}
    assert comments["151000000002"]["text"] == "等一个黑五价 @栗光老罗"
    assert comments["151000000004"]["text"] == "" and comments["151000000004"]["likes"] == 0
    assert comments["151000000022"]["text"] == "看这里 #栗光相机#"
    assert (comments["151000000021"]["author_id"], comments["151000000021"]["author_name"]) == ("910010001", "栗光老罗")
    assert comments["151000000021"]["likes"] == 12


def test_names_of_commenters_never_become_accounts_and_settings_are_skipped() -> None:
    tables = read(THREAD, pseudonymise=True)
    assert {row["account_id"] for row in tables["accounts"]} == {"910010001"}
    assert all(row["author_id"].startswith("a_") for row in tables["comments"])
    assert [row["likes"] for row in tables["posts"]] == [20, 57]  # history, then the newest
    skipped = {
        row["source"]: row["reason"] for row in tables["rejects"] if row["line"] is None and row["field"] is None
    }
    assert {name for name, reason in skipped.items() if "skipped: settings" in reason} == {"info.yaml", "assets.yaml"}


def test_sections_in_any_order(tmp_path: Path) -> None:
    import yaml

    data = yaml.safe_load(FILE.read_text("utf-8"))
    (tmp_path / "thread.yml").write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=True), "utf-8")
    assert read(tmp_path)["comments"] and read(tmp_path)["posts"] == read(FILE)["posts"]


@pytest.mark.parametrize(
    ("at", "found"), [("\nusers:", "expected whole YAML"), ("agree_num: 12", "expected whole YAML")]
)
def test_a_cut_file_is_read_as_far_as_it_goes(tmp_path: Path, at: str, found: str) -> None:
    whole = FILE.read_text("utf-8")
    (tmp_path / "thread.yaml").write_text(whole[: whole.index(at) + len(at) - 8] + '\n  - "never closed', "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["9101234567"]
    assert any(found in row["reason"] for row in tables["rejects"])


def test_aliases_depth_and_giants_are_refused(tmp_path: Path) -> None:
    head = "thread_info:\n  id: 1\nposts:\n- {floor: 1, id: 2, author_id: 3, contents: []}\n"
    for bomb in (
        "users: [&a [1], &b [*a, *a], [*b, *b]]\n",
        "users: [*nobody]\n",
        "users: " + "[" * 100,
        "users: ['" + "x" * (17 << 20) + "']\n",
    ):
        (tmp_path / "thread.yaml").write_text(head + bomb, "utf-8")
        tables = read(tmp_path)
        assert len(tables["posts"]) == 1
        assert any("found a fault" in row["reason"] for row in tables["rejects"])
