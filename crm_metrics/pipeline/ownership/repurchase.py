"""Which customers should have bought again by now?

A customer's own interval is expected as on the page of churn (customer_forecast.rhythm): from what is usual of all, the more from the
customer's own purchases the more there are. That a customer is gone is told as by the MBG/CNBD-k model, whose intervals are regular:
Reutterer, Platzer and Schröder (2021), Leveraging purchase regularity for predicting customer behavior the easy way, International Journal
of Research in Marketing 38, 194-215. After each purchase a customer leaves with a chance of its own, beta distributed over the customers;
who is silent for long has left, or has a long interval.

Purchases are a customer's days with an order, and days on which a deal was won later than SAME_PURCHASE_DAYS after the last order: the
order of such a deal is not in the data, and customers without any order have deals alone.
"""

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import CTE, Double, Select, and_, case, cast, func, or_, select

from crm_metrics.customer_forecast import rhythm
from crm_metrics.customer_forecast.query import begins_day
from crm_metrics.customer_forecast.statistic import SMALLEST_LEAVING
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson_bounds
from crm_metrics.pipeline.deals.query import WON, activity_rows, deals
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.ownership.query import latest_owners, owned_customers
from crm_metrics.pipeline.ownership.terms import SAME_PURCHASE_DAYS
from crm_metrics.schema import customer_facts, employees
from crm_metrics.scope import visible_orders
from crm_metrics.sql import days_between

Floats = npt.NDArray[np.float64]
_BINS = 500  # of the share of intervals that are longer than the silence, when customers alike are counted together
_MOST_LOG = 8.0  # of a parameter: beyond a thousand times what is published the chance to leave is the same for all
_BAND = (0.1, 0.9)  # four of five next purchases
_MOST_DAYS = 36_500  # a hundred years: who buys so rarely has no day
LATENESS = (0.5, 1.0, 1.5, 2.0, 3.0)  # times the interval expected
CHANCES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def purchases(filters: Filters, terms: DealTerms, until: date, on: date | None) -> Select[Any]:
    """One row per customer with a purchase by the end of `until` whose kind has owners (anyone where nobody has one), by customer_id.

    customer_id, is_chosen (within the filters and terms), purchase_days, first_on, last_on, log_sum and log_square_sum (of the days from
    each to the next, as logarithms), purchase_value (net revenue of all orders, and value of the deals counted; empty: unknown), valued
    (purchase days whose value is known). All purchases the reader may see, whatever the filters. on: of the deals, see deals.
    """
    every, ordered = deals(Filters(scope=filters.scope), on=on), _ordered(filters, until)
    seen, won = owned_customers(filters, terms, latest_owners(every)), _won_after(every, ordered)
    order, deal = ordered.c, won.c
    both = [
        (func.coalesce(order[name], 0) + func.coalesce(deal[name], 0)).label(name)
        for name in ("purchase_days", "log_sum", "log_square_sum", "valued")
    ]
    value = case(
        (or_(order.valued > 0, deal.valued > 0), func.coalesce(order.purchase_value, 0) + func.coalesce(deal.purchase_value, 0))
    ).label("purchase_value")
    days = (func.coalesce(order.first_on, deal.first_on).label("first_on"), func.coalesce(deal.last_on, order.last_on).label("last_on"))
    joined = seen.outerjoin(ordered, order.customer_id == seen.c.customer_id).outerjoin(won, deal.customer_id == seen.c.customer_id)
    bought = or_(order.purchase_days > 0, deal.purchase_days > 0)
    return select(seen.c.customer_id, seen.c.is_chosen, *both, value, *days).select_from(joined).where(bought).order_by(seen.c.customer_id)


def _ordered(filters: Filters, until: date) -> CTE:
    """One row per customer with a purchase day by `until`: customer_id, and as `purchases`, of orders alone."""
    rows = visible_orders(filters.scope)
    row, of_day = rows.c, begins_day(rows)
    days = cast(days_between(row.previous_purchase_on, row.ordered_on), Double)
    logs = case((and_(of_day, row.previous_purchase_on.is_not(None)), func.ln(days)))
    day = case((of_day, row.ordered_on))
    summed = (
        select(
            row.customer_number,
            func.count(day).label("purchase_days"),
            func.min(day).label("first_on"),
            func.max(day).label("last_on"),
            func.sum(logs).label("log_sum"),
            func.sum(logs * logs).label("log_square_sum"),
            func.sum(row.net_revenue).label("purchase_value"),
        )
        .where(row.customer_number.is_not(None), row.ordered_on <= until)
        .group_by(row.customer_number)
        .having(func.count(day) > 0)
        .cte("ordered_sums")
    )
    return (
        select(
            customer_facts.c.customer_id,
            *[column for column in summed.c if column.name != "customer_number"],
            summed.c.purchase_days.label("valued"),
        )
        .join_from(summed, customer_facts, customer_facts.c.customer_number == summed.c.customer_number)
        .cte("ordered")
    )


