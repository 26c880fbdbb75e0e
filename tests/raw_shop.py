"""The questions of the rooms, asked of raw order lines by plain loops over exact decimals: what the facts have to answer alike.

Written from the definitions that the docstrings of the queries state, and from nothing else of the program: no facts, and no SQL but
"all rows".
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import pyarrow as pa
from sqlalchemy import Select, select

from crm_metrics import schema
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.periods import Grain
from crm_metrics.scope import Scope

Row = dict[str, Any]
MATCHES_SHOWN = 50


class RawShop(NamedTuple):
    """All order lines, each with its order, the category of its product and is_sold; and what is known of customers, by id."""

    lines: list[Row]
    customers: dict[str, Row]


def raw_shop(read: Callable[[Select[Any]], pa.Table]) -> RawShop:
    orders = {row["order_id"]: row for row in read(select(schema.orders)).to_pylist()}
    products = {row["product_id"]: row for row in read(select(schema.products)).to_pylist()}
    lines = [
        {**orders[line["order_id"]], **products.get(line["product_id"], {"category": None, "product_name": None}), **line}
        for line in read(select(schema.order_lines)).to_pylist()
    ]
    for line in lines:
        line["is_sold"] = line["line_kind"] == "sale" and line["quantity"] > 0
    return RawShop(lines, {row["customer_id"]: row for row in read(select(schema.customers)).to_pylist()})


# ── which lines, which purchases ────────────────────────────────────────────────────────────────────────────────────────


def is_chosen(value: str | None, chosen: tuple[str, ...]) -> bool:
    return not chosen or (UNKNOWN if value is None else value) in chosen


def visible(lines: Iterable[Row], scope: Scope, until: date | None = None) -> list[Row]:
    return [line for line in lines if is_chosen(line["order_region"], scope.regions) and (until is None or line["ordered_on"] <= until)]


def within(lines: Iterable[Row], filters: Filters) -> list[Row]:
    return [
        line
        for line in visible(lines, filters.scope, filters.end)
        if (filters.start is None or line["ordered_on"] >= filters.start)
        and is_chosen(line["order_region"], filters.region)
        and is_chosen(line["sales_channel"], filters.channel)
        and is_chosen(line["category"], filters.category)
    ]


def identified(lines: Iterable[Row]) -> list[Row]:
    return [line for line in lines if line["customer_id"] is not None]


def purchases(lines: Iterable[Row]) -> list[Row]:
    """One sold line of each order that has one, in order of time."""
    orders = {line["order_id"]: line for line in lines if line["is_sold"]}
    return sorted(orders.values(), key=lambda line: (line["ordered_on"], line["ordered_at"], line["order_id"]))


def purchases_by_customer(lines: Iterable[Row]) -> dict[str, list[Row]]:
    return {customer: orders for customer, orders in grouped(purchases(lines), "customer_id").items() if customer is not None}


def purchase_days(lines: Iterable[Row]) -> dict[str, list[date]]:
    return {customer: sorted({line["ordered_on"] for line in orders}) for customer, orders in purchases_by_customer(lines).items()}


def grouped(lines: Iterable[Row], key: str | Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Lines by the value of a column or function, values in order, the empty one last."""
    found: dict[Any, list[Row]] = {}
    for line in lines:
        found.setdefault(line[key] if isinstance(key, str) else key(line), []).append(line)
    return dict(sorted(found.items(), key=lambda group: (group[0] is None, group[0] if group[0] is not None else "")))


def total(lines: Iterable[Row], column: str) -> Decimal:
    return sum((line[column] for line in lines if line[column] is not None), Decimal(0))


# ── executive KPIs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def totals(shop: RawShop, filters: Filters) -> list[Row]:
    return [_totals(shop, filters, within(shop.lines, filters), filters.start)]


def totals_by_bucket(shop: RawShop, filters: Filters, grain: Grain) -> list[Row]:
    buckets = grouped(within(shop.lines, filters), lambda line: bucket_on(line["ordered_on"], grain))
    return [{"bucket_on": on, **_totals(shop, filters, lines, max(on, filters.start or on))} for on, lines in buckets.items()]


def totals_by_value(shop: RawShop, filters: Filters, column: str) -> list[Row]:
    values = grouped(within(shop.lines, filters), column)
    return [{"dimension_value": value, **_totals(shop, filters, lines, filters.start)} for value, lines in values.items()]


def revenue_by_category(shop: RawShop, filters: Filters) -> list[Row]:
    categories = grouped(within(shop.lines, filters), "category")
    return [{"dimension_value": value, "net_revenue": total(lines, "net_amount")} for value, lines in categories.items()]


