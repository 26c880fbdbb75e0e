"""What quarters, methods and parts are called, and how the columns of the page's tables are headed and printed."""

from datetime import date
from typing import Any

import pandas as pd

from crm_metrics.captions import known_columns
from crm_metrics.language import noop, t, translated

METHODS = {
    "simulation": noop("Simulation"),
    "forecast": noop("Simulation"),
    "timed": noop("Open deals by their chance in this quarter"),
    "weighted": noop("Weighted by own stage history"),
    "assumed": noop("Weighted by the assumed chances"),
    "last_quarter": noop("As the last full quarter"),
}
PARTS = {
    "total": noop("Total"),
    "won": noop("Won so far"),
    "open": noop("From open deals"),
    "reopened": noop("From lost deals reopened"),
    "new": noop("From deals not created yet"),
}
DAYS = {0: noop("First day"), 30: noop("Day 30"), 60: noop("Day 60")}
_BAND: dict[str, tuple[str, Any]] = {"low": (noop("80% from"), "money"), "high": (noop("80% to"), "money")}
_SUMS: dict[str, tuple[str, Any]] = {
    "team": (noop("Team"), "text"),
    "quota": (noop("Quota"), "money"),
    "won": (noop("Won so far"), "money"),
    "attainment": (noop("Won / quota"), "share"),
    "open_deals": (noop("Open deals"), "count"),
    "open": (noop("Open value"), "money"),
    "expected": (noop("Expected by quarter end, without new deals"), "money"),
    "weighted": (noop("Weighted forecast"), "money"),
    "coverage": (noop("Open / (quota - won)"), "ratio"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "forecast": {
        "method_name": (noop("Method"), "text"),
        "part_name": (noop("Part"), "text"),
        "value": (noop("Value"), "money"),
        **_BAND,
        "low_95": (noop("95% from"), "money"),
        "high_95": (noop("95% to"), "money"),
    },
    "seller": {"owner_name": (noop("Owner"), "text"), **_SUMS},
    "team": _SUMS,
    "stages": {
        "stage_name": (noop("Stage"), "text"),
        "visits": (noop("Deals that entered it"), "count"),
        "probability": (noop("Won in the end / entered"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
        "assumed": (noop("Assumed chance"), "share"),
        "open_deals": (noop("Open deals"), "count"),
        "open": (noop("Open value"), "money"),
    },
    "backtest": {
        "quarter": (noop("Quarter"), "text"),
        "made_on": (noop("Forecast made on"), "day"),
        "won": (noop("Won by then"), "money"),
        "forecast": (noop("Forecast"), "money"),
        **_BAND,
        "actual": (noop("What came"), "money"),
        "error": (noop("Error / what came"), "share"),
        "inside": (noop("Inside the band"), "flag"),
        "weighted": (noop("Weighted by own stage history"), "money"),
        "assumed": (noop("Weighted by the assumed chances"), "money"),
        "last_quarter": (noop("As the last full quarter"), "money"),
        "spread": (noop("Spread between quarters, of what was to come"), "share"),
    },
    "scores": {
        "method_name": (noop("Method"), "text"),
        "made": (noop("Made on"), "text"),
        "forecasts": (noop("Forecasts"), "count"),
        "mape": (noop("Mean error, either way"), "share"),
        "bias": (noop("Mean error, + too high"), "share"),
        "coverage": (noop("Inside the 80% band"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
    },
    "log": {
        "quarter": (noop("Quarter"), "text"),
        "made_on": (noop("Forecast made on"), "day"),
        "forecast": (noop("Forecast"), "money"),
        **_BAND,
        "quota": (noop("Quota"), "money"),
        "chance_of_quota": (noop("Chance of the quota"), "share"),
        "actual": (noop("What came"), "money"),
        "error": (noop("Error / what came"), "share"),
        "inside": (noop("Inside the band"), "flag"),
        "data_version": (noop("Data version"), "count"),
    },
}


def columns(table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown (a key of COLUMNS) that `frame` knows something of."""
    return known_columns(COLUMNS, table, frame)


def quarter_name(day: date) -> str:
    """Return the name of the quarter of a day: Q1 2026."""
    return t("Q{quarter} {year}", quarter=(day.month + 2) // 3, year=day.year)


def in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of any table of this part with names for what is a key, or unknown."""
    named: dict[str, Any] = {str(name): column for name, column in rows.items()}
    if "method" in rows:
        named["method_name"] = rows["method"].map(translated(METHODS))
    if "part" in rows:
        named["part_name"] = rows["part"].map(translated(PARTS))
    if "quarter_on" in rows:
        named["quarter"] = [quarter_name(day) for day in rows["quarter_on"]]
    if "days_in" in rows:
        named["made"] = rows["days_in"].map(translated(DAYS))
    if "is_inside" in rows:
        named["inside"] = rows["is_inside"]
    for name in ("owner_name", "team", "stage_name"):
        if name in rows:
            named[name] = rows[name].replace("", None).fillna(t("unknown"))
    return pd.DataFrame(named, index=rows.index)


def names(rows: pd.DataFrame, side: str) -> list[str]:
    """Return the names of the rows of a table. side: seller, team or stage."""
    column = {"seller": "owner_name", "team": "team", "stage": "stage_name"}[side]
    return [str(name) for name in in_words(rows)[column]]
