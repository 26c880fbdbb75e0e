"""What came into the pipeline, and what left it?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.pipeline.waterfall import figure, labels, tables, words
from crm_metrics.pipeline.waterfall.metrics import METRICS
from crm_metrics.pipeline.waterfall.statistic import of_measure
from crm_metrics.ui.deal_form import start_deal_page
from crm_metrics.ui.waterfall_form import choose_day, choose_grain, choose_measure, choose_window

page, deals = start_deal_page("pipeline_changes")
money, above = {"currency": page.currency}, st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    question, terms = ui.tabs(page, words.questions()), choose_window(page, deals)
    rows, basis, tiles = (ui.ask(page, table, terms) for table in (tables.waterfall, tables.waterfall_basis, tables.waterfall_tiles))
    measure = choose_measure(page, rows)
    grain, on = choose_grain(page) if question in words.OVER_TIME else None, choose_day(page) if question == "day" else None
with above:
    ui.finding(words.finding(rows, basis, **money))
    ui.tiles(page, tiles, METRICS, notes=words.tile_notes(tiles))
queries = tables.queries(page.source, page.filters, terms)


def waterfall() -> None:
    drawn = ui.draw(page, figure.waterfall_bars, rows, measure=measure, **money)
    picked = ui.figure(page, drawn, queries=queries, selects=True, **words.about("waterfall"))
    named = labels.in_words(rows)
    chosen = ui.table(page, named, columns=labels.columns("waterfall", named), name="waterfall", selects=True)
    if step := words.chosen_step(named, picked, chosen):
        behind = labels.in_words(ui.ask(page, tables.waterfall_deals, terms, step))
        with ui.question(words.step_heading(step, behind)):
            ui.table(page, behind, columns=labels.columns("step_deals", behind), name="step_deals", search=True, opens_customer=True)


def periods() -> None:
    found = ui.ask(page, tables.period_changes, terms, grain)
    ui.finding(words.periods_finding(found, measure=measure, **money))
    if len(found):
        ui.figure(page, ui.draw(page, figure.period_bars, found, measure=measure, **money), queries=queries, **words.about("periods"))
    ui.table(page, of_measure(found, measure), columns=labels.period_columns(measure), name="by_period")


def day() -> None:
    found = ui.ask(page, tables.pipeline_on, terms, on)
    ui.finding(words.day_finding(found, basis, on, **money))
    asked = tables.day_queries(page.source, page.filters, terms, on)
    ui.figure(page, ui.draw(page, figure.stage_bars, found, measure=measure, **money), queries=asked, **words.about("day"))
    ui.table(page, labels.in_words(found), columns=labels.columns("on_day", labels.in_words(found)), name="on_day")


def trend() -> None:
    found = ui.ask(page, tables.pipeline_trend, terms, grain)
    ui.finding(words.trend_finding(found, measure=measure, **money))
    ui.figure(page, ui.draw(page, figure.trend_line, found, measure=measure, **money), queries=queries, **words.about("trend"))
    ui.table(page, found, columns=labels.columns("trend", found), name="trend")


{"waterfall": waterfall, "periods": periods, "day": day, "trend": trend}[question]()
ui.note(words.basis_note(basis))
