"""Where do deals stall?"""

from crm_metrics import ui
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.deals.words import basis_note, history_note
from crm_metrics.pipeline.funnel import figure, tables, words
from crm_metrics.pipeline.funnel.terms import FunnelTerms
from crm_metrics.ui.deal_form import start_deal_page
from crm_metrics.ui.funnel_form import choose_funnel, choose_grain, choose_groups, show

page, chosen_deals = start_deal_page("pipeline")
tiles, basis = ui.ask(page, deals_tables.tiles, chosen_deals), ui.ask(page, deals_tables.basis, chosen_deals)
every, money, asked = FunnelTerms(chosen_deals), {"currency": page.currency}, (page.source, page.filters)
ui.finding(words.finding(tiles, ui.ask(page, tables.funnel, every)))
ui.note(basis_note(basis))
ui.tiles(page, tiles, deals_tables.METRICS)


def funnel() -> None:
    rows = ui.ask(page, tables.funnel, terms := choose_funnel(page, chosen_deals))
    drawn = ui.draw(page, figure.funnel_bars, rows, terms, **money)
    picked = ui.figure(page, drawn, queries=tables.queries(*asked, terms), selects=True, **words.about("funnel"))
    ui.note(words.funnel_note(rows, terms))
    ui.note(history_note(basis))
    step = words.chosen_step(rows, picked, show(page, "funnel", rows, terms))
    if step and (kind := words.behind(step)):
        with ui.question(words.step_text(step, rows)):
            show(page, kind, ui.ask(page, tables.step_deals, terms, step), terms)


def moves() -> None:
    ways, rows = ui.ask(page, tables.detours, every), ui.ask(page, tables.moves, every)
    ui.finding(words.moves_finding(ways))
    ui.note(history_note(basis))
    if len(rows):
        ui.figure(page, ui.draw(page, figure.move_bars, rows), queries=tables.queries(*asked, every, "moves"), **words.about("moves"))
        show(page, "moves", rows, every)
        show(page, "detours", ways, every)


def by() -> None:
    rows = ui.ask(page, tables.funnel_by, terms := choose_groups(page, chosen_deals))
    ui.finding(words.by_finding(rows, terms, **money))
    drawn = ui.draw(page, figure.group_dots, rows, tiles, terms)
    picked = ui.figure(page, drawn, queries=tables.queries(*asked, terms, "by"), selects=True, **words.about("by"))
    if group := words.chosen_group(rows, picked, show(page, "by", rows, terms)):
        with ui.question(words.group_text(rows, group, terms)):
            show(page, "deals", ui.ask(page, tables.group_deals, terms, group), terms)


def won() -> None:
    rows = ui.ask(page, tables.won, terms := choose_grain(page, chosen_deals))
    ui.finding(words.won_finding(rows, terms, **money))
    ui.figure(
        page, ui.draw(page, figure.won_bars, rows, terms, **money), queries=tables.queries(*asked, terms, "won"), **words.about("won")
    )
    show(page, "won", rows, terms)


@ui.part
def questions() -> None:
    chosen, answers = ui.tabs(page, words.questions()), {"funnel": funnel, "moves": moves, "by": by, "won": won}
    if chosen in answers:
        answers[chosen]()
    else:
        show(page, "deals", ui.ask(page, deals_tables.deals, chosen_deals), every)
