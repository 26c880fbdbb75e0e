"""How fast the pipeline brings value: velocity and its four factors, each with its interval."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import CONFIDENCE, wilson_bounds

Floats = npt.NDArray[np.float64]
MOMENTS = ("value_squares", "cycle_squares", "paired_deals", "paired_value", "paired_days", "paired_products")
"""What intervals of velocity take besides the sums: of won deals, paired where both value and days are known."""
BOUNDS = ("value_low", "value_high", "days_low", "days_high", "velocity_low", "velocity_high")

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def velocities(sums: pd.DataFrame) -> pd.DataFrame:
    """Return velocity, value a day, and its four factors of each row of sums, with intervals of 95%.

    open_deals, value_per_won_deal, value_low, value_high, win_rate_of_closed, win_rate_low, win_rate_high, days_to_win, days_low,
    days_high, velocity, velocity_low, velocity_high, won, closed. sums: statistic.SUMS and MOMENTS.

    velocity = open deals x mean value of a won deal x win rate / mean days from creation to winning. Open deals are those of today,
    counted and so certain; the rest is of the deals created in the period: what an open deal brings if it is won, how often, how soon.
    Means: Student's interval of the logarithm, whose error is the relative one (Cochran 1977, Sampling Techniques, section 6.4, of a ratio
    of means, for value a day: large deals take longer). Win rate: Wilson (1927). Both together: Zou and Donner (2008), Statistics in
    Medicine 27, 1693-1702, for the sum of two logarithms. Nothing of fewer than two won deals.
    """
    column = {str(name): values.to_numpy(dtype=float) for name, values in sums.select_dtypes("number").items()}
    won, valued, timed = column["won"], column["won"] - column["won_unvalued"], column["cycle_deals"]
    closed = won + column["lost"]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value, days, rate = column["won_value"] / valued, column["cycle_days"] / timed, won / closed
        of_value = _relative_variance(column["value_squares"], column["won_value"], valued)
        of_days = _relative_variance(column["cycle_squares"], column["cycle_days"], timed)
        together = _relative_covariance(column, value, days) * column["paired_deals"] / (valued * timed)
        spread = _quantile(np.minimum(valued, timed)) * np.sqrt(np.maximum(of_value / valued + of_days / timed - 2 * together, 0.0))
        rate_low, rate_high = wilson_bounds(won, closed)
        velocity = column["open_now"] * value * rate / days
        found = {
            "open_deals": column["open_now"],
            "value_per_won_deal": value,
            **_bounds("value", value, _quantile(valued) * np.sqrt(of_value / valued)),
            "win_rate_of_closed": rate,
            "win_rate_low": rate_low,
            "win_rate_high": rate_high,
            "days_to_win": days,
            **_bounds("days", days, _quantile(timed) * np.sqrt(of_days / timed)),
            "velocity": velocity,
            "velocity_low": velocity * np.exp(-np.hypot(spread, np.log(rate / rate_low))),
            "velocity_high": velocity * np.exp(np.hypot(spread, np.log(rate_high / rate))),
            "won": won,
            "closed": closed,
        }
    return pd.DataFrame({name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}, index=sums.index)


def _relative_variance(squares: Floats, total: Floats, n: Floats) -> Floats:
    """Return the variance of values relative to their mean. squares, total: the n values squared, and they, added up."""
    mean = total / n
    return np.asarray(np.maximum(squares - total * mean, 0.0) / (n - 1) / mean**2)


def _relative_covariance(column: dict[str, Floats], value: Floats, days: Floats) -> Floats:
    n = column["paired_deals"]
    products = column["paired_products"] - column["paired_value"] * column["paired_days"] / n
    return np.asarray(np.where(n > 1, products / (n - 1) / (value * days), 0.0))


def _quantile(n: Floats) -> Floats:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.where(n > 1, n - 1, np.nan), (1 + CONFIDENCE) / 2), dtype=float)


def _bounds(name: str, mean: Floats, spread: Floats) -> dict[str, Floats]:
    return {f"{name}_low": mean * np.exp(-spread), f"{name}_high": mean * np.exp(spread)}
