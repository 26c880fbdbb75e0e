"""Deals through their stages, with everything that belongs to them: history, tasks, visits, quotas, the contacts that brought them."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import deal_stages, deal_tables, tasks
from crm_metrics.demo.deal_changes import changes, courses
from crm_metrics.demo.deal_sources import Accounts, LeadOutcomes, lead_outcomes, sources
from crm_metrics.demo.leads import Leads
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Tables

__all__ = ["Accounts", "Dealt", "LeadOutcomes", "deals"]


class Dealt(NamedTuple):
    """tables: opportunities, their history, stages, tasks, quotas, the activities of deals and the service tickets that brought some.
    of_leads: what became of each lead.
    """

    tables: Tables
    of_leads: LeadOutcomes

    @property
    def deal_of_lead(self) -> pa.Array:
        """Id of the deal that each lead became; null for most."""
        return deal_tables.deal_keys(self.of_leads.deal)


def deals(plan: Plan, found: Leads, accounts: Accounts) -> Dealt:
    """Return the deals of all leads and companies that are created before the demo ends."""
    of_leads = lead_outcomes(plan, found, accounts)
    begun = sources(plan, found, of_leads, accounts)
    traits = deal_tables.traits(plan, begun, accounts)
    runs = courses(plan, begun)
    history = changes(plan, begun, runs, traits.amount)
    customer = np.append(accounts.number, NONE)[begun.account]
    made = deal_tables.Deals(begun, runs, history, traits, customer)
    tables: Tables = {
        schema.opportunities: deal_tables.opportunity_rows(plan, made),
        schema.opportunity_history: deal_tables.history_rows(history),
        schema.stages: deal_stages.stage_rows(),
        schema.tasks: tasks.task_rows(plan, made),
        schema.quotas: tasks.quota_rows(plan, made),
        schema.activities: tasks.activity_rows(plan, made),
        schema.service_tickets: tasks.ticket_rows(plan, made),
    }
    from_lead = begun.lead != NONE
    of_leads.deal[begun.lead[from_lead]] = np.flatnonzero(from_lead)
    return Dealt(tables, of_leads)
