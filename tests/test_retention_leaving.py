"""Who has left, and who is about to? Against hand-worked shops, SciPy, published contracts, simulations, and the demo's truth."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import opened_pages
import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest
from written_orders import sale, write

from crm_metrics import database, rooms, schema
from crm_metrics.customer_forecast import rhythm
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.database import Source
from crm_metrics.demo.build import build
from crm_metrics.demo.plan import Plan
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.intervals import wilson
from crm_metrics.metric import BadInput
from crm_metrics.retention.leaving import contract, query, words
from crm_metrics.retention.leaving.contract import states
from crm_metrics.retention.leaving.definitions import ChurnTerms, Judgement, agreement_rows
from crm_metrics.scope import Scope
from crm_metrics.segments.rule import Condition, Segment

LAST = dt.date(2025, 12, 31)
EVER = Filters()
SHOWN = rooms.tables("retention")


def day(number: int) -> dt.date:
    """The day so many days before the last one."""
    return LAST - dt.timedelta(number)


def table(name: str, source: Source, filters: Filters = EVER, *more: Any) -> pd.DataFrame:
    return SHOWN[name](source, filters, *more)


def row(frame: pd.DataFrame) -> Any:
    assert len(frame) == 1
    return frame.iloc[0]


@pytest.fixture(scope="module")
def written(shared_data_set) -> Callable[..., Source]:
    """Publish orders as a data set of that name, on DuckDB and on PostgreSQL; a module's tests share it."""

    def publish(name: str, orders: list[dict], **more: Any) -> Source:
        return open_written(shared_data_set(name), orders, **more)

    return publish


def open_written(data_set, orders, **more) -> Source:
    write(data_set, orders, **more)
    return database.open_source(data_set)


# ── the second order ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def five(written):
    """Five new customers, as they stand on the last day:

    Ann   first 100 days ago, again on the same day and 40 days later   second after 0 days
    Bob   first 100 days ago, again 10 days later                       second after 10
    Cid   first 60 days ago                                             none in 60
    Dot   first 50 days ago, again 30 days later                        second after 30
    Eve   first 20 days ago                                             none in 20
    One sale without a customer, and one cancelled second order of Cid.
    """
    orders = [
        sale("Ann", day(100), "10", region="east", product="tea"),
        sale("Ann", day(100), "10", region="east", product="cup"),
        sale("Ann", day(60), "10", region="east"),
        sale("Bob", day(100), "10", region="west", product="cup"),
        sale("Bob", day(90), "10", region="east", product="tea"),
        sale("Cid", day(60), "10", region="west", product="tea"),
        sale("Cid", day(55), "10", is_purchase=False, is_cancelled=True, region="west"),
        sale("Dot", day(50), "10", region="west", product="tea"),
        sale("Dot", day(20), "10", region="west", product="tea"),
        sale("Eve", day(20), "10", region="east", product="cup"),
        sale(None, day(0), "10", region="east"),
    ]
    return written("five", orders, products={"tea": "Food", "cup": "Ware"})


def test_the_curve_counts_second_orders_by_days_since_the_first(five):
    """At 0 one of 5; at 10 one of 4; Eve leaves at 20; at 30 one of 2: 1 - (4/5)(3/4)(1/2)."""
    curve = table("curve", five)
    assert curve[["age_days", "at_risk", "customers"]].to_numpy().tolist() == [[0, 5, 1], [10, 4, 1], [20, 3, 0], [30, 2, 1], [60, 1, 0]]
    assert curve["share"].tolist() == pytest.approx([0.2, 0.4, 0.4, 0.7, 0.7])
    assert curve["is_few"].all()
    assert ((curve["low"] < curve["share"]) & (curve["share"] < curve["high"])).all()


def test_what_is_found_of_the_second_order_stands_in_one_row(five):
    found = row(table("second_order", five))
    assert found[["customers", "came_back", "same_day", "median_days", "followed_days"]].tolist() == [5, 3, 1, 30, 60]
    assert found["share_30"] == pytest.approx(0.7)
    assert np.isnan(found["share_90"])  # nobody was followed so long


