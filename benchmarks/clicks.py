"""A real browser on every room's page: how long from a click until the page is drawn anew."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

from browser import CHROMIUM_FLAGS, find_chromium
from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import shop
from benchmarks.served import ROOM_PAGES, serving
from crm_metrics.database import DataSet

COUNTED = 24  # clicks on each page, after one on each of its tabs that does not count: the first fits the models
LONGEST = 600_000  # milliseconds
_CHECK_EVERY = 5  # milliseconds between two looks whether the script has run; the browser's own clock takes the time
_OPENINGS, _LIST_MS = 5, 2_000
_PERIOD, _CHOICES = "choose_period", ("choose_region", "choose_channel", "choose_category")
_TABS = '[data-testid=stMain] [data-testid=stButtonGroup] button[aria-checked="false"]'
_GRID, _ROW_PIXELS, _ROWS_IN_VIEW = ".st-key-customer_orders_table [data-testid=stDataFrameResizable]", 35, 6
_ERRORS = "[data-testid=stException], [data-testid=stAlertContentError]"
# When the last click was, when the main part last changed, and the next frame after that, in which it is painted. What stands in a canvas
# is for screen readers: a grid writes it a fifth of a second after it has drawn itself.
_WATCH = """
window.bench = {clicked: 0, changed: 0, drawn: 0};
window.addEventListener('click', event => { bench.clicked = event.timeStamp; }, true);
new MutationObserver(changes => {
  const main = document.querySelector('[data-testid=stMain]');
  const isSeen = node => main.contains(node) && !(node.closest ? node : node.parentElement).closest('canvas');
  if (!main || !changes.some(change => isSeen(change.target))) return;
  bench.changed = performance.now();
  requestAnimationFrame(() => { bench.drawn = performance.now(); });
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
_IS_STILL = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
  && !document.querySelector('[data-testid=stMain] [data-stale=true]') && performance.now() - bench.changed > 250"""


class PageClick(NamedTuple):
    """One click on a page: what was clicked, and the seconds until the last change that it made was painted."""

    page: str
    kind: str
    seconds: float


class _Visitor:
    """One tab of the browser, and how many runs of the script have ended in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address, self.runs = page, address, 0
        page.set_default_timeout(LONGEST)
        page.add_init_script(_WATCH)
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, content: Any) -> None:
        message = ForwardMsg.FromString(content)
        is_end = message.WhichOneof("type") == "script_finished"
        self.runs += is_end and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def open(self, name: str) -> None:
        before = self.runs
        self.page.goto(f"{self.address}/{name}?customer={shop.customer_key(1)}")
        self._wait(before)

    def click(self, target: Locator, **options: Any) -> float:
        """Return the seconds from the click to the last frame that it changed."""
        target.scroll_into_view_if_needed()
        self.page.wait_for_function(_IS_STILL)  # what an earlier click is still drawing is none of this one's
        before = self.runs
        target.click(**options)
        self._wait(before)
        seconds: float = self.page.evaluate("(bench.drawn - bench.clicked) / 1000")
        return seconds

    def _wait(self, runs: int) -> None:
        give_up_at = monotonic() + LONGEST / 1000
        while self.runs == runs:
            if monotonic() > give_up_at:
                raise RuntimeError(f"{self.page.url} drew nothing in {LONGEST / 1000:.0f} seconds.")
            self.page.wait_for_timeout(_CHECK_EVERY)
        self.page.wait_for_function(_IS_STILL)
        if (shown := self.page.locator(_ERRORS)).count():
            raise RuntimeError(f"{self.page.url} shows an error: {shown.first.inner_text()}")

    def has(self, selector: str) -> bool:
        return self.page.locator(selector).count() > 0

    def opened(self, box: Locator) -> Locator:
        """Return the options of a select box; a list that closes as the page around it settles is opened once more."""
        options = self.page.locator("[role=option]")
        for _ in range(_OPENINGS):
            box.click()
            with suppress(PlaywrightTimeout):
                options.first.wait_for(timeout=_LIST_MS)
                break
            self.page.keyboard.press("Escape")
        return options

    # ── what there is to click ────────────────────────────────────────────────────────────────────────────────────────

    def tab(self, turn: int) -> float:
        tabs = self.page.locator(_TABS)
        return self.click(tabs.nth(turn % tabs.count()))

    def period(self, turn: int) -> float:
        options = self.opened(self.page.locator(f".st-key-{_PERIOD} [role=combobox]"))
        presets = options.count() - 1  # the last asks for days
        chosen = next(
            place for place in range(turn, turn + presets) if options.nth(place % presets).get_attribute("aria-selected") != "true"
        )
        return self.click(options.nth(chosen % presets))

    def choice(self, turn: int) -> float:
        boxes = self.page.locator(", ".join(f".st-key-{key} [role=combobox]" for key in _CHOICES))  # deals know no channel
        if not boxes.first.is_visible():
            self.page.locator("[data-testid=stPopoverButton]").first.click()
            boxes.first.wait_for()
        box = boxes.nth(turn % boxes.count())
        options = self.opened(box).filter(has_not_text="Select all")
        seconds = self.click(options.nth(turn % options.count()))
        self.page.keyboard.press("Escape")  # the list
        self.page.keyboard.press("Escape")  # and what it stands in
        self.page.wait_for_timeout(_LIST_MS)  # closing it may run the page once more
        return seconds

    def row(self, turn: int) -> float:
        place = {"x": 15, "y": _ROW_PIXELS * (1.5 + turn % _ROWS_IN_VIEW)}
        return self.click(self.page.locator(_GRID).first, position=place)


def measured_clicks(data_set: DataSet, *, threads: int, counted: int = COUNTED, pages: Sequence[str] = ROOM_PAGES) -> Iterator[PageClick]:
    """Give every counted click on every room's page: by turns a period, a region, channel or category, a tab; a row where it is a table's.

    Raises RuntimeError where a page shows an error.
    """
    with serving(data_set, threads=threads) as (address,), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        for name in pages:
            visitor = _Visitor(browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US"), address)
            yield from _clicked(visitor, name, counted)
            visitor.page.close()
        browser.close()


def _clicked(visitor: _Visitor, name: str, counted: int) -> Iterator[PageClick]:
    visitor.open(name)
    bar = f".st-key-{_PERIOD}"
    visitor.page.locator(f"{bar}, {_GRID}, {_TABS}").first.wait_for()  # the grid's own code comes late
    ways = {"period": (visitor.period, bar), "choice": (visitor.choice, bar), "tab": (visitor.tab, _TABS), "row": (visitor.row, _GRID)}
    if visitor.has(_TABS):
        for turn in range(visitor.page.locator(_TABS).count() + 1):
            visitor.tab(turn)
    there = [(kind, way) for kind, (way, selector) in ways.items() if visitor.has(selector)]
    for turn in range(counted):
        kind, way = there[turn % len(there)]
        yield PageClick(name, kind, way(turn // len(there)))
