"""Orders written down in a test, published as a data set."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from crm_metrics import database, facts, schema
from crm_metrics.database import DataSet


def amounts(values):
    return pa.array([None if value is None else Decimal(value) for value in values], pa.decimal128(18, 4))


def write(data_set: DataSet, orders: list[dict], *, products: dict[str, str] | None = None) -> DataSet:
    """Publish orders. Each: customer, day, lines; and where they matter region, channel, is_purchase, is_cancelled, product."""
    ids = [f"o{number:06d}" for number in range(len(orders))]
    lines = [(order_id, order, line) for order_id, order in zip(ids, orders, strict=True) for line in order["lines"]]
    days = [order["day"] for order in orders]
    order_rows = {
        "order_id": ids,
        "customer_id": pa.array([order["customer"] for order in orders], pa.string()),
        "ordered_at": pa.array([dt.datetime.combine(day, dt.time()) for day in days], pa.timestamp("us")),
        "ordered_on": pa.array(days, pa.date32()),
        "order_region": pa.array([order.get("region") for order in orders], pa.string()),
        "sales_channel": pa.array([order.get("channel") for order in orders], pa.string()),
        "is_purchase": [order.get("is_purchase", True) for order in orders],
        "is_cancelled": [order.get("is_cancelled", False) for order in orders],
        "batch_id": [1] * len(orders),
    }
    line_rows = {
        "batch_id": [1] * len(lines),
        "row_number": list(range(1, len(lines) + 1)),
        "order_id": [order_id for order_id, _, _ in lines],
        "product_id": pa.array([order.get("product") for _, order, _ in lines], pa.string()),
        "line_kind": [line[0] for _, _, line in lines],
        "quantity": amounts([line[1] for _, _, line in lines]),
        "net_amount": amounts([line[2] for _, _, line in lines]),
        "cost_amount": amounts([line[3] for _, _, line in lines]),
        "row_hash": [f"h{number}" for number in range(len(lines))],
    }
    with database.change(data_set) as writer:
        writer.append(schema.orders, pa.table(order_rows))
        writer.append(schema.order_lines, pa.table(line_rows))
        if products:
            named = {"product_id": list(products), "category": list(products.values()), "batch_id": [1] * len(products)}
            writer.append(schema.products, pa.table(named))
        facts.rebuild(writer.connection)
    return data_set


def sale(customer, day, amount, cost=None, **more):
    return {"customer": customer, "day": day, "lines": [("sale", 1, amount, cost)], **more}
