"""What is on top of the encoder: comments meet their own post and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pinzhi import Scorer
from pinzhi.config import ScoreConfig
from pinzhi.heads import precision, predict
from pinzhi.heads.modules import ByteDropout, Context, ContextReader
from pinzhi.heads.predict import Heads
from pinzhi.paths import models
from pinzhi.segment import Segmenter
from pinzhi.training.checkpoints import last_whole


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads.load(models(), Segmenter())


def test_a_comment_is_read_with_its_own_post_alone(heads: Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["真的好吃", "客服不理人", "求链接", "真的好吃", "哈哈哈哈哈", "已经下单三次了"]
    posts = ["新米上市", "新米上市", "", "三号地休耕种紫云英，少收四万斤谷", "", "三号地休耕种紫云英，少收四万斤谷"]
    together = heads.comments(texts, posts)
    alone = [heads.comments([text], [post]) for text, post in zip(texts, posts, strict=True)]
    for task in range(2):
        np.testing.assert_allclose(together[task], np.concatenate([one[task] for one in alone]), atol=2e-5)
    monkeypatch.setattr(predict, "POSTS_AT_ONCE", 1)
    for task, said in enumerate(heads.comments(texts, posts)):
        np.testing.assert_allclose(together[task], said, atol=2e-5)
    assert not np.allclose(together[1][0], together[1][3], atol=1e-4), "the post makes no difference"


def test_short_floats_say_nearly_the_same_and_what_they_made_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine has none in hardware, torch imitates them."""
    monkeypatch.setattr(precision, "has_short_floats", lambda: True)
    single, short = Heads.load(models(), Segmenter()), Heads.load(models(), Segmenter(), is_short=True)
    texts = ["真的好吃，回购第三次了", "客服让我等，等到了下一代", "求链接"]
    pairs = [("三号地休耕种紫云英，少收四万斤谷", "今年三号田不种稻，撒了紫云英")]
    found = [
        (*heads.comments(texts, ["新米上市"] * 3), heads.coherence(texts, heads.encode_values(["土地要歇"]), 0.1)[0],
         heads.read_pairs(pairs))
        for heads in (single, short)
    ]  # fmt: skip
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=0.1)
        assert not np.array_equal(one, other), "nothing was multiplied in short floats"
        assert one.dtype == other.dtype == np.float32
    config = ScoreConfig.load()
    wanted = config.model_copy(update={"models": config.models.model_copy(update={"short_floats": True})})
    assert Scorer.load(config).index_id != Scorer.load(wanted).index_id
    monkeypatch.setattr(precision, "has_short_floats", lambda: False)
    assert Scorer.load(config).index_id == Scorer.load(wanted).index_id


def test_padding_of_the_context_is_not_read() -> None:
    torch.manual_seed(1)
    reader = ContextReader(16)
    hidden, post = torch.randn(1, 3, 16), torch.randn(1, 4, 16)
    one = reader(hidden, torch.ones(1, 3), Context(post, torch.ones(1, 4), torch.tensor([0])))
    padded, mask = torch.cat([post, 9 * torch.ones(1, 5, 16)], 1), torch.tensor([[1.0] * 4 + [0.0] * 5])
    assert torch.allclose(one, reader(hidden, torch.ones(1, 3), Context(padded, mask, torch.tensor([0]))), atol=1e-6)


def test_a_checkpoint_that_was_cut_is_not_gone_on_with(tmp_path: Path) -> None:
    assert last_whole(tmp_path) is None
    for step, state in ((9, json.dumps({"global_step": 9})), (10, '{"global_st'), (11, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state, "utf-8")
    assert last_whole(tmp_path) == str(tmp_path / "checkpoint-9")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-9"]


def test_what_is_shipped_stays_small() -> None:
    """With an older version left beside each new one it would double."""
    size = sum(path.stat().st_size for path in models().rglob("*") if ".training" not in path.parts and path.is_file())
    assert size < 30_000_000, "remove versions that are no longer in use"


def test_dropped_bytes_leave_the_mean_and_everything_where_nothing_is_trained() -> None:
    torch.manual_seed(5)
    drop, ones = ByteDropout(0.1), torch.ones(333, 1001)
    assert torch.equal(drop.eval()(ones), ones) and torch.equal(ByteDropout(0.0).train()(ones), ones)
    one, other = drop.train()(ones), drop(ones)
    for dropped in (one, other):
        assert float(dropped.mean()) == pytest.approx(1, abs=0.005)
        assert float((dropped == 0).float().mean()) == pytest.approx(0.1, abs=0.005)
        assert len(dropped.unique()) == 2
    assert float(((one == 0) & (other == 0)).float().mean()) == pytest.approx(0.01, abs=0.002), "each by itself"
    assert drop(torch.ones(3)).shape == (3,)
