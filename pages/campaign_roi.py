"""Which campaigns pay?"""

import streamlit as st

from crm_metrics import ui
from crm_metrics.campaign_roi.credit import answers, figure, labels, tables, words
from crm_metrics.language import t
from crm_metrics.ui.credit_form import choose_compared, credit_form

page = ui.start_page("campaign_roi", needs_orders=False, narrows=False)
money, above = {"currency": page.currency}, st.container()
with st.container(horizontal=True):
    beside, terms = st.container(), credit_form(page)
campaigns, asked = ui.ask(page, tables.campaigns, terms), (page.source, page.filters, terms)
with above:
    ui.finding(words.finding(campaigns, **money))
with beside:
    ui.note(words.notes(campaigns, is_whole=tables.is_whole(page.filters)))
if campaigns.empty:
    st.stop()
ui.tiles(page, tiles := ui.ask(page, tables.tiles, terms), words.shown_metrics(tiles))


def side_by_side() -> None:
    drawn, rows = ui.draw(page, figure.campaign_dots, campaigns, **money), labels.in_words("campaigns", campaigns)
    picked = ui.figure(page, drawn, queries=tables.queries(*asked), selects=True, **words.about("campaigns", campaigns))
    chosen = ui.table(page, rows, columns=labels.columns("campaigns", rows), name="campaigns", selects=True)
    if campaign := labels.chosen_campaign(rows, picked, chosen):
        ui.open_page("campaign_result", campaign=campaign)


def adjusted() -> None:
    every, outcome = ui.ask(page, tables.adjusted), ui.tabs(page, labels.outcomes(), key="outcome")
    ui.finding(words.adjusted_finding(every, campaigns, outcome=outcome, **money))
    if every.empty:
        return
    st.warning(words.adjusted_warning(), icon=":material/warning:")
    drawn = ui.draw(page, figure.adjusted_dots, every, outcome=outcome, **money)
    ui.figure(page, drawn, queries=tables.queries(*asked, "adjusted"), **words.about("adjusted"))
    with ui.question(t("Are the two groups alike?")):
        balance, pair = choose_compared(page)
        ui.finding(words.balance_finding(balance, pair))
        ui.figure(page, ui.draw(page, figure.balance_dots, balance, pair=pair), **words.about("balance"))
    ui.table(page, rows := labels.in_words("adjusted", every), columns=labels.columns("adjusted", rows), name="adjusted")


def answer(question: str) -> None:
    one = answers.ANSWERS[question]
    rows = ui.ask(page, one.table, terms) if one.has_terms else ui.ask(page, one.table)
    options = one.options(rule=terms.rule, **money)
    ui.finding(one.find(rows, **options))
    if len(rows):
        ui.figure(page, ui.draw(page, one.draw, rows, **options), queries=tables.queries(*asked, question), **words.about(question))
        ui.table(page, shown := labels.in_words(question, rows), columns=labels.columns(question, shown), name=question)


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, words.questions(campaigns))
    {"campaigns": side_by_side, "adjusted": adjusted}.get(chosen, lambda: answer(chosen))()
