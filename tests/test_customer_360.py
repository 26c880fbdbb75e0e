"""One customer: what the page shows, on both databases, never later than the as-of date, never outside the reader's scope.

| order | day        | customer | region | lines (amount, cost)    | kind      |
| o1    | 2024-01-01 | a        | North  | 70 (42), 30 (18)        | purchase  |
| x1    | 2024-01-05 | nobody   | North  | 500 (-)                 | purchase  |
| o2    | 2024-01-11 | a        | North  | 50 (-)                  | purchase  |
| o3    | 2024-02-10 | a        | North  | 30 (10)                 | purchase  |
| o4    | 2024-02-10 | a        | North  | 20 (-)                  | purchase  |
| r1    | 2024-02-20 | a        | North  | -30 (-)                 | return    |
| c1    | 2024-03-01 | a        | North  | 0 (-)                   | cancelled |
| o5    | 2024-03-31 | a        | North  | 40 (-)                  | purchase  |
| b1    | 2024-04-20 | b        | South  | 10 (-)                  | purchase  |
| b2    | 2024-05-10 | b        | South  | 15 (-)                  | purchase  |

Purchase days of a: 1 January, 11 January, 10 February, 31 March; 10, 30 and 50 days between them. Customer c never ordered.
"""

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from crm_metrics import database, facts, schema
from crm_metrics.customer_360 import METRICS, TABLES, TILES, figure, gather, query, statistic, words
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.filters import Filters
from crm_metrics.language import speaking
from crm_metrics.lifetime_value import TABLES as LIFETIME_VALUE_TABLES
from crm_metrics.metric import BadInput
from crm_metrics.scope import Scope

ORDERS = [
    ("o1", "2024-01-01", "a", "North", "purchase", [("70", "42"), ("30", "18")]),
    ("x1", "2024-01-05", None, "North", "purchase", [("500", None)]),
    ("o2", "2024-01-11", "a", "North", "purchase", [("50", None)]),
    ("o3", "2024-02-10", "a", "North", "purchase", [("30", "10")]),
    ("o4", "2024-02-10", "a", "North", "purchase", [("20", None)]),
    ("r1", "2024-02-20", "a", "North", "return", [("-30", None)]),
    ("c1", "2024-03-01", "a", "North", "cancelled", [("0", None)]),
    ("o5", "2024-03-31", "a", "North", "purchase", [("40", None)]),
    ("b1", "2024-04-20", "b", "South", "purchase", [("10", None)]),
    ("b2", "2024-05-10", "b", "South", "purchase", [("15", None)]),
]
CUSTOMERS = [
    {"customer_id": "a", "customer_name": "Ann", "customer_kind": "person", "home_region": "North", "owner_id": "e1"},
    {"customer_id": "b", "customer_name": "Bob [x](http://x) 100%", "referrer_customer_id": "a", "owner_id": "e9"},
    {"customer_id": "c", "customer_name": "Cleo", "acquired_on": dt.date(2024, 3, 1)},
]


def decimals(values):
    return pa.array([None if value is None else Decimal(value) for value in values], pa.decimal128(18, 4))


def order_table(rows):
    days = [dt.date.fromisoformat(row[1]) for row in rows]
    return pa.table(
        {
            "order_id": [row[0] for row in rows],
            "customer_id": pa.array([row[2] for row in rows], pa.string()),
            "ordered_at": pa.array([dt.datetime.combine(day, dt.time(9)) for day in days], pa.timestamp("us")),
            "ordered_on": days,
            "order_region": [row[3] for row in rows],
            "is_purchase": [row[4] == "purchase" for row in rows],
            "is_cancelled": [row[4] == "cancelled" for row in rows],
            "batch_id": pa.array([1] * len(rows), pa.int32()),
        }
    )


def line_table(rows):
    kinds = {"purchase": "sale"}
    lines = [(row[0], kinds.get(row[4], row[4]), amount, cost) for row in rows for amount, cost in row[5]]
    return pa.table(
        {
            "batch_id": pa.array([1] * len(lines), pa.int32()),
            "row_number": list(range(2, 2 + len(lines))),
            "order_id": [line[0] for line in lines],
            "line_kind": [line[1] for line in lines],
            "quantity": decimals(["-1" if line[1] == "return" else "1" for line in lines]),
            "net_amount": decimals([line[2] for line in lines]),
            "cost_amount": decimals([line[3] for line in lines]),
            "row_hash": [f"h{place}" for place in range(len(lines))],
        }
    )


