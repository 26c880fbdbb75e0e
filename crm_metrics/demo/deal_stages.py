"""The stages of a deal: how often each is passed and how long it takes, before the CRM and after; the stated parameters of deals."""

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import clock, office_hours
from crm_metrics.demo import deal_sources as sources
from crm_metrics.demo.plan import Plan
from crm_metrics.demo.world import Booleans, Floats, Stated, shares, subject
from crm_metrics.language import noop

OPEN_STAGES = ("需求确认 Qualification", "方案 Needs analysis", "报价 Proposal", "谈判 Negotiation")
STAGES = (*OPEN_STAGES, "赢单 Won", "丢单 Lost")
WON, LOST = range(len(OPEN_STAGES), len(STAGES))
OUTCOMES = ("open", "won", "lost")
STAGE_OUTCOMES = (0, 0, 0, 0, 1, 2)  # places in OUTCOMES
ASSUMED_WIN_PROBABILITY = (0.10, 0.30, 0.50, 0.75, 1.0, 0.0)  # what the company believes; not what is true

# By the day the deal is created, before the CRM and after; by stage.
CONVERSION = ((0.70, 0.65, 0.60, 0.70), (0.75, 0.72, 0.66, 0.78))  # pass the stage / reach it
STAGE_DAYS = ((12.0, 18.0, 15.0, 20.0), (9.0, 14.0, 11.0, 14.0))  # means of gamma distributions
STAGE_SHAPE = 2.0
LOST_TIME_SHARE = 0.7  # of the time a stage would have taken, when a deal is lost in it

# Detours.
SKIP_SHARE = 0.12  # of the deals that get that far jump over one of the three later stages, each equally often; it counts as passed
BACK_SHARE = 0.09  # of the deals that get that far go back from one of the three later stages to the one before, once
BACK_TIME_SHARE = 0.5  # of the mean time of the stage they go back to
PUSH_CHANCE = 0.35  # of the closing date to be pushed, and after each push of another
PUSH_DAYS, LEAST_PUSH_DAYS = 21.0, 1.0  # mean and least of a push, the rest is exponential
REOPEN_SHARE = 0.06  # of lost deals
DAYS_TO_REOPEN, REOPEN_SHAPE = 30.0, 4.0
REOPENED_DAYS = 20.0  # mean until it closes again; shape as of a stage
REOPENED_WIN_RATE = 0.35

SEGMENTS = ("制造 Manufacturing", "零售 Retail", "酒店 Hospitality", "医疗 Health care", "教育 Education")
SEGMENT_SHARE = (0.30, 0.25, 0.20, 0.13, 0.12)
# CNY, by segment. Deals are projects that are invoiced outside the shop; what the usual demo wins in three years is about 10 million,
# a quarter of what companies buy in its shop.
MEDIAN_AMOUNT = (7_000.0, 3_000.0, 4_500.0, 9_000.0, 2_400.0)
AMOUNT_SPREAD = 0.8  # standard deviation of the logarithm
AMOUNT_STEP = 10.0  # CNY; values are whole multiples of it
NO_AMOUNT_SHARE = 0.04
AMOUNT_CHANGE_SHARE, AMOUNT_CHANGE_SPREAD = 0.30, 0.20  # of deals; standard deviation of the logarithm of the factor
OWNER_CHANGE_SHARE = 0.04
NEXT_STEP_SHARE = 0.80  # of open deals have one
EXPECTED_SPREAD = 0.15  # standard deviation of the logarithm of the first expected duration around the true mean of a win
LOST_REASONS = ("价格 Price", "竞争对手 Competitor", "无预算 No budget", "项目取消 Project cancelled", "无回应 No answer")
LOST_REASON_SHARE = (0.34, 0.24, 0.18, 0.14, 0.10)
COMPETITORS = ("甲方家居 Alpha Home", "云居 Cloud Living", "北辰 Polaris")
COMPETITOR_AMONG = {"won": (0.20, 0.12, 0.06), "lost": (0.14, 0.16, 0.20)}  # the rest has no known competitor
SCORECARD_SHARE = (0.35, 0.70)

