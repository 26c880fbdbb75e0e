"""The planner of campaigns and the log of what came of them, against simulation, published numbers and sums by hand."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_pages import opened
from peopled_shop import published

from crm_metrics import rooms, schema, workspace
from crm_metrics.campaign_roi.plan import decision_tables, free_decisions, log_words, past, tables, verdicts, words
from crm_metrics.campaign_roi.plan.economics import Economics, chance_above, chance_to_prove, profit_quantile
from crm_metrics.campaign_roi.plan.terms import PlanTerms
from crm_metrics.database import DataSet, Source, find_data_set, open_source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.planned_test import words as test_words
from crm_metrics.planned_test.tables import EVERYBODY, TestTerms, planned_members
from crm_metrics.randomised_test.plan import Baseline, Design
from crm_metrics.segments.rule import rule_text

PLAN = Economics(treated=2_000, spend_mean=50.0, spend_error=4.0, margin_share=0.4, cost=3_000.0, lift=0.1, lift_error=0.06)

# ── will it pay? ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("plan", [PLAN, PLAN._replace(spend_error=30.0), PLAN._replace(lift=-0.02), PLAN._replace(cost=0.0)])
def test_the_chance_of_profit_and_the_interval_are_those_of_a_simulation(plan: Economics) -> None:
    random = np.random.default_rng(7)
    spread = math.sqrt(math.log1p((plan.spend_error / plan.spend_mean) ** 2))
    baseline = plan.spend_mean * np.exp(random.normal(-(spread**2) / 2, spread, 400_000))
    profit = plan.treated * plan.margin_share * baseline * random.normal(plan.lift, plan.lift_error, 400_000) - plan.cost
    assert chance_above(plan) == pytest.approx((profit > 0).mean(), abs=0.004)
    for share in (0.025, 0.975):
        scale = profit.std()
        assert profit_quantile(plan, share) == pytest.approx(np.quantile(profit, share), abs=0.03 * scale)


@pytest.mark.slow
@given(st.floats(-0.3, 0.5), st.floats(0.01, 0.5), st.floats(0, 9_000))
def test_a_plan_expected_to_break_even_pays_half_the_time_and_more_lift_pays_oftener(lift: float, error: float, cost: float) -> None:
    plan = PLAN._replace(lift=lift, lift_error=error, cost=cost, spend_error=1e-6)
    even = plan._replace(lift=plan.break_even_lift)
    assert even.profit_at(even.lift) == pytest.approx(0.0, abs=1e-6)
    assert chance_above(even) == pytest.approx(0.5)
    assert chance_above(plan) <= chance_above(plan._replace(lift=lift + 0.05)) + 1e-12
    assert chance_above(plan, profit_quantile(plan, 0.3)) == pytest.approx(0.7, abs=1e-6)


def test_without_a_margin_no_profit_is_told_and_without_a_cost_every_gain_pays() -> None:
    unknown = PLAN._replace(margin_share=math.nan)
    assert math.isnan(chance_above(unknown))
    assert math.isnan(profit_quantile(unknown, 0.5))
    assert math.isnan(unknown.break_even_lift)
    assert PLAN._replace(cost=0.0).break_even_lift == 0.0


def test_the_chance_to_prove_a_gain_is_the_power_averaged_over_what_is_expected() -> None:
    random, design, smallest = np.random.default_rng(3), Design(power=0.8), 0.12
    error = smallest / (1.959964 + 0.841621)
    found = random.normal(random.normal(PLAN.lift, PLAN.lift_error, 400_000), error)
    assert chance_to_prove(PLAN, design, smallest) == pytest.approx((found > 1.959964 * error).mean(), abs=0.004)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"lift_spread": 0.0}, "Write how far off it may be"),
        ({"contact_cost": -1.0}, "Write 0 or more"),
        ({"margin_share": 1.2}, "Write a share above 0"),
    ],
)
def test_expectations_that_cannot_be_are_refused_in_words(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace(PlanTerms(), **wrong)  # type: ignore[arg-type]  # each is a number


# ── what to begin with ──────────────────────────────────────────────────────────────────────────────────────────────────

BCG = (  # Colditz et al. (1994), JAMA 271, 698-702: tuberculosis with and without, vaccinated and not
    *((4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079)),
    *((8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197)),
    *((5, 2493, 3, 2338), (27, 16886, 29, 17825)),
)


def published_lifts() -> pd.DataFrame:
    rows = []
    for ill, well, ill_control, well_control in BCG:
        effect = math.log(ill / (ill + well) / (ill_control / (ill_control + well_control)))
        error = math.sqrt(1 / ill - 1 / (ill + well) + 1 / ill_control - 1 / (ill_control + well_control))
        rows.append((effect, effect - 1.959964 * error, effect + 1.959964 * error))
    return pd.DataFrame(rows, columns=["lift", "low", "high"])


def test_campaigns_are_pooled_as_the_published_analysis_of_thirteen_trials() -> None:
    """Viechtbauer (2010), Journal of Statistical Software 36(3), section 3.2, with the method of DerSimonian and Laird."""
    mean, between, error = past.pooled(published_lifts())
    assert (mean, between, error) == pytest.approx((-0.7141, 0.3088, 0.1787), abs=0.00005)  # four decimals are printed


def test_a_lift_is_drawn_towards_the_mean_of_all_the_more_the_less_sure_it_is() -> None:
    lifts = pd.DataFrame({"lift": [0.5, 0.0, 0.1, 0.12], "low": [-0.5, -0.02, 0.08, 0.02], "high": [1.5, 0.02, 0.12, 0.22]})
    found = past.with_shrunk(lifts)
    mean = past.pooled(lifts)[0]
    kept = (found["shrunk_lift"] - mean) / (found["lift"] - mean)
    assert kept.between(0, 1).all()
    assert kept.argsort().iloc[0] == 0  # the least sure
    alone = past.with_shrunk(lifts.head(1))
    assert alone["shrunk_lift"].tolist() == [0.5]


def test_the_range_of_a_new_campaign_holds_it_four_times_in_five() -> None:
    random, held = np.random.default_rng(11), []
    for _ in range(600):
        truth, error = random.normal(0.08, 0.05, 9), random.uniform(0.005, 0.02, 9)
        seen = random.normal(truth[:8], error[:8])
        middle, spread = past.next_lift(pd.DataFrame({"lift": seen, "low": seen - 1.96 * error[:8], "high": seen + 1.96 * error[:8]}))
        held.append(abs(truth[8] - middle) <= spread)
    assert np.mean(held) == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 600))


# ── a shop with a planned campaign ──────────────────────────────────────────────────────────────────────────────────────

DRAWN_ON, DAYS = dt.date(2024, 6, 30), 30
SPENT = {  # stratum, arm: what each member bought in the days after
    ("N", "treated"): (0, 40, 60, 20),
    ("N", "control"): (0, 10, 20),
    ("S", "treated"): (100, 0, 80, 120, 100, 60),
    ("S", "control"): (90, 0, 30),
}
MEMBERS = [
    (f"{stratum}{arm[0]}{number}", stratum, arm, amount)
    for (stratum, arm), amounts in SPENT.items()
    for number, amount in enumerate(amounts)
]
EXPECTED = workspace.Expectation(0.2, 0.1, 50.0, 1.5, 0.6, 40.0, 22.0, -30.0, 80.0, 0.7)


def order(number: int, who: str, day: dt.date, amount: int) -> tuple[dict[str, Any], dict[str, Any]]:
    order_id, money = f"o{number}", Decimal(amount)
    at = {"order_id": order_id, "customer_id": who, "ordered_at": dt.datetime.combine(day, dt.time(9)), "ordered_on": day}
    line = {"row_number": number, "order_id": order_id, "line_kind": "sale", "quantity": Decimal(1), "net_amount": money}
    return at | {"order_region": who[0], "is_purchase": True, "is_cancelled": False}, line | {
        "gross_amount": money, "unit_price": money, "discount_amount": None, "cost_amount": money * 2 / 5, "row_hash": order_id,
    }  # fmt: skip


def filled(data_set: DataSet) -> Source:
    """Everybody ordered for 30 in May and for 20 in early June; members of the campaign also what SPENT says, ten days after the draw.

    The day of the draw and the day after the last that counts see an order of 1,000 each, which must not count.
    """
    found = []
    for who, _, arm, amount in MEMBERS:
        found += [(who, dt.date(2024, 5, 2), 30), (who, dt.date(2024, 6, 5), 20)]
        found += [(who, DRAWN_ON + dt.timedelta(days=10), amount)] if amount else []
        found += [(who, DRAWN_ON, 1_000), (who, DRAWN_ON + dt.timedelta(days=DAYS + 1), 1_000)] if arm == "treated" else []
    rows = [order(number, *each) for number, each in enumerate(found, 1)]
    customers = [{"customer_id": who, "has_consent": True} for who, *_ in MEMBERS]
    made = {schema.orders: [head for head, _ in rows], schema.order_lines: [line for _, line in rows], schema.customers: customers}
    return open_source(published(data_set, made))


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return filled(find_data_set(f"duckdb:///{tmp_path_factory.mktemp('shop')}/shop.duckdb"))


@pytest.fixture
def shop(filled_once: Source) -> Iterator[Source]:
    """The shop without a planned campaign."""
    yield open_source(filled_once.data_set)
    for number in workspace.planned_campaigns(filled_once.data_set)["campaign_id"]:
        workspace.delete_planned_campaign(filled_once.data_set, int(number))


def saved(source: Source, *, members: list[Any] = MEMBERS, share_control: float = 6 / 16, **more: Any) -> int:
    frame = pd.DataFrame([row[:3] for row in members], columns=["customer_id", "stratum", "arm"])
    design = Design(share_control=share_control)
    plan: dict[str, Any] = {"outcome": "spend", "baseline": Baseline(40.0, 30.0), "expected": EXPECTED} | more
    return workspace.save_planned_campaign(
        source.data_set,
        "Spring",
        workspace.CampaignPlan(
            segment_name="all", segment_rule=rule_text(EVERYBODY), as_of_on=DRAWN_ON, data_version=1, seed=1, strata=("home_region",),
            horizon_days=DAYS, design=design, lift=0.2, **plan,
        ),
        frame,
    )  # fmt: skip


def by_hand() -> tuple[float, float, float]:
    """The difference of the arms within each stratum, weighted by its members; its standard error; the control group's mean."""
    parts = []
    for stratum in "NS":
        treated, control = (np.array(SPENT[stratum, arm], dtype=float) for arm in ("treated", "control"))
        share = (len(treated) + len(control)) / len(MEMBERS)
        variance = treated.var(ddof=1) / len(treated) + control.var(ddof=1) / len(control)
        parts.append((share * (treated.mean() - control.mean()), share**2 * variance, share * control.mean()))
    difference, variance, control_mean = np.sum(parts, axis=0)
    return difference, math.sqrt(variance), control_mean


