"""Boilerplate (模板) by its frame: what is left of a text when topics, codes, numbers and signs are blanked. A story that is copied
stands everywhere with the same fillings; a frame that many accounts use, each with its own, is nobody's text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from pinzhi.text import letters, normalise

SAME_FRAME = (
    0.8  # share of the letters of two frames that stand in both, from which they are one with other names in it
)
MAX_LETTERS = 400  # of a frame; boilerplate is short
_TOPIC = re.compile(r"#[^#\n]{1,40}#|#\w+")
_NUMBER = re.compile(r"\d+")

Account = tuple[str, str | None]  # platform, account
Filling = tuple[tuple[str, ...], tuple[str, ...]]  # numbers, and what stands where the other text has other words


@dataclass(frozen=True)
class Framed:
    """A text as its frame and what fills it."""

    text: str

    @cached_property
    def _said(self) -> str:
        return letters(_TOPIC.sub(" ", normalise(self.text).text))

    @cached_property
    def frame(self) -> str:
        """Letters and Han characters alone."""
        return _NUMBER.sub("", self._said)[:MAX_LETTERS]

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Digit runs, in order."""
        return tuple(_NUMBER.findall(self._said))

    def filling_of(self, other: "Framed") -> Filling | None:
        """What fills the frame of this text in `other`, None where that has another frame. Words that were only added or left
        out are no filling, nor is another beginning or ending: that is how copies are disguised."""
        if self.frame == other.frame:
            return (other.numbers, ())
        matcher = SequenceMatcher(None, self.frame, other.frame, autojunk=False)
        if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < SAME_FRAME or matcher.ratio() < SAME_FRAME:
            return None
        inner = matcher.get_opcodes()[1:-1]
        swapped = tuple(other.frame[start:end] for kind, _, _, start, end in inner if kind == "replace")
        return (other.numbers, swapped)


def users_of_frame(text: Framed, others: Iterable[tuple[Account, Framed]]) -> int:
    """How many accounts of `others`, (platform, account) and text, the earliest first, have the frame of `text` with a filling
    that neither it nor one counted before has."""
    seen: set[Filling] = {(text.numbers, ())}
    accounts: set[Account] = set()
    for account, other in others:
        filling = text.filling_of(other)
        if filling is not None and filling not in seen and account not in accounts:
            seen.add(filling)
            accounts.add(account)
    return len(accounts)
