"""What is known of customers on a day: queries with one row per customer and value, from which the attributes are made.

Everything is as of a day: orders, answers and tickets after it are not there. Amounts and counts are of the orders that the reader
may see. Texts that are unknown are the value UNKNOWN; numbers that are unknown have no row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from crm_metrics.schema import (
    basket_categories,
    campaign_members,
    campaigns,
    customer_facts,
    customers,
    daily_sales,
    preferences,
    surveys,
)
from crm_metrics.scope import Scope, scope_conditions, visible_orders
from crm_metrics.sql import days_between

UNKNOWN = "(unknown)"  # the value that stands for an empty one
YES, NO = "yes", "no"
AGE_BANDS = ((0, 17), (18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, None))
SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "winter": (12, 1, 2)}  # of the northern half
TOP_TIER, MIDDLE_TIER = 0.05, 0.20  # shares of customers from the top: the next 15 % follow the best 5 %
TIERS = ("top 5%", "next 15%", "other 80%")
YEAR_DAYS = 365


@dataclass(frozen=True)
class Population:
    """The customers a reader may see, and what is known of them on `day` (None: on the last day of the data)."""

    scope: Scope
    day: date | None

    @cached_property
    def orders(self) -> FromClause:
        """The orders up to the day, as `visible_orders`."""
        seen = visible_orders(self.scope)
        limits = [seen.c.customer_number.is_not(None), *([seen.c.ordered_on <= self.day] if self.day else [])]
        return select(seen).where(*limits).subquery("orders_so_far")

    @cached_property
    def today(self) -> ColumnElement[Any]:
        """The day itself."""
        if self.day:
            return literal(self.day, Date)
        return select(func.max(daily_sales.c.ordered_on)).where(*scope_conditions(self.scope, daily_sales)).scalar_subquery()

    def is_past(self, on: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return whether a day is not after the day; an unknown one is not."""
        return or_(on <= self.today, on.is_(None))

    @cached_property
    def customers(self) -> FromClause:
        """customer_number of every customer with an order that the reader may see, whenever it was placed."""
        if not self.scope.regions:
            return customer_facts
        seen = visible_orders(self.scope)
        return select(seen.c.customer_number).where(seen.c.customer_number.is_not(None)).distinct().subquery("seen_customers")

    @cached_property
    def come(self) -> FromClause:
        """customer_id and customer_number of every customer with an order up to the day; of others nothing is known yet."""
        if not (self.day or self.scope.regions):
            return customer_facts
        chosen = customer_facts.c.customer_number.in_(select(self.orders.c.customer_number))
        return select(customer_facts.c.customer_id, customer_facts.c.customer_number).where(chosen).subquery("come_so_far")

    @cached_property
    def sums(self) -> CTE:
        """One row per customer with an order up to the day: customer_number and what adds up over the orders."""
        rows = self.orders.c
        bought_on = case((rows.is_purchase, rows.ordered_on))
        amounts = ("net_revenue", "gross_revenue", "costed_revenue", "cost_of_goods", "lines", "costed_lines")
        is_something = or_(rows.gross_revenue != 0, rows.net_revenue != 0)  # a cancelled order gave no discount
        return (
            select(
                rows.customer_number,
                func.min(bought_on).label("first_on"),
                func.max(bought_on).label("last_on"),
                func.sum(case((rows.is_purchase, 1), else_=0)).label("orders"),
                func.sum(case((is_something, rows.discount))).label("discount"),
                *[func.sum(rows[name]).label(name) for name in amounts],
            )
            .group_by(rows.customer_number)
            .cte()  # without a name: a query can ask for two populations
        )


@lru_cache(maxsize=1000)
def population(scope: Scope, day: date | None) -> Population:
    """Return the customers on a day: the same object again, so that a query which asks several things of them sums their orders once."""
    return Population(scope, day)


# ── from the orders ─────────────────────────────────────────────────────────────────────────────────────────────────────


def of_sums(value: Callable[[Any, Population], ColumnElement[Any]]) -> Callable[[Population], Select[Any]]:
    """Return a query of a number made of the sums of a customer; where it is empty there is no row."""

    def asked(known: Population) -> Select[Any]:
        """One row per customer: customer_number, value."""
        number = value(known.sums.c, known)
        return select(known.sums.c.customer_number, number.label("value")).where(number.is_not(None))

    return asked


def bought(value: Callable[[Any], ColumnElement[Any]]) -> Callable[[Population], Select[Any]]:
    """Return a query of the values that a customer's purchases have."""

    def asked(known: Population) -> Select[Any]:
        """One row per customer and value: customer_number, value."""
        rows = known.orders.c
        return select(rows.customer_number, func.coalesce(value(rows), UNKNOWN).label("value")).where(rows.is_purchase).distinct()

    return asked


def bought_categories(known: Population) -> Select[Any]:
    """One row per customer and product category bought: customer_number, value."""
    rows, held = known.orders.c, basket_categories.c
    value = func.coalesce(held.category, UNKNOWN).label("value")
    baskets = select(rows.customer_number, rows.basket_number).where(rows.is_purchase).distinct().subquery()
    of_basket = select(baskets.c.customer_number, value).join(basket_categories, held.basket_number == baskets.c.basket_number)
    return of_basket.where(held.is_sold).distinct()


def season_of(rows: Any) -> ColumnElement[Any]:
    """Return the season (a key of SEASONS) in which an order was placed."""
    month = extract("month", rows.ordered_on)
    return case(*[(month.in_(months), literal(season)) for season, months in SEASONS.items()])


