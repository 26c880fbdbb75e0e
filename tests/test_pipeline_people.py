"""Sales people: calls, hits, win rates that small numbers do not lead, overdue tasks, velocity, and before and after the go-live."""

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_pages import opened, texts

from crm_metrics import database, facts, schema
from crm_metrics.database import DataSet, Source, open_source
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import speaking
from crm_metrics.pipeline.deals import tables as deals_tables
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.funnel import tables as funnel_tables
from crm_metrics.pipeline.people import labels, pace, statistic, tables, words
from crm_metrics.pipeline.people.cases import CASES, beside_own
from crm_metrics.pipeline.people.statistic import Side, compared, differences, shrunk
from crm_metrics.pipeline.people.terms import GoLive
from crm_metrics.scope import Scope
from crm_metrics.terminal import MOST_COLUMNS

NO_CHANGES = pd.DataFrame(columns=["measure", "unit", *compared(Side(), Side())])

# ── before and after ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_leads_a_day_from_60_calls_of_which_1_in_52_hits_to_80_of_which_1_in_33_are_2_10_times_as_many():
    before, after = statistic.leads_per_day(60, 1 / 52), statistic.leads_per_day(80, 1 / 33)
    found = compared(Side(before), Side(after))
    assert found["factor"] == pytest.approx(2.101, abs=0.0005)
    assert found["relative"] == pytest.approx(1.101, abs=0.0005)
    assert found["change"] == pytest.approx(80 / 33 - 60 / 52)


def test_the_cases_give_both_points_and_relative_change_and_what_was_not_published_is_unknown():
    rows = beside_own(NO_CHANGES).set_index(["case", "measure"])
    assert rows.loc[("A13", "leads_per_day"), "factor"] == pytest.approx(2.101, abs=0.0005)
    assert list(rows.loc[("A17", "lead_conversion"), ["change", "relative"]]) == pytest.approx([0.20, 0.50])
    assert rows.loc[("A14", "order_entry_minutes"), "relative"] == pytest.approx(-0.906, abs=0.0005)
    assert rows.loc[("A14", "order_entry_staff"), "change"] == -12
    assert rows.loc[("B13", ""), ["before", "after", "factor"]].isna().all()
    assert labels.cases_in_words(rows.reset_index()).iloc[1]["before_text"] == "1.9%"
    assert len(rows) == len(CASES)


def test_the_interval_of_a_difference_of_shares_is_newcombes():
    """56 of 70 against 48 of 80: Newcombe (1998), Statistics in Medicine 17, table II, example (a), method 10: 0.0524 to 0.3339."""
    found = compared(statistic.share_side(48, 80), statistic.share_side(56, 70))
    assert found["change"] == pytest.approx(0.20)
    assert (found["change_low"], found["change_high"]) == pytest.approx((0.0524, 0.3339), abs=0.0001)


def test_a_factor_of_what_may_have_been_nothing_has_no_bounds():
    found = compared(statistic.share_side(0, 10), statistic.share_side(5, 10))
    assert math.isnan(found["factor"])
    assert math.isnan(found["factor_high"])


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_interval_of_a_factor_holds_the_factor_and_turns_with_the_sides(before: int, after: int):
    first, second = statistic.share_side(before, 400), statistic.share_side(after, 400)
    found, turned = compared(first, second), compared(second, first)
    assert found["factor_low"] <= found["factor"] + 1e-9
    assert found["factor"] <= found["factor_high"] + 1e-9
    assert found["factor_low"] == pytest.approx(1 / turned["factor_high"])


def test_the_share_of_a_sum_that_all_items_make_up_is_certain():
    assert statistic.part_side(60.0, 60.0, 3, squares_of_part=1400.0, squares=1400.0) == Side(1.0, 1.0, 1.0, 3)


# ── win rates ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def ranked(won: list[int], closed: list[int]) -> pd.DataFrame:
    """The scorecard of people of whom nothing but deals is known."""
    sums = pd.DataFrame({name: [0.0] * len(won) for name in (*statistic.SUMS, *pace.MOMENTS)})
    sums = sums.assign(person=[f"p{place}" for place in range(len(won))], won=won, lost=np.array(closed) - np.array(won))
    return statistic.scorecard(sums, ["person"])