TOPIC = "deals"
PARAMETERS = {
    "stage_conversion": (
        noop("Chance of a deal that reaches a stage to pass it, before the end of the demo cuts it off and before any reopening"),
        "share",
    ),
    "assumed_win_probability": (noop("Chance to be won that the company assumes for a deal in this stage"), "share"),
    "stage_days": (
        noop("Days in a stage until it is passed, on average, without detours; nothing moves on weekends"),
        "days",
    ),
    "stage_shape": (noop("Shape of the gamma distribution of the days in a stage"), "plain"),
    "lost_time_share": (noop("Days in the stage a deal is lost in, as a share of those until it is passed"), "share"),
    "win_rate": (noop("Chance of a deal to be won, before the end of the demo cuts it off and before any reopening"), "share"),
    "win_rate_with_reopened": (
        noop("Chance of a deal to be won in the end, reopened ones included, before the end of the demo cuts it off"),
        "share",
    ),
    "cycle_days": (noop("Days from the creation of a deal to its win, on average, without detours"), "days"),
    "cycle_days_with_detours": (noop("Days from the creation of a deal to its win, on average, before any reopening"), "days"),
    "cycle_days_with_reopened": (noop("Days from the creation of a deal to its win, on average, reopened deals included"), "days"),
    "skip_share": (noop("Share of won deals that skip a stage, before any reopening"), "share"),
    "back_share": (noop("Share of won deals that go back a stage once, before any reopening"), "share"),
    "back_time_share": (noop("Days that going back adds, as a share of the days in the stage gone back to, on average"), "share"),
    "push_chance": (
        noop("Chance that the closing date of a deal that closes is pushed, and after each push that it is pushed again"),
        "share",
    ),
    "push_days": (noop("Days by which the closing date is pushed, on average"), "days"),
    "least_push_days": (noop("Days by which the closing date is pushed at least; the rest is exponential"), "days"),
    "reopen_share": (noop("Chance of a lost deal to be reopened, before the end of the demo cuts it off"), "share"),
    "days_to_reopen": (noop("Days until a lost deal is reopened, on average"), "days"),
    "reopen_shape": (noop("Shape of the gamma distribution of the days until a lost deal is reopened"), "plain"),
    "reopened_days": (noop("Days until a reopened deal closes again, on average"), "days"),
    "reopened_win_rate": (
        noop("Chance of a reopened deal to be won; of deals of leads only those of future customers are, so that every win has a customer"),
        "share",
    ),
    "lead_deal_share": (noop("Share of qualified leads that become a deal"), "share"),
    "days_to_deal": (
        noop("Days from the qualification of a lead to its deal, on average, before weekends and nights add about one"),
        "days",
    ),
    "existing_deals_per_year": (noop("Deals of one company a year, from its first order on"), "plain"),
    "service_deals_per_year": (noop("Deals that service contacts bring, of one company a year"), "plain"),
    "handover_days": (noop("Days from a service contact to the deal it brings, on average"), "days"),
    "segment_share": (noop("Share of deals by segment"), "share"),
    "median_amount": (noop("Median value of a deal when it is created: a project, invoiced outside the shop"), "money"),
    "amount_spread": (noop("Standard deviation of the logarithm of the value of a deal, within a segment"), "plain"),
    "amount_step": (noop("Step to which values of deals are rounded"), "money"),
    "no_amount_share": (noop("Share of deals without a known value"), "share"),
    "amount_change_share": (noop("Share of closed deals with a value whose value was changed on the way"), "share"),
    "amount_change_spread": (noop("Standard deviation of the logarithm of the new value over the old one"), "plain"),
    "invoiced_in_shop_share": (noop("Share of the value of won deals that is among the orders of the shop"), "share"),
    "owner_change_share": (noop("Share of closed deals that another seller took over on the way"), "share"),
    "expected_spread": (
        noop("Standard deviation of the logarithm of the days to the closing first expected, around those to a win without detours"),
        "plain",
    ),
    "seller_spread": (noop("True differences of the win rate between sellers, as a standard deviation"), "share"),
    "lost_reason_share": (noop("Share of lost deals by reason"), "share"),
    "competitor_among_won": (noop("Share of won deals with this competitor"), "share"),
    "competitor_among_lost": (noop("Share of lost deals with this competitor"), "share"),
    "competitor_win_rate": (
        noop("Chance of a deal against this competitor to be won in the end, before the end of the demo cuts it off"),
        "share",
    ),
    "scorecard_share": (noop("Share of deals with a complete assessment"), "share"),
    "next_step_share": (noop("Share of open deals with a next step"), "share"),
    "workdays": (noop("Days of a week, from Monday on, on which deals move and sellers work"), "number"),
    "office_opens": (noop("Hours after midnight at which the office opens"), "hours"),
    "office_hours": (noop("Hours for which the office is open"), "hours"),
}


