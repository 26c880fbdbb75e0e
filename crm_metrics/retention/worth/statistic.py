"""Value by age over the customers old enough for it, when it passes what they cost, and what retention is worth."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import CONFIDENCE, FEW_CUSTOMERS, wilson
from crm_metrics.retention.worth.terms import MOST_MONTHS, YEAR_MONTHS

Floats = npt.NDArray[np.float64]
AGE_COLUMNS = ["cohort", "age_months", "customers", "cumulative_value", "low", "high", "acquisition_cost", "is_small"]
_ALMOST_ALL = 0.999  # retention at which customers stay a thousand years: beyond it nothing is computed

# ── value by age ────────────────────────────────────────────────────────────────────────────────────────────────────────


def value_by_age(people: pd.DataFrame, values: pd.DataFrame, costs: pd.Series) -> pd.DataFrame:
    """Return one row per cohort and age from 1 month on: AGE_COLUMNS; see tables.payback.

    people, values: see query.cohort_people, cohort_values; their cohort as text. costs: the acquisition cost of a customer, by cohort.
    At each age the values of the customers who have been there so long are divided by these customers; 95 % t-interval of the mean.
    """
    names = sorted(people["cohort"].unique())
    place = {name: number for number, name in enumerate(names)}
    months = people["months"].clip(upper=MOST_MONTHS).to_numpy(dtype=int)
    width = int(months.max(initial=0)) + 1
    old = np.zeros((len(names), width))
    np.add.at(old, (people["cohort"].map(place).to_numpy(dtype=int), months), people["customers"].to_numpy(dtype=float))
    old = _from_right(old)
    at = _places(values, place, width)
    sums, squares = (_known_at_age(values[name].to_numpy(dtype=float), at, (len(names), width, width)) for name in ("value", "squares"))
    cohort, age = np.nonzero(old[:, 1:])
    age = age + 1
    customers = old[cohort, age]
    mean = sums[cohort, age - 1, age] / customers
    low, high = _t_interval(customers, mean, squares[cohort, age - 1, age])
    named = np.array(names, dtype=object)[cohort] if names else cohort
    frame = pd.DataFrame({"cohort": named, "age_months": age, "customers": customers.astype(int), "cumulative_value": mean})
    frame = frame.assign(low=low, high=high, acquisition_cost=frame["cohort"].map(costs).astype(float))
    return frame.assign(is_small=frame["customers"] < FEW_CUSTOMERS)[AGE_COLUMNS]


def _places(values: pd.DataFrame, place: dict[str, int], width: int) -> tuple[npt.NDArray[np.int64], ...]:
    ages = [values[name].clip(upper=width - 1).to_numpy(dtype=np.int64) for name in ("age", "months")]
    return (values["cohort"].map(place).to_numpy(dtype=np.int64), *ages)


def _known_at_age(amounts: Floats, at: Sequence[Any], shape: tuple[int, int, int]) -> Floats:
    """Return sums over all ages up to the second index, of the customers who have been there for the third index or longer."""
    held = np.zeros(shape)
    np.add.at(held, tuple(at), amounts)
    return _from_right(held.cumsum(axis=1))


def _from_right(counts: Floats) -> Floats:
    return np.flip(np.flip(counts, axis=-1).cumsum(axis=-1), axis=-1)


def _t_interval(n: Floats, mean: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % t-interval of means; NaN of a single customer. squares: sum of the squared values."""
    from scipy import stats

    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(np.maximum(squares - n * mean**2, 0.0) / (n - 1))
        half = np.where(n > 1, stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(n - 1, 1)) * deviation / np.sqrt(n), np.nan)
    return mean - half, mean + half


class Payback(NamedTuple):
    """The month in which value passes cost, the earliest and the latest by the interval; NaN where it has not, or cost is unknown."""

    month: float
    earliest: float
    latest: float


def payback_month(ages: pd.DataFrame) -> Payback:
    """Return when the customers of one cohort have paid back: ages over which there are enough of them. ages: rows of value_by_age.

    >>> rows = pd.DataFrame({"age_months": [1, 2], "cumulative_value": [5.0, 9.0], "low": [4.0, 7.0], "high": [8.0, 11.0]})
    >>> tuple(payback_month(rows.assign(acquisition_cost=8.0, is_small=False)))
    (2.0, 1.0, nan)
    """
    enough = ages[~ages["is_small"].astype(bool)]
    return Payback(*[_first_month(enough, name) for name in ("cumulative_value", "high", "low")])


def _first_month(ages: pd.DataFrame, column: str) -> float:
    paid = ages.loc[ages[column] >= ages["acquisition_cost"], "age_months"]
    return float(paid.min()) if len(paid) else np.nan


