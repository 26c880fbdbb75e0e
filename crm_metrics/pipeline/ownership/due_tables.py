"""The tables of who should have bought again by now, as of the reader's day."""

import math
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_forecast import rhythm
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import TILE_COLUMNS, tile
from crm_metrics.pipeline.deals.days import deal_days, whatever_period
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.ownership import metrics, repurchase
from crm_metrics.pipeline.ownership.terms import DUE, HORIZON_DAYS, LOST, MOST_LISTED, STILL_FROM
from crm_metrics.rooms import Table
from crm_metrics.sales import extent

LISTED = [
    *("customer_id", "customer_name", "owner_name", "region", "purchase_days", "last_on", "days_since_last_purchase"),
    *("usual_interval_days", "own_share", "still_customer", "chance", "next_from_on", "next_until_on"),
    *("value_per_purchase", "value_at_stake", "open_deals", "last_contact_on", "owner_id"),
]


class Standing(NamedTuple):
    """What is expected of every customer: see repurchase.expected. known, gone: what it rests on; until: the day; on: see deals."""

    customers: pd.DataFrame
    known: rhythm.Base
    gone: repurchase.Leaving
    until: date
    on: date | None


def queries(source: Source, filters: Filters) -> tuple[Select, ...]:
    """Return the query that purchases come from, to be shown."""
    until, on = _day(source, filters)
    return (repurchase.purchases(filters, ALL_DEALS, until or date.min, on),)


def _day(source: Source, filters: Filters) -> tuple[date | None, date | None]:
    """Return the reader's day, no later than the data go, None without any order and deal; and that day for deals: see DealDays."""
    days, last_order = deal_days(source, filters), source(extent(filters.scope))["last_on"].iloc[0]
    ends = [*([days.held.end] if days else []), *([] if pd.isna(last_order) else [last_order.date()])]
    return min([filters.today or max(ends), max(ends)]) if ends else None, days.on if days else None


class _Bought(NamedTuple):
    rows: pd.DataFrame
    until: date
    on: date | None


def bought(source: Source, filters: Filters, terms: DealTerms, back_days: int = 0) -> _Bought | None:
    """Return repurchase.purchases up to the reader's day, or so many days before it; None without any day. Ask by source.remember."""
    until, on = _day(source, filters)
    if until is None:
        return None
    until, on = (until - timedelta(back_days), until - timedelta(back_days)) if back_days else (until, on)
    return _Bought(source(repurchase.purchases(filters, terms, until, on)), until, on)


def standing(source: Source, filters: Filters, terms: DealTerms, back_days: int = 0) -> Standing | None:
    """Return how customers stand on the reader's day, or so many days before it; None without purchases. Ask by source.remember."""
    found = source.remember(bought, filters, terms, back_days)
    if found is None or not len(found.rows):
        return None
    today = pd.Timestamp(found.until)
    known = rhythm.base(found.rows, history_days=(today - found.rows["first_on"].min()).days)
    rows = repurchase.with_lasting(known, found.rows, today)
    gone = repurchase.leaving(known, rows)
    return Standing(repurchase.expected(rows, known, gone, today, horizon_days=HORIZON_DAYS), known, gone, found.until, found.on)


def _standing(source: Source, filters: Filters, terms: DealTerms, back_days: int = 0) -> Standing | None:
    return source.remember(standing, whatever_period(filters), terms, back_days)


def _chosen(source: Source, filters: Filters, terms: DealTerms, back_days: int = 0) -> pd.DataFrame | None:
    """Return the rows of `standing` within filters and terms; None where no rhythm is known."""
    found = _standing(source, filters, terms, back_days)
    return found.customers[found.customers["is_chosen"]] if found and found.known.is_known else None


