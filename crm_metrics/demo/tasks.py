"""The work on deals: tasks of each stage, visits, meetings and e-mails, quotas, and the service contacts that brought deals."""

import numpy as np
import pyarrow as pa

from crm_metrics.demo import clock
from crm_metrics.demo.deal_changes import in_office_hours
from crm_metrics.demo.deal_stages import OPEN_STAGES, win_rate
from crm_metrics.demo.deal_tables import Deals, deal_keys
from crm_metrics.demo.leads import ERAS
from crm_metrics.demo.plan import FIRST_ON, LAST_ON, Plan
from crm_metrics.demo.products import product_keys
from crm_metrics.demo.staff import HOURLY_COST, employee_keys, headcount
from crm_metrics.demo.world import Fact, Integers, customer_keys, days, keys, labels, money, times
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
QUOTA_STEP, LEAST_QUOTA = 10_000.0, 20_000.0
ENQUIRY = "咨询购买 Sales enquiry"
ENQUIRY_CHANNELS, PHONE_SHARE = ("phone", "e-mail"), 0.7
ENQUIRY_WAIT_MINUTES, ENQUIRY_REPLY_HOURS = 2.0, 4.0  # means of exponentials: on the phone, by e-mail
ENQUIRY_MINUTES, ENQUIRY_SHAPE = 6.0, 3.0  # handling, mean of a gamma distribution

TOPIC = "tasks"
PARAMETERS = {
    "task_done_share": (noop("Share of tasks that are done at all"), "share"),
    "days_to_done": (noop("Days until a task is done, on average of those done"), "days"),
    "task_days": (noop("Days from the entry into a stage until its task is due"), "days"),
    "days_between_activities": (noop("Days between two activities of a deal, on average"), "days"),
    "activity_share": (noop("Share of the activities of deals by kind"), "share"),
    "activity_minutes": (noop("Minutes of an activity, on average"), "minutes"),
    "quota_share": (noop("Quota, as a share of the value that a seller's deals should bring in the quarter"), "share"),
}


def task_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return one task for each entry of a deal into a stage, of who owns the deal then."""
    random, changed = plan.generator("tasks"), made.changes
    entry = np.flatnonzero(changed.entered)
    deal, moment = changed.deal[entry], changed.moment[entry]
    done_share = np.array(DONE_SHARE)[(moment >= plan.go_live_day).astype(int)]
    done = moment + random.gamma(DONE_SHAPE, DAYS_TO_DONE / DONE_SHAPE, len(entry))
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
    """Return the visits, meetings and e-mails of each deal, by its first owner, at any moment until it closes."""
    random, found = plan.generator("deal activities"), made.sources
    closed = made.closed
    length = np.where(np.isnan(closed), plan.days, closed) - found.created
    deal = np.repeat(np.arange(len(length)), random.poisson(np.maximum(length, 0.0) / DAYS_BETWEEN_ACTIVITIES))
    kind = random.choice(len(ACTIVITY_KINDS), len(deal), p=ACTIVITY_SHARE)
    minutes = random.gamma(ACTIVITY_SHAPE, np.array(ACTIVITY_MINUTES)[kind] / ACTIVITY_SHAPE)
    return pa.table(
        {
            "activity_id": keys("deal activity", np.arange(len(deal))),
            "activity_kind": labels(kind, ACTIVITY_KINDS),
            "happened_at": times(in_office_hours(found.created[deal] + random.random(len(deal)) * length[deal])),
            "employee_id": employee_keys("sales", found.seller[deal]),
            "customer_id": customer_keys(made.customer[deal]),
            "opportunity_id": deal_keys(deal),
            "activity_count": pa.array(np.ones(len(deal), dtype=np.int32)),
            "minutes": money(minutes, decimals=0),
        }
    )


def quota_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return a quota for every seller and quarter: about what the deals at hand should bring, so that some hit and some miss it."""
    found, sellers = made.sources, headcount(plan, "sales")
    quarters = 4 * (LAST_ON.year - FIRST_ON.year + 1)
    rate = np.array([win_rate(0), win_rate(1)])[found.is_after.astype(int)]
    quarter = clock.month_of(plan, found.created + QUOTA_LAG_DAYS) // 3
    counts = found.created + QUOTA_LAG_DAYS < plan.days
    place = (found.seller * quarters + quarter)[counts]
    expected = np.bincount(place, weights=(rate * np.nan_to_num(made.traits.amount))[counts], minlength=sellers * quarters)
    quota = np.maximum(np.round(QUOTA_SHARE * expected / QUOTA_STEP) * QUOTA_STEP, LEAST_QUOTA)
    seller, which = np.divmod(np.arange(sellers * quarters), quarters)
    return pa.table(
        {
            "employee_id": employee_keys("sales", seller),
            "quarter_on": days(_quarter_starts(plan)[which]),
            "quota_amount": money(quota),
        }
    )


