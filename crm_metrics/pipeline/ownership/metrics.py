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
METRICS: tuple[Metric, ...] = (
    OPEN_DEALS,
    BLIND_SPOT_SHARE,
    BLIND_SPOT_VALUE,
    WITHOUT_CONTACT_SHARE,
    UNASSIGNED_CUSTOMERS,
    HANDOVER_HOURS,
)
