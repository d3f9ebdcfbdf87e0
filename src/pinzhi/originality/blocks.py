"""Blocks of the index: rows that never change, with sorted postings over them, in files that are mapped, not read."""

import hashlib
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from pinzhi.memory import let_go
from pinzhi.minhash import N_PERMUTATIONS, band_keys
from pinzhi.originality.keys import N_WORDS, passage_keys
from pinzhi.originality.rows import INDEX, Key, keys_of, matrix, sort_time, time_bounds
from pinzhi.tables import TEMPORARY, put_in_place, sync_folder
from pinzhi.text import normalise

PLAIN = pa.schema([field for field in INDEX if field.name not in ("signature", "words", "embedding")])
_ROWS = "rows.arrow"
_ARRAYS = {
    "start": np.int64,
    "end": np.int64,
    "signature": np.uint32,
    "words": np.uint32,
    "embedding": np.float16,
}  # a row each
_KEYS, _POSTINGS = "keys", "postings"
_BATCH = 8192  # rows held at once
_LARGE = 30_000  # rows from which a block is not kept in memory between searches
_PARTS = 64  # ranges of keys that are merged one after the other


@dataclass(frozen=True)
class Bands:
    """How signatures are cut: `n` bands of `rows` values each."""

    n: int
    rows: int

    def keys(self, signature: np.ndarray) -> np.ndarray:
        """Posting keys [n, bands] of signatures [n, 128]; a band's number is part of its key."""
        number = np.arange(self.n, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93)
        mixed = (band_keys(signature, self.n, self.rows) ^ number) * np.uint64(0x9E3779B97F4A7C15)
        return (mixed >> np.uint64(32)).astype(np.uint32)


def post_keys(keys: Sequence[Key]) -> np.ndarray:
    """Posting keys [n] of (platform, post_id)."""
    digests = [hashlib.blake2b("\x1f".join(key).encode(), digest_size=4).digest() for key in keys]
    return np.frombuffer(b"".join(digests), dtype="<u4")


def has_letters(signature: np.ndarray) -> np.ndarray:
    """Mask [n] of signatures [n, 128]; that of a text without letters matches nothing."""
    return (signature != np.iinfo(np.uint32).max).any(1) if len(signature) else np.zeros(0, bool)


