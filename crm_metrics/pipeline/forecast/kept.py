"""The forecasts that were kept, against what came.

A forecast is kept only where the reader stands on the last day of the data: it was said before the rest was known, which a forecast that
is made again for an earlier day was not.
"""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd

from crm_metrics import workspace
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.pipeline.deals.days import deal_days, last_day
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.forecast import scoring
from crm_metrics.pipeline.forecast.basis import Asked, asked, forecast_basis, made
from crm_metrics.pipeline.forecast.terms import THIS_QUARTER, ForecastTerms

METHOD = "simulation"


def choice_of(filters: Filters, deals: DealTerms) -> str:
    """Return which deals are in view as text, the reader's scope included; "" is all of the company.

    >>> choice_of(Filters(region=("North",)), ALL_DEALS)
    '{"region": ["North"]}'
    """
    shared = {"region": filters.region, "category": filters.category, "segment": tuple(one.name for one in filters.segments)}
    chosen = {name: list(values) for name, values in (shared | asdict(deals) | {"scope": filters.scope.regions}).items() if values}
    return json.dumps(chosen, ensure_ascii=False, sort_keys=True) if chosen else ""


def can_be_kept(source: Source, filters: Filters) -> bool:
    """Return whether the reader stands on the last day of the data."""
    days = deal_days(source, filters)
    return days is not None and days.on is None


def is_kept(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> bool:
    """Return whether the forecast of this day, quarter and choice is kept already."""
    state = forecast_basis(source, filters, deals, terms).iloc[0]
    log = workspace.kept_forecasts(source.data_set)
    same = (log["choice"] == choice_of(filters, deals)) & (log["made_on"] == state["today"]) & (log["quarter_on"] == state["start_on"])
    return bool(same.any())


def keep(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> None:
    """Keep the forecast; nothing where there is none."""
    found = made(source, filters, deals, terms)
    if found is None:
        return
    state = forecast_basis(source, filters, deals, terms).iloc[0]
    low, middle, high = np.quantile(found.runs, [0.1, 0.5, 0.9])
    quota = float(state["quota"])
    said = workspace.KeptForecast(
        made_on=state["today"].date(),
        quarter_on=state["start_on"].date(),
        choice=choice_of(filters, deals),
        method=METHOD,
        mean_value=float(found.runs.mean()),
        median_value=float(middle),
        low_value=float(low),
        high_value=float(high),
        quota_value=quota,
        chance_of_quota=float((found.runs >= quota).mean()) if quota > 0 else float("nan"),
        data_version=source.version,
    )
    workspace.keep_forecast(source.data_set, said)


def forecast_log(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per forecast of the deals in view that was kept by today.

    quarter_on, made_on, method, forecast (median), mean, low, high (80%), quota, chance_of_quota, data_version, made_at, actual (NaN until
    the quarter is over), error ((forecast - actual) / actual), is_inside (of the band; empty until then).
    """
    log = workspace.kept_forecasts(source.data_set)
    is_known = (log["choice"] == choice_of(filters, deals)) & (log["made_on"] <= last_day(source, filters))
    rows = log[is_known].reset_index(drop=True)
    about = asked(source, filters, deals) if len(rows) else None
    rows = rows.rename(columns={f"{name}_value": name for name in ("mean", "low", "high", "quota")} | {"median_value": "forecast"})
    actual = pd.Series([_came(about, day) for day in rows["quarter_on"]], index=rows.index, dtype="float64")
    inside = ((actual >= rows["low"]) & (actual <= rows["high"])).astype("boolean").mask(actual.isna())
    error = (rows["forecast"] - actual) / actual.where(actual > 0)
    named = ["quarter_on", "made_on", "method", "forecast", "mean", "low", "high", "quota", "chance_of_quota", "data_version", "made_at"]
    return rows[named].assign(actual=actual, error=error, is_inside=inside)


def _came(about: Asked | None, quarter_on: pd.Timestamp) -> float:
    """Return what was won in a quarter; NaN until it is over."""
    is_over = about is not None and scoring.quarter_window(quarter_on.date(), about.today).end_on <= about.today
    return scoring.actual_value(about.told, about.standing, quarter_on.date()) if about is not None and is_over else float("nan")