def _totals(shop: RawShop, filters: Filters, lines: list[Row], new_since: date | None) -> Row:
    """What the lines sum up to; customers are new whose first purchase of all that the reader may see came on `new_since` or later."""
    won_on = {customer: days[0] for customer, days in purchase_days(visible(shop.lines, filters.scope)).items()}
    known, of_lines = identified(lines), _amounts(lines)
    orders_of = Counter(order["customer_id"] for order in purchases(known))
    return {
        "documents": len({line["order_id"] for line in lines}),
        "orders": len(purchases(lines)),
        "documents_identified": len({line["order_id"] for line in known}),
        "orders_identified": sum(orders_of.values()),
        "active_customers": len(orders_of),
        "new_customers": sum(new_since is None or won_on[customer] >= new_since for customer in orders_of),
        "repeat_customers": sum(orders >= 2 for orders in orders_of.values()),
        **{name: of_lines[name] for name in ("net_revenue", "gross_revenue", "costed_revenue", "cost_of_goods", "costed_lines")},
        "net_revenue_identified": total(known, "net_amount"),
        "gross_revenue_identified": _amounts(known)["gross_revenue"],
    }


def bucket_on(day: date, grain: Grain) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    months = {"month": 1, "quarter": 3, "year": 12}
    return day if grain == "day" else date(day.year, (day.month - 1) // months[grain] * months[grain] + 1, 1)


# ── what several rooms ask ──────────────────────────────────────────────────────────────────────────────────────────────


def orders_without_customer(shop: RawShop, filters: Filters) -> list[Row]:
    return [{"orders": sum(order["customer_id"] is None for order in purchases(within(shop.lines, filters)))}]


def active_customers(shop: RawShop, filters: Filters, grain: Grain) -> list[Row]:
    won_on = {customer: days[0] for customer, days in purchase_days(visible(shop.lines, filters.scope)).items()}
    days_of = purchase_days(within(shop.lines, filters))
    active = sorted({(bucket_on(day, grain), customer) for customer, days in days_of.items() for day in days})
    return [{"customer_id": customer, "bucket_on": on, "first_purchase_on": won_on[customer]} for on, customer in active]


def amounts(shop: RawShop, filters: Filters) -> list[Row]:
    """By order: what its lines within the filters add up to."""
    return [{"order_id": order, **_amounts(lines)} for order, lines in grouped(within(shop.lines, filters), "order_id").items()]


def products(shop: RawShop, filters: Filters) -> list[Row]:
    """By order and product: whose, when, where and of which category, whether it was bought, and what its lines add up to."""
    parts = grouped(within(shop.lines, filters), lambda line: (line["order_id"], line["product_id"] or ""))
    names = ("order_id", "product_id", "category", "customer_id", "ordered_on", "order_region", "sales_channel", "campaign_id")
    return [
        {**{name: lines[0][name] for name in names}, "is_purchase": any(line["is_sold"] for line in lines), **_amounts(lines)}
        for lines in parts.values()
    ]


def _amounts(lines: list[Row]) -> Row:
    costed = [line for line in lines if line["cost_amount"] is not None]
    discounted = [line for line in lines if line["discount_amount"] is not None]
    return {
        "lines": len(lines),
        "costed_lines": len(costed),
        "units": total(lines, "quantity"),
        "net_revenue": total(lines, "net_amount"),
        "gross_revenue": total([line for line in lines if line["is_sold"]], "net_amount"),
        "discount": total(discounted, "discount_amount") if discounted else None,
        "costed_revenue": total(costed, "net_amount"),
        "cost_of_goods": total(costed, "cost_amount") if costed else None,
    }


def extent(shop: RawShop, scope: Scope) -> list[Row]:
    days = [line["ordered_on"] for line in visible(shop.lines, scope)]
    return [{"first_on": min(days, default=None), "last_on": max(days, default=None)}]


def choice_values(shop: RawShop, column: str, scope: Scope, until: date) -> list[Row]:
    values = grouped(visible(shop.lines, scope, until), column)
    counted = [{"value": value, "orders": len({line["order_id"] for line in lines})} for value, lines in values.items()]
    return sorted(counted, key=lambda row: -row["orders"])


# ── lifetime value ──────────────────────────────────────────────────────────────────────────────────────────────────────


def customer_histories(shop: RawShop, scope: Scope, as_of: date) -> list[Row]:
    seen = visible(shop.lines, scope, as_of)
    lines_of = grouped(identified(seen), "customer_id")
    rows = []
    for customer, orders in sorted(purchases_by_customer(seen).items()):
        days = sorted({order["ordered_on"] for order in orders})
        repeats = [line for line in lines_of[customer] if line["ordered_on"] > days[0]]
        costed = [line for line in repeats if line["cost_amount"] is not None]
        rows.append(
            {
                "customer_id": customer,
                "customer_name": shop.customers[customer]["customer_name"],
                "order_region": orders[-1]["order_region"],
                "sales_channel": orders[-1]["sales_channel"],
                "first_on": days[0],
                "last_on": days[-1],
                "frequency": len(days) - 1,
                "recency_days": (days[-1] - days[0]).days,
                "age_days": (as_of - days[0]).days,
                "repeat_net_revenue": total(repeats, "net_amount"),
                "repeat_costed_revenue": total(costed, "net_amount"),
                "repeat_cost": total(costed, "cost_amount"),
            }
        )
    return rows


def chosen_customers(shop: RawShop, filters: Filters, as_of: date) -> list[Row]:
    lines = within(shop.lines, replace(filters, start=None, end=as_of))
    return [{"customer_id": customer} for customer in sorted(purchases_by_customer(lines))]


def later_purchases(shop: RawShop, scope: Scope, after: date, until: date) -> list[Row]:
    days_of = purchase_days(visible(shop.lines, scope, until))
    counted = {customer: sum(day > after for day in days) for customer, days in sorted(days_of.items())}
    return [{"customer_id": customer, "purchases": days} for customer, days in counted.items() if days]


def repeat_purchases(shop: RawShop, scope: Scope, split_on: date, until: date) -> list[Row]:
    days_of = purchase_days(visible(shop.lines, scope, until)).values()
    counted = Counter(day for days in days_of if days[0] <= split_on for day in days[1:])
    return [{"purchased_on": day, "purchases": purchases} for day, purchases in sorted(counted.items())]


# ── one customer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def known_customers(shop: RawShop, filters: Filters) -> dict[str, Row]:
    """Who exists for this reader: with an order to be seen, or, for who may see all, known and without any order."""
    seen = identified(visible(shop.lines, filters.scope, filters.end))
    orders_of, known = purchases_by_customer(seen), {line["customer_id"] for line in seen}
    if not filters.scope.regions:
        known |= shop.customers.keys() - {line["customer_id"] for line in shop.lines}
    days = {customer: [order["ordered_on"] for order in orders_of.get(customer, [])] for customer in known}
    return {
        customer: {"first_on": min(found, default=None), "last_on": max(found, default=None), "orders": len(found)}
        for customer, found in days.items()
    }


def customer_profile(shop: RawShop, filters: Filters) -> list[Row]:
    known = known_customers(shop, filters)
    names = ("customer_id", "customer_name", "customer_kind", "home_region")
    return [
        {**{name: shop.customers[customer][name] for name in names}, **known[customer]}
        for customer in known
        if customer == filters.customer
    ]


def customer_matches(shop: RawShop, filters: Filters, words: str) -> list[Row]:
    """Found by lower-case letters; ranked by the id itself, ids that begin so, others; in these the latest buyers first."""
    revenue = {
        customer: total(lines, "net_amount")
        for customer, lines in grouped(visible(shop.lines, filters.scope, filters.end), "customer_id").items()
    }
    found = []
    for customer, row in known_customers(shop, filters).items():
        name = shop.customers[customer]["customer_name"]
        rank = 0 if customer == words else 1 if customer.startswith(words) else 2
        if words.lower() in customer.lower() or words.lower() in (name or "").lower():
            days_ago = -row["last_on"].toordinal() if row["last_on"] else 0
            about = {"customer_id": customer, "customer_name": name, "home_region": shop.customers[customer]["home_region"]}
            found.append(((rank, days_ago, customer), {**about, **row, "net_revenue": revenue.get(customer)}))
    return [{**row, "matches": len(found)} for _, row in sorted(found, key=lambda match: match[0])[:MATCHES_SHOWN]]


def customer_orders(shop: RawShop, filters: Filters) -> list[Row]:
    lines = [line for line in visible(shop.lines, filters.scope, filters.end) if line["customer_id"] == filters.customer]
    return sorted((_order(of_order) for of_order in grouped(lines, "order_id").values()), key=lambda row: row["ordered_on"], reverse=True)


def _order(lines: list[Row]) -> Row:
    costed = [line for line in lines if line["cost_amount"] is not None]
    units, net = total(lines, "quantity"), total(lines, "net_amount")
    if all(line["line_kind"] == "cancelled" for line in lines):
        kind = "cancelled"
    elif any(line["is_sold"] for line in lines):
        kind = "purchase"
    else:
        kind = "return" if net < 0 or units < 0 else "other"
    return {
        **{name: lines[0][name] for name in ("order_id", "ordered_on", "order_region", "sales_channel")},
        "order_kind": kind,
        "units": units,
        "net_revenue": net,
        "gross_margin": total(costed, "net_amount") - total(costed, "cost_amount") if costed else None,
        "costed_lines": len(costed),
        "lines": len(lines),
    }


def base_intervals(shop: RawShop, filters: Filters) -> list[Row]:
    days_of = purchase_days(visible(shop.lines, filters.scope, filters.end)).values()
    gaps = [(later - earlier).days for days in days_of for earlier, later in pairwise(days)]
    return [{"usual_days": median(gaps) if gaps else None, "intervals": len(gaps)}]
