"""English statements of values, word by word in Chinese: the models have read Chinese posts and know hardly any English.

`configs/glossary.tsv` holds a word, or two, and what it means, the commonest first; nothing where it says nothing (the, of). A brand may
add words of its trade.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pinzhi import paths
from pinzhi.errors import ConfigError

_LATIN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_PIECE = re.compile(_LATIN.pattern + r"|[^A-Za-z\s]+")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Glossary:
    """Chinese of English words and stems; `digest` tells one glossary from another."""

    words: Mapping[str, str]
    stems: Mapping[str, str] = field(repr=False)
    digest: str

    @classmethod
    def load(cls, path: Path) -> "Glossary":
        """Read a table of words. Raises ConfigError with file and line."""
        try:
            content = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path}: expected the glossary, found {error}; restore it from the repository"
            ) from error
        words: dict[str, str] = {}
        for number, line in enumerate(content.splitlines(), 1):
            word, tab, meaning = line.partition("\t")
            if not tab or not word.strip():
                raise ConfigError(f"{path}, line {number}: expected a word, a tab and its Chinese, found {line[:40]!r}")
            words[word.strip().lower()] = meaning.strip()
        stem = _stemmer().stemWord
        stems: dict[str, str] = {}
        for word in sorted(
            words, key=lambda word: (len(word), word)
        ):  # of words of one stem the shortest is the plain one
            if " " not in word:
                stems.setdefault(stem(word), words[word])
        return cls(words, stems, hashlib.sha256(content.encode()).hexdigest()[:16])

    def meaning(self, word: str) -> str | None:
        """Chinese of a word in any form; "" where it says nothing, None where it is not known."""
        word = word.lower().replace("’", "'").removesuffix("'s")
        known = self.words.get(word)
        return self.stems.get(_stemmer().stemWord(word)) if known is None else known

    def translate(self, text: str) -> str:
        """`text` with its English words in Chinese; what is not known stays."""
        return " ".join(self._translated(_PIECE.findall(text)))

    def _translated(self, pieces: list[str]) -> Iterator[str]:
        at = 0
        while at < len(pieces):
            together = " ".join(pieces[at : at + 2]).lower()
            if together in self.words and " " in together:
                yield self.words[together]
                at += 2
                continue
            piece = pieces[at]
            at += 1
            if not _LATIN.fullmatch(piece):
                yield piece
                continue
            known = self.meaning(piece)
            parts = piece.split("-")
            if known is None and len(parts) > 1:  # hand-picked, low-waste
                yield from filter(None, (part if (said := self.meaning(part)) is None else said for part in parts))
            elif known is None:
                yield piece
            elif known:
                yield known


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def shipped() -> Glossary:
    """That of the configuration in use. Raises ConfigError."""
    return Glossary.load(paths.configs() / "glossary.tsv")


def is_english(text: str) -> bool:
    """Whether most letters of `text` are Latin."""
    letters = _LETTER.findall(text)
    return 2 * sum(letter.isascii() for letter in letters) > len(letters)


def in_chinese(text: str) -> str:
    """`text` as the models read it: translated word by word where it is English, else as it is. Raises ConfigError."""
    return shipped().translate(text) if is_english(text) else text
