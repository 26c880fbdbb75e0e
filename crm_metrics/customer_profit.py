"""From revenue to profit, customer by customer: what was sold, what the goods cost, what serving and winning the customer cost.

list revenue - returns - discounts = net revenue; - cost of goods = gross margin; - cost to serve - marketing = profit

Costs to serve and marketing are of customers and can't be split by order: where a region, a channel, a category or the reader's scope
chooses orders they are left out, and profit is gross margin.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    collate,
    exists,
    func,
    null,
    or_,
    select,
    true,
    union_all,
)

from crm_metrics.customer_forecast.statistic import COSTS_NEEDED
from crm_metrics.database import Source
from crm_metrics.filters import Filters, conditions, customer_conditions, period_conditions
from crm_metrics.sales import amounts_within, days_within, orders_within
from crm_metrics.schema import (
    AMOUNT,
    campaign_members,
    campaign_spend,
    campaigns,
    costs_to_serve,
    customer_facts,
    customers,
    order_facts,
)

SOLD = ("net_revenue", "gross_revenue", "discount", "costed_revenue", "cost_of_goods")
KIND_COLUMNS = {
    "service": "service_cost",
    "sales visit": "visit_cost",
    "delivery": "delivery_cost",
    "return handling": "return_handling_cost",
    "reward": "reward_cost",
}
OTHER_COST = "other_cost"
SERVED = (*KIND_COLUMNS.values(), OTHER_COST)
"""The parts of cost to serve; a kind that isn't named is among the others."""
MINUTES = {"service": "service_minutes", "sales visit": "visit_minutes"}
MARKETING = ("acquisition_cost", "campaign_cost")
COSTS = (*SERVED, *MINUTES.values(), *MARKETING)
"""What is recorded of customers beside their orders: amounts, and minutes of employees. Empty where nobody recorded it."""
LEAST_AMOUNT = 1e-6  # money; less is a rounding of sums, by which nobody loses money

# ── queries ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def has_customer_costs(filters: Filters) -> bool:
    """Return whether costs to serve and marketing belong to what the filters choose: customers, not some of their orders."""
    return not (filters.region or filters.channel or filters.category or filters.scope.regions)


def customer_amounts(filters: Filters) -> Select[Any]:
    """One row per customer with an order in the filters and the period, or a cost of its own in the period; one for customer unknown.

    customer_number, customer_id (both empty: unknown, the last row), orders (purchases), SOLD (see sold_sums), COSTS; by customer_id.
    Amounts are empty where none is known.
    """
    sold, costs = _sold(filters), _costs(filters) if has_customer_costs(filters) else ()
    unknown = select(cast(null(), Integer), cast(null(), Text))
    everyone = union_all(select(customer_facts.c.customer_number, customer_facts.c.customer_id), unknown).cte("everyone")
    amounts = {name: part.c[name] for part in (*sold, *costs) for name in _SUMMED if name in part.c}
    rows: FromClause = everyone
    for part in sold:
        rows = rows.outerjoin(part, _key(part) == _key(everyone))
    for part in costs:
        rows = rows.outerjoin(part, part.c.customer_number == everyone.c.customer_number)
    return (
        select(*everyone.c, *[amounts.get(name, cast(null(), AMOUNT)).label(name) for name in _SUMMED])
        .select_from(rows)
        .where(or_(*[part.c.is_there for part in (*sold, *costs)]))
        .order_by(collate(everyone.c.customer_id, "C").nulls_last())
    )


def unallocated_costs(filters: Filters) -> Select[Any]:
    """One row: COSTS of the period that no customer with an order caused: nobody's, or of someone who never ordered.

    The spend of a campaign without members, and the shares of its members who are no customers. undated: cost items without a day,
    of whomever; they count in every period.
    """
    sums = _cost_sums(filters, lambda customer: customer.is_(None))
    undated = select(func.count()).select_from(costs_to_serve).where(costs_to_serve.c.incurred_on.is_(None)).scalar_subquery()
    return select(*sums, undated.label("undated"))


