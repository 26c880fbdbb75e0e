"""When has a customer paid back, and what is more retention worth?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.retention.worth import figure, labels, tables, words
from crm_metrics.retention.worth.terms import LITERATURE

page = ui.start_page("payback", compares=False)
money, basis = {"currency": page.currency}, ui.ask(page, tables.payback_basis)
tiles = ui.ask(page, tables.payback_tiles)
ui.finding(words.finding(ui.ask(page, tables.payback_months), basis, **money))
ui.tiles(page, tiles, words.shown_metrics(tiles))
ui.note(words.basis_note(basis))


def payback(by: str) -> None:
    group = words.chosen_by(by)
    ages, months = ui.ask(page, tables.payback, group), ui.ask(page, tables.payback_months, group)
    if text := words.payback_finding(months, by=by):
        ui.finding(text)
    drawn = ui.draw(page, figure.payback_lines, ages, by=by, measure=words.measure_name(basis), **money)
    ui.figure(page, drawn, queries=tables.queries(page.source, page.filters, group), **words.about("payback"))
    named, lines = labels.in_words(months, by), labels.in_words(ages, by)
    ui.table(page, named, columns=labels.columns("quality", named), name="payback_months")
    ui.table(page, lines, columns=labels.columns("payback", lines), name="payback_ages")


def channels() -> None:
    quality = ui.ask(page, tables.acquisition_quality)
    ui.finding(words.channels_finding(quality, **money))
    queries = tables.queries(page.source, page.filters, "acquisition_channel")
    ui.figure(page, ui.draw(page, figure.quality_points, quality, **money), queries=queries, **words.about("channels"))
    named = labels.in_words(quality, "acquisition_channel")
    ui.table(page, named, columns=labels.columns("quality", named), name="acquisition_quality")


def retention() -> None:
    levers = ui.ask(page, tables.five_points)
    ui.finding(words.lever_finding(levers, **money))
    drawn = ui.draw(page, figure.lever_line, ui.ask(page, tables.retention_lever), LITERATURE)
    ui.figure(page, drawn, queries=tables.lever_queries(page.source, page.filters), **words.about("retention"))
    named = labels.in_words(levers)
    ui.table(page, named, columns=labels.columns("levers", named), name="five_points")


def keeping() -> None:
    cost = ui.ask(page, tables.keeping_cost)
    ui.finding(words.keeping_finding(cost, **money))
    queries = tables.keeping_queries(page.source, page.filters)
    ui.figure(page, ui.draw(page, figure.keeping_bars, cost, **money), queries=queries, **words.about("keeping"))
    ui.table(page, cost, columns=labels.columns("keeping", cost), name="keeping_cost")


@ui.part
def questions() -> None:
    with st.container(horizontal=True):
        chosen = ui.tabs(page, words.questions())
        by = ui.tabs(page, words.bys(), key="by") if chosen == "payback" else ""
    {"payback": lambda: payback(by), "channels": channels, "retention": retention, "keeping": keeping}[chosen]()
