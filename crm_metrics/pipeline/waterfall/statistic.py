"""From the deals on two days to what became of each, and to a waterfall that balances.

Every deal is accounted for by its state at the beginning and at the end; how it got there in between does not matter, but for deals that
came and were closed in between, which are in both. A deal that comes or goes does so with the value that it has at the end (one that the
reader no longer sees then with that at the beginning); if it was there at the beginning with another value, the difference comes first.
Reevo's and Salesforce's waterfalls are made so, too (Pipeline Inspection).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.periods import Period
from crm_metrics.pipeline.waterfall.query import OUTCOMES

STEPS = (
    "start", "created", "undated", "reopened", "pulled_in", "increased", "decreased", "pushed_out", "lost", "won",
    "moved_in", "moved_out", "value_known", "value_unknown", "end",
)  # fmt: skip
ADDITIONS = ("undated", "reopened", "pulled_in", "increased", "moved_in", "value_known")
REDUCTIONS = ("decreased", "pushed_out", "moved_out", "value_unknown")
TOTALS = ("start", "end")
AMOUNT_UNIT = 10_000  # of the database's amounts, which have four decimals: whole numbers don't drift
_OPEN, _WON, _LOST = OUTCOMES.values()


class States(NamedTuple):
    """The deals at the end of a day, by deal_number: outcome (0: not there or not seen), amount in 1/10,000, whether it is known, day of
    closing, whether the day of creation is known, whether the deal is there, seen or not.
    """

    outcome: np.ndarray
    amount: np.ndarray
    is_known: np.ndarray
    close_on: np.ndarray
    is_dated: np.ndarray
    is_there: np.ndarray


def nobody(size: int) -> States:
    """Return no deals, of numbers below `size`."""
    unknown = np.full(size, np.datetime64("NaT", "D"))
    outcome, amount = np.zeros(size, np.int8), np.zeros(size, np.int64)
    return States(outcome, amount, np.zeros(size, bool), unknown, np.zeros(size, bool), np.zeros(size, bool))


def replayed(frame: pd.DataFrame, days: Sequence[date], size: int) -> Iterator[States]:
    """Yield the deals at the end of each of the days, which ascend. frame: of query.states_by_period; numbers are below `size`."""
    ends_on = frame["ends_on"].to_numpy(dtype="datetime64[D]")
    order = np.argsort(ends_on, kind="stable")
    stops = np.searchsorted(ends_on[order], np.array(days, dtype="datetime64[D]"), side="right")
    stood, start = nobody(size), 0
    for stop in stops:
        stood = changed(stood, frame.iloc[order[start:stop]])
        yield stood
        start = stop


def changed(stood: States, frame: pd.DataFrame) -> States:
    """Return the deals with those of the frame as it says. frame: of query.deals_now, or in order of time."""
    made = States(*(values.copy() for values in stood))
    at, amount = frame["deal_number"].to_numpy(dtype=np.int64), frame["deal_amount"].to_numpy(dtype=float)
    known = ~np.isnan(amount)
    made.outcome[at] = frame["outcome"]
    made.amount[at] = np.rint(np.where(known, amount, 0) * AMOUNT_UNIT)
    made.is_known[at] = known
    made.close_on[at] = frame["close_on"].to_numpy(dtype="datetime64[D]")
    made.is_dated[at] = frame["is_dated"]
    made.is_there[at] = True
    return made


def transitions(before: States, after: States, *, before_on: date, window: Period | None) -> pd.DataFrame:
    """Return one row per deal and step it is in: deal_number, step, deals (1, 0, -1), amount (1/10,000, signed), is_unknown (of value).

    before: the deals at the end of `before_on`. window: of the expected closing; None: any. Without one nothing is pulled in or pushed
    out: deals whose expected closing moved are there with neither deals nor amount.
    """
    numbers = np.flatnonzero((before.outcome == _OPEN) | (before.outcome != after.outcome))  # of the others there is nothing to tell
    before, after = (States(*(values[numbers] for values in stood)) for stood in (before, after))
    starts, ends = _is_in(before, window), _is_in(after, window)
    closes = ~starts & (after.outcome > _OPEN) & _within(after.close_on, window)
    closes_now = closes & (after.close_on > np.datetime64(before_on, "D"))
    was_seen, was_closed, is_new = before.outcome > 0, before.outcome > _OPEN, ~before.is_there
    comes = {
        "created": is_new & after.is_dated & (ends | closes),
        "undated": is_new & ~after.is_dated & (ends | closes),
        "reopened": was_closed & (ends | (closes & (after.outcome != before.outcome))),
        "pulled_in": was_seen & ~was_closed & ~starts & (ends | closes),
        "moved_in": before.is_there & ~was_seen & (ends | closes_now),
    }
    entered = np.logical_or.reduce(list(comes.values()))
    leaves = (starts | entered) & ~ends
    goes = {
        "pushed_out": leaves & (after.outcome == _OPEN),
        "lost": leaves & (after.outcome == _LOST),
        "won": leaves & (after.outcome == _WON),
        "moved_out": leaves & (after.outcome == 0),
    }
    value = np.where(after.is_known, after.amount, np.where(starts, before.amount, 0))
    unknown = ~(after.is_known | (starts & before.is_known))
    parts = [_rows("start", starts, before.amount, ~before.is_known, deals=1)]
    parts += [_rows(step, mask, value, unknown, deals=1) for step, mask in comes.items()]
    parts += [_rows(step, mask, -value, unknown, deals=-1) for step, mask in goes.items()]
    parts += _changes(before, after, starts, ends)
    if window is None:
        parts += _postponed(before, after, starts & ends)
    parts.append(_rows("end", ends, after.amount, ~after.is_known, deals=1))
    rows = _Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return pd.DataFrame(rows._replace(deal_number=numbers[rows.deal_number])._asdict())


def _is_in(deals: States, window: Period | None) -> np.ndarray:
    """Return which deals are in the pipeline."""
    inside: np.ndarray = (deals.outcome == _OPEN) & _within(deals.close_on, window)
    return inside


def _within(days: np.ndarray, window: Period | None) -> np.ndarray:
    if window is None:
        return np.ones(len(days), bool)
    first, last = (np.datetime64(day, "D") for day in window)
    inside: np.ndarray = (days >= first) & (days <= last)
    return inside


class _Rows(NamedTuple):
    """The columns of `transitions`."""

    deal_number: np.ndarray
    step: np.ndarray
    deals: np.ndarray
    amount: np.ndarray
    is_unknown: np.ndarray


def _changes(before: States, after: States, starts: np.ndarray, ends: np.ndarray) -> list[_Rows]:
    """Return what the value of deals changed that were there at the beginning and are seen at the end."""
    stays, difference = starts & (after.outcome > 0), after.amount - before.amount
    is_known = before.is_known & after.is_known
    nobody = np.zeros(len(starts), bool)
    return [
        _rows("increased", stays & is_known & (difference > 0), difference, nobody),
        _rows("decreased", stays & is_known & (difference < 0), difference, nobody),
        _rows("value_known", stays & ~before.is_known & after.is_known, after.amount, nobody),
        _rows("value_unknown", starts & ends & before.is_known & ~after.is_known, -before.amount, nobody),
    ]


def _postponed(before: States, after: States, stays: np.ndarray) -> list[_Rows]:
    nothing, nobody = np.zeros(len(stays), np.int64), np.zeros(len(stays), bool)
    return [
        _rows("pulled_in", stays & (after.close_on < before.close_on), nothing, nobody),
        _rows("pushed_out", stays & (after.close_on > before.close_on), nothing, nobody),
    ]


def _rows(step: str, mask: np.ndarray, amount: np.ndarray, is_unknown: np.ndarray, *, deals: int = 0) -> _Rows:
    at = np.flatnonzero(mask)
    return _Rows(at, np.full(len(at), STEPS.index(step)), np.full(len(at), deals), amount[at], is_unknown[at])


def waterfall_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per STEPS: see tables.waterfall. rows: of `transitions`.

    >>> rows = pd.DataFrame({"step": [0, 1, 14], "deals": [1, 1, 1], "amount": [5, 10_000, 10_000], "is_unknown": [False, False, True]})
    >>> waterfall_rows(rows).query("behind > 0")[["step", "deals", "value", "unknown"]].to_numpy().tolist()
    [['start', 1, 0.0005, 0], ['created', 1, 1.0, 0], ['end', 1, nan, 1]]
    """
    grouped = rows.groupby("step")
    sums = grouped[["deals", "amount"]].sum()
    counts = pd.DataFrame({"behind": grouped.size(), "unknown": grouped["is_unknown"].sum()})
    found = pd.concat([sums, counts], axis=1).reindex(range(len(STEPS)), fill_value=0).astype(np.int64)
    is_silent = (found["unknown"] == found["behind"]) & (found["behind"] > 0)
    value = (found["amount"] / AMOUNT_UNIT).where(~is_silent)
    made = pd.DataFrame({"step": STEPS, "is_total": [step in TOTALS for step in STEPS], "deals": found["deals"], "value": value})
    start = value.iloc[0]
    share = value / start if start > 0 else value * np.nan
    return made.assign(behind=found["behind"], unknown=found["unknown"], share_of_start=share).reset_index(drop=True)


def period_rows(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return one row per period: see tables.period_changes. rows: the table waterfall_by_period. measure: 'value' or 'deals'."""
    keys = ["bucket_on", "ends_on", "is_unfinished"]
    wide = rows.set_index([*keys, "step"])[measure].unstack("step").reindex(columns=list(STEPS))
    for name, steps in (("in", ADDITIONS), ("out", REDUCTIONS)):
        wide[name] = wide[list(steps)].sum(axis=1)
    named = wide[["start", "created", "in", "won", "lost", "out", "end"]].rename_axis(columns=None).reset_index()
    named.insert(0, "measure", measure)
    return named


def of_measure(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of tables.period_changes of one measure."""
    return rows[rows["measure"] == measure].reset_index(drop=True)
