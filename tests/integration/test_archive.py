"""Runs: nothing twice, new files alone, killed anywhere and still the same bytes."""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pinzhi import Scorer
from pinzhi.archive import run
from pinzhi.archive.compare import rescored
from pinzhi.archive.forget import forget
from pinzhi.archive.store import Store
from pinzhi.brand import AccountRef, BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.errors import InputError, StorageError
from pinzhi.interaction.account_features import SeenAccount
from pinzhi.readers import Pseudonymiser
from pinzhi.report import write_report
from pinzhi.schemas import BRAND_VALUES, GRAPH, OUTPUT, SCORED_COMMENTS, SCORED_POSTS, VALUE_MONTHS
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.fakes import FakeScorer

KEY = Pseudonymiser(b"k" * 32)


def write_archive(folder: Path, first: int, n: int, text: str = "第{}天 菜园子里的番茄红了，先到先得不催熟") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"posts_{first}.jsonl").open("w", encoding="utf-8") as file:
        for i in range(first, first + n):
            day = f"2026-{1 + i // 28 % 12:02d}-{1 + i % 28:02d}T09:00:00+08:00"
            row = {"platform": "weibo", "post_id": f"p{i:05d}", "account_id": f"acc{i % 3}", "published_at": day,
                   "text": text.format(i) + "好" * (i % 7), "likes": i}  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with (folder / f"comments_{first}.jsonl").open("w", encoding="utf-8") as file:
        for i in range(first * 6, (first + n) * 6):
            row = {"platform": "weibo", "comment_id": f"c{i:06d}", "post_id": f"p{i // 6:05d}", "author_id": f"u{i % 11}",
                   "created_at": "2026-05-01T10:00:00+08:00", "text": f"真的{'好吃' * (i % 4)}，第{i}次买"}  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return folder


def settings() -> ScoreConfig:
    base = ScoreConfig.load(ROOT / "configs" / "score.toml")
    return base.model_copy(update={"batch": base.batch.model_copy(update={"comments": 40, "posts": 12})})


def score(
    archive: Path, out: Path, scorer: Any | None = None, config: ScoreConfig | None = None, brand: str = "lvye",
    account: str | None = None,
) -> Any:  # fmt: skip
    """A run with one brand, whose only account is `account` where one is named."""
    profile = BrandProfile.load(ROOT / "configs" / "brands" / f"{brand}.yaml")
    if account:
        profile = profile.model_copy(update={"accounts": (AccountRef(platform="weibo", account_id=account),)})
    return run([archive], [profile], out, scorer=scorer or FakeScorer(), config=config or settings(), pseudonymise=KEY)


def tables_digest(out: Path) -> dict[str, str]:
    kinds = (*OUTPUT, "index")
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for kind in kinds
        for path in sorted((out / kind).rglob("*"))
        if path.is_file()
    } | {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in ("report.html", GRAPH)}


def test_a_second_run_scores_nothing(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 20)
    first = score(archive, tmp_path / "out")
    before = tables_digest(tmp_path / "out")
    scorer = FakeScorer()
    second = score(archive, tmp_path / "out", scorer)
    assert first.is_new and not second.is_new and scorer.measured == []
    assert tables_digest(tmp_path / "out") == before
    assert first.rows["posts"] == 20 and first.rows["comments"] == 120


def test_new_files_are_scored_alone_and_against_the_old(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 20)
    score(archive, tmp_path / "out")
    write_archive(tmp_path / "a", 20, 5)
    scorer = FakeScorer()
    summary = score(archive, tmp_path / "out", scorer)
    assert sorted(x for x in scorer.measured if x.startswith("p")) == [f"p{i:05d}" for i in range(20, 25)]
    assert summary.scored["comments"] == 30
    rows = {row["post_id"]: row for row in read_table(tmp_path / "out" / "posts", SCORED_POSTS).to_pylist()}
    assert len(rows) == 25 and rows["p00024"]["source_post_id"] is not None


