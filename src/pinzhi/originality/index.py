"""The archive of earlier posts on disk: blocks that are appended and merged, never rebuilt; searches map them, so that memory
does not grow with the archive."""

import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pinzhi.originality.blocks import Bands, Block, has_letters, merge, post_keys
from pinzhi.originality.minhash import choose_bands, passage_keys, recall
from pinzhi.originality.rows import IndexRows, Key, Order, keys_of, sort_time
from pinzhi.tables import write_text
from pinzhi.text import normalise

FORM = "index/2"  # of what is on disk; an archive whose index has another is fingerprinted anew
_MANIFEST = "manifest.json"
FAN_OUT = 8  # blocks of one size that become one of the next
# Rows of one key that are looked at, the earliest first: a wording that stands everywhere has them all alike.
_MOST = 64
_SCANNED = 8192  # embeddings compared at once
_COMPARED = 20_000  # pairs of signatures compared at once
_TIE = 1e-4  # cosines that differ by less are equal
_ATTEMPTS = 5  # to open an index while it is written


@dataclass
class _Part:
    """A block with its place: rows `offset` and following of the index; rows that a later one replaced are not `live`."""

    name: str
    tier: int
    block: Block
    offset: int
    live: np.ndarray = field(repr=False)


class PostIndex:
    """Earlier posts to compare with. Rows are known by their number, which is good until the next `append` or `refresh`.

    One process may `append`, which is atomic and does nothing for a name that was the last one appended; any number may
    read meanwhile, and keep what they have opened until `refresh`. Of several rows of one post the last one counts. What is
    found before a time does not depend on what was added after it.
    """

    def __init__(self, folder: Path | None, *, similarity: float = 0.5, wanted_recall: float = 0.95) -> None:
        self.folder = folder
        self.bands = Bands(*choose_bands(similarity, wanted_recall))
        self.recall = recall(similarity, self.bands.n, self.bands.rows)
        self._parts: list[_Part] = []
        self._last, self._next, self._manifest = "", 0, ""
        self.refresh()

    def __len__(self) -> int:
        return sum(int(part.live.sum()) for part in self._parts)

    def beside(self, rows: pa.Table) -> "PostIndex":
        """This index and, in memory, `rows` (schema INDEX), which replace what it has of the same posts."""
        both = object.__new__(PostIndex)
        both.__dict__.update(self.__dict__)
        both.folder = None
        both._parts = [_Part(part.name, part.tier, part.block, part.offset, part.live) for part in self._parts]
        both._replace_by(both._take_in("", 0, Block.of(rows, self.bands)))
        return both

    # -- writing -----------------------------------------------------------------------------------------------------

    def append(self, rows: pa.Table, name: str) -> None:
        """Add `rows` (schema INDEX) under `name`. Raises StorageError."""
        assert self.folder is not None, "an index in memory is not written"
        if name == self._last:
            return
        part = self._write(Block.of(rows, self.bands).write, tier=0)
        self._replace_by(part)
        while len(self._parts) >= FAN_OUT and len({part.tier for part in self._parts[-FAN_OUT:]}) == 1:
            grown = self._parts[-FAN_OUT:]
            self._parts = self._parts[:-FAN_OUT]
            blocks, live = [part.block for part in grown], [part.live for part in grown]
            self._write(partial(merge, blocks, live), tier=grown[0].tier + 1)
        self._parts = [part for part in self._parts if part.live.any()]
        self._renumber()
        self._last = name
        self._save()

    def _write(self, write: Callable[[Path], None], tier: int) -> _Part:
        assert self.folder is not None
        name = f"block-{self._next:06d}"
        self._next += 1
        write(self.folder / name)
        return self._take_in(name, tier, Block.open(self.folder / name))

    def _take_in(self, name: str, tier: int, block: Block) -> _Part:
        part = _Part(name, tier, block, 0, np.ones(len(block), bool))
        self._parts.append(part)
        self._renumber()
        return part

    def _replace_by(self, last: _Part) -> None:
        """Of the posts in the `last` part no other row counts, nor one that comes before in it."""
        keys = keys_of(last.block.table)
        counting = {key: row for row, key in enumerate(keys)}
        last.live = np.zeros(len(keys), bool)
        for part, rows in self._rows_by_part(self.find(list(counting))):
            part.live = part.live.copy()
            part.live[rows] = False
        last.live[list(counting.values())] = True

    def _renumber(self) -> None:
        offset = 0
        for part in self._parts:
            part.offset = offset
            offset += len(part.block)

    def _save(self) -> None:
        """Name the blocks that count, in one move, and remove the others."""
        assert self.folder is not None
        content = {
            "form": FORM, "bands": [self.bands.n, self.bands.rows], "last": self._last, "next": self._next,
            "blocks": [
                {"name": part.name, "tier": part.tier, "replaced": _ranges(np.flatnonzero(~part.live))}
                for part in self._parts
            ],
        }  # fmt: skip
        self._manifest = json.dumps(content) + "\n"
        write_text(self._manifest, self.folder / _MANIFEST)
        named = {part.name for part in self._parts}
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and path.name not in named:
                shutil.rmtree(path, ignore_errors=True)

    # -- reading -----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Open what is there now."""
        path = None if self.folder is None else self.folder / _MANIFEST
        if path is None or not path.exists():
            return
        for attempt in range(_ATTEMPTS):
            manifest = path.read_text("utf-8")
            if manifest == self._manifest:
                return
            try:
                self._open(json.loads(manifest))
                self._manifest = manifest
                return
            except FileNotFoundError:  # merged away since the manifest was read
                if attempt == _ATTEMPTS - 1:
                    raise

    def _open(self, content: dict[str, Any]) -> None:
        assert self.folder is not None
        parts = []
        for one in content["blocks"]:
            block = Block.open(self.folder / one["name"])
            if content["bands"] != [self.bands.n, self.bands.rows]:
                block = block.cut_anew(self.bands)
            live = np.ones(len(block), bool)
            for start, end in one["replaced"]:
                live[start:end] = False
            parts.append(_Part(one["name"], one["tier"], block, 0, live))
        self._parts, self._last, self._next = parts, content["last"], content["next"]
        self._renumber()

    def find(self, keys: Sequence[Key]) -> np.ndarray:
        """The row [n] of each of `keys`, -1 where there is none."""
        found = np.full(len(keys), -1)
        if not len(keys):
            return found
        hashed = post_keys(keys)
        for part in self._parts:
            which, rows = part.block.find(hashed, len(part.block))
            alive = part.live[rows]
            distinct, named = np.unique(rows[alive], return_inverse=True)
            names = keys_of(part.block.take(distinct))
            for at, row, name in zip(which[alive], rows[alive], named, strict=True):
                if keys[at] == names[name]:
                    found[at] = part.offset + row
        return found

    def take(self, rows: np.ndarray) -> IndexRows:
        """The rows of the numbers `rows`, ascending and each once."""
        tables, arrays = [], []
        for part, inside in self._rows_by_part(rows):
            tables.append(part.block.take(inside))
            arrays.append([getattr(part.block, name)[inside] for name in ("start", "end", "signature", "embedding")])
        if not tables:
            return IndexRows([], [], *(np.zeros(0, np.int64),) * 2, [], *(np.zeros((0, 0)),) * 2, *(np.zeros(0),) * 2)
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

    def _rows_by_part(self, rows: np.ndarray) -> Iterator[tuple[_Part, np.ndarray]]:
        rows = np.unique(rows[rows >= 0])
        for part in self._parts:
            inside = rows[(rows >= part.offset) & (rows < part.offset + len(part.block))] - part.offset
            if len(inside):
                yield part, inside

    # -- searching ---------------------------------------------------------------------------------------------------

    def near_duplicates(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the rows that share a band with it and stand in `order` to it, most alike first, the earlier of
        the equally alike, at most `limit`; `own` [n] are the rows of the posts themselves, which do not count."""
        worded = np.flatnonzero(has_letters(posts.signature))
        if not len(worded) or not self._parts:
            return [np.zeros(0, np.int64)] * len(posts)
        wanted = self.bands.keys(posts.signature[worded]).ravel()
        _, post, rows, start = self._hits(wanted, np.repeat(worded, self.bands.n), posts, order, own)
        pairs, at = np.unique(np.stack([post, rows]), axis=1, return_index=True)
        post, rows, start = pairs[0], pairs[1], start[at]
        alike = np.zeros(len(rows))
        for begin in range(0, len(rows), _COMPARED):
            some = slice(begin, begin + _COMPARED)
            alike[some] = (self._signatures(rows[some]) == posts.signature[post[some]]).mean(1)
        return _ranked(len(posts), post, rows, (rows, start, -alike), limit)

    def partial_copies(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the rows that share passages with it which few texts have, and stand in `order` to it: those of the
        most and rarest passages first, at most `limit`; `own` as above. A merge of two posts finds both."""
        keys, of_post = passage_keys([normalise(text).text for text in posts.texts])
        if not len(keys) or not self._parts:
            return [np.zeros(0, np.int64)] * len(posts)
        key, post, rows, start = self._hits(keys, of_post, posts, order, own)
        n_texts = np.bincount(key, minlength=len(keys))[key]
        rare = n_texts < _MOST
        pairs, at, of_pair = np.unique(
            np.stack([post[rare], rows[rare]]), axis=1, return_index=True, return_inverse=True
        )
        weight = np.bincount(of_pair.ravel(), 1 / np.log(1.5 + n_texts[rare]), minlength=len(at))
        return _ranked(len(posts), pairs[0], pairs[1], (pairs[1], start[rare][at], -np.round(weight, 6)), limit)

    def _hits(
        self, wanted: np.ndarray, of_post: np.ndarray, posts: IndexRows, order: Order, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows in `order` to their post that have one of its keys: position in `wanted` [m], which belongs to the post `of_post`
        [m]; post; row; time. Of each key the earliest rows, at most _MOST."""
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        for part, time in itertools.product(self._parts, order.not_before(posts)):
            key, rows = part.block.find(wanted, _MOST, None if time is None else time[of_post])
            post = of_post[key]
            start, end = part.block.start[rows], part.block.end[rows]
            kept = part.live[rows] & order.holds(posts.start[post], posts.end[post], start, end)
            kept &= own[post] != rows + part.offset
            found.append((key[kept], post[kept], rows[kept] + part.offset, sort_time(start[kept])))
        key, post, rows, start = (np.concatenate(column) for column in zip(*found, strict=True))
        first = np.lexsort((rows, start, key))
        first = first[_rank(key[first]) < _MOST]
        return key[first], post[first], rows[first], start[first]

    def _signatures(self, rows: np.ndarray) -> np.ndarray:
        taken = np.zeros((len(rows), self._parts[0].block.signature.shape[1]), np.uint32)
        for part in self._parts:
            inside = (rows >= part.offset) & (rows < part.offset + len(part.block))
            taken[inside] = part.block.signature[rows[inside] - part.offset]
        return taken

    def nearest(self, posts: IndexRows, order: Order, limit: int, own: np.ndarray) -> list[np.ndarray]:
        """For each of `posts` the `limit` rows whose embeddings are nearest to its own among those that stand in `order` to it,
        the earlier of the equally near; `own` as above. Every embedding is compared, a few thousand at a time."""
        best = _Best(len(posts), limit)
        for part in self._parts:
            for begin in range(0, len(part.block), _SCANNED):
                rows = slice(begin, begin + _SCANNED)
                start, end = part.block.start[rows], part.block.end[rows]
                allowed = order.holds(posts.start[:, None], posts.end[:, None], start, end) & part.live[rows]
                number = part.offset + begin
                inside = np.flatnonzero((own >= number) & (own < number + len(start)))
                allowed[inside, own[inside] - number] = False
                if allowed.any():
                    cosine = posts.embedding @ part.block.embedding[rows].astype(np.float32).T
                    best.add(np.where(allowed, cosine, -2), sort_time(start), number)
        return best.rows()


class _Best:
    """The nearest rows so far."""

    def __init__(self, n: int, limit: int) -> None:
        self._limit = limit
        self._least = np.full(n, -2.0, np.float32)  # what a row must reach
        self._n = n
        self._post, self._row, self._start = (np.zeros(0, np.int64) for _ in range(3))
        self._cosine = np.zeros(0)

    def add(self, cosine: np.ndarray, start: np.ndarray, offset: int) -> None:
        """Take in rows `offset` and following with `cosine` [n, rows], -2 where a row does not count."""
        least = self._least[:, None]
        if cosine.shape[1] > self._limit and (cosine >= least).sum() > 8 * self._limit * self._n:
            least = np.maximum(least, np.partition(cosine, -self._limit, axis=1)[:, [-self._limit]] - _TIE)
        post, at = np.nonzero((cosine >= least) & (cosine > -2))
        # Rounded, so that the order does not hang on how many were compared at once.
        cosines = np.round(cosine[post, at].astype(float), 4)
        self._post = np.concatenate([self._post, post])
        self._row = np.concatenate([self._row, at + offset])
        self._cosine = np.concatenate([self._cosine, cosines])
        self._start = np.concatenate([self._start, start[at]])
        order = np.lexsort((self._row, self._start, -self._cosine, self._post))
        rank = _rank(self._post[order])
        kept = order[rank < self._limit]
        last = order[rank == self._limit - 1]
        self._least[self._post[last]] = self._cosine[last] - _TIE
        self._post, self._row, self._start = self._post[kept], self._row[kept], self._start[kept]
        self._cosine = self._cosine[kept]

    def rows(self) -> list[np.ndarray]:
        """Rows of each post, nearest first."""
        return _ranked(self._n, self._post, self._row, (self._row, self._start, -self._cosine), self._limit)


def _rank(sorted_groups: np.ndarray) -> np.ndarray:
    """The place [n] of each element among those of its group, which stand together."""
    if not len(sorted_groups):
        return np.zeros(0, np.int64)
    is_first = np.append(True, sorted_groups[1:] != sorted_groups[:-1])
    first = np.flatnonzero(is_first)
    return np.arange(len(sorted_groups)) - np.repeat(first, np.diff(np.append(first, len(sorted_groups))))


def _ranked(
    n: int, post: np.ndarray, rows: np.ndarray, by: tuple[np.ndarray, ...], limit: int
) -> list[np.ndarray]:  # fmt: skip
    """For each of `n` posts its `rows`, ordered `by` the last of the keys first, at most `limit`."""
    order = np.lexsort((*by, post))
    order = order[_rank(post[order]) < limit]
    return np.split(rows[order], np.searchsorted(post[order], np.arange(1, n)))


def _ranges(rows: np.ndarray) -> list[list[int]]:
    """Ascending `rows` as [start, end) ranges."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1) + 1
    return [[int(part[0]), int(part[-1]) + 1] for part in np.split(rows, breaks)]


def union(*rankings: Sequence[int] | np.ndarray, limit: int) -> list[int]:
    """Candidates of several nets, best ranks first, each once."""
    merged: dict[int, None] = {}
    for rank in range(max(map(len, rankings), default=0)):
        for ranking in rankings:
            if rank < len(ranking):
                merged.setdefault(int(ranking[rank]))
    return list(merged)[:limit]
