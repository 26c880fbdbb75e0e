"""Definitions: made from the declarations, complete, in both languages."""

import re
from pathlib import Path

import pytest

from crm_metrics import definitions, rooms, schema, search
from crm_metrics.database import DataSet, Source
from crm_metrics.filters import Filters
from crm_metrics.language import speaking

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture
def nothing(tmp_path):
    return Source(DataSet("none", f"duckdb:///{tmp_path}/none.duckdb"), 0)


def test_every_metric_of_every_room_is_defined_once_per_room():
    declared = [(definitions.ROOM_TITLES[name], metric.name) for name in rooms.ROOM_NAMES for metric in definitions.declared_metrics(name)]
    frame = definitions.metric_definitions()
    assert list(frame[["room", "metric"]].itertuples(index=False, name=None)) == declared
    assert len(set(declared)) == len(declared)
    assert {"net_revenue", "days_since_last_order"} <= set(frame.metric)


def test_every_room_that_declares_metrics_has_a_title():
    assert {name for name in rooms.ROOM_NAMES if definitions.declared_metrics(name)} <= set(definitions.ROOM_TITLES)


def test_a_definition_is_a_sentence_of_its_own():
    frame = definitions.metric_definitions()
    assert frame.means.str.fullmatch(r".{20,}\.", flags=re.DOTALL).all(), frame.means[~frame.means.str.fullmatch(r".{20,}\.")].tolist()
    assert (frame.means != frame.label).all()


def test_the_dictionary_has_every_column_of_every_table_with_a_meaning():
    frame = definitions.data_dictionary()
    declared = {(table.name, column.name) for table in schema.metadata.tables.values() for column in table.columns}
    assert set(frame[["table", "column"]].itertuples(index=False, name=None)) == declared
    assert len(frame) == len(declared)
    assert frame.meaning.str.len().gt(0).all()
    assert frame.table_meaning.str.startswith("One row per ").all()


def test_the_dictionary_keeps_the_order_of_the_schema():
    tables = definitions.data_dictionary().table.drop_duplicates().tolist()
    assert tables[0] == "customers"
    assert tables == [name for name in definitions.table_captions() if name in set(tables)]


def test_kinds_of_values_are_told_apart():
    kinds = definitions.data_dictionary().set_index(["table", "column"]).kind
    wanted = {
        ("orders", "ordered_at"): "moment",
        ("orders", "ordered_on"): "day",
        ("orders", "is_purchase"): "yes or no",
        ("order_lines", "row_number"): "whole number",
        ("order_lines", "net_amount"): "decimal number",
        ("orders", "order_id"): "text",
    }
    assert {key: kinds[key] for key in wanted} == wanted


def test_in_chinese_every_text_is_chinese_and_every_name_stays():
    with speaking("zh"):
        shown = definitions.in_words(definitions.data_dictionary())
        words = definitions.in_words(definitions.terms())
        metrics = definitions.in_words(definitions.metric_definitions())
    chinese = r"[\u4e00-\u9fff]"
    assert shown.column.tolist() == definitions.data_dictionary().column.tolist()
    for frame, columns in (
        (shown, ["table_meaning", "kind", "meaning"]),
        (words, ["term", "meaning"]),
        (metrics, ["room", "means", "unit", "better"]),
    ):
        for column in columns:
            missing = frame.loc[~frame[column].str.contains(chinese), column].tolist()
            assert missing == []


def test_every_column_of_the_tables_has_a_heading(nothing):
    for table in definitions.TABLES.values():
        assert set(table(nothing, Filters()).columns) <= set(definitions.COLUMNS)


def test_a_search_finds_rows_with_all_words_in_any_column_and_order():
    frame = definitions.metric_definitions()
    found = search.matching(frame, "customer PURCHASE last")
    assert "days_since_last_order" in set(found.metric)
    assert len(search.matching(frame, "")) == len(frame)
    assert len(search.matching(frame, "no such thing")) == 0
    assert definitions.by_heading(search.matching(frame, "no such thing")) == []


def test_the_list_says_every_metric_once_under_its_room():
    paragraphs = [text for _, entries in definitions.by_heading(definitions.metric_definitions()) for text in entries]
    assert [text.split("`")[1] for text in paragraphs] == definitions.metric_definitions().metric.tolist()


def test_the_terms_say_what_a_purchase_is():
    meaning = definitions.terms().set_index("term").meaning
    assert {"Purchase", "Net revenue", "Period", "As-of date", "Customer unknown"} <= set(meaning.index)
    assert "one purchase per customer and business day" in meaning["Purchase"]


@pytest.mark.parametrize("name", ["metrics", "terms", "columns"])
def test_the_tables_need_no_data(nothing, name):
    assert len(definitions.TABLES[name](nothing, Filters())) > 5


def test_the_readme_table_is_the_one_made_from_the_declarations():
    shown = re.search(r"<!-- metrics -->\n(.*?)\n<!-- /?metrics -->", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert shown, "README.md needs the metrics between two <!-- metrics --> lines"
    wanted = definitions.readme_table()
    assert shown[1].strip() == wanted, 'write definitions.readme_table() between the "<!-- metrics -->" lines of README.md'


def test_the_readme_table_has_one_line_per_metric():
    lines = definitions.readme_table().splitlines()
    assert len(lines) == 2 + len(definitions.metric_definitions())
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {6}
