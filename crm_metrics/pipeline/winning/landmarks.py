"""What was known of a deal so many days after its creation, and of nothing later."""

import math

import numpy as np
import pandas as pd

from crm_metrics.pipeline.deals.query import OPEN, WON
from crm_metrics.survival.kaplan_meier import kaplan_meier

AGES = (14, 30, 60, 90)  # days; the later a deal is looked at, the more is known of it and the fewer are still open
CLOSED_SHARE = 0.95  # of the deals that ever close, by the age from which a deal counts as old enough
CATEGORIES = ("deal_source", "market", "category", "region", "owner_id", "stage", "age")
NUMBERS = ("log_amount", "is_customer", "activities")
OF_DEALS = ("deal_number", "created_on", "closed_on", "outcome")  # columns of pipeline.deals.query.deal_rows

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def days_to_close(counts: pd.DataFrame) -> float:
    """Return the days after creation by which CLOSED_SHARE of the deals that ever close are closed (Kaplan-Meier); NaN where none is.

    counts: see query.closing_days. A younger deal may have been lost already and can hardly have been won: cohorts of such deals look
    worse than they are.
    """
    if not counts["ended"].any():
        return math.nan
    curve = kaplan_meier(counts)
    closed = 1 - curve["survival"].to_numpy()
    return float(curve["duration"].iloc[np.flatnonzero(closed >= CLOSED_SHARE * closed.max())[0]])


def seen_closed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the deals that are closed by now and were not yet at the first age. rows: OF_DEALS."""
    return rows[(rows["outcome"] != OPEN) & (rows["closed_on"] > rows["created_on"] + pd.Timedelta(days=AGES[0]))]


def landmarks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per deal and age in days at which it was still open, in the same order. rows: see query.landmark_rows.

    deal_number, age (as text), seen_on, created_on, outcome, closed_on, is_won, CATEGORIES, log_amount (natural logarithm of the value;
    unknown where there is none), is_customer (0 or 1), activities (logarithm of 1 + those recorded).
    """
    amount = rows["deal_amount"].astype(float)
    made = rows.drop(columns="deal_amount").assign(
        age=rows["age"].astype(str),
        is_won=rows["outcome"] == WON,
        log_amount=np.log(amount.where(amount > 0)),
        is_customer=rows["is_customer"].astype(float),
        activities=np.log1p(rows["activities"].astype(float)),
    )
    return made.astype(dict.fromkeys(CATEGORIES, "category"))  # texts of fifty thousand rows take long to compare
