"""Who was won when, and through which channel: all customers of the demo, in order of acquisition.

A chunk takes every k-th of them, so that each chunk is a small company like the whole.
"""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNELS, GROWTH
from crm_metrics.demo.leads import Leads
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import NONE, Floats, Integers


class Roster(NamedTuple):
    """One element per customer, by moment of acquisition. channel: place in CHANNELS. lead: place in Leads for a company, else NONE."""

    acquired: Floats
    channel: Integers
    lead: Integers

    def numbers(self, plan: Plan, chunk: int) -> Integers:
        """Return the places of a chunk's customers."""
        return np.arange(chunk, len(self.acquired), plan.chunks)


def roster(plan: Plan, found: Leads) -> Roster:
    """Return all customers: one company for each converted lead, persons for the rest."""
    random = plan.generator("roster")
    lead = np.flatnonzero(found.is_converted)[: plan.customers]
    persons = plan.customers - len(lead)
    shares = np.array([channel.share_of_persons for channel in CHANNELS])
    channel = random.choice(len(CHANNELS), persons, p=shares / shares.sum())
    acquired = np.concatenate([_moments(plan, random, persons), found.converted[lead]])
    order = np.argsort(acquired, kind="stable")
    channels = np.concatenate([channel, found.source[lead]])
    return Roster(acquired[order], channels[order], np.concatenate([np.full(persons, NONE), lead])[order])


def _moments(plan: Plan, random: np.random.Generator, count: int) -> Floats:
    """Return moments of acquisition: more in season, and more every day."""
    wanted = clock.seasons(plan) * (1 + GROWTH * np.linspace(-0.5, 0.5, plan.days))
    whole = np.concatenate([[0.0], np.cumsum(wanted)])
    return np.interp(random.random(count) * whole[-1], whole, np.arange(plan.days + 1))
