"""Service contracts and how they end: a shifted beta-geometric for each kind of contract.

Fader and Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21(1), 76-90: each contract has a chance
of its own to end at a renewal, the same at each, and the chances are beta distributed. A contract is renewed at the end of every
period of whole calendar months; one that is not ends with the last day paid. Whether a customer still shops has nothing to do with it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crm_metrics.demo.draws import by_shares, column
from crm_metrics.demo.plan import FIRST_ON, Plan
from crm_metrics.demo.world import Customers, Integers, Stated, Tables, customer_keys, days, keys, labels, money
from crm_metrics.language import noop
from crm_metrics.schema import contracts as table

COMPANIES_SHARE, PERSONS_SHARE = 0.30, 0.08  # of customers, with a contract
MOST_DAYS_BEFORE = 200  # from the first order to the first day of the contract: uniform


class Kind(NamedTuple):
    """One kind of contract. share: of the contracts of companies or of persons. alpha, beta: of the chance to end at a renewal."""

    name: str
    is_company: bool
    share: float
    period_months: int
    alpha: float
    beta: float
    monthly_amount: float


KINDS = (
    Kind("会员月付 Member, monthly", is_company=False, share=1.0, period_months=1, alpha=0.704, beta=1.182, monthly_amount=39.0),
    Kind("企业月付 Business, monthly", is_company=True, share=0.75, period_months=1, alpha=0.668, beta=3.806, monthly_amount=420.0),
    Kind("企业年付 Business, yearly", is_company=True, share=0.25, period_months=12, alpha=0.90, beta=2.60, monthly_amount=360.0),
)  # the monthly ones have the parameters that Fader and Hardie found for their Regular and their High End customers
KIND_NAMES = tuple(kind.name for kind in KINDS)
_LONGEST_PERIODS = 1_000  # longer than any demo

TOPIC = "contracts"
PARAMETERS = {
    "contract_share": (
        noop("Customers with a service contract sooner or later; one that begins after the end of the demo is not seen"),
        "share",
    ),
    "most_days_before": (
        noop(
            "Most days from the first order to the first day of a contract; every number of days as likely, whether the customer still "
            "orders or not"
        ),
        "days",
    ),
    "kind_share": (noop("Contracts of this kind among those of companies or of persons"), "share"),
    "period_months": (noop("Months until a contract is renewed or ends"), "number"),
    "alpha": (noop("Shifted beta-geometric alpha: first parameter of the chance to end at a renewal"), "plain"),
    "beta": (noop("Shifted beta-geometric beta: second parameter of the chance to end at a renewal"), "plain"),
    "monthly_amount": (noop("Charge per month"), "money"),
}


def contracts(plan: Plan, chunk: int, customers: Customers) -> Tables:
    """Return the contracts of a chunk's customers, one at most for each."""
    if not plan.effects.contracts:
        return {}
    which, kind, start = _begun(plan, chunk, customers)
    period = column(KINDS, "period_months")[kind]
    paid = _periods(plan, chunk, kind) * period
    end = _months_after(start, paid) - 1
    has_ended = end < plan.days
    rows = {
        "contract_id": keys("contract", customers.number[which]),
        "customer_id": customer_keys(customers.number[which]),
        "contract_kind": labels(kind, KIND_NAMES),
        "started_on": days(start),
        "ended_on": days(np.where(has_ended, end, np.nan)),
        "tenure_months": pa.array(np.where(has_ended, paid, _whole_months(plan, start)).astype(np.int32)),
        "has_churned": pa.array(has_ended),
        "monthly_amount": money(column(KINDS, "monthly_amount")[kind]),
    }
    return {table: pa.table(rows)}


def _begun(plan: Plan, chunk: int, customers: Customers) -> tuple[Integers, Integers, Integers]:
    """Return the places of the customers with a contract, the place of its kind and its first day."""
    random, count = plan.generator("contracts", chunk), len(customers.number)
    has_one = random.random(count) < np.where(customers.is_company, COMPANIES_SHARE, PERSONS_SHARE)
    start = np.floor(customers.acquired).astype(np.int64) + random.integers(0, MOST_DAYS_BEFORE + 1, count)
    kind = np.where(customers.is_company, _kinds(random, count, is_company=True), _kinds(random, count, is_company=False))
    which = np.flatnonzero(has_one & (start < plan.days) & ~customers.is_test)
    return which, kind[which], start[which]


def _kinds(random: np.random.Generator, count: int, *, is_company: bool) -> Integers:
    places = [place for place, kind in enumerate(KINDS) if kind.is_company == is_company]
    return np.array(places)[by_shares(random.random(count), [KINDS[place].share for place in places])]


def _periods(plan: Plan, chunk: int, kind: Integers) -> Integers:
    """Return how many periods contracts of these kinds are paid for, were there no end to the demo."""
    random = plan.generator("renewals", chunk)
    chance = random.beta(column(KINDS, "alpha")[kind], column(KINDS, "beta")[kind])
    return np.minimum(random.geometric(np.clip(chance, 1e-12, 1)), _LONGEST_PERIODS)


# ── calendar months ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _months_after(start: Integers, months: npt.ArrayLike) -> Integers:
    """Return the days that lie whole months after others: the same day of the month, or the last where the month has none such."""
    first = np.datetime64(FIRST_ON, "D")
    date = first + start
    month = date.astype("datetime64[M]")
    day_of_month = (date - month.astype("datetime64[D]")).astype(np.int64)
    wanted = month + np.asarray(months)
    length = ((wanted + 1).astype("datetime64[D]") - wanted.astype("datetime64[D]")).astype(np.int64)
    return (wanted.astype("datetime64[D]") - first).astype(np.int64) + np.minimum(day_of_month, length - 1)


def _whole_months(plan: Plan, start: Integers) -> Integers:
    """Return the whole months from each day to the end of the demo."""
    first = np.datetime64(FIRST_ON, "D")
    apart = ((first + plan.days).astype("datetime64[M]") - (first + start).astype("datetime64[M]")).astype(np.int64)
    return apart - (_months_after(start, apart) > plan.days)


def stated(plan: Plan) -> Stated:
    """Return what is stated about contracts; nothing where there are none."""
    if not plan.effects.contracts:
        return {}
    of_kinds = {"kind_share": "share", **{name: name for name in ("period_months", "alpha", "beta", "monthly_amount")}}
    return {
        "contract_share": {"company": COMPANIES_SHARE, "person": PERSONS_SHARE},
        "most_days_before": float(MOST_DAYS_BEFORE),
        **{parameter: {kind.name: float(getattr(kind, name)) for kind in KINDS} for parameter, name in of_kinds.items()},
    }
