"""Who the customers are: names, contacts and wishes, in two systems that do not agree on who is who.

The shop's system knows every customer, under an id like C0000017. Some customers are known to the order office as well, under another
number (K0004242) and with a misspelt name; some of their orders name that record. `demo_customers` says whose both records are.
The office does not know how a customer was won and at what cost: those attributes are empty in its records.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.demo import misspelling, names
from crm_metrics.demo.channels import CHANNEL_NAMES, CHANNELS
from crm_metrics.demo.draws import by_shares, column, gamma
from crm_metrics.demo.misspelling import Luck
from crm_metrics.demo.names import Companies, People
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.staff import employee_keys, headcount
from crm_metrics.demo.world import (
    NONE,
    REGIONS,
    Booleans,
    Customers,
    Floats,
    Integers,
    Orders,
    Stated,
    Tables,
    chosen,
    customer_keys,
    days,
    keys,
    labels,
    money,
    shares,
    subject,
)
from crm_metrics.language import noop
from crm_metrics.schema import contacts, customer_records, demo_customers, preferences

OFFICE_ORDER_SHARE = 0.4  # of the orders from the third on, of customers with a second record; the second is always the office's
ENGLISH_NAME_SHARE = (0.02, 0.04, 0.03, 0.01, 0.85)  # of customers, by home region
BILINGUAL_SHARE = 0.3  # of companies with a Chinese name, that write it in English as well
ACQUISITION_COST_SHAPE = 4.0  # gamma around the channel's mean
OWNED_SHARE = 0.94  # of companies
UNKNOWN_SHARE = {"customer_name": 0.005, "birth_year": 0.08, "has_consent": 0.15}  # birth_year: of persons; consent: of who gave none
OFFICE_UNKNOWN_BIRTH_YEAR_SHARE = 0.30
OFFICE_REGION_SHARE = 0.15  # of the office's records with the region in the office's own spelling
OFFICE_REGIONS = ("华东", "South China", "North China", "西南", "Europe")
SECOND_CONTACT_SHARE, PERSONS_WITH_CONTACT_SHARE = 0.45, 0.03
OFFICE_UNKNOWN_EMAIL_SHARE = 0.3  # of the office's contacts
POSITIONS = (
    "采购经理 Purchasing manager",
    "总经理 General manager",
    "财务主管 Head of finance",
    "行政主管 Office manager",
    "技术主管 Chief engineer",
)
PREFERENCE_SHARE = {"contact_channel": 0.35, "language": 0.25}  # of customers who ever state one
CONTACT_CHANNELS = {"phone": 0.30, "e-mail": 0.35, "web self-service": 0.20, "微信 WeChat": 0.15}  # service is reached by the first three
LANGUAGES, OWN_LANGUAGE_SHARE = ("中文", "English"), 0.95  # the language of the name
PREFERENCE_DAYS = 90.0  # from the first order until it is stated, on average: exponential
TEST_NAME = "测试账户 TEST ACCOUNT, do not ship"
_PHONE_NUMBERS, _PHONE_STEP, _PHONE_START = 10**8, 61_803_399, 27_182_818  # step and count have no common divisor: each number comes once

TOPIC = "identities"
PARAMETERS = {
    "office_order_share": (
        noop("Orders from the third on that name the second record of a customer who has one; the second order always does"),
        "share",
    ),
    "error_share": (noop("Kind of error in a misspelt name"), "share"),
    "unknown_share": (
        noop("Customers of whom the shop does not know it; the year of birth: persons; consent: of those who gave none"),
        "share",
    ),
    "office_unknown_share": (
        noop("Records of the order office where it is missing, besides what the shop does not know; e-mail: of its contacts"),
        "share",
    ),
    "office_region_share": (noop("Records of the order office with the region in the office's own spelling"), "share"),
    "english_name_share": (noop("Customers with an English name, by home region"), "share"),
    "short_name_share": (noop("Chinese persons with a given name of one character"), "share"),
    "man_share": (noop("Chinese persons with the given name of a man"), "share"),
    "one_founder_share": (noop("English companies named after one founder, besides those whose two founders have one name"), "share"),
    "name_commonness": (noop("The n-th name of a list is chosen in proportion to 1 / (n + this)"), "plain"),
    "acquisition_cost_shape": (noop("Gamma shape of the cost of winning a customer around the mean of the channel"), "plain"),
    "owned_share": (noop("Companies with an employee who owns the relation"), "share"),
    "bilingual_share": (noop("Companies with a Chinese name that write it in English as well"), "share"),
    "contact_share": (noop("Customers with a contact on record, besides the first of each company"), "share"),
    "preference_share": (
        noop("Customers who state a preference sooner or later; what is stated after the end of the demo is not seen"),
        "share",
    ),
    "preference_days": (noop("Days from the first order until a preference is stated, on average, were there no end of the demo"), "days"),
    "contact_channel_share": (noop("Contact channel that is preferred, of the preferences stated"), "share"),
    "own_language_share": (noop("Customers who prefer the language of their name, of the preferences stated"), "share"),
}


class Booked(NamedTuple):
    """Which record each order names. ids: of the customer, in the shop's system or the office's. is_office: in the office's."""

    ids: pa.Array
    is_office: Booleans


