"""Calls and leads: where companies come from as customers, before the CRM goes live and after.

The levels before and after are those of published cases: 60 calls a day become 80, one hit in 52 calls one in 33 (telemarketing with
Siebel), and 40 % of leads that become customers 60 % (Quick & Reilly).
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNEL_NAMES, TELESALES, TRADE_FAIR, WEB_FORM
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import PRODUCT_COUNT
from crm_metrics.demo.world import NONE, Booleans, Fact, Floats, Integers
from crm_metrics.language import noop

TOPIC = "leads"
PARAMETERS = {
    "calls_per_day": (noop("Calls of one caller on a working day"), "number"),
    "hit_rate": (noop("Qualified leads per call"), "share"),
    "leads_per_day": (noop("Qualified leads of one caller on a working day: calls times hit rate"), "plain"),
    "leads_per_day_factor": (noop("Qualified leads a day after the CRM, as a multiple of those before"), "plain"),
    "lead_conversion": (noop("Share of leads that become customers, by the day the lead came in"), "share"),
    "qualified_share": (noop("Share of leads that qualify"), "share"),
    "days_to_qualify": (noop("Days until a lead that did not come from a call is qualified, on average"), "days"),
    "days_to_convert": (noop("Days from qualification to the first order, on average"), "days"),
    "reached_share": (noop("Share of the calls without a qualified lead that reach somebody"), "share"),
    "call_minutes": (noop("Minutes of a call, on average"), "minutes"),
}
ERAS = ("before", "after")  # the CRM

CALLS_PER_DAY = (60.0, 80.0)  # of one caller; before and after the CRM
HIT_RATE = (1 / 52, 1 / 33)  # qualified leads / calls
LEAD_CONVERSION = (0.40, 0.60)  # customers / leads, of every source, by the day the lead came in
QUALIFIED_SHARE = {TELESALES: 1.0, WEB_FORM: 0.75, TRADE_FAIR: 0.85}  # of leads; a call that is a hit is a qualified lead
DAYS_TO_QUALIFY, DAYS_TO_CONVERT = 3.0, 12.0  # means: exponential, and gamma of shape 2
REACHED_SHARE = 0.42  # of calls that are no hit
CALL_RESULTS = ("no answer", "reached", "qualified")
CALL_MINUTES = (1.0, 4.0, 9.0)  # means of gamma distributions of shape 2, by result
CUSTOMERS_SHARE = {TELESALES: 0.10, WEB_FORM: 0.03, TRADE_FAIR: 0.02}  # of all customers, about; sets how many callers and leads there are


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
    demo's end. product: place among the products of the one asked for,
    all equally often.
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
    after = (day >= plan.go_live_day).astype(int)
    made = random.poisson(np.array(CALLS_PER_DAY)[after])
    return Calls(caller, day, made, random.binomial(made, np.array(HIT_RATE)[after]))


def leads(plan: Plan, made: Calls) -> Leads:
    """Return the leads: a hit of a call is one, others come in by themselves."""
    random = plan.generator("leads")
    of_calls = np.repeat(made.day, made.hits) + random.uniform(9, 17.5, int(made.hits.sum())) / 24
    caller = np.repeat(made.caller, made.hits)
    parts = [(of_calls, np.full(len(of_calls), TELESALES), caller)]
    conversion = np.array(LEAD_CONVERSION)[(np.arange(plan.days) >= plan.go_live_day).astype(int)]
    for place in (WEB_FORM, TRADE_FAIR):
        many = int(random.poisson(CUSTOMERS_SHARE[place] * plan.customers / conversion.mean()))
        parts.append((random.uniform(0, plan.days, many), np.full(many, place), np.full(many, NONE)))
    created, source, caller = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(created, kind="stable")
    return _outcomes(plan, random, created[order], source=source[order], caller=caller[order])


def _callers_needed(plan: Plan) -> float:
    """Return the callers, in full working days, whose leads bring the share of customers wanted from calls."""
    after = clock.workdays(plan) >= plan.go_live_day
    customers_a_day = [calls * hit * conversion for calls, hit, conversion in zip(CALLS_PER_DAY, HIT_RATE, LEAD_CONVERSION, strict=True)]
    return float(CUSTOMERS_SHARE[TELESALES] * plan.customers / (customers_a_day[0] * (~after).sum() + customers_a_day[1] * after.sum()))


def _outcomes(plan: Plan, random: np.random.Generator, created: Floats, *, source: Integers, caller: Integers) -> Leads:
    many = len(created)
    shares = np.array([QUALIFIED_SHARE.get(place, 1.0) for place in range(TRADE_FAIR + 1)])[source]
    conversion = np.array(LEAD_CONVERSION)[(created >= plan.go_live_day).astype(int)]
    luck = random.random(many)
    wait = random.exponential(DAYS_TO_QUALIFY, many)
    qualified = np.where(luck < shares, created + np.where(source == TELESALES, 0.0, wait), np.nan)
    converted = np.where(luck < conversion, qualified + random.gamma(2.0, DAYS_TO_CONVERT / 2, many), np.nan)
    unqualified = np.where(luck < shares, np.nan, created + wait)
    for moments in (qualified, converted, unqualified):
        moments[moments >= plan.days] = np.nan
    product = plan.generator("products of leads").integers(0, PRODUCT_COUNT, many)
    return Leads(created, source, caller, qualified, converted, unqualified, luck < conversion, product)


def facts() -> list[Fact]:
    """Return the stated parameters; the levels after the CRM hold where it goes live at all."""
    per_day = tuple(calls * hit for calls, hit in zip(CALLS_PER_DAY, HIT_RATE, strict=True))
    levels = {"calls_per_day": CALLS_PER_DAY, "hit_rate": HIT_RATE, "leads_per_day": per_day, "lead_conversion": LEAD_CONVERSION}
    found = [Fact(TOPIC, name, era, value) for name, values in levels.items() for era, value in zip(ERAS, values, strict=True)]
    found.append(Fact(TOPIC, "leads_per_day_factor", "", per_day[1] / per_day[0]))
    found += [Fact(TOPIC, "qualified_share", CHANNEL_NAMES[place], share) for place, share in QUALIFIED_SHARE.items()]
    found += [Fact(TOPIC, "call_minutes", result, minutes) for result, minutes in zip(CALL_RESULTS, CALL_MINUTES, strict=True)]
    plain = {"days_to_qualify": DAYS_TO_QUALIFY, "days_to_convert": DAYS_TO_CONVERT, "reached_share": REACHED_SHARE}
    return found + [Fact(TOPIC, name, "", value) for name, value in plain.items()]
