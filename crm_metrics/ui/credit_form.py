"""The forms of Campaign ROI: by which rule orders are credited, and whose comparison is looked at."""

import pandas as pd
import streamlit as st

from crm_metrics.campaign_roi.credit import labels, tables
from crm_metrics.campaign_roi.credit.terms import MOST_LOOKBACK_DAYS, CreditTerms, Rule
from crm_metrics.language import t
from crm_metrics.ui.result_form import choose_one
from crm_metrics.ui.start import Page, ask


def credit_form(page: Page) -> CreditTerms:
    """Put the choice of the rule, by default the one that the data can answer, and return it."""
    rules, usual = labels.rules(), ask(page, tables.rule_of)
    with st.popover(t("Attribution rule"), icon=":material/rule:"):
        rule: Rule = choose_one(page, t("Credit goes to"), {usual: rules[usual], **rules}, "rule")
        days = st.number_input(t("Lookback, days"), 0, MOST_LOOKBACK_DAYS, tables.USUAL.lookback_days, key="lookback", bind="query-params")
        half_life = st.number_input(t("Half-life, days"), 1, 365, int(tables.USUAL.half_life_days), key="half_life", bind="query-params")
    return CreditTerms(rule, days, half_life)


def choose_compared(page: Page) -> tuple[pd.DataFrame, tuple[str, str]]:
    """Put the choice of one of the campaigns that are compared without a control group; return the table balance, and campaign and arm."""
    balance = ask(page, tables.balance)
    names = labels.balanced(balance)
    pair: tuple[str, str] = st.selectbox(t("Campaign"), list(names), format_func=names.__getitem__, key="balance_of")
    return balance, pair
