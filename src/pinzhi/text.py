"""Text as people post it, normalised once, with the way back to every raw character.

What is folded: compatibility forms (NFKC), traditional script, letter case, zero-width, control and combining characters,
look-alike letters of other alphabets, spaces between Han characters, signs between each and every character, brackets around
whole texts. What is replaced by a bracket code, which the
segmenter keeps whole: links `[url]`, mentions `[at]`, e-mail addresses `[email]`, long digit runs `[num]`; so are the codes that
readers put in their place.
Emoji, emoji codes such as `[泪]` and #topics# stay.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from opencc import OpenCC

# Letters that look like Latin ones; Kangxi radicals and other CJK doubles are folded by NFKC already.
_LOOKALIKES = str.maketrans(
    "аеорсухіѕјԁԛԝАВЕКМНОРСТУХЅІЈαοερτυνκιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxisjdqwabekmhopctyxsijaoeptuvkiabezhikmnoptyx",
)
_KEPT_CONTROLS = "\n\t"
_UNSEEN = re.compile("[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U000e0100-\U000e01ef\u115f\u1160\u2800\u3164\uffa0]")
NORMAL_FORM = "3"  # of normalised texts; another makes everything anew that was read from them

CODE = r"\[[^\[\]\s]{1,8}\]"
_CODE = re.compile(CODE)
_REPLACED = re.compile(
    r"(?P<email>(?<![a-z0-9._%+-])[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+|<email>|\[邮箱\])"
    r"|(?P<url>https?://[!-~]+|(?:www\.|t\.cn/)[!-~]+|网页链接)"
    r"|(?P<at>@[\w\-·]{1,30})"
    r"|(?P<num>\d{7,}|\[电话\]|\[证件号\])"
    r"|(?P<space>\s+)"
)
_HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003134f]")
_SCATTERED = re.compile(rf"{_HAN.pattern}(?:[^\w\s\[\]#@,、。!?;:]{{1,3}}{_HAN.pattern}){{4,}}")  # 洗·稿·的·花·招
_MANY_CODES = 8  # different ones, from which a text that is mostly codes is one in brackets


@dataclass(frozen=True)
class Normalised:
    """Normalised text; `starts[i]:ends[i]` are the raw characters behind its character `i`."""

    text: str
    starts: np.ndarray
    ends: np.ndarray

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Raw characters behind the half-open span `start:end`, which must not be empty."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"expected 0 <= start < end <= {len(self.text)}, found {start}:{end}")
        return int(self.starts[start]), int(self.ends[end - 1])


@lru_cache(maxsize=1)
def _opencc() -> "OpenCC":
    from opencc import OpenCC

    return OpenCC("t2s")


def to_simplified(text: str) -> str:
    """Traditional to simplified script, of the same length, so that offsets hold."""
    simplified = _opencc().convert(text)
    if len(simplified) == len(text):
        return simplified
    return "".join(converted if len(converted := _opencc().convert(c)) == 1 else c for c in text)


@lru_cache(maxsize=65536)
def _fold(char: str) -> str:
    if char in _KEPT_CONTROLS:
        return " "
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") or _UNSEEN.match(char):
        return ""
    return unicodedata.normalize("NFKC", char).translate(_LOOKALIKES).lower()


@lru_cache(maxsize=64)  # a draft and the posts that it is compared with are read by several parts
def normalise(raw: str) -> Normalised:
    """Normalise `raw`, any length; idempotent on its own `.text`.

    >>> normalise("Ｃａｆé 很　好！").text
    'café很好!'
    """
    chars: list[str] = []
    origin: list[int] = []
    for position, char in enumerate(raw):
        for folded in _fold(char):
            chars.append(folded)
            origin.append(position)
    folded_text, starts = _without_decoration(to_simplified("".join(chars)), np.asarray(origin, dtype=np.int32))

    pieces: list[str] = []
    piece_starts: list[np.ndarray] = []
    piece_ends: list[np.ndarray] = []

    def keep(start: int, end: int) -> None:
        if start < end:
            pieces.append(folded_text[start:end])
            piece_starts.append(starts[start:end])
            piece_ends.append(starts[start:end] + 1)

    def replace(start: int, end: int, code: str) -> None:
        pieces.append(code)
        piece_starts.append(np.full(len(code), starts[start], dtype=np.int32))
        piece_ends.append(np.full(len(code), starts[end - 1] + 1, dtype=np.int32))

    done = 0
    for match in _REPLACED.finditer(folded_text):
        keep(done, match.start())
        done = match.end()
        if match.lastgroup == "space":
            if _separates_words(folded_text, *match.span()):
                replace(*match.span(), " ")
        else:
            replace(*match.span(), f"[{match.lastgroup}]")
    keep(done, len(folded_text))
    if not pieces:
        empty = np.zeros(0, dtype=np.int32)
        return Normalised("", empty, empty)
    return Normalised("".join(pieces), np.concatenate(piece_starts), np.concatenate(piece_ends))


def _without_decoration(text: str, starts: np.ndarray) -> tuple[str, np.ndarray]:
    """`text` without signs that stand between each and every character, and without the brackets around all of it; and where its
    characters came from."""
    kept = np.ones(len(text), dtype=bool)
    for match in _SCATTERED.finditer(text):
        kept[match.start() : match.end()] = [_HAN.match(char) is not None for char in match.group()]
    codes = [match.span() for match in _CODE.finditer(text)]
    if len({text[start:end] for start, end in codes}) >= _MANY_CODES:
        inside = sum(end - start - 2 for start, end in codes)
        if 2 * inside > sum(map(str.isalnum, text)):
            kept[[place for start, end in codes for place in (start, end - 1)]] = False
    if kept.all():
        return text, starts
    return "".join(char for char, keep in zip(text, kept, strict=True) if keep), starts[kept]


def is_blank(raw: str) -> bool:
    """Whether `raw` holds nothing that a person could read."""
    return not normalise(raw).text.strip()


def _separates_words(text: str, start: int, end: int) -> bool:
    """A space matters only between two letters or digits; anywhere else it is decoration."""
    if start == 0 or end == len(text):
        return False
    before, after = text[start - 1], text[end]
    return before.isascii() and after.isascii() and before.isalnum() and after.isalnum()


_NOT_LETTERS = re.compile(rf"{CODE}|[\W_]+")
_SKELETON = re.compile(rf"#[^#\n]{{1,40}}#|{CODE}|[^\W_]*\d[^\W_]*|[\W_]+")


def skeleton(normalised: str) -> str:
    """Letters and Han characters only; topics, codes, numbers and punctuation blanked. What duplicates share."""
    return _SKELETON.sub("", normalised)


def letter_positions(normalised: str) -> list[int]:
    """Positions of the letters, Han characters and digits of `normalised`; those inside codes are left out."""
    kept = bytearray(b"\x01" * len(normalised))
    for match in _NOT_LETTERS.finditer(normalised):
        kept[match.start() : match.end()] = bytes(len(match.group()))
    return [position for position, keep in enumerate(kept) if keep]


def letters(normalised: str) -> str:
    """Letters, Han characters and digits only, codes dropped."""
    return _NOT_LETTERS.sub("", normalised)


def without_emoticons(raw: str) -> str:
    """`raw` without emoji codes and emoji, for training and for measuring what a label owes to them."""
    from emoji import replace_emoji

    return replace_emoji(re.sub(CODE, "", raw), "")


def han_share(texts: Sequence[str]) -> float:
    """Share of Han characters over all characters of `texts`; 0 for nothing."""
    total = sum(map(len, texts))
    return sum(len(_HAN.findall(text)) for text in texts) / total if total else 0.0
