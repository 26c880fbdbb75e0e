"""Who works for the demo company: how many people of each role, and their keys."""

import math
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crm_metrics.demo.leads import callers
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import REGIONS, Floats, Integers, Stated, keys
from crm_metrics.language import noop

TOPIC = "staff"
PARAMETERS = {
    "customers_each": (noop("One person of the role for so many customers"), "number"),
    "fewest_people": (noop("People of the role, however few customers there are"), "number"),
    "hourly_cost": (noop("Loaded cost of an hour of work, on average"), "money"),
    "cost_spread": (noop("Hourly costs around their average, at most to either side, as a share of it"), "share"),
    "most_years_before": (noop("Years before the demo in which people were hired, each as likely"), "plain"),
    "turnover_share": (noop("Chance of a place in order entry or marketing, the leader's left out, to pass to somebody new once"), "share"),
    "entry_staff_kept": (noop("Share of the people who enter orders that stays when the CRM goes live"), "share"),
}

Role = Literal["telesales", "sales", "service", "order entry", "marketing"]


class _Post(NamedTuple):
    """customers_each: one person for so many customers. least: however few customers there are."""

    customers_each: int
    least: int


_POSTS: dict[Role, _Post] = {
    "sales": _Post(2_500, 4),
    "service": _Post(2_000, 4),
    "order entry": _Post(910, 4),  # 22 of the usual demo before the CRM; see ENTRY_STAFF_KEPT
    "marketing": _Post(10_000, 2),
}
ROLES: tuple[Role, ...] = get_args(Role)
HOURLY_COST: dict[Role, float] = {"telesales": 45.0, "sales": 95.0, "service": 50.0, "order entry": 40.0, "marketing": 75.0}  # CNY
COST_SPREAD = 0.10  # of the hourly costs around the role's mean, to either side
MOST_YEARS_BEFORE = 6.0  # the first day of work lies at most so long before the demo
TURNOVER_ROLES: tuple[Role, ...] = ("order entry", "marketing")  # no row names whoever works there
TURNOVER_SHARE = 0.25  # of their places, that of the leader left out, pass to somebody new once
ENTRY_STAFF_KEPT = 10 / 22  # WilTel: 22 people who enter orders become 10


def headcount(plan: Plan, role: Role) -> int:
    """Return how many people of a role there are at a time; of order entry, before the CRM goes live."""
    if role == "telesales":
        return callers(plan)
    return max(_POSTS[role].least, math.ceil(plan.customers / _POSTS[role].customers_each))


def employee_keys(role: Role, places: npt.ArrayLike) -> pa.Array:
    """Return the employee keys of places 0, 1, … within a role; null for NONE."""
    return keys(role, places, width=4)


def sellers(plan: Plan, region: Integers, luck: Floats) -> Integers:
    """Return who sells in each region: one of the region's own by lot (luck is 0 to 1), or of all where a region has none."""
    everybody, regions = headcount(plan, "sales"), len(REGIONS)
    own = (everybody - 1 - region) // regions + 1
    return np.where(own > 0, region + regions * np.floor(luck * own), np.floor(luck * everybody)).astype(np.int64)


def stated(plan: Plan) -> Stated:
    """Return the stated parameters; who stays in order entry only where the CRM goes live."""
    return {
        "customers_each": {role: float(post.customers_each) for role, post in _POSTS.items()},
        "fewest_people": {role: float(post.least) for role, post in _POSTS.items()},
        "hourly_cost": dict(HOURLY_COST.items()),
        "cost_spread": COST_SPREAD,
        "most_years_before": MOST_YEARS_BEFORE,
        "turnover_share": TURNOVER_SHARE,
        **({"entry_staff_kept": ENTRY_STAFF_KEPT} if plan.effects.go_live else {}),
    }
