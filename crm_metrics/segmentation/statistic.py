"""From what customers bought to their scores and segments, and what the segments hold."""

import math
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.customer_forecast.statistic import COSTS_NEEDED
from crm_metrics.metric import tile
from crm_metrics.purchase_model.groups import Floats, Integers
from crm_metrics.segmentation import metrics
from crm_metrics.segmentation.rfm import (
    AT_RISK,
    BEST,
    MEASURES,
    SCORES,
    SEGMENT_NAMES,
    Cuts,
    RfmTerms,
    quantile_cuts,
    score,
    score_range,
    segment_places,
)

SCORE_COLUMNS = ("recency_score", "frequency_score", "monetary_score")
_NARROW = {"customer_number": "int32", "days_since_last_order": "int32", "orders": "int32"}


class Scored(NamedTuple):
    """Every customer up to a day, by customer_number, and the cut points.

    customers: the columns of query.customer_purchases, SCORE_COLUMNS, segment (its place in SEGMENTS).
    """

    customers: pd.DataFrame
    cuts: Cuts


def cuts_of(purchases: pd.DataFrame, terms: RfmTerms) -> Cuts:
    """Return the cut points given, and for measures without any the quintiles of `purchases`."""
    return Cuts(*[getattr(terms, measure) or quantile_cuts(purchases[measure].to_numpy(dtype=float)) for measure in MEASURES])


def with_scores(purchases: pd.DataFrame, cuts: Cuts) -> pd.DataFrame:
    """Return `purchases` with their scores and segment."""
    scores = [
        score(purchases[measure].to_numpy(dtype=float), points, fewer_is_better=measure == "days_since_last_order").astype(np.int8)
        for measure, points in zip(MEASURES, cuts, strict=True)
    ]
    segment = segment_places()[tuple(each - 1 for each in scores)].astype(np.int8)
    return purchases.astype(_NARROW).assign(**dict(zip(SCORE_COLUMNS, scores, strict=True)), segment=segment)


def share(part: float, whole: float) -> float:
    """Return part / whole; unknown where there is no positive whole."""
    return part / whole if whole > 0 else math.nan


def tile_rows(customers: pd.DataFrame) -> list[dict[str, object]]:
    """Return the tiles that sales alone tell: customers, best_customers_share, at_risk_revenue."""
    segment, net = customers["segment"].to_numpy(), customers["net_revenue"].to_numpy()
    is_best, is_at_risk = (np.isin(segment, [SEGMENT_NAMES.index(name) for name in names]) for names in (BEST, AT_RISK))
    at_risk = float(net[is_at_risk].sum()) if len(customers) else math.nan
    return [
        tile(metrics.CUSTOMERS, len(customers), len(customers)),
        tile(metrics.BEST_CUSTOMERS_SHARE, share(float(net[is_best].sum()), float(net.sum())), int(is_best.sum())),
        tile(metrics.AT_RISK_REVENUE, at_risk, int(is_at_risk.sum())),
    ]


def lapse_tile_rows(customers: pd.DataFrame, lapse: pd.DataFrame) -> list[dict[str, object]]:
    """Return the tiles about silence: lapsed_share, with the limit's interval, and lapse_limit_days. lapse: see `lapse_row`."""
    days, row = customers["days_since_last_order"].to_numpy(), lapse.iloc[0]
    limits = row[["recommended_days", "recommended_high", "recommended_low"]].astype(float)
    silent, low, high = (share(float((days > limit).sum()), len(days)) if limit == limit else math.nan for limit in limits)  # noqa: PLR0124
    limit, earliest, latest = row[["recommended_days", "recommended_low", "recommended_high"]].astype(float)
    return [
        tile(metrics.LAPSED_SHARE, silent, len(days), low=low, high=high),
        tile(metrics.LAPSE_LIMIT_DAYS, limit, int(row["gaps"]), low=earliest, high=latest),
    ]


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Margins(NamedTuple):
    """Gross margin of each customer, unknown without costs. cost_coverage: share of all net revenue whose cost is known."""

    margins: Floats
    cost_coverage: float


def gross_margins(customers: pd.DataFrame, everybody: pd.DataFrame | None = None) -> Margins:
    """Return the margins where the costs of COSTS_NEEDED of net revenue are known; the rest earns the margin share of the others.

    customers: net_revenue, costed_revenue, cost_of_goods. everybody: of whom that is told, or the margins of parts of them would not add
    up to theirs; None: of `customers`.
    """
    names = ("net_revenue", "costed_revenue", "cost_of_goods")
    net, costed, cost = (customers[name].to_numpy(dtype=float) for name in names)
    all_net, all_costed, all_cost = (float((customers if everybody is None else everybody)[name].sum()) for name in names)
    coverage = share(all_costed, all_net)
    if not (all_costed > 0 and abs(1 - coverage) <= 1 - COSTS_NEEDED):
        return Margins(np.full(len(net), np.nan), coverage)
    return Margins(costed - cost + (net - costed) * ((all_costed - all_cost) / all_costed), coverage)


