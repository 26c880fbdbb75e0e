"""Did this campaign change what people did?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.campaign_roi.credit import tables as credit
from crm_metrics.campaign_roi.credit import words as credit_words
from crm_metrics.campaign_roi.credit.figure import balance_dots
from crm_metrics.campaign_roi.result import answers, labels, more_words, tables, words
from crm_metrics.campaign_roi.result.terms import ResultTerms
from crm_metrics.language import t, translated
from crm_metrics.ui.result_form import choose_one, result_terms, show_answer

page = ui.start_page("campaign_result", needs_orders=False, narrows=False, compares=False)
campaigns, every = ui.ask(page, tables.chosen_campaigns), ui.ask(page, credit.found_campaigns)


def result(terms: ResultTerms) -> None:
    arms = labels.of(ui.ask(page, tables.arms, terms), campaign=terms.campaign)
    if arms["is_faulty"].any():
        st.error(words.fault(arms), icon=":material/report:")
        ui.table(page, shown := labels.in_words(arms), columns=labels.columns("arms", shown), name="arms")
        return
    if doubt := more_words.plan_doubt(arms, labels.of(ui.ask(page, tables.arms, terms.with_equal_arms), campaign=terms.campaign)):
        st.warning(doubt, icon=":material/help:")
    question = ui.tabs(page, translated(words.QUESTIONS))
    rows = ui.ask(page, answers.QUESTIONS[question].table, terms)
    by = choose_one(page, t("Segment by"), labels.groups(rows), "by") if question == "whom" and len(rows) else ""
    about = labels.of(campaigns, campaign=terms.campaign)
    so_far, is_recorded = words.progress(about, page.filters.today), bool(about["is_recorded"].any())
    credited = words.credited(ui.ask(page, credit.campaigns), terms.campaign) if question == "paid" else None
    chosen = answers.Chosen(terms, so_far, page.currency, credited, by, not page.filters.scope.regions, is_recorded)
    show_answer(page, question, answers.QUESTIONS[question].answer(rows, chosen), rows, terms=terms)


def compared(campaign: str, outcome: str) -> None:
    rows, balance = ui.ask(page, credit.adjusted, campaign), ui.ask(page, credit.balance, campaign)
    st.warning(credit_words.adjusted_warning(), icon=":material/casino:")
    show_answer(page, "compared", answers.compared(rows, outcome=outcome, currency=page.currency), rows)
    for pair in labels.pairs(balance):
        with ui.question(credit_words.balance_finding(balance, pair)):
            ui.figure(page, ui.draw(page, balance_dots, balance, pair=pair), **credit_words.about("balance"))


@ui.part
def campaign() -> None:
    names = labels.campaign_names(campaigns, every)
    if not names:
        ui.finding(words.nothing())
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose_one(page, t("Campaign"), names, "campaign", width=380)
        terms = result_terms(page, chosen) if labels.has_control(campaigns, chosen) else None
        outcomes = {} if terms else labels.outcomes(ui.ask(page, credit.adjusted, chosen))
        outcome = choose_one(page, t("Outcome"), outcomes, "outcome") if outcomes else ""
    if terms:
        result(terms)
    else:
        compared(chosen, outcome)
