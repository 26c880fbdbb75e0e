"""What is true in a demo: stated completely, stored exactly, shown in words, and set beside what the data say."""

import ast
import datetime as dt
import importlib
import io
import json
import math
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from crm_metrics import database, demo, export, facts, schema, search
from crm_metrics.database import DataSet, arrow_to_frame, open_source
from crm_metrics.demo import plan as planning
from crm_metrics.demo import room, truth, words, world
from crm_metrics.demo.build import build
from crm_metrics.demo.channels import CHANNEL_NAMES
from crm_metrics.demo.plan import EFFECT_NAMES, EFFECTS, Effects, Plan
from crm_metrics.demo.world import Fact
from crm_metrics.filters import Filters
from crm_metrics.language import chinese, speaking
from crm_metrics.scope import Scope

UNITS = {"plain", "share", "money", "number", "days", "minutes", "hours", "text"}
SMALL = Plan(customers=600, seed=3)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """A demo of 600 customers."""
    data_set = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('small')}/demo.duckdb")
    build(data_set, SMALL)
    return data_set


def frame_of(facts: list[Fact]) -> pd.DataFrame:
    """The facts as `source(truth())` gives them."""
    return arrow_to_frame(truth.rows(facts)[schema.demo_truth])


def named(facts: list[Fact]) -> pd.DataFrame:
    """The facts as room.stated_truth gives them, in the order given."""
    rows = [
        (topic, name, truth.label_of(topic, name), subject, *((math.nan, value) if isinstance(value, str) else (value, None)))
        for topic, name, subject, value in facts
    ]
    frame = pd.DataFrame(rows, columns=["topic", "parameter", "label", "subject", "value", "text"])
    return frame.assign(unit=[truth.unit_of(topic, name) for topic, name, *_ in rows])


# ── stated completely, stored exactly ───────────────────────────────────────────────────────────────────────────────────


def test_every_parameter_has_a_label_in_both_languages_and_a_known_unit():
    declared = [(label, unit) for topic in truth.TOPICS.values() for label, unit in topic.parameters.values()]
    assert len(declared) > 100
    assert {unit for _, unit in declared} <= UNITS
    assert [
        label for label in [*(label for label, _ in declared), *(topic.label for topic in truth.TOPICS.values())] if label not in chinese()
    ] == []


def test_no_two_parts_share_a_topic():
    topics = [part.TOPIC for _, part in truth._PARTS]
    assert len(set(topics)) == len(topics)
    assert truth.PLAN not in topics


@pytest.mark.parametrize("effects", [Effects(), Effects.none()])
def test_nothing_is_stated_twice_and_everything_stated_is_declared(effects):
    stated = truth.stated(Plan(effects=effects))
    keys = [(fact.topic, fact.parameter, fact.subject) for fact in stated]
    assert len(set(keys)) == len(keys)
    assert {(topic, parameter) for topic, parameter, _ in keys} <= set(truth._declared())


def test_a_fact_that_no_part_declares_is_refused():
    with pytest.raises(KeyError, match="no such parameter"):
        truth.rows([Fact("plan", "no such parameter", "", 1.0)])


def test_numbers_are_stored_with_eight_decimals_and_texts_as_texts():
    rows = truth.rows([Fact("orders", "outlier_share", "", 1 / 3), Fact("plan", "first_on", "", "2023-01-01")])[schema.demo_truth]
    assert rows["true_value"].to_pylist() == [Decimal("0.33333333"), None]
    assert rows["true_text"].to_pylist() == [None, "2023-01-01"]


def test_the_plan_is_stated_with_every_effect_on_or_off():
    facts = {(fact.parameter, fact.subject): fact.value for fact in truth.plan_facts(Plan(700, 9, Effects.without("returns")))}
    assert (facts["customers", ""], facts["seed", ""], facts["last_on", ""]) == (700, "9", str(planning.LAST_ON))
    assert {name: facts["effect", name] for name in EFFECT_NAMES} == {**dict.fromkeys(EFFECT_NAMES, "on"), "returns": "off"}


def in_json(fact: Fact) -> int | str:
    """A number that is stored as a text is a number again."""
    return int(fact.value) if fact.parameter == "seed" else str(fact.value)


