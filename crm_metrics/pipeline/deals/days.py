"""The days of the deals: first and last, the reader's own, and how far back their history goes."""

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Choice, Filters
from crm_metrics.periods import Period
from crm_metrics.pipeline.deals import query
from crm_metrics.scope import Scope

_NEVER = date(1970, 1, 1)


class DealDays(NamedTuple):
    """held: first and last day on which something happened. today: where the reader stands. on: that day for the queries, None where
    nothing happened after it: the deals are as the data say.
    """

    held: Period
    today: date
    on: date | None


def held(source: Source, scope: Scope) -> Period | None:
    """Return first and last day on which something happened to a deal or lead, or was done; None without any."""
    days = source(query.extent(scope)).iloc[0]
    return None if pd.isna(days["first_on"]) else Period(days["first_on"].date(), days["last_on"].date())


def deal_days(source: Source, filters: Filters) -> DealDays | None:
    """Return the days of the deals; None without any."""
    days = source.remember(held, filters.scope)
    if days is None:
        return None
    today = filters.today or days.end
    return DealDays(days, today, None if today >= days.end else today)


def last_day(source: Source, filters: Filters) -> pd.Timestamp:
    """Return the day on which the reader stands; where nothing ever happened one before all others."""
    days = deal_days(source, filters)
    return pd.Timestamp(days.today if days else _NEVER)


def asked_day(source: Source, filters: Filters) -> date | None:
    """Return that day for the queries: DealDays.on."""
    days = deal_days(source, filters)
    return days.on if days else None


def whatever_period(filters: Filters) -> Filters:
    """Return the filters without what says nothing of the deals as they stand on the reader's day: what is kept of these serves all
    periods up to that day.
    """
    return replace(filters, start=None, end=None, as_of=filters.today, compare="previous", channel=(), customer="")


def subject_values(choice: Choice, scope: Scope, _until: date) -> Select[Any] | None:
    """One row per value by which deals can be narrowed: value. None where the choice does not concern deals."""
    return query.values_of(choice.key, scope) if choice.key != "channel" else None
