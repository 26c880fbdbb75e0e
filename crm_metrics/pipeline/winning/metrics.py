"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

MAIN_REASON_SHARE = Metric(
    "main_reason_share",
    noop("Main reason for losing"),
    "share",
    "neither",
    noop("Lost deals with the most frequent reason, divided by the lost deals of which a reason is recorded; deals created in the period."),
)
COMPETITIVE_WON_VALUE = Metric(
    "competitive_won_value",
    noop("Won against competitors"),
    "money",
    "higher",
    noop(
        "Sum of the value of the deals created in the period that are won and name a competitor (competitive wins); deals of unknown value"
        " are left out."
    ),
)
WIN_RATE_AGAINST_COMPETITORS = Metric(
    "win_rate_against_competitors",
    noop("Win rate against competitors"),
    "share",
    "higher",
    noop("Deals created in the period that name a competitor and are won, divided by those that name one and are won or lost."),
)
SCORECARD_COMPLETENESS = Metric(
    "scorecard_completeness",
    noop("Assessment complete"),
    "share",
    "higher",
    noop("Deals created in the period whose opportunity assessment is complete, divided by all of them of which this is recorded."),
)
LOST_CYCLE_DAYS = Metric(
    "lost_cycle_days",
    noop("Days until a deal is lost"),
    "days",
    "neither",
    noop("Median of the days from creation to losing, over the deals created in the period that are lost, where both days are known."),
)
MEDIAN_WON_VALUE = Metric(
    "median_won_value",
    noop("Median value of won deals"),
    "money",
    "higher",
    noop("Half of the deals created in the period that are won are worth more, half less; deals of unknown value are left out."),
)
METRICS: tuple[Metric, ...] = (
    MAIN_REASON_SHARE,
    WIN_RATE_AGAINST_COMPETITORS,
    COMPETITIVE_WON_VALUE,
    SCORECARD_COMPLETENESS,
    LOST_CYCLE_DAYS,
    MEDIAN_WON_VALUE,
)
