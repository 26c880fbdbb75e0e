"""What customers truly think of tickets and of the company, whom the company asks, and who answers.

A ticket's score and a customer's level are both 1 to 5; 4 and 5 are satisfied. The chance to answer falls with the score: the
satisfied stay silent, so that the answers look worse than the truth. Ticket surveys go out on the day of the solution. Of the two
relationship surveys each has a yearly round of its own, which leaves out whoever has not ordered for a year or left for a bad answer.
"""

from math import comb
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crm_metrics.demo.clock import by_era
from crm_metrics.demo.customers import LEVELS, SATISFACTION_SHARE
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import (
    NONE,
    Booleans,
    Customers,
    Floats,
    Integers,
    Orders,
    Stated,
    chosen,
    customer_keys,
    days,
    joined,
    keys,
    labels,
    sort_key,
    subject,
)
from crm_metrics.language import noop

SCORE_SHARE = ((0.12, 0.14, 0.18, 0.34, 0.22), (0.02, 0.03, 0.06, 0.40, 0.49))  # of scores 1 to 5; WilTel: 56 % satisfied become 89 %
ABANDONED_SCORE_SHARE = (0.45, 0.35, 0.20, 0.0, 0.0)  # nobody who gave up waiting is satisfied
WORST_SATISFIED = 4
ASKED_SHARE = 0.60  # of solved tickets
ANSWER_PROBABILITY = (0.45, 0.38, 0.28, 0.20, 0.14)  # by score or level 1 to 5
ANSWER_WITHIN_DAYS = 14  # whole days from the invitation on, the square of a uniform number spread over 0 to 14
FIRST_ASKED_DAYS = (60.0, 180.0)  # after the first order, uniform; from then on once a year
ASKED_EVERY_DAYS, ORDERED_WITHIN_DAYS = 365, 365
RECOMMENDATION_CHANCE = (0.25, 0.45, 0.65, 0.80, 0.93)  # the answer is binomial of 10 with this chance, by level
PROMOTER, DETRACTOR, MOST_RECOMMENDATION = 9, 6, 10
KINDS = ("satisfaction", "recommendation")

TOPIC = "surveys"
PARAMETERS = {
    "ticket_score_share": (noop("Share of answered tickets about orders by true score"), "share"),
    "abandoned_score_share": (
        noop("Share of abandoned calls about orders by true score; nobody asks these callers, so it cannot be measured"),
        "share",
    ),
    "asked_share": (noop("Share of solved tickets about orders with a survey, those left out whose customers had left before"), "share"),
    "answer_probability": (noop("Chance to answer a survey before the end of the demo cuts it off, by true score or level"), "share"),
    "answer_within": (noop("Longest time to answer a survey"), "days"),
    "days_to_answer": (noop("Time to answer a survey, on average"), "days"),
    "first_asked_least": (noop("Time from the first order to the first survey of each kind about the company, at least"), "days"),
    "first_asked_most": (noop("Time from the first order to the first survey of each kind about the company, at most"), "days"),
    "asked_every": (noop("Time between two surveys of one kind about the company"), "days"),
    "ordered_within": (
        noop("Whoever has not ordered for so long is not asked about the company; orders that a campaign then drove away count"),
        "days",
    ),
    "true_ticket_satisfaction": (noop("True share of answered tickets about orders with score 4 or 5"), "share"),
    "expected_ticket_satisfaction": (noop("Share of 4 and 5 to be expected among the answers about tickets"), "share"),
    "true_customer_satisfaction": (noop("True share of customers at level 4 or 5"), "share"),
    "expected_customer_satisfaction": (noop("Share of 4 and 5 to be expected among the answers, if every customer is asked once"), "share"),
    "recommendation_chance": (noop("Mean answer to the recommendation question divided by 10, by level"), "share"),
    "true_net_promoter_score": (noop("True net promoter score, -100 to 100, by level and over all customers"), "plain"),
    "expected_net_promoter_score": (noop("Net promoter score to be expected among the answers, if every customer is asked once"), "plain"),
}


class Audience(NamedTuple):
    """Whom the company may ask. orders: those placed. dismissed: moment each left for a bad answer, infinite for the others."""

    customers: Customers
    orders: Orders
    dismissed: Floats


