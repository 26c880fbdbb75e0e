"""The choices of the funnel, and its tables with the deals behind them."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from crm_metrics.language import t, translated
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.funnel import labels, tables, words
from crm_metrics.pipeline.funnel.terms import FunnelTerms
from crm_metrics.ui.deal_form import choose
from crm_metrics.ui.parts import figure, table, tabs
from crm_metrics.ui.parts import question as asking
from crm_metrics.ui.start import Page

_CHOSEN_FROM = ("funnel", "by")  # a click on a row shows what is behind it
_OF_DEALS = ("deals", "leads")


def choose_question(page: Page, deals: DealTerms) -> tuple[str, FunnelTerms]:
    """Draw the questions, beside them the choices that the chosen one has, and return both."""
    with st.container(horizontal=True):
        question = tabs(page, words.questions())
        return question, _terms(page, question, deals)


def _terms(page: Page, question: str, deals: DealTerms) -> FunnelTerms:
    chosen = {"mode": "any", "measure": "count", "by": "owner"}
    if question == "funnel":
        chosen["mode"] = choose(page, t("Funnel"), translated(labels.MODES), "mode")
        chosen["measure"] = choose(page, t("Measure"), translated(labels.MEASURES), "measure", width=120)
    elif question == "by":
        chosen["by"] = choose(page, t("Group"), translated(labels.BYS), "by")
    elif question == "won":
        chosen["by"] = choose(page, t("Periods"), translated(labels.GRAINS), "grain")
    return FunnelTerms.of_texts(deals, **chosen)


def picture(page: Page, name: str, drawn: go.Figure, terms: FunnelTerms) -> list[str]:
    """Put the figure of a question with what it is made from, and return what was clicked."""
    asked = tables.queries(page.source, page.filters, terms, name)
    return figure(page, drawn, queries=asked, selects=name in _CHOSEN_FROM, **words.about(name))


def show(page: Page, name: str, rows: pd.DataFrame, terms: FunnelTerms) -> list[int]:
    """Put a table of the funnel (a key of labels.COLUMNS) and return the positions of the chosen rows; one of deals opens the customer."""
    named, of_deals = words.in_words(name, rows, terms), name in _OF_DEALS
    columns = labels.columns(name, named)
    return table(page, named, columns=columns, name=name, selects=name in _CHOSEN_FROM, opens_customer=of_deals, search=of_deals)


def show_behind(page: Page, heading: str, name: str, rows: pd.DataFrame, *, terms: FunnelTerms) -> None:
    """Put the deals or leads behind what was chosen, under a heading. name: a key of labels.COLUMNS."""
    with asking(heading):
        show(page, name, rows, terms)
