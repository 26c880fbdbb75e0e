"""When has a customer paid back, and what is more retention worth? By hand, against plain loops over random shops, and what must hold."""

import statistics
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import raw_shop
from cost_shop import cost_shop
from peopled_shop import DAYS, FIRST_ON, published, random_shop
from scipy import stats
from written_orders import amounts, sale, write

from crm_metrics import database, schema
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.intervals import wilson
from crm_metrics.language import speaking
from crm_metrics.retention.worth import figure, labels, statistic, tables, words
from crm_metrics.retention.worth.statistic import Kept, geometric_value, lever_row, payback_month
from crm_metrics.scope import Scope
from crm_metrics.segments.rule import Condition, Segment

LAST_ON = FIRST_ON + timedelta(days=DAYS)
EVER = Filters()
FILTERS: list[Any] = [
    Filters(end=LAST_ON),
    Filters(start=date(2024, 6, 1), end=date(2024, 12, 15)),
    pytest.param(Filters(end=date(2024, 2, 29), region=("N",)), marks=pytest.mark.slow),
    pytest.param(Filters(end=LAST_ON, category=("tea", "mug")), marks=pytest.mark.slow),
    pytest.param(Filters(end=LAST_ON, scope=Scope("seller", ("N", "Ost"))), marks=pytest.mark.slow),
    pytest.param(Filters(end=LAST_ON, as_of=date(2024, 8, 31), channel=("web", UNKNOWN)), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def shop(shared_data_set):
    return cost_shop(shared_data_set("shop"))


@pytest.fixture(scope="module")
def crowd(shared_data_set):
    """A random shop of 18 customers and 160 orders over 800 days, every cost known."""
    made = random_shop(6, orders=160, has_all_costs=True)
    return database.open_source(published(shared_data_set("crowd"), made))


# ── value by age ────────────────────────────────────────────────────────────────────────────────────────────────────────


def months_between(first: date, day: date) -> int:
    return (day.year - first.year) * 12 + day.month - first.month - (day.day < first.day)


def brought_by_loops(source, filters: Filters) -> dict[int, list[float]]:
    """By age in whole months: what each customer who came so long ago has brought by then."""
    today = filters.today
    assert today is not None
    lines = raw_shop.raw_shop(source.arrow).lines
    seen = raw_shop.visible(lines, filters.scope, today)
    chosen = raw_shop.within(seen, replace(filters, start=None, end=today))
    today = min(today, max(line["ordered_on"] for line in raw_shop.visible(lines, filters.scope)))
    within = {line["order_id"] for line in chosen if line["is_sold"]}
    found: dict[int, list[float]] = {}
    for customer, orders in raw_shop.purchases_by_customer(seen).items():
        if orders[0]["order_id"] not in within:
            continue
        first = orders[0]["ordered_on"]
        own = [line for line in chosen if line["customer_id"] == customer]
        for age in range(1, months_between(first, today + timedelta(days=1)) + 1):
            early = [line for line in own if max(months_between(first, line["ordered_on"]), 0) < age]
            margin = sum(line["net_amount"] - (line["cost_amount"] or 0) for line in early)
            found.setdefault(age, []).append(float(margin))
    return found


@pytest.mark.parametrize("filters", FILTERS)
def test_value_by_age_divides_what_plain_loops_add_up_by_those_who_came_so_long_ago(crowd, filters):
    rows = tables.payback(crowd, filters)
    expected = brought_by_loops(crowd, filters)
    assert rows["age_months"].tolist() == sorted(expected)
    for row in rows.itertuples():
        values = expected[int(str(row.age_months))]
        assert row.customers == len(values)
        assert row.cumulative_value == pytest.approx(statistics.fmean(values))
        if len(values) > 1:
            interval = stats.t.interval(0.95, len(values) - 1, statistics.fmean(values), stats.sem(values))
            assert (row.low, row.high) == pytest.approx(interval, abs=1e-6)


@pytest.mark.slow
def test_groups_add_up_to_all_customers(crowd):
    filters = Filters(end=LAST_ON)
    whole = tables.payback(crowd, filters).set_index("age_months")
    for by in ("year", "quarter", "acquisition_channel"):
        parts = tables.payback(crowd, filters, by)
        assert parts.groupby("age_months")["customers"].sum().to_dict() == whole["customers"].to_dict()
        total = (parts["cumulative_value"] * parts["customers"]).groupby(parts["age_months"]).sum()
        assert total.to_numpy() == pytest.approx((whole["cumulative_value"] * whole["customers"]).to_numpy())
    named = labels.in_words(tables.payback_months(crowd, filters, "quarter"), "quarter")
    assert named["cohort"].str.fullmatch(r"202[345], quarter [1234]").all()


@pytest.mark.slow
def test_no_age_is_told_that_is_not_over_for_somebody(crowd):
    early, late = (tables.payback(crowd, Filters(end=day)).set_index("age_months") for day in (date(2024, 1, 1), date(2024, 1, 31)))
    assert set(early.index) <= set(late.index)
    assert (late["customers"].reindex(early.index) >= early["customers"]).all()


def test_payback_is_the_first_month_in_which_what_was_brought_reaches_the_cost():
    ages = pd.DataFrame(
        {"age_months": [1, 2, 3, 4], "cumulative_value": [5.0, 9, 10, 12], "low": [4.0, 7, 8, 10], "high": [6.0, 11, 12, 14]}
    )
    ages = ages.assign(acquisition_cost=10.0, is_small=False)
    assert tuple(payback_month(ages)) == (3, 2, 4)
    assert np.isnan(payback_month(ages.assign(acquisition_cost=np.nan)).month)
    assert np.isnan(payback_month(ages.assign(is_small=True)).month)
    assert payback_month(ages.assign(acquisition_cost=0.0)).month == 1


def test_the_cost_of_winning_is_that_of_those_of_whom_it_is_known(shop):
    """Ann cost 12, Ben 6; Zoe never bought. First purchases on 10 and 15 January, data to 21 February: one whole month each."""
    rows = tables.payback(shop, EVER)
    assert rows[["age_months", "customers", "acquisition_cost", "is_small"]].to_numpy().tolist() == [[1, 2, 9, True]]
    assert rows["cumulative_value"].iloc[0] == pytest.approx((100 - 40 + 50 - 20 + 10 - 8) / 2)
    assert tables.payback_basis(shop, EVER)[["cost_from", "customers", "costed", "measure"]].iloc[0].tolist() == [
        "customers",
        2,
        2,
        "gross_margin",
    ]
    assert tables.payback_months(shop, EVER)[["payback_month", "value_12_months"]].isna().all(axis=None)  # of two customers nothing is told


@pytest.mark.slow
def test_without_customers_costs_the_spend_on_winning_is_dealt_out_to_all_who_were_won(tmp_path):
    from cost_shop import SPEND, fill

    source = fill(database.find_data_set(f"duckdb:///{tmp_path}/mine.duckdb"), spend=SPEND)
    assert tables.payback_basis(source, EVER)["cost_from"].iloc[0] == "campaigns"
    assert tables.payback(source, EVER)["acquisition_cost"].tolist() == [500]
    assert tables.acquisition_quality(source, EVER)["acquisition_cost"].isna().all()
    assert tables.payback(source, Filters(region=("North",)))["acquisition_cost"].isna().all()
    assert "no acquisition cost" in words.finding(
        tables.payback_months(source, Filters(region=("North",))), tables.payback_basis(source, EVER), currency=""
    )


@pytest.mark.slow
def test_an_empty_data_set_has_no_payback_and_says_so(data_set):
    source = database.open_source(data_set)
    for table in tables.TABLES.values():
        assert isinstance(table(source, EVER), pd.DataFrame)
    assert tables.payback_tiles(source, EVER)["value"].isna().all()
    basis = tables.payback_basis(source, EVER)
    assert words.finding(tables.payback_months(source, EVER), basis, currency="") == "No customer with a purchase matches the filters."
    assert words.basis_note(basis) == ""
    assert words.lever_finding(tables.five_points(source, EVER), currency="").startswith("Nobody was a customer a year before")


# ── what retention is worth ─────────────────────────────────────────────────────────────────────────────────────────────


def test_five_points_are_worth_what_the_geometric_value_says():
    """r .80, d .10: 100 x .8 / .3 = 266.67; .85 / .25 gives 340 (+27.5 %), .84 / .26 gives 323.08 (+21.2 %)."""
    kept = Kept(stayed=800, opening=1000, value_per_year=100.0, customers=10)
    points, percent = lever_row(kept, 0.10, points=0.05), lever_row(kept, 0.10, percent=0.05)
    assert points["value"] == pytest.approx(266.6667, abs=1e-4)
    assert points["value_then"] == pytest.approx(340)
    assert points["change_share"] == pytest.approx(0.275)
    assert points["money"] == pytest.approx(10 * (340 - 266.6667), abs=1e-2)
    assert percent["value_then"] == pytest.approx(323.0769, abs=1e-4)
    low, high = wilson(800, 1000)
    ends = [geometric_value(1, share + 0.05, 0.1) / geometric_value(1, share, 0.1) - 1 for share in (low, 0.8, high)]
    assert (points["low"], points["high"]) == pytest.approx((min(ends), max(ends)))


def test_the_higher_retention_is_the_more_a_point_brings_once_it_is_high():
    changes = [lever_row(Kept(stayed, 100, 1.0, 1), 0.10, points=0.05)["change_share"] for stayed in (70, 80, 90)]
    assert changes == sorted(changes)


def test_retention_never_passes_all():
    row = lever_row(Kept(99, 100, 1.0, 1), 0.0, points=0.05)
    assert row["retention_then"] < 1
    assert np.isfinite(row["value_then"])


def test_retention_is_that_of_the_leaky_bucket_of_the_last_twelve_months(crowd):
    row: Any = tables.five_points(crowd, Filters(end=LAST_ON)).iloc[0]
    lines = raw_shop.raw_shop(crowd.arrow).lines
    last_on = max(line["ordered_on"] for line in lines)
    days = raw_shop.purchase_days(lines)
    border = date(last_on.year - 1, last_on.month, last_on.day)
    then = {who for who, bought in days.items() if any(border - timedelta(days=365) < day <= border for day in bought)}
    now = {who for who, bought in days.items() if any(day > last_on - timedelta(days=365) for day in bought)}
    assert row.opening == len(then)
    assert row.retention == pytest.approx(len(then & now) / len(then))
    assert row.customers == len(now)
    assert row.falls in ("below", "within", "above")
    lever = tables.retention_lever(crowd, Filters(end=LAST_ON)).set_index("points")
    assert lever["change_share"][0.0] == 0
    assert lever["change_share"][0.05] == pytest.approx(row.change_share)


@pytest.mark.slow
def test_retention_is_of_a_year_where_the_data_hold_less_before_it(tmp_path):
    """Ann and Bob bought in the only month before the last year; Ann did again in its first month, long before the last 30 days."""
    orders = [sale("Ann", date(2023, 12, 5), "10"), sale("Bob", date(2023, 12, 20), "10"), sale("Ann", date(2024, 1, 9), "10")]
    source = database.open_source(
        write(database.find_data_set(f"duckdb:///{tmp_path}/mine.duckdb"), [*orders, sale("Cid", date(2024, 12, 31), "4")])
    )
    levers = tables.five_points(source, EVER)
    row: Any = levers.iloc[0]
    assert (row.opening, row.retention, row.customers, row.value_per_year) == (2, 0.5, 2, 7.0)
    assert "only some of the customers" in words.lever_finding(levers, currency="EUR")


@pytest.mark.slow
def test_winning_is_divided_by_those_whose_cost_is_known(tmp_path):
    place = database.find_data_set(f"duckdb:///{tmp_path}/mine.duckdb")
    write(place, [sale("Ann", date(2024, 1, 5), "10"), sale("Bob", date(2024, 1, 20), "10")])
    with database.change(place) as writer:
        writer.append(schema.customers, pa.table({"customer_id": ["Ann"], "acquisition_cost": amounts(["6"]), "batch_id": [1]}))
    row = tables.keeping_cost(database.open_source(place), EVER).iloc[0]
    assert row[["winning", "won", "winning_per_customer"]].tolist() == [6, 2, 6]


@pytest.mark.slow
def test_keeping_costs_rewards_and_the_campaigns_that_keep(shop):
    """From January on: rewards 1, campaigns 37, nobody there before. In February, 30 days make a customer: one stayed."""
    row = tables.keeping_cost(shop, Filters(start=date(2024, 1, 1), end=date(2024, 2, 29))).iloc[0]
    assert row[["campaigns", "rewards", "winning", "won", "winning_per_customer"]].tolist() == [37, 1, 6, 2, 3]
    assert np.isnan(row["ratio"])
    february = tables.keeping_cost(shop, Filters(start=date(2024, 2, 1), end=date(2024, 2, 29))).iloc[0]
    assert february[["keeping", "retained"]].tolist() == [37, 1]
    assert tables.keeping_cost(shop, Filters(region=("North",)))[["keeping", "winning"]].isna().all(axis=None)
    segment = (Segment("who earns rewards", Condition("customer_kind", (UNKNOWN,))),)
    assert tables.keeping_cost(shop, Filters(segments=segment))[["rewards", "keeping"]].isna().to_numpy().tolist() == [[False, True]]


# ── customers by how long they have been there ──────────────────────────────────────────────────────────────────────────


def test_ratios_by_years_are_ratios_of_sums_with_the_interval_of_what_is_left():
    """Three customers of year 0 with 10, 20, 60 for 1, 2, 3 purchases: 90 / 6 = 15, left over -5, -10, 15; one of year 2 alone."""
    customers = pd.DataFrame({"net_revenue": [10.0, 20, 60, 7], "orders": [1, 2, 3, 1], "discount": np.nan, "list_revenue": 1.0})
    customers = customers.assign(cost_to_serve=[3.0, 0, 0, 0], referrals=np.nan)
    rows = statistic.tenure_rows(customers, np.array([0, 0, 0, 2]), np.full(4, fill_value=True))
    assert rows["measure"].tolist() == ["order_value"] * 2 + ["cost_to_serve"] * 2
    first = rows.iloc[0]
    assert first[["tenure_years", "customers", "value", "is_small"]].tolist() == [0, 3, 15, True]
    half = stats.t.ppf(0.975, 2) * np.sqrt((25 + 100 + 225) / 2) / np.sqrt(3) / 2
    assert (first["low"], first["high"]) == pytest.approx((15 - half, 15 + half))
    assert rows["value"].tolist() == [15, 7, 1, 0]
    assert np.isnan(rows["low"].iloc[1])


def test_what_is_told_per_customer_is_of_those_who_were_there_for_the_whole_period():
    """One who came in the last month can't have cost as much: the newest year would look cheap."""
    customers = pd.DataFrame({"net_revenue": [10.0, 20, 7], "orders": [1, 1, 1], "discount": np.nan, "list_revenue": 1.0})
    customers = customers.assign(cost_to_serve=[1.0, 6, 6], referrals=np.nan)
    rows = statistic.tenure_rows(customers, np.array([0, 0, 1]), np.array([False, True, True]))
    assert rows["value"].tolist() == [15, 7, 6, 6]
    assert rows["customers"].tolist() == [2, 1, 1, 1]


def test_what_service_costs_is_told_of_those_who_were_there_and_bought(shop):
    """In February ann, who came in January, bought and cost a visit of 7; ben came in January too and only got a mailing."""
    rows = tables.tenure(shop, Filters(start=date(2024, 2, 1), end=date(2024, 2, 29)))
    served = rows[rows["measure"] == "cost_to_serve"].iloc[0]
    assert served[["customers", "value"]].tolist() == [1, 7]


def test_referrals_are_of_those_who_first_bought_in_the_period(crowd):
    """Everybody whose referrer is known was referred by ann."""
    shop = raw_shop.raw_shop(crowd.arrow)
    bought = raw_shop.purchase_days(shop.lines)
    start = min(bought["ann"])
    rows = tables.tenure(crowd, Filters(start=start, end=LAST_ON))
    referred = (rows["value"] * rows["customers"])[rows["measure"] == "referrals"].sum()
    by_ann = [who for who in bought if shop.customers.get(who, {}).get("referrer_customer_id") == "ann"]
    expected = [who for who in by_ann if min(bought[who]) >= start]
    assert expected
    assert referred == pytest.approx(len(expected))


# ── pictures and words ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def years() -> pd.DataFrame:
    """Ages of two channels: one of 400 customers that pays back in month 2, one of 40 that does not."""
    ages = pd.DataFrame({"age_months": [1, 2] * 2, "cohort": ["web", "web", "fair", "fair"], "customers": [400, 390, 40, 20]})
    ages = ages.assign(cumulative_value=[5.0, 12, 5, 6], low=[4.0, 11, 1, 1], high=[6.0, 13, 9, 9], acquisition_cost=[10.0, 10, 50, 50])
    return ages.assign(is_small=ages["customers"] < 30)


def test_lines_begin_at_minus_the_cost_and_leave_out_ages_of_few_customers(years):
    drawn = figure.payback_lines(years, by="acquisition_channel", measure="Gross margin", currency="EUR")
    web = next(trace for trace in drawn.data if trace.name == "web")
    assert list(web.y) == [-10, -5, 2]
    fair = [trace for trace in drawn.data if trace.name == "fair"]
    assert max(len(trace.x) for trace in fair) == 2
    assert fair[1].line.dash == "dot"
    unknown = figure.payback_lines(years.assign(acquisition_cost=np.nan), by="acquisition_channel", measure="Net revenue", currency="")
    assert unknown.data[0].y[0] == 5


def test_findings_name_what_is_first_and_last(years):
    people = pd.DataFrame({"cohort": ["web", "fair"], "months": [2, 2], "customers": [400, 40]})
    quality = statistic.quality_rows(years, people)
    assert quality["payback_month"].tolist()[0] == 2
    assert np.isnan(quality["payback_month"].iloc[1])
    assert words.payback_finding(quality, by="acquisition_channel") == "All groups whose cost is known pay back by month 2."
    told = quality.assign(profit_12_months=[5.0, -2.0], low=[4.0, -4.0], high=[6.0, 1.0])
    assert words.channels_finding(told, currency="") == "After 12 months a customer won by web has earned 5.00, one won by fair -2.00."
    assert list(figure.quality_points(told, currency="").data[0].x) == [5, -2]


@pytest.mark.slow
def test_pages_are_told_in_both_languages(crowd):
    levers, lever = tables.five_points(crowd, Filters(end=LAST_ON)), tables.retention_lever(crowd, Filters(end=LAST_ON))
    assert "Five points more would be worth" in words.lever_finding(levers, currency="EUR")
    assert list(figure.lever_line(lever).data[-1].y) == [0.25, 0.95]
    keeping = tables.keeping_cost(crowd, Filters(start=date(2024, 6, 1), end=LAST_ON))
    assert len(figure.keeping_bars(keeping, currency="").data[0].x) == 2
    with speaking("zh"):
        assert "五个百分点" in words.lever_finding(levers, currency="EUR")
        assert labels.cohort_name("2024-04-01", "quarter") == "2024年第2季度"
