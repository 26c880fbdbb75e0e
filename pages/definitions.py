"""What does each number mean?"""

import streamlit as st

from crm_metrics import definitions, search, ui
from crm_metrics.language import t

page = ui.start_page("definitions", needs_data=False)


@ui.part
def lists() -> None:
    chosen = ui.tabs(page, {"metrics": t("Metrics"), "terms": t("Terms"), "columns": t("Data dictionary")})
    frame = definitions.in_words(ui.ask(page, definitions.TABLES[chosen]))
    columns = {name: ui.Column(t(label), kind) for name, (label, kind) in definitions.COLUMNS.items() if name in frame}
    if chosen == "columns":
        ui.note(t("{n} columns, each with its meaning. Money is in the data set's reporting currency, amounts as they came.", n=len(frame)))
        ui.table(page, frame, name="columns", columns=columns, search=True, height=620)
        return
    words = st.text_input(t("Search"), key=f"definitions_{chosen}_words", icon=":material/search:", placeholder=t("revenue, share, days …"))
    found = search.matching(frame, words)
    ui.note(t("{n} of {total}; this list is made from the declarations in the code.", n=len(found), total=len(frame)))
    for heading, entries in definitions.by_heading(found):
        with ui.question(heading):
            for entry in entries:
                st.markdown(entry)
    with st.expander(t("As a table, to take away"), icon=":material/table:"):
        ui.table(page, found, name=chosen, columns=columns)
