"""From sums to rates of people, and what changed from before to after.

Rates of people are drawn to that of all by how little is known of each: who won 2 of 2 has not shown more than who won 60 of 100.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import CONFIDENCE, wilson, wilson_bounds
from crm_metrics.metric import ratio
from crm_metrics.pipeline.people.pace import BOUNDS, MOMENTS, velocities
from crm_metrics.pipeline.people.terms import HOURS_PER_MONTH, GoLive
from crm_metrics.pipeline.winning.counts import ALPHA, chance_of_difference
from crm_metrics.randomised_test.sums import holm

Floats = npt.NDArray[np.float64]
_STRENGTHS = np.geomspace(0.5, 2000.0, 60)  # closed deals that the prior stands for: from hardly any to more than anybody has
SUMS = (
    *("calls", "hits", "call_days", "activities", "minutes", "customers_served", "served_days", "leads", "qualified_leads"),
    *("deals", "won", "lost", "open", "won_value", "won_unvalued", "cycle_days", "cycle_deals"),
    *("open_now", "open_value", "orders", "tasks_due", "overdue_tasks"),
)
"""What adds up over people."""
READ_FIRST = (
    *("calls", "calls_per_person_day", "hit_rate", "leads_per_day", "deals", "won", "win_rate_shrunk", "shrunk_low", "shrunk_high"),
    *("won_value", "contribution", "overdue_tasks"),
)
"""The columns of a scorecard that are read at a glance."""
_UNKNOWN_IF_NONE = ("minutes", "won_value", "cycle_days", "open_value", *MOMENTS)
"""Sums of what may be unknown: not 0 where nobody noted any."""

# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return one row per employee_id (empty: nobody) that any part names, with all its SUMS.

    Counts of a part that has no such person are 0; those of a part without any row are unknown: the data hold nothing of the kind.
    """
    known = pd.concat([part["employee_id"] for part in parts]).drop_duplicates()
    rows = pd.DataFrame({"employee_id": known.astype("str")}).sort_values("employee_id", ignore_index=True)
    for part in parts:
        columns = [str(name) for name in part if name != "employee_id"]
        found = rows[["employee_id"]].merge(part.astype({"employee_id": "str"}), on="employee_id", how="left")[columns].astype(float)
        counts = [name for name in columns if name not in _UNKNOWN_IF_NONE]
        if len(part):
            found[counts] = found[counts].fillna(0.0)
        rows[columns] = found
    return rows


