"""Employees, calls and leads as rows of the database."""

from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics import schema
from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNEL_NAMES
from crm_metrics.demo.deal_sources import LeadOutcomes
from crm_metrics.demo.deal_tables import deal_keys
from crm_metrics.demo.leads import CALL_MINUTES, CALL_RESULTS, REACHED_SHARE, Calls, Leads
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import product_keys
from crm_metrics.demo.staff import ENTRY_STAFF_KEPT, HOURLY_COST, ROLES, Role, employee_keys, headcount
from crm_metrics.demo.world import NONE, REGIONS, Floats, Integers, Tables, customer_keys, days, keys, labels, money, times

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
MOST_YEARS_BEFORE = 6.0  # the first day of work lies at most so long before the demo
COST_SPREAD = 0.10  # of the hourly costs around the role's mean, to either side
DETAIL_DAYS = 92  # October to December: the calls of the last quarter are known one by one
NEW_DAYS = 1.0  # a lead is 'new' for so long, then somebody works on it
LEAD_STATUS = ("new", "working", "qualified", "unqualified", "converted")
NEW, WORKING, QUALIFIED, UNQUALIFIED, CONVERTED = range(len(LEAD_STATUS))


def sales_tables(plan: Plan, made: Calls, found: Leads, of_leads: LeadOutcomes) -> Tables:
    """Return employees, calls and leads. of_leads: what `deals.deals` says became of them."""
    calls = pa.concat_tables([_call_counts(plan, made), _call_details(plan, made, found)], promote_options="default")
    return {
        schema.employees: pa.concat_tables([_employees(plan, role) for role in ROLES]),
        schema.activities: calls,
        schema.leads: _lead_rows(plan, found, of_leads),
    }


def _employees(plan: Plan, role: Role) -> pa.Table:
    """Return the people of one role; the first leads the team."""
    many, random = headcount(plan, role), plan.generator(f"staff {role}")
    place = np.arange(many)
    hired = -np.floor(random.random(many) * MOST_YEARS_BEFORE * 365.25) - 1
    cost = HOURLY_COST[role] * (1 + COST_SPREAD * random.uniform(-1, 1, many))
    is_regional = role in REGIONAL_ROLES
    return pa.table(
        {
            "employee_id": employee_keys(role, place),
            "employee_name": _full_names(ROLES.index(role) + len(ROLES) * place),
            "team": labels(np.zeros(many, dtype=int), (TEAMS[role],)),
            "manager_id": employee_keys(role, np.where(place == 0, NONE, 0)),
            "region": labels(place % len(REGIONS) if is_regional else np.full(many, NONE), REGIONS),
            "role": labels(np.zeros(many, dtype=int), (role,)),
            "hourly_cost": money(cost),
            "hired_on": days(hired),
            "left_on": days(_left(plan, role, many)),
        }
    )


def _full_names(numbers: Integers) -> pa.Array:
    """Return a name for each number, as in 王敏 Wang Min; different ones until all pairs of names are used up."""
    written = [[part.split() for part in names] for names in (FAMILY_NAMES, GIVEN_NAMES)]
    pairs = [f"{family[0]}{given[0]} {family[1]} {given[1]}" for given, family in product(written[1], written[0])]
    return labels(numbers * NAME_STRIDE % len(pairs), tuple(pairs))


def _left(plan: Plan, role: Role, many: int) -> Floats:
    """Return the last working day of each: of most who enter orders the last one before the CRM goes live."""
    left = np.full(many, np.nan)
    if role == "order entry" and plan.effects.go_live:
        before = clock.workdays(plan)
        left[round(many * ENTRY_STAFF_KEPT) :] = before[before < plan.go_live_day][-1]
    return left


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _call_counts(plan: Plan, made: Calls) -> pa.Table:
    """Return one row per caller and day until the last quarter."""
    chosen = (made.day < plan.days - DETAIL_DAYS) & (made.calls > 0)
    count = int(chosen.sum())
    return pa.table(
        {
            "activity_id": keys("call count", np.arange(count)),
            "activity_kind": labels(np.zeros(count, dtype=int), ("call",)),
            "happened_at": times(made.day[chosen]),
            "employee_id": employee_keys("telesales", made.caller[chosen]),
            "activity_count": pa.array(made.calls[chosen].astype(np.int32)),
        }
    )


def _call_details(plan: Plan, made: Calls, found: Leads) -> pa.Table:
    """Return one row per call of the last quarter; a call that is a hit is at the moment its lead came in."""
    random, since = plan.generator("call details"), plan.days - DETAIL_DAYS
    chosen, hit = made.day >= since, np.flatnonzero((found.caller != NONE) & (found.created >= since))
    others = (made.calls - made.hits)[chosen]
    day, caller = np.repeat(made.day[chosen], others), np.repeat(made.caller[chosen], others)
    moment = np.concatenate([found.created[hit], day + random.uniform(9, 17.5, len(day)) / 24])
    result = np.concatenate([np.full(len(hit), 2), random.random(len(day)) < REACHED_SHARE]).astype(np.int64)
    caller, lead = np.concatenate([found.caller[hit], caller]), np.concatenate([hit, np.full(len(day), NONE)])
    order = np.argsort(moment, kind="stable")
    minutes = random.gamma(2.0, np.array(CALL_MINUTES)[result] / 2)
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


def _lead_rows(plan: Plan, found: Leads, of_leads: LeadOutcomes) -> pa.Table:
    many = len(found.created)
    by_phone = found.caller != NONE
    callers, others = employee_keys("telesales", found.caller), employee_keys("sales", np.where(by_phone, NONE, of_leads.seller))
    return pa.table(
        {
            "lead_id": keys("lead", np.arange(many)),
            "customer_id": customer_keys(of_leads.customer),
            "created_on": days(found.created),
            "lead_source": labels(found.source, CHANNEL_NAMES),
            "owner_id": pc.coalesce(callers, others),
            "region": labels(of_leads.region, REGIONS),
            "product_id": product_keys(found.product),
            "lead_status": labels(_status(plan, found), LEAD_STATUS),
            "qualified_on": days(found.qualified),
            "converted_on": days(found.converted),
            "opportunity_id": deal_keys(of_leads.deal),
        }
    )


def _status(plan: Plan, found: Leads) -> np.ndarray:
    """Return what each lead is when the demo ends."""
    waiting = np.where(plan.days - found.created < NEW_DAYS, NEW, WORKING)
    known = np.where(np.isnan(found.unqualified), waiting, UNQUALIFIED)
    return np.where(found.is_converted, CONVERTED, np.where(np.isnan(found.qualified), known, QUALIFIED))
