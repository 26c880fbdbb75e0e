"""What the quarter will bring: chances from how fast deals moved, and forecasts that know nothing of what comes later."""

import datetime as dt
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from simulated_sales import simulated
from written_deals import at, write

from crm_metrics import database, facts, schema, workspace
from crm_metrics.database import find_data_set, open_source
from crm_metrics.demo import deal_stages
from crm_metrics.demo.plan import Effects, Plan
from crm_metrics.filters import Filters
from crm_metrics.language import speaking
from crm_metrics.pipeline.deals import tables as deal_tables
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.forecast import basis, figure, kept, labels, query, scoring, simulation, tables, words
from crm_metrics.pipeline.forecast.hazards import daily_moves, in_the_end, within
from crm_metrics.pipeline.forecast.history import day_number, history, stand
from crm_metrics.pipeline.forecast.seen import AGES, Counts, counts, counts_at
from crm_metrics.pipeline.forecast.simulation import arrivals, forecast, past_forecast
from crm_metrics.pipeline.forecast.snapshot import Snapshot, snapshot, snapshots
from crm_metrics.pipeline.forecast.terms import THIS_QUARTER, ForecastTerms, quarter_window, window
from crm_metrics.scope import Scope

ALL = Filters()
FIRST, LAST = dt.date(2023, 1, 1), dt.date(2024, 11, 20)
SLOW = pytest.mark.slow


# ── a company ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def company(count: int = 500, *, has_history: bool = True) -> tuple[list[dict], list[dict]]:
    """Deals that pass Talk and Offer in some weeks each and are won in four of ten cases; one in twenty has no value."""
    random, deals, changes = Random(7), [], []
    for number in range(count):
        key, day = f"d{number:04d}", FIRST + dt.timedelta(random.randrange((LAST - FIRST).days))
        owner, amount = f"e{number % 3}", None if number % 20 == 0 else random.choice([500, 1000, 4000])
        ends = random.choices(["won", "lost"], [4, 6])[0]
        path = [("Talk", "open", day), ("Offer", "open", day + dt.timedelta(random.randint(1, 30)))]
        path.append((ends.title(), ends, path[-1][2] + dt.timedelta(random.randint(0, 45))))
        seen = [step for step in path if step[2] <= LAST]
        last = seen[-1]
        changes += [
            {"opportunity_id": key, "change_number": place + 1, "changed_at": at(when), "stage": stage, "outcome": outcome}
            | {"deal_amount": amount, "owner_id": owner}
            for place, (stage, outcome, when) in enumerate(seen)
        ]
        row = {"opportunity_id": key, "created_on": day, "stage": last[0], "outcome": last[1], "owner_id": owner, "deal_amount": amount}
        deals.append(row | {"closed_on": last[2] if last[1] != "open" else None})
    return deals, changes if has_history else []


PEOPLE = [{"employee_id": f"e{place}", "employee_name": f"E{place}", "team": "North" if place else "South"} for place in range(3)]
QUOTAS = [{"employee_id": f"e{place}", "quarter_on": dt.date(2024, 10, 1), "quota_amount": 20_000} for place in range(2)]


def source_of(data_set, count: int = 500, *, has_history: bool = True):
    deals, changes = company(count, has_history=has_history)
    return open_source(write(data_set, deals, changes, employees=PEOPLE, quotas=QUOTAS))


def moves_of(count: int = 500) -> pd.DataFrame:
    deals, changes = company(count)
    numbers = {row["opportunity_id"]: place for place, row in enumerate(deals, 1)}
    rows = pd.DataFrame(changes)
    rows["deal_number"], rows["changed_on"] = rows["opportunity_id"].map(numbers), pd.to_datetime(rows["changed_at"]).dt.normalize()
    return rows.sort_values(["deal_number", "changed_on", "change_number"], ignore_index=True)


