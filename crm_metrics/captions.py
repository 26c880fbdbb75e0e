"""What goes with a room's figures and tables in words, and the headings of their columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import pandas as pd

from crm_metrics.language import noop, t
from crm_metrics.metric import Metric

CUSTOMER: dict[str, tuple[str, Any]] = {"customer_id": (noop("Customer number"), "text"), "customer_name": (noop("Name"), "text")}
"""The columns that say who it is; ui.table opens the customer by the first."""
SHARE_INTERVAL: dict[str, tuple[str, Any]] = {"low": (noop("Low (95%)"), "share"), "high": (noop("High (95%)"), "share")}
"""The ends of a share's interval."""


class Caption(TypedDict):
    """What goes with a figure: its name, what it shows for those who do not see it, what its reader should know, whose metrics it draws."""

    name: str
    alt: str
    notes: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Captions:
    """The captions of one room, by the name of the figure or table, as English texts."""

    alt_texts: Mapping[str, str]
    notes: Mapping[str, str]
    metrics: Mapping[str, tuple[Metric, ...]] = field(default_factory=dict)

    def about(self, name: str) -> Caption:
        """Return what goes with the figure of that name, in the reader's language."""
        notes = self.remark(name) if name in self.notes else ""
        return {"name": name, "alt": t(self.alt_texts[name]), "notes": notes, "metrics": self.metrics.get(name, ())}

    def remark(self, name: str) -> str:
        """Return what the reader of a figure or table should know, in the reader's language."""
        return t(self.notes[name])


def known_columns(tables: Mapping[str, Mapping[str, tuple[str, Any]]], table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown (a key of `tables`) that `frame` knows something of."""
    return {name: (t(label), unit) for name, (label, unit) in tables[table].items() if name in frame and frame[name].notna().any()}
