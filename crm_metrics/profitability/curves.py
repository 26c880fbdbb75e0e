"""The curves: how few bring how much, what the losing ones take away, and what if."""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.language import month_text, t
from crm_metrics.metric import value_text
from crm_metrics.profitability.figure import named_bars
from crm_metrics.profitability.labels import ENTITIES, MEASURES, SCENARIOS, is_few, measured

CURVE_HEIGHT = 360  # the first screen holds tiles, questions and the curve
_FIRST_LABEL, _LABEL_STEP, _LABELS_AT = (
    0.04,
    0.115,
    0.4,
)  # of the axes, where the reference points are named: below any curve that bends downwards
_GINI_AT = 0.6  # share of customers, where the area between the curve and the diagonal is wide

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def curve_figure(curve: pd.DataFrame, held: pd.DataFrame, references: pd.DataFrame, *, by: str, measure: str, currency: str) -> go.Figure:
    """Return cumulative profit or revenue over the share of customers, the best first; few regions or channels as bars with their names.

    curve, held: the tables curve and concentration. references: the table of that name, drawn for customers. Without a positive total
    there are no shares: then money is drawn.
    """
    if is_few(curve):
        return named_bars(curve, held, by=by, measure=measure, currency=currency)
    row, has_shares = held.iloc[0], bool(held["total"].iloc[0] > 0)
    figure = _curve_axes(by, measure, currency if not has_shares else None)
    from_zero = pd.concat([pd.DataFrame({"entity_share": [0.0], "cumulative": [0.0], "cumulative_share": [0.0]}), curve], ignore_index=True)
    x = from_zero["entity_share"].to_numpy(dtype=float)
    y = from_zero["cumulative_share" if has_shares else "cumulative"].to_numpy(dtype=float)
    earning = 1 + int((curve["value"] >= 0).sum())
    if row.losing:
        _add_erosion(figure, x[earning - 1 :], y[earning - 1 :])
    _add_curve(figure, x[:earning], y[:earning], color=figures.ACCENT, as_share=has_shares)
    if has_shares:
        top = max(y.max(), 1.0) * 1.13
        if by == "customer":
            _add_references(figure, references, top=top)
        _add_top_fifth(figure, row, by)
        figure.update_yaxes(range=[min(0.0, y.min()) - 0.02, top])
    if row.losing:
        lost = value_text(abs(row.lost), "money", currency)
        values = {"n": f"{int(row.losing):,}", "entities": t(ENTITIES[by]), "lost": lost}
        text = t("{n} {entities} lose {lost}", **values) if measure == "profit" else t("{n} {entities} below zero: -{lost}", **values)
        figures.add_label(figure, 1.0, float(y[-1]), text, color=figures.BAD, anchor="right")
        figure.layout.annotations[-1].update(yshift=-16)
        if measure == "profit":
            _add_peak(figure, x, y, by=by, as_share=has_shares)
    return figure


def _curve_axes(by: str, measure: str, currency: str | None) -> go.Figure:
    """Return the empty figure: cumulative share, or, with a currency, cumulative money."""
    name = t(MEASURES[measured(by, measure)])
    x_title = t("Share of {entities}, those who bring most first", entities=t(ENTITIES[by]))
    if currency is None:
        figure = figures.base(
            x_title=x_title,
            y_title=t("Cumulative share of {measure}", measure=name),
            x_unit="share",
            y_unit="share",
            height=CURVE_HEIGHT,
        )
    else:
        title = figures.money_title(t("Cumulative {measure}", measure=name), currency)
        figure = figures.base(x_title=x_title, y_title=title, x_unit="share", y_unit="money", height=CURVE_HEIGHT)
    figure.update_xaxes(range=[-0.005, 1.015])
    return figure


def _add_curve(figure: go.Figure, x: np.ndarray, y: np.ndarray, *, color: str, as_share: bool) -> None:
    hover = "%{x:.1%}: %{y:.1%}<extra></extra>" if as_share else "%{x:.1%}: %{y:,.0f}<extra></extra>"
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": color, "width": 3}, hovertemplate=hover)


def _add_erosion(figure: go.Figure, x: np.ndarray, y: np.ndarray) -> None:
    """Draw what the losing ones take away again in the bad colour, shaded up to where they begin."""
    level = {"color": figures.GREY, "width": 1, "dash": "dot"}
    figure.add_scatter(x=x[[0, -1]], y=y[[0, 0]], mode="lines", line=level, hoverinfo="skip")
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": figures.BAD, "width": 3},
        fill="tonexty",
        fillcolor=figures.faded(figures.BAD),
        hovertemplate="%{x:.1%}: %{y:,.3~g}<extra></extra>",
    )


