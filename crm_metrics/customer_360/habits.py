"""A customer's habits: usual day, rhythm, basket, prices, channel and category."""

import math

import numpy as np
import pandas as pd

from crm_metrics.customer_360.statistic import INTERVALS_FOR_A_RHYTHM, intervals_days, purchase_days
from crm_metrics.intervals import wilson

PURCHASES_FOR_A_HABIT = 3  # two of a kind can be chance, and of two things neither is usual
HABIT_COLUMNS = ("habit", "usual", "low", "high", "share", "n")


def habits(orders: pd.DataFrame, order_lines: pd.DataFrame) -> pd.DataFrame:
    """Return one row per habit that there is enough to tell: habit, usual, low, high, share, n. orders, order_lines: see query.

    'weekday' (usual: 0 is Monday), 'channel', 'category': the most frequent value (text), and its share of the n purchase days, purchases
    or sold lines that have one. 'days_between', 'units', 'order_value', 'unit_price': the median, in low and high the quartiles, of n
    intervals, purchases or sold lines. A day of the week is usual where its share is more than a seventh by chance (Wilson's 95% interval).
    Nothing under PURCHASES_FOR_A_HABIT purchases.
    """
    bought = orders[orders["order_kind"] == "purchase"]
    if len(bought) < PURCHASES_FOR_A_HABIT:
        return pd.DataFrame(columns=list(HABIT_COLUMNS))
    sold = order_lines[(order_lines["line_kind"] == "sale") & order_lines["order_id"].isin(bought["order_id"])]
    days = purchase_days(orders)
    gaps = pd.Series(intervals_days(days), dtype=float)
    rows = [
        _most_frequent("weekday", pd.Series([str(day.weekday()) for day in days]), by_chance=1 / 7),
        _quartiles("days_between", gaps, INTERVALS_FOR_A_RHYTHM),
        _quartiles("units", bought["units"], PURCHASES_FOR_A_HABIT),
        _quartiles("order_value", bought["net_revenue"], PURCHASES_FOR_A_HABIT),
        _quartiles("unit_price", sold["unit_price"], PURCHASES_FOR_A_HABIT),
        _most_frequent("channel", bought["sales_channel"]),
        _most_frequent("category", sold["category"]),
    ]
    return pd.DataFrame([row for row in rows if row], columns=list(HABIT_COLUMNS))


def _most_frequent(habit: str, values: pd.Series, *, by_chance: float = 0.0) -> tuple[object, ...] | None:
    """Return the most frequent of the known values; of equally frequent ones, or one that may be by chance, none is usual."""
    counts = values.dropna().value_counts()
    if counts.sum() < PURCHASES_FOR_A_HABIT or (len(counts) > 1 and counts.iloc[0] == counts.iloc[1]):
        return None
    most, n = int(counts.iloc[0]), int(counts.sum())
    return (habit, str(counts.index[0]), math.nan, math.nan, most / n, n) if wilson(most, n).low > by_chance else None


def _quartiles(habit: str, values: pd.Series, needed: int) -> tuple[object, ...] | None:
    known = values.dropna().to_numpy(dtype=float)
    if len(known) < needed:
        return None
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]).tolist()
    return habit, str(middle), low, high, math.nan, len(known)
