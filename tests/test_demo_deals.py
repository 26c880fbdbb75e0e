"""Deals of the demo: stages, cycles, detours and everything beside are those stated, and the history tells how each deal came to stand.

BIG: 100,000 customers, 30,000 deals. Shares and means are taken over deals created early enough that all of them are closed: those
created before the CRM (a year and a half before the end), and those after it until 250 days before the end.
"""

import numpy as np
import pandas as pd
import pytest
from simulated_sales import BIG, SMALL, STANDARD_ERRORS, Sales, day, is_mean, is_share, sales, simulated

from crm_metrics import schema
from crm_metrics.demo import deal_sources, office_hours, tasks
from crm_metrics.demo import deal_stages as stages
from crm_metrics.demo.channels import CHANNEL_NAMES
from crm_metrics.demo.deal_changes import courses
from crm_metrics.demo.plan import GO_LIVE_ON, Effects, Plan

STRAIGHT = Effects.without("detours")
GO_LIVE = pd.Timestamp(GO_LIVE_ON)
ENOUGH_DAYS = 250  # a cycle of 48 days on average, with a standard deviation of 18, a reopening of 50: nearly all are over by then
ERAS = pytest.mark.parametrize("era", [0, 1], ids=["before", "after"])
ORDER = {stage: place for place, stage in enumerate(stages.STAGES)}


@pytest.fixture(scope="module")
def big() -> Sales:
    return sales(BIG)


@pytest.fixture(scope="module")
def straight() -> Sales:
    """Deals without detours."""
    return sales(Plan(customers=100_000, seed=13, effects=STRAIGHT))


@pytest.fixture(scope="module")
def small() -> Sales:
    return sales(SMALL)


@pytest.fixture(scope="module")
def now(big) -> pd.DataFrame:
    return big.frame(schema.opportunities)


@pytest.fixture(scope="module")
def first_runs(big) -> pd.DataFrame:
    return until_first_closing(big)


def until_first_closing(of: Sales) -> pd.DataFrame:
    """One row per deal: created, furthest open stage reached, distinct open stages, whether it went back, outcome and days at the first
    closing (NaN while open), closings.
    """
    history = of.frame(schema.opportunity_history)
    history["place"] = history["stage"].map(ORDER)
    closes = (history["outcome"] != "open").groupby(history["opportunity_id"]).cumsum()
    running = history[closes == 0]
    by_deal = running.groupby("opportunity_id")
    runs = pd.DataFrame(
        {
            "created": by_deal["changed_at"].min(),
            "furthest": by_deal["place"].max(),
            "distinct": by_deal["place"].nunique(),
            "went_back": (running["place"].diff() < 0)
            .where(running["change_number"] > 1, other=False)
            .groupby(running["opportunity_id"])
            .any(),
            "changes_of_close": by_deal["expected_close_on"].nunique() - 1,
        }
    )
    ends = history[(closes == 1) & (history["outcome"] != "open")].set_index("opportunity_id")
    runs["outcome"] = ends["outcome"]
    runs["cycle"] = in_days(ends["changed_at"] - runs["created"])
    return runs


def in_days(durations: pd.Series) -> pd.Series:
    return durations.dt.total_seconds() / 86_400


def of_era(frame: pd.DataFrame, column: str, era: int) -> pd.DataFrame:
    """The rows of deals created before, or after but early enough."""
    low, high = (GO_LIVE, day(BIG.days - ENOUGH_DAYS)) if era else (day(0), GO_LIVE)
    return frame[(frame[column] >= low) & (frame[column] < high)]


# ── stages and cycles ───────────────────────────────────────────────────────────────────────────────────────────────────


@ERAS
def test_each_stage_is_passed_with_the_stated_share(first_runs, era):
    runs = of_era(first_runs, "created", era)
    assert runs["outcome"].notna().mean() > 0.999
    for place, conversion in enumerate(stages.CONVERSION[era]):
        reached = runs[runs["furthest"] >= place]
        passed = (reached["furthest"] > place) | (reached["outcome"] == "won")
        assert is_share(passed, conversion), stages.OPEN_STAGES[place]


