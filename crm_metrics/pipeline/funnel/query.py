"""The deals of the period, what became of them by group and day, and how many calls and leads there were before."""

from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    select,
)

from crm_metrics.filters import Filters, is_chosen, period_conditions
from crm_metrics.pipeline.deals import query as deals_query
from crm_metrics.pipeline.deals.as_of import is_qualified
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.funnel.terms import GROUPS, LEAD_GROUPS, PERIODS, Behind, By
from crm_metrics.schema import customers, employees, products
from crm_metrics.sql import bucket_on

# ── deals ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deals_of_period(filters: Filters, terms: DealTerms, on: date | None = None, by: By | None = None) -> Select[Any]:
    """One row per deal created in the period or on an unknown day, by deal_number: deal_number, outcome, stage, deal_amount; group and
    group_name (empty: unknown) where `by` is one.
    """
    rows = deals_query.deals(filters, terms, on)
    columns = [rows.c[name] for name in ("deal_number", "outcome", "stage", "deal_amount")]
    chosen = select(*columns, *_group(rows, by, GROUPS)).where(*period_conditions(rows.c.created_on, filters))
    return chosen.order_by(rows.c.deal_number)


def group_sums(filters: Filters, terms: DealTerms, on: date | None, by: By) -> Select[Any]:
    """One row per group and outcome of the deals of the period: group, group_name (empty: unknown), outcome, deals, deal_amount (sum of the
    known values; empty where none is known), unvalued (deals without one).
    """
    rows = deals_query.deals(filters, terms, on)
    columns = (*_group(rows, by, GROUPS), rows.c.outcome, rows.c.deal_amount)
    grouped = select(*columns).where(*period_conditions(rows.c.created_on, filters)).cte("grouped")
    keys = (grouped.c.group, grouped.c.group_name, grouped.c.outcome)
    return select(*keys, *_sums(grouped.c.deal_amount)).group_by(*keys).order_by(*keys)


def _sums(amount: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return func.count().label("deals"), func.sum(amount).label("deal_amount"), (func.count() - func.count(amount)).label("unvalued")


def _group(rows: FromClause, by: By | None, columns: dict[By, tuple[str, str]]) -> list[ColumnElement[Any]]:
    """Return what tells the group of a row, and what names it; periods by their first day."""
    if by is None:
        return []
    if by in PERIODS:
        first_on = cast(bucket_on(rows.c.created_on, "month" if by == "month" else "quarter"), Text)
        return [first_on.label("group"), first_on.label("group_name")]
    key, name = columns[by]
    return [rows.c[key].label("group"), rows.c[name].label("group_name")]


def behind(filters: Filters, terms: DealTerms, on: date | None, *, chosen: Behind, columns: tuple[str, ...]) -> Select[Any]:
    """One row per deal of the period that ended so and is of the group: deal_number, these columns of deals.query.deals."""
    rows = deals_query.deals(filters, terms, on)
    conditions = period_conditions(rows.c.created_on, filters)
    conditions += [rows.c.outcome.in_(chosen.outcomes)] if chosen.outcomes else []
    conditions += [is_chosen(_group(rows, chosen.by, GROUPS)[0], (chosen.group,))] if chosen.group else []
    return select(rows.c.deal_number, *[rows.c[name] for name in columns]).where(*conditions)


def closings(filters: Filters, terms: DealTerms, on: date | None) -> Select[Any]:
    """One row per day of closing (empty: unknown) and outcome of the deals won or lost, whenever created: closed_on, outcome, deals,
    deal_amount (sum of the known values; empty where none is known), unvalued (deals without one).
    """
    row = deals_query.deals(filters, terms, on).c
    keys = (row.closed_on, row.outcome)
    return select(*keys, *_sums(row.deal_amount)).where(row.outcome != deals_query.OPEN).group_by(*keys).order_by(*keys)


# ── before the deals ────────────────────────────────────────────────────────────────────────────────────────────────────


def _leads(filters: Filters, terms: DealTerms, until: date | None, by: By | None) -> CTE:
    """One row per lead that came in in the period or on an unknown day: the columns of deals.query.lead_rows, and those that tell and name
    its group where `by` is one; its market is the industry of its customer.
    """
    leads = deals_query.lead_rows(filters, terms, until)
    row, columns = leads.c, [*leads.c]
    joined: FromClause = leads
    if by == "product":
        joined = leads.outerjoin(products, products.c.product_id == row.product_id)
        columns.append(func.coalesce(products.c.product_name, row.product_id).label("product_name"))
    elif by == "market":
        joined = leads.outerjoin(customers, customers.c.customer_id == row.customer_id)
        columns.append(customers.c.industry.label("market"))
    return select(*columns).select_from(joined).where(*period_conditions(row.created_on, filters)).cte("leads_of_period")


def lead_counts(filters: Filters, terms: DealTerms = ALL_DEALS, until: date | None = None, by: By | None = None) -> Select[Any]:
    """One row, or per group where `by` is one: group, group_name (empty: unknown); leads that came in in the period or on an unknown day,
    qualified_leads of them, and became_deals of these.
    """
    leads = _leads(filters, terms, until, by)
    flags = {"is_qualified": is_qualified(leads.c), "is_deal": leads.c.opportunity_id.is_not(None)}
    group = _group(leads, by, LEAD_GROUPS)
    grouped = select(*group, *[case((flag, 1), else_=0).label(name) for name, flag in flags.items()]).cte("grouped_leads")
    counts = {"leads": func.count(), "qualified_leads": _number(grouped.c.is_qualified), "became_deals": _number(grouped.c.is_deal)}
    keys = [grouped.c[column.name] for column in group]
    return select(*keys, *[column.label(name) for name, column in counts.items()]).select_from(grouped).group_by(*keys).order_by(*keys)


def _number(flag: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.coalesce(func.sum(flag), 0), BigInteger)


def step_leads(filters: Filters, terms: DealTerms, until: date | None, *, are_qualified: bool, group: tuple[By, str]) -> Select[Any]:
    """One row per lead of the period, or qualified one, of the group ("": any): lead_id, customer_id, lead_source, owner_name, team,
    region, created_on, qualified_on, converted_on, opportunity_id; the latest first.
    """
    by, value = group
    leads = _leads(filters, terms, until, by if value else None)
    names = ("lead_id", "customer_id", "lead_source", "owner_name", "team", "region")
    days = ("created_on", "qualified_on", "converted_on", "opportunity_id")
    conditions = [is_qualified(leads.c)] if are_qualified else []
    conditions += [is_chosen(_group(leads, by, LEAD_GROUPS)[0], (value,))] if value else []
    return select(*[leads.c[name] for name in (*names, *days)]).where(*conditions).order_by(leads.c.created_on.desc(), leads.c.lead_id)


def callers() -> Select[Any]:
    """One row per employee: employee_id, owner_id (the same), owner_name (the key where there is none), team, region."""
    row = employees.c
    name = func.coalesce(row.employee_name, row.employee_id).label("owner_name")
    return select(row.employee_id, row.employee_id.label("owner_id"), name, row.team, row.region)