@pytest.mark.parametrize("others", [(), ((30, 100),), ((90, 100), (10, 100)), ((1, 3), (0, 2), (5, 9))])
def test_two_of_two_does_not_outrank_sixty_of_a_hundred(others: tuple[tuple[int, int], ...]):
    won, closed = zip((2, 2), (60, 100), *others, strict=True)
    rank = ranked(list(won), list(closed)).set_index("person")["rank"]
    assert rank["p1"] < rank["p0"]


def test_a_rate_is_drawn_to_that_of_all_the_more_the_fewer_deals_it_rests_on():
    found = shrunk(np.array([4.0, 40.0, 400.0, 200.0]), np.array([5.0, 50.0, 500.0, 1000.0]))
    assert (np.diff(found.rate[:3]) > 0).all()  # all three won 80%
    assert (found.rate[:3] < 0.8).all()
    assert found.low[0] < found.rate[0] < found.high[0]
    assert found.high[0] - found.low[0] > found.high[2] - found.low[2]


def test_who_has_won_all_of_few_deals_is_not_certain_to_win_every_one():
    """By Bayes over a grid of means and strengths: 5 of 5 beside 3 of 3 0.71 to 1; 2 of 2 alone 0.35 to 1; 0 of 1 alone 0 to 0.83."""
    for won, closed, low, high in (([5.0, 3.0], [5.0, 3.0], 0.71, 1.0), ([2.0], [2.0], 0.35, 1.0), ([0.0], [1.0], 0.0, 0.83)):
        found = shrunk(np.array(won), np.array(closed))
        assert (found.low[0], found.high[0]) == pytest.approx((low, high), abs=0.06)


def test_who_has_no_closed_deal_has_no_rate_and_no_rank():
    rows = ranked([0, 5], [0, 9]).set_index("person")
    assert rows.loc["p0", ["win_rate_of_closed", "win_rate_shrunk", "rank"]].isna().all()


def test_sellers_alike_do_not_differ_and_one_far_better_does():
    alike, one_better = np.full(6, 30.0), np.array([70.0, 30, 30, 30, 30, 30])
    assert (differences(alike, np.full(6, 100.0)) == 1).all()
    assert (differences(one_better, np.full(6, 100.0)) < 0.05).tolist()[0]
    assert np.isnan(differences(np.array([2.0, 30.0]), np.array([2.0, 100.0]))).all()  # too few for a test


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def amounts(*values: str | None) -> pa.Array:
    return pa.array([Decimal(value) if value else None for value in values], pa.decimal128(18, 4))


def day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def written(data_set: DataSet, rows: dict[schema.Table, dict[str, Any]]) -> Source:
    with database.change(data_set) as writer:
        for table, columns in rows.items():
            writer.append(table, pa.table(columns))
        facts.rebuild(writer.connection)
    return open_source(data_set)


AMOUNTS, OWNERS = ("100", None, "70", "40", "50"), ["b", "b", "b", "b", None]


def told(closings: list[str | None], outcomes: list[str], is_known: list[bool]) -> dict[str, Any]:
    """The history of the deals: created on 2024-01-10, closed where that is known."""
    every = [(place, 1, "2024-01-10", "open") for place in range(len(closings))]
    every += [(place, 2, closing, outcomes[place]) for place, closing in enumerate(closings) if closing and is_known[place]]
    return {
        "opportunity_id": [f"d{place + 1}" for place, *_ in every],
        "change_number": [number for _, number, *_ in every],
        "changed_at": pa.array([dt.datetime.fromisoformat(on) for _, _, on, _ in every], pa.timestamp("us")),
        "outcome": [outcome for *_, outcome in every],
        "deal_amount": amounts(*(AMOUNTS[place] for place, *_ in every)),
        "owner_id": [OWNERS[place] for place, *_ in every],
        "batch_id": [1] * len(every),
    }


