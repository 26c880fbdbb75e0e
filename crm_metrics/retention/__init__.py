"""Do they come back?

cohort   how many of those who came together are still there, and what they have brought
leaving  the time to a second order, contracts and how long they last, who is late
flow     who came, stayed, came back and went: the leaky bucket and the life cycle
worth    when a customer has paid back, and what more retention is worth

Each part is laid out as a room of its own would be; its __init__ lists its modules.
"""

from crm_metrics.metric import Metric
from crm_metrics.retention.cohort import metrics as cohort_metrics
from crm_metrics.retention.cohort import tables as cohort_tables
from crm_metrics.retention.cohort.tables import headline
from crm_metrics.retention.flow import metrics as flow_metrics
from crm_metrics.retention.flow import tables as flow_tables
from crm_metrics.retention.leaving import metrics as leaving_metrics
from crm_metrics.retention.leaving import tables as leaving_tables
from crm_metrics.retention.worth import metrics as worth_metrics
from crm_metrics.retention.worth import tables as worth_tables
from crm_metrics.rooms import Table

METRICS: tuple[Metric, ...] = (*cohort_metrics.METRICS, *leaving_metrics.METRICS, *flow_metrics.METRICS, *worth_metrics.METRICS)
TABLES: dict[str, Table] = {**cohort_tables.TABLES, **leaving_tables.TABLES, **flow_tables.TABLES, **worth_tables.TABLES}

__all__ = ["METRICS", "TABLES", "headline"]