def _add_peak(figure: go.Figure, x: np.ndarray, y: np.ndarray, *, by: str, as_share: bool) -> None:
    at = int(y.argmax())
    figure.add_scatter(x=x[[at]], y=y[[at]], mode="markers", marker={"size": 10, "color": figures.ACCENT}, hoverinfo="skip")
    height, share = value_text(y[at], "share" if as_share else "money"), value_text(x[at], "share")
    text = t("peak: {height} at {share} of {entities}", height=height, share=share, entities=t(ENTITIES[by]))
    anchor = "right" if x[at] > 0.5 else "left"  # towards the side with more room
    figures.add_label(figure, x[at], y[at], text, color=figures.ACCENT, anchor=anchor)
    figure.layout.annotations[-1].update(yshift=14)


def _add_top_fifth(figure: go.Figure, row: Any, by: str) -> None:
    """Mark what the best fifth holds."""
    if math.isnan(row.top_20):
        return
    share = math.ceil(row.entities * 0.2) / row.entities
    figure.add_scatter(x=[share], y=[row.top_20], mode="markers", marker={"size": 10, "color": figures.ACCENT}, hoverinfo="skip")
    text = t("20% of {entities}: {share}", entities=t(ENTITIES[by]), share=value_text(row.top_20, "share"))
    figures.add_label(figure, share, row.top_20, text, color=figures.ACCENT)
    figure.layout.annotations[-1].update(xshift=16, yshift=-6)


def _add_references(figure: go.Figure, references: pd.DataFrame, *, top: float) -> None:
    """Draw what is known of other companies as grey marks, each named beside a thin line in the empty part below the curve."""
    middle = {
        axis: references[[f"{axis}_share_low", f"{axis}_share_high"]].astype(float).mean(axis=1).to_numpy() for axis in ("users", "value")
    }
    half = {axis: (references[f"{axis}_share_high"] - references[f"{axis}_share_low"]).to_numpy(dtype=float) / 2 for axis in middle}
    bars = [{"type": "data", "array": half[axis], "color": figures.GREY, "thickness": 1.5, "width": 3} for axis in ("users", "value")]
    names = [_reference_name(row) for row in references.itertuples()]
    figure.add_scatter(
        x=middle["users"],
        y=middle["value"],
        mode="markers",
        marker={"size": 9, "color": figures.GREY, "symbol": "diamond"},
        error_x=bars[0],
        error_y=bars[1],
        hovertemplate="%{customdata[0]}<extra></extra>",
        customdata=[[name] for name in names],
    )
    for place, row in enumerate(middle["users"].argsort(kind="stable")):  # so that no line crosses another
        figure.add_annotation(
            x=middle["users"][row],
            y=middle["value"][row],
            ax=_LABELS_AT,
            ay=(_FIRST_LABEL + _LABEL_STEP * place) * top,
            axref="x",
            ayref="y",
            text=names[row],
            align="left",
            xanchor="left",
            arrowhead=0,
            arrowwidth=0.8,
            arrowcolor=figures.faded(figures.GREY, 0.6),
            standoff=6,
            font={"color": figures.GREY, "size": 11},
        )


def _reference_name(row: Any) -> str:
    """Return what a reference point is called: the name, and under it the share of users who hold which share of the value."""
    users, value = (
        f"{low * 100:g}%" if low == high else f"{low * 100:g}–{high * 100:g}%"
        for low, high in ((row.users_share_low, row.users_share_high), (row.value_share_low, row.value_share_high))
    )
    return f"{t(row.name)}<br>{users} → {value}"


