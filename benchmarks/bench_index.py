"""The index of earlier posts at growing size: rows appended a second, what finding and judging the sources of a post costs, and
peak memory; beside the in-memory searches of near duplicates that a user would otherwise pick (rensa and datasketch).

Texts are generated and embeddings drawn at random, for to encode a million posts takes three quarters of an hour; the posts
that are asked about go through the models.

Run: python -m benchmarks.bench_index [POSTS...]
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from benchmarks import texts
from benchmarks.bench_archive import peak_mib

if TYPE_CHECKING:
    from pinzhi.heads.encoder import Encoder

ASKED = 512
SHARD = 512
SIZES = (10_000, 100_000)


class Tokens:
    """Tokens of generated posts, clause by clause, so that each is segmented once."""

    def __init__(self, encoder: "Encoder") -> None:
        self._encoder = encoder
        self._known: dict[str, list[int]] = {}

    def __call__(self, seeds: Iterable[int]) -> list[list[int]]:
        """Those of the posts of `seeds`."""
        said = [texts.clauses(seed) for seed in seeds]
        new = sorted({clause for clauses in said for clause in clauses} - self._known.keys())
        self._known.update(zip(new, self._encoder.token_ids(new), strict=True))
        return [[token for clause in clauses for token in self._known[clause]] for clauses in said]


def shard(start: int, n: int, tokens: Tokens, weights: np.ndarray, width: int) -> pa.Table:
    """Index rows of `n` generated posts, a minute apart."""
    from pinzhi.minhash import signatures
    from pinzhi.originality.keys import word_keys
    from pinzhi.originality.rows import INDEX
    from pinzhi.text import normalise

    said = [texts.post(i) for i in range(start, start + n)]
    vectors = np.random.default_rng(start).normal(size=(n, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    signed = signatures([normalise(text).text for text in said])
    said_words = word_keys(tokens(range(start, start + n)), weights)
    columns = {
        "platform": pa.array(["weibo"] * n),
        "post_id": pa.array([f"p{i}" for i in range(start, start + n)]),
        "account_id": pa.array([f"a{i % 97}" for i in range(start, start + n)]),
        "published_at": pa.array(np.arange(start, start + n) * 60_000, INDEX.field("published_at").type),
        "time_precision": pa.array(["second"] * n),
        "text": pa.array(said),
        "signature": pa.FixedSizeListArray.from_arrays(pa.array(signed.ravel()), signed.shape[1]),
        "words": pa.FixedSizeListArray.from_arrays(pa.array(said_words.ravel()), said_words.shape[1]),
        "embedding": pa.ListArray.from_arrays(
            pa.array(np.arange(n + 1) * width, pa.int32()), pa.array(vectors.astype(np.float16).ravel())
        ),
        "p_template": pa.array(np.zeros(n, np.float32)),
        "p_quote": pa.array(np.zeros(n, np.float32)),
    }
    return pa.table(list(columns.values()), schema=INDEX)


def measure(n: int) -> None:
    """Print the figures of an index of `n` posts."""
    import os

    from pinzhi.originality.rows import IndexRows, Order
    from pinzhi.scoring import Scorer

    scorer = Scorer.load()
    encoder = scorer.heads.encoder
    tokens, weights = Tokens(encoder), encoder.token_weights
    with tempfile.TemporaryDirectory() as folder:
        index = scorer.open_index(Path(folder) / "index")
        appended = 0.0
        for start in range(0, n, SHARD):
            rows = shard(start, min(SHARD, n - start), tokens, weights, encoder.hidden_size)
            began = time.perf_counter()
            index.append(rows, str(start))
            appended += time.perf_counter() - began
        # every fourth post that is asked about copies an earlier one
        said = [texts.post(n // 3 + i if i % 4 == 0 else 10**8 + i) for i in range(ASKED)]
        posts = pa.table(
            {
                "platform": ["weibo"] * ASKED, "post_id": [f"q{i}" for i in range(ASKED)],
                "account_id": ["new"] * ASKED, "text": said, "time_precision": ["second"] * ASKED,
                "published_at": pa.array([n * 60_000] * ASKED, rows.schema.field("published_at").type),
            }
        )  # fmt: skip
        fingerprints = IndexRows.of(scorer.fingerprint(posts))
        began = time.perf_counter()
        itself = index.find(fingerprints.keys)
        near = index.near_duplicates(fingerprints, Order.EARLIER, 8, itself)
        looked_up = time.perf_counter() - began
        index.related(fingerprints, Order.EARLIER, 8, itself)
        searched = time.perf_counter() - began
        began = time.perf_counter()
        scorer.measure_originality(posts, index)  # fingerprints them too
        judged = time.perf_counter() - began
        wanted = index.find([("weibo", f"p{n // 3 + i}") for i in range(0, ASKED, 4)])
        hits = sum(at in found for at, found in zip(wanted, near[::4], strict=True))
        print(
            f"{n:>10,} posts: {n / appended:>8,.0f} appended /s, lookup {1000 * looked_up / ASKED:.2f} ms a post, "
            f"with what is related {1000 * searched / ASKED:.2f} ms, whole path {1000 * judged / ASKED:.1f} ms "
            f"({ASKED / judged:,.0f} posts/s), {hits} of {ASKED // 4} copies found, peak {peak_mib(os.getpid()):,} MiB",
            flush=True,
        )


class Rensa:
    """Near duplicates by rensa, all in memory: the bands of its README."""

    def __init__(self) -> None:
        from rensa import RMinHashLSH

        from pinzhi.minhash import N_PERMUTATIONS

        self._lsh = RMinHashLSH(threshold=0.5, num_perm=N_PERMUTATIONS, num_bands=32)

    def sign(self, shingles: list[str]) -> Any:
        """The signature of a text."""
        from rensa import RMinHash

        from pinzhi.minhash import N_PERMUTATIONS

        one = RMinHash(num_perm=N_PERMUTATIONS, seed=42)
        one.update(shingles)
        return one

    def insert(self, key: int, signature: Any) -> None:
        """Make a text known."""
        self._lsh.insert(key, signature)

    def query(self, signature: Any) -> Any:
        """Keys of texts that are like it."""
        return self._lsh.query(signature)


class Datasketch(Rensa):
    """The same by datasketch."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        from pinzhi.minhash import N_PERMUTATIONS

        self._lsh = MinHashLSH(num_perm=N_PERMUTATIONS, params=(32, 4))

    def sign(self, shingles: list[str]) -> Any:
        """The signature of a text."""
        from datasketch import MinHash

        from pinzhi.minhash import N_PERMUTATIONS

        one = MinHash(num_perm=N_PERMUTATIONS, seed=42)
        one.update_batch([shingle.encode() for shingle in shingles])
        return one