# ── days ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_the_last_day_of_a_quarter_the_following_one_is_forecast():
    assert window(dt.date(2025, 12, 30)).start_on == dt.date(2025, 10, 1)
    assert window(dt.date(2025, 12, 31)).start_on == dt.date(2026, 1, 1)


def test_the_days_to_a_quarter_are_counted_from_the_reader_s_day():
    this, following = window(dt.date(2025, 11, 15)), window(dt.date(2025, 11, 15), following=True)
    assert (this.after, this.until) == (0, 46)
    assert (following.after, following.until) == (46, 46 + 90)


# ── chances ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def constant(won: float, lost: float) -> np.ndarray:
    """Moves of one open stage, the same on every day, and of lost deals, which are not reopened."""
    daily = np.zeros((1, 2, len(AGES), 3))
    daily[0, 0, :, 1], daily[0, 0, :, 2] = lost, won
    return daily


def test_a_constant_chance_to_be_won_adds_up_as_a_geometric_one():
    chances = within(constant(0.02, 0.03), 0, 40)
    share = 0.02 / 0.05
    assert chances.of_standing[0, 0, 7] == pytest.approx(share * (1 - 0.95**40))
    assert chances.of_entering[40, 0, 0] == pytest.approx(share * (1 - 0.95**41))  # the day of entering counts too


def test_what_is_won_in_a_later_window_is_what_is_won_by_its_end_and_not_before_it():
    daily = constant(0.02, 0.03)
    early, late, between = within(daily, 0, 30), within(daily, 0, 75), within(daily, 30, 75)
    assert between.of_standing == pytest.approx(late.of_standing - early.of_standing)
    assert between.of_entering[:45] == pytest.approx(late.of_entering[:45])  # those who come in it
    assert between.of_entering[75] == pytest.approx(late.of_entering[75] - late.of_entering[30])


def test_in_the_end_a_deal_is_won_by_the_share_of_wins_among_its_moves():
    assert in_the_end(constant(0.02, 0.03))[0, 0] == pytest.approx(0.4)


def test_a_lost_deal_that_is_reopened_may_be_won():
    daily = constant(0.02, 0.02)
    daily[0, 1, 0, 0] = 0.5  # half of the lost deals are open again on the day
    assert in_the_end(daily)[0, 0] == pytest.approx(0.5 / (1 - 0.25))


def test_a_stage_that_nobody_was_in_borrows_from_the_others():
    seen = Counts(np.zeros((3, len(AGES), 4)), np.full((3, len(AGES)), 100.0), np.ones((3, 2)))
    seen.moves[0, :, 2:], seen.days[1] = (10, 30), 0
    assert in_the_end(daily_moves(seen))[0, :2] == pytest.approx([0.75, 0.75], abs=0.02)


def test_open_deals_count_as_long_as_they_were_seen():
    """Twenty deals won on their tenth day, and twenty still open after 100: half are won, not all."""
    day = pd.Timestamp("2024-01-01")
    rows = [(number, day, "Talk", "open") for number in range(40)]
    rows += [(number, day + pd.Timedelta(days=10), "Won", "won") for number in range(20)]
    moves = pd.DataFrame(rows, columns=["deal_number", "changed_on", "stage", "outcome"]).assign(deal_amount=1.0, change_number=1)
    told = history(moves.sort_values(["deal_number", "changed_on"], ignore_index=True))
    daily = daily_moves(counts(told, day_number(dt.date(2024, 4, 10))))
    assert within(daily, 0, 100).of_entering[100, 0, 0] == pytest.approx(0.5, abs=0.06)


def test_growth_is_drawn_towards_none():
    on = 10_000
    created = np.concatenate([np.full(count, on - 91 * back - 5) for back, count in enumerate((80, 40, 20, 10))] + [[on - 91 * 4 + 1]])
    found = arrivals(np.sort(created), on)
    assert found.created == 80
    assert 0 < found.growth < np.log(2)


# ── no future ───────────────────────────────────────────────────────────────────────────────────────────────────────────


