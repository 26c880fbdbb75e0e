"""Which numbers made these data, and would the dashboard find them?"""

import streamlit as st

from crm_metrics import search, ui
from crm_metrics.demo import room, words
from crm_metrics.language import t, translated
from crm_metrics.ui import samples

page = ui.start_page("demo", needs_data=False)
tiles = ui.ask(page, room.tiles)
ui.finding(words.finding(tiles, data_set=page.source.data_set.name))
if not page.is_demo:
    ui.note(t("The demo is a simulated company: each number that made it is stated here, beside what the dashboard finds."))
    samples.offer_demo()
    st.stop()

stated = ui.ask(page, room.stated_truth)
ui.note(words.plan_note(stated))
ui.tiles(page, tiles, room.METRICS, notes=words.tile_notes(tiles))


@ui.part
def questions() -> None:
    chosen = ui.tabs(page, translated(words.QUESTIONS))
    if chosen == "parameters":
        every = words.truth_in_words(stated, currency=page.currency)
        topics = words.topics(every)
        with st.container(horizontal=True):
            topic = st.selectbox(t("Topic"), list(topics), format_func=topics.__getitem__, key="truth_topic", width=420)
            example = t("parameter, channel, campaign …")
            wanted = st.text_input(t("Search"), key="truth_words", icon=":material/search:", placeholder=example, width=420)
        shown = search.matching(words.of_topic(every, topic), wanted)
        ui.table(page, shown, columns=words.headings(words.TRUTH_COLUMNS, shown), name="truth", height=560)
        content = ui.ask(page, room.as_json_text)
        st.download_button(t("The truth as JSON"), content, "truth.json", "application/json", icon=":material/download:", on_click="ignore")
    elif chosen == "found":
        found = ui.ask(page, room.found)
        ui.finding(words.found_finding(found))
        ui.note(words.bias_note(stated))
        group = ui.tabs(page, {name: t(label) for name, (label, _) in words.GROUPS.items()}, key="group")
        figure, queries = ui.draw(page, room.estimate_dots, found, words.GROUPS[group][1]), (room.channel_histories(page.filters.scope),)
        ui.figure(page, figure, name="found", alt=t(words.FOUND_ALT), queries=queries, notes=t(words.FOUND_NOTES))
        shown = words.found_in_words(found)
        ui.table(page, shown, columns=words.headings(words.FOUND_COLUMNS, shown), name="found")
    else:
        doubles = ui.ask(page, room.doubles)
        ui.finding(words.doubles_finding(doubles, tiles))
        columns, shown = words.headings(words.DOUBLES_COLUMNS, doubles), words.doubles_in_words(doubles)
        ui.table(page, shown, columns=columns, name="doubles", opens_customer=True, search=True, height=560)
