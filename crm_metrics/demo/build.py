"""Builds a demo: simulates the company, customers in chunks, and loads each chunk through the staging step of import."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, func, select

from crm_metrics import database, schema
from crm_metrics.data_import import ledger, load, made_file, samples
from crm_metrics.database import DataSet
from crm_metrics.demo import (
    baskets,
    campaign_truth,
    campaigns,
    contracts,
    costs,
    customers,
    deals,
    identities,
    leads,
    products,
    purchases,
    roster,
    sales_tables,
    service,
    targets,
    truth,
)
from crm_metrics.demo.campaign_truth import Tally
from crm_metrics.demo.clock import month_of
from crm_metrics.demo.plan import FIRST_ON, LAST_ON, Plan
from crm_metrics.demo.roster import Roster
from crm_metrics.demo.targets import MonthlyTotals
from crm_metrics.demo.world import REGIONS, Booleans, Customers, Floats, Integers, Orders, Tables, chosen, joined, merged
from crm_metrics.language import noop

Progress = Callable[[str, float], None]
SIMULATING, LOADING, PUBLISHING, DONE = noop("Simulating customers"), noop("Loading order lines"), noop("Publishing"), noop("Done")
TITLE = "灯织 Lantern & Loom: a simulated shop for home furnishings, 2023 to 2025"
_MONTHS = 12 * (LAST_ON.year - FIRST_ON.year + 1)
_BEFORE_CHUNKS, _AFTER_CHUNKS = 0.03, 0.95  # share of the work done
_SIMULATING_SHARE = 0.3  # of the work on a chunk; the rest is loading
_TOLD_BY_LOADING = (0.6, 0.95)  # shares that `load.load_into` tells, of an import's work
_PROGRAM = files("crm_metrics.demo")


class Built(NamedTuple):
    """What a call of `build` did. is_new: False where the same demo was there already. rows: in each table that is not empty."""

    is_new: bool
    rows: dict[str, int]


class Company(NamedTuple):
    """What is simulated once for the whole company. tables: employees, calls, leads, deals, the catalogue."""

    everybody: Roster
    tables: Tables


class Chunk(NamedTuple):
    """What is simulated of a chunk of customers. lines: as `made_file` takes them. tally, months: for what is summed up over all."""

    lines: pa.Table
    tables: Tables
    tally: Tally
    months: MonthlyTotals


def build(data_set: DataSet, plan: Plan, progress: Progress | None = None) -> Built:
    """Build the demo in place of what the data set holds, published whole or not at all. The same demo again changes nothing.

    progress: called with an English step and the share done, 0 to 1.
    Raises BadInput if the data set holds anything but a demo.
    """
    tell, hashes = progress or _silent, _content_hashes(plan)
    try:
        _refuse(data_set, hashes)
        tell(SIMULATING, 0.0)
        with database.change(data_set, anew=True) as writer:
            _refuse(data_set, hashes)  # again, now that no other process can change it
            for file, tell_of_file in _files(plan, hashes, tell):
                tell_of_file(LOADING, 0.0)
                load.load_into(writer, file, tell=tell_of_file)
            tell(PUBLISHING, _AFTER_CHUNKS)
    except _SameDemoError:
        return Built(is_new=False, rows=row_counts(data_set))
    tell(DONE, 1.0)
    return Built(is_new=True, rows=row_counts(data_set))


def row_counts(data_set: DataSet) -> dict[str, int]:
    """Return the number of rows of each table that is not empty, by name."""
    source = database.open_source(data_set)
    counts = {table.name: int(source.arrow(_count(table))["rows"][0].as_py()) for table in schema.metadata.sorted_tables}
    return {name: rows for name, rows in counts.items() if rows}


def _count(table: schema.Table) -> Select[Any]:
    return select(func.count().label("rows")).select_from(table)


def _silent(_step: str, _share: float) -> None:
    """Tell nobody."""


def _scaled(tell: Progress, start: float, end: float, *, told: tuple[float, float] = (0.0, 1.0)) -> Progress:
    """Return a progress whose shares, those of `told`, are told as `start` to `end`."""
    return lambda step, share: tell(step, float(np.interp(share, told, (start, end))))


class _SameDemoError(Exception):
    """The data set is this demo and nothing else."""


def _refuse(data_set: DataSet, hashes: list[str]) -> None:
    """Raise BadInput if the data set holds what a demo may not take the place of, and _SameDemoError if it is this demo already."""
    samples.refuse_demo(data_set)
    held = database.open_source(data_set).arrow(ledger.batches().where(schema.import_batches.c.batch_state == ledger.LOADED))
    if sorted(held["content_hash"].to_pylist()) == sorted(hashes):
        raise _SameDemoError


def _content_hashes(plan: Plan) -> list[str]:
    """Return a fingerprint of everything that decides what each chunk holds: the plan, and the program, so that a new one builds anew."""
    modules = sorted((file.name, file.read_bytes()) for file in _PROGRAM.iterdir() if file.name.endswith(".py"))
    program = [(name, hashlib.sha256(content).hexdigest()) for name, content in modules]
    decides = [json.dumps([plan.as_dict(), plan.chunks, chunk, program], sort_keys=True) for chunk in range(plan.chunks)]
    return [hashlib.sha256(text.encode()).hexdigest() for text in decides]


# ── simulating ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _files(plan: Plan, hashes: list[str], tell: Progress) -> Iterator[tuple[load.CheckedFile, Progress]]:
    """Give one file per chunk, the last with what is known at the end, each with the progress of loading it."""
    company, done = simulated_company(plan), []
    step = (_AFTER_CHUNKS - _BEFORE_CHUNKS) / plan.chunks
    for number in range(plan.chunks):
        start = _BEFORE_CHUNKS + step * number
        loading = start + step * _SIMULATING_SHARE
        chunk = simulated_chunk(plan, company.everybody, number, _scaled(tell, start, loading))
        done.append((chunk.tally, chunk.months))
        tables = [chunk.tables, {schema.product_records: products.product_rows()}]
        if number == plan.chunks - 1:
            tables += [company.tables, _at_the_end(plan, done)]
        yield (
            _file(f"demo {number + 1} of {plan.chunks}", hashes[number], chunk.lines, merged(tables)),
            _scaled(tell, loading, start + step, told=_TOLD_BY_LOADING),
        )


def simulated_company(plan: Plan) -> Company:
    """Return the leads, the customers they and others became, and the deals."""
    calls = leads.calls(plan)
    found = leads.leads(plan, calls)
    everybody = roster.roster(plan, found)
    dealt = deals.deals(plan, found, _accounts(plan, everybody))
    return Company(everybody, merged([sales_tables.sales_tables(plan, calls, found, dealt.of_leads), dealt.tables]))


def _accounts(plan: Plan, everybody: Roster) -> deals.Accounts:
    """Return the companies among all customers."""
    chunks = [customers.customers(plan, chunk, everybody) for chunk in range(plan.chunks)]
    every = joined([chosen(found, found.is_company) for found in chunks])
    companies = chosen(every, np.argsort(every.number))
    return deals.Accounts(companies.number, companies.acquired, companies.region, companies.lead)


def simulated_chunk(plan: Plan, everybody: Roster, chunk: int, tell: Progress = _silent) -> Chunk:
    """Return everything about a chunk of customers, told in shares of about the time that it takes."""
    tell(SIMULATING, 0.0)
    found = customers.customers(plan, chunk, everybody)
    history = purchases.natural_history(plan, chunk, found)
    tell(SIMULATING, 0.05)
    served = service.service(plan, chunk, found, history)
    tell(SIMULATING, 0.1)
    campaigned = campaigns.campaigns(plan, chunk, found, served.history.orders)
    tell(SIMULATING, 0.2)
    orders = campaigned.orders
    booked = identities.order_customer_ids(plan, chunk, found, orders)
    sold = baskets.baskets(plan, chunk, found, orders, customer_ids=booked.ids)
    tell(SIMULATING, 0.85)
    left, has_office_order = _left(served.history.left, orders), _has_office_order(found, orders, booked.is_office)
    tables = [served.tables, campaigned.tables, identities.records(plan, chunk, found, left, has_office_order=has_office_order)]
    tell(SIMULATING, 0.9)
    tables += [costs.costs(plan, chunk, found, orders, sold, served.contacts), contracts.contracts(plan, chunk, found)]
    tell(SIMULATING, 1.0)
    return Chunk(sold.lines, merged(tables), campaigned.tally, _months(plan, sold.lines))


def _left(left: Floats, orders: Orders) -> Floats:
    """Return when each customer left for good: with the last order, where a campaign brought back one who had left; NaN as before."""
    last = purchases.last_orders(orders.customer, orders.moment, count=len(left))
    return np.where(np.isnan(left), np.nan, np.fmax(left, last))


def _has_office_order(found: Customers, orders: Orders, is_office: Booleans) -> Booleans:
    """Return per customer whether an order names the record of the office system."""
    has = np.zeros(len(found.number), dtype=bool)
    has[orders.customer[is_office]] = True
    return has


def _months(plan: Plan, lines: pa.Table) -> MonthlyTotals:
    """Return what was sold in each month as a reader counts it: returns on their own day, a customer's second record as a new customer."""
    by_region: Floats = np.zeros((len(REGIONS), _MONTHS))
    region = pc.index_in(lines["order_region"], value_set=pa.array(REGIONS)).to_numpy()
    np.add.at(by_region, (region, _month(plan, lines)), lines["net_amount"].cast(pa.float64()).to_numpy())
    sales = lines.filter(pc.equal(lines["line_kind"], "sale")).select(["order_id", "customer_id", "ordered_on"])
    orders, buyers = (_first_days(sales, key) for key in ("order_id", "customer_id"))
    return MonthlyTotals(
        net_revenue=by_region.sum(axis=0),
        orders=np.bincount(_month(plan, orders), minlength=_MONTHS),
        new_customers=np.bincount(_month(plan, buyers), minlength=_MONTHS),
        net_revenue_by_region=by_region,
    )


