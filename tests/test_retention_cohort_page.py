"""The page Retention: every question is answered, whatever is chosen, and a click on a cell shows who is behind it."""

import pytest
from opened_pages import opened
from streamlit.testing.v1 import AppTest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("retention")]  # the demo is built once, by one process


def assert_answered(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert all(len(table.value) for table in app.dataframe)


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("tab", ["cohorts", "average", "trend", "test"])
@pytest.mark.parametrize("by", ["first_purchase", "acquisition_channel", "first_category", "first_product", "first_campaign"])
@pytest.mark.usefixtures("demo")
def test_no_question_about_cohorts_stays_open(by: str, tab: str, spoken: str) -> None:
    assert_answered(opened("retention", tab=tab, by=by, lang=spoken, period="all"))


@pytest.mark.parametrize("grain", ["day", "week", "quarter"])
@pytest.mark.parametrize("mode", ["on_or_after", "on_or_before"])
@pytest.mark.parametrize(("measure", "shown"), [("customers", "previous"), ("net_revenue", "first"), ("gross_margin", "customer")])
@pytest.mark.usefixtures("demo")
def test_whatever_is_chosen_is_drawn(grain: str, mode: str, measure: str, shown: str) -> None:
    for tab in ("cohorts", "average", "trend"):
        app = opened("retention", grain=grain, mode=mode, measure=measure, tab=tab, **{"as": shown})
        assert_answered(app)
        wanted = {"grain": grain, "mode": mode, "measure": measure, "as": shown}
        assert {key: app.selectbox(key=f"choice_retention_{key}").value for key in wanted} == wanted


@pytest.mark.usefixtures("demo")
def test_where_few_came_in_the_period_all_dates_are_offered() -> None:
    app = opened("retention", period="own", **{"from": "2025-12-31", "to": "2025-12-31"})
    button = next(button for button in app.button if button.label == "Show all dates")
    assert_answered(button.click().run())


@pytest.mark.usefixtures("demo")
def test_a_click_on_a_cell_shows_who_is_behind_it() -> None:
    app = opened("retention", period="all")
    assert len(app.dataframe) == 1
    app.session_state["retention_cohorts"] = {"selection": {"points": [{"customdata": ["1 2024-05-01", ""]}]}}
    app.run()
    assert not app.exception
    found, people = app.dataframe[0].value, app.dataframe[1].value
    back = found.query("name == 'May 2024' and age == 1")["value"].iloc[0]
    assert len(people) == back > 0
    assert app.subheader[0].value == "Customers: May 2024, month 1, bought in period"


@pytest.mark.usefixtures("demo")
def test_rubbish_in_the_address_is_not_chosen() -> None:
    app = opened("retention", by="'; drop table orders", measure="", age="-7", tab="trend")
    assert_answered(app)
    assert app.selectbox(key="choice_retention_by").value == "first_purchase"
    assert app.selectbox(key="choice_retention_age").value == "1"