def test_a_seed_of_any_size_is_a_text_in_the_database_and_a_number_in_the_json():
    plan = Plan(600, 2**200)
    rows = frame_of(truth.plan_facts(plan))
    assert rows.set_index("parameter").loc["seed", "true_text"] == str(2**200)
    assert truth.as_json(rows)["plan"]["seed"] == 2**200
    assert words.plan_note(rows.rename(columns={"true_value": "value", "true_text": "text"})).endswith(
        f"seed {2**200}, every effect switched on."
    )


@pytest.mark.parametrize("number", [9.3e10, -9.3e10, math.inf, 2.0**40 * 1e8])
def test_a_number_that_does_not_fit_is_refused_and_not_stored_as_another(number):
    with pytest.raises(ValueError, match="out of range"):
        truth.rows([Fact("plan", "customers", "", number)])
    with pytest.raises(ValueError, match="out of range"):
        world.money([1.0, math.nan, number * 1e4])


def test_a_number_that_just_fits_is_stored_exactly():
    assert world.shares([9.2e10, -9.2e10]).to_pylist() == [Decimal(92_000_000_000), Decimal(-92_000_000_000)]
    assert world.money([9.2e14]).to_pylist() == [Decimal(920_000_000_000_000)]


def test_the_rows_stand_in_the_order_of_the_declarations_and_subjects_as_stated():
    facts = [
        Fact("plan", "first_on", "", "2023-01-01"),
        Fact("purchases", "a", "Search", 1.0),
        Fact("purchases", "r", "Store", 3.0),
        Fact("purchases", "r", "Search", 2.0),
    ]
    rows = truth.rows(facts)[schema.demo_truth]
    assert rows["place"].to_pylist() == [0, 1, 2, 3]
    names = [(row["parameter"], row["subject"]) for row in rows.to_pylist()]
    assert names == [("r", "Store"), ("r", "Search"), ("a", "Search"), ("first_on", "")]


@pytest.mark.slow
def test_the_page_lists_levels_and_channels_in_their_own_order(small):
    stated = room.stated_truth(open_source(small), Filters())
    by_parameter = stated.groupby("parameter", sort=False)["subject"].agg(list)
    assert by_parameter["r"] == list(CHANNEL_NAMES)
    assert by_parameter["season_by_month"] == [str(month) for month in range(1, 13)]
    assert stated["topic"].drop_duplicates().tolist() == list(truth.TOPICS)


def test_the_json_says_every_stated_fact_once():
    stated = truth.stated(Plan())
    found = json.loads(json.dumps(truth.as_json(frame_of(stated)), ensure_ascii=False))
    for fact in stated:
        by_subject = found[fact.topic][fact.parameter]
        value = by_subject[fact.subject or truth.ALL] if isinstance(by_subject, dict) else by_subject
        assert value == (pytest.approx(fact.value, abs=1e-8) if not isinstance(fact.value, str) else in_json(fact)), fact
    leaves = [leaf for topic in found.values() for value in topic.values() for leaf in (value if isinstance(value, dict) else [value])]
    assert len(leaves) == len(stated)


def test_the_json_has_whole_numbers_where_something_is_counted_and_all_beside_others():
    facts = [
        Fact("plan", "customers", "", 700.0),
        Fact("purchases", "r", "Search", 0.75),
        Fact("customers", "consent_share", "", 0.5),
        Fact("customers", "consent_share", "company", 0.25),
    ]
    assert truth.as_json(frame_of(facts)) == {
        "purchases": {"r": {"Search": 0.75}},
        "customers": {"consent_share": {"all": 0.5, "company": 0.25}},
        "plan": {"customers": 700},
    }
    assert isinstance(truth.as_json(frame_of(facts))["plan"]["customers"], int)


def test_the_truth_of_another_version_is_still_shown():
    frame = frame_of([Fact("plan", "seed", "", 1.0)]).assign(topic="yesterday", parameter="gone")
    assert truth.as_json(frame) == {"yesterday": {"gone": 1.0}}
    assert (truth.topic_label("yesterday"), truth.label_of("yesterday", "gone"), truth.unit_of("plan", "gone")) == (
        "yesterday",
        "gone",
        "plain",
    )


def test_every_stored_row_of_a_built_demo_is_declared(small):
    stored = open_source(small)(truth.truth())
    assert set(zip(stored["topic"], stored["parameter"], strict=True)) <= set(truth._declared())
    assert set(truth.TOPICS) == set(stored["topic"])
    assert len(stored) > len(truth.stated(SMALL))  # the campaigns' truth comes out of what happened