def fill(data_set, rows=ORDERS, customers=CUSTOMERS):
    with database.change(data_set) as writer:
        writer.append(schema.orders, order_table(rows))
        writer.append(schema.order_lines, line_table(rows))
        writer.append(schema.customers, pa.Table.from_pylist([{"batch_id": 1, **_whole(customer)} for customer in customers]))
        writer.append(schema.employees, pa.table({"employee_id": ["e1"], "employee_name": ["Eve"], "batch_id": [1]}))
        facts.rebuild(writer.connection)
    return database.open_source(data_set)


def _whole(customer):
    names = ("customer_id", "customer_name", "customer_kind", "home_region", "owner_id", "referrer_customer_id", "acquired_on")
    return {name: customer.get(name) for name in names}


@pytest.fixture(scope="module")
def duckdb_shop(tmp_path_factory):
    return fill(database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('shop')}/shop.duckdb"))


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def source(request):
    """The table above; nobody changes it."""
    if request.param == "duckdb":
        return database.open_source(request.getfixturevalue("duckdb_shop").data_set)
    return fill(database.find_data_set(request.getfixturevalue("postgresql_schema")))


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory, cdnow_file):
    """The CDNOW sample."""
    data_set = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('cdnow')}/cdnow.duckdb")
    import_file(data_set, cdnow_file.read_bytes(), cdnow_file.name, load_mapping("cdnow"))
    return database.open_source(data_set)


def of(customer, **more):
    return Filters(customer=customer, **more)


def day(text):
    return dt.date.fromisoformat(text)


def tile_values(source, filters):
    return TABLES["tiles"](source, filters).set_index("metric")["value"].to_dict()


# ── the table above ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_tiles_are_those_of_the_table(source):
    tiles = TABLES["tiles"](source, of("a"))
    assert list(tiles.columns) == ["metric", "value", "low", "high", "unit", "n"]
    assert tiles["metric"].tolist() == [metric.name for metric in TILES]
    assert tile_values(source, of("a")) == {
        "net_revenue": 210.0,
        "orders": 5.0,
        "average_order_value": 42.0,
        "gross_margin": 60.0,  # 70 - 42 + 30 - 18 + 30 - 10
        "days_since_last_order": 40.0,  # 31 March to 10 May
        "usual_days_between_orders": 30.0,
    }
    assert tiles.set_index("metric")["n"].to_dict()["gross_margin"] == 3


def test_unknown_costs_give_an_unknown_margin_and_not_zero(source):
    assert math.isnan(tile_values(source, of("b"))["gross_margin"])


def test_the_profile_says_what_is_known_and_leaves_the_rest_empty(source):
    ann = TABLES["profile"](source, of("a")).iloc[0]
    assert (ann.customer_name, ann.customer_kind, ann.home_region, ann.owner) == ("Ann", "person", "North", "Eve")
    assert (ann.first_on, ann.last_on, ann.orders, ann.days_since_last_order) == (
        pd.Timestamp("2024-01-01"),
        pd.Timestamp("2024-03-31"),
        5,
        40,
    )
    assert pd.isna(ann.birth_year)
    assert pd.isna(ann.acquisition_cost)
    assert TABLES["profile"](source, of("b")).iloc[0].owner == "e9"  # an employee nobody described


def test_a_customer_who_never_ordered_has_a_page_of_dashes(source):
    cleo = TABLES["profile"](source, of("c")).iloc[0]
    assert cleo.customer_name == "Cleo"
    assert pd.isna(cleo.first_on)
    values = tile_values(source, of("c"))
    assert values["orders"] == 0
    assert math.isnan(values["net_revenue"])
    assert math.isnan(values["days_since_last_order"])
    assert TABLES["alive"](source, of("c")).empty
    assert "has not bought" in finding_of(source, of("c"))