@pytest.mark.slow
def test_what_came_out_is_the_difference_of_the_arms_by_stratum_of_the_days_that_count(any_data_set: DataSet) -> None:
    shop = filled(any_data_set)
    saved(shop)
    row: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    difference, error, control_mean = by_hand()
    assert (row["n"], row["control_n"], row["day"], row["is_finished"]) == (10, 6, DAYS, True)
    assert row["uplift"] == pytest.approx(difference)
    assert row["lift"] == pytest.approx(difference / control_mean)
    assert row["uplift_low"] < difference - 1.96 * error  # t has few degrees of freedom
    assert row["uplift_high"] - row["uplift"] == pytest.approx(row["uplift"] - row["uplift_low"])
    assert row["profit"] == pytest.approx(difference * 10 * 0.6 - 50 - 1.5 * 10)
    assert row["found_high"] == pytest.approx(row["uplift_high"] * 10 * 0.6 - 65)
    assert (row["expected_low"], row["expected_high"], row["expected_uplift"]) == pytest.approx((0.1, 0.3, 8.0))
    assert row["verdict"] == "cannot tell"


def test_the_tiles_of_the_log_add_up_what_its_rows_say(shop: Source) -> None:
    empty = decision_tables.log_tiles(shop, Filters()).set_index("metric")["value"]
    assert empty["log_finished"] == 0
    assert empty.drop("log_finished").isna().all()
    saved(shop)
    row: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    tiles: Any = decision_tables.log_tiles(shop, Filters()).set_index("metric")
    assert tiles["value"].tolist() == pytest.approx([1, 1, EXPECTED.expected_profit, row["profit"]])
    assert tiles.loc["log_profit_found", ["low", "high"]].tolist() == pytest.approx([row["found_low"], row["found_high"]])
    assert tiles["n"].tolist() == [1, 1, 1, 1]


