"""What the demo company sells: home furnishings made to measure, in categories and two price tiers, with stated prices and costs.

A product's place is (category * tiers + tier) * products of a category and tier + its place among these.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.demo.world import Fact, Floats, Integers, keys, money
from crm_metrics.language import noop

TIERS = ("standard", "premium")
PREMIUM_PRICE_FACTOR = 2.2  # list price of a premium product, as a multiple of the standard one beside it
PRODUCTS_EACH = 3  # of a category and tier
POPULARITY = (0.50, 0.30, 0.20)  # chance of the first, second and third of them to be the one chosen first

TOPIC = "products"
PARAMETERS = {
    "cost_share": (noop("Cost of goods, as a share of the gross amount"), "share"),
    "premium_price_factor": (noop("List price of a premium product, as a multiple of the standard one"), "plain"),
}


class Category(NamedTuple):
    """One category. list_prices: in CNY, of the standard products. cost_shares: of the gross amount, by tier. names: by tier."""

    name: str
    cost_shares: tuple[float, float]
    list_prices: tuple[float, float, float]
    names: tuple[tuple[str, str, str], tuple[str, str, str]]


LAMPS, BEDDING, CURTAINS, TABLEWARE, TEA, COOKWARE, RUGS, SCENTS = range(8)
CATEGORIES = (
    Category(
        "灯具 Lamps",
        (0.58, 0.46),
        (89.0, 159.0, 239.0),
        (
            ("台灯 Desk lamp", "落地灯 Floor lamp", "吊灯 Pendant lamp"),
            ("黄铜台灯 Brass desk lamp", "丝绸落地灯 Silk floor lamp", "水晶吊灯 Crystal pendant lamp"),
        ),
    ),
    Category(
        "床品 Bedding",
        (0.54, 0.42),
        (129.0, 79.0, 199.0),
        (
            ("棉被套 Cotton duvet cover", "棉枕套 Cotton pillowcases", "羽绒被 Down duvet"),
            ("真丝被套 Silk duvet cover", "真丝枕套 Silk pillowcases", "鹅绒被 Goose down duvet"),
        ),
    ),
    Category(
        "窗帘 Curtains",
        (0.52, 0.41),
        (149.0, 119.0, 89.0),
        (
            ("棉麻窗帘 Linen-cotton curtains", "遮光窗帘 Blackout curtains", "纱帘 Sheer curtains"),
            ("亚麻窗帘 Pure linen curtains", "丝绒窗帘 Velvet curtains", "刺绣纱帘 Embroidered sheer curtains"),
        ),
    ),
    Category(
        "餐具 Tableware",
        (0.60, 0.47),
        (99.0, 59.0, 79.0),
        (
            ("陶瓷餐盘 Stoneware plates", "玻璃杯 Glasses", "不锈钢刀叉 Steel cutlery"),
            ("骨瓷餐盘 Bone china plates", "水晶杯 Crystal glasses", "镀银刀叉 Silver-plated cutlery"),
        ),
    ),
    Category(
        "茶 Tea",
        (0.50, 0.38),
        (49.0, 69.0, 139.0),
        (
            ("茉莉花茶 Jasmine tea", "乌龙茶 Oolong tea", "紫砂壶 Clay teapot"),
            ("明前龙井 Early Longjing tea", "陈年普洱 Aged pu'er tea", "手工紫砂壶 Handmade clay teapot"),
        ),
    ),
    Category(
        "厨具 Cookware",
        (0.64, 0.52),
        (119.0, 169.0, 99.0),
        (
            ("炒锅 Wok", "汤锅 Stockpot", "菜刀 Kitchen knife"),
            ("手工铁锅 Hand-forged wok", "珐琅锅 Enamelled casserole", "大马士革刀 Damascus knife"),
        ),
    ),
    Category(
        "地毯 Rugs",
        (0.56, 0.44),
        (259.0, 189.0, 129.0),
        (
            ("客厅地毯 Living room rug", "床边地毯 Bedside rug", "门垫 Doormat"),
            ("羊毛地毯 Wool rug", "真丝地毯 Silk rug", "手织门垫 Handwoven doormat"),
        ),
    ),
    Category(
        "香氛 Scents",
        (0.46, 0.35),
        (39.0, 59.0, 89.0),
        (
            ("香薰蜡烛 Scented candle", "无火香薰 Reed diffuser", "线香 Incense sticks"),
            ("檀香蜡烛 Sandalwood candle", "桂花香薰 Osmanthus diffuser", "沉香 Agarwood incense"),
        ),
    ),
)
CATEGORY_NAMES = tuple(category.name for category in CATEGORIES)
PRODUCT_COUNT = len(CATEGORIES) * len(TIERS) * PRODUCTS_EACH
_PLACES = [(category, tier, which) for category in range(len(CATEGORIES)) for tier in range(len(TIERS)) for which in range(PRODUCTS_EACH)]


def product_places(category: Integers, tier: Integers, which: Integers) -> Integers:
    """Return the places of products."""
    return (category * len(TIERS) + tier) * PRODUCTS_EACH + which


def categories_of(product: Integers) -> Integers:
    """Return the category of each product, as place in CATEGORIES."""
    return product // (len(TIERS) * PRODUCTS_EACH)


def product_keys(product: Integers) -> pa.Array:
    """Return the ids of products, made once each."""
    return keys("product", np.arange(PRODUCT_COUNT), width=4).take(pa.array(product))


def list_prices() -> Floats:
    """Return the list price of each product, in CNY."""
    factor = (1.0, PREMIUM_PRICE_FACTOR)
    return np.array([round(CATEGORIES[category].list_prices[which] * factor[tier]) for category, tier, which in _PLACES], dtype=float)


def cost_shares() -> Floats:
    """Return the cost of goods of each product, as a share of the gross amount."""
    return np.array([CATEGORIES[category].cost_shares[tier] for category, tier, _which in _PLACES])


def unit_costs() -> Floats:
    """Return the cost of one unit of each product at its list price, in CNY and whole fen."""
    return np.round(list_prices() * cost_shares(), 2)


def product_rows() -> pa.Table:
    """Return one row per product: id, name, category, tier, list price and unit cost."""
    return pa.table(
        {
            "product_id": product_keys(np.arange(PRODUCT_COUNT)),
            "product_name": pa.array([CATEGORIES[category].names[tier][which] for category, tier, which in _PLACES]),
            "category": pa.array([CATEGORY_NAMES[category] for category, _tier, _which in _PLACES]),
            "price_tier": pa.array([TIERS[tier] for _category, tier, _which in _PLACES]),
            "list_price": money(list_prices()),
            "unit_cost": money(unit_costs()),
        }
    )


def facts() -> list[Fact]:
    """Return the stated parameters."""
    shares = [
        Fact(TOPIC, "cost_share", f"{category.name}, {tier}", share)
        for category in CATEGORIES
        for tier, share in zip(TIERS, category.cost_shares, strict=True)
    ]
    return [*shares, Fact(TOPIC, "premium_price_factor", "", PREMIUM_PRICE_FACTOR)]
