"""What the demo company sells: home furnishings made to measure, in categories and two price tiers, with stated prices and costs.

A product's place is (category * tiers + tier) * products of a category and tier + its place among these.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import Floats, Integers, Stated, keys, money, subject
from crm_metrics.language import noop

TIERS = ("standard", "premium")
PREMIUM_PRICE_FACTOR = 2.2  # list price of a premium product, as a multiple of the standard one beside it
PRODUCTS_EACH = 6  # of a category and tier, from the cheapest to the dearest

TOPIC = "products"
PARAMETERS = {
    "cost_share": (noop("Cost of goods, as a share of the gross amount"), "share"),
    "premium_price_factor": (noop("List price of a premium product, as a multiple of the standard one"), "plain"),
}


class Category(NamedTuple):
    """One category. list_prices: in CNY, of the standard products, each about twice the one before, so that orders of every amount find
    something. cost_shares: of the gross amount, by tier. names: by tier.
    """

    name: str
    cost_shares: tuple[float, float]
    list_prices: tuple[float, ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]


LAMPS, BEDDING, CURTAINS, TABLEWARE, TEA, COOKWARE, RUGS, SCENTS = range(8)
CATEGORIES = (
    Category(
        "灯具 Lamps",
        (0.58, 0.46),
        (19.0, 45.0, 99.0, 199.0, 429.0, 899.0),
        (
            (
                "小夜灯 Night light",
                "夹灯 Clip lamp",
                "台灯 Desk lamp",
                "壁灯 Wall lamp",
                "落地灯 Floor lamp",
                "吊灯 Pendant lamp",
            ),
            (
                "铜制小夜灯 Copper night light",
                "陶瓷夹灯 Ceramic clip lamp",
                "黄铜台灯 Brass desk lamp",
                "云石壁灯 Alabaster wall lamp",
                "丝绸落地灯 Silk floor lamp",
                "水晶吊灯 Crystal pendant lamp",
            ),
        ),
    ),
    Category(
        "床品 Bedding",
        (0.54, 0.42),
        (25.0, 59.0, 129.0, 239.0, 499.0, 1090.0),
        (
            (
                "眼罩 Sleep mask",
                "棉枕套 Cotton pillowcases",
                "棉床单 Cotton sheet",
                "棉被套 Cotton duvet cover",
                "羽绒被 Down duvet",
                "乳胶床垫 Latex mattress",
            ),
            (
                "真丝眼罩 Silk sleep mask",
                "真丝枕套 Silk pillowcases",
                "天丝床单 Lyocell sheet",
                "真丝被套 Silk duvet cover",
                "鹅绒被 Goose down duvet",
                "马毛床垫 Horsehair mattress",
            ),
        ),
    ),
    Category(
        "窗帘 Curtains",
        (0.52, 0.41),
        (15.0, 39.0, 89.0, 179.0, 389.0, 790.0),
        (
            (
                "窗帘绑带 Curtain tiebacks",
                "咖啡帘 Café curtain",
                "纱帘 Sheer curtains",
                "棉麻窗帘 Linen-cotton curtains",
                "遮光窗帘 Blackout curtains",
                "电动窗帘 Motorised curtains",
            ),
            (
                "流苏绑带 Tasselled tiebacks",
                "蕾丝咖啡帘 Lace café curtain",
                "刺绣纱帘 Embroidered sheer curtains",
                "亚麻窗帘 Pure linen curtains",
                "丝绒窗帘 Velvet curtains",
                "提花电动窗帘 Motorised jacquard curtains",
            ),
        ),
    ),
    Category(
        "餐具 Tableware",
        (0.6, 0.47),
        (15.0, 35.0, 79.0, 169.0, 359.0, 690.0),
        (
            (
                "竹筷 Bamboo chopsticks",
                "玻璃杯 Glasses",
                "不锈钢刀叉 Steel cutlery",
                "陶瓷餐盘 Stoneware plates",
                "陶瓷餐具套装 Stoneware dinner set",
                "宴会餐具套装 Banquet dinner set",
            ),
            (
                "红木筷 Rosewood chopsticks",
                "水晶杯 Crystal glasses",
                "镀银刀叉 Silver-plated cutlery",
                "骨瓷餐盘 Bone china plates",
                "骨瓷餐具套装 Bone china dinner set",
                "描金宴会餐具套装 Gilded banquet dinner set",
            ),
        ),
    ),
    Category(
        "茶 Tea",
        (0.5, 0.38),
        (15.0, 35.0, 69.0, 139.0, 299.0, 620.0),
        (
            (
                "茶包 Tea bags",
                "茉莉花茶 Jasmine tea",
                "乌龙茶 Oolong tea",
                "茶叶礼盒 Tea gift box",
                "紫砂壶 Clay teapot",
                "功夫茶具 Gongfu tea set",
            ),
            (
                "有机茶包 Organic tea bags",
                "明前龙井 Early Longjing tea",
                "陈年普洱 Aged pu'er tea",
                "名茶礼盒 Rare tea gift box",
                "手工紫砂壶 Handmade clay teapot",
                "手工功夫茶具 Handmade gongfu tea set",
            ),
        ),
    ),
    Category(
        "厨具 Cookware",
        (0.64, 0.52),
        (19.0, 45.0, 99.0, 219.0, 459.0, 990.0),
        (
            (
                "木铲 Wooden spatula",
                "砧板 Chopping board",
                "菜刀 Kitchen knife",
                "炒锅 Wok",
                "汤锅 Stockpot",
                "锅具套装 Pan set",
            ),
            (
                "橄榄木铲 Olive wood spatula",
                "胡桃木砧板 Walnut chopping board",
                "大马士革刀 Damascus knife",
                "手工铁锅 Hand-forged wok",
                "珐琅锅 Enamelled casserole",
                "铜锅套装 Copper pan set",
            ),
        ),
    ),
    Category(
        "地毯 Rugs",
        (0.56, 0.44),
        (25.0, 59.0, 129.0, 259.0, 549.0, 1290.0),
        (
            (
                "防滑垫 Non-slip mat",
                "门垫 Doormat",
                "浴室地垫 Bath mat",
                "床边地毯 Bedside rug",
                "走廊地毯 Hall runner",
                "客厅地毯 Living room rug",
            ),
            (
                "天然橡胶垫 Natural rubber mat",
                "手织门垫 Handwoven doormat",
                "长绒棉地垫 Long-staple cotton bath mat",
                "真丝地毯 Silk bedside rug",
                "羊毛走廊地毯 Wool hall runner",
                "羊毛地毯 Wool rug",
            ),
        ),
    ),
    Category(
        "香氛 Scents",
        (0.46, 0.35),
        (15.0, 39.0, 79.0, 159.0, 339.0, 690.0),
        (
            (
                "线香 Incense sticks",
                "香薰蜡烛 Scented candle",
                "无火香薰 Reed diffuser",
                "香氛礼盒 Scent gift box",
                "香薰机 Electric diffuser",
                "香薰加湿器 Scenting humidifier",
            ),
            (
                "沉香 Agarwood incense",
                "檀香蜡烛 Sandalwood candle",
                "桂花香薰 Osmanthus diffuser",
                "名香礼盒 Rare scent gift box",
                "陶瓷香薰机 Ceramic electric diffuser",
                "青铜香炉 Bronze incense burner",
            ),
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


def stated(_plan: Plan) -> Stated:
    """Return the stated parameters; the prices stand in the catalogue itself."""
    costs = {
        subject(category.name, tier): share for category in CATEGORIES for tier, share in zip(TIERS, category.cost_shares, strict=True)
    }
    return {"cost_share": costs, "premium_price_factor": PREMIUM_PRICE_FACTOR}
