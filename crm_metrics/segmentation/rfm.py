"""Recency, frequency and monetary value: cut points, scores 1 to 5, and the segments as rules on them.

Equal values get equal scores and the order of rows does not matter, so ties may leave a score to nobody. With cut points of the data
a score is 1 + the number of quintiles below the value; 5 is best on each axis.
"""

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

import numpy as np

from crm_metrics.language import noop
from crm_metrics.metric import BadInput
from crm_metrics.purchase_model.groups import Floats, Integers

Measure = Literal["days_since_last_order", "orders", "net_revenue"]
MEASURES: tuple[Measure, ...] = ("days_since_last_order", "orders", "net_revenue")
SCORES = 5
_QUANTILES = (0.2, 0.4, 0.6, 0.8)
_SMALLEST: dict[str, float] = {"days_since_last_order": 1.0, "orders": 1.0, "net_revenue": 0.0001}  # step from one value to the next


class Cuts(NamedTuple):
    """Four cut points of each measure: a value above a cut point lies on its far side, one equal to it on its near side."""

    days_since_last_order: tuple[float, ...]
    orders: tuple[float, ...]
    net_revenue: tuple[float, ...]


@dataclass(frozen=True)
class RfmTerms:
    """What the reader chooses: cut points (none: quintiles of the data), and the first days of months whose orders don't count at all."""

    days_since_last_order: tuple[float, ...] = ()
    orders: tuple[float, ...] = ()
    net_revenue: tuple[float, ...] = ()
    months_left_out: tuple[date, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse cut points that are not four rising numbers."""
        for measure in MEASURES:
            given: tuple[float, ...] = getattr(self, measure)
            rises = all(math.isfinite(value) for value in given) and all(np.diff(given) > 0)
            if given and not (len(given) == SCORES - 1 and rises):
                raise BadInput(
                    "The cut points {given} are not four rising numbers. Write four numbers, each larger than the one before.",
                    given=", ".join(f"{value:g}" for value in given),
                )


def quantile_cuts(values: Floats) -> tuple[float, ...]:
    """Return the quintiles of `values`, each a value that occurs: the smallest with at least that share at or below it.

    >>> quantile_cuts(np.array([1.0, 1.0, 1.0, 2.0, 5.0]))
    (1.0, 1.0, 1.0, 2.0)
    """
    return tuple(np.quantile(values, _QUANTILES, method="inverted_cdf").tolist()) if len(values) else (math.nan,) * (SCORES - 1)


def score(values: Floats, cuts: tuple[float, ...], *, fewer_is_better: bool = False) -> Integers:
    """Return the score of each value: 1 + the number of cut points below it; counted from the other end where fewer is better.

    >>> score(np.array([1.0, 2.0, 3.0]), (1.0, 1.0, 1.0, 2.0)).tolist()
    [1, 4, 5]
    """
    below = np.searchsorted(np.asarray(cuts), values, side="left")
    return SCORES - below if fewer_is_better else below + 1


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Segment(NamedTuple):
    """A rule: lowest and highest score of recency (r), frequency (f) and monetary value (m). label, means, advice: English texts."""

    name: str
    label: str
    r_low: int
    r_high: int
    f_low: int
    f_high: int
    m_low: int
    m_high: int
    means: str
    advice: str


# The ten-name map of recency and frequency of many tutorials; monetary value stays an axis of its own.
SEGMENTS: tuple[Segment, ...] = (
    Segment(
        *("champions", noop("Champions"), 5, 5, 4, 5, 1, SCORES),
        noop("Bought just now and buy most often."),
        noop("Thank them, ask them to recommend you, show them what is new first."),
    ),
    Segment(
        *("loyal", noop("Loyal customers"), 3, 4, 4, 5, 1, SCORES),
        noop("Buy often, the last time not long ago."),
        noop("Reward them and offer what goes with what they own."),
    ),
    Segment(
        *("potential_loyalists", noop("Potential loyalists"), 4, 5, 2, 3, 1, SCORES),
        noop("Bought lately, neither seldom nor often so far."),
        noop("Offer membership and a reason to come back soon."),
    ),
    Segment(
        *("new", noop("New customers"), 5, 5, 1, 1, 1, SCORES),
        noop("Bought just now, and least often so far."),
        noop("Make the first weeks good: help, welcome, a second purchase."),
    ),
    Segment(
        *("promising", noop("Promising"), 4, 4, 1, 1, 1, SCORES),
        noop("Bought lately, and least often so far."),
        noop("Remind them soon, before they forget you."),
    ),
    Segment(
        *("need_attention", noop("Need attention"), 3, 3, 3, 3, 1, SCORES),
        noop("In the middle on both axes."),
        noop("Make an offer for a limited time, on what they bought before."),
    ),
    Segment(
        *("about_to_sleep", noop("About to sleep"), 3, 3, 1, 2, 1, SCORES),
        noop("Bought seldom, the last time some while ago."),
        noop("Remind them with what is popular; let most of them go cheaply."),
    ),
    Segment(
        *("cant_lose", noop("Can't lose"), 1, 2, 5, 5, 1, SCORES),
        noop("Bought most often and have gone quiet."),
        noop("Call them yourself and find out what went wrong."),
    ),
    Segment(
        *("at_risk", noop("At risk"), 1, 2, 3, 4, 1, SCORES),
        noop("Bought often and have gone quiet."),
        noop("Win them back by name with an offer that fits what they bought."),
    ),
    Segment(
        *("hibernating", noop("Hibernating"), 1, 2, 1, 2, 1, SCORES),
        noop("Bought seldom and long ago."),
        noop("Spend little: a cheap reminder, or none."),
    ),
)
"""Best first: a customer who moves to an earlier one moves up."""

SEGMENT_NAMES = tuple(segment.name for segment in SEGMENTS)
BEST = ("champions", "loyal")
AT_RISK = ("cant_lose", "at_risk")


def segment_places() -> Integers:
    """Return the place in SEGMENTS of every cell, an array by recency, frequency and monetary score less 1; -1: no segment."""
    places = np.full((SCORES, SCORES, SCORES), -1)
    for place, one in enumerate(SEGMENTS):
        places[one.r_low - 1 : one.r_high, one.f_low - 1 : one.f_high, one.m_low - 1 : one.m_high] = place
    return places


class RawRanges(NamedTuple):
    """Closed ranges of values, (lowest, highest); None: no limit. One whose lowest lies above its highest holds nobody."""

    days_since_last_order: tuple[float | None, float | None]
    orders: tuple[float | None, float | None]
    net_revenue: tuple[float | None, float | None]


def raw_ranges(segment: Segment, cuts: Cuts) -> RawRanges:
    """Return `segment` as ranges of days, orders and net revenue, so that it can be kept as a rule that moves with no data.

    >>> raw_ranges(SEGMENTS[0], Cuts((7, 30, 90, 200), (1, 2, 3, 5), (10, 20, 50, 99)))
    RawRanges(days_since_last_order=(None, 7), orders=(4.0, None), net_revenue=(None, None))
    """
    return RawRanges(
        score_range("days_since_last_order", segment.r_low, segment.r_high, cuts=cuts),
        score_range("orders", segment.f_low, segment.f_high, cuts=cuts),
        score_range("net_revenue", segment.m_low, segment.m_high, cuts=cuts),
    )


def score_range(measure: Measure, low: int, high: int, *, cuts: Cuts) -> tuple[float | None, float | None]:
    """Return the closed range of values with scores `low` to `high`."""
    if measure == "days_since_last_order":  # fewer days, higher score
        low, high = SCORES + 1 - high, SCORES + 1 - low
    points: tuple[float, ...] = getattr(cuts, measure)
    step = _SMALLEST[measure]
    above = None if low == 1 else _next_value(points[low - 2], step)
    return above, None if high == SCORES else points[high - 1]


def _next_value(cut: float, step: float) -> float:
    """Return the smallest value above `cut` of those that a measure can have; unknown if `cut` is."""
    return math.nan if math.isnan(cut) else round((math.floor(round(cut / step, 6)) + 1) * step, 4)
