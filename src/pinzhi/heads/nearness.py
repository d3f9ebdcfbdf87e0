"""Which of its brand's values a post is nearest to, word by word: what the reader of a value and a post, which has learnt from a few thousand
posts, knows less well than the vectors of the words, which have learnt from millions of sentences."""

from collections.abc import Sequence

import numpy as np

MOST = 5  # words of a value that count, those nearest to the post, and as many of the post
N_COMMON = 3  # directions that all word vectors share; they tell frequent words from rare ones (Mu and Viswanath, 2018)


class Nearness:
    """Compares the words of values and posts as late interaction does (Khattab and Zaharia, 2020): each word with the word
    most like it on the other side."""

    def __init__(self, vectors: np.ndarray, weights: np.ndarray) -> None:
        """`vectors` [n_tokens, h] are static; `weights` [n_tokens] say how much a token tells, 0 for what is no word."""
        told = weights > 0
        centred = vectors - vectors[told].mean(0) if told.any() else vectors
        _, directions = np.linalg.eigh(centred[told].T @ centred[told])
        common = directions[:, -N_COMMON:]
        centred = centred - (centred @ common) @ common.T
        self._vectors = (centred / np.maximum(1e-6, np.linalg.norm(centred, axis=1, keepdims=True))).astype(np.float32)
        self._weights = weights.astype(np.float32)

    def __call__(self, values: Sequence[Sequence[int]], post: Sequence[int], shown: np.ndarray) -> np.ndarray:
        """How much nearer a post is to each of the `values` of a brand than to the nearest of the others [m, v], where
        `shown` [m, t] says which of the t tokens of `post` are read; 0 for a brand's only value."""
        words, of_token = np.unique(np.asarray(post, np.int64), return_inverse=True)
        told = self._weights[words] > 0
        distinct = [self._told(value) for value in values]
        if len(values) < 2 or not told.any():
            return np.zeros((len(shown), len(values)), np.float32)
        is_there = shown @ (of_token[:, None] == np.flatnonzero(told))  # [m, w]
        words = words[told]
        near = np.zeros((len(shown), len(values)), np.float32)
        for v, value in enumerate(distinct):
            if len(value):
                like = self._vectors[value] @ self._vectors[words].T
                best = np.where(is_there[:, None], like, -1.0).max(2) * self._weights[value]
                found = np.where(is_there, like.max(0) * self._weights[words], -np.inf)
                near[:, v] = _mean_of_most(best) + _mean_of_most(found)
        near[~is_there.any(1)] = 0
        others = np.stack([np.delete(near, v, 1).max(1) for v in range(len(values))], 1)
        return near - others

    def _told(self, ids: Sequence[int]) -> np.ndarray:
        distinct = np.unique(np.asarray(ids, np.int64))
        return distinct[self._weights[distinct] > 0]


def _mean_of_most(found: np.ndarray) -> np.ndarray:
    """Mean [m] of the `MOST` highest of each row [m, n]; what is not there is -inf."""
    highest = -np.sort(-found, axis=1)[:, :MOST]
    is_there = np.isfinite(highest)
    return np.where(is_there, highest, 0).sum(1) / np.maximum(1, is_there.sum(1))
