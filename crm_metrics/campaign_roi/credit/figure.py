"""The pictures of this part."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.campaign_roi.credit.labels import LABELS, MEASURES, PERSONALISATIONS, of_pair, short_names, shown_segments
from crm_metrics.campaign_roi.credit.terms import Rule
from crm_metrics.campaign_roi.credit.weighting import ALIKE
from crm_metrics.export import safe_label
from crm_metrics.language import t

MOST_ROWS = 14  # campaigns in a figure, the newest; the table holds all
_ROW_HEIGHT, _AROUND = 40, 120
_HOLLOW, _INTERVAL = "circle-open", figures.faded(figures.ACCENT, 0.5)
_TONES = {"individual": figures.ACCENT, "segment": figures.SERIES[3], "mass": figures.GREY, "": figures.faded(figures.GREY, 0.45)}


def _rows(title: str, names: list[str], *, unit: Any = "money") -> go.Figure:
    """Return an empty figure with one row per name, the first on top."""
    figure = figures.base(x_title=title, y_title="", x_unit=unit, height=_AROUND + _ROW_HEIGHT * len(names))
    figure.update_yaxes(
        tickvals=np.arange(len(names)), ticktext=names, range=[len(names) - 0.5, -0.5], zeroline=False, showgrid=True, tickfont={"size": 12}
    )
    figure.update_xaxes(zeroline=True, showgrid=False)
    figure.update_layout(showlegend=True)
    return figure


class _Mark(NamedTuple):
    """How one thing is drawn in every row, and what it is called."""

    name: str
    symbol: str
    color: str
    size: int = 11


def _dots(figure: go.Figure, values: pd.Series, ids: pd.Series, mark: _Mark) -> None:
    """Add a mark for each known value; a click on it gives the campaign."""
    known = values.notna().to_numpy()
    if not known.any():
        return
    figure.add_scatter(
        x=values[known].to_numpy(dtype=float),
        y=np.flatnonzero(known),
        mode="markers",
        name=mark.name,
        marker={"symbol": mark.symbol, "size": mark.size, "color": mark.color, "line": {"width": 2, "color": mark.color}},
        customdata=ids[known].to_numpy()[:, None],
        hovertemplate="%{x:,.0f}<extra>%{fullData.name}</extra>",
    )


def _spans(figure: go.Figure, low: pd.Series, high: pd.Series, *, color: str, width: int) -> None:
    """Add a line from one value to another in each row that knows both."""
    known = (low.notna() & high.notna()).to_numpy()
    gap = np.full(known.sum(), np.nan)
    ends, at = np.column_stack([low[known], high[known], gap]), np.repeat(np.flatnonzero(known)[:, None], 3, axis=1)
    figure.add_scatter(
        x=ends.ravel().astype(float),
        y=at.ravel(),
        mode="lines+markers",  # beside markers the axis leaves room, beside lines none
        marker={"size": 1, "color": color},
        line={"color": color, "width": width},
        hoverinfo="skip",
        showlegend=False,
    )


def campaign_dots(campaigns: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return for each campaign its cost, what orders credit it with and, with a control group, what it brought, with its interval.

    A campaign whose window is not over is hollow. campaigns: the table of this name.
    """
    rows = campaigns.head(MOST_ROWS)
    is_margin = (rows["measure"] == "gross_margin").any()
    figure = _rows(figures.money_title(t("Margin") if is_margin else t("Net revenue"), currency), short_names(rows))
    worth = rows["attributed_margin"].where(rows["measure"] == "gross_margin", rows["attributed_revenue"])
    ids = rows["campaign"]
    if "incremental" in rows:
        _spans(figure, rows["incremental_low"], rows["incremental_high"], color=_INTERVAL, width=5)
    _dots(figure, rows["cost"], ids, _Mark(t("Cost"), "line-ns-open", figures.BAD, 15))
    _dots(figure, worth, ids, _Mark(t("Attributed"), "diamond", figures.GREY))
    if "incremental" in rows:
        over, name = rows["is_finished"].to_numpy(), t("Incremental, with its 95% interval")
        _dots(figure, rows["incremental"].where(over), ids, _Mark(name, "circle", figures.ACCENT, 12))
        _dots(figure, rows["incremental"].where(~over), ids, _Mark(t("so far"), _HOLLOW, figures.ACCENT, 12))
    return figure


def rule_dots(attribution: pd.DataFrame, *, rule: Rule, currency: str) -> go.Figure:
    """Return for each campaign what every rule credits it with, that of the chosen rule in colour. attribution: the table of this name."""
    kept = attribution["campaign"].drop_duplicates().head(MOST_ROWS)
    wide = attribution.pivot(index="campaign", columns="rule", values="credited_revenue").reindex(kept)
    names = attribution.drop_duplicates("campaign").head(MOST_ROWS)
    figure = _rows(figures.money_title(t("Attributed revenue"), currency), short_names(names))
    ids = pd.Series(kept.to_numpy())
    _spans(figure, wide.min(axis=1), wide.max(axis=1), color=figures.GREY, width=2)
    others = [name for name in LABELS if name in wide and name != rule]
    for name, symbol in zip(others, ("circle", "square", "diamond", "triangle-up", "x"), strict=False):
        values = wide[name].reset_index(drop=True)
        _dots(figure, values, ids, _Mark(t(LABELS[name]), symbol, figures.GREY, 7))
    if rule in wide:
        _dots(figure, wide[rule].reset_index(drop=True), ids, _Mark(t(LABELS[rule]), "circle", figures.ACCENT, 12))
    return figure


