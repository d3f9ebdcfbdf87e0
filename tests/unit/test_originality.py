"""Which candidates are read together with a post, and what reading adds to the evidence."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from pinzhi.evaluation.evaluate import word_reader
from pinzhi.heads.modules import PairJudge
from pinzhi.heads.predict import Heads
from pinzhi.originality.evidence import FEATURES, pair_features
from pinzhi.originality.rows import IndexRows
from pinzhi.originality.search import Limits, Search
from pinzhi.originality.words import WordReader
from pinzhi.paths import labels, models
from pinzhi.segment import Segmenter
from pinzhi.training.data import read_pairs, split

EARLIER = ["凌晨四点去码头等船", "船靠岸就挑带鱼", "今天的雾很大", "渔港的早饭摊", "潮水表贴在门上"]


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads.load(models(), Segmenter())


class Recorder:
    """A judge of pairs whose first number is the probability of an original; it remembers what it was given to read."""

    def __init__(self, says: list[float]) -> None:
        self.says = says
        self.read: list[tuple[str, str]] = []

    def __call__(self, features: np.ndarray, pairs: Sequence[tuple[str, str]] | None = None) -> np.ndarray:
        if pairs is None:
            return features[:, :4].copy()
        self.read += pairs
        return np.tile(np.array(self.says), (len(pairs), 1))


def judged(
    said: list[list[float]], most: int, monkeypatch: pytest.MonkeyPatch, *, n_before: int = 5, clears: bool = False
) -> tuple[np.ndarray, list[str]]:
    """Probabilities of five candidates after reading, and the earlier texts that were read; the last ones may be of unclear order,
    and reading may clear whatever it sees."""
    judge = Recorder([0.97, 0.0, 0.03, 0.0] if clears else [0.1, 0.0, 0.9, 0.0])
    rows = SimpleNamespace(texts=EARLIER, embedding=np.zeros((5, 1)))
    later = SimpleNamespace(texts=["四点的码头"], embedding=np.zeros((1, 1)))
    search = Search(cast(WordReader, lambda texts: list(texts)), judge, Limits(candidates=8, read=most))
    given = iter(np.pad(np.array(said), ((0, 0), (0, len(FEATURES) - 4))))
    monkeypatch.setattr("pinzhi.originality.search.pair_features", lambda *_: next(given))
    before, beside = [[0, 1, 2, 3, 4][:n_before]], [[0, 1, 2, 3, 4][n_before:]]
    (found,) = search._judge_all(cast(IndexRows, later), cast(IndexRows, rows), before, beside)
    assert all(post == "四点的码头" for _, post in judge.read)
    return found.p, [earlier for earlier, _ in judge.read]


def test_the_likeliest_sources_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [[0.9, 0, 0.1, 0], [0.5, 0.1, 0.4, 0], [0.7, 0, 0.3, 0], [0.95, 0, 0.05, 0], [0.8, 0, 0.2, 0]]
    p, read = judged(said, 2, monkeypatch)
    assert sorted(read) == sorted([EARLIER[1], EARLIER[2]])
    assert p[1, 2] == p[2, 2] == 0.9 and p[[0, 3, 4]].tolist() == [said[0], said[3], said[4]]
    assert judged(said, 9, monkeypatch)[0][:, 2].tolist() == [0.9] * 5


def test_sure_copies_and_strangers_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [[0.01, 0.99, 0, 0], [0.995, 0, 0.005, 0], [0.99, 0, 0.01, 0], [0.6, 0, 0.4, 0], [1.0, 0, 0, 0]]
    p, read = judged(said, 5, monkeypatch)
    assert read == [EARLIER[3]] and p[0].tolist() == said[0]


def test_what_was_not_read_does_not_outdo_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [[0.05, 0, 0.95, 0], [0.08, 0, 0.92, 0], [0.3, 0, 0.7, 0], [0.7, 0, 0.3, 0], [0.99, 0, 0.01, 0]]
    p, read = judged(said, 2, monkeypatch, clears=True)
    assert read == EARLIER[:3], "the third led, so it had to be read; the fourth was never taken for a source"
    assert (p[:3, 0] == 0.97).all() and p[3].tolist() == said[3]


def test_posts_of_unclear_order_are_read_last(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [[0.4, 0, 0.6, 0], [0.45, 0, 0.55, 0], [0.01, 0.99, 0, 0], [0.02, 0.98, 0, 0], [0.3, 0, 0.7, 0]]
    assert judged(said, 2, monkeypatch, n_before=2)[1][:2] == EARLIER[:2]


def test_factors_weigh_evidence_and_reading() -> None:
    judge = PairJudge(8, len(FEATURES)).eval()
    features, read = torch.rand(3, len(FEATURES)), torch.randn(3, 4)
    with torch.no_grad():
        judge.factors.copy_(torch.tensor([0.5, 2.0]))
        assert torch.allclose(judge(features, read), 0.5 * judge.evidence(features) + 2 * read)
        assert torch.equal(judge(features), judge.evidence(features))


def test_pairs_are_read_in_their_direction_and_alike_in_any_company(heads: Heads) -> None:
    texts = [*EARLIER, "凌晨四点去码头等船" * 30, "嗯"]
    pairs = [(a, b) for a in texts for b in texts[:3]]
    together = heads.read_pairs(pairs)
    alone = np.concatenate([heads.read_pairs([pair]) for pair in pairs])
    np.testing.assert_allclose(together, alone, atol=1e-3)
    assert not np.allclose(
        heads.read_pairs([(texts[0], texts[1])]), heads.read_pairs([(texts[1], texts[0])]), atol=1e-3
    )


def test_rewrites_without_shared_words_are_found_by_reading(heads: Heads) -> None:
    """Of grade 5, beside posts that share the topic of their source alone; no dev topic was trained on."""
    pairs, _ = read_pairs(labels())
    _, dev = split(pairs, [row.group for row in pairs])
    far, others = [row for row in dev if row.grade == 5], [row for row in dev if row.label == "original"]
    shown = [*far, *others[: len(far)]]
    logits = torch.from_numpy(heads.read_pairs([(row.earlier, row.later) for row in shown]))
    derived = logits.softmax(-1)[:, 1:3].sum(-1).numpy()
    assert len(far) > 50
    score = roc_auc_score(np.arange(len(shown)) < len(far), derived)
    assert score > 0.75


def test_the_first_of_several_sources_says_what_the_likeliest_says(heads: Heads) -> None:
    pairs = [
        "挑白菜先掂分量，同样大小挑沉的，根部发白是新砍的，发褐的至少放了五天。",
        "荠菜就这半个月，田埂老茶园里最多，公园草坪别挖，打过除草剂；包馄饨焯二十秒，不放葱。",
        "荠菜就这半个月🥬田埂、老茶园里最多，公园草坪别挖，打过除草剂；包馄饨焯二十秒，不放葱！",
    ]
    vectors, _ = heads.posts(pairs)
    others = SimpleNamespace(
        texts=pairs, embedding=vectors, start=np.array([1, 2, 3]), keys=[("weibo", str(at)) for at in range(3)]
    )
    search = Search(word_reader(heads), heads.judge, Limits(candidates=8, read=2))
    assert search._alike(cast(IndexRows, others), [0, 1, 2], [0, 1, 2], best=2) == [1, 2]
    assert search._alike(cast(IndexRows, others), [0, 1, 2], [0, 2], best=2) == [2]
    assert search._alike(cast(IndexRows, others), [0, 1, 2], [], best=2) == []


def test_clauses_that_all_hold_numbers_do_not_make_texts_alike(heads: Heads) -> None:
    said = ["冰箱里只剩4个鸡蛋，下楼买了3斤青菜，一共花了28块", "今天早上在河边慢跑了5公里，遇见2只白鹭，到家7点半"]
    earlier, later = word_reader(heads)(said)
    evidence = pair_features(earlier, later, 0.0)
    assert evidence[FEATURES.index("same_skeleton")] == 0
    assert heads.judge(evidence[None], [(said[0], said[1])])[0, 0] > 0.9
