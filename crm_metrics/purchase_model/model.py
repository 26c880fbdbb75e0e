"""What a fitted model is: plain numbers that can be kept as JSON."""

import math
from dataclasses import dataclass
from typing import Literal

from crm_metrics.language import noop

DAYS_PER_WEEK = 7.0

ModelName = Literal["bg_nbd", "mbg_nbd", "pareto_nbd", "gamma_gamma"]
PURCHASE_MODELS: tuple[ModelName, ...] = ("bg_nbd", "mbg_nbd", "pareto_nbd")
PARAMETERS: dict[ModelName, tuple[str, ...]] = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "mbg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
    "gamma_gamma": ("p", "q", "v"),
}

DROPOUT_UNKNOWN = noop(
    "The data tell how often these customers buy, but not how they leave: in the fit hardly anybody does, or all at one rate. The "
    "forecast stands; the two parameters of leaving mean little, and P(alive) with them."
)


@dataclass(frozen=True)
class Model:
    """One fitted model.

    params: by their names in the papers; times in weeks, money in reporting currency; NaN when there was nothing to fit.
    standard_errors: of each parameter, from the inverse of the numerically differentiated gradient; NaN when unknown.
    log_likelihood: of all `customers`, not a mean. customers: those fitted on. converged: gradient zero, curvature right,
    parameters of a plausible size; a model that has not converged must not be shown as a forecast.
    is_dropout_unknown: the data fix how often customers buy but not how they leave: in the fit nobody does, or all at one rate. The
    forecast stands; the two parameters of leaving mean little and have no standard errors (see DROPOUT_UNKNOWN).
    sampled: fitted on a seeded sample of the customers. fitter: whose optimiser gave the point.
    left_out, correlation: Gamma-Gamma only: repeaters without a positive value, and Pearson's correlation of frequency and
    mean value (the model takes it to be zero).
    """

    name: ModelName
    params: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    customers: int
    converged: bool
    time_unit: Literal["week"] = "week"
    is_dropout_unknown: bool = False
    sampled: bool = False
    fitter: Literal["lifetimes", "own", "none"] = "none"
    left_out: int = 0
    correlation: float = math.nan

    def values(self) -> tuple[float, ...]:
        """Return the parameters in the order of the paper."""
        return tuple(self.params[name] for name in PARAMETERS[self.name])

    @property
    def has_infinite_mean(self) -> bool:
        """Return whether the Gamma-Gamma's population mean is infinite (q <= 1)."""
        return self.name == "gamma_gamma" and self.params["q"] <= 1


def unfitted(name: ModelName, *, customers: int, left_out: int = 0) -> Model:
    """Return the model of data that cannot be fitted: every number unknown, not converged."""
    nothing = dict.fromkeys(PARAMETERS[name], math.nan)
    return Model(
        name=name,
        params=nothing,
        standard_errors=dict(nothing),
        log_likelihood=math.nan,
        customers=customers,
        converged=False,
        left_out=left_out,
    )