def test_new_customers_are_those_whose_first_order_lies_in_the_period_and_the_filters(five):
    in_period = Filters(start=day(60), end=LAST)
    assert row(table("second_order", five, in_period))[["customers", "came_back"]].tolist() == [3, 1]
    west = row(table("second_order", five, Filters(region=("west",))))
    assert west[["customers", "came_back"]].tolist() == [3, 2]  # Bob's second order was in the east
    food = row(table("second_order", five, Filters(category=("Food",))))
    assert food[["customers", "came_back"]].tolist() == [3, 2]


def test_nothing_after_the_as_of_day_is_seen(five):
    found = row(table("second_order", five, Filters(start=day(100), end=LAST, as_of=day(30))))
    assert found[["customers", "came_back", "followed_days"]].tolist() == [4, 2, 30]  # Dot is not back yet, Eve has not come


def test_who_may_see_one_region_sees_first_and_second_orders_of_that_region(five):
    found = row(table("second_order", five, Filters(scope=Scope(regions=("east",)))))
    assert found[["customers", "came_back", "same_day"]].tolist() == [3, 1, 1]  # of Bob the order in the east is his first


@pytest.mark.slow
def test_who_first_bought_something_of_no_known_category_is_found_by_that_choice(written):
    source = written("no_category", [sale("Ann", day(9), "10"), sale("Ann", day(3), "10"), sale("Bob", day(9), "10")])
    found = row(table("second_order", source, Filters(category=(UNKNOWN,)), "category"))
    assert found[["part", "customers", "came_back"]].tolist() == ["", 2, 1]


def test_parts_are_named_and_a_customer_stands_in_each_category_of_the_first_order(five):
    by_category = table("second_order", five, Filters(), "category").set_index("part")
    assert by_category["customers"].to_dict() == {"Food": 3, "Ware": 2}
    assert table("curve", five, Filters(), "sales_channel")["part"].unique().tolist() == [""]  # the file says none


@pytest.mark.slow
def test_the_curve_is_scipys_on_orders_of_any_shape(data_set):
    from scipy.stats import CensoredData, ecdf

    random, orders, durations, ended = np.random.default_rng(3), [], [], []
    for number in range(150):
        first, gap = int(random.integers(0, 300)), int(random.integers(0, 200))
        orders.append(sale(f"c{number}", day(first), "1"))
        ended.append(gap <= first)
        durations.append(gap if gap <= first else first)
        if gap <= first:
            orders.append(sale(f"c{number}", day(first - gap), "1"))
    orders.append(sale(None, LAST, "1"))
    curve = table("curve", open_written(data_set, orders)).set_index("age_days")
    days, is_end = np.array(durations), np.array(ended)
    theirs = ecdf(CensoredData(uncensored=days[is_end], right=days[~is_end])).cdf
    assert curve.loc[theirs.quantiles.astype(int), "share"].to_numpy() == pytest.approx(theirs.probabilities)


# ── own rhythm ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def simulated_rhythms(shape=1.5, rates_shape=2.5, rates_scale=60.0, customers=20_000) -> tuple[pd.DataFrame, np.ndarray]:
    """Rhythms of customers with one to seven intervals, and for each the next interval."""
    random = np.random.default_rng(8)
    count = random.integers(1, 8, customers)
    rate = random.gamma(rates_shape, 1 / rates_scale, customers)
    gaps = random.gamma(shape, 1 / rate[:, None], (customers, 8))
    held = np.arange(8) < count[:, None]
    logs = np.where(held, np.log(gaps), 0)
    columns = {"purchase_days": count + 1, "log_sum": logs.sum(axis=1), "log_square_sum": (logs**2).sum(axis=1)}
    return pd.DataFrame(columns).assign(span=np.where(held, gaps, 0).sum(axis=1)), gaps[:, 7]


@pytest.fixture(scope="module")
def usual() -> rhythm.Base:
    return rhythm.base(simulated_rhythms()[0], history_days=1_000)


