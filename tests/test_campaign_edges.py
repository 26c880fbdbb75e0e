"""What a campaign is easily credited or proven with wrongly: other regions' orders, one proof of many, a covariate known of some."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from test_campaign_credit import DAY, EVER, members, order, shop, touch

from crm_metrics.campaign_roi.credit import query, tables
from crm_metrics.campaign_roi.credit.query import before_and_after, treated_arms
from crm_metrics.campaign_roi.credit.terms import CreditTerms
from crm_metrics.campaign_roi.result import statistic
from crm_metrics.filters import Filters
from crm_metrics.randomised_test.repeated import shrunk
from crm_metrics.scope import Scope


@pytest.mark.slow
def test_orders_that_the_reader_may_not_see_or_did_not_choose_credit_no_campaign(data_set):
    orders = [order(f"o{place}", "ann", 5, 10.0, campaign_id="a", order_region=place) for place in "NS"]
    source = shop(data_set, orders, [touch(1, "a", "ann", 1)])

    def credit(filters: Filters) -> list[float]:
        found = tables.attribution(source, filters, CreditTerms())
        return found[(found["campaign"] == "a") & found["rule"].isin(("named", "last"))]["credited_revenue"].tolist()

    north = Scope("seller", ("N",))
    assert [credit(filters) for filters in (EVER, Filters(scope=north), Filters(region=("N",)))] == [[20, 20], [10, 10], [10, 10]]


@pytest.mark.slow
def test_whoever_first_bought_on_the_day_a_campaign_began_is_not_compared(data_set):
    orders = [order("o1", "x", 0, 10.0), order("o2", "y", -1, 10.0), order("o3", "y", 0, 5.0)]
    source = shop(data_set, orders, [], campaign_members=members("a", "treated", "xy"))
    people = source(before_and_after(EVER, "a", "treated", (DAY, DAY)))
    assert people[["spend_30", "net_revenue"]].astype(float).to_numpy().tolist() == [[10, 5]]


@pytest.mark.slow
def test_compared_are_customers_of_the_treated_s_kinds_and_of_many_every_third(any_data_set, monkeypatch):
    """Of five treated one in three, of two others of their kind both; neither another arm's nor another kind's."""
    monkeypatch.setattr(query, "MOST_CUSTOMERS", 2)
    orders = [order(f"o{place}", name, -10, float(place)) for place, name in enumerate("abcdefghi", start=1)]
    kinds = [{"customer_id": name, "customer_kind": "company" if name == "h" else "person"} for name in "abcdefghi"]
    arms = [*members("a", "treated", "abcde"), *members("a", "other", "i")]
    source = shop(any_data_set, orders, [], campaign_members=arms, customers=kinds)
    assert source(treated_arms("a"))["arm"].tolist() == ["other", "treated"]
    people = source(before_and_after(EVER, "a", "treated", (DAY, DAY)))
    found = people[["is_treated", "customers", "spend_30"]].astype(float)
    assert found.to_numpy().tolist() == [[1, 5, 1], [1, 5, 4], [0, 2, 6], [0, 2, 7]]


def segments_of(lifts: list[float]) -> pd.DataFrame:
    """200 members of each arm in each segment, of variance 1, treated by so much above control."""
    n = 200
    rows = [
        {"segment": f"s{place}", "arm": arm, "n": n, "y": n * mean, "yy": n * mean**2 + n - 1}
        for place, lift in enumerate(lifts)
        for arm, mean in (("treated", lift), ("control", 0.0))
    ]
    return pd.DataFrame(rows).assign(campaign="c", stratum="", by="segment", outcome="spend")


def test_a_segment_that_alone_would_be_proven_is_not_among_many():
    """z = .25 / .1 = 2.5: p is .013 alone and .13 of ten after Holm (1979)."""
    alone, of_ten = (statistic.segment_rows(segments_of(lifts)).iloc[0] for lifts in ([0.25], [0.25, *[0.0] * 9]))
    assert bool(alone["is_proven"])
    assert alone["p_value"] == of_ten["p_value"] == pytest.approx(0.0128, abs=1e-4)
    assert not of_ten["is_proven"]
    assert of_ten["p_adjusted"] == pytest.approx(10 * of_ten["p_value"])


def test_a_total_that_contradicts_most_but_not_all_of_its_segments_is_flagged():
    """Treated are mostly large customers: the total is 5.6, though two segments of three say -1 and the third .1 (Simpson)."""
    cells = {"a": ((100, 1.0), (900, 2.0)), "b": ((900, 10.0), (100, 11.0)), "c": ((100, 5.0), (100, 4.9))}
    rows = [
        {"segment": name, "arm": arm, "n": n, "y": n * mean, "yy": n * mean**2 + n - 1}
        for name, arms in cells.items()
        for arm, (n, mean) in zip(("treated", "control"), arms, strict=True)
    ]
    found = statistic.segment_rows(pd.DataFrame(rows).assign(campaign="c", stratum="", by="segment", outcome="spend"))
    assert found["uplift"].tolist() == pytest.approx([-1, -1, 0.1])
    assert found["total_uplift"].iloc[0] == pytest.approx(9600 / 1100 - 3390 / 1100)
    assert found["weighted_uplift"].iloc[0] == pytest.approx((-1000 - 1000 + 0.1 * 200) / 2200)
    assert found["is_reversed"].all()


def test_what_was_before_is_used_only_where_it_is_known_of_everybody_in_the_campaign():
    wide = pd.DataFrame({"campaign": ["one", "one", "two", "two"], "arm": ["control", "treated"] * 2, "stratum": "", "n": 10})
    wide = wide.assign(x_known=[10, 9, 10, 10], x=5.0, xx=3.0, y_spend=1.0, yy_spend=1.0, xy_spend=1.0)
    sums = statistic.long_sums(wide)
    assert np.isnan(sums["x"]).tolist() == np.isnan(sums["xy"]).tolist() == [True, True, False, False]


def test_whether_segments_differ_is_asked_with_one_degree_of_freedom_less_than_there_are_segments():
    """Standard errors of .1: Cochran's Q of .25 and 0 is .25² / .02 with one degree of freedom."""
    found = statistic.segment_rows(segments_of([0.25, 0.0]))
    assert found["differ_p_value"].tolist() == pytest.approx([chi2.sf(0.25**2 / 0.02, 1)] * 2)


def test_the_spread_between_tests_is_that_of_dersimonian_and_laird():
    """1, 3 and 8 with standard errors of 1: Q = 26, so that the variance between them is (26 - 2) / (3 - 3 / 3) = 12."""
    found = shrunk(np.array([1.0, 3.0, 8.0]), np.ones(3))
    assert (found.between**2, found.mean) == pytest.approx((12, 4))
    assert found.estimate.tolist() == pytest.approx([4 + 12 / 13 * (value - 4) for value in (1, 3, 8)])
