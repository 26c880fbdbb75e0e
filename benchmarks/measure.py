"""Clocks: how long every table of the rooms takes, and every question on facts, on raw lines and in pandas."""

import math
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Select

from benchmarks.in_pandas import Loaded
from benchmarks.questions import Question
from crm_metrics.database import DataSet, Source, open_source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.rooms import Table

T = TypeVar("T")
Key = tuple[Any, ...]
Kind = Literal["table", "first", "again", "refused"]
ATTEMPTS = 3  # of a bare question; the median counts
SHORT_SECONDS = 2.0  # a turn that takes longer is not repeated
MODEL_SHARE = 0.5  # a table that spends more of its time on what a source remembers, but for asking, than on all else is one of a model


class Answer(NamedTuple):
    """One table under one filter set.

    kind: 'table' from a source that remembers nothing; of a model's table 'first', what it took together with its models, which are
    fitted once for all tables, and 'again', from a source that remembers them; 'refused' where the room says that it cannot answer.
    """

    room: str
    table: str
    filter_set: str
    seconds: float
    kind: Kind


class Ratio(NamedTuple):
    """One question under one filter set, in seconds; in_pandas is NaN where pandas was not asked."""

    question: str
    filter_set: str
    on_facts: float
    on_lines: float
    in_pandas: float

    @property
    def times_lines(self) -> float:
        """How many times the time of the facts the raw lines take."""
        return self.on_lines / self.on_facts

    @property
    def times_pandas(self) -> float:
        """How many times the time of the facts pandas takes."""
        return self.in_pandas / self.on_facts


@dataclass
class _Frame:
    """What goes on within one computation. asking: seconds in the database; remembering: seconds in computations that are kept."""

    asking: float = 0.0
    remembering: float = 0.0
    used: frozenset[Key] = frozenset()


class _Kept(NamedTuple):
    """What a kept computation took, without those within it, and which ones it is made of, itself included."""

    seconds: float
    asking: float
    used: frozenset[Key]


class Cost(NamedTuple):
    """What a table takes from a source that remembers nothing, in seconds: all, asking the database, and models."""

    seconds: float
    asking: float
    models: float


@dataclass(frozen=True)
class WatchedSource(Source):
    """A source that knows where the time went, and what anything it remembers took when it was computed."""

    frames: list[_Frame] = field(default_factory=list, compare=False, repr=False)
    costs: dict[Key, _Kept] = field(default_factory=dict, compare=False, repr=False)

    def arrow(self, query: Select) -> pa.Table:
        """Return the rows of `query` with exact decimals."""
        begun = perf_counter()
        try:
            return super().arrow(query)
        finally:
            self.frames[-1].asking += perf_counter() - begun

    def remember(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return `function(self, *arguments)`, computed once per version."""
        key = (function, arguments)
        if key in self.costs:
            found = super().remember(function, *arguments)
        else:
            frame, begun = _Frame(), perf_counter()
            self.frames.append(frame)
            try:
                found = super().remember(function, *arguments)
            finally:
                self.frames.pop()
            seconds = perf_counter() - begun
            self.costs[key] = _Kept(seconds - frame.remembering, frame.asking, frame.used | {key})
            self.frames[-1].remembering += seconds
        self.frames[-1].used |= self.costs[key].used
        return found

    def cost(self, table: Table, filters: Filters) -> Cost:
        """Return what `table` would take if nothing were remembered; what is, counts as what it took when it was computed."""
        frame, begun = _Frame(), perf_counter()
        self.frames.append(frame)
        try:
            table(self, filters)
        finally:
            self.frames.pop()
        own = perf_counter() - begun - frame.remembering
        kept = [self.costs[key] for key in frame.used]
        models = sum(each.seconds - each.asking for each in kept)
        return Cost(own + sum(each.seconds for each in kept), frame.asking + sum(each.asking for each in kept), models)


def watched(data_set: DataSet) -> WatchedSource:
    """Return the published version of `data_set`, of which nothing is remembered yet."""
    return WatchedSource(data_set, open_source(data_set).version)


def measured_tables(
    data_set: DataSet, tables: Mapping[str, Mapping[str, Table]], filter_sets: Mapping[str, Filters], *, with_models: bool = True
) -> Iterator[Answer]:
    """Give every table of every room under every filter set. The first time, which opens files and loads packages, does not count.

    Tables that ask the database nothing are left out: their few microseconds would only make the others look good.
    """
    kept = watched(data_set)
    first_name, first_filters = next(iter(filter_sets.items()))
    for room, functions in tables.items():
        for name, table in functions.items():
            try:
                first = kept.cost(table, first_filters)
            except BadInput:
                yield Answer(room, name, first_name, 0.0, "refused")
                continue
            is_model = first.models > MODEL_SHARE * first.seconds
            if is_model and with_models:
                yield Answer(room, name, first_name, first.seconds, "first")
                yield from (_asked(Answer(room, name, key, 0.0, "again"), table, kept, each) for key, each in filter_sets.items())
            elif first.asking and not is_model:
                for key, each in filter_sets.items():
                    yield _asked(Answer(room, name, key, 0.0, "table"), table, watched(data_set), each)


def _asked(answer: Answer, table: Table, source: WatchedSource, filters: Filters) -> Answer:
    begun = perf_counter()
    try:
        source.cost(table, filters)
    except BadInput:
        return answer._replace(kind="refused")
    return answer._replace(seconds=perf_counter() - begun)


def measured_questions(
    source: Source, loaded: Loaded | None, questions: Iterable[Question], filter_sets: Mapping[str, Filters]
) -> Iterator[Ratio]:
    """Give every question under every filter set, asked of the facts, of the raw lines and of pandas by turns.

    loaded: every line in memory; without it pandas is not asked.
    """
    for question in questions:
        for name, filters in filter_sets.items():
            turns = [_turn(source, loaded, question, filters)]
            while len(turns) < ATTEMPTS and np.nansum(turns[0]) < SHORT_SECONDS:
                turns.append(_turn(source, loaded, question, filters))
            yield Ratio(question.name, name, *(median(times) for times in zip(*turns, strict=True)))


def _turn(source: Source, loaded: Loaded | None, question: Question, filters: Filters) -> tuple[float, float, float]:
    """Return the seconds on facts, on raw lines and in pandas."""
    on_facts, on_lines = (_timed(partial(source, query(filters))) for query in (question.sql, question.raw_sql))
    return on_facts, on_lines, _timed(partial(question.in_pandas, loaded, filters)) if loaded else math.nan


def _timed(ask: Callable[[], pd.DataFrame]) -> float:
    begun = perf_counter()
    ask()
    return perf_counter() - begun


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed; NaN without values.

    >>> percentile([3, 1, 2, 4], 0.5), percentile(range(1, 101), 0.95)
    (2, 95)
    """
    ordered = sorted(values)
    places = [value for place, value in enumerate(ordered, 1) if place >= share * len(ordered)]
    return places[0] if places else float("nan")


def peak_memory() -> int:
    """Return the most bytes that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