class _Called(NamedTuple):
    """What a chunk's customers are called. shown: as the shop writes it. luck: of the clerk who misspells it."""

    persons: People
    firms: Companies
    shown: pa.Array
    luck: Luck


# ── which record an order names ─────────────────────────────────────────────────────────────────────────────────────────


def order_customer_ids(plan: Plan, chunk: int, customers: Customers, orders: Orders) -> Booked:
    """Return which record each order names: the shop's, or the office's where the office booked the order.

    The office books the second order of each customer with a second record, so that everybody who orders again has that record, and
    further ones by lot.
    """
    by_lot = plan.generator("orders of the office", chunk).random(len(orders.customer)) < OFFICE_ORDER_SHARE
    has_second = customers.has_second_record & ~customers.is_test
    is_second = ~orders.is_first & np.roll(orders.is_first, 1)
    is_office = (by_lot | is_second) & has_second[orders.customer] & ~orders.is_first
    number = customers.number[orders.customer]
    return Booked(pc.if_else(pa.array(is_office), _office_keys(plan, number), customer_keys(number)), is_office)


def _office_keys(plan: Plan, numbers: Integers) -> pa.Array:
    """Return the ids of customers in the office's system."""
    return keys("office customer", _office_numbers(plan)[numbers])


@lru_cache(maxsize=1)
def _office_numbers(plan: Plan) -> Integers:
    """Return the office's number of every customer: each number once, by lot, and nobody's own. Kept, because each chunk asks again."""
    order = plan.generator("office numbers").permutation(plan.customers)
    numbered = np.empty(plan.customers, dtype=np.int64)
    numbered[order] = np.roll(order, 1)  # one cycle through all numbers: none stays where it is
    numbered.setflags(write=False)
    return numbered


# ── the records ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def records(plan: Plan, chunk: int, customers: Customers, left: Floats, *, has_office_order: Booleans) -> Tables:
    """Return customer records, contacts, preferences and the truth about each record.

    left: moment each customer left, NaN for those still there. has_office_order: per customer, whether an order names the office's
    record; only then there is one.
    """
    called, office = _called(plan, chunk, customers), np.flatnonzero(has_office_order)
    shop = _shop_records(plan, chunk, customers, called)
    of_office = _office_records(plan, chunk, customers, called=called, shop=shop, office=office)
    return {
        customer_records: pa.concat_tables([shop, of_office], promote_options="default"),
        contacts: _contacts(plan, chunk, customers, called=called, office=office),
        preferences: _preferences(plan, chunk, customers, called.persons.is_english),
        demo_customers: _truth(plan, customers, left, office=office),
    }


