"""What a text is found by beside its signature: a sample of longer shingles for passages that it shares with a text otherwise
unlike, and the words that tell the most for what was said anew."""

from collections.abc import Sequence

import numpy as np

from pinzhi.text import letters

PASSAGE = 6  # characters; a clause of twelve has seven such shingles, of which one in four is kept
N_WORDS = 40  # of a text; with all of them, long texts would be found by chance (docs/benchmarks.md)
_SAMPLED = 4


def passage_keys(normalised: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Keys [m] of dtype uint32 of the sampled passages of the texts, and the text [m] of each. Which passages are sampled hangs on
    the passage alone, so that two texts that share one have both kept it or neither."""
    said = [letters(text) for text in normalised]
    codes = np.frombuffer("".join(said).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    of_text = np.repeat(np.arange(len(said)), [len(text) for text in said])
    n = max(0, len(codes) - PASSAGE + 1)
    mixed = np.zeros(n, np.uint64)
    for place in range(PASSAGE):
        mixed = (mixed ^ codes[place : place + n]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    kept = (of_text[:n] == of_text[len(codes) - n :]) & (mixed % np.uint64(_SAMPLED) == 0)
    both = np.unique((of_text[:n][kept].astype(np.uint64) << np.uint64(32)) | (mixed[kept] >> np.uint64(32)))
    return (both & np.uint64(0xFFFFFFFF)).astype(np.uint32), (both >> np.uint64(32)).astype(np.int64)


def word_keys(tokens: Sequence[Sequence[int]], weights: np.ndarray) -> np.ndarray:
    """Keys [n, N_WORDS] of dtype uint32 of the different tokens of each text that tell the most by `weights` [n_tokens]; 0 where
    there are fewer. Tokens without weight are none."""
    keys = np.zeros((len(tokens), N_WORDS), np.uint32)
    for row, said in enumerate(tokens):
        different = np.unique(np.asarray(said, np.int64))
        different = different[weights[different] > 0]
        chosen = different[np.argsort(-weights[different], kind="stable")[:N_WORDS]]
        keys[row, : len(chosen)] = ((chosen + 1) * 0x9E3779B1).astype(np.uint32)  # odd: no token becomes 0
    return keys
