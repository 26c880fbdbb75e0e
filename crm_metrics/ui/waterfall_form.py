"""Which open deals make up the pipeline, how it is measured, how time is cut, and which day is looked at."""

from datetime import date
from functools import partial

import pandas as pd
import streamlit as st

from crm_metrics.language import t
from crm_metrics.periods import Grain, grain_for
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.waterfall import words
from crm_metrics.pipeline.waterfall.terms import WINDOWS, WaterfallTerms
from crm_metrics.ui.address import LAST_DAY, choose_day_kept
from crm_metrics.ui.parts import choose
from crm_metrics.ui.start import Page


def choose_window(page: Page, deals: DealTerms) -> WaterfallTerms:
    """Draw the choice of the window of expected closing and return the terms; both days of an own one have to be given."""
    name = choose(page, t("Pipeline"), words.windows(), "window", width=200)
    window = next(known for known in WINDOWS if known == name)
    if window != "own":
        return WaterfallTerms(deals, window)
    first_on = _choose_day(page, t("Expected to close from"), "closing_from", page.period.start)
    last_on = _choose_day(page, t("Expected to close to"), "closing_to", page.period.end)
    return WaterfallTerms(deals, window, min(first_on, last_on), max(first_on, last_on))


def choose_measure(page: Page, rows: pd.DataFrame) -> str:
    """Draw whether value or deals are shown and return it. rows: the table waterfall."""
    return choose(page, t("Measure"), words.measures(rows), "measure", width=130)


def choose_grain(page: Page) -> Grain:
    """Draw how time is cut and return it."""
    return words.chosen_grain(choose(page, t("Periods"), words.grains(grain_for(page.period)), "grain", width=150))


def choose_day(page: Page) -> date:
    """Draw the day whose pipeline is shown and return it: at first the last day of the period."""
    latest = page.filters.today or LAST_DAY
    return _choose_day(page, t("At the end of"), "on", min(page.period.end, latest), latest=latest)


def _choose_day(page: Page, label: str, name: str, usual: date, *, latest: date = LAST_DAY) -> date:
    draw = partial(st.date_input, label, format="YYYY-MM-DD", width=150)
    return choose_day_kept(page.name, name, usual, draw, last=latest) or usual
