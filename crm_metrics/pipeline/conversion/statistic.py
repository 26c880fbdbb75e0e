"""Shares by age, times in stages, and which deals have stalled: Aalen-Johansen and Kaplan-Meier over counts."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.pipeline.conversion.terms import AGES, STALLED_SHARE
from crm_metrics.pipeline.deals.told import LOST, NO_STAGE, OPEN, Told
from crm_metrics.survival.aalen_johansen import aalen_johansen, at, mean_time, time_to
from crm_metrics.survival.kaplan_meier import kaplan_meier, quantile

Key = tuple[Any, Any]  # of a cohort, and its name
WON_LOST = ("won", "lost")
CONVERTED = ("converted",)
LEFT = ("passed", "lost", "back")
_AGED = ["cohort", "cohort_name", "age_days", "is_end", "cases", "ended", "share", "low", "high", "open_share", "at_risk", "naive_share"]

# ── cohorts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cohorts(counts: pd.DataFrame, endings: Sequence[str], *, is_of_periods: bool) -> pd.DataFrame:
    """Return one row per cohort and age, periods in their order, groups the largest first.

    counts: query.deal_endings or lead_endings. cohort (empty: unknown), cohort_name, age_days (one of AGES, or the days that the cohort's
    longest was followed), is_end (it is that), cases (all of the cohort), ended (in the first way, by that age so far), share (that ended
    so by that age: Aalen-Johansen), low, high (95%), open_share, at_risk (reached the age), naive_share (ended / cases), is_unfinished
    (some open ones are younger than the age), is_small (fewer than FEW_CUSTOMERS cases), and X_share of each other ending.
    """
    parts = [_by_age(part, endings).assign(cohort=key[0], cohort_name=key[1]) for key, part in split(counts, is_of_periods=is_of_periods)]
    others = [f"{ending}_share" for ending in endings[1:]]
    names = [*_AGED[:9], *others, *_AGED[9:], "is_unfinished", "is_small"]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def split(counts: pd.DataFrame, *, is_of_periods: bool) -> list[tuple[Key, pd.DataFrame]]:
    """Return the rows of each cohort: its key and name, and the rows; periods in their order, groups the largest first."""
    parts = list(counts.groupby(["cohort", "cohort_name"], dropna=False, sort=True))
    made: list[tuple[Key, pd.DataFrame]] = [((key, name), part) for (key, name), part in parts]
    return made if is_of_periods else sorted(made, key=lambda one: -_cases(one[1]))


def _cases(part: pd.DataFrame) -> int:
    return int(part.drop(columns=["cohort", "cohort_name", "duration"], errors="ignore").to_numpy().sum())


def _by_age(part: pd.DataFrame, endings: Sequence[str]) -> pd.DataFrame:
    curve = aalen_johansen(part, endings)
    longest = float(curve["duration"].iloc[-1])
    ages = np.array([*AGES, longest])
    rows, cases = at(curve, ages), _cases(part)
    days, ended, still = (part[name].to_numpy(dtype=float) for name in ("duration", endings[0], "censored"))
    so_far = np.array([ended[days <= age].sum() for age in ages])
    younger = np.array([still[days < age].sum() for age in ages])
    first = endings[0]
    return rows.rename(
        columns={f"{first}_share": "share", f"{first}_low": "low", f"{first}_high": "high", "not_ended": "open_share"}
    ).assign(
        age_days=ages.astype(int),
        is_end=np.arange(len(ages)) == len(AGES),
        cases=cases,
        ended=so_far.astype(int),
        naive_share=so_far / cases,
        is_unfinished=younger > 0,
        is_small=cases < FEW_CUSTOMERS,
    )


def curves(counts: pd.DataFrame, endings: Sequence[str], *, is_of_periods: bool) -> pd.DataFrame:
    """Return one row per cohort and day on which any of it ended or was last seen, all cohorts together first (cohort empty, is_all).

    is_all, cohort, cohort_name, cases, age_days, share, low, high (that ended in the first way: Aalen-Johansen), X_share of each other
    ending, open_share, at_risk, known (cases that had ended by the day or were still followed on it), is_unfinished (known is less than
    half of the cases, or than FEW_CUSTOMERS).
    """
    every: list[tuple[Key, pd.DataFrame]] = [((None, None), counts)] if len(counts) else []
    parts = [
        _known(aalen_johansen(part, endings)).assign(is_all=place == 0, cohort=key[0], cohort_name=key[1], cases=_cases(part))
        for place, (key, part) in enumerate([*every, *split(counts, is_of_periods=is_of_periods)])
    ]
    first, others = endings[0], [f"{ending}_share" for ending in endings[1:]]
    names = ["is_all", "cohort", "cohort_name", "cases", "age_days", "share", "low", "high", *others, "open_share", "at_risk", "known",
             "is_unfinished"]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=names)
    renamed = {"duration": "age_days", f"{first}_share": "share", f"{first}_low": "low", f"{first}_high": "high", "not_ended": "open_share"}
    found = pd.concat(parts, ignore_index=True).rename(columns=renamed)
    return found.assign(is_unfinished=found["known"] < np.maximum(found["cases"] / 2, FEW_CUSTOMERS))[names]


def _known(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the curve with how many had ended by the day or were still followed on it."""
    left = curve["censored"].cumsum().shift(fill_value=0)  # seen for the last time before
    return curve.assign(known=curve["at_risk"].iloc[0] - left)


