"""The wide part: n-grams that were seen vote, all others are silent."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pinzhi.heads.ngrams import NgramLinear, hash_ngrams, known_ngrams
from pinzhi.heads.predict import load_weights
from pinzhi.text import normalise
from pinzhi.training.finetune import half
from pinzhi.training.settings import WideSettings
from pinzhi.training.wide import Examples, fit_wide

SETTINGS = WideSettings(strength=4.0, others_say=0.003)
PRAISE = ["发货快，很满意", "很满意，还会再来", "味道很好，很满意", "真的很好"]
BLAME = ["破了也不退，差评", "差评，再也不来了", "客服不理人，差评", "不好吃，差评"]


@given(st.lists(st.text("好吃ab😀 ", max_size=6), max_size=5))
def test_hashes_stand_for_the_ngrams_of_each_text_and_cross_no_border(texts: list[str]) -> None:
    hashed = hash_ngrams(texts)
    assert hashed.n == len(texts)
    for row, text in enumerate(texts):
        marked = f"^{normalise(text).text}$"
        grams = [marked[i : i + n] for n in range(1, 5) for i in range(len(marked) - n + 1)]
        found = hashed.hashes[hashed.rows == row]
        assert len(found) == len(grams)
        assert len(set(found.tolist())) == len(set(grams)), "two n-grams, one hash"
        assert sorted(found.tolist()) == sorted(hash_ngrams([text]).hashes.tolist()), (
            "the other texts make a difference"
        )


def test_only_what_stands_in_several_texts_is_known() -> None:
    keys, idf = known_ngrams(hash_ngrams(["好吃", "好看", "看"]))
    assert list(keys) == sorted(keys) and len(keys) == len(idf)
    for gram, is_known in (("好", True), ("看", True), ("吃", False)):
        middle = hash_ngrams([gram]).hashes[1]  # ^, the character, $, ...
        assert (middle in keys) == is_known


def test_features_have_length_one_and_unseen_texts_none() -> None:
    wide = NgramLinear(2, *known_ngrams(hash_ngrams([*PRAISE, *BLAME])))
    seen, unseen = wide.features(hash_ngrams(["很满意", "zzzz"]))
    assert np.isclose(seen.power(2).sum(), 1, atol=1e-5) and seen.nnz > 5
    assert unseen.nnz == 2, "its ends and nothing else are known"
    assert wide(hash_ngrams([])).shape == (0, 2)


def test_praise_and_blame_are_learnt_from_few_texts() -> None:
    examples = Examples(3, [*PRAISE, *BLAME], [(2,)] * 4 + [(0,)] * 4)
    said = fit_wide(examples, SETTINGS)(hash_ngrams(["服务很满意", "必须差评"]))
    assert said.argmax(1).tolist() == [2, 0]
    assert (said[:, 1] < said.min(1).values + 1e-6).all(), "a class that was never seen"
    assert torch.equal(said, fit_wide(examples, SETTINGS)(hash_ngrams(["服务很满意", "必须差评"])))


def test_rare_classes_weigh_as_much_as_frequent_ones() -> None:
    wide = fit_wide(Examples(2, PRAISE * 10 + BLAME[:1], [(0,)] * 40 + [(1,)]), SETTINGS)
    assert wide(hash_ngrams(["差评"])).argmax().item() == 1


@pytest.mark.parametrize("labels", [[], [1, 1, 1, 1]])
def test_one_class_or_none_is_no_reason_to_fail(labels: list[int]) -> None:
    said = fit_wide(Examples(3, PRAISE[: len(labels)], [(label,) for label in labels]), SETTINGS)(
        hash_ngrams(["很满意"])
    )
    assert said.shape == (1, 3) and bool(torch.isfinite(said).all())
    assert not labels or said.argmax().item() == 1


def test_other_domains_correct_our_words_and_bring_none() -> None:
    ours = Examples(2, ["绝了", "绝了吧", "还行", "还行吧"], [(1,), (1,), (0,), (0,)])
    others = Examples(2, ours.texts, ours.labels, ["绝了，又坏了", "新词新词"] * 400, [0, 1] * 400)
    alone, advised = fit_wide(ours, SETTINGS), fit_wide(others, WideSettings(strength=4.0, others_say=1.0))
    assert torch.equal(alone.keys, advised.keys)
    said = hash_ngrams(["绝了"])
    assert ((alone(said) - advised(said))[0, 1]).item() > 0.5


def test_weights_come_back_from_a_file_of_any_size(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    wide = fit_wide(Examples(2, [*PRAISE, *BLAME], [(1,)] * 4 + [(0,)] * 4), SETTINGS)
    save_file(half(wide.state_dict()), tmp_path / "wide.safetensors")
    loaded = load_weights(NgramLinear(2), tmp_path / "wide.safetensors")
    assert torch.allclose(loaded(hash_ngrams(PRAISE)), wide(hash_ngrams(PRAISE)), atol=1e-2)
