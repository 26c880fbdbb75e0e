"""Every page opens without an exception and shows something: empty, with five customers, with CDNOW, full with the demo; in both
languages.
"""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from browser import ROOT
from opened_pages import five_customers, gone_to, opened, texts
from streamlit.testing.v1 import AppTest
from written_deals import write

from crm_metrics import database
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.data_import.undo import undo
from crm_metrics.demo import room
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import Plan
from crm_metrics.scope import Scope
from crm_metrics.ui.start import PAGES

LANGUAGES = ["en", pytest.param("zh", marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def five_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five customers."""
    folder = tmp_path_factory.mktemp("five")
    five_customers(folder)
    return folder


@pytest.fixture
def five(five_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(database.FOLDER_SETTING, str(five_folder))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    return five_folder


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, cdnow_file: Path) -> Path:
    """A folder with CDNOW, and with Online Retail where the reference data are at hand."""
    folder = tmp_path_factory.mktemp("loaded")
    _load(folder, "cdnow", cdnow_file)
    retail = Path(os.environ.get("CRM_METRICS_SHARED_DATA", ROOT.parent / "shared" / "data")) / "online_retail" / "online_retail.csv.gz"
    if retail.exists():
        _load(folder, "online_retail", retail)
    return folder


def _load(folder: Path, name: str, file: Path) -> None:
    import_file(database.find_data_set(f"duckdb:///{folder / name}.duckdb"), file.read_bytes(), file.name, load_mapping(name))


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo of 1,500 customers."""
    folder = tmp_path_factory.mktemp("demo")
    build(database.find_data_set(f"duckdb:///{folder}/demo.duckdb"), Plan(customers=1_500))
    return folder


WAYS = [
    pytest.param("en", opened, id="en, by its address"),
    pytest.param("zh", gone_to, id="zh, from the first page", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("spoken", "reached"), WAYS)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_data_set(folder: Path, page: str, spoken: str, reached: Callable[..., AppTest]) -> None:
    app = reached(page, lang=spoken)
    assert not app.exception
    assert len(texts(app)) > 40


@pytest.mark.parametrize(("spoken", "reached"), WAYS)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_five_customers(five: Path, page: str, spoken: str, reached: Callable[..., AppTest]) -> None:
    app = reached(page, lang=spoken, period="all")
    assert not app.exception
    assert len(texts(app)) > 60


@pytest.mark.slow
@pytest.mark.xdist_group("loaded")  # loaded once, by one process
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["cdnow", "online_retail"])
def test_every_page_opens_on_real_data(loaded: Path, monkeypatch: pytest.MonkeyPatch, name: str, page: str, spoken: str) -> None:
    if not (loaded / f"{name}.duckdb").exists():
        pytest.skip("the reference data are not here: put them into ../shared/data or name their folder in CRM_METRICS_SHARED_DATA")
    monkeypatch.setenv(database.FOLDER_SETTING, str(loaded))
    customer = {"customer": {"cdnow": "1516", "online_retail": "14911"}[name]} if page == "customer" else {}
    app = gone_to(page, lang=spoken, data=name, period="all", **customer)
    assert not app.exception
    assert not app.error
    charts = len(app.get("plotly_chart"))
    assert charts >= {"executive_kpis": 1, "segmentation": 1, "profitability": 2, "lifetime_value": 1, "customer": 1}.get(page, 0)
    assert len(texts(app)) > 100


FILLED = {  # what each page shows at least of the demo: figures, tables
    "executive_kpis": (1, 2),
    "segmentation": (1, 1),
    "profitability": (1, 1),
    "lifetime_value": (1, 0),
    "customer": (1, 1),
    "data": (0, 1),
    "clusters": (2, 1),
    "audience": (0, 2),
    "retention": (1, 1),
    "churn": (1, 4),
    "leaky_bucket": (1, 1),
    "payback": (1, 1),
    "campaign_roi": (1, 1),
    "campaign_result": (1, 1),
    "campaign_plan": (2, 3),
    "pipeline": (1, 1),
    "conversion": (1, 1),
    "pipeline_changes": (1, 1),
    "sales_forecast": (1, 1),
    "sales_people": (1, 1),
    "winning": (1, 1),
    "ownership": (0, 1),
    "definitions": (0, 1),
    "demo": (0, 1),
}


@pytest.mark.slow
@pytest.mark.xdist_group("demo")  # built once, by one process
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_empty_on_the_demo(demo: database.DataSet, page: str, spoken: str) -> None:
    app = gone_to(page, lang=spoken, **({"customer": most_loyal()} if page == "customer" else {}))
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert not app.info  # "The data set is empty" is one
    figures, tables = FILLED[page]
    assert len(app.get("plotly_chart")) >= figures
    assert len(app.dataframe) >= tables
    assert all(len(table.value) for table in app.dataframe)
    assert len(texts(app)) > 100


def most_loyal() -> str:
    """The customer with most orders who is no test account."""
    histories = database.open_source(database.find_data_set("demo"))(room.channel_histories(Scope()))
    return str(histories.sort_values("frequency").customer_id.iloc[-1])


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("tab", ["worth", "trust", "alive", "model", "customers"])
def test_no_question_about_lifetime_value_stays_open_on_the_demo(demo: database.DataSet, tab: str) -> None:
    app = opened("lifetime_value", tab=tab)
    assert not app.exception
    assert len(app.get("plotly_chart")) + len(app.dataframe) >= 1


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize(("tab", "charts"), [("segments", 1), ("movement", 2), ("lapse", 1), ("customers", 0)])
def test_no_question_about_segments_stays_open_on_the_demo(demo: database.DataSet, tab: str, charts: int, spoken: str) -> None:
    app = opened("segmentation", tab=tab, lang=spoken, orders="1 2 4 8", left_out="2025-11")
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == charts
    assert len(app.dataframe) == 1


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize(
    ("tab", "charts"),
    [("curve", 1), ("steps", 1), ("losing", 1), ("what_if", 1), ("resources", 1), ("rewards", 1), ("stability", 1), ("customers", 0)],
)
def test_no_question_about_profit_stays_open_on_the_demo(demo: database.DataSet, tab: str, charts: int, spoken: str) -> None:
    app = opened("profitability", tab=tab, lang=spoken)
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == charts
    assert len(app.dataframe) == 1
    assert len(app.dataframe[0].value)


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
@pytest.mark.parametrize("by", ["customer", "product", "region", "channel"])
def test_revenue_has_a_pareto_curve_and_where_nothing_is_below_zero_a_gini(demo: database.DataSet, by: str) -> None:
    app = opened("profitability", by=by, measure="net_revenue")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert "How unequal is it?" in texts(app)


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_the_what_if_moves_with_its_sliders(demo: database.DataSet) -> None:
    app = opened("profitability", tab="what_if")
    assert [slider.label for slider in app.slider] == [
        "Serve cheaper by, %",
        "Discounts at most, % (20: as today)",
        "Smallest order accepted (CNY)",
    ]
    app.slider(key="cheaper").set_value(0).run()
    assert "Move a slider" in texts(app)
    today, then = app.dataframe[0].value["profit"]
    assert then == today
    app.slider(key="cheaper").set_value(50).run()
    today, then = app.dataframe[0].value["profit"]
    assert then > today


def test_without_costs_the_page_is_about_revenue_and_says_so(five: Path) -> None:
    app = opened("profitability", period="all", measure="profit", tab="losing")
    assert not app.exception
    assert "No costs of goods are recorded" in texts(app)
    options = [option for control in app.segmented_control for option in control.options]
    assert "Who earns it?" in options
    assert "Who loses, and why?" not in options


def test_cut_points_that_do_not_rise_are_refused_in_words(five: Path) -> None:
    app = opened("segmentation", period="all", orders="5 3 2 1")
    assert [error.value for error in app.error] == [
        "The cut points 5, 3, 2, 1 are not four rising numbers\\. Write four numbers, each larger than the one before\\."
    ]


@pytest.mark.parametrize("spoken", LANGUAGES)
@pytest.mark.parametrize(("tab", "charts"), [("parameters", 0), pytest.param("found", 1, marks=pytest.mark.slow), ("who", 0)])
@pytest.mark.xdist_group("demo")
def test_the_truth_is_stated_found_again_and_people_are_told_apart(demo: database.DataSet, tab: str, charts: int, spoken: str) -> None:
    app = opened("demo", tab=tab, lang=spoken)
    assert not app.exception
    assert len(app.get("plotly_chart")) == charts
    assert len(app.dataframe) == 1
    assert len(app.dataframe[0].value) > 20
    assert {label for label in links(app) if label in ("What is true in this demo", "演示数据的真相")} != set()


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.sidebar.get("page_link")]


def test_a_data_set_that_is_no_demo_has_no_link_to_its_truth_and_its_page_offers_the_demo(five: Path) -> None:
    app = opened("demo", period="all")
    assert "is no demo" in texts(app)
    assert [button.label for button in app.button] == ["Build the demo"]
    assert len(links(app)) == len(PAGES) - 1


def test_a_data_set_of_deals_alone_is_told_by_its_deals(folder: Path) -> None:
    write(database.find_data_set("mine"), [{"opportunity_id": "d1", "outcome": "won", "created_on": dt.date(2024, 1, 1)}])
    shown = "".join(block.proto.body for block in opened("data").get("html"))
    assert "Deals held" in shown
    assert "Jan 1, 2024 to Jan 1, 2024" in shown
    assert "Order lines" not in shown
    assert "Rows in quarantine" in shown


def test_both_samples_are_one_click_away_from_an_empty_data_set(folder: Path) -> None:
    for page in ("executive_kpis", "data"):
        for empty in ({}, {"data": "demo"}, {"data": "cdnow"}):
            assert {"Build the demo", "Load the CDNOW sample"} <= {button.label for button in opened(page, **empty).button}


@pytest.mark.xdist_group("demo")
def test_a_sample_that_is_there_is_opened_by_its_button(demo: database.DataSet, demo_folder: Path) -> None:
    five_customers(demo_folder)
    app = opened("data", data="mine")
    next(button for button in app.button if button.label == "Open the demo").click()
    app.run()
    assert not app.exception
    assert app.selectbox(key="choose_data").value == "demo"
    assert "“demo” holds" in texts(app)


@pytest.mark.slow
def test_a_sample_whose_imports_were_taken_back_is_offered_anew(folder: Path, cdnow_file: Path) -> None:
    _load(folder, "cdnow", cdnow_file)
    undo(database.find_data_set("cdnow"), 1)
    assert "Load the CDNOW sample" in {button.label for button in opened("data", data="cdnow").button}


@pytest.mark.slow
def test_the_demo_is_built_by_its_button(folder: Path) -> None:
    app = opened("executive_kpis")
    next(button for button in app.button if button.label == "Build the demo").click()
    app.run(timeout=120)
    assert not app.exception
    assert app.selectbox(key="choose_data").value == "demo"
    assert len(app.get("plotly_chart")) >= 1


def test_a_file_is_never_proposed_for_a_demo(demo: database.DataSet) -> None:
    assert opened("data").text_input(key="target_of_demo").value == "mine"


def test_an_empty_data_set_leads_to_the_data_page(folder: Path) -> None:
    app = opened("executive_kpis")
    assert "empty" in app.info[0].value
    assert app.button[0].label == "Open the Data page"


def test_the_language_of_the_address_is_the_language_of_the_page(folder: Path) -> None:
    assert opened("executive_kpis", lang="zh").title[0].value == "经营指标"


def test_filters_follow_the_reader_and_stand_in_the_address(five: Path) -> None:
    app = opened("executive_kpis", period="last_30_days")
    app.switch_page("pages/lifetime_value.py")
    app.run()
    assert app.selectbox(key="choose_period").value == "last_30_days"
    assert app.query_params["period"] == "last_30_days"


def test_links_lead_to_a_page_as_the_reader_left_it(five: Path) -> None:
    app = opened("definitions")
    app.segmented_control(key="choice_definitions_tab").set_value("terms").run()
    assert app.query_params["tab"] == "terms"
    app.switch_page("pages/data.py")
    app.run()
    asked = {link.proto.page: link.proto.query_string for link in app.sidebar.get("page_link")}
    assert asked["definitions"] == "tab=terms"
    assert not asked["data"]


def test_an_address_with_rubbish_opens_with_the_defaults(five: Path) -> None:
    app = opened("executive_kpis", period="'; DROP TABLE orders", region="nowhere", **{"from": "31/02/2024"})
    assert not app.exception
    assert app.selectbox(key="choose_period").value == "last_12_months"


@pytest.mark.parametrize(
    ("change", "shown"), [(0.0004, "■ 0.0 points unchanged"), (-0.0006, "▼ 0.1 points worse"), (0.02, "▲ 2.0 points better")]
)
def test_a_change_that_is_written_as_zero_is_neither_better_nor_worse(change: float, shown: str) -> None:
    from crm_metrics.metric import Metric
    from crm_metrics.ui.parts import _change

    metric = Metric("margin_share", "Gross margin share", "share", "higher", "Gross margin / net revenue.")
    row = pd.Series({"change": change, "is_good": change > 0, "compared_value": 0.45})
    assert f"{shown}</div>" in _change(row, metric, "")
