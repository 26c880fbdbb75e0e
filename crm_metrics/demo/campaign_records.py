"""Rows for the database: campaigns, who was in them, how they were touched, what they cost."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import clock, world
from crm_metrics.demo.campaign_audience import Split
from crm_metrics.demo.campaign_catalogue import CAMPAIGNS, Campaign
from crm_metrics.demo.draws import column
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Customers, Floats, Integers, Orders, Tables

TOUCH_KINDS = ("sent", "opened", "clicked", "redeemed")
SENT, OPENED, CLICKED, REDEEMED = range(4)
SENDING_HOURS = (7.0, 9.0)  # on the campaign's first day
DAYS_TO_OPEN, DAYS_TO_CLICK = 0.4, 0.01  # means, exponential
KEYS = tuple(world.keys("campaign", np.arange(len(CAMPAIGNS)), width=2).to_pylist())
"""The id of each campaign, in the order of CAMPAIGNS."""


class _Touches(NamedTuple):
    """Touches, one element each. campaign: place in CAMPAIGNS. kind: place in TOUCH_KINDS. order: place of a redeemed one, else NONE."""

    campaign: Integers
    kind: Integers
    customer: Integers
    order: Integers
    moment: Floats


def chunk_rows(plan: Plan, chunk: int, splits: dict[int, Split], *, customers: Customers, orders: Orders) -> Tables:
    """Return members and touches of the campaigns (places in CAMPAIGNS) that `splits` has."""
    moments = {place: _touch_moments(plan, chunk, CAMPAIGNS[place], split) for place, split in splits.items()}
    members = [_members(place, split, moments[place], customers=customers, orders=orders) for place, split in splits.items()]
    return {
        schema.campaign_members: pa.concat_tables([_MEMBERS_SCHEMA.empty_table(), *members]),
        schema.campaign_touches: _touches(chunk, moments, customers=customers, orders=orders),
    }


def campaign_rows(places: tuple[int, ...]) -> pa.Table:
    """Return one row per campaign, without what it was planned to cost."""
    some = [CAMPAIGNS[place] for place in places]
    return pa.table(
        {
            "campaign_id": world.labels(places, KEYS),
            "campaign_name": pa.array([one.name for one in some], pa.string()),
            "campaign_kind": pa.array([one.kind for one in some], pa.string()),
            "channel": pa.array([one.channel for one in some], pa.string()),
            "started_on": world.days([one.started for one in some]),
            "ended_on": world.days([one.started + one.run_days - 1 for one in some]),
            "measured_until": world.days([one.ended - 1 for one in some]),
            "is_randomised": pa.array([one.is_randomised for one in some], pa.bool_()),
        }
    )


def arm_rows(places: tuple[int, ...]) -> pa.Table:
    """Return one row per arm of the campaigns, with the share that was planned for it."""
    arms = [(place, arm, share) for place in places for arm, share in CAMPAIGNS[place].arms]
    return pa.table(
        {
            "campaign_id": world.labels([place for place, _, _ in arms], KEYS),
            "arm": pa.array([arm for _, arm, _ in arms], pa.string()),
            "planned_share": world.shares([share for _, _, share in arms]),
        }
    )


def with_budgets(campaigns: pa.Table, costs: list[Decimal | None]) -> pa.Table:
    """Return the campaigns with their planned cost, whole hundreds, from what each cost in the end; empty where that is not known."""
    factors = [CAMPAIGNS[KEYS.index(key)].budget_factor for key in campaigns["campaign_id"].to_pylist()]
    planned = [np.nan if cost is None else round(float(cost) * factor, -2) for cost, factor in zip(costs, factors, strict=True)]
    return campaigns.append_column("budget_amount", world.money(planned))


def spend_rows(places: tuple[int, ...], treated: list[int]) -> pa.Table:
    """Return one row per cost item of the campaigns, of which each contacted so many people."""
    items = [(place, cost, people) for place, people in zip(places, treated, strict=True) for cost in CAMPAIGNS[place].costs if people]
    return pa.table(
        {
            "spend_id": world.keys("campaign cost", np.arange(len(items)), width=4),
            "campaign_id": world.labels([place for place, _, _ in items], KEYS),
            "spent_on": world.days([CAMPAIGNS[place].started + cost.day for place, cost, _ in items]),
            "spend_kind": pa.array([cost.kind for _, cost, _ in items], pa.string()),
            "spend_amount": world.money([cost.per_person * people for _, cost, people in items]),
        }
    )


def recorded_costs(places: tuple[int, ...], spend: pa.Table) -> list[Decimal | None]:
    """Return what each campaign cost by its rows of spend; None without any."""
    found: dict[str, Decimal] = {}
    for key, amount in zip(spend["campaign_id"].to_pylist(), spend["spend_amount"].to_pylist(), strict=True):
        found[key] = found.get(key, Decimal(0)) + amount
    return [found.get(KEYS[place]) for place in places]


_MEMBERS_SCHEMA = pa.schema(
    [
        ("campaign_id", pa.string()),
        ("member_id", pa.string()),
        ("customer_id", pa.string()),
        ("arm", pa.string()),
        ("stratum", pa.string()),
        ("assigned_on", pa.date32()),
        ("has_responded", pa.bool_()),
    ]
)


def _members(place: int, split: Split, moments: list[Floats], *, customers: Customers, orders: Orders) -> pa.Table:
    """Return the members of one campaign; whether they responded is known of those who were contacted."""
    campaign, member = CAMPAIGNS[place], np.flatnonzero(split.is_member)
    responded = ~np.isnan(moments[CLICKED])
    responded[orders.customer[orders.campaign == place]] = True
    is_control = ~split.is_treated(campaign)[member]
    stratum = split.stratum[member] if len(campaign.strata) > 1 else np.full(len(member), NONE)
    keys = world.customer_keys(customers.number[member])
    return pa.table(
        {
            "campaign_id": pa.repeat(KEYS[place], len(member)),
            "member_id": keys,
            "customer_id": keys,
            "arm": world.labels(split.group[member], tuple(arm for arm, _ in campaign.arms)),
            "stratum": world.labels(stratum, campaign.strata),
            "assigned_on": world.days(np.full(len(member), campaign.started)),
            "has_responded": pa.array(responded[member], mask=is_control),
        },
        schema=_MEMBERS_SCHEMA,
    )


def _touch_moments(plan: Plan, chunk: int, campaign: Campaign, split: Split) -> list[Floats]:
    """Return for each customer of the chunk when the campaign was sent, opened and clicked; NaN for what did not happen."""
    random, count = plan.generator(f"touches {campaign.name}", chunk), len(split.group)
    hour, opens, clicks = random.random((3, count))
    to_open, to_click = random.exponential(DAYS_TO_OPEN, count), random.exponential(DAYS_TO_CLICK, count)
    sent = np.where(split.is_treated(campaign), campaign.started + np.interp(hour, (0, 1), SENDING_HOURS) / 24, np.nan)
    opened = np.where(opens < campaign.open_rate, sent + to_open, np.nan)
    clicked = np.where(clicks < campaign.click_rate, opened + to_click, np.nan)
    for moments in (sent, opened, clicked):
        moments[moments >= plan.days] = np.nan
    return [sent, opened, clicked]


def _touches(chunk: int, moments: dict[int, list[Floats]], *, customers: Customers, orders: Orders) -> pa.Table:
    """Return one row per touch: sent, opened and clicked as drawn, redeemed for each order that names a campaign."""
    parts = [_messages(place, kind, sent) for place, kinds in moments.items() for kind, sent in enumerate(kinds)]
    touches = world.joined([*parts, _redeemed(orders)])
    order_keys = world.order_keys(chunk, len(orders.customer))
    return pa.table(
        {
            "touch_id": world.keys("touch", np.arange(len(touches.moment)), chunk=chunk),
            "campaign_id": world.labels(touches.campaign, KEYS),
            "customer_id": world.customer_keys(customers.number[touches.customer]),
            "touched_at": world.times(touches.moment),
            "touch_kind": world.labels(touches.kind, TOUCH_KINDS),
            "personalisation": pa.array(column(CAMPAIGNS, "personalisation")[touches.campaign], pa.string()),
            "order_id": order_keys.take(pa.array(touches.order, mask=touches.order == NONE)),
        }
    )


def _messages(place: int, kind: int, moments: Floats) -> _Touches:
    """Return one touch for each customer to whom it happened."""
    who = np.flatnonzero(~np.isnan(moments))
    return _Touches(np.full(len(who), place), np.full(len(who), kind), who, np.full(len(who), NONE), moments[who])


def _redeemed(orders: Orders) -> _Touches:
    """Return one touch for each order that names a campaign."""
    named = np.flatnonzero(orders.campaign != NONE)
    moments = clock.with_hours(orders.moment[named])
    return _Touches(orders.campaign[named], np.full(len(named), REDEEMED), orders.customer[named], named, moments)
