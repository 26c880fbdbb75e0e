"""Order lines as the import takes them: from whole fen and places to columns of check.LINES."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.data_import.check import RATE
from crm_metrics.demo.products import product_keys
from crm_metrics.demo.sales_channels import SALES_CHANNELS, Entry
from crm_metrics.demo.world import MONEY, NONE, REGIONS, Floats, Integers, days, decimal_of, joined, keys, labels, times

CURRENCY = "CNY"
SALE, RETURN, GIFT, CANCELLED = range(4)
KINDS = ("sale", "return", "gift", "cancelled")


class Goods(NamedTuple):
    """Lines, those of one order side by side in order of the orders. order: place among the orders. product: place of the product.

    gross, discount, net, cost: whole fen. kind: place in KINDS. A return is negative throughout; a cancelled line has its written
    amounts, and loses net and cost in the table only.
    """

    order: Integers
    product: Integers
    quantity: Integers
    gross: Integers
    discount: Integers
    net: Integers
    cost: Integers
    kind: Integers


class Heads(NamedTuple):
    """What all lines of an order share, one element per order. order_id, customer_id: text. moment: with its hour.

    sales_channel, region, campaign: places; NONE where there is none. entry: of the order by the shop's own staff.
    """

    order_id: pa.Array
    customer_id: pa.Array
    moment: Floats
    sales_channel: Integers
    region: Integers
    campaign: Integers
    entry: Entry


class Part(NamedTuple):
    """Orders of one sort and their lines."""

    heads: Heads
    goods: Goods


def line_table(parts: list[Part]) -> pa.Table:
    """Return one row per line of all parts, with the columns of check.LINES that are known, and campaign and entry of the order.

    order_id, customer_id, order_region, sales_channel, ordered_at, ordered_on, campaign_id, entry_started_at, entry_booked_at,
    was_corrected, equal within an order; quantity, unit_price, gross_amount, discount_amount, net_amount, cost_amount, product_id,
    currency, rate_to_reporting, line_kind.
    """
    heads, goods = _joined(parts)
    count, place = len(goods.order), pa.array(goods.order)
    is_void = goods.kind == CANCELLED
    return pa.table(
        {
            **{name: column.take(place) for name, column in _order_columns(heads).items()},
            "product_id": product_keys(goods.product),
            "quantity": decimal_of(goods.quantity * 10_000, MONEY),
            "unit_price": decimal_of(np.rint(goods.gross * 100 / goods.quantity).astype(np.int64), MONEY),
            "gross_amount": _of_fen(goods.gross),
            "discount_amount": _of_fen(goods.discount),
            "net_amount": _of_fen(np.where(is_void, 0, goods.net)),
            "cost_amount": _of_fen(np.where(is_void, 0, goods.cost)),
            "currency": pa.repeat(CURRENCY, count),
            "rate_to_reporting": pa.repeat(pa.scalar(1, RATE), count),
            "line_kind": labels(goods.kind, KINDS),
        }
    )


def _joined(parts: list[Part]) -> Part:
    """Return the parts as one, each line pointing at its order among all."""
    starts = np.cumsum([0, *[len(part.heads.moment) for part in parts]])
    heads = [part.heads for part in parts]
    goods = joined([part.goods._replace(order=part.goods.order + start) for part, start in zip(parts, starts[:-1], strict=True)])
    return Part(
        Heads(
            order_id=_chained([head.order_id for head in heads]),
            customer_id=_chained([head.customer_id for head in heads]),
            moment=np.concatenate([head.moment for head in heads]),
            sales_channel=np.concatenate([head.sales_channel for head in heads]),
            region=np.concatenate([head.region for head in heads]),
            campaign=np.concatenate([head.campaign for head in heads]),
            entry=joined([head.entry for head in heads]),
        ),
        goods,
    )


def _chained(arrays: list[pa.Array]) -> pa.Array:
    return pa.concat_arrays([array.cast(pa.string()) for array in arrays])


def _order_columns(heads: Heads) -> dict[str, pa.Array]:
    corrected = heads.entry.was_corrected
    return {
        "order_id": heads.order_id,
        "customer_id": heads.customer_id,
        "order_region": labels(heads.region, REGIONS),
        "sales_channel": labels(heads.sales_channel, SALES_CHANNELS),
        "ordered_at": times(heads.moment),
        "ordered_on": days(heads.moment),
        "campaign_id": keys("campaign", heads.campaign, width=2),
        "entry_started_at": times(heads.entry.started),
        "entry_booked_at": times(heads.entry.booked),
        "was_corrected": pa.array(corrected == 1, mask=corrected == NONE),
    }


def _of_fen(fen: Integers) -> pa.Array:
    return decimal_of(fen * 100, MONEY)
