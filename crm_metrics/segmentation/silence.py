"""How long may a customer be silent before the silence means that nobody comes back? From the days between purchases.

Counting only gaps that ended makes the limit too short: who is silent now is in a gap, too, that may become a long one. So gaps are
followed through a window of time (Kaplan and Meier 1958): one that began before it is at risk from the age that it had by then
(delayed entry; Klein and Moeschberger 2003, Survival Analysis, section 4.6), and one that is still open counts for as long as it lasts.

One rule makes both limits: the silence by which nine of ten, and 99 of 100, of the returns have come that come within two years. It needs
no guess of how many customers are lost for good, and it exists on any data with a few gaps. (A chance of return that falls under 10% a
year does not: on none of the data sets looked at does it fall so low, so what is left of it is said beside the limit.) Every gap counts
alike, so customers who buy often weigh more.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.purchase_model.groups import Floats, Integers

WINDOW_MONTHS = 24
DEFECTING, INACTIVE = 0.9, 0.99  # of the returns within HORIZON_DAYS
HORIZON_DAYS = 730  # later returns are not waited for
YEAR_DAYS = 365
GAPS_NEEDED = 100  # that ended, to say anything
LARGEST_STEP = 0.01  # of the curve at one return; where so few are followed that it would be more, the curve ends
DRAWS, SEED = 400, 1
_PERCENT_95 = (0.025, 0.975)
_WIDTHS = (1, 7, 14, 28, 56, 112, 224)
_MOST_BARS = 60


class Lengths(NamedTuple):
    """Gaps by days, arrays whose place is the number of days. ended: gaps that long; silent: still open, that long by now; entered: of
    both, how old they were when the window began (those that began within it stand at 0).
    """

    ended: Integers
    silent: Integers
    entered: Integers


def lengths(gaps: pd.DataFrame, silent_days: Integers, *, window_days: int) -> Lengths:
    """Return the gaps by days. gaps: days, ended, entered; silent_days: of each customer, since the last purchase.

    >>> gaps = pd.DataFrame({"days": [1, 3], "ended": [2, 1], "entered": [1, 0]})
    >>> lengths(gaps, np.array([5]), window_days=4).entered.tolist()
    [2, 2, 0, 0, 0, 0]
    """
    days = gaps["days"].to_numpy(dtype=np.int64)
    size = int(max(days.max(initial=0), silent_days.max(initial=0))) + 1
    ended, entered = (np.bincount(days, weights=gaps[name].to_numpy(dtype=float), minlength=size) for name in ("ended", "entered"))
    entered[0] = ended.sum() - entered.sum()
    entered += np.bincount(np.maximum(silent_days - window_days, 0), minlength=size)
    return Lengths(ended.astype(np.int64), np.bincount(silent_days, minlength=size), entered.astype(np.int64))


class LifeTable(NamedTuple):
    """One value per day of silence, from day 1. at_risk: gaps that reach the day; ended: of them on it; silent: share not back by its end.

    reach: the last day on which a return moves the curve by no more than LARGEST_STEP.
    """

    at_risk: Floats
    ended: Floats
    silent: Floats
    reach: int


def life_table(found: Lengths) -> LifeTable:
    """Return how many gaps are followed on each day of silence, and the Kaplan-Meier share of those that go on.

    >>> life_table(Lengths(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 0]), np.array([3, 0, 0, 0]))).silent.round(3).tolist()
    [0.667, 0.667, 0.0]
    """
    at_risk = np.cumsum(found.entered - found.ended - found.silent)[:-1].astype(float)
    ended = found.ended[1:].astype(float)
    silent = _silent(at_risk, ended)
    too_few = np.flatnonzero(np.append(1.0, silent[:-1]) > LARGEST_STEP * at_risk)
    return LifeTable(at_risk, ended, silent, int(too_few[0]) if len(too_few) else len(at_risk))


def _silent(at_risk: Floats, ended: Floats) -> Floats:
    """Return the share still silent after each day, along the last axis."""
    return np.asarray(np.cumprod(1 - ended / np.maximum(at_risk, 1), axis=-1), dtype=float)


# ── the limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def limits(found: Lengths, table: LifeTable) -> dict[str, float]:
    """Return the limits in days, and what they stand on; NaN where the data can't tell.

    recommended_days (that of DEFECTING), recommended_low, recommended_high (95%), defecting_days, inactive_days (unknown where gaps are
    not followed for HORIZON_DAYS or until all but LARGEST_STEP are back), naive_days (DEFECTING of the gaps that ended),
    median_gap_days (of those), horizon_days (returns up to then count), return_chance and inactive_return_chance (of a return within
    a year after the limit), gaps, silent (still open).
    The interval draws the returns of each day anew from those at risk: gaps count as independent of each other.
    """
    gaps, horizon = int(found.ended.sum()), min(HORIZON_DAYS, table.reach)
    silent = table.silent[:horizon]
    known = gaps >= GAPS_NEEDED and horizon > 0 and silent[-1] < 1
    is_complete = known and (horizon == HORIZON_DAYS or silent[-1] <= LARGEST_STEP)
    limit = float(_limit(silent, DEFECTING)) if known else math.nan
    inactive = float(_limit(silent, INACTIVE)) if is_complete else math.nan
    low, high = _interval(table, horizon) if known else (math.nan, math.nan)
    return {
        "recommended_days": limit,
        "recommended_low": low,
        "recommended_high": high,
        "defecting_days": limit,
        "inactive_days": inactive,
        "naive_days": _gap_quantile(found.ended, DEFECTING),
        "median_gap_days": _gap_quantile(found.ended, 0.5),
        "horizon_days": horizon,
        "return_chance": return_chance(table, limit),
        "inactive_return_chance": return_chance(table, inactive),
        "gaps": gaps,
        "silent": int(found.silent.sum()),
    }


def return_chance(table: LifeTable, days: float) -> float:
    """Return the chance of a return within a year after a silence of so many days; NaN where the data do not reach that far."""
    if not days + YEAR_DAYS <= table.reach:  # unknown days are not, either
        return math.nan
    silent = np.concatenate([[1.0], table.silent])
    return float(1 - silent[int(days) + YEAR_DAYS] / silent[int(days)]) if silent[int(days)] else math.nan


def _limit(silent: Floats, part: float) -> Floats:
    """Return the first day by which that part of the returns have come, along the last axis; NaN where nobody returns."""
    returned = 1 - silent
    day = np.argmax(returned >= part * returned[..., -1:], axis=-1) + 1.0
    return np.where(returned[..., -1] > 0, day, np.nan)


def _interval(table: LifeTable, horizon: int) -> tuple[float, float]:
    at_risk = np.maximum(table.at_risk[:horizon], 1)
    draws = np.random.default_rng(SEED).binomial(at_risk.astype(np.int64), table.ended[:horizon] / at_risk, size=(DRAWS, horizon))
    low, high = np.nanquantile(_limit(_silent(at_risk, draws.astype(float)), DEFECTING), _PERCENT_95, method="inverted_cdf").tolist()
    return low, high


def _gap_quantile(ended: Integers, share: float) -> float:
    """Return the smallest number of days with at least that share of the gaps at or below it; NaN without gaps."""
    up_to = np.cumsum(ended)
    return float(np.searchsorted(up_to, share * up_to[-1])) if up_to[-1] else math.nan


# ── the distribution ────────────────────────────────────────────────────────────────────────────────────────────────────


def gap_bars(found: Lengths, table: LifeTable) -> pd.DataFrame:
    """Return the gaps that ended, in bars of equal width; the last one holds all that are longer than 99 in 100.

    days_from, days_to (both counted), gaps, gaps_share, cumulative_share (of gaps that ended), returned_share (Kaplan-Meier: of all,
    back by days_to; NaN beyond the table's reach).
    """
    columns = ["days_from", "days_to", "gaps", "gaps_share", "cumulative_share", "returned_share"]
    total = int(found.ended.sum())
    if not total:
        return pd.DataFrame(columns=columns, dtype=float)
    longest, most = int(np.flatnonzero(found.ended)[-1]), _gap_quantile(found.ended, 0.99)
    width = next((each for each in _WIDTHS if most / each <= _MOST_BARS), _WIDTHS[-1])
    starts = np.arange(1, int(most) + 1, width)
    ends = np.append(starts[1:] - 1, longest)
    up_to = np.cumsum(found.ended)
    gaps = np.diff(up_to[ends], prepend=0)
    returned = np.where(ends <= table.reach, 1 - table.silent[ends - 1], np.nan)
    shares = {"gaps_share": gaps / total, "cumulative_share": up_to[ends] / total, "returned_share": returned}
    return pd.DataFrame({"days_from": starts, "days_to": ends, "gaps": gaps, **shares})[columns]
