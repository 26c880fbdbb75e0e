"""Which quarter is forecast, and keeping what was forecast."""

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from crm_metrics.language import t
from crm_metrics.pipeline.deals.days import deal_days
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.forecast import kept, labels, words
from crm_metrics.pipeline.forecast.terms import THIS_QUARTER, ForecastTerms
from crm_metrics.ui.parts import choose, note, table
from crm_metrics.ui.saving import save, say_saved
from crm_metrics.ui.start import Page

_SAVED = "saved_forecast"


def choose_quarter(page: Page) -> ForecastTerms:
    """Draw the choice of the quarter beside the filters and return it; the page ends here where no deal has a day."""
    days = deal_days(page.source, page.filters)
    if days is None:
        st.info(t("No deal in view has a day: there is nothing to forecast from."), icon=":material/inbox:")
        st.stop()
    with page.bar:
        return ForecastTerms.of_text(choose(page, t("Quarter"), words.quarters(days.today), "quarter", width=170))


def keep_by_itself(page: Page, deals: DealTerms) -> None:
    """Keep the forecast of the whole company on the first look at new data; a workspace that can't be written is no reader's concern."""
    if kept.choice_of(page.filters, deals) or not kept.can_be_kept(page.source, page.filters):
        return
    if kept.is_kept(page.source, page.filters, deals, THIS_QUARTER):
        return
    try:
        kept.keep(page.source, page.filters, deals)
    except (OSError, SQLAlchemyError):
        return


def kept_forecasts(page: Page, deals: DealTerms, terms: ForecastTerms) -> None:
    """Put the kept forecasts of the deals in view against what came, and the button that keeps this one."""
    log = kept.forecast_log(page.source, page.filters, deals)  # not remembered: it changes with the workspace
    note(words.log_note(log))
    if len(log):
        shown = labels.in_words(log)
        table(page, shown, columns=labels.columns("log", shown), name="forecast_log")
    say_saved(_SAVED)
    if not kept.can_be_kept(page.source, page.filters):
        note(t("A forecast can be kept on the last day of the data alone: one that is made for an earlier day was not said then."))
    elif kept.is_kept(page.source, page.filters, deals, terms):
        note(t("Today's forecast is kept."))
    elif st.button(t("Keep this forecast"), icon=":material/bookmark_add:"):
        save(lambda: kept.keep(page.source, page.filters, deals, terms), key=_SAVED, said=t("The forecast is kept."))