def test_habits_are_told_from_three_purchases_on_and_only_where_one_thing_is_usual(source):
    found: Any = TABLES["habits"](source, of("a")).set_index("habit")
    assert list(found.index) == ["days_between", "units", "order_value"]  # no channel, category or price is known; no day came most often
    assert found.loc["order_value", ["usual", "low", "high", "n"]].tolist() == ["40.0", 30.0, 50.0, 5]
    assert found.loc["days_between", ["usual", "n"]].tolist() == ["30.0", 3]
    assert TABLES["habits"](source, of("b")).empty


def test_the_usual_day_is_named_in_the_readers_language():
    habits = pd.DataFrame([("weekday", "0", math.nan, math.nan, 0.6, 5)], columns=["habit", "usual", "low", "high", "share", "n"])
    assert words.habits_in_words(habits)["value"].tolist() == [r"Monday \(60\.0% of 5\)"]
    with speaking("zh"):
        assert words.habits_in_words(habits)["value"].tolist() == [r"星期一（5 次中的 60\.0%）"]


def test_every_order_is_there_with_its_kind_the_latest_first(source):
    orders = TABLES["orders"](source, of("a"))
    assert orders["order_id"].tolist() == ["o5", "c1", "r1", "o3", "o4", "o2", "o1"]
    kinds = dict(zip(orders["order_id"], orders["order_kind"], strict=True))
    assert kinds == {
        "o1": "purchase",
        "o2": "purchase",
        "o3": "purchase",
        "o4": "purchase",
        "o5": "purchase",
        "r1": "return",
        "c1": "cancelled",
    }


def test_the_lines_of_an_order_add_up_to_it(source):
    orders, lines = TABLES["orders"](source, of("a")), TABLES["order_lines"](source, of("a"))
    sums = lines.groupby("order_id")["net_revenue"].sum().to_dict()
    assert sums == dict(zip(orders["order_id"], orders["net_revenue"], strict=True))
    assert statistic.lines_of(lines, orders, [6])["net_revenue"].tolist() == [70.0, 30.0]


def test_every_line_is_there_once(source):
    assert len(TABLES["order_lines"](source, of("a"))) == 8


# ── the next order ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_order_is_due_after_the_customers_own_median(source):
    due = TABLES["next_order"](source, of("a")).iloc[0]
    assert (due.usual_days, due.intervals, bool(due.is_own_rhythm)) == (30.0, 3, True)
    assert (due.due_on, due.days_late) == (pd.Timestamp("2024-04-30"), 10.0)
    assert "the next one is late" in finding_of(source, of("a"))


def test_with_fewer_than_three_intervals_the_base_stands_in_and_says_so(source):
    due = TABLES["next_order"](source, of("b")).iloc[0]
    assert (due.usual_days, due.intervals, bool(due.is_own_rhythm)) == (25.0, 1, False)  # median of 10, 20, 30 and 50
    assert due.due_on == pd.Timestamp("2024-06-04")
    assert due.days_late == -25
    assert "usual time of all customers, 25 days" in finding_of(source, of("b"))
    assert math.isnan(tile_values(source, of("b"))["usual_days_between_orders"])


def test_two_orders_on_one_day_are_one_purchase_day(source):
    days = statistic.purchase_days(TABLES["orders"](source, of("a")))
    assert [str(one) for one in days] == ["2024-01-01", "2024-01-11", "2024-02-10", "2024-03-31"]


def test_half_a_day_is_rounded_up_so_that_nobody_is_late_too_early():
    days = [day("2024-01-01"), day("2024-01-02"), day("2024-01-03"), day("2024-01-05"), day("2024-01-07")]
    due = statistic.next_order(days, base_usual_days=math.nan, today=day("2024-01-09"))
    assert (due.usual_days, due.due_on, due.days_late) == (1.5, day("2024-01-09"), 0.0)


def test_where_nobody_bought_twice_no_day_is_made_up(tmp_path):
    alone = fill(database.find_data_set(f"duckdb:///{tmp_path}/one.duckdb"), rows=ORDERS[:1])
    due = TABLES["next_order"](alone, of("a")).iloc[0]
    assert pd.isna(due.due_on)
    assert math.isnan(due.usual_days)
    assert "no one can say" in finding_of(alone, of("a"))


