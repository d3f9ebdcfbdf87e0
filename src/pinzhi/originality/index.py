"""The archive of earlier posts on disk: blocks that are appended and merged, never rebuilt; searches map them, so that memory
does not grow with the archive."""

import dataclasses
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from pinzhi.originality.blocks import Bands, Block, has_letters, merge, post_keys
from pinzhi.originality.keys import passage_keys
from pinzhi.originality.ranking import (
    NEVER,
    Nearest,
    Pairs,
    best_of_each,
    by_post,
    cosines,
    pieces,
    rank,
    shared_rarity,
    stretches,
)
from pinzhi.originality.rows import IndexRows, Key, Order, keys_of, sort_time
from pinzhi.tables import storage_error, write_text
from pinzhi.text import normalise

FORM = "5"  # of what is on disk
FAN_OUT = 8  # blocks of one size that become one of the next
_MANIFEST = "manifest.json"
# Rows of one key that are looked at, the earliest first: a wording that stands everywhere has them all alike.
_MOST = 64
_MOST_SAYING = 512  # the same of a word, which more have: one that as many have tells nothing
_HITS = 1_280_000  # rows found at once, those of one post together
_POSTS = 64  # posts compared with one stretch of embeddings at once
_SCANNED = 8192  # embeddings compared at once
_TAKEN = 1024  # rows read at once, for each brings its neighbours on disk into memory
_LISTED = 50  # rows of the rarest words and of the nearest embeddings that are ranked together
_WORDS_SAY = 2.0  # the share of rare words that two texts have in common beside the cosine of their embeddings
_ATTEMPTS = 5  # to open an index while it is written

Found = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Part:
    """A block with its place: rows `offset` and following of the index; rows that a later one replaced are not `live`."""

    name: str
    tier: int
    block: Block
    live: np.ndarray = dataclasses.field(repr=False)
    offset: int = 0

    def has(self, rows: np.ndarray) -> np.ndarray:
        """Mask of those of the index's `rows` that lie here."""
        return (rows >= self.offset) & (rows < self.offset + len(self.block))

    def surely_have(self, wanted: np.ndarray, n: int, start: np.ndarray) -> np.ndarray:
        """Mask [m] of keys `wanted` that at least `n` rows have which count and are earlier than `start` [m]. One row of a key
        tells, for they are sorted by time: that which comes after `n` and as many as were replaced; the post's own makes up for it."""
        row = self.block.after(wanted, n + int(len(self.live) - self.live.sum()))
        end = self.block.end[row]
        return (row >= 0) & Order.EARLIER.holds(start, start, end, end)


def _placed(parts: Sequence[_Part]) -> tuple[_Part, ...]:
    offsets = np.cumsum([0, *(len(part.block) for part in parts)])
    return tuple(dataclasses.replace(part, offset=int(at)) for part, at in zip(parts, offsets, strict=False))


