"""How are we doing, and why did it change?

The room gathers: net revenue and what it is made of, customers and orders, each beside an earlier period and its target, over time,
and the change in revenue split into customers, orders per customer and revenue per order, and by region, channel and category.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Select

from crm_metrics import workspace
from crm_metrics.database import Source
from crm_metrics.executive_kpis import query, statistic, why
from crm_metrics.executive_kpis.columns import HOW, REASONS
from crm_metrics.executive_kpis.figure import bridge_figure, trend_figure, values_figure
from crm_metrics.executive_kpis.metrics import HEADLINE, METRICS, TREND, WITH_TARGET
from crm_metrics.executive_kpis.query import totals, totals_by_bucket, totals_by_value
from crm_metrics.executive_kpis.statistic import costed_share, sparks
from crm_metrics.executive_kpis.words import (
    base_text,
    columns,
    comparable_preset,
    comparison_in_words,
    finding,
    headline_groups,
    headline_notes,
    no_comparison_text,
    offer_text,
    parts_in_words,
    split_alt,
    steps_in_words,
    target_note,
    tile_notes,
    trend_alt,
    trend_note,
    values_in_words,
)
from crm_metrics.filters import CHOICES, UNKNOWN, Filters, compared
from crm_metrics.metric import TILE_COLUMNS, Metric
from crm_metrics.periods import Period, bucket_starts, grain_for
from crm_metrics.rooms import Table, room
from crm_metrics.sales import choice_values, extent
from crm_metrics.scope import Scope

__all__ = [
    "HEADLINE",
    "HEADLINE_ROOMS",
    "HOW",
    "METRICS",
    "REASONS",
    "TABLES",
    "TREND",
    "WITH_TARGET",
    "base_text",
    "bridge_figure",
    "bucket_starts",
    "columns",
    "comparable_preset",
    "comparison_in_words",
    "costed_share",
    "finding",
    "headline_groups",
    "no_comparison_text",
    "offer_text",
    "parts_in_words",
    "sparks",
    "split_alt",
    "steps_in_words",
    "target_note",
    "tile_notes",
    "totals",
    "totals_by_bucket",
    "totals_by_value",
    "trend_alt",
    "trend_figure",
    "trend_note",
    "values_figure",
    "values_in_words",
]
EditedTargets = tuple[tuple[str, date, str, float], ...]
HEADLINE_ROOMS: tuple[str, ...] = ("profitability", "segmentation", "retention", "lifetime_value", "campaign_roi", "pipeline")
"""Rooms with a tile here: each has `headline(source, filters)`, one row of tiles. They are imported only when asked."""

# ── what is there ───────────────────────────────────────────────────────────────────────────────────────────────────────


def data_period(source: Source, scope: Scope) -> Period | None:
    """Return the first and last business day that the reader's data hold; None without data."""
    row = source(extent(scope)).iloc[0]
    return None if pd.isna(row["first_on"]) else Period(row["first_on"].date(), row["last_on"].date())


def shown_period(source: Source, filters: Filters) -> Period | None:
    """Return the days of the period that the data can speak of; None if there are none."""
    held = data_period(source, filters.scope)
    if held is None:
        return None
    period = Period(max(filters.start or held.start, held.start), min(filters.end or held.end, held.end))
    return period if period.start <= period.end else None


def compared_filters(source: Source, filters: Filters) -> tuple[Filters | None, str]:
    """Return the filters of the period to compare with and '', or None and the reason (a key of statistic.NO_COMPARISON)."""
    if filters.compare == "none":
        return None, "not_chosen"
    held = data_period(source, filters.scope)
    if held is None:
        return None, "all_dates"
    known = replace(statistic.as_held(filters, held), segments_on=filters.segments_on or filters.today)
    if known.start is None or known.start > held.end:
        return None, "data_end_earlier"
    if known.start <= held.start and known.end == held.end:
        return None, "all_dates"
    earlier = compared(known, first_on=held.start)
    return (earlier, "") if earlier else (None, "data_begin_later")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per metric: metric, value, low, high, unit, n."""
    return statistic.tile_rows(_measured(source, filters))


def comparison(source: Source, filters: Filters, edited: EditedTargets | None = None) -> pd.DataFrame:
    """One row per metric: value, compared value, change, whether that is good, target and how much of it is reached.

    edited: the targets in the workspace; None reads them.
    """
    earlier, reason = compared_filters(source, filters)
    before = _measured(source, earlier) if earlier else None
    period, wanted = shown_period(source, filters), statistic.target_regions(filters)
    aims = statistic.aims(_targets(source, edited), period, wanted) if period else statistic.Aims({}, {})
    return statistic.comparison_rows(_measured(source, filters), before, aims=aims, reason=reason)


def trend(source: Source, filters: Filters, edited: EditedTargets | None = None) -> pd.DataFrame:
    """One row per day, week, month, quarter or year: bucket_on, every metric, is_unfinished, target_<metric> where set."""
    period = shown_period(source, filters)
    if period is None:
        return pd.DataFrame(columns=["bucket_on", *statistic.NAMES, "is_unfinished", "share_held"])
    grain = grain_for(period)
    found = statistic.trend_rows(source(totals_by_bucket(filters, grain)), period=period, grain=grain)
    return statistic.with_bucket_targets(found, _targets(source, edited), grain=grain, regions=statistic.target_regions(filters))


def trend_compared(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per bucket of the period with the bucket of the earlier period that stands under it: bucket_on, compared_on, metrics."""
    period, (earlier, _) = shown_period(source, filters), compared_filters(source, filters)
    if period is None or earlier is None or earlier.start is None or earlier.end is None:
        return pd.DataFrame(columns=["bucket_on", "compared_on", *statistic.NAMES, "is_unfinished", "share_held"])
    grain = grain_for(period)
    before = statistic.trend_rows(source(totals_by_bucket(earlier, grain)), period=Period(earlier.start, earlier.end), grain=grain)
    now = statistic.trend_rows(source(totals_by_bucket(filters, grain)), period=period, grain=grain)
    return statistic.beside(now, before)