def small_team(data_set: DataSet, *, with_calls: bool = True, known_until: str = "2024-12-31") -> Source:
    """Ann of the north calls, Bob of the south sells; today is 2024-03-31.

    calls  2024-01-08 Ann 50, as a daily count; one lead of hers, in the south, qualified that day     -> 1 hit
           2024-01-09 Ann 3 one by one, one of them 'qualified'; two leads of hers qualified that day   -> 1 hit
    deals  of Bob: won 100 after 10 days (from Ann's lead), won of unknown value after 30 days, lost, open 40; of nobody: won 50 after 20
    tasks  of Bob: due 2024-01-10 and done 2024-01-12; due 2024-03-01, not done; due 2024-04-05

    known_until: what happened later is not in the data.
    """
    closings = ["2024-01-20", "2024-02-09", "2024-02-01", None, "2024-01-30"]
    outcomes = ["won", "won", "lost", "open", "won"]
    is_known = [closing is not None and closing <= known_until for closing in closings]
    rows: dict[schema.Table, dict[str, Any]] = {
        schema.employees: {
            "employee_id": ["a", "b"],
            "employee_name": ["Ann", "Bob"],
            "team": ["callers", "sellers"],
            "role": ["telesales", "sales"],
            "region": ["north", "south"],
            "batch_id": [1, 1],
        },
        schema.leads: {
            "lead_id": ["l1", "l2", "l3"],
            "owner_id": ["a", "a", "a"],
            "region": ["south", "north", "north"],
            "created_on": [day("2024-01-08"), day("2024-01-09"), day("2024-01-09")],
            "qualified_on": [day("2024-01-08"), day("2024-01-09"), day("2024-01-09")],
            "batch_id": [1, 1, 1],
        },
        schema.opportunities: {
            "opportunity_id": ["d1", "d2", "d3", "d4", "d5"],
            "lead_id": ["l1", None, None, None, None],
            "owner_id": OWNERS,
            "region": ["south"] * 5,
            "outcome": [outcome if known else "open" for outcome, known in zip(outcomes, is_known, strict=True)],
            "created_on": [day("2024-01-10")] * 5,
            "closed_on": [day(closing) if known else None for closing, known in zip(closings, is_known, strict=True)],
            "deal_amount": amounts(*AMOUNTS),
            "batch_id": [1] * 5,
        },
        schema.opportunity_history: told(closings, outcomes, is_known),
        schema.tasks: {
            "task_id": ["t1", "t2", "t3"],
            "employee_id": ["b", "b", "b"],
            "opportunity_id": ["d1", "d1", "d4"],
            "due_on": [day("2024-01-10"), day("2024-03-01"), day("2024-04-05")],
            "done_on": [day("2024-01-12") if known_until >= "2024-01-12" else None, None, None],
            "batch_id": [1] * 3,
        },
    }
    if with_calls:
        times = ["2024-01-08T00:00", "2024-01-09T09:00", "2024-01-09T10:00", "2024-01-09T11:00", "2024-03-31T09:00"]
        calls = pa.table(
            {
                "activity_id": ["1", "2", "3", "4", "5"],
                "activity_kind": ["call", "call", "Call", "call", "visit"],
                "happened_at": pa.array([dt.datetime.fromisoformat(text) for text in times], pa.timestamp("us")),
                "employee_id": ["a", "a", "a", "a", "b"],
                "customer_id": [None, None, None, None, "c"],
                "activity_count": [50, 1, 1, 1, None],
                "activity_result": [None, "no answer", "qualified", "reached", None],
                "batch_id": [1] * 5,
            }
        )
        rows[schema.activities] = calls.filter(pa.array([text[:10] <= known_until for text in times])).to_pydict()
    return written(data_set, rows)


@pytest.fixture(scope="module")
def team(shared_data_set: Callable[[str], DataSet]) -> Source:
    return small_team(shared_data_set("team"))


def test_calls_hits_and_deals_of_each_person_are_those_counted_by_hand(team: Source):
    rows = tables.people_detail(team, Filters()).set_index("employee_id")
    ann, bob, nobody = rows.loc["a"], rows.loc["b"], rows[rows.index.isna()].iloc[0]
    assert list(ann[["calls", "call_days", "hits", "calls_per_person_day", "leads_per_day"]]) == [53, 2, 2, 26.5, 1]
    assert ann["hit_rate"] == pytest.approx(2 / 53)
    assert list(bob[["deals", "won", "lost", "open", "won_value", "won_unvalued", "days_to_win"]]) == [4, 2, 1, 1, 100, 1, 20]
    assert bob["win_rate_of_closed"] == pytest.approx(2 / 3)
    assert (bob["contribution"], nobody["contribution"]) == pytest.approx((2 / 3, 1 / 3))
    assert (bob["rank"], nobody["won"]) == (1, 1)
    assert math.isnan(nobody["rank"])  # what nobody owns is no person's success
    assert tables.people_detail(team, Filters(), role="sales")["contribution"].tolist() == pytest.approx([2 / 3])
    assert bob["value_per_won_deal"] == 100
    assert (bob["tasks_due"], bob["overdue_tasks"], bob["customers_per_day"]) == (2, 1, 1)
    assert bob["velocity"] == pytest.approx(1 * 100 * (2 / 3) / 20)


