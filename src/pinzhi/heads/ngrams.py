"""A linear model on character n-grams: the wide part of a classifier, which knows its words from the labels alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from pinzhi.text import normalise

ORDERS = 4  # n-grams of 1 to 4 characters
MAX_CHARACTERS = 400
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Ngrams:
    """Hashes [m] of dtype int32 of all n-grams of `n` texts, and the row [m] that each stands in."""

    hashes: np.ndarray
    rows: np.ndarray
    n: int


def hash_ngrams(texts: Sequence[str]) -> Ngrams:
    """Character n-grams of raw `texts`, normalised here and marked at both ends. One that stands in a text twice is there
    twice."""
    marked = [f"^{normalise(text).text[:MAX_CHARACTERS]}$" for text in texts]
    characters = np.frombuffer("".join(marked).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    row = np.repeat(np.arange(len(marked)), [len(text) for text in marked])
    hashes, rows = [], []
    grown = np.zeros(len(characters), np.uint64)
    for order in range(ORDERS):
        last = characters[order:]
        grown = (grown[: len(last)] ^ (last + np.uint64(order))) * _MIX
        grown ^= grown >> np.uint64(29)
        whole = row[: len(last)] == row[order:]
        hashes.append((grown[whole] >> np.uint64(32)).astype(np.uint32).view(np.int32))
        rows.append(row[: len(last)][whole])
    return Ngrams(np.concatenate(hashes), np.concatenate(rows), len(texts))


class NgramLinear(nn.Module):
    """Logits from the n-grams that were seen in training: others are passed over, where a table of buckets would let them
    vote. Features are 0 or 1, weighed by rarity (IDF) and scaled to length 1."""

    def __init__(self, n_classes: int, keys: np.ndarray | None = None, idf: np.ndarray | None = None) -> None:
        """`keys` [k] are the sorted hashes of the n-grams that are known, `idf` [k] their weights; none by default."""
        super().__init__()
        self.keys: Tensor
        self.idf: Tensor
        known = np.zeros(0, np.int32) if keys is None else keys
        self.register_buffer("keys", torch.from_numpy(known))
        self.register_buffer("idf", torch.zeros(0) if idf is None else torch.from_numpy(idf.astype(np.float32)))
        self.weight = nn.Parameter(torch.zeros(len(known), n_classes))
        self.bias = nn.Parameter(torch.zeros(n_classes))

    def features(self, ngrams: "Ngrams") -> csr_matrix:
        """Features [n, k]."""
        hashes, rows = ngrams.hashes, ngrams.rows
        keys, idf = self.keys.numpy(), self.idf.numpy()
        at = np.minimum(np.searchsorted(keys, hashes), max(0, len(keys) - 1))
        known = keys[at] == hashes if len(keys) else np.zeros(len(hashes), bool)
        cell = np.unique(rows[known] * np.int64(max(1, len(keys))) + at[known])
        row, column = np.divmod(cell, max(1, len(keys)))
        length = np.sqrt(np.bincount(row, idf[column] ** 2, ngrams.n))
        starts = np.searchsorted(row, np.arange(ngrams.n + 1))
        values = (idf[column] / length[row]).astype(np.float32)
        return csr_matrix((values, column, starts), shape=(ngrams.n, len(keys)))

    def forward(self, ngrams: "Ngrams") -> Tensor:
        """Logits [n, c]."""
        return torch.from_numpy(self.features(ngrams) @ self.weight.detach().numpy()) + self.bias.detach()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # How many n-grams are known is part of what was learnt.
        for name in ("keys", "idf", "weight"):
            if (saved := state_dict.get(prefix + name)) is not None:
                own = getattr(self, name)
                own.data = own.data.new_zeros(saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)


def known_ngrams(ngrams: Ngrams, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Sorted hashes [k] of the n-grams that stand in `least` texts or more, and their IDF [k]."""
    pairs = np.unique((ngrams.rows.astype(np.int64) << 32) | ngrams.hashes.view(np.uint32))
    keys, counts = np.unique((pairs & 0xFFFFFFFF).astype(np.uint32).view(np.int32), return_counts=True)
    kept = counts >= least
    return keys[kept], np.log((1 + ngrams.n) / (1 + counts[kept])) + 1
