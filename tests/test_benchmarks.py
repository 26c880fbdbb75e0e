"""Is the benchmark's shop what it says, and does every pair of questions ask the same?"""

from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import func, select

from benchmarks import in_pandas, measure, report, shop
from benchmarks.filter_sets import FILTER_SETS
from benchmarks.questions import QUESTIONS
from crm_metrics import schema
from crm_metrics.database import change, find_data_set, open_source
from crm_metrics.metric import BadInput
from crm_metrics.rooms import tables

MILLION_LINES = 0.01
SIZE = shop.size_of(MILLION_LINES)
FILLED = [schema.orders, schema.order_lines, schema.order_records, schema.customers, schema.customer_records]
FILLED += [schema.products, schema.product_records, schema.campaigns, schema.import_batches]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    return open_source(shop.ready(f"duckdb:///{folder}/shop.duckdb", MILLION_LINES))


@pytest.fixture(scope="module")
def loaded(source):
    return in_pandas.load(source)


def rows(source, table):
    return source.arrow(select(*table.c).order_by(*table.primary_key))


# ── the shop ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_shop_has_33_lines_and_ten_orders_a_customer(source):
    counts = {table.name: source(select(func.count().label("rows")).select_from(table)).iloc[0]["rows"] for table in FILLED}
    assert SIZE.customers == 303
    assert counts["customers"] == counts["customer_records"] == SIZE.customers
    assert counts["orders"] == counts["order_records"] == 10 * SIZE.customers
    assert counts["order_lines"] == 33 * SIZE.customers == SIZE.lines
    assert counts["import_batches"] == 1


def test_the_keys_hold(source):
    lines, orders = rows(source, schema.order_lines).to_pandas(), rows(source, schema.orders).to_pandas()
    assert set(lines["order_id"]) == set(orders["order_id"])
    assert set(lines["product_id"]) <= set(rows(source, schema.products).to_pandas()["product_id"])
    assert set(orders["customer_id"].dropna()) <= set(rows(source, schema.customers).to_pandas()["customer_id"])
    assert set(orders["campaign_id"].dropna()) <= set(rows(source, schema.campaigns).to_pandas()["campaign_id"])
    assert set(lines["batch_id"]) == {shop.BATCH}


def test_an_order_says_of_itself_what_its_lines_say(source):
    lines, orders = rows(source, schema.order_lines).to_pandas(), rows(source, schema.orders).to_pandas().set_index("order_id")
    is_sale = (lines["line_kind"] == "sale") & (lines["quantity"] > 0)
    assert (is_sale.groupby(lines["order_id"]).any() == orders["is_purchase"].sort_index()).all()
    is_cancelled = lines["line_kind"] == "cancelled"
    assert (is_cancelled.groupby(lines["order_id"]).all() == orders["is_cancelled"].sort_index()).all()
    assert set(lines["line_kind"]) == {"sale", "return", "gift", "cancelled"}


def test_amounts_are_whole_cents_and_add_up(source):
    lines = rows(source, schema.order_lines).to_pandas()
    amounts = lines[["gross_amount", "discount_amount", "net_amount", "cost_amount"]].dropna()
    assert all(amount * 100 % 1 == 0 for column in amounts for amount in amounts[column])
    paid = lines[lines["line_kind"] != "cancelled"]
    assert (paid["gross_amount"] - paid["discount_amount"] == paid["net_amount"]).all()
    assert (lines[lines["line_kind"] == "return"]["net_amount"] < 0).all()


def test_some_customers_order_far_more_than_others_over_three_years(source):
    orders = source(select(schema.orders.c.customer_id, schema.orders.c.ordered_on))
    counts = orders["customer_id"].value_counts()
    assert counts.max() > 5 * counts.mean()
    assert counts.index[0] in {shop.customer_key(number) for number in range(1, 10)}
    assert orders["ordered_on"].min() < pd.Timestamp(shop.FIRST_ON + timedelta(days=30))
    assert orders["ordered_on"].max() == pd.Timestamp(shop.LAST_ON)
    assert orders["customer_id"].isna().any()


def same_shop(source, other):
    for table in FILLED:
        assert rows(source, table).equals(rows(other, table)), table.name


def test_the_same_shop_comes_out_again_and_in_the_place_of_one_of_another_size(source, data_set):
    assert open_source(shop.ready(data_set.address, 0.001)).version == 1
    again = open_source(shop.ready(data_set.address, MILLION_LINES))
    assert again.version == 2
    same_shop(source, again)


def test_a_shop_that_is_there_is_not_built_again(source):
    assert open_source(shop.ready(source.data_set.address, MILLION_LINES)).version == source.version


@pytest.mark.postgresql
def test_postgresql_makes_the_same_shop_and_answers_the_same(source, postgresql_schema):
    other = open_source(shop.ready(postgresql_schema, MILLION_LINES))
    for table in FILLED:
        assert rows(source, table).to_pylist() == rows(other, table).to_pylist(), table.name
    for question in QUESTIONS:
        for name, filters in FILTER_SETS.items():
            query = question.sql(filters)
            assert comparable(source(query), question.keys) == comparable(other(query), question.keys), f"{question.name}, {name}"


def test_a_data_set_that_is_no_shop_is_not_overwritten(data_set):
    with change(data_set):
        pass
    with pytest.raises(BadInput, match="is no benchmark shop"):
        shop.ready(data_set.address, MILLION_LINES)
    assert open_source(find_data_set(data_set.address)).version == 1


