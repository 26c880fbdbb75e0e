"""What campaigns truly cause, and what only seems so.

catalogue   the campaigns and their stated effects
audience    who is contacted, who is held back
effects     orders added, lost and attributed
truth       what was caused, per person and in money
records     rows for the database
"""

from typing import NamedTuple

from crm_metrics import schema
from crm_metrics.demo import campaign_records, campaign_truth
from crm_metrics.demo.campaign_audience import Split, split
from crm_metrics.demo.campaign_catalogue import CAMPAIGNS, running
from crm_metrics.demo.campaign_effects import with_effects
from crm_metrics.demo.campaign_truth import Tally
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import Customers, Orders, Stated, Tables


class Campaigned(NamedTuple):
    """orders: as they are with the campaigns. tables: members and touches. tally: sums of the chunk for `finished`."""

    orders: Orders
    tables: Tables
    tally: Tally


class Run(NamedTuple):
    """orders: as they are with the campaigns. splits: who was in which arm, by place in CAMPAIGNS. tally: sums of the chunk."""

    orders: Orders
    splits: dict[int, Split]
    tally: Tally


def campaigns(plan: Plan, chunk: int, customers: Customers, orders: Orders) -> Campaigned:
    """Return a chunk's orders, changed by the campaigns, with the rows of members and touches."""
    result = run(plan, chunk, customers, orders)
    tables = campaign_records.chunk_rows(plan, chunk, result.splits, customers=customers, orders=result.orders)
    return Campaigned(result.orders, tables, result.tally)


def run(plan: Plan, chunk: int, customers: Customers, orders: Orders) -> Run:
    """Return what the campaigns do to a chunk, one after the other in order of time."""
    splits, tallies = {}, []
    for place in running(plan):
        splits[place] = split(plan, chunk, CAMPAIGNS[place], customers=customers, orders=orders)
        changed = with_effects(plan, chunk, place, split=splits[place], orders=orders)
        tallies.append(campaign_truth.counted(place, splits[place], before=orders, after=changed))
        orders = changed
    return Run(orders, splits, campaign_truth.total(tallies))


def finished(plan: Plan, tallies: list[Tally]) -> tuple[Tables, Stated]:
    """Return the rows of campaigns and their costs, and what became true of them, from the sums of all chunks."""
    places, tally = running(plan), campaign_truth.total(tallies)
    treated = [int(tally.people[place][:, list(CAMPAIGNS[place].treated_arms)].sum()) for place in places]
    spend = campaign_records.spend_rows(places, treated)
    costs = campaign_records.recorded_costs(places, spend)
    rows = campaign_records.with_budgets(campaign_records.campaign_rows(places), costs)
    made = {schema.campaigns: rows, schema.campaign_arms: campaign_records.arm_rows(places), schema.campaign_spend: spend}
    return made, campaign_truth.came_out(places, tally, costs)
