"""Which activities come before a deal moves on: moves a day in the days after an activity, against other days."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.pipeline.deals.query import OPEN, WON
from crm_metrics.pipeline.winning.counts import ALPHA, Z
from crm_metrics.randomised_test.sums import holm

ACTIVE_DAYS = 14  # after an activity; what is done on the very day of a move may be the move itself, so that day is not among them
LEAST_MOVES = 10  # on either side: with fewer no ratio is read
STAY_DAYS = (0, 1, 2, 3, 5, 7, 9, 11, 14, 17, 21, 28, 42, 70)
"""Days in a stage are compared with days that lie as far from its beginning: a deal just entered neither moves nor has been visited."""
_COUNTED = ["active_moves", "active_days", "other_moves", "other_days"]
_DEAL_SPAN = 1_000_000  # days; keeps deals apart where a deal and a day are one number

Integers = npt.NDArray[np.int64]

NEEDED = ("deal_number", "changed_on", "stage", "stage_order", "outcome")  # of pipeline.deals.query.change_rows

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def spells(changes: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """Return one row per stay of a deal in an open stage: deal_number, stage, stage_order, entered_on, left_on (today where it is still
    there), is_move (it was left for a later stage or a win).

    changes: NEEDED. Changes of value, date or owner alone end no stay; neither does a stay of no day count.
    """
    stage, names = pd.factorize(changes["stage"])
    is_open, is_won = ((changes["outcome"] == outcome).to_numpy(dtype=bool) for outcome in (OPEN, WON))
    deal, state = changes["deal_number"].to_numpy(), stage * 4 + is_open * 2 + is_won
    known = np.flatnonzero((stage >= 0) | ~is_open)
    is_new = np.ones(len(known), dtype=bool)
    is_new[1:] = (np.diff(deal[known]) != 0) | (np.diff(state[known]) != 0)
    at = known[is_new]
    after, follows = at[1:], np.zeros(len(at), dtype=bool)  # the last of all is followed by none
    follows[:-1] = deal[after] == deal[at[:-1]]
    day, order = _day_number(changes["changed_on"]), changes["stage_order"].to_numpy(dtype=float, na_value=np.nan)
    is_move = follows.copy()
    is_move[:-1] &= is_won[after] | (is_open[after] & (order[after] > order[at[:-1]]))
    left = np.full(len(at), _day_number([today])[0])
    left[:-1] = np.where(follows[:-1], day[after], left[:-1])
    made = pd.DataFrame(
        {
            "deal_number": deal[at],
            "stage": pd.Categorical.from_codes(stage[at], names),
            "stage_order": order[at],
            "entered_on": day[at].astype("datetime64[D]"),
            "left_on": left.astype("datetime64[D]"),
            "is_move": is_move,
        }
    )
    return made[is_open[at] & (left > day[at])].reset_index(drop=True)


def _day_number(days: Any) -> Integers:
    return np.asarray(days, dtype="datetime64[D]").astype(np.int64)


def rates(stays: pd.DataFrame, activities: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind of activity and stage, and over all stages (stage ""), by kind: activity_kind, stage, stage_order,
    active_moves, active_days (deal-days within ACTIVE_DAYS after one of this kind), active_rate (moves a deal-day), other_moves,
    other_days, other_rate, rate_ratio, low, high (95 %), p_adjusted (Holm over the kinds, all stages), is_different.

    The ratio is Mantel and Haenszel's over stage and days in it (STAY_DAYS), with the variance of Greenland and Robins (1985), Biometrics
    41, 55-68: days are compared with others of the same stage that lie as far from its beginning.
    """
    stages = stays[["stage", "stage_order"]].drop_duplicates().sort_values(["stage_order", "stage"], ignore_index=True)
    kind, kinds = pd.factorize(activities["activity_kind"], sort=True)
    counted = _counted(stays, activities, kind, len(kinds)) if len(stays) else []
    rows = [_of_kind(each, stages, str(name)) for each, name in zip(counted, kinds, strict=len(counted) > 0)]
    made = (
        pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["activity_kind", "stage", "stage_order", *_COUNTED, *_RATIO])
    )
    made["active_rate"] = _share(made["active_moves"], made["active_days"])
    made["other_rate"] = _share(made["other_moves"], made["other_days"])
    overall = made["stage"] == ""
    z = np.log(made["rate_ratio"].astype(float)) / ((np.log(made["high"].astype(float)) - np.log(made["low"].astype(float))) / (2 * Z))
    p_value = np.array([math.erfc(abs(each) / math.sqrt(2)) if is_one else math.nan for each, is_one in zip(z, overall, strict=True)])
    made["p_adjusted"] = holm(p_value)
    return made.assign(is_different=made["p_adjusted"] < ALPHA)[_COLUMNS]


_RATIO = ["rate_ratio", "low", "high"]
_ACTIVE, _OTHER = ["active_moves", "active_days", "active_rate"], ["other_moves", "other_days", "other_rate"]
_COLUMNS = ["activity_kind", "stage", "stage_order", *_ACTIVE, *_OTHER, *_RATIO, "p_adjusted", "is_different"]


def _share(part: Any, whole: Any) -> Any:
    return part.astype(float) / whole.where(whole > 0).astype(float)


