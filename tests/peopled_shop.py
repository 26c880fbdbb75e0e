"""Random shops in which much is known of customers, and what is known of them on a day, told by plain loops over all rows.

Written from the definitions that the catalogue of attributes states; with the database it shares nothing but the rows.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa
from raw_shop import RawShop, Row, grouped, identified, purchases_by_customer, raw_shop, total, visible
from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, Table
from sqlalchemy.types import TypeEngine

from crm_metrics import database, facts, schema
from crm_metrics.database import DataSet, open_source
from crm_metrics.scope import Scope
from crm_metrics.segments.known import AGE_BANDS, NO, SEASONS, TIERS, UNKNOWN, YES, band_name
from crm_metrics.segments.rule import Condition, Group, Opposite, Rule

FIRST_ON, DAYS = dt.date(2023, 1, 1), 800
CUSTOMERS = ("ann", "Ann", "O'Neil", "陈", "=1+1", "<b>", "é", "b_%", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "lee", "mo")
REGIONS, CHANNELS, CATEGORIES = ("N", "N", "S", "Ost", None), ("web", "shop", None), {"p": "tea", "q": "Tea", "r": "mug", "s": None}
Tables = dict[Table, list[Row]]
Values = dict[str, set[str]]  # of each customer of whom it is known
Numbers = dict[str, float]


# ── a shop ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def random_shop(seed: int, *, orders: int = 60, has_all_costs: bool = False) -> Tables:
    """Return the rows of a shop: some customers nobody described, some who never ordered, days and answers that are missing.

    has_all_costs: the cost of every line is known, so that the profits of parts add up.
    """
    draw = Random(seed)
    buyers, described = draw.sample(CUSTOMERS, 14), draw.sample(CUSTOMERS, 16)
    made: Tables = {schema.orders: [], schema.order_lines: []}
    for number in range(orders):
        _add_order(draw, made, f"o{number}", draw.choice([*buyers, *buyers[:3] * 3, None]), has_all_costs=has_all_costs)
    made[schema.products] = [{"product_id": product, "category": category} for product, category in CATEGORIES.items()]
    made[schema.customers] = [_customer(draw, customer) for customer in described]
    made[schema.preferences] = [
        {"customer_id": customer, "preference": subject, "preferred_value": draw.choice(("mail", "tea", None)), "stated_on": _day(draw)}
        for customer in draw.sample(CUSTOMERS, 10)
        for subject in draw.sample(("contact", "taste"), draw.randint(1, 2))
    ]
    made[schema.surveys] = [_survey(draw, number) for number in range(50)]
    made[schema.service_tickets] = [
        {"ticket_id": f"t{number}", "customer_id": _somebody(draw), "opened_at": _moment(draw)} for number in range(40)
    ]
    made[schema.costs_to_serve] = [_cost(draw, number) for number in range(40)]
    made[schema.campaigns] = [{"campaign_id": "c1", "campaign_name": "Spring"}, {"campaign_id": "c2", "campaign_name": None}]
    made[schema.campaign_members] = [
        {"campaign_id": campaign, "member_id": customer, "customer_id": customer, "arm": arm, "assigned_on": _day(draw)}
        for campaign in ("c1", "c2", "c3")
        for customer, arm in zip(draw.sample(CUSTOMERS, 9), ["treated", "control", "unassigned"] * 3, strict=True)
    ]
    made[schema.contacts] = [
        {"contact_id": f"k{number}", "customer_id": draw.choice(CUSTOMERS), "email": f"{number}@x", "is_primary": draw.choice((True, None))}
        for number in range(30)
    ]
    return made


def published(data_set: DataSet, made: Tables) -> DataSet:
    """Publish the rows of a shop."""
    with database.change(data_set) as writer:
        for table, rows in made.items():
            writer.append(table, _arrow(table, rows))
        facts.rebuild(writer.connection)
    return data_set


def cut_at(made: Tables, day: dt.date) -> Tables:
    """Return the rows of a shop as they stood on a day; what has no day was always there."""
    kept = {order["order_id"] for order in made[schema.orders] if order["ordered_on"] <= day}
    days = {
        schema.preferences: "stated_on",
        schema.surveys: "answered_on",
        schema.service_tickets: "opened_at",
        schema.costs_to_serve: "incurred_on",
        schema.campaign_members: "assigned_on",
    }
    found = {}
    for table, rows in made.items():
        if table in (schema.orders, schema.order_lines):
            found[table] = [row for row in rows if row["order_id"] in kept]
        else:
            found[table] = [row for row in rows if table not in days or _is_past(row[days[table]], day)]
    return found


def _add_order(draw: Random, made: Tables, order_id: str, customer: str | None, *, has_all_costs: bool) -> None:
    kind = draw.choice((*["sale"] * 8, "return", "gift", "cancelled"))
    moment = dt.datetime.combine(_day(draw, may_be_unknown=False) or FIRST_ON, dt.time(9, draw.randint(0, 1)))
    order = {"order_id": order_id, "customer_id": customer, "ordered_at": moment, "ordered_on": moment.date()}
    order |= {"order_region": draw.choice(REGIONS), "sales_channel": draw.choice(CHANNELS)}
    lines: list[Row] = []
    for _ in range(draw.randint(1, 3)):
        line_kind = kind if kind != "sale" or draw.random() < 0.9 else draw.choice(("return", "gift"))
        sign, amount = (-1 if line_kind == "return" else 1), Decimal(draw.randint(1, 99_999)) / 100
        is_nothing = line_kind in {"gift", "cancelled"}
        lines.append(
            {
                "row_number": len(made[schema.order_lines]) + len(lines) + 1,
                "order_id": order_id,
                "product_id": draw.choice((*CATEGORIES, None)),
                "line_kind": line_kind,
                "quantity": sign * draw.choice((Decimal(1), Decimal("2.5"))),
                "net_amount": Decimal(0) if is_nothing else sign * amount,
                "discount_amount": None if line_kind == "gift" else draw.choice((None, sign * Decimal("1.25"))),
                "cost_amount": draw.choice((sign * amount / 2, sign * amount / 2, None if not has_all_costs else sign * amount / 4)),
                "row_hash": f"h{order_id}{len(lines)}",
            }
        )
    is_purchase = any(line["line_kind"] == "sale" for line in lines)
    made[schema.orders].append({**order, "is_purchase": is_purchase, "is_cancelled": kind == "cancelled"})
    made[schema.order_lines] += lines


def _customer(draw: Random, customer: str) -> Row:
    return {
        "customer_id": customer,
        "customer_name": f"{customer} & Co",
        "customer_kind": draw.choice(("person", "company", None)),
        "home_region": draw.choice(("N", "S", None)),
        "birth_year": draw.choice((1950, 1960, 1988, 1999, 2010, None)),
        "acquisition_channel": draw.choice(("ad", "friend", None)),
        "referrer_customer_id": draw.choice(("ann", None)),
        "has_consent": draw.choice((True, True, False, None)),
    }


def _survey(draw: Random, number: int) -> Row:
    kind = draw.choice(("satisfaction", "recommendation"))
    score = draw.choice((1, 2, 3, 4, 5, None))
    return {"survey_id": f"s{number}", "customer_id": _somebody(draw), "survey_kind": kind, "answered_on": _day(draw), "score": score}


def _cost(draw: Random, number: int) -> Row:
    minutes, amount = draw.choice((Decimal(5), Decimal("7.5"), None)), draw.choice((Decimal("3.25"), Decimal(11)))
    found = {"cost_id": f"c{number}", "customer_id": _somebody(draw), "incurred_on": _day(draw), "minutes": minutes, "cost_amount": amount}
    return found | {"cost_kind": draw.choice(("service", "sales visit", "delivery", "dance"))}


def _somebody(draw: Random) -> str | None:
    return draw.choice((*CUSTOMERS, None))


def _day(draw: Random, *, may_be_unknown: bool = True) -> dt.date | None:
    return None if may_be_unknown and draw.random() < 0.15 else FIRST_ON + dt.timedelta(days=draw.randint(0, DAYS))


def _moment(draw: Random) -> dt.datetime | None:
    day = _day(draw)
    return dt.datetime.combine(day, dt.time(23, 59)) if day else None


def _is_past(when: Any, day: dt.date) -> bool:
    return when is None or (when.date() if isinstance(when, dt.datetime) else when) <= day


def _arrow(table: Table, rows: list[Row]) -> pa.Table:
    names = {name for row in rows for name in row}
    columns = {
        column.name: pa.array([row.get(column.name) for row in rows], _arrow_type(column.type))
        for column in table.c
        if column.name in names
    }
    return pa.table({**columns, **({"batch_id": pa.array([1] * len(rows), pa.int32())} if "batch_id" in table.c else {})})


def _arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, Numeric):
        return pa.decimal128(18, kind.scale)
    kinds = {Boolean: pa.bool_(), Date: pa.date32(), DateTime: pa.timestamp("us"), Integer: pa.int64()}
    return next((found for known, found in kinds.items() if isinstance(kind, known)), pa.string())


# ── what is known of customers on a day ─────────────────────────────────────────────────────────────────────────────────


class Known(NamedTuple):
    """What one reader may know on a day. everybody: who has an order to be seen, whenever it was placed."""

    everybody: set[str]
    values: Mapping[str, Values]
    numbers: Mapping[str, Numbers]


def known_on(data_set: DataSet, made: Tables, day: dt.date | None, scope: Scope = Scope()) -> Known:
    """Return what is known on `day` (None: on the last day with an order to be seen) to a reader of the scope."""
    shop = raw_shop(open_source(data_set).arrow)
    today = day or max(line["ordered_on"] for line in visible(shop.lines, scope))
    lines_of = grouped(identified(visible(shop.lines, scope, today)), "customer_id")
    everybody = {line["customer_id"] for line in identified(visible(shop.lines, scope))}
    numbers = {**_of_orders(lines_of, today), **_of_rows(made, lines_of, today)}
    ages = {who: today.year - shop.customers[who]["birth_year"] for who in lines_of if _said(shop, who, "birth_year") is not None}
    numbers["age_years"] = {who: float(age) for who, age in ages.items()}
    ranks = numbers["value_rank"]
    values = {
        **_of_purchases(lines_of),
        **_of_records(shop, made, set(lines_of), today),
        "age_band": {who: {_band(ages.get(who))} for who in lines_of},
        "value_tier": {who: {TIERS[(rank > 0.05) + (rank > 0.2)]} for who, rank in ranks.items()},
    }
    return Known(everybody, values, numbers)


def meets(rule: Rule, customer: str, known: Known) -> bool:
    if isinstance(rule, Opposite):
        return not meets(rule.of, customer, known)
    if isinstance(rule, Group):
        return (all if rule.joined_by == "all" else any)(meets(part, customer, known) for part in rule.parts)
    if rule.attribute in known.values:
        return bool(known.values[rule.attribute].get(customer, set()) & set(rule.values))
    number = known.numbers[rule.attribute].get(customer)
    return number is not None and (rule.low is None or number >= rule.low) and (rule.high is None or number <= rule.high)


def members_of(rule: Rule, known: Known) -> set[str]:
    return {customer for customer in known.everybody if meets(rule, customer, known)}


def conditions(known: Known) -> list[Condition]:
    """Return a condition for every attribute and value, numbers between two that occur and at one of them."""
    found = [Condition(name, (value,)) for name, values in known.values.items() for value in sorted(set().union(*values.values()))]
    for name, numbers in known.numbers.items():
        ordered = sorted(set(numbers.values()))
        for place, number in enumerate(ordered[1:], start=1):
            found.append(Condition(name, low=(ordered[place - 1] + number) / 2))
        found += [Condition(name, high=number) for number in ordered if number == round(number)]
    return found


def _of_orders(lines_of: dict[str, list[Row]], today: dt.date) -> dict[str, Numbers]:
    found: dict[str, Numbers] = {name: {} for name in _OF_ORDERS}
    for who, lines in lines_of.items():
        bought = purchases_by_customer(lines).get(who, [])
        days = [order["ordered_on"] for order in bought]
        net, gross = total(lines, "net_amount"), total([line for line in lines if line["is_sold"]], "net_amount")
        found["orders"][who], found["net_revenue"][who] = len(bought), float(net)
        if days:
            found["days_since_last_order"][who], found["days_since_first_order"][who] = (today - max(days)).days, (today - min(days)).days
            found["average_order_value"][who] = float(gross) / len(bought)
        if all(line["cost_amount"] is not None for line in lines):
            found["gross_margin"][who] = float(net - total(lines, "cost_amount"))
        if gross > 0:
            found["returned_share"][who] = float(gross - net) / float(gross)
        discounts = [line["discount_amount"] for line in _of_orders_worth_something(lines) if line["discount_amount"] is not None]
        if discounts and gross + sum(discounts) > 0:
            found["discount_share"][who] = float(sum(discounts)) / float(gross + sum(discounts))
    nets = {who: found["net_revenue"][who] for who in found["days_since_last_order"]}
    found["value_rank"] = {who: sum(other >= net for other in nets.values()) / len(nets) for who, net in nets.items()}
    return found


_OF_ORDERS = (
    *("days_since_last_order", "days_since_first_order", "orders", "net_revenue", "average_order_value"),
    *("gross_margin", "returned_share", "discount_share"),
)


def _of_orders_worth_something(lines: list[Row]) -> list[Row]:
    """Cancelled orders and gifts came to nothing, whatever discount stands on them."""
    worth = [found for found in grouped(lines, "order_id").values() if total(found, "net_amount") or any(x["is_sold"] for x in found)]
    return [line for found in worth for line in found]


def _of_purchases(lines_of: dict[str, list[Row]]) -> dict[str, Values]:
    found: dict[str, Values] = {name: {} for name in ("order_region", "sales_channel", "category", "season")}
    for who, lines in lines_of.items():
        for order in purchases_by_customer(lines).get(who, []):
            found["order_region"].setdefault(who, set()).add(order["order_region"] or UNKNOWN)
            found["sales_channel"].setdefault(who, set()).add(order["sales_channel"] or UNKNOWN)
            season = next(name for name, months in SEASONS.items() if order["ordered_on"].month in months)
            found["season"].setdefault(who, set()).add(season)
        for line in lines:
            if line["is_sold"]:
                found["category"].setdefault(who, set()).add(line["category"] or UNKNOWN)
    return found


def _said(shop: RawShop, who: str, name: str) -> Any:
    return shop.customers.get(who, {}).get(name)


def _band(age: int | None) -> str:
    fits = [band_name(low, high) for low, high in AGE_BANDS if age is not None and low <= age and (high is None or age <= high)]
    return fits[0] if fits else UNKNOWN


def _of_records(shop: RawShop, made: Tables, come: set[str], today: dt.date) -> dict[str, Values]:
    found: dict[str, Values] = {
        name: {who: {_said(shop, who, name) or UNKNOWN} for who in come} for name in ("home_region", "customer_kind", "acquisition_channel")
    }
    found["was_referred"] = {who: {YES if _said(shop, who, "referrer_customer_id") else NO} for who in come}
    found["has_consent"] = {who: {YES if _said(shop, who, "has_consent") else NO} for who in come}
    found["preference"], found["campaign"] = {}, {}
    for row in made[schema.preferences]:
        if row["customer_id"] in come and row["preferred_value"] and _is_past(row["stated_on"], today):
            found["preference"].setdefault(row["customer_id"], set()).add(f"{row['preference']}: {row['preferred_value']}")
    called = {row["campaign_id"]: row["campaign_name"] for row in made[schema.campaigns]}
    for row in made[schema.campaign_members]:
        if row["customer_id"] in come and row["arm"] != "control" and _is_past(row["assigned_on"], today):
            found["campaign"].setdefault(row["customer_id"], set()).add(called.get(row["campaign_id"]) or row["campaign_id"])
    return found


def _of_rows(made: Tables, come: Mapping[str, Any], today: dt.date) -> dict[str, Numbers]:
    found: dict[str, Numbers] = {name: {} for name in ("satisfaction", "recommendation", "service_tickets", "service_minutes")}
    answered = [row for row in made[schema.surveys] if row["customer_id"] in come and row["score"] is not None]
    dated = sorted(answered, key=lambda row: (row["answered_on"] or dt.date.min, row["score"]))
    for row in (row for row in dated if _is_past(row["answered_on"], today)):
        found[row["survey_kind"]][row["customer_id"]] = row["score"]  # the latest one stays
    for name, table, on, what in (
        ("service_tickets", schema.service_tickets, "opened_at", None),
        ("service_minutes", schema.costs_to_serve, "incurred_on", "minutes"),
    ):
        for row in made[table]:
            day = row[on].date() if isinstance(row[on], dt.datetime) else row[on]
            counts = 1 if what is None else row[what]
            if row["customer_id"] in come and day and 0 <= (today - day).days < 365 and counts is not None:
                found[name][row["customer_id"]] = found[name].get(row["customer_id"], 0.0) + float(counts)
    return found
