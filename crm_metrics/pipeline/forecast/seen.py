"""What was seen of the deals' visits to their stages: moves and deal-days, and the pace of the months within a quarter.

Everything is added up by the end of each day, so that what was seen between any two days is one difference.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.pipeline.forecast.history import Floats, History, Integers

AGES = np.array(
    [0, 1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 60, 90, 120, 180, 270, 365, 540, 730]
)  # first day of each class: of one class deals move on alike
RECENT_DAYS = 365  # what was longer ago says less: how a company sells changes
ENOUGH_CLOSED = 100  # deals closed in these days; with fewer, all that is known counts
_FEWEST_MONTHS = 9  # before months of the quarter are told apart
_SURE = 2.5  # months of a quarter differ so many times more than by chance in one company of ten that has no such shape (F test)
_SAME = 1e-12

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Counts(NamedTuple):
    """What was seen. moves: by state (open stages, lost), class of days and state moved to. days: deal-days by state and class.

    pace: by month of the quarter (first, second, third), deals lost and won over those expected by the rates of all months.
    """

    moves: Floats
    days: Floats
    pace: Floats


class _Course(NamedTuple):
    """What was seen by the end of each day; days are counted from the one before the first visit, `origin`.

    months: last days of months. edges: the days between which moves are told apart, these among them. moves: by state, class, state
    moved to and place in edges. deal_days: by state, class and day.
    """

    origin: int
    months: Integers
    edges: Integers
    moves: Floats
    deal_days: Floats


def counts(told: History, on: int) -> Counts:
    """Return what was seen of the visits up to the end of a day."""
    return counts_at(told, [on])[0]


def counts_at(told: History, days: list[int]) -> list[Counts]:
    """Return what was seen of the visits up to the end of each of these days."""
    if not days:
        return []
    visits, last = told.visits, max(days)
    origin = int(visits.entered.min(initial=last)) - 1
    closed_on = visits.entered[visits.state >= told.lost] - origin
    closed = np.cumsum(np.bincount(np.minimum(closed_on, last - origin + 1), minlength=last - origin + 2))
    spans = [(_seen_since(closed, on - origin), on - origin) for on in days]
    course = _course(told, origin, last, spans)
    return [_between(course, since, on) for since, on in spans]


def _seen_since(closed: Integers, on: int) -> int:
    """Return the day after whose end moves count: RECENT_DAYS back, or the very first where too few deals were closed since.

    closed: deals closed by the end of each day.
    """
    since = max(on - RECENT_DAYS, 0)
    return since - 1 if since and closed[on] - closed[since] >= ENOUGH_CLOSED else 0


def _course(told: History, origin: int, last: int, spans: list[tuple[int, int]]) -> _Course:
    visits, states, classes, width = told.visits, told.won, len(AGES), last - origin + 2
    lives = np.flatnonzero((visits.state < states) & (visits.entered <= last))
    state, entered, left = visits.state[lives], visits.entered[lives] - origin, visits.left[lives] - origin
    moved = np.flatnonzero(left < width - 1)
    in_class = np.full(len(lives), classes)
    in_class[moved] = class_of(np.arange(width))[left[moved] - entered[moved]]
    place = state * (classes + 1) + in_class
    came = _counted(place * width + entered, (states, classes + 1, width))
    place, left = (place - state)[moved], left[moved]
    gone = _counted(place * width + left, (states, classes, width))
    months = _month_ends(origin, last)
    edges = np.unique([*months, *np.ravel(spans)])
    edge = np.searchsorted(edges, np.arange(width))[left]
    moves = _counted(
        (place * (states + 1) + visits.after[lives][moved]) * (len(edges) + 1) + edge, (states, classes, states + 1, len(edges) + 1)
    )
    return _Course(origin, months, edges, np.cumsum(moves, axis=-1).astype(float), _deal_days(came, gone))


def _counted(place: Integers, shape: tuple[int, ...]) -> Integers:
    return np.bincount(place, minlength=int(np.prod(shape))).reshape(shape)


def _month_ends(origin: int, last: int) -> Integers:
    months = np.arange(np.datetime64(origin, "D").astype("datetime64[M]") + 1, np.datetime64(last, "D").astype("datetime64[M]") + 1)
    return np.asarray(months.astype("datetime64[D]").astype(np.int64) - 1 - origin)


def _deal_days(came: Integers, gone: Integers) -> Floats:
    """Return the deals in each state and class of days, added up over the days.

    came: visits by state, class in which they end (the last: not yet) and day entered; gone: by state, class and day left.
    """
    reach = np.cumsum(came[:, ::-1], axis=1)[:, ::-1]  # those who stay as long as the class begins
    there = np.zeros(gone.shape)
    for place, age in enumerate(AGES[gone.shape[2] > AGES]):
        older = reach[:, place, : gone.shape[2] - age]
        there[:, place, age:] += older
        if place:
            there[:, place - 1, age:] -= older
    there[:, :, 1:] -= gone[:, :, :-1]
    return np.asarray(there.cumsum(axis=2).cumsum(axis=2))


def class_of(age: Integers) -> Integers:
    """Return the class of days, by place in AGES."""
    return np.searchsorted(AGES, age, side="right") - 1


def _between(course: _Course, since: int, on: int) -> Counts:
    """Return what was seen after the end of the one day and by the end of the other."""
    ends = np.array([since, *course.months[(course.months > since) & (course.months < on)], on])
    moves = np.diff(course.moves[..., np.searchsorted(course.edges, ends)], axis=-1)
    days = np.diff(course.deal_days[..., ends], axis=-1)
    return Counts(moves.sum(axis=-1), days.sum(axis=-1), _pace(moves[:, :, -2:], days, month_places(course.origin + ends[1:])))


def month_places(days: Integers) -> Integers:
    """Return the place of each day's month in its quarter: 0, 1 or 2."""
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 3)


def _pace(moves: Floats, days: Floats, month: Integers) -> Floats:
    """Return Counts.pace, drawn towards 1 the more, the less the places in the quarter differ beyond months of the same place (Efron and
    Morris 1975, Journal of the American Statistical Association 70).

    moves, days: by state, class (state moved to: lost or won) and month. month: place of each in its quarter.
    """
    rate = moves.sum(axis=-1) / np.maximum(days.sum(axis=-1), 1.0)[..., None]
    expected, came = np.einsum("sct,scm->tm", rate, days), moves.sum(axis=(0, 1))
    is_place = (np.arange(3)[:, None] == month).T
    of_place = expected @ is_place
    if len(month) < _FEWEST_MONTHS:
        return np.ones((3, 2))
    ratio = np.divide(came @ is_place, of_place, out=np.ones_like(of_place), where=of_place > 0)
    within = ((came - ratio[:, month] * expected) ** 2 / np.maximum(expected, _SAME)).sum(axis=1) / (len(month) - 3)
    between = (of_place * (ratio - 1) ** 2).sum(axis=1) / 2
    kept = np.maximum(1 - _SURE * np.maximum(within, 1.0) / np.maximum(between, _SAME), 0.0)
    return np.asarray(1 + kept[:, None] * (ratio - 1)).T
