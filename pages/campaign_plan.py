"""Will the next campaign pay, and did the last ones do what was expected?"""

from crm_metrics import ui
from crm_metrics.campaign_roi.plan import decision_tables, log_words, words
from crm_metrics.campaign_roi.plan.figure import calibration_dots, log_dots
from crm_metrics.campaign_roi.plan.metrics import LOG_METRICS
from crm_metrics.language import t, translated
from crm_metrics.ui.campaign_form import plan_campaign
from crm_metrics.ui.decision_form import decision_form

page = ui.start_page("campaign_plan", narrows=False)


def log() -> None:
    rows = decision_tables.decision_log(page.source, page.filters)  # not kept: it changes with what is saved
    ui.finding(log_words.finding(rows, currency=page.currency))
    if len(rows):
        ui.tiles(page, decision_tables.log_tiles(page.source, page.filters), LOG_METRICS)
    if log_words.has_results(rows):
        ui.figure(page, ui.draw(page, log_dots, rows), **words.about("log"))
        ui.note(log_words.calibration_sentence(decision_tables.calibration(page.source, page.filters)))
    if log_words.has_calibration(rows):
        with ui.question(t("How good are our expectations?")):
            ui.figure(page, ui.draw(page, calibration_dots, rows), **words.about("calibration"))
    if len(rows):
        ui.table(page, log_words.in_words(rows), columns=log_words.columns(), name="decision_log")
    with ui.question(t("Other decisions")):
        decision_form(page)


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, translated(words.QUESTIONS))
    if chosen == "plan":
        plan_campaign(page)
    elif chosen == "log":
        log()
    else:
        ui.planned_lists(page)
