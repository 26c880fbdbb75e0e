"""Rows for the database: campaigns, who was in them, how they were touched, what they cost."""

from decimal import Decimal

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import clock, world
from crm_metrics.demo.campaign_audience import Split
from crm_metrics.demo.campaign_catalogue import CAMPAIGNS, Campaign
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Customers, Floats, Integers, Orders, Tables

TOUCH_KINDS = ("sent", "opened", "clicked", "redeemed")
SENT, OPENED, CLICKED, REDEEMED = range(4)
SENDING_HOURS = (7.0, 9.0)  # on the campaign's first day
DAYS_TO_OPEN, DAYS_TO_CLICK = 0.4, 0.01  # means, exponential
_KEYS = tuple(campaign.key for campaign in CAMPAIGNS)
_PERSONALISATIONS = ("mass", "segment", "individual")


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
            "campaign_id": pa.array([one.key for one in some], pa.string()),
            "campaign_name": pa.array([one.name for one in some], pa.string()),
            "campaign_kind": pa.array([one.kind for one in some], pa.string()),
            "channel": pa.array([one.channel for one in some], pa.string()),
            "started_on": world.days([one.started for one in some]),
            "ended_on": world.days([one.started + one.run_days - 1 for one in some]),
            "measured_until": world.days([one.ended - 1 for one in some]),
            "is_randomised": pa.array([one.is_randomised for one in some], pa.bool_()),
        }
    )


def with_budgets(campaigns: pa.Table, costs: list[Decimal | None]) -> pa.Table:
    """Return the campaigns with their planned cost, whole hundreds, from what each cost in the end; empty where that is not known."""
    factors = [CAMPAIGNS[_KEYS.index(key)].budget_factor for key in campaigns["campaign_id"].to_pylist()]
    planned = [np.nan if cost is None else round(float(cost) * factor, -2) for cost, factor in zip(costs, factors, strict=True)]
    return campaigns.append_column("budget_amount", world.money(planned))


def spend_rows(places: tuple[int, ...], treated: list[int]) -> pa.Table:
    """Return one row per cost item of the campaigns, of which each contacted so many people."""
    items = [(place, cost, people) for place, people in zip(places, treated, strict=True) for cost in CAMPAIGNS[place].costs if people]
    return pa.table(
        {
            "spend_id": world.keys("campaign cost", np.arange(len(items)), width=4),
            "campaign_id": world.labels([place for place, _, _ in items], _KEYS),
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
    return [found.get(_KEYS[place]) for place in places]


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
            "campaign_id": pa.repeat(pa.scalar(campaign.key), len(member)),
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
    random, count = plan.generator(f"touches {campaign.key}", chunk), len(split.group)
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
    parts: list[tuple[Integers, Integers, Integers, Integers, Floats]] = []
    for place, kinds in moments.items():
        for touch, of_touch in enumerate(kinds):
            who = np.flatnonzero(~np.isnan(of_touch))
            parts.append((np.full(len(who), place), np.full(len(who), touch), who, np.full(len(who), NONE), of_touch[who]))
    named = np.flatnonzero(orders.campaign != NONE)
    redeemed = clock.with_hours(orders.moment[named])
    parts.append((orders.campaign[named], np.full(len(named), REDEEMED), orders.customer[named], named, redeemed))
    campaign, kind, customer, order, moment = (np.concatenate(column) for column in zip(*parts, strict=True))
    personalisation = np.array([_PERSONALISATIONS.index(one.personalisation) for one in CAMPAIGNS])[campaign]
    order_keys = world.order_keys(chunk, len(orders.customer))
    return pa.table(
        {
            "touch_id": world.keys("touch", np.arange(len(moment)), chunk=chunk),
            "campaign_id": world.labels(campaign, _KEYS),
            "customer_id": world.customer_keys(customers.number[customer]),
            "touched_at": world.times(moment),
            "touch_kind": world.labels(kind, TOUCH_KINDS),
            "personalisation": world.labels(personalisation, _PERSONALISATIONS),
            "order_id": order_keys.take(pa.array(order, mask=order == NONE)),
        }
    )
