"""Which campaigns pay?

result  what a campaign changed: treated against control, arm by arm, outcome by outcome, segment by segment
credit  what a campaign cost and reached, what orders credit it with, and a comparison adjusted for what came before
plan    whether the next campaign will pay, and whether the last ones did what was expected
seen    which members and touches a reader of some regions may see

Each part is laid out as a room of its own would be; its __init__ lists its modules.
"""

from crm_metrics.campaign_roi.credit import metrics as credit_metrics
from crm_metrics.campaign_roi.credit import tables as credit_tables
from crm_metrics.campaign_roi.credit.tables import headline
from crm_metrics.campaign_roi.plan import metrics as plan_metrics
from crm_metrics.campaign_roi.plan import tables as plan_tables
from crm_metrics.campaign_roi.result import metrics as result_metrics
from crm_metrics.campaign_roi.result import tables as result_tables
from crm_metrics.metric import Metric
from crm_metrics.rooms import Table

METRICS: tuple[Metric, ...] = (*credit_metrics.METRICS, *result_metrics.METRICS, *plan_metrics.METRICS)
TABLES: dict[str, Table] = {**credit_tables.TABLES, **result_tables.TABLES, **plan_tables.TABLES}

__all__ = ["METRICS", "TABLES", "headline"]
