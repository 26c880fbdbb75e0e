"""What came of the test? The difference of the arms, analysed as they were split, and whether the arms are as planned.

A plain Welch test of a stratified split takes the variance between strata for chance and hardly ever rejects: .1% where 5% is meant,
where the strata explain most of the outcome.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_metrics.metric import BadInput
from crm_metrics.randomised_test.plan import LEAST_PER_ARM

FAULTY_BELOW = 0.001  # Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapter 21


class Difference(NamedTuple):
    """What the campaign changed, per customer and in the unit of the outcome.

    estimate: treated_mean - control_mean, both weighted by the strata's shares of customers. low, high: interval of 1 - alpha.
    standard_error, degrees_of_freedom, p_value (two-sided): of the t-test. low, high, degrees_of_freedom and p_value are NaN where the
    outcome does not scatter.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees_of_freedom: float
    p_value: float
    treated_mean: float
    control_mean: float
    treated_customers: int
    control_customers: int
    strata: int


class SampleRatio(NamedTuple):
    """Whether the arms have the sizes they were planned with. p_value: of Pearson's chi-square; is_faulty: it is below FAULTY_BELOW."""

    p_value: float
    is_faulty: bool


def stratified_difference(outcomes: pd.DataFrame, *, alpha: float = 0.05) -> Difference:
    """Return the difference of treated and control from one row per customer: stratum, arm ('treated', 'control'), value.

    The difference within each stratum h, weighted by its share of customers w; its variance is the sum of w² (s1² / n1 + s0² / n0)
    (Neyman 1923, Statistical Science 5, 465-472; Imbens and Rubin 2015, Causal Inference, chapter 9), and t has the degrees of freedom
    of Satterthwaite (1946, Biometrics Bulletin 2, 110-114). Raises BadInput if an outcome is unknown, or a stratum has fewer than
    LEAST_PER_ARM customers in an arm.

    >>> outcomes = pd.DataFrame({"stratum": ["a"] * 4, "arm": ["treated", "treated", "control", "control"], "value": [5, 7, 1, 3]})
    >>> stratified_difference(outcomes).estimate
    4.0
    """
    if not len(outcomes):
        raise BadInput("No customer of the test is in these data. Choose the data that it was planned on.")
    value = outcomes["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(value).any():
        raise BadInput(
            "The outcome of {customers} customers is unknown. Every customer of the test needs one; 0 for those who bought nothing.",
            customers=f"{np.isnan(value).sum():,}",
        )
    stratum, names = pd.factorize(outcomes["stratum"], use_na_sentinel=False)
    cell = 2 * stratum + _is_treated(outcomes["arm"])
    size = np.bincount(cell, minlength=2 * len(names)).astype(np.float64)
    _check(size.reshape(-1, 2), names)
    mean = np.bincount(cell, weights=value, minlength=len(size)) / size
    variance = np.bincount(cell, weights=(value - mean[cell]) ** 2, minlength=len(size)) / (size - 1)
    share = np.repeat(size.reshape(-1, 2).sum(axis=1), 2) / size.sum()
    part = share**2 * variance / size
    control_mean, treated_mean = (share * mean).reshape(-1, 2).sum(axis=0).tolist()
    control_customers, treated_customers = size.reshape(-1, 2).sum(axis=0).astype(int).tolist()
    estimate, total = treated_mean - control_mean, float(part.sum())
    degrees = total**2 / float((part**2 / (size - 1)).sum()) if total > 0 else math.nan
    half, p_value = _t_test(estimate, math.sqrt(total), degrees, alpha=alpha)
    return Difference(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        standard_error=math.sqrt(total),
        degrees_of_freedom=degrees,
        p_value=p_value,
        treated_mean=treated_mean,
        control_mean=control_mean,
        treated_customers=treated_customers,
        control_customers=control_customers,
        strata=len(names),
    )


def relative_lift(difference: Any, half: Any, *, control_mean: Any, treated: Any, control: Any) -> tuple[Any, Any, Any]:
    """Return a difference relative to the control mean, its low and its high; numbers or columns of them.

    half: half the width of the interval of the difference. The control mean is uncertain too (delta method, Casella and Berger 2002,
    Statistical Inference, section 5.5): its part of the variance, that of arms that scatter alike, counts (1 + lift)² times.

    >>> [round(value, 3) for value in relative_lift(2.0, 1.0, control_mean=10.0, treated=500, control=500)]
    [0.2, 0.09, 0.31]
    """
    relative, control_part = difference / control_mean, treated / (treated + control)
    width = half / control_mean * (1 - control_part + (1 + relative) ** 2 * control_part) ** 0.5
    return relative, relative - width, relative + width


def sample_ratio(treated: int, control: int, *, share_control: float) -> SampleRatio:
    """Return whether `treated` and `control`, the customers of whom the outcome is known, are as many as planned.

    Arms that lost customers each in its own way can't be compared: where it is faulty, the result must not be read.

    >>> sample_ratio(5_000, 4_700, share_control=0.5)
    SampleRatio(p_value=0.0023..., is_faulty=False)
    """
    customers = treated + control
    if not customers:
        return SampleRatio(math.nan, is_faulty=False)
    planned = customers * share_control
    score = abs(control - planned) / math.sqrt(planned * (1 - share_control))  # its square is chi-square with one degree of freedom
    p_value = math.erfc(score / math.sqrt(2))
    return SampleRatio(p_value, is_faulty=p_value < FAULTY_BELOW)


def _t_test(estimate: float, standard_error: float, degrees: float, *, alpha: float) -> tuple[float, float]:
    """Return half the width of the interval of 1 - alpha, and the two-sided p-value; unknown without a standard error."""
    if not standard_error > 0:
        return math.nan, math.nan
    from scipy.special import stdtr, stdtrit

    return float(stdtrit(degrees, 1 - alpha / 2)) * standard_error, 2 * float(stdtr(degrees, -abs(estimate) / standard_error))


def _is_treated(arm: pd.Series) -> NDArray[np.bool_]:
    is_treated, is_control = ((arm == name).to_numpy(dtype=bool) for name in ("treated", "control"))
    if not (is_treated | is_control).all():
        raise ValueError("an arm is neither 'treated' nor 'control'")
    return is_treated


def _check(size: NDArray[np.float64], names: pd.Index) -> None:
    small = size.min(axis=1) < LEAST_PER_ARM
    if small.any():
        raise BadInput(
            "{strata} groups of customers have fewer than {least} treated or control customers left, such as {name}. Analyse all customers "
            "of the test as they were split.",
            strata=int(small.sum()),
            least=LEAST_PER_ARM,
            name=str(names[small][0]),
        )
