"""What is asked of campaigns, their touches and the orders that came after."""

from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Double,
    Integer,
    Select,
    and_,
    case,
    cast,
    collate,
    distinct,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from crm_metrics.campaign_roi.credit.terms import RULES, CreditTerms
from crm_metrics.campaign_roi.result.terms import CONTROL, UNASSIGNED
from crm_metrics.campaign_roi.seen import seen_members, seen_touches
from crm_metrics.customer_profit import SOLD
from crm_metrics.filters import Filters, conditions
from crm_metrics.schema import (
    campaign_members,
    campaign_spend,
    campaign_touches,
    campaigns,
    customer_facts,
    customers,
    order_category_facts,
    order_facts,
)
from crm_metrics.scope import visible_orders
from crm_metrics.sql import bucket_on, days_between, is_one_of

TOUCH_RULES = tuple(rule for rule in RULES if rule != "named")
POSITION_ENDS = 0.4  # of the credit, for the first touch and for the last; the rest is shared by those between (HubSpot's U)
_ANSWERS = ("redeemed", "clicked")  # touches by which a member answers
_BEFORE_DAYS = (30, 90, 180, 365)
MOST_CUSTOMERS = 20_000  # compared on a side: of more every second, third, … is taken, which changes nothing and takes the time of fewer
_IS_TREATED = campaign_members.c.arm.not_in((CONTROL, UNASSIGNED))
_LAST_DAY = func.coalesce(campaigns.c.measured_until, campaigns.c.ended_on, campaigns.c.started_on)


