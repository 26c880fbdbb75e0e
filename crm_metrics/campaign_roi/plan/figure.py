"""The pictures of this part."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import is_unknown, value_text

_ROW_HEIGHT = 54
_LINE_HEIGHT = 310  # with what is written above it on the first screen


def profit_line(profits: pd.DataFrame, expected: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return the profit by lift, with the expected range and the lift at which the cost is paid. profits, expected: see tables."""
    row: Any = expected.iloc[0]
    figure = figures.base(
        x_title=t("Lift over what happens without"),
        y_title=figures.money_title(t("Profit"), currency),
        x_unit="share",
        y_unit="money",
        height=_LINE_HEIGHT,
    )
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure.add_scatter(x=profits["lift"], y=profits["low"], **band)
    figure.add_scatter(x=profits["lift"], y=profits["high"], fill="tonexty", fillcolor=figures.faded(figures.GREY, 0.18), **band)
    figure.add_vrect(x0=row.lift_low, x1=row.lift_high, fillcolor=figures.faded(figures.ACCENT, 0.12), line_width=0, layer="below")
    within = profits["is_expected"]
    for rows, color, width in ((profits.index == profits.index, figures.GREY, 1.5), (within, figures.ACCENT, 3)):
        some = profits[rows]
        figure.add_scatter(
            x=some["lift"],
            y=some["profit"],
            mode="lines",
            line={"color": color, "width": width},
            hovertemplate="%{x:.1%}: %{y:,.0f}<extra></extra>",
        )
    _point(figure, row.lift, row.expected_profit, t("expected: {profit}", profit=value_text(row.expected_profit, "money", currency)))
    if not is_unknown(row.break_even_lift):
        shown = t("pays from {lift}", lift=value_text(row.break_even_lift, "share"))
        _point(figure, row.break_even_lift, 0.0, shown, color=figures.SERIES[1], anchor="left", below=True)
    top = float(profits["high"].max())
    figures.add_label(figure, row.lift_low, top, t("80% range"), color=figures.ACCENT)
    return figure


def control_lines(shares: pd.DataFrame, *, planned: float, currency: str) -> go.Figure:
    """Return what a control group costs against what it teaches, one point per size. shares: the table control_shares."""
    figure = figures.base(
        x_title=figures.money_title(t("Profit forgone by holding back"), currency),
        y_title=t("Chance to prove a gain"),
        x_unit="money",
        y_unit="share",
        height=figures.SMALL_HEIGHT + 40,
    )
    is_planned = np.isclose(shares["share_control"], planned)
    figure.add_scatter(
        x=shares["forgone"],
        y=shares["chance_to_prove"],
        mode="lines+markers",
        line={"color": figures.GREY, "width": 1.5},
        marker={"size": np.where(is_planned, 13, 7), "color": [figures.ACCENT if each else figures.GREY for each in is_planned]},
        customdata=shares["share_control"],
        hovertemplate="%{customdata:.0%}: %{x:,.0f}, %{y:.1%}<extra></extra>",
    )
    labelled = shares[is_planned | shares["share_control"].isin([shares["share_control"].min(), 0.1, 0.5])]
    for each in labelled.itertuples():
        color = figures.ACCENT if np.isclose(float(str(each.share_control)), planned) else figures.GREY
        label = t("{share} control", share=value_text(float(str(each.share_control)), "share"))
        figure.add_annotation(
            x=each.forgone,
            y=each.chance_to_prove,
            text=label,
            showarrow=False,
            xanchor="left",
            xshift=8,
            yshift=-12,
            font={"color": color, "size": 12},
        )
    figure.update_yaxes(rangemode="tozero")
    return figure


def log_dots(log: pd.DataFrame) -> go.Figure:
    """Return for each campaign whose days are over the lift expected, grey, and the lift that came out. log: the table decision_log."""
    shown = log.dropna(subset=["lift"]).iloc[::-1].reset_index(drop=True)
    height = max(figures.SMALL_HEIGHT, 110 + _ROW_HEIGHT * len(shown))
    figure = figures.base(x_title=t("Lift over what happens without"), y_title="", x_unit="share", height=height)
    figure.add_vline(x=0, line={"color": figures.GREY, "width": 1})
    names = [safe_label(name) for name in shown["campaign_name"]]
    kinds = (
        (t("expected (80% range)"), "expected_lift", "expected_low", "expected_high", figures.GREY, 0.16),
        (t("actual (95% interval)"), "lift", "lift_low", "lift_high", figures.ACCENT, -0.16),
    )
    for label, middle, low, high, color, shift in kinds:
        bounds = {"type": "data", "array": shown[high] - shown[middle], "arrayminus": shown[middle] - shown[low]}
        figure.add_scatter(
            x=shown[middle],
            y=np.arange(len(shown)) + shift,
            mode="markers",
            name=label,
            marker={"size": 11, "color": color},
            error_x={**bounds, "color": figures.faded(color, 0.6), "thickness": 3, "width": 0},
            hovertemplate=f"{label}: %{{x:.1%}}<extra></extra>",
        )
    figure.update_xaxes(tickformat="+.0%")
    figure.update_yaxes(tickvals=list(range(len(shown))), ticktext=names, range=[-0.6, len(shown) - 0.4], zeroline=False)
    figure.update_layout(showlegend=True)
    return figure


def calibration_dots(log: pd.DataFrame) -> go.Figure:
    """Return the lift that came out against the lift expected, one point per campaign, and the line of the two being equal."""
    shown = log.dropna(subset=["lift", "expected_lift"])
    figure = figures.base(x_title=t("Expected lift"), y_title=t("Actual lift"), x_unit="share", y_unit="share")
    ends = [float(shown[["lift", "expected_lift"]].min().min()), float(shown[["lift", "expected_lift"]].max().max())]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": figures.GREY, "width": 1, "dash": "dot"}, hoverinfo="skip")
    figures.add_label(figure, ends[1], ends[1], t("as expected"), anchor="right")
    bounds = {"type": "data", "array": shown["lift_high"] - shown["lift"], "arrayminus": shown["lift"] - shown["lift_low"]}
    figure.add_scatter(
        x=shown["expected_lift"],
        y=shown["lift"],
        mode="markers",
        marker={"size": 11, "color": figures.ACCENT},
        error_y={**bounds, "color": figures.faded(figures.ACCENT, 0.5), "thickness": 2, "width": 0},
        text=[safe_label(name) for name in shown["campaign_name"]],
        hovertemplate="%{text}: %{x:.1%}, %{y:.1%}<extra></extra>",
    )
    return figure


def _point(figure: go.Figure, x: float, y: float, text: str, **look: Any) -> None:
    color = look.get("color", figures.ACCENT)
    figure.add_scatter(x=[x], y=[y], mode="markers", marker={"size": 12, "color": color}, hoverinfo="skip")
    shift, place = (-16, "top") if look.get("below") else (16, "bottom")
    figure.add_annotation(
        x=x, y=y, text=text, showarrow=False, xanchor="left" if look.get("below") else "right", yanchor=place, yshift=shift / 4,
        xshift=8 if look.get("below") else -8, font={"color": color, "size": 12},
    )  # fmt: skip
