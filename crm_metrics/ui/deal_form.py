"""How the pages about deals begin, and which deals the reader looks at."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from crm_metrics.export import safe_text
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import noop, t
from crm_metrics.pipeline.deals import days, query
from crm_metrics.pipeline.deals.terms import DEAL_KEYS, DealKey, DealTerms
from crm_metrics.ui.choices import Subject, choices, keep_choice, write_address
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
_NAMED = 3  # values in a warning


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
    with page.bar:
        return page, choose_deals(page)


def choose_deals(page: Page) -> DealTerms:
    """Draw the choices that only deals have and return them; they follow the reader through the pages about deals, and the address.

    What an address asks for and the data do not have is said and left out.
    """
    offered, chosen = {key: _offered(page, key) for key in DEAL_KEYS}, choices()
    for key in DEAL_KEYS:
        chosen[key] = _known(key, chosen.get(key, []), offered[key])
    used = sum(bool(chosen[key]) for key in DEAL_KEYS)
    with st.popover(t("Deals ({n})", n=used) if used else t("Deals"), icon=":material/handshake:", type="primary" if used else "secondary"):
        for key, labels in offered.items():
            if labels:
                st.session_state[f"choose_{key}"] = chosen[key]  # a widget forgets its value between pages
                st.multiselect(
                    t(_COLUMNS[key][1]),
                    list(labels),
                    format_func=labels.__getitem__,
                    key=f"choose_{key}",
                    placeholder=t("All"),
                    on_change=keep_choice,
                    args=(key,),
                )
    write_address()
    return DealTerms(**{key: tuple(chosen[key]) for key in DEAL_KEYS})


def _known(key: DealKey, wanted: list[str], offered: Mapping[str, str]) -> list[str]:
    """Return those of the wanted values that the data have, and say which they have not."""
    missing = [value for value in wanted if value not in offered]
    if missing:
        names = ", ".join(safe_text(value) for value in missing[:_NAMED])
        warning = t("These data have no {label} “{values}”; it is left out.", label=t(_COLUMNS[key][1]), values=names)
        st.warning(warning, icon=":material/info:")
    return [value for value in wanted if value in offered]


def _offered(page: Page, key: DealKey) -> dict[str, str]:
    """Return the values that can be chosen with their labels; none where all deals have the same."""
    found: Any = page.source(query.values_of(_COLUMNS[key][0], page.filters.scope))
    unknown = t("unknown")
    labels = {
        UNKNOWN if pd.isna(value) else str(value): unknown if pd.isna(value) else str(label)
        for value, label in zip(found["value"], found["label"], strict=True)
    }
    return labels if len(labels) > 1 else {}
