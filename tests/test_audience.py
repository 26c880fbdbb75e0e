"""Segments side by side, audiences and tests of them, against plain loops over the rows, published examples and scipy."""

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import raw_shop
from hypothesis import given
from hypothesis import strategies as st
from peopled_shop import DAYS, FIRST_ON, Known, Tables, known_on, members_of, published, random_shop
from raw_shop import Row

from crm_metrics import database, schema, workspace
from crm_metrics.audience import difference, tables, words
from crm_metrics.audience.difference import DIFFERENCE_COLUMNS, of_numbers, of_shares
from crm_metrics.audience.query import Pair
from crm_metrics.database import Source, find_data_set, open_source
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import Plan
from crm_metrics.filters import CUSTOMER_UNKNOWN, Filters
from crm_metrics.language import speaking
from crm_metrics.metric import BadInput
from crm_metrics.planned_test import tables as planned_test
from crm_metrics.planned_test import words as test_words
from crm_metrics.planned_test.tables import TestTerms
from crm_metrics.randomised_test.plan import Baseline, customers_needed, power_curve, smallest_lift
from crm_metrics.randomised_test.split import stratified_split
from crm_metrics.randomised_test.sums import holm
from crm_metrics.scope import Scope
from crm_metrics.segments.attributes import attribute
from crm_metrics.segments.known import NO, YES
from crm_metrics.segments.rule import Condition, Group, Opposite, Rule, Segment, rule_text

LAST_ON = FIRST_ON + dt.timedelta(days=DAYS)
NOW = Filters(end=LAST_ON)
EVERYBODY, NOBODY = Group("all"), Group("any")
OFTEN, IN_NORTH = Condition("orders", low=3), Condition("home_region", ("N",))
RULES = (EVERYBODY, NOBODY, OFTEN, Opposite(OFTEN), Group("any", (OFTEN, IN_NORTH)))


class Shop(NamedTuple):
    """A published random shop. made: its rows; known: what is known of its customers on the last day."""

    made: Tables
    source: Source
    known: Known

    @property
    def lines(self) -> list[Row]:
        return raw_shop.raw_shop(self.source.arrow).lines

    def agreeing(self, rule: Rule) -> set[str]:
        return {who for who in members_of(rule, self.known) if self.known.values["has_consent"].get(who) == {YES}}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = random_shop(71, orders=90)
    data_set = published(find_data_set(f"duckdb:///{tmp_path_factory.mktemp('shop')}/shop.duckdb"), made)
    return Shop(made, open_source(data_set), known_on(data_set, made, LAST_ON))


# ── who is in it ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", RULES)
def test_size_and_people_are_what_plain_loops_say(shop: Shop, rule: Rule) -> None:
    who, net = members_of(rule, shop.known), shop.known.numbers["net_revenue"]
    tiles = tables.tiles(shop.source, NOW, rule).set_index("metric")["value"]
    assert tiles["segment_customers"] == len(who)
    assert tiles["segment_customers_share"] == len(who) / len(shop.known.everybody)
    assert tiles["segment_contactable"] == len(shop.agreeing(rule))
    assert tiles["segment_net_revenue"] == pytest.approx(sum(net[each] for each in who))
    assert tiles["segment_net_revenue_share"] == pytest.approx(sum(net[each] for each in who) / sum(net.values()))
    orders = sum(shop.known.numbers["orders"][each] for each in who)
    assert tiles["segment_orders_per_customer"] == pytest.approx(orders / len(who) if who else math.nan, nan_ok=True)
    people = tables.people(shop.source, NOW, rule)
    assert dict(zip(people["customer_id"], people["net_revenue"], strict=True)) == pytest.approx({each: net[each] for each in who})
    assert people["net_revenue"].is_monotonic_decreasing


@pytest.mark.parametrize("rule", RULES)
def test_nobody_without_consent_is_in_an_audience_or_a_draw_and_no_address_of_theirs_is_anywhere(shop: Shop, rule: Rule) -> None:
    agreeing = shop.agreeing(rule)
    contacts = tables.contacts(shop.source, NOW, rule)
    assert set(contacts["customer_id"]) == agreeing
    assert not {"email", "phone"} & set(tables.people(shop.source, NOW, rule))
    if len(agreeing) >= 4:
        drawn = planned_test.split(shop.source, NOW, TestTerms(strata=("home_region",)), rule).members
        assert set(drawn["customer_id"]) == agreeing
    else:
        with pytest.raises(BadInput):
            planned_test.split(shop.source, NOW, TestTerms(), rule)


