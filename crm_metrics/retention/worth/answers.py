"""What answers each question of the page that takes one table, one sentence and one figure."""

from collections.abc import Callable
from typing import Any, NamedTuple

import plotly.graph_objects as go
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.retention.worth import figure, tables, words
from crm_metrics.rooms import Table


class Answer(NamedTuple):
    """One answer: its table, the sentence made of it, the figure, and the table that this is drawn from.

    columns: the key of labels.COLUMNS. by: how its groups were put together. has_money: the figure is told the currency.
    """

    table: Table
    find: Callable[..., str]
    draw: Callable[..., go.Figure]
    drawn: Table
    columns: str
    queries: Callable[[Source, Filters], tuple[Select[Any], ...]]
    by: str = "all"
    has_money: bool = True


def _channel_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    return tables.queries(source, filters, "acquisition_channel")


ANSWERS: dict[str, Answer] = {  # by the name of the question
    "channels": Answer(
        tables.acquisition_quality,
        words.channels_finding,
        figure.quality_points,
        tables.acquisition_quality,
        "quality",
        _channel_queries,
        by="acquisition_channel",
    ),
    "retention": Answer(
        tables.five_points,
        words.lever_finding,
        figure.lever_line,
        tables.retention_lever,
        "levers",
        tables.lever_queries,
        has_money=False,
    ),
    "keeping": Answer(
        tables.keeping_cost, words.keeping_finding, figure.keeping_bars, tables.keeping_cost, "keeping", tables.keeping_queries
    ),
    "tenure": Answer(tables.tenure, words.tenure_finding, figure.tenure_points, tables.tenure, "tenure", tables.tenure_queries),
}
