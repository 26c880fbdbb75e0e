"""How often deals are won by each single thing that is known of them early."""

import numpy as np
import pandas as pd

from crm_metrics.pipeline.winning.counts import Z, compared, rated

FACTORS = ("stage", "deal_source", "is_customer", "market", "category", "region", "amount_third", "activities_third")
LEAST_DEALS = 30  # of a value, to be told apart

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
