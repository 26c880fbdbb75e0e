"""The share that ends in each of several ways, where one ending rules the others out and not all have ended yet.

Kaplan-Meier would answer for each ending as if the others did not happen: the shares it gives add to more than 1.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_metrics.intervals import CONFIDENCE, Interval

Floats = npt.NDArray[np.float64]


def aalen_johansen(counts: pd.DataFrame, endings: Sequence[str], *, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Return the cumulative incidence of each ending, one row per duration that occurs, from the shortest on.

    counts: duration, a column per ending (how many ended so after so long), censored (how many had not ended when they were last seen;
    rows of one duration are added up). Those censored at a duration count as at risk at it.

    duration, at_risk (reached the duration), censored, not_ended (the share that lasts longer), and for each ending X: X_share (ended so
    by then), X_low, X_high, X_error (standard error). The shares and not_ended add to 1.

    Aalen and Johansen (1978), Scandinavian Journal of Statistics 5, 141-150; the variance by the delta method, as in Marubini and
    Valsecchi (1995), Analysing Survival Data from Clinical Trials and Observational Studies, equation 10.12: where all are followed to
    the end it is the binomial's. Interval on the scale log(-log share); none where the share is 0 or 1, where nothing is known of the
    spread.

    >>> counts = pd.DataFrame({"duration": [1, 2, 3], "won": [1, 0, 1], "lost": [0, 1, 0], "censored": [0, 1, 0]})
    >>> aalen_johansen(counts, ("won", "lost"))[["won_share", "lost_share", "not_ended"]].round(3).to_numpy().tolist()
    [[0.25, 0.0, 0.75], [0.25, 0.25, 0.5], [0.75, 0.25, 0.0]]
    """
    columns = ["duration", *endings, "censored"]
    summed = counts[columns].groupby("duration", as_index=False).sum().sort_values("duration", ignore_index=True)
    ended = summed[list(endings)].to_numpy(dtype=float)
    every = ended.sum(axis=1)
    at_risk = np.cumsum((every + summed["censored"].to_numpy(dtype=float))[::-1])[::-1]
    risks = np.maximum(at_risk, 1)  # rows that count nobody may come last
    lasting = np.cumprod(1 - every / risks)
    before = np.concatenate([[1.0], lasting[:-1]])[: len(lasting)]
    found = {"duration": summed["duration"], "at_risk": at_risk.astype(np.int64), "censored": summed["censored"], "not_ended": lasting}
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for place, ending in enumerate(endings):
        share = np.cumsum(before * ended[:, place] / risks)
        error = _error(share, before, (ended[:, place], every), risks)
        low, high = _bounds(share, error, z)
        found |= {f"{ending}_share": share, f"{ending}_low": low, f"{ending}_high": high, f"{ending}_error": error}
    return pd.DataFrame(found)


def _error(share: Floats, before: Floats, ended: tuple[Floats, Floats], at_risk: Floats) -> Floats:
    """Return the standard error of each share. ended: so, and in any way. The squares are multiplied out, so that sums run but once."""
    so, every = ended
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(every < at_risk, every / (at_risk * (at_risk - every)), 0.0)  # where all end, no share changes any more
    mixed = before * so / at_risk**2
    own = np.cumsum(before**2 * (at_risk - so) * so / at_risk**3)
    square = share**2 * np.cumsum(hazard) - 2 * share * np.cumsum(share * hazard) + np.cumsum(share**2 * hazard)
    cross = share * np.cumsum(mixed) - np.cumsum(share * mixed)
    return np.sqrt(np.maximum(square + own - 2 * cross, 0.0))


def _bounds(share: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spread = z * error / (share * np.abs(np.log(share)))
        low, high = share ** np.exp(spread), share ** np.exp(-spread)
    known = (share > _ROUNDING) & (share < 1 - _ROUNDING) & (error > _ROUNDING)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


_ROUNDING = 1e-12  # a sum of shares that should be 1


def at(curve: pd.DataFrame, durations: npt.ArrayLike) -> pd.DataFrame:
    """Return the rows of `curve` that hold at each of `durations`: its columns, duration as asked.

    Nothing has ended before the first row; nothing is known beyond the longest that was followed, unless all had ended by then.
    at_risk: reached the duration asked for.
    """
    known, wanted = curve["duration"].to_numpy(dtype=float), np.asarray(durations, dtype=float)
    names = [str(name) for name in curve]
    starting = {name: 1.0 if name == "not_ended" else 0.0 if name.endswith(("_share", "_error")) else math.nan for name in names}
    last = curve.iloc[-1:] if len(curve) and curve["not_ended"].iloc[-1] <= _ROUNDING else pd.DataFrame([dict.fromkeys(names, math.nan)])
    rows = pd.concat([pd.DataFrame([starting]), curve, last], ignore_index=True).astype(float)
    place = np.searchsorted(known, wanted, side="right")
    place[wanted > (known[-1] if len(known) else -1.0)] = len(rows) - 1
    at_risk = np.append(curve["at_risk"].to_numpy(dtype=np.int64), 0)[np.searchsorted(known, wanted, side="left")]
    return rows.iloc[place].reset_index(drop=True).assign(duration=wanted, at_risk=at_risk)


def time_to(curve: pd.DataFrame, ending: str, share: float = 0.5) -> float:
    """Return the duration by which `share` of those who end so, as far as they were followed, have; NaN where nobody has."""
    reached = curve[f"{ending}_share"].to_numpy(dtype=float)
    if not len(reached) or reached[-1] <= 0:
        return math.nan
    return float(curve["duration"].iloc[int(np.argmax(reached >= share * reached[-1] - _ROUNDING))])


def mean_time(curve: pd.DataFrame, ending: str, ended: float, *, confidence: float = CONFIDENCE) -> tuple[float, Interval]:
    """Return the mean duration of those who end so, as far as they were followed, and its interval; NaN where nobody has.

    Each time that occurs weighs as much as the share rises there, so that those who take long and had not ended when they were last seen
    are stood for by those who did. ended: how many did. The interval is the usual one of a mean of so many.
    """
    steps = np.diff(curve[f"{ending}_share"].to_numpy(dtype=float), prepend=0.0)
    if not ended or steps.sum() <= 0:
        return math.nan, Interval(math.nan, math.nan)
    days = curve["duration"].to_numpy(dtype=float)
    mean = float(np.average(days, weights=steps))
    if ended < 2:
        return mean, Interval(math.nan, math.nan)
    spread = math.sqrt(float(np.average((days - mean) ** 2, weights=steps)) * ended / (ended - 1) / ended)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    return mean, Interval(mean - half, mean + half)
