"""Near copies: character shingles, MinHash signatures over them, and the bands by which alike signatures meet."""

from collections.abc import Sequence

import numpy as np

from pinzhi.text import letters

N_PERMUTATIONS = 128
SHINGLE = 4  # characters, of posts; see docs/benchmarks.md
_SEED = 42


def shingles(normalised: str, size: int = SHINGLE) -> set[str]:
    """Character shingles of the letters of `normalised`; a text shorter than a shingle is its own only one."""
    text = letters(normalised)
    if len(text) <= size:
        return {text} if text else set()
    return {text[i : i + size] for i in range(len(text) - size + 1)}


def signatures(normalised: Sequence[str], size: int = SHINGLE) -> np.ndarray:
    """MinHash signatures [n, 128] of dtype uint32 over shingles of `size` characters; a text without letters gets all ones,
    which matches nothing."""
    from rensa import RMinHash

    rows = np.full((len(normalised), N_PERMUTATIONS), np.iinfo(np.uint32).max, dtype=np.uint32)
    for row, text in enumerate(normalised):
        tokens = sorted(shingles(text, size))
        if tokens:
            sketch = RMinHash(num_perm=N_PERMUTATIONS, seed=_SEED)
            sketch.update(tokens)
            rows[row] = sketch.digest()
    return rows


def choose_bands(similarity: float, wanted_recall: float) -> tuple[int, int]:
    """(bands, rows per band): the longest rows, hence fewest false candidates, that still find a pair of Jaccard
    `similarity` with probability `wanted_recall`; single rows when nothing reaches it."""
    for rows in range(8, 0, -1):
        bands = N_PERMUTATIONS // rows
        if recall(similarity, bands, rows) >= wanted_recall:
            return bands, rows
    return N_PERMUTATIONS, 1


def recall(similarity: float, bands: int, rows: int) -> float:
    """Probability that a pair of Jaccard `similarity` shares at least one band."""
    return 1 - (1 - similarity**rows) ** bands


def band_keys(signature_rows: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Keys [n, bands] of dtype uint64: a mixing hash of the rows of each band."""
    cut = signature_rows[:, : bands * rows].reshape(len(signature_rows), bands, rows).astype(np.uint64)
    keys = np.zeros(cut.shape[:2], dtype=np.uint64)
    for column in range(rows):
        keys = (keys ^ cut[:, :, column]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
