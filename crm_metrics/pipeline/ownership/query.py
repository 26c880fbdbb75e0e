"""What the ownership part asks the database besides the deals and their changes.

Who owns a customer, and who has left, is known as the data stand now alone. A customer's region is that of the owner, else the home
region; the market segment is the industry.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Integer, Select, and_, case, cast, exists, false, func, or_, select, true

from crm_metrics.filters import Filters, in_segments, is_chosen
from crm_metrics.pipeline.deals.query import OPEN, activity_rows, deals, seen_regions
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.schema import contacts, customers, employees, opportunity_history, service_tickets
from crm_metrics.sql import bucket_on


def open_deals(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per deal that is open at the end of `on`: the columns of pipeline.deals.query.deals, by deal_number."""
    rows = deals(filters, terms, on).c
    return select(*rows).where(rows.outcome == OPEN).order_by(rows.deal_number)


def latest_owners(every: CTE) -> CTE:
    """One row per customer with a deal: customer_id, owner_id (of its latest deal), open_deals. every: pipeline.deals.query.deals."""
    deal = every.c
    latest = func.row_number().over(partition_by=deal.customer_id, order_by=(deal.created_on.desc().nulls_last(), deal.deal_number.desc()))
    still_open = func.sum(case((deal.outcome == OPEN, 1), else_=0)).over(partition_by=deal.customer_id)
    columns = (deal.customer_id, deal.owner_id, cast(still_open, Integer).label("open_deals"), latest.label("place"))
    held = select(*columns).where(deal.customer_id.is_not(None)).cte("held_deals").c
    return select(held.customer_id, held.owner_id, held.open_deals).where(held.place == 1).cte("latest_owners")


def owned_customers(filters: Filters, terms: DealTerms = ALL_DEALS, latest: CTE | None = None) -> CTE:
    """One row per customer within the scope whose kind has owners: customer_id, customer_name, owner_id, region, is_chosen (within the
    filters and terms: region, owner, team, market, segments).

    A kind of which no customer has an owner, such as persons who buy in a shop, is looked after by nobody on purpose. latest: see
    `latest_owners`; who has no owner then has that of the latest deal, and where no customer has one everybody is told.
    """
    seller, row = employees.alias("customer_owner"), customers.c
    owner = (func.coalesce(row.owner_id, latest.c.owner_id) if latest is not None else row.owner_id).label("owner_id")
    told = customers.outerjoin(latest, latest.c.customer_id == row.customer_id) if latest is not None else customers
    owned = select(row.customer_kind).where(row.owner_id.is_not(None)).distinct().cte("owned_kinds")
    is_owned = or_(owned.c.customer_kind == row.customer_kind, and_(owned.c.customer_kind.is_(None), row.customer_kind.is_(None)))
    kind_has_owners, has_no_owner = exists().where(is_owned), select(func.count(row.owner_id)).scalar_subquery() == 0
    region = func.coalesce(seller.c.region, row.home_region).label("region")
    columns = (row.customer_id, row.customer_name, owner, region, seller.c.team, row.industry)
    joined = told.outerjoin(seller, seller.c.employee_id == owner)
    whole = select(*columns).select_from(joined).where(kind_has_owners if latest is None else or_(kind_has_owners, has_no_owner))
    rows = whole.cte("whole_customers")
    chosen = {"region": filters.region, "owner_id": terms.owner, "team": terms.team, "industry": terms.market}
    conditions = [is_chosen(rows.c[name], values) for name, values in chosen.items() if values]
    conditions += in_segments(filters, rows.c.customer_id)
    flag = func.coalesce(and_(true(), *conditions), false()).label("is_chosen")
    named = [rows.c[name] for name in ("customer_id", "customer_name", "owner_id", "region")]
    return select(*named, flag).where(*seen_regions(filters.scope, rows)).cte("owned_customers")


def customers_seen(filters: Filters, terms: DealTerms = ALL_DEALS) -> CTE:
    """One row per customer of `owned_customers` within the filters and terms: its columns."""
    rows = owned_customers(filters, terms)
    return select(*rows.c).where(rows.c.is_chosen).cte("customers_seen")


