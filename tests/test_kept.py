"""What a process keeps in memory for its readers: bounded, computed once, and never one reader's answer for another."""

import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from browser import ROOT

from crm_metrics import language
from crm_metrics.database import find_data_set
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period
from crm_metrics.scope import Scope
from crm_metrics.ui.kept import KEPT_SETTING, Kept, kept, size_bytes
from crm_metrics.ui.parts import MOST_ROWS, draw
from crm_metrics.ui.start import CachedSource, Page

KILOBYTE = np.zeros(125)


def test_what_was_used_least_recently_goes_first():
    answers = Kept(most_bytes=10_000)
    for name in "abcd":  # 2,000 bytes each with what an entry takes
        answers.answer(name, lambda: KILOBYTE)
    answers.answer("a", lambda: KILOBYTE)
    for name in "ef":
        answers.answer(name, lambda: KILOBYTE)
    assert [name in answers for name in "abcdef"] == [True, False, True, True, True, True]
    assert answers.held_bytes == 10_000


def test_an_answer_larger_than_all_that_may_be_kept_stays_until_the_next_one_comes():
    answers = Kept(most_bytes=500)
    answers.answer("large", lambda: KILOBYTE)
    assert "large" in answers
    answers.answer("next", lambda: KILOBYTE)
    assert "large" not in answers
    assert len(answers) == 1


def test_what_is_kept_stays_below_its_bound_however_many_readers_ask():
    answers = Kept(most_bytes=50_000)

    def ask(seed: int) -> None:
        draws = np.random.default_rng(seed)
        for number in draws.integers(0, 200, 500):
            assert answers.answer(int(number), partial(np.full, 125, number))[0] == number

    readers = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert 40_000 < answers.held_bytes <= 50_000
    assert answers.held_bytes == 2_000 * len(answers)


def test_one_reader_computes_while_the_others_wait():
    answers, computed, found = Kept(10_000), [], []

    def compute() -> str:
        computed.append(threading.get_ident())
        time.sleep(0.05)
        return "answer"

    readers = [threading.Thread(target=lambda: found.append(answers.answer("key", compute))) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(computed) == 1
    assert found == ["answer"] * 8


def test_an_error_is_not_kept():
    answers = Kept(10_000)
    with pytest.raises(ZeroDivisionError):
        answers.answer("key", lambda: 1 / 0)
    assert answers.answer("key", lambda: 7) == 7


def test_what_holds_frames_is_as_large_as_they_are():
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=1000), "name": ["ten letters"] * 1000})
    assert 27_000 <= size_bytes(frame) < 28_000  # 8 a day; 8 and the letters a text
    assert size_bytes({"a": (frame, frame)}) == 2 * size_bytes(frame)


def test_a_setting_that_is_no_number_is_refused_in_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEPT_SETTING, "1GB")
    with pytest.raises(BadInput, match="whole number of megabytes"):
        kept()


# ── whose answer it is ──────────────────────────────────────────────────────────────────────────────────────────────────


def source(version: int = 1, scope: Scope | None = None) -> CachedSource:
    return CachedSource(find_data_set("mine"), version, scope=scope or Scope())


def answered_by(asked: CachedSource, filters: Filters) -> tuple[int, Scope]:
    return asked.version, asked.scope


def test_another_version_or_scope_has_answers_of_its_own():
    everyone, north = Scope(), Scope("manager", ("North",))
    for version in (1, 2):
        for scope in (everyone, north):
            assert source(version, scope).remember(answered_by, Filters()) == (version, scope)
    assert source(2, north).remembers(answered_by, Filters())
    assert not source(3, north).remembers(answered_by, Filters())


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr(Page, "is_dark", False)
    held = Period(pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-12-31").date())
    return Page("any", source(), Filters(), held, held, "", is_demo=False)


def line(frame: pd.DataFrame, *, color: str = "#16809C") -> go.Figure:
    return go.Figure().add_scatter(x=frame["x"].to_numpy(), y=frame["y"].to_numpy(), line={"color": color})


def test_a_figure_is_drawn_once_for_the_frame_that_was_asked_for(page: Page):
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    drawn = draw(page, line, frame)
    assert draw(page, line, frame) is drawn
    assert draw(page, line, frame.copy()) is not drawn
    assert draw(page, line, frame, color="#CC7314") is not drawn


@pytest.mark.slow
def test_no_frame_is_mistaken_for_one_that_is_gone(page: Page):
    """Python gives the place of a frame that is gone to the next one."""
    for value in range(50):
        drawn = draw(page, line, pd.DataFrame({"x": [1], "y": [value]}))
        assert drawn.data[0].y[0] == value


def test_each_theme_and_each_language_has_figures_of_its_own(page: Page, monkeypatch: pytest.MonkeyPatch):
    frame = pd.DataFrame({"x": pd.to_datetime(["2024-01-01", "2024-02-01"]), "y": [3, 4]})
    light = draw(page, line, frame)
    monkeypatch.setattr(Page, "is_dark", True)
    dark = draw(page, line, frame)
    assert light.data[0].line.color != dark.data[0].line.color
    language.use("zh")
    assert draw(page, line, frame).layout.xaxis.hoverformat == "%Y年%-m月%-d日"
    language.use("en")
    assert draw(page, line, frame) is dark


# ── tables and the process ──────────────────────────────────────────────────────────────────────────────────────────────

LONG_TABLE = f"""
import pandas as pd
from crm_metrics import ui
from crm_metrics.ui.start import CachedSource, Page
from crm_metrics.database import find_data_set
from crm_metrics.filters import Filters
from crm_metrics.periods import Period
from datetime import date
day = date(2024, 1, 1)
held = Period(day, day)
page = Page("any", CachedSource(find_data_set("mine"), 1), Filters(), held, held, "", False)
frame = pd.DataFrame({{"name": [f"customer {{number}}" for number in range({MOST_ROWS} + 7)]}})
ui.table(page, frame, columns={{"name": ("Name", "text")}}, name="long", search=True)
"""


def test_a_long_table_shows_its_first_rows_and_finds_all():
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_string(LONG_TABLE, default_timeout=60).run()
    assert len(app.dataframe[0].value) == MOST_ROWS
    assert app.caption[-1].value == "Rows: 5,007; the first 5,000 are shown and sorted here, the files hold all"
    app.text_input[0].set_value("Customer 5006").run()
    assert app.dataframe[0].value["name"].tolist() == ["customer 5006"]
    assert app.caption[-1].value == "Rows: 1"


@pytest.mark.slow
def test_the_server_has_its_rooms_in_memory_before_it_answers():
    code = (
        "import gc, sys; from crm_metrics.ui import server; server.main = lambda prog_name: None; server.serve();"
        "print(gc.get_freeze_count() > 10_000, 'crm_metrics.executive_kpis' in sys.modules, 'lifetimes' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(ROOT), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False"]