def test_the_first_or_primary_contact_of_a_customer_stands_in_the_audience(shop: Shop) -> None:
    contacts = tables.contacts(shop.source, NOW, EVERYBODY).set_index("customer_id")["email"]
    for who, email in contacts.items():
        of_customer = [row for row in shop.made[schema.contacts] if row["customer_id"] == who]
        best = min(of_customer, key=lambda row: (not row["is_primary"], row["contact_id"]), default={"email": None})
        assert (email if isinstance(email, str) else None) == best["email"]


@pytest.mark.slow
def test_the_segments_of_the_filters_are_the_rule_where_none_is_given(shop: Shop) -> None:
    often, north = Segment("often", OFTEN), Segment("north", IN_NORTH)
    for segments, rule in (
        ((), EVERYBODY),
        ((often,), OFTEN),
        ((often, north), Group("any", (OFTEN, IN_NORTH))),
        ((CUSTOMER_UNKNOWN,), NOBODY),
    ):
        found = tables.people(shop.source, replace(NOW, segments=segments))
        pd.testing.assert_frame_equal(found, tables.people(shop.source, NOW, rule))


# ── two segments ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("first", "second"), [*product(RULES[1:4:2], RULES[2:5:2]), (OFTEN, OFTEN), (EVERYBODY, RULES[4])])
def test_the_parts_of_an_overlap_add_up_to_all_customers(shop: Shop, first: Rule, second: Rule) -> None:
    one, two = (members_of(rule, shop.known) for rule in (first, second))
    found = tables.overlap(shop.source, NOW, Pair(first, second)).set_index("place")
    expected = {"both": one & two, "first": one - two, "second": two - one, "neither": shop.known.everybody - one - two}
    net = shop.known.numbers["net_revenue"]
    assert found["customers"].to_dict() == {place: len(who) for place, who in expected.items()}
    assert found["net_revenue"].to_dict() == pytest.approx({place: sum(net[each] for each in who) for place, who in expected.items()})
    assert found["share"].sum() == pytest.approx(1)


