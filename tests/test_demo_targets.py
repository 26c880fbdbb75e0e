"""Are the demo's targets those of a company: for the metrics that take one, whole months, some hit and some missed?"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_metrics.demo import customers, leads, purchases, roster, targets
from crm_metrics.demo.clock import month_of
from crm_metrics.demo.plan import Effects, Plan
from crm_metrics.demo.targets import MonthlyTotals
from crm_metrics.demo.world import REGIONS
from crm_metrics.executive_kpis.metrics import WITH_TARGET
from crm_metrics.schema import targets as table

MONTHS = 36
_YEAR = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
DAYS = [*_YEAR, 31, 29, *_YEAR[2:], *_YEAR]  # of each month, 2024 a leap year


def sold(plan: Plan) -> MonthlyTotals:
    """What was sold, each order in the region its customer lives in."""
    everybody = roster.roster(plan, leads.leads(plan, leads.calls(plan)))
    found = customers.customers(plan, 0, everybody)
    orders = purchases.natural_history(plan, 0, found).orders
    month = month_of(plan, orders.moment)
    place = found.region[orders.customer] * MONTHS + month
    by_region = np.bincount(place, weights=orders.amount, minlength=len(REGIONS) * MONTHS).astype(np.float64).reshape(len(REGIONS), MONTHS)
    first = np.bincount(month[orders.is_first], minlength=MONTHS)
    return MonthlyTotals(by_region.sum(axis=0), np.bincount(month, minlength=MONTHS), first, by_region)


def planned(plan: Plan, monthly: MonthlyTotals) -> pd.DataFrame:
    frame = targets.targets(plan, monthly)[table].to_pandas()
    return frame.assign(target_value=frame["target_value"].astype(float))


def steady(orders: list[int]) -> MonthlyTotals:
    """As many orders each month as given, each the customer's first, of 10,000 CNY in each region."""
    by_region = np.tile(np.array(orders) * 10_000.0, (len(REGIONS), 1))
    return MonthlyTotals(by_region.sum(axis=0), np.array(orders), np.array(orders), by_region)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(customers=2_000, seed=5)


@pytest.fixture(scope="module")
def monthly(plan) -> MonthlyTotals:
    return sold(plan)


@pytest.fixture(scope="module")
def frame(plan, monthly) -> pd.DataFrame:
    return planned(plan, monthly)


def test_targets_are_for_the_metrics_that_a_reader_may_set_one_for(frame):
    assert set(frame["metric"]) == {metric.name for metric in WITH_TARGET}


def test_every_month_has_one_target_for_the_company_and_one_of_revenue_for_each_region(frame):
    assert frame.groupby(["metric", "region"]).size().to_dict() == {
        ("new_customers", ""): MONTHS,
        ("orders", ""): MONTHS,
        **{("net_revenue", region): MONTHS for region in ("", *REGIONS)},
    }
    assert not frame.duplicated(["metric", "month_on", "region"]).any()
    months = frame.loc[frame["metric"] == "orders", "month_on"].tolist()
    assert (months[0], months[1], months[-1]) == (date(2023, 1, 1), date(2023, 2, 1), date(2025, 12, 1))


def test_the_regions_targets_add_up_to_the_company_s(frame):
    revenue = frame[frame["metric"] == "net_revenue"]
    whole = revenue[revenue["region"] == ""].set_index("month_on")["target_value"]
    assert (revenue[revenue["region"] != ""].groupby("month_on")["target_value"].sum() == whole).all()


def test_a_target_is_above_zero_and_a_round_number(frame):
    assert (frame["target_value"] > 0).all()
    assert (frame.loc[frame["metric"] == "net_revenue", "target_value"] % 10 == 0).all()
    assert (frame["target_value"] % 1 == 0).all()


