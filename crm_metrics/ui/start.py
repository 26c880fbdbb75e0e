"""How every page begins: navigation, language, data set, permission, shared filters and the sentence that says which rows.

Every page draws these itself, because a page opened by its address in a fresh process runs without app.py.
"""

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, TypeVar

import pandas as pd
import streamlit as st

from crm_metrics import database, language, sales
from crm_metrics.database import DataMoved, DataSet, Source
from crm_metrics.filters import CHOICES, UNKNOWN, Choice, Filters, Scope, sentence, validated
from crm_metrics.language import noop, t
from crm_metrics.metric import BadInput
from crm_metrics.periods import COMPARE_LABELS, PRESET_LABELS, PRESETS, Compare, Period, Preset, preset_period

T = TypeVar("T")
_log = logging.getLogger(__name__)
DEFAULT_DATA = "CRM_METRICS_DATA"
_CHOICES = "reader_choices"
_READS = 2_000  # answers kept in memory; the least recent go first

PAGES: dict[str, tuple[str, str, str, str]] = {  # file: section, title, icon, question
    "executive_kpis": (noop("Overview"), noop("Executive KPIs"), ":material/monitoring:", noop("How are we doing, and why did it change?")),
    "lifetime_value": (noop("Customers"), noop("Lifetime value"), ":material/savings:", noop("What will our customers be worth?")),
    "customer": (noop("Customers"), noop("Customer"), ":material/person_search:", noop("Who is this customer?")),
    "data": (noop("Data"), noop("Data"), ":material/upload_file:", noop("What has been loaded, and is it fit to use?")),
    "definitions": (noop("Data"), noop("Definitions"), ":material/menu_book:", noop("What does each number mean?")),
}


@dataclass(frozen=True)
class Page:
    """What a page works with: the source to ask, the reader's filters, and what the data set holds."""

    name: str
    source: Source
    filters: Filters
    period: Period
    first_on: date
    last_on: date
    currency: str
    has_costs: bool

    @property
    def is_dark(self) -> bool:
        """Whether the dark theme is on."""
        return is_dark()


