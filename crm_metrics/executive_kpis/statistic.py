"""From sums to metrics: tiles, comparison, trend, targets, reconciliation."""

from collections.abc import Iterable
from datetime import date
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.executive_kpis.metrics import ADDITIVE, METRICS
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import noop
from crm_metrics.metric import Metric
from crm_metrics.periods import Grain, Period, add_months, bucket_starts, is_unfinished, next_bucket, whole_months

NAMES = [metric.name for metric in METRICS]
TILE_COLUMNS = ["metric", "value", "low", "high", "unit", "n"]
COMPARISON_COLUMNS = ["metric", "unit", "value", "compared_value", "change", "change_kind", "is_good", "target", "target_share", "reason"]
TARGET_COLUMNS = ["metric", "month_on", "region", "target_value", "is_edited"]
CONFIDENCE = 0.95
_UNKNOWN_WHERE_EMPTY = ("cost_of_goods", "bucket_on", "dimension_value")
_COUNTED_OVER = {  # what n counts; orders, returns and credit notes unless named here
    "gross_margin": "documents_costed",
    "gross_margin_share": "documents_costed",
    "net_revenue_identified": "documents_identified",
    "gross_revenue_identified": "orders_identified",
    "gross_revenue": "orders",
    "orders": "orders",
    "average_order_value": "orders",
    "orders_identified": "orders_identified",
    "active_customers": "active_customers",
    "new_customers": "active_customers",
    "returning_customers": "active_customers",
    "orders_per_customer": "active_customers",
    "repeat_rate": "active_customers",
}
NO_COMPARISON: dict[str, str] = {
    "not_chosen": noop("No comparison is chosen."),
    "all_dates": noop("All dates have nothing before them to compare with."),
    "data_begin_later": noop(
        "There is nothing to compare with: the data begin on {first_on}, and the period before would begin on {start}."
    ),
}
"""Why there is no comparison, by the reason in the comparison table."""


class Interval(NamedTuple):
    """Lower and upper bound."""

    low: float
    high: float


# ── metrics from sums ───────────────────────────────────────────────────────────────────────────────────────────────────


def measured(totals: pd.DataFrame) -> pd.DataFrame:
    """Return `totals` with every metric of the room as a column; ratios over nothing are NaN, sums over nothing 0."""
    sums = totals.drop(columns=[name for name in _UNKNOWN_WHERE_EMPTY if name in totals]).astype("float64").fillna(0.0)
    costs = totals["cost_of_goods"].astype("float64")
    margin = sums["costed_revenue"] - costs
    metrics = {
        "returns": sums["gross_revenue"] - sums["net_revenue"],
        "revenue_customer_unknown": sums["net_revenue"] - sums["net_revenue_identified"],
        "gross_margin": margin,
        "gross_margin_share": ratio(margin, sums["costed_revenue"]),
        "returning_customers": sums["active_customers"] - sums["new_customers"],
        "average_order_value": ratio(sums["net_revenue"], sums["orders"]),
        "orders_per_customer": ratio(sums["orders_identified"], sums["active_customers"]),
        "repeat_rate": ratio(sums["repeat_customers"], sums["active_customers"]),
    }
    keys = {name: totals[name] for name in ("bucket_on", "dimension_value") if name in totals}
    return sums.assign(**keys, **metrics)


def ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Return numerator / denominator, NaN where the denominator is 0."""
    return numerator / denominator.where(denominator != 0)


def wilson(successes: float, total: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's interval of a share (Wilson 1927); NaN over nothing.

    >>> tuple(round(float(bound), 4) for bound in wilson(5, 10))
    (0.2366, 0.7634)
    """
    if not total:
        return Interval(np.nan, np.nan)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / total, z * z / total
    half = z * np.sqrt(share * (1 - share) / total + weight / (4 * total))
    middle = share + weight / 2
    return Interval(max(0.0, (middle - half) / (1 + weight)), min(1.0, (middle + half) / (1 + weight)))


