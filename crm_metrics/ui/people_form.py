"""The choices about people: their role, and the day on which the CRM went live."""

from collections.abc import Mapping
from datetime import date
from functools import partial

import streamlit as st

from crm_metrics.language import t
from crm_metrics.pipeline.people.terms import GoLive
from crm_metrics.ui.address import choose_day_kept
from crm_metrics.ui.parts import choose
from crm_metrics.ui.start import Page

GAPS = (0, 30, 60, 90)  # days that can be left out on both sides


def choose_role(page: Page, roles: Mapping[str, str]) -> str:
    """Draw the choice of a role, where there are several, and return it; "" means all. roles: that first, then each."""
    return choose(page, t("Role"), roles, "role") if len(roles) > 2 else ""


def choose_go_live(page: Page, stated: date | None) -> GoLive:
    """Draw the day of the go-live and what is left out around it, and return them; both stand in the address. stated: by a demo."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        draw = partial(st.date_input, t("The CRM went live on"), width=170)
        chosen = choose_day_kept(page.name, "go_live", stated, draw, first=page.held.start, last=page.held.end)
        gaps = {str(gap): t("{n} days left out on both sides", n=gap) if gap else t("no days left out") for gap in GAPS}
        gap = int(choose(page, t("Days left out on both sides"), gaps, "gap", width=260))
    if not chosen:
        st.info(
            t("Say on which day the CRM went live: the page then compares what was before it with what came after."),
            icon=":material/event:",
        )
    return GoLive(chosen, gap)
