"""The work on deals: tasks of each stage, visits, meetings and e-mails, quotas, and the service contacts that brought deals."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crm_metrics.demo import clock
from crm_metrics.demo.deal_stages import OPEN_STAGES, win_rate
from crm_metrics.demo.deal_tables import Deals, deal_keys
from crm_metrics.demo.draws import gamma
from crm_metrics.demo.office_hours import between, later
from crm_metrics.demo.plan import FIRST_ON, LAST_ON, Plan
from crm_metrics.demo.products import product_keys
from crm_metrics.demo.staff import HOURLY_COST, employee_keys, headcount
from crm_metrics.demo.world import Booleans, Floats, Integers, Stated, customer_keys, days, keys, labels, money, times
from crm_metrics.language import noop

SUBJECTS = (
    "了解需求 Ask what is needed",
    "提交方案 Present a solution",
    "跟进报价 Follow up the proposal",
    "准备合同 Prepare the contract",
)
TASK_DAYS = 7.0  # from entering the stage to the due day
DAYS_TO_DONE, DONE_SHAPE = 5.0, 2.0  # of tasks that are done: mean of a gamma distribution
DONE_SHARE = (0.75, 0.90)  # of tasks are done at all, before the CRM and after
DAYS_BETWEEN_ACTIVITIES = 12.0  # of one deal
ACTIVITY_KINDS = ("visit", "meeting", "e-mail")
ACTIVITY_SHARE = (0.25, 0.30, 0.45)
ACTIVITY_MINUTES = (120.0, 60.0, 10.0)  # means of gamma distributions of shape ACTIVITY_SHAPE
ACTIVITY_SHAPE = 4.0
QUOTA_SHARE = 1.0  # of what a seller's deals should bring: value when created times the true win rate
QUOTA_LAG_DAYS = 60.0  # a deal counts in the quarter of this many days after its creation
QUOTA_STEP, LEAST_QUOTA = 1_000.0, 3_000.0  # CNY
ENQUIRY = "咨询购买 Sales enquiry"
ENQUIRY_CHANNELS, PHONE_SHARE = ("phone", "e-mail"), 0.7
ENQUIRY_WAIT_MINUTES, ENQUIRY_REPLY_HOURS = 2.0, 4.0  # means of exponentials: on the phone, by e-mail
ENQUIRY_MINUTES, ENQUIRY_SHAPE = 6.0, 3.0  # handling, mean of a gamma distribution

TOPIC = "tasks"
PARAMETERS = {
    "task_done_share": (noop("Chance of a task to be done at all, before the end of the demo cuts it off"), "share"),
    "days_to_done": (noop("Days until a task is done, on average of those done"), "days"),
    "done_shape": (noop("Shape of the gamma distribution of the days until a task is done"), "plain"),
    "task_days": (noop("Days from the entry into a stage until its task is due"), "days"),
    "days_between_activities": (noop("Days between two activities of a deal, on average"), "days"),
    "activity_share": (noop("Share of the activities of deals by kind"), "share"),
    "activity_minutes": (noop("Minutes of an activity, on average"), "minutes"),
    "activity_shape": (noop("Shape of the gamma distribution of the minutes of an activity"), "plain"),
    "quota_share": (
        noop("Quota, as a share of the value that a seller's deals should bring in the quarter; after the demo, the average of a year"),
        "share",
    ),
    "quota_lag_days": (noop("Days after its creation that decide the quarter in whose quota a deal counts"), "days"),
    "quota_step": (noop("Step to which a quota is rounded"), "money"),
    "least_quota": (noop("Least quota of a seller in a quarter"), "money"),
    "enquiry_phone_share": (noop("Share of sales enquiries to the service that come by phone, the others by e-mail"), "share"),
    "enquiry_wait_minutes": (noop("Minutes that a sales enquiry by phone waits, on average"), "minutes"),
    "enquiry_reply_hours": (noop("Hours until a sales enquiry by e-mail is answered, on average"), "hours"),
    "enquiry_minutes": (noop("Minutes of handling a sales enquiry, on average"), "minutes"),
    "enquiry_shape": (noop("Shape of the gamma distribution of the minutes of handling a sales enquiry"), "plain"),
}


def task_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return one task for each entry of a deal into a stage, of who owns the deal then."""
    random, changed = plan.generator("tasks"), made.changes
    entry = np.flatnonzero(changed.entered)
    deal, moment = changed.deal[entry], changed.moment[entry]
    done_share = clock.level(DONE_SHARE, clock.is_after(plan, moment))
    done = later(moment, gamma(random, DAYS_TO_DONE, shape=DONE_SHAPE, count=len(entry)))
    done[(random.random(len(entry)) >= done_share) | (done >= plan.days)] = np.nan
    return pa.table(
        {
            "task_id": keys("task", np.arange(len(entry))),
            "employee_id": employee_keys("sales", changed.seller[entry]),
            "customer_id": customer_keys(made.customer[deal]),
            "opportunity_id": deal_keys(deal),
            "stage": labels(changed.stage[entry], OPEN_STAGES),
            "subject": labels(changed.stage[entry], SUBJECTS),
            "due_on": days(moment + TASK_DAYS),
            "done_on": days(done),
        }
    )