@ERAS
def test_deals_are_won_with_the_product_of_the_stages_and_a_few_more_by_reopening(first_runs, now, era):
    assert is_share(of_era(first_runs, "created", era)["outcome"] == "won", stages.win_rate(era))
    assert stages.win_rate(era) == pytest.approx(np.prod(stages.CONVERSION[era]))
    assert is_share(of_era(now, "created_on", era)["outcome"] == "won", stages.win_rate(era, with_reopened=True))


@pytest.mark.slow
@ERAS
def test_a_win_takes_the_sum_of_the_stages_where_there_are_no_detours(straight, era):
    won = of_era(until_first_closing(straight), "created", era).query("outcome == 'won'")["cycle"]
    deviation = np.sqrt(np.sum(np.square(stages.STAGE_DAYS[era])) / stages.STAGE_SHAPE)
    assert stages.cycle_days(era) == sum(stages.STAGE_DAYS[era])
    assert is_mean(won, stages.cycle_days(era), deviation)
    assert won.std() == pytest.approx(deviation, rel=STANDARD_ERRORS / np.sqrt(len(won)))  # wider than a normal's error, skew and all


@ERAS
def test_a_win_takes_as_long_as_stated_with_detours(first_runs, era):
    won = of_era(first_runs, "created", era).query("outcome == 'won'")["cycle"]
    assert is_mean(won, stages.cycle_days(era, with_detours=True), won.std())


def test_the_time_in_the_first_stage_is_as_stated_for_deals_that_pass_it_and_shorter_for_those_lost_in_it(straight):
    history = straight.frame(schema.opportunity_history)
    moves = history[(history["stage"] != history.groupby("opportunity_id")["stage"].shift())]
    moves = moves.assign(
        next=moves.groupby("opportunity_id")["stage"].shift(-1), until=moves.groupby("opportunity_id")["changed_at"].shift(-1)
    )
    first = of_era(moves[moves["change_number"] == 1], "changed_at", 0)
    stay = in_days(first["until"] - first["changed_at"])
    mean, lost = stages.STAGE_DAYS[0][0], first["next"] == stages.STAGES[stages.LOST]
    deviation = mean / np.sqrt(stages.STAGE_SHAPE)
    assert is_mean(stay[~lost], mean, deviation)
    assert is_mean(stay[lost], mean * stages.LOST_TIME_SHARE, deviation * stages.LOST_TIME_SHARE)


# ── office hours ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_deals_move_and_sellers_meet_people_from_monday_to_friday_equally_often(big):
    moments = (
        big.frame(schema.opportunity_history)["changed_at"],
        big.frame(schema.activities).dropna(subset="opportunity_id")["happened_at"],
    )
    for happened in (*moments, big.frame(schema.service_tickets)["opened_at"]):
        shares = happened.dt.day_of_week.value_counts(normalize=True)
        assert set(shares.index) == set(range(5))
        assert shares.to_numpy() == pytest.approx(0.2, abs=0.02)
        clock = (happened - happened.dt.normalize()).dt.total_seconds() / 3600
        assert clock.between(8.5, 18.0).all()


def test_office_hours_keep_the_order_and_lie_within_two_days_after():
    moments = np.sort(np.random.default_rng(5).uniform(0, 1_000, 20_000))
    moved = office_hours.in_office_hours(moments)
    assert (np.diff(moved) > 0).all()
    later = office_hours.on_workdays(moments) - moments
    assert later.min() >= 0
    assert later.max() <= 2
    assert is_mean(later, 1.0, 2 / np.sqrt(12))


