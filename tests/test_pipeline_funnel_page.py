"""The page Pipeline: every question is answered, whatever is chosen; the choice of deals follows the reader and stands in the address."""

import datetime as dt

import pytest
from opened_pages import opened, texts
from streamlit.testing.v1 import AppTest
from written_deals import Rows, write

from crm_metrics.database import find_data_set

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]  # the demo is built once, by one process
TABS = ["funnel", "groups", "moves", "by", "won", "deals"]


def assert_answered(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert app.dataframe
    assert all(len(table.value) for table in app.dataframe)


def owners(app: AppTest):
    return next(choice for choice in app.multiselect if choice.key == "choose_owner")


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.usefixtures("demo")
def test_no_question_about_the_funnel_stays_open(tab, spoken):
    app = opened("pipeline", tab=tab, lang=spoken, period="all")
    assert_answered(app)
    assert len(app.get("plotly_chart")) == (tab != "deals")


@pytest.mark.parametrize("mode", ["any", "in_order"])
@pytest.mark.parametrize("measure", ["count", "value"])
@pytest.mark.usefixtures("demo")
def test_the_funnel_is_drawn_whichever_way_it_is_counted(mode, measure):
    assert_answered(opened("pipeline", mode=mode, measure=measure))


@pytest.mark.parametrize("tab", ["by", "groups"])
@pytest.mark.parametrize("by", ["owner", "team", "region", "source", "product", "market", "quarter", "month"])
@pytest.mark.usefixtures("demo")
def test_groups_of_every_kind_are_drawn(by, tab):
    assert_answered(opened("pipeline", tab=tab, by=by, period="all"))


@pytest.mark.usefixtures("demo")
def test_the_chosen_deals_follow_the_reader_and_stand_in_the_address():
    app = opened("pipeline", owner="ES0001", team="nobody")
    assert owners(app).value == ["ES0001"]
    assert [warning.value for warning in app.warning] == ["These data have no Team “nobody”; it is left out."]
    owners(app).set_value(["ES0002"])
    app.run()
    assert owners(app).value == ["ES0002"]
    assert app.query_params["owner"] in ("ES0002", ["ES0002"])
    app.switch_page("pages/conversion.py").run()
    assert owners(app).value == ["ES0002"]
    assert app.query_params["owner"] in ("ES0002", ["ES0002"])
    owners(app).set_value([])
    app.run()
    assert "owner" not in app.query_params
    app.switch_page("pages/pipeline.py").run()
    assert owners(app).value == []


@pytest.mark.usefixtures("demo")
def test_a_page_that_is_opened_for_an_owner_shows_that_owners_deals():
    app = opened("pipeline", owner="ES0001", tab="deals", period="all")
    assert set(app.dataframe[0].value["owner_name"]) == {"孙磊 Sun Lei"}


def test_without_deals_the_page_says_what_to_bring_in(folder, monkeypatch):
    from opened_pages import five_customers

    five_customers(folder)
    monkeypatch.setenv("CRM_METRICS_DATA", "mine")
    app = opened("pipeline")
    assert "These data hold no deals, leads or activities." in texts(app)
    assert not app.dataframe


@pytest.mark.parametrize("tab", TABS)
def test_a_snapshot_says_what_a_history_would_add(folder, monkeypatch, tab):
    monkeypatch.setenv("CRM_METRICS_DATA", "mine")
    day = dt.date(2024, 1, 3)
    deals: Rows = [
        {"opportunity_id": "a", "stage": "Lost", "outcome": "lost", "created_on": day, "closed_on": day},
        {"opportunity_id": "b"},
    ]
    write(find_data_set(f"duckdb:///{folder}/mine.duckdb"), deals)
    app = opened("pipeline", tab=tab)
    assert not app.exception
    assert not app.error
    assert "1 of 2 deals have no day of creation: they stay in" in texts(app)
    if tab in ("funnel", "moves"):
        assert "The history of stages would add in which stage deals are lost" in texts(app)


@pytest.mark.parametrize("tab", TABS)
def test_where_no_deal_was_created_every_question_says_so(folder, monkeypatch, tab):
    monkeypatch.setenv("CRM_METRICS_DATA", "mine")
    created, closed = dt.date(2024, 1, 3), dt.date(2024, 6, 3)
    deals: Rows = [{"opportunity_id": "a", "stage": "Won", "outcome": "won", "created_on": created, "closed_on": closed}]
    write(find_data_set(f"duckdb:///{folder}/mine.duckdb"), deals)
    app = opened("pipeline", tab=tab, period="last_30_days")
    assert not app.exception
    assert not app.error
    assert "No deal was created in the period" in texts(app)


@pytest.mark.usefixtures("demo")
def test_the_last_months_end_on_the_day_that_is_looked_at():
    app = opened("pipeline", as_of="2024-03-15")
    assert "Mar 16, 2023 to Mar 15, 2024" in texts(app)
    assert "No deal was created" not in texts(app)
