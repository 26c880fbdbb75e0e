"""The planner of campaigns on screen: what the reader expects, what it would bring, and the draw."""

from typing import Any

import streamlit as st

from crm_metrics import workspace
from crm_metrics.campaign_roi.plan import tables, words
from crm_metrics.campaign_roi.plan.figure import control_lines, profit_line
from crm_metrics.campaign_roi.plan.metrics import PLAN_METRICS
from crm_metrics.campaign_roi.plan.terms import PlanTerms
from crm_metrics.language import t
from crm_metrics.metric import is_unknown
from crm_metrics.planned_test.tables import TestTerms, contactable_customers, outcome_queries
from crm_metrics.planned_test.words import baseline_note
from crm_metrics.segments.rule import Segment
from crm_metrics.ui.parts import draw, figure, finding, note, question, table, tiles
from crm_metrics.ui.plan_form import choose_outcome, drawing
from crm_metrics.ui.segment_form import choose_segment
from crm_metrics.ui.start import Page, ask

_HUNDRED = 100
_LEAST, _MOST = -90.0, 1000.0  # percent of lift


def plan_campaign(page: Page) -> None:
    """Put the planner of a campaign: what is expected, the chance that it pays, what the control group costs, and the draw."""
    above = st.container()
    terms, segment = campaign_form(page)
    rule, money = segment.rule, {"currency": page.currency}
    if not ask(page, contactable_customers, rule):
        with above:
            finding(words.nobody())
        return
    expected = ask(page, tables.expectation, terms, rule)
    with above:
        finding(words.finding(expected, **money))
        tiles(page, ask(page, tables.plan_tiles, terms, rule), PLAN_METRICS)
    if words.has_margin(expected):
        drawn = draw(page, profit_line, ask(page, tables.profit_by_lift, terms, rule), expected, **money)
        figure(page, drawn, queries=outcome_queries(page.source, page.filters, terms.test, rule), **words.about("profit"))
    note(words.start_note(ask(page, tables.starting_point, terms.test.outcome)))
    note(baseline_note(ask(page, tables.baseline, terms.test, rule), terms.test, **money))
    with question(t("What does the control group cost, and what does it teach?")):
        note(words.control_finding(expected, **money))
        shares = ask(page, tables.control_shares, terms, rule)
        if words.has_margin(expected):
            figure(page, draw(page, control_lines, shares, planned=terms.test.share_control, **money), **words.about("control"))
        table(page, shares, columns=words.columns("control"), name="control")
    if len(past := ask(page, tables.past_lifts, terms.test.outcome)):
        with st.expander(t("Past tests that the lift is taken from")):
            table(page, past, columns=words.columns("past"), name="past")
    with question(t("Draw and save it")):
        drawing(page, terms.test, segment, expected=_expectation(expected, terms))


def campaign_form(page: Page) -> tuple[PlanTerms, Segment]:
    """Put what the reader expects of a campaign, and return it with the customers it is for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        segment = choose_segment(page, t("Audience"), key="plan_segment", everybody=True)
        with st.popover(t("Test and margin"), icon=":material/tune:"):
            outcome = choose_outcome(page, "plan_outcome")
            start: Any = ask(page, tables.starting_point, outcome).iloc[0]
            days = st.number_input(t("Days measured"), 1, 730, int(start.days), key="plan_days", bind="query-params")
            control = st.number_input(t("Control, %"), 1.0, 99.0, 20.0, step=5.0, key="plan_control", bind="query-params")
            known = _or(round(start.margin_share * _HUNDRED, 1), None)
            margin = st.number_input(t("Margin, % of net revenue"), 0.1, 100.0, value=known, key="plan_margin")
            fixed = st.number_input(t("Fixed cost"), 0.0, value=0.0, step=100.0, key="plan_fixed_cost", bind="query-params")
        usual = round(_or(start.contact_cost, 0.0), 2)
        contact = st.number_input(t("Cost per contact"), 0.0, value=usual, step=0.1, key="plan_contact_cost", width=140)
        lift = _percent(t("Lift expected, %"), start.lift, key=f"plan_lift_{outcome}", least=_LEAST)
        spread = _percent(t("± points (80% range)"), start.lift_spread, key=f"plan_spread_{outcome}", least=0.1)
    test = TestTerms(outcome, int(days), lift / _HUNDRED, control / _HUNDRED)
    return PlanTerms(test, spread / _HUNDRED, fixed, contact, None if margin is None else margin / _HUNDRED), segment


def _percent(label: str, share: float, *, key: str, least: float) -> float:
    start = min(max(round(share * _HUNDRED, 1), least), _MOST)
    return float(st.number_input(label, least, _MOST, start, step=1.0, key=key, width=160))


def _or(value: float, other: Any) -> Any:
    """Return `value`, or `other` where it is unknown."""
    return other if is_unknown(value) else float(value)


def _expectation(expected: Any, terms: PlanTerms) -> workspace.Expectation:
    row = expected.iloc[0]
    return workspace.Expectation(
        expected_lift=row.lift,
        lift_spread=terms.lift_spread,
        fixed_cost=terms.fixed_cost,
        contact_cost=terms.contact_cost,
        margin_share=row.margin_share,
        spend_mean=row.spend_mean,
        expected_profit=row.expected_profit,
        profit_low=row.profit_low,
        profit_high=row.profit_high,
        chance_of_profit=row.chance_of_profit,
    )
