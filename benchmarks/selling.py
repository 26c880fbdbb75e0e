"""What the shop knows of its sales: employees and teams, leads, deals with every change, activities, tasks and quotas.

Two deals for three customers, of five changes each on average, which follow each other over three years up to the shop's last day: one in
twelve or so is open then. A third of the closed ones are won, one in thirty has no value, one in a hundred no day of creation. As many
leads as customers, every third of which became a deal.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Double,
    Integer,
    Interval,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    literal,
    null,
    select,
)

from benchmarks.draws import BATCH, Number, day_after, drawn, key, money, named, numbers, one_in, quotient, whole
from crm_metrics import schema

EMPLOYEES, TEAMS, LONGEST_COURSE = 240, 12, 9
DAYS = 1_096
QUARTERS = 12
STAGES = ("Qualification", "Needs analysis", "Proposal", "Negotiation", "Won", "Lost")
_WON, _LOST = 5, 6
_TOPICS = range(300, 322)
(
    _CREATED, _CHANGES, _GAP, _OUTCOME, _AMOUNT, _REVISED, _OWNER, _HANDED, _CLOSE, _WHO, _PRODUCT, _SOURCE, _NO_VALUE, _NO_DAY, _WHY,
    _SCORED, _LEAD_DAY, _QUALIFIED, _DID, _WHEN, _TASK, _QUOTA,
) = _TOPICS  # fmt: skip
SOURCES = ("telesales", "web", "fair", "partner", "service")
_ROLES = ("telesales", "sales", "sales", "sales")


class Market(NamedTuple):
    """What the deals are made of: customers and products of the shop, its regions, its first day."""

    customers: int
    products: int
    regions: tuple[str, ...]
    first_on: date

    @property
    def deals(self) -> int:
        """Number of deals."""
        return max(self.customers * 2 // 3, 1)

    @property
    def activities(self) -> int:
        """Number of activities."""
        return max(self.customers * 5 // 3, 1)


def selling(market: Market) -> dict[Table, Select]:
    """Return the rows of each table about sales."""
    return {
        schema.employees: _employees(market),
        schema.stages: _stages(),
        schema.leads: _leads(market),
        schema.opportunities: _deals(market),
        schema.opportunity_history: _changes(market),
        schema.activities: _activities(market),
        schema.tasks: _tasks(market),
        schema.quotas: _quotas(market),
    }


def _employees(market: Market) -> Select:
    """One row per employee: a team is of one region, and every fourth of it calls."""
    number = numbers(EMPLOYEES)
    team = number % literal(TEAMS, BigInteger)
    return select(
        key("E", number).label("employee_id"),
        (literal("Employee ", Text) + cast(number, Text)).label("employee_name"),
        named(_ROLES, quotient(number, TEAMS)).label("role"),
        (literal("Team ", Text) + cast(team + literal(1, BigInteger), Text)).label("team"),
        named(market.regions, team).label("region"),
        literal(BATCH).label("batch_id"),
    )


def _stages() -> Select:
    """One row per stage."""
    number = numbers(len(STAGES))
    return select(
        named(STAGES, number - literal(1, BigInteger)).label("stage"),
        cast(number, Integer).label("stage_order"),
        _outcome(number).label("outcome"),
        literal(BATCH).label("batch_id"),
    )


# ── deals ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Course(NamedTuple):
    """How a deal runs: day of its creation (since the first), its changes, and the days between two of them."""

    created: Number
    changes: Number
    gap: Number

    @property
    def reached(self) -> Number:
        """Number of its last change by the shop's last day."""
        seen = whole(cast(literal(DAYS - 1, BigInteger) - self.created, Double) / cast(self.gap, Double)) + literal(1, BigInteger)
        return case((seen < self.changes, seen), else_=self.changes)

    def day(self, change: Number) -> Number:
        """Day of a change."""
        return self.created + (change - literal(1, BigInteger)) * self.gap


def _course(deal: Number) -> _Course:
    one = literal(1, BigInteger)
    changes = literal(2, BigInteger) + drawn(deal, _CHANGES) % literal(LONGEST_COURSE - 1, BigInteger)
    return _Course(drawn(deal, _CREATED) % literal(DAYS, BigInteger), changes, one + drawn(deal, _GAP) % literal(30, BigInteger))


