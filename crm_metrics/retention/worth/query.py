"""What customers bring by age, what they cost to win, and what is spent on campaigns of each kind."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Double, Integer, Select, and_, case, cast, extract, func, literal, null, select

from crm_metrics.filters import Filters, period_conditions
from crm_metrics.retention.worth.terms import MOST_MONTHS, WINNING_KIND, By
from crm_metrics.sales import amounts_within, orders_within
from crm_metrics.schema import campaign_spend, campaigns, customer_facts, customers
from crm_metrics.sql import bucket_on


def cohort_people(filters: Filters, by: By, today: date) -> Select[Any]:
    """One row per group and whole months since the first purchase: cohort (empty: unknown, or all), months, customers, cost, costed.

    Customers whose first purchase lies in the filters, whenever it was. cost: the cost of winning them, of the `costed` where it is known.
    """
    people = _people(filters, by, today)
    known = customers.c.acquisition_cost
    keys = [people.c.cohort, people.c.months]
    return (
        select(*keys, func.count().label("customers"), func.sum(known).label("cost"), func.count(known).label("costed"))
        .join_from(people, customer_facts, customer_facts.c.customer_number == people.c.customer_number)
        .outerjoin(customers, customers.c.customer_id == customer_facts.c.customer_id)
        .group_by(*keys)
        .order_by(*keys)
    )


def cohort_values(filters: Filters, by: By, today: date, cost_share: float | None) -> Select[Any]:
    """One row per group, age and whole months since the first purchase: cohort, age, months, value, squares.

    age: months since the customer's first purchase that were over when the order came. value: gross margin, where revenue without a cost
    has the share `cost_share`; None: net revenue. squares: what the orders add to the square of what their customer has brought, so that
    the sum over ages is the sum of the squares.
    """
    people, paid = _people(filters, by, today), amounts_within(filters.over(None, today))
    net, costed = cast(paid.c.net_revenue, Double), cast(paid.c.costed_revenue, Double)
    margin = net - func.coalesce(cast(paid.c.cost_of_goods, Double), 0.0) - (net - costed) * (cost_share or 0.0)
    amount = net if cost_share is None else margin
    age = func.greatest(_months(people.c.first_on, paid.c.ordered_on), 0)
    brought = (
        select(people.c.customer_number, people.c.cohort, people.c.months, age.label("age"), amount.label("amount"))
        .join_from(paid, people, people.c.customer_number == paid.c.customer_number)
        .cte("brought")
    )
    of_age = [brought.c[name] for name in ("customer_number", "cohort", "months", "age")]
    summed = select(*of_age, func.sum(brought.c.amount).label("amount")).where(brought.c.age < MOST_MONTHS).group_by(*of_age)
    rows = summed.cte("brought_at_age")  # a running sum over the ages of a customer takes half of the time of one over the orders
    so_far = func.sum(rows.c.amount).over(partition_by=rows.c.customer_number, order_by=rows.c.age, rows=(None, 0))
    held = select(*rows.c, so_far.label("so_far")).cte("held")
    keys = [held.c.cohort, held.c.age, held.c.months]
    squares = func.sum(held.c.so_far * held.c.so_far - (held.c.so_far - held.c.amount) * (held.c.so_far - held.c.amount))
    return select(*keys, func.sum(held.c.amount).label("value"), squares.label("squares")).group_by(*keys).order_by(*keys)


def first_purchases(filters: Filters, today: date) -> Select[Any]:
    """One row per customer with a purchase up to today, whatever else is chosen: customer_number, first_on, months (whole, since then)."""
    people = _people(Filters(scope=filters.scope), "all", today).c
    return select(people.customer_number, people.first_on, people.months)


def referrals(filters: Filters) -> Select[Any]:
    """One row per customer who referred one that first bought in the filters and the period: customer_number, referred (how many)."""
    bought, referrers, own = orders_within(filters), customer_facts.alias("referrers"), customer_facts
    is_first = and_(bought.c.customer_number == own.c.customer_number, bought.c.purchase_number == 1, bought.c.is_purchase)
    return (
        select(referrers.c.customer_number, func.count().label("referred"))
        .join_from(customers, own, own.c.customer_id == customers.c.customer_id)
        .join(bought, is_first)
        .join(referrers, referrers.c.customer_id == customers.c.referrer_customer_id)
        .group_by(referrers.c.customer_number)
        .order_by(referrers.c.customer_number)
    )


def campaign_spend_by_kind(filters: Filters) -> Select[Any]:
    """One row per kind of campaign with a cost in the period: campaign_kind (empty: unknown), spend."""
    kind = campaigns.c.campaign_kind
    return (
        select(kind, func.sum(campaign_spend.c.spend_amount).label("spend"))
        .join_from(campaign_spend, campaigns, campaigns.c.campaign_id == campaign_spend.c.campaign_id, isouter=True)
        .where(*period_conditions(campaign_spend.c.spent_on, filters))
        .group_by(kind)
        .order_by(kind)
    )


def customers_won(filters: Filters) -> Select[Any]:
    """One row: customers, whose first purchase lies in the filters and the period, and costed: of how many of them the cost is known."""
    rows = orders_within(filters).c
    counts: list[ColumnElement[Any]] = [func.count().label("customers"), func.count(customers.c.acquisition_cost).label("costed")]
    return (
        select(*counts)
        .join(customer_facts, customer_facts.c.customer_number == rows.customer_number)
        .outerjoin(customers, customers.c.customer_id == customer_facts.c.customer_id)
        .where(rows.is_purchase, rows.purchase_number == 1)
    )


def customers_with_channel() -> Select[Any]:
    """One row: customers, whose acquisition channel is known, whoever they are."""
    return select(func.count(customers.c.acquisition_channel).label("customers"))


def winning_spend(today: date) -> Select[Any]:
    """One row: spend, of all campaigns that win customers up to today; empty where none is recorded."""
    is_winning = and_(campaigns.c.campaign_id == campaign_spend.c.campaign_id, campaigns.c.campaign_kind == WINNING_KIND)
    spent = func.sum(campaign_spend.c.spend_amount).label("spend")
    return select(spent).join_from(campaign_spend, campaigns, is_winning).where(campaign_spend.c.spent_on <= today)


def _people(filters: Filters, by: By, today: date) -> CTE:
    """One row per customer whose first purchase lies in the filters: customer_number, first_on, months, cohort."""
    bought = orders_within(filters.over(None, today)).c
    after = today + timedelta(days=1)
    months = _months(bought.ordered_on, literal(after, Date)).label("months")
    is_first = and_(bought.is_purchase, bought.purchase_number == 1)
    kept = [bought.customer_number, bought.ordered_on.label("first_on"), months]
    if by == "acquisition_channel":
        return (
            select(*kept, customers.c.acquisition_channel.label("cohort"))
            .join(customer_facts, customer_facts.c.customer_number == bought.customer_number)
            .outerjoin(customers, customers.c.customer_id == customer_facts.c.customer_id)
            .where(is_first)
            .cte("people")
        )
    cohort = cast(null(), Date) if by == "all" else bucket_on(bought.ordered_on, by)
    return select(*kept, cohort.label("cohort")).where(is_first).cte("people")


def _months(first: ColumnElement[Any], day: ColumnElement[Any]) -> ColumnElement[int]:
    """Return how many whole months lie between two days."""

    def part(name: str, of: ColumnElement[Any]) -> ColumnElement[int]:
        return cast(extract(name, of), Integer)

    whole = (part("year", day) - part("year", first)) * 12 + part("month", day) - part("month", first)
    return whole - case((part("day", day) < part("day", first), 1), else_=0)
