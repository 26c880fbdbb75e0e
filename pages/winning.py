"""What do won deals have in common, and why were others lost?"""

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.pipeline.winning import answers, figure, labels, tables, words
from crm_metrics.rooms import Table
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("winning")
tiles, reasons, basis = (ui.ask(page, table, terms) for table in (tables.win_tiles, tables.lost_reasons, tables.deal_basis))
asked = tables.queries(page.source, page.filters, terms)
ui.finding(words.finding(tiles, reasons, page.currency))
ui.note(words.missing_note(tiles, basis))
ui.tiles(page, tiles, words.shown_metrics(tiles), notes=words.tile_notes(reasons))


def put(name: str, table: Table, **options: bool) -> None:
    shown = labels.in_words(name, ui.ask(page, table, terms))
    ui.table(page, shown, columns=labels.columns(name, shown), name=name, search=bool(options), opens_customer=bool(options))


def lost() -> None:
    ui.note(words.reasons_note(reasons))
    if words.names_reasons(reasons):
        ui.figure(page, ui.draw(page, figure.reason_bars, reasons), queries=asked, **words.about("reasons"))
        put("reasons", tables.lost_reasons)
        with ui.question(t("Do the reasons change?")):
            ui.figure(page, ui.draw(page, figure.reason_trend, ui.ask(page, tables.lost_trend, terms)), **words.about("trend"))
            put("trend", tables.lost_trend)
        with ui.question(t("Do they differ by the stage a deal is lost in?")):
            put("stages", tables.lost_stages)


def model() -> None:
    found, bins = ui.ask(page, tables.win_model, terms), ui.ask(page, tables.reliability, terms)
    ui.finding(words.model_finding(found))
    ui.note(words.model_note(found))
    if len(bins):
        ui.figure(page, ui.draw(page, figure.reliability_curve, bins), queries=asked, **words.about("model"))
        put("reliability", tables.reliability)
    if len(scores := ui.ask(page, tables.open_scores, terms)):
        with ui.question(t("Which open deals are likely to be won?")):
            ui.note(words.scores_note(scores))
            put("scores", tables.open_scores, of_customers=True)


def answer(question: str) -> None:
    one = answers.ANSWERS[question]
    ui.finding(one.find(ui.ask(page, one.table, terms)))
    if len(rows := ui.ask(page, one.drawn, terms)) and one.is_known(rows):
        ui.note(one.note(rows))
        ui.figure(page, ui.draw(page, one.draw, rows), queries=asked, **words.about(question))
        for name, table in one.tables.items():
            put(name, table)


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, words.questions(tiles, basis))
    {"reasons": lost, "model": model}.get(chosen, lambda: answer(chosen))()
