"""The tables of the room, and the queries behind them.

All look at every customer with a purchase up to the as-of date within the filters; the beginning of the period limits nothing. Only the
forecast sees what is outside the filters and the months left out: a model of some of a customer's purchases would be a model of nobody.
"""

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_forecast import forecast
from crm_metrics.customer_forecast.statistic import finds_leaving
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period, add_months, bucket_starts
from crm_metrics.purchase_model.gate import CUSTOMERS_NEEDED, REPEATERS_NEEDED
from crm_metrics.purchase_model.groups import Integers
from crm_metrics.segmentation import moves, query, silence, statistic
from crm_metrics.segmentation.rfm import Cuts, RfmTerms
from crm_metrics.segmentation.statistic import SCORE_COLUMNS, Scored

RECENT_MONTHS = 12
BY_QUINTILES = RfmTerms()
Months = tuple[date, ...]


def as_of_day(source: Source, filters: Filters) -> date:
    """Return the day on which customers are scored: the reader's, or the last day of the data if that is earlier."""
    return forecast.dates(source, filters).as_of


def from_day(source: Source, filters: Filters, from_on: date | None = None) -> date:
    """Return the earlier day of the movement: as given, else the day before the period, if the data have begun by then, else a year
    before the as-of date.

    Raises BadInput if the day given does not lie before the as-of date.
    """
    as_of = as_of_day(source, filters)
    if from_on and from_on >= as_of:
        raise BadInput(
            "The earlier day {from_on} does not lie before {as_of}, the day of the segments. Choose an earlier one.",
            from_on=from_on,
            as_of=as_of,
        )
    before = filters.start - timedelta(days=1) if filters.start else as_of
    has_begun = forecast.dates(source, filters).first_on <= before < as_of
    return from_on or (before if has_begun else add_months(as_of, -RECENT_MONTHS))


def months(source: Source, filters: Filters) -> list[date]:
    """Return the first days of the months up to the as-of date, to be left out."""
    days = forecast.dates(source, filters)
    return bucket_starts(Period(days.first_on, days.as_of), "month") if days.as_of != forecast.NO_DATA else []


