"""Why deals are won: reasons, competitors, moves and the model, counted by hand, against plain loops, and where nothing is to be found."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from written_deals import at, write

from crm_metrics.database import DataSet, open_source
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson
from crm_metrics.pipeline.deals.terms import ALL_DEALS
from crm_metrics.pipeline.winning import counts, factors, landmarks, logistic, model, moves, query, tables, words
from crm_metrics.scope import Scope

ALL = Filters()
DAY = dt.date(2024, 1, 1)


def by(frame: pd.DataFrame, names: str | list[str]) -> Any:
    """The rows of a frame, to be named by these columns."""
    return frame.set_index(names)


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(number)


def deal(key: str, outcome: str, **values: object) -> dict:
    return {"opportunity_id": key, "outcome": outcome, "created_on": day(0), "closed_on": None if outcome == "open" else day(40), **values}


def six(data_set: DataSet) -> DataSet:
    """Six deals: three lost (two for the price, one for no reason known), two won (one against Ace), one open against Ace."""
    deals = [
        deal("a", "lost", lost_reason="price", deal_amount=10, competitor="Ace", has_scorecard=True, owner_id="e1"),
        deal("b", "lost", lost_reason="price", has_scorecard=False, owner_id="e1"),
        deal("c", "lost", deal_amount=5, has_scorecard=False, owner_id="e2"),
        deal("d", "won", deal_amount=100, competitor="Ace", has_scorecard=True, owner_id="e1"),
        deal("e", "won", deal_amount=50, has_scorecard=True, owner_id="e2"),
        deal("f", "open", deal_amount=7, competitor="Ace", owner_id="e2"),
    ]
    stages = {"a": ["Talk", "Offer", "Lost"], "b": ["Talk", "Lost"], "d": ["Talk", "Offer", "Won"]}
    history = [
        {"opportunity_id": key, "change_number": number, "changed_at": at(day(20 * number - 20)), "stage": stage, "deal_amount": 3}
        for key, path in stages.items()
        for number, stage in enumerate(path, 1)
    ]
    done = [
        {"activity_id": f"x{number}", "activity_kind": "visit", "happened_at": at(day(number)), "employee_id": "e1", "opportunity_id": "a"}
        for number in (15, 16, 30)
    ]
    owners = [{"employee_id": "e1", "region": "North"}, {"employee_id": "e2", "region": "South"}]
    return write(data_set, deals, history, employees=owners, activities=done)


@pytest.fixture(scope="module")
def source(shared_data_set):
    return open_source(six(shared_data_set("six")))


# ── counted by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reasons_are_shares_of_the_lost_deals_that_have_one(source):
    rows = by(tables.lost_reasons(source, ALL), "reason")
    assert rows.loc["price", ["deals", "of", "share", "lost_value", "unvalued"]].to_list() == [2, 2, 1.0, 10.0, 1]
    assert rows.loc["", "deals"] == 1
    assert math.isnan(rows.loc["", "share"])
    assert rows.loc["price", ["low", "high"]].to_list() == list(wilson(2, 2))


def test_a_deal_is_lost_in_the_last_stage_in_which_it_was_open(source):
    rows = tables.lost_stages(source, ALL)
    assert rows[["stage", "reason", "deals"]].to_numpy().tolist() == [["Talk", "price", 1], ["Offer", "price", 1]]


def test_an_open_deal_counts_against_its_competitor_but_is_neither_won_nor_lost(source):
    rows = by(tables.competitors(source, ALL), "competitor")
    assert rows.loc["Ace", ["deals", "closed", "won", "win_rate", "won_value"]].to_list() == [3, 2, 1, 0.5, 100.0]
    assert rows.loc["", ["deals", "closed", "won"]].to_list() == [3, 3, 1]


def test_the_tiles_are_of_those_of_which_something_is_recorded(source):
    tiles = by(tables.win_tiles(source, ALL), "metric")
    assert tiles["value"].round(4).to_dict() == {
        "win_rate_of_closed": 0.4,
        "main_reason_share": 1.0,
        "win_rate_against_competitors": 0.5,
        "competitive_won_value": 100.0,
        "scorecard_completeness": 0.6,
        "won_value": 150.0,
        "median_won_value": 75.0,
        "won_cycle_days": 40.0,
        "lost_cycle_days": 40.0,
    }


def test_nobody_sees_deals_of_another_region(source):
    north = tables.win_tiles(source, Filters(scope=Scope(regions=("North",)))).set_index("metric")
    assert north.loc["win_rate_of_closed", "n"] == 3


def test_on_an_earlier_day_no_later_end_is_known(source):
    early = Filters(end=day(10))
    assert not len(tables.lost_reasons(source, early))
    assert tables.win_tiles(source, early)["n"].eq(0).all()
    assert words.finding(tables.win_tiles(source, early), tables.lost_reasons(source, early), "EUR").startswith("No deal")


def test_landmarks_know_the_value_and_stage_of_their_day_and_the_activities_so_far(source):
    found = by(tables.known_early(source, ALL, ALL_DEALS, np.arange(1, 7)), ["deal_number", "age"])  # a is deal 1, c is 3
    assert found.loc[(1, "14"), ["stage", "activities"]].to_list() == ["Talk", 0.0]
    assert found.loc[(1, "30"), "stage"] == "Offer"
    assert found.loc[(1, "30"), "activities"] == pytest.approx(math.log(4))
    assert found.loc[(1, "14"), "log_amount"] == pytest.approx(math.log(3))
    assert found.loc[(3, "14"), ["stage", "log_amount"]].isna().all()  # no history: its value may have been written at the end
    assert (1, "60") not in found.index


def test_too_few_deals_make_no_model_and_no_scores(source):
    found = tables.win_model(source, ALL)
    assert not found["is_better"].iloc[0]
    assert len(tables.open_scores(source, ALL)) == len(tables.reliability(source, ALL)) == len(tables.factors(source, ALL)) == 0
    assert tables.activities_before_moves(source, ALL)["rate_ratio"].isna().all()
    assert "Too few deals" in words.model_finding(found)


def test_closed_deals_are_counted_by_what_they_have_those_without_it_too(source):
    counted = by(source(query.closed_counts(ALL)), ["factor", "level"])[["closed", "won"]]
    assert counted.loc[("region", "North")].to_list() == [3, 1]
    assert counted.loc[("region", "South")].to_list() == [2, 1]
    assert counted.xs("market").to_numpy().tolist() == [[5, 2]]  # recorded of none
    thirds = [counted.loc[("amount_third", third)].to_list() for third in ("low", "middle", "high")]
    assert thirds == [[2, 0], [1, 1], [1, 1]]  # 5 and 10 lost, 50 and 100 won; one lost has no value


# ── where deals are won ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_groups_are_compared_with_all_others_and_false_discoveries_are_held_down():
    """Against SciPy: chi-square of the four fields, and Benjamini and Hochberg over all of them."""
    from scipy.stats import chi2_contingency, false_discovery_control

    groups = {"region": [(60, 100), (45, 100), (40, 100)], "team": [(75, 140), (70, 160)]}
    rows = [(factor, f"{place}", n, won) for factor, levels in groups.items() for place, (won, n) in enumerate(levels)]
    found = factors.win_differences(pd.DataFrame(rows, columns=["factor", "level", "closed", "won"])).sort_values(["factor", "level"])
    fields = [[[won, n - won], [145 - won, 155 - n + won]] for _, _, n, won in rows]
    expected = [float(chi2_contingency(each, correction=False)[1]) for each in fields]
    assert found["p_value"].to_list() == pytest.approx(expected)
    assert found["p_adjusted"].to_list() == pytest.approx(list(false_discovery_control(expected)))
    assert found["is_different"].to_list() == [True, False, False, False, False]


def test_what_is_recorded_of_won_deals_alone_is_not_compared():
    rows = [("amount_third", "low", 50, 50), ("amount_third", "high", 50, 50), ("amount_third", None, 60, 0)]
    rows += [("region", "North", 80, 50), ("region", "South", 80, 50)]
    found = factors.win_differences(pd.DataFrame(rows, columns=["factor", "level", "closed", "won"]))
    assert found.loc[found["factor"] == "amount_third", ["level", "deals", "won"]].to_numpy().tolist() == [["", 60, 0]]
    assert "Not compared" in words.differences_note(found)
    assert "(2 were compared)" in words.differences_finding(found)


def test_what_is_recorded_unequally_by_chance_is_compared():
    """Of 30 deals won 18 (60 %), of 90 lost 42 (47 %) are recorded: such a gap comes one time in five (chi-square: p = .205)."""
    rows = [("region", "North", 30, 9), ("region", "South", 30, 9), ("region", None, 60, 12)]
    counts = pd.DataFrame(rows, columns=["factor", "level", "closed", "won"])
    assert factors.unequally_recorded(counts) == []
    assert factors.unequally_recorded(counts.assign(closed=counts["closed"] * 4, won=counts["won"] * 4)) == ["region"]


# ── moves, against a plain loop over days ───────────────────────────────────────────────────────────────────────────────


def changes_of(paths: dict[int, list[tuple[int, str]]]) -> pd.DataFrame:
    """Changes of deals: (day, stage); stages "1", "2", … and "won"."""
    rows = [
        (number, pd.Timestamp(day(when)), stage, "won" if stage == "won" else "open", 9.0 if stage == "won" else float(stage))
        for number, path in paths.items()
        for when, stage in path
    ]
    return pd.DataFrame(rows, columns=["deal_number", "changed_on", "stage", "outcome", "stage_order"])


def test_moves_and_days_are_those_of_a_loop_over_every_day():
    random = np.random.default_rng(3)
    paths = {n: [(0, "1"), (int(random.integers(1, 40)), "2"), (int(random.integers(41, 90)), "won")] for n in range(30)}
    done = pd.DataFrame(
        {"deal_number": random.integers(0, 30, 80), "happened_on": [pd.Timestamp(day(int(n))) for n in random.integers(0, 90, 80)]}
    )
    done = done.assign(activity_kind="visit").drop_duplicates().sort_values(["deal_number", "happened_on"])
    row = moves.rates(moves.spells(changes_of(paths), pd.Timestamp(day(100))), done).iloc[0]
    active_moves = active_days = all_days = 0
    for number, ((_, _), (first, _), (last, _)) in paths.items():
        visits = [(each.date() - DAY).days for each in done.loc[done["deal_number"] == number, "happened_on"]]
        for one in range(1, last + 1):
            is_active = any(1 <= one - visit <= moves.ACTIVE_DAYS for visit in visits)
            active_days, all_days = active_days + is_active, all_days + 1
            active_moves += is_active and one in (first, last)
    assert [row["active_moves"], row["active_days"], row["other_days"]] == [active_moves, active_days, all_days - active_days]
    assert row["active_moves"] + row["other_moves"] == 60


def test_a_step_back_is_no_move_and_a_change_of_value_ends_no_stay():
    found = moves.spells(changes_of({1: [(0, "2"), (5, "2"), (9, "1"), (12, "3")]}), pd.Timestamp(day(20)))
    assert found[["stage", "is_move"]].to_numpy().tolist() == [["2", False], ["1", True], ["3", False]]
    assert (found["left_on"] - found["entered_on"]).dt.days.to_list() == [9, 3, 8]


# ── the model ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def made_up(deals: int, *, effect: float, seed: int = 5) -> pd.DataFrame:
    """Landmarks at 14 days of deals created over three years, whose source shifts the log-odds of winning by `effect` either way."""
    random = np.random.default_rng(seed)
    source = random.choice(["web", "fair"], deals)
    is_won = random.random(deals) < 1 / (1 + np.exp(-np.where(source == "web", effect, -effect)))
    created = pd.Timestamp(DAY) + pd.to_timedelta(np.sort(random.integers(0, 1000, deals)), unit="D")
    others = dict.fromkeys(["market", "category", "region", "owner_id", "stage"], "x")
    numbers = {"log_amount": random.normal(8, 1, deals), "is_customer": 0.0, "activities": random.random(deals)}
    days = {"created_on": created, "closed_on": created + pd.Timedelta(days=30), "outcome": np.where(is_won, "won", "lost")}
    return pd.DataFrame(
        {"deal_number": np.arange(deals), "age": "14", "is_won": is_won, "deal_source": source, **others, **numbers, **days}
    )


def halved(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    halves = model.split(rows, pd.Timestamp(day(1100)), 40)
    assert halves is not None
    learned, tested = (rows[rows["deal_number"].isin(numbers)] for numbers in (halves.learned, halves.tested))
    return learned, tested, halves.split_on


def checked(rows: pd.DataFrame) -> tuple[model.Skill, pd.DataFrame]:
    learned, tested, _ = halved(rows)
    found = model.fit(learned)
    probability = model.predicted(found, tested)
    return model.skill(tested, probability, model.base_rates(found, tested)), model.reliability(tested, probability)


@pytest.mark.slow
def test_a_model_finds_what_is_there_and_what_it_says_comes_true():
    found = [checked(made_up(2_000, effect=1.0, seed=seed)) for seed in range(1, 9)]
    truth = 1 / (1 + math.exp(-1))
    best = 1 - truth * (1 - truth) / 0.25  # the skill of who knows the true chances
    assert all(skill.low > 0 for skill, _ in found)
    assert sum(skill.low < best < skill.high for skill, _ in found) >= 6  # what is learned is a little worse than what is true
    bins = pd.concat(bins for _, bins in found)
    assert ((bins["predicted"] > bins["low"]) & (bins["predicted"] < bins["high"])).mean() >= 0.85
    assert bins["landmarks"].sum() == pytest.approx(8 * 600, rel=0.1)


@pytest.mark.slow
def test_a_model_of_noise_is_seldom_better_than_the_usual_rate():
    better = [checked(made_up(600, effect=0.0, seed=seed))[0].low > 0 for seed in range(40)]
    assert sum(better) <= 4  # 2.5 % each: more than 4 of 40 has a chance of 0.3 %


def test_what_is_learned_was_closed_before_what_is_tested_was_created():
    learned, tested, split_on = halved(made_up(800, effect=0.0))
    assert (learned["closed_on"] <= split_on).all()
    assert (tested["created_on"] > split_on).all()
    assert not set(learned["deal_number"]) & set(tested["deal_number"])


def test_of_many_deals_a_part_is_learned_from_and_a_part_is_tested():
    halves = model.split(made_up(40_000, effect=0.0), pd.Timestamp(day(1100)), 40)
    assert halves is not None
    assert [len(halves.learned), len(halves.tested)] == [model.MOST_LEARNED, model.MOST_TESTED]


@pytest.mark.slow
def test_weights_and_strength_are_those_of_scikit_learn():
    """LogisticRegressionCV over the same folds of deals, every case by itself."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import GroupKFold

    random = np.random.default_rng(8)
    x, deals = random.normal(size=(900, 6)), random.integers(0, 400, 900)
    y = (random.random(900) < 1 / (1 + np.exp(-x[:, 0] + x[:, 1] / 2 + 0.7))).astype(float)
    folds = GroupKFold(logistic.FOLDS, shuffle=True, random_state=logistic.SEED).split(x, groups=deals)
    strengths = model.STRENGTHS
    other = LogisticRegressionCV(
        Cs=strengths, cv=list(folds), scoring="neg_log_loss", l1_ratios=(0,), tol=1e-10, use_legacy_attributes=False
    )
    found = logistic.best(x, y, deals, strengths)
    other.fit(x, y)
    assert found.strength == float(other.C_)
    assert found.weights == pytest.approx([other.intercept_[0], *other.coef_[0]], abs=1e-6)


