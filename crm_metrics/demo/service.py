"""Who asks the company for help, how well it is helped before and after the CRM goes live, and who leaves for a bad answer.

Some orders bring a ticket some days later. Levels change on the day of go-live by those of published cases: Honeywell Industrial Control
(self-service, time to solve a known problem), Mitsubishi Motors (abandonment, cost of a call, calls an agent can take) and WilTel
(satisfaction, in `surveys`); where no case has a figure the level is an assumption. Times run on through nights and weekends. A customer
whose true opinion of a ticket is bad may leave for ever when it ends: orders placed after that are never placed.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import surveys
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.staff import HOURLY_COST, employee_keys, headcount
from crm_metrics.demo.surveys import PERIODS
from crm_metrics.demo.world import (
    NONE,
    Booleans,
    Customers,
    Fact,
    Floats,
    History,
    Integers,
    Orders,
    Tables,
    chosen,
    customer_keys,
    keys,
    labels,
    money,
    times,
)
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
OFFICE_HOURS = (9.0, 18.0)  # of every day
OUT_OF_OFFICE_SHARE = (0.10, 0.58, 0.40)  # of the tickets of each channel
LINE_CLOSES_HOUR = 21.0  # calls after office hours come until then; tickets of the other channels all night
ABANDONED_SHARE = (0.14, 0.06)  # of calls; Mitsubishi's 8 % are read as percentage points
WAIT_MINUTES, WAIT_DEVIATION = (4.5, 1.5), 0.7  # median and deviation of the logarithm, of answered calls
KNOWN_SHARE = (0.35, 0.50)  # of assisted tickets, those that match a known problem; of self-served ones all do
KNOWN_HOURS = (8.0, 20 / 60)  # Honeywell: median from opening to solution of assisted known problems
OTHER_HOURS = (26.0, 14.0)  # of other assisted tickets
SELF_SERVED_HOURS = (7 / 60, 4 / 60)
HOURS_DEVIATION = 0.7  # of the logarithm of all three
ONE_TOUCH_SHARE = (0.48, 0.71)  # of assisted tickets, those solved with one reply
REOPENED_SHARE, TWICE_SHARE = (0.11, 0.05), 0.2  # of assisted tickets; of the reopened
MORE_REPLIES = 0.8  # mean of the replies after the second, where one was not enough
TRANSFERS = (0.30, 0.12)  # mean number of an assisted ticket
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
    "tickets_per_order": (noop("Share of orders that bring a service ticket"), "share"),
    "days_to_ticket": (noop("Days from the order to its ticket, mean of an exponential, at least until the next day"), "days"),
    "ticket_channel_share": (noop("Share of tickets by channel"), "share"),
    "call_centre_saving": (noop("Fall of call-centre cost that self-service alone causes"), "share"),
    "deflection": (noop("Self-served tickets divided by self-served and assisted ones"), "share"),
    "out_of_office_share": (noop("Share of tickets opened before 9:00 or from 18:00 on"), "share"),
    "ticket_topic_share": (noop("Share of tickets by subject"), "share"),
    "abandoned_share": (noop("Share of calls abandoned; it falls by 8 percentage points, not by 8 per cent"), "share"),
    "wait": (noop("Median wait of answered calls"), "minutes"),
    "known_share": (noop("Share of assisted tickets that match a known problem"), "share"),
    "hours_known": (noop("Median time to solution of assisted tickets that match a known problem"), "hours"),
    "hours_other": (noop("Median time to solution of other assisted tickets"), "hours"),
    "hours_self_served": (noop("Median time to solution of self-served tickets"), "hours"),
    "one_touch_share": (noop("Share of assisted tickets solved with one reply"), "share"),
    "reopened_share": (noop("Share of assisted tickets opened again"), "share"),
    "transfers": (noop("Transfers of an assisted ticket, on average"), "number"),
    "call_minutes": (noop("Agent minutes of an answered call, on average"), "minutes"),
    "email_minutes": (noop("Agent minutes of an e-mail, on average"), "minutes"),
    "cost_per_call": (noop("Cost of an answered call, on average"), "money"),
    "cost_per_email": (noop("Cost of an e-mail, on average"), "money"),
    "cost_self_served": (noop("Cost of a self-served ticket"), "money"),
    "agent_load": (noop("Tickets of the busiest agents, as a multiple of those of the least busy"), "plain"),
    "badness_with_wait": (
        noop("Correlation of a bad opinion with the wait of a call, or else the time to solution, on the normal scale"),
        "plain",
    ),
    "leave_after_bad_answer": (noop("Chance to leave for ever after a ticket with a true score of 1 or 2"), "share"),
}


class Contacts(NamedTuple):
    """Tickets as what they cost, one element each.

    customer: place in Customers. moment: of opening. channel: place in TICKET_CHANNELS. minutes: of an agent. cost: of handling, CNY.
    """

    customer: Integers
    moment: Floats
    channel: Integers
    minutes: Floats
    cost: Floats


class Served(NamedTuple):
    """history: without the orders of those who left for a bad answer. tables: tickets and surveys. contacts: what tickets cost."""

    history: History
    tables: Tables
    contacts: Contacts


class _Opened(NamedTuple):
    """Tickets as they come in, one element each. order: place in Orders, customer in Customers, channel in TICKET_CHANNELS.

    is_known: matches a known problem. slowness: standard normal, of the time to solution. patience: standard normal, of the wait.
    """

    order: Integers
    customer: Integers
    channel: Integers
    opened: Floats
    is_after: Booleans
    is_abandoned: Booleans
    is_known: Booleans
    slowness: Floats
    patience: Floats

    @property
    def is_assisted(self) -> Booleans:
        """Which come to an agent."""
        return (self.channel != SELF_SERVICE) & ~self.is_abandoned


class _Handled(NamedTuple):
    """What became of tickets. wait and minutes in minutes, cost in CNY; moments are NaN for what has not happened by the end."""

    wait: Floats
    replied: Floats
    solved: Floats
    replies: Integers
    reopened: Integers
    transfers: Integers
    minutes: Floats
    cost: Floats
    score: Integers


def service(plan: Plan, chunk: int, customers: Customers, history: History) -> Served:
    """Return what is left of a chunk's history, its tickets and surveys, and what its tickets cost."""
    tickets = _opened(plan, chunk, customers, history.orders)
    handled = _handled(plan, chunk, tickets)
    dismissed = _dismissed(plan, chunk, tickets, handled, count=len(customers.number))
    stays = history.orders.moment <= dismissed[history.orders.customer]
    orders = chosen(history.orders, stays)
    is_kept = stays[tickets.order]
    tickets, handled = chosen(tickets, is_kept), chosen(handled, is_kept)
    solved = np.flatnonzero(~np.isnan(handled.solved))
    asked = surveys.Solved(solved, tickets.customer[solved], handled.solved[solved], handled.score[solved])
    tables: Tables = {
        schema.service_tickets: _rows(plan, chunk, customers, tickets, handled=handled),
        schema.surveys: surveys.surveys(plan, chunk, customers, orders, solved=asked, dismissed=dismissed),
    }
    left = np.fmin(history.left, np.where(np.isinf(dismissed), np.nan, dismissed))
    contacts = Contacts(tickets.customer, tickets.opened, tickets.channel, handled.minutes, handled.cost)
    return Served(History(orders, left), tables, contacts)


