"""What the app itself writes stays beside the data set, and reading it creates nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from time import perf_counter

import pandas as pd
import pytest

from crm_metrics import database, schema, workspace
from crm_metrics.database import workspace_engine
from crm_metrics.metric import BadInput
from crm_metrics.randomised_test.plan import Baseline, Design
from crm_metrics.randomised_test.split import stratified_split
from crm_metrics.workspace_tables import campaign_table

MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)
EXPECTED = workspace.Expectation(
    expected_lift=0.05,
    lift_spread=0.04,
    fixed_cost=1000.0,
    contact_cost=0.5,
    margin_share=0.375,
    spend_mean=40.125,
    expected_profit=-12.5,
    profit_low=-80.25,
    profit_high=55.0,
    chance_of_profit=0.42,
)
PLAN = workspace.CampaignPlan(
    segment_name="Champions",
    segment_rule='{"joined_by":"all"}',
    as_of_on=JUNE,
    data_version=3,
    seed=2**40,
    strata=("region", "产品"),
    outcome="net_revenue",
    horizon_days=30,
    baseline=Baseline(40.125, 120.0000625),
    design=Design(share_control=0.2, alpha=0.05, power=0.9),
    lift=0.0625,
    expected=EXPECTED,
)


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


def members(customers=40):
    audience = pd.DataFrame(
        {"customer_id": [f"C{number:06d}" for number in range(customers)], "region": ["北", "South"] * (customers // 2)}
    )
    return stratified_split(audience, strata=["region"], share_control=0.2, seed=PLAN.seed).members


def test_a_planned_campaign_is_read_back_as_it_was_planned(data_set):
    before = datetime.now(UTC).replace(tzinfo=None)
    assert workspace.save_planned_campaign(data_set, " Spring ", PLAN, members()) == 1
    read = workspace.planned_campaigns(data_set)
    row = read.iloc[0].to_dict()
    assert before <= row.pop("made_at") <= datetime.now(UTC).replace(tzinfo=None)
    assert row == {
        "campaign_id": 1,
        "campaign_name": "Spring",
        "segment_name": "Champions",
        "segment_rule": '{"joined_by":"all"}',
        "as_of_on": pd.Timestamp(JUNE),
        "data_version": 3,
        "seed": 2**40,
        "strata": ("region", "产品"),
        "share_control": 0.2,
        "outcome": "net_revenue",
        "horizon_days": 30,
        "baseline_mean": 40.125,
        "baseline_deviation": 120.0000625,
        "lift": 0.0625,
        "alpha": 0.05,
        "power": 0.9,
        "treated_customers": 32,
        "control_customers": 8,
        **EXPECTED._asdict(),
    }


def test_the_members_of_a_planned_campaign_are_read_back_and_those_of_no_campaign_are_none(data_set):
    campaign_id = workspace.save_planned_campaign(data_set, "Spring", PLAN, members())
    workspace.save_planned_campaign(data_set, "Summer", PLAN, members(20))
    pd.testing.assert_frame_equal(workspace.planned_members(data_set, campaign_id), members())
    assert workspace.planned_members(data_set, 99).empty


def test_a_test_without_an_expectation_and_a_number_that_is_unknown_are_read_back_as_unknown(data_set):
    workspace.save_planned_campaign(data_set, "Spring", PLAN._replace(expected=None), members())
    workspace.save_planned_campaign(data_set, "Summer", PLAN._replace(expected=EXPECTED._replace(expected_profit=float("nan"))), members())
    read = workspace.planned_campaigns(data_set)
    assert read["expected_lift"].isna().tolist() == [True, False]
    assert read["expected_profit"].isna().tolist() == [True, True]


def test_a_planned_campaign_that_is_deleted_is_gone_with_its_members_and_no_other(data_set):
    spring = workspace.save_planned_campaign(data_set, "Spring", PLAN, members())
    summer = workspace.save_planned_campaign(data_set, "Summer", PLAN, members(20))
    workspace.delete_planned_campaign(data_set, spring)
    workspace.delete_planned_campaign(data_set, 99)
    assert workspace.planned_campaigns(data_set)["campaign_id"].tolist() == [summer]
    assert workspace.planned_members(data_set, spring).empty
    assert len(workspace.planned_members(data_set, summer)) == 20
    workspace.save_planned_campaign(data_set, "Spring", PLAN, members())


OLDER = [column.name for column in campaign_table.c if column.name not in workspace.Expectation._fields]


def test_a_workspace_of_an_earlier_program_is_read_as_it_is_and_gets_the_missing_columns_with_the_next_write(data_set):
    workspace.save_planned_campaign(data_set, "Spring", PLAN, members())
    with workspace_engine(data_set).begin() as connection:
        for name in workspace.Expectation._fields:
            connection.exec_driver_sql(f"ALTER TABLE planned_campaigns DROP COLUMN {name}")
    read = workspace.planned_campaigns(data_set)
    assert read[OLDER].notna().all(axis=None)
    assert read[list(workspace.Expectation._fields)].isna().all(axis=None)
    workspace.save_planned_campaign(data_set, "Summer", PLAN, members())
    read = workspace.planned_campaigns(data_set).set_index("campaign_name")
    assert read.loc[["Summer"], list(workspace.Expectation._fields)].to_numpy().tolist() == [list(EXPECTED)]
    assert read["chance_of_profit"].isna().tolist() == [True, False]


def test_decisions_are_read_back_in_the_order_of_writing_and_one_that_is_deleted_is_gone(data_set):
    assert workspace.read_decisions(data_set).empty
    one = workspace.Decision(MAY, "campaign_plan", "Call the best", "陈", 3, "net_revenue", 12.5, 20.0, JUNE)
    for each in (one, one._replace(decision_text="Mail the rest", value_expected=float("nan"))):
        workspace.write_decision(data_set, each)
    read = workspace.read_decisions(data_set)
    assert read["decision_id"].tolist() == [1, 2]
    assert read.drop(columns="decision_id").iloc[0].tolist() == [pd.Timestamp(MAY), *one[1:-1], pd.Timestamp(JUNE)]
    assert read["value_expected"].isna().tolist() == [False, True]
    workspace.delete_decision(data_set, 1)
    assert workspace.read_decisions(data_set)["decision_text"].tolist() == ["Mail the rest"]


def test_without_planned_campaigns_their_tables_are_empty_and_nothing_is_created(data_set, tmp_path):
    assert workspace.planned_campaigns(data_set).empty
    assert workspace.planned_members(data_set, 1).columns.tolist() == ["customer_id", "stratum", "arm"]
    assert list(Path(tmp_path).iterdir()) == []


def test_a_share_has_no_standard_deviation_of_its_own(data_set):
    workspace.save_planned_campaign(data_set, "Spring", PLAN._replace(baseline=Baseline(0.1)), members())
    assert workspace.planned_campaigns(data_set)["baseline_deviation"].isna().tolist() == [True]


def test_a_campaign_of_a_name_that_is_taken_is_refused_and_changes_nothing(data_set):
    workspace.save_planned_campaign(data_set, "Spring", PLAN, members())
    with pytest.raises(BadInput, match="'Spring' already"):
        workspace.save_planned_campaign(data_set, "Spring ", PLAN, members(20))
    assert len(workspace.planned_campaigns(data_set)) == 1
    assert len(workspace.planned_members(data_set, 1)) == 40
    assert workspace.version(data_set) == 1


def test_saving_that_is_done_again_after_its_answer_was_cut_off_saves_once(data_set, monkeypatch):
    once = workspace._in_transaction
    monkeypatch.setattr(workspace, "_in_transaction", lambda data_set, action: (once(data_set, action), once(data_set, action))[1])
    assert workspace.save_planned_campaign(data_set, "Spring", PLAN, members()) == 1
    monkeypatch.undo()
    assert workspace.planned_campaigns(data_set)["campaign_id"].tolist() == [1]
    assert len(workspace.planned_members(data_set, 1)) == 40


def test_readers_who_save_at_the_same_moment_get_a_campaign_each(data_set):
    save = partial(workspace.save_planned_campaign, data_set, plan=PLAN, members=members())
    with ThreadPoolExecutor(4) as readers:
        numbers = list(readers.map(save, ["Spring", "Summer", "Autumn", "Winter"]))
    assert sorted(numbers) == [1, 2, 3, 4]
    assert workspace.version(data_set) == 4


@pytest.mark.slow
def test_three_hundred_thousand_members_are_saved_and_read_in_a_few_seconds(data_set):
    many = members(300_000)
    started = perf_counter()
    campaign_id = workspace.save_planned_campaign(data_set, "Spring", PLAN, many)
    saved = perf_counter()
    assert len(workspace.planned_members(data_set, campaign_id)) == 300_000
    assert saved - started < 10
    assert perf_counter() - saved < 3


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
    assert set(workspace.metadata.tables) == {
        *("saved_segments", "planned_campaigns", "planned_members", "edited_targets", "decisions", "kept_forecasts", "settings"),
    }


def test_every_column_of_the_workspace_says_what_it_means():
    assert [f"{table.name}.{column.name}" for table in workspace.metadata.tables.values() for column in table.c if not column.doc] == []
