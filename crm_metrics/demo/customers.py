"""What each customer is like: rate of purchase, chance to leave, value of an order, region, age, satisfaction, who referred them."""

from collections.abc import Mapping

import numpy as np

from crm_metrics.demo.channels import CHANNELS, REFERRAL, Channel
from crm_metrics.demo.plan import LAST_ON, Plan
from crm_metrics.demo.roster import Roster
from crm_metrics.demo.world import NONE, REGIONS, Booleans, Customers, Floats, Integers, Stated
from crm_metrics.language import noop

SATISFACTION_SHARE = (0.07, 0.13, 0.25, 0.35, 0.20)  # of customers with the true level 1 to 5
RATE_BY_SATISFACTION = (0.35, 0.60, 0.85, 1.00, 1.60)  # times the customer's rate of purchase
REFERRALS_BY_SATISFACTION = (0.1, 0.3, 0.6, 1.0, 2.4)  # chance to be the referrer, relative to level 4
REGION_SHARE = (0.34, 0.24, 0.19, 0.13, 0.10)
CONSENT_SHARE = 0.82
SECOND_RECORD_SHARE = 0.05  # of customers, known to both systems as soon as they order again
AGE_MEAN, AGE_DEVIATION, YOUNGEST, OLDEST = 38.0, 12.0, 18, 84
LEVELS = ("1", "2", "3", "4", "5")

TOPIC = "customers"
PARAMETERS = {
    "satisfaction_share": (noop("Share of customers with the true level of satisfaction"), "share"),
    "purchase_rate_factor": (noop("Rate of purchase, as a multiple of that at level 4"), "plain"),
    "referral_weight": (noop("Chance to refer somebody, as a multiple of that at level 4"), "plain"),
    "region_share": (noop("Share of customers by home region"), "share"),
    "consent_share": (noop("Share of customers who may be contacted"), "share"),
    "age_mean": (noop("Age of persons at the end of the demo, in years: mean before the youngest and oldest are bounded"), "plain"),
    "age_deviation": (noop("Age of persons: standard deviation before that, in years"), "plain"),
    "youngest": (noop("Age of the youngest person, in years"), "number"),
    "oldest": (noop("Age of the oldest person, in years"), "number"),
    "second_record_share": (
        noop("Share with a second, misspelt record in the other system, of customers who would order again without campaigns"),
        "share",
    ),
}


def customers(plan: Plan, chunk: int, everybody: Roster) -> Customers:
    """Return the customers of a chunk."""
    random, number = plan.generator("customers", chunk), everybody.numbers(plan, chunk)
    channel, count = everybody.channel[number], len(number)
    rate, leave, value = _models(plan, chunk, channel)
    satisfaction = random.choice(5, count, p=SATISFACTION_SHARE) + 1
    factor = np.array(RATE_BY_SATISFACTION)[satisfaction - 1] if plan.effects.satisfaction else 1.0
    is_company = np.array([channel.is_company for channel in CHANNELS])[channel]
    age = np.clip(random.normal(AGE_MEAN, AGE_DEVIATION, count), YOUNGEST, OLDEST)
    has_second = random.random(count) < SECOND_RECORD_SHARE
    weights = np.array(REFERRALS_BY_SATISFACTION)[satisfaction - 1]
    weights[_test_place(chunk, count)] = 0.0  # with the effect or without, so that nobody else's referrer depends on it
    return Customers(
        number=number,
        channel=channel,
        is_company=is_company,
        region=random.choice(len(REGIONS), count, p=REGION_SHARE),
        acquired=everybody.acquired[number],
        lead=everybody.lead[number],
        birth_year=np.where(is_company, 0, LAST_ON.year - np.rint(age)).astype(np.int64),
        has_consent=random.random(count) < CONSENT_SHARE,
        satisfaction=satisfaction,
        purchase_rate=rate * factor,
        leave_probability=leave,
        mean_order_value=value,
        referrer=_referrers(plan, chunk, channel, number=number, weight=weights),
        has_second_record=has_second & plan.effects.two_systems,
        is_test=_test_place(chunk, count) & plan.effects.outliers,
    )


def _models(plan: Plan, chunk: int, channel: Integers) -> tuple[Floats, Floats, Floats]:
    """Return each customer's rate a week, chance to leave and mean order value, drawn from the channel's distributions."""
    random = plan.generator("models", chunk)
    columns = {name: np.array([getattr(one, name) for one in CHANNELS])[channel] for name in Channel._fields[3:-1]}
    rate = random.gamma(columns["r"]) / columns["alpha"]
    leave = random.beta(columns["a"], columns["b"])
    value = columns["p"] * columns["v"] / random.gamma(columns["q"])
    return rate, leave, value


def _referrers(plan: Plan, chunk: int, channel: Integers, *, number: Integers, weight: Floats) -> Integers:
    """Return who referred each customer of that channel: somebody won earlier, by weight, if there is anybody."""
    random, count = plan.generator("referrers", chunk), len(number)
    found = np.full(count, NONE)
    if not plan.effects.referrals:
        return found
    earlier = np.cumsum(weight) - weight
    place = np.flatnonzero((channel == REFERRAL) & (earlier > 0))
    luck = random.random(count)[place] * earlier[place]
    found[place] = number[np.searchsorted(earlier, luck, side="right") - 1]
    return found


def _test_place(chunk: int, count: int) -> Booleans:
    """Return which customer is the test account, where outliers are wanted: the first of the first chunk."""
    return np.arange(chunk, chunk + count) == 0


def stated(plan: Plan) -> Stated:
    """Return the stated parameters."""
    effects = plan.effects
    values: dict[str, float | Mapping[str, float]] = {"satisfaction_share": _by_level(SATISFACTION_SHARE)}
    if effects.satisfaction:
        values["purchase_rate_factor"] = _by_level(RATE_BY_SATISFACTION)
    if effects.referrals:
        values["referral_weight"] = _by_level(REFERRALS_BY_SATISFACTION)
    values |= {"region_share": dict(zip(REGIONS, REGION_SHARE, strict=True)), "consent_share": CONSENT_SHARE}
    values |= {"age_mean": AGE_MEAN, "age_deviation": AGE_DEVIATION, "youngest": YOUNGEST, "oldest": OLDEST}
    return {**values, "second_record_share": SECOND_RECORD_SHARE} if effects.two_systems else values


def _by_level(values: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(LEVELS, values, strict=True))
