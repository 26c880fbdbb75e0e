"""How every page begins: navigation, language, data set, permission, shared filters and the sentence that says which rows.

Every page draws these itself, because a page opened by its address in a fresh process runs without app.py.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd
import streamlit as st
from streamlit.errors import FragmentHandledException

from crm_metrics import database, sales
from crm_metrics.database import DataMoved, Source
from crm_metrics.demo import truth
from crm_metrics.export import safe_text
from crm_metrics.filters import Filters, sentence
from crm_metrics.language import noop, t
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period
from crm_metrics.pipeline.deals import query as deals
from crm_metrics.pipeline.deals.terms import DEAL_KEYS
from crm_metrics.scope import Scope
from crm_metrics.ui import samples
from crm_metrics.ui.address import left_parameters
from crm_metrics.ui.choices import (
    ORDERS,
    Subject,
    Uses,
    address_parameters,
    begin_choices,
    choices,
    choose_data_set,
    choose_language,
    draw_language,
    filter_bar,
    page_parameter,
    write_address,
)
from crm_metrics.ui.kept import kept

T = TypeVar("T")
ICON = str(Path(__file__).with_name("icon.png"))  # of our own: a symbol would be fetched from elsewhere
_NEVER = date(1970, 1, 1)  # the days of an empty data set
_log = logging.getLogger(__name__)
_PAGE_STYLE = """<style>
.stMainBlockContainer {padding-top:2.6rem; padding-bottom:3rem}
.stSidebar .stPageLink {margin-top:-.8rem}
.stSidebar .stSelectbox {margin-top:1.2rem}
</style>"""

PAGES: dict[str, tuple[str, str, str, str]] = {  # file: section, title, icon, question
    "executive_kpis": (noop("Overview"), noop("Executive KPIs"), ":material/monitoring:", noop("How are we doing, and why did it change?")),
    "segmentation": (noop("Customers"), noop("Segmentation"), ":material/donut_small:", noop("Who are our customers?")),
    "clusters": (
        noop("Customers"),
        noop("Clusters and axes"),
        ":material/scatter_plot:",
        noop("Who behaves alike, and are the satisfied ones loyal?"),
    ),
    "audience": (
        noop("Customers"),
        noop("Segments and tests"),
        ":material/group_add:",
        noop("Whom shall we speak to, and how shall we know that it worked?"),
    ),
    "profitability": (noop("Customers"), noop("Profitability"), ":material/finance_mode:", noop("Which customers earn the money?")),
    "lifetime_value": (noop("Customers"), noop("Lifetime value"), ":material/savings:", noop("What will our customers be worth?")),
    "customer": (noop("Customers"), noop("Customer"), ":material/person_search:", noop("Who is this customer?")),
    "retention": (noop("Retention"), noop("Retention"), ":material/event_repeat:", noop("Do they come back?")),
    "churn": (noop("Retention"), noop("Churn"), ":material/logout:", noop("Who has left, and who is about to?")),
    "leaky_bucket": (noop("Retention"), noop("Leaky bucket"), ":material/water_drop:", noop("Do we win as many as we lose?")),
    "payback": (
        noop("Retention"),
        noop("Payback"),
        ":material/price_check:",
        noop("When has a customer paid back, and what is more retention worth?"),
    ),
    "campaign_roi": (noop("Campaigns"), noop("Campaign ROI"), ":material/campaign:", noop("Which campaigns pay?")),
    "campaign_result": (
        noop("Campaigns"),
        noop("Campaign result"),
        ":material/science:",
        noop("Did this campaign change what people did?"),
    ),
    "campaign_plan": (
        noop("Campaigns"),
        noop("Campaign planner"),
        ":material/edit_calendar:",
        noop("Will the next campaign pay, and did the last ones do what was expected?"),
    ),
    "pipeline": (noop("Sales"), noop("Pipeline"), ":material/filter_alt:", noop("Where do deals stall?")),
    "conversion": (
        noop("Sales"),
        noop("Conversion and time"),
        ":material/timeline:",
        noop("How many are won in the end, and how long does it take?"),
    ),
    "pipeline_changes": (
        noop("Sales"),
        noop("Pipeline changes"),
        ":material/waterfall_chart:",
        noop("What came into the pipeline, and what left it?"),
    ),
    "sales_forecast": (
        noop("Sales"),
        noop("Sales forecast"),
        ":material/query_stats:",
        noop("What will the quarter bring, and were we right before?"),
    ),
    "sales_people": (noop("Sales"), noop("Sales people"), ":material/groups:", noop("Who brings what, and did the CRM change it?")),
    "winning": (
        noop("Sales"),
        noop("Why deals are won"),
        ":material/emoji_events:",
        noop("What do won deals have in common, and why were others lost?"),
    ),
    "ownership": (
        noop("Sales"),
        noop("Ownership"),
        ":material/assignment_ind:",
        noop("Who looks after whom, and who is looked after by nobody?"),
    ),
    "data": (noop("Data"), noop("Data"), ":material/upload_file:", noop("What has been loaded, and is it fit to use?")),
    "definitions": (noop("Data"), noop("Definitions"), ":material/menu_book:", noop("What does each number mean?")),
    "demo": (
        noop("Data"),
        noop("What is true in this demo"),
        ":material/experiment:",
        noop("Which numbers made these data, and would the dashboard find them?"),
    ),
}
_OF_DEMOS = "demo"  # the page that has a link only where the data set is a demo


@dataclass(frozen=True)
class Page:
    """What a page works with: the source to ask, the reader's filters and days, and what the data set holds.

    held: its days. bar: where the filters stand, for choices of the page's own beside them.
    """

    name: str
    source: "CachedSource"
    filters: Filters
    period: Period
    held: Period
    currency: str
    is_demo: bool
    bar: Any = None

    @property
    def is_dark(self) -> bool:
        """Whether the dark theme is on."""
        return bool(st.context.theme.type == "dark")


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class CachedSource(Source):
    """A source whose answers are kept for all readers of the same scope."""

    scope: Scope = Scope()

    def __call__(self, query: Any) -> pd.DataFrame:
        """Return the rows of `query`, kept by data set, version, scope, SQL text and bound values."""
        sql, values = database.statement_text(self.data_set, query)
        found: pd.DataFrame = kept().answer((*self.key, sql, repr(sorted(values.items()))), lambda: Source.__call__(self, query))
        return found

    def remember(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return `function(self, *arguments)`, kept by data set, version, scope, function and arguments."""
        found: T = kept().answer(self._key_of(function, arguments), lambda: function(self, *arguments))
        return found

    def remembers(self, function: Callable[..., Any], *arguments: Any) -> bool:
        """Return whether `remember` has its answer ready."""
        return self._key_of(function, arguments) in kept()

    def _key_of(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*self.key, function.__module__, function.__qualname__, repr(arguments))

    @property
    def key(self) -> tuple[str, int, str]:
        """What every key of an answer begins with: data set, version and scope."""
        return self.data_set.address, self.version, repr(self.scope)


