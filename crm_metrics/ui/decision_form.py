"""Decisions on screen: writing one down, and what came of those that were."""

from datetime import timedelta

import streamlit as st

from crm_metrics import workspace
from crm_metrics.campaign_roi.plan import free_decisions
from crm_metrics.language import t
from crm_metrics.ui.parts import note, table
from crm_metrics.ui.saving import save, say_saved
from crm_metrics.ui.start import Page

_SAVED, _LATER = "saved_decision", timedelta(days=90)


def decision_form(page: Page) -> None:
    """Put the decisions that were written down, taking one away, and the form for another."""
    found = free_decisions.decisions(page.source, page.filters)  # not kept: it changes with the workspace
    if len(found):
        shown = free_decisions.in_words(found, currency=page.currency)
        chosen = table(page, shown, columns=free_decisions.columns(), name="decisions", selects=True)
        if chosen and st.button(t("Delete this decision for good"), icon=":material/delete:"):
            workspace.delete_decision(page.source.data_set, int(found["decision_id"].iloc[chosen[0]]))
            st.session_state.pop(f"{page.name}_decisions_table", None)
            st.rerun()
    else:
        note(t("No decision is written down yet."))
    with st.popover(t("Write a decision down"), icon=":material/edit_note:"), st.form("decision", border=False):
        _write_form(page)
    say_saved(_SAVED)


def _write_form(page: Page) -> None:
    labels = {name: t(label) for name, (label, _) in free_decisions.FIGURES.items()}
    today = page.filters.today or page.held.end
    written = st.text_area(t("What was decided"), max_chars=workspace.MOST_SIGNS)
    by = st.text_input(t("By whom"), max_chars=workspace.MOST_LETTERS)
    figure = st.selectbox(t("Figure that should move, of a year"), list(labels), format_func=labels.__getitem__)
    expected = st.number_input(t("Expected value"), value=None, step=1.0)
    review_on = st.date_input(t("Look again on"), today + _LATER)
    if not st.form_submit_button(t("Save"), type="primary"):
        return
    then = page.source.remember(free_decisions.figures_on, page.filters.scope, today)[figure]
    decision = workspace.Decision(
        decided_on=today,
        decided_in=page.name,
        decision_text=written,
        decided_by=by.strip(),
        data_version=page.source.version,
        metric=figure,
        value_then=then,
        value_expected=float("nan") if expected is None else expected,
        review_on=review_on,
    )
    save(lambda: workspace.write_decision(page.source.data_set, decision), key=_SAVED, said=t("The decision is written down."))
