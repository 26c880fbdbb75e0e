"""Segments: what is known of customers on a day, rules on it, the form they are written in, and parts that add up on every page."""

import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import raw_shop
from hypothesis import given, settings
from hypothesis import strategies as st
from peopled_shop import DAYS, FIRST_ON, Known, Tables, conditions, cut_at, known_on, meets, members_of, published, random_shop
from sqlalchemy import select

from crm_metrics import language, schema
from crm_metrics.database import DataSet, Source, find_data_set, open_source
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import Plan
from crm_metrics.executive_kpis import compared_filters
from crm_metrics.filters import CUSTOMER_UNKNOWN, Filters
from crm_metrics.metric import BadInput
from crm_metrics.rooms import tables
from crm_metrics.schema import customer_facts
from crm_metrics.scope import Scope
from crm_metrics.segments.attributes import ATTRIBUTES, attribute
from crm_metrics.segments.draft import Block, Draft, Line, drafted_rule, rule_draft
from crm_metrics.segments.known import TIERS, Population
from crm_metrics.segments.members import attribute_values, member_count, members
from crm_metrics.segments.rule import LARGEST, Condition, Group, Opposite, Rule, Segment, read_rule, rule_text
from crm_metrics.segments.words import rule_sentence

NORTH = Scope("of the North", ("N",))
IN_BETWEEN, LAST_ON = FIRST_ON + dt.timedelta(days=DAYS // 2), FIRST_ON + dt.timedelta(days=DAYS)
READERS = [(None, Scope()), (IN_BETWEEN, Scope()), (IN_BETWEEN, NORTH), (None, NORTH), (LAST_ON, Scope("of two", ("N", "Ost")))]


# ── rules as text ───────────────────────────────────────────────────────────────────────────────────────────────────────

NUMBERS = st.floats(-LARGEST, LARGEST)


def bounded(attribute: str, low: float | None, high: float | None) -> Condition:
    if low is not None and high is not None:
        low, high = sorted((low, high))
    return Condition(attribute, (), low, high)


CHOICE = st.sampled_from([each.name for each in ATTRIBUTES if each.kind == "choice"])
NUMBER = st.sampled_from([each.name for each in ATTRIBUTES if each.kind == "number"])
CONDITIONS = st.one_of(
    st.builds(Condition, CHOICE, st.lists(st.text(), min_size=1, max_size=3).map(tuple)),
    st.builds(bounded, NUMBER, NUMBERS, st.none() | NUMBERS),
    st.builds(bounded, NUMBER, st.none(), NUMBERS),
)


def rules(leaves: st.SearchStrategy[Condition], depth: int = 5) -> st.SearchStrategy[Rule]:
    if depth == 1:
        return leaves
    deeper = rules(leaves, depth - 1)
    groups = st.builds(Group, st.sampled_from(["all", "any"]), st.lists(deeper, max_size=3).map(tuple))
    return st.one_of(leaves, st.builds(Opposite, deeper), groups)


@given(rules(CONDITIONS))
def test_a_rule_written_as_text_is_read_as_the_same_rule(rule: Rule) -> None:
    assert read_rule(rule_text(rule)) == rule
    json.loads(rule_text(rule))


def test_equal_rules_are_written_alike() -> None:
    assert rule_text(Condition("orders", low=2)) == rule_text(Condition("orders", low=2.0)) == '{"attribute":"orders","low":2.0}'


RUBBISH = {
    "nothing": "",
    "no JSON": "{",
    "no rule": "[]",
    "null": "null",
    "a rule and more": '{"attribute":"orders","low":2,"high_":3}',
    "two kinds of rule at once": '{"attribute":"orders","low":2,"joined_by":"all"}',
    "no such joint": '{"joined_by":"some"}',
    "no such attribute": '{"attribute":"shoe_size","low":2}',
    "no such attribute deep within": '{"joined_by":"any","parts":[{"of":{"attribute":"shoe_size","low":2}}]}',
    "a number for a choice": '{"attribute":"home_region","low":2}',
    "a choice for a number": '{"attribute":"orders","values":["2"]}',
    "a choice of nothing": '{"attribute":"home_region"}',
    "a number without one": '{"attribute":"orders"}',
    "turned round": '{"attribute":"orders","low":3,"high":2}',
    "not a number": '{"attribute":"orders","low":NaN}',
    "endless": '{"attribute":"orders","high":Infinity}',
    "beyond all numbers": '{"attribute":"orders","low":1e27}',
    "true is no number": '{"attribute":"orders","low":true}',
    "text is no number": '{"attribute":"orders","low":"2"}',
    "a text is no list": '{"attribute":"home_region","values":"N"}',
    "seven deep": '{"of":' * 6 + '{"attribute":"orders","low":2}' + "}" * 6,
    "a thousand deep": '{"of":' * 1000 + '{"attribute":"orders","low":2}' + "}" * 1000,
}


@pytest.mark.parametrize("text", RUBBISH.values(), ids=RUBBISH.keys())
@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_rubbish_is_refused_in_words(text: str, spoken: language.Language) -> None:
    language.use(spoken)
    with pytest.raises(BadInput) as refused:
        read_rule(text)
    assert len(str(refused.value)) < 1000


def test_groups_six_deep_are_read() -> None:
    assert read_rule('{"of":' * 5 + '{"attribute":"orders","low":2}' + "}" * 5)


# ── rules in words ──────────────────────────────────────────────────────────────────────────────────────────────────────

SENTENCES = [
    (Condition("orders", low=2), "Orders: at least 2", "订单数：至少 2"),
    (Condition("orders", low=2.5, high=9), "Orders: 2.50 to 9", "订单数：2.50 至 9"),
    (Condition("value_rank", high=0.05), "Place by net revenue, from the top: at most 5.0%", "净收入名次（自上而下）：至多 5.0%"),
    (Condition("home_region", ("N", "(unknown)")), "Home region: N or unknown", "所在地区：N 或 未知"),
    (Opposite(Condition("age_band", ("65+",))), "not (Age band: 65+)", "非（年龄段：65+）"),
    (Group("all"), "every customer", "所有客户"),
    (Group("any"), "no customer", "没有客户"),
]


@pytest.mark.parametrize(("rule", "english", "chinese"), SENTENCES)
def test_a_rule_is_said_in_both_languages(rule: Rule, english: str, chinese: str) -> None:
    assert rule_sentence(rule) == english
    language.use("zh")
    assert rule_sentence(rule) == chinese


def test_groups_within_groups_stand_in_brackets() -> None:
    few, old, north = Condition("orders", high=1), Condition("age_band", ("65+",)), Condition("home_region", ("N",))
    rule = Group("any", (Group("all", (few, old)), Opposite(Group("any", (old, north)))))
    assert rule_sentence(rule) == "(Orders: at most 1 and Age band: 65+) or not (Age band: 65+ or Home region: N)"


@given(rules(CONDITIONS))
def test_every_rule_can_be_said(rule: Rule) -> None:
    assert rule_sentence(rule)


# ── the form ────────────────────────────────────────────────────────────────────────────────────────────────────────────

SIX = tuple(Condition("home_region", (name,)) for name in "abcdef")
WORLDS = [
    Known({"x"}, {"home_region": {"x": {name for place, name in enumerate("abcdef") if world >> place & 1}}}, {}) for world in range(64)
]


def truth_table(rule: Rule) -> list[bool]:
    return [meets(rule, "x", world) for world in WORLDS]


@given(rules(st.sampled_from(SIX)))
def test_what_the_form_opens_it_says_again(rule: Rule) -> None:
    draft = rule_draft(rule)
    if draft is not None:
        assert truth_table(drafted_rule(draft)) == truth_table(rule)


LINES = st.builds(Line, st.just("home_region"), st.booleans(), st.lists(st.sampled_from("abcdef"), max_size=2, unique=True))
BLOCKS = st.builds(Block, st.sampled_from(["all", "any"]), st.booleans(), st.lists(LINES, max_size=3))
DRAFTS = st.builds(Draft, st.sampled_from(["all", "any"]), st.lists(BLOCKS, max_size=3))


@given(DRAFTS)
def test_what_the_form_says_can_be_saved_and_opened_in_the_form(draft: Draft) -> None:
    rule = drafted_rule(draft)
    assert read_rule(rule_text(rule)) == rule
    again = rule_draft(rule)
    assert again is not None
    assert truth_table(drafted_rule(again)) == truth_table(rule)


def test_a_form_that_asks_for_nothing_yet_chooses_everybody() -> None:
    for joined_by in ("all", "any"):
        assert drafted_rule(Draft(joined_by, [Block(joined_by, lines=[Line("orders")])])) == Group("all")
    opened = rule_draft(Group("all"))
    assert opened is not None
    assert drafted_rule(opened) == Group("all")


def test_rules_that_the_form_cannot_say_are_not_opened_in_it() -> None:
    deep = Group("all", (Group("any", (Group("all", SIX[:2]), SIX[2])), SIX[3]))
    for rule in (deep, Group("any"), Opposite(Group("all")), Group("all", (SIX[0], Group("any"))), Opposite(Opposite(SIX[0]))):
        assert rule_draft(rule) is None


# ── what is known of customers, against plain loops ─────────────────────────────────────────────────────────────────────


def named_values(source: Source, name: str, day: dt.date | None, scope: Scope) -> list[tuple[str, Any]]:
    """What the catalogue says of each customer, numbers rounded."""
    rows = attribute(name).asked(Population(scope, day)).subquery()
    query = select(customer_facts.c.customer_id, rows.c.value)
    found = source.arrow(query.join_from(rows, customer_facts, customer_facts.c.customer_number == rows.c.customer_number)).to_pylist()
    return [(row["customer_id"], row["value"] if isinstance(row["value"], str) else round(float(row["value"]), 9)) for row in found]


def expected_values(known: Known, name: str) -> list[tuple[str, Any]]:
    if name in known.numbers:
        return [(who, round(float(number), 9)) for who, number in known.numbers[name].items()]
    return [(who, value) for who, values in known.values[name].items() for value in values]


def assert_attributes_are_those_of_the_rows(data_set: DataSet, made: Tables, day: dt.date | None, scope: Scope) -> None:
    source, known = open_source(data_set), known_on(data_set, made, day, scope)
    for each in ATTRIBUTES:
        expected = expected_values(known, each.name)
        assert Counter(named_values(source, each.name, day, scope)) == Counter(expected), (each.name, day, scope)
        counted = source(attribute_values(each.name, day, scope))
        values = [value if isinstance(value, str) else round(float(value), 9) for value in counted["value"]]
        assert dict(zip(values, counted["customers"], strict=True)) == Counter(value for _, value in expected), each.name


def ids(source: Source, rule: Rule, day: dt.date | None, scope: Scope = Scope()) -> set[str]:
    chosen = members((rule,), day, scope).c
    query = select(customer_facts.c.customer_id).where(customer_facts.c.customer_number.in_(select(chosen.customer_number)))
    found = source.arrow(query)["customer_id"].to_pylist()
    assert len(found) == len(set(found))
    return set(found)


def test_every_attribute_is_what_plain_loops_over_the_rows_say(any_data_set: DataSet) -> None:
    made = random_shop(1)
    published(any_data_set, made)
    assert_attributes_are_those_of_the_rows(any_data_set, made, *READERS[2])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_every_attribute_of_any_shop_is_what_plain_loops_say_to_every_reader(data_set: DataSet, seed: int) -> None:
    made = random_shop(seed)
    published(data_set, made)
    for day, scope in READERS:
        assert_attributes_are_those_of_the_rows(data_set, made, day, scope)


@pytest.mark.slow
@pytest.mark.postgresql
def test_every_attribute_is_what_plain_loops_say_on_postgresql(postgresql_schema: str) -> None:
    made, data_set = random_shop(8), find_data_set(postgresql_schema)
    published(data_set, made)
    for day, scope in READERS:
        assert_attributes_are_those_of_the_rows(data_set, made, day, scope)


# ── who meets a rule ────────────────────────────────────────────────────────────────────────────────────────────────────


class Shop(NamedTuple):
    """A published random shop. made: its rows."""

    made: Tables
    source: Source

    def known(self, day: dt.date | None, scope: Scope = Scope()) -> Known:
        return known_on(self.source.data_set, self.made, day, scope)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = random_shop(11)
    return Shop(made, open_source(published(find_data_set(f"duckdb:///{tmp_path_factory.mktemp('shop')}/shop.duckdb"), made)))


@pytest.mark.slow
def test_every_condition_holds_for_whom_plain_loops_say_and_its_opposite_for_all_others(shop: Shop) -> None:
    known = shop.known(IN_BETWEEN)
    for name in [each.name for each in ATTRIBUTES]:
        for condition in [found for found in conditions(known) if found.attribute == name][:2]:
            found, others = ids(shop.source, condition, IN_BETWEEN), ids(shop.source, Opposite(condition), IN_BETWEEN)
            assert found == members_of(condition, known), condition
            assert found | others == known.everybody, condition
            assert not found & others, condition


@pytest.mark.slow
@settings(max_examples=150)
@given(data=st.data())
def test_rules_of_any_shape_hold_for_whom_plain_loops_say_and_their_opposites_for_all_others(shop: Shop, data: st.DataObject) -> None:
    day, scope = data.draw(st.sampled_from(READERS))
    known = shop.known(day, scope)
    rule = data.draw(rules(st.sampled_from(conditions(known)), depth=4))
    found = ids(shop.source, rule, day, scope)
    assert found == members_of(rule, known)
    assert ids(shop.source, Opposite(rule), day, scope) == known.everybody - found
    assert shop.source(member_count(rule, day, scope))["customers"].tolist() == [len(found)]


TRUTHS = [
    (Group("all", ()), "abc"),
    (Group("any", ()), ""),
    (Group("all", (SIX[0], SIX[1])), ""),
    (Group("any", (SIX[0], SIX[1])), "ab"),
    (Opposite(Group("any", (SIX[0], SIX[1]))), "c"),
    (Opposite(Group("all", (SIX[0], SIX[1]))), "abc"),
    (Opposite(Opposite(SIX[0])), "a"),
    (Condition("satisfaction", low=1), "a"),
    (Opposite(Condition("satisfaction", low=1)), "bc"),
    (Group("any", (Condition("satisfaction", low=4), Opposite(Condition("satisfaction", low=4)))), "abc"),
    (Group("all", (Condition("satisfaction", high=4), Opposite(Condition("satisfaction", high=4)))), ""),
    (Group("all", (Opposite(SIX[0]), Opposite(Condition("satisfaction", high=3)))), "bc"),
    (Group("any", (SIX[1], Condition("satisfaction", high=3))), "ab"),
    (Condition("home_region", ("(unknown)",)), "c"),
]


@pytest.fixture(scope="module")
def abc(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Customers a, who lives in a and answered 3, b of b who never answered, c of whom nothing is known, and d who never ordered."""
    made = random_shop(1, orders=0)
    one = {"sales_channel": "web", "order_region": "N", "is_purchase": True, "is_cancelled": False}
    day = dt.datetime(2024, 1, 5)
    made[schema.orders] = [{"order_id": f"o{who}", "customer_id": who, "ordered_at": day, "ordered_on": day.date(), **one} for who in "abc"]
    made[schema.order_lines] = [
        {"row_number": place, "order_id": f"o{who}", "line_kind": "sale", "quantity": 1, "net_amount": 10, "row_hash": who}
        for place, who in enumerate("abc")
    ]
    made[schema.customers] = [{"customer_id": who, "home_region": who} for who in "abd"]
    made[schema.surveys] = [
        {"survey_id": who, "customer_id": who, "survey_kind": "satisfaction", "answered_on": day.date(), "score": score}
        for who, score in (("a", 3), ("b", None), ("d", 5))
    ]
    return open_source(published(find_data_set(f"duckdb:///{tmp_path_factory.mktemp('abc')}/abc.duckdb"), made))


@pytest.mark.parametrize(("rule", "expected"), TRUTHS)
def test_and_or_not_hold_where_a_value_is_unknown_and_who_never_ordered_is_in_none(abc: Source, rule: Rule, expected: str) -> None:
    assert ids(abc, rule, None) == set(expected)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
def test_a_day_in_the_past_sees_what_a_data_set_cut_at_that_day_holds_and_nobody_who_comes_later(tmp_path: Path, seed: int) -> None:
    made = random_shop(seed)
    whole = open_source(published(find_data_set(f"duckdb:///{tmp_path}/whole.duckdb"), made))
    cut = open_source(published(find_data_set(f"duckdb:///{tmp_path}/cut.duckdb"), cut_at(made, IN_BETWEEN)))
    come, later = ids(cut, Group("all"), IN_BETWEEN), ids(whole, Group("all"), None) - ids(cut, Group("all"), IN_BETWEEN)
    assert later
    for condition in conditions(known_on(whole.data_set, made, None)):
        assert ids(whole, condition, IN_BETWEEN) == ids(cut, condition, IN_BETWEEN), condition
        assert ids(whole, Opposite(condition), IN_BETWEEN) == ids(cut, Opposite(condition), IN_BETWEEN) | later, condition
    assert come


@pytest.mark.slow
def test_the_last_day_is_that_of_the_orders_a_reader_may_see_and_no_day_means_it(tmp_path: Path) -> None:
    made = random_shop(31)
    source = open_source(published(find_data_set(f"duckdb:///{tmp_path}/shop.duckdb"), made))
    for scope in (Scope(), NORTH):
        seen = [order["ordered_on"] for order in made[schema.orders] if not scope.regions or order["order_region"] == "N"]
        for name in ("days_since_last_order", "satisfaction", "campaign", "preference", "service_minutes"):
            assert Counter(named_values(source, name, None, scope)) == Counter(named_values(source, name, max(seen), scope)), name


@pytest.mark.slow
def test_a_reader_of_one_region_is_told_nothing_by_the_orders_of_others(tmp_path: Path) -> None:
    made = random_shop(41)
    north = dict(made)
    north[schema.orders] = [order for order in made[schema.orders] if order["order_region"] == "N"]
    kept = {order["order_id"] for order in north[schema.orders]}
    north[schema.order_lines] = [line for line in made[schema.order_lines] if line["order_id"] in kept]
    sources = [
        open_source(published(find_data_set(f"duckdb:///{tmp_path}/{place}.duckdb"), each)) for place, each in enumerate((made, north))
    ]
    for each in ATTRIBUTES:
        of_all, of_north = (
            source(attribute_values(each.name, None, scope)) for source, scope in zip(sources, (NORTH, Scope()), strict=True)
        )
        pd.testing.assert_frame_equal(of_all, of_north)


@pytest.mark.slow
@pytest.mark.postgresql
def test_rules_choose_the_same_customers_on_duckdb_and_on_postgresql(postgresql_schema: str) -> None:
    made, data_set = random_shop(51), find_data_set(postgresql_schema)
    source = open_source(published(data_set, made))
    for day, scope in READERS[1:3]:
        known = known_on(data_set, made, day, scope)
        leaves = conditions(known)[::7]
        threes = zip(leaves, leaves[3:], leaves[5:], strict=False)
        asked: list[Rule] = [*leaves, *[Group("any", (Opposite(one), Group("all", (two, three)))) for one, two, three in threes]]
        for rule in asked:
            assert ids(source, rule, day, scope) == members_of(rule, known), rule


# ── parts add up on every page ──────────────────────────────────────────────────────────────────────────────────────────

ROOMS = ("executive_kpis", "lifetime_value", "segmentation", "profitability")
OF_ORDERS = ("orders", "orders_identified", "active_customers", "new_customers", "returning_customers")
OF_MONEY = ("net_revenue", "net_revenue_identified", "gross_revenue", "gross_revenue_identified", "returns", "revenue_customer_unknown")
ADDED_METRICS = (*OF_ORDERS, *OF_MONEY, "gross_margin", "customer_base_value", "expected_purchases")
PROFIT = (
    "orders",
    "list_revenue",
    "returns",
    "discount",
    "net_revenue",
    "cost_of_goods",
    "gross_margin",
    "cost_to_serve",
    "marketing",
    "profit",
)
ADDED: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("executive_kpis", "tiles"): (("metric",), ("value",)),
    ("executive_kpis", "comparison"): (("metric",), ("value", "compared_value")),
    ("executive_kpis", "trend"): (("bucket_on",), (*OF_ORDERS, *OF_MONEY, "gross_margin")),
    ("executive_kpis", "trend_compared"): (("bucket_on", "compared_on"), (*OF_ORDERS, *OF_MONEY, "gross_margin")),
    ("executive_kpis", "by_region"): (("value",), ("revenue_before", "revenue_after", "change", "customer_unknown")),
    ("executive_kpis", "by_channel"): (("value",), ("revenue_before", "revenue_after", "change", "customer_unknown")),
    ("executive_kpis", "by_category"): (("value",), ("revenue_before", "revenue_after", "change")),
    ("executive_kpis", "reconciliation"): (("step",), ("amount", "documents")),
    ("lifetime_value", "tiles"): (("metric",), ("value",)),
    ("lifetime_value", "customers"): (("customer_id",), ("frequency", "expected_purchases", "expected_value", "expected_spend")),
    ("lifetime_value", "value_by_segment"): (("segment_kind", "segment"), ("customers", "expected_purchases", "expected_value")),
    ("lifetime_value", "distribution"): ((), ("customers", "expected_value")),
    ("lifetime_value", "repeat_counts"): (("frequency",), ("customers",)),
    ("lifetime_value", "data_gate"): ((), ("shown",)),
    ("segmentation", "rfm"): (("customer_id",), ("days_since_last_order", "orders", "net_revenue", "expected_value")),
    ("segmentation", "segments"): ((), ("customers", "net_revenue", "recent_revenue", "gross_margin", "expected_value")),
    ("segmentation", "cells"): ((), ("customers", "net_revenue")),
    ("segmentation", "cube"): ((), ("customers", "net_revenue")),
    ("segmentation", "movement"): ((), ("customers", "net_revenue")),
    ("segmentation", "movement_totals"): ((), ("customers_before", "customers_after", "not_yet")),
    ("segmentation", "gaps"): ((), ("gaps",)),
    ("profitability", "summary"): (("part",), ("of_customers", "customer_unknown", "unallocated", "amount")),
    ("profitability", "customers"): (("customer_id",), PROFIT),
    ("profitability", "deciles"): ((), ("customers", "net_revenue", "profit", "cost_to_serve", "service_minutes")),
    ("profitability", "losing"): (("customer_id",), ("profit", "lost")),
    ("profitability", "losing_reasons"): (("reason",), ("customers", "lost", "profit_without")),
    ("profitability", "concentration"): ((), ("entities", "total", "losing", "lost")),
    ("profitability", "basis"): ((), ("customers", "customer_unknown")),
}
"""Tables whose rows, by these columns, add up in these columns over parts of the customers and the sales of customers unknown."""


def added(frames: list[pd.DataFrame], keys: tuple[str, ...], columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the sums by key, unknown ones 0."""
    rows = pd.concat([frame[[*keys, *columns]] for frame in frames], ignore_index=True)
    if "metric" in keys:
        rows = rows[rows["metric"].isin(ADDED_METRICS)]
    numbers = rows.astype(dict.fromkeys(columns, float))
    if not keys:
        return numbers.sum().to_frame().T
    return numbers.groupby(list(keys), dropna=False)[list(columns)].sum().sort_index().reset_index()


def assert_parts_add_up(source: Source, filters: Filters, parts: tuple[Segment, ...], wanted: dict[Any, Any] = ADDED) -> None:
    for (room, table), (keys, columns) in wanted.items():
        ask = tables(room)[table]
        whole = added([ask(source, filters)], keys, columns)
        of_parts = added([ask(source, replace(filters, segments=(part,))) for part in parts], keys, columns)
        whole, of_parts = (found[(found[list(columns)] != 0).any(axis=1)].reset_index(drop=True) for found in (whole, of_parts))
        pd.testing.assert_frame_equal(of_parts, whole, rtol=1e-9, atol=1e-6, obj=f"{room} {table} {filters} {parts}", check_dtype=False)


def assert_all_parts_are_the_whole(source: Source, filters: Filters, parts: tuple[Segment, ...], rooms: tuple[str, ...] = ROOMS) -> None:
    """Chosen together, in any order, they are every sale: each table is then as without them.

    But for targets and campaigns' money, which segments lack.
    """
    for room in rooms:
        for name, table in tables(room).items():
            whole, chosen = (table(source, each) for each in (filters, replace(filters, segments=parts)))
            if name == "headlines":
                whole = whole[whole["room"] != "campaign_roi"].reset_index(drop=True)
            kept = [column for column in whole if "target" not in str(column)]
            pd.testing.assert_frame_equal(chosen[kept], whole[kept], obj=f"{room} {name} {filters}", check_exact=False, rtol=1e-9)


def of_rule(rule: Rule) -> tuple[Segment, ...]:
    return (Segment("in it", rule), Segment("not in it", Opposite(rule)), CUSTOMER_UNKNOWN)


BY_TIER = (
    *[Segment(tier, Condition("value_tier", (tier,))) for tier in TIERS],
    Segment("none", Opposite(Condition("value_tier", TIERS))),
    CUSTOMER_UNKNOWN,
)
LATE = Filters(FIRST_ON + dt.timedelta(days=400), LAST_ON)
NARROWED = [
    Filters(),
    LATE,
    replace(LATE, region=("N",)),
    replace(LATE, channel=("web",), category=("tea", "mug")),
    replace(LATE, category=("(unknown)",)),
    replace(LATE, as_of=FIRST_ON + dt.timedelta(days=500)),
    replace(LATE, compare="last_year"),
    Filters(end=LAST_ON, scope=NORTH),
]


@pytest.fixture(scope="module")
def costed(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A shop of which every cost of goods is known: where some are not, each part has a share of cost of its own."""
    made = random_shop(61, orders=90, has_all_costs=True)
    return open_source(published(find_data_set(f"duckdb:///{tmp_path_factory.mktemp('costed')}/costed.duckdb"), made))


@pytest.mark.slow
def test_parts_and_customer_unknown_add_up_to_the_whole_in_the_figures_of_the_overview(costed: Source) -> None:
    of_overview = {key: added for key, added in ADDED.items() if key[0] == "executive_kpis"}
    assert_parts_add_up(costed, LATE, BY_TIER, of_overview)


@pytest.mark.slow
@pytest.mark.parametrize("filters", NARROWED)
@pytest.mark.parametrize("parts", [BY_TIER, of_rule(Condition("orders", low=2)), of_rule(Condition("home_region", ("N",)))])
def test_parts_and_customer_unknown_add_up_to_the_whole_on_every_page(costed: Source, filters: Filters, parts: tuple[Segment, ...]) -> None:
    assert_parts_add_up(costed, filters, parts)


@pytest.mark.slow
@pytest.mark.parametrize("filters", NARROWED)
def test_all_parts_together_in_any_order_are_the_whole(costed: Source, filters: Filters) -> None:
    for parts in (BY_TIER, BY_TIER[::-1], (*BY_TIER, BY_TIER[0], Segment("orders", Condition("orders", low=1)))):
        assert_all_parts_are_the_whole(costed, filters, parts)


@pytest.mark.slow
def test_the_compared_period_is_of_the_same_customers_told_on_the_same_day(costed: Source) -> None:
    """Who has ordered twice by the end of the period counts in the period before, when it was but once; also for a day beyond the data."""
    chosen = Segment("twice", Condition("orders", low=2))
    shop = known_on(costed.data_set, random_shop(61, orders=90, has_all_costs=True), None)
    who = members_of(Condition("orders", low=2), shop)
    raw = raw_shop.raw_shop(costed.arrow)
    for end in (max(line["ordered_on"] for line in raw.lines), LAST_ON + dt.timedelta(days=3000), None):
        filters = Filters(FIRST_ON + dt.timedelta(days=500), end, segments=(chosen,))
        found = tables("executive_kpis")["comparison"](costed, filters).set_index("metric").loc["net_revenue"]
        earlier, _ = compared_filters(costed, filters)
        assert earlier is not None
        lines = [line for line in raw_shop.within(raw.lines, earlier) if line["customer_id"] in who]
        assert found["compared_value"] == pytest.approx(float(raw_shop.total(lines, "net_amount")))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    data_set = find_data_set(f"duckdb:///{tmp_path_factory.mktemp('demo')}/demo.duckdb")
    build(data_set, Plan(customers=1_500))
    return open_source(data_set)


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_parts_add_up_and_are_the_whole_on_the_demo(demo: Source) -> None:
    year = Filters(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    composed = Group("any", (Condition("satisfaction", low=4), Opposite(Condition("category", ("Coffee",)))))
    for parts in (BY_TIER, of_rule(composed)):
        for filters in (year, replace(year, region=("North",), channel=("shop",)), replace(year, as_of=dt.date(2025, 6, 30))):
            assert_parts_add_up(demo, filters, parts)
    assert_all_parts_are_the_whole(demo, year, BY_TIER)


@pytest.mark.slow
@pytest.mark.parametrize(
    "segment",
    [Segment("nobody", Group("any")), CUSTOMER_UNKNOWN, Segment("not one", Condition("orders", low=1000)), Segment("all", Group("all"))],
)
def test_every_table_of_every_room_answers_for_nobody_for_the_unknown_and_for_all(costed: Source, segment: Segment) -> None:
    for room in (*ROOMS, "audience"):
        for name, table in tables(room).items():
            for filters in (LATE, replace(LATE, region=("N",), category=("tea",))):
                try:
                    assert isinstance(table(costed, replace(filters, segments=(segment,))), pd.DataFrame), (room, name)
                except BadInput:
                    if room != "audience":  # which can plan no test of nobody
                        raise
