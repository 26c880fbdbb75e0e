"""The stages of a deal: how often each is passed and how long it takes, before the CRM and after; the stated parameters of deals."""

import numpy as np
import pyarrow as pa

from crm_metrics import schema
from crm_metrics.demo import deal_sources as sources
from crm_metrics.demo.leads import ERAS
from crm_metrics.demo.world import Fact, Floats, shares
from crm_metrics.language import noop

OPEN_STAGES = ("需求确认 Qualification", "方案 Needs analysis", "报价 Proposal", "谈判 Negotiation")
STAGES = (*OPEN_STAGES, "赢单 Won", "丢单 Lost")
WON, LOST = len(OPEN_STAGES), len(OPEN_STAGES) + 1
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
MEDIAN_AMOUNT = (42_000.0, 18_000.0, 26_000.0, 55_000.0, 14_000.0)  # CNY, by segment
AMOUNT_SPREAD = 0.8  # standard deviation of the logarithm
NO_AMOUNT_SHARE = 0.04
AMOUNT_CHANGE_SHARE, AMOUNT_CHANGE_SPREAD = 0.30, 0.20  # of deals; standard deviation of the logarithm of the factor
OWNER_CHANGE_SHARE = 0.04
EXPECTED_SPREAD = 0.15  # standard deviation of the logarithm of the first expected duration around the true mean of a win
LOST_REASONS = ("价格 Price", "竞争对手 Competitor", "无预算 No budget", "项目取消 Project cancelled", "无回应 No answer")
LOST_REASON_SHARE = (0.34, 0.24, 0.18, 0.14, 0.10)
COMPETITORS = ("甲方家居 Alpha Home", "云居 Cloud Living", "北辰 Polaris")
COMPETITOR_AMONG = {"won": (0.20, 0.12, 0.06), "lost": (0.14, 0.16, 0.20)}  # the rest has no known competitor
SCORECARD_SHARE = (0.35, 0.70)

