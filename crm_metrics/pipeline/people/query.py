"""What the scorecards of people and the comparison of before and after ask the database.

Calls, hits, other activities and tasks are narrowed by who did them: their region, team and name. They know no product, source or segment.
A hit is a qualified lead that a call brought. Where a call of the person on that day is noted as 'qualified', hits are such calls; else the
leads that belong to the person and were qualified on that day, as many as there are calls at most.
"""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Double, FromClause, Select, and_, case, cast, extract, func, select, true

from crm_metrics.filters import Filters, choice_conditions, in_segments, is_chosen, period_conditions
from crm_metrics.pipeline.deals import query as pipeline
from crm_metrics.pipeline.deals.as_of import is_qualified
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.people.terms import FOLLOWED_DAYS, SATISFIED_FROM, GoLive
from crm_metrics.sales import orders_within
from crm_metrics.schema import customer_facts, customers, demo_truth, employees, leads, opportunities, orders, stages, surveys, tasks
from crm_metrics.scope import Scope, scope_conditions
from crm_metrics.sql import bucket_on, days_between, median

CALL, QUALIFIED = "call", "qualified"
AFTER, BEFORE = "after", "before"
ORDER_ENTRY = "order entry"  # the role
_SECONDS_PER_MINUTE = 60
_SATISFACTION = "satisfaction"  # the kind of survey


class DealDay(NamedTuple):
    """today: where the reader stands. on: that day as the deals are asked for, None where nothing happened after it."""

    today: date
    on: date | None


def names(scope: Scope) -> Select[Any]:
    """One row per employee: employee_id, employee_name (the key where there is none), team, role."""
    row = employees.c
    name = func.coalesce(row.employee_name, row.employee_id).label("employee_name")
    return select(row.employee_id, name, row.team, row.role).where(*pipeline.seen_regions(scope, employees))


def go_live_of_demo() -> Select[Any]:
    """One row if the data set is a demo whose CRM goes live: go_live_on, as text."""
    row = demo_truth.c
    return select(row.true_text.label("go_live_on")).where(row.topic == "plan", row.parameter == "go_live_on")


# ── what people did ─────────────────────────────────────────────────────────────────────────────────────────────────────


def call_days(filters: Filters, terms: DealTerms, until: date) -> Select[Any]:
    """One row per person and day with calls up to `until`, whatever the period: employee_id, happened_on, calls, hits."""
    done = pipeline.activity_rows(filters, terms, until).c
    noted = func.sum(case((func.lower(done.activity_result) == QUALIFIED, done.activity_count), else_=0)).label("noted")
    called = (
        select(done.employee_id, done.happened_on, func.sum(done.activity_count).label("calls"), noted)
        .where(func.lower(done.activity_kind) == CALL, done.happened_on.is_not(None))
        .group_by(done.employee_id, done.happened_on)
        .cte("called")
    )
    came = pipeline.lead_rows(Filters(), until=until).c  # of any region: a hit is seen by whoever sees the call
    brought = (
        select(came.owner_id, came.qualified_on, func.count().label("leads"))
        .where(came.qualified_on.is_not(None))
        .group_by(came.owner_id, came.qualified_on)
        .cte("brought")
    )
    others = func.least(func.coalesce(brought.c.leads, 0), called.c.calls)  # a call brings one lead at most
    hits = case((called.c.noted > 0, called.c.noted), else_=others).label("hits")
    is_same = and_(brought.c.owner_id == called.c.employee_id, brought.c.qualified_on == called.c.happened_on)
    return select(called.c.employee_id, called.c.happened_on, called.c.calls, hits).join_from(called, brought, is_same, isouter=True)


def activity_sums(filters: Filters, terms: DealTerms, until: date) -> Select[Any]:
    """One row per person: employee_id, activities, minutes (empty: unknown), customers_served, served_days.

    customers_served: the different customers of each day, added up over the days; served_days: days with an activity that names one.
    """
    done = pipeline.activity_rows(filters, terms, until).c
    served = func.count(done.customer_id.distinct()).label("customers")
    daily = (
        select(done.employee_id, func.sum(done.activity_count).label("activities"), func.sum(done.minutes).label("minutes"), served)
        .where(*period_conditions(done.happened_on, filters))
        .group_by(done.employee_id, done.happened_on)
        .cte("daily")
    )
    day = daily.c
    return select(
        day.employee_id,
        func.sum(day.activities).label("activities"),
        func.sum(day.minutes).label("minutes"),
        func.sum(day.customers).label("customers_served"),
        func.sum(case((day.customers > 0, 1), else_=0)).label("served_days"),
    ).group_by(day.employee_id)


