"""Forecasts of past quarters against what came, and how much wider that makes a band.

Each is made with what was known at the end of its day alone: the changes up to it, and nothing that came later.
"""

import math
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.intervals import wilson
from crm_metrics.metric import ratio
from crm_metrics.periods import add_months, bucket_start
from crm_metrics.pipeline.forecast.history import Floats, History, Standing, day_number, stand
from crm_metrics.pipeline.forecast.simulation import FEWEST_CLOSED, Forecast, closed_by, forecast, won_in
from crm_metrics.pipeline.forecast.terms import Window, quarter_window

DAYS_IN = (0, 30, 60)  # days after the first of the quarter on which a past forecast is made
LEVEL = 0.8  # share of quarters that a band should hold
MOST_QUARTERS = 12
PAST_RUNS = 1_000  # of each simulation
FEWEST_TO_WIDEN = 3  # past quarters, before a band is corrected by them
BOUNDS = {"low": 0.1, "high": 0.9, "low_95": 0.025, "high_95": 0.975}
PAST = [
    "quarter_on", "made_on", "days_in", "won", "forecast", *BOUNDS, "miss", "widening", "share_below", "actual", "error", "is_inside",
    "weighted", "assumed", "last_quarter",
]  # fmt: skip
METHODS = ("forecast", "weighted", "assumed", "last_quarter")

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def actual_value(told: History, final: Standing, quarter_on: date) -> float:
    """Return the value won in a quarter."""
    return float(np.nansum(final.amount[won_in(final, told, quarter_window(quarter_on, quarter_on))]))


def last_full_value(told: History, final: Standing, today: date) -> float:
    """Return the value won in the last quarter that is over; NaN where the data begin later."""
    quarter_on = add_months(bucket_start(today + timedelta(days=1), "quarter"), -3)
    is_held = len(told.rows.day) > 0 and told.rows.day.min() < day_number(add_months(quarter_on, 3))
    return actual_value(told, final, quarter_on) if is_held else math.nan


def past_windows(first_on: date, today: date) -> list[Window]:
    """Return the forecasts to be made of the last MOST_QUARTERS quarters that are over, in order. first_on: day of the first change."""
    last = bucket_start(today + timedelta(days=1), "quarter")
    quarters = [add_months(last, -3 * back) for back in range(MOST_QUARTERS, 0, -1)]
    return [quarter_window(quarter, quarter + timedelta(days=days)) for quarter in quarters if quarter > first_on for days in DAYS_IN]


def past_forecasts(told: History, final: Standing, windows: list[Window], assumed: Floats) -> pd.DataFrame:
    """Return one row per past forecast, of those days on which FEWEST_CLOSED deals were closed: PAST, see tables.backtest.

    final: the deals today. assumed: the source's own chance of winning, by state.
    """
    rows = []
    for window in windows:
        standing = stand(told, day_number(window.today))
        if closed_by(standing, told) >= FEWEST_CLOSED:
            made = forecast(told, standing, window, runs=PAST_RUNS)
            came, before = actual_value(told, final, window.start_on), last_full_value(told, final, window.today)
            rows.append(_past_row(made, window, assumed) | {"actual": came, "last_quarter": before})
            rows[-1]["share_below"] = float((made.runs < came).mean())
    past = pd.DataFrame(rows, columns=[name for name in PAST if name not in ("miss", "widening", "error", "is_inside")])
    return _scored(past)


def _past_row(made: Forecast, window: Window, assumed: Floats) -> dict[str, object]:
    bounds = dict(zip(BOUNDS, np.quantile(made.runs, list(BOUNDS.values())), strict=True))
    return {
        "quarter_on": pd.Timestamp(window.start_on),
        "made_on": pd.Timestamp(window.today),
        "days_in": (window.today - window.start_on).days,
        "won": made.won,
        "forecast": float(np.median(made.runs)),
        "weighted": weighted(made, made.ever),
        "assumed": weighted(made, assumed[made.state]),
        **{name: float(bound) for name, bound in bounds.items()},
    }


def weighted(made: Forecast, chance: Floats) -> float:
    """Return the value won so far and that of the open deals, each times its chance; unknown where all values or a chance are."""
    value = made.amount * chance
    is_unknown = np.isnan(chance).any() or (len(value) > 0 and np.isnan(value).all())
    return math.nan if is_unknown else made.won + float(np.nansum(value))


def _scored(past: pd.DataFrame) -> pd.DataFrame:
    """Return past forecasts with the width that earlier quarters gave each, and with their errors."""
    miss, quarter = _misses(past), past["quarter_on"].to_numpy()
    widening = np.array([widened_by(miss[quarter < day]) for day in quarter], dtype=float)
    about = Drawn(*(past[name].to_numpy(dtype=float) for name in Drawn._fields))
    bounds = {name: widened(past[name].to_numpy(dtype=float), about, widening) for name in BOUNDS}
    actual = past["actual"]
    error = (past["forecast"] - actual) / actual.where(actual > 0)
    inside = (actual >= bounds["low"]) & (actual <= bounds["high"])
    return past.assign(**bounds, miss=miss, widening=widening, error=error, is_inside=inside)[PAST]


def _misses(past: pd.DataFrame) -> Floats:
    """Return how far outside its simulated band each result lay (inside: less than 0), over the forecast of what was still to come."""
    outside = np.maximum(past["actual"] - past["high"], past["low"] - past["actual"])
    to_come = (past["forecast"] - past["won"]).to_numpy(dtype=float)
    return np.asarray(outside / np.where(to_come > 0, to_come, np.nan), dtype=float)


def widened_by(miss: Floats) -> float:
    """Return by what share of what is still to come a band must be wider on each side to have held LEVEL of earlier quarters; never
    narrower than it was drawn.

    Conformalised quantile regression (Romano, Patterson and Candès 2019): the ceil((n + 1) LEVEL)-th smallest miss. The three forecasts
    of a quarter err together, so that fewer than FEWEST_TO_WIDEN quarters of them say too little.
    """
    known = np.sort(miss[~np.isnan(miss)])
    if len(known) < FEWEST_TO_WIDEN * len(DAYS_IN):
        return 0.0
    place = min(math.ceil((len(known) + 1) * LEVEL), len(known))
    return max(0.0, float(known[place - 1]))


class Drawn(NamedTuple):
    """One forecast, or many, as drawn: what was won by then, the median, and the ends of the 80% band."""

    won: Any
    forecast: Any
    low: Any
    high: Any


def widened(value: Floats, about: Drawn, share: Any) -> Floats:
    """Return values moved away from the forecast so that the band's ends move by that share of what is still to come; the others in
    proportion, none below what was won already.
    """
    off = value - about.forecast
    side = np.where(off > 0, about.high - about.forecast, about.forecast - about.low)
    further = share * (about.forecast - about.won) / np.where(side > 0, side, np.inf)
    return np.asarray(np.maximum(value + off * further, about.won), dtype=float)


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
