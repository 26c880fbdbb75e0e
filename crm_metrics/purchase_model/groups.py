"""Customers with one purchase history merged into one weighted row."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_metrics.purchase_model.model import DAYS_PER_WEEK

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Above this, exact days give hundreds of thousands of rows; weekly cells with their mean recency and age move the parameters by
# less than .2%. Floored weeks would not do: CDNOW's b becomes 2.298 in place of 2.426.
CELLS_ABOVE_CUSTOMERS = 100_000


class Groups(NamedTuple):
    """Groups of customers. frame: one row per group: frequency, recency_days, age_days, customers. group: of each customer, by position."""

    frame: pd.DataFrame
    group: Integers


class History(NamedTuple):
    """Weighted histories in weeks, ready for a likelihood; arrays of equal length, but for the last three.

    frequency: repeat purchase days; recency: age at the last purchase; age; weight: customers.
    distinct: the distinct frequencies; position: of each row in `distinct`; weight_of: customers per distinct frequency.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    weight: Floats
    distinct: Floats
    position: Integers
    weight_of: Floats

    @property
    def customers(self) -> float:
        """Return the sum of weights."""
        return float(self.weight.sum())


def grouped(summary: pd.DataFrame) -> pd.DataFrame:
    """Return one row per distinct purchase history: frequency, recency_days, age_days, customers; sorted.

    Exact days; above CELLS_ABOVE_CUSTOMERS customers weekly cells that carry their mean recency and age in days.

    >>> grouped(pd.DataFrame({"frequency": [0, 0], "recency_days": [0, 0], "age_days": [9, 9]})).to_dict("records")
    [{'frequency': 0.0, 'recency_days': 0.0, 'age_days': 9.0, 'customers': 2}]
    """
    return customer_groups(summary).frame


def customer_groups(summary: pd.DataFrame, *, cells_above: int = CELLS_ABOVE_CUSTOMERS) -> Groups:
    """Return the groups of `grouped` and the group of each customer; weekly cells above `cells_above` customers."""
    frequency, recency, age = (summary[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency_days", "age_days"))
    width = DAYS_PER_WEEK if len(summary) > cells_above else 0.0
    keys = [_codes(frequency), _codes(_cell(recency, width)), _codes(_cell(age, width))]
    group, size = _codes(_joined(keys))
    customers = np.bincount(group, minlength=size)
    frame = pd.DataFrame(
        {
            "frequency": np.bincount(group, weights=frequency, minlength=size) / customers,
            "recency_days": np.bincount(group, weights=recency, minlength=size) / customers,
            "age_days": np.bincount(group, weights=age, minlength=size) / customers,
            "customers": customers,
        }
    )
    return Groups(frame, group)


def history(frame: pd.DataFrame) -> History:
    """Return the histories of `frame` (frequency, recency_days, age_days, customers) in weeks."""
    frequency = frame["frequency"].to_numpy(dtype=np.float64)
    distinct, position = np.unique(frequency, return_inverse=True)
    weight = frame["customers"].to_numpy(dtype=np.float64)
    return History(
        frequency=frequency,
        recency=frame["recency_days"].to_numpy(dtype=np.float64) / DAYS_PER_WEEK,
        age=frame["age_days"].to_numpy(dtype=np.float64) / DAYS_PER_WEEK,
        weight=weight,
        distinct=distinct,
        position=position,
        weight_of=total_weights(position, weight, size=len(distinct)),
    )


def reweighted(base: History, weight: Floats) -> History:
    """Return `base` with other weights, without the rows of weight zero."""
    kept = weight > 0
    position = base.position[kept]
    return History(
        frequency=base.frequency[kept],
        recency=base.recency[kept],
        age=base.age[kept],
        weight=weight[kept],
        distinct=base.distinct,
        position=position,
        weight_of=total_weights(position, weight[kept], size=len(base.distinct)),
    )


def total_weights(position: Integers, weight: Floats, *, size: int) -> Floats:
    """Return the sum of `weight` at each position from 0 to `size` - 1.

    >>> total_weights(np.array([0, 2, 2]), np.array([1.0, 2.0, 3.0]), size=4).tolist()
    [1.0, 0.0, 5.0, 0.0]
    """
    return np.asarray(np.bincount(position, weights=weight, minlength=size), dtype=np.float64)


def distinct_pairs(first: Floats, second: Floats) -> tuple[Integers, Integers]:
    """Return the position of one example of each distinct pair, and each row's pair."""
    pair, size = _codes(_joined([_codes(first), _codes(second)]))
    example = np.zeros(size, dtype=np.int64)
    example[pair] = np.arange(len(pair))
    return example, pair


def _cell(days: Floats, width: float) -> Floats:
    return np.floor(days / width) if width else days


def _codes(values: Floats | Integers) -> tuple[Integers, int]:
    codes, distinct = pd.factorize(values, sort=True)
    return codes.astype(np.int64), len(distinct)


def _joined(keys: list[tuple[Integers, int]]) -> Integers:
    joined = np.zeros(len(keys[0][0]), dtype=np.int64)
    for codes, size in keys:
        joined = joined * max(size, 1) + codes
    return joined