@pytest.mark.slow
def test_what_is_compared_is_what_plain_loops_count_on_each_side(shop: Shop) -> None:
    first, second = OFTEN, IN_NORTH
    one = members_of(first, shop.known)
    two = members_of(second, shop.known) - one
    found = tables.differences(shop.source, NOW, Pair(first, second)).set_index(["attribute", "value"])
    assert not {"orders", "home_region"} & set(found.index.get_level_values(0))
    for name, numbers in shop.known.numbers.items():
        sides = [sorted(numbers[who] for who in side if who in numbers) for side in (one, two)]
        if name in {"orders", "value_rank"} or not any(sides):
            continue
        row: Any = found.loc[(name, "")]
        assert (row["first_known"], row["second_known"]) == tuple(len(side) for side in sides), name
        for side, column in zip(sides, ("first", "second"), strict=True):
            assert row[column] == pytest.approx(np.median(side) if side else math.nan, nan_ok=True), name
        if min(len(side) for side in sides) > 1:
            assert row["difference"] == pytest.approx(np.sign(np.subtract.outer(*sides)).mean()), name
    for name, values in shop.known.values.items():
        for value in {value for who in one | two for value in values.get(who, set())} - {"(unknown)"}:
            if (name, value) in found.index:
                row = found.loc[(name, value)]
                held = [sum(value in values.get(who, set()) for who in side) for side in (one, two)]
                told = [sum(bool(values.get(who, set()) - {"(unknown)"}) for who in side) for side in (one, two)]
                compared = [len(one), len(two)] if attribute(name).several else told
                assert [row["first_known"], row["second_known"]] == compared, (name, value)
                shares = [part / whole if whole else math.nan for part, whole in zip(held, compared, strict=True)]
                assert [row["first"], row["second"]] == pytest.approx(shares, nan_ok=True), (name, value)


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Nine customers of one order each, on December 31, 2025.

    N  ann 1960 web, ben 1960, cat 1988, dan (no year), firm one (company)
    S  eve 1960 web, fay 1988, firm two, firm three (companies)
    """
    born = {"ann": 1960, "ben": 1960, "cat": 1988, "dan": None, "eve": 1960, "fay": 1988, "one": None, "two": None, "three": None}
    day = dt.date(2025, 12, 31)
    made: Tables = {schema.orders: [], schema.order_lines: [], schema.customers: []}
    for number, (who, year) in enumerate(born.items()):
        kind = "company" if who in {"one", "two", "three"} else "person"
        region = "N" if who in {"ann", "ben", "cat", "dan", "one"} else "S"
        order = {"order_id": who, "customer_id": who, "ordered_at": dt.datetime.combine(day, dt.time(9)), "ordered_on": day}
        made[schema.orders].append(
            order | {"sales_channel": "web" if who in {"ann", "eve"} else "shop", "is_purchase": True, "is_cancelled": False}
        )
        line = {"row_number": number + 1, "order_id": who, "line_kind": "sale", "quantity": Decimal(1), "net_amount": Decimal(10)}
        made[schema.order_lines].append(line | {"row_hash": who})
        made[schema.customers].append({"customer_id": who, "customer_kind": kind, "home_region": region, "birth_year": year})
    return open_source(published(find_data_set(f"duckdb:///{tmp_path_factory.mktemp('companies')}/shop.duckdb"), made))


def test_companies_have_no_age_so_shares_of_age_bands_are_of_those_whose_age_is_known(companies: Source) -> None:
    """Of three with an age in N two are 65, of two in S one; of five in N one bought on the web, of four in S one."""
    found = tables.differences(companies, Filters(), Pair(IN_NORTH, Condition("home_region", ("S",))))
    rows: Any = words.differences_in_words(found, currency="").set_index(["attribute", "value"])
    known = ["first", "second", "first_known", "second_known", "compared"]
    assert rows.loc[("age_band", "65+"), known].tolist() == ["66.7%", "50.0%", 3, 2, "share of those known"]
    assert rows.loc[("sales_channel", "web"), known].tolist() == ["20.0%", "25.0%", 5, 4, "share of all"]
    assert rows.loc[("age_years", ""), known].tolist() == ["65", "51", 3, 2, "median of those known"]


@pytest.mark.slow
def test_where_an_attribute_is_known_of_nobody_on_one_side_there_is_no_difference(companies: Source) -> None:
    person = Condition("customer_kind", ("person",))
    found = tables.differences(companies, Filters(), Pair(person, Opposite(person)))
    ages = found[found["attribute"] == "age_band"]
    assert ages[["first", "first_known", "second_known"]].to_numpy().tolist() == [[3 / 5, 5, 0]]
    assert ages[["second", "difference", "p_adjusted"]].isna().all(axis=None)


def test_where_one_side_is_empty_or_inside_the_other_there_is_nothing_to_compare(shop: Shop) -> None:
    inside = Group("all", (OFTEN, IN_NORTH))
    for pair in (Pair(OFTEN, inside), Pair(OFTEN, NOBODY), Pair(NOBODY, OFTEN), Pair(EVERYBODY, OFTEN), Pair(OFTEN, OFTEN)):
        found = tables.differences(shop.source, NOW, pair)
        assert found.empty
        assert tuple(found.columns) == DIFFERENCE_COLUMNS


def counted(one: list[float], two: list[float]) -> difference.Contrast:
    values = np.unique([*one, *two])
    return of_numbers(values, *[np.array([side.count(value) for value in values], dtype=float) for side in (one, two)])


SIDES = st.lists(st.integers(0, 6).map(float), min_size=2, max_size=25)


@pytest.mark.slow
@given(SIDES, SIDES)
def test_the_chance_of_a_difference_in_numbers_is_that_of_scipys_mann_whitney(one: list[float], two: list[float]) -> None:
    from scipy.stats import mannwhitneyu

    found = counted(one, two)
    u, p_value = mannwhitneyu(one, two, method="asymptotic", use_continuity=False)
    assert found.difference == pytest.approx(2 * u / len(one) / len(two) - 1)
    assert found.p_value == pytest.approx(1.0 if math.isnan(p_value) else p_value)
    assert (found.first, found.second) == (np.median(one), np.median(two))


@pytest.mark.slow
@given(SIDES, SIDES)
def test_a_difference_the_other_way_round_is_its_mirror_image(one: list[float], two: list[float]) -> None:
    found, mirrored = counted(one, two), counted(two, one)
    assert (found.difference, found.low, found.high, found.p_value) == pytest.approx(
        (-mirrored.difference, -mirrored.high, -mirrored.low, mirrored.p_value), nan_ok=True
    )


@pytest.mark.slow
def test_the_interval_of_cliffs_delta_is_that_of_a_bootstrap() -> None:
    random = np.random.default_rng(1)
    one, two = np.round(random.gamma(2, 20, 150)), np.round(random.gamma(2, 14, 220))
    found = counted(one.tolist(), two.tolist())
    deltas = [np.sign(np.subtract.outer(random.choice(one, len(one)), random.choice(two, len(two)))).mean() for _ in range(1000)]
    assert (found.low, found.high) == pytest.approx(np.quantile(deltas, (0.025, 0.975)), abs=0.02)


@pytest.mark.slow
def test_the_interval_of_cliffs_delta_holds_the_true_one_in_95_of_100_draws() -> None:
    """X exceeds Y with probability 0.7 where they are exponential with means 7 and 3; n = 60 and 90, 2,000 draws, 4 standard errors."""
    random = np.random.default_rng(2)
    held = []
    for _ in range(2000):
        found = counted(random.exponential(7, 60).tolist(), random.exponential(3, 90).tolist())
        held.append(found.low <= 0.4 <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 2000))


PUBLISHED = [  # Newcombe (1998), Statistics in Medicine 17, table II, method 10
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("counts", "interval"), PUBLISHED)
def test_the_interval_of_a_difference_of_shares_is_newcombes(counts: tuple[int, int, int, int], interval: tuple[float, float]) -> None:
    found = of_shares(*counts)
    assert (found.low, found.high) == pytest.approx(interval, abs=0.00005)  # the table prints 4 decimals


@pytest.mark.slow
@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 300), st.integers(1, 300))
def test_the_chance_of_a_difference_of_shares_is_that_of_scipys_fisher(a: int, m: int, b: int, n: int) -> None:
    from scipy.stats import fisher_exact

    a, b = min(a, m), min(b, n)
    assert of_shares(a, m, b, n).p_value == pytest.approx(fisher_exact([[a, m - a], [b, n - b]]).pvalue)


def test_of_nobody_nothing_is_known() -> None:
    assert math.isnan(of_shares(0, 0, 3, 9).p_value)
    assert math.isnan(counted([1.0], [2.0, 3.0]).difference)
    assert counted([], [2.0, 3.0]).second == 2.5


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=12))
def test_holm_rejects_what_stepping_down_by_hand_rejects(p_values: list[float]) -> None:
    """Holm (1979): the smallest against alpha / n, the next against alpha / (n - 1), and so on until the first that is not below."""
    known = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    rejected = set()
    for step, (p, place) in enumerate(known):
        if not p * (len(known) - step) < difference.ALPHA:
            break
        rejected.add(place)
    adjusted = holm(np.array(p_values, dtype=float))
    assert {place for place, p in enumerate(adjusted) if p < difference.ALPHA} == rejected
    assert [math.isnan(p) for p in adjusted] == [math.isnan(p) for p in p_values]


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A demo whose customers have drawn lots: 'half0' … by half of them each, 'few0' … by one of twenty."""
    data_set = find_data_set(f"duckdb:///{tmp_path_factory.mktemp('lots')}/demo.duckdb")
    build(data_set, Plan(customers=1_000))
    who = open_source(data_set).arrow(schema.customer_facts.select())["customer_id"].to_pylist()
    random = np.random.default_rng(3)
    drawn = [
        (f"{name}{number}", customer)
        for name, share in (("half", 0.5), ("few", 0.05))
        for number in range(LOTS)
        for customer in random.choice(who, round(share * len(who)), replace=False)
    ]
    rows = {"preference": [lot for lot, _ in drawn], "customer_id": [str(customer) for _, customer in drawn]}
    with database.change(data_set) as writer:
        writer.append(schema.preferences, pa.table({**rows, "preferred_value": ["yes"] * len(drawn), "batch_id": [1] * len(drawn)}))
    return open_source(data_set)