def test_the_tiles_are_those_counted_by_hand(team: Source):
    found = tables.people_tiles(team, Filters()).set_index("metric")
    assert found["value"].drop(["hit_rate", "velocity"]).tolist() == [26.5, 1, 100, 1]
    assert found.loc["velocity", "value"] == pytest.approx(1 * 75 * 0.75 / 20)
    assert found["n"].tolist() == [2, 53, 2, 1, 2, 3]


def test_a_hit_counts_with_the_call_whatever_region_the_lead_is_of(team: Source):
    for filters in (Filters(region=("north",)), Filters(scope=Scope(regions=("north",)))):
        rows = tables.people_detail(team, filters)
        assert rows[["employee_id", "calls", "hits"]].to_numpy().tolist() == [["a", 53, 2]]


def test_on_an_earlier_day_a_task_done_later_is_overdue_and_a_deal_won_later_is_open(team: Source):
    then = Filters(as_of=dt.date(2024, 1, 11))
    rows = tables.people_detail(team, then).set_index("employee_id")
    assert list(rows.loc["b", ["won", "open", "tasks_due", "overdue_tasks"]]) == [0, 4, 1, 1]
    overdue = tables.tasks_overdue(team, then)
    assert overdue[["task_id", "days_overdue", "deal_outcome"]].to_numpy().tolist() == [["t1", 1, "open"]]
    assert tables.tasks_overdue(team, Filters())["deal_outcome"].tolist() == ["won"]


@pytest.mark.slow
@pytest.mark.parametrize("until", ["2024-01-11", "2024-01-25", "2024-02-05"])
def test_what_is_seen_on_an_earlier_day_is_what_the_data_held_then(team: Source, tmp_path: Path, until: str):
    then, on = Filters(as_of=day(until)), GoLive(dt.date(2024, 1, 9))
    cut = small_team(database.find_data_set(f"duckdb:///{tmp_path}/cut.duckdb"), known_until=until)
    for table in (tables.people_detail, tables.teams_detail, tables.people_tiles, tables.velocity, tables.tasks_overdue):
        pd.testing.assert_frame_equal(table(team, then), table(cut, then))
    pd.testing.assert_frame_equal(tables.before_after(team, then, go_live=on), tables.before_after(cut, then, go_live=on))


def test_calls_of_the_period_are_counted_by_their_day(team: Source):
    filters = Filters(start=dt.date(2024, 1, 9), end=dt.date(2024, 3, 31))
    rows = tables.people_detail(team, filters).set_index("employee_id")
    assert list(rows.loc["a", ["calls", "call_days", "hits"]]) == [3, 1, 1]


@pytest.mark.slow
def test_a_call_brings_one_lead_at_most(any_data_set: DataSet):
    days, ids = [day("2024-01-08")] * 3, ["l1", "l2", "l3"]
    rows = {
        schema.leads: {"lead_id": ids, "owner_id": ["a"] * 3, "created_on": days, "qualified_on": days, "batch_id": [1] * 3},
        schema.activities: {
            "activity_id": ["1"],
            "activity_kind": ["call"],
            "happened_at": pa.array([dt.datetime(2024, 1, 8, 9)], pa.timestamp("us")),
            "employee_id": ["a"],
            "activity_count": [1],
            "batch_id": [1],
        },
    }
    source = written(any_data_set, rows)
    assert list(tables.people_tiles(source, Filters()).set_index("metric").loc["hit_rate", ["value", "n"]]) == [1, 1]
    assert tables.people_detail(source, Filters())[["calls", "hits", "qualified_leads"]].to_numpy().tolist() == [[1, 1, 3]]
    assert funnel_tables.funnel(source, Filters())["next_step_rate"].iloc[0] == 1  # the same hit rate


@pytest.mark.slow
def test_a_lead_marked_as_qualified_on_no_day_is_one_of_its_owner_as_in_the_funnel(any_data_set: DataSet):
    ids, days = ["l1", "l2", "l3"], [day("2024-01-08")] * 3
    statuses = ["Qualified", "working", "converted"]
    rows = {
        schema.leads: {"lead_id": ids, "owner_id": ["a"] * 3, "created_on": days, "lead_status": statuses, "batch_id": [1] * 3},
        schema.activities: {
            "activity_id": ["1"],
            "activity_kind": ["Call"],
            "happened_at": pa.array([dt.datetime(2024, 1, 8, 9)], pa.timestamp("us")),
            "employee_id": ["a"],
            "activity_count": [5],
            "batch_id": [1],
        },
    }
    source = written(any_data_set, rows)
    assert tables.people_detail(source, Filters())[["calls", "leads", "qualified_leads"]].to_numpy().tolist() == [[5, 3, 2]]
    steps = funnel_tables.funnel(source, Filters()).set_index("step")["count"]
    assert [steps[step] for step in ("calls", "leads", "qualified_leads")] == [5, 3, 2]


