"""The tables of the decision log: what was expected of planned campaigns, and what came of them."""

import math
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd

from crm_metrics import workspace
from crm_metrics.campaign_roi.plan import metrics, query, verdicts
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput, tile
from crm_metrics.randomised_test.analyse import Difference, SampleRatio, relative_lift, sample_ratio, stratified_difference
from crm_metrics.sales import extent
from crm_metrics.scope import Scope

_FOUND = ("uplift", "uplift_low", "uplift_high", "p_value", "lift", "lift_low", "lift_high", "profit", "found_low", "found_high")
LOG_COLUMNS = (
    *("campaign_id", "campaign_name", "segment_name", "outcome", "as_of_on", "ends_on", "day", "horizon_days", "is_finished"),
    *("n", "control_n", "sample_ratio_p_value", "is_faulty", "expected_lift", "expected_low", "expected_high", "expected_uplift"),
    *("expected_profit", "profit_low", "profit_high", "chance_of_profit", *_FOUND, "verdict"),
)


class _Drawn(NamedTuple):
    """A planned campaign by what tells it from all others, the days on which its outcome counts, and how it was split."""

    campaign_id: int
    made_at: str
    first_on: date
    last_on: date
    outcome: str
    share_control: float


class _Outcome(NamedTuple):
    """What came of it. found: of the outcome that was planned; spend: of net revenue; None where the arms are not as planned."""

    ratio: SampleRatio
    treated: int
    control: int
    found: Difference | None
    spend: Difference | None


def decision_log(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per planned campaign that was drawn by today, the newest first: LOG_COLUMNS.

    ends_on: last day that counts; day: days of horizon_days that have passed. n, control_n: members who are in the data. expected_low,
    expected_high: range of the lift as it was expected (OFTEN within); expected_uplift, uplift: per treated member, in the unit of the
    outcome. expected_profit, profit_low, profit_high, chance_of_profit: as saved. lift, lift_low, lift_high: what came out, relative to
    the control group; profit, found_low, found_high: its money at the margin and cost that were saved; intervals are of 95 %, analysed
    by stratum as it was split. Before is_finished, and where is_faulty (the sizes of the arms), nothing of what came out is told: NaN.
    verdict: see verdicts.
    """
    until = last_day_seen(source, filters)
    plans: list[Any] = list(workspace.planned_campaigns(source.data_set).itertuples())
    rows = [_row(source, filters.scope, plan, until) for plan in plans if until and plan.as_of_on.date() <= until]
    frame = pd.DataFrame(rows, columns=list(LOG_COLUMNS)).astype(dict.fromkeys(_FOUND, "float64"))
    return frame.iloc[::-1].reset_index(drop=True)


def calibration(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row on how good the planner is over all campaigns whose days are over: see verdicts.calibration_row."""
    return verdicts.calibration_row(decision_log(source, filters))


def log_tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the tiles of the log: metric, value, low, high (95 %; NaN: exact), unit, n (planned campaigns that it is about)."""
    log = decision_log(source, filters)
    known: Any = verdicts.calibration_row(log).iloc[0]
    money: Any = verdicts.profit_row(log).iloc[0]
    rows = [
        tile(metrics.FINISHED, int(log["is_finished"].sum()), len(log)),
        tile(metrics.INSIDE, known.inside_share, known.plans, low=known.low, high=known.high),
        tile(metrics.PROFIT_EXPECTED, money.expected, money.plans),
        tile(metrics.PROFIT_FOUND, money.profit, money.plans, low=money.low, high=money.high),
    ]
    return pd.DataFrame(rows)


def last_day_seen(source: Source, filters: Filters) -> date | None:
    """Return the last day that is seen: today, or the last day of the data before it."""
    last_on = source(extent(filters.scope))["last_on"].iloc[0]
    if pd.isna(last_on):
        return None
    return min(filters.today or last_on.date(), last_on.date())


def _row(source: Source, scope: Scope, plan: Any, until: date) -> dict[str, Any]:
    started = plan.as_of_on.date()
    ends_on = started + timedelta(days=plan.horizon_days)
    is_finished = ends_on <= until
    known = {
        "campaign_id": plan.campaign_id,
        "campaign_name": plan.campaign_name,
        "segment_name": plan.segment_name,
        "outcome": plan.outcome,
        "as_of_on": plan.as_of_on,
        "ends_on": pd.Timestamp(ends_on),
        "day": min((until - started).days, plan.horizon_days),
        "horizon_days": plan.horizon_days,
        "is_finished": is_finished,
        "expected_lift": plan.expected_lift,
        "expected_low": plan.expected_lift - plan.lift_spread,
        "expected_high": plan.expected_lift + plan.lift_spread,
        "expected_uplift": plan.expected_lift * plan.baseline_mean,
        **{name: getattr(plan, name) for name in ("expected_profit", "profit_low", "profit_high", "chance_of_profit")},
    }
    if not is_finished:
        sizes = {"n": plan.treated_customers, "control_n": plan.control_customers, "sample_ratio_p_value": math.nan, "is_faulty": False}
        return known | sizes | {"verdict": "running"}
    drawn = _Drawn(plan.campaign_id, plan.made_at.isoformat(), started + timedelta(days=1), ends_on, plan.outcome, plan.share_control)
    came = source.remember(_outcome, scope, drawn)
    sizes = {"n": came.treated, "control_n": came.control, "sample_ratio_p_value": came.ratio.p_value, "is_faulty": came.found is None}
    return known | sizes | _found(plan, came)


def _found(plan: Any, came: _Outcome) -> dict[str, Any]:
    """Return what came out, and the verdict on it."""
    if came.found is None or came.spend is None:
        return {"verdict": "faulty"}
    base = came.found.control_mean if came.found.control_mean > 0 else math.nan
    relative, low, high = relative_lift(
        came.found.estimate, came.found.high - came.found.estimate, control_mean=base, treated=came.treated, control=came.control
    )
    cost = plan.fixed_cost + plan.contact_cost * plan.treated_customers
    profit = [value * plan.treated_customers * plan.margin_share - cost for value in came.spend[:3]]
    values = (*came.found[:3], came.found.p_value, relative, low, high, *profit)
    return dict(zip(_FOUND, values, strict=True)) | {"verdict": verdicts.verdict(plan.expected_lift, low, high)}


def _outcome(source: Source, scope: Scope, drawn: _Drawn) -> _Outcome:
    """Return what the members of a planned campaign did in its days; who bought nothing counts with 0."""
    members = workspace.planned_members(source.data_set, drawn.campaign_id)
    did = source(query.outcomes_between(drawn.first_on, drawn.last_on, scope))
    joined = members.merge(did, on="customer_id", validate="one_to_one")
    treated = int((joined["arm"] == "treated").sum())
    control = len(joined) - treated
    ratio = sample_ratio(treated, control, share_control=drawn.share_control)
    nothing = _Outcome(ratio, treated, control, None, None)
    if ratio.is_faulty or not len(joined):
        return nothing
    try:
        found, spend = (stratified_difference(joined.assign(value=joined[name].astype(float))) for name in (drawn.outcome, "spend"))
    except BadInput:  # a stratum has lost nearly all of an arm
        return nothing
    return _Outcome(ratio, treated, control, found, spend)