def test_the_base_finds_the_shape_and_the_rates_that_made_the_intervals(usual):
    assert usual.shape == pytest.approx(1.5, rel=0.03)
    assert usual.rates_shape == pytest.approx(2.5, rel=0.06)
    assert usual.rates_scale == pytest.approx(60, rel=0.08)


def test_of_customers_who_come_back_one_in_twenty_is_called_late(usual):
    found, following = simulated_rhythms()
    late = rhythm.lateness(usual, found["purchase_days"].to_numpy(float), found["span"].to_numpy(), following)
    for share in (0.5, 0.9, 0.95):
        assert (late > share).mean() == pytest.approx(1 - share, abs=4 * np.sqrt(share * (1 - share) / len(late)) + 0.002)


def test_expected_days_and_lateness_say_the_same(usual):
    counted, span = np.array([1.0, 2.0, 30.0]), np.array([0.0, 10.0, 290.0])
    days = rhythm.expected_days(usual, counted, span, 0.95)
    assert rhythm.lateness(usual, counted, span, days) == pytest.approx([0.95] * 3)


def test_few_intervals_lean_on_all_customers_and_many_on_the_customers_own(usual):
    counted, means = np.array([1.0, 2.0, 6.0, 500.0]), np.array([0.0, 5.0, 5.0, 5.0])
    middle = rhythm.expected_days(usual, counted, means * (counted - 1))
    assert (np.diff(middle) < 0).all()
    assert middle[-1] == pytest.approx(5 * 0.789, rel=0.04)  # the median of a gamma of shape 1.5 is 0.789 of its mean
    assert middle[0] > 20


def test_in_a_short_history_nobody_is_called_late_by_intervals_that_could_only_be_short():
    short, _ = simulated_rhythms(customers=500, rates_scale=20.0)
    assert rhythm.base(short, history_days=31).state == "too_short"
    assert rhythm.base(short, history_days=364).state == "known"  # twice what is late
    rare, _ = simulated_rhythms(customers=500, rates_scale=600.0)
    assert rhythm.base(rare, history_days=364).state == "too_short"
    assert rhythm.base(rare, history_days=365).state == "known"


def test_two_who_are_silent_for_as_long_are_late_or_not_by_their_own_rhythm(usual):
    silent = rhythm.lateness(usual, np.array([11.0, 11.0]), np.array([70.0, 700.0]), np.array([60.0, 60.0]))
    assert silent[0] > 0.99
    assert silent[1] < 0.7


def test_without_intervals_enough_nobody_is_called_late(five):
    assert table("late", five).empty
    assert table("late_customers", five).empty
    tiles = table("churn_tiles", five).set_index("metric")
    assert tiles.loc[["late_customers"], "value"].isna().all()
    assert tiles.loc["late_customers", "n"] == 5


@pytest.fixture(scope="module")
def regulars(tmp_path_factory):
    """Forty customers who buy every 10 days, of whom ten stopped 60 days ago, and Rare, who buys every 100 and did so 60 days ago."""
    orders = [sale(f"c{number:02}", day(10 * step + 60 * (number < 10)), "1") for number in range(40) for step in range(12)]
    rare = [sale("Rare", day(60 + 100 * step), "1", region="east") for step in range(12)]
    return open_written(database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('regulars')}/mine.duckdb"), [*orders, *rare])


def test_who_stopped_is_late_and_who_is_rare_is_not(regulars):
    found = table("late_customers", regulars)
    assert sorted(found["customer_id"]) == [f"c{number:02}" for number in range(10)]
    assert found["days_since_last_order"].eq(60).all()
    assert found["mean_interval_days"].eq(10).all()
    assert (found["expected_on"] == pd.Timestamp(day(50))).all()
    assert found["lateness"].gt(0.95).all()
    assert table("late_customers", regulars, Filters(region=("east",))).empty


def test_late_adds_up_over_the_numbers_of_purchase_days(regulars):
    found = row(table("late", regulars))
    assert found[["purchase_days", "customers", "late"]].tolist() == ["10+", 41, 10]
    assert found[["low", "high"]].tolist() == pytest.approx(wilson(10, 41))


