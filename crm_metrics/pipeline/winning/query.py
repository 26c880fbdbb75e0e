"""What the winning part asks the database besides the deals and their changes: what was known of deals so many days after creation."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    Date,
    Double,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from crm_metrics.filters import Filters, period_conditions
from crm_metrics.pipeline.deals.query import LOST, OPEN, WON, activity_rows, deals, known_changes
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.schema import stages
from crm_metrics.scope import visible_orders
from crm_metrics.sql import days_between

_MADE_WITH = ("deal_source", "market", "category", "region")  # of a deal: taken as if it had them from its creation on
_NEVER = date(9999, 12, 31)


class Seen(NamedTuple):
    """Which landmarks are asked for. today, on: see pipeline.deals.days.DealDays; ages: days after creation."""

    today: date
    on: date | None
    ages: tuple[int, ...]


def deal_activities(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per activity of a known kind that an employee did for a deal by the end of `on`: deal_number, activity_kind, happened_on;
    by these.
    """
    chosen, done = deals(filters, terms, on), activity_rows(Filters(scope=filters.scope), until=on)
    keys = (chosen.c.deal_number, done.c.activity_kind, done.c.happened_on)
    joined = select(*keys).join_from(done, chosen, done.c.opportunity_id == chosen.c.opportunity_id)
    return joined.where(done.c.activity_kind.is_not(None)).order_by(*keys)


def lost_in(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None, others: tuple[str, ...] = ()) -> Select[Any]:
    """One row per deal created in the period that is lost and whose stages are known: deal_number, lost_reason, deal_amount, stage, and
    stage_order: of the last stage in which it was open; by deal. others: stages that are not looked at.
    """
    row, told = deals(filters, terms, on).c, known_changes(on).c
    is_lost = (row.outcome == LOST, *period_conditions(row.created_on, filters))
    lost = select(row.deal_number, row.lost_reason, row.deal_amount).where(*is_lost).cte("lost_deals")
    is_stage = and_(told.outcome == OPEN, told.stage.is_not(None), *[told.stage != stage for stage in others])
    number = func.max(told.change_number).label("change_number")
    last = select(told.deal_number, number).where(is_stage).group_by(told.deal_number).cte("last_open_changes")
    is_last = and_(told.deal_number == last.c.deal_number, told.change_number == last.c.change_number)
    rows = select(*lost.c, told.stage, stages.c.stage_order).join_from(lost, last, last.c.deal_number == lost.c.deal_number)
    joined = rows.join(known_changes(on), is_last).outerjoin(stages, stages.c.stage == told.stage)
    return joined.order_by(lost.c.deal_number)


def closing_days(filters: Filters, terms: DealTerms, seen: Seen) -> Select[Any]:
    """One row per number of days from a deal's creation to its closing, or to today where it is open: duration, ended (deals closed after
    so many), censored (still open); without deals that were created or closed on an unknown day.
    """
    row = deals(filters, terms, seen.on).c
    is_open = row.outcome == OPEN
    ends_on = case((is_open, cast(literal(seen.today), Date)), else_=row.closed_on)
    lasted = select(func.greatest(days_between(row.created_on, ends_on), 0).label("duration"), is_open.label("is_open"))
    rows = lasted.where(row.created_on.is_not(None), or_(is_open, row.closed_on.is_not(None))).cte("lasted").c
    ended, censored = (cast(func.sum(case((rows.is_open, no), else_=yes)), Integer) for no, yes in ((0, 1), (1, 0)))
    return select(rows.duration, ended.label("ended"), censored.label("censored")).group_by(rows.duration).order_by(rows.duration)


# ── counts by what deals are ────────────────────────────────────────────────────────────────────────────────────────────