def owner_customers(filters: Filters, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row per owner: owner_id (empty: customers without one), customers."""
    seen = customers_seen(filters, terms).c
    return select(seen.owner_id, func.count().label("customers")).group_by(seen.owner_id).order_by(seen.owner_id)


def unassigned_customers(filters: Filters, terms: DealTerms = ALL_DEALS) -> Select[Any]:
    """One row per customer without an owner, or whose owner has left: customer_id, customer_name, region, owner_id, owner_name, left_on."""
    seen, last = customers_seen(filters, terms), employees.alias("last_owner")
    name = func.coalesce(last.c.employee_name, seen.c.owner_id).label("owner_name")
    columns = (seen.c.customer_id, seen.c.customer_name, seen.c.region, seen.c.owner_id, name, last.c.left_on)
    joined = select(*columns).join_from(seen, last, last.c.employee_id == seen.c.owner_id, isouter=True)
    return joined.where(or_(seen.c.owner_id.is_(None), last.c.left_on.is_not(None))).order_by(seen.c.customer_id)


def employee_rows() -> Select[Any]:
    """One row per employee: owner_id, owner_name, team, role, left_on (empty while employed)."""
    row = employees.c
    name = func.coalesce(row.employee_name, row.employee_id).label("owner_name")
    return select(row.employee_id.label("owner_id"), name, row.team, row.role, row.left_on).order_by(row.employee_id)


def last_contacts(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per open deal: deal_number, last days by the end of `on` on which an employee did something for it (of_deal_on), or with its
    customer (of_customer_on), or the customer asked service (asked_on), and contact_people (of its customer). Mailings are no contact.
    """
    every = deals(filters, terms, on)
    done = activity_rows(Filters(scope=filters.scope), until=on).c
    day = func.max(done.happened_on).label("last_on")
    by_deal = select(done.opportunity_id, day).where(done.opportunity_id.is_not(None)).group_by(done.opportunity_id).cte("done_for_deals")
    by_customer = select(done.customer_id, day).where(done.customer_id.is_not(None)).group_by(done.customer_id).cte("done_with_customers")
    asked = select(service_tickets.c.customer_id, func.max(_opened_on()).label("last_on")).group_by(service_tickets.c.customer_id)
    asked_by = (asked.where(service_tickets.c.opened_at < on + timedelta(1)) if on else asked).cte("asked")
    people = select(contacts.c.customer_id, func.count().label("contact_people")).group_by(contacts.c.customer_id).cte("people")
    deal = every.c
    joined = (
        every.outerjoin(by_deal, by_deal.c.opportunity_id == deal.opportunity_id)
        .outerjoin(by_customer, by_customer.c.customer_id == deal.customer_id)
        .outerjoin(asked_by, asked_by.c.customer_id == deal.customer_id)
        .outerjoin(people, people.c.customer_id == deal.customer_id)
    )
    columns = (
        by_deal.c.last_on.label("of_deal_on"),
        by_customer.c.last_on.label("of_customer_on"),
        asked_by.c.last_on.label("asked_on"),
        people.c.contact_people,
    )
    return select(deal.deal_number, *columns).select_from(joined).where(deal.outcome == OPEN).order_by(deal.deal_number)


def customer_contacts(filters: Filters, terms: DealTerms, since: date, until: date) -> Select[Any]:
    """One row per customer seen with whom employees did something from `since` to `until`: customer_id, customer_name, contacts, people
    (different employees), employee_name (the only one; else one of them), last_on; by customer_id.
    """
    seen, done = customers_seen(filters, terms), activity_rows(Filters(scope=filters.scope), until=until)
    keys = (seen.c.customer_id, seen.c.customer_name)
    counted = (
        func.sum(done.c.activity_count).label("contacts"),
        func.count(done.c.employee_id.distinct()).label("people"),
        func.min(done.c.employee_name).label("employee_name"),
        func.max(done.c.happened_on).label("last_on"),
    )
    joined = select(*keys, *counted).join_from(done, seen, seen.c.customer_id == done.c.customer_id)
    return joined.where(done.c.happened_on >= since).group_by(*keys).order_by(*keys)


def _opened_on() -> ColumnElement[Any]:
    return cast(service_tickets.c.opened_at, Date)


# ── what service brought ────────────────────────────────────────────────────────────────────────────────────────────────


def service_handovers(filters: Filters, terms: DealTerms = ALL_DEALS, on: date | None = None) -> Select[Any]:
    """One row per service contact that brought a deal there at the end of `on`: ticket_id, opened_at, deal_number, created_on, created_at
    (moment of the deal's first change; empty where the history does not begin with its creation), acted_at (first activity for the deal
    from the contact on; empty: none by then).
    """
    chosen, ticket = deals(filters, terms, on), service_tickets.c
    said, done = opportunity_history.c, activity_rows(Filters(scope=filters.scope), until=on)
    first = select(said.opportunity_id, func.min(said.changed_at).label("created_at")).group_by(said.opportunity_id).cte("first_moments")
    is_creation = and_(first.c.opportunity_id == chosen.c.opportunity_id, cast(first.c.created_at, Date) == chosen.c.created_on)
    acted = and_(done.c.opportunity_id == chosen.c.opportunity_id, done.c.happened_at >= ticket.opened_at)
    keys = (ticket.ticket_id, ticket.opened_at, chosen.c.deal_number, chosen.c.created_on, first.c.created_at)
    joined = (
        service_tickets.join(chosen, chosen.c.opportunity_id == ticket.opportunity_id).outerjoin(first, is_creation).outerjoin(done, acted)
    )
    return select(*keys, func.min(done.c.happened_at).label("acted_at")).select_from(joined).group_by(*keys).order_by(ticket.ticket_id)


def service_contacts(filters: Filters, until: date | None = None) -> Select[Any]:
    """One row per quarter of opening: quarter_on, contacts (service tickets of customers of the regions seen, by the end of `until`)."""
    ticket, customer = service_tickets.c, customers.c
    quarter = bucket_on(_opened_on(), "quarter").label("quarter_on")
    region = select(customer.customer_id, customer.home_region.label("region")).cte("homes")
    rows = select(quarter, func.count().label("contacts")).join_from(
        service_tickets, region, region.c.customer_id == ticket.customer_id, isouter=True
    )
    limits = [ticket.opened_at < day + timedelta(1) for day in (until, filters.end) if day]
    limits += [ticket.opened_at >= filters.start] if filters.start else []
    chosen = [is_chosen(region.c.region, filters.region)] if filters.region else []
    return rows.where(*limits, *chosen, *seen_regions(filters.scope, region)).group_by(quarter).order_by(quarter)
