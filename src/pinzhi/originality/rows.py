"""Posts as the search knows them: when, by whom, what, and the fingerprints by which they are found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa

from pinzhi.minhash import N_PERMUTATIONS
from pinzhi.originality.keys import N_WORDS
from pinzhi.schemas import TIME

INDEX = pa.schema(
    [
        pa.field("platform", pa.string(), nullable=False),
        pa.field("post_id", pa.string(), nullable=False),
        ("account_id", pa.string()),
        ("published_at", TIME),
        ("time_precision", pa.string()),
        pa.field("text", pa.string(), nullable=False),
        pa.field("signature", pa.list_(pa.uint32(), N_PERMUTATIONS), nullable=False),
        pa.field("words", pa.list_(pa.uint32(), N_WORDS), nullable=False),
        pa.field("embedding", pa.list_(pa.float16()), nullable=False),
        pa.field("p_template", pa.float32(), nullable=False),
        pa.field("p_quote", pa.float32(), nullable=False),
    ],
    metadata={"pinzhi.table": "index", "pinzhi.schema_version": "1"},
)

Key = tuple[str, str]  # platform, post_id
UNKNOWN = np.iinfo(np.int64).min
LAST = np.iinfo(np.int64).max  # by which rows of unknown time are sorted
_PRECISION_MS = {"day": 86_400_000, "minute": 60_000, "second": 1_000}


class Order(StrEnum):
    """Where another post may stand in time: surely before a post, surely after it, or nobody knows."""

    EARLIER = "earlier"
    LATER = "later"
    UNCLEAR = "unclear"

    def holds(self, start: np.ndarray, end: np.ndarray, other_start: np.ndarray, other_end: np.ndarray) -> np.ndarray:
        """Mask, by broadcasting, of the others that stand so to posts published from `start` and surely by `end`."""
        if self is Order.EARLIER:
            return (other_end != UNKNOWN) & (start != UNKNOWN) & (other_end <= start)
        if self is Order.LATER:
            return (other_start != UNKNOWN) & (end != UNKNOWN) & (other_start >= end)
        return ~(
            Order.EARLIER.holds(start, end, other_start, other_end)
            | Order.LATER.holds(start, end, other_start, other_end)
        )

    def not_before(self, posts: "IndexRows") -> tuple[np.ndarray | None, ...]:
        """Where, among rows sorted by their end with those of unknown time last, to look for rows that stand so to `posts`: times
        [n] to begin from, or None for the very first. Those that are surely earlier are the first ones, exactly."""
        if self is Order.EARLIER:
            return (None,)
        if self is Order.LATER:
            return (posts.end,)
        return posts.start, np.full(len(posts), LAST)


def time_bounds(rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """First instant [n], in milliseconds, at which each of `rows` may have been published, and the first by which it surely
    was; UNKNOWN where no time is."""
    times = rows["published_at"].combine_chunks().cast(pa.int64())
    known = times.is_valid().to_numpy(zero_copy_only=False)
    start = np.where(known, times.fill_null(0).to_numpy(zero_copy_only=False), UNKNOWN)
    length = np.array([_PRECISION_MS.get(p or "", 1) for p in rows["time_precision"].to_pylist()], dtype=np.int64)
    return start, np.where(known, start + length, UNKNOWN)


def sort_time(start: np.ndarray) -> np.ndarray:
    """Times by which rows are sorted: unknown ones last."""
    return np.where(start == UNKNOWN, LAST, start)


@dataclass(frozen=True)
class IndexRows:
    """Columns of index rows as arrays of length n; times are those of `time_bounds`."""

    keys: list[Key]
    accounts: list[str | None]
    start: np.ndarray
    end: np.ndarray
    texts: list[str]
    signature: np.ndarray  # [n, 128] uint32
    words: np.ndarray  # [n, N_WORDS] uint32, 0 for none
    embedding: np.ndarray  # [n, h] float32, unit length
    p_template: np.ndarray
    p_quote: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    def pick(self, rows: np.ndarray) -> "IndexRows":
        """The rows of the numbers `rows`, in their order."""
        columns: dict[str, Any] = {
            name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows]
            for name, column in vars(self).items()
        }
        return IndexRows(**columns)

    @classmethod
    def of(cls, table: pa.Table) -> "IndexRows":
        """The rows of a table of schema INDEX."""
        arrays = (matrix(table[name]) for name in ("signature", "words", "embedding"))
        return cls.put_together(table, *time_bounds(table), *arrays)

    @classmethod
    def put_together(
        cls, table: pa.Table, start: np.ndarray, end: np.ndarray, signature: np.ndarray, words: np.ndarray,
        embedding: np.ndarray,
    ) -> "IndexRows":  # fmt: skip
        """Rows of the plain columns of `table` and those that come as arrays."""
        return cls(
            keys=keys_of(table),
            accounts=table["account_id"].to_pylist(),
            start=start,
            end=end,
            texts=table["text"].to_pylist(),
            signature=signature,
            words=words,
            embedding=embedding.astype(np.float32),
            p_template=table["p_template"].to_numpy(),
            p_quote=table["p_quote"].to_numpy(),
        )


def keys_of(table: pa.Table) -> list[Key]:
    """(platform, post_id) of the rows of `table`."""
    return list(zip(table["platform"].to_pylist(), table["post_id"].to_pylist(), strict=True))


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    """A column of equally long lists as an array [n, length]; a view where it lies in one piece."""
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks if len(chunk)]
    if not chunks:
        return np.zeros((0, 0), dtype=column.type.value_type.to_pandas_dtype())
    flat = chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
    return flat.reshape(len(column), -1)
