"""The deals, their changes, leads and activities, as they stood at the end of a day: what every part of the room asks.

`on` is that day; None means as the data stand now. On an earlier day a deal is what its history said by then. Where a source gives no
history, a deal was created on its day of creation, was open until its day of closing, and nothing more is known of it in between.
A deal's region is its own, else its owner's; its market segment its own, else the industry of its account. Its outcome is its own, else
that of its stage.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from crm_metrics.filters import Filters, in_segments, is_chosen, period_conditions
from crm_metrics.periods import Grain
from crm_metrics.pipeline.deals.as_of import deal_states, known_changes, seen_regions, states_by_period
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.schema import (
    AMOUNT,
    activities,
    deal_change_facts,
    deal_facts,
    employees,
    leads,
    opportunities,
    products,
    stages,
)
from crm_metrics.scope import Scope
from crm_metrics.sql import is_one_of

__all__ = [
    "CLOSING",
    "LOST",
    "OPEN",
    "OPENING",
    "WON",
    "activity_rows",
    "change_rows",
    "changes",
    "changes_of",
    "deal_rows",
    "deals",
    "deals_by_period",
    "deals_of_period",
    "extent",
    "held",
    "lead_rows",
    "seen_regions",
    "stage_rows",
    "values_of",
]
OPEN, WON, LOST = "open", "won", "lost"
OPENING, CLOSING = 0, 2**31 - 1
"""Change numbers of what the deal's row says and no history does: its creation, and its end; those of a history lie between them."""
_OF_HISTORY = ("first_changed_on", "told_outcome")  # day of its first change, and the outcome of its last one by the day asked for

# ── deals ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deals(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> CTE:
    """One row per deal within the filters and terms, whatever its days, that was there at the end of `on`, as it stood then.

    customer_name (empty: unknown), deal_number (1, 2, … of all deals of the data set, for joining), opportunity_id, opportunity_name,
    customer_id, lead_id, owner_id, owner_name, team, region, deal_source, product_id, product_name, category, market, pipeline, created_on
    (empty: unknown), stage (empty: unknown on that day), stage_name, stage_order, outcome ('open', 'won', 'lost'), expected_close_on,
    closed_on (empty while open), deal_amount (empty: unknown), lost_reason, competitor (of closed deals, and now), next_step,
    has_scorecard (now alone).
    """
    return select(*_told(_chosen_deals(filters, terms, on))).cte("deals")


def deals_by_period(filters: Filters, terms: DealTerms, days: tuple[date, date], grain: Grain) -> CTE:
    """One row per deal of the data set and day on which it may not stand as on the one before: the columns of `deals`, and ends_on, that
    day; is_seen: whether it was within the filters and terms then, as it would be in `deals` of that day.

    The days are the first of `days`, and from then on the last one of each period of the grain, and the second of `days`.
    """
    whole = _whole_deals(states_by_period(*days, grain), is_now=False)
    conditions = _deal_conditions(filters, terms, whole)
    is_seen = func.coalesce(and_(*conditions), literal(False)) if conditions else literal(True)  # noqa: FBT003
    return select(*_told(whole), is_seen.label("is_seen")).cte("deals_by_period")


def _told(rows: CTE) -> list[ColumnElement[Any]]:
    """Return the columns of `deals`, and those that say more of its day."""
    return [column for column in rows.c if column.name not in _OF_HISTORY]


def _chosen_deals(filters: Filters, terms: DealTerms, on: date | None) -> CTE:
    """One row per deal: the columns of `deals`, and what its history says of it (_OF_HISTORY)."""
    whole = _whole_deals(deal_states(on), is_now=on is None)
    return select(*whole.c).where(*_deal_conditions(filters, terms, whole)).cte("chosen_deals")


