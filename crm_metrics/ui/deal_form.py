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
_KEPT, _KEPT_ON = "deal_terms", "deal_terms_page"
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
    offered = {key: _offered(page, key) for key in DEAL_KEYS}
    kept = _kept(page)
    for key in DEAL_KEYS:
        kept[key] = _known(key, kept.get(key, []), offered[key])
    used = sum(bool(values) for values in kept.values())
    with st.popover(t("Deals ({n})", n=used) if used else t("Deals"), icon=":material/handshake:", type="primary" if used else "secondary"):
        for key, labels in offered.items():
            if labels:
                st.session_state[f"deal_{key}"] = kept[key]  # a widget forgets its value between pages
                st.multiselect(
                    t(_COLUMNS[key][1]),
                    list(labels),
                    format_func=labels.__getitem__,
                    key=f"deal_{key}",
                    placeholder=t("All"),
                    on_change=_keep,
                    args=(key,),
                )
    for key in DEAL_KEYS:
        if kept[key] != st.query_params.get_all(key):
            _write(key, kept[key])
    return DealTerms(**{key: tuple(values) for key, values in kept.items()})


def choose(page: Page, label: str, options: Mapping[str, str], name: str, *, width: int = 190) -> str:
    """Draw a list whose choice stands in the address, as a plain value whatever the language. name: also its key in the address.

    options: their labels by value, the usual one first.
    """
    key, default = f"choice_{page.name}_{name}", next(iter(options))
    if st.session_state.get(key) not in options:
        st.session_state[key] = given if (given := st.query_params.get(name, default)) in options else default
    chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, label_visibility="collapsed", width=width)
    if st.query_params.get(name, default) != chosen:
        st.query_params[name] = chosen
    return chosen


def _kept(page: Page) -> dict[DealKey, list[str]]:
    """Return the choices as they were kept; the address is read when the reader comes to a page, and another data set begins anew."""
    before, here = st.session_state.get(_KEPT_ON, ("", "")), (page.name, page.source.data_set.address)
    is_other_data = bool(before[1]) and before[1] != here[1]
    kept: dict[DealKey, list[str]] = {} if is_other_data else st.session_state.get(_KEPT, {})
    if before[0] != here[0] and not is_other_data:
        kept |= {key: st.query_params.get_all(key) for key in DEAL_KEYS if key in st.query_params}
    st.session_state[_KEPT], st.session_state[_KEPT_ON] = kept, here
    return kept


def _keep(key: DealKey) -> None:
    st.session_state[_KEPT][key] = st.session_state[f"deal_{key}"]


def _known(key: DealKey, wanted: list[str], offered: Mapping[str, str]) -> list[str]:
    """Return those of the wanted values that the data have, and say which they have not."""
    missing = [value for value in wanted if value not in offered]
    if missing:
        names = ", ".join(safe_text(value) for value in missing[:_NAMED])
        warning = t("These data have no {label} “{values}”; it is left out.", label=t(_COLUMNS[key][1]), values=names)
        st.warning(warning, icon=":material/info:")
    return [value for value in wanted if value in offered]


def _write(key: DealKey, values: list[str]) -> None:
    if values:
        st.query_params[key] = values
    else:
        del st.query_params[key]


def _offered(page: Page, key: DealKey) -> dict[str, str]:
    """Return the values that can be chosen with their labels; none where all deals have the same."""
    found: Any = page.source(query.values_of(_COLUMNS[key][0], page.filters.scope))
    unknown = t("unknown")
    labels = {
        UNKNOWN if pd.isna(value) else str(value): unknown if pd.isna(value) else str(label)
        for value, label in zip(found["value"], found["label"], strict=True)
    }
    return labels if len(labels) > 1 else {}