def scorecard(sums: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return one row per group of people with its SUMS and rates, the best first: by `rank`, then by value won.

    calls_per_person_day (calls / call_days), hit_rate (hits / calls), hit_rate_low, hit_rate_high, leads_per_day (hits / call_days),
    win_rate_of_closed (won / (won + lost)), win_rate_low, win_rate_high (both Wilson, 95%), win_rate_shrunk, shrunk_low, shrunk_high,
    prior_deals (see `shrunk`), rank (1 is the best by shrunk_low; empty without closed deals, and of nobody), p_adjusted (Holm),
    is_different (see `differences`), contribution (share of all won value), value_per_won_deal, days_to_win (mean), overdue_share (of
    tasks due), customers_per_day (customers_served / served_days), velocity, and the bounds of value, days and velocity (see pace).
    """
    rows = sums.groupby(by, dropna=False, sort=False)[[*SUMS, *MOMENTS]].sum(min_count=1).reset_index()
    paced = velocities(rows)
    closed = rows["won"] + rows["lost"]
    rate_low, rate_high = wilson_bounds(rows["hits"], rows["calls"])
    low, high = wilson_bounds(rows["won"], closed)
    won, n = (np.nan_to_num(column.to_numpy(dtype=float)) for column in (rows["won"], closed))
    drawn, tested = shrunk(won, n), differences(won, n)
    rows = rows.assign(
        calls_per_person_day=_ratio(rows["calls"], rows["call_days"]),
        hit_rate=_ratio(rows["hits"], rows["calls"]),
        hit_rate_low=rate_low,
        hit_rate_high=rate_high,
        leads_per_day=_ratio(rows["hits"], rows["call_days"]),
        win_rate_of_closed=_ratio(rows["won"], closed),
        win_rate_low=low,
        win_rate_high=high,
        win_rate_shrunk=drawn.rate,
        shrunk_low=drawn.low,
        shrunk_high=drawn.high,
        prior_deals=drawn.prior,
        p_adjusted=tested,
        is_different=tested < ALPHA,
        contribution=_ratio(rows["won_value"], rows["won_value"].sum()),
        **{name: paced[name] for name in ("value_per_won_deal", "days_to_win", "velocity", *BOUNDS)},
        overdue_share=_ratio(rows["overdue_tasks"], rows["tasks_due"]),
        customers_per_day=_ratio(rows["customers_served"], rows["served_days"]),
    ).drop(columns=list(MOMENTS))
    rows["rank"] = rows["shrunk_low"].where(rows[by[0]].notna()).rank(ascending=False, method="min")
    return rows.sort_values(["rank", "won_value", "calls", *by], ascending=[True, False, False, *[True] * len(by)], ignore_index=True)


def _ratio(part: pd.Series, whole: pd.Series | float) -> pd.Series:
    return part / (whole if isinstance(whole, float) else whole.where(whole != 0))


class Shrunk(NamedTuple):
    """Rates drawn to their common mean. rate, low, high: of each, NaN of those without any. prior: how many deals the mean counts for."""

    rate: Floats
    low: Floats
    high: Floats
    prior: float


def shrunk(won: Floats, closed: Floats, *, confidence: float = CONFIDENCE) -> Shrunk:
    """Return rates drawn to the rate of all, the more the fewer deals they rest on, with intervals.

    Each true rate comes from one beta distribution of mean m and strength s, in deals: Casella (1985), An introduction to empirical Bayes
    data analysis, The American Statistician 39, 83-87. s is not one number: every s counts by how likely it makes what was seen, with
    all variances of true rates equally likely beforehand, so that the intervals allow for its being unknown: Morris (1983), Journal of the
    American Statistical Association 78, 47-55. prior: the mean of s.

    >>> shrunk(np.array([2.0, 60.0]), np.array([2.0, 100.0])).rate.round(2).tolist()
    [0.77, 0.6]
    """
    from scipy.special import betaincinv, betaln

    unknown = np.full(len(won), np.nan)
    is_known = closed > 0
    if not is_known.any():
        return Shrunk(unknown, unknown, unknown, math.nan)
    x, n, s = won[is_known], closed[is_known], _STRENGTHS[:, None]
    weight = n / (1 + (n - 1) / (s + 1))  # the inverse of the variance of a rate, as far as it depends on n
    trials = weight.sum(axis=1, keepdims=True)
    m = ((weight * x / n).sum(axis=1, keepdims=True) + 0.5) / (trials + 1)  # Jeffreys: if all was won so far, not all need be
    a, b = m * s, (1 - m) * s
    seen = (betaln(a + x, b + n - x) - betaln(a, b)).sum(axis=1)
    likely = seen + np.log(_STRENGTHS / (1 + _STRENGTHS) ** 2)  # the variance is m (1 - m) / (s + 1); the strengths are even in their logs
    p = np.exp(likely - likely.max())
    p /= p.sum()
    means = (a + x) / (s + n)
    of_mean = (s / (s + n)) ** 2 * m * (1 - m) / (trials + 2)  # the mean itself is only estimated
    rate = p @ means
    variance = p @ (means * (1 - means) / (s + n + 1) + of_mean + (means - rate) ** 2)
    strength = np.maximum(rate * (1 - rate) / variance - 1, 1e-9)
    tail = (1 - confidence) / 2
    low, high = (betaincinv(rate * strength, (1 - rate) * strength, q) for q in (tail, 1 - tail))
    rows = [unknown.copy() for _ in range(3)]
    for row, values in zip(rows, (rate, low, high), strict=True):
        row[is_known] = values
    return Shrunk(rows[0], rows[1], rows[2], float(p @ _STRENGTHS))


def differences(won: Floats, closed: Floats) -> Floats:
    """Return for each whether its rate differs from that of all the others together: p, adjusted for their number (Holm 1979); see
    winning.counts.chance_of_difference.
    """
    others, others_won = closed.sum() - closed, won.sum() - won
    p = [chance_of_difference(*each) for each in zip(won, closed, others_won, others, strict=True)]
    return holm(np.array(p, dtype=float))


# ── before and after ────────────────────────────────────────────────────────────────────────────────────────────────────


class Side(NamedTuple):
    """A measure on one side of the go-live: its value, 95% interval, and of how many it is."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: float = 0


def share_side(hits: float, n: float) -> Side:
    """Return a share with the interval of Wilson (1927)."""
    return Side(ratio(hits, n), *wilson(hits, n), n)


def mean_side(total: float, squares: float, n: float) -> Side:
    """Return a mean with Student's interval. squares: the values squared and added up.

    >>> [round(number, 3) for number in mean_side(6.0, 14.0, 3)]  # of 1, 2 and 3
    [2.0, -0.484, 4.484, 3]
    """
    from scipy.special import stdtrit

    mean = ratio(total, n)
    if n < 2:
        return Side(mean, n=n)
    variance = max(squares - total * mean, 0.0) / (n - 1)
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * math.sqrt(variance / n)
    return Side(mean, mean - half, mean + half, n)


def median_side(values: Floats, counts: Floats) -> Side:
    """Return the median of values that occur so often, with the interval of its order statistics (Conover 1999, section 3.2).

    >>> median_side(np.arange(100.0), np.ones(100))
    Side(value=50.0, low=40.0, high=59.0, n=100.0)
    """
    n = float(counts.sum())
    if not n:
        return Side()
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(n) / 2
    places = np.clip(np.array([n / 2, n / 2 - half, n / 2 + half]), 0, n - 1)
    value, low, high = values[np.searchsorted(counts.cumsum(), np.floor(places), side="right")]
    return Side(float(value), float(low), float(high), n)


def part_side(part: float, whole: float, n: float, *, squares_of_part: float, squares: float) -> Side:
    """Return the share of a sum that some of its items make up, with the interval of a ratio of sums (Cochran 1977, section 6.3).

    squares_of_part, squares: of these items and of all, added up.
    """
    share = ratio(part, whole)
    if n < 2 or math.isnan(share):
        return Side(share, n=n)
    rest = max(squares_of_part * (1 - 2 * share) + share * share * squares, 0.0)
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(rest * n / (n - 1)) / whole
    return Side(share, max(share - half, 0.0), min(share + half, 1.0), n)


def leads_per_day(calls: float, hit_rate: float) -> float:
    """Return the qualified leads of a day with so many calls.

    >>> round(leads_per_day(60, 1 / 52), 3), round(leads_per_day(80, 1 / 33), 3)
    (1.154, 2.424)
    """
    return calls * hit_rate


def compared(before: Side, after: Side) -> dict[str, float]:
    """Return what changed: both sides, change (after - before) and factor (after / before) with intervals, relative (factor - 1).

    The intervals of both follow from those of the sides: Zou and Donner (2008), Statistics in Medicine 27, 1693-1702 (for shares that is
    method 10 of Newcombe 1998), and Donner and Zou (2012), Statistical Methods in Medical Research 21, 347-359.

    >>> round(compared(Side(60 / 52), Side(80 / 33))["factor"], 3)
    2.101
    """
    change, factor = after.value - before.value, ratio(after.value, before.value)
    low, high = _factor_bounds(before, after)
    return {
        **{f"before{name}": value for name, value in _named(before).items()},
        **{f"after{name}": value for name, value in _named(after).items()},
        "change": change,
        "change_low": change - math.hypot(after.value - after.low, before.high - before.value),
        "change_high": change + math.hypot(after.high - after.value, before.value - before.low),
        "relative": factor - 1,
        "factor": factor,
        "factor_low": low,
        "factor_high": high,
    }


def _named(side: Side) -> dict[str, float]:
    return {"": side.value, "_low": side.low, "_high": side.high, "_n": side.n}


def _factor_bounds(before: Side, after: Side) -> tuple[float, float]:
    x, low, high, _ = after
    y, y_low, y_high, _ = before
    if not y_low > 0 or not y > 0:  # a factor of what may be nothing has no upper bound
        return math.nan, math.nan
    both = x * y
    lowest = both - math.sqrt(max(both**2 - low * y_high * (2 * x - low) * (2 * y - y_high), 0.0))
    highest = both + math.sqrt(max(both**2 - high * y_low * (2 * x - high) * (2 * y - y_low), 0.0))
    denominators = y_high * (2 * y - y_high), y_low * (2 * y - y_low)
    return tuple(bound / below if below else math.nan for bound, below in zip((lowest, highest), denominators, strict=True))  # type: ignore[return-value]


# ── the sides of each measure ───────────────────────────────────────────────────────────────────────────────────────────

Sides = dict[str, tuple[Side, Side]]


def call_sides(days: pd.DataFrame, go_live: GoLive) -> Sides:
    """Return calls_per_person_day, hit_rate and leads_per_day. days: one row per person and day with calls."""
    day = days["happened_on"]
    is_before, is_after = day < np.datetime64(go_live.before_on), day >= np.datetime64(go_live.after_on)
    sides = [days.loc[chosen, ["calls", "hits"]].to_numpy(dtype=float) for chosen in (is_before, is_after)]
    calls, hits = ([mean_side(side[:, at].sum(), (side[:, at] ** 2).sum(), len(side)) for side in sides] for at in (0, 1))
    rates = [share_side(side[:, 1].sum(), side[:, 0].sum()) for side in sides]
    return {"calls_per_person_day": (calls[0], calls[1]), "hit_rate": (rates[0], rates[1]), "leads_per_day": (hits[0], hits[1])}


def _by_side(rows: pd.DataFrame) -> list[dict[str, float]]:
    """Return the sums before and after; 0 where there is nothing on a side. rows: one row per side."""
    found = rows.set_index("side").reindex(["before", "after"]).fillna(0.0).astype(float)
    return [dict(zip(found.columns.tolist(), values, strict=True)) for values in found.to_numpy()]


def share_sides(name: str, rows: pd.DataFrame) -> Sides:
    """Return a share. rows: side, n, hits."""
    before, after = (share_side(side["hits"], side["n"]) for side in _by_side(rows))
    return {name: (before, after)}


def deal_sides(rows: pd.DataFrame) -> Sides:
    """Return win_rate and days_to_win. rows: as query.deal_sides gives them."""
    before, after = (mean_side(side["days"], side["squares"], side["hits"]) for side in _by_side(rows))
    return {**share_sides("win_rate", rows), "days_to_win": (before, after)}


def value_sides(rows: pd.DataFrame) -> Sides:
    """Return telesales_share. rows: as query.value_sides gives them."""
    before, after = (
        part_side(side["of_calls"], side["value"], side["n"], squares_of_part=side["squares_of_calls"], squares=side["squares"])
        for side in _by_side(rows)
    )
    return {"telesales_share": (before, after)}


def entry_sides(rows: pd.DataFrame) -> Sides:
    """Return order_entry_minutes and order_entry_median, to the minute. rows: side, minute, n, minutes, squares."""
    sides = [rows[rows["side"] == side] for side in ("before", "after")]
    means = [mean_side(float(side["minutes"].sum()), float(side["squares"].sum()), float(side["n"].sum())) for side in sides]
    medians = [median_side(side["minute"].to_numpy(dtype=float), side["n"].to_numpy(dtype=float)) for side in sides]
    return {"order_entry_minutes": (means[0], means[1]), "order_entry_median": (medians[0], medians[1])}


def staff_sides(row: pd.DataFrame) -> Sides:
    """Return order_entry_staff and order_entry_cost, a month; unknown where nobody is known to enter orders. row: see query.entry_staff."""
    before, after, cost_before, cost_after = row.iloc[0][["before", "after", "before_cost", "after_cost"]].astype(float).tolist()
    if not (before > 0 or after > 0):
        return dict.fromkeys(("order_entry_staff", "order_entry_cost"), (Side(), Side()))
    costs = [people * cost * HOURS_PER_MONTH if people else 0.0 for people, cost in ((before, cost_before), (after, cost_after))]
    return {
        "order_entry_staff": (Side(before, n=before), Side(after, n=after)),
        "order_entry_cost": (Side(costs[0], n=before), Side(costs[1], n=after)),
    }


def task_wins(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stage: win rates of deals all of whose tasks there were done by their day, and of the others.

    stage, done_deals, done_rate, done_low, done_high, late_deals, late_rate, late_low, late_high, difference, difference_low,
    difference_high (done less late; see `compared`). rows: of query.task_wins.
    """
    found = []
    for stage, held in rows.groupby("stage", sort=False):
        counts = held.set_index("is_done")[["hits", "n"]].reindex([0, 1]).fillna(0.0).astype(float)
        late, done = (share_side(hits, n) for hits, n in counts.to_numpy())
        change = compared(late, done)
        sides = {f"{name}{end}": value for name, side in (("done", done), ("late", late)) for end, value in _rated(side).items()}
        found.append({"stage": stage, **sides, **{f"difference{end}": change[f"change{end}"] for end in ("", "_low", "_high")}})
    return pd.DataFrame(found, columns=TASK_WINS)


def _rated(side: Side) -> dict[str, float]:
    return {"_deals": side.n, "_rate": side.value, "_low": side.low, "_high": side.high}


TASK_WINS = [
    "stage",
    *(f"{name}_{of}" for name in ("done", "late") for of in ("deals", "rate", "low", "high")),
    *("difference", "difference_low", "difference_high"),
]
