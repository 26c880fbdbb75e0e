"""The tables of this part, and the queries behind them."""

import math

import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson
from crm_metrics.metric import TILE_COLUMNS, Metric, ratio, tile
from crm_metrics.pipeline.deals import metrics, query
from crm_metrics.pipeline.deals.days import asked_day
from crm_metrics.pipeline.deals.metrics import METRICS
from crm_metrics.pipeline.deals.pipelines import deal_pipelines
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.rooms import Table

__all__ = ["METRICS", "TABLES", "headline"]


READ_FIRST = (
    *("opportunity_id", "opportunity_name", "customer_name", "owner_name", "stage_name", "outcome"),
    *("created_on", "expected_close_on", "closed_on", "deal_amount"),
)
"""The columns by which a deal is known at a glance."""
COUNTED = ("deal_number", "stage", "outcome", "created_on", "closed_on", "deal_amount")
"""The columns that most numbers are made of: the names and texts of 200,000 deals take four times as long to fetch."""


def queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> tuple[Select, ...]:
    """Return the queries that the deals come from, to be shown."""
    return (query.deal_rows(filters, terms, asked_day(source, filters)),)


def standing(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return one row per deal as it stands today, whenever it was created: these columns of query.deals, all where none are named."""
    return source(query.deal_rows(filters, terms, asked_day(source, filters), columns))


def created(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the rows of `standing` of deals created in the period, or on an unknown day; created_on must be among the columns."""
    return of_period(standing(source, filters, terms, columns), filters)


def of_period(rows: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """Return those of the deals that were created in the period, or on an unknown day."""
    day = rows["created_on"]
    outside = pd.Series(data=False, index=rows.index)
    if filters.start:
        outside |= day < pd.Timestamp(filters.start)
    if filters.end:
        outside |= day > pd.Timestamp(filters.end)
    return rows[~outside] if outside.any() else rows


def basis(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row: what limits the deals of these filters.

    deals: created in the period or on an unknown day. undated: of them, those of an unknown day, which stay in whatever the period.
    unvalued: of them, those without a value, which are in counts and in no sum. held, held_with_history: all deals that the reader may
    see, and those of them with a change in the history.
    """
    rows, held = created(source, filters, terms, COUNTED), source(query.held(filters.scope)).iloc[0]
    counts = {"deals": len(rows), "undated": rows["created_on"].isna().sum(), "unvalued": rows["deal_amount"].isna().sum()}
    return pd.DataFrame([{**counts, "held": held["deals"], "held_with_history": held["with_history"]}])


def tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (Wilson, 95%), unit, n (deals it is about)."""
    every = standing(source, filters, terms, COUNTED)
    rows = of_period(every, filters)
    won, lost, still_open = (rows[rows["outcome"] == outcome] for outcome in (query.WON, query.LOST, query.OPEN))
    in_pipeline = every.loc[every["outcome"] == query.OPEN, "deal_amount"]
    open_value = in_pipeline.dropna()
    days = (won["closed_on"] - won["created_on"]).dt.days.dropna().clip(lower=0)  # closed before its creation: on it
    value = won["deal_amount"].dropna()
    return pd.DataFrame(
        [
            tile(metrics.DEALS_CREATED, len(rows), len(rows)),
            rate_tile(metrics.WIN_RATE_OF_CLOSED, len(won), len(won) + len(lost)),
            rate_tile(metrics.WIN_RATE_OF_ALL, len(won), len(won) + len(lost) + len(still_open)),
            tile(metrics.WON_VALUE, value.sum() if len(value) or not len(won) else math.nan, len(value)),
            tile(metrics.OPEN_VALUE, open_value.sum() if len(open_value) or not len(in_pipeline) else math.nan, len(open_value)),
            tile(metrics.WON_CYCLE_DAYS, days.median(), len(days)),
        ]
    )


def rate_tile(metric: Metric, part: int, whole: int) -> dict[str, object]:
    """Return the tile of a share: part of whole, with Wilson's interval."""
    low, high = wilson(part, whole)
    return tile(metric, ratio(part, whole), whole, low=low, high=high)


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's tiles for the overview, the open pipeline and the win rate of closed deals; nothing where there are no deals."""
    found = tiles(source, filters) if len(standing(source, filters)) else pd.DataFrame(columns=TILE_COLUMNS)
    wanted = [metrics.OPEN_VALUE.name, metrics.WIN_RATE_OF_CLOSED.name]
    return found[found["metric"].isin(wanted)].reset_index(drop=True)


def deals(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per deal created in the period or on an unknown day, as it stands today: the columns of query.deals,
    READ_FIRST first.
    """
    rows = created(source, filters, terms)
    return rows[[*READ_FIRST, *rows.columns.drop([*READ_FIRST, "deal_number"]), "deal_number"]]


TABLES: dict[str, Table] = {"tiles": tiles, "deals": deals, "deal_basis": basis, "deal_pipelines": deal_pipelines}
