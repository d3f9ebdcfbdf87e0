"""Whether a post has to do with a value at all."""

import copy

import numpy as np
import pytest
import torch

from pinzhi.heads.modules import Relevance
from pinzhi.heads.predict import Heads
from pinzhi.paths import models
from pinzhi.segment import Segmenter
from pinzhi.training.data import CoherenceRow, Value
from pinzhi.training.relevance import fit_relevance

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
    fresh = Relevance(heads.encoder.hidden_size)
    fitted = copy.deepcopy(fresh)
    fit_relevance(heads.encoder, fitted, ROWS, VALUES, seed=1)
    again = copy.deepcopy(fresh)
    fit_relevance(heads.encoder, again, ROWS, VALUES, seed=1)
    assert torch.equal(fitted.embed.project.weight, again.embed.project.weight)
    assert torch.allclose(fitted.others.norm(dim=1), torch.ones(Relevance.N_OTHERS), atol=1e-5)
    fresh.others.copy_(fitted.others)

    def read(text: str, role: str) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.tensor([heads.encoder.single(heads.encoder.token_ids([text])[0], role)])
        return heads.encoder.hidden(ids, torch.ones_like(ids)), torch.ones_like(ids)

    @torch.no_grad()
    def gap(relevance: Relevance) -> float:
        said: dict[bool, list[float]] = {True: [], False: []}
        for row in ROWS:
            post = read(row.text, "post")
            for value in VALUES[row.brand]:
                said[value.key in row.expresses].append(float(relevance(*read(value.text, "value"), *post)))
        return float(np.mean(said[True]) - np.mean(said[False]))

    assert gap(fitted) > gap(fresh) + 0.5


def test_what_is_like_a_value_beyond_others_is_relevant() -> None:
    torch.manual_seed(2)
    relevance = Relevance(8)
    relevance.others.copy_(torch.nn.functional.normalize(torch.randn(Relevance.N_OTHERS, 8), dim=-1))
    post, mask = torch.randn(1, 3, 8), torch.ones(1, 3)
    with torch.no_grad():
        same, apart = (float(relevance(value, mask, post, mask)) for value in (post, -post))
    assert same > 1 > -1 > apart
