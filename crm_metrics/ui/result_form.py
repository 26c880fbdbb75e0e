"""What the reader chooses of a campaign's result, the campaign, outcome, arm and how they are compared, and the answer put on screen."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from crm_metrics.campaign_roi.result import labels, tables, words
from crm_metrics.campaign_roi.result.answers import Answer
from crm_metrics.campaign_roi.result.terms import MOST_COVARIATE_DAYS, ResultTerms
from crm_metrics.language import t
from crm_metrics.ui.parts import choose, draw, figure, finding, note, table, tiles
from crm_metrics.ui.start import Page, ask

_HUNDRED = 100


def choose_one(page: Page, label: str, options: Mapping[Any, str], key: str, *, width: int = 280) -> Any:
    """Put a select box of `options` (names by value) and return the chosen value, which stands in the address, not its name."""
    return choose(page, label, options, key, width=width, has_heading=True)


def result_terms(page: Page, campaign: str) -> ResultTerms:
    """Put the choices for a campaign with a control group, and return them."""
    known = ask(page, tables.uplift, ResultTerms(campaign))
    outcomes, arms = labels.outcomes(known), labels.arms(known)
    outcome = choose_one(page, t("Outcome"), outcomes, "outcome")
    arm = choose_one(page, t("Arm"), arms, "arm", width=150) if len(arms) > 1 else next(iter(arms), "")
    with st.popover(t("Settings"), icon=":material/tune:"):
        planned = choose_one(page, t("Planned arm sizes"), labels.plans(), "planned", width=260)
        days = st.number_input(t("Earlier spend, days"), 1, MOST_COVARIATE_DAYS, 180, key="covariate_days", bind="query-params")
        lift = st.number_input(t("Lift worth having, %"), 0.1, 1000.0, 10.0, step=1.0, key="lift", bind="query-params")
    return ResultTerms(campaign, arm, outcome or "", int(days), planned, lift / _HUNDRED)


def show_answer(page: Page, name: str, found: Answer, rows: pd.DataFrame, *, terms: ResultTerms | None = None) -> None:
    """Put the answer to a question: its sentences, its tiles if any, the figure drawn of `rows`, and the table.

    terms: of a campaign with a control group; the queries behind it are shown with the figure.
    """
    if found.finding:
        finding(found.finding)
    note(found.note)
    if found.warning:
        st.warning(found.warning, icon=":material/swap_vert:")
    if terms and found.has_tiles:
        values = ask(page, tables.result_tiles, terms)
        tiles(page, values, labels.tile_metrics(values), notes=labels.tile_notes(values))
    if found.has_figure:
        queries = tables.queries(page.source, page.filters, terms) if terms else ()
        figure(page, draw(page, found.draw, rows, **found.options), queries=queries, **words.about(name))
    note(found.below)
    if found.has_figure:
        shown = labels.in_words(found.rows)
        table(page, shown, columns=labels.columns(name, shown), name=name)
