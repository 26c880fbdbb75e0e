"""The choices that cohorts are made and counted by."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import t, translated
from crm_metrics.retention.cohort import labels, words
from crm_metrics.retention.cohort.terms import CohortTerms
from crm_metrics.ui.choices import choose_period
from crm_metrics.ui.parts import choose, note
from crm_metrics.ui.start import Page

_WIDTH = 170  # five stand side by side


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


def choose_terms(page: Page, basis: pd.DataFrame) -> CohortTerms:
    """Draw the choices side by side and return what the reader chose. basis: the table cohort_basis."""
    with st.container(horizontal=True):
        by = choose(page, t("Cohorts by"), words.bys(basis), "by", width=_WIDTH)
        grain = choose(page, t("Periods"), translated(labels.GRAINS), "grain", width=_WIDTH)
        measure = choose(page, t("Measure"), words.measures(basis), "measure", width=_WIDTH)
        mode = choose(page, t("When"), words.modes(measure), "mode", width=_WIDTH)
        relative_to = choose(page, t("Shown as"), words.relatives(measure), "as", width=_WIDTH)
    return CohortTerms.of_texts(grain=grain, by=by, mode=mode, measure=measure, relative_to=relative_to)


def choose_age(page: Page, ages: Mapping[int, str]) -> int:
    """Draw the choice of an age and return it. ages: their names by number, the usual one first."""
    return int(choose(page, t("Age"), {str(age): name for age, name in ages.items()}, "age", width=_WIDTH))
