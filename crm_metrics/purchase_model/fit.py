"""Point estimates of the purchase and spend models.

The estimate shown is that of lifetimes' fitters, on exact grouped days with weights, without a penalizer. Our own likelihood gives
its total log-likelihood and standard errors, checks that it is the top, takes its place where lifetimes fails, and fits sets too
large for lifetimes.
"""

import math
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from crm_metrics.purchase_model import from_lifetimes
from crm_metrics.purchase_model.groups import CELLS_ABOVE_CUSTOMERS, Floats, History, customer_groups, history
from crm_metrics.purchase_model.likelihood import Spend, beta_geometric, gamma_gamma, pareto_nbd, spend_of
from crm_metrics.purchase_model.model import PARAMETERS, Model, ModelName, unfitted
from crm_metrics.purchase_model.optimise import (
    Problem,
    Top,
    ascent,
    climb,
    curvature_at,
    curvature_of_value,
    judged,
    standard_errors,
    with_gradient,
)

Fitter = Literal["lifetimes", "own"]

PARETO_CUSTOMERS = 20_000  # Nelder-Mead on hypergeometric functions: a million customers would take minutes
LESS_BY = 1e-3  # how much less log-likelihood than our own top lifetimes' estimate may have


def fit_bg_nbd(summary: pd.DataFrame) -> Model:
    """Return the BG/NBD (Fader, Hardie and Lee 2005) of `summary`: one row per customer, frequency, recency_days, age_days.

    All customers belong in it, one-time buyers included. Ask data_gate first: too little data give a model not converged.
    """
    return _fit_beta_geometric("bg_nbd", summary)


def fit_mbg_nbd(summary: pd.DataFrame) -> Model:
    """Return the MBG/NBD (Batislam et al. 2007; Wagner and Hoppe 2008) of `summary`, as fit_bg_nbd does."""
    return _fit_beta_geometric("mbg_nbd", summary)


def fit_pareto_nbd(summary: pd.DataFrame, *, seed: int = 1) -> Model:
    """Return the Pareto/NBD (Schmittlein, Morrison and Colombo 1987) of `summary`, as fit_bg_nbd does.

    Above PARETO_CUSTOMERS customers it is fitted on that many drawn at random by `seed`; `sampled` says so.
    """
    sampled = len(summary) > PARETO_CUSTOMERS
    fitted_on = summary.sample(PARETO_CUSTOMERS, random_state=seed) if sampled else summary
    if not _has_repeats(fitted_on):
        return unfitted("pareto_nbd", customers=len(fitted_on))
    past = history(customer_groups(fitted_on).frame)
    age = _mean_age(past)
    top = _pareto_top(past, ascent(_pareto_problem(past), np.log([0.5, age / 2, 0.5, age / 2])))
    fitter: Fitter = "own"
    # On a ridge lifetimes' Nelder-Mead takes its 2,000 steps (10 s on 946 customers) and ends on the ridge too: not asked then.
    is_peak = top.converged and not top.is_degenerate
    found = from_lifetimes.pareto_nbd(past, seed=seed, top=top.log_params) if is_peak else None
    if found is not None:
        theirs = _pareto_top(past, found)
        if theirs.converged and theirs.value > top.value - LESS_BY:
            top, fitter = theirs, "lifetimes"
    model = _model("pareto_nbd", _pareto_problem(past), top, fitter=fitter)
    return replace(model, sampled=sampled)


