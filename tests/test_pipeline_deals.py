"""The deals as they stood on a day: what the history said by then, and nothing of what came later."""

import datetime as dt
from dataclasses import replace
from random import Random
from typing import Any

import pandas as pd
import pytest
from written_deals import Rows, at, write

from crm_metrics.database import open_source
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.pipeline.deals import held as tables_held
from crm_metrics.pipeline.deals import query, tables
from crm_metrics.pipeline.deals.days import deal_days
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.deals.words import basis_note, history_note
from crm_metrics.scope import Scope

FIRST = dt.date(2024, 1, 1)
KINDS = ("full", "no history", "no end", "no creation day", "stage alone", "late history")
ALL = Filters()
TOLD = ["outcome", "stage", "deal_amount", "expected_close_on", "owner_id", "closed_on"]


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(number)


# ── random deals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def random_deal(random: Random, number: int) -> tuple[dict, list[dict]]:
    """A deal and its changes, of one of KINDS; some are reopened, some are still open."""
    kind, key = KINDS[number % len(KINDS)], f"d{number:03d}"
    days = sorted(random.sample(range(60), random.randint(2, 8)))
    changes, closes = [], random.random() < 0.7
    for place, when in enumerate(days):
        is_last = place == len(days) - 1
        outcome = random.choice(["won", "lost"]) if (is_last and closes) or (place and random.random() < 0.1) else "open"
        stage = {"won": "Won", "lost": "Lost"}.get(outcome) or random.choice(["Talk", "Offer", "Haggle"])
        said = None if kind == "stage alone" else outcome
        change = {"opportunity_id": key, "change_number": place + 1, "changed_at": at(day(when)), "stage": stage, "outcome": said}
        change |= {"deal_amount": random.choice([None, 100, 250]), "expected_close_on": day(when + random.randint(0, 40))}
        changes.append(change | {"owner_id": random.choice(["e1", "e2"]), "real": outcome, "on": day(when)})
    last = changes[-1]
    row = {"opportunity_id": key, "created_on": day(days[0]), **{name: last[name] for name in ("stage", "deal_amount", "owner_id")}}
    row |= {"expected_close_on": last["expected_close_on"], "outcome": "open" if kind == "stage alone" else last["real"]}
    row["closed_on"] = last["on"] if last["real"] != "open" else None
    if kind == "no history":
        changes = []
    elif kind == "no end":
        changes = changes[:-1] if last["real"] != "open" else changes
    elif kind == "no creation day":
        row["created_on"] = None
    elif kind == "late history":
        changes = changes[1:]
    return row | {"real": last["real"]}, changes


def world(seed: int, count: int = 90) -> tuple[list[dict], list[dict]]:
    made = [random_deal(Random(1_000 * seed + number), number) for number in range(count)]
    return [row for row, _ in made], [change for _, changes in made for change in changes]


def written(data_set, deals, history):
    kept = ("real", "on")
    plain = [[{name: value for name, value in row.items() if name not in kept} for row in rows] for rows in (deals, history)]
    return open_source(write(data_set, *plain))