TOPIC = "deals"
PARAMETERS = {
    "stage_conversion": (noop("Share of the deals that reach a stage and pass it, before any reopening"), "share"),
    "stage_days": (noop("Days in a stage until it is passed, on average, without detours"), "days"),
    "stage_shape": (noop("Shape of the gamma distribution of the days in a stage"), "plain"),
    "lost_time_share": (noop("Days in the stage a deal is lost in, as a share of those until it is passed"), "share"),
    "win_rate": (noop("Share of deals won, before any reopening"), "share"),
    "win_rate_with_reopened": (noop("Share of deals won in the end, reopened ones included"), "share"),
    "cycle_days": (noop("Days from the creation of a deal to its win, on average, without detours"), "days"),
    "cycle_days_with_detours": (noop("Days from the creation of a deal to its win, on average, before any reopening"), "days"),
    "skip_share": (noop("Share of won deals that skip a stage"), "share"),
    "back_share": (noop("Share of won deals that go back a stage once"), "share"),
    "push_chance": (noop("Chance that the closing date is pushed, and after each push that it is pushed again"), "share"),
    "push_days": (noop("Days by which the closing date is pushed, on average"), "days"),
    "reopen_share": (noop("Share of lost deals that are reopened"), "share"),
    "days_to_reopen": (noop("Days until a lost deal is reopened, on average"), "days"),
    "reopened_days": (noop("Days until a reopened deal closes again, on average"), "days"),
    "reopened_win_rate": (noop("Share of reopened deals that are won"), "share"),
    "lead_deal_share": (noop("Share of qualified leads that become a deal"), "share"),
    "existing_deals_per_year": (noop("Deals of one company a year, from its first order on"), "plain"),
    "service_deals_per_year": (noop("Deals that service contacts bring, of one company a year"), "plain"),
    "handover_days": (noop("Days from a service contact to the deal it brings, on average"), "days"),
    "segment_share": (noop("Share of deals by segment"), "share"),
    "median_amount": (noop("Median value of a deal when it is created"), "money"),
    "amount_spread": (noop("Standard deviation of the logarithm of the value of a deal, within a segment"), "plain"),
    "no_amount_share": (noop("Share of deals without a known value"), "share"),
    "amount_change_share": (noop("Share of deals whose value is changed on the way"), "share"),
    "owner_change_share": (noop("Share of deals that another seller takes over on the way"), "share"),
    "seller_spread": (noop("True differences of the win rate between sellers, as a standard deviation"), "share"),
    "lost_reason_share": (noop("Share of lost deals by reason"), "share"),
    "competitor_among_won": (noop("Share of won deals with this competitor"), "share"),
    "competitor_among_lost": (noop("Share of lost deals with this competitor"), "share"),
    "competitor_win_rate": (noop("Share of deals won against this competitor, reopened ones included"), "share"),
    "scorecard_share": (noop("Share of deals with a complete assessment"), "share"),
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
    means = STAGE_DAYS[era]
    skipped, again = SKIP_SHARE * np.mean(means[1:]), BACK_SHARE * BACK_TIME_SHARE * np.mean(means[:-1])
    return float(sum(means) + (again - skipped if with_detours else 0.0))


def competitor_win_rate(era: int, place: int) -> float:
    """Return the share won against one competitor, by Bayes."""
    rate = win_rate(era, with_reopened=True)
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


def stage_means(is_after: np.ndarray) -> tuple[Floats, Floats]:
    """Return, per deal and open stage, the chance to pass it and its mean days."""
    era = is_after.astype(int)
    return np.array(CONVERSION)[era], np.array(STAGE_DAYS)[era]


def facts() -> list[Fact]:
    """Return the stated parameters; the levels after the CRM hold where it goes live at all, detours where there are any."""
    plain = {
        "stage_shape": STAGE_SHAPE,
        "lost_time_share": LOST_TIME_SHARE,
        "skip_share": SKIP_SHARE,
        "back_share": BACK_SHARE,
        "push_chance": PUSH_CHANCE,
        "push_days": PUSH_DAYS,
        "reopen_share": REOPEN_SHARE,
        "days_to_reopen": DAYS_TO_REOPEN,
        "reopened_days": REOPENED_DAYS,
        "reopened_win_rate": REOPENED_WIN_RATE,
        "lead_deal_share": sources.LEAD_DEAL_SHARE,
        "existing_deals_per_year": sources.EXISTING_DEALS_PER_YEAR,
        "amount_spread": AMOUNT_SPREAD,
        "no_amount_share": NO_AMOUNT_SHARE,
        "amount_change_share": AMOUNT_CHANGE_SHARE,
        "owner_change_share": OWNER_CHANGE_SHARE,
        "seller_spread": 0.0,
    }
    return [Fact(TOPIC, name, "", value) for name, value in plain.items()] + _facts_by_era() + _facts_by_name()


def _facts_by_era() -> list[Fact]:
    found = []
    for era, name in enumerate(ERAS):
        levels = {
            "win_rate": win_rate(era),
            "win_rate_with_reopened": win_rate(era, with_reopened=True),
            "cycle_days": cycle_days(era),
            "cycle_days_with_detours": cycle_days(era, with_detours=True),
            "service_deals_per_year": sources.SERVICE_DEALS_PER_YEAR[era],
            "handover_days": sources.HANDOVER_DAYS[era],
            "scorecard_share": SCORECARD_SHARE[era],
        }
        found += [Fact(TOPIC, parameter, name, value) for parameter, value in levels.items()]
        for place, stage in enumerate(OPEN_STAGES):
            found.append(Fact(TOPIC, "stage_conversion", f"{name}: {stage}", CONVERSION[era][place]))
            found.append(Fact(TOPIC, "stage_days", f"{name}: {stage}", STAGE_DAYS[era][place]))
        for place, competitor in enumerate(COMPETITORS):
            found.append(Fact(TOPIC, "competitor_win_rate", f"{name}: {competitor}", competitor_win_rate(era, place)))
    return found


def _facts_by_name() -> list[Fact]:
    named = {
        "segment_share": (SEGMENTS, SEGMENT_SHARE),
        "median_amount": (SEGMENTS, MEDIAN_AMOUNT),
        "lost_reason_share": (LOST_REASONS, LOST_REASON_SHARE),
        "competitor_among_won": (COMPETITORS, COMPETITOR_AMONG["won"]),
        "competitor_among_lost": (COMPETITORS, COMPETITOR_AMONG["lost"]),
    }
    return [
        Fact(TOPIC, parameter, name, value)
        for parameter, (names, values) in named.items()
        for name, value in zip(names, values, strict=True)
    ]
