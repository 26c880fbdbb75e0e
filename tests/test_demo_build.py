"""The demo as it stands in a database: the same every time, its keys hold, its money adds up, and every effect can be switched off."""

import shutil
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import Table, func, select

from crm_metrics import database, schema
from crm_metrics.data_import import undo
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.database import DataSet, find_data_set, open_source
from crm_metrics.demo import build as building
from crm_metrics.demo import truth, world
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import EFFECT_NAMES, Effects, Plan
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.purchase_model.holdout import GRADE_A_TOTAL_ERROR
from crm_metrics.rooms import tables as tables_of

SMALL = Plan(customers=600, seed=5)
KEYS = {  # column -> the table whose key it names; a column of that name in any other table must find its row there
    "customer_id": schema.customers,
    "referrer_customer_id": schema.customers,
    "true_customer_id": schema.customers,
    "product_id": schema.products,
    "order_id": schema.orders,
    "campaign_id": schema.campaigns,
    "employee_id": schema.employees,
    "owner_id": schema.employees,
    "manager_id": schema.employees,
    "lead_id": schema.leads,
    "opportunity_id": schema.opportunities,
    "stage": schema.stages,
    "ticket_id": schema.service_tickets,
    "batch_id": schema.import_batches,
}
ALWAYS_EMPTY = {"import_left_out", "import_held_back", "import_held_rows", "import_renewed_rows"}  # a demo leaves no row out


def contents(data_set: DataSet, table: Table) -> pa.Table:
    return open_source(data_set).arrow(select(table).order_by(*(list(table.primary_key.columns) or table.c)))


def named(tmp_path, name: str) -> DataSet:
    return find_data_set(f"duckdb:///{tmp_path}/{name}.duckdb")


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> DataSet:
    """A demo of 600 customers in three chunks."""
    data_set = named(tmp_path_factory.mktemp("demo"), "demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crm_metrics.demo.plan.CHUNK_CUSTOMERS", 250)
        build(data_set, SMALL)
    return data_set


def dangling(data_set: DataSet, table: Table, column: str) -> int:
    """Rows of `table` that name something which is not there."""
    parent = KEYS[column]
    key = next(iter(parent.primary_key.columns))
    orphans = table.c[column].is_not(None) & table.c[column].not_in(select(key))
    return int(open_source(data_set).arrow(select(func.count().label("n")).select_from(table).where(orphans))["n"][0].as_py())


# ── the same every time ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_one_seed_gives_equal_tables_and_another_seed_does_not(tmp_path):
    one, again, other = (named(tmp_path, name) for name in ("one", "again", "other"))
    for data_set, seed in ((one, 3), (again, 3), (other, 4)):
        build(data_set, Plan(customers=300, seed=seed))
    for table in schema.metadata.sorted_tables:
        assert contents(one, table).equals(contents(again, table)), table.name
    differing = [table.name for table in schema.metadata.sorted_tables if not contents(one, table).equals(contents(other, table))]
    assert {"orders", "order_lines", "customers", "service_tickets", "campaign_members", "opportunities", "contracts"} <= set(differing)


@pytest.mark.slow
def test_the_same_demo_again_changes_nothing_and_another_one_takes_its_place(tmp_path):
    data_set = named(tmp_path, "demo")
    plan = Plan(customers=200, seed=1)
    assert build(data_set, plan).is_new
    version = database.version(data_set)
    assert not build(data_set, plan).is_new
    assert database.version(data_set) == version
    assert build(data_set, Plan(customers=200, seed=2)).is_new
    assert contents(data_set, schema.import_batches).num_rows == 1


