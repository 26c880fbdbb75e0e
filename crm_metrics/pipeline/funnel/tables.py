"""The tables of this part, and the queries behind them.

The deals are those created in the period, or on an unknown day, as they stand today; calls and leads are those of the same period. What
is won by period of closing is the one exception: those deals were closed in it, whenever they were created.
"""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.periods import Grain, Period, bucket_start, bucket_starts, next_bucket
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.deals.days import asked_day, deal_days
from crm_metrics.pipeline.deals.pipelines import stages_seen
from crm_metrics.pipeline.deals.query import stage_rows
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.deals.told import Integers, coded_changes, told
from crm_metrics.pipeline.funnel import groups, paths, query, statistic
from crm_metrics.pipeline.funnel.statistic import Progress
from crm_metrics.pipeline.funnel.terms import ALL_FUNNEL, Behind, By, FunnelStep, FunnelTerms
from crm_metrics.pipeline.people.tables import calls_in_period
from crm_metrics.rooms import Table

_WON_STEP = FunnelStep()
_UNKNOWN_TO_CALLS = ("source", "product", "market", "pipeline")  # choices of deals
_FUNNEL = [
    *("step", "name", "count", "at_least", "value", "next_step_rate", "next_step_low", "next_step_high"),
    *("cumulative_rate", "cumulative_low", "cumulative_high", "skipped", "unvalued"),
]
_DETAIL = [
    *("step", "name", "at_least", "still_here", "lost_here", "decided", "conversion", "conversion_low", "conversion_high"),
    *("unknown", "end_unknown", "still_value", "lost_value"),
]
_GROUPS = [
    *("group", "group_name", "step", "name", "deals", "count", "at_least", "value", "next_step_rate"),
    *("cumulative_rate", "cumulative_low", "cumulative_high", "is_small"),
]
_CALLS_BEHIND = ["owner_name", "team", "region", "happened_on", "calls", "hits"]
_BEHIND = (*deals_tables.READ_FIRST, "product_name", "deal_source", "region", "customer_id")


def queries(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL, question: str = "funnel") -> tuple[Select, ...]:
    """Return the queries that a question's table is made from, to be shown."""
    choice, on = stages_seen(source, filters, terms.deals).deals, asked_day(source, filters)
    if question == "won":
        return (query.closings(filters, terms.deals, on),)
    if question == "by":
        return (query.group_sums(filters, terms.deals, on, terms.by),)
    if question not in ("funnel", "groups", "moves"):
        return deals_tables.queries(source, filters, terms.deals)
    by = terms.by if question == "groups" else None
    changes = coded_changes(filters, choice, on, told(source, filters, choice).stages)
    deals = query.deals_of_period(filters, choice, on, by)
    return (deals, changes) if question == "moves" else (deals, changes, query.lead_counts(filters, terms.deals, on, by))


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


class Seen(NamedTuple):
    """deals: the choice of deals whose stages stand together. places: of these stages, see statistic.stage_places. pipeline: the only one
    that is looked at; empty where nobody had to choose.
    """

    deals: DealTerms
    places: pd.DataFrame
    pipeline: str


def seen(source: Source, filters: Filters, terms: FunnelTerms) -> Seen:
    """Return which stages the funnel has, and of which deals."""
    found = stages_seen(source, filters, terms.deals)
    return Seen(found.deals, statistic.stage_places(found.stages), found.pipeline)


class Funnel(NamedTuple):
    """cells: the deals created in the period, counted by the way they went (paths.cells). found: how far those of each got. names: of the
    places. pipeline: as in Seen. deal_number, cell: of each deal.
    """

    cells: pd.DataFrame
    found: Progress
    names: list[str]
    pipeline: str
    deal_number: Integers
    cell: Integers


