"""The findings in words, made from the tables; what stands beside the figures."""

from datetime import date
from typing import Any, cast

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import Metric, change_text, is_unknown, value_text
from crm_metrics.periods import Grain
from crm_metrics.retention.flow import metrics
from crm_metrics.retention.flow.labels import FLOWS, GRAINS, KINDS, MEASURES, PLANS
from crm_metrics.retention.flow.terms import SOURCE_PLAN, Plan

QUESTIONS: dict[str, str] = {"bucket": noop("Leaky bucket"), "lifecycle": noop("Life cycle"), "needed": noop("Acquisition needed")}
OPTION_KEYS = {"bucket": "measure", "lifecycle": "grain", "needed": "figures"}
"""Under which name what is chosen within a question stands in the address."""
ALT_TEXTS: dict[str, str] = {
    "bucket": noop("Bars, each beginning where the one above ends: from the customers or the revenue at the start to those at the end."),
    "lifecycle": noop("Stacked bars over time: new, returning and resurrected customers, and below zero those who became dormant."),
    "simulation": noop("Lines over the years: revenue by how much is won each year."),
    "churn": noop("Bars: share of customers and of revenue lost, with lines at 30, 40 and 50%."),
}
NOTES: dict[str, str] = {
    "bucket": noop(
        "Customers: at the start + new + reactivated - lost = at the end. Revenue: also + what customers at both ends bought more - what "
        "they bought less. New: the first purchase ever lies in the period. Reactivated: it lies before, but the customer was none at the "
        "start. Revenue is what the customers brought in as many days as make a customer, before the period and before its end; two such "
        "stretches of days overlap where the period is shorter."
    ),
    "lifecycle": noop(
        "New: first purchase ever. Returning: bought in the period before, too. Resurrected: bought earlier, but not in the period before. "
        "Dormant: bought in the period before and not in this one. Returning + dormant = active in the period before. An unfinished "
        "period is hatched: who will be dormant in it is not known yet."
    ),
    "simulation": noop(
        "Next year = this year x (1 - churn + won), every year with the same rates. The source says that acquisition must be double the "
        "market's growth to grow with the market. With its own figures, 30% churn and 15% growth, double the growth is 30%: that replaces "
        "what is lost, and revenue stands still. To grow by 15% as well takes churn + growth = 45%, three times the growth."
    ),
    "churn": noop(
        "Dotted: customer churn of 30, 40 and 50% a year, as reported for Chinese financial firms; no targets. Revenue: that of lost "
        "customers and what the others bought less."
    ),
}
DRAWN: dict[str, tuple[Metric, ...]] = {
    "bucket": (metrics.BUCKET_CHURN, metrics.BUCKET_REVENUE_CHURN, metrics.NET_REVENUE_RETENTION),
    "churn": (metrics.BUCKET_CHURN, metrics.BUCKET_REVENUE_CHURN),
}
_CAPTIONS = Captions(ALT_TEXTS, NOTES, DRAWN)
about, remark = _CAPTIONS.about, _CAPTIONS.remark


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


def options(question: str, rows: pd.DataFrame, *, usual_grain: str) -> dict[str, str]:
    """Return what can be chosen within a question: what is followed, how time is cut (the usual way first), whose figures are taken.

    rows: the table leaky_bucket; without customers at the start there are only the source's figures.
    """
    has_opening = bool(rows["net_revenue"].iloc[0] > 0)
    grains = {name: GRAINS[name] for name in sorted(GRAINS, key=lambda name: name != usual_grain)}
    plans = {name: label for name, label in PLANS.items() if has_opening or name == "source"}
    return {name: t(label) for name, label in {"bucket": MEASURES, "lifecycle": grains, "needed": plans}[question].items()}


def chosen_grain(name: str) -> Grain:
    """Return the grain of that name."""
    return cast("Grain", name)


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(rows: pd.DataFrame, basis: pd.DataFrame) -> str:
    """Return the page's finding. rows, basis: the tables leaky_bucket and bucket_basis."""
    flow = _flows(rows)
    opening, closing = flow["opening"].customers, flow["closing"].customers
    if basis.empty or (not opening and not closing):
        return t("No customer with a purchase matches the filters.")
    values = {name: f"{abs(row.customers):,}" for name, row in flow.items()}
    if not opening:
        return t("Nobody was a customer before the period; at its end there are {closing}.", **values)
    text = t(
        "Of {opening} customers {lost} ({churn}) left; {new} new and {reactivated} reactivated make {closing} at the end ({change}).",
        **values,
        churn=value_text(-flow["lost"].share_of_opening_customers, "share"),
        change=change_text(closing / opening - 1),
    )
    return text + (t(" ") + t("With so few customers the shares say little.") if opening < FEW_CUSTOMERS else "")


def terms_note(basis: pd.DataFrame) -> str:
    """Return when a customer counts as one. basis: the table bucket_basis."""
    if basis.empty:
        return ""
    row = basis.iloc[0]
    days = {name: date_text(row[name].date()) for name in ("opening_from", "closing_from")}
    return t("Bought within {n} days: from {opening_from} at the start, from {closing_from} at the end.", n=f"{row.active_days:,}", **days)


def basis_note(basis: pd.DataFrame, *, currency: str) -> str:
    """Return what is missing or left out. basis: the table bucket_basis."""
    if basis.empty:
        return ""
    row, texts = basis.iloc[0], []
    if row.is_opening_cut:
        texts.append(
            t(
                "The data begin on {first_on}, so not all customers at the start are known: choose a later start or fewer days.",
                first_on=date_text(row.first_on.date()),
            )
        )
    if row.passed:
        texts.append(t("{n} came or came back in the period and had left again by its end: they are in no flow.", n=f"{row.passed:,}"))
    if row.unknown_revenue:
        texts.append(t("Sales without a customer ({revenue}) are left out.", revenue=value_text(row.unknown_revenue, "money", currency)))
    return t(" ").join(texts)


