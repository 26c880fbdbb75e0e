"""The tables of this part, and the queries behind them.

All but `stalled` are about deals and leads that came in the period; those without a day of creation belong to no cohort (basis counts
them). What became of them is followed up to today.
"""

import math
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.metric import Metric, tile
from crm_metrics.periods import Period
from crm_metrics.pipeline.conversion import metrics, query, statistic
from crm_metrics.pipeline.conversion.metrics import METRICS
from crm_metrics.pipeline.conversion.terms import PERIODS, CohortBy
from crm_metrics.pipeline.deals.days import DealDays, deal_days
from crm_metrics.pipeline.deals.pipelines import stages_seen
from crm_metrics.pipeline.deals.query import held, stage_rows
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.deals.told import coded_changes, told
from crm_metrics.rooms import Table

__all__ = ["METRICS", "TABLES"]
_NEVER = date(1970, 1, 1)  # the day of an empty data set
WON_WITHIN_DAYS, CONVERTED_WITHIN_DAYS = 90, 90
_OF_DEALS = {"cases": "deals", "ended": "won", "share": "won_share"}
_OF_LEADS = {"cases": "leads", "ended": "converted", "share": "converted_share"}


def queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> dict[str, tuple[Select, ...]]:
    """Return the queries of each question of the page, to be shown."""
    days, by_stage = _days(source, filters), stages_seen(source, filters, terms).deals
    changes = coded_changes(filters, by_stage, days.on, told(source, filters, by_stage).stages)
    return {
        "cohorts": (query.deal_endings(filters, days, terms, by),),
        "cycle": (query.deal_endings(filters, days, terms, by),),
        "leads": (query.lead_endings(filters, days, terms, by),),
        "stages": (changes,),
        "stalled": (query.open_deals(filters, days, by_stage), changes),
    }


def _days(source: Source, filters: Filters) -> DealDays:
    """Return the days of the deals; of none, a day on which nothing is."""
    return deal_days(source, filters) or DealDays(Period(_NEVER, _NEVER), _NEVER, None)


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


def _deal_counts(source: Source, filters: Filters, terms: DealTerms, by: CohortBy) -> pd.DataFrame:
    return source(query.deal_endings(filters, _days(source, filters), terms, by))


def _lead_counts(source: Source, filters: Filters, terms: DealTerms, by: CohortBy) -> pd.DataFrame:
    return source(query.lead_endings(filters, _days(source, filters), terms, by))


def _stays(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return the stays in stages: see statistic.stays. terms: those of stages_seen."""
    period = (filters.start, filters.end)
    return statistic.stays(told(source, filters, terms), source(stage_rows()), _days(source, filters).today, period)


def _stage_counts(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return the stays of the deals that began in the period, counted: see statistic.stage_counts. terms: any."""
    seen = stages_seen(source, filters, terms)
    every = source.remember(_stays, filters, seen.deals)
    return statistic.stage_counts(every[every["is_of_period"].astype(bool) & ~every["stage"].isin(seen.others)])


# ── cohorts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def conversion_basis(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row: the columns of query.basis; held, held_with_history (deals that the reader may see, and of them those with a change
    in the history).
    """
    every = source(held(filters.scope)).iloc[0]
    counts = source(query.basis(filters, _days(source, filters), terms))
    return counts.assign(held=every["deals"], held_with_history=every["with_history"])


def lead_basis(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row: see query.lead_basis."""
    return source(query.lead_basis(filters, _days(source, filters), terms))


