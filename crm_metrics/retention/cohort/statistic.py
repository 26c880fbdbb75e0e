"""From counts by first period and period to rates by age: cells, pooled curves, and whether a cohort differs from the others.

A cell is one group and first period at one age. `value` is what is counted or added up, `base` what it is divided by; both add up over
cells. Only cells whose period is whole are ever added up or compared.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.filters import UNKNOWN
from crm_metrics.intervals import CONFIDENCE, FEW_CUSTOMERS
from crm_metrics.periods import Period, bucket_start, next_bucket
from crm_metrics.randomised_test.sums import holm
from crm_metrics.retention.cohort.terms import MOST_AGES, CohortGrain, CohortTerms

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
RATES = ["customers", "value", "base", "value_per_customer", "rate", "low", "high"]
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; weeks begin on Monday
_MONTHS_PER_QUARTER, _DAYS_PER_WEEK = 3, 7
ALPHA = 0.05
LEAST_EXPECTED = 5.0  # customers in each of the four fields: Cochran's rule, under which the chi-square test is not right


@dataclass(frozen=True)
class Horizon:
    """The days that are seen: held, the first and last of them; firsts, those on which a first purchase counts."""

    held: Period
    firsts: Period

    def last_whole(self, grain: CohortGrain) -> date:
        """Return the first day of the last period that is whole on the last day seen."""
        start = bucket_start(self.held.end, grain)
        return start if next_bucket(start, grain) == self.held.end + timedelta(days=1) else bucket_start(start - timedelta(days=1), grain)


def bucket_numbers(days: Any, grain: CohortGrain) -> Integers:
    """Return the number of the period of each day: neighbouring periods have neighbouring numbers.

    >>> bucket_numbers([date(1969, 12, 31), date(1970, 1, 1), date(1970, 4, 1)], "quarter").tolist()
    [-1, 0, 1]
    >>> bucket_numbers([date(2024, 9, 1), date(2024, 9, 2)], "week").tolist()  # a Sunday, a Monday
    [2852, 2853]
    """
    values = np.asarray(days, dtype="datetime64[D]")
    if grain in ("month", "quarter"):
        months = values.astype("datetime64[M]").astype(np.int64)
        return months if grain == "month" else months // _MONTHS_PER_QUARTER
    numbers = values.astype(np.int64)
    return numbers if grain == "day" else (numbers + _EPOCH_WEEKDAY) // _DAYS_PER_WEEK


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cells(sizes: pd.DataFrame, events: pd.DataFrame, terms: CohortTerms, horizon: Horizon) -> pd.DataFrame:
    """Return one row per group, first period and age up to today, none left out: CELLS, by these.

    group_name (UNKNOWN where nothing is known; "" where the cohorts are periods), cohort_on, age (0: the period of first purchase),
    customers (of the cell's group and first period), value, base (NaN where nothing stands before age 0), is_unfinished (the period is not
    whole), is_partial (the first period is cut: by the filters, or by either end of the data).

    sizes: group_name, cohort_on, customers. events: group_name, cohort_on, bucket_on, value; under `on_or_after` and `on_or_before` by the
    period of the last purchase or the second, else by the period that they belong to.
    """
    groups = pd.Categorical(pd.concat([sizes["group_name"], events["group_name"]]).fillna("" if terms.is_of_periods else UNKNOWN))
    code, first = groups.codes[: len(sizes)].astype(np.int64), bucket_numbers(sizes["cohort_on"], terms.grain)
    order = np.lexsort((first, code))
    code, first, size = code[order], first[order], sizes["customers"].to_numpy(dtype=float)[order]
    today = int(bucket_numbers([horizon.held.end], terms.grain)[0])
    lengths = np.minimum(today - first + 1, MOST_AGES[terms.grain])
    begins = np.cumsum(lengths) - lengths
    age = np.arange(lengths.sum()) - np.repeat(begins, lengths)
    event_first, happened = (bucket_numbers(events[name], terms.grain) for name in ("cohort_on", "bucket_on"))
    place = _places(code, first, groups.codes[len(sizes) :].astype(np.int64), event_first)
    event_age = happened - event_first
    if terms.mode == "on_or_after":  # who comes back later than ages are followed was still there at the last of them
        event_age = np.minimum(event_age, lengths[place] - 1 if len(place) else 0)
    is_followed = event_age < (lengths[place] if len(place) else 0)
    value = np.zeros(len(age))
    np.add.at(value, begins[place[is_followed]] + event_age[is_followed], events["value"].to_numpy(dtype=float)[is_followed])
    if events["value"].isna().any():  # where costs are not known enough no margin is
        value[:] = np.nan
    first_value = np.repeat(value[begins], lengths)
    value = _accumulated(value, np.repeat(begins, lengths), np.repeat(begins + lengths, lengths), terms)
    customers, cohort_on = np.repeat(size, lengths), sizes["cohort_on"].to_numpy()[order]
    return pd.DataFrame(
        {
            "group_name": np.asarray(groups.categories, dtype=object)[np.repeat(code, lengths)],
            "cohort_on": np.repeat(cohort_on, lengths),
            "age": age,
            "customers": customers,
            "value": value,
            "base": _bases(
                value, customers if terms.measure == "customers" or terms.relative_to == "customer" else first_value, age, terms
            ),
            "is_unfinished": np.repeat(first, lengths) + age > bucket_numbers([horizon.last_whole(terms.grain)], terms.grain)[0],
            "is_partial": np.repeat(_are_partial(cohort_on, terms.grain, horizon), lengths),
        }
    )


def _places(code: Integers, first: Integers, event_code: Integers, event_first: Integers) -> Integers:
    """Return for each event the place of its group and first period among the cohorts, which are sorted by these."""
    if not len(event_code):
        return np.empty(0, dtype=np.int64)
    low = min(first.min(), event_first.min())
    span = max(first.max(), event_first.max()) - low + 1
    return np.searchsorted(code * span + first - low, event_code * span + event_first - low).astype(np.int64)


def _accumulated(value: Floats, begin: Integers, end: Integers, terms: CohortTerms) -> Floats:
    """Return the sums up to each age, or from it on; begin, end: where the ages of its cohort begin, and the next one's."""
    if terms.mode == "on":
        return value
    sums = np.concatenate([[0.0], np.cumsum(value)])
    return sums[1:] - sums[begin] if terms.mode == "on_or_before" else sums[end] - sums[:-1]


