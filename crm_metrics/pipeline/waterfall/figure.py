"""The pictures: the waterfall, period by period, the pipeline on a day and over time."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_text
from crm_metrics.language import t
from crm_metrics.metric import Unit, is_unknown, value_text
from crm_metrics.pipeline.waterfall.labels import GROUPS, STEPS, amount_text, stage_text
from crm_metrics.pipeline.waterfall.statistic import of_measure

_MOST_TICKS = 8
_UNITS: dict[str, Unit] = {"value": "money", "deals": "count"}
_ALWAYS = ("start", "created", "lost", "won", "end")
_COLORS = {"start": figures.GREY, "won": figures.ACCENT, "end": figures.GREY}
_GROUP_COLORS = {
    "created": figures.GOOD,
    "in": figures.SERIES[3],
    "won": figures.ACCENT,
    "lost": figures.BAD,
    "out": figures.GREY,
}


def waterfall_bars(rows: pd.DataFrame, *, measure: str, currency: str) -> go.Figure:
    """Return the steps from the pipeline before to that after; a click on a bar gives its step. rows: the table waterfall."""
    bars, level = [], 0.0
    for row in rows[rows["step"].isin(_ALWAYS) | rows[measure].fillna(0).ne(0)].itertuples():
        step, amount = str(row.step), float(getattr(row, measure))
        length = 0.0 if is_unknown(amount) else amount
        color = _COLORS.get(step, figures.BAD if length < 0 else figures.GOOD)
        base = 0.0 if row.is_total else level
        bars.append(figures.Bar(step, t(STEPS[step]), _step_text(row, amount, measure, currency), base, length, color))
        level = base + length
    return figures.steps(bars, title=_title(measure, currency), unit=_UNITS[measure])


def _step_text(row: Any, amount: float, measure: str, currency: str) -> str:
    signed = amount_text(amount, measure, currency)
    if amount > 0 and not row.is_total:
        signed = f"+{signed}"
    if measure == "deals":
        return signed
    if is_unknown(amount):
        signed = t("value unknown")
    return f"{signed} · {amount_text(row.behind, 'deals', '')}"


def _title(measure: str, currency: str) -> str:
    return figures.money_title(t("Value of the open deals"), currency) if measure == "value" else t("Open deals")


def period_bars(rows: pd.DataFrame, *, measure: str, currency: str) -> go.Figure:
    """Return what came in above zero and what left below it, period by period; unfinished ones hatched. rows: the table period_changes."""
    rows = of_measure(rows, measure)
    figure = figures.base(x_title=t("Beginning of the period"), y_title=_change_title(measure, currency), y_unit=_UNITS[measure])
    shapes = ["/" if unfinished else "" for unfinished in rows["is_unfinished"]]
    for group, color in _GROUP_COLORS.items():
        figure.add_bar(
            x=rows["bucket_on"],
            y=rows[group],
            name=t(GROUPS[group]),
            marker={"color": color, "pattern": {"shape": shapes, "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 6}},
            customdata=[
                [f"{day:%Y-%m-%d}", amount_text(value, measure, currency)]
                for day, value in zip(rows["bucket_on"], rows[group], strict=True)
            ],
            hovertemplate="%{x|%Y-%m-%d}: %{customdata[1]}<extra>%{fullData.name}</extra>",
        )
    return figure.update_layout(barmode="relative", showlegend=True)


def _change_title(measure: str, currency: str) -> str:
    return figures.money_title(t("Change in value"), currency) if measure == "value" else t("Change in deals")


def stage_bars(rows: pd.DataFrame, *, measure: str, currency: str) -> go.Figure:
    """Return the pipeline on a day, a bar for each stage. rows: the table pipeline_on."""
    bars = []
    for row in rows.itertuples():
        amount = float(getattr(row, measure))
        value = t("value unknown") if is_unknown(row.value) else value_text(row.value, "money", currency)  # type: ignore[arg-type]
        text = f"{value} · {amount_text(row.deals, 'deals', '')}"  # type: ignore[arg-type]
        length = 0.0 if is_unknown(amount) else amount
        bars.append(figures.Bar(str(row.stage), safe_text(stage_text(row.stage_name)), text, 0.0, length, figures.ACCENT))
    return figures.bars(bars, title=_title(measure, currency), unit=_UNITS[measure])


def trend_line(rows: pd.DataFrame, *, measure: str, currency: str) -> go.Figure:
    """Return the pipeline at the end of each period. rows: the table pipeline_trend."""
    figure = figures.base(x_title=t("End of the period"), y_title=_title(measure, currency), y_unit=_UNITS[measure])
    figures.add_line(figure, rows["ends_on"], rows[measure], name=_title(measure, currency), unfinished=rows["is_unfinished"])
    figure.update_traces(hovertemplate="%{x|%Y-%m-%d}: %{y:,.0f}<extra></extra>")
    ends = list(rows["ends_on"])
    figure.update_xaxes(tickvals=ends[:: len(ends) // _MOST_TICKS + 1], tickformat="%Y-%m-%d")  # else December's end stands at January
    figure.update_yaxes(rangemode="tozero")
    return figure