def _state(deal: Number, change: Number, market: Market) -> dict[str, ColumnElement[Any]]:
    """Return what a deal is after a change: its last one closes it, the last but that are its stages in order."""
    course, one = _course(deal), literal(1, BigInteger)
    ends = case((drawn(deal, _OUTCOME) % literal(3, BigInteger) == literal(0, BigInteger), literal(_WON)), else_=literal(_LOST))
    half = quotient(change - one, 2) + one
    stage = case((change == course.changes, ends), (half > literal(4, BigInteger), literal(4)), else_=half)
    revised = literal(80, BigInteger) + drawn(deal * literal(LONGEST_COURSE, BigInteger) + quotient(change, 3), _REVISED) % literal(
        41, BigInteger
    )
    cents = (literal(1_000, BigInteger) + drawn(deal, _AMOUNT) % literal(50_000, BigInteger)) * revised * literal(10, BigInteger)
    first, second = (drawn(deal, topic) % literal(EMPLOYEES, BigInteger) + one for topic in (_OWNER, _HANDED))
    owner = case((and_(one_in(deal, _HANDED, 10), change > literal(3, BigInteger)), second), else_=first)
    close = course.day(course.changes) + quotient(change, 3) * literal(20, BigInteger)
    return {
        "stage": named(STAGES, stage - one),
        "outcome": _outcome(stage),
        "deal_amount": case((~one_in(deal, _NO_VALUE, 30), money(cents))),
        "expected_close_on": day_after(market.first_on, close),
        "owner_id": key("E", owner),
    }


def _outcome(stage: Number) -> ColumnElement[str]:
    return case(
        (stage == literal(_WON), literal("won", Text)), (stage == literal(_LOST), literal("lost", Text)), else_=literal("open", Text)
    )


def _deals(market: Market) -> Select:
    """One row per deal, as it stands on the shop's last day."""
    number = numbers(market.deals)
    course = _course(number)
    state = _state(number, course.reached, market)
    is_closed = state["outcome"] != literal("open", Text)
    is_lost = state["outcome"] == literal("lost", Text)
    return select(
        key("D", number).label("opportunity_id"),
        (literal("Deal ", Text) + cast(number, Text)).label("opportunity_name"),
        case(
            (~one_in(number, _WHO, 10), key("C", drawn(number, _WHO) % literal(market.customers, BigInteger) + literal(1, BigInteger)))
        ).label("customer_id"),
        case((number % literal(2, BigInteger) == literal(0, BigInteger), key("L", number))).label("lead_id"),
        key("P", drawn(number, _PRODUCT) % literal(market.products, BigInteger) + literal(1, BigInteger)).label("product_id"),
        named(SOURCES, drawn(number, _SOURCE)).label("deal_source"),
        named(("industry", "trade", "public", "health"), drawn(number, _WHO)).label("segment"),
        case((~one_in(number, _NO_DAY, 100), day_after(market.first_on, course.created))).label("created_on"),
        *[column.label(name) for name, column in state.items()],
        case((is_closed, day_after(market.first_on, course.day(course.reached)))).label("closed_on"),
        case((is_lost, named(("price", "no budget", "competitor", "no answer"), drawn(number, _WHY)))).label("lost_reason"),
        case((one_in(number, _WHY, 3), named(("Alpha", "Beta", "Gamma"), drawn(number, _WHY)))).label("competitor"),
        case((and_(~is_closed, ~one_in(number, _SCORED, 3)), literal("call", Text))).label("next_step"),
        cast(one_in(number, _SCORED, 2), Boolean).label("has_scorecard"),
        literal(BATCH).label("batch_id"),
    )


def _changes(market: Market) -> Select:
    """One row per change of a deal by the shop's last day."""
    row = numbers(market.deals * LONGEST_COURSE).label("row_number")
    one = literal(1, BigInteger)
    rows = select(
        (quotient(row.element - one, LONGEST_COURSE) + one).label("deal"),
        ((row.element - one) % literal(LONGEST_COURSE, BigInteger) + one).label("change"),
    ).cte("change_numbers")
    deal, change = rows.c.deal, rows.c.change
    course = _course(deal)
    return select(
        key("D", deal).label("opportunity_id"),
        cast(change, Integer).label("change_number"),
        _moment(market, course.day(change), deal).label("changed_at"),
        *[column.label(name) for name, column in _state(deal, change, market).items()],
        literal(BATCH).label("batch_id"),
    ).where(change <= course.changes, course.day(change) < literal(DAYS, BigInteger))


def _moment(market: Market, day: Number, number: Number) -> ColumnElement[Any]:
    second = literal(8 * 3600, BigInteger) + drawn(number, _WHEN) % literal(10 * 3600, BigInteger)
    return cast(day_after(market.first_on, day), DateTime) + second * literal(timedelta(seconds=1), Interval)


# ── leads, activities, tasks, quotas ────────────────────────────────────────────────────────────────────────────────────


