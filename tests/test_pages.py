"""Every page opens without an exception and shows something: empty, with five customers, with CDNOW; in both languages."""

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from browser import ROOT
from streamlit.testing.v1 import AppTest

from crm_metrics import database, language, schema
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.ui.start import PAGES

APP = str(ROOT / "app.py")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    return tmp_path


def five_customers() -> database.DataSet:
    """Five customers, one order each on five days, 10.00 each, nothing else known."""
    data_set = database.find_data_set("mine")
    days = [dt.date(2024, 1, day) for day in range(1, 6)]
    ids = [f"o{day.day}" for day in days]
    tens = pa.array([Decimal("10.0000")] * 5, pa.decimal128(18, 4))
    orders = {
        "order_id": ids,
        "customer_id": [f"c{day.day}" for day in days],
        "ordered_at": pa.array([dt.datetime.combine(day, dt.time()) for day in days], pa.timestamp("us")),
        "ordered_on": days,
        "is_purchase": [True] * 5,
        "is_cancelled": [False] * 5,
        "batch_id": [1] * 5,
    }
    lines = {
        "batch_id": [1] * 5,
        "row_number": list(range(2, 7)),
        "order_id": ids,
        "line_kind": ["sale"] * 5,
        "quantity": tens,
        "net_amount": tens,
        "row_hash": ids,
    }
    customers = {"customer_id": orders["customer_id"], "batch_id": [1] * 5}
    with database.change(data_set) as writer:
        for table, columns in ((schema.orders, orders), (schema.order_lines, lines), (schema.customers, customers)):
            writer.append(table, pa.table(columns))
    return data_set


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


def opened(page: str, **parameters: str) -> AppTest:
    language.use("zh" if parameters.get("lang") == "zh" else "en")  # AppTest formats the options of widgets outside the page
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in parameters.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(f"pages/{page}.py")
    for key, value in parameters.items():  # the page's own ones: going to a page leaves those of the page before
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.info, app.warning, app.error, app.subheader)
    return "\n".join(element.value for elements in kinds for element in elements)


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_data_set(folder: Path, page: str, spoken: str) -> None:
    app = opened(page, lang=spoken)
    assert not app.exception
    assert len(texts(app)) > 40


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_five_customers(folder: Path, page: str, spoken: str) -> None:
    five_customers()
    app = opened(page, lang=spoken, period="all")
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
    app = opened(page, lang=spoken, data=name, period="all", **customer)
    assert not app.exception
    assert not app.error
    charts = len(app.get("plotly_chart"))
    assert charts >= {"executive_kpis": 1, "lifetime_value": 1, "customer": 1}.get(page, 0)
    assert len(texts(app)) > 100


def test_an_empty_data_set_leads_to_the_data_page(folder: Path) -> None:
    app = opened("executive_kpis")
    assert "empty" in app.info[0].value
    assert app.button[0].label == "Open the Data page"


def test_the_language_of_the_address_is_the_language_of_the_page(folder: Path) -> None:
    assert opened("executive_kpis", lang="zh").title[0].value == "经营指标"


def test_filters_follow_the_reader_and_stand_in_the_address(folder: Path) -> None:
    five_customers()
    app = opened("executive_kpis", period="last_30_days")
    app.switch_page("pages/lifetime_value.py")
    app.run()
    assert app.selectbox(key="choose_period").value == "last_30_days"
    assert app.query_params["period"] == "last_30_days"


def test_an_address_with_rubbish_opens_with_the_defaults(folder: Path) -> None:
    five_customers()
    app = opened("executive_kpis", period="'; DROP TABLE orders", region="nowhere", **{"from": "31/02/2024"})
    assert not app.exception
    assert app.selectbox(key="choose_period").value == "last_12_months"
