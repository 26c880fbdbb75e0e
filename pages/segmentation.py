"""Who are our customers?"""

import streamlit as st

from crm_metrics import segmentation as room
from crm_metrics import ui
from crm_metrics.language import t, translated
from crm_metrics.ui.rfm_form import rfm_terms

page = ui.start_page("segmentation", compares=False)
above = st.container()
terms = rfm_terms(page)
tiles, segments, basis = ui.ask(page, room.tiles, terms), ui.ask(page, room.segments, terms), ui.ask(page, room.basis)
queries = room.queries(page.source, page.filters)
with above:
    ui.finding(room.finding(segments, basis, currency=page.currency))
    ui.tiles(page, tiles, room.RFM_METRICS, notes=room.tile_notes(segments, ui.ask(page, room.lapse, terms)))


def movement() -> None:
    from_on = st.date_input(t("Compared with the day"), None, *page.held, key="from_on", bind="query-params", width=220)
    moves, totals = ui.ask(page, room.movement, terms, from_on), ui.ask(page, room.movement_totals, terms, from_on)
    ui.finding(room.movement_finding(moves, totals))
    if not room.has_moves(totals):
        return
    ui.figure(page, ui.draw(page, room.movement_flow, moves, **room.days(totals)), queries=queries, **room.about("flow"))
    with ui.question(t("Where did they go?")):
        ui.figure(page, ui.draw(page, room.movement_matrix, moves, **room.days(totals)), **room.about("matrix"))
        ui.table(page, named := room.in_words(moves), columns=room.columns("movement", named), name="movement")


@ui.part
def questions() -> None:
    question = ui.tabs(page, translated(room.QUESTIONS))
    if question == "segments":
        drawn = ui.draw(page, room.segment_map, segments, ui.ask(page, room.cut_points, terms))
        picked = ui.figure(page, drawn, queries=queries, selects=True, **room.about("segments"))
        ui.note(room.basis_note(basis))
        rows = ui.table(page, advised := room.advised(segments), columns=room.columns("segments", advised), name="segments", selects=True)
        if names := room.chosen(segments, picked, rows):
            with ui.question(room.chosen_text(names)):
                found = room.of_segments(ui.ask(page, room.customers, terms), names)
                ui.table(page, found, columns=room.columns("customers", found), name="members", opens_customer=True, search=True)
                rule = room.rule_of(names, ui.ask(page, room.cuts, terms))
                ui.save_segment(page, rule, customers=len(found), suggested=room.names_text(names))
                ui.note(room.rule_note(rule))
    elif question == "movement":
        movement()
    elif question == "lapse":
        gaps, lapse = ui.ask(page, room.gaps, terms), ui.ask(page, room.lapse, terms)
        ui.finding(room.lapse_finding(lapse))
        ui.note(room.lapse_note(lapse))
        if len(gaps):
            asked = room.gap_queries(page.source, page.filters)
            ui.figure(page, ui.draw(page, room.lapse_bars, gaps, lapse), queries=asked, **room.about("lapse"))
            ui.table(page, gaps, columns=room.columns("lapse", gaps), name="lapse")
    else:
        ui.note(room.remark("customers"))
        found = room.in_words(ui.ask(page, room.customers, terms))
        ui.table(page, found, columns=room.columns("customers", found), name="customers", opens_customer=True, search=True, height=560)
