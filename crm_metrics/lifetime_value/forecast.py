"""What of every customer's forecast the tables of the room show: of the customers chosen, and in the hold-out.

The models know every customer the reader may see; region, channel and category choose whose forecasts are shown. Nothing after the
as-of date is seen but by the hold-out.
"""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_metrics.customer_forecast.forecast import Dates, Terms, ahead, fitted, known, valued
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.lifetime_value import query, statistic
from crm_metrics.purchase_model.groups import Integers
from crm_metrics.purchase_model.holdout import expected_cumulative
from crm_metrics.purchase_model.prediction import PartDraws, drawn_parts
from crm_metrics.scope import Scope

Booleans = NDArray[np.bool_]


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
    customer = source.remember(known, filters.scope, as_of).customers["customer_number"].to_numpy()
    if choice(filters) == Filters(scope=filters.scope):
        return np.ones(len(customer), dtype=bool)
    return np.isin(customer, source.arrow(query.chosen_customers(filters, as_of))["customer_number"].to_numpy())


def is_shown(source: Source, filters: Filters, as_of: date) -> Booleans:
    """Return `is_chosen`, asked once for all periods."""
    return source.remember(is_chosen, choice(filters), as_of)


def choice(filters: Filters) -> Filters:
    """Return `filters` without what the models do not look at, so that an answer is kept once."""
    chosen = Filters(region=filters.region, channel=filters.channel, category=filters.category, scope=filters.scope)
    return replace(chosen, segments=filters.segments, segments_on=filters.segments_on or filters.today) if filters.segments else chosen
