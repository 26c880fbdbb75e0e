"""Maximise a log-likelihood in the logarithms of its parameters, with errors from its curvature."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from crm_metrics.purchase_model.groups import Floats
from crm_metrics.purchase_model.likelihood import LogLikelihood

Objective = Callable[[Floats], LogLikelihood]

# Mean gradient per customer at which a point counts as the top; standard errors of the logarithms are some 1,000 times larger.
GRADIENT_AT_TOP = 1e-5
# A parameter outside this range is a ridge (all one-time buyers give r .00025, alpha 470,000), not an estimate.
SMALLEST, LARGEST = 1e-4, 1e5
_STEP = 1e-4  # central difference of a gradient: error about 1e-8
_STEP_OF_VALUE = 1e-3  # second difference of a value: rounding and curvature errors are then both under .1 %


class Top(NamedTuple):
    """Where a log-likelihood is highest. log_params; value; curvature: minus its Hessian there; converged."""

    log_params: Floats
    value: float
    curvature: Floats
    converged: bool


def climb(objective: Objective, starts: Iterable[Floats], *, customers: float) -> Top:
    """Return the first top reached from `starts`, or the best point when none is a top."""
    best: Top | None = None
    for start in starts:
        top = polished(objective, _ascent(objective, start, customers), customers=customers)
        if top.converged:
            return top
        if best is None or top.value > best.value:
            best = top
    if best is None:
        raise ValueError("climb needs at least one start.")
    return best


def _ascent(objective: Objective, start: Floats, customers: float) -> Floats:
    def loss(log_params: Floats) -> tuple[float, Floats]:
        found = objective(log_params)
        if not (math.isfinite(found.value) and np.isfinite(found.gradient).all()):
            return 1e10, np.zeros_like(log_params)
        return -found.value / customers, -found.gradient / customers

    bounds = [(-20.0, 20.0)] * len(start)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8})
    return np.asarray(found.x, dtype=np.float64)


def polished(objective: Objective, log_params: Floats, *, customers: float) -> Top:
    """Return the top after at most four Newton steps from `log_params`; each is kept only if it climbs."""
    here = objective(log_params)
    curvature = curvature_at(objective, log_params)
    for _ in range(4):
        if np.abs(here.gradient).max() / customers < 1e-10 or not _is_peak(curvature):
            break
        step = np.linalg.solve(curvature, here.gradient)
        there = objective(log_params + step) if np.abs(step).max() < 1 else here
        if not there.value >= here.value:
            break
        log_params, here = (log_params + step, there) if there is not here else (log_params, here)
        curvature = curvature_at(objective, log_params)
    return Top(log_params, here.value, curvature, is_top(log_params, here, curvature, customers=customers))


def is_top(log_params: Floats, here: LogLikelihood, curvature: Floats, *, customers: float) -> bool:
    """Return whether the point is a top: flat, curved downwards, finite, and no parameter on a ridge."""
    inside = (log_params > math.log(SMALLEST)) & (log_params < math.log(LARGEST))
    flat = np.isfinite(here.gradient).all() and np.abs(here.gradient).max() / customers < GRADIENT_AT_TOP
    return bool(math.isfinite(here.value) and flat and inside.all() and _is_peak(curvature))


def curvature_at(objective: Objective, log_params: Floats) -> Floats:
    """Return minus the Hessian by central differences of the gradient."""
    rows = [objective(log_params - e).gradient - objective(log_params + e).gradient for e in np.eye(len(log_params)) * _STEP]
    curvature = np.array(rows) / (2 * _STEP)
    return (curvature + curvature.T) / 2


def with_gradient(value: Callable[[Floats], float]) -> Objective:
    """Return `value` with its gradient by central differences, for a likelihood whose gradient is not written out."""

    def objective(log_params: Floats) -> LogLikelihood:
        slopes = [value(log_params + e) - value(log_params - e) for e in np.eye(len(log_params)) * _STEP]
        return LogLikelihood(value(log_params), np.array(slopes) / (2 * _STEP))

    return objective


def curvature_of_value(value: Callable[[Floats], float], log_params: Floats) -> Floats:
    """Return minus the Hessian by second differences of the value."""
    steps = np.eye(len(log_params)) * _STEP_OF_VALUE

    def entry(one: Floats, two: Floats) -> float:
        at = log_params
        return value(at + one - two) + value(at - one + two) - value(at + one + two) - value(at - one - two)

    return np.array([[entry(one, two) for two in steps] for one in steps]) / (4 * _STEP_OF_VALUE**2)


def standard_errors(log_params: Floats, curvature: Floats) -> Floats:
    """Return the standard error of each parameter (not of its logarithm); NaN where the curvature is not that of a top."""
    if not _is_peak(curvature):
        return np.full(len(log_params), np.nan)
    return np.asarray(np.exp(log_params) * np.sqrt(np.diag(np.linalg.inv(curvature))), dtype=np.float64)


def _is_peak(curvature: Floats) -> bool:
    return bool(np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature).min() > 0)
