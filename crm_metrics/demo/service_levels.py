"""How the company answers, before the CRM goes live and after; the stated parameters of tickets about orders.

Levels change on the day of go-live by those of published cases: Honeywell Industrial Control (self-service, time to solve a known
problem), Mitsubishi Motors (abandonment, cost of a call, calls an agent can take) and WilTel (satisfaction, in `surveys`); where no case
has a figure the level is an assumption. Sales enquiries that brought a deal are tickets too, but none of these: see `tasks`.
"""

from math import sqrt

from crm_metrics.demo.clock import by_era
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.staff import HOURLY_COST
from crm_metrics.demo.world import Stated, subject
from crm_metrics.language import noop

PHONE, SELF_SERVICE, EMAIL = range(3)
TICKET_CHANNELS = ("phone", "web self-service", "e-mail")
TOPICS = ("物流 Delivery", "退换货 Return or exchange", "产品使用 Product use", "质量问题 Quality", "发票 Invoice", "账户 Account")
TOPIC_SHARE = (0.28, 0.20, 0.18, 0.14, 0.12, 0.08)

# Pairs are before and after go-live.
TICKETS_PER_ORDER = 0.12
DAYS_TO_TICKET = 4.0  # exponential mean; never on the day of the order itself
CALL_CENTRE_SAVING = 0.15  # Honeywell: of call-centre cost, by self-service alone: so much fewer tickets come to agents
PHONE_SHARE_OF_ASSISTED = 0.70
SELF_SERVICE_SHARE = (0.12, 1 - (1 - 0.12) * (1 - CALL_CENTRE_SAVING))
CHANNEL_SHARE = tuple(
    ((1 - share) * PHONE_SHARE_OF_ASSISTED, share, (1 - share) * (1 - PHONE_SHARE_OF_ASSISTED)) for share in SELF_SERVICE_SHARE
)
OFFICE_HOURS = (9, 18)  # of every day
OUT_OF_OFFICE_SHARE = (0.10, 0.58, 0.40)  # of the tickets of each channel
LINE_HOURS = (8, 20)  # calls come then only; tickets of the other channels all night
ABANDONED_SHARE = (0.14, 0.06)  # of calls; Mitsubishi's 8 % are read as percentage points
WAIT_MINUTES, WAIT_DEVIATION = (4.5, 1.5), 0.7  # median and deviation of the logarithm, of answered calls
KNOWN_SHARE = (0.35, 0.50)  # of assisted tickets, those that match a known problem; of self-served ones all do
KNOWN_HOURS = (8.0, 20 / 60)  # Honeywell: median from opening to solution of assisted known problems
OTHER_HOURS = (26.0, 14.0)  # of other assisted tickets
SELF_SERVED_HOURS = (7 / 60, 4 / 60)
HOURS_DEVIATION = 0.7  # of the logarithm of all three
FIRST_REPLY_SHAPES = (2.0, 4.0)  # of the beta distribution of the first reply to an e-mail of several: part of the time to solution
ONE_TOUCH_SHARE = (0.48, 0.71)  # of assisted tickets, those solved with one reply
REOPENED_SHARE, TWICE_SHARE = (0.11, 0.05), 0.2  # of assisted tickets; of the reopened
MORE_REPLIES = 0.8  # mean of the replies after the second, where one was not enough; Poisson
TRANSFERS = (0.30, 0.12)  # mean number of an assisted ticket; Poisson
CALL_MINUTES = (10.5, 6.0)  # mean of an answered call; Mitsubishi: 75 % more calls with as many agents
EMAIL_MINUTES = (8.0, 6.5)
MINUTES_DEVIATION, MINUTES_WITH_HOURS = 0.5, 0.7  # of the logarithm; correlation with that of the time to solution
COST_PER_MINUTE = HOURLY_COST["service"] / 60
CALL_SAVING = 0.38  # Mitsubishi: of the cost of a call; the minutes alone would save 43 %, so what is not agent time costs more
_CALL_OVERHEAD = 0.75  # CNY before go-live
OVERHEAD_PER_CALL = (
    _CALL_OVERHEAD,
    (1 - CALL_SAVING) * (CALL_MINUTES[0] * COST_PER_MINUTE + _CALL_OVERHEAD) - CALL_MINUTES[1] * COST_PER_MINUTE,
)
SELF_SERVICE_COST, EMAIL_OVERHEAD = 0.30, 0.20  # CNY each
BADNESS_WITH_WAIT = 0.4  # correlation, on the normal scale, of the opinion with the wait of a call, else with the time to solution
AGENT_LOADS = (0.7, 0.9, 1.1, 1.3)  # relative number of tickets of every fourth agent
LEAVE_PROBABILITY, WORST_TO_LEAVE = 0.25, 2  # of the customer, for ever, after a ticket with this true score or a lower one

