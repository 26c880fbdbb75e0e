"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

NEXT_STEP_RATE = Metric(
    "next_step_rate",
    noop("On to the next step"),
    "share",
    "higher",
    noop(
        "Deals of the next step divided by the deals of this one; those still in it count as not gone on. Of calls: the hit rate; of leads:"
        " those that qualified; of qualified leads: those that became a deal."
    ),
)
STAGE_CONVERSION = Metric(
    "stage_conversion",
    noop("Stage conversion"),
    "share",
    "higher",
    noop(
        "Deals that went past a stage divided by those that went past it or were lost in it, before any reopening; deals still in the stage"
        " are in neither."
    ),
)
METRICS: tuple[Metric, ...] = (NEXT_STEP_RATE, STAGE_CONVERSION)
