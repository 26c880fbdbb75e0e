"""Whom shall we speak to, and how shall we know that it worked?"""

import streamlit as st

from crm_metrics import audience as room
from crm_metrics import ui
from crm_metrics.language import t, translated

page = ui.start_page("audience", narrows=False)
currency = page.currency


def build() -> None:
    above, rule = st.container(), ui.rule_form(page)
    tiles = ui.ask(page, room.tiles, rule)
    with above:
        ui.finding(room.finding(tiles, currency=currency))
        ui.tiles(page, tiles, room.METRICS)
    ui.save_segment(page, rule, customers=room.customer_count(tiles))
    with ui.question(t("Audience: who may be contacted")):
        ui.note(room.audience_note(tiles, ui.ask(page, room.attributes)))
        found = ui.ask(page, room.contacts, rule)
        ui.table(page, found, columns=room.columns("contacts", found), name="audience", opens_customer=True, search=True)
    with st.expander(t("All customers of the segment")):
        every = ui.ask(page, room.people, rule)
        ui.table(page, every, columns=room.columns("people", every), name="people", opens_customer=True)


def compare() -> None:
    above = st.container()
    with st.container(horizontal=True):
        first = ui.choose_segment(page, t("First segment"), key="compare_first", built=ui.built_rule())
        second = ui.choose_segment(page, t("Second segment"), key="compare_second", others_of=first)
    pair = room.pair_of((first, second))
    found, shared = ui.ask(page, room.differences, pair), ui.ask(page, room.overlap, pair)
    with above:
        ui.finding(room.differences_finding(found, first.name, second.name, currency=currency))
    if len(found):
        drawn = ui.draw(page, room.difference_dots, found, currency=currency)
        ui.figure(page, drawn, queries=room.pair_queries(page.filters, pair), **room.about("differences"))
    with ui.question(t("Are they the same customers?")):
        ui.note(room.overlap_sentence(shared, first.name, second.name))
        ui.figure(page, ui.draw(page, room.overlap_bar, shared, first=first.name, second=second.name), **room.about("overlap"))
    shown = room.differences_in_words(found, currency=currency)
    ui.table(page, shown, columns=room.columns("differences", shown), name="differences")


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, translated(room.QUESTIONS))
    if chosen == "build":
        build()
    elif chosen == "compare":
        compare()
    elif chosen == "test":
        ui.plan_test(page, ui.choose_segment(page, t("Audience"), key="test_segment", built=ui.built_rule()))
    else:
        ui.saved_lists(page)
