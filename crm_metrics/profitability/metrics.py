"""The metrics of the room, each declared once."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_WHALE = noop(
    "Kaplan and Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5): the whale curve"
)
_PARETO = noop("Koch (1998), The 80/20 Principle; Lorenz (1905), Publications of the American Statistical Association 9, 209-219")

PROFIT = Metric(
    "profit",
    noop("Profit of the customers"),
    "money",
    "higher",
    noop(
        "Net revenue less cost of goods, cost to serve and marketing, summed over the customers with an order or a cost in the period; "
        "sales without a customer and costs that no one customer caused are not in it. Returns and discounts are off net revenue already."
    ),
    noop("Kaplan and Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5)"),
)
PROFIT_OF_TOP_FIFTH = Metric(
    "profit_of_top_fifth",
    noop("Profit from the best 20%"),
    "share",
    "neither",
    noop(
        "Profit of the most profitable 20% of the customers divided by the profit of all; it passes 100% where the others together lose "
        "money. A fifth that is no whole number is rounded up."
    ),
    _WHALE,
)
CUSTOMERS_FOR_80_PERCENT = Metric(
    "customers_for_80_percent",
    noop("Customers who make 80%"),
    "share",
    "neither",
    noop(
        "The fewest customers who together hold 80% of the profit (of net revenue where costs are unknown) divided by all customers with "
        "an order or a cost in the period."
    ),
    _PARETO,
)
PEAK_SHARE = Metric(
    "peak_share",
    noop("Peak of cumulative profit"),
    "share",
    "lower",
    noop(
        "Profit of all customers who earn something divided by the profit of all customers. What is above 100% is lost again to the "
        "customers who lose money."
    ),
    _WHALE,
)
LOSING_CUSTOMERS = Metric(
    "losing_customers",
    noop("Customers who lose money"),
    "count",
    "lower",
    noop("Customers whose profit in the period is below zero."),
)
LOST_TO_LOSING_CUSTOMERS = Metric(
    "lost_to_losing_customers",
    noop("Lost to them"),
    "money",
    "lower",
    noop("Sum of the losses of the customers whose profit in the period is below zero, as a positive amount."),
)
NET_REVENUE = Metric(
    "net_revenue",
    noop("Net revenue of known customers"),
    "money",
    "higher",
    noop("Net amounts of all lines of the customers in the period, returns and credit notes negative; sales without a customer not in it."),
)
REVENUE_OF_TOP_FIFTH = Metric(
    "revenue_of_top_fifth",
    noop("Revenue from the top 20%"),
    "share",
    "neither",
    noop("Net revenue of the 20% of customers who spend most divided by the net revenue of all; a fifth is rounded up."),
    _PARETO,
)
GINI_OF_REVENUE = Metric(
    "gini_of_revenue",
    noop("Gini of revenue"),
    "ratio",
    "neither",
    noop(
        "Twice the area between the Lorenz curve of net revenue by customer and the diagonal: 0 where all spend the same, near 1 where one "
        "spends all. Customers who gave back more than they bought count 0. Of profit there is none: below zero it says nothing."
    ),
    noop("Gini (1912), Variabilità e mutabilità; Lorenz (1905), Publications of the American Statistical Association 9, 209-219"),
)
CUSTOMERS = Metric(
    "customers",
    noop("Customers with a purchase"),
    "count",
    "higher",
    noop("Customers with at least one purchase in the period; anonymous sales are in none."),
)
METRICS = (
    PROFIT,
    PROFIT_OF_TOP_FIFTH,
    CUSTOMERS_FOR_80_PERCENT,
    PEAK_SHARE,
    LOSING_CUSTOMERS,
    LOST_TO_LOSING_CUSTOMERS,
    NET_REVENUE,
    REVENUE_OF_TOP_FIFTH,
    GINI_OF_REVENUE,
    CUSTOMERS,
)
