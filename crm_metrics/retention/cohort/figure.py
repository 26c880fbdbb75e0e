"""The pictures of the cohorts."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from babel.numbers import format_compact_decimal

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import date_text, locale, t
from crm_metrics.metric import value_text
from crm_metrics.retention.cohort.labels import AGE_TITLES, age_text, cell_key, cohort_name, rate_title
from crm_metrics.retention.cohort.terms import CohortTerms

MOST_ROWS, MOST_COLUMNS = 24, 25  # of the map; the table holds all
_PALEST, _DARKEST = 0.12, 0.62  # of a field: any darker, and neither light nor dark letters can be read on it
_FADED = 0.3
_ROW_HEIGHT, _MARGIN = 25, 70
_WIDE = 14  # columns, above which letters are smaller
_WHOLE_FROM, _LONG_FROM = 10, 1000  # of money in a field
_LONGEST_NAME = 22  # letters of a group
_MOST_TESTED = 40

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cohort_map(rows: pd.DataFrame, average: pd.DataFrame, terms: CohortTerms, *, currency: str) -> go.Figure:
    """Return a row per cohort and a column per age: the rate, the darker the higher; all together first.

    rows, average: the tables `cohorts` and `cohort_average`. Unfinished cells are hatched, small ones faded and without a rate. Periods
    the latest MOST_ROWS, groups the largest. First in the customdata: age and cohort ("": all), as words.chosen_cell reads them.
    """
    shown = _shown(rows, average, terms)
    names = shown.drop_duplicates("cohort")[["cohort", "cohort_customers"]]
    places = {cohort: place for place, cohort in enumerate(names["cohort"])}
    figure = figures.base(x_title=t(AGE_TITLES[terms.grain]), y_title="", height=_MARGIN + _ROW_HEIGHT * max(len(places), 1))
    if not len(shown):
        return figure
    at, rate = shown["cohort"].map(places).to_numpy(dtype=float), shown["rate"].to_numpy(dtype=float)
    figure.add_bar(
        x=shown["age"],
        y=np.full(len(shown), 0.9),
        base=at - 0.45,
        width=0.94,
        marker={
            "color": figures.ACCENT,
            "opacity": _opacities(shown, rate, terms),
            "pattern": {"shape": np.where(shown["is_unfinished"], "/", ""), "size": 6, "solidity": 0.25, "fgcolor": figures.GREY},
        },
        customdata=[
            [cell_key(age, cohort), hover]
            for age, cohort, hover in zip(shown["age"], shown["cohort"], _hovers(shown, terms, currency), strict=True)
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    columns = int(shown["age"].max()) + 1
    figure.add_scatter(
        x=shown["age"],
        y=at,
        mode="text",
        text=[_field_text(*each, terms) for each in zip(rate, shown["is_small"], strict=True)],
        textfont={"size": 11 if columns <= _WIDE else 9},
        unselected={"textfont": {"color": figures.GREY}},
        hoverinfo="skip",
    )
    labels = [_row_label(cohort, n, terms) for cohort, n in names.itertuples(index=False, name=None)]
    figure.update_yaxes(tickvals=list(places.values()), ticktext=labels, range=[len(places) - 0.45, -0.55], showgrid=False, zeroline=False)
    figure.update_xaxes(range=[-0.5, columns - 0.5], dtick=1 if columns <= _WIDE else 2, side="top", tickangle=0)
    return figure


def _shown(rows: pd.DataFrame, average: pd.DataFrame, terms: CohortTerms) -> pd.DataFrame:
    """Return the cells of the map: those of all cohorts together, then of each."""
    order = rows["cohort"].drop_duplicates()
    kept = order.tail(MOST_ROWS) if terms.is_of_periods else order.head(MOST_ROWS)
    every = average.assign(cohort="", is_unfinished=False, cohort_customers=rows.drop_duplicates("cohort")["cohort_customers"].sum())
    columns = ["cohort", "age", "cohort_customers", "customers", "value", "rate", "low", "high", "is_unfinished", "is_small"]
    cells = rows.loc[rows["cohort"].isin(kept), columns]
    latest = cells["age"].max() if len(cells) else -1
    made = pd.concat([every.loc[every["age"] <= latest, columns], cells], ignore_index=True)
    return made[made["age"] < MOST_COLUMNS].reset_index(drop=True)


def _opacities(shown: pd.DataFrame, rate: Any, terms: CohortTerms) -> Any:
    """Return how dark each field is; the darkest is the highest rate after the first period, which is 100% or more than any other."""
    counts = ~shown["is_small"] & ((shown["age"] > 0) | (terms.mode == "on_or_before"))
    most = np.nanmax(np.where(counts & np.isfinite(rate), rate, 0.0), initial=1e-9)
    depth = np.clip(np.nan_to_num(rate) / most, 0, 1)
    return (_PALEST + (_DARKEST - _PALEST) * depth) * np.where(shown["is_small"], _FADED, 1)


def _field_text(rate: float, is_small: bool, terms: CohortTerms) -> str:
    if is_small or not np.isfinite(rate):
        return ""
    if terms.unit == "share":
        return f"{rate * 100:.0f}"
    if abs(rate) >= _LONG_FROM:
        return str(format_compact_decimal(rate, fraction_digits=1, locale=locale()))
    return f"{rate:.0f}" if abs(rate) >= _WHOLE_FROM else f"{rate:.1f}"


def _row_label(cohort: str, customers: float, terms: CohortTerms) -> str:
    is_week = cohort and terms.is_of_periods and terms.grain == "week"  # its first day is enough beside a row
    name = date_text(date.fromisoformat(cohort)) if is_week else cohort_name(cohort, terms)
    name = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"
    label = f"{safe_label(name)} · {customers:,.0f}"
    return label if cohort else f"<b>{label}</b>"


def _hovers(shown: pd.DataFrame, terms: CohortTerms, currency: str) -> list[str]:
    rows: Any = shown.itertuples()
    return [_hover(row, terms, currency) for row in rows]


def _hover(row: Any, terms: CohortTerms, currency: str) -> str:
    lines = [f"<b>{safe_label(cohort_name(row.cohort, terms))}, {age_text(row.age, terms)}</b>"]
    if terms.measure == "customers":
        lines.append(t("{value} of {n} customers", value=f"{row.value:,.0f}", n=f"{row.customers:,.0f}"))
    else:
        value = value_text(row.value, "money", currency)
        lines.append(t("{value} from {n} customers", value=value, n=f"{row.customers:,.0f}"))
    if row.is_small:
        lines.append(t("too few customers for a rate"))
    elif np.isfinite(row.low):
        low, high = (value_text(bound, "share") for bound in (row.low, row.high))
        lines.append(t("{rate} (95%: {low} to {high})", rate=value_text(row.rate, terms.unit, currency), low=low, high=high))
    else:
        lines.append(value_text(row.rate, terms.unit, currency))
    if row.is_unfinished:
        lines.append(t("the period is not over: so far"))
    return "<br>".join(lines)


# ── one curve, one age ──────────────────────────────────────────────────────────────────────────────────────────────────


def average_curve(average: pd.DataFrame, rows: pd.DataFrame, terms: CohortTerms, *, beside: Sequence[str] = (), currency: str) -> go.Figure:
    """Return the pooled curve with its band, and the curves of the cohorts `beside` it.

    average, rows: the tables `cohort_average` and `cohorts`. Ages of fewer than FEW_CUSTOMERS are not drawn; unfinished
    ones of a cohort are dashed.
    """
    figure = figures.base(x_title=t(AGE_TITLES[terms.grain]), y_title=rate_title(terms, currency), y_unit=terms.unit)
    drawn = _readable(average, terms)
    figure.add_scatter(
        x=pd.concat([drawn["age"], drawn["age"][::-1]]),
        y=pd.concat([drawn["high"], drawn["low"][::-1]]),
        fill="toself",
        fillcolor=figures.faded(figures.ACCENT),
        mode="none",
        hoverinfo="skip",
    )
    for color, cohort in zip(figures.SERIES[1:], beside, strict=False):
        kept = _readable(rows[rows["cohort"] == cohort], terms)
        if len(kept):
            name = safe_label(cohort_name(cohort, terms))
            figures.add_line(figure, kept["age"], kept["rate"], name=name, color=color, unfinished=kept["is_unfinished"])
            figures.add_label(figure, kept["age"].iloc[-1], kept["rate"].iloc[-1], name, color=color)
    figures.add_line(figure, drawn["age"], drawn["rate"], name=t("All"), color=figures.ACCENT)
    if len(drawn):
        figures.add_label(figure, drawn["age"].iloc[-1], drawn["rate"].iloc[-1], t("All"), color=figures.ACCENT)
        figure.update_xaxes(range=[float(drawn["age"].iloc[0]) - 0.3, float(drawn["age"].max()) * 1.1 + 0.3])
    figure.update_traces(hovertemplate=_point_hover(terms), selector={"mode": "lines+markers"})
    figure.update_yaxes(rangemode="tozero")
    return figure


def _readable(rows: pd.DataFrame, terms: CohortTerms) -> pd.DataFrame:
    """Return the ages that a rate is read of; without the first, in which all of a cohort bought."""
    starts_at = 0 if terms.mode == "on_or_before" or terms.unit != "share" else 1
    return rows[~rows["is_small"] & (rows["age"] >= starts_at) & rows["rate"].notna()]


def _point_hover(terms: CohortTerms) -> str:
    return "%{x}: %{y:.1%}<extra>%{fullData.name}</extra>" if terms.unit == "share" else "%{x}: %{y:,.2f}<extra>%{fullData.name}</extra>"


def trend_figure(trend: pd.DataFrame, terms: CohortTerms, *, currency: str) -> go.Figure:
    """Return the rate of one age over the cohorts with their intervals, and the rate of all together as a grey line.

    trend: the table `cohort_trend`. Small cohorts are faded, unfinished ones hollow. Groups stand under each other, the best first.
    """
    if not terms.is_of_periods:
        return _groups_figure(trend, terms, currency)
    figure = figures.base(x_title=t("Period of the first purchase"), y_title=rate_title(terms, currency), y_unit=terms.unit)
    days, rate = trend["cohort_on"], trend["rate"].to_numpy(dtype=float)
    hollow, average = trend["is_unfinished"].to_numpy(dtype=bool), trend["average"].iloc[0] if len(trend) else np.nan
    if np.isfinite(average):
        figure.add_hline(y=average, line={"color": figures.GREY, "width": 1.5, "dash": "dot"})
    line = {"color": figures.faded(figures.ACCENT, 0.45), "width": 1.5}  # ends where periods are not over
    figure.add_scatter(x=days, y=np.where(hollow, np.nan, rate), mode="lines", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=days,
        y=rate,
        mode="markers",
        marker=_markers(trend, hollow),
        error_y=_errors(trend, rate),
        customdata=[[_hover(row, terms, currency)] for row in trend.itertuples()],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    if np.isfinite(average):
        text = t("Dotted: all cohorts, {rate}", rate=value_text(average, terms.unit, currency))
        figures.add_label(figure, 0, 1.0, text)  # above the plot: on the line the points of the last cohorts would cross it
        figure.layout.annotations[-1].update(xref="paper", yref="paper", xshift=0, yanchor="bottom")
        figure.update_layout(margin={"t": 30})
    figure.update_yaxes(rangemode="tozero")
    return figure


def _markers(rows: pd.DataFrame, hollow: Any) -> dict[str, Any]:
    return {
        "size": 8,
        "color": np.where(hollow, "rgba(0,0,0,0)", figures.ACCENT),
        "opacity": np.where(rows["is_small"], _FADED, 1.0),
        "line": {"color": figures.ACCENT, "width": 1.8},
    }


def _errors(rows: pd.DataFrame, rate: Any) -> dict[str, Any]:
    low, high = (rows[name].to_numpy(dtype=float) for name in ("low", "high"))
    color = figures.faded(figures.ACCENT, 0.45)
    return {
        "type": "data",
        "symmetric": False,
        "array": high - rate,
        "arrayminus": rate - low,
        "width": 0,
        "thickness": 1.5,
        "color": color,
    }


def _groups_figure(trend: pd.DataFrame, terms: CohortTerms, currency: str) -> go.Figure:
    kept = trend.head(MOST_ROWS).sort_values(["is_small", "rate"], ascending=[True, False], kind="stable")
    figure = figures.base(
        x_title=rate_title(terms, currency), y_title="", x_unit=terms.unit, height=_MARGIN + (_ROW_HEIGHT + 3) * max(len(kept), 2)
    )
    rate, rows = kept["rate"].to_numpy(dtype=float), np.arange(len(kept))
    figure.add_scatter(
        x=rate,
        y=rows,
        mode="markers",
        marker=_markers(kept, np.zeros(len(kept), dtype=bool)),
        error_x=_errors(kept, rate),
        customdata=[[_hover(row, terms, currency)] for row in kept.itertuples()],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    if len(kept) and np.isfinite(kept["average"].iloc[0]):
        figure.add_vline(x=kept["average"].iloc[0], line={"color": figures.GREY, "width": 1.5, "dash": "dot"})
    _name_rows(figure, kept, terms)
    figure.update_xaxes(rangemode="tozero")
    return figure


def difference_dots(test: pd.DataFrame, terms: CohortTerms, *, currency: str) -> go.Figure:
    """Return how far each cohort's rate is from that of all the others, with intervals; filled where it is more than luck.

    test: the table `cohort_test`. Not drawn: cohorts of too few customers; of many the latest, of groups the largest.
    """
    known = test[~test["is_small"]]
    kept = known.tail(_MOST_TESTED)[::-1] if terms.is_of_periods else known.head(_MOST_TESTED)
    title = t("Difference from the others, percentage points")
    figure = figures.base(x_title=title, y_title="", height=_MARGIN + (_ROW_HEIGHT - 3) * max(len(kept), 2))
    points, low, high = (kept[name].to_numpy(dtype=float) * 100 for name in ("difference", "difference_low", "difference_high"))
    is_different = kept["is_different"].to_numpy(dtype=bool)
    color = np.where(is_different, np.where(points > 0, figures.GOOD, figures.BAD), figures.GREY)
    errors = {"type": "data", "symmetric": False, "array": high - points, "arrayminus": points - low, "width": 0, "color": figures.GREY}
    figure.add_scatter(
        x=points,
        y=np.arange(len(kept)),
        mode="markers",
        marker={"size": 9, "color": np.where(is_different, color, "rgba(0,0,0,0)"), "line": {"color": color, "width": 1.8}},
        error_x=errors | {"thickness": 1.5},
        customdata=[[_hover(row, terms, currency)] for row in kept.itertuples()],
        hovertemplate="%{customdata[0]}<br>%{x:+.1f}<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": figures.GREY, "width": 1})
    _name_rows(figure, kept, terms)
    return figure


def _name_rows(figure: go.Figure, rows: pd.DataFrame, terms: CohortTerms) -> None:
    labels = [_row_label(cohort, customers, terms) for cohort, customers in zip(rows["cohort"], rows["customers"], strict=True)]
    places = list(range(len(rows)))
    figure.update_yaxes(tickvals=places, ticktext=labels, range=[len(rows) - 0.4, -0.6], zeroline=False)