LATER = [quarter_window(dt.date(2024, 7, 1), dt.date(2024, 8, 1))]


@pytest.mark.parametrize("on", [dt.date(2023, 12, 31), dt.date(2024, 5, 1)])
def test_a_past_forecast_is_the_same_where_nothing_later_is_known(on):
    moves = moves_of()
    whole, cut = history(moves), history(moves[moves["changed_on"] <= pd.Timestamp(on)].reset_index(drop=True))
    at_day = quarter_window(dt.date(2024, 4, 1), on)
    made = [forecast(told, snapshot(told, stand(told, day_number(on)), at_day), at_day) for told in (whole, cut)]
    assert made[0].runs.tolist() == made[1].runs.tolist()
    assert made[0].timed.tolist() == made[1].timed.tolist()
    earlier = [quarter_window(dt.date(2023, 10, 1), dt.date(2023, 11, 1)), at_day]
    seen = [counts_at(told, [day_number(when.today) for when in (*earlier, *later)])[1] for told, later in ((whole, LATER), (cut, []))]
    past = [
        past_forecast(told, snapshots(told, earlier)[1], at_day, by_then, draws=2) for told, by_then in zip((whole, cut), seen, strict=True)
    ]
    assert past[0].runs.tolist() == past[1].runs.tolist()


@SLOW
def test_changes_cut_at_a_day_are_those_asked_for_on_that_day(any_data_set):
    source, on = source_of(any_data_set), dt.date(2024, 5, 1)
    now, then = source(query.moves(ALL)), source(query.moves(ALL, on=on))
    cut = now[now["changed_on"] <= pd.Timestamp(on)].reset_index(drop=True)
    pd.testing.assert_frame_equal(cut, then)


# ── scores ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def spread_of(off: list[float], chance: float) -> float:
    return scoring.spread_between(off, [chance] * len(off))


def test_quarters_differ_by_what_is_believed_before_any_is_over_and_by_their_errors_after_many():
    assert spread_of([], 0.1) == scoring.USUAL_SPREAD
    assert spread_of([0.3, -0.3] * 300, 0.02) == pytest.approx(0.3, abs=0.01)
    assert spread_of([0.02, -0.02] * 300, 0.02) < 0.02


def test_errors_that_chance_alone_may_make_say_little_of_the_spread_between_quarters():
    assert spread_of([0.9, -0.9] * 15, 0.9) == pytest.approx(scoring.USUAL_SPREAD, abs=0.01)
    assert spread_of([np.nan, np.nan], 0.1) == scoring.USUAL_SPREAD


def test_what_is_won_already_does_not_differ_between_quarters():
    moves, when = history(moves_of()), quarter_window(dt.date(2024, 4, 1), dt.date(2024, 5, 1))
    drawn = forecast(moves, snapshot(moves, stand(moves, day_number(when.today)), when), when)
    said = scoring.between_quarters(drawn, when, 0.5)
    assert said.runs.min() >= said.won == drawn.won > 0
    assert np.median(said.runs) == pytest.approx(np.median(drawn.runs), rel=0.05)
    assert said.runs.std() > 1.3 * drawn.runs.std()


def test_past_days_are_seen_together_as_one_by_one():
    told = history(moves_of())
    windows = scoring.past_windows(FIRST, LAST)
    days = [day_number(when.today) for when in windows]
    for when, together, seen in zip(windows, snapshots(told, windows), counts_at(told, days), strict=True):
        alone, counted = snapshot(told, stand(told, day_number(when.today)), when), counts(told, day_number(when.today))
        assert_same(together, alone)
        assert all((one == other).all() for one, other in zip(seen, counted, strict=True))


def assert_same(one: Snapshot, other: Snapshot) -> None:
    for name in Snapshot._fields:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), err_msg=name)


