"""The pictures: the bucket, the life cycle, what must be won."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.language import month_text, t
from crm_metrics.metric import Unit, value_text
from crm_metrics.retention.flow.labels import FLOWS, KINDS, LINES, signed

LIFECYCLE_HEIGHT = 360
_COLORS = {"new": figures.ACCENT, "returning": figures.GREY, "resurrected": figures.SERIES[1], "dormant": figures.BAD}
_LINE_COLORS = {"chosen": figures.ACCENT, "needed": figures.GOOD, "double": figures.SERIES[1], "market": figures.BAD}
_LABEL_GAP, _LETTER, _WIDE_LETTER, _LAST_NARROW = 18, 7, 13, 0x2E80  # pixels; from the sign on letters are wide
_FEW_BUCKETS = 8  # up to so many each one's day is written


# ── the leaky bucket ────────────────────────────────────────────────────────────────────────────────────────────────────


def bucket_bars(rows: pd.DataFrame, *, measure: str, currency: str) -> go.Figure:
    """Return the steps from what was there to what is, one bar each; a click on one gives its flow. rows: the table leaky_bucket."""
    share = "share_of_opening_customers" if measure == "customers" else "share_of_opening_revenue"
    unit: Unit = "count" if measure == "customers" else "money"
    bars, level = [], 0.0
    for flow, is_total, amount, part in zip(rows["flow"], rows["is_total"], rows[measure].astype(float), rows[share], strict=True):
        if measure == "customers" and flow in ("expansion", "contraction"):
            continue
        text = value_text(amount, unit, currency)
        if not is_total:
            text = signed(text, amount) + ("" if math.isnan(part) else f" · {value_text(part, 'share')}")
        color = figures.GREY if flow == "opening" else figures.ACCENT if is_total else figures.BAD if amount < 0 else figures.GOOD
        bars.append(figures.Bar(flow, t(FLOWS[flow]), text, 0.0 if is_total else level, amount, color))
        level = amount if is_total else level + amount
    title = t("Customers") if measure == "customers" else figures.money_title(t("Net revenue"), currency)
    return figures.steps(bars, title=title, unit=unit)


# ── the life cycle ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lifecycle_bars(rows: pd.DataFrame) -> go.Figure:
    """Return who is new, returning and resurrected in each bucket, and below zero who is dormant; unfinished ones hatched.

    A click gives day and kind. rows: the table lifecycle.
    """
    figure = figures.base(x_title=t("Beginning of the period"), y_title=t("Customers"), y_unit="count", height=LIFECYCLE_HEIGHT)
    shapes = ["/" if unfinished else "" for unfinished in rows["is_unfinished"]]
    for kind, color in _COLORS.items():
        counts = rows[kind].astype(float)
        figure.add_bar(
            x=rows["bucket_on"],
            y=-counts if kind == "dormant" else counts,
            name=t(KINDS[kind]),
            marker={"color": color, "pattern": {"shape": shapes, "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 6}},
            customdata=[[f"{day:%Y-%m-%d} {kind}", count] for day, count in zip(rows["bucket_on"], counts, strict=True)],
            hovertemplate="%{x|%Y-%m-%d}: %{customdata[1]:,.0f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(barmode="relative", margin={"t": 34})
    figure.update_yaxes(tickformat=",d")  # of stacked bars, whose height no one trace has
    _name_above(figure, [(t(KINDS[kind]), color) for kind, color in _COLORS.items()])
    if len(rows) <= _FEW_BUCKETS:
        days = rows["bucket_on"]
        names = [month_text(day.date()) if day.day == 1 else f"{day:%Y-%m-%d}" for day in days]
        figure.update_xaxes(tickvals=[day.isoformat() for day in days], ticktext=names)
    return figure


def _name_above(figure: go.Figure, names: list[tuple[str, str]]) -> None:
    """Write the names of the series, each in its colour, side by side above the plot."""
    left = 0
    for name, color in names:
        place = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "xshift": left, "yshift": 4}
        figure.add_annotation(text=name, showarrow=False, font={"color": color, "size": 12}, **place)
        left += _LABEL_GAP + sum(_WIDE_LETTER if ord(letter) >= _LAST_NARROW else _LETTER for letter in name)


# ── what must be won ────────────────────────────────────────────────────────────────────────────────────────────────────


def simulation_lines(simulation: pd.DataFrame, *, currency: str, step: str) -> go.Figure:
    """Return what the revenue comes to, a line for each way of winning. simulation: the table. step: what a year is called."""
    figure = figures.base(x_title=step, y_title=figures.money_title(t("Net revenue"), currency), y_unit="money")
    drawn: list[tuple[str, str]] = []
    for line, color in _LINE_COLORS.items():
        points = simulation[simulation["line"] == line]
        name = f"{t(LINES[line])} ({value_text(points['won_rate'].iloc[0], 'share')})"
        figures.add_line(figure, points["year"], points["revenue"], name=name, color=color)
        figure.data[-1].hovertemplate = "%{x}: %{y:,.0f}<extra>%{fullData.name}</extra>"
        drawn.append((name, color))
    opening = float(simulation["revenue"].iloc[0])
    figure.add_hline(y=opening, line={"color": figures.GREY, "width": 1, "dash": "dot"})
    figure.update_xaxes(dtick=1)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(margin={"t": 20 + 18 * len(drawn)})
    for place, (name, color) in enumerate(reversed(drawn)):  # one above the other: their ends may lie on one point
        at = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 2 + 18 * place}
        figure.add_annotation(text=name, showarrow=False, font={"color": color, "size": 12}, **at)
    return figure


def churn_bars(needed: pd.DataFrame, references: pd.DataFrame) -> go.Figure:
    """Return which share of customers and of revenue is lost, with what is told of others. The tables acquisition_needed, references."""
    names = {"customers": t("Customers"), "revenue": t("Net revenue")}
    rows: Any = needed[needed["unit"].isin(list(names)) & needed["churn"].notna()]
    bars = [
        figures.Bar(unit, names[unit], value_text(churn, "share"), 0.0, churn, figures.ACCENT)
        for unit, churn in zip(rows["unit"], rows["churn"].astype(float), strict=True)
    ]
    figure = figures.bars(bars, title=t("Lost in the period, share of the opening"), unit="share")
    for share in references["churn"].astype(float):
        figure.add_vline(x=share, line={"color": figures.GREY, "width": 1, "dash": "dot"})
        at = {"yref": "paper", "x": share, "y": 1, "yanchor": "bottom", "yshift": 2}
        figure.add_annotation(text=value_text(share, "share"), showarrow=False, font={"color": figures.GREY, "size": 11}, **at)
    figure.update_layout(margin={"t": 30}, height=110 + 46 * len(bars))
    figure.update_xaxes(range=[0, max([1.0, *(bar.length for bar in bars)])])
    return figure
