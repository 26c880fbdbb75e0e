"""Who should have bought again by now: purchases written by hand, chances against their definition and against what then happened."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
import written_deals
import written_orders
from scipy import integrate, stats

from crm_metrics.customer_forecast import rhythm
from crm_metrics.database import DataSet, Source, open_source
from crm_metrics.filters import Filters
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.ownership import due_tables, due_words, repurchase
from crm_metrics.pipeline.ownership.repurchase import Leaving
from crm_metrics.pipeline.ownership.terms import HORIZON_DAYS, LOST
from crm_metrics.pipeline.people import tables as people_tables
from crm_metrics.scope import Scope

ALL, DAY = Filters(), dt.date(2024, 1, 1)
USUAL = rhythm.Base(2.0, 2.0, 60.0, 100, 300)


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(number)


# ── purchases ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def four_companies(data_set: DataSet) -> DataSet:
    """Today is day 200, the day of the last order.

    c1 of Ann, north   orders on days 0 (two of them), 20 and 60, of which 10 came back on day 70; a deal won on day 85 is the last order's
    c2 of Bob, south   order on day 10; deals won on days 50 (of unknown value) and 90
    c3 of nobody       no order; deals won on days 5, 25 (two) and lost on day 60
    c4 of Ann          an order on day 200, and a deal that is open
    p1, a person       orders on days 1 and 2: persons have no owners
    """
    sale = written_orders.sale
    given_back = {"customer": "c1", "day": day(70), "lines": [("return", -1, -10, None)], "is_purchase": False}
    orders = [
        *[sale("c1", day(number), amount) for number, amount in ((0, 100), (0, 50), (20, 40), (60, 60))],
        given_back,
        *[sale("c2", day(10), 30), sale("c4", day(200), 5), sale("p1", day(1), 1), sale("p1", day(2), 1)],
    ]
    won = [("c1", 85, 500), ("c2", 50, None), ("c2", 90, 70), ("c3", 5, 10), ("c3", 25, 20), ("c3", 25, 30)]
    deals: list[dict[str, Any]] = [
        {"customer_id": key, "closed_on": day(number), "deal_amount": amount, "outcome": "won"} for key, number, amount in won
    ]
    deals += [{"customer_id": "c3", "closed_on": day(60), "outcome": "lost", "owner_id": "bob"}, {"customer_id": "c4"}]
    owners = {"c1": "ann", "c2": "bob", "c3": None, "c4": "ann"}
    written_orders.write(data_set, orders)
    return written_deals.write(
        data_set,
        [{"opportunity_id": f"d{place}", "created_on": day(place), **deal} for place, deal in enumerate(deals)],
        employees=[
            {"employee_id": "ann", "employee_name": "Ann", "region": "North"},
            {"employee_id": "bob", "employee_name": "Bob", "region": "South"},
        ],
        customers=[
            *[{"customer_id": key, "customer_kind": "company", "owner_id": who, "home_region": "South"} for key, who in owners.items()],
            {"customer_id": "p1", "customer_kind": "person", "owner_id": None, "home_region": "North"},
        ],
        activities=[
            {
                "activity_id": "v",
                "activity_kind": "visit",
                "happened_at": written_deals.at(day(30)),
                "employee_id": "ann",
                "customer_id": "c2",
            }
        ],
    )


@pytest.fixture(scope="module")
def source(shared_data_set) -> Source:
    return open_source(four_companies(shared_data_set("four")))


def bought(source: Source, filters: Filters = ALL, terms: DealTerms = ALL_DEALS, until: int = 200) -> pd.DataFrame:
    on = None if until == 200 else day(until)
    return source(repurchase.purchases(filters, terms, day(until), on)).set_index("customer_id")


def test_purchases_are_days_with_an_order_and_wins_whose_order_is_not_there(source):
    rows = bought(source)
    assert rows["purchase_days"].to_dict() == {"c1": 3, "c2": 3, "c3": 2, "c4": 1}
    assert rows["last_on"].to_dict() == {
        key: pd.Timestamp(day(number)) for key, number in {"c1": 60, "c2": 90, "c3": 25, "c4": 200}.items()
    }
    gaps = {"c1": [20, 40], "c2": [40, 40], "c3": [20], "c4": []}
    assert rows["log_sum"].to_dict() == pytest.approx({key: np.log(days).sum() for key, days in gaps.items()})
    assert rows["log_square_sum"].to_dict() == pytest.approx({key: (np.log(days) ** 2).sum() for key, days in gaps.items()})


def test_the_value_of_purchases_is_net_of_returns_and_unknown_values_are_left_out_of_the_mean(source):
    rows = bought(source)
    assert rows["purchase_value"].to_dict() == {"c1": 240, "c2": 100, "c3": 60, "c4": 5}
    assert rows["valued"].to_dict() == {"c1": 3, "c2": 2, "c3": 2, "c4": 1}


def test_on_an_earlier_day_nothing_later_is_seen(source):
    rows = bought(source, until=55)
    assert rows["purchase_days"].to_dict() == {"c1": 2, "c2": 2, "c3": 2}
    assert bought(source, until=4)["purchase_days"].to_dict() == {"c1": 1}


def test_filters_choose_customers_and_what_is_usual_stays_that_of_all_who_may_be_seen(source):
    rows = bought(source, terms=DealTerms(owner=("ann",)))
    assert rows["is_chosen"].to_dict() == {"c1": True, "c2": False, "c3": False, "c4": True}
    assert bought(source, terms=DealTerms(owner=("bob",)))["is_chosen"].to_dict() == {"c1": False, "c2": True, "c3": True, "c4": False}
    north = bought(source, Filters(scope=Scope(regions=("North",))))
    assert not set(north.index) & {"c2", "c3"}  # customers of the south, whoever asks


def test_a_customer_of_nobody_is_told_with_the_owner_of_its_latest_deal(source):
    rows = source(repurchase.customer_details(ALL, ("c1", "c2", "c3", "c4"), day(200), None)).set_index("customer_id")
    assert rows["owner_name"].to_dict() == {"c1": "Ann", "c2": "Bob", "c3": "Bob", "c4": "Ann"}
    assert rows["open_deals"].to_dict() == {"c1": 0, "c2": 0, "c3": 0, "c4": 1}
    assert rows["last_contact_on"].dropna().to_dict() == {"c2": pd.Timestamp(day(30))}


def test_orders_count_with_the_person_who_looks_after_the_customer(source):
    found = people_tables.people_detail(source, ALL).set_index("employee_id")["orders"]
    assert (found["ann"], found["bob"]) == (5, 1)
    early = people_tables.people_detail(source, Filters(start=day(10), end=day(80))).set_index("employee_id")["orders"]
    assert early.isna().all()  # who looked after them then is not known


def found(source: Source, filters: Filters = ALL, terms: DealTerms = ALL_DEALS) -> str:
    tiles, basis = due_tables.repurchase_tiles(source, filters, terms), due_tables.repurchase_basis(source, filters, terms)
    return due_words.finding(tiles, basis, currency="CNY")


def test_of_few_purchases_nothing_is_told_but_how_many_there_are(source):
    assert not len(due_tables.repurchase_due(source, ALL))
    assert found(source).startswith("Customers bought again 5 times. To tell what is usual takes 100")


@pytest.mark.slow
def test_before_the_first_purchase_and_without_any_there_is_nothing_to_tell(source, data_set):
    for nothing in (found(source, Filters(end=day(-1))), found(open_source(data_set))):
        assert nothing.startswith("No customer who is looked after has bought yet")


def test_on_a_day_after_the_last_of_the_data_nobody_is_silent_for_longer(source):
    late = source.remember(due_tables.bought, Filters(end=day(500)), ALL_DEALS, 0)
    assert late.until == day(200)


# ── chances ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def customer(purchase_days: int, span: int, silent: int) -> pd.DataFrame:
    until = pd.Timestamp(DAY)
    last = until - pd.Timedelta(days=silent)
    row = {"customer_id": "c", "purchase_days": purchase_days, "first_on": last - pd.Timedelta(days=span), "last_on": last}
    return repurchase.with_lasting(USUAL, pd.DataFrame([{**row, "purchase_value": 300.0, "valued": 3}]), until)


def _slow(*values: int) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(("purchase_days", "span", "silent"), [(1, 0, 10), _slow(4, 90, 20), (4, 90, 200), _slow(30, 300, 90)])
def test_chances_are_those_of_the_models_definition(purchase_days, span, silent):
    """Summed up over all chances to leave and all rates that a customer may have, numerically."""
    gone = Leaving(0.8, 4.0)
    row = repurchase.expected(customer(purchase_days, span, silent), USUAL, gone, pd.Timestamp(DAY), horizon_days=HORIZON_DAYS).iloc[0]
    rate = stats.gamma(USUAL.rates_shape + USUAL.shape * (purchase_days - 1), scale=1 / (USUAL.rates_scale + span))

    def longer(days: float) -> float:
        return float(integrate.quad(lambda one: rate.pdf(one) * stats.gamma.sf(days, USUAL.shape, scale=1 / one), 0, 3, limit=200)[0])

    def weighed(staying: float) -> float:  # by the chance to leave, p, after as many purchases that were followed by another
        return float(
            integrate.quad(lambda p: stats.beta.pdf(p, gone.a, gone.b) * (1 - p) ** (purchase_days - 1) * (p + (1 - p) * staying), 0, 1)[0]
        )

    left, lasting, later = weighed(0.0), longer(silent), longer(silent + HORIZON_DAYS)
    assert row["still_customer"] == pytest.approx(1 - left / weighed(lasting), rel=1e-4)
    assert row["chance"] == pytest.approx((weighed(lasting) - weighed(later)) / weighed(lasting), rel=1e-4)
    assert longer(row["usual_interval_days"]) == pytest.approx(0.5, rel=1e-4)
    assert row["value_at_stake"] == pytest.approx(100 * row["still_customer"])


def test_who_is_silent_ten_times_as_long_as_expected_is_lost_and_who_bought_once_is_told_by_all():
    gone = Leaving(0.8, 4.0)
    late, once = (
        repurchase.expected(one, USUAL, gone, pd.Timestamp(DAY), horizon_days=30).iloc[0]
        for one in (customer(30, 300, 110), customer(1, 0, 5))
    )
    assert late["is_due"]
    assert late["still_customer"] < 0.01
    assert (once["own_share"], once["is_due"]) == (0, False)
    assert once["usual_interval_days"] == pytest.approx(float(rhythm.expected_days(USUAL, np.ones(1), np.zeros(1))[0]))


def test_four_of_five_next_purchases_lie_between_the_days_told():
    rows = customer(5, 100, 40)
    found = repurchase.band(rows, USUAL, pd.Timestamp(DAY)).iloc[0]
    low, high = ((found[name] - rows["last_on"].iloc[0]).days for name in ("next_from_on", "next_until_on"))
    ended = [float(rhythm.lateness(USUAL, np.array([5.0]), np.array([100.0]), np.array([float(days)]))[0]) for days in (40, low, high)]
    assert (ended[2] - ended[1]) / (1 - ended[0]) == pytest.approx(0.8, abs=0.02)


def shop(random: Any, customers: int, until: int, *, leaves: tuple[float, float]) -> list[np.ndarray]:
    """The purchase days of customers who come in over 700 days, each with a rate and a chance to leave of its own."""
    found = []
    for _customer in range(customers):
        rate, gone = random.gamma(1.5) / 40, random.beta(*leaves)
        days = [float(random.integers(0, 700))]
        while days[-1] <= until and random.random() > gone:
            days.append(days[-1] + max(1.0, round(random.gamma(2.0) / rate)))
        found.append(np.array(days))
    return found


def histories(days: list[np.ndarray], until: int) -> pd.DataFrame:
    """The rows of `purchases` of customers who bought on these days, by that one."""
    rows = []
    for number, every in enumerate(days):
        seen = every[every <= until]
        gaps = np.log(np.diff(seen))
        if len(seen):
            rows.append(
                (f"c{number}", len(seen), pd.Timestamp(day(int(seen[0]))), pd.Timestamp(day(int(seen[-1]))), gaps.sum(), (gaps**2).sum())
            )
    columns = ["customer_id", "purchase_days", "first_on", "last_on", "log_sum", "log_square_sum"]
    return pd.DataFrame(rows, columns=columns).assign(purchase_value=1.0, valued=1)


@pytest.mark.slow
@pytest.mark.parametrize(("leaves", "seed"), [((1.0, 5.0), 1), ((0.6, 9.0), 2), ((2.0, 4.0), 3)])
def test_as_many_customers_buy_as_their_chances_say(leaves, seed):
    """3,000 simulated customers, told on day 1,000: over all and in every band of chances as many buy by day 1,030 as was expected."""
    days = shop(np.random.default_rng(seed), 3_000, 1_100, leaves=leaves)
    until = pd.Timestamp(day(1_000))
    rows, later = histories(days, 1_000), histories(days, 1_000 + HORIZON_DAYS)
    known = rhythm.base(rows, history_days=1_000)
    rows = repurchase.with_lasting(known, rows, until)
    gone = repurchase.leaving(known, rows)
    assert gone.a / (gone.a + gone.b) == pytest.approx(leaves[0] / sum(leaves), abs=0.04)
    check = repurchase.checked(repurchase.expected(rows, known, gone, until, horizon_days=HORIZON_DAYS), later)
    expected = check["expected_customers"].sum()
    assert check["bought"].sum() == pytest.approx(expected, abs=3 * expected**0.5)
    chance = check["expected_customers"] / check["customers"]
    limits = stats.binom.interval(0.999, check["customers"], chance)
    assert ((limits[0] - 4 <= check["bought"]) & (check["bought"] <= limits[1] + 4)).all(), check


@pytest.mark.slow
def test_the_list_of_the_demo_is_the_one_that_plain_pandas_makes(demo):
    source = open_source(demo)
    rows = due_tables.repurchase_due(source, ALL)
    frames = {
        name: source(repurchase.select(table))
        for name, table in (("orders", repurchase.visible_orders(Scope())), ("customers", written_deals.schema.customers))
    }
    deals = source(repurchase.select(written_deals.schema.deal_facts))
    orders = frames["orders"][frames["orders"]["customer_id"].notna()]
    companies = frames["customers"].query("customer_kind == 'company'")["customer_id"]
    by_hand: dict[str, tuple[int, Any, float]] = {}
    for key, held in orders[orders["customer_id"].isin(companies)].groupby("customer_id"):
        days = sorted(held.loc[held["is_purchase"], "ordered_on"].unique())
        won = deals[(deals["customer_id"] == key) & (deals["outcome"] == "won") & (deals["closed_on"] > days[-1] + pd.Timedelta(days=30))]
        days += sorted(won["closed_on"].unique())
        valued = len(days) - len(won) + int(won["deal_amount"].notna().sum())
        by_hand[str(key)] = len(days), days[-1], (held["net_revenue"].sum() + won["deal_amount"].sum()) / valued
    assert len(rows) > 20
    assert rows["value_at_stake"].is_monotonic_decreasing
    for row in rows.itertuples():
        count, last, value = by_hand[str(row.customer_id)]
        assert (row.purchase_days, row.last_on) == (count, last)
        assert row.value_per_purchase == pytest.approx(value)
    assert (rows["days_since_last_purchase"] >= rows["usual_interval_days"]).all()
    lost = due_tables.repurchase_due(source, ALL, ALL_DEALS, LOST)
    assert (lost["still_customer"] < 0.5).all()
    assert set(lost["customer_id"]).isdisjoint(rows["customer_id"])
    tiles = due_tables.repurchase_tiles(source, ALL).set_index("metric")["value"]
    assert (tiles["due_customers"], tiles["probably_lost"]) == (len(rows), len(lost))
    assert tiles["due_value"] == pytest.approx(rows["value_at_stake"].sum())
    late = due_tables.repurchase_lateness(source, ALL)
    assert late.loc[late["from_times"] >= 1, "customers"].sum() == len(rows) + len(lost)