@pytest.mark.slow
def test_where_nobody_called_the_tiles_are_unknown_and_the_page_says_so(data_set: DataSet):
    source = small_team(data_set, with_calls=False)
    tiles = tables.people_tiles(source, Filters())
    assert tiles.set_index("metric")["value"][["calls_per_person_day", "hit_rate", "leads_per_day"]].isna().all()
    assert "no calls" in words.basis_note(tiles, deals_tables.basis(source, Filters()))


def test_value_won_from_calls_is_that_of_deals_whose_lead_belongs_to_a_caller(team: Source):
    found = tables.before_after(team, Filters(), go_live=GoLive(dt.date(2024, 1, 25))).set_index("measure")
    assert list(found.loc["telesales_share", ["before", "before_n", "after", "after_n"]]) == [1.0, 1, 0.0, 1]
    assert list(found.loc["calls_per_person_day", ["before", "before_n", "after_n"]]) == [26.5, 2, 0]


@pytest.mark.slow
@pytest.mark.parametrize(("said_by", "share"), [("lead", 0.25), ("deal", 0.25), ("nobody", math.nan)])
def test_that_a_deal_came_of_a_call_is_said_by_the_deal_or_by_its_lead_or_is_unknown(any_data_set: DataSet, said_by: str, share: float):
    rows = {
        schema.leads: {
            "lead_id": ["l"],
            "owner_id": ["a"],
            "created_on": [day("2023-01-08")],
            "opportunity_id": ["d1" if said_by == "lead" else None],
            "batch_id": [1],
        },
        schema.opportunities: {
            "opportunity_id": ["d1", "d2"],
            "lead_id": ["l" if said_by == "deal" else None, None],
            "outcome": ["won", "won"],
            "closed_on": [day("2024-01-20")] * 2,
            "deal_amount": amounts("10", "30"),
            "batch_id": [1, 1],
        },
        schema.activities: {
            "activity_id": ["1"],
            "activity_kind": ["call"],
            "happened_at": pa.array([dt.datetime(2024, 1, 8, 9)], pa.timestamp("us")),
            "employee_id": ["a"],
            "batch_id": [1],
        },
    }
    found = tables.before_after(written(any_data_set, rows), Filters(), go_live=GoLive(dt.date(2024, 2, 1))).set_index("measure")
    assert found.loc["telesales_share", "before"] == pytest.approx(share, nan_ok=True)
    assert found["before"].isna()["lead_conversion"]  # no lead has a day of conversion: unknown, not 0%


def test_who_leaves_on_the_friday_before_entered_orders_before_and_a_later_one_is_no_staff_yet(data_set: DataSet):
    source = written(
        data_set,
        {
            schema.employees: {
                "employee_id": ["a", "b", "c", "d"],
                "role": ["order entry", "order entry", "Order entry", "sales"],
                "hired_on": [None, day("2023-01-01"), day("2024-07-02"), None],
                "left_on": [None, day("2024-06-28"), None, None],
                "batch_id": [1] * 4,
            },
            schema.opportunities: {
                "opportunity_id": ["d1"],
                "outcome": ["open"],
                "created_on": [day("2024-12-31")],
                "batch_id": [1],
            },
        },
    )
    found = tables.before_after(source, Filters(), go_live=GoLive(dt.date(2024, 7, 1))).set_index("measure")
    assert list(found.loc["order_entry_staff", ["before", "after", "change"]]) == [2, 2, 0]


def test_days_around_the_go_live_can_be_left_out(team: Source):
    found = tables.before_after(team, Filters(), go_live=GoLive(dt.date(2024, 2, 1), 23)).set_index("measure")
    assert list(found.loc["calls_per_person_day", ["before", "before_n"]]) == [50, 1]  # of the 8th alone: the 9th is 23 days before


def test_without_a_day_there_is_no_before_and_after(team: Source):
    assert tables.before_after(team, Filters()).empty
    assert len(tables.cases(team, Filters())) == len(CASES)


