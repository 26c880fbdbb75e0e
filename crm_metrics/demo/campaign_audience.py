"""Who is contacted by a campaign, who is held back as a control, and who is neither."""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo.campaign_catalogue import BEST_DAYS, CONTROL, LAPSED_DAYS, RECENT_DAYS, SEGMENT_AGE, UNDER_40, Campaign
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Booleans, Customers, Floats, Integers, Orders

MOST_ARMS = 3
LOST = 3  # a control who dropped out of the list
OTHERS = 4  # could have been contacted and was not chosen
GROUPS = 5


class Split(NamedTuple):
    """One element per customer of the chunk. group: place in the campaign's arms, LOST, OTHERS or NONE. stratum: place in its strata."""

    group: Integers
    stratum: Integers

    @property
    def is_member(self) -> Booleans:
        """Who is in one of the arms."""
        return (self.group >= 0) & (self.group < MOST_ARMS)

    def is_treated(self, campaign: Campaign) -> Booleans:
        """Who was contacted."""
        return np.isin(self.group, campaign.treated_arms)


def split(plan: Plan, chunk: int, campaign: Campaign, *, customers: Customers, orders: Orders) -> Split:
    """Return who is in which arm. Arms are drawn by complete randomisation, so that in each stratum their sizes are as planned."""
    random, count = plan.generator(f"audience {campaign.name}", chunk), len(customers.number)
    choice, lot, loss = random.random((3, count))
    eligible = _is_eligible(campaign, customers, orders)
    chosen = _is_chosen(campaign, eligible, orders=orders, choice=choice)
    stratum = _strata(campaign, customers)
    group = np.where(eligible, OTHERS, NONE)
    for place in range(len(campaign.strata)):
        member = np.flatnonzero(chosen & (stratum == place))
        edges = np.rint(np.cumsum([share for _, share in campaign.arms]) * len(member))
        group[member[np.argsort(lot[member])]] = np.searchsorted(edges, np.arange(len(member)), side="right")
    if campaign.lost_controls:
        is_quiet = spend_between(orders, count, campaign.started - RECENT_DAYS, campaign.started) == 0
        control = [arm for arm, _ in campaign.arms].index(CONTROL)
        group[(group == control) & is_quiet & (loss < campaign.lost_controls)] = LOST
    return Split(group, stratum)


def spend_between(orders: Orders, count: int, first: float, end: float) -> Floats:
    """Return what each of `count` customers spends from `first` to before `end`."""
    found = (orders.moment >= first) & (orders.moment < end)
    return np.bincount(orders.customer[found], orders.amount[found], minlength=count).astype(float)


def _is_eligible(campaign: Campaign, customers: Customers, orders: Orders) -> Booleans:
    """Return who may be contacted: with consent and known by one record only, since the list has been cleaned of doubles."""
    eligible = customers.has_consent & ~customers.is_test & ~customers.has_second_record & (customers.acquired < campaign.started)
    if not campaign.has_companies:
        eligible &= ~customers.is_company
    if campaign.audience == "lapsed":
        bought = spend_between(orders, len(eligible), campaign.started - LAPSED_DAYS, campaign.started) > 0
        eligible &= ~bought
    return eligible


def _is_chosen(campaign: Campaign, eligible: Booleans, *, orders: Orders, choice: Floats) -> Booleans:
    """Return who of the eligible is chosen: by lot, or those who spent most."""
    ranked_by = choice
    if campaign.audience == "best":
        ranked_by = -spend_between(orders, len(eligible), campaign.started - BEST_DAYS, campaign.started)
    chosen, place = np.zeros(len(eligible), dtype=bool), np.flatnonzero(eligible)
    wanted = round(campaign.audience_share * len(place))
    chosen[place[np.lexsort((choice[place], ranked_by[place]))[:wanted]]] = True
    return chosen


def _strata(campaign: Campaign, customers: Customers) -> Integers:
    if len(campaign.strata) == 1:
        return np.zeros(len(customers.number), dtype=np.int64)
    is_young = campaign.started_year - customers.birth_year < SEGMENT_AGE
    young = campaign.strata.index(UNDER_40)
    return np.where(is_young, young, 1 - young)
