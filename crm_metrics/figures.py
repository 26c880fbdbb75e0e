"""The look of every chart: colours, grid, sizes, and how unfinished periods and intervals are drawn.

Figures are made with colours that stand out on both themes; `themed` adds what differs (text, grid, hover) where it is shown.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from babel.numbers import format_compact_decimal

from crm_metrics.metric import Unit

ACCENT = "#16809C"  # the point being made
GREY = "#8C97A3"  # context
GOOD = "#2E8B6F"
BAD = "#C75B32"  # tells apart from GOOD for colour-blind readers too; never the only sign
SERIES = ("#16809C", "#CC7314", "#7A5AA6", "#4496C8", "#B3472F", "#6B9440", "#8C97A3")
_LONG_NUMBERS = ("~s", ",~s")
_ON_DARK = {  # the same colours, bright enough for a dark ground
    "#16809C": "#4DB3C8",
    "#CC7314": "#F0A04B",
    "#7A5AA6": "#A77BD6",
    "#4496C8": "#B5DDF5",
    "#B3472F": "#DB6A50",
    "#6B9440": "#B7D98A",
    "#2E8B6F": "#4CBF94",
    "#C75B32": "#E58A63",
}
_CHINESE_DAYS = [
    {"dtickrange": [None, "M1"], "value": "%-m月%-d日"},
    {"dtickrange": ["M1", "M12"], "value": "%Y年%-m月"},
    {"dtickrange": ["M12", None], "value": "%Y年"},
]
HEIGHT = 380
SMALL_HEIGHT = 260
MAX_POINTS = 2000
OF_FEW = 0.4  # opacity of what rests on few
_MOST_TICKS = 8  # days under a time axis
BAR_HEIGHT = 40  # two lines are written beside it, which need no room at its end on a narrow screen
_FONT = "Inter, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_TICKS: dict[Unit, dict[str, Any]] = {
    "share": {"tickformat": ".0%"},
    "count": {"tickformat": ",~s"},
    "money": {"tickformat": "~s"},
    "money_per_order": {"tickformat": ",.2~f"},
    "money_per_customer": {"tickformat": ",.2~f"},
}


class Bar(NamedTuple):
    """One bar: what a click on it gives, its name, what is written under that, where it begins, how long it is, and its colour."""

    key: str
    name: str
    text: str
    base: float
    length: float
    color: str


def base(*, x_title: str, y_title: str, y_unit: Unit = "ratio", x_unit: Unit = "ratio", height: int = HEIGHT) -> go.Figure:
    """Return an empty figure with titled axes (titles carry units), a quiet grid and no legend."""
    figure = go.Figure(layout={"template": "none"})  # plotly's own is 7 KB in each figure, none of which is seen
    figure.update_layout(
        autotypenumbers="strict",
        height=height,
        margin={"l": 8, "r": 16, "t": 16, "b": 8},
        showlegend=False,
        hovermode="closest",
        font={"family": _FONT, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=list(SERIES),
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        bargap=0.25,
    )
    figure.update_xaxes(
        title={"text": x_title, "standoff": 8, "font": {"size": 12}},
        showgrid=False,
        zeroline=False,
        automargin=True,
        **_TICKS.get(x_unit, {}),
    )
    figure.update_yaxes(
        title={"text": y_title, "standoff": 8, "font": {"size": 12}},
        ticklabelstandoff=4,  # a name does not touch its bar
        zeroline=True,
        automargin=True,
        **_TICKS.get(y_unit, {}),
    )
    return figure


def add_line(figure: go.Figure, x: Any, y: Any, *, name: str, color: str = ACCENT, unfinished: Any = None) -> None:
    """Add a line; where `unfinished` is true it goes on dashed, with hollow points."""
    xs, ys = np.asarray(x), np.asarray(y, dtype=float)
    open_ = np.zeros(len(xs), dtype=bool) if unfinished is None else np.asarray(unfinished, dtype=bool)
    solid = np.where(open_, np.nan, ys)
    figure.add_scatter(
        x=xs, y=solid, mode="lines+markers", name=name, line={"color": color, "width": 2.5}, marker={"size": 5, "color": color}
    )
    if open_.any():
        beside = open_ | np.append(open_[1:], False) | np.insert(open_[:-1], 0, False)
        dashed = np.where(beside, ys, np.nan)
        hollow = {"size": np.where(open_, 8, 0), "color": "rgba(0,0,0,0)", "line": {"color": color, "width": 2}}
        figure.add_scatter(x=xs, y=dashed, mode="lines+markers", name=name, line={"color": color, "width": 2, "dash": "dot"}, marker=hollow)


def add_label(figure: go.Figure, x: Any, y: float, text: str, *, color: str = GREY, anchor: str = "left") -> None:
    """Write `text` beside a point, in the colour of its series (in place of a legend)."""
    figure.add_annotation(
        x=x, y=y, text=text, showarrow=False, xanchor=anchor, xshift=6 if anchor == "left" else -6, font={"color": color, "size": 12}
    )


_TICKS_OF_AN_AXIS, _TICKS_BESIDE_NAMES = 6, 3  # about; a narrow screen has no room for more, and each bar tells its own number


def bars(rows: list[Bar], *, title: str, unit: Unit) -> go.Figure:
    """Return `rows` from top to bottom, each with its name and its text beside it; a click on one gives its key."""
    figure = base(x_title=title, y_title="", x_unit=unit, height=100 + BAR_HEIGHT * len(rows))
    figure.add_bar(
        x=np.array([bar.length for bar in rows]),
        y=np.arange(len(rows)),
        base=np.array([bar.base for bar in rows]),
        orientation="h",
        marker={"color": [bar.color for bar in rows]},
        width=0.62,
        customdata=[[bar.key, bar.name, bar.text] for bar in rows],
        hovertemplate="%{customdata[1]}: %{customdata[2]}<extra></extra>",
    )
    names = [f"{bar.name}<br><span style='font-size:11px;color:{GREY}'>{bar.text}</span>" for bar in rows]
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, autorange="reversed", zeroline=False, showgrid=False)
    figure.update_xaxes(zeroline=True, nticks=_TICKS_BESIDE_NAMES + 2)
    return figure


def steps(rows: list[Bar], *, title: str, unit: Unit) -> go.Figure:
    """Return `rows` that begin where the one above ends, with a thin line from each end down to the next."""
    figure = bars(rows, title=title, unit=unit)
    for place, (above, _) in enumerate(pairwise(rows)):
        at = above.base + above.length
        figure.add_shape(type="line", x0=at, x1=at, y0=place + 0.31, y1=place + 0.69, line={"color": GREY, "width": 1})
    return figure


def add_dots(figure: go.Figure, rows: pd.DataFrame, *, number: str) -> None:
    """Draw a dot for each period, its interval where both ends are known, and a line through them; hollow where unfinished, faded of few.

    rows: day, value, low, high, n, is_unfinished, is_small. number: d3-format of a value under the cursor.
    """
    value, low, high = (rows[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
    has_bounds = np.isfinite(low) & np.isfinite(high) & ~rows["is_small"].to_numpy(dtype=bool)  # of few one would hide all others
    figure.add_scatter(
        x=rows["day"],
        y=value,
        mode="markers+lines",
        line={"color": ACCENT, "width": 1.5},
        marker={
            "size": 10,
            "color": ACCENT,
            "symbol": np.where(rows["is_unfinished"], "circle-open", "circle"),
            "opacity": np.where(rows["is_small"], OF_FEW, 1.0),
        },
        error_y={
            "array": np.where(has_bounds, high - value, 0.0),
            "arrayminus": np.where(has_bounds, value - low, 0.0),
            "color": faded(ACCENT, 0.45),
        },
        customdata=rows[["n"]].to_numpy(),
        hovertemplate=f"%{{x|%Y-%m-%d}}: %{{y:{number}}} (n = %{{customdata[0]:,}})<extra></extra>",
    )
    figure.update_yaxes(rangemode="tozero")
    tick_days(figure, rows["day"])


def tick_days(figure: go.Figure, days: Any) -> None:
    """Put the ticks of a time axis on `days`, of many on some of them: the first days of quarters, say."""
    shown = list(days[:: max(1, -(-len(days) // _MOST_TICKS))])
    figure.update_xaxes(tickvals=shown, ticktext=[f"{day:%Y-%m}" for day in shown])


def money_title(label: str, currency: str) -> str:
    """Return the title of an axis of money with its unit."""
    return f"{label} ({currency})" if currency else label


def faded(color: str, opacity: float = 0.18) -> str:
    """Return `color` (#rrggbb) made pale.

    >>> faded("#16809C", 0.5)
    'rgba(22,128,156,0.5)'
    """
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _count_in_ten_thousands(figure: go.Figure, letter: str) -> None:
    """Write the ticks of a long-numbered axis in 万 and 亿, as the tiles do; Plotly knows only k, M and B."""
    axis = figure.layout[f"{letter}axis"]
    if axis.tickformat not in _LONG_NUMBERS or axis.tickvals is not None:
        return
    values = np.concatenate([np.ravel(_numbers(trace, letter)) for trace in figure.data] or [np.empty(0)])
    ticks = _round_ticks(values[np.isfinite(values)], _TICKS_BESIDE_NAMES if axis.nticks else _TICKS_OF_AN_AXIS)
    axis.update(tickvals=ticks, ticktext=[format_compact_decimal(tick, fraction_digits=2, locale="zh_Hans_CN") for tick in ticks])


def _numbers(trace: Any, letter: str) -> np.ndarray:
    """Return where a trace reaches on one axis; bars begin at their base."""
    reached = np.asarray(trace[letter] if trace[letter] is not None else [], dtype=float)
    base = trace["base"] if trace.type == "bar" else None
    return reached if base is None else np.append(reached + np.asarray(base, dtype=float), np.asarray(base, dtype=float))


def _round_ticks(values: np.ndarray, about: int = _TICKS_OF_AN_AXIS) -> list[float]:
    """Return about so many round numbers from 0 over `values`.

    >>> _round_ticks(np.array([0.0, 1_180_000.0]))
    [0.0, 200000.0, 400000.0, 600000.0, 800000.0, 1000000.0, 1200000.0]
    """
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    rough = (high - low) / about or 1.0
    scale = 10.0 ** np.floor(np.log10(rough))
    step = next(size * scale for size in (1, 2, 5, 10) if size * scale >= rough * 0.9)
    return [float(tick) for tick in np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step]


def _brightened(trace: Any) -> None:
    """Give a trace the colours that carry on a dark ground."""
    for part in (trace, *(trace[name] for name in ("line", "marker") if name in trace)):
        for name in ("color", "fillcolor"):
            if name in part and isinstance(part[name], str):
                part[name] = _ON_DARK.get(part[name], part[name])
    if "marker" in trace and isinstance(trace.marker.color, (tuple, list, np.ndarray)):
        trace.marker.color = [_ON_DARK.get(color, color) if isinstance(color, str) else color for color in trace.marker.color]


def themed(figure: go.Figure, *, dark: bool, chinese: bool = False) -> go.Figure:
    """Return `figure` with text, grid and hover of the light or dark theme, its days written in the reader's language."""
    text, grid, hover = ("#D8DEE6", "#2B3846", "#1D2733") if dark else ("#2A3642", "#E6E3DD", "#FFFFFF")
    shown = go.Figure(figure)
    if chinese and any(
        np.issubdtype(np.asarray(trace.x).dtype, np.datetime64) for trace in shown.data if getattr(trace, "x", None) is not None
    ):
        shown.update_xaxes(tickformatstops=_CHINESE_DAYS, hoverformat="%Y年%-m月%-d日")
    if chinese:
        for letter in "xy":
            _count_in_ten_thousands(shown, letter)
    if dark:
        shown.for_each_trace(_brightened)
        shown.for_each_annotation(lambda note: note.update(font_color=_ON_DARK.get(note.font.color, note.font.color)))
    shown.update_layout(font_color=text, hoverlabel={"bgcolor": hover, "font": {"color": text}, "bordercolor": grid})
    shown.update_layout(modebar={"bgcolor": "rgba(0,0,0,0)", "color": GREY, "activecolor": text})
    shown.update_xaxes(linecolor=grid, tickcolor=grid, zerolinecolor=grid)
    shown.update_yaxes(gridcolor=grid, zerolinecolor=grid, zerolinewidth=1)
    return shown
