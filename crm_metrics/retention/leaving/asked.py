"""What several tables of this part ask, once per version of the data, scope and as-of day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.customer_forecast import rhythm
from crm_metrics.customer_forecast.forecast import NO_DATA, dates, fitted
from crm_metrics.customer_forecast.statistic import finds_leaving, found_alive
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.retention.leaving import query
from crm_metrics.retention.leaving.definitions import (
    ALIVE,
    ALIVE_FROM,
    RHYTHM,
    WINDOW,
    YEAR_DAYS,
    Booleans,
    ChurnTerms,
    Judgement,
    standing,
)
from crm_metrics.scope import Scope


def today_of(source: Source, filters: Filters) -> date | None:
    """Return the as-of day, no later than the last order; None on data without orders."""
    as_of = dates(source, filters).as_of
    return None if as_of == NO_DATA else as_of


def contracts_day(source: Source, filters: Filters) -> date | None:
    """Return the as-of day of contracts; on data without orders the reader's own, None where there is none."""
    return today_of(source, filters) or filters.today


def choice(filters: Filters) -> Filters:
    """Return `filters` without the period, which chooses no customer and no contract here, so that an answer is kept once."""
    return replace(filters, start=None, end=None, as_of=None, compare="previous", segments_on=filters.segments_on or filters.today)


def year_before(today: date) -> date:
    """Return the day on which the year up to `today` begins."""
    return today - timedelta(days=YEAR_DAYS)


def rhythms(source: Source, scope: Scope, today: date) -> pd.DataFrame:
    """Return the purchase days of every customer up to `today`: see query.rhythms; ask by source.remember."""
    return source(query.rhythms(Filters(scope=scope), today, year_before(today)))


def base(source: Source, scope: Scope, today: date) -> rhythm.Base:
    """Return what is usual of all customers; ask by source.remember."""
    known = source.remember(rhythms, scope, today)
    return rhythm.base(known, history_days=(pd.Timestamp(today) - known["first_on"].min()).days if len(known) else 0)


def lateness(source: Source, scope: Scope, today: date, day: date) -> Any:
    """Return rhythm.lateness of each of `rhythms` on `day`, which is today or a year before; ask by source.remember."""
    known, usual = source.remember(rhythms, scope, today), source.remember(base, scope, today)
    stood = standing(known, day, then=day != today)
    return rhythm.lateness(usual, stood.purchase_days, stood.span_days, stood.silent_days)


def chosen(source: Source, filters: Filters, today: date) -> Booleans:
    """Return which of `rhythms` the filters choose; ask by source.remember."""
    numbers = source.remember(rhythms, filters.scope, today)["customer_number"].to_numpy()
    if not (filters.region or filters.channel or filters.category or filters.segments):
        return np.ones(len(numbers), dtype=bool)
    return np.isin(numbers, source(query.chosen_customers(filters, today))["customer_number"].to_numpy())


def alive(source: Source, scope: Scope, today: date, day: date) -> Any:
    """Return P(alive) of each of `rhythms` on `day` by the MBG/NBD of today; NaN where it is no finding. day: as in `lateness`."""
    from crm_metrics.purchase_model.score import probability_alive

    known, model = source.remember(rhythms, scope, today), source.remember(fitted, scope, today).models["mbg_nbd"]
    stood = standing(known, day, then=day != today)
    past = {"frequency": stood.purchase_days - 1, "recency_days": stood.span_days, "age_days": stood.age_days}
    found = pd.DataFrame(past)
    is_there = stood.purchase_days > 0
    held = found[is_there]
    chance = np.full(len(found), np.nan)
    chance[is_there] = found_alive(model, held, pd.Series(probability_alive(model, held), index=held.index))
    return chance


def judgements(source: Source, filters: Filters, terms: ChurnTerms) -> dict[str, Judgement]:
    """Return what each definition says of each of `rhythms`; ask by source.remember."""
    today, scope = today_of(source, filters) or NO_DATA, filters.scope
    since = year_before(today)
    known, usual, made = source.remember(rhythms, scope, today), source.remember(base, scope, today), source.remember(fitted, scope, today)
    model = made.models["mbg_nbd"]
    late_then, late_now = (source.remember(lateness, scope, today, day) for day in (since, today))
    silent_then, silent_now = standing(known, since, then=True).silent_days, standing(known, today).silent_days
    alive_state = "no_model" if not model.converged else "known" if finds_leaving(model) else "no_leaving"
    alive_then, alive_now = (source.remember(alive, scope, today, day) for day in (since, today))
    limit = terms.late_from
    return {
        RHYTHM: Judgement(usual.state, late_then < limit, late_now >= limit),
        ALIVE: Judgement(alive_state, alive_then >= ALIVE_FROM, alive_now < ALIVE_FROM),
        WINDOW: Judgement("known", silent_then < terms.window_days, silent_now >= terms.window_days),
    }