@SLOW
def test_the_gamma_distribution_of_past_forecasts_is_that_of_the_simulation():
    """Of the simulated quarters as many lie below the tenth, half and nine tenths of the gamma distribution as should."""
    told = history(moves_of(900))
    windows = scoring.past_windows(FIRST, LAST)[3:]
    shares = []
    for when, deals in zip(windows, snapshots(told, windows), strict=True):
        runs = forecast(told, deals, when, runs=4_000).runs
        quick = past_forecast(told, deals, when, counts(told, day_number(when.today)), draws=40).runs
        shares.append([(runs <= bound).mean() for bound in np.quantile(quick, [0.1, 0.5, 0.9])])
    assert np.mean(shares, axis=0) == pytest.approx([0.1, 0.5, 0.9], abs=0.02)
    assert np.abs(np.array(shares) - [0.1, 0.5, 0.9]).max() < 0.06


def test_values_of_won_deals_count_as_often_as_there_are_deals():
    """Of 300 deals, 200 of value 1 and 100 of 10, one in three is a large one, however they are put together."""
    values = np.repeat([1.0, 10.0], [200, 100])
    drawn = simulation._pooled(np.full((40, 100), 50.0), values, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(50 * values.mean(), rel=0.01)


def run_through(chances: np.ndarray, lost: float = 0.0, seed: int = 3) -> pd.DataFrame:
    """Four deals a day from FIRST on, each won on any day with the day's chance, and lost with another; values of about 1."""
    random, days = np.random.default_rng(seed), pd.date_range(FIRST, periods=len(chances))
    created, ended = np.repeat(np.arange(len(days)), 4), np.full(4 * len(days), len(days))
    outcome = np.full(len(created), "open", dtype=object)
    for day, chance in enumerate(chances):
        drawn, is_open = random.random(len(created)), (created < day) & (ended > day)
        for name, low, high in (("won", 0.0, chance), ("lost", chance, chance + lost)):
            here = is_open & (drawn >= low) & (drawn < high)
            outcome[here], ended[here] = name, day
    opened = pd.DataFrame({"deal_number": np.arange(len(created)), "changed_on": days[created], "stage": "Talk", "outcome": "open"})
    closed = ended < len(days)
    ends = opened[closed].assign(changed_on=days[ended[closed]], stage="End", outcome=outcome[closed])
    moves = pd.concat([opened, ends]).sort_values(["deal_number", "changed_on"], kind="stable", ignore_index=True)
    return moves.assign(deal_amount=random.lognormal(0, 0.5, len(created))[moves["deal_number"]], change_number=1)


def by_month(days: int, *chances: float) -> np.ndarray:
    """The chance of each day from FIRST on, by the place of its month in the quarter."""
    return np.array(chances)[(pd.date_range(FIRST, periods=days).month - 1) % 3]


def test_wins_that_bunch_in_the_third_month_of_each_quarter_are_expected_there():
    on, days = day_number(dt.date(2024, 12, 31)), 731
    assert counts(history(run_through(by_month(days, 0.01, 0.01, 0.02))), on).pace[:, 1] == pytest.approx([0.75, 0.75, 1.5], abs=0.15)
    assert counts(history(run_through(by_month(days, 0.01, 0.01, 0.01))), on).pace.tolist() == [[1.0, 1.0]] * 3


@SLOW
@pytest.mark.parametrize(("differ", "least", "most"), [(0.0, 0.8, 0.95), (0.25, 0.7, 0.9)])
def test_four_of_five_bands_hold_where_wins_bunch_and_quarters_differ_and_more_where_they_do_not(differ, least, most):
    """12 companies of 4 years: some 140 quarters, of which a share of 80% gives less than 70%, or more than 90%, once in 300 times."""
    found, days = [], 1461
    quarter = np.arange(17)[(pd.date_range(FIRST, periods=days).to_period("Q") - pd.Period(FIRST, "Q")).map(lambda ahead: ahead.n)]
    for seed in range(12):
        times = np.random.default_rng([seed, 1]).gamma(1 / differ**2, differ**2, 17) if differ else np.ones(17)
        told = history(run_through(by_month(days, 0.007, 0.008, 0.015) * times[quarter], lost=0.012, seed=seed))
        today = FIRST + dt.timedelta(days - 1)
        windows = scoring.past_windows(FIRST, today)
        found.append(scoring.past_forecasts(told, stand(told, day_number(today)), windows, np.array([0.5, 0.0, 1.0])))
    past = pd.concat(found)
    assert least < past["is_inside"].mean() < most


def test_a_month_of_many_wins_brings_them_to_those_who_stand_before_it():
    daily, months = constant(0.02, 0.03), np.repeat([0, 1, 2], [11, 10, 10])
    pace = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 3.0]])
    won = within(daily, 0, 30, pace=pace, months=months).of_standing[0, 0, 7]
    before, share = 0.95**20, 0.06 / 0.09
    assert won == pytest.approx(0.4 * (1 - before) + before * share * (1 - 0.91**10))


