"""From the profits of the customers to tables: the steps from list price to profit, deciles, who loses and why, rewards by tier."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from crm_metrics.customer_profit import COSTS, MARKETING, SERVED, settled

TENTHS = 10
STEPS: tuple[tuple[str, str, int, bool], ...] = (
    ("list_revenue", "list_revenue", 1, True),
    ("returns", "returns", -1, False),
    ("discount", "discount", -1, False),
    ("net_revenue", "net_revenue", 1, True),
    ("cost_of_goods", "cost_of_goods", -1, False),
    ("gross_margin", "gross_margin", 1, True),
    ("service", "service_cost", -1, False),
    ("sales_visits", "visit_cost", -1, False),
    ("delivery", "delivery_cost", -1, False),
    ("return_handling", "return_handling_cost", -1, False),
    ("rewards", "reward_cost", -1, False),
    ("other_service", "other_cost", -1, False),
    ("acquisition", "acquisition_cost", -1, False),
    ("campaigns", "campaign_cost", -1, False),
    ("profit", "profit", 1, True),
)
"""Name, column of the profits, sign, whether it is a total of what stands above."""
_RESOURCES = {
    "service_minutes": "service_minutes",
    "visit_minutes": "visit_minutes",
    "visit_cost": "visit_cost",
    "marketing": "marketing",
    "cost_to_serve": "cost_to_serve",
}
REASONS = ("discount", "returns", "service", "marketing", "goods", "several")
TIERS = (("top", 5), ("next", 20), ("rest", 100))
"""Tiers of value: name, and up to which per cent of the customers, the best first."""

# ── customers in order of profit ────────────────────────────────────────────────────────────────────────────────────────


def ranked(profits: pd.DataFrame) -> pd.DataFrame:
    """Return the known customers with value, profit_rank and decile, most profitable first, ties by customer_id.

    profits: see customer_profit.profits, by customer_id. value: profit, or net revenue for all where costs are unknown. decile: 1 to 10,
    1 the best: 10 x rank / customers, rounded up.
    """
    known = profits[profits["customer_number"].notna()]
    value = known["profit"] if known["profit"].notna().all() else known["net_revenue"]
    places = np.argsort(-value.to_numpy(dtype=float), kind="stable")
    best = known.assign(customer_number=known["customer_number"].astype(np.int64), value=value).iloc[places].reset_index(drop=True)
    rank = np.arange(1, len(best) + 1)
    return best.assign(profit_rank=rank, decile=(TENTHS * rank + len(best) - 1) // max(len(best), 1))


def cumulative_share(values: pd.Series) -> pd.Series:
    """Return the share of the total that each row and those above it hold; NaN where the total is not above zero.

    >>> cumulative_share(pd.Series([60.0, 50.0, -10.0])).tolist()
    [0.6, 1.1, 1.0]
    """
    total = values.sum()
    return values.cumsum() / (total if total > 0 else np.nan)


# ── the steps from list price to profit ─────────────────────────────────────────────────────────────────────────────────


def steps(profits: pd.DataFrame, unallocated: pd.Series, anywhere: Collection[str]) -> pd.DataFrame:
    """Return one row per part of profit: see tables.summary.

    profits: all rows, customer unknown too. unallocated: COSTS that no one customer caused, NaN where there are none. anywhere: the
    columns known on some other day.
    """
    is_customer = profits["customer_number"].notna()
    nobody = _of_nobody(unallocated)
    rows = []
    for part, column, sign, is_total in STEPS:
        sums = [profits.loc[chosen, column].sum(min_count=1) for chosen in (is_customer, ~is_customer)]
        found = [*sums, nobody.get(column, np.nan)]
        is_known = bool(profits[column].notna().any()) or (column in COSTS and not np.isnan(found[2]))
        amounts = [sign * (0.0 if np.isnan(value) else float(value)) + 0.0 if is_known else np.nan for value in found]
        rows.append((part, is_total, *amounts, sum(amounts), is_known, is_known or column in anywhere))
    columns = ["part", "is_total", "of_customers", "customer_unknown", "unallocated", "amount", "is_known", "known_anywhere"]
    table = pd.DataFrame(rows, columns=columns)
    net = float(table.loc[table["part"] == "net_revenue", "amount"].iloc[0])
    table.insert(6, "share_of_net_revenue", table["amount"] / (net if net > 0 else np.nan))
    return table


def _of_nobody(unallocated: pd.Series) -> dict[str, float]:
    """Return what no customer caused by column: the costs, and the loss they are."""
    costs = {name: float(unallocated[name]) for name in (*SERVED, *MARKETING)}
    return {**costs, "profit": -float(np.nansum(list(costs.values())))}


# ── resources against value ─────────────────────────────────────────────────────────────────────────────────────────────


def decile_rows(customers: pd.DataFrame) -> pd.DataFrame:
    """Return one row per decile of `customers` (see ranked): see tables.deciles."""
    sums = customers.groupby("decile")[["net_revenue", "profit", *_RESOURCES]].sum(min_count=1)
    totals = customers[list(sums.columns)].sum(min_count=1)
    shares = (sums / totals.where(totals > 0)).rename(columns=lambda name: f"{name}_share")
    counts = customers.groupby("decile").size().rename("customers")
    first = ["customers", "net_revenue_share", "profit_share", "profit"]
    found = pd.concat([counts, shares, sums], axis=1).rename_axis("decile").reset_index()
    others = [f"{name}_share" for name in _RESOURCES]
    return found[["decile", *first, *others, "net_revenue", *_RESOURCES]]


# ── who loses, and why ──────────────────────────────────────────────────────────────────────────────────────────────────


def losing_rows(customers: pd.DataFrame) -> pd.DataFrame:
    """Return the customers whose profit is below zero, the largest loss first, with reason, part and lost (positive).

    Parts that may be to blame: discount; returns; service, the whole cost to serve; marketing; goods, what they cost beyond what they
    bring at list price. The reason is the largest of those that, brought to zero, would alone make the customer earn; 'several' where none
    would. part: the amount of the reason, of 'several' the largest.
    """
    losing = customers[customers["profit"] < 0].sort_values(["profit", "customer_id"])
    at_list_price = losing["list_revenue"] - losing["returns"]
    parts = np.column_stack(
        [
            losing[["discount", "returns", "cost_to_serve", "marketing"]].fillna(0.0).to_numpy(dtype=float),
            (losing["cost_of_goods"] - at_list_price).clip(lower=0).to_numpy(dtype=float),
        ]
    )
    would_earn = settled(parts + losing["profit"].to_numpy(dtype=float)[:, None]) >= 0
    is_one = would_earn.any(axis=1)
    largest = np.where(is_one[:, None] & ~would_earn, -np.inf, parts).argmax(axis=1) if len(losing) else np.zeros(0, dtype=int)
    reason = np.array(REASONS, dtype=object)[np.where(is_one, largest, len(REASONS) - 1)]
    found = losing.assign(reason=reason, part=parts[np.arange(len(losing)), largest], lost=-losing["profit"])
    return found.reset_index(drop=True)


def reason_rows(losing: pd.DataFrame) -> pd.DataFrame:
    """Return one row per reason that occurs, the costliest first: reason, customers, lost, profit_without (had the part been zero)."""
    without = losing.assign(profit_without=losing["profit"] + losing["part"], customers=1)
    sums = without.groupby("reason")[["customers", "lost", "profit_without"]].sum().reset_index()
    return sums.sort_values(["lost", "reason"], ascending=[False, True], ignore_index=True)


# ── rewards ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tier_rows(customers: pd.DataFrame) -> pd.DataFrame:
    """Return one row per tier of value (see tables.reinvestment); empty where no rewards are recorded or profit is unknown."""
    columns = ["tier", "customers", "reward_cost", "profit_before_rewards", "reinvestment_rate", "reward_per_customer"]
    known = customers[["reward_cost", "profit"]].notna().all(axis=1).all()
    if not len(customers) or not known:
        return pd.DataFrame(columns=columns)
    before = customers["profit"] + customers["reward_cost"]
    place = np.argsort(np.argsort(-before.to_numpy(dtype=float), kind="stable"))
    limits = [-(-percent * len(customers) // 100) for _, percent in TIERS]
    tier = np.searchsorted(limits, place, side="right")
    sums = pd.DataFrame({"customers": 1, "reward_cost": customers["reward_cost"], "profit_before_rewards": before}).groupby(tier).sum()
    sums = sums.reindex(range(len(TIERS)), fill_value=0).assign(tier=[name for name, _ in TIERS])
    profit, count = sums["profit_before_rewards"], sums["customers"]
    rates = {
        "reinvestment_rate": sums["reward_cost"] / profit.where(profit > 0),
        "reward_per_customer": sums["reward_cost"] / count.where(count > 0),
    }
    return sums.assign(**rates)[columns].reset_index(drop=True)