def test_those_who_are_late_only_later_were_not_late_on_an_earlier_day(regulars):
    assert table("late_customers", regulars, Filters(end=LAST, as_of=day(55))).empty


# ── what it is to have left ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def six(written):
    """Six customers and a window of 100 days; the year begins 365 days before the last day.

    active then: Ann (400 and 10 days ago), Bob (400), Fay (464); of these lost: Bob and Fay.
    not active then: Cid (500), Eve (465: 100 days of silence), and Dot, who came later (300).
    """
    days = {"Ann": (400, 10), "Bob": (400,), "Cid": (500,), "Dot": (300,), "Eve": (465,), "Fay": (464,)}
    return written("six", [sale(name, day(ago), "1") for name, gone in days.items() for ago in gone] + [sale(None, LAST, "1")])


def test_by_a_window_who_had_ordered_a_year_ago_and_has_not_now_is_lost(six):
    found = table("churn_definitions", six, Filters(), ChurnTerms(window_days=100)).set_index("definition")
    window: Any = found.loc["no_order"]
    assert window[["state", "customers", "churned", "lost_today", "customers_today"]].tolist() == ["known", 3, 2, 5, 6]
    assert window[["rate", "low", "high"]].tolist() == pytest.approx([2 / 3, *wilson(2, 3)])
    assert (window["since"], window["until"]) == (day(365), LAST)


def test_a_definition_without_data_says_why_and_has_no_rate(six):
    found = table("churn_definitions", six, Filters(), ChurnTerms(window_days=100)).set_index("definition")
    assert found.loc[["own_rhythm", "p_alive"], "state"].tolist() == ["too_few", "no_model"]
    assert found.loc[["own_rhythm", "p_alive"], ["rate", "customers", "lost_today"]].isna().all(axis=None)
    assert "too few customers" in words.silence_note(found.reset_index(), 100)
    early = table("churn_definitions", six, Filters(end=day(450)), ChurnTerms(window_days=100)).set_index("definition")
    assert early.loc["no_order", "state"] == "no_history"
    assert early.loc[["no_order"], "rate"].isna().all()


def test_where_the_data_hold_less_than_a_year_before_the_year_it_is_said(six):
    found = table("churn_definitions", six)
    assert found["is_history_short"].all()
    assert "only some are known" in words.silence_note(found, 365)
    assert "only some are known" not in words.silence_note(found.assign(is_history_short=False), 365)


def test_where_the_model_finds_nobody_leaving_it_is_said_and_no_number_shown():
    rates = pd.DataFrame(
        {"definition": ["own_rhythm", "p_alive"], "state": ["known", "no_leaving"], "rate": [0.2, np.nan], "customers": [50, 0]}
    ).assign(is_history_short=False)
    assert "nobody leaving" in words.silence_note(rates, 365)
    tiles = pd.DataFrame({"metric": ["late_customers", "churn_by_alive"], "value": [3.0, np.nan], "n": [50, 0]})
    sentence = words.finding(tiles, rates, ChurnTerms())
    assert "20.0% by their own rhythm" in sentence
    assert "P(alive)" not in sentence
    assert [metric.name for metric in words.shown_metrics(tiles)] == ["late_customers"]


def test_of_few_customers_no_rate_stands_in_the_sentence_or_the_tiles(six):
    rates, found = table("churn_definitions", six), table("churn_tiles", six)
    assert rates["rate"].notna().any()
    assert found.loc[found["unit"] == "share", ["value", "low", "high"]].isna().all(axis=None)
    assert "%" not in words.finding(found, rates, ChurnTerms())


def test_agreement_counts_those_who_were_active_under_both():
    held = np.ones(5, dtype=bool)
    one = Judgement("known", np.array([1, 1, 1, 1, 0], dtype=bool), np.array([1, 1, 0, 0, 1], dtype=bool))
    other = Judgement("known", np.array([1, 1, 1, 1, 1], dtype=bool), np.array([1, 0, 1, 0, 1], dtype=bool))
    found = row(agreement_rows({"a": one, "b": other, "c": one._replace(state="no_model")}, held))
    assert found[["customers", "lost_by_both", "lost_by_first", "lost_by_second", "lost_by_neither"]].tolist() == [4, 1, 1, 1, 1]
    assert found["agreed_share"] == 0.5