def test_of_the_share_who_buy_the_money_is_still_that_of_what_they_spent(shop: Source) -> None:
    saved(shop, outcome="buyers", baseline=Baseline(0.5))
    row: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    share = {key: np.mean(np.array(amounts) > 0) for key, amounts in SPENT.items()}
    bought = 7 / 16 * (share["N", "treated"] - share["N", "control"]) + 9 / 16 * (share["S", "treated"] - share["S", "control"])
    assert row["uplift"] == pytest.approx(bought)
    assert row["profit"] == pytest.approx(by_hand()[0] * 10 * 0.6 - 65)


def test_before_its_last_day_nothing_of_what_came_out_is_told_and_before_it_was_drawn_there_is_no_campaign(shop: Source) -> None:
    saved(shop)
    for days, is_finished in ((0, False), (12, False), (DAYS - 1, False), (DAYS, True)):
        log = decision_tables.decision_log(shop, Filters(end=DRAWN_ON + dt.timedelta(days=days)))
        assert (log["day"].tolist(), log["is_finished"].tolist()) == ([days], [is_finished])
        assert log[["uplift", "lift", "profit", "p_value"]].notna().all(axis=None) == is_finished
    assert "on day 12 of 30" in log_words.finding(decision_tables.decision_log(shop, Filters(end=dt.date(2024, 7, 12))), currency="")
    assert decision_tables.decision_log(shop, Filters(end=DRAWN_ON - dt.timedelta(days=1))).empty


