"""What a forecast is made from of the deals at the end of a day: at one day, or at many past days at once."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crm_metrics.pipeline.forecast.history import NEVER, Booleans, Floats, History, Integers, Standing, day_number
from crm_metrics.pipeline.forecast.seen import AGES, RECENT_DAYS
from crm_metrics.pipeline.forecast.terms import Window

FEWEST_VALUES = 50  # won deals of the last RECENT_DAYS; with fewer, the values of all won deals count
Shorts = npt.NDArray[np.int16]
_OLDEST = int(AGES[-1])  # days in a state; older is as old

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Snapshot(NamedTuple):
    """The deals at the end of a day.

    deal, state, age (days in the state), amount (NaN: unknown): of the open ones. lost: how many are lost, by days since then. values:
    of the deals won lately, smallest first; valued: the share of these whose value is known. won: value won in the quarter so far.
    closed: deals won or lost.
    """

    deal: Integers
    state: Integers
    age: Integers
    amount: Floats
    lost: Integers
    values: Floats
    valued: float
    won: float
    closed: int


class Wins(NamedTuple):
    """Days and values (NaN: unknown) of won deals, smallest value first."""

    day: Integers
    amount: Floats


def snapshot(told: History, standing: Standing, window: Window) -> Snapshot:
    """Return the deals at the end of one day."""
    is_open, is_lost, is_won = standing.state < told.lost, standing.state == told.lost, standing.state == told.won
    smallest = np.argsort(standing.amount[is_won], kind="stable")
    wins = Wins(standing.entered[is_won][smallest], standing.amount[is_won][smallest])
    return Snapshot(
        deal=standing.deal[is_open],
        state=standing.state[is_open],
        age=np.minimum(standing.age[is_open], _OLDEST),
        amount=standing.amount[is_open],
        lost=_ages(standing.age[is_lost]),
        **_of_wins(wins, window),
        closed=int(is_lost.sum() + is_won.sum()),
    )


def _of_wins(wins: Wins, window: Window) -> dict[str, Any]:
    is_known, lately = ~np.isnan(wins.amount), wins.day > day_number(window.today) - RECENT_DAYS
    counted = lately if (lately & is_known).sum() >= FEWEST_VALUES else np.ones_like(lately)
    inside = (wins.day >= day_number(window.start_on)) & (wins.day <= day_number(window.end_on))
    valued = float(is_known[counted].mean()) if counted.any() else 1.0
    return {"values": wins.amount[counted & is_known], "valued": valued, "won": float(np.nansum(wins.amount[inside]))}


class _Stays(NamedTuple):
    """Changes that hold at some of the days: place among the rows, the first of the days, and the first one no more."""

    row: Integers
    first: Shorts
    until: Shorts

    def those(self, which: Integers | Booleans) -> "_Stays":
        return _Stays(self.row[which], self.first[which], self.until[which])

    def at(self, number: int) -> Integers:
        """Return the rows that hold on a day."""
        return self.row[(self.first <= number) & (number < self.until)]


def snapshots(told: History, windows: list[Window]) -> list[Snapshot]:
    """Return the deals at the ends of several days, in order of time, by what was told by then; all in one walk over the history."""
    if not windows:
        return []
    rows, visits, days = told.rows, told.visits, [day_number(window.today) for window in windows]
    stays = _stays(told, days)
    state = rows.state[stays.row]
    of_open, of_won = stays.those(state < told.lost), stays.those(state == told.won)
    of_won = of_won.those(np.argsort(rows.amount[of_won.row], kind="stable"))
    entered = np.repeat(visits.entered, np.diff(visits.row, append=len(rows.day)))
    lost = _lost(told, days[-1])
    found = []
    for number, (on, window) in enumerate(zip(days, windows, strict=True)):
        here, won = of_open.at(number), of_won.at(number)
        wins, still_lost = Wins(entered[won], rows.amount[won]), lost.by_age(on)
        found.append(
            Snapshot(
                deal=rows.deal[here],
                state=rows.state[here],
                age=np.minimum(on - entered[here], _OLDEST),
                amount=rows.amount[here],
                lost=still_lost,
                **_of_wins(wins, window),
                closed=int(still_lost.sum()) + len(won),
            )
        )
    return found


def _stays(told: History, days: list[int]) -> _Stays:
    rows = told.rows
    first_by = np.searchsorted(days, np.arange(days[0], days[-1] + 2)).astype(np.int16)
    following = np.append(rows.day[1:], NEVER)
    following[np.append(rows.deal[1:] != rows.deal[:-1], True)] = NEVER
    first = first_by[np.clip(rows.day - days[0], 0, len(first_by) - 1)]
    until = first_by[np.clip(following - days[0], 0, len(first_by) - 1)]
    holds = np.flatnonzero((first < until) & (rows.state != told.lost))
    return _Stays(holds, first[holds], until[holds])


class _Lost(NamedTuple):
    """Losses by day since the first one of the history; the days of those that were reopened, and on which that was."""

    first: int
    losses: Integers
    lost_on: Integers
    reopened_on: Integers

    def by_age(self, on: int) -> Integers:
        """Return the deals that are lost at the end of a day, by the days since then."""
        since = np.arange(on - self.first, -1, -1)
        every = np.bincount(np.minimum(since, _OLDEST), weights=self.losses[: len(since)], minlength=_OLDEST + 1).astype(np.int64)
        return np.asarray(every - _ages(on - self.lost_on[self.reopened_on <= on]))


def _lost(told: History, last: int) -> _Lost:
    visits = told.visits
    lost = np.flatnonzero((visits.state == told.lost) & (visits.entered <= last))
    lost_on, reopened_on = visits.entered[lost], visits.left[lost]
    again = reopened_on <= last
    losses = np.bincount(lost_on - told.first, minlength=last + 1 - told.first)
    return _Lost(told.first, losses, lost_on[again], reopened_on[again])


def _ages(days: Integers) -> Integers:
    return np.bincount(np.minimum(days, _OLDEST), minlength=_OLDEST + 1)
