"""What will our customers be worth?

query      purchase histories, and what became of them
statistic  the value of a purchase, P(alive), the distribution, the hold-out
forecast   the models, fitted once per version, scope and as-of date, and the tables made of them
figure     the pictures, and the finding in words
"""

from crm_metrics.lifetime_value.forecast import (
    Terms,
    alive,
    customers,
    data_gate_table,
    distribution,
    headline,
    holdout,
    holdout_by_frequency,
    holdout_cumulative,
    model,
    one_time_buyers,
    parameters,
    repeat_counts,
    tiles,
    value_by_segment,
)
from crm_metrics.lifetime_value.statistic import METRICS
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

__all__ = ["METRICS", "TABLES", "Terms", "headline"]
