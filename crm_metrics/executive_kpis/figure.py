"""The pictures of the executive room: the trend, the bridge from one period to the next, and the values behind the change."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import export, figures
from crm_metrics.executive_kpis.statistic import drawn, drawn_beside
from crm_metrics.executive_kpis.why import PART_LABELS
from crm_metrics.executive_kpis.words import whole_money
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import date_text, month_text, t
from crm_metrics.metric import SHORTENED_FROM, Metric, value_text

SHOWN_VALUES = 12  # bars of a dimension; the others are drawn together, all are in the table
LONGEST_NAME = 24  # letters of a name beside its bar; the whole name stands in the hover and the table
TREND_HEIGHT = 330  # the first screen holds tiles and trend
BAR_HEIGHT = 38
LABEL_ROOM = 0.6  # of the longest bar, beside it, for its amount
LEAST_SIDE = 0.8  # of the longer side of zero, for the amounts that stand on the shorter one
AXIS_MARGIN = 0.02  # of the days drawn, on either side
FEW_POINTS, DAYS_NAMED, SHORTEST_MONTH = 4, 14, 28
MILLISECONDS_PER_DAY = 86_400_000  # Plotly's unit on an axis of days
NAME_GAP, NARROW_LETTER, WIDE_LETTER, LAST_NARROW_LETTER = 18, 6.8, 12.5, 0x2E7F  # pixels at size 12; Chinese letters are wide


class _Bar(NamedTuple):
    label: str
    base: float
    height: float
    text: str
    color: str


def trend_figure(trend: pd.DataFrame, earlier: pd.DataFrame, *, metric: Metric, currency: str) -> go.Figure:
    """Return `metric` over time: the period in the accent, its unfinished end dashed, the earlier one grey behind it, and its target.

    A first bucket that the beginning of the period cuts is left out (statistic.drawn).
    """
    figure = figures.base(x_title="", y_title=axis_title(metric, currency), y_unit=metric.unit, height=TREND_HEIGHT)
    figure.update_layout(hovermode="x unified")
    shown = drawn(trend)
    names = [("━ " + t(metric.label), figures.ACCENT)]
    if len(shown) and shown["is_unfinished"].iloc[-1]:
        names.append(("┅ " + t("so far"), figures.ACCENT))
    if len(earlier):
        under = drawn_beside(earlier, shown)
        figures.add_line(figure, under["bucket_on"], under[metric.name], name=t("before"), color=figures.GREY)
        figure.data[-1].update(mode="lines" if len(under) > 1 else "markers", line={"width": 1.5})
        names.append(("━ " + t("before"), figures.GREY))
    if f"target_{metric.name}" in shown:
        target = shown[f"target_{metric.name}"].to_numpy(dtype=float)
        line = {"color": figures.GREY, "width": 1.5, "dash": "dash", "shape": "hvh"}
        figure.add_scatter(x=shown["bucket_on"].to_numpy(), y=target, mode="lines", name=t("target"), line=line)
        names.append(("┅ " + t("target"), figures.GREY))
    figures.add_line(figure, shown["bucket_on"], shown[metric.name], name=t(metric.label), unfinished=shown["is_unfinished"])
    for series in figure.data:
        series.hovertemplate = "%{y:" + _HOVER.get(metric.unit, ",.2f") + "}"
    _name_lines(figure, names)
    figure.update_yaxes(rangemode="tozero")
    _fit_days(figure, shown["bucket_on"])
    return figure


_HOVER = {"share": ".1%", "count": ",.0f"}


def _name_lines(figure: go.Figure, names: list[tuple[str, str]]) -> None:
    """Write the names of the lines, each in its colour, side by side above the plot: there they meet no line and widen no axis."""
    left = 0.0
    for name, color in names:
        place = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "xshift": left, "yshift": 4}
        figure.add_annotation(text=name, showarrow=False, font={"color": color, "size": 12}, **place)
        left += NAME_GAP + sum(WIDE_LETTER if ord(letter) > LAST_NARROW_LETTER else NARROW_LETTER for letter in name)
    figure.update_layout(margin={"t": 34})


def _fit_days(figure: go.Figure, days: pd.Series) -> None:
    """End the axis of days with the data; few points are named one by one, so that no hour is ever written."""
    if days.empty:
        return
    first, last = days.iloc[0], days.iloc[-1]
    step = days.diff().min() if len(days) > 1 else pd.Timedelta(days=1)
    margin = max((last - first) * AXIS_MARGIN, step * 0.3)
    figure.update_xaxes(range=[(first - margin).isoformat(), (last + margin).isoformat()])
    if len(days) <= FEW_POINTS:
        texts = [(month_text if step.days >= SHORTEST_MONTH else date_text)(day.date()) for day in days]
        figure.update_xaxes(tickvals=[day.isoformat() for day in days], ticktext=texts)
    elif len(days) <= DAYS_NAMED and step.days == 1:
        figure.update_xaxes(dtick=MILLISECONDS_PER_DAY, tickformat="%b %-d")


def axis_title(metric: Metric, currency: str) -> str:
    """Return the name of the metric with its unit."""
    label = t(metric.label)
    return figures.money_title(label, currency) if metric.unit.startswith("money") else label


# ── why it changed ──────────────────────────────────────────────────────────────────────────────────────────────────────


def bridge_figure(parts: pd.DataFrame, *, before: str, after: str, currency: str) -> go.Figure:
    """Return the bridge from the net revenue before to that after, one bar per part; the bars meet without a gap. before, after: names."""
    whole: Any = parts.set_index("part").loc["net_revenue"]
    moved = parts[(parts["part"] != "net_revenue") & parts["effect"].notna()]
    moved = moved[(moved["part"] != "customer_unknown") | (moved["effect"] != 0)]
    bars = [_Bar(before, 0.0, whole["value_before"], whole_money(whole["value_before"], currency), figures.GREY)]
    level = float(whole["value_before"])
    for part, effect in zip(moved["part"], moved["effect"], strict=True):
        color = figures.GOOD if effect >= 0 else figures.BAD
        bars.append(_Bar(t(PART_LABELS[part]), level, effect, signed(effect, currency), color))
        level += effect
    bars.append(_Bar(after, 0.0, whole["value_after"], whole_money(whole["value_after"], currency), figures.ACCENT))
    title = t("Net revenue ({currency})", currency=currency) if currency else t("Net revenue")
    figure = figures.base(x_title=title, y_title="", x_unit="money", height=90 + BAR_HEIGHT * len(bars))
    _add_bars(figure, bars)
    return figure


def _add_bars(figure: go.Figure, bars: list[_Bar]) -> None:
    """Draw `bars` from top to bottom, each with its amount at its right end and a thin line down to where the next begins."""
    places = np.arange(len(bars))
    figure.add_bar(
        x=np.array([bar.height for bar in bars]),
        y=places,
        base=np.array([bar.base for bar in bars]),
        orientation="h",
        marker={"color": [bar.color for bar in bars]},
        width=0.62,
        customdata=[[bar.label, bar.text] for bar in bars],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )
    for place, bar in enumerate(bars):
        figures.add_label(figure, max(bar.base, bar.base + bar.height), place, bar.text, color=bar.color)
    for place, (above, _) in enumerate(pairwise(bars)):
        level = above.base + above.height
        figure.add_shape(type="line", y0=place + 0.31, y1=place + 0.69, x0=level, x1=level, line={"color": figures.GREY, "width": 1})
    figure.update_yaxes(tickvals=places, ticktext=[bar.label for bar in bars], autorange="reversed", zeroline=False, showgrid=False)
    figure.update_xaxes(zeroline=True, rangemode="tozero")


def values_figure(values: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return a bar per value of a dimension, the largest change first: its change in money, beside it the mix before and after."""
    shown = with_others(values)
    title = t("Change in net revenue ({currency})", currency=currency) if currency else t("Change in net revenue")
    figure = figures.base(x_title=title, y_title="", x_unit="money", height=max(figures.SMALL_HEIGHT, 90 + BAR_HEIGHT * len(shown)))
    places, change = np.arange(len(shown)), shown["change"].to_numpy(dtype=float)
    names, short = ([value_name(value, longest=longest) for value in shown["value"]] for longest in (None, LONGEST_NAME))
    mixes = [mix_text(before, after) for before, after in zip(shown["share_before"], shown["share_after"], strict=True)]
    figure.add_bar(
        x=change,
        y=places,
        orientation="h",
        marker={"color": np.where(change >= 0, figures.GOOD, figures.BAD)},
        hovertemplate="%{customdata[0]}: %{customdata[2]}, %{customdata[1]}<extra></extra>",
        customdata=list(zip(names, mixes, [signed(amount, currency) for amount in change], strict=True)),
    )
    labels = [f"{name}<br><span style='font-size:11px;color:{figures.GREY}'>{mix}</span>" for name, mix in zip(short, mixes, strict=True)]
    figure.update_yaxes(tickvals=places, ticktext=labels, autorange="reversed", zeroline=False, showgrid=False)
    low, high = min(0.0, change.min(initial=0.0)), max(0.0, change.max(initial=0.0))
    for place, amount in enumerate(change):
        goes_left = amount > 0 > low or (amount < 0 and not high)
        at = 0.0 if low < 0 < high else amount
        text = signed(amount, currency, shortened=True)
        figures.add_label(figure, at, place, text, color=figures.GREY, anchor="right" if goes_left else "left")
    figure.update_xaxes(range=_with_room(low, high), zeroline=True)
    return figure


