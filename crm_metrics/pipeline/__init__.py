"""Where do deals stall?

deals       the deals as they stood on any day, their changes, and the reader's choice of them
funnel      from the call to the win: how many get how far
conversion  how many are won in the end, and how long each stage takes, deals that are still open counted rightly
waterfall   what came into the pipeline and what left it between two days
forecast    what the quarter will bring, and how right earlier forecasts were
people      calls, hits and wins by person and team, and what changed when the CRM went live
winning     what won deals have in common, and why others were lost
ownership   who looks after whom, and where nobody does

Each part is laid out as a room of its own would be; its __init__ lists its modules.
"""

from crm_metrics.metric import Metric
from crm_metrics.pipeline.conversion import metrics as conversion_metrics
from crm_metrics.pipeline.conversion import tables as conversion_tables
from crm_metrics.pipeline.deals import held as deals_held
from crm_metrics.pipeline.deals import metrics as deals_metrics
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.deals.tables import headline
from crm_metrics.pipeline.forecast import metrics as forecast_metrics
from crm_metrics.pipeline.forecast import tables as forecast_tables
from crm_metrics.pipeline.funnel import metrics as funnel_metrics
from crm_metrics.pipeline.funnel import tables as funnel_tables
from crm_metrics.pipeline.ownership import metrics as ownership_metrics
from crm_metrics.pipeline.ownership import tables as ownership_tables
from crm_metrics.pipeline.people import metrics as people_metrics
from crm_metrics.pipeline.people import tables as people_tables
from crm_metrics.pipeline.waterfall import metrics as waterfall_metrics
from crm_metrics.pipeline.waterfall import tables as waterfall_tables
from crm_metrics.pipeline.winning import metrics as winning_metrics
from crm_metrics.pipeline.winning import tables as winning_tables
from crm_metrics.rooms import Table

METRICS: tuple[Metric, ...] = (
    *deals_metrics.METRICS,
    *deals_metrics.HELD,
    *funnel_metrics.METRICS,
    *conversion_metrics.METRICS,
    *waterfall_metrics.METRICS,
    *forecast_metrics.METRICS,
    *people_metrics.METRICS,
    *winning_metrics.METRICS,
    *ownership_metrics.METRICS,
)
TABLES: dict[str, Table] = {
    **deals_tables.TABLES,
    **deals_held.TABLES,
    **funnel_tables.TABLES,
    **conversion_tables.TABLES,
    **waterfall_tables.TABLES,
    **forecast_tables.TABLES,
    **people_tables.TABLES,
    **winning_tables.TABLES,
    **ownership_tables.TABLES,
}

__all__ = ["METRICS", "TABLES", "headline"]
