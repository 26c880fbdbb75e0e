"""How often deals are won by each single thing that is known of them early."""

import math

import numpy as np
import pandas as pd

from crm_metrics.pipeline.winning.counts import Z, compared, rated

FACTORS = ("stage", "deal_source", "is_customer", "market", "category", "region", "amount_third", "activities_third")
LEAST_DEALS = 30  # of a value, to be told apart
_THIRDS = ("low", "middle", "high")

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def win_factors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per factor and value, the largest odds ratio first within each factor: factor, level, deals, won, win_rate, low,
    high (Wilson), others_rate (of all other deals), odds_ratio, odds_low, odds_high (Woolf 1955, Annals of Human Genetics 19, 251-253,
    with Haldane's half), p_value, p_adjusted (chi-square; Holm over all rows), is_different.

    rows: landmarks of one age, of closed deals. Values of fewer than LEAST_DEALS deals are left out, and a factor of one value. Each
    factor stands by itself: what goes with it is in its ratio.
    """
    known = rows.assign(
        is_customer=np.where(rows["is_customer"] > 0, "yes", "no"),
        amount_third=_thirds(rows["log_amount"]),
        activities_third=_thirds(rows["activities"]),
    )
    every = [_of_factor(known, name) for name in FACTORS]
    counted = pd.concat(every, ignore_index=True)
    if not len(counted):
        return counted.assign(**dict.fromkeys([*_RATES, *_ODDS, "p_value", "p_adjusted", "is_different"], math.nan))
    others = pd.DataFrame({"won": counted["all_won"] - counted["won"], "closed": counted["all_deals"] - counted["closed"]})
    made = compared(rated(counted, "won", "closed", "win_rate"), others)
    return _with_odds(made, others)[
        ["factor", "level", "deals", "won", *_RATES, "others_rate", *_ODDS, "p_value", "p_adjusted", "is_different"]
    ].sort_values(["factor", "odds_ratio"], ascending=[True, False], key=_in_order, ignore_index=True)


_RATES, _ODDS = ["win_rate", "low", "high"], ["odds_ratio", "odds_low", "odds_high"]


def _in_order(column: pd.Series) -> pd.Series:
    return column.map({name: place for place, name in enumerate(FACTORS)}) if column.name == "factor" else column


def _thirds(values: pd.Series) -> pd.Series:
    """Return which third of the deals each known value is in; unknown where two bounds are one."""
    known = values.dropna()
    bounds = known.quantile([1 / 3, 2 / 3]).to_numpy() if len(known) else np.array([0.0, 0.0])
    if bounds[0] == bounds[1]:
        return pd.Series(None, index=values.index, dtype=object)
    named = pd.Series(np.asarray(_THIRDS, dtype=object)[np.searchsorted(bounds, values.fillna(0.0), side="left")], index=values.index)
    return named.where(values.notna(), None)


def _of_factor(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    known = rows[rows[name].notna()]
    counted = known.groupby(name, sort=True)["is_won"].agg(["size", "sum"]).reset_index()
    counted.columns = pd.Index(["level", "closed", "won"])
    made = counted.assign(factor=name, deals=counted["closed"], all_deals=len(known), all_won=int(known["is_won"].sum()))
    kept = made[made["deals"] >= LEAST_DEALS]
    return kept if len(made) > 1 else kept.head(0)


def _with_odds(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    won, closed, others_won, others_closed = (frame[name] + 0.0 for frame in (rows, others) for name in ("won", "closed"))
    cells = [part + 0.5 for part in (won, closed - won, others_won, others_closed - others_won)]
    middle, spread = np.log(cells[0] * cells[3] / cells[1] / cells[2]), np.sqrt(sum(1 / cell for cell in cells))
    return rows.assign(odds_ratio=np.exp(middle), odds_low=np.exp(middle - Z * spread), odds_high=np.exp(middle + Z * spread))
