"""The choices of the funnel, and its tables with the deals behind them."""

import pandas as pd
import streamlit as st

from crm_metrics.language import t, translated
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.funnel import labels, words
from crm_metrics.pipeline.funnel.terms import FunnelTerms
from crm_metrics.ui.deal_form import choose
from crm_metrics.ui.parts import table
from crm_metrics.ui.start import Page

_CHOSEN_FROM = ("funnel", "by")  # a click on a row shows what is behind it
_OF_DEALS = ("deals", "leads")


def choose_funnel(page: Page, deals: DealTerms) -> FunnelTerms:
    """Draw how the funnel is counted and return it."""
    with st.container(horizontal=True):
        mode = choose(page, t("Funnel"), translated(labels.MODES), "mode")
        measure = choose(page, t("Measure"), translated(labels.MEASURES), "measure")
    return FunnelTerms.of_texts(deals, mode=mode, measure=measure)


def choose_groups(page: Page, deals: DealTerms) -> FunnelTerms:
    """Draw what groups are made of and return it."""
    return FunnelTerms.of_texts(deals, by=choose(page, t("Group"), translated(labels.BYS), "by"))


def choose_grain(page: Page, deals: DealTerms) -> FunnelTerms:
    """Draw the periods of closing and return them."""
    return FunnelTerms.of_texts(deals, by=choose(page, t("Periods"), translated(labels.GRAINS), "grain"))


def show(page: Page, name: str, rows: pd.DataFrame, terms: FunnelTerms) -> list[int]:
    """Put a table of the funnel (a key of labels.COLUMNS) and return the positions of the chosen rows; one of deals opens the customer."""
    named, of_deals = words.in_words(name, rows, terms), name in _OF_DEALS
    columns = labels.columns(name, named)
    return table(page, named, columns=columns, name=name, selects=name in _CHOSEN_FROM, opens_customer=of_deals, search=of_deals)
