"""Why it changed: the change in revenue split into factors and into the values of a dimension, without a remainder."""

from itertools import permutations

import numpy as np
import pandas as pd

from crm_metrics.executive_kpis.statistic import CHANGE_DIGITS, MONEY_DIGITS, ratio
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import noop

FACTORS = ("customers", "orders_per_customer", "revenue_per_order")
PART_COLUMNS = ["part", "value_before", "value_after", "change", "effect", "share_of_change"]
VALUE_COLUMNS = ["value", "revenue_before", "revenue_after", "change", "share_before", "share_after"]
PART_LABELS: dict[str, str] = {
    "customers": noop("Customers"),
    "orders_per_customer": noop("Orders per customer"),
    "revenue_per_order": noop("Revenue per order"),
    "customer_unknown": noop("Customer unknown"),
    "net_revenue": noop("Net revenue"),
}


def shapley_effects(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what each factor did to net_revenue_identified, row by row (same rows on both sides): columns FACTORS, in money.

    Revenue = customers x orders per customer x revenue per order. Each factor is changed in all 6 orders of the three, and its effects
    averaged (Shapley 1953), so the effects add up to the change whichever factor is named first.
    Where one side has no purchase its ratios do not exist: the whole change is that of customers, the other two NaN. Where neither
    has, only returns moved: the change is one of revenue per order.
    """
    change = (after["net_revenue_identified"] - before["net_revenue_identified"]).to_numpy(dtype=float)
    old, new = _factors(before), _factors(after)
    effects = np.zeros_like(old)
    for order in (orders := list(permutations(range(3)))):
        now = old.copy()
        for factor in order:
            earlier = now.prod(axis=0)
            now[factor] = new[factor]
            effects[factor] += (now.prod(axis=0) - earlier) / len(orders)
    sold = [(side["orders_identified"] > 0).to_numpy() for side in (before, after)]
    neither, one = ~sold[0] & ~sold[1], sold[0] ^ sold[1]
    effects = np.where(neither, np.array([[0.0], [0.0], [1.0]]) * change, effects)
    effects = np.where(one, np.array([[1.0], [np.nan], [np.nan]]) * change, effects)
    return pd.DataFrame(dict(zip(FACTORS, effects, strict=True)), index=after.index)


def _factors(side: pd.DataFrame) -> np.ndarray:
    """Return customers, orders per customer and revenue per order, one column per row of `side`; NaN where there is no purchase."""
    customers, orders = side["active_customers"].astype("float64"), side["orders_identified"].astype("float64")
    factors = [customers, ratio(orders, customers), ratio(side["net_revenue_identified"].astype("float64"), orders)]
    return np.array([factor.to_numpy(dtype=float) for factor in factors])


def change_parts(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return one row per part of the change in net revenue and one for the whole: PART_COLUMNS. before, after: one row each.

    value_before, value_after, change (relative): of the factor itself. effect: money. share_of_change: effect / whole change.
    """
    old, new = _factors(before)[:, 0], _factors(after)[:, 0]
    effects = shapley_effects(before, after).iloc[0].to_numpy(dtype=float)
    added = ["revenue_customer_unknown", "net_revenue"]
    values_before = [*old, *before[added].iloc[0]]
    values_after = [*new, *after[added].iloc[0]]
    money = np.array(values_after[3:]) - np.array(values_before[3:])
    frame = pd.DataFrame({"part": list(PART_LABELS), "value_before": values_before, "value_after": values_after})
    frame["value_before"] = frame["value_before"].astype("float64")
    frame["value_after"] = frame["value_after"].astype("float64")
    frame["change"] = ratio(frame["value_after"] - frame["value_before"], frame["value_before"].abs()).round(CHANGE_DIGITS)
    frame["effect"] = [*effects, *money]
    return frame.assign(share_of_change=frame["effect"] / money[1] + 0.0 if money[1] else np.nan)[PART_COLUMNS]


def change_by_value(before: pd.DataFrame, after: pd.DataFrame, *, with_factors: bool) -> pd.DataFrame:
    """Return one row per value of a dimension: VALUE_COLUMNS, largest change first; with_factors: also FACTORS and customer_unknown.

    change: money; the changes add up to that of net revenue. share_before, share_after: the mix, NaN where there is no revenue to share.
    With factors each row's parts add up to its change. Customers are counted within the value and do not add over values.
    """
    sides = [side.set_index("dimension_value") for side in (before, after)]
    values = sides[0].index.union(sides[1].index, sort=False)
    old, new = (side.reindex(values, fill_value=0.0) for side in sides)
    frame = pd.DataFrame({"revenue_before": old["net_revenue"], "revenue_after": new["net_revenue"]}).astype("float64")
    frame["change"] = (frame["revenue_after"] - frame["revenue_before"]).round(MONEY_DIGITS)
    for when in ("before", "after"):
        whole = frame[f"revenue_{when}"].sum()
        frame[f"share_{when}"] = frame[f"revenue_{when}"] / whole if whole > 0 else np.nan
    if with_factors:
        unknown = new["revenue_customer_unknown"] - old["revenue_customer_unknown"]
        frame = frame.assign(**shapley_effects(old, new), customer_unknown=unknown)
    frame.insert(0, "value", [UNKNOWN if pd.isna(value) else str(value) for value in values])
    return frame.sort_values("change", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def no_parts() -> pd.DataFrame:
    """Return the table of parts without a row, where there is nothing to compare with."""
    return pd.DataFrame(columns=PART_COLUMNS)


def no_values(*, with_factors: bool) -> pd.DataFrame:
    """Return the table of values without a row, where there is nothing to compare with."""
    return pd.DataFrame(columns=[*VALUE_COLUMNS, *([*FACTORS, "customer_unknown"] if with_factors else [])])
