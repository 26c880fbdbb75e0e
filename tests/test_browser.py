"""A reader in a real browser: a deep link into a fresh process, filters, a customer, an upload, an undo, downloads."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Dashboard, heading, settled
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from crm_metrics import database
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.ui.start import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ORDERS = "order_id;customer;date;amount;name\n" + "".join(
    f"A{row};C{row % 4};2024-0{1 + row % 6}-1{row % 9};{row}0,50;=2+{row}\n" for row in range(1, 13)
)


@pytest.fixture
def cdnow(tmp_path: Path, cdnow_file: Path, dashboard: Callable[..., Dashboard], monkeypatch: pytest.MonkeyPatch) -> Dashboard:
    """A fresh process that serves a folder with CDNOW loaded."""
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    import_file(database.find_data_set("cdnow"), cdnow_file.read_bytes(), cdnow_file.name, load_mapping("cdnow"))
    return dashboard(CRM_METRICS_DATA_DIR=str(tmp_path), CRM_METRICS_DATA="cdnow")


LOSING = (
    "Order ID,Order Date,Customer ID,Customer Name,Segment,Product ID,Product Name,Category,Quantity,Sales,Profit,Region\n"
    "A1,05/01/2024,C1,Ann,Consumer,P1,Pen,Pens,1,300,190,East\n"
    "A2,06/01/2024,C2,Ben,Consumer,P1,Pen,Pens,1,100,20,East\n"
    "A3,07/02/2024,C2,Ben,Consumer,P1,Pen,Pens,-1,-100,-100,East\n"
    "A4,08/02/2024,C3,Cleo,Consumer,P1,Pen,Pens,1,50,-30,East\n"
)
"""Ben gives back what can't be sold again and so loses 80, Cleo's goods cost 30 more than they bring."""


def choose(reader: "Page", key: str, option: str) -> None:
    reader.click(f".st-key-{key} [data-baseweb=select], .st-key-{key} [role=combobox]")
    reader.click(f'[role=option]:has-text("{option}")')
    settled(reader)


def chosen_row(reader: "Page", table: str, row: int = 0) -> None:
    """Click the box at the left of a row; the grid is drawn on a canvas, 35 pixels a row."""
    grid = reader.locator(f".st-key-{table} [data-testid=stDataFrameResizable], .st-key-{table} canvas").first
    grid.scroll_into_view_if_needed()
    grid.hover(position={"x": 15, "y": 17})  # a grid whose rows have changed takes a click only where it has seen the mouse come
    grid.click(position={"x": 15, "y": 35 + 35 * row + 17})


def test_a_deep_link_opens_in_a_fresh_process_with_the_navigation_in_place(cdnow: Dashboard, reader: "Page") -> None:
    reader.goto(f"{cdnow.address}/executive_kpis?period=all")
    heading(reader, "Executive KPIs")
    assert reader.locator('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]').count() == len(PAGES) - 1
    assert "period=all" in reader.url
    assert "$244.09K" in reader.inner_text("section.stMain, [data-testid=stMain]")


def test_filters_follow_the_reader_from_page_to_page(cdnow: Dashboard, reader: "Page") -> None:
    reader.goto(cdnow.address)
    heading(reader, "Executive KPIs")
    choose(reader, "choose_period", "Last 90 days")
    reader.wait_for_url("**period=last_90_days**")
    assert "Apr 2, 1998 to Jun 30, 1998" in reader.inner_text("[data-testid=stMain]")
    reader.click('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]:has-text("Definitions")')
    heading(reader, "Definitions")
    reader.click('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]:has-text("Executive KPIs")')
    heading(reader, "Executive KPIs")
    reader.wait_for_url("**period=last_90_days**")
    reader.reload()
    heading(reader, "Executive KPIs")
    assert "Apr 2, 1998 to Jun 30, 1998" in reader.inner_text("[data-testid=stMain]")


def test_back_brings_what_was_chosen_before_and_a_link_leads_to_a_page_as_it_was_left(cdnow: Dashboard, reader: "Page") -> None:
    def measure(name: str) -> str:
        return f'[data-testid="stMain"] [data-testid="stButtonGroup"] button:has-text("{name}")'

    reader.goto(f"{cdnow.address}/executive_kpis?period=all")
    heading(reader, "Executive KPIs")
    reader.click(measure("Orders"))
    reader.wait_for_url("**measure=orders**")
    settled(reader)
    choose(reader, "choose_period", "Last 90 days")
    reader.wait_for_url("**period=last_90_days**")
    settled(reader)
    reader.go_back()
    reader.wait_for_selector("text=Jan 1, 1997 to Jun 30, 1998")
    settled(reader)
    assert "period=all&measure=orders" in reader.url
    reader.go_back()
    reader.wait_for_selector(f"{measure('Net revenue')}[aria-checked=true]")
    settled(reader)
    assert reader.url.endswith("?period=all")
    reader.go_forward()
    reader.wait_for_selector(f"{measure('Orders')}[aria-checked=true]")
    settled(reader)
    reader.click('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]:has-text("Definitions")')
    heading(reader, "Definitions")
    reader.click('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]:has-text("Executive KPIs")')
    heading(reader, "Executive KPIs")
    assert "measure=orders" in reader.url
    assert reader.locator(f"{measure('Orders')}[aria-checked=true]").count() == 1


def test_a_field_of_the_map_shows_its_customers_who_are_saved_as_a_segment(cdnow: Dashboard, reader: "Page") -> None:
    reader.goto(f"{cdnow.address}/segmentation?period=all")
    heading(reader, "Segmentation")
    reader.locator(".js-plotly-plot").first.click(position={"x": 200, "y": 150})
    reader.wait_for_selector('h3:has-text("Customers: At risk")')
    settled(reader)
    assert "Rows: 89" in reader.inner_text("[data-testid=stMain]")
    reader.click('button:has-text("Save as segment")')
    reader.click('[data-testid=stPopoverBody] button:has-text("Save")')
    reader.wait_for_selector("text=“At risk” is saved")
    reader.goto(f"{cdnow.address}/executive_kpis?period=all&segment=At+risk")
    heading(reader, "Executive KPIs")
    assert "customers in segment At risk" in reader.inner_text("[data-testid=stMain]")


def test_a_click_on_a_reason_shows_the_customers_who_lose_by_it(
    reader: "Page", dashboard: Callable[..., Dashboard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    import_file(database.find_data_set("shop"), LOSING.encode(), "losing.csv", load_mapping("superstore"))
    served = dashboard(CRM_METRICS_DATA_DIR=str(tmp_path), CRM_METRICS_DATA="shop")
    reader.goto(f"{served.address}/profitability?period=all&tab=losing")
    heading(reader, "Profitability")
    reader.wait_for_selector("text=Rows: 2")
    assert "2 of 3 lose $110.00" in reader.inner_text("[data-testid=stMain]")
    reader.locator(".js-plotly-plot .bars .point path").first.click(force=True)  # under the layer that plotly drags in
    reader.wait_for_selector("text=Rows: 1")
    settled(reader)
    chosen_row(reader, "profitability_losing_table")
    heading(reader, "Customer")
    assert "customer=C2" in reader.url


def test_the_language_switch_turns_every_page_chinese(cdnow: Dashboard, reader: "Page") -> None:
    reader.goto(cdnow.address)
    heading(reader, "Executive KPIs")
    reader.click('button:has-text("中文")')
    heading(reader, "经营指标")
    assert "lang=zh" in reader.url
    assert "数据集" in reader.inner_text("[data-testid=stSidebar]")


def test_a_choice_within_a_part_draws_that_part_alone_in_the_readers_language(cdnow: Dashboard, reader: "Page") -> None:
    asked: list[ClientState] = []
    reader.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(BackMsg.FromString(frame).rerun_script)))
    reader.goto(f"{cdnow.address}/executive_kpis?lang=zh&period=last_90_days")
    heading(reader, "经营指标")
    reader.click('[data-testid="stMain"] button:has-text("订单数")')
    reader.wait_for_url("**measure=orders**")
    settled(reader)
    reader.wait_for_selector('.js-plotly-plot:has-text("订单数")')
    assert asked[-1].fragment_id
    assert "lang=zh" in reader.url
    choose(reader, "choose_period", "最近 30 天")
    reader.wait_for_url("**period=last_30_days**")
    assert not asked[-1].fragment_id
    assert "measure=orders" in reader.url
    reader.wait_for_selector('.js-plotly-plot:has-text("订单数")')


def test_the_demo_is_built_with_a_click_and_can_be_stopped(
    reader: "Page", dashboard: Callable[..., Dashboard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    served = dashboard(CRM_METRICS_DATA_DIR=str(tmp_path), CRM_METRICS_DATA="demo")
    reader.goto(f"{served.address}/executive_kpis")
    heading(reader, "Executive KPIs")
    reader.click('button:has-text("Build the demo")')
    reader.click('button:has-text("Stop")')
    settled(reader)
    assert database.version(database.find_data_set("demo")) == 0
    reader.click('button:has-text("Build the demo")')
    reader.wait_for_selector('[data-testid="stSidebar"] a:has-text("What is true in this demo")')
    settled(reader)
    assert reader.locator(".tile").count() >= 4
    assert database.version(database.find_data_set("demo")) == 1


def test_a_click_on_a_row_opens_that_customer(cdnow: Dashboard, reader: "Page") -> None:
    reader.goto(f"{cdnow.address}/lifetime_value?period=all")
    heading(reader, "Lifetime value")
    reader.click('button:has-text("Which customers?")')
    settled(reader)
    chosen_row(reader, "lifetime_value_customers_table")
    heading(reader, "Customer")
    assert "customer=" in reader.url


def test_a_file_is_uploaded_loaded_and_taken_back(cdnow: Dashboard, reader: "Page", tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS, encoding="utf-8")
    reader.goto(f"{cdnow.address}/data")
    heading(reader, "Data")
    reader.set_input_files("input[type=file]", str(file))
    reader.wait_for_selector("text=12 rows, 5 columns")
    settled(reader)
    reader.click('[data-testid="stMain"] button:text-is("Load"), [data-testid="stMain"] button:has(p:text-is("Load"))')
    reader.wait_for_selector("text=loaded as batch 1")
    settled(reader)
    assert "data=mine" in reader.url
    assert [data_set.name for data_set in database.data_sets()] == ["cdnow", "mine"]

    chosen_row(reader, "data_batches_table")
    reader.click('button:has-text("Take batch 1 back")')
    reader.click('[role=dialog] button:has-text("Take it back")')
    reader.wait_for_selector("text=batch 1 was taken back")
    assert database.version(database.find_data_set("mine")) == 2


def test_a_download_holds_what_the_page_shows_and_no_formula(cdnow: Dashboard, reader: "Page", tmp_path: Path) -> None:
    reader.goto(f"{cdnow.address}/lifetime_value?period=all")
    heading(reader, "Lifetime value")
    reader.click('button:has-text("Which customers?")')
    settled(reader)
    with reader.expect_download() as download:
        reader.click(".st-key-lifetime_value_customers_table_csv button")
    target = tmp_path / "customers.csv"
    download.value.save_as(target)
    with target.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.reader(opened))
    assert len(rows) == 1 + 2357
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))]
