"""What reaches a terminal: harmless text, marked words, JSON."""

import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MAX_SHOWN = 2_000  # characters of a text that are printed

# Archives are written by strangers: an escape sequence or a change of direction must be seen, not obeyed.
_CONTROL = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"}
_HIDDEN = [0x7F, *range(0x80, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
_VISIBLE = _CONTROL | {code: 0xFFFD for code in (*_HIDDEN, *range(0xD800, 0xE000))}


class Lang(StrEnum):
    """Language of what is printed for people."""

    ZH = "zh"
    EN = "en"


def visible(text: str) -> str:
    """`text` with control, direction and unpaired surrogate characters replaced one by one, so that offsets hold."""
    return text.translate(_VISIBLE)


def console(*, stderr: bool = False) -> "Console":
    """A console on the current stdout or stderr; colour only on a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def is_terminal() -> bool:
    """Whether a person watches stderr."""
    return sys.stderr.isatty()


def marked(text: str, marks: Iterable[tuple[int, int, str]], *, colour: bool) -> "Text":
    """`text` with the characters `start:end` of each mark in its style; ⟦ ⟧ stand around them where there is no
    colour. Texts longer than MAX_SHOWN are cut."""
    from rich.text import Text

    shown = visible(text[:MAX_SHOWN])
    tail = "…" if len(text) > MAX_SHOWN else ""
    if not colour:
        return Text(_bracketed(shown, [(start, end) for start, end, _ in marks]) + tail)
    result = Text(shown)
    for start, end, style in marks:
        result.stylize(style, start, end)
    return result.append(tail)


def _bracketed(text: str, spans: Iterable[tuple[int, int]]) -> str:
    merged: list[list[int]] = []
    for start, end in sorted((max(0, start), min(end, len(text))) for start, end in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([start, end])
    parts, position = [], 0
    for start, end in merged:
        parts += [text[position:start], "⟦", text[start:end], "⟧"]
        position = end
    return "".join([*parts, text[position:]])


def print_json(value: Any) -> None:
    """One JSON document on stdout, UTF-8, indented, keys in the order given."""
    import orjson

    data = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.flush()
    sys.stdout.write(data.decode())


def _plain(value: Any) -> Any:
    from collections.abc import Mapping
    from pathlib import Path

    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"expected a value that JSON can hold, found {type(value).__name__}")
