"""What will the quarter bring, and were we right before?"""

from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.pipeline.deals.pipelines import deal_pipelines
from crm_metrics.pipeline.forecast import basis, figure, labels, tables, words
from crm_metrics.ui.deal_form import start_deal_page
from crm_metrics.ui.forecast_form import choose_quarter, keep_by_itself, kept_forecasts

page, deals = start_deal_page("sales_forecast")
terms, money = choose_quarter(page), {"currency": page.currency}
state, rows, tiles = (ui.ask(page, of, deals, terms) for of in (basis.forecast_basis, tables.forecast, tables.forecast_tiles))
ui.finding(words.finding(tiles, rows, state, **money))
ui.tiles(page, tiles, tables.METRICS, notes=words.tile_notes(state))
keep_by_itself(page, deals)


def forecast() -> None:
    found = ui.ask(page, tables.distribution, deals, terms)
    if len(found):
        drawn = ui.draw(page, figure.distribution_bars, found, rows, state, **money)
        ui.figure(page, drawn, queries=tables.queries(page.source, page.filters, deals, terms), **words.about("forecast"))
        ui.note(words.basis_note(state))
        ui.table(page, shown := labels.in_words(rows), columns=labels.columns("forecast", shown), name="forecast")
    else:
        seller()


def seller() -> None:
    sums = ui.ask(page, tables.SIDES[side := ui.tabs(page, words.sides(), key="side")], deals, terms)
    shown, names = labels.in_words(sums), labels.names(sums, side)
    ui.finding(words.seller_finding(sums, names))
    if words.has_values(sums):
        ui.figure(page, ui.draw(page, figure.quota_bars, sums, names, **money), **words.about("seller"))
    ui.table(page, shown, columns=labels.columns(side, shown), name=side, search=True)


def past() -> None:
    found, scores = ui.ask(page, basis.backtest, deals), ui.ask(page, tables.scores, deals)
    ui.finding(words.past_finding(found, scores))
    if len(found):
        ui.figure(page, ui.draw(page, figure.past_bands, found, **money), **words.about("past"))
        ui.table(page, scored := labels.in_words(scores), columns=labels.columns("scores", scored), name="scores")
        ui.table(page, shown := labels.in_words(found), columns=labels.columns("backtest", shown), name="backtest")
    with ui.question(t("Kept forecasts")):
        kept_forecasts(page, deals, terms)


def stages() -> None:
    names = labels.names(found := ui.ask(page, tables.stage_probabilities, deals), "stage")
    ui.finding(words.stages_finding(found, names))
    ui.note(words.stages_note(ui.ask(page, deal_pipelines, deals)))
    if len(found):
        ui.figure(page, ui.draw(page, figure.stage_dots, found, names), **words.about("stages"))
        ui.table(page, shown := labels.in_words(found), columns=labels.columns("stages", shown), name="stages")


@ui.part
def questions() -> None:
    {"forecast": forecast, "seller": seller, "past": past, "stages": stages}[ui.tabs(page, words.questions())]()