def cuts(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> Cuts:
    """Return the cut points that the scores are made with, given or of the data."""
    return _now(source, filters, terms).cuts


def queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the query that scores and segments are made from, to be shown."""
    as_of = as_of_day(source, filters)
    return (query.customer_purchases(filters, as_of, since=add_months(as_of, -RECENT_MONTHS)),)


def gap_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the query that the lapse limit is made from, to be shown."""
    as_of = as_of_day(source, filters)
    return (query.gap_lengths(filters, add_months(as_of, -silence.WINDOW_MONTHS), as_of),)


# ── made once ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def choice(filters: Filters, as_of: date) -> Filters:
    """Return `filters` without what the room does not look at, so that an answer is kept once. Segments are those of the as-of date."""
    told_on = (filters.segments_on or as_of) if filters.segments else None
    return replace(filters, start=None, end=None, as_of=None, compare="none", customer="", segments_on=told_on)


class Days(NamedTuple):
    """as_of: last day that counts; revenue after `since` is recent."""

    since: date
    as_of: date


def purchases(source: Source, chosen: Filters, days: Days, left_out: Months) -> pd.DataFrame:
    """Return the rows of query.customer_purchases."""
    return source(query.customer_purchases(chosen, days.as_of, since=days.since, left_out=left_out))


def scored(source: Source, chosen: Filters, days: Days, terms: RfmTerms) -> Scored:
    """Return every customer with scores and segment."""
    bought = source.remember(purchases, chosen, days, terms.months_left_out)
    points = statistic.cuts_of(bought, terms)
    return Scored(statistic.with_scores(bought, points), points)


def moved(source: Source, chosen: Filters, days: Days, terms: RfmTerms) -> tuple[Integers, pd.DataFrame]:
    """Return where each customer of the as-of date stood on the day `since`, and these customers with their revenue in between."""
    after, points = source.remember(scored, chosen, days, terms)
    before = source.remember(purchases, chosen, _last_months(days.since), terms.months_left_out)
    return moves.origins(statistic.with_scores(before, points), after), after


def gap_table(source: Source, chosen: Filters, as_of: date, left_out: Months) -> tuple[silence.Lengths, silence.LifeTable]:
    """Return the gaps between purchases in the WINDOW_MONTHS up to `as_of`, and how many end on each day."""
    since = add_months(as_of, -silence.WINDOW_MONTHS)
    bought = source.remember(purchases, chosen, _last_months(as_of), left_out)
    silent_days = bought["days_since_last_order"].to_numpy(dtype=np.int64)
    ended = source(query.gap_lengths(chosen, since, as_of, left_out=left_out))
    found = silence.lengths(ended, silent_days, window_days=(as_of - since).days)
    return found, silence.life_table(found)


def _last_months(as_of: date) -> Days:
    return Days(add_months(as_of, -RECENT_MONTHS), as_of)


def _now(source: Source, filters: Filters, terms: RfmTerms) -> Scored:
    as_of = as_of_day(source, filters)
    return source.remember(scored, choice(filters, as_of), _last_months(as_of), terms)


def _margins(source: Source, filters: Filters, terms: RfmTerms) -> statistic.Margins:
    everybody = _now(source, replace(filters, segments=()), terms).customers
    return statistic.gross_margins(_now(source, filters, terms).customers, everybody)


def _moved(source: Source, filters: Filters, terms: RfmTerms, from_on: date) -> tuple[Integers, pd.DataFrame]:
    as_of = as_of_day(source, filters)
    return source.remember(moved, choice(filters, as_of), Days(from_on, as_of), terms)


def _gaps(source: Source, filters: Filters, terms: RfmTerms) -> tuple[silence.Lengths, silence.LifeTable]:
    as_of = as_of_day(source, filters)
    return source.remember(gap_table, choice(filters, as_of), as_of, terms.months_left_out)


def _forecasts(source: Source, filters: Filters, customers: pd.DataFrame) -> pd.DataFrame:
    """Return customer_id, customer_name, probability_alive, expected_value and place (by customer_id) of `customers`, row by row."""
    valued = source.remember(forecast.valued, filters.scope, as_of_day(source, filters), forecast.Terms())
    numbers = valued["customer_number"].to_numpy()
    places = np.zeros(int(numbers.max(initial=0)) + 1, dtype=np.int64)
    places[numbers] = np.arange(len(numbers))
    place = places[customers["customer_number"].to_numpy()]
    found = valued[["customer_id", "customer_name", "alive_mbg_nbd", "expected_value"]].take(place).set_axis(customers.index)
    return found.rename(columns={"alive_mbg_nbd": "probability_alive"}).assign(place=place)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (95%), unit, n (customers it is about; of the limit, gaps)."""
    customers = _now(source, filters, terms).customers
    return pd.DataFrame(statistic.tile_rows(customers) + statistic.lapse_tile_rows(customers, lapse(source, filters, terms)))


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's one tile for the overview: the revenue at risk."""
    rows = pd.DataFrame(statistic.tile_rows(_now(source, filters, BY_QUINTILES).customers))
    return rows.query("metric == 'at_risk_revenue'").reset_index(drop=True)


def segments(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return one row per segment in the order of SEGMENTS, empty ones too.

    segment, customers, customers_share, net_revenue, net_revenue_share, recent_revenue (of the 12 months up to the as-of date),
    gross_margin, gross_margin_share (both unknown where costs are known of less than 95% of net revenue), days_since_last_order_median,
    orders_mean, probability_alive (mean by the MBG/NBD: the BG/NBD calls one-time buyers certain), expected_value (the next 12 months,
    discounted at 10% a year, as in the room Lifetime value), expected_value_per_customer; the last three unknown without a model, and
    probability_alive where the model finds nobody leaving: the few per mille below 1 of those who came back would be its assumption.
    """
    customers = _now(source, filters, terms).customers
    forecasts = _forecasts(source, filters, customers)
    if not _finds_leaving(source, filters):
        forecasts = forecasts.assign(probability_alive=math.nan)
    return statistic.segment_rows(customers, _margins(source, filters, terms).margins, forecasts)


def _finds_leaving(source: Source, filters: Filters) -> bool:
    return finds_leaving(source.remember(forecast.fitted, filters.scope, as_of_day(source, filters)).models["mbg_nbd"])


def customers(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return one row per customer, the highest net revenue first.

    customer_id, customer_name, segment, days_since_last_order, orders, net_revenue, recency_score, frequency_score, monetary_score, rfm
    (the three scores), last_on (day of the last purchase), probability_alive (MBG/NBD), expected_value.
    """
    customers = _now(source, filters, terms).customers
    return statistic.customer_rows(customers, _forecasts(source, filters, customers), as_of_day(source, filters))


def cells(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return one row per recency and frequency score, 25, the highest first: recency_score, frequency_score, segment, customers,
    customers_share, net_revenue, net_revenue_share.
    """
    return statistic.cell_rows(_now(source, filters, terms).customers, SCORE_COLUMNS[:2])


def cube(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return one row per recency, frequency and monetary score, 125: the columns of `cells` and monetary_score."""
    return statistic.cell_rows(_now(source, filters, terms).customers, SCORE_COLUMNS)


def cut_points(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return one row per measure and score, 15.

    measure, score, low, high (lowest and highest value of the customers that have it; NaN: nobody), cut_from, cut_to (the values that
    would have it, both counted; NaN: no limit), customers, is_given (the reader's own cut points).
    """
    return statistic.cut_rows(_now(source, filters, terms), terms)


def movement(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES, from_on: date | None = None) -> pd.DataFrame:
    """Return one row per segment of the earlier and the later day with customers: see moves.movement_rows."""
    return moves.movement_rows(*_moved(source, filters, terms, from_day(source, filters, from_on)))


def movement_totals(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES, from_on: date | None = None) -> pd.DataFrame:
    """Return one row: who moved up and down between which days: see moves.movement_totals."""
    day = from_day(source, filters, from_on)
    return moves.movement_totals(*_moved(source, filters, terms, day), from_on=day, as_of=as_of_day(source, filters))


def gaps(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return how many days lay between two purchase days of a customer, of gaps that ended in the last two years: see gap_bars."""
    return silence.gap_bars(*_gaps(source, filters, terms))


def lapse(source: Source, filters: Filters, terms: RfmTerms = BY_QUINTILES) -> pd.DataFrame:
    """Return one row: after how many days without a purchase a customer counts as lapsed (see silence.limits).

    The columns of silence.limits, customers, customers_silent_longer and share_silent_longer (than recommended_days), gaps_from, gaps_to
    (days of the window), reason ('too_few_gaps' where the limits are unknown, else '').
    """
    as_of, found = as_of_day(source, filters), silence.limits(*_gaps(source, filters, terms))
    days = _now(source, filters, terms).customers["days_since_last_order"].to_numpy()
    limit = found["recommended_days"]
    longer = math.nan if math.isnan(limit) else int((days > limit).sum())
    row = {
        **found,
        "customers": len(days),
        "customers_silent_longer": longer,
        "share_silent_longer": statistic.share(longer, len(days)),
        "gaps_from": pd.Timestamp(add_months(as_of, -silence.WINDOW_MONTHS) + timedelta(days=1)),
        "gaps_to": pd.Timestamp(as_of),
        "reason": "too_few_gaps" if math.isnan(limit) else "",
    }
    return pd.DataFrame([row])


def basis(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: what margin and forecast stand on.

    as_of, cost_coverage (share of net revenue whose cost is known), has_margin, has_forecast, finds_leaving (whether P(alive) is a
    finding: see customer_forecast.statistic), and of all customers the reader may see: customers, repeaters, customers_needed,
    repeaters_needed, verdict ('none', 'rough', 'full').
    """
    as_of, customers = as_of_day(source, filters), _now(source, filters, BY_QUINTILES).customers
    made, margins = source.remember(forecast.fitted, filters.scope, as_of), _margins(source, filters, BY_QUINTILES)
    row = {
        "as_of": pd.Timestamp(as_of) if as_of != forecast.NO_DATA else pd.NaT,
        "cost_coverage": margins.cost_coverage,
        "has_margin": bool(len(customers)) and not np.isnan(margins.margins).any(),
        "has_forecast": made.has_forecast,
        "finds_leaving": _finds_leaving(source, filters),
        "customers": made.gate.customers,
        "repeaters": made.gate.repeaters,
        "customers_needed": CUSTOMERS_NEEDED,
        "repeaters_needed": REPEATERS_NEEDED,
        "verdict": made.gate.verdict,
    }
    return pd.DataFrame([row])