def _rank_share(known: Population) -> CTE:
    """One row per customer with a purchase: customer_number, rank_share (0 to 1: the best customer's is nearly 0, the last one's 1)."""
    rows = known.sums.c
    # equal values have equal ranks: the share of customers who bring at least as much
    at_least = type_coerce(func.cume_dist().over(order_by=rows.net_revenue.desc()), Double)
    return select(rows.customer_number, at_least.label("rank_share")).where(rows.orders > 0).cte()


def value_rank(known: Population) -> Select[Any]:
    """One row per customer with a purchase: customer_number, value."""
    ranks = _rank_share(known).c
    return select(ranks.customer_number, ranks.rank_share.label("value"))


def value_tier(known: Population) -> Select[Any]:
    """One row per customer with a purchase: customer_number, value."""
    ranks = _rank_share(known).c
    tier = case((ranks.rank_share <= TOP_TIER, TIERS[0]), (ranks.rank_share <= MIDDLE_TIER, TIERS[1]), else_=TIERS[2])
    return select(ranks.customer_number, tier.label("value"))


# ── from other tables ───────────────────────────────────────────────────────────────────────────────────────────────────


def said_of_customer(value: Callable[[Population], ColumnElement[Any]], *, is_number: bool = False) -> Callable[[Population], Select[Any]]:
    """Return a query of what the customer's own record says."""

    def asked(known: Population) -> Select[Any]:
        """One row per customer: customer_number, value."""
        said = value(known)
        shown = said if is_number else func.coalesce(said, UNKNOWN)
        come = known.come
        numbered = select(come.c.customer_number, shown.label("value"))
        joined = numbered.join_from(come, customers, customers.c.customer_id == come.c.customer_id, isouter=not is_number)
        return joined.where(said.is_not(None)) if is_number else joined

    return asked


def age_years(known: Population) -> ColumnElement[Any]:
    """Return the age a customer reaches in the year of the day; empty without a year of birth."""
    return cast(extract("year", known.today), Integer) - customers.c.birth_year


def age_band(known: Population) -> ColumnElement[Any]:
    """Return the name of the age band a customer is in; empty without a year of birth."""
    age = age_years(known)
    return case(*[(and_(age >= low, age <= high) if high else age >= low, literal(band_name(low, high))) for low, high in AGE_BANDS])


def band_name(low: int, high: int | None) -> str:
    """Return the name of an age band.

    >>> band_name(65, None)
    '65+'
    """
    return f"{low}–{high}" if high else f"{low}+"


def yes_or_no(is_true: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return YES or NO; NO where it is not known."""
    return case((is_true, YES), else_=NO)


def stated_preferences(known: Population) -> Select[Any]:
    """One row per customer and preference stated up to the day: customer_number, value ('subject: value')."""
    stated, come = preferences.c, known.come.c
    numbered = select(come.customer_number, (stated.preference + ": " + stated.preferred_value).label("value"))
    joined = numbered.join_from(known.come, preferences, stated.customer_id == come.customer_id)
    return joined.where(stated.preferred_value.is_not(None), known.is_past(stated.stated_on))


def latest_score(kind: str) -> Callable[[Population], Select[Any]]:
    """Return a query of the latest answers to surveys of a kind."""

    def asked(known: Population) -> Select[Any]:
        """One row per customer who answered: customer_number, value (the latest answer; of several on one day the highest)."""
        given, come = surveys.c, known.come.c
        latest = (given.answered_on.desc().nulls_last(), given.score.desc())
        place = func.row_number().over(partition_by=given.customer_id, order_by=latest)
        limits = [given.survey_kind == kind, given.score.is_not(None), known.is_past(given.answered_on)]
        ranked = select(given.customer_id, given.score, place.label("place")).where(*limits).subquery()
        numbered = select(come.customer_number, ranked.c.score.label("value"))
        return numbered.join_from(known.come, ranked, and_(ranked.c.customer_id == come.customer_id, ranked.c.place == 1))

    return asked


def in_last_year(table: Any, on: ColumnElement[Any], value: ColumnElement[Any]) -> Callable[[Population], Select[Any]]:
    """Return a query of what adds up over a customer's rows of a table in the year up to the day. on: their days; value: the sum."""

    def asked(known: Population) -> Select[Any]:
        """One row per customer with a row in the year up to the day: customer_number, value."""
        age, come = days_between(cast(on, Date), known.today), known.come.c
        numbered = select(come.customer_number, value.label("value"))
        joined = numbered.join_from(known.come, table, table.c.customer_id == come.customer_id)
        return joined.where(age >= 0, age < YEAR_DAYS).group_by(come.customer_number).having(value.is_not(None))

    return asked


def campaigns_reached_by(known: Population) -> Select[Any]:
    """One row per customer and campaign that was meant to reach the customer: customer_number, value."""
    members, come = campaign_members.c, known.come.c
    numbered = select(come.customer_number, func.coalesce(campaigns.c.campaign_name, members.campaign_id).label("value"))
    joined = numbered.join_from(known.come, campaign_members, members.customer_id == come.customer_id)
    named = joined.outerjoin(campaigns, campaigns.c.campaign_id == members.campaign_id)
    return named.where(members.arm != "control", known.is_past(members.assigned_on)).distinct()


def ratio(part: ColumnElement[Any], whole: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return part / whole; empty where the whole is not positive."""
    return case((whole > 0, type_coerce(cast(part, Double) / cast(whole, Double), Double)))
