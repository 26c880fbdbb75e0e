"""Who moved from which segment to which between two days.

The cut points of the later day serve both, so that people move and not the yardstick. Orders only add up, so the frequency of a customer
never falls: whoever moves down has been silent for longer.
"""

from datetime import date

import numpy as np
import pandas as pd

from crm_metrics.purchase_model.groups import Integers
from crm_metrics.segmentation.rfm import SEGMENT_NAMES

NOT_YET = "not_yet"
"""Where those come from whose first purchase came after the earlier day."""
_FROM = (*SEGMENT_NAMES, NOT_YET)


def origins(before: pd.DataFrame, after: pd.DataFrame) -> Integers:
    """Return the place in SEGMENTS where each customer of `after` stood on the earlier day; the place after the last: not yet there.

    before, after: customer_number (rising), segment. Whoever bought up to the earlier day did so up to the later one.
    """
    places = np.full(len(after), len(SEGMENT_NAMES))
    places[np.searchsorted(after["customer_number"].to_numpy(), before["customer_number"].to_numpy())] = before["segment"].to_numpy()
    return places


def movement_rows(places: Integers, after: pd.DataFrame) -> pd.DataFrame:
    """Return one row per segment of the earlier and the later day with customers, in the order of SEGMENTS, not_yet last.

    places: see `origins`. after: segment, recent_revenue. Columns: from_segment, to_segment, customers, share_of_from, net_revenue
    (between the two days).
    """
    size = len(SEGMENT_NAMES)
    cell = places * size + after["segment"].to_numpy()
    customers = np.bincount(cell, minlength=(size + 1) * size)
    revenue = np.bincount(cell, weights=after["recent_revenue"].to_numpy(), minlength=len(customers))
    of_from = np.repeat(customers.reshape(-1, size).sum(axis=1), size)
    rows = np.flatnonzero(customers)
    return pd.DataFrame(
        {
            "from_segment": np.array(_FROM, dtype=object)[rows // size],
            "to_segment": np.array(SEGMENT_NAMES, dtype=object)[rows % size],
            "customers": customers[rows],
            "share_of_from": customers[rows] / of_from[rows],
            "net_revenue": revenue[rows],
        }
    )


def movement_totals(places: Integers, after: pd.DataFrame, *, from_on: date, as_of: date) -> pd.DataFrame:
    """Return one row: from_on, as_of, customers_before, customers_after, not_yet, up, down, stayed, by the order of SEGMENTS."""
    to = after["segment"].to_numpy()
    was_there = places < len(SEGMENT_NAMES)
    row = {
        "from_on": pd.Timestamp(from_on),
        "as_of": pd.Timestamp(as_of),
        "customers_before": int(was_there.sum()),
        "customers_after": len(after),
        "not_yet": int((~was_there).sum()),
        "up": int((was_there & (to < places)).sum()),
        "down": int((was_there & (to > places)).sum()),
        "stayed": int((to == places).sum()),
    }
    return pd.DataFrame([row])
