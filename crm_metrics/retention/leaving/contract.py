"""Contracts: how many ended, how long they last, and what the shifted beta-geometric model would have said."""

import math
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import FEW_CUSTOMERS, wilson
from crm_metrics.survival import shifted_beta_geometric as sbg
from crm_metrics.survival.kaplan_meier import kaplan_meier

Days = npt.NDArray[np.datetime64]
PERIODS = (12, 6, 3)  # months between renewals, if every contract that ended did so at one of them
ENDS_FOR_A_PERIOD = 5  # of contracts that end at any month, so many end at every third by chance once in 243 times
CALIBRATED_SHARE = 7 / 12  # of the ages: Fader and Hardie fit 7 years and look at the next 5
MONTHS_AHEAD = 12
MOST_KINDS = 6
NO_END = np.datetime64("2900-01-01")  # many programs write 9999-12-31 or 2999-12-31 for a contract without an end

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def states(counts: pd.DataFrame, today: date | None) -> pd.DataFrame:
    """Return what is known of contracts at the end of `today` (None: of the last day that they name).

    counts: see query.contract_counts. contract_kind, contracts, started_on, lost_on (last day of those ended by the customer), tenure
    (whole months; NaN: unknown), is_lost (ended by the customer), is_ended, is_known (whether it was the customer is known).
    A contract that ends later still runs. The recorded tenure of one that runs counts only where its first day is unknown. A tenure below
    0, of a contract that ends before it begins say, is unknown.
    """
    started, ended = (pd.to_datetime(counts[name]).to_numpy(dtype="datetime64[D]") for name in ("started_on", "ended_on"))
    ended = np.where(ended >= NO_END, np.datetime64("NaT"), ended)
    known_days = np.concatenate([days[~np.isnat(days)] for days in (started, ended)])
    now = np.datetime64(today, "D") if today else known_days.max() if len(known_days) else np.datetime64("NaT")
    recorded = counts["tenure_months"].to_numpy(dtype=float, na_value=np.nan)
    churned = counts["has_churned"].astype("object")
    says_lost, says_nothing = (churned == True).to_numpy(dtype=bool), churned.isna().to_numpy(dtype=bool)  # noqa: E712  # it can be empty
    runs_on = ended > now
    is_ended = ~runs_on & (~np.isnat(ended) | says_lost)
    until = np.where(is_ended & ~np.isnat(ended), ended, now)
    computed = whole_months(started, until + np.timedelta64(1, "D"))
    undated_end = is_ended & np.isnat(ended)
    tenure = np.where(is_ended & ~np.isnan(recorded), recorded, np.where(undated_end, np.nan, computed))
    tenure = np.where(np.isnat(started) & ~is_ended & ~runs_on, recorded, tenure)
    return pd.DataFrame(
        {
            "contract_kind": counts["contract_kind"],
            "contracts": counts["contracts"].to_numpy(dtype=np.int64),
            "started_on": started,
            "lost_on": ended,
            "tenure": np.where(tenure < 0, np.nan, tenure),
            "is_lost": is_ended & (says_lost | says_nothing),
            "is_ended": is_ended,
            "is_known": ~says_nothing | ~np.isnat(ended) | ~np.isnat(started),
        }
    )


def whole_months(start: Days, end: Any) -> npt.NDArray[np.float64]:
    """Return the whole calendar months from one day to another; NaN where either is unknown. A month from 31 January ends on 28 February.

    >>> days = np.array(["2026-01-31", "2026-01-15", "NaT"], dtype="datetime64[D]")
    >>> whole_months(days, np.array(["2026-02-28", "2026-03-14", "2026-03-14"], dtype="datetime64[D]")).tolist()
    [1.0, 1.0, nan]
    """
    months, day = start.astype("datetime64[M]"), start - start.astype("datetime64[M]").astype("datetime64[D]")
    apart = end.astype("datetime64[M]") - months
    reached = months + apart
    first, length = reached.astype("datetime64[D]"), (reached + 1).astype("datetime64[D]") - reached.astype("datetime64[D]")
    is_short = first + np.minimum(day, length - np.timedelta64(1, "D")) > end
    whole = apart.astype(np.float64) - is_short
    return np.where(np.isnat(apart), np.nan, whole)


