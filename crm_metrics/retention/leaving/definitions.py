"""What it is to have left, for customers without a contract: three definitions side by side, on the same customers and days."""

import math
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import wilson
from crm_metrics.metric import BadInput

Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
YEAR_DAYS = 365
ALIVE_FROM = 0.5  # as Dynamics 365 puts the customers who are likely to stay on one side
RHYTHM, ALIVE, WINDOW, CONTRACT = "own_rhythm", "p_alive", "no_order", "contract"


@dataclass(frozen=True)
class ChurnTerms:
    """What the reader sets. window_days: without an order, to count as gone; late_from: share of the expected intervals, 0 to 1.

    The usual window is a vendor's choice: Emarsys calls a customer inactive after 365 days, Dynamics 365 has the reader set the days.
    """

    window_days: int = 365
    late_from: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what is no window or no share."""
        if self.window_days < 1 or not 0 < self.late_from < 1:
            raise BadInput(
                "A window of {days} days and a share of {share} were chosen. Choose at least 1 day, and a share between 0 and 1.",
                days=self.window_days,
                share=self.late_from,
            )

    @classmethod
    def of_percent(cls, window_days: int, late_percent: float) -> "ChurnTerms":
        """Return the terms with the share in percent, as a reader types it."""
        return cls(int(window_days), late_percent / 100)


USUAL = ChurnTerms()


class Standing(NamedTuple):
    """Where each customer stood on a day; arrays of one length. purchase_days: 0 before the first; the others are NaN then."""

    purchase_days: Floats
    span_days: Floats
    silent_days: Floats
    age_days: Floats


class Judgement(NamedTuple):
    """What a definition says of each customer. state: 'known', or why it says nothing; active_then, lost_now: at the start, at the end."""

    state: str
    active_then: Booleans
    lost_now: Booleans


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def standing(rhythms: pd.DataFrame, day: date, *, then: bool = False) -> Standing:
    """Return where each customer stood on `day`. rhythms: see query.rhythms; then: its columns that say how it was on `since`."""
    suffix = "_then" if then else ""
    first, last = (rhythms[name].to_numpy(dtype="datetime64[D]") for name in ("first_on", f"last_on{suffix}"))
    now = np.datetime64(day, "D")
    counted = rhythms[f"purchase_days{suffix}"].to_numpy(dtype=float)
    return Standing(counted, _days(last - first), _days(now - last), np.where(counted > 0, _days(now - first), np.nan))


def _days(apart: Any) -> Floats:
    return np.where(np.isnat(apart), np.nan, apart.astype(np.float64))


def rate_row(
    definition: str, state: str, days: tuple[date, date], *, counts: tuple[int, int], lost: tuple[float, float]
) -> dict[str, object]:
    """Return a row of tables.churn_definitions. counts: at the start, and how many of them are lost; lost: today, of how many."""
    customers, churned = counts
    is_known = state == "known" and customers > 0
    bounds = wilson(churned, customers) if is_known else (math.nan, math.nan)
    return {
        "definition": definition,
        "state": "no_history" if state == "known" and not customers else state,
        "since": days[0],
        "until": days[1],
        "customers": customers if state == "known" else math.nan,
        "churned": churned if is_known else math.nan,
        "rate": churned / customers if is_known else math.nan,
        "low": bounds[0],
        "high": bounds[1],
        "lost_today": lost[0] if state == "known" else math.nan,
        "customers_today": lost[1] if state == "known" else math.nan,
    }


def agreement_rows(judgements: dict[str, Judgement], chosen: Booleans) -> pd.DataFrame:
    """Return one row per pair of definitions: see tables.churn_agreement."""
    known = [(name, said) for name, said in judgements.items() if said.state == "known"]
    rows = []
    for (first, one), (second, other) in combinations(known, 2):
        held = chosen & one.active_then & other.active_then
        both, either = (held & one.lost_now & other.lost_now).sum(), (held & (one.lost_now | other.lost_now)).sum()
        only_first = (held & one.lost_now & ~other.lost_now).sum()
        customers = int(held.sum())
        agreed = customers - int(either) + int(both)
        rows.append(
            (first, second, customers, int(both), int(only_first), int(either - both - only_first), customers - int(either), agreed)
        )
    columns = ["first", "second", "customers", "lost_by_both", "lost_by_first", "lost_by_second", "lost_by_neither", "agreed"]
    found = pd.DataFrame(rows, columns=columns)
    return found.assign(agreed_share=found["agreed"] / found["customers"].where(found["customers"] > 0)).drop(columns="agreed")
