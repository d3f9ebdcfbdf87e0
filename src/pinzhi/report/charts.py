"""Where lines lie on a chart; the template draws them as SVG, which needs no script, prints, and is read out."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Okabe and Ito's colours, told apart by colour-blind readers too; in grey print the dashes tell.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a6761d", "#7f7f7f")
_DASHES = ("", "8 4", "2 4", "12 4 2 4", "5 3", "1 6")
MOST_LINES = len(_COLOURS)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 210, 56, 36, 14, 34
_MOST_LABELS = 12


def lines(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    told: Callable[[float], str],
    top: float | None = None,
) -> dict[str, Any]:
    """Lines over months, at most MOST_LINES, from 0 to `top` (the next round number above all of them unless given); a missing value is
    a gap. `told` puts a value into words."""
    shown = dict(list(series.items())[:MOST_LINES])
    known = [value for values in shown.values() for value in values if value is not None]
    top = top or _round_up(max(known, default=1.0))

    def x(at: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (at / (len(labels) - 1) if len(labels) > 1 else 0.5), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top), 1)

    step = math.ceil(len(labels) / _MOST_LABELS)
    drawn = []
    for (name, values), colour, dash in zip(shown.items(), _COLOURS, _DASHES, strict=False):
        points = [(x(at), y(value), f"{labels[at]}: {told(value)}") for at, value in enumerate(values) if value is not None]  # fmt: skip
        ends = [f"{labels[at]} {told(value)}" for at, value in enumerate(values) if value is not None]
        drawn.append({
            "name": name, "colour": colour, "dash": dash, "points": points, "path": _path([None if value is None else (x(at), y(value)) for at, value in enumerate(values)]),
            "told": " → ".join(dict.fromkeys([ends[0], ends[-1]])) if ends else "",
        })  # fmt: skip
    return {
        "ticks": [(y(top * part / 4), told(top * part / 4)) for part in range(5)],
        "months": [(x(at), label) for at, label in enumerate(labels) if (len(labels) - 1 - at) % step == 0],
        "lines": drawn,
    }


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """SVG path through the points; the pen is lifted over those that are missing."""
    pen, parts = "M", []
    for point in points:
        if point is not None:
            parts.append(f"{pen}{point[0]} {point[1]}")
        pen = "M" if point is None else "L"
    return "".join(parts)


def _round_up(value: float) -> float:
    """The next number of the form 1, 2, 4 or 8 times a power of ten: a quarter of it is round too."""
    if value <= 4:
        return 4.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(times * power for times in (1, 2, 4, 8, 10) if times * power >= value))
