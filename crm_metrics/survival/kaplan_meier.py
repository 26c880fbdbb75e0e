"""The share that lasts at least so long, from how many ended and how many were still there when they were last seen."""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import CONFIDENCE

Floats = npt.NDArray[np.float64]


class Quantile(NamedTuple):
    """The duration by which a share has ended, and its bounds: infinite where the band does not reach the share; NaN where unknown."""

    value: float
    low: float
    high: float


def kaplan_meier(counts: pd.DataFrame, *, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Return the survival curve, one row per duration that occurs, from the shortest on.

    counts: duration, ended, censored (how many ended after so long, how many had not when they were last seen; rows of one duration are
    added up). Those censored at a duration count as at risk at it.

    duration, at_risk (reached the duration), ended, censored, survival (the share that lasts longer), low, high: Kaplan and Meier (1958),
    Journal of the American Statistical Association 53, 457-481, with Greenwood's variance on the scale log(-log S), so that the band stays
    within 0 and 1 (Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, section 1.4). No band before the first
    end, where nothing is known of the spread, and none where all have ended.

    >>> curve = kaplan_meier(pd.DataFrame({"duration": [1, 2, 3], "ended": [1, 0, 1], "censored": [0, 1, 0]}))
    >>> curve["survival"].round(3).tolist()
    [0.667, 0.667, 0.0]
    """
    summed = counts[["duration", "ended", "censored"]].groupby("duration", as_index=False).sum().sort_values("duration", ignore_index=True)
    ended, left = summed["ended"].to_numpy(dtype=float), (summed["ended"] + summed["censored"]).to_numpy(dtype=float)
    at_risk = np.cumsum(left[::-1])[::-1]
    survival = np.cumprod(1 - ended / np.maximum(at_risk, 1))
    low, high = _band(survival, ended, at_risk, NormalDist().inv_cdf((1 + confidence) / 2))
    return summed.assign(at_risk=at_risk.astype(np.int64), survival=survival, low=low, high=high)[
        ["duration", "at_risk", "ended", "censored", "survival", "low", "high"]
    ]


def _band(survival: Floats, ended: Floats, at_risk: Floats, z: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(ended / (at_risk * (at_risk - ended)))
        spread = z * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(spread), survival ** np.exp(-spread)
    known = (survival > 0) & (survival < 1)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def quantile(curve: pd.DataFrame, share: float = 0.5) -> Quantile:
    """Return the duration by which `share` has ended; NaN where so many never ended. curve: see kaplan_meier.

    The bounds are where the band crosses the share (Brookmeyer and Crowley 1982, Biometrics 38, 29-41).

    >>> curve = kaplan_meier(pd.DataFrame({"duration": [1, 2, 3], "ended": [1, 0, 1], "censored": [0, 1, 0]}))
    >>> quantile(curve).value
    3.0
    """
    value, low, high = (_first_at_most(curve, name, 1 - share) for name in ("survival", "low", "high"))
    if math.isinf(value):
        return Quantile(math.nan, low if math.isfinite(low) else math.nan, math.inf if math.isfinite(low) else math.nan)
    return Quantile(value, min(low, value), high)


def _first_at_most(curve: pd.DataFrame, name: str, level: float) -> float:
    # where all have ended there is no band: what is known of it from before goes on
    values = curve[name].where(curve["survival"] < 1).ffill().to_numpy(dtype=float)
    reached = np.flatnonzero(values <= level + _ROUNDING)
    return float(curve["duration"].iloc[reached[0]]) if len(reached) else math.inf


_ROUNDING = 1e-12  # a product of shares that should be one half


def at(curve: pd.DataFrame, duration: float) -> pd.Series:
    """Return the curve at a duration: survival, low, high; NaN beyond the longest that was followed. curve: see kaplan_meier."""
    held = curve[curve["duration"] <= duration]
    if not len(curve) or duration > curve["duration"].iloc[-1]:
        return pd.Series({"survival": math.nan, "low": math.nan, "high": math.nan})
    if not len(held):
        return pd.Series({"survival": 1.0, "low": math.nan, "high": math.nan})
    return held[["survival", "low", "high"]].iloc[-1]
