"""The findings of this part in words, made from its tables."""

from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.pipeline.ownership.labels import FIELDS, FLAGS
from crm_metrics.pipeline.ownership.metrics import HANDOVER_HOURS, REPURCHASE_METRICS
from crm_metrics.pipeline.ownership.terms import DAYS, LAST_DAYS, USUAL_DAYS

QUESTIONS: dict[str, str] = {
    "blind_spots": noop("Blind spots"),
    "due": noop("Due to buy again"),
    "owners": noop("Who owns what"),
    "unassigned": noop("Customers of nobody"),
    "known_to_one": noop("Known to one person"),
    "reassigned": noop("Handed on"),
    "completeness": noop("Empty fields"),
    "service": noop("From service"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "blind_spots": noop("Bars: how many open deals have each blind spot."),
    "owners": noop("Bars: the open value of each owner; of nobody or of owners who have left in another colour."),
    "due": noop("Bars: customers by the length of their silence, in times the interval expected of them; those who are overdue in colour."),
    "completeness": noop("Bars: the share of open deals that have each key field."),
    "handover": noop("Points with intervals by quarter: the median hours from a service contact to the deal it brought."),
    "service": noop("Bars by quarter: deals per 1,000 service contacts. A quarter that is not over is hatched."),
}
NOTES: dict[str, str] = {  # by the name of the figure
    "blind_spots": noop(
        "Deals open today, whenever they were created. Contact: an activity for the deal or with its customer, or a question of the"
        " customer to service; mailings are none. Without any the days count from the creation. Nobody in charge: no owner, or one who has"
        " left. What no deal has at all is not kept in these data and is no blind spot. Next steps are known today alone, of no past day;"
        " customers and contact persons of a past day are those known today."
    ),
    "owners": noop(
        "Open value: sum over the deals open today whose value is known. Customers by their owner as the data stand now; of kinds of"
        " customers that never have an owner, such as persons in a shop, nobody is expected to look after, and they are left out. Choices"
        " of source, product and pipeline do not concern customers."
    ),
    "due": noop(
        "Purchases: days with an order, and days on which a deal was won later than 30 days after the customer's last order. Expected"
        " interval: half of the customer's next intervals are shorter; from the customer's own, drawn to what is usual of all by how"
        " few they are (gamma distributed intervals with a rate of each customer's own: Chatfield and Goodhardt 1973). Due: silent for"
        " at least that long. Chance that it still is a customer: MBG/CNBD-k (Reutterer, Platzer and Schröder 2021); under one half it"
        " is probably lost. Chance to buy: within the next 30 days. Nothing after today is seen; seasons are not known to it."
        " Customers: of kinds that have owners; where no customer has one, all. Owner: of the customer, else of its latest deal. Choices"
        " of category, source, product and pipeline choose no customers."
    ),
    "completeness": noop(
        "Deals open today that have the field, divided by all deals open today. Contact person: one is known of the customer."
    ),
    "handover": noop(
        "Service contacts that brought a deal, by the quarter in which they were opened; hours around the clock, from the contact to the"
        " creation of the deal. Median with its 95% interval from order statistics (Hahn and Meeker 1991). Where only the day of the deal"
        " is known, 24 hours for each day between. Faded, without interval: fewer than 30. Hollow: the quarter is not over, and slow ones"
        " are still to come."
    ),
    "service": noop(
        "Service contacts that brought a deal, per 1,000 service contacts opened in the quarter. Contacts are of the chosen regions; other"
        " choices concern the deals alone. Late in the data some deals are still to come. Win rates are compared among deals created in the"
        " same quarter."
    ),
}
_CAPTIONS = Captions(ALT_TEXTS, NOTES, {"handover": (HANDOVER_HOURS,), "due": REPURCHASE_METRICS})
about = _CAPTIONS.about


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


def contact_days() -> dict[str, str]:
    """Return after how many days without contact a deal is a blind spot, the usual one first."""
    return {str(days): t("No contact for {days} days", days=days) for days in sorted(DAYS, key=lambda days: (days != USUAL_DAYS, days))}


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(rows: pd.DataFrame, *, currency: str) -> str:
    """Return the page's finding. rows: the table blind_spots."""
    if not len(rows):
        return t("No deal is open today.")
    blind = rows[rows["blind_spots"] > 0]
    if not len(blind):
        return t("None of {n} open deals has a blind spot.", n=f"{len(rows):,}")
    flag = str(rows[list(FLAGS)].sum().idxmax())
    values = {
        "k": f"{len(blind):,}",
        "n": f"{len(rows):,}",
        "value": value_text(blind["deal_amount"].sum(min_count=1), "money", currency),
        "flag": t(FLAGS[flag]),
        "m": f"{int(rows[flag].sum()):,}",
    }
    if blind["deal_amount"].isna().all():
        return t("{k} of {n} open deals have a blind spot; most often: {flag} ({m}).", **values)
    return t("{k} of {n} open deals, worth {value}, have a blind spot; most often: {flag} ({m}).", **values)


def blind_note(rows: pd.DataFrame, completeness: pd.DataFrame) -> str:
    """Return what is not kept in these data, and how many deals have no value. Tables: blind_spots, completeness."""
    fields = [t(FIELDS[field]) for field in completeness.loc[~completeness["is_recorded"], "field"]] if len(rows) else []
    texts = (
        [t("Not kept in these data or not known of that day, and so no blind spot: {names}.", names=t(", ").join(fields))] if fields else []
    )
    if len(rows) and rows["last_contact_on"].isna().all():
        texts.append(t("No contact with these customers is recorded."))
    unvalued = int(rows["deal_amount"].isna().sum())
    texts += [t("Open deals of unknown value, which are in no sum: {n}.", n=f"{unvalued:,}")] if unvalued else []
    return t(" ").join(texts)


def owners_finding(owners: pd.DataFrame) -> str:
    """Return how much lies with one owner, with nobody, and with those who have left. owners: the table of this name."""
    named = owners[owners["owner_id"] != ""]
    if not len(named):
        return t("No open deal and no customer has an owner.")
    texts = []
    first: Any = named.sort_values("share_of_value", ascending=False).iloc[0]
    if not is_unknown(first.share_of_value):
        values = {"name": safe_text(first.owner_name), "share": value_text(first.share_of_value, "share"), "n": f"{len(named):,}"}
        texts.append(t("{name} has {share} of the open value (owners: {n}).", **values))
    elif named["open_deals"].sum():
        most: Any = named.sort_values("open_deals", ascending=False, kind="stable").iloc[0]
        values = {"name": safe_text(most.owner_name), "k": f"{most.open_deals:,}", "all": f"{named['open_deals'].sum():,}"}
        texts.append(t("{name} has {k} of {all} open deals; their value is not known.", **values))
    gone = named[named["has_left"] & ((named["open_deals"] > 0) | (named["customers"] > 0))]
    if len(gone):
        texts.append(
            t(
                "Owners who have left: {n}; they still have {deals} open deals and {customers} customers.",
                n=len(gone),
                deals=f"{int(gone['open_deals'].sum()):,}",
                customers=value_text(gone["customers"].sum(min_count=1), "count"),
            )
        )
    nobody = owners[owners["owner_id"] == ""]
    if len(nobody):
        values = {"deals": f"{int(nobody['open_deals'].iloc[0]):,}", "customers": value_text(nobody["customers"].iloc[0], "count")}
        texts.append(t("Open deals that nobody owns: {deals}; customers: {customers}.", **values))
    return t(" ").join(texts)


def unassigned_finding(rows: pd.DataFrame, owners: pd.DataFrame) -> str:
    """Return how many customers nobody looks after. Tables: unassigned, owners."""
    if owners["customers"].isna().all() or not owners["customers"].sum():
        return t("Whose customers they are is not recorded, or not known of a past day.")
    every = owners["customers"].sum()
    return t(
        "{n} of {all} customers ({share}) have no owner, or one who has left.",
        n=f"{len(rows):,}",
        all=f"{every:,.0f}",
        share=value_text(len(rows) / every, "share"),
    )


def known_finding(rows: pd.DataFrame) -> str:
    """Return how many customers only one person is in touch with. rows: the table known_to_one."""
    if not len(rows):
        return t(
            "No customer had two contacts or more in the last {days} days, or whose contacts they are is not recorded.", days=LAST_DAYS
        )
    alone = int((rows["people"] == 1).sum())
    return t(
        "{k} of {n} customers with two contacts or more in the last {days} days ({share}) were in touch with one person only.",
        k=f"{alone:,}",
        n=f"{len(rows):,}",
        days=LAST_DAYS,
        share=value_text(alone / len(rows), "share"),
    )


def reassigned_finding(rows: pd.DataFrame) -> str:
    """Return how many deals were handed on. rows: the table reassigned."""
    if not len(rows):
        return t("No deal changed its owner in these days, or the data hold no history of owners.")
    return t(
        "Hand-overs to another owner in these days: {n}; deals: {deals}.",
        n=f"{len(rows):,}",
        deals=f"{rows['opportunity_id'].nunique():,}",
    )


def completeness_finding(rows: pd.DataFrame) -> str:
    """Return which key fields are empty most often. rows: the table completeness."""
    known = rows[rows["is_recorded"]]
    if not len(known):
        return t("No deal is open today.")
    first: Any = known.iloc[0]
    return t(
        "Empty most often: {field}, known of {share} of {n} open deals.",
        field=t(FIELDS[first.field]),
        share=value_text(first.share, "share"),
        n=f"{int(first.deals):,}",
    )


def service_finding(handover: pd.DataFrame, sources: pd.DataFrame) -> str:
    """Return how fast service hands over, and what came of it. Tables: handover, from_service."""
    service = sources[sources["source"] == "service"]
    if not len(service):
        return t("No deal of these days came from service.")
    row: Any = service.iloc[0]
    values = {
        "n": f"{int(row.deals):,}",
        "per": value_text(row.deals_per_1000_contacts, "ratio"),
        "rate": value_text(row.win_rate, "share"),
        "others": value_text(row.others_rate if "others_rate" in service else float("nan"), "share"),
    }
    alone = noop("Deals that came from service: {n}, {per} per 1,000 service contacts.")
    with_rates = noop(
        "Deals that came from service: {n}, {per} per 1,000 service contacts; {rate} of the closed ones are won, {others} of others."
    )
    text = t(with_rates if row.closed else alone, **values)
    steps: Any = handover[handover["step"] == "to_deal"]
    if not len(steps) or steps["is_small"].iloc[0]:
        return text
    hours = {"median": f"{steps['median_hours'].iloc[0]:.1f}", "p90": f"{steps['p90_hours'].iloc[0]:.1f}"}
    return text + t(" ") + t("Half of them were handed over within {median} hours, 90% within {p90}.", **hours)
