"""Draws that several parts need."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from crm_metrics.demo.world import Floats, Integers


def by_shares(luck: Floats, shares: npt.ArrayLike) -> Integers:
    """Return places drawn by `shares` from uniform numbers. shares: of each place, adding up to 1; one row for all, or a row per number.

    >>> by_shares(np.array([0.05, 0.95]), (0.1, 0.9)).tolist()
    [0, 1]
    """
    limits = np.cumsum(np.asarray(shares, dtype=np.float64), axis=-1)[..., :-1]
    return (luck[:, None] >= limits).sum(axis=1)


def gamma(random: np.random.Generator, mean: float | Floats, *, shape: float | Floats, count: int | None = None) -> Floats:
    """Return gamma distributed numbers with a stated mean. count: how many, where the mean is one number."""
    return random.gamma(shape, size=count if count is not None else np.shape(mean)) / shape * mean


def column(entries: Sequence[Any], name: str) -> npt.NDArray[Any]:
    """Return one field of all entries of a catalogue."""
    return np.array([getattr(entry, name) for entry in entries])
