"""Who has left, and who is about to?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.retention.leaving import answers, definitions, figure, labels, tables, words

page = ui.start_page("churn", needs_orders=False, compares=False)
asked, above = answers.queries(page.source, page.filters), st.container()
days, late_from = 365, 95.0
if page.filters.today:  # there are orders
    with st.popover(t("Lost after"), icon=":material/tune:"):
        days = st.number_input(t("Days without an order"), 1, 3650, 365, key="lost_days", bind="query-params")
        late_from = st.number_input(t("Late after this % of expected intervals"), 50.0, 99.9, 95.0, key="late", bind="query-params")
terms = definitions.ChurnTerms.of_percent(days, late_from)
with above:
    tiles, rates = ui.ask(page, tables.churn_tiles, terms), ui.ask(page, tables.churn_definitions, terms)
    ui.finding(words.finding(tiles, rates, terms))
    ui.tiles(page, tiles, words.shown_metrics(tiles))


def late() -> None:
    ui.note(words.silence_note(rates, days))
    drawn = ui.draw(page, figure.definition_bars, rates, window_days=days)
    picked = ui.figure(page, drawn, queries=asked["late"], selects=True, **words.about("late"))
    with ui.question(t("Whom have we not heard from for longer than usual?")):
        people = ui.ask(page, tables.late_customers, terms, definition := words.chosen_definition(picked))
        ui.note(words.people_note(definition, days))
        ui.table(page, people, columns=labels.columns("people", people), name="people", opens_customer=True, search=True, height=400)
    with ui.question(t("Is it the new or the old customers, and do the definitions agree?")):
        ui.note(words.agreement_finding(agreement := ui.ask(page, tables.churn_agreement, terms), days))
        for name, rows in {"late": ui.ask(page, tables.late, terms), "definitions": rates, "agreement": agreement}.items():
            ui.table(page, labels.in_words(rows, days), columns=labels.columns(name, rows), name=name)


def second() -> None:
    by = ui.tabs(page, words.splits(), key="by")
    curve, summary = ui.ask(page, tables.curve, by), ui.ask(page, tables.second_order, by)
    ui.finding(words.second_finding(summary, by))
    if len(summary):
        ui.figure(page, ui.draw(page, figure.second_order_curves, curve, summary), queries=asked[by], **words.about("second"))
        ui.table(page, labels.in_words(summary), columns=labels.columns("second_order", summary), name="second_order")


def contracts(question: str) -> None:
    rows, curve = (ui.ask(page, table) for table in answers.CONTRACTS[question])
    kind = ui.tabs(page, kinds, key="kind") if (kinds := words.kinds(question, rows)) else ""
    ui.finding(words.contract_finding(question, rows, kind))
    if len(rows):
        ui.figure(page, ui.draw(page, answers.DRAWN[question], curve, rows, kind=kind), queries=asked["contracts"], **words.about(question))
        ui.table(page, labels.in_words(rows), columns=labels.columns(question, rows), name=question)


@ui.part
def questions() -> None:
    if (chosen := ui.tabs(page, words.questions(tiles))) in answers.CONTRACTS:
        contracts(chosen)
    else:
        {"late": late, "second": second}[chosen]()
