"""The tables of this part."""

import math
from typing import Any

import pandas as pd

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.metric import TILE_COLUMNS, Metric, tile
from crm_metrics.retention.leaving import metrics
from crm_metrics.retention.leaving.asked import choice, chosen
from crm_metrics.retention.leaving.contract_tables import contract_churn, contract_curve, contract_fit, contract_projection
from crm_metrics.retention.leaving.definitions import ALIVE, RHYTHM, USUAL, WINDOW, ChurnTerms
from crm_metrics.retention.leaving.late_tables import churn_agreement, churn_definitions, late, late_customers, with_base
from crm_metrics.retention.leaving.second_tables import curve, second_order
from crm_metrics.rooms import Table
from crm_metrics.survival.kaplan_meier import at

SECOND_ORDER_DAYS = 180


def churn_tiles(source: Source, filters: Filters, terms: ChurnTerms = USUAL) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (95%), unit, n (customers or contracts it is about); those that these data know.

    Of fewer than FEW_CUSTOMERS there is no share.
    """
    today, usual = with_base(source, filters)
    rows = []
    if today:
        found = late(source, filters, terms)
        number = float(found["late"].sum()) if usual else math.nan
        rows.append(_tile(metrics.LATE_CUSTOMERS, (number, math.nan, math.nan), int(source.remember(chosen, choice(filters), today).sum())))
        yearly = churn_definitions(source, filters, terms).set_index("definition")
        for name, metric in _YEARLY.items():
            row: Any = yearly.loc[name]
            rows.append(_tile(metric, (row["rate"], row["low"], row["high"]), 0 if pd.isna(row["customers"]) else int(row["customers"])))
        again = second_order(source, filters)
        there = tuple(again[f"{name}_{SECOND_ORDER_DAYS}"].iloc[0] for name in ("share", "low", "high")) if len(again) else (math.nan,) * 3
        rows.append(_tile(metrics.SECOND_ORDER_SHARE, there, int(again["customers"].sum())))
    return pd.DataFrame([*rows, *_contract_tiles(source, filters)], columns=TILE_COLUMNS)


_YEARLY = {RHYTHM: metrics.CHURN_BY_RHYTHM, ALIVE: metrics.CHURN_BY_ALIVE, WINDOW: metrics.CHURN_BY_WINDOW}


def _contract_tiles(source: Source, filters: Filters) -> list[dict[str, object]]:
    churn, found = contract_churn(source, filters), contract_curve(source, filters)
    if not len(churn):
        return []
    whole: Any = churn.iloc[0]
    year = at(found[found["is_all"]].rename(columns={"tenure_months": "duration"}), 12)
    return [
        _tile(metrics.CONTRACT_CHURN, (whole.rate, whole.low, whole.high), int(whole.contracts)),
        _tile(metrics.CONTRACTS_RUNNING, (whole.running, math.nan, math.nan), int(whole.contracts)),
        _tile(metrics.CONTRACT_YEAR_SURVIVAL, (year["survival"], year["low"], year["high"]), int(whole.contracts)),
    ]


def _tile(metric: Metric, values: tuple[float, ...], n: int) -> dict[str, object]:
    value, low, high = values if metric.unit != "share" or n >= FEW_CUSTOMERS else (math.nan,) * 3  # of few no rate is read
    return tile(metric, value, n, low=low, high=high)


TABLES: dict[str, Table] = {
    "churn_tiles": churn_tiles,
    "churn_definitions": churn_definitions,
    "churn_agreement": churn_agreement,
    "late": late,
    "late_customers": late_customers,
    "curve": curve,
    "second_order": second_order,
    "contract_churn": contract_churn,
    "contract_curve": contract_curve,
    "contract_fit": contract_fit,
    "contract_projection": contract_projection,
}
