"""Where do deals stall?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.deals.words import basis_note, history_note
from crm_metrics.pipeline.funnel import figure, tables, words
from crm_metrics.pipeline.funnel.terms import FunnelTerms
from crm_metrics.ui.deal_form import start_deal_page
from crm_metrics.ui.funnel_form import choose_question, picture, show, show_behind

page, deals = start_deal_page("pipeline")
tiles, basis, money = ui.ask(page, deals_tables.tiles, deals), ui.ask(page, deals_tables.basis, deals), {"currency": page.currency}
ui.finding(words.finding(tiles, ui.ask(page, tables.funnel, FunnelTerms(deals))))
ui.note(basis_note(basis))
ui.tiles(page, tiles, deals_tables.METRICS)


def funnel(terms: FunnelTerms) -> None:
    rows = ui.ask(page, tables.funnel, terms)
    picked = picture(page, "funnel", ui.draw(page, figure.funnel_bars, rows, terms, **money), terms)
    ui.note(words.funnel_note(rows, basis, terms))
    step = words.chosen_step(rows, picked, show(page, "funnel", rows, terms))
    if step and (kind := words.behind(step)):
        show_behind(page, words.step_text(step, rows), kind, ui.ask(page, tables.step_deals, terms, step), terms=terms)


def moves(terms: FunnelTerms) -> None:
    ways, rows = ui.ask(page, tables.detours, terms), ui.ask(page, tables.moves, terms)
    ui.finding(words.moves_finding(ways))
    ui.note(history_note(basis))
    if len(rows):
        picture(page, "moves", ui.draw(page, figure.move_bars, rows), terms)
        show(page, "moves", rows, terms)
        show(page, "detours", ways, terms)


def by(terms: FunnelTerms) -> None:
    rows = ui.ask(page, tables.funnel_by, terms)
    ui.finding(words.by_finding(rows, terms, **money))
    picked = picture(page, "by", ui.draw(page, figure.group_dots, rows, tiles, terms), terms)
    if group := words.chosen_group(rows, picked, show(page, "by", rows, terms)):
        show_behind(page, words.group_text(rows, group, terms), "deals", ui.ask(page, tables.group_deals, terms, group), terms=terms)


def won(terms: FunnelTerms) -> None:
    rows = ui.ask(page, tables.won, terms)
    ui.finding(words.won_finding(rows, terms, **money))
    picture(page, "won", ui.draw(page, figure.won_bars, rows, terms, **money), terms)
    show(page, "won", rows, terms)


@ui.part
def questions() -> None:
    chosen, terms = choose_question(page, deals)
    if chosen == "deals":
        show(page, "deals", ui.ask(page, deals_tables.deals, deals), terms)
    else:
        {"funnel": funnel, "moves": moves, "by": by, "won": won}[chosen](terms)
