"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_KAPLAN_MEIER = noop("Kaplan and Meier (1958), Journal of the American Statistical Association 53, 457-481")
_AT_START = noop("Customers lost / customers at the start, over one period: HubSpot and most vendors")

LATE_CUSTOMERS = Metric(
    "late_customers",
    noop("Late by their own rhythm"),
    "count",
    "lower",
    noop(
        "Customers whose silence up to the as-of day is longer than 95% (or what is set) of the intervals to be expected of them; of all "
        "customers with a purchase up to then. With few intervals of their own, those of all customers count more."
    ),
    noop("Chatfield and Goodhardt (1973), Journal of the American Statistical Association 68, 828-835; Platzer and Reutterer (2016)"),
)
CHURN_BY_RHYTHM = Metric(
    "churn_by_rhythm",
    noop("Churn within a year, by own rhythm"),
    "share",
    "lower",
    noop(
        "Customers who were not late a year before the as-of day and are late on it, divided by all who were not late then. One that came "
        "back in between has not left."
    ),
    _AT_START,
)
CHURN_BY_ALIVE = Metric(
    "churn_by_alive",
    noop("Churn within a year, by P(alive)"),
    "share",
    "lower",
    noop(
        "Customers whose P(alive) was at least one half a year before the as-of day and is less on it, divided by all for whom it was at "
        "least one half then; by the MBG/NBD model fitted up to the as-of day."
    ),
    _AT_START,
)
CHURN_BY_WINDOW = Metric(
    "churn_by_window",
    noop("Churn within a year, no order"),
    "share",
    "lower",
    noop(
        "Customers who a year before the as-of day had ordered within the last 365 days (or what is set), and on it have not, divided by "
        "all who had then."
    ),
    _AT_START,
)
SECOND_ORDER_SHARE = Metric(
    "second_order_share",
    noop("Second order within 180 days"),
    "share",
    "higher",
    noop(
        "Share of the customers with a first order in the period who order again within 180 days, if all could be followed so long: who "
        "came lately counts for as long as seen (Kaplan-Meier)."
    ),
    _KAPLAN_MEIER,
)
CONTRACT_CHURN = Metric(
    "contract_churn",
    noop("Contracts ended by customers"),
    "share",
    "lower",
    noop("Contracts that the customer has ended up to the as-of day divided by all contracts begun up to it, however long ago."),
)
CONTRACTS_RUNNING = Metric(
    "contracts_running",
    noop("Contracts running"),
    "count",
    "higher",
    noop("Contracts begun up to the as-of day that have not ended by it."),
)
CONTRACT_YEAR_SURVIVAL = Metric(
    "contract_year_survival",
    noop("Contracts that last over 12 months"),
    "share",
    "higher",
    noop(
        "Share of contracts that the customer has not ended after 12 whole months; a younger one counts for as long as seen (Kaplan-Meier)."
    ),
    _KAPLAN_MEIER,
)
METRICS: tuple[Metric, ...] = (
    LATE_CUSTOMERS,
    CHURN_BY_RHYTHM,
    CHURN_BY_ALIVE,
    CHURN_BY_WINDOW,
    SECOND_ORDER_SHARE,
    CONTRACT_CHURN,
    CONTRACTS_RUNNING,
    CONTRACT_YEAR_SURVIVAL,
)