def ask(page: Page, function: Callable[..., T], *arguments: Any) -> T:
    """Return `function(source, filters, *arguments)`, a table of a room; while it is computed the reader sees that something goes on."""
    is_ready = page.source.remembers(function, page.filters, *arguments)
    try:
        with nullcontext() if is_ready else st.spinner(t("Computing…"), show_time=True):
            return page.source.remember(function, page.filters, *arguments)
    except DataMoved:
        st.rerun()


# ── beginning a page ────────────────────────────────────────────────────────────────────────────────────────────────────


def navigation() -> Any:
    """Return the navigation of the app, its page chosen; called by app.py, and by a page that was opened without it.

    The links in the sidebar are drawn by start_page, because they carry the reader's choices in their address.
    """
    begin_choices()
    choose_language()
    st.session_state["app_has_run"] = True
    pages = [st.Page(_go_home, title="CRM Metrics", url_path="home", default=True)]
    for name, (_, title, icon, _question) in PAGES.items():
        pages.append(st.Page(f"pages/{name}.py", title=t(title), icon=icon, url_path=name))
    return st.navigation(pages, position="hidden")


@contextmanager
def guarded() -> Iterator[None]:
    """Show what a reader can put right as a sentence; anything else gets a number to quote, goes to the log and goes on."""
    try:
        yield
    except BadInput as problem:
        st.error(safe_text(str(problem)), icon=":material/error:")
    except DataMoved:
        st.rerun()
    except FragmentHandledException:  # a part has said it
        raise
    except Exception:
        number = secrets.token_hex(3)
        _log.exception("Error %s on a page", number)
        st.error(
            t("Something went wrong on our side. Quote the number {number} when you report it.", number=number), icon=":material/error:"
        )
        raise


def part(function: Callable[[], None]) -> None:
    """Draw `function`, a part of its page, where it stands; a choice in it draws it anew alone. Used as a decorator.

    It goes on with the page's source: a newer version of the data is seen by the next run of the whole page.
    """

    @st.fragment
    @wraps(function)
    def drawn() -> None:
        choose_language()  # neither app.py nor start_page runs before a part that is drawn alone
        with guarded():
            function()

    drawn()


def _go_home() -> None:
    """Open the first room; the page at the root has no address of its own, so it can't be a room itself."""
    open_page("executive_kpis")


def open_page(name: str, **parameters: str) -> None:
    """Go to another page, the filters along, as the reader left it but for `parameters`."""
    choices().update({key: [value] for key, value in parameters.items() if key in DEAL_KEYS})
    st.switch_page(f"pages/{name}.py", query_params={**_link_parameters(name), **parameters})