def activity_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return the visits, meetings and e-mails of each deal, by its first owner, at any moment of office hours until it closes."""
    random, sources = plan.generator("deal activities"), made.sources
    ended = np.where(np.isnan(made.closed), plan.days, made.closed)
    deal = np.repeat(np.arange(len(ended)), random.poisson((ended - sources.created) / DAYS_BETWEEN_ACTIVITIES))
    kind = random.choice(len(ACTIVITY_KINDS), len(deal), p=ACTIVITY_SHARE)
    minutes = gamma(random, np.array(ACTIVITY_MINUTES)[kind], shape=ACTIVITY_SHAPE)
    return pa.table(
        {
            "activity_id": keys("deal activity", np.arange(len(deal))),
            "activity_kind": labels(kind, ACTIVITY_KINDS),
            "happened_at": times(between(sources.created[deal], ended[deal], random.random(len(deal)))),
            "employee_id": employee_keys("sales", sources.seller[deal]),
            "customer_id": customer_keys(made.customer[deal]),
            "opportunity_id": deal_keys(deal),
            "activity_count": pa.array(np.ones(len(deal), dtype=np.int32)),
            "minutes": money(minutes, decimals=0),
        }
    )


def quota_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return a quota for every seller and quarter: about what the deals at hand should bring, so that some hit and some miss it.

    The quarter that follows the demo has one already, the average of the four before.
    """
    sources, sellers = made.sources, headcount(plan, "sales")
    quarters = 4 * (LAST_ON.year - FIRST_ON.year + 1)
    rate = clock.level((win_rate(0), win_rate(1)), sources.is_after)
    quarter = clock.month_of(plan, sources.created + QUOTA_LAG_DAYS) // 3
    counts = sources.created + QUOTA_LAG_DAYS < plan.days
    place = (sources.seller * quarters + quarter)[counts]
    expected = np.bincount(place, weights=(rate * np.nan_to_num(made.traits.amount))[counts], minlength=sellers * quarters)
    wanted = QUOTA_SHARE * expected.reshape(sellers, quarters)
    wanted = np.column_stack([wanted, wanted[:, -4:].mean(axis=1)])
    quota = np.maximum(np.round(wanted / QUOTA_STEP) * QUOTA_STEP, LEAST_QUOTA).ravel()
    seller, which = np.divmod(np.arange(len(quota)), quarters + 1)
    return pa.table(
        {
            "employee_id": employee_keys("sales", seller),
            "quarter_on": days(np.append(_quarter_starts(plan), plan.days)[which]),
            "quota_amount": money(quota),
        }
    )


