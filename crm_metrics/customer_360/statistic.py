"""From one customer's orders to tiles, rhythm, the day the next order is due, and P(alive) over time."""

import math
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.figures import MAX_POINTS
from crm_metrics.language import noop
from crm_metrics.metric import Metric, tile

INTERVALS_FOR_A_RHYTHM = 3  # the median of two is their mean: one odd interval would decide it

NET_REVENUE = Metric(
    "net_revenue",
    noop("Net revenue"),
    "money",
    "higher",
    noop(
        "Sum of the net amounts of all order lines of this customer up to the as-of date; returns lower it on their own day, "
        "cancelled orders count 0."
    ),
)
ORDERS = Metric(
    "orders",
    noop("Orders"),
    "count",
    "higher",
    noop("Purchases of this customer up to the as-of date: orders not cancelled, with positive quantity, no gifts."),
)
AVERAGE_ORDER_VALUE = Metric(
    "average_order_value",
    noop("Average order value"),
    "money_per_order",
    "higher",
    noop(
        "Net revenue of this customer divided by the number of this customer's purchases; returns lower the numerator and are no purchase."
    ),
)
GROSS_MARGIN = Metric(
    "gross_margin",
    noop("Gross margin"),
    "money",
    "higher",
    noop(
        "Net revenue less cost of goods, summed over those order lines of this customer whose cost is known; a dash when no cost is known."
    ),
)
DAYS_SINCE_LAST_ORDER = Metric(
    "days_since_last_order",
    noop("Days since last order"),
    "days",
    "lower",
    noop("Days from this customer's last purchase to the as-of date."),
)
USUAL_DAYS_BETWEEN_ORDERS = Metric(
    "usual_days_between_orders",
    noop("Usual days between orders"),
    "days",
    "lower",
    noop("Median of the days between one purchase day of this customer and the next; a dash with fewer than three such intervals."),
)
PROBABILITY_ALIVE = Metric(
    "probability_alive",
    noop("P(alive)"),
    "share",
    "higher",
    noop(
        "Probability that this customer still buys, by the MBG/NBD fitted on all customers up to the as-of date: it jumps at each "
        "purchase day and falls with the silence since."
    ),
    noop("Batislam, Denizel and Filiztekin (2007), MBG/NBD; Wagner and Hoppe (2008)"),
)
EXPECTED_VALUE = Metric(
    "expected_value",
    noop("Expected value, 12 months"),
    "money_per_customer",
    "higher",
    noop(
        "Purchases that the BG/NBD expects of this customer in the 12 months after the as-of date, times the expected value of a "
        "purchase by the Gamma-Gamma, discounted at 10% a year; on margin where costs are known, else on net revenue."
    ),
    noop("Fader, Hardie and Lee (2005), BG/NBD; Fader and Hardie (2013), Gamma-Gamma"),
)
TILES = (NET_REVENUE, ORDERS, AVERAGE_ORDER_VALUE, GROSS_MARGIN, DAYS_SINCE_LAST_ORDER, USUAL_DAYS_BETWEEN_ORDERS)
METRICS: tuple[Metric, ...] = (*TILES, PROBABILITY_ALIVE, EXPECTED_VALUE)


class NextOrder(NamedTuple):
    """When the next order is due. last_on: last purchase day; None in all fields without a purchase.

    usual_days: median days between purchase days; due_on: last_on + usual_days, rounded up to a whole day; days_late: from due_on to the
    as-of date, negative before it is due. is_own_rhythm: usual_days are this customer's; else those of all customers, because there are
    fewer than INTERVALS_FOR_A_RHYTHM intervals. intervals: the customer's own.
    """

    last_on: date | None
    usual_days: float
    due_on: date | None
    days_late: float
    is_own_rhythm: bool
    intervals: int


def purchase_days(orders_of_customer: pd.DataFrame) -> list[date]:
    """Return the days with a purchase (ordered_on of order_kind 'purchase'), each once, in order."""
    bought = orders_of_customer.loc[orders_of_customer["order_kind"] == "purchase", "ordered_on"]
    return sorted({day.date() for day in bought})