TOPIC = "service"
PARAMETERS = {
    "tickets_per_order": (
        noop("Chance that a natural order brings a ticket before the end of the demo cuts it off; those that a campaign caused bring none"),
        "share",
    ),
    "days_to_ticket": (noop("Days from the order to its ticket, mean of an exponential, at least until the next day"), "days"),
    "ticket_channel_share": (noop("Share of tickets about orders by channel; sales enquiries that brought a deal are left out"), "share"),
    "call_centre_saving": (
        noop("Fall of call-centre cost that self-service alone causes: so much smaller is the share of tickets that come to agents"),
        "share",
    ),
    "deflection": (noop("Self-served tickets about orders divided by self-served and assisted ones"), "share"),
    "office_hours": (noop("Office hours, of every day"), "text"),
    "out_of_office_share": (noop("Share of tickets about orders that are opened out of office hours"), "share"),
    "line_hours": (noop("Hours of the telephone line: calls about orders come then only"), "text"),
    "ticket_topic_share": (noop("Share of tickets about orders by subject, abandoned calls left out"), "share"),
    "abandoned_share": (noop("Share of calls about orders abandoned; it falls by 8 percentage points, not by 8 per cent"), "share"),
    "wait": (noop("Median wait of answered calls about orders"), "minutes"),
    "wait_deviation": (noop("Standard deviation of the logarithm of that wait"), "plain"),
    "known_share": (noop("Share of assisted tickets about orders that match a known problem"), "share"),
    "hours_known": (noop("Median time to solution of assisted tickets about orders that match a known problem"), "hours"),
    "hours_other": (noop("Median time to solution of other assisted tickets about orders"), "hours"),
    "hours_self_served": (noop("Median time to solution of self-served tickets about orders"), "hours"),
    "hours_deviation": (
        noop("Standard deviation of the logarithm of the time to solution; where wait and work take longer, theirs holds"),
        "plain",
    ),
    "first_reply_share": (
        noop("First reply to an e-mail that takes several: mean part of the time to solution that has passed then"),
        "share",
    ),
    "first_reply_deviation": (noop("Standard deviation of that part (beta distribution)"), "plain"),
    "one_touch_share": (noop("Share of solved assisted tickets about orders that took one reply"), "share"),
    "more_replies": (
        noop("Replies after the second, on average, where one was not enough; a ticket opened again twice takes one more"),
        "number",
    ),
    "reopened_share": (noop("Share of solved assisted tickets about orders that were opened again"), "share"),
    "reopened_twice_share": (noop("Share of the reopened tickets about orders that were opened again twice"), "share"),
    "transfers": (noop("Transfers of an assisted ticket about an order, on average"), "number"),
    "call_minutes": (noop("Agent minutes of an answered call about an order, on average"), "minutes"),
    "email_minutes": (noop("Agent minutes of an e-mail about an order, on average"), "minutes"),
    "minutes_deviation": (noop("Standard deviation of the logarithm of the agent minutes"), "plain"),
    "minutes_with_hours": (noop("Correlation of agent minutes and time to solution, both as logarithms"), "plain"),
    "cost_per_call": (noop("Cost of an answered call about an order, on average; an abandoned one costs nothing"), "money"),
    "cost_per_email": (noop("Cost of an e-mail about an order, on average"), "money"),
    "overhead_per_call": (noop("What of the cost of an answered call is not agent time"), "money"),
    "overhead_per_email": (noop("What of the cost of an e-mail is not agent time"), "money"),
    "cost_self_served": (noop("Cost of a self-served ticket"), "money"),
    "agent_load": (noop("Relative number of tickets about orders of the first four agents; those of the others repeat these"), "plain"),
    "badness_with_wait": (
        noop("Correlation of a bad opinion with the wait of a call, or else the time to solution, on the normal scale"),
        "plain",
    ),
    "leave_after_bad_answer": (
        noop("Chance to leave for ever when a ticket with a true score of 1 or 2 is solved or its call abandoned"),
        "share",
    ),
}


