"""What each number of this part means."""

from crm_metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