purchase_days = st.lists(st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)), min_size=4, unique=True).map(sorted)


@given(days=purchase_days, wait=st.integers(0, 4000))
def test_the_due_day_is_after_the_last_purchase_and_lateness_counts_from_it(days, wait):
    today = days[-1] + dt.timedelta(days=wait)
    due = statistic.next_order(days, base_usual_days=math.nan, today=today)
    assert due.is_own_rhythm
    assert due.due_on > days[-1]
    assert (today - due.due_on).days == due.days_late
    assert min(statistic.intervals_days(days)) <= due.usual_days <= max(statistic.intervals_days(days))


@given(days=purchase_days, shift=st.integers(1, 1000))
def test_the_rhythm_does_not_depend_on_when_it_happened(days, shift):
    moved = [one + dt.timedelta(days=shift) for one in days]
    assert statistic.intervals_days(moved) == statistic.intervals_days(days)


# ── as of ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_after_the_as_of_date_is_seen(source):
    early = of("a", as_of=day("2024-02-15"))
    assert tile_values(source, early) | {"gross_margin": 60.0} == {
        "net_revenue": 200.0,
        "orders": 4.0,
        "average_order_value": 50.0,
        "gross_margin": 60.0,
        "days_since_last_order": 5.0,
        "usual_days_between_orders": pytest.approx(math.nan, nan_ok=True),
    }
    assert TABLES["orders"](source, early)["ordered_on"].max() == pd.Timestamp("2024-02-10")
    assert TABLES["order_lines"](source, early)["ordered_on"].max() == pd.Timestamp("2024-02-10")
    due = TABLES["next_order"](source, early).iloc[0]
    assert (due.usual_days, due.due_on, bool(due.is_own_rhythm)) == (20.0, pd.Timestamp("2024-03-01"), False)  # median of 10 and 30


def test_an_as_of_date_after_the_data_is_their_last_day(source):
    pd.testing.assert_frame_equal(TABLES["tiles"](source, of("a", as_of=day("2030-01-01"))), TABLES["tiles"](source, of("a")))


def test_a_customer_of_later_does_not_exist_yet(source):
    with pytest.raises(BadInput, match="no customer 'b'"):
        TABLES["profile"](source, of("b", as_of=day("2024-04-09")))
    assert "b" not in set(gather.matches(source, Filters(as_of=day("2024-04-09")))["customer_id"])


def test_the_day_a_customer_was_won_is_not_known_before_it(source):
    assert pd.isna(TABLES["profile"](source, of("c", as_of=day("2024-02-29"))).iloc[0].acquired_on)
    assert TABLES["profile"](source, of("c")).iloc[0].acquired_on == pd.Timestamp("2024-03-01")


def test_the_beginning_of_the_period_does_not_cut_the_history(source):
    narrow = of("a", start=day("2024-03-01"), end=day("2024-05-10"), region=("South",))
    pd.testing.assert_frame_equal(TABLES["tiles"](source, narrow), TABLES["tiles"](source, of("a")))


# ── who may see whom ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("table", TABLES)
def test_a_customer_outside_the_scope_does_not_exist(source, table):
    with pytest.raises(BadInput, match="no customer 'a'"):
        TABLES[table](source, of("a", scope=Scope("south", ("South",))))


def test_a_customer_without_orders_does_not_exist_for_a_reader_of_one_region(source):
    with pytest.raises(BadInput):
        TABLES["profile"](source, of("c", scope=Scope("south", ("South",))))


def test_the_search_and_the_referrer_name_nobody_outside_the_scope(source):
    south = Scope("south", ("South",))
    assert gather.matches(source, Filters(scope=south))["customer_id"].tolist() == ["b"]
    assert pd.isna(TABLES["profile"](source, of("b", scope=south)).iloc[0].referrer_customer_id)
    assert TABLES["profile"](source, of("b")).iloc[0].referrer_customer_id == "a"