def _link_parameters(name: str) -> dict[str, Any]:
    return {**left_parameters(name), **address_parameters()}


def start_page(
    name: str,
    *,
    needs_data: bool = True,
    needs_orders: bool = True,
    narrows: bool = True,
    compares: bool = True,
    subject: Subject = ORDERS,
) -> Page:
    """Draw the sidebar, title, question, filter bar and sentence, and return what the page works with.

    needs_data: the page stops with words for "no data" where there are none; needs_orders: any but orders are none to it, else it goes on
    with what there is and without a period. narrows: the period, region, channel and category matter; compares: the comparison does.
    subject: what the page is about where it is not orders; its days are then those of both.
    """
    if "app_has_run" not in st.session_state:
        navigation()
        st.rerun()
    choose_language()
    notices: list[str] = []
    with st.sidebar:
        links = st.container()
        data_set = choose_data_set(notices)
        draw_language()
    _draw_title(name)
    source = CachedSource(data_set, database.version(data_set), scope=Scope())
    about = source.remember(_about, source.scope, subject)
    filters, bar = Filters(scope=source.scope), st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    if about.held and needs_data:
        with bar:
            filters = filter_bar(source, source.scope, subject, held=about.held, uses=Uses(narrows, compares), notices=notices)
        unknown = source.remember(_orders_without_customer, filters) if narrows and subject is ORDERS else 0
        words = sentence(filters, customers_unknown=unknown) + ("" if about.currency else t(" The currency is not stated."))
        words += t(" The company is simulated.") if about.is_demo else ""
        st.caption(f":material/filter_alt: {safe_text(words)}")
    for notice in notices:
        st.warning(notice, icon=":material/info:")
    _draw_links(links, is_demo=about.is_demo)
    write_address()
    if needs_data and not about.held and (needs_orders or about.is_empty):
        _no_data(source, is_empty=about.is_empty)
    return _page(name, source, filters, about, bar)


def _draw_title(name: str) -> None:
    _, title, _, question = PAGES[name]
    st.html(_PAGE_STYLE)
    st.title(t(title), anchor=False)
    st.caption(t(question))


class _About(NamedTuple):
    """What a data set holds.

    held: first and last day of its orders and of the page's subject, None without any. is_empty: nothing was loaded. currency: ""
    where no import stated one.
    """

    held: Period | None
    is_empty: bool
    currency: str
    is_demo: bool


def _about(source: Source, scope: Scope, subject: Subject) -> _About:
    settings = source(sales.settings()).set_index("setting").setting_value
    days = [source(query(scope)).iloc[0] for query in {sales.extent, subject.extent}]
    known = [(row.first_on.date(), row.last_on.date()) for row in days if not pd.isna(row.first_on)]
    return _About(
        Period(min(first for first, _ in known), max(last for _, last in known)) if known else None,
        not source(sales.loaded_batches()).batches.iloc[0],
        str(settings.get("currency") or ""),
        bool(source(truth.is_demo()).facts.iloc[0]),
    )


def _orders_without_customer(source: Source, filters: Filters) -> int:
    return int(source(sales.orders_without_customer(filters)).orders.iloc[0])


def _page(name: str, source: CachedSource, filters: Filters, about: _About, bar: Any) -> Page:
    if name == "customer":
        filters = replace(filters, customer=page_parameter("customer"))
    held = about.held or Period(_NEVER, _NEVER)
    period = Period(filters.start or held.start, filters.end or held.end)
    return Page(name, source, filters, period, held, about.currency, is_demo=about.is_demo, bar=bar)


def _draw_links(place: Any, *, is_demo: bool) -> None:
    """Draw the links to the pages, each with the reader's choices in its address: one step in the browser's history."""
    with place:
        section_before = ""
        for name, (section, title, icon, _) in PAGES.items():
            if name == _OF_DEMOS and not is_demo:
                continue
            if section != section_before:
                st.caption(t(section))
                section_before = section
            st.page_link(f"pages/{name}.py", label=t(title), icon=icon, query_params=_link_parameters(name), width="stretch")


def _no_data(source: CachedSource, *, is_empty: bool) -> None:
    data_set = source.data_set
    empty = t("The data set “{name}” is empty. Bring in order files, or look around in a sample.", name=data_set.name)
    without = t(
        "The data set “{name}” holds no orders, and this page is about them. Bring in order files, or look around in a sample.",
        name=data_set.name,
    )
    st.info(empty if is_empty else without, icon=":material/inbox:")
    if not is_empty and source(deals.held(source.scope)).deals.iloc[0] and st.button(t("Open the Pipeline page"), type="primary"):
        open_page("pipeline")
    if st.button(t("Open the Data page"), type="primary"):
        open_page("data")
    samples.offer(data_set)
    st.stop()