class PostIndex:
    """Earlier posts to compare with, as they were when it was opened. Rows are known by their number, which is good until the
    next `append`.

    One process may `append`, which is atomic and does nothing for a name that was the last one appended; any number may
    read meanwhile. Of several rows of one post the last one counts. What is found before a time does not depend on what was
    added after it, nor on how blocks were merged. `bands` and what embeddings mean must be those by which the folder was
    written: name folders by them.
    """

    def __init__(self, folder: Path | None, bands: Bands) -> None:
        self.folder, self.bands = folder, bands
        self._parts: tuple[_Part, ...] = ()
        self._last, self._next, self._manifest = "", 0, ""
        self._open()

    def __len__(self) -> int:
        return sum(int(part.live.sum()) for part in self._parts)

    def beside(self, rows: pa.Table) -> "PostIndex":
        """This index and, in memory, `rows` (schema INDEX), which replace what it has of the same posts."""
        both = object.__new__(PostIndex)
        both.__dict__.update(self.__dict__)
        both.folder = None
        if rows.num_rows:
            both._parts = both._with(
                self._parts, _Part("", 0, Block.of(rows, self.bands), np.ones(rows.num_rows, bool))
            )
        return both

    # -- writing -----------------------------------------------------------------------------------------------------

    def append(self, rows: pa.Table, name: str) -> None:
        """Add `rows` (schema INDEX) under `name`. Raises StorageError; then nothing was added."""
        assert self.folder is not None, "an index in memory is not written"
        self._open()
        try:
            if name != self._last:
                self._append(rows, name)
            self._sweep()
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def _append(self, rows: pa.Table, name: str) -> None:
        number = itertools.count(self._next)
        parts = self._parts
        if rows.num_rows:
            parts = self._with(parts, self._written(Block.of(rows, self.bands).write, next(number), 0))
        while len(parts) >= FAN_OUT and len({part.tier for part in parts[-FAN_OUT:]}) == 1:
            grown = parts[-FAN_OUT:]
            write = partial(merge, [part.block for part in grown], [part.live for part in grown])
            parts = _placed([*parts[:-FAN_OUT], self._written(write, next(number), grown[0].tier + 1)])
        self._name(_placed([part for part in parts if part.live.any()]), name, next(number))

    def _name(self, parts: tuple[_Part, ...], last: str, following: int) -> None:
        """Have `parts` be the index, of which `last` was the last name appended."""
        content = {
            "last": last, "next": following,
            "blocks": [
                {"name": part.name, "tier": part.tier, "replaced": _ranges(np.flatnonzero(~part.live))}
                for part in parts
            ],
        }  # fmt: skip
        manifest = json.dumps(content) + "\n"
        assert self.folder is not None
        write_text(manifest, self.folder / _MANIFEST)
        self._parts, self._last, self._next, self._manifest = parts, last, following, manifest

    def _written(self, write: Callable[[Path], None], number: int, tier: int) -> _Part:
        assert self.folder is not None
        folder = self.folder / f"block-{number:06d}"
        write(folder)
        block = Block.open(folder)
        return _Part(folder.name, tier, block, np.ones(len(block), bool))

    def _with(self, parts: Sequence[_Part], last: _Part) -> tuple[_Part, ...]:
        """`parts` and a `last` one; of the posts in it no other row counts, nor one that comes before in it."""
        keys = keys_of(last.block.table)
        counting = {key: row for row, key in enumerate(keys)}
        live = np.zeros(len(keys), bool)
        live[list(counting.values())] = True
        known = []
        replaced = _find(parts, list(counting))
        for part in parts:
            inside = replaced[part.has(replaced)] - part.offset
            if len(inside):
                alive = part.live.copy()
                alive[inside] = False
                part = dataclasses.replace(part, live=alive)
            known.append(part)
        return _placed([*known, dataclasses.replace(last, live=live)])

    def remove(self, keys: Sequence[Key]) -> None:
        """Take all rows of the posts `keys` out, also those that were replaced, and off the disk. Raises StorageError."""
        assert self.folder is not None, "an index in memory is not written"
        self._open()
        number, hashed = itertools.count(self._next), post_keys(keys)
        parts: list[_Part] = []
        try:
            for part in self._parts:
                _, gone = _named(part.block, keys, hashed)
                kept = part.live.copy()
                kept[gone] = False
                if not len(gone):
                    parts.append(part)
                elif kept.any():
                    parts.append(self._written(partial(merge, [part.block], [kept]), next(number), part.tier))
            self._name(_placed(parts), self._last, next(number))
            self._sweep()
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def _sweep(self) -> None:
        """Remove blocks that do not count."""
        assert self.folder is not None
        named = {part.name for part in self._parts}
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and path.name not in named:
                shutil.rmtree(path, ignore_errors=True)

    # -- reading -----------------------------------------------------------------------------------------------------

    def is_current(self) -> bool:
        """Whether nothing was appended since it was opened."""
        return self._on_disk() == self._manifest

    def _on_disk(self) -> str:
        path = None if self.folder is None else self.folder / _MANIFEST
        return path.read_text("utf-8") if path is not None and path.exists() else ""

    def _open(self) -> None:
        """Open what is there now, unless it is open."""
        for attempt in range(_ATTEMPTS):
            manifest = self._on_disk()
            if manifest == self._manifest:
                return
            assert self.folder is not None
            content = json.loads(manifest)
            try:
                parts = []
                for one in content["blocks"]:
                    block = Block.open(self.folder / one["name"])
                    live = np.ones(len(block), bool)
                    for start, end in one["replaced"]:
                        live[start:end] = False
                    parts.append(_Part(one["name"], one["tier"], block, live))
            except FileNotFoundError:  # merged away since the manifest was read
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            self._parts, self._manifest = _placed(parts), manifest
            self._last, self._next = content["last"], content["next"]
            return

    def find(self, keys: Sequence[Key]) -> np.ndarray:
        """The row [n] of each of `keys`, -1 where there is none."""
        return _find(self._parts, keys)

    def take(self, rows: np.ndarray) -> IndexRows:
        """The rows of the numbers `rows`, ascending and each once."""
        tables, arrays = [], []
        for part in self._parts:
            inside = rows[part.has(rows)] - part.offset
            for begin in range(0, len(inside), _TAKEN):
                some = inside[begin : begin + _TAKEN]
                tables.append(part.block.take(some))
                arrays.append(
                    [getattr(part.block, name)[some] for name in ("start", "end", "signature", "words", "embedding")]
                )
                part.block.let_go()
        if not tables:
            return IndexRows([], [], *(np.zeros(0, np.int64),) * 2, [], *(np.zeros((0, 0)),) * 3, *(np.zeros(0),) * 2)
        return IndexRows.put_together(pa.concat_tables(tables), *map(np.concatenate, zip(*arrays, strict=True)))

    def rows_of(self, keys: Sequence[Key]) -> IndexRows | None:
        """The rows of `keys`, in order; None unless all of them are here."""
        found = self.find(keys)
        if (found < 0).any():
            return None
        rows, at = np.unique(found, return_inverse=True)
        return self.take(rows).pick(at)

    def text_of(self, key: Key) -> str | None:
        """Text of the post with `key`, None when it is not here."""
        rows = self.rows_of([key])
        return None if rows is None else rows.texts[0]

    # -- searching ---------------------------------------------------------------------------------------------------

    def near_duplicates(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the rows that share a band with it and stand in `order` to it, most alike first, the earlier of
        the equally alike, at most `limit`; `own` [n] are the rows of the posts themselves, which do not count."""
        worded = np.flatnonzero(has_letters(posts.signature))
        wanted = self.bands.keys(posts.signature[worded]).ravel() if len(worded) else np.zeros(0, np.uint32)

        def alike(pairs: Pairs) -> np.ndarray:
            share = np.zeros(len(pairs.row))
            for some in pieces(len(share)):
                mine = posts.signature[pairs.post[some]]
                share[some] = (self._gather("signature", pairs.row[some]) == mine).mean(1)
            return share

        return self._by_keys(wanted, np.repeat(worded, self.bands.n), posts, order, limit, own, alike, _MOST, False)

    def partial_copies(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the rows that share passages with it which few texts have, and stand in `order` to it: those of the
        most and rarest passages first, at most `limit`; `own` as above. A merge of two posts finds both."""
        keys, of_post = passage_keys([normalise(text).text for text in posts.texts])

        def weight(pairs: Pairs) -> np.ndarray:
            return np.round(pairs.worth(np.where(pairs.n_rows < _MOST, 1 / np.log(1.5 + pairs.n_rows), 0)), 6)

        return self._by_keys(keys, of_post, posts, order, limit, own, weight, _MOST, True)

    def shared_words(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the rows that share words with it which few texts have, and stand in `order` to it: those of the
        most and rarest words first, at most `limit`; `own` as above. It finds what was said anew, by what cannot be said otherwise."""
        of_post, at = np.nonzero(posts.words)
        keys, share = posts.words[of_post, at], partial(shared_rarity, most=_MOST_SAYING)
        return self._by_keys(keys, of_post, posts, order, limit, own, share, _MOST_SAYING, True)

    def related(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the rows that are likeliest to say the same in other words and stand in `order` to it, at most `limit`;
        `own` as above. Of those that share the rarest words and those whose embeddings are nearest, each knows what the other misses:
        one score ranks both. Where they took turns, what one net alone finds came before what both find (docs/benchmarks.md)."""
        listed = max(limit, _LISTED)
        near = self.nearest(posts, order, listed, own)
        pairs = np.repeat(np.arange(len(near)), [len(rows) for rows in near]) << 32
        pairs = np.sort(pairs | np.concatenate([np.zeros(0, np.int64), *near]))
        shared: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0, np.int64), np.zeros(0))]
        of_post, at = np.nonzero(posts.words)
        for hits in self._pairs(posts.words[of_post, at], of_post, posts, order, own, _MOST_SAYING, True):
            share, pair = shared_rarity(hits, _MOST_SAYING), hits.post << 32 | hits.row
            kept = np.isin(pair, pairs)
            kept[best_of_each(hits.post, hits.row, hits.start, share, listed)] = True
            shared.append((pair[kept], share[kept]))
        worded, share = map(np.concatenate, zip(*shared, strict=True))
        pairs = np.union1d(pairs, worded)
        post, row = pairs >> 32, pairs & 0xFFFFFFFF
        score = np.zeros(len(pairs))
        score[np.searchsorted(pairs, worded)] = _WORDS_SAY * share
        for some in pieces(len(pairs)):
            score[some] += cosines(posts.embedding[post[some]], self._gather("embedding", row[some]))
        best = best_of_each(post, row, sort_time(self._gather("start", row)), np.round(score, 6), limit)
        return by_post(post[best], row[best], len(posts))

    def _by_keys(
        self, wanted: np.ndarray, of_post: np.ndarray, posts: IndexRows, order: Order, limit: int, own: np.ndarray,
        score: Callable[[Pairs], np.ndarray], most: int, only_rare: bool,
    ) -> list[np.ndarray]:  # fmt: skip
        """For each of `posts` the rows that have one of its keys, by their `score`, at most `limit`; none that scores 0. The others as
        of `_pairs`."""
        post, row = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for pairs in self._pairs(wanted, of_post, posts, order, own, most, only_rare):
            value = score(pairs)
            best = best_of_each(pairs.post, pairs.row, pairs.start, value, limit)
            best = best[value[best] > 0]
            post.append(pairs.post[best])
            row.append(pairs.row[best])
        return by_post(np.concatenate(post), np.concatenate(row), len(posts))

    def _pairs(
        self, wanted: np.ndarray, of_post: np.ndarray, posts: IndexRows, order: Order, own: np.ndarray, most: int,
        only_rare: bool,
    ) -> Iterator[Pairs]:  # fmt: skip
        """Each of `posts` with the rows that have one of its keys, some posts after the other. `wanted` [m] are sorted by the post
        `of_post` [m]; of each key `most` rows are looked at, and with `only_rare`, where a key that has as many tells nothing, they may
        be left out."""
        for some in stretches(of_post, _HITS // most) if self._parts else ():
            key, post, row, start = self._hits(wanted[some], of_post[some], posts, order, own, most, only_rare)
            pairs, first, at = np.unique(post << 32 | row, return_index=True, return_inverse=True)
            yield Pairs(pairs >> 32, pairs & 0xFFFFFFFF, start[first], at, key, of_post[some])

    def _hits(
        self, wanted: np.ndarray, of_post: np.ndarray, posts: IndexRows, order: Order, own: np.ndarray, most: int,
        only_rare: bool,
    ) -> Found:  # fmt: skip
        """Rows in `order` to their post that have one of its keys: position in `wanted` [m], post, row, time. Of each key the
        earliest rows, at most `most`; with `only_rare` those of keys that have as many may be missing."""
        best: Found = tuple(np.zeros(0, np.int64) for _ in range(4))  # type: ignore[assignment]
        asked = np.arange(len(wanted))
        for part in self._parts:
            if only_rare:
                common = np.bincount(best[0], minlength=len(wanted))[asked] >= most
                if order is Order.EARLIER:
                    common |= part.surely_have(wanted[asked], most, posts.start[of_post[asked]])
                best = _without(best, asked[common], len(wanted))
                asked = asked[~common]
            for time in order.not_before(posts) if len(asked) else ():
                new = self._hits_in(part, wanted[asked], of_post[asked], posts, order, own, time, most)
                new = (asked[new[0]], *new[1:])
                key, post, rows, start = (np.concatenate(both) for both in zip(best, new, strict=True))
                # by time, and each once, for one row may be found from several times
                first = np.lexsort((rows, start, key))
                again = (np.diff(rows[first], prepend=-1) == 0) & (np.diff(key[first], prepend=-1) == 0)
                first = first[~again]
                first = first[rank(key[first]) < most]
                best = key[first], post[first], rows[first], start[first]
            part.block.let_go()
        return best

    def _hits_in(
        self, part: _Part, wanted: np.ndarray, of_post: np.ndarray, posts: IndexRows, order: Order, own: np.ndarray,
        time: np.ndarray | None, most: int,
    ) -> Found:  # fmt: skip
        """Hits in one part. Where the first rows of a key hold too many that do not count, more of them are looked at."""
        found: list[Found] = []
        pending, looked = np.arange(len(wanted)), most
        while len(pending):
            at, rows, is_cut = part.block.find(
                wanted[pending], looked, None if time is None else time[of_post[pending]]
            )
            key = pending[at]
            post = of_post[key]
            start, end = part.block.start[rows], part.block.end[rows]
            holds = order.holds(posts.start[post], posts.end[post], start, end)
            kept = holds & part.live[rows] & (own[post] != rows + part.offset)
            more = is_cut & (np.bincount(at, kept, len(pending)) < most)
            if order is Order.EARLIER:  # these come first of all: when one is not earlier, none after it is
                more &= np.bincount(at, ~holds, len(pending)) == 0
            elif order is Order.UNCLEAR:  # a sign that something is there is enough
                more[:] = False
            kept &= ~more[at]
            found.append((key[kept], post[kept], rows[kept] + part.offset, sort_time(start[kept])))
            pending, looked = pending[more], 4 * looked
        return tuple(np.concatenate(column) for column in zip(*found, strict=True))  # type: ignore[return-value]

    def _gather(self, name: str, rows: np.ndarray) -> np.ndarray:
        """What the array `name` of the blocks holds of each of `rows`."""
        gathered = np.zeros(0)
        for part in self._parts:
            inside, values = part.has(rows), getattr(part.block, name)
            if not len(gathered):
                gathered = np.zeros((len(rows), *values.shape[1:]), values.dtype)
            gathered[inside] = values[rows[inside] - part.offset]
            part.block.let_go()
        return gathered

    def nearest(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the `limit` rows whose embeddings are nearest to its own among those that stand in `order` to it,
        the earlier of the equally near; `own` as above. Every embedding is compared, a few thousand at a time."""
        if not len(posts):
            return []
        best = [Nearest(min(_POSTS, len(posts) - first), limit) for first in range(0, len(posts), _POSTS)]
        for part in self._parts:
            for begin in range(0, len(part.block), _SCANNED):
                rows = slice(begin, begin + _SCANNED)
                start, end, live = part.block.start[rows], part.block.end[rows], part.live[rows]
                embedding: np.ndarray | None = None  # turned into single precision once, and only where it is compared
                number = part.offset + begin
                # most stretches of a large archive are earlier as a whole
                everything = live.all() and order.holds(posts.start.min(), posts.end.min(), start, end).all()
                everything &= order is Order.EARLIER
                for group, first in zip(best, range(0, len(posts), _POSTS), strict=True):
                    some = slice(first, first + _POSTS)
                    counts = None
                    if not everything:
                        counts = order.holds(posts.start[some, None], posts.end[some, None], start, end) & live
                        if not counts.any():  # as for most stretches where the times of few are unclear
                            continue
                    if embedding is None:
                        embedding = part.block.embedding[rows].astype(np.float32)
                    cosine = posts.embedding[some] @ embedding.T
                    if counts is not None:
                        cosine[~counts] = NEVER
                    inside = np.flatnonzero((own[some] >= number) & (own[some] < number + len(start)))
                    cosine[inside, own[some][inside] - number] = NEVER
                    group.add(cosine, posts.embedding[some], embedding, sort_time(start), number)
            part.block.let_go()
        return [rows for group in best for rows in group.rows()]


def remove_posts(folder: Path, keys: Sequence[Key]) -> None:
    """Take posts out of the index in `folder`, if there is one. Raises StorageError."""
    if keys and (folder / _MANIFEST).exists():
        PostIndex(folder, Bands(0, 0)).remove(keys)  # bands are for what is added


def _find(parts: Sequence[_Part], keys: Sequence[Key]) -> np.ndarray:
    """The row [n] of each of `keys`, -1 where there is none."""
    found = np.full(len(keys), -1)
    hashed = post_keys(keys)
    for part in parts:
        which, rows = _named(part.block, keys, hashed)
        alive = part.live[rows]
        found[which[alive]] = part.offset + rows[alive]
        part.block.let_go()
    return found


def _named(block: Block, keys: Sequence[Key], hashed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions in `keys`, of which `hashed` are the posting keys, and the rows of `block` that have them, replaced ones too."""
    which, rows, _ = block.find(hashed, len(block))
    distinct, at = np.unique(rows, return_inverse=True)
    names = keys_of(block.take(distinct))
    same = np.array([keys[key] == names[name] for key, name in zip(which, at, strict=True)], bool)
    return which[same], rows[same]


def _without(found: Found, keys: np.ndarray, n: int) -> Found:
    """`found` without the hits of `keys`, which are positions among `n`."""
    if not len(keys):
        return found
    kept = ~np.isin(np.arange(n), keys)[found[0]]
    return tuple(column[kept] for column in found)  # type: ignore[return-value]


def _ranges(rows: np.ndarray) -> list[list[int]]:
    """Ascending `rows` as [start, end) ranges."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1) + 1
    return [[int(part[0]), int(part[-1]) + 1] for part in np.split(rows, breaks)]
