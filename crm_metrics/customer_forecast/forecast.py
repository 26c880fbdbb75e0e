"""The forecast of every customer: each fit is made once per version of the data, scope and as-of date, for all rooms.

The models are fitted on every customer the reader may see, up to the as-of date, whatever the other filters. Nothing after the as-of
date is seen.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from crm_metrics.customer_forecast import query, statistic
from crm_metrics.customer_forecast.statistic import Basis
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.purchase_model.bootstrap import Refits, refitted
from crm_metrics.purchase_model.gate import Gate, data_gate
from crm_metrics.purchase_model.model import PARAMETERS, PURCHASE_MODELS, Model, ModelName, unfitted
from crm_metrics.purchase_model.prediction import Outlook, outlook
from crm_metrics.purchase_model.value import Horizon, expected_value
from crm_metrics.sales import extent
from crm_metrics.scope import Scope

SPLIT_NUMERATOR, SPLIT_DENOMINATOR = 2, 3  # on the last day of the data the hold-out is the last third of the history
NO_DATA = date(1970, 1, 1)
_INTEGERS = ("customer_number", "frequency", "recency_days", "age_days")


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

    customers: customer_id, customer_number (of customer_facts), customer_name, region, channel (of the latest purchase), first_on,
    last_on, frequency, recency_days, age_days, repeat_value_mean.
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
    return Known(summary.astype(dict.fromkeys(_INTEGERS, "int32")), statistic.value_basis(histories))


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
    """Return every customer up to `as_of` with P(alive) three ways and what is expected over the horizon.

    The columns of Known.customers, alive_bg_nbd, alive_mbg_nbd, alive_pareto_nbd (see statistic.found_alive), expected_purchases,
    expected_spend, expected_value (all BG/NBD), expected_value_lowest and _highest (of the three models).
    """
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
