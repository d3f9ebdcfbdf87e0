"""Pairs of sentences that say the same or nearly so."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import spearmanr

from pinzhi.evaluation.metrics import bootstrap
from pinzhi.heads.encoder import Encoder
from pinzhi.text import letters, normalise

SIMILARITY = "similarity/stsb_zh"


def read_sentence_pairs(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    """Both sides and the labels [n] of a file of pairs."""
    table = pq.read_table(path, columns=["text_a", "text_b", "label"])
    labels = np.array([float(label) for label in table["label"].to_pylist()])
    return table["text_a"].to_pylist(), table["text_b"].to_pylist(), labels


def _grams(text: str) -> set[str]:
    spoken = letters(normalise(text).text)
    return {spoken[i : i + n] for n in (1, 2) for i in range(len(spoken) - n + 1)}


def jaccard(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """Share [n] of characters and pairs of characters that both sides have."""
    sets = [(_grams(a), _grams(b)) for a, b in zip(left, right, strict=True)]
    return np.array([len(a & b) / max(1, len(a | b)) for a, b in sets])


def spearman(truth: np.ndarray, score: np.ndarray) -> float:
    """Correlation of ranks."""
    return float(spearmanr(truth, score).statistic)


def evaluate_similarity(encoder: Encoder, data: Path) -> dict[str, Any]:
    """Spearman's correlation of the cosine of the encoder's mean states with people's judgement of stsb_zh, beside Jaccard."""
    left, right, truth = read_sentence_pairs(data / SIMILARITY / "dev.parquet")
    states = encoder.mean_states([*left, *right], "post").numpy()
    vectors = states / np.linalg.norm(states, axis=1, keepdims=True)
    cosine = (vectors[: len(left)] * vectors[len(left) :]).sum(1)
    return {
        "spearman": bootstrap(spearman, truth, cosine),
        "jaccard": bootstrap(spearman, truth, jaccard(left, right)),
    }
