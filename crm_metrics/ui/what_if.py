"""The what-if of profitability: sliders, what they would change, and the two curves."""

from collections.abc import Sequence

import streamlit as st
from sqlalchemy import Select

from crm_metrics.profitability import customers, labels, steepest_discount, what_if_curve, words
from crm_metrics.profitability import what_if as scenarios_of
from crm_metrics.profitability.curves import what_if_figure
from crm_metrics.profitability.what_if_words import change_of, sliders, what_if_finding
from crm_metrics.ui.parts import draw, figure, finding, note, table
from crm_metrics.ui.start import Page, ask


def what_if(page: Page, queries: Sequence[Select]) -> None:
    """Put the sliders, what they would change, the curves of today and then, and the table of both. queries: shown with the figure."""
    offered = sliders(ask(page, customers), ask(page, steepest_discount), currency=page.currency)
    with st.container(horizontal=True, gap="large"):
        moved = {
            key: st.slider(one.label, 0, one.highest, one.start, one.step, key=key, bind="query-params") for key, one in offered.items()
        }
    change = change_of(moved, offered)
    scenarios, curve = ask(page, scenarios_of, change), ask(page, what_if_curve, change)
    finding(what_if_finding(scenarios, change, currency=page.currency))
    figure(page, draw(page, what_if_figure, curve, currency=page.currency), queries=queries, **words.about("what_if"))
    note(words.remark("what_if"))
    shown = labels.in_words("what_if", scenarios, [])
    table(page, shown, columns=labels.columns("what_if", shown), name="what_if")
