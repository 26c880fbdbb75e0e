"""What an order holds, and how its net amount splits over its lines: to the fen.

Every line first gets a share of the order's gross amount. Of its category and tier it takes the product of which a number of units at
the list price comes nearest to that share; the order's amount then splits by these, so that what is paid stays near the list.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo import affinities, products
from crm_metrics.demo.line_table import GIFT, SALE, Goods
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import CATEGORIES, PRODUCTS_EACH, SCENTS, TIERS, product_places
from crm_metrics.demo.world import Booleans, Floats, Integers, Stated
from crm_metrics.language import noop

PRODUCTS_IN_CATEGORY = (0.90, 0.09, 0.01)  # share of an order's categories with one, two, three products
SHARE_DEVIATION = 0.35  # of the logarithm of a category's part of the order, before products are chosen
UNITS_BESIDE_FIRST = (0.4, 7.0)  # mean number of units that a person, a company has in mind beside the first; Poisson
UNITS_WEIGHT = 0.2  # how much it counts that the number of units is not the one in mind, beside the misfit of the amount
PRICE_DEVIATION = 0.05  # of the logarithm: made to measure, a thing costs more or less than listed
NEAR_LIST, NEAR_LIST_SHARE = 0.25, 0.92  # share of lines, at least, with a price so near the list; measured
GIFT_SHARE = 0.02  # of orders, with a gift
GIFT_LEVEL = 1  # a candle, the second cheapest of the scents

TOPIC = "baskets"
PARAMETERS = {
    "products_in_category": (noop("Share of an order's categories with so many products"), "share"),
    "share_deviation": (noop("Parts of an order by category: deviation of the logarithm, before products are fitted to them"), "plain"),
    "units_in_mind": (
        noop("Units of a line that the customer has in mind, on average, before products are fitted to the amount"),
        "number",
    ),
    "units_weight": (noop("Weight of the units in mind beside the amount, when a product is chosen"), "plain"),
    "price_deviation": (noop("Price paid before discount, against the list: deviation of the logarithm on purpose"), "plain"),
    "near_list_share": (
        noop("Share of lines priced within 25 % of the list before discount, at least; the test account left out"),
        "share",
    ),
    "gift_share": (noop("Share of orders with a gift, anonymous and cancelled ones left out"), "share"),
}


class Draws(NamedTuple):
    """Where the random numbers of one sort of orders come from. sort: 'sold', 'cancelled', 'anonymous'."""

    plan: Plan
    chunk: int
    sort: str

    def generator(self, subject: str) -> np.random.Generator:
        """Return the stream of one question about these orders."""
        return self.plan.generator(f"{self.sort}: {subject}", self.chunk)


class Wanted(NamedTuple):
    """What orders are to hold, one element each. fen: net amount, which its lines add up to. discount_rate: of the gross amount."""

    fen: Integers
    discount_rate: Floats
    is_premium: Booleans
    is_company: Booleans


class _Things(NamedTuple):
    """One element per line. order, category: places. copy: 0, 1, … within both."""

    order: Integers
    category: Integers
    copy: Integers


def goods(draws: Draws, wanted: Wanted) -> Goods:
    """Return the lines of orders, at least one each."""
    things = _things(draws, wanted.fen)
    order = things.order
    gross = wanted.fen / (1 - wanted.discount_rate)
    product, quantity = _chosen(draws, wanted, things, target=_targets(draws, gross, things))
    listed = quantity * products.list_prices()[product]
    luck = draws.generator("prices").standard_normal((len(gross), len(CATEGORIES), PRODUCTS_EACH), dtype=np.float32)
    net = _split(wanted.fen, order, listed * np.exp(PRICE_DEVIATION * luck[order, things.category, things.copy]))
    whole = np.rint(net / (1 - wanted.discount_rate[order])).astype(np.int64)
    return Goods(
        order=order,
        product=product,
        quantity=quantity,
        gross=whole,
        discount=whole - net,
        net=net,
        cost=np.rint(whole * products.cost_shares()[product]).astype(np.int64),
        kind=np.full(len(order), SALE),
    )


def _things(draws: Draws, fen: Integers) -> _Things:
    """Return the lines of orders of these amounts; a line costs a fen at least."""
    held = affinities.categories(draws.plan, draws.generator("categories").random(len(fen)))
    many = 1 + np.searchsorted(np.cumsum(PRODUCTS_IN_CATEGORY)[:-1], draws.generator("number of products").random(held.shape))
    order, category = np.nonzero(held)
    repeats = many[order, category]
    first = np.repeat(np.cumsum(repeats) - repeats, repeats)
    order, category = np.repeat(order, repeats), np.repeat(category, repeats)
    kept = np.arange(len(order)) - np.searchsorted(order, order) < fen[order]
    return _Things(order[kept], category[kept], (np.arange(len(order)) - first)[kept])


def _targets(draws: Draws, gross: Floats, things: _Things) -> Floats:
    """Return what each line is to cost, in CNY: lines of a category alike. gross: of each order, in fen."""
    luck = draws.generator("shares").standard_normal((len(gross), len(CATEGORIES)), dtype=np.float32)
    weight = np.exp(SHARE_DEVIATION * luck[things.order, things.category])
    total = np.bincount(things.order, weight, minlength=len(gross))
    return gross[things.order] / 100 * weight / total[things.order]


def _chosen(draws: Draws, wanted: Wanted, things: _Things, *, target: Floats) -> tuple[Integers, Integers]:
    """Return product and number of units of each line: of its category and tier the best fit, for a second line the second best."""
    mean = np.array(UNITS_BESIDE_FIRST)[wanted.is_company.astype(int)]
    in_mind = 1 + draws.generator("units").poisson(mean[:, None], (len(mean), len(CATEGORIES)))[things.order, things.category]
    tier = wanted.is_premium[things.order].astype(np.int64)
    by_level = products.list_prices().reshape(len(CATEGORIES), len(TIERS), PRODUCTS_EACH)[things.category, tier]
    units = np.maximum(np.rint(target[:, None] / by_level), 1)
    misfit = np.abs(np.log(units * by_level / target[:, None])) + UNITS_WEIGHT * np.abs(np.log(units / in_mind[:, None]))
    level = np.argsort(misfit, axis=1)[np.arange(len(target)), things.copy]
    quantity = units[np.arange(len(target)), level].astype(np.int64)
    return product_places(things.category, tier, level), quantity


def _split(fen: Integers, order: Integers, weight: Floats) -> Integers:
    """Return each line's share of its order's amount by weight, one fen at least; the last line takes the rest.

    >>> _split(np.array([100, 7]), np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 1.0, 5.0])).tolist()
    [33, 33, 34, 7]
    """
    lines = np.bincount(order, minlength=len(fen))
    share = weight / np.bincount(order, weight, minlength=len(fen))[order]
    net = 1 + np.floor((fen - lines)[order] * share).astype(np.int64)
    last = np.cumsum(lines) - 1
    net[last] = 0
    net[last] = fen - np.add.reduceat(net, last - lines + 1) if len(fen) else 0
    return net


def gifts(plan: Plan, chunk: int, is_premium: Booleans) -> Goods:
    """Return the lines given away with orders: a candle, for nothing, at its cost. is_premium: of every order."""
    share = GIFT_SHARE if plan.effects.voids else 0.0
    order = np.flatnonzero(plan.generator("gifts", chunk).random(len(is_premium)) < share)
    nothing = np.zeros(len(order), dtype=np.int64)
    product = product_places(nothing + SCENTS, is_premium[order].astype(np.int64), nothing + GIFT_LEVEL)
    return Goods(
        order=order,
        product=product,
        quantity=nothing + 1,
        gross=nothing,
        discount=nothing,
        net=nothing,
        cost=np.rint(products.unit_costs()[product] * 100).astype(np.int64),
        kind=nothing + GIFT,
    )


def stated(plan: Plan) -> Stated:
    """Return the parameters of a plan."""
    person, company = UNITS_BESIDE_FIRST
    always: Stated = {
        "products_in_category": {str(number): share for number, share in enumerate(PRODUCTS_IN_CATEGORY, 1)},
        "share_deviation": SHARE_DEVIATION,
        "units_in_mind": {"person": 1 + person, "company": 1 + company},
        "units_weight": UNITS_WEIGHT,
        "price_deviation": PRICE_DEVIATION,
        "near_list_share": NEAR_LIST_SHARE,
    }
    return {**always, "gift_share": GIFT_SHARE} if plan.effects.voids else always
