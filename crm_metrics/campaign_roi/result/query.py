"""Who was in a campaign, and what became of them: sums by campaign, arm and stratum, and the members with an outcome other than zero."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Double,
    Integer,
    Select,
    case,
    cast,
    extract,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from crm_metrics.campaign_roi.result.terms import CONTROL, UNASSIGNED, ResultTerms
from crm_metrics.campaign_roi.seen import seen_members
from crm_metrics.filters import UNKNOWN, Filters, customer_conditions
from crm_metrics.schema import campaign_arms, campaign_members, campaign_spend, campaigns, customer_facts, customers
from crm_metrics.scope import visible_orders
from crm_metrics.segments.known import AGE_BANDS, band_name
from crm_metrics.sql import days_between, is_one_of

TOP_SHARE = 0.2  # of the members, by spend before the start
TOP, OTHERS, NOBODY = "top 20%", "other 80%", "none"
WAYS = ("stratum", "segment", "value_before", "home_region", "acquisition_channel", "customer_kind", "age_band")
_AMOUNTS = ("net_revenue", "gross_revenue", "costed_revenue", "cost_of_goods")


class Campaigns(NamedTuple):
    """Campaigns that orders are asked of, the first day on which one started, and the last on which a result of one counts.

    A day that is empty is not known.
    """

    ids: tuple[str, ...]
    first_on: date | None
    last_on: date | None


def campaign_rows(filters: Filters, terms: ResultTerms) -> Select[Any]:
    """One row per campaign that began by today and whose control group was drawn by lot, the newest first.

    campaign, campaign_name, started_on, ends_on (last day on which a result counts).
    """
    counted = _of_control(filters, terms)
    shown = [counted.c[name] for name in ("campaign", "campaign_name", "started_on", "ends_on")]
    return select(*shown).order_by(counted.c.started_on.desc().nulls_last(), counted.c.campaign.desc())


def arm_sizes(filters: Filters, terms: ResultTerms) -> Select[Any]:
    """One row per campaign, arm and stratum: campaign, arm, stratum, members, and of how many spend, visited and bought are recorded."""
    rows = _members(filters, _of_control(filters, terms), is_numbered=bool(filters.segments)).c
    keys = [rows.campaign, rows.arm, rows.stratum]
    known = [func.count(rows[name]).label(name) for name in ("spend", "visited", "bought")]
    return select(*keys, func.count().label("members"), *known).group_by(*keys).order_by(*keys)


def planned_shares(terms: ResultTerms) -> Select[Any]:
    """One row per campaign and arm whose size was planned: campaign, arm, planned_share."""
    rows = campaign_arms.c
    chosen = select(rows.campaign_id.label("campaign"), rows.arm, cast(rows.planned_share, Double).label("planned_share"))
    limits = [rows.campaign_id == terms.campaign] if terms.campaign else []
    return chosen.where(rows.planned_share.is_not(None), *limits).order_by(rows.campaign_id, rows.arm)


def spent(filters: Filters, terms: ResultTerms) -> Select[Any]:
    """One row per campaign with a cost by today: campaign, cost, treated (members who share it: in any segment, not of control)."""
    rows, members = campaign_spend.c, campaign_members.c
    limits = [rows.campaign_id == terms.campaign] if terms.campaign else []
    by_today = [or_(rows.spent_on <= filters.today, rows.spent_on.is_(None))] if filters.today else []
    cost = (
        select(rows.campaign_id, func.sum(rows.spend_amount).label("cost"))
        .where(rows.spend_amount.is_not(None), *limits, *by_today)
        .group_by(rows.campaign_id)
        .cte("cost_of_campaigns")
    )
    treated = func.count().label("treated")
    return (
        select(cost.c.campaign_id.label("campaign"), cost.c.cost, treated)
        .join_from(cost, campaign_members, members.campaign_id == cost.c.campaign_id)
        .where(members.arm.not_in((CONTROL, UNASSIGNED)))
        .group_by(cost.c.campaign_id, cost.c.cost)
        .order_by(cost.c.campaign_id)
    )


def order_sums(filters: Filters, terms: ResultTerms, chosen: Campaigns, cost_share: float | None) -> Select[Any]:
    """One row per campaign, arm and stratum: of the members who are customers n, x_known, x, xx, and y_, yy_ and xy_ of each outcome.

    cost_share: of net revenue whose cost is not known; None leaves gross margin out.
    """
    rows = _ordered(filters, terms, chosen, cost_share)
    return _summed(rows, [column.name for column in rows.c if column.name.startswith("y_")], x_known=func.count())


def recorded_sums(filters: Filters, terms: ResultTerms, chosen: tuple[str, ...], outcome: str) -> Select[Any]:
    """One row per campaign, arm and stratum: the same of an outcome that the campaign's own file records, of whom it does."""
    rows = _recorded(filters, terms, chosen, outcome)
    return _summed(rows, [f"y_{outcome}"], x_known=func.count(rows.c.x))


