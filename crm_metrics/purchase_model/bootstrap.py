"""How sure are the parameters? Both models refitted to resamples of the customers.

Customers are drawn with replacement (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13). That gives weights to the
groups of equal histories, so that a refit costs a few evaluations of the weighted likelihood from the point estimate. What the customers
may bring under the refitted models is in the module prediction.
"""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from crm_metrics.purchase_model.groups import Floats, History, Integers, customer_groups, history, reweighted, total_weights
from crm_metrics.purchase_model.likelihood import Spend, beta_geometric, gamma_gamma, reweighted_spend, spend_of
from crm_metrics.purchase_model.model import PARAMETERS, PURCHASE_MODELS, Model
from crm_metrics.purchase_model.optimise import Objective, curvature_at

RESAMPLES = 200
CONFIDENCE = 0.95
CELLS_ABOVE_CUSTOMERS = 20_000  # weekly cells with mean recency and age: the total moves by less than .2%, the interval by far less
LARGEST_RESAMPLE = 100_000  # of more customers so many are drawn, and the parameters' deviations are shrunk to the size of all
_FEWEST_REFITS = 40  # under these a 2.5% percentile is the smallest value drawn
_FLAT = 1e-5  # mean gradient at which a refit counts as done: 1% of a standard error at 10,000 customers
_LEAST_CURVATURE = 1e-4  # per customer; along a ridge the first step is limited to that of this curvature
_FARTHEST = math.log(1_000)  # a refit whose parameter is a thousand times the estimate's has run off on a ridge

Pair = tuple[Model, Model]
_Refit = Callable[[Objective, float], Model | None]


class Refits(NamedTuple):
    """pairs: both models, of each resample for which both converged; none when they are too few to tell an interval.

    failed: resamples left out. parameters: one row per parameter of both models: model, parameter, low, median, high.
    """

    pairs: tuple[Pair, ...]
    failed: int
    parameters: pd.DataFrame


class _Base(NamedTuple):
    """What all refits share. drawn: customers of a resample; spend_rows: the customers of `spend`."""

    customers: int
    drawn: int
    group: Integers
    past: History
    spend: Spend
    spend_rows: Integers


def refitted(summary: pd.DataFrame, models: Pair, *, resamples: int = RESAMPLES, seed: int = 1) -> Refits:
    """Return `models` refitted to `resamples` resamples of the customers.

    summary: frequency, recency_days, age_days, repeat_value_mean. models: the BG/NBD or MBG/NBD and the Gamma-Gamma fitted on it, where
    each refit starts. Of n customers more than LARGEST_RESAMPLE that many, m, are drawn, and each parameter's deviation from the
    estimate, in logarithms, counts (m / n)^1/2: the m out of n bootstrap (Bickel, Götze and van Zwet 1997, Statistica Sinica 7).
    Without two converged models whose values are finite, or with fewer than 40 refits, there are none: no interval can be told.
    """
    pairs: list[Pair] = []
    if models[0].converged and models[1].converged and not models[1].has_infinite_mean:
        base, random = _base(summary), np.random.default_rng(seed)
        refits = _refits(base, models)
        for _ in range(resamples):
            weight = np.bincount(random.integers(0, base.customers, base.drawn), minlength=base.customers).astype(np.float64)
            pair = _refitted(base, weight, models, refits=refits)
            if pair:
                pairs.append(pair)
    kept = tuple(pairs) if len(pairs) >= _FEWEST_REFITS else ()
    return Refits(kept, resamples - len(kept), _percentiles(kept, models))


def _base(summary: pd.DataFrame) -> _Base:
    groups = customer_groups(summary, cells_above=CELLS_ABOVE_CUSTOMERS)
    usable = (summary["frequency"] > 0) & (summary["repeat_value_mean"] > 0)
    return _Base(
        customers=len(summary),
        drawn=min(len(summary), LARGEST_RESAMPLE),
        group=groups.group,
        past=history(groups.frame),
        spend=spend_of(summary),
        spend_rows=np.flatnonzero(usable.to_numpy()),
    )


def _refits(base: _Base, models: Pair) -> tuple[_Refit, _Refit]:
    purchases, spend = models
    shrunk = (base.drawn / base.customers) ** 0.5
    return (
        _refitter(purchases, _purchase_objective(purchases, base.past), shrunk=shrunk),
        _refitter(spend, partial(gamma_gamma, spend=base.spend), shrunk=shrunk),
    )


def _purchase_objective(model: Model, past: History) -> Objective:
    return partial(beta_geometric, past=past, drops_at_once=model.name == "mbg_nbd")


def _refitter(model: Model, objective: Objective, *, shrunk: float = 1.0) -> _Refit:
    """Return a function that refits `model` to another objective, starting with the point estimate and its curvature.

    shrunk: what a deviation from the point estimate counts.
    """
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
        params = np.exp(start + shrunk * (found.x - start))
        return dataclasses.replace(model, params=dict(zip(PARAMETERS[model.name], params.tolist(), strict=True)))

    return refit


def _refitted(base: _Base, weight: Floats, models: Pair, *, refits: tuple[_Refit, _Refit]) -> Pair | None:
    """Return both models of one resample, or None when one does not converge."""
    past = reweighted(base.past, total_weights(base.group, weight, size=len(base.past.age)))
    purchases = refits[0](_purchase_objective(models[0], past), past.customers)
    spent = reweighted_spend(base.spend, weight[base.spend_rows])
    spend = refits[1](partial(gamma_gamma, spend=spent), spent.customers)
    if purchases is None or spend is None or spend.has_infinite_mean:
        return None
    return purchases, spend


def _percentiles(pairs: tuple[Pair, ...], models: Pair) -> pd.DataFrame:
    rows = []
    for place, model in enumerate(models):
        for name in PARAMETERS[model.name]:
            values = [pair[place].params[name] for pair in pairs]
            low, median, high = (
                np.quantile(values, [(1 - CONFIDENCE) / 2, 0.5, (1 + CONFIDENCE) / 2]).tolist() if values else [math.nan] * 3
            )
            rows.append({"model": model.name, "parameter": name, "low": low, "median": median, "high": high})
    return pd.DataFrame(rows)
