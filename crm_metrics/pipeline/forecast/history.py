"""The deals' visits to their stages, and how the deals stood on any day.

Days are whole numbers, as of the epoch, so that a million changes can be cut at any day in a few milliseconds.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.pipeline.deals.query import CLOSING, LOST, OPEN, OPENING, WON

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
NEVER = 10**7
"""A day after all others: of visits that have not ended."""

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Rows(NamedTuple):
    """One element per change, by deal and time. state: place in History.stages, then lost, then won. amount: NaN where unknown."""

    deal: Integers
    day: Integers
    state: Integers
    amount: Floats


class Visits(NamedTuple):
    """One element per stay in a state, by deal and time. after: the state it moves to; is_first: of its deal; row: its first row."""

    state: Integers
    entered: Integers
    left: Integers
    after: Integers
    is_first: Booleans
    row: Integers


class Created(NamedTuple):
    """One element per deal that begins in an open stage, by day: the day, and that stage."""

    day: Integers
    state: Integers


class History(NamedTuple):
    """stages: keys of the open stages in code order; "" where the stage is unknown. told: changes that stand in the history itself.

    first: the day of the first change, NEVER without any.
    """

    stages: tuple[str, ...]
    rows: Rows
    visits: Visits
    created: Created
    told: int
    first: int

    @property
    def lost(self) -> int:
        """The state of lost deals."""
        return len(self.stages)

    @property
    def won(self) -> int:
        """The state of won deals."""
        return len(self.stages) + 1


class Standing(NamedTuple):
    """The deals at the end of a day, one element per deal. age: days in the state; entered: day on which that began."""

    deal: Integers
    state: Integers
    age: Integers
    entered: Integers
    amount: Floats


def history(moves: pd.DataFrame) -> History:
    """Return the history of the deals. moves: the rows of query.moves."""
    stage, stages = pd.factorize(moves["stage"])  # -1, the last of any list: unknown
    outcome, outcomes = pd.factorize(moves["outcome"])
    names, is_open = [*map(str, stages), ""], np.asarray(outcomes == OPEN)[outcome]
    used = sorted(np.flatnonzero(np.bincount(stage[is_open] % len(names), minlength=len(names))), key=names.__getitem__)
    place = np.full(len(names), -1)
    place[used] = np.arange(len(used))
    ends = np.where(outcomes == WON, len(used) + 1, len(used))
    state = np.where(is_open, place[stage], ends[outcome]) if len(moves) else np.zeros(0, np.int64)
    day = moves["changed_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    rows = Rows(moves["deal_number"].to_numpy(), day, state, moves["deal_amount"].to_numpy(dtype=float))
    visits, told = _visits(rows), int((~moves["change_number"].isin((OPENING, CLOSING))).sum())
    return History(tuple(names[one] for one in used), rows, visits, _created(visits, len(used)), told, int(day.min(initial=NEVER)))


def _created(visits: Visits, lost: int) -> Created:
    first = np.flatnonzero(visits.is_first & (visits.state < lost))
    first = first[np.argsort(visits.entered[first], kind="stable")]
    return Created(visits.entered[first], visits.state[first])


def _visits(rows: Rows) -> Visits:
    is_first = np.diff(rows.deal, prepend=-1) != 0
    begins = np.flatnonzero(is_first | (np.diff(rows.state, prepend=-1) != 0))
    state, entered, ends = rows.state[begins], rows.day[begins], np.append(is_first[begins][1:], True)
    left, after = np.append(entered[1:], NEVER), np.append(state[1:], -1)
    left[ends], after[ends] = NEVER, -1
    return Visits(state, entered, left, after, is_first[begins], begins)


def day_number(day: date) -> int:
    """Return a day as History counts them."""
    return (day - date(1970, 1, 1)).days


def stand(told: History, on: int) -> Standing:
    """Return the deals as they stood at the end of a day, by what was told by then."""
    rows, visits = told.rows, told.visits
    seen = np.flatnonzero(rows.day <= on)
    last = seen[np.diff(rows.deal[seen], append=-1) != 0]
    running = (visits.entered <= on) & (visits.left > on)
    entered = visits.entered[running]
    return Standing(rows.deal[last], rows.state[last], on - entered, entered, rows.amount[last])


def corrected(standing: Standing, deals: pd.DataFrame, told: History) -> Standing:
    """Return the deals with value, end and closing day as their own rows say. deals: rows of query.standing on the same day."""
    place = np.searchsorted(deals["deal_number"].to_numpy(), standing.deal)
    outcome, closed = deals["outcome"].to_numpy()[place], deals["closed_on"].to_numpy().astype("datetime64[D]")[place]
    ends = (outcome != OPEN) & ~np.isnat(closed)
    state = np.where(outcome == WON, told.won, np.where(outcome == LOST, told.lost, standing.state))
    return standing._replace(
        state=state,
        entered=np.where(ends, closed.astype(np.int64), standing.entered),
        amount=deals["deal_amount"].to_numpy(dtype=float)[place],
    )