def _won_after(every: CTE, ordered: CTE) -> CTE:
    """One row per customer with deals won later than its last order: customer_id, and as `purchases`, of their days alone."""
    deal = every.c
    last_on = ordered.c.last_on
    is_later = or_(last_on.is_(None), days_between(last_on, deal.closed_on) > SAME_PURCHASE_DAYS)
    days = (
        select(
            deal.customer_id,
            deal.closed_on,
            last_on.label("ordered_on"),
            func.sum(deal.deal_amount).label("deal_amount"),
        )
        .select_from(every.outerjoin(ordered, ordered.c.customer_id == deal.customer_id))
        .where(deal.outcome == WON, deal.customer_id.is_not(None), deal.closed_on.is_not(None), is_later)
        .group_by(deal.customer_id, deal.closed_on, last_on)
        .cte("won_days")
    )
    day = days.c
    before = func.coalesce(func.lag(day.closed_on).over(partition_by=day.customer_id, order_by=day.closed_on), day.ordered_on)
    gaps = select(*day, func.ln(cast(days_between(before, day.closed_on), Double)).label("log_days")).cte("won_gaps").c
    return (
        select(
            gaps.customer_id,
            func.count().label("purchase_days"),
            func.min(gaps.closed_on).label("first_on"),
            func.max(gaps.closed_on).label("last_on"),
            func.sum(gaps.log_days).label("log_sum"),
            func.sum(gaps.log_days * gaps.log_days).label("log_square_sum"),
            func.sum(gaps.deal_amount).label("purchase_value"),
            func.count(gaps.deal_amount).label("valued"),
        )
        .group_by(gaps.customer_id)
        .cte("won_after")
    )


def customer_details(filters: Filters, customers: tuple[str, ...], until: date, on: date | None) -> Select[Any]:
    """One row per customer of these: customer_id, customer_name, region, owner_id and owner_name (as the data stand; where the customer has
    none or on a past day, of its latest deal), owner_left_on, open_deals, last_contact_on (activity with the customer by `until`).
    """
    last, who = latest_owners(deals(Filters(scope=filters.scope), on=on)), employees.alias("caller")
    seen, done = owned_customers(Filters(scope=filters.scope), latest=last), activity_rows(Filters(scope=filters.scope), until=until).c
    contacted = (
        select(done.customer_id, func.max(done.happened_on).label("last_contact_on"))
        .where(done.customer_id.in_(customers))
        .group_by(done.customer_id)
        .cte("contacted")
    )
    owner_id = (last if on else seen).c.owner_id
    joined = (
        seen.outerjoin(last, last.c.customer_id == seen.c.customer_id)
        .outerjoin(contacted, contacted.c.customer_id == seen.c.customer_id)
        .outerjoin(who, who.c.employee_id == owner_id)
    )
    columns = (seen.c.customer_id, seen.c.customer_name, seen.c.region, owner_id)
    name = func.coalesce(who.c.employee_name, owner_id).label("owner_name")
    open_deals = func.coalesce(last.c.open_deals, 0).label("open_deals")
    return (
        select(*columns, name, who.c.left_on.label("owner_left_on"), open_deals, contacted.c.last_contact_on)
        .select_from(joined)
        .where(seen.c.customer_id.in_(customers))
    )


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Leaving(NamedTuple):
    """The chance to leave after a purchase is beta distributed over the customers with a and b; NaN where no rhythm is known."""

    a: float
    b: float

    @property
    def is_found(self) -> bool:
        """Whether customers leave at all; if not, that all still are customers is an assumption."""
        return self.a / (self.a + self.b) >= SMALLEST_LEAVING


