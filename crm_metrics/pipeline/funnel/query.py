"""Which stages each deal has been in, how deals moved between stages, and how many calls and leads there were."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select

from crm_metrics.filters import Filters, period_conditions
from crm_metrics.pipeline.deals import query as deals_query
from crm_metrics.pipeline.deals.as_of import is_qualified
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms

Places = tuple[tuple[str, int], ...]
"""Open stages and their places in the funnel, from 0 on; stages of several pipelines may share one."""


def paths(filters: Filters, terms: DealTerms, places: Places, on: date | None = None) -> Select[Any]:
    """One row per deal of the period with a change by the end of `on`: deal_number, visited (sum of 2 to the power of the place of each
    open stage it has been in), visited_first (those before its first closing), lost_first (whether that was a loss; 0 or 1), won_first,
    went_back (to an earlier stage; 0 or 1), reopened (0 or 1).
    """
    said = deals_query.changes(filters, terms, on, of_period=True).order_by(None).cte("all_changes")
    order: dict[str, Any] = {"partition_by": said.c.deal_number, "order_by": (said.c.changed_on, said.c.change_number)}
    place = case(dict(places), value=said.c.stage).label("place")
    bit = cast(case({stage: 2**at for stage, at in places}, value=said.c.stage, else_=0), BigInteger).label("bit")
    before = (func.lag(place).over(**order).label("place_before"), func.lag(said.c.outcome).over(**order).label("outcome_before"))
    closings = func.sum(case((said.c.outcome != deals_query.OPEN, 1), else_=0)).over(**order).label("closings")
    moves = select(said.c.deal_number, place, bit, said.c.outcome, closings, *before).cte("moves")
    move = moves.c
    ends = and_(move.closings == 1, move.outcome != deals_query.OPEN)
    happened = {
        "lost_first": and_(ends, move.outcome == deals_query.LOST),
        "won_first": and_(ends, move.outcome == deals_query.WON),
        "went_back": move.place < move.place_before,
        "reopened": and_(move.outcome == deals_query.OPEN, move.outcome_before != deals_query.OPEN),
    }
    flags = [func.max(case((condition, 1), else_=0)).label(name) for name, condition in happened.items()]
    first = func.bit_or(case((move.closings == 0, move.bit), else_=0)).label("visited_first")
    visited = func.bit_or(move.bit).label("visited")
    return select(move.deal_number, visited, first, *flags).group_by(move.deal_number).order_by(move.deal_number)


def moves(filters: Filters, terms: DealTerms, on: date | None = None) -> Select[Any]:
    """One row per move of deals of the period from one stage to another by the end of `on`: from_stage (empty: created in the other),
    to_stage, outcome (after it), deals.

    Changes that name no stage are passed over. Closings that only the deal's row tells are not among them: it says not from where.
    """
    said = deals_query.changes(filters, terms, on, of_period=True).order_by(None).cte("all_changes")
    order: dict[str, Any] = {"partition_by": said.c.deal_number, "order_by": (said.c.changed_on, said.c.change_number)}
    before = func.lag(said.c.stage).over(**order).label("from_stage")
    is_told = and_(said.c.stage.is_not(None), said.c.change_number.between(deals_query.OPENING + 1, deals_query.CLOSING))
    steps = select(said.c.deal_number, said.c.change_number, before, said.c.stage, said.c.outcome).where(is_told).cte("steps")
    step = steps.c
    is_move = or_(and_(step.from_stage.is_(None), step.change_number < deals_query.CLOSING), step.from_stage != step.stage)
    deals = func.count(step.deal_number.distinct()).label("deals")
    columns = (step.from_stage, step.stage.label("to_stage"), step.outcome)
    return select(*columns, deals).where(is_move).group_by(*columns).order_by(deals.desc(), step.from_stage, step.stage)


def lead_counts(filters: Filters, terms: DealTerms = ALL_DEALS, until: date | None = None) -> Select[Any]:
    """One row: leads that came in in the period or on an unknown day, qualified_leads of them, and became_deals of these."""
    leads = deals_query.lead_rows(filters, terms, until)
    row = leads.c
    columns = {
        "leads": func.count(),
        "qualified_leads": _number(is_qualified(row)),
        "became_deals": _number(row.opportunity_id.is_not(None)),
    }
    counts = [column.label(name) for name, column in columns.items()]
    return select(*counts).select_from(leads).where(*period_conditions(row.created_on, filters))


def _number(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return cast(func.coalesce(func.sum(case((condition, 1), else_=0)), 0), BigInteger)


def step_leads(filters: Filters, terms: DealTerms, until: date | None, *, are_qualified: bool) -> Select[Any]:
    """One row per lead of the period, or qualified one: lead_id, customer_id, lead_source, owner_name, team, region, created_on,
    qualified_on, converted_on, opportunity_id; the latest first.
    """
    leads = deals_query.lead_rows(filters, terms, until)
    names = ("lead_id", "customer_id", "lead_source", "owner_name", "team", "region")
    days = ("created_on", "qualified_on", "converted_on", "opportunity_id")
    conditions = [is_qualified(leads.c)] if are_qualified else []
    rows = select(*[leads.c[name] for name in (*names, *days)]).where(*period_conditions(leads.c.created_on, filters), *conditions)
    return rows.order_by(leads.c.created_on.desc(), leads.c.lead_id)