# ── how tickets come in ─────────────────────────────────────────────────────────────────────────────────────────────────


def _opened(plan: Plan, chunk: int, customers: Customers, orders: Orders) -> _Opened:
    """Return the tickets of all orders that are opened before the demo ends; test accounts have none."""
    random = plan.generator("tickets", chunk)
    order = np.flatnonzero(random.random(len(orders.moment)) < TICKETS_PER_ORDER)
    order = order[~customers.is_test[orders.customer[order]]]
    count = len(order)
    placed = orders.moment[order]
    day = np.maximum(np.floor(placed + random.exponential(DAYS_TO_TICKET, count)), np.floor(placed) + 1)
    is_after = day >= plan.go_live_day
    channel = (random.random(count)[:, None] >= np.cumsum(CHANNEL_SHARE, axis=1)[is_after.astype(int), :-1]).sum(axis=1)
    found = _Opened(
        order=order,
        customer=orders.customer[order],
        channel=channel,
        opened=day + _hours(random, channel) / 24,
        is_after=is_after,
        is_abandoned=(random.random(count) < _level(ABANDONED_SHARE, is_after)) & (channel == PHONE),
        is_known=(random.random(count) < _level(KNOWN_SHARE, is_after)) | (channel == SELF_SERVICE),
        slowness=random.standard_normal(count),
        patience=random.standard_normal(count),
    )
    return chosen(found, day < plan.days)


def _level(pair: tuple[float, float], is_after: Booleans) -> Floats:
    return np.where(is_after, pair[1], pair[0])


def _hours(random: np.random.Generator, channel: Integers) -> Floats:
    """Return the hour of the day of each ticket."""
    opens, closes = OFFICE_HOURS
    share = random.random(len(channel))
    night = np.where(channel == PHONE, LINE_CLOSES_HOUR, 24 + opens) - closes
    is_out = random.random(len(channel)) < np.array(OUT_OF_OFFICE_SHARE)[channel]
    return np.where(is_out, (closes + share * night) % 24, opens + share * (closes - opens))


