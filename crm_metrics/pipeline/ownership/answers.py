"""What the page asks, says and draws, by question."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
from sqlalchemy import Select

from crm_metrics.pipeline.ownership import due_tables, figure, tables, words

Asked = Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Drawn:
    """name: of the figure. drawn: what it is made of. has_money: it is told the currency."""

    name: str
    drawn: Asked
    draw: Callable[..., go.Figure]
    has_money: bool = False

    def options(self, currency: str) -> dict[str, str]:
        """Return what the figure is told."""
        return {"currency": currency} if self.has_money else {}


@dataclass(frozen=True)
class Answer:
    """told: what the sentence is made of. parts: figures, each with the tables under it, by their names in labels.COLUMNS.

    queries: what it comes from, to be shown. Without a figure it is a list of customers, whose rows open them.
    """

    told: tuple[Asked, ...]
    find: Callable[..., str]
    parts: tuple[tuple[Drawn | None, dict[str, Asked]], ...]
    queries: Callable[..., tuple[Select, ...]] = tables.queries


def _listed(name: str, find: Callable[..., str], *told: Asked) -> Answer:
    return Answer(told, find, ((None, {name: told[0]}),))


_OWNERS = Drawn("owners", tables.owners, figure.owner_bars, has_money=True)
_FIELDS = Drawn("completeness", tables.completeness, figure.field_bars)
_HANDOVER = Drawn("handover", tables.handover_trend, figure.handover_dots)
_SERVICE = Drawn("service", tables.service_trend, figure.service_bars)
ANSWERS: dict[str, Answer] = {
    "owners": Answer((tables.owners,), words.owners_finding, ((_OWNERS, {"owners": tables.owners}),)),
    "unassigned": _listed("unassigned", words.unassigned_finding, tables.unassigned, tables.owners),
    "known_to_one": _listed("known_to_one", words.known_finding, tables.known_to_one),
    "reassigned": _listed("reassigned", words.reassigned_finding, tables.reassigned),
    "completeness": Answer((tables.completeness,), words.completeness_finding, ((_FIELDS, {"completeness": tables.completeness}),)),
    "service": Answer(
        (tables.handover, tables.from_service),
        words.service_finding,
        (
            (_HANDOVER, {"handover": tables.handover, "handover_trend": tables.handover_trend}),
            (_SERVICE, {"from_service": tables.from_service, "service_trend": tables.service_trend}),
        ),
        tables.service_queries,
    ),
}
OF_DUE: tuple[Asked, ...] = (
    due_tables.repurchase_tiles,
    due_tables.repurchase_basis,
    due_tables.repurchase_check,
    due_tables.repurchase_lateness,
)
