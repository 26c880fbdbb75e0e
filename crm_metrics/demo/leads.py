"""Calls and leads: where companies come from as customers, before the CRM goes live and after.

The levels before and after are those of published cases: 60 calls a day become 80, one hit in 52 calls one in 33 (telemarketing with
Siebel), and 40 % of leads that become customers 60 % (Quick & Reilly).
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNEL_NAMES, TELESALES, TRADE_FAIR, WEB_FORM
from crm_metrics.demo.draws import gamma
from crm_metrics.demo.plan import FIRST_ON, LAST_ON, Plan
from crm_metrics.demo.products import PRODUCT_COUNT
from crm_metrics.demo.world import NONE, Booleans, Floats, Integers, Stated, chosen, joined
from crm_metrics.language import noop

TOPIC = "leads"
PARAMETERS = {
    "calls_per_day": (noop("Calls of one caller on a working day"), "number"),
    "hit_rate": (noop("Qualified leads per call"), "share"),
    "leads_per_day": (noop("Qualified leads of one caller on a working day: calls times hit rate"), "plain"),
    "leads_per_day_factor": (noop("Qualified leads a day after the CRM, as a multiple of those before"), "plain"),
    "lead_conversion": (
        noop("Chance of a lead to become a customer, by the day it came in and before the end of the demo cuts it off"),
        "share",
    ),
    "qualified_share": (noop("Chance of a lead to qualify, before the end of the demo cuts it off"), "share"),
    "days_to_qualify": (noop("Days until a lead that did not come from a call is found to qualify or not, on average"), "days"),
    "days_to_convert": (noop("Days from qualification to the first order, on average"), "days"),
    "days_to_convert_shape": (noop("Shape of the gamma distribution of the days from qualification to the first order"), "plain"),
    "customers_share": (noop("Share of all customers who come from leads of this source, about"), "share"),
    "fair_days": (noop("Days of the trade fair that begins on this day; its leads come in then and at no other time"), "number"),
    "calls_from": (noop("Hours after midnight from which on leads are called"), "hours"),
    "calls_until": (noop("Hours after midnight until which leads are called"), "hours"),
    "fairs_from": (noop("Hours after midnight from which on leads come in at a trade fair"), "hours"),
    "fairs_until": (noop("Hours after midnight until which leads come in at a trade fair"), "hours"),
    "new_days": (noop("Days for which a lead is new, before somebody works on it"), "days"),
    "detail_days": (noop("Last days of the demo whose calls are known one by one; before them only their number each day"), "days"),
    "reached_share": (noop("Share of the calls without a qualified lead that reach somebody"), "share"),
    "call_minutes": (noop("Minutes of a call, on average"), "minutes"),
    "call_minutes_shape": (noop("Shape of the gamma distribution of the minutes of a call"), "plain"),
}

CALLS_PER_DAY = (60.0, 80.0)  # of one caller; before and after the CRM
HIT_RATE = (1 / 52, 1 / 33)  # qualified leads / calls
LEAD_CONVERSION = (0.40, 0.60)  # customers / leads, of every source, by the day the lead came in
QUALIFIED_SHARE = {TELESALES: 1.0, WEB_FORM: 0.75, TRADE_FAIR: 0.85}  # of leads; a call that is a hit is a qualified lead
DAYS_TO_QUALIFY, DAYS_TO_CONVERT = 3.0, 12.0  # means: exponential, and gamma
DAYS_TO_CONVERT_SHAPE = 2.0
REACHED_SHARE = 0.42  # of calls that are no hit
CALL_RESULTS = ("no answer", "reached", "qualified")
CALL_MINUTES, CALL_MINUTES_SHAPE = (1.0, 4.0, 9.0), 2.0  # means of gamma distributions, by result
CALLING_HOURS = (9.0, 17.5)
DETAIL_DAYS = 92  # October to December: the calls of the last quarter are known one by one
NEW_DAYS = 1.0  # a lead is 'new' for so long, then somebody works on it
CUSTOMERS_SHARE = {TELESALES: 0.10, WEB_FORM: 0.03, TRADE_FAIR: 0.02}  # of all customers, about; sets how many callers and leads there are
FAIRS = ((3, 18, 4), (5, 8, 3), (9, 10, 4), (11, 5, 3))  # month, first day and days of the trade fairs of every year
FAIR_HOURS = (9.5, 17.0)


class Calls(NamedTuple):
    """One element per caller and day with calls. caller: 0, 1, …. day: whole days. calls: made. hits: of them, qualified leads."""

    caller: Integers
    day: Integers
    calls: Integers
    hits: Integers


class Leads(NamedTuple):
    """One element per lead, by moment of creation.

    source: channel of the lead and, if it converts, of the customer. caller: who called, NONE for other sources. qualified,
    converted, unqualified: moments, NaN if never or not before the demo ends. will_convert: becomes a customer, be it after the
    demo's end. product: place among the products of the one asked for, all equally often.
    """

    created: Floats
    source: Integers
    caller: Integers
    qualified: Floats
    converted: Floats
    unqualified: Floats
    will_convert: Booleans
    product: Integers

    @property
    def is_converted(self) -> Booleans:
        """Which leads became customers."""
        return ~np.isnan(self.converted)


def callers(plan: Plan) -> int:
    """Return how many people make calls."""
    return int(np.ceil(_callers_needed(plan)))


def calls(plan: Plan) -> Calls:
    """Return the calls of every caller and day; with few customers the callers call on some days only."""
    random, needed, people = plan.generator("calls"), _callers_needed(plan), callers(plan)
    days = clock.workdays(plan)
    caller, day = (grid.ravel() for grid in np.meshgrid(np.arange(people), days, indexing="ij"))
    works = random.random(len(day)) < needed / people
    caller, day = caller[works], day[works]
    after = clock.is_after(plan, day)
    made = random.poisson(clock.level(CALLS_PER_DAY, after))
    return Calls(caller, day, made, random.binomial(made, clock.level(HIT_RATE, after)))


def leads(plan: Plan, calls: Calls) -> Leads:
    """Return the leads: a hit of a call is one, others come in by themselves, those of trade fairs while there is one."""
    random = plan.generator("leads")
    created = np.repeat(calls.day, calls.hits) + random.uniform(*CALLING_HOURS, int(calls.hits.sum())) / 24
    parts = [_Came(created, np.full(len(created), TELESALES), np.repeat(calls.caller, calls.hits))]
    for source, days, hours in ((WEB_FORM, np.arange(plan.days), (0.0, 24.0)), (TRADE_FAIR, fair_days(), FAIR_HOURS)):
        conversion = clock.level(LEAD_CONVERSION, clock.is_after(plan, days)).mean()
        count = int(random.poisson(CUSTOMERS_SHARE[source] * plan.customers / conversion))
        created = random.choice(days, count) + random.uniform(*hours, count) / 24
        parts.append(_Came(created, np.full(count, source), np.full(count, NONE)))
    came = joined(parts)
    return _outcomes(plan, random, chosen(came, np.argsort(came.created, kind="stable")))


class _Came(NamedTuple):
    """One element per lead: when and from where it came, and who called."""

    created: Floats
    source: Integers
    caller: Integers


def fairs() -> list[tuple[date, int]]:
    """Return first day and days of every trade fair."""
    return [(date(year, month, day), days) for year in range(FIRST_ON.year, LAST_ON.year + 1) for month, day, days in FAIRS]


def fair_days() -> Integers:
    """Return the days on which there is a trade fair, 0 the first day of the demo."""
    return np.array([(first_on - FIRST_ON + timedelta(day)).days for first_on, days in fairs() for day in range(days)])


def _callers_needed(plan: Plan) -> float:
    """Return the callers, in full working days, whose leads bring the share of customers wanted from calls."""
    after = clock.is_after(plan, clock.workdays(plan))
    levels = (clock.level(pair, after) for pair in (CALLS_PER_DAY, HIT_RATE, LEAD_CONVERSION))
    return float(CUSTOMERS_SHARE[TELESALES] * plan.customers / np.prod(list(levels), axis=0).sum())


def qualified_share(source: Integers) -> Floats:
    """Return for each source the chance of a lead to qualify."""
    return np.array([QUALIFIED_SHARE.get(place, 1.0) for place in range(max(QUALIFIED_SHARE) + 1)])[source]


def _outcomes(plan: Plan, random: np.random.Generator, came: _Came) -> Leads:
    """Return the leads with what becomes of them; who converts is among those who qualify."""
    created, source, caller = came
    count, shares = len(created), qualified_share(source)
    luck = random.random(count)
    will_convert = luck < clock.level(LEAD_CONVERSION, clock.is_after(plan, created))
    wait = random.exponential(DAYS_TO_QUALIFY, count)
    qualified = np.where(luck < shares, created + np.where(source == TELESALES, 0.0, wait), np.nan)
    days = gamma(random, DAYS_TO_CONVERT, shape=DAYS_TO_CONVERT_SHAPE, count=count)
    converted = np.where(will_convert, qualified + days, np.nan)
    unqualified = np.where(luck < shares, np.nan, created + wait)
    for moments in (qualified, converted, unqualified):
        moments[moments >= plan.days] = np.nan
    product = plan.generator("products of leads").integers(0, PRODUCT_COUNT, count)
    return Leads(created, source, caller, qualified, converted, unqualified, will_convert, product)


def stated(plan: Plan) -> Stated:
    """Return the stated parameters; levels after the CRM only where it goes live."""
    per_day = (CALLS_PER_DAY[0] * HIT_RATE[0], CALLS_PER_DAY[1] * HIT_RATE[1])
    levels = {"calls_per_day": CALLS_PER_DAY, "hit_rate": HIT_RATE, "leads_per_day": per_day, "lead_conversion": LEAD_CONVERSION}
    return {
        **{name: clock.by_era(plan, pair) for name, pair in levels.items()},
        **({"leads_per_day_factor": per_day[1] / per_day[0]} if plan.effects.go_live else {}),
        "qualified_share": {CHANNEL_NAMES[place]: share for place, share in QUALIFIED_SHARE.items()},
        "days_to_qualify": DAYS_TO_QUALIFY,
        "days_to_convert": DAYS_TO_CONVERT,
        "days_to_convert_shape": DAYS_TO_CONVERT_SHAPE,
        "customers_share": {CHANNEL_NAMES[place]: share for place, share in CUSTOMERS_SHARE.items()},
        "fair_days": {str(first_on): float(days) for first_on, days in fairs()},
        "calls_from": CALLING_HOURS[0],
        "calls_until": CALLING_HOURS[1],
        "fairs_from": FAIR_HOURS[0],
        "fairs_until": FAIR_HOURS[1],
        "new_days": NEW_DAYS,
        "detail_days": float(DETAIL_DAYS),
        "reached_share": REACHED_SHARE,
        "call_minutes": dict(zip(CALL_RESULTS, CALL_MINUTES, strict=True)),
        "call_minutes_shape": CALL_MINUTES_SHAPE,
    }