def fit_gamma_gamma(summary: pd.DataFrame) -> Model:
    """Return the Gamma-Gamma model (Fader and Hardie 2013) of the repeaters of `summary`: frequency, repeat_value_mean.

    Repeaters without a positive value are left out and counted. Where fewer than 2 are left, or all spend the same, it is unknown.
    """
    spend = spend_of(summary)
    left_out = int((summary["frequency"] > 0).sum()) - len(spend.weight)
    if len(spend.weight) < 2 or np.ptp(spend.mean_value) == 0:
        return unfitted("gamma_gamma", customers=len(spend.weight), left_out=left_out)
    level = float(spend.mean_value.mean())
    problem = Problem(partial(gamma_gamma, spend=spend), spend.customers, np.log([1.0, 1.0, level]), essential=3)
    own = climb(problem, [np.log([p, q, level * (q - 1) / p]) for p, q in ((3.0, 3.0), (6.0, 4.0), (1.0, 2.0), (1.0, 10.0))])
    found = None
    if len(spend.weight) <= CELLS_ABOVE_CUSTOMERS:
        found = from_lifetimes.gamma_gamma(spend, starts=[np.log([3.0, 3.0, level]), own.log_params])
    top, fitter = _chosen(problem, own, found)
    model = _model("gamma_gamma", problem, top, fitter=fitter)
    return replace(model, left_out=left_out, correlation=_correlation(spend))


def _fit_beta_geometric(name: Literal["bg_nbd", "mbg_nbd"], summary: pd.DataFrame) -> Model:
    if not _has_repeats(summary):
        return unfitted(name, customers=len(summary))
    past = history(customer_groups(summary).frame)
    objective = partial(beta_geometric, past=past, drops_at_once=name == "mbg_nbd")
    age = _mean_age(past)
    problem = Problem(objective, past.customers, np.log([1.0, age, 1.0, 1.0]), essential=2)
    shapes = ((0.5, 0.3, 1.0, 3.0), (2.0, 1.0, 0.5, 5.0), (0.2, 0.1, 1.0, 1.0), (1.0, 0.5, 0.1, 1.0))
    own = climb(problem, [np.log([r, alpha * age, a, b]) for r, alpha, a, b in shapes])
    found = None
    if len(summary) <= CELLS_ABOVE_CUSTOMERS:
        found = from_lifetimes.beta_geometric(past, name=name, starts=[None, own.log_params])
    top, fitter = _chosen(problem, own, found)
    return _model(name, problem, top, fitter=fitter)


def _has_repeats(summary: pd.DataFrame) -> bool:
    return len(summary) > 1 and bool((summary["frequency"] > 0).any()) and bool((summary["age_days"] > 0).any())


def _mean_age(past: History) -> float:
    """Return the mean age in weeks, at least a day."""
    return max(float((past.age * past.weight).sum()) / past.customers, 1 / 7)


def _chosen(problem: Problem, own: Top, found: Floats | None) -> tuple[Top, Fitter]:
    """Return lifetimes' estimate, or our own where lifetimes has none or one that is lower."""
    if found is None or not np.isfinite(found).all():
        return own, "own"
    top = judged(problem, found, curvature_at(problem.objective, found))
    if own.value > top.value + LESS_BY or (own.converged and not top.converged):
        return own, "own"
    return top, "lifetimes"


def _pareto_problem(past: History) -> Problem:
    age = _mean_age(past)
    return Problem(with_gradient(partial(pareto_nbd, past=past)), past.customers, np.log([1.0, age, 1.0, age]), essential=2)


def _pareto_top(past: History, log_params: Floats) -> Top:
    with np.errstate(all="ignore"):  # on a ridge the numbers overflow, and the point is then no top
        return judged(_pareto_problem(past), log_params, curvature_of_value(partial(pareto_nbd, past=past), log_params))


def _correlation(spend: Spend) -> float:
    """Return Pearson's correlation of frequency and mean value; NaN when one does not vary."""
    return float(np.corrcoef(spend.frequency, spend.mean_value)[0, 1]) if np.ptp(spend.frequency) > 0 else math.nan


def _model(name: ModelName, problem: Problem, top: Top, *, fitter: Fitter) -> Model:
    errors = standard_errors(problem, top)
    params = np.exp(top.log_params)
    return Model(
        name=name,
        params=dict(zip(PARAMETERS[name], params.tolist(), strict=True)),
        standard_errors=dict(zip(PARAMETERS[name], errors.tolist(), strict=True)),
        log_likelihood=top.value,
        customers=round(problem.customers),
        converged=top.converged,
        is_dropout_unknown=top.converged and top.is_degenerate,
        fitter=fitter,
    )