def _leads(market: Market) -> Select:
    """One row per lead: the even numbers up to that of the last deal became the deal of that number, on the day of its creation."""
    number = numbers(market.customers)
    became = and_(number <= literal(market.deals, BigInteger), number % literal(2, BigInteger) == literal(0, BigInteger))
    day = case((became, _course(number).created), else_=drawn(number, _LEAD_DAY) % literal(DAYS, BigInteger))
    qualified = case((became, literal("converted", Text)), (one_in(number, _QUALIFIED, 5), literal("qualified", Text)))
    status = case(
        (qualified.is_not(None), qualified), else_=named(("new", "working", "unqualified", "unqualified"), drawn(number, _LEAD_DAY))
    )
    on = day_after(market.first_on, day)
    return select(
        key("L", number).label("lead_id"),
        case((became, key("C", drawn(number, _WHO) % literal(market.customers, BigInteger) + literal(1, BigInteger)))).label("customer_id"),
        on.label("created_on"),
        named(SOURCES, drawn(number, _SOURCE)).label("lead_source"),
        key("E", drawn(number, _OWNER) % literal(EMPLOYEES, BigInteger) + literal(1, BigInteger)).label("owner_id"),
        key("P", drawn(number, _PRODUCT) % literal(market.products, BigInteger) + literal(1, BigInteger)).label("product_id"),
        status.label("lead_status"),
        case((qualified.is_not(None), on)).label("qualified_on"),
        case((became, on)).label("converted_on"),
        case((became, key("D", number))).label("opportunity_id"),
        literal(BATCH).label("batch_id"),
    )


def _activities(market: Market) -> Select:
    """One row per activity: two in three about a deal."""
    number = numbers(market.activities)
    deal = drawn(number, _DID) % literal(market.deals, BigInteger) + literal(1, BigInteger)
    course = _course(deal)
    day = course.created + drawn(number, _WHEN) % literal(40, BigInteger)
    seen = case((day < literal(DAYS, BigInteger), day), else_=literal(DAYS - 1, BigInteger))
    is_about = ~one_in(number, _DID, 3)
    return select(
        key("V", number).label("activity_id"),
        named(("call", "call", "call", "visit", "e-mail", "meeting"), drawn(number, _WHEN)).label("activity_kind"),
        _moment(market, seen, number).label("happened_at"),
        key("E", drawn(number, _OWNER) % literal(EMPLOYEES, BigInteger) + literal(1, BigInteger)).label("employee_id"),
        case((is_about, key("D", deal))).label("opportunity_id"),
        case((~is_about, key("C", drawn(number, _WHO) % literal(market.customers, BigInteger) + literal(1, BigInteger)))).label(
            "customer_id"
        ),
        cast(literal(1), Integer).label("activity_count"),
        money((literal(5, BigInteger) + drawn(number, _TASK) % literal(40, BigInteger)) * literal(100, BigInteger)).label("minutes"),
        named(("reached", "no answer", "qualified"), drawn(number, _QUALIFIED)).label("activity_result"),
        literal(BATCH).label("batch_id"),
    )


def _tasks(market: Market) -> Select:
    """One row per task: one in five is still to be done."""
    number = numbers(market.deals)
    due = _course(number).created + drawn(number, _TASK) % literal(30, BigInteger)
    done = due + drawn(number, _QUOTA) % literal(9, BigInteger) - literal(4, BigInteger)
    is_done = and_(~one_in(number, _TASK, 5), done < literal(DAYS, BigInteger))
    return select(
        key("T", number).label("task_id"),
        key("E", drawn(number, _OWNER) % literal(EMPLOYEES, BigInteger) + literal(1, BigInteger)).label("employee_id"),
        key("D", number).label("opportunity_id"),
        named(STAGES[:4], drawn(number, _TASK)).label("stage"),
        literal("call", Text).label("subject"),
        day_after(market.first_on, due).label("due_on"),
        case((is_done, day_after(market.first_on, done)), else_=null()).label("done_on"),
        literal(BATCH).label("batch_id"),
    )


def _quotas(market: Market) -> Select:
    """One row per employee and quarter."""
    row = numbers(EMPLOYEES * QUARTERS)
    one = literal(1, BigInteger)
    quarter = (row - one) % literal(QUARTERS, BigInteger)
    starts = {place: literal(date(market.first_on.year + place // 4, place % 4 * 3 + 1, 1)) for place in range(QUARTERS)}
    each = market.deals * 10 * 100_000 // (EMPLOYEES * QUARTERS)
    return select(
        key("E", quotient(row - one, QUARTERS) + one).label("employee_id"),
        case(starts, value=quarter).label("quarter_on"),
        money(literal(each, BigInteger)).label("quota_amount"),
        literal(BATCH).label("batch_id"),
    )