LOTS = 60


@pytest.mark.slow
@pytest.mark.parametrize("name", ["half", "few"])
def test_of_groups_drawn_by_lot_at_most_5_in_100_are_said_to_differ_in_anything(lots: Source, name: str) -> None:
    found = []
    for number in range(LOTS):
        rule = Condition("preference", (f"{name}{number}: yes",))
        compared = tables.differences(lots, Filters(), Pair(rule, Opposite(rule)))
        assert len(compared) > 30
        found.append(compared["is_different"].any())
    assert np.mean(found) <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / LOTS)


# ── a test ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

TERMS = TestTerms(horizon_days=200, strata=("home_region", "value_tier"), seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [EVERYBODY, Opposite(OFTEN), IN_NORTH])
@pytest.mark.parametrize("scope", [Scope(), Scope("of two", ("N", "S"))])
def test_the_baseline_is_what_plain_loops_say_of_the_contactable_who_had_come(shop: Shop, rule: Rule, scope: Scope) -> None:
    filters = replace(NOW, scope=scope)
    row: Any = planned_test.baseline(shop.source, filters, TERMS, rule).iloc[0]
    lines = raw_shop.visible(shop.lines, scope)
    until = max(line["ordered_on"] for line in lines)
    chosen_on = until - dt.timedelta(days=TERMS.horizon_days)
    assert (row["until"], row["chosen_on"]) == (pd.Timestamp(until), pd.Timestamp(chosen_on))
    known = known_on(shop.source.data_set, shop.made, chosen_on, scope)
    come = {line["customer_id"] for line in raw_shop.identified(lines) if line["ordered_on"] <= chosen_on}
    chosen = [who for who in members_of(rule, known) & come if known.values["has_consent"][who] == {YES}]
    after = [line for line in lines if chosen_on < line["ordered_on"] <= until]
    spent = [float(raw_shop.total([line for line in after if line["customer_id"] == who], "net_amount")) for who in chosen]
    bought = raw_shop.purchases_by_customer(after)
    assert row["customers"] == len(chosen) > 2
    assert row["buyers_share"] == pytest.approx(np.mean([who in bought for who in chosen]))
    assert (row["spend_mean"], row["spend_deviation"]) == pytest.approx((np.mean(spent), np.std(spent, ddof=1)))


