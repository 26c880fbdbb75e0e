"""The pictures of this part."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t
from crm_metrics.metric import value_text
from crm_metrics.retention.leaving.definitions import CONTRACT, RHYTHM
from crm_metrics.retention.leaving.labels import definition_name, kind_name, part_name

YEARLY_REFERENCES = (0.3, 0.4, 0.5)  # turnover of customers of financial firms in China, as told
_FADED = 0.45
_MOST_LINES = 4


def definition_bars(definitions: pd.DataFrame, *, window_days: int) -> go.Figure:
    """Return the churn rate of a year by definition with Wilson's interval, beside what is told of others. See tables.churn_definitions."""
    shown = definitions[definitions["rate"].notna()].iloc[::-1]
    figure = figures.base(x_title=t("Share lost within the year"), y_title="", x_unit="share", height=130 + 48 * len(shown))
    if not len(shown):  # the page says why
        return figure.update_layout(height=20).update_xaxes(visible=False).update_yaxes(visible=False)
    colors = [figures.ACCENT if name == RHYTHM else figures.GREY for name in shown["definition"]]
    of = {True: noop("{rate} of {total} contracts"), False: noop("{rate} of {total} customers")}
    names = [  # with the rate: beside the bar it would have no room on a narrow screen
        f"{definition_name(name, window_days)}<br>" + t(of[name == CONTRACT], rate=value_text(rate, "share"), total=f"{customers:,.0f}")
        for name, rate, customers in zip(shown["definition"], shown["rate"], shown["customers"], strict=True)
    ]
    above, below = shown["high"] - shown["rate"], shown["rate"] - shown["low"]
    figure.add_bar(
        x=shown["rate"],
        y=names,
        orientation="h",
        marker={"color": colors, "opacity": np.where(shown["customers"] < FEW_CUSTOMERS, _FADED, 1.0)},
        error_x={"type": "data", "array": above, "arrayminus": below, "color": figures.SERIES[1], "thickness": 2},
        customdata=shown[["definition"]],
        hovertemplate="%{y}<extra></extra>",
    )
    for rate in YEARLY_REFERENCES:
        figure.add_vline(x=rate, line={"color": figures.GREY, "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=YEARLY_REFERENCES[-1], y=1.0, yref="paper", yanchor="bottom", showarrow=False, font={"color": figures.GREY, "size": 12},
        text=t("dotted: reported for financial firms in China"), xanchor="right",
    )  # fmt: skip
    figure.update_layout(margin={"t": 30})
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_xaxes(range=[0, max(0.58, float(shown["high"].max()) * 1.05)])
    return figure


# ── figure: curves ──────────────────────────────────────────────────────────────────────────────────────────────────────


def second_order_curves(curve: pd.DataFrame, summary: pd.DataFrame) -> go.Figure:
    """Return who has ordered again by each day, with bands; dashed where under 30 are followed. See tables.curve, tables.second_order."""
    figure = figures.base(x_title=t("Days since the first order"), y_title=t("Share with a second order"), y_unit="share")
    rows: Any = summary.itertuples()
    for place, row in enumerate(rows):
        held = curve[curve["part"].isna() if pd.isna(row.part) else curve["part"] == row.part]
        start = held.head(1).assign(age_days=0, share=0.0, low=np.nan, high=np.nan, is_few=False)
        drawn = held if held["age_days"].iloc[0] == 0 else pd.concat([start, held], ignore_index=True)
        label = "" if pd.isna(row.part) else f"{part_name(row.part)} (n = {row.customers:,})"
        _add_curve(figure, drawn.rename(columns={"age_days": "x", "share": "y"}), label, figures.SERIES[place])
    if len(summary) == 1 and not np.isnan(summary["median_days"].iloc[0]):
        median = float(summary["median_days"].iloc[0])
        figure.add_scatter(
            x=[0, median, median], y=[0.5, 0.5, 0], mode="lines", line={"color": figures.GREY, "width": 1, "dash": "dot"}, hoverinfo="skip"
        )
        figures.add_label(figure, median, 0.06, t("half have ordered again after {days}", days=value_text(median, "days")))
    figure.update_yaxes(range=[0, 1.02])
    return figure


def contract_curves(curve: pd.DataFrame, _churn: pd.DataFrame, **_kind: str) -> go.Figure:
    """Return the share of contracts that last longer, of all in grey and by kind, with bands. See tables.contract_curve."""
    figure = figures.base(x_title=t("Whole months since the contract began"), y_title=t("Share of contracts not ended"), y_unit="share")
    kinds = list(dict.fromkeys(curve.loc[~curve["is_all"].astype(bool), "contract_kind"]))[:_MOST_LINES]
    for place, kind in enumerate([None, *kinds]):
        held = (
            curve[curve["is_all"].astype(bool)] if kind is None else curve[~curve["is_all"].astype(bool) & (curve["contract_kind"] == kind)]
        )
        start = held.head(1).assign(tenure_months=0, survival=1.0, low=np.nan, high=np.nan, is_few=False)
        drawn = held if held["tenure_months"].iloc[0] == 0 else pd.concat([start, held], ignore_index=True)
        color = figures.GREY if kind is None and kinds else figures.SERIES[max(place - 1, 0)]
        label = kind_name(kind) if kinds else ""
        _add_curve(figure, drawn.rename(columns={"tenure_months": "x", "survival": "y"}), label, color)
    figure.update_yaxes(range=[0, 1.02])
    return figure


def projection_lines(projection: pd.DataFrame, fitted: pd.DataFrame, *, kind: str) -> go.Figure:
    """Return actual shares with their bands beside what the model of the first renewals projects. See tables.contract_projection.

    kind: of contracts; '' where there is one kind. fitted: tables.contract_fit.
    """
    shown = projection[projection["contract_kind"].fillna("") == kind]
    until = float(fitted.loc[fitted["contract_kind"].fillna("") == kind, "fitted_months"].iloc[0])
    figure = figures.base(x_title=t("Whole months since the contract began"), y_title=t("Share of contracts not ended"), y_unit="share")
    if shown["projected"].notna().any():
        _add_band(figure, shown["tenure_months"], (shown["projected_low"], shown["projected_high"]), color=figures.ACCENT, shape="linear")
        for is_dashed in (False, True):
            part = shown["tenure_months"] >= until if is_dashed else shown["tenure_months"] <= until
            line = {"color": figures.ACCENT, "width": 2.5, "dash": "dash" if is_dashed else "solid"}
            name = t("Projected") if is_dashed else t("Fitted")
            figure.add_scatter(
                x=shown.loc[part, "tenure_months"], y=shown.loc[part, "projected"], mode="lines", name=name, line=line,
                hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
            )  # fmt: skip
        figure.add_vline(x=until, line={"color": figures.GREY, "width": 1, "dash": "dash"})
        figures.add_label(figure, until, 0.95, t("the model is fitted up to here"))
    bounds = {"type": "data", "array": shown["actual_high"] - shown["actual"], "arrayminus": shown["actual"] - shown["actual_low"]}
    figure.add_scatter(
        x=shown["tenure_months"],
        y=shown["actual"],
        mode="markers",
        name=t("Actual"),
        marker={"size": 8, "color": figures.SERIES[1], "symbol": "diamond"},
        error_y={**bounds, "color": figures.faded(figures.SERIES[1], _FADED), "thickness": 1.5, "width": 0},
        customdata=shown[["at_risk"]],
        hovertemplate="%{x}: %{y:.1%} (n = %{customdata[0]:,})<extra>%{fullData.name}</extra>",
    )
    figure.update_layout(showlegend=True)
    figure.update_yaxes(range=[0, 1.05])
    return figure


def _add_curve(figure: go.Figure, rows: pd.DataFrame, label: str, color: str) -> None:
    """Add a stepped curve with its band, dashed where few are followed.

    One of several (with a label) has no band there: it would be as wide as the figure, and hide the others.
    """
    few = rows["is_few"].to_numpy(dtype=bool)
    banded = rows[~few] if label else rows
    _add_band(figure, banded["x"], (banded["low"], banded["high"]), color=color, shape="hv")
    for is_few in (False, True):
        part = few | np.append(few[1:], is_few) if is_few else ~few  # the dashes begin where the line ends
        if not is_few or few.any():
            style = {"color": color, "width": 2.5, "shape": "hv", "dash": "dot" if is_few else "solid"}
            figure.add_scatter(
                x=rows["x"][part], y=rows["y"][part], mode="lines", line=style, name=label, showlegend=not is_few,
                customdata=rows.loc[part, ["at_risk"]],
                hovertemplate="%{x}: %{y:.1%} (n = %{customdata[0]:,})<extra>%{fullData.name}</extra>",
            )  # fmt: skip
    figure.update_layout(showlegend=bool(label))  # labels at the ends would not fit beside each other on a narrow screen


def _add_band(figure: go.Figure, x: Any, bounds: tuple[pd.Series, pd.Series], *, color: str, shape: str) -> None:
    known = bounds[0].notna() & bounds[1].notna()
    for bound, fill in zip(bounds, (None, "tonexty"), strict=True):
        figure.add_scatter(
            x=x[known], y=bound[known], mode="lines", line={"width": 0, "shape": shape}, fill=fill, fillcolor=figures.faded(color),
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
