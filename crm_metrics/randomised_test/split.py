"""Who gets the campaign and who is held back? Drawn by lot within strata, so that both arms are alike in what the strata are made of."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crm_metrics.metric import DASH
from crm_metrics.randomised_test.plan import LEAST_PER_ARM, NOTHING_LOST, check_audience

Arm = Literal["treated", "control"]
OTHER = "(other)"  # the stratum of all strata that are too small to be split
SEPARATOR = " · "
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class Split(NamedTuple):
    """Who is in which arm. members: customer_id, stratum, arm, one row per customer, sorted by the bytes of customer_id.

    merged: the strata too small for LEAST_PER_ARM customers in each arm, which are split together as the stratum OTHER; sorted.
    """

    members: pd.DataFrame
    merged: tuple[str, ...]


def stratified_split(customers: pd.DataFrame, *, strata: Sequence[str], share_control: float, seed: int) -> Split:
    """Return `customers` (customer_id, once each, and the columns named by `strata`) split at random within each combination of these.

    The control arm is `share_control` of all customers, to the nearest customer; each stratum gives its share, rounded by largest
    remainder, equal remainders by lot. The same customers and seed give the same split, whatever the order of rows. An unknown value is
    a value of its own. Raises BadInput if there are too few customers for LEAST_PER_ARM in each arm.
    """
    if not customers["customer_id"].is_unique:
        raise ValueError("customer_id is there more than once")
    check_audience(len(customers), share_control=share_control)
    ordered = customers[["customer_id", *strata]].take(pc.sort_indices(pa.array(customers["customer_id"])).to_numpy())
    code, names = _strata(ordered, strata)
    code, names, merged = _without_small(code, names, share_control)
    random = np.random.default_rng(seed)
    sizes = np.bincount(code, minlength=len(names))
    controls = _controls(sizes, share_control, luck=random.random(len(names)))
    drawn = np.lexsort((random.random(len(code)), code))  # strata one after the other, each in an order by lot
    place = np.arange(len(code)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_control = np.empty(len(code), dtype=bool)
    is_control[drawn] = place < np.repeat(controls, sizes)
    members = pd.DataFrame(
        {
            "customer_id": ordered["customer_id"].array,
            "stratum": pd.array(names, dtype="str").take(code),
            "arm": pd.array(["treated", "control"], dtype="str").take(is_control.astype(np.int64)),
        }
    )
    return Split(members, merged)


def value_strata(values: pd.Series, groups: int) -> pd.Series:
    """Return the band of each value, 1 (lowest) to `groups`, cut at the quantiles: equal values are in one band, unknown ones in none.

    Where many values are equal, as customers who spent nothing, there are fewer bands; they are numbered without gaps.

    >>> value_strata(pd.Series([0.0, 0.0, 0.0, 5.0, 9.0, None]), 3).tolist()
    [1, 1, 1, 2, 3, <NA>]
    """
    known = values.notna().to_numpy()
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)[known]
    bands = np.zeros(len(values), dtype=np.int64)
    if len(numbers):
        cuts = np.quantile(numbers, np.arange(1, groups) / groups, method="inverted_cdf")
        bands[known] = np.unique(np.searchsorted(cuts, numbers, side="left"), return_inverse=True)[1] + 1
    return pd.Series(pd.arrays.IntegerArray(bands, ~known), index=values.index)


def arm_counts(members: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stratum of `members` (stratum, arm), sorted: stratum, customers, treated, control, control_share."""
    counts = members.groupby("stratum")["arm"].value_counts().unstack("arm", fill_value=0)
    counts = counts.reindex(columns=["treated", "control"], fill_value=0).rename_axis(columns=None)
    customers = counts.sum(axis=1)
    counts.insert(0, "customers", customers)
    return counts.assign(control_share=counts["control"] / customers).reset_index()


def balance(members: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return how alike the arms were before the campaign, one row per measure: measure, treated_mean, control_mean, difference.

    members: customer_id, arm. before: customer_id and a column per measure (spend, orders, … before the split); unknown values are left
    out. difference: standardised, treated - control in pooled standard deviations; over .1 either way the arms differ by more than a
    little (Austin 2009, Communications in Statistics 38, 1228-1234). NaN where a measure does not scatter.
    """
    measures = [name for name in before.columns if name != "customer_id"]
    joined = members[["customer_id", "arm"]].merge(before, on="customer_id", validate="one_to_one")
    is_treated = (joined["arm"] == "treated").to_numpy()
    values = joined[measures].astype(float)
    treated, control = values[is_treated], values[~is_treated]
    means = pd.DataFrame({"treated_mean": treated.mean(), "control_mean": control.mean()}, index=measures)
    pooled = np.sqrt((treated.var() + control.var()) / 2)
    difference = (means["treated_mean"] - means["control_mean"]) / pooled.where(pooled > 0)
    return means.assign(difference=difference).rename_axis("measure").reset_index()


def _is_large(sizes: Integers, share_control: float) -> NDArray[np.bool_]:
    """Return whether a stratum of that size has LEAST_PER_ARM customers in each arm, whichever way its remainder is rounded."""
    smaller = sizes * min(share_control, 1 - share_control)
    return np.asarray(smaller >= LEAST_PER_ARM - NOTHING_LOST)


def _strata(customers: pd.DataFrame, strata: Sequence[str]) -> tuple[Integers, list[str]]:
    """Return the stratum of each customer by its place in the names, which are sorted."""
    code = np.zeros(len(customers), dtype=np.int64)
    names = [""]
    for column in strata:
        own, distinct = pd.factorize(customers[column], use_na_sentinel=False)
        pair, code = np.unique(code * len(distinct) + own, return_inverse=True)
        texts = [DASH if pd.isna(value) else str(value) for value in distinct]
        joints = (divmod(int(both), len(distinct)) for both in pair)
        names = [SEPARATOR.join(filter(None, (names[first], texts[second]))) for first, second in joints]
    return _renamed(code, names)


def _renamed(code: Integers, names: list[str]) -> tuple[Integers, list[str]]:
    """Return `code` by place in the distinct `names`, sorted."""
    distinct = sorted(set(names))
    place = {name: number for number, name in enumerate(distinct)}
    return np.array([place[name] for name in names], dtype=np.int64)[code], distinct


def _without_small(code: Integers, names: list[str], share_control: float) -> tuple[Integers, list[str], tuple[str, ...]]:
    """Return strata that can all be split: the small ones together, and with them the next larger until they are enough; and which."""
    sizes = np.bincount(code, minlength=len(names))
    by_size = sorted(range(len(names)), key=lambda place: (sizes[place], names[place]))
    small = int((~_is_large(sizes, share_control)).sum())
    while small and not _is_large(np.array([sizes[by_size[:small]].sum()]), share_control).all():
        small += 1
    merged = {names[place] for place in by_size[:small]}
    if not merged:
        return code, names, ()
    code, names = _renamed(code, [OTHER if name in merged else name for name in names])
    return code, names, tuple(sorted(merged))


def _controls(sizes: Integers, share_control: float, *, luck: Floats) -> Integers:
    """Return the controls of each stratum: their sum is the share of all to the nearest customer, each is its own share rounded.

    Largest remainders are rounded up (Hamilton's method); among equal ones those of the least `luck`.
    """
    exact = sizes * share_control
    controls = np.floor(exact + NOTHING_LOST).astype(np.int64)
    remainders = np.round(exact - controls, 6)
    missing = int(np.floor(sizes.sum() * share_control + 0.5 + NOTHING_LOST)) - int(controls.sum())
    controls[np.lexsort((luck, -remainders))[:missing]] += 1
    return controls