def progress(source: Source, filters: Filters, deals: DealTerms, by: By | None) -> Funnel:
    """Return the deals and how far they got, by group where `by` is one; ask by source.remember."""
    of_stages = seen(source, filters, FunnelTerms(deals))
    rows, places = source(query.deals_of_period(filters, of_stages.deals, asked_day(source, filters), by)), of_stages.places
    rows, number = groups.named(rows) if by else rows, rows["deal_number"].to_numpy()
    ways = paths.paths(told(source, filters, of_stages.deals), number, dict(zip(places["stage"], places["place"], strict=True)))
    cells, cell = paths.cells(rows.assign(**ways))
    return Funnel(cells, statistic.progress(cells, places), statistic.step_names(places), of_stages.pipeline, number, cell)


def _progress(source: Source, filters: Filters, terms: FunnelTerms, by: By | None = None) -> Funnel:
    return source.remember(progress, filters, terms.deals, by)


# ── the funnel ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def funnel(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per step, in order: calls, leads, qualified leads, opportunities, each open stage, won.

    Calls and leads only where there are any and no choice is made that they don't know. step (calls, leads, qualified_leads,
    opportunities, stage_1, …, won), name (of the stage; of the opportunities the pipeline, where these are only those of the largest of
    several), count (calls, leads, or deals that count at the step; empty where more than MOST_UNKNOWN of them are unknown), at_least
    (those known to), value (of these deals), next_step_rate (of the row's: those of the next; from calls their hits as of
    people, from qualified leads those that became a deal), cumulative_rate (of all leads, and of all opportunities), each with low and
    high (Wilson, 95%; empty of values), skipped (deals past the stage that were never in it), unvalued (deals of the step without a
    value). A rate by value is empty where more than MOST_UNKNOWN of the deals have none.
    """
    before = statistic.lead_rows(
        _calls(source, filters, terms), source(query.lead_counts(filters, terms.deals, asked_day(source, filters)))
    )
    of_deals = _deal_rows(source, filters, terms)
    rows = pd.concat([before, of_deals], ignore_index=True) if len(before) else of_deals
    return rows.reindex(columns=_FUNNEL)


def _deal_rows(source: Source, filters: Filters, terms: FunnelTerms) -> pd.DataFrame:
    known = _progress(source, filters, terms)
    steps = statistic.deal_steps(known.cells, known.found, len(known.names), terms)
    rows = statistic.deal_rows(known.cells, steps, known.names, terms)
    return rows.assign(name=rows["name"].mask(rows["step"] == statistic.DEALS, known.pipeline))


def _calls(source: Source, filters: Filters, terms: FunnelTerms) -> pd.DataFrame:
    """Return the calls of each person and day of the period: employee_id, happened_on, calls, hits; none where the choice is one that calls
    don't know.
    """
    knows = not (filters.category or filters.segments) and not any(getattr(terms.deals, key) for key in _UNKNOWN_TO_CALLS)
    rows = calls_in_period(source, filters, terms.deals)
    return rows if knows else rows.head(0)


def _calls_by(source: Source, filters: Filters, terms: FunnelTerms) -> pd.DataFrame:
    """Return the rows of _calls with who made them, and their group."""
    who = source(query.callers())
    return groups.call_rows(_calls(source, filters, terms).merge(who, on="employee_id", how="left"), terms.by)


def funnel_detail(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per open stage, in order: where its deals are now, and how many of those that left it went on.

    step, name, at_least (deals known to count at it), still_here, lost_here (deals of which the stage is the furthest they got), decided
    (went past the stage or were lost in it, before any reopening: those still in it are not among them), conversion (went past it /
    decided) with low and high (Wilson, 95%), unknown (deals of which it is unknown whether they were there), end_unknown (deals of the step
    of which it is unknown whether they went on or were lost here), still_value, lost_value (of the deals still here and lost here).
    """
    rows = _deal_rows(source, filters, terms)
    return rows.loc[rows["step"].str.startswith("stage"), _DETAIL].reset_index(drop=True)


