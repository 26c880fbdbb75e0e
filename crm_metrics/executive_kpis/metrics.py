"""The metrics of the executive room, each declared once."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

NET_REVENUE = Metric(
    "net_revenue",
    noop("Net revenue"),
    "money",
    "higher",
    noop(
        "Sum of the amounts of all order lines, returns and credit notes negative on their own day, cancelled orders 0; "
        "sales without a customer included."
    ),
)
NET_REVENUE_IDENTIFIED = Metric(
    "net_revenue_identified",
    noop("Net revenue of known customers"),
    "money",
    "higher",
    noop("Net revenue of the orders and returns that name a customer."),
)
GROSS_REVENUE_IDENTIFIED = Metric(
    "gross_revenue_identified",
    noop("Purchases of known customers"),
    "money",
    "higher",
    noop(
        "Sum of the amounts of the lines sold (positive quantity, not cancelled, no gift) in orders that name a customer, "
        "after discounts; returns not taken off."
    ),
)
GROSS_REVENUE = Metric(
    "gross_revenue",
    noop("Gross revenue"),
    "money",
    "higher",
    noop("Sum of the amounts of the lines sold (positive quantity, not cancelled, no gift), after discounts; returns not taken off."),
)
RETURNS = Metric(
    "returns",
    noop("Returns and credits"),
    "money",
    "lower",
    noop("Gross revenue minus net revenue: what returns and credit notes took off, each on its own day. A positive amount."),
)
REVENUE_CUSTOMER_UNKNOWN = Metric(
    "revenue_customer_unknown",
    noop("Customer unknown"),
    "money",
    "neither",
    noop("Net revenue of the orders and returns that name no customer: in revenue, in no customer count."),
)
GROSS_MARGIN = Metric(
    "gross_margin",
    noop("Gross margin"),
    "money",
    "higher",
    noop("Net revenue minus cost of goods, over the lines whose cost is known; unknown where no line has a cost."),
)
GROSS_MARGIN_SHARE = Metric(
    "gross_margin_share",
    noop("Gross margin share"),
    "share",
    "higher",
    noop("Gross margin divided by the net revenue of the same lines, those whose cost is known."),
)
ORDERS = Metric(
    "orders",
    noop("Orders"),
    "count",
    "higher",
    noop("Purchases: orders not cancelled with at least one line of positive quantity that is no gift; those without a customer included."),
)
ORDERS_IDENTIFIED = Metric(
    "orders_identified",
    noop("Orders of known customers"),
    "count",
    "higher",
    noop("Purchases that name a customer."),
)
ACTIVE_CUSTOMERS = Metric(
    "active_customers",
    noop("Active customers"),
    "count",
    "higher",
    noop("Different customers with at least one purchase in the period; a return alone makes nobody active."),
)
NEW_CUSTOMERS = Metric(
    "new_customers",
    noop("New customers"),
    "count",
    "higher",
    noop("Active customers whose first purchase ever, in any region, channel or category, lies in the period."),
)
RETURNING_CUSTOMERS = Metric(
    "returning_customers",
    noop("Returning customers"),
    "count",
    "higher",
    noop("Active customers whose first purchase ever lies before the period."),
)
AVERAGE_ORDER_VALUE = Metric(
    "average_order_value",
    noop("Average order value"),
    "money_per_order",
    "higher",
    noop("Net revenue divided by orders, those without a customer included in both."),
)
ORDERS_PER_CUSTOMER = Metric(
    "orders_per_customer",
    noop("Orders per customer"),
    "ratio",
    "higher",
    noop("Orders of known customers divided by active customers."),
)
REPEAT_RATE = Metric(
    "repeat_rate",
    noop("Repeat rate"),
    "share",
    "higher",
    noop("Active customers with at least two purchases in the period divided by all active customers; with Wilson's 95% interval."),
    noop("Wilson, E. B. (1927), Probable inference, Journal of the American Statistical Association 22, 209-212."),
)
METRICS: tuple[Metric, ...] = (
    NET_REVENUE,
    NET_REVENUE_IDENTIFIED,
    GROSS_REVENUE_IDENTIFIED,
    GROSS_REVENUE,
    RETURNS,
    REVENUE_CUSTOMER_UNKNOWN,
    GROSS_MARGIN,
    GROSS_MARGIN_SHARE,
    ORDERS,
    ORDERS_IDENTIFIED,
    ACTIVE_CUSTOMERS,
    NEW_CUSTOMERS,
    RETURNING_CUSTOMERS,
    AVERAGE_ORDER_VALUE,
    ORDERS_PER_CUSTOMER,
    REPEAT_RATE,
)
HEADLINE: tuple[Metric, ...] = (NET_REVENUE, GROSS_MARGIN_SHARE, ORDERS, ACTIVE_CUSTOMERS, AVERAGE_ORDER_VALUE, REPEAT_RATE)
"""What the page shows large."""

TREND: tuple[Metric, ...] = (NET_REVENUE, ORDERS, ACTIVE_CUSTOMERS, NEW_CUSTOMERS, AVERAGE_ORDER_VALUE, REPEAT_RATE)
"""What the page draws over time, one at a time."""

WITH_TARGET: tuple[Metric, ...] = (NET_REVENUE, ORDERS, NEW_CUSTOMERS)
"""What a reader may set a monthly target for."""

ADDITIVE: frozenset[str] = frozenset(
    metric.name for metric in METRICS if metric.unit == "money" or metric in (ORDERS, ORDERS_IDENTIFIED, NEW_CUSTOMERS)
)
"""Metrics whose months add up to the period; only these can have a target for it. Active customers of two months are not two groups."""
