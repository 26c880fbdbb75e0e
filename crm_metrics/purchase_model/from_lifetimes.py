"""The fitters of the lifetimes package, and nothing else of it: arrays in, logarithms of parameters out.

lifetimes installs a warnings filter when it is imported and again in every evaluation, prints when it does not converge, and starts
Pareto/NBD at random: here the filters are put back, the print is swallowed and the start is drawn by a seed.
"""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from crm_metrics.purchase_model.groups import Floats, History
from crm_metrics.purchase_model.likelihood import Spend

_ONE_AT_A_TIME = threading.Lock()  # warnings filters and standard output belong to the whole process
_TOLERANCE = 1e-7  # with lifetimes' 1e-4, beta of CDNOW wanders from 11.6676 to 11.6729


def beta_geometric(past: History, *, name: Literal["bg_nbd", "mbg_nbd"], starts: Sequence[Floats | None]) -> Floats | None:
    """Return ln(r, alpha, a, b) of BetaGeoFitter or ModifiedBetaGeoFitter from the first start that converges, or None.

    starts: parameters in logarithms, alpha in weeks; None is lifetimes' own start.
    """
    scale = np.array([0.0, -np.log(past.age.max()), 0.0, 0.0])  # lifetimes scales time to a longest age of 1
    with _quiet():
        from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter

        make = BetaGeoFitter if name == "bg_nbd" else ModifiedBetaGeoFitter
        for start in starts:
            fitted = _fitted(make(), past[:4], initial_params=None if start is None else start + scale)
            if fitted is not None:
                return np.log(fitted.params_[["r", "alpha", "a", "b"]].to_numpy(dtype=np.float64))
    return None


def pareto_nbd(past: History, *, seed: int, top: Floats) -> Floats | None:
    """Return ln(r, alpha, s, beta) of ParetoNBDFitter, or None. The start is drawn as lifetimes does, by `seed`.

    top: where our own likelihood is highest. If lifetimes' likelihood is NaN there (recency equal to the age with very many
    purchases), its search is lost and is not begun.
    """
    start = np.random.default_rng(seed).normal(1.0, 0.05, 4)
    with _quiet():
        from lifetimes import ParetoNBDFitter

        if not np.isfinite(ParetoNBDFitter._negative_log_likelihood(np.exp(top), *past[:4], 0.0)):
            return None
        fitted = _fitted(ParetoNBDFitter(), past[:4], initial_params=start, tol=_TOLERANCE)
        if fitted is None:
            return None
        params = fitted.params_[["r", "alpha", "s", "beta"]].to_numpy(dtype=np.float64)
    return np.log(params) if (params > 0).all() else None


def gamma_gamma(spend: Spend, *, starts: Sequence[Floats]) -> Floats | None:
    """Return ln(p, q, v) of GammaGammaFitter from the first start that converges, or None."""
    with _quiet():
        from lifetimes import GammaGammaFitter

        for start in starts:
            fitted = _fitted(GammaGammaFitter(), (spend.frequency, spend.mean_value, spend.weight), initial_params=start)
            if fitted is not None:
                return np.log(fitted.params_[["p", "q", "v"]].to_numpy(dtype=np.float64))
    return None


def _fitted(fitter: Any, arguments: tuple[Floats, ...], **options: object) -> Any | None:
    """Return the fitter after its fit, or None when it did not converge or its curvature cannot be inverted."""
    from lifetimes.utils import ConvergenceError

    try:
        return fitter.fit(*arguments, **options)
    except (ConvergenceError, np.linalg.LinAlgError):
        return None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with _ONE_AT_A_TIME, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
