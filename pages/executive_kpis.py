"""How are we doing, and why did it change?"""

import streamlit as st

from crm_metrics import executive_kpis as room
from crm_metrics import ui
from crm_metrics.language import t

page = ui.start_page("executive_kpis")
held, currency = page.held, page.currency
edited = room.edited_targets(page.source)
tiles, trend = ui.ask(page, room.tiles), ui.ask(page, room.trend, edited)
comparison, parts, earlier = ui.ask(page, room.comparison, edited), ui.ask(page, room.parts), ui.ask(page, room.trend_compared)
ui.finding(room.finding(comparison, parts, filters=page.filters, held=held, currency=currency))
ui.tiles(page, tiles, room.HEADLINE, change=comparison, sparks=room.sparks(trend, room.HEADLINE), notes=room.tile_notes(tiles))


@ui.part
def over_time() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measures = {metric.name: metric for metric in room.TREND}
        measure = measures[ui.tabs(page, {name: t(metric.label) for name, metric in measures.items()}, key="measure")]
        ui.target_form(page, room.WITH_TARGET, region=room.target_region(page.filters), note=room.target_note(comparison))
    drawn = ui.draw(page, room.trend_figure, trend, earlier, metric=measure, currency=currency)
    query = room.trend_query(page.filters, page.period)
    ui.figure(page, drawn, name="trend", alt=room.trend_alt(measure), metrics=(measure,), queries=(query,))
    ui.note(room.trend_note(trend))


@ui.part
def why() -> None:
    with ui.question(t("Why did it change?")):
        if parts.empty:
            ui.note(room.no_comparison_text(reason := comparison["reason"].iloc[0], page.filters, held))
            if (offered := room.comparable_preset(reason, page.filters, held)) and st.button(room.offer_text(offered), type="primary"):
                ui.choose_period(offered)
            return
        reasons = {name: t(label) for name, label in page.source.remember(room.reasons, page.filters.scope).items()}
        by = ui.tabs(page, reasons, key="by") if len(reasons) > 1 else "parts"
        if by == "parts":
            shown, before = room.parts_in_words(parts, currency), room.base_text(page.filters, held)
            drawn = ui.draw(page, room.bridge_figure, parts, before=before, after=t("this period"), currency=currency)
        else:
            values = ui.ask(page, room.TABLES[by])
            shown, drawn = room.values_in_words(values), ui.draw(page, room.values_figure, values, currency=currency)
        ui.figure(page, drawn, name=by, alt=room.split_alt(by), queries=(room.split_query(page.filters, by),), notes=t(room.HOW[by]))
        ui.table(page, shown, columns=room.columns(by, currency), name=by)


for heading, headlines in room.headline_groups(ui.ask(page, room.headlines)).items():
    with ui.question(heading):
        ui.tiles(page, headlines, room.headline_metrics(headlines), notes=room.later_notes(headlines))
with st.expander(t("All figures, and what net revenue is made of")):
    ui.table(
        page,
        room.steps_in_words(ui.ask(page, room.reconciliation)),
        columns=room.columns("reconciliation", currency),
        name="reconciliation",
    )
    ui.table(page, room.comparison_in_words(comparison, currency), columns=room.columns("comparison", currency), name="comparison")
