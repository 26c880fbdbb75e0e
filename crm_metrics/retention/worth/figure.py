"""The pictures: payback, channels, what retention is worth, keeping beside winning."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.retention.worth.labels import TENURE_MEASURES, cohort_name
from crm_metrics.retention.worth.terms import LITERATURE

LINES_HEIGHT = 360
_NAMED_LINES = 4  # so many have their names at their ends, more a legend
_ROUGH = 300  # customers under whom a mean of skewed amounts is rough: its interval holds the truth in 87 % of cases or fewer
_PANEL_HEIGHT = 150
_ROW_HEIGHT, _LONGEST_NAME = 44, 26
_FIVE_POINTS = 0.05


def payback_lines(ages: pd.DataFrame, *, by: str, measure: str, currency: str) -> go.Figure:
    """Return what a customer has brought less the cost of winning, over months since the first purchase; above zero it is paid back.

    ages: the table payback. measure: what is brought, in words. Without a known cost what is brought alone. Ages of fewer than
    300 customers are dotted, of fewer than 30 left out.
    """
    has_cost = bool(ages["acquisition_cost"].notna().any())
    label = (
        t("{measure} less acquisition cost, per customer", measure=measure) if has_cost else t("{measure} per customer", measure=measure)
    )
    title = figures.money_title(label, currency)
    figure = figures.base(x_title=t("Whole months since the first purchase"), y_title=title, y_unit="money", height=LINES_HEIGHT)
    shown = ages[~ages["is_small"].astype(bool) & (ages["acquisition_cost"].notna() == has_cost)]
    groups = [(str(cohort), rows) for cohort, rows in shown.groupby("cohort", sort=False)]
    colors = [_color(number, len(groups), by) for number in range(len(groups))]
    for (cohort, rows), color in zip(groups, colors, strict=True):
        _add_cohort(figure, rows, name=safe_label(cohort_name(cohort, by)), color=color)
    if len(groups) > _NAMED_LINES and by == "acquisition_channel":
        figure.update_layout(showlegend=True, margin={"t": 60})
    elif len(groups) > 1:
        for (cohort, rows), color in zip(groups, colors, strict=True):
            end: Any = rows.iloc[-1]
            value = end.cumulative_value - (end.acquisition_cost if has_cost else 0.0)
            if color != figures.GREY:
                figures.add_label(figure, end.age_months, value, safe_label(cohort_name(cohort, by)), color=color)
    figure.update_yaxes(zeroline=True)
    if has_cost:
        figure.add_hline(y=0, line={"color": figures.GREY, "width": 1.5})
        figures.add_label(figure, float(shown["age_months"].max()) if len(shown) else 1.0, 0.0, t("paid back above"), anchor="right")
        figure.layout.annotations[-1].update(yshift=-10)
    return figure


def _add_cohort(figure: go.Figure, rows: pd.DataFrame, *, name: str, color: str) -> None:
    """Draw one group: from minus the cost on; its interval as a band where it stands alone."""
    cost = float(rows["acquisition_cost"].iloc[0])
    has_cost = not is_unknown(cost)
    spent = cost if has_cost else 0.0
    start = [0.0] if has_cost else []
    x = np.concatenate([start, rows["age_months"].to_numpy(dtype=float)])
    y, low, high = (np.concatenate([start, rows[column].to_numpy(dtype=float)]) - spent for column in ("cumulative_value", "low", "high"))
    is_rough = (rows["customers"].to_numpy() < _ROUGH) & (color != figures.GREY)  # of many lines dots would be all that is seen
    few = np.concatenate([[False] * len(start), is_rough])
    if name == t("All customers"):
        known = np.isfinite(low)
        figure.add_scatter(
            x=np.concatenate([x[known], x[known][::-1]]),
            y=np.concatenate([high[known], low[known][::-1]]),
            fill="toself",
            fillcolor=figures.faded(figures.ACCENT),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    before = len(figure.data)
    figures.add_line(figure, x, y, name=name, color=color, unfinished=few)
    customers = np.concatenate([[float(rows["customers"].iloc[0])] * len(start), rows["customers"].to_numpy(dtype=float)])
    hover = t("month {month}: {value} ({n} customers)", month="%{x:.0f}", value="%{y:,.0f}", n="%{customdata:,.0f}")
    for number, trace in enumerate(figure.data[before:]):
        trace.update(customdata=customers, hovertemplate=hover + "<extra>%{fullData.name}</extra>", showlegend=number == 0)


def _color(number: int, groups: int, by: str) -> str:
    """Return the colour of a group: each its own, but of many in time only the first and the last stand out."""
    if by != "acquisition_channel" and groups > _NAMED_LINES:
        return {0: figures.SERIES[1], groups - 1: figures.ACCENT}.get(number, figures.GREY)
    return figures.SERIES[number % len(figures.SERIES)]


def quality_points(quality: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what a customer of each channel has earned after twelve months, with its interval, the best on top.

    quality: the table acquisition_quality. Channels whose result is not known are left out.
    """
    rows = quality.dropna(subset=["profit_12_months"]).sort_values("profit_12_months", ascending=False)
    names = [
        f"{safe_label(_short(cohort_name(cohort, 'acquisition_channel')))}<br>"
        f"<span style='font-size:11px;color:{figures.GREY}'>{value_text(profit, 'money_per_customer', currency)}</span>"
        for cohort, profit in zip(rows["cohort"], rows["profit_12_months"].astype(float), strict=True)
    ]
    label = figures.money_title(t("Brought in 12 months less acquisition cost, per customer"), currency)
    figure = figures.base(x_title=label, y_title="", x_unit="money", height=110 + _ROW_HEIGHT * len(rows))
    values, low, high = (rows[name].to_numpy(dtype=float) for name in ("profit_12_months", "low", "high"))
    figure.add_scatter(
        x=values,
        y=np.arange(len(rows)),
        mode="markers",
        marker={"size": 10, "color": [figures.ACCENT if value >= 0 else figures.BAD for value in values]},
        error_x={"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low, "color": figures.GREY},
        customdata=rows["customers_12_months"],
        hovertemplate=t("{value} ({n} customers)", value="%{x:,.0f}", n="%{customdata:,.0f}") + "<extra></extra>",
    )
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, autorange="reversed", zeroline=False, showgrid=False)
    figure.update_xaxes(zeroline=True, rangemode="tozero")
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def lever_line(lever: pd.DataFrame) -> go.Figure:
    """Return by how much the value of the customers rises with each point more retention, and what the literature tells of five points.

    lever: the table retention_lever.
    """
    figure = figures.base(
        x_title=t("Points more retention"), y_title=t("Value of the customers, change"), y_unit="share", height=LINES_HEIGHT
    )
    points, low, high = (lever[name].to_numpy(dtype=float) for name in ("points", "low", "high"))
    x = np.round(100 * points)
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=figures.faded(figures.ACCENT),
        line={"width": 0},
        hoverinfo="skip",
    )
    figures.add_line(figure, x, lever["change_share"], name=t("from our margins"))
    figure.data[-1].hovertemplate = "+%{x:.0f}: %{y:.1%}<extra></extra>"
    figure.add_scatter(
        x=[5, 5],
        y=list(LITERATURE),
        mode="lines",
        line={"color": figures.GREY, "width": 8},
        opacity=0.5,
        hovertemplate="%{y:.0%}<extra></extra>",
    )
    told = t("told in the literature: {low} to {high}", low=value_text(LITERATURE[0], "share"), high=value_text(LITERATURE[1], "share"))
    figures.add_label(figure, 5, LITERATURE[1], told)
    own = float(lever.loc[np.isclose(points, _FIVE_POINTS), "change_share"].iloc[0])
    if not is_unknown(own):
        figures.add_label(figure, 5, own, t("ours: {value}", value=value_text(own, "share")), color=figures.ACCENT)
        figure.layout.annotations[-1].update(yshift=-14)
    return figure


