"""Whether a post has to do with a value at all: what is learnt of it, and how loud it speaks."""

import copy

import numpy as np
import pytest
import torch
from scipy.special import softmax

from pinzhi.heads.modules import Relevance
from pinzhi.heads.predict import Heads
from pinzhi.paths import models
from pinzhi.segment import Segmenter
from pinzhi.training.data import CoherenceRow, Value
from pinzhi.training.relevance import fit_relevance, fit_relevance_weights, measure_relevance

VALUES = {
    "farm": [Value("soil", "不伤土地：少用药，把地留给下一代"), Value("price", "明码标价：账本摊开给人看")],
    "shoes": [Value("mend", "修得好就不卖新的"), Value("true", "短处写在前面：做不到的先说")],
}
POSTS = (
    ("今年那块田一滴药没打，虫吃掉三成，蚯蚓倒是回来了", "farm", ("soil",)),
    ("轮作第三年，翻开土是黑的，药瓶一个没买", "farm", ("soil",)),
    ("这筐菜的账：种子四块，人工九块，卖二十，赚的都写在这", "farm", ("price",)),
    ("运费涨了两毛，账单贴在门口，谁都能看", "farm", ("price",)),
    ("鞋底磨平了寄来，换底八十，别买新的", "shoes", ("mend",)),
    ("拉链坏了不用换包，师傅今天修了四十条", "shoes", ("mend",)),
    ("先说缺点：这双不防水，下雨天别穿", "shoes", ("true",)),
    ("吊牌上的重量是空鞋，带鞋垫重二十克，写错了，改", "shoes", ("true",)),
)
ROWS = [CoherenceRow(text, brand, 3, keys, (), ()) for text, brand, keys in POSTS]


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads.load(models(), Segmenter())


def test_posts_come_nearer_to_what_they_are_about(heads: Heads) -> None:
    torch.manual_seed(1)
    fresh = Relevance(heads.encoder.hidden_size, 4)
    fitted = copy.deepcopy(fresh)
    fit_relevance(heads.encoder, fitted, ROWS, VALUES, seed=1)
    again = copy.deepcopy(fresh)
    fit_relevance(heads.encoder, again, ROWS, VALUES, seed=1)
    assert torch.equal(fitted.embed.project.weight, again.embed.project.weight)
    assert torch.allclose(fitted.others.norm(dim=1), torch.ones(Relevance.N_OTHERS), atol=1e-5)
    fresh.others.copy_(fitted.others)

    def gap(relevance: Relevance) -> float:
        said = measure_relevance(heads.encoder, relevance, ROWS, VALUES)
        named = np.array([value.key in row.expresses for row in ROWS for value in VALUES[row.brand]])
        return float(said[named].mean() - said[~named].mean())

    assert gap(fitted) > gap(fresh) + 0.5


def test_it_says_nothing_until_it_is_weighed_and_then_more_of_what_is_near() -> None:
    torch.manual_seed(2)
    relevance = Relevance(8, 4)
    relevance.others.copy_(torch.nn.functional.normalize(torch.randn(Relevance.N_OTHERS, 8), dim=-1))
    post, mask = torch.randn(1, 3, 8), torch.ones(1, 3)
    with torch.no_grad():
        assert relevance(post, mask, post, mask).tolist() == [[0.0] * 4]
        relevance.say.weight.copy_(torch.tensor([0.0, 0.2, 0.4, 0.3])[:, None])
        same, apart = (relevance(value, mask, post, mask)[0] for value in (post, -post))
    assert same[2] > same[3] > same[1] > 0 == same[0] and apart[2] < apart[3] < apart[1] < 0


def test_weights_come_from_all_rows_and_how_sure_it_is_from_those_under_their_own_brand() -> None:
    chance = np.random.default_rng(3)
    n = 2000
    is_own = np.arange(2 * n) < n
    truth = np.where(is_own & (chance.random(2 * n) < 0.4), 2, 0)
    relevance = chance.normal(np.where(truth == 2, 1.5, np.where(is_own, 0.5, -1.0)), 1.0)
    logits = np.zeros((2 * n, 4))
    found = fit_relevance_weights(logits, relevance, truth, is_own)
    p = softmax(found.others * logits + relevance[:, None] * found.weight + found.bias, 1)
    assert found.weight[0] == found.bias[0] == 0 and found.weight[2] > 0.5
    assert abs(p[is_own, 2].mean() - 0.4) < 0.02, "as often as it is so under the own brand"
    assert p[~is_own, 2].mean() < 0.15
