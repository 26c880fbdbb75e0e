"""What came into the pipeline and what left it: by hand, against the published example, and that it always balances."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd
import pytest
from peopled_shop import Tables, published
from sqlalchemy import select

from crm_metrics import database, schema
from crm_metrics.database import Source
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import speaking
from crm_metrics.metric import BadInput
from crm_metrics.periods import Grain, Period, bucket_starts, next_bucket
from crm_metrics.pipeline.deals import query as deals_query
from crm_metrics.pipeline.deals.terms import DealTerms
from crm_metrics.pipeline.waterfall import figure, labels, statistic, tables, words
from crm_metrics.pipeline.waterfall.terms import ALL_OPEN, WaterfallTerms
from crm_metrics.scope import Scope

STAGES = [("New", 1, "open"), ("Offer", 2, "open"), ("Won", 3, "won"), ("Lost", 4, "lost")]
JANUARY = Filters(start=date(2024, 1, 1), end=date(2024, 1, 31))
THIS_QUARTER = WaterfallTerms(window="own", first_on=date(2024, 1, 1), last_on=date(2024, 3, 31))
FIRST_ON, DAYS = date(2023, 1, 1), 400
SLOW = pytest.mark.slow


# ── deals as they are made ──────────────────────────────────────────────────────────────────────────────────────────────


def deal(name: str, created_on: str | None, *changes: tuple[Any, ...], owner: str = "N1", **more: Any) -> Tables:
    """One deal and its changes: day, stage, value, expected closing; a fifth entry of a change is its new owner."""
    said = [
        {
            "opportunity_id": name,
            "change_number": number,
            "changed_at": datetime.fromisoformat(change[0] + "T12:00"),
            "stage": change[1],
            "outcome": {"Won": "won", "Lost": "lost"}.get(change[1], "open"),
            "deal_amount": None if change[2] is None else Decimal(str(change[2])),
            "expected_close_on": date.fromisoformat(change[3]) if change[3] else None,
            "owner_id": change[4] if len(change) > 4 else owner,
        }
        for number, change in enumerate(changes, start=1)
    ]
    last: dict[str, Any] = said[-1] if said else {"stage": "New", "outcome": "open", "owner_id": owner}
    row = {key: last.get(key) for key in ("stage", "outcome", "deal_amount", "expected_close_on", "owner_id")}
    closed_on = last["changed_at"].date() if said and row["outcome"] != "open" else None
    created = date.fromisoformat(created_on) if created_on else None
    row |= {"opportunity_id": name, "opportunity_name": name, "created_on": created, "closed_on": closed_on, **more}
    return {schema.opportunities: [row], schema.opportunity_history: said}


def shop_of(*deals: Tables) -> Tables:
    made: Tables = {schema.opportunities: [], schema.opportunity_history: []}
    for one in deals:
        for table, rows in one.items():
            made[table] = [*made[table], *rows]
    made[schema.stages] = [{"stage": stage, "stage_order": order, "outcome": outcome} for stage, order, outcome in STAGES]
    sellers = (("N1", "North"), ("N2", "North"), ("S1", "South"))
    made[schema.employees] = [{"employee_id": name, "employee_name": name, "team": team, "region": team} for name, team in sellers]
    return made


def source_of(data_set: database.DataSet, *deals: Tables) -> Source:
    return database.open_source(published(data_set, shop_of(*deals)))


def one_of_each() -> list[Tables]:
    """Before and after January 2024, whose quarter ends in March:

    A 100 stays. B 100 becomes 160. C 100 becomes 40.5. D is created with 20 and stays. E is created with 30 and won. F 70 is won for 75.
    G 50 is lost. H was lost, is open again with 10. I 60 goes from March to June. J 80 comes from June to March. K 90 goes to South.
    L 15 comes from South. M is of unknown value, then 5. N 8 becomes unknown. O is never of known value. P nobody knows when created.
    Q is created and won in February.
    """
    march, june = "2024-03-15", "2024-06-15"
    return [
        deal("A", "2023-12-01", ("2023-12-01", "New", 100, march)),
        deal("B", "2023-12-01", ("2023-12-01", "New", 100, march), ("2024-01-05", "Offer", 160, march)),
        deal("C", "2023-12-01", ("2023-12-01", "New", 100, march), ("2024-01-05", "New", 40.5, march)),
        deal("D", "2024-01-02", ("2024-01-02", "New", 20, march)),
        deal("E", "2024-01-02", ("2024-01-02", "New", 25, march), ("2024-01-20", "Won", 30, march)),
        deal("F", "2023-12-01", ("2023-12-01", "New", 70, march), ("2024-01-31", "Won", 75, march)),
        deal("G", "2023-12-01", ("2023-12-01", "New", 50, march), ("2024-01-09", "Lost", 50, march)),
        deal("H", "2023-11-01", ("2023-11-01", "New", 9, march), ("2023-12-09", "Lost", 9, march), ("2024-01-09", "New", 10, march)),
        deal("I", "2023-12-01", ("2023-12-01", "New", 60, march), ("2024-01-09", "New", 60, june)),
        deal("J", "2023-12-01", ("2023-12-01", "New", 80, june), ("2024-01-09", "New", 80, march)),
        deal("K", "2023-12-01", ("2023-12-01", "New", 90, march), ("2024-01-09", "New", 95, march, "S1")),
        deal("L", "2023-12-01", ("2023-12-01", "New", 14, march, "S1"), ("2024-01-09", "New", 15, march, "N2")),
        deal("M", "2023-12-01", ("2023-12-01", "New", None, march), ("2024-01-09", "New", 5, march)),
        deal("N", "2023-12-01", ("2023-12-01", "New", 8, march), ("2024-01-09", "New", None, march)),
        deal("O", "2023-12-01", ("2023-12-01", "New", None, march)),
        deal("P", None, expected_close_on=date(2024, 3, 1), deal_amount=Decimal(3)),
        deal("Q", "2024-02-02", ("2024-02-02", "New", 25, march), ("2024-02-20", "Won", 30, march)),
    ]


@pytest.fixture(scope="module")
def shop(shared_data_set: Callable[[str], database.DataSet]) -> Source:
    return source_of(shared_data_set("shop"), *one_of_each())


def steps(rows: pd.DataFrame, measure: str = "value") -> dict[str, float]:
    return {step: value for step, value in zip(rows["step"], rows[measure], strict=True) if value}


def assert_balanced(rows: pd.DataFrame) -> None:
    """Start and all steps make the end, deals and cents."""
    assert list(rows["step"]) == list(statistic.STEPS)
    for measure in ("deals", "value"):
        amounts = [Decimal(str(round(float(value), 4))) for value in rows[measure].fillna(0.0)]
        assert sum(amounts[:-1]) == amounts[-1], measure


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_step_is_as_worked_by_hand(shop):
    rows = tables.waterfall(shop, JANUARY, THIS_QUARTER)
    start = 100 + 100 + 100 + 70 + 50 + 60 + 90 + 14 + 8
    told = {"start": start, "created": 50, "reopened": 10, "pulled_in": 80, "increased": 60 + 5 + 5 + 1, "decreased": -59.5,
            "pushed_out": -60, "lost": -50, "won": -105, "value_known": 5, "value_unknown": -8}  # fmt: skip
    end = 100 + 160 + 40.5 + 20 + 10 + 80 + 95 + 15 + 5
    assert steps(rows) == {**told, "end": end}
    deals = {"start": 11, "created": 2, "reopened": 1, "pulled_in": 1, "pushed_out": -1, "lost": -1, "won": -2, "end": 11}
    assert steps(rows, "deals") == deals
    assert rows.set_index("step")["unknown"].loc[["start", "end"]].tolist() == [2, 2]
    assert_balanced(rows)


def test_without_a_window_closing_days_move_no_deal_and_are_told_beside(shop):
    rows = tables.waterfall(shop, JANUARY).set_index("step")
    assert rows.loc[["pulled_in", "pushed_out"], ["deals", "value", "behind"]].to_numpy().tolist() == [[0, 0.0, 1], [0, 0.0, 1]]
    assert rows["value"]["start"] == 672
    assert_balanced(rows.reset_index())
    basis = tables.waterfall_basis(shop, JANUARY).iloc[0]
    assert (basis.later, basis.earlier, basis.undated, basis.with_history) == (1, 1, 0, 16)


@pytest.mark.parametrize(
    ("narrowed", "moves"),
    [
        (WaterfallTerms(DealTerms(team=("North",))), {"moved_in": 15, "moved_out": -90}),
        (WaterfallTerms(DealTerms(team=("South",))), {"moved_in": 95, "moved_out": -14}),
        (WaterfallTerms(DealTerms(owner=("N2",))), {"moved_in": 15}),
    ],
)
def test_a_deal_that_changes_hands_moves_across_the_filter(shop, narrowed, moves):
    rows = tables.waterfall(shop, JANUARY, narrowed)
    assert {step: value for step, value in steps(rows).items() if step.startswith("moved")} == moves
    assert_balanced(rows)


def test_a_deal_that_the_reader_may_not_see_on_one_of_the_days_moves_with_the_value_seen(shop):
    seen = replace(JANUARY, scope=Scope("seller", ("North",)))
    rows = tables.waterfall(shop, seen)
    assert {step: value for step, value in steps(rows).items() if step.startswith("moved")} == {"moved_in": 15, "moved_out": -90}
    assert_balanced(rows)
    behind = tables.waterfall_deals(shop, seen, ALL_OPEN, "moved_out")
    assert behind[["opportunity_id", "value", "change", "owner_name"]].to_numpy().tolist() == [["K", 90.0, -90.0, "N1"]]


def test_deals_of_unknown_creation_come_in_on_the_last_day_of_the_data(shop):
    assert steps(tables.waterfall(shop, Filters(start=date(2024, 2, 1)))).get("undated") == 3
    assert "undated" not in steps(tables.waterfall(shop, JANUARY))


@SLOW
def test_the_deals_behind_a_step_add_up_to_it(shop):
    for step, value in steps(tables.waterfall(shop, JANUARY, THIS_QUARTER)).items():
        behind = tables.waterfall_deals(shop, JANUARY, THIS_QUARTER, step)
        assert behind["change"].sum() == pytest.approx(value)
    assert list(tables.waterfall_deals(shop, JANUARY, THIS_QUARTER, "won")["opportunity_id"]) == ["F", "E"]


def test_what_is_no_step_is_refused(shop):
    with pytest.raises(BadInput, match="no step of the waterfall"):
        tables.waterfall_deals(shop, JANUARY, ALL_OPEN, "wonn")


def test_weflows_example_ends_with_1974086(data_set):
    """help.getweflow.com, Understanding Waterfall: 1,257,559 + 1,501,878 + 180,171 + 149,382 - (0 + 271,125 + 556,292 + 287,487)."""
    march, june = "2024-03-15", "2024-06-15"
    source = source_of(
        data_set,
        deal("rises", "2023-12-01", ("2023-12-01", "New", 142_655, march), ("2024-01-05", "New", 142_655 + 180_171, march)),
        deal("falls", "2023-12-01", ("2023-12-01", "New", 556_292, march), ("2024-01-05", "New", 0, march)),
        deal("lost", "2023-12-01", ("2023-12-01", "New", 271_125, march), ("2024-01-05", "Lost", 271_125, march)),
        deal("won", "2023-12-01", ("2023-12-01", "New", 287_487, march), ("2024-01-05", "Won", 287_487, march)),
        deal("moves in", "2023-12-01", ("2023-12-01", "New", 149_382, june), ("2024-01-05", "New", 149_382, march)),
        deal("new", "2024-01-03", ("2024-01-03", "New", 1_501_878, march)),
    )
    assert steps(tables.waterfall(source, JANUARY, THIS_QUARTER)) == {
        "start": 1_257_559, "created": 1_501_878, "pulled_in": 149_382, "increased": 180_171, "decreased": -556_292, "lost": -271_125,
        "won": -287_487, "end": 1_974_086,
    }  # fmt: skip


# ── days ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "end", "ends"),
    [
        (date(2020, 1, 1), date(2020, 12, 31), 0),  # before the first deal
        (date(2024, 1, 31), date(2024, 1, 31), 10 + 2),  # one day
        (date(2030, 1, 1), date(2030, 1, 31), 10 + 2 + 1),  # after the last change: nothing happens
    ],
)
def test_days_outside_the_data_have_a_waterfall_too(shop, start, end, ends):
    rows = tables.waterfall(shop, Filters(start=start, end=end)).set_index("step")
    assert rows["deals"]["end"] == ends
    assert_balanced(rows.reset_index())
    if start.year == 2030:
        assert rows.drop(["start", "end"])["behind"].sum() == 0


def test_without_deals_there_is_nothing(data_set):
    source = database.open_source(published(data_set, {schema.orders: [], schema.order_lines: []}))
    for table in (tables.waterfall, tables.waterfall_tiles, tables.waterfall_basis, tables.waterfall_deals, tables.pipeline_trend,
                  tables.period_changes, tables.waterfall_by_period, tables.pipeline_on):  # fmt: skip
        assert table(source, Filters()).get("value", pd.Series(dtype=float)).fillna(0).eq(0).all()


@pytest.mark.parametrize(
    ("grain", "terms"),
    [
        ("month", THIS_QUARTER),
        *[
            pytest.param(grain, terms, marks=SLOW)
            for grain in ("day", "week", "month", "quarter")
            for terms in (THIS_QUARTER, WaterfallTerms(window="next_quarter"), WaterfallTerms(DealTerms(team=("North",))))
        ],
    ],
)
def test_the_end_of_a_period_is_the_start_of_the_next(shop, grain, terms):
    filters = Filters(start=date(2023, 12, 5), end=date(2024, 2, 20))
    rows = tables.waterfall_by_period(shop, filters, terms, grain)
    ends, starts = (rows[rows["step"] == step] for step in ("end", "start"))
    for measure in ("deals", "value", "unknown"):
        assert ends[measure].tolist()[:-1] == pytest.approx(starts[measure].tolist()[1:], nan_ok=True)
    for _, period in rows.groupby("bucket_on"):
        assert_balanced(period)
    whole = tables.waterfall(shop, filters, terms).set_index("step")
    assert (starts["deals"].iloc[0], ends["deals"].iloc[-1]) == (whole["deals"]["start"], whole["deals"]["end"])
    first_and_last = (starts["value"].iloc[0], ends["value"].iloc[-1])
    assert first_and_last == pytest.approx((whole["value"]["start"], whole["value"]["end"]), nan_ok=True)


@SLOW
def test_the_trend_and_the_stages_on_a_day_are_the_pipeline_of_that_day(shop):
    filters = Filters(start=date(2023, 12, 1), end=date(2024, 2, 29))
    for row in tables.pipeline_trend(shop, filters, THIS_QUARTER, "month").to_dict("records"):
        stages = tables.pipeline_on(shop, filters, THIS_QUARTER, row["ends_on"].date())
        told = (stages["deals"].sum(), stages["value"].sum(), stages["unknown"].sum())
        assert told == (row["deals"], row["value"], row["unknown"])


def test_the_pipeline_at_the_end_is_that_of_the_tiles_of_the_room(shop):
    from crm_metrics.pipeline.deals import tables as deals_tables

    told = deals_tables.tiles(shop, Filters()).set_index("metric")["value"]["open_value"]
    assert tables.waterfall(shop, Filters())["value"].iloc[-1] == told


# ── it always balances, and knows no future ─────────────────────────────────────────────────────────────────────────────


def random_deals(seed: int, deals: int = 60) -> list[Tables]:
    """Deals with any history: reopened, handed on, without values, days or a history, closed later or earlier than the history says."""
    draw = Random(seed)
    return [_random_deal(draw, f"d{number}") for number in range(deals)]


def _random_deal(draw: Random, name: str) -> Tables:
    start = FIRST_ON + timedelta(days=draw.randint(0, DAYS))
    days = sorted(start + timedelta(days=draw.choice((0, 1, 5, 30, 90))) * draw.randint(0, 3) for _ in range(draw.randint(0, 6)))
    amount = lambda: draw.choice((None, 0, 0.01, 0.07, 19.99, 1234.5678, 99_999.99, draw.randint(1, 10**7) / 10_000))  # noqa: E731
    expected = lambda: draw.choice((None, str(start + timedelta(days=draw.randint(0, 200)))))  # noqa: E731
    changes = [
        (str(day), draw.choice(("New", "New", "Offer", "Won", "Lost")), amount(), expected(), draw.choice(("N1", "N2", "S1")))
        for day in days
    ]
    made = deal(name, draw.choice((str(start), str(start), str(start), None)), *changes)
    row = made[schema.opportunities][0]
    if not changes:
        row |= {"outcome": draw.choice(("open", "won", "lost")), "deal_amount": None, "expected_close_on": None}
    if row["outcome"] != "open":
        row["closed_on"] = draw.choice((row["closed_on"], row["closed_on"], None, start + timedelta(days=draw.randint(0, 60))))
    return made


def some_choice(draw: Random) -> tuple[Filters, WaterfallTerms]:
    first = FIRST_ON + timedelta(days=draw.randint(-30, DAYS + 200))
    last = first + timedelta(days=draw.choice((0, 0, 1, 7, 30, draw.randint(0, 500))))
    scope = Scope("seller", draw.choice((("North",), ("South",)))) if draw.random() < 0.2 else Scope()
    deals = DealTerms(
        owner=draw.choice(((), (), ("N1",), ("S1", "N2"))),
        team=draw.choice(((), (), ("North",))),
        source=draw.choice(((), (), (), (UNKNOWN,))),
    )
    window = WaterfallTerms(deals, draw.choice(("all", "this_quarter", "next_quarter")))
    own = WaterfallTerms(deals, "own", first, last + timedelta(days=60))
    return Filters(start=first, end=last, scope=scope), draw.choice((window, own))


@pytest.fixture(scope="module")
def crowd(shared_data_set: Callable[[str], database.DataSet]) -> Source:
    return source_of(shared_data_set("crowd"), *random_deals(1))


@pytest.mark.parametrize("seed", [0, *[pytest.param(seed, marks=SLOW) for seed in range(1, 41)]])
def test_the_waterfall_balances_to_the_cent_whatever_is_chosen(crowd, seed):
    draw = Random(seed)
    for _ in range(1 if seed == 0 else 5):
        filters, terms = some_choice(draw)
        rows = tables.waterfall(crowd, filters, terms)
        assert_balanced(rows)
        start, end = filters.start or FIRST_ON, filters.end
        for day, step in ((start - timedelta(days=1), "start"), (end, "end")):
            held = tables.pipeline_on(crowd, replace(filters, start=None), replace_window(crowd, filters, terms), day)
            told = rows.set_index("step").loc[step]
            assert (held["deals"].sum(), held["unknown"].sum()) == (told["deals"], told["unknown"])
            assert held["value"].sum() == pytest.approx(0.0 if pd.isna(told["value"]) else told["value"], abs=0.00005)


def replace_window(source: Source, filters: Filters, terms: WaterfallTerms) -> WaterfallTerms:
    """The window as days: on another day a quarter would be another."""
    span = tables.span(source, filters)
    window = terms.closing_days(span.end) if span else None
    return replace(terms, window="own", first_on=window.start, last_on=window.end) if window else terms


@pytest.mark.parametrize("seed", [0, *[pytest.param(seed, marks=SLOW) for seed in range(1, 12)]])
def test_asked_for_many_days_at_once_deals_stand_as_asked_for_each(crowd, seed):
    draw = Random(seed)
    filters, terms = some_choice(draw)
    grain: Grain = draw.choice(("day", "week", "month", "quarter", "year"))
    period = Period(filters.start or FIRST_ON, (filters.start or FIRST_ON) + timedelta(days=draw.randint(0, 60)))
    before_on, many = period.start - timedelta(days=1), terms.deals
    rows = deals_query.deals_by_period(filters, many, (before_on, period.end), grain)
    told = crowd(select(*rows.c).order_by(rows.c.ends_on))
    ends = [min(next_bucket(start, grain) - timedelta(days=1), period.end) for start in bucket_starts(period, grain)]
    for day in [before_on, *ends] if seed else [before_on, ends[-1]]:
        last = told[told["ends_on"] <= pd.Timestamp(day)].groupby("deal_number").tail(1)
        seen = last[last["is_seen"]].sort_values("deal_number", ignore_index=True).drop(columns=["ends_on", "is_seen"])
        pd.testing.assert_frame_equal(seen, crowd(deals_query.deal_rows(filters, many, day)), check_dtype=False)
    assert set(told["ends_on"].dt.date) <= {before_on, *ends}


@SLOW
@pytest.mark.parametrize("seed", range(8))
def test_nothing_that_happened_later_is_in_the_waterfall(tmp_path, seed):
    """Cut at its last day, the data tell the same."""
    draw, deals = Random(seed), random_deals(100 + seed, 40)
    whole = source_of(database.find_data_set(f"duckdb:///{tmp_path}/whole.duckdb"), *deals)
    day = FIRST_ON + timedelta(days=draw.randint(60, DAYS))
    stood = whole(deals_query.deal_rows(Filters(), on=day)).set_index("opportunity_id")
    kept = shop_of(*[cut for one in deals if (cut := _cut(one, stood, day))])
    then = database.open_source(published(database.find_data_set(f"duckdb:///{tmp_path}/cut.duckdb"), kept))
    for _ in range(5):
        filters, terms = some_choice(draw)
        filters = replace(filters, start=min(filters.start or day, day), end=day)
        pd.testing.assert_frame_equal(tables.waterfall(then, filters, terms), tables.waterfall(whole, filters, terms))


def _cut(made: Tables, stood: pd.DataFrame, day: date) -> Tables | None:
    row = made[schema.opportunities][0]
    if row["opportunity_id"] not in stood.index:
        return None
    now: Any = stood.loc[row["opportunity_id"]]
    known: dict[str, Any] = {
        name: None if pd.isna(now[name]) else now[name] for name in ("stage", "outcome", "owner_id", "expected_close_on", "closed_on")
    }
    days = {name: known[name] and known[name].date() for name in ("expected_close_on", "closed_on")}
    amount = None if pd.isna(now["deal_amount"]) else Decimal(str(round(now["deal_amount"], 4)))
    said = [change for change in made[schema.opportunity_history] if change["changed_at"].date() <= day]
    return {schema.opportunities: [{**row, **known, **days, "deal_amount": amount}], schema.opportunity_history: said}


# ── the demo, and what the page shows ───────────────────────────────────────────────────────────────────────────────────


@SLOW
@pytest.mark.xdist_group("demo")
def test_the_waterfall_of_the_demo_balances_between_any_two_days(demo):
    source, draw = database.open_source(demo), Random(3)
    for _ in range(60):
        first = date(2023, 1, 1) + timedelta(days=draw.randint(-10, 1100))
        filters = Filters(start=first, end=first + timedelta(days=draw.randint(0, 400)))
        terms = WaterfallTerms(DealTerms(), draw.choice(("all", "this_quarter", "next_quarter")))
        assert_balanced(tables.waterfall(source, filters, terms))


@pytest.mark.parametrize("spoken", ["en", "zh"])
def test_the_sentence_says_how_the_pipeline_changed(shop, spoken):
    with speaking(spoken):
        text = words.finding(tables.waterfall(shop, JANUARY, THIS_QUARTER), currency="USD")
    expected = {
        "en": "The pipeline fell from $592.00 (11 deals) to $525.50 (11 deals): $50.00 created, $105.00 won, $50.00 lost,",
        "zh": "销售管道从",
    }
    assert text.startswith(expected[spoken])


def test_a_snapshot_without_history_says_what_history_would_add(data_set):
    source = source_of(
        data_set,
        deal("open", "2023-12-01"),
        deal("won", "2023-12-01", stage="Won", outcome="won", closed_on=date(2024, 1, 9), deal_amount=Decimal(70)),
        deal("lost", "2024-01-02", stage="Lost", outcome="lost", closed_on=date(2024, 1, 9)),
    )
    rows = tables.waterfall(source, JANUARY).set_index("step")
    assert rows["deals"][["start", "created", "won", "lost", "end"]].tolist() == [2, 1, -1, -1, 1]
    assert rows["value"][["start", "created", "lost", "end"]].isna().all()
    assert rows["value"][["value_known", "won"]].tolist() == [70, -70]
    assert_balanced(rows.reset_index())
    assert "no history" in words.basis_note(tables.waterfall_basis(source, JANUARY))
    assert words.finding(rows.reset_index(), currency="USD").startswith(
        "The pipeline fell from 2 deals to 1 deal: 1 deal created, 1 deal won"
    )
    assert next(iter(words.measures(rows.reset_index()))) == "deals"


def test_every_step_has_a_name_and_a_place_in_the_picture(shop):
    assert tuple(labels.STEPS) == statistic.STEPS
    rows = tables.waterfall(shop, JANUARY, THIS_QUARTER)
    drawn = figure.waterfall_bars(rows, measure="value", currency="USD")
    bar = drawn.data[0]
    assert [point[0] for point in bar.customdata] == list(steps(rows))
    assert bar.base[-1] + bar.x[-1] == rows["value"].iloc[-1]
    assert bar.base[-2] + bar.x[-2] == pytest.approx(rows["value"].iloc[-1])
