"""Do we win as many as we lose? By hand, against plain loops over random shops, the source's own figures, and what must add up."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd
import pytest
import raw_shop
from cost_shop import cost_shop
from peopled_shop import CATEGORIES, CHANNELS, DAYS, FIRST_ON, REGIONS, published, random_shop

from crm_metrics import database
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import speaking
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period
from crm_metrics.retention.flow import figure, labels, statistic, tables, words
from crm_metrics.retention.flow.terms import FROM_DATA, SOURCE_PLAN, BucketTerms, Plan, usual_days, windows
from crm_metrics.scope import Scope

LAST_ON = FIRST_ON + timedelta(days=DAYS)
SEEDS = [0, 1, *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 16)]]
FEBRUARY = Filters(start=date(2024, 2, 1), end=date(2024, 2, 29))


@pytest.fixture(scope="module")
def shop(shared_data_set):
    return cost_shop(shared_data_set("shop"))


@pytest.fixture(scope="module")
def crowd(shared_data_set):
    """A random shop of 18 customers and 160 orders over 800 days."""
    return database.open_source(published(shared_data_set("crowd"), random_shop(5, orders=160)))


def some_filters(seed: int) -> tuple[Filters, BucketTerms]:
    """Any period, any choices, any rule for who is a customer."""
    draw = Random(seed)
    start = FIRST_ON + timedelta(days=draw.randint(1, DAYS - 40))
    end = start + timedelta(days=draw.randint(0, (LAST_ON - start).days))
    chosen: dict[str, Any] = {
        name: tuple(UNKNOWN if value is None else value for value in draw.sample(sorted(set(values), key=str), 2))
        for name, values in (("region", REGIONS), ("channel", CHANNELS), ("category", tuple(CATEGORIES.values())))
        if draw.random() < 0.35
    }
    scope = Scope("seller", ("N", "Ost")) if draw.random() < 0.2 else Scope()
    return Filters(start=start, end=end, scope=scope, **chosen), BucketTerms(draw.choice((1, 30, 90, 200, 365)))


# ── the bucket ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_bucket_is_as_worked_by_hand(shop):
    """Within 30 days: on 31 January ann (100) and ben (10); on 29 February ann alone (50 - 30 = 20)."""
    rows = tables.leaky_bucket(shop, FEBRUARY, BucketTerms(30)).set_index("flow")
    assert rows["customers"].to_dict() == dict(zip(statistic.FLOWS, (2, 0, 0, 0, 0, -1, 1), strict=True))
    assert rows["net_revenue"].to_dict() == dict(zip(statistic.FLOWS, (110, 0, 0, 0, -80, -10, 20), strict=True))
    assert rows["share_of_opening_customers"]["lost"] == -0.5
    assert rows["behind"]["contraction"] == 1
    tiles = tables.flow_tiles(shop, FEBRUARY, BucketTerms(30)).set_index("metric")
    assert tiles["value"][["bucket_customers", "bucket_churn", "won_per_lost"]].tolist() == [1, 0.5, 0]
    assert tiles["value"]["bucket_revenue_churn"] == pytest.approx(90 / 110)
    assert tiles["value"]["net_revenue_retention"] == pytest.approx(20 / 110)


def test_refilling_costs_the_lost_share_of_marketing_and_visits(shop):
    """February: 30 + 7 of campaigns, 7 of sales visits; half of the customers are lost."""
    hole = tables.hole_cost(shop, FEBRUARY, BucketTerms(30)).iloc[0]
    assert hole[["marketing", "sales_visits", "hole_cost"]].tolist() == [37, 7, 22]
    assert tables.hole_cost(shop, replace(FEBRUARY, region=("North",)), BucketTerms(30))["hole_cost"].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_bucket_is_what_plain_loops_make_of_the_lines_and_balances_to_the_cent(crowd, seed):
    filters, terms = some_filters(seed)
    rows: Any = tables.leaky_bucket(crowd, filters, terms).set_index("flow")
    expected = told_by_loops(crowd, filters, terms)
    assert rows["customers"].to_dict() == {name: people for name, (people, _) in expected.items()}
    assert rows["net_revenue"].to_dict() == pytest.approx({name: float(revenue) for name, (_, revenue) in expected.items()})
    inner = [name for name in statistic.FLOWS if name != "closing"]
    for column in ("customers", "net_revenue"):
        assert round(rows.loc[inner, column].sum(), 2) == round(rows.loc["closing", column], 2)
    for flow in statistic.FLOWS:
        behind = tables.bucket_customers(crowd, filters, terms, flow)
        assert len(behind) == rows.loc[flow, "behind"]
        column = {"opening": "opening_revenue", "closing": "closing_revenue"}.get(flow, "change")
        assert behind[column].sum() == pytest.approx(rows.loc[flow, "net_revenue"])


def told_by_loops(source, filters: Filters, terms: BucketTerms) -> dict[str, tuple[int, Decimal]]:
    """Customers and revenue of each flow."""
    assert filters.start is not None
    assert filters.end is not None
    lines = raw_shop.raw_shop(source.arrow).lines
    last_on = max(line["ordered_on"] for line in raw_shop.visible(lines, filters.scope))
    first_on = min(line["ordered_on"] for line in raw_shop.visible(lines, filters.scope))
    start, end = max(filters.start, first_on), min(filters.end, last_on)
    window = windows(Period(start, end), terms.active_days or 0)
    came_on = {who: days[0] for who, days in raw_shop.purchase_days(raw_shop.visible(lines, filters.scope)).items()}
    held: list[dict[str, Decimal]] = []
    for period in window:
        inside = raw_shop.identified(raw_shop.within(lines, replace(filters, start=period.start, end=period.end)))
        by_customer = raw_shop.grouped(inside, "customer_id")
        held.append({who: raw_shop.total(by_customer[who], "net_amount") for who in raw_shop.purchase_days(inside)})
    opening, closing = held
    both = {who: closing[who] - opening[who] for who in opening if who in closing}
    won = {who: closing[who] for who in closing if who not in opening}
    lost = {who: opening[who] for who in opening if who not in closing}
    new = {who: value for who, value in won.items() if came_on[who] >= start}
    return {
        "opening": (len(opening), sum(opening.values(), Decimal(0))),
        "new": (len(new), sum(new.values(), Decimal(0))),
        "reactivated": (len(won) - len(new), sum(won.values(), Decimal(0)) - sum(new.values(), Decimal(0))),
        "expansion": (0, sum((value for value in both.values() if value > 0), Decimal(0))),
        "contraction": (0, sum((value for value in both.values() if value < 0), Decimal(0))),
        "lost": (-len(lost), -sum(lost.values(), Decimal(0))),
        "closing": (len(closing), sum(closing.values(), Decimal(0))),
    }


def test_all_revenue_of_the_last_window_is_accounted_for(crowd):
    filters, terms = Filters(start=date(2024, 3, 1), end=date(2024, 12, 31)), BucketTerms(60)
    basis = tables.bucket_basis(crowd, filters, terms).iloc[0]
    closing = tables.leaky_bucket(crowd, filters, terms).set_index("flow")["net_revenue"]["closing"]
    lines = raw_shop.raw_shop(crowd.arrow).lines
    inside = raw_shop.within(lines, replace(filters, start=basis.closing_from.date()))
    assert closing + basis.unknown_revenue + basis.other_revenue == pytest.approx(float(raw_shop.total(inside, "net_amount")))
    assert basis.passed > 0


def test_who_is_a_customer_is_taken_from_what_the_data_hold_before_the_period(crowd):
    assert usual_days(Period(date(1997, 7, 1), date(1998, 6, 30)), date(1997, 1, 1)) == 180
    basis = tables.bucket_basis(crowd, Filters(start=date(2024, 6, 1), end=date(2024, 12, 31))).iloc[0]
    assert (basis.active_days, basis.is_from_data, basis.is_opening_cut) == (365, True, False)
    early = tables.bucket_basis(crowd, Filters(start=FIRST_ON + timedelta(days=20), end=LAST_ON)).iloc[0]
    assert (early.active_days, early.is_opening_cut) == (30, True)
    assert "The data begin on" in words.basis_note(pd.DataFrame([early]), currency="")


def test_nothing_after_the_readers_day_is_seen(crowd):
    day = date(2024, 8, 31)
    filters = Filters(start=date(2024, 1, 1), end=LAST_ON, as_of=day)
    until = Filters(start=date(2024, 1, 1), end=day)
    for table in (tables.leaky_bucket, tables.lifecycle, tables.bucket_basis):
        pd.testing.assert_frame_equal(table(crowd, filters), table(crowd, until))


def test_without_customers_at_the_start_shares_are_unknown_and_the_page_says_so(crowd):
    rows, tiles = tables.leaky_bucket(crowd, Filters()), tables.flow_tiles(crowd, Filters()).set_index("metric")
    assert rows["share_of_opening_customers"].isna().all()
    assert tiles.loc[["bucket_churn", "bucket_revenue_churn", "net_revenue_retention", "won_per_lost"], "value"].isna().all()
    assert words.finding(rows, tables.bucket_basis(crowd, Filters())).startswith("Nobody was a customer before the period")
    assert words.bucket_finding(rows, measure="customers", currency="").startswith("There was nobody to lose")
    assert words.first_plan(tables.acquisition_needed(crowd, Filters())) is None


def test_an_empty_data_set_has_an_empty_bucket(data_set):
    source = database.open_source(data_set)
    rows = tables.leaky_bucket(source, Filters())
    assert rows["customers"].tolist() == [0] * 7
    assert tables.lifecycle(source, Filters()).empty
    assert words.finding(rows, tables.bucket_basis(source, Filters())) == "No customer with a purchase matches the filters."
    assert words.lifecycle_finding(tables.lifecycle(source, Filters())).startswith("No whole period")
    assert tables.bucket_customers(source, Filters()).empty
    assert tables.queries(source, Filters()) == ()


@pytest.mark.parametrize("days", [0, -1, 4000])
def test_days_that_are_none_are_refused(days):
    with pytest.raises(BadInput, match="is no number of days"):
        BucketTerms(days)


# ── the life cycle ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("grain", ["month", pytest.param("week", marks=pytest.mark.slow), pytest.param("quarter", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", SEEDS[:5])
def test_the_life_cycle_is_what_plain_loops_make_of_the_lines_and_adds_up(crowd, seed, grain):
    filters, _ = some_filters(seed)
    rows = tables.lifecycle(crowd, filters, grain)
    lines = raw_shop.raw_shop(crowd.arrow).lines
    came_on = {who: days[0] for who, days in raw_shop.purchase_days(raw_shop.visible(lines, filters.scope)).items()}
    days_of = raw_shop.purchase_days(raw_shop.identified(raw_shop.within(lines, replace(filters, start=None))))
    active = {who: {raw_shop.bucket_on(day, grain) for day in days} for who, days in days_of.items()}
    for row in rows.itertuples():
        start: Any = row.bucket_on
        on = start.date()
        before = raw_shop.bucket_on(on - timedelta(days=1), grain)
        now, then = ({who for who, buckets in active.items() if bucket in buckets} for bucket in (on, before))
        new = {who for who in now if raw_shop.bucket_on(came_on[who], grain) == on}
        assert (row.new, row.returning, row.resurrected) == (len(new), len(now & then), len(now - then - new))
        assert (row.active, row.active_before) == (len(now), len(then))
    assert (rows["new"] + rows["returning"] + rows["resurrected"]).tolist() == rows["active"].tolist()
    whole = rows[rows["dormant"].notna()]
    assert (whole["returning"] + whole["dormant"]).tolist() == whole["active_before"].tolist()
    assert rows["active_before"].tolist()[1:] == rows["active"].tolist()[:-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "filters", [Filters(start=date(2024, 3, 5), end=date(2024, 6, 20)), Filters(start=date(2024, 4, 1), region=("N",))]
)
def test_behind_each_part_of_a_bar_are_as_many_customers_as_it_is_long(crowd, filters):
    rows = tables.lifecycle(crowd, filters, "month")
    for row in rows[~rows["is_unfinished"]].to_dict("records"):
        for kind in statistic.KINDS:
            people = tables.lifecycle_customers(crowd, filters, "month", f"{row['bucket_on']:%Y-%m-%d} {kind}")
            assert len(people) == row[kind]
    with pytest.raises(BadInput, match="no part of the life cycle"):
        tables.lifecycle_customers(crowd, filters, "month", "2024-04-01 gone")


def test_who_is_dormant_in_an_unfinished_month_is_not_claimed(crowd):
    rows = tables.lifecycle(crowd, Filters(start=date(2024, 1, 1), end=date(2024, 3, 15)), "month")
    assert rows["is_unfinished"].tolist() == [False, False, True]
    assert rows["dormant"].isna().tolist() == [False, False, True]


def test_who_is_dormant_where_the_data_begin_is_not_claimed_either():
    """The data begin on 5 January: of those who bought in January only some are known, of December nobody is."""
    months = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"])
    counts = pd.DataFrame({"bucket_on": months, "before_on": pd.NaT, "customers": 3, "new": 3})
    held = Period(date(2024, 1, 5), date(2024, 3, 31))
    rows = statistic.lifecycle_rows(counts, "month", held, held)
    assert rows["dormant"].isna().tolist() == [True, True, False]
    whole = statistic.lifecycle_rows(counts, "month", held, Period(date(2024, 1, 1), held.end))
    assert whole["dormant"].isna().tolist() == [True, False, False]
    assert words.lifecycle_finding(whole.head(1)).startswith("No whole period")


def test_who_came_before_is_not_new_where_a_region_is_chosen(crowd):
    """A customer whose first purchase within the region comes later than the first of all is resurrected there."""
    filters = Filters(start=FIRST_ON, end=LAST_ON)
    everywhere, north = tables.lifecycle(crowd, filters, "quarter"), tables.lifecycle(crowd, replace(filters, region=("N",)), "quarter")
    assert north["new"].sum() < everywhere["new"].sum()
    assert (north["new"] <= everywhere["new"]).all()
    assert north["resurrected"].sum() > 0


def test_the_grain_comes_from_the_length_of_the_period(crowd):
    year = tables.lifecycle(crowd, Filters(start=date(2024, 1, 1), end=date(2024, 12, 31)))
    assert year["bucket_on"].dt.day.tolist() == [1] * 12


# ── what must be won ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_source_s_double_holds_its_firm_flat_and_three_times_the_growth_is_needed(shop):
    """Revenue 1,000, 30 % lost, 15 % growth: won 15 % gives 850, twice that 1,000, 45 % gives the wished 1,150."""
    row = statistic.needed_row("source", replace(SOURCE_PLAN, opening=1000.0))
    assert row["after_market"] == pytest.approx(850)
    assert row["after_double"] == pytest.approx(1000)
    assert row["needed_rate"] == pytest.approx(0.45) == pytest.approx(3 * row["growth"])
    assert row["after_needed"] == pytest.approx(row["wished"]) == pytest.approx(1150)
    source = tables.acquisition_needed(shop, Filters()).set_index("unit").loc["source"]
    assert source["after_market"] == pytest.approx(850_000_000)
    assert words.needed_finding(SOURCE_PLAN) == (
        "To lose 30.0% and still grow by 15.0%, 45.0% must be won; winning twice the growth (30.0%) would mean +0.0%."
    )


def test_what_is_told_of_a_year_stands_beside_a_year_only(crowd):
    assert tables.references(crowd, Filters(start=date(2024, 1, 1), end=date(2024, 12, 31)))["churn"].tolist() == [0.3, 0.4, 0.5]
    assert tables.references(crowd, Filters(start=date(2024, 1, 1), end=date(2024, 3, 31))).empty


def test_with_what_was_won_the_simulation_comes_to_the_end_of_the_bucket(crowd):
    filters, terms = Filters(start=date(2024, 1, 1), end=date(2024, 12, 31)), BucketTerms(180)
    needed = tables.acquisition_needed(crowd, filters, terms).set_index("unit")
    rows = tables.leaky_bucket(crowd, filters, terms).set_index("flow")
    assert needed["after_chosen"]["customers"] == pytest.approx(rows["customers"]["closing"])
    assert needed["after_chosen"]["revenue"] == pytest.approx(rows["net_revenue"]["closing"])
    plan = words.first_plan(needed.reset_index())
    assert plan is not None
    lines = tables.simulation(crowd, filters, plan).set_index(["line", "year"])["revenue"]
    assert lines["chosen", 1] == pytest.approx(rows["net_revenue"]["closing"])
    assert lines["needed", 2] == pytest.approx(plan.opening * 1.15**2)


@pytest.mark.parametrize("wrong", [{"churn": 1.2}, {"won": -0.1}, {"growth": float("nan")}, {"years": 0}, {"years": 50}])
def test_a_plan_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadInput, match="is no"):
        Plan(**{"churn": 0.3, "won": 0.15, "growth": 0.15, "opening": 1.0, **wrong})


# ── pictures and words ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_bars_meet_and_end_where_the_bucket_ends(crowd):
    filters, terms = Filters(start=date(2024, 1, 1), end=date(2024, 12, 31)), BucketTerms(180)
    rows = tables.leaky_bucket(crowd, filters, terms)
    for measure, bars in (("customers", 5), ("net_revenue", 7)):
        drawn = figure.bucket_bars(rows, measure=measure, currency="EUR").data[0]
        ends = drawn.base + drawn.x
        assert len(drawn.x) == bars
        assert ends[-2] == pytest.approx(rows[measure].iloc[-1])
        assert drawn.base[1:-1].tolist() == pytest.approx(ends[:-2].tolist())
        assert drawn.customdata[0][0] == "opening"
    cycle = figure.lifecycle_bars(tables.lifecycle(crowd, filters))
    assert (pd.Series(cycle.data[3].y).dropna() <= 0).all()
    assert len(figure.simulation_lines(tables.simulation(crowd, filters), currency="", step="Years").data) == 4
    needed = tables.acquisition_needed(crowd, filters, terms)
    assert len(figure.churn_bars(needed, tables.references(crowd, filters)).data[0].x) == 2


def test_the_finding_is_made_of_the_numbers_in_both_languages(crowd):
    filters, terms = Filters(start=date(2024, 1, 1), end=date(2024, 12, 31)), BucketTerms(180)
    rows, basis = tables.leaky_bucket(crowd, filters, terms), tables.bucket_basis(crowd, filters, terms)
    closing = str(rows["customers"].iloc[-1])
    assert f"make {closing} at the end" in words.finding(rows, basis)
    assert words.bucket_finding(rows, measure="customers", currency="").startswith("Customers won: ")
    with speaking("zh"):
        assert closing in words.finding(rows, basis)
        assert labels.in_words(rows)["flow"].iloc[0] == "期初"
    assert FROM_DATA.active_days is None
