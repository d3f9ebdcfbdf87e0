"""Search and judgement: for each post the earlier posts that it may derive from, and the one it does derive from."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from pinzhi.originality.evidence import FEATURES, Words, aligned_clauses, pair_features, shared_spans
from pinzhi.originality.frames import Account, Framed, users_of_frame
from pinzhi.originality.index import PostIndex
from pinzhi.originality.ranking import union
from pinzhi.originality.rows import UNKNOWN, IndexRows, Key, Order
from pinzhi.originality.words import WordReader
from pinzhi.quotation import is_attributed
from pinzhi.types import PairSpan

RULES = "10"  # of what follows from the same models; others give every stored finding anew
ORIGINAL, DUPLICATE, REWRITE, QUOTE = range(4)  # of the pair judge
UNRELATED = 0.98  # probability of an original from which a candidate is not worth reading
SURELY = 0.95  # probability of a duplicate from which reading adds nothing
_AT_ONCE = 512  # posts that are compared at once
_MANY = 64  # posts whose search is worth more than one thread
_AFFECTED = 50  # later posts that are judged again for one that comes before them
_ALIKE = 32  # near copies among which the accounts are counted that use the frame of a post
_FEW = 3  # near copies below which they are not counted
_UNCLEAR = 2  # candidates of which nobody knows whether they are earlier: a sign that something is there is enough
_PART = 0.15  # share of a post from which a source of its own is looked for
DERIVED_FROM = 0.5  # probability of duplicate, rewrite or quote from which a candidate counts as a source


Accounts = Set[Account]  # of all that speak for one brand


@dataclass(frozen=True)
class Finding:
    """What is known of one post: probabilities in the order of schemas.P_ORIGINALITY, and the evidence."""

    probabilities: tuple[float, float, float, float, float]
    source: Key | None = None
    source_account: str | None = None
    source_time: int = UNKNOWN  # milliseconds, the first instant at which it may have been published
    similarity: float = 0.0
    spans: tuple[PairSpan, ...] = ()
    others: tuple[Key, ...] = ()
    is_self: bool = False
    is_undetermined: bool = False
    n_frame_accounts: int = 0  # other accounts that had used its frame before, each with fillings of its own


@dataclass(frozen=True)
class _Judged:
    """Candidates of one post: where they are among the others, of which the first `n_before` surely come before it, what the judge
    says of them [k, 4] and the share of the post [k] that each holds word for word."""

    at: list[int]
    n_before: int
    p: np.ndarray
    held: np.ndarray


class Judge(Protocol):
    """Evidence [n, f] to probabilities [n, 4]; better ones where the pairs of texts (earlier, later) are given too."""

    def __call__(self, features: np.ndarray, pairs: Sequence[tuple[str, str]] | None = None) -> np.ndarray: ...


@dataclass(frozen=True)
class Limits:
    """Earlier posts that are judged for one post, and how many of those, the likeliest sources by the evidence alone, are read
    together with it."""

    candidates: int
    read: int


class Search:
    """Judges posts against an index."""

    def __init__(
        self, read: WordReader, judge: Judge, limits: Limits,
        quietly: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:  # fmt: skip
        """`quietly` is around all that works on small arrays, where threads of numpy's own are in the way."""
        self._quietly = quietly
        self._read = read
        self._judge = judge
        self._limit = limits.candidates
        self._most_read = limits.read

    def judge_rows(self, rows: IndexRows, index: PostIndex, own_accounts: Sequence[Accounts]) -> list[Finding]:
        """One finding per row, in order; only surely earlier posts of `index` can be its source. `own_accounts` are those that
        speak for a brand, brand by brand."""
        return [finding for piece in _pieces(rows) for finding in self._judge_piece(piece, index, own_accounts)]

    def _judge_piece(self, rows: IndexRows, index: PostIndex, own: Sequence[Accounts]) -> list[Finding]:
        if len(rows) < _MANY:
            with self._quietly():
                return self._judged(rows, index, own)
        return self._judged(rows, index, own)

    def _judged(self, rows: IndexRows, index: PostIndex, own: Sequence[Accounts]) -> list[Finding]:
        itself = index.find(rows.keys)
        alike = index.near_duplicates(rows, Order.EARLIER, max(_ALIKE, self._limit), itself)
        earlier = _candidates(rows, index, itself, Order.EARLIER, self._limit, near=alike)
        unclear = _candidates(rows, index, itself, Order.UNCLEAR, _UNCLEAR)
        wanted = np.unique(
            np.concatenate([np.zeros(0, np.int64), *map(np.asarray, earlier + unclear)]).astype(np.int64)
        )
        others = index.take(wanted)
        before, beside = (
            [np.searchsorted(wanted, found).tolist() for found in candidates] for candidates in (earlier, unclear)
        )
        with self._quietly():
            judged = self._judge_all(rows, others, before, beside)
            findings = [self._finding(rows, i, others, judged[i], own) for i in range(len(rows))]
            frames = _frame_accounts(rows, index, alike, own)
            return [replace(found, n_frame_accounts=n) for found, n in zip(findings, frames, strict=True)]

    def later_matches(self, rows: IndexRows, index: PostIndex) -> Iterable[Key]:
        """Keys of posts in `index` that come surely after one of `rows` and are near it, or near it at a time of which nobody knows
        whether it is earlier."""
        for piece in _pieces(rows):
            yield from self._later_than(piece, index)

    def _later_than(self, rows: IndexRows, index: PostIndex) -> list[Key]:
        itself = index.find(rows.keys)
        found = {
            at
            for order in (Order.LATER, Order.UNCLEAR)
            for candidates in _candidates(rows, index, itself, order, _AFFECTED, self._limit)
            for at in candidates
        }
        return index.take(np.array(sorted(found), np.int64)).keys

    def _judge_all(
        self, rows: IndexRows, others: IndexRows, before: Sequence[list[int]], beside: Sequence[list[int]]
    ) -> list[_Judged]:
        """Each row's candidates among `others`, those `before` it and then those `beside` it. The judge sees the evidence of all, then reads the likeliest; where another that it has not read now leads, it reads on, for what it
        says of a pair that it has read and of one that it has not cannot be compared."""
        candidates = [a + b for a, b in zip(before, beside, strict=True)]
        here = self._read(rows.texts)
        wanted = sorted({at for found in candidates for at in found})
        there: dict[int, Words] = dict(zip(wanted, self._read([others.texts[at] for at in wanted]), strict=True))
        features = [
            pair_features(there[at], here[i], float(rows.embedding[i] @ others.embedding[at]))
            for i, found in enumerate(candidates)
            for at in found
        ]
        if not features:
            return [_Judged([], 0, np.zeros((0, 4), np.float32), np.zeros(0, np.float32)) for _ in candidates]
        evidence = np.stack(features)
        p = self._judge(evidence)
        pairs = [(others.texts[at], rows.texts[i]) for i, found in enumerate(candidates) for at in found]
        ends = np.cumsum([len(found) for found in candidates])
        is_read = np.zeros(len(p), bool)
        parts = whole = [
            (slice(end - len(found), end), len(earlier))
            for end, found, earlier in zip(ends, candidates, before, strict=True)
        ]
        while parts:
            chosen = [self._worth_reading(p[part], is_read[part], n) + part.start for part, n in parts]
            parts = [part for part, rows_of in zip(parts, chosen, strict=True) if len(rows_of)]
            if parts:
                wanted_rows = np.concatenate(chosen)
                p[wanted_rows] = self._judge(evidence[wanted_rows], [pairs[at] for at in wanted_rows])
                is_read[wanted_rows] = True
        held = evidence[:, FEATURES.index("contained_blocks")]
        return [_Judged(found, n, p[part], held[part]) for found, (part, n) in zip(candidates, whole, strict=True)]

    def _worth_reading(self, p: np.ndarray, is_read: np.ndarray, n_before: int) -> np.ndarray:
        """Rows of the candidates [k, 4] to be read next, at most as many as the settings say: the likeliest sources, the surely
        earlier ones first. A sure copy needs no reading."""
        is_open = ~is_read & (p[:, ORIGINAL] < UNRELATED) & (p[:, DUPLICATE] < SURELY)
        if is_read.any():
            leader = p[:, ORIGINAL].argmin()
            if not is_open[leader]:
                return np.zeros(0, int)
            is_open &= p[:, ORIGINAL] <= 1 - DERIVED_FROM
        order = np.lexsort((p[:, ORIGINAL], np.arange(len(p)) >= n_before))
        return order[is_open[order]][: self._most_read]

    def _finding(self, rows: IndexRows, i: int, others: IndexRows, judged: _Judged, own: Sequence[Accounts]) -> Finding:
        template, quote = float(rows.p_template[i]), float(rows.p_quote[i])
        text, derived = rows.texts[i], 1 - judged.p[:, ORIGINAL]
        is_unclear = bool((derived[judged.n_before :] >= DERIVED_FROM).any())
        at, derived = judged.at[: judged.n_before], derived[: judged.n_before]
        if not at:
            return Finding(combine(template, quote, np.array([1.0, 0, 0, 0]), False), is_undetermined=is_unclear)
        best = int(derived.argmax())
        # The judge prefers the closest text, the reader wants the first one: of the sources that are about as likely
        # as the best, and say what it says, the earliest counts.
        close = [k for k, p in enumerate(derived) if p >= max(DERIVED_FROM, derived[best] - 0.2)]
        merge = self._merge(rows, i, others, judged)
        close, pair = merge or (self._alike(others, at, close, best), judged.p[best])
        probabilities = combine(template, quote, pair, is_attributed(text))
        if not close:
            return Finding(probabilities, is_undetermined=is_unclear)
        account = (rows.keys[i][0], rows.accounts[i])

        def is_own(k: int) -> bool:
            other = (others.keys[at[k]][0], others.accounts[at[k]])
            return account[1] is not None and (other == account or any({account, other} <= brand for brand in own))

        def age(k: int) -> tuple[int, Key]:
            return _age(others, at[k])

        first = min(close, key=age)
        if is_own(first):  # what a brand has said on this very platform is recycled, wherever it said so first
            here = [k for k in close if is_own(k) and others.keys[at[k]][0] == account[0]]
            first = min(here or [first], key=age)
        spans = self._shown(others.texts[at[first]], text, pair.argmax() == REWRITE)
        return Finding(
            probabilities,
            source=others.keys[at[first]],
            source_account=others.accounts[at[first]],
            source_time=int(others.start[at[first]]),
            similarity=min(1.0, _covered(spans) / max(1, len(text.strip()))),
            spans=spans,
            others=tuple(
                others.keys[row]
                for k, row in enumerate(at)
                if k != first and (k in close or derived[k] >= DERIVED_FROM)
            ),
            is_self=is_own(first),
            is_undetermined=is_unclear,
        )

    def _alike(self, others: IndexRows, at: Sequence[int], close: Sequence[int], best: int) -> list[int]:
        """Which of the candidates `close`, positions in `at`, are the text of the candidate `best` or derive from one another with it,
        by the evidence alone."""
        rest = [k for k in close if k != best]
        if not rest:
            return list(close)
        read = dict(zip([best, *rest], self._read([others.texts[at[k]] for k in [best, *rest]]), strict=True))
        pairs = [sorted((best, k), key=lambda one: _age(others, at[one])) for k in rest]
        features = [
            pair_features(read[a], read[b], float(others.embedding[at[a]] @ others.embedding[at[b]])) for a, b in pairs
        ]
        original = self._judge(np.stack(features))[:, ORIGINAL]
        kept = {best, *(k for k, p in zip(rest, original, strict=True) if 1 - p >= DERIVED_FROM)}
        return [k for k in close if k in kept]

    def _merge(
        self, rows: IndexRows, i: int, others: IndexRows, judged: _Judged
    ) -> tuple[list[int], np.ndarray] | None:
        """The earlier posts that a text is put together of, each of which holds a part that no other does, and what the judge says
        of all of them as one text [4]; None where there are no two such, or the judge takes it for an original. A merge is a
        rewrite, however much of it was copied."""
        text = rows.texts[i]
        order = judged.held[: judged.n_before].argsort(kind="stable")[::-1]
        parts: list[int] = []
        covered = np.zeros(len(text), bool)
        for k in order[judged.held[order] >= _PART]:
            if (~covered).sum() < _PART * len(text):  # nobody can add a part: the way of every plain copy
                break
            mine = np.zeros(len(text), bool)
            for span in shared_spans(others.texts[judged.at[k]], text):
                mine[span.start : span.end] = True
            if (mine & ~covered).sum() >= _PART * len(text):
                parts.append(int(k))
                covered |= mine
        if len(parts) < 2:
            return None
        at = sorted((judged.at[k] for k in parts), key=lambda row: _age(others, row))
        earlier = "\n".join(others.texts[row] for row in at)
        cosine = max(float(rows.embedding[i] @ others.embedding[row]) for row in at)
        before, after = self._read([earlier, text])
        features = pair_features(before, after, cosine)
        p = self._judge(features[None], [(earlier, text)])[0]
        if 1 - p[ORIGINAL] < DERIVED_FROM:
            return None
        return parts, np.array([p[ORIGINAL], 0, p[DUPLICATE] + p[REWRITE], p[QUOTE]])

    def _shown(self, earlier: str, later: str, is_rewrite: bool) -> tuple[PairSpan, ...]:
        """Passages of `later` beside those of `earlier` that they were taken from: copied ones, or those that say the same where
        these are more."""
        spans = shared_spans(earlier, later)
        if is_rewrite:
            before, after = self._read([earlier, later])
            aligned = aligned_clauses(before, after, self._read)
            if _covered(aligned) > _covered(spans):
                return aligned
        return spans


