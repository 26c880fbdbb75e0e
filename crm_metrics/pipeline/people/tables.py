"""The tables of this part, and the queries behind them.

What people did is of the filters' period: calls and other activities by their day, leads and deals by creation (those of an unknown day
among them). The open pipeline and overdue tasks are those of today. Before and after look at all days up to today, whatever the period.
"""

import math
from dataclasses import replace
from datetime import date

import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson
from crm_metrics.metric import ratio, tile
from crm_metrics.pipeline.deals.days import deal_days
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.people import cases as library
from crm_metrics.pipeline.people import metrics, query, statistic
from crm_metrics.pipeline.people.metrics import METRICS
from crm_metrics.pipeline.people.pace import velocities
from crm_metrics.pipeline.people.query import DealDay
from crm_metrics.pipeline.people.statistic import Side
from crm_metrics.pipeline.people.terms import MEASURES, UNSTATED, GoLive
from crm_metrics.rooms import Table

__all__ = ["METRICS", "TABLES"]

BY_PERSON, BY_TEAM = ["employee_id", "employee_name", "team", "role"], ["team"]
_NEVER = date(1970, 1, 1)  # today of data without deals


def queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> tuple[Select, ...]:
    """Return the queries that the scorecards come from, to be shown."""
    until, on = _days(source, filters)
    return (
        query.deal_sums(filters, terms, on),
        query.call_days(filters, terms, until),
        query.lead_sums(filters, terms, on),
        query.activity_sums(filters, terms, until),
        query.task_sums(filters, terms, until),
        query.order_sums(filters, terms),
    )


def _days(source: Source, filters: Filters) -> DealDay:
    days = deal_days(source, filters)
    return DealDay(days.today, days.on) if days else DealDay(_NEVER, None)


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


