"""What answers each question of the page that takes one table, one sentence and one figure."""

from collections.abc import Callable
from typing import NamedTuple

import plotly.graph_objects as go

from crm_metrics.pipeline.people import tables, words
from crm_metrics.pipeline.people.figure import overdue_bars, velocity_bars, win_rate_dots
from crm_metrics.rooms import Table


class Answer(NamedTuple):
    """One answer. name: of the table as its columns are named. find, draw: the sentence and the figure of what `table` gives.

    under: one more table, of whether tasks done go with wins.
    """

    name: str
    table: Table
    find: Callable[..., str]
    draw: Callable[..., go.Figure]
    has_money: bool = False
    under: Table | None = None

    def options(self, currency: str) -> dict[str, str]:
        """Return what sentence and figure are told."""
        return {"currency": currency} if self.has_money else {}


ANSWERS: dict[str, Answer] = {  # by the name of the question
    "teams": Answer("teams", tables.teams_detail, words.finding, win_rate_dots),
    "tasks": Answer("tasks_overdue", tables.tasks_overdue, words.tasks_finding, overdue_bars, under=tables.task_wins),
    "velocity": Answer("velocity", tables.velocity, words.velocity_finding, velocity_bars, has_money=True),
}