def test_a_data_set_that_is_no_demo_states_nothing(data_set):
    source = open_source(data_set)
    assert source(truth.is_demo()).facts.iloc[0] == 0
    tiles = room.tiles(source, Filters()).set_index("metric").value
    assert tiles["stated_parameters"] == 0
    assert math.isnan(tiles["left_share"])
    assert "is no demo" in words.finding(room.tiles(source, Filters()), data_set="mine")
    for name in ("truth", "doubles"):
        assert room.TABLES[name](source, Filters()).empty
    assert room.found(source, Filters()).empty


# ── everything that decides is stated ───────────────────────────────────────────────────────────────────────────────────

PART_OF = {  # modules that state nothing themselves: the part that states their numbers
    "campaign_audience": "campaigns",
    "campaign_catalogue": "campaigns",
    "campaign_effects": "campaigns",
    "campaign_records": "campaigns",
    "deal_changes": "deals",
    "deal_sources": "deals",
    "deal_tables": "deals",
    "line_table": "baskets",
    "misspelling": "identities",
    "names": "identities",
    "sales_tables": "leads",
}
WITHOUT_DATA = {"build", "plan", "room", "truth", "words", "world"}  # modules whose numbers decide nothing that an analyst could measure
NOT_STATED = {  # why not; what is stated in another form is computed from these constants
    "affinities.PAIRS": "the lifts are stated, the categories are subjects",
    "affinities.WANTED": "stated as shares of orders",
    "campaign_records.SENDING_HOURS": "hours within a day",
    "campaign_truth._GROUP_SHAPE": "size of a table",
    "clock.HOURS": "subjects",
    "contracts._LONGEST_PERIODS": "a bound beyond the demo's days",
    "costs.DELIVERY": "a code",
    "costs.RETURN_HANDLING": "a code",
    "costs.REWARD": "a code",
    "costs.VISIT": "a code",
    "discounts.NOVEMBER": "subject",
    "discounts.RATES": "subjects",
    "goods.GIFT_LEVEL": "place of the product that is given",
    "goods.NEAR_LIST": "in the label of near_list_share",
    "goods.UNITS_BESIDE_FIRST": "stated with the first unit",
    "identities._PHONE_NUMBERS": "a sequence of numbers",
    "identities._PHONE_START": "a sequence of numbers",
    "identities._PHONE_STEP": "a sequence of numbers",
    "leads.CALLING_HOURS": "hours within a day",
    "leads.FAIRS": "days as subjects",
    "leads.FAIR_HOURS": "hours within a day",
    "names._CITIES_EACH": "length of a list",
    "names._MEN": "length of a list",
    "office_hours.HOURS_OPEN": "hours within a day",
    "office_hours.OPENS_AT": "hours within a day",
    "office_hours.WORKDAYS": "Monday to Friday",
    "products.PRODUCTS_EACH": "stated for all tiers together",
    "products.PRODUCT_COUNT": "stated by category",
    "products._PLACES": "numbering",
    "sales_channels._MINUTES_A_DAY": "a unit",
    "sales_channels._OPEN_SHARE": "the general curve at opening hours",
    "sales_tables.NAME_STRIDE": "a sequence of names",
    "service_levels.CALL_SAVING": "stated as costs per call",
    "service_levels.COST_PER_MINUTE": "stated as cost of an hour by staff",
    "service_levels.FIRST_REPLY_SHAPES": "stated as the mean",
    "service_levels.WORST_TO_LEAVE": "in the label of leave_after_bad_answer",
    "surveys.DETRACTOR": "definition of the score",
    "surveys.MOST_RECOMMENDATION": "definition of the score",
    "surveys.PROMOTER": "definition of the score",
    "surveys.WORST_SATISFIED": "definition of the score",
}


def constants(path: Path) -> list[str]:
    """Names of the module's constants in capitals; those that only number places or codes (`A, B = range(2)`) left out."""
    found = []
    for statement in ast.parse(path.read_text()).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or ast.unparse(statement.value or statement).startswith("range("):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        found += [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name) and node.id.isupper()]
    return found


