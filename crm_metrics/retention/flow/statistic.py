"""From what became of the customers to flows that add up, from purchases to the life cycle, and from rates to what must be won."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.periods import Grain, Period, bucket_start, bucket_starts, is_unfinished
from crm_metrics.retention.flow.terms import Plan

FLOWS = ("opening", "new", "reactivated", "expansion", "contraction", "lost", "closing")
BEHIND: dict[str, tuple[str, ...]] = {  # of each row of the bucket the flows of query.bucket_flows whose customers stand behind it
    "opening": ("expansion", "contraction", "unchanged", "lost"),
    "new": ("new",),
    "reactivated": ("reactivated",),
    "expansion": ("expansion",),
    "contraction": ("contraction",),
    "lost": ("lost",),
    "closing": ("expansion", "contraction", "unchanged", "new", "reactivated"),
}
KINDS = ("new", "returning", "resurrected", "dormant")
LINES = ("chosen", "market", "double", "needed")
_EXACT = 4  # decimals of the database's amounts: what adding doubles leaves behind is cut off
LIFECYCLE_COLUMNS = ["bucket_on", "new", "returning", "resurrected", "dormant", "active", "active_before", "is_unfinished"]

# ── the leaky bucket ────────────────────────────────────────────────────────────────────────────────────────────────────


def flow_rows(flows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per FLOWS: see tables.leaky_bucket. flows: see query.bucket_flows.

    >>> lost = pd.DataFrame({"flow": ["lost"], "customers": [2], "opening_revenue": [9.0], "closing_revenue": [-1.0]})
    >>> flow_rows(lost)[["flow", "customers", "net_revenue"]].to_numpy()[[0, 5, 6]].tolist()
    [['opening', 2, 9.0], ['lost', -2, -9.0], ['closing', 0, 0.0]]
    """
    told = flows.set_index("flow").reindex([*{flow for found in BEHIND.values() for flow in found}]).astype(float).fillna(0.0)
    held = {name: int(told.loc[list(behind), "customers"].sum()) for name, behind in BEHIND.items()}
    stayed = told["closing_revenue"] - told["opening_revenue"]
    revenue = {
        "opening": told.loc[list(BEHIND["opening"]), "opening_revenue"].sum(),
        "new": told.loc["new", "closing_revenue"],
        "reactivated": told.loc["reactivated", "closing_revenue"],
        "expansion": stayed["expansion"],
        "contraction": stayed["contraction"],
        "lost": -told["opening_revenue"]["lost"],
        "closing": told.loc[list(BEHIND["closing"]), "closing_revenue"].sum(),
    }
    customers = held | {"expansion": 0, "contraction": 0, "lost": -held["lost"]}
    frame = pd.DataFrame({"flow": FLOWS, "is_total": [name in ("opening", "closing") for name in FLOWS]})
    frame["customers"] = [customers[name] for name in FLOWS]
    frame["net_revenue"] = [round(float(revenue[name]), _EXACT) + 0.0 for name in FLOWS]
    for name in ("customers", "net_revenue"):
        opening = float(frame[name].iloc[0])
        frame[f"share_of_opening_{'customers' if name == 'customers' else 'revenue'}"] = frame[name] / opening if opening > 0 else np.nan
    return frame.assign(behind=[held[name] for name in FLOWS])


def needed_row(unit: str, plan: Plan) -> dict[str, Any]:
    """Return what must be won to grow as wished: one row of tables.acquisition_needed. unit: 'customers', 'revenue' or 'source'.

    What is left after the losses and won anew is opening x (1 - churn + won): the whole wish needs churn + growth, and not twice the
    growth, which only holds even where churn is as large as growth.

    >>> row = needed_row("source", Plan(churn=0.30, won=0.15, growth=0.15, opening=1000.0))
    >>> [round(row[name], 6) for name in ("after_market", "after_double", "needed_rate", "after_needed")]
    [850.0, 1000.0, 0.45, 1150.0]
    """
    rates = line_rates(plan)
    after = {f"after_{line}": plan.opening * (1 - plan.churn + rate) for line, rate in rates.items()}
    known = {"unit": unit, "opening": plan.opening, "churn": plan.churn, "won": plan.won, "growth": plan.growth}
    return known | {"needed_rate": rates["needed"], "double_rate": rates["double"], "wished": plan.opening * (1 + plan.growth), **after}


