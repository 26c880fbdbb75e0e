"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

_AALEN_JOHANSEN = noop("Aalen and Johansen (1978), Scandinavian Journal of Statistics 5, 141-150")
_KAPLAN_MEIER = noop("Kaplan and Meier (1958), Journal of the American Statistical Association 53, 457-481")

WON_WITHIN_90_DAYS = Metric(
    "won_within_90_days",
    noop("Won within 90 days"),
    "share",
    "higher",
    noop(
        "Share of the deals created in the period that are won within 90 days of their creation, of all of them: won, lost and open. An "
        "open deal counts for as long as it was followed, so that young deals pull nothing down."
    ),
    _AALEN_JOHANSEN,
)
WON_AS_FAR_AS_FOLLOWED = Metric(
    "won_as_far_as_followed",
    noop("Won as far as followed"),
    "share",
    "higher",
    noop(
        "Share of the deals created in the period that are won by the age of the oldest of them, of all that were created: won, lost and "
        "open. An open deal counts for as long as it was followed."
    ),
    _AALEN_JOHANSEN,
)
DAYS_TO_WIN = Metric(
    "days_to_win",
    noop("Median days to win"),
    "days",
    "lower",
    noop(
        "Days from creation by which half of the wins to come have come, over the deals created in the period; slow deals that are still "
        "open are stood for by those that took as long. Of a reopened deal the last closing counts."
    ),
    _AALEN_JOHANSEN,
)
SLOWEST_STAGE_DAYS = Metric(
    "slowest_stage_days",
    noop("Days in slowest stage"),
    "days",
    "lower",
    noop(
        "Days by which half of the stays in a stage have ended, whether passed, lost or gone back; stays that last count for as long as "
        "seen. Of the stage where that takes longest, among those with at least 30 stays."
    ),
    _KAPLAN_MEIER,
)
STALLED_DEALS = Metric(
    "stalled_deals",
    noop("Stalled deals"),
    "count",
    "lower",
    noop(
        "Open deals, whenever created, that have been in their stage for longer than 90% of all stays in it; where the day they entered it "
        "is unknown: open for longer than it takes until 90% of all deals are closed."
    ),
)
STALLED_VALUE = Metric(
    "stalled_value",
    noop("Value of stalled deals"),
    "money",
    "lower",
    noop("Sum of the value of the stalled deals; those of unknown value are left out."),
)
LEADS_CONVERTED = Metric(
    "leads_converted_within_90_days",
    noop("Leads converted in 90 days"),
    "share",
    "higher",
    noop(
        "Share of the leads that came in the period that became customers within 90 days of their coming, of all leads that came, by the "
        "day they came. A lead that has become none counts for as long as it was followed."
    ),
    _KAPLAN_MEIER,
)
METRICS: tuple[Metric, ...] = (
    WON_WITHIN_90_DAYS,
    WON_AS_FAR_AS_FOLLOWED,
    DAYS_TO_WIN,
    SLOWEST_STAGE_DAYS,
    STALLED_DEALS,
    STALLED_VALUE,
    LEADS_CONVERTED,
)
