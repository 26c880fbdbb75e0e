"""The tables of the time to the second order."""

from typing import Any

import pandas as pd

from crm_metrics.customer_forecast.forecast import NO_DATA
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.retention.leaving import query
from crm_metrics.retention.leaving.asked import today_of
from crm_metrics.retention.leaving.query import Split
from crm_metrics.survival.kaplan_meier import at, kaplan_meier, quantile

MOST_PARTS = 4  # lines that can be told apart by their labels
_DAYS_SHOWN = (30, 90, 180, 365)


def _followed(source: Source, filters: Filters, by: Split) -> dict[str | None, pd.DataFrame]:
    """Return the curve of each part, those with most customers first; of all under None."""
    found = source(query.second_orders(filters, today_of(source, filters) or NO_DATA, by))
    found = found.assign(part=found["part"].astype(object).where(found["part"].notna(), None), size=found["ended"] + found["censored"])
    if by == "all":
        return {None: kaplan_meier(found)} if len(found) else {}
    sizes = found.groupby("part", dropna=False)["size"].sum().sort_values(ascending=False, kind="stable")
    parts = [None if pd.isna(part) else str(part) for part in sizes.index[:MOST_PARTS]]
    held = {part: found["part"].isna() if part is None else found["part"] == part for part in parts}
    return {part or "": kaplan_meier(found[rows]) for part, rows in held.items()}


def curve(source: Source, filters: Filters, by: Split = "all") -> pd.DataFrame:
    """Return how many customers have ordered again by each day after their first order, which lies in the filters and the period.

    part ('' unknown; empty: all), age_days (since the first order), at_risk (followed so long without a second), customers (whose second
    order came on that day), share (who came back by then, Kaplan-Meier), low, high (95%), is_few (under 30 at risk). Only the days
    on which one came back or was last seen. The parts with most customers.
    """
    parts = source.remember(_followed, filters, by)
    rows = [
        found.assign(part=part, share=1 - found["survival"], low=1 - found["high"], high=1 - found["low"]) for part, found in parts.items()
    ]
    columns = ["part", "age_days", "at_risk", "customers", "share", "low", "high", "is_few"]
    if not rows:
        return pd.DataFrame(columns=columns)
    every = pd.concat(rows, ignore_index=True).rename(columns={"duration": "age_days", "ended": "customers"})
    return every.assign(is_few=every["at_risk"] < FEW_CUSTOMERS)[columns]


def second_order(source: Source, filters: Filters, by: Split = "all") -> pd.DataFrame:
    """Return one row per part, those with most customers first: what its curve says.

    part ('' unknown; empty: all), customers (with a first order), came_back, same_day (of them, on the day of the first order),
    share_30, share_90, share_180, share_365 and their low_, high_ (who come back within so many days; NaN where nobody was followed so
    long), median_days, median_low, median_high (NaN, infinite: half have not come back), followed_days (the longest).
    """
    rows = []
    for part, found in source.remember(_followed, filters, by).items():
        row: dict[str, Any] = {"part": part, "customers": int(found["at_risk"].iloc[0]), "came_back": int(found["ended"].sum())}
        row["same_day"] = int(found.loc[found["duration"] == 0, "ended"].sum())
        for days in _DAYS_SHOWN:
            there = at(found, days)
            row |= {f"share_{days}": 1 - there["survival"], f"low_{days}": 1 - there["high"], f"high_{days}": 1 - there["low"]}
        row["median_days"], row["median_low"], row["median_high"] = quantile(found)
        rows.append({**row, "followed_days": int(found["duration"].iloc[-1])})
    bounds = [f"{name}_{days}" for days in _DAYS_SHOWN for name in ("share", "low", "high")]
    columns = ["part", "customers", "came_back", "same_day", *bounds, "median_days", "median_low", "median_high", "followed_days"]
    return pd.DataFrame(rows, columns=columns)
