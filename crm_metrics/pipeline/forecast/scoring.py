"""Forecasts of past quarters against what came, and how much more than by chance what is to come differs between quarters.

Each is made with what was known at the end of its day alone: the changes up to it, and nothing that came later.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.intervals import wilson
from crm_metrics.metric import ratio
from crm_metrics.periods import add_months, bucket_start
from crm_metrics.pipeline.forecast.history import Floats, History, Standing, day_number
from crm_metrics.pipeline.forecast.seen import counts_at
from crm_metrics.pipeline.forecast.simulation import FEWEST_CLOSED, Forecast, past_forecast, seeded, won_in
from crm_metrics.pipeline.forecast.snapshot import snapshots
from crm_metrics.pipeline.forecast.terms import Window, quarter_window

DAYS_IN = (0, 30, 60)  # days after the first of the quarter on which a past forecast is made
MOST_QUARTERS = 12
USUAL_SPREAD, USUAL_WORTH = 0.15, 1  # what a spread between quarters is believed to be, and as how many quarters that belief counts
BOUNDS = {"low": 0.1, "high": 0.9, "low_95": 0.025, "high_95": 0.975}
PAST = [
    "quarter_on", "made_on", "days_in", "won", "forecast", *BOUNDS, "off", "chance_spread", "spread", "share_below", "actual", "error",
    "is_inside", "weighted", "assumed", "last_quarter",
]  # fmt: skip
METHODS = ("forecast", "weighted", "assumed", "last_quarter")
_PAST_DRAWS = 10  # of the rates, for each past forecast

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def actual_value(told: History, final: Standing, quarter_on: date) -> float:
    """Return the value won in a quarter."""
    return float(np.nansum(final.amount[won_in(final, told, quarter_window(quarter_on, quarter_on))]))


def last_full_value(told: History, final: Standing, today: date) -> float:
    """Return the value won in the last quarter that is over; NaN where the data begin later."""
    quarter_on = add_months(bucket_start(today + timedelta(days=1), "quarter"), -3)
    return actual_value(told, final, quarter_on) if told.first < day_number(add_months(quarter_on, 3)) else math.nan


def past_windows(first_on: date, today: date) -> list[Window]:
    """Return the forecasts to be made of the last MOST_QUARTERS quarters that are over, in order. first_on: day of the first change."""
    last = bucket_start(today + timedelta(days=1), "quarter")
    quarters = [add_months(last, -3 * back) for back in range(MOST_QUARTERS, 0, -1)]
    return [quarter_window(quarter, quarter + timedelta(days=days)) for quarter in quarters if quarter > first_on for days in DAYS_IN]


def past_forecasts(told: History, final: Standing, windows: list[Window], assumed: Floats) -> pd.DataFrame:
    """Return one row per past forecast, of those days on which FEWEST_CLOSED deals were closed: PAST, see basis.backtest.

    final: the deals today. assumed: the source's own chance of winning, by state.
    """
    won = Standing(*(column[final.state == told.won] for column in final))
    rows: list[dict[str, Any]] = []
    seen = counts_at(told, [day_number(window.today) for window in windows]) if windows else []
    for window, deals, by_then in zip(windows, snapshots(told, windows), seen, strict=True):
        if deals.closed >= FEWEST_CLOSED:
            drawn = past_forecast(told, deals, window, by_then, draws=_PAST_DRAWS)
            earlier = [row for row in rows if row["quarter_on"] < pd.Timestamp(window.start_on)]
            spread = spread_between([row["off"] for row in earlier], [row["chance_spread"] for row in earlier])
            said = between_quarters(drawn, window, spread)
            row = _said(said, window) | _checked(drawn, said, actual_value(told, won, window.start_on))
            others = {"weighted": weighted(said, said.ever), "assumed": weighted(said, assumed[said.state])}
            rows.append(row | others | {"spread": spread, "last_quarter": last_full_value(told, won, window.today)})
    return pd.DataFrame(rows, columns=PAST)


def _said(said: Forecast, window: Window) -> dict[str, Any]:
    bounds = dict(zip(BOUNDS, np.quantile(said.runs, list(BOUNDS.values())).tolist(), strict=True))
    return {
        "quarter_on": pd.Timestamp(window.start_on),
        "made_on": pd.Timestamp(window.today),
        "days_in": (window.today - window.start_on).days,
        "won": said.won,
        "forecast": float(np.median(said.runs)),
        **bounds,
    }


def _checked(drawn: Forecast, said: Forecast, came: float) -> dict[str, Any]:
    """Return how right a forecast was. drawn: as simulated; said: with the spread between quarters."""
    to_come = float(drawn.runs.mean()) - drawn.won or math.nan
    low, middle, high = np.quantile(said.runs, [BOUNDS["low"], 0.5, BOUNDS["high"]])
    return {
        "actual": came,
        "off": (came - drawn.won) / to_come - 1,
        "chance_spread": float(drawn.runs.std()) / to_come,
        "share_below": float((said.runs < came).mean()),
        "error": (float(middle) - came) / came if came > 0 else math.nan,
        "is_inside": bool(low <= came <= high),
    }


def weighted(made: Forecast, chance: Floats) -> float:
    """Return the value won so far and that of the open deals, each times its chance; unknown where all values or a chance are."""
    value = made.amount * chance
    is_unknown = np.isnan(chance).any() or (len(value) > 0 and np.isnan(value).all())
    return math.nan if is_unknown else made.won + float(np.nansum(value))


def spread_between(off: Sequence[float], by_chance: Sequence[float]) -> float:
    """Return by how much, as a share of itself, what is to come differs between quarters besides chance (standard deviation).

    The variance that the errors of past forecasts show beyond that of the simulation (random effects: DerSimonian and Laird 1986,
    Controlled Clinical Trials 7), each counted the less, the more chance there was in it, beside USUAL_SPREAD; never below none. off,
    by_chance: off and chance_spread of the forecasts of quarters that are over (see basis.backtest); the three of a quarter count as one.
    """
    errors, chance = np.array(off, dtype=float) ** 2, np.array(by_chance, dtype=float) ** 2
    weight = np.where(np.isnan(errors + chance), 0.0, (USUAL_SPREAD**2 / (chance + USUAL_SPREAD**2)) ** 2 / len(DAYS_IN))
    shown = USUAL_WORTH * USUAL_SPREAD**2 + float(np.nansum(weight * (errors - chance)))
    return math.sqrt(max(shown / (USUAL_WORTH + float(weight.sum())), 0.0))


def between_quarters(made: Forecast, window: Window, spread: float) -> Forecast:
    """Return the forecast with what is still to come as many times as a quarter draws: 1, give or take `spread`."""
    times = np.maximum(1 + spread * seeded(window, 1).standard_normal(len(made.runs)), 0.0)
    return made._replace(runs=made.won + (made.runs - made.won) * times)


def scores(past: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method and days into the quarter: the columns of tables.scores."""
    rows = [
        _score_row(past[past["days_in"] == days], method, days) for method in METHODS for days in DAYS_IN if (past["days_in"] == days).any()
    ]
    columns = ["method", "days_in", "forecasts", "mape", "bias", "inside", "coverage", "low", "high", "share_below"]
    return pd.DataFrame(rows, columns=columns)


def _score_row(found: pd.DataFrame, method: str, days: int) -> dict[str, object]:
    actual = found["actual"].where(found["actual"] > 0)
    error = ((found[method] - actual) / actual).dropna()
    row: dict[str, object] = {"method": method, "days_in": days, "forecasts": len(error), "mape": error.abs().mean(), "bias": error.mean()}
    if method == "forecast":
        inside, n = int(found["is_inside"].sum()), len(found)
        low, high = wilson(inside, n)
        row |= {"inside": inside, "coverage": ratio(inside, n), "low": low, "high": high, "share_below": found["share_below"].mean()}
    return row
