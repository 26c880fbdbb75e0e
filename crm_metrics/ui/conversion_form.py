"""The questions about conversion, and by what cohorts are made."""

import streamlit as st

from crm_metrics.language import t
from crm_metrics.pipeline.conversion import tables, words
from crm_metrics.pipeline.conversion.terms import CohortBy, cohorts_by
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.ui.parts import choose, tabs
from crm_metrics.ui.start import Page, ask


def choose_question(page: Page, terms: DealTerms) -> tuple[str, CohortBy]:
    """Draw the questions, beside those about cohorts by what these are made, and return both."""
    with st.container(horizontal=True, vertical_alignment="center"):
        question = tabs(page, words.questions())
        if question not in tables.BY_COHORT:
            return question, "quarter"
        known = ask(page, tables.BY_COHORT[question][2], terms)
        return question, cohorts_by(choose(page, t("Cohort"), words.bys(known), "by"))
