"""What the app itself writes: saved segments, planned campaigns, targets a reader edited, decisions, settings.

It lives beside the data set, not in it: a SQLite file for DuckDB, the same schema on PostgreSQL. So imports and undo leave it alone,
and a reader who sets a target changes no fact. Reading never creates anything; the first write creates the tables.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from sqlalchemy import (
    DDL,
    Connection,
    Double,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)

from crm_metrics.database import DataSet, make_schema, retried, workspace_engine, workspace_path
from crm_metrics.metric import BadInput, is_unknown
from crm_metrics.randomised_test.plan import Baseline, Design
from crm_metrics.segments.known import UNKNOWN
from crm_metrics.segments.rule import Rule, rule_text
from crm_metrics.workspace_tables import (
    campaign_table,
    decisions,
    edited_targets,
    forecast_table,
    member_table,
    metadata,
    saved_segments,
    settings,
)

T = TypeVar("T")
WHOLE_COMPANY = ""  # the region of a target that is for all regions together
_VERSION = "workspace_version"
MOST_SIGNS = 500  # of what was decided
MOST_LETTERS = 60  # of the name of a segment or campaign: it stands in the filter bar and in addresses


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


def planned_campaigns(data_set: DataSet) -> pd.DataFrame:
    """Return the planned campaigns in order of saving: the columns of the table planned_campaigns, strata as a tuple."""
    there = _column_names(data_set, campaign_table)
    known = [column for column in campaign_table.c if column.name in there]
    rows = _rows(data_set, campaign_table, select(*known).order_by(campaign_table.c.campaign_id)) if known else []
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in known]).reindex(columns=campaign_table.c.keys())
    shares = [column.name for column in campaign_table.c if isinstance(column.type, Double)]
    kinds = dict.fromkeys(shares, "float64") | dict.fromkeys(["as_of_on", "made_at"], "datetime64[us]")
    frame["strata"] = frame["strata"].map(lambda names: tuple(json.loads(names)))
    return frame.astype(kinds)


def planned_members(data_set: DataSet, campaign_id: int) -> pd.DataFrame:
    """Return the customers of a planned campaign: customer_id, stratum, arm, sorted by the bytes of customer_id; empty if there is none."""
    columns = member_table.c
    query = select(columns.customer_id, columns.stratum, columns.arm).where(columns.campaign_id == campaign_id)
    frame = pd.DataFrame([tuple(row) for row in _rows(data_set, member_table, query)], columns=["customer_id", "stratum", "arm"])
    return frame.astype("str").sort_values("customer_id", ignore_index=True)


def read_decisions(data_set: DataSet) -> pd.DataFrame:
    """Return the decisions in order of writing: decision_id and the columns of Decision."""
    columns = [decisions.c[name] for name in ("decision_id", *Decision._fields)]
    rows = _rows(data_set, decisions, select(*columns).order_by(decisions.c.decision_id))
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in columns])
    days = dict.fromkeys(["decided_on", "review_on"], "datetime64[us]")
    return frame.astype(days | dict.fromkeys(["value_then", "value_expected"], "float64"))


def kept_forecasts(data_set: DataSet) -> pd.DataFrame:
    """Return the kept forecasts in order of keeping: forecast_id and the columns of KeptForecast and made_at."""
    columns = list(forecast_table.c)
    rows = _rows(data_set, forecast_table, select(*columns).order_by(forecast_table.c.forecast_id))
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in columns])
    numbers = [column.name for column in columns if column.name.endswith("_value") or isinstance(column.type, Double)]
    return frame.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(["made_on", "quarter_on", "made_at"], "datetime64[us]"))


def _rows(data_set: DataSet, table: Table, query: Any) -> list[Any]:
    if data_set.is_duckdb and not workspace_path(data_set).exists():
        return []

    def read(connection: Connection) -> list[Any]:
        return list(connection.execute(query).all()) if inspect(connection).has_table(table.name) else []

    return _in_transaction(data_set, read)


def _column_names(data_set: DataSet, table: Table) -> set[str]:
    """Return the columns that a table has: one that an earlier program wrote lacks the newer ones until the next write."""
    if data_set.is_duckdb and not workspace_path(data_set).exists():
        return set()
    return _in_transaction(data_set, lambda connection: _columns_of(connection, table))


def _columns_of(connection: Connection, table: Table) -> set[str]:
    found = inspect(connection)
    return {column["name"] for column in found.get_columns(table.name)} if found.has_table(table.name) else set()


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
        for month_on in months_on:
            same = (columns.metric == metric, columns.month_on == month_on, columns.region == region)
            connection.execute(delete(edited_targets).where(*same))
            connection.execute(insert(edited_targets).values(metric=metric, month_on=month_on, region=region, target_value=target_value))

    _changed(data_set, write)


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
    name = _checked_name(name)
    columns, written = saved_segments.c, rule_text(rule)

    def write(connection: Connection) -> None:
        same = connection.execute(select(columns.segment_rule).where(columns.segment_name == name)).scalar()
        if same is not None and not replaces and same != written:
            raise BadInput("There is a segment {name!r} already. Choose another name, or replace it.", name=name)
        connection.execute(delete(saved_segments).where(columns.segment_name == name))
        number = (connection.execute(select(func.max(columns.segment_id))).scalar() or 0) + 1
        row = {"segment_id": number, "segment_name": name, "segment_rule": written, "saved_at": datetime.now(UTC).replace(tzinfo=None)}
        connection.execute(insert(saved_segments).values(**row, **origin._asdict()))

    _changed(data_set, write)


def delete_segment(data_set: DataSet, name: str) -> None:
    """Take the saved segment of that name away; nothing happens where there is none."""
    _changed(data_set, lambda connection: connection.execute(delete(saved_segments).where(saved_segments.c.segment_name == name)))


class Decision(NamedTuple):
    """What was decided, and what should come of it by when: the columns of decisions of the same names."""

    decided_on: date
    decided_in: str
    decision_text: str
    decided_by: str
    data_version: int
    metric: str
    value_then: float
    value_expected: float
    review_on: date


def write_decision(data_set: DataSet, decision: Decision) -> None:
    """Write a decision down. Raises BadInput if it says nothing or too much, or is to be looked at on no later day."""
    text_written = decision.decision_text.strip()
    if not text_written or len(text_written) > MOST_SIGNS:
        raise BadInput("The decision has {n} letters. Write 1 to {most}.", n=len(text_written), most=MOST_SIGNS)
    if decision.review_on <= decision.decided_on:
        raise BadInput(
            "The decision is of {decided} and to be looked at on {review}. Choose a later day.",
            decided=decision.decided_on,
            review=decision.review_on,
        )
    values = {name: None if is_unknown(value) else value for name, value in decision._asdict().items()}
    written_at = datetime.now(UTC).replace(tzinfo=None)

    def write(connection: Connection) -> None:
        if connection.execute(select(decisions.c.decision_id).where(decisions.c.written_at == written_at)).first():
            return  # written before the answer was cut off
        number = (connection.execute(select(func.max(decisions.c.decision_id))).scalar() or 0) + 1
        row = values | {"decision_id": number, "decision_text": text_written, "written_at": written_at}
        connection.execute(insert(decisions).values(**row))

    _changed(data_set, write)


def delete_decision(data_set: DataSet, decision_id: int) -> None:
    """Take a decision away; nothing happens where there is none."""
    _changed(data_set, lambda connection: connection.execute(delete(decisions).where(decisions.c.decision_id == decision_id)))


class KeptForecast(NamedTuple):
    """What was forecast, of which deals, with what was known on which day: the columns of kept_forecasts of the same names."""

    made_on: date
    quarter_on: date
    choice: str
    method: str
    mean_value: float
    median_value: float
    low_value: float
    high_value: float
    quota_value: float
    chance_of_quota: float
    data_version: int


def keep_forecast(data_set: DataSet, forecast: KeptForecast) -> None:
    """Keep a forecast; nothing happens where one of the same day, quarter and choice is kept: what was said stays as it is."""
    columns = forecast_table.c
    values = {name: None if is_unknown(value) else value for name, value in forecast._asdict().items()}

    def write(connection: Connection) -> None:
        same = [columns[name] == values[name] for name in ("made_on", "quarter_on", "choice", "method")]
        if connection.execute(select(columns.forecast_id).where(*same)).first():
            return
        number = (connection.execute(select(func.max(columns.forecast_id))).scalar() or 0) + 1
        made_at = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(insert(forecast_table).values(forecast_id=number, made_at=made_at, **values))

    _changed(data_set, write)


class Expectation(NamedTuple):
    """What a planned campaign was expected to bring when it was saved: the columns of planned_campaigns of the same names."""

    expected_lift: float
    lift_spread: float
    fixed_cost: float
    contact_cost: float
    margin_share: float
    spend_mean: float
    expected_profit: float
    profit_low: float
    profit_high: float
    chance_of_profit: float


class CampaignPlan(NamedTuple):
    """A test as planned: on whom, drawn how, and what lift of which outcome it is to find.

    segment_name, segment_rule (JSON): whose customers; empty for all. as_of_on, data_version: when and from which data they were chosen.
    seed, strata: of the split. outcome: what is measured per customer, horizon_days: on how many days. lift: relative to the baseline.
    expected: None where no more than the test was planned.
    """

    segment_name: str
    segment_rule: str
    as_of_on: date
    data_version: int
    seed: int
    strata: tuple[str, ...]
    outcome: str
    horizon_days: int
    baseline: Baseline
    design: Design
    lift: float
    expected: Expectation | None = None

    def row(self) -> dict[str, Any]:
        """Return it by the columns of the table planned_campaigns; what is not a number is unknown."""
        values = self._asdict()
        baseline, design, expected = values.pop("baseline"), values.pop("design"), values.pop("expected")
        values |= {name: None if is_unknown(value) else value for name, value in expected._asdict().items()} if expected else {}
        values |= {"strata": json.dumps(self.strata), "baseline_mean": baseline.mean, "baseline_deviation": baseline.standard_deviation}
        return values | {"share_control": design.share_control, "alpha": design.alpha, "power": design.power}


def save_planned_campaign(data_set: DataSet, name: str, plan: CampaignPlan, members: pd.DataFrame) -> int:
    """Save a plan with its members (customer_id, stratum, arm) and return its campaign_id.

    Raises BadInput if the name is empty or too long, or if a planned campaign has it: what was drawn by lot is not drawn again.
    """
    name = _checked_name(name)
    made_at = datetime.now(UTC).replace(tzinfo=None)
    arms, columns = members["arm"].value_counts(), campaign_table.c
    counts = {f"{arm}_customers": int(arms.get(arm, 0)) for arm in ("treated", "control")}

    def write(connection: Connection) -> int:
        same = connection.execute(select(columns.campaign_id, columns.made_at).where(columns.campaign_name == name)).first()
        if same and same.made_at == made_at:
            return int(same.campaign_id)  # written before the answer was cut off
        if same:
            raise BadInput("There is a planned campaign {name!r} already. Choose another name.", name=name)
        number = (connection.execute(select(func.max(columns.campaign_id))).scalar() or 0) + 1
        connection.execute(insert(campaign_table).values(campaign_id=number, campaign_name=name, made_at=made_at, **plan.row(), **counts))
        rows = members[["customer_id", "stratum", "arm"]].assign(campaign_id=number)
        connection.execute(insert(member_table), rows.to_dict("records"))  # type: ignore[arg-type]  # every name of a column is a text
        return number

    return _changed(data_set, write)


def delete_planned_campaign(data_set: DataSet, campaign_id: int) -> None:
    """Take a planned campaign and its members away; nothing happens where there is none."""

    def write(connection: Connection) -> None:
        for table in (member_table, campaign_table):
            connection.execute(delete(table).where(table.c.campaign_id == campaign_id))

    _changed(data_set, write)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MOST_LETTERS or name == UNKNOWN:
        raise BadInput("The name {name!r} can't be used. Write 1 to {most} letters.", name=name[:100], most=MOST_LETTERS)
    return name


def _changed(data_set: DataSet, change: Callable[[Connection], T]) -> T:
    """Return `change(connection)` of one transaction that also makes what is missing of the tables and raises the version."""

    def write(connection: Connection) -> T:
        _prepare(connection, data_set)
        answer = change(connection)
        _raise_version(connection)
        return answer

    return _in_transaction(data_set, write)


def _in_transaction(data_set: DataSet, action: Callable[[Connection], T]) -> T:
    """Return `action(connection)` of one transaction, on PostgreSQL tried again while the server restarts.

    A transaction that was cut off may have been committed: an action has to be right if it is done twice.
    """

    def once() -> T:
        with workspace_engine(data_set).begin() as connection:
            return action(connection)

    return once() if data_set.is_duckdb else retried(once)


def _prepare(connection: Connection, data_set: DataSet) -> None:
    """Make what is missing of the tables. Writers take turns: two would else make them, or the same number, at the same time."""
    if data_set.is_duckdb:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"crm_metrics workspace {data_set.name}"})
        make_schema(connection, data_set.name)
    metadata.create_all(connection)
    for table in metadata.tables.values():
        for name in set(table.c.keys()) - _columns_of(connection, table):
            kind = table.c[name].type.compile(connection.dialect)
            connection.execute(DDL(f'ALTER TABLE {table.name} ADD COLUMN "{name}" {kind}'))


def _raise_version(connection: Connection) -> None:
    stored = connection.execute(select(settings.c.setting_value).where(settings.c.setting == _VERSION)).scalar()
    if stored is None:
        connection.execute(insert(settings).values(setting=_VERSION, setting_value="1"))
    else:
        connection.execute(update(settings).where(settings.c.setting == _VERSION).values(setting_value=str(int(stored) + 1)))
