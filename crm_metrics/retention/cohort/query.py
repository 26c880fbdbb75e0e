"""The questions that the cohorts put to the database.

A customer belongs to the period of the first purchase ever that the reader may see, and is in the cohorts if that day lies in the filters'
period and something within the filters was bought in that period of time: the new customers of Executive KPIs. What they do is followed up
to the filters' `today`.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, Table, Text, case, cast, collate, exists, false, func, literal_column, null, select

from crm_metrics.customer_profit import sold_sums
from crm_metrics.filters import UNKNOWN, Filters, period_conditions
from crm_metrics.retention.cohort.terms import CohortCell, CohortGrain, CohortTerms
from crm_metrics.sales import amounts_within, holds_whole_history, is_first_since, orders_within
from crm_metrics.schema import (
    campaigns,
    customer_facts,
    customers,
    daily_sales,
    order_category_facts,
    order_product_facts,
    products,
)
from crm_metrics.scope import Scope, scope_conditions, visible_orders
from crm_metrics.sql import bucket_on

_INTERVALS: dict[CohortGrain, tuple[int, str]] = {"day": (1, "day"), "week": (7, "day"), "month": (1, "month"), "quarter": (3, "month")}


def cohort_sizes(filters: Filters, terms: CohortTerms) -> Select[Any]:
    """One row per group and first period: group_name (empty: unknown, or cohorts of periods), cohort_on, customers."""
    members = _members(filters, terms, _followed(filters, terms)).c
    keys = [members.group_name, members.cohort_on]
    return select(*keys, func.count().label("customers")).group_by(*keys).order_by(*keys)


def cohort_events(filters: Filters, terms: CohortTerms) -> Select[Any]:
    """One row per group, first period and period: group_name, cohort_on, bucket_on, customers.

    customers: `on`, those who bought in the period; `on_or_after`, those whose last purchase lies in it; `on_or_before`, those whose first
    purchase but one does.
    """
    rows = _followed(filters, terms)
    members, happened = _members(filters, terms, rows), _happened(filters, terms, rows)
    keys = [members.c.group_name, members.c.cohort_on, happened.c.bucket_on]
    return (
        select(*keys, func.count().label("customers"))
        .join_from(happened, members, members.c.customer_number == happened.c.customer_number)
        .group_by(*keys)
        .order_by(*keys)
    )


def cohort_amounts(filters: Filters, terms: CohortTerms) -> Select[Any]:
    """One row per group, first period and period from then on: group_name, cohort_on, bucket_on, and SOLD of their orders and returns."""
    members = _members(filters, terms, _followed(filters, terms))
    paid, days = amounts_within(_until_today(filters)), _days(terms.grain)
    keys = [members.c.group_name, members.c.cohort_on, days.c.bucket_on]
    return (
        select(*keys, *sold_sums(paid))
        .join_from(paid, members, members.c.customer_number == paid.c.customer_number)
        .join(days, days.c.ordered_on == paid.c.ordered_on)
        .where(days.c.bucket_on >= members.c.cohort_on)
        .group_by(*keys)
        .order_by(*keys)
    )


def cell_customers(filters: Filters, terms: CohortTerms, cell: CohortCell, *, last_on: date) -> Select[Any]:
    """One row per customer behind a cell, the best first: customer_id, customer_name, first_on, last_on, orders, net_revenue.

    All within the filters and up to today. last_on: first day of the last period that is whole: of several periods or of a group, only
    those customers count whose period of that age does not lie after it. An unfinished cell of one period has its customers so far.
    """
    rows = _followed(filters, terms)
    members, bought = _due(_members(filters, terms, rows), terms, cell), rows.c
    target_on = members.c.target_on
    again_on = func.min(case((bought.purchase_number > 1, bought.bucket_on)))
    counted = {
        "on": func.max(case((bought.bucket_on == target_on, 1), else_=0)) == 1,
        "on_or_after": func.max(bought.bucket_on) >= target_on,
        "on_or_before": func.coalesce(again_on <= target_on, false()),
    }[terms.mode]
    chosen = (
        select(
            members.c.customer_number,
            func.min(bought.first_purchase_on).label("first_on"),
            func.max(bought.ordered_on).label("last_on"),
            func.count().label("orders"),
        )
        .join_from(members, rows, bought.customer_number == members.c.customer_number)
        .where(bought.is_purchase, *_is_of(cell, terms, members, target_on <= last_on))
        .group_by(members.c.customer_number, target_on)
        .having(counted if cell.is_counted else ~counted)
        .cte("chosen")
    )
    return _with_names(chosen, amounts_within(_until_today(filters)))


def _due(members: CTE, terms: CohortTerms, cell: CohortCell) -> CTE:
    """One row per row of `members`: its columns, and target_on, the first day of the cell's period."""
    number, unit = _INTERVALS[terms.grain]
    age: ColumnElement[Any] = literal_column(f"INTERVAL '{cell.age * number} {unit}'")
    return select(*members.c, cast(members.c.cohort_on.op("+")(age), Date).label("target_on")).cte("due_members")


