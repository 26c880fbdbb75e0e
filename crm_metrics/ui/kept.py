"""Answers kept in memory for all readers of one process, up to so many megabytes; the least recently used go first.

CRM_METRICS_KEPT_MB sets how many, 1,000 unless given. Streamlit's own caches count entries only, and a table of a million customers takes
as much as ten thousand small ones.
"""

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from crm_metrics.metric import BadInput

KEPT_SETTING = "CRM_METRICS_KEPT_MB"
_DEFAULT_MB = "1000"
_FIGURE_BYTES = 150_000  # measured with tracemalloc: 135,000 with 50 points, 207,000 with 2,000
_ENTRY_BYTES = 1_000  # key, lock and list of an entry


class Kept:
    """Answers by key, together not larger than `most_bytes`; one that is larger by itself stays until the next one comes."""

    def __init__(self, most_bytes: int) -> None:
        self.held_bytes = 0
        self._most_bytes = most_bytes
        self._answers: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.RLock] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._answers

    def answer(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the answer kept under `key`, else what `make` gives: one thread computes it, the others that want it wait.

        Nobody may change an answer: all readers get the same object.
        """
        found = self._find(key)
        if found is None:
            with self._lock:
                one_at_a_time = self._making.setdefault(key, threading.RLock())
            with one_at_a_time:
                found = self._find(key) or self._make(key, make)
        return found[0]

    def _find(self, key: Hashable) -> tuple[Any, int] | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def _make(self, key: Hashable, make: Callable[[], Any]) -> tuple[Any, int]:
        try:
            made = make()
            found = (made, _ENTRY_BYTES + size_bytes(made))
            with self._lock:
                before = self._answers.pop(key, (None, 0))[1]
                self._answers[key] = found
                self.held_bytes += found[1] - before
                while self.held_bytes > self._most_bytes and len(self._answers) > 1:
                    self.held_bytes -= self._answers.popitem(last=False)[1][1]
        finally:
            with self._lock:
                self._making.pop(key, None)
        return found


@st.cache_resource(show_spinner=False)
def kept() -> Kept:
    """Return what this process keeps. Raises BadInput if the setting is no number."""
    given = os.environ.get(KEPT_SETTING) or _DEFAULT_MB
    if not given.isdecimal():
        raise BadInput("{setting} is {value!r}. Write a whole number of megabytes, such as 1000.", setting=KEPT_SETTING, value=given)
    return Kept(int(given) * 1_000_000)


def size_bytes(value: Any) -> int:
    """Return about how much memory `value` takes: of frames and arrays their data, of what is made of them the sum.

    >>> size_bytes((np.zeros(1000), {"a": np.zeros(10)}))
    8080
    """
    if isinstance(value, pd.DataFrame):
        return int(value.memory_usage().sum())
    if isinstance(value, np.ndarray | pd.Series | pd.Index):
        return int(value.nbytes)
    if isinstance(value, go.Figure):
        return _FIGURE_BYTES
    if isinstance(value, tuple | list):
        return sum(map(size_bytes, value))
    if isinstance(value, dict):
        return sum(map(size_bytes, value.values()))
    if is_dataclass(value):
        return sum(map(size_bytes, vars(value).values()))
    return sys.getsizeof(value)
