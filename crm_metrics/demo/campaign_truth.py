"""What the campaigns truly caused, stated and as it came out: both outcomes of every person are known here, with and without."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from crm_metrics.demo.campaign_audience import GROUPS, LOST, MOST_ARMS, OTHERS, Split
from crm_metrics.demo.campaign_catalogue import (
    BEST_DAYS,
    CAMPAIGNS,
    CONTROL,
    LAPSED_DAYS,
    ORDER_VALUE_SHAPE,
    RECENT_DAYS,
    SEGMENT_AGE,
    Campaign,
    running,
)
from crm_metrics.demo.campaign_effects import in_window
from crm_metrics.demo.campaign_records import DAYS_TO_CLICK, DAYS_TO_OPEN, SENDING_HOURS
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import Booleans, Floats, Orders, Stated, subject
from crm_metrics.language import noop
from crm_metrics.metric import ratio

TOPIC = "campaigns"
PARAMETERS = {
    "audience_share": (noop("Share of those who may be contacted (with consent, one record, won before) that is in a group"), "share"),
    "best_days": (noop("Days before the start in which the best customers, who are chosen, have spent most"), "days"),
    "lapsed_days": (noop("Days before the start without an order, of those who may be contacted"), "days"),
    "segment_age": (noop("Age in the year of the start from which customers are in the older group"), "number"),
    "window_days": (noop("Days from the start in which results count"), "days"),
    "extra_order_chance": (noop("Chance of one more order within the window, per customer treated"), "share"),
    "order_value": (noop("Expected net amount of an order that the campaign caused"), "money"),
    "order_value_shape": (noop("Gamma shape of the amounts of orders that campaigns caused"), "plain"),
    "lost_share": (noop("Chance of losing each order of a customer treated"), "share"),
    "extra_orders": (noop("True lift in orders, per customer treated"), "plain"),
    "lift": (noop("True lift in net revenue before returns, per customer treated"), "money"),
    "relative_lift": (noop("True lift relative to the net revenue without the campaign"), "share"),
    "extra_buyers": (noop("True lift in the share of customers who buy within the window"), "share"),
    "treated": (noop("Customers treated"), "number"),
    "control": (noop("Customers in the control group"), "number"),
    "cost_per_person": (noop("Cost per customer treated, by kind of cost"), "money"),
    "cost": (noop("Cost of the campaign"), "money"),
    "budget_factor": (noop("Budget as a multiple of the cost, before it is rounded to hundreds"), "plain"),
    "incremental_revenue": (noop("Net revenue before returns that the campaign is worth: true lift x customers treated"), "money"),
    "incremental_return": (noop("True return: (net revenue caused - cost) / cost"), "share"),
    "attributed_share": (
        noop("Orders that name the campaign, of those that customers treated place anyway within the window, its first day left out"),
        "share",
    ),
    "attributed_orders": (noop("Orders that name the campaign"), "number"),
    "attributed_revenue": (noop("Net revenue before returns of the orders that name the campaign"), "money"),
    "attributed_return": (noop("What looks like the return: (attributed revenue - cost) / cost"), "share"),
    "naive_lift": (
        noop(
            "What looks like the lift: net revenue before returns per customer treated, less that of the persons with consent and one "
            "record, won before, who were not chosen"
        ),
        "money",
    ),
    "broken_lift": (
        noop("What looks like the lift: net revenue before returns per customer treated, less that of the controls still there"),
        "money",
    ),
    "selection_bias": (noop("Of what looks like the lift: what the two groups would have differed by anyway"), "money"),
    "planned_control_share": (noop("Planned share of the control group"), "share"),
    "control_share": (noop("Share of the control group as it is found"), "share"),
    "lost_controls": (noop("Share of the controls without recent orders who dropped out and are in no group"), "share"),
    "recent_days": (noop("Days before the start in which an order is recent"), "days"),
    "first_sending_hour": (noop("Hour of the campaign's first day from which messages go out, every moment as likely"), "number"),
    "last_sending_hour": (noop("Hour of the campaign's first day until which messages go out"), "number"),
    "open_rate": (noop("Chance that a message is opened"), "share"),
    "click_rate": (noop("Chance that an opened message is clicked"), "share"),
    "days_to_open": (noop("Days from sending to opening a message, on average"), "days"),
    "days_to_click": (noop("Days from opening to clicking, on average"), "days"),
    "second_life_orders": (noop("Orders after the window of each customer won back, on average"), "plain"),
    "second_life_order_value": (noop("Expected net amount of such an order"), "money"),
    "second_life_days": (noop("Days after the window in which they are placed"), "days"),
    "second_life_revenue": (noop("Net revenue before returns after the window, per customer treated"), "money"),
}
MOST_STRATA = 2
_GROUP_SHAPE = (len(CAMPAIGNS), MOST_STRATA, GROUPS)


class Tally(NamedTuple):
    """Sums over persons within the measuring windows, by campaign, stratum and group.

    natural_…: as it would have been without the campaign. lost_buyers: persons expected to buy nothing because of the campaign, were
    they treated. named_…: orders that name the campaign.
    """

    people: Floats
    natural_orders: Floats
    natural_spend: Floats
    natural_buyers: Floats
    lost_buyers: Floats
    spend: Floats
    named_orders: Floats
    named_spend: Floats


def empty() -> Tally:
    """Return sums over nobody."""
    return Tally(*(np.zeros(_GROUP_SHAPE) for _ in Tally._fields))


def total(tallies: list[Tally]) -> Tally:
    """Return the sums over all chunks."""
    return Tally(*(np.sum(column, axis=0) for column in zip(*[empty(), *tallies], strict=True)))


def counted(place: int, split: Split, *, before: Orders, after: Orders) -> Tally:
    """Return the sums of one campaign, from the orders without it and with it; zeros for the others."""
    campaign, count, found = CAMPAIGNS[place], len(split.group), empty()
    natural_orders, natural_spend = _per_person(before, in_window(campaign, before), count)
    named_orders, named_spend = _per_person(after, after.campaign == place, count)
    is_buyer = natural_orders > 0
    columns = {
        "people": np.ones(count),
        "natural_orders": natural_orders,
        "natural_spend": natural_spend,
        "natural_buyers": is_buyer.astype(float),
        "lost_buyers": is_buyer * campaign.levels("lost_share").max(axis=1)[split.stratum] ** natural_orders,
        "spend": _per_person(after, in_window(campaign, after), count)[1],
        "named_orders": named_orders,
        "named_spend": named_spend,
    }
    known = split.group >= 0
    cell = (split.stratum * GROUPS + split.group)[known]
    for name, values in columns.items():
        sums = np.bincount(cell, values[known], minlength=MOST_STRATA * GROUPS)
        getattr(found, name)[place] = sums.reshape(MOST_STRATA, GROUPS)
    return found


def _per_person(orders: Orders, which: Booleans, count: int) -> tuple[Floats, Floats]:
    """Return number and sum of the chosen orders of each customer."""
    customer = orders.customer[which]
    number = np.bincount(customer, minlength=count).astype(float)
    return number, np.bincount(customer, orders.amount[which], minlength=count).astype(float)


class _Cells(NamedTuple):
    """Strata (places) and treated arms (places) that a truth is stated for."""

    strata: tuple[int, ...]
    arms: tuple[int, ...]


def _all_treated(campaign: Campaign) -> _Cells:
    return _Cells(tuple(range(len(campaign.strata))), campaign.treated_arms)


def _parts(campaign: Campaign) -> dict[str, _Cells]:
    """Return strata and treated arms by name, where there are several."""
    everything = _all_treated(campaign)
    found: dict[str, _Cells] = {}
    if len(everything.strata) > 1:
        found |= {name: _Cells((place,), everything.arms) for place, name in enumerate(campaign.strata)}
    if len(everything.arms) > 1:
        found |= {campaign.arms[arm][0]: _Cells(everything.strata, (arm,)) for arm in everything.arms}
    return found


# ── what is stated ──────────────────────────────────────────────────────────────────────────────────────────────────────


def stated(plan: Plan) -> Stated:
    """Return what is stated about the campaigns of the plan; with several strata or treated arms, a subject for each."""
    some = [CAMPAIGNS[place] for place in running(plan)]
    by_subject: dict[str, dict[str, float]] = {one.name: _settings(one) | _second_life(one) for one in some}
    for one in some:
        for name, cells in {"": _all_treated(one), **_parts(one)}.items():
            by_subject.setdefault(_named(one, name), {}).update(_effect(one, cells))
        by_subject |= {subject(one.name, cost.kind): {"cost_per_person": cost.per_person} for cost in one.costs}
    return _by_parameter(by_subject) | (_OF_ALL if some else {})


_OF_ALL = {
    "order_value_shape": ORDER_VALUE_SHAPE,
    "first_sending_hour": SENDING_HOURS[0],
    "last_sending_hour": SENDING_HOURS[1],
    "days_to_open": DAYS_TO_OPEN,
    "days_to_click": DAYS_TO_CLICK,
}


def _settings(campaign: Campaign) -> dict[str, float]:
    """Return who is chosen, how results count and what is noted down."""
    found = {
        "audience_share": campaign.audience_share,
        "window_days": float(campaign.window_days),
        "attributed_share": campaign.attributed_share,
    }
    found |= {"best_days": float(BEST_DAYS)} if campaign.audience == "best" else {}
    found |= {"lapsed_days": float(LAPSED_DAYS)} if campaign.audience == "lapsed" else {}
    found |= {"segment_age": float(SEGMENT_AGE)} if len(campaign.strata) > 1 else {}
    found |= {"planned_control_share": dict(campaign.arms)[CONTROL]} if campaign.is_randomised else {}
    found |= {"lost_controls": campaign.lost_controls, "recent_days": float(RECENT_DAYS)} if campaign.lost_controls else {}
    found |= {"budget_factor": campaign.budget_factor} if campaign.costs else {}
    return found | ({"open_rate": campaign.open_rate, "click_rate": campaign.click_rate} if campaign.open_rate else {})


def _effect(campaign: Campaign, cells: _Cells) -> dict[str, float]:
    """Return the stated effects that are not zero, where they are one for all the cells."""
    place = np.ix_(cells.strata, cells.arms)
    levels = {
        "extra_order_chance": campaign.levels("extra_orders")[place],
        "order_value": campaign.levels("order_value")[place],
        "lost_share": campaign.levels("lost_share")[place],
    }
    return {parameter: float(found.flat[0]) for parameter, found in levels.items() if found.any() and not np.ptp(found)}


def _second_life(campaign: Campaign) -> dict[str, float]:
    life = campaign.second_life
    if life is None:
        return {}
    won_back = float(campaign.levels("extra_orders").max())
    return {
        "second_life_orders": life.orders,
        "second_life_order_value": life.order_value,
        "second_life_days": float(life.days),
        "second_life_revenue": won_back * life.orders * life.order_value,
    }


# ── what came out ───────────────────────────────────────────────────────────────────────────────────────────────────────


def came_out(places: tuple[int, ...], tally: Tally, costs: list[Decimal | None]) -> Stated:
    """Return what became true of the campaigns at `places`, each with its cost, None where that is not known.

    Subjects are campaigns, and where there are several, strata and treated arms of them; what nobody was there for is left out.
    """
    by_subject: dict[str, dict[str, float]] = {}
    for place, cost in zip(places, costs, strict=True):
        campaign = CAMPAIGNS[place]
        one = Tally(*(column[place] for column in tally))
        by_subject[campaign.name] = _of_campaign(campaign, one, cost) | _of_cells(campaign, one, _all_treated(campaign))
        for name, cells in _parts(campaign).items():
            by_subject[_named(campaign, name)] = _of_cells(campaign, one, cells)
    return _by_parameter(by_subject)


def _by_parameter(by_subject: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return values by parameter and subject from values by subject and parameter; unknown ones left out."""
    found: dict[str, dict[str, float]] = {}
    for named, values in by_subject.items():
        for parameter, value in values.items():
            if np.isfinite(value):
                found.setdefault(parameter, {})[named] = float(value)
    return found