@pytest.mark.parametrize("terms", [(0, 95.0), (365, 100.0), (365, 0.0)])
def test_a_window_or_a_share_that_is_none_is_refused(terms):
    with pytest.raises(BadInput):
        ChurnTerms.of_percent(*terms)


# ── contracts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def contract_rows(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Contracts: kind, started_on, ended_on, tenure_months, has_churned; one each."""
    frame = pd.DataFrame(rows, columns=["contract_kind", "started_on", "ended_on", "tenure_months", "has_churned"])
    return frame.assign(contracts=1)


def test_a_contract_that_ends_after_the_as_of_day_still_runs_and_is_as_old_as_it_is_then():
    rows = contract_rows(("a", dt.date(2025, 1, 31), dt.date(2025, 6, 29), 5, True))
    now, then = states(rows, dt.date(2025, 7, 1)).iloc[0], states(rows, dt.date(2025, 3, 30)).iloc[0]
    assert now[["tenure", "is_lost", "is_ended"]].tolist() == [5, True, True]
    assert then[["tenure", "is_lost", "is_ended"]].tolist() == [2, False, False]


def test_a_tenure_alone_is_taken_as_it_is_and_a_running_contract_is_aged_by_its_first_day():
    rows = contract_rows(
        ("tenure alone, lost", None, None, 7, True),
        ("tenure alone, running", None, None, 9, False),
        ("nothing known", None, None, 3, None),
        ("running", dt.date(2025, 1, 1), None, 1, False),
        ("ended by the company", dt.date(2025, 1, 1), dt.date(2025, 3, 31), None, False),
        ("ended, by whom is not said", dt.date(2025, 1, 1), dt.date(2025, 3, 31), None, None),
    )
    found = states(rows, dt.date(2025, 5, 31))
    assert found["tenure"].tolist() == [7, 9, 3, 5, 3, 3]
    assert found["is_lost"].tolist() == [True, False, False, False, False, True]
    assert found["is_known"].tolist() == [True, True, False, True, True, True]
    whole = contract.churn_rows(found).iloc[0]
    assert whole[["contracts", "churned", "ended_otherwise", "running"]].tolist() == [5, 2, 1, 2]


def test_contracts_lost_in_a_year_are_of_those_that_ran_at_its_start():
    began = dt.date(2024, 1, 1)
    rows = contract_rows(
        ("ended before", began, dt.date(2024, 6, 30), None, True),
        ("ended within", began, dt.date(2025, 3, 31), None, True),
        ("runs", began, None, None, False),
        ("began later", dt.date(2025, 2, 1), dt.date(2025, 4, 30), None, True),
    )
    assert contract.year_counts(states(rows, LAST), day(365)) == (2, 1)


def yearly_contracts(percents) -> pd.DataFrame:
    """A thousand contracts of Fader and Hardie (2007), table 1, renewed every 12 months and seen for 12 years."""
    lost = -np.diff(np.asarray(percents, dtype=float)).round(3) * 10
    rows = [(12 * (year + 1), True, round(count)) for year, count in enumerate(lost)] + [(144, False, 1000 - round(lost.sum()))]
    frame = pd.DataFrame(rows, columns=["tenure_months", "has_churned", "contracts"])
    return frame.assign(contract_kind=None, started_on=None, ended_on=None)


def test_the_hold_out_of_fader_and_hardie_is_found_in_contracts(shared_data):
    percents = pd.read_csv(shared_data / "sbg_survival" / "fader_hardie_2007_table1.csv.gz")["high_end_pct"]
    fits, curve = contract.projections(states(yearly_contracts(percents), None))
    found = row(fits)
    assert found[["period_months", "fitted_months", "seen_months", "verdict"]].tolist() == [12, 84, 144, "fitted"]
    assert (round(found["alpha"], 3), round(found["beta"], 3)) == (0.668, 3.806)
    held = curve[curve["is_held_out"]]
    assert held["tenure_months"].tolist() == [96, 108, 120, 132, 144]
    assert held["projected"].round(3).tolist() == [0.460, 0.436, 0.414, 0.395, 0.378]
    assert held["actual"].tolist() == pytest.approx(percents[8:13] / 100)
    assert found["mean_error"] == pytest.approx((held["projected"] - held["actual"]).abs().mean())
    assert found["mean_error"] < words.LARGEST_ERROR
    assert curve.loc[curve["is_ahead"], "actual"].isna().all()