def _with_names(chosen: CTE, paid: CTE) -> Select[Any]:
    revenue = (
        select(chosen.c.customer_number, func.sum(paid.c.net_revenue).label("net_revenue"))
        .join_from(chosen, paid, paid.c.customer_number == chosen.c.customer_number)
        .group_by(chosen.c.customer_number)
        .cte("revenue")
    )
    key = customer_facts.c.customer_id
    return (
        select(key, customers.c.customer_name, *[chosen.c[name] for name in ("first_on", "last_on", "orders")], revenue.c.net_revenue)
        .join_from(chosen, customer_facts, customer_facts.c.customer_number == chosen.c.customer_number)
        .outerjoin(revenue, revenue.c.customer_number == chosen.c.customer_number)
        .outerjoin(customers, customers.c.customer_id == key)
        .order_by(revenue.c.net_revenue.desc().nulls_last(), collate(key, "C"))
    )


def _is_of(cell: CohortCell, terms: CohortTerms, members: CTE, is_old_enough: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """Return what a member must satisfy to be of the cell's cohort."""
    if terms.is_of_periods and cell.cohort:
        return [members.c.cohort_on == date.fromisoformat(cell.cohort)]
    if not cell.cohort:
        return [is_old_enough]
    name = members.c.group_name
    return [is_old_enough, name.is_(None) if cell.cohort == UNKNOWN else name == cell.cohort]


def known_groupings(scope: Scope) -> Select[Any]:
    """One row: for each way of grouping but by first purchase, whether anything is known of it."""
    seen = visible_orders(scope)
    of_lines = {"first_category": order_category_facts.c.category, "first_product": order_product_facts.c.product_id}
    known = {
        "acquisition_channel": select(customers.c.acquisition_channel).where(customers.c.acquisition_channel.is_not(None)),
        **{name: select(column).where(column.is_not(None), *scope_conditions(scope, column.table)) for name, column in of_lines.items()},
        "first_campaign": select(seen.c.campaign_id).where(seen.c.campaign_id.is_not(None)),
    }
    found: list[Any] = [exists(rows).label(name) for name, rows in known.items()]
    return select(*found)


# ── who belongs to a cohort, and what they did ──────────────────────────────────────────────────────────────────────────


def _until_today(filters: Filters) -> Filters:
    """Return `filters` for what customers did from their first purchase on, up to today."""
    return filters.over(None, filters.today)


def _followed(filters: Filters, terms: CohortTerms) -> CTE:
    """One row per order within the filters up to today: see orders_within."""
    return orders_within(_until_today(filters), grain=terms.grain)


def _members(filters: Filters, terms: CohortTerms, rows: CTE) -> CTE:
    """One row per customer of the cohorts: customer_number, cohort_on, group_name.

    rows: the orders that are followed. Where the filters leave out orders, the first purchase may be one of these: what counts is that
    something within the filters was bought in the period of the first purchase.
    """
    bought, since, until = rows.c, filters.start, filters.end
    chosen = select(bought.customer_number, bought.bucket_on.label("cohort_on"))
    if holds_whole_history(filters):
        chosen = chosen.where(bought.purchase_number == 1)
    else:
        is_first_period = bought.first_purchase_on >= bought.bucket_on  # no purchase lies before the first
        chosen = chosen.where(bought.is_purchase, bought.customer_number.is_not(None), is_first_period).distinct()
    limits = [bought.first_purchase_on >= since if since else None, bought.ordered_on <= until if until else None]
    members = chosen.where(*[limit for limit in limits if limit is not None]).cte("cohort_members")
    if terms.is_of_periods:
        return select(*members.c, cast(null(), Text).label("group_name")).cte("members")
    groups = _groups(filters, terms)
    named = select(*members.c, groups.c.group_name).join_from(
        members, groups, groups.c.customer_number == members.c.customer_number, isouter=True
    )
    return named.cte("members")


def _happened(filters: Filters, terms: CohortTerms, rows: CTE) -> CTE:
    """One row per customer and period of what the mode counts: customer_number, bucket_on. rows: the orders that are followed."""
    bought, is_whole = rows.c, holds_whole_history(filters)
    number, period = bought.customer_number, bought.bucket_on
    if terms.mode == "on":
        if is_whole:  # an order is the first of its period if the one before lies before it
            return select(number, period).where(is_first_since(period, bought)).cte("happened")
        return select(number, period).where(bought.is_purchase, number.is_not(None)).distinct().cte("happened")
    if terms.mode == "on_or_after":
        last_on = func.max(period).label("bucket_on")
        return select(number, last_on).where(bought.is_purchase, number.is_not(None)).group_by(number).cte("happened")
    if is_whole:
        return select(number, period).where(bought.purchase_number == 2).cte("happened")  # the second purchase
    again_on = func.min(period).label("bucket_on")
    return select(number, again_on).where(bought.is_purchase, bought.purchase_number > 1).group_by(number).cte("happened")


def _days(grain: CohortGrain) -> CTE:
    """One row per day with an order: ordered_on, bucket_on."""
    day = daily_sales.c.ordered_on
    return select(day, bucket_on(day, grain).label("bucket_on")).distinct().cte("days")


# ── how they came ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _groups(filters: Filters, terms: CohortTerms) -> CTE:
    """One row per customer: customer_number, group_name (empty: unknown), of the first purchase ever that the reader may see."""
    if terms.by == "acquisition_channel":
        channel = customers.c.acquisition_channel.label("group_name")
        is_same = customers.c.customer_id == customer_facts.c.customer_id
        return select(customer_facts.c.customer_number, channel).join_from(customer_facts, customers, is_same).cte("groups")
    seen = visible_orders(filters.scope)
    is_first = (seen.c.purchase_number == 1, *period_conditions(seen.c.ordered_on, replace(filters, end=filters.today)))
    first = select(seen.c.customer_number, seen.c.order_id, seen.c.campaign_id).where(*is_first).cte("first_orders")
    if terms.by == "first_campaign":
        name = func.coalesce(campaigns.c.campaign_name, first.c.campaign_id).label("group_name")
        is_same = campaigns.c.campaign_id == first.c.campaign_id
        return select(first.c.customer_number, name).join_from(first, campaigns, is_same, isouter=True).cte("groups")
    if terms.by == "first_category":
        return _largest(first, order_category_facts, order_category_facts.c.category)
    best = _largest(first, order_product_facts, order_product_facts.c.product_id)
    name = func.coalesce(products.c.product_name, best.c.group_name).label("group_name")
    is_same = products.c.product_id == best.c.group_name
    return select(best.c.customer_number, name).join_from(best, products, is_same, isouter=True).cte("groups")


def _largest(first: CTE, parts: Table, name: ColumnElement[Any]) -> CTE:
    """One row per customer: customer_number, group_name: the category or product that brought most of the first purchase.

    Of equals the first by name, so that each customer is in one group and groups add up.
    """
    place = func.row_number().over(
        partition_by=first.c.customer_number, order_by=(parts.c.gross_revenue.desc(), collate(name, "C").nulls_last())
    )
    ranked = (
        select(first.c.customer_number, name.label("group_name"), place.label("place"))
        .join_from(first, parts, parts.c.order_id == first.c.order_id)
        .where(parts.c.is_purchase)
        .cte("ranked_parts")
    )
    return select(ranked.c.customer_number, ranked.c.group_name).where(ranked.c.place == 1).cte("largest_parts")