def test_a_moment_between_two_in_office_hours_lies_on_the_workdays_between():
    """Day 0 is a Sunday: from Friday noon (day 5) to Monday noon (day 8) the middle is Friday 18:00 or Monday 8:30, never the weekend."""
    count = 1_000
    assert office_hours.between(np.full(1, 5.5), np.full(1, 8.5), np.array([0.0, 1.0])) == pytest.approx([5.5, 8.5])
    middle = office_hours.between(np.full(count, 5.5), np.full(count, 8.5), np.linspace(0, 1, count))
    assert set(np.floor(middle)) == {5.0, 8.0}
    assert (np.diff(middle) > 0).all()


# ── detours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_won_deals_skip_a_stage_and_go_back_one_with_the_stated_shares(first_runs):
    won = first_runs[(first_runs["outcome"] == "won") & (first_runs["created"] < day(BIG.days - ENOUGH_DAYS))]
    assert is_share(won["distinct"] < len(stages.OPEN_STAGES), stages.SKIP_SHARE)
    assert won["distinct"].min() == len(stages.OPEN_STAGES) - 1
    assert is_share(won["went_back"], stages.BACK_SHARE)


def test_closing_dates_are_pushed_a_geometric_number_of_times_always_to_a_later_day(big, first_runs):
    closed = first_runs[first_runs["outcome"].notna() & (first_runs["created"] < day(BIG.days - ENOUGH_DAYS))]
    for pushes in (1, 2, 3):
        assert is_share(closed["changes_of_close"] >= pushes, stages.PUSH_CHANCE**pushes)
    history = big.frame(schema.opportunity_history)
    push = history.groupby("opportunity_id")["expected_close_on"].diff().dt.days
    pushed = push[push.notna() & (push != 0)]
    assert pushed.min() >= 1
    assert is_mean(pushed, stages.PUSH_DAYS, stages.PUSH_DAYS - stages.LEAST_PUSH_DAYS)


@pytest.fixture(scope="module")
def closings(big) -> pd.DataFrame:
    """One row per deal lost before the CRM: whether it was reopened, and how it ended then."""
    history = of_era(big.frame(schema.opportunities)[["opportunity_id", "created_on", "outcome"]], "created_on", 0)
    ends = big.frame(schema.opportunity_history).query("outcome != 'open'").groupby("opportunity_id")
    ends = pd.DataFrame({"first": ends["outcome"].first(), "count": ends.size()})
    return history.merge(ends, on="opportunity_id").query("first == 'lost'")


def test_lost_deals_are_reopened_once_and_won_then_with_the_stated_shares(closings):
    assert is_share(closings["count"] == 2, stages.REOPEN_SHARE)
    assert closings["count"].max() == 2
    assert is_share(closings[closings["count"] == 2]["outcome"] == "won", stages.REOPENED_WIN_RATE)


def test_a_deal_goes_back_by_one_stage_and_comes_back_to_it_or_skips_one_never_both(small):
    history = small.frame(schema.opportunity_history)
    running = history[(history["outcome"] != "open").groupby(history["opportunity_id"]).cumsum() == 0]
    place = running["stage"].map(ORDER)
    moved = place[(place.groupby(running["opportunity_id"]).diff() != 0)]
    step = moved.groupby(running["opportunity_id"]).diff().dropna().astype(int)
    paths = step.astype(str).groupby(running["opportunity_id"]).agg(" ".join)
    allowed = {"1", "1 1", "1 1 1", "2", "2 1", "1 2", "1 -1 1", "1 -1 1 1", "1 -1 1 1 1", "1 1 -1 1", "1 1 -1 1 1", "1 1 1 -1 1"}
    cut_by_the_end = {"1 -1", "1 1 -1", "1 1 1 -1"}
    assert {"2", "1 -1 1 1 1"} <= set(paths) <= allowed | cut_by_the_end


def test_a_deal_is_never_lost_in_a_stage_it_skips(big):
    found = deal_sources.sources(BIG, big.leads, deal_sources.lead_outcomes(BIG, big.leads, big.accounts), big.accounts)
    runs = courses(BIG, found)
    lost = np.flatnonzero(runs.passed < stages.WON)
    assert not np.isnan(runs.entered[lost, runs.passed[lost]]).any()


