"""A scorer without models: measures are a digest of the text, so that equal input gives equal output."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pinzhi import schemas
from pinzhi.interaction.account_features import SeenAccount, taught_features
from pinzhi.minhash import choose_bands, signatures
from pinzhi.originality.blocks import Bands
from pinzhi.originality.index import PostIndex
from pinzhi.originality.keys import N_WORDS
from pinzhi.originality.rows import INDEX, IndexRows, Key, Order
from pinzhi.text import normalise


def _shares(text: str, n: int) -> list[float]:
    digest = np.frombuffer(hashlib.sha256(text.encode()).digest()[:n], dtype=np.uint8).astype(float) + 1
    return [round(float(x), 4) for x in digest / digest.sum()]


class FakeScorer:
    """What the archive engine needs of a scorer."""

    def __init__(self, version: str = "v1") -> None:
        heads = ("encoder", "sentiment", "authenticity", "embedding", "manner", "coherence", "originality", "account")
        self.models = dict.fromkeys(heads, version)
        self.segmenter_id = "fake"
        self.index_id = f"fake-{version}"
        self.index_recall = 1.0
        self.measured: list[str] = []

    def digest_of(self, heads: Sequence[str], *more: str) -> str:
        parts = [f"{head}={self.models[head]}" for head in heads] + [*more]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def open_index(self, folder: Path) -> PostIndex:
        return PostIndex(folder / self.index_id, Bands(*choose_bands(0.5, 0.95)))

    def fingerprint(self, posts: pa.Table) -> pa.Table:
        texts = posts["text"].to_pylist()
        signed = signatures([normalise(text).text for text in texts])
        rows: list[dict[str, Any]] = [
            {**{name: row.get(name) for name in INDEX.names if name in row}, "signature": signed[i].tolist(), "words": [0] * N_WORDS,
             "embedding": np.array(_shares(row["text"], 8), np.float16).tolist(), "p_template": 0.0, "p_quote": 0.0}
            for i, row in enumerate(posts.to_pylist())
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=INDEX)

    def measure_comments(self, comments: pa.Table, posts: pa.Table) -> pa.Table:
        self.measured += comments["comment_id"].to_pylist()
        rows = []
        for row in comments.to_pylist():
            names = schemas.P_SENTIMENT, schemas.P_AUTHENTICITY
            p = [dict(zip(kind, _shares(row["text"] + kind[0], len(kind)), strict=True)) for kind in names]
            rows.append({"platform": row["platform"], "comment_id": row["comment_id"], **p[0], **p[1]})
        return pa.Table.from_pylist(rows, schema=schemas.COMMENT_MEASURES)

    def measure_accounts(self, accounts: Sequence[SeenAccount]) -> np.ndarray | None:
        return np.round([_shares(str(row.tolist()), 2)[0] for row in taught_features(accounts)], 4)

    def measure_coherence(self, posts: pa.Table, brand: Any) -> pa.Table:
        rows = [
            {"platform": row["platform"], "post_id": row["post_id"], "brand": brand.id, "values": [
                {"value_id": value.id, "p_expresses": p[0], "p_touches": p[1], "p_contradicts": p[2], "spans": []}
                for value in brand.values for p in [_shares(row["text"] + value.id, 4)]]}
            for row in posts.to_pylist()
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=schemas.COHERENCE_MEASURES)

    def measure_originality(self, posts: pa.Table, index: PostIndex, *, brands: Any = ()) -> pa.Table:
        self.measured += posts["post_id"].to_pylist()
        rows = []
        fingerprints = IndexRows.of(self.fingerprint(posts))
        itself = index.find(fingerprints.keys)
        found = index.near_duplicates(fingerprints, Order.EARLIER, 10, itself)
        for key, near in zip(fingerprints.keys, found, strict=True):
            source = index.take(near[:1]).keys[0] if len(near) else (None, None)
            p = [0.0, 1.0, 0.0, 0.0, 0.0] if len(near) else [1.0, 0.0, 0.0, 0.0, 0.0]
            rows.append({"platform": key[0], "post_id": key[1], **dict(zip(schemas.P_ORIGINALITY, p, strict=True)),
                         "source_platform": source[0], "source_post_id": source[1],
                         "source_similarity": 1.0 if len(near) else None, "spans": [], "other_sources": [], "is_self": False,
                         "is_undetermined": False})  # fmt: skip
        return pa.Table.from_pylist(rows, schema=schemas.ORIGINALITY_MEASURES)

    def affected(self, new: Sequence[Key], index: PostIndex) -> pa.Table:
        fresh = index.rows_of(new)
        assert fresh is not None
        later = index.near_duplicates(fresh, Order.LATER, 50, index.find(new))
        keys = set(index.take(np.concatenate(later)).keys) - set(new)
        return pa.Table.from_pylist(
            [{"platform": p, "post_id": i} for p, i in sorted(keys)],
            schema=pa.schema([("platform", pa.string()), ("post_id", pa.string())]),
        )
