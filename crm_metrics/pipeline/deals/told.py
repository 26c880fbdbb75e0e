"""The changes of deals as arrays, deal by deal in order of time: what every count by stage is made from.

Databases sort a million changes anew for each column that asks what came before; here they are sorted once, and kept for all questions.
"""

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, SmallInteger, case, cast, select, union

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.pipeline.deals import query
from crm_metrics.pipeline.deals.days import asked_day, whatever_period
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.schema import deal_change_facts, deal_facts

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
OPEN, WON, LOST = 0, 1, 2
NO_STAGE = -1

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def stages_named() -> Select[Any]:
    """One row per stage that a deal or a change of one names: stage."""
    rows = [select(table.c.stage).where(table.c.stage.is_not(None)) for table in (deal_facts, deal_change_facts)]
    return select(union(*rows).subquery().c.stage).order_by("stage")


def coded_changes(filters: Filters, terms: DealTerms, on: date | None, stages: tuple[str, ...]) -> Select[Any]:
    """One row per change, as deals.query.changes has them and in their order: deal_number, changed_on, stage (its place among `stages`;
    NO_STAGE: unknown), outcome (OPEN, WON, LOST), is_end (1: only the deal's row tells it, CLOSING).
    """
    row = query.changes(filters, terms, on).order_by(None).cte("all_changes").c
    stage = case({name: place for place, name in enumerate(stages)}, value=row.stage, else_=NO_STAGE) if stages else NO_STAGE
    outcome = case({query.OPEN: OPEN, query.WON: WON}, value=row.outcome, else_=LOST)
    codes = {"stage": stage, "outcome": outcome, "is_end": case((row.change_number == query.CLOSING, 1), else_=0)}
    small = [cast(code, SmallInteger).label(name) for name, code in codes.items()]
    return select(row.deal_number, row.changed_on, *small).order_by(row.deal_number, row.changed_on, row.change_number)


# ── asked once ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Told(NamedTuple):
    """One element per change, deal by deal in order of time: deal_number, day (days since 1970), stage (its place in `stages`), outcome and
    is_end as in coded_changes; is_first of its deal.
    """

    deal_number: Integers
    day: Integers
    stage: Integers
    outcome: Integers
    is_end: Booleans
    is_first: Booleans
    stages: tuple[str, ...]

    def only(self, kept: Booleans) -> "Told":
        """Return these changes alone."""
        number = self.deal_number[kept]
        return Told(number, self.day[kept], self.stage[kept], self.outcome[kept], self.is_end[kept], firsts(number), self.stages)

    def before(self, values: Any, missing: int) -> Any:
        """Return of each change the value of the one before in the same deal."""
        return np.where(self.is_first, missing, np.roll(values, 1))

    def places(self, order: dict[str, float], missing: float) -> Any:
        """Return what each change's stage stands for; `missing` where nothing does."""
        found = np.array([*[order.get(stage, missing) for stage in self.stages], missing])
        return found[self.stage]


def firsts(deal_number: Integers) -> Booleans:
    """Return whether each is the first of its run of equal numbers."""
    found = np.ones(len(deal_number), dtype=bool)
    found[1:] = deal_number[1:] != deal_number[:-1]
    return found


def told(source: Source, filters: Filters, terms: DealTerms) -> Told:
    """Return the changes of the deals within the filters and terms up to the reader's day, whenever they were created."""
    return source.remember(_told, whatever_period(filters), terms)


def _told(source: Source, filters: Filters, terms: DealTerms) -> Told:
    stages = tuple(source(stages_named())["stage"])
    rows = source(coded_changes(filters, terms, asked_day(source, filters), stages))
    number, stage, outcome = (rows[name].to_numpy() for name in ("deal_number", "stage", "outcome"))
    day = rows["changed_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return Told(number, day, stage, outcome, rows["is_end"].to_numpy() > 0, firsts(number), stages)