def test_the_first_expected_closing_is_the_mean_of_a_win_give_or_take(big):
    created = big.frame(schema.opportunity_history).query("change_number == 1")
    for era in (0, 1):
        cohort = of_era(created, "changed_at", era)
        days = in_days(cohort["expected_close_on"] - cohort["changed_at"].dt.normalize())
        assert is_mean(np.log(days / stages.cycle_days(era)), 0.0, stages.EXPECTED_SPREAD)


def test_without_detours_deals_move_straight_and_are_otherwise_the_same():
    with_detours, straight = sales(SMALL), sales(Plan(customers=2_000, seed=7, effects=STRAIGHT))
    history = straight.frame(schema.opportunity_history)
    steps = history["stage"].map(ORDER).groupby(history["opportunity_id"]).diff().dropna()
    is_end = history["outcome"] != "open"
    assert set(steps[~is_end]) == {0, 1}
    assert (is_end.groupby(history["opportunity_id"]).sum() <= 1).all()
    assert (history.groupby("opportunity_id")["expected_close_on"].nunique() == 1).all()
    same = ["opportunity_id", "customer_id", "lead_id", "created_on", "product_id", "segment", "has_scorecard", "owner_id"]
    one, other = (of.frame(schema.opportunities)[same] for of in (with_detours, straight))
    pd.testing.assert_frame_equal(one, other)
    first, again = until_first_closing(with_detours), until_first_closing(straight)
    both = first["outcome"].notna() & again["outcome"].notna()
    assert (first[both]["outcome"] == again[both]["outcome"]).all()


# ── history ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_last_change_of_a_deal_is_how_it_stands(small):
    now, history = small.frame(schema.opportunities), small.frame(schema.opportunity_history)
    last = history.groupby("opportunity_id").tail(1).set_index("opportunity_id").loc[now["opportunity_id"]]
    for column in ("stage", "outcome", "expected_close_on", "owner_id"):
        assert (last[column].to_numpy() == now[column].to_numpy()).all(), column
    assert last["deal_amount"].to_list() == now["deal_amount"].to_list()
    closed = now["outcome"] != "open"
    assert (now["closed_on"].notna() == closed).all()
    assert (last["changed_at"].dt.normalize().to_numpy() == now["closed_on"].to_numpy())[closed].all()


def test_changes_are_numbered_from_the_creation_on_in_order_of_time(small):
    now, history = small.frame(schema.opportunities), small.frame(schema.opportunity_history)
    by_deal = history.groupby("opportunity_id")
    assert (history["change_number"] == by_deal.cumcount() + 1).all()
    assert not (by_deal["changed_at"].diff() < pd.Timedelta(0)).any()
    first = by_deal.head(1).set_index("opportunity_id").loc[now["opportunity_id"]]
    assert (first["changed_at"].dt.normalize().to_numpy() == now["created_on"].to_numpy()).all()
    assert set(first["stage"]) == {stages.OPEN_STAGES[0]}
    assert (
        history["outcome"]
        == history["stage"].map(dict(zip(stages.STAGES, [stages.OUTCOMES[o] for o in stages.STAGE_OUTCOMES], strict=True)))
    ).all()


def test_each_change_changes_something(small):
    history = small.frame(schema.opportunity_history)
    compared = history[["stage", "expected_close_on", "owner_id", "outcome"]].assign(amount=history["deal_amount"].astype(float).fillna(-1))
    same = (compared == compared.shift()).all(axis=1) & (history["change_number"] > 1)
    assert same.sum() <= 0.01 * len(history)  # a new value that rounds to the old one


