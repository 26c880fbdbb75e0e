"""The findings in words, made from the tables; what stands beside the figures."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.periods import Grain
from crm_metrics.pipeline.waterfall.labels import GRAINS, MEASURES, STEPS, WINDOWS, amount_text
from crm_metrics.pipeline.waterfall.metrics import METRICS, PIPELINE_CHANGE
from crm_metrics.pipeline.waterfall.statistic import ADDITIONS, REDUCTIONS, of_measure

QUESTIONS: dict[str, str] = {
    "waterfall": noop("Waterfall"),
    "periods": noop("Period by period"),
    "day": noop("The pipeline on a day"),
    "trend": noop("Trend"),
}
OVER_TIME = ("periods", "trend")
ALT_TEXTS: dict[str, str] = {
    "waterfall": noop("Bars, each beginning where the one above ends: from the pipeline at the start to that at the end."),
    "periods": noop("Stacked bars over time: above zero what came into the pipeline, below zero what left it."),
    "day": noop("Bars: the open deals on that day, by stage."),
    "trend": noop("Line: the open deals at the end of each period."),
}
NOTES: dict[str, str] = {
    "waterfall": noop(
        "The pipeline: deals that are open, and expected to close in the window if one is chosen. Start + all steps = end, in deals and to "
        "the cent. Each deal is told by how it stood at the end of the day before the period and at the end of its last day. One that came "
        "and was won or lost in between is in both steps. A deal comes or goes with its value at the end (one that the filters no longer "
        "hold then: at the start); if it was there at the start with another value, the difference is in increased or decreased. Lost "
        "deals whose value is no longer known go with that at the start.\n\n"
        "Created: not there at the start. Reopened: closed at the start. Pulled in, pushed out: the expected closing moved into or out of "
        "the window, in either direction. Moved in, moved out: another owner, team or region, so that the filters hold the deal on one of "
        "the two days only. Deals of unknown value count as deals and not in sums."
    ),
    "periods": noop(
        "Each period is a waterfall of its own; the end of one is the start of the next. Other additions: reopened, pulled in, increased, "
        "moved in, value became known, created on an unknown day. Other reductions: decreased, pushed out, moved out, value removed. "
        "Hatched: the period is not over, or the dates cut it."
    ),
    "day": noop(
        "As the deals stood at the end of that day: nothing that happened later is in it. Overdue: expected to close before that day and "
        "still open."
    ),
    "trend": noop("The open deals at the end of each period, as they stood then. Hollow: the period is not over, or the dates cut it."),
}
_CAPTIONS = Captions(ALT_TEXTS, NOTES, {"waterfall": METRICS})
about = _CAPTIONS.about
_PARTS: dict[str, str] = {  # of the sentence
    "created": noop("{amount} created"),
    "won": noop("{amount} won"),
    "lost": noop("{amount} lost"),
    "undated": noop("{amount} created on an unknown day"),
    "reopened": noop("{amount} reopened"),
    "pulled_in": noop("{amount} pulled in"),
    "increased": noop("values increased by {amount}"),
    "decreased": noop("values decreased by {amount}"),
    "pushed_out": noop("{amount} pushed out"),
    "moved_in": noop("{amount} moved in from outside the filters"),
    "moved_out": noop("{amount} moved out of the filters"),
    "value_known": noop("{amount} became known"),
    "value_unknown": noop("{amount} removed from deals"),
}
_ALWAYS = ("created", "won", "lost")
_WORTH_SAYING = 0.05  # of the larger end: what is less is left out of the sentence, but for what stands in it always
_FEW_PERIODS = 2

# ── the reader's terms ──────────────────────────────────────────────────────────────────────────────────────────────────


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


def windows() -> dict[str, str]:
    """Return which open deals can make up the pipeline."""
    return translated(WINDOWS)


def measures(rows: pd.DataFrame) -> dict[str, str]:
    """Return what can be drawn, the usual first: deals where the value is unknown at the start or the end. rows: the table waterfall."""
    usual = "value" if _is_valued(rows) else "deals"
    return {name: t(MEASURES[name]) for name in sorted(MEASURES, key=lambda name: name != usual)}


def _is_valued(rows: pd.DataFrame) -> bool:
    return bool(rows.loc[rows["is_total"], "value"].notna().all())


def grains(usual: Grain) -> dict[str, str]:
    """Return how time can be cut, the usual way first."""
    return {name: t(GRAINS[name]) for name in sorted(GRAINS, key=lambda name: name != usual)}


def chosen_grain(name: str) -> Grain:
    """Return the grain of that name."""
    return cast("Grain", name)


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(rows: pd.DataFrame, basis: pd.DataFrame | None = None, *, currency: str) -> str:
    """Return how the pipeline changed and by what. rows, basis: the tables waterfall and waterfall_basis."""
    if basis is not None and len(basis) and basis["before_on"].iloc[0] == basis["ends_on"].iloc[0]:
        return t(
            "The period begins after {day}, and nothing later is looked at: change one of them.", day=date_text(basis["ends_on"].iloc[0])
        )
    steps = {str(row.step): row for row in rows.itertuples()}
    if not rows["behind"].any():
        return t("No deal was in the pipeline on these days.")
    measure = "value" if _is_valued(rows) else "deals"
    amounts = {step: float(cast("Any", getattr(row, measure))) for step, row in steps.items()}
    least = _WORTH_SAYING * max(amounts["start"], amounts["end"])
    others = [step for step in (*ADDITIONS, *REDUCTIONS) if abs(amounts[step]) > least]
    told = [step for step in _ALWAYS if abs(amounts[step]) > 0] + others  # not what is unknown
    parts = [t(_PARTS[step], amount=amount_text(abs(amounts[step]), measure, currency)) for step in told]
    values = {"start": _level(steps["start"], measure, currency), "end": _level(steps["end"], measure, currency)}
    change = amounts["end"] - amounts["start"]
    text = noop("The pipeline grew from {start} to {end}") if change > 0 else noop("The pipeline fell from {start} to {end}")
    said = t(text, **values) if change else t("The pipeline is as large as at the start: {end}", **values)
    return said + (t(": ") + t(", ").join(parts) if parts else "") + t(".")


def _level(row: Any, measure: str, currency: str) -> str:
    deals = amount_text(float(row.deals), "deals", currency)
    if measure == "deals":
        return deals
    return t("{value} ({deals})", value=value_text(row.value, "money", currency), deals=deals)


def tile_notes(tiles: pd.DataFrame) -> dict[str, str]:
    """Return how many deals each tile is about, by metric. tiles: the table waterfall_tiles."""
    told = tiles[tiles["metric"] != PIPELINE_CHANGE.name]
    return {metric: amount_text(n, "deals", "") for metric, n in zip(told["metric"], told["n"], strict=True)}


def basis_note(basis: pd.DataFrame) -> str:
    """Return the days, and what is missing. basis: the table waterfall_basis."""
    if basis.empty:
        return ""
    row, texts = basis.iloc[0], []
    texts.append(t("From the end of {before} to the end of {end}.", before=date_text(row.before_on), end=date_text(row.ends_on)))
    if not is_unknown(row.window_from):
        values = {"first": date_text(row.window_from), "last": date_text(row.window_to)}
        texts.append(t("In the pipeline: open deals expected to close from {first} to {last}.", **values))
    if row.later or row.earlier:
        values = {"later": f"{row.later:,}", "earlier": f"{row.earlier:,}"}
        texts.append(
            t("Of the deals open on both days {later} are expected to close later than at the start, {earlier} earlier.", **values)
        )
    if row.unknown:
        values = {"n": f"{row.unknown:,}", "all": f"{row.behind:,}"}
        texts.append(
            t(
                "The value of {n} of the {all} deals is unknown on one of the days: they are counted, but not in the sums of that day.",
                **values,
            )
        )
    if row.undated:
        texts.append(t("Deals without a day of creation are seen from the last day of the data on ({n}).", n=f"{row.undated:,}"))
    if not row.with_history:
        texts.append(
            t(
                "These data hold no history of the deals: what they were worth, in which stage and when expected to close on past days is "
                "unknown. An import of the history of changes would add increased, decreased, pushed out, reopened and moved."
            )
        )
    return t(" ").join(texts)


def chosen_step(rows: pd.DataFrame, picked: Sequence[str], chosen: Sequence[int]) -> str:
    """Return the step that was clicked in the figure, else in the table; '' if none was. rows: those of the table."""
    return str(picked[0]) if picked else str(rows["step"].iloc[chosen[0]]) if chosen else ""


def step_heading(step: str, deals: pd.DataFrame) -> str:
    """Return the heading of the deals behind a bar."""
    return t("{step}: {deals}", step=t(STEPS[step]), deals=amount_text(len(deals), "deals", ""))


def periods_finding(rows: pd.DataFrame, *, measure: str, currency: str) -> str:
    """Return in which whole period the pipeline grew and fell most. rows: the table period_changes."""
    found = of_measure(rows, measure)
    whole = found[~found["is_unfinished"].astype(bool)]
    change = (whole["end"] - whole["start"]).astype(float).dropna()
    if len(change) < _FEW_PERIODS:
        return t("Fewer than two whole periods lie within the dates: choose a longer one, or cut it finer.")
    grown = int((change > 0).sum())
    best, worst = (whole["bucket_on"].loc[change.index[int(at)]].date() for at in (change.argmax(), change.argmin()))
    return t(
        "The pipeline grew in {grown} of {n} whole periods; most from {best} on ({high}), least from {worst} on ({low}).",
        grown=f"{grown:,}",
        n=f"{len(change):,}",
        best=date_text(best),
        high=_signed(float(change.max()), measure, currency),
        worst=date_text(worst),
        low=_signed(float(change.min()), measure, currency),
    )


def _signed(value: float, measure: str, currency: str) -> str:
    return ("+" if value > 0 else "") + amount_text(value, measure, currency)


def day_finding(rows: pd.DataFrame, basis: pd.DataFrame, day: date | None, *, currency: str) -> str:
    """Return how large the pipeline was on a day, and how much of it was overdue. The tables pipeline_on, waterfall_basis."""
    day = day or basis["ends_on"].iloc[0].date()
    deals, overdue, value = int(rows["deals"].sum()), int(rows["overdue"].sum()), rows["value"].sum(min_count=1)
    if not deals:
        return t("No deal was open at the end of {day}.", day=date_text(day))
    values = {"day": date_text(day), "deals": amount_text(deals, "deals", ""), "overdue": f"{overdue:,}"}
    if is_unknown(value):
        return t("At the end of {day}: {deals}, of unknown value; the expected closing of {overdue} was past.", **values)
    money = value_text(float(value), "money", currency)
    return t("At the end of {day}: {deals} worth {value}; the expected closing of {overdue} was past.", value=money, **values)


def trend_finding(rows: pd.DataFrame, *, measure: str, currency: str) -> str:
    """Return when the pipeline was largest and smallest. rows: the table pipeline_trend."""
    known = rows[rows[measure].notna()].reset_index(drop=True)
    if known.empty:
        return t("The value of the deals on past days is unknown.")
    high, low, last = (known.iloc[at] for at in (int(known[measure].argmax()), int(known[measure].argmin()), -1))
    return t(
        "The pipeline ends at {last}; at the ends of the periods it was largest on {high_on} ({high}) and smallest on {low_on} ({low}).",
        last=amount_text(float(last[measure]), measure, currency),
        high_on=date_text(high["ends_on"].date()),
        high=amount_text(float(high[measure]), measure, currency),
        low_on=date_text(low["ends_on"].date()),
        low=amount_text(float(low[measure]), measure, currency),
    )
