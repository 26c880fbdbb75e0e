"""What each number of this part means."""

from crm_metrics.language import noop
from crm_metrics.metric import Metric

CALLS_PER_PERSON_DAY = Metric(
    "calls_per_person_day",
    noop("Calls per person and day"),
    "ratio",
    "higher",
    noop("Calls in the period, divided by the days of work with calls, those of each person counted. Interval: Student's."),
)
HIT_RATE = Metric(
    "hit_rate",
    noop("Hit rate of calls"),
    "share",
    "higher",
    noop(
        "Qualified leads that calls of the period brought, divided by these calls. A hit is a call noted as 'qualified'; where none of the "
        "person's calls of the day is, a lead of that person qualified on that day, one a call at most. Interval: Wilson (1927)."
    ),
)
LEADS_PER_DAY = Metric(
    "leads_per_day",
    noop("Qualified leads per person and day"),
    "ratio",
    "higher",
    noop("Qualified leads that calls of the period brought, divided by the days of work with calls: calls a day times hit rate."),
)
WON_PER_PERSON = Metric(
    "won_per_person",
    noop("Won value per person"),
    "money",
    "higher",
    noop(
        "Value of the deals created in the period that are won, divided by the people who own a deal created in it; deals of unknown value "
        "and deals of nobody are left out."
    ),
)
OVERDUE_TASKS = Metric(
    "overdue_tasks",
    noop("Overdue tasks"),
    "count",
    "lower",
    noop("Tasks due today or earlier, whenever that was, that are not done."),
)
VELOCITY = Metric(
    "velocity",
    noop("Pipeline velocity, value a day"),
    "money",
    "higher",
    noop(
        "Open deals of today times the mean value of a won deal times the win rate of closed deals, divided by the mean days from creation "
        "to winning; value, win rate and days are of the deals created in the period. Interval: of the logarithm (Zou and Donner 2008); "
        "the open deals are counted and so certain."
    ),
)
METRICS: tuple[Metric, ...] = (CALLS_PER_PERSON_DAY, HIT_RATE, LEADS_PER_DAY, WON_PER_PERSON, OVERDUE_TASKS, VELOCITY)
