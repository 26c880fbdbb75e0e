"""Is the demo's service as its stated parameters say, and does nobody order who left for a bad answer?

Figures are compared with the truth within four standard errors, which follow from the truth and the number of rows.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest, norm

from crm_metrics import schema
from crm_metrics.demo import customers, leads, purchases, roster, surveys
from crm_metrics.demo import service as part
from crm_metrics.demo import service_levels as levels
from crm_metrics.demo.clock import ERAS
from crm_metrics.demo.customers import SATISFACTION_SHARE
from crm_metrics.demo.plan import Effects, Plan
from crm_metrics.demo.staff import employee_keys, headcount
from crm_metrics.demo.surveys import ANSWER_PROBABILITY, SCORE_SHARE
from crm_metrics.demo.world import Customers, History, customer_keys

START = pd.Timestamp("2023-01-01")
ERA = pytest.mark.parametrize("era", [0, 1], ids=ERAS)
SEED = 5
FOUR_ERRORS = 2 * norm.sf(4)  # chance of a normal number beyond four standard errors


class Company(NamedTuple):
    plan: Plan
    customers: Customers
    history: History
    served: part.Served
    tickets: pd.DataFrame
    surveys: pd.DataFrame


@cache
def company(size: int = 20_000, *without: str, seed: int = SEED) -> Company:
    """Customers, their history before service and after it, and the rows of both tables; `after`: opened after go-live."""
    plan = Plan(customers=size, seed=seed, effects=Effects.without(*without))
    people = customers.customers(plan, 0, roster.roster(plan, leads.leads(plan, leads.calls(plan))))
    history = purchases.natural_history(plan, 0, people)
    served = part.service(plan, 0, people, history)
    tickets = served.tables[schema.service_tickets].to_pandas()
    for column in ("wait_minutes", "handling_minutes", "handling_cost"):
        tickets[column] = tickets[column].astype(float)
    tickets["after"] = (tickets["opened_at"] - START).dt.days >= plan.go_live_day
    tickets["hours"] = (tickets["solved_at"] - tickets["opened_at"]).dt.total_seconds() / 3600
    asked = served.tables[schema.surveys].to_pandas()
    for column in ("invited_on", "answered_on"):
        asked[column] = pd.to_datetime(asked[column])
    return Company(plan, people, history, served, tickets, asked)


def tickets_of(era: int) -> pd.DataFrame:
    tickets = company().tickets
    return tickets[tickets["after"] == bool(era)]


def assisted(era: int) -> pd.DataFrame:
    tickets = tickets_of(era)
    return tickets[(tickets["agent_reply_count"] > 0) & tickets["solved_at"].notna()]


def stated(plan: Plan) -> dict[tuple[str, str], float | str]:
    """What both parts state, by parameter and subject."""
    parts = {**levels.stated(plan), **surveys.stated(plan)}
    mappings = {name: values if isinstance(values, Mapping) else {"": values} for name, values in parts.items()}
    return {(name, subject): value for name, values in mappings.items() for subject, value in values.items()}


def number(parameter: str, subject: str = "") -> float:
    """A stated number, with all effects."""
    return float(stated(Plan())[parameter, subject])


def is_near(found: float, truth: float, error: float) -> bool:
    """Whether a figure is within four standard errors of the truth."""
    return bool(abs(found - truth) <= 4 * error)


def agrees(successes: object, share: float) -> bool:
    """Whether the share of True is near, by the error of a binomial."""
    return has_mean(successes, share, np.sqrt(share * (1 - share)))


def has_mean(values: object, mean: float, deviation: float) -> bool:
    """Whether the mean is near, by the true standard deviation of one value."""
    found = np.asarray(values, dtype=float)
    assert len(found) >= 100
    return is_near(found.mean(), mean, deviation / np.sqrt(len(found)))


def are_as_many(successes: int, chances: np.ndarray) -> bool:
    """Whether so many of the events that have these chances happened."""
    return is_near(successes, chances.sum(), np.sqrt((chances * (1 - chances)).sum()))


def has_median(values: pd.Series, median: float) -> bool:
    """Whether half of the values are below the median, within four standard errors of a binomial."""
    return agrees(values.to_numpy() < median, 0.5)


# ── the cases behind the levels ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_costs_38_per_cent_less_and_agents_take_75_per_cent_more_calls_as_at_mitsubishi():
    before, after = levels.costs_per_ticket(levels.CALL_MINUTES, levels.OVERHEAD_PER_CALL)
    assert after / before - 1 == pytest.approx(-0.38)
    assert levels.CALL_MINUTES[0] / levels.CALL_MINUTES[1] == pytest.approx(1.75)
    assert levels.OVERHEAD_PER_CALL[1] > levels.OVERHEAD_PER_CALL[0]  # else the minutes alone would save 42.9 %


def test_self_service_alone_saves_15_per_cent_of_call_centre_cost_as_at_honeywell():
    calls_before, _, emails_before = levels.CHANNEL_SHARE[0]
    calls_after, _, emails_after = levels.CHANNEL_SHARE[1]
    assert calls_after / calls_before == pytest.approx(0.85)
    assert emails_after / emails_before == pytest.approx(0.85)
    assert [60 * hours for hours in levels.KNOWN_HOURS] == pytest.approx([480, 20])


def test_56_per_cent_are_satisfied_before_and_89_after_as_at_wiltel():
    assert [surveys.satisfied(share) for share in SCORE_SHARE] == pytest.approx([0.56, 0.89])
    assert [sum(share) for share in (*SCORE_SHARE, surveys.ABANDONED_SCORE_SHARE)] == pytest.approx([1, 1, 1])


def test_answers_about_tickets_look_worse_than_the_truth_by_hand():
    # answers of 100 tickets before: 12×.45=5.40, 14×.38=5.32, 18×.28=5.04, 34×.20=6.80, 22×.14=3.08; (6.80+3.08)/25.64 = .3853
    assert surveys.satisfied(surveys.observed(SCORE_SHARE[0], np.array(ANSWER_PROBABILITY))) == pytest.approx(0.3853, abs=5e-5)


# ── tickets are as stated ───────────────────────────────────────────────────────────────────────────────────────────────


def test_as_many_tickets_are_opened_as_orders_and_the_days_to_the_end_allow():
    whole = company(20_000, "service")
    moment = whole.history.orders.moment[~whole.customers.is_test[whole.history.orders.customer]]
    in_time = np.where(np.floor(moment) + 1 < whole.plan.days, 1 - np.exp((moment - whole.plan.days) / levels.DAYS_TO_TICKET), 0)
    chance = levels.TICKETS_PER_ORDER * in_time
    assert are_as_many(len(whole.tickets), chance)


@ERA
def test_channels_have_their_shares(era: int):
    for name, share in zip(levels.TICKET_CHANNELS, levels.CHANNEL_SHARE[era], strict=True):
        assert agrees(tickets_of(era)["channel"] == name, share)


@ERA
def test_deflection_counts_neither_abandoned_nor_open_tickets(era: int):
    tickets = tickets_of(era)
    served = tickets[tickets["was_self_served"] | (tickets["agent_reply_count"] > 0)]
    assert agrees(served["was_self_served"], levels.deflection(era))


def test_abandonment_falls_by_eight_percentage_points():
    assert levels.ABANDONED_SHARE[1] - levels.ABANDONED_SHARE[0] == pytest.approx(-0.08)
    for era, share in enumerate(levels.ABANDONED_SHARE):
        tickets = tickets_of(era)
        assert agrees(tickets.loc[tickets["channel"] == "phone", "was_abandoned"], share)


@pytest.mark.parametrize("place", range(3))
def test_contacts_out_of_office_hours_have_their_share(place: int):
    tickets = company().tickets
    hour = tickets.loc[tickets["channel"] == levels.TICKET_CHANNELS[place], "opened_at"].dt.hour
    is_out = (hour < 9) | (hour >= 18)
    assert agrees(is_out, levels.OUT_OF_OFFICE_SHARE[place])
    assert agrees(hour[is_out] < 9, 1 / 3 if place == levels.PHONE else 9 / 15)  # evenly over 8–9 and 18–20, or over 0–9 and 18–24


def test_calls_come_in_the_hours_of_the_line_and_other_tickets_at_any_hour():
    tickets = company().tickets
    hour, is_call = tickets["opened_at"].dt.hour, tickets["channel"] == "phone"
    assert set(hour[is_call]) == set(range(*levels.LINE_HOURS))
    assert set(hour[~is_call]) == set(range(24))
    answered_at = tickets.loc[is_call, "first_reply_at"].dropna()
    assert answered_at.dt.hour.between(8, 21).all()  # who called just before the line closes is still answered


def test_topics_have_their_shares():
    topic = company().tickets["topic"].dropna()
    for name, share in zip(levels.TOPICS, levels.TOPIC_SHARE, strict=True):
        assert agrees(topic == name, share)


@ERA
def test_waits_and_times_to_solution_have_their_medians(era: int):
    solved, tickets = assisted(era), tickets_of(era)
    known = solved["is_known_issue"].astype(bool)
    assert has_median(tickets["wait_minutes"].dropna(), levels.WAIT_MINUTES[era])
    assert has_median(solved.loc[known, "hours"], levels.KNOWN_HOURS[era])
    assert has_median(solved.loc[~known, "hours"], levels.OTHER_HOURS[era])
    assert has_median(tickets.loc[tickets["was_self_served"], "hours"], levels.SELF_SERVED_HOURS[era])


@ERA
def test_assisted_tickets_have_their_shares_of_known_problems_one_touch_and_reopening(era: int):
    solved = assisted(era)
    assert agrees(solved["is_known_issue"], levels.KNOWN_SHARE[era])
    assert agrees(solved["agent_reply_count"] == 1, levels.ONE_TOUCH_SHARE[era])
    assert agrees(solved["reopened_count"] > 0, levels.REOPENED_SHARE[era])
    assert has_mean(solved["transfer_count"], levels.TRANSFERS[era], np.sqrt(levels.TRANSFERS[era]))  # Poisson


def test_waits_times_and_minutes_spread_as_stated():
    tickets = company().tickets
    answered, self_served = tickets[tickets["wait_minutes"].notna()], tickets[tickets["was_self_served"]]
    for found, column, pair, parameter in (
        (answered, "wait_minutes", levels.WAIT_MINUTES, "wait_deviation"),
        (answered, "handling_minutes", levels.CALL_MINUTES, "minutes_deviation"),
        (self_served, "hours", levels.SELF_SERVED_HOURS, "hours_deviation"),
    ):
        logs = np.log(found[column] / np.array(pair)[found["after"].astype(int)])
        assert is_near(logs.std(), number(parameter), number(parameter) / np.sqrt(2 * len(logs)))  # of a normal


def test_e_mails_that_take_several_replies_have_their_first_as_early_and_as_many_more_as_stated():
    solved = pd.concat([assisted(0), assisted(1)])
    several = solved[solved["agent_reply_count"] > 1]
    emails = several[several["channel"] == "e-mail"]
    passed = (emails["first_reply_at"] - emails["opened_at"]).dt.total_seconds() / 3600 / emails["hours"]
    assert has_mean(passed, number("first_reply_share"), number("first_reply_deviation"))
    more = several["agent_reply_count"] - 2 - (several["reopened_count"] == 2)
    assert has_mean(more, number("more_replies"), np.sqrt(number("more_replies")))  # Poisson
    assert agrees(solved.loc[solved["reopened_count"] > 0, "reopened_count"] == 2, number("reopened_twice_share"))


@ERA
def test_minutes_and_costs_have_their_means(era: int):
    solved = assisted(era)
    calls, emails = (solved[solved["channel"] == name] for name in ("phone", "e-mail"))
    variation = np.sqrt(np.exp(levels.MINUTES_DEVIATION**2) - 1)  # of a lognormal: deviation / mean
    minutes, cost = levels.CALL_MINUTES[era], levels.costs_per_ticket(levels.CALL_MINUTES, levels.OVERHEAD_PER_CALL)[era]
    assert has_mean(calls["handling_minutes"], minutes, variation * minutes)
    assert has_mean(calls["handling_cost"], cost, variation * minutes * levels.COST_PER_MINUTE)
    assert has_mean(emails["handling_minutes"], levels.EMAIL_MINUTES[era], variation * levels.EMAIL_MINUTES[era])


def test_agents_have_their_loads():
    plan = company().plan
    load = np.resize(levels.AGENT_LOADS, headcount(plan, "service"))
    employee = company().tickets["employee_id"].dropna()
    for key, share in zip(employee_keys("service", np.arange(len(load))).to_pylist(), load / load.sum(), strict=True):
        assert agrees(employee == key, share)


def test_without_go_live_the_levels_stay_those_before():
    tickets = company(5_000, "go_live").tickets
    assert agrees(tickets["channel"] == "web self-service", levels.SELF_SERVICE_SHARE[0])
    assert has_median(tickets["wait_minutes"].dropna(), levels.WAIT_MINUTES[0])


# ── a ticket's columns agree with each other ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_events_of_a_ticket_follow_each_other_and_end_with_the_demo(seed: int):
    made = company(2_000, seed=seed)
    tickets, end = made.tickets, START + pd.Timedelta(days=made.plan.days)
    assert tickets["opened_at"].max() < end
    for earlier, later in (("opened_at", "first_reply_at"), ("first_reply_at", "solved_at"), ("opened_at", "solved_at")):
        both = tickets[[earlier, later]].dropna()
        assert len(both)
        assert (both[later] >= both[earlier]).all()
        assert both[later].max() < end
    assert made.surveys[["invited_on", "answered_on"]].max().max() < end
    assert (made.surveys["answered_on"].dropna() >= made.surveys["invited_on"][made.surveys["answered_on"].notna()]).all()


def test_an_abandoned_call_has_no_reply_no_agent_no_wait_and_no_cost():
    calls = company().tickets.query("was_abandoned")
    assert (calls["channel"] == "phone").all()
    unknown = ["first_reply_at", "solved_at", "employee_id", "wait_minutes", "topic", "is_known_issue"]
    assert calls[unknown].isna().all(axis=None)
    assert (calls[["agent_reply_count", "reopened_count", "transfer_count", "handling_minutes", "handling_cost"]] == 0).all(axis=None)


def test_a_self_served_ticket_has_no_agent_and_matches_a_known_problem():
    tickets = company().tickets
    served = tickets[tickets["was_self_served"]]
    assert (served["channel"] == "web self-service").all()
    assert served["solved_at"].notna().all()
    assert served[["first_reply_at", "employee_id", "wait_minutes"]].isna().all(axis=None)
    assert (served[["agent_reply_count", "transfer_count", "reopened_count", "handling_minutes"]] == 0).all(axis=None)
    assert served["is_known_issue"].all()
    assert (served["handling_cost"] == levels.SELF_SERVICE_COST).all()


def test_an_agent_is_named_where_one_replied_and_nowhere_else():
    tickets = company().tickets
    replied = tickets["first_reply_at"].notna()
    assert (replied == tickets["employee_id"].notna()).all()
    assert (replied == (tickets["agent_reply_count"] > 0)).all()
    assert (replied == (tickets["handling_minutes"] > 0)).all()
    spoken = replied & (tickets["channel"] == "phone")
    assert (spoken == tickets["wait_minutes"].notna()).all()
    waited = (tickets["first_reply_at"] - tickets["opened_at"]).dt.total_seconds() / 60
    assert (waited - tickets["wait_minutes"])[spoken].abs().max() <= 1 / 60 + 0.005  # whole seconds; hundredths of a minute


def test_some_tickets_are_open_at_the_end_and_all_of_them_are_recent():
    tickets = company().tickets
    is_open = tickets["solved_at"].isna() & ~tickets["was_abandoned"]
    assert 0 < is_open.sum() < 0.02 * len(tickets)
    assert tickets.loc[is_open, "opened_at"].min() > pd.Timestamp("2025-11-15")
    assert (tickets.loc[is_open, "reopened_count"] == 0).all()


def test_a_ticket_solved_with_one_reply_was_not_opened_again():
    tickets = company().tickets
    assert not ((tickets["agent_reply_count"] == 1) & (tickets["reopened_count"] > 0)).any()


def test_contacts_are_the_tickets():
    made = company()
    contacts, tickets = made.served.contacts, made.tickets
    assert customer_keys(made.customers.number[contacts.customer]).to_pylist() == tickets["customer_id"].tolist()
    assert np.array(levels.TICKET_CHANNELS)[contacts.channel].tolist() == tickets["channel"].tolist()
    assert contacts.cost == pytest.approx(tickets["handling_cost"].to_numpy(), abs=1e-9)
    assert contacts.minutes == pytest.approx(tickets["handling_minutes"].to_numpy(), abs=1e-9)
    assert (np.floor(contacts.moment) == (tickets["opened_at"] - START).dt.days).all()


# ── opinions and answers ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("after", "abandoned", "share"),
    [(0, 0, SCORE_SHARE[0]), (1, 0, SCORE_SHARE[1]), (0, 1, surveys.ABANDONED_SCORE_SHARE), (1, 1, surveys.ABANDONED_SCORE_SHARE)],
)
def test_scores_have_their_shares_and_the_worse_is_lower(after: int, abandoned: int, share: tuple[float, ...]):
    badness = np.sort(np.random.default_rng(3).standard_normal(20_000))
    found = surveys.scores(badness, np.full(20_000, bool(after)), np.full(20_000, bool(abandoned)))
    for score, part_of_all in enumerate(share, start=1):
        assert agrees(found == score, part_of_all)
    assert (np.diff(found) <= 0).all()


def answers(*without: str) -> pd.DataFrame:
    """Invitations that could be answered in full before the end, with the true level of the customer."""
    made = company(20_000, *without)
    latest = START + pd.Timedelta(days=made.plan.days - surveys.ANSWER_WITHIN_DAYS)
    levels = pd.Series(made.customers.satisfaction, index=customer_keys(made.customers.number).to_pylist())
    asked = made.surveys[made.surveys["invited_on"] < latest]
    return asked.assign(level=asked["customer_id"].map(levels), is_answered=asked["score"].notna())


def test_answers_come_within_the_stated_days_the_longest_included():
    asked = answers()
    waited = (asked["answered_on"] - asked["invited_on"]).dt.days.dropna()
    assert (waited.min(), waited.max()) == (0, number("answer_within"))
    day = np.arange(surveys.ANSWER_WITHIN_DAYS + 2)
    probability = np.diff(np.sqrt(day / day[-1]))  # of 0, 1, … days: the square of a uniform number
    mean = float(probability @ day[:-1])
    assert number("days_to_answer") == pytest.approx(mean)
    assert has_mean(waited, mean, np.sqrt(probability @ day[:-1] ** 2 - mean**2))


def about_tickets(*without: str) -> pd.DataFrame:
    asked = answers(*without).dropna(subset="ticket_id")
    return asked.merge(company(20_000, *without).tickets, on="ticket_id")


@ERA
def test_the_satisfied_stay_silent_about_tickets_as_much_as_expected(era: int):
    asked = about_tickets()
    answered = asked[asked["is_answered"] & (asked["after"] == bool(era))]
    chance = np.array(ANSWER_PROBABILITY)
    assert agrees(answered["score"] >= 4, surveys.satisfied(surveys.observed(SCORE_SHARE[era], chance)))
    assert agrees(asked.loc[asked["after"] == bool(era), "is_answered"], float(chance @ SCORE_SHARE[era]))


@ERA
def test_without_response_bias_the_answers_about_tickets_show_the_truth(era: int):
    asked = about_tickets("response_bias")
    asked = asked[asked["after"] == bool(era)]
    for score, share in enumerate(SCORE_SHARE[era], start=1):
        assert agrees(asked.loc[asked["is_answered"], "score"] == score, share)
    assert agrees(asked["is_answered"], float(np.array(ANSWER_PROBABILITY) @ SATISFACTION_SHARE))


def test_without_response_bias_the_same_customers_are_asked():
    columns = ["survey_id", "customer_id", "ticket_id", "survey_kind", "invited_on"]
    pd.testing.assert_frame_equal(company().surveys[columns], company(20_000, "response_bias").surveys[columns])


def test_surveys_go_to_their_share_of_solved_tickets_on_the_day_of_the_solution():
    made = company(20_000, "service")  # nobody leaves, so all solved tickets can be asked about
    solved = made.tickets.dropna(subset="solved_at").set_index("ticket_id")["solved_at"]
    about = made.surveys.dropna(subset="ticket_id")
    assert about["ticket_id"].is_unique
    assert agrees(solved.index.isin(about["ticket_id"]), surveys.ASKED_SHARE)
    assert (about["ticket_id"].map(solved).dt.normalize() == about["invited_on"]).all()


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_relationship_surveys_are_answered_by_level(level: int):
    asked = answers()
    asked = asked[asked["ticket_id"].isna() & (asked["level"] == level)]
    assert agrees(asked["is_answered"], ANSWER_PROBABILITY[level - 1])
    said = asked[asked["is_answered"]]
    assert (said.loc[said["survey_kind"] == "satisfaction", "score"] == level).all()
    recommended = said.loc[said["survey_kind"] == "recommendation", "score"]
    assert recommended.between(0, 10).all()
    chance = surveys.RECOMMENDATION_CHANCE[level - 1]
    assert has_mean(recommended, 10 * chance, np.sqrt(10 * chance * (1 - chance)))
    promoters, detractors = binom.sf(8, 10, chance), binom.cdf(6, 10, chance)
    assert surveys.net_promoter_scores()[level - 1] == pytest.approx(100 * (promoters - detractors))
    for found, share in ((recommended >= 9, promoters), (recommended <= 6, detractors)):  # some so rare that only the exact test will do
        assert binomtest(int(found.sum()), len(found), share).pvalue > FOUR_ERRORS


def test_the_first_relationship_survey_comes_to_everybody_60_to_180_days_after_the_first_order():
    made = company(2_000, "service")
    asked = made.surveys[made.surveys["ticket_id"].isna() & (made.surveys["survey_kind"] == "satisfaction")]
    first = (asked.groupby("customer_id")["invited_on"].min() - START).dt.days
    keys = pd.Index(customer_keys(made.customers.number).to_pylist())
    waited = first.to_numpy() - made.customers.acquired[keys.get_indexer(first.index)]
    assert waited.min() >= 59
    assert waited.max() <= 180
    is_due = (made.customers.acquired + 180 < made.plan.days) & ~made.customers.is_test
    assert set(keys[is_due]) <= set(first.index)


def test_whoever_has_not_ordered_for_a_year_is_not_asked():
    made = company(2_000)
    orders = pd.DataFrame({"place": made.served.history.orders.customer, "moment": made.served.history.orders.moment})
    keys = pd.Index(customer_keys(made.customers.number).to_pylist())
    asked = made.surveys[made.surveys["ticket_id"].isna()]
    asked = pd.DataFrame({"place": keys.get_indexer(asked["customer_id"]), "moment": (asked["invited_on"] - START).dt.days.astype(float)})
    orders["ordered"] = orders["moment"]
    found = pd.merge_asof(asked.sort_values("moment"), orders.sort_values("moment"), on="moment", by="place")
    assert (found["moment"] - found["ordered"]).between(0, 365).all()
    assert found.groupby("place").size().max() > 2  # some are asked again


def test_callers_who_waited_long_think_worse():
    asked = about_tickets("response_bias").dropna(subset=["wait_minutes", "score"])
    normal = (asked["wait_minutes"] / np.array(levels.WAIT_MINUTES)[asked["after"].astype(int)]).map(np.log) / levels.WAIT_DEVIATION
    cut = np.array([norm.ppf(surveys.satisfied(share)) for share in SCORE_SHARE])  # worse than this is below 4
    excess = levels.BADNESS_WITH_WAIT * norm.pdf(cut) / norm.sf(cut)  # mean of one normal, given the other is above the cut
    is_bad = asked["score"] < 4
    assert has_mean(normal[is_bad] - excess[asked.loc[is_bad, "after"].astype(int)], 0, 1)  # a little less than 1 spreads
    assert normal[is_bad].mean() > 0.25


# ── who leaves ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_effect_of_service_nobody_leaves_and_no_order_is_removed():
    made = company(2_000, "service")
    for before, after in zip(made.history.orders, made.served.history.orders, strict=True):
        assert np.array_equal(before, after)
    assert np.array_equal(made.history.left, made.served.history.left, equal_nan=True)


def test_whoever_leaves_keeps_the_orders_before_and_loses_all_after():
    made = company()
    natural, left = made.history, made.served.history.left
    is_dismissed = ~np.isnan(left) & ~(natural.left <= left)
    assert is_dismissed.sum() > 50
    assert (np.isnan(natural.left) | (left <= natural.left)).all()
    is_gone = is_dismissed[natural.orders.customer] & (natural.orders.moment > left[natural.orders.customer])
    assert is_gone.sum() > 100
    for before, after in zip(natural.orders, made.served.history.orders, strict=True):
        assert np.array_equal(before[~is_gone], after)
    assert len(np.unique(made.served.history.orders.customer)) == len(made.customers.number)  # the first order always stays
    asked = made.surveys.assign(place=pd.Index(customer_keys(made.customers.number).to_pylist()).get_indexer(made.surveys["customer_id"]))
    asked = asked[is_dismissed[asked["place"]]]
    assert ((asked["invited_on"] - START).dt.days <= left[asked["place"]]).all()


def test_bad_answers_make_customers_leave_with_the_stated_probability():
    made = company()
    stays = np.isnan(made.history.left)  # customers who would never have left; whether they do is then seen in full
    tickets = made.tickets.assign(place=made.served.contacts.customer)
    ended = tickets["solved_at"].where(~tickets["was_abandoned"], tickets["opened_at"])
    moment = (ended - START).dt.total_seconds() / 86_400
    left = made.served.history.left[tickets["place"]]
    counts = stays[tickets["place"]] & moment.notna() & (np.isnan(left) | (moment <= left))
    bad = [sum(share[: levels.WORST_TO_LEAVE]) for share in (*SCORE_SHARE, surveys.ABANDONED_SCORE_SHARE)]
    chance = levels.LEAVE_PROBABILITY * np.array(bad)[np.where(tickets["was_abandoned"], 2, tickets["after"].astype(int))][counts]
    leavers = (~np.isnan(made.served.history.left[stays])).sum()
    assert are_as_many(int(leavers), chance)


def test_callers_who_gave_up_waiting_leave_with_the_stated_probability_when_they_called():
    made = company()
    contacts, left = made.served.contacts, made.served.history.left
    never_otherwise = np.isnan(made.history.left)[contacts.customer]
    calls = made.tickets["was_abandoned"].to_numpy() & never_otherwise & ~(left[contacts.customer] < contacts.moment)
    bad = sum(surveys.ABANDONED_SCORE_SHARE[: levels.WORST_TO_LEAVE])
    assert agrees((left[contacts.customer] == contacts.moment)[calls], levels.LEAVE_PROBABILITY * bad)


def test_the_test_account_has_no_tickets_and_no_surveys():
    made = company()
    assert made.customers.is_test[0]
    key = customer_keys(made.customers.number[:1]).to_pylist()[0]
    assert key not in set(made.tickets["customer_id"]) | set(made.surveys["customer_id"])


# ── keys, repetition, truth ─────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_are_unique_over_chunks_and_point_at_rows_that_are_there():
    made = company(2_000)
    other = part.service(made.plan, 1, made.customers, made.history).tables
    for table, key, rows in ((schema.service_tickets, "ticket_id", made.tickets), (schema.surveys, "survey_id", made.surveys)):
        assert rows[key].is_unique
        assert not set(rows[key]) & set(other[table][key].to_pylist())
        assert set(rows["customer_id"]) <= set(customer_keys(made.customers.number).to_pylist())
        assert set(other[table].column_names) <= set(table.c.keys())
    assert set(made.surveys["ticket_id"].dropna()) <= set(made.tickets["ticket_id"])


def test_the_same_plan_gives_the_same_rows_and_another_seed_others():
    made = company(2_000)
    again = part.service(made.plan, 0, made.customers, made.history)
    assert all(again.tables[table].equals(rows) for table, rows in made.served.tables.items())
    assert not company(2_000, seed=1).served.tables[schema.service_tickets].equals(made.served.tables[schema.service_tickets])


@pytest.mark.parametrize("module", [levels, surveys], ids=["service", "surveys"])
def test_every_declared_parameter_is_stated_and_no_other(module):
    assert set(module.stated(Plan())) == set(module.PARAMETERS)


def test_what_is_stated_is_what_the_effects_that_are_on_do():
    found = stated(Plan(effects=Effects.without("go_live", "service", "response_bias")))
    left_out = {name for name, _ in stated(Plan())} - {name for name, _ in found}
    assert left_out == {"leave_after_bad_answer", "call_centre_saving"}
    assert ("ticket_channel_share", "phone · before") in found
    assert not any("after" in subject for _, subject in found)
    assert found["expected_customer_satisfaction", ""] == pytest.approx(found["true_customer_satisfaction", ""])
    assert found["answer_probability", "1"] == found["answer_probability", "5"]


def test_levels_are_stated_by_era_and_by_whom_they_are_about():
    assert (number("wait", "before"), number("wait", "after")) == (4.5, 1.5)
    assert number("ticket_channel_share", "web self-service · after") == pytest.approx(0.252)  # 1 − .88 × .85
    assert number("ticket_score_share", "5 · before") == pytest.approx(0.22)
    assert stated(Plan())["line_hours", ""] == "8:00–20:00"
