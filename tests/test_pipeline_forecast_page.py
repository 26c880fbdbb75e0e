"""The page Sales forecast: every question is answered for either quarter, and the company's forecast is kept by itself."""

import pytest
from opened_pages import opened
from streamlit.testing.v1 import AppTest

from crm_metrics import workspace

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("forecast")]  # the demo is built once, by one process
TABS = ["forecast", "seller", "past", "stages"]


def assert_answered(app: AppTest) -> None:
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert all(len(table.value) for table in app.dataframe)


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("quarter", ["this", "next"])
@pytest.mark.usefixtures("demo")
def test_no_question_about_a_quarter_stays_open(quarter: str, tab: str, spoken: str) -> None:
    assert_answered(opened("sales_forecast", tab=tab, quarter=quarter, lang=spoken, as_of="2025-11-15"))


@pytest.mark.usefixtures("demo")
def test_in_the_middle_of_a_quarter_the_chance_of_the_quota_is_said() -> None:
    app = opened("sales_forecast", as_of="2025-11-15")
    assert any("is reached with a chance of" in text.value for text in app.markdown)


def test_the_forecast_of_the_company_is_kept_by_itself_on_the_last_day_alone(demo) -> None:
    opened("sales_forecast", as_of="2025-11-15")
    assert workspace.kept_forecasts(demo).empty
    opened("sales_forecast")
    opened("sales_forecast")
    log = workspace.kept_forecasts(demo)
    assert log["quarter_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-01-01"]
    assert log["choice"].tolist() == [""]


def test_a_forecast_of_some_deals_is_kept_by_the_reader(demo) -> None:
    app = opened("sales_forecast", tab="past", owner="ES0001")
    next(button for button in app.button if button.label == "Keep this forecast").click().run()
    assert not app.exception
    log = workspace.kept_forecasts(demo)
    assert log["choice"].iloc[-1] == '{"owner": ["ES0001"]}'


@pytest.mark.usefixtures("demo")
def test_a_workspace_that_cannot_be_written_keeps_nobody_from_the_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(workspace, "keep_forecast", refused)
    assert_answered(opened("sales_forecast"))


@pytest.mark.usefixtures("demo")
def test_rubbish_in_the_address_is_not_chosen() -> None:
    assert_answered(opened("sales_forecast", quarter="'; drop table quotas", tab="-1", side="x"))
