"""First and last days, and what another region sold: where a rate of retention is easily counted wrongly by one."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import polygamma
from scipy.stats import chi2
from written_orders import amounts, sale, write

from crm_metrics import database, retention, schema
from crm_metrics.customer_forecast import rhythm
from crm_metrics.filters import Filters
from crm_metrics.periods import Period
from crm_metrics.retention.cohort import statistic as cohort_statistic
from crm_metrics.retention.cohort import tables as cohort_tables
from crm_metrics.retention.cohort.statistic import Horizon
from crm_metrics.retention.cohort.terms import CohortTerms
from crm_metrics.retention.flow import tables as flow_tables
from crm_metrics.retention.flow.terms import BucketTerms
from crm_metrics.retention.leaving import contract
from crm_metrics.retention.worth import query as worth_query
from crm_metrics.scope import Scope
from crm_metrics.survival import shifted_beta_geometric as sbg

FEBRUARY = Filters(start=date(2024, 2, 1), end=date(2024, 2, 29))
SOUTH = Scope("seller", ("S",))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Ann came in the north and went south, Ben came on the first day of February, Eve before."""
    place = database.find_data_set(f"duckdb:///{tmp_path_factory.mktemp('edges')}/mine.duckdb")
    orders = [
        sale("Ann", date(2024, 1, 5), "10", region="N", product="t"),
        sale("Ann", date(2024, 2, 10), "10", region="S", product="c"),
        sale("Ben", date(2024, 2, 1), "10", region="S", product="c"),
        sale("Eve", date(2024, 1, 20), "10", region="S", product="c"),
        sale("Eve", date(2024, 2, 29), "10", region="S", product="c"),
    ]
    write(place, orders, products={"t": "tea", "c": "cups"})
    spent = {"spend_id": ["1", "2"], "campaign_id": ["w", "w"], "spent_on": [date(2024, 2, 29), date(2024, 3, 1)]}
    with database.change(place) as writer:
        campaign = {"campaign_id": ["w"], "campaign_kind": [worth_query.WINNING_KIND], "batch_id": pa.array([1], pa.int32())}
        writer.append(schema.campaigns, pa.table(campaign))
        batch = pa.array([1, 1], pa.int32())
        writer.append(schema.campaign_spend, pa.table({**spent, "spend_amount": amounts(["7", "100"]), "batch_id": batch}))
    return database.open_source(place)


def test_a_customer_who_came_on_the_first_day_of_the_period_is_of_its_cohort(shop):
    (row,) = cohort_tables.cohorts(shop, FEBRUARY).query("age == 0").to_dict("records")
    assert (row["cohort"], row["customers"], row["is_partial"]) == ("2024-02-01", 1, False)


@pytest.mark.slow
def test_every_table_of_retention_stands_where_the_period_begins_after_the_reader_s_day(shop):
    late = Filters(start=date(2024, 2, 20), end=date(2024, 2, 29), as_of=date(2024, 2, 10))
    for name, table in retention.TABLES.items():
        assert isinstance(table(shop, late), pd.DataFrame), name


def test_such_a_customer_is_new_in_the_bucket(shop):
    rows = flow_tables.leaky_bucket(shop, FEBRUARY, BucketTerms(30)).set_index("flow")
    assert rows["customers"][["opening", "new", "lost", "closing"]].tolist() == [2, 1, 0, 3]


def test_whoever_came_in_another_region_is_new_to_a_reader_who_may_not_see_it(shop):
    rows = flow_tables.leaky_bucket(shop, Filters(FEBRUARY.start, FEBRUARY.end, scope=SOUTH), BucketTerms(30)).set_index("flow")
    assert rows["customers"][["opening", "new", "reactivated", "closing"]].tolist() == [1, 2, 0, 3]


def test_the_first_category_is_that_of_the_first_order_that_the_reader_may_see(shop):
    by_category = CohortTerms(by="first_category")

    def groups(scope: Scope) -> dict[str, int]:
        rows = cohort_tables.cohorts(shop, Filters(end=FEBRUARY.end, scope=scope), by_category)
        rows = rows[rows["age"] == 0]
        return dict(zip(rows["cohort"], rows["cohort_customers"], strict=True))

    assert groups(Scope()) == {"cups": 2, "tea": 1}
    assert groups(SOUTH) == {"cups": 3}


def test_what_is_spent_on_winning_after_today_counts_for_nobody_yet(shop):
    assert shop(worth_query.winning_spend(date(2024, 2, 29)))["spend"].tolist() == [Decimal(7)]


