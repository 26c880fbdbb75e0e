"""What will our customers be worth?"""

import streamlit as st

from crm_metrics import lifetime_value as room
from crm_metrics import ui
from crm_metrics.language import t, translated

page = ui.start_page("lifetime_value", compares=False)
gate, above = ui.ask(page, room.data_gate_table), st.container()
with st.container(horizontal=True, vertical_alignment="center"):
    with st.popover(t("Horizon and discount"), icon=":material/schedule:"):
        months = st.number_input(t("Months ahead"), 1, 120, 12, key="horizon", bind="query-params")
        percent = st.number_input(t("Discount, % a year"), 0.0, 50.0, 10.0, step=1.0, key="discount", bind="query-params")
    terms = room.Terms.of_percent(months, percent)
    ui.note(room.basis_note(gate, terms))
with above:
    tiles, queries = ui.ask(page, room.tiles, terms), room.queries(page.source, page.filters)
    ui.finding(room.finding(tiles, gate, terms, currency=page.currency))
    ui.tiles(page, tiles, room.shown_metrics(tiles), notes=room.tile_notes(gate, terms))
if not room.has_forecast(gate):
    ui.figure(page, ui.draw(page, room.repeat_bars, ui.ask(page, room.repeat_counts)), queries=queries, **room.about("repeat_counts"))
    st.stop()


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, translated(room.QUESTIONS))
    if chosen == "worth":
        distribution, segments = ui.ask(page, room.distribution, terms), ui.ask(page, room.value_by_segment, terms)
        ui.finding(room.worth_finding(ui.ask(page, room.value_held, terms)))
        drawn = ui.draw(page, room.distribution_bars, distribution, currency=page.currency)
        ui.figure(page, drawn, queries=queries, **room.about("distribution"))
        for kind, heading in room.segment_kinds(segments).items():
            with ui.question(heading):
                ui.figure(page, ui.draw(page, room.segment_bars, segments, kind=kind, currency=page.currency), **room.about(kind))
    elif chosen == "trust":
        totals, asked = ui.ask(page, room.holdout), room.holdout_queries(page.source, page.filters)
        ui.finding(room.trust_finding(totals, gate))
        if len(totals):
            ui.note(room.grade_note(totals))
            bins, weeks = ui.ask(page, room.holdout_by_frequency), ui.ask(page, room.holdout_cumulative)
            ui.figure(page, ui.draw(page, room.holdout_bins, bins), queries=asked, **room.about("holdout"))
            with ui.question(t("Does it keep up over time?")):
                ui.figure(page, ui.draw(page, room.holdout_tracking, weeks), queries=asked[2:], **room.about("tracking"))
            ui.table(page, room.holdout_in_words(totals), columns=room.columns("holdout", totals), name="holdout")
    elif chosen == "alive":
        ui.finding(room.alive_finding(ui.ask(page, room.one_time_buyers), gate))
        ui.figure(page, ui.draw(page, room.alive_lines, ui.ask(page, room.alive)), queries=queries, **room.about("alive"))
    elif chosen == "model":
        parameters = ui.ask(page, room.parameters)
        ui.finding(room.correlation_note(gate))
        ui.note(room.parameters_note(parameters))
        ui.table(page, room.parameters_in_words(parameters), columns=room.columns("parameters", parameters), name="parameters", height=570)
    else:
        customers = ui.ask(page, room.customers, terms)
        ui.note(room.remark("customers"))
        ui.table(
            page, customers, columns=room.columns("customers", customers), name="customers", opens_customer=True, search=True, height=560
        )
