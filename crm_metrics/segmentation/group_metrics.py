"""The metrics of clusters and of the three axes, each declared once."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

CLUSTERED_CUSTOMERS = Metric(
    "clustered_customers",
    noop("Customers in clusters"),
    "count",
    "neither",
    noop("Customers with a purchase up to the as-of date; none where they are too few to be told apart."),
)
SILHOUETTE = Metric(
    "silhouette",
    noop("Silhouette"),
    "ratio",
    "higher",
    noop(
        "Mean over 2,000 customers of (distance to the next cluster - distance to the own) / the larger of both: 1 stands apart, 0 lies "
        "between two; under .25 there are no clusters to speak of."
    ),
    noop("Rousseeuw (1987); Kaufman and Rousseeuw (1990), Finding Groups in Data"),
)
STABILITY = Metric(
    "stability",
    noop("Stability of the clusters"),
    "ratio",
    "higher",
    noop("Mean adjusted Rand index between the clusters and those found in 20 resamples of the customers: 1 the same, 0 chance."),
    noop("Hubert and Arabie (1985); Hennig (2007)"),
)
ANSWER_RATE = Metric(
    "answer_rate",
    noop("Customers who answered"),
    "share",
    "higher",
    noop("Customers with a purchase who answered a survey up to the as-of date / those who were asked."),
)
SATISFIED_SHARE = Metric(
    "satisfied_share",
    noop("Satisfied customers"),
    "share",
    "higher",
    noop(
        "Customers whose mean answer is satisfied by the cut points / customers who answered, with its 95% interval as if those had been "
        "drawn by lot from all; that the satisfied may answer more readily is not in it."
    ),
    noop("Wilson (1927)"),
)
LOYAL_SHARE = Metric(
    "loyal_share",
    noop("Loyal customers"),
    "share",
    "higher",
    noop("Customers with as many orders, the last as lately, as the cut points ask / customers with a purchase up to the as-of date."),
)
DISSATISFIED_PROFIT = Metric(
    "dissatisfied_profit",
    noop("Brought by the best who are dissatisfied"),
    "money",
    "lower",
    noop(
        "Profit up to the as-of date of the customers who earn most and are dissatisfied; gross margin or net revenue where costs are "
        "unknown. It is what they brought so far, no forecast of what they would bring."
    ),
)
CLUSTER_METRICS = (CLUSTERED_CUSTOMERS, SILHOUETTE, STABILITY)
AXES_METRICS = (ANSWER_RATE, SATISFIED_SHARE, LOYAL_SHARE, DISSATISFIED_PROFIT)
