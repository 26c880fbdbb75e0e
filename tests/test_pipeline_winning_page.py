"""The pages Why deals are won and Ownership: every question is answered, or it is said why not."""

import datetime as dt

import pytest
from opened_pages import five_customers, opened, texts
from written_deals import write

from crm_metrics.database import find_data_set

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]  # the demo is built once, by one process
TABS = {
    "winning": ["differences", "reasons", "competitors", "model", "factors", "moves", "scorecard"],
    "ownership": ["blind_spots", "owners", "unassigned", "known_to_one", "reassigned", "completeness", "service"],
}
EVERY = [(page, tab) for page, tabs in TABS.items() for tab in tabs]


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize(("page", "tab"), EVERY)
@pytest.mark.usefixtures("demo")
def test_every_question_is_answered(page, tab, spoken):
    app = opened(page, tab=tab, lang=spoken, period="all")
    assert not app.exception
    assert not app.error
    assert app.get("plotly_chart") or app.dataframe or tab in ("model", "factors")  # a small demo has too few deals to learn from


@pytest.mark.parametrize(("page", "tab"), EVERY)
@pytest.mark.usefixtures("demo")
def test_a_past_day_and_days_before_all_deals_raise_nothing(page, tab):
    for days in (
        {"period": "own", "from": "2023-01-01", "to": "2024-06-30"},
        {"period": "own", "from": "2023-01-01", "to": "2023-01-02"},
    ):
        app = opened(page, tab=tab, **days)
        assert not app.exception
        assert not app.error


@pytest.mark.parametrize(("page", "tab"), EVERY)
def test_deals_without_history_say_what_is_not_recorded(folder, page, tab):
    days = {"created_on": dt.date(2024, 1, 1), "closed_on": dt.date(2024, 2, 1)}
    write(
        find_data_set(f"duckdb:///{folder}/mine.duckdb"),
        [{"opportunity_id": "a", "outcome": "won", **days}, {"opportunity_id": "b", "created_on": dt.date(2024, 1, 1), "owner_id": "x"}],
    )
    app = opened(page, tab=tab, data="mine")
    assert not app.exception
    assert ("Not recorded of these deals, or" if page == "winning" else "open deals") in texts(app)


@pytest.mark.parametrize("page", TABS)
def test_data_without_deals_say_so(folder, page):
    five_customers(folder)
    app = opened(page, data="mine")
    assert not app.exception
    assert "no deals, leads or activities" in texts(app)
