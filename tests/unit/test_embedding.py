"""The embedding by which rewrites are found: fitted to what rewriters change."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from pinzhi.heads.modules import SentenceEmbedder
from pinzhi.training.data import PairRow
from pinzhi.training.embedding import fit_embedding

WIDTH = 8


def encoder_of(states: dict[str, np.ndarray]) -> Any:
    """An encoder whose mean states of texts are known."""

    def mean_states(texts: Sequence[str], role: str) -> torch.Tensor:
        assert role == "post"
        return torch.tensor(np.array([states[text] for text in texts]).reshape(len(texts), WIDTH), dtype=torch.float32)

    return SimpleNamespace(mean_states=mean_states)


def row(earlier: str, later: str, grade: int | None) -> PairRow:
    return PairRow(earlier, later, "rewrite" if grade else "original", grade, "by hand", earlier)


def world() -> tuple[dict[str, np.ndarray], list[PairRow]]:
    """Sources far from the origin, as states of real encoders are, and rewrites that move the first direction alone."""
    chance = np.random.default_rng(5)
    offset, states, rows = np.full(WIDTH, 6.0), {}, []
    for i in range(60):
        meaning = offset + chance.normal(size=WIDTH)
        states[f"a{i}"], states[f"b{i}"] = meaning, meaning + chance.normal(size=WIDTH) * 0.05
        states[f"b{i}"][0] += 4 * chance.normal()
        rows.append(row(f"a{i}", f"b{i}", 4))
    return states, rows


def ranks(embedder: SentenceEmbedder, states: dict[str, np.ndarray]) -> np.ndarray:
    """Of how many other sources each rewrite is nearer than of its own."""
    with torch.no_grad():
        a, b = (
            embedder.of_mean(torch.tensor(np.array([states[f"{side}{i}"] for i in range(60)]), dtype=torch.float32))
            for side in "ab"
        )
    cosine = (b @ a.T).numpy()
    return (cosine > np.diag(cosine)[:, None]).sum(1)


def test_rewrites_come_nearer_to_their_sources() -> None:
    states, rows = world()
    plain, fitted = SentenceEmbedder(WIDTH), SentenceEmbedder(WIDTH)
    fit_embedding(encoder_of(states), fitted, rows[:40], list(states))
    assert ranks(plain, states)[40:].mean() > 1
    assert ranks(fitted, states)[40:].mean() < 0.2  # pairs that it was not fitted to


def test_usual_texts_are_the_origin() -> None:
    states, rows = world()
    embedder = SentenceEmbedder(WIDTH)
    fit_embedding(encoder_of(states), embedder, rows, [text for text in states if text.startswith("a")])
    middle = torch.tensor(np.mean([states[f"a{i}"] for i in range(60)], 0), dtype=torch.float32)
    with torch.no_grad():
        assert float(embedder.project(middle).abs().max()) < 1e-3


def test_close_rewrites_and_originals_teach_nothing() -> None:
    states, rows = world()
    by_all, by_far = SentenceEmbedder(WIDTH), SentenceEmbedder(WIDTH)
    noise = [row("a1", "a2", None), row("a3", "a4", 1)]
    for embedder, some in ((by_all, [*rows, *noise]), (by_far, rows)):
        fit_embedding(encoder_of(states), embedder, some, list(states))
    assert torch.equal(by_all.project.weight, by_far.project.weight)


def test_without_pairs_it_is_a_centred_mean() -> None:
    states, _ = world()
    embedder = SentenceEmbedder(WIDTH)
    fit_embedding(encoder_of(states), embedder, [], list(states))
    assert torch.equal(embedder.project.weight, torch.eye(WIDTH))
