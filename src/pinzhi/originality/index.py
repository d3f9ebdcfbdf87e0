"""The archive of earlier posts on disk: immutable Parquet segments, appended and never rewritten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi.originality.minhash import N_PERMUTATIONS, band_keys, choose_bands, recall
from pinzhi.schemas import TIME
from pinzhi.tables import write_parquet

INDEX = pa.schema(
    [
        pa.field("platform", pa.string(), nullable=False),
        pa.field("post_id", pa.string(), nullable=False),
        ("account_id", pa.string()),
        ("published_at", TIME),
        ("time_precision", pa.string()),
        pa.field("text", pa.string(), nullable=False),
        pa.field("signature", pa.list_(pa.uint32(), N_PERMUTATIONS), nullable=False),
        pa.field("embedding", pa.list_(pa.float16()), nullable=False),
        pa.field("p_template", pa.float32(), nullable=False),
        pa.field("p_quote", pa.float32(), nullable=False),
    ],
    metadata={"pinzhi.table": "index", "pinzhi.schema_version": "1"},
)

_PRECISION_MS = {"day": 86_400_000, "minute": 60_000, "second": 1_000}
_UNKNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True)
class IndexRows:
    """Columns of index rows as arrays of length n; unknown times are the smallest integer."""

    keys: list[tuple[str, str]]
    accounts: list[str | None]
    start: np.ndarray  # milliseconds, first instant at which the post may have been published
    end: np.ndarray  # first instant by which it was surely published
    texts: list[str]
    signature: np.ndarray  # [n, 128] uint32
    embedding: np.ndarray  # [n, h] float32, unit length
    p_template: np.ndarray
    p_quote: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(cls, table: pa.Table) -> "IndexRows":
        """The rows of a table of schema INDEX."""
        n = table.num_rows
        table = table.combine_chunks()
        times = table["published_at"].cast(pa.int64())
        known = times.is_valid().to_numpy()
        start = np.where(known, times.fill_null(0).to_numpy(), _UNKNOWN)
        length = np.array([_PRECISION_MS.get(p or "", 1) for p in table["time_precision"].to_pylist()], dtype=np.int64)
        return cls(
            keys=list(zip(table["platform"].to_pylist(), table["post_id"].to_pylist(), strict=True)),
            accounts=table["account_id"].to_pylist(),
            start=start,
            end=np.where(known, start + length, _UNKNOWN),
            texts=table["text"].to_pylist(),
            signature=_matrix(table["signature"], np.uint32, n),
            embedding=_matrix(table["embedding"], np.float32, n),
            p_template=table["p_template"].to_numpy(),
            p_quote=table["p_quote"].to_numpy(),
        )


def _matrix(column: pa.ChunkedArray, dtype: type, n: int) -> np.ndarray:
    if n == 0:
        return np.zeros((0, 0), dtype=dtype)
    flat = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks])
    return flat.reshape(n, -1).astype(dtype)


class PostIndex:
    """Earlier posts to compare with. `append` is atomic and idempotent by name; readers keep what they have loaded
    until `refresh`."""

    def __init__(self, folder: Path, *, similarity: float = 0.5, wanted_recall: float = 0.95) -> None:
        self.folder = folder
        self.bands, self.rows_per_band = choose_bands(similarity, wanted_recall)
        self.recall = recall(similarity, self.bands, self.rows_per_band)
        self.refresh()

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, rows: pa.Table, name: str) -> None:
        """Add `rows` (schema INDEX) as segment `name`; a segment that is there already stays as it is."""
        path = self.folder / f"{name}.parquet"
        if not path.exists():
            write_parquet(rows, path, INDEX)

    def refresh(self) -> None:
        """Load all segments; of several rows with one key the one in the last segment counts."""
        segments = sorted(self.folder.glob("*.parquet")) if self.folder.is_dir() else []
        tables = [pq.read_table(path, schema=INDEX) for path in segments]
        table = pa.concat_tables(tables) if tables else INDEX.empty_table()
        keys = zip(table["platform"].to_pylist(), table["post_id"].to_pylist(), strict=True)
        newest = {key: row for row, key in enumerate(keys)}
        if len(newest) < table.num_rows:
            table = table.take(pa.array(sorted(newest.values())))
        self._load(table)

    @classmethod
    def of(cls, table: pa.Table, **options: float) -> "PostIndex":
        """An index in memory, of a table of schema INDEX."""
        index = cls(Path("/nonexistent"), **options)
        index._load(table)
        return index

    def _load(self, table: pa.Table) -> None:
        self.table = table
        self.rows = rows = IndexRows.of(table)
        self._row_of = {key: row for row, key in enumerate(rows.keys)}
        keys = band_keys(rows.signature, self.bands, self.rows_per_band) if len(rows) else np.zeros((0, self.bands))
        order = np.argsort(keys, axis=0, kind="stable")
        self._order = order
        self._keys = np.take_along_axis(keys, order, axis=0)

    def text_of(self, key: tuple[str, str]) -> str | None:
        """Text of the post with `key`, None when it is not here."""
        row = self._row_of.get(key)
        return None if row is None else self.rows.texts[row]

    def rows_of(self, keys: Iterable[tuple[str, str]]) -> IndexRows | None:
        """The rows of `keys`, in order; None unless all of them are here."""
        rows = [self._row_of.get(key) for key in keys]
        return None if None in rows else IndexRows.of(self.table.take(pa.array(rows, pa.int64())))

    def mask_without(self, key: tuple[str, str]) -> np.ndarray:
        """Mask of all rows but the one of `key`."""
        mask = np.ones(len(self.rows), dtype=bool)
        if key in self._row_of:
            mask[self._row_of[key]] = False
        return mask

    def near_duplicates(self, signature: np.ndarray, limit: int) -> np.ndarray:
        """Rows that share a band with `signature` [128], most alike first, at most `limit`."""
        if not len(self.rows) or bool((signature == np.iinfo(np.uint32).max).all()):
            return np.zeros(0, dtype=np.int64)
        wanted = band_keys(signature[None], self.bands, self.rows_per_band)[0]
        found = []
        for band, key in enumerate(wanted):
            column = self._keys[:, band]
            first, last = np.searchsorted(column, key, "left"), np.searchsorted(column, key, "right")
            if first < last:
                found.append(self._order[first:last, band])
        if not found:
            return np.zeros(0, dtype=np.int64)
        rows = np.unique(np.concatenate(found))
        alike = (self.rows.signature[rows] == signature).mean(1)
        return rows[np.argsort(-alike, kind="stable")][:limit]

    def nearest(self, embedding: np.ndarray, limit: int, allowed: np.ndarray) -> np.ndarray:
        """Rows nearest to the unit vector `embedding` among those that the mask `allowed` keeps."""
        if not len(self.rows) or not bool(allowed.any()):
            return np.zeros(0, dtype=np.int64)
        similarity = np.where(allowed, self.rows.embedding @ embedding, -2.0)
        top = np.argpartition(-similarity, min(limit, len(similarity) - 1))[:limit]
        top = top[similarity[top] > -2]
        return top[np.argsort(-similarity[top], kind="stable")]


def earlier(index: IndexRows, start: int) -> np.ndarray:
    """Mask of the rows surely published before the instant `start`; nothing is before an unknown time."""
    return (index.end != _UNKNOWN) & (index.end <= start) & (start != _UNKNOWN)


def surely_later(index: IndexRows, end: int) -> np.ndarray:
    """Mask of the rows surely published after the instant `end`."""
    return (index.start != _UNKNOWN) & (index.start >= end) & (end != _UNKNOWN)


def union(*rankings: Sequence[int] | np.ndarray, limit: int) -> list[int]:
    """Candidates of several nets, best ranks first, each once."""
    merged: dict[int, None] = {}
    for rank in range(max(map(len, rankings), default=0)):
        for ranking in rankings:
            if rank < len(ranking):
                merged.setdefault(int(ranking[rank]))
    return list(merged)[:limit]
