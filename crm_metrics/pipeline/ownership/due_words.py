"""What is found of customers due to buy again, in words."""

from typing import Any

import pandas as pd

from crm_metrics.customer_forecast.rhythm import CUSTOMERS_NEEDED, INTERVALS_NEEDED
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.pipeline.ownership.metrics import DUE_CUSTOMERS, DUE_VALUE, PROBABLY_LOST
from crm_metrics.pipeline.ownership.terms import DUE, HORIZON_DAYS, LOST, MOST_LISTED

STATES: dict[str, str] = {DUE: noop("Due: to be called now"), LOST: noop("Silent for so long that they are probably lost")}


def states() -> dict[str, str]:
    """Return which customers can be listed, those to be called first."""
    return translated(STATES)


def finding(tiles: pd.DataFrame, basis: pd.DataFrame, *, currency: str) -> str:
    """Return how many customers are due, what is at stake, and how many are probably lost. Tables: repurchase_tiles, repurchase_basis."""
    if not len(tiles):
        return _unknown(basis.iloc[0])
    if not tiles["n"].iloc[0]:
        return t("None of the chosen customers has bought yet.")
    value: Any = tiles.set_index("metric")["value"]
    values = {
        "due": f"{value[DUE_CUSTOMERS.name]:,.0f}",
        "all": f"{tiles['n'].iloc[0]:,}",
        "value": value_text(value[DUE_VALUE.name], "money", currency),
        "lost": f"{value[PROBABLY_LOST.name]:,.0f}",
    }
    if is_unknown(value[DUE_VALUE.name]):
        return t("{due} of {all} customers should have bought again by now; {lost} more are probably lost.", **values)
    return t(
        "{due} of {all} customers should have bought again by now, with {value} at stake in their next purchase; {lost} more are"
        " probably lost.",
        **values,
    )


def _unknown(basis: Any) -> str:
    if basis["state"] == "none":
        return t("No customer who is looked after has bought yet, or no order and no won deal names its customer.")
    values = {"intervals": f"{basis['intervals']:,}", "needed": f"{INTERVALS_NEEDED:,}", "customers": f"{CUSTOMERS_NEEDED:,}"}
    if basis["state"] == "too_few":
        return t(
            "Customers bought again {intervals} times. To tell what is usual takes {needed}, and {customers} customers who bought three"
            " times.",
            **values,
        )
    return t("The history is too short to tell how long customers usually take to buy again.")


def note(basis: pd.DataFrame, check: pd.DataFrame) -> str:
    """Return how right it was a month ago, and what is said of those who bought once. Tables: repurchase_basis, repurchase_check."""
    row: Any = basis.iloc[0]
    texts = []
    if len(check):
        values = {
            "expected": f"{check['expected_customers'].sum():,.0f}",
            "bought": f"{check['bought'].sum():,}",
            "n": f"{check['customers'].sum():,}",
        }
        text = t("{days} days ago {expected} of {n} customers were expected to buy by now; {bought} did.", days=HORIZON_DAYS, **values)
        texts.append(text)
    if row["one_time"]:
        chance = value_text(row["one_time_chance"], "share")
        text = t(
            "Of {n} who bought once, {chance} are expected to buy again within {days} days.",
            n=f"{row['one_time']:,}",
            chance=chance,
            days=HORIZON_DAYS,
        )
        texts.append(text)
    if not row["is_leaving_found"]:
        texts.append(t("No customers are found to leave for good: all are taken to be customers still."))
    texts.append(t("The list holds the {n} with most at stake, at most; each row opens its customer.", n=f"{MOST_LISTED:,}"))
    return t(" ").join(texts)
