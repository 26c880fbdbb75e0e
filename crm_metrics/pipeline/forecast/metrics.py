"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

WON_SO_FAR = Metric(
    "won_so_far",
    noop("Won so far"),
    "money",
    "higher",
    noop("Sum of the value of the deals that were won in the quarter by today; deals of unknown value are left out."),
)
QUARTER_FORECAST = Metric(
    "quarter_forecast",
    noop("Forecast"),
    "money",
    "higher",
    noop(
        "Median of the value won by the end of the quarter, over 2,000 simulated quarters: what is won so far, what open deals add,"
        " and what deals add that are reopened or not created yet. The interval is that of the simulation, widened where past forecasts"
        " missed more."
    ),
)
WEIGHTED_PIPELINE = Metric(
    "weighted_forecast",
    noop("Weighted forecast"),
    "money",
    "higher",
    noop(
        "Value won so far, and the value of each open deal times the share of deals entering its stage that are won in the end, whenever"
        " that is: not a forecast of this quarter alone. Deals of unknown value are left out."
    ),
)
QUOTA = Metric(
    "quarter_quota",
    noop("Quota"),
    "money",
    "neither",
    noop("Sum of the quotas of the sellers in view for the quarter."),
)
COVERAGE = Metric(
    "pipeline_coverage",
    noop("Pipeline coverage"),
    "ratio",
    "higher",
    noop(
        "Value of the open deals, whenever they are expected to close, divided by what is missing to the quota: open / (quota - won). "
        "Unknown once the quota is met."
    ),
    noop("As in Salesforce."),
)
CHANCE_OF_QUOTA = Metric(
    "chance_of_quota",
    noop("Chance of the quota"),
    "share",
    "higher",
    noop("Share of the simulated quarters in which the value won reaches the quota."),
)
METRICS: tuple[Metric, ...] = (QUARTER_FORECAST, WON_SO_FAR, QUOTA, CHANCE_OF_QUOTA, COVERAGE, WEIGHTED_PIPELINE)
