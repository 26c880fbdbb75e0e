"""Deals through their stages, with everything that belongs to them: history, tasks, visits, quotas, the contacts that brought them."""

from typing import NamedTuple

import numpy as np

from crm_metrics import schema
from crm_metrics.demo import deal_stages, deal_tables, tasks
from crm_metrics.demo.deal_changes import changes, courses
from crm_metrics.demo.deal_sources import Accounts, LeadOutcomes, lead_outcomes, sources
from crm_metrics.demo.leads import Leads
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Integers, Tables

__all__ = ["Accounts", "Dealt", "LeadOutcomes", "deals"]


class Dealt(NamedTuple):
    """tables: opportunities, their history, stages, tasks, quotas, the activities of deals, the service tickets that brought some and
    what these cost. of_leads: what became of each lead.
    """

    tables: Tables
    of_leads: LeadOutcomes


def deals(plan: Plan, leads: Leads, accounts: Accounts) -> Dealt:
    """Return the deals of all leads and companies that are created before the demo ends."""
    of_leads = lead_outcomes(plan, leads, accounts)
    begun = sources(plan, leads, of_leads, accounts)
    traits = deal_tables.traits(plan, begun, accounts)
    runs = courses(plan, begun)
    history = changes(plan, begun, runs, traits.amount)
    customer = np.append(accounts.number, NONE)[begun.account]
    made = deal_tables.Deals(begun, runs, history, traits, customer)
    enquired = tasks.enquiries(plan, made)
    tables: Tables = {
        schema.opportunities: deal_tables.opportunity_rows(plan, made),
        schema.opportunity_history: deal_tables.history_rows(history),
        schema.stages: deal_stages.stage_rows(),
        schema.tasks: tasks.task_rows(plan, made),
        schema.quotas: tasks.quota_rows(plan, made),
        schema.activities: tasks.activity_rows(plan, made),
        schema.service_tickets: tasks.ticket_rows(plan, made, enquired),
        schema.costs_to_serve: tasks.cost_rows(made, enquired),
    }
    return Dealt(tables, of_leads._replace(deal=_deal_of_lead(begun.lead, len(leads.created))))


def _deal_of_lead(lead: Integers, leads: int) -> Integers:
    """Return for each of so many leads its deal, NONE without one. lead: of each deal."""
    deal = np.full(leads, NONE)
    from_lead = np.flatnonzero(lead != NONE)
    deal[lead[from_lead]] = from_lead
    return deal
