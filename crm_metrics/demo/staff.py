"""Who works for the demo company: how many people of each role, and their keys."""

import math
from typing import Literal, NamedTuple

import numpy.typing as npt
import pyarrow as pa

from crm_metrics.demo.leads import callers
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import keys

Role = Literal["telesales", "sales", "service", "order entry", "marketing"]


class _Post(NamedTuple):
    """prefix: of the employee keys. customers_each: one person for so many customers. least: however few customers there are."""

    prefix: str
    customers_each: int
    least: int


_POSTS: dict[Role, _Post] = {
    "sales": _Post("S", 2_500, 4),
    "service": _Post("A", 2_000, 4),
    "order entry": _Post("B", 900, 4),  # before the CRM; see ENTRY_STAFF_KEPT
    "marketing": _Post("M", 10_000, 2),
}
ROLES: tuple[Role, ...] = ("telesales", "sales", "service", "order entry", "marketing")
ENTRY_STAFF_KEPT = 10 / 22  # WilTel: 22 people who enter orders become 10


def headcount(plan: Plan, role: Role) -> int:
    """Return how many people of a role there are; of order entry, before the CRM goes live."""
    if role == "telesales":
        return callers(plan)
    return max(_POSTS[role].least, math.ceil(plan.customers / _POSTS[role].customers_each))


def employee_keys(role: Role, places: npt.ArrayLike) -> pa.Array:
    """Return the employee keys of places 0, 1, … within a role; null for NONE."""
    return keys("T" if role == "telesales" else _POSTS[role].prefix, places, width=4)
