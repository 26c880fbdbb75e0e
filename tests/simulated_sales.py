"""The sales of a small demo company as frames, for the tests of leads and deals, and the tolerance of a share and of a mean."""

from datetime import timedelta
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import deals, leads, roster, sales_tables
from crm_metrics.demo.customers import REGION_SHARE
from crm_metrics.demo.plan import FIRST_ON, Plan
from crm_metrics.demo.world import NONE, Tables

STANDARD_ERRORS = 4.0
BIG = Plan(customers=100_000, seed=12)  # 30,000 deals, 28,000 leads, 750,000 calls
SMALL = Plan(customers=2_000, seed=7)


class Sales(NamedTuple):
    """What is simulated of a plan's sales. tables: of leads and deals together, activities of both."""

    plan: Plan
    calls: leads.Calls
    leads: leads.Leads
    accounts: deals.Accounts
    tables: Tables

    def frame(self, table: schema.Table) -> pd.DataFrame:
        return self.tables[table].to_pandas(date_as_object=False)


@cache
def sales(plan: Plan) -> Sales:
    """What a plan comes to, simulated once however many tests ask for it."""
    return simulated(plan)


def simulated(plan: Plan) -> Sales:
    """What a plan comes to, simulated anew."""
    calls = leads.calls(plan)
    found = leads.leads(plan, calls)
    everybody = roster.roster(plan, found)
    number = np.flatnonzero(everybody.lead != NONE)
    region = plan.generator("regions of the test's accounts").choice(len(REGION_SHARE), len(number), p=REGION_SHARE)
    accounts = deals.Accounts(number, everybody.acquired[number], region, everybody.lead[number])
    dealt = deals.deals(plan, found, accounts)
    tables = sales_tables.sales_tables(plan, calls, found, dealt.of_leads)
    both = pa.concat_tables([tables[schema.activities], dealt.tables[schema.activities]], promote_options="default")
    return Sales(plan, calls, found, accounts, {**tables, **dealt.tables, schema.activities: both})


def day(number: float) -> pd.Timestamp:
    """The day of a number of days since the demo's first."""
    return pd.Timestamp(FIRST_ON + timedelta(number))


def is_share(hits: pd.Series | np.ndarray, truth: float) -> bool:
    """Whether a share lies within 4 standard errors of a binomial with the true share."""
    return bool(abs(np.mean(hits) - truth) <= STANDARD_ERRORS * np.sqrt(truth * (1 - truth) / len(hits)))


def is_mean(values: pd.Series | np.ndarray, truth: float, deviation: float) -> bool:
    """Whether a mean lies within 4 standard errors of the true mean; deviation: the true standard deviation of one value."""
    return bool(abs(np.mean(values) - truth) <= STANDARD_ERRORS * deviation / np.sqrt(len(values)))
