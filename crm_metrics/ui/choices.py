"""The reader's choices: plain values in the session, in the address, and in the bar above every page.

What an address asks for and the data do not have is said above the figures, never guessed and never ignored in silence.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, Literal, NamedTuple

import pandas as pd
import streamlit as st
from sqlalchemy import Select

from crm_metrics import database, language, sales, workspace
from crm_metrics.database import DataSet, Source
from crm_metrics.export import safe_text
from crm_metrics.filters import CHOICES, CUSTOMER_UNKNOWN, UNKNOWN, Choice, ChoiceKey, Filters, validated
from crm_metrics.language import date_text, noop, t
from crm_metrics.metric import BadInput
from crm_metrics.periods import COMPARE_LABELS, PRESET_LABELS, PRESETS, Compare, Period, Preset, preset_period
from crm_metrics.pipeline.deals.terms import DEAL_KEYS
from crm_metrics.scope import Scope
from crm_metrics.segments.rule import Segment, read_rule
from crm_metrics.ui.address import came_back, follow_history

DEFAULT_DATA = "CRM_METRICS_DATA"
DEFAULT_PERIOD: Preset = "last_12_months"
_NO_COMPARISON: Compare = "none"
_CHOICES = "reader_choices"
_SEGMENT = "segment"
_LISTS = (*(choice.key for choice in CHOICES), _SEGMENT)
_ALL_LISTS = (*_LISTS, *DEAL_KEYS)
_KNOWN = ("period", "compare", "from", "to", "as_of", "lang", "data", *_ALL_LISTS)
_OF_ONE_DATA_SET = ("from", "to", "as_of", *_ALL_LISTS)  # forgotten when another data set is chosen


class Uses(NamedTuple):
    """Which filters matter to a page: the period, region, channel, category and segment; the comparison."""

    narrows: bool = True
    compares: bool = True


class Subject(NamedTuple):
    """What a page is about: the days that the data hold of it (one row: first_on, last_on), and the values it has by which it is narrowed
    (one row per value: value), up to a day; None where the choice does not concern it.
    """

    extent: Callable[[Scope], Select[Any]]
    values: Callable[[Choice, Scope, date], Select[Any] | None]


def _order_values(choice: Choice, scope: Scope, until: date) -> Select[Any]:
    return sales.choice_values(choice, scope, until=until)


ORDERS = Subject(sales.extent, _order_values)


def choices() -> dict[str, Any]:
    """Return the reader's choices as plain values; a session begins with those of its address, and the way back leads to others."""
    if _CHOICES not in st.session_state:
        given = validated({key: st.query_params[key] for key in st.query_params})
        lists: dict[str, Any] = {key: st.query_params.get_all(key) for key in _ALL_LISTS}
        st.session_state[_CHOICES] = {**given, **{key: values for key, values in lists.items() if values}}
    chosen: dict[str, Any] = st.session_state[_CHOICES]
    return chosen


def begin_choices() -> None:
    """Begin a run of the script: where the reader went back, with the choices of that address."""
    follow_history()
    if came_back():
        st.session_state.pop(_CHOICES, None)


def choose_period(preset: Preset) -> None:
    """Choose a period for the reader (a button that offers it) and draw the page anew."""
    choices()["period"] = preset
    st.rerun()


def address_parameters() -> dict[str, Any]:
    """Return the choices that differ from the defaults, as they stand in an address."""
    defaults = {"period": DEFAULT_PERIOD, "compare": "previous", "lang": _browser_language()}
    return {key: value for key, value in choices().items() if key in _KNOWN and value and value != defaults.get(key)}


def write_address() -> None:
    """Write the shared choices, in one step where the page has no bound parameters: each step is an entry of the browser's history."""
    wanted = {key: value if isinstance(value, list) else [str(value)] for key, value in address_parameters().items()}
    now = {key: st.query_params.get_all(key) for key in st.query_params}
    if came_back() or wanted == {key: value for key, value in now.items() if key in _KNOWN}:
        return
    own = {key: value for key, value in now.items() if key not in _KNOWN}
    if not own:
        st.query_params.from_dict(wanted)
        return
    for key in _KNOWN:  # a page's own parameters may be bound to widgets, and those can't be written here
        if key in now and key not in wanted:
            del st.query_params[key]
        elif key in wanted and now.get(key) != wanted[key]:
            st.query_params[key] = wanted[key]


def page_parameter(key: str) -> str:
    """Return a parameter of the address that belongs to one page alone (a customer's id); "" where there is none."""
    return st.query_params.get(key, "")


# ── language and data set ───────────────────────────────────────────────────────────────────────────────────────────────


def choose_language() -> None:
    """Speak the language of the address, else of the browser."""
    language.use(choices().setdefault("lang", _browser_language()))


