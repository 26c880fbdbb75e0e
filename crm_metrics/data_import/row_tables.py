"""Which tables a file can bring rows of besides order lines, and how each of their columns is written."""

from typing import Literal

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, Table

from crm_metrics.schema import (
    AMOUNT,
    campaign_members,
    campaign_spend,
    contracts,
    customer_records,
    customers,
    metadata,
    opportunities,
    order_lines,
    order_records,
    orders,
    product_records,
    products,
    quotas,
)

Kind = Literal["identifier", "text", "flag", "day", "moment", "count", "amount", "rate"]
_DERIVED = (orders, order_lines, order_records, customer_records, product_records)
TABLES: dict[str, Table] = {
    table.name: table
    for table in metadata.sorted_tables
    if "batch_id" in table.c and table not in _DERIVED and not table.name.startswith(("import_", "demo_"))
}
"""Tables that a file can bring rows of, by name."""
RECORDS = {customers: customer_records, products: product_records}
"""Tables that are made from what every batch says, with the table that keeps it: there a later batch contradicts none, it knows better."""
SUMMED = {
    campaign_members: "outcome_spend",
    campaign_spend: "spend_amount",
    contracts: "monthly_amount",
    opportunities: "deal_amount",
    quotas: "quota_amount",
}
"""The column whose sum tells whether a file came in whole."""
CHOICES = {
    ("customers", "customer_kind"): ("person", "company"),
    ("opportunities", "outcome"): ("open", "won", "lost"),
    ("opportunity_history", "outcome"): ("open", "won", "lost"),
    ("stages", "outcome"): ("open", "won", "lost"),
    ("surveys", "survey_kind"): ("satisfaction", "recommendation"),
}
"""The only values of columns that the rooms ask for by their values."""
DECIMALS = {"amount": 4, "rate": 8}


def columns_of(table: Table) -> dict[str, Column[object]]:
    """Return the columns that a file can fill, by name."""
    return {column.name: column for column in table.c if column.name != "batch_id"}


def key_of(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that name a row for ever."""
    return tuple(column.name for column in table.primary_key.columns)


def required(table: Table) -> tuple[str, ...]:
    """Return the names of the columns without which there is no row."""
    return tuple(name for name, column in columns_of(table).items() if not column.nullable)


def kind_of(column: Column[object]) -> Kind:
    """Return how the values of a column are written."""
    if isinstance(column.type, Numeric):
        return "amount" if column.type.scale == AMOUNT.scale else "rate"
    kinds: tuple[tuple[type, Kind], ...] = ((Boolean, "flag"), (DateTime, "moment"), (Date, "day"), (Integer, "count"))
    found: Kind = "identifier" if column.name.endswith("_id") else "text"
    return next((kind for of, kind in kinds if isinstance(column.type, of)), found)
