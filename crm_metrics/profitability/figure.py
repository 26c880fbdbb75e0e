"""The pictures of the room."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import noop, t
from crm_metrics.metric import value_text

ENTITIES = {"customer": noop("customers"), "product": noop("products"), "region": noop("regions"), "channel": noop("channels")}
MEASURES = {"profit": noop("profit"), "gross_margin": noop("gross margin"), "net_revenue": noop("net revenue")}
PARTS = {
    "list_revenue": noop("List revenue"),
    "returns": noop("Returns"),
    "discount": noop("Discounts"),
    "net_revenue": noop("Net revenue"),
    "cost_of_goods": noop("Cost of goods"),
    "gross_margin": noop("Gross margin"),
    "service": noop("Service"),
    "sales_visits": noop("Sales visits"),
    "delivery": noop("Delivery"),
    "return_handling": noop("Handling of returns"),
    "rewards": noop("Rewards"),
    "other_service": noop("Other costs to serve"),
    "acquisition": noop("Winning the customer"),
    "campaigns": noop("Campaigns"),
    "profit": noop("Profit"),
}
REASONS = {
    "discount": noop("Discounts"),
    "returns": noop("Returns"),
    "service": noop("Cost to serve"),
    "marketing": noop("Marketing"),
    "goods": noop("Cost of goods"),
    "several": noop("Several together"),
}
RESOURCES = {
    "service_minutes_share": noop("Service minutes"),
    "visit_minutes_share": noop("Minutes of sales visits"),
    "visit_cost_share": noop("Cost of sales visits"),
    "marketing_share": noop("Marketing"),
    "cost_to_serve_share": noop("Cost to serve"),
}
CURVE_HEIGHT = 430
FEW_ENTITIES = 25  # so many are drawn as bars with their names: a curve through five points says nothing
BAR_HEIGHT, TWO_LINES = 34, 42
LABEL_ROOM = 0.3  # of the longest bar, beside it, for what is written there
_LONGEST_NAME = 26  # letters of a name beside its bar
_FIRST_LABEL, _LABEL_STEP, _LABELS_AT = 0.05, 0.11, 0.4  # where the reference points are named: below any curve that bends downwards

_GINI_AT = 0.6  # share of customers, where the area between the curve and the diagonal is wide


def measured(by: str, measure: str) -> str:
    """Return what is added up (a key of MEASURES): of products, regions and channels profit is gross margin."""
    return "gross_margin" if measure == "profit" and by != "customer" else measure


def money_title(label: str, currency: str) -> str:
    """Return the title of an axis of money with its unit."""
    return f"{label} ({currency})" if currency else label


# ── concentration ───────────────────────────────────────────────────────────────────────────────────────────────────────


def curve_figure(curve: pd.DataFrame, held: pd.DataFrame, references: pd.DataFrame, *, by: str, measure: str, currency: str) -> go.Figure:
    """Return cumulative profit or revenue over the share of customers, the best first; few regions or channels as bars with their names.

    curve, held: the tables curve and concentration. references: the table of that name, drawn for customers. Without a positive total
    there are no shares: then money is drawn.
    """
    if len(curve) <= FEW_ENTITIES and curve["name"].notna().all():
        return _named_bars(curve, held, by=by, measure=measure, currency=currency)
    row, has_shares = held.iloc[0], bool(held["total"].iloc[0] > 0)
    figure = _curve_axes(by, measure, currency if not has_shares else None)
    from_zero = pd.concat([pd.DataFrame({"entity_share": [0.0], "cumulative": [0.0], "cumulative_share": [0.0]}), curve], ignore_index=True)
    x = from_zero["entity_share"].to_numpy(dtype=float)
    y = from_zero["cumulative_share" if has_shares else "cumulative"].to_numpy(dtype=float)
    if row.losing:
        _add_erosion(figure, x, y)
    _add_curve(figure, x[: y.argmax() + 1], y[: y.argmax() + 1], color=figures.ACCENT, as_share=has_shares)
    if has_shares:
        if by == "customer":
            _add_references(figure, references)
        _add_top_fifth(figure, row, by)
        figure.update_yaxes(range=[min(0.0, y.min()) - 0.02, max(y.max(), 1.0) + 0.14])
    if row.losing:
        lost = value_text(abs(row.lost), "money", currency)
        text = t("{n} {entities} lose {lost}", n=f"{int(row.losing):,}", entities=t(ENTITIES[by]), lost=lost)
        figures.add_label(figure, 1.0, float(y[-1]), text, color=figures.BAD, anchor="right")
        figure.layout.annotations[-1].update(yshift=-16)
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
        title = money_title(t("Cumulative {measure}", measure=name), currency)
        figure = figures.base(x_title=x_title, y_title=title, x_unit="share", y_unit="money", height=CURVE_HEIGHT)
    figure.update_xaxes(range=[-0.005, 1.015])
    return figure


def _add_curve(figure: go.Figure, x: np.ndarray, y: np.ndarray, *, color: str, as_share: bool) -> None:
    hover = "%{x:.1%}: %{y:.1%}<extra></extra>" if as_share else "%{x:.1%}: %{y:,.0f}<extra></extra>"
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": color, "width": 3}, hovertemplate=hover)


def _add_erosion(figure: go.Figure, x: np.ndarray, y: np.ndarray) -> None:
    """Draw what the losing ones take away again: from the peak on in the bad colour, shaded up to the height of the peak."""
    peak = int(y.argmax())
    level = {"color": figures.GREY, "width": 1, "dash": "dot"}
    figure.add_scatter(x=x[[peak, -1]], y=y[[peak, peak]], mode="lines", line=level, hoverinfo="skip")
    figure.add_scatter(
        x=x[peak:],
        y=y[peak:],
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


def _add_references(figure: go.Figure, references: pd.DataFrame) -> None:
    """Draw what is known of other companies as grey marks, each named beside a thin line in the empty part below the curve."""
    middle = {
        axis: references[[f"{axis}_share_low", f"{axis}_share_high"]].astype(float).mean(axis=1).to_numpy() for axis in ("users", "value")
    }
    half = {axis: (references[f"{axis}_share_high"] - references[f"{axis}_share_low"]).to_numpy(dtype=float) / 2 for axis in middle}
    bars = [{"type": "data", "array": half[axis], "color": figures.GREY, "thickness": 1.5, "width": 3} for axis in ("users", "value")]
    figure.add_scatter(
        x=middle["users"],
        y=middle["value"],
        mode="markers",
        marker={"size": 9, "color": figures.GREY, "symbol": "diamond"},
        error_x=bars[0],
        error_y=bars[1],
        hovertemplate="%{customdata[0]}<extra></extra>",
        customdata=[[t(name)] for name in references["name"]],
    )
    for place, row in enumerate(middle["users"].argsort(kind="stable")):  # so that no line crosses another
        figure.add_annotation(
            x=middle["users"][row],
            y=middle["value"][row],
            ax=_LABELS_AT,
            ay=_FIRST_LABEL + _LABEL_STEP * place,
            axref="x",
            ayref="y",
            text=t(references["name"].iloc[row]),
            xanchor="left",
            arrowhead=0,
            arrowwidth=0.8,
            arrowcolor=figures.faded(figures.GREY, 0.6),
            standoff=6,
            font={"color": figures.GREY, "size": 12},
        )


def _named_bars(curve: pd.DataFrame, held: pd.DataFrame, *, by: str, measure: str, currency: str) -> go.Figure:
    """Return each one's share as a bar and the cumulative share as a line beside it; money where there are no shares."""
    total = float(held["total"].iloc[0])
    has_shares = total > 0
    name = t(MEASURES[measured(by, measure)])
    title = t("Share of {measure}", measure=name) if has_shares else money_title(name, currency)
    figure = figures.base(x_title=title, y_title="", x_unit="share" if has_shares else "money", height=100 + TWO_LINES * len(curve))
    values, places = curve["value"].to_numpy(dtype=float), np.arange(len(curve))
    lengths = values / total if has_shares else values
    texts = [value_text(value, "money", currency) for value in values]
    names = [_short(name) for name in curve["name"]]
    figure.add_bar(
        x=lengths,
        y=places,
        orientation="h",
        marker={"color": np.where(values < 0, figures.BAD, figures.ACCENT)},
        width=0.62,
        customdata=list(zip(names, texts, strict=True)),
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )
    if has_shares:
        texts = [f"{value_text(length, 'share')} · {text}" for length, text in zip(lengths, texts, strict=True)]
    if has_shares and len(curve) > 1:
        line = {"color": figures.GREY, "width": 1.5}
        hover = t("together") + ": %{x:.1%}<extra></extra>"
        figure.add_scatter(x=curve["cumulative_share"], y=places, mode="lines+markers", line=line, marker={"size": 6}, hovertemplate=hover)
        figure.add_annotation(
            x=1,
            y=len(curve) - 1,
            text=t("together"),
            showarrow=False,
            yshift=-18,
            xanchor="right",
            font={"color": figures.GREY, "size": 12},
        )
    labels = [f"{name}<br><span style='font-size:11px;color:{figures.GREY}'>{text}</span>" for name, text in zip(names, texts, strict=True)]
    _name_bars(figure, labels, reached=[*lengths, *curve["cumulative_share"]] if has_shares else lengths, room=0.05)
    return figure


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


