"""The choices about people: their role, and the day on which the CRM went live."""

from collections.abc import Mapping
from datetime import date

import streamlit as st

from crm_metrics.language import t
from crm_metrics.pipeline.people.terms import GoLive
from crm_metrics.ui.start import Page

GAPS = (0, 30, 60, 90)  # days that can be left out on both sides


def choose_role(roles: Mapping[str, str]) -> str:
    """Draw the choice of a role, where there are several, and return it; "" means all. It stands in the address."""
    options = list(roles)
    if len(options) <= 2:  # all, and the only one
        return ""
    key = "people_role"
    if st.session_state.get(key) not in options:
        st.session_state[key] = given if (given := st.query_params.get("role", "")) in options else ""
    chosen = st.selectbox(t("Role"), options, format_func=roles.__getitem__, key=key, width=170, label_visibility="collapsed")
    if st.query_params.get("role", "") != chosen:
        st.query_params["role"] = chosen
    return chosen


def choose_go_live(page: Page, stated: date | None) -> GoLive:
    """Draw the day of the go-live and what is left out around it, and return them; both stand in the address. stated: by a demo."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        given = _day(st.query_params.get("go_live", ""))
        day, held = given or stated, page.held
        first, last = min(day or held.start, held.start), max(day or held.end, held.end)
        st.session_state.setdefault("people_go_live", day)
        chosen: date | None = st.date_input(t("The CRM went live on"), key="people_go_live", min_value=first, max_value=last, width=170)
        asked = st.query_params.get("gap", "0")
        st.session_state.setdefault("people_gap", int(asked) if asked in map(str, GAPS) else 0)
        gap = st.selectbox(t("Days left out on both sides"), GAPS, key="people_gap", width=190)
    _write("go_live", chosen.isoformat() if chosen and chosen != stated else "")
    _write("gap", str(gap) if gap else "")
    if not chosen:
        st.info(
            t("Say on which day the CRM went live: the page then compares what was before it with what came after."),
            icon=":material/event:",
        )
    return GoLive(chosen, int(gap))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _write(name: str, value: str) -> None:
    if value and st.query_params.get(name) != value:
        st.query_params[name] = value
    elif not value and name in st.query_params:
        del st.query_params[name]
