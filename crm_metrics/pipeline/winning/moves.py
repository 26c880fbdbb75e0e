"""Which activities come before a deal moves on: moves a day in the days after an activity, against other days."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.pipeline.deals.query import OPEN, WON
from crm_metrics.pipeline.winning.counts import ALPHA, Z
from crm_metrics.pipeline.winning.landmarks import DEAL_SPAN, day_numbers
from crm_metrics.randomised_test.sums import holm

ACTIVE_DAYS = 14  # after an activity; what is done on the very day of a move may be the move itself, so that day is not among them
LEAST_MOVES = 10  # on either side: with fewer no ratio is read
STAY_DAYS = (0, 1, 2, 3, 5, 7, 9, 11, 14, 17, 21, 28, 42, 70)
"""Days in a stage are compared with days that lie as far from its beginning: a deal just entered neither moves nor has been visited."""
_COUNTED = ["active_moves", "active_days", "other_moves", "other_days"]

Integers = npt.NDArray[np.int64]

NEEDED = ("deal_number", "changed_on", "stage", "stage_order", "outcome")  # of pipeline.deals.query.change_rows

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def spells(changes: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """Return one row per stay of a deal in an open stage: deal_number, stage, stage_order, entered_on, left_on (today where it is still
    there), is_move (it was left for a later stage or a win).

    changes: NEEDED. Changes of value, date or owner alone end no stay; neither does a stay of no day count.
    """
    known = changes[changes["stage"].notna() | (changes["outcome"] != OPEN)]
    deal, stage, outcome = (known[name].to_numpy() for name in ("deal_number", "stage", "outcome"))
    is_new = np.ones(len(known), dtype=bool)
    is_new[1:] = (deal[1:] != deal[:-1]) | (stage[1:] != stage[:-1]) | (outcome[1:] != outcome[:-1])
    told = known[is_new].reset_index(drop=True)
    follows = (told["deal_number"].shift(-1) == told["deal_number"]).to_numpy()
    next_order, next_outcome = told["stage_order"].shift(-1), told["outcome"].shift(-1)
    is_forward = (next_outcome == WON) | ((next_outcome == OPEN) & (next_order > told["stage_order"]))
    made = told[["deal_number", "stage", "stage_order"]].assign(
        entered_on=told["changed_on"], left_on=told["changed_on"].shift(-1).where(follows, today), is_move=is_forward.to_numpy() & follows
    )
    return made[(told["outcome"] == OPEN) & told["stage"].notna() & (made["left_on"] > made["entered_on"])].reset_index(drop=True)


def _pieces(stays: pd.DataFrame) -> pd.DataFrame:
    """Return the stays cut at STAY_DAYS, with since (place of the piece); only the last piece of a stay ends in its move."""
    pieces = []
    for place, first in enumerate(STAY_DAYS):
        begins = stays["entered_on"] + pd.Timedelta(days=first)
        ends = stays["entered_on"] + pd.Timedelta(days=STAY_DAYS[place + 1]) if place + 1 < len(STAY_DAYS) else stays["left_on"]
        left = stays["left_on"].where(stays["left_on"] < ends, ends)
        is_move = stays["is_move"] & (left == stays["left_on"])
        pieces.append(stays.assign(entered_on=begins, left_on=left, is_move=is_move, since=place)[begins < stays["left_on"]])
    return pd.concat(pieces, ignore_index=True)


def rates(stays: pd.DataFrame, activities: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind of activity and stage, and over all stages (stage ""), by kind: activity_kind, stage, stage_order,
    active_moves, active_days (deal-days within ACTIVE_DAYS after one of this kind), active_rate (moves a deal-day), other_moves,
    other_days, other_rate, rate_ratio, low, high (95 %), p_adjusted (Holm over the kinds, all stages), is_different.

    The ratio is Mantel and Haenszel's over stage and days in it (STAY_DAYS), with the variance of Greenland and Robins (1985), Biometrics
    41, 55-68: days are compared with others of the same stage that lie as far from its beginning.
    """
    pieces = _pieces(stays)
    grouped = pieces.groupby(["stage_order", "stage", "since"], dropna=False)
    strata = grouped.size().index.to_frame(index=False)
    pieces["stratum"] = grouped.ngroup()  # once for all kinds: to group by texts takes as long as all the rest
    rows = [_of_kind(pieces, of_kind, strata, str(kind)) for kind, of_kind in activities.groupby("activity_kind", sort=True)]
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


def _of_kind(pieces: pd.DataFrame, activities: pd.DataFrame, strata: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the rows of one kind of activity. strata: stage_order, stage, since; pieces: with the place of their stratum."""
    exposure = _Exposure(activities)
    entered, left, deal = (pieces[name].to_numpy() for name in ("entered_on", "left_on", "deal_number"))
    moved = np.flatnonzero(pieces["is_move"].to_numpy(dtype=bool))
    is_active = exposure.is_active(deal[moved], left[moved])
    stratum, active = pieces["stratum"].to_numpy(), exposure.until(deal, left) - exposure.until(deal, entered)
    days = (left.astype("datetime64[D]") - entered.astype("datetime64[D]")).astype(np.int64)
    each = ((stratum[moved], is_active), (stratum, active), (stratum[moved], ~is_active), (stratum, days - active))
    sums = {
        name: np.bincount(places, weights=values, minlength=len(strata)).astype(np.int64)
        for name, (places, values) in zip(_COUNTED, each, strict=True)
    }
    counted = strata.assign(**sums)
    stages = [(stage, order, part) for (order, stage), part in counted.groupby(["stage_order", "stage"], dropna=False)]
    rows = [
        {"stage": stage, "stage_order": order, **part[_COUNTED].sum(), **_ratio(part)}
        for stage, order, part in [("", np.nan, counted), *stages]
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


class _Exposure:
    """The days within ACTIVE_DAYS after an activity, of each deal, without counting a day twice. activities: of one kind."""

    def __init__(self, activities: pd.DataFrame) -> None:
        ordered = activities.drop_duplicates(["deal_number", "happened_on"]).sort_values(["deal_number", "happened_on"], kind="stable")
        self.keys = day_numbers(ordered["deal_number"].to_numpy(), ordered["happened_on"].to_numpy())
        lasts = np.full(len(self.keys), ACTIVE_DAYS)
        lasts[:-1] = np.minimum(np.diff(self.keys), ACTIVE_DAYS)  # of another deal it is far more
        self.sums = np.concatenate([[0], np.cumsum(lasts)])

    def _last_before(self, deal: Integers, day: Any) -> tuple[Integers, Integers]:
        """Return how many activities of all deals lie before each day, and the days since the deal's last; a day is none of its own."""
        key = day_numbers(deal, day)
        place = np.searchsorted(self.keys, key, side="left")
        last = np.concatenate([[-DEAL_SPAN * 10], self.keys])[place]
        return place, key - last

    def until(self, deal: Integers, day: Any) -> Integers:
        """Return the active days of all deals before this one, and of this one up to each day."""
        place, since = self._last_before(deal, day)
        return np.where(place > 0, self.sums[np.maximum(place - 1, 0)] + np.minimum(since, ACTIVE_DAYS), 0)

    def is_active(self, deal: Integers, day: Any) -> npt.NDArray[np.bool_]:
        """Return whether each day is an active one of its deal."""
        return self._last_before(deal, day)[1] <= ACTIVE_DAYS
