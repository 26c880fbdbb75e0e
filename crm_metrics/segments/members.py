"""Who is in a segment: rules as queries.

Every customer with an order is in a rule or in its opposite, never in both and never in neither.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, exists, false, func, not_, or_, select, true

from crm_metrics.scope import Scope, scope_conditions
from crm_metrics.segments.attributes import ATTRIBUTES, attribute
from crm_metrics.segments.known import Population, population
from crm_metrics.segments.rule import Condition, Group, Opposite, Rule, Segment, check
from crm_metrics.sql import is_one_of


def segment_conditions(
    segments: Sequence[Segment], day: date | None, scope: Scope, customer: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy to be of a customer in any of the segments on `day`; nothing where none is chosen.

    customer: the row's customer_number, empty when unknown.
    """
    if not segments:
        return []
    rules = tuple(segment.rule for segment in segments if segment.rule is not None)
    tests = [customer.in_(select(members(rules, day, scope).c.customer_number))] if rules else []
    if len(rules) < len(segments):
        tests.append(customer.is_(None))
    return [or_(*tests)]


_making = Lock()


def members(rules: tuple[Rule, ...], day: date | None, scope: Scope) -> CTE:
    """One row per customer who meets any of the rules on `day`: customer_number."""
    with _making:  # threads that make it at once would give one query two of the same name
        return _members(rules, day, scope)


@lru_cache(maxsize=1000)  # a query that asks for them twice has them once
def _members(rules: tuple[Rule, ...], day: date | None, scope: Scope) -> CTE:
    known = population(scope, day)
    customer = known.customers.c.customer_number
    meets = or_(false(), *[_meets(rule, customer, known) for rule in rules])
    return select(customer).where(meets).cte()  # without a name: a query can ask for several


def _meets(rule: Rule, customer: ColumnElement[Any], known: Population) -> ColumnElement[bool]:
    if isinstance(rule, Opposite):
        return not_(_meets(rule.of, customer, known))
    if isinstance(rule, Group):
        parts = [_meets(part, customer, known) for part in rule.parts]
        return and_(true(), *parts) if rule.joined_by == "all" else or_(false(), *parts)
    return customer.in_(_chosen(rule, known))


def _chosen(condition: Condition, known: Population) -> Select[Any]:
    """One row per customer and value that meets the condition: customer_number."""
    asked = attribute(condition.attribute)
    check(condition)
    rows = asked.asked(known).subquery()
    if asked.kind == "choice":
        return select(rows.c.customer_number).where(is_one_of(rows.c.value, condition.values))
    limits = [rows.c.value >= condition.low if condition.low is not None else None]
    limits.append(rows.c.value <= condition.high if condition.high is not None else None)
    return select(rows.c.customer_number).where(*[limit for limit in limits if limit is not None])


def member_count(rule: Rule, day: date | None, scope: Scope) -> Select[Any]:
    """One row: customers, those who meet the rule."""
    return select(func.count().label("customers")).select_from(members((rule,), day, scope))


def attribute_values(name: str, day: date | None, scope: Scope) -> Select[Any]:
    """One row per value of a chosen attribute: value, customers; the most frequent first."""
    rows = attribute(name).asked(population(scope, day)).subquery()
    customer_count = func.count().label("customers")
    return select(rows.c.value, customer_count).group_by(rows.c.value).order_by(customer_count.desc(), rows.c.value)


def known_attributes(scope: Scope) -> Select[Any]:
    """One row: for each attribute that is known from a column, by its name, whether anything stands in that column."""
    found: list[Any] = []
    for each in ATTRIBUTES:
        if each.of is not None:
            rows = each.of.table
            seen = scope_conditions(scope, rows) if "order_region" in rows.c else []
            found.append(exists(select(each.of).where(each.of.is_not(None), *seen)).label(each.name))
    return select(*found)
