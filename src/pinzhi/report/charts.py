"""Charts, drawn by Bokeh in the page itself; ids are fixed, so that equal tables give equal bytes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_INK, _WARM, _COOL, _PALE = "#33413b", "#b4532a", "#3d7a5c", "#c9c4b6"
_LINES = (_INK, _COOL, _WARM, "#7a6ea0", "#c9a23b", "#5b8fb0")
MOST_LINES = len(_LINES)
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBERED, _QUOTED = re.compile(r'"id":"(p[0-9]+)"'), re.compile(r'"(p[0-9]+)"')
_FONT = '"Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'


def render(figures: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Script (with the library inline) and one HTML element a figure."""
    from bokeh.embed import components
    from bokeh.resources import Resources

    if not figures:
        return "", {}
    # Bokeh names documents at random and numbers what it draws on and on in one process; counting both from one keeps the report the same
    # for the same tables. No label of ours is a bare number of its kind.
    script, elements = components(dict(figures))
    ids = dict.fromkeys(_IDS.findall(script + "".join(elements.values())))
    fixed = {found: f"00000000-0000-4000-8000-{number:012d}" for number, found in enumerate(ids, 1)}
    fixed |= {found: f"p{number}" for number, found in enumerate(dict.fromkeys(_NUMBERED.findall(script)), 1)}

    def renamed(text: str) -> str:
        text = _IDS.sub(lambda found: fixed[found[0]], text)
        return _QUOTED.sub(lambda found: f'"{fixed.get(found[1], found[1])}"', text)

    script, elements = renamed(script), {name: renamed(element) for name, element in elements.items()}
    library = Resources(mode="inline", components=["bokeh"])  # no formulas: their library would ask a CDN for fonts
    return library.render() + script, dict(elements)


def bars(labels: Sequence[str], series: Mapping[str, Sequence[float]], *, stacked: bool = False) -> Any:
    """Horizontal bars, one row a label."""
    from bokeh.models import ColumnDataSource, FactorRange, NumeralTickFormatter
    from bokeh.plotting import figure

    rows = list(labels)[::-1]
    data = {"label": rows, **{name: list(values)[::-1] for name, values in series.items()}}
    plot = figure(
        y_range=FactorRange(*rows), height=60 + 30 * len(rows), sizing_mode="stretch_width", toolbar_location=None
    )
    colors = [_COOL, _WARM, _PALE][: len(series)]
    if stacked:
        plot.hbar_stack(
            list(series), y="label", height=0.6, color=colors, source=ColumnDataSource(data), legend_label=list(series)
        )
    else:
        for name, color in zip(series, colors, strict=True):
            plot.hbar(y="label", right=name, height=0.5, color=color, source=ColumnDataSource(data), legend_label=name)
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    return _calm(plot)


def lines(labels: Sequence[str], series: Mapping[str, Sequence[float | None]], *, share: bool = True) -> Any:
    """Lines over months, at most MOST_LINES; a missing value is a gap. A `share` runs from 0 to 100, a count from 0 on."""
    from bokeh.models import DataRange1d, FactorRange, NumeralTickFormatter, Range1d
    from bokeh.plotting import figure

    plot = figure(
        x_range=FactorRange(*labels),
        height=260,
        sizing_mode="stretch_width",
        toolbar_location=None,
        y_range=Range1d(0, 100) if share else DataRange1d(start=0),
    )
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    for (name, values), color in zip(series.items(), _LINES, strict=False):
        points = [float("nan") if value is None else value for value in values]
        plot.line(list(labels), points, line_width=3, color=color, legend_label=name)
        plot.scatter(list(labels), points, size=8, color=color)
    return _calm(plot)


def grid(cells: Sequence[tuple[str, str, float]]) -> Any:
    """Shares in [0, 1] of (row, column) cells, the deeper the larger; rows in the order given, columns sorted."""
    from bokeh.models import ColumnDataSource, FactorRange
    from bokeh.plotting import figure

    rows = list(dict.fromkeys(row for row, _, _ in cells))[::-1]
    columns = sorted({column for _, column, _ in cells})
    plot = figure(
        x_range=FactorRange(*columns), y_range=FactorRange(*rows), height=60 + 30 * len(rows), sizing_mode="stretch_width",
        toolbar_location=None,
    )  # fmt: skip
    largest = max((share for _, _, share in cells), default=0) or 1
    source = ColumnDataSource({
        "row": [row for row, _, _ in cells], "column": [column for _, column, _ in cells],
        "depth": [share / largest for _, _, share in cells], "told": [f"{share:.0%}" for _, _, share in cells],
    })  # fmt: skip
    plot.rect("column", "row", 0.96, 0.9, source=source, color=_COOL, fill_alpha="depth", line_color=None)
    plot.text("column", "row", text="told", source=source, text_align="center", text_baseline="middle",
              text_font_size="12px", text_color="#777")  # fmt: skip
    return _calm(plot)


def _calm(plot: Any) -> Any:
    plot.background_fill_color = plot.border_fill_color = None
    plot.outline_line_color = None
    plot.xgrid.grid_line_color = plot.ygrid.grid_line_color = "#8883"
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.major_label_text_font = _FONT
        axis.major_label_text_font_size = "13px"
        axis.major_label_text_color = "#777"
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = None
    if plot.legend:
        plot.legend.label_text_font = _FONT
        plot.legend.background_fill_alpha = 0.6
        plot.legend.border_line_color = None
        plot.legend.location = "bottom_right"
    return plot
