"""Where deals come from: qualified leads, companies that are customers already, and service contacts."""

from typing import NamedTuple

import numpy as np

from crm_metrics.demo.channels import CHANNEL_NAMES
from crm_metrics.demo.customers import REGION_SHARE
from crm_metrics.demo.leads import LEAD_CONVERSION, QUALIFIED_SHARE, Leads
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import PRODUCT_COUNT
from crm_metrics.demo.staff import sellers
from crm_metrics.demo.world import NONE, REGIONS, Booleans, Floats, Integers

LEAD_DEAL_SHARE = 0.50  # of qualified leads become a deal as well
DAYS_TO_DEAL = 2.0  # from a lead's qualification, mean of an exponential
EXISTING_DEALS_PER_YEAR = 0.75  # of one company, from its first order on
SERVICE_DEALS_PER_YEAR = (0.12, 0.24)  # the same, out of service contacts; before and after the CRM
HANDOVER_DAYS = (2.0, 0.5)  # from a service contact to the deal, means of exponentials; before and after
SOURCE_NAMES = (*CHANNEL_NAMES, "existing customer", "service")
FROM_CUSTOMER, FROM_SERVICE = len(CHANNEL_NAMES), len(CHANNEL_NAMES) + 1


class Accounts(NamedTuple):
    """The companies among the customers, one element each. number: place among all customers. acquired: moment of the first order,
    which is when the lead it came from converted. region: place in REGIONS.
    """

    number: Integers
    acquired: Floats
    region: Integers


class LeadOutcomes(NamedTuple):
    """One element per lead. account: place in Accounts of the company it became, customer: its number, deal: place in Sources; NONE
    where there is none. region: that company's, or drawn. seller: place among the sellers of who takes it over.
    """

    account: Integers
    customer: Integers
    region: Integers
    seller: Integers
    deal: Integers


class Sources(NamedTuple):
    """One element per deal, by moment of creation.

    source: place in SOURCE_NAMES; of a lead the channel it came through. lead, account: places in Leads and Accounts, or NONE. luck:
    uniform on 0 to 1, decides how far the deal gets. contacted: moment of the service contact, NaN for other sources. is_after: created
    after the CRM went live.
    """

    created: Floats
    source: Integers
    lead: Integers
    account: Integers
    region: Integers
    seller: Integers
    product: Integers
    luck: Floats
    contacted: Floats
    is_after: Booleans


def lead_outcomes(plan: Plan, found: Leads, accounts: Accounts) -> LeadOutcomes:
    """Return what became of each lead, and who sells to it where."""
    random, many = plan.generator("outcomes of leads"), len(found.created)
    converted = np.flatnonzero(found.is_converted)
    in_order = converted[np.argsort(found.converted[converted], kind="stable")]
    account = np.full(many, NONE)
    account[in_order[np.searchsorted(found.converted[in_order], accounts.acquired)]] = np.arange(len(accounts.acquired))
    region = np.where(account == NONE, random.choice(len(REGIONS), many, p=REGION_SHARE), np.append(accounts.region, NONE)[account])
    seller = sellers(plan, region, random.random(many))
    return LeadOutcomes(account, np.append(accounts.number, NONE)[account], region, seller, np.full(many, NONE))


def sources(plan: Plan, found: Leads, outcomes: LeadOutcomes, accounts: Accounts) -> Sources:
    """Return all deals that are created before the demo ends."""
    parts = [_of_leads(plan, found, outcomes), _of_customers(plan, accounts), _of_service(plan, accounts)]
    together = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Sources._fields}
    order = np.argsort(together["created"], kind="stable")
    order = order[together["created"][order] < plan.days]
    return Sources(**{name: column[order] for name, column in together.items()})


def _of_leads(plan: Plan, found: Leads, outcomes: LeadOutcomes) -> Sources:
    """Return the deals of leads. The luck of one that becomes a customer is better: whoever signs a deal becomes a customer, save a few
    whose deal is won only when it is reopened, while over all leads the luck stays uniform.
    """
    random, many = plan.generator("deals of leads"), len(found.created)
    chosen = (random.random(many) < LEAD_DEAL_SHARE) & ~np.isnan(found.qualified)
    created = found.qualified + random.exponential(DAYS_TO_DEAL, many)
    of_leads = np.array(LEAD_CONVERSION)[(found.created >= plan.go_live_day).astype(int)]
    shares = np.array([QUALIFIED_SHARE.get(place, 1.0) for place in range(max(QUALIFIED_SHARE) + 1)])
    converts, luck = of_leads / shares[found.source], random.random(many)
    luck = np.where(found.will_convert, luck * converts, converts + luck * (1 - converts))
    lead = np.flatnonzero(chosen)
    return Sources(
        created=created[lead],
        source=found.source[lead],
        lead=lead,
        account=outcomes.account[lead],
        region=outcomes.region[lead],
        seller=outcomes.seller[lead],
        product=found.product[lead],
        luck=luck[lead],
        contacted=np.full(len(lead), np.nan),
        is_after=created[lead] >= plan.go_live_day,
    )


def _of_customers(plan: Plan, accounts: Accounts) -> Sources:
    random = plan.generator("deals of customers")
    account, created = _contacts(plan, random, accounts, EXISTING_DEALS_PER_YEAR)
    return _of_accounts(plan, random, accounts, account=account, created=created, source=FROM_CUSTOMER)


def _of_service(plan: Plan, accounts: Accounts) -> Sources:
    random = plan.generator("deals of service")
    account, contacted = _contacts(plan, random, accounts, max(SERVICE_DEALS_PER_YEAR))
    after = (contacted >= plan.go_live_day).astype(int)
    kept = random.random(len(account)) < np.array(SERVICE_DEALS_PER_YEAR)[after] / max(SERVICE_DEALS_PER_YEAR)
    created = contacted + random.exponential(np.array(HANDOVER_DAYS)[after])
    deals = _of_accounts(plan, random, accounts, account=account[kept], created=created[kept], source=FROM_SERVICE)
    return deals._replace(contacted=contacted[kept])


def _contacts(plan: Plan, random: np.random.Generator, accounts: Accounts, per_year: float) -> tuple[Integers, Floats]:
    """Return account and moment of events that every company has at a constant rate from its first order on."""
    rest = plan.days - accounts.acquired
    account = np.repeat(np.arange(len(rest)), random.poisson(rest * per_year / 365.25))
    return account, accounts.acquired[account] + random.random(len(account)) * rest[account]


def _of_accounts(
    plan: Plan, random: np.random.Generator, accounts: Accounts, *, account: Integers, created: Floats, source: int
) -> Sources:
    many, region = len(account), accounts.region[account]
    return Sources(
        created=created,
        source=np.full(many, source),
        lead=np.full(many, NONE),
        account=account,
        region=region,
        seller=sellers(plan, region, random.random(many)),
        product=random.integers(0, PRODUCT_COUNT, many),
        luck=random.random(many),
        contacted=np.full(many, np.nan),
        is_after=created >= plan.go_live_day,
    )
