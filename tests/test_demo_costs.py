"""Costs to serve of the demo: sums that reconcile, and customers among the largest who lose money.

Statistical tests allow four standard errors, computed from the stated truth; the seed was chosen before anything was looked at.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from crm_metrics import schema
from crm_metrics.demo import baskets, costs, customers, leads, purchases, roster
from crm_metrics.demo.baskets import Baskets
from crm_metrics.demo.plan import Effects, Plan
from crm_metrics.demo.service import Contacts
from crm_metrics.demo.world import Customers, Orders, Tables, chosen, customer_keys
from crm_metrics.schema import costs_to_serve

PLAN = Plan(customers=4_000, seed=20_232)
ONLY_SERVICE = Plan(customers=4_000, seed=20_232, effects=Effects.without("cost_to_serve"))
CONTACTS = Contacts(
    customer=np.array([5, 5, 5, 5, 9]),
    moment=np.array([0.0, 89.999, 90.0, 1_095.9, 400.5]),  # 2023 has 90 days up to the end of March; the demo ends after 1,096
    channel=np.array([0, 0, 0, 2, 1]),
    minutes=np.array([10.0, 5.0, 7.0, 4.0, 0.0]),
    cost=np.array([9.5, 4.75, 6.65, 3.8, 0.3]),
)
"""Customer 5 calls twice in the first quarter, on the first day of the second, and writes on the last day; 9 helps itself."""


class Company(NamedTuple):
    """The first chunk of a plan."""

    customers: Customers
    orders: Orders
    baskets: Baskets
    served: Tables


@cache
def company(plan: Plan = PLAN) -> Company:
    found = customers.customers(plan, 0, roster.roster(plan, leads.leads(plan, leads.calls(plan))))
    orders = purchases.natural_history(plan, 0, found).orders
    made = baskets.baskets(plan, 0, found, orders, customer_ids=customer_keys(found.number).take(pa.array(orders.customer)))
    return Company(found, orders, made, costs.costs(plan, 0, found, orders, made, CONTACTS))


@cache
def frame(plan: Plan = PLAN) -> pd.DataFrame:
    rows = company(plan).served[costs_to_serve].to_pandas()
    return rows.assign(customer=rows["customer_id"].str[1:].astype(int) - 1, cost=rows["cost_amount"].astype(float))


def of_kind(kind: str) -> pd.DataFrame:
    return frame()[frame()["cost_kind"] == kind]


def by_customer(kind: str) -> np.ndarray:
    rows = of_kind(kind)
    return np.bincount(rows["customer"], rows["cost"], minlength=PLAN.customers)


def margins() -> np.ndarray:
    found = company()
    return np.bincount(found.orders.customer, found.baskets.margin, minlength=PLAN.customers)


def profits(plan: Plan = PLAN) -> np.ndarray:
    """Each customer's margin minus the cost to serve, acquisition left out, in CNY."""
    found = company(plan)
    earned = np.bincount(found.orders.customer, found.baskets.margin, minlength=PLAN.customers)
    return earned - np.bincount(frame(plan)["customer"], frame(plan)["cost"], minlength=PLAN.customers)


def regular() -> np.ndarray:
    """Customers who are neither large nor a test account."""
    return ~costs.is_large(margins()) & ~company().customers.is_test


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tickets_are_summed_by_customer_quarter_and_channel():
    """9.50 + 4.75 in the first quarter of 2023, booked on its last day; the others one by one."""
    rows = frame(ONLY_SERVICE)[["customer_id", "incurred_on", "cost_kind", "channel", "minutes", "cost_amount"]]
    assert [tuple(str(value) for value in row) for row in rows.itertuples(index=False)] == [
        ("C0000006", "2023-03-31", "service", "phone", "15.0000", "14.2500"),
        ("C0000006", "2023-06-30", "service", "phone", "7.0000", "6.6500"),
        ("C0000006", "2025-12-31", "service", "e-mail", "4.0000", "3.8000"),
        ("C0000010", "2024-03-31", "service", "web self-service", "None", "0.3000"),
    ]


def test_service_rows_are_the_same_with_and_without_the_other_costs():
    columns = ["customer_id", "incurred_on", "channel", "minutes", "cost_amount"]
    assert of_kind("service")[columns].reset_index(drop=True).equals(frame(ONLY_SERVICE)[columns])


def test_every_kind_is_there_and_every_row_has_a_key_a_customer_and_a_day_of_the_demo():
    rows = frame()
    assert set(rows["cost_kind"]) == set(costs.KINDS)
    assert rows["cost_id"].is_unique
    assert set(rows.columns) - {"customer", "cost"} <= {column.name for column in schema.costs_to_serve.c}
    assert not rows.duplicated(["customer_id", "incurred_on", "cost_kind", "channel"]).any()
    assert rows["customer"].between(0, PLAN.customers - 1).all()
    assert rows["incurred_on"].astype(str).isin(pd.date_range("2023-03-31", "2025-12-31", freq="QE").astype(str)).all()
    assert (rows["cost_amount"] > 0).all()


def test_chunks_name_their_costs_apart():
    found = company()
    other = costs.costs(PLAN, 1, found.customers, found.orders, found.baskets, CONTACTS)
    assert not set(other[costs_to_serve]["cost_id"].to_pylist()) & set(frame()["cost_id"])


