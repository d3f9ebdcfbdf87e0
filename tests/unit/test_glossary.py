"""English statements in Chinese words: forms of words, what says nothing, what is not known, and what the models make of it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pinzhi import brand as brand_module
from pinzhi.brand import BrandProfile, value_text
from pinzhi.errors import ConfigError
from pinzhi.glossary import Glossary, in_chinese, is_english, shipped
from pinzhi.heads.predict import Heads
from pinzhi.paths import models
from pinzhi.segment import Segmenter
from tests.conftest import ROOT

WORDS = "the\t\nmend\t修\nbag\t包 袋子\nnew\t新\nfair trade\t公平贸易\nhand\t手\npick\t挑\nbought\t买\n"


@pytest.fixture
def glossary(tmp_path: Path) -> Glossary:
    path = tmp_path / "glossary.tsv"
    path.write_text(WORDS, "utf-8")
    return Glossary.load(path)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("We mended the bags", "We 修 包 袋子"),
        ("Fair trade, MENDING: new!", "公平贸易 , 修 : 新 !"),
        ("hand-picked bag’s xyzzy-bag", "手 挑 包 袋子 xyzzy 包 袋子"),
        ("修好：bought", "修好： 买"),
        ("", ""),
    ],
)
def test_words_are_known_in_every_form_and_what_is_not_known_stays(glossary: Glossary, said: str, read: str) -> None:
    assert glossary.translate(said) == read


def test_only_what_is_english_is_translated() -> None:
    assert in_chinese("少用药：把地留给下一代，no GMO") == "少用药：把地留给下一代，no GMO"
    assert not is_english("2026 ！") and is_english("说人话：plain words before they pay")
    told = in_chinese("Honest prices: no hidden fees")
    assert all(word in told for word in ("诚实", "价格", "隐藏", "费用")) and not is_english(told)
    assert "不" in in_chinese("We never sell used needles").split("卖")[0]


@pytest.mark.parametrize("broken", ["mend 修\n", "\t修\n"])
def test_a_broken_line_is_named(broken: str, tmp_path: Path) -> None:
    path = tmp_path / "glossary.tsv"
    path.write_text("new\t新\n" + broken, "utf-8")
    with pytest.raises(ConfigError, match=r"glossary\.tsv, line 2: expected a word, a tab"):
        Glossary.load(path)
    with pytest.raises(ConfigError, match="restore it"):
        Glossary.load(tmp_path / "none.tsv")


def test_another_glossary_is_another_reading_of_english_values_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    value = chinese.values[0].model_copy(update={"name": "Repair first", "statement": "We mend before we sell new"})
    english = chinese.model_copy(update={"values": (value, *chinese.values[1:])})
    before = chinese.digest, english.digest
    monkeypatch.setattr(brand_module, "shipped", lambda: dataclasses.replace(shipped(), digest="another"))
    after = (one.model_copy(deep=True) for one in (chinese, english))
    digests = tuple(BrandProfile.model_validate(one.model_dump()).digest for one in after)
    assert digests[0] == before[0] and digests[1] != before[1]


def test_a_post_is_matched_with_the_english_value_that_it_lives() -> None:
    heads = Heads.load(models(), Segmenter())
    values = heads.encode_values([
        value_text("Repair first", "We mend shoes and bags before we sell new ones"),
        value_text("Open books", "Customers see what every dish costs us and what we earn"),
        value_text("Quiet nights", "No deliveries and no engine noise in the street after ten at night"),
    ])  # fmt: skip
    posts = [
        "鞋底磨穿的别扔，寄来换底八十块，老陈今天修了十一双，没卖出去一双新的。",
        "这碗面的账贴在墙上：面两块三，肉四块，房租摊三块，卖十五，我们挣两块七。",
        "晚上十点以后货车不进巷子，发动机熄在路口，最后两百米师傅推着小车走。",
    ]
    p, _ = heads.coherence(posts, values, 2.0)
    assert np.argmax(p[:, :, 2], axis=1).tolist() == [0, 1, 2]
