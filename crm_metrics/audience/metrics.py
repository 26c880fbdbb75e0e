"""What each number of the room means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

CUSTOMERS = Metric(
    "segment_customers",
    noop("Customers"),
    "count",
    "higher",
    noop("Customers with an order, whenever it was placed, who meet the rule on the as-of day."),
)
CUSTOMERS_SHARE = Metric(
    "segment_customers_share",
    noop("Share of customers"),
    "share",
    "neither",
    noop("Customers in the segment divided by all customers with an order."),
)
REVENUE = Metric(
    "segment_net_revenue",
    noop("Net revenue so far"),
    "money",
    "higher",
    noop("Net amounts of all orders of the segment's customers up to the as-of day."),
)
REVENUE_SHARE = Metric(
    "segment_net_revenue_share",
    noop("Share of net revenue"),
    "share",
    "neither",
    noop("Net revenue so far of the segment's customers divided by that of all known customers."),
)
CONTACTABLE = Metric(
    "segment_contactable",
    noop("May be contacted"),
    "count",
    "higher",
    noop("Customers in the segment who agreed to be contacted for marketing; unknown counts as no. Only they are in the audience."),
)
ORDERS_PER_CUSTOMER = Metric(
    "segment_orders_per_customer",
    noop("Orders per customer"),
    "ratio",
    "higher",
    noop("Purchases of the segment's customers up to the as-of day divided by these customers."),
)
METRICS = (CUSTOMERS, CUSTOMERS_SHARE, REVENUE, REVENUE_SHARE, CONTACTABLE, ORDERS_PER_CUSTOMER)
