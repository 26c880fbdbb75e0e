"""The pictures made of bars; see curves for the others."""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.profitability.labels import MEASURES, PARTS, REASONS, RESOURCES, TIERS, measured, shown_name

_LONGEST_NAME = 26  # letters of a name beside its bar


def step_bars(summary: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return the steps from list revenue to profit, one bar each, as far as they are known. summary: the table of this name."""
    bars: list[figures.Bar] = []
    level = 0.0
    for part, is_total, amount in zip(summary["part"], summary["is_total"], summary["amount"].astype(float), strict=True):
        if math.isnan(amount) or (amount == 0 and not is_total):
            continue
        color = figures.ACCENT if part == "profit" and amount >= 0 else figures.GREY if is_total and amount >= 0 else figures.BAD
        bars.append(figures.Bar(part, t(PARTS[part]), value_text(amount, "money", currency), 0.0 if is_total else level, amount, color))
        level = amount if is_total else level + amount
    return figures.steps(bars, title=figures.money_title(t("Amount"), currency), unit="money")


def reason_bars(reasons: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what is lost, a bar for each reason that can be chosen, the largest on top. reasons: the table losing_reasons."""
    total = f"{reasons['customers'].sum():,}"
    bars = [
        figures.Bar(
            reason,
            t(REASONS[reason]),
            t("{lost} · {n} of {total} customers", lost=value_text(lost, "money", currency), n=f"{n:,}", total=total),
            0.0,
            lost,
            figures.BAD,
        )
        for reason, n, lost in zip(reasons["reason"], reasons["customers"], reasons["lost"].astype(float), strict=True)
    ]
    return figures.bars(bars, title=figures.money_title(t("Lost to these customers"), currency), unit="money")


def reward_bars(tiers: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what each tier gets back of its profit before rewards. tiers: the table reinvestment."""
    bars = [
        figures.Bar(
            tier,
            t(TIERS[tier]),
            t(
                "{rate} · {reward} per customer",
                rate=value_text(rate, "share"),
                reward=value_text(reward, "money_per_customer", currency),
            ),
            0.0,
            rate,
            figures.ACCENT,
        )
        for tier, rate, reward in zip(tiers["tier"], tiers["reinvestment_rate"], tiers["reward_per_customer"], strict=True)
    ]
    figure = figures.bars(bars, title=t("Rewards, share of profit before them"), unit="share")
    figure.update_xaxes(tickformat=".1%")
    return figure


def named_bars(curve: pd.DataFrame, held: pd.DataFrame, *, by: str, measure: str, currency: str) -> go.Figure:
    """Return each one's share as a bar and the cumulative share as a line beside it; money where there are no shares."""
    total = float(held["total"].iloc[0])
    has_shares = total > 0
    label = t(MEASURES[measured(by, measure)])
    bars = []
    for name, value in zip(curve["name"], curve["value"].astype(float), strict=True):
        money, share = value_text(value, "money", currency), value_text(value / total if has_shares else math.nan, "share")
        text = f"{share} · {money}" if has_shares else money
        length = value / total if has_shares else value
        bars.append(figures.Bar(str(name), _short(name), text, 0.0, length, figures.BAD if value < 0 else figures.ACCENT))
    if not has_shares:
        return figures.bars(bars, title=figures.money_title(label, currency), unit="money")
    figure = figures.bars(bars, title=t("Share of {measure}", measure=label), unit="share")
    figure.add_scatter(
        x=curve["cumulative_share"],
        y=np.arange(len(curve)),
        mode="lines+markers",
        line={"color": figures.GREY, "width": 1.5},
        marker={"size": 6},
        hovertemplate=t("together") + ": %{x:.1%}<extra></extra>",
    )
    figures.add_label(figure, 1.0, len(curve) - 1, t("together"), anchor="right")
    figure.layout.annotations[-1].update(yshift=-18)
    return figure


def _short(name: Any) -> str:
    text = shown_name(name)
    return safe_label(text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…")


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