@pytest.fixture(scope="module")
def telco(shared_data, tmp_path_factory) -> Source:
    """7,043 contracts without a day and without an order."""
    data_set = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('telco')}/mine.duckdb")
    file = shared_data / "telco" / "Telco-Customer-Churn.csv.gz"
    import_file(data_set, file.read_bytes(), file.name, load_mapping("telco"))
    return database.open_source(data_set)


@pytest.mark.slow
def test_telco_churn_is_the_published_one(telco):
    churn = table("contract_churn", telco)
    assert churn[["contracts", "churned"]].iloc[0].tolist() == [7043, 1869]
    assert (churn["rate"] * 100).round(2).tolist() == [26.54, 42.71, 2.83, 11.27]
    assert churn["contract_kind"].tolist()[1:] == ["Month-to-month", "Two year", "One year"]


@pytest.mark.slow
def test_the_curve_of_contracts_is_scipys(telco, shared_data):
    from scipy.stats import CensoredData, ecdf

    file = pd.read_csv(shared_data / "telco" / "Telco-Customer-Churn.csv.gz")
    is_lost = (file["Churn"] == "Yes").to_numpy()
    tenure = file["tenure"].to_numpy()
    theirs = ecdf(CensoredData(uncensored=tenure[is_lost], right=tenure[~is_lost])).sf
    curve = table("contract_curve", telco)
    ours = curve[curve["is_all"].astype(bool)].set_index("tenure_months").loc[theirs.quantiles.astype(int)]
    assert ours["survival"].to_numpy() == pytest.approx(theirs.probabilities)


@pytest.mark.slow
def test_a_projection_that_fails_its_test_is_not_to_be_relied_on(telco):
    fits = table("contract_fit", telco)
    assert fits["verdict"].tolist() == ["fitted", "too_few", "not_falling"]
    monthly = row(fits[fits["contract_kind"] == "Month-to-month"])
    assert monthly["mean_error"] > words.LARGEST_ERROR
    assert words.contract_finding("lasting", fits, "Month-to-month").startswith("Don't rely on this projection")
    assert words.contract_finding("lasting", fits, "One year").startswith("No projection")


def opened(source: Source, monkeypatch, **parameters: str) -> AppTest:
    """The page on a data set."""
    monkeypatch.setenv(database.FOLDER_SETTING, str(source.data_set.link.parent))
    app = opened_pages.opened("churn", **{"data": source.data_set.name, "period": "all", **parameters})
    assert not app.exception
    return app


@pytest.mark.slow
@pytest.mark.parametrize("tab", ["contracts", "lasting"])
def test_the_page_opens_on_contracts_alone(telco, monkeypatch, tab):
    app = opened(telco, monkeypatch, tab=tab)
    assert any("26.5% of 7,043 contracts" in markdown.value for markdown in app.markdown)
    assert len(app.get("plotly_chart")) == 1
    assert not app.number_input  # nobody orders, so nobody is late


@pytest.mark.slow
def test_contracts_are_those_of_the_segments_and_of_the_customers_one_may_see(any_data_set):
    """Ann (east) and Bob (west) have a contract each, and so has Zoe, who never ordered."""
    write(any_data_set, [sale("Ann", day(9), "10", region="east"), sale("Bob", day(5), "20", region="west"), sale(None, LAST, "1")])
    rows = pa.table(
        {
            "contract_id": ["1", "2", "3"],
            "customer_id": ["Ann", "Bob", "Zoe"],
            "started_on": [day(400), day(300), day(2)],
            "has_churned": [False] * 3,
            "batch_id": pa.array([1] * 3, pa.int32()),
        }
    )
    with database.change(any_data_set) as writer:
        writer.append(schema.contracts, rows)
    source = database.open_source(any_data_set)
    rich = Segment("rich", Condition("net_revenue", low=15.0))
    for filters, contracts in (
        (EVER, 3),
        (Filters(end=day(3)), 2),  # Zoe's has not begun
        (Filters(start=day(3)), 3),
        (Filters(segments=(rich,)), 1),
        (Filters(scope=Scope(regions=("east",))), 1),
    ):
        assert table("contract_churn", source, filters)["contracts"].iloc[0] == contracts
    assert table("contract_curve", source)["tenure_months"].tolist() == [0, 9, 13]


