"""How the pages about deals begin, and which deals the reader looks at."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from crm_metrics.database import Source
from crm_metrics.export import safe_text
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import noop, t
from crm_metrics.pipeline.deals import days, query
from crm_metrics.pipeline.deals.terms import DEAL_KEYS, DealKey, DealTerms
from crm_metrics.scope import Scope
from crm_metrics.ui.choices import Subject
from crm_metrics.ui.start import Page, open_page, start_page

DEALS = Subject(query.extent, days.subject_values)
_COLUMNS: dict[DealKey, tuple[str, str]] = {  # column of the deals, label
    "source": ("deal_source", noop("Deal source")),
    "owner": ("owner_id", noop("Owner")),
    "team": ("team", noop("Team")),
    "product": ("product_id", noop("Product")),
    "market": ("market", noop("Market segment")),
    "pipeline": ("pipeline", noop("Pipeline")),
}
_KEPT = "deal_terms"


def start_deal_page(name: str, *, narrows: bool = True, compares: bool = False) -> tuple[Page, DealTerms]:
    """Begin a page about deals and return what it works with and the deals the reader chose; it ends here where there are none."""
    page = start_page(name, needs_orders=False, narrows=narrows, compares=compares, subject=DEALS)
    held = page.source(query.held(page.filters.scope)).iloc[0]
    if not held["deals"] and not held["leads"] and not held["activities"]:
        st.info(
            t("These data hold no deals, leads or activities. Bring in the exports of your CRM on the Data page."), icon=":material/inbox:"
        )
        if st.button(t("Open the Data page"), type="primary"):
            open_page("data")
        st.stop()
    return page, choose_deals(page)


def choose_deals(page: Page) -> DealTerms:
    """Draw the choices that only deals have and return them; they follow the reader through the pages about deals, and the address."""
    offered = {key: page.source.remember(_offered, page.filters.scope, key) for key in DEAL_KEYS}
    offered = {key: labels for key, labels in offered.items() if len(labels) > 1}
    kept: dict[str, list[str]] = st.session_state.setdefault(_KEPT, {})
    for key in offered:
        if key not in kept and key in st.query_params:
            kept[key] = st.query_params.get_all(key)
        kept[key] = [value for value in kept.get(key, []) if value in offered[key]]
    used = sum(bool(kept[key]) for key in offered)
    with st.popover(t("Deals ({n})", n=used) if used else t("Deals"), icon=":material/handshake:", type="primary" if used else "secondary"):
        for key, labels in offered.items():
            st.session_state[f"deal_{key}"] = kept[key]
            kept[key] = st.multiselect(
                t(_COLUMNS[key][1]), list(labels), format_func=labels.__getitem__, key=f"deal_{key}", placeholder=t("All")
            )
    for key in offered:
        if kept[key] != st.query_params.get_all(key):
            st.query_params[key] = kept[key]
    return replace(DealTerms(), **{key: tuple(kept[key]) for key in offered})


def _offered(source: Source, scope: Scope, key: DealKey) -> dict[str, str]:
    found = source(query.values_of(_COLUMNS[key][0], scope))
    unknown = t("unknown")
    return {
        UNKNOWN if pd.isna(value) else str(value): unknown if pd.isna(value) else safe_text(str(label))
        for value, label in zip(found["value"], found["label"], strict=True)
    }