def tile_rows(period: pd.DataFrame) -> pd.DataFrame:
    """Return one row per metric: metric, value, low, high, unit, n. Totals are exact: low and high NaN but for the repeat rate."""
    row = period.iloc[0]
    bounds = {"repeat_rate": wilson(row["repeat_customers"], row["active_customers"])}
    exact = Interval(np.nan, np.nan)
    rows = [
        (metric.name, row[metric.name], *bounds.get(metric.name, exact), metric.unit, int(row[_COUNTED_OVER.get(metric.name, "documents")]))
        for metric in METRICS
    ]
    return pd.DataFrame(rows, columns=TILE_COLUMNS)


def costed_share(tiles: pd.DataFrame) -> float:
    """Return the part of net revenue whose cost is known, from the tiles; NaN where no cost is."""
    value = tiles.set_index("metric")["value"]
    parts = value["gross_margin"], value["gross_margin_share"] * value["net_revenue"]
    return float(parts[0] / parts[1]) if parts[1] else np.nan


# ── comparison and targets ──────────────────────────────────────────────────────────────────────────────────────────────


def comparison_rows(now: pd.DataFrame, before: pd.DataFrame | None, *, targets: dict[str, float], reason: str) -> pd.DataFrame:
    """Return one row per metric: COMPARISON_COLUMNS. now, before: one row of `measured` each; before None: nothing to compare with.

    change: relative to the absolute compared value ('relative'), or for shares the difference ('points', 0.01 is one point); NaN
    where either is unknown or the relative one starts from 0. is_good: None without a change or a direction.
    target_share: value / target. reason: why there is no comparison (a key of NO_COMPARISON), else ''.
    """
    rows = []
    for metric in METRICS:
        value = float(now[metric.name].iloc[0])
        compared = float(before[metric.name].iloc[0]) if before is not None else np.nan
        change = change_of(value, compared, metric=metric)
        kind = "points" if metric.unit == "share" else "relative"
        target = targets.get(metric.name, np.nan)
        rows.append((metric.name, metric.unit, value, compared, change, kind, is_good(change, metric), target, value / target, reason))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS).astype({"is_good": "object"})


def change_of(value: float, compared: float, *, metric: Metric) -> float:
    """Return the change from `compared` to `value`: the difference for shares, else relative to |compared|; NaN where unknown."""
    if metric.unit == "share":
        return value - compared
    return (value - compared) / abs(compared) if compared else np.nan


def is_good(change: float, metric: Metric) -> bool | None:
    """Return whether `change` goes the way that is good for the metric; None where it does not move, is unknown or has no direction."""
    if metric.better == "neither" or not change or np.isnan(change):
        return None
    return (change > 0) == (metric.better == "higher")


def merged_targets(given: pd.DataFrame, edited: pd.DataFrame) -> pd.DataFrame:
    """Return one row per metric, month and region with a target: TARGET_COLUMNS; edited ones win, emptied ones are gone."""
    both = pd.concat([given.assign(is_edited=False), edited.assign(is_edited=True)], ignore_index=True)
    both["month_on"] = pd.to_datetime(both["month_on"]).astype("datetime64[us]")
    kept = both.drop_duplicates(["metric", "month_on", "region"], keep="last").dropna(subset="target_value")
    return kept.sort_values(["metric", "region", "month_on"], ignore_index=True)[TARGET_COLUMNS]


def target_regions(filters: Filters) -> tuple[str, ...] | None:
    """Return the regions whose targets together are for these filters ('' is the whole company); None where there can be none.

    Targets are set for the company and for regions: under a channel or a category there is nothing to hold a figure against.
    """
    if filters.channel or filters.category or UNKNOWN in filters.region:
        return None
    return filters.region or filters.scope.regions or ("",)


def period_targets(targets: pd.DataFrame, period: Period, regions: tuple[str, ...] | None) -> dict[str, float]:
    """Return the target of each additive metric for `period`: the sum of its months, if it is whole months and each has one."""
    months = month_starts(period)
    if regions is None or not months:
        return {}
    wanted = targets[targets["month_on"].dt.date.isin(months) & targets["region"].isin(regions) & targets["metric"].isin(ADDITIVE)]
    sums = wanted.groupby("metric")["target_value"].agg(["sum", "size"])
    whole = sums[sums["size"] == len(months) * len(set(regions))]
    return {str(metric): float(value) for metric, value in whole["sum"].items()}


