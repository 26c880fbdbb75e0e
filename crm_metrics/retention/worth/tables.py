"""The tables of this part, and the queries behind them."""

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.customer_profit import (
    Costing,
    all_costs,
    customer_amounts,
    customer_profits,
    goods_coverage,
    has_customer_costs,
)
from crm_metrics.database import Source
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.metric import tile
from crm_metrics.periods import add_months
from crm_metrics.retention.flow import tables as flow
from crm_metrics.retention.flow.terms import BucketTerms
from crm_metrics.retention.worth import metrics, query, statistic
from crm_metrics.retention.worth.statistic import Kept
from crm_metrics.retention.worth.terms import DISCOUNT_RATE, KEEPING_KINDS, LITERATURE, ONE_FIFTH, WINNING_KIND, YEAR_MONTHS, By
from crm_metrics.rooms import Table
from crm_metrics.sales import extent

ALL = ""
LEVERS = {"five_points": {"points": 0.05}, "five_percent": {"percent": 0.05}}
_MOST_POINTS = 10
_YEAR_DAYS = 365
_A_YEAR = BucketTerms(_YEAR_DAYS)


def queries(source: Source, filters: Filters, by: By = "all") -> tuple[Select[Any], ...]:
    """Return the queries behind the value by age, to be shown."""
    today = _today(source, filters)
    if today is None:
        return ()
    return (query.cohort_people(filters, by, today), query.cohort_values(filters, by, today, _cost_share(source, filters)))


def lever_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries behind what retention is worth, to be shown."""
    today = _today(source, filters)
    return flow.queries(source, _last_year(filters, today), _A_YEAR) if today else ()


def keeping_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries behind what keeping costs, to be shown."""
    if not has_customer_costs(filters):
        return flow.queries(source, filters)
    seen = _seen(filters)
    return (*flow.queries(source, filters), query.campaign_spend_by_kind(seen), all_costs(seen))


def tenure_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the queries behind how longer customers differ, to be shown."""
    today, seen = _today(source, filters), _seen(filters)
    return (customer_amounts(seen), query.first_purchases(filters, today), query.referrals(seen)) if today else ()


def _today(source: Source, filters: Filters) -> date | None:
    """Return the reader's day, at most the last one that the data hold; None without data up to it."""
    held = source(extent(filters.scope)).iloc[0]
    if pd.isna(held["first_on"]):
        return None
    today = min(filters.today or date.max, held["last_on"].date())
    return today if today >= held["first_on"].date() else None


def _costing(source: Source, filters: Filters) -> Costing:
    """Return how far costs of goods are known, of all days up to the reader's."""
    return source.remember(goods_coverage, replace(filters, start=None, end=filters.today, as_of=None))


def _cost_share(source: Source, filters: Filters) -> float | None:
    known = _costing(source, filters)
    return known.cost_share if known.is_enough else None


# ── value by age ────────────────────────────────────────────────────────────────────────────────────────────────────────


def payback(source: Source, filters: Filters, by: By = "all") -> pd.DataFrame:
    """Return one row per cohort and age: what customers have brought after so many whole months, beside what winning them cost.

    cohort ('' all, the first day of the year or quarter of the first purchase, or the acquisition channel), age_months (from 1),
    customers (who came so long ago: the only ones counted at that age), cumulative_value (gross margin, or net revenue where costs are
    unknown, per customer), low, high (95 % t-interval), acquisition_cost (per customer; NaN unknown), is_small (fewer than 30 customers).

    Of customers whose first purchase lies in the filters, whenever up to today it was; the beginning of the period does not matter.
    """
    people, values = source.remember(people_of, filters, by), source.remember(values_of, filters, by)
    return statistic.value_by_age(people, values, _costs(source, filters, people, by))


def people_of(source: Source, filters: Filters, by: By) -> pd.DataFrame:
    """Return who is in the cohorts, the cohort as text: see query.cohort_people; ask by source.remember."""
    return _named(source, queries(source, filters, by)[:1], by, ["cohort", "months", "customers", "cost", "costed"])


