"""From the source to the tables of the room: every fit is made once per version of the data, scope and as-of date.

The models are fitted on every customer the reader may see, up to the as-of date, whatever the other filters; region, channel and
category choose whose forecasts are shown. Nothing after the as-of date is seen but by the hold-out.
"""

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters, Scope
from crm_metrics.lifetime_value import metrics, query, statistic
from crm_metrics.lifetime_value.statistic import Basis
from crm_metrics.metric import Metric
from crm_metrics.purchase_model.bootstrap import PartDraws, bootstrap_parts
from crm_metrics.purchase_model.gate import CUSTOMERS_NEEDED, REPEATERS_NEEDED, Gate, data_gate
from crm_metrics.purchase_model.holdout import expected_cumulative
from crm_metrics.purchase_model.model import PARAMETERS, PURCHASE_MODELS, Model, ModelName, unfitted
from crm_metrics.purchase_model.score import probability_alive
from crm_metrics.purchase_model.value import Horizon, expected_value, new_customer_value
from crm_metrics.sales import extent

SPLIT_NUMERATOR, SPLIT_DENOMINATOR = 2, 3  # on the last day of the data the hold-out is the last third of the history
_NO_DATA = date(1970, 1, 1)


@dataclass(frozen=True)
class Terms:
    """What the reader chooses on the page: months looked ahead, and the yearly discount rate (.1 is 10%)."""

    horizon_months: int = 12
    discount_rate_per_year: float = 0.10

    @classmethod
    def of_percent(cls, horizon_months: int, discount_percent_per_year: float) -> "Terms":
        """Return the terms with the rate in percent, as a reader types it."""
        return cls(horizon_months, discount_percent_per_year / 100)


class Dates(NamedTuple):
    """as_of: last day the models see; the hold-out reaches from the day after split_on to holdout_until."""

    first_on: date
    as_of: date
    split_on: date
    holdout_until: date


class Fitted(NamedTuple):
    """The customers up to a day (histories with repeat_value_mean), whether they carry a model, and the models."""

    summary: pd.DataFrame
    gate: Gate
    basis: Basis
    models: dict[ModelName, Model]

    @property
    def has_forecast(self) -> bool:
        """Whether the BG/NBD may be shown as a forecast."""
        return self.models["bg_nbd"].converged


