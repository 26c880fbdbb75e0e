"""Maximise a log-likelihood in the logarithms of its parameters, with errors from its curvature."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from crm_metrics.purchase_model.groups import Floats
from crm_metrics.purchase_model.likelihood import LogLikelihood

Objective = Callable[[Floats], LogLikelihood]

# Mean gradient per customer at which a point counts as the top: at a thousand customers some .1% of a standard error.
GRADIENT_AT_TOP = 1e-5
# A parameter outside this range, times in mean ages and money in mean values, is a ridge and no estimate: all one-time buyers
# "converge" to r .00025 and alpha 470,000.
SMALLEST, LARGEST = 1e-3, 1e4
_STEP = 1e-4  # central difference of a gradient: error about 1e-8
_STEP_OF_VALUE = 1e-3  # second difference of a value: rounding and curvature errors are then both under .1%
_MOST_STEPS = 200  # CDNOW takes 30; on a ridge more steps lead nowhere


class Problem(NamedTuple):
    """What to climb. customers: the sum of weights; log_scale: logarithm of each parameter's natural unit in these data.

    essential: how many parameters, from the first, must be fixed by the data: the forecasts of the purchase models stand when only
    the two of leaving, which come last, are not.
    """

    objective: Objective
    customers: float
    log_scale: Floats
    essential: int


class Top(NamedTuple):
    """Where a log-likelihood is highest. log_params; value; curvature: minus its Hessian there.

    converged: flat, and the essential parameters are fixed. is_degenerate: the others are not: they lie on a ridge.
    """

    log_params: Floats
    value: float
    curvature: Floats
    converged: bool
    is_degenerate: bool


def climb(problem: Problem, starts: Iterable[Floats]) -> Top:
    """Return the first top reached from `starts` that is no ridge; else the best point, tops first."""
    found = []
    for start in starts:
        top = _polished(problem, ascent(problem, start))
        if top.converged and not top.is_degenerate:
            return top
        found.append(top)
    return max(found, key=lambda top: (top.converged, top.value))


def ascent(problem: Problem, start: Floats) -> Floats:
    """Return where L-BFGS ends from `start`."""

    def loss(log_params: Floats) -> tuple[float, Floats]:
        found = problem.objective(log_params)
        if not (math.isfinite(found.value) and np.isfinite(found.gradient).all()):
            return 1e10, np.zeros_like(log_params)
        return -found.value / problem.customers, -found.gradient / problem.customers

    widest = 2 * math.log(LARGEST)
    bounds = [(unit - widest, unit + widest) for unit in problem.log_scale]
    with np.errstate(all="ignore"):  # far from the top numbers may overflow; `loss` turns such points away
        options = {"maxiter": _MOST_STEPS, "ftol": 1e-13, "gtol": 1e-8}
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x, dtype=np.float64)


def _polished(problem: Problem, log_params: Floats) -> Top:
    """Return the top after at most four Newton steps from `log_params`; each is kept only if it climbs."""
    here, curvature = problem.objective(log_params), curvature_at(problem.objective, log_params)
    for _ in range(4):
        if not _is_peak(curvature) or np.abs(here.gradient).max() / problem.customers < 1e-10:
            break
        step = np.linalg.solve(curvature, here.gradient)
        if np.abs(step).max() > 1:
            break
        there = problem.objective(log_params + step)
        if not there.value >= here.value:
            break
        log_params, here = log_params + step, there
        curvature = curvature_at(problem.objective, log_params)
    return judged(problem, log_params, curvature)


def judged(problem: Problem, log_params: Floats, curvature: Floats) -> Top:
    """Return the point and whether it is a top: flat, curved downwards, finite, its parameters of a plausible size."""
    here = problem.objective(log_params)
    flat = bool(np.isfinite(here.gradient).all()) and float(np.abs(here.gradient).max()) / problem.customers < GRADIENT_AT_TOP
    size = log_params - problem.log_scale
    plausible = (size > math.log(SMALLEST)) & (size < math.log(LARGEST))
    first = slice(problem.essential)
    converged = math.isfinite(here.value) and flat and bool(plausible[first].all()) and _is_peak(curvature[first, first])
    return Top(log_params, here.value, curvature, converged, is_degenerate=not (plausible.all() and _is_peak(curvature)))


def curvature_at(objective: Objective, log_params: Floats) -> Floats:
    """Return minus the Hessian by central differences of the gradient."""
    rows = [objective(log_params - e).gradient - objective(log_params + e).gradient for e in np.eye(len(log_params)) * _STEP]
    curvature = np.array(rows) / (2 * _STEP)
    return np.asarray((curvature + curvature.T) / 2, dtype=np.float64)


def with_gradient(value: Callable[[Floats], float]) -> Objective:
    """Return `value` with its gradient by central differences, for a likelihood whose gradient is not written out."""

    def objective(log_params: Floats) -> LogLikelihood:
        slopes = [value(log_params + e) - value(log_params - e) for e in np.eye(len(log_params)) * _STEP]
        return LogLikelihood(value(log_params), np.array(slopes) / (2 * _STEP))

    return objective


def curvature_of_value(value: Callable[[Floats], float], log_params: Floats) -> Floats:
    """Return minus the Hessian by second differences of the value."""
    steps = np.eye(len(log_params)) * _STEP_OF_VALUE
    size = len(steps)
    curvature = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            one, two = steps[i], steps[j]
            across = value(log_params + one - two) + value(log_params - one + two)
            along = value(log_params + one + two) + value(log_params - one - two)
            curvature[i, j] = curvature[j, i] = (across - along) / (4 * _STEP_OF_VALUE**2)
    return curvature


def standard_errors(problem: Problem, top: Top) -> Floats:
    """Return the standard error of each parameter (not of its logarithm); NaN for those on a ridge."""
    errors = np.full(len(top.log_params), np.nan)
    fixed = slice(problem.essential if top.is_degenerate else None)
    if top.converged:
        errors[fixed] = np.exp(top.log_params[fixed]) * np.sqrt(np.diag(np.linalg.inv(top.curvature[fixed, fixed])))
    return errors


def _is_peak(curvature: Floats) -> bool:
    return bool(np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature).min() > 0)
