"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

PAYBACK_MONTH = Metric(
    "payback_month",
    noop("Months to payback"),
    "count",
    "lower",
    noop(
        "The first whole month after the first purchase at whose end customers have on average brought as much gross margin (net revenue "
        "where costs are unknown) as winning one cost; averages over the customers who came so long ago. A dash: not yet, or no cost known."
    ),
)
ACQUISITION_COST = Metric(
    "acquisition_cost_per_customer",
    noop("Acquisition cost per customer"),
    "money_per_customer",
    "lower",
    noop(
        "Acquisition cost divided by the customers for whom it is known; where it is known of none, the spend of acquisition campaigns "
        "divided by the customers won up to today."
    ),
)
VALUE_12_MONTHS = Metric(
    "value_12_months",
    noop("Brought in the first 12 months"),
    "money_per_customer",
    "higher",
    noop(
        "Gross margin (net revenue where costs are unknown) of the first twelve months after the first purchase, divided by the customers "
        "who came at least twelve months ago. 95% t-interval; with skewed amounts and few customers it is too narrow."
    ),
)
VALUE_TO_COST = Metric(
    "value_to_cost",
    noop("12-month value to acquisition cost"),
    "ratio",
    "higher",
    noop("What a customer brings in the first twelve months divided by what winning one cost: above 1 it has paid within a year."),
)
FIVE_POINTS = Metric(
    "five_points_worth",
    noop("Worth of five points more retention"),
    "share",
    "neither",
    noop(
        "By how much the value of the customers rises if the share who stay a year rises by five points: margin a year x r / (1 + d - r), "
        "with r the share of the customers of a year ago who bought in the last year, d the discount. The interval is that of r (Wilson)."
    ),
    noop("Gupta and Lehmann (2003), Customers as assets, Journal of Interactive Marketing 17(1), 9-24"),
)
KEEPING_TO_WINNING = Metric(
    "keeping_to_winning",
    noop("Retention cost to acquisition cost"),
    "ratio",
    "neither",
    noop(
        "Spend on campaigns that keep customers and on rewards, divided by the customers who stayed; that divided by the cost of winning "
        "a new customer. Both in the period. The rule of thumb is one fifth."
    ),
)
METRICS: tuple[Metric, ...] = (PAYBACK_MONTH, ACQUISITION_COST, VALUE_12_MONTHS, VALUE_TO_COST, FIVE_POINTS, KEEPING_TO_WINNING)
