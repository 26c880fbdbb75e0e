"""The choices that cohorts are made and counted by."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import t, translated
from crm_metrics.retention.cohort import labels, words
from crm_metrics.retention.cohort.terms import CohortTerms
from crm_metrics.ui.choices import choose_period
from crm_metrics.ui.parts import note
from crm_metrics.ui.start import Page


def say_basis(page: Page, tiles: pd.DataFrame, basis: pd.DataFrame) -> None:
    """Say what limits the cohorts, and offer all dates where few customers came in the period; where nobody did, the page ends here.

    tiles, basis: the tables tiles and cohort_basis.
    """
    note(words.basis_note(basis))
    came = words.customers_who_came(tiles)
    if came < FEW_CUSTOMERS and page.period.start > page.held.start and st.button(t("Show all dates"), type="primary"):
        choose_period("all")
    if not came:
        st.stop()


def choose_terms(basis: pd.DataFrame) -> CohortTerms:
    """Draw the choices side by side and return what the reader chose. basis: the table cohort_basis."""
    with st.container(horizontal=True):
        by = _choose(t("Cohorts by"), words.bys(basis), "by")
        grain = _choose(t("Periods"), translated(labels.GRAINS), "grain")
        measure = _choose(t("Measure"), words.measures(basis), "measure")
        mode = _choose(t("When"), words.modes(measure), "mode")
        relative_to = _choose(t("Shown as"), words.relatives(measure), "as")
    return CohortTerms.of_texts(grain=grain, by=by, mode=mode, measure=measure, relative_to=relative_to)


def choose_age(ages: Mapping[int, str]) -> int:
    """Draw the choice of an age and return it. ages: their names by number, the usual one first."""
    return int(_choose(t("Age"), {str(age): name for age, name in ages.items()}, "age"))


def _choose(label: str, options: Mapping[str, str], name: str) -> str:
    """Draw a list whose choice stands in the address, as a plain value whatever the language. name: also its key in the address."""
    key, default = f"cohort_{name}", next(iter(options))
    if st.session_state.get(key) not in options:
        st.session_state[key] = given if (given := st.query_params.get(name, default)) in options else default
    # without a heading: what can be chosen says what it is, and the figure begins higher
    chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, label_visibility="collapsed", width=170)
    if st.query_params.get(name, default) != chosen:
        st.query_params[name] = chosen
    return chosen