def _of_kind(counted: pd.DataFrame, stages: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the rows of one kind of activity. counted: _COUNTED by stage and since; stages: stage, stage_order."""
    parts = [(name, order, counted[counted["stage"] == name]) for name, order in stages.itertuples(index=False, name=None)]
    rows = [
        {"stage": name, "stage_order": order, **part[_COUNTED].sum(), **_ratio(part)}
        for name, order, part in [("", np.nan, counted), *parts]
    ]
    return pd.DataFrame(rows).assign(activity_kind=kind)


def _ratio(strata: pd.DataFrame) -> dict[str, float]:
    active, active_days, other, other_days = (strata[name].to_numpy(dtype=float) for name in _COUNTED)
    days = active_days + other_days
    if min(active.sum(), other.sum()) < LEAST_MOVES:
        return dict.fromkeys(_RATIO, math.nan)
    upper, lower = (active * other_days / days).sum(), (other * active_days / days).sum()
    if not upper or not lower:
        return dict.fromkeys(_RATIO, math.nan)
    spread = math.sqrt(((active + other) * active_days * other_days / days**2).sum() / (upper * lower))
    found = upper / lower
    return {"rate_ratio": found, "low": found * math.exp(-Z * spread), "high": found * math.exp(Z * spread)}


# ── statistic: deal-days and moves ──────────────────────────────────────────────────────────────────────────────────────


def _counted(stays: pd.DataFrame, activities: pd.DataFrame, kind: Integers, kinds: int) -> list[pd.DataFrame]:
    """Return for each kind of activity one row per stage and piece of a stay (STAY_DAYS) that has days: stage, since, _COUNTED.

    stays: see spells. activities: by deal_number, kind and happened_on. A day within ACTIVE_DAYS after several of a kind counts once.
    """
    stage: Integers = np.asarray(stays["stage"].cat.codes, dtype=np.int64)
    names = stays["stage"].cat.categories
    is_move, deal = stays["is_move"].to_numpy(dtype=bool), stays["deal_number"].to_numpy(dtype=np.int64) * _DEAL_SPAN
    entered, left = (deal + _day_number(stays[name]) for name in ("entered_on", "left_on"))
    began, ended = _active_days(activities, kind)
    first, beyond = np.searchsorted(left, began, side="right"), np.searchsorted(entered, ended, side="left")
    times = np.maximum(beyond - first, 0)
    spell: Integers = np.repeat(first - np.cumsum(times) + times, times) + np.arange(times.sum())  # each stay that the active days touch
    window: Integers = np.repeat(np.arange(len(times)), times)
    begins, ends = np.maximum(began[window], entered[spell]) - entered[spell], np.minimum(ended[window], left[spell]) - entered[spell]
    cell, is_last = kind[window] * len(names) + stage[spell], is_move[spell] & (ended[window] >= left[spell])
    days, moves = _days(stage, np.zeros_like(left), left - entered, len(names)), _moves(stage, left - entered, is_move, len(names))
    active_days = _days(cell, begins, ends, kinds * len(names)).reshape(kinds, *days.shape)
    active_moves = _moves(cell, ends, is_last, kinds * len(names)).reshape(kinds, *days.shape)
    at, since = np.nonzero(days)
    return [
        pd.DataFrame({"stage": names[at], "since": since, **dict(zip(_COUNTED, (each[at, since] for each in four), strict=True))})
        for four in ((m, d, moves - m, days - d) for m, d in zip(active_moves, active_days, strict=True))
    ]


def _active_days(activities: pd.DataFrame, kind: Integers) -> tuple[Integers, Integers]:
    """Return the days after which an activity makes active and the last that it does, as deal and day in one number, each day once."""
    deal, day = activities["deal_number"].to_numpy(dtype=np.int64), _day_number(activities["happened_on"])
    lasts = np.full(len(day), ACTIVE_DAYS)
    is_same = (deal[1:] == deal[:-1]) & (kind[1:] == kind[:-1])
    lasts[:-1] = np.where(is_same, np.minimum(np.diff(day), ACTIVE_DAYS), ACTIVE_DAYS)
    began = deal * _DEAL_SPAN + day
    return began, began + lasts


def _days(cell: Integers, begins: Integers, ends: Integers, cells: int) -> Integers:
    """Return how many days of stays lie in each cell (row) and piece of a stay (column). begins, ends: days since a stay's beginning."""
    last, first = STAY_DAYS[-1], list(STAY_DAYS[:-1])
    began, ended = (np.bincount(cell * (last + 1) + np.minimum(day, last), minlength=cells * (last + 1)) for day in (begins, ends))
    there = np.cumsum((began - ended).reshape(cells, last + 1), axis=1)[:, :last]
    early = np.add.reduceat(there, first, axis=1)
    every = np.bincount(cell, weights=ends - begins, minlength=cells).astype(np.int64)
    return np.column_stack([early, every - early.sum(axis=1)])


def _moves(cell: Integers, days: Integers, is_move: npt.NDArray[np.bool_], cells: int) -> Integers:
    """Return how many stays end with a move in each cell (row) and piece of a stay (column). days: since the stay's beginning."""
    piece = np.searchsorted(STAY_DAYS, days[is_move], side="left") - 1
    return np.bincount(cell[is_move] * len(STAY_DAYS) + piece, minlength=cells * len(STAY_DAYS)).reshape(cells, len(STAY_DAYS))