def costs_per_ticket(minutes: tuple[float, float], overhead: tuple[float, float]) -> tuple[float, float]:
    """Return the expected cost before and after go-live of a ticket that takes so many minutes.

    >>> [round(cost, 2) for cost in costs_per_ticket(CALL_MINUTES, OVERHEAD_PER_CALL)]
    [9.5, 5.89]
    """
    return minutes[0] * COST_PER_MINUTE + overhead[0], minutes[1] * COST_PER_MINUTE + overhead[1]


def deflection(era: int) -> float:
    """Return the expected share of self-served tickets among those served, 0 before and 1 after go-live."""
    call, self_served, email = CHANNEL_SHARE[era]
    return self_served / (self_served + call * (1 - ABANDONED_SHARE[era]) + email)


def stated(plan: Plan) -> Stated:
    """Return the parameters as they are with the plan's effects."""
    early, late = FIRST_REPLY_SHAPES
    found: Stated = {
        "tickets_per_order": TICKETS_PER_ORDER,
        "days_to_ticket": DAYS_TO_TICKET,
        "ticket_channel_share": _channel_shares(plan),
        "office_hours": _hours_text(OFFICE_HOURS),
        "out_of_office_share": dict(zip(TICKET_CHANNELS, OUT_OF_OFFICE_SHARE, strict=True)),
        "line_hours": _hours_text(LINE_HOURS),
        "ticket_topic_share": dict(zip(TOPICS, TOPIC_SHARE, strict=True)),
        "wait_deviation": WAIT_DEVIATION,
        "hours_deviation": HOURS_DEVIATION,
        "first_reply_share": early / (early + late),
        "first_reply_deviation": sqrt(early * late / (early + late + 1)) / (early + late),
        "more_replies": MORE_REPLIES,
        "reopened_twice_share": TWICE_SHARE,
        "minutes_deviation": MINUTES_DEVIATION,
        "minutes_with_hours": MINUTES_WITH_HOURS,
        "overhead_per_email": EMAIL_OVERHEAD,
        "cost_self_served": SELF_SERVICE_COST,
        "agent_load": {str(place): load for place, load in enumerate(AGENT_LOADS, start=1)},
        "badness_with_wait": BADNESS_WITH_WAIT,
    }
    go_live = {"call_centre_saving": CALL_CENTRE_SAVING} if plan.effects.go_live else {}
    leaving = {"leave_after_bad_answer": LEAVE_PROBABILITY} if plan.effects.service else {}
    return {**found, **_stated_by_era(plan), **go_live, **leaving}


def _channel_shares(plan: Plan) -> dict[str, float]:
    shares = zip(TICKET_CHANNELS, zip(*CHANNEL_SHARE, strict=True), strict=True)
    return {subject(channel, era): share for channel, (before, after) in shares for era, share in by_era(plan, (before, after)).items()}


def _hours_text(hours: tuple[int, int]) -> str:
    """Return two hours of the day as a span of time.

    >>> _hours_text((9, 18))
    '9:00–18:00'
    """
    return f"{hours[0]}:00–{hours[1]}:00"


def _stated_by_era(plan: Plan) -> Stated:
    pairs = {
        "deflection": (deflection(0), deflection(1)),
        "abandoned_share": ABANDONED_SHARE,
        "wait": WAIT_MINUTES,
        "known_share": KNOWN_SHARE,
        "hours_known": KNOWN_HOURS,
        "hours_other": OTHER_HOURS,
        "hours_self_served": SELF_SERVED_HOURS,
        "one_touch_share": ONE_TOUCH_SHARE,
        "reopened_share": REOPENED_SHARE,
        "transfers": TRANSFERS,
        "call_minutes": CALL_MINUTES,
        "email_minutes": EMAIL_MINUTES,
        "cost_per_call": costs_per_ticket(CALL_MINUTES, OVERHEAD_PER_CALL),
        "cost_per_email": costs_per_ticket(EMAIL_MINUTES, (EMAIL_OVERHEAD, EMAIL_OVERHEAD)),
        "overhead_per_call": OVERHEAD_PER_CALL,
    }
    return {parameter: by_era(plan, pair) for parameter, pair in pairs.items()}
