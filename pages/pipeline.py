"""Where do deals stall?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.deals.pipelines import deal_pipelines
from crm_metrics.pipeline.funnel import figure, tables, words
from crm_metrics.pipeline.funnel.terms import FunnelTerms
from crm_metrics.ui.deal_form import start_deal_page
from crm_metrics.ui.funnel_form import choose_question, explore, picture, show

page, deals = start_deal_page("pipeline")
tiles, basis, money = ui.ask(page, deals_tables.tiles, deals), ui.ask(page, deals_tables.basis, deals), {"currency": page.currency}
ui.finding(words.finding(tiles, ui.ask(page, tables.funnel_detail, FunnelTerms(deals))))
ui.note(words.page_note(basis, ui.ask(page, deal_pipelines, deals)))
ui.tiles(page, tiles, deals_tables.METRICS)


def funnel(terms: FunnelTerms) -> None:
    rows, detail = ui.ask(page, tables.funnel, terms), ui.ask(page, tables.funnel_detail, terms)
    ui.note(words.funnel_note(rows, detail, terms))
    explore(page, "funnel", ui.draw(page, figure.funnel_bars, rows, detail, terms, **money), rows, terms=terms)
    show(page, "detail", detail, terms)


def groups(terms: FunnelTerms) -> None:
    rows, total = ui.ask(page, tables.funnel_groups, terms), ui.ask(page, tables.funnel, terms)
    ui.finding(words.groups_finding(rows, terms))
    ui.note(words.groups_note(rows, terms))
    if len(rows):
        explore(page, "groups", ui.draw(page, figure.group_map, rows, total, terms, **money), rows, terms=terms)


def moves(terms: FunnelTerms) -> None:
    ways, rows = ui.ask(page, tables.detours, terms), ui.ask(page, tables.moves, terms)
    ui.finding(words.moves_finding(ways, basis))
    if len(rows):
        picture(page, "moves", ui.draw(page, figure.move_bars, rows), terms)
        show(page, "moves", rows, terms)
        show(page, "detours", ways, terms)


def by(terms: FunnelTerms) -> None:
    ui.finding(words.by_finding(rows := ui.ask(page, tables.funnel_by, terms), terms, **money))
    if len(rows):
        explore(page, "by", ui.draw(page, figure.group_dots, rows, tiles, terms), rows, terms=terms)


def won(terms: FunnelTerms) -> None:
    rows = ui.ask(page, tables.won, terms)
    ui.finding(words.won_finding(rows, terms, **money))
    picture(page, "won", ui.draw(page, figure.won_bars, rows, terms, **money), terms)
    show(page, "won", rows, terms)


@ui.part
def questions() -> None:
    chosen, terms = choose_question(page, deals)
    asked = {"funnel": funnel, "groups": groups, "moves": moves, "by": by, "won": won}
    asked.get(chosen, lambda terms: show(page, "deals", ui.ask(page, deals_tables.deals, deals), terms))(terms)
