"""What the page asks, says and draws: lists whose rows open their customer, and the two figures about service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from crm_metrics.pipeline.ownership import figure, tables, words


class Listed(NamedTuple):
    """tables: what the sentence is made of; the first is shown. find: the sentence."""

    tables: tuple[Callable[..., pd.DataFrame], ...]
    find: Callable[..., str]


@dataclass(frozen=True)
class Drawn:
    """drawn: what the picture is made of. tables: what stands under it, by their names in labels.COLUMNS."""

    drawn: Callable[..., pd.DataFrame]
    draw: Callable[[pd.DataFrame], go.Figure]
    tables: dict[str, Callable[..., pd.DataFrame]]


LISTS: dict[str, Listed] = {
    "unassigned": Listed((tables.unassigned, tables.owners), words.unassigned_finding),
    "known_to_one": Listed((tables.known_to_one,), words.known_finding),
    "reassigned": Listed((tables.reassigned,), words.reassigned_finding),
}
OF_SERVICE: dict[str, Drawn] = {  # by the name of the figure
    "handover": Drawn(tables.handover_trend, figure.handover_dots, {"handover": tables.handover, "handover_trend": tables.handover_trend}),
    "service": Drawn(
        tables.service_trend, figure.service_bars, {"from_service": tables.from_service, "service_trend": tables.service_trend}
    ),
}
