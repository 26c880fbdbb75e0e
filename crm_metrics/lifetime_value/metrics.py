"""The metrics of the room, each declared once."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_SOURCE = noop(
    "Fader, Hardie and Lee (2005), BG/NBD; Fader and Hardie (2013), Gamma-Gamma; 95% prediction interval: parameters refitted on 200 "
    "resamples of customers, and what customers buy and spend drawn from the model, above 2,000 of a weighted sample; the model's own "
    "error is not in it: see the hold-out"
)
_SOURCE_OF_A_MEAN = noop(
    "Fader, Hardie and Lee (2005), BG/NBD; Fader and Hardie (2013), Gamma-Gamma; 95% interval of the mean of new customers: parameters "
    "refitted on 200 resamples of customers"
)

CUSTOMER_BASE_VALUE = Metric(
    "customer_base_value",
    noop("Customer base value"),
    "money",
    "higher",
    noop(
        "Sum over the customers of expected purchases x expected margin per purchase (net revenue where costs are unknown) in the "
        "coming months, 12 unless chosen, discounted to the as-of date at a yearly rate, 10% unless chosen."
    ),
    _SOURCE,
)
EXPECTED_PURCHASES = Metric(
    "expected_purchases",
    noop("Expected purchases"),
    "count",
    "higher",
    noop("Sum over the customers of the purchase days the BG/NBD expects in the coming months; not discounted."),
    _SOURCE,
)
VALUE_PER_CUSTOMER = Metric(
    "value_per_customer",
    noop("Value per customer"),
    "money_per_customer",
    "higher",
    noop("Customer base value / customers who ever purchased, lost ones included."),
    _SOURCE,
)
NEW_CUSTOMER_VALUE = Metric(
    "new_customer_value",
    noop("Value of a new customer"),
    "money_per_customer",
    "higher",
    noop(
        "Discounted expected value of the repeat purchases of one customer who buys for the first time on the as-of date; the first "
        "purchase itself is not in it. The most that winning a customer may cost beyond what the first purchase earns."
    ),
    _SOURCE_OF_A_MEAN,
)
HOLDOUT_ERROR = Metric(
    "holdout_error",
    noop("Error of the forecast"),
    "share",
    "neither",
    noop(
        "(Predicted - actual) / actual repeat purchase days after the model's last day, all customers known by then; fitted only on what "
        "came before."
    ),
    noop("Fader, Hardie and Lee (2005), hold-out test; interval: normal, from the customers' own errors"),
)
MODELLED_CUSTOMERS = Metric(
    "modelled_customers",
    noop("Customers so far"),
    "count",
    "higher",
    noop("Customers with a purchase up to the as-of date; anonymous sales are in none."),
)
REPEATERS = Metric(
    "repeaters",
    noop("Customers who came back"),
    "count",
    "higher",
    noop("Customers with purchases on at least two business days up to the as-of date."),
)
REPEAT_PURCHASES = Metric(
    "repeat_purchases",
    noop("Repeat purchases"),
    "count",
    "higher",
    noop("Purchase days after each customer's first, up to the as-of date."),
)
METRICS = (
    CUSTOMER_BASE_VALUE,
    EXPECTED_PURCHASES,
    VALUE_PER_CUSTOMER,
    NEW_CUSTOMER_VALUE,
    HOLDOUT_ERROR,
    MODELLED_CUSTOMERS,
    REPEATERS,
    REPEAT_PURCHASES,
)
