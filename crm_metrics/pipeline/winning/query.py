"""What the winning part asks the database besides the deals and their changes."""

from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, select

from crm_metrics.filters import Filters
from crm_metrics.pipeline.deals.query import activity_rows, deals
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.scope import visible_orders


def earlier_customers(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per deal whose account had bought something before the day the deal was created: deal_number."""
    chosen, orders = deals(filters, terms, on), visible_orders(filters.scope)
    known = and_(orders.c.customer_id == chosen.c.customer_id, orders.c.purchase_number == 1, orders.c.ordered_on < chosen.c.created_on)
    return select(chosen.c.deal_number).join_from(chosen, orders, known).distinct().order_by(chosen.c.deal_number)


def deal_activities(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per deal, kind and day on which an employee did something for it by the end of `on`: deal_number, activity_kind,
    happened_on, activities; by these.
    """
    chosen, done = deals(filters, terms, on), activity_rows(Filters(scope=filters.scope), until=on)
    keys = (chosen.c.deal_number, done.c.activity_kind, done.c.happened_on)
    counted = func.sum(done.c.activity_count).label("activities")
    joined = select(*keys, counted).join_from(done, chosen, done.c.opportunity_id == chosen.c.opportunity_id)
    return joined.where(done.c.activity_kind.is_not(None)).group_by(*keys).order_by(*keys)