def _browser_language() -> language.Language:
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"


def draw_language() -> None:
    """Draw the switch of the language."""
    st.session_state["choose_lang"] = choices()["lang"]
    st.segmented_control(
        t("Language"),
        ["en", "zh"],
        key="choose_lang",
        format_func={"en": "English", "zh": "中文"}.__getitem__,
        on_change=keep_choice,
        args=("lang",),
        required=True,
        label_visibility="collapsed",
    )


def choose_data_set(notices: list[str]) -> DataSet:
    """Let the reader choose a data set, and return it; a name that there is none of goes into `notices`."""
    sets = {data_set.name: data_set for data_set in database.data_sets()}
    configured = database.find_data_set(os.environ.get(DEFAULT_DATA, ""))
    sets.setdefault(configured.name, configured)
    wanted = choices().get("data")
    if wanted and wanted not in sets:
        notices.append(t("There is no data set “{name}”; this is “{shown}”.", name=safe_text(wanted), shown=configured.name))
        _forget("data", *_OF_ONE_DATA_SET)
    name = _select("data", t("Data set"), sorted(sets), {}, configured.name, on_change=_keep_data_set)
    return sets[name]


def _keep_data_set(key: str) -> None:
    keep_choice(key)
    _forget_data_set()


def _forget_data_set() -> None:
    _forget(*_OF_ONE_DATA_SET)
    if choices().get("period") == "own":
        _forget("period")


def turn_to_data_set(name: str) -> None:
    """Show the data set of that name from now on; choices that belong to the one before are forgotten."""
    choices()["data"] = name
    _forget_data_set()


def _forget(*keys: str) -> None:
    for key in keys:
        choices().pop(key, None)


# ── the bar ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def filter_bar(source: Source, scope: Scope, subject: Subject, *, held: Period, uses: Uses, notices: list[str]) -> Filters:
    """Draw the filters and return what they choose. subject: what the page is about; held: its days. uses: which filters matter to it.

    notices: gathers what an address asks for and the data do not have.
    """
    narrows, compares = uses
    period, compare = held, _NO_COMPARISON
    if narrows:
        last_on = held.end if subject is ORDERS else _as_of_in_reach(held, notices) or held.end  # nothing of a deal is seen after that day
        preset: Preset = _select("period", t("Period"), list(PRESETS), dict(PRESET_LABELS), DEFAULT_PERIOD, width=170)
        period = _own_period(held, notices) if preset == "own" else preset_period(preset, first_on=held.start, last_on=last_on)
    if narrows and compares:
        compare = _select("compare", t("Compared with"), list(COMPARE_LABELS), dict(COMPARE_LABELS), "previous", width=230)
    offered = _offered(source, scope, subject, held, notices) if narrows else {}
    values, as_of = _more_filters(source, offered, held, narrows=narrows, notices=notices)
    return replace(Filters(period.start, period.end, as_of if as_of != period.end else None, compare, scope=scope), **values)


def keep_choice(key: str) -> None:
    """Keep what the reader has just chosen of a filter, `choose_` and `key` being the key of its widget."""
    choices()[key] = st.session_state[f"choose_{key}"]


def _select(
    key: str,
    label: str,
    options: list[Any],
    labels: dict[Any, str],
    default: Any,
    width: int | Literal["stretch"] = "stretch",
    on_change: Any = keep_choice,
) -> Any:
    """Draw a select box whose value follows the reader from page to page."""
    now = choices().get(key, default)
    st.session_state[f"choose_{key}"] = now if now in options else default
    return st.selectbox(
        label,
        options,
        key=f"choose_{key}",
        format_func={option: t(labels.get(option, str(option))) for option in options}.__getitem__,
        on_change=on_change,
        args=(key,),
        width=width,
        label_visibility="visible" if width == "stretch" else "collapsed",
    )


def _own_period(held: Period, notices: list[str]) -> Period:
    """Return the days the reader chose, as far as the data go; all days where there are none."""
    start, end = _day_choice("from", t("From"), held.start, held), _day_choice("to", t("To"), held.end, held)
    if start > end:
        notices.append(
            t(
                "The period begins on {start} and ends on {end}. Choose an end after the beginning.",
                start=date_text(start),
                end=date_text(end),
            )
        )
        return held
    shown = Period(max(start, held.start), min(end, held.end))
    if shown.start > shown.end:
        notices.append(
            t(
                "The data reach from {first} to {last} and hold none of the days chosen; all dates are shown.",
                first=date_text(held.start),
                last=date_text(held.end),
            )
        )
        return held
    if shown != (start, end):
        notices.append(t("The data reach from {first} to {last}.", first=date_text(held.start), last=date_text(held.end)))
    return shown


