"""Segments of the room as rules that can be saved: ranges of values, so that the members follow the data and the rule stays."""

from collections.abc import Sequence

from crm_metrics.segmentation.rfm import MEASURES, SEGMENTS, Cuts, Segment, raw_ranges
from crm_metrics.segments.rule import Condition, Group, Rule


def rule_of(names: Sequence[str], cuts: Cuts) -> Rule:
    """Return the rule that customers of any of some segments meet, at the cut points of today.

    >>> rule_of(["champions"], Cuts((7, 30, 90, 200), (1, 2, 3, 5), (10, 20, 50, 99))).parts[1]
    Condition(attribute='orders', values=(), low=4.0, high=None)
    """
    rules = [_rule(segment, cuts) for segment in SEGMENTS if segment.name in names]
    return rules[0] if len(rules) == 1 else Group("any", tuple(rules))


def _rule(segment: Segment, cuts: Cuts) -> Rule:
    ranges = zip(MEASURES, raw_ranges(segment, cuts), strict=True)
    return Group("all", tuple(Condition(measure, low=low, high=high) for measure, (low, high) in ranges if (low, high) != (None, None)))