def _named(campaign: Campaign, part: str) -> str:
    """Return the subject that a campaign, or a stratum or arm of it, is in the truth."""
    return subject(campaign.name, part) if part else campaign.name


def _of_cells(campaign: Campaign, one: Tally, cells: _Cells) -> dict[str, float]:
    """Return the true lifts per person treated: chance x value of an extra order, less the chance of loss x what would have been bought.

    What would have been bought is the mean over everybody in the stratum's audience, controls and lost controls too.
    """
    place = np.ix_(cells.strata, cells.arms)
    extra, value, lost = (campaign.levels(name)[place] for name in ("extra_orders", "order_value", "lost_share"))
    rows = list(cells.strata)
    orders, spend, buyers, gone = (
        _audience_mean(column, one.people)[rows, None]
        for column in (one.natural_orders, one.natural_spend, one.natural_buyers, one.lost_buyers)
    )
    weights = one.people[place]
    lift = _weighted(extra * value - np.where(lost > 0, lost * spend, 0.0), weights)
    return {
        "extra_orders": _weighted(extra - np.where(lost > 0, lost * orders, 0.0), weights),
        "lift": lift,
        "relative_lift": ratio(lift, _weighted(np.broadcast_to(spend, weights.shape), weights)),
        "extra_buyers": _weighted(extra * (1 - buyers) - np.where(lost > 0, gone, 0.0), weights),
        "treated": float(weights.sum()),
    }