# ── what becomes of them ────────────────────────────────────────────────────────────────────────────────────────────────


def _handled(plan: Plan, chunk: int, tickets: _Opened) -> _Handled:
    random, count, after = plan.generator("handling", chunk), len(tickets.order), tickets.is_after
    is_call, is_assisted = tickets.channel == PHONE, tickets.is_assisted
    wait = np.where(is_call & is_assisted, _level(WAIT_MINUTES, after) * np.exp(WAIT_DEVIATION * tickets.patience), np.nan)
    minutes, cost = _effort(random, tickets)
    replies, reopened = _replies(random, after)
    took = np.maximum(_minutes_to_solution(tickets), np.where(is_assisted, np.nan_to_num(wait) + minutes, 0))
    replied_after = np.where(is_call, wait, took * np.where(replies == 1, 1.0, random.beta(2, 4, count)))
    replied = np.where(is_assisted, tickets.opened + replied_after / 1440, np.nan)
    solved = np.where(tickets.is_abandoned, np.nan, tickets.opened + took / 1440)
    is_begun, is_ended = replied < plan.days, solved < plan.days
    is_free = is_assisted & ~is_begun  # nobody has worked on it yet
    return _Handled(
        wait=np.where(is_begun, wait, np.nan),
        replied=np.where(is_begun, replied, np.nan),
        solved=np.where(is_ended, solved, np.nan),
        replies=np.where(is_begun, np.where(is_ended, replies, 1), 0),
        reopened=np.where(is_begun & is_ended, reopened, 0),
        transfers=np.where(is_begun, random.poisson(_level(TRANSFERS, after)), 0),
        minutes=np.where(is_free, 0, minutes),
        cost=np.where(is_free, 0, cost),
        score=_scores(plan, chunk, tickets),
    )


def _minutes_to_solution(tickets: _Opened) -> Floats:
    assisted = np.where(tickets.is_known, _level(KNOWN_HOURS, tickets.is_after), _level(OTHER_HOURS, tickets.is_after))
    hours = np.where(tickets.channel == SELF_SERVICE, _level(SELF_SERVED_HOURS, tickets.is_after), assisted)
    return 60 * hours * np.exp(HOURS_DEVIATION * tickets.slowness)


def _effort(random: np.random.Generator, tickets: _Opened) -> tuple[Floats, Floats]:
    """Return minutes and cost, in hundredths; the mean minutes are as stated, and problems that take longer need more of them."""
    correlated = MINUTES_WITH_HOURS * tickets.slowness + (1 - MINUTES_WITH_HOURS**2) ** 0.5 * random.standard_normal(len(tickets.order))
    factor = np.exp(MINUTES_DEVIATION * correlated - MINUTES_DEVIATION**2 / 2)
    is_call = tickets.channel == PHONE
    mean = np.where(is_call, _level(CALL_MINUTES, tickets.is_after), _level(EMAIL_MINUTES, tickets.is_after))
    minutes: Floats = np.where(tickets.is_assisted, mean * factor, 0.0)
    overhead = np.where(is_call, _level(OVERHEAD_PER_CALL, tickets.is_after), EMAIL_OVERHEAD)
    without_agent = np.where(tickets.is_abandoned, 0.0, SELF_SERVICE_COST)
    cost: Floats = np.where(tickets.is_assisted, minutes * COST_PER_MINUTE + overhead, without_agent)
    return np.round(minutes, 2), np.round(cost, 2)


def _replies(random: np.random.Generator, is_after: Booleans) -> tuple[Integers, Integers]:
    """Return how many replies a ticket takes and how often it is opened again, which one reply never answers."""
    luck, more = random.random(len(is_after)), random.poisson(MORE_REPLIES, len(is_after))
    is_twice = random.random(len(is_after)) < TWICE_SHARE
    reopened = np.where(luck >= 1 - _level(REOPENED_SHARE, is_after), 1 + is_twice, 0)
    return np.where(luck < _level(ONE_TOUCH_SHARE, is_after), 1, 2 + more + (reopened == 2)), reopened


def _scores(plan: Plan, chunk: int, tickets: _Opened) -> Integers:
    random = plan.generator("scores", chunk)
    cause = np.where(tickets.channel == PHONE, tickets.patience, tickets.slowness)
    badness = BADNESS_WITH_WAIT * cause + (1 - BADNESS_WITH_WAIT**2) ** 0.5 * random.standard_normal(len(cause))
    return surveys.scores(badness, tickets.is_after, tickets.is_abandoned)


