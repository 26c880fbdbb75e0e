"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

CHANCE_OF_PROFIT = Metric(
    "plan_chance_of_profit",
    noop("Chance of profit"),
    "share",
    "higher",
    noop(
        "Chance that the margin which the treated customers bring more than without the campaign exceeds its cost, the expected lift and "
        "the baseline being uncertain."
    ),
)
EXPECTED_PROFIT = Metric(
    "plan_expected_profit",
    noop("Expected profit of the campaign"),
    "money",
    "higher",
    noop(
        "Treated customers x net revenue per customer without the campaign x expected lift x margin share - fixed cost - cost per contact "
        "x treated customers."
    ),
)
COST = Metric(
    "plan_cost",
    noop("Cost of the plan"),
    "money",
    "lower",
    noop("Fixed cost + cost per contact x treated customers, as they were written."),
)
BREAK_EVEN_LIFT = Metric(
    "plan_break_even_lift",
    noop("Break-even lift"),
    "share",
    "lower",
    noop("Lift at which the campaign has just paid: cost / (treated customers x net revenue per customer without it x margin share)."),
)
CUSTOMERS_NEEDED = Metric(
    "plan_customers_needed",
    noop("Customers the test needs"),
    "count",
    "lower",
    noop("Customers in both arms that it takes to find the expected lift with a chance of 80%, at 5% false alarms."),
    "Chow, Shao and Wang (2008)",
)
SMALLEST_LIFT = Metric(
    "plan_smallest_lift",
    noop("Smallest detectable lift"),
    "share",
    "lower",
    noop("Smallest lift that a test of the customers who may be contacted detects, split as planned, with a chance of 80%."),
    "Chow, Shao and Wang (2008)",
)
FINISHED = Metric(
    "log_finished",
    noop("Planned campaigns that are over"),
    "count",
    "neither",
    noop("Planned campaigns whose last day is past."),
)
INSIDE = Metric(
    "log_inside",
    noop("As good as expected"),
    "share",
    "higher",
    noop(
        "Planned campaigns whose lift lies in its 80% range, the luck of the test counted in, divided by those that are over and for "
        "which a lift was expected."
    ),
)
PROFIT_EXPECTED = Metric(
    "log_profit_expected",
    noop("Profit expected of them"),
    "money",
    "neither",
    noop("Sum of the profits that were expected when the campaigns that are over were saved."),
)
PROFIT_FOUND = Metric(
    "log_profit_found",
    noop("Actual profit"),
    "money",
    "higher",
    noop(
        "Sum over the same campaigns: net revenue per treated member more than in the control group x treated members x margin share - "
        "cost, margin and cost as they were saved."
    ),
)
PLAN_METRICS = (CHANCE_OF_PROFIT, EXPECTED_PROFIT, COST, BREAK_EVEN_LIFT, CUSTOMERS_NEEDED, SMALLEST_LIFT)
LOG_METRICS = (FINISHED, INSIDE, PROFIT_EXPECTED, PROFIT_FOUND)
METRICS: tuple[Metric, ...] = (*PLAN_METRICS, *LOG_METRICS)