def expected(deals: list[dict], history: list[dict], on: dt.date) -> pd.DataFrame:
    """What was known of each deal at the end of a day, told deal by deal."""
    told: list[dict] = []
    for row in deals:
        known = [change for change in history if change["opportunity_id"] == row["opportunity_id"] and change["on"] <= on]
        last = known[-1] if known else None
        closed_on = row["closed_on"]
        is_closed = row["real"] != "open" and closed_on <= on and (last is None or last["on"] <= closed_on)
        if last and (last["real"] == row["real"] or not is_closed):
            state = {name: last[name] for name in ("stage", "deal_amount", "expected_close_on", "owner_id")} | {"outcome": last["real"]}
            is_the_end = last["real"] == row["real"] and closed_on and closed_on <= on
            state["closed_on"] = None if last["real"] == "open" else closed_on if is_the_end else last["on"]
        elif is_closed:
            state = {name: row[name] for name in ("stage", "deal_amount", "expected_close_on", "owner_id", "closed_on")} | {
                "outcome": row["real"]
            }
        elif row["created_on"] and row["created_on"] <= on:
            state = {"outcome": "open", "owner_id": row["owner_id"]}
        else:
            continue
        told.append({"opportunity_id": row["opportunity_id"], **{name: state.get(name) for name in TOLD}})
    return plain(pd.DataFrame(told))


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same, comparable whatever the types that nothing but unknown values have."""
    kept = frame[["opportunity_id", *TOLD]].astype(object)
    for name in ("expected_close_on", "closed_on"):
        kept[name] = pd.to_datetime(kept[name]).dt.strftime("%Y-%m-%d")
    kept["deal_amount"] = [None if pd.isna(value) else float(value) for value in kept["deal_amount"]]
    return kept.where(kept.notna(), None).reset_index(drop=True)


def stood(source, on: dt.date | None) -> pd.DataFrame:
    return plain(source(query.deal_rows(ALL, on=on)))


# ── as they stood ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_any_day_a_deal_is_what_was_said_of_it_by_then(data_set):
    deals, history = world(1, 42)
    source = written(data_set, deals, history)
    for number in (17, 45):
        pd.testing.assert_frame_equal(stood(source, day(number)), expected(deals, history, day(number)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_on_any_day_of_any_history_a_deal_is_what_was_said_of_it_by_then(any_data_set, seed):
    deals, history = world(seed)
    source = written(any_data_set, deals, history)
    for number in range(0, 70, 3):
        pd.testing.assert_frame_equal(stood(source, day(number)), expected(deals, history, day(number)))


@pytest.mark.slow
@pytest.mark.parametrize("number", [10, 30, 50])
def test_what_comes_after_a_day_does_not_change_how_the_deals_stood_on_it(tmp_path, number):
    """Data cut at the day, each row as it was then, say of it what the whole data say."""
    from crm_metrics.database import find_data_set

    deals, history = world(4)
    on = day(number)
    whole = written(find_data_set(f"duckdb:///{tmp_path}/whole.duckdb"), deals, history)
    then = expected(deals, history, on).set_index("opportunity_id")
    rows = []
    for row in deals:
        if row["opportunity_id"] in then.index:
            state = dict(then.loc[row["opportunity_id"]].items())
            days = {
                name: dt.date.fromisoformat(state[name]) if isinstance(state[name], str) else None
                for name in ("expected_close_on", "closed_on")
            }
            state["stage"], state["deal_amount"] = (value if pd.notna(value) else None for value in (state["stage"], state["deal_amount"]))
            rows.append(row | state | days | {"real": state["outcome"]})
    cut = written(find_data_set(f"duckdb:///{tmp_path}/cut.duckdb"), rows, [change for change in history if change["on"] <= on])
    pd.testing.assert_frame_equal(stood(whole, on), stood(cut, None))
    pd.testing.assert_frame_equal(stood(whole, on), stood(cut, day(90)).loc[lambda rows: rows.index < len(rows)])
    names = ["changed_on", "stage", "outcome", "deal_amount"]
    told, told_by_cut = (source(query.changes(ALL, on=last))[names] for source, last in ((whole, on), (cut, None)))
    pd.testing.assert_frame_equal(told, told_by_cut)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 1006])
def test_on_the_last_day_deals_with_a_whole_history_stand_as_they_stand_now(data_set, seed):
    deals, history = world(seed)
    source = written(data_set, deals, history)
    now, last = stood(source, None), stood(source, day(90))
    lack_their_end = [row["opportunity_id"] for row in deals[KINDS.index("no end") :: len(KINDS)]]
    is_told = last["opportunity_id"].isin({change["opportunity_id"] for change in history}) | (last["outcome"] != "open")
    is_told &= ~last["opportunity_id"].isin(lack_their_end)
    assert is_told.sum() > len(deals) * 0.7
    now = now[now["opportunity_id"].isin(last.loc[is_told, "opportunity_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(last[is_told].reset_index(drop=True), now)


# ── one by one ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE: Rows = [{"employee_id": "e1", "employee_name": "Ann", "team": "A", "region": "North"}, {"employee_id": "e2", "region": "South"}]
DEALS: Rows = [
    {"opportunity_id": "d1", "owner_id": "e1", "created_on": day(0), "stage": "Offer", "customer_id": "c1", "pipeline": "New"},
    {
        "opportunity_id": "d2",
        "owner_id": "e2",
        "created_on": None,
        "stage": "Won",
        "closed_on": day(9),
        "deal_amount": 5,
        "customer_id": "c2",
    },
    {"opportunity_id": "d3", "owner_id": "e2", "region": "North", "created_on": day(4), "stage": "Talk", "segment": "Retail"},
    {"opportunity_id": "d4", "created_on": day(5), "outcome": "lost", "closed_on": day(8), "deal_source": "Fair", "deal_amount": 7},
]
HISTORY: Rows = [
    {"opportunity_id": "d1", "change_number": 1, "changed_at": at(day(0)), "stage": "Talk", "owner_id": "e2"},
    {"opportunity_id": "d1", "change_number": 2, "changed_at": at(day(3)), "stage": "Offer", "owner_id": "e1"},
]
LEADS: Rows = [
    {"lead_id": "l1", "owner_id": "e1", "created_on": day(0), "qualified_on": day(2), "opportunity_id": "d1", "lead_status": "converted"},
    {"lead_id": "l2", "owner_id": "e2", "created_on": day(6), "lead_status": "new"},
    {"lead_id": "l3", "owner_id": "e1", "created_on": None, "lead_status": "qualified"},
]
CALLS: Rows = [
    {"activity_id": "a1", "activity_kind": "call", "happened_at": at(day(0)), "employee_id": "e1", "activity_count": 20},
    {"activity_id": "a2", "activity_kind": "call", "happened_at": at(day(7)), "employee_id": "e2", "activity_count": None},
]


@pytest.fixture(scope="module")
def four(shared_data_set):
    """DEALS with their people, leads, calls and accounts."""
    customers = [{"customer_id": "c1", "industry": "Hotels"}, {"customer_id": "c2"}]
    return open_source(write(shared_data_set("four"), DEALS, HISTORY, employees=PEOPLE, leads=LEADS, activities=CALLS, customers=customers))


def found(four, filters=ALL, on=None, **terms) -> set[str]:
    return set(four(query.deal_rows(filters, DealTerms(**terms), on))["opportunity_id"])


def test_scope_regions_and_choices_narrow_every_query(four):
    north = Filters(scope=Scope(regions=("North",)))
    assert found(four, north) == {"d1", "d3"}
    assert found(four, north, on=day(1)) == set(), "on that day d1 was another owner's, in the South, and d3 was not there yet"
    assert set(four(query.changes(north))["deal_number"]) == {1, 3}
    held = four(query.held(north.scope)).iloc[0]
    assert (held["deals"], held["with_history"], held["leads"], held["activities"]) == (2, 1, 2, 1)
    assert set(four(query.values_of("owner_id", north.scope))["value"]) == {"e1", "e2"}
    days = four(query.extent(north.scope)).iloc[0]
    assert (days["first_on"].date(), days["last_on"].date()) == (day(0), day(4))
    assert found(four, replace(ALL, region=("South",))) == {"d2"}
    assert found(four, replace(ALL, region=(UNKNOWN,))) == {"d4"}


def test_what_is_held_is_counted_over_all_dates_within_what_the_reader_may_see(four):
    def values(filters):
        return dict(zip((rows := tables_held.held(four, filters))["metric"], rows["value"], strict=True))

    every, north = values(Filters(start=day(3))), values(Filters(scope=Scope(regions=("North",))))
    assert (every["deals_held"], every["deals_won_held"]) == (4, 1)
    assert (north["deals_held"], north["leads_held"], north["activities_held"], north["deal_days_held"]) == (2, 2, 1, 5)
    assert values(Filters(scope=Scope(regions=("East",)))) == {}


def test_unknown_is_a_choice_like_any_other(four):
    assert found(four, owner=(UNKNOWN,)) == {"d4"}
    assert found(four, owner=("e1", UNKNOWN)) == {"d1", "d4"}
    assert found(four, market=("Hotels",)) == {"d1"}
    assert found(four, market=("Retail", UNKNOWN)) == {"d2", "d3", "d4"}
    assert found(four, source=("Fair",)) == {"d4"}
    assert found(four, pipeline=("New",), owner=("e2",)) == set()


def test_a_deal_whose_outcome_only_its_stage_knows_is_won(four):
    rows = four(query.deal_rows(ALL)).set_index("opportunity_id")
    assert rows.loc["d2", "outcome"] == "won"
    then = four(query.deal_rows(ALL, on=day(9))).set_index("opportunity_id")
    assert then.loc["d2", "outcome"] == "won"
    assert "d2" not in found(four, on=day(8)), "nobody knew of it before it was closed"


@pytest.mark.slow
def test_a_win_whose_day_only_the_history_knows_was_none_before(data_set):
    deals = [{"opportunity_id": "d1", "created_on": day(0), "stage": "Won", "outcome": "won"}]
    stages = [(1, 0, "Talk"), (2, 9, "Offer"), (3, 30, "Won")]
    history = [{"opportunity_id": "d1", "change_number": n, "changed_at": at(day(on)), "stage": stage} for n, on, stage in stages]
    source = open_source(write(data_set, deals, history))
    outcomes = [source(query.deal_rows(ALL, on=on))["outcome"].item() for on in (day(5), day(15), day(30), None)]
    assert outcomes == ["open", "open", "won", "won"]
    assert source(query.deal_rows(ALL, on=day(40)))["closed_on"].item() == pd.Timestamp(day(30))


@pytest.mark.slow
def test_a_deal_closed_before_its_creation_is_not_opened_again_on_that_day(data_set):
    deal = {"opportunity_id": "a", "created_on": day(20), "closed_on": day(10), "stage": "Won", "outcome": "won"}
    source = open_source(write(data_set, [deal]))
    for on in (None, day(15), day(30)):
        assert source(query.changes(ALL, on=on))[["changed_on", "outcome"]].to_numpy().tolist() == [[pd.Timestamp(day(10)), "won"]]


@pytest.mark.slow
def test_the_reason_of_a_second_loss_is_not_known_of_the_first(data_set):
    said = [("Talk", "open"), ("Lost", "lost"), ("Talk", "open"), ("Lost", "lost")]
    history = [
        {"opportunity_id": "a", "change_number": place, "changed_at": at(day(10 * place)), "stage": stage, "outcome": outcome}
        for place, (stage, outcome) in enumerate(said)
    ]
    deal = {"opportunity_id": "a", "created_on": day(0), "stage": "Lost", "outcome": "lost", "closed_on": day(30), "lost_reason": "price"}
    source = open_source(write(data_set, [deal], history))
    told = [source(query.deal_rows(ALL, on=day(on)))["lost_reason"] for on in (15, 30)]
    assert told[0].isna().all()
    assert told[1].tolist() == ["price"]


def test_deals_without_a_day_of_creation_stay_in_and_are_counted(four):
    late = Filters(start=day(4), end=day(20))
    assert set(tables.deals(four, late)["opportunity_id"]) == {"d2", "d3", "d4"}
    basis = tables.basis(four, late)
    assert basis.iloc[0].to_dict() == {"deals": 3, "undated": 1, "unvalued": 1, "held": 4, "held_with_history": 1}
    assert basis_note(basis).startswith("1 of 3 deals have no day of creation: they stay in")
    assert "3 of 4 deals have no stage history" in history_note(basis)


def test_the_two_win_rates_have_their_own_denominators_and_unknown_values_are_in_no_sum(four):
    tiles: Any = tables.tiles(four, ALL).set_index("metric")
    assert tiles.loc["win_rate_of_closed", ["value", "n"]].tolist() == [0.5, 2]
    assert tiles.loc["win_rate_of_all", ["value", "n"]].tolist() == [0.25, 4]
    assert tiles.loc["won_value", ["value", "n"]].tolist() == [5.0, 1]
    assert pd.isna(tiles.loc["open_value", "value"]), "no open deal has a value: the sum is unknown, not 0"
    nobodys: Any = tables.tiles(four, ALL, DealTerms(owner=("nobody",))).set_index("metric")
    assert nobodys.loc["open_value", "value"] == 0, "no deal is open: 0 is known"


def test_leads_and_calls_of_a_past_day_know_nothing_of_later_ones(four):
    from sqlalchemy import select

    def ids(rows, name):
        return set(four(select(rows.c[name]))[name])

    assert ids(query.lead_rows(ALL, until=day(1)), "lead_id") == {"l1", "l3"}
    early = four(select(*(rows := query.lead_rows(ALL, until=day(1))).c).where(rows.c.lead_id == "l1")).iloc[0]
    assert pd.isna(early["qualified_on"])
    assert pd.isna(early["lead_status"])
    assert ids(query.lead_rows(ALL, DealTerms(market=("Hotels",))), "lead_id") == set()
    assert ids(query.activity_rows(ALL, until=day(6)), "activity_id") == {"a1"}
    assert ids(query.activity_rows(Filters(scope=Scope(regions=("South",)))), "activity_id") == {"a2"}


def test_today_is_the_last_day_on_which_something_happened_unless_the_reader_stands_earlier(four):
    days, early = deal_days(four, ALL), deal_days(four, Filters(end=day(3)))
    assert days is not None
    assert early is not None
    assert (days.on, early.on) == (None, day(3))
    assert tables.standing(four, Filters(end=day(3)))["opportunity_id"].tolist() == ["d1"]
