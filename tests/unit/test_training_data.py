"""What is learnt from public sets, and what must not be."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pinzhi.segment import Segmenter
from pinzhi.text import normalise
from pinzhi.training.corpus import build_corpus
from pinzhi.training.data import (
    AUTHENTICITIES,
    NEGATIVE,
    POLAR,
    POSITIVE,
    PUBLIC_LABELS,
    PUBLIC_SETS,
    CommentRow,
    PairRow,
    is_dev,
    read_coherence,
    read_comments,
    read_likenesses,
    read_pairs,
    read_public,
)
from pinzhi.training.multitask import naming_loss, order_loss
from pinzhi.training.settings import CorpusSettings
from tests.conftest import ROOT


def write(path: Path, **columns: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def one_set(path: str, data: Path, **columns: list[object]) -> list[CommentRow]:
    write(data / path / "train.parquet", **columns)
    return read_public(data, "train", [one for one in PUBLIC_SETS if one.path == path])


def test_reviews_say_praise_or_blame_and_nothing_of_neutral(tmp_path: Path) -> None:
    bad, good = one_set("sentiment/waimai_10k", tmp_path, text=["太慢", "很快"], label=[0, 1])
    assert bad.sentiment and bad.sentiment.allowed == (NEGATIVE,) and bad.sentiment.among == POLAR
    assert good.sentiment and good.sentiment.allowed == (POSITIVE,) and good.authenticity is None
    assert [PUBLIC_LABELS[row.public.allowed[0]] for row in (bad, good) if row.public] == [
        ("waimai_10k", "0"), ("waimai_10k", "1"),
    ]  # fmt: skip
    assert good.public and {PUBLIC_LABELS[i][0] for i in good.public.among} == {"waimai_10k"}


def test_moods_that_are_neither_teach_their_own_set_alone(tmp_path: Path) -> None:
    fear, surprise = one_set(
        "emotion/smp2020_ewect", tmp_path, text=["好怕", "天哪"], label=["fear", "surprise"], domain=["usual", "usual"]
    )
    assert fear.sentiment and fear.sentiment.allowed == (NEGATIVE,)
    assert surprise.sentiment is None and surprise.public


def test_what_is_no_advertisement_may_be_anything_else(tmp_path: Path) -> None:
    talk, advertisement = one_set("spam/group_chat_ads", tmp_path, text=["在吗", "加我领券"], label=[0, 1])
    spam = AUTHENTICITIES.index("spam")
    assert advertisement.authenticity and advertisement.authenticity.allowed == (spam,)
    assert talk.authenticity and spam not in talk.authenticity.allowed and len(talk.authenticity.allowed) == 4


def test_rows_whose_licence_forbids_commercial_use_are_left_out(tmp_path: Path) -> None:
    rows = one_set(
        "rumor/weibo_rumor", tmp_path, text=["一", "二", "三"], label=[0, 1, 1], source=["CED", "CHECKED", "EANN_weibo"]
    )
    assert [row.text for row in rows] == ["一", "三"]
    with pytest.raises(KeyError):  # better no training than one that cannot tell
        one_set("rumor/weibo_rumor", tmp_path, text=["一"], label=[0])


def test_a_mixture_with_forbidden_rows_reaches_neither_corpus_nor_pairs(tmp_path: Path) -> None:
    settings = CorpusSettings(exclude_sources=(), max_characters=400, code_dropout=0.0, raw_text={})
    write(tmp_path / "threads" / "ced" / "train.parquet", text=["今天的茶园很安静"], items=[[{"text": "明天还来看看"}]])
    for name in ("lcqmc", "simclue_mix", "bq_corpus", "afqmc", "atec", "oppo_xiaobu", "pawsx_zh"):
        write(
            tmp_path / "paraphrase" / name / "train.parquet",
            text_a=[f"{name}的甲说今天很安静"], text_b=[f"{name}的乙说今天很安静"], label=[1],
        )  # fmt: skip
    write(
        tmp_path / "similarity" / "stsb_zh" / "train.parquet",
        text_a=["一只猫", "一只猫"], text_b=["两只猫", "一条狗"], label=[4.0, 0.0],
    )  # fmt: skip
    sources = pq.read_table(build_corpus(tmp_path, tmp_path, settings, Segmenter()))["source"].to_pylist()
    assert "paraphrase/lcqmc" in sources and "paraphrase/simclue_mix" not in sources
    pairs = dict(read_likenesses(tmp_path))
    assert "paraphrase/lcqmc" in pairs and "paraphrase/simclue_mix" not in pairs
    assert [likeness for _, _, likeness in pairs["similarity/stsb_zh"]] == [0.8, 0.0]


def test_training_texts_of_every_permitted_set_reach_the_corpus(tmp_path: Path) -> None:
    settings = CorpusSettings(exclude_sources=(), max_characters=400, code_dropout=0.0, raw_text={})
    write(tmp_path / "threads" / "ced" / "train.parquet", text=["今天的茶园很安静"], items=[[{"text": "明天还来看看"}]])
    rumours = {"CED": "桥下的水今晚要断三天", "CHECKED": "官方说今晚的水不会断"}
    write(
        tmp_path / "rumor" / "weibo_rumor" / "train.parquet",
        text=list(rumours.values()), label=[1, 0], source=list(rumours),
    )  # fmt: skip
    for name in ("cmnli_zh", "ocnli"):
        write(
            tmp_path / "nli" / name / "train.parquet",
            text_a=[f"{name}的人都坐在店里"], text_b=[f"{name}的店里没有人坐"], label=["contradiction"],
        )  # fmt: skip
    corpus = pq.read_table(build_corpus(tmp_path, tmp_path, settings, Segmenter())).to_pylist()
    assert [row["source"] for row in corpus if row["source"] != "ced"] == ["nli/cmnli_zh"] * 2 + ["rumor/weibo_rumor"]
    assert corpus[-1]["words"].replace(" ", "") == rumours["CED"]


def test_our_own_train_rows_reach_the_corpus_and_no_dev_text(tmp_path: Path) -> None:
    for kind, part in (("comments", "g"), ("coherence", "i"), ("originality", "l")):
        (tmp_path / "labels" / kind).mkdir(parents=True)
        (tmp_path / "labels" / kind / part).symlink_to(ROOT / "data" / "labels" / kind / part)
    write(tmp_path / "threads" / "ced" / "train.parquet", text=["今天的茶园很安静"], items=[[{"text": "明天还来看看"}]])
    settings = CorpusSettings(
        exclude_sources=(), max_characters=4000, code_dropout=0.0, raw_text={}, labels=str(tmp_path / "labels")
    )
    corpus = pq.read_table(build_corpus(tmp_path, tmp_path, settings, Segmenter()))
    said = {words.replace(" ", "") for words in corpus["words"].to_pylist()}
    texts: dict[bool, set[str]] = {True: set(), False: set()}
    (posts, _), (pairs, manners) = read_coherence(tmp_path / "labels"), read_pairs(tmp_path / "labels")
    for row in (*read_comments(tmp_path / "labels"), *posts, *pairs, *manners):
        shown = (row.earlier, row.later) if isinstance(row, PairRow) else (row.text, getattr(row, "post", ""))
        texts[is_dev(row.group)] |= {"".join(normalise(text).text.split()) for text in shown}
    assert all(len(side) > 100 for side in texts.values())
    assert not said & texts[True]
    assert len(said & texts[False]) > 0.8 * len(texts[False] - texts[True])


def test_rows_know_the_platform_of_their_post() -> None:
    labels = ROOT / "data" / "labels"
    assert {"weibo", "tieba", "qq"} < {row.platform for row in read_comments(labels)}
    pairs, _ = read_pairs(labels)
    assert {"weibo", "zhihu"} < {row.platform for row in pairs} and all(row.platform for row in pairs)


def test_texts_of_one_account_stay_on_one_side() -> None:
    rows = [
        json.loads(line)
        for line in (ROOT / "data/labels/originality/o/templates.jsonl").read_text("utf-8").splitlines()
    ]
    groups = {row.text: row.group for row in read_pairs(ROOT / "data" / "labels")[1]}
    assert {groups[row["text"]] for row in rows} == {f"o/{row['account_id']}" for row in rows}
    assert 0 < sum(is_dev(group) for group in {groups[row["text"]] for row in rows}) < 10
    told: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if "pair_id" in row:
            told.setdefault(row["pair_id"], []).append(row)
    assert len(told) == 60
    for own, template in told.values():
        assert (own["manner"], template["manner"]) == ("own", "template")
        assert groups[own["text"]] == groups[template["text"]]


def test_the_order_of_likeness_is_what_costs() -> None:
    likeness = torch.tensor([1.0, 0.5, 0.0, 0.0])
    right, wrong = torch.tensor([9.0, 5.0, 1.0, 0.0]), torch.tensor([0.0, 1.0, 5.0, 9.0])
    assert order_loss(right, likeness) < 0.1 < 4 < order_loss(wrong, likeness)
    assert order_loss(right, torch.ones(4)) == 0, "equal pairs have no order"
    assert np.isclose(float(order_loss(torch.zeros(2), torch.tensor([1.0, 0.0]))), np.log(2))


def test_the_named_value_is_told_from_the_others_of_its_post() -> None:
    of_post = torch.tensor([0, 0, 0, 1, 1])
    named, other = torch.tensor([1, 0, 0, 0, 0]).bool(), torch.tensor([0, 1, 1, 1, 0]).bool()

    def loss(score: list[float]) -> float:
        return float(naming_loss(torch.tensor(score), named, other, of_post))

    assert np.isclose(loss([0.0, 0.0, 0.0, 9.0, 9.0]), np.log(3)), "a post that names nothing has no say"
    assert loss([5.0, 0.0, 0.0, 0.0, 0.0]) < 0.1 < 4 < loss([0.0, 5.0, 0.0, 0.0, 0.0])
    assert float(naming_loss(torch.zeros(5), torch.zeros(5).bool(), other, of_post)) == 0
