"""Each deal as it stood at the end of a day: what its history said by then, else its row.

`on` is that day; None means as the data stand now.
"""

from datetime import date, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, FromClause, Integer, Select, and_, case, cast, func, literal, null, or_, select, union_all

from crm_metrics.periods import Grain
from crm_metrics.schema import opportunities, opportunity_history, stages
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


def numbered_deals() -> CTE:
    """One row per deal of the data set: opportunity_id, deal_number."""
    row = opportunities.c
    return select(row.opportunity_id, func.row_number().over(order_by=row.opportunity_id).label("deal_number")).cte("numbered_deals")


def known_changes(on: date | None) -> CTE:
    """One row per change known of by the end of `on`: the columns of opportunity_history, changed_on, and outcome, that of its stage where
    it says none.
    """
    with _making:  # threads that make it at once would give one query two of the same name
        return _history_by(on)


_making = Lock()


@lru_cache(maxsize=64)  # a query that asks for it twice has it once
def _history_by(on: date | None) -> CTE:
    said = opportunity_history.c
    outcome = func.coalesce(said.outcome, stages.c.outcome, OPEN).label("outcome")
    rows = select(
        said.opportunity_id,
        said.change_number,
        said.changed_at,
        cast(said.changed_at, Date).label("changed_on"),
        said.stage,
        said.deal_amount,
        said.expected_close_on,
        said.owner_id,
        outcome,
    ).join_from(opportunity_history, stages, stages.c.stage == said.stage, isouter=True)
    return (rows.where(said.changed_at < on + timedelta(1)) if on else rows).cte("history")


def last_changes(history: CTE) -> CTE:
    """One row per deal with a change: the columns of `history`, of its last change."""
    with _making:
        return _last_of(history)


@lru_cache(maxsize=64)
def _last_of(history: CTE) -> CTE:
    last = select(history.c.opportunity_id, func.max(history.c.change_number).label("change_number")).group_by(history.c.opportunity_id)
    found = last.cte("last_numbers")
    is_same = and_(found.c.opportunity_id == history.c.opportunity_id, found.c.change_number == history.c.change_number)
    return select(*history.c).join_from(history, found, is_same).cte("last_changes")


def deal_states(on: date | None) -> CTE:
    """One row per deal there at the end of `on`: deal_number, opportunity_id, stage, outcome, expected_close_on, closed_on, deal_amount,
    owner_id, changed_on (day of its last change in the history), outcome_now.
    """
    last = last_changes(known_changes(on))
    return _states(opportunities.outerjoin(last, last.c.opportunity_id == opportunities.c.opportunity_id), last, on).cte("states")


def states_by_period(before_on: date, last_on: date, grain: Grain) -> CTE:
    """One row per deal and day on which it may not stand as on the one before: the columns of `deal_states`, and ends_on, that day.

    The days are before_on, and from then on the last one of each period of the grain, and last_on.
    """
    history, row = known_changes(last_on), opportunities.c

    def end(day: ColumnElement[Any]) -> ColumnElement[Any]:
        return case((day <= before_on, before_on), else_=func.least(bucket_end(day, grain), last_on)).label("ends_on")

    told = select(history.c.opportunity_id, end(history.c.changed_on), history.c.change_number)
    days = (row.created_on, func.coalesce(row.closed_on, row.expected_close_on))
    others = [select(row.opportunity_id, end(day), cast(null(), Integer)).where(day <= last_on) for day in days]
    every = union_all(told, *others).cte("moments").c
    last_number = func.max(func.max(every.change_number)).over(partition_by=every.opportunity_id, order_by=every.ends_on)
    moments = select(every.opportunity_id, every.ends_on, last_number.label("last_number")).group_by(every.opportunity_id, every.ends_on)
    moment, last = moments.cte("moments_by_period"), history.alias("last_change")
    is_last = and_(last.c.opportunity_id == moment.c.opportunity_id, last.c.change_number == moment.c.last_number)
    joined = opportunities.join(moment, moment.c.opportunity_id == row.opportunity_id).outerjoin(last, is_last)
    return _states(joined, last, moment.c.ends_on).add_columns(moment.c.ends_on).cte("states_by_period")


def _states(told_of: FromClause, last: FromClause, on: date | ColumnElement[Any] | None) -> Select[Any]:
    """One row per row of `told_of`, opportunities with their last change by `on` where there is one: see deal_states."""
    row, said, numbered, stage_now = opportunities.c, last.c, numbered_deals(), stages.alias("stage_now")
    # a CTE, outer-joined once: as EXISTS it would be asked again in each of the expressions below, which takes twenty times as long
    told = select(opportunity_history.c.opportunity_id).distinct().cte("deals_with_history")
    outcome = case((row.outcome != OPEN, row.outcome), else_=func.coalesce(stage_now.c.outcome, OPEN))
    closed_on = case((outcome != OPEN, func.coalesce(row.closed_on, said.changed_on, row.expected_close_on)))
    outcome_now = outcome.label("outcome_now")
    if on is None:
        columns: dict[str, ColumnElement[Any]] = {name: row[name] for name in _CHANGING}
        conditions: list[ColumnElement[bool]] = []
    else:
        closed_on = case((outcome != OPEN, func.coalesce(row.closed_on, case((told.c.opportunity_id.is_(None), row.expected_close_on)))))
        by_history, by_row = said.outcome.is_not(None), _is_closed_by(outcome, said, closed_on, on)
        is_said = and_(by_history, or_(said.outcome == outcome, ~by_row))
        columns = {name: case((is_said, said[name]), (by_row, row[name])) for name in _CHANGING}
        columns["owner_id"] = func.coalesce(columns["owner_id"], row.owner_id)
        closed_then = case((said.outcome == outcome, func.coalesce(_by(closed_on, on), said.changed_on)), else_=said.changed_on)
        closed_on = case((is_said, case((said.outcome != OPEN, closed_then))), (by_row, closed_on))
        outcome = case((is_said, said.outcome), (by_row, outcome), else_=literal(OPEN))
        conditions = [or_(row.created_on <= on, by_history, by_row)]
    labelled = [column.label(name) for name, column in columns.items()]
    joined = told_of.join(numbered, numbered.c.opportunity_id == row.opportunity_id).outerjoin(stage_now, stage_now.c.stage == row.stage)
    joined = joined if on is None else joined.outerjoin(told, told.c.opportunity_id == row.opportunity_id)
    ends = (outcome.label("outcome"), outcome_now, closed_on.label("closed_on"), said.changed_on.label("changed_on"))
    return select(numbered.c.deal_number, row.opportunity_id, *labelled, *ends).select_from(joined).where(*conditions)


def _by(day: ColumnElement[Any], on: date | ColumnElement[Any]) -> ColumnElement[Any]:
    return case((day <= on, day))


def _is_closed_by(
    outcome: ColumnElement[Any], said: Any, closed_on: ColumnElement[Any], on: date | ColumnElement[Any]
) -> ColumnElement[bool]:
    """Return whether the deal's row alone says that it was closed by the end of `on`: no change after its closing says more. closed_on:
    as the row says it; of a deal that has a history but no day of closing only the history knows when.
    """
    return func.coalesce(and_(outcome != OPEN, closed_on <= on, func.coalesce(said.changed_on, closed_on) <= closed_on), literal(False))  # noqa: FBT003