def test_deals_count_as_old_enough_when_those_that_ever_close_have_closed():
    counts = pd.DataFrame({"duration": [10, 50, 500], "ended": [18, 2, 0], "censored": [0, 0, 10]})  # ten never close
    assert landmarks.days_to_close(counts) == 50  # of the others 95 % are closed by day 50


def test_odds_ratios_are_those_of_the_four_fields_with_a_half_added():
    rows = made_up(400, effect=0.8).assign(stage="Talk")
    counted = [
        rows.groupby(name)["is_won"].agg(["size", "sum"]).assign(factor=name).reset_index(names="level")
        for name in ("deal_source", "stage")
    ]
    found = by(factors.win_factors(pd.concat(counted).rename(columns={"size": "closed", "sum": "won"})), ["factor", "level"])
    table: Any = pd.crosstab(rows["deal_source"], rows["is_won"]) + 0.5
    expected = table.loc["web", True] * table.loc["fair", False] / table.loc["web", False] / table.loc["fair", True]
    assert found.loc[("deal_source", "web"), "odds_ratio"] == pytest.approx(expected)
    assert found.loc[("deal_source", "web"), "odds_ratio"] * found.loc[("deal_source", "fair"), "odds_ratio"] == pytest.approx(1)
    assert "stage" not in found.index.get_level_values("factor")  # all in one stage: nothing to compare


