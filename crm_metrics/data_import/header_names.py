"""Names that shops give to the columns of their exports, in English and Chinese (a few in German, French and Spanish), best first."""

from functools import lru_cache

from crm_metrics.data_import.mapping import Target


@lru_cache(4096)  # a header is compared with every name that a mapping knows
def plain_name(header: str) -> str:
    """Return a header as small letters and digits only, to compare it.

    >>> plain_name("Order_ID#"), plain_name("订单编号 ")
    ('orderid', '订单编号')
    """
    return "".join(letter for letter in header.lower() if letter.isalnum())


_NAMES: dict[Target, str] = {
    "order": "order id, order number, order no, order, invoice no, invoice number, invoice id, invoice, basket id, "
    "transaction id, purchase id, receipt number, receipt, bill no, 订单号, 订单编号, 订单id, 订单, 单号, 交易号, "
    "发票号, 小票号, bestellnummer, rechnungsnummer, commande",
    "customer": "customer id, customer number, customer no, customer code, customer, client id, client number, client, "
    "member id, user id, account id, buyer id, buyer, household id, contact id, loyalty id, customer email, "
    "billing email, email address, email, 客户编号, 客户id, 客户号, 客户代码, 客户, 会员编号, 会员id, 会员卡号, "
    "会员号, 顾客编号, 用户id, 用户编号, 买家id, 买家会员名, 买家, kundennummer, kunde",
    "date": "order date, order time, ordered at, date, invoice date, purchase date, purchased on, transaction date, "
    "transaction timestamp, created at, order created, timestamp, date time, sale date, sales date, paid at, "
    "下单日期, 下单时间, 订单日期, 订单时间, 订单创建时间, 交易日期, 交易时间, 购买日期, 销售日期, 付款时间, 日期, "
    "bestelldatum, rechnungsdatum, datum",
    "quantity": "quantity, qty, units, quantity ordered, item quantity, lineitem quantity, pieces, 数量, 购买数量, 商品数量, "
    "件数, menge, anzahl",
    "unit_price": "unit price, price each, item price, lineitem price, price per unit, price, 单价, 商品单价, 价格, einzelpreis, preis",
    "amount": "line total, line amount, net amount, net sales, sales amount, sales value, sales, amount, revenue, item total, "
    "total price, turnover, subtotal, total amount, total, order total, dollars, 金额, 销售额, 销售金额, 成交金额, "
    "实付金额, 小计, 总价, 总金额, 订单金额, betrag, umsatz, montant, importe",
    "discount": "discount, discount amount, line discount, discount rate, discount percent, 折扣, 优惠, 优惠金额, 折扣金额, rabatt",
    "cost": "unit cost, line cost, total cost, cogs, cost of goods, cost, 成本, 单位成本, 商品成本",
    "profit": "profit, gross profit, 利润, 毛利",
    "currency": "currency, currency code, 币种, 货币, währung",
    "status": "order status, financial status, status, payment status, 订单状态, 状态, 交易状态, 支付状态, 付款状态",
    "product": "product id, sku, stock code, item id, product code, item sku, lineitem sku, product, 商品编号, 商品编码, "
    "商品id, 产品编号, 货号, sku编码, artikelnummer",
    "product_name": "product name, description, item name, lineitem name, product title, item, 商品名称, 产品名称, 品名, 商品标题, "
    "商品, bezeichnung",
    "category": "category, product category, department, 类别, 商品类别, 品类, 分类, kategorie",
    "customer_name": "customer name, client name, billing name, 客户名称, 客户姓名, 会员姓名, 姓名",
    "customer_kind": "customer type, customer kind, segment, 客户类型",
    "order_region": "region, order region, market, country, country region, state, shipping country, 地区, 区域, 国家, 省份, 收货省份",
    "home_region": "customer region, customer country, billing country, 客户地区",
    "sales_channel": "sales channel, channel, order source, platform, 销售渠道, 渠道, 平台",
}
HEADERS: dict[Target, tuple[str, ...]] = {target: tuple(plain_name(name) for name in names.split(",")) for target, names in _NAMES.items()}
"""Target -> plain names, best first."""


def is_order_header(header: list[str]) -> bool:
    """Return whether a header has a customer, a date and money, by their names.

    >>> is_order_header(["Order ID", "Customer", "Date", "Total"]), is_order_header(["Month", "Orders", "Sum"])
    (True, False)
    """
    plain = {plain_name(name) for name in header}
    has_money = plain & {*HEADERS["amount"], *HEADERS["unit_price"]}
    return bool(plain.intersection(HEADERS["customer"]) and plain.intersection(HEADERS["date"]) and has_money)


TOTALS_OF_ORDERS = frozenset(plain_name(name) for name in ("total", "order total", "total amount", "subtotal", "订单金额", "总金额"))
"""Amounts that may be those of a whole order, repeated on each of its lines."""

CANCELLED = frozenset(("cancelled", "canceled", "voided", "void", "failed", "expired", "declined", "已取消", "取消", "已关闭", "交易关闭"))
RETURNED = frozenset(("refunded", "returned", "已退款", "退款成功", "已退货"))
TAKEN_BACK = frozenset(
    (
        "refund",
        "return",
        "credit",
        "credit note",
        "chargeback",
        "reversal",
        "partially refunded",
        "partially_refunded",
        "退款",
        "退货",
        "部分退款",
    )
)
"""Words of a row that takes money back, besides the statuses."""
TYPES = frozenset(
    plain_name(name)
    for name in (
        "type",
        "transaction type",
        "event type",
        "order type",
        "sale type",
        "record type",
        "document type",
        "类型",
        "交易类型",
        "订单类型",
    )
)
"""Columns that say what kind of row it is."""
SOLD = frozenset(
    (
        *(
            "completed",
            "complete",
            "paid",
            "shipped",
            "delivered",
            "fulfilled",
            "processing",
            "closed",
            "success",
            "successful",
            "invoiced",
        ),
        *("已完成", "完成", "交易成功", "已付款", "已支付", "已发货", "已签收", "已收货"),
    )
)
"""Order statuses whose meaning is plain."""
