"""Which customers earn the money?"""

import streamlit as st

from crm_metrics import profitability as room
from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.profitability import answer_words, curves, labels, words
from crm_metrics.profitability.answers import ANSWERS, queries_of
from crm_metrics.ui.what_if import what_if

page = ui.start_page("profitability", compares=False)
money, queries = {"currency": page.currency}, room.queries(page.source, page.filters)
tiles, summary, basis = (ui.ask(page, table) for table in (room.tiles, room.summary, room.basis))
ui.finding(words.finding(tiles, **money))
ui.note(words.missing_note(basis))
ui.tiles(page, tiles, words.shown_metrics(tiles))


def concentration() -> None:
    with st.container(horizontal=True):
        by, measure = ui.tabs(page, words.groupings(), key="by"), ui.tabs(page, words.measures(basis), key="measure")
    curve, held = ui.ask(page, room.curve, by, measure), ui.ask(page, room.concentration, by, measure)
    ui.finding(words.curve_finding(curve, held, by=by, measure=measure))
    if not words.can_compare(held):
        return
    drawn = ui.draw(page, curves.curve_figure, curve, held, ui.ask(page, room.references), by=by, measure=measure, **money)
    ui.figure(page, drawn, queries=queries_of(page.source, page.filters, by), **words.about("curve"))
    if words.has_lorenz(held):
        with ui.question(t("How unequal is it?")):
            ui.figure(page, ui.draw(page, curves.lorenz_figure, curve, held, by=by), **words.about("lorenz"))
    name, rows = words.concentration_table(curve, held, by=by)
    if len(rows):
        ui.table(page, rows, columns=labels.columns(name, rows), name=name)


def answer(question: str) -> None:
    (table, find, draw, has_money), picked = ANSWERS[question], []
    rows, options = ui.ask(page, table), money if has_money else {}
    ui.finding(find(rows, **options))
    if question == "resources":
        options = {"resource": ui.tabs(page, answer_words.resources(rows), key="resource")}
    ui.note(answer_words.note(question, summary, basis))
    if len(rows) and draw:
        drawn = ui.draw(page, draw, rows, **options)
        picked = ui.figure(page, drawn, queries=queries, selects=question == "losing", **words.about(question))
    if len(rows):
        rows = labels.in_words(question, ui.ask(page, room.losing) if question == "losing" else rows, picked)
        ui.table(page, rows, columns=labels.columns(question, rows), name=question, **labels.table_options(question, rows))


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, words.questions(basis, summary))
    if chosen in ANSWERS:
        answer(chosen)
    elif chosen == "what_if":
        what_if(page, queries)
    else:
        concentration()
