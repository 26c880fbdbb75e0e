"""Segments as a reader works with them: saved, found again, chosen as a filter, deleted; on the page, in the terminal and in a browser."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import ROOT, Dashboard, heading, settled
from opened_pages import five_customers, opened, texts
from peopled_shop import published, random_shop
from streamlit.testing.v1 import AppTest

from crm_metrics import cli, database, workspace
from crm_metrics.database import DataSet, find_data_set, open_source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.rooms import tables
from crm_metrics.scope import Scope
from crm_metrics.segments.members import member_count
from crm_metrics.segments.rule import Condition, Group, Opposite, Rule, read_rule, rule_text

if TYPE_CHECKING:
    from playwright.sync_api import Page

ONCE, OFTEN = Condition("orders", high=1), Condition("orders", low=2)
ORIGIN = workspace.SegmentOrigin("audience", None, 1, 5)
TABS = ("build", "compare", "test", "saved")
ODD_NAMES = ("a'b\"c", "<b>bold</b>", "**stars** $x$ :red[!]", "重点客户", "50% off; DROP", "=1+1", "a,b&c=d?e#f/g", "x" * 60)


def rules_by_name(data_set: DataSet) -> dict[str, Rule]:
    saved = workspace.read_segments(data_set)
    return {name: read_rule(rule) for name, rule in zip(saved["segment_name"], saved["segment_rule"], strict=True)}


# ── kept ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_saved_rule_is_read_back_by_name_and_a_name_that_is_taken_is_refused_unless_it_replaces(any_data_set: DataSet) -> None:
    assert rules_by_name(any_data_set) == {}
    workspace.save_segment(any_data_set, " Once ", ONCE, ORIGIN)
    workspace.save_segment(any_data_set, "Once", ONCE, ORIGIN)  # the same again is no clash
    with pytest.raises(BadInput, match="'Once' already"):
        workspace.save_segment(any_data_set, "Once", OFTEN, ORIGIN)
    assert rules_by_name(any_data_set) == {"Once": ONCE}
    workspace.save_segment(any_data_set, "Once", OFTEN, ORIGIN, replaces=True)
    workspace.save_segment(any_data_set, "Other", Opposite(Group("any", (ONCE,))), ORIGIN)
    assert rules_by_name(any_data_set) == {"Once": OFTEN, "Other": Opposite(Group("any", (ONCE,)))}
    workspace.delete_segment(any_data_set, "Once")
    workspace.delete_segment(any_data_set, "never there")
    assert list(rules_by_name(any_data_set)) == ["Other"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "(unknown)"])
def test_a_name_that_says_nothing_or_too_much_is_refused(data_set: DataSet, name: str) -> None:
    with pytest.raises(BadInput, match="can't be used"):
        workspace.save_segment(data_set, name, ONCE, ORIGIN)
    assert rules_by_name(data_set) == {}


@pytest.mark.slow
def test_names_of_any_signs_are_kept_as_they_are(any_data_set: DataSet) -> None:
    for name in ODD_NAMES:
        workspace.save_segment(any_data_set, name, ONCE, ORIGIN)
    assert set(rules_by_name(any_data_set)) == set(ODD_NAMES)


def older_workspace(data_set: DataSet) -> Path:
    """Write the workspace of a program that kept the customers of a segment beside its rule."""
    path = database.workspace_path(data_set)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE saved_segments (segment_id INTEGER PRIMARY KEY, segment_name TEXT NOT NULL UNIQUE, made_in TEXT NOT NULL, "
            "segment_rule TEXT NOT NULL, customer_ids TEXT, customer_count INTEGER, as_of_on DATE, data_version INTEGER, saved_at DATETIME)"
        )
        connection.execute(
            "INSERT INTO saved_segments VALUES (7, 'Old', 'segmentation', ?, '[\"c1\"]', 1, '2024-01-05', 3, NULL)", (rule_text(ONCE),)
        )
        connection.execute(
            "INSERT INTO saved_segments VALUES (8, 'Clicked', 'segmentation', '{\"table\": \"rfm\"}', NULL, 1, NULL, 3, NULL)"
        )
    return path


def test_the_workspace_of_an_older_program_is_read_and_written_on(tmp_path: Path) -> None:
    data_set = five_customers(tmp_path)
    older_workspace(data_set)
    workspace.save_segment(data_set, "New", OFTEN, ORIGIN)
    saved = tables("audience")["saved"](open_source(data_set), Filters()).set_index("segment_name")
    assert saved["customers"].to_dict() == pytest.approx({"Clicked": float("nan"), "New": 0, "Old": 5}, nan_ok=True)
    assert "can't be read" in str(saved.loc["Clicked", "rule"])
    assert saved.loc["Old", "rule"] == "Orders: at most 1"
    workspace.save_segment(data_set, "Clicked", ONCE, ORIGIN, replaces=True)
    workspace.delete_segment(data_set, "Old")
    assert rules_by_name(data_set) == {"Clicked": ONCE, "New": OFTEN}


@pytest.mark.slow
def test_the_terminal_filters_by_saved_segments_and_names_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_set = five_customers(tmp_path)
    workspace.save_segment(data_set, "重点 'a'", ONCE, ORIGIN)
    shown = ["show", "executive_kpis", "tiles", "--database", data_set.address, "--format", "csv"]
    with pytest.raises(SystemExit) as left:
        cli.main([*shown, "--segment", "重点 'a'", "--segment", "(unknown)"])
    assert not left.value.code
    out, err = capsys.readouterr()
    assert "customers in segment 重点 'a', customer unknown" in err
    assert "net_revenue,50" in out
    with pytest.raises(SystemExit):
        cli.main([*shown, "--segment", "nobody"])
    assert "There is no segment 'nobody'. There are: 重点 'a', (unknown)." in capsys.readouterr().err


@pytest.mark.slow
def test_a_segment_saved_by_one_process_is_a_filter_in_another(tmp_path: Path) -> None:
    data_set = published(find_data_set(f"duckdb:///{tmp_path}/shop.duckdb"), random_shop(81))
    save = f"""
