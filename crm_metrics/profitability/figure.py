"""The pictures made of bars; see curves for the others."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.profitability.labels import MEASURES, PARTS, REASONS, RESOURCES, TIERS, measured, shown_name

BAR_HEIGHT, TWO_LINES = 34, 42
LABEL_ROOM = 0.3  # of the longest bar, beside it, for what is written there
_LONGEST_NAME = 26  # letters of a name beside its bar


def money_title(label: str, currency: str) -> str:
    """Return the title of an axis of money with its unit."""
    return f"{label} ({currency})" if currency else label


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
    text = shown_name(name)
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


def named_bars(curve: pd.DataFrame, held: pd.DataFrame, *, by: str, measure: str, currency: str) -> go.Figure:
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


def reward_bars(tiers: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what each tier gets back of its profit before rewards. tiers: the table reinvestment."""
    rates = tiers["reinvestment_rate"].to_numpy(dtype=float)
    each = [
        t("{rate} · {reward} per customer", rate=value_text(rate, "share"), reward=value_text(reward, "money_per_customer", currency))
        for rate, reward in zip(rates, tiers["reward_per_customer"], strict=True)
    ]
    bars = [_Bar(t(TIERS[tier]), 0.0, rate, text, figures.ACCENT) for tier, rate, text in zip(tiers["tier"], rates, each, strict=True)]
    figure = figures.base(x_title=t("Rewards as a share of profit before rewards"), y_title="", x_unit="share", height=90 + 50 * len(bars))
    figure.update_xaxes(tickformat=".1%")
    _add_bars(figure, bars)
    return figure
