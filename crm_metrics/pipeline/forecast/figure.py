"""The pictures of this part."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.pipeline.forecast.labels import DAYS, quarter_name

MOST_ROWS = 20  # sellers in a figure; the table holds all
_ROW_HEIGHT, _AROUND, _LEGEND = 40, 110, 60
_OPENNESS = {0: 0.35, 30: 0.6, 60: 1.0}  # of a band: the later in the quarter, the darker

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def distribution_bars(distribution: pd.DataFrame, rows: pd.DataFrame, basis: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what share of the simulated quarters brings how much, the 80% band in colour, with the quota and what is won so far.

    distribution, rows, basis: the tables distribution, forecast and forecast_basis.
    """
    figure = figures.base(
        x_title=figures.money_title(t("Value won in the quarter"), currency),
        y_title=t("Share of the simulated quarters"),
        x_unit="money",
        y_unit="share",
    )
    if distribution.empty:
        return figure
    total, state = rows.iloc[0], basis.iloc[0]
    middle = ((distribution["from_value"] + distribution["to_value"]) / 2).to_numpy()
    inside = (middle >= total["low"]) & (middle <= total["high"])
    reached = [value_text(share, "share") for share in distribution["share_reached"]]
    figure.add_bar(
        x=middle,
        y=distribution["share"],
        width=(distribution["to_value"] - distribution["from_value"]).to_numpy() * 0.92,
        marker={"color": np.where(inside, figures.ACCENT, figures.GREY), "opacity": np.where(inside, 0.85, 0.45)},
        customdata=[
            [value_text(value, "money", currency), share] for value, share in zip(distribution["from_value"], reached, strict=True)
        ],
        hovertemplate=t("{share} of the quarters bring {value} or more", share="%{customdata[1]}", value="%{customdata[0]}")
        + "<extra></extra>",
    )
    top = float(distribution["share"].max())
    lines = [
        (total["value"], t("Forecast"), figures.ACCENT),
        (state["quota"], t("Quota"), figures.BAD),
        (state["last_value"], t("Last full quarter"), figures.GREY),
        (state["won"] or np.nan, t("Won so far"), figures.GOOD),
    ]
    known = sorted((line for line in lines if np.isfinite(line[0])), key=lambda line: -line[0])
    for place, (value, name, color) in enumerate(known):  # the farther left, the higher: no line crosses the name of another
        height = top * (1.06 + 0.08 * place)
        _mark(figure, float(value), (height, f"{name} {value_text(value, 'money', currency)}"), color)
    figure.update_yaxes(range=[0, top * (1.06 + 0.08 * len(known))])
    return figure


def _mark(figure: go.Figure, value: float, label: tuple[float, str], color: str) -> None:
    """Draw a line at a value. label: how high it goes, and what is written there."""
    height, text = label
    figure.add_shape(type="line", x0=value, x1=value, y0=0, y1=height, line={"color": color, "width": 1.5, "dash": "dash"})
    figure.add_scatter(x=[value], y=[height], mode="markers", marker={"size": 1, "color": color}, hoverinfo="skip")
    figures.add_label(figure, value, height, text, color=color)


def quota_bars(sums: pd.DataFrame, names: list[str], *, currency: str) -> go.Figure:
    """Return for each seller or team what is won, what open deals are expected to add, and the quota as a tick.

    sums: the table forecast_by_seller or forecast_by_team; names: of its rows.
    """
    shown = sums.head(MOST_ROWS)
    place, height = np.arange(len(shown)), _AROUND + _ROW_HEIGHT * max(len(shown), 1)
    figure = figures.base(x_title=figures.money_title(t("Value in the quarter"), currency), y_title="", x_unit="money", height=height)
    added = (shown["expected"] - shown["won"]).fillna(0.0)
    for values, name, color, texture in (
        (shown["won"], t("Won so far"), figures.ACCENT, ""),
        (added, t("Expected from open deals"), figures.faded(figures.ACCENT, 0.45), "/"),
    ):
        figure.add_bar(
            x=values.to_numpy(dtype=float),
            y=place,
            orientation="h",
            name=name,
            width=0.6,
            marker={"color": color, "pattern": {"shape": texture, "size": 6, "solidity": 0.25, "fgcolor": figures.ACCENT}},
            hovertemplate="%{x:,.0f}<extra>%{fullData.name}</extra>",
        )
    if shown["quota"].notna().any():
        figure.add_scatter(
            x=shown["quota"].to_numpy(dtype=float),
            y=place,
            mode="markers",
            name=t("Quota"),
            marker={"symbol": "line-ns-open", "size": 22, "color": figures.BAD, "line": {"width": 3, "color": figures.BAD}},
            hovertemplate="%{x:,.0f}<extra>%{fullData.name}</extra>",
        )
    labels = [safe_label(name) for name in names[:MOST_ROWS]]
    figure.update_yaxes(
        tickvals=place, ticktext=labels, ticklabelstandoff=8, range=[len(shown) - 0.4, -0.6], zeroline=False, showgrid=False
    )
    figure.update_layout(barmode="stack", showlegend=True)
    return figure


