"""Candidates in order: the best of each post, of one net or of several. Candidates of many posts stand in equally long arrays: the
post, the row, and what is known of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

COMPARED = 20_000  # pairs of signatures or embeddings compared at once
NEVER = -9.0  # no cosine
_MARGIN = 1e-4  # by which a cosine may be off when many are computed at once


@dataclass(frozen=True)
class Pairs:
    """Posts with rows that have keys of theirs: `post`, `row` and when it starts, of each of p pairs, sorted by both; and of each of h
    hits its pair `at` and its `key`, a position among the k keys that belong to the posts `of_post`."""

    post: np.ndarray
    row: np.ndarray
    start: np.ndarray
    at: np.ndarray
    key: np.ndarray
    of_post: np.ndarray

    @cached_property
    def n_rows(self) -> np.ndarray:
        """How many rows [k] have each key."""
        return np.bincount(self.key, minlength=len(self.of_post))

    def worth(self, of_key: np.ndarray) -> np.ndarray:
        """What the keys of each pair [p] are worth together, by that `of_key` [k]; to be rounded, for hits come in any order."""
        return np.bincount(self.at, of_key[self.key], minlength=len(self.row))


def shared_rarity(pairs: Pairs, most: int) -> np.ndarray:
    """Which share [p] of the rarity of the words of a post its rows have. How rare a word is is told from the rows that stand so to
    the post alone, so that later ones change nothing; one that nobody has, or `most` or more, counts nowhere."""
    is_rare = (pairs.n_rows > 0) & (pairs.n_rows < most)
    rarity = np.where(is_rare, np.log(4 * most / (1 + pairs.n_rows)), 0) ** 2
    of_all = np.bincount(pairs.of_post, rarity)[pairs.post]
    return np.round(pairs.worth(rarity) / np.maximum(of_all, 1e-9), 6)


def pieces(n: int) -> Iterator[slice]:
    """Stretches of `n` pairs that are compared at once."""
    return (slice(begin, begin + COMPARED) for begin in range(0, n, COMPARED))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of unit vectors [n, h], row by row: one by one and in double precision, or the order would hang on how many were compared at
    once."""
    return (a.astype(float) * b.astype(float)).sum(1)


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
        exact = [np.zeros(0), *(cosines(posts[post[some]], embedding[at[some]]) for some in pieces(len(at)))]
        self._post = np.concatenate([self._post, post])
        self._row = np.concatenate([self._row, at + offset])
        self._cosine = np.concatenate([self._cosine, *exact])
        self._start = np.concatenate([self._start, start[at]])
        kept = best_of_each(self._post, self._row, self._start, self._cosine, self._limit)
        last = kept[rank(self._post[kept]) == self._limit - 1]
        self._least[self._post[last]] = self._cosine[last]
        self._post, self._row, self._start = self._post[kept], self._row[kept], self._start[kept]
        self._cosine = self._cosine[kept]

    def rows(self) -> list[np.ndarray]:
        """Rows of each post, nearest first."""
        return by_post(self._post, self._row, self._n)
