"""The tables of this part, and the queries behind them.

Owners, blind spots and completeness are of the deals open today, whenever they were created; deals handed on and what service brought are
of the period.
"""

import math
from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import ratio, tile
from crm_metrics.pipeline.deals import query as deal_query
from crm_metrics.pipeline.deals.days import asked_day, last_day, whatever_period
from crm_metrics.pipeline.deals.tables import created, rate_tile, standing
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.ownership import metrics, query, statistic
from crm_metrics.pipeline.ownership.due_tables import REPURCHASE_TABLES
from crm_metrics.pipeline.ownership.metrics import METRICS
from crm_metrics.pipeline.ownership.terms import LAST_DAYS, USUAL_DAYS
from crm_metrics.pipeline.winning.counts import COMPARED, COUNTED, compared_within_quarters, win_counts
from crm_metrics.rooms import Table

__all__ = ["METRICS", "TABLES"]

_SERVICE, _OTHERS = "service", "others"
_PER = 1_000  # service contacts
_BLIND_COLUMNS = [
    "opportunity_id",
    "opportunity_name",
    "customer_id",
    "owner_name",
    "stage_name",
    "deal_amount",
    "created_on",
    "expected_close_on",
    "last_contact_on",
    "days_without_contact",
    "blind_spots",
    *statistic.FLAGS,
]


def queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> tuple[Select, ...]:
    """Return the queries that owners and blind spots come from, to be shown."""
    on = asked_day(source, filters)
    return (deal_query.deal_rows(filters, terms, on), query.last_contacts(filters, terms, on), query.owner_customers(filters, terms))


def service_queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> tuple[Select, ...]:
    """Return the queries that the hand-over from service comes from, to be shown."""
    on = asked_day(source, filters)
    return (query.service_handovers(filters, terms, on), query.service_contacts(filters, on))


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def owner_tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, days: int = USUAL_DAYS) -> pd.DataFrame:
    """Return the tiles of the page: metric, value, low, high (Wilson; order statistics for hours), unit, n. days: see blind_spots."""
    rows, nobody = blind_spots(source, filters, terms, days), unassigned(source, filters, terms)
    blind = rows[rows["blind_spots"] > 0]
    value = blind["deal_amount"].dropna()
    customers = owners(source, filters, terms)["customers"].sum()
    return pd.DataFrame(
        [
            tile(metrics.OPEN_DEALS, len(rows), len(rows)),
            rate_tile(metrics.BLIND_SPOT_SHARE, len(blind), len(rows)),
            tile(metrics.BLIND_SPOT_VALUE, value.sum() if len(value) or not len(blind) else math.nan, len(value)),
            rate_tile(
                metrics.WITHOUT_CONTACT_SHARE, int(rows["no_contact"].sum()), len(rows) if rows["last_contact_on"].notna().any() else 0
            ),
            tile(metrics.UNASSIGNED_CUSTOMERS, len(nobody) if customers else math.nan, int(customers)),
            _handover_tile(handover(source, filters, terms)),
        ]
    )


def _handover_tile(steps: pd.DataFrame) -> dict[str, object]:
    rows: Any = steps[steps["step"] == "to_deal"]
    if not len(rows):
        return tile(metrics.HANDOVER_HOURS, math.nan, 0)
    hours, low, high = (rows[f"median_{name}"].iloc[0] for name in ("hours", "low", "high"))
    return tile(metrics.HANDOVER_HOURS, hours, int(rows["known"].iloc[0]), low=low, high=high)


# ── owners ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def owners(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per owner of a customer or of a deal open today, the largest open value first, those of nobody ("") last.

    owner_id, owner_name, team, role, has_left, left_on (by today), customers (NaN on a past day: who owned them then is not known),
    share_of_customers, open_deals, open_value (NaN where no value is known), share_of_value (of the known open value), unvalued.
    """
    customers = source(query.owner_customers(filters, terms))
    if asked_day(source, filters):
        customers = customers.assign(customers=math.nan)
    return statistic.owner_rows(_open(source, filters, terms), customers, source(query.employee_rows()), last_day(source, filters))


def open_now(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return the deals open today; ask by source.remember. See query.open_deals."""
    return source(query.open_deals(filters, terms, asked_day(source, filters)))


