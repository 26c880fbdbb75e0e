"""What will our customers be worth?"""

import streamlit as st

from crm_metrics import lifetime_value as room
from crm_metrics import ui
from crm_metrics.language import t


def trust() -> None:
    totals, bins = ui.ask(page, room.holdout), ui.ask(page, room.holdout_by_frequency)
    ui.finding(room.trust_finding(totals, gate))
    if totals.empty:
        return
    ui.note(room.grade_note(totals))
    figure, notes = ui.draw(page, room.holdout_bins, bins), room.remark("holdout")
    asked = room.holdout_queries(page.source, page.filters)
    ui.figure(page, figure, name="holdout", alt=room.alt("holdout"), metrics=(room.HOLDOUT_ERROR,), queries=asked, notes=notes)
    with ui.question(t("Does it keep up over time?")):
        figure = ui.draw(page, room.holdout_tracking, ui.ask(page, room.holdout_cumulative))
        ui.figure(page, figure, name="tracking", alt=room.alt("tracking"), queries=asked[2:])
    ui.table(page, room.holdout_in_words(totals), columns=room.headings(room.HOLDOUT_COLUMNS, totals), name="holdout")


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
    figure = ui.draw(page, room.repeat_bars, ui.ask(page, room.repeat_counts))
    ui.figure(page, figure, name="repeat_counts", alt=room.alt("repeat_counts"), queries=queries)
    st.stop()


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, {name: t(label) for name, label in room.QUESTIONS.items()})
    if chosen == "worth":
        distribution, segments = ui.ask(page, room.distribution, terms), ui.ask(page, room.value_by_segment, terms)
        ui.finding(room.worth_finding(ui.ask(page, room.value_held, terms)))
        figure, notes = ui.draw(page, room.distribution_bars, distribution, currency=page.currency), room.remark("value")
        ui.figure(page, figure, name="distribution", alt=room.alt("distribution"), metrics=room.METRICS[:4], queries=queries, notes=notes)
        for kind, heading in room.segment_kinds(segments).items():
            with ui.question(heading):
                figure = ui.draw(page, room.segment_bars, segments, kind=kind, currency=page.currency)
                ui.figure(page, figure, name=kind, alt=room.alt("segments"), notes=room.remark("segment"))
    elif chosen == "trust":
        trust()
    elif chosen == "alive":
        ui.finding(room.alive_finding(ui.ask(page, room.one_time_buyers), gate))
        figure = ui.draw(page, room.alive_lines, ui.ask(page, room.alive))
        ui.figure(page, figure, name="alive", alt=room.alt("alive"), queries=queries, notes=room.remark("alive"))
    elif chosen == "model":
        parameters = ui.ask(page, room.parameters)
        ui.finding(room.correlation_note(gate))
        ui.note(room.parameters_note(parameters))
        parameters, columns = room.parameters_in_words(parameters), room.headings(room.PARAMETER_COLUMNS, parameters)
        ui.table(page, parameters, columns=columns, name="parameters", height=570)
    else:
        ui.note(room.remark("customers"))
        columns = room.headings(room.CUSTOMER_COLUMNS, customers := ui.ask(page, room.customers, terms))
        ui.table(page, customers, columns=columns, name="customers", opens_customer=True, search=True, height=560)
