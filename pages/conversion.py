"""How many are won in the end, and how long does it take?"""

from crm_metrics import ui
from crm_metrics.pipeline.conversion import figure, labels, tables, words
from crm_metrics.pipeline.conversion.terms import CohortBy
from crm_metrics.pipeline.deals.pipelines import deal_pipelines
from crm_metrics.ui.conversion_form import choose_question
from crm_metrics.ui.deal_form import start_deal_page

page, terms = start_deal_page("conversion")
tiles, basis, times = (ui.ask(page, table, terms) for table in (tables.conversion_tiles, tables.conversion_basis, tables.stage_times))
closed, money, asked = ui.ask(page, tables.cycle, terms), {"currency": page.currency}, (page.source, page.filters, terms)
ui.finding(words.finding(tiles))
ui.note(words.basis_note(basis, ui.ask(page, deal_pipelines, terms)))
ui.tiles(page, tiles, words.shown_metrics(tiles), notes=words.tile_notes(tiles, times, closed, **money))


def cohorts(question: str, by: CohortBy) -> None:
    curve_of, rows_of, _ = tables.BY_COHORT[question]
    curve, rows = ui.ask(page, curve_of, terms, by), ui.ask(page, rows_of, terms, by)
    ui.note(words.cohort_finding(rows, by))
    if len(rows):
        drawn = ui.draw(page, figure.cohort_curves, curve, by=by)
        ui.figure(page, drawn, queries=tables.queries(*asked, by)[question], **words.about(question))
        age = ui.tabs(page, words.ages(rows, by), key="age")
        ui.note(words.naive_finding(rows, by, age))
        ui.figure(page, ui.draw(page, figure.naive_dots, rows, by=by, age=age), **words.about(words.NAIVE[question]))
        ui.table(page, shown := words.in_words(rows, by), columns=labels.columns(question, shown), name=question)


def cycle() -> None:
    ui.note(words.cycle_finding(closed))
    if closed["deals"].any():
        drawn = ui.draw(page, figure.outcome_areas, ui.ask(page, tables.cohort_curve, terms))
        ui.figure(page, drawn, queries=tables.queries(*asked)["cycle"], **words.about("cycle"))
        ui.table(page, shown := words.cycle_in_words(closed), columns=labels.columns("cycle", shown), name="cycle")


def stages() -> None:
    ui.note(words.stage_finding(times))
    if len(times):
        ui.figure(page, ui.draw(page, figure.stage_ranges, times), queries=tables.queries(*asked)["stages"], **words.about("stages"))
        drawn = ui.draw(page, figure.stage_lines, ui.ask(page, tables.stage_curve, terms), slowest=words.slowest_name(times))
        ui.figure(page, drawn, **words.about("stage_lines"))
        ui.table(page, times, columns=labels.columns("stages", times), name="stages")


def stalled() -> None:
    by_stage, rows = ui.ask(page, tables.stalled_stages, terms), words.stalled_in_words(ui.ask(page, tables.stalled, terms))
    ui.note(words.stalled_finding(by_stage, **money))
    if by_stage["stalled"].any():
        drawn = ui.draw(page, figure.stalled_bars, by_stage)
        ui.figure(page, drawn, queries=tables.queries(*asked)["stalled"], **words.about("stalled"))
    ui.table(page, rows, columns=labels.columns("stalled", rows), name="stalled", search=True, opens_customer=True)


@ui.part
def questions() -> None:
    chosen, by = choose_question(page, terms)
    {"cycle": cycle, "stages": stages, "stalled": stalled}.get(chosen, lambda: cohorts(chosen, by))()