def intervals_days(days: list[date]) -> list[int]:
    """Return the days from each purchase day to the next.

    >>> intervals_days([date(2024, 1, 1), date(2024, 1, 11), date(2024, 2, 10)])
    [10, 30]
    """
    return [(later - earlier).days for earlier, later in pairwise(days)]


def next_order(days: list[date], *, base_usual_days: float, today: date) -> NextOrder:
    """Return when the next order is due, from purchase days; base_usual_days stands in where the customer has no rhythm yet.

    >>> next_order([date(2024, 1, 1), date(2024, 1, 11)], base_usual_days=30.0, today=date(2024, 2, 20)).days_late
    10.0
    """
    own = intervals_days(days)
    is_own = len(own) >= INTERVALS_FOR_A_RHYTHM
    usual = float(np.median(own)) if is_own else base_usual_days
    if not days or math.isnan(usual):
        return NextOrder(days[-1] if days else None, usual, None, math.nan, is_own, len(own))
    due_on = days[-1] + timedelta(days=math.ceil(usual))
    return NextOrder(days[-1], usual, due_on, float((today - due_on).days), is_own, len(own))


def customer_tiles(orders_of_customer: pd.DataFrame, *, today: date | None) -> pd.DataFrame:
    """Return the tiles from the customer's orders: metric, value, low, high, unit, n (orders, costed lines or intervals counted)."""
    days = purchase_days(orders_of_customer)
    own = intervals_days(days)
    purchases = int((orders_of_customer["order_kind"] == "purchase").sum())
    costed_lines = int(orders_of_customer["costed_lines"].sum())
    net_revenue = float(orders_of_customer["net_revenue"].sum()) if len(orders_of_customer) else math.nan
    values: dict[Metric, tuple[float, int]] = {
        NET_REVENUE: (net_revenue, len(orders_of_customer)),
        ORDERS: (purchases, purchases),
        AVERAGE_ORDER_VALUE: (net_revenue / purchases if purchases else math.nan, purchases),
        GROSS_MARGIN: (float(orders_of_customer["gross_margin"].sum()) if costed_lines else math.nan, costed_lines),
        DAYS_SINCE_LAST_ORDER: (float((today - days[-1]).days) if today and days else math.nan, purchases),
        USUAL_DAYS_BETWEEN_ORDERS: (float(np.median(own)) if len(own) >= INTERVALS_FOR_A_RHYTHM else math.nan, len(own)),
    }
    return pd.DataFrame([tile(metric, value, n) for metric, (value, n) in values.items()])


def alive_over_time(path: pd.DataFrame, *, bought_on: list[date]) -> pd.DataFrame:
    """Return P(alive) day by day: ordered: day, probability_alive, is_purchase; MAX_POINTS rows at most, every purchase among them.

    path: day (day numbers as date.toordinal counts them), probability, is_by_construction. NaN where the model only assumes it.
    """
    bought = {day.toordinal() for day in bought_on}
    is_purchase = path["day"].isin(bought)
    step = math.ceil(len(path) / max(MAX_POINTS - len(bought), 1))
    is_last = path["day"] == path["day"].max()
    kept = is_purchase | is_last | (np.arange(len(path)) % step == 0)
    days = pd.to_datetime([date.fromordinal(day) for day in path.loc[kept, "day"].tolist()]).as_unit("us")
    probability = path["probability"].mask(path["is_by_construction"])[kept].to_numpy()
    return pd.DataFrame({"day": days, "probability_alive": probability, "is_purchase": is_purchase[kept].to_numpy()})


def lines_of(order_lines: pd.DataFrame, orders: pd.DataFrame, chosen: list[int]) -> pd.DataFrame:
    """Return the lines of the orders at the positions `chosen`."""
    return order_lines[order_lines["order_id"].isin(orders.iloc[chosen]["order_id"])]