def cohorts(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> pd.DataFrame:
    """Return one row per cohort of created deals and age: see statistic.cohorts; deals, won and won_share in place of cases, ended, share.

    Beside won_share (of all that were created, those still open counted for as long as they were followed) stands naive_share, which
    makes young cohorts look worse.
    """
    counts = source.remember(_deal_counts, filters, terms, by)
    return statistic.cohorts(counts, statistic.WON_LOST, is_of_periods=by in PERIODS).rename(columns=_OF_DEALS)


def cohort_curve(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> pd.DataFrame:
    """Return one row per cohort and day, all together first: see statistic.curves; deals and won_share in place of cases and share."""
    counts = source.remember(_deal_counts, filters, terms, by)
    return statistic.curves(counts, statistic.WON_LOST, is_of_periods=by in PERIODS).rename(columns=_OF_DEALS)


def cycle(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per way to end, won and lost: see statistic.cycle."""
    return statistic.cycle(source.remember(_deal_counts, filters, terms, "quarter"))


def lead_conversion(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> pd.DataFrame:
    """Return one row per cohort of leads by the day they came and age: see statistic.cohorts; leads, converted and converted_share in
    place of cases, ended, share. With one way to end, Aalen-Johansen is Kaplan-Meier.
    """
    counts = source.remember(_lead_counts, filters, terms, by)
    return statistic.cohorts(counts, statistic.CONVERTED, is_of_periods=by in PERIODS).rename(columns=_OF_LEADS)


def lead_curve(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, by: CohortBy = "quarter") -> pd.DataFrame:
    """Return one row per cohort of leads and day, all together first: see statistic.curves; leads and converted_share."""
    counts = source.remember(_lead_counts, filters, terms, by)
    return statistic.curves(counts, statistic.CONVERTED, is_of_periods=by in PERIODS).rename(columns=_OF_LEADS)


BY_COHORT: dict[str, tuple[Table, Table, Table]] = {
    "cohorts": (cohort_curve, cohorts, conversion_basis),
    "leads": (lead_curve, lead_conversion, lead_basis),
}
"""Curves, rows and basis of the questions about cohorts."""

# ── stages ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def stage_times(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open stage: see statistic.stage_times; empty where no stay in a stage is known."""
    return statistic.stage_times(source.remember(_stage_counts, filters, terms), stages_seen(source, filters, terms).stages)


def stage_curve(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open stage and day: see statistic.stage_curves; empty where no stay in a stage is known."""
    return statistic.stage_curves(source.remember(_stage_counts, filters, terms), stages_seen(source, filters, terms).stages)


def waiting(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open deal, whenever it was created: see statistic.waiting. How long is usual: of all deals, whenever created."""
    terms = stages_seen(source, filters, terms).deals
    deals, every = source(query.open_deals(filters, _days(source, filters), terms)), source.remember(_stays, filters, terms)
    closing = statistic.NOTHING_USUAL
    if not deals["deal_number"].isin(every["deal_number"]).all():
        always = filters.over(None, filters.today)
        closing = statistic.usual_to_close(source.remember(_deal_counts, always, terms, "quarter"))
    return statistic.waiting(deals, every, closing, pd.Timestamp(_days(source, filters).today))


def stalled(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open deal that has stalled, the most valuable first: see statistic.waiting.

    Where it is known of no deal how long is usual, all open deals, the longest first.
    """
    rows = source.remember(waiting, filters, terms)
    if rows["limit_days"].isna().all():
        return rows.sort_values(["days", "deal_number"], ascending=[False, True], ignore_index=True)
    kept = rows[rows["is_stalled"]]
    return kept.sort_values(["deal_amount", "days", "deal_number"], ascending=[False, False, True], ignore_index=True)


def stalled_stages(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per stage with open deals, in their order: stage_name, stage_order, basis, limit_days, deals (open), stalled (of
    them), stalled_value (sum of the known values), stalled_without_value.
    """
    return statistic.stalled_stages(source.remember(waiting, filters, terms))


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def conversion_tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (95%), unit, n (deals, stays or leads it is about)."""
    rows = _won_tiles(source, filters, terms)
    slow = statistic.slowest(stage_times(source, filters, terms))
    rows.append(tile(metrics.SLOWEST_STAGE_DAYS, slow["median_days"], int(slow["stays"]), low=slow["median_low"], high=slow["median_high"]))
    every = source.remember(waiting, filters, terms)
    late = every[every["is_stalled"]]
    is_judged = every["limit_days"].notna().any()
    value = late["deal_amount"].sum(min_count=1) if len(late) else 0.0
    rows.append(tile(metrics.STALLED_DEALS, len(late) if is_judged else math.nan, len(every)))
    rows.append(tile(metrics.STALLED_VALUE, value if is_judged else math.nan, int(late["deal_amount"].notna().sum())))
    leads = source.remember(_lead_counts, filters, terms, "quarter")
    rows.append(_share_tile(metrics.LEADS_CONVERTED, statistic.pooled(leads, statistic.CONVERTED, CONVERTED_WITHIN_DAYS)))
    return pd.DataFrame(rows)


def _won_tiles(source: Source, filters: Filters, terms: DealTerms) -> list[dict[str, object]]:
    counts = source.remember(_deal_counts, filters, terms, "quarter")
    won: Any = statistic.cycle(counts).iloc[0]
    return [
        _share_tile(metrics.WON_WITHIN_90_DAYS, statistic.pooled(counts, statistic.WON_LOST, WON_WITHIN_DAYS)),
        _share_tile(metrics.WON_AS_FAR_AS_FOLLOWED, statistic.pooled(counts, statistic.WON_LOST)),
        tile(metrics.DAYS_TO_WIN, won.median_days, int(won.deals)),
    ]


def _share_tile(metric: Metric, found: statistic.Pooled) -> dict[str, object]:
    share, low, high = found[:3] if found.cases >= FEW_CUSTOMERS else (math.nan,) * 3  # of few no share is read
    return tile(metric, share, found.cases, low=low, high=high)


TABLES: dict[str, Table] = {
    "conversion_tiles": conversion_tiles,
    "cohorts": cohorts,
    "cohort_curve": cohort_curve,
    "cycle": cycle,
    "lead_conversion": lead_conversion,
    "lead_curve": lead_curve,
    "stage_times": stage_times,
    "stage_curve": stage_curve,
    "stalled": stalled,
    "stalled_stages": stalled_stages,
    "conversion_basis": conversion_basis,
    "lead_basis": lead_basis,
}