def hits(plan: Plan) -> dict[tuple[str, str], np.ndarray]:
    """Whether each month was hit, by metric and region: a row for each year."""
    monthly = sold(plan)
    aims = planned(plan, monthly).set_index(["metric", "region"])["target_value"]
    actual = {("net_revenue", ""): monthly.net_revenue, ("orders", ""): monthly.orders, ("new_customers", ""): monthly.new_customers}
    actual |= {("net_revenue", region): monthly.net_revenue_by_region[place] for place, region in enumerate(REGIONS)}
    return {key: (values >= aims.loc[key].to_numpy()).reshape(-1, 12) for key, values in actual.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_some_months_are_hit_and_some_missed_in_each_year(seed):
    for key, by_year in hits(Plan(customers=2_000, seed=seed)).items():
        assert by_year.sum(axis=1).min() >= 2, key
        assert by_year.sum(axis=1).max() <= 10, key


def test_two_to_three_of_five_months_are_hit_by_the_company_and_by_each_region():
    """Of 432 months, twelve seeds: the standard error of each share is 2.4 points."""
    found = [hits(Plan(customers=1_000, seed=seed)) for seed in range(12)]
    for key in found[0]:
        assert 0.4 <= np.mean([one[key] for one in found]) <= 0.6, key


def test_the_error_of_a_month_does_not_cancel_over_the_regions():
    """The standard deviation of 432 months of the company's target over what it sells, within 4 of its own errors of the stated one."""
    orders = [1_000 * days for days in DAYS]
    sold_each = 50_000.0 * np.array(orders)
    frames = [planned(Plan(seed=seed, effects=Effects.none()), steady(orders)) for seed in range(12)]
    revenue = [frame[(frame["metric"] == "net_revenue") & (frame["region"] == "")]["target_value"].to_numpy() for frame in frames]
    wanted = (1 + targets.AMBITION) * np.hypot(targets.PLANNING_ERROR, targets.OWN_ERROR / np.sqrt(len(REGIONS)))
    assert (np.array(revenue) / sold_each).std() == pytest.approx(wanted, abs=4 * wanted / np.sqrt(2 * 12 * MONTHS))


def test_without_error_and_ambition_a_steady_company_plans_what_it_sells(monkeypatch):
    monkeypatch.setattr(targets, "PLANNING_ERROR", 0.0)
    monkeypatch.setattr(targets, "OWN_ERROR", 0.0)
    monkeypatch.setattr(targets, "AMBITION", 0.0)
    plan = Plan(effects=Effects.none())
    orders = DAYS  # one a day
    frame = planned(plan, steady(orders))
    assert frame.loc[frame["metric"] == "orders", "target_value"].tolist() == orders
    assert frame.loc[(frame["metric"] == "net_revenue") & (frame["region"] == ""), "target_value"].tolist() == [
        50_000.0 * n for n in orders
    ]


def test_the_planners_add_their_ambition(monkeypatch):
    """Within 4 standard errors of the mean error of 24 large months; the small first year weighs next to nothing."""
    frame = planned(Plan(effects=Effects.none()), steady([310] * 12 + [31_000] * 24))
    company = frame[(frame["metric"] == "net_revenue") & (frame["region"] == "")]
    sold_in_all = 50_000 * (310 * 12 + 31_000 * 24)
    assert company["target_value"].sum() / sold_in_all - 1 == pytest.approx(
        targets.AMBITION, abs=4 * (1 + targets.AMBITION) * np.hypot(targets.PLANNING_ERROR, targets.OWN_ERROR) / np.sqrt(24)
    )


def test_a_seed_plans_the_same_again_and_another_differently(plan, monthly, frame):
    pd.testing.assert_frame_equal(planned(plan, monthly), frame)
    assert not planned(Plan(customers=2_000, seed=6), monthly)["target_value"].equals(frame["target_value"])


def test_a_region_that_sells_nothing_has_the_smallest_target(plan, monthly):
    by_region = monthly.net_revenue_by_region.copy()
    by_region[4] = 0
    frame = planned(plan, monthly._replace(net_revenue=by_region.sum(axis=0), net_revenue_by_region=by_region))
    assert frame.loc[frame["region"] == REGIONS[4], "target_value"].nunique() == 1


def test_the_stated_parameters_are_those_declared():
    assert targets.stated(Plan()).keys() == targets.PARAMETERS.keys()
