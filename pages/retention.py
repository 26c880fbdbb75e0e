"""Do they come back?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.retention.cohort import figure, labels, tables, words
from crm_metrics.retention.cohort.metrics import METRICS
from crm_metrics.retention.cohort.terms import CohortTerms
from crm_metrics.ui.cohort_form import choose_age, choose_terms, say_basis

page = ui.start_page("retention", compares=False)
tiles, basis, money = ui.ask(page, tables.tiles), ui.ask(page, tables.cohort_basis), {"currency": page.currency}
ui.finding(words.finding(tiles))
say_basis(page, tiles, basis)
ui.tiles(page, tiles, METRICS)


def cohorts(terms: CohortTerms) -> None:
    rows, average = ui.ask(page, tables.cohorts, terms), ui.ask(page, tables.cohort_average, terms)
    ui.note(words.cohorts_finding(average, terms, **money))
    drawn, asked = ui.draw(page, figure.cohort_map, rows, average, terms, **money), tables.queries(page.source, page.filters, terms)
    picked = ui.figure(page, drawn, queries=asked, selects=True, **words.about("cohorts"))
    named = words.in_words(rows, terms)
    chosen = ui.table(page, named, columns=labels.columns("cohorts", named, terms), name="cohorts", selects=True)
    if cell := words.chosen_cell(rows, picked, chosen):
        with ui.question(words.cell_text(cell, terms)):
            people = ui.ask(page, tables.cohort_customers, terms, words.side_of(cell, ui.tabs(page, words.sides(), key="side")))
            ui.table(page, people, columns=labels.columns("people", people, terms), name="people", opens_customer=True, search=True)


def average(terms: CohortTerms) -> None:
    rows, pooled = ui.ask(page, tables.cohorts, terms), ui.ask(page, tables.cohort_average, terms)
    ui.finding(words.cohorts_finding(pooled, terms, **money))
    names = words.names(rows, terms)
    beside = st.multiselect(t("Compare with"), list(names), format_func=names.__getitem__, max_selections=4, key="cohort_beside")
    ui.figure(page, ui.draw(page, figure.average_curve, pooled, rows, terms, beside=tuple(beside), **money), **words.about("average"))
    ui.table(page, pooled, columns=labels.columns("average", pooled, terms), name="average")


def trend(terms: CohortTerms) -> None:
    age = choose_age(page, words.ages(ui.ask(page, tables.cohort_average, terms), terms))
    rows = ui.ask(page, tables.cohort_trend, terms, age)
    ui.finding(words.trend_finding(rows, terms, **money))
    ui.figure(page, ui.draw(page, figure.trend_figure, rows, terms, **money), **words.about("trend"))
    ui.table(page, words.in_words(rows, terms), columns=labels.columns("trend", rows, terms), name="trend")


def test(terms: CohortTerms) -> None:
    age = choose_age(page, words.ages(ui.ask(page, tables.cohort_average, terms), terms))
    rows = ui.ask(page, tables.cohort_test, terms, age)
    ui.finding(words.difference_finding(rows, terms))
    ui.figure(page, ui.draw(page, figure.difference_dots, rows, terms, **money), **words.about("test"))
    ui.table(page, words.differences_in_words(rows, terms), columns=labels.columns("test", rows, terms), name="test")


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, words.questions())
    {"cohorts": cohorts, "average": average, "trend": trend, "test": test}[chosen](choose_terms(page, basis))