def _with_room(low: float, high: float) -> list[float]:
    """Return the ends of an axis with room for the amounts: beside the bars, or, where bars go both ways, across zero from them.

    There nothing else stands, so even on a telephone no amount runs into a name.
    """
    if low < 0 < high:
        return [min(low, -LEAST_SIDE * high), max(high, -LEAST_SIDE * low)]
    return [low * (1 + LABEL_ROOM), high * (1 + LABEL_ROOM)]


def with_others(values: pd.DataFrame, *, shown: int = SHOWN_VALUES) -> pd.DataFrame:
    """Return the `shown` values that changed most and one row for all others together, the sums kept."""
    columns = ["value", "change", "share_before", "share_after"]
    if len(values) <= shown + 1:
        return values[columns]
    rest = values.iloc[shown:]
    together = pd.DataFrame([(t("all {n} others", n=len(rest)), *rest[columns[1:]].sum(min_count=1))], columns=columns)
    return pd.concat([values.iloc[:shown][columns], together], ignore_index=True)


def value_name(value: str, *, longest: int | None = None) -> str:
    """Return a region, channel or category as it is drawn, cut after `longest` letters.

    >>> value_name("Binders and Binder Accessories", longest=24)
    'Binders and Binder Acce…'
    """
    if value == UNKNOWN:
        return t("unknown")
    return export.safe_label(value if longest is None or len(value) <= longest else value[: longest - 1].rstrip() + "…")


def mix_text(before: float, after: float) -> str:
    """Return the share of revenue before and after: "mix 12.0% → 10.5%"."""
    return t("mix {before} → {after}", before=value_text(before, "share"), after=value_text(after, "share"))


def signed(amount: float, currency: str, *, shortened: bool = False) -> str:
    """Return an amount with its sign; shortened as in a tile from 10,000 on."""
    is_short = shortened and abs(amount) >= SHORTENED_FROM
    return ("+" if amount > 0 else "") + (value_text(amount, "money", currency) if is_short else whole_money(amount, currency))
