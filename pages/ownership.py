"""Who looks after whom, and who is looked after by nobody?"""

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.pipeline.ownership import answers, due_tables, due_words, figure, labels, tables, words
from crm_metrics.pipeline.ownership.metrics import OWNER_METRICS, REPURCHASE_METRICS
from crm_metrics.rooms import Table
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("ownership")
with page.bar:
    days = int(ui.choose(page, t("Blind spots"), words.contact_days(), "contact_days"))
blind, asked = ui.ask(page, tables.blind_spots, terms, days), tables.queries(page.source, page.filters, terms)
ui.finding(words.finding(blind, currency=page.currency))
ui.tiles(page, ui.ask(page, tables.owner_tiles, terms, days), OWNER_METRICS)


def put(name: str, table: Table, *arguments: int | str, of_customers: bool = False) -> None:
    if len(shown := labels.in_words(name, ui.ask(page, table, terms, *arguments))):
        ui.table(page, shown, columns=labels.columns(name, shown), name=name, search=of_customers, opens_customer=of_customers)


def blind_spots() -> None:
    ui.note(words.blind_note(blind, ui.ask(page, tables.completeness, terms)))
    ui.figure(page, ui.draw(page, figure.blind_bars, blind), queries=asked, **words.about("blind_spots"))
    put("blind_spots", tables.blind_spots, days, of_customers=True)


def due() -> None:
    shown, basis, check, late = (ui.ask(page, table, terms) for table in answers.OF_DUE)
    ui.finding(due_words.finding(shown, basis, currency=page.currency))
    if len(shown):
        ui.note(due_words.note(basis, check))
        ui.tiles(page, shown, REPURCHASE_METRICS)
        made = due_tables.queries(page.source, page.filters)
        ui.figure(page, ui.draw(page, figure.lateness_bars, late), queries=made, **words.about("due"))
        put("repurchase_due", due_tables.repurchase_due, ui.choose(page, t("Customers"), due_words.states(), "listed"), of_customers=True)
        with ui.question(t("How right was this a month ago?")):
            put("repurchase_check", due_tables.repurchase_check)


def answer(question: str) -> None:
    one = answers.ANSWERS[question]
    ui.finding(one.find(*(ui.ask(page, table, terms) for table in one.told)))
    made = one.queries(page.source, page.filters, terms)
    for part, shown in one.parts:
        if part and len(rows := ui.ask(page, part.drawn, terms)):
            ui.figure(page, ui.draw(page, part.draw, rows, **part.options(page.currency)), queries=made, **words.about(part.name))
        for name, table in shown.items():
            put(name, table, of_customers=not part)


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, words.questions())
    {"blind_spots": blind_spots, "due": due}.get(chosen, lambda: answer(chosen))()