def test_an_unknown_value_stays_unknown(small):
    history = small.frame(schema.opportunity_history)
    unknown = history["deal_amount"].isna().groupby(history["opportunity_id"])
    assert unknown.any().sum() > 5
    assert (unknown.any() == unknown.all()).all()


def test_what_was_open_on_a_day_by_the_history_is_what_the_deals_dates_say(small):
    """For deals never reopened: created by then and not closed by then."""
    now, history = small.frame(schema.opportunities), small.frame(schema.opportunity_history)
    ends = (history["outcome"] != "open").groupby(history["opportunity_id"]).sum()
    once = now[now["opportunity_id"].map(ends) - now["closed_on"].notna() == 0]
    assert len(once) > 0.9 * len(now)
    for moment in pd.to_datetime(["2023-06-30", "2024-06-30", "2025-03-31", "2025-12-31"]):
        known = history[history["changed_at"] < moment + pd.Timedelta(days=1)].groupby("opportunity_id").tail(1)
        by_history = set(known[known["outcome"] == "open"]["opportunity_id"]) & set(once["opportunity_id"])
        by_dates = once[(once["created_on"] <= moment) & ~(once["closed_on"] <= moment)]
        assert by_history == set(by_dates["opportunity_id"]) != set()


def test_nothing_happens_after_the_demo_ends_and_late_deals_are_open(big, now):
    end = day(BIG.days)
    assert big.frame(schema.opportunity_history)["changed_at"].max() < end
    assert big.frame(schema.activities)["happened_at"].max() < end
    assert big.frame(schema.tasks)["done_on"].max() < end
    assert now[["created_on", "closed_on"]].max().max() < end
    tickets = big.frame(schema.service_tickets)
    assert tickets[["opened_at", "first_reply_at", "solved_at"]].max().max() < end
    fresh = now[now["created_on"] >= day(BIG.days - 7)]
    assert (fresh["outcome"] == "open").mean() > 0.8
    assert now["outcome"].value_counts(normalize=True)["open"] < 0.15


# ── where deals come from ───────────────────────────────────────────────────────────────────────────────────────────────


def test_half_of_the_qualified_leads_become_a_deal(big, now):
    found = big.frame(schema.leads)
    qualified = found[found["qualified_on"].notna() & (found["qualified_on"] < day(BIG.days - 30))]
    assert is_share(qualified["opportunity_id"].notna(), deal_sources.LEAD_DEAL_SHARE)
    assert found[found["qualified_on"].isna()]["opportunity_id"].isna().all()
    pairs = found.dropna(subset="opportunity_id").merge(now, on="opportunity_id")
    assert len(pairs) == now["lead_id"].notna().sum()
    assert (pairs["lead_id_x"] == pairs["lead_id_y"]).all()
    assert (pairs["lead_source"] == pairs["deal_source"]).all()
    assert (pairs["customer_id_x"].fillna("") == pairs["customer_id_y"].fillna("")).all()
    assert (pairs["created_on_y"] >= pairs["qualified_on"]).all()


@ERAS
def test_deals_of_leads_are_won_as_often_as_others_though_only_future_customers_sign(now, era):
    of_leads = of_era(now[now["lead_id"].notna()], "created_on", era)
    assert is_share(of_leads["outcome"] == "won", stages.win_rate(era, with_reopened=True))


def test_whoever_signs_is_a_customer(big, straight, small):
    for of in (big, straight, small):
        now = of.frame(schema.opportunities)
        assert now[now["outcome"] == "won"]["customer_id"].notna().all()


def test_lost_deals_of_leads_are_reopened_and_won_with_the_stated_shares_though_only_future_customers_sign(big, closings):
    of_leads = closings.merge(big.frame(schema.opportunities)[["opportunity_id", "lead_id"]], on="opportunity_id").dropna(subset="lead_id")
    assert is_share(of_leads["count"] == 2, stages.REOPEN_SHARE)
    assert is_share(of_leads[of_leads["count"] == 2]["outcome"] == "won", stages.REOPENED_WIN_RATE)