# ── from revenue to profit ──────────────────────────────────────────────────────────────────────────────────────────────


class _Bar(NamedTuple):
    label: str
    base: float
    length: float
    text: str
    color: str


def step_bars(summary: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return the steps from list revenue to profit, one bar each, as far as they are known. summary: the table of this name."""
    bars: list[_Bar] = []
    level = 0.0
    for part, is_total, amount in zip(summary["part"], summary["is_total"], summary["amount"].astype(float), strict=True):
        if math.isnan(amount) or (amount == 0 and not is_total):
            continue
        color = figures.ACCENT if part == "profit" and amount >= 0 else figures.GREY if is_total and amount >= 0 else figures.BAD
        level = amount if is_total else level + amount
        base = 0.0 if is_total else level - amount
        bars.append(_Bar(t(PARTS[part]), base, amount, value_text(amount, "money", currency), color))
    figure = figures.base(x_title=money_title(t("Amount"), currency), y_title="", x_unit="money", height=80 + BAR_HEIGHT * len(bars))
    _add_bars(figure, bars)
    for place, bar in enumerate(bars[:-1]):
        at = bar.base + bar.length
        figure.add_shape(type="line", x0=at, x1=at, y0=place + 0.31, y1=place + 0.69, line={"color": figures.GREY, "width": 1})
    return figure


def _add_bars(figure: go.Figure, bars: list[_Bar]) -> None:
    """Draw `bars` from top to bottom, each with what is written at its right end."""
    figure.add_bar(
        x=np.array([bar.length for bar in bars]),
        y=np.arange(len(bars)),
        base=np.array([bar.base for bar in bars]),
        orientation="h",
        marker={"color": [bar.color for bar in bars]},
        width=0.62,
        customdata=[[bar.label, bar.text] for bar in bars],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )
    for place, bar in enumerate(bars):
        figures.add_label(figure, max(bar.base, bar.base + bar.length), place, bar.text, color=bar.color)
    _name_bars(figure, [bar.label for bar in bars], reached=[end for bar in bars for end in (bar.base, bar.base + bar.length)])


def _name_bars(figure: go.Figure, names: list[str], *, reached: Any, room: float = LABEL_ROOM) -> None:
    """Name the bars from top to bottom, and leave room beyond the farthest of `reached` for what is written at their ends."""
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, autorange="reversed", zeroline=False, showgrid=False)
    low, high = min([0.0, *reached]), max([0.0, *reached])
    figure.update_xaxes(range=[low * 1.05, high + (high - low) * room], zeroline=True)


def _short(name: Any) -> str:
    text = t("unknown") if pd.isna(name) or not str(name) else str(name)
    return safe_label(text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…")


def reason_bars(reasons: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what is lost, a bar for each reason that can be chosen, the largest on top. reasons: the table losing_reasons."""
    shown = reasons[reasons["customers"] > 0].sort_values("lost", key=np.abs, ascending=False, kind="stable")
    title = money_title(t("Lost to these customers"), currency)
    figure = figures.base(x_title=title, y_title="", x_unit="money", height=max(200, 90 + 44 * len(shown)))
    lost = shown["lost"].abs().to_numpy(dtype=float)
    texts = [
        t("{lost} · {n} customers", lost=value_text(amount, "money", currency), n=f"{n:,}")
        for amount, n in zip(lost, shown["customers"], strict=True)
    ]
    names = [t(REASONS[reason]) for reason in shown["reason"]]
    figure.add_bar(
        x=lost,
        y=np.arange(len(shown)),
        orientation="h",
        marker={"color": figures.BAD},
        width=0.62,
        customdata=list(zip(shown["reason"], names, texts, strict=True)),
        hovertemplate="%{customdata[1]}: %{customdata[2]}<extra></extra>",
    )
    for place, (amount, text) in enumerate(zip(lost, texts, strict=True)):
        figures.add_label(figure, amount, place, text, color=figures.BAD)
    _name_bars(figure, names, reached=lost)
    return figure


# ── what if ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def what_if_figure(curves: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return cumulative profit today (grey) and then (accent). curves: the table what_if_curve.

    Both in percent of today's profit, so that their ends can be compared; in money where today's is not above zero.
    """
    today, then = (curves[curves["scenario"] == name] for name in ("today", "then"))
    total = float(today["cumulative"].iloc[-1]) if len(today) else math.nan
    has_shares = total > 0
    title = t("Cumulative profit, % of today's") if has_shares else money_title(t("Cumulative {measure}", measure=t("profit")), currency)
    figure = figures.base(
        x_title=t("Share of {entities}, those who bring most first", entities=t("customers")),
        y_title=title,
        x_unit="share",
        y_unit="share" if has_shares else "money",
        height=figures.HEIGHT,
    )
    for rows, name, color in ((today, t("today"), figures.GREY), (then, t("then"), figures.ACCENT)):
        x = np.insert(rows["entity_share"].to_numpy(dtype=float), 0, 0.0)
        y = np.insert(rows["cumulative"].to_numpy(dtype=float), 0, 0.0) / (total if has_shares else 1.0)
        _add_curve(figure, x, y, color=color, as_share=has_shares)
        end = value_text(y[-1], "share" if has_shares else "money", currency)
        figures.add_label(figure, 1.0, float(y[-1]), f"{name} {end}", color=color)
    figure.update_xaxes(range=[-0.005, 1.0], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1])
    figure.update_layout(margin={"r": 96})
    figure.update_yaxes(rangemode="tozero")
    return figure


# ── resources ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def resource_bars(deciles: pd.DataFrame, *, resource: str) -> go.Figure:
    """Return each tenth's share of a resource (a key of RESOURCES) beside its share of profit, the most profitable tenth first."""
    figure = figures.base(x_title=t("Tenths of the customers, the most profitable first"), y_title=t("Share"), y_unit="share")
    for column, name, color in (
        ("profit_share", t("of profit"), figures.GREY),
        (resource, t(RESOURCES[resource]), figures.ACCENT),
    ):
        hover = "%{x}: %{y:.1%}<extra>%{fullData.name}</extra>"
        figure.add_bar(x=deciles["decile"], y=deciles[column], name=name, marker={"color": color}, hovertemplate=hover)
    figure.update_layout(showlegend=True, barmode="group")
    figure.update_xaxes(tickvals=deciles["decile"])
    return figure
