"""The closed catalogue of what customers can be chosen by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Select, case, func

from crm_metrics.language import noop
from crm_metrics.metric import BadInput, Unit
from crm_metrics.schema import (
    basket_categories,
    campaign_members,
    costs_to_serve,
    customers,
    order_facts,
    preferences,
    service_tickets,
    surveys,
)
from crm_metrics.segments.known import (
    AGE_BANDS,
    NO,
    SEASONS,
    TIERS,
    YES,
    Population,
    age_band,
    age_years,
    band_name,
    bought,
    bought_categories,
    campaigns_reached_by,
    in_last_year,
    latest_score,
    of_sums,
    ratio,
    said_of_customer,
    season_of,
    stated_preferences,
    value_rank,
    value_tier,
    yes_or_no,
)
from crm_metrics.sql import days_between

Kind = Literal["choice", "number"]


@dataclass(frozen=True)
class Attribute:
    """One thing customers can be chosen by.

    asked: gives one row per customer and value: customer_number, value. unit: of numbers. several: a customer can have several values.
    order: values in their own order; empty: the most frequent first. of: the column it is known from; None: known of every purchase.
    """

    name: str
    label: str
    kind: Kind
    means: str
    asked: Callable[[Population], Select[Any]]
    unit: Unit = "count"
    several: bool = False
    order: tuple[str, ...] = ()
    of: Column[Any] | None = None


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(
        "days_since_last_order",
        noop("Days since last order"),
        "number",
        noop("Days from the customer's last purchase to the as-of day."),
        of_sums(lambda sums, known: days_between(sums.last_on, known.today)),
        unit="days",
    ),
    Attribute(
        "days_since_first_order",
        noop("Days since first order"),
        "number",
        noop("Days from the customer's first purchase to the as-of day."),
        of_sums(lambda sums, known: days_between(sums.first_on, known.today)),
        unit="days",
    ),
    Attribute("orders", noop("Orders"), "number", noop("Purchases up to the as-of day."), of_sums(lambda sums, _: sums.orders)),
    Attribute(
        "net_revenue",
        noop("Net revenue"),
        "number",
        noop("Net amounts of all lines up to the as-of day, returns and credit notes negative."),
        of_sums(lambda sums, _: sums.net_revenue),
        unit="money",
    ),
    Attribute(
        "average_order_value",
        noop("Revenue per order"),
        "number",
        noop("Gross revenue up to the as-of day divided by purchases."),
        of_sums(lambda sums, _: ratio(sums.gross_revenue, sums.orders)),
        unit="money",
    ),
    Attribute(
        "gross_margin",
        noop("Gross margin"),
        "number",
        noop("Net revenue less cost of goods up to the as-of day; unknown where the cost of a line is."),
        of_sums(lambda sums, _: case((sums.costed_lines == sums.lines, sums.net_revenue - sums.cost_of_goods))),
        unit="money",
        of=order_facts.c.cost_of_goods,
    ),
    Attribute(
        "returned_share",
        noop("Share returned"),
        "number",
        noop("Returns and credit notes as a share of gross revenue, up to the as-of day."),
        of_sums(lambda sums, _: ratio(sums.gross_revenue - sums.net_revenue, sums.gross_revenue)),
        unit="share",
    ),
    Attribute(
        "discount_share",
        noop("Share of discount"),
        "number",
        noop("Discounts not already in the price as a share of gross revenue before them; unknown where none is recorded."),
        of_sums(lambda sums, _: ratio(sums.discount, sums.gross_revenue + sums.discount)),
        unit="share",
        of=order_facts.c.discount,
    ),
    Attribute(
        "value_rank",
        noop("Place by net revenue, from the top"),
        "number",
        noop("Share of customers with a purchase who bring at least as much net revenue: 5% are the best twentieth."),
        value_rank,
        unit="share",
    ),
    Attribute(
        "value_tier",
        noop("Value tier"),
        "choice",
        noop("Tier by net revenue up to the as-of day: the top 5% of customers with a purchase, the next 15%, the others."),
        value_tier,
        order=TIERS,
    ),
    Attribute(
        "home_region",
        noop("Home region"),
        "choice",
        noop("Region the customer lives in."),
        said_of_customer(lambda _: customers.c.home_region),
        of=customers.c.home_region,
    ),
    Attribute(
        "order_region",
        noop("Has ordered in region"),
        "choice",
        noop("Regions of the customer's purchases; a customer can have several."),
        bought(lambda rows: rows.order_region),
        several=True,
        of=order_facts.c.order_region,
    ),
    Attribute(
        "sales_channel",
        noop("Has ordered through channel"),
        "choice",
        noop("Sales channels of the customer's purchases; a customer can have several."),
        bought(lambda rows: rows.sales_channel),
        several=True,
        of=order_facts.c.sales_channel,
    ),
    Attribute(
        "category",
        noop("Has bought category"),
        "choice",
        noop("Product categories that the customer bought; a customer can have several."),
        bought_categories,
        several=True,
        of=basket_categories.c.category,
    ),
    Attribute(
        "season",
        noop("Has bought in season"),
        "choice",
        noop("Seasons of the customer's purchases, spring from March to May; a customer can have several."),
        bought(season_of),
        several=True,
        order=tuple(SEASONS),
    ),
    Attribute(
        "age_band",
        noop("Age band"),
        "choice",
        noop("Age reached in the year of the as-of day, by year of birth; companies have none."),
        said_of_customer(age_band),
        order=tuple(band_name(low, high) for low, high in AGE_BANDS),
        of=customers.c.birth_year,
    ),
    Attribute(
        "age_years",
        noop("Age, years"),
        "number",
        noop("Age reached in the year of the as-of day, by year of birth."),
        said_of_customer(age_years, is_number=True),
        of=customers.c.birth_year,
    ),
    Attribute(
        "customer_kind",
        noop("Person or company"),
        "choice",
        noop("What the customer is."),
        said_of_customer(lambda _: customers.c.customer_kind),
        of=customers.c.customer_kind,
    ),
    Attribute(
        "acquisition_channel",
        noop("Won through"),
        "choice",
        noop("How the customer was won."),
        said_of_customer(lambda _: customers.c.acquisition_channel),
        of=customers.c.acquisition_channel,
    ),
    Attribute(
        "was_referred",
        noop("Referred by a customer"),
        "choice",
        noop("Another customer referred this one."),
        said_of_customer(lambda _: yes_or_no(customers.c.referrer_customer_id.is_not(None))),
        order=(YES, NO),
        of=customers.c.referrer_customer_id,
    ),
    Attribute(
        "has_consent",
        noop("May be contacted for marketing"),
        "choice",
        noop("The customer agreed to be contacted; unknown counts as no."),
        said_of_customer(lambda _: yes_or_no(customers.c.has_consent.is_(True))),
        order=(YES, NO),
        of=customers.c.has_consent,
    ),
    Attribute(
        "preference",
        noop("Stated preference"),
        "choice",
        noop("What the customer said to prefer, by subject."),
        stated_preferences,
        several=True,
        of=preferences.c.preferred_value,
    ),
    Attribute(
        "satisfaction",
        noop("Satisfaction, 1 to 5"),
        "number",
        noop("Latest answer to a satisfaction survey up to the as-of day; unknown for those who never answered."),
        latest_score("satisfaction"),
        of=surveys.c.score,
    ),
    Attribute(
        "recommendation",
        noop("Would recommend, 0 to 10"),
        "number",
        noop("Latest answer to a recommendation survey up to the as-of day; unknown for those who never answered."),
        latest_score("recommendation"),
        of=surveys.c.score,
    ),
    Attribute(
        "service_tickets",
        noop("Service tickets in a year"),
        "number",
        noop("Service tickets opened in the 365 days up to the as-of day; unknown for those without one."),
        in_last_year(service_tickets, service_tickets.c.opened_at, func.count()),
        of=service_tickets.c.opened_at,
    ),
    Attribute(
        "service_minutes",
        noop("Minutes of service in a year"),
        "number",
        noop("Employee minutes booked on the customer in the 365 days up to the as-of day; unknown where none are."),
        in_last_year(costs_to_serve, costs_to_serve.c.incurred_on, func.sum(costs_to_serve.c.minutes)),
        of=costs_to_serve.c.minutes,
    ),
    Attribute(
        "campaign",
        noop("Was reached by campaign"),
        "choice",
        noop("Campaigns that the customer was a member of, but for control groups; a customer can have several."),
        campaigns_reached_by,
        several=True,
        of=campaign_members.c.customer_id,
    ),
)
_BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}


def attribute(name: str) -> Attribute:
    """Return the attribute of that name.

    Raises BadInput if there is none.
    """
    if name not in _BY_NAME:
        raise BadInput("There is no attribute {name!r}. There are: {known}.", name=name, known=", ".join(_BY_NAME))
    return _BY_NAME[name]