def tenure_points(tenure: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return how customers of more years differ, a panel for each measure, with intervals; years of few customers left out.

    tenure: the table of this name.
    """
    shown = tenure[~tenure["is_small"].astype(bool)]
    measures = list(dict.fromkeys(shown["measure"]))
    figure = figures.base(x_title="", y_title="", height=_PANEL_HEIGHT * len(measures))
    figure.set_subplots(rows=len(measures), cols=1, shared_xaxes=True, vertical_spacing=0.12)
    for place, measure in enumerate(measures, 1):
        rows = shown[shown["measure"] == measure]
        values, low, high = (rows[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
        label, unit = TENURE_MEASURES[measure]
        error = {"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low, "color": figures.GREY}
        trace = go.Scatter(x=rows["tenure_years"], y=values, mode="markers", marker={"size": 10, "color": figures.ACCENT}, error_y=error)
        hover = t("{value} ({n} customers)", value="%{y:,.3g}", n="%{customdata:,.0f}") + "<extra></extra>"
        figure.add_trace(trace.update(customdata=rows["customers"], hovertemplate=hover), row=place, col=1)
        title = figures.money_title(t(label), currency if unit.startswith("money") else "")
        at = {"xref": "paper", "x": 0, "yref": f"y{place if place > 1 else ''} domain", "y": 1, "xanchor": "left", "yanchor": "bottom"}
        figure.add_annotation(text=title, showarrow=False, font={"color": figures.GREY, "size": 12}, **at)
        figure.update_yaxes(rangemode="tozero", tickformat=".0%" if unit == "share" else None, row=place, col=1)
    figure.update_xaxes(dtick=1, showgrid=False, zeroline=False)
    figure.update_xaxes(title={"text": t("Whole years since the first purchase"), "font": {"size": 12}}, row=len(measures), col=1)
    figure.update_layout(margin={"t": 30, "b": 50})
    return figure


def keeping_bars(keeping: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what keeping and winning a customer cost, with one fifth of winning marked. keeping: the table keeping_cost."""
    row = keeping.iloc[0]
    amounts = np.array([row.keeping_per_customer, row.winning_per_customer], dtype=float)
    labels = [t("Keeping a customer"), t("Winning a customer")]
    names = [
        f"{label}<br><span style='font-size:11px;color:{figures.GREY}'>{value_text(amount, 'money_per_customer', currency)}</span>"
        for label, amount in zip(labels, amounts, strict=True)
    ]
    figure = figures.base(x_title=figures.money_title(t("Cost per customer"), currency), y_title="", x_unit="money", height=220)
    figure.add_bar(
        x=amounts,
        y=[0, 1],
        orientation="h",
        width=0.6,
        marker={"color": [figures.ACCENT, figures.GREY]},
        hovertemplate="%{x:,.2f}<extra></extra>",
    )
    figure.update_yaxes(tickvals=[0, 1], ticktext=names, autorange="reversed", zeroline=False, showgrid=False)
    if not is_unknown(row.winning_per_customer):
        fifth = row.winning_per_customer * row.reference
        figure.add_vline(x=fifth, line={"color": figures.BAD, "width": 1.5, "dash": "dot"})
        at = {"yref": "paper", "x": fifth, "y": 1, "yanchor": "bottom", "xanchor": "left", "yshift": 2}
        figure.add_annotation(text=t("one fifth of acquisition cost"), showarrow=False, font={"color": figures.BAD, "size": 12}, **at)
        figure.update_layout(margin={"t": 30})
    return figure
