"""Who behaves alike, and are the satisfied ones loyal?"""

import streamlit as st

from crm_metrics import segmentation as room
from crm_metrics import ui
from crm_metrics.language import t, translated

page = ui.start_page("clusters", compares=False)


def clusters() -> None:
    above, numbers = st.container(), room.cluster_numbers()
    number = st.selectbox(t("Clusters"), list(numbers), format_func=numbers.__getitem__, key="clusters", bind="query-params", width=260)
    terms = room.ClusterTerms(int(number))
    rows, basis = ui.ask(page, room.clusters, terms), ui.ask(page, room.cluster_basis, terms)
    with above:
        ui.finding(room.cluster_finding(rows, basis))
        ui.note(room.cluster_trust(basis))
        ui.tiles(page, ui.ask(page, room.cluster_tiles, terms), room.CLUSTER_METRICS)
    if not room.has_clusters(basis):
        return
    drawn = ui.draw(page, room.cluster_matrix, rows, ui.ask(page, room.cluster_profile, terms), currency=page.currency)
    picked = ui.figure(page, drawn, queries=room.cluster_queries(page.source, page.filters), selects=True, **room.group_about("clusters"))
    chosen = ui.table(
        page, named := room.clusters_in_words(rows), columns=room.group_columns("clusters", named), name="clusters", selects=True
    )
    if found := room.chosen_clusters(rows, picked, chosen):
        with ui.question(room.clusters_text(rows, found)):
            people = room.of_clusters(ui.ask(page, room.cluster_customers, terms), found)
            ui.table(page, people, columns=room.group_columns("members", people), name="members", opens_customer=True, search=True)
    with ui.question(t("How many clusters are there, and would they be found again?")):
        ui.figure(page, ui.draw(page, room.criteria_lines, ui.ask(page, room.cluster_criteria, terms)), **room.group_about("criteria"))


def axes() -> None:
    above, usual = st.container(), room.answer_range(ui.ask(page, room.axes_basis))
    with st.popover(t("Cut points"), icon=":material/straighten:"):
        answers = st.slider(t("Middling and satisfied from answers of"), *usual.limits, usual.cuts, 0.5, key="answers", bind="query-params")
        orders = st.number_input(t("Loyal from, orders"), 2, 1000, 4, key="loyal_orders", bind="query-params")
        days = st.number_input(t("Loyal up to, days since last order"), 1, 9999, 365, key="loyal_days", bind="query-params")
        percent = st.number_input(t("Earns most: the top, % of customers"), 1.0, 99.0, 20.0, key="best_percent", bind="query-params")
    terms = room.AxesTerms.of_inputs(answers, orders, days, percent)
    cells, basis = ui.ask(page, room.axes, terms), ui.ask(page, room.axes_basis, terms)
    with above:
        ui.finding(room.axes_finding(cells, basis, currency=page.currency))
        ui.tiles(page, ui.ask(page, room.axes_tiles, terms), room.AXES_METRICS)
        ui.note(room.axes_note(basis))
    drawn, named = ui.draw(page, room.axes_bars, cells, currency=page.currency), room.axes_in_words(cells)
    picked = ui.figure(page, drawn, queries=room.axes_queries(page.source, page.filters), selects=True, **room.group_about("axes"))
    chosen = ui.table(page, named, columns=room.axes_columns("axes", named, basis), name="axes", selects=True)
    if found := room.chosen_cells(cells, picked, chosen):
        with ui.question(room.cells_text(found)):
            people = room.of_cells(ui.ask(page, room.axes_customers, terms), found)
            ui.table(page, people, columns=room.axes_columns("cell", people, basis), name="cell", opens_customer=True, search=True)


@ui.part
def questions() -> None:
    {"clusters": clusters, "axes": axes}[ui.tabs(page, translated(room.GROUP_QUESTIONS))]()