class Solved(NamedTuple):
    """Solved tickets, one element each. ticket: its number in the chunk. customer: place in Customers. moment: of the solution."""

    ticket: Integers
    customer: Integers
    moment: Floats
    score: Integers


class _Invitations(NamedTuple):
    """One element each. ticket: NONE where it is about none. kind: place in KINDS. level: sets the chance to answer. score: the answer."""

    customer: Integers
    ticket: Integers
    kind: Integers
    invited: Floats
    level: Integers
    score: Integers


def scores(badness: Floats, is_after: Booleans, is_abandoned: Booleans) -> Integers:
    """Return the true score of tickets from standard normal numbers, the worse the higher; each share is exactly as stated."""
    bounds = np.array([_bounds(share) for share in (*SCORE_SHARE, ABANDONED_SCORE_SHARE)])
    return 1 + (badness[:, None] < bounds[np.where(is_abandoned, 2, is_after.astype(int))]).sum(axis=1)


def _bounds(share: tuple[float, ...]) -> list[float]:
    """Return the badness from which on the score is at most 1, 2, 3, 4."""
    worse = np.minimum(np.cumsum(share)[:-1], 1.0)
    return [NormalDist().inv_cdf(1 - part) if part < 1 - 1e-9 else -np.inf for part in worse]


def answer_probabilities(plan: Plan) -> Floats:
    """Return the chance to answer by score 1 to 5: the same for all, that of the average customer, without response bias."""
    chance = np.array(ANSWER_PROBABILITY)
    return chance if plan.effects.response_bias else np.full(5, chance @ SATISFACTION_SHARE)


def surveys(plan: Plan, chunk: int, audience: Audience, solved: Solved) -> pa.Table:
    """Return the invitations of a chunk, answered or not."""
    about_tickets = _about_tickets(plan, chunk, audience, solved)
    asked = joined([about_tickets, *[_about_the_company(plan, chunk, audience, kind) for kind in range(len(KINDS))]])
    return _rows(plan, chunk, audience.customers, asked)


def _about_tickets(plan: Plan, chunk: int, audience: Audience, solved: Solved) -> _Invitations:
    random = plan.generator("ticket surveys", chunk)
    is_asked = (random.random(len(solved.ticket)) < ASKED_SHARE) & (solved.moment <= audience.dismissed[solved.customer])
    kind, invited = np.zeros(len(is_asked), dtype=np.int64), np.floor(solved.moment)
    return chosen(_Invitations(solved.customer, solved.ticket, kind, invited, solved.score, solved.score), is_asked)


def _about_the_company(plan: Plan, chunk: int, audience: Audience, kind: int) -> _Invitations:
    random, customers = plan.generator(f"{KINDS[kind]} surveys", chunk), audience.customers
    first: Floats = np.floor(customers.acquired + random.uniform(*FIRST_ASKED_DAYS, len(customers.number)))
    rounds = plan.days // ASKED_EVERY_DAYS + 1
    invited = np.ravel(first[:, None] + float(ASKED_EVERY_DAYS) * np.arange(rounds))
    customer: Integers = np.repeat(np.arange(len(first)), rounds)
    level = customers.satisfaction[customer]
    recommendation = random.binomial(MOST_RECOMMENDATION, np.array(RECOMMENDATION_CHANCE)[level - 1])
    is_recent = invited - _last_order(audience.orders, customer, invited) <= ORDERED_WITHIN_DAYS
    is_asked = is_recent & (invited < plan.days) & (invited <= audience.dismissed[customer]) & ~customers.is_test[customer]
    score = recommendation if KINDS[kind] == "recommendation" else level
    ticket, kinds = np.full(len(customer), NONE), np.full(len(customer), kind)
    return chosen(_Invitations(customer, ticket, kinds, invited, level, score), is_asked)


def _last_order(orders: Orders, customer: Integers, moment: Floats) -> Floats:
    """Return the moment of the customer's last order before a moment that is later than the first order."""
    place = np.searchsorted(sort_key(orders.customer, orders.moment), sort_key(customer, moment)) - 1
    return orders.moment[place]


