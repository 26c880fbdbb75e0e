"""Deals as rows of the database: as they stand at the end of the demo, and every change."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.demo import clock
from crm_metrics.demo import deal_stages as stages
from crm_metrics.demo.deal_changes import Changes, Courses, rounded
from crm_metrics.demo.deal_sources import SOURCE_NAMES, Accounts, Sources
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.products import product_keys
from crm_metrics.demo.staff import employee_keys
from crm_metrics.demo.world import NONE, REGIONS, Booleans, Floats, Integers, chosen, customer_keys, days, keys, labels, money, times

NEXT_STEPS = ("约访 Arrange a meeting", "上门量尺 Measure on site", "发送报价 Send the proposal", "确认条款 Agree on terms")  # by stage


class Traits(NamedTuple):
    """What each deal is like. segment: place in SEGMENTS. amount: value when it is created, NaN if unknown. has_scorecard: assessed."""

    segment: Integers
    amount: Floats
    has_scorecard: Booleans


class Deals(NamedTuple):
    """All about the deals. customer: number of the account, NONE without one."""

    sources: Sources
    courses: Courses
    changes: Changes
    traits: Traits
    customer: Integers

    @property
    def closed(self) -> Floats:
        """Moment of the last closing before the demo ends; NaN where the deal is open then."""
        last = self.changes.last
        return np.where(self.changes.outcome[last] == 0, np.nan, self.changes.moment[last])


def deal_keys(places: npt.ArrayLike) -> pa.Array:
    """Return the ids of deals; null for NONE."""
    return keys("deal", places)


def traits(plan: Plan, sources: Sources, accounts: Accounts) -> Traits:
    """Return segment, value and assessment of each deal. The deals of a company are all of its segment."""
    random, count = plan.generator("deal traits"), len(sources.created)
    of_deals = random.choice(len(stages.SEGMENTS), count, p=stages.SEGMENT_SHARE)
    of_accounts = random.choice(len(stages.SEGMENTS), len(accounts.number), p=stages.SEGMENT_SHARE)
    segment = np.where(sources.account == NONE, of_deals, np.append(of_accounts, NONE)[sources.account])
    value = np.array(stages.MEDIAN_AMOUNT)[segment] * np.exp(random.normal(0, stages.AMOUNT_SPREAD, count))
    known = random.random(count) >= stages.NO_AMOUNT_SHARE
    amount = np.where(known, rounded(value), np.nan)
    assessed = random.random(count) < clock.level(stages.SCORECARD_SHARE, sources.is_after)
    return Traits(segment, amount, assessed)


def opportunity_rows(plan: Plan, made: Deals) -> pa.Table:
    """Return one row per deal, as its last change left it."""
    sources, last = made.sources, made.changes.last
    now = chosen(made.changes, last)
    return pa.table(
        {
            "opportunity_id": deal_keys(now.deal),
            "opportunity_name": _names(made),
            "customer_id": customer_keys(made.customer),
            "lead_id": keys("lead", sources.lead),
            "owner_id": employee_keys("sales", now.seller),
            "product_id": product_keys(sources.product),
            "region": labels(sources.region, REGIONS),
            "deal_source": labels(sources.source, SOURCE_NAMES),
            "segment": labels(made.traits.segment, stages.SEGMENTS),
            "created_on": days(sources.created),
            "stage": labels(now.stage, stages.STAGES),
            "outcome": labels(now.outcome, stages.OUTCOMES),
            "expected_close_on": days(now.expected),
            "closed_on": days(made.closed),
            "deal_amount": money(now.amount),
            **_reasons(plan, made, now),
            "has_scorecard": pa.array(made.traits.has_scorecard),
        }
    )


def _names(made: Deals) -> pa.Array:
    number = pa.array(np.arange(1, len(made.customer) + 1)).cast(pa.string())
    return pc.binary_join_element_wise(labels(made.traits.segment, stages.SEGMENTS), number, " · ")


def _reasons(plan: Plan, made: Deals, now: Changes) -> dict[str, pa.Array]:
    """Return why a deal was lost, against whom it ran and what comes next.

    The competitor is drawn by what the deal comes to in the end, so that open deals have theirs too.
    """
    random, count = plan.generator("deal reasons"), len(now.deal)
    reason = random.choice(len(stages.LOST_REASONS), count, p=stages.LOST_REASON_SHARE)
    among = np.array([stages.COMPETITOR_AMONG["lost"], stages.COMPETITOR_AMONG["won"]])[made.courses.is_won.astype(int)]
    competitor = (random.random(count)[:, None] >= np.cumsum(among, axis=1)).sum(axis=1)
    has_step = (random.random(count) < stages.NEXT_STEP_SHARE) & (now.outcome == 0)
    return {
        "lost_reason": labels(np.where(now.stage == stages.LOST, reason, NONE), stages.LOST_REASONS),
        "competitor": labels(np.where(competitor < len(stages.COMPETITORS), competitor, NONE), stages.COMPETITORS),
        "next_step": labels(np.where(has_step, now.stage, NONE), NEXT_STEPS),
    }


def history_rows(changed: Changes) -> pa.Table:
    """Return one row per change of a deal."""
    return pa.table(
        {
            "opportunity_id": deal_keys(changed.deal),
            "change_number": pa.array(changed.number.astype(np.int32)),
            "changed_at": times(changed.moment),
            "stage": labels(changed.stage, stages.STAGES),
            "deal_amount": money(changed.amount),
            "expected_close_on": days(changed.expected),
            "owner_id": employee_keys("sales", changed.seller),
            "outcome": labels(changed.outcome, stages.OUTCOMES),
        }
    )
