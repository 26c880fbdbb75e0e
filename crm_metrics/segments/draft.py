"""A rule while it is being written: two levels of groups, some of whose conditions may still lack a value.

Two levels, and an opposite on each condition and group, can say every combination of and, or, not.
"""

from dataclasses import dataclass, field
from itertools import count

from crm_metrics.segments.rule import Condition, Group, Joint, Opposite, Rule

_numbers = count(1)


@dataclass
class Line:
    """One condition. number: its own, for as long as the program runs."""

    attribute: str
    is_opposite: bool = False
    values: list[str] = field(default_factory=list)
    low: float | None = None
    high: float | None = None
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def is_complete(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.values) or self.low is not None or self.high is not None


@dataclass
class Block:
    """Conditions that belong together."""

    joined_by: Joint = "all"
    is_opposite: bool = False
    lines: list[Line] = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))


@dataclass
class Draft:
    """The whole rule."""

    joined_by: Joint = "all"
    blocks: list[Block] = field(default_factory=list)


def drafted_rule(draft: Draft) -> Rule:
    """Return the rule that a draft says so far; conditions without a value and groups without conditions are not in it.

    >>> drafted_rule(Draft(blocks=[Block(lines=[Line("orders", low=2.0), Line("age_band")])]))
    Condition(attribute='orders', values=(), low=2.0, high=None)
    """
    return _joined(draft.joined_by, [_block_rule(block) for block in draft.blocks if any(line.is_complete for line in block.lines)])


def rule_draft(rule: Rule) -> Draft | None:
    """Return the draft that says `rule`; None where it has more levels than a draft, or a group without conditions."""
    if rule == Group("all"):
        return Draft(blocks=[Block()])
    parts = rule.parts if isinstance(rule, Group) else (rule,)
    if isinstance(rule, Group) and parts and all(_line(part) for part in parts):
        return Draft(blocks=[_block(rule)])
    blocks = [_block(part) for part in parts]
    if not (parts and all(_is_flat(part) for part in parts)):
        return None
    return Draft(rule.joined_by if isinstance(rule, Group) else "all", blocks)


def _block_rule(block: Block) -> Rule:
    conditions = [line for line in block.lines if line.is_complete]
    rule = _joined(block.joined_by, [_line_rule(line) for line in conditions])
    if not block.is_opposite:
        return rule
    return rule.of if isinstance(rule, Opposite) else Opposite(rule)


def _line_rule(line: Line) -> Rule:
    condition = Condition(line.attribute, tuple(line.values), line.low, line.high)
    return Opposite(condition) if line.is_opposite else condition


def _joined(joined_by: Joint, parts: list[Rule]) -> Rule:
    if len(parts) == 1:
        return parts[0]
    return Group(joined_by, tuple(parts)) if parts else Group("all")  # what asks for nothing chooses everybody


def _line(rule: Rule) -> Line | None:
    condition = rule.of if isinstance(rule, Opposite) else rule
    if not isinstance(condition, Condition):
        return None
    return Line(condition.attribute, isinstance(rule, Opposite), list(condition.values), condition.low, condition.high)


def _block(rule: Rule) -> Block:
    inner = rule.of if isinstance(rule, Opposite) and isinstance(rule.of, Group) else rule
    parts = inner.parts if isinstance(inner, Group) else (inner,)
    joined_by: Joint = inner.joined_by if isinstance(inner, Group) else "all"
    return Block(joined_by, inner is not rule, [line for line in map(_line, parts) if line])


def _is_flat(rule: Rule) -> bool:
    inner = rule.of if isinstance(rule, Opposite) and isinstance(rule.of, Group) else rule
    parts = inner.parts if isinstance(inner, Group) else (inner,)
    return bool(parts) and all(_line(part) for part in parts)
