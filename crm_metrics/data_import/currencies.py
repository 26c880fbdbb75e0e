"""One reporting currency: what each row's amounts are in, and its rate."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import import rejections
from crm_metrics.data_import.cells import Cells, Parsed
from crm_metrics.data_import.rejections import Verdicts
from crm_metrics.data_import.values import EMPTY, MONEY
from crm_metrics.metric import BadInput

RATE = pa.decimal128(18, 8)
DOLLARS = frozenset(("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "BRL", "ARS", "CLP", "COP"))
SIGN_OF: dict[str, frozenset[str]] = {
    "€": frozenset(("EUR",)),
    "£": frozenset(("GBP",)),
    "$": DOLLARS,
    "US$": frozenset(("USD",)),
    "HK$": frozenset(("HKD",)),
    "NT$": frozenset(("TWD",)),
    "¥": frozenset(("CNY", "JPY")),
    "￥": frozenset(("CNY", "JPY")),
    "元": frozenset(("CNY", "TWD", "HKD")),
    "RMB": frozenset(("CNY",)),
    "円": frozenset(("JPY",)),
    "₹": frozenset(("INR",)),
    "₩": frozenset(("KRW",)),
    "kr": frozenset(("SEK", "NOK", "DKK", "ISK")),
    "kr.": frozenset(("SEK", "NOK", "DKK", "ISK")),
    "zł": frozenset(("PLN",)),
    "Fr.": frozenset(("CHF",)),
}


def currencies_of_sign(sign: str) -> frozenset[str]:
    """Return the currencies a sign can mean; three letters mean themselves.

    >>> sorted(currencies_of_sign("¥"))
    ['CNY', 'JPY']
    """
    return SIGN_OF.get(sign, frozenset((sign,)))


@dataclass(frozen=True)
class Currencies:
    """currency: ISO code per row, null when nothing says it. rate: reporting currency for one unit. reporting: what amounts end up in."""

    currency: pa.Array
    rate: pa.Array
    reporting: str | None

    def converted(self, amounts: pa.Array, verdicts: Verdicts) -> pa.Array:
        """Return amounts in the reporting currency; only a real conversion rounds, half-even to 4 decimals."""
        is_converted = pc.not_equal(self.rate, pa.scalar(Decimal(1), RATE)).fill_null(False)  # noqa: FBT003
        if not pc.any(is_converted).as_py():
            return amounts
        product = pc.round(pc.multiply(amounts, self.rate), ndigits=4, round_mode="half_to_even")
        fits = pc.less(pc.abs(product), pa.scalar(Decimal(10) ** 14, pa.decimal128(15, 0)))
        verdicts.reject(pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False), rejections.CONVERTED_TOO_LARGE)  # noqa: FBT003
        changed = pc.if_else(fits, product, pa.scalar(None, product.type)).cast(MONEY)
        return pc.if_else(is_converted, changed, amounts)


def currencies_of(cells: Cells, verdicts: Verdicts, orders: pa.Array | None = None) -> Currencies:
    """Return each row's currency and rate. orders: numbers; a row without a currency takes that of its order.

    Raises BadInput when the file mixes currencies and there are no rates.
    """
    money, count = cells.mapping.money, cells.raw.table.num_rows
    if "currency" in cells.columns:
        found = _from_column(cells, verdicts, orders)
    else:
        found = Currencies(*_constant(money.currency, count), money.reporting or money.currency)
        if money.reporting not in (None, money.currency) and money.currency is not None:
            found = Currencies(found.currency, pa.repeat(pa.scalar(_rate(cells, money.currency), RATE), count), money.reporting)
    for target in ("amount", "unit_price"):
        parsed = cells.numbers(target)
        if parsed is not None and parsed.signs is not None:
            check_signs(parsed, found.currency, verdicts)
    return found


def _constant(currency: str | None, count: int) -> tuple[pa.Array, pa.Array]:
    return pa.repeat(pa.scalar(currency, pa.string()), count), pa.repeat(pa.scalar(Decimal(1), RATE), count)


def _rate(cells: Cells, currency: str) -> Decimal:
    money = cells.mapping.money
    if currency == money.reporting:
        return Decimal(1)
    if currency not in money.rates:
        raise _no_rates([currency], money.reporting)
    return money.rates[currency]


def _from_column(cells: Cells, verdicts: Verdicts, orders: pa.Array | None) -> Currencies:
    parsed = cells.identifiers("currency")
    money, count = cells.mapping.money, cells.raw.table.num_rows
    if parsed is None:
        return Currencies(*_constant(None, count), None)
    codes = _as_codes(parsed.values.dictionary_encode())
    if orders is not None and codes.indices.null_count:
        codes = _of_their_orders(codes, orders)
    verdicts.reject((parsed.problems == EMPTY) & ~_is_known(codes.indices), rejections.OF_CELL[EMPTY], parsed.column)
    different = sorted(set(codes.dictionary.drop_null().to_pylist()))
    reporting = money.reporting or (different[0] if len(different) == 1 else None)
    without = [code for code in different if code != reporting and code not in money.rates]
    if without and (reporting is None or not money.rates):
        raise _no_rates(different, reporting)
    rates = pa.array([Decimal(1) if code == reporting else money.rates.get(code) for code in codes.dictionary.to_pylist()], RATE)
    unknown = np.isin(codes.indices.fill_null(-1).to_numpy(), np.flatnonzero(rates.is_null().to_numpy(zero_copy_only=False)))
    verdicts.reject(unknown, rejections.NO_RATE, parsed.column)
    return Currencies(codes.dictionary.take(codes.indices), rates.take(codes.indices), reporting)


def _is_known(values: pa.Array) -> np.ndarray:
    return values.is_valid().to_numpy(zero_copy_only=False)


def _of_their_orders(codes: pa.DictionaryArray, orders: pa.Array) -> pa.DictionaryArray:
    """Return currencies with the gaps filled from the other rows of the order, where these agree (Shopify names it once per order)."""
    encoded = orders.dictionary_encode().indices.fill_null(-1).to_numpy()
    places = codes.indices.fill_null(-1).to_numpy().astype(np.int32)
    stated = np.unique(np.stack([encoded, places], axis=1)[(places >= 0) & (encoded >= 0)], axis=0)
    numbers, first, count = np.unique(stated[:, 0], return_index=True, return_counts=True)
    of_order = np.full(encoded.max() + 2, -1, dtype=np.int32)  # The last place is for rows without a number
    of_order[numbers[count == 1]] = stated[first[count == 1], 1]
    filled = np.where(places < 0, of_order[encoded], places)
    return pa.DictionaryArray.from_arrays(pa.array(filled, mask=filled < 0), codes.dictionary)


def _as_codes(encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return ISO codes: 'eur' and '€' are EUR; a sign that means several currencies stays a sign."""
    codes = []
    for text in encoded.dictionary.to_pylist():
        meant = currencies_of_sign(text)
        codes.append(next(iter(meant)) if text in SIGN_OF and len(meant) == 1 else text.upper())
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(codes, pa.string()))