def with_lasting(known: rhythm.Base, rows: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Return `rows` with lasting: the share of the customer's next intervals that are longer than its silence. rows: see `purchases`."""
    return rows.assign(lasting=1 - rhythm.lateness(known, *_history(rows, until)))


def leaving(known: rhythm.Base, rows: pd.DataFrame) -> Leaving:
    """Return what makes the silences of all customers most likely. rows: purchase_days, lasting."""
    from scipy.optimize import minimize

    if not known.is_known:
        return Leaving(np.nan, np.nan)
    counted, lasting = (rows[name].to_numpy(dtype=float) for name in ("purchase_days", "lasting"))
    # customers alike are counted together: repeats, and the share of intervals that are longer than the silence
    cells, weight = np.unique(counted.astype(np.int64) * (_BINS + 1) + np.round(lasting * _BINS).astype(np.int64), return_counts=True)
    repeats, share = (part.astype(float) for part in (cells // (_BINS + 1) - 1, cells % (_BINS + 1) / _BINS))

    def loss(logs: Floats) -> float:
        return -float((weight * _log_likelihood(np.exp(logs[0]), np.exp(logs[1]), repeats, share)).sum()) / len(rows)

    found = minimize(loss, [0.0, 1.5], method="L-BFGS-B", bounds=[(-_MOST_LOG, _MOST_LOG)] * 2)
    a, b = np.exp(found.x).tolist()
    return Leaving(a, b)


def _log_likelihood(a: float, b: float, repeats: Floats, share: Floats) -> Floats:
    """Return the log-likelihood of staying after each repeated purchase, and of having left after the last, or being silent since."""
    from scipy.special import betaln

    gone = betaln(a + 1, b + repeats)
    return np.asarray(gone - betaln(a, b) + np.log1p(share * (b + repeats) / a), dtype=float)


def _history(rows: pd.DataFrame, until: pd.Timestamp) -> tuple[Floats, Floats, Floats]:
    """Return purchase days, days from the first to the last of them, and days since the last."""
    last = rows["last_on"]
    days: list[Any] = [rows["purchase_days"], (last - rows["first_on"]).dt.days, (until - last).dt.days]
    counted, span, silent = (part.to_numpy(dtype=float) for part in days)
    return counted, span, silent


def expected(rows: pd.DataFrame, known: rhythm.Base, gone: Leaving, until: pd.Timestamp, *, horizon_days: int) -> pd.DataFrame:
    """Return `rows` with what is expected of each customer, in the order given. rows: see `with_lasting`; known: of all of them.

    days_since_last_purchase, usual_interval_days (half of the customer's next intervals are shorter), own_share (how much of that rests on
    the customer's own intervals, beside what is usual of all), is_due (silent for as long or longer), still_customer (chance), chance (to
    buy within the next `horizon_days`), value_per_purchase (mean of those whose value is known), value_at_stake (value_per_purchase x
    still_customer).
    """
    counted, span, silent = _history(rows, until)
    usual = rhythm.expected_days(known, counted, span)
    lasting, later = rows["lasting"].to_numpy(dtype=float), 1 - rhythm.lateness(known, counted, span, silent + horizon_days)
    odds = (gone.b + counted - 1) / gone.a
    still = odds * lasting / (1 + odds * lasting)
    value = rows["purchase_value"].to_numpy(dtype=float) / np.where(rows["valued"] > 0, rows["valued"], np.nan)
    own = known.shape * (counted - 1)
    return rows.assign(
        days_since_last_purchase=silent.astype(np.int64),
        usual_interval_days=usual,
        own_share=own / (known.rates_shape + own),
        is_due=silent >= usual,
        still_customer=still,
        chance=odds * (lasting - later) / (1 + odds * lasting),
        value_per_purchase=value,
        value_at_stake=value * still,
    )


def band(rows: pd.DataFrame, known: rhythm.Base, until: pd.Timestamp) -> pd.DataFrame:
    """Return next_from_on, next_until_on of each row: four of five of the next purchases lie between, if it still is a customer."""
    from scipy.special import betaincinv

    counted, span, silent = _history(rows, until)
    ended = rhythm.lateness(known, counted, span, silent)
    shape = known.rates_shape + known.shape * (counted - 1)
    days = {}
    for name, share in zip(("next_from_on", "next_until_on"), _BAND, strict=True):
        part = betaincinv(known.shape, shape, ended + share * (1 - ended))
        whole = np.ceil((known.rates_scale + span) * part / (1 - part))
        days[name] = rows["last_on"].to_numpy() + np.minimum(whole, _MOST_DAYS).astype("timedelta64[D]")
    return pd.DataFrame(days, index=rows.index)


def by_lateness(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row per length of silence, in times the interval expected: from_times, to_times (infinite: or longer), customers,
    still_customer, chance (both means), expected_customers (chances added up), value_at_stake. found: see `expected`.
    """
    times = found["days_since_last_purchase"] / found["usual_interval_days"]
    place = np.searchsorted(LATENESS, times.to_numpy(), side="right")
    edges = (0.0, *LATENESS, np.inf)
    grouped = found.assign(place=place, expected_customers=found["chance"]).groupby("place")
    made = grouped.agg(
        customers=("customer_id", "size"),
        still_customer=("still_customer", "mean"),
        chance=("chance", "mean"),
        expected_customers=("expected_customers", "sum"),
    )
    made["value_at_stake"] = grouped["value_at_stake"].sum(min_count=1)
    made = made.reset_index()
    bounds = {"from_times": [edges[at] for at in made["place"]], "to_times": [edges[at + 1] for at in made["place"]]}
    return pd.DataFrame(bounds).join(made.drop(columns="place"))


def checked(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return one row per chance told then: from_chance, to_chance, customers, expected_customers (who should have bought), bought (who
    did), share, low, high (Wilson). then: see `expected`; now: the rows of `purchases` at the end of the days it looked ahead.
    """
    last = then[["customer_id", "chance", "last_on"]].merge(now[["customer_id", "last_on"]], on="customer_id", suffixes=("", "_now"))
    place = np.searchsorted(CHANCES, last["chance"].to_numpy(), side="right")
    edges = (0.0, *CHANCES, 1.0)
    grouped = last.assign(place=place, bought=last["last_on_now"] > last["last_on"]).groupby("place")
    made = grouped.agg(customers=("chance", "size"), expected_customers=("chance", "sum"), bought=("bought", "sum")).reset_index()
    low, high = wilson_bounds(made["bought"], made["customers"])
    limits = {"from_chance": [edges[at] for at in made["place"]], "to_chance": [edges[at + 1] for at in made["place"]]}
    share = made["bought"] / made["customers"]
    return pd.DataFrame(limits).join(made.drop(columns="place")).assign(share=share, low=low, high=high)
