"""What definitions, parts and kinds are called, and how the columns of the page's tables are headed and printed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import CUSTOMER, known_columns
from crm_metrics.export import safe_label
from crm_metrics.language import noop, t
from crm_metrics.retention.leaving.definitions import ALIVE, CONTRACT, RHYTHM, WINDOW

DEFINITIONS: dict[str, str] = {
    RHYTHM: noop("Late by own rhythm"),
    ALIVE: noop("P(alive) under 50%"),
    WINDOW: noop("{days} days without an order"),
    CONTRACT: noop("Contract ended by the customer"),
}
SPLITS: dict[str, str] = {
    "all": noop("All together"),
    "acquisition_channel": noop("By acquisition channel"),
    "sales_channel": noop("By channel of the first order"),
    "category": noop("By category of the first order"),
}
VERDICTS: dict[str, str] = {
    "fitted": noop("fitted"),
    "too_few": noop("too few ended"),
    "not_falling": noop("the chance to end does not fall with age"),
    "not_converged": noop("did not converge"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "definitions": {
        "definition": (noop("Definition"), "text"),
        "customers": (noop("Active a year before"), "count"),
        "churned": (noop("Lost since"), "count"),
        "rate": (noop("Churn: lost / active"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
        "lost_today": (noop("Lost, of all customers ever"), "count"),
        "customers_today": (noop("All customers ever"), "count"),
    },
    "agreement": {
        "first": (noop("First definition"), "text"),
        "second": (noop("Second definition"), "text"),
        "customers": (noop("Active under both a year before"), "count"),
        "lost_by_both": (noop("Lost by both"), "count"),
        "lost_by_first": (noop("By the first alone"), "count"),
        "lost_by_second": (noop("By the second alone"), "count"),
        "lost_by_neither": (noop("By neither"), "count"),
        "agreed_share": (noop("Agreement, share of customers"), "share"),
    },
    "late": {
        "purchase_days": (noop("Purchase days so far"), "text"),
        "customers": (noop("Customers"), "count"),
        "late": (noop("Late"), "count"),
        "share": (noop("Share late, of customers"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
        "usual_days": (noop("Usual days between purchases"), "days"),
        "late_after_days": (noop("Late after, days"), "days"),
    },
    "people": {
        **CUSTOMER,
        "purchase_days": (noop("Purchase days so far"), "count"),
        "last_on": (noop("Last order"), "day"),
        "days_since_last_order": (noop("Days since last order"), "count"),
        "usual_interval_days": (noop("Usual days between purchases"), "days"),
        "expected_on": (noop("Expected by"), "day"),
        "lateness": (noop("Expected intervals already exceeded"), "share"),
        "probability_alive": (noop("P(alive)"), "share"),
        "mean_interval_days": (noop("Own mean days between purchases"), "days"),
    },
    "second_order": {
        "part": (noop("Part"), "text"),
        "customers": (noop("Customers"), "count"),
        "came_back": (noop("With a second order"), "count"),
        "same_day": (noop("of them on the first day"), "count"),
        "share_30": (noop("Within 30 days"), "share"),
        "share_90": (noop("Within 90 days"), "share"),
        "share_180": (noop("Within 180 days"), "share"),
        "share_365": (noop("Within 365 days"), "share"),
        "median_days": (noop("Median days to the second order"), "days"),
    },
    "contracts": {
        "contract_kind": (noop("Kind of contract"), "text"),
        "contracts": (noop("Contracts"), "count"),
        "churned": (noop("Ended by the customer"), "count"),
        "ended_otherwise": (noop("Ended otherwise"), "count"),
        "running": (noop("Running"), "count"),
        "rate": (noop("Churn: ended / contracts"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
    },
    "lasting": {
        "contract_kind": (noop("Kind of contract"), "text"),
        "contracts": (noop("Contracts"), "count"),
        "lost": (noop("Ended by the customer"), "count"),
        "period_months": (noop("Months between renewals"), "count"),
        "fitted_months": (noop("Fitted up to month"), "count"),
        "seen_months": (noop("Observed up to month"), "count"),
        "verdict": (noop("Model"), "text"),
        "alpha": (noop("Alpha"), "ratio"),
        "beta": (noop("Beta"), "ratio"),
        "mean_error": (noop("Mean error in the test months"), "share"),
        "last_error": (noop("Error in the last test month"), "share"),
        "inside_share": (noop("Test months within the 95% band"), "share"),
    },
}
columns = partial(known_columns, COLUMNS)


def definition_name(name: str, window_days: int) -> str:
    """Return what a definition (a key of DEFINITIONS) is called."""
    return t(DEFINITIONS[name], days=f"{window_days:,}") if name == WINDOW else t(DEFINITIONS[name])


def kind_name(kind: str | None) -> str:
    """Return what a kind of contract is called; all of them where it is empty."""
    return t("All contracts") if kind is None or pd.isna(kind) else safe_label(str(kind))


def part_name(part: Any) -> str:
    """Return what a channel or category is called."""
    return t("All together") if pd.isna(part) else safe_label(str(part)) if part else t("unknown")


def in_words(rows: pd.DataFrame, window_days: int = 0) -> pd.DataFrame:
    """Return the rows of a table with its definitions, kinds, parts and verdicts named in the reader's language."""
    names: dict[str, Callable[[Any], str]] = {
        **dict.fromkeys(("definition", "first", "second"), lambda name: definition_name(name, window_days)),
        "contract_kind": lambda kind: t("All contracts") if pd.isna(kind) else str(kind),
        "part": lambda part: t("All together") if pd.isna(part) else str(part) or t("unknown"),
        "verdict": lambda verdict: t(VERDICTS[verdict]),
    }
    return rows.assign(**{column: [named(value) for value in rows[column]] for column, named in names.items() if column in rows})