def test_arms_that_lost_members_each_in_its_own_way_have_no_result(shop: Source) -> None:
    gone = [(f"gone{number}", "N", "control", 0) for number in range(84)]
    saved(shop, members=[*MEMBERS, *gone], share_control=0.9)
    row: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    assert (row["n"], row["control_n"], row["is_faulty"], row["verdict"]) == (10, 6, True, "faulty")
    assert row["sample_ratio_p_value"] < 0.001
    assert math.isnan(row["uplift"])
    assert math.isnan(row["profit"])


def test_a_stratum_that_lost_an_arm_is_no_reason_to_lose_the_log(shop: Source) -> None:
    saved(shop, members=[*MEMBERS, ("gone0", "W", "control", 0), ("gone1", "W", "control", 0), ("Nt0", "W", "treated", 0)][1:])
    row: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    assert (row["is_faulty"], row["verdict"]) == (True, "faulty")


def test_a_member_who_does_not_agree_any_more_is_told_apart_and_stays_in_the_test(shop: Source) -> None:
    number = saved(shop, members=[*MEMBERS, ("withdrawn", "N", "treated", 0)])
    members = planned_members(shop, number).set_index("customer_id")
    assert len(members) == len(MEMBERS) + 1
    assert members.index[~members["has_consent"]].tolist() == ["withdrawn"]
    assert "any more: 1." in test_words.withdrawn_note(members)
    assert test_words.withdrawn_note(members.drop("withdrawn")) == ""


def test_without_a_past_test_a_plan_begins_with_a_guess_that_is_called_one(shop: Source) -> None:
    start = tables.starting_point(shop, Filters())
    assert (start["tests"][0], start["is_own"][0], start["lift"][0], start["days"][0]) == (0, False, tables.GUESS[0], tables.DAYS)
    assert math.isnan(start["contact_cost"][0])
    assert "is a guess" in words.start_note(start)


def test_a_campaign_of_which_nothing_was_expected_has_a_result_and_no_verdict(shop: Source) -> None:
    saved(shop, expected=None)
    row: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    assert row["verdict"] == "none"
    assert row["uplift"] == pytest.approx(by_hand()[0])
    assert math.isnan(row["profit"])
    assert decision_tables.calibration(shop, Filters())["plans"].tolist() == [0]


def test_a_campaign_that_is_deleted_leaves_the_log_and_one_saved_in_its_place_is_its_own(shop: Source) -> None:
    number = saved(shop)
    first: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    workspace.delete_planned_campaign(shop.data_set, number)
    assert decision_tables.decision_log(shop, Filters()).empty
    other = {"treated": "control", "control": "treated"}
    turned = [(who, stratum, other[arm], amount) for who, stratum, arm, amount in MEMBERS]
    assert saved(shop, members=turned) == number
    again: Any = decision_tables.decision_log(shop, Filters()).iloc[0]
    assert again["uplift"] == pytest.approx(-first["uplift"])


def test_the_planner_is_calibrated_where_what_came_out_lies_in_the_range() -> None:
    """Two of three within: off by 0.00, by 0.10 and by -0.30, where the range allows 1.2816 x hypot(0.05, 0.078)."""
    log = pd.DataFrame(
        {
            "lift": [0.1, 0.2, -0.2, math.nan],
            "lift_low": [0.002, 0.102, -0.298, math.nan],
            "lift_high": [0.198, 0.298, -0.102, math.nan],
            "expected_lift": 0.1,
            "expected_low": 0.0,
            "expected_high": 0.2,
        }
    )
    row: Any = verdicts.calibration_row(log).iloc[0]
    assert (row["plans"], row["inside"]) == (3, 2)
    assert row["error"] == pytest.approx(-0.2 / 3)
    assert row["error_low"] < 0 < row["error_high"]
    assert "2 of 3 campaigns" in log_words.calibration_sentence(pd.DataFrame([row]))


