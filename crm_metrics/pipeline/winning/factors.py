"""How often deals are won by each single thing that is known of them early."""

import numpy as np
import pandas as pd

from crm_metrics.pipeline.winning.counts import ALPHA, COMPARED, Z, chance_of_difference, compared, rated
from crm_metrics.randomised_test.sums import benjamini_hochberg

FACTORS = ("stage", "deal_source", "is_customer", "market", "category", "region", "amount_third", "activities_third")
GROUPS = ("product_name", "category", "market", "region", "team", "deal_source", "is_customer", "amount_third")
LEAST_DEALS = 30  # of a value, to be told apart
MOST_APART = 0.1  # between the shares of won and of lost deals of which something is recorded; farther, its being recorded tells the end

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def win_factors(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per factor and value, the largest odds ratio first within each factor: factor, level, deals, won, win_rate, low,
    high (Wilson), others_rate (of all other deals), odds_ratio, odds_low, odds_high (Woolf 1955, Annals of Human Genetics 19, 251-253,
    with Haldane's half), p_value, p_adjusted (chi-square; Holm over all rows), is_different.

    counts: factor, level, closed, won. Values of fewer than LEAST_DEALS deals are left out, and a factor of one value. Each factor stands
    by itself: what goes with it is in its ratio.
    """
    counted = told_apart(counts)
    others = pd.DataFrame({"won": counted["all_won"] - counted["won"], "closed": counted["all_deals"] - counted["closed"]})
    made = compared(rated(counted, "won", "closed", "win_rate"), others)
    return _with_odds(made, others)[
        ["factor", "level", "deals", "won", *_RATES, "others_rate", *_ODDS, "p_value", "p_adjusted", "is_different"]
    ].sort_values(["factor", "odds_ratio"], ascending=[True, False], key=_in_order, ignore_index=True)


def win_differences(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per factor and value, the highest win rate first within each factor: factor, level ("": not recorded), deals, won,
    win_rate, low, high (Wilson), and counts.COMPARED: against all other deals of which the factor is recorded. is_different: so chosen that
    of those called different 5 % are so by chance (Benjamini and Hochberg 1995).

    counts: factor, level, closed, won. Values of fewer than LEAST_DEALS deals are left out, and a factor of one value. A factor that is
    recorded of won and lost deals unequally often (MOST_APART) has only the row of those without it.
    """
    unequal = unequally_recorded(counts)
    known = told_apart(counts[~counts["factor"].isin(unequal)])
    others = pd.DataFrame({"won": known["all_won"] - known["won"], "closed": known["all_deals"] - known["closed"]})
    made = compared(known, others)
    adjusted = benjamini_hochberg(made["p_value"].to_numpy(dtype=float))
    made = made.assign(p_adjusted=adjusted, is_different=adjusted < ALPHA)
    is_told = counts["factor"].isin([*made["factor"], *unequal])
    unknown = counts[counts["level"].isna() & is_told & (counts["closed"] >= LEAST_DEALS)]
    every = pd.concat([made, unknown.assign(level="", deals=unknown["closed"], is_different=False)], ignore_index=True)
    shown = rated(every, "won", "closed", "win_rate")[["factor", "level", "deals", "won", *_RATES, *COMPARED]]
    placed = shown.assign(place=shown["factor"].map(GROUPS.index), is_unknown=shown["level"] == "")
    order = placed.sort_values(["place", "is_unknown", "win_rate", "level"], ascending=[True, True, False, True], ignore_index=True)
    return order.drop(columns=["place", "is_unknown"])


def unequally_recorded(counts: pd.DataFrame) -> list[str]:
    """Return the factors that are recorded far more often of won deals than of lost ones, or the other way, and not by chance."""
    parts = counts.assign(lost=counts["closed"] - counts["won"])
    known = parts[parts["level"].notna()].groupby("factor")[["won", "lost"]].sum()  # a factor that is never recorded is none
    every = parts.groupby("factor")[["won", "lost"]].sum().loc[known.index]
    shares = known / every
    far = (shares["won"] - shares["lost"]).abs() > MOST_APART
    pairs = zip(known["won"], every["won"], known["lost"], every["lost"], strict=True)
    by_chance = np.array([chance_of_difference(*pair) >= ALPHA for pair in pairs], dtype=bool)  # of too few it is not known
    return shares.index[far & ~by_chance].to_list()


_RATES, _ODDS = ["win_rate", "low", "high"], ["odds_ratio", "odds_low", "odds_high"]


def _in_order(column: pd.Series) -> pd.Series:
    return column.map({name: place for place, name in enumerate(FACTORS)}) if column.name == "factor" else column


def told_apart(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of values with LEAST_DEALS deals, of factors that have several: with deals, all_deals, all_won (of the factor)."""
    known = counts[counts["level"].notna()]
    grouped = known.groupby("factor")
    made = known.assign(deals=known["closed"], all_deals=grouped["closed"].transform("sum"), all_won=grouped["won"].transform("sum"))
    return made[(made["deals"] >= LEAST_DEALS) & (grouped["level"].transform("size") > 1)].reset_index(drop=True)


def _with_odds(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    won, closed, others_won, others_closed = (frame[name] + 0.0 for frame in (rows, others) for name in ("won", "closed"))
    cells = [part + 0.5 for part in (won, closed - won, others_won, others_closed - others_won)]
    middle, spread = np.log(cells[0] * cells[3] / cells[1] / cells[2]), np.sqrt(sum(1 / cell for cell in cells))
    return rows.assign(odds_ratio=np.exp(middle), odds_low=np.exp(middle - Z * spread), odds_high=np.exp(middle + Z * spread))
