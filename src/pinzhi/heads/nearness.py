"""Which of its brand's values a post is nearest to, word by word: what the reader of a value and a post, which has learnt from a few thousand
posts, knows less well than the vectors of the words, which have learnt from millions of sentences."""

from collections.abc import Mapping, Sequence

import numpy as np

MOST = 5  # words of a value that count, those nearest to the post, and as many of the post
EXAMPLES_SAY = 0.4  # of an example's nearness beside that of what a value says of itself
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

    def __call__(
        self, values: Sequence[Sequence[int]], post: Sequence[int], shown: np.ndarray,
        examples: Sequence[Sequence[Sequence[int]]] = (),
    ) -> np.ndarray:  # fmt: skip
        """How much nearer a post is to each of the `values` of a brand than to the nearest of the others [m, v], where
        `shown` [m, t] says which of the t tokens of `post` are read; 0 for a brand's only value. `examples` are, for each
        value, posts that are known to express or contradict it: they add how near the post is to the nearest of them,
        compared among the values that have any."""
        words, of_token = np.unique(np.asarray(post, np.int64), return_inverse=True)
        told = np.flatnonzero(self._weights[words] > 0)
        is_there = shown @ (of_token[:, None] == told)  # [m, w]

        def near(texts: Sequence[Sequence[int]]) -> np.ndarray:
            return np.max([self._near(text, words[told], is_there) for text in texts], axis=0)

        nearness = _beyond_others({v: near([value]) for v, value in enumerate(values)}, len(shown), len(values))
        known = {v: near(texts) for v, texts in enumerate(examples) if texts}
        return nearness + EXAMPLES_SAY * _beyond_others(known, len(shown), len(values))

    def _near(self, text: Sequence[int], words: np.ndarray, is_there: np.ndarray) -> np.ndarray:
        """How near [m] `text` and the `words` [w] of a post are, of which `is_there` [m, w] tells those that are read."""
        own = self._told(text)
        if not len(own) or not len(words):
            return np.zeros(len(is_there), np.float32)
        like = self._vectors[own] @ self._vectors[words].T
        best = np.where(is_there[:, None], like, -1.0).max(2) * self._weights[own]
        found = np.where(is_there, like.max(0) * self._weights[words], -np.inf)
        return np.where(is_there.any(1), _mean_of_most(best) + _mean_of_most(found), 0).astype(np.float32)

    def _told(self, ids: Sequence[int]) -> np.ndarray:
        distinct = np.unique(np.asarray(ids, np.int64))
        return distinct[self._weights[distinct] > 0]


def _beyond_others(near: Mapping[int, np.ndarray], m: int, n_values: int) -> np.ndarray:
    """What each value is `near` [m] more than the nearest of the others [m, n_values]; 0 for those that are not compared."""
    beyond = np.zeros((m, n_values), np.float32)
    if len(near) > 1:
        for v, one in near.items():
            beyond[:, v] = one - np.max([other for u, other in near.items() if u != v], axis=0)
    return beyond


def _mean_of_most(found: np.ndarray) -> np.ndarray:
    """Mean [m] of the `MOST` highest of each row [m, n]; what is not there is -inf."""
    highest = -np.sort(-found, axis=1)[:, :MOST]
    is_there = np.isfinite(highest)
    return np.where(is_there, highest, 0).sum(1) / np.maximum(1, is_there.sum(1))
