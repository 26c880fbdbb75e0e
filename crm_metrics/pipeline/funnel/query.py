"""How many deals went which way through the stages, how they moved between them, and how many leads there were before."""

from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from crm_metrics.filters import Filters, is_chosen, period_conditions
from crm_metrics.pipeline.deals import query as deals_query
from crm_metrics.pipeline.deals.as_of import is_qualified
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.funnel.terms import GROUPS, LEAD_GROUPS, PERIODS, Behind, By, Places
from crm_metrics.schema import customers, employees, products
from crm_metrics.sql import bucket_on

_TOLD = ("visited", "visited_first", "lost_first", "won_first", "went_back", "reopened")

# ── ways through the stages ─────────────────────────────────────────────────────────────────────────────────────────────


def _ways(filters: Filters, terms: DealTerms, places: Places, on: date | None) -> CTE:
    """One row per deal of the period: the columns of deals.query.deals, and what its changes by the end of `on` tell (0 without any):
    visited (sum of 2 to the power of the place of each open stage it has been in), visited_first (those before its first closing),
    lost_first (whether that was a loss; 0 or 1), won_first, went_back (to an earlier stage; 0 or 1), reopened (0 or 1).
    """
    deals = deals_query.deals_of_period(filters, terms, on)
    if not places:
        return select(*deals.c, *[literal_column("0").label(name) for name in _TOLD]).cte("ways")
    paths = _paths(deals_query.changes_of(deals, on).order_by(None).cte("all_changes"), places)
    told = [func.coalesce(paths.c[name], 0).label(name) for name in _TOLD]
    return select(*deals.c, *told).join_from(deals, paths, paths.c.deal_number == deals.c.deal_number, isouter=True).cte("ways")


def _paths(said: CTE, places: Places) -> CTE:
    """One row per deal with a change: deal_number, and what the changes tell; see _ways."""
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
    return select(move.deal_number, func.bit_or(move.bit).label("visited"), first, *flags).group_by(move.deal_number).cte("paths")


def cells(filters: Filters, terms: DealTerms, places: Places, on: date | None = None, *, by: By | None = None) -> Select[Any]:
    """One row per way that deals of the period went, and group of theirs where `by` is one: group, group_name (empty: unknown), outcome,
    stage, visited and what else _ways says; deals, deal_amount (sum of the known values; empty where none is known), unvalued (deals
    without one). Many deals go the same way: their numbers are all that leaves the database.
    """
    ways = _ways(filters, terms, places, on)
    names = [ways.c[name] for name in ("outcome", "stage", *_TOLD)]
    grouped = select(*_group(ways, by, GROUPS), *names, ways.c.deal_amount).cte("grouped")
    keys = [column for column in grouped.c if column.name != "deal_amount"]
    sums = {
        "deals": func.count(),
        "deal_amount": func.sum(grouped.c.deal_amount),
        "unvalued": func.count() - func.count(grouped.c.deal_amount),
    }
    return select(*keys, *[column.label(name) for name, column in sums.items()]).group_by(*keys).order_by(*keys)


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
    """One row per deal of the period that went one of the ways and is of the group: these columns of deals.query.deals."""
    every = _ways(filters, terms, chosen.places, on)
    way = tuple_(every.c.outcome, func.coalesce(every.c.stage, ""), every.c.visited)
    conditions: list[ColumnElement[bool]] = [way.in_(chosen.ways) if chosen.ways else false()] if chosen.places else []
    conditions += [is_chosen(_group(every, chosen.by, GROUPS)[0], (chosen.group,))] if chosen.group else []
    return select(*[every.c[name] for name in columns]).where(*conditions)


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


def closings(filters: Filters, terms: DealTerms, on: date | None) -> Select[Any]:
    """One row per day of closing (empty: unknown) and outcome of the deals won or lost, whenever created: closed_on, outcome, deals,
    deal_amount (sum of the known values; empty where none is known), unvalued (deals without one).
    """
    row = deals_query.deals(filters, terms, on).c
    sums = (func.count().label("deals"), func.sum(row.deal_amount).label("deal_amount"))
    unvalued = (func.count() - func.count(row.deal_amount)).label("unvalued")
    keys = (row.closed_on, row.outcome)
    return select(*keys, *sums, unvalued).where(row.outcome != deals_query.OPEN).group_by(*keys).order_by(*keys)


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
    counts = {"leads": func.count(), "qualified_leads": _sum(grouped.c.is_qualified), "became_deals": _sum(grouped.c.is_deal)}
    keys = [grouped.c[column.name] for column in group]
    return select(*keys, *[column.label(name) for name, column in counts.items()]).select_from(grouped).group_by(*keys).order_by(*keys)


def _sum(flag: ColumnElement[Any]) -> ColumnElement[Any]:
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
