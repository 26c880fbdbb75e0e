"""Who looks after whom, and who is looked after by nobody?"""

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.pipeline.ownership import answers, figure, labels, tables, words
from crm_metrics.rooms import Table
from crm_metrics.ui.deal_form import choose, start_deal_page

page, terms = start_deal_page("ownership")
with page.bar:
    days = int(choose(page, t("Blind spots"), words.contact_days(), "contact_days"))
blind, asked = ui.ask(page, tables.blind_spots, terms, days), tables.queries(page.source, page.filters, terms)
ui.finding(words.finding(blind, currency=page.currency))
ui.tiles(page, ui.ask(page, tables.owner_tiles, terms, days), tables.METRICS)


def put(name: str, table: Table, *arguments: int, **options: bool) -> None:
    if len(shown := labels.in_words(name, ui.ask(page, table, terms, *arguments))):
        ui.table(page, shown, columns=labels.columns(name, shown), name=name, search=bool(options), opens_customer=bool(options))


def blind_spots() -> None:
    ui.note(words.blind_note(blind, ui.ask(page, tables.completeness, terms)))
    ui.figure(page, ui.draw(page, figure.blind_bars, blind), queries=asked, **words.about("blind_spots"))
    put("blind_spots", tables.blind_spots, days, of_customers=True)


def owners() -> None:
    ui.finding(words.owners_finding(rows := ui.ask(page, tables.owners, terms)))
    if len(rows):
        ui.figure(page, ui.draw(page, figure.owner_bars, rows, currency=page.currency), queries=asked, **words.about("owners"))
    put("owners", tables.owners)


def completeness() -> None:
    ui.finding(words.completeness_finding(fields := ui.ask(page, tables.completeness, terms)))
    ui.figure(page, ui.draw(page, figure.field_bars, fields), queries=asked, **words.about("completeness"))
    put("completeness", tables.completeness)


def service() -> None:
    ui.finding(words.service_finding(ui.ask(page, tables.handover, terms), ui.ask(page, tables.from_service, terms)))
    of_service = tables.service_queries(page.source, page.filters, terms)
    for name, one in answers.OF_SERVICE.items():
        if len(rows := ui.ask(page, one.drawn, terms)):
            ui.figure(page, ui.draw(page, one.draw, rows), queries=of_service, **words.about(name))
        for under, table in one.tables.items():
            put(under, table)


def listed(question: str) -> None:
    asked_for, find = answers.LISTS[question]
    ui.finding(find(*(ui.ask(page, table, terms) for table in asked_for)))
    put(question, asked_for[0], of_customers=True)


@ui.part
def questions() -> None:
    answered = {"blind_spots": blind_spots, "owners": owners, "completeness": completeness, "service": service}
    answered.get(chosen := ui.tabs(page, words.questions()), lambda: listed(chosen))()