def _open(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    return source.remember(open_now, whatever_period(filters), terms)


def unassigned(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per customer without an owner, or whose owner has left by today: see query.unassigned_customers.

    None on a past day: who owned them then is not known.
    """
    rows = source(query.unassigned_customers(filters, terms))
    if asked_day(source, filters):
        return rows.head(0)
    return rows[rows["owner_id"].isna() | (rows["left_on"] <= last_day(source, filters))].reset_index(drop=True)


def known_to_one(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per customer with at least two contacts in the LAST_DAYS days up to today, those known to one person first, then by
    contacts: customer_id, customer_name, contacts, people (different employees), employee_name (empty: several), last_on.
    """
    today = last_day(source, filters).date()
    rows = source(query.customer_contacts(filters, terms, today - timedelta(LAST_DAYS - 1), today))
    made = rows[rows["contacts"] > 1]
    made = made.assign(employee_name=made["employee_name"].where(made["people"] == 1), is_shared=made["people"] > 1)
    order = made.sort_values(["is_shared", "contacts", "customer_id"], ascending=[True, False, True], ignore_index=True)
    return order.drop(columns="is_shared")


def reassigned(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per deal handed to another owner in the period, the latest first: opportunity_id, opportunity_name, customer_id,
    changed_on, earlier_owner_id, earlier_owner_name, new_owner_id, new_owner_name, outcome (today), deal_amount. By the history.
    """
    found = statistic.owner_changes(source(deal_query.change_rows(filters, terms, asked_day(source, filters), statistic.OF_CHANGES)))
    names = source(query.employee_rows()).set_index("owner_id")["owner_name"]
    deals = standing(source, filters, terms, ("deal_number", "opportunity_id", "opportunity_name", "customer_id", "outcome", "deal_amount"))
    made = found.rename(columns={"owner_id": "new_owner_id"}).merge(deals, on="deal_number")
    for side in ("earlier", "new"):
        made[f"{side}_owner_name"] = made[f"{side}_owner_id"].map(names).astype("str").fillna(made[f"{side}_owner_id"])
    made = _within(made, "changed_on", filters).sort_values(["changed_on", "opportunity_id"], ascending=[False, True], ignore_index=True)
    who = ["changed_on", "earlier_owner_id", "earlier_owner_name", "new_owner_id", "new_owner_name"]
    return made[["opportunity_id", "opportunity_name", "customer_id", *who, "outcome", "deal_amount"]]


def _within(rows: pd.DataFrame, column: str, filters: Filters) -> pd.DataFrame:
    """Return the rows whose day lies in the period."""
    day = rows[column]
    inside = pd.Series(data=True, index=rows.index)
    if filters.start:
        inside &= day >= pd.Timestamp(filters.start)
    if filters.end:
        inside &= day < pd.Timestamp(filters.end) + pd.Timedelta(days=1)
    return rows[inside]


# ── blind spots ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def blind_spots(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS, days: int = USUAL_DAYS) -> pd.DataFrame:
    """Return one row per deal open today, the most blind spots first, then the largest value.

    opportunity_id, opportunity_name, customer_id, owner_name, stage_name, deal_amount, created_on, expected_close_on, last_contact_on
    (activity for the deal or with the customer, or question to service; empty: none), days_without_contact (from the creation where there
    was none), blind_spots (flags raised), and the flags: no_contact (for more than `days`), no_next_step, no_owner (none, or one who has
    left), is_overdue (expected to close before today), no_deal_amount, no_expected_close_on, no_customer_id, no_contact_people.
    """
    return _open_deals(source, filters, terms, days)[_BLIND_COLUMNS]


def _open_deals(source: Source, filters: Filters, terms: DealTerms, days: int) -> pd.DataFrame:
    today, staff = last_day(source, filters), source(query.employee_rows())
    contacts = source(query.last_contacts(filters, terms, asked_day(source, filters)))
    gone = set(staff.loc[staff["left_on"] <= today, "owner_id"])
    return statistic.open_deals(_open(source, filters, terms), contacts, gone, today, days=days)


def completeness(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per key field of the deals open today: see statistic.completeness."""
    return statistic.completeness(_open_deals(source, filters, terms, USUAL_DAYS))


# ── service ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def handover(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per step after a service contact of the period that brought a deal: step ('to_deal': until the deal was created;
    'to_action': until the first activity for it), tickets, and hours as statistic.duration_row; is_small.
    """
    tickets = _handovers(source, filters, terms)
    every = [statistic.durations(tickets.assign(step=step), step, "step") for step in ("to_deal", "to_action")]
    return pd.concat(every, ignore_index=True)


def handover_trend(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per quarter of the service contact: quarter_on, tickets, hours until the deal was created as statistic.duration_row;
    is_small, is_unfinished (the quarter is not over).
    """
    tickets = _handovers(source, filters, terms)
    made = statistic.durations(tickets.assign(quarter_on=tickets["opened_at"].dt.to_period("Q").dt.start_time), "to_deal", "quarter_on")
    return made.assign(is_unfinished=_are_unfinished(made["quarter_on"], last_day(source, filters)))


def _handovers(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    found = source(query.service_handovers(filters, terms, asked_day(source, filters)))
    return statistic.hours_to(_within(found, "opened_at", filters))


def _are_unfinished(quarter: pd.Series, today: pd.Timestamp) -> pd.Series:
    return pd.to_datetime(quarter) + pd.DateOffset(months=3) > today + pd.Timedelta(days=1)


def from_service(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row for the deals of the period that a service contact brought and one for all others: source ('service', 'others'),
    the counts of winning.counts.COUNTED and COMPARED (the first against the second, within quarters of creation), contacts
    (service contacts of the period), deals_per_1000_contacts; the last two of service alone.
    """
    rows, on = created(source, filters, terms), asked_day(source, filters)
    brought = set(source(query.service_handovers(filters, terms, on))["deal_number"])
    is_service = (rows["deal_source"] == _SERVICE) | rows["deal_number"].isin(brought)
    found = win_counts(rows.assign(source=is_service.map({True: _SERVICE, False: _OTHERS})), "source").set_index("source")
    service, others = (found.reindex([name]).reset_index() for name in (_SERVICE, _OTHERS))
    if len(found) > 1:
        service = compared_within_quarters(service, others, rows, is_service)
    contacts = source(query.service_contacts(filters, on))["contacts"].sum()
    service = service.assign(contacts=contacts, deals_per_1000_contacts=ratio(service["deals"].iloc[0], contacts) * _PER)
    made = pd.concat([each for each, name in ((service, _SERVICE), (others, _OTHERS)) if name in found.index] or [service.head(0)])
    return made.reindex(columns=["source", *COUNTED, *COMPARED, "contacts", "deals_per_1000_contacts"]).reset_index(drop=True)


def service_trend(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per quarter: quarter_on, contacts (service contacts), deals (that those of the quarter brought by today),
    deals_per_1000_contacts, is_unfinished.
    """
    contacts = source(query.service_contacts(filters, asked_day(source, filters)))
    tickets = _handovers(source, filters, terms)
    deals = tickets["opened_at"].dt.to_period("Q").dt.start_time.value_counts()
    made = contacts.assign(quarter_on=pd.to_datetime(contacts["quarter_on"]))
    made["deals"] = made["quarter_on"].map(deals).fillna(0).astype(int)
    per = made["deals"] / made["contacts"] * _PER
    return made.assign(deals_per_1000_contacts=per, is_unfinished=_are_unfinished(made["quarter_on"], last_day(source, filters)))


TABLES: dict[str, Table] = {
    "owner_tiles": owner_tiles,
    "owners": owners,
    "unassigned": unassigned,
    "known_to_one": known_to_one,
    "reassigned": reassigned,
    "blind_spots": blind_spots,
    "completeness": completeness,
    "handover": handover,
    "handover_trend": handover_trend,
    "from_service": from_service,
    "service_trend": service_trend,
    **REPURCHASE_TABLES,
}
