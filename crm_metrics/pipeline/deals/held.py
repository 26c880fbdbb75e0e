"""What a data set holds of deals and leads, over all dates."""

from typing import Any

import pandas as pd
from sqlalchemy import Select, case, func, select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.language import date_text, t
from crm_metrics.metric import tile
from crm_metrics.pipeline.deals import metrics, query
from crm_metrics.rooms import Table
from crm_metrics.scope import Scope

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def outcomes_held(scope: Scope) -> Select[Any]:
    """One row: deals, won, that the reader may see, whenever they were created."""
    rows = query.deals(Filters(scope=scope)).c
    is_won = case((rows.outcome == query.WON, 1), else_=0)
    return select(func.count().label("deals"), func.coalesce(func.sum(is_won), 0).label("won"))


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def held_tiles(deals: pd.DataFrame, others: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high, unit, n; from the one row of `outcomes_held`, of `query.held` and of `query.extent`."""
    outcome, other, day = (rows.iloc[0] for rows in (deals, others, days))
    count = int(outcome["deals"])
    length = (day["last_on"] - day["first_on"]).days + 1 if pd.notna(day["first_on"]) else float("nan")
    return pd.DataFrame(
        [
            tile(metrics.DEALS_HELD, count, count),
            tile(metrics.DEALS_WON_HELD, outcome["won"], count),
            tile(metrics.DEALS_WITH_HISTORY, other["with_history"], count),
            tile(metrics.LEADS_HELD, other["leads"], int(other["leads"])),
            tile(metrics.ACTIVITIES_HELD, other["activities"], int(other["activities"])),
            tile(metrics.DEAL_DAYS_HELD, length, count),
        ]
    )


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def held(source: Source, filters: Filters) -> pd.DataFrame:
    """Return what the data set holds of deals: metric, value, low, high, unit, n; no rows where it holds none."""
    scope = filters.scope
    found = held_tiles(source(outcomes_held(scope)), source(query.held(scope)), source(query.extent(scope)))
    return found if found["n"].any() else found.head(0)


def days_held(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: first_on, last_on, the days on which something happened to deals and leads."""
    return source(query.extent(filters.scope))


def tile_notes(days: pd.DataFrame) -> dict[str, str]:
    """Return the small line under a tile, by metric. days: the table days_held."""
    first, last = days.iloc[0][["first_on", "last_on"]]
    if pd.isna(first):
        return {}
    return {metrics.DEAL_DAYS_HELD.name: t("{start} to {end}", start=date_text(first.date()), end=date_text(last.date()))}


TABLES: dict[str, Table] = {"held": held, "days_held": days_held}