def lead_sums(filters: Filters, terms: DealTerms, on: date | None) -> Select[Any]:
    """One row per owner of leads that came in in the period: employee_id, leads, qualified_leads."""
    came = pipeline.lead_rows(filters, terms, on).c
    owner = came.owner_id.label("employee_id")
    counts = (func.count().label("leads"), _count(is_qualified(came)).label("qualified_leads"))
    return select(owner, *counts).where(*period_conditions(came.created_on, filters)).group_by(owner)


def deal_sums(filters: Filters, terms: DealTerms, on: date | None) -> Select[Any]:
    """One row per owner: what became of the deals created in the period, and the pipeline that is open today.

    employee_id; of the period: deals, won, lost, open, won_value, won_unvalued (won deals of unknown value), cycle_days (creation to
    winning, added up over cycle_deals), the squares of both added up, and of the won deals of which both are known their number, sums and
    products (see pace.MOMENTS); open_now, open_value (of the open deals of known value), whenever they were created.
    """
    row = pipeline.deals(filters, terms, on).c
    is_new = and_(true(), *period_conditions(row.created_on, filters))
    is_won, is_open = and_(is_new, row.outcome == pipeline.WON), row.outcome == pipeline.OPEN
    days, value = case((is_won, _lasted(row))), case((is_won, row.deal_amount))
    number = cast(value, Double)  # the square of a large amount has more digits than a decimal
    is_paired = and_(days.is_not(None), value.is_not(None))
    owner = row.owner_id.label("employee_id")
    columns = {
        "deals": _count(is_new),
        "won": _count(is_won),
        "lost": _count(and_(is_new, row.outcome == pipeline.LOST)),
        "open": _count(and_(is_new, is_open)),
        "won_value": func.sum(value),
        "won_unvalued": _count(and_(is_won, row.deal_amount.is_(None))),
        "cycle_days": func.sum(days),
        "cycle_deals": func.count(days),
        "value_squares": func.sum(number * number),
        "cycle_squares": func.sum(days * days),
        "paired_deals": _count(is_paired),
        "paired_value": func.sum(case((is_paired, number))),
        "paired_days": func.sum(case((is_paired, days))),
        "paired_products": func.sum(number * days),
        "open_now": _count(is_open),
        "open_value": func.sum(case((is_open, row.deal_amount))),
    }
    return select(owner, *(column.label(name) for name, column in columns.items())).group_by(owner)


def _lasted(row: Any) -> ColumnElement[int]:
    """Return the days from creation to closing; 0 where it was closed before that."""
    return case((row.closed_on < row.created_on, 0), else_=days_between(row.created_on, row.closed_on))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def order_sums(filters: Filters, terms: DealTerms) -> Select[Any]:
    """One row per owner of customers, as the data stand, with orders in the filters and the period: employee_id, orders (purchases)."""
    rows, owner, who = orders_within(filters).c, customers.c.owner_id.label("employee_id"), employees.alias("looks_after")
    chosen = [is_chosen(column, values) for column, values in ((owner, terms.owner), (who.c.team, terms.team)) if values]
    owned = (
        select(customer_facts.c.customer_number, owner)
        .join_from(customer_facts, customers, customers.c.customer_id == customer_facts.c.customer_id)
        .outerjoin(who, who.c.employee_id == customers.c.owner_id)
        .where(customers.c.owner_id.is_not(None), *pipeline.seen_regions(filters.scope, who), *chosen)
        .cte("owned")
    )
    count = func.count().label("orders")
    joined = select(owned.c.employee_id, count).join(owned, owned.c.customer_number == rows.customer_number)
    return joined.where(rows.is_purchase).group_by(owned.c.employee_id)


def task_sums(filters: Filters, terms: DealTerms, until: date) -> Select[Any]:
    """One row per person with tasks due by `until`, whenever: employee_id, tasks_due, overdue_tasks (not done by then)."""
    row = _tasks(filters, terms, until).c
    return select(row.employee_id, func.count().label("tasks_due"), _count(row.done_on.is_(None)).label("overdue_tasks")).group_by(
        row.employee_id
    )