def order_outcomes(filters: Filters, terms: ResultTerms, chosen: Campaigns, cost_share: float | None) -> Select[Any]:
    """One row per member with an order in the window: campaign, arm, stratum and y_ of each outcome; in an order of its own."""
    return _single(_ordered(filters, terms, chosen, cost_share))


def recorded_outcomes(filters: Filters, terms: ResultTerms, chosen: tuple[str, ...], outcome: str) -> Select[Any]:
    """One row per member whose recorded outcome is other than zero: campaign, arm, stratum and y_ of it; in an order of its own."""
    return _single(_recorded(filters, terms, chosen, outcome))


def order_days(filters: Filters, terms: ResultTerms, chosen: Campaigns, cost_share: float | None) -> Select[Any]:
    """One row per member and day with an order in the window of the chosen campaign: arm, stratum, customer_number, day (1, 2, …), y_.

    y_ of each outcome but y_bought: who bought is told by the first day.
    """
    members = _members(filters, _of_control(filters, terms, chosen.ids))
    seen, who = visible_orders(filters.scope).c, members.c
    last_on = func.least(who.ends_on, literal(filters.today, Date)) if filters.today else who.ends_on
    orders = cast(func.sum(case((seen.is_purchase, 1), else_=0)), Double).label("orders")
    amounts = [cast(func.coalesce(func.sum(seen[name]), 0), Double).label(name) for name in _AMOUNTS]
    keys = [who.arm, who.stratum, seen.customer_number, (days_between(who.started_on, seen.ordered_on) + 1).label("day")]
    daily = (
        select(*keys, orders, *amounts)
        .join_from(members, visible_orders(filters.scope), seen.customer_number == who.customer_number)
        .where(*_days_of(chosen, filters, seen.ordered_on))
        .where(seen.ordered_on >= who.started_on, or_(seen.ordered_on <= last_on, last_on.is_(None)))
        .group_by(who.arm, who.stratum, seen.customer_number, who.started_on, seen.ordered_on)
        .cte("daily")
    )
    shown = [daily.c[name] for name in ("arm", "stratum", "customer_number", "day")]
    values = [value.label(f"y_{name}") for name, value in _outcomes(daily.c, cost_share).items()]
    return select(*shown, *values).order_by(daily.c.customer_number, daily.c.day, daily.c.arm, daily.c.stratum)


def order_segments(filters: Filters, terms: ResultTerms, chosen: Campaigns, cost_share: float | None) -> Select[Any]:
    """One row per campaign, arm, stratum, way (WAYS) and segment: n, y, yy of terms.outcome, of members who are customers."""
    rows = _ordered(filters, terms, chosen, cost_share)
    return _by_way(rows, func.coalesce(rows.c.x, 0.0), func.coalesce(rows.c[f"y_{terms.outcome}"], 0.0))


def recorded_segments(filters: Filters, terms: ResultTerms, chosen: tuple[str, ...]) -> Select[Any]:
    """One row per campaign, arm, stratum, way (WAYS) and segment: n, y, yy of terms.outcome, as recorded."""
    rows = _recorded(filters, terms, chosen, terms.outcome)
    return _by_way(rows, rows.c.x, rows.c[f"y_{terms.outcome}"])


def _of_control(filters: Filters, terms: ResultTerms, chosen: tuple[str, ...] = ()) -> CTE:
    """One row per campaign of the chosen ones that began by today and whose control group was drawn by lot.

    campaign, place (1, 2, …: databases group by it faster), campaign_name, started_on, ends_on.
    """
    rows, known = campaign_members.c, campaigns.c
    limits = [*seen_members(filters.scope), *([rows.campaign_id == terms.campaign] if terms.campaign else [])]
    if chosen:
        limits.append(is_one_of(rows.campaign_id, chosen))
    compared = select(rows.campaign_id).where(rows.arm == CONTROL, *limits).distinct().cte("compared")
    begun = [or_(known.started_on <= filters.today, known.started_on.is_(None))] if filters.today else []
    return (
        select(
            compared.c.campaign_id.label("campaign"),
            cast(func.row_number().over(order_by=compared.c.campaign_id), Integer).label("place"),
            func.coalesce(known.campaign_name, compared.c.campaign_id).label("campaign_name"),
            known.started_on,
            func.coalesce(known.measured_until, known.ended_on).label("ends_on"),
        )
        .join_from(compared, campaigns, known.campaign_id == compared.c.campaign_id, isouter=True)
        .where(known.is_randomised.is_not(False), *begun)
        .cte("of_control")
    )