def _called(plan: Plan, chunk: int, customers: Customers) -> _Called:
    random, count = plan.generator("names", chunk), len(customers.number)
    is_english = random.random(count) < np.array(ENGLISH_NAME_SHARE)[customers.region]
    is_bilingual = (random.random(count) < BILINGUAL_SHARE) & ~is_english
    persons = names.people(random, is_english)
    firms = names.companies(random, is_english, customers.region)
    chinese, english = names.in_characters(firms), names.in_english(firms)
    both = pc.binary_join_element_wise(chinese, english, " ")
    of_firms = pc.if_else(pa.array(is_english), english, pc.if_else(pa.array(is_bilingual), both, chinese))
    shown = pc.if_else(pa.array(customers.is_company), of_firms, names.written(persons))
    luck = Luck.drawn(plan.generator("misspelling", chunk), count)
    return _Called(persons, firms, pc.if_else(pa.array(customers.is_test), TEST_NAME, shown), luck)


def _shop_records(plan: Plan, chunk: int, customers: Customers, called: _Called) -> pa.Table:
    random, count = plan.generator("unknown attributes", chunk), len(customers.number)
    is_unknown = {name: random.random(count) < share for name, share in UNKNOWN_SHARE.items()}
    return pa.table(
        {
            "customer_id": customer_keys(customers.number),
            "source_system": pa.repeat("shop", count),
            "customer_kind": labels(customers.is_company, ("person", "company")),
            "customer_name": _without(called.shown, is_unknown["customer_name"] & ~customers.is_test),
            "home_region": labels(customers.region, REGIONS),
            "birth_year": pa.array(customers.birth_year.astype(np.int32), mask=customers.is_company | is_unknown["birth_year"]),
            "acquisition_channel": labels(customers.channel, CHANNEL_NAMES),
            "acquisition_cost": money(_acquisition_costs(plan, chunk, customers)),
            "acquired_on": days(customers.acquired),
            "owner_id": _owners(plan, chunk, customers),
            "referrer_customer_id": customer_keys(customers.referrer),
            "has_consent": pa.array(customers.has_consent, mask=is_unknown["has_consent"] & ~customers.has_consent),
        }
    )


def _acquisition_costs(plan: Plan, chunk: int, customers: Customers) -> Floats:
    random = plan.generator("acquisition costs", chunk)
    return gamma(random, column(CHANNELS, "acquisition_cost")[customers.channel], shape=ACQUISITION_COST_SHAPE)


def _owners(plan: Plan, chunk: int, customers: Customers) -> pa.Array:
    random, count = plan.generator("owners", chunk), len(customers.number)
    place = random.integers(0, headcount(plan, "sales"), count)
    return employee_keys("sales", np.where(customers.is_company & (random.random(count) < OWNED_SHARE), place, NONE))


def _office_records(plan: Plan, chunk: int, customers: Customers, *, called: _Called, shop: pa.Table, office: Integers) -> pa.Table:
    """Return the office's records: the shop's as a clerk typed them, without what the office does not know."""
    random, count = plan.generator("records of the office", chunk), len(customers.number)
    has_own_region, is_ageless = random.random(count) < OFFICE_REGION_SHARE, random.random(count) < OFFICE_UNKNOWN_BIRTH_YEAR_SHARE
    known = shop.take(pa.array(office))
    region = labels(customers.region[office], REGIONS)
    own_region = labels(customers.region[office], OFFICE_REGIONS)
    return pa.table(
        {
            "customer_id": _office_keys(plan, customers.number[office]),
            "source_system": pa.repeat("office", len(office)),
            "customer_kind": known["customer_kind"],
            "customer_name": _misspelt(customers, called, office),
            "home_region": pc.if_else(pa.array(has_own_region[office]), own_region, region),
            "birth_year": _without(known["birth_year"], is_ageless[office]),
            "owner_id": known["owner_id"],
            "has_consent": known["has_consent"],
        }
    )


