"""What a reader may see: the scope, and the orders as they look to that reader."""

from dataclasses import dataclass
from functools import cache
from threading import Lock

from sqlalchemy import CTE, ColumnElement, FromClause, select

from crm_metrics.facts import HISTORY, history
from crm_metrics.schema import order_facts
from crm_metrics.sql import is_one_of


@dataclass(frozen=True)
class Scope:
    """What the reader may see: a part of every query and every cache key. Empty regions: all."""

    role: str = "everyone"
    regions: tuple[str, ...] = ()


def scope_conditions(scope: Scope, rows: FromClause) -> list[ColumnElement[bool]]:
    """Return what a row of facts must satisfy for this reader to see it."""
    return [is_one_of(rows.c.order_region, scope.regions)] if scope.regions else []


def visible_orders(scope: Scope) -> FromClause:
    """Return order_facts as this reader may see them: the orders, and only these orders in every purchase history.

    purchase_number, first_purchase_on, previous_purchase_on and second_previous_purchase_on stand in the facts for readers who may see
    all; for others they are counted anew, or a customer whom another region won would look like one who came back.
    """
    if not scope.regions:
        return order_facts
    with _counting_anew:  # threads that make it at once would give one query two of the same name
        return _counted_anew(scope)


_counting_anew = Lock()


@cache  # a query that asks for them twice has them once
def _counted_anew(scope: Scope) -> CTE:
    others = [column for column in order_facts.c if column.name not in HISTORY]
    counted = history(order_facts.c, order_facts.c.customer_number, (order_facts.c.purchase_number,))
    return select(*others, *counted).where(*scope_conditions(scope, order_facts)).cte("visible_orders")
