"""The pictures of a campaign's result: differences with their intervals, money beside cost, what could have been shown."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.campaign_roi.result.labels import (
    arm_label,
    difference_text,
    level_text,
    measure_label,
    of,
    outcome_label,
    segment_label,
)
from crm_metrics.campaign_roi.result.more_words import ranked_names
from crm_metrics.campaign_roi.result.terms import OUTCOMES
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import Unit, is_unknown, value_text

ROW_HEIGHT = 46  # two lines are written beside each row, which need no room at its end on a narrow screen
MOST_SEGMENTS = 24
_LEAST_HEIGHT = 250
_LONGEST_NAME = 30  # letters beside a row
_FADED = 0.4


class _Row(NamedTuple):
    """One difference: its name, what is written under that, the difference with its interval, and how it is drawn."""

    name: str
    text: str
    value: float
    low: float = math.nan
    high: float = math.nan
    color: str = figures.GREY
    is_hollow: bool = False
    opacity: float = 1.0


def uplift_dots(uplift: pd.DataFrame, *, outcome: str, currency: str) -> go.Figure:
    """Return what each arm changed, as it was split, allowing for earlier spend, and by bootstrap, with a line at nothing.

    uplift: the table of this name, of one campaign. Hollow: the interval holds zero. Faded: it can't be relied on.
    """
    shown = of(uplift, outcome=outcome)
    rows, unit = [], cast("Unit", shown["unit"].iloc[0])
    for row in _each(shown):
        opacity, arm = _FADED if row.is_unreliable else 1.0, t("{arm}: ", arm=arm_label(row.arm)) if len(shown) > 1 else ""
        ways = (
            (
                t("stratified") if row.is_stratified else t("unadjusted (Welch)"),
                row.uplift,
                row.low,
                row.high,
                figures.ACCENT,
            ),
            (t("adjusted for earlier spend"), row.adjusted_uplift, row.adjusted_low, row.adjusted_high, figures.SERIES[2]),
            (t("bootstrap"), row.uplift, row.bootstrap_low, row.bootstrap_high, figures.GREY),
        )
        for way, value, low, high, color in ways:
            if not is_unknown(low):
                text = _interval_text(value, low, high, unit=unit, currency=currency)
                rows.append(_Row(arm + way, text, value, low, high, color, is_hollow=low <= 0 <= high, opacity=opacity))
                arm = ""  # named once
    return _dots(rows, title=_difference_title(outcome, unit, currency), unit=unit)


def segment_forest(segments: pd.DataFrame, *, arm: str, by: str, currency: str) -> go.Figure:
    """Return the difference in each segment, and in all of them on top. segments: the table of this name, of one campaign.

    Filled: proven with all segments looked at. Faded: few people.
    """
    shown = of(segments, arm=arm, by=by).head(MOST_SEGMENTS)
    unit, everyone = cast("Unit", shown["unit"].iloc[0]), float(shown["total_uplift"].iloc[0])
    rows = [_Row(t("All together"), difference_text(everyone, unit, currency, signed=True), everyone)]
    for row in _each(shown):
        sizes = t("{n} treated, {control_n} control", n=f"{row.n:,}", control_n=f"{row.control_n:,}")
        text = f"{difference_text(row.uplift, unit, currency, signed=True)} · {sizes}"
        color = figures.GREY if not row.is_proven else figures.ACCENT if row.uplift > 0 else figures.BAD
        opacity = _FADED if row.is_small else 1.0
        name = segment_label(row.by, row.segment)
        rows.append(_Row(name, text, row.uplift, row.low, row.high, color, is_hollow=not row.is_proven, opacity=opacity))
    figure = _dots(rows, title=_difference_title(shown["outcome"].iloc[0], unit, currency), unit=unit)
    figure.add_vline(x=everyone, line={"color": figures.GREY, "width": 1, "dash": "dot"})
    return figure


def adjusted_dots(adjusted: pd.DataFrame, *, outcome: str, currency: str) -> go.Figure:
    """Return how chosen people differ from those compared with: as they are, and adjusted. adjusted: rows of one campaign."""
    shown = of(adjusted, outcome=outcome)
    rows, unit = [], cast("Unit", shown["unit"].iloc[0])
    for row in _each(shown):
        arm = t("{arm}: ", arm=arm_label(row.arm)) if len(shown) > 1 else ""
        crude = difference_text(row.crude_difference, unit, currency, signed=True)
        rows.append(_Row(arm + t("unadjusted"), crude, row.crude_difference, is_hollow=True))
        text = _interval_text(row.difference, row.low, row.high, unit=unit, currency=currency)
        rows.append(_Row(arm + t("adjusted"), text, row.difference, row.low, row.high, figures.ACCENT, is_hollow=row.low <= 0 <= row.high))
    title = t("{outcome},<br>chosen less compared", outcome=outcome_label(outcome))
    return _dots(rows, title=figures.money_title(title, currency) if unit == "money_per_customer" else title, unit=unit)


def money_bars(returns: pd.DataFrame, *, attributed: float | None, currency: str) -> go.Figure:
    """Return what a campaign brought beside what it cost. returns: its rows of the table of this name.

    attributed: money that the orders credit it with, all arms; unknown ones have no bar.
    """
    rows = []
    for row in _each(returns):
        arm = t("{arm}: ", arm=arm_label(row.arm)) if len(returns) > 1 else ""
        measure = t("extra {measure}", measure=measure_label(row.measure))
        text = _interval_text(row.extra, row.low, row.high, unit="money", currency=currency)
        rows.append(_Row(arm + measure, text, row.extra, row.low, row.high, figures.ACCENT if row.extra >= 0 else figures.BAD))
        rows.append(_Row(arm + t("cost"), value_text(row.cost, "money", currency), row.cost, color=figures.SERIES[1]))
    if attributed is not None:
        rows.append(_Row(t("credited by orders"), value_text(attributed, "money", currency), attributed))
    shown = [row for row in rows if not is_unknown(row.value)]
    figure = figures.base(x_title=figures.money_title(t("Money"), currency), y_title="", x_unit="money", height=_height(len(shown)))
    figure.add_bar(
        x=[row.value for row in shown],
        y=np.arange(len(shown)),
        orientation="h",
        marker={"color": [row.color for row in shown]},
        width=0.55,
        error_x=_bounds(shown, color=figures.GREY),
        customdata=[[row.name, row.text] for row in shown],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )
    _name_rows(figure, [_two_lines(row) for row in shown])
    figure.update_xaxes(zeroline=True)
    return figure


def shown_lifts(uplift: pd.DataFrame, *, arm: str) -> go.Figure:
    """Return the lift found of each outcome over the band of lifts too small to be shown. uplift: the table of this
    name, of one campaign.

    Relative to the control, so that outcomes of all units stand side by side.
    """
    enough = of(uplift, arm=arm).dropna(subset=["smallest_lift"])
    found, smallest = (enough[name].to_numpy(dtype=float) for name in ("lift", "smallest_lift"))
    texts = [
        t("found {found}, detectable from {smallest}", found=f"{lift:+.1%}", smallest=value_text(least, "share"))
        for lift, least in zip(found, smallest, strict=True)
    ]
    labels = [_two_lines(_Row(outcome_label(outcome), text, 0.0)) for outcome, text in zip(enough["outcome"], texts, strict=True)]
    figure = figures.base(x_title=t("Lift over the control"), y_title="", x_unit="share", height=_height(len(enough)))
    rows = np.arange(len(enough))
    figure.add_bar(
        x=2 * smallest,
        base=-smallest,
        y=rows,
        orientation="h",
        width=0.5,
        marker={"color": figures.faded(figures.GREY, 0.35)},
        customdata=smallest,
        hovertemplate=t("smaller than {smallest}: too small to detect", smallest="%{customdata:.1%}") + "<extra></extra>",
    )
    is_large = np.abs(found) >= smallest
    figure.add_scatter(
        x=found,
        y=rows,
        mode="markers",
        marker={"size": 12, "color": figures.ACCENT, "symbol": np.where(is_large, "circle", "circle-open")},
        hovertemplate=t("found") + " %{x:+.1%}<extra></extra>",
    )
    _name_rows(figure, labels)
    figure.update_xaxes(zeroline=True)
    return figure


def looks_band(looks: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return the difference by day with the bounds that hold at every look, and dashed those of a single one. looks: the table."""
    outcome = looks["outcome"].iloc[0]
    unit = OUTCOMES[outcome]
    title = _difference_title(outcome, unit, currency)
    figure = figures.base(x_title=t("Day of the campaign"), y_title=title, y_unit="ratio" if unit == "count" else unit)
    days, no_line = looks["day"], {"width": 0}
    figure.add_scatter(x=days, y=looks["low"], mode="lines", line=no_line, hoverinfo="skip")
    figure.add_scatter(
        x=days, y=looks["high"], mode="lines", line=no_line, fill="tonexty", fillcolor=figures.faded(figures.ACCENT), hoverinfo="skip"
    )
    for bound in ("plain_low", "plain_high"):
        dashed = {"color": figures.GREY, "width": 1.5, "dash": "dash"}
        figure.add_scatter(x=days, y=looks[bound], mode="lines", line=dashed, hoverinfo="skip")
    figure.add_scatter(
        x=days,
        y=looks["uplift"],
        mode="lines",
        line={"color": figures.ACCENT, "width": 3},
        customdata=looks[["low", "high"]],
        hovertemplate="%{x}: %{y:+,.3~f} (%{customdata[0]:,.3~f} – %{customdata[1]:,.3~f})<extra></extra>",
    )
    figure.add_hline(y=0, line={"color": figures.GREY, "width": 1.5})
    place = looks.iloc[-1]
    for bound, text, color in (("high", t("however often one looks"), figures.ACCENT), ("plain_high", t("one look alone"), figures.GREY)):
        figures.add_label(figure, place["day"], float(place[bound]), text, color=color, anchor="right")
        figure.layout.annotations[-1].update(yshift=10)
    return figure


