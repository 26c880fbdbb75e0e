"""The tables of this part, and the queries behind them.

A period is about the end of the day before it and the end of its last day, up to the filters' `today`. What a deal was on a day is told by
pipeline.deals, from nothing that happened later.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput, tile
from crm_metrics.periods import Grain, Period, bucket_starts, grain_for, is_unfinished, next_bucket
from crm_metrics.pipeline.deals import query as deals_query
from crm_metrics.pipeline.deals.days import deal_days
from crm_metrics.pipeline.waterfall import metrics, query, statistic
from crm_metrics.pipeline.waterfall.statistic import STEPS
from crm_metrics.pipeline.waterfall.terms import ALL_OPEN, WaterfallTerms
from crm_metrics.rooms import Table

_DEAL_COLUMNS = [
    "step", "opportunity_id", "opportunity_name", "customer_id", "owner_name", "team", "region", "stage_name", "outcome", "created_on",
    "expected_close_on", "closed_on", "value", "change",
]  # fmt: skip
_PERIOD_COLUMNS = [
    "bucket_on", "ends_on", "is_unfinished", "step", "is_total", "deals", "value", "behind", "unknown", "share_of_start",
]  # fmt: skip
_STAGE_COLUMNS = ["stage", "stage_name", "stage_order", "deals", "value", "unknown", "overdue", "overdue_value", "undated"]
_BASIS = ["before_on", "ends_on", "window_from", "window_to", "later", "earlier", "behind", "unknown", "undated", "with_history"]


class Span(NamedTuple):
    """The pipeline at the end of `before` and at the end of `end`, in data whose deals are held for the days `held`."""

    before: date
    end: date
    held: Period

    def on(self, day: date) -> date | None:
        """Return the day for the queries; None where nothing happened after it."""
        return None if day >= self.held.end else day


def span(source: Source, filters: Filters) -> Span | None:
    """Return the days between which the pipeline changed; None without deals. Both are one day where the period begins after today."""
    days = deal_days(source, filters)
    if days is None:
        return None
    end = min(filters.end or days.today, days.today)
    before = (filters.start or days.held.start) - timedelta(days=1)
    return Span(min(before, end), end, days.held)


def queries(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN) -> tuple[Select, ...]:
    """Return the queries behind the waterfall, to be shown."""
    seen = span(source, filters)
    asked = _queries(filters, terms, [seen.on(day) for day in (seen.before, seen.end)]) if seen else ()
    return tuple(one for one in asked if one is not None)


def _queries(
    filters: Filters, terms: WaterfallTerms, days: Sequence[date | None], grain: Grain = "year"
) -> tuple[Select | None, Select | None]:
    """Return the queries of the deals on past days, one of the grain's periods each, and now (None)."""
    past = [day for day in days if day]
    told = query.states_by_period(filters, terms.deals, (past[0], past[-1]), grain) if past else None
    return told, query.deals_now(filters, terms.deals) if None in days else None


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


def transitions(source: Source, filters: Filters, terms: WaterfallTerms) -> pd.DataFrame:
    """Return one row per deal and step of the period: see statistic.transitions; ask by source.remember."""
    seen = span(source, filters)
    if seen is None:
        return pd.DataFrame(columns=["deal_number", "step", "deals", "amount", "is_unknown"]).astype({"is_unknown": bool})
    before, after = _stands(source, filters, terms, [seen.on(day) for day in (seen.before, seen.end)])
    return statistic.transitions(before, after, before_on=seen.before, window=terms.closing_days(seen.end))


def _stands(
    source: Source, filters: Filters, terms: WaterfallTerms, days: Sequence[date | None], *, grain: Grain = "year"
) -> Iterator[statistic.States]:
    """Yield the deals at the end of each of the days, which end periods of the grain; of None, as they stand now."""
    past, now = _queries(filters, terms, days, grain)
    size = int(source.remember(_deals_held)) + 1
    if past is not None:
        yield from statistic.replayed(source(past), [day for day in days if day], size)
    if now is not None:
        everyone = statistic.nobody(size)._replace(is_there=np.ones(size, bool))
        yield from [statistic.changed(everyone, source(now))] * days.count(None)


def _deals_held(source: Source) -> int:
    return int(source(query.deals_held())["deals"].iloc[0])


# ── the waterfall ───────────────────────────────────────────────────────────────────────────────────────────────────────


