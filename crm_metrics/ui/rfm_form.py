"""The form in which a reader sets the cut points of recency, frequency and monetary value, and leaves months out."""

import streamlit as st

from crm_metrics import segmentation as room
from crm_metrics.language import t
from crm_metrics.ui.start import Page, ask


def rfm_terms(page: Page) -> room.RfmTerms:
    """Put the button that opens the form, and return what the reader chose; it stands in the address. An empty box: from the data.

    Raises BadInput if cut points are not four rising numbers.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(t("Cut points"), icon=":material/straighten:"):
            st.caption(room.remark("cut_points"))
            left_out = st.multiselect(t("Months left out"), room.month_names(ask(page, room.months)), key="left_out", bind="query-params")
            boxes = room.cut_inputs(ask(page, room.cuts, room.terms_of(("", "", ""), left_out)))
            texts = [st.text_input(box.label, key=box.measure, placeholder=box.shown, bind="query-params") for box in boxes]
            nothing = {**{box.measure: "" for box in boxes}, "left_out": []}
            st.button(t("From the data"), icon=":material/restart_alt:", on_click=st.session_state.update, args=(nothing,))
        terms = room.terms_of(texts, left_out)
        st.caption(room.terms_note(terms))
    return terms