@SLOW
def test_bands_are_widened_by_earlier_quarters_alone():
    moves = moves_of(900)
    told = history(moves)
    final, windows = stand(told, day_number(LAST)), scoring.past_windows(FIRST, LAST)
    assumed = np.array([0.2, 0.5, 0.0, 1.0])
    every, earlier = (scoring.past_forecasts(told, final, found, assumed) for found in (windows, windows[:-3]))
    pd.testing.assert_frame_equal(every.iloc[: len(earlier)], earlier)
    assert every["quarter_on"].max() == pd.Timestamp("2024-07-01")


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@SLOW
def test_what_is_won_so_far_is_the_sum_of_the_deals_won_in_the_quarter(any_data_set):
    source = source_of(any_data_set)
    deals = deal_tables.standing(source, ALL)
    won = deals[(deals["outcome"] == "won") & (deals["closed_on"] >= "2024-10-01")]
    state = basis.forecast_basis(source, ALL).iloc[0]
    assert (state["won"], state["won_deals"]) == (won["deal_amount"].sum(), len(won))
    assert state["open"] == deals.loc[deals["outcome"] == "open", "deal_amount"].sum()
    assert state["unvalued"] == deals.loc[deals["outcome"] == "open", "deal_amount"].isna().sum()
    tiles = tables.forecast_tiles(source, ALL).set_index("metric")["value"]
    assert tiles["quarter_quota"] == 40_000
    assert tiles["pipeline_coverage"] == pytest.approx(state["open"] / (40_000 - state["won"]))
    assert 0 <= tiles["chance_of_quota"] <= 1
    assert tiles["quarter_forecast"] > state["won"]


@SLOW
def test_sellers_and_teams_add_up_to_the_whole(data_set):
    source = source_of(data_set)
    state = basis.forecast_basis(source, ALL).iloc[0]
    timed = tables.forecast(source, ALL).set_index("method").loc["timed", "value"]
    for found in (tables.forecast_by_seller(source, ALL), tables.forecast_by_team(source, ALL)):
        assert found[["won", "open", "quota"]].sum().tolist() == [state["won"], state["open"], 40_000]
        assert found["expected"].sum() == pytest.approx(timed)
    assert set(tables.forecast_by_team(source, ALL)["team"]) == {"North", "South"}


@SLOW
def test_the_same_question_has_the_same_answer(data_set):
    source = source_of(data_set)
    pd.testing.assert_frame_equal(tables.forecast(source, ALL), tables.forecast(open_source(source.data_set), ALL))


@SLOW
def test_quotas_are_for_sellers_and_teams_and_not_for_some_of_their_deals(data_set):
    source = source_of(data_set)
    assert basis.forecast_basis(source, ALL, DealTerms(owner=("e0",))).iloc[0]["quota"] == 20_000
    assert basis.forecast_basis(source, ALL, DealTerms(team=("North",))).iloc[0]["sellers"] == 1
    of_products = basis.forecast_basis(source, ALL, DealTerms(product=("p",))).iloc[0]
    assert not of_products["is_quota_apt"]
    assert np.isnan(of_products["quota"])
    assert basis.forecast_basis(source, Filters(scope=Scope(regions=("East",)))).iloc[0]["sellers"] == 0