def _bases(value: Floats, of_cohort: Floats, age: Integers, terms: CohortTerms) -> Floats:
    """Return what each value is divided by. of_cohort: its customers, or what they brought in its first period."""
    if terms.relative_to == "previous":
        return np.where(age > 0, np.concatenate([[np.nan], value[:-1]])[: len(value)], np.nan)
    return of_cohort


def _are_partial(cohort_on: Any, grain: CohortGrain, horizon: Horizon) -> npt.NDArray[np.bool_]:
    """Return which first periods are cut, so that fewer first purchases are known than were made in them."""
    next_on = horizon.firsts.end + timedelta(days=1)
    return (cohort_on < np.datetime64(horizon.firsts.start)) | (bucket_numbers(cohort_on, grain) == bucket_numbers([next_on], grain)[0])


# ── rates ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rated(sums: pd.DataFrame, terms: CohortTerms) -> pd.DataFrame:
    """Return `sums` with value_per_customer, rate, low, high (Wilson 1927; NaN where the rate is no share of customers), is_small.

    sums: age, customers, value, base. is_small: fewer than FEW_CUSTOMERS customers, of whom no rate is read.
    """
    customers, value, base = (sums[name].to_numpy(dtype=float) for name in ("customers", "value", "base"))
    of = base if terms.measure == "customers" else customers
    low, high = wilson_bounds(value, of) if terms.has_intervals else (np.full(len(sums), np.nan),) * 2
    if terms.mode != "on_or_before":  # all of a cohort bought in its first period: that is no finding, and has no interval
        low, high = (np.where(sums["age"] > 0, bound, np.nan) for bound in (low, high))
    return sums.assign(
        value_per_customer=_ratio(value, customers), rate=_ratio(value, base), low=low, high=high, is_small=~(of >= FEW_CUSTOMERS)
    )


