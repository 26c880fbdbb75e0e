"""What if customers were served more cheaply, discounts capped, small orders refused: arithmetic on the profits of the customers."""

from dataclasses import dataclass

import pandas as pd

from crm_metrics.customer_profit import SERVED, settled
from crm_metrics.metric import BadInput
from crm_metrics.profitability.concentration import concentration_row


@dataclass(frozen=True)
class WhatIf:
    """What is changed. serve_cheaper: share off cost to serve. discount_cap: largest share of an order's list price; None: no cap.

    minimum_order: purchases whose sold lines come to less are not placed; 0: none.
    """

    serve_cheaper: float = 0.0
    discount_cap: float | None = None
    minimum_order: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares outside of 0 to 1 and an order below 0."""
        for share in (self.serve_cheaper, self.discount_cap):
            if share is not None and not 0 <= share <= 1:
                raise BadInput("{value} is no share. Give a number from 0 to 1.", value=share)
        if not self.minimum_order >= 0:
            raise BadInput("{value} is no smallest order. Give an amount of 0 or more.", value=self.minimum_order)


def changed(customers: pd.DataFrame, small: pd.DataFrame, steep: pd.DataFrame, change: WhatIf) -> pd.DataFrame:
    """Return what the change makes of the customers, in their order: profit, cost_to_serve, discount, net_revenue, orders.

    customers: see customer_profit.profits, one row per known customer. small: what the orders below the minimum hold, rows like those of
    `customers`. steep: what the discounts of the other orders are over the cap: customer_number, excess. Customers without any are in
    neither.

    Purchases below the minimum are not placed: their list price, returns, discount and cost of goods go, and as large a share of the
    customer's delivery cost as of the orders. Then a discount over the cap is not given, and the customer buys all the same. Then every
    part of the cost to serve is cheaper by the same share.
    """
    then = customers.set_index("customer_number")
    gone = small.set_index("customer_number").reindex(then.index).fillna({"orders": 0})
    for name in ("list_revenue", "returns", "discount", "cost_of_goods"):
        then[name] -= gone[name].fillna(0.0)
    then["delivery_cost"] *= 1 - gone["orders"] / then["orders"].clip(lower=1)
    then["orders"] -= gone["orders"].astype(int)
    then["discount"] -= steep.set_index("customer_number")["excess"].reindex(then.index).fillna(0.0)
    for name in SERVED:
        then[name] *= 1 - change.serve_cheaper
    then["net_revenue"] = then["list_revenue"] - then["returns"] - then["discount"].fillna(0.0)
    then["gross_margin"] = then["net_revenue"] - then["cost_of_goods"]
    then["cost_to_serve"] = then[list(SERVED)].sum(axis=1, min_count=1)
    then["profit"] = settled(then["gross_margin"] - then[["cost_to_serve", "marketing"]].sum(axis=1))
    return then[["profit", "cost_to_serve", "discount", "net_revenue", "orders"]].reset_index(drop=True)


def scenario_row(customers: pd.DataFrame, scenario: str) -> dict[str, object]:
    """Return what the customers come to: see tables.what_if."""
    spread = concentration_row(customers["profit"].to_numpy(dtype=float), "profit").iloc[0]
    shown = {name: spread[name] for name in ("losing", "lost", "top_20", "peak_share")}
    sums = {name: customers[name].sum(min_count=1) for name in ("cost_to_serve", "discount", "net_revenue")}
    return {"scenario": scenario, "profit": spread["total"], **shown, **sums, "orders": int(customers["orders"].sum())}