@pytest.mark.parametrize("outcome", ["buyers", "spend"])
def test_plan_and_power_are_those_of_the_randomised_test(shop: Shop, outcome: planned_test.Outcome) -> None:
    terms = replace(TERMS, outcome=outcome)
    known: Any = planned_test.baseline(shop.source, NOW, terms, EVERYBODY).iloc[0]
    baseline = Baseline(known["buyers_share"]) if outcome == "buyers" else Baseline(known["spend_mean"], known["spend_deviation"])
    needed, at_hand = customers_needed(baseline, terms.design, lift=terms.lift), len(shop.agreeing(EVERYBODY))
    row: Any = planned_test.plan(shop.source, NOW, terms, EVERYBODY).iloc[0]
    assert (row["treated_needed"], row["control_needed"], row["customers"]) == (needed.treated, needed.control, at_hand)
    assert row["smallest_lift"] == pytest.approx(smallest_lift(baseline, terms.design, customers=at_hand), nan_ok=True)
    power = planned_test.power(shop.source, NOW, terms, EVERYBODY)
    pd.testing.assert_frame_equal(power, power_curve(baseline, terms.design, customers=at_hand))


def test_a_plan_for_money_in_unequal_groups_of_which_one_is_small_is_called_rough() -> None:
    row = {"baseline_mean": 50.0, "customers_needed": 900, "treated_needed": 810, "control_needed": 90, "smallest_lift": 0.2}
    plan = pd.DataFrame([row | {"customers": 9_000}])
    money = replace(TERMS, outcome="spend", share_control=0.1)
    assert "with only 900 in the smaller of two unequal groups" in test_words.plan_finding(plan, money, currency="")
    assert "Rough" not in test_words.plan_finding(plan.assign(customers=200), replace(money, share_control=0.5), currency="")
    assert "Rough" not in test_words.plan_finding(plan.assign(baseline_mean=0.1), replace(money, outcome="buyers"), currency="")