def lorenz_figure(curve: pd.DataFrame, held: pd.DataFrame, *, by: str) -> go.Figure:
    """Return the Lorenz curve of revenue, those who bring least first, with the line of all alike. curve: as in curve_figure."""
    entities = t(ENTITIES[by])
    figure = figures.base(
        x_title=t("Share of {entities}, those who bring least first", entities=entities),
        y_title=t("Cumulative share of {measure}", measure=t(MEASURES["net_revenue"])),
        x_unit="share",
        y_unit="share",
        height=figures.SMALL_HEIGHT + 40,
    )
    x, y = (np.insert(curve[column].to_numpy(dtype=float), 0, 0.0) for column in ("entity_share", "lorenz_share"))
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": figures.GREY, "width": 1, "dash": "dot"}, hoverinfo="skip")
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": figures.ACCENT, "width": 2.5},
        fill="tonexty",
        fillcolor=figures.faded(figures.ACCENT, 0.12),
        hovertemplate="%{x:.1%}: %{y:.1%}<extra></extra>",
    )
    figures.add_label(figure, 0.5, 0.5, t("if all brought the same"), anchor="right")
    figure.layout.annotations[-1].update(yshift=12)
    between = (_GINI_AT + float(np.interp(_GINI_AT, x, y))) / 2
    figures.add_label(figure, _GINI_AT, between, t("Gini {gini}", gini=value_text(held["gini"].iloc[0], "ratio")), color=figures.ACCENT)
    figure.layout.annotations[-1].update(xanchor="center")
    figure.update_xaxes(range=[-0.005, 1.015])
    return figure


def what_if_figure(curves: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return cumulative profit today (grey) and then (accent). curves: the table what_if_curve.

    Both in percent of today's profit, so that their ends can be compared; in money where today's is not above zero.
    """
    today, then = (curves[curves["scenario"] == name] for name in ("today", "then"))
    total = float(today["cumulative"].iloc[-1]) if len(today) else math.nan
    has_shares = total > 0
    in_money = figures.money_title(t("Cumulative {measure}", measure=t("profit")), currency)
    title = t("Cumulative profit, % of today's") if has_shares else in_money
    figure = figures.base(
        x_title=t("Share of {entities}, those who bring most first", entities=t("customers")),
        y_title=title,
        x_unit="share",
        y_unit="share" if has_shares else "money",
        height=figures.HEIGHT,
    )
    for rows, name, color in ((today, t(SCENARIOS["today"]), figures.GREY), (then, t(SCENARIOS["then"]), figures.ACCENT)):
        x = np.insert(rows["entity_share"].to_numpy(dtype=float), 0, 0.0)
        y = np.insert(rows["cumulative"].to_numpy(dtype=float), 0, 0.0) / (total if has_shares else 1.0)
        _add_curve(figure, x, y, color=color, as_share=has_shares)
        end = value_text(y[-1], "share" if has_shares else "money", currency)
        figures.add_label(figure, 1.0, float(y[-1]), f"{name} {end}", color=color)
    upper, lower = sorted(figure.layout.annotations, key=lambda label: label.y, reverse=True)
    upper.update(yshift=8)  # so that they can be read where the curves end together
    lower.update(yshift=-8)
    figure.update_xaxes(range=[-0.005, 1.0], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1])
    figure.update_layout(margin={"r": 96})
    figure.update_yaxes(rangemode="tozero")
    return figure


def stability_figure(stability: pd.DataFrame) -> go.Figure:
    """Return the share of the best fifth that is there again a year later, by pair of years: seen, if nobody changed, and by lot.

    stability: the table of this name.
    """
    title = t("The best 20% of one year, a year later")
    figure = figures.base(x_title=title, y_title=t("Share still among the best 20%"), y_unit="share")
    places = np.arange(len(stability))
    for column, low, high, name, color, aside in (
        ("unchanged", "unchanged_low", "unchanged_high", t("if nobody changed"), figures.GREY, 0.06),
        ("stayed_share", "low", "high", t("seen"), figures.ACCENT, 0.0),
        ("by_chance", None, None, t("by lot"), figures.GREY, 0.0),
    ):
        share = stability[column].to_numpy(dtype=float)
        bounds = {"array": stability[high] - share, "arrayminus": share - stability[low]} if low else {"array": np.zeros(len(share))}
        figure.add_scatter(
            x=places + aside,  # beside the others, so that the intervals can be told apart
            y=share,
            mode="markers",
            name=name,
            marker={"size": 11, "color": color, "symbol": "circle" if low else "line-ew-open"},
            error_y={"type": "data", "color": color, "thickness": 2, **bounds},
            hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
        )
    years = zip(stability["first_end"], stability["second_end"], strict=True)
    names = [f"{month_text(first)}<br>→ {month_text(second)}" for first, second in years]
    figure.update_layout(showlegend=True)
    figure.update_xaxes(tickvals=places, ticktext=names, range=[-0.5, len(stability) - 0.5])
    figure.update_yaxes(range=[0, 1.02])
    return figure
