"""What the shop knows of campaigns and contracts: who was in which arm, who was touched, what it cost.

Thirty campaigns, each of a sixth of the customers; one in six has no control group, one in three two treated arms, one in ten no known
cost. Every third customer has a contract, a quarter of which were ended.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Double,
    Interval,
    Select,
    Subquery,
    Table,
    Text,
    case,
    cast,
    literal,
    null,
    select,
    union_all,
)

from benchmarks.draws import BATCH, Number, day_after, drawn, key, money, named, numbers, one_in, quotient, share
from crm_metrics import schema

CAMPAIGNS = 30
ONE_IN = 6  # of the customers is in a campaign
APART, RUNS, MEASURED = 32, 110, 140  # days: between two starts, and from the start to the last one and to the last that counts
DAYS = 1_096
_STRIDE = 7_919  # any prime: each campaign begins with another customer
_TOPICS = range(200, 210)
_ARM, _STRATUM, _RESPONSE, _OPENED, _DAY, _SECOND, _START, _CHURN, _LENGTH, _CHARGE = _TOPICS
_ARMS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("treated", 1.0),),
    (("treated", 0.8), ("control", 0.2)),
    (("treated", 0.4), ("treated B", 0.4), ("control", 0.2)),
    (("treated", 0.5), ("control", 0.5)),
    (("treated", 0.9), ("control", 0.1)),
    (("treated", 0.4), ("treated B", 0.3), ("control", 0.3)),
)  # of campaign 6, 1, 2, … and over again


def campaigning(customers: int, first_on: date) -> dict[Table, Select]:
    """Return the rows of each table about campaigns and contracts, for a shop of so many customers that opened on `first_on`."""
    return {
        schema.campaigns: _campaigns(customers, first_on),
        schema.campaign_arms: _arms(),
        schema.campaign_members: _members(customers, first_on),
        schema.campaign_touches: _touches(customers, first_on),
        schema.campaign_spend: _spend(customers, first_on),
        schema.contracts: _contracts(customers, first_on),
    }


def _campaigns(customers: int, first_on: date) -> Select:
    """One row per campaign."""
    number = numbers(CAMPAIGNS)
    begins = _begins(number)
    return select(
        key("A", number).label("campaign_id"),
        (literal("Campaign ", Text) + cast(number, Text)).label("campaign_name"),
        named(("acquisition", "retention", "cross-sell", "win-back"), number).label("campaign_kind"),
        named(("e-mail", "letter", "telephone"), number).label("channel"),
        day_after(first_on, begins).label("started_on"),
        day_after(first_on, begins + literal(RUNS, BigInteger)).label("ended_on"),
        day_after(first_on, begins + literal(MEASURED, BigInteger)).label("measured_until"),
        cast(_kind(number) != literal(0, BigInteger), Boolean).label("is_randomised"),
        money(_cost(number, customers)).label("budget_amount"),
        literal(BATCH).label("batch_id"),
    )


def _arms() -> Select:
    """One row per arm of a campaign with a control group."""
    number = numbers(CAMPAIGNS)
    planned = [
        select(key("A", number).label("campaign_id"), literal(arm, Text).label("arm"), literal(part, Double).label("planned_share")).where(
            _kind(number) == literal(kind, BigInteger)
        )
        for kind, arms in enumerate(_ARMS)
        if len(arms) > 1
        for arm, part in arms
    ]
    every = union_all(*planned).subquery("planned_arms")
    return select(
        every.c.campaign_id,
        every.c.arm,
        cast(every.c.planned_share, schema.campaign_arms.c.planned_share.type).label("planned_share"),
        literal(BATCH).label("batch_id"),
    )


def _members(customers: int, first_on: date) -> Select:
    """One row per campaign and member."""
    row = _drawn_members(customers).c
    stratum = named(("first", "second", "third"), drawn(row.number, _STRATUM))
    return select(
        key("A", row.campaign).label("campaign_id"),
        key("C", row.customer).label("member_id"),
        key("C", row.customer).label("customer_id"),
        row.arm,
        case((row.campaign % literal(4, BigInteger) == literal(1, BigInteger), stratum)).label("stratum"),
        day_after(first_on, _begins(row.campaign)).label("assigned_on"),
        cast(one_in(row.number, _RESPONSE, 20), Boolean).label("has_responded"),
        literal(BATCH).label("batch_id"),
    )


def _touches(customers: int, first_on: date) -> Select:
    """One row per touch: all who were treated were sent something, and one in four opened it on a later day."""
    row = _drawn_members(customers).c
    kinds = (("sent", 1, 0), ("opened", 4, 1))
    touched = [
        select(
            (row.number * literal(len(kinds), BigInteger) - literal(place, BigInteger)).label("touch"),
            row.campaign,
            row.customer,
            (_begins(row.campaign) + drawn(row.number, _DAY) % literal(RUNS - 20, BigInteger) + literal(later, BigInteger)).label("day"),
            literal(kind, Text).label("touch_kind"),
        ).where(row.arm != literal("control", Text), *([one_in(row.number, _OPENED, one)] if one > 1 else []))
        for place, (kind, one, later) in enumerate(kinds)
    ]
    every = union_all(*touched).subquery("touched")
    second = literal(8 * 3600, BigInteger) + drawn(every.c.touch, _SECOND) % literal(12 * 3600, BigInteger)
    return select(
        key("T", every.c.touch).label("touch_id"),
        key("A", every.c.campaign).label("campaign_id"),
        key("C", every.c.customer).label("customer_id"),
        (cast(day_after(first_on, every.c.day), DateTime) + second * literal(timedelta(seconds=1), Interval)).label("touched_at"),
        every.c.touch_kind,
        named(("mass", "segment", "individual"), every.c.campaign).label("personalisation"),
        literal(BATCH).label("batch_id"),
    )


def _spend(customers: int, first_on: date) -> Select:
    """One row per cost item: two of each campaign but every tenth."""
    item = numbers(2 * CAMPAIGNS)
    number = quotient(item - literal(1, BigInteger), 2) + literal(1, BigInteger)
    return select(
        key("S", item).label("spend_id"),
        key("A", number).label("campaign_id"),
        day_after(first_on, _begins(number)).label("spent_on"),
        named(("media", "postage"), item).label("spend_kind"),
        money(_cost(number, customers)).label("spend_amount"),
        literal(BATCH).label("batch_id"),
    ).where(number % literal(10, BigInteger) != literal(0, BigInteger))


def _contracts(customers: int, first_on: date) -> Select:
    """One row per contract."""
    number = numbers(max(customers // 3, 1))
    start = drawn(number, _START) % literal(DAYS - 90, BigInteger)
    end = start + literal(30, BigInteger) + drawn(number, _LENGTH) % (literal(DAYS - 30, BigInteger) - start)
    has_churned = one_in(number, _CHURN, 4)
    return select(
        key("K", number).label("contract_id"),
        key("C", (number - literal(1, BigInteger)) * literal(3, BigInteger) + literal(1, BigInteger)).label("customer_id"),
        named(("monthly", "yearly", "two years"), number).label("contract_kind"),
        day_after(first_on, start).label("started_on"),
        case((has_churned, day_after(first_on, end)), else_=null()).label("ended_on"),
        cast(has_churned, Boolean).label("has_churned"),
        money(literal(990, BigInteger) + drawn(number, _CHARGE) % literal(9_000, BigInteger)).label("monthly_amount"),
        literal(BATCH).label("batch_id"),
    )


def _drawn_members(customers: int) -> Subquery:
    """One row per campaign and member: number, campaign, customer, arm. A sixth of the customers, each once, from frequent to rare."""
    members = max(customers // ONE_IN, 1)
    number = numbers(CAMPAIGNS * members).label("number")
    campaign = quotient(number.element - literal(1, BigInteger), members) + literal(1, BigInteger)
    place = (number.element - literal(1, BigInteger)) % literal(members, BigInteger)
    customer = (campaign * literal(_STRIDE, BigInteger) + place * literal(ONE_IN, BigInteger)) % literal(customers, BigInteger)
    rows = select(number, campaign.label("campaign"), (customer + literal(1, BigInteger)).label("customer")).cte("member_numbers")
    lot = share(rows.c.number, _ARM)
    arms = [(_kind(rows.c.campaign) == literal(kind, BigInteger), _arm(lot, arms)) for kind, arms in enumerate(_ARMS)]
    return select(*rows.c, case(*arms).label("arm")).subquery("drawn_members")


def _arm(lot: ColumnElement[Any], arms: tuple[tuple[str, float], ...]) -> ColumnElement[str]:
    """Return the arm that a lot between 0 and 1 falls on."""
    ends = [sum(part for _, part in arms[: place + 1]) for place in range(len(arms) - 1)]
    limits = [(lot < literal(end, Double), literal(arm, Text)) for end, (arm, _) in zip(ends, arms, strict=False)]
    last = literal(arms[-1][0], Text)
    return case(*limits, else_=last) if limits else last


def _kind(campaign: Number) -> Number:
    """Return which of _ARMS a campaign has."""
    return campaign % literal(len(_ARMS), BigInteger)


def _begins(campaign: Number) -> Number:
    return (campaign - literal(1, BigInteger)) * literal(APART, BigInteger)


def _cost(campaign: Number, customers: int) -> Number:
    """Return the cents that one of the two cost items of a campaign comes to."""
    return (campaign % literal(5, BigInteger) + literal(1, BigInteger)) * literal(max(customers // ONE_IN, 1) * 20, BigInteger)
