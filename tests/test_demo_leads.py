"""Calls, leads and employees of the demo: the levels before and after the CRM are those stated, and every row fits the others.

BIG: 100,000 customers, so that a dozen people call on most days.
"""

import numpy as np
import pandas as pd
import pytest
from simulated_sales import BIG, SMALL, Sales, day, is_mean, is_share, sales, simulated

from crm_metrics import schema
from crm_metrics.demo import leads, staff
from crm_metrics.demo.channels import CHANNEL_NAMES, TELESALES, TRADE_FAIR, WEB_FORM
from crm_metrics.demo.customers import REGION_SHARE
from crm_metrics.demo.leads import CALLS_PER_DAY, HIT_RATE, LEAD_CONVERSION, QUALIFIED_SHARE
from crm_metrics.demo.plan import GO_LIVE_ON, Effects, Plan
from crm_metrics.demo.products import PRODUCT_COUNT
from crm_metrics.demo.world import NONE, REGIONS

GO_LIVE = pd.Timestamp(GO_LIVE_ON)
LAST_QUARTER = pd.Timestamp("2025-10-01")
ERAS = pytest.mark.parametrize("era", [0, 1], ids=["before", "after"])


@pytest.fixture(scope="module")
def big() -> Sales:
    return sales(BIG)


@pytest.fixture(scope="module")
def small() -> Sales:
    return sales(SMALL)


@pytest.fixture(scope="module")
def calls(big) -> pd.DataFrame:
    """One row per caller and day: calls."""
    frame = big.frame(schema.activities).query("activity_kind == 'call'")
    return frame.groupby(["employee_id", frame["happened_at"].dt.floor("D")])["activity_count"].sum().reset_index(name="calls")


@pytest.fixture(scope="module")
def found(big) -> pd.DataFrame:
    return big.frame(schema.leads)


def of_era(frame: pd.DataFrame, column: str, era: int) -> pd.DataFrame:
    return frame[(frame[column] >= GO_LIVE) == bool(era)]


# ── the levels before and after ─────────────────────────────────────────────────────────────────────────────────────────


@ERAS
def test_a_caller_makes_60_calls_a_day_before_and_80_after(calls, era):
    made = of_era(calls, "happened_at", era)["calls"]
    assert is_mean(made, CALLS_PER_DAY[era], np.sqrt(CALLS_PER_DAY[era]))


@ERAS
def test_one_call_in_52_is_a_qualified_lead_before_and_one_in_33_after(calls, found, era):
    made = of_era(calls, "happened_at", era)["calls"].sum()
    telesales = of_era(found[found["lead_source"] == CHANNEL_NAMES[TELESALES]], "qualified_on", era)
    assert is_share(np.arange(int(made)) < len(telesales), HIT_RATE[era])


def test_leads_a_day_grow_by_the_factor_of_the_published_case():
    stated = leads.stated(Plan())
    assert stated["leads_per_day"] == pytest.approx({"before": 1.154, "after": 2.424}, abs=5e-4)
    assert stated["leads_per_day_factor"] == pytest.approx(2.101, abs=5e-4)


def test_without_the_go_live_nothing_is_stated_of_what_comes_after():
    without = Plan(effects=Effects.without("go_live"))
    stated = leads.stated(without)
    assert stated["calls_per_day"] == {"before": CALLS_PER_DAY[0]}
    assert stated["lead_conversion"] == {"before": LEAD_CONVERSION[0]}
    assert "leads_per_day_factor" not in stated
    assert "entry_staff_kept" not in staff.stated(without)
    assert set(leads.stated(Plan())) == set(leads.PARAMETERS)
    assert set(staff.stated(Plan())) == set(staff.PARAMETERS)


@ERAS
@pytest.mark.parametrize("source", QUALIFIED_SHARE)
def test_the_share_of_leads_that_become_customers_is_that_of_the_day_they_came_in(found, source, era):
    """Of leads that came in 120 days before the end or earlier: fewer than one in 10,000 takes longer."""
    cohort = of_era(found[found["created_on"] < day(BIG.days - 120)], "created_on", era)
    assert is_share(cohort[cohort["lead_source"] == CHANNEL_NAMES[source]]["converted_on"].notna(), LEAD_CONVERSION[era])


def of_source(found: pd.DataFrame, source: int) -> pd.DataFrame:
    """The leads of a source that came in 60 days before the end or earlier: 3 days on average, one of 10**9 waits longer."""
    return found[(found["lead_source"] == CHANNEL_NAMES[source]) & (found["created_on"] < day(BIG.days - 60))]


def test_every_lead_of_a_call_is_qualified(found):
    assert of_source(found, TELESALES)["qualified_on"].notna().all()


@pytest.mark.parametrize("source", [WEB_FORM, TRADE_FAIR])
def test_other_leads_qualify_with_the_stated_share(found, source):
    assert is_share(of_source(found, source)["qualified_on"].notna(), QUALIFIED_SHARE[source])