def _dismissed(plan: Plan, chunk: int, tickets: _Opened, handled: _Handled, *, count: int) -> Floats:
    """Return the moment each customer leaves for a bad answer: when the first such ticket ends; infinite for the others."""
    moment = np.full(count, np.inf)
    ended = np.where(tickets.is_abandoned, tickets.opened, handled.solved)
    luck = plan.generator("bad answers", chunk).random(len(ended)) < LEAVE_PROBABILITY
    is_last = luck & (handled.score <= WORST_TO_LEAVE) & ~np.isnan(ended)
    if plan.effects.service:
        np.minimum.at(moment, tickets.customer[is_last], ended[is_last])
    return moment


def _rows(plan: Plan, chunk: int, customers: Customers, tickets: _Opened, *, handled: _Handled) -> pa.Table:
    random, count = plan.generator("agents and topics", chunk), len(tickets.order)
    load = np.resize(AGENT_LOADS, headcount(plan, "service"))
    agent = random.choice(len(load), count, p=load / load.sum())
    topic = random.choice(len(TOPICS), count, p=TOPIC_SHARE)
    nobody = tickets.is_abandoned  # nobody learnt what it was about
    return pa.table(
        {
            "ticket_id": keys("ticket", np.arange(count), chunk=chunk),
            "customer_id": customer_keys(customers.number[tickets.customer]),
            "employee_id": employee_keys("service", np.where(handled.replies > 0, agent, NONE)),
            "channel": labels(tickets.channel, TICKET_CHANNELS),
            "topic": labels(np.where(nobody, NONE, topic), TOPICS),
            "opened_at": times(tickets.opened),
            "first_reply_at": times(handled.replied),
            "solved_at": times(handled.solved),
            "wait_minutes": money(handled.wait),
            "was_abandoned": pa.array(tickets.is_abandoned),
            "was_self_served": pa.array((tickets.channel == SELF_SERVICE) & ~np.isnan(handled.solved)),
            "is_known_issue": pa.array(tickets.is_known, mask=nobody),
            "reopened_count": pa.array(handled.reopened.astype(np.int32)),
            "transfer_count": pa.array(handled.transfers.astype(np.int32)),
            "agent_reply_count": pa.array(handled.replies.astype(np.int32)),
            "handling_minutes": money(handled.minutes),
            "handling_cost": money(handled.cost),
        }
    )


# ── the truth ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def costs_per_ticket(minutes: tuple[float, float], overhead: tuple[float, float]) -> tuple[float, float]:
    """Return the expected cost before and after go-live of a ticket that takes so many minutes.

    >>> [round(cost, 2) for cost in costs_per_ticket(CALL_MINUTES, OVERHEAD_PER_CALL)]
    [9.5, 5.89]
    """
    return minutes[0] * COST_PER_MINUTE + overhead[0], minutes[1] * COST_PER_MINUTE + overhead[1]


def deflection(period: int) -> float:
    """Return the expected share of self-served tickets among those served, 0 before and 1 after go-live."""
    call, self_served, email = CHANNEL_SHARE[period]
    return self_served / (self_served + call * (1 - ABANDONED_SHARE[period]) + email)


def facts(plan: Plan) -> list[Fact]:
    """Return the stated parameters as they are with the plan's effects."""
    single = {
        "tickets_per_order": TICKETS_PER_ORDER,
        "days_to_ticket": DAYS_TO_TICKET,
        "cost_self_served": SELF_SERVICE_COST,
        "agent_load": max(AGENT_LOADS) / min(AGENT_LOADS),
        "badness_with_wait": BADNESS_WITH_WAIT,
        "leave_after_bad_answer": LEAVE_PROBABILITY if plan.effects.service else 0.0,
    }
    found = [Fact(TOPIC, parameter, "", value) for parameter, value in single.items()]
    found += [Fact(TOPIC, "out_of_office_share", name, share) for name, share in zip(TICKET_CHANNELS, OUT_OF_OFFICE_SHARE, strict=True)]
    found += [Fact(TOPIC, "ticket_topic_share", name, share) for name, share in zip(TOPICS, TOPIC_SHARE, strict=True)]
    if plan.effects.go_live:
        found.append(Fact(TOPIC, "call_centre_saving", "", CALL_CENTRE_SAVING))
    for period in range(2 if plan.effects.go_live else 1):
        found += _facts_of(period)
    return found


def _facts_of(period: int) -> list[Fact]:
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
    }
    name = PERIODS[period]
    by_channel = zip(TICKET_CHANNELS, CHANNEL_SHARE[period], strict=True)
    found = [Fact(TOPIC, "ticket_channel_share", f"{channel} · {name}", share) for channel, share in by_channel]
    return found + [Fact(TOPIC, parameter, name, pair[period]) for parameter, pair in pairs.items()]