def bucket_finding(rows: pd.DataFrame, *, measure: str, currency: str) -> str:
    """Return whether the bucket fills or empties. rows: the table leaky_bucket."""
    flow = _flows(rows)
    if measure == "customers":
        lost, won = -flow["lost"].customers, flow["new"].customers + flow["reactivated"].customers
        if not flow["opening"].customers:
            return t("There was nobody to lose: choose a period that begins later.")
        if not lost:
            return t("No customer was lost.")
        values = {"won": f"{won:,}", "lost": f"{lost:,}"}
        if won > lost:
            return t("Customers won: {won}, lost: {lost}. The bucket fills.", **values)
        if won == lost:
            return t("Customers won: {won}, lost: {lost}. The bucket neither fills nor empties.", **values)
        return t("Customers won: {won}, lost: {lost}. The bucket empties.", **values)
    opening, closing = flow["opening"].net_revenue, flow["closing"].net_revenue
    if not opening > 0:
        return t("The customers at the start brought no revenue.")
    stayed = sum(flow[name].net_revenue for name in ("opening", "expansion", "contraction", "lost"))
    return t(
        "Revenue went from {opening} to {closing}; the customers at the start still bring {kept} of their {opening} ({share}).",
        opening=value_text(opening, "money", currency),
        closing=value_text(closing, "money", currency),
        kept=value_text(stayed, "money", currency),
        share=value_text(stayed / opening, "share"),
    )


def lifecycle_finding(rows: pd.DataFrame) -> str:
    """Return what the last whole bucket looked like. rows: the table lifecycle."""
    whole = rows[rows["dormant"].notna()]
    if whole.empty:
        return t("No whole period lies within the dates: choose a longer one, or cut it finer.")
    last: Any = whole.iloc[-1]
    values = {name: f"{int(last[name]):,}" for name in ("new", "returning", "resurrected", "dormant", "active", "active_before")}
    return t(
        "From {day} on, {active} bought: {new} new, {returning} returning, {resurrected} resurrected. Of the {active_before} who had "
        "bought in the period before, {dormant} did not.",
        day=date_text(last.bucket_on.date()),
        **values,
    )


def needed_finding(plan: Plan) -> str:
    """Return what must be won, and what the source's rule would bring."""
    values = {
        "churn": value_text(plan.churn, "share"),
        "growth": value_text(plan.growth, "share"),
        "needed": value_text(plan.churn + plan.growth, "share"),
        "double": value_text(2 * plan.growth, "share"),
        "change": change_text(plan.growth * 2 - plan.churn),
    }
    return t(
        "To lose {churn} and still grow by {growth}, {needed} must be won; winning twice the growth ({double}) would mean {change}.",
        **values,
    )


def hole_finding(hole: pd.DataFrame, *, currency: str) -> str:
    """Return what refilling costs. hole: the table hole_cost."""
    row = hole.iloc[0]
    if is_unknown(row.hole_cost):
        return t("What replacing lost customers costs is not known: no marketing or sales visits are recorded for this choice.")
    return t(
        "{churn} of customers were lost, so of {expense} for marketing and sales visits {cost} only replaced them.",
        churn=value_text(row.churn, "share"),
        expense=value_text(row.expense, "money", currency),
        cost=value_text(row.hole_cost, "money", currency),
    )


def picked_heading(flow: str, people: pd.DataFrame) -> str:
    """Return the heading of the customers behind a bar."""
    return t("{flow}: {n} customers", flow=t(FLOWS[flow]), n=f"{len(people):,}")


def _flows(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the rows of the bucket by flow."""
    return {str(row.flow): row for row in rows.itertuples()}


def cell_heading(cell: str, people: pd.DataFrame) -> str:
    """Return the heading of the customers behind a part of a bar of the life cycle. cell: its first day and kind."""
    day, _, kind = cell.partition(" ")
    return t("{kind} from {day}: {n} customers", kind=t(KINDS[kind]), day=date_text(date.fromisoformat(day)), n=f"{len(people):,}")


# ── what the simulation begins with ─────────────────────────────────────────────────────────────────────────────────────


def first_plan(needed: pd.DataFrame) -> Plan | None:
    """Return the plan of the data's own revenue; None where nobody was a customer at the start. needed: the table acquisition_needed."""
    row: Any = needed.set_index("unit").loc["revenue"]
    return None if is_unknown(row.opening) else Plan(churn=row.churn, won=row.won, growth=row.growth, opening=row.opening)


def step_name(basis: pd.DataFrame, *, is_source: bool) -> str:
    """Return what a step of the simulation is called: a year, or a period as long as the reader's. basis: the table bucket_basis."""
    if is_source or (len(basis) and basis.iloc[0].is_year):
        return t("Years")
    return t("Periods of {n} days each", n=f"{int(basis.iloc[0].period_days):,}")


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of the tiles whose value is known, in their order."""
    by_name = {metric.name: metric for metric in metrics.METRICS}
    known = tiles["value"].notna() | (tiles["metric"] != metrics.HOLE_COST.name)
    return tuple(by_name[name] for name in tiles.loc[known, "metric"])


def source_plan() -> Plan:
    """Return the plan of the source's firm."""
    return SOURCE_PLAN