def cycle(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per way to end: how long it takes, of all deals and of the closed ones alone.

    counts: query.deal_endings. ending ('won', 'lost'), deals (that ended so), mean_days, low, high (95%), median_days (open deals counted
    for as long as they were followed: Aalen-Johansen), ended_mean_days, ended_median_days (of those alone that have ended so: too short
    while slow ones are open), share (that ends so, as far as followed), open (deals not ended).
    """
    curve = aalen_johansen(counts, WON_LOST)
    rows = []
    for ending in WON_LOST:
        number = int(counts[ending].sum())
        mean, (low, high) = mean_time(curve, ending, number)
        days = np.repeat(counts["duration"].to_numpy(dtype=float), counts[ending].to_numpy(dtype=int))
        rows.append({
            "ending": ending, "deals": number, "mean_days": mean, "low": low, "high": high, "median_days": time_to(curve, ending),
            "ended_mean_days": float(days.mean()) if len(days) else math.nan,
            "ended_median_days": float(np.median(days)) if len(days) else math.nan,
            "share": float(curve[f"{ending}_share"].iloc[-1]) if len(curve) else math.nan,
            "open": int(counts["censored"].sum()),
        })  # fmt: skip
    return pd.DataFrame(rows)


# ── stages ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def stays(told: Told, stages: pd.DataFrame, today: date, period: tuple[date | None, date | None]) -> pd.DataFrame:
    """Return one row per stage, duration and way to end of stays, those not over one by one.

    told: the changes of the deals. stages: deals.query.stage_rows. period: first and last day; empty: any. A stay begins when a deal enters
    a stage and ends when it moves to another or is closed: a deal that comes back to a stage stays there a second time.

    stage, duration (days until the stay ends, or to today), how ('passed': went on to a later stage, or to one without an order, or was
    won, 'lost', 'back': went back to an earlier stage, 'censored': still there), is_of_period (the deal's first day lies in the period),
    deal_number (of those still there; else empty), stays (how many). Deals without history have none.
    """
    entered = told.only(
        told.is_first | (told.stage != told.before(told.stage, NO_STAGE)) | (told.outcome != told.before(told.outcome, OPEN))
    )
    order = entered.places(dict(zip(stages["stage"], stages["stage_order"].astype(float), strict=True)), math.nan)
    has_next = ~np.append(entered.is_first, True)[1:]
    next_day, next_outcome, next_order = (np.roll(values, -1) for values in (entered.day, entered.outcome, order))
    duration = np.maximum(np.where(has_next, next_day, _day(today)) - entered.day, 0)
    is_back = (next_outcome == OPEN) & (next_order < order)
    how = np.select([~has_next, next_outcome == LOST, is_back], [_HOWS.index(one) for one in ("censored", "lost", "back")])
    first_day = entered.day[entered.is_first][np.cumsum(entered.is_first) - 1]
    since, until = (_day(day) if day else None for day in period)
    is_of_period = (first_day >= (first_day if since is None else since)) & (first_day <= (first_day if until is None else until))
    number = np.where(has_next, 0, entered.deal_number)
    kept = (entered.outcome == OPEN) & (entered.stage != NO_STAGE)
    columns = {"stage": entered.stage, "duration": duration, "how": how, "is_of_period": is_of_period, "deal_number": number}
    return _counted_stays({name: values[kept].astype(np.int64) for name, values in columns.items()}, told.stages)


_HOWS = ("passed", "lost", "back", "censored")


def _day(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


def _counted_stays(columns: dict[str, Any], stages: tuple[str, ...]) -> pd.DataFrame:
    """Return the stays counted, in the order of their columns; see stays."""
    sizes = [int(values.max(initial=0)) + 1 for values in columns.values()]
    key, number = np.unique(np.ravel_multi_index(tuple(columns.values()), sizes), return_counts=True)
    stage, duration, how, is_of_period, deal_number = np.unravel_index(key, sizes)
    rows = pd.DataFrame(
        {"stage": np.array([*stages, ""], dtype=object)[stage], "duration": duration, "how": np.array(_HOWS, dtype=object)[how]}
    )
    waiting_deal = np.where(deal_number > 0, deal_number, np.nan)
    return rows.assign(is_of_period=is_of_period > 0, deal_number=waiting_deal, stays=number)


def stage_counts(stays: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stage and duration: stage, duration, passed, lost, back, censored (stays). stays: see stays."""
    ways = [*LEFT, "censored"]
    counted = stays.pivot_table(index=["stage", "duration"], columns="how", values="stays", aggfunc="sum", fill_value=0)
    return counted.reindex(columns=ways, fill_value=0).astype(int).rename_axis(columns=None).reset_index()


def stage_times(counts: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Return one row per open stage that deals stayed in, in their order.

    counts: see stage_counts. stages: deals.query.stage_rows. stage, stage_name, stage_order, stays, open (stays not over), median_days,
    median_low, median_high, p90_days (until it ends in any way, stays not over counted as long as seen: Kaplan-Meier), passed_share, low,
    high (95%), lost_share, back_share (as far as followed: Aalen-Johansen), passed_mean_days, passed_mean_low, passed_mean_high (days of
    the stays that are passed, censor-correct), ended_mean_days (of the stays alone that are over: too short while slow ones last),
    is_small.
    """
    known = stages.set_index("stage")
    rows = [{"stage": str(stage), **_stage(part)} for stage, part in counts.groupby("stage", sort=True)]
    made = pd.DataFrame(rows, columns=["stage", *_STAGE])
    named = made.assign(
        stage_name=made["stage"].map(known["stage_name"]).astype("str").fillna(made["stage"]),
        stage_order=made["stage"].map(known["stage_order"]),
    )
    columns = ["stage", "stage_name", "stage_order", *_STAGE]
    return named[columns].sort_values(["stage_order", "stage"], ignore_index=True)


_STAGE = ["stays", "open", "median_days", "median_low", "median_high", "p90_days", "passed_share", "low", "high", "lost_share",
          "back_share", "passed_mean_days", "passed_mean_low", "passed_mean_high", "ended_mean_days", "is_small"]  # fmt: skip


def _stage(part: pd.DataFrame) -> dict[str, object]:
    lasting, curve = kaplan_meier(_any_way(part, LEFT)), aalen_johansen(part, LEFT)
    half, last = quantile(lasting), curve.iloc[-1]
    mean, (mean_low, mean_high) = mean_time(curve, "passed", int(part["passed"].sum()))
    over = part[list(LEFT)].sum(axis=1).to_numpy(dtype=float)
    stays = int(over.sum() + part["censored"].sum())
    return {
        "stays": stays, "open": int(part["censored"].sum()),
        "median_days": half.value, "median_low": half.low, "median_high": half.high, "p90_days": quantile(lasting, STALLED_SHARE).value,
        "passed_share": last["passed_share"], "low": last["passed_low"], "high": last["passed_high"],
        "lost_share": last["lost_share"], "back_share": last["back_share"],
        "passed_mean_days": mean, "passed_mean_low": mean_low, "passed_mean_high": mean_high,
        "ended_mean_days": float(np.average(part["duration"], weights=over)) if over.sum() else math.nan, "is_small": stays < FEW_CUSTOMERS,
    }  # fmt: skip


def _any_way(counts: pd.DataFrame, endings: Sequence[str]) -> pd.DataFrame:
    return counts.assign(ended=counts[list(endings)].sum(axis=1))[["duration", "ended", "censored"]]


def stage_curves(counts: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stage and day on which a stay ended or was last seen: stage, stage_name, stage_order, days, at_risk, survival
    (the share of stays that last longer), low, high (Kaplan-Meier, 95%), is_few (fewer than FEW_CUSTOMERS lasted so long).
    """
    names = ["stage", "stage_name", "stage_order", "days", "at_risk", "survival", "low", "high", "is_few"]
    parts = [kaplan_meier(_any_way(part, LEFT)).assign(stage=str(stage)) for stage, part in counts.groupby("stage", sort=True)]
    if not parts:
        return pd.DataFrame(columns=names)
    found = pd.concat(parts, ignore_index=True).rename(columns={"duration": "days"})
    known = stages.set_index("stage")
    named = found.assign(
        stage_name=found["stage"].map(known["stage_name"]).astype("str").fillna(found["stage"]), is_few=found["at_risk"] < FEW_CUSTOMERS
    )
    return named.assign(stage_order=named["stage"].map(known["stage_order"])).sort_values(
        ["stage_order", "stage", "days"], ignore_index=True
    )[names]


class Usual(NamedTuple):
    """Days by which half, and STALLED_SHARE, of deals or stays end in any way; NaN where so many never do."""

    usual_days: float
    limit_days: float


NOTHING_USUAL = Usual(math.nan, math.nan)


def usual_to_close(counts: pd.DataFrame) -> Usual:
    """Return how long deals usually take to be closed in any way (Kaplan-Meier). counts: query.deal_endings."""
    return _usual(_any_way(counts, WON_LOST))


def _usual(counts: pd.DataFrame) -> Usual:
    curve = kaplan_meier(counts)
    return Usual(quantile(curve).value, quantile(curve, STALLED_SHARE).value)


def waiting(deals: pd.DataFrame, stays: pd.DataFrame, closing: Usual, today: pd.Timestamp) -> pd.DataFrame:
    """Return the open deals with how long they have been where they are, and how long is usual.

    deals, stays: query.open_deals, query.stays. closing: see usual_to_close. The columns of open_deals, and basis ('stage': days in the
    present stage; 'creation': since creation, where the day it entered the stage is unknown), days (NaN: neither is known), usual_days,
    limit_days (of the stage, of all deals whenever created; or from creation to closing), is_stalled (days > limit_days).
    """
    counts = stage_counts(stays)
    usual = [(str(stage), *_usual(_any_way(part, LEFT))) for stage, part in counts.groupby("stage", sort=True)]
    allowed = pd.DataFrame(usual, columns=["stage", *Usual._fields]).astype(dict.fromkeys(Usual._fields, float))
    present = stays.loc[stays["deal_number"].notna(), ["deal_number", "duration"]]
    placed = deals.merge(present.astype({"deal_number": deals["deal_number"].dtype}), on="deal_number", how="left")
    placed = placed.merge(allowed, on="stage", how="left")
    in_stage = placed["duration"].notna()
    days = placed["duration"].astype(float).where(in_stage, (today - placed["created_on"]).dt.days)
    among = {name: placed[name].where(in_stage, value) for name, value in closing._asdict().items()}
    found = placed.drop(columns="duration").assign(basis=np.where(in_stage, "stage", "creation"), days=days, **among)
    return found.assign(is_stalled=found["days"] > found["limit_days"])


def stalled_stages(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stage and basis with open deals: stage_name, stage_order, basis, limit_days, deals, stalled, stalled_value (sum of
    the known values), stalled_without_value. rows: see waiting.
    """
    late = rows["is_stalled"]
    marked = rows.assign(stalled_value=rows["deal_amount"].where(late), no_value=late & rows["deal_amount"].isna())
    keys = ["stage_order", "stage_name", "basis", "limit_days"]
    return marked.groupby(keys, dropna=False, as_index=False).agg(
        deals=("deal_number", "size"), stalled=("is_stalled", "sum"), stalled_value=("stalled_value", "sum"),
        stalled_without_value=("no_value", "sum"),
    )  # fmt: skip


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Pooled(NamedTuple):
    """The share of all cohorts together that ended in the first way by an age, its interval (95%), and of how many; NaN: not known."""

    share: float
    low: float
    high: float
    cases: int


def pooled(counts: pd.DataFrame, endings: Sequence[str], age: float | None = None) -> Pooled:
    """Return the share of all cohorts together that ended in the first way by an age; None: as far as they were followed."""
    curve = aalen_johansen(counts, endings)
    if not len(curve):
        return Pooled(math.nan, math.nan, math.nan, 0)
    row = at(curve, (curve["duration"].iloc[-1] if age is None else age,)).iloc[0]
    share, low, high = (float(row[f"{endings[0]}_{name}"]) for name in ("share", "low", "high"))
    return Pooled(share, low, high, _cases(counts))


def slowest(times: pd.DataFrame) -> pd.Series:
    """Return the row of the stage with the longest median, of those that are not small; NaN and 0 stays where there is none."""
    known = times[~times["is_small"].astype(bool) & times["median_days"].notna()]
    if not len(known):
        return pd.Series({"stage_name": "", "median_days": math.nan, "median_low": math.nan, "median_high": math.nan, "stays": 0})
    return known.iloc[int(known["median_days"].astype(float).argmax())]
