"""How well what is known early tells who will be won, against saying the usual rate of every deal.

Regularised logistic regression on the landmarks of the deals (landmarks.py): learned from deals created and closed earlier, checked on
deals created later. Several ages of one deal are rows of one model, with the age among what is known: van Houwelingen (2007), Dynamic
prediction by landmarking in event history analysis, Scandinavian Journal of Statistics 34, 70-85.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import wilson_bounds
from crm_metrics.metric import ratio
from crm_metrics.pipeline.deals.query import WON
from crm_metrics.pipeline.winning.counts import Z
from crm_metrics.pipeline.winning.landmarks import CATEGORIES, NUMBERS, seen_closed
from crm_metrics.pipeline.winning.logistic import SEED, best, probabilities

TESTED_SHARE = 0.3  # of the deals that are old enough: the latest of them
LEAST_OUTCOMES = 50  # won deals, and lost ones, to learn from: with fewer the model learns their chance
LEAST_TESTED = 100  # deals to check it on
LEAST_LEVEL = 30  # deals to learn from of one source, owner, …; rarer ones are told apart from nobody
MOST_LEARNED, MOST_TESTED = 4_000, 10_000  # deals; of more a random part, which tells nearly as much in a fifth of the time
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # of the prior, the smaller the stronger
MOST_BINS = 10
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Split(NamedTuple):
    """Numbers of the deals to learn from and of those to check on, and the day between: what is learned was known on it."""

    learned: Integers
    tested: Integers
    split_on: pd.Timestamp


class Encoder(NamedTuple):
    """How landmarks become numbers: per category its frequent values; per number its mean and spread."""

    levels: dict[str, list[str]]
    scales: dict[str, tuple[float, float]]


class Fit(NamedTuple):
    """A fitted model. weights: see logistic.weights. base_rates: won of those learned from, by age: what is said without it. strength:
    of the prior, chosen.
    """

    encoder: Encoder
    weights: Floats
    base_rates: dict[str, float]
    strength: float


class Skill(NamedTuple):
    """How well it did on later deals.

    brier, base_brier: mean squared error of the probability, of the model and of the usual rate of the age; skill: 1 - brier / base_brier,
    low, high: 95 % interval, by deals; auc: chance that a won deal was given more than a lost one of the same age.
    """

    brier: float
    base_brier: float
    skill: float
    low: float
    high: float
    auc: float


def grown(deals: pd.DataFrame, today: pd.Timestamp, days: float) -> pd.DataFrame:
    """Return the closed deals that can be learned from and are old enough today. deals: landmarks.OF_DEALS; days: see
    landmarks.days_to_close; NaN: none is.
    """
    if math.isnan(days):
        return deals.head(0)
    closed = seen_closed(deals)
    return closed[closed["created_on"] <= today - pd.Timedelta(days=days)]


def split(deals: pd.DataFrame, today: pd.Timestamp, days: float) -> Split | None:
    """Return the split of the deals; None where too few are old enough. deals, days: see grown.

    Tested: the latest TESTED_SHARE of the deals that are `days` old today. Learned from: those that were so on the day on which the first
    of these was created, and were closed by then. Of many a random part.
    """
    known = grown(deals, today, days)
    if not len(known):
        return None
    split_on = pd.Timestamp(known["created_on"].sort_values().iloc[int(len(known) * (1 - TESTED_SHARE))])
    learned = known[(known["created_on"] <= split_on - pd.Timedelta(days=days)) & (known["closed_on"] <= split_on)]
    tested = known[known["created_on"] > split_on]
    won = learned["outcome"] == WON
    if min(won.sum(), (~won).sum()) < LEAST_OUTCOMES or len(tested) < LEAST_TESTED:
        return None
    return Split(part_of(learned, MOST_LEARNED), part_of(tested, MOST_TESTED), split_on)


def part_of(deals: pd.DataFrame, most: int) -> Integers:
    """Return the numbers of at most so many of the deals, drawn at random."""
    numbers = deals["deal_number"].to_numpy(dtype=np.int64)
    return numbers if len(numbers) <= most else np.sort(np.random.default_rng(SEED).choice(numbers, most, replace=False))


def fit(learned: pd.DataFrame, strengths: tuple[float, ...] = STRENGTHS) -> Fit:
    """Return the model learned from landmarks; of several strengths of the prior that by which deals held back are told best."""
    from threadpoolctl import threadpool_limits

    encoder, is_won = _encoder(learned), learned["is_won"].to_numpy(dtype=float)
    x = _encoded(learned, encoder)
    with threadpool_limits(1):  # the tables are small: several threads wait for each other, on a busy machine forty times as long
        found = best(x, is_won, learned["deal_number"].to_numpy(), strengths)
    rates = learned.groupby("age")["is_won"].mean()
    return Fit(encoder, found.weights, {str(age): float(rate) for age, rate in rates.items()}, found.strength)


def predicted(found: Fit, rows: pd.DataFrame) -> Floats:
    """Return the probability of each landmark to be won."""
    return probabilities(_encoded(rows, found.encoder), found.weights)


def base_rates(found: Fit, rows: pd.DataFrame) -> Floats:
    """Return the usual rate of the age of each landmark; of an age that nothing was learned of, that of all."""
    usual = float(np.mean(list(found.base_rates.values())))
    place, ages = pd.factorize(rows["age"])
    return np.array([found.base_rates.get(str(age), usual) for age in ages])[place]


def skill(tested: pd.DataFrame, probability: Floats, base: Floats) -> Skill:
    """Return how well `probability` did on the landmarks, and `base`, the usual rate (Brier 1950, Monthly Weather Review 78, 1-3).

    The interval is that of a ratio of sums over deals, whose ages go together: linearised (Cochran 1977, Sampling Techniques, chapter 6).
    """
    is_won = tested["is_won"].to_numpy(dtype=float)
    errors = pd.DataFrame({"deal": tested["deal_number"].to_numpy(), "own": (probability - is_won) ** 2, "base": (base - is_won) ** 2})
    by_deal = errors.groupby("deal")[["own", "base"]].sum()
    left = ratio(by_deal["own"].sum(), by_deal["base"].sum())
    rest = by_deal["own"] - left * by_deal["base"]
    error = math.sqrt((rest**2).sum() * len(by_deal) / max(len(by_deal) - 1, 1)) / by_deal["base"].sum()
    return Skill(
        float(errors["own"].mean()),
        float(errors["base"].mean()),
        1 - left,
        1 - left - Z * error,
        1 - left + Z * error,
        _auc(tested, probability),
    )


def _auc(tested: pd.DataFrame, probability: Floats) -> float:
    """Return the area under the curve within each age, weighted by its pairs of a won and a lost deal (Mann and Whitney 1947)."""
    ranks = pd.Series(probability, index=tested.index).groupby(tested["age"]).rank()
    sides = pd.DataFrame({"age": tested["age"], "won": tested["is_won"], "lost": ~tested["is_won"], "rank": ranks.where(tested["is_won"])})
    sums = sides.groupby("age")[["won", "lost", "rank"]].sum()
    pairs = sums["won"] * sums["lost"]
    return ratio((sums["rank"] - sums["won"] * (sums["won"] + 1) / 2)[pairs > 0].sum(), pairs.sum())


def reliability(tested: pd.DataFrame, probability: Floats) -> pd.DataFrame:
    """Return one row per tenth of the landmarks by probability: bin (1, 2, …), predicted (mean), observed (share won), low, high (Wilson of
    as many deals as are in it), deals, landmarks.
    """
    rows = pd.DataFrame(
        {"deal": tested["deal_number"].to_numpy(), "predicted": probability, "is_won": tested["is_won"].to_numpy(dtype=float)}
    )
    rows["bin"] = pd.qcut(rows["predicted"], MOST_BINS, labels=False, duplicates="drop")
    rows["bin"] = rows["bin"].fillna(0).astype(int) + 1  # all alike: one bin
    grouped = rows.groupby("bin")
    made = grouped.agg(
        predicted=("predicted", "mean"), observed=("is_won", "mean"), deals=("deal", "nunique"), landmarks=("deal", "size")
    ).reset_index()
    low, high = wilson_bounds(made["observed"] * made["deals"], made["deals"])
    return made.assign(low=low, high=high)[["bin", "predicted", "observed", "low", "high", "deals", "landmarks"]]


# ── statistic: numbers from landmarks ───────────────────────────────────────────────────────────────────────────────────


def _encoder(rows: pd.DataFrame) -> Encoder:
    levels = {}
    for name in CATEGORIES:
        sizes = rows.drop_duplicates(["deal_number", name])[name].value_counts()
        levels[name] = sorted(str(level) for level in sizes[sizes >= LEAST_LEVEL].index)
    scales = {name: (_finite(rows[name].mean()), _finite(rows[name].std()) or 1.0) for name in NUMBERS}
    return Encoder(levels, scales)


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def _encoded(rows: pd.DataFrame, encoder: Encoder) -> Floats:
    """Return one column per number (unknown is the mean) and per frequent value of a category."""
    numbers = [((rows[name] - mean) / spread).fillna(0.0).to_numpy(dtype=float) for name, (mean, spread) in encoder.scales.items()]
    flags = [(rows[name] == level).to_numpy(dtype=float) for name, levels in encoder.levels.items() for level in levels]
    return np.column_stack([*numbers, *flags])
