"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

DEALS_CREATED = Metric(
    "deals_created",
    noop("Deals created"),
    "count",
    "higher",
    noop("Deals created in the period; those whose day of creation is unknown are among them."),
)
WIN_RATE_OF_CLOSED = Metric(
    "win_rate_of_closed",
    noop("Win rate of closed deals"),
    "share",
    "higher",
    noop(
        "Deals created in the period, or on an unknown day, that are won, divided by those of them that are won or lost: deals still open"
        " are in neither."
    ),
)
WIN_RATE_OF_ALL = Metric(
    "win_rate_of_all",
    noop("Win rate of all deals"),
    "share",
    "higher",
    noop(
        "Deals created in the period, or on an unknown day, that are won so far, divided by all of them, open ones included: it grows as"
        " these close."
    ),
)
WON_VALUE = Metric(
    "won_value",
    noop("Won value"),
    "money",
    "higher",
    noop("Sum of the value of the deals created in the period, or on an unknown day, that are won; deals of unknown value are left out."),
)
OPEN_VALUE = Metric(
    "open_value",
    noop("Open pipeline"),
    "money",
    "higher",
    noop("Sum of the value of the deals that are open today, whenever they were created; deals of unknown value are left out."),
)
WON_CYCLE_DAYS = Metric(
    "won_cycle_days",
    noop("Sales cycle of won deals"),
    "days",
    "lower",
    noop(
        "Median of the days from creation to winning, over the deals created in the period that are won, where both days are known. Slow"
        " deals that are still open are not in it; the time to a win that counts them stands on Conversion and time."
    ),
)
METRICS: tuple[Metric, ...] = (DEALS_CREATED, WIN_RATE_OF_CLOSED, WIN_RATE_OF_ALL, WON_VALUE, OPEN_VALUE, WON_CYCLE_DAYS)
DEALS_HELD = Metric("deals_held", noop("Deals held"), "count", "neither", noop("Deals that a file named, over all dates."))
DEALS_WON_HELD = Metric("deals_won_held", noop("Deals won"), "count", "neither", noop("Deals that are won, over all dates."))
DEALS_WITH_HISTORY = Metric(
    "deals_with_history",
    noop("Deals with a history"),
    "count",
    "neither",
    noop("Deals of which at least one change is known, over all dates. Without changes the past of a deal can't be told."),
)
LEADS_HELD = Metric("leads_held", noop("Leads held"), "count", "neither", noop("Leads that a file named, over all dates."))
ACTIVITIES_HELD = Metric(
    "activities_held", noop("Activities held"), "count", "neither", noop("Calls, visits, meetings and e-mails that a file named.")
)
DEAL_DAYS_HELD = Metric(
    "deal_days_held",
    noop("Days of deals"),
    "days",
    "neither",
    noop("Days from the first to the last on which something happened to a deal or lead, both counted."),
)
HELD: tuple[Metric, ...] = (DEALS_HELD, DEALS_WON_HELD, DEALS_WITH_HISTORY, LEADS_HELD, ACTIVITIES_HELD, DEAL_DAYS_HELD)