def test_what_is_won_is_about_a_quarter_of_what_companies_buy_in_the_shop(now):
    """10 million CNY for 20,000 customers, whose companies buy for 40 million."""
    won = now[now["outcome"] == "won"]["deal_amount"].astype(float).sum() / (BIG.customers / 20_000)
    assert 9.0e6 < won < 11.0e6


def test_values_of_closed_deals_are_changed_with_the_stated_share(big, now):
    """A few new values round to the old ones: less than a hundredth."""
    history = big.frame(schema.opportunity_history).dropna(subset="deal_amount")
    values = history.groupby("opportunity_id")["deal_amount"].nunique()
    closed = now[(now["outcome"] != "open") & now["deal_amount"].notna()]["opportunity_id"]
    assert is_share(values.loc[closed] == 2, 0.995 * stages.AMOUNT_CHANGE_SHARE)
    assert values.max() == 2


@pytest.mark.parametrize("era", [0, 1], ids=["before", "after"])
def test_companies_bring_deals_at_the_stated_rates(big, now, era):
    """Poisson: the events of all company-years. A deal by service comes a little later than the contact that counts for its rate."""
    low, high = ((0, BIG.go_live_day), (BIG.go_live_day, BIG.days))[era]
    years = np.clip(high - np.maximum(big.accounts.acquired, low), 0, None).sum() / 365.25
    tickets = big.frame(schema.service_tickets)["opened_at"]
    created = now[now["deal_source"] == "existing customer"]["created_on"]
    for days, rate, lost in (
        (created, deal_sources.EXISTING_DEALS_PER_YEAR, 0.0),
        (
            tickets,
            deal_sources.SERVICE_DEALS_PER_YEAR[era],
            len(big.accounts.number) * deal_sources.HANDOVER_DAYS[era] / 365.25 if era else 0.0,
        ),
    ):
        count = ((days >= day(low)) & (days < day(high))).sum()
        assert abs(count - rate * (years - lost)) <= STANDARD_ERRORS * np.sqrt(rate * years)


@ERAS
def test_a_service_contact_names_its_deal_and_is_handed_over_faster_after_the_crm(big, now, era):
    tickets = big.frame(schema.service_tickets)
    pairs = tickets.merge(now, on="opportunity_id")
    assert len(pairs) == len(tickets) == (now["deal_source"] == "service").sum()
    assert (pairs["customer_id_x"] == pairs["customer_id_y"]).all()
    created = big.frame(schema.opportunity_history).query("change_number == 1")[["opportunity_id", "changed_at"]]
    pairs = of_era(pairs, "opened_at", era).merge(created, on="opportunity_id")
    days = in_days(pairs["changed_at"] - pairs["opened_at"])
    assert days.min() >= 0
    assert is_mean(days, deal_sources.HANDOVER_DAYS[era], days.std())


def test_companies_have_deals_only_once_they_are_customers(big, now):
    acquired = dict(zip([f"C{number + 1:07d}" for number in big.accounts.number], np.floor(big.accounts.acquired), strict=True))
    later = now[now["lead_id"].isna()]
    assert later["customer_id"].notna().all()
    assert ((later["created_on"] - day(0)).dt.days >= later["customer_id"].map(acquired)).all()
    assert (later.groupby("customer_id")["segment"].nunique() == 1).all()


