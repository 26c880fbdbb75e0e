"""A small shop with costs to serve, marketing and nobody's costs, for the tests of profit."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from crm_metrics import database, facts, schema

ORDERS: list[tuple[Any, ...]] = [  # order, customer, day, region, channel, category, lines: kind, quantity, net amount, discount, cost
    ("o1", "ann", "2024-01-10", "North", "web", "tea", [("sale", 1, 100, 20, 40)]),
    ("o2", "ann", "2024-02-05", "South", "shop", "mugs", [("sale", 1, 50, None, 20)]),
    ("r1", "ann", "2024-02-20", "South", "shop", "mugs", [("return", -1, -30, -6, -12)]),
    ("x1", "ann", "2024-02-21", "North", "web", "tea", [("cancelled", 1, 0, 5, 0)]),
    ("o3", "ben", "2024-01-15", "North", "web", "tea", [("sale", 1, 10, None, 8)]),
    ("o4", None, "2024-01-20", "North", "shop", "tea", [("sale", 1, 40, None, 10)]),
]
COSTS = [  # customer, day, kind, minutes, cost
    ("ann", "2024-01-31", "service", 30, 5),
    ("ann", "2024-02-29", "sales visit", 120, 7),
    ("ben", "2024-01-31", "delivery", None, 4),
    ("ben", "2024-01-31", "reward", None, 1),
    ("ben", "2024-01-31", "training", None, 2),
    ("ben", None, "return handling", 3, 1.5),
    (None, "2024-01-31", "service", 60, 9),
    ("zoe", "2024-01-31", "delivery", None, 3),
]
CUSTOMERS = [("ann", "Ann", 12, "2023-12-31"), ("ben", "Ben", 6, None), ("zoe", "Zoe", None, None)]  # cost of winning, won on
CAMPAIGNS = {"mailing": "retention", "fair": "acquisition", "posters": "retention"}
MEMBERS = [("mailing", "ann", "treated"), ("mailing", "ben", "B"), ("mailing", None, "treated"), ("mailing", "eve", "control")]
SPEND = [("mailing", "2024-02-01", 30), ("posters", "2024-02-01", 7), ("fair", "2024-01-02", 1000)]


def amounts(values) -> pa.Array:
    return pa.array([None if value is None else Decimal(str(value)) for value in values], pa.decimal128(18, 4))


def days(values) -> pa.Array:
    return pa.array([None if value is None else date.fromisoformat(value) for value in values], pa.date32())


def texts(values) -> pa.Array:
    return pa.array(list(values), pa.string())


def fill(data_set: database.DataSet, orders=ORDERS, **more: list) -> database.Source:
    """Publish the orders; more: costs, customers, members, spend."""
    with database.change(data_set) as writer:
        for table, columns in {**_sold(orders), **_beside(**more)}.items():
            count = len(next(iter(columns.values())))
            if count:
                writer.append(table, pa.table({**columns, "batch_id": [1] * count}))
        facts.rebuild(writer.connection)
    return database.open_source(data_set)


def cost_shop(data_set: database.DataSet) -> database.Source:
    """The whole shop of this module."""
    return fill(data_set, costs=COSTS, customers=CUSTOMERS, members=MEMBERS, spend=SPEND)


def _sold(orders) -> dict[Any, Mapping[str, Any]]:
    lines = [(order[0], order[5], *line) for order in orders for line in order[6]]
    orders = list({order[0]: order for order in orders}.values())  # one of several categories is given once for each
    is_sold = [any(kind == "sale" for kind, *_ in order[6]) for order in orders]
    categories = sorted({category for _, category, *_ in lines if category})
    return {
        schema.orders: {
            "order_id": [order[0] for order in orders],
            "customer_id": texts(order[1] for order in orders),
            "ordered_at": [datetime.fromisoformat(order[2]) for order in orders],
            "ordered_on": days(order[2] for order in orders),
            "order_region": texts(order[3] for order in orders),
            "sales_channel": texts(order[4] for order in orders),
            "is_purchase": is_sold,
            "is_cancelled": [order[6][0][0] == "cancelled" for order in orders],
        },
        schema.order_lines: {
            "row_number": list(range(len(lines))),
            "order_id": [line[0] for line in lines],
            "product_id": texts(line[1] for line in lines),
            "line_kind": [line[2] for line in lines],
            "quantity": amounts(line[3] for line in lines),
            "net_amount": amounts(line[4] for line in lines),
            "discount_amount": amounts(line[5] for line in lines),
            "cost_amount": amounts(line[6] for line in lines),
            "row_hash": [str(number) for number in range(len(lines))],
        },
        schema.products: {"product_id": texts(categories), "product_name": texts(categories), "category": texts(categories)},
    }


def _beside(*, costs=(), customers=(), members=(), spend=()) -> dict[Any, Mapping[str, Any]]:
    return {
        schema.costs_to_serve: {
            "cost_id": [f"c{number}" for number in range(len(costs))],
            "customer_id": texts(cost[0] for cost in costs),
            "incurred_on": days(cost[1] for cost in costs),
            "cost_kind": texts(cost[2] for cost in costs),
            "minutes": amounts(cost[3] for cost in costs),
            "cost_amount": amounts(cost[4] for cost in costs),
        },
        schema.customers: {
            "customer_id": texts(row[0] for row in customers),
            "customer_name": texts(row[1] for row in customers),
            "acquisition_cost": amounts(row[2] for row in customers),
            "acquired_on": days(row[3] for row in customers),
        },
        schema.campaigns: {
            "campaign_id": sorted({row[0] for row in spend}),
            "campaign_kind": [CAMPAIGNS[name] for name in sorted({row[0] for row in spend})],
        },
        schema.campaign_members: {
            "campaign_id": [row[0] for row in members],
            "member_id": [str(number) for number in range(len(members))],
            "customer_id": texts(row[1] for row in members),
            "arm": [row[2] for row in members],
        },
        schema.campaign_spend: {
            "spend_id": [str(number) for number in range(len(spend))],
            "campaign_id": [row[0] for row in spend],
            "spent_on": days(row[1] for row in spend),
            "spend_amount": amounts(row[2] for row in spend),
        },
    }