def waterfall(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN) -> pd.DataFrame:
    """Return one row per step from the pipeline before the period to that at its end: start + all in between = end, deals and value.

    step (of statistic.STEPS), is_total (start and end), deals, value (signed; NaN where it is known of none of the deals behind),
    behind (deals that the row is about), unknown (those of them whose value is unknown: they are left out of it), share_of_start.
    created, undated: new, undated where the day of creation is unknown, so that they are first seen at the end of the data. reopened:
    closed before. pulled_in, pushed_out: the expected closing moved into or out of the window; without a window they are 0 and tell how
    many deals' closing moved forward or back. moved_in, moved_out: into or out of the reader's choice of deals (owner, team, region, …).
    value_known, value_unknown: a value was entered or taken away.
    """
    return statistic.waterfall_rows(source.remember(transitions, filters, terms))


def waterfall_tiles(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (NaN: exact), unit, n (deals it is about)."""
    rows = waterfall(source, filters, terms).set_index("step")
    steps = {"start": 1, "created": 1, "won": -1, "lost": -1, "end": 1}
    value = {step: sign * float(rows["value"][step]) + 0.0 for step, sign in steps.items()}
    told = (
        (metrics.PIPELINE_START, "start"),
        (metrics.PIPELINE_CREATED, "created"),
        (metrics.PIPELINE_WON, "won"),
        (metrics.PIPELINE_LOST, "lost"),
        (metrics.PIPELINE_END, "end"),
    )
    change = tile(metrics.PIPELINE_CHANGE, round(value["end"] - value["start"], 4), int(rows["behind"]["end"]))
    return pd.DataFrame([*(tile(metric, value[step], int(rows["behind"][step])) for metric, step in told), change])


def waterfall_basis(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN) -> pd.DataFrame:
    """Return one row: what the waterfall stands on; none without deals.

    before_on, ends_on (at whose end the pipeline starts and ends), window_from, window_to (of the expected closing; empty: any), later,
    earlier (deals in the pipeline on both days whose expected closing moved), behind, unknown (deals in it on either day or in between, and
    those of unknown value), undated (created on an unknown day), with_history (deals of the data with a history of changes).
    """
    seen, rows = span(source, filters), source.remember(transitions, filters, terms)
    if seen is None:
        return pd.DataFrame(columns=_BASIS)
    window = terms.closing_days(seen.end)
    moved = rows[(rows["deals"] == 0) & (rows["amount"] == 0)]["step"].value_counts()
    days = [pd.Timestamp(day) if day else pd.NaT for day in (seen.before, seen.end, *(window or (None, None)))]
    counts = [int(moved.get(STEPS.index(step), 0)) for step in ("pushed_out", "pulled_in")]
    behind = [int(part["deal_number"].nunique()) for part in (rows, rows[rows["is_unknown"]], rows[rows["step"] == STEPS.index("undated")])]
    with_history = int(source(deals_query.held(filters.scope))["with_history"].iloc[0])
    return pd.DataFrame([[*days, *counts, *behind, with_history]], columns=_BASIS)


def waterfall_deals(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN, step: str = "end") -> pd.DataFrame:
    """Return one row per deal behind a step of the waterfall, the largest value first, as it stood at the end of the period.

    step, opportunity_id, opportunity_name, customer_id, owner_name, team, region, stage_name, outcome, created_on, expected_close_on,
    closed_on, value (NaN: unknown), change (what it adds to the sum of the step). Of the steps start and moved_out as it stood before the
    period. Raises BadInput for a step that is none.
    """
    if step not in STEPS:
        raise BadInput("{value!r} is no step of the waterfall. Choose one of: {known}.", value=step, known=", ".join(STEPS))
    seen, rows = span(source, filters), source.remember(transitions, filters, terms)
    behind = rows[rows["step"] == STEPS.index(step)]
    if seen is None or behind.empty:
        return pd.DataFrame(columns=_DEAL_COLUMNS)
    day = seen.before if step in ("start", "moved_out") else seen.end
    named = source(query.named_deals(filters, terms.deals, seen.on(day), tuple(behind["deal_number"].tolist())))
    change = (behind["amount"] / statistic.AMOUNT_UNIT).mask(behind["is_unknown"])
    found = named.merge(pd.DataFrame({"deal_number": behind["deal_number"], "change": change}), on="deal_number")
    found = found.rename(columns={"deal_amount": "value"}).assign(step=step)
    return found.sort_values(["value", "deal_number"], ascending=[False, True], ignore_index=True)[_DEAL_COLUMNS]


# ── period by period ────────────────────────────────────────────────────────────────────────────────────────────────────


def waterfall_by_period(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN, grain: Grain | None = None) -> pd.DataFrame:
    """Return one row per day, week, month or quarter of the period (None: by its length) and step: each its own waterfall.

    bucket_on (its first day), ends_on (the last day of it that is seen), is_unfinished (cut by an end of the period, or by today), and the
    columns of `waterfall`. The end of one is the start of the next. The window is that of the whole period.
    """
    seen = span(source, filters)
    if seen is None or seen.before >= seen.end:
        return pd.DataFrame(columns=_PERIOD_COLUMNS)
    period = Period(seen.before + timedelta(days=1), seen.end)
    chosen, made, window = grain or grain_for(period), [], terms.closing_days(seen.end)
    starts = bucket_starts(period, chosen)
    days = [seen.before, *(min(next_bucket(start, chosen) - timedelta(days=1), seen.end) for start in starts)]
    stands = _stands(source, filters, terms, [seen.on(day) for day in days], grain=chosen)
    for start, (before_on, ends_on), (before, after) in zip(starts, pairwise(days), pairwise(stands), strict=True):
        rows = statistic.waterfall_rows(statistic.transitions(before, after, before_on=before_on, window=window))
        cut = is_unfinished(start, chosen, period)
        made.append(rows.assign(bucket_on=pd.Timestamp(start), ends_on=pd.Timestamp(ends_on), is_unfinished=cut))
    return pd.concat(made, ignore_index=True)[_PERIOD_COLUMNS]


def period_changes(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN, grain: Grain | None = None) -> pd.DataFrame:
    """Return one row per measure ('value', 'deals') and period as in `waterfall_by_period`: what came in and what left.

    measure, bucket_on, ends_on, is_unfinished, start, created, in, won, lost, out, end: start + the five = end. in, out: all other steps
    that add or reduce (statistic.ADDITIONS, REDUCTIONS). NaN: the value is known of none of the deals.
    """
    rows = source.remember(waterfall_by_period, filters, terms, grain)
    return pd.concat([statistic.period_rows(rows, measure) for measure in ("value", "deals")], ignore_index=True)


def pipeline_trend(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN, grain: Grain | None = None) -> pd.DataFrame:
    """Return one row per period as in `waterfall_by_period`: the pipeline at its end.

    bucket_on, ends_on, is_unfinished, deals, value (NaN: unknown of all), unknown (deals of unknown value).
    """
    rows = source.remember(waterfall_by_period, filters, terms, grain)
    ends = rows[rows["step"] == "end"].reset_index(drop=True)
    return ends[["bucket_on", "ends_on", "is_unfinished", "deals", "value", "unknown"]]


# ── on a day ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pipeline_on(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN, day: date | None = None) -> pd.DataFrame:
    """Return one row per stage of the pipeline at the end of a day (None: of the period), in their order.

    stage (empty: unknown on that day), stage_name, stage_order, deals, value (NaN: known of none), unknown (deals without a value),
    overdue (expected to be closed before that day), overdue_value, undated (without an expected day of closing). The window is that of
    the whole period. No day after today is seen.
    """
    asked = day_queries(source, filters, terms, day)
    return source(asked[0]) if asked else pd.DataFrame(columns=_STAGE_COLUMNS)


def day_queries(source: Source, filters: Filters, terms: WaterfallTerms = ALL_OPEN, day: date | None = None) -> tuple[Select, ...]:
    """Return the query behind the pipeline on a day, to be shown; none without deals."""
    seen = span(source, filters)
    if seen is None:
        return ()
    on = min(day or seen.end, seen.end)
    return (query.open_by_stage(filters, terms.deals, (on, seen.on(on)), terms.closing_days(seen.end)),)


TABLES: dict[str, Table] = {
    "waterfall": waterfall,
    "waterfall_tiles": waterfall_tiles,
    "waterfall_basis": waterfall_basis,
    "waterfall_by_period": waterfall_by_period,
    "period_changes": period_changes,
    "waterfall_deals": waterfall_deals,
    "pipeline_trend": pipeline_trend,
    "pipeline_on": pipeline_on,
}
