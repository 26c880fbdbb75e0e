"""What goes with the figures and tables of the room: headings, alt texts, and what their reader should know."""

from functools import partial
from typing import Any

from crm_metrics.captions import CUSTOMER, Captions, known_columns
from crm_metrics.language import noop
from crm_metrics.metric import Metric
from crm_metrics.segmentation.metrics import AT_RISK_REVENUE, BEST_CUSTOMERS_SHARE, LAPSE_LIMIT_DAYS, LAPSED_SHARE

QUESTIONS: dict[str, str] = {
    "segments": noop("Which segments?"),
    "movement": noop("Who moved?"),
    "lapse": noop("When is a customer lost?"),
    "customers": noop("Which customers?"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "segments": noop("Fields of recency and frequency score, one per segment, with its customers and share of net revenue."),
    "flow": noop("Bands: customers from their segment on the earlier day to the one on the later day."),
    "matrix": noop("Table of fields: a row per segment on the earlier day, the share of its customers in each segment on the later."),
    "lapse": noop("Bars: share of returns by days between purchases, with the limits marked."),
}
_MOVES = noop(
    "The cut points of the later day count for both days: people move and not the yardstick. Orders only add up, so who goes on buying as "
    "before moves up as well. Green: up; orange: down; grey: neither."
)
NOTES: dict[str, str] = {  # by the name of the figure or table
    "segments": noop(
        "Each customer with a purchase up to the as-of date has a score of 1 to 5 for days since the last order and one for orders "
        "(purchases; those worth zero count). Equal values get equal scores, so a score may have nobody; under each stand the values of "
        "those who have it. On each field: customers · share of net revenue up to the as-of date, returns taken off; the darker, the "
        "more. Monetary value has a score of its own in the table of customers. A click shows the customers. Left out: sales without a "
        "customer."
    ),
    "flow": _MOVES,
    "matrix": noop("The numbers are % of the row. Faded: rows with under 30 customers. Under 0.5% no number is written."),
    "lapse": noop(
        "Days between one day of purchase and the next that ended in the last two years up to the as-of date. Every interval counts alike, "
        "so customers who buy often weigh more. The limits count who is silent now as not back yet (Kaplan and Meier, 1958). Defecting: "
        "nine of ten of the returns that come within the days said above have come; shaded: its 95% interval. Inactive: 99 of 100 have. "
        "Not drawn: the longest hundredth of the intervals."
    ),
    "cut_points": noop(
        "Four rising numbers make the five scores; a value equal to one belongs to those below it. Empty: fifths of the customers, the "
        "numbers shown. Months left out don't count at all, in P(alive) and expected value they still do."
    ),
    "table": noop("Choose a row, or a field above, to see its customers."),
    "forecast": noop("P(alive) is the mean by the MBG/NBD model; expected value is of the next 12 months, discounted at 10% a year."),
    "nobody_leaves": noop(
        "No P(alive): these data show nobody leaving for good, so nearly 100% for everybody would be an assumption and no finding. "
        "Expected value is of the next 12 months, discounted at 10% a year, as if everybody stayed."
    ),
    "all_orders": noop("All orders up to the last day count, those before the period too."),
    "customers": noop("Recency, frequency, monetary value: scores of 1 to 5, 5 is best. A click opens the customer."),
}
DRAWN: dict[str, tuple[Metric, ...]] = {  # by the name of the figure
    "segments": (BEST_CUSTOMERS_SHARE, AT_RISK_REVENUE),
    "lapse": (LAPSE_LIMIT_DAYS, LAPSED_SHARE),
}
CUT_LABELS: dict[str, str] = {  # by measure
    "days_since_last_order": noop("Recency: days since the last order"),
    "orders": noop("Frequency: orders"),
    "net_revenue": noop("Monetary value: net revenue"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "segments": {
        "label": (noop("Segment"), "text"),
        "customers": (noop("Customers"), "count"),
        "customers_share": (noop("Share of customers"), "share"),
        "net_revenue": (noop("Net revenue"), "money"),
        "net_revenue_share": (noop("Share of revenue"), "share"),
        "gross_margin": (noop("Gross margin"), "money"),
        "probability_alive": (noop("P(alive)"), "share"),
        "expected_value": (noop("Expected value"), "money"),
        "days_since_last_order_median": (noop("Median days since last order"), "days"),
        "orders_mean": (noop("Orders per customer"), "ratio"),
        "gross_margin_share": (noop("Share of gross margin"), "share"),
        "expected_value_per_customer": (noop("Expected value per customer"), "money"),
        "advice": (noop("What to do"), "long text"),
    },
    "customers": {
        **CUSTOMER,
        "label": (noop("Segment"), "text"),
        "rfm": (noop("R, F, M"), "text"),
        "days_since_last_order": (noop("Days since last order"), "count"),
        "orders": (noop("Orders"), "count"),
        "net_revenue": (noop("Net revenue"), "money"),
        "last_on": (noop("Last purchase"), "day"),
        "probability_alive": (noop("P(alive)"), "share"),
        "expected_value": (noop("Expected value"), "money"),
    },
    "lapse": {
        "days_from": (noop("Days from"), "count"),
        "days_to": (noop("Days to"), "count"),
        "gaps": (noop("Repeat purchases"), "count"),
        "gaps_share": (noop("Share of returns"), "share"),
        "cumulative_share": (noop("Share of returns so far"), "share"),
        "returned_share": (noop("Intervals ended, the silent counted"), "share"),
    },
    "movement": {
        "from_label": (noop("Segment before"), "text"),
        "to_label": (noop("Segment after"), "text"),
        "customers": (noop("Customers"), "count"),
        "share_of_from": (noop("Share of those before"), "share"),
        "net_revenue": (noop("Net revenue in between"), "money"),
    },
}
columns = partial(known_columns, COLUMNS)


_CAPTIONS = Captions(ALT_TEXTS, NOTES, DRAWN)
about, remark = _CAPTIONS.about, _CAPTIONS.remark
