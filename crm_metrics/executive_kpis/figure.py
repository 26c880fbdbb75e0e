"""The pictures of the executive room: the trend, the bridge from one period to the next, and the values behind the change."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import export, figures
from crm_metrics.executive_kpis.why import PART_LABELS
from crm_metrics.executive_kpis.words import whole_money
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import current, t
from crm_metrics.metric import Metric, value_text

SHOWN_VALUES = 8  # bars of a dimension; the others are drawn together, all are in the table
TREND_HEIGHT = 330  # the first screen holds tiles and trend
BAR_HEIGHT = 38
LABEL_ROOM = 0.3  # of the axis, beside the longest bar, for its amount


class _Bar(NamedTuple):
    label: str
    base: float
    height: float
    text: str
    color: str


def trend_figure(trend: pd.DataFrame, earlier: pd.DataFrame, *, metric: Metric, currency: str) -> go.Figure:
    """Return `metric` over time: the period in the accent, its unfinished end dashed, the earlier one grey behind it, and its target."""
    figure = figures.base(x_title="", y_title=axis_title(metric, currency), y_unit=metric.unit, height=TREND_HEIGHT)
    figure.update_layout(hovermode="x unified")
    if len(earlier):
        figures.add_line(figure, earlier["bucket_on"], earlier[metric.name], name=t("before"), color=figures.GREY)
        figure.data[-1].update(mode="lines", line={"width": 1.5})
    if f"target_{metric.name}" in trend:
        target = trend[f"target_{metric.name}"].to_numpy(dtype=float)
        line = {"color": figures.GREY, "width": 1.5, "dash": "dash", "shape": "hvh"}
        figure.add_scatter(x=trend["bucket_on"].to_numpy(), y=target, mode="lines", name=t("target"), line=line)
    figures.add_line(figure, trend["bucket_on"], trend[metric.name], name=t(metric.label), unfinished=trend["is_unfinished"])
    for series in figure.data:
        series.hovertemplate = "%{y:" + _HOVER.get(metric.unit, ",.2f") + "}"
    _label_ends(figure, trend, earlier, metric=metric)
    figure.update_yaxes(rangemode="tozero")
    if current() == "zh":  # Plotly writes the names of months in English
        figure.update_xaxes(tickformat="%Y-%m-%d" if len(trend) > 1 and trend["bucket_on"].diff().max().days < 28 else "%Y-%m")
    return figure


_HOVER = {"share": ".1%", "count": ",.0f"}


def _label_ends(figure: go.Figure, trend: pd.DataFrame, earlier: pd.DataFrame, *, metric: Metric) -> None:
    """Write the name of each line beside its end, an unfinished one with "so far"; names that would meet are moved apart."""
    ends: list[tuple[object, float, str, str]] = []
    name = t(metric.label)
    if len(trend) and trend["is_unfinished"].iloc[-1]:
        name = t("{name} so far", name=name)
    lines = [(trend, metric.name, name, figures.ACCENT)]
    lines += [(earlier, metric.name, t("before"), figures.GREY)] if len(earlier) else []
    lines += [(trend, f"target_{metric.name}", t("target"), figures.GREY)] if f"target_{metric.name}" in trend else []
    for frame, column, name, color in lines:
        known = frame.dropna(subset=column)
        if len(known):
            ends.append((frame["bucket_on"].iloc[-1], float(known[column].iloc[-1]), name, color))
    highest = max([float(np.nanmax(frame[column])) for frame, column, *_ in lines if frame[column].notna().any()], default=0.0)
    gap, last = highest * 0.07, -np.inf
    for x, y, name, color in sorted(ends, key=lambda end: end[1]):
        shown_at = max(y, last + gap)
        figures.add_label(figure, x, shown_at, name, color=color)
        last = shown_at


def axis_title(metric: Metric, currency: str) -> str:
    """Return the name of the metric with its unit."""
    label = t(metric.label)
    if metric.unit.startswith("money"):
        return f"{label} ({currency})" if currency else label
    return label


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
    names = [value_name(value) for value in shown["value"]]
    mixes = [mix_text(before, after) for before, after in zip(shown["share_before"], shown["share_after"], strict=True)]
    figure.add_bar(
        x=change,
        y=places,
        orientation="h",
        marker={"color": np.where(change >= 0, figures.GOOD, figures.BAD)},
        text=[signed(amount, currency) for amount in change],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata[0]}: %{text}, %{customdata[1]}<extra></extra>",
        customdata=list(zip(names, mixes, strict=True)),
    )
    labels = [f"{name}<br><span style='font-size:11px;color:{figures.GREY}'>{mix}</span>" for name, mix in zip(names, mixes, strict=True)]
    figure.update_yaxes(tickvals=places, ticktext=labels, autorange="reversed", zeroline=False, showgrid=False)
    low, high = min(0.0, change.min(initial=0.0)), max(0.0, change.max(initial=0.0))
    room = LABEL_ROOM * (high - low)
    figure.update_xaxes(range=[low - (room if low < 0 else 0), high + (room if high > 0 else 0)], zeroline=True)
    return figure


def with_others(values: pd.DataFrame, *, shown: int = SHOWN_VALUES) -> pd.DataFrame:
    """Return the `shown` values that changed most and one row for all others together, the sums kept."""
    columns = ["value", "change", "share_before", "share_after"]
    if len(values) <= shown + 1:
        return values[columns]
    rest = values.iloc[shown:]
    together = pd.DataFrame([(t("{n} others", n=len(rest)), *rest[columns[1:]].sum(min_count=1))], columns=columns)
    return pd.concat([values.iloc[:shown][columns], together], ignore_index=True)


def value_name(value: str) -> str:
    """Return a region, channel or category as it is drawn."""
    return t("unknown") if value == UNKNOWN else export.safe_label(value)


def mix_text(before: float, after: float) -> str:
    """Return the share of revenue before and after: "mix 12.0% → 10.5%"."""
    return t("mix {before} → {after}", before=value_text(before, "share"), after=value_text(after, "share"))


def signed(amount: float, currency: str) -> str:
    """Return an amount with its sign."""
    return ("+" if amount > 0 else "") + whole_money(amount, currency)
