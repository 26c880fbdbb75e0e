"""The form in which a reader sets targets by month; it says what was saved."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from crm_metrics import workspace
from crm_metrics.language import month_text, t
from crm_metrics.metric import BadInput, Metric, value_text
from crm_metrics.periods import bucket_starts
from crm_metrics.ui.start import Page

_SAVED = "saved_target"


def target_form(page: Page, metrics: Sequence[Metric], *, region: str, note: str) -> None:
    """Put the button that opens the form. region: whose targets; '' is the whole company. note: why there are none for the period."""
    with st.popover(t("Set a target"), icon=":material/flag:"), st.form("targets", border=False):
        st.caption(t("For {region}, by month.", region=region) if region else t("For the whole company, by month."))
        labels = {metric.name: t(metric.label) for metric in metrics}
        metric = st.selectbox(t("Metric"), list(labels), format_func=labels.__getitem__)
        names = {month: month_text(month) for month in bucket_starts(page.period, "month")}
        months = st.multiselect(t("Months"), list(names), default=list(names), format_func=names.__getitem__)
        target = st.number_input(t("Target of each month (empty: none)"), min_value=0.0, value=None)
        if st.form_submit_button(t("Save"), type="primary"):
            _save(page, metric, months=months, target=target, region=region, saved=saved_text(labels[metric], months, target))
        if saved := st.session_state.pop(_SAVED, ""):
            st.success(saved)
        elif note:
            st.caption(note)


def saved_text(label: str, months: Sequence[date], target: float | None) -> str:
    """Return what was saved.

    >>> saved_text("Orders", [date(2024, 4, 1)], 50.0)
    'Saved: Orders, 50.00 a month, months: 1.'
    """
    if target is None:
        return t("Saved: {metric}, no target, months: {n}.", metric=label, n=len(months))
    return t("Saved: {metric}, {target} a month, months: {n}.", metric=label, target=value_text(target, "ratio"), n=len(months))


def _save(page: Page, metric: str, *, months: Sequence[date], target: float | None, region: str, saved: str) -> None:
    """Write the targets and draw the page anew, which then says `saved`."""
    try:
        workspace.write_targets(page.source.data_set, metric, months=months, target_value=target, region=region)
    except BadInput as problem:
        st.error(str(problem))
        return
    st.session_state[_SAVED] = saved
    st.rerun()