def overdue_tasks(filters: Filters, terms: DealTerms, day: DealDay) -> Select[Any]:
    """One row per task due by today and not done by then, longest overdue first.

    task_id, employee_id, employee_name, team, subject, stage, customer_id, opportunity_id, due_on, deal_outcome (of its deal today).
    """
    late, every = _tasks(filters, terms, day.today), pipeline.deals(Filters(scope=filters.scope), on=day.on)
    columns = [column for column in late.c if column.name != "done_on"]
    return (
        select(*columns, every.c.outcome.label("deal_outcome"))
        .join_from(late, every, every.c.opportunity_id == late.c.opportunity_id, isouter=True)
        .where(late.c.done_on.is_(None))
        .order_by(late.c.due_on, late.c.task_id)
    )


def task_wins(filters: Filters, terms: DealTerms, day: DealDay) -> Select[Any]:
    """One row per stage and whether all tasks of a deal in it were done by their day: stage, stage_order, is_done, n (deals closed by today
    and created in the period, with a task in that stage due before they were closed), hits (won).
    """
    due, deal = _tasks(filters, terms, day.today).c, pipeline.deals(Filters(scope=filters.scope), on=day.on).c
    is_done = func.min(case((due.done_on <= due.due_on, 1), else_=0)).label("is_done")
    ended = [deal.outcome != pipeline.OPEN, due.due_on <= deal.closed_on, *period_conditions(deal.created_on, filters)]
    of_deals = (
        select(deal.deal_number, deal.outcome, due.stage, is_done)
        .where(deal.opportunity_id == due.opportunity_id, due.stage.is_not(None), *ended)
        .group_by(deal.deal_number, deal.outcome, due.stage)
        .cte("tasked_deals")
    )
    row, order = of_deals.c, stages.c.stage_order
    counts = (func.count().label("n"), _count(row.outcome == pipeline.WON).label("hits"))
    joined = select(row.stage, order, row.is_done, *counts).join_from(of_deals, stages, stages.c.stage == row.stage, isouter=True)
    return joined.group_by(row.stage, order, row.is_done).order_by(order, row.stage, row.is_done)


def _tasks(filters: Filters, terms: DealTerms, until: date) -> CTE:
    """One row per task due by `until` of the people within filters and terms: the columns of `overdue_tasks`, done_on (by then)."""
    row, who = tasks.c, employees.alias("doer")
    name = func.coalesce(who.c.employee_name, row.employee_id).label("employee_name")
    done_on = case((row.done_on <= until, row.done_on)).label("done_on")
    chosen = [
        is_chosen(column, values)
        for column, values in ((who.c.region, filters.region), (row.employee_id, terms.owner), (who.c.team, terms.team))
        if values
    ]
    keys = (row.task_id, row.employee_id, name, who.c.team, row.subject, row.stage, row.customer_id, row.opportunity_id, row.due_on)
    return (
        select(*keys, done_on)
        .join_from(tasks, who, who.c.employee_id == row.employee_id, isouter=True)
        .where(row.due_on <= until, *pipeline.seen_regions(filters.scope, who), *chosen)
        .cte("tasks_due")
    )


# ── before and after ────────────────────────────────────────────────────────────────────────────────────────────────────


def _side(day: ColumnElement[Any], go_live: GoLive) -> ColumnElement[Any]:
    return case((day < go_live.before_on, BEFORE), (day >= go_live.after_on, AFTER)).label("side")


