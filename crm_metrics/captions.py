"""What goes with a room's figures and tables in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from crm_metrics.language import t
from crm_metrics.metric import Metric


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
