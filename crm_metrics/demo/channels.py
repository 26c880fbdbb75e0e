"""How customers are won, and how those of each channel buy and spend: the stated parameters of the purchase models.

Fader, Hardie and Lee (2005): orders follow a BG/NBD; Fader and Hardie (2013): the value of an order follows a Gamma-Gamma. The
parameters have the papers' names; time is in weeks, money in CNY.
"""

from typing import NamedTuple

from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import Stated
from crm_metrics.language import noop

TOPIC = "purchases"
PARAMETERS = {
    "r": (noop("BG/NBD r: shape of the rates of purchase"), "plain"),
    "alpha": (noop("BG/NBD alpha: rate of the rates of purchase, in weeks"), "plain"),
    "a": (noop("BG/NBD a: first parameter of the chance to leave"), "plain"),
    "b": (noop("BG/NBD b: second parameter of the chance to leave"), "plain"),
    "p": (noop("Gamma-Gamma p: shape of a customer's order values"), "plain"),
    "q": (noop("Gamma-Gamma q: shape of the differences between customers"), "plain"),
    "v": (noop("Gamma-Gamma v: scale, in CNY"), "money"),
    "mean_order_value": (noop("Expected net amount of an order, before upgrades"), "money"),
    "acquisition_cost": (noop("Cost of winning a customer, on average"), "money"),
    "share_of_persons": (noop("Share of the persons won through the channel"), "share"),
    "growth": (noop("Persons won on the last day less those on the first, as a share of a day in the middle, without seasons"), "share"),
}


class Channel(NamedTuple):
    """One way of winning customers. share_of_persons: 0 for the channels of companies, whose customers come out of leads."""

    name: str
    is_company: bool
    share_of_persons: float
    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    v: float
    acquisition_cost: float

    @property
    def mean_order_value(self) -> float:
        """Expected value of an order over all customers of the channel."""
        return self.p * self.v / (self.q - 1)


GROWTH = 0.30  # of the persons won a day, from the first day to the last, relative to the middle
SEARCH, SOCIAL, STORE, REFERRAL, TELESALES, WEB_FORM, TRADE_FAIR = range(7)
CHANNELS = (
    Channel(
        "搜索 Search",
        is_company=False,
        share_of_persons=0.31,
        r=0.75,
        alpha=9.0,
        a=0.75,
        b=2.6,
        p=6.0,
        q=4.6,
        v=250.0,
        acquisition_cost=62.0,
    ),
    Channel(
        "社交媒体 Social media",
        is_company=False,
        share_of_persons=0.27,
        r=0.50,
        alpha=8.5,
        a=1.05,
        b=2.1,
        p=5.0,
        q=4.4,
        v=190.0,
        acquisition_cost=48.0,
    ),
    Channel(
        "门店 Store",
        is_company=False,
        share_of_persons=0.27,
        r=1.05,
        alpha=11.0,
        a=0.60,
        b=3.2,
        p=7.0,
        q=5.0,
        v=210.0,
        acquisition_cost=25.0,
    ),
    Channel(
        "推荐 Referral",
        is_company=False,
        share_of_persons=0.15,
        r=1.10,
        alpha=9.5,
        a=0.50,
        b=3.6,
        p=6.0,
        q=4.8,
        v=260.0,
        acquisition_cost=18.0,
    ),
    Channel(
        "电话销售 Telesales",
        is_company=True,
        share_of_persons=0.0,
        r=1.30,
        alpha=7.5,
        a=0.50,
        b=4.2,
        p=6.0,
        q=4.5,
        v=1_150.0,
        acquisition_cost=860.0,
    ),
    Channel(
        "网站表单 Web form",
        is_company=True,
        share_of_persons=0.0,
        r=1.00,
        alpha=7.0,
        a=0.60,
        b=3.6,
        p=6.0,
        q=4.5,
        v=900.0,
        acquisition_cost=310.0,
    ),
    Channel(
        "展会 Trade fair",
        is_company=True,
        share_of_persons=0.0,
        r=1.20,
        alpha=6.5,
        a=0.45,
        b=4.4,
        p=6.0,
        q=4.4,
        v=1_500.0,
        acquisition_cost=1_450.0,
    ),
)
CHANNEL_NAMES = tuple(channel.name for channel in CHANNELS)


def stated(_plan: Plan) -> Stated:
    """Return the stated parameters of every channel."""
    by_channel = {
        parameter: {channel.name: getattr(channel, parameter) for channel in CHANNELS if getattr(channel, parameter)}
        for parameter in PARAMETERS
        if parameter != "growth"
    }
    return {**by_channel, "growth": GROWTH}
