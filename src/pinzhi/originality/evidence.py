"""What two texts share: features for the judge, and the spans that a reader is shown."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from pinzhi.minhash import shingles
from pinzhi.quotation import is_attributed, own_words
from pinzhi.text import Normalised, letter_positions, letters, normalise, skeleton
from pinzhi.types import PairSpan

FEATURES = (
    "jaccard_4", "contained_4", "containing_4", "contained_2", "contained_words", "containing_words",
    "contained_blocks", "soft_contained", "soft_containing", "soft_contained_rare", "order", "numbers_shared",
    "numbers_changed", "embedding_cosine", "log_length_ratio", "same_skeleton", "attributed", "own_share",
    "soft_contained_own",
)  # fmt: skip
MAX_LETTERS = 10_000  # of a text that are aligned; the search has seen the whole
MIN_BLOCK = 5  # shared characters in a row that a reader would call copied
# Times that a run of MIN_BLOCK letters may stand in a text before no block begins with it: hostile texts repeat themselves.
_OFTEN = 16
_MAX_CLAUSES = 500  # of a text that are shown beside those of another
_ALIGNED = 0.55  # cosine of two word vectors from which words count as saying the same; order feature only


# Cosine of two clauses' weighted word vectors from which they are shown as saying the same.
_SAME_CLAUSE = 0.72
_DIGITS = re.compile(r"\d+")
_CLAUSE = re.compile(r"[^。！？!?；;，,、\n…~]+")


@dataclass(frozen=True)
class Words:
    """A text as the judge reads it: words, their vectors [t, h] of unit length and weights [t] (rare words weigh)."""

    raw: str
    clean: Normalised
    tokens: list[int]
    vectors: np.ndarray
    weights: np.ndarray
    own: np.ndarray  # mask over tokens: the author's own words
    grams: frozenset[str]
    letters: str

    @cached_property
    def numbers(self) -> set[str]:
        """Digit runs."""
        return set(_DIGITS.findall(self.clean.text))

    @cached_property
    def grams_2(self) -> set[str]:
        """Pairs of characters; `grams` has runs of four."""
        return shingles(self.clean.text, 2)

    @cached_property
    def known(self) -> frozenset[int]:
        """The different tokens."""
        return frozenset(self.tokens)

    @cached_property
    def rare(self) -> np.ndarray:
        """Mask over tokens: the half that weighs more."""
        return self.weights > np.median(self.weights) if len(self.weights) else np.zeros(0, dtype=bool)

    def among(self, known: frozenset[int]) -> np.ndarray:
        """Mask over tokens: those of `known`."""
        return np.fromiter((token in known for token in self.tokens), dtype=bool, count=len(self.tokens))


def share_of(part: set[str] | frozenset[str], whole: set[str] | frozenset[str]) -> float:
    """Share of `part` found in `whole`; 0 of nothing."""
    return len(part & whole) / len(part) if part else 0.0


def weighted_share(words: Words, kept: np.ndarray) -> float:
    """Share of the weight of `words` that `kept` (mask or degrees in [0, 1]) holds."""
    total = float(words.weights.sum())
    return float((words.weights * kept).sum()) / total if total else 0.0


def soft_alignment(words: Words, other: Words) -> tuple[np.ndarray, np.ndarray]:
    """For each word the cosine of its nearest word in `other`, in [0, 1], and where that stands."""
    if not len(words.tokens) or not len(other.tokens):
        return np.zeros(len(words.tokens)), np.zeros(len(words.tokens), dtype=np.int64)
    cosine = words.vectors @ other.vectors.T
    nearest = cosine.argmax(1)
    return np.clip(cosine[np.arange(len(nearest)), nearest], 0, 1), nearest


def rank_correlation(values: np.ndarray) -> float:
    """Spearman's correlation of `values` with their positions, -1..1; 0 where all are equal."""
    ranks, places = rankdata(values), np.arange(len(values), dtype=float)
    ranks, places = ranks - ranks.mean(), places - places.mean()
    spread = float(np.sqrt((ranks @ ranks) * (places @ places)))
    return float(ranks @ places) / spread if spread else 0.0