def call_days(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return one row per person and day with calls up to today, whatever the period; ask by source.remember. See query.call_days."""
    return source(query.call_days(filters, terms, _days(source, filters).today))


def calls_in_period(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return the rows of `call_days` in the period."""
    days = source.remember(call_days, replace(filters, start=None, end=None, as_of=_days(source, filters).today), terms)
    first, last = (pd.Timestamp(day) if day else None for day in (filters.start, filters.end))
    is_in = pd.Series(data=True, index=days.index)
    is_in &= days["happened_on"] >= first if first else True
    is_in &= days["happened_on"] <= last if last else True
    return days[is_in]


def sums(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return one row per person who did or owns anything: statistic.SUMS, BY_PERSON; ask by source.remember."""
    until, on = _days(source, filters)
    days = calls_in_period(source, filters, terms).assign(call_days=1)
    orders = source(query.order_sums(filters, terms))
    parts = [
        days.groupby("employee_id", dropna=False)[["calls", "hits", "call_days"]].sum().reset_index(),
        source(query.activity_sums(filters, terms, until)),
        source(query.lead_sums(filters, terms, on)),
        source(query.deal_sums(filters, terms, on)),
        source(query.task_sums(filters, terms, until)),
        orders.head(0) if on else orders,  # who looked after a customer on a past day is not known
    ]
    rows = statistic.joined(parts).merge(source(query.names(filters.scope)), on="employee_id", how="left")
    return rows.assign(employee_name=rows["employee_name"].fillna(rows["employee_id"]))


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def people_tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (95%), unit, n (person-days, calls, person-days, people, tasks due, won deals)."""
    days, rows = calls_in_period(source, filters, terms), source.remember(sums, filters, terms)
    count, total = len(days), rows.sum(numeric_only=True, min_count=1)
    a_day, found = _per_day(days, "calls"), _per_day(days, "hits")
    hits, calls = (float(days[name].sum()) for name in ("hits", "calls"))
    owners = int(((rows["deals"] > 0) & rows["employee_id"].notna()).sum())
    won = rows.loc[rows["employee_id"].notna(), "won_value"].sum(min_count=1)
    every = velocities(total.to_frame().T).iloc[0]
    rate = wilson(hits, calls)
    return pd.DataFrame(
        [
            tile(metrics.CALLS_PER_PERSON_DAY, a_day.value, count, low=a_day.low, high=a_day.high),
            tile(metrics.HIT_RATE, ratio(hits, calls), int(calls), low=rate.low, high=rate.high),
            tile(metrics.LEADS_PER_DAY, found.value, count, low=found.low, high=found.high),
            tile(metrics.WON_PER_PERSON, ratio(won, owners), owners),
            tile(metrics.OVERDUE_TASKS, total["overdue_tasks"], _whole(total["tasks_due"])),
            tile(metrics.VELOCITY, every["velocity"], _whole(every["won"]), low=every["velocity_low"], high=every["velocity_high"]),
        ]
    )


def _whole(count: float) -> int:
    return 0 if math.isnan(count) else int(count)


def _per_day(days: pd.DataFrame, name: str) -> Side:
    values = days[name].to_numpy(dtype=float)
    return statistic.mean_side(float(values.sum()), float((values**2).sum()), len(values))


def people(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per person, the best first: employee_name, team, statistic.READ_FIRST, employee_id; the rest is in people_detail."""
    return people_detail(source, filters, terms)[["employee_name", "team", *statistic.READ_FIRST, "employee_id"]]


def people_detail(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, role: str = "") -> pd.DataFrame:
    """Return one row per person who called, was active, or has leads, deals or tasks: rank first. role: only people of it, among whom
    they are ranked; contribution stays the share of all.

    employee_id (empty: what belongs to nobody), employee_name, team, role, and the columns of statistic.scorecard. orders: of the customers
    owned as the data stand; unknown on a past day.
    """
    rows = source.remember(sums, filters, terms)
    if not role:
        return statistic.scorecard(rows, BY_PERSON)
    found = statistic.scorecard(rows[rows["role"] == role], BY_PERSON)
    return found.assign(contribution=found["won_value"] / (rows["won_value"].sum() or math.nan))


def teams(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per team (empty: unknown), the best first: team, people, statistic.READ_FIRST; the rest is in teams_detail."""
    return teams_detail(source, filters, terms)[["team", "people", *statistic.READ_FIRST]]


def teams_detail(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per team (empty: unknown), the best first: team, people, and the columns of statistic.scorecard."""
    rows = source.remember(sums, filters, terms)
    count = rows.groupby("team", dropna=False)["employee_id"].nunique().rename("people").reset_index()
    return count.merge(statistic.scorecard(rows, BY_TEAM), on="team").sort_values("rank", kind="stable", ignore_index=True)


def velocity(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return all together, then one row per person with open deals, the fastest first: its four factors and their intervals.

    is_all (everybody together), employee_id, employee_name, team (empty: nobody or unknown), and the columns of pace.velocities.
    """
    rows = source.remember(sums, filters, terms)
    total = rows.sum(numeric_only=True, min_count=1).to_frame().T
    own = pd.concat([rows[BY_PERSON[:3]], velocities(rows)], axis=1)
    own = own[own["open_deals"] > 0].sort_values(["velocity", "employee_id"], ascending=[False, True])
    every = velocities(total)
    both = pd.concat([every.assign(is_all=True), own.assign(is_all=False)], ignore_index=True)
    return both[["is_all", *BY_PERSON[:3], *every.columns]]


def tasks_overdue(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per task due by today and not done by then, longest overdue first.

    task_id, employee_id, employee_name, team, subject, stage, customer_id, opportunity_id, due_on, deal_outcome ('open', 'won' or 'lost',
    of its deal today; empty without one), days_overdue.
    """
    day = _days(source, filters)
    rows = source(query.overdue_tasks(filters, terms, day))
    return rows.assign(days_overdue=(pd.Timestamp(day.today) - rows["due_on"]).dt.days)


def task_wins(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per stage: how often deals are won whose tasks there were all done by their day, and others: see
    statistic.task_wins.
    """
    return statistic.task_wins(source(query.task_wins(filters, terms, _days(source, filters))))


# ── before and after ────────────────────────────────────────────────────────────────────────────────────────────────────


def stated_go_live(source: Source, _filters: Filters) -> date | None:
    """Return the day that a demo states; None elsewhere."""
    found = source(query.go_live_of_demo())["go_live_on"]
    return date.fromisoformat(str(found.iloc[0])) if len(found) else None


def before_after(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, go_live: GoLive = UNSTATED) -> pd.DataFrame:
    """Return one row per measure: how it was before the go-live and how after, over all days up to today, whatever the period.

    measure, unit, before, before_low, before_high, before_n, after, after_low, after_high, after_n, change (after - before), change_low,
    change_high, relative (after / before - 1), factor (after / before), factor_low, factor_high: intervals of 95%. Nothing where no day is
    known. calls_per_person_day, hit_rate, leads_per_day: by day. lead_conversion: leads that became a customer within 90 days, by
    creation. win_rate: deals won within 180 days, of all, by creation; days_to_win: their mean days. telesales_share: of the value won,
    by closing, what came from leads of people who call. tasks_on_time: by due day. order_entry_minutes (mean), order_entry_median: by
    order day. order_entry_staff: who entered orders in the last week before, and in the week to today: counted, without an interval;
    order_entry_cost: of their hours, a month. orders_corrected: of those of which it is known, by order day. satisfied_share: of the
    customers who answered, by the day of the answer.
    """
    day = go_live.on or source.remember(stated_go_live, filters)
    sides = _sides(source, filters, terms, replace(go_live, on=day)) if day else {}
    changed = [{"measure": name, "unit": MEASURES[name], **statistic.compared(*sides[name])} for name in sides]
    return pd.DataFrame(changed, columns=["measure", "unit", *statistic.compared(Side(), Side())])


def _sides(source: Source, filters: Filters, terms: DealTerms, go_live: GoLive) -> dict[str, tuple[Side, Side]]:
    day = _days(source, filters)
    until = day.today
    parts = [
        statistic.call_sides(source.remember(call_days, replace(filters, start=None, end=None, as_of=until), terms), go_live),
        statistic.share_sides("lead_conversion", source(query.lead_sides(filters, terms, until, go_live))),
        statistic.deal_sides(source(query.deal_sides(filters, terms, day, go_live))),
        statistic.value_sides(source(query.value_sides(filters, terms, day, go_live))),
        statistic.share_sides("tasks_on_time", source(query.task_sides(filters, terms, until, go_live))),
        statistic.entry_sides(source(query.entry_sides(filters, until, go_live))),
        statistic.staff_sides(source(query.entry_staff(filters, until, go_live))),
        statistic.share_sides("orders_corrected", source(query.correction_sides(filters, until, go_live))),
        statistic.share_sides("satisfied_share", source(query.satisfaction_sides(filters, until, go_live))),
    ]
    found = {name: sides for part in parts for name, sides in part.items()}
    return {name: found[name] for name in MEASURES}


def cases(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, go_live: GoLive = UNSTATED) -> pd.DataFrame:
    """Return the published cases beside one's own before and after: see cases.beside_own."""
    return library.beside_own(before_after(source, filters, terms, go_live))


def order_entry(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per month up to today, whatever the period: month_on, orders (of known entry), mean_minutes, median_minutes.

    Minutes from the moment the entry began to the moment the order was booked.
    """
    return source(query.entry_months(filters, _days(source, filters).today))


TABLES: dict[str, Table] = {
    "people_tiles": people_tiles,
    "people": people,
    "people_detail": people_detail,
    "teams": teams,
    "teams_detail": teams_detail,
    "before_after": before_after,
    "cases": cases,
    "velocity": velocity,
    "order_entry": order_entry,
    "tasks_overdue": tasks_overdue,
    "task_wins": task_wins,
}
