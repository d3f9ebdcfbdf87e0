"""`pinzhi brand check`, label files as examples, and drafts without a clause, with the shipped models."""

import json
from pathlib import Path

import pytest

from pinzhi.brand import BrandProfile
from pinzhi.brand_check import CODES, EVERYTHING_FROM, Coverage, _of_archive, check_brand
from pinzhi.cli import main
from pinzhi.cli.brands import WARNINGS
from pinzhi.cli.terminal import Lang
from pinzhi.decide import LEAST_POSTS
from pinzhi.errors import InputError
from pinzhi.examples import MOST, with_labelled
from pinzhi.scoring import Scorer
from tests.conftest import ROOT, small_archive

LVYE = ROOT / "configs" / "brands" / "lvye.yaml"
FAULTY = """id: bad
name: 坏例
values:
  - {id: a, name: 保护环境, statement: 保护环境很重要}
  - {id: b, name: 如实相告, statement: 检测数据、产地、配料和出错的地方都摊开给人看, examples_on: [检测单贴在门口]}
  - {id: c, name: 公开透明, statement: 测出来什么样、东西从哪来、哪里做错了，全部告诉顾客, examples_on: [检测单贴在门口, 一样], examples_off: [一 样！]}
  - {id: d, name: Kind, statement: Nothing we sell was tried out on animals}
  - {id: e, name: 诚实, statement: 检测数据、产地、配料和出错的地方，都摊开给人看}
accounts:
  - {platform: weebo, account_id: "1"}
"""


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load()


