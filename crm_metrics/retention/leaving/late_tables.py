"""The tables of who is late, and of what it is to have left."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.customer_forecast import rhythm
from crm_metrics.customer_forecast.forecast import NO_DATA
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson
from crm_metrics.retention.leaving import contract, query
from crm_metrics.retention.leaving.asked import alive, base, choice, chosen, judgements, lateness, rhythms, today_of, year_before
from crm_metrics.retention.leaving.contract_tables import contracts
from crm_metrics.retention.leaving.definitions import (
    CONTRACT,
    RHYTHM,
    USUAL,
    Booleans,
    ChurnTerms,
    Judgement,
    agreement_rows,
    rate_row,
    standing,
)


def churn_definitions(source: Source, filters: Filters, terms: ChurnTerms = USUAL) -> pd.DataFrame:
    """Return one row per definition of having left: what came over the year up to the as-of day of those active at its start.

    definition ('own_rhythm', 'p_alive', 'no_order', 'contract'), state ('known', else why there is no rate: 'too_few' intervals,
    'too_short' a history for them, 'no_model', 'no_leaving' found by the model, 'no_history' a year ago, 'no_days' of contracts), since,
    until, customers (active on since; of 'contract' contracts), churned (of them, by until), rate (a year), low, high (Wilson),
    lost_today (of everybody ever seen), customers_today (everybody), is_history_short (the data begin within the year before since, so
    only some of those active then are known).
    """
    today = today_of(source, filters)
    if today is None:
        row = rate_row(CONTRACT, "no_days", (NO_DATA, NO_DATA), counts=(0, 0), lost=(math.nan, math.nan))
        return pd.DataFrame([row]).assign(is_history_short=False)
    shown, since = source.remember(chosen, choice(filters), today), year_before(today)
    said = _judged(source, filters, today, terms)
    rows = [
        rate_row(
            name,
            one.state,
            (since, today),
            counts=(int((shown & one.active_then).sum()), int((shown & one.active_then & one.lost_now).sum())),
            lost=(int((shown & one.lost_now).sum()), int(shown.sum())),
        )
        for name, one in said.items()
    ]
    held = source.remember(contracts, choice(filters), today)
    if len(held):
        ran, lost = contract.year_counts(held, since)
        ended = float(held.loc[held["is_lost"], "contracts"].sum()), float(held["contracts"].sum())
        rows.append(
            rate_row(CONTRACT, "known" if held["started_on"].notna().any() else "no_days", (since, today), counts=(ran, lost), lost=ended)
        )
    found, firsts = pd.DataFrame(rows), source.remember(rhythms, filters.scope, today)["first_on"]
    is_short = len(firsts) > 0 and firsts.min() > pd.Timestamp(year_before(since))
    return found.assign(is_history_short=is_short & (found["definition"] != CONTRACT))


def _judged(source: Source, filters: Filters, today: date, terms: ChurnTerms) -> dict[str, Judgement]:
    return source.remember(judgements, Filters(end=today, scope=filters.scope), terms)


def churn_agreement(source: Source, filters: Filters, terms: ChurnTerms = USUAL) -> pd.DataFrame:
    """Return one row per pair of definitions, of the customers active under both a year before the as-of day.

    first, second, customers, lost_by_both, lost_by_first (and not the second), lost_by_second, lost_by_neither, agreed_share (of
    customers).
    """
    today = today_of(source, filters)
    said = _judged(source, filters, today, terms) if today else {}
    return agreement_rows(said, source.remember(chosen, choice(filters), today) if today else np.empty(0, dtype=bool))


def late(source: Source, filters: Filters, terms: ChurnTerms = USUAL) -> pd.DataFrame:
    """Return one row per number of purchase days so far ('1', '2', '3-4', '5-9', '10+'): who is late by the own rhythm.

    purchase_days, customers, late, share, low, high (Wilson), usual_days (half of the intervals expected are shorter; median customer),
    late_after_days (median). Nothing where there are too few intervals.
    """
    columns = ["purchase_days", "customers", "late", "share", "low", "high", "usual_days", "late_after_days"]
    today, usual = with_base(source, filters)
    if today is None or usual is None:
        return pd.DataFrame(columns=columns)
    stood, shown = _stood(source, filters, today)
    share = source.remember(lateness, filters.scope, today, today)
    place = np.searchsorted([2, 3, 5, 10], stood.purchase_days, side="right")
    middle, limit = (rhythm.expected_days(usual, stood.purchase_days, stood.span_days, part) for part in (0.5, terms.late_from))
    rows = []
    for number, name in enumerate(("1", "2", "3-4", "5-9", "10+")):
        held = shown & (place == number)
        customers, gone = int(held.sum()), int((held & (share >= terms.late_from)).sum())
        if customers:
            days = float(np.median(middle[held])), float(np.median(limit[held]))
            rows.append((name, customers, gone, gone / customers, *wilson(gone, customers), *days))
    return pd.DataFrame(rows, columns=columns)


def with_base(source: Source, filters: Filters) -> tuple[date | None, rhythm.Base | None]:
    """Return the as-of day, and what is usual where there are intervals enough."""
    today = today_of(source, filters)
    usual = source.remember(base, filters.scope, today) if today else None
    return today, usual if usual and usual.is_known else None


def _stood(source: Source, filters: Filters, today: date) -> tuple[Any, Booleans]:
    known = source.remember(rhythms, filters.scope, today)
    return standing(known, today), source.remember(chosen, choice(filters), today)


def late_customers(source: Source, filters: Filters, terms: ChurnTerms = USUAL, definition: str = RHYTHM) -> pd.DataFrame:
    """Return one row per customer who is late by the own rhythm, or lost by another definition, those with most purchase days first.

    definition: 'own_rhythm', 'p_alive' or 'no_order'; on the as-of day, whoever was active a year before.

    customer_id, customer_name, purchase_days (so far), last_on, days_since_last_order, mean_interval_days (own; NaN with one purchase
    day), usual_interval_days (half of the intervals expected are shorter), expected_on (the last purchase day and those), lateness (share
    of the intervals expected that are shorter than the silence), probability_alive (MBG/NBD; NaN where it is no finding).
    """
    columns = ["customer_id", "customer_name", "purchase_days", "last_on", "days_since_last_order", "mean_interval_days",
               "usual_interval_days", "expected_on", "lateness", "probability_alive"]  # fmt: skip
    today = today_of(source, filters)
    if today is None:
        return pd.DataFrame(columns=columns)
    (stood, shown), known = _stood(source, filters, today), source.remember(rhythms, filters.scope, today)
    share, usual = source.remember(lateness, filters.scope, today, today), source.remember(base, filters.scope, today)
    rows = np.flatnonzero(shown & _judged(source, filters, today, terms)[definition].lost_now)
    counted, span = stood.purchase_days[rows], stood.span_days[rows]
    middle = rhythm.expected_days(usual, counted, span)
    held = known.iloc[rows]
    found = pd.DataFrame(
        {
            "customer_number": held["customer_number"].to_numpy(),
            "purchase_days": counted.astype(np.int64),
            "last_on": held["last_on"].to_numpy(),
            "days_since_last_order": stood.silent_days[rows],
            "mean_interval_days": np.where(counted > 1, span / np.maximum(counted - 1, 1), np.nan),
            "usual_interval_days": middle,
            "expected_on": held["last_on"].to_numpy() + pd.to_timedelta(np.round(middle), unit="D").to_numpy(),
            "lateness": share[rows],
            "probability_alive": source.remember(alive, filters.scope, today, today)[rows],
        }
    )
    names = source.remember(_names).reindex(found["customer_number"])
    found = found.assign(customer_id=names["customer_id"].to_numpy(), customer_name=names["customer_name"].to_numpy())
    order = np.lexsort([found["customer_number"], found["lateness"], -found["purchase_days"]])
    return found.iloc[order][columns].reset_index(drop=True)


def _names(source: Source) -> pd.DataFrame:
    return source(query.customer_names()).set_index("customer_number")