def dates(source: Source, filters: Filters) -> Dates:
    """Return the days of the models and their hold-out; an as-of date after the last day of the data is that last day."""
    holds = source(extent(filters.scope)).iloc[0]
    if pd.isna(holds.first_on):
        return Dates(_NO_DATA, _NO_DATA, _NO_DATA, _NO_DATA)
    first_on, last_on = holds.first_on.date(), holds.last_on.date()
    as_of = min(filters.today or last_on, last_on)
    if as_of < last_on:
        return Dates(first_on, as_of, as_of, last_on)
    split_on = first_on + timedelta(days=(last_on - first_on).days * SPLIT_NUMERATOR // SPLIT_DENOMINATOR)
    return Dates(first_on, as_of, split_on, last_on)


# ── made once ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fitted(source: Source, scope: Scope, as_of: date) -> Fitted:
    """Return the models of every customer up to `as_of`; unknown ones where the data do not carry a model."""
    from crm_metrics.purchase_model import fit

    # Databases order text differently, and the order of a sum shows in the seventh digit of a fit.
    histories = source(query.customer_histories(scope, as_of)).sort_values("customer_id", ignore_index=True)
    summary, basis = statistic.purchase_summary(histories), statistic.value_basis(histories)
    gate = data_gate(summary)
    if gate.verdict == "none":
        return Fitted(summary, gate, basis, {name: unfitted(name, customers=len(summary)) for name in PARAMETERS})
    models = [fit.fit_bg_nbd(summary), fit.fit_mbg_nbd(summary), fit.fit_pareto_nbd(summary), fit.fit_gamma_gamma(summary)]
    return Fitted(summary, gate, basis, {model.name: model for model in models})


def valued(source: Source, scope: Scope, as_of: date, terms: Terms) -> pd.DataFrame:
    """Return every customer up to `as_of` with P(alive) three ways and what is expected over the horizon (see `customers`)."""
    made = source.remember(fitted, scope, as_of)
    horizon = Horizon(as_of, terms.horizon_months, terms.discount_rate_per_year)
    frame = made.summary.rename(columns={"order_region": "region", "sales_channel": "channel"})
    frame = frame.drop(columns=["repeat_net_revenue", "repeat_costed_revenue", "repeat_cost"])
    by_model = {}
    for name in PURCHASE_MODELS:
        model = made.models[name]
        alive = pd.Series(probability_alive(model, made.summary), index=frame.index, dtype=float)
        frame[f"alive_{name}"] = statistic.found_alive(model, frame, alive)
        worth = expected_value(made.summary, model, spend=made.models["gamma_gamma"], horizon=horizon)
        by_model[name] = worth if model.converged else worth.assign(expected_purchases=math.nan, expected_value=math.nan)
    best = by_model["bg_nbd"]
    totals = pd.concat([worth["expected_value"] for worth in by_model.values()], axis=1)
    return frame.assign(
        expected_purchases=best["expected_purchases"].to_numpy(),
        expected_spend=best["expected_spend"].to_numpy(),
        expected_value=best["expected_value"].to_numpy(),
        expected_value_lowest=totals.min(axis=1).to_numpy(),
        expected_value_highest=totals.max(axis=1).to_numpy(),
    )


class _Resampled(NamedTuple):
    segments: pd.DataFrame  # region and channel of each part
    draws: PartDraws


def resampled(source: Source, filters: Filters, as_of: date, terms: Terms) -> _Resampled:
    """Return what the customers that `filters` choose may bring, in parts of one region and channel of the latest purchase each."""
    made = source.remember(fitted, filters.scope, as_of)
    is_shown = _is_shown(source, filters, as_of, made.summary)
    segments = made.summary.loc[is_shown, ["order_region", "sales_channel"]].set_axis(["region", "channel"], axis=1)
    part = np.full(len(made.summary), -1, dtype=np.int64)
    codes = segments.groupby(["region", "channel"], dropna=False, sort=False).ngroup()
    part[is_shown.to_numpy()] = codes
    horizon = Horizon(as_of, terms.horizon_months, terms.discount_rate_per_year)
    draws = bootstrap_parts(made.summary, (made.models["bg_nbd"], made.models["gamma_gamma"]), horizon=horizon, part=part)
    return _Resampled(segments.assign(part=codes).drop_duplicates("part").sort_values("part"), draws)


def held_out(source: Source, scope: Scope, split_on: date, until: date) -> pd.DataFrame:
    """Return the customers up to `split_on` with what they bought after it: see statistic.holdout_customers."""
    made = source.remember(fitted, scope, split_on)
    return statistic.holdout_customers(made.summary, source(query.later_purchases(scope, split_on, until)), days=(until - split_on).days)


def _is_shown(source: Source, filters: Filters, as_of: date, summary: pd.DataFrame) -> pd.Series:
    if not (filters.region or filters.channel or filters.category):
        return pd.Series(data=True, index=summary.index)
    return summary["customer_id"].isin(source(query.chosen_customers(filters, as_of))["customer_id"])


def _choice(filters: Filters) -> Filters:
    """Return `filters` without what the models do not look at, so that an answer is kept once."""
    return Filters(region=filters.region, channel=filters.channel, category=filters.category, scope=filters.scope)


def queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries that the forecasts are made from, to be shown."""
    days = dates(source, filters)
    return (query.customer_histories(filters.scope, days.as_of), query.chosen_customers(filters, days.as_of))


def holdout_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries that the hold-out is made from, to be shown."""
    days = dates(source, filters)
    return (
        query.customer_histories(filters.scope, days.split_on),
        query.later_purchases(filters.scope, days.split_on, days.holdout_until),
        query.repeat_purchases(filters.scope, days.split_on, days.holdout_until),
    )


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def customers(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return one row per customer the filters choose, the most valuable first.

    customer_id, customer_name, region, channel (of the latest purchase), first_on, last_on, frequency, recency_days, age_days,
    repeat_value_mean, alive_bg_nbd (unknown for one-time buyers: the model assumes it), alive_mbg_nbd, alive_pareto_nbd,
    expected_purchases, expected_spend, expected_value (all BG/NBD), expected_value_lowest and _highest (of the three models).
    """
    as_of = dates(source, filters).as_of
    every = source.remember(valued, filters.scope, as_of, terms)
    chosen = every[_is_shown(source, filters, as_of, every)]
    return chosen.sort_values(["expected_value", "customer_id"], ascending=[False, True], ignore_index=True)


def tiles(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (95%), unit, n (customers it is about).

    The interval of the value and purchases of the customers shown is a prediction interval: what they may in fact bring; that of a new
    customer's value is of the mean. Without a model: the value of the base unknown, and what there is to count.
    """
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.as_of)
    shown = customers(source, filters, terms)
    if not made.has_forecast:
        return _counted(shown)
    draws = source.remember(resampled, _choice(filters), days.as_of, terms).draws
    horizon = Horizon(days.as_of, terms.horizon_months, terms.discount_rate_per_year)
    value, purchases = (float(shown[name].sum(skipna=False)) for name in ("expected_value", "expected_purchases"))
    values, bought = draws.values.sum(axis=1), draws.purchases.sum(axis=1)
    size = len(shown) or math.nan
    new = new_customer_value(made.models["bg_nbd"], made.models["gamma_gamma"], horizon=horizon)
    test = holdout(source, filters).query("model == 'bg_nbd'")
    error = tuple(test[["error", "error_low", "error_high"]].iloc[0]) if len(test) else (math.nan, math.nan, math.nan)
    rows = [
        _tile(metrics.CUSTOMER_BASE_VALUE, value, statistic.interval(values), len(shown)),
        _tile(metrics.EXPECTED_PURCHASES, purchases, statistic.interval(bought), len(shown)),
        _tile(metrics.VALUE_PER_CUSTOMER, value / size, statistic.interval(values / size), len(shown)),
        _tile(metrics.NEW_CUSTOMER_VALUE, new, statistic.interval(draws.new_customer_values), len(made.summary)),
        _tile(metrics.HOLDOUT_ERROR, error[0], error[1:], int(test["customers"].sum())),
    ]
    return pd.DataFrame(rows)


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's one tile for the overview: the value of the customer base over 12 months at 10% a year."""
    return tiles(source, filters).query("metric == 'customer_base_value'").reset_index(drop=True)


def _counted(shown: pd.DataFrame) -> pd.DataFrame:
    exact = (math.nan, math.nan)
    frequency = shown["frequency"]
    rows = [
        _tile(metrics.CUSTOMER_BASE_VALUE, math.nan, exact, len(shown)),
        _tile(metrics.MODELLED_CUSTOMERS, len(shown), exact, len(shown)),
        _tile(metrics.REPEATERS, int((frequency > 0).sum()), exact, len(shown)),
        _tile(metrics.REPEAT_PURCHASES, int(frequency.sum()), exact, len(shown)),
    ]
    return pd.DataFrame(rows)


def _tile(metric: Metric, value: float, bounds: tuple[float, ...], n: int) -> dict[str, object]:
    bounds = bounds if not math.isnan(value) else (math.nan, math.nan)
    return {"metric": metric.name, "value": float(value), "low": bounds[0], "high": bounds[1], "unit": metric.unit, "n": n}


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
        "finds_leaving": any(statistic.finds_leaving(made.models[name]) for name in PURCHASE_MODELS),
        **{name: pd.Timestamp(day) if day != _NO_DATA else pd.NaT for name, day in days._asdict().items()},
        "test_has_customers": source.remember(fitted, filters.scope, days.split_on).gate.verdict != "none",
        "shown": int(_is_shown(source, filters, days.as_of, made.summary).sum()),
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
    known = {"as_of": days.as_of, "split_on": days.split_on} if days.as_of != _NO_DATA else {"as_of": None, "split_on": None}
    place = list(records.columns).index("holdout_actual")
    for name, day in reversed(known.items()):
        records.insert(place, name, pd.Series(pd.Timestamp(day) if day else pd.NaT, index=records.index, dtype="datetime64[us]"))
    return records


def holdout(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per purchase model and one for the naive baseline: see statistic.holdout_totals."""
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.split_on)
    return statistic.holdout_totals(made.models, source.remember(held_out, filters.scope, days.split_on, days.holdout_until))


def holdout_by_frequency(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the hold-out by frequency in the calibration: see statistic.holdout_frequencies."""
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.split_on)
    return statistic.holdout_frequencies(made.models, source.remember(held_out, filters.scope, days.split_on, days.holdout_until))


def holdout_cumulative(source: Source, filters: Filters) -> pd.DataFrame:
    """Return cumulative repeat purchases of the customers known on split_on, week by week from the first day to the last.

    day, actual, bg_nbd, baseline (after split_on only: the rate so far goes on), is_holdout. Empty without a model.
    """
    days = dates(source, filters)
    made = source.remember(fitted, filters.scope, days.split_on)
    if not made.has_forecast:
        return pd.DataFrame(columns=["day", "actual", "bg_nbd", "baseline", "is_holdout"])
    asked = _weeks_around(days)
    bought = source(query.repeat_purchases(filters.scope, days.split_on, days.holdout_until))
    after = (bought["purchased_on"] - pd.Timestamp(days.split_on)).dt.days.to_numpy()
    so_far = np.concatenate([[0.0], bought["purchases"].cumsum().to_numpy(dtype=float)])
    cohorts = made.summary.groupby("age_days").size().rename("customers").rename_axis("first_days_before_as_of").reset_index()
    expected = expected_cumulative(made.models["bg_nbd"], cohorts, days_after_as_of=asked)["expected_repeat_purchases"]
    held = source.remember(held_out, filters.scope, days.split_on, days.holdout_until)
    at_split = so_far[np.searchsorted(after, 0, side="right")]
    per_day = float((held["frequency"] / held["age_days"].where(held["age_days"] > 0)).sum())
    return pd.DataFrame(
        {
            "day": pd.Timestamp(days.split_on) + pd.to_timedelta(asked, unit="D"),
            "actual": so_far[np.searchsorted(after, asked, side="right")],
            "bg_nbd": expected.to_numpy(),
            "baseline": np.where(asked >= 0, at_split + per_day * asked, np.nan),
            "is_holdout": asked > 0,
        }
    )


def _weeks_around(days: Dates) -> np.ndarray:
    """Return days after split_on: every week to and fro from it, and the last day."""
    before, after = (days.split_on - days.first_on).days, (days.holdout_until - days.split_on).days
    return np.unique(np.append(np.arange(-(before // 7) * 7, after + 1, 7), after)).astype(float)


def alive(source: Source, filters: Filters) -> pd.DataFrame:
    """Return P(alive) by number of repeat purchases and model, of the customers the filters choose: see alive_by_frequency."""
    return statistic.alive_by_frequency(customers(source, filters))


def one_time_buyers(source: Source, filters: Filters) -> pd.DataFrame:
    """Return P(alive) of one-time buyers by model: see one_time_alive."""
    return statistic.one_time_alive(customers(source, filters))


def parameters(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return one row per parameter of each model with its standard error, interval and meaning: see parameter_table."""
    as_of = dates(source, filters).as_of
    made = source.remember(fitted, filters.scope, as_of)
    draws = source.remember(resampled, _choice(replace(filters, region=(), channel=(), category=())), as_of, terms).draws
    return statistic.parameter_table(made.models, draws.parameters)


def distribution(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return customers and value by expected value of the customer: see value_distribution."""
    return statistic.value_distribution(customers(source, filters, terms)["expected_value"])


def value_by_segment(source: Source, filters: Filters, terms: Terms = Terms()) -> pd.DataFrame:
    """Return one row per region and per channel of the customers' latest purchase, so that each customer is in one: parts add up.

    segment_kind ('region', 'channel'), segment (empty: unknown), customers, expected_purchases, expected_value, low, high (95%
    prediction interval; the intervals of parts don't add up).
    """
    shown = customers(source, filters, terms)
    parts, draws = source.remember(resampled, _choice(filters), dates(source, filters).as_of, terms)
    kinds = [statistic.segment_values(shown, kind, parts=parts, drawn=draws.values) for kind in ("region", "channel")]
    return pd.concat(kinds, ignore_index=True)


def repeat_counts(source: Source, filters: Filters) -> pd.DataFrame:
    """Return customers by number of repeat purchase days: frequency (7: 7 or more), customers. Needs no model."""
    return statistic.repeat_counts(customers(source, filters))
