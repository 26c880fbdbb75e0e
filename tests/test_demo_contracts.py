"""Do the demo's contracts end as the shifted beta-geometric says, and only at the end of a period that was paid?"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln

from crm_metrics.demo import contracts, customers, leads, roster
from crm_metrics.demo.contracts import KINDS, Kind
from crm_metrics.demo.plan import FIRST_ON, LAST_ON, Effects, Plan
from crm_metrics.demo.world import Customers
from crm_metrics.schema import contracts as table

ON = Effects(**{**dict.fromkeys(Effects.__dataclass_fields__, False), "contracts": True})


def all_customers(plan: Plan) -> list[Customers]:
    everybody = roster.roster(plan, leads.leads(plan, leads.calls(plan)))
    return [customers.customers(plan, chunk, everybody) for chunk in range(plan.chunks)]


def signed(plan: Plan, *, of: list[Customers] | None = None) -> pd.DataFrame:
    """The table of contracts with plain columns."""
    found = all_customers(plan) if of is None else of
    frame = pd.concat([contracts.contracts(plan, chunk, one)[table].to_pandas() for chunk, one in enumerate(found)], ignore_index=True)
    days = {name: pd.to_datetime(frame[name]) for name in ("started_on", "ended_on")}
    return frame.assign(**days, monthly_amount=frame["monthly_amount"].astype(float))


def won_on(days: list[int], *, is_company: bool) -> Customers:
    """Customers won on given days, about whom nothing else matters here."""
    some, count = all_customers(Plan(customers=100))[0], len(days)
    one = Customers(**{name: np.repeat(column[1:2], count) for name, column in some._asdict().items()})
    return one._replace(number=np.arange(count), acquired=np.array(days, dtype=float), is_company=np.full(count, is_company))


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    return signed(Plan(customers=20_000, seed=4))


# ── the calendar ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "months", "after"),
    [
        ("2023-01-01", 1, "2023-02-01"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 2, "2023-03-31"),  # from the first day, not from the day in February
        ("2024-02-29", 12, "2025-02-28"),
        ("2023-12-15", 13, "2025-01-15"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(start, months, after):
    day = (pd.Timestamp(start) - pd.Timestamp(FIRST_ON)).days
    found = contracts._months_after(np.array([day]), months)[0]
    assert pd.Timestamp(FIRST_ON) + pd.Timedelta(days=int(found)) == pd.Timestamp(after)


@pytest.mark.parametrize(
    ("start", "months"),
    [("2025-12-01", 1), ("2025-12-02", 0), ("2025-11-30", 1), ("2025-11-01", 2), ("2023-01-01", 36), ("2025-01-31", 11)],
)
def test_whole_months_are_counted_to_the_last_day_of_the_demo(start, months):
    day = (pd.Timestamp(start) - pd.Timestamp(FIRST_ON)).days
    assert contracts._whole_months(Plan(), np.array([day]))[0] == months


def test_a_contract_ends_with_the_last_day_of_a_paid_period(small):
    ended = small[small["has_churned"]]
    next_day = [start + pd.DateOffset(months=months) for start, months in zip(ended["started_on"], ended["tenure_months"], strict=True)]
    assert (ended["ended_on"] + pd.Timedelta(days=1)).tolist() == next_day
    period = ended["contract_kind"].map({kind.name: kind.period_months for kind in KINDS})
    assert (ended["tenure_months"] % period == 0).all()
    assert (ended["tenure_months"] >= period).all()


def test_nothing_happens_after_the_demo_and_what_is_paid_up_to_its_last_day_has_ended():
    frame = signed(Plan(), of=[won_on([number % Plan().days for number in range(50_000)], is_company=False)])
    assert frame["started_on"].max() == pd.Timestamp(LAST_ON)
    assert frame["ended_on"].max() == pd.Timestamp(LAST_ON)
    assert (frame["ended_on"].isna() == ~frame["has_churned"]).all()


def test_a_running_contract_has_run_the_whole_months_since_its_first_day(small):
    running = small[~small["has_churned"]]
    after = pd.Timestamp(LAST_ON) + pd.Timedelta(days=1)
    so_far = [start + pd.DateOffset(months=months) for start, months in zip(running["started_on"], running["tenure_months"], strict=True)]
    one_more = [
        start + pd.DateOffset(months=months + 1) for start, months in zip(running["started_on"], running["tenure_months"], strict=True)
    ]
    assert max(so_far) <= after < min(one_more)


# ── who has one ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_stated_share_of_customers_has_a_contract_of_a_kind_for_them():
    """Of customers won early enough for every contract to have begun; 4 binomial standard errors."""
    many = 20_000
    for is_company, share in ((True, contracts.COMPANIES_SHARE), (False, contracts.PERSONS_SHARE)):
        frame = signed(Plan(), of=[won_on([0] * many, is_company=is_company)])
        assert len(frame) / many == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / many))
        for kind in KINDS:
            expected = kind.share if kind.is_company == is_company else 0
            found = (frame["contract_kind"] == kind.name).mean()
            assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(frame)))


def test_a_contract_begins_up_to_200_days_after_the_first_order():
    frame = signed(Plan(), of=[won_on([10] * 20_000, is_company=False)])
    waited = (frame["started_on"] - pd.Timestamp(FIRST_ON)).dt.days - 10
    assert (waited.min(), waited.max()) == (0, 200)
    assert waited.mean() == pytest.approx(100, abs=4 * np.sqrt((201**2 - 1) / 12 / len(frame)))


def test_each_kind_has_its_monthly_charge(small):
    assert small.groupby("contract_kind")["monthly_amount"].unique().map(list).to_dict() == {
        kind.name: [kind.monthly_amount] for kind in KINDS
    }


def test_a_customer_has_one_contract_at_most_and_a_test_account_none():
    plan = Plan(customers=2_000, seed=1)
    everybody = all_customers(plan)[0]
    frame = signed(plan, of=[everybody])
    assert frame["customer_id"].is_unique
    assert frame["contract_id"].is_unique
    tests = everybody._replace(is_test=np.ones(2_000, dtype=bool))
    assert contracts.contracts(plan, 0, tests)[table].num_rows == 0


def test_without_the_effect_there_are_no_contracts():
    plan = Plan(customers=2_000, effects=Effects.without("contracts"))
    assert contracts.contracts(plan, 0, all_customers(plan)[0]) == {}
    assert contracts.stated(plan) == {}


def test_a_seed_signs_the_same_contracts_again_and_another_others():
    found = all_customers(Plan(customers=2_000, seed=1))
    pd.testing.assert_frame_equal(signed(Plan(customers=2_000, seed=1), of=found), signed(Plan(customers=2_000, seed=1), of=found))
    assert not signed(Plan(customers=2_000, seed=2), of=found).equals(signed(Plan(customers=2_000, seed=1), of=found))


# ── the model ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Observed(NamedTuple):
    """Contracts of one kind as the table shows them. periods: paid for, of those that ended; whole ones so far, of those that run."""

    periods: np.ndarray
    has_churned: np.ndarray


def observed(frame: pd.DataFrame, kind: Kind) -> Observed:
    chosen = frame[frame["contract_kind"] == kind.name]
    return Observed((chosen["tenure_months"] // kind.period_months).to_numpy(), chosen["has_churned"].to_numpy())


def log_likelihoods(parameters: np.ndarray, seen: Observed) -> np.ndarray:
    """Fader and Hardie (2007): P(T = t) = B(alpha + 1, beta + t - 1) / B(alpha, beta), S(t) = B(alpha, beta + t) / B(alpha, beta)."""
    alpha, beta = np.exp(parameters)
    ended = betaln(alpha + 1, beta + np.maximum(seen.periods, 1) - 1)
    runs = betaln(alpha, beta + seen.periods)
    return np.where(seen.has_churned, ended, runs) - betaln(alpha, beta)


def survival(kind: Kind, periods: int) -> float:
    return float(np.exp(betaln(kind.alpha, kind.beta + periods) - betaln(kind.alpha, kind.beta)))


def assert_recovered(seen: Observed, kind: Kind) -> None:
    """Log alpha and log beta of greatest likelihood lie within 3 standard errors, from the inverse of the information at the truth."""
    truth = np.log([kind.alpha, kind.beta])
    step = 1e-5
    scores = np.column_stack(
        [(log_likelihoods(truth + step * unit, seen) - log_likelihoods(truth - step * unit, seen)) / (2 * step) for unit in np.eye(2)]
    )
    errors = np.sqrt(np.diag(np.linalg.inv(scores.T @ scores)))
    fit = minimize(lambda parameters: -log_likelihoods(parameters, seen).sum(), truth + 0.5, method="Nelder-Mead", options={"xatol": 1e-6})
    assert fit.success
    assert np.abs(fit.x - truth) / errors == pytest.approx(np.zeros(2), abs=3), (kind.name, np.exp(fit.x), errors)


@pytest.fixture(scope="module")
def early() -> pd.DataFrame:
    """Contracts of 300,000 companies and as many persons won on the first day: every one can be seen through its first 29 months."""
    found = [won_on([0] * 300_000, is_company=is_company) for is_company in (True, False)]
    return signed(Plan(seed=11), of=found)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_as_many_contracts_outlive_each_renewal_as_the_closed_form_says(early, kind):
    """Within 4 binomial standard errors."""
    seen = observed(early, kind)
    for renewal in range(1, 29 // kind.period_months + 1):
        expected = survival(kind, renewal)
        share = np.where(seen.has_churned, seen.periods > renewal, seen.periods >= renewal).mean()
        assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(seen.periods))), renewal


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_maximum_likelihood_finds_the_stated_parameters(early, kind):
    assert_recovered(observed(early, kind), kind)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.period_months == 1], ids=lambda kind: kind.name)
def test_maximum_likelihood_finds_them_in_a_whole_demo_of_60_000_customers(kind):
    plan = Plan(customers=60_000, seed=1, effects=ON)
    assert plan.chunks == 2
    assert_recovered(observed(signed(plan), kind), kind)


def test_the_first_renewals_of_a_small_demo_end_as_often_as_stated(small):
    """The mean of a beta distribution, within 4 binomial standard errors, of contracts that have come to their first renewal."""
    for kind in KINDS:
        seen = observed(small, kind)
        came = seen.periods >= 1
        expected = kind.alpha / (kind.alpha + kind.beta)
        ended = (seen.has_churned & (seen.periods == 1))[came].mean()
        assert ended == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / came.sum())), kind.name


def test_the_published_survival_of_the_high_end_customers_comes_out():
    """Fader and Hardie (2007): years 8 to 10 of the High End customers, .460 .436 .414."""
    high_end = KINDS[1]
    assert [round(survival(high_end, year), 3) for year in (8, 9, 10)] == [0.460, 0.436, 0.414]


def test_the_stated_parameters_are_those_declared():
    stated = contracts.stated(Plan())
    assert stated.keys() == contracts.PARAMETERS.keys()
    assert stated["alpha"] == {KINDS[0].name: 0.704, KINDS[1].name: 0.668, KINDS[2].name: 0.90}  # the first two as published
    assert stated["beta"] == {KINDS[0].name: 1.182, KINDS[1].name: 3.806, KINDS[2].name: 2.60}