def _age(rows: IndexRows, at: int) -> tuple[int, Key]:
    """By which the earliest of several comes first."""
    return int(rows.start[at]), rows.keys[at]


def _candidates(
    rows: IndexRows, index: PostIndex, itself: np.ndarray, order: Order, limit: int, most_like: int | None = None,
    near: Sequence[np.ndarray] | None = None,
) -> list[list[int]]:  # fmt: skip
    """Rows of `index` that stand in `order` to each of `rows` and may be its source or its copy, at most `limit`, of which the
    net of words and embeddings, which finds something for everything, finds `most_like`; `near` are those that the net of
    near copies has found, `limit` or more, where it was asked before."""
    nets = (
        index.near_duplicates(rows, order, limit, itself) if near is None else [found[:limit] for found in near],
        index.partial_copies(rows, order, limit, itself),
        index.related(rows, order, most_like or limit, itself),
    )
    return [union(*found, limit=limit) for found in zip(*nets, strict=True)]


def _frame_accounts(
    rows: IndexRows, index: PostIndex, alike: Sequence[np.ndarray], own: Sequence[Accounts]
) -> list[int]:
    """For each of `rows` how many other accounts have its frame among the rows `alike` of `index`; accounts of one brand are one."""
    some = [found if len(found) >= _FEW else found[:0] for found in alike]
    wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *some])).astype(np.int64)
    others = index.take(wanted)
    framed = [Framed(text) for text in others.texts]

    def speaker(key: Key, account: str | None) -> Account:
        return min((min(brand) for brand in own if (key[0], account) in brand), default=(key[0], account))

    counts = []
    for key, account, text, found in zip(rows.keys, rows.accounts, rows.texts, some, strict=True):
        known = [at for at in np.searchsorted(wanted, found).tolist() if others.accounts[at] is not None]
        known.sort(key=lambda at: _age(others, at))
        said = [(speaker(others.keys[at], others.accounts[at]), framed[at]) for at in known]
        me = None if account is None else speaker(key, account)
        counts.append(users_of_frame(Framed(text), ((who, what) for who, what in said if who != me)))
    return counts


def _pieces(rows: IndexRows) -> Iterator[IndexRows]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows.pick(np.arange(start, min(start + _AT_ONCE, len(rows))))


def combine(
    template: float, quote: float, pair: np.ndarray, names_source: bool
) -> tuple[float, float, float, float, float]:
    """Boilerplate is a template whatever it resembles; a text can be an open quotation of what the archive lacks. One that names
    no source quotes nobody: what the judge takes for a quotation there is a part that was copied."""
    rest = 1 - template
    plain = pair[[ORIGINAL, DUPLICATE, REWRITE]].astype(float)
    quoted = quote
    if names_source:
        quoted = max(quote, float(pair[QUOTE]))
    else:
        plain[1] += float(pair[QUOTE])
    plain = plain / max(1e-9, float(plain.sum())) * (1 - quoted)
    return (rest * float(plain[0]), rest * float(plain[1]), rest * float(plain[2]), template, rest * quoted)


def _covered(spans: Sequence[PairSpan]) -> int:
    """Characters of the later text under `spans`, which do not overlap."""
    return sum(span.end - span.start for span in spans)
