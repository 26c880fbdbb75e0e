"""How are we doing, and why did it change?"""

import streamlit as st

from crm_metrics import executive_kpis as room
from crm_metrics import ui, workspace
from crm_metrics.language import month_text, t
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period, grain_for

page = ui.start_page("executive_kpis")
held, currency = Period(page.first_on, page.last_on), page.currency
columns = {table: {name: ui.Column(t(label), unit) for name, (label, unit) in each.items()} for table, each in room.COLUMNS.items()}
edited = room.edited_targets(page.source)
tiles, trend = ui.ask(page, room.tiles), ui.ask(page, room.trend, edited)
comparison, parts, earlier = ui.ask(page, room.comparison, edited), ui.ask(page, room.parts), ui.ask(page, room.trend_compared)
ui.finding(room.finding(comparison, parts, filters=page.filters, held=held, currency=currency))
ui.tiles(page, tiles, room.HEADLINE, change=comparison, sparks=room.sparks(trend, room.HEADLINE), notes=room.tile_notes(tiles))
with st.container(horizontal=True, vertical_alignment="bottom"):
    measures, labels = {metric.name: metric for metric in room.TREND}, {metric.name: t(metric.label) for metric in room.TREND}
    measure = measures[ui.tabs(page, labels, key="measure")]
    with st.popover(t("Set a target"), icon=":material/flag:"), st.form("targets", border=False):
        region = room.target_region(page.filters)
        ui.note(t("For {region}, by month.", region=region) if region else t("For the whole company, by month."))
        aim = st.selectbox(t("Metric"), [metric.name for metric in room.WITH_TARGET], format_func=labels.__getitem__)
        names = {month: month_text(month) for month in room.months(page.period)}
        months = st.multiselect(t("Months"), list(names), default=list(names), format_func=names.__getitem__)
        target = st.number_input(t("Target of each month (empty: none)"), min_value=0.0, value=None)
        if st.form_submit_button(t("Save"), type="primary"):
            try:
                workspace.write_targets(page.source.data_set, aim, months=months, target_value=target, region=region)
                st.rerun()
            except BadInput as problem:
                st.error(str(problem))
drawn = room.trend_figure(trend, earlier, metric=measure, currency=currency)
alt = t("{metric} over time, the unfinished end dashed, the period before in grey", metric=t(measure.label))
ui.figure(page, drawn, name="trend", alt=alt, metrics=(measure,), queries=(room.totals_by_bucket(page.filters, grain_for(page.period)),))

later_rooms = st.container()
with ui.question(t("Why did it change?")):
    reasons = {name: t(label) for name, label in room.reasons(page.source, page.filters.scope).items()}
    by = ui.tabs(page, reasons, key="by") if len(parts) and len(reasons) > 1 else "parts"
    if parts.empty:
        ui.note(room.no_comparison_text(comparison["reason"].iloc[0], page.filters, held))
    elif by == "parts":
        drawn = room.bridge_figure(parts, before=room.base_text(page.filters), after=t("this period"), currency=currency)
        alt = t("Bridge from the net revenue before to that of this period")
        ui.figure(page, drawn, name=by, alt=alt, queries=(room.totals(page.filters),), notes=t(room.HOW[by]))
        ui.table(page, room.parts_in_words(parts, currency), columns=columns[by], name=by)
    else:
        values = ui.ask(page, room.TABLES[by])
        drawn = room.values_figure(values, currency=currency)
        alt = t("Change in net revenue ({dimension}), with the share before and after", dimension=t(room.REASONS[by]))
        ui.figure(page, drawn, name=by, alt=alt, queries=(room.values_query(page.filters, by),), notes=t(room.HOW[by]))
        ui.table(page, room.values_in_words(values), columns=columns[by], name=by)
with st.expander(t("All figures, and what net revenue is made of")):
    ui.table(page, room.steps_in_words(ui.ask(page, room.reconciliation)), columns=columns["reconciliation"], name="reconciliation")
    ui.table(page, room.comparison_in_words(comparison, currency), columns=columns["comparison"], name="comparison")
with later_rooms, ui.question(t("Looking ahead")):
    ui.tiles(page, headlines := ui.ask(page, room.headlines), room.headline_metrics(headlines))
