"""Reasons, competitors and assessments, counted over deals."""

import math
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.intervals import FEW_CUSTOMERS, wilson, wilson_bounds
from crm_metrics.metric import ratio
from crm_metrics.pipeline.deals.query import LOST, OPEN, WON
from crm_metrics.randomised_test.sums import holm

ALPHA, Z = 0.05, 1.959964
LEAST_EXPECTED = 5.0  # deals in each of the four fields: Cochran's rule, under which the chi-square test is not right
COUNTED = ["deals", "closed", "won", "win_rate", "low", "high", "won_value", "lost_value", "unvalued", "is_small"]
COMPARED = ["others_rate", "difference", "difference_low", "difference_high", "p_value", "p_adjusted", "is_different"]

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def win_counts(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return one row per value of `by` that some deal has: by, COUNTED; most deals first.

    closed: won or lost. win_rate: of closed, with Wilson's interval. won_value, lost_value: sums of known values, NaN where none is known.
    unvalued: closed deals of unknown value. is_small: fewer than FEW_CUSTOMERS closed, of whom no rate is read.
    """
    known = rows[rows[by].notna()]
    is_won, is_lost, amount = known["outcome"] == WON, known["outcome"] == LOST, known["deal_amount"]
    parts = known.assign(
        deals=1,
        closed=(is_won | is_lost).astype(int),
        won=is_won.astype(int),
        won_value=amount.where(is_won),
        lost_value=amount.where(is_lost),
        unvalued=((is_won | is_lost) & amount.isna()).astype(int),
    ).groupby(by, sort=True)
    counts = parts[["deals", "closed", "won", "unvalued"]].sum()
    sums = parts[["won_value", "lost_value"]].sum(min_count=1)
    made = rated(counts.join(sums).reset_index(), "won", "closed", "win_rate")
    return made.assign(is_small=made["closed"] < FEW_CUSTOMERS).sort_values(["deals", by], ascending=[False, True], ignore_index=True)[
        [by, *COUNTED]
    ]


def rated(counts: pd.DataFrame, part: str, whole: str, name: str) -> pd.DataFrame:
    """Return `counts` with part / whole under `name`, and its interval low, high (Wilson 1927)."""
    low, high = wilson_bounds(counts[part], counts[whole])
    share = counts[part].astype(float) / counts[whole].where(counts[whole] != 0)
    return counts.assign(**{name: share, "low": low, "high": high})


def compared(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with COMPARED: how far each win rate lies from that of `others` in the same place. Both: closed, won.

    Interval of the difference: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10. p: Pearson's chi-square test; Holm (1979)
    over all rows that are tested. Not tested: where a side has fewer than FEW_CUSTOMERS closed deals, or so few won or lost that the test
    is not right (LEAST_EXPECTED).
    """
    found = pd.DataFrame([_difference(*each) for each in zip(rows["won"], rows["closed"], others["won"], others["closed"], strict=True)])
    made = rows.assign(**{name: found[name].to_numpy(dtype=float) if len(found) else math.nan for name in COMPARED[:5]})
    adjusted = holm(made["p_value"].to_numpy(dtype=float))
    return made.assign(p_adjusted=adjusted, is_different=adjusted < ALPHA)


def _difference(won: float, closed: float, others_won: float, others_closed: float) -> dict[str, float]:
    rate, others_rate = ratio(won, closed), ratio(others_won, others_closed)
    (low, high), (others_low, others_high) = wilson(won, closed), wilson(others_won, others_closed)
    is_tested = min(closed, others_closed) >= FEW_CUSTOMERS
    return {
        "others_rate": others_rate,
        "difference": rate - others_rate,
        "difference_low": rate - others_rate - math.hypot(rate - low, others_high - others_rate),
        "difference_high": rate - others_rate + math.hypot(high - rate, others_rate - others_low),
        "p_value": chance_of_difference(won, closed, others_won, others_closed) if is_tested else math.nan,
    }


def chance_of_difference(won: float, closed: float, others_won: float, others_closed: float) -> float:
    """Return the chance of two rates so far apart where both are one: Pearson's chi-square test; NaN for too few (LEAST_EXPECTED)."""
    overall = ratio(won + others_won, closed + others_closed)
    if not min(closed, others_closed) * min(overall, 1 - overall) >= LEAST_EXPECTED:
        return math.nan
    spread = math.sqrt(overall * (1 - overall) * (1 / closed + 1 / others_closed))
    return math.erfc(abs(won / closed - others_won / others_closed) / spread / math.sqrt(2))


def compared_within_quarters(rows: pd.DataFrame, others: pd.DataFrame, deals: pd.DataFrame, is_one: pd.Series) -> pd.DataFrame:
    """Return `compared` of one row with one other, its difference, interval and p among deals created in the same quarter: where both the
    win rate and what tells the two apart change over the years, they seem to go together.

    Mantel and Haenszel's (1959) difference with the variance of Greenland and Robins (1985), Biometrics 41, 55-68, and their test. deals:
    what both are made of; is_one: whether each belongs to the row.
    """
    made = compared(rows, others)
    if math.isnan(made["p_value"].iloc[0]):
        return made
    closed = deals[deals["outcome"] != OPEN]
    quarter = closed["created_on"].dt.year * 4 + closed["created_on"].dt.quarter
    sides = closed.assign(quarter=quarter.fillna(0), is_won=closed["outcome"] == WON, is_one=is_one)
    cells: Any = sides.groupby(["quarter", "is_one"])["is_won"].agg(["sum", "size"]).unstack(fill_value=0).astype(float)
    one_won, other_won, one, other = (cells[name, side].to_numpy() for name in ("sum", "size") for side in (True, False))
    both, won = one + other, one_won + other_won
    weight = (one * other / both).sum()
    if not weight:
        return made
    found = ((one_won * other - other_won * one) / both).sum() / weight
    lost, other_lost, pairs = one - one_won, other - other_won, np.where(one * other > 0, one * other, np.inf)
    error = Z * math.sqrt(((one_won * lost * other**3 + other_won * other_lost * one**3) / (pairs * both**2)).sum()) / weight
    spread = (one * other * won * (both - won) / (both**2 * np.maximum(both - 1, 1))).sum()
    p_value = math.erfc(abs((one_won - one * won / both).sum()) / math.sqrt(spread) / math.sqrt(2)) if spread else math.nan
    bounds = {"difference": found, "difference_low": found - error, "difference_high": found + error}
    return made.assign(**bounds, p_value=p_value, p_adjusted=p_value, is_different=p_value < ALPHA)


def reason_counts(lost: pd.DataFrame, by: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return one row per reason, within each value of `by`: by, reason ("": not recorded), deals, of (lost deals with a reason), share (of
    these; NaN of those without), low, high (Wilson), lost_value (NaN where no value is known), unvalued; most deals first.
    """
    named = lost.assign(
        reason=lost["lost_reason"].fillna(""), deals=1, of=lost["lost_reason"].notna().astype(int), unvalued=lost["deal_amount"].isna()
    )
    grouped = named.groupby([*by, "reason"], sort=True)
    counts = grouped[["deals", "unvalued"]].sum().join(grouped["deal_amount"].sum(min_count=1).rename("lost_value")).reset_index()
    if by:
        counts = counts.merge(named.groupby(list(by))["of"].sum().reset_index(), on=list(by))
    else:
        counts["of"] = named["of"].sum()
    made = rated(counts, "deals", "of", "share") if len(counts) else counts.assign(share=math.nan, low=math.nan, high=math.nan)
    made[["share", "low", "high"]] = made[["share", "low", "high"]].mask(made["reason"] == "")
    order = ["is_named", *by, "deals", "reason"] if not by else [*by, "deals", "reason"]
    ascending = [False, False, True] if not by else [*[True] * len(by), False, True]
    sorted_rows = made.assign(is_named=made["reason"] != "").sort_values(order, ascending=ascending, ignore_index=True)
    return sorted_rows[[*by, "reason", "deals", "of", "share", "low", "high", "lost_value", "unvalued"]]


def complete_counts(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return one row per value of `by`: by, deals (of which it is recorded), complete, share, low, high (Wilson), is_small; by `by`."""
    known = rows[rows["has_scorecard"].notna() & rows[by].notna()]
    is_complete = known["has_scorecard"].astype(bool).astype(int)
    counts = known.assign(deals=1, complete=is_complete).groupby(by, sort=True)[["deals", "complete"]].sum().reset_index()
    made: Any = rated(counts, "complete", "deals", "share")
    return made.assign(is_small=made["deals"] < FEW_CUSTOMERS)[[by, "deals", "complete", "share", "low", "high", "is_small"]]
