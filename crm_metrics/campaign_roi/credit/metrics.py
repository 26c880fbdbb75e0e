"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_MULTI_TOUCH = noop("Kannan, Reinartz and Verhoef (2016), International Journal of Research in Marketing 33(3), 449-456: attribution")
_HOLDOUT = noop("Lewis and Rao (2015), The unfavorable economics of measuring the returns to advertising, QJE 130(4), 1941-1973")

CAMPAIGNS = Metric("campaigns", noop("Campaigns"), "count", "neither", noop("Campaigns that began by today and ran in the period."))
REACH = Metric(
    "campaigns_reach",
    noop("Reached"),
    "count",
    "higher",
    noop(
        "Members of the campaigns whom it treated, summed over the campaigns: who was in two counts twice; the control group is not in it."
    ),
)
COST = Metric(
    "campaigns_cost",
    noop("Cost"),
    "money",
    "lower",
    noop("Costs recorded of the campaigns by today; a campaign without any recorded cost is in no ratio with cost."),
)
RESPONSE_RATE = Metric(
    "campaigns_response_rate",
    noop("Response rate"),
    "share",
    "higher",
    noop("Treated members who responded divided by the treated members of whom it is recorded whether they did."),
)
ATTRIBUTED_REVENUE = Metric(
    "attributed_revenue",
    noop("Attributed revenue"),
    "money",
    "higher",
    noop(
        "Net revenue of the purchases that are credited to the campaigns by the rule named, each purchase once at most. It says which "
        "campaign stood beside a purchase, not that it would have been missing otherwise."
    ),
    _MULTI_TOUCH,
)
ATTRIBUTED_MARGIN = Metric(
    "attributed_margin",
    noop("Attributed margin"),
    "money",
    "higher",
    noop(
        "Net revenue less cost of goods of the purchases that are credited to the campaigns by the rule named, each purchase once at most. "
        "It says which campaign stood beside a purchase, not that it would have been missing otherwise."
    ),
    _MULTI_TOUCH,
)
ATTRIBUTED_ROI = Metric(
    "attributed_roi",
    noop("Attributed ROI"),
    "share",
    "higher",
    noop(
        "(Attributed margin, or revenue where costs of goods are unknown, less cost) divided by cost, summed over the campaigns with a "
        "recorded cost. Without a cost there is none."
    ),
    _MULTI_TOUCH,
)
INCREMENTAL = Metric(
    "campaigns_incremental",
    noop("Incremental money"),
    "money",
    "higher",
    noop(
        "Of the campaigns with a control group: margin (or revenue) per treated member less that per member of the control group, times "
        "the treated members. Campaigns whose groups were not drawn in the planned sizes are left out."
    ),
    _HOLDOUT,
)
INCREMENTAL_ROI = Metric(
    "campaigns_incremental_roi",
    noop("Incremental ROI"),
    "share",
    "higher",
    noop(
        "(Incremental money less cost) divided by cost, summed over the campaigns with a control group and a recorded cost. The interval "
        "adds up the variances of the campaigns."
    ),
    _HOLDOUT,
)
METRICS = (
    CAMPAIGNS,
    REACH,
    COST,
    RESPONSE_RATE,
    ATTRIBUTED_REVENUE,
    ATTRIBUTED_MARGIN,
    ATTRIBUTED_ROI,
    INCREMENTAL,
    INCREMENTAL_ROI,
)
