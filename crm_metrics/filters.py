"""The reader's choices and scope: one value, the SQL conditions it means, and the sentence that says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, or_, select

from crm_metrics.language import date_text, noop, t
from crm_metrics.metric import BadInput
from crm_metrics.periods import PRESETS, Compare, Period, compared_period
from crm_metrics.schema import customer_facts
from crm_metrics.scope import Scope, scope_conditions
from crm_metrics.segments.known import UNKNOWN
from crm_metrics.segments.members import segment_conditions
from crm_metrics.segments.rule import Segment
from crm_metrics.sql import is_one_of

NAMED_VALUES = 3  # in the sentence; the filter itself lists them all
ChoiceKey = Literal["region", "channel", "category"]
CUSTOMER_UNKNOWN = Segment(UNKNOWN, None)


@dataclass(frozen=True)
class Filters:
    """What the reader chose.

    start, end: first and last day, both counted; None means as far as the data go. as_of: models see nothing after this day;
    None means `end`. region, channel, category: chosen values, none means all. segments: customers in any of them, none means all;
    segments_on: the day on which they are told, None means `today`. customer: the one customer that the customer page is about; other
    rooms don't look at it. scope: what the reader may see.
    """

    start: date | None = None
    end: date | None = None
    as_of: date | None = None
    compare: Compare = "previous"
    region: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    segments_on: date | None = None
    customer: str = ""
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.start and self.end and self.start > self.end:
            raise BadInput(
                "The period begins on {start} and ends on {end}. Choose an end after the beginning.", start=self.start, end=self.end
            )

    @property
    def today(self) -> date | None:
        """The day on which the reader stands: the as-of date, which is the end of the period unless given."""
        return self.as_of or self.end

    def over(self, start: date | None, end: date | None) -> "Filters":
        """Return the filters over other days; segments stay those of the reader's day. Days that begin after their end are that one day."""
        first = min(start, end) if start and end else start
        return replace(self, start=first, end=end, as_of=None, segments_on=self.segments_on or self.today)


@dataclass(frozen=True)
class Choice:
    """One shared filter: its key in the address, its label, its column in the facts and how it reads in the sentence."""

    key: ChoiceKey
    label: str
    column: str
    sentence: str


CHOICES: tuple[Choice, ...] = (
    Choice("region", noop("Region"), "order_region", noop("order region {values}")),
    Choice("channel", noop("Channel"), "sales_channel", noop("sales channel {values}")),
    Choice("category", noop("Category"), "category", noop("product category {values}")),
)


def conditions(filters: Filters, rows: FromClause) -> list[ColumnElement[bool]]:
    """Return what a row of facts must satisfy: the reader's scope, the period, the choices and, if it is of a customer, the segments."""
    return [
        *scope_conditions(filters.scope, rows),
        *period_conditions(rows.c.ordered_on, filters),
        *choice_conditions(filters, rows),
        *(customer_conditions(filters, rows.c.customer_number) if "customer_number" in rows.c else []),
    ]


def customer_conditions(filters: Filters, customer: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy for its customer to be in the segments. customer: its customer_number, empty when unknown."""
    return segment_conditions(filters.segments, filters.segments_on or filters.today, filters.scope, customer)


def in_segments(filters: Filters, customer_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy for its customer to be in the segments, where it names it by its key: customer_id."""
    known = select(customer_facts.c.customer_number).where(customer_facts.c.customer_id == customer_id).scalar_subquery()
    return customer_conditions(filters, known) if filters.segments else []


def choice_conditions(filters: Filters, rows: FromClause) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy by the reader's choices of region, channel and category, as far as it has such a column."""
    chosen = [(rows.c[choice.column], getattr(filters, choice.key)) for choice in CHOICES if choice.column in rows.c]
    return [is_chosen(column, values) for column, values in chosen if values]


def period_conditions(day: ColumnElement[Any], filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a row must satisfy to lie in the period; a row whose day is unknown stays in (and the sentence counts it)."""
    limits = [day >= filters.start if filters.start else None, day <= filters.end if filters.end else None]
    may_be_unknown = getattr(day, "nullable", True)
    return [or_(limit, day.is_(None)) if may_be_unknown else limit for limit in limits if limit is not None]


def compared(filters: Filters, *, first_on: date) -> Filters | None:
    """Return the filters of the comparison period; None if there is none, or if the data begin later than it."""
    if not (filters.start and filters.end):
        return None
    period = compared_period(Period(filters.start, filters.end), filters.compare)
    if period is None or period.start < first_on:
        return None
    return filters.over(period.start, period.end)  # with the same customers, or the difference would be one of customers


def sentence(filters: Filters, *, customers_unknown: int = 0) -> str:
    """Return the sentence above the figures: which rows they are about."""
    parts = [t("All dates") if not filters.start and not filters.end else _period_text(filters)]
    for choice in CHOICES:
        chosen = getattr(filters, choice.key)
        if chosen:
            parts.append(t(choice.sentence, values=_named(chosen)))
    if filters.segments:
        parts.append(
            t("customers in segment {values}", values=_named(tuple(segment.name for segment in filters.segments), t("customer unknown")))
        )
    if filters.as_of and filters.as_of != filters.end:
        parts.append(t("as of {day}", day=date_text(filters.as_of)))
    if customers_unknown:
        parts.append(t("{n} orders without a customer are in revenue and in no customer count", n=f"{customers_unknown:,}"))
    return t("; ").join(parts) + t(".")


def _named(chosen: tuple[str, ...], unknown: str = "") -> str:
    names = ", ".join((unknown or t("unknown")) if value == UNKNOWN else value for value in chosen[:NAMED_VALUES])
    more = len(chosen) - NAMED_VALUES
    return t("{names} and {n} more", names=names, n=more) if more > 0 else names


def _period_text(filters: Filters) -> str:
    if filters.start and filters.end:
        return t("{start} to {end}", start=date_text(filters.start), end=date_text(filters.end))
    return t("from {start}", start=date_text(filters.start)) if filters.start else t("up to {end}", end=date_text(filters.end))


def is_chosen(column: ColumnElement[Any], values: tuple[str, ...]) -> ColumnElement[bool]:
    """Return whether the column is one of the chosen values; UNKNOWN is chosen for where it is empty."""
    known = [value for value in values if value != UNKNOWN]
    tests = [is_one_of(column, known)] if known else []
    return or_(*tests, *([column.is_(None)] if UNKNOWN in values else []))


# ── the address line ────────────────────────────────────────────────────────────────────────────────────────────────────


def validated(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of an address that can be understood; everything else is left out, never guessed.

    >>> validated({"period": "last_90_days", "from": "31/02/2024", "x": "1"})
    {'period': 'last_90_days'}
    """
    checks = {
        "period": lambda value: value in PRESETS,
        "compare": lambda value: value in ("previous", "last_year", "none"),
        "from": _is_day,
        "to": _is_day,
        "as_of": _is_day,
        "lang": lambda value: value in ("en", "zh"),
    }
    free = {choice.key for choice in CHOICES} | {"segment", "customer", "data"}
    return {key: value for key, value in parameters.items() if (key in checks and checks[key](value)) or (key in free and len(value) < 400)}


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