def by_kind(found: pd.DataFrame) -> list[tuple[str | None, bool, pd.DataFrame]]:
    """Return kind, whether it is all, and its contracts: all first, then, where there are several, the kinds with most contracts."""
    kinds = found.groupby("contract_kind", sort=True)["contracts"].sum().sort_values(ascending=False, kind="stable")
    parts = [(str(kind), False, found[found["contract_kind"] == kind]) for kind in kinds.index[:MOST_KINDS]] if len(kinds) > 1 else []
    return [(None, True, found), *parts]


def churn_rows(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind and one for all: see tables.contract_churn. found: see states."""
    rows = []
    for kind, is_all, part in by_kind(found):
        known = part[part["is_known"]]
        contracts, lost, ended = (int(known.loc[known[name], "contracts"].sum()) for name in ("is_known", "is_lost", "is_ended"))
        bounds = wilson(lost, contracts)
        rate = lost / contracts if contracts else math.nan
        rows.append((kind, is_all, contracts, lost, ended - lost, contracts - ended, rate, *bounds, contracts < FEW_CUSTOMERS))
    columns = ["contract_kind", "is_all", "contracts", "churned", "ended_otherwise", "running", "rate", "low", "high", "is_few"]
    return pd.DataFrame(rows, columns=columns)


def curve_rows(found: pd.DataFrame) -> pd.DataFrame:
    """Return the survival of all contracts and of each kind: see tables.contract_curve. found: see states."""
    parts = []
    for kind, is_all, part in by_kind(found):
        curve = kaplan_meier(_durations(part)).rename(columns={"duration": "tenure_months", "ended": "churned"})
        parts.append(curve.assign(contract_kind=kind, is_all=is_all, is_few=curve["at_risk"] < FEW_CUSTOMERS))
    columns = ["contract_kind", "is_all", "tenure_months", "at_risk", "churned", "survival", "low", "high", "is_few"]
    return pd.concat(parts, ignore_index=True)[columns]


def _durations(part: pd.DataFrame) -> pd.DataFrame:
    known = part[part["tenure"].notna() & part["is_known"]]
    ended = known["contracts"].where(known["is_lost"], 0)
    return pd.DataFrame({"duration": known["tenure"].astype(int), "ended": ended, "censored": known["contracts"] - ended})


def year_counts(found: pd.DataFrame, since: date) -> tuple[int, int]:
    """Return how many contracts with a known first day ran at the end of `since`, and how many of these the customer has ended since."""
    then = np.datetime64(since, "D")
    began = found["started_on"].to_numpy() <= then
    ran = began & ~(found["is_ended"].to_numpy() & ~(found["lost_on"].to_numpy() > then))
    contracts, lost = found["contracts"].to_numpy(), found["is_lost"].to_numpy()
    return int(contracts[ran].sum()), int(contracts[ran & lost].sum())


# ── projection ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def projections(found: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return, for each kind (all, where there is one kind), the fit (see tables.contract_fit) and the curve (tables.contract_projection).

    found: see states. Different kinds are renewed at different times and are not put into one model.
    """
    every = by_kind(found)
    parts = every[1:] or every
    made = [_projection(kind, is_all, _durations(part)) for kind, is_all, part in parts]
    fits = pd.DataFrame([row for row, _ in made], columns=FIT_COLUMNS)
    return fits, pd.concat([curve for _, curve in made], ignore_index=True)[list(PROJECTION_COLUMNS)]


FIT_COLUMNS = (
    "contract_kind", "is_all", "period_months", "contracts", "lost", "fitted_months", "seen_months", "verdict", "alpha", "beta",
    "mean_error", "last_error", "inside_share",
)  # fmt: skip
PROJECTION_COLUMNS = (
    "contract_kind", "is_all", "tenure_months", "at_risk", "actual", "actual_low", "actual_high",
    "projected", "projected_low", "projected_high", "is_held_out", "is_ahead",
)  # fmt: skip


def _projection(kind: str | None, is_all: bool, durations: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    months = period_of(durations)
    ages = _ages(durations, months)
    actual = kaplan_meier(ages.rename(columns={"age": "duration", "lost": "ended", "still_there": "censored"}))
    seen = int(actual.loc[actual["at_risk"] >= FEW_CUSTOMERS, "duration"].max()) if (actual["at_risk"] >= FEW_CUSTOMERS).any() else 0
    cut = max(sbg.AGES_NEEDED, math.ceil(seen * CALIBRATED_SHARE))
    fitted = sbg.fit(_up_to(ages, cut))
    age = np.arange(seen + math.ceil(MONTHS_AHEAD / months) + 1)
    curve = _with_actual(age, actual, seen)
    low, high = sbg.survival_band(fitted, age)
    curve = curve.assign(projected=sbg.survival(fitted, age), projected_low=low, projected_high=high)
    curve = curve.assign(is_held_out=(age > cut) & (age <= seen), is_ahead=age > seen, tenure_months=age * months)
    held = curve[curve["is_held_out"] & curve["actual"].notna()]
    error = held["projected"] - held["actual"]
    inside = (held["projected"] >= held["actual_low"]) & (held["projected"] <= held["actual_high"])
    row = {
        "period_months": months,
        "contracts": int(ages[["lost", "still_there"]].to_numpy().sum()),
        "lost": int(ages["lost"].sum()),
        "fitted_months": min(cut, seen) * months,
        "seen_months": seen * months,
        "verdict": fitted.verdict,
        "alpha": fitted.alpha,
        "beta": fitted.beta,
        "mean_error": float(error.abs().mean()),
        "last_error": float(error.iloc[-1]) if len(error) else math.nan,
        "inside_share": float(inside.mean()) if error.notna().any() else math.nan,
    }
    named = {"contract_kind": kind, "is_all": is_all}
    return {**named, **row}, curve.assign(**named)


def period_of(durations: pd.DataFrame) -> int:
    """Return the months between renewals: the longest of PERIODS at whose ends all contracts ended that did, else 1."""
    ends = durations.loc[durations["ended"] > 0, "duration"].to_numpy()
    if durations["ended"].sum() < ENDS_FOR_A_PERIOD:
        return 1
    return next((months for months in PERIODS if not (ends % months).any()), 1)


def _ages(durations: pd.DataFrame, months: int) -> pd.DataFrame:
    """Return age, lost, still_there: renewals. One that ended before its first renewal ended at it."""
    tenure = durations["duration"].to_numpy()
    lost_at, passed = np.maximum(-(-tenure // months), 1), tenure // months
    size = int(max(lost_at.max(initial=1), 1)) + 1
    lost = np.bincount(lost_at, weights=durations["ended"], minlength=size)
    still_there = np.bincount(passed, weights=durations["censored"], minlength=size)
    return pd.DataFrame({"age": np.arange(size), "lost": lost.astype(np.int64), "still_there": still_there.astype(np.int64)})


def _up_to(ages: pd.DataFrame, cut: int) -> pd.DataFrame:
    """Return `ages` as they would look had nobody been followed beyond `cut` renewals."""
    later = ages["age"] > cut
    beyond = int(ages.loc[later, ["lost", "still_there"]].to_numpy().sum())
    held = ages[~later]
    return held.assign(still_there=held["still_there"] + np.where(held["age"] == cut, beyond, 0))


def _with_actual(age: npt.NDArray[np.int64], actual: pd.DataFrame, seen: int) -> pd.DataFrame:
    by_age = actual.set_index("duration").reindex(age)
    by_age["at_risk"] = by_age["at_risk"].fillna(0)
    shown = by_age.assign(actual=by_age["survival"], actual_low=by_age["low"], actual_high=by_age["high"])
    shown.loc[shown.index > seen, ["actual", "actual_low", "actual_high"]] = np.nan
    return shown[["at_risk", "actual", "actual_low", "actual_high"]].reset_index(drop=True)
