"""Each deal as it stood at the end of a day: what its history said by then, else its row.

`on` is that day; None means as the data stand now.
"""

from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, Integer, Select, and_, case, cast, func, literal, null, or_, select, union_all

from crm_metrics.periods import Grain
from crm_metrics.schema import deal_change_facts, deal_facts
from crm_metrics.scope import Scope
from crm_metrics.sql import bucket_end, is_one_of

OPEN = "open"
_QUALIFIED = ("qualified", "converted")  # of lead_status
_CHANGING = ("stage", "expected_close_on", "deal_amount", "owner_id")


def seen_regions(scope: Scope, rows: FromClause) -> list[ColumnElement[bool]]:
    """Return what a row with a region must satisfy for the reader to see it."""
    return [is_one_of(rows.c.region, scope.regions)] if scope.regions else []


def is_qualified(lead: Any) -> ColumnElement[bool]:
    """Return whether a row of query.lead_rows is a qualified lead: marked as such or converted, with a day of either, or with a deal."""
    days = (lead.qualified_on.is_not(None), lead.converted_on.is_not(None), lead.opportunity_id.is_not(None))
    return or_(func.lower(lead.lead_status).in_(_QUALIFIED), *days)


# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def known_changes(on: date | None) -> CTE:
    """One row per change known of by the end of `on`: the columns of deal_change_facts."""
    with _making:  # threads that make it at once would give one query two of the same name
        return _history_by(on)


_making = Lock()


@lru_cache(maxsize=64)  # a query that asks for it twice has it once
def _history_by(on: date | None) -> CTE:
    rows = select(*deal_change_facts.c)
    return (rows.where(deal_change_facts.c.changed_on <= on) if on else rows).cte("history")


def deal_states(on: date | None) -> CTE:
    """One row per deal there at the end of `on`: the columns of deal_facts, of which stage, outcome, expected_close_on, closed_on,
    deal_amount, owner_id and told_outcome are those of that day, and outcome_now, closed_now_on (as the deal's row says it).
    """
    if on is None:
        return _states_now()
    last = deal_change_facts.alias("last_change")
    is_last = and_(last.c.deal_number == deal_facts.c.deal_number, last.c.changed_on <= on, _is_last(last, on))
    return _states(deal_facts.outerjoin(last, is_last), last, on).cte("states")


def _is_last(change: FromClause, on: Any) -> ColumnElement[bool]:
    """Return whether a change known of by the end of `on` was the last one then."""
    return or_(change.c.superseded_on.is_(None), change.c.superseded_on > on)


def states_by_period(before_on: date, last_on: date, grain: Grain) -> CTE:
    """One row per deal and day on which it may not stand as on the one before: the columns of `deal_states`, and ends_on, that day.

    The days are before_on, and from then on the last one of each period of the grain, and last_on.
    """
    if before_on == last_on:
        stood = deal_states(last_on)
        return select(*stood.c, literal(last_on).label("ends_on")).cte("states_by_period")
    history, row = known_changes(last_on), deal_facts.c

    def end(day: ColumnElement[Any]) -> ColumnElement[Any]:
        return case((day <= before_on, before_on), else_=func.least(bucket_end(day, grain), last_on))

    ends_on = end(history.c.changed_on)
    told = select(history.c.deal_number, ends_on.label("ends_on"), history.c.change_number).where(_is_last(history, ends_on))
    days = (row.created_on, func.coalesce(row.closed_on, row.expected_close_on))
    others = [select(row.deal_number, end(day).label("ends_on"), cast(null(), Integer)).where(day <= last_on) for day in days]
    every = union_all(told, *others).cte("moments").c
    last_number = func.max(func.max(every.change_number)).over(partition_by=every.deal_number, order_by=every.ends_on)
    moments = select(every.deal_number, every.ends_on, last_number.label("last_number")).group_by(every.deal_number, every.ends_on)
    moment, last = moments.cte("moments_by_period"), history.alias("last_change")
    is_last = and_(last.c.deal_number == moment.c.deal_number, last.c.change_number == moment.c.last_number)
    joined = deal_facts.join(moment, moment.c.deal_number == row.deal_number).outerjoin(last, is_last)
    return _states(joined, last, moment.c.ends_on).add_columns(moment.c.ends_on).cte("states_by_period")


def _states_now() -> CTE:
    row = deal_facts.c
    closed_on = case((row.outcome != OPEN, func.coalesce(row.closed_on, row.last_changed_on)))
    return _with(deal_facts, {"closed_on": closed_on}).cte("states")


def _with(rows: FromClause, then: dict[str, ColumnElement[Any]]) -> Select[Any]:
    """One row per row of deals: see deal_states. then: columns that were others than they are now."""
    columns = [then.get(column.name, column).label(column.name) for column in deal_facts.c]
    ends = (deal_facts.c.outcome.label("outcome_now"), deal_facts.c.closed_on.label("closed_now_on"))
    return select(*columns, *ends).select_from(rows)


def _states(told_of: FromClause, last: FromClause, on: date | ColumnElement[Any]) -> Select[Any]:
    """One row per row of `told_of`, deals with their last change by `on` where there is one: see deal_states."""
    row, said = deal_facts.c, last.c
    by_history, by_row = said.outcome.is_not(None), _is_closed_by(row, said, on)
    is_said = and_(by_history, or_(said.outcome == row.outcome, ~by_row))
    columns: dict[str, ColumnElement[Any]] = {name: case((is_said, said[name]), (by_row, row[name])) for name in _CHANGING}
    columns["owner_id"] = func.coalesce(columns["owner_id"], row.owner_id)
    closed_then = case((said.outcome == row.outcome, func.coalesce(_by(row.closed_on, on), said.changed_on)), else_=said.changed_on)
    columns["closed_on"] = case((is_said, case((said.outcome != OPEN, closed_then))), (by_row, row.closed_on))
    columns["outcome"] = case((is_said, said.outcome), (by_row, row.outcome), else_=literal(OPEN))
    columns["told_outcome"] = said.outcome
    return _with(told_of, columns).where(or_(row.created_on <= on, by_history, by_row))


def _by(day: ColumnElement[Any], on: date | ColumnElement[Any]) -> ColumnElement[Any]:
    return case((day <= on, day))


def _is_closed_by(row: Any, said: Any, on: date | ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the deal's row alone says that it was closed by the end of `on`: no change after its closing says more. Of a deal that
    has a history but no day of closing only the history knows when.
    """
    closed_on = row.closed_on
    return func.coalesce(and_(closed_on <= on, func.coalesce(said.changed_on, closed_on) <= closed_on), literal(False))  # noqa: FBT003