def _members(filters: Filters, known: CTE, *, is_numbered: bool = True) -> CTE:
    """One row per member in an arm of the known campaigns.

    What the campaign's own file records of the result is unknown until the last day on which a result counts. is_numbered: the customer's
    number is asked for, which takes as long as all the rest.
    """
    rows, number = campaign_members.c, customer_facts.c.customer_number
    is_over = or_(known.c.ends_on <= filters.today, known.c.ends_on.is_(None)) if filters.today else None

    def recorded(value: ColumnElement[Any]) -> ColumnElement[Any]:
        return value if is_over is None else case((is_over, value))

    flags = [
        recorded(case((column.is_(True), 1), (column.is_(False), 0))).label(name)
        for name, column in (("visited", rows.outcome_visited), ("bought", rows.outcome_bought))
    ]
    found = select(
        *known.c,
        rows.customer_id,
        *([number] if is_numbered else []),
        rows.arm,
        func.coalesce(rows.stratum, "").label("stratum"),
        rows.segment,
        rows.prior_spend,
        recorded(rows.outcome_spend).label("spend"),
        *flags,
    ).join_from(known, campaign_members, rows.campaign_id == known.c.campaign)
    if is_numbered:
        found = found.outerjoin(customer_facts, customer_facts.c.customer_id == rows.customer_id)
    return found.where(rows.arm != UNASSIGNED, *seen_members(filters.scope), *customer_conditions(filters, number)).cte("members")


def _ordered(filters: Filters, terms: ResultTerms, chosen: Campaigns, cost_share: float | None) -> CTE:
    """One row per member who is a customer: what the members table says, x (net revenue before the start) and y_ of each outcome.

    Both are empty without an order within these days, which adds nothing to sums.
    """
    members = _members(filters, _of_control(filters, terms, chosen.ids))
    placed = _placed(filters, terms, chosen, members)
    kept = [members.c[name] for name in ("campaign", "started_on", "customer_id", "arm", "stratum", "segment")]
    is_placed = (placed.c.place == members.c.place) & (placed.c.customer_number == members.c.customer_number)
    outcomes = _outcomes(placed.c, cost_share) | {"bought": case((placed.c.orders > 0, 1.0))}
    return (
        select(*kept, placed.c.x, *[value.label(f"y_{name}") for name, value in outcomes.items()])
        .join_from(members, placed, is_placed, isouter=True)
        .where(members.c.customer_id.is_not(None))
        .cte("ordered")
    )


def _outcomes(rows: Any, cost_share: float | None) -> dict[str, ColumnElement[Any]]:
    """Return the outcomes made of sums over orders: orders and SOLD."""
    outcomes = {name: rows[name] for name in ("gross_revenue", "net_revenue", "orders")}
    if cost_share is not None:
        unknown = (rows.net_revenue - rows.costed_revenue) * literal(cost_share, Double)
        outcomes["gross_margin"] = rows.net_revenue - func.coalesce(rows.cost_of_goods, 0.0) - unknown
    return outcomes


def _placed(filters: Filters, terms: ResultTerms, chosen: Campaigns, members: CTE) -> CTE:
    """One row per campaign (place) and member with an order in its window or in the days before: customer_number and sums."""
    held, seen = visible_orders(filters.scope), visible_orders(filters.scope).c
    who = [members.c[name] for name in ("place", "customer_number", "started_on", "ends_on")]
    person = select(*who).where(members.c.customer_number.is_not(None)).distinct().cte("persons")  # some are members twice
    last_on = func.least(person.c.ends_on, literal(filters.today, Date)) if filters.today else person.c.ends_on  # empty ones don't count
    is_after = seen.ordered_on >= person.c.started_on
    amounts = [cast(func.sum(case((is_after, seen[name]))), Double).label(name) for name in _AMOUNTS]
    return (
        select(
            person.c.place,
            person.c.customer_number,
            cast(func.sum(case((is_after & seen.is_purchase, 1))), Double).label("orders"),
            *amounts,
            cast(func.sum(case((~is_after, seen.net_revenue))), Double).label("x"),
        )
        .join_from(person, held, seen.customer_number == person.c.customer_number)
        .where(*_days_of(chosen, filters, seen.ordered_on, before=terms.covariate_days))
        .where(seen.ordered_on >= person.c.started_on - terms.covariate_days, or_(seen.ordered_on <= last_on, last_on.is_(None)))
        .group_by(person.c.place, person.c.customer_number)
        .cte("placed")
    )