def test_the_rhythm_of_the_base_is_that_of_the_scope(source):
    due = TABLES["next_order"](source, of("b", scope=Scope("south", ("South",)))).iloc[0]
    assert due.usual_days == 20.0  # b's own interval is the only one in the South


@pytest.mark.parametrize("table", TABLES)
def test_without_a_customer_the_reader_is_told_to_choose_one(source, table):
    with pytest.raises(BadInput, match="No customer is chosen"):
        TABLES[table](source, Filters())


@pytest.mark.parametrize("customer", ["nobody", "'; DROP TABLE orders; --", "%", "A"])
def test_a_customer_that_is_not_there_is_named_in_the_refusal(source, customer):
    with pytest.raises(BadInput) as refused:
        TABLES["tiles"](source, of(customer))
    assert repr(customer) in str(refused.value)


# ── search ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_search_finds_by_number_and_by_name_whatever_the_case(source):
    assert gather.matches(source, Filters(), "ANN")["customer_id"].tolist() == ["a"]
    assert gather.matches(source, Filters(), "b")["customer_id"].tolist() == ["b"]
    assert gather.matches(source, Filters(), "eo")["customer_id"].tolist() == ["c"]


def test_percent_and_underscore_are_searched_as_they_are(source):
    assert gather.matches(source, Filters(), "100%")["customer_id"].tolist() == ["b"]
    assert gather.matches(source, Filters(), "%").shape[0] == 1
    assert gather.matches(source, Filters(), "_").empty


def test_without_words_the_latest_buyers_come_first(source):
    found = gather.matches(source, Filters())
    assert found["customer_id"].tolist() == ["b", "a", "c"]
    assert found["orders"].tolist() == [2, 5, 0]


def test_the_list_of_customers_says_what_they_brought_and_how_many_there_are(source, monkeypatch):
    found = gather.matches(source, Filters())
    assert found["net_revenue"].fillna(-1).tolist() == [25, 210, -1]
    assert set(found["matches"]) == {3}
    assert words.found_text(found, "") == "Choose a customer."
    monkeypatch.setattr(query, "MATCHES_SHOWN", 2)
    first = gather.matches(source, Filters())
    assert first["customer_id"].tolist() == ["b", "a"]
    assert words.found_text(first, "") == "The 2 latest buyers of 3 customers: search for the others."
    assert words.found_text(first, "x") == "The first 2 of 3 customers found: type more of the number or name."
    assert words.found_text(found.head(0), "x") == "No customer has “x” in number or name."


def test_the_list_sums_only_what_the_reader_may_see_up_to_the_day(source):
    early = gather.matches(source, Filters(as_of=day("2024-02-15"), scope=Scope("north", ("North",))))
    assert dict(zip(early["customer_id"], early["net_revenue"], strict=True)) == {"a": 200}


def test_the_number_itself_opens_the_page_and_an_open_choice_does_not(source):
    found = gather.matches(source, Filters(), "a")
    assert set(found["customer_id"]) == {"a"}
    assert gather.only_match(found, "a") == "a"
    assert gather.only_match(gather.matches(source, Filters(), ""), "") == ""
    both = pd.DataFrame({"customer_id": ["1516", "15161"]})
    assert gather.only_match(both, "1516") == "1516"
    assert gather.only_match(both, "151") == ""


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding_of(source, filters, currency=""):
    frames = (TABLES["profile"](source, filters).iloc[0], TABLES["tiles"](source, filters), TABLES["next_order"](source, filters).iloc[0])
    return words.finding(*frames, currency=currency)


def test_the_finding_is_made_of_the_numbers(source):
    shown = finding_of(source, of("a"), "USD")
    assert shown.startswith("Ann has bought 5 times since Jan 1, 2024 and brought \\$210\\.00 net.")
    assert "due on Apr 30, 2024, 10 days ago" in shown


def test_markup_in_a_name_stays_text(source):
    assert "\\[x\\]\\(" in finding_of(source, of("b"))