def _whole_deals(states: CTE, *, is_now: bool) -> CTE:
    """One row per row of `states`: the columns of `deals` and _OF_HISTORY, and ends_on where the states are those of several days."""
    seller, state = employees.alias("seller"), states.c
    now = literal(is_now)
    is_same = func.coalesce(state.closed_now_on == state.closed_on, state.outcome_now == state.outcome)  # and was not reopened since
    is_closed = or_(now, and_(state.outcome != OPEN, state.outcome_now == state.outcome, is_same))
    joined = states.outerjoin(seller, seller.c.employee_id == state.owner_id).outerjoin(stages, stages.c.stage == state.stage)
    days = [state.ends_on] if "ends_on" in state else []
    return (
        select(
            state.deal_number,
            state.opportunity_id,
            state.opportunity_name,
            state.customer_id,
            state.customer_name,
            state.lead_id,
            state.owner_id,
            func.coalesce(seller.c.employee_name, state.owner_id).label("owner_name"),
            seller.c.team,
            func.coalesce(state.region, seller.c.region).label("region"),
            state.deal_source,
            state.product_id,
            state.product_name,
            state.category,
            state.market,
            state.pipeline,
            state.created_on,
            state.stage,
            func.coalesce(stages.c.stage_name, state.stage).label("stage_name"),
            stages.c.stage_order,
            state.outcome,
            state.expected_close_on,
            state.closed_on,
            state.deal_amount,
            case((is_closed, state.lost_reason)).label("lost_reason"),
            case((is_closed, state.competitor)).label("competitor"),
            case((now, state.next_step)).label("next_step"),
            case((now, state.has_scorecard)).label("has_scorecard"),
            state.first_changed_on,
            state.told_outcome,
            *days,
        )
        .select_from(joined)
        .cte("whole_deals")
    )


def deal_rows(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None, columns: tuple[str, ...] = ()) -> Select[Any]:
    """One row per deal: these columns of `deals`, all where none are named, by deal_number."""
    rows = deals(filters, terms, on)
    return select(*([rows.c[name] for name in columns] or rows.c)).order_by(rows.c.deal_number)


def _deal_conditions(filters: Filters, terms: DealTerms, rows: FromClause) -> list[ColumnElement[bool]]:
    """Return what a deal must satisfy: the reader's scope, the shared choices that concern deals, segments and terms; not the period."""
    chosen = {
        "region": filters.region,
        "category": filters.category,
        "deal_source": terms.source,
        "owner_id": terms.owner,
        "team": terms.team,
        "product_id": terms.product,
        "market": terms.market,
        "pipeline": terms.pipeline,
    }
    return [*seen_regions(filters.scope, rows), *_chosen(rows, chosen), *in_segments(filters, rows.c.customer_id)]