def adjusted_dots(adjusted: pd.DataFrame, *, outcome: str, currency: str) -> go.Figure:
    """Return the difference per customer of each campaign, as it is and adjusted, with its interval. adjusted: the table of this name."""
    rows = adjusted[adjusted["outcome"] == outcome].head(MOST_ROWS).reset_index(drop=True)
    unit = "share" if rows["unit"].eq("share").all() else "money_per_customer"
    title = t("Difference in the share who buy") if unit == "share" else figures.money_title(t("Difference per customer"), currency)
    figure = _rows(title, short_names(rows), unit=unit)
    _spans(figure, rows["low"], rows["high"], color=_INTERVAL, width=5)
    ids = rows["campaign"]
    _dots(figure, rows["crude_difference"], ids, _Mark(t("Unadjusted"), "diamond-open", figures.GREY))
    over = rows["is_finished"].to_numpy(dtype=bool)
    name = t("Adjusted, with its 95% interval")
    _dots(figure, rows["difference"].where(over), ids, _Mark(name, "circle", figures.ACCENT, 12))
    _dots(figure, rows["difference"].where(~over), ids, _Mark(t("so far"), _HOLLOW, figures.ACCENT, 12))
    hover = "%{x:+.1%}" if unit == "share" else "%{x:+,.2f}"
    figure.update_traces(hovertemplate=hover + "<extra>%{fullData.name}</extra>", selector={"mode": "markers"})
    return figure


def balance_dots(balance: pd.DataFrame, *, pair: tuple[str, str]) -> go.Figure:
    """Return how far the treated were from the others before and after adjusting. balance: the table; pair: campaign and arm."""
    balance = of_pair(balance, pair).reset_index(drop=True)
    names = [
        t(MEASURES[measure]) + ("" if is_adjusted else " *")
        for measure, is_adjusted in zip(balance["measure"], balance["is_adjusted"], strict=True)
    ]
    figure = _rows(t("Standardised difference"), names, unit="ratio")
    figure.add_vrect(x0=-ALIKE, x1=ALIKE, fillcolor=figures.faded(figures.GREY, 0.2), line={"width": 0}, layer="below")
    ids = balance["measure"]
    _dots(figure, balance["difference_before"], ids, _Mark(t("Before adjusting"), "diamond-open", figures.GREY))
    _dots(figure, balance["difference_after"], ids, _Mark(t("After adjusting"), "circle", figures.ACCENT))
    figure.update_traces(hovertemplate="%{x:+.2f}<extra>%{fullData.name}</extra>")
    figure.update_layout(height=_AROUND + 30 * len(names))
    return figure


def budget_bars(campaigns: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return cost beside budget by campaign, of which one of the two is known. campaigns: the table of this name."""
    rows = campaigns[campaigns[["budget", "cost"]].notna().any(axis=1)].head(MOST_ROWS)
    figure = _rows(figures.money_title(t("Cost"), currency), short_names(rows))
    at = np.arange(len(rows))
    for column, name, color, width in (
        ("budget", t("Budget"), figures.faded(figures.GREY, 0.45), 0.7),
        ("cost", t("Cost"), figures.ACCENT, 0.36),
    ):
        figure.add_bar(
            x=rows[column].to_numpy(dtype=float),
            y=at,
            name=name,
            orientation="h",
            width=width,
            marker={"color": color},
            customdata=rows[["campaign"]].to_numpy(),
            hovertemplate="%{x:,.0f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(barmode="overlay")
    return figure


def wasted_bars(wasted: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what was spent on each segment that a campaign harmed. wasted: the table of this name."""
    rows = wasted[wasted["spent_there"].notna()].head(MOST_ROWS)
    names = [f"{name}<br>{safe_label(segment)}" for name, segment in zip(short_names(rows), shown_segments(rows), strict=True)]
    figure = _rows(figures.money_title(t("Spent there"), currency), names)
    figure.add_bar(
        x=rows["spent_there"].to_numpy(dtype=float),
        y=np.arange(len(rows)),
        orientation="h",
        width=0.5,
        marker={"color": figures.BAD},
        customdata=rows[["uplift", "treated"]].to_numpy(dtype=float),
        hovertemplate="%{x:,.0f} (%{customdata[0]:+,.2f}, n = %{customdata[1]:,})<extra></extra>",
    )
    figure.update_layout(showlegend=False, height=_AROUND + 56 * len(rows))
    return figure


def contact_bars(contacts: pd.DataFrame) -> go.Figure:
    """Return whom the contacts of each quarter were written for, as shares. contacts: the table of this name."""
    figure = figures.base(x_title=t("Quarter from"), y_title=t("Share of the contacts"), y_unit="share")
    known = [
        name for name in (*_TONES, *sorted(set(contacts["personalisation"]) - set(_TONES))) if name in set(contacts["personalisation"])
    ]
    for name in known:
        rows = contacts[contacts["personalisation"] == name]
        figure.add_bar(
            x=rows["quarter_on"].dt.strftime("%Y-%m"),
            y=rows["share"],
            name=t(PERSONALISATIONS.get(name, name)),
            marker={"color": _TONES.get(name, figures.SERIES[2]), "pattern": {"shape": np.where(rows["is_unfinished"], "/", "")}},
            customdata=rows[["contacts"]].to_numpy(),
            hovertemplate="%{x}: %{y:.1%} (n = %{customdata[0]:,})<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(barmode="stack", showlegend=True)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=sorted(contacts["quarter_on"].dt.strftime("%Y-%m").unique()))
    return figure
