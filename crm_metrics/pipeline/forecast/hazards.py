"""How fast deals move on from each stage by the days they have been in it, and what chance of a win follows.

A multi-state model in days (a semi-Markov chain: Howard 1971, Dynamic Probabilistic Systems II): of the deals that were in a state on
their n-th day in it, the share that moved on that day, and where to. Deals that are still there count as long as they were seen, so that
slow ones are not forgotten. A lost deal is in a state too: it may be reopened. Only a win ends a course.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.pipeline.forecast.history import Floats, Integers
from crm_metrics.pipeline.forecast.seen import AGES, Counts, class_of

_BORROWED = 2.0  # moves that each class of days takes over from its whole stage, and each stage from all of them
_OLDEST = int(AGES[-1]) + 1  # days in a state; older is as old
_EVEN = np.ones((1, 2))
_SAME = 1e-12

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Chances(NamedTuple):
    """Chances of being won within days. of_standing: by draw, state, days in it; of_entering: by days left, draw, state entered."""

    of_standing: Floats
    of_entering: Floats


def daily_moves(seen: Counts, random: np.random.Generator | None = None, draws: int = 1) -> Floats:
    """Return the chance to move on a day, by draw, state, class of days and state moved to.

    Each class borrows _BORROWED moves from its stage as a whole, and each stage from all open ones, so that a small one is not read as
    certain. Without `random` the mean; else draws from the gamma distribution that the counts leave the rates (Jeffreys 1946 without its
    half).
    """
    shape, days = _borrowed(seen)
    rates = (random.standard_gamma(shape, (draws, *shape.shape)) if random else shape[None]) / days[..., None]
    every = rates.sum(axis=-1, keepdims=True)
    return np.asarray(rates / np.maximum(every, 1.0))


def _borrowed(seen: Counts) -> tuple[Floats, Floats]:
    """Return moves and deal-days of each class with what it borrows; an open deal older than any seen goes on like the oldest.

    A lost deal borrows nothing: if none was reopened so late, none will be.
    """
    last = np.maximum.accumulate(np.where(seen.days > 0, np.arange(len(AGES)), 0), axis=1)
    of_stage, stage_days = seen.moves.sum(axis=1)[:-1], seen.days.sum(axis=1)[:-1]
    ends = of_stage.sum(axis=0)
    ends[:-2] = 0  # lost and won: the other moves are the stage's own
    lent = _BORROWED / max(ends.sum(), 1.0)
    rate = (of_stage + lent * ends) / np.maximum(stage_days + lent * stage_days.sum(), 1.0)[:, None]
    every = np.maximum(rate.sum(axis=1), _SAME)
    moves, days = np.take_along_axis(seen.moves, last[..., None], axis=1), np.take_along_axis(seen.days, last, axis=1)
    moves[:-1] += (_BORROWED * rate / every[:, None])[:, None, :]
    days[:-1] += (_BORROWED / every)[:, None]
    moves[-1], days[-1] = seen.moves[-1], np.maximum(seen.days[-1], 1.0)
    return moves, days


def within(daily: Floats, after: int, until: int, *, pace: Floats = _EVEN, months: Integers | None = None) -> Chances:
    """Return the chances of being won more than `after` and at most `until` days from now.

    pace: what deals lost and won are in a month of the quarter over those of all. months: the place in `pace` of each day from now on.
    """
    draws, states, classes, targets = daily.shape
    of_age, place = class_of(np.minimum(np.arange(1, _OLDEST + 1), AGES[-1])), np.zeros(until + 1, int) if months is None else months
    paced = _paced(daily, pace)
    by_class = paced.transpose(0, 1, 3, 2, 4).reshape(len(pace), draws, classes * states, targets)
    stays = (1 - paced.sum(axis=-1)).transpose(0, 3, 1, 2)
    older = stays.reshape(len(pace), classes, -1)[:, of_age]
    line = np.zeros((_OLDEST + until + 1, draws * states))  # who is so old, so many days before the end, stands at the sum of both
    entering, moved = np.zeros((until + 1, draws, states)), np.empty_like(older[0])
    target = np.ones((draws, targets, 1))
    for left in range(until + 1):
        day = until - left
        now, target[:, -1] = place[day], float(day > after or not after)  # what is won earlier is not won in the window
        newly = line[left].reshape(draws, states)
        target[:, :-1, 0] = newly
        entering[left] = (by_class[now, :, :states] @ target)[..., 0] + stays[now, 0] * newly
        if day:
            target[:, :-1, 0] = entering[left]
            by_draw = (by_class[now] @ target).reshape(draws, classes, states)
            np.take(by_draw.transpose(1, 0, 2).reshape(classes, -1), of_age, axis=0, out=moved, mode="clip")
            line[left + _OLDEST] = line[left + _OLDEST - 1]
            line[left + 1 : left + 1 + _OLDEST] *= older[now]
            line[left + 1 : left + 1 + _OLDEST] += moved
    return Chances(line[until : until + _OLDEST].reshape(-1, draws, states).transpose(1, 2, 0), entering)


def _paced(daily: Floats, pace: Floats) -> Floats:
    """Return daily moves by place in `pace`, then as before; losses and wins as many times as it says."""
    paced = np.repeat(daily[None], len(pace), axis=0)
    paced[..., -2:] *= pace[:, None, None, None]
    return np.asarray(paced / np.maximum(paced.sum(axis=-1, keepdims=True), 1.0))


def in_the_end(daily: Floats) -> Floats:
    """Return the chance that a deal which enters a state is won in the end, by draw and state.

    What share of those who enter leaves to where is added up day by day, as far as AGES go; then the moves between states are followed to
    the end.
    """
    draws, states = daily.shape[:2]
    stays = 1 - daily.sum(axis=-1)
    there = np.cumprod(stays[:, :, class_of(np.arange(_OLDEST))], axis=2)
    begun = np.concatenate([np.ones((draws, states, 1)), there[:, :, :-1]], axis=2)
    deal_days = np.add.reduceat(begun, AGES, axis=2)
    leaves = (deal_days[..., None] * daily).sum(axis=2)
    between = np.eye(states) - leaves[:, :, :states]
    return np.asarray(np.linalg.solve(between, leaves[:, :, states:])[..., 0])