def _day_choice(key: str, label: str, default: date, held: Period) -> date:
    given = choices().get(key)
    now = date.fromisoformat(given) if isinstance(given, str) else given or default
    st.session_state[f"choose_{key}"] = now
    first, last = min(now, held.start), max(now, held.end)
    value: date = st.date_input(label, key=f"choose_{key}", min_value=first, max_value=last, on_change=keep_choice, args=(key,), width=150)
    return value


def _offered(source: Source, scope: Scope, subject: Subject, held: Period, notices: list[str]) -> dict[Choice, list[str]]:
    """Return the values to choose from, of the choices that concern the page's subject."""
    until = _as_of_in_reach(held, notices) or held.end
    found = {choice: source.remember(_options, scope, subject, choice.key, until) for choice in CHOICES}
    return {choice: options for choice, options in found.items() if options is not None}


def _more_filters(
    source: Source, offered: dict[Choice, list[str]], held: Period, *, narrows: bool, notices: list[str]
) -> tuple[dict[str, Any], date | None]:
    """Draw the filters that stand in the popover: region, channel, category, segment, as-of."""
    as_of = _as_of_in_reach(held, notices)
    segments = _saved_segments(source, notices) if narrows else {}
    for choice, options in offered.items():
        _drop_unknown(choice.key, choice.label, options, notices)
    if narrows:
        _drop_unknown(_SEGMENT, noop("Segment"), list(segments), notices)
    used = sum(bool(choices().get(key)) for key in _LISTS if narrows) + (as_of is not None)
    label = t("Filters ({n})", n=used) if used else t("Filters")
    with st.popover(label, icon=":material/tune:", type="primary" if used else "secondary"):
        values: dict[str, Any] = {
            choice.key: _choose_values(choice.key, choice.label, options, t("unknown")) for choice, options in offered.items()
        }
        if narrows:
            names = _choose_values(_SEGMENT, noop("Segment"), list(segments), t("customer unknown"))
            values["segments"] = tuple(segments[name] for name in names)
        st.session_state["choose_as_of"] = as_of
        chosen = st.date_input(
            t("As of (models see nothing after this day)"),
            value=None,
            key="choose_as_of",
            min_value=held.start,
            max_value=held.end,
            on_change=keep_choice,
            args=("as_of",),
        )
    return values, chosen


def _as_of_in_reach(held: Period, notices: list[str]) -> date | None:
    given = choices().get("as_of")
    day = date.fromisoformat(given) if isinstance(given, str) else given
    if day is None or held.start <= day <= held.end:
        return day
    notices.append(t("{day} lies outside the data; the as-of day is {shown}.", day=date_text(day), shown=date_text(held.end)))
    _forget("as_of")
    return None


def _options(source: Source, scope: Scope, subject: Subject, key: ChoiceKey, until: date) -> list[str] | None:
    chosen = next(choice for choice in CHOICES if choice.key == key)
    query = subject.values(chosen, scope, until)
    if query is None:
        return None
    found = source(query).value
    options = [UNKNOWN if pd.isna(value) else str(value) for value in found]
    return [] if options == [UNKNOWN] else options


def _saved_segments(source: Source, notices: list[str]) -> dict[str, Segment]:
    """Return the saved segments by name, and the sales that belong to no customer; a rule that can't be read is said and left out."""
    found = {}
    saved = workspace.read_segments(source.data_set)
    for name, rule in zip(saved["segment_name"], saved["segment_rule"], strict=True):
        try:
            found[name] = Segment(name, read_rule(rule))
        except BadInput as problem:
            notices.append(f"{safe_text(name)}: {safe_text(str(problem))}")
    return {**found, UNKNOWN: CUSTOMER_UNKNOWN}


def _drop_unknown(key: str, label: str, options: list[str], notices: list[str]) -> None:
    wanted = choices().get(key, [])
    missing = [value for value in wanted if value not in options]
    if missing:
        names = ", ".join(safe_text(value) for value in missing[:3])
        notices.append(t("These data have no {label} “{values}”; it is left out.", label=t(label), values=names))
        choices()[key] = [value for value in wanted if value in options]


def _choose_values(key: str, label: str, options: list[str], unknown: str) -> tuple[str, ...]:
    """Draw the values to choose from. unknown: how UNKNOWN reads among them."""
    if not options:
        return ()
    chosen = choices().get(key, [])
    st.session_state[f"choose_{key}"] = chosen
    st.multiselect(
        t(label),
        options,
        key=f"choose_{key}",
        format_func={value: unknown if value == UNKNOWN else value for value in options}.__getitem__,
        placeholder=t("All"),
        on_change=keep_choice,
        args=(key,),
    )
    return tuple(chosen)
