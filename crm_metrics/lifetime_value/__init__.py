"""What will our customers be worth?

metrics    what each number means
query      which customers the filters choose, and what became of them
statistic  P(alive), the distribution, the hold-out
forecast   what of the forecasts in `customer_forecast` is shown, and the hold-out
tables     the tables made of them
figure     the pictures
words      the findings in words
"""

from crm_metrics.customer_forecast.forecast import Terms
from crm_metrics.lifetime_value.figure import alive_lines, distribution_bars, holdout_bins, holdout_tracking, repeat_bars, segment_bars
from crm_metrics.lifetime_value.metrics import HOLDOUT_ERROR, METRICS
from crm_metrics.lifetime_value.tables import (
    alive,
    customers,
    data_gate_table,
    distribution,
    headline,
    holdout,
    holdout_by_frequency,
    holdout_cumulative,
    holdout_queries,
    model,
    one_time_buyers,
    parameters,
    queries,
    repeat_counts,
    tiles,
    value_by_segment,
    value_held,
)
from crm_metrics.lifetime_value.words import (
    QUESTIONS,
    about,
    alive_finding,
    basis_note,
    columns,
    correlation_note,
    finding,
    grade_note,
    has_forecast,
    holdout_in_words,
    parameters_in_words,
    parameters_note,
    remark,
    segment_kinds,
    shown_metrics,
    tile_notes,
    trust_finding,
    worth_finding,
)
from crm_metrics.rooms import Table

TABLES: dict[str, Table] = {
    "tiles": tiles,
    "model": model,
    "holdout": holdout,
    "holdout_by_frequency": holdout_by_frequency,
    "holdout_cumulative": holdout_cumulative,
    "customers": customers,
    "alive": alive,
    "one_time_buyers": one_time_buyers,
    "distribution": distribution,
    "value_by_segment": value_by_segment,
    "parameters": parameters,
    "repeat_counts": repeat_counts,
    "data_gate": data_gate_table,
}

__all__ = [
    "HOLDOUT_ERROR",
    "METRICS",
    "QUESTIONS",
    "TABLES",
    "Terms",
    "about",
    "alive",
    "alive_finding",
    "alive_lines",
    "basis_note",
    "columns",
    "correlation_note",
    "customers",
    "data_gate_table",
    "distribution",
    "distribution_bars",
    "finding",
    "grade_note",
    "has_forecast",
    "headline",
    "holdout",
    "holdout_bins",
    "holdout_by_frequency",
    "holdout_cumulative",
    "holdout_in_words",
    "holdout_queries",
    "holdout_tracking",
    "model",
    "one_time_buyers",
    "parameters",
    "parameters_in_words",
    "parameters_note",
    "queries",
    "remark",
    "repeat_bars",
    "repeat_counts",
    "segment_bars",
    "segment_kinds",
    "shown_metrics",
    "tile_notes",
    "tiles",
    "trust_finding",
    "value_by_segment",
    "value_held",
    "worth_finding",
]