def test_the_profile_in_words_lists_what_is_known_and_names_the_rest_in_one_line(source):
    profile = TABLES["profile"](source, of("a")).iloc[0]
    shown = words.profile_in_words(profile).set_index("attribute")["value"]
    assert shown["Name"] == "Ann"
    assert "Year of birth" not in shown
    assert "—" not in set(shown)
    assert words.unknown_in_words(profile) == (
        "Not known: Year of birth, Acquired through, Acquisition cost, Acquired on, Referred by, May be contacted."
    )
    assert shown["First order"] == "Jan 1, 2024"
    with speaking("zh"):
        assert "姓名" in words.profile_in_words(TABLES["profile"](source, of("a")).iloc[0])["attribute"].tolist()


def test_a_customer_named_like_a_word_of_the_product_keeps_the_name_in_chinese(source):
    profile = TABLES["profile"](source, of("a")).iloc[0]
    with speaking("zh"):
        shown = words.profile_in_words(profile.where(profile.index != "customer_name", "Orders")).set_index("attribute")["value"]
        assert words.kinds_in_words(pd.DataFrame({"order_kind": ["purchase", "Orders"]}), "order_kind")["order_kind"].tolist() == [
            "购买",
            "Orders",
        ]
    assert (shown["姓名"], shown["类型"]) == ("Orders", "个人")


@pytest.mark.parametrize(
    ("days_late", "said"),
    [(1.0, "was due on Apr 30, 2024, 1 day ago."), (0.0, "is due on Apr 30, 2024, today."), (-1.0, "is due on Apr 30, 2024, in 1 day.")],
)
def test_one_day_is_a_day_and_no_day_is_today(source, days_late, said):
    due = TABLES["next_order"](source, of("a")).iloc[0]
    sentence = words.due_sentence(due.where(due.index != "days_late", days_late))
    assert sentence.startswith("The usual time between orders is 30 days: ")
    assert sentence.endswith(said)


def test_a_small_shop_is_told_why_there_is_no_forecast(source):
    value = TABLES["value"](source, of("a")).iloc[0]
    assert math.isnan(value.expected_value)
    assert "2 customers" in words.value_sentence(value)
    assert TABLES["alive"](source, of("a")).empty


def test_every_table_of_an_empty_data_set_says_that_there_is_no_such_customer(tmp_path):
    empty = database.open_source(database.find_data_set(f"duckdb:///{tmp_path}/none.duckdb"))
    for table in TABLES.values():
        with pytest.raises(BadInput, match="no customer"):
            table(empty, of("a"))
    assert gather.matches(empty, Filters()).empty


# ── CDNOW ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_customer_1516_of_cdnow_is_worth_what_the_papers_say(cdnow):
    """P(alive) as of 1997-09-30: BG/NBD .9688523 (Fader, Hardie and Lee 2005), Pareto/NBD .997874 (Fader and Hardie, note 009)."""
    value = TABLES["value"](cdnow, of("1516", as_of=day("1997-09-30"))).iloc[0]
    assert value.frequency == 26
    assert value.alive_bg_nbd == pytest.approx(0.9688523, rel=1e-4)
    assert value.alive_pareto_nbd == pytest.approx(0.997874, rel=1e-4)
    # 25.75659 in 52 weeks (same source); twelve months are 365 days, so a little more
    assert 25.75659 < value.expected_purchases < 25.75659 * 365 / 364


@pytest.mark.slow
def test_the_value_is_that_of_the_lifetime_value_room(cdnow):
    own = TABLES["value"](cdnow, of("1516")).iloc[0]
    every = LIFETIME_VALUE_TABLES["customers"](cdnow, Filters()).set_index("customer_id")
    assert own.expected_value == every.loc["1516", "expected_value"]


@pytest.mark.slow
def test_the_path_ends_where_the_model_stands_today_and_marks_every_purchase(cdnow):
    alive = TABLES["alive"](cdnow, of("1516"))
    value = TABLES["value"](cdnow, of("1516")).iloc[0]
    assert alive["probability_alive"].iloc[-1] == pytest.approx(value.alive_mbg_nbd, rel=1e-12)
    assert alive["is_purchase"].sum() == value.frequency + 1
    assert alive["day"].iloc[-1] == value.as_of
    assert alive["day"].is_monotonic_increasing
    assert alive["probability_alive"].between(0, 1).all()


