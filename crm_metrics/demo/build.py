"""Builds a demo: simulates the company, customers in chunks, and loads each chunk through the staging step of import."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Select, func, select

from crm_metrics import database, schema
from crm_metrics.data_import import ledger, load, samples
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
from crm_metrics.demo.baskets import Baskets
from crm_metrics.demo.campaigns import Tally
from crm_metrics.demo.clock import month_of
from crm_metrics.demo.plan import FIRST_ON, LAST_ON, Plan
from crm_metrics.demo.roster import Roster
from crm_metrics.demo.targets import MonthlyTotals
from crm_metrics.demo.world import REGIONS, Booleans, Customers, Floats, Integers, Orders, Tables, merged
from crm_metrics.language import noop

Progress = Callable[[str, float], None]
SIMULATING, LOADING, PUBLISHING, DONE = noop("Simulating customers"), noop("Loading order lines"), noop("Publishing"), noop("Done")
TITLE = "灯织 Lantern & Loom: a simulated shop for home furnishings, 2023 to 2025"
_MONTHS = 12 * (LAST_ON.year - FIRST_ON.year + 1)
_BEFORE_CHUNKS, _AFTER_CHUNKS = 0.03, 0.95  # share of the work done


class Built(NamedTuple):
    """What a call of `build` did. is_new: False where the same demo was there already. rows: in each table that is not empty."""

    is_new: bool
    rows: dict[str, int]


class Company(NamedTuple):
    """What is simulated once for the whole company. tables: employees, calls, leads, deals, the catalogue."""

    everybody: Roster
    tables: Tables


class Chunk(NamedTuple):
    """What is simulated of a chunk of customers. lines: as `load.made_file` takes them. tally, months: for what is summed up over all."""

    lines: pa.Table
    tables: Tables
    tally: Tally
    months: MonthlyTotals


def build(data_set: DataSet, plan: Plan, progress: Progress | None = None) -> Built:
    """Build the demo in place of what the data set holds, published whole or not at all. The same demo again changes nothing.

    progress: called with an English step and the share done, 0 to 1.
    Raises BadInput if the data set holds anything but a demo.
    """
    tell = progress or _silent
    try:
        _refuse(data_set, plan)
        tell(SIMULATING, 0.0)
        with database.change(data_set, anew=True) as writer:
            _refuse(data_set, plan)  # again, now that no other process can change it
            for file, share in _files(plan, tell):
                tell(LOADING, share)
                load.load_into(writer, file)
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


class _SameDemoError(Exception):
    """The data set is this demo and nothing else."""


def _refuse(data_set: DataSet, plan: Plan) -> None:
    """Raise BadInput if the data set holds what a demo may not take the place of, and _SameDemoError if it is this demo already."""
    samples.refuse_demo(data_set)
    held = database.open_source(data_set).arrow(ledger.batches().where(schema.import_batches.c.batch_state == ledger.LOADED))
    if sorted(held["content_hash"].to_pylist()) == sorted(_content_hash(plan, chunk) for chunk in range(plan.chunks)):
        raise _SameDemoError


def _content_hash(plan: Plan, chunk: int) -> str:
    """Return a fingerprint of everything that decides what a chunk holds: the plan and all stated parameters."""
    stated = [plan.as_dict(), plan.chunks, chunk, *truth.stated(plan)]
    return hashlib.sha256(json.dumps(stated, sort_keys=True, default=str).encode()).hexdigest()


# ── simulating ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _files(plan: Plan, tell: Progress) -> Iterator[tuple[load.CheckedFile, float]]:
    """Give one file per chunk, the last with what is known at the end, and the share of the work done when it is there."""
    company, done = simulated_company(plan), []
    step = (_AFTER_CHUNKS - _BEFORE_CHUNKS) / plan.chunks
    for number in range(plan.chunks):
        tell(SIMULATING, _BEFORE_CHUNKS + step * number)
        chunk = simulated_chunk(plan, company.everybody, number)
        done.append((chunk.tally, chunk.months))
        tables = [chunk.tables, {schema.product_records: products.product_rows()}]
        if number == plan.chunks - 1:
            tables += [company.tables, _at_the_end(plan, done)]
        yield _file(plan, number, chunk.lines, merged(tables)), _BEFORE_CHUNKS + step * (number + 0.4)


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
    number, acquired, region = (
        np.concatenate([getattr(found, name)[found.is_company] for found in chunks]) for name in ("number", "acquired", "region")
    )
    order = np.argsort(number)
    return deals.Accounts(number[order], acquired[order], region[order])


def simulated_chunk(plan: Plan, everybody: Roster, chunk: int) -> Chunk:
    """Return everything about a chunk of customers."""
    found = customers.customers(plan, chunk, everybody)
    served = service.service(plan, chunk, found, purchases.natural_history(plan, chunk, found))
    campaigned = campaigns.campaigns(plan, chunk, found, served.history.orders)
    orders = campaigned.orders
    ids = identities.order_customer_ids(plan, chunk, found, orders)
    sold = baskets.baskets(plan, chunk, found, orders, customer_ids=ids)
    tables = [
        served.tables,
        campaigned.tables,
        identities.records(plan, chunk, found, served.history.left, has_office_order=_has_office_order(found, orders, ids)),
        costs.costs(plan, chunk, found, orders, sold, served.contacts),
        contracts.contracts(plan, chunk, found),
    ]
    return Chunk(sold.lines, merged(tables), campaigned.tally, _months(plan, orders, sold))


def _has_office_order(found: Customers, orders: Orders, ids: pa.Array) -> Booleans:
    """Return per customer whether an order names the record of the office system."""
    has = np.zeros(len(found.number), dtype=bool)
    has[orders.customer[pc.starts_with(ids, "K").to_numpy(zero_copy_only=False)]] = True
    return has


def _months(plan: Plan, orders: Orders, sold: Baskets) -> MonthlyTotals:
    """Return what was sold in each month, returns on their own day."""
    days = sold.lines["ordered_on"].cast(pa.int32()).to_numpy() - (FIRST_ON - date(1970, 1, 1)).days
    month, net = month_of(plan, days.astype(np.float64)), sold.lines["net_amount"].cast(pa.float64()).to_numpy()
    region = pc.index_in(sold.lines["order_region"], value_set=pa.array(REGIONS)).to_numpy()
    by_region: Floats = np.zeros((len(REGIONS), _MONTHS))
    np.add.at(by_region, (region, month), net)
    return MonthlyTotals(
        net_revenue=by_region.sum(axis=0),
        orders=_per_month(month_of(plan, orders.moment)),
        new_customers=_per_month(month_of(plan, orders.moment[orders.is_first])),
        net_revenue_by_region=by_region,
    )


def _per_month(month: Integers) -> Integers:
    return np.bincount(month, minlength=_MONTHS)


def _at_the_end(plan: Plan, done: list[tuple[Tally, MonthlyTotals]]) -> Tables:
    """Return what is known when all customers are: campaigns with their costs, targets, the truth."""
    tallies, months = zip(*done, strict=True)
    summed = MonthlyTotals(*[sum(parts) for parts in zip(*months, strict=True)])
    of_campaigns, known = campaigns.finished(plan, list(tallies))
    facts = known if isinstance(known, list) else truth.facts_of(campaign_truth.TOPIC, known)
    return merged([of_campaigns, targets.targets(plan, summed), truth.rows([*truth.stated(plan), *facts])])


# ── loading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _file(plan: Plan, chunk: int, lines: pa.Table, tables: Tables) -> load.CheckedFile:
    return load.made_file(
        f"demo {chunk + 1} of {plan.chunks}",
        _content_hash(plan, chunk),
        lines,
        load.made_mapping("demo", TITLE, currency="CNY", time_zone="Asia/Shanghai"),
        tables=tables,
        imported_at=datetime.combine(LAST_ON, time(23, 59, 59)),
    )
