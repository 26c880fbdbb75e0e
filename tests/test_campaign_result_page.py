"""What the page of a campaign's result says and draws, and what it must never say.

Hand-made rows: treated people bring 12, control 10, so 2 more each (95%: 1 to 3, p .001); 1,000 people in each arm.
"""

import math
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from opened_pages import five_customers, opened, texts
from peopled_shop import Tables, published
from streamlit.testing.v1 import AppTest

from crm_metrics import figures, schema
from crm_metrics.campaign_roi.credit import words as credit_words
from crm_metrics.campaign_roi.result import adjusted_words, answers, labels, more_words, words
from crm_metrics.campaign_roi.result.figure import (
    adjusted_dots,
    looks_band,
    money_bars,
    ranking_dots,
    segment_forest,
    shown_lifts,
    uplift_dots,
)
from crm_metrics.campaign_roi.result.terms import ResultTerms
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.database import DataSet, find_data_set
from crm_metrics.language import chinese, speaking

NAN = math.nan
UPLIFT = {
    "campaign": "c1", "arm": "treated", "outcome": "net_revenue", "n": 1_000, "mean": 12.0, "control_n": 1_000, "control_mean": 10.0,
    "uplift": 2.0, "low": 1.0, "high": 3.0, "p_value": 0.001, "unit": "money_per_customer", "is_stratified": False, "lift": 0.2,
    "adjusted_uplift": 1.8, "adjusted_low": 1.1, "adjusted_high": 2.5, "variance_reduction": 0.36, "bootstrap_low": 0.9,
    "bootstrap_high": 3.1, "smallest_uplift": 1.4, "smallest_lift": 0.14, "power": 0.55, "customers_needed": 1_200.0, "coverage": 0.95,
    "is_rough": False, "is_unreliable": False, "sample_ratio_p_value": 0.5, "is_faulty": False, "is_finished": True, "p_adjusted": 0.002,
}  # fmt: skip
RETURNS = {
    "campaign": "c1", "arm": "treated", "treated": 1_000, "measure": "gross_margin", "cost": 500.0, "extra": 2_000.0, "low": 1_000.0,
    "high": 3_000.0, "profit": 1_500.0, "profit_low": 500.0, "profit_high": 2_500.0, "roi": 3.0, "roi_low": 1.0,
    "roi_high": 5.0, "chance_of_profit": 0.999, "is_faulty": False, "is_finished": True,
}  # fmt: skip
SEGMENT = {
    "campaign": "c1", "arm": "treated", "by": "stratum", "segment": "young", "outcome": "net_revenue", "n": 500, "mean": 14.0,
    "control_n": 500, "control_mean": 10.0, "uplift": 4.0, "low": 2.0, "high": 6.0, "p_value": 0.001, "p_adjusted": 0.002,
    "is_proven": True, "is_small": False, "total_uplift": 2.0, "weighted_uplift": 2.0, "is_reversed": False, "differ_p_value": 0.01,
    "unit": "money_per_customer",
}  # fmt: skip
ADJUSTED = {
    "campaign": "c9", "arm": "treated", "outcome": "net_revenue", "n": 400, "mean": 30.0, "compared_n": 900, "compared_mean": 27.0,
    "difference": 3.0, "low": -1.0, "high": 7.0, "crude_difference": 12.0, "unit": "money_per_customer", "is_finished": True,
}  # fmt: skip
FORBIDDEN = ("incremental", "增量")
IN_DOLLARS, NOW = {"currency": "USD"}, {"progress": ""}