def month_starts(period: Period) -> list[date]:
    """Return the first days of the calendar months that make up `period`; none if it is not whole calendar months."""
    if period.start.day != 1:
        return []
    return [add_months(period.start, month) for month in range(whole_months(period))]


# ── over time ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def trend_rows(buckets: pd.DataFrame, *, period: Period, grain: Grain) -> pd.DataFrame:
    """Return one row per bucket of `period`, empty ones too: bucket_on, every metric, is_unfinished (cut by an end of the period)."""
    starts = bucket_starts(period, grain)
    frame = buckets.assign(bucket_on=pd.to_datetime(buckets["bucket_on"])).set_index("bucket_on").reindex(pd.DatetimeIndex(starts))
    found = measured(frame.rename_axis("bucket_on").reset_index())
    flags = [is_unfinished(start, grain, period) for start in starts]
    return found[["bucket_on", *NAMES]].assign(is_unfinished=flags)


def with_bucket_targets(trend: pd.DataFrame, targets: pd.DataFrame, *, grain: Grain, regions: tuple[str, ...] | None) -> pd.DataFrame:
    """Return `trend` with target_<metric> for each metric that has any: the bucket's own target, NaN where a month of it has none."""
    periods = [Period(start, add_days(next_bucket(start, grain), -1)) for start in trend["bucket_on"].dt.date]
    found = [period_targets(targets, period, regions) for period in periods]
    names = [name for name in NAMES if any(name in each for each in found)]
    return trend.assign(**{f"target_{name}": [each.get(name, np.nan) for each in found] for name in names})


def add_days(day: date, days: int) -> date:
    """Return the day `days` later."""
    return (pd.Timestamp(day) + pd.Timedelta(days=days)).date()


def beside(trend: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return the buckets of the compared period under those of the period, first under first: bucket_on, compared_on, metrics.

    A bucket that either period lacks is left out.
    """
    rows = min(len(trend), len(earlier))
    under = earlier.head(rows).rename(columns={"bucket_on": "compared_on"}).reset_index(drop=True)
    under.insert(0, "bucket_on", trend["bucket_on"].head(rows).to_numpy())
    return under


def sparks(trend: pd.DataFrame, metrics: Iterable[Metric]) -> dict[str, tuple[list[float], list[bool]]]:
    """Return the small lines of the tiles: values and which of them are unfinished, by metric."""
    unfinished = trend["is_unfinished"].astype(bool).tolist()
    return {metric.name: (trend[metric.name].tolist(), unfinished) for metric in metrics}


# ── reconciliation ──────────────────────────────────────────────────────────────────────────────────────────────────────


def reconciliation_rows(period: pd.DataFrame) -> pd.DataFrame:
    """Return the way from everything sold to the purchases of known customers: step, amount, is_total, documents.

    Each total is the sum of the lines since the total before it, that one included.
    """
    row = period.iloc[0]
    returns_identified = row["gross_revenue_identified"] - row["net_revenue_identified"]
    unknown_documents = row["documents"] - row["documents_identified"]
    steps = [
        ("gross_revenue", row["gross_revenue"], True, row["orders"]),
        ("returns", 0.0 - row["returns"], False, row["documents"] - row["orders"]),
        ("net_revenue", row["net_revenue"], True, row["documents"]),
        ("revenue_customer_unknown", 0.0 - row["revenue_customer_unknown"], False, unknown_documents),
        ("net_revenue_identified", row["net_revenue_identified"], True, row["documents_identified"]),
        ("returns_identified", returns_identified, False, row["documents_identified"] - row["orders_identified"]),
        ("gross_revenue_identified", row["gross_revenue_identified"], True, row["orders_identified"]),
    ]
    return pd.DataFrame(steps, columns=["step", "amount", "is_total", "documents"]).astype({"documents": "int64"})
