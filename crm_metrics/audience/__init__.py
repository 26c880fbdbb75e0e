"""Whom shall we speak to, and how shall we know that it worked?

metrics     what each number means
query       what is asked of the customers a rule chooses
difference  what sets two groups of customers apart
tables      the tables made of them
figure      the pictures
words       the findings in words

What a test takes and who is in it stands in planned_test, because the planner of campaigns asks it too.
"""

from crm_metrics.audience.figure import difference_dots, overlap_bar
from crm_metrics.audience.metrics import METRICS
from crm_metrics.audience.tables import (
    attributes,
    contacts,
    customer_count,
    differences,
    overlap,
    pair_of,
    pair_queries,
    people,
    saved,
    tiles,
)
from crm_metrics.audience.words import (
    QUESTIONS,
    about,
    audience_note,
    columns,
    differences_finding,
    differences_in_words,
    finding,
    overlap_sentence,
)
from crm_metrics.planned_test.tables import baseline, plan, planned, power, strata
from crm_metrics.rooms import Table

TABLES: dict[str, Table] = {
    "tiles": tiles,
    "people": people,
    "contacts": contacts,
    "saved": saved,
    "attributes": attributes,
    "differences": differences,
    "overlap": overlap,
    "baseline": baseline,
    "plan": plan,
    "power": power,
    "strata": strata,
    "planned": planned,
}

__all__ = [
    "METRICS",
    "QUESTIONS",
    "TABLES",
    "about",
    "attributes",
    "audience_note",
    "columns",
    "contacts",
    "customer_count",
    "difference_dots",
    "differences",
    "differences_finding",
    "differences_in_words",
    "finding",
    "overlap",
    "overlap_bar",
    "overlap_sentence",
    "pair_of",
    "pair_queries",
    "people",
    "tiles",
]