def lead_sides(filters: Filters, terms: DealTerms, until: date, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by creation, of leads old enough: side, n, hits (became a customer in FOLLOWED_DAYS). Nothing where
    no lead is known to have become one.
    """
    every, followed = pipeline.lead_rows(filters, terms, until), FOLLOWED_DAYS["lead"]
    came = every.c
    is_known = select(func.count(every.alias("any_lead").c.converted_on)).scalar_subquery() > 0
    is_won = case((days_between(came.created_on, came.converted_on) <= followed, 1), else_=0).label("is_won")
    rows = select(_side(came.created_on, go_live), is_won).where(came.created_on <= _old(until, followed), is_known).cte("followed_leads")
    return select(rows.c.side, func.count().label("n"), func.sum(rows.c.is_won).label("hits")).group_by(rows.c.side)


def deal_sides(filters: Filters, terms: DealTerms, day: DealDay, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by creation, of deals old enough: side, n, hits (won in FOLLOWED_DAYS), days, squares.

    days, squares: from creation to these wins, added up, and their squares.
    """
    row = pipeline.deals(filters, terms, day.on).c
    followed, lasted = FOLLOWED_DAYS["deal"], _lasted(row)
    days = case((and_(row.outcome == pipeline.WON, lasted <= followed), lasted)).label("days")
    rows = select(_side(row.created_on, go_live), days).where(row.created_on <= _old(day.today, followed)).cte("followed_deals")
    found = rows.c
    sums = (func.sum(found.days).label("days"), func.sum(found.days * found.days).label("squares"))
    return select(found.side, func.count().label("n"), func.count(found.days).label("hits"), *sums).group_by(found.side)


def _old(until: date, days: int) -> date:
    return date.fromordinal(until.toordinal() - days)


def value_sides(filters: Filters, terms: DealTerms, day: DealDay, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by closing, of won deals of known value: side, n, value, of_calls, squares, squares_of_calls.

    of_calls: the value of deals whose lead belonged to somebody who makes calls. squares: of the values, added up. Nothing where no deal
    is known to have come from such a lead.
    """
    row, called = pipeline.deals(filters, terms, day.on).c, _called_deals(day.today)
    is_known = select(func.count()).select_from(called.alias("any_called")).scalar_subquery() > 0
    is_won = [row.outcome == pipeline.WON, row.closed_on.is_not(None), row.deal_amount.is_not(None), is_known]
    is_of_call = called.c.opportunity_id.is_not(None).label("is_of_call")
    rows = select(_side(row.closed_on, go_live), row.deal_amount, is_of_call)
    won = rows.outerjoin(called, called.c.opportunity_id == row.opportunity_id).where(*is_won).cte("won_deals").c
    value, number = won.deal_amount, cast(won.deal_amount, Double)  # the square of a large amount has more digits than a decimal
    squared = number * number
    return select(
        won.side,
        func.count().label("n"),
        func.sum(value).label("value"),
        func.sum(case((won.is_of_call, value), else_=0)).label("of_calls"),
        func.sum(squared).label("squares"),
        func.sum(case((won.is_of_call, squared), else_=0)).label("squares_of_calls"),
    ).group_by(won.side)


def _called_deals(until: date) -> CTE:
    """One row per deal that came of a lead of somebody who made calls by `until`: opportunity_id. Some sources say it of the deal, some of
    the lead.
    """
    done, deal = pipeline.activity_rows(Filters(), until=until).c, opportunities.c
    callers = select(done.employee_id).where(func.lower(done.activity_kind) == CALL).distinct().cte("callers")
    theirs = select(leads.c.lead_id, leads.c.opportunity_id).join(callers, callers.c.employee_id == leads.c.owner_id).cte("their_leads").c
    of_lead = select(theirs.opportunity_id).where(theirs.opportunity_id.is_not(None))
    return of_lead.union(select(deal.opportunity_id).where(deal.lead_id == theirs.lead_id)).cte("called_deals")


def task_sides(filters: Filters, terms: DealTerms, until: date, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by due day: side, n (tasks), hits (done by their day)."""
    row = _tasks(filters, terms, until).c
    rows = select(_side(row.due_on, go_live), case((row.done_on <= row.due_on, 1), else_=0).label("is_done")).cte("sided_tasks").c
    return select(rows.side, func.count().label("n"), func.sum(rows.is_done).label("hits")).group_by(rows.side)


# ── order entry ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _entries(filters: Filters, until: date) -> CTE:
    """One row per order whose entry is known, up to `until`, whatever the period: ordered_on, minutes."""
    row = orders.c
    seconds = cast(extract("epoch", row.entry_booked_at - row.entry_started_at), Double)  # a third of a minute is no decimal
    minutes = (seconds / _SECONDS_PER_MINUTE).label("minutes")
    return select(row.ordered_on, minutes).where(row.entry_booked_at >= row.entry_started_at, *_of_orders(filters, until)).cte("entries")


def _of_orders(filters: Filters, until: date) -> list[ColumnElement[bool]]:
    """Return what an order must satisfy to lie within scope and choices up to `until`."""
    chosen = [*choice_conditions(filters, orders), *in_segments(filters, orders.c.customer_id)]
    return [orders.c.ordered_on <= until, *scope_conditions(filters.scope, orders), *chosen]


def correction_sides(filters: Filters, until: date, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by order day: side, n (orders of which it is known), hits (had to be corrected after entry)."""
    row = orders.c
    is_hit = case((row.was_corrected, 1), else_=0).label("is_hit")
    known = [row.was_corrected.is_not(None), *_of_orders(filters, until)]
    rows = select(_side(row.ordered_on, go_live), is_hit).where(*known).cte("sided_corrections").c
    return select(rows.side, func.count().label("n"), func.sum(rows.is_hit).label("hits")).group_by(rows.side)


def satisfaction_sides(filters: Filters, until: date, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by day of the answer: side, n (answers on satisfaction by customers of the regions seen), hits
    (SATISFIED_FROM or more).
    """
    row, home = surveys.c, select(customers.c.customer_id, customers.c.home_region.label("region")).cte("homes")
    is_hit = case((row.score >= SATISFIED_FROM, 1), else_=0).label("is_hit")
    known = [row.survey_kind == _SATISFACTION, row.score.is_not(None), row.answered_on <= until]
    chosen = [is_chosen(home.c.region, filters.region)] if filters.region else []
    of_reader = [*pipeline.seen_regions(filters.scope, home), *chosen, *in_segments(filters, row.customer_id)]
    answered = surveys.outerjoin(home, home.c.customer_id == row.customer_id)
    rows = select(_side(row.answered_on, go_live), is_hit).select_from(answered).where(*known, *of_reader).cte("sided_answers").c
    return select(rows.side, func.count().label("n"), func.sum(rows.is_hit).label("hits")).group_by(rows.side)


def entry_sides(filters: Filters, until: date, go_live: GoLive) -> Select[Any]:
    """One row per side of the go-live, by order day, and whole minute: side, minute, n (orders), minutes, squares (both added up)."""
    entered = _entries(filters, until).c
    rows = select(_side(entered.ordered_on, go_live), func.floor(entered.minutes).label("minute"), entered.minutes).cte("sided_entries").c
    sums = (func.sum(rows.minutes).label("minutes"), func.sum(rows.minutes * rows.minutes).label("squares"))
    return select(rows.side, rows.minute, func.count().label("n"), *sums).group_by(rows.side, rows.minute).order_by(rows.side, rows.minute)


def entry_staff(filters: Filters, today: date, go_live: GoLive) -> Select[Any]:
    """One row: before (people who entered orders in the last week before), after (who did in the week to today), before_cost, after_cost
    (mean cost of an hour of these people; empty: unknown).

    A week, because who left on a Friday before a go-live on Monday was there before it.
    """
    row = employees.c
    chosen = [is_chosen(row.region, filters.region)] if filters.region else []
    seen = [func.lower(row.role) == ORDER_ENTRY, *pipeline.seen_regions(filters.scope, employees), *chosen]
    days = ((BEFORE, go_live.last_before_on), (AFTER, today))
    counts: list[ColumnElement[Any]] = [func.coalesce(_count(_employed(row, day)), 0).label(side) for side, day in days]
    costs = [func.avg(case((_employed(row, day), cast(row.hourly_cost, Double)))).label(f"{side}_cost") for side, day in days]
    return select(*counts, *costs).where(*seen)


def _employed(row: Any, day: date | None) -> ColumnElement[bool]:
    is_hired, has_left = row.hired_on <= day, row.left_on < (day and _old(day, 6))
    return and_(func.coalesce(is_hired, True), ~func.coalesce(has_left, False))


def entry_months(filters: Filters, until: date) -> Select[Any]:
    """One row per month: month_on, orders, mean_minutes, median_minutes, of the orders whose entry is known."""
    entered: FromClause = _entries(filters, until)
    month = bucket_on(entered.c.ordered_on, "month").label("month_on")
    columns = (func.count().label("orders"), func.avg(entered.c.minutes).label("mean_minutes"))
    return select(month, *columns, median(entered.c.minutes).label("median_minutes")).group_by(month).order_by(month)