# ── other decisions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def decision(**more: Any) -> workspace.Decision:
    values: dict[str, Any] = {
        "decided_on": DRAWN_ON,
        "decided_in": "campaign_plan",
        "decision_text": " Call the best ",
        "decided_by": "陈",
        "data_version": 1,
    }
    values |= {"metric": "net_revenue", "value_then": 800.0, "value_expected": 9_000.0, "review_on": DRAWN_ON + dt.timedelta(days=20)}
    return workspace.Decision(**(values | more))


def test_a_decision_is_set_beside_what_its_figure_came_to_on_the_day_of_review(shop: Source) -> None:
    workspace.write_decision(shop.data_set, decision())
    workspace.write_decision(shop.data_set, decision(metric="customers", value_then=math.nan, value_expected=math.nan))
    rows: Any = free_decisions.decisions(shop, Filters())
    assert rows["decision_text"].tolist() == ["Call the best", "Call the best"]
    assert rows["is_due"].tolist() == [True, True]
    spent = sum(50 + amount + (1_000 if arm == "treated" else 0) for *_, arm, amount in MEMBERS)
    assert rows["value_found"].tolist() == [len(MEMBERS), spent]  # of the day of review: the last thousands come later
    assert rows["value_expected"].isna().tolist() == [True, False]
    early: Any = free_decisions.decisions(shop, Filters(end=DRAWN_ON + dt.timedelta(days=5)))
    assert early["is_due"].tolist() == [False, False]
    assert early["value_found"][1] == spent - sum(amount for *_, amount in MEMBERS)
    assert free_decisions.decisions(shop, Filters(end=DRAWN_ON - dt.timedelta(days=1))).empty
    shown = free_decisions.in_words(rows, currency="CNY")
    assert shown["then"].tolist() == ["—", "CN¥800.00"]
    for number in rows["decision_id"]:
        workspace.delete_decision(shop.data_set, int(number))
    assert free_decisions.decisions(shop, Filters()).empty


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"decision_text": "  "}, "0 letters"), ({"decision_text": "x" * 501}, "501 letters"), ({"review_on": DRAWN_ON}, "later day")],
)
def test_a_decision_that_says_nothing_or_is_never_looked_at_is_refused(shop: Source, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        workspace.write_decision(shop.data_set, decision(**wrong))
    assert workspace.read_decisions(shop.data_set).empty


# ── the plan of a shop ──────────────────────────────────────────────────────────────────────────────────────────────────

TERMS = PlanTerms(TestTerms("spend", DAYS, 0.2, 0.25), 0.1, fixed_cost=10.0, contact_cost=0.5)
BEFORE = Filters(end=dt.date(2024, 6, 20))


def test_a_plan_is_what_is_said_of_it_by_hand(shop: Source) -> None:
    """Sixteen may be contacted, of whom four are held back; all spent 20 in the thirty days, so nothing scatters: 50 and 20 are mixed."""
    mixed = replace(TERMS, test=replace(TERMS.test, horizon_days=20))
    with pytest.raises(BadInput, match="standard deviation"):
        tables.expectation(shop, BEFORE, mixed, EVERYBODY)
    later = Filters(end=DRAWN_ON + dt.timedelta(days=DAYS))
    row: Any = tables.expectation(shop, later, TERMS, EVERYBODY).iloc[0]
    spent = np.array([amount for *_, amount in MEMBERS], dtype=float)
    assert (row["customers"], row["treated"], row["control"]) == (16, 12, 4)
    assert row["spend_mean"] == pytest.approx(spent.mean())
    assert row["spend_error"] == pytest.approx(spent.std(ddof=1) / 4)
    assert row["margin_share"] == pytest.approx(0.6)
    assert row["expected_profit"] == pytest.approx(12 * 0.2 * spent.mean() * 0.6 - 10 - 12 * 0.5)
    assert row["break_even_lift"] == pytest.approx(16 / (12 * 0.6 * spent.mean()))
    assert row["forgone"] == pytest.approx(4 * (0.2 * spent.mean() * 0.6 - 0.5))
    own: Any = tables.expectation(shop, later, replace(TERMS, margin_share=0.3), EVERYBODY).iloc[0]
    assert own["expected_profit"] < row["expected_profit"]
    assert "It pays from a lift of" in words.finding(pd.DataFrame([row]), currency="")


def test_a_larger_control_group_forgoes_more_and_shows_more(shop: Source) -> None:
    shares = tables.control_shares(shop, Filters(end=DRAWN_ON + dt.timedelta(days=DAYS)), TERMS, EVERYBODY)
    assert shares["share_control"].is_monotonic_increasing
    assert shares["share_control"].iloc[0] >= 2 / 16
    assert 0.25 in shares["share_control"].tolist()
    assert shares["forgone"].is_monotonic_increasing
    assert shares["smallest_lift"].is_monotonic_decreasing
    assert shares["chance_to_prove"].is_monotonic_increasing


def test_the_line_of_profit_goes_through_the_expected_and_through_break_even(shop: Source) -> None:
    later = Filters(end=DRAWN_ON + dt.timedelta(days=DAYS))
    line, row = tables.profit_by_lift(shop, later, TERMS, EVERYBODY), tables.expectation(shop, later, TERMS, EVERYBODY).iloc[0]
    at = np.interp([row["lift"], row["break_even_lift"]], line["lift"], line["profit"])
    assert at == pytest.approx([row["expected_profit"], 0.0], abs=1e-6)
    assert (line["low"] <= line["profit"] + 1e-9).all()
    assert (line["profit"] <= line["high"] + 1e-9).all()
    assert line.loc[line["is_expected"], "lift"].agg(["min", "max"]).tolist() == pytest.approx([0.1, 0.3])


def test_a_lift_expected_below_zero_has_a_chance_of_profit_and_no_test_size(shop: Source) -> None:
    harmful = replace(TERMS, test=replace(TERMS.test, lift=-0.05))
    row: Any = tables.expectation(shop, Filters(end=DRAWN_ON + dt.timedelta(days=DAYS)), harmful, EVERYBODY).iloc[0]
    assert math.isnan(row["customers_needed"])
    assert row["chance_of_profit"] < 0.5
    assert row["forgone"] < 0


# ── on the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_a_campaign_is_planned_saved_with_what_is_expected_listed_and_deleted(demo: DataSet, spoken: str) -> None:
    app = opened("campaign_plan", lang=spoken)
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 2
    app.number_input(key="plan_contact_cost").set_value(2.5).run()
    app.number_input(key="plan_lift_buyers").set_value(12.0).run()
    app.text_input[0].input("Spring <b>")
    next(button for button in app.button if button.label in ("Save", "保存")).click()
    app.run()
    assert not app.exception
    assert "Spring" in app.success[0].value
    plan: Any = workspace.planned_campaigns(demo).iloc[0]
    assert (plan["expected_lift"], plan["contact_cost"], plan["share_control"]) == pytest.approx((0.12, 2.5, 0.2))
    assert 0 < plan["chance_of_profit"] < 1
    assert plan["profit_low"] < plan["expected_profit"] < plan["profit_high"]

    log = opened("campaign_plan", lang=spoken, tab="log")
    assert not log.exception
    assert log.dataframe[0].value["campaign_name"].tolist() == ["Spring <b>"]
    lists = opened("campaign_plan", lang=spoken, tab="lists")
    assert not lists.exception
    assert len(lists.dataframe[0].value) == 1
    workspace.delete_planned_campaign(demo, int(plan["campaign_id"]))
    assert not opened("campaign_plan", lang=spoken, tab="lists").dataframe


@pytest.mark.slow
def test_what_past_tests_of_the_demo_say_is_where_a_plan_begins(demo: DataSet) -> None:
    source = open_source(demo)
    start: Any = tables.starting_point(source, Filters(), "buyers").iloc[0]
    lifts = tables.past_lifts(source, Filters(), "buyers")
    assert start["tests"] == len(lifts) >= past.LEAST_TESTS
    assert start["is_own"]
    assert lifts["lift"].min() < start["lift"] < lifts["lift"].max()
    assert start["days"] == lifts["days"].median()
    every = rooms.tables("campaign_roi")["uplift"](source, Filters())
    assert not set(lifts["campaign"]) & set(every.loc[every["is_faulty"] | ~every["is_finished"], "campaign"])
    assert tables.starting_point(source, Filters(end=dt.date(2023, 3, 1)), "buyers")["is_own"].tolist() == [False]
