"""What was known of a deal so many days after its creation, and of nothing later."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.pipeline.deals.query import OPEN, WON
from crm_metrics.survival.kaplan_meier import kaplan_meier

AGES = (14, 30, 60, 90)  # days; the later a deal is looked at, the more is known of it and the fewer are still open
CLOSED_SHARE = 0.95  # of the deals that ever close, by the age from which a deal counts as old enough
CATEGORIES = ("deal_source", "market", "category", "region", "owner_id", "stage", "age")
NUMBERS = ("log_amount", "is_customer", "activities")
OF_DEALS = (
    *("deal_number", "opportunity_id", "created_on", "outcome", "closed_on"),
    *("deal_source", "market", "category", "region", "owner_id"),
)  # columns of pipeline.deals.query.deal_rows, and of change_rows:
OF_CHANGES = ("deal_number", "changed_on", "stage", "outcome", "deal_amount", "owner_id")
DEAL_SPAN = 1_000_000  # days; keeps deals apart where a deal and a day are one number

Integers = npt.NDArray[np.int64]

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Deals(NamedTuple):
    """What the landmarks are made of: the frames of pipeline.deals.query.deal_rows (OF_DEALS) and change_rows (OF_CHANGES), of
    query.earlier_customers and query.deal_activities, and the last day that is seen.
    """

    rows: pd.DataFrame
    changes: pd.DataFrame
    customers: pd.DataFrame
    activities: pd.DataFrame
    today: pd.Timestamp


def days_to_close(rows: pd.DataFrame, today: pd.Timestamp) -> float:
    """Return the days after creation by which CLOSED_SHARE of the deals that ever close are closed (Kaplan-Meier); NaN where none is.

    A deal that young may have been lost already and can hardly have been won: cohorts of such deals look worse than they are.
    """
    dated = rows[rows["created_on"].notna() & ((rows["outcome"] == OPEN) | rows["closed_on"].notna())]
    lasted = (dated["closed_on"].where(dated["outcome"] != OPEN, today) - dated["created_on"]).dt.days.clip(lower=0)
    is_closed = (dated["outcome"] != OPEN).astype(int)
    if not is_closed.any():
        return float("nan")
    curve = kaplan_meier(pd.DataFrame({"duration": lasted, "ended": is_closed, "censored": 1 - is_closed}))
    closed = 1 - curve["survival"].to_numpy()
    return float(curve["duration"].iloc[np.flatnonzero(closed >= CLOSED_SHARE * closed.max())[0]])


def landmarks(deals: Deals, ages: tuple[int, ...] = AGES) -> pd.DataFrame:
    """Return one row per deal and age in days at which it was still open, by these.

    deal_number, opportunity_id, created_on, seen_on (the day of that age), age (as text), outcome and closed_on (as they are today, to
    learn from and to be checked against), is_won, deal_source, market, category, region (what a deal is created with), owner_id, stage,
    log_amount (natural logarithm) on that day by its history (stage and value unknown where there is none), is_customer (its account had
    bought before the creation), activities (logarithm of 1 + those recorded for it by then).
    """
    every = [_at(deals, age) for age in ages]
    return pd.concat(every, ignore_index=True).sort_values(["deal_number", "seen_on"], ignore_index=True)


def _at(deals: Deals, age: int) -> pd.DataFrame:
    dated = deals.rows[deals.rows["created_on"].notna()]
    seen_on = dated["created_on"] + pd.Timedelta(days=age)
    is_there = (seen_on <= deals.today) & (dated["closed_on"].isna() | (dated["closed_on"] > seen_on))
    rows, seen_on = dated[is_there], seen_on[is_there]
    number, changes = rows["deal_number"].to_numpy(), deals.changes
    last = _last_by(changes["deal_number"], changes["changed_on"], number, seen_on)
    known = changes[["stage", "outcome", "deal_amount", "owner_id"]].iloc[np.maximum(last, 0)] if len(changes) else None
    told = pd.DataFrame(index=rows.index, columns=["stage", "outcome", "deal_amount", "owner_id"], dtype=object)
    if known is not None:
        told = known.set_axis(rows.index).where(pd.Series(last >= 0, index=rows.index), np.nan)
    made = rows[
        ["deal_number", "opportunity_id", "created_on", "outcome", "closed_on", "deal_source", "market", "category", "region"]
    ].assign(
        seen_on=seen_on,
        age=str(age),
        is_won=rows["outcome"] == WON,
        owner_id=told["owner_id"].where(told["owner_id"].notna(), rows["owner_id"]),
        stage=told["stage"],
        log_amount=_logarithm(told["deal_amount"]),
        is_customer=np.isin(number, deals.customers["deal_number"].to_numpy()).astype(float),
        activities=np.log1p(_done_by(deals.activities, number, seen_on)),
    )
    return made[told["outcome"].isna() | (told["outcome"] == OPEN)]


def _logarithm(amounts: Any) -> Any:
    values = pd.to_numeric(amounts, errors="coerce")
    return np.log(values.where(values > 0))


def day_numbers(deal: Any, day: Any) -> Integers:
    """Return each deal and day as one number, which rises from day to day and from deal to deal."""
    return np.asarray(deal, dtype=np.int64) * DEAL_SPAN + np.asarray(day, dtype="datetime64[D]").astype(np.int64)


def _last_by(deal: Any, day: Any, wanted: Any, until: Any) -> Integers:
    """Return the place of the last row of each wanted deal by the end of its day; -1 where there is none. deal, day: sorted by these."""
    place = np.searchsorted(day_numbers(deal, day), day_numbers(wanted, until), side="right") - 1
    deals = np.append(np.asarray(deal, dtype=np.int64), -1)
    return np.where(deals[place] == np.asarray(wanted), place, -1)


def _done_by(activities: pd.DataFrame, wanted: Any, until: Any) -> npt.NDArray[np.float64]:
    """Return how many activities each wanted deal had by the end of its day. activities: see query.deal_activities."""
    ordered = activities.sort_values(["deal_number", "happened_on"], kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(ordered["activities"].to_numpy(dtype=float))])
    keys = day_numbers(ordered["deal_number"], ordered["happened_on"])
    begin = np.searchsorted(keys, np.asarray(wanted, dtype=np.int64) * DEAL_SPAN, side="left")
    return sums[np.searchsorted(keys, day_numbers(wanted, until), side="right")] - sums[begin]