def test_without_contracts_the_tables_are_empty_and_the_page_says_so(five):
    for name in ("contract_churn", "contract_curve", "contract_fit", "contract_projection"):
        assert table(name, five).empty
    assert "no contracts" in words.contract_finding("contracts", table("contract_churn", five), "")


# ── the demo ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Source:
    data_set = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('demo')}/demo.duckdb")
    build(data_set, Plan(customers=2_000, seed=7))
    return database.open_source(data_set)


@pytest.mark.slow
def test_of_those_who_came_back_the_late_have_left_in_truth_and_the_others_have_not(demo):
    """Nobody leaves before a second purchase in the demo, so one-time buyers can't tell."""
    table_of = schema.demo_customers.c
    truth = demo(select(table_of.customer_id, table_of.left_on).where(~table_of.is_test)).set_index("customer_id")["left_on"].notna()
    late = table("late_customers", demo)
    came_back = truth[truth.index.isin(demo(repeaters())["customer_id"])]
    is_late = came_back.index.isin(late["customer_id"])
    assert came_back[is_late].mean() > 0.85
    assert came_back[~is_late].mean() < 0.3


def repeaters():
    """Customers with a second purchase."""
    named = schema.order_facts.join(schema.customer_facts, schema.customer_facts.c.customer_number == schema.order_facts.c.customer_number)
    return select(schema.customer_facts.c.customer_id).select_from(named).where(schema.order_facts.c.purchase_number == 2)


@pytest.mark.slow
def test_the_definitions_are_of_the_same_customers_and_the_parts_add_up(demo):
    found = table("churn_definitions", demo).set_index("definition")
    assert (found["state"] == "known").all()
    assert found["churned"].le(found["customers"]).all()
    assert found.loc[["own_rhythm", "p_alive", "no_order"], "customers_today"].nunique() == 1
    late = table("late", demo)
    assert late["late"].sum() == found.loc["own_rhythm", "lost_today"] == len(table("late_customers", demo))
    for definition in ("p_alive", "no_order"):
        assert len(table("late_customers", demo, EVER, ChurnTerms(), definition)) == found.loc[definition, "lost_today"]
    agreement = table("churn_agreement", demo)
    parts = agreement[["lost_by_both", "lost_by_first", "lost_by_second", "lost_by_neither"]].sum(axis=1)
    assert parts.tolist() == agreement["customers"].tolist()


@pytest.mark.slow
def test_regions_add_up_to_the_whole(demo):
    every = demo(query.customer_names())
    regions = demo(select(schema.order_facts.c.order_region).distinct())["order_region"].dropna()
    bought = sum(row(table("second_order", demo, Filters(region=(region,))))["customers"] for region in regions)
    assert bought == row(table("second_order", demo))["customers"] <= len(every)


@pytest.mark.slow
@pytest.mark.parametrize("tab", list(words.QUESTIONS))
def test_every_question_of_the_page_is_answered_on_the_demo(demo, monkeypatch, tab):
    app = opened(demo, monkeypatch, tab=tab)
    assert len(app.get("plotly_chart")) == 1
    assert len(app.dataframe) == (4 if tab == "late" else 1)


@pytest.mark.slow
def test_a_shorter_window_calls_more_customers_lost(demo, monkeypatch):
    app = opened(demo, monkeypatch, lost_days="90")
    assert any("by 90 days without an order" in markdown.value for markdown in app.markdown)
    assert not app.error
