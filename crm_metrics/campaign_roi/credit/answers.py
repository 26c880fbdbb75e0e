"""What answers each question of the page that takes one table, one sentence and one figure."""

from collections.abc import Callable
from typing import Any, NamedTuple

import plotly.graph_objects as go

from crm_metrics.campaign_roi.credit import tables, words
from crm_metrics.campaign_roi.credit.figure import budget_bars, contact_bars, rule_dots, wasted_bars
from crm_metrics.rooms import Table


class Answer(NamedTuple):
    """One answer. find, draw: the sentence and the figure of what `table` gives. told: which of currency and rule both are told.

    has_terms: the table is told by which rule orders are credited.
    """

    table: Table
    find: Callable[..., str]
    draw: Callable[..., go.Figure]
    told: tuple[str, ...] = ("currency",)
    has_terms: bool = True

    def options(self, **known: str) -> dict[str, Any]:
        """Return what sentence and figure are told."""
        return {name: known[name] for name in self.told}


ANSWERS: dict[str, Answer] = {  # by the name of the question
    "credit": Answer(tables.attribution, words.credit_finding, rule_dots, ("currency", "rule")),
    "budget": Answer(tables.campaigns, words.budget_finding, budget_bars),
    "wasted": Answer(tables.wasted, words.wasted_finding, wasted_bars, has_terms=False),
    "contacts": Answer(tables.contacts, words.contacts_finding, contact_bars, (), has_terms=False),
}
