"""The figures of a report as a table that people read."""

from collections.abc import Iterator, Mapping
from typing import Any

SLICES = "slices"  # of a report: figures of parts of the dev rows, a table of their own


def figure_table(report: Mapping[str, Any]) -> list[str]:
    """Lines of a Markdown table of every figure of `report` but those of slices, however deep it lies: its name; its value with the
    interval and the number of rows where they are known."""
    rows = [f"| {name} | {value} |" for name, value in figures(report)]
    return ["| figure | value (95% interval) |", "| --- | --- |", *rows]


def figures(report: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and value of each figure of `report` but those of slices, as cells of a table."""
    for key, found in report.items():
        name = f"{prefix}{key}".replace("|", "\\|")
        if key == SLICES:
            continue
        if not isinstance(found, Mapping):
            yield name, shown(found).replace("|", "\\|")
        elif "value" in found:
            yield name, shown(found) + (f", n = {found['n']}" if "n" in found else "")
            beside = {key: value for key, value in found.items() if key not in ("value", "low", "high", "n")}
            yield from figures(beside, f"{name}.")
        else:
            yield from figures(found, f"{name}.")


def shown(value: Any) -> str:
    """A number to three digits, an interval behind it where `value` has one."""
    if isinstance(value, Mapping):
        interval = "" if value.get("low") is None else f" ({value['low']:.3f}-{value['high']:.3f})"
        return f"{shown(value['value'])}{interval}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
