"""Who brings what, and did the CRM change it?"""

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.pipeline.deals import tables as deal_tables
from crm_metrics.pipeline.people import answers, figure, labels, tables, words
from crm_metrics.pipeline.people.metrics import METRICS
from crm_metrics.ui.deal_form import start_deal_page
from crm_metrics.ui.people_form import choose_go_live, choose_role

page, terms = start_deal_page("sales_people")
tiles, everybody = ui.ask(page, tables.people_tiles, terms), ui.ask(page, tables.people_detail, terms)
asked = tables.queries(page.source, page.filters, terms)
ui.finding(words.finding(everybody))
ui.note(words.basis_note(tiles, ui.ask(page, deal_tables.basis, terms)))
ui.tiles(page, tiles, METRICS)


def people() -> None:
    rows = ui.ask(page, tables.people_detail, terms, choose_role(page, words.roles(everybody)))
    ui.note(words.rank_note(rows))
    picked = ui.figure(page, ui.draw(page, figure.win_rate_dots, rows), queries=asked, selects=True, **words.about("people"))
    chosen = ui.table(page, shown := labels.in_words(rows), columns=labels.columns("people", shown), name="people", selects=True)
    if owner := labels.chosen_person(rows, picked, chosen):
        ui.open_page("pipeline", owner=owner)


def before_after() -> None:
    go_live = choose_go_live(page, ui.ask(page, tables.stated_go_live))
    rows, published = ui.ask(page, tables.before_after, terms, go_live), ui.ask(page, tables.cases, terms, go_live)
    if go_live.on:
        ui.finding(words.change_finding(rows, go_live.on))
        ui.note(words.caution())
        ui.figure(page, ui.draw(page, figure.change_dots, rows, published), **words.about("before_after"))
        ui.table(page, shown := labels.changes_in_words(rows), columns=labels.columns("before_after", shown), name="before_after")
    with ui.question(t("How far did others come?")):
        ui.table(page, shown := labels.cases_in_words(published), columns=labels.columns("cases", shown), name="cases")
    with ui.question(t("How long does it take to enter an order?")):
        months = ui.ask(page, tables.order_entry)
        ui.note(words.entry_finding(months))
        if len(months):
            ui.figure(page, ui.draw(page, figure.entry_lines, months, go_live_on=go_live.on), **words.about("order_entry"))
            ui.table(page, months, columns=labels.columns("order_entry", months), name="order_entry")


def answer(question: str) -> None:
    one = answers.ANSWERS[question]
    rows, options = ui.ask(page, one.table, terms), one.options(page.currency)
    ui.finding(one.find(rows, **options))
    if len(rows):
        ui.figure(page, ui.draw(page, one.draw, rows, **options), queries=asked, **words.about(question))
        ui.table(page, shown := labels.in_words(rows), columns=labels.columns(one.name, shown), name=one.name)
    if one.under and len(under := ui.ask(page, one.under, terms)):
        ui.note(words.task_wins_note(under))
        ui.table(page, under, columns=labels.columns("task_wins", under), name="task_wins")


@ui.part
def questions() -> None:
    {"people": people, "before_after": before_after}.get(chosen := ui.tabs(page, words.questions()), lambda: answer(chosen))()
