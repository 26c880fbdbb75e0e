"""Rules that choose customers: conditions on the attributes of the catalogue, joined by and, or, not.

A rule is a plain value: it can be compared, kept in the workspace as JSON, and read again; what comes from outside is checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

from crm_metrics.language import t
from crm_metrics.metric import BadInput
from crm_metrics.segments.attributes import attribute

Joint = Literal["all", "any"]
# a key that is not known may be a condition that would be lost; numbers that are none would be written as no limit
_STRICTLY = {"extra": "forbid", "allow_inf_nan": False, "strict": True}
LARGEST = 1e12  # on either side of 0; what is said of a customer has no more digits
_TOO_DEEP = 6  # groups within groups; nobody reads more, and each is a level of the query


@dataclass(frozen=True)
class Condition:
    """One attribute of a customer: it has one of `values`, or a number from `low` to `high`, both counted; None is open.

    A customer whose attribute is unknown does not meet the condition, and meets its opposite.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICTLY
    attribute: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """Rules of which all, or any, must be met. Without parts: every customer meets "all", none "any"."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICTLY
    joined_by: Joint
    parts: tuple["Rule", ...] = ()


@dataclass(frozen=True)
class Opposite:
    """Every customer who does not meet the rule."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICTLY
    of: "Rule"


Rule = Condition | Group | Opposite


@dataclass(frozen=True)
class Segment:
    """Customers by rule, under the name the reader knows them by. Without a rule: the sales whose customer is unknown."""

    name: str
    rule: Rule | None


def rule_text(rule: Rule) -> str:
    """Return the rule as JSON, equal for equal rules."""
    written: bytes = _adapter().dump_json(rule, exclude_defaults=True)
    return written.decode()


def read_rule(text: str) -> Rule:
    """Return the rule of a JSON text.

    Raises BadInput if it is none, holds groups within groups more than six deep, or a condition that `check` refuses.

    >>> read_rule('{"attribute": "orders", "low": 2}')
    Condition(attribute='orders', values=(), low=2.0, high=None)
    """
    from pydantic import ValidationError

    try:
        rule: Rule = _adapter().validate_json(text)
    except ValidationError as problem:
        first = problem.errors()[0]["msg"]
        raise BadInput("The rule {text!r} can't be read: {problem}. Build the segment anew.", text=text[:200], problem=first) from None
    if _depth(rule) > _TOO_DEEP:
        raise BadInput(
            "The rule has groups within groups {depth} deep; {most} are allowed. Flatten it.", depth=_depth(rule), most=_TOO_DEEP
        )
    for condition in conditions_of(rule):
        check(condition)
    return rule


def conditions_of(rule: Rule) -> Iterator[Condition]:
    """Give the conditions of a rule."""
    if isinstance(rule, Condition):
        yield rule
    for part in (rule.of,) if isinstance(rule, Opposite) else rule.parts if isinstance(rule, Group) else ():
        yield from conditions_of(part)


def check(condition: Condition) -> None:
    """Raise BadInput if a condition asks for an attribute that there is none of, or for what that attribute can't be."""
    asked, is_number = attribute(condition.attribute), condition.low is not None or condition.high is not None
    if asked.kind == "choice" and (is_number or not condition.values):
        raise BadInput("{label} needs one or more values. Choose them.", label=t(asked.label))
    if asked.kind == "number" and (condition.values or not is_number):
        raise BadInput("{label} needs a number from, a number to, or both. Write them.", label=t(asked.label))
    if too_large := [bound for bound in (condition.low, condition.high) if abs(bound or 0) > LARGEST]:
        raise BadInput("{label} of {value} is beyond all numbers. Write a smaller one.", label=t(asked.label), value=f"{too_large[0]:g}")
    if condition.low is not None and condition.high is not None and condition.low > condition.high:
        raise BadInput(
            "{label} from {low} to {high} holds nobody. Turn the numbers round.",
            label=t(asked.label),
            low=condition.low,
            high=condition.high,
        )


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Rule)


def _depth(rule: Rule) -> int:
    if isinstance(rule, Group):
        return 1 + max((_depth(part) for part in rule.parts), default=0)
    return 1 + _depth(rule.of) if isinstance(rule, Opposite) else 1
