"""What a fitted model says of each customer: P(alive), expected purchases, expected spend.

Every formula is written without the hypergeometric function, which SciPy gets wrong by up to 1% near a = 1 and returns as NaN for
small a. Given that a customer is still active, the expected purchases up to t are the mean over the drop-out chance p of
(1 - (1 + p t / (alpha+T))^-(r+x)) / p: an integral whose integrand is smooth for every parameter.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from crm_metrics.purchase_model.groups import Floats, History, customer_groups, distinct_pairs, history
from crm_metrics.purchase_model.likelihood import pareto_log_drop_odds
from crm_metrics.purchase_model.model import DAYS_PER_WEEK, Model

# Worst error against 60-digit arithmetic over the grid of the tests: 2e-10 where a and b are at least .3, 7e-6 at .01 and .02.
POINTS = 96
_ROWS_AT_ONCE = 4_000


class HorizonWeights(NamedTuple):
    """Times in weeks and what the expected purchases up to each count: a discounted sum is a weighted sum of cumulative ones."""

    weeks: Floats
    weights: Floats


class Spent(NamedTuple):
    """What customers have spent so far, one element each: purchases, repeats of known positive value (else 0), and total, their sum."""

    purchases: Floats
    total: Floats


def probability_alive(model: Model, customers: pd.DataFrame) -> Floats:
    """Return P(alive) per row of `customers`: frequency, recency_days, age_days. NaN for a model without parameters.

    BG/NBD: Fader, Hardie and Lee, brucehardie.com/notes/021. MBG/NBD: Wagner and Hoppe (2008). Pareto/NBD: notes/009, equation 36.
    The BG/NBD gives 1 to every one-time buyer by construction: see alive_by_construction.
    """
    if model.name == "pareto_nbd":
        groups = customer_groups(customers, cells_above=len(customers))
        return _pareto_alive(model, history(groups.frame))[groups.group]
    x, recency, age = (customers[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency_days", "age_days"))
    return beta_geometric_alive(model, (x, recency / DAYS_PER_WEEK, age / DAYS_PER_WEEK))


def beta_geometric_alive(model: Model, past: tuple[Floats, Floats, Floats]) -> Floats:
    """Return, per (frequency, recency and age in weeks), P(alive) of a BG/NBD or MBG/NBD."""
    r, alpha, a, b = model.values()
    x, recency, age = past
    chances = x + extra_chance(model)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(a) - np.log(b + chances - 1) + (r + x) * np.log((alpha + age) / (alpha + recency))
    return np.asarray(np.where((chances == 0) & np.isfinite(r), 1.0, expit(-log_odds)), dtype=np.float64)


def alive_by_construction(model: Model, customers: pd.DataFrame) -> pd.Series:
    """Return, per row of `customers` (frequency), whether P(alive) = 1 is the model's assumption and no finding.

    In the BG/NBD a customer can drop out only after a repeat purchase: its one-time buyers all have P(alive) 1. Never print that.
    """
    return (customers["frequency"] == 0) & (model.name == "bg_nbd")


def expected_purchases(model: Model, customers: pd.DataFrame, *, horizon_days: float) -> Floats:
    """Return expected purchases in the next `horizon_days` per row of `customers`: frequency, recency_days, age_days.

    BG/NBD: Fader, Hardie and Lee (2005), equation 10. MBG/NBD: Wagner and Hoppe (2008). Pareto/NBD: notes/009, equation 41.
    """
    at_end = HorizonWeights(np.array([horizon_days / DAYS_PER_WEEK]), np.ones(1))
    return probability_alive(model, customers) * purchases_if_alive(model, customers, horizon=at_end)


def expected_purchases_new(model: Model, days: Floats | float) -> Floats:
    """Return expected repeat purchases of a new customer up to each of `days` after the first purchase.

    BG/NBD: Fader, Hardie and Lee (2005), equation 9; Pareto/NBD: Schmittlein et al. (1987), notes/009, equation 27.
    """
    newcomer = pd.DataFrame({"frequency": [0.0], "recency_days": [0.0], "age_days": [0.0]})
    weeks = np.atleast_1d(np.asarray(days, dtype=np.float64)) / DAYS_PER_WEEK
    alive = probability_alive(model, newcomer)[0]
    if model.name == "pareto_nbd":
        r, alpha, _, beta = model.values()
        return np.asarray(alive * r * beta / alpha * _pareto_gain(model, weeks / beta), dtype=np.float64)
    r, alpha, a, b = model.values()
    if not np.isfinite(a):
        return np.full(len(weeks), np.nan)
    chance, weight = _drop_chances((a, b), np.array([float(extra_chance(model))]), POINTS)
    return np.asarray(-alive * np.expm1(-r * np.log1p(chance * (weeks / alpha)[:, None])) @ (weight / chance)[0], dtype=np.float64)


def purchases_if_alive(model: Model, customers: pd.DataFrame, *, horizon: HorizonWeights) -> Floats:
    """Return the weighted sum of expected purchases over `horizon`, given that the customer is active; once per distinct history."""
    x, days = (customers[name].to_numpy(dtype=np.float64) for name in ("frequency", "age_days"))
    example, pair = distinct_pairs(x, days)
    x, age = x[example], days[example] / DAYS_PER_WEEK
    if model.name == "pareto_nbd":
        return _pareto_purchases(model, (x, age), horizon)[pair]
    starts = range(0, len(x), _ROWS_AT_ONCE)
    parts = [beta_geometric_purchases(model, (x[i : i + _ROWS_AT_ONCE], age[i : i + _ROWS_AT_ONCE]), horizon) for i in starts]
    return np.concatenate(parts)[pair] if parts else np.empty(0)


def expected_spend(model: Model, customers: pd.DataFrame) -> Floats:
    """Return the expected mean value of a purchase per row of `customers`: frequency, repeat_value_mean.

    Fader and Hardie (2013), notes/025, equation 5. A customer without a repeat of known positive value gets the population mean
    p v / (q - 1), which is NaN where q <= 1 makes it infinite.
    """
    return spend_given(model, spent_so_far(customers))


def spent_so_far(customers: pd.DataFrame) -> Spent:
    """Return what is known of the spend of each row of `customers`: frequency, repeat_value_mean."""
    x, value = (customers[name].to_numpy(dtype=np.float64) for name in ("frequency", "repeat_value_mean"))
    known = (x > 0) & (value > 0)
    return Spent(np.where(known, x, 0.0), np.where(known, x * value, 0.0))


def spend_given(model: Model, spent: Spent) -> Floats:
    """Return the expected mean value of a purchase after `spent`: see expected_spend."""
    p, q, v = model.values()
    divisor = p * spent.purchases + q - 1
    return np.divide(p * (v + spent.total), divisor, where=divisor > 0, out=np.full_like(divisor, np.nan))


def probability_alive_path(model: Model, purchase_days: list[int], *, until_day: int) -> pd.DataFrame:
    """Return P(alive) of one customer on each day from the first purchase to `until_day`.

    purchase_days: day numbers, in any order. Columns day, frequency, probability, is_by_construction.
    """
    bought = np.unique(np.asarray(purchase_days, dtype=np.int64))
    day = np.arange(bought[0], until_day + 1)
    so_far = np.searchsorted(bought, day, side="right")
    known = pd.DataFrame({"frequency": so_far - 1, "recency_days": bought[so_far - 1] - bought[0], "age_days": day - bought[0]})
    return pd.DataFrame(
        {
            "day": day,
            "frequency": known["frequency"],
            "probability": probability_alive(model, known),
            "is_by_construction": alive_by_construction(model, known),
        }
    )


def extra_chance(model: Model) -> int:
    """Return 1 where a customer may drop out right after the first purchase (MBG/NBD), else 0."""
    return int(model.name == "mbg_nbd")


def beta_geometric_purchases(model: Model, at: tuple[Floats, Floats], horizon: HorizonWeights, *, points: int = POINTS) -> Floats:
    """Return, per (frequency, age in weeks), the weighted expected purchases of an active customer of a BG/NBD or MBG/NBD."""
    x, age = at
    r, alpha, a, b = model.values()
    if not np.isfinite(a):
        return np.full(len(x), np.nan)
    distinct, position = np.unique(x, return_inverse=True)
    chance, weight = _drop_chances((a, b), distinct + extra_chance(model), points)
    chance, weight = chance[position], weight[position]
    total = np.zeros_like(chance)
    for weeks, counts in zip(horizon.weeks, horizon.weights, strict=True):
        total -= counts * np.expm1(-(r + x)[:, None] * np.log1p(chance * (weeks / (alpha + age))[:, None]))
    return np.asarray((weight * total / chance).sum(axis=1), dtype=np.float64)


def _drop_chances(beta: tuple[float, float], survived: Floats, points: int) -> tuple[Floats, Floats]:
    """Return points and weights (rows add to 1) of the mean over p ~ Beta(a, b + c), one row per number c of survived chances.

    Trapezoid rule in tau, where the logit of p is its centre plus its spread times sinh(tau): it converges exponentially, because
    the integrand falls off doubly exponentially and has no singularity within pi of the real line.
    """
    a, b = beta[0], beta[1] + survived[:, None]
    spread = np.sqrt(1 / a + 1 / b)
    left, right = np.arcsinh(10 + 45 / (a * spread)), np.arcsinh(10 + 45 / (b * spread))
    tau = -left + (left + right) * np.linspace(0, 1, points)
    logit = np.log(a / b) + spread * np.sinh(tau)
    log_weight = a * logit - (a + b) * np.logaddexp(0, logit) + np.log(np.cosh(tau))
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.maximum(expit(logit), 1e-300), weight / weight.sum(axis=1, keepdims=True)


def _pareto_alive(model: Model, past: History) -> Floats:
    r, alpha, s, beta = model.values()
    return np.asarray(expit(-pareto_log_drop_odds((r, alpha, s, beta), past)), dtype=np.float64)


def _pareto_gain(model: Model, share: Floats) -> Floats:
    """Return (1 - (1 + share)^(1-s)) / (s - 1), and its limit ln(1 + share) at s = 1."""
    s = model.params["s"]
    lasting = np.log1p(share)
    return np.asarray(lasting if s == 1 else -np.expm1((1 - s) * lasting) / (s - 1), dtype=np.float64)


def _pareto_purchases(model: Model, at: tuple[Floats, Floats], horizon: HorizonWeights) -> Floats:
    """Return, per (frequency, age in weeks), the weighted expected purchases of an active customer; stable at s = 1."""
    x, age = at
    r, alpha, _, beta = model.values()
    total = np.zeros_like(x)
    for weeks, counts in zip(horizon.weeks, horizon.weights, strict=True):
        total += counts * _pareto_gain(model, weeks / (beta + age))
    return (r + x) * (beta + age) / (alpha + age) * total
