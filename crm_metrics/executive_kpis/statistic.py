"""From sums to metrics: tiles, comparison, trend, targets, reconciliation."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from crm_metrics.executive_kpis.metrics import ADDITIVE, METRICS
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.intervals import Interval, wilson
from crm_metrics.language import noop
from crm_metrics.metric import TILE_COLUMNS, Metric
from crm_metrics.periods import Grain, Period, bucket_starts, is_unfinished, next_bucket

NAMES = [metric.name for metric in METRICS]
COMPARISON_COLUMNS = [
    *("metric", "unit", "value", "compared_value", "change", "change_kind", "is_good"),
    *("target", "target_share", "reason", "target_reason"),
]
TARGET_COLUMNS = ["metric", "month_on", "region", "target_value", "is_edited"]
MONEY_DIGITS = 4  # amounts are kept so: what a difference of sums holds beyond them is noise of the arithmetic
CHANGE_DIGITS = 12  # beyond them the databases' arithmetic differs: equal shares must not count as better or worse
MOST_HELD = 0.8  # a first bucket with less of its days would draw a low that no customer made
FEWEST_DRAWN = 3  # a trend of fewer points keeps its cut beginning
_UNKNOWN_WHERE_EMPTY = ("cost_of_goods", "bucket_on", "dimension_value")
_COUNTED_OVER = {  # what n counts; orders, returns and credit notes unless named here
    "gross_margin": "costed_lines",
    "gross_margin_share": "costed_lines",
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
    "data_end_earlier": noop("There is nothing to compare: the data end on {last_on}, before the period begins."),
}
"""Why there is no comparison, by the reason in the comparison table."""

NO_TARGET: dict[str, str] = {
    "not_by_choice": noop("Targets are set for the company and for regions: under a channel or a category there is none."),
    "not_additive": noop("Months do not add up to a period here, so there is no target for it."),
    "not_set": noop("No target is set."),
    "months_missing": noop("Not every month of this period has a target, so there is none for the period."),
}
"""Why there is no target, by the reason in the comparison table."""


# ── metrics from sums ───────────────────────────────────────────────────────────────────────────────────────────────────


def measured(totals: pd.DataFrame) -> pd.DataFrame:
    """Return `totals` with every metric of the room as a column; ratios over nothing are NaN, sums over nothing 0."""
    sums = totals.drop(columns=[name for name in _UNKNOWN_WHERE_EMPTY if name in totals]).astype("float64").fillna(0.0)
    costs = totals["cost_of_goods"].astype("float64")
    margin = sums["costed_revenue"] - costs
    metrics = {
        "returns": (sums["gross_revenue"] - sums["net_revenue"]).round(MONEY_DIGITS),
        "revenue_customer_unknown": (sums["net_revenue"] - sums["net_revenue_identified"]).round(MONEY_DIGITS),
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


class Aims(NamedTuple):
    """The targets of a period by metric, and for the metrics without one why (keys of NO_TARGET)."""

    values: dict[str, float]
    reasons: dict[str, str]


def as_held(filters: Filters, held: Period) -> Filters:
    """Return `filters` with a missing end filled from the days that the data hold, and a later end cut to their last day.

    So a month of which nine days have come is compared with nine days. A period after the data stays as it is.
    """
    end = min(filters.end or held.end, held.end)
    start = filters.start or held.start
    return replace(filters, start=start, end=end) if start <= end else replace(filters, start=start, end=filters.end or start)


def comparison_rows(now: pd.DataFrame, before: pd.DataFrame | None, *, aims: Aims, reason: str) -> pd.DataFrame:
    """Return one row per metric: COMPARISON_COLUMNS. now, before: one row of `measured` each; before None: nothing to compare with.

    change: relative to the absolute compared value ('relative'), or for shares the difference ('points', 0.01 is one point); NaN
    where either is unknown or the relative one starts from 0. is_good: None without a change or a direction.
    target_share: value / target. reason: why there is no comparison (a key of NO_COMPARISON), else ''; target_reason: likewise
    (NO_TARGET).
    """
    rows = []
    for metric in METRICS:
        value = float(now[metric.name].iloc[0])
        compared = float(before[metric.name].iloc[0]) if before is not None else np.nan
        change = change_of(value, compared, metric=metric)
        kind = "points" if metric.unit == "share" else "relative"
        target = aims.values.get(metric.name, np.nan)
        why = reason, aims.reasons.get(metric.name, "")
        rows.append((metric.name, metric.unit, value, compared, change, kind, is_good(change, metric), target, value / target, *why))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS).astype({"is_good": "object"})


def change_of(value: float, compared: float, *, metric: Metric) -> float:
    """Return the change from `compared` to `value`: the difference for shares, else relative to |compared|; NaN where unknown.

    Rounded to CHANGE_DIGITS.
    """
    if metric.unit == "share":
        return round(value - compared, CHANGE_DIGITS)
    return round((value - compared) / abs(compared), CHANGE_DIGITS) if compared else np.nan


def is_good(change: float, metric: Metric) -> bool | None:
    """Return whether `change` goes the way that is good for the metric; None where it does not move, is unknown or has no direction."""
    if metric.better == "neither" or np.isnan(change) or not round(change, CHANGE_DIGITS):
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

    Targets are set for the company and for regions: under a channel, a category or a segment there is nothing to hold a figure against.
    """
    if filters.channel or filters.category or filters.segments or UNKNOWN in filters.region:
        return None
    return filters.region or filters.scope.regions or ("",)