def labels(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("\n".join(json.dumps({"brand": "lvye", **row}, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_what_will_not_work_is_told_with_field_and_line(scorer: Scorer, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(FAULTY, "utf-8")
    found = {(one.code, one.field, one.line, one.value_ids) for one in check_brand(path, scorer).warnings}
    assert found == {
        ("thin_statement", "values.0.statement", 4, ("a",)),
        ("overlap", "values.2.statement", 6, ("b", "c")),
        ("overlap", "values.4.statement", 8, ("c", "e")),
        ("same_words", "values.4.statement", 8, ("b", "e")),
        ("not_chinese", "values.3.statement", 7, ("d",)),
        ("example_twice", "values.2.examples_on.0", 6, ("b", "c")),
        ("example_on_both_sides", "values.2.examples_off.0", 6, ("c",)),
        ("unknown_platform", "accounts.0.platform", 10, ()),
    }


def test_shipped_profiles_have_nothing_to_note(scorer: Scorer) -> None:
    for path in LVYE.parent.glob("*.yaml"):
        assert check_brand(path, scorer).warnings == ()


def test_a_value_of_everything_or_nothing(brand: BrandProfile) -> None:
    def codes(n_posts: int, n_expresses: int) -> set[str]:
        return {
            code for code, *_ in _of_archive(brand, {v.id: Coverage(n_posts, n_expresses, 0, 0) for v in brand.values})
        }

    assert codes(LEAST_POSTS, 0) == {"matches_nothing"} and codes(LEAST_POSTS, 1) == set()
    assert codes(100, int(100 * EVERYTHING_FROM)) == {"matches_everything"}
    assert codes(LEAST_POSTS - 1, 0) == {"too_few_posts"}


def test_every_warning_has_its_sentence() -> None:
    for lang in Lang:
        assert WARNINGS[lang].keys() == set(CODES)


def test_the_command_counts_own_posts_of_an_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = small_archive(tmp_path)
    posts = (archive / "posts.jsonl").read_text("utf-8")
    (archive / "posts.jsonl").write_text(posts.replace('"account_id": "a"', '"account_id": "9840217365"'), "utf-8")
    assert main(["brand", "check", str(LVYE), "--archive", str(archive), "--json", "--lang", "en"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["coverage"]["environment"]["n_posts"] == 1 and told["brand"]["id"] == "lvye"
    assert [one["code"] for one in told["warnings"]] == ["too_few_posts"] and "1 own posts" in told["warnings"][0][
        "explanation"
    ]
    assert main(["brand", "check", str(LVYE)]) == 0 and "善待农人" in capsys.readouterr().out


def test_faults_of_profile_and_archive_are_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = tmp_path / "faulty.yaml"
    faulty.write_text(LVYE.read_text("utf-8").replace("name: 善待农人", "name: ''"), "utf-8")
    assert main(["brand", "check", str(faulty)]) == 2
    assert f"{faulty}, line" in (said := capsys.readouterr().err) and "values.1.name" in said
    assert main(["brand", "check", str(LVYE), "-a", str(small_archive(tmp_path))]) == 2
    assert "expected posts of the accounts of lvye" in capsys.readouterr().err


def test_labelled_posts_are_examples_at_once(scorer: Scorer, brand: BrandProfile, tmp_path: Path) -> None:
    text = "老周把压弯的黄瓜腌成了小菜，一罐也没剩"
    path = labels(
        tmp_path,
        {"text": text, "grade": 3, "expresses": ["no_waste"]},
        {"text": "桃子卖相不好，一车车推进了沟", "grade": 0, "contradicts": ["no_waste"]},
        {"text": "工钱晚了两个月", "grade": 0, "contradicts": ["wages"]},
        {"text": "别家的帖子", "grade": 3, "expresses": ["no_waste"], "brand": "other"},
    )
    (told,), problems = with_labelled([brand], [path])
    value = told.values[4]
    assert (
        value.examples_on == (*brand.values[4].examples_on, text)
        and len(value.examples_off) == len(brand.values[4].examples_off) + 1
    )
    assert [(one.row, "wages" in one.reason) for one in problems] == [(3, True)]
    assert told.digest != brand.digest
    near = text.replace("老周", "老王")
    before, after = (scorer.score(near, brand=one).coherence.values["no_waste"].p_expresses for one in (brand, told))
    assert after > before


def test_label_files_of_other_brands_are_refused_and_many_are_cut(brand: BrandProfile, tmp_path: Path) -> None:
    many = [
        {"text": f"第{i}天把剩下的{'菜' * (i + 1)}都做成了汤", "grade": 3, "expresses": ["no_waste"]}
        for i in range(MOST + 4)
    ]
    (told,), _ = with_labelled([brand], [labels(tmp_path, *many)])
    assert len(told.values[4].examples_on) == MOST + len(brand.values[4].examples_on)
    with pytest.raises(InputError, match="expected labelled posts of lvye, found other"):
        with_labelled([brand], [labels(tmp_path, {"text": "别家的帖子", "grade": 1, "brand": "other"})])


def test_the_smallest_removal_that_raises_the_grade_comes_first(scorer: Scorer, brand: BrandProfile) -> None:
    draft = "三号地休耕一年，种了紫云英养地。收购价临时又压了三毛，农户的货款也拖着不给，爱卖不卖。明天店里见。"
    before, removals = scorer.score(draft, brand=brand), scorer.removals(draft, brand=brand)
    assert "".join(one.text for one in sorted(removals, key=lambda one: one.span.start)) == draft
    first = removals[0]
    assert "压了三毛" in first.text and first.score.coherence.grade > before.coherence.grade
    alone = scorer.score(draft.replace(first.text, ""), brand=brand)
    assert first.score.coherence.grade == alone.coherence.grade
    assert first.score.coherence.score == pytest.approx(alone.coherence.score, abs=0.1)
    assert scorer.removals("明天店里见", brand=brand) == []


def test_score_tells_removals_where_it_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "score",
        "地的工钱单列一栏，晚到的那几户也补上。卖相不好的桃子一车车推进沟里。",
        "--brand",
        str(LVYE),
        "--json",
    ]
    main(asked)
    assert "without" not in json.loads(capsys.readouterr().out)
    main([*asked, "--without"])
    told = json.loads(capsys.readouterr().out)["without"]
    assert {one["text"] for one in told} == {
        "地的工钱单列一栏，",
        "晚到的那几户也补上。",
        "卖相不好的桃子一车车推进沟里。",
    }
    assert told[0].keys() == {"start", "end", "text", "verdict", "quality", "coherence"}
