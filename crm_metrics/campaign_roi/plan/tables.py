"""The tables of this part: what a campaign may bring, before it runs; see decision_tables for what came of the last ones."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.campaign_roi.plan import metrics, past, query
from crm_metrics.campaign_roi.plan.decision_tables import calibration, decision_log, log_tiles
from crm_metrics.campaign_roi.plan.economics import SPREADS, Economics, baselines, chance_above, chance_to_prove, profit_quantile
from crm_metrics.campaign_roi.plan.free_decisions import decisions
from crm_metrics.campaign_roi.plan.terms import PlanTerms
from crm_metrics.campaign_roi.result import tables as results
from crm_metrics.customer_profit import costing
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import Metric, tile
from crm_metrics.planned_test.tables import Outcome, TestTerms, baseline, baseline_of, before, contactable_customers
from crm_metrics.randomised_test.analyse import relative_lift
from crm_metrics.randomised_test.plan import Baseline, check_audience, customers_needed, power_at, smallest_lift
from crm_metrics.rooms import Table
from crm_metrics.segments.rule import Rule

MARGIN_DAYS = 365
CONTROL_SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
GUESS = (0.1, 0.1)  # lift and its spread where there are no tests of our own: a round number, which the page calls a guess
DAYS = 90.0
_RESULTS: dict[Outcome, str] = {"buyers": "bought", "spend": "net_revenue"}
_CURVE_POINTS = 60
_TAIL = 0.025  # on either side of an interval of 95%


def plan_tiles(source: Source, filters: Filters, terms: PlanTerms = PlanTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return the tiles of the plan: metric, value, low, high (95 %; NaN: exact), unit, n (customers who may be contacted)."""
    row: Any = source.remember(expectation, filters, terms, rule).iloc[0]
    values: dict[Metric, tuple[float, float, float]] = {
        metrics.CHANCE_OF_PROFIT: (row.chance_of_profit, math.nan, math.nan),
        metrics.EXPECTED_PROFIT: (row.expected_profit, row.profit_low, row.profit_high),
        metrics.COST: (row.cost, math.nan, math.nan),
        metrics.BREAK_EVEN_LIFT: (row.break_even_lift, math.nan, math.nan),
        metrics.CUSTOMERS_NEEDED: (row.customers_needed, math.nan, math.nan),
        metrics.SMALLEST_LIFT: (row.smallest_lift, math.nan, math.nan),
    }
    return pd.DataFrame([tile(metric, value, row.customers, low=low, high=high) for metric, (value, low, high) in values.items()])


