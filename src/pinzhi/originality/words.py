"""Reads a text into the words, vectors and weights that the judge compares."""

from collections.abc import Callable, Sequence

import numpy as np

from pinzhi.minhash import shingles
from pinzhi.originality.evidence import Words
from pinzhi.quotation import own_words
from pinzhi.text import letters, normalise

MAX_WORDS = 600  # of a text that are compared word by word


class WordReader:
    """Texts to `Words`, by the static word vectors of the encoder.

    `token_ids` turns raw texts into vocabulary ids; `vectors` is [n_tokens, h]; `weights` [n_tokens] says how much a
    token tells (0 for marks and punctuation).
    """

    def __init__(
        self, token_ids: Callable[[Sequence[str]], list[list[int]]], vectors: np.ndarray, weights: np.ndarray
    ) -> None:
        self._token_ids = token_ids
        centred = vectors - vectors.mean(0)
        self._vectors = (centred / np.maximum(1e-6, np.linalg.norm(centred, axis=1, keepdims=True))).astype(np.float32)
        self._weights = weights.astype(np.float32)

    def __call__(self, texts: Sequence[str]) -> list[Words]:
        """One `Words` per raw text."""
        parts: list[str] = []
        for text in texts:
            _, end = own_words(text)
            parts += [text[:end], text[end:]]
        ids = self._token_ids(parts)
        return [self._words(text, own, rest) for text, own, rest in zip(texts, ids[::2], ids[1::2], strict=True)]

    def _words(self, raw: str, own: list[int], rest: list[int]) -> Words:
        tokens = (own + rest)[:MAX_WORDS]
        clean = normalise(raw)
        return Words(
            raw=raw,
            clean=clean,
            tokens=tokens,
            vectors=self._vectors[tokens],
            weights=self._weights[tokens],
            own=np.arange(len(tokens)) < len(own),
            grams=frozenset(shingles(clean.text)),
            letters=letters(clean.text),
        )
