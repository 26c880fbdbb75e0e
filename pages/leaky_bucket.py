"""Do we win as many as we lose?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.periods import grain_for
from crm_metrics.retention.flow import figure, labels, tables, words
from crm_metrics.ui.bucket_form import bucket_terms, simulator

page = ui.start_page("leaky_bucket", compares=False)
above = st.container()
with st.container(horizontal=True, vertical_alignment="center"):
    terms = bucket_terms(page)
    rows, basis = ui.ask(page, tables.leaky_bucket, terms), ui.ask(page, tables.bucket_basis, terms)
    ui.note(words.terms_note(basis))
with above:
    tiles = ui.ask(page, tables.flow_tiles, terms)
    ui.finding(words.finding(rows, basis))
    ui.tiles(page, tiles, words.shown_metrics(tiles))
ui.note(words.basis_note(basis, currency=page.currency))


def bucket(measure: str) -> None:
    ui.finding(words.bucket_finding(rows, measure=measure, currency=page.currency))
    drawn = ui.draw(page, figure.bucket_bars, rows, measure=measure, currency=page.currency)
    queries = tables.queries(page.source, page.filters, terms)
    for flow in ui.figure(page, drawn, queries=queries, selects=True, **words.about("bucket")):
        people = labels.in_words(ui.ask(page, tables.bucket_customers, terms, flow))
        with ui.question(words.picked_heading(flow, people)):
            shown = labels.columns("bucket_customers", people)
            ui.table(page, people, columns=shown, name="bucket_customers", opens_customer=True, search=True)
    named = labels.in_words(rows)
    ui.table(page, named, columns=labels.columns("leaky_bucket", named), name="leaky_bucket")


def lifecycle(chosen: str) -> None:
    grain = words.chosen_grain(chosen)
    cycle = ui.ask(page, tables.lifecycle, grain)
    ui.finding(words.lifecycle_finding(cycle))
    drawn, queries = ui.draw(page, figure.lifecycle_bars, cycle), tables.lifecycle_queries(page.source, page.filters, grain)
    for cell in ui.figure(page, drawn, queries=queries, selects=True, **words.about("lifecycle")):
        people = ui.ask(page, tables.lifecycle_customers, grain, cell)
        with ui.question(words.cell_heading(cell, people)):
            shown = labels.columns("lifecycle_customers", people)
            ui.table(page, people, columns=shown, name="lifecycle_customers", opens_customer=True, search=True)
    ui.table(page, cycle, columns=labels.columns("lifecycle", cycle), name="lifecycle")


def needed(figures: str) -> None:
    simulator(page, terms, figures)


@ui.part
def questions() -> None:
    with st.container(horizontal=True):
        question = ui.tabs(page, words.questions())
        option = ui.tabs(page, words.options(question, rows, usual_grain=grain_for(page.period)), key=words.OPTION_KEYS[question])
    {"bucket": bucket, "lifecycle": lifecycle, "needed": needed}[question](option)