def win_rate(era: int, *, with_reopened: bool = False) -> float:
    """Return the share of deals won of those created before (0) or after (1) the CRM.

    >>> round(win_rate(0), 4), round(win_rate(1), 4)
    (0.1911, 0.278)
    """
    first = float(np.prod(CONVERSION[era]))
    return first + (1 - first) * REOPEN_SHARE * REOPENED_WIN_RATE if with_reopened else first


def cycle_days(era: int, *, with_detours: bool = False) -> float:
    """Return the mean days from creation to a win: the stages' means; detours leave out a later stage or add time in an earlier one.

    >>> cycle_days(0), cycle_days(1)
    (65.0, 48.0)
    """
    return float(sum(STAGE_DAYS[era])) if not with_detours else _days_with_detours(era, len(OPEN_STAGES))


def _days_with_detours(era: int, passed: int) -> float:
    """Return the mean days from creation to the first closing of deals that pass so many stages; of all stages: to the win."""
    means, later = STAGE_DAYS[era], len(OPEN_STAGES) - 1
    skipped = SKIP_SHARE / later * sum(means[1:passed])
    again = BACK_SHARE / later * BACK_TIME_SHARE * sum(means[: min(passed, later)])
    lost = LOST_TIME_SHARE * sum(means[passed : passed + 1])
    return float(sum(means[:passed]) + lost + again - skipped)


def cycle_days_with_reopened(era: int) -> float:
    """Return the mean days from creation to a win with detours, of deals won at once and of those lost, reopened and won then.

    >>> round(cycle_days_with_reopened(0), 2), round(cycle_days_with_reopened(1), 2)
    (64.54, 48.15)
    """
    reached = np.cumprod((1.0, *CONVERSION[era]))
    ends = np.append(-np.diff(reached) * REOPEN_SHARE * REOPENED_WIN_RATE, reached[-1])
    days = np.array([_days_with_detours(era, passed) for passed in range(len(ends))])
    days[:-1] += DAYS_TO_REOPEN + REOPENED_DAYS
    return float(np.average(days, weights=ends))


def competitor_win_rate(era: int, place: int, *, with_reopened: bool = True) -> float:
    """Return the share won against one competitor, by Bayes."""
    rate = win_rate(era, with_reopened=with_reopened)
    won, lost = rate * COMPETITOR_AMONG["won"][place], (1 - rate) * COMPETITOR_AMONG["lost"][place]
    return won / (won + lost)


def stage_rows() -> pa.Table:
    """Return the table of stages."""
    return pa.table(
        {
            schema.stages.c.stage.name: pa.array(STAGES),
            schema.stages.c.stage_order.name: pa.array(range(1, len(STAGES) + 1), pa.int32()),
            schema.stages.c.outcome.name: pa.array([OUTCOMES[place] for place in STAGE_OUTCOMES]),
            schema.stages.c.assumed_win_probability.name: shares(np.array(ASSUMED_WIN_PROBABILITY)),
        }
    )


def stage_means(is_after: Booleans) -> tuple[Floats, Floats]:
    """Return, per deal and open stage, the chance to pass it and its mean days."""
    era = is_after.astype(int)
    return np.array(CONVERSION)[era], np.array(STAGE_DAYS)[era]


# ── what is stated ──────────────────────────────────────────────────────────────────────────────────────────────────────


