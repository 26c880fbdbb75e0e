"""Employees, calls and leads as rows of the database."""

from itertools import product
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics import schema
from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNEL_NAMES
from crm_metrics.demo.deal_sources import LeadOutcomes
from crm_metrics.demo.deal_tables import deal_keys
from crm_metrics.demo.draws import gamma
from crm_metrics.demo.leads import (
    CALL_MINUTES,
    CALL_MINUTES_SHAPE,
    CALL_RESULTS,
    CALLING_HOURS,
    DETAIL_DAYS,
    NEW_DAYS,
    REACHED_SHARE,
    Calls,
    Leads,
)
from crm_metrics.demo.plan import FIRST_ON, GO_LIVE_ON, Plan
from crm_metrics.demo.products import product_keys
from crm_metrics.demo.staff import (
    COST_SPREAD,
    ENTRY_STAFF_KEPT,
    HOURLY_COST,
    MOST_YEARS_BEFORE,
    ROLES,
    TURNOVER_ROLES,
    TURNOVER_SHARE,
    Role,
    employee_keys,
    headcount,
)
from crm_metrics.demo.world import NONE, REGIONS, Floats, Integers, Tables, customer_keys, days, joined, keys, labels, money, times

TEAMS: dict[Role, str] = {
    "telesales": "电话销售 Telesales",
    "sales": "大客户 Key accounts",
    "service": "客户服务 Customer service",
    "order entry": "订单录入 Order entry",
    "marketing": "市场 Marketing",
}
REGIONAL_ROLES = ("telesales", "sales")  # who has a sales region
FAMILY_NAMES = ("王 Wang", "李 Li", "张 Zhang", "陈 Chen", "刘 Liu", "黄 Huang", "周 Zhou", "吴 Wu", "徐 Xu", "孙 Sun", "马 Ma")
GIVEN_NAMES = ("敏 Min", "静 Jing", "磊 Lei", "娜 Na", "强 Qiang", "洋 Yang", "婷 Ting", "军 Jun", "杰 Jie", "涛 Tao", "雪 Xue", "伟 Wei")
NAME_STRIDE = 31  # shares no divisor with the number of pairs of names: neighbours get different names, and all get used
LEAD_STATUS = ("new", "working", "qualified", "unqualified", "converted")
NEW, WORKING, QUALIFIED, UNQUALIFIED, CONVERTED = range(len(LEAD_STATUS))


def sales_tables(plan: Plan, calls: Calls, leads: Leads, of_leads: LeadOutcomes) -> Tables:
    """Return employees, calls and leads. of_leads: what `deals.deals` says became of them."""
    activities = pa.concat_tables([_call_counts(plan, calls), _call_details(plan, calls, leads)], promote_options="default")
    return {
        schema.employees: pa.concat_tables([_employees(plan, role) for role in ROLES]),
        schema.activities: activities,
        schema.leads: _lead_rows(plan, leads, of_leads),
    }


class _Service(NamedTuple):
    """When people work for the company, one element each: first and last day, NaN for those still there when the demo ends."""

    hired: Floats
    left: Floats


def _employees(plan: Plan, role: Role) -> pa.Table:
    """Return the people of one role; the first leads the team."""
    times_of_work = _times_of_work(plan, role)
    count, random = len(times_of_work.hired), plan.generator(f"costs of staff {role}")
    place = np.arange(count)
    cost = HOURLY_COST[role] * (1 + COST_SPREAD * random.uniform(-1, 1, count))
    is_regional = role in REGIONAL_ROLES
    return pa.table(
        {
            "employee_id": employee_keys(role, place),
            "employee_name": _full_names(ROLES.index(role) + len(ROLES) * place),
            "team": labels(np.zeros(count, dtype=int), (TEAMS[role],)),
            "manager_id": employee_keys(role, np.where(place == 0, NONE, 0)),
            "region": labels(place % len(REGIONS) if is_regional else np.full(count, NONE), REGIONS),
            "role": labels(np.zeros(count, dtype=int), (role,)),
            "hourly_cost": money(cost),
            "hired_on": days(times_of_work.hired),
            "left_on": days(times_of_work.left),
        }
    )


def _times_of_work(plan: Plan, role: Role) -> _Service:
    """Return first and last days, all of them workdays: of those who hold the places, then of those whom some of them followed.

    In order entry places pass on before the CRM, so that afterwards nobody new comes.
    """
    count, random = headcount(plan, role), plan.generator(f"staff {role}")
    hired = _workday_before(-np.floor(random.random(count) * MOST_YEARS_BEFORE * 365.25) - 1)
    changes_hands = (random.random(count) < TURNOVER_SHARE) & (np.arange(count) > 0) & (role in TURNOVER_ROLES)
    workdays = clock.workdays(plan)
    if role == "order entry":
        workdays = workdays[workdays < (GO_LIVE_ON - FIRST_ON).days]
    leaves = random.integers(0, len(workdays) - 1, count)
    followed = _Service(hired[changes_hands], workdays[leaves[changes_hands]].astype(np.float64))
    holders = _Service(np.where(changes_hands, workdays[leaves + 1], hired), _left(plan, role, count))
    return joined([holders, followed])