def plan_of_flows(flow: pd.Series, growth: float) -> Plan | None:
    """Return churn and won of the customers or the revenue of a bucket, by flow; None where nothing was there at the beginning."""
    opening = float(flow["opening"])
    if not opening > 0:
        return None
    lost, won = (float(flow[list(names)].sum()) / opening for names in (("contraction", "lost"), ("new", "reactivated", "expansion")))
    return Plan(churn=min(-lost, 1.0), won=max(won, 0.0), growth=growth, opening=opening)


def line_rates(plan: Plan) -> dict[str, float]:
    """Return what is won in each line of the simulation, as a share of what is there: the slider, the growth, twice it, churn + growth."""
    return dict(zip(LINES, (plan.won, plan.growth, 2 * plan.growth, plan.churn + plan.growth), strict=True))


def simulated(plan: Plan) -> pd.DataFrame:
    """Return one row per line and year: see tables.simulation."""
    years = np.arange(plan.years + 1)
    made = [
        pd.DataFrame({"line": line, "year": years, "won_rate": rate, "revenue": plan.opening * (1 - plan.churn + rate) ** years})
        for line, rate in line_rates(plan).items()
    ]
    return pd.concat(made, ignore_index=True)


# ── the life cycle ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lifecycle_rows(counts: pd.DataFrame, grain: Grain, period: Period, held: Period) -> pd.DataFrame:
    """Return one row per bucket that `period` touches: see tables.lifecycle.

    counts: see query.lifecycle_counts, from the bucket before the first on. held: the days that the data hold up to the end of the
    period: a bucket that they cut is unfinished.
    """
    starts = bucket_starts(period, grain)
    buckets = pd.DatetimeIndex([_before(starts[0], grain), *starts])
    kinds = _kinds(counts, buckets).groupby("bucket_on")[["new", "returning", "resurrected"]].sum().reindex(buckets, fill_value=0)
    active = kinds.sum(axis=1)
    before = active.shift(1).iloc[1:].astype(int)
    rows = kinds.iloc[1:].astype(int)
    unfinished = np.array([is_unfinished(start, grain, held) for start in starts])
    is_cut_before = np.array([_before(start, grain) < held.start for start in starts])  # who bought in the one before is not all known
    dormant = (before - rows["returning"]).where(~unfinished & ~is_cut_before)
    made = rows.assign(dormant=dormant, active=active.iloc[1:].astype(int), active_before=before, is_unfinished=unfinished)
    return made.rename_axis("bucket_on").reset_index()[LIFECYCLE_COLUMNS]


def _kinds(counts: pd.DataFrame, buckets: pd.DatetimeIndex) -> pd.DataFrame:
    """Return bucket_on and how many of the customers are new, returning or resurrected."""
    place = pd.Series(np.arange(len(buckets)), index=buckets)
    follows = counts["before_on"].map(place) == counts["bucket_on"].map(place) - 1
    again = counts["customers"] - counts["new"]
    return pd.DataFrame(
        {
            "bucket_on": counts["bucket_on"],
            "new": counts["new"],
            "returning": again.where(follows, 0),
            "resurrected": again.where(~follows, 0),
        }
    )


def _before(start: date, grain: Grain) -> date:
    """Return the first day of the bucket before the one that begins on `start`."""
    return bucket_start(start - timedelta(days=1), grain)


def lifecycle_start(period: Period, grain: Grain) -> date:
    """Return the first day of the bucket before the one in which the period begins: what the life cycle must know of.

    >>> lifecycle_start(Period(date(2024, 2, 10), date(2024, 5, 1)), "quarter")
    datetime.date(2023, 10, 1)
    """
    return _before(bucket_start(period.start, grain), grain)