def funnel_groups(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per group (terms.by) and step of `funnel`, the groups of most deals first, periods in order of time: of deals by the
    day of creation, of leads by that of their coming, of calls by their own.

    group (key, first day of a period, UNKNOWN), group_name, step, name (of the stage), deals (of the group), count (empty of a step that
    does not know such groups: calls know no source, product and market, leads what their source fills in), at_least, value,
    next_step_rate, cumulative_rate (of the group's leads, and of its deals) with low and high, each as in `funnel`, is_small (fewer than
    FEW_DEALS calls, leads or deals). at_least and the values add up to those of the funnel at every step that knows the groups.
    """
    known = _progress(source, filters, terms, terms.by)
    leads = groups.named(source(query.lead_counts(filters, terms.deals, asked_day(source, filters), terms.by)))
    calls = _calls_by(source, filters, terms)
    every = groups.groups_of(known.cells, leads, calls, terms)
    steps = statistic.deal_steps(known.cells, known.found, len(known.names), terms)
    of_deals = groups.group_step_rows(known.cells, steps, every, terms)
    rows = pd.concat([groups.before_rows(every, calls, leads, terms.by), of_deals], ignore_index=True)
    names = dict(zip(steps, ["", *known.names, ""], strict=True))
    rows = rows.merge(every.assign(place=range(len(every))), on="group").sort_values("place", kind="stable", ignore_index=True)
    return rows.assign(name=rows["step"].map(names).fillna("")).reindex(columns=_GROUPS)


def moves(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per move from one stage to another that some deal made, those of most deals first.

    from_stage (empty: created in the other), to_stage, outcome (after it), deals, kind ('on' to the next stage, 'skip' over some, 'back',
    'won' from the last stage, 'skip' to a win from an earlier one, 'lost', 'reopened', 'created', 'aside' where a stage has no order),
    stages_skipped.
    """
    of_stages = seen(source, filters, terms)
    number = _progress(source, filters, terms).deal_number
    rows = paths.move_counts(told(source, filters, of_stages.deals), number)
    return statistic.move_rows(rows, of_stages.places, source(stage_rows()))


def detours(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per outcome, and one of all: outcome ('all', 'won', 'lost', 'open'), deals (whose stages are known), and of them those
    that skipped a stage, went_back, were reopened; each with its share of these deals, low and high (Wilson, 95%).
    """
    known = _progress(source, filters, terms)
    return statistic.detour_rows(known.cells, known.found)


def step_deals(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL, step: FunnelStep = _WON_STEP) -> pd.DataFrame:
    """Return one row per deal behind a step, the largest first: opportunity_id, opportunity_name, customer_name, owner_name, stage_name,
    outcome, created_on, expected_close_on, closed_on, deal_amount, product_name, deal_source, region, customer_id; of leads and qualified
    leads one row per lead: lead_id, customer_id, lead_source, owner_name, team, region, created_on, qualified_on, converted_on,
    opportunity_id; of calls one per person and day, the latest first: owner_name, team, region, happened_on, calls, hits.

    Raises BadInput if there is no such step.
    """
    on, group = asked_day(source, filters), (terms.by, step.group)
    if step.step == statistic.CALLS:
        return _step_calls(source, filters, terms, step.group)
    if step.step in (statistic.LEADS, statistic.QUALIFIED):
        return source(query.step_leads(filters, terms.deals, on, are_qualified=step.step == statistic.QUALIFIED, group=group))
    known, of_stages = _progress(source, filters, terms), seen(source, filters, terms)
    steps = statistic.deal_steps(known.cells, known.found, len(known.names), terms)
    if step.step not in steps:
        raise BadInput("There is no step {step}. Choose one of: {steps}.", step=step.step, steps=", ".join(steps))
    one = steps[step.step]
    is_behind = {"reached": one.reached, "lost": one.lost, "open": one.still}[step.side]
    outcomes = () if is_behind.all() else tuple(known.cells["outcome"][is_behind].unique())
    asked = query.behind(filters, of_stages.deals, on, chosen=Behind(terms.by, step.group, outcomes), columns=_BEHIND)
    rows = source(asked)
    return _behind(rows[np.isin(rows["deal_number"], known.deal_number[is_behind[known.cell]])])


def _step_calls(source: Source, filters: Filters, terms: FunnelTerms, group: str) -> pd.DataFrame:
    rows = _calls_by(source, filters, terms)
    kept = rows[rows["group"] == group] if group else rows
    return kept.sort_values(["happened_on", "employee_id"], ascending=[False, True], ignore_index=True)[_CALLS_BEHIND]


def _behind(deals: pd.DataFrame) -> pd.DataFrame:
    return deals.sort_values(["deal_amount", "opportunity_id"], ascending=[False, True], ignore_index=True)[list(_BEHIND)]


# ── groups and periods ──────────────────────────────────────────────────────────────────────────────────────────────────


def funnel_by(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per group of deals (terms.by), those that won most first, periods in order of time.

    group (key, first day of a period, UNKNOWN), name, deals, won, lost, open, win_rate_of_closed (won / won or lost) with closed_low,
    closed_high, win_rate_of_all (won / deals) with all_low, all_high (Wilson, 95%), won_value, unvalued_won (won without a value, not in
    the sum), is_small (fewer than FEW_DEALS closed), others_rate (win rate of closed deals of all the others), p_value (chi-square, against
    them), p_adjusted (Holm, over all groups tested), is_different (p_adjusted below 5%).
    """
    return groups.group_rows(source(query.group_sums(filters, terms.deals, asked_day(source, filters), terms.by)), terms)


def group_deals(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL, group: str = "") -> pd.DataFrame:
    """Return one row per deal of a group of `funnel_by`, the largest first: the columns of `step_deals`. group: empty, all."""
    chosen = Behind(terms.by, group)
    return _behind(source(query.behind(filters, terms.deals, asked_day(source, filters), chosen=chosen, columns=_BEHIND)))


def won(source: Source, filters: Filters, terms: FunnelTerms = ALL_FUNNEL) -> pd.DataFrame:
    """Return one row per quarter in which deals were closed in the period (per month if terms.by is month), in order of time.

    closed_in (first day; empty: the day is unknown), won, lost, won_value (empty where no value is known), unvalued_won, win_rate_of_closed
    (won / won or lost) with low, high (Wilson, 95%), is_unfinished (not over today), is_partial (its first days lie before the period).
    """
    closed, days = source(query.closings(filters, terms.deals, asked_day(source, filters))), deal_days(source, filters)
    day = closed["closed_on"]
    grain: Grain = "month" if terms.by == "month" else "quarter"
    if days is None or not day.notna().any():
        return statistic.closing_rows(closed, [], grain).assign(is_unfinished=False, is_partial=False)
    since, end = bucket_start(day.min().date(), grain), min(filters.end or days.today, days.today)
    start = max(filters.start or since, since)
    inside = day.isna() | ((day >= pd.Timestamp(start)) & (day <= pd.Timestamp(end)))
    buckets = bucket_starts(Period(start, max(start, end)), grain)
    rows = statistic.closing_rows(closed[inside], buckets, grain)
    last, first = buckets[-1], buckets[0]
    is_over = next_bucket(last, grain) <= days.today + timedelta(1)
    at = rows["closed_in"]
    return rows.assign(is_unfinished=(at == pd.Timestamp(last)) & (not is_over), is_partial=(at == pd.Timestamp(first)) & (start > first))


def _by(by: By) -> Table:
    def table(source: Source, filters: Filters) -> pd.DataFrame:
        """Return one row per group made of this one thing: the columns of `funnel_by`."""
        return funnel_by(source, filters, FunnelTerms(by=by))

    return table


TABLES: dict[str, Table] = {
    "funnel": funnel,
    "funnel_detail": funnel_detail,
    "funnel_groups": funnel_groups,
    "detours": detours,
    "moves": moves,
    "step_deals": step_deals,
    "funnel_by": funnel_by,
    "group_deals": group_deals,
    "by_owner": _by("owner"),
    "by_team": _by("team"),
    "by_region": _by("region"),
    "by_source": _by("source"),
    "by_product": _by("product"),
    "by_market": _by("market"),
    "by_quarter": _by("quarter"),
    "won": won,
}
