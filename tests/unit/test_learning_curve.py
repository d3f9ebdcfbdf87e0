"""Whether more labelled brands would help."""

import numpy as np

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.store import open_active
from pinzhi.paths import configs, models
from pinzhi.training.data import CoherenceRow
from pinzhi.training.learning_curve import DRAWS, SHARES, draws, learning_curve
from pinzhi.training.settings import ProbeSettings

SAID = ("退款拖了三个月，客服拉黑", "今天天气不错", "我们始终相信匠心", "坏了的伞寄回来，师傅免费换了伞骨")


def rows(brands: int, first: int = 0) -> list[CoherenceRow]:
    return [
        CoherenceRow(f"{text}，第{brand}家", f"a/b{brand}", grade, (), (), None, group=f"a/g{brand // 2}")
        for brand in range(first, first + brands) for grade, text in enumerate(SAID)
    ]  # fmt: skip


def test_brands_that_share_texts_come_together_and_each_share_is_drawn_anew() -> None:
    train = rows(64)
    drawn = list(draws(train, seed=1))
    assert len(drawn) == DRAWS * (len(SHARES) - 1) + 1
    groups = [{train[at].group for at in one} for one in drawn]
    assert [len(one) for one in groups] == [2] * DRAWS + [4] * DRAWS + [8] * DRAWS + [16] * DRAWS + [32]
    assert all(len(at) == len(SAID) * 2 * len(of) for at, of in zip(drawn, groups, strict=True))
    assert groups[3] != groups[4] and all(
        np.array_equal(a, b) for a, b in zip(drawn, draws(train, seed=1), strict=True)
    )


def test_what_is_plain_is_learnt_from_few_brands() -> None:
    settings = ProbeSettings.load(configs() / "train" / "probe.toml")
    encoder = Encoder.load(open_active(models(), "encoder").folder)
    points = list(learning_curve(encoder, rows(16), rows(4, first=20), settings))
    assert [point.brands for point in points][-1] == 16 and points[-1].posts == 64
    assert points[-1].auroc_expresses == points[-1].contradiction_ap == 1
