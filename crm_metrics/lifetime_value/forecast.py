"""What the tables of the room are made from: every fit is made once per version of the data, scope and as-of date.

The models are fitted on every customer the reader may see, up to the as-of date, whatever the other filters; region, channel and
category choose whose forecasts are shown. Nothing after the as-of date is seen but by the hold-out.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crm_metrics.database import Source
from crm_metrics.filters import Filters, Scope
from crm_metrics.lifetime_value import query, statistic
from crm_metrics.lifetime_value.statistic import Basis
from crm_metrics.purchase_model.bootstrap import Refits, refitted
from crm_metrics.purchase_model.gate import Gate, data_gate
from crm_metrics.purchase_model.groups import Integers
from crm_metrics.purchase_model.holdout import expected_cumulative
from crm_metrics.purchase_model.model import PARAMETERS, PURCHASE_MODELS, Model, ModelName, unfitted
from crm_metrics.purchase_model.prediction import Outlook, PartDraws, drawn_parts, outlook
from crm_metrics.purchase_model.value import Horizon, expected_value
from crm_metrics.sales import extent

SPLIT_NUMERATOR, SPLIT_DENOMINATOR = 2, 3  # on the last day of the data the hold-out is the last third of the history
NO_DATA = date(1970, 1, 1)
_COUNTS = ("frequency", "recency_days", "age_days")
Booleans = NDArray[np.bool_]


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


class Known(NamedTuple):
    """The customers up to a day, by customer_id, and what their value is counted in.

    customers: customer_id, customer_name, region, channel (of the latest purchase), first_on, last_on, frequency, recency_days,
    age_days, repeat_value_mean.
    """

    customers: pd.DataFrame
    basis: Basis


class Fitted(NamedTuple):
    """Whether the customers up to a day carry a model, and the models: small, so that it is kept when the customers are not."""

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
        return Dates(NO_DATA, NO_DATA, NO_DATA, NO_DATA)
    first_on, last_on = holds.first_on.date(), holds.last_on.date()
    as_of = min(filters.today or last_on, last_on)
    if as_of < last_on:
        return Dates(first_on, as_of, as_of, last_on)
    split_on = first_on + timedelta(days=(last_on - first_on).days * SPLIT_NUMERATOR // SPLIT_DENOMINATOR)
    return Dates(first_on, as_of, split_on, last_on)


# ── made once ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def known(source: Source, scope: Scope, as_of: date) -> Known:
    """Return every customer up to `as_of`."""
    # Databases order text differently, and the order of a sum shows in the seventh digit of a fit.
    histories = source(query.customer_histories(scope, as_of)).sort_values("customer_id", ignore_index=True)
    summary = statistic.purchase_summary(histories).drop(columns=["repeat_net_revenue", "repeat_costed_revenue", "repeat_cost"])
    summary = summary.rename(columns={"order_region": "region", "sales_channel": "channel"})
    return Known(summary.astype(dict.fromkeys(_COUNTS, "int32")), statistic.value_basis(histories))


def fitted(source: Source, scope: Scope, as_of: date) -> Fitted:
    """Return the models of every customer up to `as_of`; unknown ones where the data do not carry a model."""
    from crm_metrics.purchase_model import fit

    summary, basis = source.remember(known, scope, as_of)
    gate = data_gate(summary)
    if gate.verdict == "none":
        return Fitted(gate, basis, {name: unfitted(name, customers=len(summary)) for name in PARAMETERS})
    models = [fit.fit_bg_nbd(summary), fit.fit_mbg_nbd(summary), fit.fit_pareto_nbd(summary), fit.fit_gamma_gamma(summary)]
    return Fitted(gate, basis, {model.name: model for model in models})


def valued(source: Source, scope: Scope, as_of: date, terms: Terms) -> pd.DataFrame:
    """Return every customer up to `as_of` with P(alive) three ways and what is expected over the horizon (see `customers`)."""
    summary, models = source.remember(known, scope, as_of).customers, source.remember(fitted, scope, as_of).models
    horizon = Horizon(as_of, terms.horizon_months, terms.discount_rate_per_year)
    frame, by_model = summary.copy(), {}
    for name in PURCHASE_MODELS:
        model = models[name]
        worth = expected_value(summary, model, spend=models["gamma_gamma"], horizon=horizon)
        frame[f"alive_{name}"] = statistic.found_alive(model, frame, worth["probability_alive"])
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


def refits(source: Source, scope: Scope, as_of: date) -> Refits:
    """Return the models of `fitted` refitted to resamples of the customers."""
    models = source.remember(fitted, scope, as_of).models
    return refitted(source.remember(known, scope, as_of).customers, (models["bg_nbd"], models["gamma_gamma"]))


def ahead(source: Source, scope: Scope, as_of: date, terms: Terms) -> Outlook:
    """Return what the refits expect over the horizon."""
    horizon = Horizon(as_of, terms.horizon_months, terms.discount_rate_per_year)
    return outlook(source.remember(refits, scope, as_of), source.remember(known, scope, as_of).customers, horizon=horizon)


def most_valuable(source: Source, scope: Scope, as_of: date, terms: Terms) -> Integers:
    """Return the rows of `valued` from the highest expected value to the lowest, equal ones by customer_id; unknown ones last."""
    values = source.remember(valued, scope, as_of, terms)["expected_value"].to_numpy()
    return np.argsort(-values, kind="stable")


class _Parts(NamedTuple):
    """Parts of the customers by region and channel of the latest purchase: segments, one row a part, and the part of each customer."""

    segments: pd.DataFrame
    part: Integers


def parts(source: Source, scope: Scope, as_of: date) -> _Parts:
    """Return the parts of all customers."""
    segments = source.remember(known, scope, as_of).customers[["region", "channel"]]
    part = segments.groupby(["region", "channel"], dropna=False, sort=False).ngroup().to_numpy()
    first = np.unique(part, return_index=True)[1]
    return _Parts(segments.iloc[first].reset_index(drop=True), part.astype(np.int64))


class _Prospects(NamedTuple):
    """What the customers chosen may bring. parts: region, channel, customers, expected_purchases, expected_value; draws: of each."""

    parts: pd.DataFrame
    draws: PartDraws


def prospects(source: Source, filters: Filters, as_of: date, terms: Terms) -> _Prospects:
    """Return what the customers that `filters` choose are expected to bring, and may in fact, by region and channel."""
    every = source.remember(valued, filters.scope, as_of, terms)
    segments, part = source.remember(parts, filters.scope, as_of)
    chosen = np.where(is_shown(source, filters, as_of), part, -1)
    draws = drawn_parts(source.remember(ahead, filters.scope, as_of, terms), every, chosen)
    shown, rows = chosen >= 0, np.unique(chosen[chosen >= 0])
    sums = {name: np.bincount(part[shown], weights=every[name].to_numpy()[shown]) for name in ("expected_purchases", "expected_value")}
    table = segments.assign(customers=np.bincount(part[shown], minlength=len(segments))).iloc[rows]
    table = table.assign(**{name: values[rows] for name, values in sums.items()}).reset_index(drop=True)
    return _Prospects(table, PartDraws(draws.purchases[:, rows], draws.values[:, rows]))


class _Tested(NamedTuple):
    """The hold-out: totals, by_frequency and cumulative are tables of the room."""

    totals: pd.DataFrame
    by_frequency: pd.DataFrame
    cumulative: pd.DataFrame


def tested(source: Source, scope: Scope, days: Dates) -> _Tested:
    """Return what the models up to split_on say of the days after it, and what came."""
    summary, models = source.remember(known, scope, days.split_on).customers, source.remember(fitted, scope, days.split_on).models
    later = source(query.later_purchases(scope, days.split_on, days.holdout_until))
    held = statistic.holdout_customers(summary, later, days=(days.holdout_until - days.split_on).days)
    totals, by_frequency = statistic.holdout_totals(models, held), statistic.holdout_frequencies(models, held)
    return _Tested(totals, by_frequency, _cumulative(source, scope, days, held))


def _cumulative(source: Source, scope: Scope, days: Dates, held: pd.DataFrame) -> pd.DataFrame:
    made = source.remember(fitted, scope, days.split_on)
    if not made.has_forecast:
        return pd.DataFrame(columns=["day", "actual", "bg_nbd", "baseline", "is_holdout"])
    asked = _weeks_around(days)
    bought = source(query.repeat_purchases(scope, days.split_on, days.holdout_until))
    after = (bought["purchased_on"] - pd.Timestamp(days.split_on)).dt.days.to_numpy()
    so_far = np.concatenate([[0.0], bought["purchases"].cumsum().to_numpy(dtype=float)])
    cohorts = held.groupby("age_days").size().rename("customers").rename_axis("first_days_before_as_of").reset_index()
    expected = expected_cumulative(made.models["bg_nbd"], cohorts, days_after_as_of=asked)["expected_repeat_purchases"]
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


def is_chosen(source: Source, filters: Filters, as_of: date) -> Booleans:
    """Return, of each customer of `known`, whether `filters` choose it."""
    customer = pa.array(source.remember(known, filters.scope, as_of).customers["customer_id"])
    if not (filters.region or filters.channel or filters.category):
        return np.ones(len(customer), dtype=bool)
    chosen = source.arrow(query.chosen_customers(filters, as_of))["customer_id"].combine_chunks()
    # pandas' isin is a hundred times slower on text.
    return np.asarray(pc.is_in(customer, value_set=chosen.cast(customer.type)).to_numpy(zero_copy_only=False), dtype=bool)


def is_shown(source: Source, filters: Filters, as_of: date) -> Booleans:
    """Return `is_chosen`, asked once for all periods."""
    return source.remember(is_chosen, choice(filters), as_of)


def choice(filters: Filters) -> Filters:
    """Return `filters` without what the models do not look at, so that an answer is kept once."""
    return Filters(region=filters.region, channel=filters.channel, category=filters.category, scope=filters.scope)