# ── what deals are like ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_segments_reasons_and_scorecards_are_as_stated(big, now):
    first = big.frame(schema.opportunity_history).query("change_number == 1")["deal_amount"].astype(float).to_numpy()
    alone = now["customer_id"].isna()  # deals of one company share its segment: these are independent
    for segment, share, median in zip(stages.SEGMENTS, stages.SEGMENT_SHARE, stages.MEDIAN_AMOUNT, strict=True):
        assert is_share(now[alone]["segment"] == segment, share)
        values = np.log(first[(now["segment"] == segment) & ~np.isnan(first)])
        error = stages.AMOUNT_SPREAD * np.sqrt(np.pi / 2 / len(values))  # of a median of a normal
        assert abs(np.median(values) - np.log(median)) <= STANDARD_ERRORS * error
    assert is_share(now["deal_amount"].isna(), stages.NO_AMOUNT_SHARE)
    lost = now[now["outcome"] == "lost"]
    for reason, share in zip(stages.LOST_REASONS, stages.LOST_REASON_SHARE, strict=True):
        assert is_share(lost["lost_reason"] == reason, share)
    assert now[now["outcome"] != "lost"]["lost_reason"].isna().all()
    assert now[now["outcome"] != "open"]["next_step"].isna().all()


@ERAS
def test_competitors_are_as_stated_among_won_and_lost_deals(now, era):
    ended = of_era(now, "created_on", era)
    assert is_share(ended["has_scorecard"], stages.SCORECARD_SHARE[era])
    for place, competitor in enumerate(stages.COMPETITORS):
        for outcome in ("won", "lost"):
            assert is_share(ended[ended["outcome"] == outcome]["competitor"] == competitor, stages.COMPETITOR_AMONG[outcome][place])
        against = ended[ended["competitor"] == competitor]
        assert is_share(against["outcome"] == "won", stages.competitor_win_rate(era, place))


def test_sellers_win_equally_often_but_for_chance(now):
    """Chi-squared of wins by seller over deals created before the CRM: below the mean plus 4 standard deviations of its distribution."""
    cohort = of_era(now, "created_on", 0)
    by_seller = (cohort["outcome"] == "won").groupby(cohort["owner_id"]).agg(["sum", "count"])
    rate = by_seller["sum"].sum() / by_seller["count"].sum()
    squares = ((by_seller["sum"] - rate * by_seller["count"]) ** 2 / (by_seller["count"] * rate * (1 - rate))).sum()
    freedom = len(by_seller) - 1
    assert squares <= freedom + STANDARD_ERRORS * np.sqrt(2 * freedom)


def test_some_sellers_hit_their_quota_and_some_miss_it(small):
    now, quotas = small.frame(schema.opportunities), small.frame(schema.quotas)
    sellers = small.frame(schema.employees).query("role == 'sales'")["employee_id"]
    assert len(quotas) == 13 * len(sellers) == len(quotas.drop_duplicates(["employee_id", "quarter_on"]))
    won = now[now["outcome"] == "won"].assign(quarter_on=lambda rows: rows["closed_on"].dt.to_period("Q").dt.start_time)
    amounts = won["deal_amount"].astype(float).groupby([won["owner_id"], won["quarter_on"]]).sum()
    over = quotas[quotas["quarter_on"] < "2026-01-01"]  # the quarter after the demo has its quotas already
    reached = over.set_index(["employee_id", "quarter_on"])["quota_amount"].astype(float)
    hit = amounts.reindex(reached.index, fill_value=0) >= reached
    assert 0.2 < hit.mean() < 0.8


@ERAS
def test_tasks_are_done_with_the_stated_share_and_some_late(big, era):
    due = big.frame(schema.tasks)
    cohort = of_era(due.assign(entered=due["due_on"] - pd.Timedelta(days=tasks.TASK_DAYS)), "entered", era)
    assert is_share(cohort["done_on"].notna(), tasks.DONE_SHARE[era])
    done = cohort.dropna(subset="done_on")
    days = (done["done_on"] - done["entered"]).dt.days
    assert is_mean(days, tasks.DAYS_TO_DONE, tasks.DAYS_TO_DONE / np.sqrt(tasks.DONE_SHAPE) + 1)  # whole days: a little wider
    assert 0.1 < (done["done_on"] > done["due_on"]).mean() < 0.5


