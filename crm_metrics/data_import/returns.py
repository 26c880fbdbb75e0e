"""Returns lower revenue on their own day: one that comes on another day than its order is an order row of its own.

The name is made from the row alone, never from what is loaded, so that it is the same in every file and in any order of loading.
"""

import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.data_import.mapping import Mapping


def with_own_orders(lines: pa.Table, mapping: Mapping) -> pa.Table:
    """Return the lines with returned ones renamed to 'order/day', unless the file has a sale of that order on that day.

    Credit notes that the mapping knows by their number, and orders that the mapping itself makes of rows or days, keep their name.
    """
    is_return = pc.equal(lines["line_kind"], "return")
    if mapping.orders.id != "column" or not pc.any(is_return).as_py():
        return lines
    if mapping.orders.cancellation_number is not None:
        is_return = pc.and_not(is_return, pc.match_substring_regex(lines["order_id"], mapping.orders.cancellation_number))
    dated = pc.binary_join_element_wise(lines["order_id"], pc.cast(lines["ordered_on"], pa.string()), "/")
    is_own = pc.and_not(is_return, pc.is_in(dated, value_set=pc.unique(dated.filter(pc.invert(is_return)))))
    names = pc.if_else(is_own, dated, lines["order_id"])
    return lines.set_column(lines.schema.get_field_index("order_id"), "order_id", names)
