"""Segments on screen: the form in which a rule is written, the choice among saved ones, and saving."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from crm_metrics import workspace
from crm_metrics.audience import tables, words
from crm_metrics.audience.tables import values_of
from crm_metrics.export import safe_text
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import BadInput
from crm_metrics.planned_test.tables import EVERYBODY
from crm_metrics.segments.attributes import Attribute, attribute
from crm_metrics.segments.draft import Block, Draft, Line, drafted_rule, rule_draft
from crm_metrics.segments.known import TIERS
from crm_metrics.segments.rule import LARGEST, Opposite, Rule, Segment, read_rule
from crm_metrics.segments.words import rule_sentence, value_label
from crm_metrics.ui.choices import choices
from crm_metrics.ui.parts import note, question, table
from crm_metrics.ui.plan_form import planned_lists
from crm_metrics.ui.saving import save, say_saved
from crm_metrics.ui.start import Page, open_page

_DRAFT, _SAVED = "segment_draft", "saved_segment"
_JOINTS = {"all": noop("all of these"), "any": noop("any of these")}
_TESTS = {False: noop("is"), True: noop("is not")}
_IN_PERCENT = 100  # shares are written as percents


# ── writing a rule ──────────────────────────────────────────────────────────────────────────────────────────────────────


def built_rule() -> Rule:
    """Return the rule that the form says so far, wherever it was written last."""
    return drafted_rule(st.session_state.setdefault(_DRAFT, _first_draft()))


def rule_form(page: Page) -> Rule:
    """Put the form and return the rule it says so far."""
    offered = page.source.remember(tables.offered, page.filters.scope)
    draft: Draft = st.session_state.setdefault(_DRAFT, _first_draft())
    _load_form(page)
    for place, block in enumerate(draft.blocks):
        if place:
            _choose(draft, "joined_by", t("Groups together"), _between_groups(), key=f"groups_{place}", width=150)
        with st.container(border=True):
            _block_form(page, draft, block, offered)
    st.button(t("Add a group"), icon=":material/add:", type="tertiary", on_click=lambda: draft.blocks.append(_new_block()))
    rule = drafted_rule(draft)
    st.caption(t("Customers with: {rule}.", rule=safe_text(rule_sentence(rule))))
    return rule


def _first_draft() -> Draft:
    return Draft(blocks=[Block(lines=[Line("value_tier", values=[TIERS[0]])])])


def _new_block() -> Block:
    return Block(lines=[Line("days_since_last_order")])


def _block_form(page: Page, draft: Draft, block: Block, offered: tuple[str, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        negations = {False: t("who meet"), True: t("who don't meet")}
        _choose(block, "is_opposite", t("Group"), negations, key=f"block_{block.number}", width=150)
        _choose(
            block,
            "joined_by",
            t("Conditions together"),
            translated(_JOINTS),
            key=f"joint_{block.number}",
            width=150,
        )
        if len(draft.blocks) > 1:
            st.button(
                t("Remove the group"),
                icon=":material/delete:",
                type="tertiary",
                key=f"drop_{block.number}",
                on_click=draft.blocks.remove,
                args=(block,),
            )
    for line in block.lines:
        _line_form(page, block, line, offered)
    add = lambda: block.lines.append(Line(offered[0]))  # noqa: E731
    st.button(t("Add a condition"), icon=":material/add:", type="tertiary", key=f"add_{block.number}", on_click=add)


def _line_form(page: Page, block: Block, line: Line, offered: tuple[str, ...]) -> None:
    number, asked = line.number, attribute(line.attribute)
    names = {name: t(attribute(name).label) for name in dict.fromkeys([line.attribute, *offered])}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choose(line, "attribute", t("Attribute"), names, key=f"attribute_{number}", width=250, then=lambda: _forget_values(line))
        _choose(line, "is_opposite", t("Test"), translated(_TESTS), key=f"test_{number}", width=90)
        if asked.kind == "choice":
            _values_form(page, line, asked)
        else:
            for end, label in (("low", t("from")), ("high", t("to"))):
                _number_form(line, end, asked, label)
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=f"drop_{number}",
            help=t("Remove the condition"),
            on_click=block.lines.remove,
            args=(line,),
        )


def _values_form(page: Page, line: Line, asked: Attribute) -> None:
    known = page.source.remember(values_of, page.filters.scope, asked.name, page.filters.today)
    counts = dict(zip(known["value"].tolist(), known["customers"].tolist(), strict=True))
    options = [*sorted(counts, key=lambda value: asked.order.index(value) if value in asked.order else len(asked.order)), *line.values]
    key = f"values_{line.number}_{asked.name}"
    st.session_state[key] = line.values
    st.multiselect(
        t(asked.label),
        list(dict.fromkeys(options)),
        key=key,
        format_func=lambda value: f"{value_label(value)} ({counts.get(value, 0):,})",
        placeholder=t("Choose values"),
        label_visibility="collapsed",
        on_change=_keep(line, "values", key),
        width=360,
    )


def _number_form(line: Line, end: str, asked: Attribute, label: str) -> None:
    scale = _IN_PERCENT if asked.unit == "share" else 1
    key, now = f"{end}_{line.number}_{asked.name}", getattr(line, end)
    st.session_state[key] = None if now is None else float(now) * scale
    unit = t("{label}, %", label=label) if asked.unit == "share" else label

    def keep() -> None:
        typed = st.session_state[key]
        setattr(line, end, None if typed is None else typed / scale)

    shown: Any = {"key": key, "on_change": keep, "placeholder": t("open"), "width": 130, "format": "%.12g"}
    st.number_input(unit, -LARGEST, LARGEST, value=None, step=1.0, **shown)


def _forget_values(line: Line) -> None:
    line.values, line.low, line.high = [], None, None


def _choose(
    of: Any, name: str, label: str, options: dict[Any, str], *, key: str, width: int, then: Callable[[], None] = lambda: None
) -> None:
    """Put a choice of one attribute of an object of the draft."""

    def keep() -> None:
        setattr(of, name, st.session_state[key])
        then()

    st.session_state[key] = getattr(of, name)
    st.selectbox(label, list(options), key=key, format_func=options.__getitem__, on_change=keep, label_visibility="collapsed", width=width)


def _keep(of: Any, name: str, key: str) -> Callable[[], None]:
    return lambda: setattr(of, name, list(st.session_state[key]))


def _between_groups() -> dict[str, str]:
    return {"all": t("and"), "any": t("or")}


def _load_form(page: Page) -> None:
    """Put the choice of a saved segment to go on from."""
    saved = saved_segments(page)
    if not saved:
        return
    with st.popover(t("Open a saved segment"), icon=":material/folder_open:"):
        name = st.selectbox(t("Segment"), list(saved), key="segment_to_open")
        draft = rule_draft(saved[name])
        if draft is None:
            st.caption(t("This rule has more levels than the form: {rule}.", rule=safe_text(rule_sentence(saved[name]))))
        st.button(t("Open"), disabled=draft is None, on_click=lambda: st.session_state.update({_DRAFT: draft}))


# ── saved segments ──────────────────────────────────────────────────────────────────────────────────────────────────────


def saved_segments(page: Page) -> dict[str, Rule]:
    """Return the rules of the saved segments that can be read, by name."""
    found, frame = {}, workspace.read_segments(page.source.data_set)
    for name, text in zip(frame["segment_name"].tolist(), frame["segment_rule"].tolist(), strict=True):
        try:
            found[name] = read_rule(text)
        except BadInput:  # the filter bar says so
            continue
    return found


def choose_segment(
    page: Page, label: str, *, key: str, built: Rule | None = None, others_of: Segment | None = None, everybody: bool = False
) -> Segment:
    """Put a choice of one segment. Offered first: built, a rule not saved yet; all others_of that segment; everybody."""
    offered = {**({t("All customers"): EVERYBODY} if everybody else {}), **saved_segments(page)}
    if built is not None:
        offered = {t("the segment being built"): built, **offered}
    if others_of is not None and others_of.rule is not None:
        offered = {t("everybody else"): Opposite(others_of.rule), **offered}
    name = st.selectbox(label, list(offered), key=key, width=320)
    return Segment(name, offered[name])


def save_segment(page: Page, rule: Rule, *, customers: int, suggested: str = "") -> None:
    """Put the button that saves a rule as a segment, which is then a filter on every page."""
    with st.popover(t("Save as segment"), icon=":material/bookmark_add:"), st.form(f"save_segment_{suggested}", border=False):
        name = st.text_input(t("Name"), value=suggested, max_chars=workspace.MOST_LETTERS)
        replaces = st.checkbox(t("Replace a segment of this name"))
        if st.form_submit_button(t("Save"), type="primary"):
            origin = workspace.SegmentOrigin(page.name, page.filters.today, page.source.version, customers)
            said = t("“{name}” is saved: choose it under Filters on every page.", name=safe_text(name.strip()))
            data_set = page.source.data_set
            save(lambda: workspace.save_segment(data_set, name, rule, origin, replaces=replaces), key=_SAVED, said=said)
    say_saved(_SAVED)


def saved_lists(page: Page) -> None:
    """Put the saved segments, with what can be done to one, and the planned campaigns."""
    found = tables.saved(page.source, page.filters)  # not kept: it changes with the workspace
    note(words.saved_note(found))
    if len(found):
        chosen = table(page, found, columns=words.columns("saved", found), name="saved", selects=True)
        if chosen:
            _segment_buttons(page, str(found["segment_name"].iloc[chosen[0]]))
    with question(t("Planned campaigns")):
        planned_lists(page)


def _segment_buttons(page: Page, name: str) -> None:
    with st.container(horizontal=True):
        if st.button(t("Use as filter"), icon=":material/filter_alt:", type="primary"):
            choices()["segment"] = list(dict.fromkeys([*choices().get("segment", []), name]))
            open_page("executive_kpis")
        if st.button(t("Delete “{name}”", name=safe_text(name)), icon=":material/delete:"):
            workspace.delete_segment(page.source.data_set, name)
            choices()["segment"] = [chosen for chosen in choices().get("segment", []) if chosen != name]
            st.rerun()