def _no_rates(found: list[str], reporting: str | None) -> BadInput:
    return BadInput(
        "The file has amounts in {currencies}, and there is no rate to one currency ({reporting}). Set money.reporting, money.rates and "
        "money.rates_on in the mapping; currencies are never added up.",
        currencies=", ".join(found),
        reporting=reporting or "?",
    )


def _several(found: list[str]) -> BadInput:
    return BadInput(
        "The file has amounts in {currencies}, and those of tables are not converted. Convert them to one currency first.",
        currencies=", ".join(found),
    )


def check_signs(parsed: Parsed, currency: pa.Array, verdicts: Verdicts, *, is_converted: bool = True) -> None:
    """Reject rows whose sign is of another currency. Raises BadInput when signs differ and nothing says which currency is meant.

    is_converted: whether amounts of several currencies can come into one.
    """
    signs = parsed.signs if parsed.signs is not None else np.array([], dtype=object)
    different = sorted({sign for sign in set(signs) if sign})
    meanings = [currencies_of_sign(sign) for sign in different]
    if currency.null_count == len(currency):
        if meanings and not frozenset.intersection(*meanings):
            raise _no_rates(different, None) if is_converted else _several(different)
        return
    codes = currency.dictionary_encode()
    for sign, meaning in zip(different, meanings, strict=True):
        fits = pc.is_in(codes.dictionary, value_set=pa.array(sorted(meaning))).take(codes.indices).fill_null(True)  # noqa: FBT003
        verdicts.reject((signs == sign) & ~fits.to_numpy(zero_copy_only=False), rejections.OTHER_CURRENCY, parsed.column)