def test_what_is_read_at_a_glance_is_the_same_in_detail(team: Source):
    for short, whole in ((tables.people, tables.people_detail), (tables.teams, tables.teams_detail)):
        rows = short(team, Filters())
        assert len(rows.columns) <= MOST_COLUMNS, "more are not printed side by side"
        pd.testing.assert_frame_equal(rows, whole(team, Filters())[list(rows)])


def test_tasks_of_a_stage_done_by_their_day_are_set_beside_wins(data_set: DataSet):
    """Deals a (won) and b (lost) with all tasks in Talk done in time; c (won) with one late; d's task was due after it was lost."""
    tasks: list[tuple[str, str, str | None]] = [
        ("a", "2024-01-05", "2024-01-04"),
        ("a", "2024-01-06", "2024-01-06"),
        ("b", "2024-01-05", "2024-01-05"),
    ]
    tasks += [("c", "2024-01-05", "2024-01-05"), ("c", "2024-01-06", "2024-01-07"), ("d", "2024-01-20", None)]
    source = written(
        data_set,
        {
            schema.opportunities: {
                "opportunity_id": ["a", "b", "c", "d"],
                "outcome": ["won", "lost", "won", "lost"],
                "created_on": [day("2024-01-01")] * 4,
                "closed_on": [day("2024-01-10")] * 3 + [day("2024-01-15")],
                "batch_id": [1] * 4,
            },
            schema.tasks: {
                "task_id": [str(number) for number in range(len(tasks))],
                "employee_id": ["e"] * len(tasks),
                "opportunity_id": [deal for deal, *_ in tasks],
                "stage": ["Talk"] * len(tasks),
                "due_on": [day(due) for _, due, _ in tasks],
                "done_on": pa.array([day(done) for *_, done in tasks], pa.date32()),
                "batch_id": [1] * len(tasks),
            },
        },
    )
    rows = tables.task_wins(source, Filters())
    assert rows[["stage", "done_deals", "done_rate", "late_deals", "late_rate", "difference"]].to_numpy().tolist() == [
        ["Talk", 2, 0.5, 1, 1.0, -0.5]
    ]
    assert words.task_wins_note(rows).startswith("In none of 1 stages")


def test_a_team_adds_up_its_people(team: Source):
    people, teams = tables.people_detail(team, Filters()), tables.teams_detail(team, Filters())
    for name in ("calls", "hits", "won", "won_value", "overdue_tasks"):
        assert teams[name].sum() == people[name].sum()
    assert teams["people"].sum() == 2


def test_terms_narrow_calls_and_deals_by_owner(team: Source):
    rows = tables.people_detail(team, Filters(), DealTerms(owner=("b",)))
    assert rows["employee_id"].tolist() == ["b"]


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("tab", list(words.QUESTIONS))
@pytest.mark.usefixtures("demo")
def test_every_question_of_the_page_draws(tab: str, language: str):
    app = opened("sales_people", tab=tab, period="all", lang=language)
    assert not app.exception
    assert not app.error
    assert app.get("plotly_chart")
    assert len(app.dataframe) >= 1


@pytest.mark.slow
def test_a_go_live_day_can_stand_in_the_address_and_a_wrong_one_is_the_demos_own(demo: DataSet):
    assert tables.stated_go_live(open_source(demo), Filters()) == dt.date(2024, 7, 1)
    with speaking("en"):
        assert "Since Jan 1, 2025" in texts(opened("sales_people", tab="before_after", go_live="2025-01-01"))
        assert "Since Jul 1, 2024" in texts(opened("sales_people", tab="before_after", go_live="2025-13-01"))


def test_a_person_is_opened_by_a_click_on_the_mark_or_by_a_chosen_row():
    rows = pd.DataFrame({"employee_id": ["a", None]})
    assert labels.chosen_person(rows, ["b"], [0]) == "b"
    assert [labels.chosen_person(rows, [], [place]) for place in (0, 1)] == ["a", UNKNOWN]
    assert labels.chosen_person(rows, [], []) == ""


@pytest.mark.slow
def test_without_a_go_live_day_the_page_asks_for_it_and_still_shows_the_cases(folder: Path):
    small_team(database.find_data_set("mine"))
    app = opened("sales_people", tab="before_after", data="mine")
    assert "Say on which day the CRM went live" in texts(app)
    assert len(app.dataframe) == 1