def expectation(source: Source, filters: Filters, terms: PlanTerms = PlanTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return one row: what the campaign is expected to bring.

    customers (who may be contacted), treated, control, spend_mean (net revenue per customer in the days measured, without a campaign) and
    spend_error, margin_share, cost, lift, lift_low, lift_high (OFTEN within), break_even_lift, extra_per_customer (expected net revenue
    more per treated customer), expected_profit, profit_low, profit_high (95 %), chance_of_profit, forgone (profit that the control group
    would bring), customers_needed (NaN: the lift is not above 0, or past 100 %), smallest_lift, power (at the expected lift),
    chance_to_prove (a gain, over the lifts expected). Money is NaN where the margin is not known. Raises BadInput where nothing can be
    planned.
    """
    return pd.DataFrame([_expected(source, filters, terms, rule)])


def control_shares(source: Source, filters: Filters, terms: PlanTerms = PlanTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return what the control group costs and teaches, by its size, the planned one among them.

    share_control, and as in `expectation`: treated, control, expected_profit, chance_of_profit, forgone, smallest_lift, power,
    chance_to_prove. Sizes that leave an arm too few customers are left out.
    """
    shares = sorted({*CONTROL_SHARES, terms.test.share_control})
    customers = source.remember(contactable_customers, filters, rule)
    check_audience(customers, share_control=terms.test.share_control)
    rows = [
        {"share_control": share, **_expected(source, filters, replace(terms, test=replace(terms.test, share_control=share)), rule)}
        for share in shares
        if customers * min(share, 1 - share) >= 2
    ]
    names = ["share_control", "treated", "control", "expected_profit", "chance_of_profit", "forgone"]
    return pd.DataFrame(rows)[[*names, "smallest_lift", "power", "chance_to_prove"]]


def profit_by_lift(source: Source, filters: Filters, terms: PlanTerms = PlanTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return the profit by lift: lift, profit, low, high (95 % of the baseline), is_expected (within the range of OFTEN); ascending."""
    plan = _economics(source, filters, terms, rule)
    ends = [plan.lift - 3 * plan.lift_error, plan.lift + 3 * plan.lift_error, 0.0, 1.1 * plan.break_even_lift]
    spread = [plan.lift - terms.lift_spread, plan.lift + terms.lift_spread]
    lifts = np.unique([*np.linspace(np.nanmin(ends), np.nanmax(ends), _CURVE_POINTS), *spread, plan.lift])
    bounds = np.quantile(baselines(plan), [_TAIL, 1 - _TAIL]) / plan.spend_mean
    edges = np.sort(np.outer(lifts * plan.worth, bounds), axis=1) - plan.cost
    return pd.DataFrame(
        {
            "lift": lifts,
            "profit": lifts * plan.worth - plan.cost,
            "low": edges[:, 0],
            "high": edges[:, 1],
            "is_expected": (lifts >= spread[0]) & (lifts <= spread[1]),
        }
    )


def _expected(source: Source, filters: Filters, terms: PlanTerms, rule: Rule | None) -> dict[str, float]:
    plan = _economics(source, filters, terms, rule)
    known = baseline_of(source.remember(baseline, filters, _shape(terms.test), rule), terms.test)
    customers, design = source.remember(contactable_customers, filters, rule), terms.test.design
    smallest = smallest_lift(known, design, customers=customers)
    has_size = plan.lift > 0 and (known.standard_deviation is not None or plan.lift <= 1 / known.mean - 1)
    control = customers - plan.treated
    return {
        "customers": customers,
        "treated": plan.treated,
        "control": control,
        "spend_mean": plan.spend_mean,
        "spend_error": plan.spend_error,
        "margin_share": plan.margin_share,
        "cost": plan.cost,
        "lift": plan.lift,
        "lift_low": plan.lift - terms.lift_spread,
        "lift_high": plan.lift + terms.lift_spread,
        "break_even_lift": plan.break_even_lift,
        "extra_per_customer": plan.lift * plan.spend_mean,
        "expected_profit": plan.profit_at(plan.lift),
        "profit_low": profit_quantile(plan, _TAIL),
        "profit_high": profit_quantile(plan, 1 - _TAIL),
        "chance_of_profit": chance_above(plan),
        "forgone": control * (plan.lift * plan.spend_mean * plan.margin_share - terms.contact_cost),
        "customers_needed": customers_needed(known, design, lift=plan.lift).customers if has_size else math.nan,
        "smallest_lift": smallest,
        "power": power_at(known, design, lift=plan.lift, customers=customers) if has_size else math.nan,
        "chance_to_prove": chance_to_prove(plan, design, smallest),
    }


def _economics(source: Source, filters: Filters, terms: PlanTerms, rule: Rule | None) -> Economics:
    """Return the campaign in numbers. Raises BadInput where an arm would have too few customers or nothing is spent without it."""
    happened = source.remember(baseline, filters, _shape(terms.test), rule)
    baseline_of(happened, terms.test)  # says first whether nobody can be drawn
    known: Any = happened.iloc[0]
    Baseline(known.spend_mean, known.spend_deviation)  # profit is of net revenue, whatever the test measures
    customers = source.remember(contactable_customers, filters, rule)
    check_audience(customers, share_control=terms.test.share_control)
    treated = customers - math.floor(customers * terms.test.share_control + 0.5)
    margin = source.remember(margin_share, filters) if terms.margin_share is None else terms.margin_share
    cost = terms.fixed_cost + terms.contact_cost * treated
    error = known.spend_deviation / math.sqrt(known.customers)
    return Economics(treated, known.spend_mean, error, margin, cost, terms.test.lift, terms.lift_spread / SPREADS)


def _shape(test: TestTerms) -> TestTerms:
    """Return the terms that the baseline depends on, so that it is asked once for all others."""
    return TestTerms(outcome=test.outcome, horizon_days=test.horizon_days)


# ── what to begin with ──────────────────────────────────────────────────────────────────────────────────────────────────


def past_lifts(source: Source, filters: Filters, outcome: Outcome = "spend") -> pd.DataFrame:
    """Return the lifts of past tests of that outcome, the newest first, those whose days are over and whose arms are as planned.

    campaign, campaign_name, arm, n, control_n, days (measured; NaN: not known), lift, low, high (95 %; relative to the control group),
    shrunk_lift (see past.with_shrunk). Arms of one campaign count as tests of their own, though they share its control group.
    """
    found = source.remember(results.uplift, filters)
    ran = source.remember(results.chosen_campaigns, filters).set_index("campaign")
    days = (pd.to_datetime(ran["ends_on"]) - pd.to_datetime(ran["started_on"])).dt.days + 1
    rows = found[(found["outcome"] == _RESULTS[outcome]) & found["is_finished"] & ~found["is_faulty"] & (found["control_mean"] > 0)]
    arms = {"control_mean": rows["control_mean"], "treated": rows["n"], "control": rows["control_n"]}
    relative, low, high = relative_lift(rows["uplift"], (rows["high"] - rows["low"]) / 2, **arms)
    lifts = rows[["campaign", "campaign_name", "arm", "n", "control_n"]].assign(days=rows["campaign"].map(days).astype(float))
    lifts = lifts.assign(lift=relative, low=low, high=high)
    return past.with_shrunk(lifts.dropna(subset=["lift", "low", "high"]).reset_index(drop=True))


def starting_point(source: Source, filters: Filters, outcome: Outcome = "spend") -> pd.DataFrame:
    """Return one row: what to begin a plan with.

    tests (of our own), is_own (lift and lift_spread, to expect of a new campaign, are from these tests; else GUESS, because there are fewer
    than past.LEAST_TESTS), days (the median of those that these tests measured; a lift of other days is not the same),
    contact_cost (cost / treated members of past campaigns; NaN: none recorded), margin_share (see margin_share).
    """
    lifts, returned = past_lifts(source, filters, outcome), source.remember(results.returns, filters)
    is_own = len(lifts) >= past.LEAST_TESTS
    lift, spread = past.next_lift(lifts) if is_own else GUESS
    costed = returned[returned["cost"].notna()]
    contact_cost = costed["cost"].sum() / costed["treated"].sum() if len(costed) else math.nan
    margin = source.remember(margin_share, filters)
    row = {"tests": len(lifts), "is_own": is_own, "lift": lift, "lift_spread": spread}
    row["days"] = float(np.nan_to_num(lifts["days"].median(), nan=DAYS)) if is_own else DAYS
    return pd.DataFrame([{**row, "contact_cost": contact_cost, "margin_share": margin}])


def margin_share(source: Source, filters: Filters) -> float:
    """Return the gross margin's share of net revenue in the year to the as-of day; NaN where costs of goods are not known enough."""
    _, until = before(source, filters, 0)
    year = Filters(start=until - timedelta(days=MARGIN_DAYS - 1), end=until, scope=filters.scope)
    known = costing(source(query.sold(year)))
    return 1 - known.cost_share if known.is_enough else math.nan


TABLES: dict[str, Table] = {
    "plan_tiles": plan_tiles,
    "expectation": expectation,
    "profit_by_lift": profit_by_lift,
    "control_shares": control_shares,
    "past_lifts": past_lifts,
    "starting_point": starting_point,
    "decision_log": decision_log,
    "log_tiles": log_tiles,
    "calibration": calibration,
    "decisions": decisions,
}
