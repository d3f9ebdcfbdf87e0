"""The table of rewrites found by grade: what falls beyond chance is refused, what wavers is not."""

from pathlib import Path

import numpy as np
import pytest

from pinzhi.errors import InputError
from pinzhi.evaluation.gate import lowered, rewrites_found
from pinzhi.evaluation.grades import check, fallen, found_by_grade, read_accepted
from pinzhi.heads.predict import Heads
from pinzhi.paths import labels, models
from pinzhi.segment import Segmenter
from pinzhi.training.data import PairRow


def first(n: int) -> np.ndarray:
    return np.arange(100) < n


def test_rewrites_are_found_above_nearly_all_independent_pairs() -> None:
    score = np.linspace(0, 1, 101)
    assert rewrites_found(np.ones(101, bool), score).sum() == 5


@pytest.mark.parametrize(
    ("before", "after", "falls"), [(90, 90, False), (90, 95, False), (90, 87, False), (90, 80, True)]
)
def test_a_row_falls_beyond_chance_or_not(before: int, after: int, falls: bool) -> None:
    found = lowered({"all": first(before)}, {"all": first(after)})
    assert [(row.name, row.n, row.before, row.after) for row in found] == [
        ("all", 100, before / 100, after / 100)
    ] * falls


def test_pairs_that_swap_are_chance_and_each_row_stands_alone() -> None:
    before = first(50)
    swapped = np.roll(before, 8)  # eight lost, eight won
    assert lowered({"all": before}, {"all": swapped}) == ()
    table = {"falls": before, "stays": first(40)}
    assert [row.name for row in lowered(table, {"falls": first(40), "stays": first(40)})] == ["falls"]


def test_the_accepted_table_is_compared_pair_by_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = tmp_path / "grades.json"
    good = {"5": {f"p{i}": i < 40 for i in range(60)}}
    poor = {"5": {f"p{i}": i < 25 for i in range(60)}}
    assert check(accepted, good, {}) == ()  # nothing was accepted before
    assert check(accepted, good, {"originality": "v1"}, is_written=True) == () and read_accepted(accepted) == good
    (row,) = check(accepted, poor, {})
    assert (row.name, row.before, row.after) == ("5", 0.6667, 0.4167)
    assert "| 5 | 0.417 | 0.667 | 60 |" in capsys.readouterr().out
    others = {"5": {f"q{i}": False for i in range(60)}, "4": {"p0": False}}
    assert fallen(good, others) == ()  # pairs that nobody was asked about before
    accepted.write_text('{"found": {"5": [1]}}', "utf-8")
    with pytest.raises(InputError, match="--write"):
        read_accepted(accepted)


def test_models_are_asked_about_pairs_and_know_what_was_accepted() -> None:
    story = "凌晨四点去码头等船，带鱼二十八一斤，挑了三条，船老大多送了一把小黄鱼，回家清蒸，孩子吃了两碗饭。"
    other = "地铁口的修表摊今天收了，师傅说租金涨得比手表贵，以后只在家里接活。"
    light = story.replace("去码头等船", "到码头等船靠岸").replace("回家清蒸", "到家就蒸")
    pairs = [
        PairRow(story, light, "rewrite", 1, "synonyms", "a"),
        PairRow(story, other, "rewrite", 5, "another_story", "a"),
        *(PairRow(story, text, "original", None, "topic", "a") for text in (other, "带鱼涨价了，谁知道哪里便宜")),
    ]
    found = found_by_grade(Heads.load(models(), Segmenter()), pairs)
    assert [[*row.values()] for row in found.values()] == [[True], [False]] and [*found] == ["1", "5"]
    assert [*read_accepted(labels().parent / "grades.json")] == ["1", "2", "3", "4", "5"]