# ── questions and filters ───────────────────────────────────────────────────────────────────────────────────────────────


def comparable(answer, keys):
    """The answer with money in whole cents, sorted by its keys, columns by name."""
    frame = pd.DataFrame({name: answer[name] for name in sorted(answer.columns)})
    for name in frame.columns:
        if pd.api.types.is_float_dtype(frame[name]) and name not in keys:
            frame[name] = (frame[name] * 100).round().astype("int64")
        elif pd.api.types.is_integer_dtype(frame[name]):
            frame[name] = frame[name].astype("int64")
        elif not pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name].astype(str)
    return frame.sort_values(list(keys)).to_dict("records") if keys else frame.to_dict("records")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_facts_raw_lines_and_pandas_answer_the_same(question, source, loaded):
    for name, filters in FILTER_SETS.items():
        on_facts, on_lines, by_pandas = source(question.sql(filters)), source(question.raw_sql(filters)), question.in_pandas(loaded, filters)
        assert len(on_facts), name
        assert comparable(on_facts, question.keys) == comparable(on_lines, question.keys), name
        assert comparable(on_facts, question.keys) == comparable(by_pandas, question.keys), name


def test_the_filter_sets_select_what_they_say(loaded):
    last = pd.Timestamp(shop.LAST_ON)
    found = {}
    for name, filters in FILTER_SETS.items():
        lines = in_pandas.chosen(loaded, filters, "ordered_on", "order_region", "sales_channel", "category")
        chosen = (lines[column].nunique() for column in ("order_region", "sales_channel", "category"))
        found[name] = ((last - lines["ordered_on"].min()).days + 1, *chosen)
    assert found == {
        "all": (found["all"][0], 6, 5, 12),
        "365 days": (365, 6, 5, 12),
        "90 days": (90, 6, 5, 12),
        "365 days, 2 regions": (365, 2, 5, 12),
        "and 2 channels": (found["and 2 channels"][0], 2, 2, 12),
        "and 3 categories": (found["and 3 categories"][0], 2, 2, 3),
        "all but 1 channel and 1 category": (found["all"][0], 6, 4, 11),
    }
    assert 1060 <= found["all"][0] <= 1096
    assert 360 <= found["and 3 categories"][0] <= found["and 2 channels"][0] <= 365
    assert len(loaded.lines) == SIZE.lines


# ── measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(asked):
    asked(select(func.count()).select_from(schema.orders))
    return sum(range(300_000))


def fitted(asked):
    asked(select(func.count()).select_from(schema.orders))
    return sum(range(1_000_000))


def doubled(asked):
    return asked.remember(counted) + sum(range(300_000))


def test_what_is_remembered_counts_as_what_it_took_and_its_questions_as_questions(source):
    watched = measure.watched(source.data_set)
    first = watched.cost(lambda asked, _filters: asked.remember(counted), FILTER_SETS["all"])
    outer = watched.cost(lambda asked, _filters: asked.remember(doubled), FILTER_SETS["all"])
    again = watched.cost(lambda asked, _filters: asked.remember(doubled), FILTER_SETS["all"])
    assert first.asking > 0
    assert first.models > 0
    assert outer.asking == again.asking == first.asking
    assert outer.models == again.models > first.models
    assert again.seconds >= again.asking + again.models


def test_a_table_is_asked_under_every_filter_set_and_a_model_is_timed_apart(source):
    def forecast(asked, _filters):
        return asked.remember(fitted)

    def refused(_asked, _filters):
        raise BadInput("No.")

    def unasked(_asked, _filters):
        return pd.DataFrame()

    plain = tables("executive_kpis")["tiles"]
    found = list(measure.measured_tables(source.data_set, {"room": {"a": plain, "b": forecast, "c": refused, "d": unasked}}, FILTER_SETS))
    assert [(each.table, each.kind) for each in found] == [
        *[("a", "table")] * len(FILTER_SETS),
        ("b", "first"),
        *[("b", "again")] * len(FILTER_SETS),
        ("c", "refused"),
    ]
    assert {each.filter_set for each in found} == set(FILTER_SETS)


def test_the_report_has_a_row_per_room_and_per_question(source, loaded):
    answers = [measure.Answer("executive_kpis", "tiles", name, 0.25, "table") for name in FILTER_SETS]
    ratios = list(measure.measured_questions(source, loaded, QUESTIONS[:1], {"all": FILTER_SETS["all"]}))
    text = report.report(report.Run(SIZE, "DuckDB", 2, answers, ratios, (("rooms", 2**30),)))
    assert "| executive_kpis | 7 | 250 | 250 | 250 | tiles, all |" in text
    assert QUESTIONS[0].name in text
    assert "1.0 GB" in text
    nothing = report.report(report.Run(SIZE, "DuckDB", 2, [], [], ()))
    assert "|" not in nothing


def test_a_report_takes_the_place_of_the_one_of_its_size_and_no_other(tmp_path):
    path = tmp_path / "results.md"
    for title, text in (("b", "old"), ("a", "other"), ("b", "new")):
        report.write(path, f"## {title}\n\n{text}\n")
    written = path.read_text()
    assert "old" not in written
    assert written.index("other") < written.index("new")
