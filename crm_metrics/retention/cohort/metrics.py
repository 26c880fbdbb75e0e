"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_COHORTS = noop(
    "Ryder (1965), The cohort as a concept in the study of social change, American Sociological Review 30, 843-861; Wilson (1927)"
)

CUSTOMERS_WHO_CAME = Metric(
    "customers_who_came",
    noop("New customers"),
    "count",
    "higher",
    noop("Customers whose first purchase ever lies in the period: the customers of all cohorts."),
)
BACK_IN_MONTH_1 = Metric(
    "back_in_month_1",
    noop("Month 1 retention"),
    "share",
    "higher",
    noop(
        "New customers who bought in the calendar month after that of their first purchase, divided by those of whom that month is over, "
        "all monthly cohorts together."
    ),
    _COHORTS,
)
BACK_IN_MONTH_3 = Metric(
    "back_in_month_3",
    noop("Month 3 retention"),
    "share",
    "higher",
    noop(
        "New customers who bought in the third calendar month after that of their first purchase, divided by those of whom that month is "
        "over, all monthly cohorts together."
    ),
    _COHORTS,
)
BACK_WITHIN_3_MONTHS = Metric(
    "back_within_3_months",
    noop("Bought again by month 3"),
    "share",
    "higher",
    noop(
        "New customers with a second purchase by the end of the third calendar month after that of their first, divided by those of whom "
        "that month is over, all monthly cohorts together."
    ),
    _COHORTS,
)
BACK_WITHIN_6_MONTHS = Metric(
    "back_within_6_months",
    noop("Bought again by month 6"),
    "share",
    "higher",
    noop(
        "New customers with a second purchase by the end of the sixth calendar month after that of their first, divided by those of whom "
        "that month is over, all monthly cohorts together."
    ),
    _COHORTS,
)
METRICS: tuple[Metric, ...] = (CUSTOMERS_WHO_CAME, BACK_IN_MONTH_1, BACK_IN_MONTH_3, BACK_WITHIN_3_MONTHS, BACK_WITHIN_6_MONTHS)
