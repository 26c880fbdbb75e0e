"""What the tables of this part rest on: the deals as they stand, the forecast made of them, and past ones."""

import math
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import ratio
from crm_metrics.pipeline.deals.days import deal_days, whatever_period
from crm_metrics.pipeline.deals.query import LOST, OPEN, WON, stage_rows
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.forecast import query, scoring
from crm_metrics.pipeline.forecast.history import Floats, History, Standing, corrected, day_number, history, stand
from crm_metrics.pipeline.forecast.seen import RECENT_DAYS
from crm_metrics.pipeline.forecast.simulation import FEWEST_CLOSED, Forecast, closed_by, forecast, won_in
from crm_metrics.pipeline.forecast.snapshot import snapshot
from crm_metrics.pipeline.forecast.terms import THIS_QUARTER, ForecastTerms, Window

_NOTHING = dict.fromkeys(("won", "open", "quota", "needed", "last_value"), math.nan) | dict.fromkeys(
    ("won_deals", "open_deals", "unvalued", "undated", "closed", "told", "sellers", "spread", "past"), 0
)
_NO_QUOTA_BY = ("source", "product", "market", "pipeline")  # a quota is a seller's, not for some of the deals alone


class Asked(NamedTuple):
    """What the forecast is made from. deals: rows of query.standing, today's. told, standing: the same as arrays."""

    today: date
    deals: pd.DataFrame
    told: History
    standing: Standing


# ── asked once per version, choices and terms ───────────────────────────────────────────────────────────────────────────


def asked(source: Source, filters: Filters, deals: DealTerms) -> Asked | None:
    """Return what the forecast is made from; None without any deal."""
    return source.remember(_asked, whatever_period(filters), deals)


def _asked(source: Source, filters: Filters, deals: DealTerms) -> Asked | None:
    days = deal_days(source, filters)
    if days is None:
        return None
    told = history(source(query.moves(filters, deals, days.on)))
    rows = source(query.standing(filters, deals, days.on))
    return Asked(days.today, rows, told, corrected(stand(told, day_number(days.today)), rows, told))


def drawn(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> Forecast | None:
    """Return the forecast as simulated, whatever came of past ones; None where too few deals are closed."""
    return source.remember(_drawn, whatever_period(filters), deals, terms)


def _drawn(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> Forecast | None:
    about = asked(source, filters, deals)
    if about is None or closed_by(about.standing, about.told) < FEWEST_CLOSED:
        return None
    window = terms.window(about.today)
    return forecast(about.told, snapshot(about.told, about.standing, window), window)


def made(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> Forecast | None:
    """Return the forecast with the spread between quarters that past ones show; None where too few deals are closed."""
    return source.remember(_made, whatever_period(filters), deals, terms)


def _made(source: Source, filters: Filters, deals: DealTerms, terms: ForecastTerms) -> Forecast | None:
    about, found = asked(source, filters, deals), drawn(source, filters, deals, terms)
    if about is None or found is None:
        return None
    return scoring.between_quarters(found, terms.window(about.today), _spread(backtest(source, filters, deals)))


def _spread(past: pd.DataFrame) -> float:
    return scoring.spread_between(past["off"].tolist(), past["chance_spread"].tolist())


def _past(source: Source, filters: Filters, deals: DealTerms) -> pd.DataFrame:
    about = asked(source, filters, deals)
    if about is None or not len(about.told.rows.day):
        return pd.DataFrame(columns=scoring.PAST)
    windows = scoring.past_windows(date.fromordinal(date(1970, 1, 1).toordinal() + about.told.first), about.today)
    return scoring.past_forecasts(about.told, about.standing, windows, assumed(source, about.told))


def assumed(source: Source, told: History) -> Floats:
    """Return the chance of winning that the source assumes, by state."""
    known = source(stage_rows()).set_index("stage")["assumed_win_probability"]
    return np.append(known.reindex(list(told.stages)).to_numpy(dtype=float), [0.0, 1.0])


def quotas(source: Source, filters: Filters, deals: DealTerms, window: Window) -> pd.DataFrame:
    """Return the rows of query.seller_quotas for a quarter; none where they are not for the deals in view."""
    rows = source(query.seller_quotas(filters, deals, window.start_on))
    return rows if is_quota_apt(filters, deals) else rows.head(0)


def is_quota_apt(filters: Filters, deals: DealTerms) -> bool:
    """Return whether the quotas of the sellers are for the deals in view: no choice takes a part of a seller's deals."""
    return not (filters.category or filters.segments or any(getattr(deals, key) for key in _NO_QUOTA_BY))


def forecast_basis(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS, terms: ForecastTerms = THIS_QUARTER) -> pd.DataFrame:
    """Return one row: what the forecast rests on.

    today, start_on, end_on: the reader's day, the quarter's first and last. won, won_deals: in the quarter so far. open, open_deals:
    today. unvalued: open deals of unknown value. undated: deals whose day of creation is unknown, open today. closed: deals won or lost
    so far. told: changes that the history holds. quota (NaN: none), sellers: with a quota. is_quota_apt: quotas are for the deals in
    view. needed: coverage that was needed by the win rate by value of deals closed in the last 365 days. last_value: won in the last
    quarter that is over. spread: standard deviation between quarters of what is still to come, as a share of it, besides chance. past:
    past forecasts behind it.
    """
    about = asked(source, filters, deals)
    if about is None:
        return pd.DataFrame([_NOTHING])
    window, rows = terms.window(about.today), about.deals
    still_open, before = rows[rows["outcome"] == OPEN], backtest(source, filters, deals)
    won, of_sellers = about.standing.amount[won_in(about.standing, about.told, window)], quotas(source, filters, deals, window)
    lately = rows[(rows["closed_on"] > pd.Timestamp(about.today) - pd.Timedelta(days=RECENT_DAYS)).to_numpy()]
    value = lately.groupby("outcome")["deal_amount"].sum(min_count=1).reindex([WON, LOST])
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
        "quota": of_sellers["quota"].sum(min_count=1),
        "sellers": len(of_sellers),
        "is_quota_apt": is_quota_apt(filters, deals),
        "needed": ratio(value.sum(skipna=False), value[WON]),
        "last_value": scoring.last_full_value(about.told, about.standing, about.today),
        "spread": _spread(before),
        "past": len(before),
    }
    return pd.DataFrame([facts])


def backtest(source: Source, filters: Filters, deals: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per forecast of a past quarter, made with what was known on its day alone (but that the deals in
    view are those that the terms hold today), in order of time.

    quarter_on, made_on, days_in (days after the quarter's first), won (by then), forecast (median), low, high (80%), low_95, high_95, off
    ((what came - the mean) / what was still to come by that mean, as simulated), chance_spread (standard deviation of the simulated
    quarters over the same), spread (between quarters, by the errors of earlier ones: what is added to it), share_below (of the quarters
    drawn that bring less than what came: evenly from 0 to 1 where forecasts are right), actual (what came), error ((forecast - actual) /
    actual), is_inside (of the 80% band), weighted, assumed, last_quarter (what other methods said). None of a day on which fewer than
    100 deals were closed.
    """
    return source.remember(_past, whatever_period(filters), deals)
