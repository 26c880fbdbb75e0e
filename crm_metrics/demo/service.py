"""Who asks the company for help, how well it is helped, and who leaves for a bad answer; how well is stated in `service_levels`.

Some orders bring a ticket some days later. Times run on through nights and weekends. A customer whose true opinion of a ticket is bad
may leave for ever when it ends: orders placed after that are never placed.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import clock, draws, surveys
from crm_metrics.demo import service_levels as levels
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.service_levels import PHONE, SELF_SERVICE, TICKET_CHANNELS
from crm_metrics.demo.staff import employee_keys, headcount
from crm_metrics.demo.world import (
    NONE,
    Booleans,
    Customers,
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
    audience = surveys.Audience(customers, orders, dismissed)
    tables: Tables = {
        schema.service_tickets: _rows(plan, chunk, customers, tickets, handled=handled),
        schema.surveys: surveys.surveys(plan, chunk, audience, asked),
    }
    left = np.fmin(history.left, np.where(np.isinf(dismissed), np.nan, dismissed))
    contacts = Contacts(tickets.customer, tickets.opened, tickets.channel, handled.minutes, handled.cost)
    return Served(History(orders, left), tables, contacts)


# ── how tickets come in ─────────────────────────────────────────────────────────────────────────────────────────────────


def _opened(plan: Plan, chunk: int, customers: Customers, orders: Orders) -> _Opened:
    """Return the tickets of all orders that are opened before the demo ends; test accounts have none."""
    random = plan.generator("tickets", chunk)
    order = np.flatnonzero(random.random(len(orders.moment)) < levels.TICKETS_PER_ORDER)
    order = order[~customers.is_test[orders.customer[order]]]
    count = len(order)
    placed = orders.moment[order]
    day = np.maximum(np.floor(placed + random.exponential(levels.DAYS_TO_TICKET, count)), np.floor(placed) + 1)
    is_after = clock.is_after(plan, day)
    channel = draws.by_shares(random.random(count), np.array(levels.CHANNEL_SHARE)[is_after.astype(int)])
    found = _Opened(
        order=order,
        customer=orders.customer[order],
        channel=channel,
        opened=day + _hours(random, channel) / 24,
        is_after=is_after,
        is_abandoned=(random.random(count) < clock.level(levels.ABANDONED_SHARE, is_after)) & (channel == PHONE),
        is_known=(random.random(count) < clock.level(levels.KNOWN_SHARE, is_after)) | (channel == SELF_SERVICE),
        slowness=random.standard_normal(count),
        patience=random.standard_normal(count),
    )
    return chosen(found, day < plan.days)


def _hours(random: np.random.Generator, channel: Integers) -> Floats:
    """Return the hour of the day of each ticket; out of office hours evenly over those of the line for calls, over all for the others."""
    opens, closes = levels.OFFICE_HOURS
    share, is_call = random.random(len(channel)), channel == PHONE
    begins, ends = (np.where(is_call, hour, whole) for hour, whole in zip(levels.LINE_HOURS, (0, 24), strict=True))
    is_out = random.random(len(channel)) < np.array(levels.OUT_OF_OFFICE_SHARE)[channel]
    early = opens - begins
    out = share * (early + ends - closes)
    return np.where(is_out, np.where(out < early, begins + out, closes + out - early), opens + share * (closes - opens))


# ── what becomes of them ────────────────────────────────────────────────────────────────────────────────────────────────


def _handled(plan: Plan, chunk: int, tickets: _Opened) -> _Handled:
    random, count, after = plan.generator("handling", chunk), len(tickets.order), tickets.is_after
    is_call, is_assisted = tickets.channel == PHONE, tickets.is_assisted
    waited = clock.level(levels.WAIT_MINUTES, after) * np.exp(levels.WAIT_DEVIATION * tickets.patience)
    wait = np.where(is_call & is_assisted, waited, np.nan)
    minutes, cost = _effort(random, tickets)
    replies, reopened = _replies(random, after)
    took = np.maximum(_minutes_to_solution(tickets), np.where(is_assisted, np.nan_to_num(wait) + minutes, 0))
    replied_after = np.where(is_call, wait, took * np.where(replies == 1, 1.0, random.beta(*levels.FIRST_REPLY_SHAPES, count)))
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
        transfers=np.where(is_begun, random.poisson(clock.level(levels.TRANSFERS, after)), 0),
        minutes=np.where(is_free, 0, minutes),
        cost=np.where(is_free, 0, cost),
        score=_scores(plan, chunk, tickets),
    )


def _minutes_to_solution(tickets: _Opened) -> Floats:
    known, other, self_served = (
        clock.level(pair, tickets.is_after) for pair in (levels.KNOWN_HOURS, levels.OTHER_HOURS, levels.SELF_SERVED_HOURS)
    )
    hours = np.where(tickets.channel == SELF_SERVICE, self_served, np.where(tickets.is_known, known, other))
    return 60 * hours * np.exp(levels.HOURS_DEVIATION * tickets.slowness)


def _effort(random: np.random.Generator, tickets: _Opened) -> tuple[Floats, Floats]:
    """Return minutes and cost, in hundredths; the mean minutes are as stated, and problems that take longer need more of them."""
    together, own = levels.MINUTES_WITH_HOURS, random.standard_normal(len(tickets.order))
    correlated = together * tickets.slowness + (1 - together**2) ** 0.5 * own
    factor = np.exp(levels.MINUTES_DEVIATION * correlated - levels.MINUTES_DEVIATION**2 / 2)
    is_call = tickets.channel == PHONE
    mean = np.where(is_call, clock.level(levels.CALL_MINUTES, tickets.is_after), clock.level(levels.EMAIL_MINUTES, tickets.is_after))
    minutes: Floats = np.where(tickets.is_assisted, mean * factor, 0.0)
    overhead = np.where(is_call, clock.level(levels.OVERHEAD_PER_CALL, tickets.is_after), levels.EMAIL_OVERHEAD)
    without_agent = np.where(tickets.is_abandoned, 0.0, levels.SELF_SERVICE_COST)
    cost: Floats = np.where(tickets.is_assisted, minutes * levels.COST_PER_MINUTE + overhead, without_agent)
    return np.round(minutes, 2), np.round(cost, 2)


def _replies(random: np.random.Generator, is_after: Booleans) -> tuple[Integers, Integers]:
    """Return how many replies a ticket takes and how often it is opened again, which one reply never answers."""
    luck, more = random.random(len(is_after)), random.poisson(levels.MORE_REPLIES, len(is_after))
    is_twice = random.random(len(is_after)) < levels.TWICE_SHARE
    reopened = np.where(luck >= 1 - clock.level(levels.REOPENED_SHARE, is_after), 1 + is_twice, 0)
    return np.where(luck < clock.level(levels.ONE_TOUCH_SHARE, is_after), 1, 2 + more + (reopened == 2)), reopened


def _scores(plan: Plan, chunk: int, tickets: _Opened) -> Integers:
    random = plan.generator("scores", chunk)
    cause = np.where(tickets.channel == PHONE, tickets.patience, tickets.slowness)
    badness = levels.BADNESS_WITH_WAIT * cause + (1 - levels.BADNESS_WITH_WAIT**2) ** 0.5 * random.standard_normal(len(cause))
    return surveys.scores(badness, tickets.is_after, tickets.is_abandoned)


def _dismissed(plan: Plan, chunk: int, tickets: _Opened, handled: _Handled, *, count: int) -> Floats:
    """Return the moment each customer leaves for a bad answer: when the first such ticket ends; infinite for the others."""
    moment = np.full(count, np.inf)
    ended = np.where(tickets.is_abandoned, tickets.opened, handled.solved)
    luck = plan.generator("bad answers", chunk).random(len(ended)) < levels.LEAVE_PROBABILITY
    is_last = luck & (handled.score <= levels.WORST_TO_LEAVE) & ~np.isnan(ended)
    if plan.effects.service:
        np.minimum.at(moment, tickets.customer[is_last], ended[is_last])
    return moment


def _rows(plan: Plan, chunk: int, customers: Customers, tickets: _Opened, *, handled: _Handled) -> pa.Table:
    random, count = plan.generator("agents and topics", chunk), len(tickets.order)
    load = np.resize(levels.AGENT_LOADS, headcount(plan, "service"))
    agent = random.choice(len(load), count, p=load / load.sum())
    topic = random.choice(len(levels.TOPICS), count, p=levels.TOPIC_SHARE)
    nobody = tickets.is_abandoned  # nobody learnt what it was about
    return pa.table(
        {
            "ticket_id": keys("ticket", np.arange(count), chunk=chunk),
            "customer_id": customer_keys(customers.number[tickets.customer]),
            "employee_id": employee_keys("service", np.where(handled.replies > 0, agent, NONE)),
            "channel": labels(tickets.channel, TICKET_CHANNELS),
            "topic": labels(np.where(nobody, NONE, topic), levels.TOPICS),
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