def test_a_chunk_without_tickets_and_orders_costs_nothing():
    found = company()
    no_orders = chosen(found.orders, np.zeros(len(found.orders.moment), dtype=bool))
    no_baskets = found.baskets._replace(margin=np.zeros(0), returned=np.zeros(0), returned_at=np.zeros(0))
    whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
    no_contacts = Contacts(customer=whole, moment=real, channel=whole, minutes=real, cost=real)
    assert costs.costs(PLAN, 0, found.customers, no_orders, no_baskets, no_contacts)[costs_to_serve].num_rows == 0


# ── what is charged ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_delivery_costs_12_and_2_per_cent_of_the_amount():
    found = company()
    each = costs.DELIVERY_COST + costs.DELIVERY_SHARE * found.orders.amount
    expected = np.bincount(found.orders.customer, each, minlength=PLAN.customers)
    assert by_customer("delivery")[regular()] == pytest.approx(expected[regular()], abs=0.12)  # half a fen for each of 12 quarters


def test_a_return_costs_18_and_5_per_cent_of_what_is_given_back():
    found = company()
    returned = found.baskets.returned
    each = np.where(returned > 0, costs.RETURN_COST + costs.RETURNED_AMOUNT_SHARE * returned, 0.0)
    expected = np.bincount(found.orders.customer, each, minlength=PLAN.customers)
    assert by_customer("return handling") == pytest.approx(expected, abs=0.12)
    minutes = of_kind("return handling")["minutes"].astype(float).sum()
    assert minutes == costs.RETURN_MINUTES * (returned > 0).sum()


def test_a_return_is_handled_in_its_own_quarter():
    found = company()
    is_returned = found.baskets.returned > 0
    quarter = pd.to_datetime("2023-01-01") + pd.to_timedelta(np.floor(found.baskets.returned_at[is_returned]), unit="D")
    expected = pd.Series(1, index=quarter).groupby(pd.Grouper(freq="QE")).sum()
    rows = of_kind("return handling")
    handled = rows.groupby(pd.to_datetime(rows["incurred_on"]))["minutes"].sum().astype(float) / costs.RETURN_MINUTES
    assert handled.tolist() == expected.tolist()
    ordered = pd.to_datetime("2023-01-01") + pd.to_timedelta(np.floor(found.orders.moment[is_returned]), unit="D")
    assert (quarter.to_period("Q") != ordered.to_period("Q")).any()


def test_companies_are_visited_at_the_stated_rate_and_persons_who_are_not_large_never():
    found = company()
    visits = by_customer("sales visit") / costs.VISIT_COST
    is_company = found.customers.is_company
    assert (visits[regular() & ~is_company] == 0).all()
    orders = (regular() & is_company)[found.orders.customer].sum()
    expected = costs.VISITS_PER_ORDER * orders
    assert abs(visits[regular() & is_company].sum() - expected) <= 4 * np.sqrt(expected)


def test_rewards_follow_the_tier_of_value():
    """The 5 % with the highest margins get 4 % of it, the next 15 % get 2 %, the others nothing."""
    found = company()
    kept = ~found.customers.is_test[found.orders.customer]
    earned = np.bincount(found.orders.customer[kept], np.maximum(found.baskets.margin[kept], 0), minlength=PLAN.customers)
    share = np.divide(by_customer("reward"), earned, out=np.zeros(PLAN.customers), where=earned > 0)
    order = np.argsort(-margins(), kind="stable")
    gold, silver, basic = np.split(share[order], [200, 800])
    assert gold == pytest.approx(0.04, abs=0.0005)
    assert silver == pytest.approx(0.02, abs=0.0005)
    assert (basic == 0).all()


# ── who loses money ─────────────────────────────────────────────────────────────────────────────────────────────────────


def demanding() -> np.ndarray:
    """Large customers whose visits and deliveries cost more than their margin."""
    return costs.is_large(margins()) & (by_customer("sales visit") + by_customer("delivery") > margins())


def test_the_stated_share_of_the_large_customers_is_demanding_and_all_of_these_lose_money():
    large, share = costs.LARGE_SHARE * PLAN.customers, costs.DEMANDING_SHARE
    assert costs.is_large(margins()).sum() == large
    assert abs(demanding().sum() - share * large) <= 4 * np.sqrt(large * share * (1 - share))
    assert (profits()[demanding()] < 0).all()


def test_the_demanding_cost_between_the_stated_multiples_of_their_margin():
    """Beside the usual deliveries and the negative margins of single orders, which add little to what is stated."""
    multiple = (by_customer("sales visit") + by_customer("delivery"))[demanding()] / margins()[demanding()]
    least, most = costs.DEMANDING_COST
    assert (multiple > least).all()
    assert (multiple < most + 0.15).all()


def test_without_the_effect_no_large_customer_loses_money():
    assert (profits(ONLY_SERVICE)[costs.is_large(margins())] > 0).all()
    assert (profits()[costs.is_large(margins())] < 0).any()


def test_the_test_account_costs_nothing():
    tests = set(customer_keys(company().customers.number[company().customers.is_test]).to_pylist())
    assert tests
    assert not tests & set(frame()["customer_id"])


def test_what_is_stated_follows_the_effect_and_names_every_parameter():
    assert costs.stated(ONLY_SERVICE) == {}
    assert list(costs.stated(PLAN)) == list(costs.PARAMETERS)
    by_tier = costs.stated(PLAN)["tier_share"]
    assert isinstance(by_tier, dict)
    assert sum(by_tier.values()) == pytest.approx(1)
