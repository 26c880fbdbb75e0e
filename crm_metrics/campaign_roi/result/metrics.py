"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_DIFFERENCE = noop(
    "Neyman (1923), Statistical Science 5, 465-472; Welch (1947), Biometrika 34, 28-35; Imbens and Rubin (2015), Causal Inference, ch. 9"
)

UPLIFT = Metric(
    "uplift",
    noop("Uplift per person"),
    "money_per_customer",
    "higher",
    noop(
        "Amount per person treated less amount per person of the control group, both drawn by lot, from the first day of the campaign to "
        "the last on which a result counts; weighted by stratum where it was split so. People who bought nothing count 0."
    ),
    _DIFFERENCE,
)
UPLIFT_SHARE = Metric(
    "uplift_share",
    noop("Uplift in share of people"),
    "share",
    "higher",
    noop("Share of the people treated who did it less that share of the control group, both drawn by lot: a difference in points."),
    _DIFFERENCE,
)
UPLIFT_ORDERS = Metric(
    "uplift_orders",
    noop("Uplift in purchases per person"),
    "ratio",
    "higher",
    noop("Purchases per person treated less purchases per person of the control group, both drawn by lot."),
    _DIFFERENCE,
)
EXTRA = Metric(
    "extra",
    noop("Extra because of the campaign"),
    "money",
    "higher",
    noop(
        "Extra gross margin per person times the people treated; extra net revenue where costs of goods are not known, extra spend where "
        "the campaign's own file records it."
    ),
)
SMALLEST_LIFT = Metric(
    "smallest_lift",
    noop("Smallest detectable lift"),
    "share",
    "lower",
    noop("Smallest lift over the control group that a test of these people detects with a chance of 80%, at 5% false alarms."),
    "Chow, Shao and Wang (2008)",
)
COST = Metric(
    "cost",
    noop("Cost of the campaign"),
    "money",
    "lower",
    noop("What was spent on the campaign by today, shared alike by all people treated. Unknown where nothing is recorded, which is not 0."),
)
INCREMENTAL_PROFIT = Metric(
    "incremental_profit",
    noop("Extra less cost"),
    "money",
    "higher",
    noop("What the campaign brought more than without it, less what it cost."),
)
INCREMENTAL_ROI = Metric(
    "incremental_roi",
    noop("Incremental return on cost"),
    "share",
    "higher",
    noop("What the campaign brought more than without it, less its cost, divided by its cost. It needs a control group and a cost."),
    noop("Farris et al. (2010), Marketing Metrics, 2nd edition, chapter 10: return on marketing investment"),
)
CHANCE_OF_PROFIT = Metric(
    "chance_of_profit",
    noop("Chance that it paid"),
    "share",
    "higher",
    noop(
        "Chance that what the campaign brought more than without it is above its cost, by the t distribution of the difference, where "
        "nothing was known of it beforehand."
    ),
)
METRICS: tuple[Metric, ...] = (
    UPLIFT,
    UPLIFT_SHARE,
    UPLIFT_ORDERS,
    SMALLEST_LIFT,
    EXTRA,
    COST,
    INCREMENTAL_PROFIT,
    INCREMENTAL_ROI,
    CHANCE_OF_PROFIT,
)
