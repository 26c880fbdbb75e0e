"""How many of those who came together are still there? Against plain loops over raw lines, published shops, and what must hold."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import peopled_shop
import pytest
import raw_shop
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from crm_metrics import database, executive_kpis, schema
from crm_metrics.customer_profit import coverage
from crm_metrics.data_import.load import import_file
from crm_metrics.data_import.mapping import load_mapping
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.intervals import wilson
from crm_metrics.metric import BadInput
from crm_metrics.periods import Period, add_months, bucket_start, next_bucket
from crm_metrics.retention.cohort import statistic, tables, words
from crm_metrics.retention.cohort.statistic import Horizon, bucket_numbers
from crm_metrics.retention.cohort.terms import CohortCell, CohortTerms, Mode
from crm_metrics.scope import Scope
from crm_metrics.segments.rule import Condition, Opposite, Segment

EVER, MONTHLY = Filters(), CohortTerms()
MODES: tuple[Mode, ...] = ("on", "on_or_after", "on_or_before")
SOME = Filters(start=date(2023, 3, 10), end=date(2024, 6, 20))
FILTERS = {
    "ever": EVER,
    "a period": SOME,
    "an earlier day": replace(SOME, as_of=date(2024, 2, 5)),
    "a later day": replace(SOME, end=date(2023, 9, 30), as_of=date(2024, 10, 3)),
    "a region": replace(SOME, region=("N",)),
    "a channel, or none": replace(SOME, channel=("web", UNKNOWN)),
    "a category": Filters(category=("tea",)),
    "a scope": Filters(scope=Scope(regions=("N", "S"))),
    "a scope and a region": replace(SOME, scope=Scope(regions=("N", "S")), region=("S",)),
}


@pytest.fixture(scope="module")
def shop(shared_data_set):
    """A random shop of 360 orders and some 130 customers, to be asked."""
    ours = (schema.orders, schema.order_lines, schema.customers)
    made: peopled_shop.Tables = {table: [] for table in ours}
    for seed in range(12):  # each has up to 14 customers, whose keys are made its own
        for table, rows in peopled_shop.random_shop(seed, orders=30, has_all_costs=True).items():
            if table in ours:
                made[table] += [_renamed(row, seed, len(made[table]) + place) for place, row in enumerate(rows)]
            elif table is schema.products:
                made[table] = rows
    return database.open_source(peopled_shop.published(shared_data_set("shop"), made))


def _renamed(row: dict[str, Any], seed: int, place: int) -> dict[str, Any]:
    keys = {name: f"{row[name]}-{seed}" for name in ("customer_id", "order_id", "row_hash") if row.get(name) is not None}
    return row | keys | ({"row_number": place} if "row_number" in row else {})


def cells_by_hand(source: Any, filters: Filters, terms: CohortTerms) -> dict[tuple[str, int], tuple[Any, ...]]:
    """By first period and age: customers, what is counted or added up, is_unfinished. Loops over the raw lines, nothing of the queries."""
    raw = raw_shop.raw_shop(source.arrow)
    seen = raw_shop.visible(raw.lines, filters.scope)
    last_on = max(line["ordered_on"] for line in seen)
    today, end = min(filters.today or last_on, last_on), min(filters.end or last_on, filters.today or last_on)
    firsts = {customer: orders[0] for customer, orders in raw_shop.purchases_by_customer(seen).items()}
    chosen = raw_shop.within(raw.lines, replace(filters, start=None, end=today, as_of=None))
    bought, lines = raw_shop.purchases_by_customer(chosen), raw_shop.grouped(chosen, "customer_id")
    found: dict[tuple[str, int], list[Any]] = {}
    for customer, orders in bought.items():
        first_on = firsts[customer]["ordered_on"]
        cohort = bucket_start(first_on, terms.grain)
        came = [order["ordered_on"] for order in orders if bucket_start(order["ordered_on"], terms.grain) == cohort]
        if first_on < (filters.start or date.min) or not any(day <= end for day in came):
            continue
        again = [order["ordered_on"] for order in orders if order["order_id"] != firsts[customer]["order_id"]]
        start, age = cohort, 0
        while start <= today:
            after = next_bucket(start, terms.grain)
            if terms.measure == "customers":
                value: float = {
                    "on": any(start <= order["ordered_on"] < after for order in orders),
                    "on_or_after": any(order["ordered_on"] >= start for order in orders),
                    "on_or_before": any(day < after for day in again),
                }[terms.mode]
            else:
                limits = {"on": (start, after), "on_or_after": (start, date.max), "on_or_before": (cohort, after)}[terms.mode]
                value = sum(float(line["net_amount"]) for line in lines[customer] if limits[0] <= line["ordered_on"] < limits[1])
            cell = found.setdefault((cohort.isoformat(), age), [0, 0.0, after > today + timedelta(days=1)])
            cell[0], cell[1] = cell[0] + 1, cell[1] + value
            start, age = after, age + 1
    return {key: (cell[0], pytest.approx(cell[1], abs=1e-6), cell[2]) for key, cell in found.items()}


def as_dict(rows: pd.DataFrame) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {(row.cohort, row.age): (row.customers, row.value, row.is_unfinished) for row in each(rows)}


def each(frame: pd.DataFrame) -> list[Any]:
    """The rows; Any, because their cells are compared with numbers."""
    return list(frame.itertuples())


def row(frame: pd.DataFrame, **where: Any) -> Any:
    """The only row where the columns are these values."""
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


# ── against loops over the raw lines ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "name", [name if name in ("a later day", "a scope and a region") else pytest.param(name, marks=pytest.mark.slow) for name in FILTERS]
)
def test_cohorts_are_those_of_loops_over_the_raw_lines(shop, name, mode):
    terms = CohortTerms(mode=mode)
    wanted = cells_by_hand(shop, FILTERS[name], terms)
    assert as_dict(tables.cohorts(shop, FILTERS[name], terms)) == wanted
    assert len(wanted) > 10


@pytest.mark.slow
@pytest.mark.parametrize("grain", ["week", "quarter"])
@pytest.mark.parametrize("measure", ["customers", "net_revenue"])
@pytest.mark.parametrize("mode", MODES)
def test_so_are_those_of_other_periods_and_of_revenue(shop, grain, measure, mode):
    for name in ("a period", "a region", "a category"):
        terms = CohortTerms(grain=grain, measure=measure, mode=mode)
        wanted = {key: cell for key, cell in cells_by_hand(shop, FILTERS[name], terms).items() if key[1] < 105}
        assert as_dict(tables.cohorts(shop, FILTERS[name], terms)) == wanted


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a period", "a region", "a category"])
def test_the_customers_of_the_cohorts_are_the_new_customers_of_executive_kpis(shop, name):
    filters = FILTERS[name]
    sizes = tables.cohorts(shop, filters).query("age == 0").set_index("cohort")["cohort_customers"]
    new = executive_kpis.trend(shop, filters).query("new_customers > 0")
    assert sizes.to_dict() == dict(zip(new["bucket_on"].dt.strftime("%Y-%m-%d"), new["new_customers"], strict=True))
    assert sizes.sum() > 20


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["ever", "a region"])
def test_the_customers_behind_a_cell_are_as_many_as_it_counts(shop, name, mode):
    terms = CohortTerms(mode=mode, grain="quarter")
    rows = tables.cohorts(shop, FILTERS[name], terms)
    for cell in each(rows[rows["age"] < 4]):
        behind = [tables.cohort_customers(shop, FILTERS[name], terms, CohortCell(cell.cohort, cell.age, side)) for side in (True, False)]
        assert [len(people) for people in behind] == [cell.value, cell.customers - cell.value]
        assert not set(behind[0]["customer_id"]) & set(behind[1]["customer_id"])


def test_the_customers_of_all_cohorts_are_those_that_are_pooled(shop):
    for by in ("first_purchase", "acquisition_channel"):
        pooled = row(tables.cohort_average(shop, EVER, CohortTerms(by=by)), age=2)
        assert len(tables.cohort_customers(shop, EVER, CohortTerms(by=by), CohortCell("", 2))) == pooled["value"]


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["acquisition_channel", "first_category", "first_product", "first_campaign"])
@pytest.mark.parametrize("measure", ["customers", "net_revenue"])
def test_groups_add_up_to_all(shop, by, measure):
    terms = CohortTerms(by=by, measure=measure, grain="quarter")
    rows, pooled = tables.cohorts(shop, SOME, terms), tables.cohort_average(shop, SOME, replace(terms, by="first_purchase"))
    summed = rows.groupby("age")[["customers", "value"]].sum()
    assert summed.to_numpy() == pytest.approx(pooled.set_index("age").loc[summed.index, ["customers", "value"]].to_numpy())
    assert rows["cohort"].nunique() == (1 if by == "first_campaign" else rows["cohort"].nunique())


def test_a_group_is_that_of_the_customer_or_of_the_largest_part_of_the_first_purchase(shop):
    raw = raw_shop.raw_shop(shop.arrow)
    firsts = {customer: orders[0] for customer, orders in raw_shop.purchases_by_customer(raw.lines).items()}
    best = {}
    for customer, first in firsts.items():
        sold = [line for line in raw.lines if line["order_id"] == first["order_id"] and line["is_sold"]]
        amounts = {category: raw_shop.total(lines, "net_amount") for category, lines in raw_shop.grouped(sold, "category").items()}
        best[customer] = min(amounts, key=lambda category: (-amounts[category], category is None, category or ""))
    wanted = pd.Series(best).fillna(UNKNOWN).value_counts().to_dict()
    rows = tables.cohorts(shop, EVER, CohortTerms(by="first_category"))
    assert rows.drop_duplicates("cohort").set_index("cohort")["cohort_customers"].to_dict() == wanted
    channels = pd.Series({customer: raw.customers.get(customer, {}).get("acquisition_channel") for customer in firsts})
    rows = tables.cohorts(shop, EVER, CohortTerms(by="acquisition_channel"))
    sizes = rows.drop_duplicates("cohort").set_index("cohort")["cohort_customers"].to_dict()
    assert sizes == channels.fillna(UNKNOWN).value_counts().to_dict()


def test_a_segment_and_its_opposite_add_up_to_all(shop):
    rule = Condition("acquisition_channel", values=("ad",))
    parts = [Segment("ad", rule), Segment("no ad", Opposite(rule))]
    every = tables.cohort_average(shop, EVER)[["customers", "value"]].sum()
    split = [tables.cohort_average(shop, replace(EVER, segments=(part,)))[["customers", "value"]].sum() for part in parts]
    assert all(part["customers"] > 0 for part in split)
    pd.testing.assert_series_equal(split[0] + split[1], every)


# ── published shops ─────────────────────────────────────────────────────────────────────────────────────────────────────


def imported(tmp_path, path, mapping):
    data_set = database.find_data_set(f"duckdb:///{tmp_path}/{mapping}.duckdb")
    import_file(data_set, path.read_bytes(), path.name, load_mapping(mapping))
    return database.open_source(data_set)


def matrix_by_pandas(bought: pd.DataFrame) -> dict[tuple[str, int], int]:
    """Customers by month of the first purchase and months since. bought: customer, month (a period)."""
    bought = bought.assign(first=bought.groupby("customer")["month"].transform("min"))
    age = (bought["month"] - bought["first"]).map(lambda months: months.n)
    counts = bought.groupby([bought["first"].dt.strftime("%Y-%m-01"), age])["customer"].nunique()
    keys: Any = counts.index
    return {(str(cohort), int(age)): int(n) for (cohort, age), n in zip(keys, counts, strict=True)}


@pytest.mark.slow
def test_online_retail_has_885_customers_of_december_2010_of_whom_324_bought_in_january(tmp_path, shared_data):
    """The whole matrix, from the raw file by plain pandas; 948 would count who only cancelled. The last month has nine days."""
    path = shared_data / "online_retail" / "online_retail.csv.gz"
    source = imported(tmp_path, path, "online_retail")
    raw = pd.read_csv(path, encoding="utf-8", dtype={"CustomerID": str, "InvoiceNo": str})
    raw = raw[raw["CustomerID"].notna() & (raw["Quantity"] > 0) & (raw["UnitPrice"] > 0) & ~raw["InvoiceNo"].str.startswith("C")]
    months = pd.to_datetime(raw["InvoiceDate"]).dt.to_period("M")
    rows = tables.cohorts(source, EVER)
    found = {(str(cell.cohort), int(cell.age)): int(cell.value) for cell in each(rows) if cell.value}
    assert found == matrix_by_pandas(pd.DataFrame({"customer": raw["CustomerID"], "month": months}))
    assert row(rows, cohort="2010-12-01", age=0)["cohort_customers"] == 885
    assert row(rows, cohort="2010-12-01", age=1)["value"] == 324
    last = [add_months(cell.cohort_on.date(), cell.age) for cell in each(rows[rows["is_unfinished"]])]
    assert set(last) == {date(2011, 12, 1)}
    assert len(last) == 13
    assert tables.cohort_average(source, EVER)["age"].max() == 11
    assert tables.cohort_test(source, EVER)["cohort"].max() == "2011-10-01"


@pytest.mark.slow
def test_cdnow_is_as_plain_pandas_counts_it(tmp_path, cdnow_file):
    source = imported(tmp_path, cdnow_file, "cdnow")
    raw = pd.read_csv(cdnow_file, sep=r"\s+", header=None, names=["master", "customer", "day", "cds", "dollars"])
    months = pd.to_datetime(raw["day"].astype(str)).dt.to_period("M")
    rows = tables.cohorts(source, EVER)
    found = {(cell.cohort, cell.age): int(cell.value) for cell in each(rows) if cell.value}
    assert found == matrix_by_pandas(pd.DataFrame({"customer": raw["customer"], "month": months}))
    assert not rows["is_unfinished"].any()


# ── what is unfinished ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_unfinished_is_in_no_average_no_test_and_no_group(shop):
    filters = replace(EVER, end=date(2024, 6, 20))
    rows, average = tables.cohorts(shop, filters), tables.cohort_average(shop, filters)
    assert rows["is_unfinished"].any()
    whole = rows[~rows["is_unfinished"]].groupby("age")[["customers", "value"]].sum()
    assert average.set_index("age")[["customers", "value"]].to_numpy() == pytest.approx(whole.to_numpy())
    assert not tables.cohort_test(shop, filters)["is_unfinished"].any()
    assert tables.cohort_trend(shop, filters)["average"].iloc[0] == row(average, age=1)["rate"]
    grouped = tables.cohorts(shop, filters, CohortTerms(by="acquisition_channel"))
    assert grouped.groupby("age")["customers"].sum().to_dict() == whole["customers"].to_dict()


def test_a_month_that_ends_today_is_whole():
    seen = Horizon(Period(date(2024, 1, 1), date(2024, 4, 30)), Period(date(2024, 1, 1), date(2024, 4, 30)))
    assert [seen.last_whole(grain) for grain in ("day", "week", "month", "quarter")] == [
        date(2024, 4, 30),
        date(2024, 4, 22),
        date(2024, 4, 1),
        date(2024, 1, 1),
    ]


def test_a_cohort_that_the_period_cuts_says_so_and_an_old_customer_is_not_new_in_it(shop):
    rows = tables.cohorts(shop, SOME).drop_duplicates("cohort").set_index("cohort")
    assert rows.index[rows["is_partial"]].tolist() == [cohort for cohort in ("2023-03-01", "2024-06-01") if cohort in rows.index]
    every = tables.cohorts(shop, EVER).drop_duplicates("cohort").set_index("cohort")["cohort_customers"]
    assert (rows["cohort_customers"] <= every[rows.index]).all()


# ── what must hold ──────────────────────────────────────────────────────────────────────────────────────────────────────

COHORTS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60)), min_size=1, max_size=6, unique_by=lambda each: each[0])
HORIZON = Horizon(Period(date(2024, 1, 1), date(2024, 6, 17)), Period(date(2024, 1, 1), date(2024, 6, 17)))


def made_cells(cohorts: list[tuple[int, int]], seed: int, terms: CohortTerms, *, shuffled: bool = False) -> pd.DataFrame:
    """Cells of cohorts of 2024 (month, customers) with a random number of customers in each period."""
    draw, starts = np.random.default_rng(seed), [add_months(date(2024, 1, 1), month) for month, _ in cohorts]
    sizes = pd.DataFrame({"group_name": None, "cohort_on": pd.to_datetime(starts), "customers": [n for _, n in cohorts]})
    rows = []
    for (month, n), start in zip(cohorts, starts, strict=True):
        left = n
        for age in range(6 - month):
            part = n if terms.mode == "on" and not age else int(draw.integers(0, left + 1))
            left -= 0 if terms.mode == "on" else part
            rows.append((start, add_months(start, age), part))
    events = pd.DataFrame(rows, columns=["cohort_on", "bucket_on", "value"]).assign(group_name=None)
    events = events.assign(cohort_on=pd.to_datetime(events["cohort_on"]), bucket_on=pd.to_datetime(events["bucket_on"]))
    if shuffled:
        sizes, events = (frame.sample(frac=1, random_state=seed) for frame in (sizes, events))
    return statistic.cells(sizes, events, terms, HORIZON)


@pytest.mark.slow
@given(COHORTS, st.integers(0, 1000), st.sampled_from(MODES))
def test_the_pooled_rate_is_the_mean_of_the_whole_cohorts_weighted_by_their_customers(cohorts, seed, mode):
    terms = CohortTerms(mode=mode)
    cells = made_cells(cohorts, seed, terms)
    rows, pooled = statistic.cohort_rows(cells, terms), statistic.pooled(cells, terms, by=["age"])
    for age in each(pooled):
        whole = rows[(rows["age"] == age.age) & ~rows["is_unfinished"]]
        assert age.rate == pytest.approx(np.average(whole["rate"], weights=whole["customers"]))
        assert age.customers == whole["customers"].sum()


@given(COHORTS, st.integers(0, 1000))
def test_who_came_back_by_then_never_gets_fewer_and_who_still_comes_never_more(cohorts, seed):
    modes: dict[Mode, int] = {"on_or_before": 1, "on_or_after": -1}
    for mode, sign in modes.items():
        rows = made_cells(cohorts, seed, CohortTerms(mode=mode))
        assert (rows.groupby("cohort_on")["value"].diff().dropna() * sign >= 0).all()
        assert (rows["value"] <= rows["customers"]).all()


@given(COHORTS, st.integers(0, 1000), st.sampled_from(MODES))
def test_the_order_of_the_rows_does_not_matter(cohorts, seed, mode):
    terms = CohortTerms(mode=mode)
    pd.testing.assert_frame_equal(made_cells(cohorts, seed, terms), made_cells(cohorts, seed, terms, shuffled=True))


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from(["day", "week", "month", "quarter"]))
def test_the_number_of_a_period_goes_up_by_one_with_the_next(day, grain):
    start = bucket_start(day, grain)
    assert bucket_numbers([start, day, next_bucket(start, grain)], grain).tolist() == [
        bucket_numbers([day], grain)[0] + n for n in (0, 0, 1)
    ]


def test_rates_relative_to_the_period_before_have_no_interval_unless_they_are_shares():
    cells = made_cells([(0, 40)], 1, CohortTerms(relative_to="previous"))
    rows = statistic.cohort_rows(cells, CohortTerms(relative_to="previous"))
    assert rows["rate"].isna().tolist() == [True] + [False] * 5
    assert rows["rate"].iloc[2] == rows["value"].iloc[2] / rows["value"].iloc[1]
    assert rows[["low", "high"]].isna().all(axis=None)
    stayed = CohortTerms(mode="on_or_after", relative_to="previous")
    rows = statistic.cohort_rows(made_cells([(0, 40)], 1, stayed), stayed)
    assert rows["low"].notna().tolist() == (rows["base"] > 0).tolist()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_the_bounds_of_many_shares_are_those_of_each(shares):
    totals = [back + away for back, away in shares]
    low, high = statistic.wilson_bounds(np.array([back for back, _ in shares], dtype=float), np.array(totals, dtype=float))
    wanted = [wilson(back, total) for (back, _), total in zip(shares, totals, strict=True)]
    assert np.column_stack([low, high]) == pytest.approx(np.array(wanted), nan_ok=True)


# ── does a cohort differ? ───────────────────────────────────────────────────────────────────────────────────────────────


def compared(counts: list[tuple[float, float]]) -> Any:
    """The test of cohorts of so many customers of whom so many were back."""
    rows = pd.DataFrame(counts, columns=["base", "value"]).assign(is_unfinished=False, cohort=[str(n) for n in range(len(counts))])
    return statistic.differences(rows)


def test_the_test_is_pearsons_chi_square_against_all_others_with_holm():
    """One cohort of 200 with 80 back among nine of 200 with 40."""
    found = compared([(200, 80), *[(200, 40)] * 9])
    wanted = chi2_contingency([[80, 120], [360, 1440]], correction=False).pvalue
    assert found["p_value"].iloc[0] == pytest.approx(wanted)
    assert found["p_adjusted"].iloc[0] == pytest.approx(10 * wanted)
    assert found["is_different"].tolist() == [True] + [False] * 9
    assert found.loc[0, ["difference", "others_rate", "others_customers"]].tolist() == pytest.approx([0.2, 0.2, 1800])
    assert found.loc[0, "difference_low"] < 0.2 < found.loc[0, "difference_high"]


def test_few_customers_are_not_tested():
    found = compared([(29, 20), (500, 100), (500, 3), (500, 100)])
    assert found["p_value"].isna().tolist() == [True, False, False, False]
    assert compared([(500, 2), (500, 1)])["p_value"].isna().all()
    assert compared([(500, 100)])["p_value"].isna().all()
    assert not compared([(500, 100)])["is_different"].any()
    with np.errstate(all="raise"):
        assert compared([(500, 0), (500, 0)])["p_value"].isna().all()  # nobody came back: nothing is divided by nothing


def test_cohorts_of_different_ages_are_not_tested_on_who_came_back_then_or_later(shop):
    """The older ones had more time: what would be found is the calendar."""
    terms = CohortTerms(mode="on_or_after")
    assert not len(tables.cohort_test(shop, EVER, terms, 1))
    assert "more time" in words.difference_finding(tables.cohort_test(shop, EVER, terms, 1), terms)
    trend = tables.cohort_trend(shop, EVER, terms, 1).assign(is_small=False)
    assert "more time" in words.trend_finding(trend, terms, currency="EUR")


def test_what_was_brought_in_a_period_and_later_is_a_share_of_that_of_the_first_period():
    days = [date(2024, month, 1) for month in (1, 2, 3)]
    sizes = pd.DataFrame({"group_name": [None], "cohort_on": pd.to_datetime(days[:1]), "customers": [40]})
    events = pd.DataFrame({"group_name": [None] * 3, "cohort_on": pd.to_datetime(days[:1] * 3), "bucket_on": pd.to_datetime(days)})
    terms = CohortTerms(measure="net_revenue", mode="on_or_after")
    found = statistic.cells(sizes, events.assign(value=[100.0, 30.0, 20.0]), terms, HORIZON)
    assert found["value"].tolist()[:3] == [150.0, 50.0, 20.0]
    assert found["base"].tolist()[:3] == [100.0, 100.0, 100.0]


@pytest.mark.slow
def test_where_all_cohorts_are_alike_one_in_twenty_shops_has_a_cohort_that_differs():
    """2,000 shops of 12 cohorts of 150 customers who come back at 25 %: Holm's promise is at most 5 % (seed fixed beforehand)."""
    draw = np.random.default_rng(20240901)
    false = [compared([(150, back) for back in draw.binomial(150, 0.25, size=12)])["is_different"].any() for _ in range(2000)]
    assert 0.03 < np.mean(false) < 0.06