def period_targets(targets: pd.DataFrame, period: Period, regions: tuple[str, ...] | None) -> dict[str, float]:
    """Return the target of each additive metric for `period`: those of its months, each by the share of its days that lie in the period.

    Only where every month that the period touches has one, in each of `regions`.
    """
    shares = month_shares(period)
    if regions is None:
        return {}
    months = targets["month_on"].dt.date
    wanted = targets[months.isin(shares) & targets["region"].isin(regions) & targets["metric"].isin(ADDITIVE)]
    weighted = wanted.assign(part=wanted["target_value"] * months.map(shares))
    sums = weighted.groupby("metric")["part"].agg(["sum", "size"])
    whole = sums[sums["size"] == len(shares) * len(set(regions))]
    return {str(metric): float(value) for metric, value in whole["sum"].items()}


def month_shares(period: Period) -> dict[date, float]:
    """Return for each month that `period` touches the share of its days that lie in it, by the month's first day.

    >>> month_shares(Period(date(2024, 4, 16), date(2024, 5, 31)))
    {datetime.date(2024, 4, 1): 0.5, datetime.date(2024, 5, 1): 1.0}
    """
    shares = {}
    for month_on in bucket_starts(period, "month"):
        last_on = min(add_days(next_bucket(month_on, "month"), -1), period.end)
        shares[month_on] = ((last_on - max(month_on, period.start)).days + 1) / monthrange(month_on.year, month_on.month)[1]
    return shares


def aims(targets: pd.DataFrame, period: Period, regions: tuple[str, ...] | None) -> Aims:
    """Return the targets for `period`, and why there is none for the other metrics."""
    values = period_targets(targets, period, regions)
    months = targets["month_on"].dt.date
    touched = set(targets.loc[months.isin(month_shares(period)) & targets["region"].isin(regions or ()), "metric"])
    reasons = {}
    for name in (name for name in NAMES if name not in values):
        if regions is None:
            reasons[name] = "not_by_choice"
        elif name not in ADDITIVE:
            reasons[name] = "not_additive"
        else:
            reasons[name] = "months_missing" if name in touched else "not_set"
    return Aims(values, reasons)


# ── over time ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def trend_rows(buckets: pd.DataFrame, *, period: Period, grain: Grain) -> pd.DataFrame:
    """Return one row per bucket of `period`, empty ones too: bucket_on, every metric, is_unfinished, share_held.

    is_unfinished: cut by an end of the period. share_held: the share of the bucket's days that lie in the period.
    """
    starts = bucket_starts(period, grain)
    frame = buckets.assign(bucket_on=pd.to_datetime(buckets["bucket_on"])).set_index("bucket_on").reindex(pd.DatetimeIndex(starts))
    found = measured(frame.rename_axis("bucket_on").reset_index())
    flags = [is_unfinished(start, grain, period) for start in starts]
    buckets_days = [Period(start, add_days(next_bucket(start, grain), -1)) for start in starts]
    held = [Period(max(bucket.start, period.start), min(bucket.end, period.end)).days / bucket.days for bucket in buckets_days]
    return found[["bucket_on", *NAMES]].assign(is_unfinished=flags, share_held=held)


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


def drawn(trend: pd.DataFrame) -> pd.DataFrame:
    """Return the buckets that are drawn: all but a first one of which the beginning of the period leaves less than MOST_HELD.

    One day of a month is no low point of the year. It stays in the table, and a trend of fewer than FEWEST_DRAWN points keeps it.
    """
    is_cut = len(trend) >= FEWEST_DRAWN and trend["share_held"].iloc[0] < MOST_HELD
    return trend.iloc[1:].reset_index(drop=True) if is_cut else trend


def drawn_beside(earlier: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Return the compared buckets that stand under those of `shown`; NaN where only the compared one is cut, so it can't be compared."""
    under = earlier[earlier["bucket_on"].isin(shown["bucket_on"])].reset_index(drop=True)
    held = shown.set_index("bucket_on")["share_held"].reindex(under["bucket_on"]).to_numpy(dtype=float)
    only_compared_is_cut = (under["share_held"].to_numpy(dtype=float) < MOST_HELD) & (held >= MOST_HELD)
    return under.assign(**{name: under[name].mask(only_compared_is_cut) for name in NAMES})


def sparks(trend: pd.DataFrame, metrics: Iterable[Metric]) -> dict[str, tuple[list[float], list[bool]]]:
    """Return the small lines of the tiles: values and which of them are unfinished, by metric; a cut beginning is left out."""
    shown = drawn(trend)
    unfinished = shown["is_unfinished"].astype(bool).tolist()
    return {metric.name: (shown[metric.name].tolist(), unfinished) for metric in metrics}


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