def test_each_enquiry_costs_its_customer_what_its_ticket_says(small):
    tickets, costs = small.frame(schema.service_tickets), small.frame(schema.costs_to_serve)
    assert len(costs) == len(tickets) > 20
    pairs = costs.merge(tickets, left_on="cost_id", right_on="ticket_id")
    assert set(pairs["cost_kind"]) == {"service"}
    for of_cost, of_ticket in (("customer_id_x", "customer_id_y"), ("channel_x", "channel_y")):
        assert (pairs[of_cost] == pairs[of_ticket]).all()
    assert (pairs["cost_amount"] == pairs["handling_cost"]).all()
    assert (pairs["minutes"] == pairs["handling_minutes"]).all()
    assert (pairs["incurred_on"] == pairs["opened_at"].dt.normalize()).all()


# ── what is stated ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_detours_and_levels_after_the_crm_are_stated_only_where_they_are():
    whole, without = stages.stated(Plan()), stages.stated(Plan(effects=Effects.without("go_live", "detours")))
    assert set(whole) == set(stages.PARAMETERS)
    assert set(tasks.stated(Plan())) == set(tasks.PARAMETERS)
    assert not {"skip_share", "push_days", "reopen_share", "win_rate_with_reopened"} & set(without)
    assert not {"cycle_days_with_detours", "cycle_days_with_reopened"} & set(without)
    assert without["win_rate"] == {"before": stages.win_rate(0)}
    assert without["stage_days"] == {
        f"{stage} · before": days for stage, days in zip(stages.OPEN_STAGES, stages.STAGE_DAYS[0], strict=True)
    }
    assert without["competitor_win_rate"] == {
        f"{competitor} · before": stages.competitor_win_rate(0, place, with_reopened=False)
        for place, competitor in enumerate(stages.COMPETITORS)
    }
    assert stages.competitor_win_rate(0, 1, with_reopened=False) < stages.competitor_win_rate(0, 1)


# ── rows that name others ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_key_that_is_named_exists(small):
    frames = {table.name: small.frame(table) for table in small.tables}
    people, deals_known = set(frames["employees"]["employee_id"]), set(frames["opportunities"]["opportunity_id"])
    customers = {f"C{number + 1:07d}" for number in small.accounts.number}
    known = {"employee_id": people, "owner_id": people, "manager_id": people, "opportunity_id": deals_known, "customer_id": customers}
    known |= {"stage": set(frames["stages"]["stage"]), "lead_id": set(frames["leads"]["lead_id"])}
    for name, frame in frames.items():
        for column in known.keys() & set(frame.columns):
            assert set(frame[column].dropna()) <= known[column], (name, column)
    for table in small.tables:
        assert set(small.tables[table].column_names) <= {column.name for column in table.columns}
        key = [column.name for column in table.primary_key.columns]
        assert not frames[table.name].duplicated(key).any(), table.name


def test_activities_of_a_deal_lie_in_its_life(small):
    made = small.frame(schema.activities).dropna(subset="opportunity_id").merge(small.frame(schema.opportunities), on="opportunity_id")
    on = made["happened_at"].dt.normalize()
    assert len(made) > 100
    assert set(made["activity_kind"]) == set(tasks.ACTIVITY_KINDS)
    assert (on >= made["created_on"]).all()
    assert not (on > made["closed_on"]).any()


def test_one_seed_makes_equal_deals_and_another_does_not(small):
    again, other = simulated(SMALL), sales(Plan(customers=2_000, seed=8))
    assert all(rows.equals(again.tables[table]) for table, rows in small.tables.items())
    assert not small.tables[schema.opportunities].equals(other.tables[schema.opportunities])


def test_about_6000_deals_belong_to_20000_customers_and_few_customers_have_some_too(now):
    assert 0.27 * BIG.customers < len(now) < 0.33 * BIG.customers
    tiny = sales(Plan(customers=100, seed=3))
    assert 5 < len(tiny.frame(schema.opportunities)) < 80
    assert set(now["deal_source"]) == {*CHANNEL_NAMES[4:], "existing customer", "service"}
