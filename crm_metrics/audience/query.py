"""What is asked of the customers a rule chooses."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Double, Select, case, cast, func, or_, select

from crm_metrics.schema import contacts, customer_facts, customers
from crm_metrics.scope import Scope
from crm_metrics.segments.attributes import attribute
from crm_metrics.segments.known import UNKNOWN, population
from crm_metrics.segments.members import members
from crm_metrics.segments.rule import Rule
from crm_metrics.sql import days_between


class Pair(NamedTuple):
    """Two rules to be compared. Customers who meet both count as the first's."""

    first: Rule
    second: Rule


def people(rule: Rule, day: date | None, scope: Scope) -> Select[Any]:
    """One row per customer who meets the rule, who brings most first.

    customer_id, customer_name, home_region, customer_kind, has_consent (unknown is no), email and phone (of the primary contact, else the
    first), orders, net_revenue, last_on, days_since_last_order.
    """
    known, chosen = population(scope, day), members((rule,), day, scope).c.customer_number
    sums, person, reached = known.sums.c, customers.c, _contacts()
    return (
        select(
            customer_facts.c.customer_id,
            person.customer_name,
            person.home_region,
            person.customer_kind,
            func.coalesce(person.has_consent, False).label("has_consent"),
            reached.c.email,
            reached.c.phone,
            func.coalesce(sums.orders, 0).label("orders"),
            func.coalesce(sums.net_revenue, 0).label("net_revenue"),
            sums.last_on,
            days_between(sums.last_on, known.today).label("days_since_last_order"),
        )
        .join_from(customer_facts, known.sums, sums.customer_number == customer_facts.c.customer_number, isouter=True)
        .outerjoin(customers, person.customer_id == customer_facts.c.customer_id)
        .outerjoin(reached, reached.c.customer_id == customer_facts.c.customer_id)
        .where(customer_facts.c.customer_number.in_(select(chosen)))
        .order_by(func.coalesce(sums.net_revenue, 0).desc(), customer_facts.c.customer_id)
    )


def overlap(pair: Pair, day: date | None, scope: Scope) -> Select[Any]:
    """One row per way to be in the two (in_first, in_second): customers, net_revenue."""
    known = population(scope, day)
    customer, sums = known.customers.c.customer_number, known.sums.c
    flags = [_is_in(rule, customer, day, scope).label(name) for name, rule in zip(("in_first", "in_second"), pair, strict=True)]
    each = (
        select(*flags, func.coalesce(sums.net_revenue, 0).label("net_revenue"))
        .join_from(known.customers, known.sums, sums.customer_number == customer, isouter=True)
        .subquery()
    )
    counted = (func.count().label("customers"), func.sum(each.c.net_revenue).label("net_revenue"))
    return select(each.c.in_first, each.c.in_second, *counted).group_by(each.c.in_first, each.c.in_second).order_by(*each.c[:2])


def side_sizes(pair: Pair, day: date | None, scope: Scope) -> Select[Any]:
    """One row per side (1, 2): side, customers."""
    sides = _sides(pair, day, scope).c
    return select(sides.side, func.count().label("customers")).group_by(sides.side).order_by(sides.side)


def numbers_by_side(name: str, pair: Pair, day: date | None, scope: Scope) -> Select[Any]:
    """One row per side and number that customers of it have: side, value, customers."""
    rows, sides = attribute(name).asked(population(scope, day)).subquery(), _sides(pair, day, scope)
    value = cast(rows.c.value, Double).label("value")
    counted = select(sides.c.side, value, func.count().label("customers"))
    joined = counted.join_from(sides, rows, rows.c.customer_number == sides.c.customer_number)
    return joined.group_by(sides.c.side, value).order_by(value, sides.c.side)


def values_by_side(name: str, pair: Pair, day: date | None, scope: Scope) -> Select[Any]:
    """One row per value and side: value, side, customers who have it."""
    rows, sides = attribute(name).asked(population(scope, day)).subquery(), _sides(pair, day, scope)
    counted = select(rows.c.value, sides.c.side, func.count().label("customers"))
    joined = counted.join_from(sides, rows, rows.c.customer_number == sides.c.customer_number)
    return joined.where(rows.c.value != UNKNOWN).group_by(rows.c.value, sides.c.side).order_by(rows.c.value, sides.c.side)


def _contacts() -> Any:
    """One row per customer with a contact: customer_id, email, phone."""
    is_first = func.row_number().over(
        partition_by=contacts.c.customer_id,
        order_by=(func.coalesce(contacts.c.is_primary, False).desc(), contacts.c.contact_id),
    )
    ranked = select(contacts.c.customer_id, contacts.c.email, contacts.c.phone, is_first.label("place")).subquery()
    return select(ranked.c.customer_id, ranked.c.email, ranked.c.phone).where(ranked.c.place == 1).subquery("first_contacts")


def _is_in(rule: Rule, customer: ColumnElement[Any], day: date | None, scope: Scope) -> ColumnElement[bool]:
    return customer.in_(select(members((rule,), day, scope).c.customer_number))


def _sides(pair: Pair, day: date | None, scope: Scope) -> CTE:
    """One row per customer in either: customer_number, side (1 for the first)."""
    customer = population(scope, day).customers.c.customer_number
    first, second = (_is_in(rule, customer, day, scope) for rule in pair)
    return select(customer, case((first, 1), else_=2).label("side")).where(or_(first, second)).cte("sides")
