"""The pictures of people, and of before and after."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.figures import ACCENT, BAD, GOOD, GREY, Bar
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import t
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.pipeline.people.labels import BETTER, difference_text, factor_text, in_words, measure_label, person_key, side_text

MOST_DRAWN = 25  # people; the table holds all
_ROW_HEIGHT, _MARGIN = 38, 130
_FADED = 0.45
_FEW_TICKS = 6  # amounts stand upright on a phone
_TICKS = (0.1, 0.5, 1, 2, 5, 10)
_MANY_TICKS = (0.5, 0.7, 1, 1.4, 2)

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def win_rate_dots(rows: pd.DataFrame) -> go.Figure:
    """Return the shrunk win rate of each person or team with its interval, the best first; a ring where the rate itself lies.

    rows: the tables `people_detail` or `teams_detail`. First in the customdata: labels.person_key.
    """
    shown = in_words(rows[rows["rank"].notna()].head(MOST_DRAWN))
    title = t("Win rate of closed deals, %")
    figure = figures.base(x_title=title, y_title="", x_unit="share", height=_MARGIN + _ROW_HEIGHT * max(len(shown), 2))
    if not len(shown):
        return figure
    rate, low, high, raw = (
        shown[name].to_numpy(dtype=float) for name in ("win_rate_shrunk", "shrunk_low", "shrunk_high", "win_rate_of_closed")
    )
    closed = shown["won"] + shown["lost"]
    places = np.arange(len(shown))
    color = np.where(shown["is_different"], np.where(rate > _overall(rows), GOOD, BAD), ACCENT)
    hovers = [[person_key(row), _win_hover(row)] for row in shown.to_dict("records")]
    options: dict[str, Any] = {"mode": "markers", "y": places, "customdata": hovers, "hovertemplate": "%{customdata[1]}<extra></extra>"}
    ring = {"size": 9, "symbol": "circle-open", "color": GREY, "line": {"width": 1.5}}
    figure.add_scatter(x=raw, marker=ring, name=t("The rate itself"), **options)
    figure.add_scatter(
        x=rate,
        name=t("Drawn to the rate of all (95%)"),
        marker={"size": 11, "color": color, "opacity": np.where(closed < FEW_CUSTOMERS, _FADED, 1.0)},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - rate,
            "arrayminus": rate - low,
            "width": 0,
            "color": GREY,
            "thickness": 1.5,
        },
        **options,
    )
    figure.add_vline(x=_overall(rows), line={"color": GREY, "width": 1, "dash": "dot"})
    figures.add_label(figure, _overall(rows), -0.75, t("all together {rate}", rate=value_text(_overall(rows), "share")))
    names = [
        _two_lines(row["name"], t("{won} of {n} closed", won=f"{row['won']:,.0f}", n=f"{row['won'] + row['lost']:,.0f}"))
        for row in shown.to_dict("records")
    ]
    _name_rows(figure, names, top=1.1)
    figure.update_layout(showlegend=True)
    return figure


def _overall(rows: pd.DataFrame) -> float:
    won, lost = rows["won"].sum(), rows["lost"].sum()
    return float(won / (won + lost))


def _win_hover(row: dict[Any, Any]) -> str:
    values = {"low": value_text(row["shrunk_low"], "share"), "high": value_text(row["shrunk_high"], "share")}
    drawn = t("shrunk {rate} (95%: {low} to {high})", rate=value_text(row["win_rate_shrunk"], "share"), **values)
    raw = t("{won} of {n} closed", won=f"{row['won']:,.0f}", n=f"{row['won'] + row['lost']:,.0f}")
    return f"<b>{safe_label(row['name'])}</b><br>{raw}: {value_text(row['win_rate_of_closed'], 'share')}<br>{drawn}"


def _two_lines(name: str, text: str) -> str:
    return f"{safe_label(name)}<br><span style='font-size:11px;color:{GREY}'>{safe_label(text)}</span>"


def _name_rows(figure: go.Figure, names: list[str], *, top: float = 0.6) -> None:
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -top], showgrid=False, zeroline=False)


def change_dots(rows: pd.DataFrame, cases: pd.DataFrame) -> go.Figure:
    """Return each measure after the go-live as a multiple of before, with its interval; beside it the published cases, in grey.

    rows, cases: the tables before_after and cases. Green: better beyond chance, red: worse, hollow: may be chance.
    """
    shown = rows[rows["factor"] > 0].reset_index(drop=True)
    figure = figures.base(x_title=t("After ÷ before (95%)"), y_title="", height=_MARGIN + _ROW_HEIGHT * max(len(shown), 2))
    factor, low, high = (shown[name].to_numpy(dtype=float) for name in ("factor", "factor_low", "factor_high"))
    color = np.array([_color(row) for row in shown.to_dict("records")], dtype=object)
    figure.add_vline(x=1, line={"color": GREY, "width": 1})
    published = cases[cases["measure"].isin(shown["measure"]) & cases["factor"].notna()]
    figure.add_scatter(
        x=published["factor"],
        y=published["measure"].map({name: place for place, name in enumerate(shown["measure"])}),
        mode="markers",
        name=t("Published case"),
        marker={"size": 12, "symbol": "diamond-open", "color": GREY, "line": {"width": 1.5}},
        customdata=[[f"{safe_label(t(row['company']))}: {_change(row)}"] for row in published.to_dict("records")],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    figure.add_scatter(
        x=factor,
        y=np.arange(len(shown)),
        mode="markers",
        showlegend=False,
        marker={"size": 10, "color": np.where(color == GREY, "rgba(0,0,0,0)", color), "line": {"color": color, "width": 2}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - factor,
            "arrayminus": factor - low,
            "width": 0,
            "color": GREY,
            "thickness": 1.5,
        },
        customdata=[[_change_hover(row)] for row in shown.to_dict("records")],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    _name_rows(figure, [_two_lines(measure_label(row["measure"]), _change(row) + _verdict(row)) for row in shown.to_dict("records")])
    ticks = _ticks_within(np.concatenate([low, high, factor, published["factor"].to_numpy(dtype=float)]))
    figure.update_xaxes(type="log", tickvals=list(ticks), ticktext=[f"×{tick:g}" for tick in ticks], tickangle=0)
    figure.update_layout(showlegend=bool(len(published)))
    return figure


def _ticks_within(values: np.ndarray) -> tuple[float, ...]:
    known = values[np.isfinite(values) & (values > 0)]
    return _MANY_TICKS if len(known) and known.min() > _MANY_TICKS[0] * 0.9 and known.max() < _MANY_TICKS[-1] * 1.1 else _TICKS


def _color(row: dict[Any, Any]) -> str:
    if is_unknown(row["factor_low"]) or row["factor_low"] <= 1 <= row["factor_high"]:
        return GREY
    return GOOD if (row["factor"] > 1) == (BETTER[row["measure"]] == "higher") else BAD


def _verdict(row: dict[Any, Any]) -> str:
    color = _color(row)  # in words as well: not every reader tells green from red
    return "" if color == GREY else t(", ") + (t("better") if color == GOOD else t("worse"))


def _change(row: dict[Any, Any]) -> str:
    before, after = (value_text(row[side], row["unit"]) for side in ("before", "after"))
    return f"{before} → {after} (×{row['factor']:.2f})"


def _change_hover(row: dict[Any, Any]) -> str:
    lines = [
        f"<b>{measure_label(row['measure'])}</b>",
        t("before: {value}", value=side_text(row, "before")),
        t("after: {value}", value=side_text(row, "after")),
        t("change: {value}", value=difference_text(row["change"], row["unit"])),
        factor_text(row),
    ]
    return "<br>".join(lines)


def entry_lines(rows: pd.DataFrame, *, go_live_on: date | None) -> go.Figure:
    """Return mean and median minutes to enter an order by month, with the day of the go-live. rows: the table order_entry."""
    figure = figures.base(x_title=t("Month of the order"), y_title=t("Minutes from begin of entry to booking"), height=figures.SMALL_HEIGHT)
    months = rows["month_on"].to_numpy()
    figures.add_line(figure, months, rows["mean_minutes"], name=t("mean"), color=GREY)
    figures.add_line(figure, months, rows["median_minutes"], name=t("median"))
    figure.update_yaxes(rangemode="tozero")
    for name, column, color in ((t("mean"), "mean_minutes", GREY), (t("median"), "median_minutes", ACCENT)):
        figures.add_label(figure, months[0], float(rows[column].iloc[0]), name, color=color, anchor="right")
    if go_live_on:
        figure.add_vline(x=pd.Timestamp(go_live_on).timestamp() * 1000, line={"color": GREY, "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=go_live_on, y=1, yref="paper", text=t("go-live"), showarrow=False, xanchor="left", xshift=6, font={"color": GREY}
        )
    return figure


def overdue_bars(tasks: pd.DataFrame) -> go.Figure:
    """Return the overdue tasks of each person, most first. tasks: the table tasks_overdue."""
    found = in_words(tasks).groupby(["employee_id", "name"], dropna=False)["days_overdue"].agg(["size", "median"]).reset_index()
    shown = found.sort_values(["size", "name"], ascending=[False, True]).head(MOST_DRAWN)
    bars = [
        Bar(
            str(key),
            safe_label(name),
            t("{n} tasks, median {days}", n=f"{n:,}", days=value_text(days, "days")),
            0.0,
            n,
            ACCENT,
        )
        for key, name, n, days in shown.itertuples(index=False, name=None)
    ]
    return figures.bars(bars, title=t("Overdue tasks"), unit="count")


def velocity_bars(rows: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return the velocity of each person with its interval and four factors, the fastest first. rows: the table velocity.

    Faded and without interval, which would hide all others: fewer than FEW_CUSTOMERS closed deals.
    """
    known = in_words(rows[rows["velocity"].notna() & ~rows["is_all"]].head(MOST_DRAWN))
    is_small = (known["closed"] < FEW_CUSTOMERS).to_numpy(dtype=bool)
    bars = [
        Bar(str(row["employee_id"]), safe_label(row["name"]), _short_factors(row), 0.0, float(row["velocity"]), ACCENT)
        for row in known.to_dict("records")
    ]
    figure = figures.bars(bars, title=figures.money_title(t("Velocity a day, 95%"), currency), unit="money")
    value, low, high = (known[name].to_numpy(dtype=float) for name in ("velocity", "velocity_low", "velocity_high"))
    has_bounds = np.isfinite(low) & np.isfinite(high) & ~is_small
    error = {"array": np.where(has_bounds, high - value, 0.0), "arrayminus": np.where(has_bounds, value - low, 0.0)}
    opacity = np.where(is_small, _FADED, 1.0)
    figure.update_xaxes(nticks=_FEW_TICKS)
    figure.update_traces(marker_opacity=opacity, error_x={"type": "data", "symmetric": False, "color": GREY, "thickness": 1.5, **error})
    return figure


def _short_factors(row: Any) -> str:
    rate, days = value_text(row["win_rate_of_closed"], "share"), value_text(row["days_to_win"], "days")
    return f"{row['open_deals']:,.0f} × {row['value_per_won_deal']:,.0f} × {rate} ÷ {days}"


def factors_text(row: Any, currency: str) -> str:
    """Return the four factors of a velocity in words."""
    return t(
        "{deals} open × {value} × {rate} ÷ {days}",
        deals=f"{row['open_deals']:,.0f}",
        value=value_text(row["value_per_won_deal"], "money", currency),
        rate=value_text(row["win_rate_of_closed"], "share"),
        days=value_text(row["days_to_win"], "days"),
    )