def ranking_dots(ranking: pd.DataFrame, *, campaign: str, arm: str, currency: str) -> go.Figure:
    """Return every campaign's money per person with chance taken out, best first, and hollow as measured; the chosen one in colour."""
    shown = ranking.head(MOST_SEGMENTS)
    is_chosen = ((shown["campaign"] == campaign) & (shown["arm"] == arm)).tolist()
    rows = []
    for row, name, chosen in zip(_each(shown), ranked_names(shown), is_chosen, strict=True):
        drawn, measured = (level_text(value, "money_per_customer", currency) for value in (row.shrunk_uplift, row.uplift))
        text, color = t("{drawn}, measured {measured}", drawn=drawn, measured=measured), figures.ACCENT if chosen else figures.GREY
        rows.append(_Row(name, text, row.shrunk_uplift, row.shrunk_low, row.shrunk_high, color))
    figure = _dots(rows, title=figures.money_title(t("Uplift per person"), currency), unit="money_per_customer")
    hollow = {"size": 9, "color": figures.GREY, "symbol": "diamond-open"}
    figure.add_scatter(x=shown["uplift"], y=np.arange(len(shown)), mode="markers", marker=hollow, hoverinfo="skip")
    figure.add_vline(x=float(shown["mean_uplift"].iloc[0]), line={"color": figures.GREY, "width": 1, "dash": "dot"})
    return figure


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dots(rows: list[_Row], *, title: str, unit: Unit) -> go.Figure:
    """Return `rows` from top to bottom, each with its name and text beside it, and a line at zero."""
    figure = figures.base(x_title=title, y_title="", x_unit=unit, height=_height(len(rows)))
    figure.add_vline(x=0, line={"color": figures.GREY, "width": 1.5})
    for place, row in enumerate(rows):
        figure.add_scatter(
            x=[row.value],
            y=[place],
            mode="markers",
            marker={"size": 13, "color": row.color, "symbol": "circle-open" if row.is_hollow else "circle", "opacity": row.opacity},
            error_x=_bounds([row], color=figures.faded(row.color, 0.65 * row.opacity)),
            customdata=[[safe_label(row.name), row.text]],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )
    _name_rows(figure, [_two_lines(row) for row in rows])
    if unit == "share":
        figure.update_xaxes(tickformat=".2~%")
    return figure


