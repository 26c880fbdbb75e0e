"""The forms of a test: what it is to find, how it is drawn, and saving it as a campaign."""

from dataclasses import replace
from typing import Any

import streamlit as st

from crm_metrics import workspace
from crm_metrics.export import safe_text
from crm_metrics.language import noop, t, translated
from crm_metrics.planned_test import tables, words
from crm_metrics.planned_test.figure import power_line
from crm_metrics.planned_test.tables import Outcome, TestTerms
from crm_metrics.randomised_test.split import Split
from crm_metrics.segments.attributes import ATTRIBUTES
from crm_metrics.segments.rule import Segment, rule_text
from crm_metrics.ui.parts import draw, figure, finding, note, question, table
from crm_metrics.ui.result_form import choose_one
from crm_metrics.ui.saving import save, say_saved
from crm_metrics.ui.start import Page, ask

_SAVED = "saved_test"
_OUTCOMES: dict[Outcome, str] = {"buyers": noop("Share of customers who buy"), "spend": noop("Net revenue per customer")}
_HUNDRED = 100


def plan_test(page: Page, segment: Segment) -> None:
    """Put the planner of a test of a segment: what it needs, what it can show, and the draw."""
    above, terms, rule = st.container(), plan_form(page), segment.rule
    known, planned = (ask(page, table, terms, rule) for table in (tables.baseline, tables.plan))
    with above:
        finding(words.plan_finding(planned, terms, currency=page.currency))
    lines = draw(page, power_line, ask(page, tables.power, terms, rule), planned, lift=terms.lift, target=terms.power)
    figure(page, lines, queries=tables.outcome_queries(page.source, page.filters, terms, rule), **words.about("power"))
    note(words.baseline_note(known, terms, currency=page.currency))
    with question(t("Treated and control")):
        drawing(page, terms, segment)


def plan_form(page: Page) -> TestTerms:
    """Put what the test is to find, and return it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        outcome = choose_outcome(page, "test_outcome")
        days = st.number_input(t("Days measured"), 1, 730, 90, key="test_days", width=130)
        lift = st.number_input(t("Lift worth having, %"), 0.1, 1000.0, 20.0, step=1.0, key="test_lift", width=150)
        control = st.number_input(t("Control, %"), 1.0, 99.0, 50.0, step=5.0, key="test_control", width=130)
        power = st.number_input(t("Chance to find it, %"), 50.0, 99.0, 80.0, step=5.0, key="test_power", width=150)
    return TestTerms(outcome, int(days), lift / _HUNDRED, control / _HUNDRED, power / _HUNDRED)


def choose_outcome(page: Page, key: str) -> Outcome:
    """Put the choice of what a test measures."""
    labels = translated(_OUTCOMES)
    chosen: Outcome = choose_one(page, t("Outcome"), labels, key, width=240)
    return chosen


def drawing(page: Page, terms: TestTerms, segment: Segment, *, expected: workspace.Expectation | None = None) -> None:
    """Put the draw into treated and control, saving it as a campaign with what is expected of it, and its members to take away."""
    drawn, split = _draw_form(page, terms, segment, expected)
    note(words.merged_note(split.merged))
    strata, balance = ask(page, tables.strata, drawn, segment.rule), ask(page, tables.split_balance, drawn, segment.rule)
    table(page, words.strata_in_words(strata), columns=words.columns("strata", strata), name="strata")
    table(page, words.balance_in_words(balance), columns=words.columns("balance", balance), name="balance")
    with st.expander(t("Members, to take away")):
        members = words.members_in_words(split.members)
        table(page, members, columns=words.columns("members", members), name="members")


def planned_lists(page: Page) -> None:
    """Put the planned campaigns; of one that is chosen the members, to take away again, and deleting it."""
    planned = tables.planned(page.source, page.filters)  # not kept: it changes with the workspace
    note(
        t("What was drawn stays as it was. Choose a row to take its members away again, or to delete it.")
        if len(planned)
        else t("No test is planned yet.")
    )
    if not len(planned):
        return
    chosen = table(page, planned, columns=words.columns("planned", planned), name="planned", selects=True)
    if chosen:
        row: Any = planned.iloc[chosen[0]]
        members = words.members_in_words(tables.planned_members(page.source, int(row.campaign_id)))
        with question(t("Members of “{name}”", name=safe_text(row.campaign_name))):
            note(words.withdrawn_note(members))
            table(page, members, columns=words.columns("members", members), name="planned_members")
        _delete_form(page, int(row.campaign_id), row.campaign_name)


def _delete_form(page: Page, campaign_id: int, name: str) -> None:
    shown = safe_text(name)
    with st.popover(t("Delete “{name}”", name=shown), icon=":material/delete:"):
        st.caption(t("The members, their arms and what was expected are lost: what came of it can never be told."))
        if st.button(t("Delete for good"), type="primary", key=f"delete_plan_{campaign_id}"):
            workspace.delete_planned_campaign(page.source.data_set, campaign_id)
            st.session_state.pop(f"{page.name}_planned_table", None)
            st.rerun()


def _draw_form(page: Page, terms: TestTerms, segment: Segment, expected: workspace.Expectation | None) -> tuple[TestTerms, Split]:
    """Put how customers are drawn, and the button that saves them as a campaign; return the terms and the split."""
    labels = {each.name: t(each.label) for each in ATTRIBUTES if each.kind == "choice" and not each.several}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strata = st.multiselect(t("Strata"), list(labels), ["value_tier"], format_func=labels.__getitem__, key="test_strata", width=420)
        seed = st.number_input(t("Seed"), 0, 2**31, 1, key="test_seed", width=130)
    drawn = replace(terms, strata=tuple(strata), seed=int(seed))
    split = ask(page, tables.split, drawn, segment.rule)
    _save_form(page, _plan(page, drawn, segment)._replace(expected=expected), split)
    return drawn, split


def _save_form(page: Page, plan: workspace.CampaignPlan, split: Split) -> None:
    with st.popover(t("Save as campaign"), icon=":material/bookmark_add:"), st.form("save_test", border=False):
        name = st.text_input(t("Name"), max_chars=workspace.MOST_LETTERS)
        st.caption(t("Members and strata are saved with it, and stay as they are drawn now."))
        if st.form_submit_button(t("Save"), type="primary"):
            said = t("“{name}” is saved with {n} members.", name=safe_text(name.strip()), n=f"{len(split.members):,}")
            data_set, members = page.source.data_set, split.members
            save(lambda: workspace.save_planned_campaign(data_set, name, plan, members), key=_SAVED, said=said)
    say_saved(_SAVED)


def _plan(page: Page, terms: TestTerms, segment: Segment) -> workspace.CampaignPlan:
    rule = segment.rule or tables.EVERYBODY
    return workspace.CampaignPlan(
        segment_name=segment.name,
        segment_rule=rule_text(rule),
        as_of_on=page.filters.today or page.held.end,
        data_version=page.source.version,
        seed=terms.seed,
        strata=terms.strata,
        outcome=terms.outcome,
        horizon_days=terms.horizon_days,
        baseline=tables.known_baseline(page.source, page.filters, terms, rule),
        design=terms.design,
        lift=terms.lift,
    )
