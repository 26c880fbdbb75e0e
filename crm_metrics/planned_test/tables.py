"""The tables of a test that is planned on the customers a rule chooses."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Select

from crm_metrics import workspace
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput, ratio
from crm_metrics.planned_test import query
from crm_metrics.randomised_test.plan import Baseline, Design, customers_needed, power_curve, smallest_lift
from crm_metrics.randomised_test.split import Split, arm_counts, balance, stratified_split
from crm_metrics.sales import extent
from crm_metrics.segments.rule import Group, Rule, Segment

EVERYBODY = Group("all")
Outcome = Literal["buyers", "spend"]


@dataclass(frozen=True)
class TestTerms:
    """What the reader chooses for a test.

    outcome: the share of customers who buy, or net revenue per customer, within horizon_days of its start. lift: worth having, relative to
    what happens without (.1 is 10% more). share_control: of the customers. power: chance to find the lift, if it is there. strata:
    attributes with one value a customer, within whose values treated and control are drawn. seed: of the draw.
    """

    __test__ = False  # no test of ours

    outcome: Outcome = "buyers"
    horizon_days: int = 90
    lift: float = 0.2
    share_control: float = 0.5
    power: float = 0.8
    strata: tuple[str, ...] = ("value_tier",)
    seed: int = 1

    @property
    def design(self) -> Design:
        """The design of the test; 5% is the chance of a false alarm."""
        return Design(share_control=self.share_control, power=self.power)


def rule_of(segments: tuple[Segment, ...]) -> Rule:
    """Return the rule of customers in any of the segments; of everybody where none is chosen."""
    rules = tuple(segment.rule for segment in segments if segment.rule is not None)
    if not segments:
        return EVERYBODY
    return rules[0] if len(rules) == 1 else Group("any", rules)


def chosen_rule(rule: Rule | None, filters: Filters) -> Rule:
    """Return the rule; where none is given, that of the segments of the filters."""
    return rule_of(filters.segments) if rule is None else rule


def baseline(source: Source, filters: Filters, terms: TestTerms = TestTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return one row: what happened without the test in the horizon up to the as-of day.

    chosen_on (the day before that horizon; the rule is told on it), until, customers (who may be contacted), buyers_share, spend_mean,
    spend_deviation (of all these customers, those who spent nothing too).
    """
    chosen_on, until = before(source, filters, terms.horizon_days)
    row: Any = source(query.outcomes(chosen_rule(rule, filters), chosen_on, until, filters.scope)).iloc[0]
    n = int(row.customers)
    mean = ratio(row.spend, n)
    variance = (row.spend_squared - n * mean**2) / (n - 1) if n > 1 else math.nan
    found = {"chosen_on": pd.Timestamp(chosen_on), "until": pd.Timestamp(until), "customers": n, "buyers_share": ratio(row.buyers, n)}
    return pd.DataFrame([{**found, "spend_mean": mean, "spend_deviation": math.sqrt(max(variance, 0.0)) if n > 1 else math.nan}])


def plan(source: Source, filters: Filters, terms: TestTerms = TestTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return one row: treated_needed, control_needed, customers_needed, customers (contactable now), smallest_lift (that these can show),
    baseline_mean.

    Raises BadInput where no test can be planned.
    """
    known, customers = known_baseline(source, filters, terms, rule), contactable_customers(source, filters, rule)
    needed = customers_needed(known, terms.design, lift=terms.lift)
    return pd.DataFrame(
        [
            {
                "treated_needed": needed.treated,
                "control_needed": needed.control,
                "customers_needed": needed.customers,
                "customers": customers,
                "smallest_lift": smallest_lift(known, terms.design, customers=customers),
                "baseline_mean": known.mean,
            }
        ]
    )


def power(source: Source, filters: Filters, terms: TestTerms = TestTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return the chance to find a lift with the customers at hand: lift, power. Raises BadInput where no test can be planned."""
    known, customers = known_baseline(source, filters, terms, rule), contactable_customers(source, filters, rule)
    return power_curve(known, terms.design, customers=customers)


def split(source: Source, filters: Filters, terms: TestTerms, rule: Rule | None = None) -> Split:
    """Return the contactable customers of a rule, treated and control."""
    found = source(query.contactable(chosen_rule(rule, filters), terms.strata, filters.today, filters.scope))
    return stratified_split(found, strata=terms.strata, share_control=terms.share_control, seed=terms.seed)


def strata(source: Source, filters: Filters, terms: TestTerms = TestTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return one row per stratum: stratum, customers, treated, control, control_share."""
    return arm_counts(source.remember(split, filters, terms, rule).members)


def split_balance(source: Source, filters: Filters, terms: TestTerms = TestTerms(), rule: Rule | None = None) -> pd.DataFrame:
    """Return how alike the arms were before: see randomised_test.split.balance; measures are orders and net_revenue so far."""
    members = source.remember(split, filters, terms, rule).members
    known = source(query.contactable(chosen_rule(rule, filters), terms.strata, filters.today, filters.scope))
    return balance(members, known[["customer_id", "orders", "net_revenue"]])


def planned(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per planned campaign: see workspace.planned_campaigns."""
    del filters  # they are of the whole data set
    return workspace.planned_campaigns(source.data_set)


def planned_members(source: Source, campaign_id: int) -> pd.DataFrame:
    """Return the members of a planned campaign: see workspace.planned_members; has_consent: who may still be contacted now."""
    members = workspace.planned_members(source.data_set, campaign_id)
    return members.assign(has_consent=members["customer_id"].isin(source(query.agreeing_customers())["customer_id"]))


def contactable_customers(source: Source, filters: Filters, rule: Rule | None) -> int:
    """Return how many customers of the rule may be contacted now."""
    return int(source(query.contactable_count(chosen_rule(rule, filters), filters.today, filters.scope))["customers"].iloc[0])


def before(source: Source, filters: Filters, horizon_days: int) -> tuple[date, date]:
    """Return the day before the latest horizon that the data hold, and its last day. Raises BadInput if they don't reach so far back."""
    held = source(extent(filters.scope)).iloc[0]
    if pd.isna(held.first_on):
        raise BadInput("The data set is empty.")
    until = min(filters.today or held.last_on.date(), held.last_on.date())
    chosen_on = until - timedelta(days=horizon_days)
    if chosen_on < held.first_on.date():
        raise BadInput(
            "The data begin on {first}: {days} days before {until} there are none. Choose fewer days.",
            first=held.first_on.date(),
            days=horizon_days,
            until=until,
        )
    return chosen_on, until


def known_baseline(source: Source, filters: Filters, terms: TestTerms, rule: Rule | None) -> Baseline:
    """Return the baseline of the outcome. Raises BadInput where there is none."""
    return baseline_of(baseline(source, filters, terms, rule), terms)


def outcome_queries(source: Source, filters: Filters, terms: TestTerms, rule: Rule | None) -> tuple[Select[Any], ...]:
    """Return the query behind the baseline of a test, to be shown."""
    return (query.outcomes(chosen_rule(rule, filters), *before(source, filters, terms.horizon_days), filters.scope),)


def baseline_of(known: pd.DataFrame, terms: TestTerms) -> Baseline:
    """Return the baseline of the outcome. known: the table baseline. Raises BadInput where nobody can be drawn."""
    row: Any = known.iloc[0]
    if not row.customers:
        raise BadInput(
            "Nobody in the segment on {day} is known to agree to be contacted: nobody can be drawn. Choose other customers.",
            day=row.chosen_on.date(),
        )
    return Baseline(row.buyers_share) if terms.outcome == "buyers" else Baseline(row.spend_mean, row.spend_deviation)
