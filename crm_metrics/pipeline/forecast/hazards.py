"""How fast deals move on from each stage by the days they have been in it, and what chance of a win follows.

A multi-state model in days (a semi-Markov chain: Howard 1971, Dynamic Probabilistic Systems II): of the deals that were in a state on
their n-th day in it, the share that moved on that day, and where to. Deals that are still there count as long as they were seen, so that
slow ones are not forgotten. A lost deal is in a state too: it may be reopened. Only a win ends a course.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.pipeline.forecast.history import Floats, History, Integers

AGES = np.array(
    [0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 60, 90, 120, 180, 270, 365, 540, 730]
)  # first day of each class: of one class deals move on alike
RECENT_DAYS = 365  # what was longer ago says less: how a company sells changes
ENOUGH_CLOSED = 100  # deals closed in these days; with fewer, all that is known counts
_BORROWED = 2.0  # moves that each class of days takes over from its whole stage, and each stage from all of them
_OLDEST = int(AGES[-1]) + 1  # days in a state; older is as old
_LONGEST = 3000  # days in a state that are told apart in counting
_SAME = 1e-12

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Counts(NamedTuple):
    """What was seen. moves: by state (open stages, lost), class of days and state moved to. days: deal-days by state and class."""

    moves: Floats
    days: Floats


class Chances(NamedTuple):
    """Chances of being won within days. of_standing: by draw, state, days in it; of_entering: by days left, draw, state entered."""

    of_standing: Floats
    of_entering: Floats


def seen_since(told: History, on: int) -> int:
    """Return the first day whose moves count: RECENT_DAYS back, or the very first where too few deals were closed since."""
    visits = told.visits
    since = on - RECENT_DAYS
    closed = (visits.state >= told.lost) & (visits.entered <= on) & (visits.entered > since)
    return since if closed.sum() >= ENOUGH_CLOSED else int(visits.entered.min(initial=on))


def counts(told: History, on: int) -> Counts:
    """Return what was seen of the visits up to the end of a day."""
    visits, since = told.visits, seen_since(told, on)
    states, classes = told.won, len(AGES)
    lives = (visits.entered <= on) & (visits.left >= since) & (visits.state < told.won)
    state, entered, left = visits.state[lives], visits.entered[lives], visits.left[lives]
    first, last = np.maximum(since - entered, 0), np.minimum(left, on) - entered
    days = _days_seen(state, first, last, states)
    moved = left <= on
    place = (state[moved] * classes + _class_of(last[moved])) * (states + 1) + visits.after[lives][moved]
    moves = np.bincount(place, minlength=states * classes * (states + 1)).reshape(states, classes, states + 1)
    return Counts(moves.astype(float), np.add.reduceat(days, AGES, axis=1))


def _days_seen(state: Integers, first: Integers, last: Integers, states: int) -> Floats:
    """Return the deals seen on each day in a state."""
    width = _LONGEST + 2
    begin = np.bincount(state * width + np.minimum(first, _LONGEST), minlength=states * width)
    end = np.bincount(state * width + np.minimum(last, _LONGEST) + 1, minlength=states * width)
    return np.cumsum((begin - end).reshape(states, width), axis=1)[:, :-1].astype(float)


def _class_of(age: Integers) -> Integers:
    return np.searchsorted(AGES, age, side="right") - 1


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


def within(daily: Floats, after: int, until: int) -> Chances:
    """Return the chances of being won more than `after` and at most `until` days from now."""
    draws, states = daily.shape[:2]
    of_age = _class_of(np.minimum(np.arange(_OLDEST + 1), AGES[-1]))
    stays = 1 - daily.sum(axis=-1)
    standing, earlier = np.zeros((draws, states, _OLDEST)), np.zeros((draws, states, _OLDEST))
    entering = np.zeros((until + 1, draws, states))
    for left in range(until + 1):
        newly = np.concatenate([standing[:, :, 0], np.ones((draws, 1))], axis=1)
        entering[left] = (daily[:, :, 0] @ newly[:, :, None])[..., 0] + stays[:, :, 0] * standing[:, :, 0]
        if left == after:
            earlier = standing
        if left == until:
            break
        target = np.concatenate([entering[left], np.ones((draws, 1))], axis=1)
        moved = (daily.reshape(draws, -1, states + 1) @ target[:, :, None]).reshape(draws, states, len(AGES))
        older = np.concatenate([standing[:, :, 1:], standing[:, :, -1:]], axis=2)
        standing = moved[:, :, of_age[1:]] + stays[:, :, of_age[1:]] * older
    shifted = np.zeros_like(entering)
    width = until - after  # the length of the window, for those who come on a day within or before it
    if after:
        shifted[width:] = entering[: until + 1 - width]
    return Chances(standing - earlier if after else standing, entering - shifted)


def in_the_end(daily: Floats) -> Floats:
    """Return the chance that a deal which enters a state is won in the end, by draw and state.

    What share of those who enter leaves to where is added up day by day, as far as AGES go; then the moves between states are followed to
    the end.
    """
    draws, states = daily.shape[:2]
    stays = 1 - daily.sum(axis=-1)
    there = np.cumprod(stays[:, :, _class_of(np.arange(_OLDEST))], axis=2)
    begun = np.concatenate([np.ones((draws, states, 1)), there[:, :, :-1]], axis=2)
    deal_days = np.add.reduceat(begun, AGES, axis=2)
    leaves = (deal_days[..., None] * daily).sum(axis=2)
    between = np.eye(states) - leaves[:, :, :states]
    return np.asarray(np.linalg.solve(between, leaves[:, :, states:])[..., 0])
