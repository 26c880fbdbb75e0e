"""Through which channel and region each order comes and at what hour, and how long its entry takes.

Only orders by telephone are entered by the shop's staff; the others are typed in by the customer or come from the till, and have no
entry times. Entry takes eight hours before the CRM goes live and 45 minutes after (WilTel, with Siebel).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNEL_NAMES, REFERRAL, SEARCH, SOCIAL, STORE, TELESALES, TRADE_FAIR, WEB_FORM
from crm_metrics.demo.draws import by_shares
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, REGIONS, Booleans, Floats, Integers, Stated
from crm_metrics.language import noop

IN_STORE, ONLINE, APP, PHONE = range(4)
SALES_CHANNELS = ("门店 Store", "网店 Online shop", "应用 App", "电话 Phone")
SHARE_AT_FIRST = {  # of the orders of customers won through the channel, by place in SALES_CHANNELS; shifts evenly over the demo …
    SEARCH: (0.10, 0.70, 0.12, 0.08),
    SOCIAL: (0.08, 0.56, 0.30, 0.06),
    STORE: (0.70, 0.14, 0.06, 0.10),
    REFERRAL: (0.34, 0.38, 0.16, 0.12),
    TELESALES: (0.02, 0.16, 0.02, 0.80),
    WEB_FORM: (0.03, 0.45, 0.04, 0.48),
    TRADE_FAIR: (0.05, 0.25, 0.02, 0.68),
}
SHARE_AT_LAST = {  # … to this
    SEARCH: (0.08, 0.52, 0.34, 0.06),
    SOCIAL: (0.05, 0.33, 0.58, 0.04),
    STORE: (0.56, 0.17, 0.19, 0.08),
    REFERRAL: (0.25, 0.33, 0.34, 0.08),
    TELESALES: (0.02, 0.30, 0.08, 0.60),
    WEB_FORM: (0.02, 0.56, 0.12, 0.30),
    TRADE_FAIR: (0.04, 0.38, 0.08, 0.50),
}
OPEN_HOURS = (9, 21)  # of the shop and of the telephone; an order online or in the app comes at any hour
_OPEN_SHARE = (0.10, 0.885)  # share of a day's orders placed by these hours, on the general curve of `clock.with_hours`
HOME_SHARE = 0.92  # of orders, placed in the customer's home region; the others in any other region alike
ENTRY_MINUTES = (480.0, 45.0)  # median from the start of entry to booking, before and after the CRM
ENTRY_DEVIATION = 0.5  # of the logarithm of that time
CORRECTED_SHARE = (0.09, 0.03)  # of orders entered, before and after the CRM

TOPIC = "sales_channels"
PARAMETERS = {
    "share_at_first": (
        noop("Share of orders by sales channel and the channel the customer was won through, on the first day"),
        "share",
    ),
    "share_at_last": (
        noop("Share of orders by sales channel and the channel the customer was won through, on the last day"),
        "share",
    ),
    "opens_at": (noop("Orders in the shop and by telephone: first hour of the day"), "hours"),
    "closes_at": (noop("Orders in the shop and by telephone: hour by which the last has come"), "hours"),
    "home_share": (noop("Share of orders placed in the customer's home region"), "share"),
    "entry_minutes": (noop("Entry of an order by telephone, from its start to booking: median"), "minutes"),
    "entry_deviation": (noop("Entry of an order by telephone: deviation of the logarithm of the time"), "plain"),
    "corrected_share": (noop("Share of orders by telephone corrected after entry, of those booked"), "share"),
}
_MINUTES_A_DAY = 1_440.0


class Entry(NamedTuple):
    """Entry of each order by staff. started, booked: moments, NaN if not entered or not yet. was_corrected: 1, 0, or NONE if unknown."""

    started: Floats
    booked: Floats
    was_corrected: Integers


def sales_channels(plan: Plan, uniform: Floats, *, acquisition: Integers, moment: Floats) -> Integers:
    """Return the sales channel of each order. uniform: a random number of [0, 1) each. acquisition: how the customer was won."""
    first, last = (np.array([shares[place] for place in range(len(CHANNEL_NAMES))]) for shares in (SHARE_AT_FIRST, SHARE_AT_LAST))
    return by_shares(uniform, first[acquisition] + (last - first)[acquisition] * (moment / plan.days)[:, None])


def at_hours(moment: Floats, channel: Integers) -> Floats:
    """Return moments moved to the hours people buy at through each channel, within their day."""
    day = np.floor(moment)
    begun, ended = _OPEN_SHARE
    is_open = np.isin(channel, (IN_STORE, PHONE))
    return clock.with_hours(np.where(is_open, day + begun + (ended - begun) * (moment - day), moment))


def order_regions(random: np.random.Generator, home: Integers) -> Integers:
    """Return the region each order is placed in."""
    is_away = random.random(len(home)) >= HOME_SHARE
    return np.where(is_away, (home + random.integers(1, len(REGIONS), len(home))) % len(REGIONS), home)


def entries(plan: Plan, random: np.random.Generator, moment: Floats, *, is_entered: Booleans) -> Entry:
    """Return the entry of each order, begun when the order comes in."""
    after, count = clock.is_after(plan, moment), len(moment)
    taken = clock.level(ENTRY_MINUTES, after) / _MINUTES_A_DAY * np.exp(ENTRY_DEVIATION * random.standard_normal(count))
    is_corrected = random.random(count) < clock.level(CORRECTED_SHARE, after)
    is_booked = is_entered & (moment + taken < plan.days)
    return Entry(
        started=np.where(is_entered, moment, np.nan),
        booked=np.where(is_booked, moment + taken, np.nan),
        was_corrected=np.where(is_booked, is_corrected, NONE),
    )


def no_entry(count: int) -> Entry:
    """Return the entry of orders that nobody enters."""
    return Entry(np.full(count, np.nan), np.full(count, np.nan), np.full(count, NONE))


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan."""
    opens, closes = OPEN_HOURS
    return {
        "share_at_first": _by_channels(SHARE_AT_FIRST),
        "share_at_last": _by_channels(SHARE_AT_LAST),
        "opens_at": opens,
        "closes_at": closes,
        "home_share": HOME_SHARE,
        "entry_minutes": clock.by_era(plan, ENTRY_MINUTES),
        "entry_deviation": ENTRY_DEVIATION,
        "corrected_share": clock.by_era(plan, CORRECTED_SHARE),
    }


def _by_channels(table: Mapping[int, tuple[float, ...]]) -> dict[str, float]:
    return {f"{CHANNEL_NAMES[won]} → {SALES_CHANNELS[place]}": share for won, row in table.items() for place, share in enumerate(row)}