def uplift(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([{**UPLIFT, **row} for row in rows or ({},)])


def returns(**changed: object) -> pd.DataFrame:
    return pd.DataFrame([{**RETURNS, **changed}])


def segments(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([{**SEGMENT, **row} for row in rows or ({},)])


def found(rows: pd.DataFrame) -> str:
    return words.finding(rows, progress="", arms=1, **IN_DOLLARS)


def row_names(figure: object) -> str:
    return " ".join(figure.layout.yaxis.ticktext)  # type: ignore[attr-defined]


# ── did it work? ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_proven_is_said_with_its_interval_and_p():
    assert found(uplift()) == "It worked. Net revenue per person: $2.00 more than the control's $10.00 (95%: $1.00 to $3.00; p = 0.001)."


def test_harm_is_called_harm():
    text = found(uplift({"uplift": -2.0, "low": -3.0, "high": -1.0}))
    assert text.startswith("It did harm. Net revenue per person: $2.00 less than the control's $10.00")


def test_what_is_not_proven_is_not_called_nothing_but_says_what_could_have_been_shown():
    row = uplift({"low": -1.0, "high": 5.0, "p_value": 0.2})
    assert found(row).startswith("No effect is proven. Net revenue per person: +$2.00 against")
    assert words.trust_note(row, progress="", **IN_DOLLARS).startswith("A change of $1.40 or more would have been detected")


def test_differences_of_shares_are_points_and_tiny_p_is_never_zero():
    row = uplift({"outcome": "bought", "unit": "share", "uplift": 0.0123, "low": 0.01, "high": 0.015, "control_mean": 0.1, "p_value": 1e-9})
    assert "1.23 points more than the control's 10.0% (95%: 1.00 points to 1.50 points; p < 0.001)" in found(row)


def test_an_unfinished_campaign_says_which_day_it_is_and_warns_of_looking_every_day():
    campaign = pd.DataFrame([{"started_on": pd.Timestamp("2024-01-01"), "ends_on": pd.Timestamp("2024-02-14"), "is_finished": False}])
    so_far = words.progress(campaign, date(2024, 1, 12))
    assert so_far == "So far, day 12 of 45: "
    assert words.finding(uplift(), progress=so_far, arms=1, **IN_DOLLARS).startswith(so_far)
    assert "wait for the last day" in words.trust_note(uplift(), progress=so_far, **IN_DOLLARS)
    assert words.progress(campaign.assign(is_finished=True), date(2024, 1, 12)) == ""


@pytest.mark.slow
def test_small_arms_show_how_often_their_intervals_hold_the_truth():
    rough = uplift({"control_n": 100, "coverage": 0.875, "is_rough": True, "is_unreliable": True})
    assert "with 100 in the smaller arm" in words.trust_note(rough, progress="", **IN_DOLLARS)
    assert "87.5%" in words.trust_note(rough, progress="", **IN_DOLLARS)
    assert {trace.marker.opacity for trace in uplift_dots(rough, outcome="net_revenue", **IN_DOLLARS).data} == {0.4}
    assert {trace.marker.opacity for trace in uplift_dots(uplift(), outcome="net_revenue", **IN_DOLLARS).data} == {1.0}


def test_the_figure_puts_three_ways_of_reckoning_beside_a_line_at_nothing_and_hollows_what_holds_zero():
    figure = uplift_dots(uplift({"low": -1.0}), outcome="net_revenue", **IN_DOLLARS)
    assert [trace.x[0] for trace in figure.data] == [2.0, 1.8, 2.0]
    assert [trace.marker.symbol for trace in figure.data] == ["circle-open", "circle", "circle"]
    assert figure.data[0].error_x.arrayminus[0] == pytest.approx(3.0)
    assert [line.x0 for line in figure.layout.shapes] == [0]
    assert figure.layout.xaxis.title.text == "Net revenue per person,<br>treated less control (USD)"


def test_arms_of_nearly_one_size_without_a_plan_are_doubted_where_equal_ones_would_hardly_be_drawn_so():
    arms = pd.DataFrame({"arm": ["treated", "control"], "share": [0.48, 0.52], "planned_share": NAN})
    equal = arms.assign(planned_share=0.5, p_value=1e-9, is_faulty=True)
    assert "Treated 48.0%, Control 52.0% (p < 0.001)" in more_words.plan_doubt(arms, equal)
    assert not more_words.plan_doubt(arms, equal.assign(is_faulty=False))
    assert not more_words.plan_doubt(arms.assign(planned_share=[0.48, 0.52]), equal)
    assert not more_words.plan_doubt(arms, equal.assign(share=[0.2, 0.8]))


def test_of_several_arms_each_is_named():
    figure = uplift_dots(uplift({}, {"arm": "other <b>"}), outcome="net_revenue", **IN_DOLLARS)
    assert len(figure.data) == 6
    assert "other &lt;b>: " in row_names(figure)


def test_several_arms_are_held_to_all_of_them_together():
    assert "Adjusted for all arms: p = 0.060" in words.trust_note(uplift({"p_value": 0.03, "p_adjusted": 0.06}), **NOW, **IN_DOLLARS)
    assert "together" not in words.trust_note(uplift({"p_adjusted": 0.001}), **NOW, **IN_DOLLARS)
    assert labels.arm_label("treated B") == "Treated B"


def test_a_cost_that_nobody_recorded_is_a_dash_with_a_reason_and_what_hangs_on_it_is_not_shown():
    tiles = pd.DataFrame({"metric": ["uplift", "extra", "cost", "incremental_roi", "chance_of_profit"], "value": [1.0, 2.0, NAN, NAN, NAN]})
    assert [metric.name for metric in labels.tile_metrics(tiles)] == ["uplift", "extra", "cost"]
    assert labels.tile_notes(tiles) == {"cost": "not recorded"}
    with_power = pd.concat([tiles, pd.DataFrame({"metric": ["smallest_lift"], "value": [0.2]})])
    assert [metric.name for metric in labels.tile_metrics(with_power)] == ["uplift", "smallest_lift", "extra", "cost"]
    assert "smallest_lift" not in {metric.name for metric in labels.tile_metrics(with_power.fillna(1.0))}
    assert labels.tile_notes(tiles.fillna(1.0)) == {}


def test_a_faulty_split_says_both_shares_and_shows_no_result():
    arms = pd.DataFrame(
        {"arm": ["treated", "control"], "share": [0.62, 0.38], "planned_share": [0.5, 0.5], "p_value": [1e-9] * 2, "is_faulty": [True] * 2}
    )
    assert words.fault(arms).startswith("Data faulty: Treated 62.0% in place of 50.0%; Control 38.0% in place of 50.0%.")
    assert "No result is shown" in words.fault(arms)
    nothing = uplift({"uplift": NAN, "low": NAN, "high": NAN, "p_value": NAN, "is_faulty": True})
    chosen = answers.Chosen(ResultTerms("c1", "treated", "net_revenue"), "", "USD")
    assert not answers.worked(nothing, chosen).has_figure


# ── did it pay? ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_return_is_said_with_the_chance_of_profit():
    text = words.paid_finding(returns(), progress="", **IN_DOLLARS)
    assert text == (
        "It paid: $2,000.00 of extra gross margin (95%: $1,000.00 to $3,000.00) for $500.00, a return of 300.0%; chance of profit 99.9%."
    )
    assert words.paid_finding(returns(profit_low=-1.0), progress="", **IN_DOLLARS).startswith("Whether it paid is not proven: ")
    assert words.paid_finding(returns(profit_low=-9.0, profit_high=-1.0), progress="", **IN_DOLLARS).startswith("It did not pay: ")


def test_without_a_cost_there_is_no_return_and_the_page_says_why():
    free = returns(cost=NAN, profit=NAN, roi=NAN, roi_low=NAN, roi_high=NAN, chance_of_profit=NAN)
    assert words.paid_finding(free, progress="", **IN_DOLLARS).endswith("Without a cost there is no return.")
    assert "import the spend" in words.cost_note(free, sees_all=True)
    assert "some regions only" in words.cost_note(free, sees_all=False)
    assert words.cost_note(returns(), sees_all=True) == ""
    assert "roi" not in labels.columns("paid", free)
    assert "cost" not in row_names(money_bars(free, attributed=None, **IN_DOLLARS))


def test_attributed_stands_beside_incremental_with_the_money_between_them():
    text = words.credited_note(returns(), 5_000.0, **IN_DOLLARS)
    assert "Attributed to it: $5,000.00 of gross margin. Incremental: $2,000.00. The $3,000.00 between them" in text
    assert words.credited_note(returns(), None, **IN_DOLLARS) == words.credited_note(returns(extra=NAN), 5_000.0, **IN_DOLLARS) == ""
    bars = money_bars(returns(), attributed=5_000.0, **IN_DOLLARS).data[0]
    assert list(bars.x) == [2_000.0, 500.0, 5_000.0]
    assert bars.error_x.array[0] == pytest.approx(1_000.0)
    assert math.isnan(bars.error_x.array[1])


# ── for whom? ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_segments_are_named_where_proven_and_what_many_looks_do_is_said():
    rows = segments({}, {"segment": "old", "uplift": 0.0, "low": -2.0, "high": 2.0, "is_proven": False})
    text = words.segments_finding(rows, progress="", **IN_DOLLARS)
    assert text == "Proven in 1 of 2 segments: young +$4.00 per person."
    assert words.differ_note(rows) == "A difference between the segments is proven (p = 0.010)."
    assert "would be 9.8%" in words.holm_note(rows)  # 1 - .95²
    figure = segment_forest(rows, arm="treated", by="stratum", **IN_DOLLARS)
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "circle", "circle-open"]


def test_simpsons_paradox_is_flagged_and_only_where_it_is_one():
    assert words.reversal_note(segments(), **IN_DOLLARS) == ""
    text = words.reversal_note(segments({"is_reversed": True, "total_uplift": -1.0, "weighted_uplift": 2.0}), **IN_DOLLARS)
    assert text.startswith("Simpson's paradox: over all people the difference is -$1.00 per person, within the segments it is +$2.00.")


def test_people_of_whom_nothing_is_known_are_not_told_apart():
    assert "there are no segments" in words.segments_finding(segments().head(0), progress="", **IN_DOLLARS)


# ── big enough? ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_would_have_been_needed_is_said_where_it_was_not_there():
    small = uplift({"lift": 0.05, "customers_needed": 16_000.0})
    assert words.enough_finding(small, progress="") == (
        "Net revenue per person: a test of 2,000 people detects a lift of 14.0% or more; 5.0% was found. Detecting a lift of that size "
        "takes 16,000 people."
    )
    assert "Detecting" not in words.enough_finding(uplift(), progress="")


def test_what_earlier_spend_gains_is_what_theory_says():
    assert "explains 36.0% of the variance: adjusting for it makes the interval 20.0% narrower" in words.cuped_note(uplift(), days=180)
    assert "not known" in words.cuped_note(uplift({"variance_reduction": NAN}), days=180)


def test_the_band_of_lifts_too_small_to_show_reaches_the_smallest_lift_either_way():
    band, dots = shown_lifts(uplift(), arm="treated").data
    assert (band.base[0], band.base[0] + band.x[0]) == (-0.14, 0.14)
    assert list(dots.x) == [0.2]
    assert list(dots.marker.symbol) == ["circle"]


# ── looks and ranking ───────────────────────────────────────────────────────────────────────────────────────────────────


def looks(*lows: float) -> pd.DataFrame:
    """One row a day: the difference is 2.00, the bounds of every look reach from `lows` to 5.00, those of one look from 1.00 to 3.00."""
    days = range(1, len(lows) + 1)
    rows = {"campaign": "c1", "arm": "treated", "outcome": "net_revenue", "uplift": 2.0, "high": 5.0, "plain_low": 1.0, "plain_high": 3.0}
    made = [{**rows, "day": day, "looks": day, "low": low, "is_shown": low > 0} for day, low in zip(days, lows, strict=True)]
    return pd.DataFrame(made)


def test_the_day_is_named_since_which_it_is_shown_however_often_one_looks():
    text = more_words.looks_finding(looks(-1.0, 0.5, 0.7), **NOW, **IN_DOLLARS)
    assert text == "Net revenue per person: proven since day 2, however often it was checked; the interval at check 3 is $0.70 to $5.00."
    assert "still include zero (-$1.00 to $5.00)" in more_words.looks_finding(looks(-1.0), **NOW, **IN_DOLLARS)
    assert "leaves zero out on 3 of 3 days" in more_words.looks_note(looks(-1.0, 0.5, 0.7))
    assert "not recorded by day" in more_words.looks_finding(looks(), **NOW, **IN_DOLLARS)
    assert list(looks_band(looks(-1.0, 0.5), **IN_DOLLARS).data[0].y) == [-1.0, 0.5]


def test_a_campaign_is_ranked_by_what_is_left_when_chance_is_taken_out():
    row = {"outcome": "net_revenue", "low": -1.0, "high": 9.0, "shrunk_low": 0.0, "shrunk_high": 4.0, "mean_uplift": 1.0, "between": 2.0}
    one = {**row, "place": 1, "campaign": "c1", "campaign_name": "Spring", "uplift": 4.0, "shrunk_uplift": 2.0, "chance_best": 0.4}
    rows = pd.DataFrame([{**one, "arm": arm, "place": place} for place, arm in enumerate(("treated", "treated B"), 1)])
    text = more_words.ranking_finding(rows, campaign="c1", arm="treated B", **IN_DOLLARS)
    assert text == "Rank 2 of 2: +$2.00 per person after shrinkage, +$4.00 as measured; chance to be the best 40.0%."
    assert more_words.ranked_names(rows) == ["Treated · Spring", "Treated B · Spring"]
    assert "Choose an outcome in money" in more_words.ranking_finding(rows, campaign="c2", arm="treated", **IN_DOLLARS)
    figure = ranking_dots(rows, campaign="c1", arm="treated B", **IN_DOLLARS)
    assert [trace.marker.color for trace in figure.data[:2]] == [figures.GREY, figures.ACCENT]


# ── without a control group ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_campaign_that_goes_on_is_compared_so_far():
    rows = pd.DataFrame([{**ADJUSTED, "is_finished": False}])
    assert adjusted_words.finding(rows, **IN_DOLLARS).startswith("So far: Net revenue per person: +$3.00 for the people chosen")
    assert adjusted_words.finding(pd.DataFrame([ADJUSTED]), **IN_DOLLARS).startswith("Net revenue per person")
    assert "too few like people" in adjusted_words.finding(rows.head(0), **IN_DOLLARS)


@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_what_is_said_of_chosen_people_is_adjusted_and_never_incremental(spoken):
    rows = pd.DataFrame([ADJUSTED])
    with speaking(spoken):
        found = answers.compared(rows, outcome="net_revenue", **IN_DOLLARS)
        names = [label for label, _ in labels.columns("compared", rows).values()]
        figure = adjusted_dots(rows, outcome="net_revenue", **IN_DOLLARS)
        about = words.about("compared")
        said = " ".join([credit_words.adjusted_warning(), found.finding, *names, about["alt"], about["notes"], row_names(figure)])
    assert {"en": "djusted", "zh": "调整"}[spoken] in found.finding
    assert [word for word in FORBIDDEN if word in said.lower()] == []


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────────

START = date(2024, 3, 1)
Row = dict[str, object]


def order(number: int, customer: str, day: date) -> tuple[Row, Row]:
    """An order of 10.00 to 19.00, by its number."""
    ordered = {
        "order_id": f"o{number}",
        "customer_id": customer,
        "ordered_on": day,
        "ordered_at": datetime.combine(day, datetime.min.time()),
    }
    line = {"order_id": f"o{number}", "row_number": number, "line_kind": "sale", "quantity": 1, "net_amount": 10 + number % 10}
    return {**ordered, "is_purchase": True, "is_cancelled": False, "batch_id": 1}, {**line, "row_hash": f"o{number}", "batch_id": 1}


def chosen_shop(folder: Path) -> DataSet:
    """A hundred customers who buy before and after; forty of them were chosen for a campaign without a control group, at no known cost."""
    days = [START - timedelta(days=60), START - timedelta(days=20), START + timedelta(days=9)]
    rows = [order(100 * place + who, f"c{who}", day + timedelta(days=who % 7)) for place, day in enumerate(days) for who in range(100)]
    campaign = {"campaign_id": "spring", "campaign_name": "Spring <b>*", "started_on": START, "ended_on": START + timedelta(days=30)}
    members = [{"campaign_id": "spring", "member_id": f"c{who}", "customer_id": f"c{who}", "arm": "treated"} for who in range(0, 80, 2)]
    made: Tables = {
        schema.orders: [ordered for ordered, _ in rows],
        schema.order_lines: [line for _, line in rows],
        schema.customers: [{"customer_id": f"c{who}"} for who in range(100)],
        schema.campaigns: [{**campaign, "is_randomised": False}],
        schema.campaign_members: members,
    }
    return published(find_data_set(f"duckdb:///{folder}/mine.duckdb"), made)


def plain_file(folder: Path, *, costs: int | None = None) -> DataSet:
    """A campaign of ninety people whom nobody knows, thirty in each of three arms, what they spent in its own file, and nothing else."""
    spent = {"treated": (0, 0, 30), "other mail": (0, 20, 20), "control": (0, 0, 3)}
    people = [(arm, spent[arm][who % 3]) for arm in spent for who in range(30)]
    members = [
        {
            "campaign_id": "mail",
            "member_id": str(place),
            "arm": arm,
            "outcome_spend": spend,
            "outcome_bought": spend > 0,
            "segment": str(place % 2),
        }
        for place, (arm, spend) in enumerate(people)
    ]
    campaign = {"campaign_id": "mail", "campaign_name": None, "is_randomised": True}
    batch = {"content_hash": "one", "mapping_hash": "one", "mapping_toml": "", "batch_state": "loaded"}
    made: Tables = {schema.import_batches: [batch], schema.campaigns: [campaign], schema.campaign_members: members}
    if costs:
        made[schema.campaign_spend] = [{"spend_id": "s", "campaign_id": "mail", "spend_amount": costs}]
    return published(find_data_set(f"duckdb:///{folder}/mine.duckdb"), made)


def everything(app: AppTest) -> str:
    """Every word on a page: texts, what is chosen and what can be, tiles, headings of columns, alt texts and axes."""
    chosen = [f"{box.label} {box.value} {box.options}" for box in app.selectbox]
    raw = [
        str(element.proto) for kind in ("plotly_chart", "html", "arrow_data_frame", "popover", "button_group") for element in app.get(kind)
    ]
    return "\n".join([texts(app), *chosen, *raw])


@pytest.mark.slow
@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_where_nobody_was_held_back_the_page_warns_and_the_word_incremental_appears_nowhere(folder: Path, spoken: str) -> None:
    chosen_shop(folder)
    app = opened("campaign_result", lang=spoken)
    assert not app.exception
    assert not app.error
    warned = {"en": "chosen, not drawn by lot", "zh": "挑选出来的，并非随机分组"}[spoken]
    assert warned in app.warning[0].value
    assert {"en": "adjusted", "zh": "调整"}[spoken] in texts(app)
    assert len(app.get("plotly_chart")) == 2  # the comparison and its balance
    assert [word for word in FORBIDDEN if word in everything(app).lower()] == []
    assert "Spring <b>*" in app.selectbox(key="choice_campaign_result_campaign").options[0]


@pytest.mark.slow
def test_the_forbidden_word_would_be_found(folder: Path) -> None:
    plain_file(folder, costs=60)
    found = everything(opened("campaign_result", tab="worked"))
    assert "incremental" in found.lower()
    assert any("增量" in text for text in chinese().values())


@pytest.mark.slow
def test_data_without_campaigns_say_what_to_bring_in(folder: Path) -> None:
    five_customers(folder)
    app = opened("campaign_result")
    assert not app.exception
    assert "Import the campaigns and their members" in texts(app)


@pytest.mark.slow
@pytest.mark.parametrize("tab", list(words.QUESTIONS))
@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_a_plain_file_of_people_whom_nobody_knows_is_answered_as_far_as_it_goes(folder: Path, tab: str, spoken: str) -> None:
    plain_file(folder)
    app = opened("campaign_result", tab=tab, lang=spoken, arm="other mail")
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="choice_campaign_result_arm").value == "other mail"
    assert len(app.get("plotly_chart")) == (0 if tab == "looks" else 1)  # the file says nothing by day
    if (tab, spoken) == ("worked", "en"):
        assert "other mail: It worked. Spend per person: 12.33 more than the control's 1.00" in texts(app)
    if (tab, spoken) == ("paid", "en"):
        assert "import the spend" in texts(app)


JOURNEY = ("transactions_sample", "campaigns", "campaign_descriptions", "coupon_redemptions")


@pytest.mark.slow
def test_complete_journey_gets_its_warning_and_never_the_word_incremental(folder: Path, shared_data: Path) -> None:
    data_set = find_data_set(f"duckdb:///{folder}/mine.duckdb")
    for name in JOURNEY:
        file = shared_data / "completejourney" / f"{name}.csv.gz"
        import_file(data_set, file.read_bytes(), file.name, load_mapping("complete_journey"))
    for spoken, warned in (("en", "chosen, not drawn by lot"), ("zh", "挑选出来的，并非随机分组")):
        app = opened("campaign_result", lang=spoken)
        assert not app.exception
        assert len(app.selectbox(key="choice_campaign_result_campaign").options) == 27
        assert warned in app.warning[0].value
        assert [word for word in FORBIDDEN if word in everything(app).lower()] == []
