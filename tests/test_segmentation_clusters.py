"""Who behaves alike, and are the satisfied ones loyal? Groups that are there are found, noise is called noise, parts add to the whole."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import insert

from crm_metrics import database, facts, schema
from crm_metrics import segmentation as room
from crm_metrics.database import open_source
from crm_metrics.filters import Filters
from crm_metrics.language import Language, speaking
from crm_metrics.metric import BadInput
from crm_metrics.segmentation.clustering import (
    HABITS,
    Clustering,
    candidates,
    cluster_names,
    clustering,
    customer_amounts,
    standardised,
    with_habits,
)
from crm_metrics.segmentation.three_axes import AXES, AxesTerms, cell_rows, placed, survey_scores

AS_OF = dt.date(2024, 3, 31)
CENTRES = [(3.0, 0.7, 3.0, 0.02, 0.02), (3.0, 3.0, 3.0, 0.02, 0.02), (6.0, 0.7, 5.0, 0.02, 0.4), (6.0, 3.0, 5.0, 0.5, 0.02)]


def as_habits(points: np.ndarray) -> pd.DataFrame:
    """Customers whose habits, as logarithms (shares as they are), are `points`."""
    values = np.column_stack([np.expm1(points[:, :3]), points[:, 3:].clip(0, 1)])
    frame = pd.DataFrame(values, columns=list(HABITS))
    return frame.assign(customer_number=np.arange(1, len(points) + 1), net_revenue=frame["orders"] * frame["average_order_value"])


def simulated(customers: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Four groups that stand well apart, and the group of each customer."""
    generator = np.random.default_rng(seed)
    group = generator.integers(0, len(CENTRES), customers)
    return as_habits(np.array(CENTRES)[group] + generator.normal(0, [0.2, 0.1, 0.2, 0.01, 0.01], (customers, 5))), group