@SLOW
def test_the_chance_of_a_stage_is_near_the_truth(data_set):
    found = tables.stage_probabilities(source_of(data_set), ALL).set_index("stage")
    assert found.index.tolist() == ["Talk", "Offer"]
    assert found["low"].max() < 0.4 < found["high"].min()
    assert found["visits"].tolist() == sorted(found["visits"], reverse=True)


@SLOW
def test_of_two_pipelines_the_chances_are_those_of_the_larger(data_set):
    deals, changes = company()
    renewals, of_renewals = company(120)
    for row in (*renewals, *of_renewals):
        row |= {
            "opportunity_id": f"r{row['opportunity_id']}",
            "stage": {"Talk": "Reminder", "Offer": "Renewal"}.get(row["stage"], row["stage"]),
        }
    deals = [row | {"pipeline": "New"} for row in deals] + [row | {"pipeline": "Renewals"} for row in renewals]
    places = {"New": ("Talk", "Offer"), "Renewals": ("Reminder", "Renewal")}
    stages = [
        {"stage": stage, "stage_order": order, "outcome": "open", "pipeline": pipeline}
        for pipeline, names in places.items()
        for order, stage in enumerate(names, 1)
    ]
    source = open_source(write(data_set, deals, changes + of_renewals, stages=stages))
    assert tables.stage_probabilities(source, ALL)["stage"].tolist() == ["Talk", "Offer"]
    assert tables.stage_probabilities(source, ALL, DealTerms(pipeline=("Renewals",)))["stage"].tolist() == ["Reminder", "Renewal"]


@SLOW
def test_of_few_closed_deals_nothing_is_forecast(data_set):
    source = source_of(data_set, 60)
    assert tables.forecast(source, ALL).empty
    assert tables.forecast_tiles(source, ALL).set_index("metric")["value"].isna()["quarter_forecast"]
    assert "too few for a forecast" in said(source)


@SLOW
def test_a_snapshot_is_forecast_from_ages_and_called_rough(data_set):
    source = source_of(data_set, has_history=False)
    assert tables.forecast(source, ALL)["value"].iloc[0] > 0
    assert tables.stage_probabilities(source, ALL)["stage"].tolist() == [""]
    assert words.basis_note(basis.forecast_basis(source, ALL)).count("Rough:") == 1


# ── kept ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@SLOW
def test_a_forecast_is_kept_once_a_day_and_scored_when_its_quarter_is_over(data_set):
    source = source_of(data_set)
    assert kept.can_be_kept(source, ALL)
    assert not kept.can_be_kept(source, Filters(as_of=dt.date(2024, 6, 1)))
    assert not kept.is_kept(source, ALL, ALL_DEALS, THIS_QUARTER)
    kept.keep(source, ALL)
    kept.keep(source, ALL)
    assert kept.is_kept(source, ALL, ALL_DEALS, THIS_QUARTER)
    log = kept.forecast_log(source, ALL)
    assert len(log) == 1
    assert log["actual"].isna().all()
    assert log["forecast"].iloc[0] == tables.forecast_tiles(source, ALL)["value"].iloc[0]
    said_before = workspace.KeptForecast(dt.date(2024, 7, 1), dt.date(2024, 7, 1), "", "simulation", 1, 1, 0, 2, np.nan, np.nan, 1)
    workspace.keep_forecast(source.data_set, said_before)
    over = kept.forecast_log(source, ALL).set_index("quarter_on").loc["2024-07-01"]
    deals = deal_tables.standing(source, ALL)
    won = deals[(deals["outcome"] == "won") & deals["closed_on"].between("2024-07-01", "2024-09-30")]
    assert over["actual"] == won["deal_amount"].sum()
    assert not over["is_inside"]
    assert kept.forecast_log(source, Filters(as_of=dt.date(2024, 6, 1))).empty
    assert kept.forecast_log(source, ALL, DealTerms(owner=("e0",))).empty