def _quarter_starts(plan: Plan) -> Integers:
    month = clock.month_of(plan, np.arange(plan.days, dtype=np.float64))
    return np.flatnonzero(np.diff(month // 3, prepend=-1))


# ── service contacts that brought a deal ────────────────────────────────────────────────────────────────────────────────


class Enquiries(NamedTuple):
    """One element per service contact that brought a deal, by deal. deal: place in Sources. opened: in office hours. minutes: of
    handling. cost: of the agent's time, in whole fen.
    """

    deal: Integers
    opened: Floats
    by_phone: Booleans
    minutes: Floats
    cost: Floats

    @property
    def channels(self) -> pa.Array:
        """Channel that each came through."""
        return labels((~self.by_phone).astype(int), ENQUIRY_CHANNELS)


def enquiries(plan: Plan, made: Deals) -> Enquiries:
    """Return the service contacts that brought a deal."""
    random, deal = plan.generator("deal tickets"), np.flatnonzero(~np.isnan(made.sources.contacted))
    by_phone = random.random(len(deal)) < PHONE_SHARE
    minutes = np.round(gamma(random, ENQUIRY_MINUTES, shape=ENQUIRY_SHAPE, count=len(deal)), 2)
    return Enquiries(deal, made.sources.contacted[deal], by_phone, minutes, np.round(minutes / 60 * HOURLY_COST["service"], 2))


def ticket_rows(plan: Plan, made: Deals, enquired: Enquiries) -> pa.Table:
    """Return the service contacts that brought a deal as tickets by phone or e-mail, solved by handing them to a seller."""
    random, count = plan.generator("answers to enquiries"), len(enquired.deal)
    wait, reply = random.exponential(ENQUIRY_WAIT_MINUTES, count), random.exponential(ENQUIRY_REPLY_HOURS * 60, count)
    replied = enquired.opened + np.where(enquired.by_phone, wait, reply) / 1_440
    solved = replied + enquired.minutes / 1_440
    for moments in (replied, solved):
        moments[moments >= plan.days] = np.nan
    agent = random.integers(0, headcount(plan, "service"), count)
    return pa.table(
        {
            "ticket_id": keys("enquiry", np.arange(count)),
            "customer_id": customer_keys(made.customer[enquired.deal]),
            "employee_id": employee_keys("service", agent),
            "channel": enquired.channels,
            "topic": labels(np.zeros(count, dtype=int), (ENQUIRY,)),
            "product_id": product_keys(made.sources.product[enquired.deal]),
            "opened_at": times(enquired.opened),
            "first_reply_at": times(replied),
            "solved_at": times(solved),
            "wait_minutes": money(np.where(enquired.by_phone, wait, np.nan)),
            "handling_minutes": money(enquired.minutes),
            "handling_cost": money(enquired.cost),
            "opportunity_id": deal_keys(enquired.deal),
            **_plain_ticket(count),
        }
    )


def _plain_ticket(count: int) -> dict[str, pa.Array]:
    """Return the columns in which all enquiries are alike: one answer, one handing on to a seller."""
    no, none, once = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int32), np.ones(count, dtype=np.int32)
    flags = {name: pa.array(no) for name in ("was_abandoned", "was_self_served", "is_known_issue")}
    return {**flags, "reopened_count": pa.array(none), "transfer_count": pa.array(once), "agent_reply_count": pa.array(once)}


def cost_rows(made: Deals, enquired: Enquiries) -> pa.Table:
    """Return what each service contact that brought a deal cost, on the day it came."""
    count = len(enquired.deal)
    return pa.table(
        {
            "cost_id": keys("enquiry", np.arange(count)),
            "customer_id": customer_keys(made.customer[enquired.deal]),
            "incurred_on": days(enquired.opened),
            "cost_kind": labels(np.zeros(count, dtype=int), ("service",)),
            "channel": enquired.channels,
            "minutes": money(enquired.minutes),
            "cost_amount": money(enquired.cost),
        }
    )


def stated(plan: Plan) -> Stated:
    """Return the stated parameters; the share of tasks done after the CRM only where it goes live."""
    return {
        "task_done_share": clock.by_era(plan, DONE_SHARE),
        "days_to_done": DAYS_TO_DONE,
        "done_shape": DONE_SHAPE,
        "task_days": TASK_DAYS,
        "days_between_activities": DAYS_BETWEEN_ACTIVITIES,
        "activity_share": dict(zip(ACTIVITY_KINDS, ACTIVITY_SHARE, strict=True)),
        "activity_minutes": dict(zip(ACTIVITY_KINDS, ACTIVITY_MINUTES, strict=True)),
        "activity_shape": ACTIVITY_SHAPE,
        "quota_share": QUOTA_SHARE,
        "quota_lag_days": QUOTA_LAG_DAYS,
        "quota_step": QUOTA_STEP,
        "least_quota": LEAST_QUOTA,
        "enquiry_phone_share": PHONE_SHARE,
        "enquiry_wait_minutes": ENQUIRY_WAIT_MINUTES,
        "enquiry_reply_hours": ENQUIRY_REPLY_HOURS,
        "enquiry_minutes": ENQUIRY_MINUTES,
        "enquiry_shape": ENQUIRY_SHAPE,
    }
