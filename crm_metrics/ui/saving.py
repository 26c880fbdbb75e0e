"""Saving what a form holds, and saying so on the page that is drawn anew."""

from collections.abc import Callable

import streamlit as st

from crm_metrics.export import safe_text
from crm_metrics.metric import BadInput


def save(write: Callable[[], object], *, key: str, said: str) -> None:
    """Do `write` and draw the page anew, on which `say_saved` finds `said`; what the reader can put right is said instead."""
    try:
        write()
    except BadInput as problem:
        st.error(safe_text(str(problem)))
        return
    st.session_state[key] = said
    st.rerun()


def say_saved(key: str) -> None:
    """Say once what was saved."""
    if said := st.session_state.pop(key, ""):
        st.success(said)