def _of_campaign(campaign: Campaign, one: Tally, cost: Decimal | None) -> dict[str, float]:
    """Return what holds for the campaign as a whole: sizes, money, what the naive figures come to."""
    everything = _all_treated(campaign)
    truth = _of_cells(campaign, one, everything)
    caused, named = truth["lift"] * truth["treated"], float(one.named_spend.sum())
    found = {
        "attributed_orders": float(one.named_orders.sum()),
        "attributed_revenue": named,
        "incremental_revenue": caused,
    }
    if cost is not None:
        spent = float(cost)
        found |= {"cost": spent, "incremental_return": ratio(caused - spent, spent), "attributed_return": ratio(named - spent, spent)}
    return found | _of_control(campaign, one) | _of_naive(campaign, one)


def _of_control(campaign: Campaign, one: Tally) -> dict[str, float]:
    if not campaign.is_randomised:
        return {}
    arms = [arm for arm, _ in campaign.arms]
    controls, members = one.people[:, arms.index(CONTROL)].sum(), one.people[:, :MOST_ARMS].sum()
    return {"control": float(controls), "control_share": ratio(controls, members)}


def _of_naive(campaign: Campaign, one: Tally) -> dict[str, float]:
    """Return what comparing the treated with the rest gives where that misleads: no control, or one that lost members not at random."""
    if campaign.audience == "best":
        parameter, others = "naive_lift", OTHERS
    elif campaign.lost_controls:
        parameter, others = "broken_lift", [arm for arm, _ in campaign.arms].index(CONTROL)
    else:
        return {}
    treated = list(campaign.treated_arms)
    means = [
        ratio(sums[:, treated].sum(), one.people[:, treated].sum()) - ratio(sums[:, others].sum(), one.people[:, others].sum())
        for sums in (one.spend, one.natural_spend)
    ]
    return {parameter: means[0], "selection_bias": means[1]}


def _audience_mean(sums: Floats, people: Floats) -> Floats:
    """Return the mean over each stratum's audience, lost controls included; NaN where there is nobody."""
    audience = [*range(MOST_ARMS), LOST]
    many = people[:, audience].sum(axis=1)
    return np.where(many > 0, sums[:, audience].sum(axis=1) / np.maximum(many, 1), np.nan)


def _weighted(values: Floats, weights: Floats) -> float:
    return ratio((values * weights).sum(), weights.sum()) if np.ptp(values) else float(values.flat[0])