def values_of(source: Source, filters: Filters, by: By) -> pd.DataFrame:
    """Return what they have brought: see query.cohort_values; ask by source.remember."""
    return _named(source, queries(source, filters, by)[1:], by, ["cohort", "age", "months", "value", "squares"])


def _named(source: Source, asked: tuple[Select[Any], ...], by: By, columns: list[str]) -> pd.DataFrame:
    """Return the rows of the one query, the cohort as text; no rows with these columns where nothing can be asked."""
    if not asked:
        return pd.DataFrame(columns=columns)
    rows = source(asked[0])
    cohort = rows["cohort"]
    if by == "all":
        return rows.assign(cohort=pd.Series(ALL, index=cohort.index, dtype=object))
    if by == "acquisition_channel":
        return rows.assign(cohort=cohort.astype(object).where(cohort.notna(), UNKNOWN))
    return rows.assign(cohort=cohort.dt.strftime("%Y-%m-%d").astype(object))


def _costs(source: Source, filters: Filters, people: pd.DataFrame, by: By) -> pd.Series:
    """Return the cost of winning a customer by cohort.

    Where no customer carries one, all cohorts of time have the spend on winning per customer won; channels have none, because no campaign
    says which it is of.
    """
    sums = people.groupby("cohort")[["cost", "costed", "customers"]].sum().astype(float)
    known = sums["cost"] / sums["costed"].where(sums["costed"] > 0)
    today = _today(source, filters)
    if known.notna().any() or by == "acquisition_channel" or today is None or not has_customer_costs(filters) or filters.segments:
        return known
    spend = source(query.winning_spend(today))["spend"].astype(float).iloc[0]
    return pd.Series(spend / sums["customers"].sum(), index=sums.index)