def numbers_in(value: object) -> list[float]:
    """The numbers that a constant consists of; none where it holds anything but numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [float(value)]
    inside = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, tuple | list | np.ndarray) else []
    parts = [numbers_in(one) for one in inside]
    return [number for part in parts for number in part] if all(parts) else []


def stated_numbers(topic: str, plan: Plan) -> np.ndarray:
    values = [fact.value for fact in truth.stated(plan) if fact.topic == topic]
    texts = [float(number) for value in values if isinstance(value, str) for number in re.findall(r"\d+(?:\.\d+)?", value)]
    return np.array([*texts, *(value for value in values if not isinstance(value, str))], dtype=float)


MODULES = sorted(path for path in Path(str(demo.__file__)).parent.glob("*.py") if path.stem not in {"__init__", *WITHOUT_DATA})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_number_that_decides_the_data_is_stated_by_its_part(path):
    module = importlib.import_module(f"crm_metrics.demo.{path.stem}")
    known = stated_numbers(getattr(module, "TOPIC", PART_OF.get(path.stem, "")), Plan())
    missing = {
        f"{path.stem}.{name}": number
        for name in constants(path)
        for number in numbers_in(getattr(module, name))
        if f"{path.stem}.{name}" not in NOT_STATED and not np.isclose(known, number, rtol=1e-9, atol=0).any()
    }
    assert missing == {}


def test_no_exception_is_made_for_a_number_that_is_gone():
    named = {f"{path.stem}.{name}" for path in MODULES for name in constants(path)}
    assert set(NOT_STATED) - named == set()


# ── what was simulated ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_tiles_count_customers_once_however_many_records_they_have():
    """Eight records of six customers, one of them the test account; two of the other five have left."""
    totals = pd.DataFrame([{"records": 8, "true_records": 6, "true_customers": 5, "left": 2, "tests": 1, "stated": 40}])
    tiles = room.counted(totals).set_index("metric")
    assert tiles["value"].to_dict() == {
        "true_customers": 5,
        "records": 8,
        "doubles": 2,
        "left_share": 0.4,
        "test_accounts": 1,
        "stated_parameters": 40,
    }
    assert tiles.loc["left_share", "n"] == 5


def test_the_tiles_of_a_demo_add_up(small):
    source = open_source(small)
    tiles = room.tiles(source, Filters()).set_index("metric").value
    assert tiles["true_customers"] + tiles["test_accounts"] + tiles["doubles"] == tiles["records"]
    assert (tiles["true_customers"], tiles["test_accounts"]) == (SMALL.customers - 1, 1)
    assert 0 < tiles["left_share"] < 1
    assert len(room.doubles(source, Filters())) == tiles["doubles"] > 0


def test_the_page_counts_customers_and_parameters_alike_everywhere(small):
    source = open_source(small)
    tiles, stated = room.tiles(source, Filters()), room.stated_truth(source, Filters())
    assert tiles.set_index("metric").value["stated_parameters"] == len(stated)
    assert words.tile_notes(tiles) == {"true_customers": "the test account not counted"}
    assert "599 customers" in words.finding(tiles, data_set="demo")
    for text in (words.plan_note(stated), words.doubles_finding(room.doubles(source, Filters()), tiles)):
        assert "599 customers and the test account" in text


def test_without_a_test_account_none_is_spoken_of():
    totals = pd.DataFrame([{"records": 7, "true_records": 6, "true_customers": 6, "left": 2, "tests": 0, "stated": 40}])
    tiles = room.counted(totals)
    assert words.tile_notes(tiles) == {}
    assert words.doubles_finding(pd.DataFrame({"customer_id": ["c"]}), tiles).endswith(": 7 records, 6 customers.")
    assert words.plan_note(named(truth.plan_facts(Plan(600, 3, Effects.none())))).startswith("Planned for 600 customers with seed 3.")


def test_second_records_stand_beside_the_first():
    records = pd.DataFrame(
        [("C1", "C1", "Ann", "shop"), ("C1", "K7", "An", "office"), ("C4", "C4", "Bo", "shop"), ("C4", "K2", "Bob", "office")],
        columns=["true_customer_id", "customer_id", "customer_name", "source_system"],
    )
    found = room.pairs(records)
    assert found[["customer_id", "second_customer_id"]].to_numpy().tolist() == [["C1", "K7"], ["C4", "K2"]]
    assert found["second_customer_name"].tolist() == ["An", "Bob"]
    assert room.pairs(records.iloc[:0]).empty


# ── found again ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def shop(data_set: DataSet) -> None:
    """Three customers, won through A, A and the test account's B.

    c1: day 1 twice (10 and 5), day 3 (20), a return on day 4 (-20), day 8 (30). c2: day 2 (7). t: days 1 and 2, test account.
    """
    sold = [
        ("c1", 1, "10"),
        ("c1", 1, "5"),
        ("c1", 3, "20"),
        ("c1", 4, "-20"),
        ("c1", 8, "30"),
        ("c2", 2, "7"),
        ("t", 1, "1"),
        ("t", 2, "1"),
    ]
    days = [dt.date(2024, 1, day) for _, day, _ in sold]
    ids, ones = [f"o{place}" for place in range(len(sold))], pa.array([1] * len(sold), pa.int32())
    amounts = pa.array([Decimal(amount) for *_, amount in sold], pa.decimal128(18, 4))
    is_sale = [not amount.startswith("-") for *_, amount in sold]
    moments = pa.array([dt.datetime.combine(day, dt.time()) for day in days], pa.timestamp("us"))
    who = {"order_id": ids, "customer_id": [name for name, *_ in sold], "ordered_at": moments, "ordered_on": days, "batch_id": ones}
    orders = {**who, "is_purchase": is_sale, "is_cancelled": [False] * len(sold)}
    lines = {"batch_id": ones, "row_number": list(range(len(sold))), "order_id": ids, "net_amount": amounts, "row_hash": ids}
    lines |= {
        "line_kind": ["sale" if sale else "return" for sale in is_sale],
        "quantity": pa.array([Decimal(1 if sale else -1) for sale in is_sale], pa.decimal128(18, 4)),
    }
    three = pa.array([1, 1, 1], pa.int32())
    customers = {"customer_id": ["c1", "c2", "t"], "acquisition_channel": ["A", "A", "B"], "batch_id": three}
    known = {"customer_id": ["c1", "c2", "t"], "true_customer_id": ["c1", "c2", "t"], "is_test": [False, None, True], "batch_id": three}
    tables = ((schema.orders, orders), (schema.order_lines, lines), (schema.customers, customers), (schema.demo_customers, known))
    with database.change(data_set) as writer:
        for table, columns in tables:
            writer.append(table, pa.table(columns))
        facts.rebuild(writer.connection)


def test_histories_count_purchase_days_without_returns_and_without_the_test_account(data_set):
    shop(data_set)
    histories = open_source(data_set)(room.channel_histories(Scope()))
    assert histories[["customer_id", "channel", "frequency", "repeat_revenue"]].to_numpy().tolist() == [
        ["c1", "A", 2, 50.0],
        ["c2", "A", 0, 0.0],
    ]
    summary = room.summaries(histories, pd.Timestamp("2024-01-08"))
    assert summary[["recency_days", "age_days"]].to_numpy().tolist() == [[7, 7], [0, 6]]
    assert summary["repeat_value_mean"].iloc[0] == 25
    assert math.isnan(summary["repeat_value_mean"].iloc[1])


@pytest.mark.postgresql
def test_the_queries_answer_the_same_on_postgresql(postgresql_schema, data_set):
    other = database.find_data_set(postgresql_schema)
    for each in (data_set, other):
        shop(each)
    for query in (room.held(), room.channel_histories(Scope()), room.records_of_one(), truth.truth(), truth.is_demo()):
        pd.testing.assert_frame_equal(open_source(data_set)(query), open_source(other)(query), check_dtype=False)


def test_too_few_customers_give_no_estimate_and_the_row_stays():
    summary = pd.DataFrame({"frequency": [1, 0], "recency_days": [5, 0], "age_days": [9, 9], "repeat_value_mean": [3.0, math.nan]})
    found = room.estimates("A", summary)
    assert found["parameter"].tolist() == ["r", "alpha", "a", "b", "p", "q", "v"]
    assert found["estimate"].isna().all()
    assert (found["customers"].iloc[0], found["repeaters"].iloc[0]) == (2, 1)


def beside(estimate: float, low: float, high: float) -> pd.DataFrame:
    stated = frame_of(
        [Fact("purchases", "r", "A", 0.75), Fact("purchases", "r", "B", 1.0), Fact("purchases", "acquisition_cost", "A", 9.0)]
    )
    columns = ["channel", "parameter", "estimate", "standard_error", "low", "high", "customers", "repeaters"]
    found = pd.DataFrame([("A", "r", estimate, 0.1, low, high, 400, 200)], columns=columns)
    return room.beside_truth(stated, found)


@pytest.mark.parametrize(("low", "high", "is_inside"), [(0.7, 0.9, True), (0.76, 0.9, False), (0.5, 0.74, False)])
def test_the_truth_is_inside_or_outside_and_unknown_where_there_is_no_estimate(low, high, is_inside):
    rows = beside(0.8, low, high).set_index("channel")
    assert list(rows.index) == ["A", "B"]
    assert bool(rows.loc["A", "is_inside"]) is is_inside
    assert rows["is_inside"].isna().tolist() == [False, True]
    assert rows["true_value"].tolist() == [0.75, 1.0]
    assert words.found_finding(rows).startswith(f"{int(is_inside)} of 1")


def test_a_dot_is_filled_where_the_truth_is_inside_and_hollow_elsewhere():
    for (low, high), symbol in (((0.7, 0.9), "circle"), ((0.76, 0.9), "circle-open")):
        trace = room.estimate_dots(beside(0.9, low, high), ("r",)).data[0]
        assert list(trace.marker.symbol) == [symbol]
        assert trace.x[0] == pytest.approx(0.9 / 0.75)
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(low / 0.75)


@pytest.mark.slow
def test_without_other_effects_every_parameter_of_every_channel_is_found_again(tmp_path):
    """Seed fixed beforehand. Four standard errors of the logarithm: 1 in 300 for one of 49 to lie outside by chance."""
    data_set = database.find_data_set(f"duckdb:///{tmp_path}/plain.duckdb")
    build(data_set, Plan(20_000, 1, Effects.none()))
    source = open_source(data_set)
    found = room.found(source, Filters())
    assert len(found) == 7 * 7
    distance = np.log(found["estimate"] / found["true_value"]) / (found["standard_error"] / found["estimate"])
    assert np.abs(distance).max() < 4
    assert "should be right" in words.bias_note(room.stated_truth(source, Filters()))


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "kind", "shown"),
    [
        (0.34, "share", "34%"),
        (0.00005, "share", "0.005%"),
        (1150.0, "money", "CN¥1,150.00"),
        (12_000.0, "number", "12,000"),
        (0.75, "plain", "0.75"),
        (-2.77962316, "plain", "−2.7796"),
        (4.5, "days", "4.5 days"),
        (1.0, "days", "1 day"),
        (90.0, "minutes", "90 min"),
        (2.0, "hours", "2 h"),
        (1 / 33, "share", "3.03%"),
        (-0.0001234567, "share", "−0.0123%"),
        (0.01, "days", "0.01 days"),
        (0.00012345, "days", "0.000123 days"),
        (0.033831, "plain", "0.0338"),
        (4.4, "money", "CN¥4.40"),
        (-12.5, "money", "−CN¥12.50"),
        (0.3, "money", "CN¥0.30"),
        (0.0012345, "money", "CN¥0.00123"),
        (0.0, "money", "CN¥0.00"),
        (0.0, "share", "0%"),
        (7 / 60, "under_an_hour", "7 min"),
        (17.5, "clock", "17:30"),
        (9.0, "clock", "9:00"),
    ],
)
def test_a_true_value_is_written_with_its_unit(number, kind, shown):
    assert words.shown_value(number, None, kind=kind, currency="CNY") == shown


def test_a_text_stays_and_on_and_off_are_translated():
    assert words.shown_value(math.nan, "2023-01-01", kind="text", currency="CNY") == "2023-01-01"
    with speaking("zh"):
        assert words.shown_value(math.nan, truth.OFF, kind="text", currency="CNY") == "关"


def test_the_table_has_each_true_value_as_text_and_as_a_number_with_its_unit():
    facts = [
        Fact("sales_channels", "closes_at", "", 21.5),
        Fact("campaigns", "extra_order_chance", "A", 0.02),
        Fact("campaigns", "naive_lift", "A", -4.4),
        Fact("campaigns", "first_sending_hour", "", 7.0),
        Fact("campaigns", "days_to_click", "", 0.01),
        Fact("service", "office_hours", "", "9:00–18:00"),
        Fact("service", "hours_self_served", "before", 0.125),
        Fact("service", "hours_other", "before", 26.0),
        Fact("service", "transfers", "before", 0.3),
    ]
    shown = words.truth_in_words(named(facts), currency="CNY")
    rows = shown[["value", "number", "unit"]].astype(object).where(shown.notna(), None).to_numpy().tolist()
    assert rows == [
        ["21:30", 21.5, "hours after midnight"],
        ["2%", 2.0, "%"],
        ["−CN¥4.40", -4.4, "CNY"],
        ["7:00", 7.0, "hours after midnight"],
        ["0.01 days", 0.01, "days"],
        ["9:00–18:00", None, ""],
        ["7.5 min", 7.5, "minutes"],
        ["26 h", 26.0, "hours"],
        ["0.3", 0.3, ""],
    ]
    taken_away = pd.read_csv(io.StringIO(export.csv_text(shown)))
    assert taken_away["value"].tolist() == [value for value, *_ in rows]
    assert taken_away["number"].tolist()[:5] == [21.5, 2.0, -4.4, 7.0, 0.01]


def test_no_true_value_but_nought_is_rounded_to_nought(small):
    stated = room.stated_truth(open_source(small), Filters())
    shown = words.truth_in_words(stated, currency="CNY")
    is_nought = shown.value.str.contains(r"\d") & ~shown.value.str.contains("[1-9]")
    assert (stated.value[is_nought & shown.number.notna()] == 0).all()
    assert is_nought.any()


def test_words_find_rows_by_parameter_subject_topic_and_value():
    facts = [
        Fact("purchases", "r", "搜索 Search", 0.75),
        Fact("purchases", "r", "门店 Store", 1.2),
        Fact("service", "office_hours", "", "9:00–18:00"),
    ]
    shown = words.truth_in_words(named(facts), currency="CNY")
    for wanted, values in (
        ("", ["0.75", "1.2", "9:00–18:00"]),
        ("bg/nbd STORE", ["1.2"]),
        ("tickets", ["9:00–18:00"]),
        ("18:00", ["9:00–18:00"]),
    ):
        assert search.matching(shown, wanted)["value"].tolist() == values
    assert search.matching(words.of_topic(shown, "gone"), "store").empty


def test_times_of_day_are_declared_parameters():
    assert set(truth._declared()) >= words.CLOCK_TIMES


def test_every_subject_is_read_in_chinese(small):
    with speaking("zh"):
        shown = words.truth_in_words(room.stated_truth(open_source(small), Filters()), currency="CNY")
    named = shown.loc[~shown.subject.str.fullmatch(r"[\d:%-]*"), "subject"]
    assert named[~named.str.contains("[\u4e00-\u9fff]")].tolist() == []


def test_every_effect_has_a_label_in_both_languages():
    assert [label for label in EFFECTS.values() if label not in chinese()] == []


def test_an_effect_and_a_subject_of_another_version_are_shown_by_name_and_pieces_translated():
    frame = pd.DataFrame(
        [("plan", "effect", "sunshine", "on"), ("leads", "share", "phone · after · 报价 Proposal", "x"), ("leads", "share", "gone", "x")],
        columns=["topic", "parameter", "subject", "text"],
    ).assign(label="a", value=math.nan, unit="text")
    assert words.truth_in_words(frame, currency="CNY")["subject"].tolist() == [
        "sunshine",
        "by telephone · with the CRM · 报价 Proposal",
        "gone",
    ]


def test_the_page_says_what_is_switched_off_and_why_estimates_are_off(small):
    stated = room.stated_truth(open_source(small), Filters())
    assert words.plan_note(stated) == "Planned for 599 customers and the test account with seed 3, every effect switched on."
    assert "satisfaction that moves purchases" in words.bias_note(stated)
    some = frame_of(truth.plan_facts(Plan(600, 3, Effects.without("returns", "seasonality"))))
    plain = some.rename(columns={"true_value": "value", "true_text": "text"})
    assert words.plan_note(plain) == "Planned for 599 customers and the test account with seed 3. Switched off: seasons, returns."
    assert "seasons" not in words.bias_note(plain)


def test_the_table_of_a_topic_is_that_topic_alone(small):
    shown = words.truth_in_words(room.stated_truth(open_source(small), Filters()), currency="CNY")
    assert len(words.topics(shown)) == 1 + len(truth.TOPICS)
    one = words.of_topic(shown, "The plan")
    assert list(one.columns) == ["label", "value", "subject", "number", "unit"]
    assert len(one) == 5 + len(EFFECT_NAMES)
    assert len(words.of_topic(shown, "")) == len(shown)
