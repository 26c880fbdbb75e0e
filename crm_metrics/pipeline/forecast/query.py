"""What the forecast is made from: every change of the deals, and the quotas of those who sell."""

from datetime import date
from typing import Any

from sqlalchemy import Select, func, select

from crm_metrics.filters import Filters, is_chosen
from crm_metrics.pipeline.deals import query
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.schema import employees, quotas
from crm_metrics.sql import is_one_of


def moves(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per change of a deal within the filters and terms, by the end of `on`, in order of time.

    deal_number, change_number (OPENING, CLOSING: not of the history), changed_on, stage (empty: unknown), outcome, deal_amount (empty:
    unknown).
    """
    return query.change_rows(filters, terms, on, ("deal_number", "change_number", "changed_on", "stage", "outcome", "deal_amount"))


def standing(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per deal within the filters and terms, as it stood at the end of `on`, by deal_number.

    deal_number, owner_id, owner_name, team, stage, outcome, created_on, closed_on, deal_amount.
    """
    row = query.deals(filters, terms, on).c
    names = ("deal_number", "owner_id", "owner_name", "team", "stage", "outcome", "created_on", "closed_on", "deal_amount")
    return select(*[row[name] for name in names]).order_by(row.deal_number)


def seller_quotas(filters: Filters, terms: DealTerms, quarter_on: date) -> Select[Any]:
    """One row per employee the reader may see, within the filters and terms, who has a quota for the quarter: owner_id, owner_name, team,
    quota.
    """
    who = employees.c
    chosen = {"region": filters.region, "employee_id": terms.owner, "team": terms.team}
    conditions = [is_chosen(who[name], values) for name, values in chosen.items() if values]
    conditions += [is_one_of(who.region, filters.scope.regions)] if filters.scope.regions else []
    owner_id, name = quotas.c.employee_id.label("owner_id"), func.coalesce(who.employee_name, quotas.c.employee_id).label("owner_name")
    rows = select(owner_id, name, who.team, quotas.c.quota_amount.label("quota"))
    rows = rows.join_from(quotas, employees, who.employee_id == quotas.c.employee_id, isouter=True)
    return rows.where(quotas.c.quarter_on == quarter_on, *conditions).order_by(owner_id)
