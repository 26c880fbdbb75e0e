"""Numbers that look drawn by lot and are the same on every database: arithmetic on the row's number, in SQL."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Double, Integer, Numeric, Text, case, cast, func, literal, type_coerce

PRIME = 2_147_483_647  # 2^31 - 1: the square of a rest still fits into 64 bits
STRIDE, APART = 48_271, 1_299_709  # a multiplier of Lehmer's generator (Park and Miller 1988); any large prime sets topics apart
SKEW = 9
BATCH = 1  # that brought everything
_CENT = Numeric(18, 2)
Number = ColumnElement[int]


def drawn(number: Number, topic: int) -> Number:
    """Return a number from 0 to PRIME - 1 for each row and topic: the fifth power of a stride, modulo a prime.

    The fifth power permutes the rests of this prime (5 does not divide PRIME - 1), so every number is as likely as any other.
    """
    prime = literal(PRIME, BigInteger)
    rest = (number * literal(STRIDE, BigInteger) + literal(topic * APART, BigInteger)) % prime
    square = rest * rest % prime
    return square * square % prime * rest % prime


def share(number: Number, topic: int) -> ColumnElement[Any]:
    """Return a share from 0 to less than 1 for each row and topic."""
    return cast(drawn(number, topic), Double) / literal(float(PRIME), Double)


def one_in(number: Number, topic: int, count: int) -> ColumnElement[bool]:
    """Return whether the lot falls on a row, as it does on one in `count`."""
    return drawn(number, topic) % literal(count, BigInteger) == literal(0, BigInteger)


def skewed(of_all: ColumnElement[Any], count: int) -> Number:
    """Return a number from 1 to `count`, small ones more often: the first SKEW + 1 times the mean, the last a SKEW + 1-th of it."""
    one = literal(1.0, Double)
    return whole(of_all * literal(float(count), Double) / (one + literal(float(SKEW), Double) * (one - of_all))) + literal(1, BigInteger)


def whole(value: ColumnElement[Any]) -> Number:
    """Return the whole part of a positive number; `/` of whole numbers means different things on different databases."""
    return cast(func.floor(value), BigInteger)


def quotient(number: Number, divisor: int) -> Number:
    """Return how many times `divisor` goes into a positive number."""
    return whole(cast(number, Double) / literal(float(divisor), Double))


def named(names: tuple[str, ...], number: Number) -> ColumnElement[str]:
    """Return the name in the place of `number`, counted from 0 and over again."""
    places: dict[Any, Any] = {place: literal(name, Text) for place, name in enumerate(names)}
    return case(places, value=number % literal(len(names), BigInteger))


def key(letter: str, number: Number) -> ColumnElement[str]:
    """Return a key such as C000000042."""
    return literal(letter, Text) + func.lpad(cast(number, Text), 9, "0")


def numbers(last: int, *, first: int = 1) -> Number:
    """Return the numbers from `first` to `last`, one a row."""
    series = (
        func.generate_series(literal(first, BigInteger), literal(last, BigInteger)).table_valued("number").render_derived(name="numbers")
    )
    return cast(series.c.number, BigInteger)


def day_after(first_on: date, days: Number) -> ColumnElement[date]:
    """Return the day so many days after the first."""
    return type_coerce(literal(first_on, Date) + cast(days, Integer), Date)


def money(cents: Number) -> ColumnElement[Decimal]:
    """Return an amount of so many cents."""
    return cast(cents, _CENT) * literal(Decimal("0.01"), _CENT)