def parts(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per part of the change in net revenue: part, value_before, value_after, change, effect, share_of_change."""
    earlier, _ = compared_filters(source, filters)
    return why.change_parts(_measured(source, earlier), _measured(source, filters)) if earlier else why.no_parts()


def by_region(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per order region: its part of the change, the mix before and after, and the factors within it."""
    return _by_value(source, filters, "region")


def by_channel(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per sales channel: its part of the change, the mix before and after, and the factors within it."""
    return _by_value(source, filters, "channel")


def by_category(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per product category: its part of the change and the mix before and after. Customers do not add over categories."""
    earlier, _ = compared_filters(source, filters)
    if earlier is None:
        return why.no_values(with_factors=False)
    before, after = (source(query.revenue_by_category(each)) for each in (earlier, filters))
    return why.change_by_value(before, after, with_factors=False)


def reconciliation(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per step from all that was sold to the purchases of known customers: step, amount, is_total, documents."""
    return statistic.reconciliation_rows(_measured(source, filters))


def targets(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per metric, month and region with a target within the period: metric, month_on, region, target_value, is_edited."""
    found = _targets(source, None)
    months = found["month_on"].dt.date
    earliest = filters.start.replace(day=1) if filters.start else date.min
    return found[(months >= earliest) & (months <= (filters.end or date.max))].reset_index(drop=True)


def headlines(source: Source, filters: Filters) -> pd.DataFrame:
    """One row per later room's headline: room, metric, value, low, high, unit, n."""
    rows = [room(name).headline(source, filters).assign(room=name) for name in HEADLINE_ROOMS]
    return pd.concat(rows, ignore_index=True).reindex(columns=["room", *TILE_COLUMNS])


TABLES: dict[str, Table] = {
    "tiles": tiles,
    "comparison": comparison,
    "trend": trend,
    "trend_compared": trend_compared,
    "parts": parts,
    "by_region": by_region,
    "by_channel": by_channel,
    "by_category": by_category,
    "reconciliation": reconciliation,
    "targets": targets,
    "headlines": headlines,
}

# ── for the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def edited_targets(source: Source) -> EditedTargets:
    """Return the targets in the workspace as plain values, to be part of a cache's key."""
    rows = workspace.read_targets(source.data_set)
    return tuple(zip(rows["metric"], rows["month_on"].dt.date, rows["region"], rows["target_value"], strict=True))


def headline_metrics(headlines: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the declarations of the later rooms' headlines."""
    declared = {metric.name: metric for name in HEADLINE_ROOMS for metric in room(name).METRICS}
    return tuple(declared[name] for name in headlines["metric"])


def later_notes(headlines: pd.DataFrame) -> dict[str, str]:
    """Return the small lines under the later rooms' tiles; their terms are those the lifetime value room begins with."""
    terms = room("lifetime_value").Terms()
    return headline_notes(headlines, horizon_months=terms.horizon_months, discount_rate_per_year=terms.discount_rate_per_year)


def reasons(source: Source, scope: Scope) -> dict[str, str]:
    """Return the ways to split the change that these data allow, name of the table to label: a dimension needs two values."""
    offered = {f"by_{choice.key}" for choice in CHOICES if len(source(choice_values(choice, scope))) > 1}
    return {name: label for name, label in REASONS.items() if name == "parts" or name in offered}


def trend_query(filters: Filters, period: Period) -> Select[Any]:
    """Return the query behind the trend. period: its days, which decide the grain."""
    return totals_by_bucket(filters, grain_for(period))


def split_query(filters: Filters, by: str) -> Select[Any]:
    """Return the query behind a split of the change (a key of REASONS) for the period itself."""
    if by == "parts":
        return totals(filters)
    if by == "by_category":
        return query.revenue_by_category(filters)
    return totals_by_value(filters, "region" if by == "by_region" else "channel")


def target_region(filters: Filters) -> str:
    """Return the region that a target set under these filters is for; '' is the whole company."""
    return filters.region[0] if len(filters.region) == 1 and filters.region[0] != UNKNOWN else workspace.WHOLE_COMPANY


def _measured(source: Source, filters: Filters) -> pd.DataFrame:
    return statistic.measured(source(totals(filters)))


def _targets(source: Source, edited: EditedTargets | None) -> pd.DataFrame:
    chosen = edited_targets(source) if edited is None else edited
    frame = pd.DataFrame(chosen, columns=["metric", "month_on", "region", "target_value"])
    return statistic.merged_targets(source(query.given_targets()), frame)


def _by_value(source: Source, filters: Filters, dimension: query.OrderDimension) -> pd.DataFrame:
    earlier, _ = compared_filters(source, filters)
    if earlier is None:
        return why.no_values(with_factors=True)
    before, after = (statistic.measured(source(totals_by_value(each, dimension))) for each in (earlier, filters))
    return why.change_by_value(before, after, with_factors=True)
