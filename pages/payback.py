"""When has a customer paid back, and what is more retention worth?"""

from crm_metrics import ui
from crm_metrics.retention.worth import figure, labels, tables, words
from crm_metrics.retention.worth.answers import ANSWERS

page = ui.start_page("payback", compares=False)
money, basis = {"currency": page.currency}, ui.ask(page, tables.payback_basis)
tiles = ui.ask(page, tables.payback_tiles)
ui.finding(words.finding(ui.ask(page, tables.payback_months), basis, **money))
ui.tiles(page, tiles, words.shown_metrics(tiles))
ui.note(words.basis_note(basis))


def payback(by: str) -> None:
    group = words.chosen_by(by)
    ages, months = ui.ask(page, tables.payback, group), ui.ask(page, tables.payback_months, group)
    if text := words.payback_finding(months, by=by):
        ui.finding(text)
    if words.has_lines(ages):
        drawn = ui.draw(page, figure.payback_lines, ages, by=by, measure=words.measure_name(basis), **money)
        ui.figure(page, drawn, queries=tables.queries(page.source, page.filters, group), **words.about("payback"))
    named, lines = labels.in_words(months, by), labels.in_words(ages, by)
    ui.table(page, named, columns=labels.columns("quality", named), name="payback_months")
    ui.table(page, lines, columns=labels.columns("payback", lines), name="payback_ages")


def answer(question: str) -> None:
    one = ANSWERS[question]
    rows = ui.ask(page, one.table)
    ui.finding(one.find(rows, **money))
    if words.has_rows(rows):
        drawn = ui.draw(page, one.draw, ui.ask(page, one.drawn), **(money if one.has_money else {}))
        ui.figure(page, drawn, queries=one.queries(page.source, page.filters), **words.about(question))
    if len(rows):
        named = labels.in_words(rows, one.by)
        ui.table(page, named, columns=labels.columns(one.columns, named), name=question)


@ui.part
def questions() -> None:
    if (chosen := ui.tabs(page, words.questions(basis))) in ANSWERS:
        answer(chosen)
    else:
        payback(ui.tabs(page, words.bys(basis), key="by"))