def stated(plan: Plan) -> Stated:
    """Return the stated parameters; levels after the CRM only where it goes live, detours only where there are any."""
    return {
        "stage_shape": STAGE_SHAPE,
        "lost_time_share": LOST_TIME_SHARE,
        "lead_deal_share": sources.LEAD_DEAL_SHARE,
        "days_to_deal": sources.DAYS_TO_DEAL,
        "existing_deals_per_year": sources.EXISTING_DEALS_PER_YEAR,
        "amount_spread": AMOUNT_SPREAD,
        "amount_step": AMOUNT_STEP,
        "no_amount_share": NO_AMOUNT_SHARE,
        "amount_change_share": AMOUNT_CHANGE_SHARE,
        "amount_change_spread": AMOUNT_CHANGE_SPREAD,
        "invoiced_in_shop_share": 0.0,
        "owner_change_share": OWNER_CHANGE_SHARE,
        "expected_spread": EXPECTED_SPREAD,
        "seller_spread": 0.0,
        "next_step_share": NEXT_STEP_SHARE,
        "workdays": float(office_hours.WORKDAYS),
        "office_opens": office_hours.OPENS_AT,
        "office_hours": office_hours.HOURS_OPEN,
        **_by_era(plan),
        **_by_name(),
        **(_of_detours(plan) if plan.effects.detours else {}),
    }


def _by_era(plan: Plan) -> dict[str, dict[str, float]]:
    return {
        "win_rate": clock.by_era(plan, (win_rate(0), win_rate(1))),
        "cycle_days": clock.by_era(plan, (cycle_days(0), cycle_days(1))),
        "service_deals_per_year": clock.by_era(plan, sources.SERVICE_DEALS_PER_YEAR),
        "handover_days": clock.by_era(plan, sources.HANDOVER_DAYS),
        "scorecard_share": clock.by_era(plan, SCORECARD_SHARE),
        "stage_conversion": _named_by_era(plan, OPEN_STAGES, CONVERSION),
        "stage_days": _named_by_era(plan, OPEN_STAGES, STAGE_DAYS),
        "competitor_win_rate": _named_by_era(plan, COMPETITORS, _competitor_win_rates(plan)),
    }


def _competitor_win_rates(plan: Plan) -> tuple[tuple[float, ...], tuple[float, ...]]:
    before, after = (
        tuple(competitor_win_rate(era, place, with_reopened=plan.effects.detours) for place in range(len(COMPETITORS))) for era in (0, 1)
    )
    return before, after


def _named_by_era(plan: Plan, names: tuple[str, ...], levels: tuple[tuple[float, ...], tuple[float, ...]]) -> dict[str, float]:
    """Return the level of each name, before and after. levels: of all names before, then after."""
    return {
        subject(name, era): value
        for name, before, after in zip(names, *levels, strict=True)
        for era, value in clock.by_era(plan, (before, after)).items()
    }


def _by_name() -> dict[str, dict[str, float]]:
    named = {
        "assumed_win_probability": (STAGES, ASSUMED_WIN_PROBABILITY),
        "segment_share": (SEGMENTS, SEGMENT_SHARE),
        "median_amount": (SEGMENTS, MEDIAN_AMOUNT),
        "lost_reason_share": (LOST_REASONS, LOST_REASON_SHARE),
        "competitor_among_won": (COMPETITORS, COMPETITOR_AMONG["won"]),
        "competitor_among_lost": (COMPETITORS, COMPETITOR_AMONG["lost"]),
    }
    return {parameter: dict(zip(names, values, strict=True)) for parameter, (names, values) in named.items()}


def _of_detours(plan: Plan) -> dict[str, float | dict[str, float]]:
    return {
        "win_rate_with_reopened": clock.by_era(plan, (win_rate(0, with_reopened=True), win_rate(1, with_reopened=True))),
        "cycle_days_with_detours": clock.by_era(plan, (cycle_days(0, with_detours=True), cycle_days(1, with_detours=True))),
        "cycle_days_with_reopened": clock.by_era(plan, (cycle_days_with_reopened(0), cycle_days_with_reopened(1))),
        "skip_share": SKIP_SHARE,
        "back_share": BACK_SHARE,
        "back_time_share": BACK_TIME_SHARE,
        "push_chance": PUSH_CHANCE,
        "push_days": PUSH_DAYS,
        "least_push_days": LEAST_PUSH_DAYS,
        "reopen_share": REOPEN_SHARE,
        "days_to_reopen": DAYS_TO_REOPEN,
        "reopen_shape": REOPEN_SHAPE,
        "reopened_days": REOPENED_DAYS,
        "reopened_win_rate": REOPENED_WIN_RATE,
    }