def is_dark() -> bool:
    """Return whether the reader's theme is dark."""
    return st.context.theme.type == "dark"


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class CachedSource(Source):
    """A source whose answers are kept for all readers of the same scope."""

    scope: Scope = Scope()

    def __call__(self, query: Any) -> pd.DataFrame:
        """Return the rows of `query`, kept by data set, version, scope, SQL text and bound values."""
        sql, values = database.statement_text(self.data_set, query)
        return _kept_rows(self.data_set.address, self.version, repr(self.scope), sql, repr(sorted(values.items())), self, query)

    def remember(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return `function(self, *arguments)`, kept by data set, version, scope, function and arguments."""
        name = f"{function.__module__}.{function.__qualname__}"
        kept: T = _kept_result(self.data_set.address, self.version, repr(self.scope), name, repr(arguments), self, function, arguments)
        return kept


@st.cache_data(max_entries=_READS, show_spinner=False)
def _kept_rows(address: str, version: int, scope: str, sql: str, values: str, _source: CachedSource, _query: Any) -> pd.DataFrame:
    return Source.__call__(_source, _query)


@st.cache_resource(max_entries=_READS, show_spinner=False)
def _kept_result(
    address: str,
    version: int,
    scope: str,
    name: str,
    arguments_text: str,
    _source: CachedSource,
    _function: Callable[..., Any],
    _arguments: tuple[Any, ...],
) -> Any:
    return _function(_source, *_arguments)


def ask(page: Page, function: Callable[..., T], *arguments: Any) -> T:
    """Return `function(source, filters, *arguments)`, a table of a room, while the reader sees that something is going on."""
    try:
        with st.spinner(t("Computing…"), show_time=True):
            return page.source.remember(function, page.filters, *arguments)
    except DataMoved:
        st.rerun()


# ── beginning a page ────────────────────────────────────────────────────────────────────────────────────────────────────


def navigation() -> Any:
    """Return the navigation of the app, its page chosen; called by app.py, and by a page that was opened without it."""
    _choose_language()
    st.session_state["app_has_run"] = True
    home = st.Page(_go_home, title="CRM Metrics", url_path="home", default=True, visibility="hidden")
    sections: dict[str, list[Any]] = {"": [home]}
    for name, (section, title, icon, _) in PAGES.items():
        page = st.Page(f"pages/{name}.py", title=t(title), icon=icon, url_path=name)
        sections.setdefault(t(section), []).append(page)
    return st.navigation(sections)


@contextmanager
def guarded() -> Iterator[None]:
    """Show what a reader can put right as a sentence; anything else gets a number to quote, goes to the log and goes on."""
    try:
        yield
    except BadInput as problem:
        st.error(str(problem), icon=":material/error:")
    except Exception:
        number = secrets.token_hex(3)
        _log.exception("Error %s on a page", number)
        st.error(
            t("Something went wrong on our side. Quote the number {number} when you report it.", number=number), icon=":material/error:"
        )
        raise


def _go_home() -> None:
    """Open the first room; the page at the root has no address of its own, so it can't be a room itself."""
    open_page("executive_kpis")


def open_page(name: str, **parameters: str) -> None:
    """Go to another page, the filters along."""
    st.switch_page(f"pages/{name}.py", query_params={**_address_parameters(), **parameters})


def start_page(name: str, *, needs_data: bool = True) -> Page:
    """Draw title, question, filter bar and sentence, and return what the page works with.

    Stops the page with words for "no data" where it needs data and there are none.
    """
    if "app_has_run" not in st.session_state:
        navigation()
        st.rerun()
    _choose_language()
    _, title, _, question = PAGES[name]
    data_set = _choose_data_set()
    st.html("<style>.stMainBlockContainer{padding-top:2.6rem;padding-bottom:3rem}</style>")
    st.title(t(title), anchor=False)
    st.caption(t(question))
    source = CachedSource(data_set, database.version(data_set), scope=Scope())
    holds = source(sales.extent(source.scope)).iloc[0]
    if pd.isna(holds.first_on):
        if needs_data:
            _no_data(data_set)
        today = date(1970, 1, 1)
        return Page(name, source, Filters(scope=source.scope), Period(today, today), today, today, "", has_costs=False)
    return _page_with_data(name, source, holds, with_bar=needs_data)


def _page_with_data(name: str, source: CachedSource, holds: Any, *, with_bar: bool) -> Page:
    first_on, last_on = holds.first_on.date(), holds.last_on.date()
    settings = source(sales.settings()).set_index("setting").setting_value
    filters = Filters(start=first_on, end=last_on, scope=source.scope)
    if with_bar:
        filters = _filter_bar(source, first_on, last_on)
        unknown = int(source(sales.orders_without_customer(filters)).orders.iloc[0])
        st.caption(f":material/filter_alt: {sentence(filters, customers_unknown=unknown)}")
    if name == "customer":
        filters = replace(filters, customer=page_parameter("customer"))
    period = Period(filters.start or first_on, filters.end or last_on)
    _write_address()
    return Page(name, source, filters, period, first_on, last_on, str(settings.get("currency") or ""), has_costs=bool(holds.has_costs))


def _no_data(data_set: DataSet) -> None:
    st.info(
        t("The data set “{name}” is empty. Bring in order files, or look around with the CDNOW sample.", name=data_set.name),
        icon=":material/inbox:",
    )
    if st.button(t("Open the Data page"), type="primary"):
        open_page("data")
    st.stop()


# ── the reader's choices: in the session, and in the address ────────────────────────────────────────────────────────────


def choices() -> dict[str, Any]:
    """Return the reader's choices as plain values; a session begins with those of its address."""
    if _CHOICES not in st.session_state:
        given = validated({key: st.query_params[key] for key in st.query_params})
        lists: dict[str, Any] = {choice.key: st.query_params.get_all(choice.key) for choice in CHOICES}
        st.session_state[_CHOICES] = {**given, **{key: values for key, values in lists.items() if values}}
    chosen: dict[str, Any] = st.session_state[_CHOICES]
    return chosen


def _address_parameters() -> dict[str, Any]:
    """Return the choices that differ from the defaults."""
    defaults = {"period": "last_12_months", "compare": "previous", "lang": "en"}
    return {key: value for key, value in choices().items() if value and value != defaults.get(key) and key != "customer"}


def _write_address() -> None:
    """Write the shared choices alone: a page's own parameters may be bound to widgets, and those can't be written here."""
    wanted = {key: value if isinstance(value, list) else [str(value)] for key, value in _address_parameters().items()}
    for key in _KNOWN:
        if key in st.query_params and key not in wanted:
            del st.query_params[key]
        elif key in wanted and st.query_params.get_all(key) != wanted[key]:
            st.query_params[key] = wanted[key]


_KNOWN = {"period", "compare", "from", "to", "as_of", "lang", "data", *(choice.key for choice in CHOICES)}


def _keep(key: str) -> None:
    choices()[key] = st.session_state[f"choose_{key}"]


def _select(
    key: str, label: str, options: list[Any], labels: dict[Any, str], default: Any, width: int | Literal["stretch"] = "stretch"
) -> Any:
    """Draw a select box whose value follows the reader from page to page."""
    now = choices().get(key, default)
    st.session_state[f"choose_{key}"] = now if now in options else default
    return st.selectbox(
        label,
        options,
        key=f"choose_{key}",
        format_func={option: t(labels.get(option, str(option))) for option in options}.__getitem__,
        on_change=_keep,
        args=(key,),
        width=width,
        label_visibility="visible" if width == "stretch" else "collapsed",
    )


def _choose_language() -> None:
    browser = (st.context.locale or "").lower()
    chosen = choices().setdefault("lang", "zh" if browser.startswith("zh") else "en")
    language.use(chosen)


def _choose_data_set() -> DataSet:
    sets = {data_set.name: data_set for data_set in database.data_sets()}
    configured = database.find_data_set(os.environ.get(DEFAULT_DATA, ""))
    sets.setdefault(configured.name, configured)
    with st.sidebar:
        name = _select("data", t("Data set"), sorted(sets), {}, configured.name)
        st.session_state["choose_lang"] = choices()["lang"]
        st.segmented_control(
            t("Language"),
            ["en", "zh"],
            key="choose_lang",
            format_func={"en": "English", "zh": "中文"}.__getitem__,
            on_change=_keep,
            args=("lang",),
            required=True,
            label_visibility="collapsed",
        )
    return sets[name]


def _filter_bar(source: CachedSource, first_on: date, last_on: date) -> Filters:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        preset: Preset = _select("period", t("Period"), list(PRESETS), dict(PRESET_LABELS), "last_12_months", width=170)
        period = _own_period(first_on, last_on) if preset == "own" else preset_period(preset, first_on=first_on, last_on=last_on)
        compare: Compare = _select("compare", t("Compared with"), list(COMPARE_LABELS), dict(COMPARE_LABELS), "previous", width=230)
        values, as_of = _more_filters(source, period, first_on, last_on)
    return replace(Filters(period.start, period.end, as_of, compare, scope=source.scope), **values)


def _own_period(first_on: date, last_on: date) -> Period:
    def chosen(key: str, label: str, default: date) -> date:
        given = choices().get(key)
        now = date.fromisoformat(given) if isinstance(given, str) else given or default
        st.session_state[f"choose_{key}"] = min(max(now, first_on), last_on)
        value: date = st.date_input(
            label, key=f"choose_{key}", min_value=first_on, max_value=last_on, on_change=_keep, args=(key,), width=150
        )
        return value

    start, end = chosen("from", t("From"), first_on), chosen("to", t("To"), last_on)
    if start > end:
        raise BadInput("The period begins on {start} and ends on {end}. Choose an end after the beginning.", start=start, end=end)
    return Period(start, end)


def _more_filters(source: CachedSource, period: Period, first_on: date, last_on: date) -> tuple[dict[str, Any], date | None]:
    used = sum(bool(choices().get(choice.key)) for choice in CHOICES) + bool(choices().get("as_of"))
    label = t("Filters ({n})", n=used) if used else t("Filters")
    with st.popover(label, icon=":material/tune:", type="primary" if used else "secondary"):
        values: dict[str, Any] = {choice.key: _choose_values(source, choice) for choice in CHOICES}
        given = choices().get("as_of")
        st.session_state["choose_as_of"] = date.fromisoformat(given) if isinstance(given, str) else given
        as_of = st.date_input(
            t("As of (models see nothing after this day)"),
            value=None,
            key="choose_as_of",
            min_value=first_on,
            max_value=last_on,
            on_change=_keep,
            args=("as_of",),
        )
    return values, as_of if as_of != period.end else None


def _choose_values(source: CachedSource, choice: Choice) -> tuple[str, ...]:
    found = source(sales.choice_values(choice.column, source.scope)).value
    options = [UNKNOWN if pd.isna(value) else str(value) for value in found]
    chosen = [value for value in choices().get(choice.key, []) if value in options]
    if options in ([], [UNKNOWN]):
        return ()
    st.session_state[f"choose_{choice.key}"] = chosen
    st.multiselect(
        t(choice.label),
        options,
        key=f"choose_{choice.key}",
        format_func={value: t("unknown") if value == UNKNOWN else value for value in options}.__getitem__,
        placeholder=t("All"),
        on_change=_keep,
        args=(choice.key,),
    )
    return tuple(chosen)


def page_parameter(key: str) -> str:
    """Return a parameter of the address that belongs to one page alone (a customer's id); "" where there is none."""
    return st.query_params.get(key, "")
