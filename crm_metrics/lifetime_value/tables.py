"""The tables of the room, and the queries behind them."""

import math
from typing import Any

import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_forecast.forecast import NO_DATA, Terms, ahead, dates, fitted, refits, valued
from crm_metrics.customer_forecast.query import customer_histories
from crm_metrics.customer_forecast.statistic import finds_leaving
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.lifetime_value import metrics, query, statistic
from crm_metrics.lifetime_value.forecast import choice, is_shown, most_valuable, prospects, tested
from crm_metrics.metric import Metric, tile
from crm_metrics.purchase_model.gate import CUSTOMERS_NEEDED, REPEATERS_NEEDED
from crm_metrics.purchase_model.holdout import share_found
from crm_metrics.purchase_model.model import PURCHASE_MODELS
from crm_metrics.purchase_model.value import Horizon, new_customer_value

_ALIVE = [f"alive_{name}" for name in PURCHASE_MODELS]


def queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries that the forecasts are made from, to be shown."""
    days = dates(source, filters)
    return (customer_histories(filters.scope, days.as_of), query.chosen_customers(filters, days.as_of))


def holdout_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries that the hold-out is made from, to be shown."""
    days = dates(source, filters)
    return (
        customer_histories(filters.scope, days.split_on),
        query.later_purchases(filters.scope, days.split_on, days.holdout_until),
        query.repeat_purchases(filters.scope, days.split_on, days.holdout_until),
    )


def customers(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return one row per customer the filters choose, the most valuable first.

    customer_id, customer_name, region, channel (of the latest purchase), first_on, last_on, frequency, recency_days, age_days,
    repeat_value_mean, alive_bg_nbd (unknown for one-time buyers: the model assumes it), alive_mbg_nbd, alive_pareto_nbd,
    expected_purchases, expected_spend, expected_value (all BG/NBD), expected_value_lowest and _highest (of the three models).
    """
    as_of = dates(source, filters).as_of
    rows = source.remember(most_valuable, filters.scope, as_of, terms)
    every = source.remember(valued, filters.scope, as_of, terms).drop(columns="customer_number")
    return every.take(rows[is_shown(source, filters, as_of)[rows]]).reset_index(drop=True)


def _shown(source: Source, filters: Filters, columns: list[str], terms: Terms = Terms()) -> pd.DataFrame:
    """Return some columns of `customers`, by customer_id."""
    as_of = dates(source, filters).as_of
    return source.remember(valued, filters.scope, as_of, terms)[columns][is_shown(source, filters, as_of)]


def tiles(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (95%), unit, n (customers it is about).

    The interval of the value and purchases of the customers shown is a prediction interval: what they may in fact bring; that of a new
    customer's value is of the mean. Without a model: the value of the base unknown, and what there is to count.
    """
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.as_of)
    if not made.has_forecast:
        return _counted(_shown(source, filters, ["frequency"]))
    shown, draws = source.remember(prospects, choice(filters), days.as_of, terms)
    horizon = Horizon(days.as_of, terms.horizon_months, terms.discount_rate_per_year)
    value, purchases = (float(shown[name].sum(skipna=False)) for name in ("expected_value", "expected_purchases"))
    values, bought = draws.values.sum(axis=1), draws.purchases.sum(axis=1)
    n = int(shown["customers"].sum())
    size = n or math.nan
    new = new_customer_value(made.models["bg_nbd"], made.models["gamma_gamma"], horizon=horizon)
    new_values = source.remember(ahead, filters.scope, days.as_of, terms).new_customer_values
    test = holdout(source, filters).query("model == 'bg_nbd'")
    error = tuple(test[["error", "error_low", "error_high"]].iloc[0]) if len(test) else (math.nan, math.nan, math.nan)
    rows = [
        _tile(metrics.CUSTOMER_BASE_VALUE, value, statistic.interval(values), n),
        _tile(metrics.EXPECTED_PURCHASES, purchases, statistic.interval(bought), n),
        _tile(metrics.VALUE_PER_CUSTOMER, value / size, statistic.interval(values / size), n),
        _tile(metrics.NEW_CUSTOMER_VALUE, new, statistic.interval(new_values), made.gate.customers),
        _tile(metrics.HOLDOUT_ERROR, error[0], error[1:], int(test["customers"].sum())),
    ]
    return pd.DataFrame(rows)


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's one tile for the overview: the value of the customer base over 12 months at 10% a year."""
    return tiles(source, filters).query("metric == 'customer_base_value'").reset_index(drop=True)


def _counted(shown: pd.DataFrame) -> pd.DataFrame:
    frequency = shown["frequency"]
    rows = [
        tile(metrics.CUSTOMER_BASE_VALUE, math.nan, len(shown)),
        tile(metrics.MODELLED_CUSTOMERS, len(shown), len(shown)),
        tile(metrics.REPEATERS, int((frequency > 0).sum()), len(shown)),
        tile(metrics.REPEAT_PURCHASES, int(frequency.sum()), len(shown)),
    ]
    return pd.DataFrame(rows)


def _tile(metric: Metric, value: float, bounds: tuple[float, ...], n: int) -> dict[str, object]:
    """Return a tile whose interval is unknown where its value is."""
    low, high = (math.nan, math.nan) if math.isnan(value) else bounds
    return tile(metric, value, n, low=low, high=high)


