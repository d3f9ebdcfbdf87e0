"""Who says nearly the same: what a comment says of its own, and which comments of one account say nearly that, soon after each other
or under different posts."""

import re
from collections.abc import Collection, Sequence
from itertools import compress

import numpy as np

from pinzhi.config import ScoreConfig
from pinzhi.interaction.graph import component_of
from pinzhi.minhash import SHINGLE, band_keys, choose_bands, shingles, signatures
from pinzhi.text import CODE, letters, normalise

_PAIR = 2  # letters of a shingle: a synonym spoils three of them, a clause that moves one at each of its ends
_NEIGHBOURS = 20  # comments after one, of those that share a band, that are looked at: the work stays in proportion to the comments
_RECALL = 0.95  # of pairs as alike as they must be
_BLOCK = 20_000  # wordings whose whole signatures are in memory at a time
# //@name:… and @name:…, but no answer to somebody
_HANDED_ON = re.compile(r"(?<!回复)(?<!回复 )@[^@:：\s]{1,40}\s*[:：].*", re.DOTALL)
_QUOTED = "|".join(f"{a}[^{b}\\n]{{1,200}}{b}" for a, b in ("##", "「」", "『』", "“”", "《》", "【】", '""'))
_BORROWED = re.compile(rf"{_QUOTED}|{CODE}|\d+")  # quotations and topics, codes, numbers


def passages(post: str) -> set[str]:
    """The passages of a post by which `own_wording` knows its words again."""
    return shingles(normalise(post).text, SHINGLE)


def own_wording(text: str, post: Collection[str]) -> str:
    """The letters of a comment that are its author's own: no words handed on from others, topics, quotations, mentions, emoji,
    numbers nor the `passages` of the post.

    >>> own_wording("#好物# 茶底清爽不腻👍 //@阿茶:好喝", passages("新茶上市"))
    '茶底清爽不腻'
    """
    said = letters(_BORROWED.sub("", normalise(_HANDED_ON.sub("", text)).text))
    own = bytearray(b"\x01" * len(said))
    for start in range(len(said) - SHINGLE + 1):
        if said[start : start + SHINGLE] in post:
            own[start : start + SHINGLE] = bytes(SHINGLE)
    return "".join(compress(said, own))


def said_alike(wordings: Sequence[str], at: np.ndarray, post: np.ndarray, config: ScoreConfig) -> np.ndarray:
    """The part [n] that each comment of one account belongs to, equal where comments hang together by nearly the same
    `own_wording` within `burst_minutes`, or under different posts where the wordings are long; a comment like no other is alone
    in its part. `at` [n] holds seconds, nan where they are not known, `post` [n] numbers of posts.

    Of the comments that share a band of their signatures each is compared with the next `_NEIGHBOURS` in time.
    """
    settings = config.comments
    n = len(wordings)
    # of pairs that are not Latin, of which a word has many
    counts = {said: sum(not pair.isascii() for pair in shingles(said, _PAIR)) for said in set(wordings)}
    kept = np.array([row for row in range(n) if counts[wordings[row]] >= settings.near_pairs], np.int64)
    distinct = sorted({wordings[row] for row in kept.tolist()})
    if not len(kept):
        return np.arange(n)
    number = {said: place for place, said in enumerate(distinct)}
    of = np.array([number[wordings[row]] for row in kept.tolist()])
    is_long = np.array([counts[said] >= settings.near_pairs_apart for said in distinct])[of]
    at, post = at[kept], post[kept]
    bands, rows = choose_bands(settings.near_similarity, _RECALL)
    blocks = [distinct[start : start + _BLOCK] for start in range(0, len(distinct), _BLOCK)]
    keys = np.concatenate([band_keys(signatures(block, _PAIR), bands, rows).astype(np.uint32) for block in blocks])
    part = np.arange(len(kept))
    for band in keys.T:
        key = band[of]
        order = np.lexsort((at, key))
        key = key[order]
        for step in range(1, _NEIGHBOURS + 1):
            meet = np.flatnonzero(key[step:] == key[:-step])
            if not len(meet):
                break
            a, b = order[meet], order[meet + step]
            beside = np.abs(at[a] - at[b]) <= 60 * settings.burst_minutes
            apart = (post[a] != post[b]) & is_long[a] & is_long[b]
            asked = np.flatnonzero((part[a] != part[b]) & (beside | apart))
            pairs = zip(of[a[asked]].tolist(), of[b[asked]].tolist(), strict=True)
            near = asked[[_similarity(distinct[x], distinct[y]) >= settings.near_similarity for x, y in pairs]]
            if len(near):
                part = component_of(np.stack([part[a[near]], part[b[near]]], 1), int(part.max()) + 1)[part]
    parts = np.arange(n)
    first = np.full(len(kept), n)
    np.minimum.at(first, part, kept)
    parts[kept] = first[part]
    return parts


def _similarity(a: str, b: str) -> float:
    """Jaccard of the pairs of letters of two wordings."""
    if a == b:
        return 1.0
    x, y = shingles(a, _PAIR), shingles(b, _PAIR)
    return len(x & y) / len(x | y)
