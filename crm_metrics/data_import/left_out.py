"""The rows of a file that were not loaded: why, and what they were."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import.duplicates import HELD, KEY_CONFLICT, KEY_REPEATED, KEY_TWICE, ORDER_CONFLICT
from crm_metrics.language import noop, t

DUPLICATE, QUARANTINED = "duplicate", "quarantined"
REASONS = {
    HELD: noop("Batch {batch} already holds this row."),
    KEY_REPEATED: noop("The same row with the same key stands already in row {other_row}."),
    KEY_TWICE: noop("Key {key!r} stands also in row {other_row}, with other content. Give each row a key of its own."),
    KEY_CONFLICT: noop("Batch {batch} holds key {key!r} with other content. Correct the row, or undo that batch first."),
    ORDER_CONFLICT: noop(
        "Batch {batch} holds order {order!r} with another customer or another business day. Correct the row, or undo that batch first."
    ),
}
"""Reasons that come from comparing with what is loaded; all others come from the row itself."""
CONTRADICTIONS = tuple(REASONS[verdict] for verdict in (KEY_TWICE, KEY_CONFLICT, ORDER_CONFLICT))
SCHEMA = pa.schema(
    [
        ("row_number", pa.int64()),
        ("left_out_as", pa.string()),
        ("reason", pa.string()),
        ("reason_values", pa.string()),
        ("column_name", pa.string()),
        ("row_amount", pa.decimal128(18, 4)),
        ("row_hash", pa.string()),
        ("row_key", pa.string()),
        ("raw", pa.string()),
    ]
)


def reason_values(stored: str | None) -> dict[str, Any]:
    """Return the values of a reason's template."""
    values: dict[str, Any] = json.loads(stored) if stored else {}
    return values


def from_verdicts(lines: pa.Table, verdicts: pa.Table) -> pa.Table:
    """Return the lines that a verdict leaves out, as SCHEMA, without their raw cells. verdicts: as of duplicates.verdicts."""
    left = lines.select(["row_number", "row_hash", "row_key", "order_id", "net_amount"])
    joined = left.join(verdicts, "row_number", join_type="inner").sort_by("row_number")
    kinds = joined["verdict"]
    is_duplicate = pc.is_in(kinds, value_set=pa.array([HELD, KEY_REPEATED]))
    names = list(REASONS)
    columns = {
        "row_number": joined["row_number"],
        "left_out_as": pc.if_else(is_duplicate, DUPLICATE, QUARANTINED),
        "reason": pa.array([REASONS[name] for name in names]).take(pc.index_in(kinds, value_set=pa.array(names))),
        "reason_values": _values(joined),
        "column_name": pa.nulls(joined.num_rows, pa.string()),
        "row_amount": joined["net_amount"],
        "row_hash": joined["row_hash"],
        "row_key": joined["row_key"],
        "raw": pa.nulls(joined.num_rows, pa.string()),
    }
    return pa.table(columns).cast(SCHEMA)


def _values(joined: pa.Table) -> pa.Array:
    """Return the template values of each row, JSON: for the many that are simply held as one vector, for the few others row by row."""
    batch = pc.coalesce(pc.cast(joined["batch_id"], pa.string()), "null")
    held = pc.binary_join_element_wise('{"batch": ', batch, "}", "")
    others = np.flatnonzero(pc.not_equal(joined["verdict"], HELD).to_numpy())
    if not len(others):
        return held
    rows = joined.take(pa.array(others)).to_pylist()
    texts = held.to_numpy(zero_copy_only=False).astype(object)
    texts[others] = [_conflict_values(row) for row in rows]
    return pa.array(texts, pa.string())


def _conflict_values(row: dict[str, Any]) -> str:
    key = " / ".join((row["row_key"] or "").split("\x1f"))  # of several columns
    values = {"batch": row["batch_id"], "other_row": row["other_row"], "key": key or None, "order": row["order_id"]}
    return json.dumps({name: value for name, value in values.items() if value is not None}, ensure_ascii=False)


def divided(lines: pa.Table, verdicts: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the lines to load, and those that a verdict leaves out."""
    if not verdicts.num_rows:
        return lines, lines.slice(0, 0)
    is_out = pc.is_in(lines["row_number"], value_set=verdicts["row_number"].combine_chunks())
    return lines.filter(pc.invert(is_out)), lines.filter(is_out)


def with_raw(rows: pa.Table, cells: pa.Table) -> pa.Table:
    """Return rows of SCHEMA with their raw cells. cells: row_number and raw, one row for each of `rows` at least."""
    found = cells["raw"].take(pc.index_in(rows["row_number"], value_set=cells["row_number"]))
    return rows.set_column(rows.schema.get_field_index("raw"), "raw", found)


def from_rejected(rejected: pa.Table) -> pa.Table:
    """Return rows that can't be right, as SCHEMA. rejected: as of check.check_rows."""
    told = [json.loads(reason) for reason in rejected["reason"].to_pylist()]
    columns = {
        "row_number": rejected["row_number"],
        "left_out_as": pa.array([QUARANTINED] * len(told), pa.string()),
        "reason": pa.array([reason["text"] for reason in told], pa.string()),
        "reason_values": pa.array([json.dumps(reason["values"], ensure_ascii=False) for reason in told], pa.string()),
        "column_name": rejected["column"],
        "row_amount": rejected["money"],
        "row_hash": rejected["row_hash"],
        "row_key": pa.nulls(len(told), pa.string()),
        "raw": rejected["raw"],
    }
    return pa.table(columns).cast(SCHEMA)


def with_reason_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `import_left_out` with their reason as one sentence in the current language, its values filled in."""
    sentences = [t(reason, **reason_values(stored)) for reason, stored in zip(rows["reason"], rows["reason_values"], strict=True)]
    return rows.assign(reason=sentences).drop(columns=["reason_values"])
