"""The page Pipeline changes: every question is answered, whatever is chosen, and a click on a bar shows the deals behind it."""

import pytest
from opened_pages import opened
from streamlit.testing.v1 import AppTest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline_changes")]  # the demo is built once, by one process


def assert_answered(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert all(len(table.value) for table in app.dataframe)


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("tab", ["waterfall", "periods", "day", "trend"])
@pytest.mark.usefixtures("demo")
def test_no_question_about_changes_stays_open(tab: str, spoken: str) -> None:
    for measure, window in (("value", "all"), ("deals", "this_quarter"), ("value", "own")):
        assert_answered(opened("pipeline_changes", tab=tab, lang=spoken, measure=measure, window=window))


@pytest.mark.parametrize("grain", ["week", "quarter"])
@pytest.mark.usefixtures("demo")
def test_time_is_cut_as_chosen(grain: str) -> None:
    app = opened("pipeline_changes", tab="trend", grain=grain)
    assert_answered(app)
    assert len(app.dataframe[0].value) == {"week": 53, "quarter": 4}[grain]


@pytest.mark.usefixtures("demo")
def test_a_click_on_a_bar_shows_the_deals_behind_it() -> None:
    app = opened("pipeline_changes")
    app.session_state["pipeline_changes_waterfall"] = {"selection": {"points": [{"customdata": ["won"]}]}}
    app.run()
    assert not app.exception
    steps, deals = app.dataframe[0].value, app.dataframe[1].value
    assert len(deals) == steps.set_index("step_name")["behind"]["Deals won"] > 0
    assert app.subheader[0].value == f"Deals won: {len(deals)} deals"


@pytest.mark.parametrize("as_of", ["2024-06-30", "2025-06-10"])
@pytest.mark.usefixtures("demo")
def test_no_day_after_the_one_that_is_looked_at_can_be_chosen(as_of: str) -> None:
    app = opened("pipeline_changes", tab="day", as_of=as_of)
    assert_answered(app)
    assert [str(box.value) for box in app.date_input if box.label == "At the end of"] == [as_of]


@pytest.mark.usefixtures("demo")
def test_a_period_that_begins_after_the_day_looked_at_is_not_called_unchanged() -> None:
    app = opened("pipeline_changes", as_of="2024-06-30", period="own", **{"from": "2025-01-01", "to": "2025-06-30"})
    assert "begins after" in app.markdown[0].value


@pytest.mark.usefixtures("demo")
def test_rubbish_in_the_address_is_not_chosen() -> None:
    app = opened("pipeline_changes", window="'; drop table orders", measure="", grain="year", tab="trend")
    assert_answered(app)
    assert next(box for box in app.selectbox if box.label == "Pipeline").value == "all"
