"""Decisions that readers wrote down: what a figure was then, what was expected of it, and what it came to."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics import workspace
from crm_metrics.campaign_roi.plan import query
from crm_metrics.campaign_roi.plan.decision_tables import last_day_seen
from crm_metrics.customer_profit import margins
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.language import noop, t
from crm_metrics.metric import Unit, value_text
from crm_metrics.scope import Scope

DAYS = 365  # up to the day: each figure is that of a year, so that seasons don't move it
FIGURES: dict[str, tuple[str, Unit]] = {
    "net_revenue": (noop("Net revenue"), "money"),
    "gross_margin": (noop("Gross margin"), "money"),
    "purchases": (noop("Purchases"), "count"),
    "customers": (noop("Customers"), "count"),
}
COLUMNS: dict[str, tuple[str, Any]] = {
    "decided_on": (noop("Decided on"), "day"),
    "decision_text": (noop("What was decided"), "long text"),
    "decided_by": (noop("By whom"), "text"),
    "figure": (noop("Figure, of a year"), "text"),
    "then": (noop("Then"), "text"),
    "expected": (noop("Expected"), "text"),
    "found": (noop("Came to, or so far"), "text"),
    "review_on": (noop("Look again on"), "day"),
    "is_due": (noop("That day is past"), "flag"),
}


def decisions(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per decision written down by today, the newest first.

    decision_id, decided_on, decision_text, decided_by, metric (a key of FIGURES), value_then, value_expected, review_on, is_due (that day
    is past), value_found (on the day of review, before it so far). Figures are those of DAYS up to the day, of all that the reader sees.
    """
    until = last_day_seen(source, filters)
    found = workspace.read_decisions(source.data_set)
    found = found[found["decided_on"] <= pd.Timestamp(until)] if until else found.head(0)
    found = found.assign(is_due=found["review_on"] <= pd.Timestamp(until)) if until else found.assign(is_due=False)
    values = [
        source.remember(figures_on, filters.scope, min(review_on.date(), until))[metric]
        for metric, review_on in zip(found["metric"], found["review_on"], strict=True)
        if until
    ]
    shown = found.drop(columns=["decided_in", "data_version"]).assign(value_found=np.array(values, dtype=float))
    return shown.iloc[::-1].reset_index(drop=True)


def figures_on(source: Source, scope: Scope, day: date) -> dict[str, float]:
    """Return FIGURES of the year up to a day; NaN where costs of goods are not known enough for a margin."""
    year = Filters(start=day - timedelta(days=DAYS - 1), end=day, scope=scope)
    made, counted = margins(source(query.sold(year))).iloc[0], source(query.bought(year)).iloc[0]
    return {name: float({**made, **counted}[name]) for name in FIGURES}


def in_words(decisions: pd.DataFrame, *, currency: str) -> pd.DataFrame:
    """Return the decisions as they are shown: figure, then, expected and found as printed."""
    rows: list[Any] = list(decisions.itertuples())
    printed = {
        shown: [value_text(getattr(row, name), FIGURES[row.metric][1], currency) for row in rows]
        for shown, name in (("then", "value_then"), ("expected", "value_expected"), ("found", "value_found"))
    }
    return decisions.assign(figure=[t(FIGURES[row.metric][0]) for row in rows], **printed)


def columns() -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of the decisions."""
    return {name: (t(label), unit) for name, (label, unit) in COLUMNS.items()}
