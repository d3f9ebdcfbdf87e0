"""Parts of the dev rows on which figures may differ, as masks by name: told by the row itself, or by the `kind` that its label names."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from pinzhi.evaluation.gate import by_name, length_bands
from pinzhi.labels import Authenticity, Grade
from pinzhi.segment import Segmenter
from pinzhi.text import normalise
from pinzhi.training.data import AUTHENTICITIES, NEGATIVE, CoherenceRow, CommentRow, Value

STUFFED_FROM = (
    2  # content words of one value in a post; a statement has 3.8 on average, 107 of 1,938 dev posts have so many
)
STORM_FROM = 10  # genuine comments under a post, of which most complain
_CONTENT = re.compile(
    r"[nvailjbzs]"
)  # begins the tags of nouns, verbs, adjectives, set phrases, abbreviations and places
_HAN_WORD = re.compile(r"[㐀-鿿]{2,}")


def content_words(text: str) -> frozenset[str]:
    """What is taken for the keywords of a statement: its words of two or more Chinese characters that jieba's dictionary tags as
    nouns, verbs, adjectives or set phrases.

    >>> sorted(content_words("不伤土地：少用药，把地留给下一代"))
    ['土地', '用药', '留给']
    """
    import rjieba  # the words of `Segmenter`, which gives no tags

    return frozenset(
        word
        for word, tag in rjieba.tag(normalise(text).text, False)
        if _HAN_WORD.fullmatch(word) and _CONTENT.match(tag)
    )


def coherence_slices(
    rows: Sequence[CoherenceRow], values: Mapping[str, Sequence[Value]], segmenter: Segmenter
) -> dict[str, np.ndarray]:
    """Masks [n] of posts. Those by keywords are of brands with Chinese statements alone: of English ones the words are the glossary's."""
    keywords = {
        brand: {value.key: frozenset() if value.is_english else content_words(value.text) for value in values[brand]}
        for brand in {row.brand for row in rows}
    }
    texts = [normalise(row.text).text for row in rows]
    said = [set(segmenter.cut(text)) for text in texts]
    found = [
        {key: words & heard for key, words in keywords[row.brand].items()}
        for row, heard in zip(rows, said, strict=True)
    ]
    is_english = np.array([all(value.is_english for value in values[row.brand]) for row in rows])
    most = np.array([max(map(len, of.values())) for of in found])
    against = np.array([_misled(row, of) for row, of in zip(rows, found, strict=True)])
    negated = np.array(
        [
            any(re.search(rf"[不没无未勿]\w{{0,4}}{word}", text) for word in frozenset().union(*of.values()))
            for text, of in zip(texts, found, strict=True)
        ]
    )
    minimal, twins = _pairs(rows)
    return {
        "all": np.ones(len(rows), bool),
        f"{STUFFED_FROM} or more words of a value": most >= STUFFED_FROM,
        "no word of any value": (most == 0) & ~is_english,
        "words against the grade": against & ~is_english,
        "a word of a value negated": negated,
        "minimal pairs": minimal,
        "twins": twins,
        "statements in English": is_english,
        "statements in Chinese": ~is_english,
        **_told(rows),
    }


def _misled(row: CoherenceRow, found: Mapping[str, frozenset[str]]) -> bool:
    """Whether a post lives values without a word of theirs, or contradicts one in its own words."""
    if row.grade == Grade.EXPRESSES:
        return not any(found[key] for key in row.expresses)
    return any(found[key] for key in row.contradicts)


def _pairs(rows: Sequence[CoherenceRow]) -> tuple[np.ndarray, np.ndarray]:
    """Masks [n] of minimal pairs, two texts for one brand, and of twins, one text shown to two brands."""
    of_pair: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        if row.pair_id:
            of_pair.setdefault(row.pair_id, []).append(at)
    minimal, twins = np.zeros((2, len(rows)), bool)
    for pair in of_pair.values():
        if len(pair) == 2:
            (twins if rows[pair[0]].text == rows[pair[1]].text else minimal)[pair] = True
    return minimal, twins


def comment_slices(rows: Sequence[CommentRow]) -> dict[str, np.ndarray]:
    """Masks [n] of comments."""
    genuine = np.array([AUTHENTICITIES[_label(row, "authenticity")] is Authenticity.GENUINE for row in rows])
    complains = genuine & np.array([_label(row, "sentiment") == NEGATIVE for row in rows])
    _, post = np.unique([row.post for row in rows], return_inverse=True)
    n_genuine, n_complaints = (np.bincount(post, mask) for mask in (genuine, complains))
    is_storm = (n_genuine >= STORM_FROM) & (2 * n_complaints > n_genuine)
    return {
        "all": np.ones(len(rows), bool),
        "complaints where most complain": complains & is_storm[post],
        **_told(rows),
    }


def _label(row: CommentRow, task: str) -> int:
    return int(getattr(row, task).allowed[0])


def _told(rows: Sequence[CoherenceRow] | Sequence[CommentRow]) -> dict[str, np.ndarray]:
    """By platform, by length, by part of our sets (a is the one that was there first), and by what the label calls the row."""
    return {
        **by_name([row.platform for row in rows]),
        **length_bands([row.text for row in rows]),
        **{f"part: {part}": mask for part, mask in by_name([row.part for row in rows]).items()},
        **{f"kind: {kind}": mask for kind, mask in by_name([row.kind for row in rows]).items()},
    }
