"""Who is this customer?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.customer_360 import TILES, figure, gather, query, statistic, words
from crm_metrics.language import date_text, t

page = ui.start_page("customer", narrows=False)
ask_for = t("Find a customer by number or name")
typed = st.text_input(
    ask_for, key=f"find_{page.filters.customer}", placeholder=ask_for, icon=":material/search:", label_visibility="collapsed"
)
if typed or not page.filters.customer:
    found = ui.ask(page, gather.matches, typed)
    if meant := gather.only_match(found, typed):
        ui.open_page("customer", customer=meant)
    ui.note(words.found_text(found, typed))
    ui.table(page, found, name="found_customers", columns=words.known_columns(found, *words.FOUND), opens_customer=True)
    st.stop()

profile, due = (ui.ask(page, table).iloc[0] for table in (gather.profile, gather.next_order))
tiles, orders = (ui.ask(page, table) for table in (gather.tiles, gather.orders))
ui.finding(words.finding(profile, tiles, due, currency=page.currency))
ui.note(t("All orders of this customer up to {day}.", day=date_text(page.filters.today)))
ui.tiles(page, tiles, TILES)

left, right = st.columns([3, 2], gap="large")
with left, ui.question(t("Still a customer?")):
    alive, value = ui.ask(page, gather.alive), ui.ask(page, gather.value).iloc[0]
    if len(orders):
        ui.figure(
            page,
            ui.draw(page, figure.alive_figure, alive) if len(alive) else ui.draw(page, figure.orders_figure, orders),
            name="history",
            alt=words.figure_alt(alive),
            metrics=(statistic.PROBABILITY_ALIVE, statistic.EXPECTED_VALUE) if len(alive) else (statistic.NET_REVENUE,),
            queries=(query.customer_orders(gather.whole_history(page.filters, page.held.end)),),
        )
        ui.note(words.figure_notes(alive, value))
    ui.note(words.value_sentence(value, currency=page.currency))
with right, ui.question(t("Profile")):
    in_words = words.profile_in_words(profile, currency=page.currency)
    st.table(in_words.set_index("attribute"), border="horizontal", hide_header=True)
    ui.note(words.unknown_in_words(profile))
    if len(habits := ui.ask(page, gather.habits)):
        st.caption(t("Habits"))
        st.table(words.habits_in_words(habits, currency=page.currency).set_index("attribute"), border="horizontal", hide_header=True)
with ui.question(t("Orders and returns")):

    @ui.part
    def orders_and_lines() -> None:
        shown = words.known_columns(orders, *words.ORDERS)
        chosen = ui.table(page, words.kinds_in_words(orders, "order_kind"), name="orders", columns=shown, selects=True)
        ui.note(t("Choose an order to see its lines."))
        if chosen:
            lines = statistic.lines_of(ui.ask(page, gather.order_lines), orders, chosen)
            shown = words.known_columns(lines, *words.LINES)
            ui.table(page, words.kinds_in_words(lines, "line_kind"), name="order_lines", columns=shown)