def _misspelt(customers: Customers, called: _Called, office: Integers) -> pa.Array:
    luck = chosen(called.luck, office)
    persons = misspelling.misspelt_people(chosen(called.persons, office), luck)
    firms = misspelling.misspelt_companies(chosen(called.firms, office), luck)
    return pc.if_else(pa.array(customers.is_company[office]), firms, persons)


def _without(values: pa.Array | pa.ChunkedArray, unknown: Booleans) -> pa.Array | pa.ChunkedArray:
    """Return the values, empty where unknown."""
    return pc.if_else(pa.array(unknown), pa.scalar(None, values.type), values)


# ── contacts and preferences ────────────────────────────────────────────────────────────────────────────────────────────


def _contacts(plan: Plan, chunk: int, customers: Customers, *, called: _Called, office: Integers) -> pa.Table:
    """Return the contacts: one or two people of each company, a few persons as their own; and those the office knows of companies."""
    random, count = plan.generator("contacts", chunk), len(customers.number)
    is_second = customers.is_company & (random.random(count) < SECOND_CONTACT_SHARE)
    is_own = ~customers.is_company & ~customers.is_test & (random.random(count) < PERSONS_WITH_CONTACT_SHARE)
    luck, has_email = Luck.drawn(random, count), random.random(count) >= OFFICE_UNKNOWN_EMAIL_SHARE
    staff, seconds = (names.people(random, called.persons.is_english) for _ in range(2))
    position = random.integers(0, len(POSITIONS), (2, count))
    domain = pc.if_else(pa.array(customers.is_company), names.website(called.firms), "home")
    first = _people_at(customers, staff, domain, which=np.flatnonzero(customers.is_company), position=position[0])
    second = _people_at(customers, seconds, domain, which=np.flatnonzero(is_second), position=position[1], place=1)
    own = _people_at(customers, called.persons, domain, which=np.flatnonzero(is_own), position=np.full(count, NONE))
    firms = office[customers.is_company[office]]
    known, key = _people_at(customers, staff, domain, which=firms, position=position[0]), _office_keys(plan, customers.number[firms])
    typed = {
        "contact_id": pc.binary_join_element_wise("T", key, ""),
        "customer_id": key,
        "contact_name": misspelling.misspelt_people(chosen(staff, firms), chosen(luck, firms)),
        "email": _without(known["email"], ~has_email[firms]),
        "phone": pc.replace_substring(known["phone"], " ", ""),
        "is_primary": known["is_primary"],
    }
    return pa.concat_tables([first, second, own, pa.table(typed)], promote_options="default")


def _people_at(customers: Customers, persons: People, domain: pa.Array, *, which: Integers, position: Integers, place: int = 0) -> pa.Table:
    """Return the contacts of some customers. place: 0 for the first person to speak to, 1 for the second."""
    number, people = customers.number[which], chosen(persons, which)
    written = pa.array(number + 1).cast(pa.string())
    address = pc.binary_join_element_wise(names.mailbox(people), "@", domain.take(pa.array(which)), written, ".example", "")
    return pa.table(
        {
            "contact_id": keys("contact", number * 2 + place, width=8),
            "customer_id": customer_keys(number),
            "contact_name": names.written(people),
            "email": address,
            "phone": _phones(number * 2 + place, people.is_english),
            "position": labels(position[which], POSITIONS),
            "is_primary": pa.repeat(place == 0, len(which)),
        }
    )


def _phones(numbers: Integers, is_english: Booleans) -> pa.Array:
    """Return telephone numbers that nobody has: no British or Chinese number begins with 100 after the code of the country."""
    digits = pc.utf8_lpad(pa.array((numbers * _PHONE_STEP + _PHONE_START) % _PHONE_NUMBERS).cast(pa.string()), 8, "0")
    country = pc.if_else(pa.array(is_english), "+44", "+86")
    return pc.binary_join_element_wise(country, "100", pc.utf8_slice_codeunits(digits, 0, 4), pc.utf8_slice_codeunits(digits, 4, 8), " ")


