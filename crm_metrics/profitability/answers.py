"""What answers each question of the page that takes one table, one sentence and one figure."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import plotly.graph_objects as go
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.profitability import answer_words, tables
from crm_metrics.profitability.curves import stability_figure
from crm_metrics.profitability.figure import reason_bars, resource_bars, reward_bars, step_bars
from crm_metrics.profitability.query import Entity, entity_amounts
from crm_metrics.rooms import Table


class Answer(NamedTuple):
    """One answer. find, draw: the sentence and the figure (if any), made of what `table` gives. has_money: both are told the currency."""

    table: Table
    find: Callable[..., str]
    draw: Callable[..., go.Figure] | None
    has_money: bool = True


ANSWERS: dict[str, Answer] = {  # by the name of the question
    "steps": Answer(tables.summary, answer_words.steps_finding, step_bars),
    "losing": Answer(tables.losing_reasons, answer_words.losing_finding, reason_bars),
    "resources": Answer(tables.deciles, answer_words.resources_finding, resource_bars, has_money=False),
    "rewards": Answer(tables.reinvestment, answer_words.rewards_finding, reward_bars),
    "stability": Answer(tables.stability, answer_words.stability_finding, stability_figure, has_money=False),
    "customers": Answer(tables.customers, answer_words.customers_finding, None),
}


def queries_of(source: Source, filters: Filters, by: str) -> tuple[Select[Any], ...]:
    """Return the queries behind the curve of customers, products, regions or channels, to be shown."""
    return tables.queries(source, filters) if by == "customer" else (entity_amounts(filters, cast("Entity", by)),)