def pair_features(earlier: Words, later: Words, embedding_cosine: float) -> np.ndarray:
    """Evidence [len(FEATURES)] that `later` derives from `earlier`."""
    soft, position = soft_alignment(later, earlier)
    soft_back, _ = soft_alignment(earlier, later)
    rare = later.rare
    aligned = (soft > _ALIGNED) & rare
    order = 0.0
    if aligned.sum() >= 4 and len(set(position[aligned])) > 1:
        order = rank_correlation(position[aligned])
    numbers = (earlier.numbers, later.numbers)
    start, end = own_words(later.raw)
    own_weight = float(later.weights[later.own].sum()) if len(later.weights) else 0.0
    return np.array(
        [
            len(earlier.grams & later.grams) / max(1, len(earlier.grams | later.grams)),
            share_of(later.grams, earlier.grams),
            share_of(earlier.grams, later.grams),
            share_of(later.grams_2, earlier.grams_2),
            weighted_share(later, later.among(earlier.known)),
            weighted_share(earlier, earlier.among(later.known)),
            sum(size for _, _, size in blocks(later.letters, earlier.letters))
            / max(1, len(later.letters[:MAX_LETTERS])),
            weighted_share(later, soft),
            weighted_share(earlier, soft_back),
            float((soft * later.weights)[rare].sum() / max(1e-6, later.weights[rare].sum())),
            order,
            share_of(numbers[1], numbers[0]),
            float(bool(numbers[1] - numbers[0])),
            embedding_cosine,
            float(np.log((1 + len(later.letters)) / (1 + len(earlier.letters)))),
            float(_same_skeleton(earlier, later)),
            float(is_attributed(later.raw)),
            (end - start) / max(1, len(later.raw)),
            float((soft * later.weights)[later.own].sum() / max(1e-6, own_weight)) if own_weight else 0.0,
        ],
        dtype=np.float32,
    )


def _same_skeleton(earlier: Words, later: Words) -> bool:
    """Whether both texts are equal but for numbers and the clauses around them; where that is all there is, nothing is known."""
    said = skeleton(later.clean.text)
    return bool(said) and said == skeleton(earlier.clean.text)


def blocks(later: str, earlier: str) -> list[tuple[int, int, int]]:
    """Runs of at least MIN_BLOCK equal characters, as (start in later, start in earlier, size), in order. Runs of that length are
    matched instead of single characters: hardly one stands twice in a text, so that time grows with the length."""
    here, there = (
        [text[i : i + MIN_BLOCK] for i in range(min(len(text), MAX_LETTERS) - MIN_BLOCK + 1)]
        for text in (later, earlier)
    )
    times = Counter(there)
    matcher = SequenceMatcher(lambda run: times[run] > _OFTEN, here, there, autojunk=False)
    found: list[tuple[int, int, int]] = []
    end = source_end = 0
    for start, source_start, n_runs in matcher.get_matching_blocks():
        overlap = max(0, end - start, source_end - source_start)  # runs that follow each other share characters
        size = n_runs + MIN_BLOCK - 1 - overlap
        if n_runs and size >= MIN_BLOCK:
            found.append((start + overlap, source_start + overlap, size))
            end, source_end = start + overlap + size, source_start + overlap + size
    return found


def shared_spans(earlier_raw: str, later_raw: str) -> tuple[PairSpan, ...]:
    """Copied runs as spans of raw characters on both sides; quotes stored text, invents nothing."""
    earlier, later = normalise(earlier_raw), normalise(later_raw)
    earlier_at, later_at = letter_positions(earlier.text), letter_positions(later.text)
    spans = []
    for a, b, size in blocks(letters(later.text), letters(earlier.text)):
        start, end = later.raw_span(later_at[a], later_at[a + size - 1] + 1)
        source_start, source_end = earlier.raw_span(earlier_at[b], earlier_at[b + size - 1] + 1)
        spans.append(PairSpan(start, end, source_start, source_end))
    return tuple(spans)


def aligned_clauses(
    earlier: Words, later: Words, read: Callable[[Sequence[str]], Sequence[Words]]
) -> tuple[PairSpan, ...]:
    """Clauses of a rewrite with the clause of the source that says the same, found by their word vectors."""
    here, there = _clauses(later.clean), _clauses(earlier.clean)
    if not here or not there:
        return ()
    words = read([later.clean.text[a:b] for a, b in here] + [earlier.clean.text[a:b] for a, b in there])
    means = np.stack([_mean(clause) for clause in words])
    cosine = means[: len(here)] @ means[len(here) :].T
    spans = []
    for row, (start, end) in enumerate(here):
        nearest = int(cosine[row].argmax())
        if cosine[row, nearest] >= _SAME_CLAUSE:
            spans.append(PairSpan(*later.clean.raw_span(start, end), *earlier.clean.raw_span(*there[nearest])))
    return tuple(spans)


def _clauses(clean: Normalised) -> list[tuple[int, int]]:
    """Spans of the clauses of a normalised text that hold at least four letters."""
    found = (match.span() for match in _CLAUSE.finditer(clean.text))
    return [(start, end) for start, end in found if len(letters(clean.text[start:end])) >= 4][:_MAX_CLAUSES]


def _mean(words: Words) -> np.ndarray:
    """Unit vector of the weighted mean of the word vectors; zeros for a text without weight."""
    total = (words.vectors * words.weights[:, None]).sum(0)
    return total / max(1e-6, float(np.linalg.norm(total)))
