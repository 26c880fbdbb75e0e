"""The metrics of the room, each declared once."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_RFM = noop("Hughes (1994), Strategic Database Marketing: recency, frequency and monetary value in fifths")

CUSTOMERS = Metric(
    "customers",
    noop("Customers"),
    "count",
    "higher",
    noop("Customers with a purchase up to the as-of date; anonymous sales are in none, orders worth zero count."),
)
BEST_CUSTOMERS_SHARE = Metric(
    "best_customers_share",
    noop("Revenue of the best customers"),
    "share",
    "neither",
    noop("Net revenue up to the as-of date of champions and loyal customers / that of all customers."),
    _RFM,
)
AT_RISK_REVENUE = Metric(
    "at_risk_revenue",
    noop("Brought by customers at risk"),
    "money",
    "lower",
    noop(
        "Net revenue up to the as-of date of customers who bought often and have gone quiet: at risk and can't lose. It is what they "
        "brought so far, no forecast of what they would bring."
    ),
    _RFM,
)
LAPSED_SHARE = Metric(
    "lapsed_share",
    noop("Lapsed customers"),
    "share",
    "lower",
    noop("Customers who have been silent longer than the lapse limit / customers with a purchase up to the as-of date."),
)
LAPSE_LIMIT_DAYS = Metric(
    "lapse_limit_days",
    noop("Lapse limit"),
    "days",
    "neither",
    noop(
        "The silence by which nine of ten of the returns that come within two years have come, on shorter data within the days that they "
        "follow, from the days between purchases of the last two years; customers who are silent now count as not back yet. Every interval "
        "counts alike, so customers who buy often weigh more."
    ),
    noop(
        "Kaplan and Meier (1958); entry delayed to the beginning of the two years; 95% interval from 400 draws of the returns of each day"
    ),
)
METRICS = (CUSTOMERS, BEST_CUSTOMERS_SHARE, AT_RISK_REVENUE, LAPSED_SHARE, LAPSE_LIMIT_DAYS)