# ── tiles, and what cannot be said ──────────────────────────────────────────────────────────────────────────────────────


def test_the_tiles_are_the_pooled_rates_of_months(shop):
    found = tables.tiles(shop, EVER).set_index("metric")
    again = row(tables.cohort_average(shop, EVER, CohortTerms(mode="on_or_before")), age=3)
    assert list(found.loc["back_within_3_months", ["value", "low", "high", "n"]]) == list(again[["rate", "low", "high", "base"]])
    assert found.loc["customers_who_came", "value"] == tables.cohorts(shop, EVER).query("age == 0")["customers"].sum()
    headline = tables.headline(shop, EVER)
    assert headline["metric"].tolist() == ["back_within_3_months"]


def test_of_few_customers_the_tiles_hold_no_rate(shop):
    first_on = tables.cohort_basis(shop, EVER)["first_on"].iloc[0].date()
    days = {"start": first_on, "end": first_on + timedelta(days=20), "as_of": first_on + timedelta(days=300)}
    tiles = tables.tiles(shop, Filters(**days))
    assert tiles["n"].between(1, 29).all()
    assert tiles.loc[tiles["unit"] == "share", ["value", "low", "high"]].isna().all(axis=None)
    assert "too few for a rate" in words.finding(tiles)


def test_the_margin_of_a_cohort_is_what_it_paid_less_what_the_goods_cost(shop):
    raw = raw_shop.raw_shop(shop.arrow)
    lines, wanted = raw_shop.grouped(raw.lines, "customer_id"), 0.0
    for customer, orders in raw_shop.purchases_by_customer(raw.lines).items():
        since = bucket_start(orders[0]["ordered_on"], "month")
        kept = [line for line in lines[customer] if line["ordered_on"] >= since]
        wanted += float(raw_shop.total(kept, "net_amount") - raw_shop.total(kept, "cost_amount"))
    found = tables.cohorts(shop, EVER, CohortTerms(measure="gross_margin", relative_to="customer"))
    assert coverage(shop, EVER).is_enough
    assert found["value"].sum() == pytest.approx(wanted)
    assert found["rate"].tolist() == found["value_per_customer"].tolist()


