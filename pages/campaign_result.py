"""Did this campaign change what people did?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.campaign_roi.credit import tables as credit
from crm_metrics.campaign_roi.result import adjusted_words, answers, labels, tables, words
from crm_metrics.campaign_roi.result.terms import ResultTerms
from crm_metrics.language import t
from crm_metrics.ui.result_form import choose_one, result_terms, show_answer

page = ui.start_page("campaign_result", needs_orders=False, narrows=False, compares=False)
campaigns, every = ui.ask(page, tables.chosen_campaigns), ui.ask(page, credit.found_campaigns)


def result(terms: ResultTerms) -> None:
    question = ui.tabs(page, {name: t(label) for name, label in words.QUESTIONS.items()})
    rows = ui.ask(page, answers.QUESTIONS[question].table, terms)
    by = choose_one(page, t("Told apart by"), labels.groups(rows), "by") if question == "whom" and len(rows) else ""
    so_far = words.progress(labels.of(campaigns, campaign=terms.campaign), page.filters.today)
    credited = words.credited(ui.ask(page, credit.campaigns), terms.campaign) if question == "paid" else None
    chosen = answers.Chosen(terms, so_far, page.currency, credited, by, sees_all=not page.filters.scope.regions)
    show_answer(page, question, answers.QUESTIONS[question].answer(rows, chosen), rows)


def faulty(arms: answers.Rows) -> None:
    st.error(words.fault(arms), icon=":material/report:")
    ui.table(page, shown := labels.in_words(arms), columns=labels.columns("arms", shown), name="arms")


def compared(campaign: str) -> None:
    st.warning(adjusted_words.warning(), icon=":material/casino:")
    rows, balance = (labels.of(ui.ask(page, table), campaign=campaign) for table in (credit.adjusted, credit.balance))
    outcome = choose_one(page, t("Outcome"), labels.outcomes(rows), "outcome") if len(rows) else ""
    show_answer(page, "compared", answers.compared(rows, outcome=outcome, currency=page.currency), rows)
    if len(balance):
        with ui.question(t("How alike are they?")):
            show_answer(page, "balance", answers.balanced(balance), balance)


@ui.part
def campaign() -> None:
    names = labels.campaign_names(campaigns, every)
    if not names:
        ui.finding(words.nothing())
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose_one(page, t("Campaign"), names, "campaign", width=420)
        terms = result_terms(page, chosen) if labels.has_control(campaigns, chosen) else None
    if not terms:
        compared(chosen)
    elif (arms := labels.of(ui.ask(page, tables.arms, terms), campaign=chosen))["is_faulty"].any():
        faulty(arms)
    else:
        result(terms)