def _workday_before(day: Floats) -> Floats:
    """Return days, and the Friday before those of a weekend."""
    return day - np.maximum((day + FIRST_ON.weekday()) % 7 - 4, 0)


def _full_names(numbers: Integers) -> pa.Array:
    """Return a name for each number, as in 王敏 Wang Min; different ones until all pairs of names are used up."""
    written = [[part.split() for part in names] for names in (FAMILY_NAMES, GIVEN_NAMES)]
    pairs = [f"{family[0]}{given[0]} {family[1]} {given[1]}" for given, family in product(written[1], written[0])]
    return labels(numbers * NAME_STRIDE % len(pairs), tuple(pairs))


def _left(plan: Plan, role: Role, count: int) -> Floats:
    """Return the last working day of each: of most who enter orders the last one before the CRM goes live."""
    left = np.full(count, np.nan)
    if role == "order entry" and plan.effects.go_live:
        before = clock.workdays(plan)
        left[round(count * ENTRY_STAFF_KEPT) :] = before[before < plan.go_live_day][-1]
    return left


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _call_counts(plan: Plan, calls: Calls) -> pa.Table:
    """Return one row per caller and day until the last quarter."""
    is_counted = (calls.day < plan.days - DETAIL_DAYS) & (calls.calls > 0)
    count = int(is_counted.sum())
    return pa.table(
        {
            "activity_id": keys("call count", np.arange(count)),
            "activity_kind": labels(np.zeros(count, dtype=int), ("call",)),
            "happened_at": times(calls.day[is_counted]),
            "employee_id": employee_keys("telesales", calls.caller[is_counted]),
            "activity_count": pa.array(calls.calls[is_counted].astype(np.int32)),
        }
    )


def _call_details(plan: Plan, calls: Calls, leads: Leads) -> pa.Table:
    """Return one row per call of the last quarter; a call that is a hit is at the moment its lead came in."""
    random, since = plan.generator("call details"), plan.days - DETAIL_DAYS
    is_detailed, hit = calls.day >= since, np.flatnonzero((leads.caller != NONE) & (leads.created >= since))
    others = (calls.calls - calls.hits)[is_detailed]
    day, caller = np.repeat(calls.day[is_detailed], others), np.repeat(calls.caller[is_detailed], others)
    moment = np.concatenate([leads.created[hit], day + random.uniform(*CALLING_HOURS, len(day)) / 24])
    result = np.concatenate([np.full(len(hit), 2), random.random(len(day)) < REACHED_SHARE]).astype(np.int64)
    caller, lead = np.concatenate([leads.caller[hit], caller]), np.concatenate([hit, np.full(len(day), NONE)])
    order = np.argsort(moment, kind="stable")
    minutes = gamma(random, np.array(CALL_MINUTES)[result], shape=CALL_MINUTES_SHAPE)
    return pa.table(
        {
            "activity_id": keys("call", np.arange(len(order))),
            "activity_kind": labels(np.zeros(len(order), dtype=int), ("call",)),
            "happened_at": times(moment[order]),
            "employee_id": employee_keys("telesales", caller[order]),
            "lead_id": keys("lead", lead[order]),
            "activity_count": pa.array(np.ones(len(order), dtype=np.int32)),
            "minutes": money(minutes[order], decimals=1),
            "activity_result": labels(result[order], CALL_RESULTS),
        }
    )


# ── leads ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lead_rows(plan: Plan, leads: Leads, of_leads: LeadOutcomes) -> pa.Table:
    count = len(leads.created)
    by_phone = leads.caller != NONE
    callers, others = employee_keys("telesales", leads.caller), employee_keys("sales", np.where(by_phone, NONE, of_leads.seller))
    return pa.table(
        {
            "lead_id": keys("lead", np.arange(count)),
            "customer_id": customer_keys(of_leads.customer),
            "created_on": days(leads.created),
            "lead_source": labels(leads.source, CHANNEL_NAMES),
            "owner_id": pc.coalesce(callers, others),
            "region": labels(of_leads.region, REGIONS),
            "product_id": product_keys(leads.product),
            "lead_status": labels(_status(plan, leads), LEAD_STATUS),
            "qualified_on": days(leads.qualified),
            "converted_on": days(leads.converted),
            "opportunity_id": deal_keys(of_leads.deal),
        }
    )


def _status(plan: Plan, leads: Leads) -> np.ndarray:
    """Return what each lead is when the demo ends."""
    waiting = np.where(plan.days - leads.created < NEW_DAYS, NEW, WORKING)
    known = np.where(np.isnan(leads.unqualified), waiting, UNQUALIFIED)
    return np.where(leads.is_converted, CONVERTED, np.where(np.isnan(leads.qualified), known, QUALIFIED))