@pytest.mark.slow
def test_where_costs_are_unknown_no_margin_is(tmp_path, cdnow_file):
    rows = tables.cohort_average(imported(tmp_path, cdnow_file, "cdnow"), EVER, CohortTerms(measure="gross_margin"))
    assert rows[["value", "rate", "value_per_customer"]].isna().all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("filters", [EVER, SOME, Filters(region=("N",))])
def test_every_table_of_an_empty_data_set_is_empty(data_set, filters):
    with database.change(data_set):
        pass
    source = database.open_source(data_set)
    for name in ("cohorts", "cohort_average", "cohort_trend", "cohort_test", "cohort_customers"):
        assert len(tables.TABLES[name](source, filters)) == 0, name
    tiles = tables.tiles(source, filters)
    assert tiles["n"].tolist() == [0] * 5
    assert words.finding(tiles) == "No customer's first purchase lies in the period and matches the filters."
    assert words.basis_note(tables.cohort_basis(source, filters)) == ""


def test_an_age_that_nobody_follows_is_refused(shop):
    with pytest.raises(BadInput, match=r"The age is 121\. Choose one of 0 to 120"):
        tables.cohort_trend(shop, EVER, MONTHLY, 121)


def test_a_period_before_all_data_has_nobody(shop):
    early = Filters(end=date(2020, 1, 1))
    assert not len(tables.cohorts(shop, early))
    assert not len(tables.cohorts(shop, replace(EVER, start=date(2030, 1, 1))))
