"""Makes lines that never were text, a demo's, into a checked file: loaded, fingerprinted and taken back like any other."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table

from crm_metrics.data_import import settings
from crm_metrics.data_import.check import LINES, Checked
from crm_metrics.data_import.load import CheckedFile
from crm_metrics.data_import.mapping import Mapping, from_dict, mapping_hash
from crm_metrics.data_import.raw_table import RawTable
from crm_metrics.data_import.rejections import REJECTED
from crm_metrics.data_import.row_hash import as_hex, row_hashes

_COLUMNS = {
    "order": "order_id",
    "customer": "customer_id",
    "date": "ordered_at",
    "quantity": "quantity",
    "amount": "net_amount",
    "product": "product_id",
    "order_region": "order_region",
    "sales_channel": "sales_channel",
}
_CONTENT = {  # what makes a row the same sale, as check_rows names it, beside the net amount
    "customer": "customer_id",
    "ordered_at": "ordered_at",
    "product": "product_id",
    "quantity": "quantity",
    "currency": "currency",
    "unit_price": "unit_price",
    "gross_amount": "gross_amount",
    "order": "order_id",
    "line_kind": "line_kind",
}


def made_mapping(name: str, title: str, *, currency: str, time_zone: str) -> Mapping:
    """Return the mapping of lines that are made and not read: the columns as check.LINES names them, amounts in one currency."""
    written = {"name": name, "title": title, "columns": _COLUMNS}
    return from_dict({**written, "dates": {"time_zone": time_zone}, "money": {"currency": currency, "reporting": currency}}, name)


def made_file(
    name: str,
    content_hash: str,
    lines: pa.Table,
    mapping: Mapping,
    *,
    tables: dict[Table, pa.Table] | None = None,
    imported_at: datetime | None = None,
) -> CheckedFile:
    """Return order lines that are made and not read as a checked file, to load as any other.

    content_hash: what decides the lines, hashed. lines: columns of check.LINES, those that are left out being empty, and those of
    order_records; row_number is 1, 2, … and row_hash that of a file with the same content. mapping: as of `made_mapping`.
    """
    whole = _whole_lines(lines)
    raw = RawTable(name, whole, whole["row_number"].combine_chunks(), content_hash=content_hash)
    checked = Checked(whole, REJECTED.empty_table(), mapping, mapping.money.reporting)
    return CheckedFile(raw, checked, settings.resolved(checked), mapping_hash(mapping), tables or {}, imported_at)


def _whole_lines(lines: pa.Table) -> pa.Table:
    """Return the lines with every column of check.LINES, in its order, and any others after them."""
    count = lines.num_rows
    given = dict(zip(lines.column_names, lines.columns, strict=True))
    given["row_number"] = pa.array(range(1, count + 1), pa.int64())
    whole = pa.table([given.pop(kind.name, pa.nulls(count, kind.type)) for kind in LINES], names=LINES.names).cast(LINES)
    content = {name: whole[column].combine_chunks() for name, column in _CONTENT.items()} | {"net_amount": _written_net(whole)}
    whole = whole.set_column(LINES.get_field_index("row_hash"), "row_hash", as_hex(row_hashes(content, count)))
    for name, values in given.items():
        whole = whole.append_column(name, values)
    return whole


def _written_net(lines: pa.Table) -> pa.Array:
    """Return the net amount as a file writes it: that of a cancelled line is set to nothing only when it is read."""
    net = lines["net_amount"]
    before_discount = pc.coalesce(lines["gross_amount"], net)
    written = pc.subtract(before_discount, pc.fill_null(lines["discount_amount"], 0)).cast(net.type)
    return pc.if_else(pc.equal(lines["line_kind"], "cancelled"), written, net).combine_chunks()