from crm_metrics import workspace
from crm_metrics.database import find_data_set
from crm_metrics.segments.rule import Condition
workspace.save_segment(find_data_set({data_set.address!r}), "often", Condition("orders", low=2), workspace.SegmentOrigin("a", None, 1, 1))
"""
    subprocess.run([sys.executable, "-c", save], cwd=ROOT, check=True)
    show = [sys.executable, "-m", "crm_metrics", "show", "audience", "tiles", "--database", data_set.address, "--format", "csv"]
    shown = subprocess.run([*show, "--segment", "often"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    expected = open_source(data_set)(member_count(OFTEN, None, Scope()))["customers"][0]
    assert f"segment_customers,{expected}" in shown


# ── on the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def five(folder: Path) -> DataSet:
    return five_customers(folder)


@pytest.mark.slow
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_on_nothing_and_on_five_customers_without_an_exception(folder: Path, tab: str, spoken: str) -> None:
    for prepare in (lambda: None, lambda: five_customers(folder)):
        prepare()
        app = opened("audience", tab=tab, lang=spoken)
        assert not app.exception
        assert len(texts(app)) > 60


@pytest.mark.slow
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize(("tab", "charts", "frames"), [("build", 0, 2), ("compare", 2, 1), ("test", 1, 3), ("saved", 0, 0)])
def test_no_tab_is_empty_on_the_demo(demo: DataSet, tab: str, charts: int, frames: int, spoken: str) -> None:
    app = opened("audience", tab=tab, lang=spoken)
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == charts
    assert len(app.dataframe) >= frames
    assert all(len(frame.value) for frame in app.dataframe)


@pytest.mark.slow
def test_a_rule_that_cannot_be_read_is_said_and_the_page_goes_on(five: DataSet) -> None:
    older_workspace(five)
    with sqlite3.connect(database.workspace_path(five)) as connection:
        connection.execute(
            "INSERT INTO saved_segments (segment_name, made_in, segment_rule) VALUES ('<i>x', 'a', '{\"attribute\":\"shoe\"}')"
        )
    app = opened("executive_kpis", period="all", segment="Old")
    assert not app.exception
    assert [warning.value.partition(":")[0] for warning in app.warning] == ["\\<i\\>x", "Clicked"]
    assert "customers in segment Old" in texts(app)
    for tab in TABS:
        app = opened("audience", tab=tab)
        assert not app.exception, tab


def test_what_was_saved_is_listed_as_it_is_now(five: DataSet) -> None:
    app = opened("audience", tab="saved")
    assert "No segment is saved yet" in texts(app)
    workspace.save_segment(five, "Once", ONCE, ORIGIN)
    app.run()
    assert app.dataframe[0].value["segment_name"].tolist() == ["Once"]
    workspace.delete_segment(five, "Once")
    app.run()
    assert "No segment is saved yet" in texts(app)


@pytest.mark.slow
def test_a_segment_that_is_gone_is_left_out_of_the_address_and_said(five: DataSet) -> None:
    app = opened("executive_kpis", period="all", segment="<b>gone")
    assert not app.exception
    assert "it is left out" in app.warning[0].value
    assert "segment" not in app.query_params


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_segment_of_any_name_is_a_filter_in_the_address_and_in_the_sentence(five: DataSet, name: str) -> None:
    workspace.save_segment(five, name, ONCE, ORIGIN)
    app = opened("executive_kpis", period="all", segment=name)
    assert not app.exception
    assert not app.warning
    assert app.multiselect(key="choose_segment").value == [name]
    assert app.query_params["segment"] in (name, [name])
    for tab in TABS:
        assert not opened("audience", tab=tab).exception


def open_form(app: AppTest) -> str:
    return "\n".join(element.value.replace("\\", "") for element in app.caption)


@pytest.mark.slow
def test_a_rule_is_written_saved_opened_again_and_deleted(demo: DataSet) -> None:
    app = opened("audience", tab="build")
    add = next(button for button in app.button if button.label == "Add a condition")
    add.click()
    app.run()
    added = [box for box in app.selectbox if str(box.key).startswith("attribute_")][-1]
    added.select("orders").run()
    low = next(box for box in app.number_input if str(box.key).startswith("low_"))
    low.set_value(3).run()
    assert not app.exception
    assert "Customers with: Value tier: top 5% and Orders: at least 3." in open_form(app)
    next(box for box in app.text_input if box.label == "Name").input("Best and often")
    next(button for button in app.button if button.label == "Save").click()
    app.run()
    assert not app.exception
    assert "is saved" in app.success[0].value
    expected = Group("all", (Condition("value_tier", ("top 5%",)), Condition("orders", low=3)))
    assert rules_by_name(demo) == {"Best and often": expected}

    again = opened("audience", tab="build")
    assert "Orders" not in open_form(again)
    next(button for button in again.button if button.label == "Open").click()
    again.run()
    assert not again.exception
    assert "Orders: at least 3" in open_form(again)
    compared = opened("audience", tab="compare")
    compared.selectbox(key="compare_first").select("Best and often").run()
    assert not compared.exception
    workspace.delete_segment(demo, "Best and often")
    compared.run()
    assert not compared.exception


# ── in a browser ────────────────────────────────────────────────────────────────────────────────────────────────────────


def counted_customers(reader: "Page") -> str:
    settled(reader)
    return reader.locator(".tile").first.inner_text()


def to_page(reader: "Page", title: str) -> None:
    reader.click(f'[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]:has-text("{title}")')
    heading(reader, title)


def picked(reader: "Page", box: str, option: str) -> None:
    """Pick an option of the last box of that key; typing brings it into a long list."""
    reader.locator(f'[class*="st-key-{box}"] input').last.click()
    reader.keyboard.type(option)
    reader.click(f'[role=option]:has-text("{option}")')
    settled(reader)


def shown(reader: "Page") -> str:
    return reader.inner_text("[data-testid=stMain]")


def built(reader: "Page", name: str) -> None:
    """Add a condition to the first one, see the count change, and save the segment."""
    before = counted_customers(reader)
    reader.click('button:has-text("Add a condition")')
    reader.locator('[class*="st-key-attribute_"]').nth(1).wait_for()
    picked(reader, "attribute_", "Person or company")
    reader.locator('[class*="st-key-values_"]').nth(1).wait_for()
    picked(reader, "values_", "person")
    reader.wait_for_function("before => document.querySelector('.tile').innerText !== before", arg=before)
    settled(reader)
    assert "Customers with: Value tier: top 5% and Person or company: person." in shown(reader)
    reader.keyboard.press("Escape")
    reader.click('button:has-text("Save as segment")')
    reader.fill('[data-testid="stForm"] input[type=text]', name)
    reader.click('[data-testid="stForm"] button:has-text("Save")')
    reader.wait_for_selector("text=is saved: choose it under Filters")
    settled(reader)


def deleted(reader: "Page", name: str) -> None:
    reader.click('button:has-text("What was saved")')
    settled(reader)
    reader.locator(".st-key-audience_saved_table [data-testid=stDataFrameResizable]").click(position={"x": 15, "y": 35 + 17})
    reader.click(f'button:has-text("Delete “{name}”")')
    reader.wait_for_selector("text=No segment is saved yet")
    settled(reader)


@pytest.mark.browser
def test_a_segment_is_built_saved_chosen_on_another_page_and_deleted(
    demo: DataSet, demo_folder: Path, dashboard: Callable[..., Dashboard], reader: "Page"
) -> None:
    served, name = dashboard(CRM_METRICS_DATA_DIR=str(demo_folder), CRM_METRICS_DATA="demo"), "Best <persons>"
    reader.goto(f"{served.address}/audience")
    heading(reader, "Segments and tests")
    built(reader, name)

    to_page(reader, "Executive KPIs")
    whole = counted_customers(reader)
    reader.click('button:has-text("Filters")')
    picked(reader, "choose_segment", name)
    reader.wait_for_url("**segment=Best*")
    chosen = counted_customers(reader)
    assert chosen != whole
    reader.reload()
    heading(reader, "Executive KPIs")
    assert counted_customers(reader) == chosen
    assert f"customers in segment {name}" in shown(reader)

    to_page(reader, "Segments and tests")
    deleted(reader, name)
    assert rules_by_name(demo) == {}
    assert "segment=" not in reader.url
    to_page(reader, "Executive KPIs")
    assert counted_customers(reader) == whole
