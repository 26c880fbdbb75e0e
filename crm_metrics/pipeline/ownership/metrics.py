"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

OPEN_DEALS = Metric("open_deals", noop("Open deals"), "count", "neither", noop("Deals that are open today, whenever they were created."))
BLIND_SPOT_SHARE = Metric(
    "blind_spot_share",
    noop("Deals with a blind spot"),
    "share",
    "lower",
    noop(
        "Open deals with at least one blind spot, divided by all open deals: no contact for more than 30 days (or as chosen), no next step,"
        " nobody in charge, an expected closing day that has passed, or a key field that is empty."
    ),
)
BLIND_SPOT_VALUE = Metric(
    "blind_spot_value",
    noop("Value of deals with a blind spot"),
    "money",
    "lower",
    noop("Sum of the value of the open deals with at least one blind spot; deals of unknown value are left out."),
)
WITHOUT_CONTACT_SHARE = Metric(
    "without_contact_share",
    noop("Deals without contact"),
    "share",
    "lower",
    noop(
        "Open deals without any activity for them or with their customer, or question of the customer to service, for more than 30 days (or"
        " as chosen), divided by all open deals."
    ),
)
UNASSIGNED_CUSTOMERS = Metric(
    "unassigned_customers",
    noop("Customers of nobody"),
    "count",
    "lower",
    noop("Customers without an owner, or whose owner has left; kinds of customers that never have an owner are not counted."),
)
HANDOVER_HOURS = Metric(
    "handover_hours",
    noop("Hours from service to deal, median"),
    "ratio",
    "lower",
    noop("Median of the hours from a service contact to the deal it brought, over the contacts of the period that brought one."),
)
DUE_CUSTOMERS = Metric(
    "due_customers",
    noop("Customers due to buy again"),
    "count",
    "neither",
    noop(
        "Customers whose days since the last purchase are at least the interval expected of them, and who are more likely than not still"
        " customers. Expected: from their own purchases, and what is usual of all where they have few."
    ),
)
DUE_VALUE = Metric(
    "due_value",
    noop("Value at stake of customers due"),
    "money",
    "neither",
    noop(
        "Sum over the customers due of the mean value of a purchase times the chance that they still are customers; customers whose"
        " purchases have no known value are left out."
    ),
)
PROBABLY_LOST = Metric(
    "probably_lost",
    noop("Customers probably lost"),
    "count",
    "lower",
    noop("Customers silent for longer than expected who are less likely than not still customers (MBG/CNBD-k model)."),
)
EXPECTED_BUYERS = Metric(
    "expected_buyers",
    noop("Customers expected to buy in 30 days"),
    "count",
    "higher",
    noop("Chances to buy within the next 30 days, added up over all customers with a purchase. Range: 95 of 100 such months."),
)
REPURCHASE_METRICS: tuple[Metric, ...] = (DUE_CUSTOMERS, DUE_VALUE, PROBABLY_LOST, EXPECTED_BUYERS)
OWNER_METRICS: tuple[Metric, ...] = (
    OPEN_DEALS,
    BLIND_SPOT_SHARE,
    BLIND_SPOT_VALUE,
    WITHOUT_CONTACT_SHARE,
    UNASSIGNED_CUSTOMERS,
    HANDOVER_HOURS,
)
METRICS = (*OWNER_METRICS, *REPURCHASE_METRICS)