def test_a_period_that_begins_with_the_first_day_seen_is_whole():
    seen = Horizon(Period(date(2024, 1, 1), date(2024, 2, 29)), Period(date(2024, 1, 1), date(2024, 2, 29)))
    later = Horizon(seen.held, Period(date(2024, 1, 2), date(2024, 2, 29)))
    months = pd.DatetimeIndex(["2024-01-01", "2024-02-01"]).to_numpy()
    assert [cohort_statistic._are_partial(months, "month", one).tolist() for one in (seen, later)] == [[False, False], [True, False]]


def test_that_all_of_a_cohort_bought_in_its_first_period_has_no_interval():
    rows = cohort_statistic.rated(pd.DataFrame({"age": [0, 1], "customers": 40, "value": [40, 10], "base": 40}), CohortTerms())
    assert rows["low"].isna().tolist() == [True, False]


def test_the_interval_of_a_difference_is_the_published_one_newcombe_1998():
    """56 of 70 against 48 of 80: .2, and by method 10 .0524 to .3339 (table II, contrast a)."""
    rows = pd.DataFrame({"base": [70, 80], "value": [56, 48], "is_unfinished": False})
    found = cohort_statistic.differences(rows).iloc[0]
    assert found[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_a_contract_runs_until_the_end_of_its_last_day():
    last = date(2024, 5, 31)
    counts = pd.DataFrame({"contract_kind": [None], "started_on": [date(2024, 1, 1)], "ended_on": [last], "tenure_months": [None]})
    counts = counts.assign(has_churned=None, contracts=1)
    ended = [bool(contract.states(counts, day)["is_ended"].iloc[0]) for day in (last - timedelta(days=1), last)]
    assert ended == [False, True]


def test_a_contract_of_no_end_runs_and_one_that_ends_before_it_begins_has_no_length():
    counts = pd.DataFrame({"contract_kind": None, "started_on": [date(2024, 5, 1)] * 2, "ended_on": [date(9999, 12, 31), date(2024, 1, 1)]})
    found = contract.states(counts.assign(tenure_months=None, has_churned=None, contracts=1), None)
    assert found["is_ended"].tolist() == [False, True]
    assert found["tenure"].fillna(-1).tolist() == [0, -1]
    assert contract.curve_rows(found)["tenure_months"].tolist() == [0]
    assert contract.projections(found)[0]["contracts"].tolist() == [1]


def test_contracts_that_began_on_the_day_ran_at_its_end():
    counts = pd.DataFrame({"contract_kind": None, "started_on": [date(2024, 1, 1), date(2024, 1, 2)], "ended_on": [None, date(2024, 3, 1)]})
    found = contract.states(counts.assign(tenure_months=None, has_churned=None, contracts=1), date(2024, 5, 31))
    assert [contract.year_counts(found, date(2024, 1, day)) for day in (1, 2)] == [(1, 0), (2, 1)]


def test_what_is_usual_has_the_variances_of_the_logarithms_within_and_between_customers():
    """Plain means and variances over 40 customers with 4 intervals each; a gamma's logarithm has the variance trigamma(shape)."""
    draws = np.random.default_rng(8)
    logs = draws.normal(3.0, 0.6, (40, 1)) + draws.normal(0.0, 0.5, (40, 4))
    rhythms = pd.DataFrame({"purchase_days": 5, "log_sum": logs.sum(axis=1), "log_square_sum": (logs**2).sum(axis=1)})
    found = rhythm.base(rhythms, history_days=2000.0)
    within = logs.var(axis=1, ddof=1).mean()
    assert polygamma(1, found.shape) == pytest.approx(within)
    assert polygamma(1, found.rates_shape) == pytest.approx(logs.mean(axis=1).var(ddof=1) - within / 4)


def test_the_edge_of_a_projection_is_where_the_likelihood_has_fallen_to_that_of_a_95_percent_region():
    lost, there = np.array([369, 163, 86, 56, 37, 27, 21]), 241
    found = sbg.fit(pd.DataFrame({"age": range(1, 8), "lost": lost, "still_there": [0] * 6 + [there]}))

    def log_likelihood(alpha: float, beta: float) -> float:  # from the survival that the paper gives by recursion
        rates = [1.0, *((beta + age - 1) / (alpha + beta + age - 1) for age in range(1, 8))]  # equation 8
        survival = np.cumprod(rates)
        return float((lost * np.log(survival[:-1] - survival[1:])).sum() + there * np.log(survival[-1]))

    fallen = [2 * (log_likelihood(found.alpha, found.beta) - log_likelihood(*edge)) for edge in found.edge]
    assert fallen == pytest.approx([chi2.ppf(0.95, 1)] * len(fallen), rel=1e-4)