@pytest.mark.slow
def test_another_program_builds_the_same_plan_anew(tmp_path, monkeypatch):
    data_set, plan, program = named(tmp_path, "demo"), Plan(customers=200), tmp_path / "program"
    assert build(data_set, plan).is_new
    shutil.copytree(str(building._PROGRAM), program, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(building, "_PROGRAM", program)
    assert not build(data_set, plan).is_new
    with (program / "channels.py").open("a") as module:
        module.write("# another program\n")
    assert build(data_set, plan).is_new
    assert not build(data_set, plan).is_new


@pytest.mark.slow
def test_the_bar_moves_on_in_many_steps_and_never_back(tmp_path):
    told: list[tuple[str, float]] = []
    build(named(tmp_path, "demo"), Plan(customers=300), lambda step, share: told.append((step, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert len(set(shares)) >= 8
    assert (shares[0], told[-1]) == (0.0, (building.DONE, 1.0))
    assert max(after - before for before, after in pairwise(shares)) <= 0.5


@pytest.mark.slow
def test_a_stop_at_any_step_leaves_nothing(tmp_path):
    steps: list[str] = []
    build(named(tmp_path, "whole"), Plan(customers=200), lambda step, _: steps.append(step))
    for last in range(len(steps) - 1):  # the last step is told when all is done
        told = 0

        def stop(_step: str, _share: float, last: int = last) -> None:
            nonlocal told
            told += 1
            if told > last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            build(named(tmp_path, "stopped"), Plan(customers=200), stop)
        assert database.version(named(tmp_path, "stopped")) == 0, last


@pytest.mark.slow
def test_nobody_buys_after_having_left_for_good(small):
    known, orders = (contents(small, table).to_pandas() for table in (schema.demo_customers, schema.orders))
    left_on = known.dropna(subset=["left_on"]).groupby("true_customer_id")["left_on"].max()
    who = orders.merge(known[["customer_id", "true_customer_id"]], on="customer_id")
    last_on = who[who["is_purchase"].astype(bool)].groupby("true_customer_id")["ordered_on"].max()
    both = pd.DataFrame({"left_on": left_on, "last_on": last_on}).dropna()
    assert len(both) > 100
    assert both[both["last_on"] > both["left_on"]].empty


@pytest.mark.slow
def test_a_demo_is_not_built_over_somebody_s_data(tmp_path, cdnow_file):
    data_set = named(tmp_path, "mine")
    import_file(data_set, cdnow_file.read_bytes(), cdnow_file.name, load_mapping("cdnow"))
    before = contents(data_set, schema.orders)
    with pytest.raises(BadInput):
        build(data_set, Plan(customers=200))
    assert contents(data_set, schema.orders).equals(before)


@pytest.mark.postgresql
def test_postgresql_holds_the_same_rows_as_duckdb(tmp_path, postgresql_schema):
    plan, duckdb, postgresql = Plan(customers=200, seed=9), named(tmp_path, "demo"), find_data_set(postgresql_schema)
    build(duckdb, plan)
    build(postgresql, plan)
    for table in schema.metadata.sorted_tables:
        if table is not schema.data_set:  # holds the version, which each engine counts by itself
            one, other = ([tuple(row.values()) for row in contents(data_set, table).to_pylist()] for data_set in (duckdb, postgresql))
            assert len(one) == len(other), table.name
            assert set(one) == set(other), table.name


# ── whole ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_every_table_has_rows(small):
    counts = building.row_counts(small)
    assert {table.name for table in schema.metadata.sorted_tables} - set(counts) == ALWAYS_EMPTY


@pytest.mark.parametrize(
    ("table", "column"),
    [
        pytest.param(table, column, id=f"{table.name}.{column}")
        for table in schema.metadata.sorted_tables
        for column in KEYS
        if column in table.c
    ],
)
def test_every_key_names_something_that_is_there(small, table, column):
    assert dangling(small, table, column) == 0


def test_nothing_happens_outside_the_three_years(small):
    """Planned days may lie later: expected closing and due days, quarters with a quota, the end of a measuring window."""
    planned = {"expected_close_on", "due_on", "quarter_on", "measured_until", "hired_on", "left_on", "imported_at"}
    for table in schema.metadata.sorted_tables:
        for column in table.c:
            if column.name not in planned and str(column.type) in ("DATE", "DATETIME"):
                row = open_source(small).arrow(select(func.min(column).label("first"), func.max(column).label("last"))).to_pylist()[0]
                if row["first"] is not None:
                    assert (str(row["first"])[:10] >= "2023-01-01", str(row["last"])[:10] <= "2025-12-31") == (True, True), column


def test_revenue_adds_up_from_lines_to_orders_to_totals(small):
    lines, orders = contents(small, schema.order_lines), contents(small, schema.orders)
    by_order = lines.group_by("order_id").aggregate([("net_amount", "sum")])
    assert sorted(by_order["order_id"].to_pylist()) == orders["order_id"].to_pylist()
    total = pc.sum(lines["net_amount"]).as_py()
    assert sum(by_order["net_amount_sum"].to_pylist(), Decimal(0)) == total
    batches = contents(small, schema.import_batches)
    assert pc.sum(batches["amount_loaded"]).as_py() == total
    assert pc.sum(batches["rows_loaded"]).as_py() == lines.num_rows
    tiles = tables_of("executive_kpis")["tiles"](open_source(small), Filters())
    shown = tiles.set_index("metric")["value"] if "metric" in tiles else tiles.iloc[0]
    assert shown["net_revenue"] == pytest.approx(float(total), abs=0.005)


def test_every_line_is_gross_less_discount(small):
    lines = contents(small, schema.order_lines).filter(pc.field("line_kind") != "cancelled")
    assert pc.subtract(lines["gross_amount"], lines["discount_amount"]).cast(pa.decimal128(18, 4)).equals(lines["net_amount"])


@pytest.mark.slow
def test_undoing_all_batches_leaves_an_empty_data_set(tmp_path):
    data_set = named(tmp_path, "demo")
    build(data_set, Plan(customers=200))
    for batch in contents(data_set, schema.import_batches)["batch_id"].to_pylist():
        undo.undo(data_set, batch)
    assert set(building.row_counts(data_set)) == {"data_set", "import_batches"}


# ── effects ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


GONE = {  # what is not stated without the effect; two effects are levels only, which are then those of nobody in particular
    "seasonality": {"seasons.season_by_month", "seasons.season_by_weekday"},
    "upgrades": {"orders.upgrades_per_year", "orders.upgrade_factor"},
    "outliers": {"orders.outlier_share", "orders.outlier_factor", "orders.test_orders", "orders.test_amount"},
    "discounts": {"discounts.rate_share", "discounts.hunter_share"},
    "returns": {"returns.return_share"},
    "voids": {"order_kinds.cancelled_share", "baskets.gift_share"},
    "anonymous": {"order_kinds.anonymous_share"},
    "affinities": set(),
    "satisfaction": {"customers.purchase_rate_factor"},
    "service": {"service.leave_after_bad_answer"},
    "response_bias": set(),
    "campaigns": {"campaigns.open_rate", "campaigns.click_rate", "campaigns.lost_share"},
    "win_back": {"campaigns.second_life_orders", "campaigns.second_life_order_value", "campaigns.lapsed_days"},
    "cost_to_serve": {"costs.tier_share", "costs.visit_cost", "costs.delivery_cost", "costs.return_cost"},
    "referrals": {"customers.referral_weight"},
    "contracts": {"contracts.alpha", "contracts.beta", "contracts.contract_share"},
    "go_live": {"plan.go_live_on", "service.call_centre_saving"},
    "detours": {"deals.skip_share", "deals.back_share", "deals.push_chance", "deals.reopen_share"},
    "two_systems": {"customers.second_record_share", "identities.error_share", "identities.office_order_share"},
}


def said(facts: list[world.Fact]) -> dict[tuple[str, str], float | str]:
    return {(f"{fact.topic}.{fact.parameter}", fact.subject): fact.value for fact in facts}


@pytest.mark.parametrize("effect", EFFECT_NAMES)
def test_without_an_effect_its_numbers_are_not_stated_and_nothing_else_is_new(effect):
    whole, less = (said(truth.stated(Plan(effects=effects))) for effects in (Effects(), Effects.without(effect)))
    names, fewer = ({name for name, _ in facts} for facts in (whole, less))
    assert set(less) <= set(whole)
    assert names >= GONE[effect]
    assert not fewer & GONE[effect]
    assert {key for key in less if less[key] != whole[key]} - {("plan.effect", effect)} or len(less) < len(whole)
    if effect == "go_live":
        assert not [subject for _, subject in less if "after" in world.pieces(subject)]


@pytest.mark.slow
@pytest.mark.parametrize("effect", EFFECT_NAMES)
def test_a_demo_without_one_effect_is_whole(tmp_path, effect):
    data_set = named(tmp_path, "demo")
    build(data_set, Plan(customers=300, effects=Effects.without(effect)))
    assert [
        f"{table.name}.{column}"
        for table in schema.metadata.sorted_tables
        for column in KEYS
        if column in table.c and dangling(data_set, table, column)
    ] == []
    stated = contents(data_set, schema.demo_truth).to_pylist()
    assert not {f"{row['topic']}.{row['parameter']}" for row in stated} & GONE[effect]


@pytest.mark.slow
def test_a_demo_without_any_effect_has_natural_orders_only(tmp_path):
    data_set = named(tmp_path, "demo")
    build(data_set, Plan(customers=300, effects=Effects.none()))
    lines, orders = contents(data_set, schema.order_lines), contents(data_set, schema.orders)
    assert pc.unique(lines["line_kind"]).to_pylist() == ["sale"]
    assert pc.sum(lines["discount_amount"]).as_py() in (None, 0)
    assert orders["customer_id"].null_count == 0
    assert not set(building.row_counts(data_set)) & {"campaigns", "campaign_members", "contracts"}
    assert pc.all(pc.starts_with(contents(data_set, schema.customers)["customer_id"], "C")).as_py()


# ── the truth against the whole ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> DataSet:
    """The demo as `make run` builds it."""
    data_set = named(tmp_path_factory.mktemp("whole"), "demo")
    build(data_set, Plan())
    return data_set


@pytest.mark.slow
def test_the_demo_has_about_the_size_that_was_promised(whole):
    counts = building.row_counts(whole)
    assert counts["order_lines"] == pytest.approx(200_000, rel=0.15)
    assert counts["demo_customers"] >= 20_000


@pytest.mark.slow
def test_the_holdout_of_the_whole_demo_is_forecast_within_a_tenth(whole):
    """Seasons, satisfaction, campaigns and all else at work: grade A of the product, a total within GRADE_A_TOTAL_ERROR."""
    found = tables_of("lifetime_value")["holdout"](open_source(whole), Filters()).set_index("model")
    assert found["error"].abs()["bg_nbd"] <= GRADE_A_TOTAL_ERROR
    assert found["grade"]["bg_nbd"] == "A"


def test_no_two_kinds_of_things_have_keys_that_begin_alike():
    assert len(set(world._PREFIXES.values())) == len(world._PREFIXES)
    assert all(prefix.isalpha() for prefix in world._PREFIXES.values())