def _chosen(rows: FromClause, chosen: Mapping[str, tuple[str, ...]]) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy to have one of the chosen values of each column; none chosen means all."""
    return [is_chosen(rows.c[name], values) for name, values in chosen.items() if values]


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def changes(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None, *, of_period: bool = False) -> Select[Any]:
    """One row per change, by the end of `on`, of the deals within the filters and terms (told as they stood then), in order of time.
    of_period: of those alone that were created in the period or on an unknown day.

    deal_number, change_number, changed_at, changed_on, stage, stage_order, outcome, deal_amount, expected_close_on, owner_id: what the
    deal was after it. Deals whose history lacks their creation or their end have them from their row: change_number OPENING (nothing is
    known of it but the day; a creation on an unknown day has no row) and CLOSING. Of a deal without history these are all.
    """
    chosen = deals_of_period(filters, terms, on) if of_period else _chosen_deals(filters, terms, on)
    return changes_of(chosen, on)


def deals_of_period(filters: Filters, terms: DealTerms, on: date | None) -> CTE:
    """One row per deal created in the period or on an unknown day: the columns of `deals`, and what changes_of must know of it."""
    chosen = _chosen_deals(filters, terms, on)
    return select(*chosen.c).where(*period_conditions(chosen.c.created_on, filters)).cte("deals_of_period")


def changes_of(chosen: CTE, on: date | None) -> Select[Any]:
    """One row per change of the deals of `deals_of_period`, so that both can stand in one query: see `changes`."""
    history = known_changes(on)
    deal, said = chosen.c, history.c
    nothing: list[Any] = [cast(null(), Text).label("stage"), literal(OPEN).label("outcome"), cast(null(), AMOUNT).label("deal_amount")]
    opening = select(
        deal.deal_number, *_dated(deal.created_on, OPENING), *nothing, cast(null(), Date).label("expected_close_on"), _no_owner()
    ).where(
        deal.created_on.is_not(None),
        or_(deal.told_outcome.is_(None), deal.first_changed_on > deal.created_on),
        func.coalesce(deal.closed_on >= deal.created_on, literal(True)),  # noqa: FBT003  # closed earlier, it is not opened again
    )
    closing = select(
        deal.deal_number,
        *_dated(deal.closed_on, CLOSING),
        deal.stage,
        deal.outcome,
        deal.deal_amount,
        deal.expected_close_on,
        deal.owner_id,
    ).where(deal.outcome != OPEN, deal.closed_on.is_not(None), deal.told_outcome.is_distinct_from(deal.outcome))
    names = ("change_number", "changed_at", "changed_on", "stage", "outcome", "deal_amount", "expected_close_on", "owner_id")
    told = select(deal.deal_number, *[said[name] for name in names]).join_from(history, chosen, deal.deal_number == said.deal_number)
    every = union_all(told, opening, closing).cte("changes")
    # with one or two threads DuckDB 1.5.6 never answers these rows asked without an order
    order = (every.c.deal_number, every.c.changed_on, every.c.change_number)
    return select(*every.c, stages.c.stage_order).join_from(every, stages, stages.c.stage == every.c.stage, isouter=True).order_by(*order)


def _dated(day: ColumnElement[Any], number: int) -> list[ColumnElement[Any]]:
    at = cast(day, deal_change_facts.c.changed_at.type).label("changed_at")
    return [literal(number).label("change_number"), at, day.label("changed_on")]


def _no_owner() -> ColumnElement[Any]:
    return cast(null(), Text).label("owner_id")


def change_rows(filters: Filters, terms: DealTerms, on: date | None, columns: tuple[str, ...]) -> Select[Any]:
    """One row per change: these columns of `changes`, in the same order."""
    rows = changes(filters, terms, on).order_by(None).cte("change_rows").c
    return select(*[rows[name] for name in columns]).order_by(rows.deal_number, rows.changed_on, rows.change_number)


def stage_rows() -> Select[Any]:
    """One row per stage of the data set: stage, stage_name, pipeline, stage_order, outcome, assumed_win_probability; in their order."""
    said = stages.c
    name = func.coalesce(said.stage_name, said.stage).label("stage_name")
    columns = (said.stage, name, said.pipeline, said.stage_order, said.outcome, said.assumed_win_probability)
    return select(*columns).order_by(said.stage_order, said.stage)


# ── leads and activities ────────────────────────────────────────────────────────────────────────────────────────────────


def lead_rows(filters: Filters, terms: DealTerms = ALL_DEALS, until: date | None = None) -> CTE:
    """One row per lead within the filters and terms that came in by the end of `until`, whatever the period.

    lead_id, customer_id, created_on, lead_source, owner_id, owner_name, team, region, product_id, category, lead_status (now alone),
    qualified_on, converted_on (empty where not by then), opportunity_id (of a deal created by then). Leads know no market and no pipeline:
    where one is chosen there are none.
    """
    seller, row = employees.alias("lead_owner"), leads.c
    region = func.coalesce(row.region, seller.c.region).label("region")
    is_now = literal(until is None)
    came_of = opportunities.alias("came_of")
    deal = case((or_(is_now, came_of.c.created_on <= until), row.opportunity_id)) if until else row.opportunity_id
    qualified, converted = ((case((day <= until, day)) if until else day) for day in (row.qualified_on, row.converted_on))
    whole = (
        select(
            row.lead_id,
            row.customer_id,
            row.created_on,
            row.lead_source,
            row.owner_id,
            func.coalesce(seller.c.employee_name, row.owner_id).label("owner_name"),
            seller.c.team,
            region,
            row.product_id,
            products.c.category,
            case((is_now, row.lead_status)).label("lead_status"),
            qualified.label("qualified_on"),
            converted.label("converted_on"),
            deal.label("opportunity_id"),
        )
        .select_from(
            leads.outerjoin(seller, seller.c.employee_id == row.owner_id)
            .outerjoin(products, products.c.product_id == row.product_id)
            .outerjoin(came_of, came_of.c.opportunity_id == row.opportunity_id)
        )
        .where(*([or_(row.created_on <= until, row.created_on.is_(None))] if until else []))
        .cte("whole_leads")
    )
    chosen = {
        "region": filters.region,
        "category": filters.category,
        "lead_source": terms.source,
        "owner_id": terms.owner,
        "team": terms.team,
        "product_id": terms.product,
    }
    conditions = [*seen_regions(filters.scope, whole), *_chosen(whole, chosen), *in_segments(filters, whole.c.customer_id)]
    if terms.market or terms.pipeline:
        conditions.append(literal(False))  # noqa: FBT003
    return select(*whole.c).where(*conditions).cte("leads_seen")


def activity_rows(filters: Filters, terms: DealTerms = ALL_DEALS, until: date | None = None) -> CTE:
    """One row per activity of the employees within the filters and terms (owner, team, region) by the end of `until`, whatever the period.

    activity_id, activity_kind, happened_at, happened_on, employee_id, employee_name, team, region, role, customer_id, lead_id,
    opportunity_id, activity_count, minutes, activity_result.
    """
    who, row = employees.alias("doer"), activities.c
    whole = (
        select(
            row.activity_id,
            row.activity_kind,
            row.happened_at,
            cast(row.happened_at, Date).label("happened_on"),
            row.employee_id,
            func.coalesce(who.c.employee_name, row.employee_id).label("employee_name"),
            who.c.team,
            who.c.region,
            who.c.role,
            row.customer_id,
            row.lead_id,
            row.opportunity_id,
            func.coalesce(row.activity_count, 1).label("activity_count"),
            row.minutes,
            row.activity_result,
        )
        .join_from(activities, who, who.c.employee_id == row.employee_id, isouter=True)
        .where(*([row.happened_at < until + timedelta(1)] if until else []))
        .cte("whole_activities")
    )
    chosen = {"region": filters.region, "employee_id": terms.owner, "team": terms.team}
    return select(*whole.c).where(*seen_regions(filters.scope, whole), *_chosen(whole, chosen)).cte("activities_seen")


# ── what there is ───────────────────────────────────────────────────────────────────────────────────────────────────────


def extent(scope: Scope) -> Select[Any]:
    """One row: first_on, last_on, the days on which something happened to a deal or lead, or was done; empty without any."""
    deal, lead, done = deal_facts.c, leads.c, activities.c
    days = [(deal.owner_id, deal.region, deal[name]) for name in ("created_on", "closed_on", "first_changed_on", "last_changed_on")]
    others = [(lead.owner_id, lead.region, lead.created_on), (done.employee_id, null(), cast(done.happened_at, Date))]
    seen = [_seen_extent(scope, *day) for day in (*days, *others)]
    every = union_all(*seen).cte("extents").c
    return select(func.min(every.first_on).label("first_on"), func.max(every.last_on).label("last_on"))


def _seen_extent(scope: Scope, who: Any, region: ColumnElement[Any], day: ColumnElement[Any]) -> Select[Any]:
    """One row: first_on, last_on of the rows that the reader may see. region: the row's own; empty: that of who."""
    rows = select(func.min(day).label("first_on"), func.max(day).label("last_on")).select_from(who.table)
    if not scope.regions:
        return rows
    is_theirs = employees.c.employee_id == who
    return rows.outerjoin(employees, is_theirs).where(is_one_of(func.coalesce(region, employees.c.region), scope.regions))


def held(scope: Scope) -> Select[Any]:
    """One row: deals, with_history (deals with a change), leads, activities that the reader may see."""
    seen = Filters(scope=scope)
    every, came, done = _chosen_deals(seen, ALL_DEALS, None), lead_rows(seen), activity_rows(seen)
    counts = select(func.count().label("deals"), func.count(every.c.told_outcome).label("with_history"))
    others = [
        select(func.count()).select_from(rows).scalar_subquery().label(name) for name, rows in (("leads", came), ("activities", done))
    ]
    return counts.add_columns(*others)


def values_of(name: str, scope: Scope) -> Select[Any]:
    """One row per value of a column of `deals` that some deal has: value (empty: unknown), label (as shown), deals; most deals first."""
    rows = deals(Filters(scope=scope))
    labels = {"owner_id": "owner_name", "product_id": "product_name"}
    count = func.count().label("deals")
    value, label = rows.c[name].label("value"), rows.c[labels.get(name, name)].label("label")
    return select(value, label, count).group_by(value, label).order_by(count.desc(), value)
