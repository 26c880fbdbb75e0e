"""What the app itself writes stays beside the data set, and reading it creates nothing."""

from datetime import date
from pathlib import Path

import pytest

from crm_metrics import database, schema, workspace
from crm_metrics.metric import BadInput

MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def data_set(request, tmp_path):
    """An empty data set on each database."""
    if request.param == "duckdb":
        return database.find_data_set(f"duckdb:///{tmp_path}/shop.duckdb")
    return database.find_data_set(request.getfixturevalue("postgresql_schema"))


def test_reading_an_unwritten_workspace_gives_nothing_and_creates_nothing(data_set, tmp_path):
    assert workspace.read_targets(data_set).empty
    assert workspace.version(data_set) == 0
    assert list(Path(tmp_path).iterdir()) == []


def test_a_target_is_read_back_for_the_month_of_the_day_given(data_set):
    workspace.write_targets(data_set, "net_revenue", months=[date(2024, 5, 17), JUNE], target_value=1200.5)
    read = workspace.read_targets(data_set)
    assert read["month_on"].dt.date.tolist() == [MAY, JUNE]
    assert read["target_value"].tolist() == [1200.5, 1200.5]
    assert read["region"].tolist() == ["", ""]


def test_a_second_target_for_the_same_month_replaces_the_first_and_raises_the_version(data_set):
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=10)
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=12)
    assert workspace.read_targets(data_set)["target_value"].tolist() == [12]
    assert workspace.version(data_set) == 2


def test_a_region_has_a_target_of_its_own(data_set):
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=10)
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=4, region="North")
    read = workspace.read_targets(data_set)
    assert dict(zip(read["region"], read["target_value"], strict=True)) == {"": 10, "North": 4}


def test_a_target_taken_away_reads_as_unknown(data_set):
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=None)
    assert workspace.read_targets(data_set)["target_value"].isna().tolist() == [True]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_target_that_is_no_positive_number_is_refused(data_set, value):
    with pytest.raises(BadInput, match="above 0"):
        workspace.write_targets(data_set, "orders", months=[MAY], target_value=value)
    assert workspace.version(data_set) == 0


def test_an_import_leaves_the_workspace_alone(data_set):
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=10)
    with database.change(data_set):
        pass
    assert database.version(data_set) == 1
    assert workspace.read_targets(data_set)["target_value"].tolist() == [10]


def test_writing_to_the_workspace_publishes_no_version_of_the_data(data_set):
    with database.change(data_set):
        pass
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=10)
    assert database.version(data_set) == 1


def test_no_table_of_the_workspace_has_the_name_of_a_table_of_facts():
    assert not set(workspace.metadata.tables) & set(schema.metadata.tables)
    assert set(workspace.metadata.tables) == {"saved_segments", "edited_targets", "decisions", "settings"}


def test_every_column_of_the_workspace_says_what_it_means():
    assert [f"{table.name}.{column.name}" for table in workspace.metadata.tables.values() for column in table.c if not column.doc] == []