def payback_basis(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: what payback stands on.

    today, measure ('gross_margin', or 'net_revenue' where costs of goods are unknown), cost_from ('customers', 'campaigns' or '' where the
    cost of winning is unknown), customers, costed (customers whose cost is known), has_channels (the acquisition channel of any is known).
    """
    people = source.remember(people_of, filters, "all")
    today, costed = _today(source, filters), int(people["costed"].sum())
    cost = _costs(source, filters, people, "all")
    row = {
        "today": pd.Timestamp(today) if today else pd.NaT,
        "measure": "gross_margin" if _cost_share(source, filters) is not None else "net_revenue",
        "cost_from": "customers" if costed else "campaigns" if cost.notna().any() else "",
        "customers": int(people["customers"].sum()),
        "costed": costed,
        "has_channels": bool(source(query.customers_with_channel())["customers"].iloc[0]),
    }
    return pd.DataFrame([row])


def payback_months(source: Source, filters: Filters, by: By = "all") -> pd.DataFrame:
    """Return one row per cohort, the largest first: the columns of `acquisition_quality`."""
    people = source.remember(people_of, filters, by)
    return statistic.quality_rows(payback(source, filters, by), people)


def acquisition_quality(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per acquisition channel, the largest first.

    cohort (the channel), customers, customers_12_months (who came at least twelve months ago), acquisition_cost (per customer),
    value_12_months (gross margin, or net revenue, of their first twelve months per customer) with value_low, value_high (95 % interval),
    profit_12_months (less the cost) with low, high (the cost is taken as known), value_to_cost, payback_month, payback_earliest,
    payback_latest (by the interval).
    NaN under 30 customers, and where cost is unknown.
    """
    return payback_months(source, filters, "acquisition_channel")


def payback_tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (NaN: exact), unit, n (customers it is about)."""
    found = payback_months(source, filters)
    row: Any = (found if len(found) else found.reindex([0])).iloc[0]
    lever: Any = five_points(source, filters).iloc[0]
    keeping: Any = keeping_cost(source, filters).iloc[0]
    year = int(row.customers_12_months) if len(found) else 0
    rows = [
        tile(metrics.PAYBACK_MONTH, row.payback_month, row.customers, low=row.payback_earliest, high=row.payback_latest),
        tile(metrics.ACQUISITION_COST, row.acquisition_cost, row.customers),
        tile(metrics.VALUE_12_MONTHS, row.value_12_months, year, low=row.value_low, high=row.value_high),
        tile(metrics.VALUE_TO_COST, row.value_to_cost, year),
        tile(metrics.FIVE_POINTS, lever.change_share, lever.opening, low=lever.low, high=lever.high),
        tile(metrics.KEEPING_TO_WINNING, keeping.ratio, keeping.retained),
    ]
    return pd.DataFrame(rows).assign(n=lambda tiles: tiles["n"].fillna(0).astype(int))


# ── what retention is worth ─────────────────────────────────────────────────────────────────────────────────────────────


def kept(source: Source, filters: Filters) -> Kept:
    """Return who stayed in the last twelve months and what a customer brings in a year; ask by source.remember."""
    today = _today(source, filters)
    if today is None:
        return Kept(0, 0, math.nan, 0)
    year = _last_year(filters, today)
    rows = flow.leaky_bucket(source, year, _A_YEAR).set_index("flow")
    is_cut = bool(flow.bucket_basis(source, year, _A_YEAR)["is_opening_cut"].iloc[0])
    opening, lost, closing = (abs(int(rows["customers"][name])) for name in ("opening", "lost", "closing"))
    revenue = float(rows["net_revenue"]["closing"]) / closing if opening and closing else math.nan
    return Kept(opening - lost, opening, revenue * (1 - (_cost_share(source, filters) or 0.0)), closing, is_opening_cut=is_cut)


def _last_year(filters: Filters, today: date) -> Filters:
    """Return the filters over the twelve months up to today."""
    return filters.over(add_months(today + timedelta(days=1), -YEAR_MONTHS), today)


def _seen(filters: Filters) -> Filters:
    """Return the filters up to the reader's day."""
    return filters.over(filters.start, filters.today)


def five_points(source: Source, filters: Filters, discount_rate: float = DISCOUNT_RATE) -> pd.DataFrame:
    """Return one row per lever: 'five_points' (retention + 0.05) and 'five_percent' (retention x 1.05).

    lever, retention (share of the customers of a year ago who stayed), retention_low, retention_high (Wilson, 95 %), retention_then, value
    (of a customer: margin a year x r / (1 + d - r)), value_then, change_share with low and high (that of retention), money, money_low,
    money_high (the change for all customers of today), literature_low, literature_high, falls ('below', 'within' or 'above' these, or ''),
    value_per_year, customers, opening, is_opening_cut (the data begin within the year before that, so only some of these customers are
    known). A customer of a day bought in the 365 days up to it. NaN where nobody was a customer a year ago.
    """
    held = source.remember(kept, filters)
    made = [{"lever": lever, **statistic.lever_row(held, discount_rate, **by)} for lever, by in LEVERS.items()]
    frame = pd.DataFrame(made).assign(literature_low=LITERATURE[0], literature_high=LITERATURE[1])
    change = frame["change_share"]
    falls = np.select([change.isna(), change < LITERATURE[0], change > LITERATURE[1]], ["", "below", "above"], "within")
    known = {"value_per_year": held.value_per_year, "customers": held.customers, "opening": held.opening}
    return frame.assign(falls=falls, **known, is_opening_cut=held.is_opening_cut)


def retention_lever(source: Source, filters: Filters, discount_rate: float = DISCOUNT_RATE) -> pd.DataFrame:
    """Return one row per point more retention, from 0 to 10: points (0.05 is five), change_share, low, high, money as in five_points."""
    held = source.remember(kept, filters)
    steps = [step / 100 for step in range(_MOST_POINTS + 1)]
    rows = [{"points": points, **statistic.lever_row(held, discount_rate, points=points)} for points in steps]
    return pd.DataFrame(rows)[["points", "retention_then", "change_share", "low", "high", "money", "money_low", "money_high"]]


def keeping_cost(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row on the period: what keeping a customer costs beside what winning one does.

    campaigns (spend of kinds retention, win-back, cross-sell), rewards, keeping (their sum), retained (customers at both ends of the
    period), keeping_per_customer, winning (acquisition cost of those won in the period, else spend of acquisition campaigns), won
    (customers whose first purchase lies in it), winning_per_customer (over those of whom the cost is known), ratio (keeping to winning, per
    customer), reference (one fifth).
    NaN where it is not recorded, and where the filters choose orders, to which such costs do not belong; of segments what keeping costs,
    because no campaign's spend says whom it kept.
    """
    held = flow.leaky_bucket(source, filters).set_index("flow")["customers"]
    retained = int(held[["opening", "lost"]].sum())
    won, costed = source(query.customers_won(_seen(filters)))[["customers", "costed"]].astype(int).iloc[0]
    campaigns = rewards = winning = math.nan
    if has_customer_costs(filters):
        seen = _seen(filters)
        spent = source(all_costs(seen)).astype(float).iloc[0]
        spend = source(query.campaign_spend_by_kind(seen)).set_index("campaign_kind")["spend"].astype(float)
        campaigns = math.nan if filters.segments else float(spend.reindex(KEEPING_KINDS).sum(min_count=1))
        rewards, winning = float(spent["reward_cost"]), float(spent["acquisition_cost"])
        if math.isnan(winning) and not filters.segments:  # nobody carries one: it is dealt out to all who were won
            winning, costed = float(spend.get(WINNING_KIND, math.nan)), won
    keeping = math.nan if filters.segments else float(pd.Series([campaigns, rewards]).sum(min_count=1))
    each, each_won = _per(keeping, retained), _per(winning, costed)
    made = {"campaigns": campaigns, "rewards": rewards, "keeping": keeping, "retained": retained, "keeping_per_customer": each}
    made |= {"winning": winning, "won": won, "winning_per_customer": each_won, "ratio": _per(each, each_won), "reference": ONE_FIFTH}
    return pd.DataFrame([made])


def _per(amount: float, count: float) -> float:
    return amount / count if count > 0 else math.nan


# ── customers by how long they have been there ──────────────────────────────────────────────────────────────────────────


def tenure(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per measure and whole years from the first purchase to the end of the period: what longer customers do differently.

    measure ('order_value': net revenue / purchases, 'discount': discounts / list revenue, 'cost_to_serve': per customer, 'referrals':
    customers referred who first bought in the period, per customer; both of those who were there for the whole period and bought in it),
    tenure_years, customers (with an order or a cost in the period; the interval is over them), value, low, high (95 %), is_small (fewer
    than 30). A measure that nobody recorded has no rows.
    """
    today = _today(source, filters)
    if today is None:
        return pd.DataFrame(columns=statistic.TENURE_COLUMNS)
    seen = _seen(filters)
    made = source.remember(customer_profits, seen)
    firsts = source(query.first_purchases(filters, today)).set_index("customer_number")
    referred = source(query.referrals(seen)).set_index("customer_number")["referred"]
    known = made[made["customer_number"].isin(firsts.index)]
    referrals = known["customer_number"].map(referred).fillna(0.0) if len(referred) else math.nan
    came = firsts.reindex(known["customer_number"])
    were_there = (came["first_on"] <= pd.Timestamp(filters.start or firsts["first_on"].min())).to_numpy(dtype=bool)
    stayed = were_there & (known["orders"] > 0).to_numpy()  # of those who only got a mailing, some had left
    return statistic.tenure_rows(known.assign(referrals=referrals), came["months"].to_numpy(dtype=int) // YEAR_MONTHS, stayed)


TABLES: dict[str, Table] = {
    "payback_tiles": payback_tiles,
    "payback": payback,
    "payback_months": payback_months,
    "payback_basis": payback_basis,
    "acquisition_quality": acquisition_quality,
    "five_points": five_points,
    "retention_lever": retention_lever,
    "keeping_cost": keeping_cost,
    "tenure": tenure,
}
