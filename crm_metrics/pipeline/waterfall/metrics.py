"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

PIPELINE_START = Metric(
    "pipeline_start",
    noop("Pipeline at the start"),
    "money",
    "neither",
    noop("Sum of the value of the deals in the pipeline at the end of the day before the period; deals of unknown value are left out."),
)
PIPELINE_END = Metric(
    "pipeline_end",
    noop("Pipeline at the end"),
    "money",
    "higher",
    noop("Sum of the value of the deals in the pipeline at the end of the period; deals of unknown value are left out."),
)
PIPELINE_CREATED = Metric(
    "pipeline_created",
    noop("Pipeline created"),
    "money",
    "higher",
    noop("Sum of the value at the end of the deals that were created in the period, those among them already won or lost included."),
)
PIPELINE_WON = Metric(
    "pipeline_won",
    noop("Pipeline won"),
    "money",
    "higher",
    noop(
        "Sum of the value at the end of the deals that left the pipeline in the period because they were won, whenever they were created."
    ),
)
PIPELINE_LOST = Metric(
    "pipeline_lost",
    noop("Pipeline lost"),
    "money",
    "lower",
    noop("Sum of the value of the deals that left the pipeline in the period because they were lost, whenever they were created."),
)
PIPELINE_CHANGE = Metric(
    "pipeline_change",
    noop("Pipeline change"),
    "money",
    "higher",
    noop("Pipeline at the end minus pipeline at the start, over the deals whose value is known."),
)
METRICS: tuple[Metric, ...] = (PIPELINE_START, PIPELINE_CREATED, PIPELINE_WON, PIPELINE_LOST, PIPELINE_END, PIPELINE_CHANGE)