def early_counts(filters: Filters, terms: DealTerms, seen: Seen, created_until: date) -> Select[Any]:
    """One row per factor and its value (empty: not known) that deals had at the first age: factor, level, closed, won; by these. Of the
    deals created until that day that are closed by now and were not then.

    Factors: stage, deal_source, is_customer, market, category, region, amount_third and activities_third (of these deals: 'low', 'middle',
    'high'; none where two of the bounds are one).
    """
    chosen = deals(filters, terms, seen.on)
    wanted = and_(chosen.c.outcome != OPEN, chosen.c.created_on <= created_until)
    rows = _landmarks(filters, seen._replace(ages=seen.ages[:1]), chosen, wanted)
    levels = {"stage": rows.c.stage, "is_customer": _yes_or_no(rows.c.is_customer), **{name: rows.c[name] for name in _MADE_WITH}}
    thirds = {"amount_third": _positive(rows.c.deal_amount), "activities_third": cast(rows.c.activities, Double)}
    return _counted(rows, levels, thirds)


def closed_counts(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per factor and its value (empty: not recorded) of the deals created in the period that are won or lost: factor, level,
    closed, won; by these.

    Factors: product_name, category, market, region, team, deal_source, is_customer (its account had bought before the creation), and
    amount_third (of these deals by their value today: 'low', 'middle', 'high').
    """
    chosen, first = deals(filters, terms, on), _first_purchases(filters)
    row = chosen.c
    is_customer = func.coalesce(first.c.ordered_on < row.created_on, literal(False, Boolean)).label("is_customer")  # noqa: FBT003
    names = ("product_name", "category", "market", "region", "team", "deal_source")
    columns = (row.outcome, row.deal_amount, *[row[name] for name in names], is_customer)
    joined = select(*columns).join_from(chosen, first, first.c.customer_id == row.customer_id, isouter=True)
    rows = joined.where(row.outcome != OPEN, *period_conditions(row.created_on, filters)).cte("closed_deals")
    levels = {**{name: rows.c[name] for name in names}, "is_customer": _yes_or_no(rows.c.is_customer)}
    return _counted(rows, levels, {"amount_third": _positive(rows.c.deal_amount)})


def _first_purchases(filters: Filters) -> CTE:
    """One row per customer with a purchase that the reader may see: customer_id, ordered_on (day of the first)."""
    orders = visible_orders(filters.scope).c
    return select(orders.customer_id, orders.ordered_on).where(orders.purchase_number == 1).cte("first_purchases")


def _yes_or_no(is_it: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((is_it, "yes"), else_="no")


def _positive(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((amount > 0, cast(amount, Double)))


def _counted(rows: CTE, levels: dict[str, ColumnElement[Any]], thirds: dict[str, ColumnElement[Any]]) -> Select[Any]:
    """One row per factor and value of closed deals: factor, level, closed, won. thirds: numbers, of which the third is the value."""
    bounds = select(*[_third(value, place).label(f"{name}_{place}") for name, value in thirds.items() for place in (1, 2)]).cte("bounds")
    named = levels | {name: _named_third(value, bounds.c[f"{name}_1"], bounds.c[f"{name}_2"]) for name, value in thirds.items()}
    told = select(*[level.label(name) for name, level in named.items()], case((rows.c.outcome == WON, 1), else_=0).label("won"))
    every = told.join_from(rows, bounds, literal(True, Boolean)).cte("told")  # noqa: FBT003
    counts = (func.count().label("closed"), cast(func.sum(every.c.won), Integer).label("won"))
    parts = [select(literal(name).label("factor"), every.c[name].label("level"), *counts).group_by(every.c[name]) for name in named]
    counted = union_all(*parts).cte("counted")
    return select(*counted.c).order_by(counted.c.factor, counted.c.level)


def _third(value: ColumnElement[Any], place: int) -> ColumnElement[Any]:
    return func.percentile_cont(literal_column(f"{place / 3}")).within_group(value)  # DuckDB wants a constant here


def _named_third(value: ColumnElement[Any], low: ColumnElement[Any], high: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((low == high, None), (value <= low, "low"), (value <= high, "middle"), (value > high, "high"))


# ── landmarks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def landmark_rows(filters: Filters, terms: DealTerms, seen: Seen, numbers: Sequence[int]) -> Select[Any]:
    """One row per deal of these numbers and age at which it was still open, by deal and age.

    deal_number, age, seen_on (the day of that age), created_on, outcome and closed_on (as they are today), deal_source, market, category,
    region (what a deal is created with), owner_id, stage, deal_amount on that day by its history (stage and value unknown where there is
    none), is_customer (its account had bought before the creation), activities (recorded for it by then).
    """
    chosen = deals(filters, terms, seen.on)
    wanted = chosen.c.deal_number.in_(select(func.unnest(literal(list(numbers), ARRAY(Integer)))))
    rows = _landmarks(filters, seen, chosen, wanted)
    return select(*rows.c).order_by(rows.c.deal_number, rows.c.age)


def _landmarks(filters: Filters, seen: Seen, chosen: CTE, wanted: ColumnElement[bool]) -> CTE:
    """One row per wanted deal of those chosen and age at which it was still open: the columns of landmark_rows."""
    mark, first = _marks(seen, chosen, wanted), _first_purchases(filters)
    told, done = known_changes(seen.on), _done_by(filters, mark, seen.on)
    is_last = and_(
        told.c.deal_number == mark.c.deal_number,
        told.c.changed_on <= mark.c.seen_on,
        func.coalesce(told.c.superseded_on, literal(_NEVER)) > mark.c.seen_on,
    )
    joined = (
        mark.outerjoin(told, is_last)
        .outerjoin(first, first.c.customer_id == mark.c.customer_id)
        .outerjoin(done, and_(done.c.deal_number == mark.c.deal_number, done.c.age == mark.c.age))
    )
    columns = [mark.c[name] for name in ("deal_number", "age", "seen_on", "created_on", "outcome", "closed_on", *_MADE_WITH)]
    return (
        select(
            *columns,
            func.coalesce(told.c.owner_id, mark.c.owner_id).label("owner_id"),
            told.c.stage,
            told.c.deal_amount,
            func.coalesce(first.c.ordered_on < mark.c.created_on, literal(False, Boolean)).label("is_customer"),  # noqa: FBT003
            func.coalesce(done.c.activities, 0).label("activities"),
        )
        .select_from(joined)
        .where(func.coalesce(told.c.outcome, OPEN) == OPEN)  # closed then, and reopened since
        .cte("landmarks")
    )


def _marks(seen: Seen, chosen: CTE, wanted: ColumnElement[bool]) -> CTE:
    """One row per wanted deal and age at which its row says that it was still open: deal_number, opportunity_id, customer_id, age, seen_on,
    and what the row says.
    """
    names = ("deal_number", "opportunity_id", "customer_id", "created_on", "outcome", "closed_on", "owner_id", *_MADE_WITH)
    age = func.unnest(literal(list(seen.ages), ARRAY(Integer))).label("age")
    aged = select(*[chosen.c[name] for name in names], age).where(wanted).cte("aged")
    seen_on = cast(aged.c.created_on + aged.c.age, Date)
    is_open = or_(aged.c.outcome == OPEN, aged.c.closed_on > seen_on)
    return select(*aged.c, seen_on.label("seen_on")).where(seen_on <= seen.today, is_open).cte("marks")


def _done_by(filters: Filters, mark: CTE, on: date | None) -> CTE:
    """One row per landmark by whose day something was done for the deal: deal_number, age, activities."""
    done = activity_rows(Filters(scope=filters.scope), until=on)
    is_by = and_(done.c.opportunity_id == mark.c.opportunity_id, done.c.happened_on <= mark.c.seen_on)
    keys, counted = (mark.c.deal_number, mark.c.age), cast(func.sum(done.c.activity_count), Integer).label("activities")
    return select(*keys, counted).join_from(mark, done, is_by).where(done.c.activity_kind.is_not(None)).group_by(*keys).cte("done_by")