def _days_of(chosen: Campaigns, filters: Filters, day: ColumnElement[date], *, before: int = 0) -> list[ColumnElement[bool]]:
    """Return what a day must satisfy to lie in any campaign's days, or so many before: databases then pass over the orders of others."""
    last_on = min((one for one in (chosen.last_on, filters.today) if one), default=None)
    begun = [day >= chosen.first_on - timedelta(before)] if chosen.first_on else []
    return [*begun, *([day <= last_on] if last_on else [])]


def _recorded(filters: Filters, terms: ResultTerms, chosen: tuple[str, ...], outcome: str) -> CTE:
    """One row per member of whom the outcome is recorded: what the members table says, x (spend before, as recorded) and y_ of it."""
    rows = _members(filters, _of_control(filters, terms, chosen), is_numbered=bool(filters.segments)).c
    kept = [rows[name] for name in ("campaign", "started_on", "customer_id", "arm", "stratum", "segment")]
    value = cast(rows[outcome], Double).label(f"y_{outcome}")
    return select(*kept, cast(rows.prior_spend, Double).label("x"), value).where(rows[outcome].is_not(None)).cte("recorded")


def _summed(rows: CTE, outcomes: list[str], *, x_known: ColumnElement[Any]) -> Select[Any]:
    """One row per campaign, arm and stratum: n, x_known (members of whom x is), x, xx, and y_, yy_ and xy_ of each outcome."""
    keys = [rows.c[name] for name in ("campaign", "arm", "stratum")]
    sums = {"x": rows.c.x, "xx": rows.c.x * rows.c.x}
    for name in outcomes:
        value = rows.c[name]
        sums |= {name: value, f"y{name}": value * value, f"x{name}": value * rows.c.x}
    counted = [func.count().label("n"), x_known.label("x_known")]
    return select(*keys, *counted, *[func.sum(value).label(name) for name, value in sums.items()]).group_by(*keys).order_by(*keys)


def _single(rows: CTE) -> Select[Any]:
    values = [column for column in rows.c if column.name.startswith("y_")]
    keys = [rows.c[name] for name in ("campaign", "arm", "stratum")]
    return select(*keys, *values).where(or_(*[value != 0 for value in values])).order_by(*keys, *values)


def _by_way(rows: CTE, before: ColumnElement[Any], outcome: ColumnElement[Any]) -> Select[Any]:
    """One row per campaign, arm, stratum, way and segment: n, y, yy."""
    known = customers.c
    age = cast(extract("year", rows.c.started_on), Integer) - known.birth_year
    bands = [((age >= low) & (age <= high) if high else age >= low, literal(band_name(low, high))) for low, high in AGE_BANDS]
    top = func.percentile_disc(literal_column(str(TOP_SHARE + 1e-9))).within_group(func.coalesce(before, 0.0).desc())  # the first not in it
    edges = select(rows.c.campaign, top.label("edge")).group_by(rows.c.campaign).cte("edges")
    told = {
        "stratum": func.nullif(rows.c.stratum, ""),
        "segment": rows.c.segment,
        "value_before": case((before <= 0, NOBODY), (before > edges.c.edge, TOP), (before > 0, OTHERS)),
        "home_region": known.home_region,
        "acquisition_channel": known.acquisition_channel,
        "customer_kind": known.customer_kind,
        "age_band": case(*bands),
    }
    each = (
        select(
            *[rows.c[name] for name in ("campaign", "arm")],
            rows.c.stratum.label("split_in"),
            outcome.label("y"),
            *[func.coalesce(value, UNKNOWN).label(way) for way, value in told.items()],
        )
        .join_from(rows, edges, edges.c.campaign == rows.c.campaign)
        .outerjoin(customers, known.customer_id == rows.c.customer_id)
        .cte("told")
    )
    keys = [column for column in each.c if column.name != "y"]
    sums = [func.count().label("n"), func.sum(each.c.y).label("y"), func.sum(each.c.y * each.c.y).label("yy")]
    alike = select(*keys, *sums).group_by(*keys).cte("alike")  # few rows, so that each way adds up a few
    return union_all(*[_of_way(alike, way) for way in WAYS]).subquery("ways").select()


def _of_way(alike: CTE, way: str) -> Select[Any]:
    keys = [alike.c.campaign, alike.c.arm, alike.c.split_in, alike.c[way]]
    shown = [*keys[:2], alike.c.split_in.label("stratum"), alike.c[way].label("segment"), literal(way).label("by")]
    return select(*shown, *[func.sum(alike.c[name]).label(name) for name in ("n", "y", "yy")]).group_by(*keys)
