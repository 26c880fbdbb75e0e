"""What campaigns cost and are credited with: against hand-worked tables, plain loops, the demo's truth and what must hold."""

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from opened_pages import opened, texts
from peopled_shop import published
from streamlit.testing.v1 import AppTest

from crm_metrics import database, schema
from crm_metrics.campaign_roi.credit import statistic, tables, weighting, words
from crm_metrics.campaign_roi.credit.query import TOUCH_RULES, before_and_after
from crm_metrics.campaign_roi.credit.terms import CreditTerms
from crm_metrics.database import DataSet, Source, find_data_set, open_source
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import Plan
from crm_metrics.filters import Filters
from crm_metrics.language import speaking
from crm_metrics.metric import BadInput

EVER = Filters()
DAY = dt.date(2024, 3, 1)
Rows = list[dict[str, Any]]


def money(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def order(number: str, customer: str | None, day: int, amount: float, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order with one line, so many days after DAY."""
    on = DAY + dt.timedelta(day)
    kind = "sale" if amount > 0 else "return"
    head = {"order_id": number, "customer_id": customer, "ordered_on": on, "ordered_at": dt.datetime.combine(on, dt.time(12))}
    line = {
        "order_id": number,
        "line_kind": kind,
        "quantity": money(1 if amount > 0 else -1),
        "net_amount": money(amount),
        "cost_amount": money(more.pop("cost", None)),
    }
    return {**head, "is_purchase": amount > 0, "is_cancelled": False, **more}, line


def touch(number: int, campaign: str, customer: str | None, day: float, kind: str = "sent", names: str | None = None) -> dict[str, Any]:
    at = dt.datetime.combine(DAY, dt.time()) + dt.timedelta(day)
    return {
        "touch_id": f"t{number}",
        "campaign_id": campaign,
        "customer_id": customer,
        "touched_at": at,
        "touch_kind": kind,
        "order_id": names,
    }


def shop(data_set: DataSet, orders: list[tuple[dict[str, Any], dict[str, Any]]], touches: Rows, **more: Rows) -> Source:
    """Publish orders, touches, and campaigns (by default two without a control group, begun on DAY and 10 days later)."""
    lines = [{**line, "row_number": place, "row_hash": str(place)} for place, (_, line) in enumerate(orders)]
    usual: Rows = [
        {
            "campaign_id": name,
            "campaign_name": name,
            "started_on": DAY + dt.timedelta(10 * at),
            "measured_until": DAY + dt.timedelta(10 * at + 30),
        }
        for at, name in enumerate(("a", "b"))
    ]
    made = {
        schema.orders: [head for head, _ in orders],
        schema.order_lines: lines,
        schema.campaign_touches: touches,
        schema.campaigns: more.pop("campaigns", usual),
        **{schema.metadata.tables[name]: rows for name, rows in more.items()},
    }
    return open_source(published(data_set, {table: rows for table, rows in made.items() if rows}))


def credited(source: Source, rule: str, column: str = "credited_revenue", **more: Any) -> dict[str, float]:
    found = tables.attribution(source, EVER, CreditTerms(**more))
    of_rule = found[found["rule"] == rule].set_index("campaign")[column]
    return {str(name): float(value) for name, value in of_rule.items()}


# ── credit by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_one_order_after_four_touches_is_shared_as_worked_by_hand(any_data_set):
    """Touches of a 6, b 4, b 2 and a 0 days before an order of 100; half-life 2: weights 1/8, 1/4, 1/2, 1, together 15/8."""
    touches = [touch(1, "a", "ann", 14), touch(2, "b", "ann", 16), touch(3, "b", "ann", 18), touch(4, "a", "ann", 20)]
    source = shop(any_data_set, [order("o", "ann", 20, 100.0)], touches)
    wanted = {
        "first": (100, 0),
        "last": (100, 0),
        "linear": (50, 50),
        "position": (80, 20),
        "time_decay": (100 * (1 / 8 + 1) / (15 / 8), 100 * (3 / 4) / (15 / 8)),
    }
    for rule, (a, b) in wanted.items():
        assert credited(source, rule, half_life_days=2.0) == pytest.approx({"a": a, "b": b}), rule
        assert sum(credited(source, rule, "credited_orders", half_life_days=2.0).values()) == pytest.approx(1)


@pytest.mark.slow
def test_only_touches_within_the_lookback_and_not_after_the_day_of_the_order_count(data_set):
    touches = [touch(1, "a", "ann", 0), touch(2, "b", "ann", 31.5), touch(3, "b", "bob", 30)]
    source = shop(data_set, [order("o", "ann", 31, 100.0), order("x", None, 31, 7.0)], touches)
    assert credited(source, "last") == {"a": 0, "b": 100}  # of the order's own day, though later in it: facts know days
    assert credited(source, "first", lookback_days=31) == {"a": 100, "b": 0}
    assert np.isnan(credited(source, "last", kinds=("opened",))["a"])  # no touch that counts: nothing is known, which is not 0


@pytest.mark.slow
def test_a_touch_that_names_its_order_counts_for_that_order_alone(data_set):
    touches = [touch(1, "a", "ann", 0), touch(2, "b", "ann", 5, "redeemed", names="o1")]
    source = shop(data_set, [order("o1", "ann", 5, 10.0), order("o2", "ann", 6, 100.0)], touches)
    assert credited(source, "last") == {"a": 100, "b": 10}


@pytest.mark.slow
def test_by_named_an_order_goes_to_the_campaign_it_names_and_without_names_the_last_touch_is_usual(data_set, tmp_path):
    orders = [order("o1", "ann", 5, 10.0, campaign_id="a"), order("o2", "ann", 6, 100.0), order("r", "ann", 7, -4.0)]
    source = shop(data_set, orders, [touch(1, "b", "ann", 1)])
    assert credited(source, "named") == {"a": 10, "b": 0}
    assert tables.campaigns(source, EVER)["rule"].unique().tolist() == ["named"]
    unnamed = shop(find_data_set(f"duckdb:///{tmp_path}/other.duckdb"), [order("o2", "ann", 6, 100.0)], [touch(1, "b", "ann", 1)])
    assert tables.campaigns(unnamed, EVER)["rule"].unique().tolist() == ["last"]
    assert np.isnan(list(credited(unnamed, "named").values())).all()


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)])
def test_every_rule_credits_exactly_the_revenue_of_the_purchases_with_a_touch(any_data_set, seed):
    """And each campaign with what a plain loop over orders and touches gives it."""
    draw = Random(seed)
    people = ("ann", "bob", "cat", None)
    orders = [order(f"o{n}", draw.choice(people), draw.randint(0, 60), float(draw.randint(1, 900))) for n in range(40)]
    touches = [
        touch(n, draw.choice("abc"), draw.choice(people), draw.randint(0, 50) + draw.choice((0.1, 0.5)), draw.choice(("sent", "opened")))
        for n in range(40)
    ]
    touches += [touch(100 + n, draw.choice("abc"), None, 20, "redeemed", names=f"o{n}") for n in range(5)]
    started = [{"campaign_id": name, "campaign_name": name, "started_on": DAY, "measured_until": DAY} for name in "abc"]
    source = shop(any_data_set, orders, touches, campaigns=started)
    terms = CreditTerms(lookback_days=9, half_life_days=3.0)
    found = tables.attribution(source, EVER, terms).set_index(["rule", "campaign"])["credited_revenue"]
    wanted: dict[tuple[str, str], float] = dict.fromkeys([(rule, name) for rule in TOUCH_RULES for name in "abc"], 0.0)
    whole = 0.0
    for head, line in orders:
        shares = shares_by_hand(head, touches, terms)
        whole += float(line["net_amount"]) if shares else 0
        for rule, name, share in shares:
            wanted[rule, name] += share * float(line["net_amount"])
    for (rule, name), amount in wanted.items():
        assert found[rule, name] == pytest.approx(amount), (rule, name)
    for rule in TOUCH_RULES:
        assert found[rule].sum() == pytest.approx(whole)


def shares_by_hand(head: dict[str, Any], touches: Rows, terms: CreditTerms) -> list[tuple[str, str, float]]:
    def days(one: dict[str, Any]) -> int:
        return (head["ordered_on"] - one["touched_at"].date()).days

    counting = [
        one
        for one in touches
        if one["order_id"] == head["order_id"]
        or (
            one["order_id"] is None
            and one["customer_id"]
            and one["customer_id"] == head["customer_id"]
            and 0 <= days(one) <= terms.lookback_days
        )
    ]
    counting.sort(key=lambda one: (one["touched_at"], one["touch_id"]))
    n = len(counting)
    decay = [0.5 ** (max(days(one), 0) / terms.half_life_days) for one in counting]
    given = []
    for place, one in enumerate(counting):
        ends = (place == 0) + (place == n - 1)
        position = 1 / n if n <= 2 else 0.4 if ends else 0.2 / (n - 2)
        by_rule = {
            "first": float(place == 0),
            "last": float(place == n - 1),
            "linear": 1 / n,
            "position": position,
            "time_decay": decay[place] / sum(decay),
        }
        given += [(rule, one["campaign_id"], share) for rule, share in by_rule.items()]
    return given


def test_a_rule_or_a_lookback_that_cannot_be_is_refused():
    with pytest.raises(BadInput, match="There is no rule"):
        CreditTerms("best")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="lookback"):
        CreditTerms(lookback_days=-1)


# ── the campaigns ───────────────────────────────────────────────────────────────────────────────────────────────────────


def members(campaign: str, arm: str, customers: str, **more: Any) -> Rows:
    return [{"campaign_id": campaign, "member_id": f"{arm}{one}", "customer_id": one, "arm": arm, **more} for one in customers]


def spend(campaign: str, day: int, amount: float) -> dict[str, Any]:
    on = DAY + dt.timedelta(day)
    return {"spend_id": f"{campaign}{day}", "campaign_id": campaign, "spent_on": on, "spend_kind": "media", "spend_amount": money(amount)}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Source:
    """Campaign a reached 4 of whom 1 of 3 asked responded, cost 20 and is named by orders of 100 and 50 with costs of 40 and 10."""
    people = [*members("a", "treated", "xyz", has_responded=False), *members("a", "treated", "w"), *members("b", "treated", "v")]
    people[0]["has_responded"] = True
    people += members("a", "unassigned", "u")
    orders = [order("o1", "x", 3, 100.0, campaign_id="a", cost=40.0), order("o2", "y", 40, 50.0, campaign_id="a", cost=10.0)]
    costs = [spend("a", -5, 12.0), spend("a", 2, 8.0)]
    data_set = find_data_set(f"duckdb:///{tmp_path_factory.mktemp('small')}/mine.duckdb")
    return shop(data_set, orders, [], campaign_members=people, campaign_spend=costs)


def test_a_campaign_is_as_worked_by_hand(small):
    """Newest first: b has no cost, so no ROI; a earns 60 + 40 on 20: a return of 4."""
    found: Any = tables.campaigns(small, EVER).set_index("campaign")
    a = found.loc["a"]
    assert found.index.tolist() == ["b", "a"]
    assert a[
        ["reach", "response", "asked", "cost", "attributed_orders", "attributed_revenue", "attributed_margin"]
    ].tolist() == pytest.approx([4, 1, 3, 20, 2, 150, 100])
    assert a[["attributed_roi", "cost_per_reach", "cost_per_response", "cost_per_order"]].tolist() == pytest.approx([4, 5, 20, 10])
    assert a["response_low"] < 1 / 3 < a["response_high"]
    assert found.loc["b", ["cost", "attributed_roi", "response_rate"]].isna().all()


def test_nothing_after_today_is_seen(small):
    found: Any = tables.campaigns(small, Filters(end=DAY + dt.timedelta(1))).set_index("campaign")
    assert found.index.tolist() == ["a"]
    assert found.loc["a", ["cost", "is_finished"]].tolist() == [12, False]
    assert np.isnan(found.loc["a", "attributed_revenue"])
    assert found.loc["a", ["response", "asked"]].isna().all()  # no day says when they responded


def test_the_period_chooses_campaigns_that_ran_in_it_and_takes_none_of_their_orders(small):
    late = Filters(start=DAY + dt.timedelta(35), end=DAY + dt.timedelta(60))
    found = tables.campaigns(small, late)
    assert found["campaign"].tolist() == ["b"]
    both: Any = tables.campaigns(small, Filters(start=DAY + dt.timedelta(20), end=DAY + dt.timedelta(60)))
    assert both.set_index("campaign").loc["a", "attributed_revenue"] == 150


def test_under_a_filter_that_chooses_orders_there_is_no_roi(small):
    found = tables.campaigns(small, Filters(region=("North",)))
    assert found["attributed_roi"].isna().all()
    assert "no ROI" in words.notes(found, is_whole=tables.is_whole(Filters(region=("North",))))


@pytest.mark.slow
def test_where_no_response_is_recorded_redemptions_tell_who_responded(data_set):
    touches = [
        touch(1, "a", "x", 1, "redeemed"),
        touch(2, "a", "x", 2, "redeemed"),
        touch(3, "a", "q", 2, "redeemed"),
        touch(4, "a", "y", 1),
    ]
    source = shop(data_set, [order("o", "x", 1, 5.0)], touches, campaign_members=members("a", "treated", "xyz"))
    found: Any = tables.campaigns(source, EVER).set_index("campaign")
    assert found.loc["a", ["response", "asked"]].tolist() == [1, 3]


@pytest.mark.slow
def test_a_data_set_without_campaigns_has_empty_tables_with_their_columns(data_set):
    source = shop(data_set, [order("o", "x", 1, 5.0)], [], campaigns=[])
    for name, table in tables.TABLES.items():
        found = table(source, EVER)
        assert name == "tiles" or (found.empty and len(found.columns)), name
    assert words.finding(tables.campaigns(source, EVER), currency="").startswith("No campaign ran in these days. Bring in")


def test_tiles_of_credited_orders_are_shown_only_where_orders_are_credited():
    tiles = pd.DataFrame({"metric": ["campaigns_cost", "attributed_revenue", "attributed_roi"], "value": [np.nan, np.nan, np.nan]})
    assert [metric.name for metric in words.shown_metrics(tiles)] == ["campaigns_cost"]
    credited = tiles.assign(value=[np.nan, 5.0, np.nan])
    assert [metric.name for metric in words.shown_metrics(credited)] == tiles["metric"].tolist()


def test_rules_that_print_the_same_money_are_not_given_a_range():
    rows = pd.DataFrame({"rule": ["first", "last"], "credited_revenue": [10.0, 10.001]})
    assert words.credit_finding(rows, rule="last", currency="") == "Every rule credits these campaigns with 10.00 together."


# ── beside a control group ──────────────────────────────────────────────────────────────────────────────────────────────


def test_two_arms_are_added_up_with_the_halves_of_their_intervals():
    """Arms bring 10 (8 to 12) and 4 (1 to 7) for 5 and 3: 14 (9 to 19) for 8, a return of .75 (.125 to 1.375)."""
    campaigns = pd.DataFrame(
        {"campaign": ["a", "b"], "measure": "net_revenue", "attributed_margin": np.nan, "attributed_revenue": [20.0, 1.0]}
    )
    returned = pd.DataFrame(
        {
            "campaign": ["a", "a"],
            "measure": "net_revenue",
            "cost": [5.0, 3.0],
            "extra": [10.0, 4.0],
            "low": [8.0, 1.0],
            "high": [12.0, 7.0],
            "chance_of_profit": [0.9, 0.6],
            "is_faulty": False,
        }
    )
    found: Any = statistic.with_returns(campaigns, returned).set_index("campaign")
    names = [
        "incremental",
        "incremental_low",
        "incremental_high",
        "incremental_roi",
        "incremental_roi_low",
        "incremental_roi_high",
        "not_caused",
    ]
    assert found.loc["a", names].tolist() == pytest.approx([14, 9, 19, 0.75, 0.125, 1.375, 6])
    assert found.loc["a", "chance_of_profit"] == pytest.approx(0.9907, abs=1e-4)  # 6 with a half of 5: 2.35 errors above 0
    assert found.loc["b", names].isna().all()


def test_what_came_anyway_is_told_where_all_that_was_brought_is_credited_too():
    """One is credited with 9 and brought 5; of the other, which brought 100, no order says anything."""
    rows = pd.DataFrame({"campaign": ["a", "b"], "measure": "net_revenue", "incremental": [5.0, 100.0], "not_caused": [4.0, np.nan]})
    rows = rows.assign(
        **dict.fromkeys(
            ("asked", "response", "cost", "reach", "attributed_roi", "attributed_margin", "incremental_low", "incremental_high"), np.nan
        ),
        attributed_revenue=[9.0, np.nan],
    )
    assert np.isnan(statistic.totals(rows)["credited_there"])
    assert statistic.totals(rows.head(1))["credited_there"] == 9


def test_only_segments_proven_to_lose_are_waste_and_each_campaign_counts_by_one_way_to_tell_them():
    """Cost 2 a head: 30 + 10 people told by age cost 80, 50 told by region 100: 100 were wasted."""
    segments = pd.DataFrame(
        {
            "campaign": "a",
            "campaign_name": "A",
            "arm": "treated",
            "by": ["age", "age", "region", "region", "age"],
            "segment": list("pqrst"),
            "n": [30, 10, 50, 70, 90],
            "uplift": [-5.0, -1.0, -2.0, 3.0, -9.0],
            "is_proven": [True, True, True, True, False],
            "p_value": [0.001, 0.002, 0.003, 0.004, 0.05],
            **dict.fromkeys(("low", "high", "outcome", "unit"), ""),
        }
    )
    campaigns = pd.DataFrame({"campaign": ["a"], "cost": [400.0], "reach": [200.0]})
    found = statistic.wasted_rows(segments, campaigns)
    assert found[["segment", "spent_there"]].to_numpy().tolist() == [["r", 100], ["p", 60], ["q", 20]]
    assert statistic.wasted_total(found) == 100
    others = pd.concat([segments.assign(p_value=0.04), *[segments.assign(uplift=1.0, p_value=0.5, is_proven=False)] * 20])
    assert statistic.wasted_rows(others.reset_index(drop=True), campaigns).empty  # so many were looked at that chance finds these


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Source:
    data_set = find_data_set(f"duckdb:///{tmp_path_factory.mktemp('demo')}/demo.duckdb")
    build(data_set, Plan(customers=1_500, seed=7))
    return open_source(data_set)


def truth(source: Source, parameter: str) -> dict[str, float]:
    rows = source(schema.demo_truth.select())
    found = rows[(rows["topic"] == "campaigns") & (rows["parameter"] == parameter)]
    return dict(zip(found["subject"], found["true_value"].astype(float), strict=True))


@pytest.mark.slow
def test_named_orders_costs_and_reach_are_those_of_the_demo_s_truth(demo):
    found = tables.campaigns(demo, EVER).set_index("campaign_name")
    for column, parameter in (("attributed_orders", "attributed_orders"), ("cost", "cost"), ("reach", "treated")):
        stated = truth(demo, parameter)
        for name, value in found[column].dropna().items():
            assert value == pytest.approx(stated[str(name)], abs=0.01), (column, name)


@pytest.mark.slow
def test_a_campaign_without_a_control_group_has_no_incremental_figure_and_a_faulty_one_is_said_to_be(demo):
    found = tables.campaigns(demo, EVER)
    assert found.loc[~found["has_control"], "incremental"].isna().all()
    assert found.loc[found["has_control"] & ~found["is_faulty"], "incremental"].notna().all()
    assert {"incremental_low", "chance_of_profit", "not_caused"} <= set(found.columns)
    some = tables.campaigns(demo, Filters(channel=("nowhere",)))
    assert some.columns.tolist() == found.columns.tolist()
    assert some[["incremental", "incremental_roi", "attributed_roi"]].isna().all(axis=None)
    none = tables.headline(demo, Filters(region=("华东 East",)))
    assert (len(none), none["value"].dtype) == (0, np.dtype(float))  # beside other rooms' tiles it leaves numbers numbers
    assert tables.headline(demo, Filters(start=dt.date(2025, 1, 1), end=dt.date(2025, 12, 31)))["metric"].tolist() == [
        "campaigns_incremental_roi"
    ]


@pytest.mark.slow
def test_every_tile_says_how_many_campaigns_are_counted_in_it(demo):
    """Of ten two have no control group, and one no cost."""
    found = tables.campaigns(demo, EVER)
    tiles: Any = tables.tiles(demo, EVER).set_index("metric")["n"]
    is_known = found["incremental"].notna()
    assert (is_known.sum(), (is_known & found["cost"].notna()).sum()) in {(8, 7), (7, 6)}  # one has a broken split, if enough people
    assert tiles["campaigns_incremental"] == is_known.sum()
    assert tiles["campaigns_incremental_roi"] == is_known.sum() - 1
    assert tiles["campaigns_reach"] == 10
    assert tables.headline(demo, EVER)["n"].tolist() == [is_known.sum() - 1]


# ── chosen, not drawn ───────────────────────────────────────────────────────────────────────────────────────────────────


def people(draw: np.random.Generator, count: int, *, effect: float) -> pd.DataFrame:
    """Customers of whom those who spent much are chosen; what they then spend follows what they spent, and the effect."""
    spent = draw.gamma(1.0, 200, count)
    is_chosen = draw.random(count) < 1 / (1 + np.exp(-(spent - 300) / 100))
    after = 0.4 * spent + draw.gamma(1.0, 60, count) + effect * is_chosen
    known: dict[str, Any] = dict.fromkeys(weighting.CHECKED, spent)
    known |= {"days_since_last": draw.integers(1, 300, count), "tenure_days": draw.integers(300, 900, count)}
    customers = np.where(is_chosen, is_chosen.sum(), (~is_chosen).sum())
    told = {"is_treated": is_chosen, "customers": customers, "bought": (after > 50) * 1}
    return pd.DataFrame({**known, **told, "gross_revenue": after, "net_revenue": after})


def test_the_adjusted_difference_finds_an_effect_where_the_crude_one_finds_the_choice():
    """Chosen for their spend, 20 of effect: as it is they differ by over 100. Seed 1."""
    made = weighting.compared(people(np.random.default_rng(1), 3_000, effect=20.0))
    assert made is not None
    row = made.differences.set_index("outcome").loc["gross_revenue"]
    assert row["crude_difference"] > 100
    assert row["low"] < 20 < row["high"]
    assert abs(row["difference"] - 20) < 8
    adjusted = made.balance[made.balance["is_adjusted"]]
    assert adjusted["difference_after"].abs().max() < 0.001  # what overlap weights promise
    assert made.balance["difference_before"].abs().max() > 0.5


def test_too_few_on_a_side_are_not_compared():
    few = people(np.random.default_rng(2), 400, effect=0.0)
    assert weighting.compared(few.assign(customers=np.where(few["is_treated"], 29, 371))) is None
    assert weighting.compared(few[~few["is_treated"]]) is None


@pytest.mark.slow
def test_the_adjusted_interval_holds_nothing_where_nothing_is_in_nine_of_ten_draws():
    draw = np.random.default_rng(20261122)
    made = [weighting.compared(people(draw, 1_500, effect=0.0)) for _ in range(300)]
    rows = [one.differences.iloc[0] for one in made if one is not None]
    assert np.mean([row["low"] <= 0 <= row["high"] for row in rows]) > 0.9


@pytest.mark.slow
def test_against_the_demo_s_truth_the_adjusted_comparison_is_nearer_than_the_naive_one(tmp_path):
    """The invitation to the best customers, four demos of 15,000: naive it is off by 130 to 200 a customer for a truth of 15.

    Adjusted, single demos are still off by some 35 (their intervals say so), the mean of four by less than 35.
    """
    errors, crude, is_held = [], [], []
    for seed in range(1, 5):
        data_set = find_data_set(f"duckdb:///{tmp_path}/demo{seed}.duckdb")
        build(data_set, Plan(customers=15_000, seed=seed))
        source = open_source(data_set)
        stated = truth(source, "lift")
        rows = tables.adjusted(source, EVER, "CMP02").set_index("outcome").loc["gross_revenue"]
        true = stated[str(rows["campaign_name"])]
        errors.append(rows["difference"] - true)
        crude.append(rows["crude_difference"] - true)
        is_held.append(rows["low"] <= true <= rows["high"])
    assert min(crude) > 100
    assert max(np.abs(errors)) < min(crude)
    assert abs(np.mean(errors)) < 35
    assert sum(is_held) >= 3


@pytest.mark.slow
def test_only_who_bought_before_the_start_is_compared_and_the_window_ends_with_the_campaign(data_set):
    orders = [
        order("o1", "x", -10, 5.0),
        order("o2", "x", 3, 7.0),
        order("o3", "x", 31, 9.0),
        order("o4", "y", 2, 4.0),
        order("r", "x", 5, -2.0),
    ]
    source = shop(data_set, orders, [], campaign_members=members("a", "treated", "x"))
    found = source(before_and_after(EVER, "a", "treated", (DAY, DAY + dt.timedelta(30))))
    assert len(found) == 1
    names = ["is_treated", "customers", "spend_30", "orders_365", "days_since_last", "bought", "gross_revenue", "net_revenue"]
    assert found.iloc[0][names].tolist() == [True, 1, 5, 1, 10, 1, 7, 5]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_of_the_page_is_answered_on_the_demo(demo, monkeypatch, language):
    monkeypatch.setenv(database.FOLDER_SETTING, str(demo.data_set.link.parent))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    for tab in words.QUESTIONS:
        app = opened("campaign_roi", data="demo", tab=tab, lang=language)
        assert not app.exception, tab
        assert tab == "wasted" or app.get("plotly_chart"), tab


# ── without a control group the word does not come up ───────────────────────────────────────────────────────────────────


def everything_written(app: AppTest) -> str:
    frames = [frame.value for frame in app.dataframe]
    cells = [str(label) for frame in frames for label in (*frame.columns, *frame.to_numpy().ravel())]
    drawn = [chart.proto.spec for chart in app.get("plotly_chart")]
    html = [block.proto.body for block in app.get("html")]
    return " ".join([texts(app), *cells, *drawn, *html])


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_control_group_no_page_and_no_table_says_incremental(data_set, monkeypatch, language):
    draw = Random(1)
    names = [f"c{n}" for n in range(120)]
    orders = [order(f"{name}{n}", name, draw.randint(-300, 60), float(draw.randint(5, 90))) for name in names for n in range(6)]
    touches = [touch(n, "a", name, 1, "redeemed") for n, name in enumerate(names[:20])]
    people_of = [{"campaign_id": "a", "member_id": name, "customer_id": name, "arm": "treated"} for name in names[:50]]
    source = shop(data_set, orders, touches, campaign_members=people_of)
    for name, table in tables.TABLES.items():
        assert "incremental" not in table(source, EVER).to_csv().lower(), name
    assert "incremental" not in tables.campaigns(source, EVER).columns
    monkeypatch.setenv(database.FOLDER_SETTING, str(data_set.link.parent))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    for tab in words.questions(tables.campaigns(source, EVER)):
        with speaking(language):
            written = everything_written(opened("campaign_roi", tab=tab, lang=language)).lower()
        assert "control group" in written or "对照组" in written
        assert "incremental" not in written, tab
        assert "增量" not in written, tab


@pytest.mark.slow
def test_complete_journey_gets_its_warning_and_no_roi(tmp_path, shared_data):
    from crm_metrics.data_import.load import import_file
    from crm_metrics.data_import.mapping import load_mapping

    data_set = find_data_set(f"duckdb:///{tmp_path}/journey.duckdb")
    mapping, folder = load_mapping("complete_journey"), shared_data / "completejourney"
    for name in ("campaign_descriptions", "campaigns", "coupon_redemptions", "transactions_sample"):
        import_file(data_set, (folder / f"{name}.csv.gz").read_bytes(), f"{name}.csv.gz", mapping)
    source = open_source(data_set)
    found = tables.campaigns(source, EVER)
    assert [len(found), found["reach"].sum()] == [27, 6_589]
    assert not found["has_control"].any()
    assert found[["cost", "attributed_roi"]].isna().all(axis=None)
    said = words.finding(found, currency="USD")
    assert "no cost is recorded, so there is no ROI" in said
    assert "No control group was held back" in said
    for name, table in tables.TABLES.items():
        assert "incremental" not in table(source, EVER).to_csv().lower(), name
    adjusted = tables.adjusted(source, EVER)
    spent = adjusted[adjusted["outcome"] == "net_revenue"]
    assert (spent["difference"].abs() < spent["crude_difference"].abs()).mean() > 0.9
