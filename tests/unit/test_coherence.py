"""Values and posts: what is read of both, what the post says alone, and the grade that follows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from pinzhi.decide import any_value, coherence
from pinzhi.evaluation.coherence import NEVER, Said, beside_deeds, evaluate_examples, evaluate_joined
from pinzhi.heads.modules import Relevance, ValueMatcher
from pinzhi.heads.ngrams import hash_ngrams
from pinzhi.heads.predict import Clauses, Heads
from pinzhi.labels import Grade
from pinzhi.paths import models
from pinzhi.segment import Segmenter
from pinzhi.training.data import CoherenceRow, Value, joined, read_coherence, split_posts
from pinzhi.training.multitask import grade_class, value_target
from pinzhi.training.settings import WideSettings
from pinzhi.training.wide import Examples, fit_wide

STORY = "番茄红了。今年三号地不打药，虫眼多，张婶带人一颗颗挑，挑剩的我们自己做成酱。"


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads.load(models(), Segmenter())


def matched(matcher: ValueMatcher, value: torch.Tensor, post: torch.Tensor, near: float = 0.5) -> torch.Tensor:
    of_value, of_post = (torch.ones(one.shape[:2]) for one in (value, post))
    of_any = matcher.of_any(post, of_post, hash_ngrams(["番茄"]))
    return matcher.weigh(matcher.parts(value, of_value, post, of_post, of_any, torch.tensor([near])))


def test_each_part_is_weighed_class_by_class() -> None:
    torch.manual_seed(3)
    matcher = ValueMatcher(16).eval()
    words = Examples(4, ["番茄红了", "番茄熟了", "番茄坏了"] * 3, [(2,), (2,), (3,)] * 3)
    matcher.alone.wide = fit_wide(words, WideSettings(strength=4.0, least=1))
    matcher.relevance.others.copy_(torch.nn.functional.normalize(torch.randn(Relevance.N_OTHERS, 16), dim=-1))
    value, other, post = torch.randn(1, 4, 16), torch.randn(1, 4, 16), torch.randn(1, 6, 16)

    def only(**loud: list[float]) -> None:
        matcher.weights.zero_()
        for part, weights in loud.items():
            matcher.weights[ValueMatcher.PARTS.index(part)] = torch.tensor(weights)

    with torch.no_grad():
        loud = {part: [0.3 * n, 0.5, 1.0, 0.1 * n] for n, part in enumerate(ValueMatcher.PARTS)}
        each = []
        for part, weights in loud.items():
            only(**{part: weights})
            each.append(matched(matcher, value, post))
        only(**loud)
        assert torch.allclose(matched(matcher, value, post), sum(each), atol=1e-5)
        assert not torch.allclose(matched(matcher, value, post), matched(matcher, other, post), atol=1e-3)
        matcher.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 7.0]))
        assert matched(matcher, value, post).argmax() == 3
        matcher.bias.zero_()
        only(deep=[1.0] * 4, wide=[1.0] * 4)
        assert torch.allclose(matched(matcher, value, post), matched(matcher, other, post, -2.0), atol=1e-6)
        only(nearness=[0.0, 1.0, 2.0, 1.0])
        assert matched(matcher, value, post, 0.5).tolist() == [[0.0, 0.5, 1.0, 0.5]]
        only(wide=[1.0] * 4)
        assert matched(matcher, value, post).argmax() == 2, "the grade that such words have had"


def test_a_post_is_scored_alike_alone_and_among_others(heads: Heads) -> None:
    texts = [STORY, "转发抽奖，抽三位送手机", "短", STORY * 3]
    values = heads.encode_values(["不伤土地：少用药，把地留给下一代", "Honest prices: no hidden fees"])
    together, spans = heads.coherence(texts, values, explain_from=0.05)
    for row, text in enumerate(texts):
        alone, its = heads.coherence([text], values, explain_from=0.05)
        np.testing.assert_allclose(together[row], alone[0], atol=2e-5)
        assert its[0] == spans[row]
    assert not np.allclose(together[0, 0], together[0, 1], atol=1e-3), "the value makes no difference"
    assert any(spans[0]) and not any(any(of) for of in heads.coherence(texts, values, NEVER)[1])


def test_clauses_leave_the_rest_of_the_text(heads: Heads) -> None:
    clauses = Clauses(STORY, heads.encoder)
    rest = clauses.without_each()
    assert len(rest) == len(clauses.spans) > 2
    for (first, last), text in zip(clauses.spans, rest, strict=True):
        assert len(text) == len(STORY) - (last - first) and STORY[first:last] not in text


def test_swapping_the_brand_changes_the_score(heads: Heads) -> None:
    farm = heads.encode_values(["不伤土地：少用药，把地留给下一代"])
    phone = heads.encode_values(["人人用得起：同样的芯片只卖一半的价钱"])
    (one,), _ = heads.coherence([STORY], farm, NEVER)
    (two,), _ = heads.coherence([STORY], phone, NEVER)
    assert one[0, 2] > two[0, 2] + 0.02


def test_an_example_in_the_profile_moves_posts_like_it_to_its_value(heads: Heads) -> None:
    declared = ["踏实：说到做到，不夸口", "敢试：新东西先做出来再说"]
    example = "果园里的虫子今年特别多，工人们一棵一棵树地捉，没有打药"
    plain, taught = (
        heads.encode_values(declared),
        heads.encode_values(declared, [[example], ["新机器转了三天，坏了两次"]]),
    )
    (before,), _ = heads.coherence([STORY], plain, NEVER)
    (after,), _ = heads.coherence([STORY], taught, NEVER)
    related = after[:, 1:].sum(1) - before[:, 1:].sum(1)
    assert related[0] > 0.01 and related[1] < -0.01


def value(expresses: float, contradicts: float = 0.0, touches: float = 0.0) -> dict[str, float]:
    return {"p_expresses": expresses, "p_contradicts": contradicts, "p_touches": touches}


def test_what_several_values_may_say_adds_up() -> None:
    unsure = 0.25
    assert coherence([value(0, unsure)])[1] is not Grade.CONTRADICTS
    assert coherence([value(0, unsure)] * 3)[1] is Grade.CONTRADICTS
    assert any_value([value(0, 0.5), value(0, 0.5)]).contradicts == pytest.approx(0.75)
    assert any_value([value(0.5), value(0.5)]).expresses == pytest.approx(0.75)
    assert any_value([value(0.5, 0.2)]).expresses == pytest.approx(0.4), "what contradicts does not express"
    assert any_value([value(0.7, 0.4, 0.2)]).related == pytest.approx(1.0)


def test_the_grade_is_the_likeliest() -> None:
    assert any_value([value(0.3), value(0.4), value(0.1, 0.2)]).grade is Grade.EXPRESSES
    assert any_value([value(0.3), value(0.4), value(0.1, 0.6)]).grade is Grade.CONTRADICTS
    assert any_value([value(0.1, touches=0.6), value(0.2, 0.1)]).grade is Grade.TOUCHES
    assert any_value([value(0.1), value(0.2, 0.1)]).grade is Grade.UNRELATED


def row(grade: int, touches: tuple[str, ...] | None, **listed: tuple[str, ...]) -> CoherenceRow:
    return CoherenceRow("文", "a/x", grade, listed.get("expresses", ()), listed.get("contradicts", ()), touches)


def test_what_is_known_of_each_value() -> None:
    def allowed(row: CoherenceRow) -> list[tuple[int, ...]]:
        return [value_target(row, key, True).allowed for key in ("soil", "price", "people")]

    assert allowed(row(3, (), expresses=("price",))) == [(0,), (2,), (0,)]
    assert allowed(row(0, (), expresses=("soil",), contradicts=("people",))) == [(2,), (0,), (3,)]
    assert allowed(row(2, ("people",))) == [(0,), (0,), (1,)]
    assert allowed(row(2, None)) == [(0, 1)] * 3, "some value is touched, nobody says which"
    assert allowed(row(3, None, expresses=("people",))) == [(0, 1), (0, 1), (2,)], "others may be touched too"
    assert [ValueMatcher.CLASSES[grade_class(row(grade, ()))] for grade in range(4)] == [
        "contradicts", "unrelated", "touches", "expresses",
    ]  # fmt: skip


class Follower:
    """Stands for `Heads`: knows nothing but the topic, the first letter, of the examples that it is shown."""

    def __init__(self) -> None:
        self.shown: list[list[list[str]]] = []

    def encode_values(self, values: list[str], examples: list[list[str]]) -> list[list[str]]:
        self.shown.append(examples)
        return examples

    def coherence(self, texts: list[str], examples: list[list[str]], explain_from: float) -> tuple[np.ndarray, list]:
        knows = [[any(text[0] == one[0] for one in of) for of in examples] for text in texts]
        chances = np.where(knows, 0.7, 0.1)
        return np.stack([1 - chances, 0 * chances, chances, 0 * chances], -1), []


def test_examples_are_counted_a_brand_and_never_asked_about() -> None:
    values = {"a/x": [Value("soil", "不伤土地"), Value("price", "价钱公道"), Value("people", "善待工人")]}
    topics = {"soil": "土", "price": "钱", "people": "人"}
    rows = [
        replace(row(3, (), expresses=(key,)), text=f"{topics[key]}{n}") for n in range(20) for key in topics
    ] + [replace(row(1, ()), text=f"别的{n}") for n in range(10)]  # fmt: skip
    few = [replace(one, brand="a/y") for one in rows[:10]]
    heads, both = Follower(), {**values, "a/y": values["a/x"]}
    report = evaluate_examples(heads, rows + few, both)  # type: ignore[arg-type]
    assert (report["brands"], report["n"]) == (1, len(rows) - 16), "a brand with few posts is left out"
    assert [sum(len(of) for of in examples) for examples in heads.shown] == [0, 4, 8, 16]
    assert report["0"]["auroc_value_expresses"]["value"] == 0.5 < report["16"]["auroc_value_expresses"]["value"] == 1.0
    assert evaluate_examples(heads, few, both) == {"brands": 0, "n": 0}  # type: ignore[arg-type]


def test_brands_that_are_shown_the_same_texts_stay_together(tmp_path: Path) -> None:
    folder = tmp_path / "coherence" / "a"
    folder.mkdir(parents=True)
    names = [f"b{i}" for i in range(40)]
    profiles = [
        {
            "id": name,
            "values": [{"id": "v", "name": "名", "statement": "话"}],
            **({"group": f"g{i // 2}"} if i < 20 else {}),
        }
        for i, name in enumerate(names)
    ]
    (folder / "brands.yaml").write_text(yaml.safe_dump(profiles, allow_unicode=True), "utf-8")
    (folder / "posts.jsonl").write_text(
        "".join(
            json.dumps({"text": f"{name} {n}" if n else "同一条", "brand": name, "grade": 1, "expresses": [], "contradicts": [],
                        "touches": [], "hard": False, "platform": "weibo"}) + "\n"
            for name in names for n in range(3)
        ), "utf-8",
    )  # fmt: skip
    rows, _ = read_coherence(tmp_path)
    train, dev = split_posts(rows)
    of_train, of_dev = ({row.group for row in part} for part in (train, dev))
    assert of_train and of_dev and not of_train & of_dev
    assert {row.group for row in rows if row.brand in ("a/b0", "a/b1")} == {"a/g0"}
    assert "同一条" in {row.text for row in dev} and "同一条" not in {row.text for row in train}
    assert len(train) == 2 * len({row.brand for row in train})


def test_a_deed_does_not_make_up_for_a_violation() -> None:
    deed = CoherenceRow("捐", "b", 3, ("care", "thrift"), (), None)
    breach = CoherenceRow("倒", "b", 0, ("care",), ("thrift",), ())
    chat, hint = CoherenceRow("早", "b", 1, (), (), None), CoherenceRow("想", "b", 2, (), (), ("thrift",))
    both = joined(deed, breach)
    assert (both.text, both.grade, both.expresses, both.contradicts) == ("捐\n倒", 0, ("care",), ("thrift",))
    assert joined(breach, deed).text == "倒\n捐" and joined(breach, deed).grade == 0
    assert joined(chat, hint).grade == 2 and joined(chat, hint).touches == ("thrift",)
    assert joined(deed, chat).touches is None, "what else the deed touches nobody has said"
    assert joined(chat, chat).grade == 1


def test_violations_are_asked_for_among_deeds_that_do_not_undo_them() -> None:
    deeds = [CoherenceRow(f"做{i}", "b", 3, ("care",), (), ()) for i in range(2)]
    breach = CoherenceRow("倒", "b", 0, (), ("thrift",), ())
    careless = CoherenceRow("骂", "b", 0, (), ("care",), ())
    alone = CoherenceRow("倒", "c", 0, (), ("thrift",), ())
    rows = [*deeds, breach, careless, alone, CoherenceRow("早", "b", 1, (), (), ())]
    pairs = beside_deeds(rows)
    assert [rows[number].text for number, _ in pairs] == ["做0", "做1", "倒"]
    assert {text for _, both in pairs for text in both.text.split("\n")} == {"做0", "做1", "倒"}

    def fooled(rows: Sequence[CoherenceRow]) -> Said:
        said = [0.1 if "做" in row.text else 0.9 for row in rows]
        scored = [{"thrift": np.array([1 - p, 0, 0, p])} for p in said]
        return Said(scored, np.zeros(len(rows)), np.array(said))

    report = evaluate_joined(rows[:3], {"pinzhi": fooled(rows[:3])}, {"pinzhi": fooled})
    assert report["alone"]["auroc_contradicts"]["pinzhi"]["value"] == 1 and report["alone"]["called_contradiction"] == 1
    assert report["joined"]["auroc_contradicts"]["pinzhi"]["value"] == 0.5
    assert report["joined"]["called_contradiction"] == 0 and (report["n"], report["n_deeds"]) == (1, 2)
