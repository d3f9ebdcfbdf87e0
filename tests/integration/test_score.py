"""The shipped models, one draft and the command line, bad input included."""

import json
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from opencc import OpenCC

from pinzhi import score_post
from pinzhi.brand import BrandProfile
from pinzhi.cli import main
from pinzhi.errors import InputError, ModelError
from pinzhi.heads.store import open_active
from pinzhi.report import summary
from pinzhi.schemas import COPIES, SCORED_POSTS
from pinzhi.scoring import Scorer
from pinzhi.tables import iter_tables, read_table
from tests.conftest import ROOT, at, comments, posts

LVYE = str(ROOT / "configs" / "brands" / "lvye.yaml")
SOURCE = "巷口老周的面包房今早贴了告示：面粉涨价，吐司从12块调到14块，切片不另收钱。老板娘说再不涨连电费都保不住了。"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load()


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a small archive, through the command line."""
    folder = tmp_path_factory.mktemp("run")
    row = {
        "platform": "weibo",
        "post_id": "s1",
        "account_id": BrandProfile.load(Path(LVYE)).accounts[0].account_id,
        "published_at": "2026-03-11T08:56:32+08:00",
        "text": SOURCE,
    }
    copy = row | {
        "post_id": "s2",
        "account_id": "a2",
        "published_at": "2026-03-12T09:00:00+08:00",
        "text": "#早安#" + SOURCE + "🍞",
    }
    lines = [json.dumps(one, ensure_ascii=False) for one in (row, copy)]
    (folder / "in").mkdir()
    (folder / "in" / "posts.jsonl").write_text("\n".join(lines) + "\n{broken\n", "utf-8")
    said = [{"platform": "weibo", "comment_id": f"c{i}", "post_id": "s1", "author_id": f"u{i}", "text": text,
             "created_at": "2026-03-11T10:00:00+08:00"} for i, text in enumerate(["老周家的吐司真的好吃", "加微信领优惠券", "转发微博",
             "什么时候再做蛋挞？", "涨得有理，支持", "<script>alert(1)</script>"])]  # fmt: skip
    (folder / "in" / "comments.jsonl").write_text("\n".join(json.dumps(c, ensure_ascii=False) for c in said), "utf-8")
    assert main(["run", str(folder / "in"), "--brand", LVYE, "--out", str(folder / "out"), "-q", "--keep-authors"]) == 0
    return folder / "out"


def test_a_copy_names_its_earliest_source_with_spans(scorer: Scorer, brand: BrandProfile, run_folder: Path) -> None:
    text = SOURCE.replace("老周", "老王")
    found = scorer.score(text, brand=brand, history=run_folder).originality
    assert found.source_id == "s1" and found.score < 50
    span = found.spans[0]
    assert text[span.start : span.end] == SOURCE[span.source_start : span.source_end]


TRICKS = {
    "first half": SOURCE[: len(SOURCE) // 2],
    "last half": SOURCE[len(SOURCE) // 2 :],
    "first thirty": SOURCE[:30],
    "prefixed": f"看到这个想笑：{SOURCE}",
    "suffixed": f"{SOURCE}你们那边涨了没？",
    "hashtags": f"#早安#{SOURCE}#面包#",
    "traditional": OpenCC("s2t").convert(SOURCE),
    "full width": SOURCE.replace("12", "１２").replace("14", "１４"),
    "zero width": "\u200b".join(SOURCE),
    "combining": "\u0336".join(SOURCE),
    "emoji between": "🍞".join(SOURCE),
    "dots between": "·".join(SOURCE),
    "in brackets": "".join(f"[{SOURCE[at : at + 4]}]" for at in range(0, len(SOURCE), 4)),
    "other name and numbers": SOURCE.replace("老周", "老王").replace("12", "13").replace("14", "16"),
}


@pytest.mark.parametrize("text", TRICKS.values(), ids=TRICKS)
def test_a_copy_that_names_no_source_is_no_quotation(
    text: str, scorer: Scorer, brand: BrandProfile, run_folder: Path
) -> None:
    found = scorer.score(text, brand=brand, history=run_folder).originality
    assert (found.label, found.source_id) == ("duplicate", "s1")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"{SOURCE}//@小王:好//@老李:真的吗", "duplicate"),
        (f"哈哈//@小王:{SOURCE}", "quote"),
        ("我们小区门口那家上个月也调了价，老板娘把账本摊开给大家看，房租、电费、面粉一项一项写着，最后没有一个人走。"
         f"//@小王:{SOURCE[:24]}", "original"),
    ],
)  # fmt: skip
def test_own_words_before_a_chain_are_judged_by_themselves(
    text: str, label: str, scorer: Scorer, brand: BrandProfile, run_folder: Path
) -> None:
    found = scorer.score(text, brand=brand, history=run_folder).originality
    assert (found.label, found.source_id) == (label, "s1" if label == "duplicate" else None)


def test_a_merge_names_every_source(scorer: Scorer, brand: BrandProfile) -> None:
    other = "早市东头的豆腐摊换了年轻人，还是石磨，凌晨三点起来泡豆子。头一锅豆浆免费给扫街的师傅，剩下的才开卖，一块五一碗。"
    merged = SOURCE[: len(SOURCE) // 2] + other[len(other) // 2 :]
    table = posts({"text": other, "published_at": at(1)}, {"text": SOURCE, "account_id": "b", "published_at": at(2)},
                  {"text": merged, "account_id": "c", "published_at": at(3)}, {"text": SOURCE, "account_id": "d", "published_at": at(4)})  # fmt: skip
    rows = scorer.score_posts(table, brand=brand).to_pylist()
    assert (rows[2]["originality_label"], rows[2]["source_post_id"], rows[2]["other_sources"]) == (
        "rewrite",
        "p0",
        ["weibo/p1"],
    )
    assert (rows[3]["originality_label"], rows[3]["source_post_id"]) == ("duplicate", "p1")


def test_copies_stand_in_the_cluster_of_their_source(run_folder: Path) -> None:
    table = pa.concat_tables(iter_tables(run_folder / "posts", SCORED_POSTS))
    rows = {row["post_id"]: row for row in table.to_pylist()}
    assert {(row["cluster_id"], row["cluster_size"]) for row in rows.values()} == {("weibo/s1", 2)}
    assert rows["s2"]["source_account_id"] == rows["s1"]["account_id"]
    assert rows["s2"]["source_published_at"] == rows["s1"]["published_at"]
    assert rows["s1"]["source_account_id"] is rows["s1"]["source_published_at"] is None


def test_what_a_brand_repeats_is_its_own_but_not_another_brands(scorer: Scorer) -> None:
    lvye, chengli = (BrandProfile.load(ROOT / "configs" / "brands" / f"{name}.yaml") for name in ("lvye", "chengli"))

    def said(brand: BrandProfile, platform: str, day: int) -> dict[str, Any]:
        (account,) = (one.account_id for one in brand.accounts if one.platform == platform)
        return {
            "post_id": f"{brand.id}{day}",
            "platform": platform,
            "account_id": account,
            "text": SOURCE,
            "published_at": at(day),
        }

    def sources(*rows: dict[str, Any]) -> list[tuple[bool, str | None]]:
        table = posts(*rows)
        index = scorer.open_index(None).beside(scorer.fingerprint(table))
        found = scorer.measure_originality(table, index, brands=[lvye, chengli])
        return list(zip(found["is_self"].to_pylist(), found["source_post_id"].to_pylist(), strict=True))

    own = sources(said(lvye, "weibo", 1), said(lvye, "xiaohongshu", 2), said(lvye, "xiaohongshu", 9))
    assert own == [(False, None), (True, "lvye1"), (True, "lvye2")], "the last one is recycled where it already was"
    thief = said(lvye, "weibo", 2) | {"account_id": "thief", "post_id": "t"}
    between = sources(said(lvye, "weibo", 1), thief, said(lvye, "xiaohongshu", 3))
    assert between == [(False, None), (False, "lvye1"), (True, "lvye1")], "who copied it meanwhile is not its source"
    assert sources(said(chengli, "weibo", 1), said(lvye, "xiaohongshu", 2))[1] == (False, "chengli1")


def test_a_draft_without_account_is_the_brands_own(scorer: Scorer, brand: BrandProfile, run_folder: Path) -> None:
    elsewhere = scorer.score(SOURCE, brand=brand, history=run_folder, platform="xiaohongshu")
    assert "syndication" in elsewhere.reasons and elsewhere.originality.score > 90
    assert "recycled" in scorer.score(SOURCE, brand=brand, history=run_folder, platform="weibo").reasons


def test_a_history_of_other_models_is_refused(
    scorer: Scorer, brand: BrandProfile, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "index" / "of-other-models").mkdir(parents=True)
    with pytest.raises(InputError, match="once more"):
        scorer.score(SOURCE, brand=brand, history=tmp_path)


def test_a_history_may_grow_while_many_score_against_it(scorer: Scorer, brand: BrandProfile, tmp_path: Path) -> None:
    index = scorer.open_index(tmp_path / "index")
    said = [f"{SOURCE}{n}号柜台" for n in range(30)]

    def row(n: int) -> pa.Table:
        return posts({"post_id": f"n{n}", "text": said[n], "published_at": at(1)})

    index.append(scorer.fingerprint(row(0)), "0")
    done = threading.Event()
    failures: list[str] = []

    def draft() -> None:
        while not done.is_set():
            found = scorer.score(said[0], brand=brand, history=tmp_path).originality
            if found.source_text != said[int((found.source_id or "n99")[1:])]:
                failures.append(f"{found.source_id}: {found.source_text}")

    drafts = [threading.Thread(target=draft) for _ in range(2)]
    for one in drafts:
        one.start()
    for n in range(1, 30):
        index.append(scorer.fingerprint(row(n)), str(n))
    done.set()
    for one in drafts:
        one.join()
    assert not failures


def test_an_unrelated_draft_has_no_source(scorer: Scorer, brand: BrandProfile, run_folder: Path) -> None:
    found = scorer.score("猫把快递盒咬出一个洞，探出半个头看我上班。", brand=brand, history=run_folder).originality
    assert found.source_id is None and found.score > 60


def test_only_the_past_makes_a_post_unoriginal(scorer: Scorer, brand: BrandProfile) -> None:
    both = posts({"text": SOURCE, "published_at": at(2)}, {"text": SOURCE, "published_at": at(1), "account_id": "b"},
                 {"text": SOURCE, "published_at": None, "account_id": "c"})  # fmt: skip
    rows = scorer.score_posts(both, brand=brand).to_pylist()
    assert rows[0]["source_post_id"] == "p1" and rows[1]["source_post_id"] is None
    assert rows[2]["originality_label"] == "undetermined"


def test_a_rewrite_at_an_equal_or_unknown_time_accuses_nobody(scorer: Scorer, brand: BrandProfile) -> None:
    retold = "巷口面包房的老周一早贴出告示，说面粉贵了，吐司要从12块涨到14块，切片还是免费；老板娘讲，再不涨价连电费都付不起了。"

    def label(**of_rewrite: Any) -> str:
        table = posts({"text": SOURCE, "published_at": at(1)}, {"text": retold, "account_id": "b", **of_rewrite})
        return scorer.score_posts(table, brand=brand).to_pylist()[1]["originality_label"]

    assert label(published_at=at(2)) == "rewrite"
    assert label(published_at=at(1)) == label(published_at=None) == "undetermined"


def test_a_post_that_the_history_holds_is_not_compared_with_itself(
    scorer: Scorer, brand: BrandProfile, run_folder: Path
) -> None:
    again = posts({"post_id": "s1", "text": SOURCE, "account_id": "a1", "published_at": at(1).replace(month=3, day=11)})
    (row,) = scorer.score_posts(again, brand=brand, history=run_folder).to_pylist()
    assert (row["originality_label"], row["source_post_id"]) == ("original", None)


def test_tables_and_drafts_of_another_shape_are_refused(scorer: Scorer, brand: BrandProfile) -> None:
    table = posts({})
    with pytest.raises(InputError, match="platform"):
        scorer.score_posts(table.select(["text"]), brand=brand)
    with pytest.raises(InputError, match="no nulls"):
        scorer.score_posts(table.set_column(4, "text", pa.nulls(1, pa.string())), brand=brand)
    with pytest.raises(InputError, match="published_at"):
        scorer.score_posts(table.set_column(3, "published_at", pa.array(["昨天"])), brand=brand)
    with pytest.raises(InputError, match="comment_id"):
        scorer.score_comments(table, table)
    assert scorer.score_posts(table.drop_columns(["published_at"]), brand=brand).num_rows == 1
    for draft in (None, 7, "\ud800你好"):
        with pytest.raises(InputError, match="expected"):
            scorer.score(draft, brand=brand)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"BrandProfile\.load"):
        scorer.score("好", brand="lvye.yaml")  # type: ignore[arg-type]


def test_twenty_equal_short_comments_within_a_minute_are_water_army(scorer: Scorer) -> None:
    said = comments(*({"text": "好用！", "author_id": f"u{i}", "created_at": at(1, 8, 0, 2 * i)} for i in range(20)),
                    {"text": "好用！", "post_id": "p1", "author_id": "u99"})  # fmt: skip
    labels = scorer.score_comments(said, posts({"text": "新茶上市"}, {"text": "杯子到货"}))["authenticity"].to_pylist()
    assert labels == ["water_army"] * 20 + ["genuine"]


def test_values_are_all_there_and_swapping_the_brand_changes_the_score(scorer: Scorer, brand: BrandProfile) -> None:
    other = BrandProfile.load(ROOT / "configs" / "brands" / "chengli.yaml")
    draft = "收割完的稻草不烧，粉碎还田，给明年的地补一口气。"
    one, two = scorer.score(draft, brand=brand), scorer.score(draft, brand=other)
    assert set(one.coherence.values) == {value.id for value in brand.values}
    assert one.coherence.score != two.coherence.score


def test_comments_are_probabilities_and_independent_of_their_batch(scorer: Scorer) -> None:
    under = posts({"text": "新茶上市"})
    many = scorer.score_comments(
        comments(*({"text": t} for t in ("好喝", "加微信", "转发微博", "难喝死了，再也不买" * 9))), under
    )
    alone = scorer.score_comments(comments({"text": "好喝"}), under)
    row = many.to_pylist()[0]
    assert abs(sum(row[f"p_{k}"] for k in ("negative", "neutral", "positive")) - 1) < 1e-3
    assert abs(row["p_positive"] - alone["p_positive"][0].as_py()) < 2e-3


def test_a_long_text_is_scored_and_an_empty_one_refused(scorer: Scorer, brand: BrandProfile) -> None:
    assert 0 <= scorer.score("今天的番茄很甜。" * 12_500, brand=brand).quality <= 100
    with pytest.raises(InputError, match="write some"):
        scorer.score("\u200b \n", brand=brand)
    assert score_post("一只猫", brand=brand).verdict in ("publish", "revise", "hold")


def test_the_report_escapes_what_it_shows_and_fetches_nothing(run_folder: Path) -> None:
    html = (run_folder / "report.html").read_text("utf-8")
    assert "<script>alert(1)</script>" not in html
    for asset in ('<script src="http', '<link rel="stylesheet" href="http', '<img src="http'):
        assert asset not in html
    assert "default-src 'none'" in html  # whatever a library inside the page would like to load
    assert main(["report", str(run_folder), "--lang", "en", "-q"]) == 0
    assert "Genuine interaction" in (run_folder / "report.html").read_text("utf-8")


def test_the_report_says_who_copied_us(run_folder: Path) -> None:
    assert main(["report", str(run_folder), "--lang", "en", "-q"]) == 0
    html = (run_folder / "report.html").read_text("utf-8")
    ours, others = (
        html.split(f"<h2>{title}</h2>")[1].split("<h2>")[0] for title in ("Who copied us", "Copies beside their source")
    )
    assert "a2" in ours and "<mark>" in ours and "a2" in others and "1 posts by 1 accounts" in ours
    (row,) = read_table(run_folder / "copies", COPIES).to_pylist()
    assert (row["post_id"], row["source_post_id"], row["brand"], row["relation"]) == ("s2", "s1", "lvye", "source")
    assert row["spans"] and row["p_derived"] > 0.9 and summary(run_folder)["copied_us"] == 1
    assert "Fatigue" in html and "0% of 1" in html


def test_a_draft_is_told_what_its_marks_mean_and_when_the_source_appeared(
    capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    assert main(["score", SOURCE, "--brand", LVYE, "--history", str(run_folder)]) == 1
    said = capsys.readouterr().out
    assert "来源 weibo/s1 2026-03-11" in said and "标出的词句：" in said and "与来源雷同" in said and "/100" in said
    assert main(["score", "好的。", "--brand", LVYE, "--lang", "en"]) in (0, 1)
    alone = capsys.readouterr().out
    assert "a copy would go unseen" in alone and "shared with the source" not in alone


def test_rejects_say_where(run_folder: Path) -> None:
    import pyarrow.parquet as pq

    (row,) = pq.read_table(run_folder / "rejects").to_pylist()
    assert row["line"] == 3 and "JSON" in row["reason"]


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    import shutil

    models = tmp_path / "models"
    shutil.copytree(ROOT / "models", models)
    file = open_active(models, "sentiment").folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="damaged"):
        open_active(models, "sentiment")


def test_score_exit_codes_and_json(capsys: pytest.CaptureFixture[str], run_folder: Path) -> None:
    assert main(["score", SOURCE, "--brand", LVYE, "--history", str(run_folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["originality"]["source_id"] == "s1" and found["explanations"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "missing", "--brand", LVYE, "--out", "o"], 2, "missing"),
        (["run", "empty.csv", "--brand", LVYE, "--out", "o"], 2, "empty"),
        (["run", "odd.csv", "--brand", LVYE, "--out", "o"], 2, "no reader knows"),
        (["run", "odd.csv", "--brand", "none.yaml", "--out", "o"], 2, "none.yaml"),
        (["score", "", "--brand", LVYE], 2, "at least one character"),
        (["score", "好" * 100_001, "--brand", LVYE], 2, "100,000"),
        (["score", "好", "--brand", LVYE, "--history", "nowhere"], 2, "pinzhi run"),
        (["score", "好", "--brand", LVYE, "--models", "nowhere"], 3, "active.toml"),
        (["report", "odd.csv"], 2, "finished run"),
        (["run", "odd.csv", "--brand", LVYE, "--out", "odd.csv/x"], 2, "no reader knows"),
    ],
)
def test_bad_input_is_one_sentence_with_a_next_step(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    assert main(arguments) == code
    error = capsys.readouterr().err.strip()
    assert says in error and len(error.splitlines()) == 1 and "Traceback" not in error
