"""A planned test in words."""

import math
from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.language import date_text, noop, t
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.randomised_test.split import OTHER, SEPARATOR
from crm_metrics.segments.words import value_label

NAMED_STRATA = 3
# Skewed spend leans the interval of unequal groups: on the demo's it holds the truth in 82% of tests at 950 and 50 customers, 88% at 900
# and 100, 93% at 2,700 and 300, but 94% or more at 9,000 and 1,000, at 1,500 and 500, and in equal groups of any size.
ENOUGH_FOR_MONEY, UNEQUAL = 1_000, 0.25  # customers of the smaller group, and its share
HOW_PLANNED = noop(
    "Two-sided test with a 5% chance of a false alarm (Chow, Shao and Wang 2008). What happens without the campaign is taken from the same "
    "rule, told on the day before the last such days: who bought in them, of all who could be contacted. Strata make the test a little "
    "stronger than planned."
)
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {
    "strata": {
        "stratum": (noop("Stratum"), "text"),
        "customers": (noop("Customers"), "count"),
        "treated": (noop("Treated"), "count"),
        "control": (noop("Control"), "count"),
        "control_share": (noop("Share of control"), "share"),
    },
    "balance": {
        "measure": (noop("Before the test"), "text"),
        "treated_mean": (noop("Mean of treated"), "number"),
        "control_mean": (noop("Mean of control"), "number"),
        "difference": (noop("Difference in standard deviations"), "ratio"),
    },
    "members": {
        "customer_id": (noop("Customer number"), "text"),
        "arm": (noop("Arm"), "text"),
        "stratum": (noop("Stratum"), "text"),
        "has_consent": (noop("May be contacted"), "flag"),
    },
    "planned": {
        "campaign_name": (noop("Planned campaign"), "text"),
        "segment_name": (noop("Segment"), "text"),
        "as_of_on": (noop("Drawn as of"), "day"),
        "treated_customers": (noop("Treated"), "count"),
        "control_customers": (noop("Control"), "count"),
        "horizon_days": (noop("Days measured"), "count"),
        "lift": (noop("Lift worth having"), "share"),
        "seed": (noop("Seed"), "number"),
    },
}


about = Captions(
    {"power": noop("A line: the chance to find a lift, by its size, with the customers at hand.")}, {"power": HOW_PLANNED}
).about


def columns(table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table (a key of COLUMNS) that `frame` has."""
    return {name: (t(label), unit) for name, (label, unit) in COLUMNS[table].items() if name in frame}


def plan_finding(plan: pd.DataFrame, terms: Any, *, currency: str) -> str:
    """Return how many customers the test needs and whether there are so many. terms: see tables.TestTerms."""
    row: Any = plan.iloc[0]
    needs = t(
        "To find a lift of {lift} over {without} takes {needed} customers: {treated} treated, {control} control.",
        lift=value_text(terms.lift, "share"),
        without=_outcome(row.baseline_mean, terms, currency),
        needed=f"{row.customers_needed:,.0f}",
        treated=f"{row.treated_needed:,.0f}",
        control=f"{row.control_needed:,.0f}",
    )
    customers = f"{row.customers:,.0f}"
    there_are = t("There are {customers}.", customers=customers)
    if row.customers < row.customers_needed:
        there_are = t("There are only {customers}: too few.", customers=customers)
    shows = t("They can show no lift at all.")
    if not is_unknown(row.smallest_lift):
        shows = t("The smallest lift they can show is {lift}.", lift=value_text(row.smallest_lift, "share"))
    return t(" ").join([needs, there_are, shows, *_money_warning(row.customers, terms)])


def _money_warning(customers: float, terms: Any) -> list[str]:
    """Return why the interval of an outcome in money will be too narrow, if it will."""
    share = min(terms.share_control, 1 - terms.share_control)
    smaller = math.floor(customers * share)
    if terms.outcome == "buyers" or share >= UNEQUAL or smaller >= ENOUGH_FOR_MONEY:
        return []
    return [
        t(
            "Rough: a few customers spend very much, and with only {n} in the smaller of two unequal groups the interval of the result "
            "will hold the truth less often than 95%. Equal groups, or the share who buy, are safer.",
            n=f"{smaller:,}",
        )
    ]


def baseline_note(baseline: pd.DataFrame, terms: Any, *, currency: str) -> str:
    """Return what happened without the test, and when."""
    row: Any = baseline.iloc[0]
    mean = row.buyers_share if terms.outcome == "buyers" else row.spend_mean
    return t(
        "Without a campaign: {without}, in the {days} days up to {until}, of the {n} contactable customers who met the rule on {day}.",
        without=_outcome(mean, terms, currency),
        n=f"{row.customers:,}",
        day=date_text(row.chosen_on),
        days=terms.horizon_days,
        until=date_text(row.until),
    )


def merged_note(merged: tuple[str, ...]) -> str:
    """Return which strata were too small to be split alone; "" where none was."""
    names = safe_text(t(", ").join(_stratum(name) for name in merged[:NAMED_STRATA]))
    return t("Too small to be split alone, so drawn together: {names} ({n}).", names=names, n=len(merged)) if merged else ""


def members_in_words(members: pd.DataFrame) -> pd.DataFrame:
    """Return the members of a test with the arms and strata in the reader's language."""
    return strata_in_words(members).assign(arm=members["arm"].map({"treated": t("treated"), "control": t("control")}))


def withdrawn_note(members: pd.DataFrame) -> str:
    """Return how many members may not be contacted any more; "" where all may. members: the table planned_members."""
    withdrawn = int((~members["has_consent"]).sum())
    if not withdrawn:
        return ""
    return t("Members who do not agree to be contacted any more: {n}. They stay in the test, but send them nothing.", n=f"{withdrawn:,}")


def strata_in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table (stratum) with the strata in the reader's language."""
    return frame.assign(stratum=frame["stratum"].map({name: _stratum(name) for name in frame["stratum"].unique()}))


def _stratum(name: str) -> str:
    return t("(other)") if name == OTHER else SEPARATOR.join(value_label(value) for value in name.split(SEPARATOR))


def balance_in_words(balance: pd.DataFrame) -> pd.DataFrame:
    """Return how alike the arms were, with the measures in the reader's language."""
    return balance.round({"treated_mean": 2, "control_mean": 2, "difference": 3}).assign(
        measure=balance["measure"].map({"orders": t("Orders"), "net_revenue": t("Net revenue")})
    )


def _outcome(value: float, terms: Any, currency: str) -> str:
    if terms.outcome == "buyers":
        return t("{share} who buy", share=value_text(value, "share"))
    return t("{money} a customer", money=value_text(value, "money_per_customer", currency))
