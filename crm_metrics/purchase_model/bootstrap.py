"""How sure is what the customers will bring? A bootstrap prediction interval, of any part of them.

Two things are unknown: the parameters, and what each customer does even if they were known. Each resample draws customers with
replacement, only to refit both models (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13), and then draws from
the refitted models what every customer shown does: see the module outcome. Drawing customers gives weights to the groups of equal
histories, so that a refit costs a few evaluations of the weighted likelihood from the point estimate. The models' own error is not in
the interval: the hold-out shows it.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.polynomial import chebyshev
from numpy.random import Generator
from scipy.optimize import minimize

from crm_metrics.purchase_model.groups import Floats, Groups, History, Integers, customer_groups, history, reweighted, total_weights
from crm_metrics.purchase_model.likelihood import Spend, beta_geometric, gamma_gamma, spend_of
from crm_metrics.purchase_model.model import PARAMETERS, PURCHASE_MODELS, Model
from crm_metrics.purchase_model.optimise import Objective, curvature_at
from crm_metrics.purchase_model.outcome import Spent, drawn_purchases, drawn_spend
from crm_metrics.purchase_model.score import HorizonWeights, beta_geometric_purchases, expected_spend, probability_alive
from crm_metrics.purchase_model.value import Horizon, new_customer_value

RESAMPLES = 200
CONFIDENCE = 0.95
CELLS_ABOVE_CUSTOMERS = 20_000  # weekly cells with mean recency and age: the total moves by less than .2%, the interval by far less
OUTCOMES_DRAWN = 100_000  # of more customers so many are drawn, else a million would take a minute
_FEWEST_OF_A_PART = 1_000  # whose outcomes are drawn, or all: the few best of a small part make most of its scatter
_FEWEST_REFITS = 40  # under these a 2.5% percentile is the smallest value drawn
_FLAT = 1e-5  # mean gradient at which a refit counts as done: 1% of a standard error at 10,000 customers
_LEAST_CURVATURE = 1e-4  # per customer; along a ridge the first step is limited to that of this curvature
_FARTHEST = math.log(1_000)  # a refit whose parameter is a thousand times the estimate's has run off on a ridge
_POINTS = 48  # of the integral over the drop-out chance: 3e-5 of the value at worst, against intervals of several percent
_AGES = 16  # Chebyshev points in age between which expected purchases are interpolated


class PartDraws(NamedTuple):
    """What the resamples say of parts of the customers, and of a new one; resamples that did not converge are left out.

    purchases (undiscounted) and values: resamples x parts, what the customers there are may in fact bring. new_customer_values: per
    resample, the mean of a new customer. failed: resamples left out. parameters: one row per parameter of both models: model,
    parameter, low, median, high.
    """

    purchases: Floats
    values: Floats
    new_customer_values: Floats
    failed: int
    parameters: pd.DataFrame


class _Base(NamedTuple):
    """What all refits share; ages: basis that interpolates over age, one row per group."""

    groups: Groups
    past: History
    spend: Spend
    spend_rows: Integers
    age_points: Floats
    age_basis: Floats
    summary: pd.DataFrame


class _Shown(NamedTuple):
    """The customers in parts, one element each, the same in all resamples. discounting: discounted / undiscounted expected purchases
    at the point estimate (refits move it in the fifth digit). chance: that the outcome is drawn, 1 up to OUTCOMES_DRAWN customers.
    """

    part: Integers
    group: Integers
    at: tuple[Floats, Floats]
    spent: Spent
    discounting: Floats
    chance: Floats
    summary: pd.DataFrame
    horizon: Horizon


def bootstrap_parts(
    summary: pd.DataFrame, models: tuple[Model, Model], *, horizon: Horizon, part: Integers, resamples: int = RESAMPLES, seed: int = 1
) -> PartDraws:
    """Return what parts of the customers may bring over `horizon`, once per resample: quantiles of it are a prediction interval.

    summary: customer_id, frequency, recency_days, age_days, repeat_value_mean. models: the BG/NBD or MBG/NBD and the Gamma-Gamma
    fitted on it, where each refit starts. part: of each customer of `summary`, 0, 1, …; -1: in no part. The refits are the same
    whatever the parts. Of more than OUTCOMES_DRAWN customers a random share is drawn anew each time, of each part 1,000 at least;
    drawn with chance c, a customer's deviation from the expectation counts c^-1/2 fold, so that the sum has the right variance.
    Without a converged model, or with fewer than 40 refits, there are no rows: no interval can be told.
    """
    parts = int(part.max(initial=-1)) + 1
    nothing = PartDraws(np.empty((0, parts)), np.empty((0, parts)), np.empty(0), resamples, _percentiles([], models))
    if not (models[0].converged and models[1].converged):
        return nothing
    base = _base(summary)
    shown, random = _shown(base, models[0], horizon, part), np.random.default_rng([seed, 1])
    purchases, values, drawn = [], [], []
    for again in _refits(base, models, resamples=resamples, seed=seed):
        if again:
            bought, worth = _outcome(base, shown, again, random)
            purchases.append(total_weights(shown.part, bought, size=parts))
            values.append(total_weights(shown.part, worth, size=parts))
            drawn.append((*again, new_customer_value(*again, horizon=horizon)))
    if len(drawn) < _FEWEST_REFITS:
        return nothing
    new = np.array([value for *_, value in drawn])
    return PartDraws(np.array(purchases), np.array(values), new, resamples - len(drawn), _percentiles(drawn, models))


def _shown(base: _Base, purchases: Model, horizon: Horizon, part: Integers) -> _Shown:
    counted = np.flatnonzero(part >= 0)
    group, summary = base.groups.group[counted], base.summary.iloc[counted]
    frequency, value = (summary[name].to_numpy(dtype=np.float64) for name in ("frequency", "repeat_value_mean"))
    known = np.where((frequency > 0) & (value > 0), frequency, 0.0)
    discounted, plain = (_bought_if_alive(base, purchases, weights) for weights in (horizon.discounted(), horizon.total()))
    size = np.bincount(part[counted])
    chance = np.maximum(OUTCOMES_DRAWN / max(len(counted), 1), _FEWEST_OF_A_PART / np.maximum(size, 1))[part[counted]]
    return _Shown(
        part=part[counted],
        group=group,
        at=(base.past.frequency[group], base.past.age[group]),
        spent=Spent(known, known * np.where(known > 0, value, 0.0)),
        discounting=(discounted / plain)[group],
        chance=np.minimum(chance, 1.0),
        summary=summary,
        horizon=horizon,
    )


def _outcome(base: _Base, shown: _Shown, models: tuple[Model, Model], random: Generator) -> tuple[Floats, Floats]:
    """Return the purchases (undiscounted) and the value of each customer shown, drawn once from `models`."""
    purchases, spend = models
    end = shown.horizon.total()
    alive = probability_alive(purchases, base.groups.frame)
    if (shown.chance == 1).all():
        bought = drawn_purchases(purchases, shown.at, alive=alive[shown.group], weeks=float(end.weeks[-1]), random=random)
        return bought, shown.discounting * drawn_spend(spend, shown.spent, purchases=bought, random=random)
    bought = (alive * _bought_if_alive(base, purchases, end))[shown.group]
    worth = bought * expected_spend(spend, shown.summary)
    some = np.flatnonzero(random.random(len(bought)) < shown.chance)
    at, spent = (shown.at[0][some], shown.at[1][some]), Spent(shown.spent.purchases[some], shown.spent.total[some])
    drawn = drawn_purchases(purchases, at, alive=alive[shown.group[some]], weeks=float(end.weeks[-1]), random=random)
    brought = drawn_spend(spend, spent, purchases=drawn, random=random)
    weight = shown.chance[some] ** -0.5
    bought[some] += weight * (drawn - bought[some])
    worth[some] += weight * (brought - worth[some])
    return bought, shown.discounting * worth


def _refits(base: _Base, models: tuple[Model, Model], *, resamples: int, seed: int) -> Iterator[tuple[Model, Model] | None]:
    """Give both models refitted to each resample of the customers, or None where they do not converge."""
    purchases, spend = models
    refitters = (_refitter(purchases, _purchase_objective(purchases, base.past)), _refitter(spend, partial(gamma_gamma, spend=base.spend)))
    random, customers = np.random.default_rng(seed), len(base.summary)
    for _ in range(resamples):
        weight = np.bincount(random.integers(0, customers, customers), minlength=customers).astype(np.float64)
        yield _refitted(base, weight, refitters, models)


def _base(summary: pd.DataFrame) -> _Base:
    groups = customer_groups(summary, cells_above=CELLS_ABOVE_CUSTOMERS)
    past = history(groups.frame)
    usable = (summary["frequency"] > 0) & (summary["repeat_value_mean"] > 0)
    points, basis = _age_interpolation(past.age)
    return _Base(groups, past, spend_of(summary), np.flatnonzero(usable.to_numpy()), points, basis, summary)


def _age_interpolation(age: Floats) -> tuple[Floats, Floats]:
    """Return Chebyshev points in ln(1 + age in weeks), as ages, and the matrix from values there to values at `age`."""
    scale = np.log1p(age)
    low, high = float(scale.min()), float(scale.max())
    if high - low < 1e-9:
        return np.array([age[0]]), np.ones((len(age), 1))
    nodes = chebyshev.chebpts1(_AGES)
    at_nodes = chebyshev.chebvander(nodes, _AGES - 1)
    at_ages = chebyshev.chebvander(2 * (scale - low) / (high - low) - 1, _AGES - 1)
    return np.expm1(low + (nodes + 1) / 2 * (high - low)), at_ages @ np.linalg.inv(at_nodes)


def _purchase_objective(model: Model, past: History) -> Objective:
    return partial(beta_geometric, past=past, drops_at_once=model.name == "mbg_nbd")


def _refitter(model: Model, objective: Objective) -> Callable[[Objective, float], Model | None]:
    """Return a function that refits `model` to another objective, starting with the point estimate and its curvature."""
    start = np.log(model.values())
    sizes, axes = np.linalg.eigh(curvature_at(objective, start) / model.customers)
    inverse = axes @ np.diag(1 / np.maximum(sizes, _LEAST_CURVATURE)) @ axes.T
    inverse = (inverse + inverse.T) / 2  # rounding leaves it not quite symmetric

    def refit(resampled: Objective, customers: float) -> Model | None:
        def loss(log_params: Floats) -> tuple[float, Floats]:
            found = resampled(log_params)
            return -found.value / customers, -found.gradient / customers

        with np.errstate(all="ignore"):  # a first step too far may overflow; the line search turns back
            found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": _FLAT, "maxiter": 60, "hess_inv0": inverse})
        # The two parameters of leaving may run off: nobody leaves in some resamples, and their forecasts stand.
        fixed = slice(2) if model.name in PURCHASE_MODELS else slice(None)
        is_near = np.abs(found.x - start)[fixed].max() < _FARTHEST
        if not (is_near and np.abs(found.jac).max() < 10 * _FLAT):
            return None
        return dataclasses.replace(model, params=dict(zip(PARAMETERS[model.name], np.exp(found.x).tolist(), strict=True)))

    return refit


def _refitted(
    base: _Base, weight: Floats, refitters: tuple[Callable[[Objective, float], Model | None], ...], models: tuple[Model, Model]
) -> tuple[Model, Model] | None:
    """Return both models of one resample, or None when one does not converge."""
    past = reweighted(base.past, total_weights(base.groups.group, weight, size=len(base.past.age)))
    drawn = weight[base.spend_rows]
    purchases = refitters[0](_purchase_objective(models[0], past), past.customers)
    spend = refitters[1](partial(gamma_gamma, spend=base.spend._replace(weight=drawn)), float(drawn.sum()))
    if purchases is None or spend is None or spend.has_infinite_mean:
        return None
    return purchases, spend


def _bought_if_alive(base: _Base, purchases: Model, weights: HorizonWeights) -> Floats:
    """Return the weighted expected purchases of an active customer of each group."""
    ages = len(base.age_points)
    at = (np.repeat(base.past.distinct, ages), np.tile(base.age_points, len(base.past.distinct)))
    by_point = beta_geometric_purchases(purchases, at, weights, points=_POINTS).reshape(-1, ages)
    return np.asarray((by_point[base.past.position] * base.age_basis).sum(axis=1), dtype=np.float64)


def _percentiles(drawn: list[tuple[Model, Model, float]], models: tuple[Model, Model]) -> pd.DataFrame:
    rows = []
    for place, model in enumerate(models):
        for name in PARAMETERS[model.name]:
            values = [cast("Model", one[place]).params[name] for one in drawn]
            low, median, high = (
                np.quantile(values, [(1 - CONFIDENCE) / 2, 0.5, (1 + CONFIDENCE) / 2]).tolist() if values else [math.nan] * 3
            )
            rows.append({"model": model.name, "parameter": name, "low": low, "median": median, "high": high})
    return pd.DataFrame(rows)