def _rows(plan: Plan, chunk: int, customers: Customers, asked: _Invitations) -> pa.Table:
    random, count = plan.generator("survey answers", chunk), len(asked.customer)
    answered = asked.invited + np.floor((ANSWER_WITHIN_DAYS + 1) * random.random(count) ** 2)
    is_silent = (random.random(count) >= answer_probabilities(plan)[asked.level - 1]) | (answered >= plan.days)
    return pa.table(
        {
            "survey_id": keys("survey", np.arange(count), chunk=chunk),
            "customer_id": customer_keys(customers.number[asked.customer]),
            "ticket_id": keys("ticket", asked.ticket, chunk=chunk),
            "survey_kind": labels(asked.kind, KINDS),
            "invited_on": days(asked.invited),
            "answered_on": days(np.where(is_silent, np.nan, answered)),
            "score": pa.array(asked.score.astype(np.int32), mask=is_silent),
        }
    )


# ── the truth ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def observed(share: npt.ArrayLike, chance: Floats) -> Floats:
    """Return the shares of scores 1 to 5 to be expected among the answers, from the true shares and the chance to answer.

    >>> observed([0, 0, 0, 0.5, 0.5], np.array([0.5, 0.5, 0.5, 0.375, 0.125])).tolist()
    [0.0, 0.0, 0.0, 0.75, 0.25]
    """
    answers = np.asarray(share) * chance
    return answers / answers.sum()


def satisfied(share: npt.ArrayLike) -> float:
    """Return the share of 4 and 5."""
    return float(np.asarray(share)[WORST_SATISFIED - 1 :].sum())


def net_promoter_scores() -> Floats:
    """Return the true net promoter score of each level of satisfaction, -100 to 100: share of 9 and 10 less share of 0 to 6."""
    return np.array([100 * _net_promoters(chance) for chance in RECOMMENDATION_CHANCE])


def _net_promoters(chance: float) -> float:
    answers = range(MOST_RECOMMENDATION + 1)
    probability = [comb(MOST_RECOMMENDATION, k) * chance**k * (1 - chance) ** (MOST_RECOMMENDATION - k) for k in answers]
    return sum(probability[PROMOTER:]) - sum(probability[: DETRACTOR + 1])


def days_to_answer() -> float:
    """Return the mean number of whole days from the invitation to an answer: the sum of the chances that it takes 1, 2, … or more.

    >>> round(days_to_answer(), 2)
    4.55
    """
    return float(sum(1 - (day / (ANSWER_WITHIN_DAYS + 1)) ** 0.5 for day in range(1, ANSWER_WITHIN_DAYS + 1)))


def stated(plan: Plan) -> Stated:
    """Return the parameters as they are with the plan's effects."""
    chance, by_level = answer_probabilities(plan), net_promoter_scores()
    before, after = SCORE_SHARE
    return {
        "ticket_score_share": _score_shares(plan),
        "abandoned_score_share": _by_level(ABANDONED_SCORE_SHARE),
        "asked_share": ASKED_SHARE,
        "answer_probability": _by_level(chance),
        "answer_within": float(ANSWER_WITHIN_DAYS),
        "days_to_answer": days_to_answer(),
        "first_asked_least": FIRST_ASKED_DAYS[0],
        "first_asked_most": FIRST_ASKED_DAYS[1],
        "asked_every": float(ASKED_EVERY_DAYS),
        "ordered_within": float(ORDERED_WITHIN_DAYS),
        "true_ticket_satisfaction": by_era(plan, (satisfied(before), satisfied(after))),
        "expected_ticket_satisfaction": by_era(plan, (satisfied(observed(before, chance)), satisfied(observed(after, chance)))),
        "true_customer_satisfaction": satisfied(SATISFACTION_SHARE),
        "expected_customer_satisfaction": satisfied(observed(SATISFACTION_SHARE, chance)),
        "recommendation_chance": _by_level(RECOMMENDATION_CHANCE),
        "true_net_promoter_score": {"": float(by_level @ SATISFACTION_SHARE), **_by_level(by_level)},
        "expected_net_promoter_score": float(by_level @ observed(SATISFACTION_SHARE, chance)),
    }


def _by_level(values: npt.ArrayLike) -> dict[str, float]:
    return dict(zip(LEVELS, np.asarray(values, dtype=np.float64).tolist(), strict=True))


def _score_shares(plan: Plan) -> dict[str, float]:
    shares = zip(LEVELS, *SCORE_SHARE, strict=True)
    return {subject(score, era): share for score, *pair in shares for era, share in by_era(plan, (pair[0], pair[1])).items()}
