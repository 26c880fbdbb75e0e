"""Who are our customers?

metrics    what each number means
query      what customers bought up to a day, and the days between purchases
rfm        cut points, scores and the segments as rules on them
statistic  customers with scores, and what the segments hold
moves      who moved from which segment to which
silence    the silence after which a customer counts as lapsed
tables     the tables made of them
figure     the pictures
labels     headings, alt texts and remarks
words      the findings in words
saved      segments as rules to save
"""

from crm_metrics.rooms import Table
from crm_metrics.segmentation.figure import lapse_bars, movement_flow, movement_matrix, segment_map
from crm_metrics.segmentation.labels import QUESTIONS, about, columns, remark
from crm_metrics.segmentation.metrics import METRICS
from crm_metrics.segmentation.moves import NOT_YET
from crm_metrics.segmentation.rfm import AT_RISK, BEST, SEGMENTS, Cuts, RawRanges, RfmTerms, Segment, raw_ranges
from crm_metrics.segmentation.saved import rule_of
from crm_metrics.segmentation.tables import (
    basis,
    cells,
    cube,
    customers,
    cut_points,
    cuts,
    from_day,
    gap_queries,
    gaps,
    headline,
    lapse,
    months,
    movement,
    movement_totals,
    queries,
    segments,
    tiles,
)
from crm_metrics.segmentation.words import (
    advised,
    basis_note,
    chosen,
    chosen_text,
    cut_inputs,
    days,
    finding,
    has_moves,
    in_words,
    lapse_finding,
    lapse_note,
    month_names,
    movement_finding,
    names_text,
    of_segments,
    rule_note,
    terms_note,
    terms_of,
    tile_notes,
)

TABLES: dict[str, Table] = {
    "tiles": tiles,
    "segments": segments,
    "rfm": customers,
    "cells": cells,
    "cube": cube,
    "cut_points": cut_points,
    "movement": movement,
    "movement_totals": movement_totals,
    "gaps": gaps,
    "lapse": lapse,
    "basis": basis,
}

__all__ = [
    "AT_RISK",
    "BEST",
    "METRICS",
    "NOT_YET",
    "QUESTIONS",
    "SEGMENTS",
    "TABLES",
    "Cuts",
    "RawRanges",
    "RfmTerms",
    "Segment",
    "about",
    "advised",
    "basis",
    "basis_note",
    "cells",
    "chosen",
    "chosen_text",
    "columns",
    "cube",
    "customers",
    "cut_inputs",
    "cut_points",
    "cuts",
    "days",
    "finding",
    "from_day",
    "gap_queries",
    "gaps",
    "has_moves",
    "headline",
    "in_words",
    "lapse",
    "lapse_bars",
    "lapse_finding",
    "lapse_note",
    "month_names",
    "months",
    "movement",
    "movement_finding",
    "movement_flow",
    "movement_matrix",
    "movement_totals",
    "names_text",
    "of_segments",
    "queries",
    "raw_ranges",
    "remark",
    "rule_note",
    "rule_of",
    "segment_map",
    "segments",
    "terms_note",
    "terms_of",
    "tile_notes",
    "tiles",
]