def _bounds(rows: list[_Row], *, color: str) -> dict[str, Any]:
    """Return the intervals of `rows` as error bars."""
    above, below = ([getattr(row, end) - row.value for row in rows] for end in ("high", "low"))
    return {"type": "data", "array": above, "arrayminus": [-way for way in below], "color": color, "thickness": 2.5, "width": 0}


def _each(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.itertuples()


def _name_rows(figure: go.Figure, labels: list[str]) -> None:
    edges = [len(labels) - 0.4, -0.6]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=edges, zeroline=False, showgrid=False, ticklabelstandoff=8
    )


def _two_lines(row: _Row) -> str:
    return f"{_short(row.name)}<br><span style='font-size:11px;color:{figures.GREY}'>{row.text}</span>"


def _short(name: str) -> str:
    return safe_label(name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…")


def _height(rows: int) -> int:
    return max(_LEAST_HEIGHT, 90 + ROW_HEIGHT * rows)


def _interval_text(value: float, low: float, high: float, *, unit: Unit, currency: str) -> str:
    shown = difference_text(value, unit, currency, signed=True)
    if is_unknown(low):
        return shown
    return t("{value} ({low} to {high})", value=shown, low=_bare(low, unit), high=_bare(high, unit))


def _bare(value: float, unit: Unit) -> str:
    """Return one end of an interval; points and currency are named once, at the value."""
    return f"{100 * value:,.2f}" if unit == "share" else level_text(value, unit, "")


def _difference_title(outcome: Any, unit: Unit, currency: str) -> str:
    label = t("{outcome},<br>treated less control", outcome=safe_label(outcome_label(outcome)))
    return figures.money_title(label, currency) if unit == "money_per_customer" else label
