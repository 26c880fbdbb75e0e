"""The questions that the customer's page puts to the database.

Each looks at the whole history of one customer up to the as-of date (`gather.whole_history`), within the reader's scope.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    Date,
    ScalarSelect,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from crm_metrics.filters import Filters, conditions, period_conditions
from crm_metrics.sales import orders_within
from crm_metrics.schema import customer_facts, customers, employees, order_facts, order_lines, products
from crm_metrics.scope import visible_orders
from crm_metrics.sql import days_between, median

MATCHES_SHOWN = 50


def customer_profile(filters: Filters) -> Select[Any]:
    """One row, or none where the customer does not exist: what is known of the customer, empty where unknown.

    customer_id, customer_name, customer_kind, home_region, birth_year, acquisition_channel, acquisition_cost, acquired_on, owner,
    referrer_customer_id, has_consent, first_on and last_on (purchase days), orders (purchases).
    """
    known, person = _known_customers(filters, customer_id=filters.customer), customers.c
    acquired_on = (
        case((person.acquired_on <= literal(filters.end, Date), person.acquired_on), else_=null()) if filters.end else person.acquired_on
    )
    return (
        select(
            known.c.customer_id,
            *(
                person[name]
                for name in ("customer_name", "customer_kind", "home_region", "birth_year", "acquisition_channel", "acquisition_cost")
            ),
            acquired_on.label("acquired_on"),
            func.coalesce(employees.c.employee_name, person.owner_id).label("owner"),
            _seen_referrer(filters).label("referrer_customer_id"),
            person.has_consent,
            known.c.first_on,
            known.c.last_on,
            known.c.orders,
        )
        .join_from(known, customers, person.customer_id == known.c.customer_id, isouter=True)
        .outerjoin(employees, employees.c.employee_id == person.owner_id)
    )


def customer_matches(filters: Filters, words: str) -> Select[Any]:
    """One row per customer whose id or name contains `words`, whatever the case.

    customer_id, customer_name, home_region, first_on, last_on, orders (purchases), net_revenue (empty: never ordered), matches (how many
    customers match, shown or not). The id itself first, then ids that begin so, then the latest buyers; MATCHES_SHOWN at most.
    """
    shown = _shown_matches(filters, words).cte("shown_matches")
    sums = (
        select(order_facts.c.customer_id, func.sum(order_facts.c.net_revenue).label("net_revenue"))
        .where(order_facts.c.customer_id.in_(select(shown.c.customer_id)), *conditions(filters, order_facts))
        .group_by(order_facts.c.customer_id)
        .cte("customer_sums")
    )
    columns = [shown.c[name] for name in ("customer_id", "customer_name", "home_region", "first_on", "last_on", "orders")]
    return (
        select(*columns, sums.c.net_revenue, shown.c.matches)
        .join_from(shown, sums, sums.c.customer_id == shown.c.customer_id, isouter=True)
        .order_by(shown.c.match_rank, shown.c.last_on.desc().nulls_last(), shown.c.customer_id)
    )


def _shown_matches(filters: Filters, words: str) -> Select[Any]:
    known, person = _known_customers(filters), customers.c
    rank = case((known.c.customer_id == words, 0), (known.c.customer_id.startswith(words, autoescape=True), 1), else_=2)
    found = or_(known.c.customer_id.icontains(words, autoescape=True), person.customer_name.icontains(words, autoescape=True))
    return (
        select(
            *(known.c.customer_id, person.customer_name, person.home_region, known.c.first_on, known.c.last_on, known.c.orders),
            rank.label("match_rank"),
            func.count().over().label("matches"),
        )
        .join_from(known, customers, person.customer_id == known.c.customer_id, isouter=True)
        .where(found if words else true())
        .order_by(rank, known.c.last_on.desc().nulls_last(), known.c.customer_id)
        .limit(MATCHES_SHOWN)
    )


def customer_orders(filters: Filters) -> Select[Any]:
    """One row per order of the customer, the latest first.

    order_id, ordered_on, order_region, sales_channel, order_kind ('purchase', 'return', 'cancelled', 'other'), units, net_revenue,
    gross_margin (of the lines whose cost is known; empty without any), costed_lines and lines.
    """
    rows = order_facts.c
    is_return = or_(rows.net_revenue < 0, rows.units < 0)
    kind = case((rows.is_cancelled, "cancelled"), (rows.is_purchase, "purchase"), (is_return, "return"), else_="other")
    attributes = [rows[name] for name in ("order_id", "ordered_on", "order_region", "sales_channel")]
    amounts = [rows.units, rows.net_revenue, (rows.costed_revenue - rows.cost_of_goods).label("gross_margin")]
    return (
        select(*attributes, kind.label("order_kind"), *amounts, rows.costed_lines, rows.lines)
        .where(order_facts.c.customer_number == _number(filters.customer), *conditions(filters, order_facts))
        .order_by(rows.ordered_on.desc(), rows.order_id)
    )


def customer_order_lines(filters: Filters) -> Select[Any]:
    """One row per order line of the customer, the latest order first.

    order_id, ordered_on, row_number (in its file), product_id, product_name, category, line_kind, units, unit_price, net_revenue,
    cost_amount (empty: unknown).
    """
    orders, lines = order_facts.c, order_lines.c
    return (
        select(
            orders.order_id,
            orders.ordered_on,
            lines.row_number,
            lines.product_id,
            products.c.product_name,
            products.c.category,
            lines.line_kind,
            lines.quantity.label("units"),
            lines.unit_price,
            lines.net_amount.label("net_revenue"),
            lines.cost_amount,
        )
        .join_from(order_facts, order_lines, lines.order_id == orders.order_id)
        .outerjoin(products, products.c.product_id == lines.product_id)
        # by the key, of which DuckDB knows that it names few orders: by a number that it has to look up it reads every line
        .where(orders.customer_id == filters.customer, *conditions(filters, order_facts))
        .order_by(orders.ordered_on.desc(), orders.order_id, lines.batch_id, lines.row_number)
    )


def base_intervals(filters: Filters) -> Select[Any]:
    """One row: usual_days (median days between two purchase days, over all intervals of all customers), intervals."""
    rows = orders_within(filters).c
    gap = days_between(rows.previous_purchase_on, rows.ordered_on).label("days")
    gaps = select(gap).where(rows.purchase_number.is_not(None), gap > 0).cte("gaps")
    return select(median(gaps.c.days).label("usual_days"), func.count().label("intervals")).select_from(gaps)


def _known_customers(filters: Filters, *, customer_id: str = "") -> CTE:
    """One row per customer who exists for this reader, or for the one customer: customer_id, first_on, last_on, orders (purchases).

    Customers with an order that may be seen; for a reader who may see every region also those who never ordered at all.
    """
    rows = visible_orders(filters.scope)
    is_shown = and_(true(), *period_conditions(rows.c.ordered_on, filters))
    bought_on = case((and_(is_shown, rows.c.is_purchase), rows.c.ordered_on))
    of_numbers = (
        select(
            rows.c.customer_number,
            func.min(bought_on).label("first_on"),
            func.max(bought_on).label("last_on"),
            func.count(bought_on).label("orders"),
            func.max(case((is_shown, 1), else_=0)).label("is_shown"),
        )
        .where(rows.c.customer_number == _number(customer_id) if customer_id else rows.c.customer_number.is_not(None))
        .group_by(rows.c.customer_number)
        .cte("spans_by_number")
    )
    spans = (
        select(customer_facts.c.customer_id, of_numbers)
        .join_from(of_numbers, customer_facts, customer_facts.c.customer_number == of_numbers.c.customer_number)
        .cte("spans")
    )
    columns = [spans.c[name] for name in ("customer_id", "first_on", "last_on", "orders")]
    bought = select(*columns).where(spans.c.is_shown == 1)
    if filters.scope.regions:
        return bought.cte("known_customers")
    unknown_day = cast(null(), Date)
    ordered = select(literal(1)).where(spans.c.customer_id == customers.c.customer_id).exists()
    silent = select(customers.c.customer_id, unknown_day, unknown_day, literal(0)).where(
        ~ordered, customers.c.customer_id == customer_id if customer_id else true()
    )
    return union_all(bought, silent).cte("known_customers")


def _number(customer_id: str) -> ScalarSelect[Any]:
    """The number by which the facts know a customer."""
    return select(customer_facts.c.customer_number).where(customer_facts.c.customer_id == customer_id).scalar_subquery()


def _seen_referrer(filters: Filters) -> Any:
    """The referrer, unless the reader may not see that customer."""
    referrer = customers.c.referrer_customer_id
    if not filters.scope.regions:
        return referrer
    seen = select(literal(1)).where(order_facts.c.customer_id == referrer, *conditions(filters, order_facts)).exists()
    return case((seen, referrer))