def noise(customers: int, *, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return as_habits(generator.normal([4, 2, 4, 0.5, 0.5], [0.5, 0.3, 0.5, 0.1, 0.1], (customers, 5)))


def found(habits: pd.DataFrame, clusters: int = 0) -> Clustering:
    return clustering(habits, candidates(habits), clusters)


@pytest.fixture(scope="module")
def four() -> tuple[Clustering, np.ndarray]:
    """The clustering of four groups of 600 customers."""
    habits, group = simulated(600, seed=3)
    return found(habits), group


# ── clusters ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_groups_that_stand_apart_are_found_in_their_number(four):
    from sklearn.metrics import adjusted_rand_score

    result, group = four
    assert len(np.unique(result.cluster)) == 4
    assert adjusted_rand_score(group, result.cluster) > 0.95
    assert result.verdict == "clear"
    assert result.chosen["stability"] > 0.95


@pytest.mark.slow
def test_the_first_cluster_brings_the_most_net_revenue(four):
    result, _ = four
    sums = result.habits.groupby(result.cluster)["net_revenue"].sum()
    assert sums.index.tolist() == [1, 2, 3, 4]
    assert sums.is_monotonic_decreasing


@pytest.mark.slow
def test_a_sample_finds_the_groups_of_all_customers():
    from sklearn.metrics import adjusted_rand_score

    habits, group = simulated(8_000, seed=4)
    assert adjusted_rand_score(group, found(habits).cluster) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_pure_noise_has_no_clusters_and_none_that_would_be_found_again(seed):
    result = found(noise(1_500, seed=seed))
    assert result.verdict == "none"
    assert result.chosen["stability"] < 0.6
    basis = pd.DataFrame([{"verdict": "none", "silhouette": 0.14, "stability": 0.3, "is_stable": False}])
    assert "Not stable: don't act on these." in room.cluster_trust(basis)


@pytest.mark.slow
def test_the_order_of_rows_does_not_matter(four):
    result, _ = four
    shuffled = result.habits.sample(frac=1, random_state=1)
    again = found(shuffled)
    assert again.habits["customer_number"].tolist() == result.habits["customer_number"].tolist()
    assert again.cluster.tolist() == result.cluster.tolist()
    pd.testing.assert_frame_equal(again.criteria, result.criteria)


@pytest.mark.slow
def test_the_reader_can_ask_for_another_number(four):
    result, _ = four
    seven = found(result.habits, 7)
    assert len(np.unique(seven.cluster)) == 7
    assert len(set(cluster_names(seven.distances).values())) == 7


def test_a_number_that_nobody_could_name_is_refused():
    with pytest.raises(BadInput, match=r"9 clusters can't be made\. Choose 2 to 8\."):
        room.ClusterTerms(9)


def test_few_customers_or_customers_who_are_all_alike_have_no_clusters():
    few, alike = noise(99, seed=1), pd.concat([noise(1, seed=1)] * 200, ignore_index=True).assign(customer_number=np.arange(200))
    for habits in (few, alike, few.iloc[:0]):
        assert found(habits).verdict == "too_few"
        assert found(habits).cluster.tolist() == []


def test_a_handful_of_giants_stands_three_standard_deviations_away_at_most():
    habits = noise(200, seed=5)
    habits.loc[0, "average_order_value"] = 1e12
    assert standardised(habits)["average_order_value"].max() == pytest.approx(3)


def test_an_unknown_habit_stands_at_the_mean_and_one_that_nobody_shows_is_left_out():
    habits = noise(200, seed=5).assign(discount_share=np.nan)
    habits.loc[0, "returned_share"] = np.nan
    points = standardised(habits)
    assert "discount_share" not in points
    assert points["returned_share"][0] == 0


def test_clusters_are_named_from_what_sets_them_apart_and_no_two_alike():
    rows = [(1, "orders", 1.2), (1, "average_order_value", 0.6), (2, "orders", 1.1), (2, "average_order_value", 0.5)]
    rows += [(1, "returned_share", 0.1), (2, "returned_share", -0.2), (3, "orders", -0.9), (3, "average_order_value", -0.1)]
    names = cluster_names(pd.DataFrame(rows, columns=["cluster", "habit", "distance"]))
    assert names == {
        1: "buy often, large orders, send much back",
        2: "buy often, large orders, keep what they buy",
        3: "buy seldom",
    }


def test_clusters_that_nothing_sets_apart_are_told_by_their_number():
    same = pd.DataFrame({"cluster": [1, 2], "habit": "orders", "distance": [0.2, 0.1]})
    assert cluster_names(same) == {1: "buy often, 1", 2: "buy often, 2"}


# ── a small shop ────────────────────────────────────────────────────────────────────────────────────────────────────────


Sale = tuple[str | None, dt.date, str, str, str | None]  # customer, day, amount, kind of line, discount
SHOP: list[Sale] = [
    ("ann", dt.date(2024, 1, 1), "90", "sale", "10"),
    ("ann", dt.date(2024, 3, 1), "110", "sale", "0"),
    ("ann", dt.date(2024, 3, 11), "-50", "return", None),
    ("ben", dt.date(2024, 3, 31), "40", "sale", "0"),
    ("cat", dt.date(2024, 2, 1), "0", "sale", None),
    ("dan", dt.date(2024, 4, 1), "70", "sale", "0"),
    (None, dt.date(2024, 3, 2), "500", "sale", "0"),
]
ANSWERS = [  # customer, kind, invited, answered, score
    ("ann", "satisfaction", dt.date(2024, 1, 5), dt.date(2024, 1, 6), 5),
    ("ann", "satisfaction", dt.date(2024, 3, 5), dt.date(2024, 3, 6), 2),
    ("ann", "satisfaction", dt.date(2024, 3, 30), dt.date(2024, 4, 2), 1),  # after the as-of date: not seen
    ("ben", "satisfaction", dt.date(2024, 3, 30), None, None),
    ("dan", "satisfaction", dt.date(2024, 3, 30), dt.date(2024, 3, 30), 5),  # no purchase yet
    ("ben", "recommendation", dt.date(2024, 3, 1), dt.date(2024, 3, 1), 9),
]


def amounts(values):
    return pa.array([None if value is None else Decimal(value) for value in values], pa.decimal128(18, 4))


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def shop(request, tmp_path):
    """SHOP with its ANSWERS."""
    address = f"duckdb:///{tmp_path / 'mine.duckdb'}" if request.param == "duckdb" else request.getfixturevalue("postgresql_schema")
    data_set = database.find_data_set(address)
    ids, days = [f"o{place}" for place in range(len(SHOP))], [sale[1] for sale in SHOP]
    orders = {
        "order_id": ids,
        "customer_id": pa.array([sale[0] for sale in SHOP], pa.string()),
        "ordered_at": pa.array([dt.datetime.combine(day, dt.time()) for day in days], pa.timestamp("us")),
        "ordered_on": days,
        "is_purchase": [sale[3] == "sale" for sale in SHOP],
        "is_cancelled": [False] * len(SHOP),
        "batch_id": [1] * len(SHOP),
    }
    lines = {
        "batch_id": [1] * len(SHOP),
        "row_number": list(range(1, len(SHOP) + 1)),
        "order_id": ids,
        "line_kind": [sale[3] for sale in SHOP],
        "quantity": amounts(["1" if sale[3] == "sale" else "-1" for sale in SHOP]),
        "net_amount": amounts([sale[2] for sale in SHOP]),
        "discount_amount": amounts([sale[4] for sale in SHOP]),
        "row_hash": ids,
    }
    columns = ("customer_id", "survey_kind", "invited_on", "answered_on", "score")
    answers = [{"survey_id": f"s{place}", "batch_id": 1, **dict(zip(columns, row, strict=True))} for place, row in enumerate(ANSWERS)]
    with database.change(data_set) as writer:
        writer.append(schema.orders, pa.table(orders))
        writer.append(schema.order_lines, pa.table(lines))
        writer.connection.execute(insert(schema.surveys), answers)
        facts.rebuild(writer.connection)
    return open_source(data_set)


UP_TO = Filters(end=AS_OF)


def test_habits_are_what_customers_did_up_to_the_day(shop):
    """As of March 31.

    ann  two purchases of 200 in all, 10 off 210, gave 50 back: 30 days ago, 100 per order, .25 returned, 10 / 210 off
    ben  one of 40 on the day itself
    cat  one worth nothing: no share of nothing is known
    dan  comes later; a sale without a customer is nobody's
    """
    habits = with_habits(shop(customer_amounts(UP_TO, AS_OF))).drop(columns="customer_number").to_numpy(dtype=float)
    expected: list[list[float]] = [[150, 30, 2, 100, 0.25, 10 / 210], [40, 0, 1, 40, 0, 0], [0, 59, 1, 0, np.nan, np.nan]]
    np.testing.assert_allclose(habits, expected, rtol=1e-6)


def test_the_beginning_of_the_period_limits_nothing(shop):
    late = Filters(start=dt.date(2024, 3, 20), end=AS_OF)
    pd.testing.assert_frame_equal(shop(customer_amounts(late, AS_OF)), shop(customer_amounts(UP_TO, AS_OF)))


def test_answers_count_up_to_the_day(shop):
    scores = shop(survey_scores(AS_OF)).drop(columns="customer_number").to_numpy().tolist()
    assert scores == [["recommendation", 1, 9], ["satisfaction", 2, 7], ["satisfaction", 0, 0], ["satisfaction", 1, 5]]


def test_axes_add_up_to_all_customers_with_a_purchase(shop):
    """ann: mean 3.5, middling, twice; ben has not answered and cat was not asked: unknown, once. No costs: net revenue."""
    axes, basis = room.axes(shop, UP_TO), room.axes_basis(shop, UP_TO).iloc[0]
    assert len(axes) == 36
    assert (axes["customers"].sum(), axes["net_revenue"].sum()) == (3, 190)
    assert axes[["customers_share", "net_revenue_share"]].sum().tolist() == pytest.approx([1, 1])
    cells = axes[axes["customers"] > 0].set_index(list(AXES))["net_revenue"].to_dict()
    assert cells == {("middling", "occasional", "most"): 150, ("unknown", "one_time", "little"): 40}
    assert (basis.survey_kind, basis.invited, basis.answered, basis.profit_basis) == ("satisfaction", 2, 1, "net_revenue")


def test_the_tiles_say_how_many_answered_and_what_the_dissatisfied_brought(shop):
    """Of two customers asked one answered, middling; nobody is loyal; nobody who earns most is dissatisfied until 4 is the least."""
    assert room.axes_tiles(shop, UP_TO)["value"].tolist() == [0.5, 0, 0, 0]
    tiles = room.axes_tiles(shop, UP_TO).set_index("metric")
    low, high, n = tiles.loc["satisfied_share", ["low", "high", "n"]]
    assert (low, n) == (0, 1)
    assert high == pytest.approx(0.7935, abs=5e-5)  # z² / (1 + z²): Wilson's of none in one
    assert tiles.drop("satisfied_share")[["low", "high"]].isna().all(axis=None)
    strict = AxesTerms(satisfaction=(4.0, 4.5), loyal_orders=2)
    assert room.axes_tiles(shop, UP_TO, strict)["value"].tolist() == pytest.approx([0.5, 0, 1 / 3, 150])


def test_too_few_customers_are_said_to_be_too_few(shop):
    basis, clusters = room.cluster_basis(shop, UP_TO), room.clusters(shop, UP_TO)
    assert clusters.empty
    assert "it takes 100 customers" in room.cluster_finding(clusters, basis)
    assert room.cluster_customers(shop, UP_TO).empty
    assert room.cluster_profile(shop, UP_TO).empty


# ── three axes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


USUAL = AxesTerms()


def on_axes(terms=USUAL):
    """Ann satisfied, loyal, loses; ben dissatisfied, loyal, earns most; cat never asked, once; dan asked and silent, lapsed."""
    habits = pd.DataFrame(
        {"customer_number": [1, 2, 3, 4], "orders": [9, 4, 1, 5], "days_since_last_order": [1, 365, 5, 400], "net_revenue": 100.0}
    )
    scores = pd.DataFrame(
        {"survey_kind": "satisfaction", "customer_number": [1, 2, 4, 7], "answers": [2, 1, 0, 1], "score_sum": [9, 2, 0, 5]}
    )
    profits = pd.DataFrame(
        {"customer_number": [1, 2, 3, 4, np.nan], "profit": [-5.0, 50.0, 1.0, 2.0, 99.0], "cost_to_serve": 1.0, "marketing": np.nan}
    )
    return placed(habits, scores, profits, terms)


def test_customers_stand_where_the_rules_put_them():
    result = on_axes()
    levels = [[names[place] for place in result.customers[axis]] for axis, names in AXES.items()]
    assert levels == [
        ["satisfied", "dissatisfied", "unknown", "unknown"],
        ["loyal", "loyal", "one_time", "occasional"],
        ["loses", "most", "little", "little"],
    ]
    assert (result.survey_kind, result.invited, result.profit_basis) == ("satisfaction", 3, "profit")


def test_profit_of_the_cells_adds_to_that_of_the_customers():
    cells = cell_rows(on_axes().customers)
    assert cells["profit"].sum() == 48
    assert cells["profit_share"].sum() == pytest.approx(1)


def test_the_finding_says_whom_to_call_and_who_costs():
    cells = cell_rows(on_axes().customers)
    basis = pd.DataFrame([{"customers": 4, "answered": 2, "profit_basis": "profit"}])
    assert room.axes_finding(cells, basis, currency="") == (
        "Earning most and dissatisfied: 1. Call these first; they brought 50.00 in profit so far. "
        "Satisfied and loyal, but losing money: 1, with 5.00 in all."
    )


def test_cut_points_move_customers():
    terms = AxesTerms.of_inputs((1.0, 2.0), 5, 400, 50)
    result = on_axes(terms)
    assert result.customers["satisfaction"].tolist() == [0, 0, 3, 3]
    assert result.customers["loyalty"].tolist() == [2, 1, 0, 2]
    assert result.customers["profit_level"].tolist() == [0, 2, 1, 2]


@pytest.mark.parametrize(("answers", "orders", "percent"), [((4.0, 4.0), 4, 20), ((3.0, 4.0), 1, 20), ((3.0, 4.0), 4, 100)])
def test_cut_points_that_leave_a_level_to_nobody_are_refused(answers, orders, percent):
    with pytest.raises(BadInput):
        AxesTerms.of_inputs(answers, orders, 365, percent)


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clicked_bar_is_a_cell_and_its_customers_are_found():
    axes = cell_rows(on_axes().customers)
    drawn = room.axes_bars(axes, currency="EUR")
    clicked = [row[0] for trace in drawn.data for row in trace.customdata]
    assert room.chosen_cells(axes, clicked[:1], []) == [("satisfied", "loyal", "loses")]
    assert sorted(room.chosen_cells(axes, clicked, [])) == sorted(room.chosen_cells(axes, [], range(len(clicked))))
    assert room.cells_text([("satisfied", "loyal", "loses")]) == "Customers: satisfied, loyal, loses money"


def test_what_is_chosen_in_the_table_is_added_to_what_is_chosen_in_the_figure():
    axes = cell_rows(on_axes().customers)
    first, second = room.chosen_cells(axes, [], [0, 1])
    assert room.chosen_cells(axes, ["|".join(second)], [0, 1]) == [second, first]
    assert room.chosen_clusters(pd.DataFrame({"cluster": [1, 2, 3]}), [3], [1, 2]) == [2, 3]


def test_a_profit_level_that_nobody_has_is_drawn_as_nothing():
    axes = cell_rows(on_axes().customers.assign(profit_level=2))
    assert sum(len(bars.x) for bars in room.axes_bars(axes, currency="").data) == (axes["customers"] > 0).sum()
    assert room.axes_bars(axes.assign(customers=0), currency="").layout.annotations == ()


def test_satisfaction_that_nobody_has_takes_no_room():
    axes = cell_rows(on_axes().customers.assign(satisfaction=3))
    assert list(room.axes_bars(axes, currency="").layout.yaxis.ticktext) == ["never answered<br>n = 4"]


@pytest.mark.slow
def test_every_cluster_and_habit_is_a_field_in_both_languages(four):
    result, _ = four
    rows = pd.DataFrame({"cluster": [1, 2, 3, 4], "name": "buy often, gone quiet", "customers": 150, "net_revenue_share": 0.25})
    profile = result.distances.assign(cluster_median=5.0, median=4.0)
    names: dict[Language, str] = {"en": "buy often, gone quiet", "zh": "经常购买，已沉默"}
    for language, name in names.items():
        with speaking(language):
            drawn = room.cluster_matrix(rows, profile, currency="EUR")
            assert len(drawn.data[0].x) == 4 * len(HABITS)
            assert any(name in note.text for note in drawn.layout.annotations)
            assert len(room.criteria_lines(result.criteria).data) == 3