def all_costs(filters: Filters) -> Select[Any]:
    """One row: COSTS of the period, whoever caused them: those of `whole` and of `unallocated_costs` together."""
    return select(*_cost_sums(filters, lambda _: true()))


def _cost_sums(filters: Filters, is_chosen: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> list[ColumnElement[Any]]:
    """Return the sums of COSTS over the rows whose customer_number is chosen."""
    return [
        select(func.sum(part.c[name])).where(is_chosen(part.c.customer_number)).scalar_subquery().label(name)
        for part in _costs(filters)
        for name in COSTS
        if name in part.c
    ]


_SUMMED = ("orders", *SOLD, *COSTS)
_IS_THERE = true().label("is_there")


def _key(rows: FromClause) -> ColumnElement[Any]:
    """Return the customer's number, 0 where the customer is unknown, so that the unknown one finds its amounts too."""
    return func.coalesce(rows.c.customer_number, 0)


def _sold(filters: Filters) -> tuple[CTE, ...]:
    """Return orders and SOLD by customer_number: as one part, or as two where a category takes orders apart."""
    if not filters.category:
        rows = order_facts
        orders = func.sum(case((rows.c.is_purchase, 1), else_=0)).label("orders")
        chosen = select(rows.c.customer_number, orders, *sold_sums(rows), _IS_THERE).where(*conditions(filters, rows))
        return (chosen.group_by(rows.c.customer_number).cte("sold"),)
    bought, paid = orders_within(filters), amounts_within(filters)
    counted = select(bought.c.customer_number, func.count().label("orders"), _IS_THERE).where(bought.c.is_purchase)
    summed = select(paid.c.customer_number, *sold_sums(paid), _IS_THERE).group_by(paid.c.customer_number)
    return (counted.group_by(bought.c.customer_number).cte("bought"), summed.cte("sold"))


def sold_sums(rows: FromClause) -> list[ColumnElement[Any]]:
    """Return the sums of SOLD over rows of facts.

    discount: of what was sold or given back; an order that came to nothing, being cancelled or a gift, has neither list price nor
    discount.
    """
    amounts = {name: case((is_something(rows), rows.c[name])) if name == "discount" else rows.c[name] for name in SOLD}
    return [func.sum(amount).label(name) for name, amount in amounts.items()]


def is_something(rows: FromClause) -> ColumnElement[bool]:
    """Return whether a row of facts came to something, so that a discount on it was given."""
    return or_(rows.c.gross_revenue != 0, rows.c.net_revenue != 0)


def whole(filters: Filters) -> Select[Any]:
    """One row: SOLD, of all sales in the filters and the period, and, where they belong to these, COSTS of customers; empty without any."""
    costs = _cost_sums(filters, lambda customer: customer.is_not(None)) if has_customer_costs(filters) else []
    return select(*sold_sums(amounts_within(filters)), *costs)


def sold_by_day(filters: Filters) -> Select[Any]:
    """One row: SOLD, of all sales in the filters and the period, added up from the days, which takes a twentieth of the time of orders."""
    return select(*sold_sums(days_within(filters)))


def _costs(filters: Filters) -> tuple[CTE, ...]:
    """Return the costs by customer_number, empty where they are no customer's: to serve, of being won, of campaigns."""
    return (_served(filters), _won(filters), _campaigns(filters))


def _served(filters: Filters) -> CTE:
    rows, number = costs_to_serve.c, customer_facts.c.customer_number
    amounts = [func.sum(case((rows.cost_kind == kind, rows.cost_amount))).label(name) for kind, name in KIND_COLUMNS.items()]
    is_other = func.coalesce(rows.cost_kind, "").not_in(KIND_COLUMNS)
    minutes = [func.sum(case((rows.cost_kind == kind, rows.minutes))).label(name) for kind, name in MINUTES.items()]
    return (
        select(number, *amounts, func.sum(case((is_other, rows.cost_amount))).label(OTHER_COST), *minutes, _IS_THERE)
        .join_from(costs_to_serve, customer_facts, customer_facts.c.customer_id == rows.customer_id, isouter=True)
        .where(*period_conditions(rows.incurred_on, filters), *customer_conditions(filters, number))
        .group_by(number)
        .cte("served")
    )


def _won(filters: Filters) -> CTE:
    """One row per customer won in the period at a known cost: on the day it was won, else of the first purchase."""
    number, first = customer_facts.c.customer_number, order_facts.c
    won_on = func.coalesce(customers.c.acquired_on, first.ordered_on)
    is_first = and_(first.customer_number == number, first.purchase_number == 1)
    return (
        select(number, customers.c.acquisition_cost, _IS_THERE)
        .join_from(customers, customer_facts, customer_facts.c.customer_id == customers.c.customer_id, isouter=True)
        .outerjoin(order_facts, is_first)
        .where(customers.c.acquisition_cost.is_not(None), *period_conditions(won_on, filters), *customer_conditions(filters, number))
        .cte("won")
    )


def _campaigns(filters: Filters) -> CTE:
    """One row per customer with a share of a campaign's spend of the period: all but the control group share alike.

    Where customers carry a cost of winning them, the spend of acquisition campaigns is left out: it would be the same money twice.
    """
    is_acquisition = and_(campaigns.c.campaign_id == campaign_spend.c.campaign_id, campaigns.c.campaign_kind == "acquisition")
    is_counted = ~and_(exists().where(is_acquisition), exists().where(customers.c.acquisition_cost.is_not(None)))
    spent = (
        select(campaign_spend.c.campaign_id, func.sum(campaign_spend.c.spend_amount).label("spend"))
        .where(*period_conditions(campaign_spend.c.spent_on, filters), is_counted)
        .group_by(campaign_spend.c.campaign_id)
        .cte("spent")
    )
    members, number = campaign_members.c, customer_facts.c.customer_number
    is_treated = and_(members.campaign_id == spent.c.campaign_id, members.arm != "control")
    counted = (
        select(spent.c.campaign_id, (cast(spent.c.spend, Double) / func.greatest(func.count(members.member_id), 1)).label("share"))
        .join_from(spent, campaign_members, is_treated, isouter=True)
        .group_by(spent.c.campaign_id, spent.c.spend)
        .cte("shares")
    )
    is_sharing = and_(members.campaign_id == counted.c.campaign_id, members.arm != "control")
    return (
        select(number, func.sum(counted.c.share).label("campaign_cost"), _IS_THERE)
        .join_from(counted, campaign_members, is_sharing, isouter=True)
        .outerjoin(customer_facts, customer_facts.c.customer_id == members.customer_id)
        .where(*customer_conditions(filters, number))
        .group_by(number)
        .cte("shared_spend")
    )


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Costing(NamedTuple):
    """How far costs are known.

    coverage: share of net revenue whose cost of goods is known. cost_share: cost / revenue of that part. recorded: which of discount and
    COSTS are known of anyone; who has none of these has 0.
    """

    coverage: float
    cost_share: float
    recorded: tuple[str, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether costs of COSTS_NEEDED of the revenue are known, so that the rest may be given the cost share of the others."""
        return abs(1 - self.coverage) <= 1 - COSTS_NEEDED


def costing(amounts: pd.DataFrame) -> Costing:
    """Return how far costs are known. amounts: net_revenue, costed_revenue, cost_of_goods; discount and COSTS as far as they are asked for.

    >>> costing(pd.DataFrame({"net_revenue": [100.0], "costed_revenue": [96.0], "cost_of_goods": [48.0]}))
    Costing(coverage=0.96, cost_share=0.5, recorded=())
    """
    net, costed, cost = (float(amounts[name].sum()) for name in ("net_revenue", "costed_revenue", "cost_of_goods"))
    recorded = tuple(name for name in ("discount", *COSTS) if name in amounts and amounts[name].notna().any())
    return Costing(costed / net if net > 0 else np.nan, cost / costed if costed > 0 else np.nan, recorded)


def settled(amounts: Any) -> Any:
    """Return the amounts, an array or a column, with those that a rounding of sums left over as 0.

    >>> settled(np.array([0.1 + 0.2 - 0.3, -0.01])).tolist()
    [0.0, -0.01]
    """
    return amounts * (np.abs(amounts) >= LEAST_AMOUNT) + 0.0  # no -0


def margins(amounts: pd.DataFrame, known: Costing | None = None) -> pd.DataFrame:
    """Return for each row of `amounts` (SOLD): list_revenue, returns, discount, net_revenue, cost_of_goods, gross_margin.

    What takes away is positive: list_revenue - returns - discount = net_revenue; - cost_of_goods = gross_margin. returns: goods given
    back, at the price they were sold for. discount: given, less that on goods given back; NaN for all where none is recorded. Revenue
    without a cost has the cost share of the others, where costs are known enough; else cost of goods and gross margin are NaN.

    known: how far costs are known where `amounts` are a part of what that is told of; None: as in `amounts` themselves.
    """
    known = known or costing(amounts)
    sold = amounts[list(SOLD)].astype(float).fillna(0.0)
    cost = sold["cost_of_goods"] + (sold["net_revenue"] - sold["costed_revenue"]) * known.cost_share
    made = {
        "list_revenue": sold["gross_revenue"] + sold["discount"],
        "returns": sold["gross_revenue"] - sold["net_revenue"],
        "discount": sold["discount"] if "discount" in known.recorded else np.nan,
        "net_revenue": sold["net_revenue"],
        "cost_of_goods": cost if known.is_enough else np.nan,
    }
    frame = pd.DataFrame(made, index=amounts.index)
    return frame.assign(gross_margin=settled(frame["net_revenue"] - frame["cost_of_goods"]))


def profits(amounts: pd.DataFrame, known: Costing | None = None) -> pd.DataFrame:
    """Return one row per row of `amounts` (see customer_amounts), in its order: what profit is made of; known: see margins.

    customer_number, customer_id, orders, list_revenue, returns, discount, net_revenue, cost_of_goods, gross_margin (see margins), SERVED,
    cost_to_serve, MARKETING, marketing, profit, and the minutes. What takes away is positive:
    gross_margin - cost_to_serve - marketing = profit. A part that nobody recorded is NaN for everyone and takes nothing away.
    """
    known = known or costing(amounts)
    costs = amounts[list(COSTS)].astype(float)
    costs = costs.fillna({name: 0.0 for name in COSTS if name in known.recorded})
    totals = {
        "cost_to_serve": costs[list(SERVED)].sum(axis=1, min_count=1),
        "marketing": costs[list(MARKETING)].sum(axis=1, min_count=1),
    }
    orders = amounts["orders"].fillna(0).astype(int)
    made = pd.concat([amounts[["customer_number", "customer_id"]], orders, margins(amounts, known), costs], axis=1).assign(**totals)
    return made.assign(profit=settled(made["gross_margin"] - made[["cost_to_serve", "marketing"]].sum(axis=1)))


# ── asked once ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def coverage(source: Source, filters: Filters) -> Costing:
    """Return how far costs are known, of all sales and customers of the filters and the period; ask by source.remember.

    Whatever the segments: told of each of them apart, their profits would not add up to that of all customers, and what no customer of a
    segment had would seem to be unknown.
    """
    return costing(source(whole(replace(filters, segments=()))))


def goods_coverage(source: Source, filters: Filters) -> Costing:
    """Return how far costs of goods are known, as `coverage` does; of COSTS nothing. Ask by source.remember."""
    return costing(source(sold_by_day(replace(filters, segments=(), segments_on=None))))


def customer_profits(source: Source, filters: Filters) -> pd.DataFrame:
    """Return `profits` of the filters and the period, by customer_id, customer unknown last; ask by source.remember."""
    return profits(source(customer_amounts(filters)), source.remember(coverage, filters))