def _is_chosen(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a campaign must satisfy: begun by today, and running in the period; a day that is unknown stays in."""
    day, tests = campaigns.c.started_on, []
    if latest := min((one for one in (filters.today, filters.end) if one), default=None):
        tests.append(or_(day <= latest, day.is_(None)))
    if filters.start:
        tests.append(or_(filters.start <= _LAST_DAY, _LAST_DAY.is_(None)))
    return tests


def campaign_rows(filters: Filters) -> Select[Any]:
    """One row per campaign begun by today that ran in the period, the newest first.

    campaign, campaign_name, campaign_kind, channel, started_on, measured_until, budget, cost (recorded by today; empty without any), reach
    (members of treated arms; empty without members), asked (of them those of whom it is recorded whether they responded), responded
    (empty without any such; both empty until the last day on which a result counts, because no day says when somebody responded),
    has_control (drawn by lot, and a member in the control arm).
    """
    members, spent = _members(filters), _spent(filters)
    is_over = or_(filters.today >= _LAST_DAY, _LAST_DAY.is_(None)) if filters.today else literal(1) == 1
    is_drawn = func.coalesce(campaigns.c.is_randomised, literal(1) == 1)
    return (
        select(
            campaigns.c.campaign_id.label("campaign"),
            campaigns.c.campaign_name,
            campaigns.c.campaign_kind,
            campaigns.c.channel,
            campaigns.c.started_on,
            _LAST_DAY.label("measured_until"),
            campaigns.c.budget_amount.label("budget"),
            spent.c.cost,
            members.c.reach,
            *[case((is_over, members.c[name])).label(name) for name in ("asked", "responded")],
            and_(is_drawn, func.coalesce(members.c.controls, 0) > 0).label("has_control"),
        )
        .join_from(campaigns, members, members.c.campaign_id == campaigns.c.campaign_id, isouter=True)
        .outerjoin(spent, spent.c.campaign_id == campaigns.c.campaign_id)
        .where(*_is_chosen(filters))
        .order_by(campaigns.c.started_on.desc().nulls_last(), collate(campaigns.c.campaign_id, "C"))
    )


def _members(filters: Filters) -> CTE:
    rows = campaign_members.c
    answered = and_(_IS_TREATED, rows.has_responded.is_not(None))
    return (
        select(
            rows.campaign_id,
            func.sum(case((_IS_TREATED, 1), else_=0)).label("reach"),
            func.sum(case((answered, 1), else_=0)).label("asked"),
            func.sum(case((answered, case((rows.has_responded, 1), else_=0)))).label("responded"),
            func.sum(case((rows.arm == CONTROL, 1), else_=0)).label("controls"),
        )
        .where(*seen_members(filters.scope))
        .group_by(rows.campaign_id)
        .cte("members")
    )


def _spent(filters: Filters) -> CTE:
    rows = campaign_spend.c
    seen = [or_(rows.spent_on <= filters.today, rows.spent_on.is_(None))] if filters.today else []
    return select(rows.campaign_id, func.sum(rows.spend_amount).label("cost")).where(*seen).group_by(rows.campaign_id).cte("spent")


def answers(filters: Filters) -> Select[Any]:
    """One row per campaign whose file says of nobody whether he responded, and whose treated members redeemed or clicked something.

    campaign, responded (members who did so by today).
    """
    touches, members = campaign_touches.c, campaign_members.c
    is_member = and_(members.campaign_id == touches.campaign_id, members.customer_id == touches.customer_id, _IS_TREATED)
    others = campaign_members.alias("others")
    is_said = exists().where(others.c.campaign_id == touches.campaign_id, others.c.has_responded.is_not(None))
    return (
        select(touches.campaign_id.label("campaign"), func.count(distinct(touches.customer_id)).label("responded"))
        .join_from(campaign_touches, campaign_members, is_member)
        .where(touches.touch_kind.in_(_ANSWERS), *_seen(filters), *seen_members(filters.scope), ~is_said)
        .group_by(touches.campaign_id)
    )


def last_day(filters: Filters) -> Select[Any]:
    """One row: last_on, the last day with an order that the reader may see; empty without any."""
    rows = visible_orders(filters.scope).c
    return select(func.max(rows.ordered_on).label("last_on"))


def named_count(filters: Filters) -> Select[Any]:
    """One row: orders, the purchases that name a campaign."""
    rows = _orders(filters).c
    return select(func.count().label("orders")).where(rows.campaign_id.is_not(None))


# ── credit ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _orders(filters: Filters) -> CTE:
    """One row per purchase by today in the filters, whatever the period: order_id, customer_number, ordered_on, campaign_id, SOLD."""
    always = Filters(
        end=filters.today,
        region=filters.region,
        channel=filters.channel,
        category=filters.category,
        segments=filters.segments,
        segments_on=filters.segments_on or filters.today,
        scope=filters.scope,
    )
    keys = ("order_id", "customer_number", "ordered_on", "campaign_id")
    if not filters.category:
        rows = order_facts
        return select(*[rows.c[name] for name in (*keys, *SOLD)]).where(rows.c.is_purchase, *conditions(always, rows)).cte("purchases")
    lines = order_category_facts
    sums = [func.sum(lines.c[name]).label(name) for name in SOLD]
    has_sold = func.max(case((lines.c.is_purchase, 1), else_=0)) == 1
    query = select(*[lines.c[name] for name in keys], *sums).where(*conditions(always, lines))
    return query.group_by(*[lines.c[name] for name in keys]).having(has_sold).cte("purchases")


def _seen(filters: Filters) -> list[ColumnElement[bool]]:
    touched = campaign_touches.c.touched_at
    by_today = [cast(touched, Date) <= filters.today] if filters.today else []
    return [touched.is_not(None), *by_today, *seen_touches(filters.scope)]


def named_credit(filters: Filters) -> Select[Any]:
    """One row per campaign that a purchase names: campaign, credited_orders, SOLD of these purchases."""
    rows = _orders(filters).c
    sums = [func.sum(rows[name]).label(name) for name in SOLD]
    query = select(rows.campaign_id.label("campaign"), func.count().label("credited_orders"), *sums)
    return query.where(rows.campaign_id.is_not(None)).group_by(rows.campaign_id)


def touch_credit(filters: Filters, terms: CreditTerms) -> Select[Any]:
    """One row per campaign with a touch that counts: campaign, touches, and for each of TOUCH_RULES what it credits the campaign with.

    <rule>_credited_orders, <rule>_<each of SOLD>; empty where no purchase followed. The shares of one purchase add up to 1.
    """
    shares = _shares(_pairs(filters, terms), terms)
    weights = {rule: shares.c[rule] for rule in TOUCH_RULES}
    sums = [func.sum(weight).label(f"{rule}_credited_orders") for rule, weight in weights.items()]
    sums += [func.sum(weight * cast(shares.c[name], Double)).label(f"{rule}_{name}") for rule, weight in weights.items() for name in SOLD]
    credit = select(shares.c.campaign_id, *sums).group_by(shares.c.campaign_id).cte("credit")
    rows = campaign_touches.c
    touched = select(rows.campaign_id, func.count().label("touches")).where(*_counting(filters, terms)).group_by(rows.campaign_id)
    found = touched.cte("touched")
    return select(found.c.campaign_id.label("campaign"), found.c.touches, *[credit.c[column.name] for column in sums]).join_from(
        found, credit, credit.c.campaign_id == found.c.campaign_id, isouter=True
    )


def _counting(filters: Filters, terms: CreditTerms) -> list[ColumnElement[bool]]:
    kinds = [is_one_of(campaign_touches.c.touch_kind, terms.kinds)] if terms.kinds else []
    return [*_seen(filters), *kinds]


def _pairs(filters: Filters, terms: CreditTerms) -> CTE:
    """One row per purchase and touch that counts for it: order_id, campaign_id, touched_at, touch_id, days_before, SOLD."""
    orders, touches = _orders(filters), campaign_touches.c
    touched_on = cast(touches.touched_at, Date)
    before = days_between(touched_on, orders.c.ordered_on)
    columns = [orders.c.order_id, touches.campaign_id, touches.touched_at, touches.touch_id]
    amounts = [orders.c[name] for name in SOLD]
    by_customer = (
        select(*columns, before.label("days_before"), *amounts)
        .join_from(campaign_touches, customer_facts, customer_facts.c.customer_id == touches.customer_id)
        .join(orders, orders.c.customer_number == customer_facts.c.customer_number)
        .where(touches.order_id.is_(None), before.between(0, terms.lookback_days), *_counting(filters, terms))
    )
    of_order = (
        select(*columns, func.greatest(before, 0).label("days_before"), *amounts)
        .join_from(campaign_touches, orders, orders.c.order_id == touches.order_id)
        .where(*_counting(filters, terms))
    )
    return union_all(by_customer, of_order).cte("pairs")


def _shares(pairs: CTE, terms: CreditTerms) -> CTE:
    """One row per row of `pairs`: campaign_id, SOLD of the purchase, and the share of it that each of TOUCH_RULES gives to the touch."""
    rows = pairs.c
    in_time = (rows.touched_at, collate(rows.touch_id, "C"))
    weight = func.power(cast(0.5, Double), cast(rows.days_before, Double) / terms.half_life_days)
    placed = select(
        *rows,
        func.row_number().over(partition_by=rows.order_id, order_by=in_time).label("place"),
        func.count().over(partition_by=rows.order_id).label("touches"),
        weight.label("weight"),
        func.sum(weight).over(partition_by=rows.order_id).label("weights"),
    ).cte("placed")
    place, touches = placed.c.place, placed.c.touches
    is_first, is_last = place == 1, place == touches
    ends, whole, none = literal(POSITION_ENDS, Double), literal(1.0, Double), literal(0.0, Double)
    between = (1 - 2 * POSITION_ENDS) / cast(func.greatest(touches - 2, 1), Double)
    position = case((touches == 1, whole), (touches == 2, whole / 2), (or_(is_first, is_last), ends), else_=between)
    given = {
        "first": case((is_first, whole), else_=none),
        "last": case((is_last, whole), else_=none),
        "linear": whole / cast(touches, Double),
        "position": position,
        "time_decay": placed.c.weight / placed.c.weights,
    }
    amounts = [placed.c[name] for name in SOLD]
    return select(placed.c.campaign_id, *amounts, *[given[rule].label(rule) for rule in TOUCH_RULES]).cte("shares")


# ── chosen, not drawn ───────────────────────────────────────────────────────────────────────────────────────────────────


def treated_arms(campaign: str) -> Select[Any]:
    """One row per arm of the campaign that has a customer and is not of control: arm, by arm."""
    rows = campaign_members.c
    is_treated = and_(rows.campaign_id == campaign, rows.customer_id.is_not(None), _IS_TREATED)
    return select(rows.arm).where(is_treated).group_by(rows.arm).order_by(collate(rows.arm, "C"))


def before_and_after(filters: Filters, campaign: str, arm: str, days: tuple[date, date]) -> Select[Any]:
    """One row per compared customer (see _compared): what was bought before the campaign, and in its window; by customer number.

    days: its first and last day. is_treated, customers (of whom this one was drawn), spend_30, spend_90, spend_180, spend_365 (net revenue
    of so many days before), orders_90, orders_365, days_since_last, tenure_days; bought (0 or 1), gross_revenue, net_revenue of the window.
    """
    start, end = days
    seen, who = visible_orders(filters.scope), _compared(filters, campaign, arm, start)
    rows = seen.c
    is_before, is_within = rows.ordered_on < start, rows.ordered_on.between(start, end)
    age = days_between(rows.ordered_on, literal(start, Date))
    bought_before = and_(is_before, rows.is_purchase)

    def total(test: ColumnElement[bool], amount: Any) -> ColumnElement[Any]:
        return func.sum(case((test, amount), else_=0))

    spend = [total(and_(is_before, age <= back), rows.net_revenue).label(f"spend_{back}") for back in _BEFORE_DAYS]
    orders = [total(and_(bought_before, age <= back), 1).label(f"orders_{back}") for back in (90, 365)]
    return (
        select(
            who.c.is_treated,
            who.c.customers,
            *spend,
            *orders,
            func.min(case((bought_before, age))).label("days_since_last"),
            func.max(case((bought_before, age))).label("tenure_days"),
            func.max(case((and_(is_within, rows.is_purchase), 1), else_=0)).label("bought"),
            total(is_within, rows.gross_revenue).label("gross_revenue"),
            total(is_within, rows.net_revenue).label("net_revenue"),
        )
        .join_from(seen, who, who.c.customer_number == rows.customer_number)
        .where(rows.ordered_on <= end)
        .group_by(who.c.customer_number, who.c.is_treated, who.c.customers)
        .order_by(who.c.customer_number)
    )


def _compared(filters: Filters, campaign: str, arm: str, start: date) -> CTE:
    """One row per customer compared: customer_number, is_treated, customers (of this side).

    With a purchase before the start, and of the arm, or of none and of the kinds that the treated are of; of more than MOST_CUSTOMERS on
    a side every second, third, … by customer number.
    """
    seen, members = visible_orders(filters.scope).c, campaign_members.c
    arms = select(members.customer_id, func.min(members.arm).label("arm")).where(members.campaign_id == campaign, members.arm != UNASSIGNED)
    of_member = arms.where(members.customer_id.is_not(None)).group_by(members.customer_id).cte("arms")
    sides = (
        select(
            seen.customer_number,
            of_member.c.arm.is_not(None).label("is_treated"),
            func.coalesce(customers.c.customer_kind, "").label("kind"),
        )
        .join(customer_facts, customer_facts.c.customer_number == seen.customer_number)
        .outerjoin(of_member, of_member.c.customer_id == customer_facts.c.customer_id)
        .outerjoin(customers, customers.c.customer_id == customer_facts.c.customer_id)
        .where(seen.purchase_number == 1, seen.ordered_on < start, or_(of_member.c.arm == arm, of_member.c.arm.is_(None)))
        .cte("sides")
    )
    is_like = sides.c.kind.in_(select(sides.c.kind).where(sides.c.is_treated).distinct())
    place = func.row_number().over(partition_by=sides.c.is_treated, order_by=sides.c.customer_number).label("place")
    counted = func.count().over(partition_by=sides.c.is_treated).label("customers")
    numbered = select(sides.c.customer_number, sides.c.is_treated, place, counted).where(is_like).cte("numbered")
    step = cast(func.ceil(cast(numbered.c.customers, Double) / MOST_CUSTOMERS), Integer)
    drawn = select(numbered.c.customer_number, numbered.c.is_treated, numbered.c.customers)
    return drawn.where(func.mod(numbered.c.place - 1, step) == 0).cte("compared_customers")


# ── contacts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def contacts(filters: Filters) -> Select[Any]:
    """One row per quarter and personalisation of the contacts in the period: quarter_on, personalisation, contacts.

    A contact is a touch that came from us, not an answer to it: of the kind 'sent', or any where none is of that kind.
    """
    rows = campaign_touches.c
    is_sent = or_(rows.touch_kind == "sent", ~exists(select(1).where(campaign_touches.alias("any").c.touch_kind == "sent")))
    day = cast(rows.touched_at, Date)
    limits = [day >= filters.start] if filters.start else []
    limits += [day <= filters.end] if filters.end else []
    quarter = bucket_on(day, "quarter").label("quarter_on")
    query = select(quarter, rows.personalisation, func.count().label("contacts"))
    return query.where(is_sent, *_seen(filters), *limits).group_by(quarter, rows.personalisation).order_by(quarter, rows.personalisation)