def past_bands(past: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return for each past quarter the 80% bands of its forecasts, the later the darker, and what came as a line across them.

    past: the table backtest.
    """
    figure = figures.base(x_title=t("Quarter"), y_title=figures.money_title(t("Value won in the quarter"), currency), y_unit="money")
    quarters = list(past["quarter_on"].drop_duplicates())
    at = {quarter: place for place, quarter in enumerate(quarters)}
    for step, (days, found) in enumerate(past.groupby("days_in")):
        x = found["quarter_on"].map(at).to_numpy(dtype=float) + (step - 1) * 0.22
        color = figures.faded(figures.ACCENT, _OPENNESS.get(int(str(days)), 1.0))
        figure.add_scatter(
            x=x,
            y=found["forecast"],
            mode="markers",
            name=t(DAYS[int(str(days))]),
            marker={"size": 8, "color": color},
            error_y=_whiskers(found, color),
            customdata=_past_hovers(found, currency),
            hovertemplate="%{customdata[0]}<extra></extra>",
        )
    actual = past.drop_duplicates("quarter_on")
    place = actual["quarter_on"].map(at).to_numpy(dtype=float)
    gap = np.full(len(place), np.nan)
    value = actual["actual"].to_numpy(dtype=float)
    figure.add_scatter(
        x=np.column_stack([place - 0.38, place + 0.38, gap]).ravel(),
        y=np.column_stack([value, value, gap]).ravel(),
        mode="lines",
        name=t("What came"),
        line={"color": figures.BAD, "width": 2.5},
        hoverinfo="skip",
    )
    figure.update_xaxes(tickvals=list(at.values()), ticktext=[quarter_name(quarter) for quarter in quarters], autotickangles=[0, -90])
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def _whiskers(found: pd.DataFrame, color: str) -> dict[str, Any]:
    up, down = found["high"] - found["forecast"], found["forecast"] - found["low"]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": color, "thickness": 5, "width": 0}


def _past_hovers(found: pd.DataFrame, currency: str) -> list[list[str]]:
    names = ("forecast", "low", "high", "actual")
    texts = [[value_text(value, "money", currency) for value in row] for row in found[list(names)].to_numpy()]
    return [[t("{forecast} (80%: {low} to {high}); came: {actual}", **dict(zip(names, row, strict=True)))] for row in texts]


def stage_dots(stages: pd.DataFrame, names: list[str]) -> go.Figure:
    """Return for each stage the share of deals entering it that are won in the end, with its interval, beside what is assumed.

    stages: the table stage_probabilities; names: of its rows.
    """
    place, height = np.arange(len(stages)), _AROUND + _LEGEND + _ROW_HEIGHT * max(len(stages), 1)
    figure = figures.base(x_title=t("Won in the end, share of deals<br>that enter the stage"), y_title="", x_unit="share", height=height)
    up, down = stages["high"] - stages["probability"], stages["probability"] - stages["low"]
    if stages["assumed"].notna().any():
        figure.add_scatter(
            x=stages["assumed"],
            y=place,
            mode="markers",
            name=t("Assumed by the company"),
            marker={"symbol": "diamond", "size": 11, "color": figures.GREY},
            hovertemplate="%{x:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.add_scatter(
        x=stages["probability"],
        y=place,
        mode="markers",
        name=t("Own history, with its 95% interval"),
        marker={"size": 11, "color": figures.ACCENT},
        error_x={"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": figures.ACCENT, "thickness": 2, "width": 4},
        hovertemplate="%{x:.1%}<extra>%{fullData.name}</extra>",
    )
    labels = [safe_label(name) for name in names]
    figure.update_yaxes(tickvals=place, ticktext=labels, ticklabelstandoff=8, range=[len(stages) - 0.5, -0.5], zeroline=False)
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_layout(showlegend=True)
    return figure
