"""What flows, kinds of customers and lines are called, and how the columns of the page's tables are headed and printed."""

from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import CUSTOMER, known_columns
from crm_metrics.language import noop, t

FLOWS = {
    "opening": noop("At the start"),
    "new": noop("New"),
    "reactivated": noop("Reactivated"),
    "expansion": noop("Bought more"),
    "contraction": noop("Bought less"),
    "unchanged": noop("Bought the same"),
    "lost": noop("Left"),
    "closing": noop("At the end"),
}
KINDS = {"new": noop("New"), "returning": noop("Returning"), "resurrected": noop("Resurrected"), "dormant": noop("Dormant")}
LINES = {
    "chosen": noop("as set above"),
    "needed": noop("churn + growth"),
    "double": noop("twice the growth"),
    "market": noop("as much as the growth"),
}
UNITS = {"customers": noop("Customers"), "revenue": noop("Net revenue"), "source": noop("The source's example")}
MEASURES = {"customers": noop("Customers"), "net_revenue": noop("Net revenue")}
GRAINS = {"day": noop("by day"), "week": noop("by week"), "month": noop("by month"), "quarter": noop("by quarter")}
PLANS = {"ours": noop("Our figures"), "source": noop("The source's example")}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "leaky_bucket": {
        "flow": (noop("Flow"), "text"),
        "customers": (noop("Customers"), "count"),
        "share_of_opening_customers": (noop("Share of customers at the start"), "share"),
        "net_revenue": (noop("Net revenue"), "money"),
        "share_of_opening_revenue": (noop("Share of revenue at the start"), "share"),
        "behind": (noop("Customers involved"), "count"),
    },
    "bucket_customers": {
        **CUSTOMER,
        "flow": (noop("Flow"), "text"),
        "opening_revenue": (noop("Net revenue at the start"), "money"),
        "closing_revenue": (noop("Net revenue at the end"), "money"),
        "change": (noop("Change"), "money"),
        "last_purchase_on": (noop("Last purchase"), "day"),
    },
    "lifecycle": {
        "bucket_on": (noop("From"), "day"),
        "new": (noop("New"), "count"),
        "returning": (noop("Returning"), "count"),
        "resurrected": (noop("Resurrected"), "count"),
        "dormant": (noop("Dormant"), "count"),
        "active": (noop("Active"), "count"),
        "active_before": (noop("Active in the period before"), "count"),
        "is_unfinished": (noop("Unfinished"), "flag"),
    },
    "lifecycle_customers": {
        **CUSTOMER,
        "purchases": (noop("Purchases in both periods"), "count"),
        "first_on": (noop("First purchase"), "day"),
        "last_on": (noop("Last purchase"), "day"),
    },
    "acquisition_needed": {
        "unit": (noop("Case"), "text"),
        "opening": (noop("At the start"), "number"),
        "churn": (noop("Share lost"), "share"),
        "won": (noop("Acquisition rate"), "share"),
        "growth": (noop("Target growth"), "share"),
        "needed_rate": (noop("Needed: churn + growth"), "share"),
        "double_rate": (noop("Twice the growth"), "share"),
        "wished": (noop("At target growth"), "number"),
        "after_chosen": (noop("At the acquisition chosen"), "number"),
        "after_market": (noop("Acquisition = growth"), "number"),
        "after_double": (noop("Acquisition = twice the growth"), "number"),
    },
    "hole_cost": {
        "churn": (noop("Customers lost"), "share"),
        "marketing": (noop("Marketing"), "money"),
        "sales_visits": (noop("Sales visits"), "money"),
        "expense": (noop("Together"), "money"),
        "hole_cost": (noop("Cost of replacing lost customers"), "money"),
    },
}
columns = partial(known_columns, COLUMNS)


def in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table as shown: flows and units in the reader's language."""
    named = {"flow": FLOWS, "unit": UNITS}
    return rows.assign(**{column: [t(names[key]) for key in rows[column]] for column, names in named.items() if column in rows})


def signed(text: str, value: float) -> str:
    """Return a number as printed with a plus where it is above zero."""
    return f"+{text}" if value > 0 else text