@dataclass(frozen=True)
class Block:
    """Rows in the order in which they came: plain columns (schema PLAIN), arrays of a row each, and postings: `keys` is
    sorted, and `postings` are the rows that have them; of equal keys the row that was surely published first comes first,
    those of unknown time last. Every row has the key of its post, those of its bands, its passages and its words."""

    table: pa.Table
    start: np.ndarray  # [n], as of `time_bounds`
    end: np.ndarray
    signature: np.ndarray  # [n, 128] uint32
    words: np.ndarray  # [n, N_WORDS] uint32
    embedding: np.ndarray  # [n, h] float16
    keys: np.ndarray  # [m] uint32
    postings: np.ndarray  # [m] uint32
    mapped: tuple[pa.Buffer, ...] = ()  # what lies on disk, a file each

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def of(cls, rows: pa.Table, bands: Bands) -> "Block":
        """A block in memory, of `rows` of schema INDEX."""
        return cls._with_postings(
            rows.select(PLAIN.names).cast(PLAIN),
            *time_bounds(rows),
            matrix(rows["signature"]),
            matrix(rows["words"]),
            matrix(rows["embedding"]),
            bands,
        )

    @classmethod
    def _with_postings(
        cls, table: pa.Table, start: np.ndarray, end: np.ndarray, signature: np.ndarray, words: np.ndarray,
        embedding: np.ndarray, bands: Bands,
    ) -> "Block":  # fmt: skip
        worded = np.flatnonzero(has_letters(signature))
        named = post_keys(keys_of(table))
        passages, of_row = passage_keys([normalise(text).text for text in table["text"].to_pylist()])
        saying, at = np.nonzero(words)
        banded = bands.keys(signature[worded]).ravel() if len(worded) else named[:0]
        keys = np.concatenate([named, banded, passages, words[saying, at]])
        postings = np.concatenate([np.arange(len(named)), np.repeat(worded, bands.n), of_row, saying])
        order = np.lexsort((postings, sort_time(end)[postings], keys))
        return cls(table, start, end, signature, words, embedding, keys[order], postings[order].astype(np.uint32))

    @classmethod
    def open(cls, folder: Path) -> "Block":
        """A block on disk. Raises FileNotFoundError when it is not there, or no longer."""
        with pa.memory_map(str(folder / _ROWS)) as file:
            table = pa.ipc.open_file(file).read_all()
        n = table.num_rows

        buffers: list[pa.Buffer] = []

        def mapped(name: str, dtype: type) -> np.ndarray:
            with pa.memory_map(str(folder / name)) as file:  # which, unlike numpy's, holds no descriptor
                buffers.append(file.read_buffer())
                return np.frombuffer(buffers[-1], dtype)

        arrays = {name: mapped(name, dtype) for name, dtype in _ARRAYS.items()}
        widths = {"signature": N_PERMUTATIONS, "words": N_WORDS, "embedding": len(arrays["embedding"]) // max(1, n)}
        for name, width in widths.items():
            arrays[name] = arrays[name].reshape(n, width)
        keys, postings = mapped(_KEYS, np.uint32), mapped(_POSTINGS, np.uint32)
        return cls(table, **arrays, keys=keys, postings=postings, mapped=tuple(buffers))

    def let_go(self) -> None:
        """Leave memory until it is touched again, if it is large."""
        if len(self) >= _LARGE:
            let_go(self.mapped)

    def find(
        self, wanted: np.ndarray, most: int, not_before: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which of the keys `wanted` [m] stand in which row: positions in `wanted` and rows, of each key the first `most`, or
        the first of those that end at `not_before` [m] or later, or nobody knows when; and the mask [m] of the keys that have
        more."""
        first = np.searchsorted(self.keys, wanted, "left")
        last = np.searchsorted(self.keys, wanted, "right")
        if not_before is not None:
            low, high = first, last
            while (open_ := low < high).any():  # bisection, of all keys at once
                middle = (low + high) // 2
                end = sort_time(self.end[self.postings[np.where(open_, middle, 0)]])
                low = np.where(open_ & (end < not_before), middle + 1, low)
                high = np.where(open_ & (end >= not_before), middle, high)
            first = low
        n = np.minimum(last - first, most)
        which = np.repeat(np.arange(len(wanted)), n)
        inside = np.arange(len(which)) - np.repeat(np.cumsum(n) - n, n)
        return which, self.postings[np.repeat(first, n) + inside].astype(np.int64), n < last - first

    def after(self, wanted: np.ndarray, n: int) -> np.ndarray:
        """The row [m] that comes after the first `n` of each of the keys `wanted` [m]; -1 where there are not so many."""
        at = np.searchsorted(self.keys, wanted, "left") + n
        there = at < np.searchsorted(self.keys, wanted, "right")
        rows = np.full(len(wanted), -1)
        rows[there] = self.postings[at[there]]
        return rows

    def take(self, rows: np.ndarray) -> pa.Table:
        """Plain columns of `rows`, in ascending order; no other row is touched."""
        parts, start = [], 0
        for batch in self.table.to_batches():
            inside = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
            if len(inside):
                parts.append(batch.take(pa.array(inside)))
            start += batch.num_rows
        return pa.Table.from_batches(parts, PLAIN)

    def write(self, folder: Path) -> None:
        """Write it to `folder`, in one move."""
        _write(folder, [(self, np.arange(len(self)))], [(self.keys, self.postings)])


def merge(blocks: Sequence[Block], live: Sequence[np.ndarray], folder: Path) -> None:
    """Write one block of the rows of `blocks` that the masks `live` keep, in their order, in one move. What is in memory at
    once is a batch of rows and a 64th of the postings."""
    renumbered = [np.cumsum(mask) - 1 for mask in live]
    offsets = np.cumsum([0, *(int(mask.sum()) for mask in live)])
    time = np.concatenate([sort_time(block.end[mask]) for block, mask in zip(blocks, live, strict=True)])

    def postings() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        edges = np.linspace(0, 2**32, _PARTS + 1).astype(np.uint64)
        for low, high in itertools.pairwise(edges):
            keys, rows = [], []
            for at, block in enumerate(blocks):
                # equal types, or the keys are converted whole
                part = slice(
                    np.searchsorted(block.keys, np.uint32(low)),
                    len(block.keys) if high == 2**32 else np.searchsorted(block.keys, np.uint32(high)),
                )
                kept = live[at][block.postings[part]]
                keys.append(block.keys[part][kept])
                rows.append(renumbered[at][block.postings[part][kept]] + offsets[at])
            for block in blocks:
                block.let_go()
            every, row = np.concatenate(keys), np.concatenate(rows)
            order = np.lexsort((row, time[row], every))
            yield every[order], row[order].astype(np.uint32)

    chosen = [(block, np.flatnonzero(mask)) for block, mask in zip(blocks, live, strict=True)]
    _write(folder, chosen, postings())


def _write(
    folder: Path, chosen: Sequence[tuple[Block, np.ndarray]], postings: Iterable[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Write the chosen rows of blocks and sorted postings as a block."""
    temporary = folder.with_name(f"{TEMPORARY}{folder.name}")
    for leftover in (temporary, folder):  # of a run that was killed before the block was named anywhere
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    with ExitStack() as stack:

        def create(name: str) -> BinaryIO:
            return stack.enter_context((temporary / name).open("wb"))

        files = {name: create(name) for name in (_ROWS, *_ARRAYS, _KEYS, _POSTINGS)}
        with pa.ipc.new_file(files[_ROWS], PLAIN) as writer:
            for block, rows in chosen:
                for start in range(0, len(rows), _BATCH):
                    some = rows[start : start + _BATCH]
                    writer.write_table(block.take(some).combine_chunks())
                    for name, dtype in _ARRAYS.items():
                        files[name].write(np.ascontiguousarray(getattr(block, name)[some], dtype).data)
                block.let_go()
        for keys, rows in postings:
            files[_KEYS].write(np.ascontiguousarray(keys, np.uint32).data)
            files[_POSTINGS].write(np.ascontiguousarray(rows, np.uint32).data)
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    sync_folder(temporary)
    put_in_place(temporary, folder)