def test_a_wave_in_varied_words_is_found_across_files_and_echoes_of_the_post_are_not(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", 0, 2, "第{}天 菜园子里的番茄红了，先到先得不催熟，今天起每天早上现摘现发")
    wave = [
        "皮薄汁多一口爆浆，孩子抢着吃，已经回购",
        "孩子抢着吃，皮薄汁多一口爆浆，已经回购👍",
        "皮薄汁多一口爆浆，孩子争着吃，已经回购啦",
    ]
    echoes = [f"先到先得不催熟，今天起每天早上现摘现发{end}" for end in ("，赞", "，真好", "！冲", "[心]")]

    def said(name: str, *texts: str) -> None:
        rows = [{"platform": "weibo", "comment_id": f"{name}{i}", "post_id": "p00000", "author_id": f"{name}{i}", "text": text,
                 "created_at": f"2026-05-02T10:0{i}:00+08:00"} for i, text in enumerate(texts)]  # fmt: skip
        (archive / f"comments_{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")

    def groups(out: Path) -> list[tuple[Any, ...]]:
        score(archive, out)
        names = ("coordination_id", "evidence", "comment_ids", "mostly")
        rows = read_table(out / "coordination", OUTPUT["coordination"]).to_pylist()
        return [tuple(row[name] for name in names) for row in rows if "near_wording" in row["evidence"]]

    said("first", *wave[:2])
    said("echo", *echoes)
    assert groups(tmp_path / "out") == []
    said("later", wave[2])
    (group,) = groups(tmp_path / "out")
    assert group[1:3] == (
        "near_wording=3;wordings=3;posts=1;authors=3;burst_minutes<=15",
        ["first0", "first1", "later0"],
    )
    assert groups(tmp_path / "at_once") == [group]


def test_a_corrected_mapping_replaces_what_was_read_by_the_old_one(tmp_path: Path) -> None:
    archive, out = tmp_path / "a", tmp_path / "out"
    archive.mkdir()
    (archive / "t.csv").write_text("编号,标题,话\n1,开镰,早稻熟了\n2,歇雨,雨大\n", "utf-8")
    mapping = "name: t\nplatform: {}\ntables: {{posts: {{post_id: 编号, text: {}}}}}"
    for platform, column in (("weibo", "标题"), ("weibo", "话"), ("site", "话"), ("site", "标题"), ("weibo", "话")):
        (archive / "t.mapping.yaml").write_text(mapping.format(platform, column), "utf-8")
        score(archive, out)
        rows = read_table(out / "posts", SCORED_POSTS).to_pylist()
        assert {(row["platform"], row["text"]) for row in rows} == {
            (platform, text) for text in ({"标题": ("开镰", "歇雨"), "话": ("早稻熟了", "雨大")}[column])
        }
    assert len(list((out / "canonical" / "files").iterdir())) == 1


def test_a_file_of_costs_is_added_to_the_posts(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 6), tmp_path / "out"
    (archive / "z_costs.csv").write_text(
        "platform,post_id,cost,currency,campaign\nweibo,p00001,900.5,CNY,春\n", "utf-8"
    )
    score(archive, out)
    rows = {row["post_id"]: row for row in read_table(out / "posts", SCORED_POSTS).to_pylist()}
    assert (rows["p00001"]["cost"], rows["p00001"]["campaign"]) == (900.5, "春") and "番茄" in rows["p00001"]["text"]
    (paid,) = read_table(out / "campaigns", OUTPUT["campaigns"]).to_pylist()
    assert (paid["campaign"], paid["cost"], paid["n_posts"]) == ("春", 900.5, 1)


def test_a_newer_export_of_the_same_name_wins(tmp_path: Path) -> None:
    archive, out = tmp_path / "a", tmp_path / "out"
    archive.mkdir()
    for likes in range(6):
        row = {"platform": "weibo", "post_id": "1", "text": "好", "likes": likes}
        (archive / "posts.jsonl").write_text(json.dumps(row, ensure_ascii=False), "utf-8")
        score(archive, out)
        assert [one["likes"] for one in read_table(out / "posts", SCORED_POSTS).to_pylist()] == [likes]


def test_an_earlier_post_that_comes_late_is_seen_by_those_after_it(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 50, 1, "同一句话写在这里给大家看{}")
    score(archive, tmp_path / "out")
    write_archive(tmp_path / "a", 1, 1, "同一句话写在这里给大家看{}")
    score(archive, tmp_path / "out")
    rows = {row["post_id"]: row for row in read_table(tmp_path / "out" / "posts", SCORED_POSTS).to_pylist()}
    assert rows["p00050"]["source_post_id"] == "p00001" and rows["p00001"]["source_post_id"] is None


def test_changed_counts_are_taken_over_without_scoring(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 3)
    score(archive, tmp_path / "out")
    row = {"platform": "weibo", "post_id": "p00001", "account_id": "acc1", "published_at": "2026-01-02T09:00:00+08:00",
           "text": "第1天 菜园子里的番茄红了，先到先得不催熟好", "likes": 777, "fetched_at": "2026-09-09T00:00:00+08:00"}  # fmt: skip
    (archive / "posts_z.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    scorer = FakeScorer()
    score(archive, tmp_path / "out", scorer)
    likes = {r["post_id"]: r["likes"] for r in read_table(tmp_path / "out" / "posts", SCORED_POSTS).to_pylist()}
    assert likes["p00001"] == 777 and scorer.measured == []


def test_back_to_earlier_settings_and_brands_is_a_change_like_any_other(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 8), tmp_path / "out"
    strict = settings().model_copy(
        update={"verdict": settings().verdict.model_copy(update={"hold_below": 100.0, "publish_from": 100.0})}
    )

    def read(name: str) -> list[Any]:
        return read_table(out / "posts", SCORED_POSTS)[name].to_pylist()

    score(archive, out)
    before = read("verdict"), read("coherence")
    scorer = FakeScorer()
    score(archive, out, scorer, strict)
    assert set(read("verdict")) == {"hold"}
    assert score(archive, out, scorer).is_new and (read("verdict"), read("coherence")) == before
    assert scorer.measured == []
    score(archive, out, brand="langang")
    assert read("coherence") != before[1]
    assert score(archive, out).is_new and (read("verdict"), read("coherence")) == before
    assert not score(archive, out).is_new


def test_a_folder_knows_the_profiles_that_it_was_scored_with_but_nothing_that_is_for_people(tmp_path: Path) -> None:
    archive, out, scorer = write_archive(tmp_path / "a", 0, 5), tmp_path / "out", FakeScorer()
    profile = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    told = profile.model_copy(update={"audience": "王小明的朋友", "tone": "像王小明"})
    renamed = profile.model_copy(update={"name": "别的品牌"})
    value = profile.values[0].model_copy(update={"examples_on": ("今年只收了三成",)})
    taught = profile.model_copy(update={"values": (value, *profile.values[1:])})
    of_before = out / "canonical" / "own_accounts.json"
    of_before.parent.mkdir(parents=True)
    of_before.write_text('[["weibo", "王小明"]]\n', "utf-8")
    run([archive], [told], out, scorer=scorer, config=settings(), pseudonymise=KEY)
    assert not of_before.exists(), "accounts that no profile names any more"
    assert not score(archive, out).is_new, "what is for people changes no score"
    assert [one.digest for one in Store(out).brands()] == [profile.digest]
    assert len({profile.digest, renamed.digest, taught.digest}) == 3
    assert not any("王小明" in path.read_text("utf-8") for path in out.rglob("*.json"))
    scorer.measured.clear()
    with rescored(out, (), scorer=scorer, config=settings(), pseudonymise=KEY) as copy:
        assert scorer.measured == []
        assert Store(copy).whole_runs() == Store(out).whole_runs()


def test_the_index_holds_what_the_last_run_knew(tmp_path: Path) -> None:
    """After a rollback of the models, and after an edit that was taken back."""
    archive, out = write_archive(tmp_path / "a", 0, 5), tmp_path / "out"

    def indexed(scorer: FakeScorer) -> list[str]:
        assert [path.name for path in (out / "index").iterdir()] == [scorer.index_id], "others are of no more use"
        rows = scorer.open_index(out / "index").rows_of([("weibo", f"p{n:05d}") for n in range(5)])
        assert rows is not None
        return rows.texts

    score(archive, out)
    before = indexed(FakeScorer())
    score(archive, out, FakeScorer("v2"))
    assert indexed(FakeScorer("v2")) == before
    score(archive, out)
    assert indexed(FakeScorer()) == before
    row = {"platform": "weibo", "post_id": "p00001", "account_id": "acc1", "published_at": "2026-01-02T09:00:00+08:00"}
    for day, text in (("05", "改过的一句话"), ("06", before[1])):
        edit = row | {"text": text, "fetched_at": f"2026-09-{day}T00:00:00+08:00"}
        (archive / f"posts_{day}.jsonl").write_text(json.dumps(edit, ensure_ascii=False) + "\n", "utf-8")
        score(archive, out)
        assert indexed(FakeScorer())[1] == text


def test_every_post_has_its_brand_or_is_counted_as_without(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 6)  # accounts acc0, acc1, acc2
    text = (ROOT / "configs" / "brands" / "lvye.yaml").read_text("utf-8").split("accounts:")[0]

    def profile(name: str, *accounts: str) -> BrandProfile:
        path = tmp_path / f"{name}.yaml"
        listed = "".join(f"\n  - {{platform: weibo, account_id: {account}}}" for account in accounts)
        path.write_text(text.replace("id: lvye", f"id: {name}") + (f"accounts:{listed}\n" if accounts else ""), "utf-8")
        return BrandProfile.load(path)

    def brands(*profiles: BrandProfile) -> tuple[list[str | None], int]:
        out = tmp_path / "-".join(one.id for one in profiles)
        summary = run([archive], profiles, out, scorer=FakeScorer(), config=settings(), pseudonymise=KEY)
        return read_table(out / "posts", SCORED_POSTS)["brand"].to_pylist(), summary.posts_without_brand

    first, second, rest = profile("first", "acc0"), profile("second", "acc1"), profile("rest")
    assert brands(first) == (["first"] * 6, 0)
    assert brands(first, rest) == (["first", "rest", "rest"] * 2, 0)
    assert brands(first, second) == (["first", "second", None] * 2, 2)
    assert brands(rest, profile("more")) == ([None] * 6, 6)


def test_the_run_file_says_what_came_in_and_how_long_it_took(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 5)
    (archive / "posts_again.jsonl").write_text((archive / "posts_0.jsonl").read_text("utf-8") + "{broken\n", "utf-8")
    score(archive, tmp_path / "out")
    (path,) = (tmp_path / "out" / "runs").glob("*.json")
    run_file = json.loads(path.read_text("utf-8"))
    assert run_file["rows_read"] == {"accounts": 0, "comments": 30, "posts": 10, "rejects": 1}
    assert (run_file["rows"]["posts"], run_file["rows"]["rejects"]) == (5, 1)
    assert sum(run_file["seconds_by_stage"].values()) == pytest.approx(run_file["seconds"], abs=0.5)


def test_another_model_measures_again(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 4)
    score(archive, tmp_path / "out")
    assert score(archive, tmp_path / "out", FakeScorer("v2")).scored["comments"] == 24


def test_commenters_are_pseudonyms_in_every_table(tmp_path: Path) -> None:
    score(write_archive(tmp_path / "a", 0, 4), tmp_path / "out")
    authors = read_table(tmp_path / "out" / "comments", SCORED_COMMENTS)["author_id"].to_pylist()
    assert all(author.startswith("a_") for author in authors) and len(set(authors)) == 11


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    from pinzhi.archive.store import Store

    archive = write_archive(tmp_path / "a", 0, 2)
    with Store(tmp_path / "out").held(), pytest.raises(StorageError, match="another run"):
        score(archive, tmp_path / "out")


def test_an_archive_without_anything_readable_says_why(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no reader knows"):
        score(tmp_path / "a", tmp_path / "out")


class AccountScorer(FakeScorer):
    """The models of accounts are the shipped ones."""

    def measure_accounts(self, accounts: Sequence[SeenAccount]) -> np.ndarray | None:
        return Scorer.load().measure_accounts(accounts)


def test_a_fed_account_is_told_from_a_lived_in_one(tmp_path: Path) -> None:
    archive, out = tmp_path / "a", tmp_path / "out"
    archive.mkdir()
    rows = [
        {"platform": platform, "post_id": f"{account}{i}", "account_id": account, "published_at": f"2026-03-{1 + i:02d}T08:00:00+08:00",
         "text": text.format(i), "reposts": i * known % 3, "comments": i * known, "likes": 4 * i * known}
        for platform, account, known, text in (
            ("weibo", "fed", 0, "红包免费领，加我 http://t.cn/A6xYz1"), ("weibo", "lived", 1, "第{}炉面包终于不塌了"),
            ("zhihu", "other", 0, "红包免费领，加我 http://t.cn/A6xYz1"))
        for i in range(1, 9)
    ]  # fmt: skip
    (archive / "posts.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    profile = {"platform": "weibo", "account_id": "lived", "name": "小满面馆", "followers": 900, "following": 80, "posts": 400}  # fmt: skip
    (archive / "accounts.jsonl").write_text(json.dumps(profile, ensure_ascii=False), "utf-8")

    def found() -> dict[str, dict[str, Any]]:
        return {row["account_id"]: row for row in read_table(out / "accounts", OUTPUT["accounts"]).to_pylist()}

    score(archive, out, AccountScorer())
    first, before = found(), tables_digest(out)
    assert 0.9 < first["fed"]["p_fed"] < 1 and first["fed"]["p_fed_reason"] is None
    assert "looks_fed" in first["fed"]["reasons"]
    assert first["lived"]["p_fed"] < 0.1 and "looks_fed" not in first["lived"]["reasons"]
    assert (first["other"]["p_fed"], first["other"]["p_fed_reason"]) == (None, "not_weibo")
    page = (out / "report.html").read_text("utf-8")
    assert "像是有人喂养的账号" in page and "只在微博上学过" in page
    assert "somebody feeds" in write_report(out, "en").read_text("utf-8")
    write_report(out)
    base = settings()
    strict = base.model_copy(update={"accounts": base.accounts.model_copy(update={"fed_from": 1.0})})
    score(archive, out, AccountScorer(), strict)
    assert "looks_fed" not in found()["fed"]["reasons"] and found()["fed"]["p_fed"] == first["fed"]["p_fed"]
    score(archive, out, AccountScorer())
    assert found()["fed"]["reasons"] == first["fed"]["reasons"] and tables_digest(out).keys() == before.keys()
    again = tmp_path / "again"
    score(archive, again, AccountScorer())
    assert tables_digest(again) == before, "the same archive, other bytes"
    forget(out, ["fed"], KEY, "weibo")
    assert found().keys() == {"lived", "other"}
    score(archive, out, AccountScorer())
    assert {account: row["p_fed"] for account, row in found().items()} == {
        "lived": first["lived"]["p_fed"],
        "other": None,
    }


# Each run in a process of its own that can be killed; forked from one that has everything imported and no thread.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "duckdb", "pinzhi.archive.finish", "pinzhi.report.build"])


def _score_until(archive: Path, out: Path, nth: int, writes: Any) -> None:
    """A run that ends at its `nth` file that would get its name, as if the power had gone."""
    plain = Path.replace

    def replace(path: Path, target: Path) -> Path:
        writes.value += 1
        if writes.value == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(path, target)

    setattr(Path, "replace", replace)  # noqa: B010
    score(archive, out, account="acc0")


def _driven(archive: Path, out: Path, nth: int = 0) -> tuple[int | None, int]:
    """Exit code of a run, killed at its `nth` write (0: not at all), and how many it came to."""
    writes = PROCESSES.RawValue("i", 0)
    child = PROCESSES.Process(target=_score_until, args=(archive, out, nth, writes))
    child.start()
    child.join(120)
    return child.exitcode, writes.value


def test_killed_at_every_stage_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a", 0, 20)
    code, writes = _driven(archive, tmp_path / "whole")
    assert code == 0 and writes > 15
    expected = tables_digest(tmp_path / "whole")

    def kill_and_resume(nth: int) -> None:
        out = tmp_path / f"killed{nth}"
        assert _driven(archive, out, nth) == (-signal.SIGKILL, nth)
        assert not list(out.glob("runs/*.json")), f"killed at write {nth}: a run file says whole"
        assert _driven(archive, out)[0] == 0
        assert tables_digest(out) == expected, f"killed at write {nth}"

    with ThreadPoolExecutor(os.cpu_count()) as at_once:
        stages = sorted({1, 2, 3, *range(4, writes, max(1, writes // 9)), writes - 1, writes})
        assert len([*at_once.map(kill_and_resume, stages)]) == len(stages)


def test_a_killed_run_is_not_taken_for_the_whole_one_before_it(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 20), tmp_path / "out"
    score(archive, out)
    (out / ".work").mkdir()  # what a killed run leaves
    assert score(archive, out).is_new and not score(archive, out).is_new


def test_a_killed_second_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    first, both = write_archive(tmp_path / "a", 0, 12), tmp_path / "b"
    write_archive(both, 0, 12)
    write_archive(both, 12, 9)
    for out in ("whole", "killed"):
        assert _driven(first, tmp_path / out)[0] == 0
    code, writes = _driven(both, tmp_path / "whole")
    expected = tables_digest(tmp_path / "whole")
    assert code == 0
    for nth in (2, writes // 3, writes // 4, 3):  # each goes on from where the last was killed
        assert _driven(both, tmp_path / "killed", nth)[0] == -signal.SIGKILL
        assert len(list((tmp_path / "killed" / "runs").glob("*.json"))) == 1
    assert _driven(both, tmp_path / "killed")[0] == 0
    assert tables_digest(tmp_path / "killed") == expected


def test_a_folder_of_an_older_pinzhi_gets_its_missing_tables_without_measuring(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 20), tmp_path / "out"
    score(archive, out)
    before = tables_digest(out)
    shutil.rmtree(out / "brand_values")
    scorer = FakeScorer()
    assert score(archive, out, scorer).is_new and scorer.measured == []
    assert tables_digest(out) == before


def test_the_report_shows_values_and_accounts_side_by_side(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "a", 0, 60), tmp_path / "out"
    profile = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    named = profile.values[0].model_copy(update={"name": "<script>alert(1)</script>"})
    account = profile.accounts[0].model_copy(update={"platform": "weibo", "account_id": "acc1"})
    profile = profile.model_copy(update={"values": (named, *profile.values[1:]), "accounts": (account,)})
    run([archive], [profile], out, scorer=FakeScorer(), config=settings(), pseudonymise=KEY)
    page = (out / "report.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>alert(1)" not in page
    assert all(
        f"<h2>{title}" in page
        for title in ("声明的价值观，做到了多少", "同一把尺子下的各账号", "逐月：自家内容中体现各价值观的比例")
    )
    months = read_table(out / "value_months", VALUE_MONTHS).to_pylist()
    assert {row["account_id"] for row in months if row["is_own"]} == {"acc1"}
    assert {row["account_id"] for row in months} == {"acc0", "acc1", "acc2"}
    values = read_table(out / "brand_values", BRAND_VALUES).to_pylist()
    assert (
        {row["n_posts"] for row in values}
        == {sum(row["n_posts"] for row in months if row["is_own"]) // len(values)}
        == {20}
    )
    for row in values:
        of_value = [one for one in months if one["is_own"] and one["value_id"] == row["value_id"]]
        assert row["n_expresses"] == sum(one["n_expresses"] for one in of_value)
