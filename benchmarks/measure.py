"""Clocks: how long every table of the rooms takes, and every question in SQL and in pandas."""

import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any, Literal, NamedTuple, TypeVar

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
Kind = Literal["table", "first", "again", "refused"]
ATTEMPTS = 3  # of a bare question; the median counts
MODEL_SHARE = 0.5  # a table that spends more of its time on what it remembers than on all else is one of a model


class Answer(NamedTuple):
    """One table under one filter set.

    kind: 'table' from a source that remembers nothing; of a model's table 'first', so too, and 'again', from one that remembers the
    models; 'refused' where the room says that it cannot answer.
    """

    room: str
    table: str
    filter_set: str
    seconds: float
    kind: Kind


class Ratio(NamedTuple):
    """One question under one filter set, in seconds."""

    question: str
    filter_set: str
    sql: float
    in_pandas: float

    @property
    def times_faster(self) -> float:
        """How many times the time of SQL pandas takes."""
        return self.in_pandas / self.sql


@dataclass
class Spent:
    """Seconds spent on asking the database, and on what a source remembers but for asking."""

    asking: float = 0.0
    remembering: float = 0.0
    depth: int = 0


@dataclass(frozen=True)
class WatchedSource(Source):
    """A source that knows where the time went."""

    spent: Spent = field(default_factory=Spent, compare=False, repr=False)

    def arrow(self, query: Select) -> pa.Table:
        """Return the rows of `query` with exact decimals."""
        begun = perf_counter()
        try:
            return super().arrow(query)
        finally:
            self.spent.asking += perf_counter() - begun

    def remember(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return `function(self, *arguments)`, computed once per version."""
        begun, asked = perf_counter(), self.spent.asking
        self.spent.depth += 1
        try:
            return super().remember(function, *arguments)
        finally:
            self.spent.depth -= 1
            if not self.spent.depth:
                self.spent.remembering += perf_counter() - begun - (self.spent.asking - asked)


def watched(data_set: DataSet) -> WatchedSource:
    """Return the published version of `data_set`, of which nothing is remembered yet."""
    return WatchedSource(data_set, open_source(data_set).version)


def measured_tables(
    data_set: DataSet, tables: Mapping[str, Mapping[str, Table]], filter_sets: Mapping[str, Filters], *, with_models: bool = True
) -> Iterator[Answer]:
    """Give every table of every room under every filter set. The first time, which opens files and loads packages, does not count.

    Tables that ask the database nothing are left out: their few microseconds would only make the others look good.
    """
    kept: WatchedSource | None = None
    first_name, first_filters = next(iter(filter_sets.items()))
    for room, functions in tables.items():
        for name, table in functions.items():
            source = watched(data_set)
            seconds, kind = _asked(table, source, first_filters)
            if kind == "refused":
                yield Answer(room, name, first_name, seconds, kind)
            elif not source.spent.asking:
                continue
            elif source.spent.remembering <= MODEL_SHARE * seconds:
                yield from (Answer(room, name, *_under(each, table, data_set)) for each in filter_sets.items())
            elif with_models:
                yield Answer(room, name, first_name, seconds, "first")
                kept = kept or source
                yield from (Answer(room, name, *_under(each, table, data_set, kept)) for each in filter_sets.items())


def _under(named: tuple[str, Filters], table: Table, data_set: DataSet, kept: WatchedSource | None = None) -> tuple[str, float, Kind]:
    seconds, kind = _asked(table, kept or watched(data_set), named[1])
    return named[0], seconds, "again" if kept and kind == "table" else kind


def _asked(table: Table, source: Source, filters: Filters) -> tuple[float, Kind]:
    begun = perf_counter()
    try:
        table(source, filters)
    except BadInput:
        return perf_counter() - begun, "refused"
    return perf_counter() - begun, "table"


def measured_questions(
    source: Source, loaded: Loaded, questions: Iterable[Question], filter_sets: Mapping[str, Filters]
) -> Iterator[Ratio]:
    """Give every question under every filter set, asked in SQL and in pandas by turns."""
    for question in questions:
        for name, filters in filter_sets.items():
            turns = [(_timed(source, question.sql(filters)), _timed_in_pandas(question, loaded, filters)) for _ in range(ATTEMPTS)]
            sql, in_pandas = (median(times) for times in zip(*turns, strict=True))
            yield Ratio(question.name, name, sql, in_pandas)


def _timed(source: Source, query: Select) -> float:
    begun = perf_counter()
    source(query)
    return perf_counter() - begun


def _timed_in_pandas(question: Question, loaded: Loaded, filters: Filters) -> float:
    begun = perf_counter()
    _answer: pd.DataFrame = question.in_pandas(loaded, filters)
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