def test_a_difference_of_shares_has_newcombes_interval():
    """Newcombe (1998), table II, (a) 56/70 against 48/80, method 10: 0.0524 to 0.3339."""
    rows, others = pd.DataFrame({"won": [56], "closed": [70]}), pd.DataFrame({"won": [48], "closed": [80]})
    found = counts.compared(rows, others).iloc[0]
    assert [round(found[name], 4) for name in ("difference", "difference_low", "difference_high")] == [0.2, 0.0524, 0.3339]


def test_what_only_the_years_have_in_common_is_no_difference():
    """Of 100 deals of 2023 20 are won, of 100 of 2024 40; assessed are 20 of the first and 80 of the others, won or not alike."""
    cells = [("2023-02-01", True, 20, 4), ("2023-02-01", False, 80, 16), ("2024-02-01", True, 80, 32), ("2024-02-01", False, 20, 8)]
    every = [(pd.Timestamp(on), one, "won" if place < won else "lost") for on, one, n, won in cells for place in range(n)]
    deals = pd.DataFrame(every, columns=["created_on", "is_one", "outcome"]).assign(deal_amount=1.0)
    found = counts.win_counts(deals, "is_one").sort_values("is_one", ascending=False, ignore_index=True)
    raw = counts.compared(found.head(1), found.tail(1)).iloc[0]
    row = counts.compared_within_quarters(found.head(1), found.tail(1), deals, deals["is_one"]).iloc[0]
    assert raw["difference"] == pytest.approx(0.12)
    assert (row["difference"], row["p_value"], row["is_different"]) == (pytest.approx(0), pytest.approx(1), False)
    half = 1.959964 * np.sqrt(16**2 * (0.16 / 20 + 0.16 / 80 + 0.24 / 20 + 0.24 / 80)) / 32
    assert (row["difference_low"], row["difference_high"]) == (pytest.approx(-half), pytest.approx(half))