def wilson_bounds(successes: Floats, totals: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of intervals.wilson for many shares at once; NaN over nothing."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, weight = _ratio(successes, totals), _ratio(np.full(len(totals), z * z), totals)
    half = z * np.sqrt(_ratio(share * (1 - share), totals) + _ratio(weight, 4 * totals))
    middle = share + weight / 2
    return np.clip((middle - half) / (1 + weight), 0, 1), np.clip((middle + half) / (1 + weight), 0, 1)


def _ratio(value: Floats, base: Floats) -> Floats:
    return np.divide(value, base, out=np.full(len(value), np.nan), where=base > 0)


def pooled(found: pd.DataFrame, terms: CohortTerms, *, by: list[str]) -> pd.DataFrame:
    """Return the sums over whole cells, by age or by group and age, with their rates: by, cohorts (first periods), RATES, is_small.

    An age has only the customers who are old enough for it; of others nothing is known yet, and they are not in its base.
    """
    whole = found[~found["is_unfinished"]]
    grouped = whole.groupby(by, sort=True, observed=True)
    sums = grouped[["customers", "value", "base"]].sum(min_count=1)
    return rated(sums.assign(cohorts=grouped["cohort_on"].nunique()).reset_index(), terms)


def cohort_rows(found: pd.DataFrame, terms: CohortTerms) -> pd.DataFrame:
    """Return one row per cohort and age: see tables.cohorts. found: cells."""
    if terms.is_of_periods:
        made = rated(found.rename(columns={"group_name": "cohort"}), terms)
        made["cohort"] = made["cohort_on"].dt.strftime("%Y-%m-%d")
        made["cohort_customers"] = made["customers"]
    else:
        made = pooled(found, terms, by=["group_name", "age"]).rename(columns={"group_name": "cohort"})
        made = made.assign(cohort_on=np.datetime64("NaT", "us"), is_unfinished=False, is_partial=False)
        sizes = found[found["age"] == 0].groupby("group_name", observed=True)["customers"].sum()
        made["cohort_customers"] = made["cohort"].map(sizes).astype(float)
        made = made.iloc[np.lexsort((made["age"], made["cohort"], -made["cohort_customers"]))].reset_index(drop=True)
    return made


def trend_rows(rows: pd.DataFrame, average: pd.DataFrame, age: int) -> pd.DataFrame:
    """Return the rows of one age of `cohort_rows`, with average: the rate of all of them pooled at that age, NaN of none."""
    found = average.loc[average["age"] == age, "rate"]
    return rows[rows["age"] == age].assign(average=found.iloc[0] if len(found) else np.nan).reset_index(drop=True)


def differences(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cohort of one age whose period is whole: see tables.cohort_test. rows: see trend_rows, of customers.

    Interval of the difference: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10. p: Pearson's chi-square test of the cohort
    against all others pooled; Holm (1979), Scandinavian Journal of Statistics 6, over all cohorts that are tested. Not tested: cohorts of
    fewer than FEW_CUSTOMERS, and those of whom so few came back, or stayed away, that the test is not right (LEAST_EXPECTED).
    """
    whole = rows[~rows["is_unfinished"]].reset_index(drop=True)
    own, own_back = (whole[name].to_numpy(dtype=float) for name in ("base", "value"))
    others, others_back = own.sum() - own, own_back.sum() - own_back
    rate, others_rate, overall = _ratio(own_back, own), _ratio(others_back, others), _ratio(own_back + others_back, own + others)
    (low, high), (others_low, others_high) = wilson_bounds(own_back, own), wilson_bounds(others_back, others)
    difference = rate - others_rate
    least = np.minimum(own, others) * np.minimum(overall, 1 - overall)
    is_tested = (own >= FEW_CUSTOMERS) & (others >= FEW_CUSTOMERS) & (least >= LEAST_EXPECTED)
    spread = np.sqrt(overall * (1 - overall) * (_ratio(np.ones(len(own)), own) + _ratio(np.ones(len(own)), others)))
    p_value = np.array(
        [math.erfc(abs(z) / math.sqrt(2)) if tested else np.nan for z, tested in zip(_ratio(difference, spread), is_tested, strict=True)]
    )
    adjusted = holm(p_value)
    return whole.assign(
        others_customers=others,
        others_rate=others_rate,
        difference=difference,
        difference_low=difference - np.hypot(rate - low, others_high - others_rate),
        difference_high=difference + np.hypot(high - rate, others_rate - others_low),
        p_value=p_value,
        p_adjusted=adjusted,
        is_different=adjusted < ALPHA,
    )
