"""What does each number mean, and what stands in each column?

Everything here is made from the declarations: metrics from every room's METRICS, columns from schema.py. Frames hold the English texts,
so that they are the same for every reader; `in_words` puts them into the reader's language where they are shown.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric
from sqlalchemy.sql.type_api import TypeEngine

from crm_metrics import rooms, schema
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.language import noop, t
from crm_metrics.metric import Better, Metric, Unit

UNIT_WORDS: dict[Unit, str] = {
    "money": noop("money, in the reporting currency"),
    "money_per_order": noop("money per order"),
    "money_per_customer": noop("money per customer"),
    "count": noop("number"),
    "share": noop("share, 0 to 1, shown in %"),
    "days": noop("days"),
    "weeks": noop("weeks"),
    "ratio": noop("plain number"),
}
BETTER_WORDS: dict[Better, str] = {
    "higher": noop("higher is better"),
    "lower": noop("lower is better"),
    "neither": noop("neither good nor bad"),
}
# SQLAlchemy's DateTime is no Date and BigInteger is an Integer, so the order does not matter
_KIND_WORDS: tuple[tuple[type[Any], str], ...] = (
    (Boolean, noop("yes or no")),
    (Integer, noop("whole number")),
    (Numeric, noop("decimal number")),
    (DateTime, noop("moment")),
    (Date, noop("day")),
)
_TEXT_WORD = noop("text")

ROOM_TITLES: dict[str, str] = {
    "executive_kpis": noop("Executive KPIs"),
    "segmentation": noop("Segmentation"),
    "audience": noop("Segments and tests"),
    "profitability": noop("Profitability"),
    "lifetime_value": noop("Lifetime value"),
    "retention": noop("Retention"),
    "campaign_roi": noop("Campaign ROI"),
    "pipeline": noop("Pipeline"),
    "customer_360": noop("Customer"),
    "data_import": noop("Data"),
    "demo": noop("What is true in this demo"),
}

TERMS: tuple[tuple[str, str], ...] = (
    (
        noop("Purchase"),
        noop(
            "An order that was not cancelled and has at least one line with positive quantity that is no gift. The purchase "
            "models count one purchase per customer and business day. Returns and cancellations never add or remove a "
            "purchase. An order whose status says that it was returned stays a purchase, and its net revenue is 0. Orders worth "
            "zero count, unless the mapping of the file says that they are gifts."
        ),
    ),
    (
        noop("Net revenue"),
        noop(
            "The net amounts of all order lines: gross amount less discount as it came. Returns and credit notes lower it "
            "on their own day, cancelled orders count 0. Amounts are kept as they came and rounded only where they are "
            "shown."
        ),
    ),
    (
        noop("Gross revenue"),
        noop("The net amounts of the sold lines alone, before returns and credit notes."),
    ),
    (
        noop("Customer unknown"),
        noop(
            "Sales without a customer. They are in revenue and in no customer count, and stand as “customer unknown” "
            "wherever revenue is split by customer."
        ),
    ),
    (
        noop("Period"),
        noop(
            "From the first to the last chosen day, both counted. The period before it is as many whole months, or else as "
            "many days, long. A period that the end of the data cuts is compared with as many days. A month, week or quarter that "
            "the period cuts is unfinished: it is drawn dashed; a first one with less than 80% of its days is not drawn."
        ),
    ),
    (
        noop("Target"),
        noop(
            "Targets are set by calendar month, for the company or a region. The target of a period is the sum of those of its "
            "months; of a month that the period cuts, the share of its days that lie in the period. Only where every month that "
            "the period touches has one, and only for metrics whose months add up."
        ),
    ),
    (
        noop("As-of date"),
        noop(
            "The day on which the reader stands: the end of the period unless another day is given. Models see nothing "
            "after it; later data appear only in the hold-out test."
        ),
    ),
    (
        noop("Business day"),
        noop(
            "The calendar day of an order in the data set's own time zone. Every order has one: a row without a day is left out "
            "by the import, which says so."
        ),
    ),
    (
        noop("Order region, home region"),
        noop(
            "An order has the region it was placed in or shipped to; a customer has the region of the home. The region "
            "filter means the order's region."
        ),
    ),
    (
        noop("New and returning customer"),
        noop(
            "New: the first purchase over all dates, whatever else is filtered, lies in the period. Returning: it lies "
            "before the period. A customer who came earlier is not new because the period starts later."
        ),
    ),
    (
        noop("Deal"),
        noop(
            "An opportunity of the CRM: open, or closed, which is won or lost; a reopened deal is open again. Today it stands as its own "
            "row says, on a past day as its history says. Its region is its own, else its owner's, and the region filter means "
            "that one under Sales. A deal whose day of creation is unknown stays in, whatever the period; one whose value is unknown "
            "counts and is in no sum."
        ),
    ),
    (
        noop("Lead, qualified lead"),
        noop(
            "A lead is somebody who may become a customer. It is qualified if it is marked so or converted, has a day of either, or "
            "brought a deal; it is converted on the day on which it became a customer."
        ),
    ),
)

# Headings of the tables and how their values are shown
COLUMNS: dict[str, tuple[str, Literal["text", "flag"]]] = {
    "room": (noop("Page"), "text"),
    "label": (noop("Metric"), "text"),
    "term": (noop("Term"), "text"),
    "means": (noop("What it is: numerator, denominator, grain"), "text"),
    "unit": (noop("Unit"), "text"),
    "better": (noop("Direction"), "text"),
    "source": (noop("Source"), "text"),
    "metric": (noop("Name in tables"), "text"),
    "table": (noop("Table"), "text"),
    "column": (noop("Column"), "text"),
    "meaning": (noop("Meaning"), "text"),
    "kind": (noop("Kind of value"), "text"),
    "is_key": (noop("Key"), "flag"),
    "is_required": (noop("Always known"), "flag"),
    "table_meaning": (noop("One row of the table"), "text"),
}

IDENTIFIERS = ["metric", "table", "column"]  # the same in every language

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def metric_definitions() -> pd.DataFrame:
    """Return one row per room and metric: room, metric, label, unit, better, means, source; in the order of the declarations."""
    rows = [
        (ROOM_TITLES[name], metric.name, metric.label, UNIT_WORDS[metric.unit], BETTER_WORDS[metric.better], metric.means, metric.source)
        for name in rooms.ROOM_NAMES
        for metric in declared_metrics(name)
    ]
    return pd.DataFrame(rows, columns=["room", "metric", "label", "unit", "better", "means", "source"])


def declared_metrics(room_name: str) -> tuple[Metric, ...]:
    """Return the metrics that a room declares; none for this room, which declares nothing."""
    metrics: tuple[Metric, ...] = getattr(rooms.room(room_name), "METRICS", ())
    return metrics


def terms() -> pd.DataFrame:
    """Return one row per term that every room uses: term, meaning."""
    return pd.DataFrame(TERMS, columns=["term", "meaning"])


def data_dictionary() -> pd.DataFrame:
    """Return one row per table and column of the database: table, table_meaning, column, kind, is_key, is_required, meaning."""
    captions = table_captions()
    rows = [
        (table.name, captions[table.name], column.name, kind_word(column.type), column.primary_key, not column.nullable, column.doc)
        for table in schema.metadata.sorted_tables
        for column in table.columns
    ]
    frame = pd.DataFrame(rows, columns=["table", "table_meaning", "column", "kind", "is_key", "is_required", "meaning"])
    places = {name: place for place, name in enumerate(captions)}
    return frame.sort_values("table", key=lambda names: names.map(places), kind="stable", ignore_index=True)


@cache
def table_captions() -> dict[str, str]:
    """Return what one row of each table is, in the order of schema.py: the text that stands under the table's declaration."""
    body = ast.parse(inspect.getsource(schema)).body
    captions: dict[str, str] = {}
    for declared, below in pairwise(body):
        if isinstance(declared, ast.Assign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            name = ast.unparse(declared.targets[0])
            captions[name] = inspect.cleandoc(str(below.value.value))
    return captions


def kind_word(kind: TypeEngine[Any]) -> str:
    """Return what a column holds, in an English word.

    >>> kind_word(Numeric(18, 4))
    'decimal number'
    """
    return next((word for one, word in _KIND_WORDS if isinstance(kind, one)), _TEXT_WORD)


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with its English texts in the reader's language; identifiers, which have no translation, stay."""
    shown = frame.copy()
    for name in frame.select_dtypes(include=["object", "str"]).columns.difference(IDENTIFIERS):
        shown[name] = [t(text) if text else text for text in frame[name]]
    return shown


def by_heading(frame: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the metrics under their rooms, or the terms under themselves: heading and Markdown paragraphs, in order."""
    if "term" in frame:
        return [(term, [meaning]) for term, meaning in zip(frame["term"], frame["meaning"], strict=True)]
    return [(str(room), [_metric_paragraph(row) for _, row in rows.iterrows()]) for room, rows in frame.groupby("room", sort=False)]


def _metric_paragraph(row: pd.Series) -> str:
    source = f"  \n*{row['source']}*" if row["source"] else ""
    return f"**{row['label']}** · `{row['metric']}` · {row['unit']} · {row['better']}  \n{row['means']}{source}"


def readme_table() -> str:
    """Return the metrics as a Markdown table, the block between the `<!-- metrics -->` markers of README.md."""
    head = ["| Room | Metric | Unit | What it is | Source |", "| --- | --- | --- | --- | --- |"]
    rows = [
        "| " + " | ".join(_cell(text) for text in (row.room, row.label, row.unit, row.means, row.source)) + " |"
        for row in metric_definitions().itertuples(index=False)
    ]
    return "\n".join(head + rows)


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def metrics_table(_source: Source, _filters: Filters) -> pd.DataFrame:
    """Return the definitions of all metrics; they are the same for every data set."""
    return metric_definitions()


def terms_table(_source: Source, _filters: Filters) -> pd.DataFrame:
    """Return the definitions of the terms; they are the same for every data set."""
    return terms()


def columns_table(_source: Source, _filters: Filters) -> pd.DataFrame:
    """Return the data dictionary; it is the same for every data set."""
    return data_dictionary()


TABLES: dict[str, rooms.Table] = {"metrics": metrics_table, "terms": terms_table, "columns": columns_table}