def repurchase_tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high, unit, n (customers with a purchase); nothing where no rhythm is known."""
    rows = _chosen(source, filters, terms)
    if rows is None:
        return pd.DataFrame(columns=TILE_COLUMNS)
    due, lost = (_in_state(rows, state) for state in (DUE, LOST))
    return pd.DataFrame(
        [
            tile(metrics.DUE_CUSTOMERS, len(due), len(rows)),
            tile(metrics.DUE_VALUE, due["value_at_stake"].sum(min_count=1) if len(due) else 0.0, len(due)),
            tile(metrics.PROBABLY_LOST, len(lost), len(rows)),
            tile(metrics.EXPECTED_BUYERS, rows["chance"].sum(), len(rows), **_band(rows["chance"])),
        ]
    )


def _band(chances: pd.Series) -> dict[str, float]:
    """Return low, high: as many of them come true in 95 of 100 such months, by the normal distribution of a sum of chances."""
    half = 1.96 * math.sqrt(float((chances * (1 - chances)).sum()))
    return {"low": max(float(chances.sum()) - half, 0.0), "high": float(chances.sum()) + half}


def _in_state(rows: pd.DataFrame, state: str) -> pd.DataFrame:
    is_still = rows["still_customer"] >= STILL_FROM
    return rows[rows["is_due"] & (is_still if state == DUE else ~is_still)]


def repurchase_due(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, state: str = DUE) -> pd.DataFrame:
    """Return one row per customer who should have bought again by the reader's day, the largest value at stake first, MOST_LISTED of them.

    state: 'due' (silent for the interval expected of it or longer, and more likely than not still a customer) or 'lost' (less likely).
    LISTED: see repurchase.expected, repurchase.band and repurchase.customer_details. Nothing where no rhythm is known.
    """
    found = _standing(source, filters, terms)
    rows = _chosen(source, filters, terms)
    if found is None or rows is None:
        return pd.DataFrame(columns=LISTED)
    keys = ["value_at_stake", "chance", "customer_id"]
    largest = _in_state(rows, state).nlargest(MOST_LISTED, "value_at_stake", keep="all")
    rows = largest.sort_values(keys, ascending=[False, False, True], ignore_index=True).head(MOST_LISTED)
    details = source(repurchase.customer_details(filters, tuple(rows["customer_id"]), found.until, found.on))
    rows = rows.join(repurchase.band(rows, found.known, pd.Timestamp(found.until)))
    return rows.merge(details, on="customer_id", how="left")[LISTED]


def repurchase_lateness(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per length of silence, in times the interval expected: see repurchase.by_lateness."""
    rows = _chosen(source, filters, terms)
    columns = ["from_times", "to_times", "customers", "still_customer", "chance", "expected_customers", "value_at_stake"]
    return pd.DataFrame(columns=columns) if rows is None else repurchase.by_lateness(rows)


def repurchase_check(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per chance told HORIZON_DAYS before the reader's day, and who has bought since: see repurchase.checked."""
    then, now = _chosen(source, filters, terms, HORIZON_DAYS), source.remember(bought, whatever_period(filters), terms, 0)
    columns = ["from_chance", "to_chance", "customers", "expected_customers", "bought", "share", "low", "high"]
    return pd.DataFrame(columns=columns) if then is None or now is None else repurchase.checked(then, now.rows)


def repurchase_basis(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row: what the chances rest on, all customers together.

    customers, intervals (between purchases), state ('known', 'too_few', 'too_short'; see rhythm.Base; 'none': no purchases),
    is_leaving_found (else all are taken to be customers still), leaving_share (chance to leave after a purchase, mean), chosen (customers
    within filters and terms), one_time (those of them with one purchase day), one_time_chance (mean chance of these to buy within
    HORIZON_DAYS).
    """
    found = _standing(source, filters, terms)
    if found is None:
        return pd.DataFrame([{"customers": 0, "intervals": 0, "state": "none"}])
    rows = found.customers[found.customers["is_chosen"]]
    once = rows[rows["purchase_days"] == 1]
    facts = {
        "customers": len(found.customers),
        "intervals": found.known.intervals,
        "state": found.known.state,
        "chosen": len(rows),
        "is_leaving_found": found.gone.is_found,
        "leaving_share": found.gone.a / (found.gone.a + found.gone.b),
        "one_time": len(once),
        "one_time_chance": once["chance"].mean(),
    }
    return pd.DataFrame([facts])


REPURCHASE_TABLES: dict[str, Table] = {
    "repurchase_due": repurchase_due,
    "repurchase_tiles": repurchase_tiles,
    "repurchase_lateness": repurchase_lateness,
    "repurchase_check": repurchase_check,
    "repurchase_basis": repurchase_basis,
}