def _first_days(sales: pa.Table, key: str) -> pa.Table:
    known = sales.filter(pc.is_valid(sales[key]))
    return known.group_by(key).aggregate([("ordered_on", "min")]).rename_columns([key, "ordered_on"])


def _month(plan: Plan, rows: pa.Table) -> Integers:
    days = rows["ordered_on"].cast(pa.int32()).to_numpy() - (FIRST_ON - date(1970, 1, 1)).days
    return month_of(plan, days.astype(np.float64))


def _at_the_end(plan: Plan, done: list[tuple[Tally, MonthlyTotals]]) -> Tables:
    """Return what is known when all customers are: campaigns with their costs, targets, the truth."""
    tallies, months = zip(*done, strict=True)
    summed = MonthlyTotals(*[sum(parts) for parts in zip(*months, strict=True)])
    of_campaigns, known = campaigns.finished(plan, list(tallies))
    facts = truth.facts_of(campaign_truth.TOPIC, known)
    return merged([of_campaigns, targets.targets(plan, summed), truth.rows([*truth.stated(plan), *facts])])


# ── loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _file(name: str, content_hash: str, lines: pa.Table, tables: Tables) -> load.CheckedFile:
    return made_file.made_file(
        name,
        content_hash,
        lines,
        made_file.made_mapping("demo", TITLE, currency="CNY", time_zone="Asia/Shanghai"),
        tables=tables,
        imported_at=datetime.combine(LAST_ON, time(23, 59, 59)),
    )
