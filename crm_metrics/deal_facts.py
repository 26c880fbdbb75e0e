"""The fact tables of deals: each deal as it stands, and its changes, made in the transaction that changes what they come from.

They are made anew whole: a million changes take DuckDB half a second.
See docs/decisions/0008-fact-tables.md and docs/decisions/0014-deals-as-they-stood.md.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    and_,
    case,
    cast,
    collate,
    delete,
    func,
    select,
)

from crm_metrics.schema import customers, deal_change_facts, deal_facts, opportunities, opportunity_history, products, stages
from crm_metrics.sql import insert_rows

OPEN = "open"


def rebuild(connection: Connection, *, only_names: bool = False) -> None:
    """Make the facts of deals anew. only_names: neither deals nor their history changed, but perhaps customers and products."""
    has_deals = connection.execute(select(opportunities.c.opportunity_id).limit(1)).first()
    for table, query in ((deal_facts, _deals), *([] if only_names else [(deal_change_facts, _changes)])):
        connection.execute(delete(table))
        if has_deals:
            insert_rows(connection, table, query())


def _deals() -> Select[Any]:
    """One row per deal: the columns of deal_facts."""
    row, told = opportunities.c, _told().cte("told")
    last = opportunity_history.alias("last_change")
    is_last = and_(last.c.opportunity_id == told.c.opportunity_id, last.c.change_number == told.c.last_number)
    stage_now, stage_then = stages.alias("stage_now"), stages.alias("stage_then")
    outcome = case((row.outcome != OPEN, row.outcome), else_=func.coalesce(stage_now.c.outcome, OPEN))
    expected = case((told.c.opportunity_id.is_(None), row.expected_close_on))
    joined = (
        opportunities.outerjoin(told, told.c.opportunity_id == row.opportunity_id)
        .outerjoin(last, is_last)
        .outerjoin(stage_now, stage_now.c.stage == row.stage)
        .outerjoin(stage_then, stage_then.c.stage == last.c.stage)
        .outerjoin(customers, customers.c.customer_id == row.customer_id)
        .outerjoin(products, products.c.product_id == row.product_id)
    )
    own = [column for column in row if column.name in deal_facts.c and column.name not in ("outcome", "closed_on")]
    return (
        select(
            cast(func.row_number().over(order_by=collate(row.opportunity_id, "C")), Integer).label("deal_number"),
            *own,
            outcome.label("outcome"),
            case((outcome != OPEN, func.coalesce(row.closed_on, expected))).label("closed_on"),
            customers.c.customer_name,
            func.coalesce(products.c.product_name, row.product_id).label("product_name"),
            products.c.category,
            func.coalesce(row.segment, customers.c.industry).label("market"),
            told.c.first_changed_on,
            cast(last.c.changed_at, Date).label("last_changed_on"),
            case((last.c.opportunity_id.is_not(None), _outcome(last.c.outcome, stage_then.c.outcome))).label("told_outcome"),
        )
        .select_from(joined)
        .order_by("deal_number")
    )


def _told() -> Select[Any]:
    """One row per deal with a change: opportunity_id, last_number, first_changed_on."""
    row = opportunity_history.c
    first_on = cast(func.min(row.changed_at), Date).label("first_changed_on")
    return select(row.opportunity_id, func.max(row.change_number).label("last_number"), first_on).group_by(row.opportunity_id)


def _outcome(said: ColumnElement[Any], of_stage: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(said, of_stage, OPEN)


def _changes() -> Select[Any]:
    """One row per change of a deal: the columns of deal_change_facts."""
    said, changed_on = opportunity_history.c, cast(opportunity_history.c.changed_at, Date)
    later = func.min(changed_on).over(partition_by=deal_facts.c.deal_number, order_by=said.change_number, rows=(1, None))
    return (
        select(
            deal_facts.c.deal_number,
            said.change_number,
            said.changed_at,
            changed_on.label("changed_on"),
            said.stage,
            _outcome(said.outcome, stages.c.outcome).label("outcome"),
            said.deal_amount,
            said.expected_close_on,
            said.owner_id,
            later.label("superseded_on"),
        )
        .join_from(opportunity_history, deal_facts, deal_facts.c.opportunity_id == said.opportunity_id)
        .outerjoin(stages, stages.c.stage == said.stage)
        .order_by(deal_facts.c.deal_number, said.change_number)
    )