@pytest.mark.parametrize("source", QUALIFIED_SHARE)
def test_leads_of_each_source_bring_about_the_stated_share_of_all_customers(found, source):
    """Poisson, and a spread of the callers' days; the last weeks' leads are still on their way."""
    won = (found["lead_source"] == CHANNEL_NAMES[source]) & found["converted_on"].notna()
    assert won.sum() == pytest.approx(leads.CUSTOMERS_SHARE[source] * BIG.customers, rel=0.06)


def test_trade_fairs_bring_leads_on_their_days_and_on_no_others(found):
    came = found[found["lead_source"] == CHANNEL_NAMES[TRADE_FAIR]]["created_on"]
    assert len(leads.fairs()) == 12
    assert leads.fairs()[0] == (pd.Timestamp("2023-03-18").date(), 4)
    assert set(came) == {day(number) for number in leads.fair_days().tolist()}
    assert is_share(came == "2023-03-18", 1 / 42)  # 14 days of fairs a year


def test_without_the_go_live_the_levels_before_hold_to_the_end():
    without = Plan(customers=50_000, seed=11, effects=Effects.without("go_live"))
    made = leads.calls(without)
    assert is_mean(made.calls[made.day >= BIG.go_live_day], CALLS_PER_DAY[0], np.sqrt(CALLS_PER_DAY[0]))
    late = made.day >= BIG.go_live_day
    assert is_share(np.arange(made.calls[late].sum()) < made.hits[late].sum(), HIT_RATE[0])
    came = leads.leads(without, made)
    assert is_share(came.is_converted[came.created < without.days - 120], LEAD_CONVERSION[0])


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_are_counts_by_day_until_the_last_quarter_and_single_from_then_on(small):
    made = small.frame(schema.activities).query("activity_kind == 'call'")
    is_count = made["activity_result"].isna()
    assert made[is_count]["happened_at"].max() < LAST_QUARTER <= made[~is_count]["happened_at"].min()
    assert (made[is_count]["happened_at"].dt.normalize() == made[is_count]["happened_at"]).all()
    assert (made[~is_count]["activity_count"] == 1).all()
    assert not made[is_count].duplicated(["employee_id", "happened_at"]).any()
    assert made["activity_count"].sum() == small.calls.calls.sum()
    assert made[is_count]["minutes"].isna().all()


def test_each_qualified_call_is_the_lead_of_its_caller_at_its_moment(small):
    qualified = small.frame(schema.activities).query("activity_result == 'qualified'")
    of_calls = small.frame(schema.leads).query("lead_source == @CHANNEL_NAMES[@TELESALES] and created_on >= @LAST_QUARTER")
    together = qualified.merge(of_calls, on="lead_id", how="outer", indicator=True)
    assert len(together) > 5
    assert (together["_merge"] == "both").all()
    assert (together["employee_id"] == together["owner_id"]).all()
    assert (together["happened_at"].dt.normalize() == together["created_on"]).all()


def test_other_calls_reach_somebody_with_the_stated_share(big):
    others = big.frame(schema.activities).query("activity_result in ('reached', 'no answer')")
    assert is_share(others["activity_result"] == "reached", leads.REACHED_SHARE)
    assert others["lead_id"].isna().all()


# ── leads ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_status_of_a_lead_follows_from_its_dates(found):
    dates = pd.DataFrame({"qualified": found["qualified_on"].notna(), "converted": found["converted_on"].notna()})
    assert set(zip(found["lead_status"], dates["qualified"], dates["converted"], strict=True)) == {
        ("converted", True, True),
        ("qualified", True, False),
        ("unqualified", False, False),
        ("working", False, False),
        ("new", False, False),
    }
    fresh = found[found["lead_status"].isin(["new", "working"])]
    assert fresh["created_on"].min() > day(BIG.days - 60)  # 3 days on average: one of 10**9 waits longer
    assert (found[found["lead_status"] == "new"]["created_on"] == day(BIG.days - 1)).all()


def test_a_lead_either_qualifies_or_is_found_not_to(big):
    assert not (~np.isnan(big.leads.qualified) & ~np.isnan(big.leads.unqualified)).any()
    assert not (big.leads.is_converted & ~big.leads.will_convert).any()


def test_a_lead_is_qualified_after_it_came_in_and_converts_after_that(found):
    assert not (found["qualified_on"] < found["created_on"]).any()
    assert not (found["converted_on"] < found["qualified_on"]).any()
    assert found[["created_on", "qualified_on", "converted_on"]].max().max() <= day(BIG.days - 1)


def test_a_converted_lead_is_the_company_won_on_that_day_in_its_region(small):
    found, accounts = small.frame(schema.leads), small.accounts
    converted = found[found["converted_on"].notna()].set_index("customer_id")
    assert found["customer_id"].notna().sum() == len(converted) == len(accounts.number)
    for number, acquired, region in zip(accounts.number, accounts.acquired, accounts.region, strict=True):
        row = converted.loc[f"C{number + 1:07d}"]
        assert (row["converted_on"], row["region"]) == (day(np.floor(acquired)), REGIONS[region])