def data_gate_table(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: what there is, what a model needs, and on what it stands.

    customers, repeaters, history_days, customers_needed, repeaters_needed, verdict ('none', 'rough', 'full'), has_forecast,
    has_value, basis ('margin', 'revenue'), cost_coverage, left_out (repeaters without a positive value), correlation (of frequency
    and value), finds_leaving (whether any model finds that customers leave), first_on, as_of, split_on, holdout_until, test_has_customers
    (enough of them up to split_on for a model), shown (customers the filters choose).
    """
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.as_of)
    spend = made.models["gamma_gamma"]
    row = {
        "customers": made.gate.customers,
        "repeaters": made.gate.repeaters,
        "history_days": made.gate.history_days,
        "customers_needed": CUSTOMERS_NEEDED,
        "repeaters_needed": REPEATERS_NEEDED,
        "verdict": made.gate.verdict,
        "has_forecast": made.has_forecast,
        "has_value": made.has_forecast and spend.converged and not spend.has_infinite_mean,
        "basis": made.basis.kind,
        "cost_coverage": made.basis.cost_coverage,
        "left_out": spend.left_out,
        "correlation": spend.correlation,
        "finds_leaving": any(finds_leaving(made.models[name]) for name in PURCHASE_MODELS),
        **{name: pd.Timestamp(day) if day != NO_DATA else pd.NaT for name, day in days._asdict().items()},
        "test_has_customers": source.remember(fitted, filters.scope, days.split_on).gate.verdict != "none",
        "shown": int(is_shown(source, filters, days.as_of).sum()),
    }
    return pd.DataFrame([row])


def model(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per model: its parameters (NaN where not its own), log_likelihood, as_of and the hold-out totals.

    The parameters are of the fit up to the as-of date. If that is the last day of the data, the hold-out pair is of a second fit, up to
    split_on (two thirds of the history), with its forecast to the last day; else split_on is the as-of date.
    """
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.as_of)
    records = statistic.model_records(made.models, holdout(source, filters))
    known = {"as_of": days.as_of, "split_on": days.split_on} if days.as_of != NO_DATA else {"as_of": None, "split_on": None}
    place = list(records.columns).index("holdout_actual")
    for name, day in reversed(known.items()):
        records.insert(place, name, pd.Series(pd.Timestamp(day) if day else pd.NaT, index=records.index, dtype="datetime64[us]"))
    return records


def holdout(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per purchase model and one for the naive baseline: see statistic.holdout_totals."""
    return source.remember(tested, filters.scope, dates(source, filters)).totals


def holdout_by_frequency(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the hold-out by frequency in the calibration: see statistic.holdout_frequencies."""
    return source.remember(tested, filters.scope, dates(source, filters)).by_frequency


def holdout_cumulative(source: Source, filters: Filters) -> pd.DataFrame:
    """Return cumulative repeat purchases of the customers known on split_on, week by week from the first day to the last.

    day, actual, bg_nbd, baseline (after split_on only: the rate so far goes on), is_holdout. Empty without a model.
    """
    return source.remember(tested, filters.scope, dates(source, filters)).cumulative


def alive(source: Source, filters: Filters) -> pd.DataFrame:
    """Return P(alive) by number of repeat purchases and model, of the customers the filters choose: see alive_by_frequency."""
    return statistic.alive_by_frequency(_shown(source, filters, ["frequency", *_ALIVE]))


def one_time_buyers(source: Source, filters: Filters) -> pd.DataFrame:
    """Return P(alive) of one-time buyers by model: see one_time_alive."""
    return statistic.one_time_alive(_shown(source, filters, ["frequency", *_ALIVE]))


def parameters(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per parameter of each model with its standard error, interval and meaning: see parameter_table."""
    as_of = dates(source, filters).as_of
    made = source.remember(fitted, filters.scope, as_of)
    return statistic.parameter_table(made.models, source.remember(refits, filters.scope, as_of).parameters)


def value_held(source: Source, filters: Filters, terms: Terms = Terms()) -> float:
    """Return the share of the expected value that the customers worth most hold, a fifth of them; NaN when unknown."""
    values = _shown(source, filters, ["expected_value"], terms)["expected_value"].to_numpy()
    return share_found(values, values) if len(values) else math.nan


def distribution(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return customers and value by expected value of the customer: see value_distribution."""
    return statistic.value_distribution(_shown(source, filters, ["expected_value"], terms)["expected_value"])


def value_by_segment(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return one row per region and per channel of the customers' latest purchase, so that each customer is in one: parts add up.

    segment_kind ('region', 'channel'), segment (empty: unknown), customers, expected_purchases, expected_value, low, high (95%
    prediction interval; the intervals of parts don't add up).
    """
    shown, draws = source.remember(prospects, choice(filters), dates(source, filters).as_of, terms)
    return pd.concat([statistic.segment_values(shown, kind, drawn=draws.values) for kind in ("region", "channel")], ignore_index=True)


def repeat_counts(source: Source, filters: Filters) -> pd.DataFrame:
    """Return customers by number of repeat purchase days: frequency (7: 7 or more), customers. Needs no model."""
    return statistic.repeat_counts(_shown(source, filters, ["frequency"]))
