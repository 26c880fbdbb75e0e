"""How are we doing, and why did it change?"""

import streamlit as st

from crm_metrics import executive_kpis as room
from crm_metrics import ui
from crm_metrics.language import t
from crm_metrics.periods import Period, grain_for
from crm_metrics.ui.target_form import target_form


def columns(table: str) -> dict[str, ui.Column]:
    return {name: ui.Column(*spec) for name, spec in room.columns(table, page.currency).items()}


page = ui.start_page("executive_kpis")
held, currency = Period(page.first_on, page.last_on), page.currency
edited = room.edited_targets(page.source)
tiles, trend = ui.ask(page, room.tiles), ui.ask(page, room.trend, edited)
comparison, parts, earlier = ui.ask(page, room.comparison, edited), ui.ask(page, room.parts), ui.ask(page, room.trend_compared)
ui.finding(room.finding(comparison, parts, filters=page.filters, held=held, currency=currency))
ui.tiles(page, tiles, room.HEADLINE, change=comparison, sparks=room.sparks(trend, room.HEADLINE), notes=room.tile_notes(tiles))


@ui.part
def over_time() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measures, labels = {metric.name: metric for metric in room.TREND}, {metric.name: t(metric.label) for metric in room.TREND}
        measure = measures[ui.tabs(page, labels, key="measure")]
        target_form(page, room.WITH_TARGET, region=room.target_region(page.filters), note=room.target_note(comparison))
    drawn = ui.draw(page, room.trend_figure, trend, earlier, metric=measure, currency=currency)
    alt = t("{metric} over time, the unfinished end dashed, the period before in grey", metric=t(measure.label))
    queries = (room.totals_by_bucket(page.filters, grain_for(page.period)),)
    ui.figure(page, drawn, name="trend", alt=alt, metrics=(measure,), queries=queries)
    if left_out := room.trend_note(trend):
        ui.note(left_out)


with ui.question(t("Why did it change?")):

    @ui.part
    def why() -> None:
        reasons = {name: t(label) for name, label in page.source.remember(room.reasons, page.filters.scope).items()}
        by = ui.tabs(page, reasons, key="by") if len(parts) and len(reasons) > 1 else "parts"
        if parts.empty:
            ui.note(room.no_comparison_text(reason := comparison["reason"].iloc[0], page.filters, held))
            if (offered := room.comparable_preset(reason, page.filters, held)) and st.button(room.offer_text(offered), type="primary"):
                ui.choose_period(offered)
        elif by == "parts":
            before, after = room.base_text(page.filters, held), t("this period")
            drawn = ui.draw(page, room.bridge_figure, parts, before=before, after=after, currency=currency)
            alt = t("Bridge from the net revenue before to that of this period")
            ui.figure(page, drawn, name=by, alt=alt, queries=(room.totals(page.filters),), notes=t(room.HOW[by]))
            ui.table(page, room.parts_in_words(parts, currency), columns=columns(by), name=by)
        else:
            values = ui.ask(page, room.TABLES[by])
            drawn = ui.draw(page, room.values_figure, values, currency=currency)
            alt = t("Change in net revenue ({dimension}), with the share before and after", dimension=t(room.REASONS[by]))
            ui.figure(page, drawn, name=by, alt=alt, queries=(room.values_query(page.filters, by),), notes=t(room.HOW[by]))
            ui.table(page, room.values_in_words(values), columns=columns(by), name=by)


with ui.question(t("Looking ahead")):
    headlines = ui.ask(page, room.headlines)
    ui.tiles(page, headlines, room.headline_metrics(headlines), notes=room.later_notes(headlines))
with st.expander(t("All figures, and what net revenue is made of")):
    ui.table(page, room.steps_in_words(ui.ask(page, room.reconciliation)), columns=columns("reconciliation"), name="reconciliation")
    ui.table(page, room.comparison_in_words(comparison, currency), columns=columns("comparison"), name="comparison")
