"""Is the benchmark's shop what it says, and does every pair of questions ask the same?"""

import asyncio
import re
from datetime import date, timedelta
from io import BytesIO
from typing import Any, cast

import pandas as pd
import pytest
from sqlalchemy import func, select
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import campaigning, clicks, imports, in_pandas, measure, models, people, reader, report, sections, selling, served, shop
from benchmarks.filter_sets import FILTER_SETS
from benchmarks.questions import QUESTIONS
from benchmarks.run import README, RESULTS
from crm_metrics import schema
from crm_metrics.database import change, find_data_set, open_source
from crm_metrics.metric import BadInput
from crm_metrics.rooms import tables

MILLION_LINES = 0.01
SIZE = shop.size_of(MILLION_LINES)
FILLED = [schema.orders, schema.order_lines, schema.order_records, schema.customers, schema.customer_records]
FILLED += [schema.products, schema.product_records, schema.import_batches, *campaigning.campaigning(1, shop.FIRST_ON)]
FILLED += [*selling.selling(selling.Market(1, shop.PRODUCTS, shop.REGIONS, shop.FIRST_ON))]


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


@pytest.mark.slow
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


def test_the_members_of_campaigns_are_customers_once_each_drawn_into_arms_as_planned(source):
    members, arms = (rows(source, table).to_pandas() for table in (schema.campaign_members, schema.campaign_arms))
    assert len(members) == campaigning.CAMPAIGNS * (SIZE.customers // campaigning.ONE_IN)
    assert not members.duplicated(["campaign_id", "customer_id"]).any()
    assert set(members["customer_id"]) <= set(rows(source, schema.customers).to_pandas()["customer_id"])
    is_drawn = rows(source, schema.campaigns).to_pandas().set_index("campaign_id")["is_randomised"]
    assert set(arms["campaign_id"]) == set(is_drawn.index[is_drawn])
    assert set(members.loc[~members["campaign_id"].isin(arms["campaign_id"]), "arm"]) == {"treated"}
    counts = members.groupby(["campaign_id", "arm"]).size()
    planned = arms.set_index(["campaign_id", "arm"])["planned_share"].astype(float)
    size = SIZE.customers // campaigning.ONE_IN
    off = (counts.reindex(planned.index, fill_value=0) - planned * size) / (planned * (1 - planned) * size) ** 0.5
    assert (off.abs() < 4).all()


def test_whoever_was_treated_was_touched_and_ended_contracts_end_after_they_began(source):
    members, touches = (rows(source, table).to_pandas() for table in (schema.campaign_members, schema.campaign_touches))
    treated = members[members["arm"] != "control"].set_index(["campaign_id", "customer_id"]).index
    sent = touches[touches["touch_kind"] == "sent"].set_index(["campaign_id", "customer_id"]).index
    assert set(sent) == set(treated)
    assert set(touches["touch_kind"]) == {"sent", "opened"}
    contracts = rows(source, schema.contracts).to_pandas()
    ended = contracts[contracts["has_churned"]]
    assert 0.1 < len(ended) / len(contracts) < 0.4
    assert (ended["ended_on"] > ended["started_on"]).all()
    assert ended["ended_on"].max() <= shop.LAST_ON
    assert contracts.loc[~contracts["has_churned"], "ended_on"].isna().all()


def test_deals_stand_as_their_last_change_left_them(source):
    deals, changes = (
        rows(source, table).to_pandas().set_index("opportunity_id") for table in (schema.opportunities, schema.opportunity_history)
    )
    assert len(deals) == SIZE.customers * 2 // 3
    assert 3 < len(changes) / len(deals) < 7
    last = changes.groupby(level=0).last().loc[deals.index]
    for name in ("stage", "outcome", "owner_id", "expected_close_on", "deal_amount"):
        assert last[name].equals(deals[name]), name
    is_closed = deals["outcome"] != "open"
    assert (last["changed_at"].dt.date == deals["closed_on"])[is_closed].all()
    assert deals.loc[~is_closed, "closed_on"].isna().all()
    assert 0.02 < 1 - is_closed.mean() < 0.2
    assert (changes["changed_at"].groupby(level=0).diff().dropna() > pd.Timedelta(0)).all()


def test_leads_activities_and_quotas_are_of_deals_and_employees_that_are_there(source):
    tables = (schema.leads, schema.activities, schema.tasks, schema.quotas, schema.opportunity_history)
    employees = set(rows(source, schema.employees).to_pandas()["employee_id"])
    deals = rows(source, schema.opportunities).to_pandas()
    for table in tables:
        found = rows(source, table).to_pandas()
        who = "owner_id" if "owner_id" in found else "employee_id"
        assert set(found[who].dropna()) <= employees, table.name
        if "opportunity_id" in found:
            assert set(found["opportunity_id"].dropna()) <= set(deals["opportunity_id"]), table.name
    leads = rows(source, schema.leads).to_pandas().set_index("lead_id")["opportunity_id"].dropna()
    assert leads.to_dict() == deals.dropna(subset="lead_id").set_index("lead_id")["opportunity_id"].to_dict()


def same_shop(source, other):
    for table in FILLED:
        assert rows(source, table).equals(rows(other, table)), table.name


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_facts_raw_lines_and_pandas_answer_the_same(question, source, loaded):
    for name, filters in FILTER_SETS.items():
        on_facts, on_lines, by_pandas = (
            source(question.sql(filters)),
            source(question.raw_sql(filters)),
            question.in_pandas(loaded, filters),
        )
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


# ── models, imports, browser, people ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_models_of_the_shop_and_of_simulated_customers_are_timed(source):
    found = models.measured_models(source.data_set, fitted=3_000, compared=2_000, resampled=1_000)
    assert [step.customers for step in found] == [*[found.histories.customers] * 3, 3_000, 2_000, 2_000, 1_000]
    assert 200 < found.histories.customers <= SIZE.customers
    assert all(step.seconds > 0 for step in found)


@pytest.mark.slow
def test_imports_are_timed_on_a_copy_and_the_shop_stays_as_it_is(source):
    folder = source.data_set.link.parent
    before = sorted(folder.iterdir())
    found = imports.measured_imports(source.data_set, SIZE, csv_lines=2_000)
    assert found.table is not None
    assert found.table.lines == 2_000
    assert found.day.lines == found.late.lines == SIZE.lines // 1096
    assert sorted(folder.iterdir()) == before
    assert open_source(source.data_set).version == source.version


@pytest.mark.slow
@pytest.mark.postgresql
def test_what_is_imported_into_a_shop_in_postgresql_is_taken_back(postgresql_schema):
    data_set = shop.ready(postgresql_schema, 0.001)
    before = rows(open_source(data_set), schema.order_lines)
    imports.measured_imports(data_set, shop.size_of(0.001))
    assert rows(open_source(data_set), schema.order_lines).equals(before)


def test_the_large_file_has_the_share_of_everything_that_it_says():
    lines = pd.read_csv(BytesIO(imports.retail_file(20_000)), dtype=str)
    assert len(lines) == 20_000
    assert 0.005 < lines.duplicated().mean() < 0.02
    by_invoice = lines.groupby("InvoiceNo").first()
    assert 0.15 < by_invoice["CustomerID"].isna().mean() < 0.35
    assert 0.005 < by_invoice.index.str.startswith("C").mean() < 0.04


@pytest.mark.browser
@pytest.mark.slow
def test_every_page_is_clicked_and_redrawn_in_a_browser(source):
    found = list(clicks.measured_clicks(source.data_set, threads=1, counted=4))
    assert [click.page for click in found] == [page for page in served.ROOM_PAGES for _ in range(4)]
    assert {click.kind for click in found} == {"period", "choice", "tab", "row"}
    assert all(0 < click.seconds < 60 for click in found)


@pytest.mark.slow
def test_people_click_at_once_on_one_process_and_on_two(source):
    found = list(people.measured_people(source.data_set, 100, threads=1, processes=(1, 2), crowds=((4, 0.0), (3, 0.5)), seconds=2.0))
    first, again = found[::2], found[1::2]
    assert [(crowd.people, crowd.processes, crowd.pause) for crowd in first] == [(4, 1, 0.0), (3, 1, 0.5), (4, 2, 0.0), (3, 2, 0.5)]
    assert all(crowd.is_again and 0 < len(crowd.clicks) <= len(before.clicks) for before, crowd in zip(first, again, strict=True))
    assert [crowd.errors for crowd in found] == [0] * 8
    for crowd in found:
        assert crowd.clicks
        assert max(click.seconds for click in crowd.clicks) < crowd.seconds


@pytest.mark.slow
def test_a_reader_chooses_what_stands_on_the_page(source):
    async def read():
        with served.serving(source.data_set, threads=1) as (address,):
            async with reader.reading(address) as own:
                await own.open("executive_kpis")
                await own.choose("choose_period", "Last 90 days")
                await own.choose("choose_region", ["North"])
                chosen = own.query
                await own.open("customer", customer=shop.customer_key(1))
                return chosen, set(own.widgets)

    chosen, keys = asyncio.run(read())
    assert chosen == "period=last_90_days&region=North"
    assert "customer_history" in keys
    assert "choose_period" not in keys


def test_an_error_that_a_page_shows_is_not_overlooked():
    shown = ForwardMsg()
    shown.delta.new_element.alert.body, shown.delta.new_element.alert.format = "It broke.", Alert.ERROR
    warned = ForwardMsg()
    warned.delta.new_element.alert.body, warned.delta.new_element.alert.format = "Beware.", Alert.WARNING
    own = reader.Reader(cast("Any", None))
    for message in (shown, warned):
        own._is_end(message)
    assert own.problems == ["It broke."]


# ── the report ──────────────────────────────────────────────────────────────────────────────────────────────────────────

DAY = date(2026, 1, 2)


def run_of(*found, lines=MILLION_LINES, database="DuckDB 1.2"):
    return report.report(report.Run(shop.size_of(lines), database, 2, DAY, found))


def test_the_report_has_a_row_per_room_and_per_question(source, loaded):
    answers = [measure.Answer("executive_kpis", "tiles", name, 0.25, "table") for name in FILTER_SETS]
    ratios = list(measure.measured_questions(source, loaded, QUESTIONS[:1], {"all": FILTER_SETS["all"]}))
    text = run_of(sections.rooms(answers, SIZE.lines, 2**30), sections.questions(ratios, "DuckDB 1.2", 2**30))
    assert "| executive_kpis | 7 | 250 | 250 | 250 | tiles, all |" in text
    assert "| filter change, server side, p95 | under 150 ms; 100 million lines: 1.5 s | **250 ms** |" in text
    assert "| filter change, server side, worst | under 700 ms; 100 million lines: 7 s | 250 ms |" in text
    assert QUESTIONS[0].name in text
    assert "1.0 GB" in text


def test_pandas_may_be_left_out_and_is_then_no_target(source):
    ratios = list(measure.measured_questions(source, None, QUESTIONS[:1], {"all": FILTER_SETS["all"]}))
    section = sections.questions(ratios, "PostgreSQL 16", 2**30)
    assert [target.what for target in section.targets] == ["times faster than raw lines, median (worst)"]
    assert "nan" not in section.text


def test_a_target_is_missed_by_errors_as_by_time():
    def crowd(seconds, errors):
        return people.Crowd(10, 1, 0.0, 30.0, [people.Click("customer", seconds)] * 20, errors)

    assert [sections.people([crowd(*found)]).targets[0].is_met for found in ((0.7, 0), (0.7, 1), (0.9, 0))] == [True, False, False]


def test_a_section_takes_the_place_of_the_one_of_its_title_size_and_database_and_no_other(tmp_path):
    path = tmp_path / "results.md"
    slow, fast = ([measure.Answer("demo", "tiles", "all", seconds, "table")] for seconds in (0.6, 0.1))
    clicked = sections.clicks([clicks.PageClick("demo", "tab", 0.1)])
    report.write(path, run_of(sections.rooms(slow, 1, 0), clicked))
    report.write(path, run_of(sections.rooms(slow, 1, 0), lines=100))
    report.write(path, run_of(sections.rooms(fast, 1, 0), database="DuckDB 1.3"))
    written = path.read_text()
    assert written.count("### Rooms") == 2
    assert written.count("### Browser") == 1
    assert "DuckDB 1.2" in written.partition("## 99,999,999")[2]
    table = report.readme_table(written).splitlines()
    assert table[0] == "| target | wanted | 0.01 million lines, DuckDB | 100 million lines, DuckDB |"
    assert "| filter change, server side, worst | under 700 ms; 100 million lines: 7 s | 100 ms | 600 ms |" in table
    assert "| click to redrawn in a browser, p95 | under 500 ms | 100 ms |  |" in table
    assert next(line for line in table if line.startswith("* ")).startswith("* 0.01 million lines, DuckDB: 2026-01-02: ")


def test_the_readme_shows_the_table_of_the_results():
    results = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    shown = re.search(r"<!-- benchmarks -->\n(.*?)<!-- /benchmarks -->", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert shown, "README.md needs the benchmark's table between <!-- benchmarks --> and <!-- /benchmarks -->"
    assert shown[1] == report.readme_table(results), "`make bench` writes the table of its results into README.md"