def _preferences(plan: Plan, chunk: int, customers: Customers, is_english: Booleans) -> pa.Table:
    random, count = plan.generator("preferences", chunk), len(customers.number)
    channel = by_shares(random.random(count), list(CONTACT_CHANNELS.values()))
    language = is_english ^ (random.random(count) >= OWN_LANGUAGE_SHARE)
    values = {"contact_channel": labels(channel, tuple(CONTACT_CHANNELS)), "language": labels(language, LANGUAGES)}
    parts = []
    for preference, share in PREFERENCE_SHARE.items():
        stated = customers.acquired + random.exponential(PREFERENCE_DAYS, count)
        which = np.flatnonzero((random.random(count) < share) & (stated < plan.days) & ~customers.is_test)
        columns = {"preference": pa.repeat(preference, len(which)), "preferred_value": values[preference].take(pa.array(which))}
        parts.append(pa.table({"customer_id": customer_keys(customers.number[which]), **columns, "stated_on": days(stated[which])}))
    return pa.concat_tables(parts)


# ── the truth ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _truth(plan: Plan, customers: Customers, left: Floats, *, office: Integers) -> pa.Table:
    """Return the truth about the shop's records, then about the office's."""
    own = customer_keys(customers.number)
    truth = pa.table(
        {
            "customer_id": own,
            "true_customer_id": own,
            "purchase_rate": shares(customers.purchase_rate),
            "leave_probability": shares(customers.leave_probability),
            "mean_order_value": money(customers.mean_order_value, decimals=4),
            "satisfaction": pa.array(customers.satisfaction.astype(np.int32)),
            "left_on": days(left),
            "is_test": pa.array(customers.is_test),
        }
    )
    twice = truth.take(pa.array(office)).set_column(0, "customer_id", _office_keys(plan, customers.number[office]))
    return pa.concat_tables([truth, twice])


def stated(plan: Plan) -> Stated:
    """Return what is stated about names, contacts and wishes, and where there are two systems about the second."""
    values: dict[str, float | Mapping[str, float]] = {
        "unknown_share": UNKNOWN_SHARE,
        "english_name_share": dict(zip(REGIONS, ENGLISH_NAME_SHARE, strict=True)),
        "short_name_share": names.SHORT_SHARE,
        "man_share": names.MAN_SHARE,
        "one_founder_share": names.ONE_FOUNDER_SHARE,
        "name_commonness": names.COMMONNESS,
        "acquisition_cost_shape": ACQUISITION_COST_SHAPE,
        "owned_share": OWNED_SHARE,
        "bilingual_share": BILINGUAL_SHARE,
        "contact_share": {"second person of a company": SECOND_CONTACT_SHARE, "person": PERSONS_WITH_CONTACT_SHARE},
        "preference_share": PREFERENCE_SHARE,
        "preference_days": PREFERENCE_DAYS,
        "contact_channel_share": CONTACT_CHANNELS,
        "own_language_share": OWN_LANGUAGE_SHARE,
    }
    return values | _stated_of_office() if plan.effects.two_systems else values


def _stated_of_office() -> dict[str, float | Mapping[str, float]]:
    errors = {subject(kind, error): share for kind, shares_of in misspelling.ERRORS.items() for error, share in shares_of.items()}
    return {
        "office_order_share": OFFICE_ORDER_SHARE,
        "error_share": errors,
        "office_unknown_share": {"birth_year": OFFICE_UNKNOWN_BIRTH_YEAR_SHARE, "email": OFFICE_UNKNOWN_EMAIL_SHARE},
        "office_region_share": OFFICE_REGION_SHARE,
    }
