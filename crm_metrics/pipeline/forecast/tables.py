"""The tables of this part, and the queries behind them.

A forecast is made with all that was known at the end of the reader's day, whatever the period of the filters.
"""

import math

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import ratio, tile
from crm_metrics.pipeline.deals.days import deal_days
from crm_metrics.pipeline.deals.pipelines import stages_seen
from crm_metrics.pipeline.deals.query import OPEN, WON
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.forecast import basis, kept, metrics, query, scoring
from crm_metrics.pipeline.forecast.history import Floats, day_number
from crm_metrics.pipeline.forecast.metrics import METRICS
from crm_metrics.pipeline.forecast.simulation import PARTS, Forecast, stage_chances
from crm_metrics.pipeline.forecast.terms import THIS_QUARTER, ForecastTerms
from crm_metrics.rooms import Table

__all__ = ["METRICS", "TABLES"]
BINS = 40  # of the distribution
_STAGE_DRAWS = 400  # of the rates, for an interval of 95%


def queries(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> tuple[Select, ...]:
    """Return the queries that the forecast comes from, to be shown."""
    days = deal_days(source, filters)
    if days is None:
        return ()
    quotas = query.seller_quotas(filters, deals, terms.window(days.today).start_on)
    return (query.moves(filters, deals, days.on), query.standing(filters, deals, days.on), quotas)


# ── the forecast ────────────────────────────────────────────────────────────────────────────────────────────────────────


def forecast_tiles(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (of the forecast: 95% of the simulated quarters), unit, n (deals, or sellers with a
    quota).
    """
    state, found = basis.forecast_basis(source, filters, deals, terms).iloc[0], basis.made(source, filters, deals, terms)
    low, middle, high = np.quantile(found.runs, [0.025, 0.5, 0.975]) if found else (math.nan,) * 3
    chance = round(float((found.runs >= state["quota"]).mean()), 3) if found and state["quota"] > 0 else math.nan
    weighted = scoring.weighted(found, found.ever) if found else math.nan
    missing = state["quota"] - state["won"]
    return pd.DataFrame(
        [
            tile(metrics.QUARTER_FORECAST, middle, int(state["open_deals"]), low=low, high=high),
            tile(metrics.WON_SO_FAR, state["won"], int(state["won_deals"])),
            tile(metrics.QUOTA, state["quota"], int(state["sellers"])),
            tile(metrics.CHANCE_OF_QUOTA, chance, int(state["sellers"])),
            tile(metrics.COVERAGE, ratio(state["open"], missing) if missing > 0 else math.nan, int(state["open_deals"])),
            tile(metrics.WEIGHTED_PIPELINE, weighted, int(state["open_deals"])),
        ]
    )


def forecast(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row per method, and per part of the simulation: method, part, value (of the simulation the median, of its parts the
    mean), low, high (80%), low_95, high_95. Nothing where too few deals are closed.

    method: simulation, timed (each open deal times its chance to be won in what is left of the quarter), weighted (times its stage's
    chance in the end), assumed (times the chance that the source assumes), last_quarter. part: total, won (so far), open, reopened, new.
    """
    about, found = basis.asked(source, filters, deals), basis.made(source, filters, deals, terms)
    columns = ["method", "part", "value", *scoring.BOUNDS]
    if about is None or found is None:
        return pd.DataFrame(columns=columns)
    rows = [_row("simulation", "total", float(np.median(found.runs)), found.runs)]
    rows += [_row("simulation", part, float(found.parts[part].mean()), found.parts[part]) for part in PARTS]
    values = {
        "timed": scoring.weighted(found, found.timed),
        "weighted": scoring.weighted(found, found.ever),
        "assumed": scoring.weighted(found, basis.assumed(source, about.told)[found.state]),
        "last_quarter": scoring.last_full_value(about.told, about.standing, about.today),
    }
    return pd.DataFrame([*rows, *({"method": name, "part": "total", "value": value} for name, value in values.items())], columns=columns)


def _row(method: str, part: str, value: float, runs: Floats) -> dict[str, object]:
    bounds = zip(scoring.BOUNDS, np.quantile(runs, list(scoring.BOUNDS.values())), strict=True)
    return {"method": method, "part": part, "value": value, **{name: float(bound) for name, bound in bounds}}


def distribution(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row per class of value: from_value, to_value, share (of the simulated quarters), share_reached (of those that reach
    from_value). Nothing without a forecast.
    """
    found = basis.made(source, filters, deals, terms)
    if found is None:
        return pd.DataFrame(columns=["from_value", "to_value", "share", "share_reached"])
    count, edges = np.histogram(found.runs, bins=BINS)
    share = count / len(found.runs)
    return pd.DataFrame({"from_value": edges[:-1], "to_value": edges[1:], "share": share, "share_reached": 1 - np.cumsum(share) + share})


def forecast_by_seller(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row per seller with a quota or deals that count: owner_id, owner_name, team, quota, won, attainment (won / quota),
    open_deals, open, expected (won, and each open deal times its chance to be won in the rest of the quarter), weighted (times its
    stage's chance in the end), coverage (open / (quota - won)); the largest expected value first.
    """
    return _summed(_by_deal(source, filters, deals, terms), ["owner_id", "owner_name", "team"])


def forecast_by_team(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row per team: the columns of `forecast_by_seller` from team on."""
    return _summed(_by_deal(source, filters, deals, terms), ["team"])


def _by_deal(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> pd.DataFrame:
    """Return one row per deal that is open or won in the quarter, and one per quota: owner and what is to be summed."""
    about, found = basis.asked(source, filters, deals), basis.drawn(source, filters, deals, terms)
    columns = ["owner_id", "owner_name", "team", "quota", "won", "open_deals", "open", "timed", "ever"]
    if about is None:
        return pd.DataFrame(columns=columns)
    window, rows = terms.window(about.today), about.deals
    is_open, amount, chances = rows["outcome"] == OPEN, rows["deal_amount"], _chances(about, found)
    is_won = rows["closed_on"].between(pd.Timestamp(window.start_on), pd.Timestamp(window.end_on)) & (rows["outcome"] == WON)
    counted = rows.assign(
        won=amount.where(is_won),
        open_deals=is_open.astype(int),
        open=amount.where(is_open),
        **{name: amount * chance for name, chance in chances.items()},
    )
    quotas = basis.quotas(source, filters, deals, window)
    return pd.concat([counted[is_open | is_won], quotas], ignore_index=True).reindex(columns=columns)


def _summed(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    names = ["quota", "won", "open_deals", "open", "timed", "ever"]
    sums = rows.groupby(keys, dropna=False, sort=False)[names].sum(min_count=1).astype(float).reset_index()
    won, has_none = sums["won"].fillna(0.0), sums["open_deals"].fillna(0) == 0
    missing = sums["quota"] - won
    found = sums.assign(
        won=won,
        open_deals=sums["open_deals"].fillna(0).astype(int),
        attainment=won / sums["quota"].where(sums["quota"] > 0),
        expected=won + sums["timed"].mask(has_none, 0.0),
        weighted=won + sums["ever"].mask(has_none, 0.0),
        coverage=sums["open"] / missing.where(missing > 0),
    ).sort_values(["expected", "won"], ascending=False, kind="stable", ignore_index=True)
    return found[[*keys, "quota", "won", "attainment", "open_deals", "open", "expected", "weighted", "coverage"]]


def _chances(about: basis.Asked, found: Forecast | None) -> dict[str, Floats]:
    """Return the chances of each deal, by place in its rows; unknown of those that are not open, or undated."""
    chances = {name: np.full(len(about.deals), np.nan) for name in ("timed", "ever")}
    if found is not None:
        place = np.searchsorted(about.deals["deal_number"].to_numpy(), found.deal)
        chances["timed"][place], chances["ever"][place] = found.timed, found.ever
    return chances


def stage_probabilities(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open stage in order: stage, stage_name, visits (deals that entered it, each time), open_deals, open, probability
    (share of those who enter that are won in the end), low, high (95% of draws of the rates), assumed (by the source).

    Of several pipelines with stages of their own those of the largest.
    """
    seen = stages_seen(source, filters, deals)
    about, found = basis.asked(source, filters, seen.deals), basis.drawn(source, filters, seen.deals, THIS_QUARTER)
    columns = ["stage", "stage_name", "visits", "open_deals", "open", "probability", "low", "high", "assumed"]
    if about is None or found is None:
        return pd.DataFrame(columns=columns)
    names = seen.stages.set_index("stage").rename(columns={"assumed_win_probability": "assumed"})
    states = np.arange(len(about.told.stages))
    chance, drawn = stage_chances(about.told, day_number(about.today), draws=_STAGE_DRAWS)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    order = names.reindex(list(about.told.stages))
    rows = pd.DataFrame(
        {
            "stage": about.told.stages,
            "stage_name": order["stage_name"].to_numpy(),
            "visits": np.bincount(about.told.visits.state, minlength=len(states) + 2)[: len(states)],
            "open_deals": np.bincount(found.state, minlength=len(states)),
            "open": pd.Series(found.amount).groupby(found.state).sum(min_count=1).reindex(states).to_numpy(),
            "probability": chance,
            "low": low,
            "high": high,
            "assumed": order["assumed"].to_numpy(dtype=float),
            "place": order["stage_order"].to_numpy(dtype=float),
        }
    )
    is_seen = ~rows["stage"].isin(seen.others)
    return rows[is_seen].sort_values("place", kind="stable", ignore_index=True)[columns]


# ── past forecasts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def scores(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per method and days into the quarter: method, days_in, forecasts, mape (mean absolute error, relative), bias (mean
    error, relative); of the simulation also inside, coverage (forecasts whose 80% band held what came, and their share), low, high
    (Wilson, 95%), share_below (mean; 0.5 where nothing leans).
    """
    return scoring.scores(basis.backtest(source, filters, deals))


SIDES: dict[str, Table] = {"seller": forecast_by_seller, "team": forecast_by_team}  # by words.SIDES
TABLES: dict[str, Table] = {
    "forecast_tiles": forecast_tiles,
    "forecast_basis": basis.forecast_basis,
    "forecast": forecast,
    "distribution": distribution,
    "forecast_by_seller": forecast_by_seller,
    "forecast_by_team": forecast_by_team,
    "stage_probabilities": stage_probabilities,
    "backtest": basis.backtest,
    "scores": scores,
    "forecast_log": kept.forecast_log,
}