def test_between_purchases_p_alive_only_falls_and_a_purchase_lifts_it(cdnow):
    alive = TABLES["alive"](cdnow, of("1516"))
    steps = alive["probability_alive"].diff().iloc[1:]
    bought = alive["is_purchase"].iloc[1:]
    assert (steps[~bought] < 0).all()
    assert (steps[bought] > 0).all()


@pytest.mark.slow
def test_an_earlier_as_of_date_draws_the_path_of_that_day(cdnow):
    alive = TABLES["alive"](cdnow, of("1516", as_of=day("1997-09-30")))
    assert alive["day"].max() == pd.Timestamp("1997-09-30")


def test_of_a_one_time_buyer_the_bg_nbd_says_nothing(cdnow):
    value = TABLES["value"](cdnow, of("0003")).iloc[0]
    assert value.frequency == 0
    assert math.isnan(value.alive_bg_nbd)
    assert 0 < value.alive_mbg_nbd < 0.6
    assert "its assumption" in words.alive_sentence(value)
    assert "—" in words.alive_sentence(value)


def test_a_long_path_is_thinned_but_keeps_every_purchase_and_the_last_day():
    bought = [dt.date(2000, 1, 1) + dt.timedelta(days=37 * place) for place in range(200)]
    first = bought[0].toordinal()
    path = pd.DataFrame({"day": range(first, first + 9000), "probability": 0.5, "is_by_construction": False})
    thin = statistic.alive_over_time(path, bought_on=bought)
    assert len(thin) <= 2001
    assert thin["is_purchase"].sum() == 200
    assert thin["day"].iloc[-1] == pd.Timestamp(dt.date.fromordinal(first + 8999))


def test_the_figure_draws_the_path_and_the_purchases(cdnow):
    alive = TABLES["alive"](cdnow, of("1516"))
    drawn = figure.alive_figure(alive)
    assert len(drawn.data[0].y) == len(alive)
    assert len(drawn.data[1].y) == alive["is_purchase"].sum()
    assert drawn.layout.yaxis.title.text == "P(alive)"


def test_without_a_model_the_figure_says_what_was_bought_when(source):
    orders, value = TABLES["orders"](source, of("a")), TABLES["value"](source, of("a")).iloc[0]
    drawn = figure.orders_figure(orders)
    assert sum(drawn.data[0].y) == 210.0
    assert len(drawn.data[0].x) == 6  # o3 and o4 are of one day
    assert min(drawn.data[0].y) == -30.0
    assert "no model" in words.figure_notes(TABLES["alive"](source, of("a")), value)


def test_where_the_model_finds_nobody_leaving_no_path_is_drawn_and_it_is_said():
    value = pd.Series({"verdict": "full", "finds_leaving": False})
    assert "nobody leaving" in words.figure_notes(pd.DataFrame(), value)


def test_every_metric_is_declared_once():
    assert len({metric.name for metric in METRICS}) == len(METRICS)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def opened(**parameters):
    app = AppTest.from_file(str(Path(__file__).parent.parent / "app.py"), default_timeout=60)
    app.query_params.update(parameters)
    app.run()
    app.query_params.update(parameters)  # the first run leads to the first room
    return app.switch_page("pages/customer.py").run()


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv(database.FOLDER_SETTING, str(tmp_path))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    fill(database.find_data_set("mine"))


@pytest.mark.slow
@pytest.mark.parametrize(("language", "words_shown"), [("en", "Ann has bought 5 times"), ("zh", "购买 5 次")])
def test_the_page_of_a_customer_opens_from_its_address(shop, language, words_shown):
    app = opened(customer="a", lang=language, data="mine")
    assert not app.exception
    assert any(words_shown in element.value for element in app.markdown)
    assert len(app.dataframe) == 1
    assert app.dataframe[0].value["order_id"].tolist() == ["o5", "c1", "r1", "o3", "o4", "o2", "o1"]


@pytest.mark.slow
def test_the_page_without_a_customer_lists_the_latest_buyers(shop):
    app = opened(data="mine")
    assert not app.exception
    assert app.dataframe[0].value["customer_id"].tolist() == ["b", "a", "c"]