def segment_rows(customers: pd.DataFrame, margins: Floats, forecast: pd.DataFrame) -> pd.DataFrame:
    """Return one row per segment in the order of SEGMENTS, empty ones too (see tables.segments).

    forecast: probability_alive and expected_value of the same customers, row by row.
    """
    segment = customers["segment"].to_numpy()
    count = np.bincount(segment, minlength=len(SEGMENT_NAMES))
    size = np.where(count > 0, count, np.nan)

    def sums(values: pd.Series | Floats) -> Floats:
        return np.asarray(np.bincount(segment, weights=np.asarray(values, dtype=float), minlength=len(count)), dtype=float)

    net, margin = sums(customers["net_revenue"]), _known(sums(margins), margins)
    alive, value = forecast["probability_alive"].to_numpy(dtype=float), forecast["expected_value"].to_numpy(dtype=float)
    is_known = ~np.isnan(alive)
    counted = sums(is_known)
    expected = _known(sums(value), value)
    days = customers["days_since_last_order"].to_numpy()
    return pd.DataFrame(
        {
            "segment": SEGMENT_NAMES,
            "customers": count,
            "customers_share": count / (len(customers) or math.nan),
            "net_revenue": net,
            "net_revenue_share": net / _positive(net.sum()),
            "recent_revenue": sums(customers["recent_revenue"]),
            "gross_margin": margin,
            "gross_margin_share": margin / _positive(margin.sum()),
            "days_since_last_order_median": [np.median(days[segment == place]) if count[place] else np.nan for place in range(len(count))],
            "orders_mean": sums(customers["orders"]) / size,
            "probability_alive": sums(np.where(is_known, alive, 0.0)) / np.where(counted > 0, counted, np.nan),
            "expected_value": expected,
            "expected_value_per_customer": expected / size,
        }
    )


def _known(sums: Floats, values: Floats) -> Floats:
    """Return `sums`, all unknown where any of `values` is."""
    return np.full(len(sums), np.nan) if np.isnan(values).any() else sums


def _positive(whole: float) -> float:
    return whole if whole > 0 else math.nan


def named_segments(segment: Integers) -> np.ndarray:
    """Return the names of places in SEGMENTS."""
    return np.array(SEGMENT_NAMES, dtype=object)[segment]


def cell_rows(customers: pd.DataFrame, axes: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per combination of the scores `axes`, empty ones too, highest scores first: the scores, segment, customers,
    customers_share, net_revenue, net_revenue_share.
    """
    shape = (SCORES,) * len(axes)
    cell = np.ravel_multi_index([customers[name].to_numpy().astype(np.int64) - 1 for name in axes], shape)
    count = np.bincount(cell, minlength=SCORES ** len(axes))
    net = np.bincount(cell, weights=customers["net_revenue"].to_numpy(), minlength=len(count))
    scores = np.unravel_index(np.arange(len(count)), shape)
    places = segment_places()[scores] if axes == SCORE_COLUMNS else segment_places()[..., 0][scores]
    table = pd.DataFrame(
        {
            **{name: each + 1 for name, each in zip(axes, scores, strict=True)},
            "segment": named_segments(places),
            "customers": count,
            "customers_share": count / (len(customers) or math.nan),
            "net_revenue": net,
            "net_revenue_share": net / _positive(net.sum()),
        }
    )
    return table[::-1].reset_index(drop=True)


def cut_rows(scored: Scored, terms: RfmTerms) -> pd.DataFrame:
    """Return one row per measure and score (see tables.cut_points)."""
    parts = []
    for measure, column in zip(MEASURES, SCORE_COLUMNS, strict=True):
        grouped = scored.customers.groupby(column)[measure].agg(["min", "max", "size"]).reindex(range(1, SCORES + 1))
        ranges = [score_range(measure, each, each, cuts=scored.cuts) for each in grouped.index]
        part = pd.DataFrame(
            {
                "measure": measure,
                "score": grouped.index,
                "low": grouped["min"].to_numpy(dtype=float),
                "high": grouped["max"].to_numpy(dtype=float),
                "cut_from": [math.nan if low is None else low for low, _ in ranges],
                "cut_to": [math.nan if high is None else high for _, high in ranges],
                "customers": grouped["size"].fillna(0).to_numpy(dtype=np.int64),
                "is_given": bool(getattr(terms, measure)),
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def customer_rows(customers: pd.DataFrame, forecast: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return one row per customer, the highest net revenue first, equal ones by customer_id (see tables.rfm).

    forecast: customer_id, customer_name, probability_alive, expected_value of the same customers, row by row.
    """
    scores = [customers[name].to_numpy().astype(np.int64) for name in SCORE_COLUMNS]
    digits = scores[0] * 100 + scores[1] * 10 + scores[2]
    table = pd.DataFrame(
        {
            "customer_id": forecast["customer_id"],
            "customer_name": forecast["customer_name"],
            "segment": named_segments(customers["segment"].to_numpy()),
            **{name: customers[name] for name in (*MEASURES, *SCORE_COLUMNS)},
            "rfm": np.array([str(number) for number in range(10 ** len(scores))], dtype=object)[digits],
            "last_on": pd.Timestamp(as_of) - pd.to_timedelta(customers["days_since_last_order"], unit="D"),
            "probability_alive": forecast["probability_alive"],
            "expected_value": forecast["expected_value"],
        }
    )
    return table.take(np.lexsort((forecast["place"], -customers["net_revenue"].to_numpy()))).reset_index(drop=True)
