"""The Data page: bring files in, see what will come of every row, load them, take an import back."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from crm_metrics import database
from crm_metrics.data_import import load, room
from crm_metrics.data_import.left_out import with_reason_texts
from crm_metrics.data_import.mapping import TARGETS, Mapping, Target, built_in_names, built_in_text, from_dict, load_mapping, parse_mapping
from crm_metrics.data_import.proposal import Proposal, Proposed, propose
from crm_metrics.data_import.raw_table import RawTable
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.report import TABLE_LABELS, TARGET_LABELS, ImportReport, notes_of
from crm_metrics.data_import.samples import OWN, SAMPLES, refuse_own_file_in_demo
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataSet
from crm_metrics.export import safe_text
from crm_metrics.language import t
from crm_metrics.metric import BadInput
from crm_metrics.schema import order_lines
from crm_metrics.ui.choices import turn_to_data_set
from crm_metrics.ui.parts import Column, table
from crm_metrics.ui.start import Page, ask

PREVIEWED_ROWS = 8
_PROPOSED, _NONE = "proposed", ""
_LOADED = "loaded_files"


def upload(page: Page) -> None:
    """Let the reader bring files into a data set of their own."""
    name = st.text_input(
        t("Load into the data set"),
        value=OWN if page.is_demo or page.source.data_set.name in SAMPLES else page.source.data_set.name,
        help=t("A new name starts a new data set. Your files never join the rows of the samples."),
        key=f"target_of_{page.source.data_set.name}",
    )
    files = st.file_uploader(
        t("Files of orders, deals, contracts, campaigns, customers: CSV, TSV, text, .gz of these, or Excel"),
        accept_multiple_files=True,
        key=f"order_files_{st.session_state.get('uploads', 0)}",
    )
    for file in files or []:
        if file.file_id in st.session_state.get(_LOADED, ()):
            continue
        with st.container(border=True):
            try:
                _one_file(_named(name), file)
            except BadInput as problem:
                st.error(f"**{safe_text(file.name)}** — {safe_text(str(problem))}", icon=":material/error:")


def _named(name: str) -> DataSet:
    """Return the data set of that name; the page takes no addresses, which would reach other files and servers."""
    if ":" in name or "/" in name:
        raise BadInput("{name!r} can't name a data set. Use lower-case letters, digits and _, beginning with a letter.", name=name)
    data_set = database.find_data_set(name)
    refuse_own_file_in_demo(data_set)
    return data_set


def _one_file(data_set: DataSet, file: UploadedFile) -> None:
    raw = _kept_file(file.file_id, file.name, file)
    st.markdown(f"**{safe_text(file.name)}** — " + t("{rows} rows, {columns} columns", rows=f"{raw.row_count:,}", columns=len(raw.columns)))
    for remark in raw.notes:
        st.caption(safe_text(str(remark)))
    with st.expander(t("The first rows, as they came")):
        st.dataframe(raw.table.slice(0, PREVIEWED_ROWS).to_pandas(), hide_index=True)
    mapping = _choose_mapping(raw, file.file_id)
    if mapping is None:
        return
    with st.container(horizontal=True):
        is_check = st.button(t("Check only"), key=f"check_{file.file_id}", icon=":material/fact_check:")
        is_load = st.button(t("Load"), key=f"load_{file.file_id}", icon=":material/upload:", type="primary")
    if is_check or is_load:
        _run(data_set, raw, mapping, file_id=file.file_id, check_only=is_check)


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept_file(file_id: str, name: str, _file: UploadedFile) -> RawTable:
    return read_file(_file.getvalue(), name)


def _run(data_set: DataSet, raw: RawTable, mapping: Mapping, *, file_id: str, check_only: bool) -> None:
    """Check or load one file while a bar moves; stopping the page stops the import, and nothing of it stays."""
    bar = st.progress(0.0, text=t("Checking every row"))
    latest_on = datetime.now(UTC).astimezone().date()
    try:
        report = load.import_table(
            data_set,
            raw,
            mapping,
            check_only=check_only,
            progress=lambda step, share: _show_progress(bar, step, share),
            latest_on=latest_on,
        )
    finally:
        bar.empty()
    _show_report(report, key=raw.content_hash)
    if report.state in ("loaded", "replaced"):
        _turn_to(data_set, report, file_id)


def _turn_to(data_set: DataSet, report: ImportReport, file_id: str) -> None:
    """Show the data set that a report is about from now on, and the report once more on the page drawn anew; files not loaded yet stay."""
    turn_to_data_set(data_set.name)
    st.session_state["loaded_report"] = report
    uploads = st.session_state.get("uploads", 0)
    loaded = st.session_state[_LOADED] = {*st.session_state.get(_LOADED, ()), file_id}
    if all(file.file_id in loaded for file in st.session_state[f"order_files_{uploads}"]):
        st.session_state["uploads"] = uploads + 1  # an empty uploader
    st.rerun()


def _show_progress(bar: Any, step: str, share: float) -> None:
    bar.progress(min(share, 1.0), text=t(step))


def show_last_report() -> None:
    """Show what the last import or undo of this session did, once."""
    report = st.session_state.pop("loaded_report", None)
    if report:
        with st.container(border=True):
            _show_report(report, key="last")


def _show_report(report: ImportReport, *, key: str) -> None:
    if report.state == "refused":
        st.error(safe_text(report.headline()), icon=":material/error:")
    else:
        st.success(safe_text(report.headline()), icon=":material/check_circle:")
    headings = (t("Rows"), t("Number"), report.amount_label)
    rows = pd.DataFrame([(label, rows, float(amount)) for label, rows, amount in report.classes()], columns=list(headings))
    config = {
        headings[1]: st.column_config.NumberColumn(format="localized"),
        headings[2]: st.column_config.NumberColumn(format="accounting"),
    }
    st.dataframe(rows, hide_index=True, column_config=config, key=f"report_{key}", width=520)
    for warning in report.warnings():
        st.warning(safe_text(warning), icon=":material/warning:")
    for remark in report.remarks():
        st.caption(safe_text(remark))


# ── the mapping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _choose_mapping(raw: RawTable, key: str) -> Mapping | None:
    """Return the mapping the reader settled on; None while it has a mistake."""
    proposal = _kept_proposal(raw.content_hash, raw)
    names = {_PROPOSED: t("proposed from the file"), **{name: name for name in built_in_names()}}
    options = list(names)
    start = options.index(proposal.built_in) if proposal.built_in else 0
    chosen = st.selectbox(t("Mapping"), options, start, format_func=names.__getitem__, key=f"mapping_{key}", width=320)
    if chosen != _PROPOSED:
        return _shipped(chosen, key, is_recognised=chosen == proposal.built_in)
    try:
        mapping = from_dict(_edited(raw, proposal, key), raw.name)
    except BadInput as problem:
        st.warning(safe_text(str(problem)), icon=":material/rule:")
        return None
    return mapping if _all_answered(proposal, mapping, key) else None


def _shipped(name: str, key: str, *, is_recognised: bool) -> Mapping | None:
    """Return a mapping that comes with the product, as the reader changed it; None while that has a mistake."""
    shipped = load_mapping(name)
    if is_recognised:
        st.caption(t(":material/check: Recognised as “{title}”.", title=safe_text(shipped.title)))
    if not any(layout.tables for layout in shipped.all_layouts()):
        return shipped
    with st.expander(t("The mapping, to add to or to change")):
        written = st.text_area(t("Mapping"), built_in_text(name), height=420, key=f"toml_{name}_{key}", label_visibility="collapsed")
    try:
        return parse_mapping(written, name)
    except BadInput as problem:
        st.warning(safe_text(str(problem)), icon=":material/rule:")
        return None


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept_proposal(content_hash: str, _raw: RawTable) -> Proposal:
    return propose(_raw)


def _all_answered(proposal: Proposal, mapping: Mapping, key: str) -> bool:
    """Ask about each column that changes revenue and is not read; return whether the reader has decided on all of them."""
    read = {str(column) for layout in mapping.all_layouts() for column in layout.columns.values()}
    waiting = []
    for question in proposal.open_questions:
        if question.column in read and mapping.columns.get(question.target) == question.column:
            continue
        st.warning(safe_text(str(question.reason)), icon=":material/help:")
        waiting.append(st.checkbox(t("I have seen this: load the file as it is mapped above."), key=f"seen_{question.column}_{key}"))
    return all(waiting)


def _edited(raw: RawTable, proposal: Proposal, key: str) -> dict[str, Any]:
    """Let the reader correct the proposal, and return the mapping as a dictionary."""
    fields = {field.target: field for field in proposal.fields}
    with st.container(horizontal=True):
        columns = {target: _column_of(raw, fields[target], key) for target in _REQUIRED}
    with st.expander(t("More columns: product, region, channel, costs")), st.container(horizontal=True):
        columns |= {target: _column_of(raw, fields[target], key) for target in TARGETS if target not in _REQUIRED}
    written: dict[str, Any] = {section: dict(values) for section, values in proposal.settings.items()}
    with st.container(horizontal=True):
        _ask_order(written, has_column=bool(columns["order"]), key=key)
        _ask_dates(written, is_certain=fields["date"].is_certain, key=key)
        _ask_money(written, has_column=bool(columns["currency"]), has_discount=bool(columns["discount"]), key=key)
    return {**written, "columns": {target: column for target, column in columns.items() if column}}


_REQUIRED: tuple[Target, ...] = ("date", "customer", "order", "amount", "quantity", "unit_price")


def _column_of(raw: RawTable, field: Proposed, key: str) -> str:
    """Let the reader choose the column of one target; the reason of the proposal stands under it."""
    options = [_NONE, *raw.columns]
    proposed = field.column if field.column and (field.is_certain or field.target in _REQUIRED) else _NONE
    with st.container(width=300):
        chosen = st.selectbox(
            t(TARGET_LABELS[field.target]),
            options,
            options.index(proposed),
            format_func={option: option or t("not in this file") for option in options}.__getitem__,
            key=f"column_{field.target}_{key}",
        )
        if field.column and chosen == proposed:
            st.caption((":material/check: " if field.is_certain else ":orange[:material/warning:] ") + safe_text(str(field.reason)))
    return chosen


def _ask_order(written: dict[str, Any], *, has_column: bool, key: str) -> None:
    if has_column:
        return
    labels = {"per_row": t("each row is an order"), "per_customer_day": t("all rows of a customer and day are one order")}
    chosen = st.selectbox(t("Without an order number,"), list(labels), format_func=labels.__getitem__, key=f"orders_{key}", width=360)
    written.setdefault("orders", {})["id"] = chosen


def _ask_dates(written: dict[str, Any], *, is_certain: bool, key: str) -> None:
    if is_certain:
        return
    labels = {None: t("as the dates tell"), True: t("day first: 31/01/2024"), False: t("month first: 01/31/2024")}
    chosen = st.selectbox(t("Dates are written"), list(labels), format_func=labels.__getitem__, key=f"day_first_{key}", width=260)
    if chosen is not None:
        written.setdefault("dates", {})["day_first"] = chosen


def _ask_money(written: dict[str, Any], *, has_column: bool, has_discount: bool, key: str) -> None:
    money = written.setdefault("money", {})
    if not has_column:
        given = st.text_input(t("Currency (three letters)"), money.get("currency") or "", key=f"currency_{key}", width=200, max_chars=3)
        money.pop("currency", None)
        if given:
            money["currency"] = given.upper()
    if has_discount:
        labels = {"net": t("after the discount"), "gross": t("before the discount")}
        money["amount"] = st.selectbox(t("The amount is"), list(labels), format_func=labels.__getitem__, key=f"amount_{key}", width=220)


# ── what is there already ───────────────────────────────────────────────────────────────────────────────────────────────


def ledger(page: Page) -> None:
    """Show every import with what it brought; a chosen one can be taken back."""
    held = ask(page, room.ledger)
    if held.empty:
        st.caption(t("Nothing has been imported into this data set."))
        return
    states = {"loaded": t("loaded"), "undone": t("taken back"), "replaced": t("replaced")}
    kinds = {order_lines.name: t("Order lines")} | {name: t(label) for name, label in TABLE_LABELS.items()}
    shown = held.assign(batch_state=held.batch_state.map(states), table_name=held.table_name.map(kinds))
    columns = {
        "batch_id": Column(t("Batch"), "count"),
        "file_name": Column(t("File"), "text"),
        "table_name": Column(t("Rows of"), "text"),
        "batch_state": Column(t("State"), "text"),
        "rows_in": Column(t("Rows in the file"), "count"),
        "rows_loaded": Column(t("Loaded"), "count"),
        "rows_duplicate": Column(t("Duplicate"), "count"),
        "rows_quarantined": Column(t("Quarantined"), "count"),
        "rows_renewed": Column(t("Renewed since"), "count"),
        "amount_loaded": Column(t("Amount loaded"), "money"),
        "first_on": Column(t("First day"), "day"),
        "last_on": Column(t("Last day"), "day"),
    }
    if page.is_demo:
        table(page, shown, columns=columns, name="batches")
        st.caption(t("A demo is built and replaced as a whole: `python -m crm_metrics demo` builds it anew."))
        return
    chosen = table(page, shown, columns=columns, name="batches", selects=True)
    if chosen and held.iloc[chosen[0]].batch_state == "loaded":
        batch = held.iloc[chosen[0]]
        noted = page.source(room.noted())
        for note in (note for kept in noted.notes[noted.batch_id == batch.batch_id] for note in notes_of(kept)):
            st.caption(safe_text(str(note)))
        if st.button(t("Take batch {batch} back", batch=int(batch.batch_id)), icon=":material/undo:"):
            _confirm_undo(page.source.data_set, int(batch.batch_id), str(batch.file_name))
    else:
        st.caption(t("Choose a row to take that import back."))


def _confirm_undo(data_set: DataSet, batch_id: int, file_name: str) -> None:
    @st.dialog(t("Take batch {batch} back", batch=batch_id))
    def ask_again() -> None:
        st.write(t("All rows of {file} leave the data set. The file can be imported again.", file=safe_text(file_name)))
        if st.button(t("Take it back"), type="primary", key="confirm_undo"):
            with st.spinner(t("Taking it back…")):
                st.session_state["loaded_report"] = undo(data_set, batch_id)
            st.rerun()

    ask_again()


def unjoined(page: Page) -> None:
    """Say what rows name that the table which lists it does not hold."""
    for found in ask(page, room.not_joined):
        st.warning(safe_text(str(found)), icon=":material/link_off:")


def quarantine(page: Page) -> None:
    """Show the rows that were not loaded, each with its reason and its cells as they came."""
    rows = ask(page, room.left_out)
    if rows.empty:
        return
    with st.expander(t("1 row was not loaded") if len(rows) == 1 else t("{n} rows were not loaded", n=f"{len(rows):,}")):
        columns = {
            "batch_id": Column(t("Batch"), "count"),
            "row_number": Column(t("Row"), "count"),
            "reason": Column(t("Reason"), "text"),
            "row_amount": Column(t("Amount"), "money"),
            "raw": Column(t("As it came"), "text"),
        }
        table(page, with_reason_texts(rows), columns=columns, name="left_out", search=True)
