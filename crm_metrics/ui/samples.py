"""The data sets that come with the product, one click away: opened where they are there, else made while a bar moves."""

import time
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from crm_metrics import database
from crm_metrics.data_import.samples import CDNOW, DEMO, cdnow_file
from crm_metrics.database import DataSet
from crm_metrics.language import t
from crm_metrics.sales import extent
from crm_metrics.scope import Scope
from crm_metrics.ui.choices import turn_to_data_set

_FROM = 0.05  # of the work done before an estimate of the time says anything


def offer(shown: DataSet) -> None:
    """Offer the samples, but not the one that the reader sees already."""
    _say_stopped()
    with st.container(horizontal=True):
        wants_demo = not _is_seen(DEMO, shown) and _demo_button("secondary")
        wants_cdnow = not _is_seen(CDNOW, shown) and st.button(
            t("Open the CDNOW sample") if _is_there(CDNOW) else t("Load the CDNOW sample"), icon=":material/album:", key="open_cdnow"
        )
    if wants_demo:
        open_demo()
    if wants_cdnow:
        open_cdnow()


def offer_demo() -> None:
    """Offer the demo alone."""
    _say_stopped()
    if _demo_button("primary"):
        open_demo()


def _demo_button(kind: Literal["primary", "secondary"]) -> bool:
    label = t("Open the demo") if _is_there(DEMO) else t("Build the demo")
    return st.button(label, icon=":material/storefront:", type=kind, key="open_demo")


def _is_seen(name: str, shown: DataSet) -> bool:
    return shown.name == name and _is_there(name)


def _is_there(name: str) -> bool:
    """Return whether the data set holds orders: one whose imports were all taken back is made anew."""
    source = database.open_source(database.find_data_set(name))
    return source.version > 0 and not source(extent(Scope()))["first_on"].isna().all()


def open_demo() -> None:
    """Show the demo from now on; build it first where it is not there. Leaving the page stops the building, and nothing of it stays."""
    from crm_metrics.demo.build import build
    from crm_metrics.demo.plan import Plan

    data_set = database.find_data_set(DEMO)
    if not _is_there(data_set.name):
        build(data_set, Plan(), _moving_bar())
    turn_to_data_set(data_set.name)
    st.rerun()


def open_cdnow() -> None:
    """Show CDNOW from now on; load it first where it is not there."""
    from crm_metrics.data_import.load import import_file
    from crm_metrics.data_import.mapping import load_mapping

    data_set, path = database.find_data_set(CDNOW), cdnow_file()
    if not _is_there(data_set.name):
        st.session_state["loaded_report"] = import_file(data_set, path.read_bytes(), path.name, load_mapping(CDNOW), progress=_moving_bar())
    turn_to_data_set(data_set.name)
    st.rerun()


def _keep_stopped() -> None:
    st.session_state["making_stopped"] = True


def _say_stopped() -> None:
    """Say once that nothing came of what the reader stopped."""
    if st.session_state.pop("making_stopped", False):
        st.info(t("Stopped; nothing was built."), icon=":material/stop_circle:")


def _moving_bar() -> Callable[[str, float], None]:
    """Return a function that shows a step, its share and the time that is left; a button under the bar stops the work."""
    bar: Any = st.progress(0.0, text=t("Computing…"))
    st.button(t("Stop"), key="stop_making", icon=":material/stop_circle:", on_click=_keep_stopped)  # it ends this run at its next step
    began = time.monotonic()

    def show(step: str, share: float) -> None:
        seconds = (time.monotonic() - began) * (1 - share) / share if share >= _FROM else None
        left = "" if seconds is None else t("; about {seconds} s left", seconds=round(seconds))
        bar.progress(min(share, 1.0), text=t(step) + left)

    return show
