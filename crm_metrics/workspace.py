"""What the app itself writes: saved segments, targets a reader edited, decisions, settings.

It lives beside the data set, not in it: a SQLite file for DuckDB, the same schema on PostgreSQL. So imports and undo leave it alone,
and a reader who sets a target changes no fact. Reading never creates anything; the first write creates the tables.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.sql.type_api import TypeEngine

from crm_metrics.database import DataSet, make_schema, retried, workspace_engine, workspace_path
from crm_metrics.metric import BadInput
from crm_metrics.segments.known import UNKNOWN
from crm_metrics.segments.rule import Rule, rule_text

T = TypeVar("T")
metadata = MetaData()
WHOLE_COMPANY = ""  # the region of a target that is for all regions together
_AMOUNT = Numeric(18, 4, asdecimal=False)  # SQLite has no decimals: these are aims, never sums of facts
_VERSION = "workspace_version"
MOST_LETTERS = 60  # of a segment's name: it stands in the filter bar and in addresses


def _column(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any], doc: str, **more: Any) -> Column[Any]:
    return Column(name, kind, doc=doc, **more)


def _key(name: str, doc: str, kind: type[TypeEngine[Any]] = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, doc=doc)


saved_segments = Table(
    "saved_segments",
    metadata,
    _key("segment_id", "1, 2, … in order of saving", Integer),
    _column("segment_name", Text, "name the reader gave it", nullable=False, unique=True),
    _column("made_in", Text, "room it was made in", nullable=False),
    _column("segment_rule", Text, "the rule that chooses its customers, JSON; asked anew each time", nullable=False),
    _column("customer_count", Integer, "customers on the day of saving"),
    _column("as_of_on", Date, "as-of date of the figures it was made from"),
    _column("data_version", Integer, "version of the data set it was made from"),
    _column("saved_at", DateTime, "moment of saving, UTC"),
)
"""One row per segment a reader saved."""

edited_targets = Table(
    "edited_targets",
    metadata,
    _key("metric", "name of the metric"),
    _key("month_on", "first day of the month", Date),
    _key("region", "region the target is for; '' is the whole company"),
    _column("target_value", _AMOUNT, "target in the metric's own unit; empty takes the data set's own target away"),
)
"""One row per metric, month and region a reader edited; wins over `schema.targets`."""

decisions = Table(
    "decisions",
    metadata,
    _key("decision_id", "1, 2, … in order of writing", Integer),
    _column("decided_on", Date, "day of the decision", nullable=False),
    _column("decided_in", Text, "room whose figures it rests on", nullable=False),
    _column("decision_text", Text, "what was decided", nullable=False),
    _column("decided_by", Text, "who decided, as the reader writes it"),
    _column("filters_query", Text, "the filters of that moment, as in the address line"),
    _column("data_version", Integer, "version of the data set the decision rests on"),
    _column("metric", Text, "metric that should move"),
    _column("value_then", _AMOUNT, "value of the metric on that day, in its own unit"),
    _column("value_expected", _AMOUNT, "value expected on the day of review"),
    _column("review_on", Date, "day on which the outcome is to be looked at"),
    _column("outcome_text", Text, "what came of it; empty until reviewed"),
    _column("written_at", DateTime, "moment of writing, UTC"),
)
"""One row per decision, so that its outcome can be looked at later."""

settings = Table(
    "settings",
    metadata,
    _key("setting", "name of the setting; 'workspace_version' grows by one with every write"),
    _column("setting_value", Text, "its value"),
)
"""One row per setting of the app for this data set."""


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def version(data_set: DataSet) -> int:
    """Return the number that grows with every write, for cache keys; 0 while nothing was written."""
    with_version = select(settings.c.setting_value).where(settings.c.setting == _VERSION)
    rows = _rows(data_set, settings, with_version)
    return int(rows[0][0]) if rows else 0


def read_targets(data_set: DataSet) -> pd.DataFrame:
    """Return the targets readers edited: metric, month_on, region, target_value (NaN: taken away); by metric, region and month."""
    columns = edited_targets.c
    query = select(columns.metric, columns.month_on, columns.region, columns.target_value)
    rows = _rows(data_set, edited_targets, query.order_by(columns.metric, columns.region, columns.month_on))
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["metric", "month_on", "region", "target_value"])
    return frame.astype({"metric": "str", "month_on": "datetime64[us]", "region": "str", "target_value": "float64"})


def read_segments(data_set: DataSet) -> pd.DataFrame:
    """Return the saved segments by name: segment_name, segment_rule (JSON), made_in, customer_count and as_of_on of the day of saving."""
    names = ["segment_name", "segment_rule", "made_in", "customer_count", "as_of_on"]
    rows = _rows(data_set, saved_segments, select(*[saved_segments.c[name] for name in names]).order_by(saved_segments.c.segment_name))
    return pd.DataFrame([tuple(row) for row in rows], columns=names)


def _rows(data_set: DataSet, table: Table, query: Any) -> list[Any]:
    if data_set.is_duckdb and not workspace_path(data_set).exists():
        return []

    def read(connection: Connection) -> list[Any]:
        return list(connection.execute(query).all()) if inspect(connection).has_table(table.name) else []

    return _in_transaction(data_set, read)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_targets(
    data_set: DataSet, metric: str, *, months: Iterable[date], target_value: float | None, region: str = WHOLE_COMPANY
) -> None:
    """Set the target of `metric` for each of `months` (any day of the month); None takes it away, the data set's own too.

    Raises BadInput if the target is not a positive number.
    """
    if target_value is not None and not 0 < target_value < float("inf"):
        raise BadInput("The target is {value}. Write a number above 0, or leave it empty for no target.", value=target_value)
    columns = edited_targets.c
    months_on = sorted({month.replace(day=1) for month in months})

    def write(connection: Connection) -> None:
        _prepare(connection, data_set)
        for month_on in months_on:
            same = (columns.metric == metric, columns.month_on == month_on, columns.region == region)
            connection.execute(delete(edited_targets).where(*same))
            connection.execute(insert(edited_targets).values(metric=metric, month_on=month_on, region=region, target_value=target_value))
        _raise_version(connection)

    _in_transaction(data_set, write)


class SegmentOrigin(NamedTuple):
    """Where a saved segment comes from: the room, the as-of date and data version of its figures, and how many customers it had then."""

    made_in: str
    as_of_on: date | None
    data_version: int
    customer_count: int


def save_segment(data_set: DataSet, name: str, rule: Rule, origin: SegmentOrigin, *, replaces: bool = False) -> None:
    """Save a rule under a name.

    Raises BadInput if the name is empty, too long or UNKNOWN, or if a segment has it and it isn't to be replaced.
    """
    name = name.strip()
    if not name or len(name) > MOST_LETTERS or name == UNKNOWN:
        raise BadInput("The name {name!r} can't be used. Write 1 to {most} letters.", name=name[:100], most=MOST_LETTERS)
    columns, written = saved_segments.c, rule_text(rule)

    def write(connection: Connection) -> None:
        _prepare(connection, data_set)
        same = connection.execute(select(columns.segment_rule).where(columns.segment_name == name)).scalar()
        if same is not None and not replaces and same != written:
            raise BadInput("There is a segment {name!r} already. Choose another name, or replace it.", name=name)
        connection.execute(delete(saved_segments).where(columns.segment_name == name))
        number = (connection.execute(select(func.max(columns.segment_id))).scalar() or 0) + 1
        row = {"segment_id": number, "segment_name": name, "segment_rule": written, "saved_at": datetime.now(UTC).replace(tzinfo=None)}
        connection.execute(insert(saved_segments).values(**row, **origin._asdict()))
        _raise_version(connection)

    _in_transaction(data_set, write)


def delete_segment(data_set: DataSet, name: str) -> None:
    """Take the saved segment of that name away; nothing happens where there is none."""

    def write(connection: Connection) -> None:
        _prepare(connection, data_set)
        connection.execute(delete(saved_segments).where(saved_segments.c.segment_name == name))
        _raise_version(connection)

    _in_transaction(data_set, write)


def _in_transaction(data_set: DataSet, action: Callable[[Connection], T]) -> T:
    """Return `action(connection)` of one transaction, on PostgreSQL tried again while the server restarts.

    A transaction that was cut off may have been committed: an action has to be right if it is done twice.
    """

    def once() -> T:
        with workspace_engine(data_set).begin() as connection:
            return action(connection)

    return once() if data_set.is_duckdb else retried(once)


def _prepare(connection: Connection, data_set: DataSet) -> None:
    """Make the tables where they are missing; on PostgreSQL writers take turns, as processes would else make them at the same time."""
    if not data_set.is_duckdb:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"crm_metrics workspace {data_set.name}"})
        make_schema(connection, data_set.name)
    metadata.create_all(connection)


def _raise_version(connection: Connection) -> None:
    stored = connection.execute(select(settings.c.setting_value).where(settings.c.setting == _VERSION)).scalar()
    if stored is None:
        connection.execute(insert(settings).values(setting=_VERSION, setting_value="1"))
    else:
        connection.execute(update(settings).where(settings.c.setting == _VERSION).values(setting_value=str(int(stored) + 1)))
