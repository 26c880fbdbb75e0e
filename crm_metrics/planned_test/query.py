"""What is asked of the customers whom a test is to be drawn from."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, and_, case, cast, func, select

from crm_metrics.schema import customer_facts, customers
from crm_metrics.scope import Scope, visible_orders
from crm_metrics.segments.attributes import attribute
from crm_metrics.segments.known import population
from crm_metrics.segments.members import members
from crm_metrics.segments.rule import Rule


def size(rule: Rule, day: date | None, scope: Scope) -> Select[Any]:
    """One row: what the customers who meet the rule are and bring, beside all customers.

    customers, contactable (who may be contacted), orders, net_revenue, and all_customers, all_net_revenue of all customers together.
    """
    known, chosen = population(scope, day), members((rule,), day, scope).c.customer_number
    everybody, sums = known.customers, known.sums.c
    is_chosen = everybody.c.customer_number.in_(select(chosen))
    agrees = everybody.c.customer_number.in_(_agreeing())

    def counted(*tests: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(case((and_(*tests), 1), else_=0)), 0)

    return select(
        counted(is_chosen).label("customers"),
        counted(is_chosen, agrees).label("contactable"),
        func.coalesce(func.sum(case((is_chosen, sums.orders))), 0).label("orders"),
        func.coalesce(func.sum(case((is_chosen, sums.net_revenue))), 0).label("net_revenue"),
        func.count().label("all_customers"),
        func.coalesce(func.sum(sums.net_revenue), 0).label("all_net_revenue"),
    ).join_from(everybody, known.sums, sums.customer_number == everybody.c.customer_number, isouter=True)


def outcomes(rule: Rule, chosen_on: date, until: date, scope: Scope) -> Select[Any]:
    """One row: of the contactable customers who met the rule on `chosen_on`, what they did after it, up to `until`.

    customers, buyers (with a purchase), spend (net revenue), spend_squared (sum of the squares of each customer's).
    """
    seen, chosen = visible_orders(scope).c, members((rule,), chosen_on, scope).c.customer_number
    spent = (
        select(
            seen.customer_number,
            func.max(case((seen.is_purchase, 1), else_=0)).label("has_bought"),
            cast(func.sum(seen.net_revenue), Double).label("spend"),
        )
        .where(seen.ordered_on > chosen_on, seen.ordered_on <= until, seen.customer_number.is_not(None))
        .group_by(seen.customer_number)
        .subquery()
    )
    first_on = func.min(seen.ordered_on)
    known = (
        select(seen.customer_number).where(seen.customer_number.is_not(None)).group_by(seen.customer_number).having(first_on <= chosen_on)
    )
    customer = customer_facts.c.customer_number
    asked = select(
        func.count().label("customers"),
        func.coalesce(func.sum(spent.c.has_bought), 0).label("buyers"),
        func.coalesce(func.sum(spent.c.spend), 0.0).label("spend"),
        func.coalesce(func.sum(spent.c.spend * spent.c.spend), 0.0).label("spend_squared"),
    ).join_from(customer_facts, spent, spent.c.customer_number == customer, isouter=True)
    return asked.where(customer.in_(select(chosen)), customer.in_(_agreeing()), customer.in_(known))


def contactable(rule: Rule, strata: tuple[str, ...], day: date | None, scope: Scope) -> Select[Any]:
    """One row per customer who meets the rule and may be contacted: customer_id, orders, net_revenue, and one column per stratum."""
    known, chosen = population(scope, day), members((rule,), day, scope).c.customer_number
    customer, sums = customer_facts.c.customer_number, known.sums.c
    asked = [attribute(name).asked(known).subquery() for name in strata]
    amounts = [func.coalesce(sums[name], 0).label(name) for name in ("orders", "net_revenue")]
    query = select(customer_facts.c.customer_id, *amounts, *[rows.c.value.label(name) for name, rows in zip(strata, asked, strict=True)])
    query = query.join_from(customer_facts, known.sums, sums.customer_number == customer, isouter=True)
    for rows in asked:
        query = query.outerjoin(rows, rows.c.customer_number == customer)
    return query.where(customer.in_(select(chosen)), customer.in_(_agreeing())).order_by(customer_facts.c.customer_id)


def contactable_count(rule: Rule, day: date | None, scope: Scope) -> Select[Any]:
    """One row: customers, those who meet the rule and may be contacted."""
    known, chosen = population(scope, day).customers.c.customer_number, members((rule,), day, scope).c.customer_number
    return select(func.count().label("customers")).where(known.in_(select(chosen)), known.in_(_agreeing()))


def agreeing_customers() -> Select[Any]:
    """One row per customer who may be contacted for marketing now: customer_id."""
    return select(customers.c.customer_id).where(customers.c.has_consent.is_(True))


def _agreeing() -> Select[Any]:
    """One row per customer who may be contacted for marketing: customer_number."""
    agreed = select(customer_facts.c.customer_number).join(customers, customers.c.customer_id == customer_facts.c.customer_id)
    return agreed.where(customers.c.has_consent.is_(True))
