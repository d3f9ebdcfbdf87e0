"""Candidates in order: the best of each post, of one net or of several. Candidates of many posts stand in equally long arrays: the
post, the row, and what is known of both."""

from collections.abc import Iterator, Sequence

import numpy as np

COMPARED = 20_000  # pairs of signatures or embeddings compared at once
NEVER = -9.0  # no cosine
_MARGIN = 1e-4  # by which a cosine may be off when many are computed at once


def best_of_each(post: np.ndarray, row: np.ndarray, start: np.ndarray, score: np.ndarray, limit: int) -> np.ndarray:
    """Positions of at most `limit` candidates of each post, post by post: those of the highest `score` first, of equal ones the
    earliest by `start`."""
    order = np.lexsort((row, start, -score, post))
    return order[rank(post[order]) < limit]


def by_post(post: np.ndarray, row: np.ndarray, n: int) -> list[np.ndarray]:
    """The rows of each of `n` posts; `post` is sorted."""
    return np.split(row, np.searchsorted(post, np.arange(1, n))) if n else []


def rank(sorted_groups: np.ndarray) -> np.ndarray:
    """The place [n] of each element among those of its group, which stand together."""
    if not len(sorted_groups):
        return np.zeros(0, np.int64)
    first = np.flatnonzero(np.append(True, sorted_groups[1:] != sorted_groups[:-1]))
    return np.arange(len(sorted_groups)) - np.repeat(first, np.diff(np.append(first, len(sorted_groups))))


def stretches(groups: np.ndarray, most: int) -> Iterator[slice]:
    """Stretches of the sorted `groups` of about `most` elements; no group is cut."""
    start = 0
    while start < len(groups):
        end = start + most
        if end < len(groups):
            end = int(np.searchsorted(groups, groups[end], "left"))
            if end <= start:
                end = int(np.searchsorted(groups, groups[start], "right"))
        yield slice(start, end)
        start = end


def union(*rankings: Sequence[int] | np.ndarray, limit: int) -> list[int]:
    """Candidates of several nets, best ranks first, each once."""
    merged: dict[int, None] = {}
    for rank in range(max(map(len, rankings), default=0)):
        for ranking in rankings:
            if rank < len(ranking):
                merged.setdefault(int(ranking[rank]))
    return list(merged)[:limit]


class Nearest:
    """The nearest rows so far of a few posts."""

    def __init__(self, n: int, limit: int) -> None:
        self._limit, self._n = limit, n
        self._least = np.full(n, NEVER + 1, np.float32)  # what a row must reach
        self._post, self._row, self._start = (np.zeros(0, np.int64) for _ in range(3))
        self._cosine = np.zeros(0)

    def add(self, cosine: np.ndarray, posts: np.ndarray, embedding: np.ndarray, start: np.ndarray, offset: int) -> None:
        """Take in rows `offset` and following, with `embedding` [m, h] and `start` [m], whose `cosine` [n, m] to `posts` [n, h] is
        about right, or NEVER."""
        least = self._least[:, None] - np.float32(_MARGIN)
        hits = cosine >= least
        if np.count_nonzero(hits) > 8 * self._limit * self._n:
            highest = np.partition(cosine, -self._limit, axis=1)[:, [-self._limit]]
            hits = cosine >= np.maximum(least, highest - np.float32(_MARGIN))
        post, at = np.nonzero(hits)
        # One by one and in double precision, or the order would hang on how many were compared at once.
        exact = np.concatenate(
            [np.zeros(0)]
            + [
                (posts[post[some]].astype(float) * embedding[at[some]].astype(float)).sum(1)
                for some in (slice(begin, begin + COMPARED) for begin in range(0, len(at), COMPARED))
            ]
        )
        self._post = np.concatenate([self._post, post])
        self._row = np.concatenate([self._row, at + offset])
        self._cosine = np.concatenate([self._cosine, exact])
        self._start = np.concatenate([self._start, start[at]])
        kept = best_of_each(self._post, self._row, self._start, self._cosine, self._limit)
        last = kept[rank(self._post[kept]) == self._limit - 1]
        self._least[self._post[last]] = self._cosine[last]
        self._post, self._row, self._start = self._post[kept], self._row[kept], self._start[kept]
        self._cosine = self._cosine[kept]

    def rows(self) -> list[np.ndarray]:
        """Rows of each post, nearest first."""
        return by_post(self._post, self._row, self._n)
