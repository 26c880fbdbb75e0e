"""The choices of the funnel, and its tables with the deals behind them."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from crm_metrics.language import t, translated
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.funnel import labels, tables, words
from crm_metrics.pipeline.funnel.terms import FunnelTerms
from crm_metrics.ui.parts import choose, figure, table, tabs
from crm_metrics.ui.parts import question as asking
from crm_metrics.ui.start import Page, ask

_CHOSEN_FROM = ("funnel", "groups", "by")  # a click on a row shows what is behind it
_OF_DEALS = ("deals", "leads")


def choose_question(page: Page, deals: DealTerms) -> tuple[str, FunnelTerms]:
    """Draw the questions, beside them the choices that the chosen one has, and return both."""
    with st.container(horizontal=True, vertical_alignment="center"):
        question = tabs(page, words.questions())
        return question, _terms(page, question, deals)


def _terms(page: Page, question: str, deals: DealTerms) -> FunnelTerms:
    chosen = {"mode": "any", "measure": "count", "by": "owner"}
    if question in ("funnel", "groups"):
        chosen["mode"] = choose(page, t("Funnel"), translated(labels.MODES), "mode")
        chosen["measure"] = choose(page, t("Measure"), translated(labels.MEASURES), "measure", width=120)
    if question in ("by", "groups"):
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


def explore(page: Page, name: str, drawn: go.Figure, rows: pd.DataFrame, *, terms: FunnelTerms) -> None:
    """Put the figure of a question and its table, and the deals or leads behind what is chosen in either under a heading.

    name: one of _CHOSEN_FROM. rows: its table.
    """
    picked, chosen = picture(page, name, drawn, terms), show(page, name, rows, terms)
    if name == "by":
        if group := words.chosen_group(rows, picked, chosen):
            _behind(page, words.group_text(rows, group, terms), "deals", ask(page, tables.group_deals, terms, group), terms=terms)
        return
    step = words.chosen_cell(rows, picked, chosen) if name == "groups" else words.chosen_step(rows, picked, chosen)
    if step and (kind := words.behind(step)):
        _behind(page, words.step_text(step, rows, terms), kind, ask(page, tables.step_deals, terms, step), terms=terms)


def _behind(page: Page, heading: str, name: str, rows: pd.DataFrame, *, terms: FunnelTerms) -> None:
    with asking(heading):
        show(page, name, rows, terms)