def test_regions_and_products_of_leads_are_spread_as_stated(found):
    for region, share in zip(REGIONS, REGION_SHARE, strict=True):
        assert is_share(found["region"] == region, share)
    assert found["product_id"].nunique() == PRODUCT_COUNT
    assert is_share(found["product_id"] == "P0001", 1 / PRODUCT_COUNT)


def test_more_customers_than_leads_is_no_matter_and_fewer_neither():
    tiny = sales(Plan(customers=100, seed=2))
    assert len(tiny.frame(schema.leads)) == len(tiny.leads.created) > 0


# ── employees ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def at_work(people: pd.DataFrame, on: str) -> int:
    """People who have been hired by a day and have not left before it."""
    return int(((people["hired_on"] <= on) & ~(people["left_on"] < on)).sum())


def test_of_22_people_who_enter_orders_10_stay_when_the_crm_goes_live():
    people = sales(Plan()).frame(schema.employees).query("role == 'order entry'")
    workdays = pd.bdate_range("2023-01-02", "2024-06-28")
    assert {at_work(people, str(on)) for on in workdays} == {22}
    assert {at_work(people, str(on)) for on in pd.bdate_range(GO_LIVE_ON, "2025-12-31")} == {10}
    assert (people["left_on"] == "2024-06-28").sum() == 12  # the last Friday before


def test_some_places_pass_to_somebody_new_on_the_next_workday(big):
    """Places other than the leader's; the standard error is that of a binomial."""
    people = big.frame(schema.employees).query("role in ('order entry', 'marketing')")
    new = people[people["hired_on"] >= day(0)]
    gone = people["left_on"][people["left_on"].notna() & (people["left_on"] != "2024-06-28")]
    assert sorted(gone + pd.offsets.BDay()) == sorted(new["hired_on"])
    places = len(people) - len(new) - 2
    assert is_share(np.arange(places) < len(new), staff.TURNOVER_SHARE)


def test_people_come_and_go_on_workdays(big):
    people = big.frame(schema.employees)
    assert people["hired_on"].dt.day_of_week.max() == people["left_on"].dt.day_of_week.max() == 4
    others = people[~people["role"].isin(staff.TURNOVER_ROLES)]  # rows name them at any time
    assert (others["hired_on"] < day(0)).all()
    assert others["left_on"].isna().all()


def test_without_the_go_live_everybody_who_leaves_is_followed_by_somebody():
    people = sales(Plan(effects=Effects.without("go_live"))).frame(schema.employees).query("role == 'order entry'")
    assert at_work(people, "2023-01-02") == at_work(people, "2025-12-31") == 22


def test_everybody_has_a_key_a_name_a_team_and_a_manager_of_the_same_role(small):
    people = small.frame(schema.employees)
    assert people["employee_id"].is_unique
    assert people["employee_name"].is_unique
    assert set(people["role"]) == set(staff.ROLES)
    managed = people.dropna(subset="manager_id").merge(people, left_on="manager_id", right_on="employee_id")
    assert len(managed) == len(people) - len(staff.ROLES)
    assert (managed["role_x"] == managed["role_y"]).all()


def test_a_seller_looks_after_the_own_region_where_there_is_one():
    plan = Plan(customers=2_000)  # four sellers: the fifth region has none
    region = np.repeat(np.arange(5), 1_000)
    seller = staff.sellers(plan, region, np.tile(np.linspace(0, 0.999, 1_000), 5))
    assert (seller[:4_000] == region[:4_000]).all()
    assert set(seller[4_000:]) == {0, 1, 2, 3}
    many = staff.sellers(Plan(customers=30_000), region, np.tile(np.linspace(0, 0.999, 1_000), 5))  # twelve
    assert set(many[:1_000]) == {0, 5, 10}
    assert set(many[4_000:]) == {4, 9}


# ── rows that name others ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_owner_caller_and_lead_exists(small):
    people, found = set(small.frame(schema.employees)["employee_id"]), small.frame(schema.leads)
    made = small.frame(schema.activities)
    assert set(found["owner_id"]) <= people
    assert set(made["employee_id"]) <= people
    assert set(made["lead_id"].dropna()) <= set(found["lead_id"])
    assert made["activity_id"].is_unique
    assert found["lead_id"].is_unique
    assert (found["owner_id"].str[:2] == np.where(small.leads.caller != NONE, "ET", "ES")).all()


def test_one_seed_makes_equal_tables_and_another_does_not(small):
    again, other = simulated(SMALL), sales(Plan(customers=2_000, seed=8))
    assert all(rows.equals(again.tables[table]) for table, rows in small.tables.items())
    assert not small.tables[schema.leads].equals(other.tables[schema.leads])
    assert not small.tables[schema.employees].equals(other.tables[schema.employees])