def test_no_test_is_planned_of_nobody_or_on_days_before_the_data(shop: Shop) -> None:
    with pytest.raises(BadInput, match="Nobody in the segment"):
        planned_test.plan(shop.source, NOW, TERMS, NOBODY)
    with pytest.raises(BadInput, match="Choose fewer days"):
        planned_test.plan(shop.source, NOW, replace(TERMS, horizon_days=5000), EVERYBODY)


def test_a_draw_is_the_same_in_whatever_order_the_customers_come_and_unknown_values_are_strata(shop: Shop) -> None:
    drawn = planned_test.split(shop.source, NOW, TERMS, EVERYBODY)
    known = shop.known
    rows = pd.DataFrame(
        {
            "customer_id": sorted(shop.agreeing(EVERYBODY)),
            "home_region": [next(iter(known.values["home_region"][who])) for who in sorted(shop.agreeing(EVERYBODY))],
            "value_tier": [next(iter(known.values["value_tier"].get(who, {None}))) for who in sorted(shop.agreeing(EVERYBODY))],
        }
    )
    shuffled = rows.sample(frac=1, random_state=1)
    again = stratified_split(shuffled, strata=TERMS.strata, share_control=TERMS.share_control, seed=TERMS.seed)
    pd.testing.assert_frame_equal(drawn.members, again.members)
    assert drawn.merged == again.merged
    counts = planned_test.strata(shop.source, NOW, TERMS, EVERYBODY)
    assert counts["customers"].sum() == len(rows)
    by_lot = planned_test.split(shop.source, NOW, replace(TERMS, strata=("home_region",)), EVERYBODY).members
    assert set(by_lot["stratum"]) <= {"N", "S", "(unknown)", "(other)"}


def test_strata_are_named_in_the_readers_language_and_values_of_the_data_stay() -> None:
    members = pd.DataFrame({"stratum": ["N · top 5%", "(unknown) · top 5%", "(other)"], "arm": ["treated", "control", "control"]})
    with speaking("zh"):
        shown = test_words.members_in_words(members)
        assert "N" in test_words.merged_note(("N · top 5%",))
        assert "top" not in test_words.merged_note(("N · top 5%",))
    assert shown["stratum"].tolist() == ["N · 前 5%", "未知 · 前 5%", "（其他）"]


def test_the_members_of_a_saved_test_are_read_back_in_their_arms_and_strata(shop: Shop) -> None:
    drawn = planned_test.split(shop.source, NOW, TERMS, EVERYBODY)
    plan = workspace.CampaignPlan(
        segment_name="all", segment_rule=rule_text(EVERYBODY), as_of_on=LAST_ON, data_version=shop.source.version, seed=TERMS.seed,
        strata=TERMS.strata, outcome=TERMS.outcome, horizon_days=TERMS.horizon_days,
        baseline=planned_test.known_baseline(shop.source, NOW, TERMS, EVERYBODY), design=TERMS.design, lift=TERMS.lift,
    )  # fmt: skip
    number = workspace.save_planned_campaign(shop.source.data_set, "Spring", plan, drawn.members)
    pd.testing.assert_frame_equal(workspace.planned_members(shop.source.data_set, number), drawn.members)
    row: Any = planned_test.planned(shop.source, NOW).iloc[0]
    assert (row["campaign_name"], row["strata"]) == ("Spring", TERMS.strata)
    assert row["treated_customers"] + row["control_customers"] == len(shop.agreeing(EVERYBODY))


def test_consent_chosen_in_a_rule_is_the_consent_that_is_respected(shop: Shop) -> None:
    tiles = tables.tiles(shop.source, NOW, Condition("has_consent", (YES,))).set_index("metric")["value"]
    assert tiles["segment_contactable"] == tiles["segment_customers"] > 0
    assert tables.contacts(shop.source, NOW, Condition("has_consent", (NO,))).empty


def test_without_any_consent_on_record_the_audience_says_that_it_is_not_known():
    tiles = pd.DataFrame({"metric": ["segment_customers", "segment_contactable"], "value": [10.0, 0.0]})
    known = pd.DataFrame({"attribute": ["orders", "has_consent"]})
    assert words.audience_note(tiles, known).endswith("left out of it: 10.")
    assert words.audience_note(tiles, known.head(1)).startswith("These data don't say who agreed to be contacted")
