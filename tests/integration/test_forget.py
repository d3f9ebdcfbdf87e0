"""A person out of a scored archive, as if they had never been there."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pinzhi.archive.forget import forget
from pinzhi.cli import main
from pinzhi.errors import StorageError, UsageError
from pinzhi.readers import Pseudonymiser
from pinzhi.schemas import COMMUNITY, GRAPH, OUTPUT, SCORED_COMMENTS, SCORED_POSTS
from pinzhi.tables import read_table
from tests.fakes import FakeScorer
from tests.integration.test_archive import KEY, score, write_archive


def without_runs(out: Path, table: str) -> list[dict[str, object]]:
    return [{**row, "run_id": None} for row in read_table(out / table, OUTPUT[table]).to_pylist()]


def everything(out: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file())


def strip(archive: Path, target: Path, *, account: str = "", author: str = "") -> Path:
    """A copy of an archive without one account's posts and one author's comments."""
    target.mkdir()
    for path in archive.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        kept = [row for row in rows if row.get("account_id") != account and row.get("author_id") != author]
        (target / path.name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), "utf-8")
    return target


@pytest.mark.parametrize(("account", "author"), [("", "u3"), ("acc1", ""), ("acc1", "u3")])
def test_the_next_run_is_as_if_they_had_never_been_there(account: str, author: str, tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 20), tmp_path / "out"
    score(archive, out, account="acc0")
    write_archive(archive, 20, 6)  # a second block of the index
    score(archive, out, account="acc0")
    removed = forget(out, [one for one in (account, author) if one], KEY)
    assert (removed["posts"] > 0, removed["comments"] > 0) == (bool(account), bool(author))
    score(archive, out, account="acc0")
    score(strip(archive, tmp_path / "b", account=account, author=author), tmp_path / "fresh", account="acc0")
    assert (out / GRAPH).read_bytes() == (tmp_path / "fresh" / GRAPH).read_bytes()
    for table in sorted(OUTPUT.keys() - {"rejects"}):
        assert without_runs(out, table) == without_runs(tmp_path / "fresh", table), table


def test_nothing_of_them_stays_on_disk(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 20), tmp_path / "out"
    score(archive, out)
    gone = KEY.id("weibo", "u3")
    comments = [
        row["comment_id"]
        for row in read_table(out / "comments", SCORED_COMMENTS).to_pylist()
        if row["author_id"] == gone
    ]
    posts = [
        row["post_id"] for row in read_table(out / "posts", SCORED_POSTS).to_pylist() if row["account_id"] == "acc1"
    ]
    assert forget(out, ["u3", "acc1"], KEY, "weibo") == {"posts": len(posts), "comments": len(comments), "accounts": 0}
    names = {gone, "acc1", *comments, *posts}
    for path in out.rglob("*.parquet"):
        # others who answered a post still say which one
        shown = json.dumps(pq.ParquetFile(path).read().to_pylist(), ensure_ascii=False, default=str)
        asked = (
            names
            if {"posts", "accounts", "account_months", "copies", "index", "measures"} & set(path.parts)
            or path.stem == "posts"
            else names - set(posts)
        )
        assert not [name for name in asked if f'"{name}"' in shown or f"/{name}" in shown], path
    assert not (out / GRAPH).exists()
    report = (out / "report.html").read_text("utf-8")
    assert gone not in report and "acc1" not in report
    for path in (out / "index").rglob("rows.arrow"):
        assert b"acc1" not in path.read_bytes()
    assert not {"u3", "acc1"} & set(json.loads((out / "canonical" / "forgotten.json").read_text("utf-8"))["people"])


def test_a_forgotten_copier_is_no_longer_told_of(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 12), tmp_path / "out"
    score(archive, out, account="acc0")
    assert {row["account_id"] for row in without_runs(out, "copies")} == {"acc1", "acc2"}
    forget(out, ["acc1"], KEY)
    assert {row["account_id"] for row in without_runs(out, "copies")} == {"acc2"}
    forget(out, ["acc0"], KEY)
    assert without_runs(out, "copies") == []


def test_they_are_passed_over_from_then_on_also_where_nobody_is_named(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 6), tmp_path / "out"
    score(archive, out)
    forget(out, ["acc1", KEY.id("weibo", "u3")], KEY)
    again = {"platform": "weibo", "post_id": "p00001", "text": "第1天 菜园子里的番茄红了", "likes": 9}
    (archive / "posts_later.jsonl").write_text(json.dumps(again, ensure_ascii=False) + "\n", "utf-8")
    lines = (archive / "comments_0.jsonl").read_text("utf-8").splitlines()
    (archive / "comments_later.jsonl").write_text("\n".join(lines[:12]) + "\n\n", "utf-8")
    score(archive, out)
    assert not {"p00001", "p00004"} & {row["post_id"] for row in without_runs(out, "posts")}
    assert KEY.id("weibo", "u3") not in {row["author_id"] for row in without_runs(out, "comments")}
    reasons = [str(row["reason"]) for row in without_runs(out, "rejects")]
    assert [reason for reason in reasons if reason.startswith("left out: ")] == [
        "left out: 1 comments of people who are to be forgotten", "left out: 1 posts of people who are to be forgotten",
    ]  # fmt: skip


def test_a_second_call_does_what_a_killed_one_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 12), tmp_path / "out"
    score(archive, out)
    whole = tmp_path / "whole"
    shutil.copytree(out, whole)
    forget(whole, ["acc1"], KEY)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for place in ("remove_posts", "_rewrite", "_rewrite_partition"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(f"pinzhi.archive.forget.{place}", killed)
            forget(out, ["acc1"], KEY)
    forget(out, ["acc1"], KEY)
    for table in sorted(OUTPUT.keys() - {"rejects"}):
        assert without_runs(out, table) == without_runs(whole, table)
    assert b"acc1" not in everything(out / "index")
    scorer = FakeScorer()
    score(archive, out, scorer)
    assert not [one for one in scorer.measured if one in ("p00001", "p00004")]


def test_no_reject_keeps_their_words(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 6), tmp_path / "out"
    odd = {"platform": "weibo", "comment_id": "x1", "author_id": "u3", "text": "我的原话", "likes": "很多"}
    (archive / "comments_odd.jsonl").write_text(
        "\n".join(json.dumps(one, ensure_ascii=False) for one in (odd, {**odd, "comment_id": ""})), "utf-8"
    )
    score(archive, out)
    assert "我的原话" in json.dumps(without_runs(out, "rejects"), ensure_ascii=False)
    forget(out, ["u3"], KEY)
    (archive / "comments_more.jsonl").write_text(json.dumps({**odd, "comment_id": "x2"}, ensure_ascii=False), "utf-8")
    score(archive, out)
    for path in out.rglob("*.parquet"):
        assert "我的原话" not in json.dumps(pq.ParquetFile(path).read().to_pylist(), ensure_ascii=False, default=str), (
            path
        )
    assert len(without_runs(out, "rejects")) >= 3


def test_a_run_does_what_a_killed_call_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 12), tmp_path / "out"
    score(archive, out)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pinzhi.archive.forget._rewrite_partition", killed)
        forget(out, ["u3"], KEY)
    score(archive, out)
    assert KEY.id("weibo", "u3") not in {row["author_id"] for row in without_runs(out, "comments")}


def test_another_key_is_told(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 3), tmp_path / "out"
    score(archive, out)
    forget(out, ["u1"], KEY)
    with pytest.raises(StorageError, match="another"):
        forget(out, ["u2"], Pseudonymiser(b"z" * 32))


def test_names_of_platforms_are_understood_and_later_ones_too(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 6), tmp_path / "out"
    score(archive, out)
    assert forget(out, [" u3 "], KEY, "微博")["comments"] > 0
    forget(out, ["dy7"], KEY)
    later = {"platform": "douyin", "comment_id": "d1", "author_id": "dy7", "text": "后来的话"}
    (archive / "comments_dy.jsonl").write_text(json.dumps(later, ensure_ascii=False), "utf-8")
    score(archive, out)
    assert "后来的话" not in {row["text"] for row in without_runs(out, "comments")}


def test_the_command_says_what_it_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    monkeypatch.setenv("PINZHI_KEY_FILE", str(key))
    out = tmp_path / "out"
    score(write_archive(tmp_path / "a", 0, 6), out)
    assert main(["forget", "u3", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"]["comments"] > 0
    assert main(["forget", "u3", "--out", str(out), "--lang", "en"]) == 0
    assert "nothing of this person" in capsys.readouterr().out
    assert main(["forget", "u3", "--out", str(tmp_path / "a")]) == 2
    with pytest.raises(UsageError, match="folder of a run"):
        forget(tmp_path / "a", ["u3"], KEY)
    assert read_table(out / "community", COMMUNITY).num_rows >= 0
