"""The tables of this part, and the queries behind them.

A forecast is made with all that was known at the end of the reader's day, whatever the period of the filters.
"""

import math
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import ratio, tile
from crm_metrics.pipeline.deals.days import deal_days
from crm_metrics.pipeline.deals.query import LOST, OPEN, WON, stage_rows
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.forecast import metrics, query, scoring
from crm_metrics.pipeline.forecast.hazards import RECENT_DAYS
from crm_metrics.pipeline.forecast.history import Floats, History, Standing, corrected, day_number, history, stand
from crm_metrics.pipeline.forecast.metrics import METRICS
from crm_metrics.pipeline.forecast.simulation import FEWEST_CLOSED, PARTS, Forecast, closed_by, forecast, won_in
from crm_metrics.pipeline.forecast.terms import THIS_QUARTER, ForecastTerms, Window
from crm_metrics.rooms import Table

__all__ = ["METRICS", "TABLES"]
BINS = 40
_NO_QUOTA_BY = ("source", "product", "market", "pipeline")  # a quota is a seller's, not for some of the deals alone


class Asked(NamedTuple):
    """What the forecast is made from. deals: rows of query.standing, today's. told, standing: the same as arrays."""

    today: date
    deals: pd.DataFrame
    told: History
    standing: Standing


def queries(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> tuple[Select, ...]:
    """Return the queries that the forecast comes from, to be shown."""
    days = deal_days(source, filters)
    if days is None:
        return ()
    quotas = query.seller_quotas(filters, deals, terms.window(days.today).start_on)
    return (query.moves(filters, deals, days.on), query.standing(filters, deals, days.on), quotas)


# ── asked once per version, filters and terms ───────────────────────────────────────────────────────────────────────────


def asked(source: Source, filters: Filters, deals: DealTerms) -> Asked | None:
    """Return what the forecast is made from; None without any deal. Ask by source.remember."""
    days = deal_days(source, filters)
    if days is None:
        return None
    told = history(source(query.moves(filters, deals, days.on)))
    rows = source(query.standing(filters, deals, days.on))
    return Asked(days.today, rows, told, corrected(stand(told, day_number(days.today)), rows, told))


def made(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> Forecast | None:
    """Return the forecast; None where too few deals are closed. Its runs are widened by past errors. Ask by source.remember."""
    about = source.remember(asked, filters, deals)
    if about is None or closed_by(about.standing, about.told) < FEWEST_CLOSED:
        return None
    drawn = forecast(about.told, about.standing, terms.window(about.today))
    factor, middle = scoring.widening(backtest(source, filters, deals)), np.median(drawn.runs)
    return drawn._replace(runs=np.maximum(middle + (drawn.runs - middle) * factor, drawn.won))


def past(source: Source, filters: Filters, deals: DealTerms) -> pd.DataFrame:
    """Return `backtest`; ask by source.remember."""
    about = source.remember(asked, filters, deals)
    if about is None or not len(about.told.rows.day):
        return pd.DataFrame(columns=scoring.PAST)
    first_on = date.fromordinal(date(1970, 1, 1).toordinal() + int(about.told.rows.day.min()))
    windows = scoring.past_windows(first_on, about.today)
    return scoring.past_forecasts(about.told, about.standing, windows, _assumed(source, about.told))


def _assumed(source: Source, told: History) -> Floats:
    """Return the chance of winning that the source assumes, by state."""
    known = source(stage_rows()).set_index("stage")["assumed_win_probability"]
    return np.append(known.reindex(list(told.stages)).to_numpy(dtype=float), [0.0, 1.0])


def _quotas(source: Source, filters: Filters, deals: DealTerms, window: Window) -> pd.DataFrame:
    rows = source(query.seller_quotas(filters, deals, window.start_on))
    return rows if is_quota_apt(filters, deals) else rows.head(0)


def is_quota_apt(filters: Filters, deals: DealTerms) -> bool:
    """Return whether the quotas of the sellers are for the deals in view: no choice takes a part of a seller's deals."""
    return not (filters.category or filters.segments or any(getattr(deals, key) for key in _NO_QUOTA_BY))


# ── the forecast ────────────────────────────────────────────────────────────────────────────────────────────────────────


def forecast_tiles(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (of the forecast: 95% of the simulated quarters), unit, n (deals, or sellers with a
    quota).
    """
    basis, found = forecast_basis(source, filters, deals, terms).iloc[0], source.remember(made, filters, deals, terms)
    low, middle, high = np.quantile(found.runs, [0.025, 0.5, 0.975]) if found else (math.nan,) * 3
    chance = float((found.runs >= basis["quota"]).mean()) if found and basis["quota"] > 0 else math.nan
    weighted = scoring.weighted(found, found.ever) if found else math.nan
    missing = basis["quota"] - basis["won"]
    return pd.DataFrame(
        [
            tile(metrics.QUARTER_FORECAST, middle, int(basis["open_deals"]), low=low, high=high),
            tile(metrics.WON_SO_FAR, basis["won"], int(basis["won_deals"])),
            tile(metrics.QUOTA, basis["quota"], int(basis["sellers"])),
            tile(metrics.CHANCE_OF_QUOTA, chance, int(basis["sellers"])),
            tile(metrics.COVERAGE, ratio(basis["open"], missing) if missing > 0 else math.nan, int(basis["open_deals"])),
            tile(metrics.WEIGHTED_PIPELINE, weighted, int(basis["open_deals"])),
        ]
    )


def forecast_basis(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row: what the forecast rests on.

    today, start_on, end_on: the reader's day, the quarter's first and last. won, won_deals: in the quarter so far. open, open_deals:
    today. unvalued: open deals of unknown value. undated: deals whose day of creation is unknown, open today. closed: deals won or lost
    so far. told: changes that the history holds. quota (NaN: none), sellers: with a quota. is_quota_apt: quotas are for the deals in
    view. needed: coverage that was needed by the win rate by value of deals closed in the last 365 days. last_value: won in the quarter
    before. widening: factor of the band by past errors. past: past forecasts behind it.
    """
    about = source.remember(asked, filters, deals)
    if about is None:
        return pd.DataFrame([{"closed": 0}])
    window, rows = terms.window(about.today), about.deals
    still_open, before = rows[rows["outcome"] == OPEN], backtest(source, filters, deals)
    won, quotas = about.standing.amount[won_in(about.standing, about.told, window)], _quotas(source, filters, deals, window)
    lately = rows[(rows["closed_on"] > pd.Timestamp(about.today) - pd.Timedelta(days=RECENT_DAYS)).to_numpy()]
    value = lately.groupby("outcome")["deal_amount"].sum(min_count=1).reindex([WON, LOST])
    previous = scoring.quarter_before(window)
    facts = {
        "today": pd.Timestamp(about.today),
        "start_on": pd.Timestamp(window.start_on),
        "end_on": pd.Timestamp(window.end_on),
        "won": float(np.nansum(won)),
        "won_deals": len(won),
        "open": still_open["deal_amount"].sum(min_count=1),
        "open_deals": len(still_open),
        "unvalued": int(still_open["deal_amount"].isna().sum()),
        "undated": int(still_open["created_on"].isna().sum()),
        "closed": closed_by(about.standing, about.told),
        "told": about.told.told,
        "quota": quotas["quota"].sum(min_count=1),
        "sellers": len(quotas),
        "is_quota_apt": is_quota_apt(filters, deals),
        "needed": ratio(value.sum(skipna=False), value[WON]),
        "last_value": scoring.actual_value(about.told, about.standing, previous),
        "widening": scoring.widening(before),
        "past": len(before),
    }
    return pd.DataFrame([facts])


def forecast_rows(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row per method, and per part of the simulation: method, part, value (of the simulation the median, of its parts the
    mean), low, high (80%), low_95, high_95. Nothing where too few deals are closed.

    method: simulation, timed (each open deal times its chance to be won in what is left of the quarter), weighted (times its stage's
    chance in the end), assumed (times the chance that the source assumes), last_quarter. part: total, won (so far), open, reopened, new.
    """
    about, found = source.remember(asked, filters, deals), source.remember(made, filters, deals, terms)
    columns = ["method", "part", "value", *scoring.BOUNDS]
    if about is None or found is None:
        return pd.DataFrame(columns=columns)
    rows = [_row("simulation", "total", float(np.median(found.runs)), found.runs)]
    rows += [_row("simulation", part, float(found.parts[part].mean()), found.parts[part]) for part in PARTS]
    values = {
        "timed": scoring.weighted(found, found.timed),
        "weighted": scoring.weighted(found, found.ever),
        "assumed": scoring.weighted(found, _assumed(source, about.told)[found.state]),
        "last_quarter": scoring.actual_value(about.told, about.standing, scoring.quarter_before(terms.window(about.today))),
    }
    return pd.DataFrame([*rows, *({"method": name, "part": "total", "value": value} for name, value in values.items())], columns=columns)


def _row(method: str, part: str, value: float, runs: Floats) -> dict[str, object]:
    bounds = zip(scoring.BOUNDS, np.quantile(runs, list(scoring.BOUNDS.values())), strict=True)
    return {"method": method, "part": part, "value": value, **{name: float(bound) for name, bound in bounds}}


def distribution(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row per class of value: from_value, to_value, share (of the simulated quarters), share_reached (of those that reach
    from_value). Nothing without a forecast.
    """
    found = source.remember(made, filters, deals, terms)
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
    about, found = source.remember(asked, filters, deals), source.remember(made, filters, deals, terms)
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
    quotas = _quotas(source, filters, deals, window)
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


def _chances(about: Asked, found: Forecast | None) -> dict[str, Floats]:
    """Return the chances of each deal, by place in its rows; unknown of those that are not open, or undated."""
    chances = {name: np.full(len(about.deals), np.nan) for name in ("timed", "ever")}
    if found is not None:
        place = np.searchsorted(about.deals["deal_number"].to_numpy(), found.deal)
        chances["timed"][place], chances["ever"][place] = found.timed, found.ever
    return chances


def stage_probabilities(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open stage in order: stage, stage_name, visits (deals that entered it, each time), open_deals, open, probability
    (share of those who enter that are won in the end), low, high (95% of draws of the rates), assumed (by the source).
    """
    about, found = source.remember(asked, filters, deals), source.remember(made, filters, deals, THIS_QUARTER)
    columns = ["stage", "stage_name", "visits", "open_deals", "open", "probability", "low", "high", "assumed"]
    if about is None or found is None:
        return pd.DataFrame(columns=columns)
    names = source(stage_rows()).set_index("stage").rename(columns={"assumed_win_probability": "assumed"})
    states = np.arange(len(about.told.stages))
    low, high = np.quantile(found.of_stage[1:, : len(states)], [0.025, 0.975], axis=0)
    order = names.reindex(list(about.told.stages))
    return pd.DataFrame(
        {
            "stage": about.told.stages,
            "stage_name": order["stage_name"].to_numpy(),
            "visits": np.bincount(about.told.visits.state, minlength=len(states) + 2)[: len(states)],
            "open_deals": np.bincount(found.state, minlength=len(states)),
            "open": np.bincount(found.state, weights=np.nan_to_num(found.amount), minlength=len(states)),
            "probability": found.of_stage[0, : len(states)],
            "low": low,
            "high": high,
            "assumed": order["assumed"].to_numpy(dtype=float),
            "place": order["stage_order"].to_numpy(dtype=float),
        }
    ).sort_values("place", kind="stable", ignore_index=True)[columns]


# ── past forecasts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def backtest(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per forecast of a past quarter, made with what was known on its day alone, in order of time.

    quarter_on, made_on, days_in (days after the quarter's first), won (by then), forecast (median), low, high (80%), low_95, high_95,
    widening (of the bands, by the quarters before), share_below (of the simulated quarters that bring less than what came, before any
    widening: spread evenly from 0 to 1 where forecasts are right), actual (what came), error ((forecast - actual) / actual), is_inside (of
    the 80% band), weighted, assumed, last_quarter (what other methods said). None of a day on which fewer than 100 deals were closed.
    """
    return source.remember(past, filters, deals)


def scores(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per method and days into the quarter: method, days_in, forecasts, mape (mean absolute error, relative), bias (mean
    error, relative); of the simulation also inside, coverage (forecasts whose 80% band held what came, and their share), low, high
    (Wilson, 95%), share_below (mean; 0.5 where nothing leans).
    """
    return scoring.scores(backtest(source, filters, deals))


TABLES: dict[str, Table] = {
    "forecast_tiles": forecast_tiles,
    "forecast_basis": forecast_basis,
    "forecast": forecast_rows,
    "distribution": distribution,
    "forecast_by_seller": forecast_by_seller,
    "forecast_by_team": forecast_by_team,
    "stage_probabilities": stage_probabilities,
    "backtest": backtest,
    "scores": scores,
}
