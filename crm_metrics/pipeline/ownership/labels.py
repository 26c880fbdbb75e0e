"""What things are called in this part, and how the columns of the page's tables are headed and printed."""

import math
from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import CUSTOMER, SHARE_INTERVAL, known_columns
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import value_text
from crm_metrics.pipeline.winning.labels import verdict

FLAGS: dict[str, str] = {
    "no_contact": noop("No contact for long"),
    "no_next_step": noop("No next step"),
    "no_owner": noop("Nobody in charge"),
    "is_overdue": noop("Expected close passed"),
    "no_deal_amount": noop("No value"),
    "no_expected_close_on": noop("No expected close"),
    "no_customer_id": noop("No customer"),
    "no_contact_people": noop("No contact person"),
}
FIELDS: dict[str, str] = {
    "owner_id": noop("Owner"),
    "next_step": noop("Next step"),
    "deal_amount": noop("Deal value"),
    "expected_close_on": noop("Expected close"),
    "customer_id": noop("Customer of the deal"),
    "contact_people": noop("Contact person"),
}
STEPS: dict[str, str] = {"to_deal": noop("until the deal was created"), "to_action": noop("until the first activity for it")}
OUTCOMES: dict[str, str] = {"open": noop("open"), "won": noop("won"), "lost": noop("lost")}
SOURCES: dict[str, str] = {"service": noop("from service"), "others": noop("from elsewhere")}
_DEAL: dict[str, tuple[str, Any]] = {"opportunity_id": (noop("Deal number"), "text"), "opportunity_name": (noop("Deal"), "text")}
_HOURS: dict[str, tuple[str, Any]] = {
    "tickets": (noop("Service contacts that brought a deal"), "count"),
    "known": (noop("Of these known"), "count"),
    "median_hours": (noop("Hours, median"), "ratio"),
    "median_low": (noop("Median, low (95%)"), "ratio"),
    "median_high": (noop("Median, high (95%)"), "ratio"),
    "p90_hours": (noop("Hours, 90% within"), "ratio"),
    "p90_low": (noop("90% within, low (95%)"), "ratio"),
    "p90_high": (noop("90% within, high (95%)"), "ratio"),
    "mean_hours": (noop("Hours, mean"), "ratio"),
    "mean_low": (noop("Mean, low (95%)"), "ratio"),
    "mean_high": (noop("Mean, high (95%)"), "ratio"),
}
_QUARTER: dict[str, tuple[str, Any]] = {"quarter_on": (noop("Quarter from"), "day")}
_OVER: dict[str, tuple[str, Any]] = {"is_unfinished": (noop("Not over"), "flag")}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # heading and unit, by table and column
    "blind_spots": {
        **_DEAL,
        "owner_name": (noop("Owner"), "text"),
        "stage_name": (noop("Stage"), "text"),
        "blind_spots": (noop("Blind spots"), "count"),
        "deal_amount": (noop("Deal value"), "money"),
        "days_without_contact": (noop("Days without contact"), "count"),
        "last_contact_on": (noop("Last contact"), "day"),
        "expected_close_on": (noop("Expected close"), "day"),
        **{name: (label, "flag") for name, label in FLAGS.items()},
        "customer_id": CUSTOMER["customer_id"],
    },
    "owners": {
        "shown_owner": (noop("Owner"), "text"),
        "team": (noop("Team"), "text"),
        "role": (noop("Role"), "text"),
        "customers": (noop("Customers"), "count"),
        "share_of_customers": (noop("Share of customers"), "share"),
        "open_deals": (noop("Open deals"), "count"),
        "open_value": (noop("Open value"), "money"),
        "share_of_value": (noop("Share of open value"), "share"),
        "unvalued": (noop("Deals of unknown value"), "count"),
        "left_on": (noop("Left on"), "day"),
    },
    "unassigned": {
        **CUSTOMER,
        "region": (noop("Region"), "text"),
        "owner_name": (noop("Last owner"), "text"),
        "left_on": (noop("Left on"), "day"),
    },
    "known_to_one": {
        **CUSTOMER,
        "contacts": (noop("Contacts"), "count"),
        "people": (noop("People in touch"), "count"),
        "employee_name": (noop("The only one"), "text"),
        "last_on": (noop("Last contact"), "day"),
    },
    "reassigned": {
        **_DEAL,
        "changed_on": (noop("Handed on"), "day"),
        "earlier_owner_name": (noop("From"), "text"),
        "new_owner_name": (noop("To"), "text"),
        "shown_outcome": (noop("Today"), "text"),
        "deal_amount": (noop("Deal value"), "money"),
        "customer_id": CUSTOMER["customer_id"],
    },
    "repurchase_due": {
        **CUSTOMER,
        "owner_name": (noop("Owner"), "text"),
        "value_at_stake": (noop("Value at stake"), "money"),
        "days_since_last_purchase": (noop("Days since the last purchase"), "count"),
        "usual_interval_days": (noop("Days expected"), "days"),
        "still_customer": (noop("Chance it still is a customer"), "share"),
        "chance": (noop("Chance to buy in 30 days"), "share"),
        "next_from_on": (noop("Next purchase, 80% from"), "day"),
        "next_until_on": (noop("Next purchase, 80% to"), "day"),
        "own_share": (noop("Told by its own history"), "share"),
        "purchase_days": (noop("Purchases"), "count"),
        "value_per_purchase": (noop("Value per purchase"), "money"),
        "open_deals": (noop("Open deals"), "count"),
        "last_on": (noop("Last purchase"), "day"),
        "last_contact_on": (noop("Last contact"), "day"),
        "region": (noop("Region"), "text"),
    },
    "repurchase_check": {
        "told": (noop("Chance told then"), "text"),
        "customers": (noop("Customers"), "count"),
        "expected_customers": (noop("Expected to buy"), "ratio"),
        "bought": (noop("Bought"), "count"),
        "share": (noop("Share who bought"), "share"),
        **SHARE_INTERVAL,
    },
    "completeness": {
        "shown_field": (noop("Field"), "text"),
        "deals": (noop("Open deals"), "count"),
        "filled": (noop("Filled in"), "count"),
        "share": (noop("Share of open deals"), "share"),
        **SHARE_INTERVAL,
        "is_recorded": (noop("Kept in these data"), "flag"),
    },
    "handover": {"shown_step": (noop("From the service contact"), "text"), **_HOURS},
    "handover_trend": {**_QUARTER, **_HOURS, **_OVER},
    "from_service": {
        "shown_source": (noop("Deals"), "text"),
        "deals": (noop("Created"), "count"),
        "closed": (noop("Closed deals"), "count"),
        "won": (noop("Won"), "count"),
        "win_rate": (noop("Win rate of closed deals"), "share"),
        **SHARE_INTERVAL,
        "difference": (noop("Difference in points"), "share"),
        "verdict": (noop("Verdict"), "text"),
        "won_value": (noop("Won value"), "money"),
        "unvalued": (noop("Deals of unknown value"), "count"),
        "contacts": (noop("Service contacts"), "count"),
        "deals_per_1000_contacts": (noop("Deals per 1,000 service contacts"), "ratio"),
    },
    "service_trend": {
        **_QUARTER,
        "contacts": (noop("Service contacts"), "count"),
        "deals": (noop("Deals they brought"), "count"),
        "deals_per_1000_contacts": (noop("Deals per 1,000 service contacts"), "ratio"),
        **_OVER,
    },
}
columns = partial(known_columns, COLUMNS)


def times_text(low: float, high: float) -> str:
    """Return a length of silence, in times the interval expected."""
    if math.isinf(high):
        return t("over {low} times as long as expected", low=f"{low:g}")
    return t("{low} to {high} times", low=f"{low:g}", high=f"{high:g}")


def in_words(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table (a key of COLUMNS) as shown: names and verdicts in the reader's language."""
    if table == "owners":
        return rows.assign(shown_owner=rows["owner_name"].replace("", t("nobody")))
    if table == "reassigned":
        return rows.assign(shown_outcome=rows["outcome"].map(translated(OUTCOMES)))
    if table == "completeness":
        return rows.assign(shown_field=rows["field"].map(translated(FIELDS)))
    if table == "repurchase_check":
        pairs = zip(rows["from_chance"], rows["to_chance"], strict=True)
        told = [t("{low} to {high}", low=value_text(low, "share"), high=value_text(high, "share")) for low, high in pairs]
        return rows.assign(told=told)
    if table == "handover":
        return rows.assign(shown_step=rows["step"].map(translated(STEPS)))
    if table == "from_service":
        verdicts = [verdict(row) for row in rows.itertuples()]
        return rows.assign(shown_source=rows["source"].map(translated(SOURCES)), verdict=verdicts)
    return rows