def _quarter_starts(plan: Plan) -> Integers:
    month = clock.month_of(plan, np.arange(plan.days, dtype=np.float64))
    return np.flatnonzero(np.diff(month // 3, prepend=-1))


def ticket_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return the service contacts that brought a deal: enquiries by phone or e-mail, solved by handing them to a seller."""
    random, found = plan.generator("deal tickets"), made.sources
    deal = np.flatnonzero(~np.isnan(found.contacted))
    many, opened = len(deal), in_office_hours(found.contacted[deal])
    by_phone = random.random(many) < PHONE_SHARE
    wait, reply = random.exponential(ENQUIRY_WAIT_MINUTES, many), random.exponential(ENQUIRY_REPLY_HOURS * 60, many)
    minutes = random.gamma(ENQUIRY_SHAPE, ENQUIRY_MINUTES / ENQUIRY_SHAPE, many)
    replied = opened + np.where(by_phone, wait, reply) / 1_440
    solved = replied + minutes / 1_440
    for moments in (replied, solved):
        moments[moments >= plan.days] = np.nan
    agent = random.integers(0, headcount(plan, "service"), many)
    return pa.table(
        {
            "ticket_id": keys("enquiry", np.arange(many)),
            "customer_id": customer_keys(made.customer[deal]),
            "employee_id": employee_keys("service", agent),
            "channel": labels((~by_phone).astype(int), ENQUIRY_CHANNELS),
            "topic": labels(np.zeros(many, dtype=int), (ENQUIRY,)),
            "product_id": product_keys(found.product[deal]),
            "opened_at": times(opened),
            "first_reply_at": times(replied),
            "solved_at": times(solved),
            "wait_minutes": money(np.where(by_phone, wait, np.nan)),
            "handling_minutes": money(minutes),
            "handling_cost": money(minutes / 60 * HOURLY_COST["service"]),
            "opportunity_id": deal_keys(deal),
            **_plain_ticket(many),
        }
    )


def _plain_ticket(many: int) -> dict[str, pa.Array]:
    """Return the columns in which all enquiries are alike: one answer, one handing on to a seller."""
    no, none, once = np.zeros(many, dtype=bool), np.zeros(many, dtype=np.int32), np.ones(many, dtype=np.int32)
    flags = {name: pa.array(no) for name in ("was_abandoned", "was_self_served", "is_known_issue")}
    return {**flags, "reopened_count": pa.array(none), "transfer_count": pa.array(once), "agent_reply_count": pa.array(once)}


def facts() -> list[Fact]:
    """Return the stated parameters."""
    plain = {
        "days_to_done": DAYS_TO_DONE,
        "task_days": TASK_DAYS,
        "days_between_activities": DAYS_BETWEEN_ACTIVITIES,
        "quota_share": QUOTA_SHARE,
    }
    named = {
        "task_done_share": (ERAS, DONE_SHARE),
        "activity_share": (ACTIVITY_KINDS, ACTIVITY_SHARE),
        "activity_minutes": (ACTIVITY_KINDS, ACTIVITY_MINUTES),
    }
    by_name = [Fact(TOPIC, parameter, name, value) for parameter, pair in named.items() for name, value in zip(*pair, strict=True)]
    return [Fact(TOPIC, name, "", value) for name, value in plain.items()] + by_name
