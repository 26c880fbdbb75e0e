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

clustering, three_axes                      who behaves alike; satisfaction x loyalty x profit
cluster_figure, axes_figure, group_words    their pictures and findings
"""

from crm_metrics.rooms import Table
from crm_metrics.segmentation.axes_figure import axes_bars
from crm_metrics.segmentation.cluster_figure import cluster_matrix, criteria_lines
from crm_metrics.segmentation.clustering import (
    ClusterTerms,
    cluster_basis,
    cluster_criteria,
    cluster_customers,
    cluster_profile,
    cluster_queries,
    cluster_tiles,
    clusters,
)
from crm_metrics.segmentation.figure import lapse_bars, movement_flow, movement_matrix, segment_map
from crm_metrics.segmentation.group_metrics import AXES_METRICS, CLUSTER_METRICS
from crm_metrics.segmentation.group_words import (
    GROUP_QUESTIONS,
    answer_range,
    axes_columns,
    axes_finding,
    axes_in_words,
    axes_note,
    cells_text,
    chosen_cells,
    chosen_clusters,
    cluster_finding,
    cluster_numbers,
    cluster_trust,
    clusters_in_words,
    clusters_text,
    group_about,
    group_columns,
    has_clusters,
    of_cells,
    of_clusters,
)
from crm_metrics.segmentation.labels import QUESTIONS, about, columns, remark
from crm_metrics.segmentation.metrics import METRICS as RFM_METRICS
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
from crm_metrics.segmentation.three_axes import AxesTerms, axes, axes_basis, axes_customers, axes_queries, axes_tiles
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

METRICS = (*RFM_METRICS, *CLUSTER_METRICS, *AXES_METRICS)
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
    "cluster_tiles": cluster_tiles,
    "clusters": clusters,
    "cluster_profile": cluster_profile,
    "cluster_criteria": cluster_criteria,
    "cluster_customers": cluster_customers,
    "cluster_basis": cluster_basis,
    "axes_tiles": axes_tiles,
    "axes": axes,
    "axes_customers": axes_customers,
    "axes_basis": axes_basis,
}

__all__ = [
    "AT_RISK",
    "AXES_METRICS",
    "BEST",
    "CLUSTER_METRICS",
    "GROUP_QUESTIONS",
    "METRICS",
    "NOT_YET",
    "QUESTIONS",
    "RFM_METRICS",
    "SEGMENTS",
    "TABLES",
    "AxesTerms",
    "ClusterTerms",
    "Cuts",
    "RawRanges",
    "RfmTerms",
    "Segment",
    "about",
    "advised",
    "answer_range",
    "axes",
    "axes_bars",
    "axes_basis",
    "axes_columns",
    "axes_customers",
    "axes_finding",
    "axes_in_words",
    "axes_note",
    "axes_queries",
    "axes_tiles",
    "basis",
    "basis_note",
    "cells",
    "cells_text",
    "chosen",
    "chosen_cells",
    "chosen_clusters",
    "chosen_text",
    "cluster_basis",
    "cluster_criteria",
    "cluster_customers",
    "cluster_finding",
    "cluster_matrix",
    "cluster_numbers",
    "cluster_profile",
    "cluster_queries",
    "cluster_tiles",
    "cluster_trust",
    "clusters",
    "clusters_in_words",
    "clusters_text",
    "columns",
    "criteria_lines",
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
    "group_about",
    "group_columns",
    "has_clusters",
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
    "of_cells",
    "of_clusters",
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