def measure_library(n: int, library: type[Rensa]) -> None:
    """Print what `library` takes for signatures and lookups, beside our signatures of the same texts."""
    import os

    from pinzhi.minhash import shingles, signatures
    from pinzhi.text import normalise

    theirs = library()
    signed = inserted = ours = 0.0
    for start in range(0, n, SHARD):
        said = [normalise(texts.post(i)).text for i in range(start, min(start + SHARD, n))]
        began = time.perf_counter()
        signatures(said)
        ours += time.perf_counter() - began
        began = time.perf_counter()
        sketches = [theirs.sign(sorted(shingles(text))) for text in said]
        signed += time.perf_counter() - began
        began = time.perf_counter()
        for at, sketch in enumerate(sketches, start):
            theirs.insert(at, sketch)
        inserted += time.perf_counter() - began
    asked = [theirs.sign(sorted(shingles(normalise(texts.post(n // 3 + i)).text))) for i in range(ASKED)]
    began = time.perf_counter()
    for one in asked:
        theirs.query(one)
    took = time.perf_counter() - began
    print(
        f"{n:>10,} posts: {library.__name__.lower()} {n / signed:,.0f} signed /s (ours {n / ours:,.0f}, ratio {signed / ours:.2f}), "
        f"{n / inserted:,.0f} inserted /s, lookup {1000 * took / ASKED:.2f} ms a post, peak {peak_mib(os.getpid()):,} MiB",
        flush=True,
    )


def main() -> None:
    """Each size in a process of its own, so that peaks do not add up."""
    if sys.argv[1:2] == ["--one"]:
        whose, n = sys.argv[2], int(sys.argv[3])
        if whose == "ours":
            measure(n)
        else:
            measure_library(n, {"rensa": Rensa, "datasketch": Datasketch}[whose])
        return
    for n in [int(argument) for argument in sys.argv[1:]] or SIZES:
        for whose in ("ours", "rensa", "datasketch"):
            subprocess.run([sys.executable, "-m", "benchmarks.bench_index", "--one", whose, str(n)], check=True)


if __name__ == "__main__":
    main()