def quality_rows(ages: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cohort: see tables.acquisition_quality. ages: see value_by_age; people: see query.cohort_people."""
    came = people.groupby("cohort")["customers"].sum()
    rows = []
    for cohort, of_cohort in ages.groupby("cohort", sort=False):
        year: Any = of_cohort.set_index("age_months").reindex([YEAR_MONTHS]).iloc[0]
        cost, paid = float(of_cohort["acquisition_cost"].iloc[0]), payback_month(of_cohort)
        is_enough = year["customers"] >= FEW_CUSTOMERS
        value, low, high = (float(year[name]) if is_enough else np.nan for name in ("cumulative_value", "low", "high"))
        old = 0 if pd.isna(year["customers"]) else int(year["customers"])
        known = {"cohort": cohort, "customers": int(came[cohort]), "customers_12_months": old, "acquisition_cost": cost}
        year_row = {"value_12_months": value, "value_low": low, "value_high": high}
        year_row |= {"profit_12_months": value - cost, "low": low - cost, "high": high - cost}
        months = {"payback_month": paid.month, "payback_earliest": paid.earliest, "payback_latest": paid.latest}
        rows.append(known | year_row | {"value_to_cost": value / cost if cost > 0 else np.nan} | months)
    return pd.DataFrame(rows, columns=QUALITY_COLUMNS).sort_values("customers", ascending=False, kind="stable", ignore_index=True)


QUALITY_COLUMNS = [
    "cohort", "customers", "customers_12_months", "acquisition_cost", "value_12_months", "value_low", "value_high",
    "profit_12_months", "low", "high", "value_to_cost", "payback_month", "payback_earliest", "payback_latest",
]  # fmt: skip

# ── what retention is worth ─────────────────────────────────────────────────────────────────────────────────────────────


class Kept(NamedTuple):
    """How many of the customers of a year ago stayed, what a customer brings in a year, how many there are now.

    is_opening_cut: the data begin within the year before, so that only some of the customers of a year ago are known.
    """

    stayed: int
    opening: int
    value_per_year: float
    customers: int
    is_opening_cut: bool = False

    @property
    def retention(self) -> float:
        """Share who stayed; NaN without customers a year ago."""
        return self.stayed / self.opening if self.opening else np.nan


def geometric_value(value_per_year: float, retention: Any, discount_rate: float) -> Any:
    """Return what a customer will bring, from the next year on: value x r / (1 + d - r).

    Gupta and Lehmann (2003), Customers as assets, Journal of Interactive Marketing 17(1), 9-24.

    >>> round(geometric_value(100.0, 0.8, 0.1), 2)
    266.67
    """
    return value_per_year * retention / (1 + discount_rate - retention)


def raised(retention: Any, *, points: float = 0.0, percent: float = 0.0) -> Any:
    """Return retention by so many points, or by so large a share of itself, higher; never above _ALMOST_ALL.

    >>> [round(float(share), 4) for share in (raised(0.8, points=0.05), raised(0.8, percent=0.05))]
    [0.85, 0.84]
    """
    return np.minimum(retention * (1 + percent) + points, _ALMOST_ALL)


def lever_row(kept: Kept, discount_rate: float, *, points: float = 0.0, percent: float = 0.0) -> dict[str, Any]:
    """Return what so much more retention is worth: see tables.five_points.

    The interval is that of retention (Wilson): the change is computed for its two ends.
    """
    bounds = np.array([kept.retention, *wilson(kept.stayed, kept.opening)])
    then = raised(bounds, points=points, percent=percent)
    now_value, then_value = (geometric_value(kept.value_per_year, share, discount_rate) for share in (bounds, then))
    with np.errstate(divide="ignore", invalid="ignore"):
        changes, money = then_value / now_value - 1, (then_value - now_value) * kept.customers
    retention = dict(zip(("retention", "retention_low", "retention_high"), bounds.tolist(), strict=True))
    values = {"retention_then": float(then[0]), "value": float(now_value[0]), "value_then": float(then_value[0])}
    change = {"change_share": float(changes[0]), "low": float(changes.min()), "high": float(changes.max())}
    return retention | values | change | {"money": float(money[0]), "money_low": float(money.min()), "money_high": float(money.max())}


# ── customers by how long they have been there ──────────────────────────────────────────────────────────────────────────

TENURE_MEASURES: dict[str, tuple[str, str]] = {  # measure: numerator and denominator of a customer; '' counts customers
    "order_value": ("net_revenue", "orders"),
    "discount": ("discount", "list_revenue"),
    "cost_to_serve": ("cost_to_serve", ""),
    "referrals": ("referrals", ""),
}
TENURE_COLUMNS = ["measure", "tenure_years", "customers", "value", "low", "high", "is_small"]


def tenure_rows(customers: pd.DataFrame, years: npt.NDArray[np.int64], stayed: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return one row per measure and year: see tables.tenure. customers: see customer_profit.profits, with referrals. years: of each.

    stayed: were there for the whole period. What is told per customer is told of these alone: the others had less time for it.
    """
    made = []
    for measure, (over, under) in TENURE_MEASURES.items():
        told, told_years = (customers, years) if under else (customers[stayed], years[stayed])
        above = told[over].to_numpy(dtype=float)
        if np.isnan(above).all():
            continue
        below = told[under].to_numpy(dtype=float) if under else np.ones(len(told))
        made.append(_ratios(np.nan_to_num(above), np.nan_to_num(below), told_years).assign(measure=measure))
    return pd.concat(made, ignore_index=True)[TENURE_COLUMNS] if made else pd.DataFrame(columns=TENURE_COLUMNS)


def _ratios(above: Floats, below: Floats, group: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return ratios of sums by group with their 95 % interval: the t-interval of what is left of each customer once the ratio is taken off.

    Cochran (1977), Sampling Techniques, 3rd edition, section 6.4.
    """
    n, total, base = (_sums(group, values) for values in (np.ones(len(group)), above, below))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(base > 0, total / base, np.nan)
        rest = _sums(group, (above - np.nan_to_num(ratio)[group] * below) ** 2)
        low, high = _t_interval(n, np.zeros(len(n)), rest)
        scale = n / np.where(base > 0, base, np.nan)
    frame = pd.DataFrame({"tenure_years": np.arange(len(n)), "customers": n.astype(int), "value": ratio})
    frame = frame.assign(low=ratio + low * scale, high=ratio + high * scale, is_small=frame["customers"] < FEW_CUSTOMERS)
    return frame[frame["customers"] > 0]


def _sums(group: npt.NDArray[np.int64], values: Floats) -> Floats:
    return np.bincount(group, weights=values).astype(np.float64)
