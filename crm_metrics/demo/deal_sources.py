"""Where deals come from: qualified leads, companies that are customers already, and service contacts."""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo import clock
from crm_metrics.demo.channels import CHANNEL_NAMES
from crm_metrics.demo.customers import REGION_SHARE
from crm_metrics.demo.leads import LEAD_CONVERSION, Leads, qualified_share
from crm_metrics.demo.office_hours import in_office_hours, on_workdays
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import PRODUCT_COUNT
from crm_metrics.demo.staff import sellers
from crm_metrics.demo.world import NONE, REGIONS, Booleans, Floats, Integers, chosen, joined

LEAD_DEAL_SHARE = 0.50  # of qualified leads become a deal as well
DAYS_TO_DEAL = 2.0  # from a lead's qualification, mean of an exponential
EXISTING_DEALS_PER_YEAR = 0.75  # of one company, from its first order on
SERVICE_DEALS_PER_YEAR = (0.12, 0.24)  # the same, out of service contacts; before and after the CRM
HANDOVER_DAYS = (2.0, 0.5)  # from a service contact to the deal, means of exponentials; before and after
SOURCE_NAMES = (*CHANNEL_NAMES, "existing customer", "service")
FROM_CUSTOMER, FROM_SERVICE = range(len(CHANNEL_NAMES), len(SOURCE_NAMES))


class Accounts(NamedTuple):
    """The companies among the customers, one element each. number: place among all customers. acquired: moment of the first order,
    which is when the lead it came from converted. region: place in REGIONS. lead: place in Leads of that lead.
    """

    number: Integers
    acquired: Floats
    region: Integers
    lead: Integers


class LeadOutcomes(NamedTuple):
    """One element per lead. account: place in Accounts of the company it became, customer: its number, deal: place in Sources, known once
    there are deals; NONE where there is none. region: that company's, or drawn. seller: place among the sellers of who takes it over.
    """

    account: Integers
    customer: Integers
    region: Integers
    seller: Integers
    deal: Integers


class Sources(NamedTuple):
    """One element per deal, by moment of creation.

    drawn: moment of creation on any day of the week, which the deal's course is counted from. created: the same in office hours.
    source: place in SOURCE_NAMES; of a lead the channel it came through. lead, account: places in Leads and Accounts, or NONE. luck:
    uniform on 0 to 1, decides how far the deal gets: the less the farther. signs_below: only deals with less luck than this are ever
    won; 1 for those of companies that are customers. contacted: moment of the service contact, NaN for other sources. is_after:
    created after the CRM went live.
    """

    drawn: Floats
    created: Floats
    source: Integers
    lead: Integers
    account: Integers
    region: Integers
    seller: Integers
    product: Integers
    luck: Floats
    signs_below: Floats
    contacted: Floats
    is_after: Booleans


def lead_outcomes(plan: Plan, leads: Leads, accounts: Accounts) -> LeadOutcomes:
    """Return what became of each lead, and who sells to it where."""
    random, count = plan.generator("outcomes of leads"), len(leads.created)
    account = np.full(count, NONE)
    account[accounts.lead] = np.arange(len(accounts.lead))
    region = np.where(account == NONE, random.choice(len(REGIONS), count, p=REGION_SHARE), np.append(accounts.region, NONE)[account])
    seller = sellers(plan, region, random.random(count))
    return LeadOutcomes(account, np.append(accounts.number, NONE)[account], region, seller, np.full(count, NONE))


def sources(plan: Plan, leads: Leads, outcomes: LeadOutcomes, accounts: Accounts) -> Sources:
    """Return all deals that are created before the demo ends."""
    every = joined([_of_leads(plan, leads, outcomes), _of_customers(plan, accounts), _of_service(plan, accounts)])
    order = np.argsort(every.drawn, kind="stable")
    return chosen(every, order[every.created[order] < plan.days])


def _of_leads(plan: Plan, leads: Leads, outcomes: LeadOutcomes) -> Sources:
    """Return the deals of leads. The luck of one that becomes a customer is better, for whoever signs a deal becomes a customer; over all
    leads the luck stays uniform.
    """
    random, count = plan.generator("deals of leads"), len(leads.created)
    becomes_deal = (random.random(count) < LEAD_DEAL_SHARE) & ~np.isnan(leads.qualified)
    drawn = leads.qualified + random.exponential(DAYS_TO_DEAL, count)
    converts = clock.level(LEAD_CONVERSION, clock.is_after(plan, leads.created)) / qualified_share(leads.source)
    luck = random.random(count)
    luck = np.where(leads.will_convert, luck * converts, converts + luck * (1 - converts))
    lead = np.flatnonzero(becomes_deal)
    return Sources(
        drawn=drawn[lead],
        created=in_office_hours(drawn[lead]),
        source=leads.source[lead],
        lead=lead,
        account=outcomes.account[lead],
        region=outcomes.region[lead],
        seller=outcomes.seller[lead],
        product=leads.product[lead],
        luck=luck[lead],
        signs_below=converts[lead],
        contacted=np.full(len(lead), np.nan),
        is_after=clock.is_after(plan, on_workdays(drawn[lead])),
    )


def _of_customers(plan: Plan, accounts: Accounts) -> Sources:
    random = plan.generator("deals of customers")
    account, drawn = _contacts(plan, random, accounts, EXISTING_DEALS_PER_YEAR)
    return _of_accounts(plan, random, accounts, account=account, drawn=drawn, source=FROM_CUSTOMER)


def _of_service(plan: Plan, accounts: Accounts) -> Sources:
    """Return the deals out of service contacts; contact and deal are in office hours."""
    random = plan.generator("deals of service")
    account, contacted = _contacts(plan, random, accounts, max(SERVICE_DEALS_PER_YEAR))
    after = clock.is_after(plan, on_workdays(contacted))
    kept = random.random(len(account)) < clock.level(SERVICE_DEALS_PER_YEAR, after) / max(SERVICE_DEALS_PER_YEAR)
    drawn = contacted + random.exponential(clock.level(HANDOVER_DAYS, after))
    deals = _of_accounts(plan, random, accounts, account=account[kept], drawn=drawn[kept], source=FROM_SERVICE)
    return deals._replace(contacted=in_office_hours(contacted[kept]))


def _contacts(plan: Plan, random: np.random.Generator, accounts: Accounts, per_year: float) -> tuple[Integers, Floats]:
    """Return account and moment of events that every company has at a constant rate from its first order on."""
    rest = plan.days - accounts.acquired
    account = np.repeat(np.arange(len(rest)), random.poisson(rest * per_year / 365.25))
    return account, accounts.acquired[account] + random.random(len(account)) * rest[account]


def _of_accounts(plan: Plan, random: np.random.Generator, accounts: Accounts, *, account: Integers, drawn: Floats, source: int) -> Sources:
    count, region = len(account), accounts.region[account]
    return Sources(
        drawn=drawn,
        created=in_office_hours(drawn),
        source=np.full(count, source),
        lead=np.full(count, NONE),
        account=account,
        region=region,
        seller=sellers(plan, region, random.random(count)),
        product=random.integers(0, PRODUCT_COUNT, count),
        luck=random.random(count),
        signs_below=np.ones(count),
        contacted=np.full(count, np.nan),
        is_after=clock.is_after(plan, on_workdays(drawn)),
    )