# ── what a reader sees ──────────────────────────────────────────────────────────────────────────────────────────────────


def said(source, terms: ForecastTerms = THIS_QUARTER) -> str:
    state, rows, tiles = (table(source, ALL, ALL_DEALS, terms) for table in (basis.forecast_basis, tables.forecast, tables.forecast_tiles))
    return words.finding(tiles, rows, state, currency="CNY")


@SLOW
@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize("count", [0, 60, 500])
def test_everything_is_told_in_both_languages_with_and_without_deals(data_set, spoken, count):
    source = source_of(data_set, count) if count else open_source(data_set)
    with speaking(spoken):
        state, rows = basis.forecast_basis(source, ALL), tables.forecast(source, ALL)
        assert said(source)
        if count:
            assert words.basis_note(state) or count == 60
        assert isinstance(words.tile_notes(state), dict)
        past, scores = basis.backtest(source, ALL), tables.scores(source, ALL)
        assert words.past_finding(past, scores)
        sums, stages = tables.forecast_by_seller(source, ALL), tables.stage_probabilities(source, ALL)
        assert words.seller_finding(sums, labels.names(sums, "seller"))
        assert words.stages_finding(stages, labels.names(stages, "stage"))
        assert words.log_note(kept.forecast_log(source, ALL))
        figure.distribution_bars(tables.distribution(source, ALL), rows, state, currency="CNY")
        figure.quota_bars(sums, labels.names(sums, "seller"), currency="CNY")
        figure.past_bands(past, currency="CNY")
        figure.stage_dots(stages, labels.names(stages, "stage"))
        for name, frame in (("forecast", rows), ("seller", sums), ("stages", stages), ("backtest", past), ("scores", scores)):
            shown = labels.in_words(frame)
            assert set(labels.columns(name, shown)) <= set(shown)


# ── the demo ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@SLOW
def test_four_of_five_bands_hold_what_came_over_demos(tmp_path):
    """12 demos: the three forecasts of a quarter err together, so that there are as many trials as quarters (some 50); of these a share of
    80% gives less than 66%, or more than 92%, once in 50 times.
    """
    found = []
    for seed in range(1, 13):
        past = basis.backtest(demo_source(tmp_path, Plan(customers=1_000, seed=seed)), ALL)
        found.append(past.assign(seed=seed))
    past = pd.concat(found)
    assert len(past[["seed", "quarter_on"]].drop_duplicates()) > 40
    assert 0.66 < past["is_inside"].mean() < 0.92
    assert abs(past["error"].mean()) < 0.15
    assert 0.35 < past["share_below"].mean() < 0.65


@SLOW
def test_the_chances_by_stage_are_those_the_demo_was_made_with(tmp_path):
    """5 demos without detours, 4 stages each: of 20 intervals of 95% 4 or more miss once in 60 times."""
    missed = 0
    for seed in range(5):
        source = demo_source(tmp_path, Plan(customers=10_000, seed=seed, effects=Effects(detours=False, go_live=False)))
        found = tables.stage_probabilities(source, ALL)
        truth = np.cumprod(deal_stages.CONVERSION[0][::-1])[::-1]
        missed += int(((found["low"] > truth) | (found["high"] < truth)).sum())
    assert missed <= 3


def demo_source(folder, plan):
    made, data_set = simulated(plan), find_data_set(f"duckdb:///{folder}/demo{plan.seed}.duckdb")
    with database.change(data_set) as writer:
        for table in (schema.opportunities, schema.opportunity_history, schema.stages):
            rows = made.tables[table]
            writer.append(table, rows.append_column("batch_id", pa.array([1] * rows.num_rows, pa.int32())))
        facts.rebuild(writer.connection)
    return open_source(data_set)
