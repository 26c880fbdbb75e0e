"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_CHURN = noop("Reichheld and Sasser (1990), Zero defections: quality comes to services, Harvard Business Review 68(5), 105-111")

BUCKET_CUSTOMERS = Metric(
    "bucket_customers",
    noop("Customers at the end"),
    "count",
    "higher",
    noop(
        "Customers with a purchase within the chosen number of days before the end of the period: customers at the beginning + new + "
        "reactivated - lost."
    ),
)
BUCKET_CHURN = Metric(
    "bucket_churn",
    noop("Customer churn, of those at the start"),
    "share",
    "lower",
    noop(
        "Customers at the beginning of the period who are no longer customers at its end, divided by the customers at its beginning. A "
        "customer has bought within the chosen number of days. 95% Wilson interval."
    ),
    _CHURN,
)
BUCKET_REVENUE_CHURN = Metric(
    "bucket_revenue_churn",
    noop("Revenue churn, of that at the start"),
    "share",
    "lower",
    noop(
        "Net revenue of lost customers + the part by which the others bought less, divided by the net revenue of the customers at the "
        "beginning, in the chosen number of days before the period and before its end."
    ),
)
NET_REVENUE_RETENTION = Metric(
    "net_revenue_retention",
    noop("Net revenue retention"),
    "share",
    "higher",
    noop(
        "Net revenue that the customers at the beginning still bring at the end, what they buy more included, divided by what they brought "
        "at the beginning."
    ),
)
WON_PER_LOST = Metric(
    "won_per_lost",
    noop("Won for each customer lost"),
    "ratio",
    "higher",
    noop("New and reactivated customers divided by lost customers: below 1 the bucket empties."),
)
HOLE_COST = Metric(
    "hole_cost",
    noop("Cost of replacing lost customers"),
    "money",
    "lower",
    noop(
        "Share of customers lost x what sales visits and marketing cost in the period: that part of the expense only replaces those who "
        "left. Unknown where no such cost is recorded."
    ),
)
METRICS: tuple[Metric, ...] = (BUCKET_CUSTOMERS, BUCKET_CHURN, BUCKET_REVENUE_CHURN, NET_REVENUE_RETENTION, WON_PER_LOST, HOLE_COST)
